"""How much a window of logs can tell: how long it is, whether the end of a month lies in it, what was lost."""

from datetime import UTC, datetime

import pytest

from cloudseg.flows.coverage import Coverage, FormatRead, Loss
from cloudseg.intent.report import Window, window_of, window_warnings


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def told(first: str, last: str, minimum: float = 7) -> list[str]:
    return [warning.partition(":")[0] for warning in window_warnings(Window(at(first), at(last)), minimum)]


MONTH_END = "no end of a month lies in the window"


def test_five_weeks_over_the_end_of_a_month_are_enough() -> None:
    assert told("2026-10-12", "2026-11-16") == []


def test_fewer_than_thirty_days_are_told() -> None:
    assert told("2026-10-20", "2026-11-16") == ["the window of 27 days is shorter than 30 days"]


def test_fewer_than_the_minimum_are_told_as_that() -> None:
    assert told("2026-10-29", "2026-11-03") == ["the window of 5 days is shorter than 7 days"]
    assert told("2026-10-29", "2026-11-03", minimum=5) == ["the window of 5 days is shorter than 30 days"]


@pytest.mark.parametrize(
    ("first", "last", "inside"),
    [
        ("2026-10-31", "2026-11-30T23:59:59", True),
        ("2026-10-31T00:00:01", "2026-11-30T23:59:59", False),
        ("2026-11-01", "2026-12-01", True),
        ("2026-12-02", "2027-01-01", True),
        ("2026-12-02", "2026-12-31T12:00:00", False),
        ("2028-02-01", "2028-03-01", True),
    ],
)
def test_the_whole_last_day_of_a_month_must_lie_in_it(first: str, last: str, inside: bool) -> None:  # noqa: FBT001 - a case
    assert (MONTH_END in told(first, last)) is not inside


def test_nothing_observed_is_told() -> None:
    assert window_warnings(Window(None, None), 7) == (
        "the file holds no conversations and no window: nothing was observed",
    )


def test_what_was_lost_skipped_or_left_out_is_told() -> None:
    coverage = Coverage(
        first=at("2026-10-12"),
        last=at("2026-11-16"),
        formats=(FormatRead("aws-vpc", "AWS VPC flow logs", 3, 1, 1),),
        skipped=4,
        bad=5,
        left_out=6,
        losses=(Loss("a.gz", "it is cut"), Loss("b.gz", "it is cut")),
        notes=("sampled",),
    )
    window = window_of(coverage)
    assert (window.formats, window.day) == (("AWS VPC flow logs",), "2026-11-16")
    assert window_warnings(window, 7) == (
        "2 files, or parts of them, were lost: a.gz: it is cut",
        "4 records say that the cloud lost others (SKIPDATA)",
        "5 rows made no sense, and count for nothing",
        "6 records were left out by --since or --until",
        "sampled",
    )
