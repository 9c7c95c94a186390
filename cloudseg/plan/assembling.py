"""From what a plan takes up to the parts of its document: edits, proposals, what is refused, what is proved."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import unplaced
from cloudseg.model.edits import Detach, RemoveGroup, RemoveRule, RemoveRuleSet, SetLabel, SetPublicAccess
from cloudseg.plan.subjects import Subjects, kind_of
from cloudseg.plan.values import PacketInfo, PlanEdit, ProofInfo, ProposalInfo, RefusedInfo, ViolationInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.model import Estate
    from cloudseg.model.edits import Edit
    from cloudseg.plan.candidates import Advised, Candidate
    from cloudseg.plan.environments import Environments
    from cloudseg.plan.ordering import Step
    from cloudseg.plan.settling import Refusal, Settled, Verdict, Violation
    from cloudseg.remediations.interface import Change

__all__ = ["Assembled", "assembled"]


class Assembled(NamedTuple):
    """Parts of a document.

    Attributes:
        edits: in order.
        proposals: in order.
        refused: the worst first.
        proof: of all edits.
    """

    edits: tuple[PlanEdit, ...]
    proposals: tuple[ProposalInfo, ...]
    refused: tuple[RefusedInfo, ...]
    proof: ProofInfo


def assembled(
    settled: Settled,
    refused: Iterable[Refusal],
    advised: Iterable[Advised],
    estate: Estate,
    environments: Environments,
) -> Assembled:
    """Return the parts of a document.

    Args:
        settled: what the plan takes up.
        refused: proposals that it does not take up.
        advised: what remedies advise instead of edits.
        estate: as it is.
        environments: tell to which one edits belong.
    """
    maker = _Maker(settled, estate, environments)
    edits = tuple(maker.edit(step) for step in settled.steps)
    own: dict[str, list[PlanEdit]] = {}
    for edit in edits:
        for name in dict.fromkeys(edit.proposals):
            own.setdefault(name, []).append(edit)
    refusals = [*(each for one in refused for each in maker.refusal(one)), *map(maker.advice, advised)]
    refusals.sort(key=lambda each: (each.severity.rank, each.check, each.resource, each.finding, each.remedy, each.by))
    return Assembled(
        edits,
        tuple(maker.proposal(candidate, own.get(candidate.id, ())) for candidate in settled.kept),
        tuple(dict.fromkeys(refusals)),
        _proof(settled.verdict, settled.steps),
    )


class _Maker:
    def __init__(self, settled: Settled, estate: Estate, environments: Environments) -> None:
        self._settled = settled
        self._estate = estate
        self._environments = environments
        self._subjects = Subjects(estate, (edit for candidate in settled.kept for edit in candidate.edits))
        self._also: dict[str, list[Candidate]] = {}
        for part, whole in settled.part_of:
            self._also.setdefault(whole, []).append(part)

    def edit(self, step: Step) -> PlanEdit:
        """Return one edit of the plan."""
        owners = [self._settled.kept[place] for place in step.owners]
        change, first = step.change, step.change.edits[0]
        same = [_same(owner, step.id) for owner in owners]
        about = self._subjects.of(first)
        beside = [edit for owner in owners for edit in owner.edits]
        return PlanEdit(
            id=step.id,
            kind=kind_of(first),
            phase=change.phase,
            provider=about.provider,
            scope=about.scope,
            region=about.region,
            resource=about.resource,
            name=about.name,
            environment=self._environments.of(change.edits, beside),
            before=about.before,
            after=about.after,
            change=change.edits,
            reason=change.reason,
            evidence=_each_once(text for each in same for text in each.evidence),
            risk=_each_once(text for owner in owners for text in owner.proposal.risks),
            safety="safe" if all(owner.proposal.safety == "safe" for owner in owners) else "needs review",
            undo=change.undo,
            removes=any(self._removes(each) for each in change.edits),
            proposals=tuple(owner.id for owner in owners),
            findings=_each_once(finding for owner in owners for finding in self._findings(owner)),
        )

    def proposal(self, candidate: Candidate, own: Sequence[PlanEdit]) -> ProposalInfo:
        """Return one proposal that the plan takes up, with its edits in order."""
        proposal = candidate.proposal
        return ProposalInfo(
            id=candidate.id,
            remedy=proposal.remedy,
            findings=self._findings(candidate),
            checks=_each_once(finding.check for each in self._with(candidate) for finding in each.findings),
            severity=candidate.severity,
            resource=unplaced(proposal.resource),
            name=self._subjects.label(proposal.resource),
            environment=self._environments.highest(edit.environment for edit in own),
            summary=proposal.summary,
            safety=proposal.safety,
            edits=tuple(edit.id for edit in own),
            risks=proposal.risks,
            considered=proposal.considered,
            drops=proposal.drops,
            assumptions=proposal.assumptions,
        )

    def refusal(self, refusal: Refusal) -> Iterator[RefusedInfo]:
        """Yield what is said of a proposal that the plan does not take up, for each of its findings."""
        candidate = refusal.candidate
        for finding in candidate.findings:
            yield RefusedInfo(
                finding=finding.id,
                check=finding.check,
                severity=finding.severity,
                remedy=candidate.proposal.remedy,
                resource=unplaced(candidate.proposal.resource),
                name=self._subjects.label(candidate.proposal.resource),
                by=refusal.by,
                reason=refusal.reason,
                witness=refusal.witness,
                steps=(),
                considered=candidate.proposal.considered,
            )

    def advice(self, advised: Advised) -> RefusedInfo:
        """Return advice of a remedy."""
        advice, finding = advised
        return RefusedInfo(
            finding=finding.id,
            check=finding.check,
            severity=finding.severity,
            remedy=advice.remedy,
            resource=unplaced(advice.resource),
            name=self._subjects.label(advice.resource),
            by="remedy",
            reason=advice.reason,
            witness=advice.witness,
            steps=advice.steps,
            considered=advice.considered,
        )

    def _removes(self, edit: Edit) -> bool:
        """Tell whether an edit takes something away that is there today, or changes what was there."""
        match edit:
            case RemoveRule(rule_set) | RemoveRuleSet(rule_set):
                return rule_set in self._estate.rule_sets
            case RemoveGroup(group):
                return group in self._estate.groups
            case SetLabel(interface, key):
                known = self._estate.interfaces.get(interface)
                return known is not None and key in known.labels
            case Detach() | SetPublicAccess():
                return True
            case _:
                return False

    def _with(self, candidate: Candidate) -> list[Candidate]:
        return [candidate, *self._also.get(candidate.id, ())]

    def _findings(self, candidate: Candidate) -> tuple[str, ...]:
        return _each_once(finding.id for each in self._with(candidate) for finding in each.findings)


def _same(owner: Candidate, content: str) -> Change:
    return owner.proposal.changes[owner.contents.index(content)]


def _each_once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _proof(verdict: Verdict, steps: tuple[Step, ...]) -> ProofInfo:
    return ProofInfo(
        holds=verdict.holds,
        gained=tuple(_violation(each, steps) for each in verdict.violations if each.kind == "gained"),
        lost=tuple(_violation(each, steps) for each in verdict.violations if each.kind == "lost"),
        impossible=tuple(each.words for each in verdict.violations if each.kind == "impossible"),
        checked=dict(verdict.checked),
        unknowns=verdict.unknowns,
        assumptions=verdict.assumptions,
    )


def _violation(violation: Violation, steps: tuple[Step, ...]) -> ViolationInfo:
    return ViolationInfo(
        packet=PacketInfo(source=violation.source, target=violation.target, traffic=violation.traffic),
        certain=violation.certain,
        when=violation.when,
        rule=violation.rule,
        edits=tuple(steps[place].id for place in violation.steps),
    )
