"""Writes the flow logs of the bundled estate from a table that people can read: ``python docs/demo_logs.py``.

Each line of a table is a conversation that happens again and again over five weeks. What the clouds would have logged
of it is written in their own formats, with the interfaces and addresses of the bundled snapshot.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from cloudseg.cli.sources import translate  # noqa: E402
from cloudseg.demo import demo_snapshot_path  # noqa: E402
from cloudseg.snapshot import load  # noqa: E402
from docs.demo_traffic import (  # noqa: E402
    AWS,
    AWS_DEV,
    AWS_NAT,
    AZURE,
    AZURE_NSG,
    GCP,
    GCP_FIREWALL,
    HUBBLE,
    NAMES,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudseg.model import Interface
    from docs.demo_traffic import Talk

TARGET = ROOT / "cloudseg" / "demo" / "flows"
NAMES_TARGET = ROOT / "cloudseg" / "demo" / "names"
SYN, SYN_FIN, SYN_ACK_FIN, NOTHING = 2, 3, 19, 0


class Estate:
    """Where the names of a table are, in the bundled snapshot."""

    def __init__(self) -> None:
        self._interfaces = translate(load(demo_snapshot_path())).interfaces.values()

    def find(self, name: str) -> Interface | None:
        """Return the interface of a name, ``name@address`` where several bear it; None for an address outside."""
        own, _, address = name.partition("@")
        found = [
            each for each in self._interfaces if each.name == own and (not address or str(each.addresses) == address)
        ]
        if len(found) > 1:
            raise SystemExit(f"{name} is the name of {len(found)} interfaces; add @address")
        return found[0] if found else None


def _address(interface: Interface) -> str:
    return str(interface.addresses).partition(",")[0]


AWS_FIELDS = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
    "log-status tcp-flags pkt-srcaddr pkt-dstaddr flow-direction"
)


def aws(estate: Estate, account: str, talks: tuple[Talk, ...], through: tuple[Talk, ...] = (), nat: str = "") -> str:
    """Return a log of an account: one record for each direction, interface and window."""
    rows: list[tuple[int, str]] = []

    def record(  # noqa: PLR0913 - the columns of a record
        reporter: Interface, ends: tuple[str, str], near: tuple[str, str], ports: tuple[int, int], talk: Talk, *,
        at: int, action: str, flags: int, direction: str,
    ) -> None:  # fmt: skip
        packets = 2 if flags == SYN else 12
        held = (talk.protocol, packets, packets * 90, at, at + 58, action, "OK", flags)
        rows.append((at, " ".join(map(str, (5, account, reporter.own_id, *near, *ports, *held, *ends, direction)))))

    for talk in talks:
        source, target = estate.find(talk.source), estate.find(talk.target)
        there = (_address(source) if source else talk.source, _address(target) if target else talk.target)
        back = there[1], there[0]
        refusing = {"refused": target, "kept in": source}.get(talk.verdict)
        flags, answer = (NOTHING, NOTHING) if talk.verdict == "open" else (SYN_FIN, SYN_ACK_FIN)
        for at, client in talk.moments():
            ports = (client, talk.port)
            for reporter, way, other in ((source, "egress", "ingress"), (target, "ingress", "egress")):
                # What is refused on its way out never arrives.
                if reporter is None or (reporter is target and talk.verdict == "kept in"):
                    continue
                action = "REJECT" if reporter is refusing else "ACCEPT"
                record(
                    reporter, there, there, ports, talk,
                    at=at, action=action, flags=flags if refusing is None else SYN, direction=way,
                )  # fmt: skip
                if refusing is None:
                    record(
                        reporter, back, back, (ports[1], ports[0]), talk,
                        at=at, action="ACCEPT", flags=answer, direction=other,
                    )  # fmt: skip
    for talk in through:
        source, gateway = estate.find(talk.source), estate.find(nat)
        if source is None or gateway is None:
            raise SystemExit(f"{talk.source} or {nat} is no interface")
        here, there, own = _address(source), talk.target, _address(gateway)
        for at, client in talk.moments():
            ports = (client, talk.port)
            legs = (
                (source, (here, there), (here, there), ports, SYN_FIN, "egress"),
                (gateway, (here, there), (here, own), ports, SYN_FIN, "ingress"),
                (gateway, (own, there), (own, there), ports, SYN_FIN, "egress"),
                (gateway, (there, own), (there, own), (ports[1], ports[0]), SYN_ACK_FIN, "ingress"),
                (gateway, (there, here), (own, here), (ports[1], ports[0]), SYN_ACK_FIN, "egress"),
                (source, (there, here), (there, here), (ports[1], ports[0]), SYN_ACK_FIN, "ingress"),
            )
            for reporter, ends, near, both, flags, direction in legs:
                record(reporter, ends, near, both, talk, at=at, action="ACCEPT", flags=flags, direction=direction)
    return "\n".join([AWS_FIELDS, *(text for _, text in sorted(rows))]) + "\n"


def _line(document: dict[str, object]) -> str:
    return json.dumps(document, separators=(",", ":"))


_SUBSCRIPTION = "b00c5a0e-1111-4222-8333-444455556666"


def _mac(name: str) -> str:
    return "0022" + hashlib.sha256(name.encode()).hexdigest()[:8].upper()


def azure_vnet(estate: Estate, talks: tuple[Talk, ...]) -> str:
    """Return a log of a virtual network, version 4: a record for each day and network adapter."""
    blocks: dict[tuple[int, str], dict[str, list[str]]] = {}
    for talk in talks:
        source, target = estate.find(talk.source), estate.find(talk.target)
        ends = (_address(source) if source else talk.source, _address(target) if target else talk.target)
        refused = talk.verdict == "refused"
        for at, client in talk.moments():
            tuple5 = f"{ends[0]},{ends[1]},{client},{talk.port},{talk.protocol}"
            for reporter, way in ((source, "O"), (target, "I")):
                if reporter is None:
                    continue
                block = blocks.setdefault((at // 86_400, reporter.name), {})
                if refused and reporter is target:
                    block.setdefault("deny", []).append(f"{at * 1000 + 7},{tuple5},{way},D,NX,0,0,0,0")
                    continue
                found = block.setdefault("allow", [])
                found.append(f"{at * 1000},{tuple5},{way},B,NX,0,0,0,0")
                if not refused:
                    found.append(f"{at * 1000 + 21_000},{tuple5},{way},E,NX,11,1630,9,4410")
    records: list[dict[str, object]] = []
    for (day, name), groups in sorted(blocks.items()):
        when = datetime.fromtimestamp(day * 86_400, UTC)
        flow_groups = [
            {"rule": "DefaultRule_DenyAllInBound" if word == "deny" else "UserRule_allow", "flowTuples": sorted(tuples)}
            for word, tuples in sorted(groups.items())
        ]
        records.append(
            {
                "time": f"{when:%Y-%m-%d}T23:59:00.0000000Z",
                "flowLogVersion": 4,
                "flowLogGUID": "5b7c2f10-0000-4000-8000-5f0e11d4a001",
                "macAddress": _mac(name),
                "category": "FlowLogFlowEvent",
                "flowLogResourceID": f"/SUBSCRIPTIONS/{_SUBSCRIPTION.upper()}/RESOURCEGROUPS/NETWORKWATCHERRG/"
                "PROVIDERS/MICROSOFT.NETWORK/NETWORKWATCHERS/NETWORKWATCHER_WESTEUROPE/FLOWLOGS/PORTAL",
                "targetResourceID": f"/subscriptions/{_SUBSCRIPTION}/resourceGroups/portal-prod/providers/"
                "Microsoft.Network/virtualNetworks/portal-vnet",
                "operationName": "FlowLogFlowEvent",
                "flowRecords": {
                    "flows": [{"aclID": "8f1c2a10-0000-4000-8000-0a7d11d4a002", "flowGroups": flow_groups}]
                },
            }
        )
    return _line({"records": records}) + "\n"


def azure_nsg(estate: Estate, talks: tuple[Talk, ...]) -> str:
    """Return a log of a network security group, version 2: a record for each day."""
    days: dict[int, list[str]] = {}
    reporter = ""
    for talk in talks:
        target = estate.find(talk.target)
        if target is None:
            raise SystemExit(f"{talk.target} is no interface")
        reporter = _mac(target.name)
        for at, client in talk.moments():
            tuple5 = f"{talk.source},{_address(target)},{client},{talk.port},T,I,A"
            days.setdefault(at // 86_400, []).extend((f"{at},{tuple5},B,,,,", f"{at + 40},{tuple5},E,14,2210,12,5120"))
    records = [
        {
            "time": f"{datetime.fromtimestamp(day * 86_400, UTC):%Y-%m-%d}T23:59:00.0000000Z",
            "systemId": "2c1a7b90-0000-4000-8000-77ab11d4a003",
            "macAddress": reporter,
            "category": "NetworkSecurityGroupFlowEvent",
            "resourceId": f"/SUBSCRIPTIONS/{_SUBSCRIPTION.upper()}/RESOURCEGROUPS/PORTAL-HUB/PROVIDERS/"
            "MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/MANAGEMENT-NSG",
            "operationName": "NetworkSecurityGroupFlowEvents",
            "properties": {
                "Version": 2,
                "flows": [{"rule": "UserRule_ssh", "flows": [{"mac": reporter, "flowTuples": sorted(tuples)}]}],
            },
        }
        for day, tuples in sorted(days.items())
    ]
    return _line({"records": records}) + "\n"


_PROJECT = "bookshop-recs"


def _stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _machine(interface: Interface | None, prefix: str) -> dict[str, object]:
    """Return what a record says of an end: the machine and its network, or where an address outside is."""
    if interface is None:
        return {f"{prefix}_location": {"continent": "Europe", "country": "nld"}}
    subnet = (interface.subnet or "").rpartition("/")[2]
    return {
        f"{prefix}_instance": {
            "project_id": _PROJECT, "vm_name": interface.name, "region": "europe-west1", "zone": "europe-west1-b",
        },
        f"{prefix}_vpc": {"project_id": _PROJECT, "vpc_name": "recs", "subnetwork_name": subnet},
    }  # fmt: skip


def gcp(estate: Estate, talks: tuple[Talk, ...], refused: tuple[Talk, ...]) -> str:
    """Return entries of a log sink: VPC flow logs, and firewall rules logging of what was denied."""
    entries: list[tuple[float, str]] = []
    logged = ("recs-web", "recs-data", "recs-gke")
    for talk in talks:
        ends = estate.find(talk.source), estate.find(talk.target)
        addresses = [_address(end) if end else name for end, name in zip(ends, (talk.source, talk.target), strict=True)]
        for at, client in talk.moments():
            # Either direction is an entry of its own, and each end reports both.
            for turned in (False, True):
                order = (1, 0) if turned else (0, 1)
                ports = (client, talk.port)
                connection = {
                    "src_ip": addresses[order[0]], "src_port": ports[order[0]],
                    "dest_ip": addresses[order[1]], "dest_port": ports[order[1]], "protocol": talk.protocol,
                }  # fmt: skip
                for reporter, at_end in (("SRC", order[0]), ("DEST", order[1])):
                    end = ends[at_end]
                    subnet = "" if end is None else (end.subnet or "").rpartition("/")[2]
                    if subnet not in logged:
                        continue
                    payload = {
                        "connection": connection,
                        "reporter": reporter,
                        "start_time": _stamp(at + 0.2 * turned), "end_time": _stamp(at + 4 + 0.2 * turned),
                        "bytes_sent": "5210" if turned else "1480", "packets_sent": "9" if turned else "11",
                        **_machine(ends[order[0]], "src"),
                        **_machine(ends[order[1]], "dest"),
                    }  # fmt: skip
                    entries.append((at + turned, _line(_entry("vpc_flows", subnet, at, payload))))
    for talk in refused:
        target = estate.find(talk.target)
        if target is None:
            raise SystemExit(f"{talk.target} is no interface")
        for at, client in talk.moments():
            payload = {
                "connection": {
                    "src_ip": talk.source, "src_port": client,
                    "dest_ip": _address(target), "dest_port": talk.port, "protocol": talk.protocol,
                },
                "disposition": "DENIED",
                "rule_details": {
                    "reference": "network:recs/firewall:deny-all", "direction": "INGRESS", "action": "DENY",
                    "priority": 65_000,
                },
                "instance": {
                    "project_id": _PROJECT, "vm_name": target.name, "region": "europe-west1", "zone": "europe-west1-b",
                },
                "vpc": {"project_id": _PROJECT, "vpc_name": "recs", "subnetwork_name": "recs-web"},
            }  # fmt: skip
            entries.append((at, _line(_entry("firewall", "recs-web", at, payload))))
    return "\n".join(text for _, text in sorted(entries)) + "\n"


def _entry(log: str, subnet: str, at: int, payload: Mapping[str, object]) -> dict[str, object]:
    return {
        "insertId": hashlib.sha256(json.dumps([log, at, payload]).encode()).hexdigest()[:12],
        "jsonPayload": payload,
        "logName": f"projects/{_PROJECT}/logs/compute.googleapis.com%2F{log}",
        "receiveTimestamp": _stamp(at + 9),
        "resource": {
            "labels": {"location": "europe-west1-b", "project_id": _PROJECT, "subnetwork_name": subnet},
            "type": "gce_subnetwork",
        },
        "timestamp": _stamp(at + 5),
    }


_PODS = {
    "storefront": "Deployment", "catalogue": "Deployment", "coredns": "Deployment", "prometheus": "Deployment",
    "dashboards": "Deployment", "catalogue-db": "StatefulSet",
}  # fmt: skip


def hubble(talks: tuple[Talk, ...]) -> str:
    """Return flows of a cluster as its exporter writes them: the first packet, and the first answer."""
    pods = _pods()
    lines: list[tuple[int, str]] = []
    for talk in talks:
        source, target = pods[talk.source], pods[talk.target]
        refused = talk.verdict == "refused"
        for at, client in talk.moments():
            there, back = ((client, talk.port), (source, target)), ((talk.port, client), (target, source))
            for reply, (ports, ends) in enumerate((there, back)):
                if reply and refused:
                    continue
                layer = {"source_port": ports[0], "destination_port": ports[1]}
                flags = {"SYN": True, "ACK": True} if reply else {"SYN": True}
                l4 = {"TCP": {**layer, "flags": flags}} if talk.protocol == 6 else {"UDP": layer}
                flow = {
                    "time": _stamp(at),
                    "verdict": "DROPPED" if refused else "FORWARDED",
                    **({"drop_reason_desc": "POLICY_DENIED"} if refused else {}),
                    "IP": {"source": ends[0]["address"], "destination": ends[1]["address"], "ipVersion": "IPv4"},
                    "l4": l4,
                    "source": _pod(ends[0]), "destination": _pod(ends[1]),
                    "Type": "L3_L4", "node_name": "bookshop-prod/ip-10-20-50-11.eu-west-1.compute.internal",
                    "is_reply": bool(reply), "traffic_direction": "INGRESS",
                }  # fmt: skip
                lines.append((at, _line({"flow": flow, "node_name": flow["node_name"], "time": flow["time"]})))
    return "\n".join(text for _, text in sorted(lines)) + "\n"


def _pods() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for path in sorted(demo_snapshot_path().glob("kubernetes/**/*pods*.json")):
        for pod in json.loads(path.read_text())["items"]:
            meta = pod["metadata"]
            found[f"{meta['namespace']}/{meta['name']}"] = {
                "namespace": meta["namespace"], "name": meta["name"], "address": pod["status"]["podIP"],
            }  # fmt: skip
    return found


def _pod(pod: dict[str, str]) -> dict[str, object]:
    owner = max((name for name in _PODS if pod["name"].startswith(name)), key=len)
    return {
        "identity": 20_000 + int(hashlib.sha256(owner.encode()).hexdigest()[:3], 16),
        "cluster_name": "bookshop-prod",
        "namespace": pod["namespace"],
        "labels": [f"k8s:io.kubernetes.pod.namespace={pod['namespace']}"],
        "pod_name": pod["name"],
        "workloads": [{"name": owner, "kind": _PODS[owner]}],
    }


def logs() -> dict[str, str]:
    """Return the text of each log by its path under the folder of the demo's logs."""
    estate = Estate()
    prod = "aws/AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026/11/20/111122223333_vpcflowlogs_eu-west-1"
    return {
        f"{prod}_fl-0be04a4c5502e7474.log.gz": aws(estate, "111122223333", AWS, AWS_NAT, "bookshop-prod-nat"),
        "aws/bookshop-dev.log.gz": aws(estate, "444455556666", AWS_DEV),
        "azure/insights-logs-flowlogflowevent/PT1H.json": azure_vnet(estate, AZURE),
        "azure/insights-logs-networksecuritygroupflowevent/PT1H.json": azure_nsg(estate, AZURE_NSG),
        "gcp/vpc_flows.jsonl.gz": gcp(estate, GCP, GCP_FIREWALL),
        "kubernetes/hubble.jsonl.gz": hubble(HUBBLE),
    }


def names() -> dict[str, str]:
    """Return the text of each log of names by its path under the folder of the demo's logs of names."""
    return {"resolver.jsonl": resolver(Estate(), NAMES)}


def resolver(estate: Estate, asked: tuple[tuple[Talk, str], ...]) -> str:
    """Return a query log of Route 53: a line for each time at which a machine asked before it spoke.

    Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html
    """
    rows: list[tuple[int, str]] = []
    for talk, name in asked:
        source = estate.find(talk.source)
        target = estate.find(talk.target)
        if source is None:
            raise SystemExit(f"{talk.source} is no machine of the bundled estate")
        told = talk.target if target is None else _address(target)
        for at, port in talk.moments():
            row: dict[str, object] = {
                "version": "1.100000",
                "account_id": source.scope,
                "region": source.region,
                "vpc_id": (source.network or "").rpartition(":")[2],
                "query_timestamp": datetime.fromtimestamp(at - 1, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "query_name": f"{name}.",
                "query_type": "A",
                "query_class": "IN",
                "rcode": "NOERROR",
                "answers": [{"Rdata": told, "Type": "A", "Class": "IN"}],
                "srcaddr": _address(source),
                "srcport": str(port),
                "transport": "UDP",
                "srcids": {"instance": (source.workload or "").rpartition(":")[2]},
            }
            rows.append((at, _line(row)))
    return "\n".join(text for _, text in sorted(rows)) + "\n"


def main() -> int:
    """Write the logs; with ``--check`` name those that are not what the tables say."""
    stale: list[str] = []
    written_here = {TARGET / name: text for name, text in logs().items()}
    written_here |= {NAMES_TARGET / name: text for name, text in names().items()}
    for path, text in written_here.items():
        name = str(path.relative_to(TARGET.parent))
        written = text.encode()
        if "--check" in sys.argv:
            held = path.read_bytes() if path.exists() else b""
            if (gzip.decompress(held) if held[:2] == b"\x1f\x8b" else held) != written:
                stale.append(name)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(written, mtime=0) if name.endswith(".gz") else written)
    for name in stale:
        print(f"stale: {name}; run python docs/demo_logs.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
