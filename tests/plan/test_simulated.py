"""Plans of drawn estates open nothing and break nothing, in any state on the way, as an independent judge says.

The judge knows neither the engine nor the proof: it walks the lists of every state packet by packet.
"""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

import pytest

from cloudseg.plan.proving import second
from cloudseg.plan.settling import Verdict
from tests.plan.simulated.running import CLOUDS, Tally, result_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Estate
    from cloudseg.plan.ordering import Step
    from cloudseg.remediations.demand import Demand

_PLANS = int(os.environ.get("CLOUDSEG_SIMULATED_PLANS", "1000"))
_PARTS = 2
"""Each cloud's plans are made by so many tests, for workers to share."""
_DRAWN = 10
"""So many packets the proof draws by itself here: the judge tries all."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(second, "_PACKETS", _DRAWN)
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.semantics(14)
@pytest.mark.semantics(115)
@pytest.mark.semantics(117)
@pytest.mark.semantics(118)
@pytest.mark.semantics(121)
@pytest.mark.semantics(128)
@pytest.mark.parametrize("part", range(_PARTS))
@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_plan_gains_or_loses_anything(cloud: str, part: int) -> None:
    tally = Tally()
    share = _PLANS // len(CLOUDS) // _PARTS

    for seed in range(part * share, (part + 1) * share):
        tally.add(result_of(CLOUDS[cloud](seed)))

    assert not tally.faults, tally.told()
    assert tally.counts["plans"] == share
    assert tally.counts["not empty"] >= 0.8 * share
    assert tally.counts["needs"] >= 2 * share


def _holds(_estate: Estate, _steps: Sequence[Step], _demand: Demand) -> Verdict:
    return Verdict(holds=True)


def test_without_a_proof_the_judge_finds_what_remedies_lose_together() -> None:
    # By themselves remedies rarely lose anything and gain nothing: planted plans show what is gained.
    tally = Tally()

    for seed in (125, 153):
        tally.add(result_of(CLOUDS["aws"](seed), _holds))

    assert tally.counts["lost"]
