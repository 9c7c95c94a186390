"""Which parts of scopes were read, by the one table of operations that each provider has."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, Protocol

from cloudseg.model import Coverage, Gap, Reading

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from cloudseg.snapshot import Snapshot

__all__ = ["Key", "Listed", "ReadParts", "gaps_of", "reason_of", "unused"]

_REGION: Final = "global"
Key = tuple[str, str]
"""Service and operation."""


class Listed(Protocol):
    """What a table says of an operation."""

    @property
    def key(self) -> Key:
        """The names under which its answers lie in a snapshot."""
        ...

    @property
    def facets(self) -> tuple[str, ...]:
        """The parts of an estate that it tells of."""
        ...

    @property
    def after(self) -> tuple[Key, ...]:
        """The operations whose answers it is asked about; none for one that lists something by itself."""
        ...


class ReadParts:
    """Tells which parts of the scopes of a provider were read that lists a whole scope at once.

    Args:
        provider: the provider.
        operations: its table.
        supplementary: operations whose answers only say more about what others list.
        deciding: operations that list no service, and may decide who gets to one.
    """

    def __init__(
        self,
        provider: str,
        operations: Sequence[Listed],
        supplementary: Collection[Key],
        deciding: Collection[Key] = (),
    ) -> None:
        self._provider = provider
        self._operations = operations
        self._supplementary = supplementary
        self._deciding = deciding
        self.facets: Final = tuple(sorted({facet for operation in operations for facet in operation.facets}))

    def scopes(self, snapshot: Snapshot) -> tuple[str, ...]:
        """Return the scopes that a snapshot speaks of, sorted."""
        found = {part.scope for part in snapshot.parts() if part.provider == self._provider}
        found |= {gap.scope for gap in snapshot.gaps if gap.provider == self._provider}
        return tuple(sorted(found | {each.scope for each in snapshot.scopes if each.provider == self._provider}))

    def coverage(
        self, snapshot: Snapshot, scopes: Sequence[str], gaps: Iterable[Gap], unasked: Mapping[tuple[str, str], str]
    ) -> Coverage:
        """Return how completely each part of each scope was read.

        A part is read in full when every operation that lists something of it has an answer, so has every operation
        that is asked about each of what is listed, and no gap concerns it.

        Args:
            snapshot: the answers.
            scopes: the scopes.
            gaps: those of the collector, and those that the translation found.
            unasked: what was not asked about something that is listed, in words, by scope and part.
        """
        answered: defaultdict[str, set[Key]] = defaultdict(set)
        for part in snapshot.parts():
            if part.provider == self._provider:
                answered[part.scope].add((part.service, part.operation))
        concerned: defaultdict[tuple[str, str], list[Gap]] = defaultdict(list)
        for gap in set(gaps):
            for facet in gap.facets:
                concerned[gap.scope, facet].append(gap)
        return Coverage(
            self._reading(scope, facet, answered[scope], concerned[scope, facet], unasked.get((scope, facet), ""))
            for scope in scopes
            for facet in self.facets
        )

    def _reading(self, scope: str, facet: str, answered: set[Key], gaps: list[Gap], unasked: str) -> Reading:
        own = [operation for operation in self._operations if facet in operation.facets]
        keys = [operation.key for operation in own if not operation.after]
        if not keys:
            # What is asked about each of something was asked where this was listed.
            keys = [key for operation in own for key in operation.after]
        beside = [key for key in keys if key in self._deciding] if facet.startswith("services.") else []
        essential = [key for key in keys if key not in self._supplementary and key not in beside] or keys
        missing = [key for key in essential if key not in answered]
        undecided = [key for key in beside if key not in answered]
        reason = reason_of(missing or undecided, gaps) or unasked
        if len(missing) == len(essential):
            return Reading(self._provider, scope, _REGION, facet, "unread", reason)
        return Reading(self._provider, scope, _REGION, facet, "partly" if reason else "read", reason)


def gaps_of(snapshot: Snapshot, provider: str, facets: Mapping[Key, tuple[str, ...]]) -> list[Gap]:
    """Return what the collector could not read, with the parts of the estate that each operation leaves open."""
    return [
        Gap(
            provider,
            gap.scope,
            gap.region,
            f"{gap.service}.{gap.operation}",
            gap.resource or "",
            gap.reason,
            gap.detail,
            facets.get((gap.service, gap.operation), ()),
        )
        for gap in snapshot.gaps
        if gap.provider == provider
    ]


def unused(snapshot: Snapshot, provider: str, known: Collection[Key]) -> list[str]:
    """Return a note for each kind of answer that nothing reads."""
    kinds = {(part.service, part.operation) for part in snapshot.parts() if part.provider == provider}
    return [f"{service}.{operation}: nothing reads this answer" for service, operation in kinds - set(known)]


def reason_of(missing: Sequence[Key], gaps: Sequence[Gap]) -> str:
    """Return why a part was not read in full: the first gap, else the first answer that is not there."""
    if gaps:
        first = min(gaps)
        more = f", and {len(gaps) - 1} more" if len(gaps) > 1 else ""
        return f"{first.what}: {first.reason}{more}"
    return "" if not missing else f"{'.'.join(missing[0])} is not in the snapshot"
