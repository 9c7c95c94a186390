"""Answers about policies that are incomplete or odd leave verdicts open: nothing of them is taken for closed."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, cast

import pytest

from cloudseg.reach.reachability import Reachability
from cloudseg.snapshot import Snapshot
from cloudseg.traffic import AddressSet, Traffic
from tests.gcp.agreeing import snapshot_of, translated
from tests.gcp.raw_parts import policy_rule, vpc
from tests.gcp.shapes import OUTSIDE, one_network

if TYPE_CHECKING:
    from cloudseg.model import Estate
    from cloudseg.reach.reachability import Verdict
    from tests.gcp.oracle_records import Answers, Json
    from tests.gcp.raw import Raw

HTTPS = Traffic.ports(6, 443, 443)
ALLOW = policy_rule(100, "allow")


def _from_outside(estate: Estate) -> Verdict:
    target = next(own for own in estate.interfaces if own.endswith("/instances/b/nic0"))
    return Reachability(estate).between(AddressSet.parse(OUTSIDE), target)


def _is_open(estate: Estate) -> bool:
    """Whether HTTPS from outside is neither refused nor sure."""
    found = _from_outside(estate)
    return found.upper >= HTTPS and not found.lower >= HTTPS


def _reasons(estate: Estate) -> list[str]:
    return [each.detail for each in estate.gaps]


def _with_policy(*rules: Json) -> Raw:
    raw = one_network(public=["b"])
    raw.policy("shield", ["main"], *rules)
    return raw


def _spoiled(raw: Raw, operation: str, **changes: object) -> Answers:
    """The answers with fields of each policy of an operation changed; None takes a field away."""
    answers: Any = {place: deepcopy(answer) for place, answer in raw.answers.items()}
    for place, answer in answers.items():
        for policy in (
            answer.get("items" if "items" in answer else "firewallPolicys", ()) if place[2] == operation else ()
        ):
            policy.update(changes)
            for name in [name for name, value in changes.items() if value is None]:
                del policy[name]
    return cast("Answers", answers)


@pytest.mark.parametrize("kind", [None, "UNSPECIFIED", "SYSTEM_GLOBAL"])
def test_a_policy_above_of_a_type_without_a_place_leaves_verdicts_open(kind: str | None) -> None:
    raw = one_network(public=["b"])
    raw.above("main", [ALLOW])

    estate = translated(_spoiled(raw, "network_effective_firewalls", type=kind))

    assert _is_open(estate)
    assert any("which has no known place" in text for text in _reasons(estate))


def test_a_policy_of_googles_without_a_type_leaves_verdicts_open() -> None:
    raw = one_network(public=["b"])
    raw.system("main", "europe-west1", ALLOW)

    assert _is_open(translated(_spoiled(raw, "region_effective_firewalls", type=None)))


def test_a_policy_above_without_its_rules_leaves_verdicts_open() -> None:
    raw = one_network(public=["b"])
    raw.above("main", [ALLOW])

    estate = translated(_spoiled(raw, "network_effective_firewalls", rules=None))

    assert _is_open(estate)
    assert any("its rules are missing" in text for text in _reasons(estate))


def test_a_network_policy_without_its_rules_leaves_verdicts_open() -> None:
    assert _is_open(translated(_spoiled(_with_policy(ALLOW), "network_firewall_policies", rules=None)))


def test_a_policy_at_a_network_that_nobody_knows_leaves_verdicts_open() -> None:
    answers = _spoiled(_with_policy(ALLOW), "network_firewall_policies", associations=[{"name": "with-main"}])

    assert _is_open(translated(answers))


def test_a_policy_stands_at_the_network_that_it_names_by_number() -> None:
    raw = _with_policy(ALLOW)
    number = raw.item("main", "networks")["id"]
    at = [{"name": "with-main", "attachmentTarget": f"projects/1001/global/networks/{number}"}]

    assert _from_outside(translated(_spoiled(raw, "network_firewall_policies", associations=at))).lower >= HTTPS


def test_a_rule_is_for_the_network_that_it_names_by_number() -> None:
    raw = _with_policy()
    number = raw.item("main", "networks")["id"]
    rule = policy_rule(100, "allow", target_networks=[f"projects/shop/global/networks/{number}"])

    assert _from_outside(translated(_spoiled(raw, "network_firewall_policies", rules=[rule]))).lower >= HTTPS


@pytest.mark.parametrize("odd", [{"targetType": "MACHINES"}, {"direction": "INWARD"}])
def test_a_policy_rule_of_an_unknown_kind_leaves_verdicts_open(odd: Json) -> None:
    assert _is_open(translated(_with_policy({**ALLOW, **odd}).answers))


def test_a_vpc_rule_of_an_unknown_direction_leaves_verdicts_open() -> None:
    raw = one_network({**vpc("allow", "tcp:443"), "direction": "INWARD"}, public=["b"])

    assert _is_open(translated(raw.answers))


def test_targets_by_secure_tags_at_addresses_are_open_where_bindings_were_not_read() -> None:
    match = {"srcIpRanges": ["0.0.0.0/0"], "destIpRanges": ["10.1.2.0/24"]}
    raw = one_network(public=["b"], secure=True)
    raw.policy("shield", ["main"], policy_rule(100, "allow", target_secure=["tagValues/2"], match=match))
    whole = snapshot_of(raw.answers)

    parts = {part: whole.read(part) for part in whole.parts() if part.operation != "tag_bindings"}

    assert _from_outside(translated(raw.answers)).lower >= HTTPS
    assert _is_open(_of(Snapshot.of(parts)))


def _of(snapshot: Snapshot) -> Estate:
    from cloudseg.cli.sources import translate

    return translate(snapshot)
