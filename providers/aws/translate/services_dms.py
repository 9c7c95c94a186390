"""Replication instances of the Database Migration Service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Service
from cloudseg.providers.aws.translate.arns import arn, named
from cloudseg.providers.aws.translate.interfaces import joined
from cloudseg.providers.aws.translate.service_settings import (
    GroupMembership,
    SubnetMembership,
    publicly_accessible_reason,
    shown,
)

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.placement import Places
    from cloudseg.traffic import AddressSet

__all__ = ["add_dms"]

_FACET = "services.dms"


class _ReplicationSubnets(msgspec.Struct, rename="pascal"):
    vpc_id: str = ""
    subnets: list[SubnetMembership] = []


class _ReplicationInstance(msgspec.Struct, rename="pascal"):
    replication_instance_identifier: str
    replication_instance_arn: str = ""
    publicly_accessible: bool | None = None
    vpc_security_groups: list[GroupMembership] = []
    replication_subnet_group: _ReplicationSubnets = msgspec.field(default_factory=_ReplicationSubnets)
    replication_instance_private_ip_address: str | None = None
    replication_instance_public_ip_address: str | None = None
    replication_instance_private_ip_addresses: list[str] = []
    replication_instance_public_ip_addresses: list[str] = []


def add_dms(answers: Answers, places: Places) -> None:
    """Add replication instances; ``PubliclyAccessible`` gives one a public address.

    Source: https://docs.aws.amazon.com/dms/latest/APIReference/API_ReplicationInstance.html
    """
    place = ("dms", "describe_replication_instances")
    services: list[Service] = []
    addresses: dict[str, tuple[AddressSet, AddressSet]] = {}
    for wire in answers.each(*place, "ReplicationInstances", _ReplicationInstance, _FACET):
        service = _replication_instance(answers, places, wire)
        own = wire.replication_instance_identifier
        private = [wire.replication_instance_private_ip_address, *wire.replication_instance_private_ip_addresses]
        public = [wire.replication_instance_public_ip_address, *wire.replication_instance_public_ip_addresses]
        outside = public if wire.publicly_accessible else []
        addresses[service.id] = (
            joined(answers, ".".join(place), own, _FACET, (text or "" for text in private)),
            joined(answers, ".".join(place), own, _FACET, (text or "" for text in outside)),
        )
        services.append(service)
    places.add_claimants(services, "DMSNetworkInterface", addresses)


def _replication_instance(answers: Answers, places: Places, instance: _ReplicationInstance) -> Service:
    group = instance.replication_subnet_group
    subnets = places.ids(subnet.subnet_identifier for subnet in group.subnets)
    groups = places.ids(member.vpc_security_group_id for member in instance.vpc_security_groups)
    own = named(
        instance.replication_instance_arn, arn(answers, "dms", f"rep:{instance.replication_instance_identifier}")
    )
    return Service(
        id=answers.id(own),
        kind="dms-replication-instance",
        name=instance.replication_instance_identifier,
        region=answers.region,
        service="dms",
        public=instance.publicly_accessible,
        anonymous=False,
        reason=publicly_accessible_reason(instance.publicly_accessible),
        settings=shown(PubliclyAccessible=instance.publicly_accessible),
        network=places.network(group.vpc_id, subnets, groups),
        subnets=subnets,
        groups=groups,
    )
