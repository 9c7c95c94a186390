"""Days of which no conversation tells anything: perhaps nothing happened, perhaps the logs of these days are missing.

The file keeps when each conversation was first and last seen, so that one that went on before and after hides a hole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from cloudseg.observed.logged import DAY, day_of

if TYPE_CHECKING:
    from cloudseg.observed.observations import Observations

__all__ = ["hole"]

_LEAST: Final = 2 * DAY


def hole(seen: Observations, provider: str) -> str:
    """Return the longest time of which the logs of a provider show no conversation, in words; empty below two days.

    Args:
        seen: the conversations.
        provider: whose logs are asked about.
    """
    begin, end = seen.coverage.first, seen.coverage.last
    own = seen.column("provider") == provider
    if begin is None or end is None or not own.any():
        return ""
    first, last = (seen.column(name)[own].astype("datetime64[s]").astype(np.int64) for name in _TIMES)
    order = np.argsort(first, kind="stable")
    starts = np.r_[first[order], end]
    # The latest end of all that began before.
    ends = np.maximum.accumulate(np.r_[begin, last[order]])
    silent = starts - ends
    place = int(np.argmax(silent))
    if silent[place] < _LEAST:
        return ""
    return f"no conversation was seen from {day_of(int(ends[place]))} to {day_of(int(starts[place]))}"


_TIMES: Final = ("first_seen", "last_seen")
