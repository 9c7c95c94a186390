"""The flow logs of AWS for a drawn case: text with a header, each network in its own format, and Parquet.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from tests.flows.simulated.world import BEGIN

if TYPE_CHECKING:
    from tests.flows.simulated.seen import Case, Seen
    from tests.flows.simulated.world import Card

__all__ = ["LogFile", "aws_logs"]

_MINUTE = 60


class LogFile:
    """Lines of one format: the header, and the rows in the order of time."""

    def __init__(self, fields: tuple[str, ...], *, parquet: bool) -> None:
        self.fields = fields
        self.parquet = parquet
        self.rows: list[tuple[int, str]] = []

    def add(self, record: dict[str, str]) -> None:
        row = " ".join(record.get(field, "-") for field in self.fields)
        self.rows.append((int(record["start"]), row))

    @property
    def lines(self) -> list[str]:
        return [row for _, row in sorted(self.rows)]


def aws_logs(case: Case) -> list[LogFile]:
    """Write what was seen, with a row for what was lost, and one where nothing was seen."""
    files = {
        network.id: LogFile(network.fields, parquet=network.shape == "parquet")
        for network in case.world.networks
        if network.shape != "none"
    }
    busy: defaultdict[str, set[int]] = defaultdict(set)
    cards: dict[str, Card] = {}
    for seen in case.seen:
        card = seen.leg.card
        files[card.network.id].add(_record(seen))
        busy[card.id].add(seen.minute)
        cards[card.id] = card
    for card, minute in case.skipped:
        files[card.network.id].add(_empty(card, minute, "SKIPDATA"))
    for name, minutes in sorted(busy.items()):
        idle = next((minute for minute in range(20) if minute not in minutes), None)
        if idle is not None:
            files[cards[name].network.id].add(_empty(cards[name], idle, "NODATA"))
    return [file for file in files.values() if file.rows]


def _about(card: Card) -> dict[str, str]:
    return {
        "version": _version(card.network.fields),
        "account-id": card.network.scope,
        "interface-id": card.id,
        "vpc-id": card.network.id,
        "subnet-id": f"subnet-0{card.network.id[-2:]}aaaaaaaaaaaaaa",
        "instance-id": card.instance,
        "region": "eu-west-1",
        "az-id": "euw1-az1",
        "interface-type": {"nat": "nat_gateway", "transit": "transit_gateway"}.get(card.kind, "-"),
    }


def _version(fields: tuple[str, ...]) -> str:
    """The highest version among the selected fields."""
    if "interface-type" in fields:
        return "11"
    return "5" if len(fields) > 14 else "2"


def _empty(card: Card, minute: int, status: str) -> dict[str, str]:
    start = BEGIN + minute * _MINUTE
    return {**_about(card), "start": f"{start}", "end": f"{start + 59}", "log-status": status}


def _record(seen: Seen) -> dict[str, str]:
    leg, relation = seen.leg, seen.talk.relation
    ports = (leg.client_port, relation.port) if relation.protocol != 1 else (0, 0)
    near, packet = (leg.near_client, leg.near_server), (leg.client, leg.server)
    if not seen.asks:
        ports, near, packet = ports[::-1], near[::-1], packet[::-1]
    return {
        **_about(leg.card),
        "srcaddr": near[0],
        "dstaddr": near[1],
        "pkt-srcaddr": packet[0],
        "pkt-dstaddr": packet[1],
        "srcport": f"{ports[0]}",
        "dstport": f"{ports[1]}",
        "protocol": f"{relation.protocol}",
        "packets": f"{seen.packets}",
        "bytes": f"{seen.size}",
        "start": f"{seen.first}",
        "end": f"{max(seen.last, seen.first)}",
        "action": "ACCEPT" if seen.accepted else "REJECT",
        "log-status": "OK",
        "tcp-flags": f"{seen.flags}",
        "type": "IPv4",
        "flow-direction": "egress" if seen.egress else "ingress",
        "traffic-path": "1" if seen.egress else "-",
    }
