"""The engine runs checks, joins what they say of one rule, and says what could not be judged."""

from collections.abc import Iterator

import pytest

from cloudseg.checks import CHECKS
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.interface import AuditContext, Check, Parameter
from cloudseg.engine import AuditRequest, run_audit, select_checks, worst_unwaived
from cloudseg.errors import ConfigError
from cloudseg.findings import Finding, Severity
from cloudseg.intent import Intent
from cloudseg.model import Coverage, Estate, Gap, Reading, ScopeRead
from cloudseg.segments import Choice, Segment
from cloudseg.waivers import Waiver

by_id = {check.id: check for check in CHECKS}


def estate() -> Estate:
    builder = EstateBuilder()
    builder.group("sg-web", allow("ingress", "tcp/22", "0.0.0.0/0", description=""))
    builder.interface("eni-1", "subnet-public", ["sg-web"], "10.0.1.5", "203.0.113.9")
    return builder.build()


def _two(context: AuditContext) -> Iterator[Finding]:
    for rule_set in context.estate.rule_sets.values():
        for rule in rule_set.rules:
            if rule.direction == "ingress" and rule_set.kind == "security-group":
                yield context.finding(rule_set, "too wide", rule=rule, severity=Severity.LOW)


def waiver(**how: str) -> Waiver:
    return Waiver(owner="o", reason="r", expires="2026-12-31", place="waivers.yaml, entry 1", **how)  # pyright: ignore[reportArgumentType]


def test_one_rule_is_one_finding_and_the_rest_is_an_attribute_of_it() -> None:
    document = run_audit(estate(), AuditRequest(checks=(by_id["internet-exposed-port"], by_id["undescribed-rule"])))
    (finding,) = document.findings
    assert finding.check == "internet-exposed-port"
    assert [also.check for also in finding.also] == ["undescribed-rule"]
    assert document.summary.findings == {"critical": 0, "high": 1, "medium": 0, "low": 0, "info": 0}


def test_a_waived_finding_does_not_hide_what_else_is_wrong_with_the_rule() -> None:
    checks = (by_id["internet-exposed-port"], by_id["undescribed-rule"])
    accepted = waiver(check="internet-exposed-port", resource="sg-web")
    document = run_audit(estate(), AuditRequest(checks=checks, waivers=(accepted,)))
    assert {(f.check, f.waiver is not None) for f in document.findings} == {
        ("internet-exposed-port", True),
        ("undescribed-rule", False),
    }
    assert document.summary.waived == 1
    assert worst_unwaived(document) is Severity.INFO


def test_a_check_is_not_evaluated_where_what_it_needs_was_not_read() -> None:
    exposed = by_id["internet-exposed-port"]
    readings = [
        Reading("aws", "1", "r", facet, "read" if facet in {"groups", "routes"} else "unread", "denied")
        for facet in (*exposed.needs, *exposed.uses)
    ]
    some = Estate(scopes=(ScopeRead("aws", "1", ("r",)),), coverage=Coverage(readings))
    (status,) = run_audit(some, AuditRequest(checks=(exposed,))).checks
    assert status.status == "partly"
    assert status.reason.startswith("not read in full: interfaces, ")
    assert status.reason.endswith(" (1 r: denied)")
    assert "groups" not in status.reason.split(":", 1)[1].split(";")[0]
    none = Estate(
        scopes=some.scopes, coverage=Coverage([Reading("aws", "1", "r", "groups", "unread", "denied"), *readings[1:]])
    )
    (status,) = run_audit(none, AuditRequest(checks=(exposed,))).checks
    assert status.status == "not evaluated"


def test_a_check_whose_concept_a_cloud_lacks_says_so() -> None:
    lacking = Check(
        id="internet-exposed-port", severity=Severity.LOW, run=_two, examples=(), concept={"gcp": "tags"},
        absent={"aws": "AWS has no such tags"},
    )  # fmt: skip
    (status,) = run_audit(estate(), AuditRequest(checks=(lacking,))).checks
    assert (status.status, status.reason) == ("not evaluated", "aws: AWS has no such tags")


def test_a_facet_that_nobody_failed_to_read_is_still_a_gap_when_it_is_missing() -> None:
    document = run_audit(EstateBuilder(unread=["routes", "services.s3"]).build(), AuditRequest(checks=()))
    (source,) = document.sources
    assert not source.complete
    assert {(gap.reason, gap.facets) for gap in source.gaps} == {("unread", ("routes", "services.s3"))}
    assert not document.complete


def test_a_call_that_failed_explains_its_facet_once() -> None:
    gap = Gap("aws", "1", "r", "ec2.describe_route_tables", "", "denied", "not authorized", ("routes",))
    readings = Coverage([Reading("aws", "1", "r", "routes", "unread", "denied")])
    document = run_audit(
        Estate(scopes=(ScopeRead("aws", "1", ("r",)),), gaps=(gap,), coverage=readings), AuditRequest(checks=())
    )
    assert [(g.what, g.reason) for g in document.sources[0].gaps] == [("ec2.describe_route_tables", "denied")]


def test_settings_reach_the_check_and_defaults_fill_the_rest() -> None:
    seen: list[dict[str, object]] = []

    def look(context: AuditContext) -> Iterator[Finding]:
        seen.append(dict(context.settings))
        yield from ()

    check = Check(
        id="undescribed-rule", severity=Severity.INFO, run=look, examples=(), concept={"aws": "rules"},
        parameters=(Parameter("a", 1, "one"), Parameter("b", 2, "two")),
    )  # fmt: skip
    run_audit(estate(), AuditRequest(checks=(check,), settings={"undescribed-rule": {"b": 3}}))
    assert seen == [{"a": 1, "b": 3}]


def test_the_same_estate_gives_the_same_findings_in_the_same_order() -> None:
    first, second = (run_audit(estate(), AuditRequest()) for _ in range(2))
    assert first == second
    ranks = [finding.severity.rank for finding in first.findings]
    assert ranks == sorted(ranks)


def test_a_finding_is_recognised_again_when_rule_id_and_description_change() -> None:
    def ids(rule_id: str, description: str) -> list[str]:
        builder = EstateBuilder()
        builder.group("sg-web", allow("ingress", "tcp/22", "0.0.0.0/0", rule_id=rule_id, description=description))
        checks = (by_id["internet-exposed-port"], by_id["latent-internet-rule"])
        return [finding.id for finding in run_audit(builder.build(), AuditRequest(checks=checks)).findings]

    assert ids("sgr-1", "a") == ids("sgr-2", "b")
    assert len(ids("sgr-1", "a")) == 1


def test_a_failing_check_is_named() -> None:
    def fail(_: AuditContext) -> Iterator[Finding]:
        raise ZeroDivisionError

    check = Check(id="undescribed-rule", severity=Severity.INFO, run=fail, examples=(), concept={"aws": "rules"})
    with pytest.raises(ZeroDivisionError) as caught:
        run_audit(estate(), AuditRequest(checks=(check,)))
    assert caught.value.__notes__ == ["while running the check undescribed-rule"]


def test_checks_are_chosen_by_id_and_a_wrong_id_names_the_near_ones() -> None:
    assert [c.id for c in select_checks(["undescribed-rule"])] == ["undescribed-rule"]
    assert "undescribed-rule" not in {c.id for c in select_checks(skip=["undescribed-rule"])}
    with pytest.raises(ConfigError, match="no check 'undescribed-rules'; did you mean undescribed-rule"):
        select_checks(["undescribed-rules"])
    with pytest.raises(ConfigError, match="`cloudseg checks` lists them"):
        select_checks(skip=["zzz"])


def _nothing(context: AuditContext) -> Iterator[Finding]:
    raise AssertionError(f"{context.check.id} ran although it cannot say anything")
    yield


def test_a_check_that_cannot_say_anything_says_why_and_does_not_run() -> None:
    unable = Check(
        id="internet-exposed-port", severity=Severity.LOW, run=_nothing, examples=(), concept={"aws": "groups"},
        precondition=lambda context: f"no tags in {len(context.estate.interfaces)} interface",
    )  # fmt: skip
    document = run_audit(estate(), AuditRequest(checks=(unable,)))
    assert document.findings == ()
    (status,) = document.checks
    assert (status.status, status.reason) == ("not evaluated", "no tags in 1 interface")


def test_what_readers_must_know_about_the_intent_stands_in_the_notes() -> None:
    segment = Segment(name="none", choice=Choice(names=("nobody",)), place="intent.yaml:3")
    document = run_audit(estate(), AuditRequest(checks=(by_id["outside-intent"],), intent=Intent(segments=(segment,))))
    assert [note.partition(":")[0] for note in document.notes] == ["intent.yaml", "intent"]
    assert "holds nothing here" in document.notes[0]
    assert "1 of 1 interface in no segment" in document.notes[1]
    assert [finding.resource.id for finding in document.findings] == ["unassigned"]


def test_the_share_of_workloads_without_tags_stands_in_the_notes_of_checks_that_need_them() -> None:
    builder = EstateBuilder()
    builder.interface("eni-1", address="10.0.2.10", tags={"env": "prod"})
    builder.interface("eni-2", address="10.0.2.11")
    tagged = builder.build()
    needing = run_audit(tagged, AuditRequest(checks=(by_id["cross-environment-path"],)))
    assert [note.partition(" (")[0] for note in needing.notes] == ["1 of 2 workloads"]
    assert run_audit(tagged, AuditRequest(checks=(by_id["unused-group"],))).notes == ()
    # What the check says itself is not said twice.
    assert run_audit(estate(), AuditRequest(checks=(by_id["cross-environment-path"],))).notes == ()


def test_the_exposure_is_compared_with_the_intent_where_there_is_one() -> None:
    assert not exposure_by_intent(None)
    assert exposure_by_intent(Intent())


def exposure_by_intent(intent: Intent | None) -> bool:
    exposure = run_audit(estate(), AuditRequest(checks=(by_id["unused-group"],), intent=intent)).summary.exposure
    assert exposure is not None
    return exposure.by_intent
