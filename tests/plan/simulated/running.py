"""Makes plans of drawn cases as ``cloudseg plan`` makes them, and has the judge alone say what they do."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.engine import AuditRequest
from cloudseg.model.edits import AddEndpoint, AddFlowLog, SetPublicAccess
from cloudseg.plan.making import PlanRequest, make_plan
from tests.plan.simulated.drawn_aws import drawn_aws
from tests.plan.simulated.drawn_azure import drawn_azure
from tests.plan.simulated.drawn_clusters import drawn_cluster
from tests.plan.simulated.drawn_gcp import drawn_gcp
from tests.plan.simulated.judging import judged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cloudseg.plan.making import Prove
    from cloudseg.plan.values import PlanDocument
    from tests.plan.simulated.drawing import Case
    from tests.plan.simulated.judging import Judged

__all__ = ["CLOUDS", "Result", "Tally", "plan_of", "result_of"]

CLOUDS: Mapping[str, Callable[[int], Case]] = {
    "aws": drawn_aws,
    "azure": drawn_azure,
    "gcp": drawn_gcp,
    "kubernetes": drawn_cluster,
}


class Result(NamedTuple):
    """A case, its plan, and what the judge says of it."""

    case: Case
    document: PlanDocument
    judged: Judged

    @property
    def edits(self) -> int:
        """How many edits touch lists, groups or memberships: those that a judge of packets has to do with."""
        aside = AddEndpoint | AddFlowLog | SetPublicAccess
        return sum(not all(isinstance(each, aside) for each in edit.change) for edit in self.document.edits)


def plan_of(case: Case, prove: Prove | None = None) -> PlanDocument:
    """Return the plan of a case with all checks and remedies."""
    audit = AuditRequest(flows=case.flows, intent=case.intent, exposure=False)
    return make_plan(case.estate, "f" * 64, PlanRequest(audit=audit), prove=prove).document


def result_of(case: Case, prove: Prove | None = None) -> Result:
    """Make the plan of a case and judge it."""
    document = plan_of(case, prove)
    return Result(case, document, judged(case, [edit.change for edit in document.edits]))


class Tally:
    """Counts of many results.

    Attributes:
        counts: what was counted, by its name.
        faults: the cloud and the seed of each plan with a fault, and the fault in words.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.faults: list[tuple[str, int, str]] = []

    def add(self, result: Result) -> None:
        """Count a result."""
        document = result.document
        self.counts["plans"] += 1
        self.counts["not empty"] += result.edits > 0
        self.counts["edits"] += result.edits
        self.counts["needs"] += result.judged.needs
        self.counts["pairs judged"] += result.judged.packets
        self.counts["refused by the proof"] += sum(each.by == "proof" for each in document.refused)
        for fault in result.judged.faults:
            self.counts[fault.kind] += 1
            self.faults.append((result.case.cloud, result.case.seed, str(fault)))

    def told(self, most: int = 10) -> str:
        """Return the first faults, a line each."""
        return "\n".join(f"{cloud} seed {seed}: {words}" for cloud, seed, words in self.faults[:most])
