"""Pods are one class where nothing that a policy asks for tells them apart."""

from typing import Any

from tests.kubernetes.cluster import Cluster, pod, policy

FROM_WEB: dict[str, Any] = {
    "podSelector": {"matchLabels": {"tier": "db"}},
    "ingress": [{"from": [{"podSelector": {"matchLabels": {"tier": "web"}}}]}],
}


def names(cluster: Cluster) -> list[list[str]]:
    """The classes, each by the names of its workloads."""
    estate = cluster.estate
    return sorted(sorted(estate.interfaces[each].name for each in own.members) for own in cluster.reach.classes)


def test_labels_that_no_policy_asks_for_tell_no_pods_apart() -> None:
    pods = [pod("one", tier="db", version="v1"), pod("two", tier="db", version="v2"), pod("three", tier="web")]
    assert names(Cluster(*pods, policy("p", FROM_WEB))) == [["one", "two"], ["three"]]


def test_values_that_no_policy_names_tell_no_pods_apart() -> None:
    pods = [pod("one", tier="cache"), pod("two", tier="queue"), pod("three")]
    assert names(Cluster(*pods, policy("p", FROM_WEB))) == [["one", "three", "two"]]


def test_without_policies_all_pods_are_one_class() -> None:
    assert names(Cluster(pod("one"), pod("two", namespace="other"))) == [["one", "two"]]


def test_a_policy_on_one_of_them_parts_them() -> None:
    alone = {"podSelector": {"matchLabels": {"app": "one"}}, "policyTypes": ["Ingress"]}
    assert names(Cluster(pod("one"), pod("two"), policy("p", alone))) == [["one"], ["two"]]


def test_a_named_port_parts_pods_where_a_policy_asks_for_it() -> None:
    ports = [{"name": "metrics", "containerPort": 9090}]
    asking: dict[str, Any] = {"podSelector": {}, "ingress": [{"ports": [{"port": "metrics"}]}]}
    pods = pod("one", ports=ports), pod("two")
    assert names(Cluster(*pods, policy("p", asking))) == [["one"], ["two"]]
    assert names(Cluster(*pods, policy("p", {"podSelector": {}}))) == [["one", "two"]]
