"""What must go on passing, of what was observed and of what is intended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_flows import LAST, ExampleConversations, logs_of, seen
from cloudseg.intent import Allowance, Intent
from cloudseg.remediations.context import RemedyContext
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import AddressSet, Traffic

if TYPE_CHECKING:
    from cloudseg.model import Estate
    from cloudseg.remediations.demand import Demand, Passing, Through

RULE = "ingress/tcp/5432/10.0.0.0/8"


def _estate() -> Estate:
    """Return a database that admits 10.0.0.0/8 on one port, and two servers of which one may send."""
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.0.0/8"))
    b.group("sg-app", allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-mute")
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.9")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    b.interface("eni-mute", "subnet-private", ["sg-mute"], "10.0.2.11")
    return b.build()


def _seen(source: str, port: int = 5432, **more: object) -> dict[str, object]:
    return seen(source, "10.0.1.9", port, **{"initiator_network": "vpc-1", "responder_network": "vpc-1", **more})


def _context(*rows: dict[str, object], intent: Intent | None = None) -> RemedyContext:
    return RemedyContext.of(_estate(), intent=intent, flows=ExampleConversations(rows, logs_of("eni-db")))


def _demand(*rows: dict[str, object]) -> Demand:
    return _context(*rows).demand


def _through(context: RemedyContext) -> Through:
    rule_set = context.estate.rule_sets[EstateBuilder.id("sg-db")]
    (rule,) = rule_set.rules
    return context.through(rule_set, rule)


def _told(passing: Passing) -> tuple[str, str, int]:
    return (
        passing.other.interface.rpartition(":")[2] or passing.other.address,
        str(passing.traffic),
        passing.connections,
    )


def test_conversations_with_the_same_ends_and_port_are_one_need() -> None:
    demand = _demand(_seen("10.0.2.10", connections=3), _seen("10.0.2.10", connections=4, initiator_port=4711))

    (need,) = demand
    assert need.source.interface.endswith("eni-app")
    assert need.target.interface.endswith("eni-db")
    assert (str(need.traffic), need.connections, need.last_seen) == ("tcp/5432", 7, LAST)
    assert len(demand) == 1
    assert demand.given


def test_two_ports_are_two_needs() -> None:
    demand = _demand(
        _seen("10.0.2.10"), seen("10.0.2.10", "203.0.113.5", 443, initiator_network="vpc-1"), _seen("10.0.2.10")
    )

    assert sorted(str(need.traffic) for need in demand) == ["tcp/443", "tcp/5432"]


@pytest.mark.semantics(118)
def test_what_was_accepted_and_is_not_carried_today_is_listed_and_no_need() -> None:
    # Nothing lets eni-mute send, and no rule of the database admits tcp/22.
    demand = _demand(_seen("10.0.2.11"), _seen("10.0.2.10", 22))

    assert list(demand) == []
    listed = [(need.source.address, str(need.traffic)) for need in demand.listed(demand.not_carried)]
    assert sorted(listed) == [("10.0.2.10", "tcp/22"), ("10.0.2.11", "tcp/5432")]


def test_what_was_refused_is_listed_and_no_need() -> None:
    demand = _demand(_seen("10.0.2.10", verdict="refused"), _seen("10.0.2.10", verdict="reply-refused"))

    assert list(demand) == []
    assert [str(need.traffic) for need in demand.listed(demand.refused)] == ["tcp/5432"]


def test_without_conversations_and_intent_nothing_is_given() -> None:
    assert not RemedyContext.of(_estate()).demand.given
    assert not _demand().given


def test_a_rule_carries_its_conversations_by_their_other_end() -> None:
    through = _through(_context(_seen("10.0.2.10", connections=2), _seen("10.9.9.9", initiator_network=None)))

    assert [_told(each) for each in through.passing] == [("eni-app", "tcp/5432", 2), ("10.9.9.9", "tcp/5432", 1)]
    assert through.passing[1].other.kind == "beyond"
    assert (through.unknown, through.gone, through.unplaced) == ((), 0, 0)
    assert through.traffic == Traffic.parse("tcp/5432")


def test_who_may_have_been_several_is_told_with_an_address_and_is_no_need() -> None:
    context = _context(_seen("10.0.2.77"))
    through = _through(context)

    assert through.passing == ()
    assert [end.address for end in through.unknown] == ["10.0.2.77"]
    assert context.demand.unplaced == 1


def test_interfaces_that_are_gone_are_counted() -> None:
    through = _through(_context(_seen("10.0.2.50", initiator_interface="eni-old")))

    assert (through.passing, through.gone) == ((), 1)


def test_conversations_of_which_nobody_knows_who_opened_them_may_have_used_the_rule() -> None:
    # Both ends admit it the one way and the other: nothing tells who opened it.
    b = EstateBuilder()
    everything = (allow("ingress", "tcp", "10.0.0.0/8"), allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-db", *everything)
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.9")
    b.interface("eni-app", "subnet-private", ["sg-db"], "10.0.2.10")
    flows = ExampleConversations((_seen("10.0.2.10", evidence="unknown", initiator_port=40000),), logs_of("eni-db"))
    context = RemedyContext.of(b.build(), flows=flows)

    through = _through_of(context, "ingress")

    assert through.passing == ()
    assert through.unplaced == 1


def _through_of(context: RemedyContext, direction: str) -> Through:
    rule_set = context.estate.rule_sets[EstateBuilder.id("sg-db")]
    return context.through(rule_set, next(rule for rule in rule_set.rules if rule.direction == direction))


def _segment(name: str, **choice: object) -> Segment:
    return Segment(name=name, choice=Choice(**choice))  # type: ignore[arg-type] - fields of a choice, by name


def _intent(*allowances: Allowance) -> Intent:
    return Intent(
        segments=(
            _segment("db", groups=("sg-db",)),
            _segment("app", groups=("sg-app",)),
            _segment("office", addresses=AddressSet.parse("10.200.0.0/24, 192.0.2.0/24")),
        ),
        allow=allowances,
    )


def test_the_intent_is_asked_for_those_whom_the_rule_admits() -> None:
    intent = _intent(Allowance(sources=("app",), targets=("db",), traffic=Traffic.parse("tcp/5432, tcp/22")))
    context = RemedyContext.of(_estate(), intent=intent)
    (passing,) = _through(context).passing

    # tcp/22 is meant as well, and not the rule's to admit.
    assert _told(passing) == ("eni-app", "tcp/5432", 0)
    assert passing.intended
    assert context.demand.given
    app, db = (EstateBuilder.id(f"eni-{name}") for name in ("app", "db"))
    assert str(context.demand.allowed(app, db)) == "tcp/22, tcp/5432"
    assert not context.demand.allowed(db, app)


def test_outside_segments_come_with_owner_and_expiry_as_far_as_the_rule_admits_them() -> None:
    allowance = Allowance(
        sources=("office",), targets=("db",), traffic=Traffic.parse("tcp/5432"), owner="it@shop.example",
        expires="2026-12-31",
    )  # fmt: skip
    (passing,) = _through(RemedyContext.of(_estate(), intent=_intent(allowance))).passing

    assert passing.other.kind == "outside"
    assert passing.other.address == "10.200.0.0/24"
    assert (passing.owner, passing.expires) == ("it@shop.example", "2026-12-31")


def test_allowances_that_are_over_are_nothing_that_must_go_on() -> None:
    over = Allowance(sources=("app",), targets=("db",), traffic=Traffic.parse("tcp/5432"), expires="2026-01-01")

    assert _through(RemedyContext.of(_estate(), intent=_intent(over))).passing == ()


def test_what_was_seen_and_is_meant_of_one_end_is_told_together() -> None:
    intent = _intent(Allowance(sources=("app",), targets=("db",), traffic=Traffic.parse("tcp/5432")))
    (passing,) = _through(_context(_seen("10.0.2.10"), intent=intent)).passing

    assert _told(passing) == ("eni-app", "tcp/5432", 1)
    assert passing.intended
