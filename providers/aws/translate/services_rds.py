"""Databases of RDS, with Aurora, DocumentDB and Neptune, which share its API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Service
from cloudseg.providers.aws.translate.arns import arn, named
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

__all__ = ["add_rds"]


class _DbInstance(msgspec.Struct, rename="pascal"):
    db_instance_identifier: str = msgspec.field(name="DBInstanceIdentifier")
    db_instance_arn: str = msgspec.field(default="", name="DBInstanceArn")
    db_cluster_identifier: str = msgspec.field(default="", name="DBClusterIdentifier")
    db_subnet_group: SubnetGroup | None = msgspec.field(default=None, name="DBSubnetGroup")
    engine: str = ""
    publicly_accessible: bool | None = None
    vpc_security_groups: list[GroupMembership] = []
    tag_list: list[Tag] = []


class _DbCluster(msgspec.Struct, rename="pascal"):
    db_cluster_identifier: str = msgspec.field(name="DBClusterIdentifier")
    db_cluster_arn: str = msgspec.field(default="", name="DBClusterArn")
    db_subnet_group: str = msgspec.field(default="", name="DBSubnetGroup")
    engine: str = ""
    engine_mode: str = ""
    db_cluster_members: list[object] = msgspec.field(default_factory=list[object], name="DBClusterMembers")
    publicly_accessible: bool | None = None
    vpc_security_groups: list[GroupMembership] = []
    tag_list: list[Tag] = []


class _DbProxy(msgspec.Struct, rename="pascal"):
    db_proxy_name: str = msgspec.field(name="DBProxyName")
    db_proxy_arn: str = msgspec.field(default="", name="DBProxyArn")
    vpc_id: str = ""
    vpc_security_group_ids: list[str] = []
    vpc_subnet_ids: list[str] = []


def add_rds(answers: Answers, places: Places) -> None:
    """Add database instances, Multi-AZ clusters and clusters of which no instance was read, and proxies.

    ``PubliclyAccessible`` gives the instances a public address; its default depends on the network, so that absence is
    unknown. A cluster has the setting only as a non-Aurora Multi-AZ cluster; that of an Aurora cluster is its
    instances'. Aurora Serverless v1, DocumentDB and proxies have no public address. Sources:
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBCluster.html
    https://docs.aws.amazon.com/documentdb/latest/developerguide/API_DBInstance.html
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.html
    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless.html
    """
    instances = list(answers.each("rds", "describe_db_instances", "DBInstances", _DbInstance, "services.rds"))
    services = [_db_instance(answers, places, instance) for instance in instances]
    places.add_claimants(services, "RDSNetworkInterface")
    members: dict[str, set[str]] = {}
    for instance, service in zip(instances, services, strict=True):
        if instance.db_cluster_identifier:
            members.setdefault(instance.db_cluster_identifier, set()).update(
                places.draft.services[service.id].interfaces
            )
    listed = answers.each("rds", "describe_db_subnet_groups", "DBSubnetGroups", SubnetGroup, "services.rds")
    subnet_groups = {group.db_subnet_group_name: group for group in listed}
    for instance in instances:
        if instance.db_subnet_group is not None:
            subnet_groups[instance.db_subnet_group.db_subnet_group_name] = instance.db_subnet_group
    for cluster in answers.each("rds", "describe_db_clusters", "DBClusters", _DbCluster, "services.rds"):
        if cluster.publicly_accessible is None and cluster.db_cluster_identifier in members:
            continue
        service = _db_cluster(answers, places, cluster, subnet_groups.get(cluster.db_subnet_group, SubnetGroup()))
        own = sorted(members.get(cluster.db_cluster_identifier, ()))
        places.add(service, own, owned=(), exposes=True)
    for proxy in answers.each("rds", "describe_db_proxies", "DBProxies", _DbProxy, "services.rds"):
        service = _db_proxy(answers, places, proxy)
        places.add(service, places.carrying(service, "Network interface for DBProxy"))


def _kind(engine: str, shape: str) -> str:
    family = engine if engine in {"docdb", "neptune"} else "rds"
    return f"{family}-{shape}"


def _db_instance(answers: Answers, places: Places, instance: _DbInstance) -> Service:
    group = instance.db_subnet_group or SubnetGroup()
    subnets = places.ids(subnet.subnet_identifier for subnet in group.subnets)
    groups = places.ids(member.vpc_security_group_id for member in instance.vpc_security_groups)
    public = instance.publicly_accessible
    if instance.engine == "docdb":
        public = public or False
    return Service(
        id=answers.id(named(instance.db_instance_arn, arn(answers, "rds", f"db:{instance.db_instance_identifier}"))),
        kind=_kind(instance.engine, "instance"),
        name=instance.db_instance_identifier,
        region=answers.region,
        tags=tags_of(instance.tag_list),
        service="rds",
        public=public,
        anonymous=False,
        reason=publicly_accessible_reason(public),
        settings=shown(Engine=instance.engine, PubliclyAccessible=instance.publicly_accessible),
        network=places.network(group.vpc_id, subnets, groups),
        subnets=subnets,
        groups=groups,
    )


def _db_cluster(answers: Answers, places: Places, cluster: _DbCluster, group: SubnetGroup) -> Service:
    subnets = places.ids(subnet.subnet_identifier for subnet in group.subnets)
    groups = places.ids(member.vpc_security_group_id for member in cluster.vpc_security_groups)
    public, reason = cluster.publicly_accessible, publicly_accessible_reason(cluster.publicly_accessible)
    if cluster.engine == "docdb":
        public, reason = False, "DocumentDB has no public endpoints"
    elif public is None and cluster.engine_mode == "serverless":
        public, reason = False, "Aurora Serverless v1 has no public endpoints"
    elif public is None and not cluster.db_cluster_members and answers.has("rds", "describe_db_instances"):
        public, reason = False, "it has no instances"
    elif public is None:
        reason = "its instances, which have the setting, were not read"
    return Service(
        id=answers.id(named(cluster.db_cluster_arn, arn(answers, "rds", f"cluster:{cluster.db_cluster_identifier}"))),
        kind=_kind(cluster.engine, "cluster"),
        name=cluster.db_cluster_identifier,
        region=answers.region,
        tags=tags_of(cluster.tag_list),
        service="rds",
        public=public,
        anonymous=False,
        reason=reason,
        settings=shown(
            Engine=cluster.engine, EngineMode=cluster.engine_mode, PubliclyAccessible=cluster.publicly_accessible
        ),
        network=places.network(group.vpc_id, subnets, groups),
        subnets=subnets,
        groups=groups,
    )


def _db_proxy(answers: Answers, places: Places, proxy: _DbProxy) -> Service:
    subnets, groups = places.ids(proxy.vpc_subnet_ids), places.ids(proxy.vpc_security_group_ids)
    return Service(
        id=answers.id(named(proxy.db_proxy_arn, arn(answers, "rds", f"db-proxy:{proxy.db_proxy_name}"))),
        kind="rds-proxy",
        name=proxy.db_proxy_name,
        region=answers.region,
        service="rds",
        public=False,
        anonymous=False,
        reason="a proxy is reached from its VPC only",
        network=places.network(proxy.vpc_id, subnets, groups),
        subnets=subnets,
        groups=groups,
    )
