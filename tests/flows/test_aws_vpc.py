"""VPC flow logs as records, by the tables of the VPC User Guide.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-records-examples.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from cloudseg.flows.columns import RECORDS
from cloudseg.flows.formats.aws_vpc import AWS_VPC
from tests.flows.reading import group_of, records_of, rows_of, write_log, write_parquet

if TYPE_CHECKING:
    from pathlib import Path

V2 = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
V3 = f"{V2} vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr"
V5 = (
    f"{V3} region az-id sublocation-type sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction "
    "traffic-path"
)
T = 1_767_225_600  # 2026-01-01
ENI = "eni-0aaaaaaaaaaaaaaa1"


def v2(ends: str = "10.0.0.5 40000 10.0.1.6 443", protocol: object = 6, action: str = "ACCEPT", **other: object) -> str:
    """A record of the default format: ``ends`` is source, port, destination, port."""
    src, src_port, dst, dst_port = ends.split()
    start, end = other.get("start", T), other.get("end", T + 60)
    packets = other.get("packets", 10)
    status = other.get("status", "OK")
    return (
        f"2 111122223333 {ENI} {src} {dst} {src_port} {dst_port} {protocol} {packets} 840 {start} {end} {action} "
        f"{status}"
    )


def v3(ends: str, flags: object, *, instance: str = "i-0123456789abcdef0", near: str = "") -> str:
    """A record of version 3; ``near`` are the plain source and destination, where they differ from the packet's."""
    src, _, dst, _ = ends.split()
    plain = v2(ends)
    if near:
        plain = plain.replace(f"{src} {dst}", near)
    return f"{plain} vpc-1 subnet-1 {instance} {flags} IPv4 {src} {dst}"


def v5(
    ends: str, flags: object, way: str, *, instance: str = "i-0123456789abcdef0", near: str = "", services: str = "- -"
) -> str:
    return f"{v3(ends, flags, instance=instance, near=near)} us-east-1 use1-az1 - - {services} {way} -"


def test_the_default_format_tells_ends_verdict_and_counts_and_nothing_of_who_opened(tmp_path: Path) -> None:
    (row,) = records_of(tmp_path, V2, v2())
    told = {
        "provider": "aws", "scope": "111122223333", "observer": ENI, "status": "ok", "src": "10.0.0.5",
        "dst": "10.0.1.6", "src_port": 40000, "dst_port": 443, "protocol": 6, "opened": 0, "accepted": True,
        "packets": 10, "bytes": 840, "packets_back": 0, "bytes_back": 0, "first": T, "last": T + 60,
    }  # fmt: skip
    assert row == {column.name: told.get(column.name) for column in RECORDS}


def test_a_reject_is_not_accepted(tmp_path: Path) -> None:
    (row,) = records_of(tmp_path, V2, v2(action="REJECT"))
    assert (row["status"], row["accepted"]) == ("ok", False)


def test_ipv6_addresses_are_kept_as_they_are_written(tmp_path: Path) -> None:
    (row,) = records_of(tmp_path, V2, v2("2001:db8:1234:a100:8d6e:3477:df66:f105 34892 2001:db8:1:: 22"))
    assert (row["src"], row["dst"], row["status"]) == ("2001:db8:1234:a100:8d6e:3477:df66:f105", "2001:db8:1::", "ok")


@pytest.mark.parametrize(("written", "status"), [("NODATA", "idle"), ("SKIPDATA", "skipped")])
def test_rows_without_data_tell_their_interface_and_window_alone(tmp_path: Path, written: str, status: str) -> None:
    (row,) = records_of(tmp_path, V2, f"2 111122223333 {ENI} - - - - - - - {T} {T + 60} - {written}")
    told = {
        "provider": "aws", "scope": "111122223333", "observer": ENI, "status": status, "opened": 0, "packets": 0,
        "bytes": 0, "packets_back": 0, "bytes_back": 0, "first": T, "last": T + 60,
    }  # fmt: skip
    assert row == {column.name: told.get(column.name) for column in RECORDS}


def test_without_the_status_field_a_row_without_data_counts_as_lost(tmp_path: Path) -> None:
    header = V2.removesuffix(" log-status")
    rows = records_of(tmp_path, header, v2().removesuffix(" OK"), f"2 111122223333 {ENI} - - - - - - - {T} {T + 60} -")
    assert [row["status"] for row in rows] == ["ok", "skipped"]


def test_icmp_has_no_ports(tmp_path: Path) -> None:
    (row,) = records_of(tmp_path, V2, v2("203.0.113.12 0 172.31.16.139 0", protocol=1))
    assert (row["status"], row["src_port"], row["dst_port"], row["protocol"]) == ("ok", None, None, 1)


@pytest.mark.parametrize("protocol", [6, 17, 33, 132, 136])
def test_protocols_with_ports_keep_them_even_port_zero(tmp_path: Path, protocol: int) -> None:
    (row,) = records_of(tmp_path, V2, v2("10.0.0.5 0 10.0.1.6 53", protocol=protocol))
    assert (row["src_port"], row["dst_port"]) == (0, 53)


@pytest.mark.parametrize(
    "line",
    [
        v2("10.0.0.5 99999 10.0.1.6 443"),
        v2("10.0.0.5 40000 10.0.1.6 65536"),
        v2("10.0.0.5 -1 10.0.1.6 443"),
        v2("10.0.0.5 http 10.0.1.6 443"),
        v2("10.0.0.5 - 10.0.1.6 443"),
        v2("- 40000 10.0.1.6 443"),
        v2(protocol=256),
        v2(protocol="tcp"),
        v2(action="ALLOW"),
        v2(action="-"),
        v2(status="-"),
        v2(status="GOOD"),
        v2(start=T * 1000, end=(T + 60) * 1000),
        v2(start=915_148_800, end=915_148_860),
        v2(end=int(time.time()) + 200_000),
        v2(start=T + 60, end=T),
        v2(start="-"),
        v2(start="2026-01-01T00:00:00Z"),
        v2(packets="-5"),
    ],
    ids=[
        "port", "port-over", "port-under", "port-name", "port-none", "no-source", "protocol", "protocol-name", "action",
        "no-action", "no-status", "status", "milliseconds", "before-2000", "ahead", "backwards", "no-start",
        "start-text", "packets-under",
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_makes_a_bad_row_and_stops_nothing(tmp_path: Path, line: str) -> None:
    bad, good = records_of(tmp_path, V2, line, v2())
    assert (bad["status"], bad["observer"], good["status"]) == ("bad", ENI, "ok")
    assert [bad[name] for name in ("src", "dst", "src_port", "dst_port", "protocol", "accepted")] == [None] * 6
    assert bad["first"] is None or bad["first"] < time.time()


def test_a_count_that_is_not_told_is_none(tmp_path: Path) -> None:
    (row,) = records_of(tmp_path, V2, v2(packets="-"))
    assert (row["status"], row["packets"], row["bytes"]) == ("ok", 0, 840)


@pytest.mark.semantics(119)
@pytest.mark.parametrize(
    ("flags", "opener", "opened", "answers"),
    [
        (2, "src", 1, None),
        (3, "src", 1, None),
        (6, "src", 1, None),
        (18, "dst", 0, True),
        (19, "dst", 0, True),
        (22, "dst", 0, True),
        (0, None, 0, None),
        (1, None, 0, None),
        (4, None, 0, None),
        (5, None, 0, None),
        (16, None, 0, None),
        ("-", None, 0, None),
    ],
)
def test_syn_without_ack_is_of_the_source_and_with_ack_the_answer_to_the_destination(
    tmp_path: Path, flags: object, opener: str | None, opened: int, answers: object
) -> None:
    (row,) = records_of(tmp_path, V3, v3("10.0.0.5 5001 10.0.1.6 43416", flags))
    proof = "handshake" if opener else None
    assert (row["opener"], row["proof"], row["opened"], row["answers"]) == (opener, proof, opened, answers)


def test_flags_of_what_is_not_tcp_prove_nothing(tmp_path: Path) -> None:
    (row,) = records_of(tmp_path, V3, v3("10.0.0.5 40000 10.0.1.6 53", 2).replace(" 53 6 ", " 53 17 "))
    assert (row["protocol"], row["opener"], row["opened"]) == (17, None, 0)


def test_a_rejected_syn_tells_who_tried(tmp_path: Path) -> None:
    (row,) = records_of(tmp_path, V3, v3("10.0.0.5 40000 10.0.1.6 3389", 2).replace("ACCEPT", "REJECT"))
    assert (row["opener"], row["opened"], row["accepted"]) == ("src", 1, False)


Side = tuple[str | None, str, str, str | None, str | None]


def sides(path: Path, header: str, *lines: str) -> list[Side]:
    """The side, source, destination and their plain addresses of records."""
    rows = records_of(path, header, *lines)
    return [(row["side"], row["src"], row["dst"], row["near_src"], row["near_dst"]) for row in rows]


def test_the_direction_tells_the_side(tmp_path: Path) -> None:
    there, back = "10.0.0.5 40000 10.0.1.6 443", "10.0.1.6 443 10.0.0.5 40000"
    assert sides(tmp_path, V5, v5(there, 2, "egress"), v5(back, 18, "ingress"), v5(there, 2, "-")) == [
        ("src", "10.0.0.5", "10.0.1.6", None, None),
        ("dst", "10.0.1.6", "10.0.0.5", None, None),
        (None, "10.0.0.5", "10.0.1.6", None, None),
    ]


def test_a_nat_gateway_stands_in_the_middle_where_it_hands_on(tmp_path: Path) -> None:
    """The guide's example: 10.0.1.5 behind the gateway 10.0.0.220 speaks to 203.0.113.5."""
    told = sides(
        tmp_path,
        V5,
        v5("10.0.1.5 40000 203.0.113.5 443", 2, "ingress", instance="-", near="10.0.1.5 10.0.0.220"),
        v5("10.0.0.220 1031 203.0.113.5 443", 2, "egress", instance="-"),
        v5("203.0.113.5 443 10.0.0.220 1031", 18, "ingress", instance="-"),
        v5("203.0.113.5 443 10.0.1.5 40000", 18, "egress", instance="-", near="10.0.0.220 10.0.1.5"),
    )
    assert told == [
        ("middle", "10.0.1.5", "203.0.113.5", None, "10.0.0.220"),
        ("src", "10.0.0.220", "203.0.113.5", None, None),
        ("dst", "203.0.113.5", "10.0.0.220", None, None),
        ("middle", "203.0.113.5", "10.0.1.5", "10.0.0.220", None),
    ]


def test_a_transit_gateways_interface_stands_in_the_middle_without_a_direction_too(tmp_path: Path) -> None:
    told = sides(
        tmp_path,
        V3,
        v3("10.20.33.164 39812 10.40.2.236 80", 3, instance="-", near="10.40.1.175 10.40.2.236"),
        v3("10.40.2.236 80 10.20.33.164 39812", 19, instance="-", near="10.40.2.236 10.40.2.31"),
    )
    assert told == [
        ("middle", "10.20.33.164", "10.40.2.236", "10.40.1.175", None),
        ("middle", "10.40.2.236", "10.20.33.164", None, "10.40.2.31"),
    ]


def test_a_pod_on_an_instances_interface_is_the_end_itself(tmp_path: Path) -> None:
    told = sides(
        tmp_path,
        V5,
        v5("10.0.0.99 40000 10.0.1.6 443", 2, "egress", near="10.0.0.5 10.0.1.6"),
        v5("10.0.1.6 443 10.0.0.99 40000", 18, "ingress", near="10.0.1.6 10.0.0.5"),
    )
    assert told == [
        ("src", "10.0.0.99", "10.0.1.6", "10.0.0.5", None),
        ("dst", "10.0.1.6", "10.0.0.99", None, "10.0.0.5"),
    ]


def test_without_the_instance_nobody_can_tell_a_pod_from_a_gateway(tmp_path: Path) -> None:
    header = f"{V2} pkt-srcaddr pkt-dstaddr flow-direction"
    hidden = v2("10.0.1.5 40000 10.0.0.220 443") + " 10.0.1.5 203.0.113.5 ingress"
    plain = v2("10.0.1.5 40000 10.0.0.220 443") + " 10.0.1.5 10.0.0.220 ingress"
    assert [row["side"] for row in records_of(tmp_path, header, hidden, plain)] == [None, "dst"]


@pytest.mark.parametrize(
    ("kind", "near", "side"),
    [
        ("nat_gateway", "10.0.1.5 10.0.0.220", "middle"),
        ("nat_gateway", "10.0.1.5 203.0.113.5", "middle"),
        ("regional_nat_gateway", "10.0.1.5 203.0.113.5", "middle"),
        ("transit_gateway", "10.0.1.5 203.0.113.5", "middle"),
        ("network_load_balancer", "10.0.1.5 10.0.0.220", "middle"),
        ("network_load_balancer", "10.0.1.5 203.0.113.5", "dst"),
        ("vpc_endpoint", "10.0.1.5 203.0.113.5", "dst"),
        ("interface", "10.0.1.5 10.0.0.220", "dst"),
        ("-", "10.0.1.5 10.0.0.220", None),
    ],
)
def test_version_11_names_the_kind_of_interface(tmp_path: Path, kind: str, near: str, side: str | None) -> None:
    header = f"{V2} pkt-srcaddr pkt-dstaddr flow-direction interface-type"
    line = v2("10.0.1.5 40000 203.0.113.5 443").replace("10.0.1.5 203.0.113.5", near)
    (row,) = records_of(tmp_path, header, f"{line} 10.0.1.5 203.0.113.5 ingress {kind}")
    assert row["side"] == side


def test_a_regional_nat_gateway_is_known_by_its_resource(tmp_path: Path) -> None:
    line = v2("10.0.1.5 40000 203.0.113.5 443").replace(ENI, "-")
    (row,) = records_of(tmp_path, f"{V2} resource-id flow-direction", f"{line} nat-0123456789abcdef0 ingress")
    assert (row["observer"], row["side"]) == ("nat-0123456789abcdef0", "middle")


def test_a_service_of_aws_is_named(tmp_path: Path) -> None:
    """The guide's example of version 5: S3 through a gateway endpoint."""
    rows = records_of(
        tmp_path,
        V5,
        v5("52.95.128.179 80 10.0.0.71 34210", 19, "ingress", services="S3 -"),
        v5("10.0.0.71 34210 52.95.128.179 80", 3, "egress", services="- S3"),
    )
    assert [(row["src_name"], row["dst_name"]) for row in rows] == [("S3", None), (None, "S3")]


def test_an_ecs_service_names_the_end_that_reports(tmp_path: Path) -> None:
    header = f"{V2} flow-direction ecs-service-name"
    rows = records_of(tmp_path, header, f"{v2()} egress shop", f"{v2()} ingress orders", f"{v2()} - shop")
    assert [(row["src_name"], row["dst_name"]) for row in rows] == [("shop", None), (None, "orders"), (None, None)]


def test_the_reason_of_a_reject_that_is_no_rule_is_told(tmp_path: Path) -> None:
    rows = records_of(tmp_path, f"{V2} reject-reason", f"{v2(action='REJECT')} BPA", f"{v2(action='REJECT')} -")
    assert [row["rule"] for row in rows] == ["BPA", None]


def test_an_interface_of_an_unknown_account_has_none(tmp_path: Path) -> None:
    (row,) = records_of(tmp_path, V2, v2().replace("111122223333", "unknown"))
    assert (row["scope"], row["status"]) == (None, "ok")


def test_fields_are_read_by_name_in_any_order(tmp_path: Path) -> None:
    header = "dstport srcport protocol pkt-dstaddr pkt-srcaddr action end start"
    (row,) = records_of(tmp_path, header, f"443 40000 6 10.0.1.6 10.0.0.5 REJECT {T + 60} {T}")
    told = ("10.0.0.5", 40000, "10.0.1.6", 443, False, T, T + 60, None)
    assert (
        tuple(row[key] for key in ("src", "src_port", "dst", "dst_port", "accepted", "first", "last", "observer"))
        == told
    )


def test_one_of_the_two_times_does(tmp_path: Path) -> None:
    (row,) = records_of(tmp_path, V2.replace(" end", ""), v2().replace(f" {T + 60}", ""))
    assert (row["first"], row["last"], row["status"]) == (T, T, "ok")


def test_fields_of_versions_to_come_are_passed_over(tmp_path: Path) -> None:
    (row,) = records_of(tmp_path, f"{V2} quantum-state flow-mood", f"{v2()} 7 good")
    assert row["status"] == "ok"


def test_a_field_named_twice_is_read_once(tmp_path: Path) -> None:
    (row,) = records_of(tmp_path, f"{V2} srcaddr", f"{v2()} 192.0.2.1")
    assert row["src"] == "10.0.0.5"


@pytest.mark.parametrize(
    ("header", "lacking"),
    [
        (
            "flow-direction traffic-path srcaddr dstaddr srcport dstport encryption-status",
            ("protocol", "start or end", "action"),
        ),
        (
            "instance-id interface-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr",
            ("srcport", "dstport", "protocol", "start or end", "action"),
        ),
        (V2.replace("srcaddr dstaddr ", ""), ("srcaddr or pkt-srcaddr", "dstaddr or pkt-dstaddr")),
        (V2.replace("srcaddr dstaddr ", "pkt-srcaddr pkt-dstaddr "), ()),
        (V2.replace(" end", "").replace("interface-id ", "").replace("version ", ""), ()),
        (V2.replace("-", "_"), ()),
    ],
)
def test_what_a_format_lacks_is_named(header: str, lacking: tuple[str, ...]) -> None:
    assert AWS_VPC.lacks(tuple(header.split())) == lacking


def test_what_a_format_has_not_is_named_as_absent(tmp_path: Path) -> None:
    group = group_of(write_log(tmp_path / "a.log", V2, v2()))
    absent = AWS_VPC.records("t", group.shape).absent
    assert absent == {
        "network", "side", "near_src", "near_dst", "opener", "proof", "opened", "answers", "rule", "src_name",
        "dst_name", "packets_back", "bytes_back",
    }  # fmt: skip


PARQUET = {
    "version": "5::INTEGER", "account_id": "'111122223333'", "interface_id": f"'{ENI}'", "srcaddr": "'10.0.0.220'",
    "dstaddr": "'10.0.1.5'", "srcport": "443::INTEGER", "dstport": "40000::INTEGER", "protocol": "6::INTEGER",
    "packets": "10::BIGINT", "bytes": "840::BIGINT", "start": f"{T}::BIGINT", '"end"': f"{T + 60}::BIGINT",
    "action": "'ACCEPT'", "log_status": "'OK'", "vpc_id": "'vpc-1'", "instance_id": "'-'", "tcp_flags": "18::INTEGER",
    "pkt_srcaddr": "'203.0.113.5'", "pkt_dstaddr": "'10.0.1.5'", "flow_direction": "'egress'",
}  # fmt: skip


def test_parquet_tells_the_same_as_text(tmp_path: Path) -> None:
    group = group_of(write_parquet(tmp_path / "a.log.parquet", **PARQUET))
    header = " ".join(name.strip('"').replace("_", "-") for name in PARQUET)
    line = " ".join(value.partition("::")[0].strip("'") for value in PARQUET.values())
    assert rows_of(group) == records_of(tmp_path / "text", header, line)
    assert rows_of(group)[0]["side"] == "middle"


def test_a_column_of_another_type_is_read_as_the_text_it_shows(tmp_path: Path) -> None:
    """Lakes that are filled by other writers keep numbers as text and accounts as numbers."""
    told = {**PARQUET, "account_id": "111122223333::BIGINT", "srcport": "'443'", '"end"': f"'{T + 60}'"}
    (row,) = rows_of(group_of(write_parquet(tmp_path / "a.parquet", **told)))
    assert (row["status"], row["scope"], row["src_port"], row["last"]) == ("ok", "111122223333", 443, T + 60)


def test_nothing_in_parquet_is_null_or_a_dash(tmp_path: Path) -> None:
    empty = dict.fromkeys(("srcport", "dstport", "protocol", "tcp_flags"), "NULL::INTEGER")
    dashes = dict.fromkeys(("srcaddr", "dstaddr", "action", "pkt_srcaddr", "pkt_dstaddr", "flow_direction"), "'-'")
    told = {**PARQUET, **empty, **dashes, "packets": "NULL::BIGINT", "bytes": "NULL::BIGINT", "log_status": "'NODATA'"}
    (row,) = rows_of(group_of(write_parquet(tmp_path / "a.parquet", **told)))
    assert (row["status"], row["observer"], row["first"]) == ("idle", ENI, T)


@pytest.mark.parametrize(
    "folder",
    [
        "AWSLogs/aws-account-id=444455556666/aws-service=vpcflowlogs/aws-region=us-east-1/year=2026/month=01/day=01",
        "AWSLogs/444455556666/vpcflowlogs/us-east-1/2026/01/01",
        "AWSLogs/o-abcdefghij/444455556666/vpcflowlogs/us-east-1/2026/01/01/05",
    ],
)
def test_the_path_tells_the_account_where_the_records_do_not(tmp_path: Path, folder: str) -> None:
    header, line = V2.replace("account-id ", ""), v2().replace("111122223333 ", "")
    (row,) = rows_of(group_of(write_log(tmp_path / folder / "a.log", header, line)))
    assert (row["scope"], row["status"]) == ("444455556666", "ok")
    parquet = {name: value for name, value in PARQUET.items() if name != "account_id"}
    (row,) = rows_of(group_of(write_parquet(tmp_path / folder / "parquet" / "a.parquet", **parquet)))
    assert (row["scope"], row["status"]) == ("444455556666", "ok")


def test_the_records_tell_the_account_before_the_path(tmp_path: Path) -> None:
    path = tmp_path / "aws-account-id=444455556666" / "year=2026" / "a.log"
    (row,) = rows_of(group_of(write_log(path, V2, v2())))
    assert row["scope"] == "111122223333"


def test_the_records_are_written_for_other_engines_too(tmp_path: Path) -> None:
    """Trino and BigQuery take it: sqlglot finds nothing that it does not know, and no function of DuckDB's own."""
    import sqlglot

    records = AWS_VPC.records("log", tuple(V5.split())).sql
    trino = sqlglot.transpile(records, read="duckdb", write="trino")[0]
    assert "BITWISE_AND(flags, 18)" in trino
    assert "TRY_CAST" in trino
    assert "SAFE_CAST" in sqlglot.transpile(records, read="duckdb", write="bigquery")[0]
