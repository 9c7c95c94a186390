"""The default group is emptied: its carriers keep what they need, and nobody gains anything on the way."""

from __future__ import annotations

from typing import Any

import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.model import Estate, Template
from cloudseg.model.edits import Attach, Detach
from cloudseg.remediations.empty_default_group import REMEDY
from tests.remediations.judged import answered, assert_carries, assert_gains_nothing, losses

ONE, TWO, WEB = (EstateBuilder.id(f"eni-{name}") for name in ("1", "2", "web"))


def carried(**more: Any) -> EstateBuilder:
    b = EstateBuilder()
    rules = (allow("ingress", "all", "sg-default"), allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-default", *rules, name="default", is_default=True)
    b.interface("eni-1", "subnet-private", ["sg-default"], "10.0.2.10", **more)
    b.interface("eni-2", "subnet-private", ["sg-default"], "10.0.2.11")
    return b


def used(port: int = 8080) -> ExampleConversations:
    row = seen("10.0.2.10", "10.0.2.11", port, initiator_interface="eni-1", responder_interface="eni-2")
    return ExampleConversations([row], logs_of("eni-1", "eni-2", "eni-web"))


def test_without_evidence_carriers_keep_every_pair_in_a_group_of_their_own() -> None:
    judged = answered(REMEDY, "default-group-in-use", carried().build())

    assert_gains_nothing(judged)
    assert_carries(judged, ONE, TWO, "all")
    assert losses(judged.estate, judged.after) == []
    default = judged.after.rule_sets[EstateBuilder.id("sg-default")]
    assert default.rules == ()
    assert judged.after.governed(default) == ()
    assert any("as open inside as the default one was" in risk for risk in judged.proposal.risks)


def test_with_evidence_carriers_keep_what_was_seen() -> None:
    judged = answered(REMEDY, "default-group-in-use", carried().build(), flows=used())

    assert_gains_nothing(judged)
    assert_carries(judged, ONE, TWO, "tcp/8080")
    assert ((ONE, TWO), (ONE, TWO), "all except tcp/8080") in losses(judged.estate, judged.after)


def test_every_carrier_has_the_new_group_before_any_gives_the_default_one_up() -> None:
    judged = answered(REMEDY, "default-group-in-use", carried().build())

    kinds = [type(change.edits[0]) for change in judged.changes]
    assert max(at for at, kind in enumerate(kinds) if kind is Attach) < kinds.index(Detach)


@pytest.mark.semantics(128)
def test_the_new_group_lets_nothing_out_that_nobody_needs_and_comes_with_no_grants() -> None:
    b = carried()
    b.group("sg-other", allow("ingress", "tcp/22", "sg-default"))
    b.interface("eni-web", "subnet-public", ["sg-other"], "10.0.1.5")
    judged = answered(REMEDY, "default-group-in-use", b.build(), flows=used())

    new = next(edit.identity for change in judged.changes for edit in change.edits if isinstance(edit, Attach))
    assert [rule.id for rule in judged.after.rule_sets[new].rules if rule.id.startswith("default-egress")] == []
    # The rule that named the default group names the new one, which has the same members, until the old one goes.
    named = [str(rule.remote[0].group) for rule in judged.after.rule_sets[EstateBuilder.id("sg-other")].rules]  # type: ignore[union-attr]
    assert named == [new]
    assert_gains_nothing(judged)


def test_a_controllers_rule_that_names_the_default_group_stops_it() -> None:
    b = carried()
    b.group("sg-other", allow("ingress", "tcp/22", "sg-default"), managed_by="an operator")
    judged = answered(REMEDY, "default-group-in-use", b.build())

    assert "a rule names sg-default (default) that a plan cannot change" in judged.advice.reason


@pytest.mark.parametrize(
    ("more", "setting"),
    [
        ({"tags": {"aws:autoscaling:groupName": "web"}}, "the launch template of the auto scaling group web"),
        ({"derived": True}, "which makes its interfaces"),
        ({"role": "lambda"}, "(lambda)"),
        ({"managed_by": "rds"}, "whose interface rds keeps"),
    ],
)
def test_membership_that_would_not_last_is_changed_where_it_is_set(more: dict[str, Any], setting: str) -> None:
    judged = answered(REMEDY, "default-group-in-use", carried(**more).build())

    assert judged.proposals == ()
    assert any(setting in step for step in judged.advice.steps)


def test_a_launch_template_that_names_an_idle_default_group_stops_it() -> None:
    b = EstateBuilder()
    b.group("sg-default", allow("ingress", "all", "sg-default"), name="default", is_default=True)
    b.put(
        "templates",
        Template(id=b.id("lt-1"), kind="launch-template", region="eu-west-1", groups=frozenset((b.id("sg-default"),))),
    )
    judged = answered(REMEDY, "default-group-in-use", b.build())

    assert judged.advice.steps == ("choose another group in launch-template lt-1",)


def test_a_group_that_nobody_carries_is_emptied_safely() -> None:
    b = EstateBuilder()
    b.group("sg-default", allow("ingress", "all", "sg-default"), name="default", is_default=True)
    judged = answered(REMEDY, "default-group-in-use", b.build())

    assert judged.proposal.safety == "safe"
    assert_gains_nothing(judged)
    assert losses(judged.estate, judged.after) == []


def test_interfaces_that_were_not_read_may_carry_it() -> None:
    b = EstateBuilder(unread=["interfaces"])
    b.group("sg-default", allow("ingress", "all", "sg-default"), name="default", is_default=True)
    judged = answered(REMEDY, "default-group-in-use", b.build())

    assert "not every interface was read" in judged.advice.reason


def test_a_carrier_whose_groups_were_not_read_in_full_stops_it() -> None:
    b = carried()
    b.interface("eni-3", "subnet-private", [], "10.0.2.12", attached_unread=True)
    estate: Estate = b.build()
    judged = answered(REMEDY, "default-group-in-use", estate)

    assert "was not read in full" in judged.advice.reason


def test_a_rule_for_the_internet_is_not_carried_over_beyond_what_was_seen() -> None:
    b = carried()
    rules = (
        allow("ingress", "all", "sg-default"),
        allow("ingress", "tcp/8888", "0.0.0.0/0"),
        allow("egress", "all", "0.0.0.0/0"),
    )
    b.group("sg-default", *rules, name="default", is_default=True)
    rows = (
        seen("198.51.100.7", "10.0.2.11", 8888, responder_interface="eni-2"),
        seen("10.0.2.10", "10.0.2.11", 8080, initiator_interface="eni-1", responder_interface="eni-2"),
    )
    b.interface("eni-2", "subnet-public", ["sg-default"], "10.0.2.11", "203.0.113.9")
    flows = ExampleConversations(rows, logs_of("eni-1", "eni-2"))
    judged = answered(REMEDY, "default-group-in-use", b.build(), flows=flows)

    added = [line for line in judged.lines if "ingress tcp/8888" in line and ": ingress" in line]
    assert [line.rpartition(" from ")[2] for line in added if line.startswith("add")] == ["198.51.100.7"]
    assert_gains_nothing(judged)
