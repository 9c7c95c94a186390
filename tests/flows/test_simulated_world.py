"""What the drawn worlds are like: a trap that is never drawn is never tested."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from random import Random

import pytest

from tests.flows.checked import PROVIDERS
from tests.flows.simulated.expected import expected
from tests.flows.simulated.seen import Case, draw_case

_SEEDS = range(25)


@lru_cache
def cases(provider: str) -> list[Case]:
    return [draw_case(Random(seed), provider, 40) for seed in _SEEDS]


@pytest.mark.parametrize(
    ("provider", "verdicts"),
    [
        ("aws", {"accepted", "refused", "reply-refused"}),
        ("azure", {"accepted", "refused"}),
        ("gcp", {"accepted", "refused"}),
        ("kubernetes", {"accepted", "refused"}),
    ],
)
def test_each_verdict_comes_up_in_one_conversation_of_fifty(provider: str, verdicts: set[str]) -> None:
    counted = Counter(each.verdict for case in cases(provider) for each in expected(case))
    assert {verdict for verdict, count in counted.items() if count / counted.total() > 0.02} == verdicts


@pytest.mark.parametrize("kind", ["machine", "nat", "balancer", "transit"])
def test_every_kind_of_interface_reports(kind: str) -> None:
    assert sum(seen.leg.card.kind == kind for case in cases("aws") for seen in case.seen) > 300


@pytest.mark.parametrize("lost", ["tcp-flags", "pkt-srcaddr", "flow-direction", "vpc-id"])
def test_some_formats_lack_what_others_tell(lost: str) -> None:
    networks = [network for case in cases("aws") for network in case.world.networks if network.fields]
    assert 0.03 < sum(lost not in network.fields for network in networks) / len(networks) < 0.5


def test_some_addresses_move_and_some_networks_share_a_range() -> None:
    assert sum(case.world.replaced is not None for case in cases("aws")) > 7
    assert sum(len(case.world.networks) == 4 for case in cases("aws")) > 7


def test_some_conversations_cannot_be_told_and_most_can() -> None:
    counted = Counter(each.sure for case in cases("aws") for each in expected(case))
    assert 0.4 < counted[True] / counted.total() < 0.9


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_same_seed_draws_the_same_case(provider: str) -> None:
    assert draw_case(Random(3), provider, 20) == draw_case(Random(3), provider, 20)
