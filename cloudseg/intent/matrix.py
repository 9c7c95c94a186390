"""The intended traffic between every two segments, as of a day."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cloudseg.errors import InputError
from cloudseg.segments import INTERNET
from cloudseg.traffic import NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.intent.values import Allowance
    from cloudseg.segments import Segmentation
    from cloudseg.traffic import Traffic

__all__ = ["IntentMatrix"]


class IntentMatrix:
    """What each segment may open to each other one. Only allowances that hold on the day count.

    Attributes:
        segmentation: what the segments hold.
        as_of: the day.
        valid: the allowances that hold.
        expired: the allowances that no longer do.
    """

    __slots__ = ("_between", "_by_pair", "_joined", "_names", "as_of", "expired", "segmentation", "valid")

    def __init__(self, segmentation: Segmentation, allow: Iterable[Allowance], as_of: str) -> None:
        allow = tuple(allow)
        self.segmentation = segmentation
        self.as_of = as_of
        self.valid = tuple(allowance for allowance in allow if not allowance.expired(as_of))
        self.expired = tuple(allowance for allowance in allow if allowance.expired(as_of))
        self._names = frozenset((*segmentation.names, INTERNET))
        self._by_pair = _by_pair(allow)
        self._between: dict[tuple[str, str], Traffic] = {}
        for pair, allowances in _by_pair(self.valid).items():
            traffic = NO_TRAFFIC
            for allowance in allowances:
                traffic |= allowance.traffic
            self._between[pair] = traffic
        self._joined: dict[tuple[tuple[str, ...], tuple[str, ...]], Traffic] = {}

    def between(self, source: str, target: str) -> Traffic:
        """Return what one segment may open to another, or to itself; ``internet`` is one as well.

        Raises:
            InputError: there is no such segment.
        """
        for name in (source, target):
            if name not in self._names:
                raise InputError(f"there is no segment {name!r}; there are {', '.join(sorted(self._names))}")
        return self._between.get((source, target), NO_TRAFFIC)

    def for_segments(self, sources: tuple[str, ...], targets: tuple[str, ...]) -> Traffic:
        """Return what anybody who is in all the sources may open to anybody who is in all the targets.

        That is the union over the pairs: an allowance of one segment holds for all its members, whatever other segment
        they are in as well. Without a segment on either side nothing is allowed.

        Raises:
            InputError: there is no such segment.
        """
        known = self._joined.get((sources, targets))
        if known is None:
            known = NO_TRAFFIC
            for source in sources:
                for target in targets:
                    known |= self.between(source, target)
            self._joined[sources, targets] = known
        return known

    def for_interfaces(self, source: str, target: str) -> Traffic:
        """Return what one interface may open to another, by qualified ids; nothing where either is in no segment."""
        segments = self.segmentation
        return self.for_segments(segments.segments_of(source), segments.segments_of(target))

    def pairs(self) -> Iterator[tuple[str, str, Traffic]]:
        """Yield the pairs of segments of which the first may open something to the second, in order of their names."""
        for (source, target), traffic in sorted(self._between.items(), key=lambda item: item[0]):
            yield source, target, traffic

    def allowances(self, source: str, target: str) -> tuple[Allowance, ...]:
        """Return the allowances from one segment to another, the expired ones too, in the order of the file."""
        return tuple(self._by_pair.get((source, target), ()))


def _by_pair(allow: Iterable[Allowance]) -> dict[tuple[str, str], list[Allowance]]:
    found: defaultdict[tuple[str, str], list[Allowance]] = defaultdict(list)
    for allowance in allow:
        for source in dict.fromkeys(allowance.sources):
            for target in dict.fromkeys(allowance.targets):
                found[source, target].append(allowance)
    return dict(found)
