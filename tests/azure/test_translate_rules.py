"""Network security groups and security admin rules as the engine judges them, worked out by hand from Azure's pages.

``one_vnet``: ``a`` (10.1.1.4) in one subnet, ``b`` (10.1.2.4) and ``c`` (10.1.2.5) in another, under the rules given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from tests.azure.asked import Asked, asked
from tests.azure.raw import Raw
from tests.azure.raw_parts import admin_rule, rule
from tests.azure.shapes import OUTSIDE, one_vnet, public_server, two_vnets

if TYPE_CHECKING:
    from tests.azure.oracle_records import Json

ALLOW, DENY = rule(100, "Allow"), rule(100, "Deny")
DENY_OUT = rule(200, "Deny", direction="Outbound")


def judged(*rules: Json, nic_rules: tuple[Json, ...] | None = None, asgs: dict[str, str] | None = None) -> Asked:
    return asked(one_vnet(*rules, nic_rules=nic_rules, asgs=asgs))


def with_egress(*rules: Json) -> Asked:
    """``a`` under a group of these rules, in a network by itself, with a public address."""
    return asked(public_server(*rules))


# 49: the lowest number that matches decides.


@pytest.mark.semantics(49)
@pytest.mark.parametrize(("allow", "deny", "said"), [(100, 200, "surely"), (200, 100, "no"), (4096, 4095, "no")])
def test_the_rule_with_the_lowest_number_decides(allow: int, deny: int, said: str) -> None:
    for rules in ([rule(allow, "Allow"), rule(deny, "Deny")], [rule(deny, "Deny"), rule(allow, "Allow")]):
        assert judged(*rules)("a", "b") == said


@pytest.mark.semantics(49)
def test_a_rule_for_other_ports_leaves_the_decision_to_the_next() -> None:
    ask = judged(rule(100, "Deny", ports="22"), rule(200, "Allow"))
    assert (ask("a", "b", "tcp/22"), ask("a", "b", "tcp/443")) == ("no", "surely")


# 50: the default rules.


@pytest.mark.semantics(50)
@pytest.mark.parametrize(
    ("source", "target", "said"),
    [("168.63.129.16", "a", "surely"), (OUTSIDE, "a", "no"), ("a", OUTSIDE, "surely"), ("a", "10.9.0.9", "no")],
)
def test_a_group_without_rules_lets_in_health_probes_and_out_to_the_internet(
    source: str, target: str, said: str
) -> None:  # fmt: skip
    assert with_egress()(source, target) == said


@pytest.mark.semantics(50)
def test_a_group_without_rules_lets_its_own_network_in() -> None:
    assert judged(nic_rules=())("a", "b") == "surely"


# 51: the groups of subnet and interface.


@pytest.mark.semantics(51)
@pytest.mark.parametrize(
    ("subnet", "nic", "said"),
    [(ALLOW, ALLOW, "surely"), (ALLOW, DENY, "no"), (DENY, ALLOW, "no"), (DENY, DENY, "no")],
)
def test_inbound_both_groups_have_to_allow(subnet: Json, nic: Json, said: str) -> None:
    assert judged(subnet, nic_rules=(nic,))("a", "b") == said


@pytest.mark.semantics(51)
@pytest.mark.parametrize(
    ("subnet", "nic", "said"),
    [((), (), "surely"), ((DENY_OUT,), (), "no"), ((), (DENY_OUT,), "no"), ((DENY_OUT,), (DENY_OUT,), "no")],
)
def test_outbound_both_groups_have_to_allow(subnet: tuple[Json, ...], nic: tuple[Json, ...], said: str) -> None:
    raw = one_vnet(rule(4000, "Allow"), *subnet, nic_rules=nic)
    assert asked(raw)("b", "a") == said


# 52: without any group.


@pytest.mark.semantics(52)
def test_without_a_group_everything_passes_inside() -> None:
    ask = judged()
    assert {ask("a", "b", each) for each in ("tcp", "udp", "icmp/8", "esp", "ah")} == {"surely"}


@pytest.mark.semantics(52)
@pytest.mark.parametrize(("sku", "group", "said"), [
    ("Standard", False, "no"), ("Basic", False, "surely"), ("Standard", True, "surely"), ("Basic", True, "surely"),
])  # fmt: skip
def test_a_standard_public_address_is_closed_until_a_group_opens_it(sku: str, group: bool, said: str) -> None:  # noqa: FBT001 - a column
    assert asked(public_server(rule(100, "Allow", "Internet"), sku=sku, group=group))(OUTSIDE, "a") == said


# 53: inside one subnet.


@pytest.mark.semantics(53)
def test_the_group_of_a_subnet_judges_what_stays_inside_it() -> None:
    assert judged(DENY)("c", "b") == "no"
    assert judged(rule(100, "Allow", "10.1.2.5"), rule(200, "Deny"))("c", "b") == "surely"


# 54: stateful.


@pytest.mark.semantics(54)
def test_answers_need_no_rule() -> None:
    ask = judged(ALLOW, DENY_OUT)
    assert (ask("a", "b"), ask("b", "a")) == ("surely", "no")


# 55: rules see private addresses at their own end.


@pytest.mark.semantics(55)
@pytest.mark.parametrize(("own", "said"), [("10.1.1.4", "surely"), ("20.50.0.4", "no")])
def test_inbound_rules_see_the_private_address(own: str, said: str) -> None:
    assert with_egress(rule(100, "Allow", "Internet", own))(OUTSIDE, "a") == said


@pytest.mark.semantics(55)
@pytest.mark.parametrize(("own", "said"), [("10.1.1.4", "no"), ("20.50.0.4", "surely")])
def test_outbound_rules_see_the_private_address(own: str, said: str) -> None:
    assert with_egress(rule(100, "Deny", own, direction="Outbound"))("a", OUTSIDE) == said


# 56, 57: service tags.


@pytest.mark.semantics(56)
def test_the_default_rule_spans_peered_networks() -> None:
    assert asked(two_vnets())("a", "b") == "surely"


@pytest.mark.semantics(56)
def test_the_default_rule_spans_places_behind_a_route_to_a_machine() -> None:
    # The machine at 10.1.9.9 was not read, so that nothing behind it is certain; the group is what is asked about here.
    raw = public_server(rule(100, "Deny", "VirtualNetwork"), rule(200, "Allow"))
    assert asked(raw)(OUTSIDE, "a") == "surely"
    assert asked(public_server(rule(100, "Deny", "VirtualNetwork"), rule(200, "Allow"), table="Internet"))(
        OUTSIDE, "a"
    ) == "at most"  # fmt: skip


@pytest.mark.semantics(56)
def test_with_a_default_route_the_tag_may_be_everybody() -> None:
    assert asked(public_server(table="Internet"))(OUTSIDE, "a") == "at most"
    assert asked(public_server())(OUTSIDE, "a") == "no"


@pytest.mark.semantics(56)
def test_every_public_address_is_in_the_internet_or_in_the_network() -> None:
    both = (rule(100, "Deny", "VirtualNetwork"), rule(200, "Deny", "Internet"), rule(300, "Allow"))
    assert asked(public_server(*both, table="Internet"))(OUTSIDE, "a") == "no"
    # What the default rules allow to the one and to the other they allow to everybody.
    assert asked(public_server(table="Internet"))("a", OUTSIDE) == "surely"


@pytest.mark.semantics(57)
def test_a_tag_that_was_read_stands_for_its_prefixes() -> None:
    raw = public_server(rule(100, "Allow", "Storage.WestEurope"))
    raw.tags(Storage_WestEurope=["20.60.1.0/24"])
    assert (asked(raw)("20.60.1.7", "a"), asked(raw)("20.60.2.7", "a")) == ("surely", "no")


@pytest.mark.semantics(57)
@pytest.mark.parametrize("rules", [(rule(100, "Allow", "Sql"),), (rule(100, "Deny", "Sql"), rule(200, "Allow"))])
def test_a_tag_that_was_not_read_may_stand_for_anybody(rules: tuple[Json, ...]) -> None:
    assert asked(public_server(*rules))(OUTSIDE, "a") == "at most"


# 58: application security groups.


@pytest.mark.semantics(58)
def test_a_group_stands_for_its_members() -> None:
    rules = (rule(100, "Allow", "asg-web"), rule(200, "Deny"))
    ask = judged(*rules, asgs={"a": "asg-web"})
    assert (ask("a", "b"), ask("c", "b")) == ("surely", "no")


@pytest.mark.semantics(58)
def test_a_group_at_the_own_end_narrows_the_rule_to_its_members() -> None:
    rules = (rule(100, "Allow", destination="asg-app"), rule(200, "Deny"))
    ask = judged(*rules, asgs={"b": "asg-app"})
    assert (ask("a", "b"), ask("a", "c")) == ("surely", "no")


# 59: augmented rules.


@pytest.mark.semantics(59)
def test_lists_of_prefixes_and_ports_are_unions() -> None:
    ask = judged(rule(100, "Allow", ["10.9.0.0/16", "10.1.1.4"], ports=["80", "440-450"]), rule(200, "Deny"))
    told = [ask("a", "b", each) for each in ("tcp/80", "tcp/443", "tcp/451")]
    assert (told, ask("c", "b")) == (["surely", "surely", "no"], "no")


@pytest.mark.semantics(59)
def test_the_single_field_and_the_list_beside_it_both_count() -> None:
    both = rule(100, "Allow", "10.1.1.4", ports="443")
    cast("Json", both["properties"]).update(sourceAddressPrefixes=["10.1.2.5"], destinationPortRanges=["80"])
    ask = judged(both, rule(200, "Deny"))
    assert [ask(source, "b", port) for source in ("a", "c") for port in ("tcp/80", "tcp/443")] == ["surely"] * 4


# 60: the client's port.


@pytest.mark.semantics(60)
def test_a_rule_for_some_ports_of_the_client_holds_for_some_connections() -> None:
    assert judged(rule(100, "Allow", source_ports="1024-65535"), rule(200, "Deny"))("a", "b") == "at most"
    assert judged(rule(100, "Deny", source_ports="53"), rule(200, "Allow"))("a", "b") == "at most"


# 61: protocols.


@pytest.mark.semantics(61)
@pytest.mark.parametrize(
    ("protocol", "ports", "passing"),
    [
        ("*", "*", {"tcp/443", "udp/443", "icmp/8", "esp", "ah"}), ("*", "443", {"tcp/443", "udp/443"}),
        ("Tcp", "*", {"tcp/443"}), ("Udp", "*", {"udp/443"}), ("Icmp", "*", {"icmp/8"}), ("Esp", "*", {"esp"}),
        ("Ah", "*", {"ah"}), ("6", "443", {"tcp/443"}), ("17", "*", {"udp/443"}), ("50", "*", {"esp"}),
    ],
)  # fmt: skip
def test_any_protocol_has_those_without_ports(protocol: str, ports: str, passing: set[str]) -> None:
    ask = judged(rule(100, "Allow", protocol=protocol, ports=ports), rule(200, "Deny"))
    assert {each for each in ("tcp/443", "udp/443", "icmp/8", "esp", "ah") if ask("a", "b", each) != "no"} == passing


@pytest.mark.semantics(61)
@pytest.mark.parametrize("protocol", ["ip/47", "ip/4"])
def test_networks_carry_no_tunnels(protocol: str) -> None:
    assert judged()("a", "b", protocol) == "no"


# 62: the platform.


@pytest.mark.semantics(62)
@pytest.mark.parametrize(("address", "traffic"), [("168.63.129.16", "udp/53"), ("169.254.169.254", "tcp/80")])
def test_no_rule_stops_what_the_host_serves_but_one_with_its_tag(address: str, traffic: str) -> None:
    tag = {"168.63.129.16": "AzurePlatformDNS", "169.254.169.254": "AzurePlatformIMDS"}[address]
    every = rule(100, "Deny", direction="Outbound")
    assert with_egress(every)("a", address, traffic) == "surely"
    by_tag = with_egress(rule(100, "Deny", destination=tag, direction="Outbound"))
    assert (by_tag("a", address, traffic), by_tag("a", address, "tcp/8443")) == ("no", "at most")


# 66, 67, 68: security admin rules.


def administered(*rules: Json, nsg: Json = ALLOW, delegation: str = "") -> Asked:
    raw = one_vnet(nsg)
    if delegation:
        raw.subnet("v1", "s9", "10.1.9.0/24", delegation=delegation)
    raw.admin("v1", *rules)
    return asked(raw)


@pytest.mark.semantics(66)
@pytest.mark.parametrize(
    ("access", "nsg", "said"),
    [
        ("Allow", ALLOW, "surely"), ("Allow", DENY, "no"), ("AlwaysAllow", ALLOW, "surely"),
        ("AlwaysAllow", DENY, "surely"), ("Deny", ALLOW, "no"), ("Deny", DENY, "no"),
    ],
)  # fmt: skip
def test_allow_leaves_the_decision_to_the_groups(access: str, nsg: Json, said: str) -> None:
    assert administered(admin_rule(10, access), nsg=nsg)("a", "b") == said


@pytest.mark.semantics(67)
@pytest.mark.parametrize(("allow", "deny", "said"), [(1, 4096, "surely"), (4096, 1, "no")])
def test_the_admin_rule_with_the_lowest_number_decides(allow: int, deny: int, said: str) -> None:
    ask = administered(admin_rule(allow, "AlwaysAllow"), admin_rule(deny, "Deny"))
    assert ask("a", "b") == said


@pytest.mark.semantics(67)
def test_of_two_collections_either_may_come_first() -> None:
    tied = (admin_rule(10, "AlwaysAllow", collection="one"), admin_rule(10, "Deny", collection="two"))
    assert administered(*tied)("a", "b") == "at most"


@pytest.mark.semantics(68)
@pytest.mark.parametrize(
    ("delegation", "said"),
    [("", "no"), ("Microsoft.Sql/managedInstances", "at most"), ("Microsoft.Web/serverFarms", "no")],
)
def test_where_a_service_keeps_its_own_policies_admin_rules_may_not_apply(delegation: str, said: str) -> None:
    assert administered(admin_rule(10, "Deny"), delegation=delegation)("a", "b") == said


def test_two_prefixes_that_make_everything_are_everything() -> None:
    assert asked(public_server(rule(100, "Allow", ["0.0.0.0/1", "128.0.0.0/1"])))(OUTSIDE, "a") == "surely"


def test_raw_answers_are_not_changed() -> None:
    raw = Raw()
    raw.vnet("v1", "10.1.0.0/16")
    before = str(raw.answers)
    asked(raw)
    assert str(raw.answers) == before
