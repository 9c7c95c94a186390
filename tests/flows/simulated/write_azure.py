"""The flow logs of Azure for a drawn case: VNet flow logs (version 4), NSG flow logs (version 2), or both.

https://learn.microsoft.com/azure/network-watcher/vnet-flow-logs-overview
https://learn.microsoft.com/azure/network-watcher/nsg-flow-logs-overview
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.flows.simulated.seen import Case, Seen
    from tests.flows.simulated.traffic import Talk
    from tests.flows.simulated.world import Card

__all__ = ["azure_logs"]


class _State(NamedTuple):
    """A connection at one adapter in one minute."""

    time: float
    state: str
    asked: tuple[int, int]
    answered: tuple[int, int]


def azure_logs(case: Case) -> dict[str, str]:
    """Write a file for each adapter and kind of log: name and text."""
    files: dict[str, str] = {}
    by_card: defaultdict[str, dict[tuple[Talk, str], list[Seen]]] = defaultdict(dict)
    cards: dict[str, Card] = {}
    for seen in case.seen:
        cards[seen.leg.card.id] = seen.leg.card
        by_card[seen.leg.card.id].setdefault((seen.talk, seen.leg.place), []).append(seen)
    for name, connections in sorted(by_card.items()):
        card = cards[name]
        if card.network.shape in ("vnet", "both"):
            files[f"vnet/macAddress={name}/PT1H.json"] = _blob(card, connections, vnet=True)
        if card.network.shape in ("nsg", "both"):
            files[f"nsg/macAddress={name}/PT1H.json"] = _blob(card, connections, vnet=False)
    return files


def _states(held: Iterable[Seen]) -> list[_State]:
    """The tuples of one connection: begin, every minute what came since, and the end."""
    minutes: defaultdict[int, list[Seen]] = defaultdict(list)
    for seen in held:
        minutes[seen.minute].append(seen)
    found: list[_State] = []
    for minute, parts in sorted(minutes.items()):
        first = parts[0]
        time = min(each.first for each in parts)
        if not all(each.accepted for each in parts):
            found.append(_State(time, "D", (0, 0), (0, 0)))
            continue
        if first.talk.fresh and time == int(first.talk.begin):
            found.append(_State(time, "B", (0, 0), (0, 0)))
        asked = _sum(each for each in parts if each.asks)
        answered = _sum(each for each in parts if not each.asks)
        ended = minute == max(minutes) and first.talk.until < max(each.last for each in parts) + 5
        last = max(each.last for each in parts)
        found.append(_State(last, "E" if ended else "C", asked, answered))
    return found


def _sum(held: Iterable[Seen]) -> tuple[int, int]:
    every = list(held)
    return sum(each.packets for each in every), sum(each.size for each in every)


def _blob(card: Card, connections: Mapping[tuple[Talk, str], list[Seen]], *, vnet: bool) -> str:
    rules: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
    for (talk, place), held in connections.items():
        for state in _states(held):
            rule = "DefaultRule_DenyAllInBound" if state.state == "D" else "UserRule_allow"
            rules[rule].append((state.time, _tuple(talk, place, state, vnet=vnet)))
    return json.dumps({"records": [_record(card, rules, vnet=vnet)]})


def _tuple(talk: Talk, place: str, state: _State, *, vnet: bool) -> str:
    relation = talk.relation
    ends = f"{relation.client.address},{relation.server.address},{talk.client_port},{relation.port}"
    way = "O" if place == "client" else "I"
    counts = f"{state.asked[0]},{state.asked[1]},{state.answered[0]},{state.answered[1]}"
    if vnet:
        return f"{int(state.time * 1000)},{ends},{relation.protocol},{way},{state.state},NX,{counts}"
    decision = "D" if state.state == "D" else "A"
    shown = "B" if state.state == "D" else state.state
    counts = ",,," if shown == "B" else counts
    letter = "T" if relation.protocol == 6 else "U"
    return f"{int(state.time)},{ends},{letter},{way},{decision},{shown},{counts}"


def _record(card: Card, rules: Mapping[str, list[tuple[float, str]]], *, vnet: bool) -> dict[str, object]:
    time = min(time for held in rules.values() for time, _ in held)
    groups = {rule: [text for _, text in sorted(held)] for rule, held in sorted(rules.items())}
    written = datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%S.1234567Z")
    acl = "00000000-1234-abcd-ef00-c1c2c3c4c5c6"
    base = card.network.id.partition("/providers/")[0]
    if vnet:
        flows = [{"aclID": acl, "flowGroups": [{"rule": rule, "flowTuples": held} for rule, held in groups.items()]}]
        return {
            "time": written,
            "flowLogVersion": 4,
            "flowLogGUID": acl,
            "macAddress": card.id,
            "category": "FlowLogFlowEvent",
            "flowLogResourceID": f"{base}/PROVIDERS/MICROSOFT.NETWORK/NETWORKWATCHERS/W/FLOWLOGS/F".upper(),
            "targetResourceID": card.network.id,
            "operationName": "FlowLogFlowEvent",
            "flowRecords": {"flows": flows},
        }
    nsg = [{"rule": rule, "flows": [{"mac": card.id, "flowTuples": held}]} for rule, held in groups.items()]
    return {
        "time": written,
        "systemId": acl,
        "macAddress": card.id,
        "category": "NetworkSecurityGroupFlowEvent",
        "resourceId": f"{base}/PROVIDERS/MICROSOFT.NETWORK/NETWORKSECURITYGROUPS/NSG".upper(),
        "operationName": "NetworkSecurityGroupFlowEvents",
        "properties": {"Version": 2, "flows": nsg},
    }
