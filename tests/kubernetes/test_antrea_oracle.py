"""The engine and the documentation of Antrea's policies, packet by packet, agree on every pair of small clusters."""

from collections import Counter
from typing import Any

from hypothesis import given, settings

from cloudseg.traffic import Traffic
from tests.kubernetes.agreeing import assert_bounded, assert_explained
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.drawn_antrea import antrea_clusters
from tests.kubernetes.oracle import Packet
from tests.kubernetes.oracle_antrea import allowed, antrea, bounds, choices, place
from tests.kubernetes.test_admin_oracle import RELAXED, packets, pairs_of

Json = dict[str, Any]


def undefined(objects: list[Json]) -> bool:
    """Whether something is left open: an equal priority, an address of a pod, or a service account."""
    used = str([each for each in objects if "Group" not in each["kind"]])
    ranked = Counter(place(objects, each) for each in objects if antrea(each))
    return max(ranked.values()) > 1 or any(word in used for word in ("ipBlock", "'ranges'", "serviceAccount'"))


@settings(max_examples=120, deadline=None, suppress_health_check=RELAXED)
@given(antrea_clusters())
def test_engine_and_documentation_agree(objects: list[Json]) -> None:
    cluster = Cluster(*objects)
    asked = [packets(source, target) for source, target in pairs_of(objects)]
    ways = choices(objects)

    def said(packet: Packet) -> tuple[bool, bool]:
        return bounds(objects, packet, ways)

    assert_bounded(cluster, asked, said, certain=not undefined(objects))


@settings(max_examples=20, deadline=None, suppress_health_check=RELAXED)
@given(antrea_clusters())
def test_explain_gives_the_verdict_of_all_pairs(objects: list[Json]) -> None:
    cluster = Cluster(*objects)
    assert_explained(cluster, Traffic.ports("tcp", 80, 80), Traffic.ports("udp", 53, 53))


SEEN: Counter[tuple[bool, str]] = Counter()
PASSED: Counter[bool] = Counter()
OPEN: Counter[bool] = Counter()


@settings(max_examples=80, deadline=None, derandomize=True, database=None, suppress_health_check=RELAXED)
@given(antrea_clusters())
def gather(objects: list[Json]) -> None:
    choice = choices(objects)[0]
    for each in objects:
        if antrea(each):
            for way in ("ingress", "egress"):
                for rule in each["spec"].get(way, ()):
                    SEEN[each["spec"].get("tier") == "baseline", rule["action"]] += 1
    for source, target in pairs_of(objects):
        for packet, _ in packets(source, target)[::4]:
            PASSED[allowed(objects, packet, choice)] += 1
    OPEN[undefined(objects)] += 1


def test_the_clusters_drawn_hold_every_action_and_let_some_packets_pass() -> None:
    gather()
    actions = [(False, action) for action in ("Allow", "Drop", "Reject", "Pass")]
    assert SEEN.keys() >= {*actions, *((True, action) for _, action in actions[:3])}
    assert 0.2 < PASSED[True] / PASSED.total() < 0.8
    assert OPEN[False] / OPEN.total() > 0.2
