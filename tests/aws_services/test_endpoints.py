import json
from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import Endpoint, EndpointConnection, Estate

Translate = Callable[..., Estate]
HERE = "aws:111122223333:eu-west-1"
FULL: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


def endpoint(translated: Translate, **fields: object) -> Endpoint:
    wire = {"VpcEndpointId": "vpce-1", "VpcEndpointType": "Interface", "VpcId": "vpc-1", "State": "available"}
    wire |= {"ServiceName": "com.amazonaws.eu-west-1.ssm"} | fields
    (found,) = translated({"ec2.describe_vpc_endpoints": [wire]}).endpoints.values()
    return found


@pytest.mark.semantics(212)
@pytest.mark.parametrize(
    ("state", "usable"),
    [
        ("available", True),
        ("Available", True),
        ("pendingAcceptance", False),
        ("pending", False),
        ("rejected", False),
        ("failed", False),
        ("deleting", False),
        ("deleted", False),
        ("expired", False),
        ("partial", None),
        ("", None),
    ],
)
def test_only_an_available_endpoint_is_usable(translated: Translate, state: str, *, usable: bool | None) -> None:
    assert endpoint(translated, State=state).usable is usable


@pytest.mark.semantics(212)
def test_endpoints_keep_the_whole_name_of_their_service(translated: Translate) -> None:
    name = "com.amazonaws.eu-west-1.ec2messages"
    assert endpoint(translated, ServiceName=name).service == name


@pytest.mark.semantics(41)
@pytest.mark.parametrize(
    ("statements", "policy"),
    [
        ([FULL], "open"),
        ([FULL | {"Principal": {"AWS": "*"}}], "open"),
        ([FULL | {"Action": "s3:*", "Resource": ["arn:aws:s3:::*"]}], "open"),
        ([FULL | {"Principal": {"AWS": "arn:aws:iam::111122223333:root"}}], "restricted"),
        ([FULL | {"Action": "s3:GetObject"}], "restricted"),
        ([FULL | {"Resource": "arn:aws:s3:::mine/*"}], "restricted"),
        ([FULL | {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}], "restricted"),
        (
            [FULL, {**FULL, "Effect": "Deny", "Condition": {"StringNotEquals": {"aws:ResourceOrgID": "o-1"}}}],
            "restricted",
        ),
        ([FULL, {**FULL, "Effect": "Deny", "Action": "s3:DeleteBucket"}], "open"),
        ([FULL | {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}], "open"),
        ([FULL | {"Condition": {"IpAddress": {"aws:VpcSourceIp": "0.0.0.0/0"}}}], "open"),
        ([FULL | {"Condition": {"IpAddress": {"aws:VpcSourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}}}], "open"),
        ([FULL | {"Condition": {"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/16"}}}], "restricted"),
        ([FULL | {"Condition": {"StringLike": {"aws:PrincipalArn": "*"}}}], "open"),
        ([FULL, {**FULL, "Effect": "Deny"}], "restricted"),
        ([FULL, {**FULL, "Effect": "Deny", "Resource": "arn:aws:s3:::secret/*"}], "open"),
        ([FULL, {**FULL, "Effect": "Deny", "Principal": {"AWS": "arn:aws:iam::111122223333:user/x"}}], "open"),
    ],
)
def test_a_policy_is_open_when_everyone_may_do_everything(
    translated: Translate, statements: list[object], policy: str
) -> None:
    assert endpoint(translated, PolicyDocument=json.dumps({"Statement": statements}, indent=1)).policy == policy


@pytest.mark.parametrize(
    ("condition", "policy"),
    [
        ({"Bool": {"aws:SecureTransport": "false"}}, "open"),
        ({"Bool": {"aws:SecureTransport": "false"}, "StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, "open"),
        ({"StringEquals": {"aws:PrincipalTag/team": "x"}}, "open"),
        ({"NotIpAddress": {"aws:VpcSourceIp": "0.0.0.0/0"}}, "open"),
        ({"StringNotLike": {"aws:PrincipalArn": "*"}}, "open"),
        ({"IpAddress": {"aws:VpcSourceIp": "this"}}, "open"),
        ({"NotIpAddress": {"aws:VpcSourceIp": "10.0.0.0/16"}}, "restricted"),
        ({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}, "restricted"),
        ({"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": "o-1/*"}}, "restricted"),
        (
            {
                "StringNotEqualsIfExists": {"aws:ResourceOrgID": "o-1"},
                "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
            },
            "restricted",
        ),
    ],
)
@pytest.mark.parametrize("action", ["*", "s3:DeleteBucket"])
def test_a_deny_restricts_when_it_shuts_out_everybody_else_from_everything(
    translated: Translate, condition: dict[str, object], action: str, policy: str
) -> None:
    deny = {**FULL, "Effect": "Deny", "Action": action, "Condition": condition}
    found = endpoint(translated, PolicyDocument=json.dumps({"Statement": [FULL, deny]})).policy
    assert found == (policy if action == "*" else "open")


@pytest.mark.semantics(212)
def test_services_without_endpoint_policies_are_not_at_fault(translated: Translate) -> None:
    document = json.dumps({"Statement": FULL})
    own = endpoint(translated, ServiceName="com.amazonaws.vpce.eu-west-1.vpce-svc-1", PolicyDocument=document)
    balancer = endpoint(translated, VpcEndpointType="GatewayLoadBalancer")
    assert (own.policy, balancer.policy) == ("unsupported", "unsupported")
    wire = {"VpcEndpointId": "vpce-1", "VpcEndpointType": "Interface", "VpcId": "vpc-1", "ServiceName": "s"}
    kinds = [{"ServiceName": "s", "VpcEndpointPolicySupported": False}]
    estate = translated({"ec2.describe_vpc_endpoints": [wire], "ec2.describe_vpc_endpoint_services": kinds})
    assert estate.endpoints[f"{HERE}:vpce-1"].policy == "unsupported"


@pytest.mark.parametrize("kind", ["Gateway", "Interface"])
def test_a_missing_policy_is_unknown(translated: Translate, kind: str) -> None:
    assert endpoint(translated, VpcEndpointType=kind).policy == "unknown"


def test_a_broken_policy_is_unknown_and_a_gap(translated: Translate) -> None:
    wire = {"VpcEndpointId": "vpce-1", "VpcId": "vpc-1", "PolicyDocument": "{'Statement': []}"}
    estate = translated({"ec2.describe_vpc_endpoints": [wire]})
    assert estate.endpoints[f"{HERE}:vpce-1"].policy == "unknown"
    assert [(gap.resource, gap.facets) for gap in estate.gaps] == [("vpce-1", ("endpoints",))]


@pytest.mark.semantics(40)
def test_gateway_endpoints_have_route_tables_and_interface_endpoints_have_groups(translated: Translate) -> None:
    gateway = endpoint(translated, VpcEndpointType="Gateway", RouteTableIds=["rtb-1"])
    assert (gateway.type, gateway.route_tables, gateway.groups) == ("gateway", {f"{HERE}:rtb-1"}, frozenset())
    face = endpoint(
        translated, Groups=[{"GroupId": "sg-1"}], SubnetIds=["subnet-a"], NetworkInterfaceIds=["eni-1"],
        PrivateDnsEnabled=True,
    )  # fmt: skip
    assert (face.groups, face.subnets) == ({f"{HERE}:sg-1"}, {f"{HERE}:subnet-a"})
    assert (face.interfaces, face.private_dns) == ({f"{HERE}:eni-1"}, True)


@pytest.mark.semantics(125)
@pytest.mark.parametrize(
    ("kind", "fields", "type_", "service"),
    [
        ("Resource", {"ResourceConfigurationArn": "arn:rc"}, "resource", "arn:rc"),
        ("ServiceNetwork", {"ServiceNetworkArn": "arn:sn"}, "service-network", "arn:sn"),
        ("GatewayLoadBalancer", {"ServiceName": "s"}, "gateway-load-balancer", "s"),
    ],
)
def test_newer_types_of_endpoints(
    translated: Translate, kind: str, fields: dict[str, object], type_: str, service: str
) -> None:
    found = endpoint(translated, **({"VpcEndpointType": kind, "ServiceName": None} | fields))
    assert (found.type, found.service) == (type_, service)


def test_an_unknown_type_is_a_gap_and_still_an_endpoint(translated: Translate) -> None:
    wire = {"VpcEndpointId": "vpce-1", "VpcEndpointType": "Wormhole", "VpcId": "vpc-1"}
    estate = translated({"ec2.describe_vpc_endpoints": [wire]})
    assert (len(estate.endpoints), [gap.reason for gap in estate.gaps]) == (1, ["unsupported"])


def test_an_interface_that_no_answer_lists_still_carries_the_groups(translated: Translate) -> None:
    wire = {
        "VpcEndpointId": "vpce-1", "VpcEndpointType": "Interface", "VpcId": "vpc-1", "SubnetIds": ["subnet-a"],
        "Groups": [{"GroupId": "sg-1"}], "NetworkInterfaceIds": ["eni-1"],
    }  # fmt: skip
    (member,) = translated({"ec2.describe_vpc_endpoints": [wire]}).members(f"{HERE}:sg-1")
    assert (member.own_id, member.subnet, member.derived) == ("eni-1", f"{HERE}:subnet-a", True)


@pytest.mark.semantics(125)
@pytest.mark.parametrize("preserved", [True, False])
def test_an_instance_connect_endpoint_sends_from_its_interface_or_for_others(
    translated: Translate, *, preserved: bool
) -> None:
    wire = {
        "InstanceConnectEndpointId": "eice-1", "State": "create-complete", "VpcId": "vpc-1", "SubnetId": "subnet-a",
        "NetworkInterfaceIds": ["eni-1"], "SecurityGroupIds": ["sg-1"], "PreserveClientIp": preserved,
    }  # fmt: skip
    estate = translated({"ec2.describe_instance_connect_endpoints": [wire]})
    (member,) = estate.members(f"{HERE}:sg-1")
    owner = estate.owner_of(member)
    assert owner is not None
    assert (owner.kind, member.forwards) == ("instance-connect-endpoint", preserved)
    assert member.keeps_client is preserved


def service_wire(**fields: object) -> dict[str, object]:
    return {"ServiceId": "vpce-svc-1", "ServiceName": "com.amazonaws.vpce.eu-west-1.vpce-svc-1"} | fields


def test_an_endpoint_service_knows_who_may_ask_and_who_is_connected(translated: Translate) -> None:
    answers = {
        "ec2.describe_vpc_endpoint_service_configurations": [
            service_wire(AcceptanceRequired=False, NetworkLoadBalancerArns=["arn:lb"])
        ],
        "ec2.describe_vpc_endpoint_service_permissions#vpce-svc-1": [{"Principal": "*", "PrincipalType": "All"}],
        "ec2.describe_vpc_endpoint_connections": [
            {"ServiceId": "vpce-svc-1", "VpcEndpointId": own, "VpcEndpointOwner": "2", "VpcEndpointState": state}
            for own, state in (("a", "available"), ("b", "pendingAcceptance"), ("c", "rejected"), ("d", "expired"))
        ],
    }
    found = translated(answers).endpoint_services[f"{HERE}:vpce-svc-1"]
    assert (found.acceptance_required, found.principals) == (False, ("*",))
    assert found.connections == (
        EndpointConnection("a", "2", "accepted"),
        EndpointConnection("b", "2", "pending"),
        EndpointConnection("c", "2", "rejected"),
        EndpointConnection("d", "2", "other"),
    )
    assert found.balancers == {f"{HERE}:arn:lb"}


def test_nobody_may_ask_is_told_from_not_read(translated: Translate) -> None:
    answers: dict[str, object] = {"ec2.describe_vpc_endpoint_service_configurations": [service_wire()]}
    unread = translated(answers).endpoint_services[f"{HERE}:vpce-svc-1"]
    nobody = translated(answers | {"ec2.describe_vpc_endpoint_service_permissions#vpce-svc-1": []})
    assert (unread.principals, unread.acceptance_required) == (None, None)
    assert nobody.endpoint_services[f"{HERE}:vpce-svc-1"].principals == ()
