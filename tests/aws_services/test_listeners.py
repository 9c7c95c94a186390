"""What load balancers listen to, and which target groups that leads to."""

from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.model import Estate, Forwarder
from cloudseg.traffic import NO_TRAFFIC, Traffic

Translate = Callable[..., Estate]
HERE = "aws:111122223333:eu-west-1"
ARN = "arn:aws:elasticloadbalancing:eu-west-1:111122223333"
NETWORK = f"{ARN}:loadbalancer/net/api/1"
APPLICATION = f"{ARN}:loadbalancer/app/web/2"
ONE, TWO = f"{ARN}:targetgroup/one/1", f"{ARN}:targetgroup/two/2"


def forward(*groups: str) -> list[dict[str, Any]]:
    listed = [{"TargetGroupArn": group, "Weight": 1} for group in groups]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": listed}}]


def listener(own: str, protocol: str, port: int, actions: list[dict[str, Any]]) -> dict[str, Any]:
    return {"ListenerArn": own, "Protocol": protocol, "Port": port, "DefaultActions": actions}


def balancer(translated: Translate, arn: str, listeners: object = None, **more: Any) -> Forwarder:
    """A load balancer with the target groups one and two, each with one target on port 8080."""
    kind = "network" if arn == NETWORK else "application"
    protocol = "TCP" if kind == "network" else "HTTP"
    groups = [
        {"TargetGroupArn": own, "TargetGroupName": own.split("/")[1], "Protocol": protocol, "Port": 8080}
        | {"VpcId": "vpc-1", "LoadBalancerArns": [arn]}
        for own in (ONE, TWO)
    ]
    answers: dict[str, object] = {
        "elbv2.describe_load_balancers": [
            {"LoadBalancerArn": arn, "Type": kind, "Scheme": "internal", "SecurityGroups": ["sg-1"]}
        ],
        "elbv2.describe_target_groups": groups,
        **{f"elbv2.describe_target_health#{own}": [{"Target": {"Id": "i-1"}}] for own in (ONE, TWO)},
    }
    if listeners is not None:
        answers[f"elbv2.describe_listeners#{arn}"] = listeners
    return translated(answers | more).forwarders[f"{HERE}:{arn}"]


def leading(found: Forwarder) -> dict[str, str]:
    """What leads to each target group that gets anything."""
    return {each.name: "unread" if each.listens is None else str(each.listens) for each in found.forwards}


@pytest.mark.semantics(42)
@pytest.mark.parametrize(
    ("protocol", "traffic"),
    [
        ("HTTP", "tcp/443"),
        ("HTTPS", "tcp/443"),
        ("TCP", "tcp/443"),
        ("TLS", "tcp/443"),
        ("UDP", "udp/443"),
        ("TCP_UDP", "tcp/443, udp/443"),
        ("QUIC", "udp/443"),
        ("TCP_QUIC", "tcp/443, udp/443"),
    ],
)
def test_a_listener_takes_its_protocols_on_its_port(translated: Translate, protocol: str, traffic: str) -> None:
    found = balancer(translated, NETWORK, [listener("l", protocol, 443, forward(ONE))])
    assert found.accepts == Traffic.parse(traffic)


@pytest.mark.semantics(42)
def test_a_load_balancer_takes_what_any_of_its_listeners_takes(translated: Translate) -> None:
    listeners = [listener("l1", "TCP", 443, forward(ONE)), listener("l2", "UDP", 53, forward(TWO))]
    assert balancer(translated, NETWORK, listeners).accepts == Traffic.parse("tcp/443, udp/53")


@pytest.mark.semantics(42)
def test_without_a_listener_it_takes_nothing_and_sends_nothing(translated: Translate) -> None:
    found = balancer(translated, NETWORK, [])
    assert (found.accepts, found.forwards, found.complete) == (NO_TRAFFIC, (), True)


def test_where_listeners_were_not_read_anything_may_be_taken_and_sent(translated: Translate) -> None:
    found = balancer(translated, NETWORK)
    assert (found.accepts, leading(found)) == (None, {"one:8080": "unread", "two:8080": "unread"})


@pytest.mark.parametrize("wire", [{"ListenerArn": "l", "Protocol": "TCP", "Port": "x"}, listener("l", "SMTP", 25, [])])
def test_one_listener_that_cannot_be_read_leaves_open_what_is_taken(translated: Translate, wire: Any) -> None:
    found = balancer(translated, NETWORK, [listener("l0", "TCP", 443, forward(ONE)), wire])
    assert (found.accepts, leading(found)["two:8080"]) == (None, "unread")


@pytest.mark.semantics(42)
def test_each_target_group_gets_what_its_own_listeners_take(translated: Translate) -> None:
    listeners = [
        listener("l1", "TCP", 443, forward(ONE)),
        listener("l2", "TCP", 22, [{"Type": "forward", "TargetGroupArn": TWO}]),
        listener("l3", "TCP", 8443, forward(ONE, TWO)),
    ]
    found = balancer(translated, NETWORK, listeners)
    assert leading(found) == {"one:8080": "tcp/443, tcp/8443", "two:8080": "tcp/22, tcp/8443"}


@pytest.mark.semantics(42)
def test_a_target_group_that_no_listener_forwards_to_gets_nothing(translated: Translate) -> None:
    found = balancer(translated, NETWORK, [listener("l", "TCP", 443, forward(ONE))])
    assert leading(found) == {"one:8080": "tcp/443"}


@pytest.mark.semantics(42)
def test_the_rules_of_an_application_load_balancer_forward_beside_the_default_action(translated: Translate) -> None:
    redirect = [{"Type": "redirect", "RedirectConfig": {"Port": "443"}}]
    listeners = [listener("l1", "HTTP", 80, redirect), listener("l2", "HTTPS", 443, forward(ONE))]
    rules = {
        "elbv2.describe_rules#l1": [{"Actions": redirect}],
        "elbv2.describe_rules#l2": [
            {"Priority": "1", "Actions": [{"Type": "authenticate-oidc"}, *forward(TWO)]},
            {"Priority": "default", "Actions": forward(ONE)},
        ],
    }
    found = balancer(translated, APPLICATION, listeners, **rules)
    assert found.accepts == Traffic.parse("tcp/80, tcp/443")
    assert leading(found) == {"one:8080": "tcp/443", "two:8080": "tcp/443"}


def test_rules_that_were_not_read_may_forward_anywhere(translated: Translate) -> None:
    found = balancer(translated, APPLICATION, [listener("l", "HTTPS", 443, forward(ONE))])
    assert leading(found) == {"one:8080": "tcp/443", "two:8080": "unread"}


def test_a_network_load_balancer_has_no_rules_to_miss(translated: Translate) -> None:
    found = balancer(translated, NETWORK, [listener("l", "TLS", 443, forward(ONE))])
    assert leading(found) == {"one:8080": "tcp/443"}


CLASSIC = {
    "LoadBalancerName": "old", "Scheme": "internal", "VPCId": "vpc-1", "Subnets": ["subnet-a"],
    "SecurityGroups": ["sg-1"], "Instances": [{"InstanceId": "i-1"}, {"InstanceId": "i-2"}],
    "HealthCheck": {"Target": "HTTP:8081/health"},
    "ListenerDescriptions": [
        {"Listener": {"Protocol": "HTTPS", "LoadBalancerPort": 443, "InstancePort": 8080}},
        {"Listener": {"Protocol": "SSL", "LoadBalancerPort": 993, "InstancePort": 143}},
        {"Listener": {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 8080}},
    ],
}  # fmt: skip


@pytest.mark.semantics(42)
def test_a_classic_load_balancer_sends_what_a_listener_takes_to_that_listeners_own_port(translated: Translate) -> None:
    found = translated({"elb.describe_load_balancers": [CLASSIC]}).forwarders[f"{HERE}:old"]
    assert (found.accepts, found.complete) == (Traffic.parse("tcp/80, tcp/443, tcp/993"), True)
    assert [(str(each.listens), str(each.traffic), str(each.checks)) for each in found.forwards] == [
        ("tcp/80, tcp/443", "tcp/8080", "tcp/8081"),
        ("tcp/993", "tcp/143", "tcp/8081"),
    ]
    assert {target.target for each in found.forwards for target in each.targets} == {f"{HERE}:i-1", f"{HERE}:i-2"}


@pytest.mark.semantics(42)
def test_targets_of_a_classic_load_balancer_never_see_its_clients(translated: Translate) -> None:
    found = translated({"elb.describe_load_balancers": [CLASSIC]}).forwarders[f"{HERE}:old"]
    assert {each.keeps_client for each in found.forwards} == {False}


@pytest.mark.semantics(43)
def test_a_classic_load_balancer_tells_health_and_zones_apart_from_the_list(translated: Translate) -> None:
    more = {
        "elb.describe_instance_health#old": [
            {"InstanceId": "i-1", "State": "InService"}, {"InstanceId": "i-2", "State": "OutOfService"},
        ],
        "elb.describe_load_balancer_attributes#old": {
            "LoadBalancerAttributes": {"CrossZoneLoadBalancing": {"Enabled": False}}
        },
    }  # fmt: skip
    unread = translated({"elb.describe_load_balancers": [CLASSIC]}).forwarders[f"{HERE}:old"].forwards[0]
    assert (unread.cross_zone, [target.healthy for target in unread.targets]) == (None, [None, None])
    read = translated({"elb.describe_load_balancers": [CLASSIC], **more}).forwarders[f"{HERE}:old"].forwards[0]
    assert (read.cross_zone, [target.healthy for target in read.targets]) == (False, [True, False])


def test_a_classic_load_balancer_without_the_list_of_its_listeners_is_a_gap(translated: Translate) -> None:
    wire = {key: value for key, value in CLASSIC.items() if key != "ListenerDescriptions"}
    estate = translated({"elb.describe_load_balancers": [wire]})
    found = estate.forwarders[f"{HERE}:old"]
    assert (found.accepts, found.complete) == (None, False)
    assert [(gap.resource, gap.reason) for gap in estate.gaps] == [("old", "unread")]


@pytest.mark.parametrize("check", ["", "HTTP", "TCP:", "TCP:x", "TCP:99999", "HTTP:99999999999999999999/"])
def test_a_health_check_that_names_no_port_asks_nothing(translated: Translate, check: str) -> None:
    wire = CLASSIC | {"HealthCheck": {"Target": check}}
    found = translated({"elb.describe_load_balancers": [wire]}).forwarders[f"{HERE}:old"]
    assert {each.checks for each in found.forwards} == {NO_TRAFFIC}
