"""The engine and one packet at a time, by the documentation alone, agree on every pair of small clusters."""

from typing import Any

from hypothesis import HealthCheck, given, settings

from cloudseg.reach.explaining.explain import explain
from cloudseg.traffic import AddressSet, Traffic
from tests.kubernetes.cluster import OUTSIDE, Cluster
from tests.kubernetes.drawn import clusters
from tests.kubernetes.oracle import Packet, allowed

ENDS_OUTSIDE = (OUTSIDE, "203.0.113.200", "198.51.100.1", "10.1.2.3")
PORTS = (1, 53, 54, 80, 81, 82, 65535)


def packets(source: Any, target: Any) -> list[tuple[Packet, Traffic]]:
    found = [
        (Packet(source, target, protocol, port), Traffic.ports(protocol.lower(), port, port))
        for protocol in ("TCP", "UDP", "SCTP")
        for port in PORTS
    ]
    return [*found, (Packet(source, target, "ICMP", 0), Traffic.icmp_type(8, 0))]


def name_of(end: Any) -> str:
    return end if isinstance(end, str) else f"{end['metadata']['namespace']}/{end['metadata']['name']}"


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
    pods = sorted(cluster.estate.interfaces)
    outside = AddressSet.parse(OUTSIDE)
    pairs: list[tuple[str | AddressSet, str | AddressSet]] = [(a, b) for a in pods for b in pods if a != b]
    pairs += [(pod, outside) for pod in pods] + [(outside, pod) for pod in pods]
    for source, target in pairs:
        verdict = cluster.reach.between(source, target)
        for traffic in (Traffic.ports("tcp", 80, 80), Traffic.ports("udp", 53, 53)):
            told = explain(cluster.reach, source, target, traffic)
            assert (told.lower, told.upper) == (str(verdict.lower & traffic), str(verdict.upper & traffic))
