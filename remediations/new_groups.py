"""Makes a group of AWS, which is an identity and a list of rules in one, in the order in which nothing opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import Addresses, Carries, Group, Rule, RuleSet
from cloudseg.model.edits import AddRule, AddRuleSet, CreateGroup, RemoveRule
from cloudseg.remediations.interface import Change
from cloudseg.remediations.naming import new_id
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, ALL_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Network

__all__ = ["GROUPS", "new_group"]

GROUPS: Final = "security-groups"
"""The stage at which the groups of AWS judge."""
_EGRESS: Final = Rule(
    id="default-egress",
    direction="egress",
    verdict="next",
    traffic=ALL_TRAFFIC,
    remote=(Addresses(ALL_IPV4),),
)
"""The rule that AWS puts into every new group. Source:
https://docs.aws.amazon.com/vpc/latest/userguide/creating-security-groups.html"""
_EGRESS_OF_IPV6: Final = msgspec.structs.replace(_EGRESS, id="default-egress-ipv6", remote=(Addresses(ALL_IPV6),))
"""The one that it puts there as well where the network has an IPv6 range. Source:
https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html"""


def new_group(
    network: Network, name: str, rules: Iterable[Rule], reason: str, evidence: tuple[str, ...]
) -> list[Change]:
    """Return the changes that make a group which nobody carries yet, with some rules and no others.

    AWS gives it a rule that lets everything out, which is taken away before anybody carries the group.

    Args:
        network: the network that it belongs to.
        name: its name, which stands for its id until AWS gives it one.
        rules: its rules, each as AWS holds one.
        reason: why it is made, in one sentence.
        evidence: the facts that it rests on.
    """
    own = new_id(network, name)
    given = (_EGRESS, _EGRESS_OF_IPV6) if network.addresses.v6 else (_EGRESS,)
    group = Group(
        id=own,
        kind="security-group",
        name=name,
        region=network.region,
        selector=Carries(own),
        networks=(network.id,),
        description=f"made by cloudseg: {reason}"[:255],
    )
    bare = RuleSet(
        id=own,
        kind="security-group",
        name=name,
        region=network.region,
        stage=GROUPS,
        rules=given,
        applies=Carries(own),
        network=network.id,
    )
    return [
        Change(
            edits=(CreateGroup(group), AddRuleSet(bare)), phase="prepare", reason=reason, evidence=evidence, undo=_UNDO
        ),
        Change(
            edits=tuple(RemoveRule(own, rule.id) for rule in given),
            phase="prepare",
            reason="AWS lets a new group send everything everywhere, and whoever carries it would gain that",
            undo="nothing to take back: the rule goes with the group",
        ),
        *(
            Change(edits=(AddRule(own, rule),), phase="prepare", reason=reason, evidence=evidence, undo=_UNDO)
            for rule in rules
        ),
    ]


_UNDO: Final = "delete the group once nobody carries it"
