"""Elastic File System: file systems with their mount targets."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Interface, Service
from cloudseg.providers.aws.translate.arns import arn, named
from cloudseg.providers.aws.translate.interfaces import joined
from cloudseg.providers.aws.translate.tags import Tag, tags_of

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.placement import Places

__all__ = ["add_efs"]

_FACET = "services.efs"
_GROUPS = ("efs", "describe_mount_target_security_groups")


class _FileSystem(msgspec.Struct, rename="pascal"):
    file_system_id: str
    file_system_arn: str = ""
    name: str = ""
    tags: list[Tag] = []


class _MountTarget(msgspec.Struct, rename="pascal"):
    mount_target_id: str
    file_system_id: str = ""
    subnet_id: str = ""
    vpc_id: str = ""
    network_interface_id: str = ""
    ip_address: str = ""
    ipv6_address: str = ""


class _Groups(msgspec.Struct, rename="pascal"):
    security_groups: list[str] = []


def add_efs(answers: Answers, places: Places) -> None:
    """Add file systems, each with the interfaces of its mount targets, through which alone it is reached.

    Whether NFS clients need credentials is up to the file system's policy, which is not read. Sources:
    https://docs.aws.amazon.com/efs/latest/ug/API_MountTargetDescription.html
    https://docs.aws.amazon.com/efs/latest/ug/accessing-fs-create-security-groups.html
    """
    targets: defaultdict[str, list[_MountTarget]] = defaultdict(list)
    for target in answers.each("efs", "describe_mount_targets", "MountTargets", _MountTarget, _FACET):
        targets[target.file_system_id].append(target)
    groups: dict[str, frozenset[str]] = {}
    for resource, answer in answers.whole(*_GROUPS, _Groups, _FACET):
        groups[resource] = places.ids(answer.security_groups)
    systems = {
        system.file_system_id: system
        for system in answers.each("efs", "describe_file_systems", "FileSystems", _FileSystem, _FACET)
    }
    for own in [*systems, *(own for own in targets if own not in systems)]:
        _add_file_system(answers, places, systems.get(own, _FileSystem(own)), targets[own], groups)


def _add_file_system(
    answers: Answers,
    places: Places,
    system: _FileSystem,
    targets: list[_MountTarget],
    groups: dict[str, frozenset[str]],
) -> None:
    subnets = places.ids(target.subnet_id for target in targets)
    vpc = next((target.vpc_id for target in targets if target.vpc_id), "")
    resource = f"file-system/{system.file_system_id}"
    service = Service(
        id=answers.id(named(system.file_system_arn, arn(answers, "elasticfilesystem", resource))),
        kind="efs-file-system",
        name=system.name or system.file_system_id,
        region=answers.region,
        tags=tags_of(system.tags),
        service="efs",
        public=False,
        reason="a file system is reached through its mount targets only",
        network=places.network(vpc, subnets, frozenset()),
        subnets=subnets,
    )
    interfaces: list[str] = []
    attached: frozenset[str] = frozenset()
    for target in targets:
        known = places.known([target.network_interface_id])
        if known:
            carried = places.draft.interfaces[known[0]].attached
        else:
            carried = groups.get(target.mount_target_id, frozenset())
            if not carried and answers.failed(*_GROUPS, target.mount_target_id) is None:
                detail = "the security groups of the mount target were not read; it always has one"
                answers.gap(".".join(_GROUPS), target.mount_target_id, "unread", detail, _FACET)
            derived = _mount_target(answers, places, service, target, carried)
            places.draft.put(places.draft.interfaces, derived, answers.scope)
            known = [derived.id]
        attached |= carried
        interfaces += known
    service = msgspec.structs.replace(service, groups=attached)
    if interfaces:
        places.add(service, interfaces)
    else:
        places.draft.put(places.draft.services, service, answers.scope)


def _mount_target(
    answers: Answers, places: Places, service: Service, target: _MountTarget, groups: frozenset[str]
) -> Interface:
    texts = (target.ip_address, target.ipv6_address)
    return Interface(
        id=answers.id(target.network_interface_id or f"{service.own_id}/{target.mount_target_id}"),
        kind="network-interface",
        name=target.mount_target_id,
        region=answers.region,
        network=service.network,
        subnet=places.id(target.subnet_id) if target.subnet_id else None,
        addresses=joined(answers, "efs.describe_mount_targets", target.mount_target_id, _FACET, texts),
        attached=groups,
        attached_unread=not groups,
        workload=service.id,
        role="efs",
        derived=True,
        managed_by="amazon-efs",
    )
