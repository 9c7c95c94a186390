"""The engine and the documentation of admin policies, one packet at a time, agree on every pair of small clusters."""

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings

from cloudseg.traffic import Traffic
from tests.kubernetes.agreeing import assert_bounded, assert_explained, packets_of
from tests.kubernetes.cluster import OUTSIDE, Cluster
from tests.kubernetes.drawn_admin import admin_clusters
from tests.kubernetes.oracle import Packet
from tests.kubernetes.oracle_admin import ADMIN_KINDS, allowed, bounds, choices, priority, tier

ENDS_OUTSIDE = (OUTSIDE, "203.0.113.200", "10.1.2.3")
PORTS = (1, 53, 54, 80, 81, 82)
RELAXED = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)


def packets(source: Any, target: Any) -> list[tuple[Packet, Traffic]]:
    return packets_of(source, target, PORTS)


def pairs_of(objects: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
    """Every two pods, every pod with addresses outside, and one address outside with every pod."""
    pods = [each for each in objects if each["kind"] == "Pod"]
    found = [(source, target) for source in pods for target in (*pods, *ENDS_OUTSIDE) if source is not target]
    return [*found, *((OUTSIDE, target) for target in pods)]


def undefined(objects: list[dict[str, Any]]) -> bool:
    """Whether something is left open: an equal priority, an address of a pod, or which node is a pod's own."""
    text = str(objects)
    ranked = Counter((tier(each), priority(each)) for each in objects if each["kind"] in ADMIN_KINDS)
    return max(ranked.values(), default=0) > 1 or any(word in text for word in ("networks", "'Node'", "ipBlock"))


@settings(max_examples=120, deadline=None, suppress_health_check=RELAXED)
@given(admin_clusters())
def test_engine_and_documentation_agree(objects: list[dict[str, Any]]) -> None:
    cluster = Cluster(*objects)
    asked = [packets(source, target) for source, target in pairs_of(objects)]
    ways = choices(objects)

    def said(packet: Packet) -> tuple[bool, bool]:
        return bounds(objects, packet, ways)

    assert_bounded(cluster, asked, said, certain=not undefined(objects))


@settings(max_examples=25, deadline=None, suppress_health_check=RELAXED)
@given(admin_clusters())
def test_explain_gives_the_verdict_of_all_pairs(objects: list[dict[str, Any]]) -> None:
    cluster = Cluster(*objects)
    assert_explained(cluster, Traffic.ports("tcp", 80, 80), Traffic.ports("udp", 53, 53))


@settings(max_examples=80, deadline=None, derandomize=True, database=None, suppress_health_check=RELAXED)
@given(admin_clusters())
def gather(objects: list[dict[str, Any]]) -> None:
    choice = choices(objects)[0]
    for each in objects:
        if each["kind"] in ADMIN_KINDS:
            for way in ("ingress", "egress"):
                for rule in each["spec"].get(way, ()):
                    SEEN[tier(each), rule["action"]] += 1
    for source, target in pairs_of(objects):
        for packet, _ in packets(source, target)[::4]:
            PASSED[allowed(objects, packet, choice)] += 1
    OPEN[undefined(objects)] += 1


SEEN: Counter[tuple[str, str]] = Counter()
PASSED: Counter[bool] = Counter()
OPEN: Counter[bool] = Counter()


def test_the_clusters_drawn_hold_every_action_and_let_some_packets_pass() -> None:
    gather()
    assert SEEN.keys() >= {
        *(("Admin", action) for action in ("Allow", "Accept", "Deny", "Pass")),
        *(("Baseline", action) for action in ("Allow", "Accept", "Deny", "Pass")),
    }
    assert 0.2 < PASSED[True] / PASSED.total() < 0.8
    assert OPEN[False] / OPEN.total() > 0.2
