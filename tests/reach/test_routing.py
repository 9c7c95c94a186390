"""Where packets go, against tables worked out by hand from the rules of the vendor's page on route priority."""

from typing import Literal

import pytest

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.model import Addresses, ListRef, Route, RouteTable, TargetKind
from cloudseg.reach.roads.routing import next_hops
from cloudseg.traffic import AddressSet

Origin = Literal["local", "static", "propagated"]


def route(destination: str, kind: TargetKind, origin: Origin = "static", *, active: bool = True) -> Route:
    to = (
        ListRef(EstateBuilder.id(destination))
        if destination.startswith("pl-")
        else Addresses(AddressSet.parse(destination))
    )
    return Route(destination=to, kind=kind, origin=origin, active=active)


def decided(*routes: Route, builder: EstateBuilder | None = None) -> dict[str, str]:
    """Return the kind of the deciding route for some addresses, ``none`` where no route covers one."""
    table = RouteTable(id=EstateBuilder.id("rtb-x"), kind="route-table", network="", routes=routes)
    hops = next_hops(table, (builder or EstateBuilder()).build())
    answers: dict[str, str] = {}
    for address in ("10.0.1.5", "10.0.2.5", "10.9.0.5", "203.0.113.7", "8.8.8.8", "2001:db8::7"):
        found = [hop.route.kind for hop in hops if hop.certain and hop.addresses.has(address)]
        assert len(found) <= 1, "one route decides"
        answers[address] = found[0] if found else "none"
    return answers


@pytest.mark.semantics(31)
def test_the_longest_prefix_wins_whatever_the_order() -> None:
    routes = (
        route("0.0.0.0/0", "nat-gateway"),
        route("10.0.0.0/16", "local", "local"),
        route("203.0.113.0/24", "transit-gateway"),
        route("10.0.0.0/8", "peering"),
    )
    expected = {
        "10.0.1.5": "local",
        "10.0.2.5": "local",
        "10.9.0.5": "peering",
        "203.0.113.7": "transit-gateway",
        "8.8.8.8": "nat-gateway",
        "2001:db8::7": "none",
    }
    assert decided(*routes) == expected
    assert decided(*reversed(routes)) == expected


@pytest.mark.semantics(31)
def test_a_route_to_one_subnet_beats_local() -> None:
    answers = decided(route("10.0.0.0/16", "local", "local"), route("10.0.2.0/24", "interface"))
    assert (answers["10.0.1.5"], answers["10.0.2.5"]) == ("local", "interface")


@pytest.mark.semantics(31)
def test_of_equal_prefixes_static_beats_list_beats_propagated() -> None:
    b = EstateBuilder()
    b.prefix_list("pl-1", "10.9.0.0/16")
    static = route("10.9.0.0/16", "peering")
    listed = route("pl-1", "transit-gateway")
    propagated = route("10.9.0.0/16", "private-gateway", "propagated")
    assert decided(propagated, listed, static, builder=b)["10.9.0.5"] == "peering"
    assert decided(propagated, listed, builder=b)["10.9.0.5"] == "transit-gateway"
    assert decided(propagated, builder=b)["10.9.0.5"] == "private-gateway"


@pytest.mark.semantics(31)
def test_a_blackhole_decides_and_hands_nothing_on() -> None:
    b = EstateBuilder()
    routes = (route("0.0.0.0/0", "internet-gateway"), route("203.0.113.0/24", "nat-gateway", active=False))
    table = RouteTable(id=b.id("rtb-x"), kind="route-table", network="", routes=routes)
    hops = {hop.route.kind: hop for hop in next_hops(table, b.build())}
    assert hops["nat-gateway"].addresses == AddressSet.parse("203.0.113.0/24")
    assert not hops["nat-gateway"].route.active
    assert not hops["internet-gateway"].addresses.overlaps(AddressSet.parse("203.0.113.0/24"))


def test_a_longer_prefix_of_a_list_beats_a_shorter_static_one() -> None:
    b = EstateBuilder()
    b.prefix_list("pl-1", "203.0.113.0/24", "2001:db8::/32")
    answers = decided(route("0.0.0.0/0", "nat-gateway"), route("pl-1", "endpoint"), builder=b)
    assert (answers["203.0.113.7"], answers["2001:db8::7"], answers["8.8.8.8"]) == (
        "endpoint",
        "endpoint",
        "nat-gateway",
    )


@pytest.mark.semantics(20)
def test_an_unread_list_may_decide_everything_but_for_a_gateway_endpoint() -> None:
    b = EstateBuilder()
    b.prefix_list("pl-1", read=False)
    table = RouteTable(
        id=b.id("rtb-x"),
        kind="route-table",
        network="",
        routes=(route("0.0.0.0/0", "internet-gateway"), route("pl-1", "peering"), route("pl-1", "endpoint")),
    )
    hops = [(hop.route.kind, hop.certain, hop.addresses.has("8.8.8.8")) for hop in next_hops(table, b.build())]
    assert hops == [("internet-gateway", True, True), ("peering", False, True)]


@pytest.mark.semantics(32)
def test_a_subnet_without_a_table_of_its_own_uses_the_main_one() -> None:
    b = EstateBuilder()
    b.subnet("subnet-x", "10.0.7.0/24")
    b.put("route_tables", RouteTable(id=b.id("rtb-x"), kind="route-table", network=b.id("vpc-1"), subnets=frozenset()))
    main = RouteTable(id=b.id("rtb-main"), kind="route-table", network=b.id("vpc-1"), is_main=True)
    b.put("route_tables", main)
    estate = b.build()
    assert estate.route_table_of(estate.subnets[b.id("subnet-x")]) == main
    public = estate.route_table_of(estate.subnets[b.id("subnet-public")])
    assert public is not None
    assert public.own_id == "rtb-public"
