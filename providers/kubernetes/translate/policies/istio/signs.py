"""By what Istio shows in a cluster, and the kinds of its objects that are evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.providers.kubernetes.translate.labels import ON_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["INJECT", "INJECTION", "MODE", "PROXY", "READS", "REDIRECTED", "shows_istio"]

READS: Final = frozenset(
    (
        ("extensions.istio.io", "TrafficExtension"),
        ("extensions.istio.io", "WasmPlugin"),
        ("networking.istio.io", "EnvoyFilter"),
        ("networking.istio.io", "ServiceEntry"),
        ("networking.istio.io", "Sidecar"),
        ("security.istio.io", "AuthorizationPolicy"),
        ("security.istio.io", "PeerAuthentication"),
    )
)
"""The API groups and kinds that are evaluated."""

INJECT: Final = "sidecar.istio.io/inject"
MODE: Final = "istio.io/dataplane-mode"
INJECTION: Final = "istio-injection"
REDIRECTED: Final = "ambient.istio.io/redirection"
PROXY: Final = "istio-proxy"

_LABELS: Final = frozenset((INJECT, MODE, f"{ON_NAMESPACE}{MODE}", f"{ON_NAMESPACE}{INJECTION}"))


def shows_istio(objects: Iterable[Object], draft: Draft) -> bool:
    """Tell whether anything of Istio shows in a cluster: objects of its kinds, its labels, its proxies."""
    if any(group.endswith(".istio.io") for group in {item.group for item in objects}):
        return True
    if any(not _LABELS.isdisjoint(interface.labels) for interface in draft.interfaces.values()):
        return True
    return any(
        PROXY in shape.containers or REDIRECTED in shape.annotations
        for evidence in draft.evidence.values()
        for shape in (evidence.template, *evidence.running)
    )
