"""Antrea's policies as ordered rule sets of two stages: all tiers but the baseline, and the baseline.

Sources: https://antrea.io/docs/main/docs/antrea-network-policy/#antrea-native-policy-ordering-based-on-priorities and
https://antrea.io/docs/main/docs/antrea-network-policy/#notes-and-constraints
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import ANYONE, AnyOf, Everyone, Rule, RuleSet
from cloudseg.providers.kubernetes.translate.labels import pod_labels, port_label
from cloudseg.providers.kubernetes.translate.objects import Object
from cloudseg.providers.kubernetes.translate.peers import Pods
from cloudseg.providers.kubernetes.translate.pipeline import ANTREA_BASELINE_STAGE, ANTREA_STAGE, pods_of
from cloudseg.providers.kubernetes.translate.policies.antrea.ends import AntreaEnd, Scope
from cloudseg.providers.kubernetes.translate.policies.antrea.groups import Workloads
from cloudseg.providers.kubernetes.translate.policies.antrea.kinds import GROUP, POLICIES
from cloudseg.providers.kubernetes.translate.policies.antrea.ports import Matched, asked_of_requests, matched
from cloudseg.providers.kubernetes.translate.policies.antrea.tiers import BASELINE, DEFAULT, tiers_of
from cloudseg.providers.kubernetes.translate.policies.antrea.wire import AntreaSpec, AppliedTo
from cloudseg.providers.kubernetes.translate.policies.ordered import OrderedPolicy, add_ordered
from cloudseg.providers.kubernetes.translate.traffic import Ports
from cloudseg.providers.kubernetes.translate.wire import Metadata
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloudseg.model import Direction, Labelled, Peer, Verdict
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.policies.antrea.wire import AntreaRule
    from cloudseg.providers.kubernetes.translate.traffic import NamedPort

__all__ = ["add_policies"]

_ACTIONS: Final[dict[str, Verdict]] = {"Allow": "accept", "Drop": "deny", "Reject": "deny", "Pass": "next"}
_LEAST, _MOST = 1.0, 10000.0
_EVERY_POD: Final = Pods("all pods in any namespace", ())


def add_policies(objects: Sequence[Object], draft: Draft) -> None:
    """Add the rule sets of Antrea's policies. One that is not read in full leaves the pods open that it could select.

    Args:
        objects: the objects of the cluster.
        draft: the cluster.
    """
    asked = [item for item in objects if item.group == GROUP and item.kind in POLICIES]
    workloads, tiers = Workloads(objects, draft), tiers_of(objects, draft)
    stages: dict[str, list[OrderedPolicy]] = {ANTREA_STAGE: [], ANTREA_BASELINE_STAGE: []}
    for item in asked:
        policy = _read(item, workloads, tiers, draft)
        if policy is not None:
            stages[policy.frame.stage].append(policy)
    for policies in stages.values():
        add_ordered(policies, draft)
    for name in sorted(workloads.asked):
        detail = "policies ask for labels of this namespace, and the namespace itself was not read"
        draft.ledger.gap(Object("", "Namespace", name, name, {}, None), "unread", detail, "groups")


def _read(item: Object, workloads: Workloads, tiers: Mapping[str, int], draft: Draft) -> OrderedPolicy | None:
    """Return a policy; None, and a gap, where it cannot be read in full."""
    problem = item.flaw
    clustered = item.kind == "ClusterNetworkPolicy"
    identifier = draft.id(_own(item))
    scope = Scope(identifier, "" if clustered else item.place, workloads, draft)
    if not problem:
        try:
            spec = msgspec.convert(item.content.get("spec"), AntreaSpec)
            metadata = msgspec.convert(item.content.get("metadata"), Metadata | None) or Metadata()
            return _Policy(item, spec, scope).ordered(tiers, pod_labels(metadata.labels))
        except (msgspec.ValidationError, ParseError) as error:
            problem = str(error)
    draft.ledger.gap(item, "malformed", problem, "groups")
    draft.bound(None if clustered or item.namespace is None else item.place)
    return None


def _own(item: Object) -> str:
    kind = POLICIES[item.kind]
    return f"{kind}/{item.name}" if item.kind == "ClusterNetworkPolicy" else f"{item.place}/{kind}/{item.name}"


class _Head(NamedTuple):
    """What the rules that come from one rule of a policy have in common."""

    name: str
    direction: Direction
    verdict: Verdict
    description: str
    near: tuple[Pods, ...]


class _Policy(NamedTuple):
    """A policy while it is read."""

    item: Object
    spec: AntreaSpec
    scope: Scope

    def ordered(self, tiers: Mapping[str, int], labels: dict[str, str]) -> OrderedPolicy | None:
        """Return the policy in its place; None, and a gap, where nobody knows that.

        Raises:
            ParseError: Antrea would refuse it.
        """
        spec, draft, tier = self.spec, self.scope.draft, self.spec.tier or DEFAULT
        if not _LEAST <= spec.priority <= _MOST:
            raise ParseError(f"priority is {spec.priority:g}, and must be from {_LEAST:g} to {_MOST:g}")
        each = (*(spec.ingress or ()), *(spec.egress or ()))
        if bool(spec.applied_to) == any(rule.applied_to for rule in each) or (
            not spec.applied_to and not all(rule.applied_to for rule in each)
        ):
            raise ParseError("appliedTo stands in the policy, or in each of its rules, and not in both")
        whole = self._near(spec.applied_to or ())
        apart = [self._near(rule.applied_to or ()) for rule in each]
        chosen = tuple(dict.fromkeys((*whole, *(pods for near in apart for pods in near))))
        rules = tuple(self._rules(apart))
        if tier not in tiers:
            draft.ledger.gap(
                self.item, "unread", f"its tier {tier!r} was not read, so that its place is unknown", "groups"
            )
            for pods in chosen:
                draft.bound(None, pods.required)
            return None
        clustered = self.item.kind == "ClusterNetworkPolicy"
        frame = RuleSet(
            id=self.scope.policy,
            kind=POLICIES[self.item.kind],
            name=self.item.name,
            tags=labels if clustered else {**labels, "namespace": self.item.place},
            location=self.item.location,
            stage=ANTREA_BASELINE_STAGE if tier == BASELINE else ANTREA_STAGE,
            applies=AnyOf(tuple(draft.chosen(pods.required) for pods in chosen)),
            network=pods_of(draft.cluster),
        )
        return OrderedPolicy(self.item, (tiers[tier], spec.priority), frame, rules)

    def _near(self, items: Sequence[AppliedTo]) -> tuple[Pods, ...]:
        """Return the pods that something applies to; those of which that is not certain are left open."""
        found: list[Pods] = []
        draft, place = self.scope.draft, self.scope.namespace or None
        for item in items:
            members = self.scope.applied(item)
            if self.scope.namespace and item.group is not None and members.ranges:
                members = members._replace(unknown="it applies to a Group of addresses, which is not realizable")
            if members.unknown:
                draft.ledger.gap(self.item, "unsupported", f"appliedTo: {members.unknown}", "groups")
                draft.bound(place)
            for pods in members.pods:
                if pods.exact:
                    found.append(pods)
                else:
                    detail = f"appliedTo: whether it chooses {pods.text} is not certain"
                    draft.ledger.gap(self.item, "unsupported", detail, "groups")
                    draft.bound(place, pods.required)
        return tuple(found)

    def _rules(self, apart: Sequence[tuple[Pods, ...]]) -> Iterator[Rule]:
        inward = len(self.spec.ingress or ())
        for number, rule in enumerate(self.spec.ingress or ()):
            if rule.targets or rule.to_services:
                raise ParseError(f"ingress[{number}] names targets")
            yield from self._of_rule(f"ingress[{number}]", "ingress", rule, apart[number])
        for number, rule in enumerate(self.spec.egress or ()):
            if rule.sources or (rule.to_services and (rule.targets or rule.ports)):
                raise ParseError(f"egress[{number}] names sources, or services beside other targets or ports")
            yield from self._of_rule(f"egress[{number}]", "egress", rule, apart[inward + number])

    def _of_rule(self, name: str, direction: Direction, rule: AntreaRule, near: tuple[Pods, ...]) -> Iterator[Rule]:
        verdict = _ACTIONS.get(rule.action)
        if verdict is None:
            raise ParseError(f"the action of {name} is {rule.action!r}, which is none of {', '.join(_ACTIONS)}")
        if verdict == "next" and self.spec.tier == BASELINE:
            raise ParseError(f"{name} passes on, in the tier that comes last")
        if rule.applied_to and not near:
            return
        asked = asked_of_requests(rule.l7)
        if asked and verdict != "accept":
            raise ParseError(f"{name} asks for requests, which only Allow does")
        head = _Head(name, direction, verdict, ": ".join(filter(None, (rule.name, asked))), near)
        parts = matched(rule)
        for end in self._ends(name, direction, rule):
            if end.unknown:
                detail = f"{end.name}: {end.unknown}: what it matches is known at most"
                self.scope.draft.ledger.gap(self.item, "unsupported", detail, "groups")
            for number, part in enumerate(parts):
                own = head._replace(name=f"{end.name}.part[{number}]" if number else end.name)
                yield from self._requests(own, end, part) if asked else self._part(own, end, part)

    def _ends(self, name: str, direction: Direction, rule: AntreaRule) -> Iterator[AntreaEnd]:
        word, peers = ("from", rule.sources) if direction == "ingress" else ("to", rule.targets)
        for number, peer in enumerate(peers or ()):
            yield from self.scope.ends(peer, f"{name}.{word}[{number}]", egress=direction == "egress")
        for number, service in enumerate(rule.to_services or ()):
            yield from self.scope.service(service, f"{name}.toServices[{number}]")
        if not peers and not rule.to_services:
            yield AntreaEnd(name, Everyone())

    def _requests(self, head: _Head, end: AntreaEnd, part: Matched) -> Iterator[Rule]:
        """Yield the rules of one that asks for requests: what is none of them is dropped, and nothing else looks at it.

        Source: https://antrea.io/docs/main/docs/antrea-l7-network-policy/
        """
        carrying = part.ports.fixed & Traffic.protocol("tcp")
        yield from self._part(head, end, part._replace(ports=Ports(carrying, part.ports.named)))
        if rest := part.ports.fixed - carrying:
            other = head._replace(name=f"{head.name}.no-request", verdict="deny")
            yield from self._part(other, end, part._replace(ports=Ports(rest)))

    def _part(self, head: _Head, end: AntreaEnd, part: Matched) -> Iterator[Rule]:
        if part.ports.fixed:
            yield self._rule(head, end, part, part.ports.fixed, ())
        for port in part.ports.named:
            yield from self._by_name(head, end, part, port)

    def _by_name(self, head: _Head, end: AntreaEnd, part: Matched, port: NamedPort) -> Iterator[Rule]:
        """Yield a rule for each number that a named port has at the pods that receive."""
        draft = self.scope.draft
        for number in draft.numbers(None, port_label(port.name, port.protocol)):
            traffic = Traffic.ports(port.protocol.lower(), number, number)
            own = head._replace(name=f"{head.name}.{port.name}/{port.protocol}={number}")
            bears = _EVERY_POD.with_port(port, number).required
            if head.direction == "ingress":
                yield self._rule(own, end, part, traffic, bears)
            elif end.pods is not None or isinstance(end.remote, Everyone):
                far = (end.pods or _EVERY_POD).with_port(port, number)
                yield self._rule(own, end._replace(remote=far.peer(draft)), part, traffic, ())
            else:
                # Outside of the cluster nobody says what the name means.
                yield self._rule(own, end._replace(exact=False), part, traffic, ())

    def _rule(self, head: _Head, end: AntreaEnd, part: Matched, traffic: Traffic, bears: tuple[Labelled, ...]) -> Rule:
        return Rule(
            id=head.name,
            direction=head.direction,
            verdict=head.verdict,
            traffic=traffic,
            remote=(end.remote,),
            local=self._local(head.near, (*end.near, *bears)),
            source_ports=part.sources,
            exact=end.exact and part.exact,
            description=head.description,
            location=self.item.location,
        )

    def _local(self, near: tuple[Pods, ...], more: tuple[Labelled, ...]) -> tuple[Peer, ...]:
        """Return what narrows the own end: to whom the rule alone applies, and what its other end asks of it."""
        if not near and not more:
            return ANYONE
        chosen = near or (_EVERY_POD,)
        wanted = ", ".join(f"{each.key}={'|'.join(sorted(each.values))}" for each in more)
        return tuple(
            Pods(f"{pods.text}{f' and {wanted}' if more else ''}", (*pods.required, *more)).peer(self.scope.draft)
            for pods in chosen
        )
