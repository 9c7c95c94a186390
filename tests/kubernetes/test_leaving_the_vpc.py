"""What pods of EKS send out of their VPC: under the first interface of their machine, or under their own address.

Every expected verdict is worked out by hand from the vendor's words. Sources:
https://docs.aws.amazon.com/eks/latest/userguide/external-snat.html,
https://docs.aws.amazon.com/eks/latest/userguide/cni-custom-network.html,
https://docs.aws.amazon.com/eks/latest/userguide/security-groups-pods-deployment.html and
https://github.com/aws/amazon-vpc-cni-k8s#cni-configuration-variables
"""

from typing import Any, NamedTuple

import msgspec
import pytest

from cloudseg.checks.example_estates import ACL_OPEN, EstateBuilder, acl_entry, allow
from cloudseg.model import Estate
from cloudseg.model.joining import join_clusters
from cloudseg.providers.kubernetes.translate import translate
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, Traffic
from tests.kubernetes.cluster import pod, policy, snapshot, space, written
from tests.kubernetes.daemon_sets import ECR, container, daemon_set

AWS = "aws:111122223333:eu-west-1:"
MACHINE = f"{AWS}i-1"
WEB, API = "kubernetes:c:shop/web[Pod]", "kubernetes:c:shop/api[ReplicaSet]"
FIRST, FAR, NEAR = f"{AWS}eni-first", f"{AWS}eni-far", f"{AWS}eni-near"
INTERNET = AddressSet.parse("198.51.100.7")
DOCUMENTED = AddressSet.parse("203.0.113.9")
NOTHING, ANYTHING = ("none", "none"), ("all", "all")
CARRIED = ("tcp, udp, icmp", "tcp, udp, icmp")


class Place(NamedTuple):
    """Where an interface of the machine stands, and which group it carries."""

    subnet: str
    group: str


def at(item: dict[str, Any], *addresses: str, node: str = "n1") -> dict[str, Any]:
    status = {"podIP": addresses[0], "podIPs": [{"ip": each} for each in addresses], "phase": "Running"}
    return item | {"status": status, "spec": item["spec"] | {"nodeName": node}}


def node(name: str = "n1", machine: str = "i-1", **labels: str) -> dict[str, Any]:
    return written(
        "Node",
        name,
        metadata={"labels": {"kubernetes.io/os": "linux"} | labels},
        spec={"providerID": f"aws:///eu-west-1a/{machine}"},
        status={"addresses": [{"type": "InternalIP", "address": "10.0.2.10"}]},
    )


def aws_node(env: dict[str, str] | None = None, *, agent: bool = False) -> dict[str, Any]:
    containers = [container("aws-node", f"{ECR}/amazon-k8s-cni:v1.19.2", env=env)]
    if agent:
        image = f"{ECR}/amazon/aws-network-policy-agent:v1.1.6"
        containers.append(container("aws-eks-nodeagent", image, "--enable-network-policy=true"))
    return daemon_set("aws-node", *containers)


def replicas(*pods: dict[str, Any]) -> list[dict[str, Any]]:
    """A ReplicaSet and its pods."""
    owner = {"kind": "ReplicaSet", "name": "api", "controller": True}
    made = [each | {"metadata": each["metadata"] | {"ownerReferences": [owner]}} for each in pods]
    return [written("ReplicaSet", "api", "shop", spec={"template": {"metadata": {"labels": {"app": "api"}}}}), *made]


def cloud(
    first: Place, pods: Place, *, public: str = "", is_first_read: bool = True, role: str = "interface"
) -> EstateBuilder:
    """A machine whose first interface is 10.0.x.10, with the pod's address 10.0.y.20 on another interface."""
    b = EstateBuilder()
    b.group("sg-open", allow("egress", "all", "0.0.0.0/0"), allow("ingress", "all", "10.0.0.0/8"))
    b.group("sg-shut")
    b.group("sg-web", allow("egress", "tcp/443", "0.0.0.0/0"))
    net = {"subnet-private": "10.0.2", "subnet-public": "10.0.1"}
    b.interface("eni-first", first.subnet, [first.group], f"{net[first.subnet]}.10", public, workload=MACHINE)
    b.interface(
        "eni-pods", pods.subnet, [pods.group], f"{net[pods.subnet]}.20, {net[pods.subnet]}.21", workload=MACHINE
    )
    b.interface(
        "eni-nat", "subnet-public", [], "10.0.1.250", "203.0.113.250", workload=f"{AWS}nat-1", role="nat_gateway"
    )
    if is_first_read:
        set_primary(b, "eni-first", f"{net[first.subnet]}.10")
    b.interface("eni-near", "subnet-private", ["sg-open"], "10.0.2.200")
    return b


def set_primary(b: EstateBuilder, own: str, address: str) -> None:
    interface = b.build().interfaces[f"{AWS}{own}"]
    b.put("interfaces", msgspec.structs.replace(interface, primary=AddressSet.parse(address)))


def cluster(*objects: dict[str, Any], address: str = "10.0.2.20", nodes: tuple[dict[str, Any], ...] = ()) -> Estate:
    return translate(snapshot(space("shop"), *(nodes or (node(),)), at(pod("web"), address), *objects))


def joined(b: EstateBuilder, kubernetes: Estate) -> Reachability:
    return Reachability(join_clusters(Estate.merged((b.build(), kubernetes))))


def between(reach: Reachability, source: str | AddressSet, target: str | AddressSet) -> tuple[str, str]:
    verdict = reach.between(source, target)
    return str(verdict.lower), str(verdict.upper)


def agree(reach: Reachability, source: str, target: str | AddressSet) -> None:
    verdict, told = reach.between(source, target), explain(reach, source, target, Traffic.parse("all"))
    assert (told.lower, told.upper) == (str(verdict.lower), str(verdict.upper))
    assert (told.steps[-1].left_lower, told.steps[-1].left_upper) == (told.lower, told.upper)


OPEN, SHUT, ONE = (Place("subnet-private", group) for group in ("sg-open", "sg-shut", "sg-web"))
PUBLIC, PUBLIC_SHUT = (Place("subnet-public", group) for group in ("sg-open", "sg-shut"))

Env = dict[str, str]

TABLE: list[tuple[Place, Place, str, Env, tuple[str, str]]] = [
    # The groups of the first interface decide, not those of the pod's own.
    (OPEN, SHUT, "", {}, CARRIED),
    (SHUT, OPEN, "", {}, NOTHING),
    (ONE, OPEN, "", {}, ("tcp/443", "tcp/443")),
    # Set to leave translation to others, packets keep the pod's address and meet the groups of its interface.
    (OPEN, SHUT, "", {"AWS_VPC_K8S_CNI_EXTERNALSNAT": "true"}, NOTHING),
    (SHUT, OPEN, "", {"AWS_VPC_K8S_CNI_EXTERNALSNAT": "true"}, CARRIED),
    (SHUT, OPEN, "", {"AWS_VPC_K8S_CNI_EXTERNALSNAT": "false"}, NOTHING),
    # The route of the first interface's subnet and its public address: the pod's subnet has a NAT gateway.
    (PUBLIC, OPEN, "203.0.113.50", {}, ANYTHING),
    (PUBLIC, OPEN, "", {}, NOTHING),
    (PUBLIC, OPEN, "", {"AWS_VPC_K8S_CNI_EXTERNALSNAT": "true"}, CARRIED),
    # Ranges that are spared keep the pod's address.
    (SHUT, OPEN, "", {"AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS": "198.51.100.0/24"}, CARRIED),
    (SHUT, OPEN, "", {"AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS": "no range, 198.51.100.0/24"}, CARRIED),
    (SHUT, OPEN, "", {"AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS": "192.0.2.0/24"}, NOTHING),
]


@pytest.mark.parametrize(("first", "pods", "public", "env", "expected"), TABLE)
def test_what_leaves_for_the_internet(
    first: Place, pods: Place, public: str, env: dict[str, str], expected: tuple[str, str]
) -> None:
    reach = joined(cloud(first, pods, public=public), cluster(aws_node(env)))
    assert between(reach, WEB, INTERNET) == expected
    agree(reach, WEB, INTERNET)


def test_the_first_interface_itself_sends_the_same() -> None:
    reach = joined(cloud(PUBLIC, OPEN, public="203.0.113.50"), cluster(aws_node()))
    assert between(reach, WEB, INTERNET) == between(reach, FIRST, INTERNET) == ANYTHING


def test_within_the_network_the_own_address_and_groups_count() -> None:
    assert between(joined(cloud(SHUT, OPEN), cluster(aws_node())), WEB, NEAR) == ANYTHING
    assert between(joined(cloud(OPEN, SHUT), cluster(aws_node())), WEB, NEAR) == NOTHING


def test_only_ranges_that_are_spared_keep_the_pods_address() -> None:
    spared = aws_node({"AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS": "198.51.100.0/24"})
    reach = joined(cloud(SHUT, OPEN), cluster(spared))
    assert between(reach, WEB, INTERNET) == CARRIED
    assert between(reach, WEB, DOCUMENTED) == NOTHING


def test_policies_judge_before_the_machine_takes_over() -> None:
    only = {"to": [{"ipBlock": {"cidr": "198.51.100.0/24"}}], "ports": [{"port": 80}]}
    shut = policy("only", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [only]})
    reach = joined(
        cloud(OPEN, SHUT), cluster(aws_node(agent=True), shut, *replicas(at(pod("api-1", app="api"), "10.0.2.21")))
    )
    assert between(reach, API, INTERNET) == ("tcp/80", "tcp/80")
    assert between(reach, API, DOCUMENTED) == NOTHING
    agree(reach, API, INTERNET)
    agree(reach, API, DOCUMENTED)


def test_policies_judge_what_goes_to_other_networks_of_the_estate() -> None:
    only = {"to": [{"ipBlock": {"cidr": "10.9.1.5/32"}}], "ports": [{"port": 5432}]}
    some = policy("some", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [only]})
    none = policy("none", {"podSelector": {}, "policyTypes": ["Egress"]})
    pods = replicas(at(pod("api-1", app="api"), "10.0.2.21"))
    for rules, expected in (((some,), "tcp/5432"), ((none,), "none")):
        reach = joined(peered(admits="10.0.2.10/32"), cluster(aws_node(agent=True), *rules, *pods))
        assert between(reach, API, FAR) == (expected, expected)
        agree(reach, API, FAR)


def test_the_network_acl_of_the_first_interfaces_subnet_counts() -> None:
    b = cloud(PUBLIC, OPEN, public="203.0.113.50")
    b.acl("acl-1", ("subnet-private",), ACL_OPEN)
    b.acl(
        "acl-tight",
        ("subnet-public",),
        (acl_entry("egress", 100, "tcp/443", "0.0.0.0/0"), acl_entry("ingress", 100, "all", "0.0.0.0/0")),
    )
    reach = joined(b, cluster(aws_node()))
    assert between(reach, WEB, INTERNET) == ("tcp/443", "tcp/443")
    agree(reach, WEB, INTERNET)


def peered(*, admits: str, first: Place = OPEN, pods: Place = OPEN, public: str = "") -> EstateBuilder:
    """Another network behind a peering, with an interface that admits one address."""
    b = cloud(first, pods, public=public)
    b.network("vpc-2", "10.9.0.0/16")
    b.subnet("subnet-far", "10.9.1.0/24", network="vpc-2")
    b.peering("pcx-1", "vpc-2")
    b.route("rtb-private", "10.9.0.0/16", "peering", "pcx-1")
    b.route("rtb-far", "10.0.0.0/16", "peering", "pcx-1")
    b.group("sg-far", allow("ingress", "tcp/5432", admits))
    b.interface("eni-far", "subnet-far", ["sg-far"], "10.9.1.5")
    b.put("interfaces", msgspec.structs.replace(b.build().interfaces[FAR], network=f"{AWS}vpc-2"))
    b.acl("acl-far", ("subnet-far",), ACL_OPEN)
    return b


@pytest.mark.parametrize(
    ("admits", "env", "expected"),
    [
        ("10.0.2.10/32", {}, "tcp/5432"),
        ("10.0.2.20/32", {}, "none"),
        ("10.0.2.10/32", {"AWS_VPC_K8S_CNI_EXTERNALSNAT": "true"}, "none"),
        ("10.0.2.20/32", {"AWS_VPC_K8S_CNI_EXTERNALSNAT": "true"}, "tcp/5432"),
        ("10.0.2.20/32", {"AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS": "10.9.0.0/16"}, "tcp/5432"),
        ("sg-open", {}, "tcp/5432"),
    ],
)
def test_a_peered_network_sees_the_address_of_the_machine(admits: str, env: dict[str, str], expected: str) -> None:
    reach = joined(peered(admits=admits), cluster(aws_node(env)))
    assert between(reach, WEB, FAR) == (expected, expected)
    agree(reach, WEB, FAR)


def test_the_explanation_names_the_interface_that_takes_over() -> None:
    reach = joined(peered(admits="10.0.2.10/32"), cluster(aws_node()))
    told = explain(reach, WEB, FAR, Traffic.parse("tcp/5432"))
    assert told.verdict == "allowed"
    (hop,) = (step for step in told.steps if step.kind == "translation")
    assert "eni-first (10.0.2.10)" in hop.text


UNKNOWN: list[tuple[tuple[dict[str, Any], ...], Env, str]] = [
    # Nothing was read of the plugin.
    ((), {}, "aws-node"),
    # Its setting comes from elsewhere, or is no truth value.
    ((aws_node({"AWS_VPC_K8S_CNI_EXTERNALSNAT": "perhaps"}),), {}, "AWS_VPC_K8S_CNI_EXTERNALSNAT"),
    # Windows and Auto Mode have another plugin.
    ((aws_node(),), {"kubernetes.io/os": "windows"}, "Windows"),
    ((aws_node(),), {"eks.amazonaws.com/compute-type": "auto"}, "Auto Mode"),
]


@pytest.mark.parametrize(("daemons", "labels", "word"), UNKNOWN)
def test_what_is_not_known_of_the_plugin_leaves_both_ways_open(
    daemons: tuple[dict[str, Any], ...], labels: dict[str, str], word: str
) -> None:
    for first, pods in ((OPEN, SHUT), (SHUT, OPEN)):
        reach = joined(cloud(first, pods), cluster(*daemons, nodes=(node(**labels),)))
        assert between(reach, WEB, INTERNET) == ("none", "tcp, udp, icmp")
        told = explain(reach, WEB, INTERNET, Traffic.parse("tcp/443"))
        assert told.verdict == "unknown"
        assert any(word in doubt for doubt in told.unknowns)
    # Where both ways let the same through, it does not matter.
    alike = joined(cloud(OPEN, OPEN), cluster(*daemons, nodes=(node(**labels),)))
    assert between(alike, WEB, INTERNET) == CARRIED


def test_where_it_was_not_read_which_interface_is_the_first_any_may_be() -> None:
    for first, pods in ((OPEN, SHUT), (SHUT, OPEN)):
        reach = joined(cloud(first, pods, is_first_read=False), cluster(aws_node()))
        assert between(reach, WEB, INTERNET) == ("none", "tcp, udp, icmp")
        agree(reach, WEB, INTERNET)


BRANCH: list[tuple[Env, tuple[str, str]]] = [
    # In strict mode a pod's own groups decide everywhere; in standard mode those of the machine, outside.
    ({}, NOTHING),
    ({"POD_SECURITY_GROUP_ENFORCING_MODE": "strict"}, NOTHING),
    ({"POD_SECURITY_GROUP_ENFORCING_MODE": "standard"}, CARRIED),
    ({"POD_SECURITY_GROUP_ENFORCING_MODE": "standard", "AWS_VPC_K8S_CNI_EXTERNALSNAT": "true"}, NOTHING),
]


@pytest.mark.parametrize(("env", "expected"), BRANCH)
def test_pods_with_an_interface_of_their_own(env: dict[str, str], expected: tuple[str, str]) -> None:
    b = cloud(OPEN, OPEN)
    b.interface("eni-branch", "subnet-private", ["sg-shut"], "10.0.2.30", role="branch")
    reach = joined(b, cluster(at(pod("own"), "10.0.2.30"), aws_node(env)))
    assert between(reach, "kubernetes:c:shop/own[Pod]", INTERNET) == expected
    agree(reach, "kubernetes:c:shop/own[Pod]", INTERNET)


def test_pods_of_several_machines_leave_as_surely_as_all_of_them_do() -> None:
    def estate(group: str) -> EstateBuilder:
        b = cloud(OPEN, OPEN)
        b.interface("eni-other", "subnet-private", [group], "10.0.2.11, 10.0.2.25", workload=f"{AWS}i-2")
        set_primary(b, "eni-other", "10.0.2.11")
        return b

    nodes = (node(), node("n2", "i-2"))
    pods = replicas(at(pod("api-1", app="api"), "10.0.2.21"), at(pod("api-2", app="api"), "10.0.2.25", node="n2"))
    alike = joined(estate("sg-open"), cluster(*pods, aws_node(), nodes=nodes))
    assert between(alike, API, INTERNET) == CARRIED
    apart = joined(estate("sg-web"), cluster(*pods, aws_node(), nodes=nodes))
    ends = sorted(key for key in apart.estate.interfaces if "/api[" in key)
    assert [between(apart, end, INTERNET) for end in ends] == [CARRIED, ("tcp/443", "tcp/443")]


def test_pods_on_the_network_of_their_node_leave_as_it_does() -> None:
    host = at(pod("proxy"), "10.0.2.10")
    host["spec"]["hostNetwork"] = True
    reach = joined(cloud(ONE, OPEN), cluster(host, aws_node()))
    assert between(reach, "kubernetes:c:shop/proxy[Pod]", INTERNET) == ("tcp/443", "tcp/443")


def test_over_the_internet_the_machines_public_address_is_seen() -> None:
    b = cloud(PUBLIC, OPEN, public="203.0.113.50")
    b.group("sg-edge", allow("ingress", "tcp/443", "203.0.113.50/32"))
    b.interface("eni-edge", "subnet-public", ["sg-edge"], "10.0.1.77", "203.0.113.77")
    reach = joined(b, cluster(aws_node()))
    edge = f"{AWS}eni-edge"
    assert between(reach, WEB, edge) == ("tcp/443", "tcp/443")
    agree(reach, WEB, edge)


def twin_of(b: EstateBuilder, place: Place) -> str:
    """A machine of its own in the place of the pod, which is nobody's pod."""
    address = "10.0.2.99" if place.subnet == "subnet-private" else "10.0.1.99"
    b.interface("eni-twin", place.subnet, [place.group], address, workload=f"{AWS}i-9")
    return f"{AWS}eni-twin"


PLACES = [Place(subnet, group) for subnet in ("subnet-private", "subnet-public") for group in ("sg-open", "sg-web")]


@pytest.mark.parametrize("first", PLACES)
@pytest.mark.parametrize("pods", PLACES)
@pytest.mark.parametrize("public", ["", "203.0.113.50"])
def test_a_pod_reaches_what_the_interface_reaches_by_which_it_leaves(first: Place, pods: Place, public: str) -> None:
    b = peered(admits="10.0.0.0/16", first=first, pods=pods, public=public)
    b.group("sg-edge", allow("ingress", "all", "0.0.0.0/0"))
    b.interface("eni-edge", "subnet-public", ["sg-edge"], "10.0.1.77", "203.0.113.77")
    b.route("rtb-public", "10.9.0.0/16", "peering", "pcx-1")
    twin = twin_of(b, pods)
    address = "10.0.2.20" if pods.subnet == "subnet-private" else "10.0.1.20"
    unknown = joined(b, cluster(address=address))
    for env, as_who in (({}, FIRST), ({"AWS_VPC_K8S_CNI_EXTERNALSNAT": "true"}, twin)):
        reach = joined(b, cluster(aws_node(env), address=address))
        for target in (INTERNET, FAR):
            verdict = reach.between(WEB, target)
            seen = reach.between(as_who, target)
            assert str(verdict.upper) == str(seen.upper)
            # Whether a public address of an interface stands for the pod's own is not told.
            assert verdict.lower == seen.lower or (bool(public) and as_who == twin)
            agree(reach, WEB, target)
            either = unknown.between(WEB, target)
            assert either.lower <= verdict.lower
            assert verdict.upper <= either.upper
            agree(unknown, WEB, target)
        agree(reach, WEB, f"{AWS}eni-edge")


V6_POD, V6_OUT = "2001:db8::20", AddressSet.parse("2606:2800::1")
"""A pod of an IPv6 cluster bears an address of the prefix of its machine's first interface, and no IPv4 address."""


def dual(first: Place, *, public: str = "", is_first_read: bool = True) -> EstateBuilder:
    b = cloud(first, OPEN, public=public, is_first_read=is_first_read)
    interface = b.build().interfaces[FIRST]
    b.put("interfaces", msgspec.structs.replace(interface, addresses=interface.addresses | AddressSet.parse(V6_PREFIX)))
    return b


V6_PREFIX = "2001:db8::/112"
AT_MOST = ("none", "tcp, udp, icmp")

OTHER_FAMILY: list[tuple[Place, Env | None, tuple[str, str]]] = [
    # "Default: true": IPv4 of pods of an IPv6 cluster leaves under the address of the node, past network policies.
    (OPEN, {}, AT_MOST),
    (OPEN, {"ENABLE_V4_EGRESS": "true"}, AT_MOST),
    (OPEN, {"ENABLE_V4_EGRESS": "perhaps"}, AT_MOST),
    (OPEN, None, AT_MOST),
    # What others translate is that of secondary addresses.
    (OPEN, {"AWS_VPC_K8S_CNI_EXTERNALSNAT": "true"}, AT_MOST),
    (OPEN, {"ENABLE_V4_EGRESS": "false"}, NOTHING),
    # The groups of the first interface decide.
    (ONE, {}, ("none", "tcp/443")),
    (SHUT, {}, NOTHING),
]


@pytest.mark.parametrize(("first", "env", "expected"), OTHER_FAMILY)
def test_a_pod_of_an_ipv6_cluster_may_send_ipv4_under_its_machines_address(
    first: Place, env: Env | None, expected: tuple[str, str]
) -> None:
    daemons = () if env is None else (aws_node(env),)
    reach = joined(dual(first), cluster(*daemons, address=V6_POD))
    assert between(reach, WEB, INTERNET) == expected
    agree(reach, WEB, INTERNET)


def test_ipv4_within_the_network_goes_the_same_way() -> None:
    reach = joined(dual(OPEN), cluster(aws_node(), address=V6_POD))
    assert between(reach, WEB, NEAR) == ("none", "all")
    agree(reach, WEB, NEAR)
    off = joined(dual(OPEN), cluster(aws_node({"ENABLE_V4_EGRESS": "false"}), address=V6_POD))
    assert between(off, WEB, NEAR) == NOTHING


def test_nothing_comes_to_a_pod_by_the_family_of_which_it_bears_no_address() -> None:
    b = dual(PUBLIC, public="203.0.113.50")
    b.group("sg-open", allow("egress", "all", "0.0.0.0/0"), allow("ingress", "all", "0.0.0.0/0"))
    reach = joined(b, cluster(aws_node(), address=V6_POD))
    for source in (NEAR, INTERNET):
        assert between(reach, source, WEB) == NOTHING


def test_network_policies_do_not_hold_for_the_other_family() -> None:
    none = policy("none", {"podSelector": {}, "policyTypes": ["Egress"]})
    pods = replicas(at(pod("api-1", app="api"), "2001:db8::21"))
    reach = joined(dual(OPEN), cluster(aws_node(agent=True), none, *pods, address=V6_POD))
    assert between(reach, API, INTERNET) == AT_MOST
    agree(reach, API, INTERNET)
    told = explain(reach, API, INTERNET, Traffic.parse("tcp/443"))
    assert told.verdict == "unknown"
    assert any("under the address of their machine" in doubt for doubt in told.unknowns)


def test_of_the_other_family_too_any_interface_may_be_the_first_where_that_was_not_read() -> None:
    reach = joined(dual(SHUT, is_first_read=False), cluster(aws_node(), address=V6_POD))
    assert between(reach, WEB, INTERNET)[1] != "none"
    agree(reach, WEB, INTERNET)
    agree(reach, WEB, NEAR)


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        # "Default: false".
        ({}, NOTHING),
        ({"ENABLE_V6_EGRESS": "false"}, NOTHING),
        ({"ENABLE_V6_EGRESS": "true"}, ("none", "all")),
        ({"ENABLE_V6_EGRESS": "perhaps"}, ("none", "all")),
        (None, ("none", "all")),
    ],
)
def test_pods_of_an_ipv4_cluster_may_be_let_send_ipv6(env: Env | None, expected: tuple[str, str]) -> None:
    b = dual(OPEN)
    b.group("sg-open", allow("egress", "all", "::/0"), allow("ingress", "all", "2001:db8::/112"))
    near = b.build().interfaces[NEAR]
    b.put("interfaces", msgspec.structs.replace(near, addresses=near.addresses | AddressSet.parse("2001:db8:1::5")))
    daemons = () if env is None else (aws_node(env),)
    reach = joined(b, cluster(*daemons))
    assert between(reach, WEB, NEAR) == expected
    agree(reach, WEB, NEAR)
    agree(reach, WEB, V6_OUT)


def test_over_the_internet_ipv4_of_such_pods_shows_the_machines_public_address() -> None:
    b = dual(PUBLIC, public="203.0.113.50")
    b.group("sg-edge", allow("ingress", "tcp/443", "203.0.113.50/32"))
    b.interface("eni-edge", "subnet-public", ["sg-edge"], "10.0.1.77", "203.0.113.77")
    reach = joined(b, cluster(aws_node(), address=V6_POD))
    edge = f"{AWS}eni-edge"
    assert between(reach, WEB, edge) == ("none", "tcp/443")
    agree(reach, WEB, edge)


def from_map(daemon: dict[str, Any]) -> dict[str, Any]:
    """The DaemonSet with variables that a config map sets, which is not read."""
    (first, *others) = daemon["spec"]["template"]["spec"]["containers"]
    found = [first | {"envFrom": [{"configMapRef": {"name": "amazon-vpc-cni"}}]}, *others]
    return daemon | {"spec": daemon["spec"] | {"template": {"spec": {"containers": found}}}}


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, ("none", "tcp, udp, icmp")),
        # What a container sets itself goes before.
        (
            {
                "AWS_VPC_K8S_CNI_EXTERNALSNAT": "false",
                "AWS_VPC_K8S_CNI_EXCLUDE_SNAT_CIDRS": "",
                "POD_SECURITY_GROUP_ENFORCING_MODE": "strict",
            },
            NOTHING,
        ),
        ({"AWS_VPC_K8S_CNI_EXTERNALSNAT": "true"}, CARRIED),
    ],
)
def test_what_a_config_map_may_set_is_not_known(env: Env, expected: tuple[str, str]) -> None:
    reach = joined(cloud(SHUT, OPEN), cluster(from_map(aws_node(env))))
    assert between(reach, WEB, INTERNET) == expected
    agree(reach, WEB, INTERNET)
