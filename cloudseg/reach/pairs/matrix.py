"""All pairs of one estate: what arrives at a class from every other and from outside, and what leaves it.

Both ends decide, and the way between them: the egress stages of the source, the legs there and back, the subnets on the
way, the ingress stages of the target. Everything is worked out for one target and all sources at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.reach.leaving import leaves, lets_out
from cloudseg.reach.pairs.approaches import Approaches
from cloudseg.reach.pairs.balancing import Balancing
from cloudseg.reach.pairs.boundaries import Boundaries, Part
from cloudseg.reach.pairs.carriers import Carriers
from cloudseg.reach.pairs.clients import Callers
from cloudseg.reach.pairs.crossings import Crossings
from cloudseg.reach.pairs.distinct import distinct
from cloudseg.reach.pairs.edges import Edges
from cloudseg.reach.pairs.forwarded import Taker
from cloudseg.reach.pairs.fronted import Fronted
from cloudseg.reach.pairs.hairpins import Hairpins
from cloudseg.reach.pairs.handing import Handing
from cloudseg.reach.pairs.paths import AT_MOST, NEVER, SURELY, WHOMEVER, Paths
from cloudseg.reach.pairs.replies import TRANSLATED
from cloudseg.reach.pairs.rows import Admission, Arrivals, Band, RowMaker, band_of
from cloudseg.reach.pairs.senders import Senders
from cloudseg.reach.pairs.survey import NO_JUDGEMENTS
from cloudseg.reach.way_in import may_start_beside
from cloudseg.reach.ways import is_public
from cloudseg.traffic import ALL_TRAFFIC, GLOBAL_UNICAST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Estate, Family, Interface
    from cloudseg.reach.pairs.approaches import Approach
    from cloudseg.reach.pairs.columns import Traits
    from cloudseg.reach.pairs.ground import Ground, Surveyed
    from cloudseg.reach.pairs.handing import Admitted
    from cloudseg.reach.pairs.rows import Rows
    from cloudseg.reach.pairs.survey import Judgement
    from cloudseg.reach.pairs.tally import Tally
    from cloudseg.reach.ways import WayIn

__all__ = ["Arrivals", "Matrix", "Seen"]

_KEPT = 256
"""How many answers about packets that leave, and that come in, are kept for classes alike."""
_BOUNDS = ((True, SURELY), (False, AT_MOST))


class Seen(NamedTuple):
    """Under what one end certainly sees another.

    Attributes:
        own: under its own addresses, and no gateway's.
        groups: as a member of its groups.
    """

    own: bool
    groups: bool


class _Listed(NamedTuple):
    """What lists let in to a face from outside, by word and position; not to be changed.

    Attributes:
        stateful: what the stateful ones do.
        admitted: what the others leave of it.
    """

    stateful: Rows
    admitted: Rows


class Matrix:
    """All pairs of one estate.

    Args:
        surveyed: what the estate names.
        ground: what it was cut into, alone or with other estates.
        traits: what tells its interfaces apart.
    """

    def __init__(self, surveyed: Surveyed, ground: Ground, traits: Mapping[str, Traits]) -> None:
        self._surveyed = surveyed
        self._estate = surveyed.survey.estate
        self._columns = ground.columns
        self._atoms = ground.atoms
        self._rows = RowMaker(surveyed.survey, ground.atoms, ground.columns)
        self._paths = Paths(surveyed.routes, ground.columns)
        self._crossings = Crossings(surveyed.routes, self._paths, self._rows, ground.columns)
        self._present = ground.columns.present(traits)
        self._firsts = [
            next((self._estate.interfaces[m] for m in own.members if m in self._estate.interfaces), None)
            for own in ground.columns.classes
        ]
        self._singles = np.array([len(own.members) == 1 for own in ground.columns.classes], dtype=bool)
        self._senders = Senders(surveyed.survey, self._firsts, self._rows, ground.columns, self._paths)
        outward = Edges(surveyed.survey, self._firsts, self._rows, ground.columns, "egress")
        inward = Edges(surveyed.survey, self._firsts, self._rows, ground.columns, "ingress")
        self._boundaries = Boundaries(outward, inward, self._paths, self._crossings, self._rows, ground)
        self._approaches = Approaches(
            ground.columns,
            self._present,
            self._paths,
            self._boundaries,
            public6=np.array([_level6(first, self._estate) for first in self._firsts], dtype=np.uint8),
            doubtful=self._senders.doubtful[ground.columns.owner],
            everything=self._rows.everything,
        )
        self._carriers = Carriers(surveyed.survey, self._firsts, self._present, self._rows, ground.columns)
        self._hairpins = Hairpins(
            self._firsts,
            ground,
            self._paths,
            self._senders,
            self._boundaries,
            self._estate,
            carriers=self._carriers,
        )
        self._fronted = Fronted(self._firsts, ground, self._senders, self._estate)
        free = self._crossings.open
        self._handing = Handing(ground, self._paths, self._senders, outward, inward, self._rows, free=free)
        self._balancing = Balancing(surveyed, ground, self._firsts, self._present, self._handing, self)
        self._latest: tuple[int, Admission | None] = (NO_JUDGEMENTS, None)
        self._atoms = ground.atoms
        self._carried = ground.atoms.words(ground.atoms.mask(TRANSLATED))
        self._departed: dict[tuple[object, ...], Band] = {}
        self._entries: dict[tuple[object, ...], Band] = {}
        self._nowhere = np.zeros((ground.atoms.width, ground.columns.line.length), dtype=np.uint64)
        self._latest_outside: tuple[tuple[object, ...], Band] = ((), Band(self._nowhere, self._nowhere))

    def order(self) -> Sequence[int]:
        """Return the classes in the order in which they are worked out fastest: those judged alike together."""
        treatment = self._surveyed.survey.treatment
        kinds = [NO_JUDGEMENTS if first is None else treatment(first).ingress.kind for first in self._firsts]
        place = {kind: place for place, kind in enumerate(dict.fromkeys(kinds))}
        return sorted(range(len(kinds)), key=lambda number: place[kinds[number]])

    def arrivals(self, target: int) -> Arrivals:
        """Return what arrives at a class."""
        columns, width = self._columns, self._atoms.width
        interface = self._firsts[target]
        faces = [face for face in columns.of_class[target] if self._present[face]]
        if interface is None or not faces:
            nothing = np.zeros((width, len(columns.classes)), dtype=np.uint64)
            return Arrivals(Band(nothing, nothing), Band(self._nowhere, self._nowhere))
        admission, ways = self._admission(interface), self._ways(interface)
        tally = self._balancing.tally(target)
        inside = self._inside(target, faces, admission, tally)
        tally.close(inside)
        outside = self._from_outside(faces, admission, ways)
        straight: Rows | None = None
        if self._hairpins.concern(target):
            straight = inside.lower.copy()
            self._hairpins.add(target, inside, self._by_internet(faces, admission, ways, outside))
            for entrance in self._hairpins.entrances(target):
                through = [way for way in ways if way.entrance == entrance.id]
                self._hairpins.enter(inside, entrance, self._from_outside(faces, admission, through, private=False))

        def let_in(certain: bool) -> Admitted:  # noqa: FBT001 - a bound
            judged = self._stateful(interface)
            return self._handing.admitted(faces[0], admission, judged, certain=certain)

        if self._fronted.before(interface):
            upper = inside.upper
            upper |= self._fronted.arriving(interface, let_in(certain=False))

        before = Band(inside.lower.copy(), inside.upper.copy()) if self._carriers.any else None
        arrivals = self._balancing.judged(target, faces, Arrivals(inside, outside), tally, let_in)
        if before is not None:
            self._carriers.behind_balancers(faces, before, arrivals.inside)
        if self._singles[target]:
            arrivals.inside.lower[:, target] = 0
            arrivals.inside.upper[:, target] = 0
        return arrivals if straight is None else arrivals._replace(straight=straight)

    def forwarded(self, target: int, *, internet: bool = False) -> Band | None:
        """Return what arrives at a class from positions outside through load balancers that keep clients' addresses.

        None where no load balancer hands it anything that way. :meth:`arrivals` does not hold it: there the client
        comes to the load balancer, and the load balancer to its target.

        Args:
            target: the number of the class.
            internet: count only what may come to load balancers from the internet, and not by private ways.
        """
        interface = self._firsts[target]
        faces = [face for face in self._columns.of_class[target] if self._present[face]]
        if interface is None or not faces or not self._balancing.forwards_to(target):
            return None
        admission, judged = self._admission(interface), self._stateful(interface)

        def let_in(certain: bool) -> Admitted:  # noqa: FBT001 - a bound
            return self._handing.admitted(faces[0], admission, judged, certain=certain)

        return self._balancing.forwarded(Taker(target, faces, let_in), self.strays if internet else None)

    def beyond(self, number: int, *, inward: bool) -> Rows:
        """Return what certainly passes between a class and positions outside, whatever its stateful lists let through.

        What comes through entrances that hide their clients does not count, nor what load balancers hand on under the
        clients' addresses.
        """
        interface = self._firsts[number]
        faces = [face for face in self._columns.of_class[number] if self._present[face]]
        if interface is None or not faces:
            return self._nowhere
        if inward:
            ways = [way for way in self._ways(interface) if way.shows_clients]
            found: Rows = self._from_outside(faces, None, ways).lower & self._balancing.takes(number)[:, None]
            return found
        if self._balancing.stays_inside(number):
            return self._nowhere
        let_out = self._rows.full()[:, self._columns.faces :]
        left = self._left(interface, faces, let_out, certain=True)
        own = self._balancing.departing(number, Band(left, left))

        def of_class(other: int) -> Band:
            rows = self.beyond(other, inward=False)
            return Band(rows, rows)

        return self._carriers.departing(number, own, of_class).lower

    def seen(self, source: int, target: int, *, by_target: bool) -> Seen:
        """Return under what one of two classes certainly sees the other where packets pass by networks.

        Args:
            source: the number of the class that sends.
            target: the number of the other.
            by_target: tell what the target sees of the source; otherwise what the source sees of the target.
        """
        paths, columns = self._paths, self._columns
        if self._carriers.masks(source, columns.of_class[target]):
            return Seen(own=not by_target, groups=False)
        pairs = [
            (one, other)
            for one in columns.of_class[source]
            for other in columns.of_class[target]
            if (one < columns.families) == (other < columns.families)
        ]
        far = [each for each in pairs if paths.place(each[0]) < 0 or paths.place(each[0]) != paths.place(each[1])]
        legs = [(int(paths.route[one]), other) for one, other in far]
        groups = paths.ingress_groups if by_target else paths.egress_groups
        return Seen(
            own=bool(pairs) and not (by_target and any(paths.translated[leg] for leg in legs)),
            # Where packets of IPv6 take the internet no group matches.
            groups=bool(pairs) and all(groups[leg] and paths.level[leg] == SURELY for leg in legs),
        )

    def callers(self, target: int) -> Callers:
        """Return what arrives at a class by rules and routes, by the addresses that it sees."""
        interface = self._firsts[target]
        faces = [face for face in self._columns.of_class[target] if self._present[face]]
        if interface is None or not faces:
            nothing = np.zeros((self._atoms.width, self._columns.faces), dtype=np.uint64)
            nowhere = np.zeros(0, dtype=np.intp)
            return Callers(Band(nothing, nothing), Band(self._nowhere, self._nowhere), nowhere, self._nowhere)
        admission, ways = self._admission(interface), self._ways(interface)
        runs = [run for way in ways if not way.shows_clients for run in self._columns.line.runs(way.clients)]
        let_in = self._handing.admitted(faces[0], admission, self._stateful(interface), certain=False)
        return Callers(
            self._over_faces(faces, admission),
            self._from_outside(faces, admission, [way for way in ways if way.shows_clients]),
            np.array([place for start, end in runs for place in range(start, end)], dtype=np.intp),
            let_in.plain[:, self._columns.faces :],
        )

    def _ways(self, interface: Interface) -> Sequence[WayIn]:
        return self._surveyed.view.ways_in(interface).unbalanced

    def _admission(self, interface: Interface) -> Admission | None:
        """Return what the stateful ingress stages of an interface let in; None for everything."""
        judged = self._surveyed.survey.treatment(interface).ingress
        if self._latest[0] != judged.kind:
            self._latest = (judged.kind, self._rows.admission(judged.stateful))
        return self._latest[1]

    def _stateful(self, interface: Interface) -> tuple[Judgement, ...]:
        return self._surveyed.survey.treatment(interface).ingress.stateful

    def _inside(self, target: int, faces: Sequence[int], admission: Admission | None, tally: Tally) -> Band:
        columns = self._columns
        band = self._over_faces(faces, admission, tally)
        if len(faces) == 1 and columns.simple:
            return Band(band.lower, band.lower.copy()) if band.exact else band
        found = Band(columns.surely_by_class(band.lower, target), columns.by_class(band.upper))
        self._carriers.arriving_otherwise(faces, band.upper, found.upper)
        return found

    def _over_faces(self, faces: Sequence[int], admission: Admission | None, tally: Tally | None = None) -> Band:
        """Return what arrives at any of some faces of one class, by word and face."""
        columns, width = self._columns, self._atoms.width
        if len(faces) == 1 and columns.simple:
            band = self._face(faces[0], admission)
            if tally is not None:
                tally.add(band, 0, 4 if columns.families else 6)
            return band
        lower = np.zeros((width, columns.faces), dtype=np.uint64)
        upper = np.zeros((width, columns.faces), dtype=np.uint64)
        for face in faces:
            band = self._face(face, admission)
            family = self._approaches.family(face)
            lower[:, family] |= band.lower
            upper[:, family] |= band.upper
            if tally is not None:
                tally.add(band, family.start, 4 if face < columns.families else 6)
        return Band(lower, upper)

    def _face(self, face: int, admission: Admission | None) -> Band:
        """Return what arrives at one face from all faces of its family."""
        approach, family = self._approaches.to(face), self._approaches.family(face)
        return self._carriers.arriving(face, self._widened(family, approach, self._within(face, approach, admission)))

    def _widened(self, family: slice, approach: Approach, narrow: Band) -> Band:
        """Return what arrives from some faces of a family as what arrives from all of them."""
        if approach.window == family:
            return narrow
        place = slice(approach.window.start - family.start, approach.window.stop - family.start)
        lower: Rows = np.zeros((self._atoms.width, family.stop - family.start), dtype=np.uint64)
        upper = lower if narrow.exact else np.zeros_like(lower)
        lower[:, place] = narrow.lower
        if upper is not lower:
            upper[:, place] = narrow.upper
        return Band(lower, upper)

    def _within(self, face: int, approach: Approach, admission: Admission | None) -> Band:
        """Return what arrives at one face from those from which anything gets there."""
        passing, translated, proxied = approach.passing, approach.translated, approach.proxied
        lower = self._passed(face, admission, approach.part, certain=True)
        upper = self._upper(face, admission, approach, lower)
        certainly = lower & passing.lower
        if upper is lower and passing.exact and translated is None and proxied is None:
            return Band(certainly, certainly)
        band = Band(certainly, upper & passing.upper)
        if translated is not None:
            self._translate(face, translated, admission, approach.window.start, band)
        if proxied is not None:
            self._translate(face, proxied, admission, approach.window.start, band, _BOUNDS[1:])
        return band

    def _upper(self, face: int, admission: Admission | None, approach: Approach, lower: Rows) -> Rows:
        """Return the upper bound of what stateful stages let through: the lower one where nothing is unknown."""
        if admission is not None and not admission.grouped.exact:
            return self._passed(face, admission, approach.part, certain=False)
        if approach.doubtful is None:
            return lower
        upper = lower.copy()
        places = approach.doubtful.columns - approach.window.start
        upper[:, places] = self._passed(face, admission, approach.doubtful, certain=False)
        return upper

    def _passed(self, face: int, admission: Admission | None, part: Part, *, certain: bool) -> Rows:
        """Return what the stateful stages of both ends let through to a face, whatever the way between them.

        It may be a part of what is kept, and must not be changed.
        """
        paths, senders, columns = self._paths, self._senders, part.columns
        if admission is None:
            passed = self._rows.full()[:, columns]
        else:
            passed = admission.grouped.bound(certain=certain)[:, columns]
            if (paths.mixed_ingress or part.outward is not None) and admission.names_groups:
                holds = _inside(paths.ingress_groups[paths.route[columns], face], part)
                passed = np.where(holds, passed, admission.plain.bound(certain=certain)[:, columns])
        if senders.open:
            return passed
        out = self._let_out(face, columns, certain=certain, grouped=True)
        if paths.mixed_egress or part.outward is not None:
            holds = _inside(paths.egress_groups[paths.route[columns], face], part)
            out = np.where(holds, out, self._let_out(face, columns, certain=certain, grouped=False))
        out &= passed
        return out

    def _let_out(self, face: int, columns: slice | NDArray[np.intp], *, certain: bool, grouped: bool) -> Rows:
        """Return what the stateful stages of other faces let out to a face, as a new row."""
        if isinstance(columns, slice):
            return self._senders.from_faces(face, columns, certain=certain, grouped=grouped)
        return self._senders.towards(face, self._columns.owner[columns], certain=certain, grouped=grouped)

    def _translate(
        self,
        face: int,
        translated: NDArray[np.int32],
        admission: Admission | None,
        start: int,
        band: Band,
        bounds: tuple[tuple[bool, int], ...] = _BOUNDS,
    ) -> None:
        """Add what arrives under the address of a gateway on the way: the target's rules see the gateway."""
        paths = self._paths
        for number in distinct(translated).tolist():
            if not number:
                continue
            chosen = np.flatnonzero(translated == number) + start
            names = paths.translations[int(number)]
            seen = self._columns.faces_of(names)
            back = paths.level_from(names)
            for certain, least in bounds:
                there = paths.level_to[face][paths.route[chosen]]
                level = np.minimum(there, back.bound(certain=certain)[chosen]) * self._present[chosen]
                classes = self._columns.owner[chosen]
                out, carried = self._senders.towards(face, classes, certain=certain, grouped=False), self._carried
                if names == WHOMEVER:
                    # It may be no gateway that translates: then everything passes, and groups match.
                    holds = paths.egress_groups[paths.route[chosen], face]
                    grouped = self._senders.towards(face, classes, certain=certain, grouped=True)
                    out, carried = np.where(holds, grouped, out), self._rows.everything
                rows = out & (carried & self._of_gateway(face, seen, admission, certain=certain))[:, None]
                rows *= level >= least
                self._boundaries.narrow_translated(rows, face, chosen, certain=certain)
                band.bound(certain=certain)[:, chosen - start] |= rows

    def _of_gateway(
        self, face: int, seen: NDArray[np.intp], admission: Admission | None, *, certain: bool
    ) -> NDArray[np.uint64]:
        """Return what a face admits from a gateway, there and back; of several interfaces, from all or from any."""
        if not len(seen):
            return np.zeros_like(self._rows.everything) if certain else self._rows.everything
        paths = self._paths
        near = paths.is_near(face, slice(0, self._columns.faces))[seen]
        let_in = self._rows.full() if admission is None else admission.plain.bound(certain=certain)
        rows = let_in[:, seen]
        level = np.where(near, SURELY, paths.level[paths.route[face], seen])
        # An answer under another address than the one that was asked is nobody's.
        level = np.where((paths.translated[paths.route[face], seen] > 0) & (level == SURELY) & ~near, NEVER, level)
        rows = rows * (level >= (SURELY if certain else AT_MOST))
        self._boundaries.narrow(rows, face, Part(seen, near), certain=certain, translated=True)
        joined = np.bitwise_and if certain else np.bitwise_or
        words: NDArray[np.uint64] = joined.reduce(rows, axis=1)
        return words

    def _by_internet(
        self, faces: Sequence[int], admission: Admission | None, ways: Sequence[WayIn], outside: Band
    ) -> Band:
        """Return what arrives at the public addresses of a class over the internet, out of all that arrives."""
        direct = [way for way in ways if way.direct]
        if len(direct) == len(ways) and int(self._paths.route[faces[0]]) not in self._paths.private:
            return outside
        return self._from_outside(faces, admission, direct, private=False)

    def _from_outside(
        self, faces: Sequence[int], admission: Admission | None, ways: Sequence[WayIn], *, private: bool = True
    ) -> Band:
        """Return what arrives from addresses outside of the estate; it must not be changed.

        Args:
            faces: the faces of the class.
            admission: what its stateful stages let in; None for everything.
            ways: the ways from the internet.
            private: by private networks, too.
        """
        route = int(self._paths.route[faces[0]]) if private else None
        if not ways and route not in self._paths.private:
            return Band(self._nowhere, self._nowhere)
        veiled = [way for way in ways if not way.shows_clients]
        arriving = [self._boundaries.arriving(face, self._positions(face)) for face in faces]
        # Classes that are asked for one after the other mostly stand in one subnet, under the same lists.
        places = tuple([(int(self._paths.route[face]), self._positions(face)) for face in faces])
        alike = (admission, route, tuple(ways), places)
        shared = not veiled and all(band is None for band in arriving)
        if shared and alike == self._latest_outside[0]:
            return self._latest_outside[1]
        entering = self._entering(ways, route)
        listed = admission is None or admission.grouped.exact
        if listed and not veiled and all(band is None or band.exact for band in arriving):
            # What the lists let in is known, so that both bounds share it.
            admitted = self._nowhere.copy()
            for face in faces:
                admitted[:, self._positions(face)] |= self._listed(face, admission, certain=True).admitted
            lower = admitted & entering.lower
            found = Band(lower, lower if entering.exact else admitted & entering.upper)
        else:
            certain, possible = (
                self._let_in_from_outside(faces, admission, entering, veiled, certain=bound) for bound in (True, False)
            )
            found = Band(certain, possible)
        if shared:
            self._latest_outside = (alike, found)
        return found

    def _listed(self, face: int, admission: Admission | None, *, certain: bool) -> _Listed:
        """Return what lists let in to a face from the positions outside of its family."""
        positions = self._positions(face)
        let_in = self._let_in(face, positions, admission, certain=certain)
        arriving = self._boundaries.arriving(face, positions)
        return _Listed(let_in, let_in if arriving is None else let_in & arriving.bound(certain=certain))

    def _let_in_from_outside(
        self,
        faces: Sequence[int],
        admission: Admission | None,
        entering: Band,
        veiled: Sequence[WayIn],
        *,
        certain: bool,
    ) -> Rows:
        interface = self._firsts[int(self._columns.owner[faces[0]])]
        hidden = np.zeros_like(self._rows.everything)
        admitted = self._nowhere.copy()
        for face in faces:
            positions = self._positions(face)
            let_in, found = self._listed(face, admission, certain=certain)
            admitted[:, positions] |= found
            for way in veiled:
                if way.certain or not certain:
                    beside = interface is not None and may_start_beside(way, interface, self._estate)
                    passed = let_in if beside else found
                    hidden |= self._hidden(way, passed, positions, admission, certain=certain)
        admitted &= entering.bound(certain=certain)
        if veiled and hidden.any():
            for start, end in self._columns.line.runs(GLOBAL_UNICAST):
                admitted[:, start:end] |= hidden[:, None]
        return admitted

    def _entering(self, ways: Sequence[WayIn], route: int | None) -> Band:
        """Return what comes to an interface before any list is asked, from whoever its rules see.

        Interfaces to which the same ways lead share the answer, which must not be changed.
        """
        shown = tuple((way.clients, way.traffic, way.certain) for way in ways if way.shows_clients)
        known = self._entries.get((route, shown))
        if known is None:
            lower, upper = self._nowhere.copy(), self._nowhere.copy()
            if route is not None:
                for certain, rows in ((True, lower), (False, upper)):
                    rows[:, self._paths.privately(route, certain=certain)] = self._rows.everything[:, None]
            for clients, traffic, surely in shown:
                words = self._atoms.words(self._atoms.mask(traffic))
                for start, end in self._columns.line.runs(clients & GLOBAL_UNICAST):
                    for rows in (lower, upper) if surely else (upper,):
                        rows[:, start:end] |= words[:, None]
            if len(self._entries) >= _KEPT:
                self._entries.clear()
            known = self._entries[route, shown] = band_of(lower, upper)
        return known

    def _positions(self, face: int) -> slice:
        """Return the positions outside that are of a face's family."""
        columns = self._columns
        boundary = columns.line.boundary
        return slice(0, boundary) if face < columns.families else slice(boundary, columns.line.length)

    def _let_in(self, face: int, positions: slice, admission: Admission | None, *, certain: bool) -> Rows:
        """Return what the stateful ingress stages of a face let in from outside.

        Groups count where interfaces that were not read may stand.
        """
        start = self._columns.faces
        places = slice(start + positions.start, start + positions.stop)
        if admission is None:
            return self._rows.full()[:, places]
        grouped = admission.grouped.bound(certain=certain)[:, places]
        if not admission.reaches_outside:
            return grouped
        known = self._paths.unread_out[self._paths.route[face], positions]
        rows: Rows = np.where(known, grouped, admission.plain.bound(certain=certain)[:, places])
        return rows

    def _hidden(
        self, way: WayIn, admitted: Rows, positions: slice, admission: Admission | None, *, certain: bool
    ) -> NDArray[np.uint64]:
        """Return what comes through an entrance whose own addresses the rules see instead of its clients'."""
        places = [
            place - positions.start
            for start, end in self._columns.line.runs(way.clients)
            for place in range(max(start, positions.start), min(end, positions.stop))
        ]
        if not places:
            return np.zeros_like(self._rows.everything)
        joined = np.bitwise_and if certain else np.bitwise_or
        words: NDArray[np.uint64] = joined.reduce(admitted[:, places], axis=1)
        if way.some_groups and admission is not None and not certain:
            words = words | self._rows.by_groups(admission.judgements, way.some_groups)
        return words & self._atoms.words(self._atoms.mask(way.traffic))

    def strays(self, number: int) -> NDArray[np.bool_]:
        """Return at which positions outside packets of a class come out in an unread or unknown place."""
        numbers = (number, *self._carriers.of(number))
        faces = [face for each in numbers for face in self._columns.of_class[each]]
        found: NDArray[np.bool_] = np.logical_or.reduce(self._paths.unread_out[self._paths.route[faces]], axis=0)
        return found

    def departures(self, source: int) -> Band:
        """Return what leaves a class for addresses outside of the estate, by word and position."""
        interface = self._firsts[source]
        faces = [face for face in self._columns.of_class[source] if self._present[face]]
        if interface is None or not faces or self._balancing.stays_inside(source):
            return Band(self._nowhere, self._nowhere)
        alike = self._alike(interface, source, faces)
        known = self._departed.get(alike)
        if known is None:
            if len(self._departed) >= _KEPT:
                self._departed.clear()
            known = self._departed[alike] = self._departing(interface, source, faces)
        return self._carriers.departing(source, self._balancing.departing(source, known), self.departures)

    def _alike(self, interface: Interface, source: int, faces: Sequence[int]) -> tuple[object, ...]:
        """Return what classes have in common whose packets leave the estate alike."""
        paths = self._paths
        route = int(paths.route[faces[0]])
        gateways = [paths.out_translations[int(number)] for number in distinct(paths.out_seen[route]) if number]
        back = tuple(
            (
                face < self._columns.families,
                *(int(level[face]) for names in gateways for level in paths.level_from(names)),
            )
            for face in faces
        )
        place = tuple(faces) if not self._boundaries.open else ()
        public = leaves(interface, 4, self._estate), leaves(interface, 6, self._estate)
        lent = tuple(lets_out(interface, family, certain=sure) for _, family in self._families() for sure, _ in _BOUNDS)
        return (int(self._senders.kind[source]), route, public, lent, back, place)

    def _departing(self, interface: Interface, source: int, faces: Sequence[int]) -> Band:
        grouped = self._paths.unread_out[int(self._paths.route[faces[0]])]
        bounds: list[Rows] = []
        for certain, _ in _BOUNDS:
            plain = self._senders.outside(source, certain=certain, grouped=False)
            let_out = np.where(grouped, self._senders.outside(source, certain=certain, grouped=True), plain)
            bounds.append(self._left(interface, faces, let_out, certain=certain))
        return Band(bounds[0], bounds[1])

    def _left(self, interface: Interface, faces: Sequence[int], let_out: Rows, *, certain: bool) -> Rows:
        """Return what leaves the estate of what the stateful lists of a class let out, which is changed."""
        paths = self._paths
        route = int(paths.route[faces[0]])
        level = self._leaving(interface, route)
        let_out[:, paths.out_seen[route] > 0] &= self._carried[:, None]
        for part, family in self._families():
            if (carried := lets_out(interface, family, certain=certain)) != ALL_TRAFFIC:
                bare = np.flatnonzero(paths.needs_public[route, part]) + part.start
                let_out[:, bare] &= self._atoms.words(self._atoms.mask(carried))[:, None]
        rows = self._nowhere.copy()
        for face in faces:
            positions = self._positions(face)
            found = let_out[:, positions].copy()
            least = SURELY if certain else AT_MOST
            found *= self._returning(level, face, route, certain=certain)[positions] >= least
            self._boundaries.narrow_leaving(found, face, positions, certain=certain)
            rows[:, positions] |= found
        return rows

    def _returning(self, level: NDArray[np.uint8], face: int, route: int, *, certain: bool) -> NDArray[np.uint8]:
        """Return levels of ways out as far as a gateway that translates hands the answers back."""
        paths = self._paths
        found = level
        for number in distinct(paths.out_seen[route]).tolist():
            if number:
                back = paths.level_from(paths.out_translations[int(number)]).bound(certain=certain)
                found = np.where(paths.out_seen[route] == number, np.minimum(found, back[face]), found)
        levels: NDArray[np.uint8] = found
        return levels

    def _families(self) -> tuple[tuple[slice, Family], ...]:
        """Return the positions outside of each family of addresses."""
        line = self._columns.line
        return (slice(0, line.boundary), 4), (slice(line.boundary, line.length), 6)

    def _leaving(self, interface: Interface, route: int) -> NDArray[np.uint8]:
        """Return how surely packets of an interface leave the estate for each position."""
        paths = self._paths
        level: NDArray[np.uint8] = paths.out_level[route].copy()
        for part, family in self._families():
            public = leaves(interface, family, self._estate)
            limit = SURELY if public else AT_MOST if public is None else NEVER
            level[part] = np.where(paths.needs_public[route, part], np.minimum(level[part], limit), level[part])
        return level


def _level6(interface: Interface | None, estate: Estate) -> int:
    public = False if interface is None else is_public(interface, 6, estate)
    return SURELY if public else AT_MOST if public is None else NEVER


def _inside(holds: NDArray[np.bool_], part: Part) -> NDArray[np.bool_]:
    """Return where groups match: within the subnet always, over the internet never."""
    found: NDArray[np.bool_] = holds | part.near
    return found if part.outward is None else found & ~part.outward
