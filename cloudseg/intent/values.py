"""The intent as people wrote it: segments, and what one may open to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.intent.matrix import IntentMatrix
from cloudseg.segments import Segment
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from cloudseg.segments import Segmentation

__all__ = ["Allowance", "Intent"]


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """Traffic that every one of some segments may open to every one of some others.

    Attributes:
        sources: the segments that open connections, or ``internet``.
        targets: the segments that they open them to, or ``internet``.
        traffic: what they may open; replies go without saying.
        comment: why, for people.
        owner: who answers for it.
        expires: the last day on which a temporary allowance holds, ISO 8601; empty where it holds for good.
        id: a name for it that stays when its text changes; empty where people gave none.
        place: where it is written: ``intent.yaml:12``.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    traffic: Traffic
    comment: str = ""
    owner: str = ""
    expires: str = ""
    id: str = ""
    place: str = ""

    def expired(self, as_of: str) -> bool:
        """Tell whether it no longer holds on a day (ISO 8601 date or time).

        Where the day is not known, nothing temporary holds: it could be over.
        """
        return bool(self.expires) and (not as_of or self.expires < as_of[:10])

    def __str__(self) -> str:
        """Return it in one line: ``web or batch to app: tcp/8080``."""
        ends = f"{' or '.join(self.sources)} to {' or '.join(self.targets)}: {self.traffic}"
        return f"{self.id} ({ends})" if self.id else ends


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """The intended traffic of an estate. What no allowance names is denied, within a segment too.

    Attributes:
        segments: the segments, in the order of the file.
        allow: the allowances, in the order of the file.
        shared: segments of services that everybody uses; checks for skipped tiers and mixed environments pass over
            them.
        tiers: tiers as tags call them, from the outermost inwards; several names in one place are one tier.
    """

    segments: tuple[Segment, ...] = ()
    allow: tuple[Allowance, ...] = ()
    shared: tuple[str, ...] = ()
    tiers: tuple[tuple[str, ...], ...] = ()

    def allowed(self, segmentation: Segmentation, as_of: str) -> IntentMatrix:
        """Return what each segment may open to each other one on a day.

        Args:
            segmentation: what the segments hold in the estate, of ``resolve_segments(intent.segments, estate)``.
            as_of: the day at which temporary allowances are judged, ISO 8601 date or time.

        Raises:
            ValueError: the segmentation is one of other segments.
        """
        names = tuple(segment.name for segment in self.segments)
        if segmentation.names != names:
            raise ValueError(f"the segmentation has the segments {segmentation.names}, the intent {names}")
        return IntentMatrix(segmentation, self.allow, as_of)
