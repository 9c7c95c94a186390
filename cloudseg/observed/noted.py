"""Which kinds of conversations each rule may have carried, kept by what carried them: few answers, many kinds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from cloudseg.observed.columns_of import combined
from cloudseg.observed.rule_keys import RuleKey

if TYPE_CHECKING:
    from cloudseg.observed.columns_of import Numbers

__all__ = ["Noted"]


class Noted(Mapping[RuleKey, Sequence[int]]):
    """Kinds of conversations by rule.

    Args:
        parts: numbers of sets of rules, and the kinds that each of them may have carried.
        sets: the sets of rules, by number.
    """

    def __init__(self, parts: Sequence[tuple[Numbers, Numbers]], sets: Sequence[frozenset[RuleKey]]) -> None:
        self._parts, self._sets = parts, sets

    def __getitem__(self, key: RuleKey) -> Sequence[int]:
        kinds: list[int] = np.unique(np.concatenate([self._kinds[number] for number in self._of_rule[key]])).tolist()
        return kinds

    def __contains__(self, key: object) -> bool:
        return key in self._of_rule

    def __iter__(self) -> Iterator[RuleKey]:
        return iter(self._of_rule)

    def __len__(self) -> int:
        return len(self._of_rule)

    @cached_property
    def _kinds(self) -> Mapping[int, Numbers]:
        """The kinds by set of rules."""
        if not self._parts:
            return {}
        numbers, kinds = (np.concatenate([part[each] for part in self._parts]) for each in (0, 1))
        if not len(numbers):
            return {}
        _, first = combined([numbers, kinds])
        numbers, kinds = numbers[first], kinds[first]
        starts = np.flatnonzero(np.r_[True, np.diff(numbers) > 0])
        told: list[int] = numbers[starts].tolist()
        return dict(zip(told, np.split(kinds, starts[1:]), strict=True))

    @cached_property
    def _of_rule(self) -> Mapping[RuleKey, Sequence[int]]:
        """The sets of rules that have a rule in them and carried anything."""
        found: defaultdict[RuleKey, list[int]] = defaultdict(list)
        for number in self._kinds:
            for key in self._sets[number]:
                found[key].append(number)
        return dict(found)
