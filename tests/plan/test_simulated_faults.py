"""Wrong plans are refused with a packet that shows why, of which the judge says the same by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.plan import proof as proof_module
from cloudseg.plan.proving.engines import Engines
from tests.plan.simulated.judging import judged
from tests.plan.simulated.planted import PLANTED
from tests.plan.simulated.wrong import confirmed, planned

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloudseg.model import Edit, Estate
    from cloudseg.plan.proving.states import Course
    from tests.plan.simulated.planted import Planted

every_planted = pytest.mark.parametrize("make", PLANTED, ids=lambda make: make().name)


@every_planted
def test_the_judge_sees_the_fault(make: Callable[[], Planted]) -> None:
    planted = make()

    faults = judged(planted.case, [change.edits for change in planted.changes]).faults

    assert planted.kind in {fault.kind for fault in faults}


@every_planted
def test_the_plan_is_refused_with_a_packet_that_the_judge_confirms(make: Callable[[], Planted]) -> None:
    planted = make()

    told = planned(planted)

    assert told.document.edits == ()
    (refused,) = (each for each in told.document.refused if each.remedy == "planted")
    assert (refused.by, bool(refused.witness)) == ("proof", True)
    first = told.proofs[0]
    claims = first.gained if planted.kind == "gained" else first.lost
    assert claims
    for claim in claims:
        assert confirmed(planted, planted.kind, claim.witness), claim


def _nothing(*_arguments: object, **_named: object) -> tuple[()]:
    return ()


@every_planted
def test_where_the_proof_skips_a_claim_the_judge_finds_what_gets_through(
    make: Callable[[], Planted], monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = make()
    skipped = "_gains" if planted.kind == "gained" else "_losses"
    monkeypatch.setattr(f"cloudseg.plan.proof._Prover.{skipped}", _nothing)

    _assert_let_through_and_found(planted)


def test_where_the_proof_skips_the_states_between_the_judge_finds_what_gets_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    course_of = proof_module.course_of

    def last_alone(before: Estate, changes: Sequence[Sequence[Edit]]) -> Course:
        course = course_of(before, changes)
        return course._replace(checkpoints=course.checkpoints[-1:])

    monkeypatch.setattr(proof_module, "course_of", last_alone)

    _assert_let_through_and_found(_planted("the old rule goes before the new one is there"))


def test_where_the_proof_skips_ipv6_the_judge_finds_what_gets_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engines, "families", (4,))

    _assert_let_through_and_found(_planted("a group stands for a range of IPv4, and its members speak IPv6 too"))


def _planted(name: str) -> Planted:
    return next(planted for planted in (make() for make in PLANTED) if planted.name == name)


def _assert_let_through_and_found(planted: Planted) -> None:
    document = planned(planted).document

    assert document.edits
    assert planted.kind in {
        fault.kind for fault in judged(planted.case, [edit.change for edit in document.edits]).faults
    }
