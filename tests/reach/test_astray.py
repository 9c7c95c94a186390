"""Packets of which it was not read which way they go: perhaps through a gateway that translates, perhaps not."""

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.model import Subnet
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, Traffic
from tests.reach.balancers import at_most, exactly

q = EstateBuilder.id
OUTSIDE = AddressSet.parse("198.51.100.7")
EVERYTHING = Traffic.parse("all")


def reach(*, read: bool, egress: str = "0.0.0.0/0") -> Reachability:
    """``eni-a`` of a subnet whose routes may be unread, and ``eni-b`` in the peer ``vpc-2``."""
    builder = EstateBuilder(unread=() if read else ("routes",))
    builder.network("vpc-2", "10.2.0.0/16")
    builder.subnet("subnet-2", "10.2.1.0/24", "vpc-2")
    builder.peering("pcx-1", "vpc-2")
    builder.route("rtb-2", "10.0.0.0/16", "peering", "pcx-1")
    lone = AddressSet.parse("10.0.9.0/24")
    builder.put(
        "subnets", Subnet(id=q("subnet-9"), kind="subnet", region="eu-west-1", network=q("vpc-1"), addresses=lone)
    )
    if read:
        builder.subnet("subnet-9", "10.0.9.0/24")
        builder.route("rtb-9", "10.2.0.0/16", "peering", "pcx-1")
        builder.route("rtb-9", "0.0.0.0/0", "internet-gateway", "igw-1")
    builder.group("sg-a", allow("egress", "all", egress))
    builder.group("sg-b", allow("ingress", "all", "10.0.0.0/16"), network="vpc-2")
    builder.interface("eni-a", "subnet-9", ["sg-a"], "10.0.9.5", "203.0.113.5")
    builder.interface("eni-b", "subnet-2", ["sg-b"], "10.2.1.5")
    there = builder.build().interfaces[q("eni-b")]
    builder.put("interfaces", msgspec.structs.replace(there, network=q("vpc-2")))
    return Reachability(builder.build())


@pytest.mark.parametrize("far", [OUTSIDE, q("eni-b")], ids=["outside", "peer"])
def test_what_no_nat_gateway_carries_may_pass_where_no_route_was_read(far: str | AddressSet) -> None:
    # A NAT gateway carries TCP, UDP and ICMP; an internet gateway and a peering carry every protocol.
    # https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html
    assert reach(read=True).between(q("eni-a"), far) == exactly("all")
    assert reach(read=False).between(q("eni-a"), far) == at_most("all")


def test_groups_in_egress_rules_may_match_where_no_route_was_read() -> None:
    assert reach(read=True, egress="sg-b").between(q("eni-a"), q("eni-b")) == exactly("all")
    assert reach(read=False, egress="sg-b").between(q("eni-a"), q("eni-b")) == at_most("all")


@pytest.mark.parametrize("far", [OUTSIDE, q("eni-b")], ids=["outside", "peer"])
def test_the_explanation_agrees(far: str | AddressSet) -> None:
    found = explain(reach(read=False), q("eni-a"), far, EVERYTHING)
    assert (found.verdict, found.lower, found.upper) == ("unknown", "none", "all")
    assert not [note for note in found.notes if "do not account" in note]
