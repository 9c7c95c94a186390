"""The pairs that are kept because something certainly passes say the same as the matrix, from both ends."""

from __future__ import annotations

import numpy as np
import pytest

from cloudseg.reach.reachability import Reachability
from cloudseg.reach.spread.talk import talk_of
from tests.reach.test_explain_agrees import drawn


@pytest.mark.parametrize("seed", range(4))
def test_what_is_kept_of_pairs_is_the_lower_bound_of_the_matrix(seed: int) -> None:
    reach = Reachability(drawn(seed))
    graph = talk_of(reach)
    size = len(reach.classes)
    assert len(graph.straight) > 0
    for number in range(size):
        lower = reach.arrivals(number).inside.lower
        to = np.zeros_like(lower)
        for pairs in (graph.straight, graph.over_internet):
            ends, sources, words = pairs.of([number])
            assert set(ends.tolist()) <= {number}
            assert not (to[:, sources] & words).any()
            to[:, sources] |= words
        assert np.array_equal(to, lower)
    for pairs in (graph.straight, graph.over_internet):
        ends, sources, words = pairs.of(range(size))
        sources_again, ends_again, words_again = pairs.turned.of(range(size))
        there = {(int(a), int(b), *w) for a, b, w in zip(ends, sources, words.T.tolist(), strict=True)}
        back = {(int(a), int(b), *w) for a, b, w in zip(ends_again, sources_again, words_again.T.tolist(), strict=True)}
        assert there == back
