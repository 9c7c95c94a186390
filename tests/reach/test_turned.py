"""Rows turned round hold what was kept, whatever the order in which they come."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cloudseg.reach.pairs.turned import Turned

FACES, WIDTH = 150, 2


@given(st.data())
def test_what_is_kept_is_found_by_face(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 140))
    ends = [sorted(data.draw(st.lists(st.integers(0, FACES), min_size=2, max_size=2))) for _ in range(count)]
    first, last = (np.array([each[end] for each in ends], dtype=np.intp) for end in (0, 1))
    rows = np.random.default_rng(count).integers(1, 1 << 60, (count, WIDTH, FACES), dtype=np.uint64)
    order = np.array(data.draw(st.permutations(range(count))), dtype=np.intp)
    half = count // 2
    turned = Turned(first, last, WIDTH, FACES)
    for some in (order[:half], order[half:]):
        turned.keep(some, (rows[number] for number in some))
    asked = np.array(data.draw(st.lists(st.integers(0, count - 1), max_size=20)), dtype=np.intp)
    for face in (0, 63, 64, 127, FACES - 1):
        found = turned.at(face, asked)
        assert found.shape == (WIDTH, len(asked))
        for place, number in enumerate(asked.tolist()):
            # Whole tiles of neighbouring faces are kept: beside the part that counts there may be more of the row.
            if first[number] <= face < last[number]:
                assert found[:, place].tolist() == rows[number, :, face].tolist()
            else:
                assert found[:, place].tolist() in ([0] * WIDTH, rows[number, :, face].tolist())


def test_rows_that_come_out_of_order_are_kept_each_in_its_place() -> None:
    first, last = np.zeros(4, dtype=np.intp), np.full(4, 3, dtype=np.intp)
    rows = np.arange(12, dtype=np.uint64).reshape(4, 1, 3)
    turned = Turned(first, last, 1, 3)
    order = [0, 2, 1, 3]
    turned.keep(np.array(order, dtype=np.intp), (rows[number] for number in order))
    assert turned.at(1, np.arange(4)).tolist() == [[1, 4, 7, 10]]
