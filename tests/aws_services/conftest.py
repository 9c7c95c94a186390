"""A small estate around managed services: one VPC with a public subnet, a private one, and a group."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest

from cloudseg.model import Estate
from cloudseg.providers.aws.operations import OPERATIONS
from cloudseg.providers.aws.translate import translate
from cloudseg.snapshot import Part, Snapshot

ACCOUNT = "111122223333"
REGION = "eu-west-1"
KEYS = {f"{each.service}.{each.name}": each.key for each in OPERATIONS} | {
    "ec2.describe_vpc_endpoint_services": "ServiceDetails",
    "elasticache.describe_cache_subnet_groups": "CacheSubnetGroups",
    "es.describe_elasticsearch_domains": "DomainStatusList",
    "memorydb.describe_subnet_groups": "SubnetGroups",
    "rds.describe_db_proxies": "DBProxies",
    "rds.describe_db_subnet_groups": "DBSubnetGroups",
    "redshift.describe_cluster_subnet_groups": "ClusterSubnetGroups",
}
HOME: dict[str, Any] = {
    "ec2.describe_vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "OwnerId": ACCOUNT}],
    "ec2.describe_subnets": [
        {"SubnetId": "subnet-a", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24", "OwnerId": ACCOUNT},
        {"SubnetId": "subnet-b", "VpcId": "vpc-1", "CidrBlock": "10.0.2.0/24", "OwnerId": ACCOUNT},
    ],
    "ec2.describe_security_groups": [
        {"GroupId": own, "GroupName": name, "VpcId": "vpc-1", "OwnerId": ACCOUNT}
        | {"IpPermissions": [], "IpPermissionsEgress": []}
        for own, name in (("sg-1", "data"), ("sg-2", "web"))
    ],
}

Translate = Callable[..., Estate]


@pytest.fixture
def translated() -> Translate:
    """Translate answers named ``service.operation#resource`` beside the VPC; a list gets its key.

    A name that begins with ``global:``, or with another region, is of that region.
    """

    def build(answers: Mapping[str, object]) -> Estate:
        parts: dict[Part, object] = {}
        for name, answer in (HOME | dict(answers)).items():
            what, _, resource = name.partition("#")
            region, _, what = what.rpartition(":")
            service, operation = what.split(".")
            payload: object = {KEYS[what]: cast("list[object]", answer)} if isinstance(answer, list) else answer
            parts[Part("aws", ACCOUNT, region or REGION, service, operation, resource or None)] = payload
        return translate(Snapshot.of(parts))

    return build
