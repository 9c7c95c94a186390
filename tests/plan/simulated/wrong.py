"""Puts planted plans through the maker and its proof, as if a remedy had proposed them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.checks import CHECKS
from cloudseg.engine import AuditRequest
from cloudseg.plan.making import PlanRequest, make_plan
from cloudseg.plan.proof import prove
from cloudseg.plan.proved import verdict_of
from cloudseg.remediations.interface import Proposal, Remedy
from tests.plan.simulated.judge import Packet, Spot
from tests.plan.simulated.judging import course_of, faults_of
from tests.plan.simulated.points import Point

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.findings import Finding
    from cloudseg.model import Estate
    from cloudseg.plan.ordering import Step
    from cloudseg.plan.proof import Packet as Witness
    from cloudseg.plan.proof import Proof
    from cloudseg.plan.settling import Verdict
    from cloudseg.plan.values import PlanDocument
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.demand import Demand
    from tests.plan.simulated.judging import Fault
    from tests.plan.simulated.planted import Planted

__all__ = ["Told", "confirmed", "planned"]

_PROTOCOLS = ("tcp", "udp", "sctp", "icmp", "icmpv6", "other")


class Told(NamedTuple):
    """What became of a planted plan.

    Attributes:
        document: the plan that was made.
        proofs: what the proof said, each time it was asked.
    """

    document: PlanDocument
    proofs: tuple[Proof, ...]


def planned(planted: Planted) -> Told:
    """Return the plan of a remedy that proposes a planted plan to the first finding that there is."""
    asked: list[str] = []
    proofs: list[Proof] = []

    def propose(_context: RemedyContext, finding: Finding) -> Iterable[Proposal]:
        if not asked:
            asked.append(finding.id)
            yield Proposal(
                remedy="planted",
                findings=(finding.id,),
                resource=next(iter(planted.case.estate.networks)),
                summary=planted.name,
                changes=planted.changes,
            )

    def proving(before: Estate, steps: Sequence[Step], demand: Demand) -> Verdict:
        proofs.append(prove(before, [step.change.edits for step in steps], demand))
        return verdict_of(proofs[-1], before, len(steps))

    remedy = Remedy(
        id="planted", answers=tuple(check.id for check in CHECKS), propose=propose, examples=(),
        concept={planted.case.cloud: "anything"},
    )  # fmt: skip
    audit = AuditRequest(flows=planted.case.flows, intent=planted.case.intent, exposure=False)
    document = make_plan(planted.case.estate, "f" * 64, PlanRequest(audit=audit), (remedy,), proving).document
    assert asked, "no check found anything to which the planted plan could be proposed"
    return Told(document, tuple(proofs))


def confirmed(planted: Planted, kind: str, witness: Witness) -> Fault | None:
    """Return what the judge finds about the packet that a proof names; None where it sees nothing wrong in it."""
    fields = ((name, getattr(witness.traffic, name)) for name in _PROTOCOLS)
    wanted = {Point(name, low) for name, numbers in fields for low, _ in numbers.intervals}
    course = course_of(planted.case, [change.edits for change in planted.changes], wanted)
    packet = Packet(Spot(witness.source_address, witness.source), Spot(witness.target_address, witness.target))
    known = {point: 1 << place for place, point in enumerate(course.points.points)}
    bits = sum(known[point] for point in wanted)
    for fault in faults_of(course, packet, bits):
        if fault.kind == kind and wanted & set(fault.points):
            return fault
    return None
