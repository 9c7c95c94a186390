"""Works out which rules observed conversations use: each kind of them is taken through the lists at its ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from cloudseg.observed.columns_of import combined, factor, numbers_of
from cloudseg.observed.grouping import ports_of
from cloudseg.observed.named_rules import NamedRules
from cloudseg.observed.noted import Noted
from cloudseg.observed.passing import Way
from cloudseg.observed.usage import Kinds, Tried, Usage, Uses
from cloudseg.observed.ways import Ways

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Estate
    from cloudseg.observed.columns_of import Numbers
    from cloudseg.observed.join import Joined
    from cloudseg.observed.passing import Borne
    from cloudseg.observed.rule_keys import RuleKey
    from cloudseg.reach.reachability import Reachability

__all__ = ["usage_of"]

_NEVER: Final = Tried(0, passes=False)
_Notes = list[tuple["Numbers", "Numbers"]]
"""Numbers of what carries connections, and the kinds of these."""


def usage_of(joined: Joined, reach: Reachability, estate: Estate) -> Usage:
    """Return which rules of an estate observed conversations use.

    Args:
        joined: the conversations and their ends.
        reach: the reachability of the estate, which tells what nothing tells apart.
        estate: the estate.
    """
    table = joined.conversations
    told = _told(joined, reach, estate)
    refused = table.column("verdict") == "refused"
    kinds, attempted = (_kinds(np.flatnonzero(which), told) for which in (~refused, refused))
    found = _accepted(told, kinds.first)
    weights = np.maximum(table.column("connections"), 1)
    attempts = np.bincount(attempted.of_row[refused], weights=weights[refused], minlength=len(attempted.first))
    tried = _tried(told, attempted.first, attempts.astype(np.int64))
    rules = [each.rules for each in told.ways.answers]
    replies = [each.replies for each in told.ways.answers]
    uses = Uses(Noted(found.forward, rules), Noted(found.backward, rules), Noted(found.replying, replies))
    return Usage(joined, kinds, uses, found.uncarried, found.sides, tried=tried, named=NamedRules(table))


class _Told(NamedTuple):
    """Conversations as numbers.

    Attributes:
        ways: says what carries them.
        there: the ways from their initiators to their responders.
        back: the numbers of the traffic the other way round.
        any_port: those of the traffic the other way round, to any port.
        unknown: it is not known who opened them.
        inferred: who opened them is not sure.
        known: both ends are known.
        parts: what tells kinds of them apart.
    """

    ways: Ways
    there: Way
    back: Numbers
    any_port: Numbers
    unknown: NDArray[np.bool_]
    inferred: NDArray[np.bool_]
    known: NDArray[np.bool_]
    parts: Sequence[Numbers]


class _Accepted(NamedTuple):
    """What accepted conversations used; kinds without any number are those that nothing carries."""

    forward: _Notes
    backward: _Notes
    replying: _Notes
    uncarried: list[int]
    sides: tuple[list[int], list[int]]


def _told(joined: Joined, reach: Reachability, estate: Estate) -> _Told:
    """Return conversations as numbers."""
    table = joined.conversations
    middles = numbers_of(_tuples(table.column("middle")))
    providers = factor(table.column("provider"))
    ways = Ways(joined.ends, reach, estate, middles.values, providers.values)
    ports, turned = ports_of(table), ports_of(table, "initiator_port")
    asked, back, any_port = (
        np.array([ways.traffic(pair) for pair in pairs], dtype=np.int64)
        for pairs in (ports.values, turned.values, [(protocol, None) for protocol, _ in ports.values])
    )
    known = np.array([end.known for end in joined.ends] or [True], dtype=np.bool_)
    there = Way(joined.initiators, joined.responders, asked[ports.codes], middles.codes, providers.codes)
    unknown = table.column("evidence") == "unknown"
    inferred = table.column("confidence") != "high"
    turned_codes = back[turned.codes]
    parts = (
        ways.parties(joined.initiators),
        ways.parties(joined.responders),
        there.traffic,
        np.where(unknown, turned_codes + 1, 0),
        middles.codes,
        providers.codes,
        inferred.astype(np.int64),
    )
    both = known[joined.initiators] & known[joined.responders]
    return _Told(ways, there, turned_codes, any_port[ports.codes], unknown, inferred, both, parts)


def _accepted(told: _Told, first: Numbers) -> _Accepted:
    """Return what carries kinds of accepted conversations, of which the first ones are given."""
    ways, every = told.ways, np.arange(len(first))
    forward, backward, replying = _Notes(), _Notes(), _Notes()
    there = told.there.at(first)
    carried = ways.carried(there)
    _note(carried, every, forward, replying)
    passes = carried.passes.copy()
    # Of these it may have been opened the other way round.
    open_ = np.flatnonzero(told.unknown[first])
    otherwise = there.at(open_).back(told.back[first[open_]])
    again = ways.carried(otherwise)
    _note(again, open_, backward, replying)
    differ = (passes[open_] != again.passes) & told.known[first[open_]]
    sides = tuple(open_[differ & (again.passes == turned)].tolist() for turned in (False, True))
    passes[open_] |= again.passes
    neither = np.flatnonzero(~passes[open_])
    lost = again.at(neither)
    backward += [(codes, open_[neither[rows]]) for rows, codes in ways.formerly(otherwise.at(neither), lost)]
    # Perhaps it was opened the other way round, from any port.
    guessed = np.flatnonzero(~passes & told.inferred[first] & ~told.unknown[first])
    turned_round = ways.carried(there.at(guessed).back(told.any_port[first[guessed]]))
    _note(turned_round, guessed, backward, _Notes())
    uncarried = np.flatnonzero(~passes)
    lost = carried.at(uncarried)
    forward += [(codes, uncarried[rows]) for rows, codes in ways.formerly(there.at(uncarried), lost)]
    return _Accepted(forward, backward, replying, uncarried.tolist(), (sides[0], sides[1]))


def _tried(told: _Told, first: Numbers, attempts: Numbers) -> dict[RuleKey, Tried]:
    """Return the rules that let kinds of refused conversations through, of which the first ones are given."""
    ways, there = told.ways, told.there.at(first)
    open_ = np.flatnonzero(told.unknown[first])
    found: dict[RuleKey, Tried] = {}
    for asked, rows in ((there, np.arange(len(first))), (there.at(open_).back(told.back[first[open_]]), open_)):
        carried = ways.carried(asked)
        for codes in carried[:3]:
            size = len(ways.answers)
            totals = np.bincount(codes, weights=attempts[rows], minlength=size).astype(np.int64)
            passing = np.bincount(codes, weights=carried.passes, minlength=size) > 0
            used: list[int] = np.unique(codes).tolist()
            for code in used:
                for key in ways.answers[code].rules:
                    known = found.get(key, _NEVER)
                    found[key] = Tried(known.attempts + int(totals[code]), known.passes or bool(passing[code]))
    return found


def _note(carried: Borne, kinds: Numbers, rules: _Notes, replies: _Notes) -> None:
    notes = [(codes, kinds) for codes in carried[:3]]
    rules += notes
    replies += notes


def _kinds(rows: Numbers, told: _Told) -> Kinds:
    """Return the kinds of some conversations, which are those that agree in all parts."""
    of_row = np.full(len(told.unknown), -1, dtype=np.int64)
    if not len(rows):
        return Kinds(of_row, np.zeros(0, dtype=np.int64))
    codes, first = combined([part[rows] for part in told.parts])
    of_row[rows] = codes
    return Kinds(of_row, rows[first])


def _tuples(column: NDArray[Any]) -> list[tuple[str, ...]]:
    """Return a column of lists as values that can be told apart."""
    return [() if each is None or not len(each) else tuple(each) for each in column.tolist()]
