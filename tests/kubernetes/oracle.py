"""One packet at a time, straight from the documentation of NetworkPolicies; it knows nothing of the model.

https://kubernetes.io/docs/concepts/services-networking/network-policies/
https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

from tests.kubernetes.remembered import remembered

Json = dict[str, Any]


class Packet(NamedTuple):
    """A packet. An end is a pod as it is written, or an address outside of the cluster; ICMP has no port."""

    source: Json | str
    target: Json | str
    protocol: str
    port: int


def allowed(objects: list[Json], packet: Packet, *, blocks_match_pods: bool) -> bool:
    """Whether a packet passes. Whether ipBlock matches pods is not defined, so that it has to be said."""
    source, target = packet.source, packet.target
    # For a connection to be allowed, the egress policy on the source pod and the ingress policy on the destination pod
    # both need to allow it.
    goes = isinstance(source, str) or side(objects, "Egress", source, target, packet, blocks=blocks_match_pods)
    comes = isinstance(target, str) or side(objects, "Ingress", target, source, packet, blocks=blocks_match_pods)
    return goes and comes


def side(objects: list[Json], way: str, own: Json, other: Json | str, packet: Packet, *, blocks: bool) -> bool:
    policies = [each for each in objects if each["kind"] == "NetworkPolicy"]
    applying = [each for each in policies if selects(each, own) and way in types(each["spec"])]
    # By default, a pod is non-isolated: all connections are allowed.
    if not applying:
        return True
    # The order of evaluation does not affect the result: policies combine additively.
    for each in applying:
        for rule in many(each["spec"].get(way.lower())):
            peers = many(rule.get("from" if way == "Ingress" else "to"))
            matched = not peers or any(peer(objects, each, item, other, blocks=blocks) for item in peers)
            if matched and port(many(rule.get("ports")), packet):
                return True
    return False


def many(value: list[Any] | None) -> list[Any]:
    return value or []


def one(value: Json | None) -> Json:
    return value or {}


def types(spec: Json) -> list[str]:
    # "If no policyTypes are specified on a NetworkPolicy then by default Ingress will always be set and Egress will be
    # set if the NetworkPolicy has any egress rules."
    return spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])


def selects(policy: Json, pod: Json) -> bool:
    return space_of(policy) == space_of(pod) and fits(one(policy["spec"].get("podSelector")), labels(pod))


def peer(objects: list[Json], policy: Json, item: Json, other: Json | str, *, blocks: bool) -> bool:
    if "ipBlock" in item:
        if isinstance(other, dict):
            return blocks
        block = item["ipBlock"]
        inside = ip_address(other) in ip_network(block["cidr"], strict=False)
        return inside and not any(
            ip_address(other) in ip_network(part, strict=False) for part in many(block.get("except"))
        )
    if isinstance(other, str):
        return False
    if item.get("namespaceSelector") is None:
        near = space_of(other) == space_of(policy)
    else:
        near = fits(item["namespaceSelector"], labels_of_space(objects, space_of(other)))
    return near and fits(one(item.get("podSelector")), labels(other))


def port(items: list[Json], packet: Packet) -> bool:
    if not items:
        return True
    return any((item.get("protocol") or "TCP") == packet.protocol and numbered(item, packet) for item in items)


def numbered(item: Json, packet: Packet) -> bool:
    wanted = item.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return wanted <= packet.port <= (item.get("endPort") or wanted)
    # "The port on the given protocol. This can either be a numerical or named port on a pod."
    if isinstance(packet.target, str):
        return False
    named = {
        (each.get("name"), each.get("protocol") or "TCP"): each["containerPort"]
        for container in packet.target["spec"]["containers"]
        for each in many(container.get("ports"))
    }
    return named.get((wanted, packet.protocol)) == packet.port


def fits(selector: Json, given: Json) -> bool:
    for key, value in (one(selector.get("matchLabels"))).items():
        if given.get(key) != value:
            return False
    for term in many(selector.get("matchExpressions")):
        key, values = term["key"], many(term.get("values"))
        match term["operator"]:
            case "In":
                fit = key in given and given[key] in values
            case "NotIn":
                fit = key not in given or given[key] not in values
            case "Exists":
                fit = key in given
            case _:
                fit = key not in given
        if not fit:
            return False
    return True


def labels(pod: Json) -> Json:
    return one(pod["metadata"].get("labels"))


def space_of(item: Json) -> str:
    return item["metadata"].get("namespace") or "default"


@remembered
def labels_of_space(objects: list[Json], name: str) -> Json:
    read = [labels(each) for each in objects if each["kind"] == "Namespace" and each["metadata"]["name"] == name]
    return {**(read[0] if read else {}), "kubernetes.io/metadata.name": name}
