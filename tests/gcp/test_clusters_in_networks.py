"""Clusters of GKE in the VPC networks that carry them.

Sources: https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips,
https://cloud.google.com/kubernetes-engine/docs/how-to/routes-based-cluster,
https://cloud.google.com/firewall/docs/firewalls#sources_or_destinations_for_the_rule and
https://cloud.google.com/kubernetes-engine/docs/concepts/ip-masquerade-agent
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloudseg.cli.sources import translate as translate_all
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.model import Estate
from cloudseg.model.joining import join_clusters
from cloudseg.providers.kubernetes.translate import translate
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import Reachability
from cloudseg.snapshot import Manifest, Part, Snapshot
from cloudseg.traffic import AddressSet, Traffic
from tests.gcp.agreeing import snapshot_of
from tests.gcp.raw import PROJECT, Raw
from tests.gcp.raw_balancers import Balancers
from tests.gcp.raw_parts import Card, vpc
from tests.kubernetes.cluster import pod, policy, snapshot, space, written

if TYPE_CHECKING:
    from tests.gcp.oracle_records import Json

POOL = "gke-prod-main-0a1b2c3d"
NODE = f"{POOL}-x1yz"
WEB, JOB = "kubernetes:c:shop/web[Pod]", "kubernetes:c:shop/job[Pod]"
PODS = ("10.4.0.5", "10.4.0.6")
SHUT_IN = policy("shut", {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"], "ingress": []})
TO_NODES = vpc("allow", "tcp:8080", sources=["0.0.0.0/0"], target_tags=["gke-prod"])


def at(item: dict[str, Any], address: str, node: str = NODE) -> dict[str, Any]:
    found = item | {"status": {"podIP": address, "podIPs": [{"ip": address}], "phase": "Running"}}
    return found | {"spec": {**found["spec"], "nodeName": node}}


def node(name: str = NODE, address: str = "10.0.0.4", **labels: str) -> dict[str, Any]:
    status = {"addresses": [{"type": "InternalIP", "address": address}]}
    own = {"cloud.google.com/gke-nodepool": "main", "kubernetes.io/os": "linux"} | labels
    spec = {"providerID": f"gce://{PROJECT}/us-central1-a/{name}"}
    return written("Node", name, metadata={"labels": own}, spec=spec, status=status)


def cloud(*rules: Json, aliases: tuple[str, ...] = ("10.4.0.0/24",)) -> Raw:
    """A node with a range for pods, and the machines ``web`` and ``db`` beside it, in one subnet."""
    raw = Raw()
    raw.network("n")
    raw.subnet("n", "s", "10.0.0.0/24", secondary={"pods": "10.4.0.0/16"})
    raw.vm(NODE, Card("s", "10.0.0.4", aliases=aliases), tags=["gke-prod"], forwards=True)
    raw.vm("db", Card("s", "10.0.0.9"), tags=["db"])
    raw.vm("bastion", Card("s", "10.0.0.10"), tags=["bastion"])
    raw.firewall("n", *rules)
    return raw


def gke(raw: Raw, **fields: Any) -> None:
    """What GKE tells of the cluster."""
    place = f"projects/{PROJECT}/locations/us-central1/clusters/prod"
    groups = f"https://www.googleapis.com/compute/v1/projects/{PROJECT}/zones/us-central1-a/instanceGroupManagers"
    item: dict[str, Any] = {
        "name": "prod",
        "location": "us-central1",
        "selfLink": f"https://container.googleapis.com/v1/{place}",
        "assetName": f"//container.googleapis.com/{place}",
        "network": "n",
        "nodePools": [{"name": "main", "instanceGroupUrls": [f"{groups}/{POOL}-grp"]}],
    }
    raw.listed(PROJECT, "clusters", "container").append(item | fields)


def objects(*more: dict[str, Any], pods: tuple[str, str] = PODS, nodes: dict[str, Any] | None = None) -> Snapshot:
    return snapshot(space("shop"), nodes or node(), at(pod("web"), pods[0]), at(pod("job"), pods[1]), *more)


def joined(raw: Raw | Balancers, cluster: Snapshot | None = None) -> Reachability:
    """Cloud and cluster as one estate, from one snapshot."""
    parts: dict[Part, Any] = {}
    for each in (snapshot_of(raw.answers), cluster or objects()):
        parts |= {part: each.read(part) for part in each.parts()}
    return Reachability(translate_all(Snapshot.of(parts, Manifest("2026-01-01T00:00:00Z", "cloudseg"))))


def between(reach: Reachability, source: str | AddressSet, target: str | AddressSet) -> tuple[str, str]:
    verdict = reach.between(source, target)
    return str(verdict.lower), str(verdict.upper)


def own(name: str, kind: str = "") -> str:
    return f"gcp:{PROJECT}:zones/us-central1-a/instances/{name}/nic0{kind}"


DB, BASTION, CARRIER = own("db"), own("bastion"), own(NODE)


def test_pods_take_the_place_of_the_range_that_holds_them() -> None:
    reach = joined(cloud())
    found = reach.estate.interfaces[WEB]
    assert found.network == f"gcp:{PROJECT}:global/networks/n"
    assert found.subnet == f"gcp:{PROJECT}:regions/us-central1/subnetworks/s"
    assert own(NODE, "/aliases") not in reach.estate.interfaces


def test_a_machine_is_named_by_project_zone_and_name() -> None:
    raw = cloud()
    other = snapshot(
        space("shop"), at(pod("web"), PODS[0]), written("Node", NODE, spec={"providerID": f"gce://x/y/{NODE}"})
    )
    assert joined(raw, other).estate.interfaces[WEB].network == "kubernetes:c:pods"


def test_rules_for_the_tag_of_the_nodes_judge_pods() -> None:
    reach = joined(cloud(TO_NODES))
    assert between(reach, DB, WEB) == ("tcp/8080", "tcp/8080")
    assert between(joined(cloud()), DB, WEB) == ("none", "none")


@pytest.mark.semantics(71)
def test_a_policy_blocks_what_a_vpc_rule_accepts() -> None:
    """An accepting rule of the network is final there; the cluster's policies are asked all the same."""
    reach = joined(cloud(TO_NODES), objects(SHUT_IN))
    assert between(reach, DB, WEB) == ("none", "none")
    assert between(reach, DB, JOB) == ("tcp/8080", "tcp/8080")


def test_a_vpc_rule_blocks_what_a_policy_admits() -> None:
    admit = policy("open", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]})
    reach = joined(cloud(vpc("allow", "tcp:8080", sources=["10.0.0.10/32"])), objects(admit))
    assert between(reach, DB, WEB) == ("none", "none")
    assert between(reach, BASTION, WEB) == ("tcp/8080", "tcp/8080")


def test_explain_tells_of_the_vpc_rule_and_of_the_policy() -> None:
    reach = joined(cloud(TO_NODES), objects(SHUT_IN))
    told = explain(reach, DB, WEB, Traffic.parse("tcp/8080"))
    assert told.verdict == "blocked"
    decided = {rule.rule_set.rpartition("@@")[0] or rule.rule_set for step in told.steps for rule in step.rules}
    assert f"gcp:{PROJECT}:global/networks/n/firewalls" in decided
    assert any("NetworkPolicy/shut" in step.text and step.verdict == "blocks" for step in told.steps)


@pytest.mark.semantics(80)
def test_a_tag_as_source_does_not_know_the_pods_of_its_machines() -> None:
    reach = joined(cloud(vpc("allow", "tcp:5432", tags=["gke-prod"], target_tags=["db"])))
    assert between(reach, CARRIER, DB) == ("tcp/5432", "tcp/5432")
    assert not reach.between(WEB, DB).lower


def test_the_range_of_the_pods_as_source_does() -> None:
    raw = cloud(vpc("allow", "tcp:5432", sources=["10.4.0.0/16"], target_tags=["db"]))
    gke(raw)
    assert between(joined(raw, objects(PROXY)), WEB, DB) == ("tcp/5432", "tcp/5432")


def daemon(name: str) -> dict[str, Any]:
    spec = {"template": {"spec": {"containers": [{"name": name}]}}}
    return written("DaemonSet", name, "kube-system", metadata={"uid": name}, spec=spec)


def settings(text: str) -> dict[str, Any]:
    return written("ConfigMap", "ip-masq-agent", "kube-system") | {"data": {"config": text}}


PROXY, AGENT = daemon("kube-proxy"), daemon("ip-masq-agent")
OTHER_MAP = written("ConfigMap", "other", "kube-system")
BY_TAG = vpc("allow", "tcp:5432", tags=["gke-prod"], target_tags=["db"])


@pytest.mark.parametrize(
    ("config", "verdict"),
    [
        # The network lies in no range of the list: pods come under the address of their node.
        ("nonMasqueradeCIDRs: [10.4.0.0/16]", "tcp/5432"),
        ('{"nonMasqueradeCIDRs": ["10.0.0.0/8"]}', "none"),
        ("resyncInterval: 60s", "none"),
    ],
)
def test_the_agents_list_decides_under_whose_address_pods_are_seen(config: str, verdict: str) -> None:
    reach = joined(cloud(BY_TAG), objects(AGENT, settings(config)))
    assert between(reach, WEB, DB) == (verdict, verdict)


@pytest.mark.parametrize(
    ("more", "snat_off", "spared", "masked"),
    [
        ((AGENT, OTHER_MAP), False, "192.168.1.1", "8.8.8.8"),
        ((AGENT, OTHER_MAP), True, "192.168.1.1", "8.8.8.8"),
        ((PROXY,), False, "100.64.0.1", "1.1.1.1"),
    ],
)
def test_without_a_list_private_destinations_are_spared(
    more: tuple[dict[str, Any], ...], *, snat_off: bool, spared: str, masked: str
) -> None:
    raw = cloud()
    gke(raw, networkConfig={"defaultSnatStatus": {"disabled": snat_off}})
    found = joined(raw, objects(*more)).estate.interfaces[WEB].exit
    assert found is not None
    assert (found.own, found.complete, found.doubt) == (False, True, "")
    assert found.within.has(spared)
    assert not found.within.has(masked)
    assert found.addresses == AddressSet.parse("10.0.0.4")


def test_without_default_snat_and_agent_pods_always_bear_their_own_address() -> None:
    raw = cloud()
    gke(raw, networkConfig={"defaultSnatStatus": {"disabled": True}})
    assert joined(raw, objects(PROXY)).estate.interfaces[WEB].exit is None


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ((), "whether ip-masq-agent runs was not read"),
        ((AGENT,), "which destinations ip-masq-agent spares was not read"),
        ((AGENT, settings("[")), "cannot be read"),
        ((AGENT, settings("nonMasqueradeCIDRs: [nowhere]")), "cannot be read"),
        ((PROXY,), "default SNAT was not read"),
        ((AGENT, OTHER_MAP, daemon("anetd")), "Autopilot"),
        ((AGENT, OTHER_MAP, written("EgressNATPolicy", "p", apiVersion="networking.gke.io/v1")), "EgressNATPolicy"),
    ],
)
def test_what_was_not_read_of_it_leaves_both_addresses_open(more: tuple[dict[str, Any], ...], word: str) -> None:
    reach = joined(cloud(BY_TAG), objects(*more))
    found = reach.estate.interfaces[WEB].exit
    assert found is not None
    assert found.own
    assert word in found.doubt
    assert between(reach, WEB, DB) == ("none", "tcp/5432")


def test_nodes_that_are_none_of_gke_may_do_either() -> None:
    bare = written(
        "Node", NODE, metadata={"labels": {"kubernetes.io/os": "linux"}},
        spec={"providerID": f"gce://{PROJECT}/us-central1-a/{NODE}"},
    )  # fmt: skip
    found = joined(cloud(), objects(AGENT, OTHER_MAP, nodes=bare)).estate.interfaces[WEB].exit
    assert found is not None
    assert found.own


def test_nodes_with_windows_spare_other_destinations() -> None:
    windows = node(**{"kubernetes.io/os": "windows"})
    found = joined(cloud(), objects(AGENT, OTHER_MAP, nodes=windows)).estate.interfaces[WEB].exit
    assert found is not None
    assert found.own
    assert "Windows" in found.doubt


ROUTED = ("10.8.0.5", "10.8.0.6")


def routed(*rules: Json) -> Raw:
    """A cluster whose pods have addresses to which a route leads by way of their node."""
    raw = cloud(*rules, aliases=())
    raw.route("n", "to-pods", "10.8.0.0/24", "instance", NODE)
    return raw


def test_pods_to_which_a_route_leads_stand_at_their_node() -> None:
    reach = joined(routed(TO_NODES), objects(pods=ROUTED))
    assert reach.estate.interfaces[WEB].subnet == f"gcp:{PROJECT}:regions/us-central1/subnetworks/s"
    assert between(reach, DB, WEB) == ("tcp/8080", "tcp/8080")
    assert between(joined(routed(), objects(pods=ROUTED)), DB, WEB) == ("none", "none")


def test_they_meet_the_policies_of_the_cluster_as_well() -> None:
    reach = joined(routed(TO_NODES), objects(SHUT_IN, pods=ROUTED))
    assert between(reach, DB, WEB) == ("none", "none")


def test_the_tag_of_their_node_does_not_know_them_as_sources() -> None:
    reach = joined(routed(BY_TAG), objects(AGENT, OTHER_MAP, pods=ROUTED))
    assert between(reach, CARRIER, DB) == ("tcp/5432", "tcp/5432")
    assert between(reach, WEB, DB) == ("none", "none")


def test_their_own_range_as_source_does() -> None:
    raw = routed(vpc("allow", "tcp:5432", sources=["10.8.0.0/24"], target_tags=["db"]))
    assert between(joined(raw, objects(AGENT, OTHER_MAP, pods=ROUTED)), WEB, DB) == ("tcp/5432", "tcp/5432")


def test_pods_to_come_stand_in_a_range_of_a_machine() -> None:
    spec = {"containers": [{"name": "main"}]}
    later = written(
        "Deployment", "later", "shop", spec={"template": {"metadata": {"labels": {"a": "b"}}, "spec": spec}}
    )
    reach = joined(
        cloud(vpc("allow", "tcp:5432", tags=["gke-prod"], target_tags=["db"])), objects(AGENT, OTHER_MAP, later)
    )
    found = reach.estate.interfaces["kubernetes:c:shop/later[Deployment]"]
    assert found.network == f"gcp:{PROJECT}:global/networks/n"
    assert between(reach, found.id, DB) == ("none", "none")


def test_pods_on_the_network_of_their_node_are_the_node_as_a_source() -> None:
    host = at(pod("agent"), "10.0.0.4")
    host["spec"]["hostNetwork"] = True
    reach = joined(cloud(BY_TAG), objects(AGENT, OTHER_MAP, host))
    assert reach.between("kubernetes:c:shop/agent[Pod]", DB).upper == Traffic.parse("tcp/5432")


@pytest.mark.parametrize(
    ("fields", "plugin", "verdict"),
    [
        ({"networkConfig": {"datapathProvider": "ADVANCED_DATAPATH"}}, "GKE Dataplane V2", ("none", "none")),
        ({"networkPolicy": {"enabled": True, "provider": "CALICO"}}, "Calico", ("none", "none")),
        ({"networkPolicy": {}}, "GKE", ("tcp/8080", "tcp/8080")),
        ({"networkConfig": {"datapathProvider": "LEGACY_DATAPATH"}}, "GKE", ("tcp/8080", "tcp/8080")),
    ],
)
def test_the_settings_of_the_cluster_decide_whether_policies_are_enforced(
    fields: dict[str, Any], plugin: str, verdict: tuple[str, str]
) -> None:
    raw = cloud(TO_NODES)
    gke(raw, **fields)
    reach = joined(raw, objects(SHUT_IN, PROXY))
    assert reach.estate.networks["kubernetes:c:pods"].tags["network-plugin"] == plugin
    assert between(reach, DB, WEB) == verdict


def test_what_another_cluster_says_counts_for_nothing() -> None:
    raw = cloud(TO_NODES)
    place = "projects/shop/zones/us-central1-a/instanceGroupManagers/gke-other-main-0a1b2c3d-grp"
    gke(raw, nodePools=[{"instanceGroupUrls": [f"https://www.googleapis.com/compute/v1/{place}"]}])
    verdict = joined(raw, objects(SHUT_IN, PROXY)).between(DB, WEB)
    assert not verdict.lower
    assert verdict.upper >= Traffic.parse("tcp/8080")


def test_node_pools_may_be_told_apart_from_their_cluster() -> None:
    raw = cloud(TO_NODES)
    gke(raw, nodePools=[], networkPolicy={"enabled": True})
    place = f"//container.googleapis.com/projects/{PROJECT}/locations/us-central1/clusters/prod/nodePools/main"
    group = (
        f"https://www.googleapis.com/compute/v1/projects/{PROJECT}/zones/us-central1-a/instanceGroupManagers/{POOL}-grp"
    )
    raw.listed(PROJECT, "node_pools", "container").append({"assetName": place, "instanceGroupUrls": [group]})
    reach = joined(raw, objects(SHUT_IN, PROXY))
    assert between(reach, DB, WEB) == ("none", "none")


def test_the_network_of_a_cluster_names_its_control_plane() -> None:
    raw = cloud()
    gke(raw)
    estate = joined(raw).estate
    name = estate.networks["kubernetes:c:pods"].control_plane
    assert estate.services[name].control_plane
    (finding,) = (each for each in run_audit(estate, AuditRequest()).findings if each.check == "public-control-plane")
    assert "it administers the cluster c, of which 2 workloads were read" in finding.evidence


def test_the_cluster_alone_stays_as_it_was() -> None:
    estate = translate(objects())
    assert join_clusters(estate) is estate
    assert estate.interfaces[WEB].network == "kubernetes:c:pods"
    assert isinstance(estate, Estate)


def test_a_proxy_in_front_of_pods_leads_to_the_one_that_bears_the_address() -> None:
    """Container-native load balancing: https://cloud.google.com/kubernetes-engine/docs/concepts/container-native-load-balancing"""
    raw = cloud(vpc("allow", "tcp:8080", sources=["35.191.0.0/16", "130.211.0.0/22"], target_tags=["gke-prod"]))
    raw.route("n", "out", "0.0.0.0/0", "gateway")
    b = Balancers(raw)
    b.endpoints("neg", "GCE_VM_IP_PORT", {"ipAddress": PODS[0], "port": 8080, "instance": NODE}, network="n")
    b.service("bs", "neg", region="", scheme="EXTERNAL_MANAGED", protocol="HTTP")
    b.proxy("px", "bs")
    b.rule("lb", "34.9.0.1", region="", scheme="EXTERNAL_MANAGED", target="px", portRange="443-443")
    estate = joined(b).estate
    ways = {
        name: [each.own_id for each in estate.entrances_to(estate.interfaces[name]) if "forwardingRules/lb" in each.id]
        for name in (WEB, JOB, CARRIER)
    }
    assert ways[WEB]
    assert not ways[JOB]
    assert not ways[CARRIER]


def test_a_pod_with_an_ipv6_address_of_the_interface_is_told_apart_by_it() -> None:
    """Tags stand for all IPv6 addresses of an interface, and for no alias range."""
    raw = Raw()
    raw.network("n")
    raw.subnet("n", "s", "10.0.0.0/24", secondary={"pods": "10.4.0.0/16"}, six="fd20:1::/64")
    raw.vm(NODE, Card("s", "10.0.0.4", aliases=("10.4.0.0/24",), six="fd20:1::4:0:0"), tags=["gke-prod"])
    raw.vm("db", Card("s", "10.0.0.9", six="fd20:1::9:0:0"), tags=["db"])
    raw.firewall("n", BY_TAG)
    both = at(pod("web"), PODS[0])
    both["status"]["podIPs"].append({"ip": "fd20:1::4:0:5"})
    reach = joined(raw, snapshot(space("shop"), node(), both, AGENT, OTHER_MAP))
    pods = [each for each in reach.estate.interfaces.values() if each.is_pod and each.addresses]
    found = {str(each.addresses): between(reach, each.id, DB) for each in pods}
    assert found == {PODS[0]: ("none", "none"), "fd20:1::4:0:5": ("tcp/5432", "tcp/5432")}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"ipAllocationPolicy": {"useIpAliases": True, "clusterIpv4CidrBlock": "10.4.0.0/14"}},
            "pods have addresses of alias ranges of their nodes (10.4.0.0/14); nothing of GKE's enforces",
        ),
        (
            {"clusterIpv4Cidr": "10.8.0.0/14"},
            "routes lead to the addresses of pods by way of their nodes (10.8.0.0/14)",
        ),
        ({"networkConfig": {"datapathProvider": "ADVANCED_DATAPATH"}}, "are enforced by GKE Dataplane V2"),
        ({"networkPolicy": {"enabled": True}}, "are enforced by Calico"),
        ({"autopilot": {"enabled": True}}, "who enforces network policies they do not tell"),
    ],
)
def test_the_settings_of_a_cluster_are_told(fields: dict[str, Any], words: str) -> None:
    raw = cloud()
    gke(raw, **fields)
    notes = translate_all(snapshot_of(raw.answers)).notes
    assert any(note.startswith("the network settings of the GKE cluster prod: ") and words in note for note in notes)
