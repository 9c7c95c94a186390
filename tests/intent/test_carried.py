"""What the estate surely does not carry is never proposed; what it may carry is."""

import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.intent.carried import NOT_CARRIED, TURNED, carried_by
from cloudseg.reach.reachability import Reachability
from tests.intent.observed import OPEN, Log, reach_of, shop, shop_builder
from tests.reach.public_balancers import CLIENT, SENT, public_balancer


def judged(log: Log, builder: EstateBuilder | None = None) -> tuple[list[int], dict[str, list[int]]]:
    reach = reach_of(shop()) if builder is None else Reachability(builder.build())
    found = carried_by(reach, log.observations)
    return found.carried.tolist(), {words: places.tolist() for words, places in found.refused.items()}


def closed() -> EstateBuilder:
    """The shop with a web tier that lets nothing in."""
    builder = shop_builder()
    builder.group("sg-web", OPEN)
    return builder


@pytest.mark.semantics(118)
def test_each_conversation_is_judged_by_the_rules_and_routes_of_today() -> None:
    log = Log()
    log.saw("eni-web1", "eni-app", 8080)
    log.saw("eni-web1", "eni-app", 9999)
    log.saw("198.51.100.4", "eni-web1", 443)
    log.saw("198.51.100.4", "eni-web1", 25)
    log.saw("eni-app", "198.51.100.4", 443)
    assert judged(log) == ([0, 2, 4], {NOT_CARRIED: [1, 3]})


@pytest.mark.semantics(118)
def test_one_that_is_carried_the_other_way_round_only_is_told_apart() -> None:
    log = Log()
    log.saw("eni-db", "eni-app", 5432, confidence=1)
    log.saw("eni-db", "eni-web1", 5432, confidence=1)
    # Who opened the last one is proved.
    log.saw("eni-db", "eni-app", 5432)
    assert judged(log, closed()) == ([], {TURNED: [0], NOT_CARRIED: [1, 2]})


@pytest.mark.semantics(118)
def test_what_may_pass_because_something_was_not_read_is_kept() -> None:
    builder = shop_builder()
    builder.prefix_list("pl-1", read=False)
    builder.group("sg-db", allow("ingress", "tcp/5432", "pl-1"))
    log = Log()
    log.saw("eni-web1", "eni-db", 5432)
    assert judged(log, builder) == ([0], {})


def test_a_client_whose_address_a_load_balancer_keeps_comes_from_outside() -> None:
    log = Log()
    log.saw(CLIENT, "eni-app", 22)
    log.saw(CLIENT, "eni-app", 23)
    assert SENT == "tcp/22"
    assert judged(log, public_balancer()) == ([0], {NOT_CARRIED: [1]})


def test_what_an_interface_sends_to_itself_meets_no_rule() -> None:
    log = Log()
    log.saw("eni-web1", "eni-web1", 9999)
    log.saw("eni-web1", "eni-web2", 9999)
    assert judged(log) == ([0], {NOT_CARRIED: [1]})


def test_of_one_conversation_none_or_many_alike_each_has_its_answer() -> None:
    assert judged(Log()) == ([], {})
    log = Log()
    for _ in range(3):
        log.saw("eni-web1", "eni-app", 8080)
        log.saw("eni-web2", "eni-app", 9999)
    assert judged(log) == ([0, 2, 4], {NOT_CARRIED: [1, 3, 5]})
