"""Which rules would have to go so that traffic no longer passes: at each step of an end, all that admit it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import shown_id
from cloudseg.reach.end_names import end_label
from cloudseg.reach.explaining.ends import faces_of, passing
from cloudseg.reach.explaining.explanation import Cut
from cloudseg.reach.explaining.rules import Lists, Other, judge, removals, removals_in_turn
from cloudseg.reach.explaining.words import rule_ref, stage_text
from cloudseg.reach.passage import carries_unread, pipeline_of, stage_was_read
from cloudseg.traffic import GLOBAL_UNICAST, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Direction, Estate, Interface, Stage
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
    found = [each for gate in gates for how in (_of, _in_turn) for each in how(gate, traffic, estate)]
    return tuple(cut for _, cut in sorted(found, key=lambda each: (len(each[1].rules), each[0])))


def _in_turn(gate: Gate, traffic: Traffic, estate: Estate) -> Iterator[tuple[int, Cut]]:
    """Yield what would have to go from ordered lists that are asked one after the other, where none ends the matter."""
    pipeline, interface = pipeline_of(gate.interface, estate), gate.interface
    stages = () if pipeline is None else pipeline.met_by(interface, gate.direction)
    asked = [stage for stage in stages if stage.stateful and estate.judging(interface, stage.name, gate.direction)]
    if not gate.others or (any(stage.at == "interface" for stage in asked) and carries_unread(interface, estate)):
        return
    unread = [stage for stage in stages if stage.stateful and stage.opens_unread and _was_unread(gate, stage, estate)]
    for part in sorted({stage.part for stage in asked} - {stage.part for stage in unread}):
        own = [stage for stage in asked if stage.part == part]
        if len(own) > 1 and all(stage.match == "first" for stage in own):
            judges = ((stage, estate.judging(interface, stage.name, gate.direction)) for stage in own)
            lists = [Lists(stage, gate.direction, each, interface) for stage, each in judges]
            yield from _of_part(gate, lists, traffic, estate)


def _of_part(gate: Gate, lists: Sequence[Lists], traffic: Traffic, estate: Estate) -> Iterator[tuple[int, Cut]]:
    each = [removals_in_turn(lists, other, traffic, estate) for other in gate.others]
    if None in each:
        return
    hits = {(own.stage.name, hit.key): (own, hit) for gone in each for own, hit in gone or ()}
    owners = tuple({own.stage.name: own for own, _ in hits.values()}.values())
    if len(owners) == 1 and removals(owners[0], gate.others[0], traffic, estate) is not None:
        # One list alone tells the same.
        return
    where = end_label(gate.interface, estate)
    yield (
        0 if gate.direction == "ingress" else 1,
        Cut(
            direction=gate.direction,
            place=gate.interface.id,
            text=" and ".join(stage_text(own.stage, own.judges, where) for own in owners),
            rules=tuple(dict.fromkeys(rule_ref(hit.rule_set, hit.rule, estate) for _, hit in hits.values())),
        ),
    )


def _may_skip(gate: Gate, skipped: Stage, traffic: Traffic, estate: Estate) -> bool:
    """Tell whether a stage before another one may accept some of the traffic for good."""
    pipeline, interface = pipeline_of(gate.interface, estate), gate.interface
    for stage in () if pipeline is None else pipeline.met_by(interface, gate.direction):
        if stage.name == skipped.name:
            break
        if not skipped.stateful or not stage.stateful or stage.part != skipped.part:
            continue
        judges = estate.judging(interface, stage.name, gate.direction)
        if _was_unread(gate, stage, estate) and stage.opens_unread:
            return True
        lists = Lists(stage, gate.direction, judges, interface)
        if judges and any(judge(lists, other, traffic, estate).accepted_upper for other in gate.others):
            return True
    return False


def _was_unread(gate: Gate, stage: Stage, estate: Estate) -> bool:
    """Tell whether lists of a stage may judge that were not read."""
    if stage.at == "interface" and carries_unread(gate.interface, estate):
        return True
    judges = estate.judging(gate.interface, stage.name, gate.direction)
    return not judges and not stage_was_read(stage, gate.interface, estate)


def _of(gate: Gate, traffic: Traffic, estate: Estate) -> Iterator[tuple[int, Cut]]:
    """Yield what would have to go at each stage, with a rank that decides between equals."""
    pipeline, interface = pipeline_of(gate.interface, estate), gate.interface
    for stage in () if pipeline is None else pipeline.met_by(gate.interface, gate.direction):
        if (not stage.stateful and not gate.boundary) or not gate.others:
            continue
        if (stage.at == "interface" and carries_unread(interface, estate)) or _may_skip(gate, stage, traffic, estate):
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
