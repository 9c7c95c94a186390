"""EKS clusters: the API server of Kubernetes, and its interfaces in the VPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Service
from cloudseg.providers.aws.translate.arns import arn, named
from cloudseg.providers.aws.translate.service_settings import shown
from cloudseg.traffic import ALL_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.placement import Places

__all__ = ["add_eks"]

_FACET = "services.eks"
_PLACE = ("eks", "describe_cluster")


class _VpcConfig(msgspec.Struct, rename="camel"):
    vpc_id: str = ""
    subnet_ids: list[str] = []
    security_group_ids: list[str] = []
    cluster_security_group_id: str = ""
    endpoint_public_access: bool = True
    endpoint_private_access: bool = False
    public_access_cidrs: list[str] = []


class _Cluster(msgspec.Struct, rename="camel"):
    name: str
    arn: str = ""
    tags: dict[str, str] = {}
    resources_vpc_config: _VpcConfig | None = None


class _Answer(msgspec.Struct):
    cluster: _Cluster


def add_eks(answers: Answers, places: Places) -> None:
    """Add the API server of each cluster.

    Its endpoint is public, to the whole internet, unless settings say otherwise; older answers, made before these
    settings were introduced, omit them. It knows every caller by credentials. Sources:
    https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html
    https://docs.aws.amazon.com/eks/latest/APIReference/API_VpcConfigResponse.html
    https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html
    """
    described: set[str] = set()
    for _, answer in answers.whole(*_PLACE, _Answer, _FACET):
        cluster = answer.cluster
        described.add(cluster.name)
        places.add(_api_server(answers, places, cluster), places.described(f"Amazon EKS {cluster.name}"))
    for name in answers.each("eks", "list_clusters", "clusters", str, _FACET):
        if name not in described:
            places.add(_api_server(answers, places, _Cluster(name), read=False))


def _api_server(answers: Answers, places: Places, cluster: _Cluster, *, read: bool = True) -> Service:
    vpc = cluster.resources_vpc_config or _VpcConfig()
    subnets = places.ids(vpc.subnet_ids)
    groups = places.ids((*vpc.security_group_ids, vpc.cluster_security_group_id))
    cidrs = vpc.public_access_cidrs
    limit = answers.understood(_PLACE, cluster.name, _FACET, lambda: AddressSet.from_cidrs(cidrs)) if cidrs else None
    sources = ALL_ADDRESSES if limit is None else limit
    public: bool | None = vpc.endpoint_public_access
    reason = "its public endpoint is off"
    if cluster.resources_vpc_config is None:
        public = None
        reason = "AWS does not run it, it was only registered" if read else "the cluster was not described"
    elif public:
        reason = f"its public endpoint is on, for {sources}"
    return Service(
        id=answers.id(named(cluster.arn, arn(answers, "eks", f"cluster/{cluster.name}"))),
        kind="eks-cluster",
        name=cluster.name,
        region=answers.region,
        tags=cluster.tags,
        service="eks",
        public=public,
        sources=sources,
        anonymous=False,
        reason=reason,
        settings={}
        if cluster.resources_vpc_config is None
        else shown(
            endpointPublicAccess=vpc.endpoint_public_access,
            endpointPrivateAccess=vpc.endpoint_private_access,
            publicAccessCidrs=", ".join(cidrs),
        ),
        control_plane=True,
        network=places.network(vpc.vpc_id, subnets, groups),
        subnets=subnets,
        groups=groups,
    )
