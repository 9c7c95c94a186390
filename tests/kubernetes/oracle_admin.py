"""One packet at a time through admin policies, straight from their documentation; it knows nothing of the model.

https://network-policy-api.sigs.k8s.io/api-overview/
https://network-policy-api.sigs.k8s.io/reference/spec/
https://github.com/kubernetes-sigs/network-policy-api/blob/main/apis/v1alpha2/clusternetworkpolicy_types.go

What the documentation leaves to the implementation has to be said as a choice: which of several policies with the same
priority decides, and whether a range of addresses holds an address of a pod that nobody knows.
"""

from ipaddress import ip_address, ip_network
from itertools import permutations, product
from typing import Any, Literal, NamedTuple

from tests.kubernetes import oracle
from tests.kubernetes.oracle import Json, Packet, fits, labels, labels_of_space, many, space_of
from tests.kubernetes.remembered import remembered

Action = Literal["accept", "deny", "pass"]
ACTIONS: dict[str, Action] = {"Accept": "accept", "Allow": "accept", "Deny": "deny", "Pass": "pass"}
ADMIN_KINDS = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")


class Choice(NamedTuple):
    """What is left open: the order of each tier, and whether ranges of addresses hold pods."""

    admin: tuple[Json, ...]
    baseline: tuple[Json, ...]
    pods_in_ranges: bool


class Sight(NamedTuple):
    """A packet as one of its ends sees it."""

    way: str
    own: Json
    other: Json | str
    packet: Packet


def choices(objects: list[Json]) -> list[Choice]:
    """Every way in which what is left open may be settled."""
    admin, baseline = (orders([each for each in objects if tier(each) == name]) for name in ("Admin", "Baseline"))
    return [Choice(*each) for each in product(admin, baseline, (False, True))]


def orders(policies: list[Json]) -> list[tuple[Json, ...]]:
    """Every order by priority; policies with the same one may stand in any order."""
    ranked = sorted({priority(each) for each in policies})
    levels = [[each for each in policies if priority(each) == number] for number in ranked]
    return [
        tuple(each for level in found for each in level) for found in product(*(list(permutations(i)) for i in levels))
    ]


def tier(item: Json) -> str:
    match item["kind"]:
        case "AdminNetworkPolicy":
            return "Admin"
        case "BaselineAdminNetworkPolicy":
            return "Baseline"
        case "ClusterNetworkPolicy":
            return item["spec"]["tier"]
        case _:
            return ""


def priority(item: Json) -> int:
    return item["spec"].get("priority", 1001)


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
    # Once the tier of administrators has accepted or denied, "no further evaluation is done".
    decided = first(objects, "Admin", choice, sight)
    if decided in {"accept", "deny"}:
        return decided == "accept"
    # "v1.NetworkPolicy always makes a final decision for selected pods. Further evaluation only happens for Pods not
    # selected by a v1.NetworkPolicy."
    way, policies = sight.way.title(), [each for each in objects if each["kind"] == "NetworkPolicy"]
    if any(oracle.selects(each, sight.own) and way in oracle.types(each["spec"]) for each in policies):
        return oracle.side(objects, way, *sight[1:], blocks=choice.pods_in_ranges)
    # "If a given connection wasn't allowed or denied by any of the tiers, the default kubernetes policy is applied,
    # which says that all pods can communicate with each other."
    return first(objects, "Baseline", choice, sight) != "deny"


def first(objects: list[Json], name: str, choice: Choice, sight: Sight) -> Action | None:
    for each in choice.admin if name == "Admin" else choice.baseline:
        spec = each["spec"]
        if not chosen(objects, spec["subject"], sight.own):
            continue
        for rule in many(spec.get(sight.way)):
            peers = rule["from" if sight.way == "ingress" else "to"]
            if any(peer(objects, item, sight.other, choice) for item in peers) and ports(rule, sight.packet):
                return ACTIONS[rule["action"]]
    return None


@remembered
def chosen(objects: list[Json], subject: Json, pod: Json) -> bool:
    given = labels_of_space(objects, space_of(pod))
    if "namespaces" in subject:
        return fits(subject["namespaces"], given)
    pods = subject["pods"]
    return fits(pods.get("namespaceSelector", {}), given) and fits(pods["podSelector"], labels(pod))


def peer(objects: list[Json], item: Json, other: Json | str, choice: Choice) -> bool:
    if "networks" in item:
        if isinstance(other, dict):
            # "So if you Accept or Deny traffic to 0.0.0.0/0, that will allow or deny all IPv4 pod-to-pod traffic."
            return "0.0.0.0/0" in item["networks"] or choice.pods_in_ranges
        return any(ip_address(other) in ip_network(each) for each in item["networks"])
    if "nodes" in item:
        # "It selects the nodeIPs as the peer type by matching on the IPs present in the node.Status.Addresses."
        nodes = [each for each in objects if each["kind"] == "Node" and fits(item["nodes"], labels(each))]
        known = {address["address"] for node in nodes for address in node["status"]["addresses"]}
        return other in known if isinstance(other, str) else bool(nodes) and choice.pods_in_ranges
    if isinstance(other, str):
        return False
    return chosen(objects, item, other)


def ports(rule: Json, packet: Packet) -> bool:
    listed: list[Any] = [*many(rule.get("ports")), *many(rule.get("protocols"))]
    return not listed or any(port(each, packet) for each in listed)


def port(item: Json, packet: Packet) -> bool:
    name = item.get("namedPort", item.get("destinationNamedPort"))
    if name is not None:
        if isinstance(packet.target, str):
            return False
        return any(
            (each.get("name"), each.get("protocol") or "TCP", each["containerPort"])
            == (name, packet.protocol, packet.port)
            for container in packet.target["spec"]["containers"]
            for each in many(container.get("ports"))
        )
    if "portNumber" in item:
        number = item["portNumber"]
        return (number.get("protocol") or "TCP", number["port"]) == (packet.protocol, packet.port)
    if "portRange" in item:
        span = item["portRange"]
        return (span.get("protocol") or "TCP") == packet.protocol and span["start"] <= packet.port <= span["end"]
    ((protocol, given),) = item.items()
    if protocol.upper() != packet.protocol:
        return False
    destination = given["destinationPort"]
    if "number" in destination:
        return destination["number"] == packet.port
    return destination["range"]["start"] <= packet.port <= destination["range"]["end"]
