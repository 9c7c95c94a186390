"""The engine and one connection at a time, by Consul's documentation alone, agree on every pair of small clusters."""

from collections import Counter
from typing import Any

from hypothesis import given

from cloudseg.traffic import Traffic
from tests.kubernetes.agreeing import alike, assert_explained, assert_read, name_of, pairs_of
from tests.kubernetes.cluster import OUTSIDE, Cluster
from tests.kubernetes.drawn_consul import clusters
from tests.kubernetes.oracle import Packet
from tests.kubernetes.oracle_consul import Reading, allowed, member, permissive, port_of
from tests.spoiling import examples

BASES = (Reading(*(False for _ in Reading._fields)), Reading(*(True for _ in Reading._fields)))
FLIPPED = tuple(base._replace(**{name: not getattr(base, name)}) for base in BASES for name in Reading._fields)
READINGS = (*BASES, *FLIPPED)


def pairs(objects: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
    return pairs_of(objects, [OUTSIDE])


@examples(200)
@given(clusters(whole=False))
def test_engine_and_documentation_agree(objects: list[dict[str, Any]]) -> None:
    assert_read(objects, pairs(objects), allowed, READINGS, exact=True)


@examples(200)
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

    @alike(100)
    @given(clusters(whole=False))
    def draw(objects: list[dict[str, Any]]) -> None:
        cluster = Cluster(*objects)
        assert not cluster.estate.gaps
        for source, target in pairs(objects):
            if isinstance(target, str) or not member(objects, target, Reading()):
                continue
            port = port_of(target)
            counted["permissive" if permissive(objects, target, Reading()) else "strict"] += 1
            counted["all"] += 1
            counted["passes"] += allowed(objects, Packet(source, target, "TCP", port))
            lower, upper = cluster.verdict(name_of(source), name_of(target))
            asked = Traffic.ports("tcp", port, port)
            counted["certain"] += lower & asked == upper & asked
        for each in objects:
            counted[each["kind"]] += 1
            for item in each.get("spec", {}).get("sources", []):
                counted[item.get("action", "permissions")] += 1
                counted["from any"] += item["name"] == "*"
                counted["namespace"] += "namespace" in item

    draw()
    assert 0.2 < counted["passes"] / counted["all"] < 0.8
    assert counted["certain"] / counted["all"] > 0.7
    kinds = ("ServiceIntentions", "ServiceDefaults", "ProxyDefaults", "Mesh", "ConfigMap", "Deployment")
    wanted = (*kinds, "allow", "deny", "permissions", "from any", "namespace", "permissive", "strict")
    assert not {name for name in wanted if not counted[name]}
