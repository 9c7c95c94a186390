"""What a plan tells beside its edits: what it rests on, what it leaves alone, the exposure, what stays open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.plan.values import EvidenceInfo, ExposureChange, ExposureInfo, LeftAlone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.engine import FindingsDocument
    from cloudseg.findings import Finding
    from cloudseg.model import Estate
    from cloudseg.reach.spread.extents import Exposure
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.interface import Remedy

__all__ = ["BLOCKED", "evidence_of", "exposure_of_both", "intended_not_carried", "notes_of", "observed_not_carried"]

BLOCKED: Final = "blocked-intent"
"""The check that tells what is intended and does not pass."""
_FIRST: Final = 10
_NO_EVIDENCE: Final = (
    "no flows and no intent were given: the plan holds only replacements that keep every pair which a rule carries "
    "between interfaces that were read, and narrows nothing to what is in use"
)


def evidence_of(found: FindingsDocument, context: RemedyContext) -> EvidenceInfo:
    """Return what a plan knows of who needs what."""
    allowances = None if context.intent is None else len(context.intent.allow)
    observed = found.observed
    if observed is msgspec.UNSET:
        return EvidenceInfo(conversations=None, allowances=allowances)
    return EvidenceInfo(
        conversations=observed.accepted + observed.refused + observed.answers_refused,
        first=observed.logs.first,
        last=observed.logs.last,
        needs=len(context.demand),
        unplaced=context.demand.unplaced,
        allowances=allowances,
    )


def observed_not_carried(found: FindingsDocument) -> LeftAlone:
    """Return the accepted conversations that the estate of today does not carry."""
    observed = found.observed
    if observed is msgspec.UNSET:
        return LeftAlone(0)
    examples = observed.stale_examples[:_FIRST]
    return LeftAlone(
        observed.stale,
        tuple(f"{each.source} to {each.target} {each.traffic}, last {each.last_seen}" for each in examples),
    )


def intended_not_carried(findings: Sequence[Finding], context: RemedyContext) -> LeftAlone:
    """Return what the intent allows and the estate of today does not carry."""
    if context.intent is None:
        return LeftAlone(0)
    blocked = [finding for finding in findings if finding.check == BLOCKED]
    return LeftAlone(len(blocked), tuple(finding.message for finding in blocked[:_FIRST]))


def exposure_of_both(known: Exposure | None, before: Estate, after: Estate, *, changed: bool) -> ExposureChange | None:
    """Return how much can talk to how much, before and after; None where that was not asked for.

    Args:
        known: that of the estate before.
        before: the estate as it is.
        after: the estate after the plan.
        changed: they differ.
    """
    if known is None:
        return None
    old = _exposed(known, before)
    if not changed:
        return ExposureChange(old, old)
    from cloudseg.reach.reachability import Reachability
    from cloudseg.reach.spread.exposure import exposure_of

    return ExposureChange(old, _exposed(exposure_of(Reachability(after)), after))


def _exposed(exposure: Exposure, estate: Estate) -> ExposureInfo:
    anything, control = exposure.any_port, exposure.administration
    return ExposureInfo(
        rules=sum(len(rule_set.rules) for rule_set in estate.rule_sets.values()),
        interfaces=exposure.interfaces,
        pairs=anything.pairs,
        pairs_at_most=anything.pairs_at_most,
        administration=control.pairs,
        administration_at_most=control.pairs_at_most,
        from_internet=anything.from_internet,
        from_internet_at_most=anything.from_internet_at_most,
    )


def notes_of(found: FindingsDocument, context: RemedyContext, remedies: Sequence[Remedy]) -> Iterator[str]:
    """Yield what a reviewer should know: what the evidence leaves open, what could not be looked at."""
    if context.observed is None and context.intent is None:
        yield _NO_EVIDENCE
    if context.observed is not None:
        logged = context.observed.logged
        yield from logged.doubts
        for scope in context.estate.scopes:
            if not logged.covers(scope.provider, scope.scope):
                yield f"no log tells who uses what in {scope.provider} {scope.scope}: nothing is narrowed by use there"
    answered = {check for remedy in remedies for check in remedy.answers}
    providers = {scope.provider for scope in context.estate.scopes}
    for status in found.checks:
        if status.id in answered and status.status != "evaluated" and _concerned(status.id, providers):
            yield f"{status.id}: {status.status}: {status.reason}"
    yield from found.notes


def _concerned(check: str, providers: set[str]) -> bool:
    from cloudseg.checks import CHECKS

    concept = next(each.concept for each in CHECKS if each.id == check)
    return not concept or bool(providers & concept.keys())
