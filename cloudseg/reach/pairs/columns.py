"""Classes of interfaces that nothing tells apart, and the columns in which matrices hold their addresses.

A class has a *face* for each atom of addresses in which its members have one. Matrices have a column for each face,
in the order of addresses, so that a range is a slice of columns; behind the faces stands a column for each atom of the
address line: whoever bears such an address outside of the estate.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.reach.frontends import frontends_by_target
from cloudseg.reach.pairs.distinct import distinct
from cloudseg.reach.plumbing import conduct
from cloudseg.reach.ways import is_public

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Estate, Exit, Interface, RangeMeaning
    from cloudseg.reach.handovers import Handover
    from cloudseg.reach.pairs.atoms import AddressLine, Runs
    from cloudseg.reach.pairs.survey import Survey
    from cloudseg.traffic import AddressSet

__all__ = ["Choice", "Columns", "EndClass", "Traits", "traits_of"]

Indexes = np.ndarray[tuple[int], np.dtype[np.intp]]
_NOTHING: Runs = ()


class EndClass(NamedTuple):
    """Interfaces that nothing tells apart: the same lists, groups, routes and atoms of addresses.

    Attributes:
        name: ``c1``, ``c2``, … in the order of addresses.
        members: qualified ids, in order.
    """

    name: str
    members: tuple[str, ...]


class Traits(NamedTuple):
    """What tells interfaces apart.

    Attributes:
        key: everything that decides about the interface.
        four: positions of its IPv4 addresses on the address line, or where the one that was not read may lie.
        six: positions of its IPv6 addresses.
        wide: its addresses were not read: it has one somewhere between the first and the last position.
        cluster: the cluster whose pods it stands for; rules of its policies that name its addresses need not match it.
            Empty for what is no pod.
    """

    key: Hashable
    four: tuple[int, ...]
    six: tuple[int, ...]
    wide: bool = False
    cluster: str = ""


class Choice(NamedTuple):
    """Columns that a set of addresses chooses: runs of columns, and of the faces whose address was not read these.

    Attributes:
        runs: runs of columns for sure.
        sure: faces with an unread address that lies in the set wherever it is.
        maybe: faces with an unread address that may lie in the set; they include ``sure``.
    """

    runs: Runs
    sure: Indexes | None = None
    maybe: Indexes | None = None


def traits_of(survey: Survey, line: AddressLine, handed: Sequence[Handover] = ()) -> dict[str, Traits]:
    """Return what tells the interfaces of an estate apart, by qualified id.

    Args:
        survey: what the lists of the estate name.
        line: the address line.
        handed: what load balancers hand to their targets.
    """
    estate = survey.estate
    interfaces = list(estate.interfaces.values())
    four = _positions4(interfaces, line)
    entered = bool(estate.entrances)
    fronted = frontends_by_target(estate)
    together: defaultdict[str, set[Hashable]] = defaultdict(set)
    for each in handed:
        node = None if each.node is None else each.node.id
        together[each.target.id].add((node, each.forward, bool(each.doubts)))
    parcels = {target: frozenset(own) for target, own in together.items()}
    hulls: dict[tuple[str | None, str | None], Traits] = {}
    found: dict[str, Traits] = {}
    for interface, places in zip(interfaces, four, strict=True):
        six = _positions6(interface, line)
        own = Traits((), places, six)
        if not places and not six:
            place = interface.subnet, interface.network
            own = hulls.get(place) or hulls.setdefault(place, _hull(interface, estate, line))
        if interface.is_pod:
            own = own._replace(cluster=interface.scope)
        key = (
            survey.treatment(interface).number,
            own,
            _public(interface, estate, line),
            tuple(entrance.id for entrance in estate.entrances_to(interface)) if entered else None,
            fronted.get(interface.id),
            interface.workload if interface.workload in estate.forwarders else None,
            parcels.get(interface.id),
            conduct(interface),
            interface.keeps_client,
        )
        found[interface.id] = Traits(key, own.four, own.six, own.wide, own.cluster)
    for interface in interfaces:
        ways_out = [each for each in (interface.exit, interface.other_exit) if each is not None]
        if ways_out:
            own = found[interface.id]
            outward = tuple(_way_out(each, found, line) for each in ways_out)
            found[interface.id] = own._replace(key=(own.key, interface.exit is None, outward))
    return found


def _way_out(exit_: Exit, traits: Mapping[str, Traits], line: AddressLine) -> Hashable:
    """Return how packets leave that another interface sends on: interfaces alike are as good as one."""
    each = frozenset(traits[name].key for name in exit_.interfaces if name in traits)
    return line.runs(exit_.within), line.runs(exit_.addresses), each, exit_.own, exit_.complete, exit_.sure


def _public(interface: Interface, estate: Estate, line: AddressLine) -> Hashable:
    listed = interface.public_unlisted is False and interface.lent_unlisted is False
    if not interface.public and not interface.lent and listed and not interface.derived:
        return None
    public = is_public(interface, 4, estate), is_public(interface, 6, estate), line.runs(interface.public)
    return (*public, line.runs(interface.lent), interface.lent_unlisted, interface.lent_carries, interface.lent_aside)


def _positions4(interfaces: Sequence[Interface], line: AddressLine) -> list[tuple[int, ...]]:
    """Return the positions of the IPv4 addresses of each interface; a run of addresses may lie in several."""
    pairs = [(i, pair) for i, interface in enumerate(interfaces) for pair in interface.addresses.v4.intervals]
    ends = np.array([pair for _, pair in pairs], dtype=np.int64).reshape(-1, 2)
    places = np.searchsorted(line.starts4, ends, side="right") - 1
    found: list[tuple[int, ...]] = [()] * len(interfaces)
    for (number, _), (first, last) in zip(pairs, places.tolist(), strict=True):
        found[number] = _joined(found[number], range(first, last + 1))
    return found


def _positions6(interface: Interface, line: AddressLine) -> tuple[int, ...]:
    found: tuple[int, ...] = ()
    for first, last in interface.addresses.v6.intervals:
        found = _joined(found, range(line.position(6, first), line.position(6, last) + 1))
    return found


def _joined(known: tuple[int, ...], more: range) -> tuple[int, ...]:
    return tuple(more) if not known else tuple(sorted({*known, *more}))


def _hull(interface: Interface, estate: Estate, line: AddressLine) -> Traits:
    """Return the first and the last position of the place in which an unread address must lie, for each family."""
    place = estate.subnets.get(interface.subnet or "") or estate.networks.get(interface.network or "")
    runs: Runs = ((0, line.boundary), (line.boundary, line.length))
    if place is not None and place.addresses:
        runs = line.runs(place.addresses)
    four = _ends([run for run in runs if run[0] < line.boundary])
    six = _ends([run for run in runs if run[0] >= line.boundary])
    return Traits((), four, six, wide=True)


def _ends(runs: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    return (runs[0][0], runs[-1][1] - 1) if runs else ()


class Columns:
    """The classes of one or several estates, and the columns of their faces.

    Args:
        estates: the traits of the interfaces of each estate; several estates share classes, so that they compare.
        line: the address line.

    Attributes:
        classes: the classes, in the order of their first faces.
        class_of: the number of the class of each interface.
        owner: the number of the class of each face.
        faces: how many faces there are; columns from there on are outside.
        families: the first column of IPv6 faces.
        width: how many columns there are.
        simple: each class has one face, and all are of one family.
        of_class: the faces of each class.
    """

    def __init__(self, estates: Sequence[Mapping[str, Traits]], line: AddressLine) -> None:
        self.line = line
        together: defaultdict[tuple[Hashable, ...], list[str]] = defaultdict(list)
        for identifier in dict.fromkeys(identifier for traits in estates for identifier in traits):
            key = tuple(known.key if (known := traits.get(identifier)) else None for traits in estates)
            together[key].append(identifier)
        # In the order of their first faces, so that where each class has one face, columns and classes are the same.
        members = sorted((tuple(sorted(each)) for each in together.values()), key=lambda own: _place(own[0], estates))
        self.classes = tuple(EndClass(f"c{number}", own) for number, own in enumerate(members, 1))
        self.class_of = {identifier: number for number, own in enumerate(members) for identifier in own}
        self._arrange([_first(own[0], estates) for own in members])

    def _arrange(self, traits: Sequence[Traits]) -> None:
        faces: list[tuple[int, bool, int, int, int]] = []
        for number, own in enumerate(traits):
            for family, places in ((4, own.four), (6, own.six)):
                if own.wide and places:
                    faces.append((family, True, places[0], places[-1], number))
                elif not own.wide:
                    faces.extend((family, False, place, place, number) for place in places)
        faces.sort()
        self.owner = np.array([face[4] for face in faces], dtype=np.intp)
        self._low = np.array([face[2] for face in faces], dtype=np.int64)
        self._high = np.array([face[3] for face in faces], dtype=np.int64)
        wide = np.array([face[1] for face in faces], dtype=bool)
        clusters = sorted({own.cluster for own in traits if own.cluster})
        self._clusters = {name: np.array([traits[face[4]].cluster == name for face in faces]) for name in clusters}
        self.faces = len(faces)
        self.families = sum(1 for face in faces if face[0] == 4)
        self.width = self.faces + self.line.length
        self._wide = np.flatnonzero(wide)
        # Within each family the faces whose address was read come first, in the order of addresses.
        read4 = int((~wide[: self.families]).sum())
        read6 = int((~wide[self.families :]).sum())
        self._read = ((0, read4), (self.families, self.families + read6))
        of_class: list[list[int]] = [[] for _ in traits]
        for column, face in enumerate(faces):
            of_class[face[4]].append(column)
        self.of_class = tuple(tuple(columns) for columns in of_class)
        families = slice(0, self.families), slice(self.families, self.faces)
        owners = [self.owner[part] for part in families]
        # Mostly each class has one face of a family.
        self._parts = [(part, len(distinct(own)) == len(own)) for part, own in zip(families, owners, strict=True)]
        classes = np.arange(len(traits), dtype=np.intp)
        self._in_step = [np.array_equal(own, classes) for own in owners]
        self._both = np.isin(classes, owners[0]) & np.isin(classes, owners[1])
        self._unread = np.array([own.wide and bool(own.cluster) for own in traits], dtype=bool)
        self._unread_both = self._unread & self._both
        self._guessed = np.flatnonzero(self._unread_both)
        self.simple = self.families in {0, self.faces} and np.array_equal(self.owner, np.arange(len(traits)))
        self._choices: dict[tuple[AddressSet, RangeMeaning, str], Choice] = {}

    def choose(self, addresses: AddressSet, meaning: RangeMeaning = "everywhere", cluster: str = "") -> Choice:
        """Return the columns of addresses, faces and outside.

        Args:
            addresses: the addresses.
            meaning: whether they match pods of the cluster that bear them.
            cluster: the cluster, where that matters.
        """
        known = self._choices.get((addresses, meaning, cluster))
        if known is None:
            known = self._choice(self.line.runs(addresses))
            if meaning != "everywhere" and cluster in self._clusters:
                known = self._past_pods(known, meaning, self._clusters[cluster])
            self._choices[addresses, meaning, cluster] = known
        return known

    def _past_pods(self, choice: Choice, meaning: RangeMeaning, pods: NDArray[np.bool_]) -> Choice:
        """Return a choice without the pods in it, or with them at most."""
        runs: list[tuple[int, int]] = []
        known: list[int] = []
        for start, end in choice.runs:
            own = start
            for pod in (np.flatnonzero(pods[start : min(end, self.faces)]) + start).tolist():
                known.append(pod)
                if own < pod:
                    runs.append((own, pod))
                own = pod + 1
            if own < end:
                runs.append((own, end))
        nobody = np.empty(0, dtype=np.intp)
        sure, maybe = (nobody if each is None else each for each in (choice.sure, choice.maybe))
        sure = sure[~pods[sure]]
        if meaning == "outside":
            return Choice(tuple(runs), sure, maybe[~pods[maybe]])
        return Choice(tuple(runs), sure, np.union1d(maybe, np.array(known, dtype=np.intp)))

    def _choice(self, runs: Runs) -> Choice:
        if not runs:
            return Choice(_NOTHING)
        found: list[tuple[int, int]] = []
        for start, end in self._read:
            ends = np.searchsorted(self._low[start:end], np.array(runs, dtype=np.int64)) + start
            for first, last in ends.tolist():
                if first < last:
                    _append(found, first, last)
        for first, last in runs:
            _append(found, self.faces + first, self.faces + last)
        if not self._wide.size:
            return Choice(tuple(found))
        low, high = self._low[self._wide], self._high[self._wide]
        sure = np.zeros(len(low), dtype=bool)
        maybe = np.zeros(len(low), dtype=bool)
        for first, last in runs:
            sure |= (low >= first) & (high < last)
            maybe |= (low < last) & (high >= first)
        return Choice(tuple(found), self._wide[sure], self._wide[maybe])

    def positions(self, faces: slice) -> NDArray[np.int64]:
        """Return the positions of the addresses of faces; the first ones for faces whose address was not read."""
        return self._low[faces]

    def span(self, face: int) -> tuple[int, int]:
        """Return the first and the last position of a face's address; they differ where it was not read."""
        return int(self._low[face]), int(self._high[face])

    def present(self, traits: Mapping[str, Traits]) -> NDArray[np.bool_]:
        """Return which faces there are in one of the estates: an interface may have come, gone or moved."""
        found = np.zeros(self.faces, dtype=bool)
        for number, own in enumerate(self.classes):
            known = traits.get(own.members[0])
            if known is not None:
                places = {*known.four, *known.six}
                for column in self.of_class[number]:
                    found[column] = int(self._low[column]) in places
        return found

    def by_class(self, rows: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return rows over faces as new rows over classes: what any face of a class can, the class can."""
        four, six = self._families_by_class(rows)
        return four | six

    def surely_by_class(self, rows: NDArray[np.uint64], target: int) -> NDArray[np.uint64]:
        """Return rows of what certainly arrives at a class, over faces, as new rows over classes.

        Of pods whose address was not read it is not known either of which family that is, so that what one family alone
        can is not certain.
        """
        four, six = self._families_by_class(rows)
        if not len(self._guessed) or not self._both[target]:
            return four | six
        unsure = self._both if self._unread[target] else self._unread_both
        total: NDArray[np.uint64] = four & six
        np.bitwise_or(four, six, out=total, where=~unsure)
        return total

    def _families_by_class(self, rows: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Return rows over faces by class, for each family; they may be parts of the rows."""
        found: list[NDArray[np.uint64]] = []
        for (part, alone), in_step in zip(self._parts, self._in_step, strict=True):
            owner, own = self.owner[part], rows[:, part]
            if in_step:
                found.append(own)
                continue
            by_class = np.zeros((rows.shape[0], len(self.classes)), dtype=np.uint64)
            if alone:
                by_class[:, owner] = own
            else:
                for word in range(rows.shape[0]):
                    np.bitwise_or.at(by_class[word], owner, own[word])
            found.append(by_class)
        return found[0], found[1]

    def faces_of(self, interfaces: Iterable[str]) -> Indexes:
        """Return the columns of all faces of the classes of interfaces, in order."""
        classes = {self.class_of[identifier] for identifier in interfaces if identifier in self.class_of}
        return np.array(sorted(column for number in classes for column in self.of_class[number]), dtype=np.intp)


def _append(found: list[tuple[int, int]], first: int, last: int) -> None:
    if found and found[-1][1] == first:
        first = found.pop()[0]
    found.append((first, last))


def _place(identifier: str, estates: Sequence[Mapping[str, Traits]]) -> tuple[object, ...]:
    own = _first(identifier, estates)
    return (not own.four, own.wide, own.four[:1], own.six[:1], identifier)


def _first(identifier: str, estates: Sequence[Mapping[str, Traits]]) -> Traits:
    """Return the traits of an interface in the estate that has them; addresses are joined over the estates."""
    each = [traits[identifier] for traits in estates if identifier in traits]
    if len(each) == 1 or all(own[1:] == each[0][1:] for own in each[1:]):
        return each[0]
    four = tuple(sorted({place for own in each for place in own.four}))
    six = tuple(sorted({place for own in each for place in own.six}))
    return Traits(each[0].key, four, six, any(own.wide for own in each), each[0].cluster)
