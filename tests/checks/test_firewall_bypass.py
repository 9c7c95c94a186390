"""The reference architectures of network firewalls are no bypass; each of them with one route wrong is one.

https://docs.aws.amazon.com/network-firewall/latest/developerguide/architectures.html
"""

from collections.abc import Callable

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_routes import (
    add_attachment,
    add_edge_table,
    add_firewall,
    add_transit_gateway,
    add_transit_table,
    endpoint_of,
)
from cloudseg.checks.firewall_bypass import CHECK
from cloudseg.findings import Finding, Severity
from cloudseg.model import Endpoint, Gateway, Interface, TargetKind, Workload

Findings = Callable[..., list[Finding]]
WALL = endpoint_of("firewall-1")
EVERYWHERE = "0.0.0.0/0"


def around(found: list[Finding]) -> list[str]:
    return [text.removeprefix("around: ") for f in found for text in f.evidence if text.startswith("around: ")]


def add_gateway(b: EstateBuilder, own: str, network: str) -> None:
    b.put(
        "gateways",
        Gateway(
            id=b.id(own), kind="internet-gateway", region="eu-west-1", networks=frozenset({b.id(network)}), public=True
        ),
    )


def distributed() -> EstateBuilder:
    """A firewall at the internet gateway of a network, before public workloads and before the NAT gateway."""
    b = EstateBuilder()
    b.subnet("subnet-firewall", "10.0.9.0/28")
    b.route("rtb-firewall", EVERYWHERE, "internet-gateway", "igw-1")
    b.subnet("subnet-public", "10.0.1.0/24")
    b.route("rtb-public", EVERYWHERE, "endpoint", WALL)
    add_firewall(b)
    add_edge_table(b, "rtb-edge", "igw-1", [("10.0.1.0/24", "endpoint", WALL)])
    b.interface("eni-web", "subnet-public", [], "10.0.1.5", "203.0.113.5")
    b.interface("eni-app", "subnet-private", [], "10.0.2.5")
    return b


def before_nat() -> EstateBuilder:
    """A firewall between workloads and the NAT gateway."""
    b = EstateBuilder()
    b.subnet("subnet-firewall", "10.0.9.0/28")
    b.route("rtb-firewall", EVERYWHERE, "nat-gateway", "nat-1")
    b.subnet("subnet-private", "10.0.2.0/24")
    b.route("rtb-private", EVERYWHERE, "endpoint", WALL)
    b.route("rtb-public", "10.0.2.0/24", "endpoint", WALL)
    add_firewall(b)
    b.interface("eni-app", "subnet-private", [], "10.0.2.5")
    return b


def centralised() -> EstateBuilder:
    """Two spokes behind a transit gateway, and a network for inspection with the firewall and the NAT gateway.

    Spokes send everything to the inspection network; from there the firewall lets it out, or on to the other spoke.
    """
    b = EstateBuilder()
    add_transit_gateway(b)
    b.network("vpc-inspection", "10.100.0.0/16")
    add_gateway(b, "igw-100", "vpc-inspection")
    for own, cidr in (("attach", "10.100.0.0/28"), ("firewall", "10.100.1.0/28"), ("nat", "10.100.2.0/28")):
        b.subnet(f"subnet-{own}", cidr, "vpc-inspection", zone="eu-west-1a")
    b.put(
        "gateways",
        Gateway(
            id=b.id("nat-100"), kind="nat-gateway", region="eu-west-1", networks=frozenset({b.id("vpc-inspection")}),
            subnet=b.id("subnet-nat"), public=True,
        ),
    )  # fmt: skip
    b.route("rtb-attach", EVERYWHERE, "endpoint", WALL)
    b.route("rtb-firewall", EVERYWHERE, "nat-gateway", "nat-100")
    b.route("rtb-firewall", "10.0.0.0/8", "transit-gateway", "tgw-1")
    b.route("rtb-nat", EVERYWHERE, "internet-gateway", "igw-100")
    b.route("rtb-nat", "10.0.0.0/8", "endpoint", WALL)
    add_firewall(b, network="vpc-inspection")
    add_attachment(b, "att-inspection", "vpc-inspection", table="tgw-rtb-back", subnets=("subnet-attach",))
    add_transit_table(b, "tgw-rtb-spokes", static=[(EVERYWHERE, "att-inspection")])
    add_transit_table(b, "tgw-rtb-back", propagated=[("10.1.0.0/16", "att-1"), ("10.2.0.0/16", "att-2")])
    for number in (1, 2):
        network, subnet = f"vpc-spoke-{number}", f"subnet-spoke-{number}"
        b.network(network, f"10.{number}.0.0/16")
        b.subnet(subnet, f"10.{number}.1.0/24", network, zone="eu-west-1a")
        b.route(f"rtb-spoke-{number}", EVERYWHERE, "transit-gateway", "tgw-1")
        b.interface(f"eni-spoke-{number}", subnet, [], f"10.{number}.1.5")
        b.put("interfaces", in_network(b, f"eni-spoke-{number}", network))
        add_attachment(b, f"att-{number}", network, table="tgw-rtb-spokes", subnets=(subnet,))
    return b


def in_network(b: EstateBuilder, own: str, network: str) -> Interface:
    return msgspec.structs.replace(b.build().interfaces[b.id(own)], network=b.id(network))


def replaced_route(b: EstateBuilder, table: str, network: str, *routes: tuple[str, TargetKind, str]) -> None:
    """Give the table of a subnet new routes beside the local one."""
    subnet = table.replace("rtb", "subnet")
    known = b.build().subnets[b.id(subnet)]
    b.subnet(subnet, str(known.addresses), network, zone=known.zone)
    for route in routes:
        b.route(table, *route)


@pytest.mark.parametrize("architecture", [distributed, before_nat, centralised])
def test_the_reference_architectures_are_no_bypass(
    architecture: Callable[[], EstateBuilder], findings: Findings
) -> None:
    assert findings(CHECK, architecture().build()) == []


def test_workloads_of_a_protected_network_that_route_straight_out_are_named(findings: Findings) -> None:
    b = distributed()
    b.subnet("subnet-batch", "10.0.5.0/24")
    b.route("rtb-batch", EVERYWHERE, "internet-gateway", "igw-1")
    b.interface("eni-batch", "subnet-batch", [], "10.0.5.5", "203.0.113.9")
    (found,) = findings(CHECK, b.build())
    assert (found.severity, found.confidence, found.affected) == (Severity.HIGH, "high", ("eni-batch",))
    assert around([found]) == ["rtb-batch of subnet-batch, 1 interface: route 0.0.0.0/0 to igw-1"]
    assert [text for text in found.evidence if text.startswith("through")] == [
        "through the firewall firewall-1: rtb-private of subnet-private, 1 interface, IPv4",
        "through the firewall firewall-1: rtb-public of subnet-public, 1 interface, IPv4",
    ]


def test_a_private_address_does_not_get_past_the_firewall_by_an_internet_gateway(findings: Findings) -> None:
    b = distributed()
    b.subnet("subnet-batch", "10.0.5.0/24")
    b.route("rtb-batch", EVERYWHERE, "internet-gateway", "igw-1")
    b.interface("eni-batch", "subnet-batch", [], "10.0.5.5")
    assert findings(CHECK, b.build()) == []


@pytest.mark.parametrize("role", ["nat_gateway", "gateway_load_balancer_endpoint"])
def test_what_opens_no_connections_goes_around_nothing(role: str, findings: Findings) -> None:
    b = before_nat()
    b.interface("eni-plumbing", "subnet-public", [], "10.0.1.9", "203.0.113.9", role=role)
    assert findings(CHECK, b.build()) == []


def test_a_public_load_balancer_before_the_firewall_opens_no_connections(findings: Findings) -> None:
    b = before_nat()
    b.put("workloads", Workload(id=b.id("lb-1"), kind="application-load-balancer", region="eu-west-1"))
    b.interface("eni-lb", "subnet-public", [], "10.0.1.9", "203.0.113.9", workload=b.id("lb-1"))
    b.route("rtb-private", "10.0.1.0/24", "endpoint", WALL)
    assert findings(CHECK, b.build()) == []


def test_packets_of_a_load_balancer_pass_the_firewall_and_the_answers_do_not(findings: Findings) -> None:
    b = before_nat()
    b.put("workloads", Workload(id=b.id("lb-1"), kind="application-load-balancer", region="eu-west-1"))
    b.interface("eni-lb", "subnet-public", [], "10.0.1.9", "203.0.113.9", workload=b.id("lb-1"))
    (found,) = findings(CHECK, b.build())
    assert found.severity is Severity.HIGH
    assert around([found]) == [
        "subnet-private to subnet-public by route 10.0.0.0/16 to local, while packets the other way pass the firewall"
    ]


def test_the_families_of_a_connection_are_not_mixed(findings: Findings) -> None:
    b = before_nat()
    b.subnet("subnet-public", "10.0.1.0/24, 2001:db8:1::/64")
    b.route("rtb-public", EVERYWHERE, "internet-gateway", "igw-1")
    b.route("rtb-public", "10.0.2.0/24", "endpoint", WALL)
    b.route("rtb-private", "10.0.1.0/24", "endpoint", WALL)
    b.route("rtb-private", "2001:db8:1::/64", "local", "vpc-1")
    b.put("workloads", Workload(id=b.id("lb-1"), kind="application-load-balancer", region="eu-west-1"))
    b.interface("eni-lb", "subnet-public", [], "10.0.1.9", workload=b.id("lb-1"))
    assert findings(CHECK, b.build()) == []


def test_ipv6_beside_the_firewall_counts(findings: Findings) -> None:
    b = before_nat()
    b.interface("eni-app", "subnet-private", [], "10.0.2.5, 2600:1f18::5")
    assert findings(CHECK, b.build()) == []
    b.route("rtb-private", "::/0", "egress-only-gateway", "eigw-1")
    (found,) = findings(CHECK, b.build())
    assert around([found]) == ["rtb-private of subnet-private, 1 interface: route ::/0 to eigw-1"]
    assert "through the firewall firewall-1: rtb-private of subnet-private, 1 interface, IPv4" in found.evidence


def test_two_halves_of_the_internet_past_the_firewall_are_ways_around(findings: Findings) -> None:
    b = before_nat()
    b.route("rtb-private", "0.0.0.0/1", "nat-gateway", "nat-1")
    assert len(around(findings(CHECK, b.build()))) == 1


def test_a_few_chosen_addresses_past_the_firewall_are_left_alone(findings: Findings) -> None:
    b = before_nat()
    b.route("rtb-private", "198.51.100.0/24", "nat-gateway", "nat-1")
    assert findings(CHECK, b.build()) == []


def test_an_inactive_route_leads_around_nothing(findings: Findings) -> None:
    b = before_nat()
    b.subnet("subnet-batch", "10.0.5.0/24")
    b.route("rtb-batch", EVERYWHERE, "nat-gateway", "nat-1")
    b.interface("eni-batch", "subnet-batch", [], "10.0.5.5")
    assert len(findings(CHECK, b.build())) == 1
    table = b.build().route_tables[b.id("rtb-batch")]
    routes = tuple(msgspec.structs.replace(route, active=route.kind == "local") for route in table.routes)
    b.put("route_tables", msgspec.structs.replace(table, routes=routes))
    assert findings(CHECK, b.build()) == []


# What comes in.


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ([("10.0.1.0/24", "endpoint", WALL)], []),
        (
            [],
            [
                (
                    "in from igw-1 to subnet-public (10.0.1.0/24): rtb-edge does not lead it to the firewall, "
                    "while what goes out by route 0.0.0.0/0 to vpce-firewall-1 passes it"
                )
            ],
        ),
        (
            [("10.0.1.0/25", "endpoint", WALL)],
            [
                (
                    "in from igw-1 to subnet-public (10.0.1.128/25): rtb-edge does not lead it to the firewall, "
                    "while what goes out by route 0.0.0.0/0 to vpce-firewall-1 passes it"
                )
            ],
        ),
    ],
)
def test_the_internet_gateway_must_lead_to_the_firewall_too(
    routes: list[tuple[str, TargetKind, str]], expected: list[str], findings: Findings
) -> None:
    b = distributed()
    add_edge_table(b, "rtb-edge", "igw-1", routes)
    assert around(findings(CHECK, b.build())) == expected


def test_replies_to_what_came_in_by_the_firewall_must_go_out_by_it(findings: Findings) -> None:
    b = distributed()
    b.subnet("subnet-web", "10.0.6.0/24")
    b.route("rtb-web", EVERYWHERE, "internet-gateway", "igw-1")
    b.put("workloads", Workload(id=b.id("lb-1"), kind="network-load-balancer", region="eu-west-1"))
    b.interface("eni-lb", "subnet-web", [], "10.0.6.9", "203.0.113.9", workload=b.id("lb-1"))
    assert findings(CHECK, b.build()) == [], "nothing is led to the firewall for that subnet"
    edge: list[tuple[str, TargetKind, str]] = [(f"10.0.{n}.0/24", "endpoint", WALL) for n in (1, 6)]
    add_edge_table(b, "rtb-edge", "igw-1", edge)
    assert around(findings(CHECK, b.build())) == [
        "replies of subnet-web by route 0.0.0.0/0 to igw-1, while rtb-edge leads what comes in to the firewall"
    ]


def test_a_gateway_table_that_was_not_read_may_lead_to_the_firewall(findings: Findings) -> None:
    def found(*unread: str) -> list[str]:
        b = EstateBuilder(unread=unread)
        b.subnet("subnet-firewall", "10.0.9.0/28")
        b.route("rtb-firewall", EVERYWHERE, "internet-gateway", "igw-1")
        b.subnet("subnet-web", "10.0.3.0/24")
        b.route("rtb-web", EVERYWHERE, "endpoint", WALL)
        add_firewall(b)
        b.interface("eni-web", "subnet-web", [], "10.0.3.5", "203.0.113.5")
        return [f.confidence for f in findings(CHECK, b.build())]

    assert found() == ["high"]
    assert found("routes") == ["low"]


# Replies.


def test_replies_of_the_nat_gateway_must_come_back_by_the_firewall(findings: Findings) -> None:
    b = before_nat()
    replaced_route(b, "rtb-public", "vpc-1", (EVERYWHERE, "internet-gateway", "igw-1"))
    (found,) = findings(CHECK, b.build())
    assert (found.severity, found.confidence) == (Severity.HIGH, "high")
    assert around([found]) == [
        "replies to subnet-private from nat-1 by route 10.0.0.0/16 to local, while requests pass the firewall"
    ]


def test_replies_of_the_central_nat_gateway_must_come_back_by_the_firewall(findings: Findings) -> None:
    b = centralised()
    replaced_route(
        b, "rtb-nat", "vpc-inspection",
        (EVERYWHERE, "internet-gateway", "igw-100"), ("10.0.0.0/8", "transit-gateway", "tgw-1"),
    )  # fmt: skip
    (found,) = findings(CHECK, b.build())
    assert found.resource.id == "vpc-inspection"
    assert around([found]) == [
        f"replies to subnet-spoke-{n} from nat-100 by route 10.0.0.0/8 to tgw-1, then att-{n}, "
        "while requests pass the firewall"
        for n in (1, 2)
    ]


# Behind one transit gateway.


def test_a_spoke_with_an_internet_gateway_of_its_own_goes_around_the_central_firewall(findings: Findings) -> None:
    b = centralised()
    add_gateway(b, "igw-2", "vpc-spoke-2")
    b.subnet("subnet-dmz", "10.2.7.0/24", "vpc-spoke-2", zone="eu-west-1a")
    b.route("rtb-dmz", EVERYWHERE, "internet-gateway", "igw-2")
    b.interface("eni-dmz", "subnet-dmz", [], "10.2.7.5", "203.0.113.7")
    b.put("interfaces", in_network(b, "eni-dmz", "vpc-spoke-2"))
    (found,) = findings(CHECK, b.build())
    assert (found.resource.id, found.severity) == ("vpc-spoke-2", Severity.HIGH)
    assert around([found]) == ["rtb-dmz of subnet-dmz, 1 interface: route 0.0.0.0/0 to igw-2"]


def test_a_network_of_which_nothing_passes_the_firewall_of_its_neighbours_counts_less(findings: Findings) -> None:
    b = centralised()
    b.interface("eni-app", "subnet-private", [], "10.0.2.5")
    assert findings(CHECK, b.build()) == [], "the network is not attached"
    add_attachment(b, "att-0", "vpc-1", table="tgw-rtb-spokes", subnets=("subnet-private",))
    (found,) = findings(CHECK, b.build())
    assert (found.resource.id, found.severity) == ("vpc-1", Severity.MEDIUM)
    assert found.message == ("1 way of vpc-1 leads around the firewall firewall-1, which its neighbours send through")


def peered_spokes() -> EstateBuilder:
    b = centralised()
    b.peering("pcx-1", "vpc-spoke-2")
    known = b.build().peerings[b.id("pcx-1")]
    b.put("peerings", msgspec.structs.replace(known, networks=(b.id("vpc-spoke-1"), b.id("vpc-spoke-2"))))
    b.route("rtb-spoke-1", "10.2.0.0/16", "peering", "pcx-1")
    b.route("rtb-spoke-2", "10.1.0.0/16", "peering", "pcx-1")
    return b


def test_a_peering_beside_the_firewall_between_networks_is_a_way_around(findings: Findings) -> None:
    assert [(f.resource.id, f.severity, around([f])) for f in findings(CHECK, peered_spokes().build())] == [
        (
            f"vpc-spoke-{here}",
            Severity.HIGH,
            [
                (
                    f"subnet-spoke-{here} to vpc-spoke-{there} by route 10.{there}.0.0/16 to pcx-1, "
                    "while other packets between networks pass the firewall"
                )
            ],
        )
        for here, there in ((1, 2), (2, 1))
    ]


def test_a_peering_is_no_way_around_where_the_transit_gateway_leads_straight_as_well(findings: Findings) -> None:
    b = peered_spokes()
    both = [("10.1.0.0/16", "att-1"), ("10.2.0.0/16", "att-2")]
    add_transit_table(b, "tgw-rtb-spokes", static=[(EVERYWHERE, "att-inspection")], propagated=both)
    assert findings(CHECK, b.build()) == []


def test_one_direction_past_the_central_firewall_is_a_way_around(findings: Findings) -> None:
    b = centralised()
    add_attachment(b, "att-2", "vpc-spoke-2", table="tgw-rtb-straight", subnets=("subnet-spoke-2",))
    straight = [("10.1.0.0/16", "att-1"), (EVERYWHERE, "att-inspection")]
    add_transit_table(b, "tgw-rtb-straight", static=straight)
    (found,) = findings(CHECK, b.build())
    assert found.resource.id == "vpc-spoke-2"
    assert around([found]) == [
        (
            "subnet-spoke-2 to subnet-spoke-1 by route 0.0.0.0/0 to tgw-1, then att-1, "
            "while packets the other way pass the firewall"
        )
    ]


# Firewalls that do not filter, that nothing leads to, that were not read.


@pytest.mark.parametrize(
    ("filters", "severity"), [(True, Severity.HIGH), (None, Severity.HIGH), (False, Severity.MEDIUM)]
)
def test_around_a_firewall_that_stops_nothing_counts_less(
    filters: bool | None,  # noqa: FBT001 - a column of the table
    severity: Severity,
    findings: Findings,
) -> None:
    b = before_nat()
    add_firewall(b, filters=filters)
    b.subnet("subnet-batch", "10.0.5.0/24")
    b.route("rtb-batch", EVERYWHERE, "nat-gateway", "nat-1")
    b.interface("eni-batch", "subnet-batch", [], "10.0.5.5")
    (found,) = findings(CHECK, b.build())
    assert (found.severity, found.confidence) == (severity, "high")
    assert ("unknown: whether the firewall firewall-1 filters" in found.evidence) is (filters is None)


def test_a_firewall_to_which_no_route_leads_is_gone_around_by_everybody(findings: Findings) -> None:
    b = EstateBuilder()
    b.interface("eni-app", "subnet-private", [], "10.0.2.5")
    add_firewall(b)
    (found,) = findings(CHECK, b.build())
    assert found.severity is Severity.HIGH
    assert "no route leads to the firewall firewall-1" in found.evidence


def test_what_leaves_past_a_firewall_for_what_comes_in_counts_less(findings: Findings) -> None:
    b = distributed()
    replaced_route(b, "rtb-private", "vpc-1", (EVERYWHERE, "nat-gateway", "nat-2"))
    b.put("interfaces", in_network(b, "eni-web", "vpc-elsewhere"))
    b.subnet("subnet-nat", "10.0.7.0/24")
    b.route("rtb-nat", EVERYWHERE, "internet-gateway", "igw-1")
    b.put(
        "gateways",
        msgspec.structs.replace(b.build().gateways[b.id("nat-1")], id=b.id("nat-2"), subnet=b.id("subnet-nat")),
    )
    (found,) = findings(CHECK, b.build())
    assert found.severity is Severity.MEDIUM
    assert around([found]) == ["rtb-private of subnet-private, 1 interface: route 0.0.0.0/0 to nat-2"]


def test_appliances_behind_an_endpoint_may_be_a_firewall(findings: Findings) -> None:
    b = before_nat()
    b.put("firewalls", msgspec.structs.replace(b.build().firewalls[b.id("firewall-1")], endpoints=frozenset()))
    b.put("firewalls", msgspec.structs.replace(b.build().firewalls[b.id("firewall-1")], network=b.id("vpc-other")))
    b.put(
        "endpoints",
        Endpoint(
            id=b.id(WALL), kind="vpc-endpoint", region="eu-west-1", network=b.id("vpc-1"), usable=True,
            type="gateway-load-balancer", service="appliances", subnets=frozenset({b.id("subnet-firewall")}),
        ),
    )  # fmt: skip
    assert findings(CHECK, b.build()) == []
    b.subnet("subnet-batch", "10.0.5.0/24")
    b.route("rtb-batch", EVERYWHERE, "nat-gateway", "nat-1")
    b.interface("eni-batch", "subnet-batch", [], "10.0.5.5")
    (found,) = findings(CHECK, b.build())
    assert found.message == "1 way of vpc-1 leads around the appliances behind vpce-firewall-1"
    assert found.confidence == "medium"


def test_interfaces_that_were_not_read_may_stand_in_any_subnet(findings: Findings) -> None:
    b = EstateBuilder(unread=["interfaces"])
    b.subnet("subnet-firewall", "10.0.9.0/28")
    b.route("rtb-firewall", EVERYWHERE, "nat-gateway", "nat-1")
    b.subnet("subnet-private", "10.0.2.0/24")
    b.route("rtb-private", EVERYWHERE, "endpoint", WALL)
    b.route("rtb-public", "10.0.2.0/24", "endpoint", WALL)
    b.subnet("subnet-batch", "10.0.5.0/24")
    b.route("rtb-batch", EVERYWHERE, "nat-gateway", "nat-1")
    add_firewall(b)
    (found,) = findings(CHECK, b.build())
    assert any("rtb-batch of subnet-batch, interfaces that were not read" in text for text in around([found]))


def test_many_ways_around_are_counted(findings: Findings) -> None:
    b = before_nat()
    for number in range(12):
        b.subnet(f"subnet-{number}", f"10.0.{20 + number}.0/24")
        b.route(f"rtb-{number}", EVERYWHERE, "nat-gateway", "nat-1")
        b.interface(f"eni-{number}", f"subnet-{number}", [], f"10.0.{20 + number}.5")
    (found,) = findings(CHECK, b.build())
    assert found.message == "12 ways of vpc-1 lead around the firewall firewall-1"
    assert len(around([found])) == 10
    assert "2 more ways around" in found.evidence
    assert len(found.affected) == 12
