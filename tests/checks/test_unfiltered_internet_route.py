"""Which routes to the internet pass a firewall that allows by name, and which do not."""

from collections.abc import Callable

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_routes import (
    add_attachment,
    add_firewall,
    add_transit_gateway,
    add_transit_table,
    endpoint_of,
)
from cloudseg.checks.unfiltered_internet_route import CHECK
from cloudseg.findings import Finding
from cloudseg.model import Endpoint, Gateway, InternetBlock, TargetKind, Workload

Findings = Callable[..., list[Finding]]
WALL = endpoint_of("firewall-1")
EVERYWHERE = "0.0.0.0/0"


def workload(address: str = "10.0.2.10", public: str = "", *, unread: tuple[str, ...] = ()) -> EstateBuilder:
    b = EstateBuilder(unread=unread)
    b.interface("eni-app", "subnet-private", [], address, public)
    return b


def behind_firewall(
    *, filters: bool | None = True, names: tuple[str, ...] = ("*.ubuntu.com",), reason: str = ""
) -> EstateBuilder:
    b = workload()
    b.subnet("subnet-private", "10.0.2.0/24")
    b.route("rtb-private", EVERYWHERE, "endpoint", WALL)
    b.subnet("subnet-firewall", "10.0.9.0/28")
    b.route("rtb-firewall", EVERYWHERE, "nat-gateway", "nat-1")
    add_firewall(b, filters=filters, names=names, reason=reason)
    return b


def routed(*routes: tuple[str, TargetKind, str], address: str = "10.0.2.10", public: str = "") -> EstateBuilder:
    b = workload(address, public)
    b.subnet("subnet-private", "10.0.2.0/24")
    for route in routes:
        b.route("rtb-private", *route)
    return b


@pytest.mark.semantics(122)
@pytest.mark.parametrize(
    ("filters", "names", "confidence", "reason"),
    [
        (True, ("a.example",), None, ""),
        (True, (), "high", "the firewall firewall-1 filters by addresses and has no allow-list of names (why)"),
        (False, ("a.example",), "high", "the firewall firewall-1 does not stop what it does not allow (why)"),
        (False, (), "high", "the firewall firewall-1 does not stop what it does not allow (why)"),
        (None, ("a.example",), "low", "unknown: whether the firewall firewall-1 filters (why)"),
    ],
)
def test_a_firewall_counts_when_it_drops_by_default_and_allows_names(
    filters: bool | None,  # noqa: FBT001 - a column of the table
    names: tuple[str, ...],
    confidence: str | None,
    reason: str,
    findings: Findings,
) -> None:
    found = findings(CHECK, behind_firewall(filters=filters, names=names, reason="why").build())
    assert [f.confidence for f in found] == ([] if confidence is None else [confidence])
    for finding in found:
        assert [fact for fact in finding.evidence if not fact.startswith("witness: ")] == [
            f"rtb-private of subnet-private, 1 interface: route 0.0.0.0/0 to vpce-firewall-1, then nat-1: {reason}",
        ]


@pytest.mark.semantics(34, 122)
def test_a_firewall_behind_the_nat_gateway_counts_too(findings: Findings) -> None:
    b = workload()
    assert len(findings(CHECK, b.build())) == 1
    b.subnet("subnet-public", "10.0.1.0/24")
    b.route("rtb-public", EVERYWHERE, "endpoint", WALL)
    b.subnet("subnet-firewall", "10.0.9.0/28")
    b.route("rtb-firewall", EVERYWHERE, "internet-gateway", "igw-1")
    add_firewall(b)
    assert findings(CHECK, b.build()) == []


def test_the_right_places_are_told_beside_the_wrong_ones(findings: Findings) -> None:
    b = behind_firewall()
    b.subnet("subnet-batch", "10.0.5.0/24")
    b.route("rtb-batch", EVERYWHERE, "nat-gateway", "nat-1")
    b.interface("eni-batch", "subnet-batch", [], "10.0.5.5")
    (found,) = findings(CHECK, b.build())
    assert found.affected == ("eni-batch",)
    assert found.evidence == (
        "rtb-batch of subnet-batch, 1 interface: route 0.0.0.0/0 to nat-1: no firewall on the way",
        "witness: 10.0.5.5 → 1.0.0.1 tcp/22 (from eni-batch; at most)",
        "filtered: rtb-private of subnet-private, 1 interface: the firewall firewall-1 allows 1 name",
    )


@pytest.mark.semantics(33)
@pytest.mark.parametrize(("public", "found"), [("203.0.113.10", 1), ("", 0)])
def test_an_internet_gateway_counts_for_public_addresses(public: str, found: int, findings: Findings) -> None:
    b = routed((EVERYWHERE, "internet-gateway", "igw-1"), public=public)
    assert len(findings(CHECK, b.build())) == found


@pytest.mark.semantics(129)
def test_ipv6_leaves_without_a_firewall_although_ipv4_passes_one(findings: Findings) -> None:
    b = behind_firewall()
    b.interface("eni-app", "subnet-private", [], "10.0.2.10, 2600:1f18::10")
    assert findings(CHECK, b.build()) == []
    b.route("rtb-private", "::/0", "egress-only-gateway", "eigw-1")
    (found,) = findings(CHECK, b.build())
    assert found.evidence[0] == (
        "rtb-private of subnet-private, 1 interface: route ::/0 to eigw-1: no firewall on the way"
    )


@pytest.mark.parametrize(
    ("routes", "found"),
    [
        ([("0.0.0.0/1", "nat-gateway", "nat-1")], 1),
        ([("0.0.0.0/1", "nat-gateway", "nat-1"), ("128.0.0.0/1", "nat-gateway", "nat-1")], 1),
        ([("198.51.100.0/24", "nat-gateway", "nat-1")], 0),
        ([("10.0.0.0/8", "nat-gateway", "nat-1")], 0),
    ],
)
def test_routes_to_more_than_chosen_destinations_count(
    routes: list[tuple[str, TargetKind, str]], found: int, findings: Findings
) -> None:
    assert len(findings(CHECK, routed(*routes).build())) == found


@pytest.mark.semantics(31)
def test_what_is_not_active_leads_nowhere(findings: Findings) -> None:
    b = workload()
    known = b.build().route_tables[b.id("rtb-private")]
    routes = tuple(msgspec.structs.replace(route, active=False) for route in known.routes)
    b.put("route_tables", msgspec.structs.replace(known, routes=routes))
    assert findings(CHECK, b.build()) == []


@pytest.mark.semantics(33, 123)
@pytest.mark.parametrize(("block", "found"), [("off", 1), ("ingress", 1), ("bidirectional", 0)])
def test_blocked_public_access_counts(block: InternetBlock, found: int, findings: Findings) -> None:
    b = workload()
    b.subnet("subnet-public", "10.0.1.0/24", internet_block=block)
    b.route("rtb-public", EVERYWHERE, "internet-gateway", "igw-1")
    assert len(findings(CHECK, b.build())) == found


@pytest.mark.parametrize("role", ["vpc_endpoint", "nat_gateway"])
def test_what_opens_no_connections_needs_no_firewall(role: str, findings: Findings) -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", [], "10.0.1.9", "203.0.113.9", role=role)
    assert findings(CHECK, b.build()) == []


def test_load_balancers_open_no_connections(findings: Findings) -> None:
    b = EstateBuilder()
    b.put("workloads", Workload(id=b.id("lb-1"), kind="application-load-balancer", region="eu-west-1"))
    b.interface("eni-lb", "subnet-public", [], "10.0.1.9", "203.0.113.9", workload=b.id("lb-1"))
    assert findings(CHECK, b.build()) == []


def test_groups_do_not_decide_about_routes(findings: Findings) -> None:
    b = EstateBuilder()
    b.group("sg-closed", allow("egress", "tcp/443", "10.0.0.0/16"))
    b.interface("eni-app", "subnet-private", ["sg-closed"])
    assert len(findings(CHECK, b.build())) == 1


def test_a_gateway_endpoint_is_no_way_to_the_internet_and_no_filter(findings: Findings) -> None:
    b = routed(("pl-s3", "endpoint", "vpce-s3"))
    b.prefix_list("pl-s3", "52.92.0.0/17", any_tenant=True)
    b.endpoint("vpce-s3", "s3")
    assert findings(CHECK, b.build()) == []


@pytest.mark.parametrize("read", [True, False])
def test_an_endpoint_of_a_service_that_was_not_read_is_no_appliance(
    read: bool,  # noqa: FBT001 - a parameter of the test
    findings: Findings,
) -> None:
    b = routed(("pl-s3", "endpoint", "vpce-s3"))
    b.prefix_list("pl-s3", "52.92.0.0/17", any_tenant=True, read=read)
    assert findings(CHECK, b.build()) == []


# What is not followed, and what was not read.


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("interface", "unknown: eni-proxy was not read"),
        ("unknown", "unknown: where eni-proxy leads is not known"),
    ],
)
@pytest.mark.semantics(35)
def test_what_cannot_be_followed_is_told_with_low_confidence(kind: TargetKind, reason: str, findings: Findings) -> None:
    (found,) = findings(CHECK, routed((EVERYWHERE, kind, "eni-proxy")).build())
    assert found.confidence == "low"
    assert found.message == (
        "1 subnet with workloads in vpc-1 may reach the internet without a firewall that allows by name"
    )
    assert found.evidence[0].endswith(reason)


def test_appliances_behind_an_endpoint_may_filter_by_name(findings: Findings) -> None:
    b = behind_firewall()
    b.put("firewalls", msgspec.structs.replace(b.build().firewalls[b.id("firewall-1")], endpoints=frozenset()))
    b.put(
        "endpoints",
        Endpoint(
            id=b.id(WALL), kind="vpc-endpoint", region="eu-west-1", network=b.id("vpc-1"), usable=True,
            type="gateway-load-balancer", service="appliances", subnets=frozenset({b.id("subnet-firewall")}),
        ),
    )  # fmt: skip
    (found,) = findings(CHECK, b.build())
    assert found.confidence == "low"
    assert found.evidence[0].endswith("unknown: whether the appliances behind vpce-firewall-1 filter by name")


def test_routes_that_were_not_read_may_lead_out(findings: Findings) -> None:
    b = workload(unread=("routes",))
    b.put("route_tables", msgspec.structs.replace(b.build().route_tables[b.id("rtb-private")], subnets=frozenset()))
    (found,) = findings(CHECK, b.build())
    assert found.confidence == "low"
    assert found.evidence[0].startswith("unread routes of subnet-private, 1 interface: ")


def test_interfaces_that_were_not_read_may_stand_in_any_subnet(findings: Findings) -> None:
    (found,) = findings(CHECK, EstateBuilder(unread=["interfaces"]).build())
    assert found.evidence[0].startswith("rtb-private of subnet-private, interfaces that were not read: ")
    assert found.affected == ()


def test_an_interface_of_which_the_public_address_was_not_read_may_get_out(findings: Findings) -> None:
    b = routed((EVERYWHERE, "internet-gateway", "igw-1"))
    b.interface("eni-app", "subnet-private", [], public_unlisted=None)
    assert [f.confidence for f in findings(CHECK, b.build())] == ["low"]


# Behind a transit gateway.


def central(*, names: tuple[str, ...]) -> EstateBuilder:
    b = EstateBuilder()
    b.subnet("subnet-app", "10.0.3.0/24", zone="eu-west-1a")
    b.route("rtb-app", EVERYWHERE, "transit-gateway", "tgw-1")
    b.interface("eni-app", "subnet-app", [], "10.0.3.5")
    add_transit_gateway(b)
    add_attachment(b, "att-1", "vpc-1", subnets=("subnet-app",))
    add_attachment(b, "att-9", "vpc-9", subnets=("subnet-attach",))
    add_transit_table(b, static=[(EVERYWHERE, "att-9")])
    b.network("vpc-9", "10.9.0.0/16")
    for own, cidr in (("attach", "10.9.0.0/28"), ("firewall", "10.9.1.0/28"), ("nat", "10.9.2.0/28")):
        b.subnet(f"subnet-{own}", cidr, "vpc-9", zone="eu-west-1a")
    ends = frozenset({b.id("vpc-9")})
    b.put(
        "gateways",
        Gateway(id=b.id("igw-9"), kind="internet-gateway", region="eu-west-1", networks=ends, public=True),
    )
    b.put(
        "gateways",
        Gateway(
            id=b.id("nat-9"), kind="nat-gateway", region="eu-west-1", networks=ends, subnet=b.id("subnet-nat"),
            public=True,
        ),
    )  # fmt: skip
    b.route("rtb-attach", EVERYWHERE, "endpoint", WALL)
    b.route("rtb-firewall", EVERYWHERE, "nat-gateway", "nat-9")
    b.route("rtb-nat", EVERYWHERE, "internet-gateway", "igw-9")
    add_firewall(b, network="vpc-9", names=names)
    return b


@pytest.mark.semantics(38)
def test_a_central_firewall_behind_a_transit_gateway_counts(findings: Findings) -> None:
    assert findings(CHECK, central(names=("a.example",)).build()) == []
    (found,) = findings(CHECK, central(names=()).build())
    assert (found.resource.id, found.confidence) == ("vpc-1", "high")
    assert found.evidence[0] == (
        "rtb-app of subnet-app, 1 interface: route 0.0.0.0/0 to tgw-1, then att-9, vpce-firewall-1, nat-9: "
        "the firewall firewall-1 filters by addresses and has no allow-list of names"
    )


def test_many_ways_are_counted(findings: Findings) -> None:
    b = EstateBuilder()
    for number in range(12):
        b.subnet(f"subnet-{number}", f"10.0.{20 + number}.0/24")
        b.route(f"rtb-{number}", EVERYWHERE, "nat-gateway", "nat-1")
        b.interface(f"eni-{number}", f"subnet-{number}", [], f"10.0.{20 + number}.5")
    (found,) = findings(CHECK, b.build())
    assert found.message.startswith("12 subnets with workloads in vpc-1 reach")
    assert found.evidence[-2] == "2 more ways of the kind"
