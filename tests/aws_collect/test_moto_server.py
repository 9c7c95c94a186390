"""The whole collection against moto's HTTP server: a real client, real protocols, real paging."""

import io
import json
import logging
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.client import BaseClient
from moto.server import ThreadedMotoServer

from cloudseg.providers.aws.calls import call
from cloudseg.providers.aws.collect import AwsOptions, collect
from cloudseg.providers.aws.operations import OPERATIONS
from cloudseg.snapshot import Part, Snapshot, load, save

ACCOUNT = "123456789012"
MEMBER = "210987654321"
ONE = AwsOptions(regions=("us-east-1",), attempts=1)

# What this emulator lacks; AWS has all of it.
NOT_IN_MOTO = {
    ("cloudfront", "list_vpc_origins"),
    ("ec2", "describe_instance_connect_endpoints"),
    ("ec2", "describe_security_group_vpc_associations"),
    ("ec2", "describe_verified_access_endpoints"),
    ("ec2", "describe_vpc_block_public_access_exclusions"),
    ("ec2", "describe_vpc_block_public_access_options"),
    ("ec2", "describe_vpc_endpoint_connections"),
    ("ecr-public", "describe_repositories"),
    ("elasticache", "describe_serverless_caches"),
    ("globalaccelerator", "list_accelerators"),
    ("globalaccelerator", "list_custom_routing_accelerators"),
    ("lambda", "list_function_url_configs"),
    ("redshift-serverless", "list_workgroups"),
    ("vpc-lattice", "get_service_network_vpc_association"),
    ("vpc-lattice", "list_resource_gateways"),
}


SESSION = botocore.session.get_session()


@cache
def client_of(service: str) -> BaseClient:
    client: BaseClient = SESSION.create_client(service, region_name="us-east-1")
    return client


def ask(service: str, operation: str, **arguments: object) -> dict[str, Any]:
    return call(client_of(service), operation, **arguments)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    logging.getLogger("werkzeug").disabled = True
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    _, port = moto.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "dummy")
        fill()
    yield f"http://127.0.0.1:{port}"
    moto.stop()


@pytest.fixture(autouse=True)
def endpoint(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)


@pytest.fixture(scope="module")
def estate(server: str) -> Snapshot:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server)
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "dummy")
        return collect(ONE)


def fill() -> None:
    """One of everything that this emulator can hold."""
    vpc = ask("ec2", "create_vpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ask("ec2", "create_subnet", VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")
        for number, zone in enumerate("ab")
    ]
    subnet_ids = [subnet["Subnet"]["SubnetId"] for subnet in subnets]
    group = ask("ec2", "create_security_group", GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    image = "ami-12c6146b"
    placed = {"SubnetId": subnet_ids[0], "SecurityGroupIds": [group]}
    ask("ec2", "run_instances", ImageId=image, MinCount=2, MaxCount=2, **placed)
    template = {"ImageId": image, "UserData": "c2VjcmV0", "SecurityGroupIds": [group]}
    ask("ec2", "create_launch_template", LaunchTemplateName="web", LaunchTemplateData=template)
    ask("ec2", "create_managed_prefix_list", PrefixListName="office", AddressFamily="IPv4", MaxEntries=2,
        Entries=[{"Cidr": "203.0.113.0/24", "Description": "HQ"}])  # fmt: skip
    gateway = ask("ec2", "create_transit_gateway")["TransitGateway"]["TransitGatewayId"]
    ask("ec2", "create_transit_gateway_route_table", TransitGatewayId=gateway)
    balancer = ask(
        "elbv2", "create_load_balancer", Name="web", Subnets=subnet_ids, SecurityGroups=[group], Type="network"
    )
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    target = ask("elbv2", "create_target_group", Name="web", Protocol="TCP", Port=80, VpcId=vpc)
    forward = [{"Type": "forward", "TargetGroupArn": target["TargetGroups"][0]["TargetGroupArn"]}]
    ask("elbv2", "create_listener", LoadBalancerArn=arn, Protocol="TCP", Port=80, DefaultActions=forward)
    ask("ec2", "create_vpc_endpoint_service_configuration", NetworkLoadBalancerArns=[arn])
    balancer = ask("elbv2", "create_load_balancer", Name="shop", Subnets=subnet_ids, SecurityGroups=[group])
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    fixed = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    ask("elbv2", "create_listener", LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=fixed)
    heard = {"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 8080}
    ask("elb", "create_load_balancer", LoadBalancerName="old", Listeners=[heard], Subnets=subnet_ids)
    network = ask("vpc-lattice", "create_service_network", name="shop")["id"]
    ask("vpc-lattice", "create_service_network_vpc_association", serviceNetworkIdentifier=network, vpcIdentifier=vpc)
    ask("s3", "create_bucket", Bucket="open-logs")
    ask("s3", "create_bucket", Bucket="closed-logs")
    block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    ask("s3", "put_public_access_block", Bucket="closed-logs", PublicAccessBlockConfiguration=block)
    for number in range(6):
        ask("opensearch", "create_domain", DomainName=f"search-{number}")
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    arn = ask("iam", "create_role", RoleName="any", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("f.py", "")
    ask("lambda", "create_function", FunctionName="f", Runtime="python3.13", Role=arn, Handler="f.f",
        Code={"ZipFile": code.getvalue()}, Environment={"Variables": {"PASSWORD": "secret"}})  # fmt: skip
    ask("eks", "create_cluster", name="main", roleArn=arn, resourcesVpcConfig={"subnetIds": subnet_ids})
    file_system = ask("efs", "create_file_system", CreationToken="x")["FileSystemId"]
    ask("efs", "create_mount_target", FileSystemId=file_system, SubnetId=subnet_ids[0], SecurityGroups=[group])
    cluster = ask("ecs", "create_cluster", clusterName="main")["cluster"]["clusterArn"]
    ask("ecs", "register_task_definition", family="t", containerDefinitions=[{"name": "c", "image": "i", "memory": 1}])
    ask("ecs", "create_service", cluster=cluster, serviceName="web", taskDefinition="t", desiredCount=0)
    ask("events", "put_rule", Name="nightly", ScheduleExpression="rate(1 day)")
    ask("events", "put_targets", Rule="nightly", Targets=[{"Id": "1", "Arn": cluster, "Input": "secret"}])
    ask("organizations", "create_organization", FeatureSet="ALL")
    ask("organizations", "create_account", AccountName="payments", Email="p@example.com")
    ask("rds", "create_db_instance", DBInstanceIdentifier="db", Engine="postgres", DBInstanceClass="db.t3.micro",
        MasterUsername="u", MasterUserPassword="a-password", AllocatedStorage=10)  # fmt: skip


def plain(answer: object) -> Any:
    """An answer as JSON values, by another way than the collector's; times to the second."""

    def text(value: object) -> str:
        assert isinstance(value, datetime)
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")

    return json.loads(re.sub(r"(T\d\d:\d\d:\d\d)\.\d+Z", r"\1Z", json.dumps(answer, default=text)))


def test_nothing_is_missing_but_what_the_emulator_lacks(estate: Snapshot) -> None:
    assert {(gap.service, gap.operation) for gap in estate.gaps} == NOT_IN_MOTO
    assert {gap.reason for gap in estate.gaps} == {"unsupported"}


def test_every_operation_was_answered_or_is_a_gap(estate: Snapshot) -> None:
    answered = {(part.service, part.operation) for part in estate.parts()}
    left = {(operation.service, operation.name) for operation in OPERATIONS} - answered - NOT_IN_MOTO
    # What depends on an answer that is missing, or on what this emulator cannot hold.
    assert {service for service, _ in left} == {"codebuild", "globalaccelerator", "network-firewall", "vpc-lattice"}


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("ec2", "describe_vpcs"),
        ("ec2", "describe_security_groups"),
        ("ec2", "describe_security_group_rules"),
        ("ec2", "describe_instances"),
        ("ec2", "describe_network_interfaces"),
        ("ec2", "describe_transit_gateways"),
        ("elbv2", "describe_load_balancers"),
        ("eks", "list_clusters"),
        ("ecs", "list_clusters"),
        ("s3", "list_buckets"),
        ("events", "list_event_buses"),
    ],
)
def test_an_answer_is_that_of_bare_boto3(estate: Snapshot, service: str, operation: str) -> None:
    region = "global" if service == "s3" else "us-east-1"
    answer = plain(estate.read(Part("aws", ACCOUNT, region, service, operation)))
    expected = {key: value for key, value in plain(ask(service, operation)).items() if key != "ResponseMetadata"}
    assert {key: value for key, value in answer.items() if key in expected} == expected


def test_what_is_read_again_from_disk_is_the_same(estate: Snapshot, tmp_path: Path) -> None:
    save(estate, tmp_path / "estate.zip")
    again = load(tmp_path / "estate.zip")
    assert [(part, again.read(part)) for part in again.parts()] == [
        (part, estate.read(part)) for part in estate.parts()
    ]
    assert again.manifest == estate.manifest


def test_each_bucket_says_what_is_blocked_or_that_nothing_is(estate: Snapshot) -> None:
    def blocked(bucket: str) -> object:
        return estate.read(Part("aws", ACCOUNT, "global", "s3", "get_public_access_block", bucket))

    assert blocked("open-logs") == {}
    assert blocked("closed-logs") != {}
    assert estate.read(Part("aws", ACCOUNT, "global", "s3control", "get_public_access_block")) == {}


@pytest.mark.parametrize(
    ("operation", "kinds"),
    [
        ("describe_listeners", ["application", "network"]),
        ("describe_rules", ["application"]),
        ("describe_load_balancer_attributes", ["network"]),
    ],
)
def test_load_balancers_are_asked_only_what_their_kind_can_tell(
    estate: Snapshot, operation: str, kinds: list[str]
) -> None:
    types = {each["LoadBalancerArn"]: each["Type"] for each in ask("elbv2", "describe_load_balancers")["LoadBalancers"]}
    asked = [str(part.resource) for part in estate.parts() if (part.service, part.operation) == ("elbv2", operation)]
    # The ARN of a listener is that of its load balancer, and a part of its own.
    balancers = [arn.replace(":listener/", ":loadbalancer/").split("/") for arn in asked]
    assert sorted(types["/".join(parts[:4])] for parts in balancers) == kinds


def test_no_secret_is_kept(estate: Snapshot) -> None:
    everything = json.dumps([estate.read(part) for part in estate.parts()])
    for secret in ("PASSWORD", "c2VjcmV0", "a-password", '"secret"'):
        assert secret not in everything


def test_the_manifest_says_who_read_what_and_when(estate: Snapshot) -> None:
    assert estate.manifest is not None
    (scope,) = estate.scopes
    assert (scope.provider, scope.scope, scope.regions) == ("aws", ACCOUNT, ("us-east-1",))
    assert scope.caller.startswith(f"arn:aws:sts::{ACCOUNT}:")
    assert estate.manifest.files == tuple(sorted(part.path for part in estate.parts()))
    assert datetime.fromisoformat(estate.taken_at).tzinfo is not None


def test_a_role_leads_into_its_account() -> None:
    role = f"arn:aws:iam::{MEMBER}:role/audit"
    snapshot = collect(AwsOptions(regions=("us-east-1",), assume_roles=(role,), external_id="agreed", attempts=1))
    (scope,) = snapshot.scopes
    assert scope.scope == MEMBER
    assert {part.scope for part in snapshot.parts()} == {MEMBER}


def test_an_organization_is_read_account_by_account() -> None:
    snapshot = collect(AwsOptions(regions=("us-east-1",), organization=True, attempts=1))
    names = {scope.name for scope in snapshot.scopes}
    assert "payments" in names
    assert {scope.scope for scope in snapshot.scopes} == {part.scope for part in snapshot.parts()}
    assert len(snapshot.scopes) == 2
    assert ACCOUNT in {scope.scope for scope in snapshot.scopes}
