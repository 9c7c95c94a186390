"""What an intent allows of what rules admit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.group_cover import InterfaceIndex
from cloudseg.model import GroupRef
from cloudseg.observed.ends import End
from cloudseg.reach.near_ends import concerned, standing
from cloudseg.reach.packets import outside_addresses
from cloudseg.remediations.passing import Passing
from cloudseg.traffic import NO_ADDRESSES, NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloudseg.intent import IntentMatrix
    from cloudseg.model import Estate, Interface, Peer, Rule, RuleSet
    from cloudseg.traffic import Traffic

__all__ = ["Intended"]


class Intended:
    """What the intent allows of what rules admit; who only may belong to a segment counts as a member.

    Args:
        estate: the estate.
        matrix: the intended traffic.
    """

    def __init__(self, estate: Estate, matrix: IntentMatrix) -> None:
        self._estate = estate
        self._index = InterfaceIndex(estate)
        segments = matrix.segmentation
        self._members: Mapping[str, frozenset[str]] = {
            name: frozenset((*segments.members[name], *segments.uncertain.get(name, ()))) for name in segments.names
        }
        of: dict[str, list[str]] = {}
        for name, members in self._members.items():
            for interface in members:
                of.setdefault(interface, []).append(name)
        self._segments = {interface: tuple(names) for interface, names in of.items()}
        self._named: dict[tuple[Peer, ...], frozenset[str]] = {}

    def allowed(self, source: str, target: str, matrix: IntentMatrix) -> Traffic:
        """Return what one interface may open to another."""
        return matrix.for_segments(self._segments.get(source, ()), self._segments.get(target, ()))

    def through(self, rule_set: RuleSet, rule: Rule, matrix: IntentMatrix) -> Iterator[Passing]:
        """Yield what the intent allows of what a rule admits, by other end."""
        own = frozenset(each.id for each in self._judged(rule_set, rule))
        named = self._named_by(rule.remote)
        addresses = outside_addresses(rule.remote, self._estate)[1]
        found: dict[str, Traffic] = {}
        outside: dict[str, Passing] = {}
        for source, target, traffic in matrix.pairs():
            near, far = (target, source) if rule.direction == "ingress" else (source, target)
            asked = traffic & rule.traffic
            if not asked or own.isdisjoint(self._members.get(near, frozenset())):
                continue
            for name in self._members.get(far, frozenset()) & named:
                found[name] = found.get(name, NO_TRAFFIC) | asked
            held = matrix.segmentation.outside.get(far, NO_ADDRESSES) & addresses
            if held:
                valid = (each for each in matrix.allowances(source, target) if not each.expired(matrix.as_of))
                each = next(valid, None)
                end = End("outside", "", str(held), name=far)
                known = outside.get(far)
                outside[far] = Passing(
                    end,
                    asked if known is None else known.traffic | asked,
                    intended=True,
                    owner=each.owner if each else "",
                    expires=each.expires if each else "",
                )
        for name in sorted(found):
            end = End("interface", name, str(self._estate.interfaces[name].addresses))
            yield Passing(end, found[name], intended=True)
        yield from (outside[name] for name in sorted(outside))

    def _judged(self, rule_set: RuleSet, rule: Rule) -> Iterator[Interface]:
        for each in self._estate.governed(rule_set):
            if concerned(rule.local, each, standing(each, self._estate), self._estate) is not False:
                yield each

    def _named_by(self, remote: tuple[Peer, ...]) -> frozenset[str]:
        """Return the interfaces that an end of a rule names at most."""
        known = self._named.get(remote)
        if known is None:
            known = self._named[remote] = frozenset(self._look(remote))
        return known

    def _look(self, remote: tuple[Peer, ...]) -> Iterator[str]:
        for peer in remote:
            if isinstance(peer, GroupRef):
                yield from (each.id for each in self._estate.members(peer.group))
        addresses = outside_addresses(remote, self._estate)[1]
        for name in self._estate.networks if addresses else ():
            yield from (each.id for each in self._index.inside(name, addresses))
            surely, perhaps = self._index.without_address(name, addresses)
            yield from (each.id for each in (*surely, *perhaps))
