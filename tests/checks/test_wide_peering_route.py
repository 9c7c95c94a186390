"""Routes over peerings and transit gateways against what lies on the other side."""

from collections.abc import Callable

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_routes import add_attachment, add_transit_gateway, add_transit_table
from cloudseg.checks.wide_peering_route import CHECK
from cloudseg.findings import Finding
from cloudseg.model import Route, RouteTable

Findings = Callable[..., list[Finding]]


def peered(*destinations: str, held: str = "10.2.0.0/16", unread: tuple[str, ...] = ()) -> EstateBuilder:
    b = EstateBuilder(unread=unread)
    b.subnet("subnet-private", "10.0.2.0/24")
    b.network("vpc-2", held)
    b.peering("pcx-1", "vpc-2")
    for destination in destinations:
        b.route("rtb-private", destination, "peering", "pcx-1")
    return b


def told(found: list[Finding]) -> list[tuple[str, str, str]]:
    return [(f.resource.id, f.severity.value, f.confidence) for f in found]


def table(b: EstateBuilder, own: str = "rtb-private") -> RouteTable:
    return b.build().route_tables[b.id(own)]


MEDIUM = [("rtb-private", "medium", "high")]
LOW = [("rtb-private", "low", "high")]


@pytest.mark.semantics(36)
@pytest.mark.parametrize(
    ("destinations", "held", "expected"),
    [
        (["10.0.0.0/8"], "10.2.0.0/16", MEDIUM),
        (["0.0.0.0/0"], "10.2.0.0/16", MEDIUM),
        (["10.2.0.0/16"], "10.2.0.0/16", []),
        (["10.2.7.0/24"], "10.2.0.0/16", []),
        (["10.2.0.0/15"], "10.2.0.0/16", MEDIUM),
        # Two blocks on the other side, one route over both.
        (["10.2.0.0/15"], "10.2.0.0/16, 10.3.0.0/16", []),
        # Split in parts that are each narrower than the other network.
        (["10.2.0.0/17", "10.2.128.0/17", "10.3.0.0/17"], "10.2.0.0/16", MEDIUM),
        (["::/0"], "10.2.0.0/16, 2001:db8:2::/56", MEDIUM),
        (["2001:db8:2::/56"], "10.2.0.0/16, 2001:db8:2::/56", []),
        (["2001:db8:2::/56"], "10.2.0.0/16", MEDIUM),
        # The own range is no part of what is sent: the local route is longer.
        (["10.0.0.0/14"], "10.1.0.0/16, 10.2.0.0/15", []),
    ],
)
def test_a_route_names_what_the_other_network_has(
    destinations: list[str], held: str, expected: list[tuple[str, str, str]], findings: Findings
) -> None:
    assert told(findings(CHECK, peered(*destinations, held=held).build())) == expected


@pytest.mark.semantics(31)
def test_longer_prefixes_that_take_the_rest_make_a_wide_route_harmless_today(findings: Findings) -> None:
    b = peered("10.2.0.0/15")
    b.route("rtb-private", "10.3.0.0/17", "nat-gateway", "nat-1")
    assert told(findings(CHECK, b.build())) == MEDIUM
    b.route("rtb-private", "10.3.128.0/17", "nat-gateway", "nat-1")
    (found,) = findings(CHECK, b.build())
    assert told([found]) == LOW
    assert "longer prefixes take what lies beyond the other network" in found.evidence


def test_the_evidence_says_what_goes_beyond(findings: Findings) -> None:
    b = peered("10.0.0.0/14")
    b.network("vpc-3", "10.3.0.0/16")
    (found,) = findings(CHECK, b.build())
    assert found.message == "rtb-private sends 10.0.0.0/14 over pcx-1, where vpc-2 has 10.2.0.0/16 alone"
    assert found.evidence == (
        "route 10.0.0.0/14 to pcx-1",
        "used by subnet-private",
        "sent beyond the other network: 10.1.0.0/16, 10.3.0.0/16",
        "vpc-3 has a part of that, and a peering leads no further",
        "a range that is added to the other network is reached at once",
    )


def test_a_table_that_no_subnet_uses_sends_nothing(findings: Findings) -> None:
    b = peered("10.0.0.0/8")
    b.put("route_tables", msgspec.structs.replace(table(b), subnets=frozenset()))
    (found,) = findings(CHECK, b.build())
    assert told([found]) == LOW
    assert "no subnet uses the table" in found.evidence


@pytest.mark.semantics(32)
def test_a_main_table_is_used_by_the_subnets_that_no_table_names(findings: Findings) -> None:
    b = peered("10.0.0.0/8")
    b.put("route_tables", msgspec.structs.replace(table(b), subnets=frozenset(), is_main=True))
    (found,) = findings(CHECK, b.build())
    assert told([found]) == MEDIUM
    assert "used by subnet-private" in found.evidence


def test_who_uses_a_main_table_is_unknown_where_tables_were_not_read(findings: Findings) -> None:
    b = peered("10.0.0.0/8", unread=("routes",))
    b.put("route_tables", msgspec.structs.replace(table(b), subnets=frozenset(), is_main=True))
    (found,) = findings(CHECK, b.build())
    assert told([found]) == [("rtb-private", "medium", "low")]
    assert "unknown: whether more subnets use the table" in found.evidence


@pytest.mark.parametrize("what", ["route", "peering"])
def test_what_is_not_active_sends_nothing(what: str, findings: Findings) -> None:
    b = peered("10.0.0.0/8")
    if what == "route":
        routes = tuple(msgspec.structs.replace(route, active=route.kind != "peering") for route in table(b).routes)
        b.put("route_tables", msgspec.structs.replace(table(b), routes=routes))
    else:
        b.put("peerings", msgspec.structs.replace(b.build().peerings[b.id("pcx-1")], active=False))
    (found,) = findings(CHECK, b.build())
    assert told([found]) == LOW
    assert any("not active" in text for text in found.evidence)


def test_every_table_and_every_peering_is_told_apart(findings: Findings) -> None:
    b = peered("10.0.0.0/8")
    b.network("vpc-3", "10.3.0.0/16")
    b.peering("pcx-3", "vpc-3")
    b.route("rtb-private", "192.168.0.0/16", "peering", "pcx-3")
    b.route("rtb-public", "10.0.0.0/8", "peering", "pcx-1")
    found = findings(CHECK, b.build())
    assert [f.resource.id for f in found] == ["rtb-private", "rtb-private", "rtb-public"]
    assert len({f.id for f in found}) == 3


# The other side was not read.


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        # A network has blocks of /16 at most: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html
        ("10.2.0.0/15", [("rtb-private", "medium", "low")]),
        ("10.2.0.0/16", [("pcx-9", "info", "low")]),
        ("2001:db8::/32", [("rtb-private", "medium", "low")]),
        ("2001:db8::/56", [("pcx-9", "info", "low")]),
    ],
)
def test_a_network_that_was_not_read_is_told_with_low_confidence(
    destination: str, expected: list[tuple[str, str, str]], findings: Findings
) -> None:
    b = EstateBuilder()
    b.peering("pcx-9", "aws:999988887777:eu-west-1:vpc-theirs")
    b.route("rtb-private", destination, "peering", "pcx-9")
    (found,) = findings(CHECK, b.build())
    assert told([found]) == expected
    assert "unknown: the addresses of the network on the other side were not read" in found.evidence


def test_routes_that_cannot_be_judged_are_told_once_a_peering(findings: Findings) -> None:
    b = EstateBuilder()
    for own in ("rtb-private", "rtb-public"):
        b.route(own, "10.2.0.0/16", "peering", "pcx-unread")
    (found,) = findings(CHECK, b.build())
    assert found.message == ("whether routes of 2 tables over pcx-unread name more than the other side has is unknown")
    assert [text for text in found.evidence if "rtb" in text] == [
        "rtb-private: route 10.2.0.0/16 to pcx-unread",
        "rtb-public: route 10.2.0.0/16 to pcx-unread",
    ]


@pytest.mark.semantics(20)
def test_a_prefix_list_is_what_it_holds_and_may_be_everything_unread(findings: Findings) -> None:
    def found(*prefixes: str, read: bool = True) -> list[tuple[str, str, str]]:
        b = peered("pl-1")
        b.prefix_list("pl-1", *prefixes, read=read)
        return told(findings(CHECK, b.build()))

    assert found("10.2.0.0/17", "10.2.128.0/17") == []
    assert found("10.2.0.0/16", "10.9.0.0/16") == MEDIUM
    assert found(read=False) == [("rtb-private", "medium", "low")]


# Transit gateways.


def attached(destination: str, *, unread: tuple[str, ...] = ()) -> EstateBuilder:
    b = EstateBuilder(unread=unread)
    b.subnet("subnet-app", "10.0.3.0/24", zone="eu-west-1a")
    b.route("rtb-app", destination, "transit-gateway", "tgw-1")
    add_transit_gateway(b)
    add_attachment(b, "att-1", "vpc-1", subnets=("subnet-app",))
    for number in (2, 3, 4):
        b.network(f"vpc-{number}", f"10.{number}.0.0/16")
        b.subnet(f"subnet-{number}", f"10.{number}.1.0/24", f"vpc-{number}", zone="eu-west-1a")
        add_attachment(b, f"att-{number}", f"vpc-{number}", subnets=(f"subnet-{number}",))
    return b


def own(number: int) -> tuple[str, str]:
    return f"10.{number}.0.0/16", f"att-{number}"


def over_gateway(found: list[Finding]) -> list[tuple[str, str]]:
    return [(f.severity.value, f.confidence) for f in found]


@pytest.mark.semantics(38)
@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ("0.0.0.0/0", [("medium", "high")]),
        ("10.0.0.0/8", [("medium", "high")]),
        ("10.0.0.0/12", [("medium", "high")]),
        ("10.2.0.0/15", []),
        ("10.3.0.0/16", []),
    ],
)
def test_a_wide_route_over_a_gateway_that_keeps_nothing_back(
    destination: str, expected: list[tuple[str, str]], findings: Findings
) -> None:
    b = attached(destination)
    add_transit_table(b, propagated=[own(2), own(3), own(4)])
    assert over_gateway(findings(CHECK, b.build())) == expected


def test_wide_routes_over_a_gateway_count_however_they_are_split(findings: Findings) -> None:
    b = attached("10.0.0.0/13")
    add_transit_table(b, propagated=[own(2), own(3), own(4)])
    assert findings(CHECK, b.build()) == []
    b.route("rtb-app", "10.8.0.0/13", "transit-gateway", "tgw-1")
    (found,) = findings(CHECK, b.build())
    assert found.message == "rtb-app sends 10.0.0.0/12 over tgw-1, which reaches 3 other networks and sites"
    assert "reached: vpc-2, vpc-3, vpc-4" in found.evidence
    assert "every other attachment of the gateway is reached" in found.evidence


def test_a_gateway_that_keeps_networks_back_makes_a_wide_route_low(findings: Findings) -> None:
    b = attached("10.0.0.0/8")
    add_transit_table(b, propagated=[own(2), own(3)])
    (found,) = findings(CHECK, b.build())
    assert over_gateway([found]) == [("low", "high")]
    assert "the gateway's table keeps back: att-4" in found.evidence


def test_a_gateway_over_which_one_network_is_reached_so_far(findings: Findings) -> None:
    b = attached("10.0.0.0/8")
    add_transit_table(b, propagated=[own(2)])
    (found,) = findings(CHECK, b.build())
    assert over_gateway([found]) == [("low", "high")]
    assert found.message == "rtb-app sends 10.0.0.0/8 over tgw-1, which reaches one network so far"


def test_a_default_route_to_the_central_firewall_is_left_alone_until_others_are_reached(findings: Findings) -> None:
    b = attached("0.0.0.0/0")
    add_transit_table(b, static=[("0.0.0.0/0", "att-2")])
    assert findings(CHECK, b.build()) == []
    add_transit_table(b, static=[("0.0.0.0/0", "att-2")], propagated=[own(3), own(4)])
    assert over_gateway(findings(CHECK, b.build())) == [("medium", "high")]


def test_sites_behind_a_vpn_are_reached_as_well(findings: Findings) -> None:
    b = attached("10.0.0.0/8")
    add_attachment(b, "att-vpn", None, kind="vpn")
    add_transit_table(b, propagated=[own(2), ("10.200.0.0/16", "att-vpn")])
    (found,) = findings(CHECK, b.build())
    assert "reached: vpc-2, att-vpn (vpn)" in found.evidence


def test_a_blackhole_of_the_gateway_reaches_nothing(findings: Findings) -> None:
    b = attached("10.0.0.0/8")
    add_transit_table(b, propagated=[own(2), own(3)])
    known = b.build().transit_tables[b.id("tgw-rtb-1")]
    dropped = Route(destination=known.routes[0].destination, kind="drop")
    b.put("transit_tables", msgspec.structs.replace(known, routes=(dropped, known.routes[1])))
    (found,) = findings(CHECK, b.build())
    assert "reached: vpc-3" in found.evidence


@pytest.mark.parametrize("what", ["table", "cut off", "attachments"])
def test_a_gateway_that_was_not_read_may_reach_everybody(what: str, findings: Findings) -> None:
    b = attached("0.0.0.0/0", unread=("transit",))
    if what == "cut off":
        add_transit_table(b, static=[("0.0.0.0/0", "att-2")], complete=False)
    if what == "attachments":
        add_attachment(b, "att-1", "vpc-other", subnets=("subnet-app",))
    (found,) = findings(CHECK, b.build())
    assert over_gateway([found]) == [("medium", "low")]
    assert any(text.startswith("unknown: ") for text in found.evidence)


def test_a_network_of_another_account_is_reached_although_it_was_not_read(findings: Findings) -> None:
    b = attached("10.0.0.0/8")
    add_attachment(b, "att-5", "aws:999988887777:eu-west-1:vpc-theirs")
    add_transit_table(b, propagated=[own(2), own(3), own(4), own(5)])
    (found,) = findings(CHECK, b.build())
    assert over_gateway([found]) == [("medium", "high")]
    assert "reached: vpc-2, vpc-3, vpc-4, att-5 (vpc-theirs)" in found.evidence
