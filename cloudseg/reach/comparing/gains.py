"""What one estate lets through and another does not, collected row by row and joined: pairs alike are one change."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.reach.comparing.changes import Cause, Change, Counts
from cloudseg.reach.comparing.witness import Witnesses
from cloudseg.reach.pairs.rows import Band
from cloudseg.reach.spread.bits import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cloudseg.reach.pairs.rows import Rows
    from cloudseg.reach.reachability import Reachability
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["Gains", "gained", "unknown_in_both"]


def gained(old: Band, new: Band) -> Band:
    """Return what the new rows have and the old ones have not; with the arguments exchanged, what is lost.

    Certain is what surely passes in the new one and surely did not in the old one. At most it is what may pass in the
    new one and did not surely in the old one; but where it is unknown in both, the unknown is taken for the same.
    """
    return Band(new.lower & ~old.upper, new.upper & ~old.lower & ~unknown_in_both(old, new))


def unknown_in_both(old: Band, new: Band) -> Rows:
    """Return what lies between the bounds in both."""
    unknown: Rows = (old.upper & ~old.lower) & (new.upper & ~new.lower)
    return unknown


class _Key(NamedTuple):
    """What the targets of one change share; ``sources`` are classes, as packed bits."""

    cause: Cause
    lower: Traffic
    upper: Traffic
    sources: bytes


class _OutsideKey(NamedTuple):
    """What the classes share that change alike towards outside addresses, which come as runs of positions."""

    incoming: bool
    cause: Cause
    lower: Traffic
    upper: Traffic
    runs: tuple[tuple[int, int], ...]


class Gains:
    """Collects what one estate lets through and another does not.

    Args:
        reach: reachability of the estate that lets it through.
        only_here: for each class whether its interfaces are in this estate alone.
        cause: what brought changes about of which an end is in this estate alone.
    """

    def __init__(self, reach: Reachability, only_here: NDArray[np.bool_], cause: Cause) -> None:
        self._reach = reach
        self._only_here = only_here
        self._cause: Cause = cause
        self._sizes: NDArray[np.int64] = np.array([len(own.members) for own in reach.classes], dtype=np.int64)
        self._inside: defaultdict[_Key, list[int]] = defaultdict(list)
        self._outside: defaultdict[_OutsideKey, list[int]] = defaultdict(list)
        self._counts = Counts(0, 0, 0, 0)

    @property
    def counts(self) -> Counts:
        """How many gained."""
        return self._counts

    def take(self, target: int, band: Band, columns: NDArray[np.intp]) -> None:
        """Note what a class gained from others.

        Args:
            target: number of the class.
            band: what it gained, by word and source.
            columns: numbers of the sources.
        """
        for chosen, lower, upper in self._alike(band):
            sources = np.zeros(len(self._sizes), dtype=np.bool_)
            sources[columns[chosen]] = True
            pairs = int(self._sizes[target]) * int(self._sizes[sources].sum() - sources[target])
            known = self._counts
            certain = known.certain_pairs + (pairs if lower else 0)
            self._counts = known._replace(pairs=known.pairs + pairs, certain_pairs=certain)
            here = sources if self._only_here[target] else sources & self._only_here
            self._note(self._cause, here, lower, upper, target)
            self._note("changed", sources & ~here, lower, upper, target)

    def _note(self, cause: Cause, sources: NDArray[np.bool_], lower: Traffic, upper: Traffic, target: int) -> None:
        if sources.any():
            self._inside[_Key(cause, lower, upper, pack(sources).tobytes())].append(target)

    def take_outside(self, number: int, band: Band, *, incoming: bool) -> None:
        """Note what a class gained from outside addresses, or to them.

        Args:
            number: number of the class.
            band: what it gained, by word and position.
            incoming: it is about what comes from outside.
        """
        boundary = self._reach.ground.line.boundary
        cause: Cause = self._cause if self._only_here[number] else "changed"
        known, size = self._counts, int(self._sizes[number])
        if band.upper.any():
            self._counts = (
                known._replace(from_outside=known.from_outside + size)
                if incoming
                else known._replace(to_outside=known.to_outside + size)
            )
        for positions, lower, upper in self._alike(band):
            breaks = np.flatnonzero((np.diff(positions) != 1) | (positions[1:] == boundary)) + 1
            runs = tuple((int(run[0]), int(run[-1]) + 1) for run in np.split(positions, breaks))
            self._outside[_OutsideKey(incoming, cause, lower, upper, runs)].append(number)

    def _alike(self, band: Band) -> Iterator[tuple[NDArray[np.intp], Traffic, Traffic]]:
        """Yield the columns that hold anything, those of the same traffic together."""
        columns = np.flatnonzero(band.upper.any(axis=0))
        if not len(columns):
            return
        lower, upper = band.lower[:, columns], band.upper[:, columns]
        labels: NDArray[np.intp] = np.zeros(len(columns), dtype=np.intp)
        for row in (*lower, *upper):
            if (row != row[0]).any():
                _, values = np.unique(row, return_inverse=True)
                _, labels = np.unique(labels * len(columns) + values, return_inverse=True)
        atoms = self._reach.ground.atoms
        for label in range(int(labels.max()) + 1):
            chosen = np.flatnonzero(labels == label)
            bounds = (atoms.from_words(rows[:, chosen[0]].tolist()) for rows in (lower, upper))
            yield columns[chosen], next(bounds), next(bounds)

    def changes(self) -> tuple[Change, ...]:
        """Return what was collected: the certain changes first, of these the ones of most pairs."""
        witnesses = Witnesses(self._reach)
        found = [*self._changes_inside(witnesses), *self._changes_outside(witnesses)]
        return tuple(sorted(found, key=_order))

    def _changes_inside(self, witnesses: Witnesses) -> Iterator[Change]:
        ends: dict[tuple[int, ...], tuple[str, ...]] = {}
        for key, targets in self._joined():
            sources = tuple(np.flatnonzero(unpack(_row(key.sources), len(self._sizes))).tolist())
            senders = self._members(sources, ends)
            takers = self._members(tuple(sorted(targets)), ends)
            itself = sum(int(self._sizes[number]) for number in {*sources} & {*targets})
            source, target = next((a, b) for a in senders for b in takers if a != b)
            witness = witnesses.inside(source, target, key.lower or key.upper)
            pairs = len(senders) * len(takers) - itself
            yield Change(senders, takers, key.cause, key.lower, key.upper, pairs, witness)

    def _joined(self) -> Iterator[tuple[_Key, list[int]]]:
        """Yield the changes inside, joined as far as it goes.

        A class of one interface never gains from itself. Interfaces that all gain from each other have different
        sources only for that reason, so a target of one interface counts as its own source while others agree.
        """
        joined: dict[_Key, list[int]] = {}
        alone: defaultdict[_Key, list[tuple[_Key, int]]] = defaultdict(list)
        for key, targets in self._inside.items():
            row = _row(key.sources).copy()
            target = targets[0]
            if len(targets) == 1 and self._sizes[target] == 1:
                row[target >> 3] |= 1 << (target & 7)
                alone[key._replace(sources=row.tobytes())].append((key, target))
            else:
                joined[key] = targets
        for wide, single in alone.items():
            if len(single) > 1 or wide in joined:
                joined[wide] = [*joined.get(wide, ()), *(target for _, target in single)]
            else:
                key, target = single[0]
                joined[key] = [*joined.get(key, ()), target]
        yield from joined.items()

    def _members(self, numbers: tuple[int, ...], known: dict[tuple[int, ...], tuple[str, ...]]) -> tuple[str, ...]:
        """Return the interfaces of classes in order; many changes name the same ones."""
        found = known.get(numbers)
        if found is None:
            names = (name for number in numbers for name in self._reach.classes[number].members)
            found = known[numbers] = tuple(sorted(names))
        return found

    def _changes_outside(self, witnesses: Witnesses) -> Iterator[Change]:
        line = self._reach.ground.line
        for key, numbers in self._outside.items():
            parts = [line.addresses(start, end) for start, end in key.runs]
            texts = tuple(f"external:{part}" for part in parts)
            names = self._members(tuple(sorted(numbers)), {})
            traffic = key.lower or key.upper
            if key.incoming:
                witness = witnesses.from_outside(_union(parts), names[0], traffic)
                yield Change(texts, names, key.cause, key.lower, key.upper, len(names), witness)
            else:
                witness = witnesses.to_outside(names[0], _union(parts), traffic)
                yield Change(names, texts, key.cause, key.lower, key.upper, len(names), witness)


def _row(sources: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(sources, dtype=np.uint8)


def _union(parts: list[AddressSet]) -> AddressSet:
    union = parts[0]
    for part in parts[1:]:
        union |= part
    return union


def _order(change: Change) -> tuple[object, ...]:
    return (not change.certain, -change.pairs, change.sources, change.targets, str(change.upper), str(change.lower))
