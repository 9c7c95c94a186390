"""Network plugins whose daemons run on fewer nodes than there are.

Sources: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/ and
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/daemon-set-v1/#DaemonSetStatus
"""

from typing import Any

import pytest

from tests.kubernetes import daemon_sets as ships
from tests.kubernetes.cluster import Cluster, policy, space, written

Json = dict[str, Any]

CLOSED = policy("closed", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
LINUX = {"kubernetes.io/os": "linux"}
NODES = [ships.node(name, LINUX) for name in ("n1", "n2", "n3")]
READY: Json = {"conditions": [{"type": "Ready", "status": "True"}]}
AT_MOST = "at most all"


def on(node: str, name: str, namespace: str = "shop", owner: str = "", **status: Any) -> Json:
    owners = [{"kind": "DaemonSet", "name": owner, "controller": True}] if owner else []
    metadata: Json = {"labels": {"app": name}, "ownerReferences": owners}
    spec: Json = {"nodeName": node, "containers": []}
    return written("Pod", name, namespace, metadata=metadata, spec=spec, status=status or READY)


def calico(desired: int, ready: int) -> Json:
    return ships.running(ships.calico(), desiredNumberScheduled=desired, numberReady=ready)


def agent(node: str, **status: Any) -> Json:
    return on(node, f"calico-node-{node}", "kube-system", "calico-node", **status)


APPLICATION = (space("shop"), space("kube-system"), CLOSED, on("n1", "web"), on("n2", "db"), on("n3", "job"))


def reached(*objects: Json) -> list[str]:
    """What passes to each of three pods that policies close, one on each of three nodes."""
    cluster = Cluster(*APPLICATION, *objects)
    return [cluster.passes("203.0.113.9", name) for name in ("web", "db", "job")]


@pytest.mark.semantics(114)
def test_daemons_on_all_nodes_enforce_everywhere() -> None:
    assert reached(calico(3, 3), *NODES) == ["none"] * 3
    assert reached(calico(3, 3)) == ["none"] * 3


@pytest.mark.semantics(114)
@pytest.mark.parametrize("objects", [[calico(2, 2), *NODES], [calico(3, 2), *NODES], [calico(3, 2)]])
def test_where_it_is_not_known_which_nodes_are_without_any_may_be(objects: list[Json]) -> None:
    assert reached(*objects) == [AT_MOST] * 3


@pytest.mark.semantics(114)
def test_pods_of_the_daemons_tell_which_nodes_are_without() -> None:
    assert reached(calico(2, 2), *NODES, agent("n1"), agent("n2")) == ["none", "none", AT_MOST]
    waiting = {"conditions": [{"type": "Ready", "status": "False"}]}
    assert reached(calico(3, 2), *NODES, agent("n1"), agent("n2", **waiting), agent("n3")) == ["none", AT_MOST, "none"]
    # One of two pods that are ready was not read.
    assert reached(calico(2, 2), *NODES, agent("n1")) == [AT_MOST] * 3


@pytest.mark.semantics(114)
def test_a_status_that_was_not_read_tells_nothing() -> None:
    assert reached(ships.calico(), *NODES) == ["none"] * 3
    assert reached(ships.running(ships.calico()), *NODES) == ["none"] * 3


@pytest.mark.semantics(114)
@pytest.mark.parametrize(
    "other",
    [
        ships.node("n4", {"kubernetes.io/os": "windows"}),
        ships.node("n4", {"eks.amazonaws.com/compute-type": "fargate"}),
        ships.node("n4", {"type": "virtual-kubelet"}),
    ],
)
def test_nodes_that_are_judged_otherwise_do_not_count(other: Json) -> None:
    assert reached(calico(3, 3), *NODES, other) == ["none"] * 3


@pytest.mark.semantics(114)
def test_daemon_sets_of_one_plugin_share_the_nodes() -> None:
    arm = {**calico(1, 1), "metadata": {**ships.calico()["metadata"], "name": "calico-node-arm"}}
    assert reached(calico(2, 2), arm, *NODES) == ["none"] * 3


def test_a_plugin_that_enforces_nothing_need_not_be_everywhere() -> None:
    assert reached(ships.running(ships.flannel(), desiredNumberScheduled=2, numberReady=2), *NODES) == ["all"] * 3


def placed(**spec: Any) -> Json:
    """Calico's daemons without a status, with what says where they may run."""
    item = ships.calico()
    item["spec"]["template"]["spec"] |= spec
    return item


def affinity(*terms: Json) -> Json:
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}}


def asking(operator: str, *values: str, key: str = "pool") -> Json:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


POOLS = [ships.node("n1", {**LINUX, "pool": "1"}), ships.node("n2", LINUX), ships.node("n3", {**LINUX, "pool": "3"})]
FIRST, NOT_SECOND, THIRD = ["none", AT_MOST, AT_MOST], ["none", AT_MOST, "none"], [AT_MOST, AT_MOST, "none"]


@pytest.mark.semantics(114)
@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"nodeSelector": {"pool": "1"}}, FIRST),
        ({"nodeSelector": {"kubernetes.io/os": "linux"}}, ["none"] * 3),
        ({"nodeSelector": {"pool": "elsewhere"}}, [AT_MOST] * 3),
        ({"affinity": affinity(asking("Exists"))}, NOT_SECOND),
        ({"affinity": affinity(asking("DoesNotExist"))}, [AT_MOST, "none", AT_MOST]),
        ({"affinity": affinity(asking("In", "1"), asking("In", "3"))}, NOT_SECOND),
        ({"affinity": affinity(asking("NotIn", "1", "3"))}, [AT_MOST, "none", AT_MOST]),
        ({"affinity": affinity(asking("Gt", "2"))}, THIRD),
        ({"affinity": affinity(asking("Lt", "2"))}, FIRST),
        ({"affinity": affinity(asking("Sideways", "2"))}, [AT_MOST] * 3),
        ({"affinity": affinity({})}, [AT_MOST] * 3),
        (
            {"affinity": affinity({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]})},
            FIRST,
        ),
    ],
)
def test_pods_on_nodes_that_no_daemon_may_run_on_are_known_at_most(spec: Json, expected: list[str]) -> None:
    assert reached(placed(**spec), *POOLS) == expected


@pytest.mark.semantics(114)
@pytest.mark.parametrize(
    ("taint", "tolerations", "reaches"),
    [
        ({"key": "gpu", "value": "yes", "effect": "NoSchedule"}, [], False),
        ({"key": "gpu", "value": "yes", "effect": "NoExecute"}, [], False),
        ({"key": "gpu", "value": "yes", "effect": "PreferNoSchedule"}, [], True),
        ({"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}, [], True),
        ({"key": "gpu", "value": "yes", "effect": "NoSchedule"}, [{"operator": "Exists"}], True),
        ({"key": "gpu", "value": "yes", "effect": "NoSchedule"}, [{"key": "gpu", "operator": "Exists"}], True),
        ({"key": "gpu", "value": "yes", "effect": "NoSchedule"}, [{"key": "gpu", "value": "yes"}], True),
        ({"key": "gpu", "value": "yes", "effect": "NoSchedule"}, [{"key": "gpu", "value": "no"}], False),
        ({"key": "gpu", "effect": "NoExecute"}, [{"operator": "Exists", "effect": "NoSchedule"}], False),
        ({"key": "gpu", "effect": "NoSchedule"}, [{"key": "cpu", "operator": "Exists"}], False),
    ],
)
def test_a_taint_that_the_daemons_do_not_tolerate_leaves_a_node_out(
    taint: Json, tolerations: list[Json], *, reaches: bool
) -> None:
    tainted = {**ships.node("n2", LINUX), "spec": {"taints": [taint]}}
    found = reached(placed(tolerations=tolerations), NODES[0], tainted, NODES[2])
    assert found == ["none", "none" if reaches else AT_MOST, "none"]


@pytest.mark.semantics(114)
def test_a_daemon_that_runs_on_a_node_all_the_same_enforces_there() -> None:
    assert reached(placed(nodeSelector={"pool": "1"}), *POOLS, agent("n3")) == NOT_SECOND


def test_daemon_sets_for_different_nodes_count_together() -> None:
    arm = {**placed(nodeSelector={"pool": "3"}), "metadata": {**ships.calico()["metadata"], "name": "calico-node-arm"}}
    assert reached(placed(nodeSelector={"pool": "1"}), arm, *POOLS) == NOT_SECOND


def test_without_nodes_nothing_tells_where_daemons_may_not_run() -> None:
    assert reached(placed(nodeSelector={"pool": "1"})) == ["none"] * 3
