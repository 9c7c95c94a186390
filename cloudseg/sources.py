"""What was read, scope by scope, and what is missing of it: every document begins with that.

It stands apart from the engine, so that a document without findings loads no check.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Gap

if TYPE_CHECKING:
    from cloudseg.model import Estate

__all__ = ["GapInfo", "SourceInfo", "sources_of"]


class GapInfo(msgspec.Struct, frozen=True):
    """Something that could not be read: where, what, why, and which parts of the answer it leaves open.

    Attributes:
        region: the region, or ``global``.
        what: the call or the file.
        resource: the one resource concerned; empty for the whole answer.
        reason: ``denied``, ``throttled``, ``unsupported``, ``unreachable``, ``malformed``, ``not-found``, ``timeout``,
            ``skipped`` or ``unread``.
        detail: the provider's message, or the field that is malformed.
        facets: the parts of the estate that it leaves open.
    """

    region: str
    what: str
    resource: str
    reason: str
    detail: str
    facets: tuple[str, ...]


class SourceInfo(msgspec.Struct, frozen=True):
    """A scope that was read, and what is missing of it.

    Attributes:
        provider: the cloud.
        scope: account, subscription, project or cluster.
        name: its name, where it has one.
        regions: the regions that were read.
        complete: nothing is missing.
        gaps: what is missing, and why.
    """

    provider: str
    scope: str
    name: str
    regions: tuple[str, ...]
    complete: bool
    gaps: tuple[GapInfo, ...]


def sources_of(estate: Estate) -> tuple[SourceInfo, ...]:
    """Return every scope of an estate with what is missing of it, in order."""
    gaps: defaultdict[tuple[str, str], list[Gap]] = defaultdict(list)
    for gap in (*estate.gaps, *_unread(estate)):
        gaps[gap.provider, gap.scope].append(gap)
    known = {(scope.provider, scope.scope): scope for scope in estate.scopes}
    result: list[SourceInfo] = []
    for provider, name in sorted({*known, *gaps}):
        scope = known.get((provider, name))
        missing = tuple(
            GapInfo(gap.region, gap.what, gap.resource, gap.reason, gap.detail, gap.facets)
            for gap in sorted(gaps[provider, name])
        )
        result.append(
            SourceInfo(
                provider=provider,
                scope=name,
                name="" if scope is None else scope.name,
                regions=() if scope is None else scope.regions,
                complete=not missing,
                gaps=missing,
            )
        )
    return tuple(result)


def _unread(estate: Estate) -> list[Gap]:
    """Return a gap for each region of which whole facets are missing without any call having failed."""
    explained = {(gap.provider, gap.scope, gap.region, facet) for gap in estate.gaps for facet in gap.facets}
    missing: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for reading in estate.coverage.readings:
        place = (reading.provider, reading.scope, reading.region)
        if reading.state != "read" and (*place, reading.facet) not in explained:
            missing[place].append(reading.facet)
    return [
        Gap(*place, "snapshot", "", "unread", f"not in the snapshot: {', '.join(facets)}", tuple(facets))
        for place, facets in sorted(missing.items())
    ]
