"""Rules that name groups in place of addresses: whom they name, what stays, what is dropped, and why not."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.intent import Allowance, Intent
from cloudseg.model import Network, Workload
from cloudseg.model.edits import AddRule, Attach, CreateGroup
from cloudseg.remediations.replace_addresses_with_group import REMEDY
from cloudseg.remediations.words import change_text
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import AddressSet, Traffic
from tests.remediations.judged import answered, assert_carries, assert_gains_nothing, gains, losses

if TYPE_CHECKING:
    from cloudseg.model import Estate, Rule
    from cloudseg.observed.observations import Observations
    from tests.remediations.judged import Answers

OUT = allow("egress", "all", "0.0.0.0/0", rule_id="out")
OLD = "remove from sg-db: ingress tcp/5432 from 10.0.2.0/24"


def _id(own: str) -> str:
    return EstateBuilder.id(own)


def _builder(*rules: Rule) -> EstateBuilder:
    """Return a database with some rules, and a server of the group ``sg-app`` in another subnet."""
    b = EstateBuilder()
    b.group("sg-db", *(rules or (allow("ingress", "tcp/5432", "10.0.2.0/24"),)))
    b.group("sg-app", OUT)
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.9")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    return b


def _judge(b: EstateBuilder | Estate, flows: Observations | None = None, intent: Intent | None = None) -> Answers:
    """Return what is answered, of which no state lets anybody gain anything."""
    estate = b.build() if isinstance(b, EstateBuilder) else b
    judged = answered(REMEDY, "address-based-rule", estate, flows=flows, intent=intent)
    assert_gains_nothing(judged)
    return judged


def _flows(
    *rows: tuple[str, int] | tuple[str, int, dict[str, str | int | None]], logged: str = "eni-db"
) -> Observations:
    """Return conversations to the database: who asks, on which port, and further columns."""
    inside = {"initiator_network": "vpc-1", "responder_network": "vpc-1"}
    found = [seen(row[0], "10.0.1.9", row[1], **{**inside, **(row[2] if len(row) > 2 else {})}) for row in rows]
    return ExampleConversations(found, logs_of(logged))


# What stands for the range.


def test_without_evidence_the_groups_of_all_who_can_use_the_rule_are_named() -> None:
    b = _builder()
    b.group("sg-web", OUT)
    b.interface("eni-web", "subnet-private", ["sg-web"], "10.0.2.20")

    judged = _judge(b)

    assert judged.lines == (
        "add to sg-db: ingress tcp/5432 from sg-app",
        "add to sg-db: ingress tcp/5432 from sg-web",
        OLD,
    )
    assert losses(judged.estate, judged.after) == []
    assert judged.proposal.safety == "safe"


def test_who_cannot_use_the_rule_today_is_not_named_and_told() -> None:
    b = _builder()
    b.group("sg-mute")
    b.interface("eni-mute", "subnet-private", ["sg-mute"], "10.0.2.20")

    judged = _judge(b)

    assert judged.lines == ("add to sg-db: ingress tcp/5432 from sg-app", OLD)
    assert judged.proposal.drops[0] == "1 interface in the range (eni-mute) cannot use it today"


def test_evidence_narrows_to_the_groups_and_ports_that_were_seen() -> None:
    b = _builder(allow("ingress", "tcp/5000-6000", "10.0.2.0/24"))
    b.group("sg-web", OUT)
    b.interface("eni-web", "subnet-private", ["sg-web"], "10.0.2.20")

    judged = _judge(b, _flows(("10.0.2.10", 5432), ("10.0.2.10", 5433)))

    assert judged.lines == (
        "add to sg-db: ingress tcp/5432-5433 from sg-app",
        "remove from sg-db: ingress tcp/5000-6000 from 10.0.2.0/24",
    )
    assert judged.proposal.safety == "needs review"
    assert sorted(losses(judged.estate, judged.after)) == [
        ((_id("eni-app"),), (_id("eni-db"),), "tcp/5000-5431, tcp/5434-6000"),
        ((_id("eni-web"),), (_id("eni-db"),), "tcp/5000-6000"),
    ]
    assert_carries(judged, _id("eni-app"), _id("eni-db"), "tcp/5432-5433")


def test_what_was_seen_on_two_ports_apart_is_two_rules_on_aws() -> None:
    judged = _judge(
        _builder(allow("ingress", "tcp/5000-6000", "10.0.2.0/24")), _flows(("10.0.2.10", 5432), ("10.0.2.10", 5600))
    )

    assert judged.lines[:2] == (
        "add to sg-db: ingress tcp/5432 from sg-app",
        "add to sg-db: ingress tcp/5600 from sg-app",
    )


def test_a_rule_that_names_the_group_already_is_not_added_again() -> None:
    b = _builder(allow("ingress", "tcp/5432", "10.0.2.0/24"), allow("ingress", "tcp/5000-6000", "sg-app"))

    assert _judge(b).lines == (OLD,)


def test_egress_rules_name_the_group_at_the_other_end() -> None:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "sg-app"))
    b.group("sg-app", allow("egress", "tcp/5432", "10.0.1.0/24"))
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.9")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")

    judged = _judge(b)

    assert judged.lines == (
        "add to sg-app: egress tcp/5432 to sg-db",
        "remove from sg-app: egress tcp/5432 to 10.0.1.0/24",
    )
    assert losses(judged.estate, judged.after) == []


def test_the_intent_alone_narrows_as_well() -> None:
    b = _builder(allow("ingress", "tcp/5000-6000", "10.0.0.0/16"))
    b.group("sg-web", OUT)
    b.interface("eni-web", "subnet-private", ["sg-web"], "10.0.2.20")
    allowance = Allowance(sources=("app",), targets=("db",), traffic=Traffic.parse("tcp/5432"))

    judged = _judge(b, intent=_intent(allowance))

    assert judged.lines[0] == "add to sg-db: ingress tcp/5432 from sg-app"
    assert "1 interface in the range (eni-web) is not meant to use it" in judged.proposal.drops


def _intent(*allowances: Allowance, office: str = "") -> Intent:
    segments = [Segment(name=name, choice=Choice(groups=(f"sg-{name}",))) for name in ("app", "db")]
    if office:
        segments.append(Segment(name="office", choice=Choice(addresses=AddressSet.parse(office))))
    return Intent(segments=tuple(segments), allow=allowances)


def test_what_was_seen_is_kept_beside_what_is_meant() -> None:
    b = _builder()
    b.group("sg-web", OUT)
    b.interface("eni-web", "subnet-private", ["sg-web"], "10.0.2.20")
    allowance = Allowance(sources=("app",), targets=("db",), traffic=Traffic.parse("tcp/5432"))

    judged = _judge(b, _flows(("10.0.2.20", 5432)), _intent(allowance))

    assert judged.lines[:2] == (
        "add to sg-db: ingress tcp/5432 from sg-app",
        "add to sg-db: ingress tcp/5432 from sg-web",
    )


@pytest.mark.semantics(118)
def test_what_was_accepted_and_is_not_carried_today_opens_nothing() -> None:
    b = _builder()
    b.group("sg-mute")
    b.interface("eni-mute", "subnet-private", ["sg-mute"], "10.0.2.20")

    # The mute one was seen on the rule's port, and on another that nothing admits.
    judged = _judge(b, _flows(("10.0.2.10", 5432), ("10.0.2.20", 5432), ("10.0.2.10", 22)))

    assert judged.lines == ("add to sg-db: ingress tcp/5432 from sg-app", OLD)


@pytest.mark.semantics(116)
def test_that_membership_decides_is_told_as_an_assumption() -> None:
    assert _judge(_builder()).proposal.assumptions == (
        "whoever is given sg-app later is admitted, too, and whoever loses it is not",
    )


# Nobody is added.


def test_a_group_with_a_member_outside_of_the_range_is_not_named_and_the_choice_explained() -> None:
    b = _builder()
    b.group("sg-own", OUT)
    b.interface("eni-app", "subnet-private", ["sg-app", "sg-own"], "10.0.2.10")
    b.interface("eni-far", "subnet-public", ["sg-app"], "10.0.1.20")

    judged = _judge(b)

    assert judged.lines[0] == "add to sg-db: ingress tcp/5432 from sg-own"
    chosen, other = judged.proposal.considered
    assert (chosen.name, chosen.chosen) == ("sg-own", True)
    assert (other.name, other.chosen, other.adds) == ("sg-app", False, ("1 interface: eni-far",))


def test_a_member_whom_another_rule_of_the_list_admits_is_no_addition() -> None:
    b = _builder(allow("ingress", "tcp/5432", "10.0.2.0/24"), allow("ingress", "tcp/5000-6000", "10.0.1.0/24"))
    b.interface("eni-far", "subnet-public", ["sg-app"], "10.0.1.20")

    judged = answered(REMEDY, "address-based-rule", b.build())
    narrow = next(each for each in judged.proposals if "10.0.2.0/24" in each.summary)

    assert change_text(narrow.changes[0], judged.estate) == "add to sg-db: ingress tcp/5432 from sg-app"
    after = judged.estate.with_edits(edit for change in narrow.changes for edit in change.edits)
    assert gains(judged.estate, after) == []


def test_rules_that_several_are_replaced_by_are_one_and_the_same() -> None:
    b = _builder(allow("ingress", "tcp/5432", "10.0.2.0/24"), allow("ingress", "tcp/5432", "10.0.2.0/25"))

    first, second = answered(REMEDY, "address-based-rule", b.build()).proposals

    assert first.changes[0].edits == second.changes[0].edits
    assert first.changes[1].edits != second.changes[1].edits


@pytest.mark.semantics(14)
def test_who_has_an_ipv6_address_that_the_rule_does_not_admit_is_not_named() -> None:
    b = _dual()

    judged = _judge(b)

    assert judged.lines == ("add to sg-db: ingress tcp/5432 from 10.0.2.10", OLD)
    added = next(edit for change in judged.changes for edit in change.edits if isinstance(edit, AddRule))
    assert "would admit eni-app under its other addresses (fd00:1::10)" in added.rule.description.replace("/128", "")


@pytest.mark.semantics(14)
def test_ipv6_is_no_matter_where_nobody_judged_speaks_it_or_the_list_admits_it_too() -> None:
    four = _dual(database="10.0.1.9")
    assert _judge(four).lines == ("add to sg-db: ingress tcp/5432 from sg-app", OLD)

    both = _dual(allow("ingress", "tcp/5432", "10.0.2.0/24"), allow("ingress", "tcp/5432", "fd00:1::/64"))
    judged = answered(REMEDY, "address-based-rule", both.build())
    assert "add to sg-db: ingress tcp/5432 from sg-app" in judged.lines
    after = judged.estate.with_edits(edit for change in judged.proposals[0].changes for edit in change.edits)
    assert gains(judged.estate, after) == []


def _dual(*rules: Rule, database: str = "10.0.1.9, fd00:1::9") -> EstateBuilder:
    """Return a network of both families; the server has an address of each."""
    b = _builder(*rules)
    b.put(
        "networks",
        Network(
            id=_id("vpc-1"),
            kind="vpc",
            region="eu-west-1",
            pipeline="aws",
            addresses=AddressSet.parse("10.0.0.0/16, fd00:1::/56"),
        ),
    )
    b.group("sg-app", OUT, allow("egress", "all", "::/0", rule_id="out-ipv6"))
    b.interface("eni-db", "subnet-public", ["sg-db"], database)
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10, fd00:1::10")
    return b


def test_where_somebody_may_carry_any_group_nothing_is_named() -> None:
    b = _builder()
    b.interface("eni-unread", "subnet-public", [], "10.0.1.30", attached_unread=True)

    assert "which groups eni-unread carries was not read" in _judge(b).advice.reason


# New groups.


def _only_default(tags: dict[str, str] | None = None, **more: Any) -> EstateBuilder:
    """Return two servers with the default group alone, of which one stands in the range."""
    b = _builder()
    b.group("default", OUT, is_default=True)
    b.put("workloads", Workload(id=_id("i-app"), kind="instance", name="", region="eu-west-1", tags=tags or {}))
    b.interface("eni-app", "subnet-private", ["default"], "10.0.2.10", workload=_id("i-app"), **more)
    b.interface("eni-other", "subnet-public", ["default"], "10.0.1.20")
    return b


@pytest.mark.semantics(128)
def test_a_new_group_loses_its_egress_before_anybody_carries_it() -> None:
    judged = _judge(_only_default())
    changes = judged.proposal.changes

    assert [change.phase for change in changes] == ["prepare", "prepare", "add", "add", "remove"]
    (group,) = (edit.group for change in changes for edit in change.edits if isinstance(edit, CreateGroup))
    states = judged.states
    # Made with the rule that AWS gives it, emptied, and only then carried: a state after each change.
    assert [len(state.rule_sets[group.id].rules) for state in states] == [1, 0, 0, 0, 0]
    assert [len(state.members(group.id)) for state in states] == [0, 0, 1, 1, 1]
    assert_carries(judged, _id("eni-app"), _id("eni-db"), "tcp/5432")
    assert losses(judged.estate, judged.after) == []


@pytest.mark.semantics(128)
def test_joining_a_group_brings_its_grants_so_that_the_new_one_has_none() -> None:
    judged = _judge(_only_default())
    (group,) = (edit.group for change in judged.changes for edit in change.edits if isinstance(edit, CreateGroup))

    named = [rule_set.own_id for rule_set, _ in judged.after.references_to(group.id)]
    assert named == ["sg-db"]


def test_the_name_of_a_new_group_follows_from_its_members() -> None:
    first, again = _judge(_only_default()), _judge(_only_default())
    assert first.lines == again.lines

    other = _only_default()
    other.interface("eni-second", "subnet-private", ["default"], "10.0.2.11")
    assert _judge(other).lines[0] != first.lines[0]


def test_two_rules_for_the_same_ones_share_the_new_group() -> None:
    b = _only_default()
    b.group("sg-cache", allow("ingress", "tcp/6379", "10.0.2.0/24"))
    b.interface("eni-cache", "subnet-public", ["sg-cache"], "10.0.1.40")
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.9")

    judged = answered(REMEDY, "address-based-rule", b.build())

    every = [edit for each in judged.proposals for change in each.changes for edit in change.edits]
    made = [edit for edit in every if isinstance(edit, CreateGroup)]
    assert len(made) == 2
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("tags", "more", "setting"),
    [
        ({"aws:autoscaling:groupName": "web"}, {}, "the launch template of the auto scaling group web"),
        ({}, {"managed_by": "amazon-rds"}, "the setting of i-app, whose interface amazon-rds keeps"),
        ({}, {"derived": True}, "the setting of i-app, which makes its interfaces"),
    ],
)
def test_where_the_membership_would_not_last_the_setting_is_named(
    tags: dict[str, str], more: dict[str, object], setting: str
) -> None:
    advice = _judge(_only_default(tags, **more)).advice

    assert "would not last" in advice.reason
    assert advice.steps == (f"add a group of its own to {setting}, and plan again",)
    assert any(choice.name == "default" and choice.adds for choice in advice.considered)


def test_an_interface_with_as_many_groups_as_the_quota_allows_gets_no_further_one() -> None:
    b = _builder()
    groups = [f"sg-{number}" for number in range(5)]
    for group in groups:
        b.group(group, OUT)
        b.interface(f"eni-{group}", "subnet-public", [group], f"10.0.1.{50 + int(group[-1])}")
    b.interface("eni-app", "subnet-private", groups, "10.0.2.10")

    assert "carries 5 groups already" in _judge(b).advice.reason


# What stays as addresses.


def test_what_no_group_can_name_stays_by_its_address() -> None:
    b = _builder()
    b.interface("eni-nlb", "subnet-private", [], "10.0.2.30", role="network_load_balancer")

    judged = _judge(b)

    assert judged.lines == (
        "add to sg-db: ingress tcp/5432 from sg-app",
        "add to sg-db: ingress tcp/5432 from 10.0.2.30",
        OLD,
    )
    assert losses(judged.estate, judged.after) == []


def test_who_comes_from_outside_stays_by_the_addresses_that_were_seen_and_wants_an_owner() -> None:
    b = _builder(allow("ingress", "tcp/5432", "10.0.0.0/8"))

    judged = _judge(b, _flows(("10.0.2.10", 5432), ("10.77.1.5", 5432, {"initiator_network": None})))

    assert judged.lines[:2] == (
        "add to sg-db: ingress tcp/5432 from sg-app",
        "add to sg-db: ingress tcp/5432 from 10.77.1.5",
    )
    assert "nobody answers for 10.77.1.5 yet: give it an owner and an expiry in the intent" in judged.proposal.risks


def test_the_owner_and_the_expiry_of_an_allowance_stand_in_the_description() -> None:
    b = _builder(allow("ingress", "tcp/5432", "10.0.0.0/8"))
    allowance = Allowance(
        sources=("office",), targets=("db",), traffic=Traffic.parse("tcp/5432"), owner="it@shop.example",
        expires="2026-12-31",
    )  # fmt: skip

    judged = _judge(b, intent=_intent(allowance, office="10.200.0.0/24"))

    added = next(edit.rule for change in judged.changes for edit in change.edits if isinstance(edit, AddRule))
    assert str(added.remote[0].addresses) == "10.200.0.0/24"  # type: ignore[union-attr] - fails where it names no addresses
    assert added.description.startswith("kept of 10.0.0.0/8; owner it@shop.example; expires 2026-12-31; segment office")
    assert judged.proposal.risks == ()


def test_somebody_unknown_keeps_the_address_that_was_seen() -> None:
    judged = _judge(_builder(), _flows(("10.0.2.10", 5432), ("10.0.2.77", 5432)))

    assert judged.lines[:2] == (
        "add to sg-db: ingress tcp/5432 from sg-app",
        "add to sg-db: ingress tcp/5432 from 10.0.2.77",
    )


def test_the_rest_of_a_rule_that_names_more_than_addresses_inside_stays() -> None:
    b = _builder(msgspec.structs.replace(allow("ingress", "tcp/5432", "203.0.113.0/24, 10.0.2.0/24"), id="mixed"))

    judged = _judge(b)

    assert judged.lines == (
        "add to sg-db: ingress tcp/5432 from sg-app",
        "add to sg-db: ingress tcp/5432 from 203.0.113.0/24",
        "remove from sg-db: ingress tcp/5432 from 10.0.2.0/24, 203.0.113.0/24",
    )


def test_a_prefix_list_of_the_customers_is_replaced_as_addresses_are() -> None:
    b = _builder(allow("ingress", "tcp/5432", "pl-apps"))
    b.prefix_list("pl-apps", "10.0.2.0/24", name="apps")

    assert _judge(b).lines == (
        "add to sg-db: ingress tcp/5432 from sg-app",
        "remove from sg-db: ingress tcp/5432 from pl-apps (apps)",
    )


def test_who_moves_within_a_subnet_and_cannot_be_named_keeps_the_subnet() -> None:
    b = _dual(allow("ingress", "tcp/5432", "10.0.0.0/16"))
    tags = {"aws:autoscaling:groupName": "app"}
    b.put("workloads", Workload(id=_id("i-app"), kind="instance", region="eu-west-1", tags=tags))
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10, fd00:1::10", workload=_id("i-app"))

    judged = _judge(b)

    assert judged.lines[0] == "add to sg-db: ingress tcp/5432 from 10.0.2.0/24"


def test_a_range_of_which_all_is_needed_by_those_stays_and_nothing_is_proposed() -> None:
    b = _dual()
    b.group("sg-web", OUT)
    b.interface("eni-web", "subnet-private", ["sg-web"], "10.0.2.20")
    tags = {"aws:autoscaling:groupName": "app"}
    b.put("workloads", Workload(id=_id("i-app"), kind="instance", region="eu-west-1", tags=tags))
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10, fd00:1::10", workload=_id("i-app"))

    advice = _judge(b).advice

    assert advice.reason == "all of its addresses are needed by somebody whom no group can stand for"
    assert advice.steps[0].startswith("keep 10.0.2.0/24: a group would admit eni-app")


def test_that_the_address_of_a_services_interface_may_change_is_a_risk() -> None:
    b = _builder()
    b.interface("eni-dms", "subnet-private", [], "10.0.2.40", managed_by="amazon-dms")

    judged = _judge(b)

    assert "add to sg-db: ingress tcp/5432 from 10.0.2.40" in judged.lines
    assert any("may give it another" in risk for risk in judged.proposal.risks)


def test_across_regions_no_group_is_named_and_what_passes_stays_by_its_subnet() -> None:
    b = EstateBuilder()
    b.network("vpc-far", "10.9.0.0/16", region="us-east-1")
    b.peering("pcx-1", "vpc-far", regions=("eu-west-1", "us-east-1"))
    b.route("rtb-public", "10.9.0.0/16", "peering", "pcx-1")
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.0.0/8"))
    b.group("sg-app", OUT)
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.9")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")

    judged = _judge(b, _flows(("10.0.2.10", 5432)))

    assert judged.lines[0] == "add to sg-db: ingress tcp/5432 from sg-app"
    assert any("nobody there was seen" in drop for drop in judged.proposal.drops)


# Why nothing is narrowed, or nothing is proposed.


def test_logs_of_a_few_days_narrow_nothing() -> None:
    b = _builder(allow("ingress", "tcp/5000-6000", "10.0.2.0/24"))
    flows = _flows(("10.0.2.10", 5432))
    short = msgspec.structs.replace(flows.coverage, first=(flows.coverage.last or 0) - 3 * 86400)
    judged = _judge(b, ExampleConversations((seen("10.0.2.10", "10.0.1.9", 5432),), short))

    assert judged.lines[0] == "add to sg-db: ingress tcp/5000-6000 from sg-app"
    assert "nothing is narrowed: the flow logs cover 3 days, of 7 at least" in judged.changes[0].evidence


def test_what_was_not_logged_narrows_nothing() -> None:
    b = _builder(allow("ingress", "tcp/5000-6000", "10.0.2.0/24"))

    judged = _judge(b, _flows(("10.0.2.10", 5432), logged="eni-other"))

    assert judged.lines[0] == "add to sg-db: ingress tcp/5000-6000 from sg-app"


def test_a_conversation_without_a_known_initiator_narrows_nothing() -> None:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5000-6000", "10.0.2.0/24"), OUT)
    b.group("sg-app", allow("ingress", "tcp", "sg-db"), OUT)
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.9")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")

    judged = _judge(b, _flows(("10.0.2.10", 5432, {"evidence": "unknown", "initiator_port": 40000})))

    assert judged.lines[0] == "add to sg-db: ingress tcp/5000-6000 from sg-app"
    assert any("who opened them is not known" in fact for fact in judged.changes[0].evidence)


def test_conversations_of_who_is_gone_are_a_risk() -> None:
    judged = _judge(_builder(), _flows(("10.0.2.10", 5432), ("10.0.2.50", 5432, {"initiator_interface": "eni-old"})))

    assert any("had an other end that is gone" in risk for risk in judged.proposal.risks)


def test_an_address_that_nobody_bears_stays_beside_the_groups_where_nothing_is_narrowed() -> None:
    judged = _judge(_builder(), _flows(("10.0.2.10", 5432), ("10.0.2.251", 5432), logged="eni-app"))

    assert judged.lines == (
        "add to sg-db: ingress tcp/5432 from sg-app",
        "add to sg-db: ingress tcp/5432 from 10.0.2.251",
        OLD,
    )
    assert "no interface that was read bears 10.0.2.251" in judged.changes[1].reason


def test_an_address_that_nobody_bears_stays_where_nobody_knows_who_opened() -> None:
    opened: dict[str, str | int | None] = {"evidence": "unknown", "initiator_port": 40000}
    judged = _judge(_builder(), _flows(("10.0.2.10", 5432), ("10.0.2.251", 5432, opened)))

    assert "add to sg-db: ingress tcp/5432 from 10.0.2.251" in judged.lines


def test_who_may_be_there_still_keeps_the_address_and_who_was_deleted_does_not() -> None:
    read = _builder()
    old: dict[str, str | int | None] = {"initiator_interface": "eni-old", "initiator_scope": "444455556666"}
    gone: dict[str, str | int | None] = {"initiator_interface": "eni-gone"}

    judged = _judge(read, _flows(("10.0.2.10", 5432), ("10.0.2.50", 5432, old), ("10.0.2.51", 5432, gone)))

    assert "add to sg-db: ingress tcp/5432 from 10.0.2.50" in judged.lines
    assert not any("10.0.2.51" in line for line in judged.lines)
    assert any(
        "1 observed conversation through the rule had an other end that is gone" in r for r in judged.proposal.risks
    )


def test_where_nobody_was_seen_there_is_nobody_to_name() -> None:
    assert "nobody was seen" in _judge(_builder(), _flows(("10.0.2.10", 22))).advice.reason


def test_where_nobody_can_use_the_rule_there_is_nobody_to_name() -> None:
    b = _builder()
    b.group("sg-app")

    assert "nobody who was read can use it today" in _judge(b).advice.reason


def test_interfaces_that_were_not_read_keep_the_range() -> None:
    b = EstateBuilder(unread=("interfaces",))
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.2.0/24"))
    b.group("sg-app", OUT)
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.9")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")

    assert "were not read in full" in _judge(b).advice.reason


def test_routes_that_were_not_read_may_take_identity_away() -> None:
    b = EstateBuilder(unread=("routes",))
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.2.0/24"))
    b.group("sg-app", OUT)
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.9")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    estate = dataclasses.replace(b.build(), route_tables={})

    assert "routes that decide" in _judge(estate).advice.reason


def test_rules_that_a_controller_keeps_are_only_reported() -> None:
    b = _builder()
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.2.0/24"), managed_by="eks")

    assert _judge(b).advice.reason.startswith("eks keeps sg-db")


def test_an_estate_in_which_controllers_keep_every_list_gets_advice_alone() -> None:
    b = _builder()
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.2.0/24"), managed_by="eks")
    b.group("sg-app", allow("egress", "tcp/5432", "10.0.1.0/24"), managed_by="eks")

    judged = _judge(b)

    assert judged.proposals == ()
    assert len(judged.answers) == 2


def test_a_rule_that_could_not_be_read_in_full_is_left_alone() -> None:
    rule = msgspec.structs.replace(allow("ingress", "tcp/5432", "10.0.2.0/24"), exact=False, doubt="its ports are odd")

    assert _judge(_builder(rule)).advice.reason == "the rule could not be read in full: its ports are odd"


def test_a_rule_that_is_gone_is_told() -> None:
    judged = _judge(_builder())
    empty = judged.context.estate.with_edits(judged.changes[-1].edits)
    (answer,) = REMEDY.propose(type(judged.context).of(empty), judged.findings[0])

    assert getattr(answer, "reason", "") == "the rule is not in the estate any more"


def test_every_rule_that_is_added_is_named_for_what_it_says() -> None:
    judged = _judge(_builder())
    (added,) = (edit.rule for change in judged.changes for edit in change.edits if isinstance(edit, AddRule))

    assert added.id.startswith("cloudseg-")
    assert added.description == "for the example"
    assert not any(isinstance(edit, Attach) for change in judged.changes for edit in change.edits)
