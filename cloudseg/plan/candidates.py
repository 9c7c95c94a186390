"""From findings to what remedies answer to them: proposals that a plan may take up, and advice."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cloudseg.model.edits import AddRule
from cloudseg.plan.codec import plain
from cloudseg.plan.digest import short_hash
from cloudseg.remediations.interface import Advice, Proposal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.findings import Finding, Severity
    from cloudseg.model.edits import Edit
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.interface import Change, Remedy

__all__ = ["Advised", "Answers", "Candidate", "answers_to", "apart", "content_id"]


class Candidate(NamedTuple):
    """A proposal that a plan may take up.

    Attributes:
        id: stable, from the remedy and what the edits say.
        proposal: the proposal.
        contents: ids of its changes, in order: changes that say the same have the same one.
        findings: the findings that it mends, the worst first.
        remedy: place of its remedy in the table.
    """

    id: str
    proposal: Proposal
    contents: tuple[str, ...]
    findings: tuple[Finding, ...]
    remedy: int

    @property
    def severity(self) -> Severity:
        """Severity of the worst finding."""
        return min((finding.severity for finding in self.findings), key=lambda severity: severity.rank)

    @property
    def order(self) -> tuple[int, int, str, str]:
        """What candidates are ordered by: the most severe first, then by remedy, resource and id."""
        return (self.severity.rank, self.remedy, self.proposal.resource, self.id)

    @property
    def edits(self) -> Iterator[Edit]:
        """The edits of the model, in order."""
        return (edit for change in self.proposal.changes for edit in change.edits)


class Advised(NamedTuple):
    """Advice for a finding.

    Attributes:
        advice: the advice.
        finding: the finding.
    """

    advice: Advice
    finding: Finding


class Answers(NamedTuple):
    """What remedies answer.

    Attributes:
        findings: the findings that some remedy was asked about.
        candidates: proposals, in their order; of equal ones there is one, for all their findings.
        advised: advice, in the order of the findings.
    """

    findings: tuple[Finding, ...]
    candidates: tuple[Candidate, ...]
    advised: tuple[Advised, ...]


def apart(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings one by one: what else is wrong with the rule of one is a finding of its own here."""
    for finding in findings:
        yield msgspec.structs.replace(finding, also=())
        for other in finding.also:
            yield msgspec.structs.replace(
                finding, id=other.id, check=other.check, severity=other.severity, message=other.message,
                evidence=other.evidence, remedy=other.remedy, also=(),
            )  # fmt: skip


def answers_to(findings: Iterable[Finding], remedies: Sequence[Remedy], context: RemedyContext) -> Answers:
    """Ask every remedy that answers the check of a finding.

    Args:
        findings: one by one; accepted ones are nobody's business here.
        remedies: the remedies, in the order in which they go first.
        context: what they share.
    """
    asked: list[Finding] = []
    found: dict[str, Candidate] = {}
    advised: dict[tuple[str, str, str, str], Advised] = {}
    for finding in findings:
        answering = [(place, remedy) for place, remedy in enumerate(remedies) if finding.check in remedy.answers]
        if answering:
            asked.append(finding)
        for place, remedy in answering:
            for answer in _asked(remedy, context, finding):
                if isinstance(answer, Advice):
                    key = (answer.remedy, answer.finding, answer.resource, answer.reason)
                    advised.setdefault(key, Advised(answer, finding))
                elif answer.changes:
                    _add(found, answer, finding, place)
    return Answers(tuple(asked), tuple(sorted(found.values(), key=lambda each: each.order)), tuple(advised.values()))


def _asked(remedy: Remedy, context: RemedyContext, finding: Finding) -> list[Proposal | Advice]:
    try:
        return list(remedy.propose(context, finding))
    except Exception as error:
        error.add_note(f"while the remedy {remedy.id} answered the finding {finding.id} of {finding.check}")
        raise


def _add(found: dict[str, Candidate], proposal: Proposal, finding: Finding, place: int) -> None:
    """Add a proposal; one that says the same as another only adds its finding to it."""
    contents = tuple(content_id(change) for change in proposal.changes)
    identifier = short_hash([proposal.remedy, *contents])
    known = found.get(identifier)
    findings = (*(() if known is None else known.findings), finding)
    each = {one.id: one for one in findings}
    ordered = tuple(sorted(each.values(), key=lambda one: (one.severity.rank, one.check, one.id)))
    found[identifier] = Candidate(identifier, proposal if known is None else known.proposal, contents, ordered, place)


def content_id(change: Change) -> str:
    """Return the stable id of what a change says: when, and which edits. How a new rule is described says nothing."""
    return short_hash([change.phase, plain(tuple(map(_undescribed, change.edits)))])


def _undescribed(edit: Edit) -> Edit:
    match edit:
        case AddRule(rule_set, rule):
            return AddRule(rule_set, msgspec.structs.replace(rule, description=""))
        case _:
            return edit
