"""The tiers of Calico: which stand where, and what they do with what no policy of theirs decides.

Tiers are asked by their order, those without one last; a tier is skipped for pods that none of its policies applies
to. NetworkPolicies of Kubernetes are in the tier ``default``, at order 1000; admin policies of Kubernetes are in tiers
of their own. Behind the last tier comes the profile of the pod's namespace, which admits everything. Sources:
https://docs.tigera.io/calico/latest/reference/resources/tier and
https://docs.tigera.io/calico/latest/network-policy/policy-tiers/tiered-policy
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import Addresses, Gap, Rule, Stage, matches
from cloudseg.providers.kubernetes.translate.objects import PROVIDER
from cloudseg.providers.kubernetes.translate.pipeline import ADMIN_STAGE, BASELINE_STAGE, POLICY_STAGE, Tier
from cloudseg.providers.kubernetes.translate.policies.calico.kinds import GROUPS
from cloudseg.providers.kubernetes.translate.policies.calico.selection import NOBODY, both, exactly
from cloudseg.providers.kubernetes.translate.policies.calico.wire import TierSpec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.model import Peer, RuleSet, Verdict
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.calico.context import Context

__all__ = ["DEFAULT_TIER", "Placed", "TierOf", "add_tiers", "admin_stage_of", "read_tiers", "stage_of"]

DEFAULT_TIER: Final = "default"
_DEFAULT_ORDER: Final = 1_000_000.0
_NETWORK_POLICY_ORDER: Final = 1000.0
_ADMIN_ORDER: Final = 1000.0
_BASELINE_ORDER: Final = 10_000_000.0
_ADMIN_TIERS: Final = {
    "adminnetworkpolicy": ADMIN_STAGE,
    "kube-admin": ADMIN_STAGE,
    "baselineadminnetworkpolicy": BASELINE_STAGE,
    "kube-baseline": BASELINE_STAGE,
}
"""The tiers in which Calico keeps the admin policies of Kubernetes; their names changed with its releases."""
_ORDERS: Final = {ADMIN_STAGE: _ADMIN_ORDER, BASELINE_STAGE: _BASELINE_ORDER}


class TierOf(NamedTuple):
    """A tier.

    Attributes:
        order: its order; infinite where it has none.
        passes: what no policy of the tier decides goes on to the next one.
    """

    order: float
    passes: bool


class Placed(NamedTuple):
    """A policy in its tier.

    Attributes:
        tier: the name of the tier.
        order: its order there; infinite where it has none.
        name: its name with that of the tier, by which policies of one order are sorted.
        frame: its rule set; the rules are in its order.
    """

    tier: str
    order: float
    name: str
    frame: RuleSet


def read_tiers(objects: Iterable[Object], draft: Draft) -> dict[str, TierOf]:
    """Return the tiers by name, those that Calico makes itself among them; None of those that cannot be read."""
    found = {DEFAULT_TIER: TierOf(_DEFAULT_ORDER, passes=False)}
    found |= {name: TierOf(_ORDERS[stage], passes=True) for name, stage in _ADMIN_TIERS.items()}
    for item in objects:
        if item.group not in GROUPS or item.kind != "Tier":
            continue
        problem = item.flaw
        if not problem:
            try:
                spec = msgspec.convert(item.content.get("spec"), TierSpec | None) or TierSpec()
                if spec.default_action in {None, "Deny", "Pass"}:
                    fixed = found.get(item.name)
                    order = math.inf if spec.order is None else spec.order
                    passes = spec.default_action == "Pass" if spec.default_action or fixed is None else fixed.passes
                    found[item.name] = TierOf(
                        order if fixed is None or item.name not in _FIXED else fixed.order, passes
                    )
                    continue
                problem = f"defaultAction {spec.default_action!r} is neither Deny nor Pass"
            except msgspec.ValidationError as error:
                problem = str(error)
        draft.ledger.gap(item, "malformed", problem, "groups")
        found.pop(item.name, None)
    return found


_FIXED: Final = frozenset((DEFAULT_TIER, *_ADMIN_TIERS))
"""Tiers whose order is fixed."""


def stage_of(tier: str) -> str:
    """Return the name of a tier's stage."""
    return POLICY_STAGE if tier == DEFAULT_TIER else f"calico-tier-{tier}"


def admin_stage_of(tier: str) -> str | None:
    """Return the stage of the admin policies of Kubernetes that are in a tier; None for any other tier."""
    return _ADMIN_TIERS.get(tier)


def add_tiers(policies: Sequence[Placed], tiers: Mapping[str, TierOf], context: Context) -> None:
    """Add the rule sets of policies, and the stages of their tiers.

    Args:
        policies: the policies, each in a tier that was read.
        tiers: the tiers.
        context: what rules are translated with.
    """
    draft = context.draft
    by_tier: defaultdict[str, list[Placed]] = defaultdict(list)
    for each in policies:
        by_tier[each.tier].append(each)
    for name, own in by_tier.items():
        tier = tiers[name]
        beside = _network_policies(context) if name == DEFAULT_TIER else ()
        ranked = sorted((*own, *beside), key=lambda placed: (placed.order, placed.name, placed.frame.id))
        _note_ties(ranked, context)
        priority = 0
        for each in ranked:
            rules: list[Rule] = []
            for rule in each.frame.rules:
                priority += 1
                rules.append(msgspec.structs.replace(rule, priority=priority))
            frame = msgspec.structs.replace(each.frame, rules=tuple(rules), stage=stage_of(name))
            draft.rule_sets[frame.id] = frame
        draft.tiers.append(Tier(tier.order - _DEFAULT_ORDER, _stage(name, passes=tier.passes)))
    _place_admins(max((tiers[name].order for name in by_tier), default=0.0), draft)


def _note_ties(ranked: Sequence[Placed], context: Context) -> None:
    """Leave open the pods that policies of different kinds select with the same order, and decide about differently.

    Policies of one kind are sorted by their names. Those of different kinds bear names of different forms in
    different releases, such as with their namespace before them, so that nothing tells which of them comes first.
    """
    by_order: defaultdict[float, list[Placed]] = defaultdict(list)
    for each in ranked:
        by_order[each.order].append(each)
    for alike in by_order.values():
        strict = [each for each in alike if any(rule.verdict != "accept" for rule in each.frame.rules)]
        for one in strict:
            for other in alike:
                if one.frame.kind != other.frame.kind and _at_odds(one.frame, other.frame):
                    _leave_tie_open(one.frame, other.frame, context)


def _at_odds(one: RuleSet, other: RuleSet) -> bool:
    return any(
        mine.direction == yours.direction and mine.verdict != yours.verdict and mine.traffic.overlaps(yours.traffic)
        for mine in one.rules
        for yours in other.rules
    )


def _leave_tie_open(one: RuleSet, other: RuleSet, context: Context) -> None:
    draft = context.draft
    chosen = both(exactly(one.applies), exactly(other.applies)).may
    if any(matches(chosen, each) for each in draft.interfaces.values()):
        detail = (
            f"{other.own_id} has the same order, and decides otherwise: which of them comes first is not documented"
        )
        gap = Gap(PROVIDER, draft.cluster, "global", "policies", one.own_id, "unsupported", detail, ("groups",))
        draft.ledger.gaps.append(gap)
        context.leave_open(chosen)


def _stage(tier: str, *, passes: bool) -> Stage:
    # Which pods bear an address that a rule names, the rules say themselves.
    miss: Verdict = "next" if passes else "deny"
    return Stage(name=stage_of(tier), at="interface", stateful=True, match="first", miss=miss, ranges="outside")


def _place_admins(last: float, draft: Draft) -> None:
    """Give the admin policies of Kubernetes a stage among Calico's tiers.

    The baseline keeps its own as long as no tier stands behind it.
    """
    for stage, order in _ORDERS.items():
        sets = [rule_set for rule_set in draft.rule_sets.values() if rule_set.stage == stage]
        if not sets or (stage == BASELINE_STAGE and last < order):
            continue
        name = stage_of("kube-admin" if stage == ADMIN_STAGE else "kube-baseline")
        for rule_set in sets:
            draft.rule_sets[rule_set.id] = msgspec.structs.replace(rule_set, stage=name)
        own = Stage(name=name, at="interface", stateful=True, match="first", miss="next")
        draft.tiers.append(Tier(order - _DEFAULT_ORDER, own))


def _network_policies(context: Context) -> Iterator[Placed]:
    """Yield the NetworkPolicies of Kubernetes, with their rules as this tier judges them."""
    for rule_set in context.draft.rule_sets.values():
        if rule_set.stage == POLICY_STAGE:
            rules = tuple(made for rule in rule_set.rules for made in _rewritten(rule, context))
            frame = msgspec.structs.replace(rule_set, rules=rules)
            yield Placed(DEFAULT_TIER, _NETWORK_POLICY_ORDER, f"knp.default.{rule_set.name}", frame)


def _rewritten(rule: Rule, context: Context) -> Iterator[Rule]:
    """Yield a rule that names ranges so that it says itself which pods bear their addresses."""
    sure: list[Peer] = []
    perhaps: list[Peer] = []
    for peer in rule.remote:
        sure.append(peer)
        if isinstance(peer, Addresses):
            pods = context.within(peer.addresses)
            if pods.sure != NOBODY:
                sure.append(context.group(pods.sure))
            if not pods.exact:
                perhaps.append(context.group(pods.may))
    yield msgspec.structs.replace(rule, remote=tuple(sure))
    if perhaps:
        yield msgspec.structs.replace(rule, id=f"{rule.id}.pods", remote=tuple(perhaps), exact=False)
