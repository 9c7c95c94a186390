"""What is unknown both before and after, judged as variables that have one value before and after.

Bounds alone do not tell whether something was gained between two unknowns. Here the rules of one end are asked in turn,
for one other end and one atom of traffic, once for each value that whatever is unknown may have.
"""

from __future__ import annotations

from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.model import GroupRef, ListRef, Names, Unresolved, shown_id
from cloudseg.reach.packets import names_everyone, outside_addresses

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Direction, Estate, Peer, RangeMeaning, Rule, Stage
    from cloudseg.plan.proving.ledger import Ledger
    from cloudseg.reach.pairs.rows import Rows

__all__ = ["Variables", "variable_words"]

_VALUE: Final = {"deny": 0, "next": 1, "accept": 2}
_NEVER, _MAYBE, _SURE = 0, 1, 2
_MOST: Final = 10
"""So many variables are tried with all their values."""
_PATTERNS: Final = 5_000
"""So many other ends that rules tell apart are asked one by one, for one end and one state."""


class _Listed(NamedTuple):
    """What judges at one stage.

    Attributes:
        stage: the stage.
        rules: its rules of one direction that concern the interface, in the order of evaluation.
        judged: a list judges there.
        unread: others may, which were not read.
        ids: the lists.
    """

    stage: Stage
    rules: tuple[Rule, ...]
    judged: bool
    unread: bool
    ids: tuple[str, ...]


class _Matched(NamedTuple):
    """One rule as it meets one other end: what has to be so that it matches, all of it.

    Attributes:
        verdict: its verdict, as a number.
        needs: for each part any of whose variables has to hold; empty where it surely matches.
    """

    verdict: int
    needs: tuple[frozenset[Hashable], ...]


class Variables:
    """Compares two states at one end, for every value of what is unknown.

    Args:
        ledger: what lists let through.
        number: the number of the later state.
    """

    def __init__(self, ledger: Ledger, number: int) -> None:
        self._ledger = ledger
        self._number = number
        self._peers: dict[tuple[int, Peer, RangeMeaning, str, bool], NDArray[np.uint8]] = {}

    def settled(self, name: str, direction: Direction, cells: Rows, *, grouped: bool, growing: bool) -> Rows:
        """Return the cells of which it is sure that nothing is gained, or lost, whatever the unknown is.

        Args:
            name: qualified id of the interface.
            direction: of the packets.
            cells: which are asked about, by word and column.
            grouped: groups stand for their members on the way.
            growing: show that nothing is lost; otherwise, that nothing is gained.
        """
        done: Rows = np.zeros_like(cells)
        columns = np.flatnonzero(cells.any(axis=0))
        if not len(columns):
            return done
        sides = [self._listed(number, name, direction) for number in (0, self._number)]
        if not self.moved and _alike_but_rules(*sides):
            untouched = self._untouched(sides, columns, self._scope(name), grouped=grouped)
            done[:, columns[untouched]] = cells[:, columns[untouched]]
            columns = columns[~untouched]
            if not len(columns):
                return done
        peers = list(dict.fromkeys(p for side in sides for each in side for rule in each.rules for p in rule.remote))
        scope = self._scope(name)
        meanings: list[RangeMeaning] = []
        for each in (each for side in sides for each in side):
            if each.stage.ranges not in meanings:
                meanings.append(each.stage.ranges)
        keys: list[tuple[int, Peer, RangeMeaning]] = [
            (number, peer, meaning) for number in (0, self._number) for peer in peers for meaning in meanings
        ]
        places = {key: place for place, key in enumerate(keys)}
        rows = [self._met(number, peer, meaning, scope, grouped)[columns] for number, peer, meaning in keys]
        table = np.array(rows, dtype=np.uint8).reshape(len(keys), len(columns))
        patterns, pattern_of = np.unique(table, axis=1, return_inverse=True)
        pattern_of = pattern_of.reshape(-1)
        if patterns.shape[1] > _PATTERNS:
            return done
        for pattern in range(patterns.shape[1]):
            here = columns[pattern_of == pattern]
            asked = np.bitwise_or.reduce(cells[:, here], axis=1)
            met = {key: int(patterns[place, pattern]) for key, place in places.items()}
            sure = self._monotone(sides, met, asked, growing=growing)
            done[:, here] = cells[:, here] & sure[:, None]
        return done

    def _scope(self, name: str) -> str:
        return self._ledger.states[0].interfaces[name].scope

    @cached_property
    def moved(self) -> bool:
        """Whether anybody belongs to other groups in the later state."""
        first, later = self._ledger.states[0], self._ledger.states[self._number]
        return first.groups != later.groups or any(
            later.interfaces[name] is not each for name, each in first.interfaces.items()
        )

    def _untouched(
        self, sides: Sequence[tuple[_Listed, ...]], columns: NDArray[np.intp], scope: str, *, grouped: bool
    ) -> NDArray[np.bool_]:
        """Return at which columns no rule matches that one of the states alone has: the others are asked alike."""
        met: NDArray[np.bool_] = np.zeros(len(columns), dtype=np.bool_)
        for before, after in zip(*sides, strict=True):
            for number, own, other in ((0, before, after), (self._number, after, before)):
                # Nearly all rules are the very same, and a hundred thousand of them come by here.
                same = {id(rule) for rule in other.rules}
                changed = [rule for rule in own.rules if id(rule) not in same]
                known = {_content(rule) for rule in other.rules} if changed else frozenset(())
                for rule in changed:
                    for peer in () if _content(rule) in known else rule.remote:
                        met |= self._met(number, peer, own.stage.ranges, scope, grouped)[columns] > _NEVER
        return ~met

    def _listed(self, number: int, name: str, direction: Direction) -> tuple[_Listed, ...]:
        """Return what judges at the stateful stages of an interface, in order."""
        survey = self._ledger.survey(number)
        interface = self._ledger.states[number].interfaces[name]
        unread = {each.stage.name: each.unread for each in survey.judgements(interface, direction)}
        found: list[_Listed] = []
        for meeting in survey.met.by(interface).of(direction):
            stage = meeting.stage
            if not stage.stateful or (stage.pods_only and not interface.is_pod):
                continue
            rules: list[Rule] = []
            for judge in meeting.judges:
                place = survey.near.place(judge, interface) if judge in meeting.narrowing else None
                rules += survey.near.at(judge, place, interface, stage.ranges)
            own = [rule for rule in rules if rule.direction == direction]
            if stage.match == "first":
                own.sort(key=lambda rule: (rule.priority or 0, rule.allows))
            ids = tuple(judge.id for judge in meeting.judges)
            found.append(_Listed(stage, tuple(own), bool(meeting.judges), unread.get(stage.name, False), ids))
        return tuple(found)

    def _met(self, number: int, peer: Peer, meaning: RangeMeaning, scope: str, grouped: bool) -> NDArray[np.uint8]:  # noqa: FBT001 - a key taken apart
        """Return for each column whether a peer names it: never, perhaps or surely."""
        key = (number, peer, meaning, scope, grouped)
        known = self._peers.get(key)
        if known is None:
            known = self._peers[key] = self._look(number, peer, meaning, scope, grouped=grouped)
        return known

    def _look(self, number: int, peer: Peer, meaning: RangeMeaning, scope: str, *, grouped: bool) -> NDArray[np.uint8]:
        columns = self._ledger.columns
        found = np.zeros(columns.width, dtype=np.uint8)
        if isinstance(peer, GroupRef):
            if grouped and not peer.stale:
                members = self._ledger.contents(number).members(peer.group)
                if members.outside:
                    found[columns.faces :] = _MAYBE
                found[members.maybe] = _MAYBE
                found[members.sure] = _SURE
            return found
        least, most = outside_addresses((peer,), self._ledger.states[number])
        own = "everywhere" if names_everyone((peer,)) else meaning
        for addresses, value, certain in ((most, _MAYBE, False), (least, _SURE, True)):
            choice = columns.choose(addresses, own, scope)
            for start, end in choice.runs:
                found[start:end] = value
            unread = choice.sure if certain else choice.maybe
            if unread is not None and len(unread):
                found[unread] = value
        return found

    def _monotone(
        self,
        sides: Sequence[tuple[_Listed, ...]],
        met: dict[tuple[int, Peer, RangeMeaning], int],
        asked: NDArray[np.uint64],
        *,
        growing: bool,
    ) -> NDArray[np.uint64]:
        """Return the atoms of which every stage lets through as much or less, or as much or more."""
        atoms, sure = self._ledger.atoms, 0
        left = sum(int(word) << 64 * place for place, word in enumerate(asked.tolist()))
        answers: dict[tuple[object, ...], bool] = {}
        while left:
            bit = left & -left
            left ^= bit
            each = [self._at(side, number, met, bit) for side, number in zip(sides, (0, self._number), strict=True)]
            key = (each[0], each[1])
            if key not in answers:
                answers[key] = len(each[0]) == len(each[1]) and all(
                    _ordered(old, new, sides, place, growing=growing)
                    for place, (old, new) in enumerate(zip(*each, strict=True))
                )
            if answers[key]:
                sure |= bit
        return atoms.words(sure)

    def _at(
        self, side: tuple[_Listed, ...], number: int, met: dict[tuple[int, Peer, RangeMeaning], int], bit: int
    ) -> tuple[tuple[_Matched, ...], ...]:
        """Return the rules of each stage that may match an atom from or to an end, in order."""
        atoms = self._ledger.atoms
        return tuple(
            tuple(
                matched
                for rule in each.rules
                if atoms.mask(rule.traffic) & bit
                and (matched := _matched(rule, number, each.stage.ranges, met)) is not None
            )
            for each in side
        )


def _content(rule: Rule) -> Hashable:
    """Return what decides about packets of a rule."""
    return rule.verdict, rule.priority, rule.traffic, rule.remote, rule.local, rule.source_ports, rule.exact, rule.doubt


def _alike_but_rules(old: tuple[_Listed, ...], new: tuple[_Listed, ...]) -> bool:
    """Tell whether the same lists judge at every stage, of which only the rules may differ."""
    return [(each.stage, each.judged, each.unread, each.ids) for each in old] == [
        (each.stage, each.judged, each.unread, each.ids) for each in new
    ]


def _matched(
    rule: Rule, number: int, meaning: RangeMeaning, met: dict[tuple[int, Peer, RangeMeaning], int]
) -> _Matched | None:
    values = {peer: met[number, peer, meaning] for peer in rule.remote}
    if not any(values.values()):
        return None
    needs: list[frozenset[Hashable]] = []
    if _SURE not in values.values():
        needs.append(frozenset(("far", peer) for peer, value in values.items() if value == _MAYBE))
    if not rule.exact:
        needs.append(frozenset((("rule", rule.remote, rule.local, rule.doubt),)))
    if rule.source_ports is not None:
        needs.append(frozenset((("client", rule.source_ports),)))
    return _Matched(_VALUE[rule.verdict], tuple(needs))


def _ordered(
    old: tuple[_Matched, ...],
    new: tuple[_Matched, ...],
    sides: Sequence[tuple[_Listed, ...]],
    place: int,
    *,
    growing: bool,
) -> bool:
    """Tell whether a stage lets through as much or less in the new state, or as much or more, for all values."""
    before, after = (side[place] for side in sides)
    stage = before.stage
    if old == new and before.judged == after.judged and (before.ids == after.ids or not before.unread):
        return True
    if (before.unread or after.unread) and (
        stage.match == "first" or before.unread != after.unread or before.judged != after.judged
    ):
        # Nobody knows between which rules those stand that were not read.
        return False
    variables = sorted({each for side in (old, new) for rule in side for part in rule.needs for each in part}, key=repr)
    if len(variables) > _MOST:
        return False
    for values in _values(variables):
        passed = _decided(stage, old, values, judged=before.judged), _decided(stage, new, values, judged=after.judged)
        if passed[1] < passed[0] if growing else passed[1] > passed[0]:
            return False
    return True


def _values(variables: Sequence[Hashable]) -> Iterator[frozenset[Hashable]]:
    for chosen in product((False, True), repeat=len(variables)):
        yield frozenset(each for each, holds in zip(variables, chosen, strict=True) if holds)


def _decided(stage: Stage, rules: tuple[_Matched, ...], values: frozenset[Hashable], *, judged: bool) -> int:
    """Return what a stage does, as a number, where some variables hold and the others do not."""
    if not judged or (stage.match == "any" and stage.miss != "deny"):
        return _VALUE["next"]
    matching = (rule.verdict for rule in rules if all(not part.isdisjoint(values) for part in rule.needs))
    if stage.match == "any":
        return max(matching, default=0)
    return next(matching, _VALUE[stage.miss])


def variable_words(peer: Peer, estate: Estate) -> str:
    """Return what is not known of an end of a rule, in words; empty where it is known."""
    match peer:
        case ListRef(name):
            listed = estate.address_lists.get(name)
            return "" if listed is not None and listed.addresses is not None else f"the entries of {shown_id(name)}"
        case Names(names):
            return f"which addresses {', '.join(names)} stands for"
        case Unresolved(variable, reason):
            return f"{peer.name or variable} ({reason})"
        case GroupRef(group) if group not in estate.groups:
            return f"who belongs to {shown_id(group)}"
        case _:
            return ""
