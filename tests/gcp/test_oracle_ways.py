"""The oracle against decisions about ways, worked out by hand from Google's pages."""

from __future__ import annotations

import pytest

from tests.gcp.raw import Raw
from tests.gcp.raw_more import nat, secure_tag, six_of, tunnel
from tests.gcp.raw_parts import Card, policy_rule, vpc
from tests.gcp.shapes import (
    A6,
    B6,
    ESP,
    OUTSIDE,
    OUTSIDE_SIX,
    TCP,
    UDP,
    A,
    B,
    by,
    one_network,
    two_networks,
    verdict,
)

OPEN = vpc("allow")
OPEN_SIX = vpc("allow", sources=["::/0"])
B2 = "b@10.2.1.2"
ALIAS = "a@10.101.1.9"


# Out to the internet, and in.


@pytest.mark.parametrize(
    ("routes", "public", "decided"),
    [
        (True, ("b",), "egress implied"),
        (True, (), "no external address"),
        (False, ("b",), "route"),
    ],
)
def test_the_internet_takes_a_route_and_an_external_address(
    *, routes: bool, public: tuple[str, ...], decided: str
) -> None:  # fmt: skip
    assert by(one_network(routes=routes, public=public), B, OUTSIDE) == decided


def test_a_network_without_a_default_route_answers_nobody() -> None:
    assert by(one_network(OPEN, routes=False, public=("b",)), OUTSIDE, "b@34.1.0.2") == "return route"


def test_ipv6_leaves_from_external_ranges_alone() -> None:
    assert verdict(one_network(), A6, OUTSIDE_SIX) == "passes"
    raw = two_networks()
    raw.route("na", "six", "::/0", "gateway")
    assert by(raw, f"a@{six_of('fd20:1:0:1::/64', 1)}", OUTSIDE_SIX) == "no external address"


def test_external_ipv6_is_reached_from_outside_and_within() -> None:
    raw = one_network(OPEN_SIX)
    assert verdict(raw, OUTSIDE_SIX, B6) == "passes"
    assert verdict(raw, A6, B6) == "passes"


def test_private_addresses_are_not_on_the_internet() -> None:
    assert by(one_network(public=("b",)), B, "172.16.8.9") == "route"
    assert by(one_network(OPEN), "172.16.8.9", B) == "on-premises"
    assert by(one_network(OPEN), OUTSIDE, B) == "public"


def test_one_machine_calls_another_by_its_external_address() -> None:
    raw = one_network(vpc("allow", sources=["34.1.0.1/32"]), public=("a", "b"))
    assert verdict(raw, A, "b@34.1.0.2") == "passes"
    assert verdict(raw, A, B) == "blocked"
    raw = one_network(vpc("allow", sources=["10.1.1.2/32"]), public=("a", "b"))
    assert verdict(raw, A, "b@34.1.0.2") == "blocked"


@pytest.mark.semantics(84)
def test_the_metadata_server_is_always_reached() -> None:
    raw = one_network(vpc("deny", egress=True), routes=False)
    assert by(raw, A, "169.254.169.254", TCP, 80) == "metadata"


@pytest.mark.semantics(84)
def test_mail_may_leave_or_not() -> None:
    raw = one_network(OPEN, public=("a", "b"))
    assert verdict(raw, B, OUTSIDE, TCP, 25) == "undefined"
    assert verdict(raw, B, OUTSIDE, UDP, 25) == "passes"
    assert verdict(raw, A, B, TCP, 25) == "passes"


def test_identity_aware_proxy_is_open() -> None:
    assert verdict(one_network(OPEN), "35.235.240.7", B, TCP, 22) == "undefined"
    assert verdict(one_network(), "35.235.240.7", B, TCP, 22) == "blocked"


# Cloud NAT.


@pytest.mark.parametrize(
    ("scope", "primary", "alias"),
    [
        ("ALL_SUBNETWORKS_ALL_IP_RANGES", "passes", "passes"),
        ("ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES", "passes", "blocked"),
    ],
)
def test_cloud_nat_lets_out(scope: str, primary: str, alias: str) -> None:
    raw = one_network()
    nat(raw, "main", "out", scope)
    assert (verdict(raw, A, OUTSIDE), verdict(raw, ALIAS, OUTSIDE)) == (primary, alias)
    assert verdict(raw, B, OUTSIDE) == "blocked", "it is in another region"
    assert verdict(raw, A, OUTSIDE, ESP, 0) == "undefined", "Google's own services are reached without it"


@pytest.mark.parametrize(
    ("options", "primary", "alias"),
    [
        (["ALL_IP_RANGES"], "passes", "passes"),
        (["PRIMARY_IP_RANGE"], "passes", "blocked"),
        (["LIST_OF_SECONDARY_IP_RANGES"], "blocked", "passes"),
    ],
)
def test_cloud_nat_of_some_ranges(options: list[str], primary: str, alias: str) -> None:
    raw = one_network()
    ranges = {"sa": ["pods"]} if options[0].startswith("LIST") else {}
    nat(raw, "main", "out", "LIST_OF_SUBNETWORKS", listed={"sa": options}, ranges=ranges)
    assert (verdict(raw, A, OUTSIDE), verdict(raw, ALIAS, OUTSIDE)) == (primary, alias)


def test_cloud_nat_needs_the_route() -> None:
    raw = one_network(routes=False)
    nat(raw, "main", "out")
    assert by(raw, A, OUTSIDE) == "route"


def test_the_address_of_cloud_nat_is_known_where_it_is_given() -> None:
    rule = vpc("allow", sources=["34.9.0.0/24"])
    raw = one_network(rule, public=("b",))
    nat(raw, "main", "out", addresses=["34.9.0.1"])
    assert verdict(raw, A, "b@34.1.0.2") == "passes"
    raw = one_network(rule, public=("b",))
    nat(raw, "main", "out")
    assert verdict(raw, A, "b@34.1.0.2") == "undefined"


def test_an_alias_range_does_not_use_the_external_address() -> None:
    raw = one_network(public=("a",))
    assert verdict(raw, ALIAS, OUTSIDE) == "blocked"
    nat(raw, "main", "out")
    assert verdict(raw, ALIAS, OUTSIDE) == "passes"


def test_private_google_access() -> None:
    raw = Raw()
    raw.network("main")
    raw.subnet("main", "s", "10.1.1.0/24", google_access=True)
    raw.route("main", "default", "0.0.0.0/0", "gateway")
    raw.vm("a", Card("s", "10.1.1.2"))
    assert verdict(raw, A, "199.36.153.9") == "passes"
    assert verdict(raw, A, OUTSIDE) == "undefined"


# Routes.


def test_subnet_routes_come_first() -> None:
    raw = one_network(OPEN)
    raw.route("main", "hijack", "10.0.0.0/8", "instance", "a", priority=0)
    assert verdict(raw, A, B) == "passes"
    assert by(raw, B, "10.9.9.9") == "route"


@pytest.mark.parametrize(
    ("prefix", "priority", "decided"),
    [
        ("9.9.9.0/24", 65535, "route"),  # the longer prefix, whatever its number
        ("0.0.0.0/0", 999, "route"),
        ("0.0.0.0/0", 1001, "egress implied"),
        ("8.0.0.0/8", 0, "egress implied"),
    ],
)
def test_the_longest_prefix_and_then_the_lowest_number(prefix: str, priority: int, decided: str) -> None:
    raw = one_network(public=("b",))
    # ``a`` does not forward: what is handed to it is dropped.
    raw.route("main", "detour", prefix, "instance", "a", priority=priority)
    assert by(raw, B, OUTSIDE) == decided


def test_equal_routes_leave_the_way_open() -> None:
    raw = one_network(public=("b",))
    raw.route("main", "detour", "0.0.0.0/0", "ip", "10.1.1.2")
    assert verdict(raw, B, OUTSIDE) == "undefined"


@pytest.mark.semantics(137)
def test_a_route_with_tags_is_for_who_bears_one() -> None:
    raw = one_network(routes=False, public=("a", "b"))
    raw.route("main", "some", "0.0.0.0/0", "gateway", tags=["web", "other"])
    assert verdict(raw, A, OUTSIDE) == "passes"
    assert by(raw, B, OUTSIDE) == "route"


def test_a_machine_that_forwards_may_do_anything() -> None:
    raw = one_network(OPEN, public=("b",))
    raw.vm("fw", Card("sa", "10.1.1.5"), forwards=True)
    raw.route("main", "detour", "9.0.0.0/8", "instance", "fw")
    assert verdict(raw, B, OUTSIDE) == "undefined"
    assert verdict(raw, OUTSIDE, "b@34.1.0.2") == "undefined"


def test_a_tunnel_leads_to_what_its_routes_name() -> None:
    raw = one_network(OPEN)
    tunnel(raw, "main", "home")
    raw.route("main", "home-route", "172.16.8.0/24", "tunnel", "home")
    assert verdict(raw, B, "172.16.8.9") == "passes"
    assert verdict(raw, "172.16.8.9", B) == "passes"
    assert verdict(raw, "172.16.9.9", B) == "blocked"


# 87: peerings, Shared VPC.


@pytest.mark.parametrize(
    ("halves", "active", "expected"),
    [
        ((True, True), True, "passes"),
        ((True, False), True, "blocked"),
        ((False, True), True, "blocked"),
        ((True, True), False, "blocked"),
    ],
)
@pytest.mark.semantics(87)
def test_both_halves_make_a_peering(halves: tuple[bool, bool], *, active: bool, expected: str) -> None:
    assert verdict(two_networks(OPEN, halves=halves, active=active), A, B2) == expected


@pytest.mark.parametrize(("dual", "expected"), [((True, True), "passes"), ((True, False), "blocked")])
def test_ipv6_crosses_dual_stack_peerings(dual: tuple[bool, bool], expected: str) -> None:
    here, there = (f"{name}@{six_of(f'fd20:{number}:0:1::/64', 1)}" for number, name in ((1, "a"), (2, "b")))
    assert verdict(two_networks(OPEN_SIX, dual=dual), here, there) == expected


@pytest.mark.parametrize(
    ("imported", "expected"), [((False, False), "blocked"), ((True, False), "passes"), ((False, True), "blocked")]
)
def test_public_ranges_in_private_use_are_imported_on_demand(imported: tuple[bool, bool], expected: str) -> None:
    raw = two_networks(OPEN, prefix="51.10.1.0/24", public=imported)
    assert verdict(raw, A, "b@51.10.1.2") == expected


@pytest.mark.semantics(87)
def test_peers_of_peers_are_strangers() -> None:
    raw = two_networks(OPEN)
    raw.network("nc")
    raw.subnet("nc", "sc", "10.3.1.0/24")
    raw.firewall("nc", OPEN)
    raw.vm("c", Card("sc", "10.3.1.2"))
    raw.peering("nb", "nc")
    raw.peering("nc", "nb")
    assert verdict(raw, B2, "c@10.3.1.2") == "passes"
    assert by(raw, A, "c@10.3.1.2") == "route"


@pytest.mark.parametrize(
    ("exported", "imported", "tags", "expected"),
    [
        (True, True, [], "passes"),
        (True, False, [], "blocked"),
        (False, True, [], "blocked"),
        (True, True, ["web"], "blocked"),
    ],
)
def test_custom_routes_cross_a_peering_on_demand(
    *, exported: bool, imported: bool, tags: list[str], expected: str
) -> None:  # fmt: skip
    raw = two_networks(OPEN, halves=(False, False))
    tunnel(raw, "nb", "home")
    raw.route("nb", "home-route", "172.16.8.0/24", "tunnel", "home", tags=tags)
    raw.peering("na", "nb", imports=imported)
    raw.peering("nb", "na", export=exported)
    assert verdict(raw, A, "172.16.8.9") == expected


def test_the_way_to_the_internet_stays_at_home() -> None:
    raw = Raw()
    for number, name in ((1, "na"), (2, "nb")):
        raw.network(name)
        raw.subnet(name, f"s{name}", f"10.{number}.1.0/24")
    raw.vm("a", Card("sna", "10.1.1.2", "34.1.0.1"))
    raw.route("nb", "default", "0.0.0.0/0", "gateway")
    raw.peering("na", "nb", imports=True)
    raw.peering("nb", "na", export=True)
    assert by(raw, A, OUTSIDE) == "route"


@pytest.mark.semantics(80)
def test_secure_tags_cross_a_peering() -> None:
    raw = Raw()
    for number, name in ((1, "na"), (2, "nb")):
        raw.network(name)
        raw.subnet(name, f"s{name}", f"10.{number}.1.0/24")
    secure_tag(raw, "1", "na", numbered=True)
    raw.vm("a", Card("sna", "10.1.1.2"), secure=["tagValues/1"])
    raw.vm("b", Card("snb", "10.2.1.2"))
    raw.peering("na", "nb")
    raw.peering("nb", "na")
    raw.policy("world", ["nb"], policy_rule(1, "allow", secure=["tagValues/1"]))
    assert verdict(raw, A, B2) == "passes"


@pytest.mark.semantics(85)
def test_a_secure_tag_is_borne_in_the_network_of_its_key_alone() -> None:
    raw = Raw()
    for number, name in ((1, "na"), (2, "nb")):
        raw.network(name)
        raw.subnet(name, f"s{name}", f"10.{number}.1.0/24")
        raw.policy(f"p{name}", [name], policy_rule(1, "allow", target_secure=["tagValues/1"]))
    secure_tag(raw, "1", "na")
    raw.vm("two", Card("sna", "10.1.1.2"), Card("snb", "10.2.1.2"), secure=["tagValues/1"])
    raw.vm("a", Card("sna", "10.1.1.3"))
    raw.vm("b", Card("snb", "10.2.1.3"))
    assert verdict(raw, "a@10.1.1.3", "two@10.1.1.2") == "passes"
    assert verdict(raw, "b@10.2.1.3", "two/1@10.2.1.2") == "blocked"


@pytest.mark.semantics(87)
def test_rules_of_a_shared_network_live_in_the_host_project() -> None:
    raw = Raw()
    raw.project("host", "2002")
    raw.project("team", "2003", host="host")
    raw.network("shared", project="host")
    raw.subnet("shared", "s", "10.1.1.0/24")
    raw.firewall("shared", vpc("allow", tags=["web"]))
    raw.vm("a", Card("s", "10.1.1.2"), project="team", tags=["web"])
    raw.vm("b", Card("s", "10.1.1.3"), project="host")
    assert verdict(raw, A, "b@10.1.1.3") == "passes"
    assert verdict(raw, "b@10.1.1.3", A) == "blocked"
