"""By what Linkerd shows in a cluster, and the kinds of its objects that are evaluated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.providers.kubernetes.translate.objects import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["INJECT", "PROXY", "READS", "shows_linkerd"]

READS: Final = frozenset(
    ("policy.linkerd.io", kind)
    for kind in (
        "AuthorizationPolicy",
        "EgressNetwork",
        "GRPCRoute",
        "HTTPRoute",
        "MeshTLSAuthentication",
        "NetworkAuthentication",
        "Server",
        "ServerAuthorization",
    )
)
"""The API groups and kinds that are evaluated."""

INJECT: Final = "linkerd.io/inject"
PROXY: Final = "linkerd-proxy"


def shows_linkerd(objects: Iterable[Object], draft: Draft) -> bool:
    """Tell whether anything of Linkerd shows in a cluster: objects of its kinds, its annotations, its proxies."""
    if any(item.group == "linkerd.io" or item.group.endswith(".linkerd.io") for item in objects):
        return True
    if any(_injects(item) for item in objects if item.kind == "Namespace" and not item.group and not item.flaw):
        return True
    return any(
        PROXY in shape.containers or INJECT in shape.annotations
        for evidence in draft.evidence.values()
        for shape in (evidence.template, *evidence.running)
    )


def _injects(namespace: Object) -> bool:
    return isinstance(fields_of(namespace.part("metadata").get("annotations")).get(INJECT), str)
