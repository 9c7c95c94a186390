"""Where rules stand that stand in for another one in an ordered list."""

from __future__ import annotations

import msgspec
import pytest

from cloudseg.checks.example_gcp import gcp_rule
from cloudseg.checks.example_nsgs import nsg_rule
from cloudseg.model import Everything, Rule, RuleSet
from cloudseg.remediations.priorities import free_priorities


def _list(provider: str, *rules: Rule, kind: str = "network-security-group") -> RuleSet:
    return RuleSet(id=f"{provider}:scope:list", kind=kind, stage="nic-nsg", applies=Everything(), rules=rules)


OLD = nsg_rule("ingress", 200, "tcp/443", "10.1.1.0/24")


@pytest.mark.parametrize(
    ("others", "count", "expected"),
    [
        ((), 2, (199, 198)),
        # Both gaps beside the rule are asked before places beyond its neighbours.
        ((nsg_rule("ingress", 199, "tcp/22"),), 1, (201,)),
        ((nsg_rule("ingress", 198, "tcp/22"), nsg_rule("ingress", 202, "tcp/22")), 3, (199, 201, 197)),
        # The other direction has priorities of its own.
        ((nsg_rule("egress", 199, "tcp/443"),), 1, (199,)),
    ],
)
def test_the_nearest_free_places_beside_the_rule_are_taken(
    others: tuple[Rule, ...], count: int, expected: tuple[int, ...]
) -> None:
    assert free_priorities((_list("azure", OLD, *others),), OLD, count) == expected


def test_no_place_before_a_denial_of_the_same_traffic_that_stands_before_the_rule_is_taken() -> None:
    denial = nsg_rule("ingress", 199, "tcp/443", "10.1.1.5/32", deny=True)

    assert free_priorities((_list("azure", OLD, denial),), OLD, 2) == (201, 202)


def test_no_place_behind_a_denial_that_stands_behind_the_rule_is_taken() -> None:
    before = nsg_rule("ingress", 199, "tcp/443", "10.1.1.5/32", deny=True)
    behind = nsg_rule("ingress", 201, "all", "*", deny=True)

    assert free_priorities((_list("azure", OLD, before, behind),), OLD, 1) is None


def test_a_denial_of_other_traffic_does_not_stand_in_the_way() -> None:
    denial = nsg_rule("ingress", 199, "udp/53", "*", deny=True)

    assert free_priorities((_list("azure", OLD, denial),), OLD, 2) == (201, 202)
    assert free_priorities((_list("azure", OLD, denial, nsg_rule("ingress", 201, "tcp/80")),), OLD, 1) == (198,)


def test_nsgs_begin_at_100_and_end_at_4096() -> None:
    first, last = (msgspec.structs.replace(OLD, priority=number) for number in (100, 4096))

    assert free_priorities((_list("azure", first),), first, 1) == (101,)
    assert free_priorities((_list("azure", last),), last, 2) == (4095, 4094)


def test_places_are_free_only_where_they_are_in_every_list() -> None:
    one, other = _list("azure", OLD), _list("azure", OLD, nsg_rule("ingress", 199, "tcp/22"))

    assert free_priorities((one, other), OLD, 1) == (201,)


def test_vpc_firewall_rules_share_a_priority_and_groups_have_none() -> None:
    rule = gcp_rule("web", "ingress", "tcp/443", "10.2.1.0/24")
    plain = msgspec.structs.replace(OLD, priority=None)

    assert free_priorities((_list("gcp", rule, kind="vpc-firewall-rules"),), rule, 2) == (1000, 1000)
    assert free_priorities((_list("aws", plain, kind="security-group"),), plain, 2) == (None, None)


def test_rules_of_firewall_policies_have_priorities_of_their_own() -> None:
    rule = gcp_rule("0", "ingress", "tcp/443", "10.2.1.0/24", priority=0, vpc=False)

    assert free_priorities((_list("gcp", rule, kind="network-firewall-policy"),), rule, 2) == (1, 2)
