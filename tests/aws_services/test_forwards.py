"""Where load balancers send what they took, and which targets the internet comes to through them."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cloudseg.model import Entrance, Estate, Forward, Forwarder
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, ALL_IPV6, AddressSet, Traffic

Translate = Callable[..., Estate]
HERE = "aws:111122223333:eu-west-1"
ARN = "arn:aws:elasticloadbalancing:eu-west-1:111122223333"
NETWORK = f"{ARN}:loadbalancer/net/api/1"
APPLICATION = f"{ARN}:loadbalancer/app/web/2"
GROUP = f"{ARN}:targetgroup/api/1"
SUBNETS = [
    {"SubnetId": f"subnet-{zone}", "VpcId": "vpc-1", "CidrBlock": f"10.0.{third}.0/24",
     "AvailabilityZone": f"eu-west-1{zone}", "OwnerId": "111122223333"}
    for third, zone in enumerate("abc", start=1)
]  # fmt: skip


def node(own: str, zone: str, address: str, ipv6: str = "") -> dict[str, Any]:
    """An interface of the network load balancer."""
    return {
        "NetworkInterfaceId": own, "VpcId": "vpc-1", "SubnetId": f"subnet-{zone}", "Groups": [],
        "Description": "ELB net/api/1", "PrivateIpAddress": address,
        "Ipv6Addresses": [{"Ipv6Address": ipv6}] if ipv6 else [],
    }  # fmt: skip


def instance(own: str, zone: str, **attachment: int) -> dict[str, Any]:
    """An interface of the instance i-1."""
    return {
        "NetworkInterfaceId": own, "VpcId": "vpc-1", "SubnetId": f"subnet-{zone}", "Groups": [],
        "Attachment": {"InstanceId": "i-1"} | attachment,
    }  # fmt: skip


def estate(
    translated: Translate,
    *,
    balancer: dict[str, Any] | None = None,
    group: dict[str, Any] | None = None,
    targets: Any = ({"Target": {"Id": "i-1"}},),
    attributes: dict[str, str] | None = None,
    crossed: str | None = None,
    more: Mapping[str, object] | None = None,
) -> Estate:
    """A load balancer in the zones a and b with one listener and one target group; None leaves an answer out."""
    wire = {
        "LoadBalancerArn": NETWORK, "Type": "network", "Scheme": "internet-facing", "VpcId": "vpc-1",
        "State": {"Code": "active"},
        "AvailabilityZones": [{"ZoneName": f"eu-west-1{zone}", "SubnetId": f"subnet-{zone}"} for zone in "ab"],
    } | (balancer or {})  # fmt: skip
    own = wire["LoadBalancerArn"]
    listed = {
        "TargetGroupArn": GROUP, "TargetGroupName": "api", "TargetType": "instance", "Protocol": "TCP", "Port": 8080,
        "VpcId": "vpc-1", "LoadBalancerArns": [own],
    } | (group or {})  # fmt: skip
    actions = [{"Type": "forward", "TargetGroupArn": GROUP}]
    answers: dict[str, object] = {
        "ec2.describe_subnets": SUBNETS,
        "elbv2.describe_load_balancers": [wire],
        "elbv2.describe_target_groups": [listed],
        f"elbv2.describe_target_health#{GROUP}": list(targets),
        f"elbv2.describe_listeners#{own}": [
            {"ListenerArn": "l", "Protocol": "TCP", "Port": 443, "DefaultActions": actions}
        ],
    }
    if attributes is not None:
        listed_attributes = [{"Key": key, "Value": value} for key, value in attributes.items()]
        answers[f"elbv2.describe_target_group_attributes#{GROUP}"] = listed_attributes
    if crossed is not None:
        found = [{"Key": "load_balancing.cross_zone.enabled", "Value": crossed}]
        answers[f"elbv2.describe_load_balancer_attributes#{own}"] = found
    return translated(answers | dict(more or {}))


def forwarder(found: Estate, arn: str = NETWORK) -> Forwarder:
    return found.forwarders[f"{HERE}:{arn}"]


def only(found: Estate, arn: str = NETWORK) -> Forward:
    (forward,) = forwarder(found, arn).forwards
    return forward


@pytest.mark.semantics(42)
def test_a_target_gets_the_groups_port_unless_it_has_its_own(translated: Translate) -> None:
    targets = [{"Target": {"Id": "i-1"}}, {"Target": {"Id": "i-2", "Port": 9090}}, {"Target": {"Id": "i-3"}}]
    found = forwarder(estate(translated, targets=targets))
    assert [(str(each.traffic), [target.target for target in each.targets]) for each in found.forwards] == [
        ("tcp/8080", [f"{HERE}:i-1", f"{HERE}:i-3"]),
        ("tcp/9090", [f"{HERE}:i-2"]),
    ]
    assert {str(each.listens) for each in found.forwards} == {"tcp/443"}


@pytest.mark.semantics(42)
@pytest.mark.parametrize(
    ("group", "attributes", "keeps"),
    [
        ({}, {"preserve_client_ip.enabled": "true"}, True),
        ({}, {"preserve_client_ip.enabled": "false"}, False),
        # The defaults, for an answer that does not hold the attribute.
        ({}, {}, True),
        ({"TargetType": "ip"}, {}, False),
        ({"TargetType": "ip", "Protocol": "TLS"}, {}, False),
        ({"TargetType": "ip", "Protocol": "TCP_UDP"}, {}, True),
        ({"TargetType": "alb"}, {}, True),
        # Without an answer: only what cannot be set is known.
        ({}, None, None),
        ({"Protocol": "TLS"}, None, None),
        ({"Protocol": "UDP"}, None, True),
        ({"Protocol": "TCP_QUIC"}, None, True),
        ({"Protocol": "HTTP"}, None, False),
        ({"Protocol": "GENEVE"}, None, False),
    ],
)
def test_an_attribute_or_its_default_decides_whose_address_the_target_sees(
    translated: Translate, group: dict[str, str], attributes: dict[str, str] | None, *, keeps: bool | None
) -> None:
    targets = [{"Target": {"Id": "10.0.1.5" if group.get("TargetType") == "ip" else "i-1"}}]
    found = estate(translated, group=group, attributes=attributes, targets=targets)
    assert only(found).keeps_client is keeps


@pytest.mark.semantics(43)
@pytest.mark.parametrize(
    ("arn", "of_balancer", "of_group", "crossed"),
    [
        (NETWORK, "false", {}, False),
        (NETWORK, "true", {}, True),
        (NETWORK, "false", {"load_balancing.cross_zone.enabled": "use_load_balancer_configuration"}, False),
        (NETWORK, "false", {"load_balancing.cross_zone.enabled": "true"}, True),
        (NETWORK, "true", {"load_balancing.cross_zone.enabled": "false"}, False),
        (NETWORK, None, {}, None),
        (NETWORK, "true", None, None),
        (APPLICATION, None, {}, True),
        (APPLICATION, None, {"load_balancing.cross_zone.enabled": "use_load_balancer_configuration"}, True),
        (APPLICATION, None, {"load_balancing.cross_zone.enabled": "false"}, False),
        (APPLICATION, None, None, None),
    ],
)
def test_zones_are_crossed_as_the_group_says_else_the_load_balancer(
    translated: Translate,
    arn: str,
    of_balancer: str | None,
    of_group: dict[str, str] | None,
    *,
    crossed: bool | None,
) -> None:
    balancer = {"LoadBalancerArn": arn, "Type": "network" if arn == NETWORK else "application"}
    found = estate(translated, balancer=balancer, attributes=of_group, crossed=of_balancer)
    assert only(found, arn).cross_zone is crossed


@pytest.mark.semantics(42)
@pytest.mark.parametrize(
    ("health", "healthy"),
    [
        ({"State": "healthy"}, True),
        ({"State": "unavailable", "Reason": "Target.HealthCheckDisabled"}, True),
        ({"State": "initial"}, False),
        ({"State": "unhealthy"}, False),
        ({"State": "unhealthy.draining"}, False),
        ({"State": "draining"}, False),
        ({"State": "unused", "Reason": "Target.NotInUse"}, False),
        ({"State": "unavailable", "Reason": "Elb.InternalError"}, None),
        ({}, None),
    ],
)
def test_only_a_healthy_target_is_sure_to_get_new_connections(
    translated: Translate, health: dict[str, str], *, healthy: bool | None
) -> None:
    (target,) = only(estate(translated, targets=[{"Target": {"Id": "i-1"}, "TargetHealth": health}])).targets
    assert target.healthy is healthy


@pytest.mark.semantics(42, 44)
def test_of_an_instance_the_first_interface_gets_what_is_sent(translated: Translate) -> None:
    listed = [
        instance("eni-2", "b", DeviceIndex=1, NetworkCardIndex=0),
        instance("eni-1", "a", DeviceIndex=0, NetworkCardIndex=0),
        instance("eni-3", "c", DeviceIndex=0, NetworkCardIndex=1),
    ]
    found = estate(translated, attributes={}, more={"ec2.describe_network_interfaces": listed})
    (target,) = only(found).targets
    assert (target.target, target.zone) == (f"{HERE}:eni-1", "eu-west-1a")
    (entrance,) = found.entrances.values()
    assert entrance.targets == {f"{HERE}:eni-1"}


@pytest.mark.semantics(42, 44)
def test_where_instances_show_their_interfaces_alone_the_first_is_known_too(translated: Translate) -> None:
    attached = {"DeviceIndex": 0, "NetworkCardIndex": 0}
    shown: list[dict[str, object]] = [{"NetworkInterfaceId": "eni-1", "Groups": [], "Attachment": attached}]
    wire: dict[str, object] = {"InstanceId": "i-1", "VpcId": "vpc-1", "NetworkInterfaces": shown}
    found = estate(translated, more={"ec2.describe_instances": [{"OwnerId": "111122223333", "Instances": [wire]}]})
    assert only(found).targets[0].target == f"{HERE}:eni-1"


@pytest.mark.semantics(43)
@pytest.mark.parametrize(
    ("target", "zone"),
    [
        ({"Id": "10.0.3.9"}, "eu-west-1c"),
        ({"Id": "10.0.3.9", "AvailabilityZone": "all"}, "eu-west-1c"),
        ({"Id": "10.0.9.9", "AvailabilityZone": "eu-west-1b"}, "eu-west-1b"),
        ({"Id": "10.9.9.9", "AvailabilityZone": "all"}, "all"),
        ({"Id": "10.9.9.9"}, ""),
    ],
)
def test_the_zone_of_an_address_is_its_subnets_else_the_one_told(
    translated: Translate, target: dict[str, str], zone: str
) -> None:
    found = only(estate(translated, group={"TargetType": "ip"}, targets=[{"Target": target}])).targets[0]
    assert (found.address, found.network, found.zone) == (AddressSet.parse(target["Id"]), f"{HERE}:vpc-1", zone)


@pytest.mark.semantics(43, 47)
def test_a_shared_networks_owner_may_name_zones_differently(translated: Translate) -> None:
    shared = [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "OwnerId": "999988887777"}]
    subnets = [wire | {"OwnerId": "999988887777"} for wire in SUBNETS[:1]]
    target = {"Id": "10.0.9.9", "AvailabilityZone": "eu-west-1b"}
    more = {"ec2.describe_vpcs": shared, "ec2.describe_subnets": subnets}
    found = estate(translated, group={"TargetType": "ip"}, targets=[{"Target": target}], more=more)
    assert only(found).targets[0].zone == ""


@pytest.mark.semantics(43)
def test_the_zones_of_a_load_balancer_are_those_of_its_subnets(translated: Translate) -> None:
    named = {"AvailabilityZones": [{"ZoneName": "other-name", "SubnetId": "subnet-c"}, {"ZoneName": "eu-west-1d"}]}
    assert forwarder(estate(translated, balancer=named)).zones == {"eu-west-1c", "eu-west-1d"}
    assert forwarder(estate(translated, balancer={"AvailabilityZones": [{"SubnetId": "subnet-x"}]})).zones is None


@pytest.mark.semantics(42)
@pytest.mark.parametrize(
    ("group", "checks"),
    [
        ({"HealthCheckPort": "traffic-port", "HealthCheckProtocol": "HTTP"}, "tcp/8080"),
        ({"HealthCheckPort": "8081", "HealthCheckProtocol": "HTTP"}, "tcp/8081"),
        ({"Protocol": "UDP", "HealthCheckPort": "7000"}, "tcp/7000"),
        ({"HealthCheckPort": "traffic-port", "HealthCheckEnabled": False}, "none"),
        ({"HealthCheckPort": "traffic-port", "TargetControlPort": 3000}, "tcp/3000, tcp/8080"),
    ],
)
def test_nodes_check_the_health_of_targets_over_tcp(translated: Translate, group: dict[str, Any], checks: str) -> None:
    assert only(estate(translated, group=group)).checks == Traffic.parse(checks)


@pytest.mark.semantics(42)
@pytest.mark.parametrize(
    ("setting", "judged"),
    [
        ({"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "on"}, True),
        ({"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "off"}, False),
        ({}, None),
    ],
)
def test_groups_judge_clients_of_private_endpoints_where_that_is_on(
    translated: Translate, setting: dict[str, str], *, judged: bool | None
) -> None:
    assert forwarder(estate(translated, balancer=setting)).groups_on_private_link is judged


@pytest.mark.semantics(42)
def test_what_was_not_read_leaves_the_forwards_incomplete(translated: Translate) -> None:
    assert forwarder(estate(translated)).complete
    found = estate(translated, more={f"elbv2.describe_target_health#{GROUP}": {"TargetHealthDescriptions": [7]}})
    assert not forwarder(found).complete
    alone = {"elbv2.describe_load_balancers": [{"LoadBalancerArn": NETWORK, "Type": "network"}]}
    assert not translated(alone).forwarders[f"{HERE}:{NETWORK}"].complete


@pytest.mark.semantics(42)
def test_a_function_behind_a_load_balancer_gets_no_packets(translated: Translate) -> None:
    group = {"TargetType": "lambda", "Protocol": "", "Port": None}
    found = estate(translated, group=group, targets=[{"Target": {"Id": "arn:aws:lambda:eu-west-1:1:function:f"}}])
    assert (forwarder(found).forwards, found.gaps) == ((), ())


GATEWAY = {
    "LoadBalancerArn": f"{ARN}:loadbalancer/gwy/inspect/3", "Type": "gateway", "Scheme": "internet-facing",
}  # fmt: skip


@pytest.mark.semantics(42)
def test_a_gateway_load_balancer_wraps_packets_for_its_appliances_and_is_no_entrance(translated: Translate) -> None:
    found = estate(translated, balancer=GATEWAY, group={"Protocol": "GENEVE", "Port": 6081})
    assert str(only(found, GATEWAY["LoadBalancerArn"]).traffic) == "udp/6081"
    assert not found.entrances


# What follows is about the ways in from the internet.


def entrances(found: Estate) -> list[Entrance]:
    return sorted(found.entrances.values(), key=lambda each: each.id)


@pytest.mark.semantics(33, 42)
def test_the_listeners_bound_what_leads_to_targets_of_a_public_load_balancer(translated: Translate) -> None:
    (entrance,) = entrances(estate(translated, attributes={}))
    assert (str(entrance.listens), str(entrance.traffic), entrance.active) == ("tcp/443", "tcp/8080", True)


@pytest.mark.semantics(33, 42)
def test_a_target_group_that_no_listener_forwards_to_lets_nothing_in(translated: Translate) -> None:
    assert not estate(translated, more={f"elbv2.describe_listeners#{NETWORK}": []}).entrances


@pytest.mark.semantics(33, 42)
def test_where_listeners_were_not_read_any_traffic_may_lead_to_the_targets(translated: Translate) -> None:
    unread = {f"elbv2.describe_listeners#{NETWORK}": {"Listeners": "x"}}
    (entrance,) = entrances(estate(translated, attributes={}, more=unread))
    assert entrance.listens is None


@pytest.mark.semantics(33, 43)
@pytest.mark.parametrize(
    ("address", "health", "led_to"),
    [
        ("10.0.1.5", "unhealthy", True),
        ("10.0.3.5", "unused", False),
        ("10.0.3.5", "unhealthy", False),
        # AWS checks no target that it would not send to.
        ("10.0.3.5", "healthy", True),
        ("10.9.9.9", "unhealthy", True),
    ],
)
def test_a_target_in_a_zone_that_is_not_enabled_is_not_led_to(
    translated: Translate, address: str, health: str, *, led_to: bool
) -> None:
    targets = [{"Target": {"Id": address}, "TargetHealth": {"State": health}}]
    found = estate(translated, group={"TargetType": "ip"}, attributes={}, targets=targets)
    assert bool(found.entrances) is led_to


@pytest.mark.semantics(33, 42)
def test_whose_address_is_seen_may_be_unknown_and_then_either_is_possible(translated: Translate) -> None:
    nodes = [node("eni-a", "a", "10.0.1.9"), node("eni-b", "b", "10.0.2.9")]
    kept, hidden = entrances(estate(translated, more={"ec2.describe_network_interfaces": nodes}))
    assert (kept.clients, hidden.clients) == (ALL_ADDRESSES, AddressSet.parse("10.0.1.9, 10.0.2.9"))
    assert [(each.active, each.doubt) for each in (kept, hidden)] == [
        (None, "whether clients keep their addresses behind api was not read")
    ] * 2


@pytest.mark.semantics(33, 42)
def test_clients_of_the_other_family_are_seen_as_the_nodes(translated: Translate) -> None:
    nodes = [node("eni-a", "a", "10.0.1.9", "2600:1f18::9")]
    found = estate(
        translated, balancer={"IpAddressType": "dualstack"}, attributes={},
        more={"ec2.describe_network_interfaces": nodes},
    )  # fmt: skip
    assert [(each.senders, each.clients, each.active) for each in entrances(found)] == [
        (ALL_IPV4, ALL_ADDRESSES, True),
        (ALL_IPV6, AddressSet.parse("10.0.1.9"), True),
    ]


@pytest.mark.semantics(33, 42)
@pytest.mark.parametrize(
    ("subnet", "seen"), [("subnet-a", AddressSet.parse("10.0.1.0/24")), ("subnet-x", AddressSet.parse("10.0.0.0/16"))]
)
def test_nodes_without_a_listed_address_may_have_any_of_their_subnet(
    translated: Translate, subnet: str, seen: AddressSet
) -> None:
    hiding = {"preserve_client_ip.enabled": "false"}
    found = estate(translated, balancer={"AvailabilityZones": [{"SubnetId": subnet}]}, attributes=hiding)
    (entrance,) = entrances(found)
    assert (entrance.clients, entrance.active) == (seen, None)
    assert entrance.doubt == "the addresses of the load balancer's nodes were not read"


@pytest.mark.semantics(33, 206)
def test_an_internal_load_balancer_leads_nobody_in_from_the_internet(translated: Translate) -> None:
    assert not estate(translated, balancer={"Scheme": "internal"}, attributes={}).entrances


@pytest.mark.semantics(33, 126)
@pytest.mark.parametrize("endpoint", [NETWORK, "arn:aws:ec2:eu-west-1:111122223333:network-interface/eni-a"])
def test_an_internal_load_balancer_behind_an_origin_leads_on_to_its_targets(
    translated: Translate, endpoint: str
) -> None:
    origin = {"Id": "vo_1", "Status": "Deployed", "OriginEndpointArn": endpoint}
    more = {
        "global:cloudfront.list_vpc_origins": {"VpcOriginList": {"Items": [origin]}},
        "ec2.describe_network_interfaces": [node("eni-a", "a", "10.0.1.9")],
    }
    found = estate(translated, balancer={"Scheme": "internal"}, attributes={}, more=more)
    assert [each.through for each in entrances(found) if each.kind == "target-group"] == [{f"{HERE}:{NETWORK}"}]
