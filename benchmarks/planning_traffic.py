"""A million conversations of a generated account, most of which its rules carry, as `cloudseg flows` writes them.

Each rule that lets somebody of its network in, or the outside where its members have public addresses, is used or not,
as is drawn from a seed; a conversation in twenty is between anybody, and mostly no rule carries it.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final, NamedTuple

import duckdb
import numpy as np

from cloudseg.flows.columns import CONVERSATIONS
from cloudseg.flows.conversations import write_conversations
from cloudseg.flows.coverage import Coverage, Observer
from cloudseg.model import Addresses, GroupRef
from cloudseg.traffic import ALL_IPV4, ALL_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from cloudseg.model import Estate, Interface, Rule, RuleSet

__all__ = ["write_traffic"]

BEGIN: Final = 1_767_225_600
DAYS: Final = 30
"""The window: January 2026, at the end of which the account was read."""
_USED: Final = 0.6
"""Share of the rules that somebody uses."""
_CLIENTS: Final = 4_000
"""So many addresses of the outside use one rule."""
_ASKED: Final = {
    (protocol, port): Traffic.parse(f"{name}/{port}")
    for protocol, name in ((6, "tcp"), (17, "udp"))
    for port in (22, 53, 80, 123, 443, 3306, 5432, 6379, 8080, 8443, 9092, 9100, 9200, *range(20_000, 20_020))
}
"""Protocols and ports that are asked for."""

_ROWS: Final = """
WITH drawn AS (SELECT DISTINCT client, server, protocol, port FROM held WHERE client <> server),
numbered AS (
    SELECT *, hash(client, server, protocol, port) AS h FROM drawn
    ORDER BY h, client, server, protocol, port LIMIT {rows}
)
SELECT
    'aws' AS provider,
    COALESCE(c.address, '198.51.' || (-client // 250 % 250) || '.' || (-client % 250 + 1)) AS initiator,
    CASE WHEN client < 0 THEN s.public ELSE s.address END AS responder, protocol, port,
    CAST(NULL AS INTEGER) AS initiator_port, CASE WHEN h % 50 = 7 THEN 'refused' ELSE 'accepted' END AS verdict,
    c.interface AS initiator_interface, s.interface AS responder_interface,
    c.network AS initiator_network, s.network AS responder_network,
    c.scope AS initiator_scope, s.scope AS responder_scope,
    CAST(NULL AS VARCHAR) AS initiator_name, CAST(NULL AS VARCHAR) AS responder_name,
    CASE WHEN client < 0 THEN [s.interface] ELSE [c.interface, s.interface] END AS observers,
    CAST([] AS VARCHAR[]) AS middle, CAST([] AS VARCHAR[]) AS rules,
    CAST(1 + h % 40 AS BIGINT) AS connections, CAST(2 AS BIGINT) AS records, CAST(10 AS BIGINT) AS packets,
    CAST(1000 AS BIGINT) AS bytes, CAST(10 AS BIGINT) AS packets_back, CAST(1000 AS BIGINT) AS bytes_back,
    make_timestamp(1000000 * CAST({begin} + h % 86400 AS BIGINT)) AS first_seen,
    make_timestamp(1000000 * CAST({end} - h % 86400 AS BIGINT)) AS last_seen,
    'handshake' AS evidence, 'high' AS confidence
FROM numbered LEFT JOIN interfaces c ON c.number = client JOIN interfaces s ON s.number = server
"""


class _Use(NamedTuple):
    """Who uses a rule: numbers of interfaces, negative ones for addresses outside; whom, and with what."""

    clients: Sequence[int]
    servers: Sequence[int]
    packets: Sequence[tuple[int, int]]


def write_traffic(estate: Estate, rows: int, path: Path) -> None:
    """Write at most so many conversations of a month, every interface logged all the time.

    Args:
        estate: the account.
        rows: how many conversations.
        path: the file.
    """
    names = sorted(name for name, interface in estate.interfaces.items() if interface.addresses)
    table = _drawn(_uses(estate, names), rows + rows // 4, len(names))
    with duckdb.connect(config={"threads": 1}) as database:
        database.register("held", dict(zip(("client", "server", "protocol", "port"), table, strict=True)))
        database.register("interfaces", _interfaces(estate, names))
        query = _ROWS.format(rows=rows, begin=BEGIN, end=BEGIN + DAYS * 86_400)
        columns = ", ".join(f'CAST("{column.name}" AS {column.type}) AS "{column.name}"' for column in CONVERSATIONS)
        write_conversations(database, f"SELECT {columns} FROM ({query}) ORDER BY ALL", _coverage(estate), path)


def _coverage(estate: Estate) -> Coverage:
    last = BEGIN + DAYS * 86_400
    observers = tuple(
        Observer("aws", each.own_id, _own_network(each, estate), each.scope, BEGIN, last, 1_000)
        for _, each in sorted(estate.interfaces.items())
    )
    return Coverage(first=BEGIN, last=last, records=1_000 * len(observers), observers=observers)


def _own_network(interface: Interface, estate: Estate) -> str:
    return estate.networks[interface.network or ""].own_id


def _interfaces(estate: Estate, names: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    every = [estate.interfaces[name] for name in names]
    texts = {
        "interface": [each.own_id for each in every],
        "address": [_first(each.addresses) for each in every],
        "public": [_first(each.public) if each.public else _first(each.addresses) for each in every],
        "network": [_own_network(each, estate) for each in every],
        "scope": [each.scope for each in every],
    }
    columns: dict[str, NDArray[np.generic]] = {"number": np.arange(len(every))}
    for name, values in texts.items():
        columns[name] = np.array(values, dtype=object)
    return columns


def _first(addresses: AddressSet) -> str:
    return addresses.cidrs()[0].partition("/")[0]


def _uses(estate: Estate, names: Sequence[str]) -> list[_Use]:
    """Return the rules of security groups that somebody uses, in the order of their lists."""
    number = {name: place for place, name in enumerate(names)}
    members: dict[str, list[str]] = {}
    for name in names:
        for group in estate.interfaces[name].attached:
            members.setdefault(group, []).append(name)
    open_groups = {
        rule_set.id
        for rule_set in estate.rule_sets.values()
        if any(rule.direction == "egress" and _to_anybody(rule) for rule in rule_set.rules)
    }
    senders = [name for name in names if estate.interfaces[name].attached & open_groups]
    drawn = random.Random(21)
    found: list[_Use] = []
    for _, rule_set in sorted(estate.rule_sets.items()):
        if rule_set.kind != "security-group" or rule_set.id not in members:
            continue
        for rule in rule_set.rules:
            if rule.direction != "ingress" or drawn.random() > _USED:
                continue
            servers = members[rule_set.id]
            inside = [number[name] for name in senders if _admits(rule, rule_set, estate.interfaces[name])]
            packets = _packets(rule.traffic)
            if inside and packets:
                found.append(_Use(inside, [number[name] for name in servers], packets))
            public = [number[name] for name in servers if estate.interfaces[name].public]
            if public and packets and rule.remote[0] == Addresses(ALL_IPV4):
                clients = [-drawn.randrange(1, 60_000) for _ in range(_CLIENTS)]
                found.append(_Use(clients, public, packets))
    return found


def _to_anybody(rule: Rule) -> bool:
    peer = rule.remote[0]
    return rule.traffic == ALL_TRAFFIC and peer == Addresses(ALL_IPV4)


def _admits(rule: Rule, rule_set: RuleSet, sender: Interface) -> bool:
    """Tell whether a rule names somebody of the network of its list."""
    peer = rule.remote[0]
    if sender.network != rule_set.network:
        return False
    if isinstance(peer, GroupRef):
        return peer.group in sender.attached
    return isinstance(peer, Addresses) and sender.addresses <= peer.addresses


def _packets(traffic: Traffic) -> list[tuple[int, int]]:
    """Return protocols and ports that a rule is used with."""
    return [packet for packet, one in _ASKED.items() if one <= traffic]


def _drawn(uses: Sequence[_Use], rows: int, interfaces: int) -> list[NDArray[np.int64]]:
    """Return clients, servers, protocols and ports: as many different ones of each rule, if it has so many."""
    drawn = np.random.default_rng(22)
    sizes = [len(use.clients) * len(use.servers) * len(use.packets) for use in uses]
    share = _share(sizes, rows)
    parts: list[NDArray[np.int64]] = []
    for use, size in zip(uses, sizes, strict=True):
        chosen = drawn.permutation(np.arange(size, dtype=np.int64))[:share]
        packets = np.array(use.packets)[chosen % len(use.packets)]
        rest = chosen // len(use.packets)
        servers = np.array(use.servers)[rest % len(use.servers)]
        clients = np.array(use.clients)[rest // len(use.servers)]
        parts.append(np.stack([clients, servers, packets[:, 0], packets[:, 1]]))
    noise = rows // 20
    ends = drawn.integers(0, interfaces, (2, noise))
    ports = drawn.choice([22, 443, 8443, 9100], noise)
    parts.append(np.stack([ends[0], ends[1], np.full(noise, 6, dtype=np.int64), ports]))
    table = np.concatenate(parts, axis=1)
    return [table[0], table[1], table[2], table[3]]


def _share(sizes: Sequence[int], rows: int) -> int:
    """Return how many conversations a rule has at most so that all together have so many."""
    low, high = 1, max(sizes)
    while low < high:
        middle = (low + high) // 2
        if sum(min(size, middle) for size in sizes) < rows:
            low = middle + 1
        else:
            high = middle
    return low
