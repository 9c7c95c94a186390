"""The rules that stand in for one with addresses: those that name groups, and those that keep what no group names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.checks.rule_lists import shown
from cloudseg.findings import peer_text
from cloudseg.model import Addresses, GroupRef, shown_id
from cloudseg.remediations.priorities import free_priorities
from cloudseg.remediations.rule_pieces import coarser, described, peers_apart, ranges_apart, traffic_apart
from cloudseg.traffic import NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Peer, Rule, RuleSet
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.covering import Cover
    from cloudseg.remediations.new_members import Fresh
    from cloudseg.remediations.parts_of_ends import Apart
    from cloudseg.traffic import Traffic

__all__ = ["Wanted", "WantedRules"]

_MOST_BLOCKS: Final = 12
"""Into so many blocks of addresses the outside is taken apart."""
_MOST_ACCOUNTS: Final = 10
"""So many service accounts a VPC firewall rule takes as sources. Source: https://cloud.google.com/firewall/docs/quotas"""


class Wanted(NamedTuple):
    """A rule that is to be added, before it has a priority and a name.

    Attributes:
        rule: the rule.
        reason: why, in one sentence.
        evidence: the facts that it rests on.
    """

    rule: Rule
    reason: str
    evidence: tuple[str, ...] = ()


class WantedRules:
    """Makes the rules that stand in for one.

    Args:
        context: what all remedies share.
        lists: the list of the rule, at each of its places.
        rule: the rule.
        apart: its other end, taken apart.
    """

    def __init__(self, context: RemedyContext, lists: Sequence[RuleSet], rule: Rule, apart: Apart) -> None:
        self._context, self._rule, self._apart, self._lists = context, rule, apart, lists
        self._list, self._estate = lists[0], context.estate
        self._from = peer_text(rule.remote, context.estate)

    def all(self, found: Cover, fresh: Sequence[Fresh], local: tuple[Peer, ...]) -> list[Wanted]:
        """Return all of them, before they have priorities and names.

        Args:
            found: the groups that were chosen.
            fresh: the new groups.
            local: the near end of rules that name groups.
        """
        return [*self._naming_groups(found, fresh, local), *self._staying(), *self._resting()]

    def _naming_groups(self, found: Cover, fresh: Sequence[Fresh], local: tuple[Peer, ...]) -> Iterator[Wanted]:
        """Yield the rules that name groups."""
        traffic: dict[Traffic, list[str]] = {}
        for group, members in self._groups(found, fresh):
            needed = NO_TRAFFIC
            for name in members:
                needed |= self._apart.needed[name]
            if not self._has(group, needed):
                traffic.setdefault(needed, []).append(group)
        for needed, groups in traffic.items():
            for together in self._together(groups):
                for piece in traffic_apart(self._list, needed, self._rule.traffic):
                    yield self._naming(together, piece, local)

    def _groups(self, found: Cover, fresh: Sequence[Fresh]) -> Iterator[tuple[str, tuple[str, ...]]]:
        for each in found.chosen:
            yield each.id, tuple(sorted(each.names))
        for made in fresh:
            yield made.group.id, tuple(member.id for member in made.members)

    def _together(self, groups: list[str]) -> Iterator[tuple[str, ...]]:
        """Yield groups that one rule names: Google Cloud takes several sources, the others one group a rule."""
        size = _MOST_ACCOUNTS if self._list.provider == "gcp" else 1
        for start in range(0, len(groups), size):
            yield tuple(groups[start : start + size])

    def _has(self, group: str, needed: Traffic) -> bool:
        """Tell whether a list that adds up has a rule for a group that admits all of some traffic already."""
        if self._rule.priority is not None:
            return False
        return all(
            any(
                GroupRef(group) in each.remote and each.direction == self._rule.direction and each.allows
                and needed <= each.traffic and each.local == self._rule.local and each.exact
                for each in own.rules
            )
            for own in self._lists
        )  # fmt: skip

    def _naming(self, groups: tuple[str, ...], traffic: Traffic, local: tuple[Peer, ...]) -> Wanted:
        remote = tuple(GroupRef(name) for name in groups)
        labels = shown([self._label(name) for name in groups])
        # Rules that several ones are replaced by have to say the same, so that nothing here tells what they replace.
        text = described(self._list, (self._rule.description or f"members of {labels}",))
        rule = self._like(remote, traffic, local, text)
        verb = "get in" if self._rule.direction == "ingress" else "are reached"
        reason = f"the members of {labels} {verb} by who they are, not by where they stand"
        return Wanted(rule, reason, self._apart.facts)

    def _label(self, group: str) -> str:
        known = self._estate.groups.get(group)
        return shown_id(group) if known is None else known.label

    def _staying(self) -> Iterator[Wanted]:
        """Yield the rules that keep addresses which no group names."""
        for kept in self._apart.kept:
            outside = kept.outside and kept.addresses <= self._apart.elsewhere
            held = coarser(kept.addresses, self._apart.elsewhere, _MOST_BLOCKS) if outside else kept.addresses
            marks = (f"owner {kept.owner}" if kept.owner else "", f"expires {kept.expires}" if kept.expires else "")
            # What is too long is cut off at the end.
            text = described(self._list, (f"kept of {self._from}", *marks, kept.why))
            for addresses in ranges_apart(self._list, held):
                for traffic in traffic_apart(self._list, kept.traffic, self._rule.traffic):
                    rule = self._like((Addresses(addresses),), traffic, self._rule.local, text)
                    yield Wanted(rule, f"{addresses} stays: {kept.why}", self._apart.facts)

    def _resting(self) -> Iterator[Wanted]:
        """Yield the rules that keep the other peers of the rule."""
        for peers in peers_apart(self._list, self._apart.rest):
            text = described(self._list, (self._rule.description,))
            rule = self._like(peers, self._rule.traffic, self._rule.local, text)
            words = peer_text(peers, self._estate)
            yield Wanted(rule, f"{words} stays as it is: this is about the internal addresses of the rule alone")

    def _like(self, remote: tuple[Peer, ...], traffic: Traffic, local: tuple[Peer, ...], text: str) -> Rule:
        return msgspec.structs.replace(
            self._rule, id="", remote=remote, traffic=traffic, local=local, description=text, location=None
        )

    def placed(self, wanted: Sequence[Wanted]) -> list[Wanted] | None:
        """Return the rules with priorities and names; None where no priority is free."""
        priorities = free_priorities(self._lists, self._rule, len(wanted))
        if priorities is None:
            return None
        placed: dict[str, Wanted] = {}
        for each, priority in zip(wanted, priorities, strict=True):
            rule = self._context.named(self._list, msgspec.structs.replace(each.rule, priority=priority), self._rule)
            placed.setdefault(rule.id, each._replace(rule=rule))
        known = {each.id for own in self._lists for each in own.rules}
        return [each for each in placed.values() if each.rule.id not in known]
