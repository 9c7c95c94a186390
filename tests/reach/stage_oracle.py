"""One packet at a time through the lists of two ends, for all that it may be.

It shares no code with the engine: it follows every rule that may match, and may not, both ways.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import Addresses, Everyone, GroupRef, Interface, Unresolved, matches
from cloudseg.traffic import Traffic
from tests.reach.drawn_stages import NETWORK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.model import Direction, Estate, Peer, Rule, RuleSet, Stage, Verdict

__all__ = ["OUTSIDE", "PACKETS", "Asked", "packets", "passes_in"]

PACKETS = ("tcp/80", "tcp/81", "tcp/82", "udp/53", "udp/54")
OUTSIDE = ("203.0.113.9", "10.0.0.5", "10.9.9.9", "2001:db8::5", "2600::1")
_BEYOND = Interface(id="kubernetes:other:beyond", kind="network-interface", network=None, subnet=None)
_RANK: tuple[Verdict, ...] = ("deny", "next", "accept")
_ANYTHING: frozenset[Verdict] = frozenset(_RANK)
_ON: frozenset[Verdict] = frozenset(_RANK[1:2])
Perhaps = bool | None
"""None for what is not known."""


class Asked(NamedTuple):
    """Packets between two interfaces, and what may become of them under each pair of their addresses."""

    source: str
    target: str
    traffic: Traffic
    outcomes: tuple[frozenset[bool], ...]

    @property
    def bounds(self) -> tuple[bool, bool]:
        """Whether they surely pass, and whether they may."""
        return any(False not in each for each in self.outcomes), any(True in each for each in self.outcomes)


def packets(estate: Estate) -> Iterator[Asked]:
    """Every pair of interfaces with every packet."""
    for source, target, text in product(estate.interfaces.values(), estate.interfaces.values(), PACKETS):
        if source is not target:
            traffic = Traffic.parse(text)
            ways = product(addresses_of(source), addresses_of(target))
            outcomes = [
                {
                    out and into
                    for out in _End(source, target, one, other, "egress", traffic, estate).passes()
                    for into in _End(target, source, other, one, "ingress", traffic, estate).passes()
                }
                for one, other in ways
                if (":" in one) == (":" in other)
            ]
            yield Asked(source.id, target.id, traffic, tuple(map(frozenset, outcomes)))


def passes_in(interface: Interface, source: str, traffic: Traffic, estate: Estate) -> frozenset[bool] | None:
    """Whether a packet from outside passes; None where the interface has no address of its family."""
    own = next((each for each in addresses_of(interface) if (":" in each) == (":" in source)), None)
    return None if own is None else _End(interface, _BEYOND, own, source, "ingress", traffic, estate).passes()


def addresses_of(interface: Interface) -> list[str]:
    """The addresses of an interface, which has few."""
    return [each.partition("/")[0] for each in interface.addresses.cidrs()]


class _End(NamedTuple):
    """A packet at one of its ends."""

    own: Interface
    other: Interface
    at: str
    seen: str
    direction: Direction
    traffic: Traffic
    estate: Estate

    def passes(self) -> frozenset[bool]:
        """Whether it passes every stage."""
        states = _ON
        part = 0
        for stage in self.estate.pipelines[self.estate.networks[NETWORK].pipeline].stages(self.direction):
            if stage.pods_only and self.own.kind != "pod":
                continue
            if stage.part > part:
                part = stage.part
                states = frozenset("next" if state == "accept" else state for state in states)
            if "next" in states:
                states = states.difference(_ON) | self._at(stage)
        return frozenset(state != "deny" for state in states)

    def _at(self, stage: Stage) -> frozenset[Verdict]:
        every = [own for _, own in sorted(self.estate.rule_sets.items()) if own.stage == stage.name]
        every = [own for own in every if matches(own.applies, self.own)]
        judged = any(self.direction in own.isolates for own in every)
        if not self._is_unread(stage, judged=judged):
            return self._by_lists(stage, every) if judged else _ON
        if stage.miss != "deny":
            return _ANYTHING
        listed = self._by_lists(stage, every if judged else [])
        if stage.match == "any":
            return frozenset(_best((one, more)) for one in listed for more in _RANK)
        return listed | _ON

    def _is_unread(self, stage: Stage, *, judged: bool) -> bool:
        own = self.own
        if stage.at == "interface" and (own.attached_unread or any(g not in self.estate.groups for g in own.attached)):
            return True
        facet = "groups" if stage.at == "interface" else "boundary-rules"
        read = stage.at == "platform" or self.estate.coverage.was_read(facet, "kubernetes", "c", "global")
        return not judged and not read

    def _by_lists(self, stage: Stage, lists: Sequence[RuleSet]) -> frozenset[Verdict]:
        named = (rule for each in lists for rule in each.rules if rule.direction == self.direction)
        known = [(rule, self._matches(stage, rule)) for rule in named if self.traffic <= rule.traffic]
        rules = [(rule, sure) for rule, sure in known if sure is not False]
        if stage.match == "any":
            each: list[list[Verdict]] = [[rule.verdict] if sure else [rule.verdict, "deny"] for rule, sure in rules]
            return frozenset(_best((stage.miss, *verdicts)) for verdicts in product(*each))
        found: set[Verdict] = set()
        for rule, sure in sorted(rules, key=lambda own: (own[0].priority or 0, own[0].verdict != "deny")):
            found.add(rule.verdict)
            if sure:
                return frozenset(found)
        return frozenset((*found, stage.miss))

    def _matches(self, stage: Stage, rule: Rule) -> Perhaps:
        near = {self._is_near(peer) for peer in rule.local}
        far = {self._is_far(stage, rule, peer) for peer in rule.remote}
        if near == {False} or far == {False}:
            return False
        sure = True in near and True in far and rule.exact and rule.source_ports is None
        return True if sure else None

    def _is_near(self, peer: Peer) -> Perhaps:
        return self._belongs(peer, self.own) if isinstance(peer, GroupRef) else _named(peer, self.at)

    def _is_far(self, stage: Stage, rule: Rule, peer: Peer) -> Perhaps:
        if isinstance(peer, GroupRef):
            # Whoever belongs to a group that was not read carries it.
            known = peer.group in self.estate.groups or self.other.attached_unread or peer.group in self.other.attached
            return known and self.other is not _BEYOND and self._belongs(peer, self.other)
        named = _named(peer, self.seen)
        together = self.other.kind == "pod" and self.other.scope == self.own.scope
        if not together or stage.ranges == "everywhere" or any(isinstance(each, Everyone) for each in rule.remote):
            return named
        return False if stage.ranges == "outside" or named is False else None

    def _belongs(self, peer: GroupRef, interface: Interface) -> Perhaps:
        known = self.estate.groups.get(peer.group)
        if known is None:
            return True if peer.group in interface.attached else None
        return matches(known.selector, interface) or (None if interface.attached_unread else False)


def _best(verdicts: Iterable[Verdict]) -> Verdict:
    return max(verdicts, key=_RANK.index)


def _named(peer: Peer, address: str) -> Perhaps:
    match peer:
        case Everyone():
            return True
        case Addresses(addresses):
            return addresses.has(address)
        case Unresolved(within=within) if not within.has(address):
            return False
        case _:
            return None
