"""Who may send anything to anywhere, over which way out."""

from collections.abc import Callable

import pytest

from cloudseg.checks.example_estates import ACL_OPEN, EstateBuilder, acl_entry, allow
from cloudseg.checks.unrestricted_egress import CHECK
from cloudseg.findings import Finding
from cloudseg.model import Direction, Firewall, InternetBlock, Rule, TargetKind

Findings = Callable[..., list[Finding]]
DIRECTIONS: tuple[Direction, ...] = ("ingress", "egress")
ACL_OPEN_V6 = tuple(acl_entry(way, 101, "all", "::/0") for way in DIRECTIONS)


def application(*rules: Rule, address: str = "10.0.2.10") -> EstateBuilder:
    b = EstateBuilder()
    b.group("sg-app", *(rules or (allow("egress", "all", "0.0.0.0/0"),)))
    b.interface("eni-app", "subnet-private", ["sg-app"], address)
    return b


def firewall(b: EstateBuilder, *, filters: bool | None) -> None:
    b.put(
        "firewalls",
        Firewall(
            id=b.id("fw-1"),
            kind="network-firewall",
            region="eu-west-1",
            network=b.id("vpc-1"),
            subnets=frozenset({b.id("subnet-public")}),
            endpoints=frozenset({b.id("vpce-fw")}),
            filters=filters,
            reason="no default drop",
        ),
    )


@pytest.mark.parametrize(
    ("traffic", "peers", "found"),
    [
        ("all", ["0.0.0.0/0"], True),
        ("tcp/1-65535", ["0.0.0.0/1", "128.0.0.0/1"], True),
        ("udp", ["0.0.0.0/0"], True),
        ("tcp/0-1023", ["0.0.0.0/0"], False),
        ("all", ["0.0.0.0/1"], False),
        ("all", ["10.0.0.0/8"], False),
        ("all", ["::/0"], False),
        ("esp", ["0.0.0.0/0"], False),
    ],
)
@pytest.mark.semantics(201, 203)
def test_everything_to_most_of_the_internet(traffic: str, peers: list[str], found: bool, findings: Findings) -> None:  # noqa: FBT001 - a column of the table
    b = application(*(allow("egress", traffic, peer) for peer in peers))
    assert bool(findings(CHECK, b.build())) is found


def test_port_ranges_of_several_rules_add_up(findings: Findings) -> None:
    b = application(allow("egress", "tcp/0-30000", "0.0.0.0/0"), allow("egress", "tcp/30001-65535", "0.0.0.0/0"))
    assert len(findings(CHECK, b.build())) == 1


@pytest.mark.semantics(3, 214)
def test_ingress_rules_let_nothing_out(findings: Findings) -> None:
    assert findings(CHECK, application(allow("ingress", "all", "0.0.0.0/0")).build()) == []


@pytest.mark.semantics(34)
def test_a_nat_gateway_leads_out_only_where_its_own_subnet_does(findings: Findings) -> None:
    b = application()
    assert len(findings(CHECK, b.build())) == 1
    b.subnet("subnet-public", "10.0.1.0/24")
    assert findings(CHECK, b.build()) == []


@pytest.mark.semantics(122)
@pytest.mark.parametrize(("filters", "confidence"), [(True, None), (False, "high"), (None, "low")])
def test_a_firewall_counts_by_what_its_policy_does(
    filters: bool | None,  # noqa: FBT001 - a column of the table
    confidence: str | None,
    findings: Findings,
) -> None:
    b = application()
    b.subnet("subnet-private", "10.0.2.0/24")
    b.route("rtb-private", "0.0.0.0/0", "endpoint", "vpce-fw")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10", "203.0.113.10")
    firewall(b, filters=filters)
    assert [found.confidence for found in findings(CHECK, b.build())] == ([] if confidence is None else [confidence])


@pytest.mark.semantics(34, 122)
def test_a_firewall_behind_the_nat_gateway_counts_too(findings: Findings) -> None:
    b = application()
    b.subnet("subnet-public", "10.0.1.0/24")
    b.route("rtb-public", "0.0.0.0/0", "endpoint", "vpce-fw")
    firewall(b, filters=True)
    assert findings(CHECK, b.build()) == []


@pytest.mark.parametrize("kind", ["transit-gateway", "private-gateway", "interface", "unknown"])
def test_what_is_not_followed_is_told_with_low_confidence(kind: TargetKind, findings: Findings) -> None:
    b = application()
    b.subnet("subnet-private", "10.0.2.0/24")
    b.route("rtb-private", "0.0.0.0/0", kind, "x-1")
    assert [found.confidence for found in findings(CHECK, b.build())] == ["low"]


@pytest.mark.semantics(36, 37)
def test_a_peering_leads_to_no_internet(findings: Findings) -> None:
    b = application()
    b.subnet("subnet-private", "10.0.2.0/24")
    b.route("rtb-private", "0.0.0.0/0", "peering", "pcx-1")
    assert findings(CHECK, b.build()) == []


@pytest.mark.semantics(33, 123)
@pytest.mark.parametrize(("block", "found"), [("off", 1), ("ingress", 1), ("bidirectional", 0)])
def test_blocked_public_access_keeps_nat_in_ingress_mode_alone(
    block: InternetBlock, found: int, findings: Findings
) -> None:
    b = application()
    b.subnet("subnet-private", "10.0.2.0/24", internet_block=block)
    b.route("rtb-private", "0.0.0.0/0", "nat-gateway", "nat-1")
    b.acl("acl-1", ["subnet-private"], ACL_OPEN)
    assert len(findings(CHECK, b.build())) == found


@pytest.mark.semantics(33, 123)
def test_blocked_public_access_cuts_a_public_address(findings: Findings) -> None:
    b = application()
    b.subnet("subnet-x", "10.0.5.0/24", internet_block="ingress")
    b.route("rtb-x", "0.0.0.0/0", "internet-gateway", "igw-1")
    b.interface("eni-app", "subnet-x", ["sg-app"], "10.0.5.10", "203.0.113.10")
    assert findings(CHECK, b.build()) == []


@pytest.mark.semantics(24)
def test_an_acl_that_lets_only_web_traffic_out_restricts(findings: Findings) -> None:
    b = application()
    out = acl_entry("egress", 100, "tcp/443", "0.0.0.0/0")
    b.acl("acl-1", ["subnet-private", "subnet-public"], (acl_entry("ingress", 100, "all", "0.0.0.0/0"), out))
    assert findings(CHECK, b.build()) == []


@pytest.mark.semantics(33, 129)
def test_ipv6_leaves_by_an_egress_only_gateway(findings: Findings) -> None:
    b = application(allow("egress", "all", "::/0"), address="10.0.2.10, 2600:1f18::10")
    v6 = (acl_entry("ingress", 101, "all", "::/0"), acl_entry("egress", 101, "all", "::/0"))
    b.acl("acl-1", ["subnet-private", "subnet-public"], (*ACL_OPEN, *v6))
    assert findings(CHECK, b.build()) == []
    b.route("rtb-private", "::/0", "egress-only-gateway", "eigw-1")
    assert [found.confidence for found in findings(CHECK, b.build())] == ["high"]


@pytest.mark.semantics(20)
def test_an_unread_list_may_be_everyone(findings: Findings) -> None:
    b = application(allow("egress", "all", "pl-1"))
    b.prefix_list("pl-1", read=False)
    assert [found.confidence for found in findings(CHECK, b.build())] == ["low"]


def test_a_group_that_was_not_read_may_open_everything(findings: Findings) -> None:
    b = application(allow("egress", "tcp/443", "0.0.0.0/0"))
    b.interface("eni-app", "subnet-private", ["sg-app", "aws:999988887777:eu-west-1:sg-theirs"])
    assert [found.confidence for found in findings(CHECK, b.build())] == ["low"]


def test_endpoints_and_gateways_open_no_connections(findings: Findings) -> None:
    b = EstateBuilder()
    b.group("sg-endpoint", allow("egress", "all", "0.0.0.0/0"))
    b.interface("eni-endpoint", "subnet-private", ["sg-endpoint"], "10.0.2.4", role="vpc_endpoint")
    b.interface("eni-nat", "subnet-public", [], "10.0.1.4", "203.0.113.4", role="nat_gateway")
    assert findings(CHECK, b.build()) == []


def test_the_groups_that_open_most_come_first_and_the_rest_is_counted(findings: Findings) -> None:
    b = EstateBuilder()
    for number in range(12):
        b.group(f"sg-{number:02}", allow("egress", "all", "0.0.0.0/0"))
        b.interface(f"eni-{number:02}", "subnet-private", [f"sg-{number:02}"], f"10.0.2.{number + 10}")
    b.interface("eni-99", "subnet-private", ["sg-07"], "10.0.2.99")
    (found,) = findings(CHECK, b.build())
    assert found.evidence[0] == "opened by sg-07: 2 interfaces"
    assert "opened by 2 more groups" in found.evidence
    assert len(found.affected) == 13


# 64:ff9b::/97 stands for 0.0.0.0/1, 64:ff9b::8000:0/97 for 128.0.0.0/1: RFC 6052 puts the IPv4 address last.
@pytest.mark.parametrize(
    ("peers", "found"),
    [
        (["::/0"], True),
        (["64:ff9b::/96"], True),
        (["64:ff9b::/97", "64:ff9b::8000:0/97"], True),
        (["64:ff9b::/97"], False),
        (["64:ff9b::cb00:7100/120"], False),
        (["64:ff9b:1::/96"], False),
        (["2000::/3"], False),
        (["0.0.0.0/0"], False),
    ],
)
def test_an_ipv6_host_reaches_the_ipv4_internet_over_nat64(
    peers: list[str],
    found: bool,  # noqa: FBT001 - a column of the table
    findings: Findings,
) -> None:
    b = application(*(allow("egress", "all", peer) for peer in peers), address="2600:1f18::10")
    b.route("rtb-private", "64:ff9b::/96", "nat-gateway", "nat-1")
    assert findings(CHECK, b.build()) == [], "the ACL has no IPv6 entries"
    b.acl("acl-1", ["subnet-private", "subnet-public"], (*ACL_OPEN, *ACL_OPEN_V6))
    assert [each.confidence for each in findings(CHECK, b.build())] == (["high"] if found else [])


def test_addresses_of_nat64_come_out_of_a_nat_gateway_alone(findings: Findings) -> None:
    def found(kind: TargetKind, target: str, destination: str = "64:ff9b::/96", address: str = "2600:1f18::10") -> int:
        b = application(allow("egress", "all", "64:ff9b::/96"), address=address)
        b.acl("acl-1", ["subnet-private", "subnet-public"], (*ACL_OPEN, *ACL_OPEN_V6))
        b.route("rtb-private", destination, kind, target)
        return len(findings(CHECK, b.build()))

    assert found("nat-gateway", "nat-1") == 1
    assert found("nat-gateway", "nat-1", "::/0") == 1
    assert found("nat-gateway", "nat-1", "2600::/16") == 0
    assert found("internet-gateway", "igw-1") == 0
    assert found("egress-only-gateway", "eigw-1") == 0
    assert found("nat-gateway", "nat-1", address="10.0.2.10") == 0, "an IPv4 host sends no IPv6"


def test_nat64_needs_the_nat_gateway_to_reach_the_ipv4_internet_itself(findings: Findings) -> None:
    b = application(allow("egress", "all", "::/0"), address="2600:1f18::10")
    b.acl("acl-1", ["subnet-private", "subnet-public"], (*ACL_OPEN, *ACL_OPEN_V6))
    b.route("rtb-private", "64:ff9b::/96", "nat-gateway", "nat-1")
    (found,) = findings(CHECK, b.build())
    assert ("way out: route to nat-1, for IPv4 destinations behind 64:ff9b::/96 (NAT64): 1 interface") in found.evidence
    b.subnet("subnet-public", "10.0.1.0/24")
    assert findings(CHECK, b.build()) == []


def test_a_group_that_nobody_knows_to_be_attached_may_open_everything(findings: Findings) -> None:
    b = application(allow("egress", "tcp/443", "0.0.0.0/0"))
    assert findings(CHECK, b.build()) == []
    b.interface("eni-app", "subnet-private", ["sg-app"], attached_unread=True)
    assert [found.confidence for found in findings(CHECK, b.build())] == ["low"]
