"""Who reaches whom in an estate, on what: all pairs, from and to anybody, with a lower and an upper bound.

An estate is compiled once: traffic and addresses are cut into atoms that nothing tells apart, interfaces into classes.
After that all sources of a target are worked out at once, one target class at a time, so that cost grows with classes.
"""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.reach.pairs.columns import EndClass
from cloudseg.reach.pairs.ground import Ground, Surveyed
from cloudseg.reach.pairs.matrix import Matrix
from cloudseg.reach.pairs.rows import Band
from cloudseg.reach.screens import screened
from cloudseg.traffic import NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Estate
    from cloudseg.reach.internet import InternetView
    from cloudseg.reach.pairs.rows import Arrivals

__all__ = ["EndClass", "Ends", "Fan", "Flow", "Reachability", "Verdict"]

_KEPT = 512
"""How many classes' answers are kept."""
_FEW_CELLS = 1 << 22
"""Where no more words than these tell all pairs, for one bound, the answers of all classes are kept."""
_TOLD = 1 << 14
"""How many verdicts are kept."""

Ends = "Collection[str | AddressSet]"
"""Qualified ids of interfaces, and sets of addresses outside of the estate."""


class Verdict(NamedTuple):
    """What passes from one end to another: certainly, and at most. They differ only where something is unknown."""

    lower: Traffic
    upper: Traffic

    @property
    def exact(self) -> bool:
        """Whether nothing unknown lies between the bounds."""
        return self.lower == self.upper


NOTHING = Verdict(NO_TRAFFIC, NO_TRAFFIC)


class Flow(NamedTuple):
    """What passes from one end to another.

    Attributes:
        source: name of a class, or ``external:<range>``.
        target: the same.
        lower: what certainly passes.
        upper: what passes at most.
    """

    source: str
    target: str
    lower: Traffic
    upper: Traffic


class Fan(NamedTuple):
    """What passes to one class from others and from outside, or from one class to outside.

    Attributes:
        end: name of the class that all of it shares.
        inward: it is the target; otherwise the source.
        others: the other ends, in order: names of classes, then ``external:<range>``.
        verdicts: what passes from or to each of them; equal ones are mostly one object.
    """

    end: str
    inward: bool
    others: Sequence[str]
    verdicts: Sequence[Verdict]

    def flows(self) -> Iterator[Flow]:
        """Yield the flows one by one."""
        for other, (lower, upper) in zip(self.others, self.verdicts, strict=True):
            yield Flow(other, self.end, lower, upper) if self.inward else Flow(self.end, other, lower, upper)


class Shared(NamedTuple):
    """What an estate names, and the ground that it shares with others; its number among them."""

    surveyed: Surveyed
    ground: Ground
    number: int


class Reachability:
    """Reachability of an estate.

    Args:
        estate: the estate.
        view: the internet's view of it, where there is one already.
        shared: the ground that it shares with other estates, for :meth:`together`.

    Attributes:
        estate: the estate, with the rules of firewalls on the way as lists at the ends.
        view: the internet's view of it.
        met: which lists judge whom.
        near: which of their rules concern whom.
        ground: the classes and atoms.
        matrix: the pairs, as masks.
    """

    def __init__(self, estate: Estate, view: InternetView | None = None, *, shared: Shared | None = None) -> None:
        if shared is None:
            estate = screened(estate)
            surveyed = Surveyed.of(estate, view)
            shared = Shared(surveyed, Ground([surveyed]), 0)
        self.estate = estate
        self.view = shared.surveyed.view
        self.met = shared.surveyed.survey.met
        self.near = shared.surveyed.survey.near
        self.ground = shared.ground
        self.matrix = Matrix(shared.surveyed, shared.ground, shared.ground.traits[shared.number])
        self._keeps_all = len(self.classes) ** 2 * self.ground.atoms.width <= _FEW_CELLS
        self._kept = max(_KEPT, len(self.classes)) if self._keeps_all else _KEPT
        self._arrivals: OrderedDict[int, Arrivals] = OrderedDict()
        self._departures: OrderedDict[int, Band] = OrderedDict()
        self._entering: OrderedDict[int, Band] = OrderedDict()
        self._told: dict[tuple[int, ...], Verdict] = {}

    @staticmethod
    def together(estates: Sequence[Estate]) -> tuple[Reachability, ...]:
        """Return the reachability of several estates over the same classes and atoms, so that they compare."""
        surveyed = [Surveyed.of(screened(estate)) for estate in estates]
        ground = Ground(surveyed)
        return tuple(
            Reachability(own.survey.estate, shared=Shared(own, ground, number)) for number, own in enumerate(surveyed)
        )

    @property
    def classes(self) -> tuple[EndClass, ...]:
        """The classes of interfaces that nothing tells apart, in the order of addresses."""
        return self.ground.columns.classes

    def class_of(self, interface: str) -> EndClass:
        """Return the class of an interface.

        Raises:
            KeyError: there is no such interface.
        """
        return self.classes[self.number_of(interface)]

    def number_of(self, interface: str) -> int:
        """Return the place of an interface's class in :attr:`classes`.

        Raises:
            KeyError: there is no such interface.
        """
        return self.ground.columns.class_of[interface]

    def arrivals(self, target: int) -> Arrivals:
        """Return what arrives at a class, by its number; answers are kept for a while."""
        known = self._arrivals.get(target)
        if known is None:
            known = self._arrivals[target] = self.matrix.arrivals(target)
            if len(self._arrivals) > self._kept:
                self._arrivals.popitem(last=False)
        return known

    def arrivals_in_turn(self, target: int) -> Arrivals:
        """Return what arrives at a class, for who asks for many classes, each once: kept only where all can be."""
        return self.arrivals(target) if self._keeps_all else self.matrix.arrivals(target)

    def departures(self, source: int) -> Band:
        """Return what leaves a class for addresses outside of the estate, by the number of the class."""
        known = self._departures.get(source)
        if known is None:
            known = self._departures[source] = self.matrix.departures(source)
            if len(self._departures) > _KEPT:
                self._departures.popitem(last=False)
        return known

    def entering(self, target: int) -> Band:
        """Return what arrives at a class from outside under its senders' addresses, by the number of the class.

        It comes straight, or through a load balancer that keeps its clients' addresses. To :meth:`arrivals` and
        :meth:`between` the latter is two steps, of which neither leads from outside to the target.
        """
        known = self._entering.get(target)
        if known is None:
            known = self._entering[target] = self.with_forwarded(target, self.arrivals(target).outside)
            if len(self._entering) > _KEPT:
                self._entering.popitem(last=False)
        return known

    def with_forwarded(self, target: int, straight: Band) -> Band:
        """Return :meth:`entering`, of what comes straight from outside to a class, by the number of the class."""
        handed = self.matrix.forwarded(target)
        if handed is None:
            return straight
        return Band(straight.lower | handed.lower, straight.upper | handed.upper)

    def delivered(self, source: AddressSet, target: str) -> Verdict:
        """Return what arrives from any of some addresses outside, straight or through load balancers that keep them.

        Args:
            source: the addresses.
            target: qualified id of an interface.

        Raises:
            KeyError: there is no such interface.
        """
        return self._any_of(self.entering(self.number_of(target)), source)

    def between(self, source: str | AddressSet, target: str | AddressSet) -> Verdict:
        """Return what passes from one end to another.

        An end is the qualified id of an interface, or addresses outside of the estate; of several such addresses the
        answer is what at least one of them can. From an end to itself there is nothing to tell.

        Raises:
            KeyError: there is no such interface.
        """
        if isinstance(source, AddressSet):
            if isinstance(target, AddressSet):
                return NOTHING
            return self._any_of(self.arrivals(self.number_of(target)).outside, source)
        number = self.number_of(source)
        if isinstance(target, AddressSet):
            return self._any_of(self.departures(number), target)
        if source == target:
            return NOTHING
        inside = self.arrivals(self.number_of(target)).inside
        return self._verdict(inside.lower[:, number], inside.upper[:, number])

    def _any_of(self, band: Band, addresses: AddressSet) -> Verdict:
        lower = np.zeros(band.lower.shape[0], dtype=np.uint64)
        upper = lower.copy()
        for start, end in self.ground.line.runs(addresses):
            lower |= np.bitwise_or.reduce(band.lower[:, start:end], axis=1)
            upper |= np.bitwise_or.reduce(band.upper[:, start:end], axis=1)
        return self._verdict(lower, upper)

    def _verdict(self, lower: NDArray[np.uint64], upper: NDArray[np.uint64]) -> Verdict:
        atoms = self.ground.atoms
        return Verdict(atoms.from_words(lower.tolist()), atoms.from_words(upper.tolist()))

    def flows(
        self,
        sources: Collection[str | AddressSet] | None = None,
        targets: Collection[str | AddressSet] | None = None,
        *,
        forwarded: bool = False,
    ) -> Iterator[Flow]:
        """Yield what :meth:`fans` tells, each flow by itself."""
        for fan in self.fans(sources, targets, forwarded=forwarded):
            yield from fan.flows()

    def fans(
        self,
        sources: Collection[str | AddressSet] | None = None,
        targets: Collection[str | AddressSet] | None = None,
        *,
        forwarded: bool = False,
    ) -> Iterator[Fan]:
        """Yield what passes between ends, class by class; pairs between which nothing passes are left out.

        Args:
            sources: qualified ids of interfaces, and addresses outside; None for everybody.
            targets: the same.
            forwarded: from outside also what comes through load balancers that keep their clients' addresses, as
                :meth:`entering` tells it.

        Raises:
            KeyError: there is no such interface.
        """
        senders, outside_senders = self._split(sources)
        takers, outside_takers = self._split(targets)
        chosen = set(takers)
        names = [own.name for own in self.classes]
        into, out_of = _Runs(self, outside_senders), _Runs(self, outside_takers)
        for target in self.matrix.order() if targets is None else takers:
            if target in chosen:
                arrivals = self.matrix.arrivals(target)
                places, verdicts = self._from_classes(arrivals.inside, senders)
                outside = self.with_forwarded(target, arrivals.outside) if forwarded else arrivals.outside
                ranges, entering = into.of(outside)
                if places or ranges:
                    others = [*map(names.__getitem__, places), *ranges]
                    yield Fan(names[target], inward=True, others=others, verdicts=[*verdicts, *entering])
        if outside_takers is None or outside_takers:
            for source in senders:
                ranges, leaving = out_of.of(self.matrix.departures(source))
                if ranges:
                    yield Fan(names[source], inward=False, others=ranges, verdicts=leaving)

    def _split(self, ends: Collection[str | AddressSet] | None) -> tuple[Sequence[int], AddressSet | None]:
        """Return the numbers of classes, and the addresses outside; None stands for all of them."""
        if ends is None:
            return range(len(self.classes)), None
        outside = AddressSet()
        numbers: dict[int, None] = {}
        for end in ends:
            if isinstance(end, AddressSet):
                outside |= end
            else:
                numbers[self.number_of(end)] = None
        return sorted(numbers), outside

    def _from_classes(self, inside: Band, senders: Iterable[int]) -> tuple[list[int], list[Verdict]]:
        """Return the classes from which something passes, and what."""
        passing: NDArray[np.bool_] = np.any(inside.upper, axis=0)
        if not isinstance(senders, range):
            wanted = np.zeros(len(passing), dtype=bool)
            wanted[list(senders)] = True
            passing &= wanted
        places = np.flatnonzero(passing)
        # Hundreds of thousands of pairs share a few verdicts, so that each is made once.
        each = zip(*inside.lower[:, places].tolist(), *inside.upper[:, places].tolist(), strict=True)
        return places.tolist(), [self._told.get(words) or self._tell(words) for words in each]

    def _tell(self, words: tuple[int, ...]) -> Verdict:
        """Return the verdict of the words of a lower bound and, behind them, of an upper one, and keep it."""
        if len(self._told) >= _TOLD:
            self._told.clear()
        atoms = self.ground.atoms
        lower, upper = words[: atoms.width], words[atoms.width :]
        verdict = self._told[words] = Verdict(atoms.from_words(lower), atoms.from_words(upper))
        return verdict

    def ranges(self, band: Band, within: AddressSet | None = None) -> Iterator[tuple[AddressSet, Verdict]]:
        """Yield the addresses outside that something passes from or to, neighbours of equal reach together.

        Args:
            band: what passes, by word and position.
            within: only these addresses; None for all.
        """
        line = self.ground.line
        for first, last in ((0, line.boundary), (line.boundary, line.length)):
            lower, upper = band.lower[:, first:last], band.upper[:, first:last]
            if not upper.any():
                continue
            changes = ((lower[:, 1:] != lower[:, :-1]) | (upper[:, 1:] != upper[:, :-1])).any(axis=0)
            starts = [0, *(np.flatnonzero(changes) + 1).tolist(), last - first]
            for start, end in pairwise(starts):
                if upper[:, start].any():
                    addresses = line.addresses(first + start, first + end)
                    if within is not None:
                        addresses &= within
                    if addresses:
                        yield addresses, self._verdict(lower[:, start], upper[:, start])


class _Runs:
    """What passes from or to addresses outside, by the name of their end: many classes have one answer in common.

    Args:
        reach: the reachability.
        within: only these addresses; None for all.
    """

    def __init__(self, reach: Reachability, within: AddressSet | None) -> None:
        self._reach = reach
        self._within = within
        # What is kept beside its answer cannot be another's of the same identity.
        self._known: dict[tuple[int, int], tuple[Band, list[str], list[Verdict]]] = {}

    def of(self, band: Band) -> tuple[list[str], list[Verdict]]:
        """Return the runs of addresses of a band, and what passes from or to each."""
        key = (id(band.lower), id(band.upper))
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            runs = list(self._reach.ranges(band, self._within))
            ends = [f"external:{addresses}" for addresses, _ in runs]
            known = self._known[key] = band, ends, [verdict for _, verdict in runs]
        return known[1], known[2]
