"""Ports of nodes that pods take for themselves: ``hostPort``, and the ports of pods on the network of their node.

Who gets to the address of a node gets to them. What of it policies see is not defined. Sources:
https://kubernetes.io/docs/concepts/configuration/overview/#services,
https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#ports and
https://kubernetes.io/docs/concepts/services-networking/network-policies/#networkpolicy-and-hostnetwork-pods
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import Entrance
from cloudseg.providers.kubernetes.translate.exposure.published import BY_NODES, nodes_doubt
from cloudseg.providers.kubernetes.translate.exposure.service import port_of
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.pipeline import hosts_of
from cloudseg.providers.kubernetes.translate.wire import PodSpec, PodTemplate
from cloudseg.providers.kubernetes.translate.workloads import ports_of, template_of
from cloudseg.traffic import GLOBAL_UNICAST, NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["add_host_ports"]

_ANY: Final = ("", "0.0.0.0", "::")  # noqa: S104 - what a manifest says, nothing listens here


def add_host_ports(objects: Iterable[Object], draft: Draft) -> None:
    """Add the ways in over ports of nodes that pods take; none where no node has an address of the internet."""
    doubt = nodes_doubt(draft)
    for item in objects if doubt is not None else ():
        template = template_of(item)
        if template is None or not _may_take(template):
            continue
        workload = draft.id(f"{item.place}/{item.kind}/{item.name}")
        if workload not in draft.workloads:
            continue
        try:
            spec = msgspec.convert(template, PodTemplate).spec or PodSpec()
            listens, traffic = _taken(spec)
        except (msgspec.ValidationError, ParseError):
            # That it cannot be read is noted already, and what it serves is not known.
            continue
        if traffic:
            on_host = bool(spec.host_network)
            identifier = draft.id(f"{item.own} (port of its node)")
            draft.entrances[identifier] = Entrance(
                id=identifier,
                kind="pod",
                name=f"{item.place}/{item.name}",
                tags={"way": "network of its node" if on_host else "port of its node"},
                location=item.location,
                targets=frozenset((workload,)),
                traffic=traffic,
                listens=listens,
                active=None,
                certain_clients=False,
                groups=frozenset((hosts_of(draft.cluster),)),
                doubt=f"{doubt}; {BY_NODES}",
            )


def _may_take(template: object) -> bool:
    """Tell at a glance whether pods may take ports of their nodes: hardly any do."""
    spec = fields_of(fields_of(template).get("spec"))
    if "hostNetwork" in spec:
        return True
    for key in ("containers", "initContainers"):
        for container in _listed(spec.get(key)):
            for port in _listed(fields_of(container).get("ports")):
                if "hostPort" in fields_of(port):
                    return True
    return False


def _listed(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _taken(spec: PodSpec) -> tuple[Traffic, Traffic]:
    """Return the ports of nodes that pods take, and their own ports behind these.

    Raises:
        ParseError: a port is none.
    """
    listens = traffic = NO_TRAFFIC
    for port in ports_of(spec):
        # On the network of a node, a port of a container is one of the node.
        number = port.host_port or (port.container_port if spec.host_network else 0)
        if number and _faces_outside(port.host_ip or ""):
            listens |= port_of(port.protocol or "TCP", number)
            traffic |= port_of(port.protocol or "TCP", port.container_port)
    return listens, traffic


def _faces_outside(address: str) -> bool:
    return address in _ANY or AddressSet.from_cidrs((address,)).overlaps(GLOBAL_UNICAST)
