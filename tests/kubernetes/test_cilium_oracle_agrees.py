"""The engine and one packet at a time, by Cilium's documentation alone, agree on every pair of small clusters."""

import dataclasses
from collections import Counter
from typing import Any

import msgspec
from hypothesis import given

from cloudseg.model import Estate
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import Traffic
from tests.kubernetes.agreeing import (
    alike,
    assert_bounded,
    assert_explained,
    assert_same,
    bounds_of,
    pairs_of,
)
from tests.kubernetes.cluster import OUTSIDE, Cluster
from tests.kubernetes.drawn_cilium import clusters
from tests.kubernetes.oracle import Packet
from tests.kubernetes.oracle_cilium import Reading, allowed, asks_proof
from tests.spoiling import examples

ENDS_OUTSIDE = (OUTSIDE, "198.51.100.1", "10.1.2.3", "2001:db8::9")
PORTS = (1, 53, 54, 80, 81, 82)


def outside(estate: Estate) -> Estate:
    """The estate with ranges as Cilium takes them: they never mean pods."""
    pipelines = {
        key: msgspec.structs.replace(
            each,
            ingress=tuple(msgspec.structs.replace(stage, ranges="outside") for stage in each.ingress),
            egress=tuple(msgspec.structs.replace(stage, ranges="outside") for stage in each.egress),
        )
        for key, each in estate.pipelines.items()
    }
    return dataclasses.replace(estate, pipelines=pipelines)


class CiliumCluster(Cluster):
    """A cluster whose network plugin is Cilium."""

    def __init__(self, *objects: Any) -> None:
        super().__init__(*objects)
        self.estate = outside(self.estate)
        self.reach = Reachability(self.estate)


def packets(source: Any, target: Any) -> list[tuple[Packet, Traffic]]:
    found = [
        (Packet(source, target, protocol, port), Traffic.ports(protocol.lower(), port, port))
        for protocol in ("TCP", "UDP", "SCTP")
        for port in PORTS
    ]
    found += [(Packet(source, target, "ICMP", kind), Traffic.icmp_type(kind, 0)) for kind in (0, 8)]
    return [*found, (Packet(source, target, "ICMPv6", 128), Traffic.icmp_type(128, 0, 6))]


def pairs(objects: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
    return pairs_of(objects, ENDS_OUTSIDE)


@examples(60)
@given(clusters())
def test_engine_and_documentation_agree(objects: list[dict[str, Any]]) -> None:
    asked = [packets(source, target) for source, target in pairs(objects)]

    def said(packet: Packet) -> tuple[bool, bool]:
        least, most = (allowed(objects, packet, Reading(proved=each)) for each in (False, True))
        return least, most

    assert_same(CiliumCluster(*objects), asked, said)


@examples(60)
@given(clusters(named=True))
def test_whatever_named_ports_mean_lies_within_the_bounds(objects: list[dict[str, Any]]) -> None:
    asked = [packets(source, target) for source, target in pairs(objects)]
    readings = [Reading(proved=proved, by_pod=by_pod) for proved in (False, True) for by_pod in (False, True)]

    def said(packet: Packet) -> tuple[bool, bool]:
        return bounds_of(allowed(objects, packet, reading) for reading in readings)

    assert_bounded(CiliumCluster(*objects), asked, said, certain=False)


@examples(15)
@given(clusters(named=True))
def test_explain_gives_the_verdict_of_all_pairs(objects: list[dict[str, Any]]) -> None:
    cluster = CiliumCluster(*objects)
    assert_explained(cluster, Traffic.ports("tcp", 80, 80), Traffic.ports("udp", 53, 53))


def test_the_clusters_that_are_drawn_are_worth_it() -> None:
    counted: Counter[str] = Counter()

    @alike(60)
    @given(clusters(named=True))
    def draw(objects: list[dict[str, Any]]) -> None:
        for source, target in pairs(objects):
            packet = Packet(source, target, "TCP", 80)
            counted["passes"] += allowed(objects, packet, Reading())
            counted["all"] += 1
        for each in objects:
            counted[each["kind"]] += 1
            for spec in (each.get("spec", {}), *each.get("specs", [])):
                counted.update(name for name in spec if spec[name])
                for name in ("ingress", "egress", "ingressDeny", "egressDeny"):
                    rules: list[dict[str, Any]] = spec.get(name, []) if each["kind"].startswith("Cilium") else []
                    for rule in rules:
                        counted.update(list(rule))
                        counted["proof"] += asks_proof(rule)

    draw()
    assert 0.2 < counted["passes"] / counted["all"] < 0.8
    assert not {
        name
        for name in (
            *("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "NetworkPolicy"),
            *("ingress", "egress", "ingressDeny", "egressDeny", "enableDefaultDeny", "icmps", "toPorts", "proof"),
            *("fromEndpoints", "fromCIDR", "fromCIDRSet", "fromEntities"),
            *("toEndpoints", "toCIDR", "toCIDRSet", "toEntities", "toServices"),
        )
        if not counted[name]
    }
