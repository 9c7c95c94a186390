"""What every comparison of the engine with an oracle asks alike: which pairs, and whether explain agrees with them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings

from cloudseg.reach.explaining.explain import explain
from cloudseg.traffic import AddressSet, Traffic
from tests.kubernetes.cluster import OUTSIDE, Cluster
from tests.kubernetes.oracle import Packet

R = TypeVar("R")
"""How an oracle reads what the documentation leaves open."""


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


def few_packets(source: Any, target: Any) -> list[tuple[Packet, Traffic]]:
    """Packets to three ports of TCP and one of UDP: what meshes tell apart."""
    found = [(Packet(source, target, "TCP", port), Traffic.ports("tcp", port, port)) for port in (80, 81, 82)]
    return [*found, (Packet(source, target, "UDP", 80), Traffic.ports("udp", 80, 80))]


def alike(count: int) -> settings:
    """So many clusters, the same in every run: for tests about what is drawn."""
    return settings(
        max_examples=count, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
    )


def bounds_of(answers: Iterable[bool]) -> tuple[bool, bool]:
    """Whether a packet passes in every reading of the documentation, and whether in some."""
    found: set[bool] = set()
    for answer in answers:
        found.add(answer)
        if len(found) == 2:
            break
    return all(found), any(found)


def assert_same(
    cluster: Cluster, asked: Sequence[list[tuple[Packet, Traffic]]], said: Callable[[Packet], tuple[bool, bool]]
) -> None:
    """The engine's bounds are what is said of every packet, at least and at most."""
    for packets in asked:
        first, _ = packets[0]
        verdict = cluster.verdict(name_of(first.source), name_of(first.target))
        for packet, traffic in packets:
            assert (traffic <= verdict.lower, traffic <= verdict.upper) == said(packet), packet


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


def assert_read(
    objects: list[dict[str, Any]],
    pairs: Iterable[tuple[Any, Any]],
    allowed: Callable[[list[dict[str, Any]], Packet, R], bool],
    readings: Sequence[R],
    *,
    exact: bool,
) -> None:
    """The engine's bounds hold what an oracle says in each reading, and are just that where ``exact``."""
    asked = [few_packets(source, target) for source, target in pairs]

    def said(packet: Packet) -> tuple[bool, bool]:
        return bounds_of(allowed(objects, packet, reading) for reading in readings)

    if exact:
        assert_same(Cluster(*objects), asked, said)
    else:
        assert_bounded(Cluster(*objects), asked, said, certain=False)


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
