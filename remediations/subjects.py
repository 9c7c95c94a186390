"""What findings are about, and advice about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cloudseg.model import Resource, qualified
from cloudseg.remediations.interface import Advice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.findings import Finding
    from cloudseg.remediations.context import RemedyContext

__all__ = ["advised", "mended", "subject_of"]

R = TypeVar("R", bound=Resource)


def subject_of(context: RemedyContext, finding: Finding, kind: type[R]) -> R | None:
    """Return the resource of one kind that a finding is about; None where there is none such.

    Args:
        context: what all remedies share.
        finding: the finding.
        kind: the kind of resource: ``Network``, ``Service``.
    """
    return next((each for each in context.resources(finding) if isinstance(each, kind)), None)


def advised(remedy: str, finding: Finding, reason: str, steps: Sequence[str] = (), witness: str = "") -> Advice:
    """Return advice about a finding.

    Args:
        remedy: id of the remedy.
        finding: the finding.
        reason: why no change is proposed, in one sentence.
        steps: what people can do; what the finding itself says where none is told.
        witness: a packet that shows why, in words.
    """
    region = finding.region if finding.provider == "aws" else None
    return Advice(
        remedy=remedy,
        finding=finding.id,
        resource=qualified(finding.provider, finding.scope, finding.resource.id, region),
        reason=reason,
        witness=witness,
        steps=tuple(steps) or mended(finding),
    )


def mended(finding: Finding) -> tuple[str, ...]:
    """Return what a finding itself says would mend it."""
    return () if finding.remedy is None else (finding.remedy.summary,)
