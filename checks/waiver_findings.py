"""Findings about waivers: a waiver is no resource of a cloud, and is recognised by what it says, not by its place."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

from cloudseg.findings import Finding, ResourceInfo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Confidence, Severity
    from cloudseg.waivers import Waiver

__all__ = ["WaiverFindings", "subject"]

PROVIDER = "cloudseg"


class WaiverFindings:
    """Makes the findings of one check about waivers; equal waivers are told apart by their count."""

    def __init__(self, context: AuditContext) -> None:
        self._context = context
        self._told: Counter[tuple[str, ...]] = Counter()

    def finding(
        self,
        waiver: Waiver,
        message: str,
        severity: Severity,
        confidence: Confidence = "high",
        evidence: Iterable[str] = (),
    ) -> Finding:
        """Return a finding about a waiver; its scope is the file that holds the waiver."""
        said = _content(waiver)
        self._told[said] += 1
        text = "\x1f".join((self._context.check.id, *said, str(self._told[said])))
        return Finding(
            id=hashlib.sha256(text.encode()).hexdigest()[:20],
            check=self._context.check.id,
            severity=severity,
            confidence=confidence,
            provider=PROVIDER,
            scope=waiver.place.rpartition(", ")[0] or waiver.place,
            region="global",
            resource=ResourceInfo("waiver", waiver.place, subject(waiver)),
            message=message,
            evidence=(f"owner: {waiver.owner}", f"reason: {waiver.reason}", *evidence),
        )


def subject(waiver: Waiver) -> str:
    """Return in words what a waiver chooses."""
    if waiver.finding is not None:
        return f"finding {waiver.finding}"
    parts = [waiver.check or "any check"]
    if waiver.resource is not None:
        parts.append(f"resource {waiver.resource}")
    if waiver.rule is not None:
        parts.append(f"rule {waiver.rule}")
    parts.extend(f"tag {key}={value}" for key, value in sorted(waiver.tags.items()))
    return ", ".join(parts)


def _content(waiver: Waiver) -> tuple[str, ...]:
    tags = "\x1e".join(f"{key}={value}" for key, value in sorted(waiver.tags.items()))
    choice = (waiver.finding or "", waiver.check or "", waiver.resource or "", waiver.rule or "", tags)
    return (*choice, waiver.owner, waiver.reason, waiver.expires)
