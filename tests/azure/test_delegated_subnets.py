"""Subnets tell to which services of the platform they are handed, so that nobody takes their rules away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cloudseg.cli.sources import translate
from tests.azure.agreeing import snapshot_of
from tests.azure.raw import Raw

if TYPE_CHECKING:
    from cloudseg.model import Subnet


def subnet(delegation: str) -> Subnet:
    raw = Raw()
    raw.vnet("v1", "10.1.0.0/16")
    raw.subnet("v1", "s1", "10.1.1.0/24", delegation=delegation)
    return next(each for each in translate(snapshot_of(raw.answers)).subnets.values() if each.name == "s1")


@pytest.mark.semantics(133)
def test_a_delegated_subnet_names_the_service() -> None:
    assert subnet("Microsoft.Sql/managedInstances").delegated == ("Microsoft.Sql/managedInstances",)


def test_a_plain_subnet_is_delegated_to_nobody() -> None:
    assert subnet("").delegated == ()
