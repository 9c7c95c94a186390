"""A rule counts as used where any conversation can have used it, and only there."""

from typing import Any

import pytest

from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import ACL_OPEN, EstateBuilder, acl_entry, allow
from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_rule
from cloudseg.model import Estate
from cloudseg.observed.join import join
from cloudseg.observed.usage import Usage, Use
from cloudseg.observed.using import usage_of
from cloudseg.reach.reachability import Reachability
from tests.observed.tables import Table, conversation


def usage(estate: Estate, *rows: dict[str, Any]) -> Usage:
    return usage_of(join(Table(*rows), estate), Reachability(estate), estate)


def used(estate: Estate, *rows: dict[str, Any]) -> set[str]:
    """Return the rules that were used, each as ``list rule``; what the provider keeps left out."""
    found = usage(estate, *rows)
    return {
        f"{rule_set.own_id} {rule.id}"
        for rule_set in estate.rule_sets.values()
        for rule in rule_set.rules
        if not rule.fixed and not rule_set.managed_by and rule_set.kind != "network-acl" and found.used(rule_set, rule)
    }


def use(estate: Estate, list_id: str, rule_id: str, *rows: dict[str, Any]) -> Use | None:
    rule_set = next(each for each in estate.rule_sets.values() if each.own_id == list_id)
    rule = next(each for each in rule_set.rules if each.id == rule_id)
    return usage(estate, *rows).of(rule_set, rule)


def shop() -> EstateBuilder:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "all", "0.0.0.0/0", rule_id="out"))
    b.group(
        "sg-db",
        allow("ingress", "tcp/5432", "sg-web", rule_id="group"),
        allow("ingress", "tcp/5432", "10.0.1.0/24", rule_id="range"),
        allow("ingress", "tcp/5432", "10.0.9.0/24", rule_id="elsewhere"),
        allow("ingress", "tcp/22", "10.0.1.0/24", rule_id="shell"),
    )
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.5")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    return b


def query(**more: Any) -> dict[str, Any]:
    return conversation(
        "10.0.1.5", "10.0.2.9", 5432, initiator_interface="eni-web", responder_interface="eni-db", **more
    )


def test_all_rules_of_groups_that_match_are_used() -> None:
    assert used(shop().build(), query()) == {"sg-web out", "sg-db group", "sg-db range"}


def test_refused_conversations_use_nothing() -> None:
    assert used(shop().build(), query(verdict="refused")) == set()


def test_a_request_whose_answer_was_refused_used_the_rules_that_let_it_in() -> None:
    assert "sg-db group" in used(shop().build(), query(verdict="reply-refused"))


@pytest.mark.semantics(119)
def test_answers_use_no_rule_of_a_stateful_list() -> None:
    b = shop()
    b.group(
        "sg-db", allow("ingress", "tcp/5432", "sg-web", rule_id="group"), allow("egress", "tcp/0-65535", "10.0.0.0/8")
    )
    assert used(b.build(), query()) == {"sg-web out", "sg-db group"}


def test_entries_of_stateless_lists_are_used_by_answers() -> None:
    b = shop()
    b.acl("acl-1", ["subnet-public"], ACL_OPEN)
    b.acl(
        "acl-db",
        ["subnet-private"],
        (
            acl_entry("ingress", 100, "tcp/5432", "10.0.1.0/24"),
            acl_entry("ingress", 110, "tcp/3306", "10.0.1.0/24"),
            acl_entry("egress", 100, "tcp/1024-65535", "10.0.1.0/24"),
            acl_entry("egress", 110, "udp/1024-65535", "10.0.1.0/24"),
        ),
    )
    estate = b.build()
    found = usage(estate, query())
    acl = estate.rule_sets[b.id("acl-db")]
    assert {rule.id for rule in acl.rules if found.used(acl, rule)} == {"ingress/100", "egress/100"}
    use_of_answers = found.of(acl, acl.rules[2])
    assert use_of_answers is not None
    assert use_of_answers.replies_only


def test_entries_of_an_acl_are_not_used_inside_of_the_subnet() -> None:
    b = shop()
    b.interface("eni-app", "subnet-private", ["sg-web"], "10.0.2.7")
    row = conversation("10.0.2.7", "10.0.2.9", 5432, initiator_interface="eni-app", responder_interface="eni-db")
    estate = b.build()
    found = usage(estate, row)
    acl = estate.rule_sets[b.id("acl-1")]
    assert not any(found.used(acl, rule) for rule in acl.rules)


def test_of_an_ordered_list_the_first_rule_that_decides_is_used() -> None:
    b = NsgBuilder()
    b.nsg(
        "nsg-data",
        nsg_rule("ingress", 100, "tcp/1433", "10.1.1.0/24"),
        nsg_rule("ingress", 200, "tcp/1433", "VirtualNetwork"),
        subnet="data",
    )
    b.machine("nic-web", "web", "10.1.1.10")
    b.machine("nic-db", "data", "10.1.2.10")
    estate = b.build()
    found = usage(estate, conversation("10.1.1.10", "10.1.2.10", 1433, provider="azure"))
    nsg = next(each for each in estate.rule_sets.values() if "nsg-data" in each.id)
    assert [rule.priority for rule in nsg.rules if rule.direction == "ingress" and found.used(nsg, rule)] == [100]


def test_behind_a_rule_that_may_match_the_next_one_may_have_been_used_as_well() -> None:
    b = NsgBuilder()
    b.nsg(
        "nsg-data",
        nsg_rule("ingress", 100, "tcp/1433", "asg-web"),
        nsg_rule("ingress", 200, "tcp/1433", "10.1.1.0/24"),
        subnet="data",
    )
    b.asg("asg-web")
    b.machine("nic-web", "web", "10.1.1.10", asgs=["asg-web"])
    b.machine("nic-db", "data", "10.1.2.10")
    estate = b.build()
    found = usage(estate, conversation("10.1.1.10", "10.1.2.10", 1433, provider="azure"))
    nsg = next(each for each in estate.rule_sets.values() if "nsg-data" in each.id)
    assert [rule.priority for rule in nsg.rules if rule.direction == "ingress" and found.used(nsg, rule)] == [100, 200]


def test_vpc_firewall_rules_are_used_by_their_targets() -> None:
    b = GcpBuilder()
    b.firewall(
        gcp_rule("app", "ingress", "tcp/8080", "tag:web", targets="tag:app"),
        gcp_rule("other", "ingress", "tcp/8080", "tag:web", targets="tag:batch"),
    )
    b.machine("web", "web", "10.2.1.10", tags=["web"])
    b.machine("app", "web", "10.2.1.11", tags=["app"])
    b.machine("batch", "web", "10.2.1.12", tags=["batch"])
    estate = b.build()
    row = conversation("10.2.1.10", "10.2.1.11", 8080, provider="gcp")
    found = usage(estate, row)
    rules = [
        (own, rule)
        for own in estate.rule_sets.values()
        for rule in own.rules
        if rule.id in {"ingress/app", "ingress/other"}
    ]
    assert [rule.id for own, rule in rules if found.used(own, rule)] == ["ingress/app"]


def test_policies_are_used_by_the_pods_that_they_select() -> None:
    b = ClusterBuilder("prod")
    b.workload("shop", "web")
    b.workload("shop", "db")
    b.policy("shop", "db", {"app": "db"}, ingress=(admit("tcp/5432", Pods({"app": "web"})), admit("tcp/22", Pods())))
    estate = b.build()
    row = conversation(
        "10.1.0.1", "10.1.0.2", 5432, provider="kubernetes", initiator_scope="prod", responder_scope="prod",
        initiator_interface="node", responder_interface="node", initiator_name="shop/web[Deployment]",
        responder_name="shop/db[Deployment]",
    )  # fmt: skip
    found = usage(estate, row)
    (policy,) = (each for each in estate.rule_sets.values() if each.own_id == "shop/NetworkPolicy/db")
    assert [str(rule.traffic) for rule in policy.rules if found.used(policy, rule)] == ["tcp/5432"]


def test_of_an_unknown_initiator_the_rules_of_both_directions_may_have_been_used() -> None:
    b = shop()
    b.group("sg-web", allow("ingress", "tcp/40000-41000", "10.0.2.0/24", rule_id="back"))
    b.group("sg-db", allow("ingress", "tcp/5432", "sg-web", rule_id="group"), allow("egress", "all", "0.0.0.0/0"))
    row = query(evidence="unknown", confidence="unknown", initiator_port=40123)
    assert used(b.build(), row) >= {"sg-web back", "sg-db group"}


def test_an_interface_that_is_gone_may_have_used_any_rule_that_would_have_carried_it() -> None:
    gone = conversation(
        "10.0.1.5", "10.0.2.50", 5432, initiator_interface="eni-web", responder_interface="eni-old",
        responder_network="vpc-1",
    )  # fmt: skip
    assert used(shop().build(), gone) == {"sg-web out", "sg-db group", "sg-db range"}


def test_whose_groups_were_not_read_may_have_used_any_rule_that_would_have_let_it_through() -> None:
    b = shop()
    b.group("sg-old", allow("ingress", "tcp/22", "10.0.1.0/24", rule_id="shell"))
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9", attached_unread=True)
    b.group("sg-db", allow("ingress", "tcp/5432", "sg-web", rule_id="group"))
    b.group("sg-more", allow("ingress", "tcp/5432", "10.0.1.0/24", rule_id="range"))
    shell = conversation("10.0.1.5", "10.0.2.9", 22, initiator_interface="eni-web", responder_interface="eni-db")

    # None of its known groups lets the shell in, so that one which was not read did; the query needs no such group.
    assert used(b.build(), shell) == {"sg-web out", "sg-old shell"}
    assert used(b.build(), query()) == {"sg-web out", "sg-db group"}


def test_whoever_is_gone_may_have_been_a_member_of_any_group() -> None:
    gone = conversation("10.0.3.3", "10.0.2.9", 5432, initiator_interface="eni-old", responder_interface="eni-db")
    estate = shop().build()
    assert {"sg-db group", "sg-web out"} <= used(estate, gone)
    found = use(estate, "sg-db", "group", gone)
    assert found is not None
    assert found.certain == 0


def test_a_gateway_in_between_meets_the_lists_of_its_subnet() -> None:
    b = shop()
    b.acl("acl-1", ["subnet-private"], ACL_OPEN)
    b.acl(
        "acl-out",
        ["subnet-public"],
        (acl_entry("ingress", 100, "tcp/443", "10.0.2.0/24"), acl_entry("egress", 100, "tcp/443", "0.0.0.0/0")),
    )
    b.interface("eni-nat", "subnet-public", address="10.0.1.6", public="203.0.113.10", role="nat_gateway")
    row = conversation("10.0.2.9", "198.51.100.7", 443, initiator_interface="eni-db", middle=("eni-nat",))
    estate = b.build()
    found = usage(estate, row)
    acl = estate.rule_sets[b.id("acl-out")]
    assert [rule.id for rule in acl.rules if found.used(acl, rule)] == ["ingress/100", "egress/100"]


def test_the_use_of_a_rule_counts_ends_and_ports() -> None:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/1-65535", "10.0.0.0/20", rule_id="wide"))
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    rows = [
        conversation(f"10.0.1.{host}", "10.0.2.9", port, responder_interface="eni-db", connections=3)
        for host, port in ((5, 5432), (6, 5432), (5, 22))
    ]
    found = use(b.build(), "sg-db", "wide", *rows)
    assert found is not None
    assert (found.conversations, found.connections, found.addresses, found.ports) == (3, 9, 2, 2)


@pytest.mark.semantics(118)
def test_what_was_accepted_and_no_rule_lets_through_today_is_told_apart() -> None:
    stale = conversation("10.0.1.5", "10.0.2.9", 3306, initiator_interface="eni-web", responder_interface="eni-db")
    found = usage(shop().build(), query(), stale)
    assert found.not_carried.tolist() == [1]


def test_conversations_without_a_known_end_are_counted() -> None:
    gone = conversation("10.0.3.3", "10.0.2.9", 5432, initiator_interface="eni-old", responder_interface="eni-db")
    found = usage(shop().build(), query(), gone, query(evidence="unknown", initiator_port=5432))
    assert (found.accepted, found.unplaced) == (3, 2)


@pytest.mark.parametrize("rows", [(), (query(verdict="refused"),)], ids=["nothing", "refused"])
def test_without_an_accepted_conversation_nothing_is_used(rows: tuple[dict[str, Any], ...]) -> None:
    assert used(shop().build(), *rows) == set()


def test_numbers_that_no_packet_bears_use_nothing() -> None:
    assert used(shop().build(), query(), conversation("10.0.1.5", "10.0.2.9", 70000, protocol=300)) == used(
        shop().build(), query()
    )
