"""The oracle itself: what it tells for sure did happen, and it misses nothing that a record proves."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from tests.flows.checked import PROVIDERS
from tests.flows.oracle import conversations, lines
from tests.flows.simulated.expected import Expected, Key, expected
from tests.flows.simulated.running import write_logs
from tests.flows.simulated.seen import draw_case


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_oracle_tells_what_happened(provider: str) -> None:
    for seed in range(5):
        random = Random(seed)
        case = draw_case(random, provider, 40)
        with TemporaryDirectory() as folder:
            found = conversations(lines(write_logs(random, case, Path(folder) / "logs", 2)))
        wanted = expected(case)
        assert {Key(*each[:4]) for each in found} <= {each.key for each in wanted}
        assert {each.key for each in wanted if each.sure} <= {Key(*each[:4]) for each in found}
        counts = _alone(wanted)
        # More where somebody in between saw more than the ends, whose records were lost.
        assert [each for each in found if each.proved and each.connections < counts.get(Key(*each[:4]), 0)] == []


def _alone(wanted: list[Expected]) -> dict[Key, int]:
    """Connections of the conversations whose ends no other network has, where they are told."""
    often = Counter(each.key for each in wanted)
    return {each.key: each.connections for each in wanted if often[each.key] == 1 and each.connections is not None}
