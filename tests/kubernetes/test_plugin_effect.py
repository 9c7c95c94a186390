"""What passes in a cluster where policies are not enforced, or perhaps not, or not for some pods."""

from typing import Any

import pytest

from tests.kubernetes import daemon_sets as ships
from tests.kubernetes.cluster import Cluster, pod, policy, space, written

DENY = policy("deny", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
CLOSED = policy("db", {"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"]})
CNP = written("CiliumNetworkPolicy", "deny", "shop", apiVersion="cilium.io/v2", spec={"endpointSelector": {}})
ADMIN = written(
    "AdminNetworkPolicy",
    "a",
    apiVersion="policy.networking.k8s.io/v1alpha1",
    spec={"priority": 1, "subject": {"namespaces": {"matchLabels": {"team": "a"}}}},
)
EVERYTHING = "all"
APPLICATION = (space("shop"), pod("web"), pod("db"))


def cluster(*objects: dict[str, Any]) -> Cluster:
    return Cluster(*APPLICATION, *objects)


def passes(*objects: dict[str, Any]) -> str:
    return cluster(*objects).passes("web", "db")


@pytest.mark.semantics(114, 263)
def test_a_policy_that_the_plugin_ignores_isolates_nothing() -> None:
    found = cluster(CLOSED, ships.flannel())
    assert found.passes("web", "db") == EVERYTHING
    assert found.passes("203.0.113.9", "db") == EVERYTHING
    (kept,) = (each for each in found.estate.rule_sets.values() if each.kind == "NetworkPolicy")
    assert kept.stage == "unenforced"
    assert found.gaps() == []
    assert "cluster c: 1 NetworkPolicy (networking.k8s.io) has no effect: Flannel does not enforce it" in (
        found.estate.notes
    )


@pytest.mark.semantics(114, 263)
@pytest.mark.parametrize("item", [ships.calico(), ships.canal(), ships.cilium(), ships.azure_npm()])
def test_a_policy_that_the_plugin_enforces_isolates(item: dict[str, Any]) -> None:
    assert passes(CLOSED, item) == "none"


@pytest.mark.semantics(114)
def test_a_malformed_policy_that_nobody_enforces_leaves_nothing_open() -> None:
    broken = policy("broken", {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "nowhere"}}]}]})
    assert passes(broken) == f"at most {EVERYTHING}"
    assert passes(broken, ships.flannel()) == EVERYTHING


@pytest.mark.semantics(114)
def test_a_policy_of_another_plugin_has_no_effect() -> None:
    found = cluster(CNP, ships.calico())
    assert found.passes("web", "db") == EVERYTHING
    assert found.gaps() == []
    assert any("CiliumNetworkPolicy (cilium.io) has no effect" in note for note in found.estate.notes)


@pytest.mark.semantics(114)
def test_a_policy_that_the_plugin_may_understand_leaves_open_whom_it_selects() -> None:
    objects = (space("shop", team="a"), pod("web"), pod("db"), space("bank"), pod("x", "bank"), pod("y", "bank"))
    found = Cluster(*objects, ADMIN, ships.calico())
    assert found.passes("web", "db") == f"at most {EVERYTHING}"
    assert found.passes("bank/x", "bank/y") == EVERYTHING
    assert [reason for _, reason in found.gaps()] == ["unsupported"]


@pytest.mark.semantics(114)
def test_where_the_plugin_is_not_known_what_passes_at_selected_pods_is_known_at_most() -> None:
    found = cluster(CLOSED, ships.running(ships.unknown()))
    assert found.passes("web", "db") == f"at most {EVERYTHING}"
    assert found.passes("db", "web") == f"at most {EVERYTHING}"
    (gap,) = found.estate.gaps
    assert (gap.what, gap.reason, gap.facets) == ("network-plugin", "unsupported", ("groups",))
    assert "no network plugin is known among the daemons of kube-system (own-cni)" in gap.detail
    assert "try a connection that a policy forbids" in gap.detail


def test_where_the_plugin_is_not_known_pods_without_policies_are_open() -> None:
    found = cluster(pod("cache"), CLOSED, ships.running(ships.unknown()))
    assert found.passes("web", "cache") == EVERYTHING


def test_without_policies_it_does_not_matter_which_plugin_runs() -> None:
    found = cluster(ships.running(ships.unknown()))
    assert (found.passes("web", "db"), found.gaps()) == (EVERYTHING, [])


@pytest.mark.semantics(114)
def test_manifests_without_a_plugin_are_judged_as_if_policies_were_enforced_and_say_so() -> None:
    found = cluster(CLOSED, ships.unknown())
    assert found.passes("web", "db") == "none"
    assert any("enforces NetworkPolicies is assumed" in note for note in found.estate.notes)


def test_where_the_plugin_is_known_nothing_is_assumed() -> None:
    notes = cluster(CLOSED, ships.calico()).estate.notes
    assert not any("is assumed" in note for note in notes)
    assert any(note.startswith("cluster c: Calico enforces NetworkPolicies (DaemonSet") for note in notes)


@pytest.mark.parametrize(
    "objects",
    [
        [ships.cilium(), ships.config_map("cilium-config", enable_policy="always")],
        [ships.aws("--enable-network-policy", NETWORK_POLICY_ENFORCING_MODE="strict")],
    ],
)
def test_a_plugin_that_denies_what_no_policy_admits_leaves_pods_without_policies_open_at_most(
    objects: list[dict[str, Any]],
) -> None:
    owned = {"ownerReferences": [{"kind": "ReplicaSet", "name": "r", "controller": True}]}
    ends = [written("Pod", name, "shop", metadata=owned, spec={"containers": []}) for name in ("web", "db")]
    assert Cluster(space("shop"), *ends, *objects).passes("web", "db") == f"at most {EVERYTHING}"


@pytest.mark.semantics(98)
@pytest.mark.parametrize(
    ("item", "passing"),
    [(ships.cilium(), "none"), (ships.calico(), "tcp/80"), (ships.antrea(), "at most tcp/80")],
)
def test_whether_a_range_of_addresses_admits_a_pod_is_up_to_the_plugin(item: dict[str, Any], passing: str) -> None:
    rule = {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [{"protocol": "TCP", "port": 80}]}
    spec: dict[str, Any] = {"podSelector": {}, "ingress": [rule]}
    client = {**pod("web"), "status": {"phase": "Running", "podIP": "10.1.2.3"}}
    assert Cluster(space("shop"), client, pod("db"), policy("p", spec), item).passes("web", "db") == passing


SELECTED: dict[str, dict[str, Any]] = {
    "windows": {"nodeSelector": {"kubernetes.io/os": "windows"}},
    "windows by its own word": {"os": {"name": "windows"}},
    "a virtual node": {"nodeSelector": {"type": "virtual-kubelet"}},
    "fargate": {"schedulerName": "fargate-scheduler"},
    "a node of fargate": {"nodeName": "fargate-ip-10-0-0-4"},
}
FARGATE = ships.node("fargate-ip-10-0-0-4", {"eks.amazonaws.com/compute-type": "fargate"})


def deployment(name: str, **spec: Any) -> dict[str, Any]:
    template: dict[str, Any] = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [], **spec}}
    return written("Deployment", name, "shop", spec={"template": template})


@pytest.mark.semantics(114)
@pytest.mark.parametrize("name", SELECTED)
def test_where_the_plugin_does_not_run_what_policies_deny_is_not_certain(name: str) -> None:
    objects = (space("shop"), pod("web"), deployment("db", **SELECTED[name]), deployment("other"), DENY, FARGATE)
    found = Cluster(*objects, ships.cilium())
    assert found.passes("203.0.113.9", "db") == f"at most {EVERYTHING}"
    assert found.passes("203.0.113.9", "other") == "none"
    assert found.gaps() == [("shop/Deployment/db", "unsupported")]


@pytest.mark.semantics(114)
def test_a_pod_on_fargate_leaves_open_the_workload_that_made_it() -> None:
    template: dict[str, Any] = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": []}}
    owner = {"kind": "Deployment", "name": "db", "controller": True}
    replicas = written("ReplicaSet", "db-1", "shop", spec={"template": template})
    replicas["metadata"]["ownerReferences"] = [owner]
    runs = written("Pod", "db-1-x", "shop", spec={"containers": [], "nodeName": "fargate-ip-10-0-0-4"})
    runs["metadata"] |= {
        "labels": {"app": "db"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "db-1", "controller": True}],
    }
    found = Cluster(space("shop"), deployment("db"), replicas, runs, DENY, FARGATE, ships.calico())
    assert found.passes("203.0.113.9", "db") == f"at most {EVERYTHING}"


def test_a_plugin_with_a_daemon_for_windows_enforces_there() -> None:
    agent = ships.container("antrea-agent", "antrea/antrea-windows:v2.1.0")
    beside = ships.daemon_set("antrea-agent-windows", agent, windows=True)
    found = Cluster(space("shop"), deployment("db", os={"name": "windows"}), DENY, ships.antrea(), beside)
    assert found.passes("203.0.113.9", "db") == "none"


@pytest.mark.semantics(114)
def test_the_agent_of_aws_filters_no_pods_that_no_controller_made() -> None:
    found = Cluster(space("shop"), pod("web"), deployment("db"), DENY, ships.aws("--enable-network-policy=true"))
    assert found.passes("203.0.113.9", "web") == f"at most {EVERYTHING}"
    assert found.passes("203.0.113.9", "db") == "none"


def test_where_no_policy_is_enforced_it_does_not_matter_where_a_pod_runs() -> None:
    found = Cluster(space("shop"), deployment("db", os={"name": "windows"}), DENY, ships.flannel())
    assert (found.passes("203.0.113.9", "db"), found.gaps()) == (EVERYTHING, [])


@pytest.mark.semantics(114)
def test_where_policies_of_several_plugins_were_read_what_they_select_is_known_at_most() -> None:
    """What one of them admits means nothing to the other, and what it denies as little."""
    opens = written(
        "GlobalNetworkPolicy",
        "opens",
        apiVersion="projectcalico.org/v3",
        spec={"selector": "app == 'db'", "types": ["Ingress"], "ingress": [{"action": "Allow"}]},
    )
    shuts = written(
        "CiliumNetworkPolicy",
        "shuts",
        "shop",
        apiVersion="cilium.io/v2",
        spec={"endpointSelector": {"matchLabels": {"app": "db"}}, "ingress": [{}]},
    )
    assert passes(opens) == EVERYTHING
    assert passes(shuts) == "none"
    both = cluster(opens, shuts)
    assert both.passes("web", "db") == f"at most {EVERYTHING}"
    assert any("the network plugin understands CiliumNetworkPolicy" in note for note in both.estate.notes)
    assert passes(opens, shuts, ships.cilium()) == "none"


@pytest.mark.semantics(114, 263)
def test_in_the_audit_mode_of_cilium_everything_passes() -> None:
    audit = ships.config_map("cilium-config", policy_audit_mode="true")
    assert passes(CLOSED, ships.cilium(), audit) == EVERYTHING
