"""What a state of a plan gains: where lists let more through, the ways are followed in both states."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from cloudseg.plan.proving.blame import Ends
from cloudseg.plan.proving.claims import Gain, Packet
from cloudseg.plan.proving.growing import total
from cloudseg.plan.proving.keeping import sent_on
from cloudseg.plan.proving.packets import packet_of
from cloudseg.reach.comparing.witness import Witnesses
from cloudseg.reach.plumbing import only_passes_on
from cloudseg.traffic import NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from cloudseg.plan.proving.blame import Judge
    from cloudseg.plan.proving.engines import Bands, Engine
    from cloudseg.plan.proving.growing import Growth
    from cloudseg.plan.proving.ledger import Ledger
    from cloudseg.plan.proving.states import Checkpoint
    from cloudseg.reach.pairs.rows import Rows
    from cloudseg.traffic import Traffic

__all__ = ["Gaining"]

_Words = np.ndarray[tuple[int], np.dtype[np.uint64]]
_WITNESSES: Final = 40
"""So many gains get a packet that is looked for along the ways; the others one from address to address."""


class Gaining:
    """Follows the ways in both states where lists let more through.

    Args:
        engine: who reaches whom in both.
        ledger: what lists let through.
        checkpoint: the later state.
        judge: says who is to blame.
        unknowns: what is not known of lists, for gains that are not certain.
    """

    def __init__(
        self, engine: Engine, ledger: Ledger, checkpoint: Checkpoint, judge: Judge, unknowns: tuple[str, ...]
    ) -> None:
        self._engine = engine
        self._ledger = ledger
        self._checkpoint = checkpoint
        self._judge = judge
        self._unknowns = unknowns
        self._witnesses = Witnesses(engine.after)
        self._count = 0

    def gains(self, growths: Iterable[Growth], *, everywhere: bool = False) -> Iterator[Gain]:
        """Yield what is gained.

        Args:
            growths: where lists may let more through.
            everywhere: look at all pairs, whatever the lists say.
        """
        engine = self._engine
        into: dict[int, dict[int, Traffic]] = {}
        out_of: dict[int, Traffic] = {}
        relevant: dict[int, tuple[_Words, _Words]] = {}
        for growth in growths:
            names = growth.near.names
            if growth.near.direction == "egress":
                # Packets of others meet these lists as well where their ends send them on.
                names = (*names, *(other for name in names for other in self._sent_on.get(name, ())))
            numbers = {n for name in names if (n := engine.number_of(name)) is not None}
            if growth.near.direction == "ingress":
                by_class = self._by_class(growth.cells)
                for number in numbers:
                    into.setdefault(number, {})
                    known = relevant.get(number)
                    relevant[number] = by_class if known is None else (known[0] | by_class[0], known[1] | by_class[1])
            else:
                self._note_egress(growth, numbers, into, out_of)
        classes = range(len(engine.after.classes))
        for target in classes if everywhere else sorted(into):
            yield from self._of_target(target, into.get(target, {}), relevant.get(target), everywhere=everywhere)
        for source in classes if everywhere else sorted(out_of):
            yield from self._outside(source, engine.leaving(source), None, incoming=False, everywhere=everywhere)

    def _note_egress(
        self,
        growth: Growth,
        numbers: Iterable[int],
        into: dict[int, dict[int, Traffic]],
        out_of: dict[int, Traffic],
    ) -> None:
        """Note whom to look at where lists of senders let more out."""
        engine, ledger = self._engine, self._ledger
        traffic = ledger.traffic(total(growth.cells))
        faces: NDArray[np.bool_] = np.any(growth.cells[:, : ledger.columns.faces], axis=0)
        beyond = bool(growth.cells[:, ledger.columns.faces :].any()) or bool(np.any(faces[self._veil]))
        if beyond:
            out_of.update(dict.fromkeys(numbers, traffic))
            targets: Iterable[int] = range(len(engine.after.classes))
        else:
            owners: set[int] = set(ledger.columns.owner[np.flatnonzero(faces)].tolist())
            names = (ledger.columns.classes[owner].members for owner in owners)
            targets = {n for members in names for name in members if (n := engine.number_of(name)) is not None}
        for target in targets:
            known = into.setdefault(target, {})
            for number in numbers:
                known[number] = traffic | known[number] if number in known else traffic

    @cached_property
    def _sent_on(self) -> dict[str, list[str]]:
        return sent_on(self._ledger)

    @property
    def _veil(self) -> NDArray[np.intp]:
        """The faces under whose addresses packets of others may come."""
        estate = self._ledger.states[0]
        each = (
            name
            for name, interface in estate.interfaces.items()
            if interface.forwards or only_passes_on(interface) or interface.workload in estate.forwarders
        )
        return self._ledger.columns.faces_of(each)

    def _by_class(self, cells: Rows) -> tuple[_Words, _Words]:
        """Return what lists may newly let in, by class of the ledger, and what of it whoever comes may use."""
        columns = self._ledger.columns
        by_class = columns.by_class(cells[:, : columns.faces])
        beyond: _Words = np.bitwise_or.reduce(cells[:, columns.faces :], axis=1)
        veil = self._veil
        if len(veil):
            beyond = beyond | np.bitwise_or.reduce(cells[:, veil], axis=1)
        return np.ascontiguousarray(by_class.T), beyond

    def _of_target(
        self,
        target: int,
        asked: Mapping[int, Traffic],
        relevant: tuple[_Words, _Words] | None,
        *,
        everywhere: bool,
    ) -> Iterator[Gain]:
        """Yield what a class gains.

        Args:
            target: its number.
            asked: what lists of other classes may newly let out to it, by their numbers.
            relevant: what its own lists may newly let in; None for nothing.
            everywhere: look at all pairs, whatever the lists say.
        """
        engine = self._engine
        bands = engine.inside(target)
        gained = bands.gained
        upper = gained.upper
        if upper.any():
            upper = self._without_settled(upper, bands, asked, relevant, everywhere=everywhere)
            if relevant is None and not everywhere:
                kept = np.zeros(upper.shape[1], dtype=np.bool_)
                kept[list(asked)] = True
                upper = upper * kept
            for columns, words, certain in _alike(upper, gained.lower):
                yield from self._gain(target, columns, words, certain=certain)
        if relevant is not None or everywhere:
            yield from self._outside(target, engine.entering(target), relevant, incoming=True, everywhere=everywhere)

    def _without_settled(
        self,
        upper: Rows,
        bands: Bands,
        asked: Mapping[int, Traffic],
        relevant: tuple[_Words, _Words] | None,
        *,
        everywhere: bool,
    ) -> Rows:
        """Return what may be gained without what is unknown in both where no list lets more through."""
        unknown = bands.unknown & upper
        if everywhere or not unknown.any():
            return upper
        engine = self._engine
        found = upper & ~unknown
        columns: list[int] = np.flatnonzero(unknown.any(axis=0)).tolist()
        for column in columns:
            newly = asked.get(column, NO_TRAFFIC)
            if relevant is not None:
                name = engine.after.classes[column].members[0]
                newly |= self._ledger.traffic(relevant[1] | relevant[0][self._ledger.columns.class_of[name]])
            if newly:
                found[:, column] |= unknown[:, column] & engine.overlapping(newly)
        return found

    def _outside(
        self, number: int, bands: Bands, relevant: tuple[_Words, _Words] | None, *, incoming: bool, everywhere: bool
    ) -> Iterator[Gain]:
        gained = bands.gained
        upper = gained.upper
        if not upper.any():
            return
        unknown = bands.unknown & upper
        if unknown.any() and relevant is not None and not everywhere:
            newly = self._engine.overlapping(self._ledger.traffic(relevant[1]))
            upper = upper & ~(unknown & ~newly[:, None])
        for positions, words, certain in _alike(upper, gained.lower):
            yield self._gain_outside(number, positions, words, certain=certain, incoming=incoming)

    def _gain(self, target: int, columns: NDArray[np.intp], words: _Words, *, certain: bool) -> Iterator[Gain]:
        engine = self._engine
        classes = engine.after.classes
        takers = classes[target].members
        firsts: list[str] = []
        senders: list[str] = []
        places: list[int] = columns.tolist()
        for column in places:
            members = classes[column].members
            # From an interface to itself there is nothing to tell.
            others = members if column != target else members[1:]
            firsts.extend(others[:1])
            senders.extend(members if others else ())
        if not senders:
            return
        traffic = engine.traffic(words)
        taker = takers[0]
        self._count += 1
        packet = (
            packet_of(self._witnesses.inside(firsts[0], taker, traffic))
            if self._count <= _WITNESSES
            else Packet(source=firsts[0], source_address="", target=taker, target_address="", traffic=traffic)
        )
        blame = self._judge.of(
            Ends(tuple(firsts), (taker,)), traffic, self._checkpoint.place, engine.after.estate, gain=True
        )
        itself = len(takers) if target in columns else 0
        yield Gain(
            sources=tuple(sorted(senders)),
            targets=takers,
            traffic=traffic,
            certain=certain,
            pairs=len(senders) * len(takers) - itself,
            state=self._checkpoint.place,
            witness=packet,
            through=blame.rule,
            unknowns=() if certain else self._unknowns,
            blamed=blame.places,
        )

    def _gain_outside(
        self, number: int, positions: NDArray[np.intp], words: _Words, *, certain: bool, incoming: bool
    ) -> Gain:
        engine = self._engine
        line = engine.after.ground.line
        breaks = np.flatnonzero((np.diff(positions) != 1) | (positions[1:] == line.boundary)) + 1
        runs = [line.addresses(int(run[0]), int(run[-1]) + 1) for run in np.split(positions, breaks)]
        outside = runs[0]
        for run in runs[1:]:
            outside |= run
        names = engine.after.classes[number].members
        traffic = engine.traffic(words)
        witness = (
            self._witnesses.from_outside(outside, names[0], traffic)
            if incoming
            else self._witnesses.to_outside(names[0], outside, traffic)
        )
        ends = Ends((), names[:1], outside) if incoming else Ends(names[:1], (), outside)
        blame = self._judge.of(ends, traffic, self._checkpoint.place, engine.after.estate, gain=True)
        texts = tuple(f"external:{run}" for run in runs)
        return Gain(
            sources=texts if incoming else names,
            targets=names if incoming else texts,
            traffic=traffic,
            certain=certain,
            pairs=len(names),
            state=self._checkpoint.place,
            witness=packet_of(witness),
            through=blame.rule,
            unknowns=() if certain else self._unknowns,
            blamed=blame.places,
        )


def _alike(upper: Rows, lower: Rows) -> Iterator[tuple[NDArray[np.intp], _Words, bool]]:
    """Yield columns that hold the same, with what they hold, and whether some of it is certain.

    What is certain is told by itself where it is a part only.
    """
    columns = np.flatnonzero(upper.any(axis=0))
    if not len(columns):
        return
    both = np.vstack([upper[:, columns], (lower & upper)[:, columns]])
    values, places = np.unique(both, axis=1, return_inverse=True)
    width = upper.shape[0]
    for number in range(values.shape[1]):
        here = columns[places.reshape(-1) == number]
        most, least = values[:width, number], values[width:, number]
        if least.any():
            yield here, least, True
        else:
            yield here, most, False
