"""The heart of the audit: which group stands for which addresses, worked out by hand."""

from collections.abc import Callable

import msgspec
import pytest

from cloudseg.checks.address_based_rule import CHECK
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.findings import Finding, Severity
from cloudseg.model import Gateway, TransitAttachment

Findings = Callable[..., list[Finding]]


def database(*peers: str, **more: object) -> EstateBuilder:
    """Return a database in ``subnet-db`` (10.0.3.0/24) that admits the peers."""
    b = EstateBuilder(**more)  # type: ignore[arg-type]
    b.subnet("subnet-db", "10.0.3.0/24")
    b.group("sg-db", *(allow("ingress", "tcp/5432", peer) for peer in peers))
    b.interface("eni-db", "subnet-db", ["sg-db"], "10.0.3.9")
    return b


def groups(found: list[Finding]) -> tuple[str, ...]:
    assert len(found) == 1
    assert found[0].remedy is not None
    return found[0].remedy.groups


def test_the_fewest_groups_are_named(findings: Findings) -> None:
    b = database("10.0.2.0/24")
    for group in ("sg-a", "sg-b", "sg-both"):
        b.group(group)
    b.interface("eni-1", "subnet-private", ["sg-a", "sg-both"], "10.0.2.10")
    b.interface("eni-2", "subnet-private", ["sg-b", "sg-both"], "10.0.2.11")
    assert groups(findings(CHECK, b.build())) == ("sg-both",)


def test_a_group_with_members_outside_the_range_would_add_them_and_is_not_named(findings: Findings) -> None:
    b = database("10.0.2.0/24")
    b.group("sg-app")
    b.group("sg-base")
    b.interface("eni-1", "subnet-private", ["sg-app", "sg-base"], "10.0.2.10")
    b.interface("eni-2", "subnet-private", ["sg-base"], "10.0.2.11")
    b.interface("eni-3", "subnet-public", ["sg-base"], "10.0.1.10")
    found = findings(CHECK, b.build())
    assert groups(found) == ("sg-app",)
    assert "no group has members in the range alone and names eni-2" in found[0].evidence
    assert "sg-base also has members outside the range, so naming it would add them" in found[0].evidence


def test_a_default_group_is_the_second_choice_even_where_it_names_more(findings: Findings) -> None:
    b = database("10.0.2.0/24")
    b.group("sg-default", is_default=True)
    b.group("sg-a")
    b.group("sg-b")
    b.interface("eni-1", "subnet-private", ["sg-a", "sg-default"], "10.0.2.10")
    b.interface("eni-2", "subnet-private", ["sg-b", "sg-default"], "10.0.2.11")
    assert groups(findings(CHECK, b.build())) == ("sg-a", "sg-b")


def test_a_default_group_is_named_where_nothing_else_is_carried(findings: Findings) -> None:
    b = database("10.0.2.0/24")
    b.group("sg-default", is_default=True)
    b.group("sg-a")
    b.interface("eni-1", "subnet-private", ["sg-a"], "10.0.2.10")
    b.interface("eni-2", "subnet-private", ["sg-default"], "10.0.2.11")
    assert groups(findings(CHECK, b.build())) == ("sg-a", "sg-default")


def test_a_group_of_a_controller_is_the_second_choice(findings: Findings) -> None:
    b = database("10.0.2.10/32")
    b.group("sg-a-cluster", managed_by="eks")
    b.group("sg-z-own")
    b.interface("eni-1", "subnet-private", ["sg-a-cluster", "sg-z-own"], "10.0.2.10")
    assert groups(findings(CHECK, b.build())) == ("sg-z-own",)


def test_secondary_addresses_next_to_the_first_one_are_found(findings: Findings) -> None:
    b = database("10.0.2.11/32")
    b.group("sg-app")
    b.interface("eni-1", "subnet-private", ["sg-app"], "10.0.2.10, 10.0.2.11")
    assert groups(findings(CHECK, b.build())) == ("sg-app",)


def test_several_ranges_of_a_list_are_judged_together_without_the_public_ones(findings: Findings) -> None:
    b = database("pl-1")
    b.prefix_list("pl-1", "10.0.1.0/24", "10.0.2.0/24", "203.0.113.0/24", "192.168.0.0/16")
    b.group("sg-web")
    b.group("sg-app")
    b.interface("eni-1", "subnet-public", ["sg-web"], "10.0.1.10")
    b.interface("eni-2", "subnet-private", ["sg-app"], "10.0.2.10")
    assert groups(findings(CHECK, b.build())) == ("sg-app", "sg-web")


@pytest.mark.parametrize("peer", ["0.0.0.0/0", "::/0", "8.0.0.0/5", "203.0.113.10/32", "172.31.0.0/16"])
def test_public_and_foreign_ranges_are_no_subject(peer: str, findings: Findings) -> None:
    b = database(peer)
    b.group("sg-web")
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.10", "203.0.113.10")
    assert findings(CHECK, b.build()) == []


@pytest.mark.semantics(14)
def test_ipv6_that_a_group_would_add_is_said(findings: Findings) -> None:
    b = database("10.0.2.0/24")
    b.group("sg-app")
    b.interface("eni-db", "subnet-db", ["sg-db"], "10.0.3.9, 2600:1f18::9")
    b.interface("eni-1", "subnet-private", ["sg-app"], "10.0.2.10, 2600:1f18::10")
    (found,) = findings(CHECK, b.build())
    assert "1 interface in the range also has an IPv6 address, which a group admits too" in found.evidence
    b.interface("eni-db", "subnet-db", ["sg-db"], "10.0.3.9")
    (found,) = findings(CHECK, b.build())
    assert not any("IPv6" in text for text in found.evidence)


@pytest.mark.semantics(7)
def test_a_peered_network_of_the_same_region_counts(findings: Findings) -> None:
    b = database("10.9.0.0/16")
    b.network("vpc-2", "10.9.0.0/16")
    b.subnet("subnet-far", "10.9.1.0/24", "vpc-2")
    b.peering("pcx-1", "vpc-2")
    b.group("sg-far")
    b.interface("eni-far", "subnet-far", ["sg-far"], "10.9.1.5")
    b.put("interfaces", msgspec.structs.replace(b.build().interfaces[b.id("eni-far")], network=b.id("vpc-2")))
    assert findings(CHECK, b.build()) == [], "no route leads there"
    b.route("rtb-db", "10.9.0.0/16", "peering", "pcx-1")
    assert groups(findings(CHECK, b.build())) == ("sg-far",)


@pytest.mark.semantics(46)
def test_overlapping_addresses_of_a_network_that_is_not_connected_do_not_count(findings: Findings) -> None:
    b = database("10.0.2.0/24")
    b.network("vpc-2", "10.0.0.0/16")
    b.subnet("subnet-far", "10.0.2.0/24", "vpc-2")
    b.group("sg-app")
    b.group("sg-far")
    b.interface("eni-1", "subnet-private", ["sg-app"], "10.0.2.10")
    b.interface("eni-far", "subnet-far", ["sg-far"], "10.0.2.10")
    b.put("interfaces", msgspec.structs.replace(b.build().interfaces[b.id("eni-far")], network=b.id("vpc-2")))
    assert groups(findings(CHECK, b.build())) == ("sg-app",)


@pytest.mark.semantics(10)
def test_an_appliance_on_the_way_of_the_peer_takes_identity_away_too(findings: Findings) -> None:
    b = database("10.0.2.0/24", "10.0.1.0/24")
    b.route("rtb-private", "10.0.3.0/24", "endpoint", "vpce-firewall")
    b.group("sg-app")
    b.group("sg-web")
    b.interface("eni-1", "subnet-private", ["sg-app"], "10.0.2.10")
    b.interface("eni-2", "subnet-public", ["sg-web"], "10.0.1.10")
    (found,) = findings(CHECK, b.build())
    assert found.rule is not None
    assert found.rule.peer == "10.0.1.0/24"


@pytest.mark.semantics(10)
def test_the_part_of_a_range_behind_an_appliance_is_left_out_of_the_groups(findings: Findings) -> None:
    b = database("10.0.0.0/16")
    b.route("rtb-private", "10.0.3.0/24", "endpoint", "vpce-firewall")
    b.group("sg-app")
    b.group("sg-web")
    b.interface("eni-1", "subnet-private", ["sg-app"], "10.0.2.10")
    b.interface("eni-2", "subnet-public", ["sg-web"], "10.0.1.10")
    found = findings(CHECK, b.build())
    assert groups(found) == ("sg-web",), "the only carrier of sg-db is the one that the rule protects"
    assert any("vpce-firewall" in text for text in found[0].evidence)


def transit(*, shares: bool, direction: str = "ingress") -> EstateBuilder:
    b = EstateBuilder()
    b.network("vpc-2", "10.9.0.0/16")
    b.subnet("subnet-far", "10.9.1.0/24", "vpc-2")
    b.subnet("subnet-db", "10.0.3.0/24")
    b.route("rtb-db", "10.0.0.0/8", "transit-gateway", "tgw-1")
    b.put("gateways", Gateway(id=b.id("tgw-1"), kind="transit-gateway", region="eu-west-1", shares_groups=shares))
    for number in (1, 2):
        b.put(
            "transit_attachments",
            TransitAttachment(
                id=b.id(f"tgw-attach-{number}"),
                kind="transit-gateway-attachment-vpc",
                region="eu-west-1",
                gateway=b.id("tgw-1"),
                network=b.id(f"vpc-{number}"),
            ),
        )
    way = "ingress" if direction == "ingress" else "egress"
    b.group("sg-db", allow(way, "tcp/5432", "10.9.0.0/16"))
    b.interface("eni-db", "subnet-db", ["sg-db"], "10.0.3.9")
    return b


@pytest.mark.semantics(7, 11)
def test_over_a_transit_gateway_ingress_counts_where_group_references_are_switched_on(findings: Findings) -> None:
    assert len(findings(CHECK, transit(shares=True).build())) == 1
    assert findings(CHECK, transit(shares=False).build()) == []
    assert findings(CHECK, transit(shares=True, direction="egress").build()) == []


@pytest.mark.semantics(129)
def test_the_own_ipv6_range_of_a_network_is_internal_though_it_is_public(findings: Findings) -> None:
    b = database("2600:1f18:0:100::/56")
    network = b.build().networks[b.id("vpc-1")]
    both = network.addresses | network.addresses.parse("2600:1f18:0:100::/56")
    b.put("networks", msgspec.structs.replace(network, addresses=both))
    b.route("rtb-db", "2600:1f18:0:100::/56", "local", "local")
    b.group("sg-app")
    b.interface("eni-1", "subnet-private", ["sg-app"], "10.0.2.10, 2600:1f18:0:100::5")
    assert groups(findings(CHECK, b.build())) == ("sg-app",)


def test_addresses_of_the_providers_own_interfaces_have_no_group(findings: Findings) -> None:
    b = database("10.0.1.4/32", "10.0.1.8/32")
    b.interface("eni-nat", "subnet-public", [], "10.0.1.4", role="nat_gateway")
    b.interface("eni-nlb", "subnet-public", [], "10.0.1.8", role="network_load_balancer")
    assert findings(CHECK, b.build()) == []


def test_unread_interfaces_keep_the_severity_and_lower_the_confidence(findings: Findings) -> None:
    (found,) = findings(CHECK, database("10.0.2.0/24", unread=["interfaces"]).build())
    assert (found.severity, found.confidence) == (Severity.MEDIUM, "low")


def test_a_rule_of_a_group_that_nobody_carries_is_judged_by_its_network(findings: Findings) -> None:
    b = EstateBuilder()
    b.group("sg-new", allow("ingress", "tcp/22", "10.0.2.0/24"))
    b.group("sg-app")
    b.interface("eni-1", "subnet-private", ["sg-app"], "10.0.2.10")
    assert groups(findings(CHECK, b.build())) == ("sg-app",)


@pytest.mark.semantics(19)
def test_the_weight_of_a_list_against_the_quota_is_said(findings: Findings) -> None:
    b = database("pl-1")
    b.prefix_list("pl-1", "10.0.2.0/24")
    known = b.build().address_lists[b.id("pl-1")]
    b.put("address_lists", msgspec.structs.replace(known, weight=20))
    (found,) = findings(CHECK, b.build())
    assert "the list counts as 20 rules against the quota, a group as one" in found.evidence


def test_a_managed_group_is_reported_and_says_so(findings: Findings) -> None:
    b = EstateBuilder()
    b.group("sg-1", allow("ingress", "tcp/22", "10.0.2.0/24"), managed_by="eks")
    (found,) = findings(CHECK, b.build())
    assert "managed by eks: change it there" in found.evidence


def test_a_load_balancer_without_groups_keeps_its_addresses_in_the_advice(findings: Findings) -> None:
    b = database("10.0.2.0/24")
    b.group("sg-app")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    b.interface("eni-nlb", "subnet-private", [], "10.0.2.20", role="network_load_balancer", managed_by="amazon-elb")
    (found,) = findings(CHECK, b.build())
    assert found.confidence == "medium"
    assert found.message.endswith("where 1 interface of vpc-1 carries sg-app, beside 1 that no group can name")
    assert found.remedy is not None
    assert found.remedy.groups == ("sg-app",)
    assert found.remedy.summary == (
        "name sg-app instead of the addresses; keep 10.0.2.20 for eni-nlb, which no group can name"
    )
    assert (
        "eni-nlb is in the range and carries no group, so naming groups alone would cut it off, health checks included"
    ) in found.evidence


@pytest.mark.parametrize(
    ("role", "public", "direction", "confidence"),
    [
        ("transit_gateway", "", "ingress", "high"),
        ("gateway_load_balancer_endpoint", "", "ingress", "high"),
        ("nat_gateway", "203.0.113.4", "ingress", "high"),
        ("nat_gateway", "", "ingress", "medium"),
        ("nat_gateway", "", "egress", "high"),
        ("network_load_balancer", "", "egress", "medium"),
    ],
    ids=["passes on", "tunnels", "public NAT", "private NAT", "nobody calls NAT", "called balancer"],
)
def test_only_what_uses_its_own_address_is_cut_off(
    role: str, public: str, direction: str, confidence: str, findings: Findings
) -> None:
    b = EstateBuilder()
    b.group("sg-1", allow("egress" if direction == "egress" else "ingress", "tcp/5432", "10.0.2.0/24"))
    b.group("sg-app")
    b.interface("eni-1", "subnet-public", ["sg-1"], "10.0.1.9")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    b.interface("eni-x", "subnet-private", [], "10.0.2.20", public, role=role)
    assert [found.confidence for found in findings(CHECK, b.build())] == [confidence]


def test_the_only_interface_behind_the_rule_is_not_its_own_client(findings: Findings) -> None:
    b = database("10.0.3.0/24")
    (found,) = findings(CHECK, b.build())
    assert groups([found]) == ()
    assert found.severity == Severity.LOW
    assert found.message.endswith("which no other interface of vpc-1 uses")
    b.interface("eni-db2", "subnet-private", ["sg-db"], "10.0.2.9")
    assert groups(findings(CHECK, b.build())) == (), "a member outside the range would be added"
    b.interface("eni-db2", "subnet-db", ["sg-db"], "10.0.3.10")
    assert groups(findings(CHECK, b.build())) == ("sg-db",), "two members may talk to each other"


def test_a_group_that_the_protected_interface_carries_too_is_named_for_the_others(findings: Findings) -> None:
    b = database("10.0.3.0/24")
    b.group("sg-tier")
    b.interface("eni-db", "subnet-db", ["sg-db", "sg-tier"], "10.0.3.9")
    b.interface("eni-app", "subnet-db", ["sg-tier"], "10.0.3.10")
    assert groups(findings(CHECK, b.build())) == ("sg-tier",)


def test_where_carriers_were_not_read_in_full_the_one_known_may_have_company(findings: Findings) -> None:
    b = database("10.0.3.0/24", unread=["interfaces"])
    assert groups(findings(CHECK, b.build())) == ("sg-db",)


def test_an_endpoint_is_called_but_never_calls(findings: Findings) -> None:
    def found(direction: str) -> list[Finding]:
        b = EstateBuilder()
        b.group("sg-1", allow("egress" if direction == "egress" else "ingress", "tcp/443", "10.0.2.0/24"))
        b.group("sg-app")
        b.group("sg-vpce")
        b.interface("eni-1", "subnet-public", ["sg-1"], "10.0.1.9")
        b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
        b.interface("eni-vpce", "subnet-private", ["sg-vpce"], "10.0.2.20", role="vpc_endpoint")
        return findings(CHECK, b.build())

    assert groups(found("ingress")) == ("sg-app",)
    assert groups(found("egress")) == ("sg-app", "sg-vpce")


def test_an_interface_of_unread_addresses_counts_by_its_subnet(findings: Findings) -> None:
    b = database("10.0.2.0/24")
    b.group("sg-app")
    b.group("sg-fn")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    b.interface("fn/subnet-private", "subnet-private", ["sg-fn"], "none", derived=True, managed_by="amazon-lambda")
    (found,) = findings(CHECK, b.build())
    assert (groups([found]), found.confidence) == (("sg-app", "sg-fn"), "high")
    b.interface("fn/subnet-private", "subnet-public", ["sg-fn"], "none", derived=True, managed_by="amazon-lambda")
    (found,) = findings(CHECK, b.build())
    assert (groups([found]), found.confidence) == (("sg-app",), "high")


def test_an_interface_that_only_may_stand_in_the_range_lowers_the_confidence(findings: Findings) -> None:
    b = database("10.0.2.0/25")
    b.group("sg-fn")
    b.interface("fn/subnet-private", "subnet-private", ["sg-fn"], "none", derived=True, managed_by="amazon-lambda")
    (found,) = findings(CHECK, b.build())
    assert (groups([found]), found.confidence, found.severity) == ((), "medium", Severity.MEDIUM)
    b.group("sg-app")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    (found,) = findings(CHECK, b.build())
    assert (groups([found]), found.confidence) == (("sg-app",), "medium")
    assert found.remedy is not None
    assert found.remedy.summary.endswith("; find out first who of fn/subnet-private stands in the range")


def test_more_groups_than_anybody_writes_into_a_rule_are_candidates_the_likeliest_first(findings: Findings) -> None:
    b = database("10.0.2.0/24")
    b.group("sg-0-default", is_default=True)
    b.group("sg-1-cluster", managed_by="kubernetes")
    own = [f"sg-{name}" for name in "abcd"]
    for group in own:
        b.group(group)
    for number, group in enumerate(("sg-0-default", "sg-1-cluster", *own, "sg-d"), 10):
        b.interface(f"eni-{number}", "subnet-private", [group], f"10.0.2.{number}")
    (found,) = findings(CHECK, b.build())
    assert groups([found]) == ("sg-d", "sg-a", "sg-b", "sg-c", "sg-0-default", "sg-1-cluster")
    assert found.message.endswith("where 7 interfaces of vpc-1 carry 6 groups")
    assert found.remedy is not None
    assert "find out from flow logs who uses the rule" in found.remedy.summary
    assert found.remedy.summary.endswith("to begin with, sg-d, sg-a, sg-b, sg-c, sg-0-default and 1 more")


def test_groups_that_were_not_read_are_unknown_and_not_absent(findings: Findings) -> None:
    b = database("10.0.2.0/24")
    b.group("sg-app")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    b.interface("eni-x", "subnet-private", [], "10.0.2.20", attached_unread=True, managed_by="amazon-efs")
    (found,) = findings(CHECK, b.build())
    assert (groups([found]), found.confidence) == (("sg-app",), "medium")
    assert "unknown: the groups of eni-x were not read" in found.evidence
    assert found.remedy is not None
    assert found.remedy.summary == ("name sg-app instead of the addresses; find out first which groups eni-x carries")


def test_what_others_may_use_of_a_range_is_not_advised_away(findings: Findings) -> None:
    b = database("10.0.0.0/8")
    (found,) = findings(CHECK, b.build())
    assert found.remedy is not None
    assert found.remedy.summary == ("narrow the rule to the networks and sites that use it: no interface of vpc-1 does")
    b.group("sg-app")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    (found,) = findings(CHECK, b.build())
    assert found.remedy is not None
    assert found.remedy.summary == (
        "name sg-app instead of the addresses; outside vpc-1, keep only the addresses of those who use the rule"
    )


def test_an_interface_whose_group_was_not_read_is_unclear_and_no_new_group_is_advised() -> None:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.1.0/24"))
    b.interface("eni-db", groups=["sg-db"])
    b.interface("eni-app", "subnet-public", ["sg-not-read"], "10.0.1.5")
    (finding,) = run_audit(b.build(), AuditRequest(checks=(CHECK,))).findings
    assert finding.confidence != "high"
    assert "unknown: the groups of eni-app were not read" in finding.evidence
