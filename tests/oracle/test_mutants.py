"""The harnesses catch planted faults of the engine: each makes it differ from the oracle on a drawn packet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.azure import mutants as azure
from tests.oracle.mutants import MUTANTS

_ROOT = Path(__file__).parents[2]


def said(name: str, harness: str = "tests.oracle.mutants") -> str:
    command = [sys.executable, "-m", harness, name]
    return subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("name", [name for name in MUTANTS if name != "none"])
def test_a_fault_is_caught(name: str) -> None:
    assert "Disagreement" in said(name)


@pytest.mark.parametrize("name", [name for name in azure.MUTANTS if name != "none"])
def test_a_fault_that_azure_alone_shows_is_caught(name: str) -> None:
    assert "Disagreement" in said(name, azure.__name__)


@pytest.mark.parametrize("harness", ["tests.oracle.mutants", azure.__name__])
def test_without_a_fault_nothing_is_found(harness: str) -> None:
    assert not said("none", harness)
