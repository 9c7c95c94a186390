"""The engine and one connection at a time, by Linkerd's documentation alone, agree on every pair of small clusters."""

from collections import Counter
from typing import Any

from hypothesis import given

from cloudseg.traffic import Traffic
from tests.kubernetes.agreeing import alike, assert_explained, assert_read, name_of
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.drawn_linkerd import POLICIES, clusters
from tests.kubernetes.oracle import Packet
from tests.kubernetes.oracle_linkerd import Reading, allowed, meshed
from tests.kubernetes.test_istio_oracle_agrees import pairs
from tests.spoiling import examples

BASES = (Reading(*(False for _ in Reading._fields)), Reading(*(True for _ in Reading._fields)))
FLIPPED = tuple(base._replace(**{name: not getattr(base, name)}) for base in BASES for name in Reading._fields)
READINGS = (*BASES, *FLIPPED)


@examples(300)
@given(clusters(whole=False))
def test_engine_and_documentation_agree(objects: list[dict[str, Any]]) -> None:
    assert_read(objects, pairs(objects), allowed, [Reading()], exact=True)


@examples(150)
@given(clusters())
def test_whatever_is_left_open_lies_within_the_bounds(objects: list[dict[str, Any]]) -> None:
    assert_read(objects, pairs(objects), allowed, READINGS, exact=False)


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
            if isinstance(target, str) or not meshed(objects, target):
                continue
            counted["all"] += 1
            counted["passes"] += allowed(objects, Packet(source, target, "TCP", 80))
            lower, upper = cluster.verdict(name_of(source), name_of(target))
            here = Traffic.ports("tcp", 80, 80)
            counted["certain"] += lower & here == upper & here
        for each in objects:
            counted[each["kind"]] += 1
            spec = each.get("spec", {})
            counted.update([spec.get("accessPolicy", ""), spec.get("targetRef", {}).get("kind", "")])
            counted.update(spec.get("client", {}).keys() | spec.get("client", {}).get("meshTLS", {}).keys())
            counted.update(up["kind"] for up in spec.get("requiredAuthenticationRefs", []))
            annotations: dict[str, str] = each["metadata"].get("annotations") or {}
            counted.update(annotations.values())

    draw()
    assert 0.2 < counted["passes"] / counted["all"] < 0.8
    assert counted["certain"] / counted["all"] > 0.4
    assert not {
        name
        for name in (
            *("Server", "ServerAuthorization", "AuthorizationPolicy", "HTTPRoute", "EgressNetwork", "Namespace"),
            *("MeshTLSAuthentication", "NetworkAuthentication", "ServiceAccount", *POLICIES),
            *("unauthenticated", "unauthenticatedTLS", "identities", "serviceAccounts", "networks"),
        )
        if not counted[name]
    }
