"""From answers and gaps to a snapshot, the same way for every provider."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from cloudseg import __version__
from cloudseg.snapshot import Manifest, Part, Reason, ScopeRead, Snapshot, SnapshotGap

__all__ = ["Progress", "gap_at", "shortened", "snapshot_of"]

Progress = Callable[[str, int, int], None]
"""Told what was just read, how many calls are done, and how many are known to be due."""

_LONGEST_DETAIL = 300


def shortened(text: str) -> str:
    """Return an error's words in one line, as long as a report has room for."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_DETAIL else line[: _LONGEST_DETAIL - 1] + "…"


def gap_at(part: Part, reason: Reason, detail: str) -> SnapshotGap:
    """Return the gap that an answer leaves which could not be had."""
    return SnapshotGap(
        part.provider, part.scope, part.region, part.service, part.operation, part.resource, reason, detail
    )


def snapshot_of(
    answers: Mapping[Part, object],
    scopes: Iterable[ScopeRead],
    gaps: Iterable[SnapshotGap],
    taken_at: datetime | None,
) -> Snapshot:
    """Return the snapshot of a collection, in an order that does not depend on which call was answered first.

    Args:
        answers: what was read.
        scopes: whose answers they are.
        gaps: what could not be read.
        taken_at: the time to write into the snapshot; now without it.
    """
    manifest = Manifest(
        (taken_at or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        f"cloudseg {__version__}",
        tuple(sorted(scopes, key=lambda scope: scope.scope)),
        tuple(sorted(gaps, key=_gap_order)),
        tuple(sorted(part.path for part in answers)),
    )
    return Snapshot.of(answers, manifest)


def _gap_order(gap: SnapshotGap) -> tuple[str, ...]:
    return (gap.scope, gap.region, gap.service, gap.operation, gap.resource or "", gap.detail)
