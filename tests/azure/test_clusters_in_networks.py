"""Clusters of AKS in the virtual networks that carry them.

Sources: https://learn.microsoft.com/azure/aks/concepts-network-cni-overview,
https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay and
https://learn.microsoft.com/azure/aks/concepts-network-legacy-cni
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloudseg.cli.sources import translate as translate_azure
from cloudseg.model import Estate
from cloudseg.model.joining import join_clusters
from cloudseg.providers.kubernetes.translate import translate
from cloudseg.reach.reachability import Reachability
from cloudseg.snapshot import Manifest, Part, Snapshot
from cloudseg.traffic import AddressSet, Traffic
from tests.azure.agreeing import snapshot_of
from tests.azure.raw import SUBSCRIPTION, Raw
from tests.azure.raw_gateways import scale_set
from tests.azure.raw_parts import rule
from tests.kubernetes.cluster import pod, policy, snapshot, space, written

if TYPE_CHECKING:
    from tests.azure.oracle_records import Json

SET = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/MC_rg_aks_westeurope/providers/Microsoft.Compute/"
    "virtualMachineScaleSets/aks-pool-1-vmss"
)
DENIED = Traffic.parse("tcp/9999")
WEB, JOB = "kubernetes:c:shop/web[Pod]", "kubernetes:c:shop/job[Pod]"


def at(item: dict[str, Any], address: str, node: str = "") -> dict[str, Any]:
    found = item | {"status": {"podIP": address, "podIPs": [{"ip": address}], "phase": "Running"}}
    if node:
        found["spec"] = {**found["spec"], "nodeName": node}
    return found


def node(name: str, address: str, number: int) -> dict[str, Any]:
    status = {"addresses": [{"type": "InternalIP", "address": address}]}
    return written("Node", name, spec={"providerID": f"azure://{SET}/virtualMachines/{number}"}, status=status)


def instance(raw: Raw, number: int, subnet: str, *addresses: str) -> None:
    """The interface of an instance of the scale set; the first address is its own, the others are for pods."""
    own = f"{SET}/virtualMachines/{number}"
    configurations: list[Json] = [
        {
            "name": f"ipconfig{place}",
            "properties": {"primary": not place, "privateIPAddress": address, "subnet": raw.ref(subnet)},
        }
        for place, address in enumerate(addresses)
    ]
    properties: Json = {
        "primary": True,
        "virtualMachine": {"id": own.replace("resourceGroups", "resourcegroups")},
        "ipConfigurations": configurations,
    }
    listed = raw.listed(SUBSCRIPTION, "virtual_machine_scale_set_network_interfaces", SET)
    listed.append({"id": f"{own}/networkInterfaces/aks-nic", "name": f"aks-nic-{number}", "properties": properties})


def cloud(*rules: Json, nodes: tuple[str, ...] = ("10.1.1.4", "10.1.1.20", "10.1.1.21"), two: bool = False) -> Raw:
    """A scale set of one or two nodes in 10.1.1.0/24, and ``db`` (10.1.2.4) under an NSG of these rules."""
    raw = Raw()
    raw.nsg("nsg-db", *rules)
    raw.nsg("nsg-nodes", rule(100, "Deny", "*", "*", "9999"))
    raw.vnet("v1", "10.1.0.0/16")
    raw.subnet("v1", "s-nodes", "10.1.1.0/24", nsg="nsg-nodes")
    raw.subnet("v1", "s-db", "10.1.2.0/24", nsg="nsg-db")
    raw.nic("db", "s-db", "10.1.2.4")
    scale_set(raw, "aks-pool-1-vmss")
    held = raw.answers[SUBSCRIPTION, "compute", "virtual_machine_scale_sets"]
    assert isinstance(held, dict)
    held["value"][0]["id"] = SET
    instance(raw, 0, "s-nodes", *nodes)
    if two:
        instance(raw, 1, "s-nodes", "10.1.1.5", "10.1.1.30")
    return raw


def cluster(*more: dict[str, Any], pods: tuple[str, str] = ("10.1.1.20", "10.1.1.21")) -> Estate:
    return translate(
        snapshot(
            space("shop"),
            node("n0", "10.1.1.4", 0),
            at(pod("web"), pods[0]),
            at(pod("job"), pods[1]),
            *more,
        )
    )


def joined(raw: Raw, kubernetes: Estate) -> Reachability:
    return Reachability(join_clusters(Estate.merged((translate_azure(snapshot_of(raw.answers)), kubernetes))))


def db(reach: Reachability) -> str:
    return next(each.id for each in reach.estate.interfaces.values() if each.name == "db")


def carrier(reach: Reachability) -> str:
    return next(each.id for each in reach.estate.interfaces.values() if each.name == "aks-nic-0")


def between(reach: Reachability, source: str | AddressSet, target: str) -> tuple[str, str]:
    verdict = reach.between(source, target)
    return str(verdict.lower), str(verdict.upper)


ONLY_WEB = (rule(100, "Allow", "10.1.1.20", "*", "5432", protocol="Tcp"), rule(200, "Deny", "*", "*", "*"))


def test_a_node_is_the_instance_of_a_scale_set_that_its_provider_id_names_whatever_its_case() -> None:
    reach = joined(cloud(), cluster())
    found = reach.estate.interfaces[WEB]
    assert found.network is not None
    assert found.network.endswith("/virtualnetworks/v1")
    assert found.subnet is not None
    assert found.subnet.endswith("/subnets/s-nodes")


def test_pods_with_addresses_of_the_network_are_judged_by_nsgs_under_these() -> None:
    """Azure CNI with a node subnet: each pod has an IP configuration of the node's interface."""
    reach = joined(cloud(*ONLY_WEB), cluster())
    assert between(reach, WEB, db(reach)) == ("tcp/5432", "tcp/5432")
    assert between(reach, JOB, db(reach)) == ("none", "none")
    assert between(reach, carrier(reach), db(reach)) == ("none", "none")


def test_the_policies_of_the_cluster_decide_besides() -> None:
    shut = policy("shut", {"podSelector": {}, "policyTypes": ["Egress"], "egress": []})
    reach = joined(cloud(*ONLY_WEB), cluster(shut))
    assert between(reach, WEB, db(reach)) == ("none", "none")


def test_what_a_policy_of_the_cluster_accepts_still_meets_the_nsg_of_its_subnet() -> None:
    """NSGs see packets after the cluster: 9999 is denied at the subnet of the nodes, whatever policies accept."""
    admit = policy("open", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]})
    raw = cloud()
    reach = joined(raw, cluster(admit))
    assert not reach.between(db(reach), WEB).upper.overlaps(DENIED)


def test_pods_of_one_node_may_talk_without_meeting_its_nsgs() -> None:
    """What stays on a node passes no interface of it. Who runs on which node may change."""
    reach = joined(cloud(), cluster())
    verdict = reach.between(WEB, JOB)
    assert verdict.upper >= DENIED
    assert not verdict.lower.overlaps(DENIED)


@pytest.mark.parametrize("agent", [True, False])
def test_to_other_networks_pods_may_show_the_address_of_their_node(*, agent: bool) -> None:
    """Which destinations the agent spares is a setting that is not read, so that both are possible."""
    daemon = written(
        "DaemonSet", "azure-ip-masq-agent", "kube-system", uid="u", spec={"template": {"spec": {"containers": []}}}
    )
    reach = joined(cloud(), cluster(*([daemon] if agent else [])))
    found = reach.estate.interfaces[WEB].exit
    assert found is not None
    assert found.own
    assert found.addresses == AddressSet.parse("10.1.1.4")
    assert found.within.has("10.1.2.4")
    assert not found.within.has("10.2.0.4")
    assert "azure-ip-masq-agent" in found.doubt


def masquerade(text: str, *, reconciled: bool = True) -> dict[str, Any]:
    """A config map of the agent, as AKS keeps it or as users write it."""
    name = "azure-ip-masq-agent-config-reconciled" if reconciled else "azure-ip-masq-agent-config"
    return written("ConfigMap", name, "kube-system") | {"data": {"ip-masq-agent": text}}


@pytest.mark.parametrize(
    ("settings", "spared", "under_node"),
    [
        (["NonMasqueradeCIDRs:\n  - 10.1.0.0/16\nMasqLinkLocal: true\n"], "10.1.2.4", "10.2.0.4"),
        (['{"nonMasqueradeCIDRs": ["10.1.0.0/16"]}', "nonMasqueradeCIDRs: [10.2.0.0/16]"], "10.2.0.4", "10.3.0.4"),
        # Without any range those that are private for everybody are spared.
        (["MasqLinkLocal: true"], "10.2.0.4", "100.64.0.4"),
    ],
)
def test_the_agents_settings_tell_under_whose_address_pods_are_seen(
    settings: list[str], spared: str, under_node: str
) -> None:
    maps = [masquerade(text, reconciled=not number) for number, text in enumerate(settings)]
    found = joined(cloud(), cluster(AGENT, *maps)).estate.interfaces[WEB].exit
    assert found is not None
    assert (found.own, found.doubt) == (False, "")
    assert found.within.has(spared)
    assert not found.within.has(under_node)


@pytest.mark.parametrize("text", ["NonMasqueradeCIDRs: [nowhere]", "[", "- 10.1.0.0/16"])
def test_settings_of_the_agent_that_cannot_be_read_leave_it_open(text: str) -> None:
    found = joined(cloud(), cluster(AGENT, masquerade(text))).estate.interfaces[WEB].exit
    assert found is not None
    assert found.own


def profiled(policy_engine: str | None, *more: dict[str, Any], dataplane: str = "azure", group: str = "") -> Estate:
    """The cluster beside the answer of AKS about it; policies select all pods."""
    profile = {"networkPlugin": "azure", "networkPolicy": policy_engine, "networkDataplane": dataplane}
    item = {
        "id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks",
        "name": "aks",
        "properties": {"networkProfile": profile, "nodeResourceGroup": group or "MC_rg_aks_westeurope"},
    }
    shut = policy("shut", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": []})
    read = snapshot(space("shop"), node("n0", "10.1.1.4", 0), pod("web"), pod("job"), shut, *more)
    part = Part("azure", SUBSCRIPTION, "global", "containerservice", "managed_clusters")
    answers = {each: read.read(each) for each in read.parts()} | {part: {"value": [item]}}
    return translate(Snapshot.of(answers, Manifest(read.taken_at, "cloudseg")))


PROXY = written(
    "DaemonSet", "kube-proxy", "kube-system", metadata={"uid": "p"},
    spec={"template": {"spec": {"containers": [{"name": "proxy"}]}}},
)  # fmt: skip


@pytest.mark.parametrize(
    ("engine", "dataplane", "name", "verdict"),
    [
        ("calico", "azure", "Calico", ("none", "none")),
        ("azure", "azure", "Azure Network Policy Manager", ("none", "none")),
        ("cilium", "cilium", "Cilium", ("none", "none")),
        (None, "cilium", "Cilium", ("none", "none")),
        ("none", "azure", "AKS", ("all", "all")),
    ],
)
def test_the_network_profile_decides_whether_policies_are_enforced(
    engine: str | None, dataplane: str, name: str, verdict: tuple[str, str]
) -> None:
    estate = profiled(engine, PROXY, dataplane=dataplane)
    [network] = estate.networks.values()
    assert network.tags["network-plugin"] == name
    assert between(Reachability(estate), JOB, WEB) == verdict


def test_what_the_profile_of_another_cluster_says_counts_for_nothing() -> None:
    estate = profiled("calico", PROXY, group="MC_rg_other_westeurope")
    assert between(Reachability(estate), JOB, WEB) == ("none", "all")


def test_daemons_tell_more_than_the_profile() -> None:
    agent = {"spec": {"containers": [{"name": "cilium-agent", "image": "quay.io/cilium/cilium:v1.15.0"}]}}
    cilium = written("DaemonSet", "cilium", "kube-system", uid="c", spec={"template": agent})
    [network] = profiled("none", cilium).networks.values()
    assert network.tags["network-plugin"] == "Cilium"


AGENT = written(
    "DaemonSet", "azure-ip-masq-agent", "kube-system", uid="u", spec={"template": {"spec": {"containers": []}}}
)
OF_NODE = (rule(100, "Allow", "10.1.1.4", "*", "5432", protocol="Tcp"), rule(200, "Deny", "*", "*", "*"))
OF_POD = (rule(100, "Allow", "10.244.0.0/16", "*", "5432", protocol="Tcp"), rule(200, "Deny", "*", "*", "*"))
OVERLAY = ("10.244.0.20", "10.244.0.21")


def test_pods_of_an_overlay_stay_in_a_network_of_their_own() -> None:
    """With Azure CNI Overlay and kubenet their addresses are none of the virtual network."""
    reach = joined(cloud(nodes=("10.1.1.4",)), cluster(AGENT, pods=OVERLAY))
    assert reach.estate.interfaces[WEB].network == "kubernetes:c:pods"
    assert between(reach, WEB, JOB) == ("all", "all")


@pytest.mark.parametrize(("rules", "told"), [(OF_NODE, ("tcp/5432", "tcp/5432")), (OF_POD, ("none", "none"))])
def test_what_pods_of_an_overlay_send_to_others_bears_the_address_of_their_node(
    rules: tuple[Json, ...], told: tuple[str, str]
) -> None:
    """The source address is translated to that of the node's machine, so that NSGs see the node."""
    reach = joined(cloud(*rules, nodes=("10.1.1.4",)), cluster(AGENT, pods=OVERLAY))
    assert between(reach, WEB, db(reach)) == told


def test_a_network_plugin_of_ones_own_may_do_otherwise() -> None:
    reach = joined(cloud(*OF_POD, nodes=("10.1.1.4",)), cluster(pods=OVERLAY))
    assert reach.between(WEB, db(reach)).upper >= Traffic.parse("tcp/5432")


def test_the_policies_of_an_overlay_see_its_pods_before_their_address_changes() -> None:
    shut = policy("shut", {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"], "egress": []})
    reach = joined(cloud(*OF_NODE, nodes=("10.1.1.4",)), cluster(AGENT, shut, pods=OVERLAY))
    assert between(reach, WEB, db(reach)) == ("none", "none")
    assert between(reach, JOB, db(reach)) == ("tcp/5432", "tcp/5432")


def test_pods_with_addresses_of_a_subnet_for_pods_stand_in_it() -> None:
    """No interface lists them. The NSG of their subnet judges them; whether that of the node's interface does is open.

    Source: https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-pod-subnet
    """
    raw = cloud(nodes=("10.1.1.4",))
    raw.nsg("nsg-pods", rule(100, "Deny", "*", "*", "9999"))
    raw.subnet("v1", "s-pods", "10.1.3.0/24", nsg="nsg-pods", delegation="Microsoft.ContainerService/managedClusters")
    reach = joined(raw, cluster(pods=("10.1.3.20", "10.1.3.21")))
    found = reach.estate.interfaces[WEB]
    assert found.subnet is not None
    assert found.subnet.endswith("/subnets/s-pods")
    verdict = reach.between(db(reach), WEB)
    assert verdict.upper >= Traffic.parse("tcp/8080")
    assert not verdict.upper.overlaps(DENIED)
