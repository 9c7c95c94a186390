"""Instances, which own interfaces; where interfaces themselves were not read, the ones that instances show."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec

from cloudseg.model import Interface, Workload
from cloudseg.providers.aws.translate.interfaces import (
    WireInterface,
    global_ipv6,
    interface_of,
    joined,
    note_primary,
)
from cloudseg.providers.aws.translate.tags import Tag, tags_of

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft

__all__ = ["add_workloads"]

_FACET = "workloads"
_WHAT = "ec2.describe_instances"
_ENDED = frozenset(("shutting-down", "terminated"))
_STOPPED = _ENDED | {"stopped"}


class _State(msgspec.Struct, rename="pascal"):
    name: str = ""


class _Group(msgspec.Struct, rename="pascal"):
    group_id: str


class _Instance(msgspec.Struct, rename="pascal"):
    instance_id: str
    state: _State = msgspec.field(default_factory=_State)
    vpc_id: str = ""
    subnet_id: str = ""
    private_ip_address: str = ""
    public_ip_address: str = ""
    ipv6_address: str = ""
    security_groups: list[_Group] = []
    # Read one by one afterwards: an interface that cannot be understood must not take its instance along.
    network_interfaces: list[object] = []
    source_dest_check: bool = True
    tags: list[Tag] = []


class _Reservation(msgspec.Struct, rename="pascal"):
    instances: list[object] = []
    owner_id: str = ""


def add_workloads(answers: Answers, draft: Draft) -> None:
    """Add the instances, and such interfaces of theirs as no other answer listed.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
    """
    owners = {interface.workload for interface in draft.interfaces.values()}
    for reservation in answers.each("ec2", "describe_instances", "Reservations", _Reservation, _FACET):
        for item in reservation.instances:
            try:
                instance = msgspec.convert(item, _Instance)
            except msgspec.ValidationError as error:
                answers.gap(_WHAT, _instance_id(item), "malformed", str(error), _FACET)
                continue
            workload = _workload(answers, draft, reservation.owner_id, instance)
            draft.put(draft.workloads, workload, answers.scope)
            if instance.state.name not in _ENDED:
                _add_interfaces(answers, draft, instance, workload)
                if instance.vpc_id and not instance.network_interfaces and workload.id not in owners:
                    draft.put(draft.interfaces, _derived(answers, draft, instance, workload), answers.scope)


def _workload(answers: Answers, draft: Draft, owner: str, instance: _Instance) -> Workload:
    tags = tags_of(instance.tags)
    return Workload(
        id=answers.id(instance.instance_id, account=owner),
        kind="instance",
        name=tags.get("Name", ""),
        region=answers.region,
        tags=tags,
        network=draft.id_of(answers, instance.vpc_id) if instance.vpc_id else None,
        running=instance.state.name not in _STOPPED,
    )


def _add_interfaces(answers: Answers, draft: Draft, instance: _Instance, workload: Workload) -> None:
    for item in instance.network_interfaces:
        try:
            wire = msgspec.convert(item, WireInterface)
        except msgspec.ValidationError as error:
            answers.gap(_WHAT, instance.instance_id, "malformed", f"NetworkInterfaces: {error}", "interfaces")
            continue
        found = interface_of(answers, draft, wire, _WHAT)
        note_primary(draft, wire, found.id, workload.id)
        known = draft.interfaces.get(found.id)
        if known is None:
            draft.put(draft.interfaces, msgspec.structs.replace(found, workload=workload.id), answers.scope)
        elif known.workload is None:
            draft.interfaces[known.id] = msgspec.structs.replace(known, workload=workload.id)


def _derived(answers: Answers, draft: Draft, instance: _Instance, workload: Workload) -> Interface:
    """Return the one interface that the instance's own addresses and groups describe, for none was listed at all."""
    texts = (instance.private_ip_address, instance.ipv6_address)
    addresses = joined(answers, _WHAT, instance.instance_id, "interfaces", texts)
    public = joined(answers, _WHAT, instance.instance_id, "interfaces", (instance.public_ip_address,))
    if not instance.security_groups:
        detail = "SecurityGroups is missing; an instance in a VPC always has one"
        answers.gap(_WHAT, instance.instance_id, "unread", detail, "interfaces")
    return Interface(
        id=answers.id(f"{instance.instance_id}/interface", account=workload.scope),
        kind="network-interface",
        name=workload.name,
        region=answers.region,
        network=workload.network,
        subnet=draft.id_of(answers, instance.subnet_id) if instance.subnet_id else None,
        addresses=addresses,
        public=public | global_ipv6(addresses),
        attached=frozenset(draft.id_of(answers, each.group_id) for each in instance.security_groups),
        attached_unread=not instance.security_groups,
        workload=workload.id,
        forwards=not instance.source_dest_check,
        derived=True,
    )


def _instance_id(item: object) -> str:
    if not isinstance(item, dict):
        return ""
    identifier = cast("dict[str, object]", item).get("InstanceId")
    return identifier if isinstance(identifier, str) else ""
