"""Which partitions of a table in Athena hold the days asked for, and how a query says so.

Keys: https://docs.aws.amazon.com/athena/latest/ug/vpc-flow-logs-create-table-statement.html and
https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html. Projection:
https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html

The conditions are plain comparisons of a key with constants: only those are weighed before anything is read.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import InputError
from cloudseg.flows.engines.query import quoted_condition
from cloudseg.flows.formats.containers import quoted_name, quoted_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloudseg.flows.engines.interface import Window

__all__ = ["Bounds", "Key", "bounds_of"]

_DAY_KEYS: Final = frozenset({"day", "date", "dt", "datehour", "date_hour", "event_date", "log_date", "partition_date"})
_TIMES: Final = _DAY_KEYS | {"year", "month", "hour"}
_BETWEEN: Final = ("/", "-", "")
"""What may stand between year, month and day written as text where the table does not say.

Within a year no day that is written one way lies between two that are written another.
"""
_JAVA: Final = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_PART: Final = re.compile(r"'([^']*)'|(yyyy|MM|dd|HH|mm|ss)|([^A-Za-z'%]+)")
_NUMBERS: Final = frozenset({"tinyint", "smallint", "int", "integer", "bigint"})


class Key(NamedTuple):
    """A partition key: its name and its type, as the catalogue has them."""

    name: str
    type: str


class Bounds(NamedTuple):
    """What bounds a scan.

    Attributes:
        conditions: in DuckDB's words.
        told: the keys that are bounded.
        by_time: whether the days asked for bound it.
    """

    conditions: tuple[str, ...]
    told: tuple[str, ...]
    by_time: bool = True


def bounds_of(keys: Sequence[Key], parameters: Mapping[str, str], window: Window, asked: Mapping[str, str]) -> Bounds:
    """Return what bounds the scan of a table to a window.

    Files are named by when they were written: a day more is read on either side, and records are told by their times.

    Args:
        keys: the partition keys of the table.
        parameters: the properties of the table.
        window: the time that is asked for.
        asked: values of other keys that the user named.

    Raises:
        InputError: a key that the user named is none, or one that the query must name is not among them.
    """
    names = {key.name.lower(): key for key in keys}
    for name in asked:
        if name.lower() not in names:
            raise InputError(f"the table has no partition {name!r}; it has {', '.join(sorted(names)) or 'none'}")
        if name.lower() in _TIMES:
            # What is left out so would not be known to be left out.
            raise InputError(f"the partition {name!r} is a time; say --since and --until in its place")
    first, last = (
        datetime.fromtimestamp(seconds, UTC).date() + timedelta(days=days)
        for seconds, days in ((window.since, -1), (window.until, 1))
    )
    conditions = [_equal(names[name.lower()], value) for name, value in asked.items()]
    told = list(asked)
    given = {name.lower() for name in asked}
    for name in sorted(names):
        if parameters.get(f"projection.{name}.type", "").lower() == "injected" and name not in given:
            raise InputError(f"the table wants to be told its partition {name!r}; name it: --partition {name}=VALUE")
    timed = [key for key in keys if key.name.lower() not in given]
    by_time = _calendar(timed, first, last) or _days(timed, parameters, first, last)
    if by_time is not None:
        conditions += by_time.conditions
        told += by_time.told
    return Bounds(tuple(conditions), tuple(told), by_time=by_time is not None)


def _literal(key: Key, value: str) -> str:
    return str(int(value)) if key.type.lower() in _NUMBERS and value.isdecimal() else quoted_text(value)


def _equal(key: Key, value: str) -> str:
    return f"{quoted_name(key.name)} = {_literal(key, value)}"


def _calendar(keys: Sequence[Key], first: date, last: date) -> Bounds | None:
    """Bounds of ``year``, ``month`` and ``day``, as far as they are there, as in the Hive layout."""
    named = {key.name.lower(): key for key in keys}
    year, month, day = (named.get(name) for name in ("year", "month", "day"))
    if year is None:
        return None
    days = [first + timedelta(days=count) for count in range((last - first).days + 1)]
    if month is None:
        return Bounds((_among(year, {each.year for each in days}),), (year.name,))
    ways: list[str] = []
    for (in_year, in_month), group in groupby(days, lambda each: (each.year, each.month)):
        parts = [_among(year, {in_year}), _among(month, {in_month})]
        if day is not None:
            parts.append(_among(day, {each.day for each in group}))
        ways.append(" AND ".join(parts))
    told = tuple(key.name for key in (year, month, day) if key is not None)
    # The first two alone bound what is listed, for whoever does not look into the alternatives.
    outer = (_among(year, {each.year for each in days}), _among(month, {each.month for each in days}))
    return Bounds((*outer, " OR ".join(f"({way})" for way in ways)), told)


def _among(key: Key, numbers: set[int]) -> str:
    """The condition that a key is one of these numbers; as text it may be padded or not."""
    if key.type.lower() in _NUMBERS:
        values = [str(number) for number in sorted(numbers)]
    else:
        values = [
            quoted_text(text) for number in sorted(numbers) for text in dict.fromkeys((f"{number:02}", f"{number}"))
        ]
    return f"{quoted_name(key.name)} IN ({', '.join(values)})"


def _days(keys: Sequence[Key], parameters: Mapping[str, str], first: date, last: date) -> Bounds | None:
    """Bounds of one key that holds whole dates: as the projection writes them, or by its name and type."""
    for key in keys:
        prefix = f"projection.{key.name.lower()}"
        if parameters.get(f"{prefix}.type", "").lower() == "date":
            spelling = _spelling(parameters.get(f"{prefix}.format", ""))
            if spelling is not None:
                return Bounds((_between(key, spelling, first, last),), (key.name,))
    for key in keys:
        name = quoted_name(key.name)
        if key.type.lower() == "date":
            low, high = (f"CAST({quoted_text(each.isoformat())} AS DATE)" for each in (first, last))
            return Bounds((f"{name} BETWEEN {low} AND {high}",), (key.name,))
        if key.name.lower() in _DAY_KEYS and key.type.lower().startswith(("string", "varchar", "char")):
            return Bounds((" OR ".join(_spelled(key, first, last)),), (key.name,))
    return None


def _between(key: Key, spelling: str, first: date, last: date) -> str:
    # With hours in it the last day ends with its last one.
    end = datetime(last.year, last.month, last.day, 23, 59, 59, tzinfo=UTC)
    return quoted_condition(
        key.name,
        first.strftime(spelling.replace("%H", "00").replace("%M", "00").replace("%S", "00")),
        end.strftime(spelling),
    )


def _spelled(key: Key, first: date, last: date) -> Iterator[str]:
    """The bounds of days, in each spelling and year by year; hours may follow a day."""
    for mark in _BETWEEN:
        spelling = f"%Y{mark}%m{mark}%d"
        for year in range(first.year, last.year + 1):
            low = max(first, date(year, 1, 1)).strftime(spelling)
            # No month is 99: the end of a year, hours and all, and nothing in another spelling.
            high = last.strftime(spelling) if year == last.year else f"{year}{mark}99"
            yield quoted_condition(key.name, low, high)


def _spelling(java: str) -> str | None:
    """A format of Java's for dates as one of Python's whose texts sort as the days do; None: another kind."""
    found: list[str] = []
    place = 0
    while place < len(java):
        part = _PART.match(java, place)
        if part is None:
            return None
        found.append(_JAVA[part[2]] if part[2] else (part[1] if part[1] is not None else part[3]).replace("%", "%%"))
        place = part.end()
    order = [each for each in found if each in _JAVA.values()]
    return "".join(found) if order and order == list(_JAVA.values())[: len(order)] else None
