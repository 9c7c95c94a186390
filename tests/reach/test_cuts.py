"""Rules that are told as a cut: without all of them nothing passes, and where that is in doubt none is told."""

import dataclasses

import msgspec
import pytest

from cloudseg.checks.example_estates import ACL_OPEN, EstateBuilder, acl_entry, allow
from cloudseg.model import Direction, EndpointConnection, Estate, Gateway, Rule
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.explaining.explanation import Cut, RuleRef
from cloudseg.reach.reachability import NOTHING, Reachability
from cloudseg.traffic import ALL_TRAFFIC, AddressSet, Traffic
from tests.reach.balancers import TARGET, at_most, balanced, balancer, forward

q = EstateBuilder.id
CONSUMER = AddressSet.parse("172.16.5.5")
OPEN = allow("egress", "all", "0.0.0.0/0")
SERVICE = "com.amazonaws.vpce.eu-west-1.vpce-svc-1"


def cuts(estate: Estate, source: str | AddressSet, target: str) -> tuple[Cut, ...]:
    """What is told to cut all traffic; it does, for without the rules of any cut nothing passes."""
    found = explain(Reachability(estate), source, q(target), ALL_TRAFFIC)
    assert found.upper != "none"
    for cut in found.cuts:
        gone = {(rule.rule_set, rule.rule) for rule in cut.rules}
        left = {
            name: msgspec.structs.replace(own, rules=tuple(rule for rule in own.rules if (name, rule.id) not in gone))
            for name, own in estate.rule_sets.items()
        }
        after = Reachability(dataclasses.replace(estate, rule_sets=left)).between(source, q(target))
        assert after == NOTHING, cut.text
    return found.cuts


def behind_endpoint(*, asked: bool | None) -> EstateBuilder:
    """A load balancer whose groups admit everybody, behind a service with an endpoint, and one of another account."""
    builder = balanced()
    builder.interface("eni-vpce", "subnet-clients", ["sg-open"], "10.0.30.20", role="vpc_endpoint")
    builder.endpoint("vpce-1", "s3", type="interface", interfaces=frozenset({q("eni-vpce")}))
    endpoint = builder.build().endpoints[q("vpce-1")]
    builder.put("endpoints", msgspec.structs.replace(endpoint, service=SERVICE))
    far = EndpointConnection("vpce-far", "999999999999", "accepted")
    builder.endpoint_service("vpce-svc-1", balancers=frozenset({q("lb")}), connections=(far,))
    known = builder.build().forwarders[q("lb")]
    builder.put("forwarders", msgspec.structs.replace(known, groups_on_private_link=asked))
    return builder


# The groups of a load balancer are asked about private endpoints only where that is set:
# https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html


@pytest.mark.parametrize("asked", [None, False, True])
def test_no_group_is_told_to_cut_what_comes_over_a_private_endpoint(*, asked: bool | None) -> None:
    assert cuts(behind_endpoint(asked=asked).build(), q("eni-vpce"), "node-a") == ()


@pytest.mark.parametrize(("asked", "told"), [(None, 0), (False, 0), (True, 1)])
def test_the_groups_cut_consumers_that_were_not_read_where_they_are_asked(*, asked: bool | None, told: int) -> None:
    assert len(cuts(behind_endpoint(asked=asked).build(), CONSUMER, "node-a")) == told


def test_a_rule_for_the_internet_does_not_cut_consumers_who_may_bear_the_same_addresses() -> None:
    builder = behind_endpoint(asked=False)
    builder.interface("node-a", "subnet-public", ["sg-lb"], "10.0.1.9", "203.0.113.9", workload=q("lb"))
    estate = builder.build()
    outside = AddressSet.parse("198.51.100.7")
    assert Reachability(estate).between(outside, q("node-a")).lower
    assert cuts(estate, outside, "node-a") == ()


@pytest.mark.parametrize("role", ["interface", "vpc_endpoint"])
def test_a_list_does_not_cut_what_a_load_balancer_may_send_for_its_clients(role: str) -> None:
    # Not every target was read, so any interface may be one, and may see the clients in place of the node.
    builder = balanced(forward(keeps_client=True), complete=False)
    builder.interface("eni-far", "subnet-clients", ["sg-open"], "10.0.30.20", role=role)
    builder.acl("acl-a", ["subnet-a"], (acl_entry("egress", 90, "tcp/443", "10.0.30.0/24"), *ACL_OPEN))
    assert not [cut for cut in cuts(builder.build(), q("node-a"), "eni-far") if cut.direction == "egress"]


def test_where_the_networks_were_not_read_a_group_with_unread_members_belongs_to_the_cut() -> None:
    builder = EstateBuilder(unread=("networks",))
    builder.group("sg-unread", OPEN)
    builder.group("sg-app", OPEN)
    rules = (allow("ingress", "tcp/22", "198.51.100.0/24"), allow("ingress", "tcp/400-500", "sg-unread"))
    builder.group("sg-server", *rules, OPEN)
    builder.interface("eni-app", "subnet-private", ["sg-app"], "10.2.1.5")
    builder.interface("eni-server", "subnet-public", ["sg-server"], "10.0.1.100", "203.0.113.100")
    estate = dataclasses.replace(builder.build(), networks={})
    assert Reachability(estate).between(q("eni-app"), q("eni-server")) == at_most("tcp/22, tcp/400-500")
    (cut,) = cuts(estate, q("eni-app"), "eni-server")
    assert len(cut.rules) == 2


# Over the internet a list sees public addresses, whoever bears them, and no group:
# https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html#security-group-referencing

HERE, THERE = "198.51.100.5", "198.51.100.6"


def over_the_internet() -> EstateBuilder:
    """``eni-app`` asks ``node``, a load balancer's that faces the internet, in another network that no road leads to.

    Both lists name the other end by everything, by its private and its public address, and by its group.
    """
    builder = EstateBuilder()
    builder.network("vpc-2", "10.8.0.0/16")
    builder.subnet("subnet-there", "10.8.1.0/24", network="vpc-2")
    builder.route("rtb-there", "0.0.0.0/0", "internet-gateway", "igw-2")
    gateway = Gateway(
        id=q("igw-2"),
        kind="internet-gateway",
        region="eu-west-1",
        networks=frozenset({q("vpc-2")}),
        public=True,
    )
    builder.put("gateways", gateway)
    builder.group("sg-app", *_named("egress", "10.8.1.0/24", f"{THERE}/32", "sg-node"))
    builder.group("sg-node", *_named("ingress", "10.0.1.0/24", f"{HERE}/32", "sg-app"), OPEN, network="vpc-2")
    builder.interface("eni-app", "subnet-public", ["sg-app"], "10.0.1.5", HERE)
    builder.interface("node", "subnet-there", ["sg-node"], "10.8.1.6", THERE, workload=q("lb"))
    builder.put("interfaces", msgspec.structs.replace(builder.build().interfaces[q("node")], network=q("vpc-2")))
    balancer(builder, zones=None, kind="application-load-balancer")
    return builder


def _named(direction: Direction, *peers: str) -> tuple[Rule, ...]:
    return tuple(allow(direction, "tcp/443", peer) for peer in ("0.0.0.0/0", *peers))


def peers_of(rules: tuple[RuleRef, ...]) -> set[str]:
    return {rule.rule.rpartition("tcp/443/")[2] for rule in rules}


@pytest.mark.semantics(6)
def test_at_a_load_balancer_that_is_asked_over_the_internet_rules_for_private_addresses_and_groups_are_not_told() -> (
    None
):
    told = {cut.direction: peers_of(cut.rules) for cut in cuts(over_the_internet().build(), q("eni-app"), "node")}
    assert told == {"ingress": {"0.0.0.0/0", f"{HERE}/32"}, "egress": {"0.0.0.0/0", f"{THERE}/32"}}


@pytest.mark.semantics(6)
def test_the_steps_to_a_load_balancer_over_the_internet_name_the_rules_for_public_addresses() -> None:
    reach = Reachability(over_the_internet().build())
    found = explain(reach, q("eni-app"), q("node"), Traffic.parse("tcp/443"))
    assert found.verdict == "allowed"
    told = {step.direction: peers_of(step.rules) for step in found.steps if step.kind == "stage"}
    assert told == {"ingress": {"0.0.0.0/0", f"{HERE}/32"}, "egress": {"0.0.0.0/0", f"{THERE}/32"}}
    assert not [step for step in found.steps if "user" in f"{step.text} {step.reason}"]


@pytest.mark.semantics(42)
@pytest.mark.parametrize(
    ("keeps_client", "told"), [(False, {"node"}), (True, {"node", "clients"}), (None, {"node", "clients"})]
)
def test_what_a_target_admits_of_clients_is_told_where_it_may_see_them(
    *, keeps_client: bool | None, told: set[str]
) -> None:
    """Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html"""
    builder = balanced(forward(keeps_client=keeps_client))
    node = allow("ingress", TARGET, "10.0.10.9/32", rule_id="node")
    clients = allow("ingress", TARGET, "10.0.30.0/24", rule_id="clients")
    builder.group("sg-app", node, clients, OPEN)
    (cut,) = (each for each in cuts(builder.build(), q("node-a"), "eni-app") if each.direction == "ingress")
    assert {rule.rule for rule in cut.rules} == told
