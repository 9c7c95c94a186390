"""Which proposals go together, in which order, and what is left when a proof refuses some."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.checks.example_estates import allow
from cloudseg.findings import Severity
from cloudseg.model.edits import AddRule, Attach, Detach, RemoveGroup, RemoveRule, RemoveRuleSet, SetLabel
from cloudseg.plan.conflicts import together
from cloudseg.plan.ordering import first_misfit, in_order
from cloudseg.plan.settling import Verdict, Violation, settled
from tests.plan.plans import DB, NARROW, NEW, candidate, change, joining, narrowed, new_group, own, shop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model.edits import Edit
    from cloudseg.plan.ordering import Step

LOST = Violation(
    kind="lost", source="web", target="db", traffic="tcp/5432", rule="wide of sg-db",
    words="it would stop web to db", certain=True, when="at the end", steps=(),
)  # fmt: skip


def test_of_two_proposals_about_one_rule_the_first_is_taken() -> None:
    replaced = candidate(*narrowed())
    more = AddRule(DB, allow("ingress", "tcp/80", "sg-web", rule_id="more"))
    other = candidate(change("add", more), change("remove", RemoveRule(DB, "wide")), remedy=1)

    found = together((replaced, other))

    assert found.kept == (replaced,)
    assert [(each.candidate, each.first, each.about) for each in found.conflicts] == [
        (other, replaced, "the rule wide of sg-db")
    ]
    assert together((other, replaced)).kept == (other,)


def test_a_proposal_that_is_part_of_another_is_no_conflict() -> None:
    whole = candidate(*narrowed())
    part = candidate(change("remove", RemoveRule(DB, "wide")), remedy=1)

    found = together((whole, part))

    assert found.kept == (whole,)
    assert found.part_of == ((part, whole.id),)
    assert not found.conflicts


def test_proposals_about_different_rules_go_together() -> None:
    one = candidate(change("remove", RemoveRule(DB, "wide")))
    other = candidate(change("remove", RemoveRule(DB, "ssh")))

    assert together((one, other)).kept == (one, other)


def test_two_proposals_may_need_the_same_new_group() -> None:
    one = candidate(*new_group(), joining("eni-web"))
    other = candidate(*new_group(), joining("eni-db"))

    found = together((one, other))
    steps = in_order(found.kept)

    assert found.kept == (one, other)
    assert [step.owners for step in steps] == [(0, 1), (0, 1), (0,), (1,)]


def test_a_group_that_one_proposal_takes_away_cannot_be_named_by_another() -> None:
    takes = candidate(change("clean", RemoveGroup(own("sg-web")), RemoveRuleSet(own("sg-web"))))
    names = candidate(change("add", AddRule(DB, NARROW)))

    assert [each.about for each in together((takes, names)).conflicts] == ["the group sg-web"]
    assert [each.about for each in together((names, takes)).conflicts] == ["the group sg-web"]


def test_a_membership_that_one_proposal_takes_away_is_not_given_by_another() -> None:
    leaves = candidate(change("remove", Detach(own("eni-web"), own("sg-web"))))
    joins = candidate(change("add", Attach(own("eni-web"), own("sg-web"))))

    assert together((leaves, joins)).kept == (leaves,)


def test_nobody_is_taken_out_of_a_group_that_another_proposal_comes_to_name() -> None:
    names = candidate(change("add", AddRule(DB, NARROW)), change("remove", RemoveRule(DB, "wide")))
    empties = candidate(change("remove", Detach(own("eni-web"), own("sg-web"))), remedy=1)
    others = candidate(change("remove", Detach(own("eni-db"), own("sg-db"))), remedy=2)

    about = "who is let in as a carrier of sg-web"
    assert [each.about for each in together((names, empties)).conflicts] == [about]
    assert [each.about for each in together((empties, names)).conflicts] == [about]
    assert together((names, others)).kept == (names, others)


def test_no_label_changes_under_a_rule_that_comes_to_name_a_group() -> None:
    names = candidate(change("add", AddRule(DB, NARROW)))
    labels = candidate(change("add", SetLabel(own("eni-web"), "app", "shop")), remedy=1)

    assert [each.candidate for each in together((names, labels)).conflicts] == [labels]


def test_two_rules_cannot_share_a_priority_where_the_cloud_wants_it_unique() -> None:
    nsg, firewalls = "azure:s:/subscriptions/s/nsg", "gcp:p:global/networks/n/firewalls"
    rules = [
        msgspec.structs.replace(allow("ingress", f"tcp/{port}", "10.0.0.0/8", rule_id=f"r{port}"), priority=200)
        for port in (80, 443)
    ]

    azure = [candidate(change("add", AddRule(nsg, rule))) for rule in rules]
    google = [candidate(change("add", AddRule(firewalls, rule))) for rule in rules]

    assert [each.about for each in together(azure).conflicts] == ["the ingress priority 200 of /subscriptions/s/nsg"]
    assert not together(google).conflicts


def test_all_that_lets_through_goes_before_all_that_takes_away() -> None:
    first = candidate(*new_group(), joining("eni-web"), *narrowed())
    second = candidate(change("remove", RemoveRule(DB, "ssh")), change("clean", RemoveRule(own("sg-web"), "out")))

    steps = in_order((second, first))

    assert [step.change.phase for step in steps] == ["prepare", "prepare", "add", "add", "remove", "remove", "clean"]
    assert [step.owners for step in steps] == [(1,), (1,), (1,), (1,), (0,), (1,), (0,)]


def test_the_first_change_that_does_not_fit_is_found_among_many() -> None:
    fitting = [change("remove", RemoveRule(DB, name)) for name in ("wide", "ssh", "out")]
    steps = in_order([candidate(each) for each in (*fitting[:2], change("remove", RemoveRule(DB, "gone")), fitting[2])])

    misfit = first_misfit(shop().build(), steps)

    assert misfit is not None
    assert misfit.step == 2
    assert "gone" in misfit.reason


def test_changes_that_fit_have_no_misfit() -> None:
    steps = in_order([candidate(*new_group(), joining("eni-web"), *narrowed())])

    assert first_misfit(shop().build(), steps) is None


def proof(wrong: Edit, *, blames: Sequence[Edit] = ()) -> object:
    """Return a proof that refuses plans with an edit, and blames it and others."""

    def prove(steps: Sequence[Step]) -> Verdict:
        edits = [step.change.edits for step in steps]
        if not any(wrong in each for each in edits):
            return Verdict(holds=True)
        suspects = (wrong, *blames)
        places = tuple(place for place, each in enumerate(edits) if any(edit in suspects for edit in each))
        return Verdict(holds=False, violations=(LOST._replace(steps=places),))

    return prove


def test_a_proposal_that_the_proof_refuses_is_dropped_and_the_others_stay() -> None:
    good = candidate(change("remove", RemoveRule(DB, "ssh")))
    bad = candidate(change("remove", RemoveRule(DB, "wide")))

    found = settled((good, bad), shop().build(), proof(RemoveRule(DB, "wide")))  # type: ignore[arg-type]

    assert found.kept == (good,)
    assert found.verdict.holds
    assert [(each.candidate, each.by, each.reason, each.witness) for each in found.refused] == [
        (bad, "proof", "it would stop web to db", "web → db tcp/5432 (wide of sg-db)")
    ]


def test_an_innocent_proposal_that_is_blamed_beside_the_guilty_one_comes_back() -> None:
    innocent = candidate(change("remove", RemoveRule(DB, "ssh")))
    guilty = candidate(change("remove", RemoveRule(DB, "wide")))
    prove = proof(RemoveRule(DB, "wide"), blames=(RemoveRule(DB, "ssh"),))

    found = settled((innocent, guilty), shop().build(), prove)  # type: ignore[arg-type]

    assert found.kept == (innocent,)
    assert [each.candidate for each in found.refused] == [guilty]


def test_the_next_proposal_about_a_rule_is_tried_when_the_first_is_refused() -> None:
    first = candidate(change("remove", RemoveRule(DB, "wide")))
    second = candidate(
        change("add", AddRule(DB, NARROW)), change("remove", RemoveRule(DB, "wide"), RemoveRule(DB, "ssh"))
    )

    def prove(steps: Sequence[Step]) -> Verdict:
        alone = [place for place, step in enumerate(steps) if step.change.edits == (RemoveRule(DB, "wide"),)]
        return Verdict(holds=not alone, violations=(LOST._replace(steps=tuple(alone)),) if alone else ())

    found = settled((first, second), shop().build(), prove)

    assert found.kept == (second,)
    assert [(each.candidate, each.by) for each in found.refused] == [(first, "proof")]


def test_nothing_is_left_when_a_proof_cannot_tell_whom_to_blame() -> None:
    found = settled((candidate(*narrowed()),), shop().build(), lambda steps: Verdict(holds=not steps, violations=()))

    assert not found.steps
    assert found.verdict.holds
    assert [each.by for each in found.refused] == ["proof"]


def test_a_proposal_that_does_not_fit_the_estate_is_dropped_and_the_others_stay() -> None:
    good = candidate(change("remove", RemoveRule(DB, "ssh")))
    stale = candidate(change("remove", RemoveRule(DB, "gone")))

    found = settled((stale, good), shop().build(), lambda _: Verdict(holds=True))

    assert found.kept == (good,)
    assert [(each.candidate, each.by) for each in found.refused] == [(stale, "estate")]
    assert "make a new plan" in found.refused[0].reason


def test_whole_proposals_fill_the_most_edits_in_their_order() -> None:
    large = candidate(*new_group(), joining("eni-web"), severity=Severity.CRITICAL)
    small = candidate(change("remove", RemoveRule(DB, "ssh")))

    found = settled((large, small), shop().build(), lambda _: Verdict(holds=True), most=2)

    assert found.kept == (small,)
    assert found.over == (large,)


def test_what_two_proposals_share_counts_once_against_the_most_edits() -> None:
    one = candidate(*new_group(), joining("eni-web"))
    other = candidate(*new_group(), joining("eni-db"))

    found = settled((one, other), shop().build(), lambda _: Verdict(holds=True), most=4)

    assert found.kept == (one, other)


def test_room_that_a_refused_proposal_leaves_goes_to_the_next() -> None:
    bad = candidate(change("remove", RemoveRule(DB, "wide")))
    good = candidate(change("remove", RemoveRule(DB, "ssh")))

    found = settled((bad, good), shop().build(), proof(RemoveRule(DB, "wide")), most=1)  # type: ignore[arg-type]

    assert found.kept == (good,)
    assert not found.over


def test_the_new_group_of_a_dropped_proposal_stays_for_the_other_that_needs_it() -> None:
    bad = candidate(*new_group(), joining("eni-db"))
    good = candidate(*new_group(), joining("eni-web"))

    found = settled((bad, good), shop().build(), proof(Attach(own("eni-db"), NEW)))  # type: ignore[arg-type]

    assert found.kept == (good,)
    assert len(found.steps) == 3
