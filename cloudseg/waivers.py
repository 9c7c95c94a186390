"""Accepted findings: who accepts what, why, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import msgspec

from cloudseg.findings import Finding, WaiverInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Waiver", "WaiverState", "apply_waivers"]


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """One accepted finding, or several that share a check and a resource, a rule or a tag.

    Attributes:
        owner: who answers for it.
        reason: why it is accepted.
        expires: the last day on which it holds, ISO 8601.
        place: where it is written: ``waivers.yaml, entry 3``.
        finding: the id of one finding; then nothing else chooses.
        check: id of the check, for the waivers that choose by more than one finding id.
        resource: own id or name of the resource; ``*`` stands for any text.
        rule: the provider's id of the rule, or its text ``tcp/22 from 10.0.0.0/8``.
        tags: tags that the resource must bear.
    """

    owner: str
    reason: str
    expires: str
    place: str
    finding: str | None = None
    check: str | None = None
    resource: str | None = None
    rule: str | None = None
    tags: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])

    def expired(self, as_of: str) -> bool:
        """Tell whether the waiver no longer holds on a day (ISO 8601 date or time)."""
        return self.expires < as_of[:10]

    def matches(self, finding: Finding, tags: Mapping[str, str]) -> bool:
        """Tell whether the waiver chooses a finding about a resource with these tags, whatever the day."""
        if self.finding is not None:
            return self.finding == finding.id
        if self.check != finding.check:
            return False
        if self.resource is not None and not any(
            fnmatchcase(text, self.resource) for text in (finding.resource.id, finding.resource.name) if text
        ):
            return False
        if self.rule is not None:
            if finding.rule is None:
                return False
            side = "from" if finding.rule.direction == "ingress" else "to"
            if self.rule not in {finding.rule.id, f"{finding.rule.traffic} {side} {finding.rule.peer}"}:
                return False
        return all(tags.get(key) == value for key, value in self.tags.items())


class WaiverState(msgspec.Struct, frozen=True):
    """A waiver and what became of it: how many findings it chose, and whether it has expired."""

    waiver: Waiver
    matched: int
    expired: bool


def apply_waivers(
    findings: Iterable[Finding],
    waivers: Sequence[Waiver],
    tags_of: Mapping[str, Mapping[str, str]],
    as_of: str,
) -> tuple[list[Finding], tuple[WaiverState, ...]]:
    """Return the findings, those that a valid waiver accepts marked with it, and what became of each waiver.

    Args:
        findings: the findings of all checks.
        waivers: the waivers; the first that fits is the one shown.
        tags_of: tags by resource own id.
        as_of: the day on which expiries are judged.
    """
    if not waivers:
        return list(findings), ()
    matched = [0] * len(waivers)
    result: list[Finding] = []
    for finding in findings:
        shown: Waiver | None = None
        tags = tags_of.get(finding.resource.id, {})
        for index, waiver in enumerate(waivers):
            if waiver.matches(finding, tags):
                matched[index] += 1
                if shown is None and not waiver.expired(as_of):
                    shown = waiver
        if shown is None:
            result.append(finding)
        else:
            info = WaiverInfo(shown.owner, shown.reason, shown.expires)
            result.append(msgspec.structs.replace(finding, waiver=info))
    states = (WaiverState(w, count, w.expired(as_of)) for w, count in zip(waivers, matched, strict=True))
    return result, tuple(states)
