from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import Estate, Service
from cloudseg.reach.ways import is_public
from cloudseg.traffic import AddressSet

Translate = Callable[..., Estate]
HERE = "aws:111122223333:eu-west-1"
GROUPS = {"VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1", "Status": "active"}]}
SUBNETS = {
    "DBSubnetGroup": {
        "DBSubnetGroupName": "default",
        "VpcId": "vpc-1",
        "Subnets": [{"SubnetIdentifier": "subnet-a"}, {"SubnetIdentifier": "subnet-b"}],
    }
}


def eni(own: str, description: str, subnet: str = "subnet-a", *, public: str = "", group: str = "sg-1") -> Any:
    found = {
        "NetworkInterfaceId": own, "VpcId": "vpc-1", "SubnetId": subnet, "OwnerId": "111122223333",
        "Description": description, "Groups": [{"GroupId": group}],
    }  # fmt: skip
    return found | {"Association": {"PublicIp": public}} if public else found


def database(own: str, *, public: bool) -> dict[str, Any]:
    return {"DBInstanceIdentifier": own, "PubliclyAccessible": public} | GROUPS | SUBNETS


def of(estate: Estate, name: str) -> Service:
    (service,) = (service for service in estate.services.values() if service.name == name)
    return service


def test_a_database_without_interfaces_that_were_read_gets_one_a_subnet(translated: Translate) -> None:
    estate = translated({"rds.describe_db_instances": [database("db", public=True)]})
    service = of(estate, "db")
    found = [estate.interfaces[own] for own in sorted(service.interfaces)]
    assert [(each.subnet, each.network) for each in found] == [
        (f"{HERE}:subnet-a", f"{HERE}:vpc-1"),
        (f"{HERE}:subnet-b", f"{HERE}:vpc-1"),
    ]
    for each in found:
        assert each.derived
        assert each.public_unlisted
        assert each.has_public_address(4)
        assert each.attached == {f"{HERE}:sg-1"}
        assert estate.owner_of(each) == service
    assert estate.members(f"{HERE}:sg-1") == tuple(found)


def test_a_private_database_gets_interfaces_without_a_public_address(translated: Translate) -> None:
    estate = translated({"rds.describe_db_instances": [database("db", public=False)]})
    assert [each.has_public_address(4) for each in estate.interfaces.values()] == [False, False]


@pytest.mark.parametrize(
    "instance",
    [
        {"DBInstanceIdentifier": "db", "PubliclyAccessible": True},
        {"DBInstanceIdentifier": "db", "PubliclyAccessible": True} | GROUPS,
    ],
)
def test_a_public_database_of_unknown_place_still_has_a_public_interface(
    translated: Translate, instance: dict[str, Any]
) -> None:
    estate = translated({"rds.describe_db_instances": [instance]})
    (interface,) = estate.interfaces.values()
    assert interface.has_public_address(4)
    assert interface.subnet is None


def test_interfaces_that_were_read_are_linked_and_none_is_derived(translated: Translate) -> None:
    answers = {
        "rds.describe_db_instances": [database("db", public=True)],
        "ec2.describe_network_interfaces": [
            eni("eni-db", "RDSNetworkInterface", public="203.0.113.9"),
            eni("eni-other", "RDSNetworkInterface", group="sg-2"),
            eni("eni-vm", "web server"),
        ],
    }
    estate = translated(answers)
    service = of(estate, "db")
    assert service.interfaces == {f"{HERE}:eni-db"}
    assert {own: each.workload for own, each in estate.interfaces.items()} == {
        f"{HERE}:eni-db": service.id,
        f"{HERE}:eni-other": None,
        f"{HERE}:eni-vm": None,
    }
    assert not estate.interfaces[f"{HERE}:eni-db"].public_unlisted


def test_twins_are_told_apart_by_their_public_address(translated: Translate) -> None:
    answers = {
        "rds.describe_db_instances": [database("inner", public=False), database("outer", public=True)],
        "ec2.describe_network_interfaces": [
            eni("eni-1", "RDSNetworkInterface", public="203.0.113.9"),
            eni("eni-2", "RDSNetworkInterface"),
        ],
    }
    estate = translated(answers)
    assert of(estate, "inner").interfaces == {f"{HERE}:eni-2"}
    assert of(estate, "outer").interfaces == {f"{HERE}:eni-1"}


def test_twins_that_nothing_tells_apart_name_both_interfaces_and_own_one_each(translated: Translate) -> None:
    answers = {
        "rds.describe_db_instances": [database("a", public=False), database("b", public=False)],
        "ec2.describe_network_interfaces": [eni(own, "RDSNetworkInterface") for own in ("eni-1", "eni-2")],
    }
    estate = translated(answers)
    both = {f"{HERE}:eni-1", f"{HERE}:eni-2"}
    assert of(estate, "a").interfaces == of(estate, "b").interfaces == both
    assert {each.workload for each in estate.interfaces.values()} == {of(estate, "a").id, of(estate, "b").id}


def test_a_public_database_whose_address_is_not_listed_is_public_all_the_same(translated: Translate) -> None:
    answers = {
        "rds.describe_db_instances": [database("db", public=True)],
        "ec2.describe_network_interfaces": [eni("eni-1", "RDSNetworkInterface")],
    }
    estate = translated(answers)
    assert estate.interfaces[f"{HERE}:eni-1"].public_unlisted


@pytest.mark.parametrize(
    ("operation", "answer", "description"),
    [
        (
            "redshift.describe_clusters",
            [{"ClusterIdentifier": "c", "VpcId": "vpc-1", "PubliclyAccessible": False} | GROUPS],
            "RedshiftNetworkInterface",
        ),
        (
            "dms.describe_replication_instances",
            [{"ReplicationInstanceIdentifier": "c", "PubliclyAccessible": False} | GROUPS],
            "DMSNetworkInterface",
        ),
        (
            "elasticache.describe_cache_clusters",
            [{"CacheClusterId": "c", "SecurityGroups": [{"SecurityGroupId": "sg-1"}]}],
            "ElastiCache c",
        ),
        ("opensearch.describe_domains", [{"DomainName": "c", "VPCOptions": {"VPCId": "vpc-1"}}], "ES c"),
        (
            "kafka.list_clusters_v2",
            [{"ClusterArn": "arn:k", "ClusterName": "c", "Provisioned": {"NumberOfBrokerNodes": 1}}],
            "DO NOT DELETE - Amazon MSK network interface for cluster arn:k.",
        ),
        (
            "eks.describe_cluster#c",
            {"cluster": {"name": "c", "resourcesVpcConfig": {"vpcId": "vpc-1"}}},
            "Amazon EKS c",
        ),
        (
            "lambda.list_functions",
            [{"FunctionName": "c", "VpcConfig": {"VpcId": "vpc-1", "SecurityGroupIds": ["sg-1"]}}],
            "AWS Lambda VPC ENI-c-8c7ac78b-e11d-4dea-8a47-ab2bdeba9bf5",
        ),
    ],
)
def test_a_service_finds_its_interface_by_what_it_is_called(
    translated: Translate, operation: str, answer: object, description: str
) -> None:
    faces = [eni("eni-1", description), eni("eni-2", "something else")]
    estate = translated({operation: answer, "ec2.describe_network_interfaces": faces})
    service = of(estate, "c")
    assert service.interfaces == {f"{HERE}:eni-1"}
    assert estate.interfaces[f"{HERE}:eni-1"].workload == service.id
    assert len(estate.interfaces) == 2


def test_functions_of_equal_groups_share_an_interface_that_bears_the_name_of_one(translated: Translate) -> None:
    config = {"VpcConfig": {"VpcId": "vpc-1", "SubnetIds": ["subnet-a"], "SecurityGroupIds": ["sg-1"]}}
    answers = {
        "lambda.list_functions": [{"FunctionName": name} | config for name in ("a", "b")],
        "ec2.describe_network_interfaces": [eni("eni-1", "AWS Lambda VPC ENI-a-8c7ac78b-e11d-4dea-8a47-ab2bdeba9bf5")],
    }
    estate = translated(answers)
    assert of(estate, "a").interfaces == of(estate, "b").interfaces == {f"{HERE}:eni-1"}
    assert estate.interfaces[f"{HERE}:eni-1"].workload == of(estate, "a").id


def test_mount_targets_name_their_interfaces_and_those_not_read_are_made(translated: Translate) -> None:
    targets = [
        {"MountTargetId": "fsmt-1", "FileSystemId": "fs-1", "SubnetId": "subnet-a", "NetworkInterfaceId": "eni-1"},
        {
            "MountTargetId": "fsmt-2", "FileSystemId": "fs-1", "SubnetId": "subnet-b", "NetworkInterfaceId": "eni-2",
            "IpAddress": "10.0.2.7",
        },
    ]  # fmt: skip
    answers = {
        "efs.describe_file_systems": [{"FileSystemId": "fs-1", "Name": "home"}],
        "efs.describe_mount_targets#fs-1": targets,
        "efs.describe_mount_target_security_groups#fsmt-2": ["sg-2"],
        "ec2.describe_network_interfaces": [eni("eni-1", "EFS mount target for fs-1 (fsmt-1)")],
    }
    estate = translated(answers)
    service = of(estate, "home")
    assert service.interfaces == {f"{HERE}:eni-1", f"{HERE}:eni-2"}
    assert service.groups == {f"{HERE}:sg-1", f"{HERE}:sg-2"}
    assert {each.workload for each in estate.interfaces.values()} == {service.id}
    made = estate.interfaces[f"{HERE}:eni-2"]
    assert (made.derived, made.addresses, made.attached) == (True, AddressSet.parse("10.0.2.7"), {f"{HERE}:sg-2"})


def test_a_replication_instance_stands_in_the_subnet_of_its_address(translated: Translate) -> None:
    instance = {
        "ReplicationInstanceIdentifier": "r",
        "PubliclyAccessible": True,
        "ReplicationSubnetGroup": SUBNETS["DBSubnetGroup"],
        "ReplicationInstancePrivateIpAddresses": ["10.0.2.5"],
        "ReplicationInstancePublicIpAddresses": ["203.0.113.5"],
    } | GROUPS
    estate = translated({"dms.describe_replication_instances": [instance]})
    (interface,) = estate.interfaces.values()
    assert interface.subnet == f"{HERE}:subnet-b"
    assert interface.public == AddressSet.parse("203.0.113.5")


def test_a_serverless_warehouse_names_its_interfaces(translated: Translate) -> None:
    faces = [{"networkInterfaceId": "eni-1"}]
    workgroup = {
        "workgroupName": "w", "publiclyAccessible": True, "subnetIds": ["subnet-a"], "securityGroupIds": ["sg-1"],
        "endpoint": {"vpcEndpoints": [{"vpcId": "vpc-1", "networkInterfaces": faces}]},
    }  # fmt: skip
    answers = {
        "redshift-serverless.list_workgroups": [workgroup],
        "ec2.describe_network_interfaces": [eni("eni-1", "Redshift serverless")],
    }
    service = of(translated(answers), "w")
    assert (service.public, service.interfaces) == (True, {f"{HERE}:eni-1"})


def test_a_cache_without_its_subnets_stands_in_the_network_of_its_groups(translated: Translate) -> None:
    cluster = {"CacheClusterId": "c", "SecurityGroups": [{"SecurityGroupId": "sg-1"}]}
    estate = translated({"elasticache.describe_cache_clusters": [cluster]})
    (interface,) = estate.interfaces.values()
    assert (interface.network, interface.subnet) == (f"{HERE}:vpc-1", None)


def test_the_public_endpoint_of_a_cluster_is_not_an_address_of_its_interfaces(translated: Translate) -> None:
    config = {"vpcId": "vpc-1", "subnetIds": ["subnet-a"], "clusterSecurityGroupId": "sg-1", "securityGroupIds": []}
    estate = translated({"eks.describe_cluster#c": {"cluster": {"name": "c", "resourcesVpcConfig": config}}})
    (interface,) = estate.interfaces.values()
    assert (of(estate, "c").public, interface.has_public_address(4)) == (True, False)
    assert interface.attached == {f"{HERE}:sg-1"}


@pytest.mark.semantics(47)
def test_a_database_in_a_shared_network_stands_in_the_owners(translated: Translate) -> None:
    owner = "999988887777"
    answers = {
        "ec2.describe_vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "OwnerId": owner}],
        "ec2.describe_subnets": [
            {"SubnetId": "subnet-a", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24", "OwnerId": owner}
        ],
        "rds.describe_db_instances": [database("db", public=False)],
    }
    service = of(translated(answers), "db")
    assert service.network == f"aws:{owner}:eu-west-1:vpc-1"
    assert f"aws:{owner}:eu-west-1:subnet-a" in service.subnets
    assert service.scope == "111122223333"


def test_a_cluster_whose_instances_were_not_read_may_have_a_public_address(translated: Translate) -> None:
    cluster = {"DBClusterIdentifier": "c", "Engine": "aurora-mysql"} | GROUPS
    members = {"DBClusterMembers": [{"DBInstanceIdentifier": "elsewhere"}]}
    estate = translated({"rds.describe_db_clusters": [cluster | members]})
    (interface,) = estate.interfaces.values()
    assert interface.public_unlisted is None
    assert is_public(interface, 4, estate) is None
    serverless = translated({"rds.describe_db_clusters": [cluster | {"EngineMode": "serverless"}]})
    (interface,) = serverless.interfaces.values()
    assert is_public(interface, 4, serverless) is False


def test_groups_of_a_database_that_the_answer_leaves_out_are_unknown(translated: Translate) -> None:
    database = {"DBInstanceIdentifier": "db", "PubliclyAccessible": False} | SUBNETS
    cut = translated({"rds.describe_db_instances": [database]})
    assert {each.attached_unread for each in cut.interfaces.values()} == {True}
    assert [(gap.reason, gap.facets) for gap in cut.gaps] == [("unread", ("services.rds",))]
    whole = translated({"rds.describe_db_instances": [database | GROUPS]})
    assert ({each.attached_unread for each in whole.interfaces.values()}, whole.gaps) == ({False}, ())


@pytest.mark.parametrize(("groups", "unread"), [({}, True), ({"fsmt-1": ["sg-1"]}, False)])
def test_groups_of_a_mount_target_that_were_not_read_are_unknown(
    translated: Translate, groups: dict[str, list[str]], *, unread: bool
) -> None:
    target = {"MountTargetId": "fsmt-1", "FileSystemId": "fs-1", "SubnetId": "subnet-a", "VpcId": "vpc-1"}
    answers: dict[str, object] = {
        "efs.describe_file_systems": [{"FileSystemId": "fs-1"}],
        "efs.describe_mount_targets#fs-1": [target],
    }
    named = {f"efs.describe_mount_target_security_groups#{own}": answer for own, answer in groups.items()}
    estate = translated(answers | named)
    (interface,) = estate.interfaces.values()
    assert interface.attached_unread is unread
    assert [gap.resource for gap in estate.gaps] == (["fsmt-1"] if unread else [])
