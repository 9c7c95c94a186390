"""In-memory databases: ElastiCache and MemoryDB, which have no public endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Service
from cloudseg.providers.aws.translate.arns import arn, named
from cloudseg.providers.aws.translate.service_settings import SubnetGroup, shown

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.placement import Places

__all__ = ["add_elasticache", "add_memorydb"]


class _Membership(msgspec.Struct, rename="pascal"):
    security_group_id: str = ""


class _CacheCluster(msgspec.Struct, rename="pascal"):
    cache_cluster_id: str
    arn: str = msgspec.field(default="", name="ARN")
    engine: str = ""
    cache_subnet_group_name: str = ""
    security_groups: list[_Membership] = []
    replication_group_id: str = ""
    auth_token_enabled: bool | None = None


class _ServerlessCache(msgspec.Struct, rename="pascal"):
    serverless_cache_name: str
    arn: str = msgspec.field(default="", name="ARN")
    engine: str = ""
    security_group_ids: list[str] = []
    subnet_ids: list[str] = []
    user_group_id: str = ""


class _Identified(msgspec.Struct, rename="pascal"):
    identifier: str = ""


class _MemoryDbSubnets(msgspec.Struct, rename="pascal"):
    name: str = ""
    vpc_id: str = ""
    subnets: list[_Identified] = []


class _MemoryDbCluster(msgspec.Struct, rename="pascal"):
    name: str
    arn: str = msgspec.field(default="", name="ARN")
    security_groups: list[_Membership] = []
    subnet_group_name: str = ""
    acl_name: str = msgspec.field(default="", name="ACLName")


def add_elasticache(answers: Answers, places: Places) -> None:
    """Add cache clusters, those of replication groups among them, and serverless caches.

    Caches are reached from their VPC only. Memcached knows no credentials, and neither does a single Redis node
    without AUTH; a replication group may ask for users, which its members do not tell. Sources:
    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/accessing-elasticache.html
    https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CacheCluster.html
    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html
    """
    facet = "services.elasticache"
    listed = answers.each("elasticache", "describe_cache_subnet_groups", "CacheSubnetGroups", SubnetGroup, facet)
    subnet_groups = {group.cache_subnet_group_name: group for group in listed}
    for cluster in answers.each("elasticache", "describe_cache_clusters", "CacheClusters", _CacheCluster, facet):
        group = subnet_groups.get(cluster.cache_subnet_group_name, SubnetGroup())
        subnets = places.ids(subnet.subnet_identifier for subnet in group.subnets)
        groups = places.ids(member.security_group_id for member in cluster.security_groups)
        service = Service(
            id=answers.id(named(cluster.arn, arn(answers, "elasticache", f"cluster:{cluster.cache_cluster_id}"))),
            kind="elasticache-cluster",
            name=cluster.cache_cluster_id,
            region=answers.region,
            service="elasticache",
            public=False,
            anonymous=_cache_is_anonymous(cluster),
            reason="caches have no public endpoints",
            settings=shown(Engine=cluster.engine, AuthTokenEnabled=cluster.auth_token_enabled),
            network=places.network(group.vpc_id, subnets, groups),
            subnets=subnets,
            groups=groups,
        )
        places.add(service, places.described(f"ElastiCache {cluster.cache_cluster_id}"))
    _add_serverless_caches(answers, places)


def _cache_is_anonymous(cluster: _CacheCluster) -> bool | None:
    if cluster.engine == "memcached":
        return True
    if cluster.auth_token_enabled is None or (not cluster.auth_token_enabled and cluster.replication_group_id):
        return None
    return not cluster.auth_token_enabled


def _add_serverless_caches(answers: Answers, places: Places) -> None:
    facet = "services.elasticache"
    for cache in answers.each("elasticache", "describe_serverless_caches", "ServerlessCaches", _ServerlessCache, facet):
        subnets, groups = places.ids(cache.subnet_ids), places.ids(cache.security_group_ids)
        service = Service(
            id=answers.id(
                named(cache.arn, arn(answers, "elasticache", f"serverlesscache:{cache.serverless_cache_name}"))
            ),
            kind="elasticache-serverless",
            name=cache.serverless_cache_name,
            region=answers.region,
            service="elasticache",
            public=False,
            anonymous=not cache.user_group_id,
            reason="caches have no public endpoints",
            settings=shown(Engine=cache.engine, UserGroupId=cache.user_group_id),
            network=places.network("", subnets, groups),
            subnets=subnets,
            groups=groups,
        )
        places.add(service)


def add_memorydb(answers: Answers, places: Places) -> None:
    """Add MemoryDB clusters; the access list ``open-access`` lets anyone in without a password.

    Sources: https://docs.aws.amazon.com/memorydb/latest/APIReference/API_Cluster.html
    https://docs.aws.amazon.com/memorydb/latest/devguide/clusters.acls.html
    """
    facet = "services.memorydb"
    listed = answers.each("memorydb", "describe_subnet_groups", "SubnetGroups", _MemoryDbSubnets, facet)
    subnet_groups = {group.name: group for group in listed}
    for cluster in answers.each("memorydb", "describe_clusters", "Clusters", _MemoryDbCluster, facet):
        group = subnet_groups.get(cluster.subnet_group_name, _MemoryDbSubnets())
        subnets = places.ids(subnet.identifier for subnet in group.subnets)
        groups = places.ids(member.security_group_id for member in cluster.security_groups)
        service = Service(
            id=answers.id(named(cluster.arn, arn(answers, "memorydb", f"cluster/{cluster.name}"))),
            kind="memorydb-cluster",
            name=cluster.name,
            region=answers.region,
            service="memorydb",
            public=False,
            anonymous=cluster.acl_name == "open-access" if cluster.acl_name else None,
            reason="MemoryDB has no public endpoints",
            settings=shown(ACLName=cluster.acl_name),
            network=places.network(group.vpc_id, subnets, groups),
            subnets=subnets,
            groups=groups,
        )
        places.add(service, places.carrying(service, "MemoryDB"))
