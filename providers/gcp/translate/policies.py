"""Firewall policies: those above the project, those of networks and of their regions, and Google's own."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import InSubnets, RuleSet, own_id
from cloudseg.providers.gcp.ids import own_of, region_of, tail_of
from cloudseg.providers.gcp.translate.groups import machines_in
from cloudseg.providers.gcp.translate.networks import network_at
from cloudseg.providers.gcp.translate.parts import Level, Policy, RegionalPolicy
from cloudseg.providers.gcp.translate.pipeline import GLOBAL_POLICY, RDMA, REGIONAL_POLICY, hierarchical, system
from cloudseg.providers.gcp.translate.policy_rules import WirePolicyRule, priority_in, rule_of
from cloudseg.providers.gcp.translate.unread_rules import unread_rule
from cloudseg.providers.gcp.translate.wire import CloudResource
from cloudseg.traffic import ALL_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Rule, Selector
    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["PLACE", "add_effective_policies", "add_policies", "levels_of", "place_policies", "systems_of"]

_WHAT: Final = "compute.network_firewall_policies"
_FACET: Final = "boundary-rules"
_NO_RULES: Final = "its rules are missing"
_LISTED: Final = frozenset(("NETWORK", "NETWORK_REGIONAL"))
_ABOVE: Final = frozenset(("HIERARCHY",))
_REGIONAL: Final = frozenset(("HIERARCHY", "SYSTEM_REGIONAL", "SYSTEM_GLOBAL"))
PLACE: Final = "@@"
"""What stands between a policy's id and the network that it stands at: its ends mean something else at each."""


class _Association(msgspec.Struct, rename="camel"):
    attachment_target: str = ""


class _Policy(CloudResource, kw_only=True, rename="camel"):
    region: str = ""
    short_name: str | None = None
    display_name: str | None = None
    associations: list[_Association] | None = None
    # Read one by one: a rule that cannot be understood must not take its list along.
    rules: list[object] | None = None


class _Effective(msgspec.Struct, rename="camel"):
    name: str = ""
    short_name: str | None = None
    display_name: str | None = None
    type: str = ""
    priority: int = 0
    rules: list[object] | None = None


class _Answer(msgspec.Struct, rename="camel"):
    policies: list[_Effective] | None = msgspec.field(default=None, name="firewallPolicys")
    items: list[_Answer] | None = None


def add_policies(answers: Answers, draft: Draft) -> None:
    """Note the policies of networks and of regions of networks.

    Sources: https://cloud.google.com/firewall/docs/network-firewall-policies and
    https://cloud.google.com/firewall/docs/regional-firewall-policies
    """
    for wire in answers.listed("compute", "network_firewall_policies", _Policy, _FACET):
        region = region_of(wire.region or wire.self_link)
        place = "global/firewallPolicies" if region == "global" else f"regions/{region}/firewallPolicies"
        link = wire.link(answers.scope, place)
        policy = Policy(
            id=draft.named(link, answers.scope),
            name=wire.name or wire.display_name or wire.short_name or "",
            kind="network-firewall-policy",
            region=region,
            rules=tuple(wire.rules or ()),
            project=answers.scope,
        )
        if wire.rules is None:
            answers.gap(_WHAT, tail_of(link), "malformed", _NO_RULES, _FACET)
        for each in wire.associations or ():
            network = network_at(draft, each.attachment_target, answers.scope)
            if network not in draft.networks:
                why = (
                    f"it is associated with {each.attachment_target or 'a network without a name'}, which is not known"
                )
                answers.gap(_WHAT, tail_of(link), "malformed", why, _FACET)
            if region == "global":
                draft.global_policies.setdefault(network, []).append(policy)
            else:
                draft.regional_policies.append(RegionalPolicy(network, region, policy))


def add_effective_policies(answers: Answers, draft: Draft) -> None:
    """Note the policies that stand above the project, in their order, and those that Google keeps for regions.

    The answer lists the organisation's policy first, then those of folders downwards. Source:
    https://cloud.google.com/compute/docs/reference/rest/v1/networks/getEffectiveFirewalls
    """
    for resource, answer in answers.answered("compute", "network_effective_firewalls", _Answer, _FACET):
        network = network_at(draft, resource, answers.scope)
        above = [each for each in _listed(answer) if each.type.upper() == "HIERARCHY"]
        _tell_unknown(answers, "network_effective_firewalls", resource, answer, _ABOVE)
        draft.hierarchy[network] = [
            Level(number, _effective(each, "hierarchical-firewall-policy", "global", answers))
            for number, each in enumerate(above, start=1)
        ]
    for resource, answer in answers.answered("compute", "region_effective_firewalls", _Answer, _FACET):
        link, _, place = resource.partition("|")
        region = region_of(place)
        _tell_unknown(answers, "region_effective_firewalls", resource, answer, _REGIONAL)
        for each in _listed(answer):
            if each.type.upper() in {"SYSTEM_REGIONAL", "SYSTEM_GLOBAL"}:
                policy = _effective(each, "system-firewall-policy", region, answers)
                draft.system_policies.append(
                    RegionalPolicy(draft.named(link, answers.scope), region, policy, each.priority)
                )


def _tell_unknown(
    answers: Answers, operation: str, resource: str, answer: _Answer, kinds: frozenset[str]
) -> None:  # fmt: skip
    """Make a gap of each policy of a kind that has no place here, and of each that tells no rules.

    Policies of networks are listed by themselves, and every policy has the rules that it was made with. Source:
    https://cloud.google.com/firewall/docs/network-firewall-policies#predefined
    """
    for each in _listed(answer):
        kind = each.type.upper()
        name = each.display_name or each.short_name or each.name
        if kind in _LISTED:
            continue
        if kind not in kinds:
            why = f"the policy {name} is of the type {each.type or 'none'}, which has no known place"
            answers.gap(f"compute.{operation}", resource, "unsupported", why, _FACET)
        elif each.rules is None:
            answers.gap(f"compute.{operation}", resource, "malformed", f"the policy {name}: {_NO_RULES}", _FACET)


def _listed(answer: _Answer) -> Iterator[_Effective]:
    yield from answer.policies or ()
    for item in answer.items or ():
        yield from _listed(item)


def _effective(wire: _Effective, kind: str, region: str, answers: Answers) -> Policy:
    tail = tail_of(wire.name)
    link = tail if "/" in tail else f"locations/global/firewallPolicies/{tail}"
    return Policy(
        id=f"gcp:{answers.scope}:{own_of(link)}",
        name=wire.display_name or wire.short_name or tail,
        kind=kind,
        region=region,
        rules=tuple(wire.rules or ()),
        project=answers.scope,
    )


def levels_of(draft: Draft) -> int:
    """Return how many policies stand above a project at most; one stage is there for what was not read."""
    return max((len(levels) for levels in draft.hierarchy.values()), default=1) or 1


def _system_policies(draft: Draft) -> dict[tuple[str, str], list[Policy]]:
    """Return the policies that Google keeps for regions of networks, in the order in which they are asked.

    Source: https://cloud.google.com/firewall/docs/firewall-policies-rule-eval-order
    """
    together: defaultdict[tuple[str, str], list[RegionalPolicy]] = defaultdict(list)
    for each in draft.system_policies:
        together[each.network, each.region].append(each)
    return {
        place: [each.policy for each in sorted(found, key=lambda each: each.priority)]
        for place, found in together.items()
    }


def systems_of(draft: Draft) -> int:
    """Return how many policies Google keeps for one region of a network at most, one for what was not read."""
    return max((len(policies) for policies in _system_policies(draft).values()), default=1) or 1


def place_policies(answers: dict[str, Answers], draft: Draft) -> None:
    """Make a list of each policy for each network that it stands at."""
    unlisted = _unlisted_subnets(draft)
    placed: defaultdict[str, list[tuple[Policy, str, str, Selector]]] = defaultdict(list)
    for network, levels in draft.hierarchy.items():
        for level, policy in levels:
            placed[network].append((policy, hierarchical(level), "", machines_in(network)))
    for network, policies in draft.global_policies.items():
        placed[network] += [(each, GLOBAL_POLICY, "", machines_in(network)) for each in policies]
    for (network, region), policies in _system_policies(draft).items():
        there = InSubnets(draft.subnets_of(network, region) | unlisted[network, region])
        for place, policy in enumerate(policies, start=1):
            placed[network].append((policy, system(place), f"/{region}", there))
    for network, region, policy, _ in draft.regional_policies:
        there = InSubnets(draft.subnets_of(network, region) | unlisted[network, region])
        placed[network].append((policy, REGIONAL_POLICY, f"/{region}", there))
    for network, found in placed.items():
        for policy, stage, part, applies in found:
            _place(answers[policy.project], draft, network, (policy, stage, part, applies))


def _unlisted_subnets(draft: Draft) -> defaultdict[tuple[str, str], set[str]]:
    """Return the subnets that interfaces name and nobody listed, by network and region: policies hold there, too."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for interface in draft.interfaces.values():
        if interface.network is not None and interface.subnet is not None and interface.subnet not in draft.subnets:
            found[interface.network, region_of(own_id(interface.subnet))].add(interface.subnet)
    return found


def _place(answers: Answers, draft: Draft, network: str, placed: tuple[Policy, str, str, Selector]) -> None:
    policy, stage, part, applies = placed
    identifier = f"{policy.id}{PLACE}{own_id(network)}{part}"
    google = policy.kind == "system-firewall-policy"
    rules = tuple(_rules(answers, draft, policy, network))
    if network in draft.networks and draft.networks[network].pipeline == RDMA:
        rules += tuple(_answering(rule) for rule in rules if rule.direction == "ingress")
    draft.rule_sets[identifier] = RuleSet(
        id=identifier,
        kind=policy.kind,
        name=policy.name,
        region=policy.region,
        stage=stage,
        network=network,
        applies=applies,
        rules=rules,
        managed_by="gcp" if google else "",
    )


def _answering(rule: Rule) -> Rule:
    """Return what a rule that judges every packet by itself does to answers: whoever asks has to let these in.

    Source: https://cloud.google.com/firewall/docs/firewall-for-roce#specifications
    """
    return msgspec.structs.replace(
        rule,
        id=f"egress/{rule.priority} (answers)",
        direction="egress",
        traffic=ALL_TRAFFIC,
        exact=rule.exact and rule.traffic == ALL_TRAFFIC,
        fixed=True,
    )


def _rules(answers: Answers, draft: Draft, policy: Policy, network: str) -> Iterator[Rule]:
    found: list[Rule] = []
    for index, item in enumerate(policy.rules):
        try:
            rule = rule_of(draft, msgspec.convert(item, WirePolicyRule), network, policy.project)
        except msgspec.ValidationError as error:
            why = f"rules[{index}]: {error}"
            answers.gap(_WHAT, own_id(policy.id), "malformed", why, _FACET)
            found.extend(unread_rule(index, priority_in(item), why))
        else:
            if rule is None:
                continue
            if rule.doubt.startswith("conditions"):
                answers.gap(_WHAT, own_id(policy.id), "unsupported", f"rules[{index}]: {rule.doubt}", _FACET)
            found.append(rule)
    yield from sorted(found, key=lambda rule: (rule.priority or 0, rule.allows, rule.id))
