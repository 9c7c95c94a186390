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


def _balance(
    account: Account,
    number: int,
    keeps: str | None,
    health: str | None,
    *,
    scheme: str = "internet-facing",
    state: str = "active",
) -> None:
    """Add a load balancer with one interface, which is ``eni-1`` of the first one."""
    balancer, own_group, listens = (f"{arn[:-1]}{number}" for arn in (BALANCER, GROUP, LISTENER))
    told: Json = {
        "LoadBalancerArn": balancer, "LoadBalancerName": "edge", "Scheme": scheme, "Type": "network",
        "VpcId": "vpc-1", "State": {"Code": state}, "SecurityGroups": ["sg-lb"], "IpAddressType": "ipv4",
        "AvailabilityZones": [{"ZoneName": f"{REGION}a", "SubnetId": "subnet-public"}],
    }  # fmt: skip
    group: Json = {
        "TargetGroupArn": own_group, "TargetGroupName": "shell", "TargetType": "ip", "Protocol": "TCP", "Port": 22,
        "VpcId": "vpc-1", "LoadBalancerArns": [balancer], "IpAddressType": "ipv4",
    }  # fmt: skip
    listener: Json = {
        "ListenerArn": listens, "Protocol": "TCP", "Port": 443,
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": own_group}],
    }  # fmt: skip
    crossed: Json = {"Key": "load_balancing.cross_zone.enabled", "Value": "true"}
    account.add("elbv2", "describe_load_balancers", "LoadBalancers", told)
    account.add("elbv2", "describe_target_groups", "TargetGroups", group)
    if health is not None:
        target: Json = {
            "Target": {"Id": "10.0.2.5", "Port": 22, "AvailabilityZone": f"{REGION}a"},
            "TargetHealth": {"State": health},
        }
        account.put("elbv2", "describe_target_health", {"TargetHealthDescriptions": [target]}, own_group)
    account.put("elbv2", "describe_listeners", {"Listeners": [listener]}, balancer)
    account.put("elbv2", "describe_load_balancer_attributes", {"Attributes": [crossed]}, balancer)
    if keeps is not None:
        own: Json = {"Key": "preserve_client_ip.enabled", "Value": keeps}
        account.put("elbv2", "describe_target_group_attributes", {"Attributes": [own]}, own_group)
    named = balancer.partition("loadbalancer/")[2]
    node = "eni-1" if number == 1 else "eni-3"
    public = "" if scheme == "internal" else f"203.0.113.{8 + number}"
    account.interface(node, "sg-lb", address=f"10.0.1.{8 + number}", public=public, description=f"ELB {named}")


def edge(
    *,
    keeps: str | None = "true",
    admits: str = "0.0.0.0/0",
    listens: str = "0.0.0.0/0",
    health: str | None = "healthy",
    besides: str = "",
    scheme: str = "internet-facing",
    state: str = "active",
    unread: str = "",
) -> Estate:
    """A listener on port 443 in front of ``eni-2`` (10.0.2.5), which is asked on port 22.

    Args:
        keeps: the target sees its clients' addresses; None where that was not read.
        admits: whom its group admits.
        listens: whom the load balancer's group admits.
        health: the state of the target; None where the list of targets was not read.
        besides: its state behind a second load balancer like the first one; empty where there is none.
        scheme: of the first load balancer.
        state: of the first load balancer.
        unread: an operation of the load balancers of which there is no answer; empty for none.
    """
    account = Account()
    everything = permission("-1", None, None, "0.0.0.0/0")
    account.group("sg-lb", permission("tcp", 443, 443, listens), egress=[everything])
    account.group("sg-app", permission("tcp", 22, 22, admits), egress=[everything])
    _balance(account, 1, keeps, health, scheme=scheme, state=state)
    if besides:
        _balance(account, 2, keeps, besides)
    account.interface("eni-2", "sg-app", subnet="subnet-private", address="10.0.2.5")
    for key in [each for each in account.answers if each[:2] == ("elbv2", unread)]:
        del account.answers[key]
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


# To a target that is not healthy a load balancer sends new connections where no healthy one is left:
# https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html


def told_of(estate: Estate) -> tuple[str, bool | None, str]:
    """What is told of the one rule of the target: by which check, whether it is reachable, how surely."""
    findings = run_audit(estate, AuditRequest()).findings
    open_to_all = ("internet-exposed-port", "latent-internet-rule")
    (found,) = (f for f in findings if f.resource.id == "sg-app" and f.check in open_to_all)
    return found.check, found.reachable, found.confidence


SURE = ("internet-exposed-port", True, "high")
PERHAPS = ("internet-exposed-port", None, "low")


@pytest.mark.semantics(42)
@pytest.mark.parametrize(
    ("health", "besides", "told", "counted", "finding"),
    [
        ("healthy", "", "allowed", (1, 1), SURE),
        ("unhealthy", "", "unknown", (0, 1), PERHAPS),
        ("initial", "", "unknown", (0, 1), PERHAPS),
        ("draining", "", "unknown", (0, 1), PERHAPS),
        ("", "", "unknown", (0, 1), PERHAPS),
        (None, "", "unknown", (0, 1), PERHAPS),
        ("healthy", "unhealthy", "allowed", (1, 1), SURE),
        ("unhealthy", "healthy", "allowed", (1, 1), SURE),
        ("unhealthy", "unhealthy", "unknown", (0, 1), PERHAPS),
        (None, "healthy", "allowed", (1, 1), SURE),
        (None, "unhealthy", "unknown", (0, 1), PERHAPS),
    ],
)
def test_only_a_healthy_target_is_certainly_reached_in_the_finding_the_explanation_and_the_summary(
    health: str | None, besides: str, told: str, counted: tuple[int, int], finding: tuple[str, bool | None, str]
) -> None:
    estate = edge(health=health, besides=besides)
    assert verdict(estate) == told
    assert by_internet(estate) == counted
    assert told_of(estate) == finding


@pytest.mark.semantics(42)
@pytest.mark.parametrize("admits", ["0.0.0.0/0", "10.0.1.9/32", "sg-lb"])
@pytest.mark.parametrize(
    ("health", "told", "finding"),
    [("healthy", "allowed", SURE), ("unhealthy", "unknown", PERHAPS), ("", "unknown", PERHAPS)],
)
def test_so_it_is_where_the_target_sees_the_node(
    health: str, told: str, finding: tuple[str, bool | None, str], admits: str
) -> None:
    estate = edge(keeps="false", health=health, admits=admits)
    node = f"aws:{ACCOUNT}:{REGION}:eni-1"
    assert explain(Reachability(estate), node, TARGET, Traffic.parse("tcp/22")).verdict == told
    assert told_of(estate) == finding


# What was not read may lead to the target: the finding keeps the severity of what is exposed.


@pytest.mark.semantics(33, 42)
@pytest.mark.parametrize("unread", ["describe_target_groups", "describe_target_health", "describe_listeners"])
def test_what_a_load_balancer_may_lead_to_that_was_not_read_in_full_may_be_open(unread: str) -> None:
    estate = edge(unread=unread)
    assert verdict(estate) == "unknown"
    assert by_internet(estate) == (0, 1)
    assert told_of(estate) == PERHAPS
    findings = run_audit(estate, AuditRequest()).findings
    (found,) = (f for f in findings if f.resource.id == "sg-app" and f.check == "internet-exposed-port")
    assert found.severity == "high"
    assert "may be open to" in found.message


@pytest.mark.semantics(33, 42)
def test_without_the_list_of_load_balancers_a_lone_private_interface_is_not_surely_closed() -> None:
    account = Account()
    account.group("sg-app", permission("tcp", 22, 22, "0.0.0.0/0"))
    account.interface("eni-2", "sg-app", subnet="subnet-private", address="10.0.2.5")
    del account.answers["elbv2", "describe_load_balancers", None]
    estate = translate(account.snapshot())
    assert (verdict(estate), verdict(estate, "tcp/23")) == ("unknown", "blocked")
    assert told_of(estate) == PERHAPS


@pytest.mark.semantics(33, 42)
def test_unread_targets_of_a_load_balancer_inside_open_nothing_to_the_internet() -> None:
    estate = edge(scheme="internal", health=None)
    assert verdict(estate) == "blocked"
    assert told_of(estate) == ("latent-internet-rule", None, "low")


@pytest.mark.semantics(33, 42)
def test_unread_targets_open_nothing_that_the_load_balancer_does_not_let_in() -> None:
    estate = edge(listens="10.0.0.0/16", health=None)
    assert verdict(estate) == "blocked"
    assert told_of(estate)[0] == "latent-internet-rule"


@pytest.mark.semantics(42)
def test_of_a_load_balancer_that_could_not_be_set_up_nothing_is_certain() -> None:
    estate = edge(state="failed")
    assert verdict(estate) == "unknown"
    assert told_of(estate) == PERHAPS
    proxied, node = Reachability(edge(state="failed", keeps="false")), f"aws:{ACCOUNT}:{REGION}:eni-1"
    assert explain(proxied, node, TARGET, Traffic.parse("tcp/22")).verdict == "unknown"
