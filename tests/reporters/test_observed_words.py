"""What was observed, in the words of the reports for people."""

import io
from typing import Any

import msgspec

from cloudseg.engine import FindingsDocument
from cloudseg.observed.report import IntentCell, IntentRow, LogsRead, ObservedTraffic, RefusedTraffic, StaleTraffic
from cloudseg.reporters.formats import FORMATS
from cloudseg.reporters.interface import RenderOptions
from cloudseg.reporters.observed_words import matrix_lines, observed_lines, refusal_lines, stale_lines

LOGS = LogsRead(
    first="2026-10-01T00:00:00Z",
    last="2026-10-31T12:00:00Z",
    formats=("AWS VPC flow logs",),
    records=900,
    skipped=0,
    bad=0,
    left_out=0,
    losses=(),
    lost=0,
    notes=(),
)


def observed(**more: Any) -> ObservedTraffic:
    plain = ObservedTraffic(
        logs=LOGS,
        accepted=40,
        refused=2,
        answers_refused=0,
        ends={"interface": 42},
        initiator_unknown=0,
        initiator_by_rule=0,
        stale=0,
        stale_examples=(),
        refused_groups=0,
        refusals=(),
    )
    return msgspec.structs.replace(plain, **more)


def refusal(**more: Any) -> RefusedTraffic:
    plain = RefusedTraffic(
        source="eni-1",
        target="eni-2",
        traffic="tcp/22",
        answers=False,
        conversations=1,
        attempts=7,
        last_seen="2026-10-30T00:00:00Z",
        today="blocked",
        reason="no rule of sg-1 admits tcp/22",
        rules=("sg-1: deny ingress what no rule matches",),
    )
    return msgspec.structs.replace(plain, **more)


def test_counts_and_window_come_first() -> None:
    assert list(observed_lines(observed())) == [
        "observed: 42 conversations (40 accepted, 2 refused); 2026-10-01 to 2026-10-31 in AWS VPC flow logs"
    ]


def test_what_stays_open_is_counted() -> None:
    lines = list(
        observed_lines(
            observed(
                answers_refused=1,
                ends={"beyond": 3, "gone": 4, "interface": 9, "unknown": 5},
                initiator_unknown=6,
                initiator_by_rule=2,
                logs=msgspec.structs.replace(LOGS, skipped=8, lost=1, losses=("a.gz: it ends too early",)),
            )
        )
    )
    assert lines[0].startswith("observed: 43 conversations (40 accepted, 2 refused, 1 whose answers were refused)")
    assert lines[1:] == [
        (
            "ends: 3 with a private address in no network that was read, 4 with an interface that is not in the estate"
            ", 5 with an end that is not known"
        ),
        "initiators: of 6 conversations nothing tells who opened it; of 2 the rules tell",
        "logs: 1 file not read in full, 8 records of loss in the cloud",
        "  a.gz: it ends too early",
    ]


def test_logs_without_a_record_are_no_silence() -> None:
    empty = msgspec.structs.replace(LOGS, first="", last="")
    assert list(observed_lines(observed(accepted=0, refused=0, logs=empty))) == [
        "observed: no conversation; the logs hold no record"
    ]


def test_refused_traffic_is_told_with_what_refuses_it() -> None:
    assert list(refusal_lines(observed(refusals=(refusal(),), refused_groups=5))) == [
        "refused, 1 of 5 with the most attempts:",
        (
            "  tcp/22 from eni-1 to eni-2: 7 attempts, last seen 2026-10-30; no rule of sg-1 admits tcp/22 "
            "(sg-1: deny ingress what no rule matches)"
        ),
    ]


def test_what_rules_do_not_let_through_any_more_is_told() -> None:
    stale = StaleTraffic(source="eni-1", target="eni-2", traffic="tcp/80", last_seen="2026-10-02T00:00:00Z")
    assert list(stale_lines(observed(stale=3, stale_examples=(stale,)))) == [
        "accepted, and not let through by the rules of today: 3 conversations",
        "  tcp/80 from eni-1 to eni-2, last seen 2026-10-02",
    ]


def test_the_matrix_shows_what_escaped() -> None:
    row = IntentRow(
        sources=("web",),
        targets=(),
        traffic="tcp/80",
        conversations=1,
        connections=4,
        last_seen="2026-10-02T00:00:00Z",
        example="eni-1 to eni-2",
    )
    cells = (
        IntentCell(cell="permitted", conversations=5, connections=9, rows=(), groups=2),
        IntentCell(cell="escaped", conversations=1, connections=4, rows=(row,), groups=1),
    )
    assert list(matrix_lines(observed(intent=cells, unjudged=2))) == [
        "observed and intended: 5 permitted, 1 escaped, 2 not judged",
        "escaped (accepted, not intended), 1:",
        "  web to no segment: tcp/80, 4 connections, last seen 2026-10-02 (eni-1 to eni-2)",
    ]


def test_names_from_logs_do_nothing_in_a_report(document: FindingsDocument) -> None:
    hostile = refusal(target="10.0.0.1 (<script>\x1b[31m|@team)")
    told = msgspec.structs.replace(document, observed=observed(refusals=(hostile,), refused_groups=1))
    for name in ("table", "markdown"):
        stream = io.StringIO()
        FORMATS[name].write(told, stream, RenderOptions())
        assert "\x1b" not in stream.getvalue()
        assert name == "table" or "<script>" not in stream.getvalue()
