"""Objects of other makers that lead into a cluster from outside, and that are not judged: a gap for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["add_unjudged"]

_KINDS: Final = frozenset(
    (
        ("route.openshift.io", "Route"),
        ("projectcontour.io", "HTTPProxy"),
        ("k8s.nginx.org", "VirtualServer"),
        ("k8s.nginx.org", "VirtualServerRoute"),
        ("k8s.nginx.org", "TransportServer"),
        ("configuration.konghq.com", "TCPIngress"),
        ("configuration.konghq.com", "UDPIngress"),
        ("getambassador.io", "Mapping"),
        ("getambassador.io", "TCPMapping"),
        ("gateway.solo.io", "VirtualService"),
        ("gateway.networking.k8s.io", "ListenerSet"),
        ("gateway.networking.x-k8s.io", "XListenerSet"),
        ("serving.knative.dev", "Service"),
        ("networking.gke.io", "MultiClusterIngress"),
        ("elbv2.k8s.aws", "TargetGroupBinding"),
        ("eks.amazonaws.com", "TargetGroupBinding"),
    )
)
_TRAEFIK: Final = frozenset(("traefik.io", "traefik.containo.us"))
_OF_TRAEFIK: Final = frozenset(("IngressRoute", "IngressRouteTCP", "IngressRouteUDP"))


def add_unjudged(objects: Iterable[Object], draft: Draft) -> None:
    """Note each object that may lead into the cluster and is not judged: ways in are then not known in full."""
    for item in objects:
        if (item.group, item.kind) in _KINDS or (item.group in _TRAEFIK and item.kind in _OF_TRAEFIK):
            detail = f"a {item.kind} ({item.group}) may lead to pods from outside, and is not judged"
            draft.ledger.gap(item, "unsupported", detail, "entrances")
            draft.ledger.partly.setdefault("entrances", f"{item.own} is not judged")
