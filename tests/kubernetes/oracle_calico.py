"""One packet at a time through Calico's tiers, straight from its documentation; it knows nothing of the model.

https://docs.tigera.io/calico/latest/reference/resources/tier
https://docs.tigera.io/calico/latest/network-policy/policy-tiers/tiered-policy
https://docs.tigera.io/calico/latest/reference/resources/networkpolicy
https://docs.tigera.io/calico/latest/reference/resources/globalnetworkpolicy
https://docs.tigera.io/calico/latest/reference/resources/globalnetworkset
https://docs.tigera.io/calico/latest/network-policy/get-started/calico-policy/calico-labels
"""

import math
import re
from collections.abc import Callable
from functools import cache
from ipaddress import ip_address, ip_network
from types import CodeType
from typing import Any, NamedTuple

from tests.kubernetes import oracle
from tests.kubernetes.oracle import Json, labels, labels_of_space, many, one, space_of
from tests.kubernetes.remembered import remembered

GROUP = "projectcalico.org/v3"
NUMBERS = {"TCP": 6, "UDP": 17, "ICMP": 1, "ICMPV6": 58, "SCTP": 132}


class Packet(NamedTuple):
    """A packet. An end is a pod as it is written, or an address outside; for ICMP the port is the type.

    A pod whose address is not known bears the one that ``pod_address`` says.
    """

    source: Json | str
    target: Json | str
    protocol: str
    port: int
    client_port: int = 40000
    pod_address: str = "172.31.255.1"


def allowed(objects: list[Json], packet: Packet) -> bool:
    goes = isinstance(packet.source, str) or side(objects, "Egress", packet.source, packet)
    comes = isinstance(packet.target, str) or side(objects, "Ingress", packet.target, packet)
    return goes and comes


def side(objects: list[Json], way: str, own: Json, packet: Packet) -> bool:
    for tier, applying in stages(objects, way, own):
        verdict = in_tier(objects, applying, way, packet)
        if verdict is None:
            # "If the Tier applies to the endpoint, but takes no action on the packet the packet is dropped. This
            # behaviour can be changed by setting the defaultAction of a tier to Pass."
            verdict = default_action(objects, tier)
        if verdict != "Pass":
            return verdict == "Allow"
    # "If the last Tier applying to the endpoint Passes the packet, that endpoint's Profiles are evaluated": that of a
    # namespace of Kubernetes allows everything.
    return True


@remembered
def stages(objects: list[Json], way: str, own: Json) -> list[tuple[str, list[Json]]]:
    """The policies that apply to a pod, by tier."""
    found = [
        (tier, [each for each in policies(objects, tier) if way in types(each) and selects(objects, each, own)])
        for tier in tiers(objects)
    ]
    # "each tier that contains a policy that applies to the endpoint processes the packet"
    return [(tier, applying) for tier, applying in found if applying]


def in_tier(objects: list[Json], applying: list[Json], way: str, packet: Packet) -> str | None:
    for policy in applying:
        if is_native(policy):
            if native_allows(objects, policy, way, packet):
                return "Allow"
            continue
        for rule in many(policy["spec"].get(way.lower())):
            # After a Log action, processing continues with the next rule.
            if rule["action"] != "Log" and matches(objects, policy, rule, packet):
                return str(rule["action"])
    return None


def is_native(policy: Json) -> bool:
    return bool(policy["apiVersion"] == "networking.k8s.io/v1")


def native_allows(objects: list[Json], policy: Json, way: str, packet: Packet) -> bool:
    own, other = (packet.target, packet.source) if way == "Ingress" else (packet.source, packet.target)
    plain = oracle.Packet(packet.source, packet.target, packet.protocol, packet.port)
    for rule in many(policy["spec"].get(way.lower())):
        peers = many(rule.get("from" if way == "Ingress" else "to"))
        matched = not peers or any(native_peer(objects, policy, item, other, packet) for item in peers)
        if matched and oracle.port(many(rule.get("ports")), plain):
            return True
    assert isinstance(own, dict)
    return False


def native_peer(objects: list[Json], policy: Json, item: Json, other: Json | str, packet: Packet) -> bool:
    if "ipBlock" in item:
        return oracle.peer(objects, policy, item, address(other, packet), blocks=True)
    return oracle.peer(objects, policy, item, other, blocks=True)


def tiers(objects: list[Json]) -> list[str]:
    orders = {"default": 1_000_000.0}
    for each in objects:
        if each["kind"] == "Tier":
            # Without a value it has the highest order, which is the lowest precedence.
            orders[each["metadata"]["name"]] = each["spec"].get("order", math.inf)
    return sorted(orders, key=lambda name: (orders[name], name))


def default_action(objects: list[Json], tier: str) -> str:
    found = [each for each in objects if each["kind"] == "Tier" and each["metadata"]["name"] == tier]
    return str(found[0]["spec"].get("defaultAction", "Deny")) if found else "Deny"


def policies(objects: list[Json], tier: str) -> list[Json]:
    found: list[tuple[float, str, Json]] = []
    for each in objects:
        if each["kind"] not in {"NetworkPolicy", "GlobalNetworkPolicy"}:
            continue
        name = each["metadata"]["name"]
        if is_native(each):
            if tier == "default":
                found.append((1000.0, f"knp.default.{name}", each))
        elif each["spec"].get("tier", "default") == tier:
            full = name if name.startswith(f"{tier}.") else f"{tier}.{name}"
            found.append((each["spec"].get("order", math.inf), full, each))
    # "applies the policy with the lowest value first"; policies of one order in the order of their names.
    return [each for _, _, each in sorted(found, key=lambda item: item[:2])]


def types(policy: Json) -> list[str]:
    spec = policy["spec"]
    if is_native(policy):
        return oracle.types(spec)
    if spec.get("types"):
        return list(spec["types"])
    table = {
        (False, False): ["Ingress"],
        (True, False): ["Ingress"],
        (False, True): ["Egress"],
        (True, True): ["Ingress", "Egress"],
    }
    return table[bool(spec.get("ingress")), bool(spec.get("egress"))]


def selects(objects: list[Json], policy: Json, pod: Json) -> bool:
    if is_native(policy):
        return oracle.selects(policy, pod)
    spec, borne = policy["spec"], endpoint_labels(pod)
    if policy["kind"] == "NetworkPolicy" and space_of(policy) != space_of(pod):
        return False
    return (
        chosen(spec.get("selector") or "all()", borne)
        and (not spec.get("namespaceSelector") or of_space(objects, spec["namespaceSelector"], space_of(pod)))
        and (not spec.get("serviceAccountSelector") or of_account(objects, spec["serviceAccountSelector"], pod))
    )


def matches(objects: list[Json], policy: Json, rule: Json, packet: Packet) -> bool:
    """ "All the match criteria within a rule must be satisfied for a packet to match." """
    protocol = NUMBERS[packet.protocol.upper()]
    if rule.get("protocol") is not None and number_of(rule["protocol"]) != protocol:
        return False
    if rule.get("notProtocol") is not None and number_of(rule["notProtocol"]) == protocol:
        return False
    if "icmp" in rule and not message(rule["icmp"], packet):
        return False
    if "notICMP" in rule and message(rule["notICMP"], packet):
        return False
    if "http" in rule and packet.protocol != "TCP":
        return False
    source, target = one(rule.get("source")), one(rule.get("destination"))
    # Both ends of a packet are of one family: that of the address outside, where it has one.
    outside = next((end for end in (packet.source, packet.target) if isinstance(end, str)), packet.source)
    if "ipVersion" in rule and ip_address(address(outside, packet)).version != rule["ipVersion"]:
        return False
    return entity(objects, policy, source, packet.source, packet, packet.client_port) and entity(
        objects, policy, target, packet.target, packet, packet.port
    )


def number_of(protocol: Any) -> int:
    return protocol if isinstance(protocol, int) else NUMBERS[protocol.upper()]


def message(icmp: Json, packet: Packet) -> bool:
    # Packets here have code 0.
    return icmp.get("type") in {None, packet.port} and icmp.get("code") in {None, 0}


def entity(objects: list[Json], policy: Json, item: Json, end: Json | str, packet: Packet, port: int) -> bool:
    own = address(end, packet)
    if item.get("services"):
        return isinstance(end, dict) and service(objects, policy, item["services"], end, packet)
    if item.get("nets") and not inside(own, item["nets"]):
        return False
    if item.get("notNets") and inside(own, item["notNets"]):
        return False
    if not identity(objects, policy, item, end, own):
        return False
    if item.get("ports") and not any(is_port(each, end, packet, port) for each in item["ports"]):
        return False
    return not any(is_port(each, end, packet, port) for each in many(item.get("notPorts")))


def identity(objects: list[Json], policy: Json, item: Json, end: Json | str, own: str) -> bool:
    selector, space, accounts = item.get("selector"), item.get("namespaceSelector"), one(item.get("serviceAccounts"))
    negative = item.get("notSelector")
    # "The namespaceSelector determines the scope of the accompanying selector in the entity rule. If no
    # namespaceSelector is present then the rule's selector matches the default scope for that type of policy."
    asks = bool(selector or space or accounts.get("names") or accounts.get("selector"))
    near = policy["kind"] == "NetworkPolicy" and not space and (asks or bool(negative))

    def of_pod(pod: Json) -> bool:
        return (
            chosen(selector or "all()", endpoint_labels(pod))
            and (not space or of_space(objects, space, space_of(pod)))
            and (not near or space_of(pod) == space_of(policy))
            and (not accounts.get("names") or account_of(pod) in accounts["names"])
            and (not accounts.get("selector") or of_account(objects, accounts["selector"], pod))
        )

    def of_set(net: Json) -> bool:
        place = space_of(net) if net["kind"] == "NetworkSet" else None
        return (
            chosen(selector or "all()", set_labels(net))
            and (not space or of_space(objects, space, place))
            and (not near or place == space_of(policy))
            and not accounts
        )

    if (asks or near) and not known(objects, end, own, of_pod, of_set):
        return False

    # "notSelector: has(foo) matches packets from/to anywhere (including outside the cluster), except traffic from/to
    # endpoints and network sets that have the label foo."
    def barred_pod(pod: Json) -> bool:
        return chosen(str(negative), endpoint_labels(pod))

    def barred_set(net: Json) -> bool:
        return chosen(str(negative), set_labels(net))

    return not negative or not known(objects, end, own, barred_pod, barred_set)


def known(
    objects: list[Json], end: Json | str, own: str, pod: Callable[[Json], bool], net: Callable[[Json], bool]
) -> bool:
    if isinstance(end, dict) and pod(end):
        return True
    sets = [each for each in objects if each["kind"] in {"NetworkSet", "GlobalNetworkSet"}]
    return any(net(each) and inside(own, many(each["spec"].get("nets"))) for each in sets)


def address(end: Json | str, packet: Packet) -> str:
    if isinstance(end, str):
        return end
    return str(one(end.get("status")).get("podIP") or packet.pod_address)


def inside(own: str, nets: list[str]) -> bool:
    return any(ip_address(own) in ip_network(each, strict=False) for each in nets)


def is_port(item: Any, end: Json | str, packet: Packet, port: int) -> bool:
    if isinstance(item, int):
        return item == port
    if re.fullmatch("[0-9]+:[0-9]+", item):
        first, last = item.split(":")
        return int(first) <= port <= int(last)
    # "A named port, as defined in the ports list of one or more endpoints"
    return isinstance(end, dict) and named(end, item, packet.protocol) == port


def named(pod: Json, name: str, protocol: str) -> int | None:
    for container in pod["spec"]["containers"]:
        for each in many(container.get("ports")):
            if each.get("name") == name and (each.get("protocol") or "TCP") == protocol:
                return int(each["containerPort"])
    return None


def service(objects: list[Json], policy: Json, match: Json, pod: Json, packet: Packet) -> bool:
    place = match.get("namespace") or space_of(policy)
    for each in objects:
        if each["kind"] != "Service" or (space_of(each), each["metadata"]["name"]) != (place, match["name"]):
            continue
        behind = space_of(pod) == place and each["spec"]["selector"].items() <= labels(pod).items()
        return behind and any(
            (port.get("protocol") or "TCP") == packet.protocol and port["targetPort"] == packet.port
            for port in each["spec"]["ports"]
        )
    return False


def account_of(pod: Json) -> str:
    return str(pod["spec"].get("serviceAccountName") or "default")


def endpoint_labels(pod: Json) -> Json:
    return {
        **labels(pod),
        "projectcalico.org/namespace": space_of(pod),
        "projectcalico.org/orchestrator": "k8s",
        "projectcalico.org/serviceaccount": account_of(pod),
    }


def set_labels(net: Json) -> Json:
    own = {"projectcalico.org/namespace": space_of(net)} if net["kind"] == "NetworkSet" else {}
    return {**labels(net), **own}


def of_space(objects: list[Json], selector: str, name: str | None) -> bool:
    """Whether a namespace, or what is in none, is selected."""
    borne = {} if name is None else {**labels_of_space(objects, name), "projectcalico.org/name": name}
    return chosen(selector, borne, everything=name is not None)


def of_account(objects: list[Json], selector: str, pod: Json) -> bool:
    name = account_of(pod)
    read = [
        labels(each)
        for each in objects
        if each["kind"] == "ServiceAccount" and (space_of(each), each["metadata"]["name"]) == (space_of(pod), name)
    ]
    return chosen(selector, {**(read[0] if read else {}), "projectcalico.org/name": name})


TEXT = r"""(?:'[^']*'|"[^"]*")"""
KEY = r"[A-Za-z0-9_./-]+"
Form = tuple[str, Callable[[re.Match[str]], str]]
FORMS: tuple[Form, ...] = (
    (rf"has\(\s*({KEY})\s*\)", lambda m: f" HAS({m[1]!r}) "),
    (rf"({KEY})\s*==\s*({TEXT})", lambda m: f" EQ({m[1]!r}, {m[2]}) "),
    (rf"({KEY})\s*!=\s*({TEXT})", lambda m: f" (not EQ({m[1]!r}, {m[2]})) "),
    (rf"({KEY})\s+not\s+in\s*\{{([^}}]*)\}}", lambda m: f" (not IN({m[1]!r}, [{m[2]}])) "),
    (rf"({KEY})\s+in\s*\{{([^}}]*)\}}", lambda m: f" IN({m[1]!r}, [{m[2]}]) "),
    (rf"({KEY})\s+contains\s*({TEXT})", lambda m: f" PART({m[1]!r}, {m[2]}) "),
    (rf"({KEY})\s+starts\s*with\s*({TEXT})", lambda m: f" HEAD({m[1]!r}, {m[2]}) "),
    (rf"({KEY})\s+ends\s*with\s*({TEXT})", lambda m: f" TAIL({m[1]!r}, {m[2]}) "),
    (r"all\(\s*\)", lambda _: " ALL "),
    (r"global\(\s*\)", lambda _: " GLOBAL "),
    (r"&&", lambda _: " and "),
    (r"\|\|", lambda _: " or "),
    (r"!", lambda _: " not "),
)


class Asked(NamedTuple):
    """What selectors ask of labels, by the names that stand for their operators."""

    borne: Json
    everything: bool

    def names(self) -> dict[str, object]:
        asked = {"HAS": self.has, "EQ": self.equals, "IN": self.among, "PART": self.part}
        return {**asked, "HEAD": self.head, "TAIL": self.tail, "ALL": self.everything, "GLOBAL": not self.everything}

    def has(self, key: str) -> bool:
        return key in self.borne

    def equals(self, key: str, value: str) -> bool:
        return bool(self.borne.get(key) == value)

    def among(self, key: str, values: list[str]) -> bool:
        return self.borne.get(key) in values

    def part(self, key: str, value: str) -> bool:
        return key in self.borne and value in self.borne[key]

    def head(self, key: str, value: str) -> bool:
        return key in self.borne and str(self.borne[key]).startswith(value)

    def tail(self, key: str, value: str) -> bool:
        return key in self.borne and str(self.borne[key]).endswith(value)


def chosen(selector: str, borne: Json, *, everything: bool = True) -> bool:
    """Whether labels meet a selector: Python has the same precedence of not, and, or."""
    return bool(eval(_compiled(selector), {"__builtins__": {}}, Asked(borne, everything).names()))


@cache
def _compiled(selector: str) -> CodeType:
    pieces = re.compile("|".join(f"(?:{form})" for form, _ in FORMS))

    def said(found: re.Match[str]) -> str:
        for form, make in FORMS:
            if whole := re.fullmatch(form, found[0]):
                return make(whole)
        raise AssertionError(found[0])

    return compile(pieces.sub(said, selector).strip(), selector, "eval")
