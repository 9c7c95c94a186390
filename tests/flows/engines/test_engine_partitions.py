"""Which partitions hold the days asked for: by the layouts that AWS documents and the projections of its tables.

https://docs.aws.amazon.com/athena/latest/ug/vpc-flow-logs-create-table-statement.html
https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from cloudseg.errors import InputError
from cloudseg.flows.database import connect
from cloudseg.flows.engines.interface import Window, window_of
from cloudseg.flows.engines.partitions import Key, bounds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DAYS = [date(2025, 11, 1) + timedelta(days=count) for count in range(120)]


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def kept(
    conditions: tuple[str, ...], columns: Mapping[str, str], value: Callable[[date], tuple[object, ...]]
) -> list[str]:
    """The days whose partitions fulfil the conditions."""
    with connect() as database:
        held = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        database.execute(f"CREATE TABLE parts ({held}, began DATE)")
        places = ", ".join("?" * (len(columns) + 1))
        database.executemany(f"INSERT INTO parts VALUES ({places})", [(*value(day), day) for day in DAYS])
        found = database.execute(
            f"SELECT began FROM parts WHERE {' AND '.join(f'({each})' for each in conditions)} ORDER BY began"
        )
        return [row[0].isoformat() for row in found.fetchall()]


def span(first: str, last: str) -> list[str]:
    return [day.isoformat() for day in DAYS if first <= day.isoformat() <= last]


WINDOW = Window(seconds("2025-12-20"), seconds("2026-01-10T12:00:00"))
EXPECTED = span("2025-12-19", "2026-01-11")
"""A day more on either side: a file is named by when it was written."""


@pytest.mark.parametrize("spelling", ["%Y/%m/%d", "%Y-%m-%d", "%Y%m%d", "%Y/%m/%d/00", "%Y-%m-%d-00"])
def test_a_day_as_text_may_be_written_in_three_ways(spelling: str) -> None:
    bounds = bounds_of([Key("region", "string"), Key("day", "string")], {}, WINDOW, {})
    assert (bounds.by_time, bounds.told) == (True, ("day",))
    found = kept(bounds.conditions, {"day": "VARCHAR"}, lambda day: (day.strftime(spelling),))
    # With hours the day that is read besides is not.
    assert found == (EXPECTED[:-1] if "0" in spelling else EXPECTED)


@pytest.mark.parametrize(
    ("java", "spelling"),
    [
        ("yyyy/MM/dd", "%Y/%m/%d"),
        ("yyyy-MM-dd", "%Y-%m-%d"),
        ("yyyy/MM/dd/HH", "%Y/%m/%d/23"),
        ("yyyy-MM-dd'T'HH", "%Y-%m-%dT00"),
        ("yyyyMMdd", "%Y%m%d"),
    ],
)
def test_a_projection_says_how_a_day_is_written(java: str, spelling: str) -> None:
    parameters = {"projection.when.type": "date", "projection.when.format": java}
    bounds = bounds_of([Key("when", "string")], parameters, WINDOW, {})
    assert kept(bounds.conditions, {"when": "VARCHAR"}, lambda day: (day.strftime(spelling),)) == EXPECTED


def test_a_projection_whose_days_do_not_sort_as_text_is_no_bound() -> None:
    parameters = {"projection.when.type": "date", "projection.when.format": "dd/MM/yyyy"}
    assert not bounds_of([Key("when", "string")], parameters, WINDOW, {}).by_time


def test_a_key_of_dates() -> None:
    bounds = bounds_of([Key("dt", "date")], {}, WINDOW, {})
    assert kept(bounds.conditions, {"dt": "DATE"}, lambda day: (day,)) == EXPECTED


HIVE = [Key(name, "string") for name in ("aws-account-id", "aws-region", "year", "month", "day")]


@pytest.mark.parametrize("padded", [True, False])
def test_years_months_and_days_as_text(*, padded: bool) -> None:
    bounds = bounds_of(HIVE, {}, WINDOW, {})
    assert bounds.told == ("year", "month", "day")
    texts = "%Y %m %d" if padded else "%Y %-m %-d"
    columns: dict[str, str] = dict.fromkeys(("year", "month", "day"), "VARCHAR")
    assert kept(bounds.conditions, columns, lambda day: tuple(day.strftime(texts).split())) == EXPECTED


def test_years_months_and_days_as_numbers() -> None:
    keys = [Key("year", "int"), Key("month", "int"), Key("day", "int"), Key("hour", "int")]
    bounds = bounds_of(keys, {}, WINDOW, {})
    columns: dict[str, str] = dict.fromkeys(("year", "month", "day"), "INTEGER")
    assert kept(bounds.conditions, columns, lambda day: (day.year, day.month, day.day)) == EXPECTED


def test_years_and_months_alone_bound_whole_months() -> None:
    bounds = bounds_of([Key("year", "string"), Key("month", "string")], {}, WINDOW, {})
    columns: dict[str, str] = dict.fromkeys(("year", "month"), "VARCHAR")
    assert kept(bounds.conditions, columns, lambda day: (f"{day:%Y}", f"{day:%m}")) == span("2025-12-01", "2026-01-31")


def test_a_value_that_the_user_names_is_a_bound_and_hyphens_are_quoted() -> None:
    bounds = bounds_of(HIVE, {}, WINDOW, {"aws-region": "eu-west-1"})
    assert bounds.conditions[0] == "\"aws-region\" = 'eu-west-1'"
    assert bounds_of([Key("shard", "int")], {}, WINDOW, {"shard": "07"}).conditions == ('"shard" = 7',)


def test_a_value_cannot_end_its_quotes() -> None:
    bounds = bounds_of([Key("region", "string")], {}, WINDOW, {"region": "x' OR '1'='1"})
    assert bounds.conditions == ("\"region\" = 'x'' OR ''1''=''1'",)


def test_without_a_key_of_time_nothing_bounds_the_scan() -> None:
    bounds = bounds_of([Key("region", "string")], {}, WINDOW, {})
    assert (bounds.conditions, bounds.by_time) == ((), False)


def test_thirty_days_where_nobody_says() -> None:
    now = seconds("2026-01-31T06:00:00")
    assert window_of(None, None, now) == Window(seconds("2026-01-01T06:00:00"), now)
    assert window_of(None, seconds("2026-01-20"), now).since == seconds("2025-12-21")
    assert window_of(seconds("2025-01-01"), None, now) == Window(seconds("2025-01-01"), now)
    with pytest.raises(InputError, match="check --since and --until"):
        window_of(now + 1, None, now)


def test_times_without_logs_are_not_asked_for() -> None:
    now = seconds("2026-01-31")
    assert window_of(seconds("0001-01-01"), seconds("9999-01-01"), now) == Window(
        seconds("2000-01-01"), seconds("2026-02-01")
    )


@pytest.mark.parametrize("name", ["day", "year", "hour"])
def test_a_time_is_no_partition_to_be_named(name: str) -> None:
    with pytest.raises(InputError, match="say --since and --until"):
        bounds_of([Key(name, "string")], {}, WINDOW, {name: "2026"})
