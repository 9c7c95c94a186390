"""Which interfaces a cluster has: one for each workload."""

from typing import Any

import pytest

from tests.kubernetes.cluster import Cluster, pod, policy, space, written

TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"ports": [{"name": "http", "containerPort": 80}]}]},
}


HASH: dict[str, str] = {"pod-template-hash": "1"}


def owned(item: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    item["metadata"]["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": kind, "name": name, "controller": True}]
    return item


def own_ids(*objects: Any) -> list[str]:
    return sorted(key.removeprefix("kubernetes:c:") for key in Cluster(*objects).estate.interfaces)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"])
def test_a_workload_is_one_interface_with_the_labels_of_its_template(kind: str) -> None:
    labels = {"name": "own, and not the pods'"}
    spec = {"replicas": 5, "template": TEMPLATE}
    found = Cluster(space("shop", team="a"), written(kind, "web", "shop", metadata={"labels": labels}, spec=spec))
    (interface,) = found.estate.interfaces.values()
    assert interface.id == f"kubernetes:c:shop/web[{kind}]"
    assert (interface.kind, interface.name, interface.network) == ("pod", "web", "kubernetes:c:pods")
    assert interface.labels == {
        "app": "web",
        "namespace/kubernetes.io/metadata.name": "shop",
        "namespace/team": "a",
        "port/http/TCP": "80",
        "pod/cluster": "c",
        "pod/service-account": "default",
    }
    assert interface.tags == {"app": "web", "namespace": "shop", "team": "a"}
    assert interface.workload in found.estate.workloads


def test_a_cron_job_is_one_interface() -> None:
    spec = {"jobTemplate": {"spec": {"template": TEMPLATE}}}
    assert own_ids(written("CronJob", "web", "shop", spec=spec)) == ["shop/web[CronJob]"]


def test_another_controller_with_a_template_of_pods_is_a_workload() -> None:
    rollout = written("Rollout", "web", "shop", apiVersion="argoproj.io/v1alpha1", spec={"template": TEMPLATE})
    assert own_ids(rollout) == ["shop/web[Rollout]"]
    assert not own_ids(written("ConfigMap", "web", "shop", data={}))


def running(name: str, address: str, **labels: str) -> dict[str, Any]:
    made = pod(name, app="web")
    made["metadata"]["labels"] |= labels
    made["spec"] = TEMPLATE["spec"]
    return owned(made | {"status": {"phase": "Running", "podIP": address}}, "ReplicaSet", "web-1")


def test_pods_are_folded_into_the_workload_that_made_them() -> None:
    deployment = written("Deployment", "web", "shop", spec={"template": TEMPLATE})
    hashed = {**TEMPLATE, "metadata": {"labels": {"app": "web", "pod-template-hash": "1"}}}
    replicas = owned(written("ReplicaSet", "web-1", "shop", spec={"template": hashed}), "Deployment", "web")
    pods = [running(f"web-1-{n}", f"10.0.0.{n}", **HASH) for n in (1, 2)]
    assert own_ids(deployment, replicas, *pods) == ["shop/web[Deployment]"]
    (interface,) = Cluster(deployment, replicas, *pods).estate.interfaces.values()
    assert str(interface.addresses) == "10.0.0.1-10.0.0.2"


def test_a_pod_that_differs_from_what_made_it_is_an_interface_of_its_own() -> None:
    replicas = written("ReplicaSet", "web-1", "shop", spec={"template": TEMPLATE})
    odd = running("web-1-x", "10.0.0.1", debug="yes")
    assert own_ids(replicas, odd) == ["shop/web-1-x[Pod]", "shop/web-1[ReplicaSet]"]


def test_a_pod_whose_owner_was_not_read_is_an_interface_of_its_own() -> None:
    assert own_ids(running("web-1-x", "10.0.0.1")) == ["shop/web-1-x[Pod]"]


def test_an_old_replica_set_without_pods_is_none() -> None:
    deployment = written("Deployment", "web", "shop", spec={"template": TEMPLATE})
    old = written(
        "ReplicaSet", "web-0", "shop", spec={"replicas": 0, "template": {"metadata": {"labels": {"app": "v0"}}}}
    )
    assert own_ids(deployment, owned(old, "Deployment", "web")) == ["shop/web[Deployment]"]


def test_owners_in_a_circle_are_interfaces() -> None:
    one = owned(written("ReplicaSet", "a", "shop", spec={"template": TEMPLATE}), "ReplicaSet", "b")
    two = owned(written("ReplicaSet", "b", "shop", spec={"template": TEMPLATE}), "ReplicaSet", "a")
    assert own_ids(one, two)


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_is_no_end(phase: str) -> None:
    assert not own_ids(pod("job") | {"status": {"phase": phase}})


def test_a_label_of_a_pod_cannot_feign_one_of_its_namespace_or_a_port() -> None:
    feigned = pod("x")
    feigned["metadata"]["labels"] |= {"namespace/team": "b", "port/http/TCP": "1", "pod/host-network": "c"}
    peer = {"namespaceSelector": {"matchLabels": {"team": "b"}}}
    admit = policy("p", {"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [{"from": [peer]}]})
    cluster = Cluster(space("shop", team="a"), feigned, pod("db"), admit)
    assert cluster.passes("x", "db") == "none"
    chosen = {"podSelector": {"matchLabels": {"namespace/team": "b"}}}
    cluster = Cluster(space("shop", team="a"), feigned, pod("db"), policy("q", chosen))
    assert cluster.passes("db", "x") == "none"


def test_two_workloads_of_one_name_and_different_kinds_are_two() -> None:
    one, two = (written(kind, "web", "shop", spec={"template": TEMPLATE}) for kind in ("Deployment", "Job"))
    assert own_ids(one, two) == ["shop/web[Deployment]", "shop/web[Job]"]
