"""What every comparison of the engine with an oracle asks alike: which pairs, and whether explain agrees with them."""

from collections.abc import Sequence
from typing import Any

from cloudseg.reach.explaining.explain import explain
from cloudseg.traffic import AddressSet, Traffic
from tests.kubernetes.cluster import OUTSIDE, Cluster


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
