"""What stands beside an entry: how often, by whom, when, how sure; that silence means little where nobody looked."""

from pathlib import Path

import pytest

from cloudseg.flows.coverage import Observer
from cloudseg.intent import Allowance
from cloudseg.intent.evidence import Evidence
from cloudseg.intent.generate import Generated
from cloudseg.intent.logged import logged_interfaces
from cloudseg.intent.ports import Dense, dense_ranges
from cloudseg.traffic import Traffic
from tests.intent.observed import DAY, ID, MONDAY, Log, generated, run, shop

WEB, APP = "shop/web/prod", "shop/app/prod"


def lines(found: Generated, traffic: str, *before: str, expires: str = "", **more: object) -> tuple[str, ...]:
    evidence = Evidence(found.facts, found.rails, found.ends, found.members, "2026-11-16", **more)  # type: ignore[arg-type]
    entry = Allowance(sources=(WEB,), targets=(APP,), traffic=Traffic.parse(traffic), expires=expires)
    return evidence.lines(entry, before)


def seen(**more: int) -> Generated:
    log = Log()
    log.saw("eni-web1", "eni-app", 8080, **more)
    return generated(log)


class TestConfidence:
    def test_it_is_high_where_the_initiator_is_proved_on_several_days(self) -> None:
        assert lines(seen(times=12), "tcp/8080") == (
            "tcp/8080: 12 connections from 1 of 2 to 1 of 1, 2026-10-12 to 2026-10-24, confidence high",
        )

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            ({"times": 3, "confidence": 1}, "medium (who opened it was inferred)"),
            ({"times": 3, "confidence": 2}, "low (who opened it was inferred)"),
            ({"times": 3, "last": MONDAY + 5}, "medium (seen on one day)"),
            ({"times": 3, "last": MONDAY + DAY}, "high"),
            ({"times": 3, "packets_back": 0}, "low (no answer was seen)"),
            ({"times": 3, "packets": 0, "packets_back": 0}, "high"),
            ({"times": 3, "confidence": 2, "last": MONDAY}, "low (who opened it was inferred, seen on one day)"),
        ],
    )
    def test_it_is_lower_for_a_reason_that_is_told(self, more: dict[str, int], words: str) -> None:
        (line,) = lines(seen(**more), "tcp/8080")
        assert line.endswith(f", confidence {words}")

    def test_the_surest_conversation_counts(self) -> None:
        log = Log()
        log.saw("eni-web1", "eni-app", 8080, times=3, confidence=1)
        log.saw("eni-web2", "eni-app", 8080, times=3)
        (line,) = lines(generated(log), "tcp/8080")
        assert line.startswith("tcp/8080: 6 connections from 2 of 2 to 1 of 1")
        assert line.endswith("confidence high")


def test_a_connection_whose_begin_nobody_saw_is_told_as_such() -> None:
    (line,) = lines(seen(connections=0, records=900), "tcp/8080")
    assert line.startswith("tcp/8080: 900 records, none of which shows a begin, from 1 of 2 to 1 of 1, 2026-10-12")


def test_each_port_of_an_entry_has_its_line_and_the_unseen_ones_too() -> None:
    log = Log()
    log.saw("eni-web1", "eni-app", 8080, times=2)
    log.saw("eni-web1", "eni-app", 8090, times=2)
    found = lines(generated(log), "tcp/8080, tcp/8085, tcp/8090, icmp")
    assert [line.partition(":")[0] for line in found] == ["tcp/8080", "tcp/8090", "tcp/8085", "icmp"]
    assert found[2:] == ("tcp/8085: not seen in these logs", "icmp: not seen in these logs")


def test_what_the_entry_does_not_allow_is_no_evidence_for_it() -> None:
    log = Log()
    log.saw("eni-web1", "eni-app", 8080, times=2)
    log.saw("eni-web1", "eni-app", 8090, times=2)
    (line,) = lines(generated(log), "tcp/8090")
    assert line.startswith("tcp/8090: 2 connections")


def test_after_eight_lines_the_rest_is_counted_together() -> None:
    log = Log()
    for port in range(8080, 8100, 2):
        log.saw("eni-web1", "eni-app", port, times=2)
    found = lines(generated(log), "tcp")
    assert len(found) == 9
    assert found[-1].startswith("2 more ports: 4 connections from 1 of 2 to 1 of 1")


def test_a_dense_range_says_how_many_of_its_ports_were_seen() -> None:
    log = Log()
    for port in (8080, 8081, 8082, 8083, 8084, 8086, 8087, 8088, 8089):
        log.saw("eni-web1", "eni-app", port, times=2)
    (line,) = lines(generated(log), "tcp/8080-8089")
    assert line.startswith("tcp/8080-8089 (9 of 10 ports seen): 18 connections")


class TestSilence:
    @pytest.mark.parametrize(
        ("before", "told"),
        [
            ("tcp/8080: 12 connections from 1 of 2 to 1 of 1, 2026-09-01 to 2026-09-24, confidence high", "2026-09-24"),
            (
                "tcp/8080-8089 (9 of 10 ports seen): 2 connections from 1 to 1, 2026-09-01 to 2026-09-02, x",
                "2026-09-02",
            ),
            ("tcp/8080: 1 connection from 1 of 2 to 1 of 1, on 2026-09-03, confidence medium", "2026-09-03"),
            ("tcp/8080: not seen since 2026-08-31", "2026-08-31"),
        ],
    )
    def test_the_day_on_which_it_was_last_seen_is_kept(self, before: str, told: str) -> None:
        assert lines(generated(Log()), "tcp/8080", before) == (f"tcp/8080: not seen since {told}",)

    @pytest.mark.parametrize(
        "before", ["tcp/9: 2 connections, 2026-09-01 to 2026-09-02", "nonsense", "x/y: not seen since 2026-08-31"]
    )
    def test_what_was_said_of_something_else_does_not_count(self, before: str) -> None:
        assert lines(generated(Log()), "tcp/8080", before) == ("tcp/8080: not seen in these logs",)

    def test_where_neither_end_had_logs_silence_means_nothing(self) -> None:
        found = generated(Log())
        assert lines(found, "tcp/8080", logged=frozenset[str]()) == ("tcp/8080: no logs of either end were read",)
        assert lines(found, "tcp/8080", logged=frozenset((ID("eni-app"),))) == ("tcp/8080: not seen in these logs",)

    def test_nor_does_it_take_the_day_away_on_which_it_was_seen_before(self) -> None:
        found, before = generated(Log()), "tcp/8080: not seen since 2026-08-31"
        (line,) = lines(found, "tcp/8080", before, logged=frozenset[str]())
        assert line == f"{before}, but no logs of either end were read"
        assert lines(found, "tcp/8080", line, logged=frozenset[str]()) == (line,)
        assert lines(found, "tcp/8080", line) == (before,)

    def test_an_entry_that_is_over_and_still_seen_is_told_as_such(self) -> None:
        found = lines(seen(times=3), "tcp/8080", expires="2026-11-15")
        assert found[0] == "it was over after 2026-11-15, and was seen all the same"
        assert len(lines(seen(times=3), "tcp/8080", expires="2026-11-16")) == 1


class TestLogged:
    def of(self, provider: str, scope: str | None) -> frozenset[str]:
        return logged_interfaces(shop(), [Observer(provider, "eni-web1", None, scope, 0, 1, 1)])

    def test_the_interfaces_of_a_scope_that_reported_had_logs(self) -> None:
        assert self.of("aws", "111122223333") == frozenset(shop().interfaces)

    def test_another_provider_says_nothing_of_them(self) -> None:
        assert self.of("gcp", "111122223333") == frozenset()

    @pytest.mark.parametrize("scope", [None, "somebody else's"])
    def test_where_the_scope_cannot_be_told_all_of_the_provider_count(self, scope: str | None) -> None:
        assert self.of("aws", scope) == frozenset(shop().interfaces)

    def test_without_logs_nobody_had_any(self) -> None:
        assert logged_interfaces(shop(), ()) == frozenset()


class TestDense:
    def test_eight_ports_of_ten_are_a_range(self) -> None:
        assert dense_ranges((6, port) for port in (1, 2, 3, 4, 6, 7, 8, 10)) == (Dense(6, 1, 10, 8),)

    def test_two_protocols_are_two_things(self) -> None:
        assert dense_ranges((protocol, port) for protocol in (6, 17) for port in range(1, 5)) == ()

    def test_far_ones_stand_apart(self) -> None:
        ports = [*range(100, 108), *range(200, 208)]
        assert dense_ranges((17, port) for port in ports) == (Dense(17, 100, 107, 8), Dense(17, 200, 207, 8))


def test_the_file_says_it_of_what_people_wrote(written: Path) -> None:
    written.write_text(
        "schema: cloudseg/intent/v1\nsegments:\n  web: {tags: {tier: web}}\n  app: {tags: {tier: app}}\n"
        "allow:\n- from: web\n  to: app\n  traffic: all\n",
        encoding="utf-8",
    )
    log = Log()
    log.saw("eni-web1", "eni-app", 8080, times=2, first=MONDAY, last=MONDAY + 3 * DAY)
    text = run(written, log)
    assert "#: tcp/8080: 2 connections from 1 of 2 to 1 of 1, 2026-10-12 to 2026-10-15, confidence high\n" in text
    assert "not seen" not in text
