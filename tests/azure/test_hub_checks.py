"""Checks that look inside virtual hubs, decided by hand.

Routing intent: https://learn.microsoft.com/azure/virtual-wan/how-to-routing-policies
"""

from __future__ import annotations

from tests.azure.raw_firewalls import connect, intent
from tests.azure.test_route_checks import about, found
from tests.azure.test_virtual_wan import connected, secured


def test_a_peering_beside_a_hub_that_inspects_private_traffic_is_a_way_around_its_firewall() -> None:
    raw = connected(secured(filters=True))
    intent(raw, "h1", "fw", "PrivateTraffic")
    assert about(raw, "firewall-bypass") == {}
    raw.peering("va", "vb")
    raw.peering("vb", "va")
    told = {each.resource.id.rpartition("/")[2]: each.message for each in found(raw, "firewall-bypass")}
    assert set(told) == {"va", "vb"}
    assert "around the firewall fw" in told["va"]


def test_what_goes_to_the_firewall_of_a_hub_is_no_wide_route() -> None:
    raw = connected(secured(filters=True))
    intent(raw, "h1", "fw", "Internet", "PrivateTraffic")
    assert found(raw, "wide-peering-route") == []
    straight = connected(secured(filters=True))
    intent(straight, "h1", "fw", "Internet")
    assert found(straight, "wide-peering-route") == []


def test_ways_through_a_hub_are_told_by_names() -> None:
    raw = secured(filters=True)
    connect(raw, "h1", "ca", "va")
    intent(raw, "h1", "fw", "Internet")
    evidence = [text for each in found(raw, "unfiltered-internet-route") for text in each.evidence]
    assert any("then fw (rg)" in text for text in evidence)
    assert not any("/subscriptions/" in text for text in evidence)
