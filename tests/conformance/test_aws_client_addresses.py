"""Raw answers about a network load balancer that faces the internet: what its target is reached by.

https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.engine import AuditRequest, run_audit
from cloudseg.providers.aws.translate import translate
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, Traffic
from tests.conformance.account import ACCOUNT, REGION, Account, Json, permission

if TYPE_CHECKING:
    from cloudseg.model import Estate

ARN = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
BALANCER, GROUP = f"{ARN}:loadbalancer/net/edge/0123456789abcdef", f"{ARN}:targetgroup/shell/0123456789abcdef"
LISTENER = f"{ARN}:listener/net/edge/0123456789abcdef/0123456789abcdef"
CLIENT = AddressSet.parse("198.51.100.7")
TARGET = f"aws:{ACCOUNT}:{REGION}:eni-2"


def edge(*, keeps: str | None, admits: str = "0.0.0.0/0", listens: str = "0.0.0.0/0") -> Estate:
    """A listener on port 443 in front of ``eni-2`` (10.0.2.5), which is asked on port 22; ``keeps`` None: not read."""
    account = Account()
    everything = permission("-1", None, None, "0.0.0.0/0")
    account.group("sg-lb", permission("tcp", 443, 443, listens), egress=[everything])
    account.group("sg-app", permission("tcp", 22, 22, admits), egress=[everything])
    balancer: Json = {
        "LoadBalancerArn": BALANCER, "LoadBalancerName": "edge", "Scheme": "internet-facing", "Type": "network",
        "VpcId": "vpc-1", "State": {"Code": "active"}, "SecurityGroups": ["sg-lb"], "IpAddressType": "ipv4",
        "AvailabilityZones": [{"ZoneName": f"{REGION}a", "SubnetId": "subnet-public"}],
    }  # fmt: skip
    group: Json = {
        "TargetGroupArn": GROUP, "TargetGroupName": "shell", "TargetType": "ip", "Protocol": "TCP", "Port": 22,
        "VpcId": "vpc-1", "LoadBalancerArns": [BALANCER], "IpAddressType": "ipv4",
    }  # fmt: skip
    target: Json = {
        "Target": {"Id": "10.0.2.5", "Port": 22, "AvailabilityZone": f"{REGION}a"},
        "TargetHealth": {"State": "healthy"},
    }
    listener: Json = {
        "ListenerArn": LISTENER, "Protocol": "TCP", "Port": 443,
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": GROUP}],
    }  # fmt: skip
    crossed: Json = {"Key": "load_balancing.cross_zone.enabled", "Value": "true"}
    account.add("elbv2", "describe_load_balancers", "LoadBalancers", balancer)
    account.add("elbv2", "describe_target_groups", "TargetGroups", group)
    account.put("elbv2", "describe_target_health", {"TargetHealthDescriptions": [target]}, GROUP)
    account.put("elbv2", "describe_listeners", {"Listeners": [listener]}, BALANCER)
    account.put("elbv2", "describe_load_balancer_attributes", {"Attributes": [crossed]}, BALANCER)
    if keeps is not None:
        own: Json = {"Key": "preserve_client_ip.enabled", "Value": keeps}
        account.put("elbv2", "describe_target_group_attributes", {"Attributes": [own]}, GROUP)
    account.interface(
        "eni-1", "sg-lb", address="10.0.1.9", public="203.0.113.9", description="ELB net/edge/0123456789abcdef"
    )
    account.interface("eni-2", "sg-app", subnet="subnet-private", address="10.0.2.5")
    return translate(account.snapshot())


def verdict(estate: Estate, traffic: str = "tcp/22") -> str:
    return explain(Reachability(estate), CLIENT, TARGET, Traffic.parse(traffic)).verdict


def by_internet(estate: Estate) -> tuple[int, int]:
    exposure = run_audit(estate, AuditRequest()).summary.exposure
    assert exposure is not None
    return exposure.administration.from_internet, exposure.administration.from_internet_at_most


@pytest.mark.semantics(42)
@pytest.mark.parametrize(
    ("estate", "told", "counted"),
    [
        (edge(keeps="true"), "allowed", (1, 1)),
        (edge(keeps="false"), "blocked", (0, 0)),
        (edge(keeps=None), "unknown", (0, 1)),
        (edge(keeps="true", admits="10.0.0.0/16"), "blocked", (0, 0)),
        (edge(keeps="true", admits="sg-lb"), "allowed", (1, 1)),
        (edge(keeps="true", listens="10.0.0.0/16"), "blocked", (0, 0)),
    ],
    ids=["kept", "shown as the node", "not read", "not admitted", "by the group", "stopped at the balancer"],
)
def test_the_internet_reaches_a_target_that_sees_its_addresses(
    estate: Estate, told: str, counted: tuple[int, int]
) -> None:
    assert verdict(estate) == told
    assert by_internet(estate) == counted


@pytest.mark.semantics(42)
def test_the_port_of_the_listener_is_not_the_port_that_arrives() -> None:
    found = explain(Reachability(edge(keeps="true")), CLIENT, TARGET, Traffic.parse("tcp/443"))
    assert found.verdict == "blocked"
    assert "edge takes tcp/443 and hands it on as tcp/22" in found.reason


@pytest.mark.semantics(42)
def test_what_the_check_calls_exposed_passes_in_the_explanation() -> None:
    for estate in (edge(keeps="true"), edge(keeps="true", admits="10.0.0.0/16")):
        findings = run_audit(estate, AuditRequest()).findings
        exposed = {f.resource.id for f in findings if f.check == "internet-exposed-port" and f.reachable}
        assert ("sg-app" in exposed) == (verdict(estate) == "allowed")
