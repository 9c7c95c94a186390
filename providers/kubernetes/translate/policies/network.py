"""NetworkPolicy v1: a policy is a list of what it admits, and isolates the pods that it selects.

Policies are a union without order, and only ever admit. Sources:
https://kubernetes.io/docs/concepts/services-networking/network-policies/ and
https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import ANYONE, Rule, RuleSet
from cloudseg.providers.kubernetes.translate.labels import (
    asks_controller,
    in_namespace,
    pod_labels,
    port_label,
    requirements,
    surely_required,
    words,
)
from cloudseg.providers.kubernetes.translate.objects import Object
from cloudseg.providers.kubernetes.translate.peers import Anyone, Pods, Range, peer_of, read_peer, unread_namespaces
from cloudseg.providers.kubernetes.translate.pipeline import POLICY_STAGE, pods_of
from cloudseg.providers.kubernetes.translate.traffic import read_ports
from cloudseg.providers.kubernetes.translate.wire import EgressRule, IngressRule, Metadata, PeerItem, PolicySpec
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.model import Direction, Labelled
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.peers import End
    from cloudseg.providers.kubernetes.translate.traffic import NamedPort

__all__ = ["READS", "add_policies"]

READS: Final = frozenset((("networking.k8s.io", "NetworkPolicy"),))

_DIRECTIONS: Final[dict[str, Direction]] = {"Ingress": "ingress", "Egress": "egress"}
_EVERY_POD: Final = Pods("all pods in any namespace", ())
_MOST_TYPES: Final = 2


def add_policies(objects: Iterable[Object], draft: Draft) -> None:
    """Add a rule set for each policy. One that cannot be read in full leaves the pods open that it could select."""
    asked: set[str] = set()
    for item in objects:
        if (item.group, item.kind) not in READS:
            continue
        read = _read(item, draft)
        if read is None:
            continue
        spec, rules, required, isolates, labels = read
        if unclear := asks_controller(required):
            detail = f"its podSelector asks for {words(unclear)}, which controllers set and no template shows"
            draft.ledger.gap(item, "unsupported", detail, "groups")
            draft.bound(item.place, tuple(each for each in required if each not in unclear))
            continue
        asked |= {name for each in _peers(spec) for name in unread_namespaces(each, draft)}
        identifier = draft.id(item.own)
        draft.rule_sets[identifier] = RuleSet(
            id=identifier,
            kind="NetworkPolicy",
            name=item.name,
            tags={**labels, "namespace": item.place},
            location=item.location,
            stage=POLICY_STAGE,
            rules=tuple(rule for rule in rules if rule.direction in isolates),
            applies=draft.chosen((in_namespace(item.place), *required)),
            network=pods_of(draft.cluster),
            isolates=isolates,
        )
        _note_idle(item, rules, isolates, draft)
    for name in sorted(asked):
        detail = "policies ask for labels of this namespace, and the namespace itself was not read"
        draft.ledger.gap(Object("", "Namespace", name, name, {}, None), "unread", detail, "groups")


class _Policy(NamedTuple):
    """A policy that was read: its fields, all its rules, whom it selects, where it isolates, its own labels."""

    spec: PolicySpec
    rules: tuple[Rule, ...]
    required: tuple[Labelled, ...]
    isolates: frozenset[Direction]
    labels: dict[str, str]


def _read(item: Object, draft: Draft) -> _Policy | None:
    """Return a policy; None, and a gap, where it cannot be read in full."""
    problem = item.flaw
    if not problem:
        try:
            spec = msgspec.convert(item.content.get("spec"), PolicySpec | None) or PolicySpec()
            metadata = msgspec.convert(item.content.get("metadata"), Metadata | None) or Metadata()
            rules, required = tuple(_rules(item, spec, draft)), requirements(spec.pod_selector, "pods")
            return _Policy(spec, rules, required, _isolated(spec), pod_labels(metadata.labels))
        except (msgspec.ValidationError, ParseError) as error:
            problem = str(error)
    draft.ledger.gap(item, "malformed", problem, "groups")
    _bound(item, draft)
    return None


def _bound(item: Object, draft: Draft) -> None:
    """Leave open what a policy that was not read could select."""
    if item.namespace is None:
        draft.bound(None)
    else:
        required = () if item.flaw else surely_required(item.part("spec").get("podSelector"), "pods")
        draft.bound(item.place, required)


def _isolated(spec: PolicySpec) -> frozenset[Direction]:
    """Return the directions in which a policy isolates.

    Without ``policyTypes`` it is ingress always, and egress where there are rules for it.

    Raises:
        ParseError: one of them is none.
    """
    types = spec.policy_types or []
    if unknown := [each for each in types if each not in _DIRECTIONS]:
        raise ParseError(f"policyTypes names {unknown[0]!r}, which is neither Ingress nor Egress")
    if len(types) > _MOST_TYPES:
        raise ParseError(f"policyTypes names {len(types)} types, and there are {_MOST_TYPES}")
    if types:
        return frozenset(_DIRECTIONS[each] for each in types)
    return frozenset(("ingress", "egress")) if spec.egress else frozenset(("ingress",))


def _peers(spec: PolicySpec) -> Iterator[PeerItem]:
    both: tuple[IngressRule | EgressRule | None, ...] = (*(spec.ingress or ()), *(spec.egress or ()))
    for rule in both:
        yield from () if rule is None else rule.peers or ()


def _note_idle(item: Object, rules: Sequence[Rule], isolates: frozenset[Direction], draft: Draft) -> None:
    """Note the rules that mean nothing, since ``policyTypes`` does not name their direction."""
    idle = {rule.direction for rule in rules} - isolates
    for direction in sorted(idle):
        text = f"its {direction} rules have no effect, since policyTypes does not name {direction.title()}"
        draft.ledger.notes.append(f"{item.where}{item.own}: {text}")


def _rules(item: Object, spec: PolicySpec, draft: Draft) -> Iterator[Rule]:
    """Yield the rules of a policy, both directions.

    Raises:
        ParseError: the API server would refuse one of them.
    """
    for number, inward in enumerate(spec.ingress or ()):
        yield from _of_rule(item, f"ingress[{number}]", "ingress", inward or IngressRule(), draft)
    for number, outward in enumerate(spec.egress or ()):
        yield from _of_rule(item, f"egress[{number}]", "egress", outward or EgressRule(), draft)


def _of_rule(
    item: Object, name: str, direction: Direction, rule: IngressRule | EgressRule, draft: Draft
) -> Iterator[Rule]:
    ports = read_ports(rule.ports)
    word = "from" if direction == "ingress" else "to"
    ends: list[tuple[str, End]] = [] if rule.peers else [(name, Anyone())]
    for number, peer in enumerate(rule.peers or ()):
        found = list(read_peer(peer, item.place, draft))
        names = (f"{name}.{word}[{number}]", f"{name}.{word}[{number}].unread-namespaces")
        ends += list(zip(names, found, strict=False))
    for own, end in ends:
        if ports.fixed:
            yield _rule(_Head(item, own, direction), ports.fixed, end, draft)
        for port in ports.named:
            yield from _by_name(_Head(item, own, direction), port, end, draft)


class _Head(NamedTuple):
    """What the rules that come from one item of a policy have in common."""

    item: Object
    name: str
    direction: Direction


def _by_name(head: _Head, port: NamedPort, end: End, draft: Draft) -> Iterator[Rule]:
    """Yield a rule for each number that a named port has: it is the receiving pod that gives it a meaning.

    Outside of the cluster nobody does, so that what a range of addresses admits by a name is known at most.
    """
    item = head.item
    here = item.place if head.direction == "ingress" else None
    numbers = draft.numbers(here, port_label(port.name, port.protocol))
    if not numbers:
        whose = f"no pod of namespace {item.place}" if here else "no pod"
        draft.ledger.notes.append(f"{item.where}{item.own}: {whose} has a port {port.name}/{port.protocol}")
    for number in numbers:
        traffic = Traffic.ports(port.protocol.lower(), number, number)
        own = head._replace(name=f"{head.name}.{port.name}/{port.protocol}={number}")
        if head.direction == "ingress":
            near = Pods(f"all pods in namespace {item.place}", (in_namespace(item.place),))
            yield _rule(own, traffic, end, draft, near=near.with_port(port, number))
        elif isinstance(end, Range):
            yield _rule(own, traffic, end, draft, exact=False)
        else:
            far = (end if isinstance(end, Pods) else _EVERY_POD).with_port(port, number)
            yield _rule(own, traffic, far, draft)


def _rule(
    head: _Head, traffic: Traffic, end: End, draft: Draft, *, near: Pods | None = None, exact: bool = True
) -> Rule:
    return Rule(
        id=head.name,
        direction=head.direction,
        verdict="accept",
        traffic=traffic,
        remote=(peer_of(end, draft),),
        local=ANYONE if near is None else (near.peer(draft),),
        exact=exact and (not isinstance(end, Pods) or end.exact),
        location=head.item.location,
    )
