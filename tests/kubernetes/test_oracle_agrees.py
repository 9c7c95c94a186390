"""The engine and one packet at a time, by the documentation alone, agree on every pair of small clusters."""

from typing import Any

from hypothesis import HealthCheck, given, settings

from cloudseg.traffic import Traffic
from tests.kubernetes.agreeing import assert_explained, name_of, packets_of
from tests.kubernetes.cluster import OUTSIDE, Cluster
from tests.kubernetes.drawn import clusters
from tests.kubernetes.oracle import Packet, allowed

ENDS_OUTSIDE = (OUTSIDE, "203.0.113.200", "198.51.100.1", "10.1.2.3")
PORTS = (1, 53, 54, 80, 81, 82, 65535)


def packets(source: Any, target: Any) -> list[tuple[Packet, Traffic]]:
    return packets_of(source, target, PORTS)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(clusters())
def test_engine_and_documentation_agree(objects: list[dict[str, Any]]) -> None:
    cluster = Cluster(*objects)
    ends = [*(each for each in objects if each["kind"] == "Pod"), *ENDS_OUTSIDE]
    for source in ends:
        for target in ends:
            if source is target or (isinstance(source, str) and isinstance(target, str)):
                continue
            verdict = cluster.verdict(name_of(source), name_of(target))
            for packet, traffic in packets(source, target):
                least, most = (allowed(objects, packet, blocks_match_pods=each) for each in (False, True))
                assert (traffic <= verdict.lower, traffic <= verdict.upper) == (least, most), packet


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(clusters())
def test_explain_gives_the_verdict_of_all_pairs(objects: list[dict[str, Any]]) -> None:
    cluster = Cluster(*objects)
    assert_explained(cluster, Traffic.ports("tcp", 80, 80), Traffic.ports("udp", 53, 53))
