"""Two interfaces of one estate over the internet, worked out by hand: out under a public address, in by another one.

Rules on both sides see public addresses there. Sources:
https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html#security-group-referencing and
https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html
"""

from __future__ import annotations

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.model import Addresses, Entrance, Gateway, Route
from cloudseg.reach.reachability import Reachability, Verdict
from cloudseg.traffic import AddressSet, Traffic
from tests.reach.balancers import at_most, between, exactly, q

OPEN = allow("egress", "all", "0.0.0.0/0")
NOTHING = exactly("none")
HERE, THERE, NAT = "198.51.100.5", "198.51.100.6", "198.51.100.9"


def two(ingress: str, *, egress: str = "0.0.0.0/0", public: str = HERE, **more: object) -> EstateBuilder:
    """``eni-app`` and ``eni-server`` have public addresses in two networks that nothing else joins.

    The server admits ``ingress`` on tcp/443.
    """
    builder = EstateBuilder()
    builder.network("vpc-2", "10.8.0.0/16")
    builder.subnet("subnet-there", "10.8.1.0/24", network="vpc-2")
    builder.route("rtb-there", "0.0.0.0/0", "internet-gateway", "igw-2")
    own = {"kind": "internet-gateway", "region": "eu-west-1", "public": True}
    builder.put("gateways", Gateway(id=q("igw-2"), networks=frozenset({q("vpc-2")}), **own))  # type: ignore[arg-type]
    builder.group("sg-app", allow("egress", "all", egress))
    builder.group("sg-server", allow("ingress", "tcp/443", ingress), OPEN, network="vpc-2")
    builder.interface("eni-app", "subnet-public", ["sg-app"], "10.0.1.5", public, **more)
    builder.interface("eni-server", "subnet-there", ["sg-server"], "10.8.1.6", THERE)
    moved(builder, "eni-server", network=q("vpc-2"))
    return builder


def moved(builder: EstateBuilder, own: str, **changes: object) -> None:
    known = builder.build().interfaces[q(own)]
    builder.put("interfaces", msgspec.structs.replace(known, **changes))


def verdict(builder: EstateBuilder) -> Verdict:
    return between(builder, "eni-app", "eni-server")


WEB = exactly("tcp/443")


# From one public address to another.


@pytest.mark.semantics(6)
@pytest.mark.semantics(33)
@pytest.mark.parametrize(
    ("ingress", "expected"),
    [
        (f"{HERE}/32", WEB),
        ("198.51.100.0/24", WEB),
        ("0.0.0.0/0", WEB),
        ("10.0.0.0/16", NOTHING),
        ("sg-app", NOTHING),
        (f"{THERE}/32", NOTHING),
        ("::/0", NOTHING),
    ],
)
def test_a_target_has_to_admit_the_public_address_of_the_source(ingress: str, expected: Verdict) -> None:
    assert verdict(two(ingress)) == expected


@pytest.mark.semantics(6)
@pytest.mark.parametrize(
    ("egress", "expected"),
    [
        (f"{THERE}/32", WEB),
        ("0.0.0.0/0", WEB),
        ("10.0.0.0/8", NOTHING),
        ("sg-server", NOTHING),
        (f"{HERE}/32", NOTHING),
    ],
)
def test_a_source_has_to_let_out_to_the_public_address_of_the_target(egress: str, expected: Verdict) -> None:
    assert verdict(two("0.0.0.0/0", egress=egress)) == expected


@pytest.mark.semantics(33)
def test_a_source_without_a_public_address_does_not_get_out_by_an_internet_gateway() -> None:
    assert verdict(two("0.0.0.0/0", public="")) == NOTHING


@pytest.mark.semantics(33)
def test_a_target_without_a_public_address_is_not_met() -> None:
    builder = two("0.0.0.0/0")
    moved(builder, "eni-server", public=AddressSet())
    assert verdict(builder) == NOTHING


@pytest.mark.semantics(33)
@pytest.mark.parametrize("destination", [f"{HERE}/32", "0.0.0.0/0", "0.0.0.0/1"])
def test_a_target_needs_a_route_back_to_the_public_address_of_the_source(destination: str) -> None:
    builder = two("0.0.0.0/0")
    builder.subnet("subnet-there", "10.8.1.0/24", network="vpc-2")
    assert verdict(builder) == NOTHING
    builder.route("rtb-there", destination, "internet-gateway", "igw-2")
    assert verdict(builder) == (NOTHING if destination == "0.0.0.0/1" else WEB)


@pytest.mark.semantics(33)
def test_a_target_whose_answers_go_to_a_private_gateway_does_not_answer_over_the_internet() -> None:
    builder = two("0.0.0.0/0")
    builder.route("rtb-there", "198.51.100.0/24", "private-gateway", "vgw-1")
    assert verdict(builder) == NOTHING
    # It is met from there, though.
    assert between(builder, HERE, "eni-server") == at_most("tcp/443")


@pytest.mark.semantics(31)
def test_a_source_that_routes_the_targets_address_elsewhere_does_not_meet_it() -> None:
    builder = two("0.0.0.0/0")
    builder.route("rtb-public", f"{THERE}/32", "private-gateway", "vgw-1")
    assert verdict(builder) == NOTHING


@pytest.mark.semantics(117)
def test_where_the_way_of_the_source_was_not_read_it_meets_the_target_at_most() -> None:
    builder = two(f"{HERE}/32")
    builder.route("rtb-public", f"{THERE}/32", "unknown", "x-1")
    assert verdict(builder) == at_most("tcp/443")


@pytest.mark.semantics(123)
@pytest.mark.parametrize(
    ("blocked", "expected"),
    [("off", WEB), ("inbound", NOTHING), ("bidirectional", NOTHING), ("unknown", at_most("tcp/443"))],
)
def test_blocked_public_access_of_the_target_cuts_the_way(blocked: str, expected: Verdict) -> None:
    builder = two("0.0.0.0/0")
    subnet = builder.build().subnets[q("subnet-there")]
    builder.put("subnets", msgspec.structs.replace(subnet, internet_block=blocked))
    assert verdict(builder) == expected


@pytest.mark.semantics(6)
def test_within_one_network_the_way_over_the_internet_is_a_second_one() -> None:
    builder = EstateBuilder()
    builder.group("sg-app", OPEN)
    builder.group("sg-server", allow("ingress", "tcp/443", f"{HERE}/32"), allow("ingress", "tcp/22", "sg-app"), OPEN)
    builder.interface("eni-app", "subnet-public", ["sg-app"], "10.0.1.5", HERE)
    builder.interface("eni-server", "subnet-public", ["sg-server"], "10.0.1.6", THERE)
    assert verdict(builder) == exactly("tcp/443, tcp/22")


def test_an_entrance_is_no_public_address_of_the_target() -> None:
    builder = two("0.0.0.0/0", egress=f"{THERE}/32")
    builder.subnet("subnet-there", "10.8.1.0/24", network="vpc-2")
    entrance = Entrance(
        id=q("accelerator"), kind="accelerator", region="global", targets=frozenset({q("eni-server")}),
        traffic=Traffic.parse("all"),
    )  # fmt: skip
    builder.put("entrances", entrance)
    assert between(builder, "203.0.113.7", "eni-server") == WEB
    assert verdict(builder) == NOTHING


# By a NAT gateway.


def behind_nat(ingress: str, *, interfaces: tuple[tuple[str, str], ...] = (("eni-nat", NAT),)) -> EstateBuilder:
    """``eni-app`` stands in the private subnet, behind a NAT gateway with an interface for each address."""
    builder = two(ingress, public="")
    builder.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.5")
    for number, (own, public) in enumerate(interfaces):
        builder.interface(own, "subnet-public", [], f"10.0.1.{20 + number}", public, role="nat_gateway")
    known = builder.build().gateways[q("nat-1")]
    names = frozenset(q(own) for own, _ in interfaces)
    builder.put("gateways", msgspec.structs.replace(known, interfaces=names))
    return builder


@pytest.mark.semantics(34)
@pytest.mark.parametrize(
    ("ingress", "expected"),
    [
        (f"{NAT}/32", WEB),
        ("0.0.0.0/0", WEB),
        ("10.0.2.0/24", NOTHING),
        ("10.0.1.20/32", NOTHING),
        (f"{HERE}/32", NOTHING),
    ],
)
def test_behind_a_nat_gateway_the_target_sees_its_public_address(ingress: str, expected: Verdict) -> None:
    assert verdict(behind_nat(ingress)) == expected


@pytest.mark.semantics(34)
def test_a_nat_gateway_carries_tcp_udp_and_icmp_alone() -> None:
    builder = behind_nat("0.0.0.0/0")
    builder.group("sg-server", allow("ingress", "all", "0.0.0.0/0"), OPEN, network="vpc-2")
    assert verdict(builder) == exactly("tcp, udp, icmp")


@pytest.mark.semantics(34)
def test_of_several_addresses_of_a_nat_gateway_all_must_be_admitted_for_sure() -> None:
    several = (("eni-nat", NAT), ("eni-nat2", "198.51.100.10"))
    assert verdict(behind_nat(f"{NAT}/32", interfaces=several)) == at_most("tcp/443")
    assert verdict(behind_nat("198.51.100.8/29", interfaces=several)) == WEB


@pytest.mark.semantics(117)
def test_a_nat_gateway_whose_interface_was_not_read_may_be_seen_under_any_address() -> None:
    assert verdict(behind_nat("203.0.113.77/32", interfaces=())) == at_most("tcp/443")
    builder = behind_nat(f"{NAT}/32")
    known = builder.build().gateways[q("nat-1")]
    names = known.interfaces | {q("eni-not-read")}
    builder.put("gateways", msgspec.structs.replace(known, interfaces=names))
    # The one that was not read may be the one that is taken.
    assert verdict(builder) == at_most("tcp/443")


# Network ACLs.

ANY_IN, ANY_OUT = acl_entry("ingress", 100, "all", "0.0.0.0/0"), acl_entry("egress", 100, "all", "0.0.0.0/0")


@pytest.mark.semantics(24)
@pytest.mark.parametrize(
    ("subnet", "entry", "expected"),
    [
        ("subnet-public", acl_entry("egress", 90, "tcp/443", f"{THERE}/32", deny=True), NOTHING),
        ("subnet-public", acl_entry("egress", 90, "tcp/443", "10.8.1.6/32", deny=True), WEB),
        ("subnet-public", acl_entry("ingress", 90, "tcp", f"{THERE}/32", deny=True), NOTHING),
        ("subnet-public", acl_entry("ingress", 90, "tcp/1024-32767", f"{THERE}/32", deny=True), at_most("tcp/443")),
        ("subnet-there", acl_entry("ingress", 90, "tcp/443", f"{HERE}/32", deny=True), NOTHING),
        ("subnet-there", acl_entry("ingress", 90, "tcp/443", "10.0.1.5/32", deny=True), WEB),
        ("subnet-there", acl_entry("egress", 90, "all", f"{HERE}/32", deny=True), NOTHING),
    ],
)
def test_lists_on_both_sides_see_public_addresses_there_and_back(subnet: str, entry: object, expected: Verdict) -> None:
    builder = two("0.0.0.0/0")
    if subnet == "subnet-public":
        builder.acl("acl-1", ["subnet-private"], (ANY_IN, ANY_OUT))
    builder.acl("acl-own", [subnet], (entry, ANY_IN, ANY_OUT))  # type: ignore[arg-type]
    assert verdict(builder) == expected


@pytest.mark.semantics(26)
def test_within_one_subnet_lists_are_asked_about_public_addresses() -> None:
    builder = EstateBuilder()
    builder.group("sg-app", OPEN)
    builder.group("sg-server", allow("ingress", "tcp/443", f"{HERE}/32"), OPEN)
    builder.interface("eni-app", "subnet-public", ["sg-app"], "10.0.1.5", HERE)
    builder.interface("eni-server", "subnet-public", ["sg-server"], "10.0.1.6", THERE)
    builder.acl("acl-1", ["subnet-public"], (acl_entry("ingress", 90, "all", f"{HERE}/32", deny=True), ANY_IN, ANY_OUT))
    assert verdict(builder) == NOTHING


# Addresses that were not read.


@pytest.mark.semantics(117)
@pytest.mark.parametrize("unlisted", [True, None])
def test_a_target_whose_public_address_was_not_read_is_met_at_most(*, unlisted: bool | None) -> None:
    builder = two("0.0.0.0/0")
    moved(builder, "eni-server", public=AddressSet(), public_unlisted=unlisted)
    assert verdict(builder) == at_most("tcp/443")
    builder.group("sg-app", allow("egress", "all", "203.0.113.0/24"))
    assert verdict(builder) == at_most("tcp/443")
    builder.group("sg-app", allow("egress", "all", "10.0.0.0/8"))
    assert verdict(builder) == NOTHING
    builder.group("sg-app", OPEN)
    builder.group("sg-server", allow("ingress", "tcp/443", "10.0.0.0/8"), OPEN, network="vpc-2")
    assert verdict(builder) == NOTHING


@pytest.mark.semantics(117)
def test_a_target_with_one_address_listed_and_another_not_is_met_for_sure_at_the_one() -> None:
    builder = two("0.0.0.0/0", egress=f"{THERE}/32")
    moved(builder, "eni-server", public_unlisted=True)
    assert verdict(builder) == WEB


@pytest.mark.semantics(117)
def test_a_target_that_admits_another_address_than_the_sources_is_not_met_wherever_it_stands() -> None:
    builder = two("203.0.113.77/32")
    moved(builder, "eni-server", public=AddressSet(), public_unlisted=True)
    assert verdict(builder) == NOTHING
    moved(builder, "eni-app", public=AddressSet(), public_unlisted=True)
    assert verdict(builder) == at_most("tcp/443")


@pytest.mark.semantics(117)
def test_a_source_whose_public_address_was_not_read_may_be_seen_under_any() -> None:
    for ingress, expected in (("203.0.113.77/32", at_most("tcp/443")), ("10.0.0.0/8", NOTHING)):
        assert verdict(two(ingress, public="", public_unlisted=True)) == expected


@pytest.mark.semantics(44)
def test_of_several_public_addresses_of_the_source_all_must_be_admitted_for_sure() -> None:
    builder = two(f"{HERE}/32", public=f"{HERE}, 198.51.100.77")
    assert verdict(builder) == at_most("tcp/443")


@pytest.mark.semantics(44)
def test_a_target_of_several_public_addresses_is_met_at_any_of_them() -> None:
    builder = two("0.0.0.0/0", egress=f"{THERE}/32")
    moved(builder, "eni-server", public=AddressSet.parse(f"{THERE}, 198.51.100.66"))
    assert verdict(builder) == WEB


# IPv6, whose global addresses are the same inside and outside.


def two_of_six(ingress: str, *, egress_only: bool = False) -> EstateBuilder:
    builder = two(ingress)
    builder.group("sg-app", allow("egress", "all", "::/0"))
    builder.interface("eni-app", "subnet-public", ["sg-app"], "2600:1f18:1::5")
    builder.interface("eni-server", "subnet-there", ["sg-server"], "2600:1f18:2::6")
    moved(builder, "eni-server", network=q("vpc-2"))
    builder.route("rtb-public", "::/0", "egress-only-gateway" if egress_only else "internet-gateway", "igw-1")
    builder.route("rtb-there", "::/0", "internet-gateway", "igw-2")
    if egress_only:
        own = {"kind": "egress-only-gateway", "region": "eu-west-1"}
        gateway = Gateway(id=q("igw-1"), networks=frozenset({q("vpc-1")}), **own)  # type: ignore[arg-type]
        builder.put("gateways", gateway)
    return builder


@pytest.mark.semantics(15)
@pytest.mark.semantics(129)
@pytest.mark.parametrize("egress_only", [False, True])
@pytest.mark.parametrize(
    ("ingress", "expected"),
    [
        ("2600:1f18:1::5/128", WEB),
        ("::/0", WEB),
        ("0.0.0.0/0", NOTHING),
        ("sg-app", NOTHING),
        ("2600:1f18:2::/48", NOTHING),
    ],
)
def test_global_addresses_of_two_networks_meet_over_the_internet(
    ingress: str, expected: Verdict, *, egress_only: bool
) -> None:
    builder = two_of_six(ingress, egress_only=egress_only)
    for subnets, own in ((("subnet-public",), "acl-1"), (("subnet-there",), "acl-2")):
        entries = (acl_entry("ingress", 100, "all", "::/0"), acl_entry("egress", 100, "all", "::/0"))
        builder.acl(own, subnets, entries)
    assert verdict(builder) == expected


@pytest.mark.semantics(129)
def test_an_egress_only_gateway_lets_nobody_in() -> None:
    builder = two_of_six("::/0", egress_only=True)
    builder.acl("acl-1", ["subnet-private"], (ANY_IN, ANY_OUT))
    builder.group("sg-app", allow("egress", "all", "::/0"), allow("ingress", "all", "::/0"))
    builder.group("sg-server", OPEN, allow("egress", "all", "::/0"), network="vpc-2")
    assert between(builder, "eni-server", "eni-app") == NOTHING


# Several interfaces alike.


def test_members_of_one_class_meet_each_other_over_the_internet() -> None:
    builder = EstateBuilder()
    builder.group("sg-app", allow("ingress", "tcp/443", "198.51.100.0/24"), OPEN)
    for number in (5, 6):
        builder.interface(f"eni-{number}", "subnet-public", ["sg-app"], f"10.0.1.{number}", f"198.51.100.{number}")
    reach = Reachability(builder.build())
    assert len(reach.classes) == 1
    assert reach.between(q("eni-5"), q("eni-6")) == WEB


def test_nobody_meets_himself_over_the_internet() -> None:
    builder = two(f"{HERE}/32")
    builder.group("sg-app", OPEN, allow("ingress", "all", f"{HERE}/32"))
    assert between(builder, "eni-app", "eni-app") == NOTHING
    reach = Reachability(builder.build())
    own = reach.class_of(q("eni-app")).name
    assert not [flow for flow in reach.flows() if flow.source == flow.target == own]


def test_a_blackhole_on_the_way_stops_the_source() -> None:
    builder = two("0.0.0.0/0")
    table = builder.build().route_tables[q("rtb-public")]
    hole = Route(destination=Addresses(AddressSet.parse(f"{THERE}/32")), kind="drop", active=False)
    builder.put("route_tables", msgspec.structs.replace(table, routes=(*table.routes, hole)))
    assert verdict(builder) == NOTHING


@pytest.mark.semantics(117)
def test_beside_addresses_of_the_other_family_a_target_that_was_not_read_is_met_at_most() -> None:
    builder = two("0.0.0.0/0")
    moved(builder, "eni-server", public=AddressSet(), public_unlisted=True)
    six = AddressSet.parse("2600:1f18:aa00::5")
    moved(builder, "eni-app", addresses=AddressSet.parse("10.0.1.5") | six)
    assert verdict(builder) == at_most("tcp/443")
    moved(builder, "eni-app", addresses=six)
    assert verdict(builder).lower == Traffic.parse("none")
