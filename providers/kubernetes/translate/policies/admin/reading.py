"""Admin policies as ordered rule sets of their tiers.

Sources: https://network-policy-api.sigs.k8s.io/reference/spec/ and
https://github.com/kubernetes-sigs/network-policy-api/blob/main/apis/v1alpha2/clusternetworkpolicy_types.go
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import ANYONE, Labelled, Rule, RuleSet
from cloudseg.providers.kubernetes.translate.labels import (
    NAMESPACE,
    ON_NAMESPACE,
    asks_controller,
    pod_labels,
    port_label,
    requirements,
    surely_required,
    words,
)
from cloudseg.providers.kubernetes.translate.objects import Object, fields_of
from cloudseg.providers.kubernetes.translate.peers import Pods
from cloudseg.providers.kubernetes.translate.pipeline import ADMIN_STAGE, BASELINE_STAGE, pods_of
from cloudseg.providers.kubernetes.translate.policies.admin.ends import Reader
from cloudseg.providers.kubernetes.translate.policies.admin.kinds import ADMIN, BASELINE, CLUSTER, READS
from cloudseg.providers.kubernetes.translate.policies.admin.ports import admin_ports
from cloudseg.providers.kubernetes.translate.policies.admin.wire import AdminSpec
from cloudseg.providers.kubernetes.translate.policies.ordered import OrderedPolicy, add_ordered
from cloudseg.providers.kubernetes.translate.policies.ranges import shows_ipv6
from cloudseg.providers.kubernetes.translate.wire import Metadata
from cloudseg.traffic import ALL_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Direction, Verdict
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.policies.admin.ends import AdminEnd
    from cloudseg.providers.kubernetes.translate.policies.admin.wire import AdminRule, Subject
    from cloudseg.providers.kubernetes.translate.traffic import NamedPort

__all__ = ["add_policies"]

_Item = TypeVar("_Item")
_STAGES: Final = {"Admin": ADMIN_STAGE, "Baseline": BASELINE_STAGE}
_ACTIONS: Final[dict[str, dict[str, Verdict]]] = {
    ADMIN: {"Allow": "accept", "Deny": "deny", "Pass": "next"},
    BASELINE: {"Allow": "accept", "Deny": "deny"},
    CLUSTER: {"Accept": "accept", "Deny": "deny", "Pass": "next"},
}
_MOST: Final = {ADMIN: 100, BASELINE: 100, CLUSTER: 25}
"""Rules of a direction, ends and ports of a rule: the API server takes no more."""

_LONGEST_NAME: Final = 100
_LAST: Final = 1000
_SINGLETON: Final = "default"
_EVERY_POD: Final = Pods("all pods in any namespace", ())


def add_policies(objects: Sequence[Object], draft: Draft) -> None:
    """Add the rule sets of admin policies. One that cannot be read in full leaves the pods open that it could select.

    Args:
        objects: the objects of the cluster.
        draft: the cluster.
    """
    asked = [item for item in objects if (item.group, item.kind) in READS]
    reader = Reader(draft, six=shows_ipv6(objects, draft))
    tiers: dict[str, list[OrderedPolicy]] = {stage: [] for stage in _STAGES.values()}
    for item in asked:
        policy = _read(item, reader, draft)
        if policy is not None:
            tiers[policy.frame.stage].append(policy)
    for stage, policies in tiers.items():
        add_ordered(_baselines_apart(policies) if stage == BASELINE_STAGE else policies, draft)
    if reader.assumed:
        text = "that its pods have no IPv6 addresses is assumed, so that 0.0.0.0/0 in admin policies holds all of them"
        draft.ledger.notes.append(f"cluster {draft.cluster}: {text}")
    for name in sorted(reader.asked):
        detail = "policies ask for labels of this namespace, and the namespace itself was not read"
        draft.ledger.gap(Object("", "Namespace", name, name, {}, None), "unread", detail, "groups")


def _baselines_apart(policies: list[OrderedPolicy]) -> list[OrderedPolicy]:
    """Return the policies of the baseline tier as undefined in their order, where both APIs stand there.

    A BaselineAdminNetworkPolicy has no priority: nothing says how it stands to ClusterNetworkPolicies.
    """
    kinds = {policy.item.kind for policy in policies}
    return [policy._replace(place=(0,)) for policy in policies] if len(kinds) > 1 else policies


def _read(item: Object, reader: Reader, draft: Draft) -> OrderedPolicy | None:
    """Return a policy; None, and a gap, where it cannot be read in full, or its subject is not certain."""
    problem = item.flaw
    if not problem:
        try:
            spec = msgspec.convert(item.content.get("spec"), AdminSpec)
            metadata = msgspec.convert(item.content.get("metadata"), Metadata | None) or Metadata()
            return _policy(item, spec, pod_labels(metadata.labels), _Policy(item, reader, draft))
        except (msgspec.ValidationError, ParseError) as error:
            problem = str(error)
    draft.ledger.gap(item, "malformed", problem, "groups")
    draft.bound(None, () if item.flaw else _surely_chosen(item))
    return None


def _surely_chosen(item: Object) -> tuple[Labelled, ...]:
    """Return what the subject of a policy requires for sure, that cannot be read in full."""
    subject = fields_of(item.part("spec").get("subject"))
    pods = fields_of(subject.get("pods"))
    return (
        *surely_required(subject.get("namespaces"), "namespaces"),
        *surely_required(pods.get("namespaceSelector"), "namespaces"),
        *surely_required(pods.get("podSelector"), "pods"),
    )


def _policy(item: Object, spec: AdminSpec, labels: dict[str, str], reading: _Policy) -> OrderedPolicy | None:
    draft = reading.draft
    stage, place = _place(item, spec)
    rules = tuple(reading.rules(spec))
    required = _subject(spec.subject)
    if unclear := asks_controller(required):
        detail = f"its subject asks for {words(unclear)}, which controllers set and no template shows"
        draft.ledger.gap(item, "unsupported", detail, "groups")
        draft.bound(None, tuple(each for each in required if each not in unclear))
        return None
    if any(each.key.startswith(ON_NAMESPACE) and each.key != NAMESPACE for each in required):
        # Of a namespace that was not read nobody knows whether it bears the label.
        for name in draft.unlabelled:
            draft.bound(name, required)
        reading.reader.asked |= draft.unlabelled
    identifier = draft.id(f"{item.kind}/{item.name}")
    frame = RuleSet(
        id=identifier,
        kind=item.kind,
        name=item.name,
        tags=labels,
        location=item.location,
        stage=stage,
        applies=draft.chosen(required),
        network=pods_of(draft.cluster),
    )
    return OrderedPolicy(item, place, frame, rules)


def _place(item: Object, spec: AdminSpec) -> tuple[str, tuple[float, ...]]:
    """Return the stage of a policy and its place there.

    Raises:
        ParseError: the API server would refuse it.
    """
    if item.kind == BASELINE:
        if item.name != _SINGLETON:
            raise ParseError(f"its name is {item.name!r}: the one {BASELINE} of a cluster is named {_SINGLETON!r}")
        if spec.priority is not None:
            raise ParseError(f"a {BASELINE} has no priority")
    elif spec.priority is None or not 0 <= spec.priority <= _LAST:
        raise ParseError(f"priority is {spec.priority}, and must be a number from 0 to {_LAST}")
    if (spec.tier is None) == (item.kind == CLUSTER):
        raise ParseError("tier stands in every ClusterNetworkPolicy, and in no other kind")
    tier = spec.tier or ("Baseline" if item.kind == BASELINE else "Admin")
    if tier not in _STAGES:
        raise ParseError(f"tier is {tier!r}, which is neither Admin nor Baseline")
    return _STAGES[tier], (math.inf if spec.priority is None else spec.priority,)


def _subject(subject: Subject) -> tuple[Labelled, ...]:
    """Return what a subject requires of pods.

    Raises:
        ParseError: the API server would refuse it.
    """
    if (subject.namespaces is None) == (subject.pods is None):
        raise ParseError("subject sets one of namespaces and pods")
    if subject.pods is None:
        return requirements(subject.namespaces, "namespaces")
    near = requirements(subject.pods.namespace_selector, "namespaces")
    return (*near, *requirements(subject.pods.pod_selector, "pods"))


class _Head(NamedTuple):
    """What the rules that come from one rule of a policy have in common."""

    name: str
    direction: Direction
    verdict: Verdict
    description: str


class _Policy(NamedTuple):
    """A policy while its rules are read."""

    item: Object
    reader: Reader
    draft: Draft

    def rules(self, spec: AdminSpec) -> Iterator[Rule]:
        """Yield the rules of the model, in their order.

        Raises:
            ParseError: the API server would refuse one of them.
        """
        most = _MOST[self.item.kind]
        for number, rule in enumerate(_counted(spec.ingress, "ingress", most)):
            if rule.targets is not None or not rule.sources:
                raise ParseError(f"ingress[{number}] names who it is from, and nothing else")
            yield from self._of_rule(f"ingress[{number}]", "ingress", rule, _counted(rule.sources, "from", most))
        for number, rule in enumerate(_counted(spec.egress, "egress", most)):
            if rule.sources is not None or not rule.targets:
                raise ParseError(f"egress[{number}] names who it is to, and nothing else")
            yield from self._of_rule(f"egress[{number}]", "egress", rule, _counted(rule.targets, "to", most))

    def _of_rule(
        self, name: str, direction: Direction, rule: AdminRule, raw: Sequence[dict[str, object]]
    ) -> Iterator[Rule]:
        actions = _ACTIONS[self.item.kind]
        if rule.action not in actions:
            raise ParseError(f"the action of {name} is {rule.action!r}, which is none of {', '.join(actions)}")
        if len(rule.name or "") > _LONGEST_NAME:
            raise ParseError(f"the name of {name} is longer than {_LONGEST_NAME} characters")
        _counted(rule.ports, "ports", _MOST[self.item.kind])
        _counted(rule.protocols, "protocols", _MOST[self.item.kind])
        ports = admin_ports(rule)
        for end in self.reader.ends(raw, direction):
            head = _Head(f"{name}.{end.name}", direction, actions[rule.action], rule.name or "")
            if ports.named and direction == "egress" and end.pods is None and not end.unknown:
                raise ParseError(f"{head.name} stands beside a named port, which only pods have")
            if end.unknown:
                yield from self._closed(head, end, ports.fixed if not ports.named else ALL_TRAFFIC)
                continue
            if ports.fixed:
                yield self._rule(head, end, ports.fixed)
            for port in ports.named:
                yield from self._by_name(head, end, port)

    def _closed(self, head: _Head, end: AdminEnd, traffic: Traffic) -> Iterator[Rule]:
        """Yield what an end amounts to that cannot be evaluated: at least nothing accepted, everything denied."""
        detail = f"{head.name.removesuffix(end.name)}{end.unknown}: what it matches is known at most"
        self.draft.ledger.gap(self.item, "unsupported", detail, "groups")
        rule = Rule(
            id=head.name,
            direction=head.direction,
            verdict=head.verdict,
            traffic=traffic,
            remote=ANYONE,
            exact=False,
            description=f"{head.description}: its other end cannot be evaluated".removeprefix(": "),
            location=self.item.location,
        )
        if head.verdict == "next":
            yield rule
        if head.verdict == "accept":
            yield rule
        else:
            name = f"{head.name}.closed" if head.verdict == "next" else head.name
            yield msgspec.structs.replace(rule, id=name, verdict="deny", traffic=ALL_TRAFFIC)

    def _rule(self, head: _Head, end: AdminEnd, traffic: Traffic) -> Rule:
        return Rule(
            id=head.name,
            direction=head.direction,
            verdict=head.verdict,
            traffic=traffic,
            remote=end.remote,
            exact=end.exact,
            description=head.description,
            location=self.item.location,
        )

    def _by_name(self, head: _Head, end: AdminEnd, port: NamedPort) -> Iterator[Rule]:
        """Yield a rule for each number that a named port has at the pods that receive."""
        for number in self.draft.numbers(None, port_label(port.name, port.protocol)):
            traffic = Traffic.ports(port.protocol.lower(), number, number)
            own = head._replace(name=f"{head.name}.{port.name}/{port.protocol}={number}")
            if head.direction == "ingress":
                near = _EVERY_POD.with_port(port, number).peer(self.draft)
                yield msgspec.structs.replace(self._rule(own, end, traffic), local=(near,))
            elif end.pods is not None:
                far = end.pods.with_port(port, number)
                yield self._rule(own, end._replace(remote=(far.peer(self.draft),)), traffic)


def _counted(items: Sequence[_Item] | None, what: str, most: int) -> Sequence[_Item]:
    """Return a list that the API server takes.

    Raises:
        ParseError: it is too long.
    """
    if items is not None and len(items) > most:
        raise ParseError(f"{what} has {len(items)} items: there are {most} at most")
    return items or ()
