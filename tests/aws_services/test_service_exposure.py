import json
from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import Estate, Service
from cloudseg.traffic import ALL_ADDRESSES, AddressSet

Translate = Callable[..., Estate]
OFFICE = "203.0.113.0/24"
OPEN = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


def only(estate: Estate) -> Service:
    # The answers here are cut down to the settings that they are about, and name no groups.
    assert [gap for gap in estate.gaps if "security groups" not in gap.detail] == []
    (service,) = estate.services.values()
    return service


def policy(*statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.mark.parametrize(
    ("engine", "setting", "expected"),
    [
        ("postgres", {"PubliclyAccessible": True}, True),
        ("postgres", {"PubliclyAccessible": False}, False),
        ("postgres", {}, None),
        ("aurora-mysql", {"PubliclyAccessible": True}, True),
        ("neptune", {"PubliclyAccessible": True}, True),
        ("docdb", {}, False),
    ],
)
def test_a_database_is_as_public_as_its_setting(
    translated: Translate, engine: str, setting: dict[str, bool], *, expected: bool | None
) -> None:
    instance = {"DBInstanceIdentifier": "db", "Engine": engine} | setting
    service = only(translated({"rds.describe_db_instances": [instance]}))
    assert service.public is expected
    assert service.kind == {"docdb": "docdb-instance", "neptune": "neptune-instance"}.get(engine, "rds-instance")


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [
        ({"PubliclyAccessible": True, "DBClusterMembers": [{"DBInstanceIdentifier": "i"}]}, True),
        ({"PubliclyAccessible": False, "DBClusterMembers": [{"DBInstanceIdentifier": "i"}]}, False),
        ({"DBClusterMembers": [{"DBInstanceIdentifier": "elsewhere"}]}, None),
        ({"EngineMode": "serverless"}, False),
        ({"Engine": "docdb"}, False),
    ],
)
def test_a_cluster_without_instances_that_were_read(
    translated: Translate, cluster: dict[str, object], *, expected: bool | None
) -> None:
    answer = {"DBClusterIdentifier": "c", "Engine": "mysql"} | cluster
    assert only(translated({"rds.describe_db_clusters": [answer]})).public is expected


def test_an_aurora_cluster_is_its_instances(translated: Translate) -> None:
    instances = [{"DBInstanceIdentifier": "i", "DBClusterIdentifier": "c", "PubliclyAccessible": True}]
    estate = translated(
        {"rds.describe_db_instances": instances, "rds.describe_db_clusters": [{"DBClusterIdentifier": "c"}]}
    )
    assert [service.kind for service in estate.services.values()] == ["rds-instance"]


def test_node_addresses_of_a_private_redshift_cluster_are_not_public(translated: Translate) -> None:
    nodes = [{"PrivateIPAddress": "10.0.1.5", "PublicIPAddress": "203.0.113.7"}]
    cluster = {"ClusterIdentifier": "c", "VpcId": "vpc-1", "PubliclyAccessible": False, "ClusterNodes": nodes}
    estate = translated({"redshift.describe_clusters": [cluster]})
    assert only(estate).public is False
    (interface,) = estate.interfaces.values()
    assert (interface.addresses, bool(interface.public)) == (AddressSet.parse("10.0.1.5"), False)
    open_cluster = translated({"redshift.describe_clusters": [cluster | {"PubliclyAccessible": True}]})
    (interface,) = open_cluster.interfaces.values()
    assert interface.public == AddressSet.parse("203.0.113.7")


@pytest.mark.parametrize(
    ("domain", "public", "anonymous", "sources"),
    [
        ({"AccessPolicies": policy(OPEN)}, True, True, ALL_ADDRESSES),
        (
            {"AccessPolicies": policy(OPEN | {"Condition": {"IpAddress": {"aws:SourceIp": [OFFICE]}}})},
            True, True, AddressSet.parse(OFFICE),
        ),
        ({"AccessPolicies": policy(OPEN | {"Principal": {"AWS": "1"}})}, True, False, ALL_ADDRESSES),
        (
            {"AccessPolicies": policy(OPEN), "AdvancedSecurityOptions": {"Enabled": True}},
            True, False, ALL_ADDRESSES,
        ),
        (
            {
                "AccessPolicies": policy(OPEN),
                "AdvancedSecurityOptions": {"Enabled": True, "AnonymousAuthEnabled": True},
            },
            True, True, ALL_ADDRESSES,
        ),
        ({"AccessPolicies": policy(OPEN | {"Action": "es:DescribeDomain"})}, True, False, ALL_ADDRESSES),
        ({"AccessPolicies": policy(OPEN | {"Action": ["es:Describe*", "es:List*"]})}, True, False, ALL_ADDRESSES),
        ({"AccessPolicies": policy(OPEN | {"Action": ["es:Describe*", "ES:esHttpGet"]})}, True, True, ALL_ADDRESSES),
        ({"AccessPolicies": policy(OPEN | {"Action": "es:E?Http*"})}, True, True, ALL_ADDRESSES),
        (
            {
                "AccessPolicies": policy(
                    OPEN | {"Action": "es:DescribeDomain"}, OPEN | {"Principal": {"AWS": "1"}, "Action": "es:ESHttp*"}
                )
            },
            True, False, ALL_ADDRESSES,
        ),
        ({"AccessPolicies": ""}, True, False, ALL_ADDRESSES),
        ({"AccessPolicies": policy(OPEN), "VPCOptions": {"VPCId": "vpc-1"}}, False, True, ALL_ADDRESSES),
    ],
)  # fmt: skip
@pytest.mark.parametrize("operation", ["opensearch.describe_domains", "es.describe_elasticsearch_domains"])
def test_an_opensearch_domain_lets_in_whom_its_policy_names(
    translated: Translate, operation: str, domain: dict[str, Any], *, public: bool, anonymous: bool, sources: AddressSet
) -> None:
    service = only(translated({operation: [{"DomainName": "logs"} | domain]}))
    assert (service.public, service.anonymous, service.sources) == (public, anonymous, sources)


def test_a_broken_access_policy_is_a_gap_and_an_unknown(translated: Translate) -> None:
    estate = translated({"opensearch.describe_domains": [{"DomainName": "logs", "AccessPolicies": "{"}]})
    (service,) = estate.services.values()
    assert (service.public, service.anonymous) == (True, None)
    assert [(gap.resource, gap.facets) for gap in estate.gaps] == [("logs", ("services.opensearch",))]


def test_a_listed_domain_that_was_not_described_is_a_gap(translated: Translate) -> None:
    estate = translated({"opensearch.list_domain_names": [{"DomainName": "logs"}]})
    assert [(gap.resource, gap.reason) for gap in estate.gaps] == [("logs", "unread")]


@pytest.mark.parametrize(
    ("config", "public", "sources"),
    [
        ({"endpointPublicAccess": True, "publicAccessCidrs": [OFFICE]}, True, AddressSet.parse(OFFICE)),
        ({"endpointPublicAccess": True, "publicAccessCidrs": []}, True, ALL_ADDRESSES),
        ({}, True, ALL_ADDRESSES),
        ({"endpointPublicAccess": False, "publicAccessCidrs": ["0.0.0.0/0"]}, False, AddressSet.parse("0.0.0.0/0")),
    ],
)
def test_an_api_server_is_public_unless_its_settings_say_otherwise(
    translated: Translate, config: dict[str, object], *, public: bool, sources: AddressSet
) -> None:
    answer = {"cluster": {"name": "c", "resourcesVpcConfig": {"vpcId": "vpc-1"} | config}}
    service = only(translated({"eks.describe_cluster#c": answer}))
    assert (service.public, service.sources, service.control_plane) == (public, sources, True)


def test_a_cluster_that_could_not_be_described_is_unknown_and_not_left_out(translated: Translate) -> None:
    service = only(translated({"eks.list_clusters": ["c"]}))
    assert (service.name, service.public, service.control_plane) == ("c", None, True)


@pytest.mark.parametrize(
    ("urls", "public", "anonymous"),
    [
        ([{"FunctionUrl": "u", "AuthType": "NONE"}], True, True),
        ([{"FunctionUrl": "u", "AuthType": "AWS_IAM"}], True, False),
        ([{"FunctionUrl": "u", "AuthType": "AWS_IAM"}, {"FunctionUrl": "v", "AuthType": "NONE"}], True, True),
        ([], False, False),
        (None, None, None),
    ],
)
@pytest.mark.parametrize("config", [{}, {"VpcConfig": {"VpcId": "", "SubnetIds": []}}, {"VpcConfig": None}])
def test_a_function_is_public_by_its_urls_alone(
    translated: Translate,
    config: dict[str, object],
    urls: list[object] | None,
    *,
    public: bool | None,
    anonymous: bool | None,
) -> None:
    answers: dict[str, object] = {"lambda.list_functions": [{"FunctionName": "f"} | config]}
    if urls is not None:
        answers["lambda.list_function_url_configs#f"] = urls
    service = only(translated(answers))
    assert (service.public, service.anonymous, service.network) == (public, anonymous, None)


@pytest.mark.parametrize(
    ("api", "public", "sources"),
    [
        ({"endpointConfiguration": {"types": ["REGIONAL"]}}, True, ALL_ADDRESSES),
        ({"endpointConfiguration": {"types": ["EDGE"]}}, True, ALL_ADDRESSES),
        ({}, True, ALL_ADDRESSES),
        ({"endpointConfiguration": {"types": ["PRIVATE"]}}, False, ALL_ADDRESSES),
        ({"disableExecuteApiEndpoint": True}, None, ALL_ADDRESSES),
        (
            {"policy": policy(OPEN | {"Condition": {"IpAddress": {"aws:SourceIp": OFFICE}}}).replace('"', '\\"')},
            True, AddressSet.parse(OFFICE),
        ),
        ({"policy": policy(OPEN | {"Condition": {"StringEquals": {"aws:SourceVpc": "v"}}})}, False, AddressSet()),
    ],
)  # fmt: skip
def test_a_rest_api_is_public_by_its_type_and_its_policy(
    translated: Translate, api: dict[str, object], *, public: bool | None, sources: AddressSet
) -> None:
    service = only(translated({"apigateway.get_rest_apis": [{"id": "a"} | api]}))
    assert (service.public, service.sources) == (public, sources)


def test_http_apis_are_public_until_their_endpoint_is_off(translated: Translate) -> None:
    apis = [{"ApiId": "a", "ProtocolType": "HTTP"}, {"ApiId": "b", "DisableExecuteApiEndpoint": True}]
    estate = translated({"apigatewayv2.get_apis": apis})
    assert [service.public for service in estate.services.values()] == [True, None]


@pytest.mark.parametrize(
    ("provisioned", "public", "anonymous"),
    [
        (
            {"BrokerNodeGroupInfo": {"ConnectivityInfo": {"PublicAccess": {"Type": "SERVICE_PROVIDED_EIPS"}}}},
            True,
            None,
        ),
        ({"BrokerNodeGroupInfo": {"ConnectivityInfo": {"PublicAccess": {"Type": "DISABLED"}}}}, False, None),
        ({"BrokerNodeGroupInfo": {}}, False, None),
        ({"ClientAuthentication": {"Unauthenticated": {"Enabled": True}}}, False, True),
        ({"ClientAuthentication": {"Unauthenticated": {"Enabled": False}}}, False, False),
    ],
)
def test_a_kafka_cluster_is_public_once_that_is_turned_on(
    translated: Translate, provisioned: dict[str, object], *, public: bool, anonymous: bool | None
) -> None:
    cluster = {"ClusterArn": "arn:aws:kafka:r:1:cluster/k/1", "Provisioned": provisioned}
    service = only(translated({"kafka.list_clusters_v2": [cluster]}))
    assert (service.public, service.anonymous) == (public, anonymous)


@pytest.mark.parametrize(
    ("cluster", "anonymous"),
    [
        ({"Engine": "memcached"}, True),
        ({"Engine": "redis", "AuthTokenEnabled": True}, False),
        ({"Engine": "redis", "AuthTokenEnabled": False}, True),
        ({"Engine": "redis", "AuthTokenEnabled": False, "ReplicationGroupId": "g"}, None),
        ({"Engine": "redis"}, None),
    ],
)
def test_a_cache_is_never_public_and_may_know_no_credentials(
    translated: Translate, cluster: dict[str, object], *, anonymous: bool | None
) -> None:
    service = only(translated({"elasticache.describe_cache_clusters": [{"CacheClusterId": "c"} | cluster]}))
    assert (service.public, service.anonymous) == (False, anonymous)


def test_open_access_to_memorydb_needs_no_password(translated: Translate) -> None:
    clusters = [{"Name": "a", "ACLName": "open-access"}, {"Name": "b", "ACLName": "mine"}, {"Name": "c"}]
    estate = translated({"memorydb.describe_clusters": clusters})
    assert [(s.public, s.anonymous) for s in estate.services.values()] == [(False, True), (False, False), (False, None)]


def test_a_public_repository_is_public(translated: Translate) -> None:
    estate = translated({"global:ecr-public.describe_repositories": [{"repositoryName": "r"}]})
    service = only(estate)
    assert (service.public, service.anonymous, service.region) == (True, True, "global")


def test_a_verified_access_endpoint_serves_the_internet_and_asks_who(translated: Translate) -> None:
    endpoints = [
        {"VerifiedAccessEndpointId": "vae-1", "SecurityGroupIds": ["sg-1"], "Status": {"Code": "active"}},
        {"VerifiedAccessEndpointId": "vae-2", "Status": {"Code": "deleted"}},
    ]
    service = only(translated({"ec2.describe_verified_access_endpoints": endpoints}))
    assert (service.own_id, service.public, service.anonymous) == ("vae-1", True, False)
    assert service.network is not None
    assert service.network.endswith("vpc-1")
