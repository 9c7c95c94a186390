"""What says nothing about intents is dropped, each conversation for one reason that is counted."""

import pytest

from cloudseg.intent.noise import NOISE, sort_out
from cloudseg.intent.observations import NO_PORT, REFUSED
from tests.intent.observed import Log

OUTSIDE = "198.51.100.4"
MEDIUM, UNKNOWN = 1, 3


def dropped(log: Log) -> dict[str, int]:
    return {reason: len(places) for reason, places in sort_out(log.observations).dropped.items()}


def test_a_conversation_of_two_interfaces_is_kept() -> None:
    log = Log()
    log.saw("eni-web1", "eni-app", 8080)
    assert (dropped(log), sort_out(log.observations).kept.tolist()) == ({}, [0])


def test_an_empty_log_drops_nothing() -> None:
    assert dropped(Log()) == {}


def test_refused_ones_are_dropped() -> None:
    log = Log()
    log.saw("eni-web1", "eni-app", 8080, verdict=REFUSED)
    assert dropped(log) == {"refused": 1}


def test_an_unknown_initiator_is_never_kept() -> None:
    log = Log()
    log.saw("eni-web1", "eni-app", 8080, confidence=UNKNOWN)
    assert dropped(log) == {"unknown-initiator": 1}


def test_an_end_that_nobody_knows_is_dropped_on_either_side() -> None:
    log = Log()
    log.saw("? gone", "eni-app", 8080)
    log.saw("eni-app", "? gone", 8080)
    assert dropped(log) == {"unknown-end": 2}


def test_what_passes_between_two_addresses_outside_is_nobody_s_here() -> None:
    log = Log()
    log.saw(OUTSIDE, "203.0.113.99", 443)
    assert dropped(log) == {"outside-only": 1}


@pytest.mark.parametrize("address", ["239.1.2.3", "255.255.255.255", "ff02::fb"])
def test_what_goes_to_many_at_once_is_dropped(address: str) -> None:
    log = Log()
    log.saw("eni-web1", address, 5353, protocol=17)
    assert dropped(log) == {"multicast": 1}


@pytest.mark.parametrize(("protocol", "port"), [(6, NO_PORT), (17, NO_PORT), (-1, NO_PORT), (300, 80), (6, 99_999)])
def test_traffic_that_the_log_does_not_name_is_not_taken_for_all_of_it(protocol: int, port: int) -> None:
    log = Log()
    log.saw("eni-web1", "eni-app", port, protocol=protocol)
    assert dropped(log) == {"unnamed-traffic": 1}


def test_icmp_has_no_port_and_is_kept() -> None:
    log = Log()
    log.saw("eni-app", "eni-db", NO_PORT, protocol=1)
    assert dropped(log) == {}


class TestScans:
    def test_a_source_outside_that_tried_five_doors_in_vain_is_a_scan_with_all_that_it_did(self) -> None:
        log = Log()
        for port in range(1, 6):
            log.saw(OUTSIDE, "eni-web1", port, verdict=REFUSED)
        log.saw(OUTSIDE, "eni-web1", 443)
        assert dropped(log) == {"scan": 6}

    def test_whom_nobody_knows_to_have_opened_it_stays_for_people_to_judge(self) -> None:
        log = Log()
        for port in range(1, 6):
            log.saw(OUTSIDE, "eni-web1", port, verdict=REFUSED)
        log.saw(OUTSIDE, "eni-web1", 443, confidence=UNKNOWN)
        assert dropped(log) == {"scan": 5, "unknown-initiator": 1}

    def test_refused_ones_that_nobody_knows_to_have_opened_make_nobody_a_scanner(self) -> None:
        log = Log()
        for port in range(1, 6):
            log.saw(OUTSIDE, "eni-web1", port, verdict=REFUSED, confidence=UNKNOWN)
        log.saw(OUTSIDE, "eni-web1", 443, times=3)
        assert dropped(log) == {"refused": 5}

    def test_four_doors_make_no_scan(self) -> None:
        log = Log()
        for port in range(1, 5):
            log.saw(OUTSIDE, "eni-web1", port, verdict=REFUSED)
        assert dropped(log) == {"refused": 4}

    def test_one_door_that_was_tried_often_is_no_scan(self) -> None:
        log = Log()
        for number in range(9):
            log.saw(OUTSIDE, "eni-web1", 22, verdict=REFUSED, first=number)
        assert dropped(log) == {"refused": 9}

    def test_a_let_in_source_without_answers_scans_as_well(self) -> None:
        log = Log()
        for port in range(1, 11):
            log.saw(OUTSIDE, "eni-web1", port, packets_back=0)
        assert dropped(log) == {"scan": 10}

    def test_who_mostly_gets_answers_is_no_scanner(self) -> None:
        log = Log()
        for port in range(1, 11):
            log.saw(OUTSIDE, "eni-web1", port, verdict=REFUSED)
        for port in range(100, 112):
            log.saw(OUTSIDE, "eni-web1", port, times=5)
        assert dropped(log) == {"refused": 10}

    def test_an_interface_of_the_estate_is_no_scanner(self) -> None:
        log = Log()
        for port in range(1, 11):
            log.saw("eni-web1", "eni-app", port, verdict=REFUSED)
        assert dropped(log) == {"refused": 10}


class TestOneOff:
    def test_one_connection_that_got_no_answer_is_dropped(self) -> None:
        log = Log()
        log.saw("eni-web1", "eni-app", 8080, packets_back=0, records=1)
        assert dropped(log) == {"one-off": 1}

    def test_one_tcp_connection_without_a_word_is_dropped(self) -> None:
        log = Log()
        log.saw("eni-web1", "eni-app", 8080, bytes=320)
        assert dropped(log) == {"one-off": 1}

    def test_one_short_question_over_udp_that_was_answered_is_kept(self) -> None:
        log = Log()
        log.saw("eni-web1", "eni-app", 8125, protocol=17, bytes=120)
        assert dropped(log) == {}

    def test_two_connections_are_no_accident(self) -> None:
        log = Log()
        log.saw("eni-web1", "eni-app", 8080, times=2, packets_back=0)
        assert dropped(log) == {}

    def test_a_log_that_counts_no_packets_shows_no_lack_of_answers(self) -> None:
        log = Log()
        log.saw("eni-web1", "eni-app", 8080, packets=0, packets_back=0, bytes=0, records=1)
        assert dropped(log) == {}

    def test_a_long_lived_connection_without_a_handshake_is_kept(self) -> None:
        log = Log()
        log.saw("eni-app", "eni-db", 5432, connections=0, records=4000)
        assert dropped(log) == {}


class TestEphemeral:
    def test_a_port_that_clients_take_is_dropped_where_nothing_proves_it(self) -> None:
        log = Log()
        log.saw("eni-web1", "eni-app", 32768, times=3, confidence=MEDIUM)
        log.saw("eni-web1", "eni-app", 32767, times=3, confidence=MEDIUM)
        assert dropped(log) == {"ephemeral": 1}

    def test_a_proved_one_is_kept(self) -> None:
        log = Log()
        log.saw("eni-web1", "eni-app", 50051, times=3)
        assert dropped(log) == {}

    def test_eight_of_them_at_one_responder_are_dropped_even_if_proved(self) -> None:
        log = Log()
        for port in range(49200, 49208):
            log.saw("eni-web1", "eni-app", port, times=3)
        assert dropped(log) == {"ephemeral": 8}


def test_every_reason_is_one_that_is_told() -> None:
    log = Log()
    log.saw("? gone", "eni-app", 8080, verdict=REFUSED)
    assert set(dropped(log)) <= set(NOISE)
    assert dropped(log) == {"unknown-end": 1}
