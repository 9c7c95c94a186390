"""The oracle against decisions worked out by hand from Google's pages; numbers are those of docs/semantics.md."""

from __future__ import annotations

import pytest

from tests.gcp.oracle import decide
from tests.gcp.oracle_records import End, Packet
from tests.gcp.raw_more import group
from tests.gcp.raw_parts import DEFAULT_POLICY_RULES, policy_rule, vpc
from tests.gcp.shapes import (
    A6,
    B6,
    ESP,
    ICMP,
    ICMPV6,
    OUTSIDE,
    OUTSIDE_SIX,
    SCTP,
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
REGIONAL = "europe-west1"
"""The region of ``b``."""


# 71 to 74: the levels in their order; what allows and what denies is final.


def _layered(*actions: str, before: bool | None = None) -> str:
    """What decides about a packet to ``b``, with one rule of ``actions`` at each level; "" leaves a level empty.

    The levels are the organisation's, a folder's, the system's, VPC rules, the global and the regional policy.
    """
    organisation, folder, system, classic, world, region = actions
    raw = one_network(*([vpc(classic)] if classic else []), before=before)
    above = [[policy_rule(1, action)] if action else DEFAULT_POLICY_RULES for action in (organisation, folder)]
    raw.above("main", *above)
    if system:
        raw.system("main", REGIONAL, policy_rule(1, system))
    if world:
        raw.policy("world", ["main"], policy_rule(1, world))
    if region:
        raw.policy("near", ["main"], policy_rule(1, region), region=REGIONAL)
    return by(raw, A, B)


@pytest.mark.parametrize(
    ("actions", "decided"),
    [
        (("deny", "allow", "allow", "allow", "allow", "allow"), "ingress hierarchical"),
        (("", "deny", "allow", "allow", "allow", "allow"), "ingress hierarchical"),
        (("goto_next", "deny", "allow", "allow", "allow", "allow"), "ingress hierarchical"),
        (("allow", "deny", "deny", "deny", "deny", "deny"), "egress implied, ingress hierarchical"),
        (("goto_next", "allow", "deny", "deny", "deny", "deny"), "egress implied, ingress hierarchical"),
        (("", "goto_next", "deny", "allow", "allow", "allow"), "ingress system"),
        (("", "", "allow", "deny", "deny", "deny"), "egress implied, ingress system"),
        (("", "", "goto_next", "deny", "allow", "allow"), "ingress vpc rules"),
        (("", "", "", "allow", "deny", "deny"), "egress implied, ingress vpc rules"),
        (("", "", "", "", "deny", "allow"), "ingress global policy"),
        (("", "", "", "", "allow", "deny"), "egress implied, ingress global policy"),
        (("", "", "", "", "goto_next", "allow"), "egress implied, ingress regional policy"),
        (("", "", "", "", "goto_next", "goto_next"), "ingress implied"),
        (("", "", "", "", "", ""), "ingress implied"),
    ],
)
@pytest.mark.semantics(71, 73, 74)
def test_the_order_of_levels(actions: tuple[str, ...], decided: str) -> None:
    assert _layered(*actions) == decided
    assert _layered(*actions, before=False) == decided


@pytest.mark.parametrize(
    ("actions", "decided"),
    [
        (("", "", "", "allow", "deny", ""), "ingress global policy"),
        (("", "", "", "deny", "allow", ""), "egress implied, ingress global policy"),
        (("", "", "", "deny", "goto_next", "allow"), "egress implied, ingress regional policy"),
        (("", "", "", "allow", "goto_next", "goto_next"), "egress implied, ingress vpc rules"),
        (("", "", "deny", "allow", "allow", "allow"), "ingress system"),
    ],
)
@pytest.mark.semantics(72, 243)
def test_policies_before_vpc_rules(actions: tuple[str, ...], decided: str) -> None:
    assert _layered(*actions, before=True) == decided


def test_goto_next_leaves_the_policy() -> None:
    raw = one_network()
    raw.policy("world", ["main"], policy_rule(1, "goto_next", "tcp:443"), policy_rule(2, "allow"))
    assert verdict(raw, A, B) == "blocked"
    assert verdict(raw, A, B, port=444) == "passes"


def test_a_regional_policy_is_for_its_region() -> None:
    raw = one_network()
    raw.policy("near", ["main"], policy_rule(1, "allow"), region=REGIONAL)
    assert verdict(raw, A, B) == "passes"
    assert verdict(raw, B, A) == "blocked"


def test_a_policy_that_is_associated_with_nothing_decides_nothing() -> None:
    raw = one_network()
    raw.policy("world", [], policy_rule(1, "allow"))
    assert by(raw, A, B) == "ingress implied"


@pytest.mark.semantics(86)
def test_inspection_is_an_allowance() -> None:
    raw = one_network(vpc("deny"))
    raw.above("main", [policy_rule(1, "apply_security_profile_group")])
    assert verdict(raw, A, B) == "passes"


def test_a_hierarchy_that_was_not_read_leaves_everything_open() -> None:
    raw = one_network(OPEN, public=("b",))
    raw.unread("network_effective_firewalls", "main")
    assert verdict(raw, OUTSIDE, "b@34.1.0.2") == "undefined"
    assert verdict(raw, B, OUTSIDE) == "undefined"


def test_system_policies_that_were_not_read_leave_their_region_open() -> None:
    raw = one_network(OPEN, public=("a", "b"))
    raw.unread("region_effective_firewalls", "main", REGIONAL)
    assert verdict(raw, OUTSIDE, "b@34.1.0.2") == "undefined"
    assert verdict(raw, OUTSIDE, "a@34.1.0.1") == "passes"


# 76, 77, 78, 82: VPC rules.


@pytest.mark.parametrize(
    ("allow", "deny", "port", "expected"),
    [
        (1000, 1000, 443, "blocked"),  # of one number, a denial comes first
        (999, 1000, 443, "passes"),
        (1000, 999, 443, "blocked"),
        (1000, 999, 444, "passes"),
        (0, 65535, 443, "passes"),
    ],
)
@pytest.mark.semantics(76)
def test_the_lower_number_wins(allow: int, deny: int, port: int, expected: str) -> None:
    raw = one_network(vpc("allow", priority=allow), vpc("deny", "tcp:443", priority=deny))
    assert verdict(raw, A, B, port=port) == expected


@pytest.mark.parametrize(
    ("source", "target", "decided"),
    [
        (A, B, "ingress implied"),
        (A6, B6, "ingress implied"),
        (OUTSIDE, "b@34.1.0.2", "ingress implied"),
        (B, OUTSIDE, "egress implied"),
        (B6, OUTSIDE_SIX, "egress implied"),
    ],
)
@pytest.mark.semantics(77)
def test_implied_rules(source: str, target: str, decided: str) -> None:
    assert by(one_network(public=("a", "b")), source, target) == decided


@pytest.mark.semantics(78, 82, 240, 241)
def test_targets_and_disabled_rules() -> None:
    raw = one_network(vpc("allow", target_tags=["db"]))
    assert (verdict(raw, A, B), verdict(raw, B, A)) == ("passes", "blocked")
    raw = one_network(vpc("allow", target_accounts=["a@shop"]))
    assert (verdict(raw, A, B), verdict(raw, B, A)) == ("blocked", "passes")
    raw = one_network(vpc("allow", disabled=True))
    assert verdict(raw, A, B) == "blocked"
    raw = one_network(OPEN, vpc("deny", priority=1, disabled=True))
    assert verdict(raw, A, B) == "passes"


@pytest.mark.semantics(241)
def test_an_open_rule_with_target_tags_is_open_to_the_internet() -> None:
    raw = one_network(vpc("allow", target_tags=["db"]), public=("b",))
    assert verdict(raw, OUTSIDE, "b@34.1.0.2") == "passes"


@pytest.mark.parametrize(
    ("layer", "protocol", "port", "expected"),
    [
        ("tcp:443", TCP, 443, "passes"),
        ("tcp:443", TCP, 442, "blocked"),
        ("TCP:400-500", TCP, 443, "passes"),
        ("6:443", TCP, 443, "passes"),
        ("tcp", TCP, 65535, "passes"),
        ("tcp", UDP, 443, "blocked"),
        ("17", UDP, 443, "passes"),
        ("all", ESP, 0, "passes"),
        ("esp", ESP, 0, "passes"),
        ("sctp:443", SCTP, 443, "passes"),
        ("sctp:443", SCTP, 444, "blocked"),
        ("icmp", ICMP, 0, "passes"),
        ("1", ICMP, 0, "passes"),
        ("58", ICMP, 0, "blocked"),
    ],
)
@pytest.mark.semantics(240)
def test_protocols_and_ports(layer: str, protocol: int, port: int, expected: str) -> None:
    assert verdict(one_network(vpc("allow", layer)), A, B, protocol, port) == expected


@pytest.mark.parametrize(("layer", "expected"), [("icmp", "blocked"), ("58", "passes"), ("all", "passes")])
def test_icmp_is_not_icmpv6(layer: str, expected: str) -> None:
    assert verdict(one_network(vpc("allow", layer, sources=["::/0"])), A6, B6, ICMPV6, 0) == expected


@pytest.mark.semantics(81)
def test_a_rule_is_of_one_family() -> None:
    raw = one_network(vpc("allow", sources=["0.0.0.0/0"]))
    assert (verdict(raw, A, B), verdict(raw, A6, B6)) == ("passes", "blocked")
    raw = one_network(vpc("allow", sources=["::/0"]))
    assert (verdict(raw, A, B), verdict(raw, A6, B6)) == ("blocked", "passes")


@pytest.mark.semantics(242)
def test_a_rule_that_names_nobody_is_open_to_everyone() -> None:
    rule = vpc("allow")
    del rule["sourceRanges"]
    raw = one_network(rule)
    assert (verdict(raw, A, B), verdict(raw, A6, B6)) == ("passes", "undefined")


def test_egress_rules_are_asked_of_the_sender() -> None:
    raw = one_network(OPEN, vpc("deny", "tcp:443", egress=True, to=["10.1.2.0/24"], target_tags=["web"]))
    assert by(raw, A, B) == "egress vpc rules"
    assert verdict(raw, B, A) == "passes"


def test_ranges_of_the_own_end() -> None:
    rule = vpc("allow", to=["10.1.2.2/32"])
    assert verdict(one_network(rule), A, B) == "passes"
    assert verdict(one_network(rule), B, A) == "blocked"
    # What comes to an external address is seen with the internal one.
    assert verdict(one_network(rule, public=("b",)), OUTSIDE, "b@34.1.0.2") == "passes"


# 79, 80: identities.


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (A, "passes"),
        (A6, "passes"),
        ("a@10.101.1.9", "blocked"),  # an alias range is not meant
    ],
)
@pytest.mark.parametrize("named", ["tag", "account", "secure"])
@pytest.mark.semantics(80)
def test_identities_stand_for_the_addresses_of_an_interface(source: str, expected: str, named: str) -> None:
    rules = {"tag": [vpc("allow", tags=["web"])], "account": [vpc("allow", accounts=["a@shop"])], "secure": []}
    raw = one_network(*rules[named], secure=True)
    if named == "secure":
        raw.policy("world", ["main"], policy_rule(1, "allow", secure=["tagValues/1"]))
    assert verdict(raw, source, B6 if ":" in source else B) == expected


@pytest.mark.semantics(79)
def test_sources_are_a_union() -> None:
    rule = vpc("allow", sources=["9.9.9.0/24"], tags=["web"])
    raw = one_network(rule, public=("b",))
    assert verdict(raw, A, B) == "passes"
    assert verdict(raw, OUTSIDE, "b@34.1.0.2") == "passes"
    assert verdict(raw, "8.8.8.8", "b@34.1.0.2") == "blocked"
    assert verdict(raw, B, A) == "blocked"


@pytest.mark.semantics(245)
def test_a_rule_from_a_tag_lets_nobody_in_from_the_internet() -> None:
    raw = one_network(vpc("allow", tags=["web"]), public=("a", "b"))
    assert verdict(raw, OUTSIDE, "b@34.1.0.2") == "blocked"
    # By external addresses, identity is lost.
    assert verdict(raw, A, "b@34.1.0.2") == "blocked"


@pytest.mark.semantics(80)
def test_tags_end_at_a_peering_and_secure_tags_do_not() -> None:
    assert verdict(two_networks(vpc("allow", tags=["web"])), A, "b@10.2.1.2") == "blocked"
    assert verdict(two_networks(vpc("allow", accounts=["x@shop"])), A, "b@10.2.1.2") == "blocked"


def test_secure_targets() -> None:
    raw = one_network(secure=True)
    raw.policy("world", ["main"], policy_rule(1, "allow", target_secure=["tagValues/2"]))
    assert (verdict(raw, A, B), verdict(raw, B, A)) == ("passes", "blocked")


def test_ineffective_tags_mean_nobody() -> None:
    raw = one_network(secure=True)
    raw.policy("world", ["main"], policy_rule(1, "allow", target_secure=["!tagValues/2"]))
    assert verdict(raw, A, B) == "blocked"
    raw = one_network(secure=True)
    raw.policy("world", ["main"], policy_rule(1, "allow", secure=["!tagValues/1"]))
    assert verdict(raw, A, B) == "blocked"
    raw = one_network(secure=True)
    raw.policy("world", ["main"], policy_rule(1, "allow", secure=["!tagValues/1"], sources=["10.1.0.0/16"]))
    assert verdict(raw, A, B) == "passes"


def test_a_hierarchical_rule_may_be_for_some_networks() -> None:
    for names, expected in ((["main"], "passes"), (["other"], "blocked")):
        raw = one_network()
        raw.network("other")
        raw.above("main", [policy_rule(1, "allow", target_networks=[raw.link(each) for each in names])])
        assert verdict(raw, A, B) == expected


# 79: what only Google can look into.


@pytest.mark.parametrize(
    ("field", "value"),
    [("srcFqdns", "example.com"), ("srcRegionCodes", "CH"), ("srcThreatIntelligences", "iplist-tor-exit-nodes")],
)
@pytest.mark.parametrize(("action", "below"), [("allow", "blocked"), ("deny", "passes")])
@pytest.mark.semantics(79)
def test_lists_are_open(field: str, value: str, action: str, below: str) -> None:
    raw = one_network(*([OPEN] if below == "passes" else []), before=True, public=("b",))
    raw.policy("world", ["main"], policy_rule(1, action, "tcp:443", match={field: [value]}))
    assert verdict(raw, OUTSIDE, "b@34.1.0.2") == "undefined"
    assert verdict(raw, OUTSIDE, "b@34.1.0.2", port=80) == below


def test_address_groups() -> None:
    raw = one_network(public=("b",))
    known = group(raw, "partners", "9.9.9.0/24", "8.8.4.0/24")
    raw.policy("world", ["main"], policy_rule(1, "allow", match={"srcAddressGroups": [known]}))
    assert verdict(raw, OUTSIDE, "b@34.1.0.2") == "passes"
    assert verdict(raw, "8.8.8.8", "b@34.1.0.2") == "blocked"
    unread = "projects/x/locations/global/addressGroups/y"
    raw.policy("more", ["main"], policy_rule(1, "allow", match={"srcAddressGroups": [unread]}))
    assert verdict(raw, "8.8.8.8", "b@34.1.0.2") == "undefined"


@pytest.mark.parametrize(
    ("kind", "internal", "outside"),
    [
        ("INTERNET", "blocked", "passes"),
        ("NON_INTERNET", "passes", "blocked"),
        ("INTRA_VPC", "passes", "blocked"),
        ("VPC_NETWORKS", "passes", "blocked"),
    ],
)
@pytest.mark.semantics(135)
def test_network_types(kind: str, internal: str, outside: str) -> None:
    raw = one_network(public=("b",))
    match = {"srcNetworkType": kind, "srcNetworks": [raw.link("main")] if kind == "VPC_NETWORKS" else []}
    raw.policy("world", ["main"], policy_rule(1, "allow", sources=["0.0.0.0/0"], match=match))
    assert (verdict(raw, A, B), verdict(raw, OUTSIDE, "b@34.1.0.2")) == (internal, outside)


def test_a_packet_without_an_end_here_is_refused() -> None:
    with pytest.raises(ValueError, match="neither end"):
        decide(one_network().answers, Packet(End(OUTSIDE), End("8.8.8.8"), TCP, 443))


def test_system_policies_are_asked_one_after_the_other() -> None:
    raw = one_network(OPEN)
    raw.system("main", REGIONAL, policy_rule(500, "deny", "tcp:443"))
    raw.system("main", REGIONAL, policy_rule(1, "allow"))
    assert by(raw, A, B) == "ingress system"
    assert by(raw, A, B, port=80) == "egress implied, ingress system"


def test_countries_have_no_private_addresses() -> None:
    raw = one_network()
    raw.policy("world", ["main"], policy_rule(1, "allow", match={"srcRegionCodes": ["CH"]}))
    assert verdict(raw, A, B) == "blocked"
