"""From findings to a plan: what remedies answer, in one order, proved, and what is left out and why."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from cloudseg.checks.example_flows import ExampleConversations, seen
from cloudseg.engine import AuditRequest, run_audit, select_checks
from cloudseg.errors import ConfigError, InputError
from cloudseg.findings import Severity
from cloudseg.intent import Allowance, Intent
from cloudseg.model import Gap
from cloudseg.model.edits import RemoveRule
from cloudseg.plan.digest import digest_of
from cloudseg.plan.document import read_plan, sealed, written
from cloudseg.plan.environments import Environments
from cloudseg.plan.making import PlanRequest, incomplete
from cloudseg.plan.settling import Verdict, Violation
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import Traffic
from cloudseg.waivers import Waiver
from tests.plan.plans import (
    CHECK,
    DB,
    SSH,
    advice,
    change,
    made,
    narrowed,
    new_group,
    own,
    proposal,
    refusing,
    remedy,
    shop,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.findings import Finding
    from cloudseg.plan.ordering import Step
    from cloudseg.plan.values import PlanDocument
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.interface import Answer, Remedy

NO_SSH = change("remove", RemoveRule(DB, "ssh"), reason="it is open to everyone")
LOST = Violation(
    kind="lost", source="office", target="db", traffic="tcp/22", rule="ssh of sg-db", words="it would stop ssh",
    certain=True, when="at the end", steps=(),
)  # fmt: skip


def answering(*answers: Answer, name: str = "mend") -> Remedy:
    """Return a remedy that answers every finding alike."""
    return remedy(name, lambda _context, _finding: answers)


def closed(**more: Any) -> PlanDocument:
    return made(shop().build(), answering(proposal(NO_SSH)), **more).document


def test_a_finding_becomes_edits_with_their_reason_and_what_is_there_before() -> None:
    document = closed()

    (edit,) = document.edits
    assert (edit.kind, edit.phase, edit.resource, edit.name) == ("remove-rule", "remove", DB, "sg-db (db)")
    assert (edit.before, edit.after) == ("ingress tcp/22 from 0.0.0.0/0", "")
    assert edit.reason == "it is open to everyone"
    assert edit.change == (RemoveRule(DB, "ssh"),)
    assert edit.removes
    (one,) = document.proposals
    assert (one.edits, one.checks, one.severity) == ((edit.id,), (CHECK,), Severity.HIGH)
    assert one.findings == edit.findings
    assert document.summary.mended == document.summary.findings == 1


def test_the_same_input_gives_the_same_bytes() -> None:
    assert written(closed()) == written(closed())


def test_a_plan_that_was_written_is_read_as_it_was() -> None:
    document = closed()

    assert read_plan(written(document), "plan.json") == document
    assert list(document.changes()) == [RemoveRule(DB, "ssh")]


@pytest.mark.parametrize(
    ("old", "new"),
    [('"reason": "it is open to everyone"', '"reason": "trust me"'), ('"rule": "ssh"', '"rule": "wide"')],
)
def test_a_plan_that_was_changed_is_not_read(old: str, new: str) -> None:
    text = written(closed()).decode()
    assert old in text

    with pytest.raises(InputError, match="digest does not fit"):
        read_plan(text.replace(old, new).encode(), "plan.json")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema": "cloudseg/findings/v1"}', b'{"schema": NaN}'])
def test_what_is_no_plan_is_not_read(content: bytes) -> None:
    with pytest.raises(InputError, match=r"plan\.json is no plan"):
        read_plan(content, "plan.json")


def test_a_plan_of_the_right_digest_and_the_wrong_shape_is_not_read() -> None:
    members = json.loads(written(closed()))
    del members["proof"]
    members["digest"] = digest_of(members)

    with pytest.raises(InputError, match="proof"):
        read_plan(json.dumps(members).encode(), "plan.json")


def test_ids_follow_from_what_is_said_and_not_from_its_place() -> None:
    first = closed().edits[0]
    estate = shop().build()
    both = made(estate, answering(proposal(*narrowed()), proposal(NO_SSH)))

    assert first.id in {edit.id for edit in both.document.edits}
    assert len({edit.id for edit in both.document.edits}) == 3


def test_advice_is_told_with_its_reason_and_the_next_steps() -> None:
    document = made(shop().build(), answering(advice("a controller owns it"))).document

    (refused,) = document.refused
    assert (refused.by, refused.reason, refused.steps) == ("remedy", "a controller owns it", ("ask its owner",))
    assert (refused.check, refused.severity, refused.name) == (CHECK, Severity.HIGH, "sg-db (db)")
    assert not document.edits
    assert document.proof.holds
    assert (document.summary.findings, document.summary.mended, document.summary.refused) == (1, 0, 1)


def test_what_the_proof_refuses_is_told_with_its_witness_and_nothing_else_goes() -> None:
    answers = (proposal(NO_SSH), proposal(*new_group(), summary="make a group"))
    prove = refusing(LOST, RemoveRule(DB, "ssh"))

    document = made(shop().build(), answering(*answers), prove=prove).document

    (refused,) = document.refused
    assert (refused.by, refused.reason) == ("proof", "it would stop ssh")
    assert refused.witness == "office → db tcp/22 (ssh of sg-db)"
    assert [each.summary for each in document.proposals] == ["make a group"]
    assert document.proof.holds


def test_an_accepted_finding_is_left_alone_and_counted() -> None:
    (found,) = run_audit(shop().build(), AuditRequest(checks=select_checks((CHECK,)))).findings
    waiver = Waiver(owner="ops", reason="known", expires="2999-01-01", place="waivers.yaml", finding=found.id)
    audit = AuditRequest(checks=select_checks((CHECK,)), waivers=(waiver,))

    document = closed(request=PlanRequest(audit=audit))

    assert not document.edits
    assert (document.summary.findings, document.summary.waived) == (0, 1)


def test_a_remedy_is_asked_about_what_else_is_wrong_with_a_rule() -> None:
    asked: list[str] = []

    def propose(_context: RemedyContext, finding: Finding) -> tuple[Answer, ...]:
        asked.append(finding.check)
        return ()

    audit = AuditRequest()
    every = remedy("all", propose, "undescribed-rule", "internet-exposed-port")
    builder = shop()
    builder.group("sg-db", msgspec.structs.replace(SSH, description=""), name="db")
    made(builder.build(), every, request=PlanRequest(audit=audit))

    assert sorted(asked) == ["internet-exposed-port", "undescribed-rule"]


def test_equal_proposals_for_several_findings_are_one() -> None:
    builder = shop()
    builder.interface("eni-db-2", "subnet-public", ("sg-db-2",), "10.0.1.21", public="203.0.113.21")
    builder.group("sg-db-2", SSH)

    document = made(builder.build(), answering(proposal(NO_SSH))).document

    (one,) = document.proposals
    assert len(one.findings) == 2
    assert document.summary.mended == 2


def test_only_some_remedies_are_asked_where_some_are_chosen() -> None:
    one, other = answering(advice("one")), remedy("other", lambda _c, _f: (advice("two"),))

    document = made(shop().build(), one, other, remedies=("other",)).document

    assert [each.reason for each in document.refused] == ["two"]
    assert document.asked.remedies == ("other",)


def test_an_unknown_remedy_is_answered_with_near_names() -> None:
    with pytest.raises(ConfigError, match=r"there is no remedy 'narrow-port'; did you mean narrow-ports\?"):
        made(shop().build(), answering(name="narrow-ports"), remedies=("narrow-port",))


def test_the_most_edits_keep_whole_proposals_and_say_how_many_were_left_out() -> None:
    answers = (proposal(*narrowed(), remedy="a"), proposal(NO_SSH))

    document = made(shop().build(), answering(*answers), max_edits=1).document

    assert [edit.before for edit in document.edits] == ["ingress tcp/22 from 0.0.0.0/0"]
    assert document.summary.left_out == {"--max-edits": 1}


def test_a_change_belongs_to_the_highest_environment_that_it_concerns() -> None:
    builder = shop(web="dev", db="production")
    builder.interface("eni-shared", groups=("sg-web",), address="10.0.2.11", tags={"environment": "prod"})
    environments = Environments(builder.build())

    assert environments.of([RemoveRule(DB, "ssh")]) == "prod"
    assert environments.of([RemoveRule(own("sg-web"), "out")]) == "prod"
    assert environments.known == ("dev", "prod")


@pytest.mark.parametrize(
    ("names", "highest"),
    [
        (("dev",), "dev"),
        (("dev", "test", "staging"), "staging"),
        (("dev", "blue"), ""),
        (("blue",), "blue"),
        (("dev", ""), ""),
        (("prod", "blue", ""), "prod"),
        ((), ""),
    ],
)
def test_beside_what_nobody_ranked_no_environment_but_the_top_is_the_highest(
    names: tuple[str, ...], highest: str
) -> None:
    assert Environments(shop().build()).highest(names) == highest


def test_the_order_of_environments_can_be_another_one() -> None:
    environments = Environments(shop(web="lab", db="factory").build(), order=("lab", "factory"))

    assert environments.highest({"lab", "factory"}) == "factory"


def test_a_plan_of_one_environment_leaves_what_a_higher_one_shares() -> None:
    builder = shop(web="dev", db="prod")
    answers = (proposal(NO_SSH), proposal(change("remove", RemoveRule(own("sg-web"), "out"))))

    document = made(builder.build(), answering(*answers), environments=("development",)).document

    assert [(edit.name, edit.environment) for edit in document.edits] == [("sg-web", "dev")]
    assert document.summary.left_out == {"--environment": 1}
    assert document.asked.environments == ("dev",)


def test_advice_about_another_environment_is_left_out_and_counted() -> None:
    builder = shop(web="dev", db="prod")

    document = made(builder.build(), answering(advice()), environments=("dev",)).document

    assert not document.refused
    assert document.summary.left_out == {"--environment": 1}


@pytest.mark.parametrize(
    ("tags", "asked", "hint"),
    [
        ({"web": "dev", "db": "prod"}, "lagoon", "there are tags for dev, prod"),
        ({"web": "devel", "db": "prod"}, "devels", r"did you mean devel\?"),
        ({}, "dev", r"none bears one at all"),
    ],
)
def test_an_unknown_environment_is_answered_with_those_that_there_are(
    tags: dict[str, str], asked: str, hint: str
) -> None:
    with pytest.raises(ConfigError, match=hint):
        made(shop(**tags).build(), answering(), environments=(asked,))


def segment(name: str, identifier: str) -> Segment:
    """Return a segment of one interface."""
    return Segment(name=name, choice=Choice(ids=(identifier,)))


INTENT = Intent(
    segments=(
        Segment(name="web", choice=Choice(ids=(own("eni-web"),))),
        Segment(name="db", choice=Choice(ids=(own("eni-db"),))),
    ),
    allow=(Allowance(sources=("web",), targets=("db",), traffic=Traffic.parse("tcp/5432")),),
)


def request(
    intent: Intent | None = None, flows: ExampleConversations | None = None, segments: tuple[str, ...] = ()
) -> PlanRequest:
    audit = AuditRequest(checks=select_checks((CHECK,)), intent=intent, flows=flows)
    return PlanRequest(audit=audit, segments=segments)


def test_a_plan_of_one_segment_mends_what_concerns_its_members() -> None:
    inside = closed(request=request(INTENT, segments=("db",)))
    outside = closed(request=request(INTENT, segments=("web",)))

    assert len(inside.edits) == 1
    assert not outside.edits
    assert outside.summary.left_out == {"--segment": 1}


def test_an_unknown_segment_is_answered_with_near_names() -> None:
    with pytest.raises(ConfigError, match=r"there is no segment 'webs'; did you mean web\?"):
        closed(request=request(INTENT, segments=("webs",)))


def test_without_flows_and_intent_the_plan_says_that_nothing_is_narrowed_to_use() -> None:
    document = closed()

    assert document.evidence.conversations is None
    assert document.evidence.allowances is None
    assert any("no flows and no intent" in note for note in document.notes)


def test_an_intent_of_another_estate_is_refused() -> None:
    strange = msgspec.structs.replace(
        INTENT, segments=(Segment(name="web", choice=Choice(ids=("aws:9:eu-west-1:eni-x",))),), allow=()
    )

    with pytest.raises(InputError, match="the intent is not about this estate: none of its 1 segments"):
        closed(request=request(strange))


def test_what_is_intended_and_does_not_pass_is_listed_and_not_opened() -> None:
    intent = msgspec.structs.replace(
        INTENT, allow=(Allowance(sources=("db",), targets=("web",), traffic=Traffic.parse("tcp/9999")),)
    )

    document = closed(request=request(intent))

    assert document.intended_not_carried.count == 1
    assert "tcp/9999" in document.intended_not_carried.first[0]
    assert document.evidence.allowances == 1


def test_flows_of_another_account_are_refused() -> None:
    flows = ExampleConversations([seen("172.31.0.1", "172.31.0.2", 5432)])

    with pytest.raises(InputError, match="the flows are not of this estate: none of 1 conversations"):
        closed(request=request(flows=flows))


def test_flows_without_a_conversation_are_refused() -> None:
    with pytest.raises(InputError, match="no conversation"):
        closed(request=request(flows=ExampleConversations()))


def test_a_conversation_that_does_not_pass_today_is_listed() -> None:
    flows = ExampleConversations([seen("10.0.1.20", "10.0.2.10", 9999)])

    document = closed(request=request(flows=flows))

    assert document.evidence.conversations == 1
    assert document.observed_not_carried.count == 1
    assert "tcp/9999" in document.observed_not_carried.first[0]


def test_gaps_count_in_the_scopes_that_the_plan_touches_alone() -> None:
    gaps = tuple(Gap("aws", scope, "eu-west-1", "ec2.x", "", "denied", "no") for scope in ("111122223333", "999"))
    estate = dataclasses.replace(shop().build(), gaps=gaps)

    touching = made(estate, answering(proposal(NO_SSH))).document
    empty = made(estate, answering(advice())).document

    assert incomplete(touching) == 1
    assert incomplete(empty) == 2


def test_exposure_is_told_before_and_after() -> None:
    document = closed()

    assert document.exposure is not None
    before, after = document.exposure.before, document.exposure.after
    assert (before.from_internet, after.from_internet) == (1, 0)
    assert before.rules - after.rules == 1


def test_a_plan_without_edits_changes_no_exposure() -> None:
    document = made(shop().build(), answering(advice())).document

    assert document.exposure is not None
    assert document.exposure.before == document.exposure.after


def test_the_digest_is_that_of_the_document() -> None:
    document = closed()

    assert document == sealed(msgspec.structs.replace(document, digest=""))
    assert len(document.digest) == 64


def test_an_error_of_a_remedy_names_the_remedy_and_the_finding() -> None:
    def broken(_context: RemedyContext, _finding: Finding) -> tuple[Answer, ...]:
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError) as raised:
        made(shop().build(), remedy("broken", broken))

    assert "while the remedy broken answered the finding" in raised.value.__notes__[0]


def test_a_plan_that_nothing_is_left_of_is_made_and_says_so() -> None:
    def prove(_estate: object, steps: Sequence[Step], _demand: object) -> Verdict:
        return Verdict(holds=not steps)

    document = closed(prove=prove)

    assert not document.edits
    assert [each.by for each in document.refused] == ["proof"]
