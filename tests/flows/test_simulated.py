"""Drawn worlds: what happened in them comes out of the logs, once, the right way round, and always the same."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.flows.checked import PROVIDERS, check, rows_of
from tests.flows.simulated.seen import draw_case

if TYPE_CHECKING:
    from cloudseg.flows.conversations import Conversation
    from tests.flows.simulated.seen import Case

SEEDS = st.integers(0, 10**6)


@pytest.mark.semantics(119)
@pytest.mark.parametrize("provider", PROVIDERS)
@settings(max_examples=6)
@given(seed=SEEDS)
def test_every_conversation_comes_out_once_and_the_right_way_round(provider: str, seed: int) -> None:
    assert check(provider, seed, 30).judgement.problems == []


@pytest.mark.parametrize("provider", PROVIDERS)
@settings(max_examples=2)
@given(seed=SEEDS)
def test_how_files_are_cut_and_in_which_order_they_are_read_changes_nothing(provider: str, seed: int) -> None:
    case = draw_case(Random(seed), provider, 30)
    whole = rows_of(case, 1, threads=1)
    assert rows_of(case, 2, cuts=1, threads=2) == whole
    assert rows_of(case, 3, cuts=5, threads=4) == whole


@settings(max_examples=3)
@given(seed=SEEDS)
def test_parquet_and_text_give_the_same_rows(seed: int) -> None:
    case = draw_case(Random(seed), "aws", 30)
    assert rows_of(_in_shape(case, "parquet"), 1) == rows_of(_in_shape(case, "text"), 1)


def _in_shape(case: Case, shape: str) -> Case:
    """The same case with all logs in one shape."""
    changed = {
        network.id: network if network.shape == "none" else network._replace(shape=shape)
        for network in case.world.networks
    }

    return case._replace(world=case.world._replace(networks=list(changed.values())))


def test_a_run_is_repeatable() -> None:
    one, two = (check("aws", 7) for _ in range(2))
    assert _shown(one.rows) == _shown(two.rows)


def _shown(rows: list[Conversation]) -> list[str]:
    return [f"{row}" for row in rows]
