"""Security groups: each is an identity that interfaces carry, and the list of rules that judges them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Carries, Group, RuleSet, scope_of
from cloudseg.providers.aws.translate.permissions import Owner, Permissions
from cloudseg.providers.aws.translate.tags import Tag, controller_of, tags_of

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["STAGE", "add_groups"]

STAGE = "security-groups"
_KIND = "security-group"
_FACET = "groups"


class _SecurityGroup(msgspec.Struct, rename="pascal"):
    group_id: str
    group_name: str = ""
    description: str = ""
    vpc_id: str = ""
    owner_id: str = ""
    # Read one by one afterwards: a permission that cannot be understood must not take its group along.
    ip_permissions: object = None
    ip_permissions_egress: object = None
    tags: list[Tag] = []


class _Association(msgspec.Struct, rename="pascal"):
    group_id: str
    vpc_id: str
    vpc_owner_id: str = ""
    state: str = ""


def add_groups(answers: Answers, draft: Draft) -> None:
    """Add the security groups, each as a group and as a rule set under one id.

    A group allows only, and every group of an interface counts:
    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
    """
    wires = list(answers.each("ec2", "describe_security_groups", "SecurityGroups", _SecurityGroup, _FACET))
    permissions = Permissions(answers, draft, _by_name(wires))
    associated = _associated(answers, draft)
    for wire in wires:
        identifier = answers.id(wire.group_id, account=wire.owner_id)
        tags = tags_of(wire.tags)
        name = wire.group_name or tags.get("Name", "")
        network = _network(answers, draft, wire)
        managed_by = controller_of(tags, wire.group_name)
        is_default = wire.group_name == "default"
        group = Group(
            id=identifier,
            kind=_KIND,
            name=name,
            region=answers.region,
            tags=tags,
            selector=Carries(identifier),
            networks=tuple(dict.fromkeys((*([network] if network else []), *associated[wire.group_id]))),
            is_default=is_default,
            managed_by=managed_by,
            description=wire.description,
        )
        owner = Owner(wire.group_id, scope_of(identifier), wire.vpc_id)
        rule_set = RuleSet(
            id=identifier,
            kind=_KIND,
            name=name,
            region=answers.region,
            tags=tags,
            stage=STAGE,
            rules=permissions.rules(owner, wire.ip_permissions, wire.ip_permissions_egress),
            applies=Carries(identifier),
            network=network,
            is_default=is_default,
            managed_by=managed_by,
        )
        draft.put(draft.groups, group, answers.scope)
        draft.put(draft.rule_sets, rule_set, answers.scope)


def _network(answers: Answers, draft: Draft, wire: _SecurityGroup) -> str | None:
    """Return the group's network; None for a group of EC2-Classic, which has none."""
    return draft.id_of(answers, wire.vpc_id, wire.owner_id or None) if wire.vpc_id else None


def _by_name(wires: list[_SecurityGroup]) -> dict[tuple[str, str], str]:
    return {(wire.vpc_id, wire.group_name): wire.group_id for wire in wires if wire.group_name}


def _associated(answers: Answers, draft: Draft) -> defaultdict[str, list[str]]:
    """Return the further networks in which each group can be used.

    Source: https://docs.aws.amazon.com/vpc/latest/userguide/security-group-assoc.html
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    operation, key = "describe_security_group_vpc_associations", "SecurityGroupVpcAssociations"
    for each in answers.each("ec2", operation, key, _Association, _FACET):
        if each.state in {"associated", ""}:
            found[each.group_id].append(draft.id_of(answers, each.vpc_id, each.vpc_owner_id or None))
    return found
