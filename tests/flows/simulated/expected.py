"""What conversations the logs of a drawn case have to give: worked out from what really happened, not from records."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from tests.flows.simulated.seen import Seen, handshake
from tests.flows.simulated.world import BEGIN, SPAN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.flows.simulated.seen import Case

__all__ = ["Expected", "Key", "apparent", "expected"]


class Key(NamedTuple):
    """A conversation as its records name it; ``port`` is None for protocols without ports."""

    client: str
    server: str
    protocol: int
    port: int | None


class Expected(NamedTuple):
    """A conversation that the file has to hold.

    Attributes:
        networks: where it happened (the network of the interfaces that saw it, the least of them): what keeps equal
            ranges apart.
        ends: pairs of interfaces at the client's and the server's end; several where the address moved.
        middle: interfaces in between.
        sure: a handshake was logged, or the log keeps connections.
        connections: how many handshakes the interface that saw most of them logged; None where that is not told.
        client_ports: the ports that clients took.
        verdicts: all of them, where the rules changed, or where several services show as one (addresses that a format
            does not tell).
        whole: every interface that saw it tells all that the newest formats tell.
    """

    key: Key
    networks: frozenset[str]
    ends: frozenset[tuple[str | None, str | None]]
    middle: frozenset[str]
    verdict: str
    sure: bool
    connections: int | None
    client_ports: frozenset[int]
    verdicts: frozenset[str]
    whole: bool


def apparent(seen: Seen) -> tuple[Key, str]:
    """Which conversation the record shows, and where its interface stands in that.

    A log without the packet's own addresses shows a gateway as the end.
    """
    leg, relation = seen.leg, seen.talk.relation
    network = leg.card.network
    port = None if relation.protocol == 1 else relation.port
    if network.provider != "aws" or network.packet_level:
        place = "client" if leg.place == "outer" else leg.place
        return Key(leg.client, leg.server, relation.protocol, port), place
    place = leg.place
    if place in ("middle", "outer"):
        place = "client" if leg.asking_egress else "server"
    return Key(leg.near_client, leg.near_server, relation.protocol, port), place


def expected(case: Case) -> list[Expected]:
    """Put together what was seen of each conversation."""
    grouped: defaultdict[tuple[Key, str], list[Seen]] = defaultdict(list)
    twins = {network.id for network in case.world.networks[3:]}
    for seen in case.seen:
        if _told(seen):
            network = seen.leg.card.network.id
            grouped[apparent(seen)[0], network if network in twins else ""].append(seen)
    inner = {(key, near) for key, near in _inner(case.seen)}
    found = [
        _one(key, held)
        for (key, _), held in grouped.items()
        if not all(each.leg.place == "outer" and (key._replace(client=""), key.client) in inner for each in held)
    ]
    return sorted(found, key=lambda each: (each.key[:3], each.key.port or 0, sorted(each.networks)))


def _inner(every: Iterable[Seen]) -> Iterable[tuple[Key, str]]:
    """The inner legs that a NAT gateway shows: the server's side, and the gateway's own address."""
    for seen in every:
        if seen.leg.place == "middle" and seen.leg.card.kind == "nat" and seen.leg.card.network.packet_level:
            yield apparent(seen)[0]._replace(client=""), seen.leg.card.primary


def _told(seen: Seen) -> bool:
    """Google's flow logs hold nothing that was denied on its way in; its firewall's log does."""
    network = seen.leg.card.network
    return network.provider != "gcp" or seen.accepted or network.firewall or seen.leg.place == "client"


def _let_through(seen: Seen) -> bool:
    """Whether the record says so: Google samples what leaves before its rules are asked."""
    network = seen.leg.card.network
    return seen.accepted or (network.provider == "gcp" and not network.firewall)


def _one(key: Key, held: list[Seen]) -> Expected:
    at: defaultdict[str, set[str]] = defaultdict(set)
    for each in held:
        at[apparent(each)[1]].add(each.leg.card.id)
    middle = at["middle"]
    ends = {(client, server) for client in at["client"] or {None} for server in at["server"] or {None}}
    ends -= {(None, None)}
    opened: defaultdict[str, int] = defaultdict(int)
    for each in held:
        place = apparent(each)[1]
        if place != "middle" or not ends:  # who stands in between counts where no end reports
            opened[each.leg.card.id + place] += _opens(each)
    return Expected(
        key,
        frozenset(each.leg.card.network.id for each in held),
        frozenset(ends),
        frozenset(middle),
        _verdict(held),
        any(_proves(each) for each in held),
        max(opened.values()) if held[0].leg.card.network.provider != "kubernetes" or key.protocol == 6 else None,
        frozenset(each.leg.client_port for each in held),
        _verdicts(held),
        all(each.leg.card.network.whole for each in held),
    )


def _verdict(held: list[Seen]) -> str:
    if not all(_let_through(each) for each in held if each.asks):
        return "refused"
    return "accepted" if all(_let_through(each) for each in held) else "reply-refused"


def _verdicts(held: list[Seen]) -> frozenset[str]:
    fates: defaultdict[tuple[str, bool], list[Seen]] = defaultdict(list)
    for each in held:
        late = each.talk.relation.fate == "changed" and each.talk.begin >= BEGIN + SPAN / 2
        fates[each.talk.relation.fate, late].append(each)
    return frozenset(_verdict(every) for every in fates.values())


def _proves(seen: Seen) -> bool:
    network = seen.leg.card.network
    if network.provider in ("azure", "kubernetes"):
        return True
    if network.provider == "gcp":
        return _in_firewall_log(seen)
    return network.flags and handshake(seen)


def _in_firewall_log(seen: Seen) -> bool:
    """Google logs a decision of its rules at the server's end, or where they refuse."""
    begins = seen.asks and seen.talk.fresh and seen.leg.card.network.firewall
    return begins and (seen.leg.place == "server" or not seen.accepted) and seen.first == int(seen.talk.begin)


def _opens(seen: Seen) -> int:
    provider = seen.leg.card.network.provider
    begins = seen.asks and seen.talk.fresh
    if provider == "azure":
        return int(begins and seen.first == int(seen.talk.begin))
    return int(_proves(seen) and begins and (provider == "gcp" or bool(seen.flags & 2)))
