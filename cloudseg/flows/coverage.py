"""What a file of conversations rests on: which logs were read, over what time, what of them was lost or left out.

A conversation that is not in the file was not seen; only the coverage says whether it could have been.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from duckdb import DuckDBPyConnection

__all__ = ["Coverage", "FormatRead", "Loss", "Network", "Observer", "counted", "covered"]

SAMPLED: Final = (
    "Google Cloud logs a sample of the packets, and nothing of inbound traffic that a firewall rule refused: what is "
    "not here may have happened all the same"
)


class FormatRead(msgspec.Struct, frozen=True):
    """What was read of one format.

    Attributes:
        name: its short name: aws-vpc.
        title: its name for people.
        files: how many files; 0 where a cloud's engine was asked.
        bytes: their bytes, packed as they are.
        records: how many rows they had.
    """

    name: str
    title: str
    files: int
    bytes: int
    records: int


class Loss(msgspec.Struct, frozen=True):
    """What could not be read of a file.

    Attributes:
        file: its path or address.
        reason: why, in words.
        rows: how many rows are lost; None: nobody can tell.
        partly: the rest of the file was read.
    """

    file: str
    reason: str
    rows: int | None = None
    partly: bool = False


class Observer(msgspec.Struct, frozen=True):
    """What one interface, adapter, machine or node reported. Times are seconds since 1970 in UTC.

    Attributes:
        provider: ``aws``, ``azure``, ``gcp`` or ``kubernetes``.
        name: its id as logged; None where the format does not say who reports.
        network: the network it stands in, as logged; None: the log does not say.
        scope: the account, subscription, project or cluster, as logged.
        first: begin of its first record, idle ones included.
        last: end of its last one.
        records: records of traffic.
        refused: how many of them were of refused traffic.
        idle: records that say that nothing was seen (NODATA).
        skipped: records that say that some were lost (SKIPDATA).
    """

    provider: str
    name: str | None
    network: str | None
    scope: str | None
    first: int | None
    last: int | None
    records: int
    refused: int = 0
    idle: int = 0
    skipped: int = 0


class Network(msgspec.Struct, frozen=True):
    """What the observers of one network reported together; attributes as those of ``Observer``.

    Attributes:
        observers: how many reported.
    """

    provider: str
    name: str | None
    scope: str | None
    observers: int
    first: int | None
    last: int | None
    records: int
    refused: int
    idle: int
    skipped: int


class Coverage(msgspec.Struct, frozen=True):
    """What a file of conversations rests on. Times are seconds since 1970 in UTC.

    Attributes:
        first: begin of the window: of the first record that was read; None where there was none.
        last: end of the last one.
        formats: what was read of each format.
        records: records of traffic, all formats together.
        idle: records that say that nothing was seen.
        skipped: records that say that the cloud lost some.
        bad: rows that make no sense, and count for nothing.
        left_out: records outside of ``since`` and ``until``.
        since: what ends by then was left out; None: no bound.
        until: what begins then or later was left out; None: no bound.
        losses: files, or parts of them, that could not be read.
        notes: what else a reader of the file should know: what was passed over, what the logs do not show.
        observers: who reported, in order.
    """

    first: int | None = None
    last: int | None = None
    formats: tuple[FormatRead, ...] = ()
    records: int = 0
    idle: int = 0
    skipped: int = 0
    bad: int = 0
    left_out: int = 0
    since: int | None = None
    until: int | None = None
    losses: tuple[Loss, ...] = ()
    notes: tuple[str, ...] = ()
    observers: tuple[Observer, ...] = ()

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks that had logs at all, in order."""
        held: dict[tuple[str, str, str], list[Observer]] = {}
        for observer in self.observers:
            held.setdefault((observer.provider, observer.network or "", observer.scope or ""), []).append(observer)
        return tuple(_network(held[key]) for key in sorted(held))

    @property
    def is_whole(self) -> bool:
        """Whether nothing was lost: neither files nor rows, nor records in the cloud."""
        return not (self.losses or self.skipped or self.bad)


def _network(observers: list[Observer]) -> Network:
    one = observers[0]
    return Network(
        one.provider,
        one.network,
        one.scope,
        len(observers),
        min((each.first for each in observers if each.first is not None), default=None),
        max((each.last for each in observers if each.last is not None), default=None),
        sum(each.records for each in observers),
        sum(each.refused for each in observers),
        sum(each.idle for each in observers),
        sum(each.skipped for each in observers),
    )


_OBSERVERS = """
WITH counted AS (
    SELECT provider, observer, network, scope, MIN("first") AS "first", MAX("last") AS "last",
        COALESCE(SUM(records) FILTER (status = 'ok'), 0)::BIGINT AS records,
        COALESCE(SUM(records) FILTER (status = 'ok' AND verdict <> 'accepted'), 0)::BIGINT AS refused,
        COALESCE(SUM(records) FILTER (status = 'idle'), 0)::BIGINT AS idle,
        COALESCE(SUM(records) FILTER (status = 'skipped'), 0)::BIGINT AS skipped
    FROM sightings WHERE status IN ('ok', 'idle', 'skipped') GROUP BY ALL
),
-- Where only some records of an observer tell its network (a format that changed), it is that of all, if it is but one.
told AS (
    SELECT *, CASE WHEN MIN(network) OVER same IS NOT DISTINCT FROM MAX(network) OVER same
            THEN MIN(network) OVER same END AS home,
        CASE WHEN MIN(scope) OVER same IS NOT DISTINCT FROM MAX(scope) OVER same
            THEN MIN(scope) OVER same END AS account
    FROM counted WINDOW same AS (PARTITION BY provider, observer)
)
SELECT provider, observer, COALESCE(network, home) AS network, COALESCE(scope, account) AS scope, MIN("first"),
    MAX("last"), SUM(records)::BIGINT, SUM(refused)::BIGINT, SUM(idle)::BIGINT, SUM(skipped)::BIGINT
FROM told GROUP BY ALL ORDER BY provider, network NULLS FIRST, observer NULLS FIRST, scope NULLS FIRST
"""

_STATUS = 'SELECT status, SUM(records)::BIGINT, MIN("first"), MAX("last") FROM sightings GROUP BY status'


def counted(connection: DuckDBPyConnection) -> Coverage:
    """Return what the table ``sightings`` tells of the coverage: times, counts, observers and networks."""
    by_status: dict[str, tuple[int, int | None, int | None]] = {
        status: (records, first, last) for status, records, first, last in connection.execute(_STATUS).fetchall()
    }
    times = [by_status[status][1:] for status in ("ok", "idle", "skipped") if status in by_status]
    observers = tuple(Observer(row[0], *row[1:]) for row in connection.execute(_OBSERVERS).fetchall())

    def records(status: str) -> int:
        return by_status.get(status, (0, None, None))[0]

    return Coverage(
        first=min((first for first, _ in times if first is not None), default=None),
        last=max((last for _, last in times if last is not None), default=None),
        records=records("ok"),
        idle=records("idle"),
        skipped=records("skipped"),
        bad=records("bad"),
        left_out=records("outside"),
        observers=observers,
        notes=(SAMPLED,) if any(observer.provider == "gcp" for observer in observers) else (),
    )


def covered(
    coverage: Coverage,
    formats: Iterable[FormatRead],
    losses: Iterable[Loss] = (),
    notes: Iterable[str] = (),
    bounds: tuple[int | None, int | None] = (None, None),
) -> Coverage:
    """Return a coverage with what its reader knows: formats, losses, other notes, and ``since`` and ``until``."""
    return msgspec.structs.replace(
        coverage,
        formats=tuple(formats),
        losses=tuple(losses),
        notes=(*notes, *coverage.notes),
        since=bounds[0],
        until=bounds[1],
    )
