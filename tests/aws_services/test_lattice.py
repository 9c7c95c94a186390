"""Service networks of VPC Lattice: which VPCs reach one, and where its services send their requests."""

from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import Estate, Forwarder
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import NO_TRAFFIC, AddressSet, Traffic

Translate = Callable[..., Estate]
HERE = "aws:111122223333:eu-west-1"
NETWORK = "arn:aws:vpc-lattice:eu-west-1:999988887777:servicenetwork/sn-1"
ASSOCIATION = "arn:aws:vpc-lattice:eu-west-1:111122223333:servicenetworkvpcassociation/snva-1"
LISTED = {
    "id": "snva-1", "arn": ASSOCIATION, "status": "ACTIVE", "vpcId": "vpc-1", "serviceNetworkArn": NETWORK,
    "serviceNetworkName": "shop",
}  # fmt: skip
LIST = "vpc-lattice.list_service_network_vpc_associations#sn-1"
DESCRIBED = "vpc-lattice.get_service_network_vpc_association#snva-1"
BALANCER = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/web/1"
GROUP = "arn:aws:vpc-lattice:eu-west-1:111122223333:targetgroup/tg-1"


@pytest.mark.semantics(125)
def test_a_vpc_that_is_associated_with_a_service_network_has_an_endpoint_to_it(translated: Translate) -> None:
    estate = translated({LIST: [LISTED], DESCRIBED: LISTED | {"securityGroupIds": ["sg-1"]}})
    (endpoint,) = estate.endpoints.values()
    assert (endpoint.type, endpoint.network, endpoint.service) == ("service-network", f"{HERE}:vpc-1", NETWORK)
    assert (endpoint.usable, endpoint.groups, endpoint.interfaces) == (True, {f"{HERE}:sg-1"}, frozenset())


@pytest.mark.semantics(125)
def test_an_association_without_groups_lets_every_client_of_the_vpc_in(translated: Translate) -> None:
    (endpoint,) = translated({DESCRIBED: LISTED | {"securityGroupIds": []}}).endpoints.values()
    assert endpoint.groups == frozenset()


@pytest.mark.semantics(125)
def test_an_association_that_was_listed_but_not_described_is_there(translated: Translate) -> None:
    (endpoint,) = translated({LIST: [LISTED]}).endpoints.values()
    assert (endpoint.network, endpoint.usable) == (f"{HERE}:vpc-1", True)


@pytest.mark.semantics(125)
@pytest.mark.parametrize(
    ("status", "usable"),
    [
        ("ACTIVE", True),
        ("UPDATE_IN_PROGRESS", True),
        ("UPDATE_FAILED", True),
        ("DELETE_FAILED", True),
        ("CREATE_IN_PROGRESS", False),
        ("CREATE_FAILED", False),
        ("DELETE_IN_PROGRESS", False),
        ("", None),
    ],
)
def test_only_an_association_that_is_up_leads_anywhere(
    translated: Translate, status: str, *, usable: bool | None
) -> None:
    (endpoint,) = translated({LIST: [LISTED | {"status": status}]}).endpoints.values()
    assert endpoint.usable is usable


@pytest.mark.semantics(125)
def test_the_owner_of_a_service_network_sees_the_vpcs_of_others(translated: Translate) -> None:
    theirs = ASSOCIATION.replace("111122223333", "444455556666")
    (endpoint,) = translated({LIST: [LISTED | {"arn": theirs, "vpcId": "vpc-9"}]}).endpoints.values()
    assert endpoint.id == f"aws:444455556666:eu-west-1:{theirs}"
    assert endpoint.network == "aws:444455556666:eu-west-1:vpc-9"


def sent_to(translated: Translate, targets: list[dict[str, Any]], **group: Any) -> Forwarder:
    wire = {
        "id": "tg-1", "arn": GROUP, "name": "orders", "type": "IP", "protocol": "HTTPS", "port": 443,
        "vpcIdentifier": "vpc-1", "serviceArns": ["arn:s"], "status": "ACTIVE",
    } | group  # fmt: skip
    lists = [
        {"PrefixListId": own, "PrefixListName": f"com.amazonaws.eu-west-1.{name}", "OwnerId": "AWS"}
        for own, name in (("pl-1", "vpc-lattice"), ("pl-2", "ipv6.vpc-lattice"), ("pl-3", "s3"))
    ]
    answers = {
        "vpc-lattice.list_target_groups": [wire],
        "vpc-lattice.list_targets#tg-1": targets,
        "ec2.describe_managed_prefix_lists": lists,
        "elbv2.describe_load_balancers": [{"LoadBalancerArn": BALANCER}],
    }
    return translated(answers).forwarders[f"{HERE}:{GROUP}"]


@pytest.mark.semantics(125)
def test_targets_of_a_service_see_the_addresses_of_the_managed_lists(translated: Translate) -> None:
    found = sent_to(translated, [{"id": "10.0.1.5", "port": 8443, "status": "HEALTHY"}])
    assert (found.seen_as, found.complete) == ({f"{HERE}:pl-1", f"{HERE}:pl-2"}, True)
    (forward,) = found.forwards
    assert (forward.traffic, forward.keeps_client) == (Traffic.parse("tcp/8443"), False)
    (target,) = forward.targets
    assert (str(target.address), target.network, target.healthy) == ("10.0.1.5", f"{HERE}:vpc-1", True)


@pytest.mark.semantics(125)
@pytest.mark.parametrize(
    ("kind", "own", "target"),
    [("INSTANCE", "i-1", f"{HERE}:i-1"), ("ALB", BALANCER, f"{HERE}:{BALANCER}")],
)
def test_targets_may_be_instances_and_load_balancers(translated: Translate, kind: str, own: str, target: str) -> None:
    found = sent_to(translated, [{"id": own, "status": "UNHEALTHY"}], type=kind)
    assert [(each.target, each.healthy) for each in found.forwards[0].targets] == [(target, False)]


@pytest.mark.semantics(125)
@pytest.mark.parametrize("group", [{"serviceArns": []}, {"type": "LAMBDA"}])
def test_a_target_group_without_a_service_or_without_an_address_gets_no_packets(
    translated: Translate, group: dict[str, Any]
) -> None:
    with pytest.raises(KeyError):
        sent_to(translated, [{"id": "10.0.1.5", "port": 443}], **group)


def test_targets_that_were_not_read_leave_the_forwards_incomplete(translated: Translate) -> None:
    group = {"id": "tg-1", "arn": GROUP, "type": "IP", "serviceArns": ["arn:s"]}
    (found,) = translated({"vpc-lattice.list_target_groups": [group]}).forwarders.values()
    assert (found.forwards, found.complete) == ((), False)


def test_a_port_that_is_none_is_a_gap_and_may_be_any(translated: Translate) -> None:
    group = {"id": "tg-1", "arn": GROUP, "type": "IP", "protocol": "HTTP", "serviceArns": ["arn:s"]}
    answers = {"vpc-lattice.list_target_groups": [group], "vpc-lattice.list_targets#tg-1": [{"id": "10.0.1.5"}]}
    estate = translated(answers)
    assert estate.forwarders[f"{HERE}:{GROUP}"].forwards[0].traffic.is_all
    assert [(gap.resource, gap.reason) for gap in estate.gaps] == [("tg-1", "malformed")]


GROUPED: dict[str, Any] = {
    "id": "tg-1", "arn": GROUP, "type": "IP", "protocol": "HTTP", "port": 80, "serviceArns": ["arn:s"],
}  # fmt: skip
TARGETED: dict[str, Any] = {
    "vpc-lattice.list_target_groups": [GROUPED],
    "vpc-lattice.list_targets#tg-1": [{"id": "10.0.1.5", "port": 8080, "status": "HEALTHY"}],
}
LISTS = {
    name: {"PrefixListId": own, "PrefixListName": f"com.amazonaws.eu-west-1.{name}", "OwnerId": "AWS"}
    for own, name in (("pl-1", "vpc-lattice"), ("pl-2", "ipv6.vpc-lattice"))
}


def seen_as(translated: Translate, answers: dict[str, Any]) -> frozenset[str]:
    return translated(TARGETED | answers).forwarders[f"{HERE}:{GROUP}"].seen_as


@pytest.mark.semantics(20)
@pytest.mark.semantics(125)
def test_prefix_lists_that_were_not_read_are_named_and_are_not_nobody(translated: Translate) -> None:
    estate = translated(TARGETED)
    names = estate.forwarders[f"{HERE}:{GROUP}"].seen_as
    assert names == {f"{HERE}:com.amazonaws.eu-west-1.vpc-lattice", f"{HERE}:com.amazonaws.eu-west-1.ipv6.vpc-lattice"}
    assert not names & estate.address_lists.keys()


@pytest.mark.semantics(20)
@pytest.mark.semantics(125)
@pytest.mark.parametrize("lists", [{}, {"ec2.describe_managed_prefix_lists": [LISTS["vpc-lattice"]]}])
def test_a_target_that_admits_a_list_that_was_not_read_is_reached_at_most(
    translated: Translate, lists: dict[str, Any]
) -> None:
    # The entries of the list are in neither answer; without the second one, nor is the list.
    admitted = {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "PrefixListIds": [{"PrefixListId": "pl-1"}]}
    local = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
    answers = TARGETED | lists
    answers["ec2.describe_route_tables"] = [
        {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"Main": True}], "Routes": [local]}
    ]
    answers["ec2.describe_security_groups"] = [
        {"GroupId": "sg-1", "VpcId": "vpc-1", "IpPermissions": [admitted], "IpPermissionsEgress": []}
    ]
    answers["ec2.describe_network_interfaces"] = [
        {
            "NetworkInterfaceId": own, "VpcId": "vpc-1", "SubnetId": "subnet-a", "Groups": [{"GroupId": "sg-1"}],
            "PrivateIpAddresses": [{"PrivateIpAddress": address}],
        }
        for own, address in (("eni-target", "10.0.1.5"), ("eni-other", "10.0.1.6"))
    ]  # fmt: skip
    reach, service = Reachability(translated(answers)), AddressSet.parse("169.254.171.7")
    assert reach.between(service, f"{HERE}:eni-target") == (NO_TRAFFIC, Traffic.parse("tcp/8080"))
    assert reach.between(service, f"{HERE}:eni-other") == (NO_TRAFFIC, NO_TRAFFIC)


@pytest.mark.semantics(20)
@pytest.mark.semantics(125)
def test_lists_without_those_of_the_service_are_a_gap(translated: Translate) -> None:
    estate = translated(TARGETED | {"ec2.describe_managed_prefix_lists": []})
    assert len(estate.forwarders[f"{HERE}:{GROUP}"].seen_as) == 2
    assert [(gap.resource, gap.reason, gap.facets) for gap in estate.gaps] == [
        ("com.amazonaws.eu-west-1.vpc-lattice", "not-found", ("address-lists",))
    ]


@pytest.mark.semantics(125)
def test_of_lists_read_in_full_the_ones_there_are_all_there_is(translated: Translate) -> None:
    lists = {"ec2.describe_managed_prefix_lists": [LISTS["vpc-lattice"]]}
    assert seen_as(translated, lists) == {f"{HERE}:pl-1"}


@pytest.mark.semantics(20)
@pytest.mark.semantics(125)
def test_of_lists_read_in_part_the_missing_one_stays_unknown(translated: Translate) -> None:
    lists = {"ec2.describe_managed_prefix_lists": {"PrefixLists": [LISTS["vpc-lattice"]], "NextToken": "more"}}
    assert seen_as(translated, lists) == {f"{HERE}:pl-1", f"{HERE}:com.amazonaws.eu-west-1.ipv6.vpc-lattice"}


def checked(translated: Translate, check: dict[str, Any] | None, **group: Any) -> Traffic:
    """What is sent to check the health of targets, with the setting ``healthCheck`` of their group."""
    wire = GROUPED | group
    config = {} if check is None else {"healthCheck": check}
    answers = TARGETED | {
        "vpc-lattice.list_target_groups": [wire],
        "vpc-lattice.get_target_group#tg-1": {"id": "tg-1", "config": config},
        "elbv2.describe_load_balancers": [{"LoadBalancerArn": BALANCER}],
    }
    if wire["type"] == "ALB":
        answers |= {"vpc-lattice.list_targets#tg-1": [{"id": BALANCER, "port": 8080}]}
    (forward,) = translated(answers).forwarders[f"{HERE}:{GROUP}"].forwards
    return forward.checks


@pytest.mark.semantics(125)
@pytest.mark.parametrize(
    ("check", "sent"),
    [
        # "The default setting is the port that a target receives traffic on."
        # https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_HealthCheckConfig.html
        ({"enabled": True}, "tcp/8080"),
        ({"enabled": True, "port": 9000}, "tcp/9000"),
        ({"port": 9000}, "tcp/9000"),
        ({"enabled": False, "port": 9000}, "none"),
        ({"enabled": True, "port": 99999}, "tcp"),
        (None, "tcp"),
    ],
)
def test_health_checks_go_to_their_own_port(translated: Translate, check: dict[str, Any] | None, sent: str) -> None:
    assert checked(translated, check) == Traffic.parse(sent)


@pytest.mark.semantics(125)
def test_health_checks_that_were_not_read_may_go_to_any_port(translated: Translate) -> None:
    (forward,) = translated(TARGETED).forwarders[f"{HERE}:{GROUP}"].forwards
    assert forward.checks == Traffic.parse("tcp")


@pytest.mark.semantics(125)
def test_load_balancers_are_not_checked(translated: Translate) -> None:
    # "Health check configurations aren't used for target groups of type LAMBDA or ALB."
    # https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_HealthCheckConfig.html
    assert checked(translated, {"enabled": True, "port": 9000}, type="ALB") == Traffic.parse("none")
