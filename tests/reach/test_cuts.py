"""Rules that are told as a cut: without all of them nothing passes, and where that is in doubt none is told."""

import dataclasses

import msgspec
import pytest

from cloudseg.checks.example_estates import ACL_OPEN, EstateBuilder, acl_entry, allow
from cloudseg.model import EndpointConnection, Estate
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.explaining.explanation import Cut
from cloudseg.reach.reachability import NOTHING, Reachability
from cloudseg.traffic import ALL_TRAFFIC, AddressSet
from tests.reach.balancers import at_most, balanced, forward

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
