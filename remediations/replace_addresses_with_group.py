"""Rules that name groups in place of addresses.

What it changes:
    An allowing rule whose other end is a range of addresses inside becomes rules that name the groups of those who need
    it, and is taken away afterwards. Who needs it is told by flow logs and by the intent; the ports are narrowed to
    those that were seen or are meant. Without flow logs and an intent everybody keeps it who was read and whom the rule
    lets pass today, and what is dropped is named.
    The fewest groups are chosen that name everybody who needs the rule and nobody whom it does not admit today, under
    any of their addresses, IPv6 included. Where no group that is there fits, a new one is made: on AWS emptied of the
    rule that lets everything out before anybody carries it, on Azure in the same virtual network, on Google Cloud a
    secure tag for rules of firewall policies. In a cluster pods are named by their labels.
    What lies outside and needs the rule stays as the addresses that were seen, with an owner and an expiry where the
    intent names them. Addresses of a service tag that are written out become the tag.

What it proves:
    Nobody reaches anybody by it who did not before, and everybody seen or meant to use the rule still does, at every
    step: what is added admits no more than the rule that is taken away afterwards.

What it leaves to people:
    Lists and groups that a controller keeps, ranges in which something was not read, interfaces that their owner makes
    anew from a setting (a launch template, a scale set, a function): the group belongs into the setting. Ways on which
    a group is not recognised, through an appliance, from another region: there the range is narrowed at most. Clusters
    whose network plugin does not let ranges mean pods for sure.

How it is undone:
    The rule is added again as it was, and the new ones are removed; new groups are detached and deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.checks.service_tags import ServiceTags
from cloudseg.model import ListRef, qualified
from cloudseg.model.edits import AddRule, RemoveRule
from cloudseg.remediations.ends_apart import take_apart
from cloudseg.remediations.group_rules import replace_in_clouds
from cloudseg.remediations.interface import Advice, Change, Proposal, Remedy
from cloudseg.remediations.parts_of_ends import NotApart
from cloudseg.remediations.pod_rules import replace_in_clusters
from cloudseg.remediations.priorities import free_priorities
from cloudseg.remediations.replace_examples import EXAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.findings import Finding
    from cloudseg.model import AddressList, Rule, RuleSet
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.interface import Answer
    from cloudseg.remediations.locating import Place

ID: Final = "replace-addresses-with-group"
_LISTS: Final = {
    "aws": frozenset(("security-group",)),
    "azure": frozenset(("network-security-group",)),
    "gcp": frozenset(("vpc-firewall-rules", "network-firewall-policy", "hierarchical-firewall-policy")),
}
"""The lists whose rules can name groups. Admin rules of Azure take addresses and tags alone. Source:
https://learn.microsoft.com/azure/virtual-network-manager/concept-security-admins"""


def propose(context: RemedyContext, finding: Finding) -> Iterator[Answer]:
    """Yield what to do about a rule that names addresses."""
    places = [place for place in context.located(finding) if place.rule is not None]
    if not places or places[0].rule is None:
        yield _advice(finding, "the rule is not in the estate any more")
        return
    lists, rule = [place.rule_set for place in places], places[0].rule
    if reason := _not_ours(lists, rule):
        yield _advice(finding, reason)
    elif lists[0].provider == "kubernetes":
        yield from replace_in_clusters(context, finding, lists[0], rule, ID)
    elif (tag := context.once("tags", lambda: ServiceTags(context.estate)).written_out(rule.remote)) is not None:
        yield _with_tag(context, finding, lists, rule, tag)
    else:
        yield from _with_groups(context, finding, places, lists, rule)


def _not_ours(lists: Sequence[RuleSet], rule: Rule) -> str:
    """Return why the rule is not ours to change; empty where it is."""
    own = lists[0]
    keeper = next((each.managed_by for each in lists if each.managed_by), "")
    if keeper:
        return f"{keeper} keeps {own.label} and would take a change back: change it there"
    if rule.fixed or rule.required:
        return f"{own.label} holds the rule because its provider asks for it"
    if not rule.exact:
        return f"the rule could not be read in full{f': {rule.doubt}' if rule.doubt else ''}"
    if own.provider in _LISTS and own.kind not in _LISTS[own.provider]:
        return f"a rule of a {own.kind.replace('-', ' ')} cannot name groups"
    return ""


def _with_groups(
    context: RemedyContext, finding: Finding, places: Sequence[Place], lists: Sequence[RuleSet], rule: Rule
) -> Iterator[Answer]:
    networks = sorted({each.network for each in lists if each.network is not None})
    if lists[0].provider == "azure" and len(networks) > 1:
        yield _advice(
            finding,
            f"{lists[0].label} stands in {len(networks)} virtual networks, and the members of a group in one of them",
            ("give each virtual network a list of its own, and plan again",),
        )
        return
    apart = take_apart(context, places)
    if isinstance(apart, NotApart):
        yield _advice(finding, apart.reason, apart.steps)
    elif apart.unused:
        who = "nobody was seen or is meant to use it" if apart.narrowed else "nobody who was read can use it today"
        if not apart.judged:
            who = f"nobody is judged by {lists[0].label} today"
        steps = ("ask its owner what it is for, then remove the rule",)
        yield _advice(finding, f"{who}, so that there is nobody to name", steps)
    else:
        yield from replace_in_clouds(context, finding, lists, rule, apart, ID)


def _with_tag(
    context: RemedyContext, finding: Finding, lists: Sequence[RuleSet], rule: Rule, tag: AddressList
) -> Answer:
    """Return the rule with a service tag in place of its addresses."""
    priorities = free_priorities(lists, rule, 1)
    if priorities is None:
        return _advice(finding, f"no priority beside {rule.priority} is free", ("renumber the rules of the list",))
    new = msgspec.structs.replace(rule, remote=(ListRef(tag.id),), priority=priorities[0], location=None)
    added = context.named(lists[0], new, rule)
    label = lists[0].bearer(rule).label
    reason = f"the addresses are those of the service tag {tag.name}, which the provider keeps up to date"
    changes = (
        Change(
            edits=tuple(AddRule(own.id, added) for own in lists),
            phase="add",
            reason=reason,
            undo=f"remove the rule from {label}",
        ),
        Change(
            edits=tuple(RemoveRule(own.id, rule.id) for own in lists),
            phase="remove",
            reason=f"the rule with {tag.name} says the same",
            undo=f"add the rule to {label} again as it was",
        ),
    )
    return Proposal(
        remedy=ID,
        findings=(finding.id,),
        resource=lists[0].bearer(rule).id,
        summary=f"{label} names the service tag {tag.name} instead of its addresses",
        changes=changes,
        safety="safe",
        assumptions=(f"what the provider adds to {tag.name} later is admitted, too, and what it takes away is not",),
    )


def _advice(finding: Finding, reason: str, steps: Sequence[str] = ()) -> Advice:
    own = () if finding.remedy is None else (finding.remedy.summary,)
    region = finding.region if finding.provider == "aws" else None
    return Advice(
        remedy=ID,
        finding=finding.id,
        resource=qualified(finding.provider, finding.scope, finding.resource.id, region),
        reason=reason,
        steps=tuple(steps) or own,
    )


REMEDY = Remedy(
    id=ID,
    answers=("address-based-rule",),
    propose=propose,
    examples=EXAMPLES,
    concept={
        "aws": "rules of security groups name security groups, new ones where none fits",
        "azure": "rules of NSGs name application security groups, or the service tag whose addresses they write out",
        "gcp": "VPC firewall rules name service accounts, rules of firewall policies secure tags; never network tags",
        "kubernetes": "rules of network policies name pods by podSelector and namespaceSelector instead of an ipBlock",
    },
)
