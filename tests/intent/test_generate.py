"""From conversations to segments and allowances: what was kept is allowed, and nothing else."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudseg.intent import Allowance, Intent
from cloudseg.intent.generate import NOT_CARRIED
from cloudseg.intent.observations import NO_PORT, REFUSED
from cloudseg.segments import Choice, Segment, resolve_segments
from cloudseg.traffic import NO_TRAFFIC, AddressSet, Traffic
from tests.intent.observed import ID, MONDAY, Log, allowed, generated, shop, shop_builder

UNKNOWN = 3
WEB, APP = "shop/web/prod", "shop/app/prod"


def test_tiers_become_segments_by_their_tags_and_what_has_none_by_its_name() -> None:
    log = Log()
    log.saw("eni-web1", "eni-app", 8080)
    log.saw("eni-app", "eni-db", 5432)
    found = generated(log)
    choices = {segment.name: str(segment) for segment in found.segments}
    assert choices == {
        APP: "tags application=shop and tier=app and env=prod",
        WEB: "tags application=shop and tier=web and env=prod",
        "orders": "names orders",
    }
    assert found.untagged == ("orders",)
    assert allowed(found) == [f"{APP} to orders: tcp/5432", f"{WEB} to {APP}: tcp/8080"]


def test_labelled_interfaces_get_a_segment_though_nothing_was_seen_of_them_and_others_none() -> None:
    found = generated(Log())
    assert [segment.name for segment in found.segments] == [APP, WEB]
    assert found.allow == ()


def test_ports_between_two_segments_stand_in_one_entry() -> None:
    log = Log()
    log.saw("eni-web1", "eni-app", 8090)
    log.saw("eni-web2", "eni-app", 8080)
    log.saw("eni-web2", "eni-app", 8125, protocol=17)
    assert allowed(generated(log)) == [f"{WEB} to {APP}: tcp/8080, tcp/8090, udp/8125"]


def test_nothing_is_allowed_for_what_was_refused_or_whose_initiator_nobody_knows() -> None:
    log = Log()
    log.saw("eni-web1", "eni-app", 8080, verdict=REFUSED)
    log.saw("eni-web1", "eni-app", 8081, confidence=UNKNOWN, initiator_port=40000)
    found = generated(log)
    assert found.allow == ()
    assert found.dropped == {"refused": 1, "unknown-initiator": 1}
    (left,) = found.left
    assert (left.source, left.target) == (WEB, APP)
    assert left.traffic == "tcp/8081 or, the other way round, tcp/40000"


@pytest.mark.semantics(118)
def test_what_the_estate_does_not_carry_is_listed_and_not_allowed() -> None:
    log = Log()
    log.saw("eni-web1", "eni-db", 5432)
    found = generated(log)
    assert found.allow == ()
    assert found.dropped == {NOT_CARRIED: 1}
    assert [(left.source, left.target, left.traffic) for left in found.left] == [(WEB, "eni-db", "tcp/5432")]
    assert "nothing in the estate carries it today" in found.left[0].reason


@pytest.mark.semantics(118)
def test_what_is_carried_the_other_way_round_only_is_told_as_such() -> None:
    log = Log()
    log.saw("eni-db", "eni-app", 8080, confidence=1)
    (left,) = generated(log).left
    assert "the other way round" in left.reason


def test_members_of_one_segment_may_talk_to_each_other_only_where_they_did() -> None:
    log = Log()
    log.saw("eni-web1", "eni-web2", 443)
    assert allowed(generated(log)) == [f"{WEB} to {WEB}: tcp/443"]


def test_icmp_is_all_of_it_since_logs_keep_no_type() -> None:
    log = Log()
    log.saw("eni-app", "eni-db", NO_PORT, protocol=1, times=3)
    assert allowed(generated(log)) == [f"{APP} to orders: icmp"]


def test_what_has_an_end_that_nobody_knows_is_listed_with_the_reason() -> None:
    log = Log()
    log.saw("eni-app", "? it is gone", 443)
    log.saw("? it is gone", "eni-app", 8080)
    log.saw("? it stands elsewhere", "? it is gone", 8080)
    found = generated(log)
    assert (found.allow, found.dropped) == ((), {"unknown-end": 3})
    assert [(left.reason, left.source, left.target, left.traffic) for left in found.left] == [
        ("an end is not known: it is gone", "? it is gone", APP, "tcp/8080"),
        ("an end is not known: it is gone", APP, "? it is gone", "tcp/443"),
        ("an end is not known: it stands elsewhere", "? it stands elsewhere", "? it is gone", "tcp/8080"),
    ]


class TestGranularity:
    def test_by_application_the_tiers_are_one_segment_with_all_ports(self) -> None:
        log = Log()
        log.saw("eni-web1", "eni-app", 8080)
        log.saw("198.51.100.4", "eni-web1", 443)
        found = generated(log, granularity="application")
        assert allowed(found) == ["outside 198.51.100.4 to shop/prod: tcp/443", "shop/prod to shop/prod: tcp"]
        members = resolve_segments(found.segments, shop()).members["shop/prod"]
        assert members == tuple(sorted(map(ID, ("eni-app", "eni-web1", "eni-web2"))))

    def test_by_tier_all_ports_of_the_protocol_are_open_inside_and_none_but_the_seen_ones_outside(self) -> None:
        log = Log()
        log.saw("eni-web1", "eni-app", 8080)
        log.saw("eni-app", "198.51.100.4", 443)
        found = generated(log, granularity="tier")
        assert allowed(found) == [f"{APP} to outside 198.51.100.4: tcp/443", f"{WEB} to {APP}: tcp"]


class TestDenseRanges:
    def test_eight_neighbouring_ports_become_a_range(self) -> None:
        log = Log()
        for port in (8080, 8081, 8082, 8083, 8084, 8086, 8087, 8088, 8089):
            log.saw("eni-web1", "eni-app", port)
        assert allowed(generated(log)) == [f"{WEB} to {APP}: tcp/8080-8089"]

    def test_seven_do_not(self) -> None:
        log = Log()
        for port in (8080, 8081, 8082, 8083, 8084, 8085, 8087):
            log.saw("eni-web1", "eni-app", port)
        assert allowed(generated(log)) == [f"{WEB} to {APP}: tcp/8080-8085, tcp/8087"]

    def test_half_of_a_range_does_not(self) -> None:
        log = Log()
        for port in range(8080, 8098, 2):
            log.saw("eni-web1", "eni-app", port)
        (entry,) = generated(log).allow
        assert entry.traffic.ports_of(6).size == 9


class TestExisting:
    def written(self, *allow: Allowance) -> Intent:
        front = Segment(name="front", choice=Choice(tags={"tier": ("web",)}))
        back = Segment(name="back", choice=Choice(tags={"tier": ("app",)}))
        return Intent(segments=(front, back), allow=allow)

    def test_interfaces_stay_in_the_segments_that_people_wrote(self) -> None:
        log = Log()
        log.saw("eni-web1", "eni-app", 8080)
        found = generated(log, existing=self.written())
        assert (found.segments, allowed(found)) == ((), ["front to back: tcp/8080"])

    def test_what_is_allowed_already_is_not_allowed_again(self) -> None:
        log = Log()
        log.saw("eni-web1", "eni-app", 8080)
        log.saw("eni-web1", "eni-app", 8081)
        entry = Allowance(sources=("front",), targets=("back",), traffic=Traffic.parse("tcp/8080"))
        assert allowed(generated(log, existing=self.written(entry))) == ["front to back: tcp/8081"]

    def test_an_entry_that_is_over_is_not_taken_back_by_a_new_one(self) -> None:
        log = Log()
        log.saw("eni-web1", "eni-app", 8080)
        entry = Allowance(
            sources=("front",), targets=("back",), traffic=Traffic.parse("tcp/8080"), expires="2020-01-31"
        )
        assert generated(log, existing=self.written(entry)).allow == ()

    def test_who_is_in_several_segments_counts_for_the_smallest(self) -> None:
        everybody = Segment(name="all", choice=Choice(tags={"application": ("shop",)}))
        intent = self.written()
        log = Log()
        log.saw("eni-web1", "eni-app", 8080)
        found = generated(log, existing=Intent(segments=(everybody, *intent.segments)))
        assert allowed(found) == ["front to back: tcp/8080"]

    def test_a_name_that_is_taken_is_not_taken_again(self) -> None:
        odd = Segment(name="orders", choice=Choice(tags={"tier": ("none",)}))
        log = Log()
        log.saw("eni-app", "eni-db", 5432)
        found = generated(log, existing=Intent(segments=(odd,)))
        assert allowed(found) == [f"{APP} to orders-2: tcp/5432"]


INTERFACES = ("eni-web1", "eni-web2", "eni-app", "eni-db")
CARRIED = [
    *((web, "eni-app", port) for web in ("eni-web1", "eni-web2") for port in (8080, 8081, 8083, 8085, 8090)),
    ("eni-app", "eni-db", 5432),
    ("eni-web1", "eni-web2", 443),
    ("eni-web2", "eni-web1", 22),
    *(("198.51.100.4", web, port) for web in ("eni-web1", "eni-web2") for port in (22, 443)),
    ("192.0.2.1", "eni-web1", 22),
    ("eni-app", "192.0.2.1", 443),
]
NAMES = {"eni-web1": "web", "eni-web2": "web", "eni-app": "app", "eni-db": "db"}


@settings(max_examples=60, deadline=None)
@given(kept=st.sets(st.sampled_from(CARRIED)), refused=st.sets(st.sampled_from(CARRIED)))
def test_it_allows_what_was_kept_and_nothing_between_segments_that_did_not_talk(
    kept: set[tuple[str, str, int]], refused: set[tuple[str, str, int]]
) -> None:
    log = Log()
    for source, target, port in sorted(kept):
        log.saw(source, target, port, times=4)
    for source, target, port in sorted(refused):
        log.saw(source, target, port, verdict=REFUSED)
    found = generated(log)
    intent = found.onto(Intent())
    segmentation = resolve_segments(intent.segments, shop())
    matrix = intent.allowed(segmentation, "2026-11-16")

    def segments(end: str) -> tuple[str, ...]:
        if end in NAMES:
            return segmentation.segments_of(ID(end))
        (piece,) = segmentation.split(AddressSet.parse(end))
        return piece.segments

    # Interfaces of one tier are one segment, worked out here by the table of the shop alone.
    tier = {**NAMES, "198.51.100.4": "198.51.100.4", "192.0.2.1": "192.0.2.1"}
    seen = [(tier[source], tier[target], port) for source, target, port in kept]
    for source, target in product(tier.items(), tier.items()):
        if source[0] not in NAMES and target[0] not in NAMES:
            continue
        expected = NO_TRAFFIC
        for one, other, port in seen:
            if (one, other) == (source[1], target[1]):
                expected |= Traffic.ports(6, port, port)
        assert matrix.for_segments(segments(source[0]), segments(target[0])) == expected, (source, target)


def test_it_is_the_same_in_whatever_order_conversations_come() -> None:
    one, other = Log(), Log()
    for source, target, port in CARRIED:
        one.saw(source, target, port, times=2)
    for source, target, port in reversed(CARRIED):
        other.saw(source, target, port, times=2)
    first, second = generated(one), generated(other)
    assert first[:2] == second[:2]
    assert len(first.allow) > 4


def test_hostile_names_make_names_that_a_file_can_hold() -> None:
    builder = shop_builder()
    builder.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.30", name="a\n#: b\x1b[31m *" + "x" * 200)
    log = Log()
    log.saw("eni-app", "eni-db", 5432)
    found = generated(log, builder.build())
    (segment,) = (each for each in found.segments if each.name not in {WEB, APP})
    assert segment.name.isprintable()
    assert len(segment.name) <= 100


def test_the_numbers_of_the_evidence_are_those_of_the_log() -> None:
    log = Log()
    log.saw("eni-web1", "eni-app", 8080, times=3, first=MONDAY)
    log.saw("eni-web2", "eni-app", 8080, times=4, first=MONDAY + 86_400)
    (fact,) = generated(log).facts
    assert (fact.connections, fact.conversations, len(fact.initiators), len(fact.responders)) == (7, 2, 2, 1)
    assert (fact.first, fact.last) == (MONDAY, MONDAY + 5 * 86_400)


def test_a_port_that_no_packet_can_bear_is_listed_and_allowed_nowhere() -> None:
    log = Log()
    log.saw("? gone", "eni-app", 99_999)
    log.saw("? gone", "eni-app", 80, protocol=300)
    found = generated(log)
    assert allowed(found) == []
    assert [each.conversations for each in found.left] == [1, 1]
