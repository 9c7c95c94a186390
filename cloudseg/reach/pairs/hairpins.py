"""Pairs of one estate that talk over the internet: out under a public address, in by another one.

On this way rules see public addresses on both sides, so groups do not match. Source:
https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html#security-group-referencing
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.reach.leaving import borne, is_bare, leaves, lets_out, seen_outside
from cloudseg.reach.pairs.distinct import distinct
from cloudseg.reach.pairs.paths import AT_MOST, NEVER, OUTSIDE, SURELY
from cloudseg.reach.pairs.replies import TRANSLATED
from cloudseg.reach.ways import is_public, straight_entrances
from cloudseg.traffic import ALL_TRAFFIC, GLOBAL_UNICAST, AddressSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Entrance, Estate, Family, Interface
    from cloudseg.reach.pairs.boundaries import Boundaries
    from cloudseg.reach.pairs.carriers import Carriers
    from cloudseg.reach.pairs.ground import Ground
    from cloudseg.reach.pairs.paths import Paths
    from cloudseg.reach.pairs.rows import Band, Rows
    from cloudseg.reach.pairs.senders import Senders

__all__ = ["Hairpins"]

_INTERNET: Final = OUTSIDE.index("internet") + 1
_UNKNOWN: Final = OUTSIDE.index("unknown") + 1
_FAMILIES: Final[tuple[Family, ...]] = (4, 6)
_KEPT: Final = 512
"""So many rows of what leaves for one position are kept."""


class _Bearer(NamedTuple):
    """Under which public addresses somebody is seen.

    Attributes:
        positions: their positions on the address line.
        known: these are all; otherwise they may be any.
    """

    positions: tuple[int, ...]
    known: bool


_ANYBODY: Final = _Bearer((), known=False)


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
        carriers: what becomes of packets that other interfaces send on.
    """

    def __init__(
        self,
        firsts: Sequence[Interface | None],
        ground: Ground,
        paths: Paths,
        senders: Senders,
        boundaries: Boundaries,
        estate: Estate,
        *,
        carriers: Carriers,
    ) -> None:
        columns = ground.columns
        self._columns = columns
        self._atoms = ground.atoms
        self._carried = ground.atoms.words(ground.atoms.mask(TRANSLATED))
        self._paths = paths
        self._senders = senders
        self._boundaries = boundaries
        self._carriers = carriers
        self._estate = estate
        self._firsts = firsts
        first_faces = [faces[0] if faces else 0 for faces in columns.of_class]
        self._face = np.array(first_faces, dtype=np.intp)
        self._route = paths.route[self._face] if len(paths.route) else np.zeros(0, dtype=np.intp)
        self._there = np.array(
            [bool(faces) and first is not None for faces, first in zip(columns.of_class, firsts, strict=True)]
        )
        self._faces = [self._ranked(firsts, family) for family in _FAMILIES]
        # Who bears no public address is nobody on the internet.
        known = [None if first is None or is_bare(first) else first for first in firsts]
        self._public = np.array([[_level(each, family, estate) for each in known] for family in _FAMILIES], np.uint8)
        self._own = [[self._bearer(each, family) for each in known] for family in _FAMILIES]
        self._seen = [self._translated(names) for names in paths.out_translations]
        numbers: dict[_Bearer, int] = {_ANYBODY: 0}
        self._own_bearer = [
            np.array([numbers.setdefault(self._leaver(each, family), len(numbers)) for each in known], dtype=np.intp)
            for family in _FAMILIES
        ]
        self._seen_bearer = np.array([numbers.setdefault(each, len(numbers)) for each in self._seen], dtype=np.intp)
        self._bearers = tuple(numbers)
        self._lent = {
            sure: [self._let_out(known, ground, family, certain=sure) for family in _FAMILIES] for sure in (True, False)
        }
        self._leaving: dict[tuple[int, bool], Rows] = {}
        self._seen_at: dict[int, tuple[NDArray[np.intp], NDArray[np.intp]]] = {}
        self._leaving_anywhere: dict[Family, Rows] = {}

    def _bearer(self, interface: Interface | None, family: Family) -> _Bearer:
        """Return under which public addresses of a family the internet can address an interface."""
        if interface is None:
            return _Bearer((), known=True)
        own = borne(interface, family, self._estate)
        return _Bearer(self._positions(own.addresses), known=own.known)

    def _let_out(
        self, firsts: Sequence[Interface | None], ground: Ground, family: Family, *, certain: bool
    ) -> Rows | None:
        """Return what leaves for the internet under each class's addresses; None where that is everything."""
        each = [ALL_TRAFFIC if i is None else lets_out(i, family, certain=certain) for i in firsts]
        if all(traffic == ALL_TRAFFIC for traffic in each):
            return None
        words = {traffic: ground.atoms.words(ground.atoms.mask(traffic)) for traffic in set(each)}
        return np.array([words[traffic] for traffic in each], dtype=np.uint64).T.copy()

    def _leaver(self, interface: Interface | None, family: Family) -> _Bearer:
        """Return under which public addresses of a family the internet sees what an interface sends."""
        if interface is None:
            return _Bearer((), known=True)
        seen = seen_outside(interface, family, self._estate)
        return _Bearer(self._positions(seen.addresses), known=seen.known)

    def _translated(self, names: tuple[str, ...]) -> _Bearer:
        """Return under which public addresses a gateway is seen: any of several, where it is any of them."""
        each = [self._bearer(self._estate.interfaces.get(name), 4) for name in names]
        positions = tuple(dict.fromkeys(position for own in each for position in own.positions))
        return _Bearer(positions, known=bool(each) and all(own.known and own.positions for own in each))

    def _positions(self, addresses: AddressSet) -> tuple[int, ...]:
        if not addresses:
            return ()
        return tuple(p for start, end in self._columns.line.runs(addresses) for p in range(start, end))

    def concern(self, target: int) -> bool:
        """Tell whether anything may be sent to a public address of a class, or of an entrance before it."""
        public = any(own[target].positions or not own[target].known for own in self._own)
        return public or bool(self.entrances(target))

    def entrances(self, target: int) -> Sequence[Entrance]:
        """Return the entrances before a class whose addresses others in the estate may call."""
        interface = self._firsts[target]
        return () if interface is None else straight_entrances(interface, self._estate)

    def enter(self, inside: Band, entrance: Entrance, outside: Band) -> None:
        """Add to what arrives at a class from the others what comes by the addresses of an entrance.

        Args:
            inside: what arrives from every class; it is changed.
            entrance: the entrance.
            outside: what arrives over the internet through the entrance, by position.
        """
        if not outside.upper.any():
            return
        for position in self._positions(entrance.addresses):
            for certain in (True, False):
                words = self._asked(entrance, self.leaving(position, certain=certain), certain=certain)
                rows = inside.bound(certain=certain)
                passing = words & self._admitted(position, outside.bound(certain=certain), certain=certain)
                rows |= self._carriers.around(passing, position, certain=certain)
        upper = inside.upper
        for family in _FAMILIES if entrance.unlisted else ():
            words = self._asked(entrance, self._to_anywhere(family), certain=False)
            passing = words & self._admitted_anywhere(family, outside.upper)
            upper |= self._carriers.around_anywhere(passing, family)

    def _asked(self, entrance: Entrance, words: Rows, *, certain: bool) -> Rows:
        """Return what comes out of an entrance for what classes send to it."""
        listens, traffic = entrance.listens, entrance.traffic
        if listens == traffic:
            return words
        sent = self._atoms.words(self._atoms.mask(traffic))[:, None]
        if listens is None:
            return np.zeros_like(words) if certain else np.broadcast_to(sent, words.shape)
        asked = self._atoms.words(self._atoms.mask(listens))[:, None]
        heard = ((words & asked) == asked).all(axis=0) if certain else (words & asked).any(axis=0)
        found: Rows = sent * heard
        return found

    def add(self, target: int, inside: Band, outside: Band) -> None:
        """Add to what arrives at a class from the others what comes over the internet.

        Args:
            target: the number of the class.
            inside: what arrives from every class; it is changed.
            outside: what arrives over the internet at public addresses of the class, by position.
        """
        interface = self._firsts[target]
        if interface is None or not outside.upper.any():
            return
        for family, own in zip(_FAMILIES, self._own, strict=True):
            borne = own[target]
            for position in borne.positions:
                for certain in (True, False):
                    words = self.leaving(position, certain=certain)
                    if words.any() or self._carriers.open:
                        rows = inside.bound(certain=certain)
                        passing = words & self._admitted(position, outside.bound(certain=certain), certain=certain)
                        rows |= self._carriers.around(passing, position, certain=certain)
            if not borne.known and is_public(interface, family, self._estate) is not False:
                upper = inside.upper
                passing = self._to_anywhere(family) & self._admitted_anywhere(family, outside.upper)
                upper |= self._carriers.around_anywhere(passing, family)

    def _family(self, position: int) -> Family:
        return 4 if position < self._columns.line.boundary else 6

    def _part(self, family: Family) -> slice:
        """Return the positions of a family."""
        line = self._columns.line
        return slice(0, line.boundary) if family == 4 else slice(line.boundary, line.length)

    def _admitted(self, position: int, outside: Rows, *, certain: bool) -> Rows:
        """Return for each class what the target admits from the public addresses that the class is seen under."""
        bearer, present = self._bearers_to(position)
        family = self._family(position)
        words = self._of_bearers(present, outside[:, self._part(family)], family, certain=certain)
        admitted: Rows = words[:, bearer] * self._there
        return admitted

    def _bearers_to(self, position: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return for each class the number of whom a position of the internet sees, and all the numbers."""
        known = self._seen_at.get(position)
        if known is None:
            paths, family = self._paths, self._family(position)
            seen = paths.out_seen[self._route, position]
            own = paths.needs_public[self._route, position] | (seen == 0)
            bearer = np.where(own, self._own_bearer[_FAMILIES.index(family)], self._seen_bearer[seen])
            # Of a way that is not known it is not known either where it comes out.
            bearer[paths.way_out[self._route, position] == _UNKNOWN] = 0
            if len(self._seen_at) >= _KEPT:
                self._seen_at.clear()
            known = self._seen_at[position] = bearer, distinct(bearer[self._there])
        return known

    def _of_bearers(self, numbers: NDArray[np.intp], outside: Rows, family: Family, *, certain: bool) -> Rows:
        """Return what a target admits from some bearers, by word and number: thousands are seen under a few addresses.

        Of several addresses it is not known which one is taken: for sure passes what passes from all of them.
        """
        found: Rows = np.zeros((len(outside), len(self._bearers)), dtype=np.uint64)
        part = self._part(family)
        for number in map(int, numbers):
            bearer = self._bearers[number]
            # Nobody who is seen under addresses of the other family sends anything in this one.
            places = [place - part.start for place in bearer.positions if part.start <= place < part.stop]
            if not bearer.known:
                if not certain:
                    found[:, number] = np.bitwise_or.reduce(outside, axis=1)
            elif places:
                found[:, number] = (np.bitwise_and if certain else np.bitwise_or).reduce(outside[:, places], axis=1)
        return found

    def _to_anywhere(self, family: Family) -> Rows:
        """Return what each class lets out to any position of the internet, at most."""
        if family not in self._leaving_anywhere:
            internet = [p for p in self._positions(GLOBAL_UNICAST) if self._family(p) == family]
            found: Rows = np.zeros((len(self._carried), len(self._there)), dtype=np.uint64)
            for position in internet:
                found |= self._left_by_any(position, certain=False)
            self._leaving_anywhere[family] = found
        return self._leaving_anywhere[family]

    def _admitted_anywhere(self, family: Family, outside: Rows) -> Rows:
        """Return for each class what the target admits of it at most, wherever on the internet the target stands."""
        paths, part = self._paths, self._part(family)
        own = self._own_bearer[_FAMILIES.index(family)]
        words = self._of_bearers(np.arange(len(self._bearers)), outside[:, part], family, certain=False)
        by_route: Rows = np.zeros((len(outside), len(paths.out_seen)), dtype=np.uint64)
        bare = np.zeros(len(paths.out_seen), dtype=np.bool_)
        for route in distinct(self._route).tolist():
            seen = paths.out_seen[route, part]
            bare[route] = bool((paths.needs_public[route, part] | (seen == 0)).any())
            numbers = {int(self._seen_bearer[number]) for number in distinct(seen) if number}
            if (paths.way_out[route, part] == _UNKNOWN).any():
                numbers.add(0)
            if numbers:
                by_route[:, route] = np.bitwise_or.reduce(words[:, sorted(numbers)], axis=1)
        admitted: Rows = by_route[:, self._route] | (words[:, own] * bare[self._route])
        return admitted

    def leaving(self, position: int, *, certain: bool) -> Rows:
        """Return what each class lets out to a position of the internet, and what the way there lets through."""
        key = (position, certain)
        if key not in self._leaving:
            if len(self._leaving) >= _KEPT:
                self._leaving.clear()
            self._leaving[key] = self._left_by_any(position, certain=certain)
        return self._leaving[key]

    def _left_by_any(self, position: int, *, certain: bool) -> Rows:
        """Return what the addresses of each class let out: any of them at most, all of them for sure.

        Not every address of an interface need have a public one, and which of them do is not known.
        """
        first, *others = self._faces[_FAMILIES.index(self._family(position))]
        found = self._left(position, first, certain=certain)
        for ranked in others:
            left = self._left(position, ranked, certain=certain)
            found = np.where(ranked.there, found & left, found) if certain else found | left
        return found

    def _left(self, position: int, ranked: _Ranked, *, certain: bool) -> Rows:
        """Return what one face of each class lets out, of the classes that have it."""
        paths = self._paths
        way = paths.way_out[self._route, position]
        level = np.where(way == _INTERNET, paths.out_level[self._route, position], NEVER)
        level = np.where(way == _UNKNOWN, np.minimum(paths.out_level[self._route, position], AT_MOST), level)
        public = self._public[_FAMILIES.index(self._family(position))]
        level = np.where(paths.needs_public[self._route, position], np.minimum(level, public), level)
        seen = paths.out_seen[self._route, position]
        for number in distinct(seen).tolist():
            if number:
                back = paths.level_from(paths.out_translations[int(number)]).bound(certain=certain)[ranked.faces]
                level = np.where(seen == number, np.minimum(level, back), level)
        rows = self._senders.to_position(position, certain=certain)
        rows[:, seen > 0] &= self._carried[:, None]
        if (lent := self._lent[certain][_FAMILIES.index(self._family(position))]) is not None:
            bare = paths.needs_public[self._route, position]
            rows[:, bare] &= lent[:, bare]
        rows = rows * ((level >= (SURELY if certain else AT_MOST)) & ranked.there)
        self._boundaries.leaving_to(rows, position, ranked.faces, certain=certain)
        left: Rows = rows
        return left

    def _ranked(self, firsts: Sequence[Interface | None], family: Family) -> list[_Ranked]:
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


def _level(interface: Interface | None, family: Family, estate: Estate) -> int:
    public = False if interface is None else leaves(interface, family, estate)
    return SURELY if public else AT_MOST if public is None else NEVER
