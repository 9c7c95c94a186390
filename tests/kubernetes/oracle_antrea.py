"""One packet at a time through Antrea's policies, straight from their documentation; it knows nothing of the model.

https://antrea.io/docs/main/docs/antrea-network-policy/

Which of several policies with the same priority decides is not defined, and has to be said, as has whether an address
of a pod that nobody knows lies in a range.
"""

from ipaddress import ip_address, ip_network
from itertools import permutations, product
from typing import Any, NamedTuple

from tests.kubernetes import oracle
from tests.kubernetes.oracle import Json, Packet, fits, labels, labels_of_space, many, space_of
from tests.kubernetes.remembered import remembered

VERSION = "crd.antrea.io/v1beta1"
TIERS = {"emergency": 50, "securityops": 100, "networkops": 150, "platform": 200, "application": 250, "baseline": 253}


class Choice(NamedTuple):
    """What is left open: the order of all policies, and whether ranges of addresses hold pods."""

    order: tuple[Json, ...]
    pods_in_ranges: bool


class Sight(NamedTuple):
    """A packet as one of its ends sees it."""

    way: str
    own: Json
    other: Json | str
    packet: Packet


def antrea(item: Json) -> bool:
    return item["apiVersion"] == VERSION and item["kind"] in {"ClusterNetworkPolicy", "NetworkPolicy"}


def choices(objects: list[Json]) -> list[Choice]:
    """Every way in which what is left open may be settled."""
    policies = [each for each in objects if antrea(each)]
    ranked = sorted({place(objects, each) for each in policies})
    levels = [[each for each in policies if place(objects, each) == level] for level in ranked]
    found = [
        [each for level in chosen for each in level] for chosen in product(*(list(permutations(i)) for i in levels))
    ]
    return [Choice(tuple(order), inside) for order in found for inside in (False, True)]


@remembered
def place(objects: list[Json], item: Json) -> tuple[int, float]:
    own = {each["metadata"]["name"]: each["spec"]["priority"] for each in objects if each["kind"] == "Tier"}
    return (TIERS | own)[item["spec"].get("tier", "application")], item["spec"]["priority"]


def bounds(objects: list[Json], packet: Packet, ways: list[Choice]) -> tuple[bool, bool]:
    """Whether a packet passes in every one of the ways, and whether in some."""
    found = {allowed(objects, packet, choice) for choice in ways}
    return all(found), any(found)


def allowed(objects: list[Json], packet: Packet, choice: Choice) -> bool:
    source, target = packet.source, packet.target
    goes = isinstance(source, str) or side(objects, Sight("egress", source, target, packet), choice)
    comes = isinstance(target, str) or side(objects, Sight("ingress", target, source, packet), choice)
    return goes and comes


def side(objects: list[Json], sight: Sight, choice: Choice) -> bool:
    # "Emergency > SecurityOps > NetworkOps > Platform > Application > K8s NetworkPolicy > Baseline"
    decided = first(objects, sight, choice, baseline=False)
    if decided in {"Allow", "Drop", "Reject"}:
        return decided == "Allow"
    # "Baseline policies cannot counteract the isolated Pod behavior provided by K8s NetworkPolicies."
    own = [each for each in objects if each["apiVersion"] == "networking.k8s.io/v1"]
    way = sight.way.title()
    if any(oracle.selects(each, sight.own) and way in oracle.types(each["spec"]) for each in own):
        namespaced = [*own, *(each for each in objects if each["kind"] == "Namespace")]
        return oracle.side(namespaced, way, *sight[1:], blocks=choice.pods_in_ranges)
    return first(objects, sight, choice, baseline=True) not in {"Drop", "Reject"}


def first(objects: list[Json], sight: Sight, choice: Choice, *, baseline: bool) -> str | None:
    for item in choice.order:
        if (item["spec"].get("tier") == "baseline") != baseline:
            continue
        for rule in many(item["spec"].get(sight.way)):
            applied = item["spec"].get("appliedTo") or rule["appliedTo"]
            if not any(chosen(objects, item, each, sight.own) for each in applied):
                continue
            ends: list[Any] = many(rule.get("from" if sight.way == "ingress" else "to"))
            met = not ends or any(peer(objects, item, each, sight, choice) for each in ends)
            if met and traffic(rule, sight.packet):
                return rule["action"]
    return None


@remembered
def chosen(objects: list[Json], policy: Json, item: Json, pod: Json) -> bool:
    if "group" in item:
        return any(chosen(objects, policy, each, pod) for each in group(objects, policy, item["group"]))
    if "serviceAccount" in item:
        account = item["serviceAccount"]
        name = pod["spec"].get("serviceAccountName", "default")
        return (space_of(pod), name) == (account["namespace"], account["name"])
    if "podSelector" not in item and "namespaceSelector" not in item:
        return False
    if "namespaceSelector" in item:
        near = fits(item["namespaceSelector"], labels_of_space(objects, space_of(pod)))
    else:
        # "A podSelector without any namespaceSelector selects Pods from all Namespaces"; in a policy of one namespace
        # it "selects Pods from the Namespace in which the Antrea NetworkPolicy is created".
        near = policy["kind"] == "ClusterNetworkPolicy" or space_of(policy) == space_of(pod)
    return near and fits(item.get("podSelector", {}), labels(pod))


@remembered
def group(objects: list[Json], policy: Json, name: str) -> list[Json]:
    """What a group holds, as items that stand for themselves."""
    clustered = policy["kind"] == "ClusterNetworkPolicy"
    kind = "ClusterGroup" if clustered else "Group"
    (item,) = [
        each
        for each in objects
        if (each["kind"], each["metadata"]["name"]) == (kind, name)
        and (clustered or space_of(each) == space_of(policy))
    ]
    spec = item["spec"]
    if "childGroups" in spec:
        return [each for child in spec["childGroups"] for each in group(objects, policy, child)]
    if "ipBlocks" in spec:
        return [{"ipBlock": each} for each in spec["ipBlocks"]]
    return [spec]


def peer(objects: list[Json], policy: Json, item: Json, sight: Sight, choice: Choice) -> bool:
    other = sight.other
    if "group" in item:
        return any(peer(objects, policy, each, sight, choice) for each in group(objects, policy, item["group"]))
    if "ipBlock" in item:
        if isinstance(other, dict):
            return choice.pods_in_ranges
        return ip_address(other) in ip_network(item["ipBlock"]["cidr"], strict=False)
    if isinstance(other, str):
        return False
    if "namespaces" in item:
        given, wanted = (labels_of_space(objects, space_of(each)) for each in (other, sight.own))
        if item["namespaces"].get("match") == "Self":
            near = space_of(other) == space_of(sight.own)
        else:
            # "Namespaces must have all the label keys", and share their values.
            near = all(key in given and given[key] == wanted.get(key) for key in item["namespaces"]["sameLabels"])
        return near and fits(item.get("podSelector", {}), labels(other))
    return chosen(objects, policy, item, other)


def traffic(rule: Json, packet: Packet) -> bool:
    ports, protocols = many(rule.get("ports")), many(rule.get("protocols"))
    if not ports and not protocols:
        return True
    return oracle.port(ports, packet) if ports and packet.protocol != "ICMP" else icmp(protocols, packet)


def icmp(protocols: list[Any], packet: Packet) -> bool:
    # The only message that is sent here is an echo request: type 8, code 0.
    return packet.protocol == "ICMP" and any(
        each["icmp"].get("icmpType", 8) == 8 and each["icmp"].get("icmpCode", 0) == 0 for each in protocols
    )
