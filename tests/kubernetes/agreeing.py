"""What every comparison of the engine with an oracle asks alike: which pairs, and whether explain agrees with them."""

from collections.abc import Callable, Sequence
from typing import Any

from cloudseg.reach.explaining.explain import explain
from cloudseg.traffic import AddressSet, Traffic
from tests.kubernetes.cluster import OUTSIDE, Cluster
from tests.kubernetes.oracle import Packet


def name_of(end: Any) -> str:
    """The name of a pod as a cluster of tests knows it, or an address outside as it is."""
    return end if isinstance(end, str) else f"{end['metadata']['namespace']}/{end['metadata']['name']}"


def packets_of(source: Any, target: Any, ports: Sequence[int]) -> list[tuple[Packet, Traffic]]:
    """Packets from one end to another, on some ports of every protocol, and a ping."""
    found = [
        (Packet(source, target, protocol, port), Traffic.ports(protocol.lower(), port, port))
        for protocol in ("TCP", "UDP", "SCTP")
        for port in ports
    ]
    return [*found, (Packet(source, target, "ICMP", 0), Traffic.icmp_type(8, 0))]


def assert_bounded(
    cluster: Cluster,
    asked: Sequence[list[tuple[Packet, Traffic]]],
    said: Callable[[Packet], tuple[bool, bool]],
    *,
    certain: bool,
) -> None:
    """The engine's bounds hold what is said of every packet, at least and at most; where it is certain they agree."""
    for packets in asked:
        first, _ = packets[0]
        verdict = cluster.verdict(name_of(first.source), name_of(first.target))
        for packet, traffic in packets:
            least, most = said(packet)
            lower, upper = traffic <= verdict.lower, traffic <= verdict.upper
            assert lower <= least, packet
            assert most <= upper, packet
            if certain:
                assert lower == upper, packet


def pairs_of(objects: list[dict[str, Any]], outside: Sequence[str]) -> list[tuple[Any, Any]]:
    """Every pair of a pod with another, or with an address outside."""
    ends = [*(each for each in objects if each["kind"] == "Pod"), *outside]
    return [(a, b) for a in ends for b in ends if a is not b and not (isinstance(a, str) and isinstance(b, str))]


def assert_explained(cluster: Cluster, *packets: Traffic) -> None:
    """Explain gives the verdict of all pairs, between pods and with an address outside."""
    pods = sorted(cluster.estate.interfaces)
    there = AddressSet.parse(OUTSIDE)
    asked: list[tuple[str | AddressSet, str | AddressSet]] = [(a, b) for a in pods for b in pods if a != b]
    asked += [(pod, there) for pod in pods] + [(there, pod) for pod in pods]
    for source, target in asked:
        verdict = cluster.reach.between(source, target)
        for traffic in packets:
            told = explain(cluster.reach, source, target, traffic)
            assert (told.lower, told.upper) == (str(verdict.lower & traffic), str(verdict.upper & traffic))
