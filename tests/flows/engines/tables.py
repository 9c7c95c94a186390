"""Random flow logs as a file, and as the table that an engine has of the same rows."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

from cloudseg.flows.database import connect
from tests.flows.aws_rows import V5, T

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

AWS_COLUMNS = tuple(name.replace("-", "_") for name in V5.split())
NUMBERS = frozenset(
    {"version", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end", "tcp_flags", "traffic_path"}
)
"""Columns of numbers in the table that AWS documents: what is no number there reads as NULL."""


def aws_rows(seed: int, count: int = 400) -> list[dict[str, str]]:
    """Records of few ends and many kinds: both directions, NAT, idle and skipped ones, `-` and nonsense."""
    chance = random.Random(seed)
    hosts = [f"10.0.{net}.{host}" for net in (1, 2) for host in (4, 5, 6)] + ["198.51.100.7", "2001:db8::7"]
    found: list[dict[str, str]] = []
    for _ in range(count):
        src, dst = chance.sample(hosts, 2)
        near = chance.choice(hosts) if chance.random() < 0.1 else src
        start = T + chance.randrange(-90_000, 90_000)
        row = dict.fromkeys(AWS_COLUMNS, "-") | {
            "version": "5", "account_id": "123456789012", "interface_id": f"eni-{chance.randrange(5)}",
            "srcaddr": near, "dstaddr": dst, "pkt_srcaddr": src, "pkt_dstaddr": dst,
            "srcport": str(chance.choice((443, 2049, 700, 5432, 8080, 20_000, 40_000, 50_001, 99_999))),
            "dstport": str(chance.choice((443, 2049, 700, 5432, 8080, 20_000, 40_000, 50_001))),
            "protocol": chance.choice(("6", "6", "6", "17", "1", "47", "-")),
            "packets": str(chance.randrange(1, 100)), "bytes": str(chance.randrange(40, 10_000)),
            "start": str(start), "end": str(start + chance.randrange(600)),
            "action": chance.choice(("ACCEPT", "ACCEPT", "REJECT")),
            "log_status": chance.choice(("OK",) * 8 + ("NODATA", "SKIPDATA")),
            "vpc_id": f"vpc-{chance.randrange(2)}", "instance_id": chance.choice(("i-01", "-")),
            "tcp_flags": chance.choice(("0", "1", "2", "3", "4", "18", "19", "-")),
            "pkt_src_aws_service": chance.choice(("-", "S3")),
            "flow_direction": chance.choice(("ingress", "egress", "-")),
        }  # fmt: skip
        if row["log_status"] != "OK":
            row |= dict.fromkeys(AWS_COLUMNS[3:10], "-") | {"action": "-", "pkt_srcaddr": "-", "pkt_dstaddr": "-"}
        found.append(row)
    return found


def aws_file(path: Path, rows: list[dict[str, str]]) -> Path:
    path.write_text("\n".join((V5, *(" ".join(row.values()) for row in rows))) + "\n")
    return path


def aws_table(name: str, rows: list[dict[str, str]], days: list[str]) -> DuckDBPyConnection:
    """A table as that of Athena over the same file, partitioned by ``day``."""
    database = connect()
    columns = ", ".join(f'"{column}" {"BIGINT" if column in NUMBERS else "VARCHAR"}' for column in AWS_COLUMNS)
    database.execute(f'CREATE TABLE "{name}" ({columns}, "day" VARCHAR)')
    if not rows:
        return database
    held = ", ".join(
        f'TRY_CAST(held."{column}" AS BIGINT)' if column in NUMBERS else f'held."{column}"' for column in AWS_COLUMNS
    )
    # All rows at once, as JSON: one by one they take a second.
    database.execute(
        f'INSERT INTO "{name}" SELECT {held}, held."day" FROM (SELECT unnest(from_json(?, ?)) AS held)',
        [
            json.dumps([row | {"day": day} for row, day in zip(rows, days, strict=True)]),
            json.dumps([dict.fromkeys((*AWS_COLUMNS, "day"), "VARCHAR")]),
        ],
    )
    return database


def gcp_entries(seed: int, count: int = 300) -> list[dict[str, Any]]:
    """Entries of VPC flow logs and of firewalls, as a log sink writes them."""
    chance = random.Random(seed)
    hosts = [f"10.0.{net}.{host}" for net in (1, 2) for host in (4, 5, 6)] + ["198.51.100.7"]
    found: list[dict[str, Any]] = []
    for _ in range(count):
        src, dst = chance.sample(hosts, 2)
        minute, second = chance.randrange(60), chance.randrange(50)
        start, end = (f"2026-01-09T10:{minute:02}:{second + later:02}.250Z" for later in (0, 5))
        connection = {
            "src_ip": src, "dest_ip": dst, "protocol": chance.choice((6, 6, 17, 1)),
            "src_port": chance.choice((443, 5432, 40_000, 50_001)), "dest_port": chance.choice((443, 5432, 40_000)),
        }  # fmt: skip
        end_of = {"project_id": "shop", "zone": "europe-west1-b", "vm_name": f"vm-{src}"}
        entry: dict[str, Any] = {
            "logName": "projects/shop/logs/compute.googleapis.com%2Fvpc_flows",
            "timestamp": end,
            "resource": {"labels": {"project_id": "shop", "subnetwork_name": "web"}},
        }
        if chance.random() < 0.2:
            entry["logName"] = "projects/shop/logs/compute.googleapis.com%2Ffirewall"
            payload: dict[str, Any] = {
                "connection": connection, "disposition": chance.choice(("ALLOWED", "DENIED")), "instance": end_of,
                "rule_details": {
                    "reference": "network:main/firewall:web", "direction": chance.choice(("INGRESS", "EGRESS")),
                },
                "vpc": {"project_id": "shop", "vpc_name": "main"},
            }  # fmt: skip
        else:
            reporter = chance.choice(("SRC", "DEST"))
            payload = {
                "connection": connection, "reporter": reporter, "start_time": start, "end_time": end,
                "packets_sent": str(chance.randrange(1, 50)), "bytes_sent": str(chance.randrange(40, 9_000)),
                f"{reporter.lower()}_instance": end_of,
                f"{reporter.lower()}_vpc": {"project_id": "shop", "vpc_name": "main"},
            }  # fmt: skip
        found.append(entry | {"jsonPayload": payload})
    return found


def gcp_file(path: Path, entries: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path
