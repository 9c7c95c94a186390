"""Needs that a state of a plan carries no longer: those that lists may have lost are followed along the ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.plan.proving.blame import Ends
from cloudseg.plan.proving.claims import Loss, Packet
from cloudseg.plan.proving.intended import OUTSIDE
from cloudseg.plan.proving.needed import address_of
from cloudseg.plan.proving.packets import packet_of
from cloudseg.reach.comparing.witness import Witnesses
from cloudseg.traffic import NO_ADDRESSES, NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from cloudseg.observed.ends import End
    from cloudseg.plan.proving.blame import Judge
    from cloudseg.plan.proving.engines import Bands, Engine
    from cloudseg.plan.proving.intended import Intended, Suspect
    from cloudseg.plan.proving.ledger import Ledger
    from cloudseg.plan.proving.needed import Needs
    from cloudseg.plan.proving.states import Checkpoint
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["Losing"]

_Words = np.ndarray[tuple[int], np.dtype[np.uint64]]


class _Found(NamedTuple):
    """What one pair of ends lost.

    Attributes:
        traffic: what.
        certain: some of it surely.
        connections: how often it was opened.
        last_seen: when it was last seen.
    """

    traffic: Traffic
    certain: bool
    connections: int = 0
    last_seen: int = 0

    def with_more(self, other: _Found) -> _Found:
        """Return both together."""
        return _Found(
            self.traffic | other.traffic,
            self.certain or other.certain,
            self.connections + other.connections,
            max(self.last_seen, other.last_seen),
        )


class Losing:
    """Follows the ways in both states where lists let less through.

    Args:
        engine: who reaches whom in both.
        checkpoint: the later state.
        judge: says who is to blame.
        unknowns: what is not known of lists, for losses that are not certain.
    """

    def __init__(self, engine: Engine, checkpoint: Checkpoint, judge: Judge, unknowns: tuple[str, ...]) -> None:
        self._engine = engine
        self._checkpoint = checkpoint
        self._judge = judge
        self._unknowns = unknowns
        self._witnesses = Witnesses(engine.before)

    def of_needs(self, needs: Needs, rows: NDArray[np.int64]) -> Iterator[Loss]:
        """Yield what is lost of some observed needs, by their places."""
        demand = needs.demand
        own = self._engine.family
        found: dict[tuple[int, int], _Found] = {}
        # Those of one target after the other: the rows of a target are worked out once.
        ordered = rows[np.argsort(demand.targets[rows], kind="stable")].tolist()
        for row in ordered:
            source, target = int(demand.sources[row]), int(demand.targets[row])
            family = int(needs.family[target] or needs.family[source])
            if own is not None and family not in {0, own}:
                continue
            traffic = demand.traffics[int(demand.kinds[row])]
            lost = self._lost(demand.ends[source], demand.ends[target], traffic)
            if lost is not None:
                each = lost._replace(connections=int(demand.connections[row]), last_seen=int(demand.last_seen[row]))
                known = found.get((source, target))
                found[source, target] = each if known is None else known.with_more(each)
        for (source, target), each in found.items():
            yield self._loss(demand.ends[source], demand.ends[target], each)

    def of_strays(self, needs: Needs, rows: NDArray[np.int64]) -> Iterator[Loss]:
        """Yield needs of which lists carry something no longer, where one end is an address that nobody bears."""
        demand = needs.demand
        for row in rows.tolist():
            ends = demand.ends[int(demand.sources[row])], demand.ends[int(demand.targets[row])]
            traffic = demand.traffics[int(demand.kinds[row])]
            sources, targets = (tuple(filter(None, (each.interface,))) for each in ends)
            outside = address_of(ends[1] if sources else ends[0])
            at, place = Ends(sources, targets, outside), self._checkpoint.place
            blame = self._judge.of(at, traffic, place, self._engine.after.estate, gain=False)
            yield Loss(
                sources=sources or (ends[0].address,),
                targets=targets or (ends[1].address,),
                traffic=traffic,
                certain=False,
                connections=int(demand.connections[row]),
                last_seen=int(demand.last_seen[row]),
                intended=False,
                state=place,
                witness=Packet(
                    source=ends[0].interface,
                    source_address=ends[0].address,
                    target=ends[1].interface,
                    target_address=ends[1].address,
                    traffic=traffic,
                ),
                through=blame.rule,
                unknowns=(*self._unknowns, *(f"who bears {each.address}" for each in ends if not each.interface)),
                blamed=blame.places,
            )

    def _lost(self, source: End, target: End, traffic: Traffic) -> _Found | None:
        engine = self._engine
        bits = engine.overlapping(traffic)
        if target.interface:
            number = engine.number_of(target.interface)
            if number is None:
                return None
            if source.interface:
                column = engine.number_of(source.interface)
                if column is None or source.interface == target.interface:
                    return None
                return self._at(engine.inside(number), np.array([column]), bits, traffic)
            return self._at(engine.entering(number), self._positions(address_of(source)), bits, traffic)
        number = engine.number_of(source.interface)
        if number is None:
            return None
        return self._at(engine.leaving(number), self._positions(address_of(target)), bits, traffic)

    def _positions(self, addresses: AddressSet | None) -> NDArray[np.intp]:
        runs = () if addresses is None else self._engine.after.ground.line.runs(addresses)
        return np.array([place for start, end in runs for place in range(start, end)], dtype=np.intp)

    def _at(self, bands: Bands, columns: NDArray[np.intp], bits: _Words, asked: Traffic) -> _Found | None:
        lost = bands.lost
        upper: _Words = np.bitwise_or.reduce(lost.upper[:, columns], axis=1) & bits
        if not upper.any():
            return None
        lower: _Words = np.bitwise_or.reduce(lost.lower[:, columns], axis=1) & bits
        certain = bool(lower.any())
        return _Found(self._engine.traffic(lower if certain else upper) & asked, certain)

    def _loss(self, source: End, target: End, found: _Found) -> Loss:
        outside = None if source.interface and target.interface else address_of(target if source.interface else source)
        ends = Ends(
            (source.interface,) if source.interface else (), (target.interface,) if target.interface else (), outside
        )
        return self._told(ends, found, (source.interface or source.address,), (target.interface or target.address,))

    def _told(self, ends: Ends, found: _Found, sources: tuple[str, ...], targets: tuple[str, ...]) -> Loss:
        if ends.outside is None and ends.sources and ends.targets:
            witness = self._witnesses.inside(ends.sources[0], ends.targets[0], found.traffic)
        elif ends.targets:
            witness = self._witnesses.from_outside(ends.outside or NO_ADDRESSES, ends.targets[0], found.traffic)
        else:
            witness = self._witnesses.to_outside(ends.sources[0], ends.outside or NO_ADDRESSES, found.traffic)
        blame = self._judge.of(ends, found.traffic, self._checkpoint.place, self._engine.after.estate, gain=False)
        return Loss(
            sources=sources,
            targets=targets,
            traffic=found.traffic,
            certain=found.certain,
            connections=found.connections,
            last_seen=found.last_seen,
            intended=not found.connections,
            state=self._checkpoint.place,
            witness=packet_of(witness),
            through=blame.rule,
            unknowns=() if found.certain else self._unknowns,
            blamed=blame.places,
        )

    def of_intent(self, intended: Intended, suspects: Iterable[Suspect], ledger: Ledger) -> Iterator[Loss]:
        """Yield what is lost of what the intent allows, between some pairs of classes of the ledger."""
        classes = ledger.columns.classes
        for source, target in sorted(set(suspects)):
            if source == OUTSIDE:
                for names in self._alike(classes[target].members):
                    yield from self._intended_outside(intended, names, incoming=True)
            elif target == OUTSIDE:
                for names in self._alike(classes[source].members):
                    yield from self._intended_outside(intended, names, incoming=False)
            else:
                for sources in self._alike(classes[source].members):
                    for targets in self._alike(classes[target].members):
                        yield from self._intended(intended, sources, targets)

    def _alike(self, names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        """Yield interfaces by their class; those without an address of the family are left out."""
        found: dict[int, list[str]] = {}
        for name in names:
            number = self._engine.number_of(name)
            if number is not None:
                found.setdefault(number, []).append(name)
        for each in found.values():
            yield tuple(each)

    def _intended(self, intended: Intended, sources: tuple[str, ...], targets: tuple[str, ...]) -> Iterator[Loss]:
        engine = self._engine
        number, column = engine.number_of(targets[0]), engine.number_of(sources[0])
        allowed = intended.allowed(sources, targets)
        if number is None or column is None or not allowed:
            return
        found = self._at(engine.inside(number), np.array([column]), engine.overlapping(allowed), allowed)
        if found is None or not found.traffic:
            return
        pair = next(
            (
                (source, target)
                for target in targets
                for source in sources
                if source != target and intended.between(source, target).overlaps(found.traffic)
            ),
            None,
        )
        if pair is not None:
            traffic = intended.between(*pair) & found.traffic
            yield self._told(Ends((pair[0],), (pair[1],)), found._replace(traffic=traffic), sources, targets)

    def _intended_outside(self, intended: Intended, names: tuple[str, ...], *, incoming: bool) -> Iterator[Loss]:
        engine = self._engine
        number = engine.number_of(names[0])
        if number is None:
            return
        bands = engine.entering(number) if incoming else engine.leaving(number)
        for segment, addresses in intended.matrix.segmentation.outside.items():
            allowed, name = NO_TRAFFIC, ""
            for each in names:
                own = intended.segments.get(each, ())
                asked = ((segment,), own) if incoming else (own, (segment,))
                traffic = intended.matrix.for_segments(*asked)
                name = name or (each if traffic else "")
                allowed |= traffic
            if not allowed:
                continue
            found = self._at(bands, self._positions(addresses), engine.overlapping(allowed), allowed)
            if found is not None and found.traffic:
                ends = Ends((), (name,), addresses) if incoming else Ends((name,), (), addresses)
                sides = ((segment,), names) if incoming else (names, (segment,))
                yield self._told(ends, found, *sides)
