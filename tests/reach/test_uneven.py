"""Connections of which a firewall sees one direction alone: what it does with half of one is not told.

Both directions have to be routed to the same endpoint.
https://docs.aws.amazon.com/network-firewall/latest/developerguide/asymmetric-routing.html
"""

import pytest

from cloudseg.checks.example_estates import ACL_OPEN, EstateBuilder, allow
from cloudseg.model import Firewall
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import Traffic

WEB = Traffic.parse("tcp/443")


def between_subnets(there: str = "", back: str = "", *, filters: bool = False) -> EstateBuilder:
    """``eni-a`` and ``eni-b`` of two subnets, whose packets for each other go to these endpoints of firewalls."""
    b = EstateBuilder()
    for number in (1, 2):
        b.subnet(f"subnet-fw{number}", f"10.0.{number + 2}.0/24")
        subnets = frozenset({b.id(f"subnet-fw{number}")})
        b.endpoint(f"vpce-{number}", "firewall", type="gateway-load-balancer", subnets=subnets)
        b.put(
            "firewalls",
            Firewall(
                id=b.id(f"fw-{number}"), kind="network-firewall", region="eu-west-1", network=b.id("vpc-1"),
                endpoints=frozenset({b.id(f"vpce-{number}")}), filters=filters,
            ),
        )  # fmt: skip
    b.acl("acl-fw", ["subnet-fw1", "subnet-fw2"], ACL_OPEN)
    for table, destination, target in (("rtb-public", "10.0.2.0/24", there), ("rtb-private", "10.0.1.0/24", back)):
        if target:
            b.route(table, destination, "endpoint", target)
    b.group("sg-a", allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-b", allow("ingress", "tcp/443", "10.0.1.0/24"))
    b.interface("eni-a", "subnet-public", ["sg-a"], "10.0.1.5")
    b.interface("eni-b", "subnet-private", ["sg-b"], "10.0.2.5")
    return b


@pytest.mark.semantics(122)
@pytest.mark.parametrize(
    ("there", "back", "verdict", "doubts"),
    [
        ("", "", "allowed", ()),
        ("vpce-1", "vpce-1", "allowed", ()),
        ("vpce-1", "", "unknown", ("only one direction of the connection passes vpce-1",)),
        ("", "vpce-1", "unknown", ("only one direction of the connection passes vpce-1",)),
        ("vpce-1", "vpce-2", "unknown", ("only one direction of the connection passes vpce-1, vpce-2",)),
    ],
)
def test_a_firewall_that_drops_nothing_passes_what_takes_it_both_ways_and_the_rest_at_most(
    there: str, back: str, verdict: str, doubts: tuple[str, ...]
) -> None:
    b = between_subnets(there, back)
    reach = Reachability(b.build())
    told = explain(reach, b.id("eni-a"), b.id("eni-b"), WEB)
    assert (told.verdict, told.unknowns) == (verdict, doubts)
    found = reach.between(b.id("eni-a"), b.id("eni-b"))
    assert (found.lower, found.upper) == (WEB if verdict == "allowed" else WEB - WEB, WEB)


@pytest.mark.semantics(122)
def test_a_firewall_that_filters_one_direction_alone_lets_pass_at_most() -> None:
    b = between_subnets(back="vpce-1", filters=True)
    found = Reachability(b.build()).between(b.id("eni-a"), b.id("eni-b"))
    assert (str(found.lower), found.upper) == ("none", WEB)
