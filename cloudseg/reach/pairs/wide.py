"""The wide ranges of lists: each names thousands of columns, and there are few of them.

Between the ends of these ranges columns are alike to them. So a row is drawn over these stretches first, all ranges at
once, and spread over the columns at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cloudseg.reach.pairs.distinct import distinct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cloudseg.reach.pairs.contents import Rows
    from cloudseg.reach.pairs.first_match import Spans

__all__ = ["Wide"]

_Indexes = np.ndarray[tuple[int], np.dtype[np.intp]]


class Wide:
    """The wide ranges of all lists.

    Args:
        owners: for each range of a list the number of the list, in order.
        sets: for each the number of its set of columns.
        masks: for each the number of its mask.
        spans: the sets of columns.
        count: how many lists there are.
        words: the masks, by number and word.
        width: how many columns there are.
    """

    def __init__(
        self,
        owners: _Indexes,
        sets: _Indexes,
        masks: _Indexes,
        *,
        spans: Sequence[Spans],
        count: int,
        words: NDArray[np.uint64],
        width: int,
    ) -> None:
        self._starts = np.searchsorted(owners, np.arange(count + 1)).tolist()
        self._masks = words[masks]
        used = distinct(sets)
        self._sets = np.searchsorted(used, sets)
        chosen = [spans[int(number)] for number in used]
        ends = {0, width}
        for each in chosen:
            for span in each:
                ends.update(span)
        cuts = sorted(ends)
        places = {column: place for place, column in enumerate(cuts)}
        bounds = np.array(cuts, dtype=np.intp)
        self._lengths = bounds[1:] - bounds[:-1]
        self._within = np.zeros((len(used), len(self._lengths)), dtype=np.bool_)
        for row, each in zip(self._within, chosen, strict=True):
            for start, end in each:
                row[places[start] : places[end]] = True

    def row(self, lists: Sequence[int]) -> Rows | None:
        """Return a new row of the wide ranges of some lists; None where they have none."""
        found: Rows | None = None
        for number in lists:
            part = slice(self._starts[number], self._starts[number + 1])
            if part.start < part.stop:
                named = np.where(self._within[self._sets[part], None, :], self._masks[part, :, None], np.uint64(0))
                own: Rows = np.bitwise_or.reduce(named, axis=0)
                found = own if found is None else found | own
        return None if found is None else np.repeat(found, self._lengths, axis=1)
