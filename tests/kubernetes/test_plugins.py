"""Which network plugin runs in a cluster, by the daemons that vendors ship, and whether it enforces policies."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudseg.providers.kubernetes.translate.objects import Ledger, read_objects
from cloudseg.providers.kubernetes.translate.plugins import Plugin, detect
from tests.kubernetes import daemon_sets as ships
from tests.kubernetes.cluster import pod, snapshot, written

V1, ADMIN, CILIUM, AWS = "networking.k8s.io", "policy.networking.k8s.io", "cilium.io", "networking.k8s.aws"
ANTREA = "crd.antrea.io"
CALICO = {"projectcalico.org", "crd.projectcalico.org"}
AGENT_ON = "--enable-network-policy=true"
CNP = written("CiliumNetworkPolicy", "p", "shop", apiVersion="cilium.io/v2", spec={})


def plugin(*objects: dict[str, Any]) -> Plugin:
    return detect(read_objects(snapshot(*objects), "c", Ledger("c")))


@pytest.mark.semantics(114, 263)
@pytest.mark.parametrize(
    ("objects", "name", "enforces"),
    [
        ([ships.calico()], "Calico", True),
        ([ships.calico("calico-system")], "Calico", True),
        ([ships.installation()], "Calico", True),
        ([ships.canal()], "Calico beside Flannel", True),
        ([ships.rke2_canal()], "Calico beside Flannel", True),
        ([ships.calico(), ships.aws(with_agent=False)], "Calico beside AWS VPC CNI", True),
        ([ships.calico(), ships.azure_cns()], "Calico beside Azure CNI", True),
        ([ships.cilium()], "Cilium", True),
        ([ships.cilium(), ships.aws("--enable-network-policy=false")], "Cilium beside AWS VPC CNI", True),
        ([ships.cilium(), ships.azure_cns()], "Cilium beside Azure CNI", True),
        ([ships.anetd()], "GKE Dataplane V2", True),
        ([ships.antrea()], "Antrea", True),
        ([ships.weave()], "Weave Net", True),
        ([ships.weave(EXPECT_NPC="1")], "Weave Net", True),
        ([ships.weave(EXPECT_NPC="0")], "Weave Net", False),
        ([ships.weave(controller=False)], "Weave Net", False),
        ([ships.kube_router("--run-router=true", "--run-firewall=true")], "kube-router", True),
        ([ships.kube_router("--run-router=true")], "kube-router", True),
        ([ships.kube_router("--run-firewall=false")], "kube-router", False),
        ([ships.kube_router("--run-firewall=$(FIREWALL)")], "kube-router", None),
        ([ships.kube_router("--run-firewall=false"), ships.cilium()], "Cilium beside kube-router", True),
        ([ships.azure_npm(), ships.azure_cns()], "Azure Network Policy Manager beside Azure CNI", True),
        ([ships.azure_cns()], "Azure CNI", False),
        ([ships.aws(AGENT_ON)], "AWS VPC CNI with its network policy agent", True),
        ([ships.aws("--enable-network-policy")], "AWS VPC CNI with its network policy agent", True),
        ([ships.aws("--enable-network-policy=$(ON)")], "AWS VPC CNI with its network policy agent", None),
        ([ships.aws("--enable-network-policy=false")], "AWS VPC CNI", False),
        ([ships.aws()], "AWS VPC CNI", False),
        ([ships.aws(with_agent=False)], "AWS VPC CNI", False),
        ([ships.flannel()], "Flannel", False),
        ([ships.flannel(), ships.kube_network_policies()], "kube-network-policies beside Flannel", True),
        ([ships.kindnet("v20240202-8f1494ea")], "kindnet", False),
        ([ships.kindnet("v20240726-abcdef01")], "kindnet", None),
        ([ships.kindnet("v20240813-c6f155d6")], "kindnet", True),
        ([ships.kindnet("v20250512-df8de77b")], "kindnet", True),
        ([ships.kindnet("stable")], "kindnet", None),
        ([ships.kindnet("stable", "--network-policy=true")], "kindnet", True),
        ([ships.kindnet("v20250512-df8de77b", "--network-policy=false")], "kindnet", False),
        ([ships.kube_network_policies()], "kube-network-policies", True),
        ([ships.ovn_kubernetes()], "OVN-Kubernetes", True),
        ([ships.openshift_sdn(), ships.cluster_network("networkpolicy")], "OpenShift SDN", True),
        ([ships.openshift_sdn(), ships.cluster_network("multitenant")], "OpenShift SDN", False),
        ([ships.openshift_sdn(), ships.cluster_network("subnet")], "OpenShift SDN", False),
        ([ships.openshift_sdn()], "OpenShift SDN", None),
        ([ships.romana()], "Romana", True),
    ],
)
def test_a_daemon_tells_which_plugin_runs_and_whether_it_enforces_policies(
    objects: list[dict[str, Any]], name: str, *, enforces: bool | None
) -> None:
    found = plugin(*objects)
    assert (found.name, found.enforces) == (name, enforces)
    assert len(found.evidence) >= 1
    assert not found.assumed
    assert bool(found.doubt) == (enforces is None)


def test_the_container_of_kube_network_policies_in_flannels_daemon_enforces() -> None:
    beside = ships.container("kube-network-policies", "registry.k8s.io/networking/kube-network-policies:v0.7.0")
    found = plugin(ships.flannel(beside))
    assert (found.name, found.enforces) == ("kube-network-policies beside Flannel", True)


@pytest.mark.semantics(98)
@pytest.mark.parametrize(
    ("item", "ranges"),
    [
        (ships.cilium(), "outside"),
        (ships.anetd(), "outside"),
        (ships.calico(), "everywhere"),
        (ships.canal(), "everywhere"),
        (ships.azure_npm(), "everywhere"),
        (ships.antrea(), "unknown"),
        (ships.aws(AGENT_ON), "unknown"),
        (ships.flannel(), "unknown"),
    ],
)
def test_whether_ranges_mean_pods_is_up_to_the_plugin(item: dict[str, Any], ranges: str) -> None:
    assert plugin(item).ranges == ranges


@pytest.mark.semantics(114)
@pytest.mark.parametrize(
    ("item", "groups", "doubtful"),
    [
        (ships.calico(), {V1, *CALICO}, {ADMIN}),
        (ships.cilium(), {V1, CILIUM}, {ADMIN}),
        (ships.anetd(), {V1}, {ADMIN, CILIUM}),
        (ships.antrea(), {V1, "crd.antrea.io"}, {ADMIN}),
        (ships.weave(), {V1}, set[str]()),
        (ships.azure_npm(), {V1}, set[str]()),
        (ships.aws(AGENT_ON), {V1}, {ADMIN}),
        (ships.aws(AGENT_ON, image="a.example/amazon-k8s-cni:v1.21.1"), {V1, AWS}, {ADMIN}),
        (ships.aws(AGENT_ON, image="a.example/amazon-k8s-cni"), {V1}, {ADMIN, AWS}),
        (ships.kube_network_policies("--admin-network-policy=true"), {V1, ADMIN}, set[str]()),
        (ships.ovn_kubernetes(), {V1, "k8s.ovn.org"}, {ADMIN}),
        (ships.ovn_kubernetes("ovnkube --enable-admin-network-policy"), {V1, "k8s.ovn.org", ADMIN}, set[str]()),
        (ships.flannel(), set[str](), set[str]()),
    ],
)
def test_a_plugin_understands_policies_of_its_own(item: dict[str, Any], groups: set[str], doubtful: set[str]) -> None:
    found = plugin(item)
    assert (found.groups, found.doubtful) == (groups, doubtful)


@pytest.mark.parametrize(
    ("objects", "enforces", "closed", "words"),
    [
        ([ships.config_map("cilium-config", enable_policy="default")], True, False, ""),
        ([ships.config_map("cilium-config", enable_policy="never")], False, False, "`never`"),
        ([ships.config_map("cilium-config", enable_policy="always")], True, True, ""),
        ([ships.config_map("cilium-config")], True, False, "`default` is assumed"),
        ([], True, False, "the config map cilium-config was not read"),
    ],
)
def test_the_mode_of_cilium_stands_in_its_config_map(
    objects: list[dict[str, Any]], words: str, *, enforces: bool, closed: bool
) -> None:
    found = plugin(ships.cilium(), *objects)
    assert (found.enforces, found.closed) == (enforces, closed)
    assert words in found.evidence[0]


def test_the_mode_of_cilium_may_stand_in_its_arguments() -> None:
    assert plugin(ships.cilium("--enable-policy", "never")).enforces is False
    assert plugin(ships.cilium("--enable-policy=mostly")).enforces is None


@pytest.mark.semantics(114, 263)
def test_cilium_in_its_audit_mode_enforces_nothing() -> None:
    """Source: https://docs.cilium.io/en/stable/security/policy-creation/."""
    assert plugin(ships.cilium(), ships.config_map("cilium-config", policy_audit_mode="true")).enforces is False
    assert plugin(ships.cilium("--policy-audit-mode=true")).enforces is False
    assert plugin(ships.cilium(), ships.config_map("cilium-config", policy_audit_mode="false")).enforces is True


@pytest.mark.semantics(114)
def test_settings_of_some_nodes_leave_open_whether_cilium_enforces() -> None:
    """Source: https://docs.cilium.io/en/stable/configuration/per-node-config/."""
    apart = written(
        "CiliumNodeConfig", "n", "kube-system", apiVersion="cilium.io/v2", spec={"defaults": {"enable-policy": "never"}}
    )
    found = plugin(ships.cilium(), apart)
    assert (found.enforces, found.doubt) == (None, "a CiliumNodeConfig sets enable-policy for some nodes")
    other = {**apart, "spec": {"defaults": {"enable-hubble": "true"}}}
    assert plugin(ships.cilium(), other).enforces is True


@pytest.mark.semantics(114)
@pytest.mark.parametrize(
    "switch",
    ["enable_cilium_network_policy", "enable_cilium_clusterwide_network_policy", "enable_non_default_deny_policies"],
)
def test_cilium_may_be_told_to_leave_some_of_its_own_policies_alone(switch: str) -> None:
    found = plugin(ships.cilium(), ships.config_map("cilium-config", **{switch: "false"}))
    assert (found.groups, found.doubtful) == ({V1}, {ADMIN, CILIUM})


@pytest.mark.semantics(114)
@pytest.mark.parametrize(
    ("text", "doubtful"),
    [
        ("featureGates:\n  AntreaPolicy: false\n", {ADMIN, ANTREA}),
        ("featureGates:\n#  AntreaPolicy: false\n", {ADMIN}),
        ("featureGates:\n  AntreaPolicy: true\n", {ADMIN}),
    ],
)
def test_a_feature_gate_of_antrea_turns_its_own_policies_off(text: str, doubtful: set[str]) -> None:
    """Source: https://antrea.io/docs/main/docs/feature-gates/."""
    config = written("ConfigMap", "antrea-config", "kube-system", data={"antrea-agent.conf": text})
    assert plugin(ships.antrea(), config).doubtful == doubtful


@pytest.mark.semantics(114)
def test_policies_of_several_plugins_do_not_tell_which_of_them_runs() -> None:
    calico = written("GlobalNetworkPolicy", "g", apiVersion="projectcalico.org/v3", spec={})
    found = plugin(CNP, calico)
    assert (found.enforces, found.assumed, found.doubtful) == (True, True, {CILIUM, "projectcalico.org"})
    assert found.groups is not None
    assert V1 in found.groups
    assert plugin(calico).groups is None


def test_cilium_may_be_told_to_leave_network_policies_alone() -> None:
    found = plugin(ships.cilium(), ships.config_map("cilium-config", enable_k8s_networkpolicy="false"))
    assert (found.enforces, found.groups) == (False, {CILIUM})


def test_the_strict_mode_of_aws_closes_pods_without_policies() -> None:
    strict = ships.aws(AGENT_ON, NETWORK_POLICY_ENFORCING_MODE="strict")
    standard = ships.aws(AGENT_ON, NETWORK_POLICY_ENFORCING_MODE="standard")
    assert (plugin(strict).closed, plugin(standard).closed) == (True, False)


def test_what_a_config_map_may_set_of_aws_node_is_not_known() -> None:
    """https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#environment-variables."""
    found = ships.aws(AGENT_ON)
    assert plugin(found).enforces is True
    for each in found["spec"]["template"]["spec"]["containers"]:
        each["envFrom"] = [{"configMapRef": {"name": "amazon-vpc-cni"}}]
    assert plugin(found).enforces is None
    assert "NETWORK_POLICY_ENFORCING_MODE" in plugin(found).doubt


def test_the_agent_of_aws_needs_its_controller() -> None:
    agent = ships.aws(AGENT_ON)
    off = ships.config_map("amazon-vpc-cni", enable_network_policy_controller="false")
    assert plugin(agent, ships.config_map("amazon-vpc-cni", enable_network_policy_controller="true")).enforces
    assert plugin(agent, off).enforces is None
    assert "does not switch its controller on" in plugin(agent, off).doubt
    made = written("PolicyEndpoint", "web-x", "shop", apiVersion="networking.k8s.aws/v1alpha1")
    assert plugin(agent, off, made).enforces


@pytest.mark.parametrize(("switch", "enforces"), [("true", True), ("false", False), (None, None)])
def test_eks_auto_mode_has_no_daemon_and_a_switch_in_a_config_map(switch: str | None, *, enforces: bool | None) -> None:
    objects = [ships.node("n", {"eks.amazonaws.com/compute-type": "auto"})]
    if switch:
        objects.append(ships.config_map("amazon-vpc-cni", enable_network_policy_controller=switch))
    assert (plugin(*objects).name, plugin(*objects).enforces) == ("EKS Auto Mode", enforces)


@pytest.mark.parametrize(
    ("arguments", "enforces"),
    [
        ('["server","--tls-san","k.example"]', True),
        ('["server","--disable-network-policy"]', False),
        ('["server","--disable-network-policy","true"]', False),
        ('["server","--disable-network-policy=false"]', True),
        ('["agent"]', None),
        ("[", None),
    ],
)
def test_k3s_enforces_policies_in_its_server(arguments: str, *, enforces: bool | None) -> None:
    node = ships.node("n", marks={"k3s.io/node-args": arguments, "flannel.alpha.coreos.com/backend-type": "vxlan"})
    found = plugin(node, ships.running(ships.unknown()))
    assert (found.name, found.enforces) == ("K3s network policy controller", enforces)


def test_a_plugin_that_enforces_counts_rather_than_that_of_k3s() -> None:
    node = ships.node("n", marks={"k3s.io/node-args": '["server","--flannel-backend=none","--disable-network-policy"]'})
    assert (plugin(node, ships.cilium()).name, plugin(node, ships.cilium()).enforces) == ("Cilium", True)


def test_of_two_plugins_that_enforce_only_what_both_do_is_certain() -> None:
    found = plugin(ships.calico(), ships.cilium())
    assert (found.enforces, found.ranges, found.groups) == (True, "unknown", {V1})
    assert found.doubtful == {ADMIN, CILIUM, *CALICO}
    assert found.doubt == "daemons of Calico and Cilium were read, and which of them counts is not known"


def test_daemons_of_one_plugin_that_are_set_in_different_ways_are_doubtful() -> None:
    other = ships.kube_router("--run-firewall=false")
    other["metadata"]["name"] = "kube-router-edge"
    found = plugin(ships.kube_router(), other)
    assert (found.enforces, found.doubt[:51]) == (None, "daemons of kube-router are set in different ways: D")


def test_a_daemon_for_windows_tells_nothing_of_other_nodes() -> None:
    windows = ships.container("calico-node", "docker.io/calico/node-windows:v3.28.0")
    beside = ships.daemon_set("calico-node-windows", windows, windows=True)
    assert plugin(ships.calico(), beside).windows
    assert not plugin(ships.calico()).windows


def test_how_a_daemon_for_windows_is_set_does_not_count_for_other_nodes() -> None:
    off = ships.container("kube-router", "docker.io/cloudnativelabs/kube-router:v2.2.1", "--run-firewall=false")
    beside = ships.daemon_set("kube-router-windows", off, windows=True)
    found = plugin(ships.kube_router(), beside)
    assert (found.enforces, found.windows) == (True, False)


def test_a_daemon_that_runs_on_no_node_is_none() -> None:
    idle = ships.running(ships.calico(), desiredNumberScheduled=0)
    assert plugin(idle, ships.running(ships.flannel(), desiredNumberScheduled=3)).name == "Flannel"


def test_the_pods_of_a_daemon_tell_the_same_where_it_was_not_read() -> None:
    spec = ships.calico()["spec"]["template"]["spec"]
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "calico-node", "controller": True}
    made = written("Pod", "calico-node-x1", "kube-system", metadata={"ownerReferences": [owner]}, spec=spec)
    assert plugin(made).name == "Calico"


def test_the_evidence_says_where_the_daemon_is_written() -> None:
    item = ships.flannel()
    item["metadata"]["annotations"] = {"cloudseg.io/location": "cni/flannel.yaml:90"}
    (words,) = plugin(item).evidence
    assert words.startswith(
        "DaemonSet kube-flannel/kube-flannel-ds (cni/flannel.yaml:90), image flannel-io/flannel:v0.26.1"
    )


def test_without_anything_that_tells_enforcement_is_assumed() -> None:
    found = plugin(pod("web"), ships.unknown())
    assert (found.name, found.enforces, found.assumed, found.groups) == ("", True, True, None)


def test_in_a_cluster_that_runs_a_plugin_that_is_not_known_is_doubtful() -> None:
    found = plugin(pod("web"), ships.running(ships.unknown()))
    assert (found.name, found.enforces, found.assumed) == ("", None, False)
    assert found.doubt == "no network plugin is known among the daemons of kube-system (own-cni)"


@pytest.mark.parametrize(
    ("item", "name"),
    [
        (CNP, "Cilium"),
        (ships.node("n", marks={"projectcalico.org/IPv4Address": "10.0.0.4/24"}), "Calico"),
        (written("CustomResourceDefinition", "tiers.crd.antrea.io", apiVersion="apiextensions.k8s.io/v1"), "Antrea"),
    ],
)
def test_marks_and_policies_of_a_plugin_are_only_hints(item: dict[str, Any], name: str) -> None:
    found = plugin(item)
    assert (found.enforces, found.assumed) == (True, True)
    assert found.doubt == f"objects and marks of nodes hint at {name}"


def test_where_only_flannel_left_marks_it_is_not_assumed_that_policies_are_enforced() -> None:
    found = plugin(ships.node("n", marks={"flannel.alpha.coreos.com/backend-type": "vxlan"}))
    assert (found.enforces, found.assumed) == (None, False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("name", "image", "args")), inner),
    max_leaves=6,
)


@given(name=st.sampled_from(("aws-node", "cilium", "kube-router", "weave-net", "x")), containers=JSON, status=JSON)
def test_whatever_a_daemon_holds_nothing_fails(name: str, containers: object, status: object) -> None:
    spec = {"template": {"spec": {"containers": containers}}}
    plugin(written("DaemonSet", name, "kube-system", spec=spec, status=status))
