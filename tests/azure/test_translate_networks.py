"""Load balancers, private endpoints, peerings, routes and ways out as the engine judges them, worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from tests.azure.asked import Asked, asked
from tests.azure.raw import SUBSCRIPTION, Raw
from tests.azure.raw_more import balance, balancer, endpoint, gateway, nat_rule, outbound_rule
from tests.azure.raw_parts import rule
from tests.azure.shapes import OUTSIDE, one_vnet, two_vnets

if TYPE_CHECKING:
    from tests.azure.oracle_records import Json

SECOND = "66666666-7777-8888-9999-000000000000"


# 63: load balancers.


def behind(*rules: Json, forwards: tuple[tuple[str, Json], ...] = (balance(80, 8080),), table: bool = False) -> Asked:
    """``a`` (10.1.1.4) behind a public load balancer at 20.50.0.7, under a group; ``b`` (10.2.1.4) in another network.

    ``table`` tells that a default route of the subnet of ``a`` leads to a machine that nobody knows.
    """
    raw = Raw()
    raw.nsg("nsg", *rules)
    raw.public("pip-lb", "20.50.0.7")
    raw.public("pip-b", "20.50.0.9")
    if table:
        raw.table("rt", ("0.0.0.0/0", "VirtualAppliance", "10.1.9.4"))
    raw.vnet("v1", "10.1.0.0/16")
    raw.subnet("v1", "s1", "10.1.1.0/24", nsg="nsg", outbound=False, table="rt" if table else "")
    raw.vnet("v2", "10.2.0.0/16")
    raw.subnet("v2", "s2", "10.2.1.0/24")
    balancer(raw, "lb", *forwards, public="pip-lb", subscription=SUBSCRIPTION)
    raw.nic("a", "s1", "10.1.1.4", pools=["lb-pool"], nat_rules=["lb-nat-50001"] if len(forwards) > 1 else [])
    raw.nic("b", "s2", ("10.2.1.4", "pip-b"))
    return asked(raw)


@pytest.mark.semantics(63)
@pytest.mark.parametrize(("port", "said"), [("8080", "surely"), ("80", "no")])
def test_rules_see_the_port_of_the_backend(port: str, said: str) -> None:
    assert behind(rule(100, "Allow", "Internet", ports=port))(OUTSIDE, "a", f"tcp/{port}") == said


@pytest.mark.semantics(63)
def test_rules_see_the_address_of_the_client() -> None:
    ask = behind(rule(100, "Allow", "8.8.8.0/24"))
    assert [ask(each, "a", "tcp/8080") for each in ("8.8.8.8", "9.9.9.9")] == ["surely", "no"]


@pytest.mark.semantics(63)
def test_an_inbound_rule_leads_to_its_one_interface() -> None:
    forwards = (balance(80, 8080), nat_rule(50001, 22))
    assert behind(rule(100, "Allow", "Internet"), forwards=forwards)(OUTSIDE, "a", "tcp/22") == "surely"


@pytest.mark.semantics(63)
def test_answers_take_the_routes_of_the_backend() -> None:
    # https://learn.microsoft.com/azure/virtual-network/virtual-networks-udr-overview#default-route
    assert behind(rule(100, "Allow"), table=True)(OUTSIDE, "a", "tcp/8080") != "surely"


@pytest.mark.semantics(63)
@pytest.mark.parametrize(("source", "said"), [("20.50.0.9", "surely"), ("8.8.8.8", "no")])
def test_a_neighbour_calls_the_frontend_under_its_public_address(source: str, said: str) -> None:
    assert behind(rule(100, "Allow", source))("b", "a", "tcp/8080") == said


@pytest.mark.semantics(63)
@pytest.mark.parametrize(
    ("forwards", "tcp", "udp", "icmp"),
    [
        ((balance(80, 80),), "surely", "no", "no"),
        ((balance(80, 80, snat=False),), "no", "no", "no"),
        ((balance(80, 80, snat=False), outbound_rule("All")), "surely", "surely", "no"),
        ((balance(80, 80, snat=False), outbound_rule("Udp")), "no", "surely", "no"),
    ],
)
def test_behind_a_standard_load_balancer_leaves_what_some_rule_translates(
    forwards: tuple[tuple[str, Json], ...], tcp: str, udp: str, icmp: str
) -> None:
    raw = Raw()
    raw.public("pip-lb", "20.50.0.7")
    raw.vnet("v1", "10.1.0.0/16")
    raw.subnet("v1", "s1", "10.1.1.0/24")
    balancer(raw, "lb", *forwards, public="pip-lb", subscription=SUBSCRIPTION)
    raw.nic("a", "s1", "10.1.1.4", pools=["lb-pool"])
    ask = asked(raw)
    assert [ask("a", OUTSIDE, each) for each in ("tcp/443", "udp/443", "icmp/8")] == [tcp, udp, icmp]


# 64, 65: private endpoints.


def with_endpoint(policies: str, *rules: Json, route: str = "", state: str = "Approved") -> Asked:
    """``pe-nic`` (10.1.2.100) in the subnet of a group, and ``a`` (10.1.1.4), whose subnet has a route to nowhere."""
    raw = Raw()
    raw.nsg("nsg", *rules)
    if route:
        raw.table("rt", (route, "None"))
    raw.vnet("v1", "10.1.0.0/16")
    raw.subnet("v1", "s1", "10.1.1.0/24", table="rt" if route else "")
    raw.subnet("v1", "s2", "10.1.2.0/24", nsg="nsg", policies=policies)
    raw.nic("a", "s1", "10.1.1.4")
    endpoint(raw, "pe", "s2", "10.1.2.100", state=state)
    return asked(raw)


@pytest.mark.semantics(64)
@pytest.mark.parametrize(
    ("policies", "said"),
    [("", "surely"), ("Disabled", "surely"), ("RouteTableEnabled", "surely"), ("NetworkSecurityGroupEnabled", "no"),
     ("Enabled", "no")],
)  # fmt: skip
def test_the_group_judges_private_endpoints_where_the_subnet_says_so(policies: str, said: str) -> None:
    assert with_endpoint(policies, rule(100, "Deny"))("a", "pe-nic") == said


@pytest.mark.semantics(64)
@pytest.mark.parametrize(
    ("policies", "said"),
    [("Disabled", "surely"), ("NetworkSecurityGroupEnabled", "surely"), ("RouteTableEnabled", "no"), ("Enabled", "no")],
)
def test_routes_lead_away_from_private_endpoints_where_the_subnet_says_so(policies: str, said: str) -> None:
    assert with_endpoint(policies, route="10.1.2.0/24")("a", "pe-nic") == said


@pytest.mark.semantics(65)
@pytest.mark.parametrize(
    ("route", "said"), [("10.1.0.0/16", "no"), ("10.1.2.0/24", "no"), ("10.0.0.0/8", "surely"), ("0.0.0.0/0", "surely")]
)
def test_a_route_wider_than_the_network_leads_nobody_away_from_a_private_endpoint(route: str, said: str) -> None:
    assert with_endpoint("RouteTableEnabled", route=route)("a", "pe-nic") == said


@pytest.mark.semantics(64)
@pytest.mark.parametrize(("state", "said"), [("Approved", "surely"), ("Pending", "no"), ("Rejected", "no")])
def test_only_an_approved_private_endpoint_carries_traffic(state: str, said: str) -> None:
    assert with_endpoint("Disabled", state=state)("a", "pe-nic") == said


# 69: peerings.


def three_vnets(*, ends: bool = True) -> Raw:
    """``a``, ``b`` and ``c`` in networks of which the first two and the last two are peered."""
    raw = Raw()
    for number, name in ((1, "a"), (2, "b"), (3, "c")):
        raw.vnet(f"v{number}", f"10.{number}.0.0/16")
        raw.subnet(f"v{number}", f"s{number}", f"10.{number}.1.0/24", outbound=False)
        raw.nic(name, f"s{number}", f"10.{number}.1.4")
    for here, there in (("v1", "v2"), ("v2", "v1"), ("v2", "v3"), ("v3", "v2")):
        raw.peering(here, there, forwarded=ends)
    return raw


@pytest.mark.semantics(69)
def test_peerings_are_not_transitive() -> None:
    ask = asked(three_vnets())
    assert [ask("a", "b"), ask("b", "c"), ask("a", "c")] == ["surely", "surely", "no"]


@pytest.mark.semantics(69)
@pytest.mark.parametrize(
    ("states", "halves", "said"),
    [
        (("Connected", "Connected"), (True, True), "surely"), (("Connected", "Disconnected"), (True, True), "no"),
        (("Initiated", "Connected"), (True, False), "no"), (("Connected", "Connected"), (True, False), "no"),
    ],
)  # fmt: skip
def test_both_halves_have_to_be_connected(states: tuple[str, str], halves: tuple[bool, bool], said: str) -> None:
    assert asked(two_vnets(states=states, halves=halves))("a", "b") == said


@pytest.mark.semantics(69)
@pytest.mark.parametrize(("access", "said"), [((True, True), "surely"), ((False, True), "no"), ((True, False), "no")])
def test_without_access_a_peer_is_no_part_of_the_network(access: tuple[bool, bool], said: str) -> None:
    # The group of the sender names the peer by the tag on the way out, that of the receiver on the way in.
    assert asked(two_vnets(access=access))("a", "b") == said


# Routes, 70, and ways out.


def routed(*routes: tuple[str, ...]) -> Asked:
    """``a`` (10.1.1.4) in a subnet with these routes, ``b`` (10.1.2.4) in another; IPv4 alone."""
    raw = Raw()
    raw.vnet("v1", "10.1.0.0/16")
    raw.table("rt", *[(each[0], each[1], each[2]) if len(each) == 3 else (each[0], each[1]) for each in routes])
    raw.subnet("v1", "s1", "10.1.1.0/24", table="rt")
    raw.subnet("v1", "s2", "10.1.2.0/24")
    raw.nic("a", "s1", "10.1.1.4")
    raw.nic("b", "s2", "10.1.2.4")
    return asked(raw)


@pytest.mark.semantics(70)
@pytest.mark.parametrize(
    ("route", "said"),
    [
        (("10.1.2.0/24", "None"), "no"), (("10.1.0.0/16", "None"), "no"), (("10.0.0.0/8", "None"), "surely"),
        (("10.1.2.4/32", "None"), "no"), (("10.1.2.5/32", "None"), "surely"), (("10.1.2.0/24", "VnetLocal"), "surely"),
    ],
)  # fmt: skip
def test_a_route_to_nowhere_drops_what_no_longer_prefix_takes(route: tuple[str, str], said: str) -> None:
    assert routed(route)("a", "b") == said


@pytest.mark.semantics(70)
def test_what_a_machine_on_the_way_does_is_not_known() -> None:
    assert routed(("10.1.2.0/24", "VirtualAppliance", "10.1.9.4"))("a", "b") != "surely"


@pytest.mark.semantics(54)
def test_answers_need_a_route_back() -> None:
    assert routed(("10.1.2.0/24", "None"))("b", "a") == "no"


@pytest.mark.parametrize(("outbound", "said"), [(True, "surely"), (False, "no"), (None, "at most")])
def test_default_outbound_access_lends_an_address(outbound: bool | None, said: str) -> None:  # noqa: FBT001 - a column
    assert asked(one_vnet(outbound=outbound))("a", OUTSIDE) == said


def test_default_outbound_access_carries_no_pings() -> None:
    assert asked(one_vnet())("a", OUTSIDE, "icmp/8") == "no"


def test_of_several_addresses_each_has_its_own_way_out() -> None:
    raw = one_vnet(rule(100, "Allow", "20.60.0.0/16"), rule(200, "Deny"))
    raw.public("pip-b", "20.50.0.5")
    raw.public("pip-d", "20.50.0.6")
    raw.subnet("v1", "s3", "10.1.3.0/24")
    raw.nic("d", "s3", ("10.1.3.4", "pip-d"), "10.1.3.5")
    raw.nic("e", "s2", ("10.1.2.9", "pip-b"))
    # The second address leaves under one that nobody knows.
    assert asked(raw)("d", "e") == "at most"


@pytest.mark.parametrize("named", ["natGateway", "routeTable", "networkSecurityGroup"])
def test_what_a_subnet_names_and_was_not_read_leaves_everything_open(named: str) -> None:
    raw = one_vnet()
    subnets = cast("list[Json]", cast("Json", raw.listed(SUBSCRIPTION, "virtual_networks")[0]["properties"])["subnets"])
    own = cast("Json", subnets[0]["properties"])
    own[named] = {"id": raw.ids["v1"].replace("virtualNetworks/v1", f"{named}s/unread")}
    assert asked(raw)("a", OUTSIDE) == "at most"


def test_a_peer_that_was_not_read_is_known_by_what_the_peering_says() -> None:
    raw = two_vnets()
    raw.unread("virtual_networks", "v2")
    raw.unread("network_interfaces", "b")
    ask = asked(raw)
    assert ask("a", "10.2.1.4") != "no"
    assert ask("10.2.1.4", "a") != "no"


def test_a_gateway_leads_to_the_places_that_it_names() -> None:
    raw = one_vnet()
    raw.subnet("v1", "GatewaySubnet", "10.1.255.0/27")
    gateway(raw, "gw", "GatewaySubnet", ["172.16.8.0/24"])
    ask = asked(raw)
    assert [ask("a", each) for each in ("172.16.8.9", "172.16.9.9")] == ["surely", "no"]
    assert [ask(each, "a") for each in ("172.16.8.9", "172.16.9.9")] == ["surely", "no"]


def test_a_gateway_that_learns_may_lead_anywhere_else() -> None:
    raw = one_vnet(routes=(("10.9.0.0/16", "None"), ("10.8.0.1/32", "None")))
    raw.subnet("v1", "GatewaySubnet", "10.1.255.0/27")
    gateway(raw, "gw", "GatewaySubnet", ["172.16.8.0/24"], bgp=True)
    ask = asked(raw)
    # A longer prefix that it learned beats a route to nowhere, but none is longer than a single address.
    assert [ask("a", each) for each in ("172.16.9.9", "10.9.1.1", "10.8.0.1")] == ["at most", "at most", "no"]


@pytest.mark.semantics(63)
@pytest.mark.parametrize(("port", "said"), [("8080", "at most"), ("80", "no"), ("443", "no")])
def test_a_client_of_an_internal_frontend_needs_leave_for_that_alone(port: str, said: str) -> None:
    raw = Raw()
    to_front = rule(100, "Allow", destination="10.1.2.200", ports="80", direction="Outbound")
    raw.nsg("nsg", to_front, rule(200, "Deny", direction="Outbound"))
    raw.vnet("v1", "10.1.0.0/16")
    raw.subnet("v1", "s1", "10.1.1.0/24", nsg="nsg")
    raw.subnet("v1", "s2", "10.1.2.0/24")
    forwards = balance(80, 8080)
    balancer(raw, "ilb", forwards, subnet="s2", address="10.1.2.200", subscription=SUBSCRIPTION)
    raw.nic("a", "s1", "10.1.1.4")
    raw.nic("b", "s2", "10.1.2.4", pools=["ilb-pool"])
    assert asked(raw)("a", "b", f"tcp/{port}") == said
