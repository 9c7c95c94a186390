"""Pods that bear addresses of a cloud's interfaces meet its groups and routes, and the policies of their cluster.

Sources: https://docs.aws.amazon.com/eks/latest/best-practices/vpc-cni.html and
https://docs.aws.amazon.com/eks/latest/userguide/security-groups-for-pods.html
"""

from typing import Any

import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.model import Estate
from cloudseg.model.joining import join_clusters
from cloudseg.providers.kubernetes.translate import translate
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, Traffic
from tests.kubernetes.cluster import pod, policy, snapshot, space, written

WEB, JOB, HOST = "kubernetes:c:shop/web[Pod]", "kubernetes:c:shop/job[Pod]", "kubernetes:c:infra/proxy[Pod]"
DB = "aws:111122223333:eu-west-1:eni-db"
NODE = "aws:111122223333:eu-west-1:eni-node"
MACHINE = "aws:111122223333:eu-west-1:i-1"
INTERNET = AddressSet.parse("198.51.100.7")


def at(item: dict[str, Any], address: str) -> dict[str, Any]:
    return item | {"status": {"podIP": address, "podIPs": [{"ip": address}], "phase": "Running"}}


def node(name: str, address: str, machine: str) -> dict[str, Any]:
    status = {"addresses": [{"type": "InternalIP", "address": address}]}
    return written("Node", name, spec={"providerID": f"aws:///eu-west-1a/{machine}"}, status=status)


def cloud(*, node_public: str = "", node_subnet: str = "subnet-private", second: bool = False) -> Estate:
    b = EstateBuilder()
    b.group("sg-node", allow("ingress", "all", "sg-node"), allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-other", allow("egress", "tcp/443", "0.0.0.0/0"))
    b.group("sg-db", allow("ingress", "tcp/5432", "sg-node"))
    addresses = (
        "10.0.2.10, 10.0.2.20, 10.0.2.21" if node_subnet == "subnet-private" else "10.0.1.10, 10.0.1.20, 10.0.1.21"
    )
    b.interface("eni-node", node_subnet, ["sg-node"], addresses, node_public, workload=MACHINE)
    if second:
        b.interface("eni-node-2", "subnet-public", ["sg-other"], "10.0.1.10, 10.0.1.30", workload=f"{MACHINE}2")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.200")
    return b.build()


def cluster(*more: dict[str, Any], network: str = "10.0.2") -> Estate:
    host = at(pod("proxy", "infra"), f"{network}.10")
    host["spec"]["hostNetwork"] = True
    objects = (
        space("shop"),
        space("infra"),
        node("n1", f"{network}.10", "i-1"),
        at(pod("web"), f"{network}.20"),
        at(pod("job"), f"{network}.21"),
        host,
    )
    return translate(snapshot(*objects, *more))


def joined(*parts: Estate) -> Reachability:
    return Reachability(join_clusters(Estate.merged(parts)))


def between(reach: Reachability, source: str | AddressSet, target: str | AddressSet) -> tuple[str, str]:
    verdict = reach.between(source, target)
    return str(verdict.lower), str(verdict.upper)


def test_a_pod_reaches_what_the_groups_of_its_machine_reach() -> None:
    reach = joined(cloud(), cluster())
    assert between(reach, WEB, DB) == ("tcp/5432", "tcp/5432")
    assert between(reach, NODE, DB) == ("tcp/5432", "tcp/5432")
    assert between(reach, DB, WEB) == ("none", "none")


@pytest.mark.semantics(106)
def test_the_policies_of_the_cluster_decide_besides() -> None:
    shut = policy("shut", {"podSelector": {"matchLabels": {"app": "job"}}, "policyTypes": ["Egress"]})
    ranges = {"to": [{"ipBlock": {"cidr": "10.0.2.200/32"}}], "ports": [{"port": 5432}]}
    only = policy(
        "only", {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"], "egress": [ranges]}
    )
    reach = joined(cloud(), cluster(shut, only))
    assert between(reach, JOB, DB) == ("none", "none")
    assert between(reach, WEB, DB) == ("tcp/5432", "tcp/5432")
    told = explain(reach, JOB, DB, Traffic.parse("tcp/5432"))
    assert told.verdict == "blocked"


def test_pods_of_one_network_talk_as_the_groups_and_the_policies_let_them() -> None:
    shut = policy("shut", {"podSelector": {"matchLabels": {"app": "job"}}, "policyTypes": ["Ingress"]})
    reach = joined(cloud(), cluster(shut))
    assert between(reach, WEB, JOB) == ("none", "none")
    assert between(reach, JOB, WEB) == ("all", "all")


def test_groups_that_keep_pods_apart_do_so_unless_they_share_a_machine() -> None:
    far = at(pod("far"), "10.0.1.30")
    reach = joined(cloud(second=True), cluster(node("n2", "10.0.1.10", "i-12"), far))
    # sg-node admits itself alone, and job is not in sg-other; who runs where may change tomorrow.
    assert between(reach, "kubernetes:c:shop/far[Pod]", WEB) == ("none", "all")
    assert between(reach, "kubernetes:c:shop/far[Pod]", DB) == ("none", "none")


def test_pods_of_one_workload_in_different_places_are_different_ends() -> None:
    owner = {"kind": "ReplicaSet", "name": "api", "controller": True}
    replicas = written("ReplicaSet", "api", "shop", spec={"template": {"metadata": {"labels": {"app": "api"}}}})
    pods = [at(pod(f"api-{n}", app="api"), a) for n, a in enumerate(("10.0.2.21", "10.0.1.30"))]
    for each in pods:
        each["metadata"]["ownerReferences"] = [owner]
    parts = (replicas, *pods, node("n2", "10.0.1.10", "i-12"))
    objects = (space("shop"), node("n1", "10.0.2.10", "i-1"), *parts)
    reach = joined(cloud(second=True), translate(snapshot(*objects)))
    private, public = (f"kubernetes:c:shop/api[ReplicaSet]@subnet-{each}" for each in ("private", "public"))
    assert between(reach, private, DB) == ("tcp/5432", "tcp/5432")
    assert between(reach, public, DB) == ("none", "none")


def test_pods_on_the_network_of_their_node_stand_where_it_does() -> None:
    reach = joined(cloud(), cluster())
    assert between(reach, HOST, DB) == ("tcp/5432", "tcp/5432")
    assert between(reach, DB, HOST) == ("none", "none")


@pytest.mark.semantics(104)
def test_a_node_reaches_pods_at_most_whatever_policies_say_since_it_may_be_theirs() -> None:
    shut = policy("shut", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
    reach = joined(cloud(), cluster(shut))
    assert between(reach, NODE, WEB) == ("none", "all")
    assert between(reach, HOST, WEB) == ("none", "all")


def test_pods_of_a_machine_with_a_public_address_leave_under_it_as_far_as_is_known() -> None:
    private = joined(cloud(), cluster())
    assert between(private, WEB, INTERNET) == between(private, NODE, INTERNET)
    public = joined(cloud(node_public="203.0.113.9", node_subnet="subnet-public"), cluster(network="10.0.1"))
    assert between(public, NODE, INTERNET) == ("all", "all")
    assert between(public, WEB, INTERNET) == ("none", "all")


def test_a_cluster_whose_machines_were_not_read_stays_apart() -> None:
    estate = Estate.merged((cloud(), translate(snapshot(space("shop"), at(pod("web"), "10.0.2.20")))))
    assert join_clusters(estate) == estate
    other = translate(snapshot(space("shop"), node("n1", "10.0.2.10", "i-unknown"), at(pod("web"), "10.0.2.20")))
    together = Estate.merged((cloud(), other))
    assert join_clusters(together).interfaces[WEB].network == "kubernetes:c:pods"


def test_pods_with_addresses_of_their_own_network_stay_in_it() -> None:
    objects = (space("shop"), node("n1", "10.0.2.10", "i-1"), at(pod("web"), "192.168.3.4"))
    estate = join_clusters(Estate.merged((cloud(), translate(snapshot(*objects)))))
    assert estate.interfaces[WEB].network == "kubernetes:c:pods"


def test_what_pods_send_out_of_the_network_may_meet_the_groups_of_the_first_interface_of_their_machine() -> None:
    """Source: https://docs.aws.amazon.com/eks/latest/userguide/cni-custom-network.html."""
    b = EstateBuilder()
    b.group("sg-node", allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-pods", allow("egress", "tcp/5432", "10.0.0.0/16"))
    b.group("sg-db", allow("ingress", "all", "sg-pods"))
    b.interface("eni-node", "subnet-private", ["sg-node"], "10.0.2.10", workload=MACHINE)
    b.interface("eni-pods", "subnet-private", ["sg-pods"], "10.0.2.20, 10.0.2.21", workload=MACHINE)
    b.interface("eni-own", "subnet-private", ["sg-pods"], "10.0.2.30")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.200")
    reach = joined(b.build(), cluster(at(pod("own"), "10.0.2.30")))
    assert between(reach, WEB, INTERNET) == ("none", "tcp, udp, icmp")
    assert explain(reach, WEB, INTERNET, Traffic.parse("tcp/443")).verdict == "unknown"
    # Within the network, and where the pod has an interface for itself, its own groups decide.
    assert between(reach, WEB, DB) == ("tcp/5432", "tcp/5432")
    assert between(reach, "kubernetes:c:shop/own[Pod]", INTERNET) == ("none", "none")


@pytest.mark.parametrize("address", ["10.0.2.20", "192.168.3.4", ""])
def test_whether_a_cloud_reaches_pods_that_are_not_joined_to_it_is_not_known(address: str) -> None:
    web = at(pod("web"), address) if address else pod("web")
    shut = policy("shut", {"podSelector": {"matchLabels": {"app": "job"}}, "policyTypes": ["Ingress"]})
    reach = joined(cloud(), translate(snapshot(space("shop"), web, pod("job"), shut)))
    assert between(reach, NODE, WEB) == ("none", "all")
    assert explain(reach, NODE, WEB, Traffic.parse("tcp/80")).verdict == "unknown"
    # Their own policies are known, and the groups at the other end are.
    assert between(reach, NODE, JOB) == ("none", "none")
    assert between(reach, DB, WEB) == ("none", "none")


def test_clusters_whose_stages_differ_reach_each_other_at_most() -> None:
    b = EstateBuilder()
    b.group("sg-node", allow("ingress", "all", "sg-node"), allow("egress", "all", "0.0.0.0/0"))
    b.interface("eni-node", "subnet-private", ["sg-node"], "10.0.2.10, 10.0.2.20", workload=MACHINE)
    b.interface("eni-node-2", "subnet-private", ["sg-node"], "10.0.2.11, 10.0.2.21", workload=f"{MACHINE}2")
    one = snapshot(space("shop"), node("n1", "10.0.2.10", "i-1"), at(pod("web"), "10.0.2.20"))
    other = written(
        "GlobalNetworkPolicy",
        "g",
        apiVersion="projectcalico.org/v3",
        spec={"selector": "app == 'x'", "types": ["Ingress"]},
    )
    objects = (space("shop"), node("n2", "10.0.2.11", "i-12"), at(pod("web"), "10.0.2.21"), other)
    reach = joined(b.build(), translate(one), translate(snapshot(*objects, cluster="d")))
    there = "kubernetes:d:shop/web[Pod]"
    assert reach.estate.interfaces[there].network == "kubernetes:d:pods"
    assert between(reach, WEB, there) == ("none", "all")
    assert between(reach, there, WEB) == ("none", "all")


def test_places_that_differ_in_groups_alone_are_ends_of_their_own_in_every_subnet() -> None:
    b = EstateBuilder()
    for group in ("sg-a", "sg-b"):
        b.group(group, allow("egress", "all", "0.0.0.0/0"))
    objects: list[dict[str, Any]] = [space("shop")]
    owner = {"kind": "ReplicaSet", "name": "api", "controller": True}
    objects.append(written("ReplicaSet", "api", "shop", spec={"template": {"metadata": {"labels": {"app": "api"}}}}))
    places = (
        ("subnet-private", "10.0.2", "sg-a"),
        ("subnet-private", "10.0.2", "sg-b"),
        ("subnet-public", "10.0.1", "sg-a"),
    )
    for number, (subnet, network, group) in enumerate((*places, ("subnet-public", "10.0.1", "sg-b"))):
        own = f"{network}.{10 + number}, {network}.{100 + number}"
        b.interface(f"eni-{number}", subnet, [group], own, workload=f"{MACHINE}{number}")
        objects.append(node(f"n{number}", f"{network}.{10 + number}", f"i-1{number}"))
        one = at(pod(f"api-{number}", app="api"), f"{network}.{100 + number}")
        one["metadata"]["ownerReferences"] = [owner]
        objects.append(one)
    estate = join_clusters(Estate.merged((b.build(), translate(snapshot(*objects)))))
    ends = [each for each in estate.interfaces.values() if each.is_pod]
    assert len(ends) == 4
    assert {str(end.addresses) for end in ends} == {"10.0.2.100", "10.0.2.101", "10.0.1.102", "10.0.1.103"}
