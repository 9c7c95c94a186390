"""Packets through virtual hubs, decided by hand from Microsoft's pages.

Route tables, labels and connections: https://learn.microsoft.com/azure/virtual-wan/about-virtual-hub-routing
Routing intent: https://learn.microsoft.com/azure/virtual-wan/how-to-routing-policies
Secured hubs: https://learn.microsoft.com/azure/firewall-manager/vhubs-and-vnets
"""

from __future__ import annotations

from typing import cast

import pytest

from tests.azure.raw import SUBSCRIPTION, Raw
from tests.azure.raw_firewalls import (
    collection,
    connect,
    firewall,
    hub,
    hub_table,
    intent,
    network_rule,
    policy,
    rule_group,
)
from tests.azure.said import Said

OUTSIDE = "8.8.8.8"


def networks() -> Raw:
    """``a``, ``b`` and ``c`` in networks of their own, and a hub to which nothing is connected."""
    raw = Raw()
    for number, name in enumerate("abc", 1):
        raw.vnet(f"v{name}", f"10.{number}.0.0/16")
        raw.subnet(f"v{name}", f"s{name}", f"10.{number}.1.0/24")
        raw.nic(name, f"s{name}", f"10.{number}.1.4")
    hub(raw, "h1", "10.100.0.0/24", wan="wan")
    return raw


def secured(*, filters: bool = False) -> Raw:
    """The networks with a firewall in the hub, which allows everything unless it ``filters``."""
    raw = networks()
    policy(raw, "pol")
    if not filters:
        rule_group(raw, "pol", "one", 100, collection("all", 100, "Allow", network_rule()))
    firewall(raw, "fw", "", "10.100.0.132", "20.50.0.10", policy="pol", hub="h1")
    return raw


def connected(raw: Raw) -> Raw:
    connect(raw, "h1", "ca", "va")
    connect(raw, "h1", "cb", "vb")
    return raw


def test_connections_of_the_default_table_reach_each_other_and_nobody_else() -> None:
    found = Said(connected(networks()))
    assert [found("a", "b"), found("b", "a"), found("a", "c"), found("c", "a")] == ["surely", "surely", "no", "no"]


def test_what_propagates_to_no_table_is_not_reached() -> None:
    raw = networks()
    connect(raw, "h1", "ca", "va")
    connect(raw, "h1", "cb", "vb", propagates=("noneRouteTable",))
    assert Said(raw)("a", "b") == "no"


def test_labels_stand_for_the_tables_that_bear_them() -> None:
    raw = networks()
    connect(raw, "h1", "ca", "va")
    connect(raw, "h1", "cb", "vb", propagates=(), labels=("default",))
    assert Said(raw)("a", "b") == "surely"


def test_isolated_networks_reach_shared_services_and_not_each_other() -> None:
    raw = networks()
    hub_table(raw, "h1", "RT_SHARED")
    # ``c`` is shared: all learn its ranges, and only it learns theirs.
    connect(raw, "h1", "ca", "va", table="defaultRouteTable", propagates=("RT_SHARED",))
    connect(raw, "h1", "cb", "vb", table="defaultRouteTable", propagates=("RT_SHARED",))
    connect(raw, "h1", "cc", "vc", table="RT_SHARED", propagates=("defaultRouteTable", "RT_SHARED"))
    found = Said(raw)
    assert [found("a", "c"), found("c", "a"), found("a", "b")] == ["surely", "surely", "no"]


def test_a_route_table_without_propagation_takes_the_hubs_routes_away() -> None:
    raw = networks()
    raw.table("rt", propagates=False)
    raw.vnet("vd", "10.4.0.0/16")
    raw.subnet("vd", "sd", "10.4.1.0/24", table="rt")
    raw.nic("d", "sd", "10.4.1.4")
    connect(raw, "h1", "ca", "va")
    connect(raw, "h1", "cd", "vd")
    assert Said(raw)("d", "a") == "no"


def test_a_users_route_to_the_gateway_leads_to_the_hub() -> None:
    raw = networks()
    raw.table("rt", ("10.1.0.0/16", "VirtualNetworkGateway"), propagates=False)
    raw.vnet("vd", "10.4.0.0/16")
    raw.subnet("vd", "sd", "10.4.1.0/24", table="rt")
    raw.nic("d", "sd", "10.4.1.4")
    connect(raw, "h1", "ca", "va")
    connect(raw, "h1", "cd", "vd")
    assert Said(raw)("d", "a") == "surely"


def test_without_a_default_route_of_the_hub_the_internet_is_reached_straight() -> None:
    found = Said(connected(networks()))
    assert found("a", OUTSIDE) == "surely"


@pytest.mark.semantics(132)
def test_routing_intent_leads_private_traffic_through_the_firewall() -> None:
    raw = connected(secured(filters=True))
    intent(raw, "h1", "fw", "PrivateTraffic")
    found = Said(raw)
    assert [found("a", "b"), found("a", OUTSIDE)] == ["no", "surely"]


@pytest.mark.semantics(132)
def test_routing_intent_leads_the_internet_through_the_firewall() -> None:
    raw = connected(secured(filters=True))
    intent(raw, "h1", "fw", "Internet")
    found = Said(raw)
    assert [found("a", "b"), found("a", OUTSIDE)] == ["surely", "at most"]


@pytest.mark.semantics(132)
def test_a_firewall_that_allows_everything_parts_nobody() -> None:
    raw = connected(secured())
    intent(raw, "h1", "fw", "Internet", "PrivateTraffic")
    found = Said(raw)
    assert [found("a", "b"), found("b", "a"), found("a", "c")] == ["surely", "surely", "no"]


@pytest.mark.semantics(132)
def test_under_routing_intent_every_connection_goes_by_the_default_table() -> None:
    raw = secured()
    connect(raw, "h1", "ca", "va", table="noneRouteTable", propagates=("noneRouteTable",))
    connect(raw, "h1", "cb", "vb", table="noneRouteTable", propagates=("noneRouteTable",))
    intent(raw, "h1", "fw", "PrivateTraffic")
    assert Said(raw)("a", "b") == "surely"


@pytest.mark.semantics(132)
def test_a_connection_without_internet_security_keeps_its_own_way_out() -> None:
    raw = secured(filters=True)
    connect(raw, "h1", "ca", "va", internet=False)
    connect(raw, "h1", "cb", "vb")
    intent(raw, "h1", "fw", "Internet")
    found = Said(raw)
    assert [found("a", OUTSIDE), found("b", OUTSIDE)] == ["surely", "at most"]


def test_static_routes_of_a_table_lead_to_the_hubs_firewall() -> None:
    raw = secured(filters=True)
    hub_table(raw, "h1", "defaultRouteTable", (("0.0.0.0/0", "10.0.0.0/8"), "fw"), labels=("default",))
    for name in ("a", "b"):
        connect(raw, "h1", f"c{name}", f"v{name}", propagates=("noneRouteTable",))
    found = Said(raw)
    assert [found("a", "b"), found("a", OUTSIDE)] == ["no", "at most"]


def two_hubs(*, filters: str = "", propagates: tuple[str, ...] = ("defaultRouteTable",)) -> Raw:
    """``a`` and ``b`` at ``h1``, ``c`` at ``h2``, a firewall in each; that of the hub ``filters`` allows nothing."""
    raw = networks()
    hub(raw, "h2", "10.101.0.0/24", wan="wan")
    for number, name in enumerate(("h1", "h2"), 1):
        policy(raw, f"pol-{name}")
        if name != filters:
            rule_group(raw, f"pol-{name}", f"one-{name}", 100, collection("all", 100, "Allow", network_rule()))
        firewall(raw, f"fw-{name}", "", f"10.10{number - 1}.0.132", f"20.50.0.{number}", policy=f"pol-{name}", hub=name)
    connect(raw, "h1", "ca", "va", labels=("default",))
    connect(raw, "h1", "cb", "vb", labels=("default",))
    connect(raw, "h2", "cc", "vc", labels=("default",), propagates=propagates)
    return raw


def test_networks_of_two_hubs_of_a_wan_reach_each_other() -> None:
    found = Said(two_hubs())
    assert [found("a", "c"), found("c", "a"), found("a", "b")] == ["surely", "surely", "surely"]


def test_what_its_own_hub_does_not_know_another_hub_reaches_at_most() -> None:
    raw = two_hubs(propagates=())
    hub_table(raw, "h2", "defaultRouteTable")
    assert Said(raw)("a", "c") == "at most"


@pytest.mark.semantics(132)
def test_routing_intent_in_both_hubs_leads_through_both_firewalls() -> None:
    verdicts = {}
    for filters in ("", "h1", "h2"):
        raw = two_hubs(filters=filters)
        for name in ("h1", "h2"):
            intent(raw, name, f"fw-{name}", "PrivateTraffic")
        found = Said(raw)
        verdicts[filters] = found("a", "c"), found("c", "a"), found("a", "b")
    assert verdicts == {"": ("surely",) * 3, "h1": ("no",) * 3, "h2": ("no", "no", "surely")}


@pytest.mark.semantics(132)
def test_between_hubs_of_which_one_alone_inspects_packets_pass_at_most() -> None:
    raw = two_hubs()
    intent(raw, "h1", "fw-h1", "PrivateTraffic")
    found = Said(raw)
    assert [found("a", "c"), found("c", "a")] == ["at most", "at most"]


def test_what_gateways_of_one_hub_bring_every_hub_of_the_wan_learns() -> None:
    raw = connected(networks())
    hub(raw, "h2", "10.101.0.0/24", wan="wan", branches=True)
    found = Said(raw)
    assert [found("a", "192.168.1.1"), found("a", OUTSIDE)] == ["at most", "surely"]


@pytest.mark.parametrize("operation", ["hub_route_tables", "hub_virtual_network_connections", "routing_intents"])
def test_what_of_another_hub_was_not_read_leaves_the_ways_over_it_open(operation: str) -> None:
    raw = two_hubs()
    del raw.answers[SUBSCRIPTION, "network", operation, raw.ids["h2"]]
    assert Said(raw)("a", "c") == "at most"


def test_hubs_that_a_wan_names_and_nobody_read_leave_private_addresses_open() -> None:
    raw = connected(networks())
    [wan] = raw.listed(SUBSCRIPTION, "virtual_wans")
    properties = cast("dict[str, object]", wan["properties"])
    properties["virtualHubs"] = [{"id": raw.ids["h1"]}, {"id": f"{raw.ids['h1']}-elsewhere"}]
    found = Said(raw)
    assert [found("a", "c"), found("a", "b"), found("a", OUTSIDE)] == ["at most", "surely", "surely"]


@pytest.mark.parametrize("destinations", [(), ("PrivateTraffic",), ("Internet", "PrivateTraffic")])
def test_explanations_over_two_hubs_say_the_same_as_the_engine(destinations: tuple[str, ...]) -> None:
    raw = two_hubs(filters="h2")
    for name in ("h1", "h2") if destinations else ():
        intent(raw, name, f"fw-{name}", *destinations)
    assert Said(raw).disagreements(OUTSIDE, "10.9.9.9") == []


def test_a_hub_of_another_wan_is_not_reached() -> None:
    raw = connected(networks())
    hub(raw, "h2", "10.101.0.0/24", wan="elsewhere")
    connect(raw, "h2", "cc", "vc", labels=("default",))
    assert Said(raw)("a", "c") == "no"


def test_what_gateways_of_a_hub_bring_is_not_known() -> None:
    raw = networks()
    hub(raw, "h3", "10.103.0.0/24", wan="other", branches=True)
    connect(raw, "h3", "ca", "va")
    found = Said(raw)
    assert [found("a", "192.168.1.1"), found("a", OUTSIDE)] == ["at most", "at most"]


@pytest.mark.parametrize("operation", ["hub_route_tables", "hub_virtual_network_connections", "routing_intents"])
def test_what_of_a_hub_was_not_read_leaves_it_open(operation: str) -> None:
    raw = connected(networks())
    del raw.answers[SUBSCRIPTION, "network", operation, raw.ids["h1"]]
    found = Said(raw)
    assert found("a", "b") != "surely"
    if operation != "hub_virtual_network_connections":
        assert found("a", "b") == "at most"


def test_the_peering_with_a_hubs_own_network_brings_nothing_more() -> None:
    raw = connected(networks())
    group = "/subscriptions/99999999-0000-0000-0000-000000000000/resourceGroups/RG_h1"
    own = f"{group}/providers/Microsoft.Network/virtualNetworks/HV_h1_1"
    raw.ids["HV_h1_1"] = own
    space = {"addressPrefixes": ["10.100.0.0/24"]}
    properties = {
        "peeringState": "Connected", "remoteVirtualNetwork": {"id": own}, "useRemoteGateways": True,
        "allowVirtualNetworkAccess": True, "allowForwardedTraffic": True, "remoteAddressSpace": space,
    }  # fmt: skip
    listed = raw.listed(SUBSCRIPTION, "virtual_networks")
    network = cast("dict[str, list[object]]", listed[0]["properties"])
    network["virtualNetworkPeerings"].append(
        {
            "id": f"{raw.ids['va']}/virtualNetworkPeerings/hub",
            "name": "RemoteVnetToHubPeering_1",
            "properties": properties,
        }
    )
    found = Said(raw)
    assert [found("a", "b"), found("a", "c"), found("a", OUTSIDE)] == ["surely", "no", "surely"]


@pytest.mark.parametrize("destinations", [(), ("PrivateTraffic",), ("Internet", "PrivateTraffic")])
def test_explanations_say_the_same_as_the_engine(destinations: tuple[str, ...]) -> None:
    raw = connected(secured())
    if destinations:
        intent(raw, "h1", "fw", *destinations)
    assert Said(raw).disagreements(OUTSIDE, "10.9.9.9") == []
