"""Which pods are part of the mesh, how, and what of their connections goes by their proxy.

An annotation asks for a sidecar or refuses it; without, the injector's default counts, which no object of Consul tells.
In the transparent mode, which is the default, all that comes in is led to the proxy. Without it the proxy has its own
port, and whoever reaches the pod reaches the workload past it. Sources:
https://developer.hashicorp.com/consul/docs/k8s/annotations-and-labels,
https://developer.hashicorp.com/consul/docs/k8s/connect/transparent-proxy and
https://developer.hashicorp.com/consul/docs/k8s/connect/transparent-proxy/enable-transparent-proxy
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.labels import NAMESPACE, ON_NAMESPACE
from cloudseg.providers.kubernetes.translate.policies.consul.names import ANY, fronts_of, is_fronted, names_of
from cloudseg.providers.kubernetes.translate.policies.consul.signs import INJECT, PROXIES, REDIRECTED, is_proxied, truth
from cloudseg.providers.kubernetes.translate.policies.meshes import MESH, mark
from cloudseg.providers.kubernetes.translate.wire import PodTemplate
from cloudseg.providers.kubernetes.translate.workloads import template_of
from cloudseg.traffic import NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.model import Interface
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.evidence import Evidence
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.consul.settings import Settings

__all__ = [
    "DIRECT",
    "GATEWAY",
    "OUTBOUND",
    "PAST",
    "PERHAPS",
    "PORT",
    "SIDECAR",
    "UNASKED",
    "UNNAMED",
    "Member",
    "mark_members",
]

SIDECAR: Final = "sidecar"
DIRECT: Final = "direct"
PERHAPS: Final = "perhaps"
UNASKED: Final = "unasked"
UNNAMED: Final = "unnamed"
GATEWAY: Final = "gateway"

Part = Literal["sidecar", "direct", "perhaps", "unasked", "gateway", ""]
"""How a pod is part of the mesh: behind its proxy, beside it, perhaps, by the injector's default, as a gateway."""

PAST: Final = "pod/consul-past"
"""The label of a pod of whose ports some go past its proxy; its value names them."""
PORT: Final = "pod/consul-port"
"""The label of a pod to whose workload the proxy leads: its port."""
OUTBOUND: Final = "pod/consul-outbound"
"""The label of a pod of whose own connections some go past its proxy."""

_TRANSPARENT: Final = "consul.hashicorp.com/transparent-proxy"
_EXCLUDED_IN: Final = "consul.hashicorp.com/transparent-proxy-exclude-inbound-ports"
_EXCLUDED_OUT: Final = (
    "consul.hashicorp.com/transparent-proxy-exclude-outbound-cidrs",
    "consul.hashicorp.com/transparent-proxy-exclude-outbound-ports",
    "consul.hashicorp.com/transparent-proxy-exclude-uids",
)
_SERVICE_PORT: Final = "consul.hashicorp.com/connect-service-port"
_NAME: Final = "consul.hashicorp.com/connect-service"
_KIND_OF_GATEWAY: Final = "consul.hashicorp.com/gateway-kind"
_GATEWAY_NAME: Final = "consul.hashicorp.com/gateway-consul-service-name"
_COMPONENTS: Final = frozenset(("api-gateway", "ingress-gateway", "mesh-gateway", "terminating-gateway"))
_CARRYING: Final = "mesh-gateway"
"""The gateway through which services of elsewhere come, each with an identity of its own."""
_NEVER: Final = frozenset(("kube-system", "kube-public"))
"""Namespaces in which no sidecar is ever injected."""
_WORDS: Final[dict[str, str]] = {
    SIDECAR: "consul-sidecar",
    DIRECT: "consul-direct",
    PERHAPS: "consul-perhaps",
    GATEWAY: "consul-gateway",
}
_HIGHEST: Final = 65535


class Member(NamedTuple):
    """A pod of the mesh.

    Attributes:
        interface: its id.
        place: its namespace in the cluster.
        part: how it is part of it.
        names: the names that its service may have; ``*`` for any.
    """

    interface: str
    place: str
    part: Part
    names: frozenset[str]


def mark_members(objects: Sequence[Object], settings: Settings, draft: Draft) -> tuple[Member, ...]:
    """Mark the pods that are part of the mesh, or may be, and return them."""
    fronts = fronts_of(objects)
    ports = _service_ports(objects, draft)
    found: list[Member] = []
    for key, interface in list(draft.interfaces.items()):
        evidence = draft.evidence.get(key)
        part = "" if interface.network is None else _part(interface, evidence, settings, draft)
        annotations: Mapping[str, str] = {} if evidence is None else evidence.template.annotations
        if not part:
            continue
        if part == UNASKED and _NAME not in annotations and not is_fronted(interface, fronts):
            # A pod of the mesh needs a Service: without one it waits for its registration forever.
            mark(draft, key, consul=UNNAMED, consul_mode="unknown")
            continue
        past = _past(annotations)
        if part == SIDECAR and past is None:
            part = PERHAPS
        names = names_of(interface, annotations, fronts, settings)
        unnamed = part == GATEWAY and _GATEWAY_NAME not in annotations
        if evidence is None or unnamed or _kind_of_gateway(interface, annotations) == _CARRYING:
            names = frozenset((ANY,))
        known = len(names) == 1 and ANY not in names
        mark(
            draft,
            key,
            mesh="" if MESH in interface.labels else _WORDS.get(part, ""),
            consul=part,
            consul_service=next(iter(names)) if known else "",
            consul_services="" if known else ",".join(sorted(names)),
            consul_port=ports.get(key, "") if part == SIDECAR else "",
            consul_past=str(past) if past and part == SIDECAR else "",
            consul_outbound="partly" if any(annotations.get(name) for name in _EXCLUDED_OUT) else "",
        )
        found.append(Member(key, interface.labels[NAMESPACE], part, names))
    return tuple(found)


def _kind_of_gateway(interface: Interface, annotations: Mapping[str, str]) -> str:
    component = interface.labels.get("component", "")
    return annotations.get(_KIND_OF_GATEWAY, "") or (component if component in _COMPONENTS else "")


def _part(interface: Interface, evidence: Evidence | None, settings: Settings, draft: Draft) -> Part:
    if evidence is None:
        return PERHAPS
    annotations = evidence.template.annotations
    if _kind_of_gateway(interface, annotations):
        return GATEWAY
    if evidence.running:
        with_proxy = [is_proxied(shape.containers) for shape in evidence.running]
        if not any(with_proxy):
            return ""
        return _how(interface, evidence, settings, draft) if all(with_proxy) else PERHAPS
    if is_proxied(evidence.template.containers):
        return _how(interface, evidence, settings, draft)
    place = interface.labels[NAMESPACE]
    allowed = "*" in settings.allowed or place in settings.allowed
    if place in _NEVER or place in settings.denied or not allowed:
        return ""
    asked = annotations.get(INJECT)
    if asked is not None:
        said = truth(asked)
        return "" if said is False else PERHAPS if said is None else _how(interface, evidence, settings, draft)
    hint = interface.labels.get(f"{ON_NAMESPACE}{INJECT}", "")
    if settings.injects is None:
        return PERHAPS if hint else UNASKED
    if not settings.injects:
        return ""
    # Which namespaces the webhook is asked for is set where it is registered, and labels are what people choose by.
    return PERHAPS if hint in {"false", "disabled"} else _how(interface, evidence, settings, draft)


def _how(interface: Interface, evidence: Evidence, settings: Settings, draft: Draft) -> Part:
    """Return whether all that comes in is led to the proxy: by annotation, namespace, or by default."""
    annotations = evidence.template.annotations
    if "," in annotations.get(_NAME, ""):
        # Several services in one pod do not go with the transparent mode.
        return DIRECT
    if evidence.running and all(shape.annotations.get(REDIRECTED) == "enabled" for shape in evidence.running):
        return SIDECAR
    text = annotations.get(_TRANSPARENT)
    if text is None:
        if interface.labels[NAMESPACE] in draft.unlabelled:
            return PERHAPS
        text = interface.labels.get(f"{ON_NAMESPACE}{_TRANSPARENT}")
    if text is None:
        return DIRECT if settings.transparent is False else SIDECAR
    said = truth(text)
    return PERHAPS if said is None else SIDECAR if said else DIRECT


def _past(annotations: Mapping[str, str]) -> Traffic | None:
    """Return the ports that go past the proxy; None where that cannot be told."""
    found = NO_TRAFFIC
    try:
        for each in annotations.get(_EXCLUDED_IN, "").split(","):
            if each.strip():
                found |= Traffic.parse(f"tcp/{each.strip()}")
    except ParseError:
        return None
    return found


def _service_ports(objects: Iterable[Object], draft: Draft) -> dict[str, str]:
    """Return the ports to which proxies lead, by the ids of interfaces: as annotated, else the first that is declared.

    Source: https://developer.hashicorp.com/consul/docs/k8s/annotations-and-labels
    """
    found: dict[str, str] = {}
    for item in objects:
        raw = template_of(item)
        if raw is not None and not item.flaw:
            try:
                template = msgspec.convert(raw, PodTemplate | None) or PodTemplate()
            except msgspec.ValidationError:
                continue
            number = _service_port(template)
            if 0 < number <= _HIGHEST:
                found[draft.id(f"{item.place}/{item.name}[{item.kind}]")] = f"tcp/{number}"
    return found


def _service_port(template: PodTemplate) -> int:
    declared = list(_declared(template))
    given = (template.metadata.annotations or {}).get(_SERVICE_PORT) if template.metadata is not None else None
    if given is None:
        return declared[0][1] if declared else 0
    if not isinstance(given, str):
        return 0
    named = {name: number for name, number in declared if name}
    return named.get(given, int(given) if given.isascii() and given.isdigit() and len(given) < 6 else 0)


def _declared(template: PodTemplate) -> Iterator[tuple[str, int]]:
    containers = () if template.spec is None else template.spec.containers or ()
    for container in containers:
        if not (container.name or "").startswith(PROXIES):
            for port in container.ports or ():
                yield port.name or "", port.container_port
