"""The engine and one connection at a time, by Istio's documentation alone, agree on every pair of small clusters."""

from collections import Counter
from typing import Any

from hypothesis import given

from cloudseg.traffic import Traffic
from tests.kubernetes.agreeing import alike, assert_explained, assert_read, name_of, pairs_of
from tests.kubernetes.cluster import OUTSIDE, Cluster
from tests.kubernetes.drawn_istio import clusters
from tests.kubernetes.oracle import Packet
from tests.kubernetes.oracle_istio import Reading, allowed, mode_of, tls_mode
from tests.spoiling import examples

ENDS_OUTSIDE = (OUTSIDE, "198.51.100.1", "10.1.2.3", "2001:db8::9")
SWITCHES = tuple(name for name in Reading._fields if name != "address")
BASES = tuple(Reading()._replace(**dict.fromkeys(SWITCHES, switched)) for switched in (False, True))
FLIPPED = tuple(base._replace(**{name: not getattr(base, name)}) for base in BASES for name in SWITCHES)
CALM = Reading(drops=False, denies=False, admits=False)
OPEN = tuple(dict.fromkeys((*BASES, *FLIPPED, CALM)))
ADDRESSES = ("192.0.2.1", "203.0.113.7", "203.0.113.9", "10.9.9.9")


def readings(objects: list[dict[str, Any]]) -> list[Reading]:
    """All that may hold; the address that pods have counts where something names ranges."""
    named = any(word in str(objects) for word in ("ipBlocks", "IpBlocks", ".ip'"))
    return [each._replace(address=address) for each in OPEN for address in ADDRESSES[: None if named else 1]]


def pairs(objects: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
    return pairs_of(objects, ENDS_OUTSIDE)


@examples(300)
@given(clusters(whole=False))
def test_engine_and_documentation_agree(objects: list[dict[str, Any]]) -> None:
    assert_read(objects, pairs(objects), allowed, [Reading()], exact=True)


@examples(150)
@given(clusters())
def test_whatever_is_left_open_lies_within_the_bounds(objects: list[dict[str, Any]]) -> None:
    assert_read(objects, pairs(objects), allowed, readings(objects), exact=False)


@examples(20)
@given(clusters())
def test_explain_gives_the_verdict_of_all_pairs(objects: list[dict[str, Any]]) -> None:
    cluster = Cluster(*objects)
    assert_explained(cluster, Traffic.ports("tcp", 80, 80), Traffic.ports("udp", 80, 80))


def test_the_clusters_that_are_drawn_are_worth_it() -> None:
    counted: Counter[str] = Counter()

    @alike(120)
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
