"""Ways into a cluster from outside: services, ingresses and gateways, and the pods behind them.

That a policy admits addresses outside does not yet make a pod reachable: something must lead there.
Source: https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.providers.kubernetes.translate.exposure.aliases import add_aliases
from cloudseg.providers.kubernetes.translate.exposure.controllers import Controllers
from cloudseg.providers.kubernetes.translate.exposure.gateways import add_gateways
from cloudseg.providers.kubernetes.translate.exposure.host_ports import add_host_ports
from cloudseg.providers.kubernetes.translate.exposure.ingresses import add_ingresses
from cloudseg.providers.kubernetes.translate.exposure.istio import add_istio
from cloudseg.providers.kubernetes.translate.exposure.published import add_published
from cloudseg.providers.kubernetes.translate.exposure.services import Services
from cloudseg.providers.kubernetes.translate.exposure.unjudged import add_unjudged

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["READS", "add_entrances"]

READS: Final = frozenset(
    (
        ("", "Endpoints"),
        ("", "Service"),
        ("discovery.k8s.io", "EndpointSlice"),
        ("elbv2.k8s.aws", "IngressClassParams"),
        ("extensions", "Ingress"),
        ("gateway.networking.k8s.io", "GRPCRoute"),
        ("gateway.networking.k8s.io", "Gateway"),
        ("gateway.networking.k8s.io", "GatewayClass"),
        ("gateway.networking.k8s.io", "HTTPRoute"),
        ("gateway.networking.k8s.io", "ReferenceGrant"),
        ("gateway.networking.k8s.io", "TCPRoute"),
        ("gateway.networking.k8s.io", "TLSRoute"),
        ("gateway.networking.k8s.io", "UDPRoute"),
        ("networking.istio.io", "Gateway"),
        ("networking.istio.io", "VirtualService"),
        ("networking.k8s.io", "Ingress"),
        ("networking.k8s.io", "IngressClass"),
    )
)
"""The API groups and kinds that are read."""


def add_entrances(objects: Sequence[Object], draft: Draft) -> None:
    """Add every way into a cluster from outside that its objects describe, and the names of its services."""
    services = Services(objects, draft)
    add_aliases(services, draft)
    # Proxies let the internet in as far as something leads to themselves, so that comes first.
    add_published(services, draft)
    add_host_ports(objects, draft)
    controllers = Controllers(objects, services, draft)
    add_ingresses(objects, services, controllers, draft)
    add_gateways(objects, services, controllers, draft)
    add_istio(objects, services, controllers, draft)
    add_unjudged(objects, draft)
