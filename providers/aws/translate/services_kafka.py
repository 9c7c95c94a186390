"""Clusters of Managed Streaming for Apache Kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Service
from cloudseg.providers.aws.translate.service_settings import shown

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.placement import Places

__all__ = ["add_kafka"]

_DESCRIPTION = "DO NOT DELETE - Amazon MSK network interface for cluster "


class _PublicAccess(msgspec.Struct, rename="pascal"):
    type: str = ""


class _Connectivity(msgspec.Struct, rename="pascal"):
    public_access: _PublicAccess = msgspec.field(default_factory=_PublicAccess)


class _Brokers(msgspec.Struct, rename="pascal"):
    client_subnets: list[str] = []
    security_groups: list[str] = []
    connectivity_info: _Connectivity = msgspec.field(default_factory=_Connectivity)


class _Unauthenticated(msgspec.Struct, rename="pascal"):
    enabled: bool | None = None


class _Authentication(msgspec.Struct, rename="pascal"):
    unauthenticated: _Unauthenticated = msgspec.field(default_factory=_Unauthenticated)


class _Provisioned(msgspec.Struct, rename="pascal"):
    broker_node_group_info: _Brokers = msgspec.field(default_factory=_Brokers)
    client_authentication: _Authentication = msgspec.field(default_factory=_Authentication)


class _VpcConfig(msgspec.Struct, rename="pascal"):
    subnet_ids: list[str] = []
    security_group_ids: list[str] = []


class _Serverless(msgspec.Struct, rename="pascal"):
    vpc_configs: list[_VpcConfig] = []


class _Cluster(msgspec.Struct, rename="pascal"):
    cluster_arn: str
    cluster_name: str = ""
    tags: dict[str, str] = {}
    provisioned: _Provisioned | None = None
    serverless: _Serverless | None = None


def add_kafka(answers: Answers, places: Places) -> None:
    """Add clusters. Public access is off unless it was turned on, which serverless clusters cannot.

    Sources: https://docs.aws.amazon.com/msk/latest/developerguide/public-access.html
    https://docs.aws.amazon.com/msk/1.0/apireference-v2/v2-clusters.html
    """
    for cluster in answers.each("kafka", "list_clusters_v2", "ClusterInfoList", _Cluster, "services.kafka"):
        service = _cluster(answers, places, cluster)
        exact = [_DESCRIPTION + cluster.cluster_arn + end for end in (".", "")]
        found = [interface for text in exact for interface in places.described(text)]
        places.add(service, found, exposes=True)


def _cluster(answers: Answers, places: Places, cluster: _Cluster) -> Service:
    brokers = cluster.provisioned.broker_node_group_info if cluster.provisioned else _Brokers()
    configs = cluster.serverless.vpc_configs if cluster.serverless else []
    access = brokers.connectivity_info.public_access.type
    public: bool | None = access not in {"", "DISABLED"}
    reason = f"public access is {access or 'not set, which is off'}"
    anonymous: bool | None = None
    if cluster.serverless is not None:
        public, reason, anonymous = False, "a serverless cluster is reached from its VPCs only", False
    elif cluster.provisioned is not None:
        anonymous = cluster.provisioned.client_authentication.unauthenticated.enabled
    else:
        public, reason = None, "the answer says neither how it is provisioned nor that it is serverless"
    subnets = places.ids(brokers.client_subnets) | places.ids(s for config in configs for s in config.subnet_ids)
    groups = places.ids(brokers.security_groups) | places.ids(
        g for config in configs for g in config.security_group_ids
    )
    return Service(
        id=answers.id(cluster.cluster_arn),
        kind="kafka-cluster",
        name=cluster.cluster_name,
        region=answers.region,
        tags=cluster.tags,
        service="kafka",
        public=public,
        anonymous=anonymous,
        reason=reason,
        settings=shown(PublicAccess=access, Unauthenticated=anonymous),
        network=places.network("", subnets, groups),
        subnets=subnets,
        groups=groups,
    )
