"""One connection at a time, straight from Consul's documentation; it knows nothing of the model.

https://developer.hashicorp.com/consul/docs/connect/intentions
https://developer.hashicorp.com/consul/docs/connect/config-entries/service-intentions
https://developer.hashicorp.com/consul/docs/connect/config-entries/service-defaults
https://developer.hashicorp.com/consul/docs/k8s/annotations-and-labels
https://developer.hashicorp.com/consul/docs/k8s/connect/transparent-proxy
https://developer.hashicorp.com/consul/docs/k8s/connect/onboarding-tproxy-mode
"""

from typing import Any, NamedTuple

from tests.kubernetes.oracle import Packet, labels, labels_of_space, one, space_of
from tests.kubernetes.remembered import remembered

Json = dict[str, Any]
OWN = "consul.hashicorp.com/"


class Reading(NamedTuple):
    """What the documentation leaves open, or no object tells."""

    allowed: bool = True
    "the servers allow connections without an intention, where nothing tells"
    injected: bool = True
    "sidecars are injected without an annotation, where nothing tells"
    first: bool = True
    "of several Services that select a pod, the first gives its name"
    plain: bool = True
    "clients of the mesh connect in plain text where it is let in"
    captured: bool = True
    "connections that may go past the client's proxy do not"
    ported: bool = True
    "whoever dials another port than the service's reaches the service"
    permitted: bool = True
    "the permissive mode was allowed once"
    spaces: bool = False
    "Consul has a namespace for each of the cluster"


PLAIN = Reading()


def annotation(pod: Json, name: str) -> str | None:
    found = one(pod["metadata"].get("annotations")).get(OWN + name)
    assert found is None or isinstance(found, str)
    return found


@remembered
def of_kind(objects: list[Json], kind: str) -> list[Json]:
    return [each for each in objects if each["kind"] == kind]


@remembered
def injector(objects: list[Json]) -> list[str] | None:
    """The arguments of the injector, if it is there."""
    for each in of_kind(objects, "Deployment"):
        return list(each["spec"]["template"]["spec"]["containers"][0]["args"])
    return None


@remembered
def services(objects: list[Json], pod: Json) -> list[str]:
    """The names that a pod may be registered by."""
    given = annotation(pod, "connect-service")
    if given:
        return [given]
    found: list[str] = []
    for each in of_kind(objects, "Service"):
        wanted = each["spec"]["selector"]
        ignored = one(each["metadata"].get("labels")).get(OWN + "service-ignore") == "true"
        if space_of(each) == space_of(pod) and not ignored and wanted.items() <= labels(pod).items():
            found.append(each["metadata"]["name"])
    only = annotation(pod, "kubernetes-service")
    return sorted(found if only is None else [each for each in found if each == only])


@remembered
def member(objects: list[Json], pod: Json, reading: Reading) -> bool:
    # "never injected" in the namespaces of the system.
    if space_of(pod) == "kube-system":
        return False
    asked = annotation(pod, "connect-inject")
    if asked is not None:
        return asked == "true"
    flags = injector(objects)
    # A service of the mesh needs a Kubernetes Service: what has none was not meant to be one.
    return reading.injected and bool(services(objects, pod)) if flags is None else "-default-inject=true" in flags


@remembered
def transparent(objects: list[Json], pod: Json) -> bool:
    """By annotation, else by a label of the namespace, else by default."""
    given = annotation(pod, "transparent-proxy") or labels_of_space(objects, space_of(pod)).get(
        OWN + "transparent-proxy"
    )
    flags = injector(objects)
    default = flags is None or "-default-enable-transparent-proxy=false" not in flags
    return default if given is None else given == "true"


@remembered
def name_of(objects: list[Json], pod: Json, reading: Reading) -> str:
    found = services(objects, pod)
    return found[0 if reading.first else -1] if found else "?"


def defaults(objects: list[Json], pod: Json, reading: Reading) -> list[Json]:
    name = name_of(objects, pod, reading)
    own = [each for each in of_kind(objects, "ServiceDefaults") if each["metadata"]["name"] == name]
    if mirrored(objects, reading):
        own = [each for each in own if space_of(each) == space_of(pod)]
    return [each["spec"] for each in (*own, *of_kind(objects, "ProxyDefaults"))]


@remembered
def permissive(objects: list[Json], pod: Json, reading: Reading) -> bool:
    # "If MutualTLSMode is either empty or the entry is not found, then the mode is strict by default."
    mode = next((each["mutualTLSMode"] for each in defaults(objects, pod, reading) if each.get("mutualTLSMode")), "")
    meshes = of_kind(objects, "Mesh")
    could = any(each["spec"].get("allowEnablingPermissiveMutualTLS") for each in meshes)
    return mode == "permissive" and (could or reading.permitted)


def mirrored(objects: list[Json], reading: Reading) -> bool:
    flags = injector(objects)
    return reading.spaces if flags is None else "-enable-k8s-namespace-mirroring=true" in flags


def open_by_default(objects: list[Json], reading: Reading) -> bool:
    for each in of_kind(objects, "ConfigMap"):
        # Without access lists everything is allowed.
        return '"deny"' not in "".join(each["data"].values())
    return reading.allowed


@remembered
def authorized(objects: list[Json], source: Json, target: Json, reading: Reading) -> bool:
    """Whether an intention lets a service connect: only the one with the highest precedence counts."""
    apart = mirrored(objects, reading)
    from_space, to_space = (space_of(pod) if apart else "default" for pod in (source, target))
    from_name, to_name = (name_of(objects, pod, reading) for pod in (source, target))
    fitting: list[tuple[tuple[bool, ...], Json]] = []
    for each in of_kind(objects, "ServiceIntentions"):
        there = each["spec"]["destination"]
        own = there.get("namespace") or (space_of(each) if mirrored(objects, reading) else "default")
        for item in each["spec"]["sources"]:
            theirs = item.get("namespace") or own
            pairs = ((own, to_space), (there["name"], to_name), (theirs, from_space), (item["name"], from_name))
            if all(asked in ("*", is_) for asked, is_ in pairs):
                # The table orders by the destination's namespace, its name, the source's namespace, its name.
                fitting.append((tuple(asked != "*" for asked, _ in pairs), item))
    if not fitting:
        return open_by_default(objects, reading)
    _, item = max(fitting, key=lambda each: each[0])
    if "permissions" in item:
        return any(requested(item["permissions"], *ask, objects, reading) for ask in REQUESTS)
    return bool(item["action"] == "allow")


REQUESTS = [(method, path) for method in ("GET", "POST", "PUT") for path in ("/", "/a", "/a/b", "/admin", "/x")]


def requested(permissions: list[Json], method: str, path: str, objects: list[Json], reading: Reading) -> bool:
    """Whether a request passes: the first permission that fits decides, else the default."""
    for each in permissions:
        http = each["http"]
        if http.get("methods") and method not in http["methods"]:
            continue
        if path.startswith(http.get("pathPrefix", "")) and path == http.get("pathExact", path):
            return bool(each["action"] == "allow")
    return open_by_default(objects, reading)


def port_of(pod: Json) -> int:
    """The port that the service listens on: the first port of the pod unless it is annotated."""
    given = annotation(pod, "connect-service-port")
    return int(given) if given else int(pod["spec"]["containers"][0]["ports"][0]["containerPort"])


def allowed(objects: list[Json], packet: Packet, reading: Reading = PLAIN) -> bool:
    source, target = packet.source, packet.target
    if isinstance(target, str) or packet.protocol != "TCP" or not member(objects, target, reading):
        return True
    if not transparent(objects, target):
        # "Services can bypass the mesh": only connections to the proxy itself are judged; none is asked about here.
        return True
    excluded = annotation(target, "transparent-proxy-exclude-inbound-ports") or ""
    if str(packet.port) in excluded.split(","):
        return True
    may_be_plain = permissive(objects, target, reading)
    if isinstance(source, str) or not member(objects, source, reading):
        return may_be_plain
    passes = authorized(objects, source, target, reading)
    if may_be_plain:
        # "Intentions are not enforced for non-mTLS connections."
        return passes or reading.plain
    goes = transparent(objects, source) and not annotation(source, "transparent-proxy-exclude-outbound-ports")
    return passes and (goes or reading.captured) and (packet.port == port_of(target) or reading.ported)
