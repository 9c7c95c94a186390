"""Which listeners of a gateway take a route.

A listener takes a route that names it, of a kind and from a namespace that it allows, for host names that both know.
Sources: https://gateway-api.sigs.k8s.io/concepts/security-model/ and
https://gateway-api.sigs.k8s.io/concepts/api-overview/#attaching-routes-to-gateways
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.exposure.gateway_wire import Allowed, Gateway, Namespaces, Parent, Route
from cloudseg.providers.kubernetes.translate.labels import meets, requirements
from cloudseg.traffic import NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.exposure.gateway_wire import Listener
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.wire import LabelSelector

__all__ = ["ROUTES", "hosts_meet", "listening"]

ROUTES: Final = {
    "HTTPRoute": frozenset(("HTTP", "HTTPS")),
    "GRPCRoute": frozenset(("HTTP", "HTTPS")),
    "TLSRoute": frozenset(("TLS",)),
    "TCPRoute": frozenset(("TCP", "TLS")),
    "UDPRoute": frozenset(("UDP",)),
}
"""The protocols of the listeners that take routes of a kind. Source:
https://gateway-api.sigs.k8s.io/concepts/api-overview/#route-summary-table"""

_KNOWN: Final = frozenset(protocol for each in ROUTES.values() for protocol in each)


def listening(gateway: Object, spec: Gateway, parent: Parent, item: Object, route: Route, draft: Draft) -> Traffic:
    """Return the ports of a gateway on which a route is served.

    Args:
        gateway: the gateway.
        spec: its fields.
        parent: how the route names it.
        item: the route.
        route: its fields.
        draft: the cluster.

    Raises:
        ParseError: a port is none.
    """
    total = NO_TRAFFIC
    for listener in spec.listeners or ():
        if _takes(listener, parent, item, route, gateway, draft):
            total |= Traffic.ports("udp" if listener.protocol == "UDP" else "tcp", listener.port, listener.port)
    return total


def hosts_meet(one: str, other: str) -> bool:
    """Tell whether two host names, either of which may begin with ``*.``, stand for a common one."""
    if one.startswith("*.") and other.startswith("*."):
        return one.endswith(other[1:]) or other.endswith(one[1:])
    if one.startswith("*."):
        return other.endswith(one[1:])
    return one.endswith(other[1:]) if other.startswith("*.") else one == other


def _takes(listener: Listener, parent: Parent, item: Object, route: Route, gateway: Object, draft: Draft) -> bool:
    """Tell whether a listener takes a route, as far as that is known; protocols of implementations may take any."""
    if parent.section_name not in {None, listener.name} or parent.port not in {None, listener.port}:
        return False
    if listener.protocol in _KNOWN and listener.protocol not in ROUTES[item.kind]:
        return False
    allowed = listener.allowed_routes or Allowed()
    if allowed.kinds and item.kind not in {each.kind for each in allowed.kinds}:
        return False
    if listener.hostname and route.hostnames and not any(hosts_meet(listener.hostname, own) for own in route.hostnames):
        return False
    return _from_namespace(allowed.namespaces or Namespaces(), item, gateway, draft)


def _from_namespace(allowed: Namespaces, item: Object, gateway: Object, draft: Draft) -> bool:
    match allowed.mode or "Same":
        case "Same":
            return item.place == gateway.place
        case "None":
            return False
        case "Selector":
            return _chosen(allowed.selector, item.place, draft)
        case _:
            return True


def _chosen(selector: LabelSelector | None, namespace: str, draft: Draft) -> bool:
    try:
        required = requirements(selector, "namespaces")
    except ParseError:
        return True
    labels = draft.namespaces.get(namespace)
    # Of a namespace that was not read nobody knows its labels: its routes may be taken.
    return labels is None or all(meets(each, labels) for each in required)
