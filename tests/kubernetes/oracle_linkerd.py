"""One connection at a time, straight from Linkerd's documentation; it knows nothing of the model.

https://linkerd.io/2-edge/reference/authorization-policy/
https://linkerd.io/2-edge/features/server-policy/
https://linkerd.io/2-edge/features/proxy-injection/
https://linkerd.io/2-edge/features/automatic-mtls/
https://linkerd.io/2-edge/features/protocol-detection/
https://linkerd.io/2-edge/reference/httproute/
https://artifacthub.io/packages/helm/linkerd2/linkerd-control-plane
"""

from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

import yaml

from tests.kubernetes.oracle import Packet, fits, labels, many, one, space_of
from tests.kubernetes.remembered import remembered

Json = dict[str, Any]
INJECT = "linkerd.io/inject"
DEFAULT = "config.linkerd.io/default-inbound-policy"
SKIPPED = "config.linkerd.io/skip-inbound-ports"
SKIPPED_OUT = "config.linkerd.io/skip-outbound-ports"
IDENTIFIED = "config.linkerd.io/proxy-require-identity-inbound-ports"
BY_CHART = "4567,4568"
CLUSTER_NETWORKS = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8")


class Reading(NamedTuple):
    """What the documentation leaves open, or no object tells."""

    in_block: bool = True
    "pods, whose addresses nobody knows, bear addresses of every network (and of none else)"
    bare_tls: bool = True
    "a client without an identity speaks TLS to a server that asks for no identity"
    unset: bool = True
    "a ServerAuthorization without networks is for all addresses, and not for those of the cluster"
    private: bool = True
    "private addresses outside of the cluster are among the cluster's networks"
    leaves: bool = True
    "some route lets pass what an EgressNetwork denies"
    chart: bool = True
    "an installation that was not read leads past its proxies what its chart does by default"


PLAIN = Reading()


@remembered
def space_named(objects: list[Json], name: str) -> Json:
    spaces = [each for each in objects if each["kind"] == "Namespace" and each["metadata"]["name"] == name]
    return spaces[0] if spaces else {"metadata": {}}


@remembered
def annotation(objects: list[Json], pod: Json, key: str) -> str | None:
    """An annotation of a pod, else of its namespace."""
    own = one(pod["metadata"].get("annotations")).get(key)
    above = one(space_named(objects, space_of(pod))["metadata"].get("annotations")).get(key)
    return own if own is not None else above


def meshed(objects: list[Json], pod: Json) -> bool:
    # "The injector will not run on components in these namespaces."
    if space_of(pod) in {"kube-system", "cert-manager"}:
        return False
    return annotation(objects, pod, INJECT) in {"enabled", "ingress"}


def listed(text: str | None, port: int) -> bool:
    for part in (text or "").split(","):
        first, dash, last = part.partition("-")
        if part and int(first) <= port <= int(last if dash else first):
            return True
    return False


@remembered
def skipped(objects: list[Json], pod: Json, key: str, setting: str, reading: Reading) -> str:
    """The ports that go past the proxy of a pod: an annotation takes the place of what is set for all."""
    given = annotation(objects, pod, key)
    if given is not None:
        return given
    for each in objects:
        if (each["kind"], each["metadata"]["name"]) == ("ConfigMap", "linkerd-config"):
            return str(values(each["data"]["values"])["proxyInit"][setting])
    return BY_CHART if reading.chart else ""


@lru_cache
def values(text: str) -> Json:
    """The values of an installation, which are YAML within the object."""
    found: Json = yaml.safe_load(text)
    return found


def skipped_in(objects: list[Json], pod: Json, reading: Reading) -> str:
    return skipped(objects, pod, SKIPPED, "ignoreInboundPorts", reading)


def skipped_out(objects: list[Json], pod: Json, reading: Reading) -> str:
    return skipped(objects, pod, SKIPPED_OUT, "ignoreOutboundPorts", reading)


class Client(NamedTuple):
    """Who connects: an address where it is known, a service account where one is shown."""

    packet: Packet
    account: tuple[str, str] | None
    reading: Reading

    @property
    def identity(self) -> str | None:
        if self.account is None:
            return None
        return f"{self.account[1]}.{self.account[0]}.serviceaccount.identity.linkerd.cluster.local"

    def bears(self, cidr: str) -> bool:
        source = self.packet.source
        return self.reading.in_block if isinstance(source, dict) else ip_address(source) in ip_network(cidr)

    def in_networks(self, networks: list[Json]) -> bool:
        if {each["cidr"] for each in networks if not each.get("except")} >= {"0.0.0.0/0", "::/0"}:
            return True
        return any(
            self.bears(each["cidr"]) and not any(self.bears(part) for part in many(each.get("except")))
            for each in networks
        )

    def in_cluster(self) -> bool:
        if isinstance(self.packet.source, dict):
            return True
        return self.reading.private and any(self.bears(each) for each in CLUSTER_NETWORKS)


def client_of(objects: list[Json], packet: Packet, reading: Reading) -> Client:
    source = packet.source
    account = None
    # "Traffic on ports that were marked as skip ports bypasses the proxy entirely."
    bypassed = isinstance(source, dict) and listed(skipped_out(objects, source, reading), packet.port)
    if isinstance(source, dict) and meshed(objects, source) and not bypassed:
        account = (space_of(source), source["spec"].get("serviceAccountName", "default"))
    return Client(packet, account, reading)


def allowed(objects: list[Json], packet: Packet, reading: Reading = PLAIN) -> bool:
    if packet.protocol != "TCP":
        return True
    return leaves(objects, packet, reading) and enters(objects, packet, reading)


def leaves(objects: list[Json], packet: Packet, reading: Reading) -> bool:
    source, target = packet.source, packet.target
    if isinstance(source, str) or isinstance(target, dict) or not meshed(objects, source):
        return True
    if listed(skipped_out(objects, source, reading), packet.port):
        return True
    # "Egress networks are namespace local." "The only exception is the global egress namespace."
    for each in objects:
        near = each["kind"] == "EgressNetwork" and space_of(each) in {space_of(source), "linkerd-egress"}
        if near and each["spec"]["trafficPolicy"] == "Deny" and not reading.leaves and captures(each, target):
            return False
    return True


def captures(network: Json, address: str) -> bool:
    networks = many(network["spec"].get("networks"))
    networks = networks or [{"cidr": "0.0.0.0/0", "except": [each for each in CLUSTER_NETWORKS if "." in each]}]
    return any(
        ip_address(address) in ip_network(each["cidr"])
        and not any(ip_address(address) in ip_network(part) for part in many(each.get("except")))
        for each in networks
    )


def enters(objects: list[Json], packet: Packet, reading: Reading) -> bool:
    target = packet.target
    if isinstance(target, str) or not meshed(objects, target):
        return True
    if listed(skipped_in(objects, target, reading), packet.port):
        return True
    client = client_of(objects, packet, reading)
    servers = [each for each in objects if each["kind"] == "Server" and selects(each, packet)]
    if not servers:
        policy = annotation(objects, target, DEFAULT) or "all-unauthenticated"
        identified = listed(annotation(objects, target, IDENTIFIED), packet.port)
        return by_default(policy, client) and (
            not identified or policy in {"deny", "audit"} or client.account is not None
        )
    (server,) = servers
    if by_default(server["spec"].get("accessPolicy", "deny"), client):
        return True
    return any(admits(objects, each, server, client) for each in objects)


def selects(server: Json, packet: Packet) -> bool:
    target, spec = packet.target, server["spec"]
    assert isinstance(target, dict)
    if "podSelector" not in spec or space_of(server) != space_of(target):
        return False
    if not fits(spec["podSelector"], labels(target)):
        return False
    if isinstance(spec["port"], int):
        return bool(spec["port"] == packet.port)
    ports = [port for container in target["spec"]["containers"] for port in many(container.get("ports"))]
    return any(
        port.get("name") == spec["port"] and port["containerPort"] == packet.port and port.get("protocol") != "UDP"
        for port in ports
    )


def by_default(policy: str, client: Client) -> bool:
    """Whether a default policy, or an access policy, admits a client."""
    if policy in {"all-unauthenticated", "audit"}:
        return True
    if policy == "deny":
        return False
    if policy.startswith("cluster-") and not client.in_cluster():
        return False
    return client.account is not None or policy.endswith("-unauthenticated")


def admits(objects: list[Json], item: Json, server: Json, client: Client) -> bool:
    if space_of(item) != space_of(server):
        return False
    if item["kind"] == "ServerAuthorization":
        wanted = item["spec"]["server"]
        named = wanted.get("name")
        chosen = named == server["metadata"]["name"] if named else fits(wanted["selector"], labels(server))
        return chosen and by_client(item, item["spec"]["client"], client)
    if item["kind"] == "AuthorizationPolicy":
        if not targets(objects, item["spec"]["targetRef"], server):
            return False
        # "In the case of multiple entries, all authentications must match."
        return all(authenticated(objects, item, ref, client) for ref in item["spec"]["requiredAuthenticationRefs"])
    return False


def by_client(item: Json, spec: Json, client: Client) -> bool:
    networks = spec.get("networks")
    if networks is None:
        if not client.in_cluster() and not client.reading.unset:
            return False
    elif not client.in_networks(networks):
        return False
    if spec.get("unauthenticated"):
        return True
    tls = one(spec.get("meshTLS"))
    if tls.get("unauthenticatedTLS"):
        return client.account is not None or client.reading.bare_tls
    accounts = [(each.get("namespace", space_of(item)), each["name"]) for each in many(tls.get("serviceAccounts"))]
    return client.account in accounts or any(like(each, client.identity) for each in many(tls.get("identities")))


def like(pattern: str, identity: str | None) -> bool:
    if identity is None:
        return False
    # "The * prefix can be used to match all identities in a domain. * indicates all meshed clients."
    return pattern == "*" or (identity.endswith(pattern[1:]) if pattern.startswith("*") else identity == pattern)


def targets(objects: list[Json], ref: Json, server: Json) -> bool:
    if ref["kind"] == "Server":
        return bool(ref["name"] == server["metadata"]["name"])
    if ref["kind"] == "Namespace":
        return True
    # Requests are seen where the proxy reads HTTP; the connection of one that passes has to pass.
    if server["spec"].get("proxyProtocol") in {"opaque", "TLS"}:
        return False
    return any(
        each["kind"] == ref["kind"]
        and each["metadata"]["name"] == ref["name"]
        and each["apiVersion"].partition("/")[0] == ref["group"]
        and space_of(each) == space_of(server)
        and any(
            up["kind"] == "Server" and up["name"] == server["metadata"]["name"] for up in each["spec"]["parentRefs"]
        )
        for each in objects
    )


def authenticated(objects: list[Json], policy: Json, ref: Json, client: Client) -> bool:
    place = ref.get("namespace", space_of(policy))
    if ref["kind"] == "ServiceAccount":
        return client.account == (place, ref["name"])
    for each in objects:
        if (each["kind"], space_of(each), each["metadata"]["name"]) == (ref["kind"], place, ref["name"]):
            spec = each["spec"]
            if ref["kind"] == "NetworkAuthentication":
                return client.in_networks(spec["networks"])
            accounts = [(up.get("namespace", place), up["name"]) for up in many(spec.get("identityRefs"))]
            return client.account in accounts or any(like(up, client.identity) for up in many(spec.get("identities")))
    # What is not there authenticates nobody.
    return False
