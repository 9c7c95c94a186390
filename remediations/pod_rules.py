"""Rules of network policies that name pods by their labels in place of their addresses.

Whether a range means pods depends on the network plugin. Only where it does for sure is naming them the same. Source:
https://kubernetes.io/docs/concepts/services-networking/network-policies/#behavior-of-to-and-from-selectors
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.checks.clusters import is_host
from cloudseg.checks.group_cover import GroupCover
from cloudseg.checks.internal_ranges import InternalRange
from cloudseg.checks.rule_lists import counted, shown, shown_labels, traffic_words
from cloudseg.findings import peer_text
from cloudseg.model import Addresses, Group, GroupRef, matches
from cloudseg.model.edits import AddRule, CreateGroup, RemoveRule
from cloudseg.reach.passage import pipeline_of
from cloudseg.remediations.address_parts import united
from cloudseg.remediations.covering import choose
from cloudseg.remediations.ends_apart import taken_apart
from cloudseg.remediations.interface import Advice, Change, Proposal
from cloudseg.remediations.parts_of_ends import NotApart, Standing
from cloudseg.remediations.pod_selectors import selectors_for
from cloudseg.remediations.rule_pieces import described, peers_apart, ranges_apart
from cloudseg.traffic import GLOBAL_UNICAST, NO_ADDRESSES, NO_TRAFFIC, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.findings import Finding
    from cloudseg.model import Interface, Peer, Rule, RuleSet
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.covering import Cover
    from cloudseg.remediations.interface import Answer, Choice
    from cloudseg.remediations.parts_of_ends import Apart
    from cloudseg.traffic import Traffic

__all__ = ["replace_in_clusters"]

_POLICY: Final = "NetworkPolicy"
_MOST: Final = 20
_WIDEST, _WIDEST_OF_IPV6 = 16, 48
_SHOWN: Final = 3


def replace_in_clusters(
    context: RemedyContext, finding: Finding, policy: RuleSet, rule: Rule, remedy: str
) -> Iterator[Answer]:
    """Yield the rules that name pods in place of a rule's ranges, or why there are none.

    Args:
        context: what all remedies share.
        finding: the finding that is answered.
        policy: the policy.
        rule: the rule.
        remedy: id of the remedy.
    """
    yield _Replacing(context, finding, policy, rule, remedy).answer()


class _Replacing:
    """Replaces the ranges of one rule of a policy."""

    def __init__(self, context: RemedyContext, finding: Finding, policy: RuleSet, rule: Rule, remedy: str) -> None:
        self._context, self._finding, self._policy, self._rule = context, finding, policy, rule
        self._remedy = remedy
        self._estate = context.estate
        self._considered: tuple[Choice, ...] = ()
        self._guessed = NO_ADDRESSES
        self._from = peer_text(rule.remote, context.estate)
        place = (policy.provider, policy.scope)
        own = [each for _, each in sorted(context.estate.interfaces.items()) if (each.provider, each.scope) == place]
        self._pods = [each for each in own if each.is_pod and not is_host(each)]

    def answer(self) -> Answer:
        if refused := self._refused():
            return self._advice(refused)
        standing = self._standing()
        if isinstance(standing, NotApart):
            return self._advice(standing.reason, standing.steps)
        apart = taken_apart(self._context, (standing,), self._pods)
        if isinstance(apart, NotApart):
            return self._advice(apart.reason, apart.steps)
        if apart.unused:
            return self._advice("nobody was seen, is meant or is able to use it, so that there is nobody to name")
        selectors = selectors_for(apart, self._policy, self._pods, self._estate)
        needed = frozenset(apart.needed)
        found = choose(tuple(each.candidate for each in selectors), needed, self._estate)
        self._considered = found.considered
        if found.uncovered:
            who = shown_labels([self._estate.interfaces[name] for name in found.uncovered], _SHOWN)
            return self._advice(
                f"no labels select {who} and nobody else", ("give its pods a label of their own, and plan again",)
            )
        by_id = {each.group.id: each.group for each in selectors}
        groups = [by_id[each.id] for each in found.chosen]
        rules = [*self._naming(found, groups, apart), *self._keeping(apart), *self._resting(apart)]
        if apart.written <= united(each.addresses for each in apart.kept):
            return self._advice("all of its addresses are needed by somebody who is no pod")
        if len(rules) > _MOST:
            return self._advice(f"{counted(len(rules), 'peer')} would have to stand in for this one")
        return self._proposal(groups, rules, apart)

    def _refused(self) -> str:
        """Return why naming pods is not the same as naming their addresses here; empty where it is."""
        if self._policy.kind != _POLICY:
            return f"policies of the kind {self._policy.kind} are not rewritten here"
        if not any(each.addresses for each in self._pods):
            return "the addresses of pods were not read: read the cluster itself, not its manifests"
        judged = self._context.judged(self._policy, self._rule)
        pipelines = [pipeline_of(each, self._estate) for each in judged]
        meanings = {
            stage.ranges
            for pipeline in pipelines
            if pipeline is not None
            for stage in pipeline.stages(self._rule.direction)
            if stage.name == self._policy.stage
        }
        if not judged:
            return "the policy selects no pod today, so that nobody can tell whom its range means"
        if "outside" in meanings:
            return (
                "the network plugin knows pods by their labels, so that the range admits none: naming pods would open"
            )
        if meanings != {"everywhere"}:
            return (
                "whether the range means pods depends on the network plugin, which is not known to let it: naming pods "
                "may open what is closed today"
            )
        return ""

    def _standing(self) -> Standing | NotApart:
        """Return who stands in the ranges of the rule."""
        written = NO_ADDRESSES
        for peer in self._rule.remote:
            if isinstance(peer, Addresses) and not peer.addresses & GLOBAL_UNICAST:
                written |= peer.addresses
        inside = tuple(each for each in self._pods if each.addresses.overlaps(written))
        if not inside:
            return NotApart("no pod that was read stands in the range")
        networks = sorted({each.network for each in self._pods if each.network is not None})
        places = self._places(networks)
        if not places:
            places = united(block for block in _blocks(written) if _is_narrow(block, inside))
            self._guessed = places & written
        if not places and not self._context.evidence(self._policy, self._rule).complete:
            return NotApart(
                "which range the addresses of pods come from was not read, so that nobody can tell what else the range "
                "admits",
                ("plan with an intent, or narrow the range to the one that the cluster gives its pods",),
            )
        named = (places or united(each.addresses for each in inside)) & written
        return Standing(
            self._policy,
            self._rule,
            InternalRange(
                written=written, named=named, broken=(), interfaces=inside, nameless=(), unplaced=(), idle=(),
                cover=GroupCover((), (), ()), networks=tuple(networks), certain=True,
                read=self._estate.read("interfaces", self._policy), unread=frozenset(),
            ),
        )  # fmt: skip

    def _places(self, networks: Iterable[str]) -> AddressSet:
        """Return the addresses that pods are given, as far as that was read."""
        found = NO_ADDRESSES
        for name in networks:
            network = self._estate.networks.get(name)
            if network is None:
                continue
            if network.kind == "cluster-network":
                found |= network.addresses
                found |= united(each.addresses for each in self._estate.subnets_in(name))
            else:
                held = sorted({each.subnet for each in self._pods if each.network == name and each.subnet is not None})
                known = (self._estate.subnets.get(each) for each in held)
                found |= united(each.addresses for each in known if each is not None)
        return found

    def _naming(self, found: Cover, groups: Sequence[Group], apart: Apart) -> Iterator[tuple[Rule, str]]:
        for each, group in zip(found.chosen, groups, strict=True):
            needed = NO_TRAFFIC
            for name in sorted(each.names):
                needed |= apart.needed[name]
            yield (
                self._like((GroupRef(group.id),), needed, self._rule.description),
                f"{group.label} are meant, wherever they stand",
            )

    def _keeping(self, apart: Apart) -> Iterator[tuple[Rule, str]]:
        for kept in apart.kept:
            marks = (f"owner {kept.owner}" if kept.owner else "", f"expires {kept.expires}" if kept.expires else "")
            text = described(self._policy, (f"kept of {self._from}", *marks, kept.why))
            for addresses in ranges_apart(self._policy, kept.addresses):
                yield self._like((Addresses(addresses),), kept.traffic, text), f"{addresses} stays: {kept.why}"

    def _resting(self, apart: Apart) -> Iterator[tuple[Rule, str]]:
        for peers in peers_apart(self._policy, apart.rest):
            said = f"{peer_text(peers, self._estate)} stays as it is: this is about the addresses of pods alone"
            yield self._like(peers, self._rule.traffic, self._rule.description), said

    def _like(self, remote: tuple[Peer, ...], traffic: Traffic, text: str) -> Rule:
        rule = msgspec.structs.replace(
            self._rule, id="", remote=remote, traffic=traffic, description=text, location=None
        )
        return self._context.named(self._policy, rule, self._rule)

    def _proposal(self, groups: Sequence[Group], rules: Sequence[tuple[Rule, str]], apart: Apart) -> Proposal:
        label = self._policy.label
        changes = [
            Change(
                edits=(CreateGroup(group),),
                phase="prepare",
                reason=f"the selector {group.label} is new: it changes nothing by itself",
                undo="nothing to take back: a selector stands in rules alone",
            )
            for group in groups
            if group.id not in self._estate.groups
        ]
        changes += [
            Change(
                edits=(AddRule(self._policy.id, rule),),
                phase="add",
                reason=reason,
                evidence=apart.facts,
                undo=f"remove the peer from {label}",
            )
            for rule, reason in rules
        ]
        changes.append(
            Change(
                edits=(RemoveRule(self._policy.id, self._rule.id),),
                phase="remove",
                reason=f"{self._from} means whoever gets one of its addresses, and pods get other ones each time",
                evidence=apart.facts,
                undo=f"add the range to {label} again as it was",
            )
        )
        names = [group.label for group in groups]
        which = f"names {shown(names)} instead of {self._from}" if names else f"narrows {self._from}"
        total = NO_TRAFFIC
        for traffic in (*apart.needed.values(), *(each.traffic for each in apart.kept)):
            total |= traffic
        left = [each for each in apart.others if not any(matches(group.selector, each) for group in groups)]
        drops = (f"{counted(len(left), 'workload')} in the range ({shown_labels(left, _SHOWN)}) {apart.unneeded}",)
        return Proposal(
            remedy=self._remedy,
            findings=(self._finding.id,),
            resource=self._policy.id,
            summary=f"{label} {which} for {traffic_words(total)}",
            changes=tuple(changes),
            safety="needs review" if apart.narrowed or apart.kept or apart.risks or self._guessed else "safe",
            risks=apart.risks,
            considered=self._considered,
            drops=(*(drops if left else ()), *apart.dropped),
            assumptions=(
                *(f"whoever is selected by {name} later is admitted, too" for name in names),
                *((f"{self._guessed} are addresses of the cluster's pods alone",) if self._guessed else ()),
            ),
        )

    def _advice(self, reason: str, steps: Iterable[str] = ()) -> Advice:
        told = tuple(steps)
        own = () if self._finding.remedy is None else (self._finding.remedy.summary,)
        return Advice(
            remedy=self._remedy,
            finding=self._finding.id,
            resource=self._policy.id,
            reason=reason,
            steps=told or own,
            considered=self._considered,
        )


def _blocks(addresses: AddressSet) -> Iterator[AddressSet]:
    yield from map(AddressSet.parse, addresses.cidrs())


def _is_narrow(block: AddressSet, pods: Iterable[Interface]) -> bool:
    """Tell whether a block is narrow enough to be what a cluster gives its pods, some of which stand in it.

    Clusters give their pods a /16 or less: https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-init/,
    https://docs.tigera.io/calico/latest/reference/resources/ippool
    """
    text = block.cidrs()[0]
    least = _WIDEST_OF_IPV6 if ":" in text else _WIDEST
    return int(text.rpartition("/")[2]) >= least and any(pod.addresses.overlaps(block) for pod in pods)
