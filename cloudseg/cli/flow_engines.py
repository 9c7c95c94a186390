"""`cloudseg flows --engine`: the options of an engine become the engine."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.cli.flow_sources import Window
from cloudseg.cli.packages import package
from cloudseg.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.flows.engines import Engine
    from cloudseg.flows.engines import Window as Bounds
    from cloudseg.providers.aws.options import AwsOptions

__all__ = ["EngineWords", "check_alone", "engine_of", "size_of"]

_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([KMGT])(i?)B?|B)?", re.IGNORECASE)
_POWERS: Final = {"K": 1, "M": 2, "G": 3, "T": 4}


class EngineWords(NamedTuple):
    """The options of engines, as they stand on the command line."""

    engine: str | None = None
    max_bytes: str | None = None
    workgroup: str | None = None
    results: str | None = None
    partitions: Sequence[str] | None = None
    location: str | None = None
    project: str | None = None


_OF_ENGINE: Final = {
    "athena": ("max_bytes", "workgroup", "results", "partitions"),
    "bigquery": ("max_bytes", "location", "project"),
    "loganalytics": (),
}
_OPTIONS: Final = {"max_bytes": "--max-bytes", "partitions": "--partition"}


def check_alone(words: EngineWords, *, explain: bool) -> None:
    """Refuse options of an engine without one.

    Raises:
        InputError: there are some.
    """
    given = ["--explain"] * explain + [_option(name) for name in EngineWords._fields[1:] if getattr(words, name)]
    if given:
        raise InputError(f"{given[0]} belongs to an engine: name it, --engine athena, bigquery or loganalytics")


def engine_of(tables: Sequence[str], words: EngineWords, window: Window, aws: AwsOptions, cloud: str | None) -> Engine:
    """Return the engine that is asked; nothing is asked yet.

    Args:
        tables: what was named: one table.
        words: the options.
        window: the time that is asked for.
        aws: as whom to ask Athena.
        cloud: the cloud of Azure that the configuration names.

    Raises:
        InputError: an option does not belong to the engine or is wrong, or no single table is named.
        CollectError: a package that is needed is not installed.
    """
    from cloudseg.flows.engines import ENGINES, window_of

    name = words.engine or ""
    for option in EngineWords._fields[1:]:
        if getattr(words, option) and option not in _OF_ENGINE[name]:
            raise InputError(f"{_option(option)} is no option of --engine {name}")
    if len(tables) != 1:
        raise InputError(f"name the one table that --engine {name} asks: {ENGINES[name]}")
    bounds = window_of(*window, int(time.time()))
    most = None if words.max_bytes is None else size_of(words.max_bytes)
    match name:
        case "athena":
            return _athena(tables[0], words, bounds, aws, most)
        case "bigquery":
            return _bigquery(tables[0], words, bounds, most)
        case _:
            with package("Log Analytics", "flows,flows-azure"):
                from cloudseg.providers.azure.log_analytics import LogAnalytics, LogAnalyticsSettings
            return LogAnalytics(tables[0], bounds, LogAnalyticsSettings(cloud or "public"))


def _athena(table: str, words: EngineWords, bounds: Bounds, aws: AwsOptions, most: int | None) -> Engine:
    with package("Athena", "aws,flows"):
        from cloudseg.providers.aws.athena import Athena, AthenaSettings

    settings = AthenaSettings(words.workgroup, words.results, _pairs(words.partitions or ()), most)
    return Athena(table, bounds, aws, settings)


def _bigquery(table: str, words: EngineWords, bounds: Bounds, most: int | None) -> Engine:
    with package("BigQuery", "flows,flows-gcp"):
        from cloudseg.providers.gcp.bigquery import MOST, BigQuery, BigQuerySettings

    settings = BigQuerySettings(words.project, words.location, MOST if most is None else most)
    return BigQuery(table, bounds, settings)


def size_of(text: str) -> int:
    """Return an amount of bytes: ``5000000``, ``500GB``, ``1TiB``.

    Raises:
        InputError: it is none.
    """
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise InputError(f"--max-bytes {text!r} is no amount of bytes; write 500GB, or 1TiB")
    number, unit, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** _POWERS.get((unit or "").upper(), 0))


def _pairs(partitions: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in partitions:
        name, separator, value = each.partition("=")
        if not (separator and name and value):
            raise InputError(f"--partition {each!r} names no partition; write NAME=VALUE, such as region=eu-west-1")
        found[name] = value
    return found


def _option(name: str) -> str:
    return _OPTIONS.get(name, f"--{name}")
