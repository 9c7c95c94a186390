"""Everything that is reached step after step, against Warshall's algorithm on a table of truth values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cloudseg.reach.spread.bits import pack, planes_of, sums, transposed, unpack
from cloudseg.reach.spread.closure import closure_of

Table = NDArray[np.bool_]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Steps between up to 40 classes, from none to dense."""
    size = draw(st.integers(1, 40))
    share = draw(st.sampled_from((0.0, 0.02, 0.05, 0.1, 0.4, 1.0)))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    return random.random((size, size)) < share


def packed(table: Table) -> NDArray[np.uint8]:
    return np.array([pack(row) for row in table])


def warshall(table: Table) -> Table:
    reached = table.copy()
    for middle in range(len(reached)):
        reached |= reached[:, middle : middle + 1] & reached[middle]
    return reached


@given(tables())
def test_what_is_reached_step_after_step_is_what_warshall_finds(table: Table) -> None:
    closure = closure_of(packed(table))
    found = np.array([unpack(closure.rows[kind], len(table)) for kind in closure.kind])
    assert np.array_equal(found, warshall(table))


@given(tables(), st.data())
def test_beyond_a_set_are_the_set_and_all_that_its_members_reach(table: Table, data: st.DataObject) -> None:
    size = len(table)
    first = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), dtype=np.bool_)
    beyond = unpack(closure_of(packed(table)).beyond(pack(first)), size)
    assert np.array_equal(beyond, first | warshall(table)[first].any(axis=0))


@pytest.mark.parametrize("size", [1, 7, 8, 9, 255, 256, 257, 600])
def test_rows_and_columns_change_places(size: int) -> None:
    table = np.random.default_rng(size).random((size, size)) < 0.3
    assert np.array_equal(transposed(packed(table), size), packed(np.ascontiguousarray(table.T)))


@given(tables(), st.data())
def test_sums_are_the_weights_of_the_members_of_each_row(table: Table, data: st.DataObject) -> None:
    size = len(table)
    weights = np.array(data.draw(st.lists(st.integers(0, 70_000), min_size=size, max_size=size)), dtype=np.int64)
    assert sums(packed(table), planes_of(weights)).tolist() == (table @ weights).tolist()
