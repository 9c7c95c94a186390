"""Rules of the clouds that name groups in place of addresses: what is added, and then what is taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.internal_ranges import kinds_of
from cloudseg.checks.rule_lists import counted, shown, shown_labels, traffic_words
from cloudseg.findings import peer_text
from cloudseg.model import GroupRef
from cloudseg.model.edits import AddRule, RemoveRule
from cloudseg.remediations.address_parts import united
from cloudseg.remediations.covering import Carried, cover
from cloudseg.remediations.interface import Advice, Change, Choice, Proposal
from cloudseg.remediations.new_members import Fresh, Unable, fresh_group
from cloudseg.remediations.wanted_rules import WantedRules
from cloudseg.traffic import NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.checks.group_cover import Kinds
    from cloudseg.findings import Finding
    from cloudseg.model import Interface, Peer, Rule, RuleSet
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.covering import Cover
    from cloudseg.remediations.interface import Answer
    from cloudseg.remediations.parts_of_ends import Apart
    from cloudseg.remediations.wanted_rules import Wanted
    from cloudseg.traffic import Traffic

__all__ = ["GROUP_KINDS", "replace_in_clouds"]

GROUP_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "aws": frozenset(("security-group",)),
    "azure": frozenset(("application-security-group",)),
}
"""The kinds of groups that rules name; those of Google Cloud depend on the list."""
_MOST_RULES: Final = 20
"""So many rules may stand in for one."""
_SHOWN: Final = 3


def replace_in_clouds(
    context: RemedyContext, finding: Finding, lists: Sequence[RuleSet], rule: Rule, apart: Apart, remedy: str
) -> Iterator[Answer]:
    """Yield the rules that name groups in place of a rule's addresses, or why there are none.

    Args:
        context: what all remedies share.
        finding: the finding that is answered.
        lists: the list of the rule, at each of its places.
        rule: the rule.
        apart: its other end, taken apart.
        remedy: id of the remedy.
    """
    yield _Replacing(context, finding, lists, rule, apart, remedy).answer()


class _Replacing:
    """Replaces the addresses of one rule."""

    def __init__(
        self, context: RemedyContext, finding: Finding, lists: Sequence[RuleSet], rule: Rule, apart: Apart, remedy: str
    ) -> None:
        self._context, self._finding, self._rule, self._apart, self._remedy = context, finding, rule, apart, remedy
        self._lists = lists
        self._list = lists[0]
        self._estate = context.estate
        self._considered: tuple[Choice, ...] = ()
        self._from = peer_text(rule.remote, context.estate)
        self._bearer = self._list.bearer(rule)

    def answer(self) -> Answer:
        apart = self._apart
        if (unsure := self._unsure()) is not None:
            return self._advice(unsure)
        found = self._cover()
        self._considered = found.considered
        fresh = self._fresh(found.uncovered)
        if isinstance(fresh, Unable):
            return self._advice(fresh.reason, fresh.steps)
        local = self._near()
        if isinstance(local, Unable):
            return self._advice(local.reason, local.steps)
        new = WantedRules(self._context, self._lists, self._rule, apart)
        wanted = new.all(found, fresh, local)
        if apart.written <= united(each.addresses for each in apart.kept):
            return self._advice(
                "all of its addresses are needed by somebody whom no group can stand for",
                tuple(f"keep {each.addresses}: {each.why}" for each in apart.kept),
            )
        if len(wanted) > _MOST_RULES:
            return self._advice(
                f"{counted(len(wanted), 'rule')} would have to stand in for this one, which nobody can keep in mind",
                ("find out from flow logs, or write down as an intent, who needs the rule, and plan again",),
            )
        placed = new.placed(wanted)
        if placed is None:
            return self._advice(
                f"no priority beside {self._rule.priority} is free for {counted(len(wanted), 'rule')}",
                ("renumber the rules of the list, and plan again",),
            )
        return self._proposal(found, fresh, placed)

    def _unsure(self) -> str | None:
        """Return why nobody can tell whom a group would name: interfaces of which not all groups were read."""
        networks = {*self._apart.networks, *(each.network for each in self._lists)}
        networks |= {each.network for each in self._apart.judged}
        unread = self._context.once("interfaces of unread groups", self._unread)
        doubtful = [
            each
            for network in sorted(name for name in networks if name is not None)
            for each in unread.get(network, ())
            if each.id not in self._apart.admitted
        ]
        if not doubtful:
            return None
        who = shown_labels(doubtful, _SHOWN)
        return f"which groups {who} carries was not read in full, so that naming one may admit it"

    def _unread(self) -> dict[str, list[Interface]]:
        """Return the interfaces of which not all groups were read, by network."""
        found: dict[str, list[Interface]] = {}
        for _, each in sorted(self._estate.interfaces.items()):
            if each.attached_unread and each.network is not None and not each.is_pod:
                found.setdefault(each.network, []).append(each)
        return found

    def _kinds(self) -> Kinds:
        return kinds_of(self._list) or GROUP_KINDS.get(self._list.provider)

    def _cover(self) -> Cover:
        networks = None if self._list.provider == "aws" else [each.network for each in self._lists if each.network]
        carried = self._context.once("carried groups", lambda: Carried(self._estate))
        return cover(carried, frozenset(self._apart.needed), self._apart.admitted, self._kinds(), networks)

    def _fresh(self, uncovered: Iterable[str]) -> tuple[Fresh, ...] | Unable:
        """Return new groups for those whom no group names alone, one for each network."""
        by_network: dict[str, list[Interface]] = {}
        for name in uncovered:
            interface = self._estate.interfaces[name]
            by_network.setdefault(interface.network or "", []).append(interface)
        made: list[Fresh] = []
        for network in sorted(by_network):
            found = fresh_group(self._context, self._list, by_network[network])
            if isinstance(found, Unable):
                self._considered += (Choice(name="a new group", chosen=False, reason=found.reason),)
                return found
            made.append(found)
            who = shown_labels(list(found.members), _SHOWN)
            reason = f"no group that is there names {who} without adding others"
            self._considered = (Choice(name=found.group.label, chosen=True, reason=reason), *self._considered)
        return tuple(made)

    def _near(self) -> tuple[Peer, ...] | Unable:
        """Return the near end of the new rules: VPC firewall rules cannot name tags beside service accounts.

        Source: https://cloud.google.com/firewall/docs/service-accounts
        """
        local = self._rule.local
        groups = [self._estate.groups.get(peer.group) for peer in local if isinstance(peer, GroupRef)]
        tagged = any(group is None or group.kind == "network-tag" for group in groups)
        if self._list.kind != "vpc-firewall-rules" or not tagged:
            return local
        if len(groups) < len(local):
            return Unable("its targets are network tags beside addresses, which service accounts cannot stand for", ())
        judged = frozenset(each.id for each in self._apart.judged)
        carried = self._context.once("carried groups", lambda: Carried(self._estate))
        found = cover(carried, judged, judged, kinds_of(self._list), None)
        if found.uncovered or not found.chosen:
            left = [self._estate.interfaces[name] for name in found.uncovered]
            who = shown_labels(left, _SHOWN) if left else "instances that are to come"
            return Unable(
                "its targets are named by network tags, which a rule with service accounts cannot have, and no service "
                f"account names {who} and nobody else",
                ("give the targets a service account of their own, and name it as the target",),
            )
        return tuple(GroupRef(each.id) for each in found.chosen)

    def _proposal(self, found: Cover, fresh: Sequence[Fresh], wanted: Sequence[Wanted]) -> Proposal:
        apart, label = self._apart, self._bearer.label
        changes = [change for made in fresh for change in made.changes]
        changes += [
            Change(
                edits=tuple(AddRule(own.id, each.rule) for own in self._lists),
                phase="add",
                reason=each.reason,
                evidence=each.evidence,
                undo=f"remove the rule from {label}",
            )
            for each in wanted
        ]
        changes.append(
            Change(
                edits=tuple(RemoveRule(own.id, self._rule.id) for own in self._lists),
                phase="remove",
                reason=f"{self._from} names whoever gets one of its addresses, and the rules before say who is meant",
                evidence=apart.facts,
                undo=f"add the rule to {label} again as it was",
            )
        )
        names = [each.label for each in found.chosen] + [made.group.label for made in fresh]
        stays = f", and {united(each.addresses for each in apart.kept)} stays" if apart.kept else ""
        which = f"names {shown(names)} instead of {self._from}" if names else f"narrows {self._from}"
        summary = f"{label} {which} for {traffic_words(self._traffic())}{stays}"
        return Proposal(
            remedy=self._remedy,
            findings=(self._finding.id,),
            resource=self._bearer.id,
            summary=summary,
            changes=tuple(changes),
            safety="needs review" if self._needs_review(fresh) else "safe",
            risks=(*apart.risks, *self._risks()),
            considered=self._considered,
            drops=(*self._drops(found, fresh), *apart.dropped),
            assumptions=(*_memberships(names), *(made.assumption for made in fresh if made.assumption)),
        )

    def _drops(self, found: Cover, fresh: Sequence[Fresh]) -> Iterator[str]:
        """Yield who and what is no longer admitted, of those who were read."""
        named = {member.id for each in found.chosen for member in self._estate.members(each.id)}
        named |= {member.id for made in fresh for member in made.members}
        kept = united(each.addresses for each in self._apart.kept)
        left = [
            each
            for each in self._apart.others
            if each.id not in named and not each.addresses & self._apart.written <= kept
        ]
        if left:
            verb = "" if not self._apart.narrowed else "is " if len(left) == 1 else "are "
            who = f"{counted(len(left), 'interface')} in the range ({shown_labels(left, _SHOWN)})"
            yield f"{who} {verb}{self._apart.unneeded}"
        unneeded = self._rule.traffic - self._traffic()
        if unneeded:
            yield f"{unneeded}: {self._apart.unneeded.removesuffix(' to use it').replace(' to use it', '')}"

    def _traffic(self) -> Traffic:
        """Return all traffic that is needed of the rule."""
        total = NO_TRAFFIC
        for name in self._apart.needed:
            total |= self._apart.needed[name]
        for kept in self._apart.kept:
            total |= kept.traffic
        return total

    def _needs_review(self, fresh: Sequence[Fresh]) -> bool:
        return bool(self._apart.narrowed or fresh or self._apart.kept or self._apart.risks)

    def _risks(self) -> Iterator[str]:
        for kept in self._apart.kept:
            asked = (("an owner", kept.owner), ("an expiry", kept.expires))
            missing = " and ".join(word for word, told in asked if not told)
            if kept.outside and missing:
                yield f"nobody answers for {kept.addresses} yet: give it {missing} in the intent"

    def _advice(self, reason: str, steps: Iterable[str] = ()) -> Advice:
        told = tuple(steps)
        own = () if self._finding.remedy is None else (self._finding.remedy.summary,)
        return Advice(
            remedy=self._remedy,
            finding=self._finding.id,
            resource=self._bearer.id,
            reason=reason,
            steps=told or own,
            considered=self._considered,
        )


def _memberships(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield f"whoever is given {name} later is admitted, too, and whoever loses it is not"
