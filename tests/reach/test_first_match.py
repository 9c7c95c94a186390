"""Ordered lists over columns: the first rule that names traffic of a column decides about it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np

from cloudseg.reach.pairs.first_match import Common, Turn, beside, spans_of
from cloudseg.reach.pairs.wide import Wide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cloudseg.reach.pairs.first_match import Decided, Into, Spans

WIDTH = 12
EVERYTHING = np.array([0b111, 0b1], dtype=np.uint64)
"""Four atoms of traffic, in two words."""
OUTCOMES: tuple[Into, ...] = ("passed", "accepted", "nowhere")


def turn(spans: Spans, words: tuple[int, int], into: Into) -> Turn:
    """Return a rule."""
    return Turn(spans, np.array(words, dtype=np.uint64), into)


def alone(turns: Sequence[Turn]) -> Decided:
    """Return what a list makes of all traffic that shares no rule with another."""
    return Common(turns, (), WIDTH, EVERYTHING).with_others(())


def outcome(turns: Sequence[Turn], column: int, word: int, atom: int) -> str:
    """Return what becomes of one atom at one column, rule by rule."""
    for spans, words, into in turns:
        if any(start <= column < end for start, end in spans) and int(words[word]) >> atom & 1:
            return into
    return "left"


def drawn(source: random.Random) -> Turn:
    """Return a rule with up to three spans."""
    ends = [sorted(source.sample(range(WIDTH + 1), 2)) for _ in range(source.randint(0, 3))]
    spans = tuple((start, end) for start, end in ends)
    return turn(spans, (source.randrange(8), source.randrange(2)), source.choice(OUTCOMES))


def assert_decided(found: Decided, turns: Sequence[Turn]) -> None:
    """Hold an answer against the rules, atom by atom."""
    rows = {"passed": found.passed, "accepted": found.accepted, "left": found.left}
    for column in range(WIDTH):
        for word, every in enumerate(EVERYTHING.tolist()):
            for atom in range(int(every).bit_length()):
                expected = outcome(turns, column, word, atom)
                for name, row in rows.items():
                    holds = row is not None and bool(int(row[word, column]) >> atom & 1)
                    assert holds == (name == expected), (column, word, atom, name)


def test_the_first_rule_that_names_a_packet_decides() -> None:
    found = alone([turn(((0, 4),), (0b1, 0), "nowhere"), turn(((2, 8),), (0b11, 0), "passed")])
    assert found.passed[0].tolist() == [0, 0, 0b10, 0b10, 0b11, 0b11, 0b11, 0b11, 0, 0, 0, 0]
    assert found.left[0, 0] == 0b110
    assert found.accepted is None


def test_what_is_accepted_for_good_stands_apart() -> None:
    found = alone([turn(((0, WIDTH),), (0b1, 0), "accepted"), turn(((0, WIDTH),), (0b11, 0), "passed")])
    assert found.accepted is not None
    assert found.accepted[0].tolist() == [0b1] * WIDTH
    assert found.passed[0].tolist() == [0b10] * WIDTH


def test_a_list_without_rules_leaves_everything() -> None:
    found = alone([])
    assert found.left.tolist() == [[0b111] * WIDTH, [0b1] * WIDTH]
    assert not found.passed.any()


def test_drawn_lists_are_decided_rule_by_rule() -> None:
    source = random.Random(11)
    for _ in range(60):
        turns = [drawn(source) for _ in range(source.randint(1, 7))]
        assert_decided(alone(turns), turns)


def test_rules_of_one_list_take_their_part_out_of_what_several_have_in_common() -> None:
    source = random.Random(12)
    for _ in range(60):
        shared = [drawn(source) for _ in range(source.randint(0, 5))]
        own = sorted(((source.randint(0, len(shared)), drawn(source)) for _ in range(3)), key=lambda each: each[0])
        common = Common(shared, [(before, each.spans) for before, each in own], WIDTH, EVERYTHING)
        whole: list[Turn] = []
        for place in range(len(shared) + 1):
            whole += [each for before, each in own if before == place]
            whole += shared[place : place + 1]
        assert_decided(common.with_others(own), whole)
        # What one list adds is not kept for the next.
        assert_decided(common.with_others(()), shared)


def test_beside_tells_what_a_list_holds_more_and_where() -> None:
    assert beside((7, 1, 8, 2, 9), (1, 2)) == [(0, 7), (1, 8), (2, 9)]
    assert beside((1, 2), (1, 2)) == []


def test_beside_knows_no_answer_where_items_are_missing_or_in_another_order() -> None:
    assert beside((1, 3), (1, 2)) is None
    assert beside((2, 1), (1, 2)) is None


def test_single_columns_become_runs() -> None:
    columns = [np.array([5, 3, 4], dtype=np.intp)[[1, 2, 0]], np.array([], dtype=np.intp), np.array([9], dtype=np.intp)]
    assert spans_of([(0, 2)], columns) == ((0, 2), (3, 6), (9, 10))


def test_wide_ranges_of_several_lists_add_up() -> None:
    words: NDArray[np.uint64] = np.array([[1, 0], [2, 1]], dtype=np.uint64)
    wide = Wide(
        np.array([0, 0, 2]),
        np.array([0, 1, 1]),
        np.array([0, 1, 0]),
        spans=[((0, 6),), ((4, 8), (10, 12))],
        count=3,
        words=words,
        width=WIDTH,
    )
    both = wide.row([0, 1, 2])
    assert both is not None
    assert both[0].tolist() == [1, 1, 1, 1, 3, 3, 3, 3, 0, 0, 3, 3]
    assert both[1].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1]
    assert wide.row([1]) is None
