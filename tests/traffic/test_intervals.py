"""Interval sets against Python's own sets, over small numbers and over the ends of the real ranges."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudseg.errors import ParseError
from cloudseg.traffic import NO_NUMBERS, IntervalSet

SMALL = 24
# Where the interesting ends lie: ports, IPv4, IPv6.
CUTS = (0, 1, 2, 22, 23, 65535, 65536, 2**32 - 1, 2**32, 2**64, 2**128 - 2, 2**128 - 1, 2**128)
ATOMS = [(first, following - 1) for first, following in pairwise(CUTS)]

Operation = Callable[[IntervalSet, IntervalSet], IntervalSet]
numbers = st.frozensets(st.integers(0, SMALL - 1))
atom_numbers = st.frozensets(st.integers(0, len(ATOMS) - 1))


def of_small(members: frozenset[int]) -> IntervalSet:
    return IntervalSet.of(*members)


def of_atoms(members: frozenset[int]) -> IntervalSet:
    return IntervalSet.from_pairs(ATOMS[member] for member in members)


def listed(made: IntervalSet) -> frozenset[int]:
    return frozenset(number for first, last in made.intervals for number in range(first, last + 1))


def assert_canonical(made: IntervalSet) -> None:
    assert all(0 <= first <= last for first, last in made.intervals)
    assert all(last + 1 < next_first for (_, last), (next_first, _) in pairwise(made.intervals))


@given(numbers, numbers)
@settings(max_examples=300, deadline=None)
def test_operations_agree_with_python_sets(a: frozenset[int], b: frozenset[int]) -> None:
    x, y = of_small(a), of_small(b)
    for made, expected in ((x | y, a | b), (x & y, a & b), (x - y, a - b)):
        assert listed(made) == expected
        assert made == of_small(expected)
        assert hash(made) == hash(of_small(expected))
        assert_canonical(made)
    assert (x <= y) == (a <= b)
    assert (x == y) == (a == b)
    assert x.overlaps(y) == bool(a & b)
    assert bool(x) == bool(a)
    assert x.size == len(a)
    assert [number in x for number in range(-1, SMALL + 1)] == [number in a for number in range(-1, SMALL + 1)]


@given(atom_numbers, atom_numbers)
@settings(max_examples=300, deadline=None)
def test_operations_are_exact_at_the_ends_of_ports_and_addresses(a: frozenset[int], b: frozenset[int]) -> None:
    x, y = of_atoms(a), of_atoms(b)
    assert x | y == of_atoms(a | b)
    assert x & y == of_atoms(a & b)
    assert x - y == of_atoms(a - b)
    assert (x <= y) == (a <= b)
    assert x.overlaps(y) == bool(a & b)
    assert x.size == sum(ATOMS[member][1] - ATOMS[member][0] + 1 for member in a)
    assert [ATOMS[member][end] in x for member in range(len(ATOMS)) for end in (0, 1)] == [
        member in a for member in range(len(ATOMS)) for _ in (0, 1)
    ]


@given(numbers, numbers, numbers)
@settings(max_examples=150, deadline=None)
def test_laws_of_set_algebra_hold(a: frozenset[int], b: frozenset[int], c: frozenset[int]) -> None:
    x, y, z = of_small(a), of_small(b), of_small(c)

    def outside(made: IntervalSet) -> IntervalSet:
        return made.complement(0, SMALL - 1)

    assert outside(x | y) == outside(x) & outside(y)
    assert outside(x & y) == outside(x) | outside(y)
    assert outside(outside(x)) == x
    assert x | (x & y) == x
    assert x & (x | y) == x
    assert x & (y | z) == (x & y) | (x & z)
    assert x - y == x & outside(y)
    assert (x <= y) == (not x - y)
    assert (x - y) | (x & y) == x


@given(st.lists(st.tuples(st.integers(0, SMALL - 1), st.integers(0, SMALL - 1)).map(sorted).map(tuple[int, ...])))
@settings(max_examples=200, deadline=None)
def test_any_pairs_come_into_the_canonical_form(pairs: list[tuple[int, int]]) -> None:
    made = IntervalSet.from_pairs(pairs)
    assert listed(made) == {number for first, last in pairs for number in range(first, last + 1)}
    assert_canonical(made)
    assert made == IntervalSet.of(*reversed(pairs))


def test_neighbours_and_overlaps_become_one_interval() -> None:
    assert IntervalSet.of((20, 22), 23, (10, 12), (11, 15), 65535).intervals == ((10, 15), (20, 23), (65535, 65535))


def test_complement_stays_within_its_bounds() -> None:
    assert IntervalSet.of((5, 9), 20).complement(7, 15).intervals == ((10, 15),)
    assert NO_NUMBERS.complement(0, 65535).intervals == ((0, 65535),)
    assert not IntervalSet.of((0, 65535)).complement(0, 65535)


def test_one_cut_may_reach_into_several_intervals() -> None:
    assert (IntervalSet.of((0, 3), (6, 9), (12, 15)) - IntervalSet.of(1, (3, 7), (9, 12))).intervals == (
        (0, 0),
        (2, 2),
        (8, 8),
        (13, 15),
    )


@pytest.mark.parametrize(
    ("operation", "other"),
    [
        (IntervalSet.__or__, NO_NUMBERS),
        (IntervalSet.__or__, IntervalSet.of((80, 90))),
        (IntervalSet.__and__, IntervalSet.of((0, 65535))),
        (IntervalSet.__sub__, NO_NUMBERS),
        (IntervalSet.__sub__, IntervalSet.of(443)),
    ],
)
def test_an_unchanged_set_is_given_back_itself(operation: Operation, other: IntervalSet) -> None:
    ports = IntervalSet.of(22, (80, 90))
    assert operation(ports, other) is ports


@pytest.mark.parametrize("pair", [(5, 4), (-1, 3), (-2, -1)])
def test_an_interval_that_is_none_is_refused_by_its_text(pair: tuple[int, int]) -> None:
    with pytest.raises(ParseError, match=f"{pair[0]}-{pair[1]} is no interval"):
        IntervalSet.from_pairs([pair])


def test_the_shown_form_makes_the_same_set() -> None:
    assert repr(IntervalSet.of(22, (80, 90))) == "IntervalSet.of(22, (80, 90))"


def test_a_set_equals_no_other_kind_of_value() -> None:
    assert IntervalSet.of(1) != ((1, 1),)
    assert len({IntervalSet.of((1, 3)), IntervalSet.of(1, 2, 3)}) == 1
