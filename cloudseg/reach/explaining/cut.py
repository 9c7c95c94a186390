"""Which rules would have to go so that traffic no longer passes: at each step of an end, all that admit it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import shown_id
from cloudseg.reach.end_names import end_label
from cloudseg.reach.explaining.ends import faces_of, passing
from cloudseg.reach.explaining.explanation import Cut
from cloudseg.reach.explaining.rules import Lists, Other, removals
from cloudseg.reach.explaining.words import rule_ref, stage_text
from cloudseg.reach.passage import carries_unread, pipeline_of
from cloudseg.traffic import GLOBAL_UNICAST, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Direction, Estate, Interface
    from cloudseg.reach.explaining.choice import Found
    from cloudseg.reach.pairs.rows import Band
    from cloudseg.reach.reachability import Reachability
    from cloudseg.traffic import Traffic

__all__ = ["Gate", "cuts", "gates"]


class Gate(NamedTuple):
    """One end that lists judge.

    Attributes:
        interface: the end.
        direction: of the packets, seen from it.
        others: everybody that its lists may see at the other end of what passes.
        boundary: packets meet the boundary of its subnet.
    """

    interface: Interface
    direction: Direction
    others: Sequence[Other]
    boundary: bool


def gates(reach: Reachability, source: str | AddressSet, target: str | AddressSet, found: Found) -> tuple[Gate, ...]:
    """Return the ends that lists judge, with everybody that these may see of what passes between the ends."""
    made: list[Gate] = []
    passing_walks = [walk for walk in found.looked if walk.upper]
    # A way on which the lists of an end are not asked, or it is not known about whom, is not stopped by them.
    if isinstance(source, str) and all(walk.seen_by_source for walk in passing_walks):
        seen = [other for walk in passing_walks for other in walk.seen_by_source]
        band = reach.departures(reach.number_of(source)) if isinstance(target, AddressSet) else None
        made.append(_gate(reach, source, "egress", _everybody(reach, target, seen, band, every=found.every), found))
    if isinstance(target, str) and all(walk.seen_by_target for walk in passing_walks):
        seen = [other for walk in passing_walks for other in walk.seen_by_target]
        band = reach.entering(reach.number_of(target)) if isinstance(source, AddressSet) else None
        made.append(_gate(reach, target, "ingress", _everybody(reach, source, seen, band, every=found.every), found))
    return tuple(made)


def _gate(reach: Reachability, end: str, direction: Direction, others: Sequence[Other], found: Found) -> Gate:
    interface = reach.estate.interfaces[end]
    met = [
        any(link.kind == "boundary" and link.direction == direction for link in walk.links)
        for walk in found.looked
        if walk.upper
    ]
    return Gate(interface, direction, others, bool(met) and all(met))


def _everybody(
    reach: Reachability, end: str | AddressSet, seen: Sequence[Other], band: Band | None, *, every: bool
) -> tuple[Other, ...]:
    """Return whom lists see: in what was looked at, and where that was not every way, all addresses of the end."""
    found = list(seen)
    if isinstance(end, AddressSet):
        rest = end if band is None else passing(reach, band, end)
        # At private addresses there may stand members of groups, whoever was looked at.
        inside = not rest <= GLOBAL_UNICAST
        among = [other for other in seen if other.addresses <= end and rest]
        found += [other._replace(addresses=rest, grouped=other.grouped or inside) for other in among]
    elif not every:
        interface = reach.estate.interfaces[end]
        found += [Other(face.addresses, interface) for face in faces_of(reach, interface)]
    told = {(o.addresses, o.interface and o.interface.id, o.grouped, o.groups): o for o in found}
    return tuple(told.values())


def cuts(gates: Sequence[Gate], traffic: Traffic, estate: Estate) -> tuple[Cut, ...]:
    """Return for each step at the ends the rules without which nothing of the traffic passes at all, the fewest first.

    Of equals the stage at the target counts first, and stateful lists before boundaries. There may be none: lists that
    were not read, or stages that no list judges.
    """
    found = [each for gate in gates for each in _of(gate, traffic, estate)]
    return tuple(cut for _, cut in sorted(found, key=lambda each: (len(each[1].rules), each[0])))


def _of(gate: Gate, traffic: Traffic, estate: Estate) -> Iterator[tuple[int, Cut]]:
    """Yield what would have to go at each stage, with a rank that decides between equals."""
    pipeline, interface = pipeline_of(gate.interface, estate), gate.interface
    for stage in () if pipeline is None else pipeline.met_by(gate.interface, gate.direction):
        if (not stage.stateful and not gate.boundary) or not gate.others:
            continue
        if stage.at == "interface" and carries_unread(interface, estate):
            continue
        lists = Lists(stage, gate.direction, estate.judging(interface, stage.name, gate.direction), interface)
        plain = gate.others if stage.stateful else [other._replace(grouped=False) for other in gate.others]
        each = [removals(lists, other, traffic, estate) for other in plain]
        rules = {rule_ref(hit.rule_set, hit.rule, estate): None for gone in each for hit in gone or ()}
        if rules and None not in each:
            place = interface.id if stage.stateful else interface.subnet or interface.id
            where = end_label(interface, estate) if stage.stateful else shown_id(place)
            text = stage_text(stage, lists.judges, where)
            cut = Cut(direction=gate.direction, place=place, text=text, rules=tuple(rules))
            yield (0 if gate.direction == "ingress" else 1) + (0 if stage.stateful else 2), cut
