"""Networks with a profile, for remote memory access between machines: other stages judge there, and other defaults.

Sources: https://cloud.google.com/vpc/docs/rdma-network-profiles and
https://cloud.google.com/firewall/docs/firewall-for-roce
"""

from __future__ import annotations

import pytest

from tests.gcp.agreeing import translated
from tests.gcp.partly import passes
from tests.gcp.raw import API, REGION, Raw
from tests.gcp.raw_parts import Card, policy_rule, vpc

RDMA = "udp/4791"
PROFILES = ["us-central1-b-vpc-roce", "us-central1-b-vpc-roce-metal", "us-central1-b-vpc-falcon"]


def network(profile: str) -> Raw:
    """``a`` (10.1.1.2) and ``b`` (10.1.1.3) in a network of a profile; empty for an ordinary one."""
    raw = Raw()
    raw.network("main")
    if profile:
        raw.item("main", "networks")["networkProfile"] = f"{API}/projects/shop/global/networkProfiles/{profile}"
    raw.subnet("main", "sa", "10.1.1.0/24")
    raw.vm("a", Card("sa", "10.1.1.2"))
    raw.vm("b", Card("sa", "10.1.1.3"))
    return raw


@pytest.mark.parametrize("profile", PROFILES)
def test_what_no_rule_decides_is_let_in(profile: str) -> None:
    raw = network(profile)
    assert passes(raw, translated(raw.answers), "a", "b", RDMA) == "surely"


def test_an_ordinary_network_lets_nothing_in_by_itself() -> None:
    raw = network("")
    assert passes(raw, translated(raw.answers), "a", "b", RDMA) == "no"


def test_a_profile_that_is_not_known_may_let_in_anything() -> None:
    raw = network("us-central1-b-vpc-new")
    estate = translated(raw.answers)
    assert passes(raw, estate, "a", "b", RDMA) == "at most"
    assert [(gap.reason, gap.detail) for gap in estate.gaps] == [
        ("unsupported", "its profile us-central1-b-vpc-new is not known")
    ]


def test_the_policy_of_the_region_decides() -> None:
    raw = network(PROFILES[0])
    raw.policy("p", ["main"], policy_rule(1, "deny", sources=["0.0.0.0/0"]), region=REGION)
    assert passes(raw, translated(raw.answers), "a", "b", RDMA) == "no"


def test_answers_are_judged_like_any_packet() -> None:
    """The policy is stateless: who refuses packets of the other end gets no answers from there, either."""
    raw = network(PROFILES[0])
    raw.policy("p", ["main"], policy_rule(1, "deny", sources=["10.1.1.3/32"]), region=REGION)
    estate = translated(raw.answers)
    assert passes(raw, estate, "b", "a", RDMA) == "no"
    assert passes(raw, estate, "a", "b", RDMA) == "no"


def test_other_rules_are_not_asked() -> None:
    raw = network(PROFILES[0])
    raw.firewall("main", vpc("deny", priority=1))
    raw.policy("world", ["main"], policy_rule(1, "deny"))
    raw.above("main", [policy_rule(1, "deny")])
    assert passes(raw, translated(raw.answers), "a", "b", RDMA) == "surely"
