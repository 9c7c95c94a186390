"""Makes a plan: findings, what remedies answer, one order, a proof, and what is refused on the way."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cloudseg import __version__
from cloudseg.engine import AuditRequest, FindingsDocument, Views, run_audit
from cloudseg.errors import InputError
from cloudseg.plan.assembling import assembled
from cloudseg.plan.candidates import Answers, answers_to, apart
from cloudseg.plan.choosing import Concerned, InSegments, chosen_environments, chosen_remedies
from cloudseg.plan.document import sealed
from cloudseg.plan.environment_names import DEFAULT_ORDER
from cloudseg.plan.environments import Environments
from cloudseg.plan.policies import policies_of
from cloudseg.plan.settling import settled
from cloudseg.plan.telling import (
    BLOCKED,
    evidence_of,
    exposure_of_both,
    intended_not_carried,
    notes_of,
    observed_not_carried,
)
from cloudseg.plan.values import (
    AskedFor,
    PlanDocument,
    PlanSummary,
    SnapshotInfo,
)
from cloudseg.remediations.context import RemedyContext
from cloudseg.sources import sources_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cloudseg.findings import Finding
    from cloudseg.flows.naming.values import ObservedNames
    from cloudseg.model import Estate
    from cloudseg.plan.assembling import Assembled
    from cloudseg.plan.ordering import Step
    from cloudseg.plan.settling import Verdict
    from cloudseg.remediations.demand import Demand
    from cloudseg.remediations.interface import Remedy

    Prove = Callable[[Estate, Sequence[Step], Demand], Verdict]

__all__ = ["Made", "PlanRequest", "incomplete", "make_plan", "proved"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """What a plan is asked for.

    Attributes:
        audit: the audit whose findings it mends; its checks are all that could be chosen from.
        remedies: ids of the only remedies; none for all.
        segments: the only segments; none for all.
        environments: the only environments; none for all.
        max_edits: the most edits; None for as many as there are.
        checks: ids of the only checks, as they were asked for; none for all.
        skip: ids of checks that were left out.
        order: the environments, the lowest first.
        names: names that machines asked for, as logs tell them; None where no such log was given.
    """

    audit: AuditRequest
    remedies: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    max_edits: int | None = None
    checks: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    order: tuple[str, ...] = DEFAULT_ORDER
    names: ObservedNames | None = None


class Made(NamedTuple):
    """A plan that was made.

    Attributes:
        document: the plan.
        manifests: policies of clusters as they are afterwards, by their path in the plan's folder.
    """

    document: PlanDocument
    manifests: Mapping[str, str]


def make_plan(
    estate: Estate,
    fingerprint: str,
    request: PlanRequest,
    remedies: Sequence[Remedy] | None = None,
    prove: Prove | None = None,
) -> Made:
    """Return the plan that mends the findings of an estate.

    Args:
        estate: the estate.
        fingerprint: of what it was read from.
        request: what is asked for.
        remedies: the remedies, in the order in which they go first; None for all that there are.
        prove: judges changes; None for the proof that there is.

    Raises:
        ConfigError: the request names a check, remedy, segment or environment that there is not.
        InputError: the flows or the intent are about another estate.
    """
    table = chosen_remedies(_all_remedies() if remedies is None else remedies, request.remedies)
    audit = _to_run(request, table)
    views = Views.of(estate, audit)
    context = RemedyContext(
        estate, views.internet, views.compiled, views.purpose, audit.intent, views.observed,
        audit.as_of or estate.taken_at, audit.labels, request.names,
    )  # fmt: skip
    concerned = Concerned(context)
    within = InSegments(request.segments, context, concerned)
    environments = Environments(estate, audit.labels, request.order)
    wanted = chosen_environments(request.environments, environments)
    found = run_audit(estate, audit, views)
    _refuse_foreign(found, context)
    standing = tuple(apart(finding for finding in found.findings if finding.waiver is None))
    about = [finding for finding in standing if within.has(finding)]
    answers = answers_to(about, table, context)
    inside = [each for each in answers.candidates if not wanted or environments.of(each.edits) in wanted]
    advised = [each for each in answers.advised if not wanted or environments.at(concerned.by(each.finding)) in wanted]

    judged = _judge(estate, context.demand) if prove is None else partial(_judged, prove, estate, context.demand)
    taken = settled(inside, estate, judged, request.max_edits)
    parts = assembled(taken, taken.refused, advised, estate, environments)
    after = estate.with_edits(edit for step in taken.steps for edit in step.change.edits)
    policies = policies_of(parts.edits, estate, after)
    left_out = {
        "--segment": len(_answerable(standing, table)) - len(answers.findings),
        "--environment": len(answers.candidates) - len(inside) + len(answers.advised) - len(advised),
        "--max-edits": len(taken.over),
    }
    document = PlanDocument(
        tool=__version__,
        snapshot=SnapshotInfo(fingerprint=fingerprint, taken_at=estate.taken_at, sources=sources_of(estate)),
        evidence=evidence_of(found, context),
        asked=AskedFor(
            checks=request.checks,
            skip=request.skip,
            remedies=request.remedies,
            segments=request.segments,
            environments=tuple(sorted(wanted)),
            max_edits=request.max_edits,
            order=request.order,
        ),
        summary=_summary(parts, answers, found, {key: count for key, count in left_out.items() if count}),
        edits=parts.edits,
        proposals=parts.proposals,
        refused=parts.refused,
        observed_not_carried=observed_not_carried(found),
        intended_not_carried=intended_not_carried(standing, context),
        proof=parts.proof,
        exposure=exposure_of_both(found.summary.exposure, estate, after, changed=bool(parts.edits)),
        manifests=tuple(policy.info for policy in policies),
        notes=tuple(dict.fromkeys(notes_of(found, context, table))),
    )
    return Made(sealed(document), {policy.info.path: policy.text for policy in policies if policy.text})


def proved(estate: Estate, steps: Sequence[Step], demand: Demand) -> Verdict:
    """Return what the proof says of changes in their order."""
    return _judge(estate, demand)(steps)


def _judge(estate: Estate, demand: Demand) -> Callable[[Sequence[Step]], Verdict]:
    """Return what proves changes: what all proofs of an estate have in common is worked out once."""
    from cloudseg.plan.proof import ProofMaker
    from cloudseg.plan.proved import verdict_of

    maker = ProofMaker(estate, demand)

    def judged(steps: Sequence[Step]) -> Verdict:
        return verdict_of(maker.prove([step.change.edits for step in steps]), estate, len(steps))

    return judged


def _judged(prove: Prove, estate: Estate, demand: Demand, steps: Sequence[Step]) -> Verdict:
    return prove(estate, steps, demand)


def incomplete(document: PlanDocument) -> int:
    """Return how many gaps there are in the scopes that a plan touches; in all of them where it touches none."""
    touched = {(edit.provider, edit.scope) for edit in document.edits}
    return sum(
        len(source.gaps)
        for source in document.snapshot.sources
        if not touched or (source.provider, source.scope) in touched
    )


def _answerable(findings: Sequence[Finding], remedies: Sequence[Remedy]) -> list[Finding]:
    answered = {check for remedy in remedies for check in remedy.answers}
    return [finding for finding in findings if finding.check in answered]


def _all_remedies() -> tuple[Remedy, ...]:
    from cloudseg.remediations import REMEDIES

    return REMEDIES


def _to_run(request: PlanRequest, remedies: Sequence[Remedy]) -> AuditRequest:
    """Return the audit that finds what some remedy answers, and what is intended and does not pass."""
    from cloudseg.checks import CHECKS

    answered = {check for remedy in remedies for check in remedy.answers}
    chosen = {check.id for check in request.audit.checks if check.id in answered}
    if request.audit.intent is not None:
        chosen.add(BLOCKED)
    return msgspec.structs.replace(request.audit, checks=tuple(check for check in CHECKS if check.id in chosen))


def _refuse_foreign(found: FindingsDocument, context: RemedyContext) -> None:
    """Refuse evidence of which nothing is about the estate: it would read as if nobody used anything.

    Raises:
        InputError: it is so.
    """
    observed = found.observed
    if observed is not msgspec.UNSET and not observed.ends.get("interface"):
        total = observed.accepted + observed.refused + observed.answers_refused
        if total:
            raise InputError(
                f"the flows are not of this estate: none of {total:,} conversations has an end that was read; "
                "name the conversations of these accounts, or plan without --flows"
            )
        raise InputError(
            "the flows hold no conversation, which would read as if nobody used anything; plan without --flows"
        )
    intent = context.intent
    if intent is not None and intent.segments and len(context.segmentation.empty) == len(intent.segments):
        raise InputError(
            f"the intent is not about this estate: none of its {len(intent.segments)} segments holds anything that "
            "was read; name another --intent, or plan without one"
        )


def _summary(parts: Assembled, answers: Answers, found: FindingsDocument, left_out: dict[str, int]) -> PlanSummary:
    asked = {finding.id for finding in answers.findings}
    return PlanSummary(
        findings=len(asked),
        mended=len(asked & {finding for proposal in parts.proposals for finding in proposal.findings}),
        refused=len(asked & {each.finding for each in parts.refused}),
        waived=sum(finding.waiver is not None for finding in found.findings),
        left_out=left_out,
        edits=len(parts.edits),
        needing_review=sum(edit.safety != "safe" for edit in parts.edits),
        removals=sum(edit.removes for edit in parts.edits),
    )
