"""Groups in place of the ranges inside that a rule for everyone lets out to, where rules can name groups."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.checks.internal_ranges import InternalRanges
from cloudseg.model import Addresses
from cloudseg.reach.packets import outside_addresses
from cloudseg.remediations.ends_apart import taken_apart
from cloudseg.remediations.group_rules import replace_in_clouds
from cloudseg.remediations.interface import Proposal
from cloudseg.remediations.parts_of_ends import NotApart, Standing
from cloudseg.traffic import GLOBAL_UNICAST, AddressSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.findings import Finding
    from cloudseg.model import Rule, RuleSet
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.interface import Change, Choice
    from cloudseg.remediations.replacing import At

__all__ = ["PRIVATE", "Inside", "inside_by_groups", "inside_of"]

PRIVATE: Final = AddressSet.from_cidrs(
    ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10")
)
"""Addresses that are nobody's on the internet and that networks use. Sources: RFC 1918, 6598, 3927, 4193 and 4291."""


@dataclasses.dataclass(frozen=True)
class Inside:
    """What names the inside, without the end of the rule that it stands in for.

    Attributes:
        changes: groups and rules to be added, in order.
        considered: the groups that were looked at.
        risks: what could break, one sentence each.
        drops: what no longer passes, one sentence each.
        assumptions: what must be so.
    """

    changes: tuple[Change, ...] = ()
    considered: tuple[Choice, ...] = ()
    risks: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()


def inside_of(context: RemedyContext, rule: Rule) -> AddressSet:
    """Return the addresses inside that a rule names: private ones, and those of the estate's networks."""
    own = PRIVATE
    for network in context.estate.networks.values():
        own |= network.addresses
    return outside_addresses(rule.remote, context.estate)[0] & own


def inside_by_groups(context: RemedyContext, finding: Finding, places: Sequence[At], remedy: str) -> Inside | None:
    """Return the groups that name those inside who need a rule; None where groups cannot stand for them.

    Args:
        context: what all remedies share.
        finding: the finding that is answered.
        places: the rule, at every place of its list.
        remedy: id of the remedy.
    """
    ranges = context.once("internal ranges", lambda: InternalRanges(context.estate))
    found: list[Standing] = []
    for rule_set, rule in places:
        part = _inside_part(context, rule)
        internal = next((each for _, each in ranges.of(rule_set, (part,))), None)
        if internal is None:
            return None
        found.append(Standing(rule_set, part, internal))
    apart = taken_apart(context, found)
    if isinstance(apart, NotApart) or not apart.narrowed:
        return None
    if apart.unused:
        return Inside(drops=tuple(apart.dropped), risks=tuple(apart.risks))
    lists: list[RuleSet] = [place.rule_set for place in places]
    (answer,) = replace_in_clouds(context, finding, lists, found[0].rule, apart._replace(rest=()), remedy)
    if not isinstance(answer, Proposal):
        return None
    return Inside(
        tuple(each for each in answer.changes if each.phase != "remove"),
        answer.considered,
        answer.risks,
        answer.drops,
        answer.assumptions,
    )


def _inside_part(context: RemedyContext, rule: Rule) -> Rule:
    """Return the rule with the addresses inside alone; it keeps its id, by which its use was noted."""
    inside = inside_of(context, rule)
    # Blocks that hold public addresses too count as public.
    private = inside - GLOBAL_UNICAST
    whole = inside & GLOBAL_UNICAST
    peers = tuple(Addresses(each) for each in (private, whole) if each)
    return msgspec.structs.replace(rule, remote=peers)
