"""Packets inside one subnet: they ask its routes where the network says so, and only then.

Source: https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from cloudseg.checks.example_estates import ACL_OPEN, EstateBuilder, allow
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import Reachability
from cloudseg.reach.roads.legs import is_direct
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from cloudseg.model import Estate, TargetKind

WEB = Traffic.parse("tcp/443")


def estate(kind: TargetKind, prefix: str, *, asked: bool) -> tuple[EstateBuilder, Estate]:
    """Two interfaces in ``subnet-app``, with a route of its table."""
    b = EstateBuilder()
    b.subnet("subnet-app", "10.0.3.0/24")
    b.route("rtb-app", prefix, kind, "eni-nva" if kind == "interface" else "")
    b.acl("acl-1", ["subnet-app"], ACL_OPEN)
    b.group("sg-app", allow("ingress", "all", "0.0.0.0/0"), allow("egress", "all", "0.0.0.0/0"))
    b.interface("eni-one", "subnet-app", ["sg-app"], "10.0.3.5")
    b.interface("eni-two", "subnet-app", ["sg-app"], "10.0.3.6")
    network = b.build().networks[b.id("vpc-1")]
    b.put("networks", msgspec.structs.replace(network, routes_within_subnets=asked))
    return b, b.build()


def said(kind: TargetKind, prefix: str, *, asked: bool) -> tuple[str, str]:
    b, built = estate(kind, prefix, asked=asked)
    reach = Reachability(built)
    ends = b.id("eni-one"), b.id("eni-two")
    verdict = reach.between(*ends)
    found = explain(reach, *ends, WEB)
    assert (found.lower, found.upper) == (str(verdict.lower & WEB), str(verdict.upper & WEB))
    return str(verdict.lower & WEB), str(verdict.upper & WEB)


@pytest.mark.parametrize("kind", ["drop", "interface"])
def test_a_route_for_the_own_subnet_decides_nothing_where_subnets_are_local(kind: TargetKind) -> None:
    assert said(kind, "10.0.3.0/24", asked=False) == ("tcp/443", "tcp/443")


def test_a_route_that_drops_the_own_subnet_parts_its_interfaces() -> None:
    assert said("drop", "10.0.3.0/24", asked=True) == ("none", "none")


def test_a_route_to_an_appliance_leaves_it_open() -> None:
    assert said("interface", "10.0.3.0/24", asked=True) == ("none", "tcp/443")


def test_a_route_for_a_part_of_the_subnet_decides_about_that_part() -> None:
    assert said("drop", "10.0.3.64/26", asked=True) == ("tcp/443", "tcp/443")
    assert said("drop", "10.0.3.4/30", asked=True) == ("none", "none")


def test_a_subnet_is_direct_as_long_as_its_routes_lead_nowhere_else() -> None:
    b, elsewhere = estate("drop", "10.9.0.0/16", asked=True)
    assert is_direct(b.id("subnet-app"), elsewhere)
    _, inside = estate("drop", "10.0.3.0/24", asked=True)
    assert not is_direct(b.id("subnet-app"), inside)
