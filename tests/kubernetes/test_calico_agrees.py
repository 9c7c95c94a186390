"""The engine and one packet at a time, by Calico's documentation alone, agree on every pair of small clusters."""

import math
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from cloudseg.traffic import Traffic
from tests.kubernetes.agreeing import assert_explained, name_of
from tests.kubernetes.cluster import OUTSIDE, Cluster
from tests.kubernetes.drawn_calico import PODS_AT, clusters
from tests.kubernetes.oracle_calico import Packet, allowed

ENDS_OUTSIDE = (OUTSIDE, "203.0.113.200", "198.51.100.1", "2001:db8::9")
CLIENT_PORTS = (40000, 60000)
EACH: list[tuple[str, int]] = [
    ("TCP", 80),
    ("TCP", 81),
    ("TCP", 53),
    ("TCP", 7),
    ("UDP", 53),
    ("UDP", 80),
    ("SCTP", 80),
]
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def traffic_of(protocol: str, port: int) -> Traffic:
    if protocol == "ICMP":
        return Traffic.icmp_type(port, 0)
    return Traffic.ports(protocol.lower(), port, port)


def mentions(value: Any, *words: str) -> bool:
    return any(f"'{word}'" in str(value) for word in words)


def answers(objects: list[dict[str, Any]], source: Any, target: Any, protocol: str, port: int) -> set[bool]:
    """What the documentation says, for each address that a pod may have and each port that a client may choose."""
    clients = CLIENT_PORTS if mentions([o for o in objects if o["kind"] != "Pod"], "source") else CLIENT_PORTS[:1]
    known = any("podIP" in (each.get("status") or {}) for each in objects if each["kind"] == "Pod")
    return {
        allowed(objects, Packet(source, target, protocol, port, client, address))
        for client in clients
        for address in (PODS_AT[:1] if known else PODS_AT)
    }


def is_defined(objects: list[dict[str, Any]], ends: list[Any]) -> bool:
    """Whether nothing of what decides between two ends is left open."""
    policies = [each for each in objects if each["kind"] in {"NetworkPolicy", "GlobalNetworkPolicy"}]
    sets = any(each["kind"] in {"NetworkSet", "GlobalNetworkSet"} for each in objects)
    known = all("podIP" in (each.get("status") or {}) for each in objects if each["kind"] == "Pod")
    ranges = sets or mentions(policies, "nets", "notNets", "ipBlock", "ipVersion")
    client = any(
        mentions((rule.get("source") or {}).keys(), "ports", "notPorts")
        for each in policies
        for rule in (*(each["spec"].get("ingress") or ()), *(each["spec"].get("egress") or ()))
    )
    # Whether ranges of one family that are excluded leave the other one in is not documented; nor what a named port of
    # a NetworkPolicy means of a range outside.
    families = mentions(policies, "notNets") and any(isinstance(end, str) and ":" in end for end in ends)
    # Network sets have no service account, and global ones no namespace: what a negated selector of these makes of
    # them is told in two ways.
    bare = sets and mentions(policies, "serviceAccounts", "namespaceSelector")
    return (known or not ranges) and not client and not families and not bare and not ties(policies)


def ties(policies: list[dict[str, Any]]) -> bool:
    """Whether policies of different kinds share a place: which of them comes first is not documented."""
    places: dict[tuple[str, float], set[str]] = {}
    for each in policies:
        native = each["apiVersion"] == "networking.k8s.io/v1"
        tier = "default" if native else each["spec"].get("tier", "default")
        order = 1000 if native else each["spec"].get("order", math.inf)
        places.setdefault((tier, order), set()).add(f"{native} {each['kind']}")
    return any(len(kinds) > 1 for kinds in places.values())


@QUICK
@given(clusters())
def test_engine_and_documentation_agree(objects: list[dict[str, Any]]) -> None:
    cluster = Cluster(*objects)
    ends = [*(each for each in objects if each["kind"] == "Pod"), *ENDS_OUTSIDE]
    for source in ends:
        for target in ends:
            if source is target or (isinstance(source, str) and isinstance(target, str)):
                continue
            verdict = cluster.verdict(name_of(source), name_of(target))
            defined = is_defined(objects, [source, target])
            six = any(isinstance(end, str) and ":" in end for end in (source, target))
            if six and any("podIP" in str(each.get("status")) for each in objects):
                continue
            for protocol, port in EACH if six else [*EACH, ("ICMP", 8), ("ICMP", 3)]:
                traffic = traffic_of(protocol, port)
                said = answers(objects, source, target, protocol, port)
                bounds = (traffic <= verdict.lower, traffic <= verdict.upper)
                case = (name_of(source), name_of(target), protocol, port, said, bounds)
                assert bounds[0] <= min(said), case
                assert bounds[1] >= max(said), case
                if defined:
                    assert bounds == (min(said), max(said)), case


@settings(QUICK, max_examples=20)
@given(clusters())
def test_explain_gives_the_verdict_of_all_pairs(objects: list[dict[str, Any]]) -> None:
    cluster = Cluster(*objects)
    assert_explained(cluster, Traffic.ports("tcp", 80, 80), Traffic.ports("udp", 53, 53))


def test_the_clusters_that_are_drawn_are_worth_asking() -> None:
    passed: Counter[bool] = Counter()
    actions: Counter[str] = Counter()
    clear: Counter[bool] = Counter()
    gaps: Counter[str] = Counter()

    @settings(max_examples=60, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    @given(clusters())
    def draw(objects: list[dict[str, Any]]) -> None:
        ends = [*(each for each in objects if each["kind"] == "Pod"), OUTSIDE]
        gaps.update(gap.reason for gap in Cluster(*objects).estate.gaps)
        for each in objects:
            for way in ("ingress", "egress"):
                found = each.get("spec", {}).get(way) or () if each["kind"].endswith("NetworkPolicy") else ()
                actions.update(rule.get("action", "native") for rule in found)
        for source in ends:
            for target in ends:
                if source is not target:
                    clear[is_defined(objects, [source, target])] += 1
                    passed[allowed(objects, Packet(source, target, "TCP", 80))] += 1

    draw()
    # Ties between policies of different kinds.
    assert set(gaps) <= {"unsupported"}
    assert 0.2 <= passed[True] / passed.total() <= 0.8
    assert clear[True] / clear.total() >= 0.25
    assert all(actions[each] >= 5 for each in ("Allow", "Deny", "Pass", "Log", "native"))
