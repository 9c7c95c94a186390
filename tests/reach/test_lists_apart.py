"""Ordered lists that choose from the same rules: the first rule of each that names traffic of a column decides."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np

from cloudseg.reach.pairs import apart as module
from cloudseg.reach.pairs.apart import Apart
from cloudseg.reach.pairs.first_match import Common, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from cloudseg.reach.pairs.first_match import Decided, Into, Spans

WIDTH = 12
EVERYTHING = np.array([0b111, 0b1], dtype=np.uint64)
"""Four atoms of traffic, in two words."""
OUTCOMES: tuple[Into, ...] = ("passed", "accepted", "nowhere")


def turn(spans: Spans, words: tuple[int, int], into: Into) -> Turn:
    """Return a rule."""
    return Turn(spans, np.array(words, dtype=np.uint64), into)


def drawn(source: random.Random) -> Turn:
    """Return a rule with up to three spans, which may overlap."""
    ends = [sorted(source.sample(range(WIDTH + 1), 2)) for _ in range(source.randint(0, 3))]
    spans = tuple((start, end) for start, end in ends)
    return turn(spans, (source.randrange(8), source.randrange(2)), source.choice(OUTCOMES))


def apart(turns: Sequence[Turn]) -> Apart:
    """Return rules that stand in many lists."""
    found = Apart.of(turns, WIDTH, EVERYTHING)
    assert found is not None
    return found


def rows(found: Decided) -> list[list[list[int]] | None]:
    """Return what a list makes of all traffic, as numbers."""
    return [None if each is None else each.tolist() for each in found]


def test_each_list_is_decided_by_its_own_rules_in_its_own_order() -> None:
    rules = apart([turn(((0, 4),), (0b1, 0), "nowhere"), turn(((2, 8),), (0b11, 0), "passed")])
    denied_first, passed_first, alone = (rules.decided(order) for order in ((0, 1), (1, 0), (1,)))
    assert denied_first.passed[0].tolist() == [0, 0, 0b10, 0b10, 0b11, 0b11, 0b11, 0b11, 0, 0, 0, 0]
    assert passed_first.passed[0].tolist() == [0, 0, 0b11, 0b11, 0b11, 0b11, 0b11, 0b11, 0, 0, 0, 0]
    assert denied_first.left[0].tolist()[:3] == [0b110, 0b110, 0b100]
    assert alone.left[0].tolist()[:3] == [0b111, 0b111, 0b100]


def test_what_a_rule_of_the_list_accepts_for_good_stands_apart() -> None:
    rules = apart([turn(((0, WIDTH),), (0b1, 0), "accepted"), turn(((0, WIDTH),), (0b11, 0), "passed")])
    both = rules.decided((0, 1))
    assert both.accepted is not None
    assert both.accepted[0].tolist() == [0b1] * WIDTH
    assert both.passed[0].tolist() == [0b10] * WIDTH
    assert rules.decided((1,)).accepted is None


def test_a_list_that_chooses_no_rule_leaves_everything() -> None:
    found = apart([turn(((0, 4),), (0b1, 0), "passed")]).decided(())
    assert found.left.tolist() == [[0b111] * WIDTH, [0b1] * WIDTH]
    assert not found.passed.any()


def test_drawn_lists_are_decided_as_if_each_stood_alone() -> None:
    source = random.Random(13)
    for _ in range(40):
        turns = [drawn(source) for _ in range(9)]
        rules = apart(turns)
        order = source.sample(range(9), source.randint(0, 9))
        alone = Common([turns[place] for place in order], (), WIDTH, EVERYTHING).with_others(())
        assert rows(rules.decided(order)) == rows(alone)


def test_traffic_in_more_kinds_than_a_byte_holds_is_told_apart() -> None:
    everything = np.array([(1 << 20) - 1], dtype=np.uint64)
    turns = [Turn(((place, place + 2),), np.array([0b11 << place], dtype=np.uint64), "passed") for place in range(11)]
    rules = Apart.of(turns, WIDTH, everything)
    assert rules is not None
    alone = Common(turns, (), WIDTH, everything).with_others(())
    assert rows(rules.decided(range(11))) == rows(alone)
    assert rules.decided(range(11)).passed[0].tolist() == [0b11, *(0b111 << place for place in range(10)), 0b11 << 10]


def test_of_too_many_rules_it_is_not_kept_whom_they_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LARGEST", 5)
    assert Apart.of([turn(((0, 4),), (1, 0), "passed")] * 2, WIDTH, EVERYTHING) is None
