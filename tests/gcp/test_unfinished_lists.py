"""Lists that go on elsewhere, or lack places that were not reached, leave open what the rest of them may decide."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from cloudseg.cli.sources import translate
from cloudseg.reach.reachability import Reachability
from cloudseg.snapshot import Snapshot
from cloudseg.traffic import AddressSet, Traffic
from tests.gcp.agreeing import snapshot_of
from tests.gcp.raw_parts import vpc
from tests.gcp.shapes import OUTSIDE, one_network

if TYPE_CHECKING:
    from cloudseg.model import Estate
    from tests.gcp.oracle_records import Json

HTTPS = Traffic.ports(6, 443, 443)
ELSEWHERE = vpc("allow", "tcp:22", target_tags=["nobody"])
UNFINISHED: list[dict[str, Any]] = [
    {"nextPageToken": "more"},
    {"unreachables": ["zones/us-central1-b"]},
    {"warning": {"code": "UNREACHABLE"}},
]


def _bounds(estate: Estate) -> tuple[bool, bool]:
    """Whether HTTPS from outside to ``b`` passes surely, and at most."""
    target = next(own for own in estate.interfaces if own.endswith("/instances/b/nic0"))
    found = Reachability(estate).between(AddressSet.parse(OUTSIDE), target)
    return found.lower >= HTTPS, found.upper >= HTTPS


def _estate(*rules: Json, public: bool = True, more: dict[str, Any] | None = None, operation: str = "") -> Estate:
    """``b`` under these VPC rules; the answer to an operation has ``more`` beside its list, without it is missing."""
    whole = snapshot_of(one_network(*rules, public=["b"] if public else []).answers)
    parts = {part: deepcopy(whole.read(part)) for part in whole.parts()}
    for part in [part for part in parts if part.operation == operation]:
        if more is None:
            del parts[part]
        else:
            answer: Any = parts[part]
            answer.update(more)
    return translate(Snapshot.of(parts))


def test_a_whole_list_of_rules_without_one_for_it_refuses() -> None:
    assert _bounds(_estate(ELSEWHERE)) == (False, False)


@pytest.mark.parametrize("more", UNFINISHED)
def test_a_rule_of_the_rest_of_a_list_may_admit(more: dict[str, Any]) -> None:
    assert _bounds(_estate(ELSEWHERE, operation="firewalls", more=more)) == (False, True)


@pytest.mark.parametrize("more", UNFINISHED)
def test_a_rule_of_the_rest_of_a_list_may_deny(more: dict[str, Any]) -> None:
    assert _bounds(_estate(vpc("allow"))) == (True, True)
    assert _bounds(_estate(vpc("allow"), operation="firewalls", more=more)) == (False, True)


def test_a_warning_that_nothing_was_found_is_no_gap() -> None:
    estate = _estate(ELSEWHERE, operation="firewalls", more={"warning": {"code": "NO_RESULTS_ON_PAGE"}})

    assert (_bounds(estate), estate.gaps) == ((False, False), ())


def test_a_rule_that_cannot_be_read_may_admit_beside_others_that_can() -> None:
    assert _bounds(_estate(ELSEWHERE, {**vpc("allow", "tcp:443"), "disabled": None})) == (False, True)


@pytest.mark.parametrize("more", [None, *UNFINISHED])
def test_machines_may_be_behind_forwarding_rules_that_were_not_read(more: dict[str, Any] | None) -> None:
    assert _bounds(_estate(vpc("allow"), public=False)) == (False, False)
    assert _bounds(_estate(vpc("allow"), public=False, operation="forwarding_rules", more=more)) == (False, True)
