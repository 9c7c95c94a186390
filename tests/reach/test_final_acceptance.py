"""What a stage accepts for good passes whatever stands behind it; what it hands on, the next stage judges."""

import dataclasses

import pytest

from cloudseg.checks.example_clusters import ClusterBuilder
from cloudseg.model import (
    ANYONE,
    Addresses,
    Everything,
    Group,
    GroupRef,
    Labelled,
    Peer,
    Pipeline,
    Rule,
    RuleSet,
    Stage,
    Verdict,
)
from cloudseg.reach.near_ends import concerning
from cloudseg.reach.packets import traffic_of
from cloudseg.reach.passage import find_passage
from cloudseg.reach.way_in import WayIn, WaysIn
from cloudseg.traffic import ALL_ADDRESSES, AddressSet, Traffic

WEB = "kubernetes:manifests:shop/web[Deployment]"
FIRST = Stage(name="tier", at="interface", stateful=True, match="first", miss="next")
LAST = Stage(name="network-policies", at="interface", stateful=True, match="any", miss="deny")
PIPELINE = Pipeline(name="two", ingress=(FIRST, LAST), egress=())


def rule(verdict: Verdict, *, exact: bool = True, local: tuple[Peer, ...] = ANYONE) -> Rule:
    everywhere = (Addresses(ALL_ADDRESSES),)
    return Rule(
        id="r", direction="ingress", verdict=verdict, traffic=Traffic.parse("tcp/80"), remote=everywhere, local=local,
        priority=1, exact=exact,
    )  # fmt: skip


def passed(first: Rule, last: tuple[Rule, ...]) -> tuple[str, str]:
    """What certainly passes a tier and a stage that denies what nobody admits, and what passes at most."""
    b = ClusterBuilder()
    b.workload("shop", "web")
    lists = {
        "tier": RuleSet(id="kubernetes:manifests:t", kind="t", stage="tier", rules=(first,), applies=Everything()),
        "last": RuleSet(
            id="kubernetes:manifests:l", kind="l", stage="network-policies", rules=last, applies=Everything()
        ),
    }
    estate = dataclasses.replace(b.build(), rule_sets=lists)
    ways = WaysIn((WayIn(ALL_ADDRESSES, Traffic.parse("tcp/80-81"), certain=True, text=""),))
    packets = find_passage(estate.interfaces[WEB], ways, "", estate, PIPELINE).packets
    return str(traffic_of(packets.lower)), str(traffic_of(packets.upper))


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (rule("accept"), (), ("tcp/80", "tcp/80")),
        (rule("next"), (), ("none", "none")),
        (rule("deny"), (rule("next"),), ("none", "none")),
        (rule("next"), (rule("next"),), ("tcp/80", "tcp/80")),
        (rule("accept", exact=False), (), ("none", "tcp/80")),
        (rule("deny", exact=False), (rule("next"),), ("none", "tcp/80")),
    ],
)
def test_a_tier_accepts_for_good_or_hands_on(first: Rule, last: tuple[Rule, ...], expected: tuple[str, str]) -> None:
    assert passed(first, last) == expected


@pytest.mark.parametrize(
    ("peer", "found"),
    [
        (GroupRef("web"), [True]),
        (GroupRef("api"), []),
        (GroupRef("gone"), [False]),
        (Addresses(AddressSet.parse("10.0.0.0/8")), [False]),
    ],
)
def test_a_rule_concerns_its_near_end_and_perhaps_whoever_is_not_known(peer: Peer, found: list[bool]) -> None:
    b = ClusterBuilder()
    b.workload("shop", "web")
    groups = {
        name: Group(id=name, kind="g", selector=Labelled("app", "In", frozenset((name,)))) for name in ("web", "api")
    }
    estate = dataclasses.replace(b.build(), groups=groups)
    rules = concerning([rule("next", local=(peer,))], estate.interfaces[WEB], estate)
    assert [each.exact for each in rules] == found
