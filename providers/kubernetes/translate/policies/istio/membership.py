"""Which pods are part of the mesh, and how: with a sidecar, or behind the ztunnel of their node (ambient).

Pods outside of it enforce nothing. Where it cannot be told, a pod is part of it perhaps. Sources:
https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/,
https://istio.io/latest/docs/ambient/usage/add-workloads/,
https://istio.io/latest/docs/ops/common-problems/injection/ and
https://istio.io/latest/docs/reference/config/annotations/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, cast

from cloudseg.errors import ParseError
from cloudseg.model import matches
from cloudseg.providers.kubernetes.translate.labels import NAMESPACE, ON_NAMESPACE, in_namespace, surely_required
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.policies.istio.destinations import plain_destinations, waypointed
from cloudseg.providers.kubernetes.translate.policies.istio.signs import INJECT, INJECTION, MODE, PROXY, REDIRECTED
from cloudseg.providers.kubernetes.translate.policies.meshes import mark
from cloudseg.traffic import NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloudseg.model import Interface
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.evidence import Evidence
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.istio.capture import Capture
    from cloudseg.providers.kubernetes.translate.policies.istio.settings import Settings

__all__ = ["AMBIENT", "DOUBTFUL", "PERHAPS", "SIDECAR", "WAYPOINT", "mark_members"]

SIDECAR: Final = "istio-sidecar"
AMBIENT: Final = "istio-ambient"
PERHAPS: Final = "istio-perhaps"
DOUBTFUL: Final = "doubtful"
WAYPOINT: Final = "waypoint"

Part = Literal["istio-sidecar", "istio-ambient", "istio-perhaps", ""]

_REVISION: Final = "istio.io/rev"
_IGNORED: Final = frozenset(("kube-system", "kube-public", "kube-node-lease", "local-path-storage"))
"""Namespaces in which no sidecar is ever injected."""

_INCLUDED_IN: Final = "traffic.sidecar.istio.io/includeInboundPorts"
_EXCLUDED_IN: Final = "traffic.sidecar.istio.io/excludeInboundPorts"
_OUTBOUND: Final = (
    "traffic.sidecar.istio.io/excludeInterfaces",
    "traffic.sidecar.istio.io/excludeOutboundIPRanges",
    "traffic.sidecar.istio.io/excludeOutboundPorts",
    "traffic.sidecar.istio.io/includeOutboundIPRanges",
    "traffic.sidecar.istio.io/includeOutboundPorts",
    "traffic.sidecar.istio.io/kubevirtInterfaces",
)
_UNCAPTURED: Final = ("sidecar.istio.io/interceptionMode", "ambient.istio.io/bypass-inbound-capture")
_PROXY_CONFIG: Final = "proxy.istio.io/config"


def mark_members(objects: Sequence[Object], settings: Settings, draft: Draft) -> None:
    """Mark the pods that are part of the mesh, and what is known of the identities that they see and show."""
    plain = plain_destinations(objects)
    behind = waypointed(objects, draft)
    bare = [item for item in objects if _captures_nothing(item)]
    for key, interface in list(draft.interfaces.items()):
        if interface.network is None:
            continue
        evidence = draft.evidence.get(key)
        part = _part(interface, evidence, draft)
        if not part:
            continue
        annotations: Mapping[str, str] = {} if evidence is None else evidence.template.annotations
        place = interface.labels[NAMESPACE]
        uncaptured = _uncaptured(annotations, settings.capture) if part == SIDECAR else NO_TRAFFIC
        if (
            uncaptured is None
            or any(annotations.get(name) for name in _UNCAPTURED)
            or "interceptionMode" in annotations.get(_PROXY_CONFIG, "")
            or (part == SIDECAR and not settings.capture.surely)
            or any(_selects(item, interface) for item in bare)
        ):
            part, uncaptured = PERHAPS, NO_TRAFFIC
        seen = WAYPOINT if part != SIDECAR and interface.id in behind else ""
        if not settings.automatic or plain is None or place in plain:
            seen = seen or DOUBTFUL
        shown = "partly" if any(annotations.get(name, "*") != "*" for name in _OUTBOUND) else ""
        mark(
            draft,
            key,
            mesh=part,
            mesh_identity=seen,
            mesh_outbound=shown,
            mesh_uncaptured=str(uncaptured) if uncaptured else "",
        )


def _part(interface: Interface, evidence: Evidence | None, draft: Draft) -> Part:
    if evidence is None:
        return PERHAPS
    wanted = _ambient(interface, draft)
    if evidence.running:
        # Whether a pod that runs has a proxy is there to be seen, whatever labels ask for.
        return _running(evidence, wanted)
    if PROXY in evidence.template.containers:
        return SIDECAR
    injected = _injected(interface, evidence, draft)
    if injected != "":
        return injected
    return wanted


def _running(evidence: Evidence, wanted: Part) -> Part:
    with_proxy = [PROXY in shape.containers for shape in evidence.running]
    if any(with_proxy):
        return SIDECAR if all(with_proxy) else PERHAPS
    redirected = [shape.annotations.get(REDIRECTED) == "enabled" for shape in evidence.running]
    if any(redirected):
        return AMBIENT if all(redirected) else PERHAPS
    return PERHAPS if wanted else ""


def _injected(interface: Interface, evidence: Evidence, draft: Draft) -> Part:
    """Return whether a sidecar is injected.

    If a label of pod or namespace says no, it is not; else if one says yes, it is. The annotation can only say no.
    """
    labels, place = interface.labels, interface.labels[NAMESPACE]
    annotated = evidence.template.annotations.get(INJECT, "").lower()
    own = labels.get(INJECT, "").lower()
    if own == "false" or (not own and annotated == "false") or place in _IGNORED:
        return ""
    if place in draft.unlabelled:
        return PERHAPS
    injection = labels.get(f"{ON_NAMESPACE}{INJECTION}", "")
    if injection == "disabled":
        return ""
    if injection == "enabled" or own == "true" or labels.get(f"{ON_NAMESPACE}{_REVISION}"):
        return SIDECAR
    if labels.get(_REVISION):
        return SIDECAR
    return PERHAPS if annotated == "true" else ""


def _ambient(interface: Interface, draft: Draft) -> Part:
    labels = interface.labels
    own = labels.get(MODE, "")
    if own or interface.labels[NAMESPACE] not in draft.unlabelled:
        return AMBIENT if (own or labels.get(f"{ON_NAMESPACE}{MODE}")) == "ambient" else ""
    return PERHAPS


def _uncaptured(annotations: Mapping[str, str], capture: Capture) -> Traffic | None:
    """Return the ports that go past the sidecar; None where that cannot be told."""
    included = annotations.get(_INCLUDED_IN, capture.included)
    excluded = annotations.get(_EXCLUDED_IN, capture.excluded)
    if included is None or excluded is None:
        return None
    try:
        captured = Traffic.protocol("tcp") if included == "*" else _ports(included)
        return Traffic.protocol("tcp") - (captured - _ports(excluded))
    except ParseError:
        return None


def _ports(text: str) -> Traffic:
    found = NO_TRAFFIC
    for each in text.split(","):
        if each.strip():
            found |= Traffic.parse(f"tcp/{each.strip()}")
    return found


def _captures_nothing(item: Object) -> bool:
    """Tell whether it is a Sidecar with a listener to which traffic is not redirected."""
    if (item.group, item.kind) != ("networking.istio.io", "Sidecar"):
        return False
    listeners = item.part("spec").get("ingress")
    given = cast("list[object]", listeners) if isinstance(listeners, list) else []
    return any(fields_of(each).get("captureMode") == "NONE" for each in given)


def _selects(item: Object, interface: Interface) -> bool:
    labels = fields_of(item.part("spec").get("workloadSelector")).get("labels")
    required = surely_required({"matchLabels": labels}, "pods")
    return all(matches(each, interface) for each in (in_namespace(item.place), *required))
