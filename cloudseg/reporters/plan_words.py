"""The sentences about a plan that the reports for people share. They are raw: each format escapes them itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.reporters.text import amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.plan.values import ExposureInfo, PlanDocument, PlanEdit, RefusedInfo

__all__ = [
    "change_words",
    "evidence_line",
    "exposure_rows",
    "gaps_in_scopes",
    "headline",
    "left_out_line",
    "proof_line",
    "refused_words",
]

_BY = {
    "remedy": "people decide",
    "conflict": "after this plan",
    "proof": "not proved",
    "estate": "does not fit",
}


def headline(document: PlanDocument) -> str:
    """Return the one line that sums a plan up."""
    summary = document.summary
    if not document.edits:
        return f"nothing to change: {_unmended(document)}"
    mended = f"{amount(summary.edits, 'edit')} for {summary.mended:,} of {amount(summary.findings, 'finding')}"
    review = f"; {summary.needing_review:,} to be reviewed" if summary.needing_review else ""
    return f"{mended}{review}"


def _unmended(document: PlanDocument) -> str:
    summary = document.summary
    if not summary.findings:
        return "no finding that a remedy answers"
    if any(each.by == "proof" for each in document.refused):
        return f"nothing that mends {amount(summary.findings, 'finding')} could be proved"
    return f"{amount(summary.findings, 'finding')}, and none that a change can mend here"


def proof_line(document: PlanDocument) -> str:
    """Return what is proved, in one sentence."""
    proof = document.proof
    if not proof.holds:
        wrong = (
            amount(len(proof.gained), "pair that gains"),
            amount(len(proof.lost), "need that is lost"),
            amount(len(proof.impossible), "other thing against it"),
        )
        return f"not proved: {', '.join(wrong)}"
    if not document.edits:
        return "nothing is changed, so nothing had to be proved"
    what = "nothing new passes, and everything that is known to be needed still does, after every step"
    checked = ", ".join(amount(count, name.removesuffix("s")) for name, count in proof.checked.items() if count)
    return f"proved: {what}{f' ({checked})' if checked else ''}"


def evidence_line(document: PlanDocument) -> str:
    """Return what a plan knows of who needs what, in one sentence."""
    evidence = document.evidence
    parts: list[str] = []
    if evidence.conversations is not None:
        window = f" from {evidence.first[:10]} to {evidence.last[:10]}" if evidence.first else ""
        open_ends = f", {evidence.unplaced:,} of them with an end that is not known" if evidence.unplaced else ""
        parts.append(
            f"{amount(evidence.conversations, 'observed conversation')}{window}{open_ends}, "
            f"which make {amount(evidence.needs, 'need')}"
        )
    if evidence.allowances is not None:
        parts.append(f"an intent with {amount(evidence.allowances, 'allowance')}")
    return " and ".join(parts) or "no flows and no intent: nothing is narrowed to what is in use"


def change_words(edit: PlanEdit) -> tuple[str, str]:
    """Return what an edit does and says: ``add rule``, ``ingress tcp/5432 from sg-app``."""
    does = edit.kind.replace("-", " ")
    if edit.before and edit.after:
        return does, f"{edit.before} → {edit.after}"
    return does, edit.after or edit.before


def exposure_rows(document: PlanDocument) -> Iterator[tuple[str, str, str]]:
    """Yield name, before and after of what is measured."""
    if document.exposure is None:
        return
    before, after = document.exposure.before, document.exposure.after
    for name, least, most in _MEASURES:
        yield name, _span(before, least, most), _span(after, least, most)


_MEASURES = (
    ("pairs of interfaces that can talk", "pairs", "pairs_at_most"),
    ("on administration ports", "administration", "administration_at_most"),
    ("interfaces that the internet reaches", "from_internet", "from_internet_at_most"),
    ("rules", "rules", "rules"),
)


def _span(exposure: ExposureInfo, least: str, most: str) -> str:
    low, high = getattr(exposure, least), getattr(exposure, most)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def refused_words(refused: RefusedInfo) -> str:
    """Return who refuses, in two words."""
    return _BY[refused.by]


_LEFT_OUT = {"--segment": "finding", "--environment": "answer"}


def left_out_line(document: PlanDocument) -> str:
    """Return what the options left out; nothing where they left out nothing."""
    parts = [
        f"{amount(count, _LEFT_OUT.get(option, 'proposal'))} by {option}"
        for option, count in document.summary.left_out.items()
    ]
    waived = document.summary.waived
    if waived:
        parts.append(f"{amount(waived, 'finding')} that a waiver accepts")
    return f"left out: {', '.join(parts)}" if parts else ""


def gaps_in_scopes(document: PlanDocument) -> Sequence[str]:
    """Return the scopes that a plan touches and that were not read in full, each with how many gaps it has."""
    touched = {(edit.provider, edit.scope) for edit in document.edits}
    return [
        f"{source.provider} {source.scope}: {amount(len(source.gaps), 'gap')}"
        for source in document.snapshot.sources
        if source.gaps and (not touched or (source.provider, source.scope) in touched)
    ]
