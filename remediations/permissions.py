"""Rules as lists of each provider hold them, and ports in a few ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import Addresses
from cloudseg.remediations.rule_pieces import peers_apart, ranges_apart, traffic_apart
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Peer, Rule, RuleSet

__all__ = ["expressed", "few_ports"]

_PORT_PROTOCOLS: Final = ("tcp", "udp", "sctp")


def expressed(rule_set: RuleSet, rule: Rule) -> tuple[Rule, ...]:
    """Return the rules of a list that together say what one rule does."""
    return tuple(
        msgspec.structs.replace(rule, traffic=traffic, remote=remote)
        for remote in _ends(rule_set, rule.remote)
        for traffic in traffic_apart(rule_set, rule.traffic, rule.traffic)
    )


def few_ports(needed: Traffic, within: Traffic, limit: int) -> Traffic:
    """Return traffic with a few ranges of ports at most: those next to each other are joined inside of what is open.

    Args:
        needed: what has to pass.
        within: what passes today; the answer holds no more.
        limit: how many ranges a protocol may have.
    """
    found = needed
    for protocol in _PORT_PROTOCOLS:
        ranges = list(needed.ports_of(protocol).intervals)
        while len(ranges) > limit:
            gaps = [(ranges[place + 1][0] - ranges[place][1], place) for place in range(len(ranges) - 1)]
            place = min(gaps)[1]
            ranges[place : place + 2] = [(ranges[place][0], ranges[place + 1][1])]
        for first, last in ranges:
            found |= Traffic.ports(protocol, first, last) & within
    return found


def _ends(rule_set: RuleSet, remote: tuple[Peer, ...]) -> Iterator[tuple[Peer, ...]]:
    if rule_set.provider == "kubernetes":
        yield remote
        return
    for peer in remote:
        if isinstance(peer, Addresses):
            yield from ((Addresses(each),) for each in ranges_apart(rule_set, peer.addresses))
    yield from peers_apart(rule_set, [peer for peer in remote if not isinstance(peer, Addresses)])
