"""Redshift: clusters and serverless workgroups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Service
from cloudseg.providers.aws.translate.arns import arn, named
from cloudseg.providers.aws.translate.interfaces import joined
from cloudseg.providers.aws.translate.service_settings import (
    GroupMembership,
    SubnetGroup,
    publicly_accessible_reason,
    shown,
)
from cloudseg.providers.aws.translate.tags import Tag, tags_of

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.placement import Places
    from cloudseg.traffic import AddressSet

__all__ = ["add_redshift"]

_FACET = "services.redshift"


class _Node(msgspec.Struct, rename="pascal"):
    private_ip_address: str = msgspec.field(default="", name="PrivateIPAddress")
    public_ip_address: str = msgspec.field(default="", name="PublicIPAddress")


class _RedshiftCluster(msgspec.Struct, rename="pascal"):
    cluster_identifier: str
    cluster_subnet_group_name: str = ""
    vpc_id: str = ""
    publicly_accessible: bool | None = None
    vpc_security_groups: list[GroupMembership] = []
    cluster_nodes: list[_Node] = []
    tags: list[Tag] = []


class _WorkgroupInterface(msgspec.Struct, rename="camel"):
    network_interface_id: str = ""


class _WorkgroupVpcEndpoint(msgspec.Struct, rename="camel"):
    vpc_id: str = ""
    network_interfaces: list[_WorkgroupInterface] = []


class _WorkgroupEndpoint(msgspec.Struct, rename="camel"):
    vpc_endpoints: list[_WorkgroupVpcEndpoint] = []


class _Workgroup(msgspec.Struct, rename="camel"):
    workgroup_name: str
    workgroup_arn: str = ""
    publicly_accessible: bool | None = None
    security_group_ids: list[str] = []
    subnet_ids: list[str] = []
    endpoint: _WorkgroupEndpoint = msgspec.field(default_factory=_WorkgroupEndpoint)


def add_redshift(answers: Answers, places: Places) -> None:
    """Add Redshift clusters and serverless workgroups.

    ``PubliclyAccessible`` decides; the public addresses of nodes are listed for clusters that are not public too, where
    they mean nothing. Sources:
    https://docs.aws.amazon.com/redshift/latest/APIReference/API_Cluster.html
    https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_Workgroup.html
    """
    key = "ClusterSubnetGroups"
    listed = answers.each("redshift", "describe_cluster_subnet_groups", key, SubnetGroup, _FACET)
    subnet_groups = {group.cluster_subnet_group_name: group for group in listed}
    services: list[Service] = []
    addresses: dict[str, tuple[AddressSet, AddressSet]] = {}
    for cluster in answers.each("redshift", "describe_clusters", "Clusters", _RedshiftCluster, _FACET):
        group = subnet_groups.get(cluster.cluster_subnet_group_name, SubnetGroup())
        service = _redshift_cluster(answers, places, cluster, group)
        services.append(service)
        addresses[service.id] = _node_addresses(answers, cluster)
    places.add_claimants(services, "RedshiftNetworkInterface", addresses)
    _add_workgroups(answers, places)


def _redshift_cluster(answers: Answers, places: Places, cluster: _RedshiftCluster, group: SubnetGroup) -> Service:
    subnets = places.ids(subnet.subnet_identifier for subnet in group.subnets)
    groups = places.ids(member.vpc_security_group_id for member in cluster.vpc_security_groups)
    return Service(
        id=answers.id(arn(answers, "redshift", f"cluster:{cluster.cluster_identifier}")),
        kind="redshift-cluster",
        name=cluster.cluster_identifier,
        region=answers.region,
        tags=tags_of(cluster.tags),
        service="redshift",
        public=cluster.publicly_accessible,
        anonymous=False,
        reason=publicly_accessible_reason(cluster.publicly_accessible),
        settings=shown(PubliclyAccessible=cluster.publicly_accessible),
        network=places.network(cluster.vpc_id, subnets, groups),
        subnets=subnets,
        groups=groups,
    )


def _node_addresses(answers: Answers, cluster: _RedshiftCluster) -> tuple[AddressSet, AddressSet]:
    place = (answers, "redshift.describe_clusters", cluster.cluster_identifier, _FACET)
    public = [node.public_ip_address for node in cluster.cluster_nodes] if cluster.publicly_accessible else []
    return joined(*place, (node.private_ip_address for node in cluster.cluster_nodes)), joined(*place, public)


def _add_workgroups(answers: Answers, places: Places) -> None:
    for group in answers.each("redshift-serverless", "list_workgroups", "workgroups", _Workgroup, _FACET):
        subnets, groups = places.ids(group.subnet_ids), places.ids(group.security_group_ids)
        endpoints = group.endpoint.vpc_endpoints
        vpc = next((endpoint.vpc_id for endpoint in endpoints if endpoint.vpc_id), "")
        own = named(group.workgroup_arn, arn(answers, "redshift-serverless", f"workgroup/{group.workgroup_name}"))
        service = Service(
            id=answers.id(own),
            kind="redshift-serverless-workgroup",
            name=group.workgroup_name,
            region=answers.region,
            service="redshift",
            public=group.publicly_accessible,
            anonymous=False,
            reason=publicly_accessible_reason(group.publicly_accessible),
            settings=shown(publiclyAccessible=group.publicly_accessible),
            network=places.network(vpc, subnets, groups),
            subnets=subnets,
            groups=groups,
        )
        faces = [face.network_interface_id for endpoint in endpoints for face in endpoint.network_interfaces]
        places.add(service, places.known(faces), exposes=True)
