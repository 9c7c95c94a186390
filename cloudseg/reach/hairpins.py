"""Pairs of one estate that talk over the internet: out under a public address, in by another one.

On this way rules see public addresses on both sides, so groups do not match. Source:
https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html#security-group-referencing
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.reach.paths import AT_MOST, NEVER, OUTSIDE, SURELY
from cloudseg.reach.replies import TRANSLATED
from cloudseg.reach.ways import is_public
from cloudseg.traffic import GLOBAL_UNICAST, AddressSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Estate, Interface
    from cloudseg.reach.boundaries import Boundaries
    from cloudseg.reach.ground import Ground
    from cloudseg.reach.paths import Paths
    from cloudseg.reach.rows import Band, Rows
    from cloudseg.reach.senders import Senders

__all__ = ["Hairpins"]

_INTERNET = OUTSIDE.index("internet") + 1


class _Bearer(NamedTuple):
    """Under which public addresses somebody is seen.

    Attributes:
        positions: their positions on the address line.
        known: these are all; otherwise they may be any.
    """

    positions: tuple[int, ...]
    known: bool


class _Ranked(NamedTuple):
    """One face of each class, where there is one."""

    faces: NDArray[np.intp]
    there: NDArray[np.bool_]


class Hairpins:
    """What passes between interfaces of one estate over the internet.

    Args:
        firsts: a member of each class; None where the estate has none.
        ground: atoms and columns.
        paths: the ways of packets.
        senders: what senders let out.
        boundaries: what stateless lists leave of packets.
        estate: the estate.
    """

    def __init__(
        self,
        firsts: Sequence[Interface | None],
        ground: Ground,
        paths: Paths,
        senders: Senders,
        boundaries: Boundaries,
        estate: Estate,
    ) -> None:
        columns = ground.columns
        self._columns = columns
        self._carried = ground.atoms.words(ground.atoms.mask(TRANSLATED))
        self._paths = paths
        self._senders = senders
        self._boundaries = boundaries
        self._estate = estate
        first_faces = [faces[0] if faces else 0 for faces in columns.of_class]
        self._face = np.array(first_faces, dtype=np.intp)
        self._route = paths.route[self._face] if len(paths.route) else np.zeros(0, dtype=np.intp)
        self._there = np.array(
            [bool(faces) and first is not None for faces, first in zip(columns.of_class, firsts, strict=True)]
        )
        self._faces = [self._ranked(firsts, family) for family in (4, 6)]
        self._public = np.array(
            [[_level(first, family, estate) for first in firsts] for family in (4, 6)], dtype=np.uint8
        )
        self._own = [[self._bearer(first, family) for first in firsts] for family in (4, 6)]
        self._seen = [self._translated(names) for names in paths.out_translations]
        numbers: dict[_Bearer, int] = {}
        self._own_bearer = [
            np.array([numbers.setdefault(each, len(numbers)) for each in bearers], dtype=np.intp)
            for bearers in self._own
        ]
        self._seen_bearer = np.array([numbers.setdefault(each, len(numbers)) for each in self._seen], dtype=np.intp)
        self._bearers = tuple(numbers)
        self._leaving: dict[tuple[int, bool], Rows] = {}

    def _bearer(self, interface: Interface | None, family: int) -> _Bearer:
        """Return under which public addresses of a family an interface is seen on the internet."""
        if interface is None:
            return _Bearer((), known=True)
        addresses = (interface.public | interface.addresses) & GLOBAL_UNICAST
        addresses = AddressSet(v4=interface.public.v4) if family == 4 else AddressSet(v6=addresses.v6)
        listed = family == 6 or interface.public_unlisted is False
        return _Bearer(self._positions(addresses), known=listed)

    def _translated(self, names: tuple[str, ...]) -> _Bearer:
        """Return under which public addresses a gateway is seen."""
        interfaces = [self._estate.interfaces[name] for name in names if name in self._estate.interfaces]
        positions = [p for each in interfaces for p in self._positions(AddressSet(v4=each.public.v4))]
        return _Bearer(tuple(dict.fromkeys(positions)), known=bool(positions))

    def _positions(self, addresses: AddressSet) -> tuple[int, ...]:
        return tuple(p for start, end in self._columns.line.runs(addresses) for p in range(start, end))

    def add(self, target: Interface, number: int, inside: Band, outside: Band) -> None:
        """Add to what arrives at a class from the others what comes over the internet.

        Args:
            target: a member of the class.
            number: the number of the class.
            inside: what arrives from every class; it is changed.
            outside: what arrives from the positions outside.
        """
        if not outside.upper.any():
            return
        for family, bearers in ((4, self._own[0]), (6, self._own[1])):
            borne = bearers[number]
            positions = borne.positions
            if not borne.known and is_public(target, 4 if family == 4 else 6, self._estate) is not False:
                positions = self._positions(GLOBAL_UNICAST)
            for position in positions:
                if (position < self._columns.line.boundary) != (family == 4):
                    continue
                for certain in (True, False):
                    if certain and not borne.known:
                        continue
                    words = self.leaving(position, certain=certain)
                    if words.any():
                        rows = inside.bound(certain=certain)
                        rows |= words & self._admitted(
                            position, family, outside.bound(certain=certain), certain=certain
                        )

    def _admitted(self, position: int, family: int, outside: Rows, *, certain: bool) -> Rows:
        """Return for each class what the target admits from the public addresses that the class is seen under."""
        seen = self._paths.out_seen[self._route, position]
        own = self._paths.needs_public[self._route, position] | (seen == 0)
        bearer = np.where(own, self._own_bearer[family == 6], self._seen_bearer[seen])
        # Thousands of classes are seen under a few addresses.
        found: Rows = np.zeros((len(outside), len(self._bearers)), dtype=np.uint64)
        for number in np.unique(bearer[self._there]).tolist():
            found[:, number] = self._of_bearer(self._bearers[int(number)], outside, certain=certain)
        admitted: Rows = found[:, bearer] * self._there
        return admitted

    @staticmethod
    def _of_bearer(bearer: _Bearer, outside: Rows, *, certain: bool) -> NDArray[np.uint64]:
        words: NDArray[np.uint64] = np.zeros(len(outside), dtype=np.uint64)
        if bearer.known and bearer.positions:
            join = np.bitwise_and if certain else np.bitwise_or
            words = join.reduce(outside[:, list(bearer.positions)], axis=1)
        elif not bearer.known and not certain:
            words = np.bitwise_or.reduce(outside, axis=1)
        return words

    def leaving(self, position: int, *, certain: bool) -> Rows:
        """Return what each class lets out to a position of the internet, and what the way there lets through."""
        key = (position, certain)
        if key not in self._leaving:
            family = 0 if position < self._columns.line.boundary else 1
            each = [self._left(position, faces, there, certain=certain) for faces, there in self._faces[family]]
            self._leaving[key] = np.bitwise_or.reduce(each)
        return self._leaving[key]

    def _left(self, position: int, faces: NDArray[np.intp], there: NDArray[np.bool_], *, certain: bool) -> Rows:
        """Return what one face of each class lets out, of the classes that have it."""
        paths = self._paths
        level = np.where(
            paths.way_out[self._route, position] == _INTERNET, paths.out_level[self._route, position], NEVER
        )
        public = self._public[0 if position < self._columns.line.boundary else 1]
        level = np.where(paths.needs_public[self._route, position], np.minimum(level, public), level)
        seen = paths.out_seen[self._route, position]
        for number in np.unique(seen).tolist():
            if number:
                back = paths.level_from(paths.out_translations[int(number)]).bound(certain=certain)[faces]
                level = np.where(seen == number, np.minimum(level, back), level)
        rows = self._senders.to_position(position, certain=certain)
        rows[:, seen > 0] &= self._carried[:, None]
        rows = rows * ((level >= (SURELY if certain else AT_MOST)) & there)
        self._boundaries.leaving_to(rows, position, faces, certain=certain)
        left: Rows = rows
        return left

    def _ranked(self, firsts: Sequence[Interface | None], family: int) -> list[_Ranked]:
        """Return the first face of each class of a family, the second ones, and so on, and who has one."""
        columns = self._columns
        own = [
            [] if first is None else [face for face in faces if (face < columns.families) == (family == 4)]
            for faces, first in zip(columns.of_class, firsts, strict=True)
        ]
        return [
            _Ranked(
                np.array([faces[rank] if rank < len(faces) else 0 for faces in own], dtype=np.intp),
                np.array([rank < len(faces) for faces in own], dtype=bool),
            )
            for rank in range(max(map(len, own), default=0) or 1)
        ]


def _level(interface: Interface | None, family: int, estate: Estate) -> int:
    public = False if interface is None else is_public(interface, 4 if family == 4 else 6, estate)
    return SURELY if public else AT_MOST if public is None else NEVER
