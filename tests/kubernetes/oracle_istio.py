"""One connection at a time, straight from Istio's documentation; it knows nothing of the model.

https://istio.io/latest/docs/reference/config/security/authorization-policy/
https://istio.io/latest/docs/reference/config/security/peer_authentication/
https://istio.io/latest/docs/reference/config/security/conditions/
https://istio.io/latest/docs/tasks/security/authorization/authz-tcp/
https://istio.io/latest/docs/concepts/security/
https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/
https://istio.io/latest/docs/ambient/usage/l4-policy/
https://istio.io/v1.22/docs/ambient/usage/l4-policy/
https://istio.io/latest/docs/ambient/usage/add-workloads/
https://istio.io/latest/docs/reference/config/annotations/
https://istio.io/latest/docs/reference/config/networking/envoy-filter/
https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/
https://istio.io/latest/docs/reference/config/proxy_extensions/traffic_extension/
"""

import json
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

from tests.kubernetes.oracle import Packet, labels, labels_of_space, many, one, space_of
from tests.kubernetes.remembered import remembered

Json = dict[str, Any]
ROOT = "istio-system"


class Reading(NamedTuple):
    """What the documentation leaves open, or no object tells."""

    http: bool = True
    "a port of which no Service tells the protocol speaks HTTP"
    authorizer: bool = True
    "the external authorizer of a CUSTOM policy admits"
    mixed: bool = True
    "sidecars and ambient pods speak mutual TLS with each other"
    whole: bool = False
    "a policy with requests in it, at a ztunnel, admits nothing at all, and not only those rules of it"
    drops: bool = False
    "a ztunnel with such a policy drops everything, as documented for 1.22"
    disabled: bool = True
    "DISABLE, at a ztunnel, lets plain text in as PERMISSIVE does"
    denies: bool = False
    "an EnvoyFilter, WasmPlugin or TrafficExtension denies what comes to its proxies"
    admits: bool = False
    "an EnvoyFilter takes away what its proxies would deny"
    address: str = "10.9.9.9"
    "the address of pods, which nobody knows"


PLAIN = Reading()


@remembered
def mode_of(objects: list[Json], pod: Json) -> str:
    """How a pod is part of the mesh: ``sidecar``, ``ambient`` or not."""
    own, space = labels(pod), labels_of_space(objects, space_of(pod))
    inject = own.get("sidecar.istio.io/inject")
    # If either label is set to disabled, the pod is not injected; if either is set to enabled, it is.
    given = (space.get("istio-injection"), inject)
    if given[0] != "disabled" and given[1] != "false" and (given[0] == "enabled" or given[1] == "true"):
        return "sidecar"
    wanted = own.get("istio.io/dataplane-mode") or space.get("istio.io/dataplane-mode")
    return "ambient" if wanted == "ambient" else ""


def selected(policy: Json, pod: Json) -> bool:
    wanted = one(one(policy["spec"].get("selector")).get("matchLabels"))
    near = space_of(policy) in (ROOT, space_of(pod))
    return near and all(labels(pod).get(key) == value for key, value in wanted.items())


@remembered
def tls_mode(objects: list[Json], pod: Json, port: int, reading: Reading) -> str:
    """The mode of mutual TLS at a port of a pod: the workload's, else the namespace's, else the mesh's."""
    policies = [each for each in objects if each["kind"] == "PeerAuthentication"]
    # "Only the oldest of several".
    policies.sort(key=lambda each: each["metadata"]["creationTimestamp"])
    whole = [each for each in policies if not one(each["spec"].get("selector")).get("matchLabels")]
    mesh = [each for each in whole if space_of(each) == ROOT][:1]
    near = [each for each in whole if space_of(each) == space_of(pod) != ROOT][:1]
    # "Policies with workload selectors are ignored when deployed in the root namespace."
    chosen = [each for each in policies if each not in whole and space_of(each) == space_of(pod) != ROOT]
    chosen = [each for each in chosen if selected(each, pod)][:1]
    mode = "PERMISSIVE"
    for each in (*mesh, *near, *chosen):
        mode = settled(one(each["spec"].get("mtls")).get("mode"), mode, objects, pod, reading)
    for each in chosen:
        ports: dict[int, Json] = each["spec"].get("portLevelMtls") or {}
        at = ports.get(port)
        mode = settled(one(at).get("mode"), mode, objects, pod, reading)
    return mode


def settled(given: str | None, above: str, objects: list[Json], pod: Json, reading: Reading) -> str:
    if given in (None, "UNSET"):
        return above
    if given == "DISABLE" and mode_of(objects, pod) == "ambient":
        # "It is not possible to use the DISABLE mode in a policy. Such policies will be ignored."
        return "PERMISSIVE" if reading.disabled else above
    return str(given)


def identity(objects: list[Json], packet: Packet, reading: Reading) -> str | None:
    """The principal of a packet's source as its target sees it: only with mutual TLS between members of the mesh."""
    source, target = packet.source, packet.target
    assert isinstance(target, dict)
    if isinstance(source, str):
        return None
    here, there = mode_of(objects, source), mode_of(objects, target)
    if not here or not there or (here != there and not reading.mixed):
        return None
    if tls_mode(objects, target, packet.port, reading) == "DISABLE":
        return None
    return f"cluster.local/ns/{space_of(source)}/sa/{source['spec'].get('serviceAccountName', 'default')}"


def allowed(objects: list[Json], packet: Packet, reading: Reading = PLAIN) -> bool:
    target = packet.target
    # Sidecars and ztunnels take TCP alone.
    if isinstance(target, str) or packet.protocol != "TCP":
        return True
    mode = mode_of(objects, target)
    if not mode:
        return True
    if mode == "sidecar" and str(packet.port) in past_sidecar(objects, target):
        return True
    changed = changing(objects, target) if mode == "sidecar" else set[str]()
    if reading.admits and "EnvoyFilter" in changed:
        return True
    if reading.denies and changed:
        return False
    who = identity(objects, packet, reading)
    if tls_mode(objects, target, packet.port, reading) == "STRICT" and who is None:
        return False
    acting = policies_of(objects, target)
    scene = Scene(packet, who, speaks(objects, packet, reading), mode, reading)
    by_action = {name: [e for e in acting if e["spec"].get("action", "ALLOW") == name] for name in ACTIONS}
    if reading.drops and mode == "ambient":
        # An AuthorizationPolicy that needs more than layer 4: the ztunnel "will simply drop all traffic".
        enforced = (each for each in acting if each["spec"].get("action") != "AUDIT")
        if any(asks_requests(rule) for each in enforced for rule in many(each["spec"].get("rules"))):
            return False
    if not reading.authorizer and any(matched(each, scene, "CUSTOM") for each in by_action["CUSTOM"]):
        return False
    if any(matched(each, scene, "DENY") for each in by_action["DENY"]):
        return False
    if not by_action["ALLOW"]:
        return True
    return any(matched(each, scene, "ALLOW") for each in by_action["ALLOW"])


@remembered
def policies_of(objects: list[Json], pod: Json) -> list[Json]:
    """The policies that judge a pod in earnest."""
    acting = [each for each in objects if each["kind"] == "AuthorizationPolicy" and selected(each, pod)]
    return [each for each in acting if one(each["metadata"].get("annotations")).get("istio.io/dry-run") != "true"]


@remembered
def changing(objects: list[Json], pod: Json) -> set[str]:
    """The kinds of the objects that change the proxy of a pod."""
    return {each["kind"] for each in objects if changes(each, pod)}


EXCLUDED = "traffic.sidecar.istio.io/excludeInboundPorts"


@remembered
def past_sidecar(objects: list[Json], pod: Json) -> list[str]:
    """The ports that are not led to the sidecar of a pod: its annotation goes before what is set for all."""
    given = one(pod["metadata"].get("annotations")).get(EXCLUDED)
    if given is None:
        maps = [each for each in objects if each["metadata"]["name"] == "istio-sidecar-injector"]
        given = json.loads(maps[0]["data"]["values"])["global"]["proxy"]["excludeInboundPorts"] if maps else ""
    return str(given).split(",")


def changes(item: Json, pod: Json) -> bool:
    """Whether an object changes the proxy of a pod: without a selector, all of its namespace or of the mesh."""
    if item["kind"] not in {"EnvoyFilter", "TrafficExtension", "WasmPlugin"}:
        return False
    wanted = one(item["spec"].get("workloadSelector")).get("labels") or one(item["spec"].get("selector")).get(
        "matchLabels"
    )
    near = space_of(item) in (ROOT, space_of(pod))
    return near and all(labels(pod).get(key) == value for key, value in one(wanted).items())


ACTIONS = ("CUSTOM", "DENY", "ALLOW", "AUDIT")


class Scene(NamedTuple):
    packet: Packet
    who: str | None
    http: bool
    mode: str
    reading: Reading


def speaks(objects: list[Json], packet: Packet, reading: Reading) -> bool:
    """Whether the port of the target speaks HTTP, by the names of the ports of Services before it."""
    target = packet.target
    assert isinstance(target, dict)
    told = set[bool | None]()
    for each in objects:
        if each["kind"] != "Service" or space_of(each) != space_of(target):
            continue
        wanted = one(each["spec"].get("selector"))
        if not wanted or any(labels(target).get(key) != value for key, value in wanted.items()):
            continue
        for port in each["spec"]["ports"]:
            if (port.get("targetPort") or port["port"]) == packet.port:
                kind = port.get("appProtocol") or port.get("name", "").partition("-")[0]
                told.add({"http": True, "grpc": True, "tcp": False, "https": False}.get(kind))
    return told.pop() if len(told) == 1 and None not in told else reading.http  # type: ignore[return-value] # as tested


def matched(policy: Json, scene: Scene, action: str) -> bool:
    """Whether a policy matches a connection: for ALLOW, CUSTOM some request of it, for DENY every request."""
    rules = many(policy["spec"].get("rules"))
    if scene.reading.whole and scene.mode == "ambient" and action == "ALLOW" and any(asks_requests(r) for r in rules):
        return False
    return any(rule_matched(rule, scene, action) for rule in rules)


HTTP_ONLY = (
    *("hosts", "notHosts", "methods", "notMethods", "paths", "notPaths"),
    *("requestPrincipals", "notRequestPrincipals"),
)


def asks_requests(rule: Json) -> bool:
    parts = [each["source"] for each in many(rule.get("from"))] + [each["operation"] for each in many(rule.get("to"))]
    asked = any(part.get(key) for part in parts for key in HTTP_ONLY)
    return asked or any(each["key"].startswith("request.") for each in many(rule.get("when")))


def rule_matched(rule: Json, scene: Scene, action: str) -> bool:
    sources = [each["source"] for each in many(rule.get("from"))] or [{}]
    operations = [each["operation"] for each in many(rule.get("to"))] or [{}]
    return any(
        fits(source, operation, many(rule.get("when")), scene, action) for source in sources for operation in operations
    )


def fits(source: Json, operation: Json, when: list[Json], scene: Scene, action: str) -> bool:
    asked = any(part.get(key) for part in (source, operation) for key in HTTP_ONLY)
    asked = asked or any(each["key"].startswith("request.") for each in when)
    if asked:
        if scene.mode == "ambient" or not scene.http:
            # What asks for requests where there are none: an ALLOW rule is ignored, a DENY rule does without.
            if action == "ALLOW":
                return False
        elif action != "ALLOW":
            # It denies some requests and not the connection.
            return False
    return from_source(source, scene) and ports(operation, scene) and all(condition(each, scene) for each in when)


def from_source(source: Json, scene: Scene) -> bool:
    given = namespace(scene.who)
    return (
        listed(source, "principals", "notPrincipals", scene.who)
        and listed(source, "namespaces", "notNamespaces", given)
        and blocks(source.get("ipBlocks"), source.get("notIpBlocks"), scene)
    )


def namespace(who: str | None) -> str | None:
    return None if who is None else who.split("/")[2]


def listed(part: Json, key: str, negative: str, value: str | None) -> bool:
    positive = not part.get(key) or any(like(pattern, value) for pattern in part[key])
    return positive and not any(like(pattern, value) for pattern in many(part.get(negative)))


def like(pattern: str, value: str | None) -> bool:
    if not value:
        return False
    if pattern == "*":
        return True
    if pattern.endswith("*"):
        return value.startswith(pattern[:-1])
    return value.endswith(pattern[1:]) if pattern.startswith("*") else value == pattern


def blocks(inside: list[str] | None, outside: list[str] | None, scene: Scene) -> bool:
    return (not inside or any(bears(each, scene) for each in inside)) and not any(
        bears(each, scene) for each in outside or ()
    )


def bears(block: str, scene: Scene) -> bool:
    source = scene.packet.source
    if isinstance(source, dict):
        source = scene.reading.address
    return ip_address(source) in ip_network(block, strict=False)


def ports(operation: Json, scene: Scene) -> bool:
    return listed(operation, "ports", "notPorts", str(scene.packet.port))


def condition(item: Json, scene: Scene) -> bool:
    key, given = item["key"], {"v": item.get("values"), "n": item.get("notValues")}
    if key == "source.principal":
        return listed(given, "v", "n", scene.who)
    if key == "source.namespace":
        return listed(given, "v", "n", namespace(scene.who))
    if key == "destination.port":
        return listed(given, "v", "n", str(scene.packet.port))
    if key == "source.ip":
        return blocks(given["v"], given["n"], scene)
    if key == "destination.ip":
        target = scene._replace(packet=scene.packet._replace(source=scene.packet.target))
        return blocks(given["v"], given["n"], target)
    return True
