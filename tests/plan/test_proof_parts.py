"""The parts of the proof: what single edits do, which states count, the naive evaluator, quotas."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import msgspec
import pytest

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_rule
from cloudseg.model import (
    AddRule,
    AddRuleSet,
    Attach,
    Detach,
    InSubnets,
    RemoveRule,
    Rule,
    RuleSet,
    Stage,
)
from cloudseg.plan.naive import Evaluator, Party, Sent
from cloudseg.plan.proving import second
from cloudseg.plan.proving.effects import Drafted
from cloudseg.plan.proving.states import course_of
from cloudseg.plan.quotas import Limits, over_limits
from cloudseg.traffic import AddressSet, Traffic
from tests.plan.proof_cases import BY_GROUP, add, own, proved, remove, shop

if TYPE_CHECKING:
    from cloudseg.model import Direction, Edit, Estate, Verdict
    from cloudseg.plan.naive import Answer

T = Traffic.parse


def listed(*rules: Rule, miss: Verdict = "deny") -> Estate:
    """An estate with one ordered list at the subnet of the shop's interfaces."""
    b = shop()
    estate = b.build()
    stage = Stage(name="ordered", at="subnet", stateful=True, match="first", miss=miss)
    pipeline = estate.pipelines["aws"]
    pipeline = msgspec.structs.replace(pipeline, ingress=(stage, *pipeline.ingress))
    held = RuleSet(
        id=own("list-1"),
        kind="network-security-group",
        stage="ordered",
        rules=rules,
        applies=InSubnets(frozenset((own("subnet-private"),))),
    )
    return dataclasses.replace(estate, pipelines={"aws": pipeline}, rule_sets={**estate.rule_sets, held.id: held})


def ordered(priority: int, verdict: Verdict, traffic: str = "all") -> Rule:
    rule = acl_entry("ingress", priority, traffic, "0.0.0.0/0")
    return msgspec.structs.replace(rule, verdict=verdict)


@pytest.mark.parametrize(
    ("held", "new", "effect"),
    [
        (("next", "deny"), "next", "grows"),
        (("next", "deny"), "deny", "shrinks"),
        (("accept", "deny"), "next", "either"),
        (("next", "deny"), "accept", "grows"),
        (("deny",), "deny", "none"),
    ],
)
def test_a_rule_of_an_ordered_list_is_judged_by_what_it_may_stand_before(
    held: tuple[Verdict, ...], new: Verdict, effect: str
) -> None:
    estate = listed(*(ordered(200 + place, verdict) for place, verdict in enumerate(held)))
    put = AddRule(own("list-1"), ordered(100, new))
    found = Drafted(estate).make(put)
    assert found == ("grows" if effect == "none" else effect)
    opposite = {"grows": "shrinks", "shrinks": "grows", "either": "either", "none": "shrinks"}
    assert Drafted(estate.with_edits([put])).make(RemoveRule(own("list-1"), "ingress/100")) == opposite[effect]


def test_edits_of_groups_add_and_take_away() -> None:
    estate = shop().build()
    assert Drafted(estate).make(add(BY_GROUP)) == "grows"
    assert Drafted(estate).make(remove("wide")) == "shrinks"
    draft = Drafted(estate)
    draft.make(add(BY_GROUP))
    # The group brings its egress rule and what names it; the one that it has stays.
    assert draft.make(Attach(own("eni-batch"), own("sg-web"))) == "grows"
    assert draft.make(Detach(own("eni-batch"), own("sg-web"))) == "shrinks"


def test_the_first_list_of_an_interface_takes_away_and_a_second_one_adds() -> None:
    b = shop()
    b.interface("eni-bare", "subnet-private", [], "10.0.2.50")
    estate = b.build()
    first, second_one = Attach(own("eni-bare"), own("sg-db")), Attach(own("eni-bare"), own("sg-web"))
    draft = Drafted(estate)
    assert draft.make(first) == "shrinks"
    assert draft.make(second_one) == "grows"


def test_states_count_where_the_course_turns() -> None:
    estate = shop().build()
    other = add(allow("ingress", "tcp/1", "sg-web", rule_id="a"))
    more = add(allow("ingress", "tcp/2", "sg-web", rule_id="b"))
    edits: list[Edit] = [other, more, remove("wide"), remove("a")]
    found = course_of(estate, [(edit,) for edit in edits]).checkpoints
    assert [(each.place, each.gains, each.losses) for each in found] == [(2, True, False), (4, False, True)]
    turning = course_of(estate, [(edit,) for edit in (other, remove("wide"), more)]).checkpoints
    assert [each.place for each in turning] == [1, 2, 3]


def test_a_list_that_isolates_some_and_adds_for_others_is_a_state_of_its_own() -> None:
    estate = listed(ordered(100, "next"))
    held = estate.rule_sets[own("list-1")]
    further = msgspec.structs.replace(held, id=own("list-2"), rules=(ordered(50, "next", "tcp/1"),))
    assert Drafted(estate).make(AddRuleSet(further)) == "either"


def answer(estate: Estate, source: str, target: str, traffic: str, direction: Direction) -> Answer:
    parties: list[Party] = []
    for text in (source, target):
        interface = estate.interfaces.get(own(text))
        parties.append(Party(interface, AddressSet.parse(text) if interface is None else interface.addresses))
    return Evaluator(estate).at(Sent(parties[0], parties[1], T(traffic)), direction)


@pytest.mark.parametrize(
    ("source", "target", "traffic", "direction", "expected"),
    [
        ("eni-web", "eni-db", "tcp/5432", "ingress", "passes"),
        ("eni-web", "eni-db", "tcp/5433", "ingress", "stopped"),
        ("198.51.100.7", "eni-db", "tcp/5432", "ingress", "stopped"),
        ("eni-web", "eni-db", "udp/5432", "ingress", "stopped"),
        ("eni-web", "198.51.100.7", "icmp/8", "egress", "passes"),
        ("eni-db", "198.51.100.7", "tcp/443", "egress", "stopped"),
    ],
)
def test_the_naive_evaluator_takes_a_packet_through_the_lists_of_one_end(
    source: str, target: str, traffic: str, direction: Direction, expected: str
) -> None:
    assert answer(shop().build(), source, target, traffic, direction) == expected


def test_the_naive_evaluator_knows_what_is_not_known() -> None:
    b = shop()
    b.prefix_list("pl-1", read=False)
    b.group("sg-db", allow("ingress", "tcp/5432", "pl-1"), allow("ingress", "tcp/5433", "sg-web"))
    estate = b.build()
    assert answer(estate, "eni-web", "eni-db", "tcp/5432", "ingress") == "unknown"
    assert answer(estate, "eni-web", "eni-db", "tcp/5433", "ingress") == "passes"
    assert answer(estate, "eni-batch", "eni-db", "tcp/5433", "ingress") == "stopped"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((ordered(100, "deny"), ordered(200, "next")), "stopped"),
        ((ordered(100, "next"), ordered(200, "deny")), "passes"),
        ((ordered(100, "deny", "tcp/22"), ordered(200, "next")), "passes"),
        # Accepted for good: the group behind it is not asked.
        ((ordered(100, "accept"),), "passes"),
        ((), "stopped"),
    ],
)
def test_the_naive_evaluator_takes_the_first_match(rules: tuple[Rule, ...], expected: str) -> None:
    estate = listed(*rules)
    assert answer(estate, "eni-web", "eni-db", "tcp/5432", "ingress") == expected


def test_the_naive_evaluator_asks_lists_without_state_for_the_answer_too() -> None:
    b = shop()
    b.interface("eni-out", "subnet-public", ["sg-web"], "10.0.1.10")
    entries = [acl_entry("ingress", 100, "all", "0.0.0.0/0")]
    for ports, expected in (("tcp/1024-65535", "passes"), ("tcp/1024-2000", "unknown"), ("udp", "stopped")):
        rules = (*entries, acl_entry("egress", 100, ports, "0.0.0.0/0"))
        b.acl("acl-1", ["subnet-public"], ())
        b.acl("acl-2", ["subnet-private"], rules)
        assert answer(b.build(), "eni-out", "eni-db", "tcp/5432", "ingress") == expected
        # Packets inside a subnet do not meet it.
        assert answer(b.build(), "eni-web", "eni-db", "tcp/5432", "ingress") == "passes"


def test_evaluators_that_disagree_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(self: Evaluator, packet: Sent, direction: Direction, *, stateless: bool = True) -> Answer:
        return "stopped"

    monkeypatch.setattr(second.Evaluator, "at", blind)
    proof = proved(shop().build(), [add(BY_GROUP), remove("wide")])
    assert not proof.holds
    problem = proof.problems[0]
    assert problem.kind == "disagreement"
    assert problem.witness is not None
    assert str(problem.witness) in problem.reason
    assert problem.blamed == (0, 1)


@pytest.mark.semantics(120)
def test_old_and_new_rules_together_fit_into_a_group_of_aws() -> None:
    b = shop()
    rules = [allow("ingress", f"tcp/{port}", "10.0.0.0/16", rule_id=f"r{port}") for port in range(60)]
    b.group("sg-db", *rules)
    estate = b.build()
    swap = [add(allow("ingress", "tcp/0", "sg-web", rule_id="new")), remove("r0")]
    (problem,) = proved(estate, swap).problems
    assert problem.kind == "quota"
    assert problem.reason == "sg-db would have 61 ingress rules for IPv4; the limit is 60"
    assert problem.blamed == (0,)
    assert not over_limits(estate, estate.with_edits(swap), estate.interfaces)
    assert not over_limits(estate, estate.with_edits(swap[:1]), estate.interfaces, Limits(rules=61))


@pytest.mark.semantics(120)
def test_a_prefix_list_counts_as_many_rules_as_it_may_hold() -> None:
    b = shop()
    b.prefix_list("pl-1", *(f"10.{number}.0.0/16" for number in range(58)))
    estate = b.build()
    named = [add(allow("ingress", f"tcp/{port}", "pl-1", rule_id=f"r{port}")) for port in (1, 2)]
    assert not over_limits(estate, estate.with_edits(named[:1]), estate.interfaces)
    assert [each.resource for each in over_limits(estate, estate.with_edits(named), estate.interfaces)] == [
        own("sg-db")
    ] * 2


@pytest.mark.semantics(120)
def test_an_interface_of_aws_carries_five_groups_unless_told() -> None:
    b = shop()
    for number in range(6):
        b.group(f"sg-{number}")
    estate = b.build()
    edits = [Attach(own("eni-web"), own(f"sg-{number}")) for number in range(5)]
    assert not over_limits(estate, estate.with_edits(edits[:4]), [own("eni-web")])
    (over,) = over_limits(estate, estate.with_edits(edits), [own("eni-web")])
    assert over.reason.endswith("would have 6 security groups; the limit is 5")
    assert not over_limits(estate, estate.with_edits(edits), [own("eni-web")], Limits(groups=6))


@pytest.mark.semantics(49)
@pytest.mark.parametrize(
    ("priority", "words"),
    [(200, "would both have priority 200 for ingress"), (99, "priority 99; it must be 100 to 4096")],
)
def test_priorities_of_azure_are_unique_and_in_range(priority: int, words: str) -> None:
    b = NsgBuilder()
    name = b.nsg("data", nsg_rule("ingress", 200, "tcp/1"), subnet="data")
    b.machine("data", "data", "10.1.2.4")
    rule = msgspec.structs.replace(nsg_rule("ingress", priority, "tcp/2"), id="inbound/new")
    estate = b.build()
    (over,) = over_limits(estate, estate.with_edits([AddRule(name, rule)]), ())
    assert words in over.reason


def test_a_list_that_is_over_its_limit_today_may_not_grow_further() -> None:
    b = EstateBuilder()
    b.group("sg-db", *(allow("ingress", f"tcp/{port}", "10.0.0.0/16", rule_id=f"r{port}") for port in range(80)))
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.30")
    estate = b.build()
    assert not over_limits(estate, estate.with_edits([remove("r0")]), estate.interfaces)
    (over,) = over_limits(
        estate, estate.with_edits([add(allow("ingress", "tcp/99", "10.0.0.0/16"))]), estate.interfaces
    )
    assert "81 ingress rules" in over.reason
