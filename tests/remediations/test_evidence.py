"""Whether what was not seen of a rule's use is known not to be needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_flows import LAST, ExampleConversations, logs_of, seen
from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule
from cloudseg.intent import Allowance, Intent
from cloudseg.remediations.context import RemedyContext
from cloudseg.remediations.evidence import Evidence
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from cloudseg.flows.coverage import Coverage

DAY = 86_400


def _evidence(coverage: Coverage | None, intent: Intent | None = None) -> Evidence:
    """Return what is known of a rule that judges one interface."""
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.2.0/24"))
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.9")
    flows = None if coverage is None else ExampleConversations((seen("10.0.2.10", "10.0.1.9", 5432),), coverage)
    context = RemedyContext.of(b.build(), intent=intent, flows=flows)
    rule_set = context.estate.rule_sets[EstateBuilder.id("sg-db")]
    return context.evidence(rule_set, rule_set.rules[0])


def test_forty_days_of_all_that_it_judges_are_enough() -> None:
    found = _evidence(logs_of("eni-db"))

    assert found.complete
    assert found.window.endswith("(40 days)")


def test_nothing_is_known_without_logs_and_intent() -> None:
    assert _evidence(None) == Evidence(complete=False, reason="no flow logs and no intent were given")


@pytest.mark.parametrize(("days", "complete"), [(6, False), (7, True)])
def test_a_week_is_the_least(days: int, complete: bool) -> None:  # noqa: FBT001 - a column of the table
    window = {"first": LAST - days * DAY, "last": LAST}
    coverage = msgspec.structs.replace(logs_of("eni-db"), **window)

    assert _evidence(coverage).complete is complete


def test_whom_no_log_shows_may_need_more() -> None:
    found = _evidence(logs_of("eni-other"))

    assert not found.complete
    assert found.reason.startswith("not all that eni-db did was logged: ")


def test_an_intent_says_everything_by_itself() -> None:
    segment = Segment(name="db", choice=Choice(groups=("sg-db",)))
    allowed = Allowance(sources=("db",), targets=("db",), traffic=Traffic.parse("tcp/5432"))

    found = _evidence(None, Intent(segments=(segment,), allow=(allowed,)))

    assert found.complete
    assert found.intended


def test_a_sample_of_packets_is_not_all_of_them() -> None:
    b = GcpBuilder()
    b.firewall(gcp_rule("db", "ingress", "tcp/5432", "10.2.1.0/24"))
    b.machine("db", "data", "10.2.2.10")
    flows = ExampleConversations((seen("10.2.1.10", "10.2.2.10", 5432, provider="gcp"),), logs_of("db", provider="gcp"))
    context = RemedyContext.of(b.build(), flows=flows)
    rule_set = next(each for each in context.estate.rule_sets.values() if each.kind == "vpc-firewall-rules")

    assert context.evidence(rule_set, rule_set.rules[0]).reason == "Google Cloud logs a sample of the packets"
