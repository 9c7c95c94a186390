"""Calico's NetworkPolicy and GlobalNetworkPolicy, in the tiers in which they decide.

A policy isolates the pods that it selects in the directions of its ``types``; without these, in those that it has
rules for, and in ingress where it has none. Sources:
https://docs.tigera.io/calico/latest/reference/resources/networkpolicy and
https://docs.tigera.io/calico/latest/reference/resources/globalnetworkpolicy

Not judged: what passes at host endpoints. Policies that are asked before connections are tracked, or before addresses
are rewritten, are for these; what their documentation says of pods is not what Calico does, so that of pods that one
selects nothing is certain.
"""

from __future__ import annotations

import math
from functools import reduce
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import Everything, RuleSet, matches
from cloudseg.providers.kubernetes.translate.labels import pod_labels
from cloudseg.providers.kubernetes.translate.pipeline import pods_of
from cloudseg.providers.kubernetes.translate.policies.calico.context import Context
from cloudseg.providers.kubernetes.translate.policies.calico.expressions import (
    ALL,
    NAMESPACE_KEY,
    And,
    Compare,
    of_endpoints,
    of_namespaces,
    of_service_accounts,
)
from cloudseg.providers.kubernetes.translate.policies.calico.kinds import GLOBAL, GROUPS, NETWORK
from cloudseg.providers.kubernetes.translate.policies.calico.naming import full_name, once
from cloudseg.providers.kubernetes.translate.policies.calico.parsing import parse
from cloudseg.providers.kubernetes.translate.policies.calico.rules import Head, rules_of
from cloudseg.providers.kubernetes.translate.policies.calico.selection import both, exactly, not_in
from cloudseg.providers.kubernetes.translate.policies.calico.tiers import (
    DEFAULT_TIER,
    Placed,
    add_tiers,
    admin_stage_of,
    read_tiers,
    stage_of,
)
from cloudseg.providers.kubernetes.translate.policies.calico.wire import PolicySpec
from cloudseg.providers.kubernetes.translate.wire import Metadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloudseg.model import Direction, Rule
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.calico.expressions import Expression
    from cloudseg.providers.kubernetes.translate.policies.calico.selection import Chosen
    from cloudseg.providers.kubernetes.translate.policies.calico.tiers import TierOf

__all__ = ["add_policies"]

_DIRECTIONS: Final[dict[str, Direction]] = {"Ingress": "ingress", "Egress": "egress"}


class _Policy(NamedTuple):
    """A policy that was read.

    Attributes:
        item: the object.
        spec: its fields.
        tier: its tier.
        labels: its labels.
        chosen: the pods that it selects.
        isolates: its directions.
        rules: its rules, in its order.
    """

    item: Object
    spec: PolicySpec
    tier: str
    labels: dict[str, str]
    chosen: Chosen
    isolates: frozenset[Direction]
    rules: tuple[Rule, ...]


def add_policies(objects: Sequence[Object], draft: Draft) -> None:
    """Add a rule set for each policy, and a stage for each tier that has any.

    To be called when the policies of Kubernetes itself are in the draft, since these stand in tiers as well. A policy
    that cannot be read in full leaves the pods open that it could select.
    """
    policies = [item for item in objects if item.group in GROUPS and item.kind in {NETWORK, GLOBAL}]
    context = Context(objects, draft)
    tiers = read_tiers(objects, draft)
    placed: list[Placed] = []
    for item in once(policies, objects, draft):
        policy = _read(item, context)
        if policy is not None and _counts(policy, tiers, context):
            placed.append(_placed(policy, context))
    if policies:
        add_tiers(placed, tiers, context)
    _note_hosts(objects, policies, context)


def _read(item: Object, context: Context) -> _Policy | None:
    """Return a policy; None, and a gap, where it cannot be read in full."""
    problem = item.flaw
    if not problem:
        try:
            spec = msgspec.convert(item.content.get("spec"), PolicySpec | None) or PolicySpec()
            metadata = msgspec.convert(item.content.get("metadata"), Metadata | None) or Metadata()
            chosen = context.labels.pods(_subject(item, spec))
            isolates = _isolated(spec)
            rules = tuple(rule for rule in _rules(item, spec, context) if rule.direction in isolates)
            labels = pod_labels(metadata.labels)
            return _Policy(item, spec, spec.tier or DEFAULT_TIER, labels, chosen, isolates, rules)
        except (msgspec.ValidationError, ParseError) as error:
            problem = str(error)
    context.draft.ledger.gap(item, "malformed", problem, "groups")
    _bound(item, context)
    return None


def _bound(item: Object, context: Context) -> None:
    """Leave open what a policy that was not read could select."""
    if item.kind == NETWORK and item.namespace is None:
        context.leave_open(Everything())
        return
    selector = item.part("spec").get("selector")
    try:
        own = parse(selector) if isinstance(selector, str) and not item.flaw else ALL
        context.leave_open(context.labels.pods(_in_place(item, of_endpoints(own))).may)
    except ParseError:
        context.leave_open(context.labels.pods(_in_place(item, ALL)).may)


def _in_place(item: Object, expression: Expression) -> Expression:
    if item.kind == GLOBAL:
        return expression
    return And(Compare(NAMESPACE_KEY, "in", frozenset((item.place,))), expression)


def _subject(item: Object, spec: PolicySpec) -> Expression:
    """Return the pods that a policy selects.

    Raises:
        ParseError: a selector is none, or stands in a policy that takes none of its kind.
    """
    if item.kind == NETWORK and (spec.namespace_selector or spec.do_not_track or spec.pre_dnat):
        raise ParseError("namespaceSelector, doNotTrack or preDNAT stands in a NetworkPolicy: only global ones take it")
    parts: list[Expression] = [of_endpoints(parse(spec.selector or ""))]
    if spec.namespace_selector:
        parts.append(of_namespaces(parse(spec.namespace_selector)))
    if spec.service_account_selector:
        parts.append(of_service_accounts(parse(spec.service_account_selector)))
    return _in_place(item, reduce(And, parts))


def _isolated(spec: PolicySpec) -> frozenset[Direction]:
    """Return the directions of a policy.

    Raises:
        ParseError: one of its types is none.
    """
    if unknown := [each for each in spec.types or () if each not in _DIRECTIONS]:
        raise ParseError(f"types names {unknown[0]!r}, which is neither Ingress nor Egress")
    if spec.types:
        return frozenset(_DIRECTIONS[each] for each in spec.types)
    if spec.egress:
        return frozenset(("ingress", "egress")) if spec.ingress else frozenset(("egress",))
    return frozenset(("ingress",))


def _rules(item: Object, spec: PolicySpec, context: Context) -> Iterator[Rule]:
    namespace = item.place if item.kind == NETWORK else None
    for number, rule in enumerate(spec.ingress or ()):
        yield from rules_of(Head(f"ingress[{number}]", "ingress", namespace, item.location), rule, context)
    for number, rule in enumerate(spec.egress or ()):
        yield from rules_of(Head(f"egress[{number}]", "egress", namespace, item.location), rule, context)


def _counts(policy: _Policy, tiers: Mapping[str, TierOf], context: Context) -> bool:
    """Tell whether a policy can be placed; where not, leave the pods open that it selects."""
    ledger = context.draft.ledger
    detail = ""
    admin = admin_stage_of(policy.tier)
    if policy.tier not in tiers:
        detail = f"its tier {policy.tier} was not read, so that its order is not known"
        ledger.gap(policy.item, "unread", detail, "groups")
    elif admin is not None and any(each.stage == admin for each in context.draft.rule_sets.values()):
        detail = f"it stands in tier {policy.tier} between the admin policies of Kubernetes, which is not evaluated"
        ledger.gap(policy.item, "unsupported", detail, "groups")
    elif policy.spec.do_not_track or policy.spec.pre_dnat:
        if _anybody(policy, context):
            detail = "it is asked before connections are tracked or addresses rewritten, and selects pods"
            ledger.gap(policy.item, "unsupported", detail, "groups")
        else:
            return False
    if detail:
        context.leave_open(policy.chosen.may)
        return False
    if not policy.chosen.exact:
        detail = "its selector asks for labels that controllers set, or of namespaces or accounts that were not read"
        ledger.gap(policy.item, "unsupported", detail, "groups")
        context.leave_open(both(exactly(policy.chosen.may), not_in(exactly(policy.chosen.sure))).may)
    return True


def _anybody(policy: _Policy, context: Context) -> bool:
    whole = context.of_cluster(policy.chosen.may)
    return any(matches(whole, each) for each in context.draft.interfaces.values())


def _placed(policy: _Policy, context: Context) -> Placed:
    item, draft = policy.item, context.draft
    namespaced = item.kind == NETWORK
    kind = "CalicoNetworkPolicy" if namespaced else item.kind
    identifier = draft.id(f"{item.place}/{kind}/{item.name}" if namespaced else f"{kind}/{item.name}")
    frame = RuleSet(
        id=identifier,
        kind=kind,
        name=item.name,
        tags={**policy.labels, "namespace": item.place} if namespaced else policy.labels,
        location=item.location,
        stage=stage_of(policy.tier),
        rules=policy.rules,
        applies=context.of_cluster(policy.chosen.sure),
        network=pods_of(draft.cluster),
        isolates=policy.isolates,
    )
    order = math.inf if policy.spec.order is None else policy.spec.order
    return Placed(policy.tier, order, full_name(item), frame)


def _note_hosts(objects: Sequence[Object], policies: Sequence[Object], context: Context) -> None:
    """Say what is not judged: policies of host endpoints that forwarded packets meet as well."""
    forwarded = [item for item in policies if item.part("spec").get("applyOnForward") is True]
    hosts = [item for item in objects if item.group in GROUPS and item.kind == "HostEndpoint"]
    if hosts and forwarded:
        detail = "policies apply to what it forwards to and from pods, which is not judged"
        context.draft.ledger.gap(hosts[0], "unsupported", detail, "groups")
        context.leave_open(Everything())
    elif hosts:
        text = f"cluster {context.draft.cluster}: what passes at Calico's host endpoints themselves is not judged"
        context.draft.ledger.notes.append(text)
