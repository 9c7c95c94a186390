"""What a plan gains and loses on its way, packet by packet, as the judge alone says."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import Addresses
from tests.plan.simulated.judge import Judge, Packet, Spot, Unanswered, spots_of
from tests.plan.simulated.points import Point, Points

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.model import Rule
    from cloudseg.model.edits import Edit
    from tests.plan.simulated.drawing import Case
    from tests.plan.simulated.judge import Answers

__all__ = ["Course", "Fault", "Judged", "course_of", "faults_of", "judged"]

_MOST_UNKNOWNS = 6
"""Packets on which more unknowns bear are tried with some of their answers only."""
_ABSENT = 4
"""So many addresses beside those of interfaces are tried of each family."""
_CLIENT = 40000


class Fault(NamedTuple):
    """A packet that passes where it must not, or no more where it must.

    Attributes:
        kind: ``gained`` or ``lost``.
        state: after how many edits; 0 is before the first one.
        packet: its ends.
        points: the traffic.
        answers: what the unknown is when it happens.
        need: why it must pass, of what is lost.
    """

    kind: str
    state: int
    packet: Packet
    points: tuple[Point, ...]
    answers: Answers
    need: str = ""

    def __str__(self) -> str:
        """Return it in one line."""
        ends = " -> ".join(f"{spot.address} ({spot.interface.rpartition(':')[2] or 'nobody'})" for spot in self.packet)
        unknown = f" where {self.answers}" if self.answers else ""
        tried = ", ".join(map(str, self.points[:6]))
        return f"{self.kind} after edit {self.state}: {ends} {tried}{unknown} {self.need}".rstrip()


class Course(NamedTuple):
    """The states of an estate along a plan, the one of today first."""

    judges: tuple[Judge, ...]
    points: Points
    packets: tuple[Packet, ...]


class Judged(NamedTuple):
    """What was found.

    Attributes:
        faults: what was gained and lost.
        packets: how many pairs of addresses were judged, of all states.
        needs: how many conversations and allowed pairs pass today and were judged.
    """

    faults: tuple[Fault, ...]
    packets: int
    needs: int


def course_of(case: Case, changes: Sequence[Sequence[Edit]], more: Iterable[Point] = ()) -> Course:
    """Return the states after each change, and the packets to try in all of them, ``more`` of their traffic."""
    estate = case.estate
    states = [estate]
    for edits in changes:
        states.append(states[-1].with_edits(edits))
    rules = [rule for state in (states[0], states[-1]) for each in state.rule_sets.values() for rule in each.rules]
    rules += [rule for state in states[1:-1] for each in state.rule_sets.values() for rule in each.rules[-1:]]
    named = [rule.traffic for rule in rules]
    named += [traffic for _, _, traffic in case.allowed or ()]
    points = Points.of(named)
    points = Points((*points.points, *more, *(talk.point for talk in case.talks or ()), Point("tcp", _CLIENT)))
    known: dict[tuple[object, ...], int] = {}
    judges = tuple(Judge(state, points, estate, known) for state in states)
    return Course(judges, points, tuple(_packets(case, _edges_of(rules))))


def _edges_of(rules: Iterable[Rule]) -> Iterator[str]:
    """Yield the first and last address of every range that a rule names, and their neighbours."""
    for rule in rules:
        for peer in (*rule.remote, *rule.local):
            if isinstance(peer, Addresses):
                for number, six in _edges(peer):
                    yield _text(number, six=six)


def _edges(peer: Addresses) -> Iterator[tuple[int, bool]]:
    for intervals, six in ((peer.addresses.v4.intervals, False), (peer.addresses.v6.intervals, True)):
        last = (1 << (128 if six else 32)) - 1
        for low, high in intervals:
            for number in (low + 1, high - 1, low - 1, high + 1):
                if 0 < number < last:
                    yield number, six


def _text(number: int, *, six: bool) -> str:
    return str(ipaddress.IPv6Address(number) if six else ipaddress.IPv4Address(number))


def _packets(case: Case, edges: Iterable[str]) -> Iterator[Packet]:
    spots = list(spots_of(case.estate))
    borne = {spot.address for spot in spots}
    absent = list(dict.fromkeys(("203.0.113.9", "2600:abcd::9", *edges)))
    absent = [address for address in absent if address not in borne]
    kept = [
        *[each for each in absent if ":" not in each][:_ABSENT],
        *[each for each in absent if ":" in each][:_ABSENT],
    ]
    others = [Spot(address) for address in kept]
    for source in (*spots, *others):
        for target in (*spots, *others):
            own = source.interface or target.interface
            if own and source.family == target.family and source.interface != target.interface:
                yield Packet(source, target)


def faults_of(course: Course, packet: Packet, needed: int, need: str = "") -> Iterator[Fault]:
    """Yield what a packet gains in some state, and what of the traffic that it needs it loses: one of each at most."""
    open_ended: list[Answers] = [{}]
    found_kinds: set[str] = set()
    while open_ended:
        answers = open_ended.pop()
        try:
            found = [judge.bits(packet, answers) for judge in course.judges]
        except Unanswered as unanswered:
            both = (False, True) if len(answers) < _MOST_UNKNOWNS else (len(unanswered.question[-1]) % 2 == 0,)
            open_ended += [{**answers, unanswered.question: answer} for answer in both]
            continue
        today = found[0]
        for state, bits in enumerate(found[1:], 1):
            if "gained" not in found_kinds and (more := bits & ~today):
                found_kinds.add("gained")
                yield Fault("gained", state, packet, course.points.told(more), answers)
            if "lost" not in found_kinds and (less := today & needed & ~bits):
                found_kinds.add("lost")
                yield Fault("lost", state, packet, course.points.told(less), answers, need)


def needs_of(case: Case, course: Course) -> Iterator[tuple[Packet, int, str]]:
    """Yield what must go on passing wherever it passes today: the packet, its traffic, and why."""
    bits_of = {point: 1 << place for place, point in enumerate(course.points.points)}
    for talk in case.talks or ():
        if talk.verdict == "accepted":
            yield Packet(talk.source, talk.target), bits_of[talk.point], "conversation"
            if not talk.opened:
                back = Point(talk.point.protocol, _CLIENT)
                yield Packet(talk.target, talk.source), bits_of.get(back, 0), "conversation, perhaps opened so"
    spots = list(spots_of(case.estate))
    for sources, targets, traffic in case.allowed or ():
        for source in spots:
            for target in spots:
                if (
                    source.interface in sources
                    and target.interface in targets
                    and source.interface != target.interface
                    and source.family == target.family
                ):
                    yield Packet(source, target), course.points.bits(traffic), "allowed"
    if case.talks is None and case.allowed is None:
        for source in spots:
            for target in spots:
                if source.interface != target.interface and source.family == target.family:
                    yield Packet(source, target), course.points.all, "nothing is known of who needs what"


def judged(case: Case, changes: Sequence[Sequence[Edit]]) -> Judged:
    """Judge a plan."""
    course = course_of(case, changes)
    needed: dict[Packet, int] = {}
    why: dict[Packet, str] = {}
    for packet, bits, reason in needs_of(case, course):
        needed[packet] = needed.get(packet, 0) | bits
        why.setdefault(packet, reason)
    faults: list[Fault] = []
    packets = tuple(dict.fromkeys((*course.packets, *needed)))
    for packet in packets:
        faults += faults_of(course, packet, needed.get(packet, 0), why.get(packet, ""))
    carried = sum(1 for packet, bits in needed.items() if _carried(course, packet, bits))
    return Judged(tuple(faults), len(packets) * len(course.judges), carried)


def _carried(course: Course, packet: Packet, bits: int) -> bool:
    try:
        return bool(course.judges[0].bits(packet, {}) & bits)
    except Unanswered:
        return True
