"""What a report says of observed conversations: plain values, which become JSON as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from cloudseg.observed.logged import moment

if TYPE_CHECKING:
    from cloudseg.flows.coverage import Coverage
    from cloudseg.observed.join import Joined
    from cloudseg.observed.judged_intent import Intended, Met
    from cloudseg.observed.observed import Observed
    from cloudseg.observed.refusals import Refusal
    from cloudseg.observed.usage import Usage
    from cloudseg.reach.reachability import Reachability
    from cloudseg.segments import Segmentation

__all__ = [
    "IntentCell",
    "IntentRow",
    "LogsRead",
    "ObservedTraffic",
    "RefusedTraffic",
    "StaleTraffic",
    "observed_traffic",
]

_REFUSALS: Final = 10
_ROWS: Final = 10
_LOSSES: Final = 20


class LogsRead(msgspec.Struct, frozen=True, kw_only=True):
    """What the conversations rest on.

    Attributes:
        first: begin of the window, ISO 8601 in UTC; empty where nothing was logged.
        last: its end.
        formats: the kinds of logs, in words.
        records: records of traffic.
        skipped: records that say that the cloud lost others.
        bad: rows that make no sense.
        left_out: records outside of the time that was asked for.
        losses: files that could not be read in full, the first of them with the reason.
        lost: how many these are.
        notes: what else a reader should know of the logs.
    """

    first: str
    last: str
    formats: tuple[str, ...]
    records: int
    skipped: int
    bad: int
    left_out: int
    losses: tuple[str, ...]
    lost: int
    notes: tuple[str, ...]


class RefusedTraffic(msgspec.Struct, frozen=True, kw_only=True):
    """Conversations that were refused, from one end to another on one port.

    Attributes:
        source: who opened them; all addresses of the internet together.
        target: the other end.
        traffic: ``tcp/22``.
        answers: only the answers were refused.
        conversations: how many.
        attempts: how often they were opened.
        last_seen: when the last was last seen, ISO 8601 in UTC.
        today: what the rules of today do: ``blocked``, ``allowed`` or ``unknown``.
        reason: what refuses them, in words.
        rules: the rules that do, each with its list.
    """

    source: str
    target: str
    traffic: str
    answers: bool
    conversations: int
    attempts: int
    last_seen: str
    today: Literal["blocked", "allowed", "unknown"]
    reason: str
    rules: tuple[str, ...]


class StaleTraffic(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation that was accepted and that the rules of today do not let through.

    Attributes:
        source: who opened it.
        target: the other end.
        traffic: ``tcp/22``.
        last_seen: when it was last seen, ISO 8601 in UTC.
    """

    source: str
    target: str
    traffic: str
    last_seen: str


class IntentRow(msgspec.Struct, frozen=True, kw_only=True):
    """Conversations between segments, on one port.

    Attributes:
        sources: the segments of who opened them; empty for none.
        targets: the segments of the other end.
        traffic: ``tcp/5432``.
        conversations: how many.
        connections: how often they were opened.
        last_seen: when the last was last seen, ISO 8601 in UTC.
        example: one of them, by its ends.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    traffic: str
    conversations: int
    connections: int
    last_seen: str
    example: str


class IntentCell(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of the matrix of what was observed and what is intended.

    Attributes:
        cell: ``permitted``, ``escaped`` (accepted, not intended), ``refused`` or ``refused but intended``.
        conversations: how many.
        connections: how often they were opened.
        rows: those with the most connections; none of what is permitted.
        groups: how many rows there are in all.
    """

    cell: Literal["permitted", "escaped", "refused", "refused but intended"]
    conversations: int
    connections: int
    rows: tuple[IntentRow, ...]
    groups: int


class ObservedTraffic(msgspec.Struct, frozen=True, kw_only=True):
    """What was observed beside what was read.

    Attributes:
        logs: what it rests on.
        accepted: conversations that were accepted.
        refused: conversations that were refused.
        answers_refused: conversations of which the answers alone were refused.
        ends: how many conversations have an end of each kind: ``interface``, ``outside``, ``beyond`` (a private address
            in no network that was read), ``gone`` (an interface that is not in the estate), ``unknown``.
        initiator_unknown: conversations of which nothing tells who opened them.
        initiator_by_rule: conversations whose initiator only the rules tell.
        stale: how many that were accepted the rules of today do not let through.
        stale_examples: the first of them.
        refused_groups: how many there are of the following in all.
        refusals: refused conversations, those with the most attempts first, and what refuses them.
        intent: the matrix of what was observed and what is intended; empty without an intent.
        unjudged: conversations that are in no cell of it: who opened them, or who an end was, is not known.
    """

    logs: LogsRead
    accepted: int
    refused: int
    answers_refused: int
    ends: dict[str, int]
    initiator_unknown: int
    initiator_by_rule: int
    stale: int
    stale_examples: tuple[StaleTraffic, ...]
    refused_groups: int
    refusals: tuple[RefusedTraffic, ...]
    intent: tuple[IntentCell, ...] = ()
    unjudged: int = 0


def observed_traffic(
    observed: Observed, reach: Reachability, intended: tuple[Segmentation, Intended] | None
) -> ObservedTraffic:
    """Return what a report says of observed conversations.

    Args:
        observed: the conversations.
        reach: the reachability of the estate.
        intended: the segments, and what they may open to each other; None where nobody wrote it down.
    """
    from cloudseg.observed.refusals import refusals

    joined = observed.oriented
    verdicts: list[str] = joined.conversations.column("verdict").tolist()
    evidence: list[str] = joined.conversations.column("evidence").tolist()
    refused, groups = refusals(joined, reach, _REFUSALS)
    cells, unjudged = _matrix(joined, reach, intended)
    return ObservedTraffic(
        logs=_logs(observed.coverage),
        accepted=verdicts.count("accepted"),
        refused=verdicts.count("refused"),
        answers_refused=verdicts.count("reply-refused"),
        ends=dict(sorted(joined.kinds.items())),
        initiator_unknown=evidence.count("unknown"),
        initiator_by_rule=len(observed.usage.as_logged) + len(observed.usage.turned),
        stale=len(observed.usage.not_carried),
        stale_examples=_stale(joined, observed.usage, reach),
        refused_groups=groups,
        refusals=tuple(map(_refused, refused)),
        intent=cells,
        unjudged=unjudged,
    )


def _logs(coverage: Coverage) -> LogsRead:
    losses = (f"{each.file}: {each.reason}" for each in coverage.losses[:_LOSSES])
    return LogsRead(
        first="" if coverage.first is None else _time(coverage.first),
        last="" if coverage.last is None else _time(coverage.last),
        formats=tuple(each.title for each in coverage.formats),
        records=coverage.records,
        skipped=coverage.skipped,
        bad=coverage.bad,
        left_out=coverage.left_out,
        losses=tuple(losses),
        lost=len(coverage.losses),
        notes=coverage.notes,
    )


def _refused(each: Refusal) -> RefusedTraffic:
    return RefusedTraffic(
        source=each.source,
        target=each.target,
        traffic=each.traffic,
        answers=each.answers,
        conversations=len(each.group.rows),
        attempts=each.group.connections,
        last_seen=_time(each.group.last_seen),
        today=each.why,
        reason=each.reason,
        rules=tuple(f"{rule.label}: {rule.text}" for rule in each.rules),
    )


def _stale(joined: Joined, usage: Usage, reach: Reachability) -> tuple[StaleTraffic, ...]:
    from cloudseg.observed.grouping import grouped, ports_of
    from cloudseg.observed.refusals import end_words, traffic_text

    ports = ports_of(joined.conversations)
    found = grouped(joined, usage.not_carried, (joined.initiators, joined.responders, ports.codes))
    rows = [(int(each.rows[0]), each.last_seen) for each in found[:_ROWS]]
    return tuple(
        StaleTraffic(
            source=end_words(joined.initiator(row), reach.estate),
            target=end_words(joined.responder(row), reach.estate),
            traffic=traffic_text(*ports.at(row)),
            last_seen=_time(last),
        )
        for row, last in rows
    )


def _matrix(
    joined: Joined, reach: Reachability, intended: tuple[Segmentation, Intended] | None
) -> tuple[tuple[IntentCell, ...], int]:
    if intended is None:
        return (), 0
    from cloudseg.observed.judged_intent import CELLS, judged_by_intent

    found = judged_by_intent(joined, *intended)
    cells: list[IntentCell] = []
    for cell in CELLS:
        own = [each for each in found.met if each.cell == cell]
        shown = own[:_ROWS] if cell != "permitted" else []
        cells.append(
            IntentCell(
                cell=cell,
                conversations=found.conversations[cell],
                connections=found.connections[cell],
                rows=tuple(_row(joined, reach, each) for each in shown),
                groups=len(own),
            )
        )
    return tuple(cells), found.unjudged


def _row(joined: Joined, reach: Reachability, met: Met) -> IntentRow:
    from cloudseg.observed.refusals import end_words, traffic_text

    row = int(met.group.rows[0])
    ends = (end_words(end, reach.estate) for end in (joined.initiator(row), joined.responder(row)))
    return IntentRow(
        sources=met.sources,
        targets=met.targets,
        traffic=traffic_text(met.protocol, met.port),
        conversations=len(met.group.rows),
        connections=met.group.connections,
        last_seen=_time(met.group.last_seen),
        example=" to ".join(ends),
    )


def _time(seconds: int) -> str:
    return moment(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")
