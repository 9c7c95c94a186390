"""Which allowing rules admit nothing that other rules do not admit anyway, wherever their list judges.

Everything here is exact. A rule is redundant where the other rules that judge the same interfaces certainly admit all
of it: for the same kind of end, or, for a group, by addresses that hold every address which a member can have. Who is
there today, and whether a packet gets there at all, does not matter. All rules that are told can go together.
"""

from __future__ import annotations

from functools import cached_property
from itertools import chain, pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.checks.admissions import SIDES, Admissions
from cloudseg.checks.clusters import of_cluster
from cloudseg.checks.companies import companies_of, union_stages
from cloudseg.checks.overlaps import NOBODY, Overlaps

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from cloudseg.checks.admissions import Indexes
    from cloudseg.checks.overlaps import Flags
    from cloudseg.model import Estate, Rule, RuleSet
    from cloudseg.reach.pairs.atoms import Runs

__all__ = ["Redundant", "redundant_rules"]

_Table = np.ndarray[tuple[int, int], np.dtype[np.bool_]]
_Lists = tuple[int, ...]


class Redundant(NamedTuple):
    """A rule that admits nothing of its own.

    Attributes:
        rule_set: its list.
        rule: the rule.
        by: the rules that admit all of it instead, those of its own list first.
        alone: wherever its list judges, a single one of them does; else several do together.
    """

    rule_set: RuleSet
    rule: Rule
    by: tuple[tuple[RuleSet, Rule], ...]
    alone: bool


def redundant_rules(estate: Estate) -> Iterator[Redundant]:
    """Yield the rules that could go all together, and nothing would change, by list.

    Of rules that stand in for each other the widest stays, of equal ones the first by the ids of list and rule. Lists
    that judge no interface are left out, and so are stages in which the order of rules decides.
    """
    # Policies of clusters choose by labels: policy_cover compares these.
    stages = sorted(union_stages(estate))
    rule_sets = [each for stage in stages for each in estate.rule_sets_at(stage) if not of_cluster(each)]
    companies = companies_of(rule_sets, estate)
    judging = [rule_set for rule_set in rule_sets if rule_set.id in companies]
    numbers = {rule_set.id: number for number, rule_set in enumerate(judging)}
    search = _Search(
        Admissions(judging, estate),
        [
            [
                (numbers[own.id], *sorted(numbers[other] for other in company if other != own.id))
                for company in companies[own.id]
            ]
            for own in judging
        ],
    )
    yield from search.found()


class _Block(NamedTuple):
    """Pieces of one list and side that others may take in, and what the lists near it say to them.

    Attributes:
        number: the number of the list.
        rows: the pieces.
        near: the numbers of the lists that judge with it anywhere, itself first.
        touched: by piece and list near, whether a rule there shares anything with the piece.
        holders: by piece and list near, the highest rank of a rule there that takes it in.
    """

    number: int
    rows: Indexes
    near: _Lists
    touched: _Table
    holders: NDArray[np.intp]


class _Search:
    """Looks for redundant rules.

    Args:
        admissions: what the lists admit.
        companies: for each list the sets of lists, by number, that judge together with it; itself first in each.
    """

    def __init__(self, admissions: Admissions, companies: Sequence[Sequence[_Lists]]) -> None:
        self._admissions = admissions
        self._pieces = admissions.pieces
        self._companies = companies
        self._beside = [tuple(dict.fromkeys(chain(*each))) for each in companies]
        self._overlaps = Overlaps(admissions)
        self._gone = np.zeros(len(admissions.rules), dtype=bool)
        self._by_rank: Indexes = np.argsort(admissions.rank)

    def found(self) -> Iterator[Redundant]:
        """Yield the redundant rules, in the order of their numbers."""
        alone: dict[int, list[int]] = {}
        touched: dict[int, None] = {}
        for block in self._blocks():
            alone |= self._by_one(block)
            touched |= dict.fromkeys(self._rules(block.rows, self._wherever(block, block.touched)))
        self._gone[list(alone)] = True
        together: dict[int, Collection[int]] = {}
        still_met = self._still_met([rule for rule in touched if rule not in alone])
        for rule in sorted(still_met, key=lambda rule: int(self._admissions.rank[rule])):
            if several := self._by_several(rule):
                self._gone[rule] = True
                together[rule] = several
        rules, gone = self._admissions.rules, {*alone, *together}
        for rule in sorted(gone):
            by: Collection[int] = alone.get(rule) or together[rule]
            if not gone.isdisjoint(by):
                # What stands in may have been given up later on, for others that stand in for both.
                by = self._by_several(rule)
            own = rules[rule][0].id
            named = list(by) if len(by) == 1 else sorted(set(by), key=lambda other: (rules[other][0].id != own, other))
            single = rule in alone and (len(named) == 1 or self._count[rule] == 1)
            yield Redundant(*rules[rule], tuple([rules[other] for other in named]), single)

    def _still_met(self, left: Sequence[int]) -> list[int]:
        """Return the rules that others meet at both ends of every piece, now that some of these were given up."""
        if not left:
            return []
        pieces = [self._of(rule) for rule in left]
        rows = np.concatenate(pieces)
        numbers, places = self._spread(rows, self._beside)
        first, last = self._overlaps.without(self._gone).met(rows[numbers], places)
        met: set[int] = set(rows[np.intersect1d(numbers[first], numbers[last])].tolist())
        return [rule for rule, mine in zip(left, pieces, strict=True) if met.issuperset(mine.tolist())]

    def _blocks(self) -> Iterator[_Block]:
        """Yield what others may take in: of one list and side after the other."""
        place, exact = self._pieces.place, self._admissions.exact[self._pieces.rule]
        rows: Indexes = np.flatnonzero(exact)
        # Most rules share nothing with any other in the first company already.
        numbers, places = self._spread(rows, [companies[0] for companies in self._companies])
        rows = rows[np.unique(numbers[self._overlaps.touched(rows[numbers], places)])]
        numbers, places = self._spread(rows, self._beside)
        touched = self._overlaps.touched(rows[numbers], places)
        holders = np.full(len(numbers), NOBODY, dtype=np.intp)
        holders[touched] = self._overlaps.holders(rows[numbers[touched]], places[touched])
        starts = np.flatnonzero(np.diff(place[rows[numbers]], prepend=-1))
        for start, end in pairwise([*starts.tolist(), len(numbers)]):
            own = rows[numbers[start:end]]
            number = int(place[own[0]]) // len(SIDES)
            known = self._beside[number]
            shape = (-1, len(known))
            some = own[:: len(known)]
            yield _Block(number, some, known, touched[start:end].reshape(shape), holders[start:end].reshape(shape))

    def _spread(self, rows: Indexes, lists: Sequence[_Lists]) -> tuple[Indexes, Indexes]:
        """Return each piece, as its place in ``rows``, with the places of all lists named for its own list."""
        number, side = np.divmod(self._pieces.place[rows], len(SIDES))
        counts = np.array([len(each) for each in lists], dtype=np.intp)
        every = np.array([other for each in lists for other in each], dtype=np.intp)
        sizes = counts[number]
        numbers: Indexes = np.repeat(np.arange(len(rows), dtype=np.intp), sizes)
        within = np.arange(len(numbers)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        starts = np.cumsum(counts) - counts
        return numbers, every[starts[number[numbers]] + within] * len(SIDES) + side[numbers]

    def _wherever(self, block: _Block, table: _Table) -> Flags:
        """Return the pieces for which a list of every company says yes."""
        companies = self._companies[block.number]
        if len(companies) == 1:
            return np.asarray(table.any(axis=1))
        members = np.array([[other in company for company in map(set, companies)] for other in block.near], dtype=bool)
        return np.asarray((table @ members).all(axis=1))

    def _rules(self, rows: Indexes, flags: Flags) -> list[int]:
        """Return the rules all of whose pieces are flagged."""
        rules = self._pieces.rule
        found = dict.fromkeys(rules[rows[flags]].tolist())
        if not self._admissions.cut:
            return list(found)
        return [rule for rule in found if self._count[rule] == int((rules[rows[flags]] == rule).sum())]

    @cached_property
    def _count(self) -> Indexes:
        """How many pieces each rule has."""
        return np.bincount(self._pieces.rule, minlength=len(self._admissions.rules))

    @cached_property
    def _first(self) -> Indexes:
        """The first piece of each rule; the others of it follow."""
        found = np.zeros(len(self._admissions.rules), dtype=np.intp)
        rules, places = np.unique(self._pieces.rule, return_index=True)
        found[rules] = places
        return found

    def _of(self, rule: int) -> Indexes:
        """Return the pieces of a rule."""
        first = self._first[rule]
        return np.arange(first, first + self._count[rule], dtype=np.intp)

    def _by_one(self, block: _Block) -> dict[int, list[int]]:
        """Return the rules for which one other stands in, wherever their list judges, with those that do."""
        flags = self._wherever(block, block.holders != NOBODY)
        rules = self._pieces.rule
        whole = self._rules(block.rows, flags)
        by: dict[int, list[int]] = {rule: [] for rule in whole}
        columns = {number: column for column, number in enumerate(block.near)}
        owners = rules[block.rows[flags]].tolist()
        for company in self._companies[block.number] if whole else ():
            ranks = block.holders[flags][:, [columns[other] for other in company]].max(axis=1)
            for rule, other in zip(owners, self._by_rank[ranks].tolist(), strict=True):
                if rule in by:
                    by[rule].append(other)
        return by

    def _by_several(self, rule: int) -> dict[int, None]:
        """Return the rules that together stand in for one, wherever its list judges; none where they do not."""
        mine = self._of(rule)
        number, side = divmod(int(self._pieces.place[mine[0]]), len(SIDES))
        by: dict[int, None] = {}
        for company in self._companies[number]:
            there = np.concatenate([self._admissions.of(other * len(SIDES) + side) for other in company])
            there = there[~self._gone[self._pieces.rule[there]] & (self._pieces.rule[there] != rule)]
            for piece in mine.tolist():
                filled = self._filled(piece, there)
                if not filled:
                    return {}
                by.update(filled)
        return by

    def _filled(self, piece: int, others: Indexes) -> dict[int, None]:
        """Return rules that together admit all of a piece; none where they leave some of it."""
        pieces, extents = self._pieces, self._admissions.extents
        extent, mask = int(pieces.extent[piece]), pieces.mask[piece]
        runs = extents[extent].instead or extents[extent].runs
        if not self._may_fill(mask, runs, others, extent):
            return {}
        left = np.zeros((self._admissions.positions, len(mask)), dtype=np.uint64)
        for start, end in runs:
            left[start:end] = mask
        by: dict[int, None] = {}
        for other in others[self._near(runs, others, extent) & (pieces.mask[others] & mask).any(axis=1)].tolist():
            # Who names the same group admits its members whatever addresses they have.
            named = int(pieces.extent[other])
            for start, end in runs if named == extent else extents[named].runs:
                part = left[start:end]
                if (part & pieces.mask[other]).any():
                    by[int(pieces.rule[other])] = None
                    part &= ~pieces.mask[other]
        return {} if left.any() else by

    def _near(self, runs: Runs, others: Indexes, extent: int) -> Flags:
        """Return which pieces may admit a position of some runs, or name the same group."""
        pieces = self._pieces
        near: Flags = (pieces.first[others] < runs[-1][1]) & (pieces.last[others] > runs[0][0])
        near |= pieces.extent[others] == extent
        return near

    def _may_fill(self, mask: NDArray[np.uint64], runs: Runs, others: Indexes, extent: int) -> bool:
        """Tell whether others admit every position on the lowest atom of traffic, so that a closer look is worth it."""
        pieces = self._pieces
        word = int(np.flatnonzero(mask)[0])
        lowest = mask[word] & (~mask[word] + np.uint64(1))
        others = others[self._near(runs, others, extent) & ((pieces.mask[others, word] & lowest) != 0)]
        named: set[int] = set(pieces.extent[others].tolist())
        if extent in named:
            return True
        admitted = sorted(run for each in named for run in self._admissions.extents[each].runs)
        for start, end in runs:
            behind = start
            for first, last in admitted:
                if first <= behind < last:
                    behind = last
            if behind < end:
                return False
        return True
