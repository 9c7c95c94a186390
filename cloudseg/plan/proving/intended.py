"""What the intent allows and a state of a plan may carry no longer: asked of pairs at which lists lost anything."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.plan.proving.keeping import Ways, settled, shrunk
from cloudseg.plan.proving.needed import veiled_interfaces
from cloudseg.traffic import NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cloudseg.intent import IntentMatrix
    from cloudseg.model import Direction
    from cloudseg.plan.proving.keeping import Shrinking
    from cloudseg.plan.proving.ledger import Ledger
    from cloudseg.plan.proving.touched import Touched
    from cloudseg.plan.proving.unknowns import Variables
    from cloudseg.traffic import Traffic

__all__ = ["OUTSIDE", "Intended", "Suspect"]

OUTSIDE: Final = -1
"""Stands for addresses outside in the place of a class."""
_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")


class Suspect(NamedTuple):
    """A pair between which something intended may be lost: numbers of classes of the ledger, or :data:`OUTSIDE`."""

    source: int
    target: int


class Intended:
    """What the intent allows, over the columns of a ledger.

    Args:
        matrix: the intent.
        ledger: the columns.
    """

    def __init__(self, matrix: IntentMatrix, ledger: Ledger) -> None:
        self.matrix = matrix
        self._ledger = ledger
        of: defaultdict[str, list[str]] = defaultdict(list)
        segments = matrix.segmentation
        for name in segments.names:
            for interface in (*segments.members.get(name, ()), *segments.uncertain.get(name, ())):
                of[interface].append(name)
        self.segments = {interface: tuple(dict.fromkeys(names)) for interface, names in of.items()}
        self._numbers: dict[tuple[str, ...], int] = {}
        columns, entries = ledger.columns, list[tuple[int, int]]()
        of_class = [
            sorted({self._number(self.segments[m]) for m in own.members if m in self.segments})
            for own in columns.classes
        ]
        owners: list[int] = columns.owner.tolist()
        for face, owner in enumerate(owners):
            entries.extend((face, number) for number in of_class[owner])
        outside: defaultdict[int, list[str]] = defaultdict(list)
        for name, addresses in segments.outside.items():
            for start, end in ledger.line.runs(addresses):
                for place in range(start, end):
                    outside[columns.faces + place].append(name)
        entries.extend((column, self._number(tuple(names))) for column, names in sorted(outside.items()))
        self._columns = np.array([column for column, _ in entries], dtype=np.intp)
        self._kinds = np.array([number for _, number in entries], dtype=np.intp)
        self._allowed: dict[tuple[tuple[str, ...], bool], NDArray[np.uint64]] = {}
        veiled = veiled_interfaces(ledger.states[0])
        self._special = veiled.always | veiled.entered

    def _number(self, names: tuple[str, ...]) -> int:
        return self._numbers.setdefault(names, len(self._numbers))

    def between(self, source: str, target: str) -> Traffic:
        """Return what one interface may open to another; who only may belong to a segment counts as a member."""
        return self.matrix.for_segments(self.segments.get(source, ()), self.segments.get(target, ()))

    def allowed(self, sources: tuple[str, ...], targets: tuple[str, ...]) -> Traffic:
        """Return what members of some interfaces may open to members of others."""
        found = NO_TRAFFIC
        kinds = [dict.fromkeys(self.segments.get(name, ()) for name in names) for names in (sources, targets)]
        for source in kinds[0]:
            for target in kinds[1]:
                found |= self.matrix.for_segments(source, target)
        return found

    def _with(self, names: tuple[str, ...], *, inward: bool) -> NDArray[np.uint64]:
        """Return what each kind of other end may open to members of segments, or they to it, by kind and word."""
        known = self._allowed.get((names, inward))
        if known is None:
            each = [
                self.matrix.for_segments(other, names) if inward else self.matrix.for_segments(names, other)
                for other in self._numbers
            ]
            known = np.array([self._ledger.overlapping(traffic) for traffic in each], dtype=np.uint64)
            known = self._allowed[names, inward] = known.reshape(len(each), self._ledger.atoms.width)
        return known

    def suspected(self, number: int, touched: Touched, variables: Variables) -> Iterator[Suspect]:
        """Yield the pairs between which lists of a state may carry no longer what is intended; some come twice.

        Args:
            number: the number of the state.
            touched: what the plan touches.
            variables: compares what is unknown in both.
        """
        if not len(self._columns):
            return
        ways = Ways(self._ledger)
        for direction in _DIRECTIONS:
            for near in self._ledger.alike(touched.of(direction), direction, number):
                shrinking = shrunk(self._ledger, number, near)
                found = () if shrinking is None else tuple(self._of(shrinking, ways))
                if found and shrinking is not None and shrinking.unknown is not None:
                    found = tuple(self._of(settled(shrinking, variables), ways))
                yield from found

    @cached_property
    def _straight_ways(self) -> Ways:
        return Ways(self._ledger)

    def straight(self, suspect: Suspect) -> bool:
        """Tell whether packets of a pair surely meet nobody on the way who passes them on."""
        columns, estate = self._ledger.columns, self._ledger.states[0]
        if OUTSIDE in suspect:
            return False
        for number in suspect:
            for name in columns.classes[number].members:
                interface = estate.interfaces[name]
                if interface.public or interface.public_unlisted is not False or name in self._special:
                    return False
        pairs = [
            (source, target)
            for source in columns.of_class[suspect.source]
            for target in columns.of_class[suspect.target]
            if (source < columns.families) == (target < columns.families)
        ]
        if not pairs:
            return False
        ways = self._straight_ways
        sources, targets = (np.array(each, dtype=np.intp) for each in zip(*pairs, strict=True))
        return bool(ways.straight(sources, targets).all())

    def _of(self, shrinking: Shrinking, ways: Ways) -> Iterator[Suspect]:
        columns, near = self._ledger.columns, shrinking.near
        inward = near.direction == "ingress"
        classes: defaultdict[tuple[str, ...], dict[int, str]] = defaultdict(dict)
        for name in near.names:
            if name in self.segments:
                classes[self.segments[name]].setdefault(columns.class_of[name], name)
        for names, owners in classes.items():
            allowed = self._with(names, inward=inward)[self._kinds]
            grouped = (allowed & shrinking.grouped[:, self._columns].T).any(axis=1)
            plain = (allowed & shrinking.plain[:, self._columns].T).any(axis=1) & ~grouped
            if not (grouped.any() or plain.any()):
                continue
            for owner, name in owners.items():
                hit = grouped.copy()
                if plain.any():
                    hit |= plain & self._off_the_way(owner, name, ways, inward=inward)
                for column in np.unique(self._columns[hit]).tolist():
                    other = int(columns.owner[column]) if column < columns.faces else OUTSIDE
                    yield Suspect(other, owner) if inward else Suspect(owner, other)

    def _off_the_way(self, owner: int, name: str, ways: Ways, *, inward: bool) -> NDArray[np.bool_]:
        """Return for each column whether it is not sure that packets go by a way on which groups hold."""
        columns = self._ledger.columns
        interface = self._ledger.states[0].interfaces[name]
        off = np.ones(len(self._columns), dtype=np.bool_)
        beside = interface.public or interface.public_unlisted is not False or name in self._special
        if beside:
            return off
        inside = np.flatnonzero(self._columns < columns.faces)
        others = self._columns[inside]
        # Groups have to hold for each face that the other end may meet: those of the same family.
        held = np.ones(len(inside), dtype=np.bool_)
        met = np.zeros(len(inside), dtype=np.bool_)
        for face in columns.of_class[owner]:
            same = (others < columns.families) == (face < columns.families)
            own = np.full(int(same.sum()), face, dtype=np.intp)
            pairs = (others[same], own) if inward else (own, others[same])
            held[same] &= ways.hold(*pairs, inward=inward)
            met |= same
        off[inside] = ~held & met
        return off
