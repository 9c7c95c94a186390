"""Checks of single rules and lists beyond their own examples, worked out by hand."""

from collections.abc import Callable

import msgspec
import pytest

from cloudseg.checks import (
    default_group_in_use,
    ipv6_wider_than_ipv4,
    open_network_acl,
    overbroad_ports,
    self_referencing_all_traffic,
    stale_group_reference,
    undescribed_rule,
    unfiltered_interface,
    unused_group,
)
from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.findings import Finding, Severity
from cloudseg.model import GroupRef, Peering, Rule, RuleSet, TransitAttachment

Findings = Callable[..., list[Finding]]


@pytest.mark.semantics(16, 17, 203)
@pytest.mark.parametrize(
    ("traffic", "severity"),
    [
        ("all", Severity.MEDIUM),
        ("tcp/1-65535", Severity.MEDIUM),
        ("tcp/0-65534", Severity.MEDIUM),
        ("tcp/1000-1100", Severity.LOW),
        ("tcp/1000-1099", None),
        ("sctp", Severity.LOW),
        ("esp", Severity.LOW),
        ("icmp", None),
    ],
)
def test_what_is_too_wide_between_workloads(traffic: str, severity: Severity | None, findings: Findings) -> None:
    b = EstateBuilder()
    b.group("sg-1", allow("ingress", traffic, "sg-2"))
    b.group("sg-2")
    found = findings(overbroad_ports.CHECK, b.build())
    assert [each.severity for each in found] == ([] if severity is None else [severity])


def test_the_limit_of_ports_can_be_set(findings: Findings) -> None:
    b = EstateBuilder()
    b.group("sg-1", allow("ingress", "tcp/80-89", "sg-2"))
    assert findings(overbroad_ports.CHECK, b.build(), max_ports=10) == []
    assert len(findings(overbroad_ports.CHECK, b.build(), max_ports=9)) == 1


@pytest.mark.parametrize(
    ("direction", "peer", "found"),
    [
        ("ingress", "0.0.0.0/0", 0),
        ("ingress", "203.0.113.0/24", 0),
        ("ingress", "10.0.0.0/8", 1),
        ("egress", "0.0.0.0/0", 0),
        ("egress", "203.0.113.0/24", 1),
        ("ingress", "sg-1", 0),
        ("ingress", "sg-2", 1),
    ],
)
def test_each_wide_rule_is_told_by_one_check(direction: str, peer: str, found: int, findings: Findings) -> None:
    b = EstateBuilder()
    b.group("sg-1", allow("ingress" if direction == "ingress" else "egress", "all", peer))
    assert len(findings(overbroad_ports.CHECK, b.build())) == found


@pytest.mark.semantics(128)
def test_the_rule_that_a_new_group_is_made_with_needs_no_description(findings: Findings) -> None:
    b = EstateBuilder()
    made = [allow("egress", "all", peer, description="") for peer in ("0.0.0.0/0", "::/0")]
    written = [allow("egress", "tcp/443", "0.0.0.0/0", description=""), allow("ingress", "all", "sg-1", description="")]
    b.group("sg-1", *made, *written)
    assert len(findings(undescribed_rule.CHECK, b.build())) == 2


@pytest.mark.semantics(15, 201)
def test_ipv6_is_compared_with_all_that_ipv4_has(findings: Findings) -> None:
    def found(*rules: Rule) -> list[str]:
        b = EstateBuilder()
        b.group("sg-1", *rules)
        return [each.rule.traffic for each in findings(ipv6_wider_than_ipv4.CHECK, b.build()) if each.rule]

    six = allow("ingress", "tcp/22", "::/0")
    assert found(six, allow("ingress", "tcp/22", "203.0.113.0/24")) == ["tcp/22"]
    assert found(six, allow("ingress", "tcp/443", "203.0.113.0/24")) == ["tcp/22"]
    assert found(six, allow("ingress", "all", "0.0.0.0/0")) == []
    assert found(six, allow("ingress", "tcp/22", "0.0.0.0/1"), allow("ingress", "tcp/22", "128.0.0.0/1")) == []
    assert found(six) == []
    assert found(six, allow("egress", "tcp/22", "203.0.113.0/24")) == []
    assert found(allow("ingress", "tcp/22", "2001:db8::/32"), allow("ingress", "tcp/22", "10.0.0.0/8")) == []
    halves = (allow("ingress", "tcp/22", "::/1"), allow("ingress", "tcp/22", "8000::/1"))
    # All of 2000::/3, where addresses are handed out, lies in the first half.
    assert found(*halves, allow("ingress", "tcp/22", "10.0.0.0/8")) == ["tcp/22", "tcp/22"]


def acl(*entries: Rule) -> EstateBuilder:
    b = EstateBuilder()
    b.acl("acl-1", ["subnet-public"], entries)
    return b


@pytest.mark.semantics(23, 28, 29, 209)
@pytest.mark.parametrize(
    ("entries", "found"),
    [
        ([acl_entry("ingress", 100, "all", "0.0.0.0/0")], 1),
        ([acl_entry("ingress", 100, "all", "::/0")], 1),
        ([acl_entry("egress", 100, "tcp/0-65535", "0.0.0.0/0")], 1),
        ([acl_entry("ingress", 100, "all", "0.0.0.0/1")], 0),
        ([acl_entry("ingress", 100, "all", "10.0.0.0/8")], 0),
        ([acl_entry("ingress", 100, "tcp/443", "0.0.0.0/0")], 0),
        ([acl_entry("ingress", 100, "tcp/3000-4000", "0.0.0.0/0")], 1),
        (
            [
                acl_entry("ingress", 99, "all", "0.0.0.0/0", deny=True),
                acl_entry("ingress", 100, "all", "0.0.0.0/0"),
            ],
            0,
        ),
        (
            [
                acl_entry("ingress", 100, "all", "0.0.0.0/0"),
                acl_entry("ingress", 101, "all", "0.0.0.0/0", deny=True),
            ],
            1,
        ),
        (
            [
                acl_entry("ingress", 90, "all", "198.51.100.0/24", deny=True),
                acl_entry("ingress", 100, "all", "0.0.0.0/0"),
            ],
            1,
        ),
        ([], 0),
    ],
    ids=[
        "everything from everyone",
        "everything over IPv6",
        "every port of TCP out",
        "one half",
        "private clients",
        "web alone",
        "remote desktop in a range",
        "a deny above",
        "a deny below",
        "a deny of a few clients",
        "no entries",
    ],
)
def test_the_first_match_decides_whether_an_acl_filters(entries: list[Rule], found: int, findings: Findings) -> None:
    assert len(findings(open_network_acl.CHECK, acl(*entries).build())) == found


@pytest.mark.semantics(27)
def test_the_default_acl_as_made_is_told_as_such_and_an_unused_one_not_at_all(findings: Findings) -> None:
    b = acl(acl_entry("ingress", 100, "all", "0.0.0.0/0"), acl_entry("egress", 100, "all", "0.0.0.0/0"))
    known = b.build().rule_sets[b.id("acl-1")]
    assert isinstance(known, RuleSet)
    b.put("rule_sets", msgspec.structs.replace(known, is_default=True))
    (found,) = findings(open_network_acl.CHECK, b.build())
    assert "it is as the provider made it" in found.evidence
    b.acl("acl-1", (), known.rules)
    assert findings(open_network_acl.CHECK, b.build()) == []


@pytest.mark.semantics(12)
def test_a_default_group_is_worse_when_it_is_carried(findings: Findings) -> None:
    b = EstateBuilder(unread=["interfaces"])
    b.group("sg-default", allow("ingress", "all", "sg-default"), is_default=True)
    (found,) = findings(default_group_in_use.CHECK, b.build())
    assert (found.severity, found.confidence) == (Severity.LOW, "medium")
    assert findings(self_referencing_all_traffic.CHECK, b.build()) == []
    b.interface("eni-1", "subnet-private", ["sg-default"])
    (found,) = findings(default_group_in_use.CHECK, b.build())
    assert (found.severity, found.affected) == (Severity.MEDIUM, ("eni-1",))


@pytest.mark.semantics(207, 216)
@pytest.mark.parametrize("user", ["interface", "another group", "endpoint", "service", "nobody"])
def test_a_group_is_unused_only_when_nothing_could_attach_it(user: str, findings: Findings) -> None:
    b = EstateBuilder()
    b.group("sg-1", allow("ingress", "tcp/80", "0.0.0.0/0"), allow("egress", "all", "sg-1"))
    match user:
        case "interface":
            b.interface("eni-1", "subnet-private", ["sg-1"])
        case "another group":
            b.group("sg-2", allow("ingress", "tcp/80", "sg-1"))
            b.interface("eni-2", "subnet-private", ["sg-2"])
        case "endpoint":
            b.endpoint("vpce-1", "ec2", type="interface", groups=frozenset({b.id("sg-1")}))
        case "service":
            b.service("db-1", "rds", groups=frozenset({b.id("sg-1")}))
        case _:
            pass
    assert len(findings(unused_group.CHECK, b.build())) == (user == "nobody")


def test_an_unread_setting_leaves_it_open_whether_a_group_is_used(findings: Findings) -> None:
    b = EstateBuilder(unread=["templates"])
    b.group("sg-1")
    (found,) = findings(unused_group.CHECK, b.build())
    assert found.confidence == "low"
    assert "unknown: not read in full: templates" in found.evidence


@pytest.mark.semantics(9)
def test_a_reference_over_a_dead_peering_leads_nowhere(findings: Findings) -> None:
    b = EstateBuilder()
    ends = (b.id("vpc-1"), "aws:999988887777:eu-west-1:vpc-9")
    b.put("peerings", Peering(id=b.id("pcx-1"), kind="peering", networks=ends, regions=("r", "r"), active=False))
    theirs = GroupRef("aws:999988887777:eu-west-1:sg-theirs", via=b.id("pcx-1"))
    b.group("sg-1", msgspec.structs.replace(allow("ingress", "tcp/443", "sg-x"), remote=(theirs,)))
    (found,) = findings(stale_group_reference.CHECK, b.build())
    assert found.confidence == "high"
    b.peering("pcx-1", "vpc-9")
    assert findings(stale_group_reference.CHECK, b.build()) == []


@pytest.mark.semantics(9, 13)
def test_an_absent_group_of_a_scope_that_was_not_read_is_no_finding(findings: Findings) -> None:
    b = EstateBuilder(unread=["groups"])
    b.group("sg-1", allow("ingress", "tcp/443", "sg-gone"))
    assert findings(stale_group_reference.CHECK, b.build()) == []


@pytest.mark.semantics(42)
def test_interfaces_without_a_group_are_told_once_for_each_workload(findings: Findings) -> None:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-private", [], "10.0.2.1", workload=b.id("i-1"))
    b.interface("eni-2", "subnet-private", [], "10.0.2.2")
    b.interface("eni-3", "subnet-private", [], "10.0.2.3", derived=True)
    found = {each.resource.id: each.confidence for each in findings(unfiltered_interface.CHECK, b.build())}
    assert found == {"eni-1": "high", "eni-2": "high", "eni-3": "low"}


def unconnected(direction: str = "ingress", unread: tuple[str, ...] = ()) -> EstateBuilder:
    """Return a group of ``vpc-1`` that names a group of ``vpc-2``, which nothing connects."""
    b = EstateBuilder(unread=unread)
    b.network("vpc-2", "10.9.0.0/16")
    b.group("sg-1", allow("egress" if direction == "egress" else "ingress", "tcp/443", "sg-far"))
    b.group("sg-far", network="vpc-2")
    return b


@pytest.mark.semantics(7, 9)
def test_a_group_of_a_network_that_is_not_connected_never_matches(findings: Findings) -> None:
    for direction in ("ingress", "egress"):
        (found,) = findings(stale_group_reference.CHECK, unconnected(direction).build())
        assert (found.resource.id, found.confidence) == ("sg-1", "medium")
        ways = "no active peering within the region, no transit gateway and no association"
        assert found.evidence == (f"sg-far belongs to vpc-2, which {ways} connects to vpc-1",)


@pytest.mark.parametrize("facet", ["groups", "peerings", "transit", "routes"])
def test_without_the_connections_nobody_knows_whether_a_group_can_match(facet: str, findings: Findings) -> None:
    assert findings(stale_group_reference.CHECK, unconnected(unread=(facet,)).build()) == []


@pytest.mark.semantics(7, 11)
@pytest.mark.parametrize(
    ("connection", "found"),
    [
        ("peering", 0),
        ("dead peering", 1),
        ("peering of another region", 1),
        ("peering of a third network", 1),
        ("transit gateway", 0),
        ("another transit gateway", 1),
        ("association", 0),
        ("unknown route on both sides", 0),
        ("unknown route here", 1),
    ],
)
def test_what_connects_networks_for_group_references(connection: str, found: int, findings: Findings) -> None:
    b = unconnected()
    b.subnet("subnet-far", "10.9.1.0/24", "vpc-2")
    b.network("vpc-3", "10.8.0.0/16")
    ends = (b.id("vpc-1"), b.id("vpc-2"))
    match connection:
        case "peering":
            b.peering("pcx-1", "vpc-2")
        case "dead peering":
            regions = ("eu-west-1", "eu-west-1")
            b.put("peerings", Peering(id=b.id("pcx-1"), kind="peering", networks=ends, regions=regions, active=False))
        case "peering of another region":
            b.peering("pcx-1", "vpc-2", regions=("eu-west-1", "us-east-1"))
        case "peering of a third network":
            b.peering("pcx-1", "vpc-3")
        case "transit gateway" | "another transit gateway":
            for number, network in enumerate(ends):
                gateway = f"tgw-{number if connection.startswith('another') else 0}"
                b.put(
                    "transit_attachments",
                    TransitAttachment(
                        id=b.id(f"tgw-attach-{number}"),
                        kind="transit-gateway-attachment-vpc",
                        region="eu-west-1",
                        gateway=b.id(gateway),
                        network=network,
                    ),
                )
        case "association":
            group = b.build().groups[b.id("sg-1")]
            b.put("groups", msgspec.structs.replace(group, networks=ends))
        case _:
            b.route("rtb-private", "10.9.0.0/16", "unknown", "core-1")
            if connection.endswith("both sides"):
                b.route("rtb-far", "10.0.0.0/16", "unknown", "core-1")
    assert len(findings(stale_group_reference.CHECK, b.build())) == found
