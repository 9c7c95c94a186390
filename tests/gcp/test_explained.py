"""What explain tells of lists that are asked in turn: where packets are decided, and what would have to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import Traffic
from tests.gcp.agreeing import translated
from tests.gcp.raw_parts import policy_rule, vpc
from tests.gcp.shapes import one_network

if TYPE_CHECKING:
    from cloudseg.reach.explaining.explanation import Explanation
    from tests.gcp.raw import Raw

HTTPS = Traffic.parse("tcp/443")


def told(raw: Raw) -> Explanation:
    estate = translated(raw.answers)
    source, target = (
        next(each for each in estate.interfaces if each.endswith(f"/instances/{name}/nic0")) for name in ("a", "b")
    )
    return explain(Reachability(estate), source, target, HTTPS)


def gone(raw: Raw) -> list[tuple[str, list[str]]]:
    return [(cut.direction, [rule.rule for rule in cut.rules]) for cut in told(raw).cuts]


def test_a_rule_that_accepts_for_good_would_have_to_go() -> None:
    raw = one_network(vpc("allow", "tcp:443", target_tags=["db"]))
    (_, inward), (_, outward) = gone(raw)
    assert len(inward) == 1
    assert outward == ["egress/implied-allow"]


def test_so_would_rules_of_every_list_that_would_accept_in_its_place() -> None:
    raw = one_network(vpc("allow", "tcp:443", target_tags=["db"]))
    raw.policy("guard", ["main"], policy_rule(100, "allow", "tcp:443"))
    inward = next(rules for direction, rules in gone(raw) if direction == "ingress")
    assert len(inward) == 2
    assert "ingress/100" in inward


def test_what_hands_on_would_not_have_to_go() -> None:
    raw = one_network(vpc("allow", "tcp:443", target_tags=["db"]))
    raw.above("main", [policy_rule(50, "goto_next")])
    inward = next(rules for direction, rules in gone(raw) if direction == "ingress")
    assert "ingress/50" not in inward


def test_lists_behind_one_that_accepts_are_not_asked() -> None:
    raw = one_network(vpc("allow", "tcp:443", target_tags=["db"]))
    raw.policy("guard", ["main"], policy_rule(100, "deny", "tcp:443"))
    answer = told(raw)
    assert answer.verdict == "allowed"
    assert not any("guard" in rule.label for step in answer.steps for rule in step.rules if step.direction == "ingress")
