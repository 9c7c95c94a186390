"""Days without any conversation may be days of which the logs are missing."""

import pytest

from cloudseg.checks.example_flows import ExampleConversations
from cloudseg.flows.coverage import Coverage
from cloudseg.observed.holes import hole
from tests.observed.tables import END, START, conversation, day


def told(*spans: tuple[int, int], provider: str = "aws") -> str:
    rows = [conversation("10.0.1.5", "10.0.2.9", first_seen=day(a), last_seen=day(b)) for a, b in spans]
    return hole(ExampleConversations(rows, Coverage(first=START, last=END)), provider)


@pytest.mark.parametrize(
    ("spans", "words"),
    [
        (((1, 10), (20, 31)), "no conversation was seen from 2026-10-10 to 2026-10-20"),
        (((1, 10), (5, 8), (20, 31)), "no conversation was seen from 2026-10-10 to 2026-10-20"),
        (((5, 31),), "no conversation was seen from 2026-10-01 to 2026-10-05"),
        (((1, 28),), "no conversation was seen from 2026-10-28 to 2026-10-31"),
        (((1, 10), (11, 31)), ""),
        (((1, 10), (20, 31), (9, 21)), ""),
    ],
    ids=["in the middle", "one within another", "at the begin", "at the end", "a day is none", "one goes on"],
)
def test_the_longest_hole_is_told(spans: tuple[tuple[int, int], ...], words: str) -> None:
    assert told(*spans) == words


def test_of_a_provider_without_conversations_nothing_is_told() -> None:
    assert told((1, 2), provider="azure") == ""
