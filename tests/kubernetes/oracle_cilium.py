"""One packet at a time, straight from Cilium's documentation; it knows nothing of the model.

https://docs.cilium.io/en/stable/security/policy/intro/
https://docs.cilium.io/en/stable/security/policy/layer3/
https://docs.cilium.io/en/stable/security/policy/layer4/
https://docs.cilium.io/en/stable/security/policy/deny/
https://docs.cilium.io/en/stable/security/policy/kubernetes/
"""

from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

from tests.kubernetes import oracle
from tests.kubernetes.oracle import Json, Packet, fits, labels, labels_of_space, many, one, space_of
from tests.kubernetes.remembered import remembered

KINDS = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")
NAMESPACE = "io.kubernetes.pod.namespace"
OF_NAMESPACE = "io.cilium.k8s.namespace.labels."


class Reading(NamedTuple):
    """What the documentation leaves open.

    Attributes:
        proved: the ends can prove who they are, where a rule asks for that.
        by_pod: a named port on egress is the receiving pod's own; else the number that all pods agree on.
    """

    proved: bool = True
    by_pod: bool = True


class Scene(NamedTuple):
    """A packet at one of its ends."""

    objects: list[Json]
    policy: Json
    way: str
    own: Json
    other: Json | str
    packet: Packet
    reading: Reading


def allowed(objects: list[Json], packet: Packet, reading: Reading) -> bool:
    source, target = packet.source, packet.target
    # The documentation: "policy must be configured on both sides (sender and receiver)".
    goes = isinstance(source, str) or side(objects, "egress", source, target, packet, reading)
    comes = isinstance(target, str) or side(objects, "ingress", target, source, packet, reading)
    return goes and comes


def side(objects: list[Json], way: str, own: Json, other: Json | str, packet: Packet, reading: Reading) -> bool:
    scenes = [
        (Scene(objects, policy, way, own, other, packet, reading), spec) for policy, spec in selecting(objects, own)
    ]
    # "Deny policies take precedence over allow policies, regardless of whether they are a Cilium Network Policy, a
    # Clusterwide Cilium Network Policy or even a Kubernetes Network Policy."
    if any(matched(scene, rule) for scene, spec in scenes for rule in many(spec.get(f"{way}Deny"))):
        return False
    admitting = [(scene, rule) for scene, spec in scenes for rule in many(spec.get(way)) if matched(scene, rule)]
    if not reading.proved and any(asks_proof(rule) for _, rule in admitting):
        return False
    title = way.title()
    plain = applying(objects, title, own)
    # "By default, all egress and ingress traffic is allowed for all endpoints. When an endpoint is selected by a
    # network policy, it transitions to a default-deny state."
    if not plain and not any(isolates(spec, way) for _, spec in scenes):
        return True
    return bool(admitting) or (
        bool(plain) and oracle.side(with_spaces(objects, title, own), title, own, other, packet, blocks=False)
    )


@remembered
def applying(objects: list[Json], title: str, own: Json) -> list[Json]:
    """The plain policies that apply to a pod in one direction."""
    plain = [each for each in objects if each["kind"] == "NetworkPolicy" and oracle.selects(each, own)]
    return [each for each in plain if title in oracle.types(each["spec"])]


@remembered
def with_spaces(objects: list[Json], title: str, own: Json) -> list[Json]:
    return applying(objects, title, own) + [each for each in objects if each["kind"] == "Namespace"]


def isolates(spec: Json, way: str) -> bool:
    # "If not specified, the default is true for each traffic direction that has rules, and false otherwise."
    asked = one(spec.get("enableDefaultDeny")).get(way)
    return bool(spec.get(way) or spec.get(f"{way}Deny")) if asked is None else asked


def asks_proof(rule: Json) -> bool:
    return one(rule.get("authentication")).get("mode") == "required"


@remembered
def selecting(objects: list[Json], own: Json) -> list[tuple[Json, Json]]:
    """The policies that select a pod, each with the part that does."""
    return [
        (policy, spec)
        for policy in objects
        if policy["kind"] in KINDS
        for spec in (*([policy["spec"]] if "spec" in policy else []), *many(policy.get("specs")))
        if selected(objects, policy, spec, own)
    ]


def selected(objects: list[Json], policy: Json, spec: Json, pod: Json) -> bool:
    near = policy["kind"] == KINDS[1] or space_of(policy) == space_of(pod)
    return near and meets(objects, spec["endpointSelector"], pod)


@remembered
def meets(objects: list[Json], selector: Json, pod: Json) -> bool:
    space = {f"{OF_NAMESPACE}{key}": value for key, value in labels_of_space(objects, space_of(pod)).items()}
    borne = {**labels(pod), **space, NAMESPACE: space_of(pod)}
    given: dict[str, str] = one(selector.get("matchLabels"))
    terms: list[Json] = [{"key": key, "operator": "In", "values": [value]} for key, value in given.items()]
    terms += many(selector.get("matchExpressions"))
    return fits({"matchExpressions": [{**term, "key": bare(term["key"])} for term in terms]}, borne)


def bare(key: str) -> str:
    return key.removeprefix("k8s:").removeprefix("any:")


def keys(selector: Json) -> list[str]:
    terms: list[Json] = many(selector.get("matchExpressions"))
    found: list[str] = [*one(selector.get("matchLabels")), *(term["key"] for term in terms)]
    return [bare(key) for key in found]


def matched(scene: Scene, rule: Json) -> bool:
    return reaches(scene, rule) and carries(scene, rule)


def reaches(scene: Scene, rule: Json) -> bool:
    word = "from" if scene.way == "ingress" else "to"
    ends: list[bool] = []
    named = False
    for kind in ("Endpoints", "CIDR", "CIDRSet", "Entities", "Services"):
        items = rule.get(f"{word}{kind}")
        if items is not None:
            named = True
            ends += [WAYS[kind](scene, item) for item in items]
    # "Layer 4 policy can be specified in addition to layer 3 policies or independently"; an empty rule admits nobody.
    return any(ends) if named else bool(rule.get("toPorts") or rule.get("icmps"))


def endpoint(scene: Scene, selector: Json) -> bool:
    if isinstance(scene.other, str):
        return False
    # "If omitted, the namespace is that of the policy."
    told = any(key == NAMESPACE or key.startswith(OF_NAMESPACE) for key in keys(selector))
    near = told or scene.policy["kind"] == KINDS[1] or space_of(scene.policy) == space_of(scene.other)
    return near and meets(scene.objects, selector, scene.other)


def cidr(scene: Scene, text: str) -> bool:
    # "CIDR rules do not apply to traffic where both sides of the connection are managed by Cilium."
    return isinstance(scene.other, str) and inside(scene.other, text)


def cidr_set(scene: Scene, item: Json) -> bool:
    if isinstance(scene.other, dict):
        return False
    if "cidr" in item:
        ranges = [item["cidr"]]
    else:
        groups = [each for each in scene.objects if each["kind"] == "CiliumCIDRGroup"]
        if "cidrGroupRef" in item:
            groups = [each for each in groups if each["metadata"]["name"] == item["cidrGroupRef"]]
        else:
            groups = [each for each in groups if fits(item["cidrGroupSelector"], labels(each))]
        ranges = [text for each in groups for text in each["spec"]["externalCIDRs"]]
    cut = any(inside(scene.other, text) for text in many(item.get("except")))
    return not cut and any(inside(scene.other, text) for text in ranges)


def inside(address: str, text: str) -> bool:
    return ip_address(address) in ip_network(text, strict=False)


def entity(scene: Scene, name: str) -> bool:
    outside = isinstance(scene.other, str)
    match name:
        case "all":
            return True
        case "world":
            return outside
        case "world-ipv4":
            return isinstance(scene.other, str) and ":" not in scene.other
        case "world-ipv6":
            return isinstance(scene.other, str) and ":" in scene.other
        case "cluster":
            return not outside
        case _:
            return False


def service(scene: Scene, item: Json) -> bool:
    if isinstance(scene.other, str):
        return False
    for each in scene.objects:
        if each["kind"] != "Service":
            continue
        if "k8sService" in item:
            asked = item["k8sService"]
            chosen = (each["metadata"]["name"], space_of(each)) == (asked["serviceName"], asked["namespace"])
        else:
            asked = item["k8sServiceSelector"]
            chosen = fits(asked["selector"], labels(each)) and asked.get("namespace") in {None, space_of(each)}
        # "This feature uses the discovered services' label selector as an endpoint selector within the policy."
        near = space_of(each) == space_of(scene.other)
        if chosen and near and fits({"matchLabels": each["spec"]["selector"]}, labels(scene.other)):
            return True
    return False


WAYS: dict[str, Any] = {
    "Endpoints": endpoint,
    "CIDR": cidr,
    "CIDRSet": cidr_set,
    "Entities": entity,
    "Services": service,
}


def carries(scene: Scene, rule: Json) -> bool:
    packet = scene.packet
    if rule.get("icmps"):
        # "If any ICMP policy is specified, layer 4 and ICMP communication will be blocked."
        fields = [field for item in rule["icmps"] for field in item["fields"]]
        return any(message(field, packet) for field in fields)
    if rule.get("toPorts"):
        return any(port(scene, item) for part in rule["toPorts"] for item in part["ports"])
    return True


def message(field: Json, packet: Packet) -> bool:
    version = "ICMPv6" if field.get("family") == "IPv6" else "ICMP"
    names: dict[Any, int] = {("ICMP", "EchoRequest"): 8, ("ICMPv6", "EchoRequest"): 128}
    number = names.get((version, field["type"]))
    return packet.protocol == version and packet.port == (int(field["type"]) if number is None else number)


def port(scene: Scene, item: Json) -> bool:
    packet, protocol = scene.packet, item.get("protocol") or "ANY"
    if packet.protocol not in ({"TCP", "UDP", "SCTP"} if protocol == "ANY" else {protocol}):
        return False
    text = item["port"]
    if text.isdigit():
        return text == "0" or int(text) <= packet.port <= (item.get("endPort") or int(text))
    if scene.way == "ingress" or scene.reading.by_pod:
        return isinstance(packet.target, dict) and packet.port in numbers([packet.target], text, packet.protocol)
    every = numbers([each for each in scene.objects if each["kind"] == "Pod"], text, packet.protocol)
    return len(every) == 1 and packet.port in every


def numbers(pods: list[Json], name: str, protocol: str) -> set[int]:
    return {
        each["containerPort"]
        for pod in pods
        for container in pod["spec"]["containers"]
        for each in many(container.get("ports"))
        if (each.get("name"), each.get("protocol") or "TCP") == (name, protocol)
    }
