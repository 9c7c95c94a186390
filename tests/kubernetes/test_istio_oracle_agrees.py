"""The engine and one connection at a time, by Istio's documentation alone, agree on every pair of small clusters."""

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings

from cloudseg.traffic import Traffic
from tests.kubernetes.agreeing import assert_explained, pairs_of
from tests.kubernetes.cluster import OUTSIDE, Cluster
from tests.kubernetes.drawn_istio import clusters
from tests.kubernetes.oracle import Packet
from tests.kubernetes.oracle_istio import Reading, allowed, mode_of, tls_mode
from tests.kubernetes.test_oracle_agrees import name_of

ENDS_OUTSIDE = (OUTSIDE, "198.51.100.1", "10.1.2.3", "2001:db8::9")
PORTS = (80, 81, 82)
SWITCHES = tuple(name for name in Reading._fields if name != "address")
BASES = tuple(Reading()._replace(**dict.fromkeys(SWITCHES, switched)) for switched in (False, True))
FLIPPED = tuple(base._replace(**{name: not getattr(base, name)}) for base in BASES for name in SWITCHES)
CALM = Reading(drops=False, denies=False, admits=False)
READINGS = tuple(
    each._replace(address=address)
    for each in dict.fromkeys((*BASES, *FLIPPED, CALM))
    for address in ("192.0.2.1", "203.0.113.7", "203.0.113.9", "10.9.9.9")
)


def packets(source: Any, target: Any) -> list[tuple[Packet, Traffic]]:
    found = [(Packet(source, target, "TCP", port), Traffic.ports("tcp", port, port)) for port in PORTS]
    return [*found, (Packet(source, target, "UDP", 80), Traffic.ports("udp", 80, 80))]


def pairs(objects: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
    return pairs_of(objects, ENDS_OUTSIDE)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(clusters(whole=False))
def test_engine_and_documentation_agree(objects: list[dict[str, Any]]) -> None:
    cluster = Cluster(*objects)
    for source, target in pairs(objects):
        verdict = cluster.verdict(name_of(source), name_of(target))
        for packet, traffic in packets(source, target):
            passes = allowed(objects, packet)
            assert (traffic <= verdict.lower, traffic <= verdict.upper) == (passes, passes), packet


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(clusters())
def test_whatever_is_left_open_lies_within_the_bounds(objects: list[dict[str, Any]]) -> None:
    cluster = Cluster(*objects)
    for source, target in pairs(objects):
        verdict = cluster.verdict(name_of(source), name_of(target))
        for packet, traffic in packets(source, target):
            passing = {allowed(objects, packet, reading) for reading in READINGS}
            assert passing == {True} or not traffic <= verdict.lower, packet
            assert passing == {False} or traffic <= verdict.upper, packet


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(clusters())
def test_explain_gives_the_verdict_of_all_pairs(objects: list[dict[str, Any]]) -> None:
    cluster = Cluster(*objects)
    assert_explained(cluster, Traffic.ports("tcp", 80, 80), Traffic.ports("udp", 80, 80))


def test_the_clusters_that_are_drawn_are_worth_it() -> None:
    counted: Counter[str] = Counter()

    @settings(
        max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(clusters())
    def draw(objects: list[dict[str, Any]]) -> None:
        cluster = Cluster(*objects)
        for source, target in pairs(objects):
            if isinstance(target, str) or not mode_of(objects, target):
                continue
            counted["tls " + tls_mode(objects, target, 80, Reading())] += 1
            counted["all"] += 1
            counted["passes"] += allowed(objects, Packet(source, target, "TCP", 80))
            lower, upper = cluster.verdict(name_of(source), name_of(target))
            counted["certain"] += lower == upper
        for each in objects:
            counted[each["kind"]] += 1
            if each["kind"] == "AuthorizationPolicy":
                counted[each["spec"].get("action", "ALLOW")] += 1
                for rule in each["spec"].get("rules", []):
                    for part in (*rule.get("from", []), *rule.get("to", []), *rule.get("when", [])):
                        counted.update(list(part.get("source", part.get("operation", {part.get("key"): 0}))))

    draw()
    assert 0.2 < counted["passes"] / counted["all"] < 0.8
    assert counted["certain"] / counted["all"] > 0.4
    assert not {
        name
        for name in (
            *("PeerAuthentication", "AuthorizationPolicy", "Service", "ALLOW", "DENY", "CUSTOM", "AUDIT"),
            *("tls STRICT", "tls PERMISSIVE", "tls DISABLE"),
            *("principals", "notPrincipals", "namespaces", "notNamespaces", "ipBlocks", "notIpBlocks"),
            *("ports", "notPorts", "methods", "notPaths", "requestPrincipals"),
            *("source.principal", "source.namespace", "source.ip", "destination.ip", "destination.port"),
            *("request.headers[x]", "EnvoyFilter", "TrafficExtension", "WasmPlugin"),
        )
        if not counted[name]
    }
