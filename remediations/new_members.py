"""A group for those whom no group names alone: made, emptied of what the provider puts into it, and attached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.rule_lists import counted, shown_labels
from cloudseg.model import Carries, Group, qualified, scope_of
from cloudseg.model.edits import Attach, CreateGroup
from cloudseg.remediations.interface import Change
from cloudseg.remediations.naming import name_for
from cloudseg.remediations.new_groups import new_group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Interface, Network, RuleSet
    from cloudseg.remediations.context import RemedyContext

__all__ = ["Fresh", "Unable", "fresh_group"]

_MOST_ON_AWS: Final = 5
"""So many groups an interface of AWS carries unless the account's quota was raised, to 16 at most. Source:
https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups"""
_MOST_ON_AZURE: Final = 20
"""Source: https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits"""
_SHOWN: Final = 3
_DETACH: Final = "detach the group from the interface"


class Fresh(NamedTuple):
    """A new group with its members.

    Attributes:
        group: the group.
        members: who is to carry it.
        changes: what makes it and attaches it.
        assumption: what must be so for its membership to last; empty for nothing.
    """

    group: Group
    members: tuple[Interface, ...]
    changes: tuple[Change, ...]
    assumption: str = ""


class Unable(NamedTuple):
    """Why no new group can be made.

    Attributes:
        reason: why, in one sentence.
        steps: what people can do.
    """

    reason: str
    steps: tuple[str, ...]


def fresh_group(context: RemedyContext, rule_set: RuleSet, members: Sequence[Interface]) -> Fresh | Unable:
    """Return a new group for interfaces of one network, or why there can be none.

    Its name follows from its members, so that several rules for the same ones share it.

    Args:
        context: what all remedies share.
        rule_set: the list in which the group is to be named.
        members: who is to carry it, in order of their ids.
    """
    if (refused := _refused(context, rule_set, members)) is not None:
        return refused
    network = context.estate.networks[members[0].network or ""]
    name = name_for("group", network.own_id, *(member.own_id for member in members))
    who = shown_labels(list(members), _SHOWN)
    reason = f"no group names {who} and nobody else"
    if rule_set.provider == "aws":
        return _on_aws(network, name, members, reason)
    kind = "application-security-group" if rule_set.provider == "azure" else "secure-tag"
    own = _azure_id(members[0], name) if rule_set.provider == "azure" else _tag_id(name)
    group = Group(
        id=own,
        kind=kind,
        name=name,
        region=members[0].region if rule_set.provider == "azure" else "global",
        selector=Carries(own),
        networks=(network.id,),
        description=f"made by cloudseg: {reason}"[:255],
    )
    undo = "delete the group once nobody carries it and no rule names it"
    made = Change(edits=(CreateGroup(group),), phase="prepare", reason=reason, undo=undo)
    assumption = ""
    if rule_set.provider == "gcp":
        assumption = (
            f"{who} {'is' if len(members) == 1 else 'are'} not made by a managed instance group: where one makes "
            "instances, the tag belongs into its template"
        )
    return Fresh(group, tuple(members), (made, *_attached(own, members, name)), assumption)


def _refused(context: RemedyContext, rule_set: RuleSet, members: Sequence[Interface]) -> Unable | None:
    who = shown_labels(list(members), _SHOWN)
    if rule_set.provider == "gcp" and rule_set.kind == "vpc-firewall-rules":
        return Unable(
            f"no service account names {who} and nobody else, and an instance must be stopped to get another one",
            (
                f"give {who} a service account of its own when it is next stopped, and name that in the rule",
                "or bind a secure tag and name it in a network firewall policy that is asked before VPC firewall rules",
            ),
        )
    if rule_set.kind.startswith("hierarchical"):
        return Unable(
            f"no secure tag names {who} and nobody else, and the policy belongs to a folder or an organisation",
            ("make a tag there whose purpose is the network, bind it, and name it in the policy",),
        )
    staying = [(member, context.lasting(member)) for member in members]
    if losing := [(member, each.setting) for member, each in staying if not each.stays]:
        labels = shown_labels([member for member, _ in losing], _SHOWN)
        settings = tuple(dict.fromkeys(setting for _, setting in losing))
        where = "them" if len(losing) == len(members) > 1 else labels
        return Unable(
            f"no group names {who} and nobody else, and one that is attached to {where} would not last",
            tuple(f"add a group of its own to {setting}, and plan again" for setting in settings),
        )
    most = {"aws": _MOST_ON_AWS, "azure": _MOST_ON_AZURE}.get(rule_set.provider)
    full = [member for member in members if most is not None and len(_groups_of(context, member)) >= most]
    if full:
        return Unable(
            f"{shown_labels(full, _SHOWN)} carries {counted(most or 0, 'group')} already, as many as the quota allows",
            ("join two of its groups into one, or ask for a higher quota, and plan again",),
        )
    return None


def _groups_of(context: RemedyContext, member: Interface) -> list[str]:
    return sorted(name for name in member.attached if name in context.estate.groups)


def _on_aws(network: Network, name: str, members: Sequence[Interface], reason: str) -> Fresh:
    changes = new_group(network, name, (), reason, ())
    made = next(edit for change in changes for edit in change.edits if isinstance(edit, CreateGroup))
    return Fresh(made.group, tuple(members), (*changes, *_attached(made.group.id, members, name)))


def _attached(group: str, members: Sequence[Interface], name: str) -> tuple[Change, ...]:
    return tuple(
        Change(
            edits=(Attach(member.id, group),),
            phase="add",
            reason=f"{member.label} needs the rule, and is named by {name} from now on",
            evidence=("no rule of the group lets anything in or out, and no other rule names it",),
            undo=_DETACH,
        )
        for member in members
    )


def _azure_id(member: Interface, name: str) -> str:
    """Return the id of a new application security group, in the resource group of a network interface."""
    start = member.own_id.partition("/providers/")[0]
    own = f"{start}/providers/microsoft.network/applicationsecuritygroups/{name}"
    return qualified("azure", scope_of(member.id), own)


def _tag_id(name: str) -> str:
    """Return the id of a new secure tag, which belongs to the organisation as all tags are told."""
    return qualified("gcp", "organization", f"tagValues/{name}")
