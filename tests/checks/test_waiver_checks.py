"""Waivers are judged by their own checks, and recognised again wherever they stand in their file."""

from collections.abc import Callable

import msgspec
import pytest

from cloudseg.checks import expired_waiver, unmatched_waiver
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.findings import Finding
from cloudseg.model import Estate
from cloudseg.waivers import Waiver, WaiverState

Findings = Callable[..., list[Finding]]
WAIVER = Waiver(
    owner="shop team",
    reason="until the migration",
    expires="2026-12-31",
    place="waivers.yaml, entry 3",
    check="internet-exposed-port",
    resource="sg-1",
)
BY_FINDING = Waiver(
    owner="shop team", reason="x", expires="2026-12-31", place="waivers.yaml, entry 1", finding="0123456789abcdef0123"
)


@pytest.fixture
def estate() -> Estate:
    return EstateBuilder().build()


def state(waiver: Waiver = WAIVER, matched: int = 0, *, expired: bool = False) -> WaiverState:
    return WaiverState(waiver, matched, expired)


def test_the_finding_names_the_waiver_and_its_file(findings: Findings, estate: Estate) -> None:
    (finding,) = findings(expired_waiver.CHECK, estate, waivers=(state(matched=2, expired=True),))
    assert (finding.provider, finding.scope, finding.region) == ("cloudseg", "waivers.yaml", "global")
    assert (finding.resource.kind, finding.resource.id) == ("waiver", "waivers.yaml, entry 3")
    assert "2 findings count again" in finding.evidence


@pytest.mark.parametrize("check", [expired_waiver.CHECK, unmatched_waiver.CHECK])
def test_the_id_stays_when_the_waiver_moves_within_its_file_or_to_another(
    findings: Findings, estate: Estate, check: object
) -> None:
    expired = check is expired_waiver.CHECK
    moved = msgspec.structs.replace(WAIVER, place="other.yaml, entry 1")
    (one,) = findings(check, estate, waivers=(state(expired=expired),))
    (two,) = findings(check, estate, waivers=(state(moved, expired=expired),))
    assert one.id == two.id


@pytest.mark.parametrize("field", ["owner", "reason", "expires", "resource", "rule", "check"])
def test_waivers_that_say_different_things_have_different_ids(findings: Findings, estate: Estate, field: str) -> None:
    other = msgspec.structs.replace(WAIVER, **{field: "2026-11-11" if field == "expires" else "other"})
    found = findings(unmatched_waiver.CHECK, estate, waivers=(state(), state(other)))
    assert len({finding.id for finding in found}) == 2


def test_equal_waivers_keep_ids_of_their_own(findings: Findings, estate: Estate) -> None:
    found = findings(unmatched_waiver.CHECK, estate, waivers=(state(), state()))
    assert len({finding.id for finding in found}) == 2


def test_an_expired_waiver_that_matches_nothing_is_told_once(findings: Findings, estate: Estate) -> None:
    waivers = (state(expired=True),)
    assert len(findings(expired_waiver.CHECK, estate, waivers=waivers)) == 1
    assert findings(unmatched_waiver.CHECK, estate, waivers=waivers) == []


@pytest.mark.parametrize(
    ("status", "confidences"),
    [("evaluated", ["high"]), ("partly", ["low"]), ("not evaluated", []), ("skipped", [])],
)
def test_the_waiver_of_a_check_that_did_not_run_is_not_judged(
    findings: Findings, estate: Estate, status: str, confidences: list[str]
) -> None:
    statuses = {"internet-exposed-port": status, "public-address": "not evaluated"}
    found = findings(unmatched_waiver.CHECK, estate, waivers=(state(),), statuses=statuses)
    assert [finding.confidence for finding in found] == confidences


@pytest.mark.parametrize(("other", "confidence"), [("evaluated", "high"), ("skipped", "low"), ("partly", "low")])
def test_a_waiver_by_finding_may_be_about_any_check(
    findings: Findings, estate: Estate, other: str, confidence: str
) -> None:
    statuses = {"internet-exposed-port": "evaluated", "public-address": other}
    (finding,) = findings(unmatched_waiver.CHECK, estate, waivers=(state(BY_FINDING),), statuses=statuses)
    assert finding.confidence == confidence


def test_what_was_not_read_may_hold_the_finding(findings: Findings) -> None:
    estate = EstateBuilder(unread=["interfaces"]).build()
    (finding,) = findings(unmatched_waiver.CHECK, estate, waivers=(state(BY_FINDING),))
    assert finding.confidence == "low"


def test_a_waiver_that_matches_is_no_finding(findings: Findings, estate: Estate) -> None:
    assert findings(unmatched_waiver.CHECK, estate, waivers=(state(matched=1),)) == []
