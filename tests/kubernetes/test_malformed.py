"""What cannot be read, or is of a kind that is not evaluated, leaves open what it could concern, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from cloudseg.providers.kubernetes.manifests import read_manifests
from cloudseg.providers.kubernetes.translate import translate
from cloudseg.snapshot import Manifest, Part, Snapshot, SnapshotGap
from tests.kubernetes.cluster import OUTSIDE, Cluster, pod, policy, snapshot, space, written

SPACES = (space("shop", team="a"), space("bank", team="b"))
PODS = (pod("web"), pod("db"), pod("web", "bank"), pod("db", "bank"))
DENY = (policy("deny", {"podSelector": {}}), policy("deny", {"podSelector": {}}, "bank"))
ON_DB: dict[str, Any] = {"podSelector": {"matchLabels": {"app": "db"}}}
OPEN = "at most all"


def cluster(*objects: Any) -> Cluster:
    """Two namespaces, isolated, with web and db in each."""
    return Cluster(*SPACES, *PODS, *DENY, *objects)


def opened(found: Cluster) -> set[str]:
    """The pods that anybody may reach, at most: all others are isolated for sure."""
    pods = [f"{place}/{name}" for place in ("shop", "bank") for name in ("web", "db")]
    passing = {each: found.passes(OUTSIDE, each) for each in pods}
    assert set(passing.values()) <= {OPEN, "none"}
    return {each for each, text in passing.items() if text == OPEN}


EVERY_POD = {"shop/web", "shop/db", "bank/web", "bank/db"}
SHOP = {"shop/web", "shop/db"}


BROKEN: list[Any] = [
    {"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/33"}}]}]},
    {"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.1"}}]}]},
    {"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["192.168.0.0/16"]}}]}]},
    {"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}}]}]},
    {"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}]}]},
    {"ingress": [{"from": [{}]}]},
    {"ingress": [{"from": [None]}]},
    {"ingress": [{"from": [{"namespaceselector": {}, "podSelector": {}}]}]},
    {"ingress": [{"from": [{"podSelector": {"matchExpressions": [{"key": "a", "operator": "Gt"}]}}]}]},
    {"ingress": [{"from": [{"podSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}]}]},
    {"ingress": [{"from": [{"podSelector": {"matchLabels": {"a": 1}}}]}]},
    {"ingress": {}},
    {"ingres": []},
    {"policyTypes": ["ingress"]},
    {"policyTypes": ["Ingress", "Egress", "Ingress"]},
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_policy_that_cannot_be_read_leaves_open_the_pods_that_it_selects(broken: dict[str, Any]) -> None:
    found = cluster(policy("p", ON_DB | broken))
    assert found.gaps() == [("shop/NetworkPolicy/p", "malformed")]
    assert opened(found) == {"shop/db"}


@pytest.mark.parametrize(
    "selector", [1, [], {"matchLabels": []}, {"matchExpressions": [{"key": "a", "operator": "?"}]}]
)
def test_a_policy_whose_selector_cannot_be_read_leaves_its_namespace_open(selector: Any) -> None:
    assert opened(cluster(policy("p", {"podSelector": selector}))) == SHOP


@pytest.mark.parametrize("spec", [1, [], "x"])
def test_a_policy_without_readable_fields_leaves_its_namespace_open(spec: Any) -> None:
    assert opened(cluster(policy("p", spec))) == SHOP


def test_a_policy_that_nobody_can_place_leaves_every_pod_open() -> None:
    assert opened(cluster(policy("p", {}, "$ns"))) == EVERY_POD
    whole = snapshot(*SPACES, *PODS, *DENY)
    parts: dict[Part, Any] = {part: whole.read(part) for part in whole.parts()}
    policies = Part("kubernetes", "c", "global", "networking.k8s.io", "networkpolicies")
    parts[policies]["items"].append("no object")
    found = translate(Snapshot.of(parts))
    assert all(each.attached_unread for each in found.interfaces.values())


def test_a_gap_names_file_and_line() -> None:
    broken = policy("p", ON_DB | {"ingress": {}})
    broken["metadata"]["annotations"] = {"cloudseg.io/location": "C:\\k8s\\all.yaml:17"}
    (gap,) = cluster(broken).estate.gaps
    assert gap.detail.startswith("C:\\k8s\\all.yaml:17: ")
    assert "ingress" in gap.detail


def test_policies_and_workloads_bear_the_place_where_they_are_written() -> None:
    first, second = policy("p", ON_DB | {"ingress": [{}]}), pod("api")
    first["metadata"]["annotations"] = {"cloudseg.io/location": "a.yaml:3"}
    second["metadata"]["annotations"] = {"cloudseg.io/location": "-:30"}
    found = cluster(first, second)
    written_at = found.estate.rule_sets["kubernetes:c:shop/NetworkPolicy/p"]
    assert (written_at.location, written_at.rules[0].location) == (written_at.rules[0].location, written_at.location)
    assert written_at.location is not None
    assert (written_at.location.file, written_at.location.line) == ("a.yaml", 3)
    place = found.estate.interfaces[found.id_of("api")].location
    assert place is not None
    assert (place.file, place.line) == ("-", 30)


@pytest.mark.parametrize(
    ("kind", "version", "namespace", "spec", "open_pods"),
    [
        ("NetworkPolicy", "extensions/v1beta1", "shop", {}, SHOP),
        ("EgressFirewall", "k8s.ovn.org/v1", "shop", {}, SHOP),
        ("ClusterNetworkPolicy", "example.org/v1", None, {"subject": {"x": 1}}, EVERY_POD),
        ("StagedNetworkPolicy", "crd.projectcalico.org/v1", "shop", {}, set[str]()),
        ("PodSecurityPolicy", "policy/v1beta1", None, {}, set[str]()),
    ],
)
def test_a_policy_of_a_kind_that_is_not_evaluated_leaves_open_the_pods_that_it_could_select(
    kind: str, version: str, namespace: str | None, spec: Any, open_pods: set[str]
) -> None:
    found = cluster(written(kind, "x", namespace, apiVersion=version, spec=spec))
    assert opened(found) == open_pods
    assert [reason for _, reason in found.gaps()] == (["unsupported"] if open_pods else [])


def test_what_a_policy_admits_is_not_certain_where_another_kind_may_forbid_it() -> None:
    admit = policy("in", ON_DB | {"ingress": [{"ports": [{"port": 80}]}]})
    assert cluster(admit).passes(OUTSIDE, "db") == "tcp/80"
    other = written("CiliumNetworkPolicy", "x", "shop", apiVersion="cilium.io/v2", spec={})
    assert cluster(admit, other).passes(OUTSIDE, "db") == OPEN


def test_an_admin_policy_may_select_a_namespace_whose_labels_were_not_read() -> None:
    subject = {"subject": {"namespaces": {"matchLabels": {"team": "b"}}}}
    admin = written("AdminNetworkPolicy", "x", apiVersion="policy.networking.k8s.io/v1alpha1", spec=subject)
    assert opened(Cluster(SPACES[0], *PODS, *DENY, admin)) == {"bank/web", "bank/db"}


def test_a_selector_on_labels_that_controllers_set_is_known_at_most() -> None:
    one = {"podSelector": {"matchLabels": {"app": "web", "statefulset.kubernetes.io/pod-name": "web-0"}}}
    found = cluster(policy("p", ON_DB | {"ingress": [{"from": [one]}]}))
    assert (found.passes("web", "db"), found.passes("bank/web", "db")) == (OPEN, "none")
    assert opened(cluster(policy("p", one))) == {"shop/web"}


def test_objects_written_twice_and_alike_are_one() -> None:
    twice = policy("p", ON_DB | {"ingress": [{}]})
    again = {**twice, "metadata": {**twice["metadata"], "annotations": {"cloudseg.io/location": "b.yaml:1"}}}
    found = cluster(twice, again)
    assert not found.gaps()
    assert found.passes(OUTSIDE, "db") == "all"


def test_of_objects_written_twice_and_not_alike_nobody_knows_which_counts() -> None:
    found = cluster(policy("p", ON_DB), policy("p", ON_DB | {"ingress": [{}]}))
    assert found.gaps() == [("shop/NetworkPolicy/p", "malformed")]
    assert opened(found) == SHOP
    twice = cluster(pod("api"), pod("api", tier="x"))
    assert twice.gaps() == [("shop/Pod/api", "malformed")]
    assert twice.passes(OUTSIDE, "api") == OPEN


@pytest.mark.parametrize(
    "fields",
    [
        {"metadata": {"labels": []}},
        {"spec": {"containers": [{"ports": [{"containerPort": 0}]}]}},
        {"spec": {"containers": [{"ports": [{"containerPort": 80, "protocol": "ICMP"}]}]}},
        {"spec": {"containers": 1}},
        {"status": {"podIP": "10.0.0"}},
        {"spec": {"containers": [{"ports": [{"name": "a", "containerPort": n} for n in (1, 2)]}]}},
    ],
)
def test_a_pod_that_cannot_be_read_in_full_is_open_at_most(fields: dict[str, Any]) -> None:
    found = cluster(written("Pod", "api", "shop", **fields))
    assert found.gaps() == [("shop/Pod/api", "malformed")]
    assert found.passes(OUTSIDE, "api") == OPEN
    assert found.passes("api", "db") == "none"


def test_a_pod_without_a_name_may_stand_anywhere() -> None:
    found = cluster(written("Pod", "{{ .Values.name }}", "shop"))
    assert not found.estate.coverage.was_read("interfaces", "kubernetes", "c", "global")
    assert [reason for _, reason in found.gaps()] == ["malformed"]


def test_what_a_cluster_did_not_answer_leaves_its_pods_open() -> None:
    denied = SnapshotGap("kubernetes", "c", "global", "networking.k8s.io", "networkpolicies", None, "denied", "no")
    manifest = Manifest("2026-01-01T00:00:00Z", "test", gaps=(denied,))
    whole = snapshot(*SPACES, *PODS)
    found = translate(Snapshot.of({part: whole.read(part) for part in whole.parts()}, manifest))
    assert all(each.attached_unread for each in found.interfaces.values())
    assert [(gap.what, gap.reason, gap.facets) for gap in found.gaps] == [
        ("networking.k8s.io.networkpolicies", "denied", ("groups",))
    ]


def test_a_file_that_cannot_be_read_may_hold_a_policy_that_admits_anything(tmp_path: Path) -> None:
    objects = (*SPACES, *PODS, policy("shut", {"podSelector": {}, "policyTypes": ["Ingress"]}))
    (tmp_path / "all.yaml").write_text("---\n".join(json.dumps(each) + "\n" for each in objects))
    whole = translate(read_manifests([tmp_path]))
    assert not any(each.attached_unread for each in whole.interfaces.values())
    (tmp_path / "broken.yaml").write_text("kind: NetworkPolicy\n  spec: [\n")
    found = translate(read_manifests([tmp_path]))
    assert all(each.attached_unread for each in found.interfaces.values())
    assert [gap.facets for gap in found.gaps] == [("groups", "interfaces", "workloads", "entrances")]
