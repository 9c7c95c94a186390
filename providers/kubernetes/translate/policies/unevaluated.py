"""Policies of kinds that are not evaluated: what passes at the pods that they could select is known at most.

Where a kind's own selector is plain it tells which pods those are; anything else in the object, or a selector that
cannot be read, makes them more, never fewer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.providers.kubernetes.kinds import decides_traffic
from cloudseg.providers.kubernetes.translate.labels import surely_required
from cloudseg.providers.kubernetes.translate.objects import fields_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from cloudseg.model import Labelled
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["add_unevaluated"]

_NAMESPACED: Final = frozenset(
    (
        "AuthorizationPolicy",
        "CiliumNetworkPolicy",
        "EgressFirewall",
        "EgressNetworkPolicy",
        "MultiNetworkPolicy",
        "NetworkPolicy",
        "PeerAuthentication",
        "Server",
        "ServerAuthorization",
        "Sidecar",
    )
)
_MESH_ROOTS: Final = frozenset(("istio-system", "istio-config"))
"""Namespaces whose Istio policies hold for the whole mesh. Source:
https://istio.io/latest/docs/reference/config/security/authorization-policy/"""


def _is_unevaluated(item: Object, read: Collection[tuple[str, str]]) -> bool:
    """Tell whether an object decides what passes, and is of a kind that is not evaluated."""
    return (item.group, item.kind) not in read and decides_traffic(item.group, item.kind)


def add_unevaluated(
    objects: Iterable[Object],
    read: Collection[tuple[str, str]],
    draft: Draft,
    also: Collection[tuple[str, str]] = (),
) -> None:
    """Note each policy of a kind that is not evaluated, and the pods that it could select.

    Args:
        objects: the objects of the cluster.
        read: the API groups and kinds that are evaluated.
        draft: the cluster.
        also: those that would be, if the network plugin were known to understand them.
    """
    for item in objects:
        if _is_unevaluated(item, read):
            group = item.group or "core"
            why = f"{item.kind} ({group}) is not evaluated"
            if (item.group, item.kind) in also:
                why = f"whether the network plugin understands {item.kind} ({group}) is not known"
            detail = f"{why}: what passes at the pods that it selects is known at most"
            draft.ledger.gap(item, "unsupported", detail, "groups")
            for namespace, required in _chosen(item):
                draft.bound(namespace, required)


def _chosen(item: Object) -> Iterator[tuple[str | None, tuple[Labelled, ...]]]:
    """Yield the namespaces, and what is required of their pods; None for every namespace."""
    everywhere = item.kind not in _NAMESPACED and not item.namespace
    namespace = None if everywhere or item.namespace is None else item.place
    if item.group.endswith("istio.io") and namespace in _MESH_ROOTS:
        namespace = None
    spec = item.part("spec")
    if item.flaw:
        yield namespace, ()
    elif item.group == "policy.networking.k8s.io":
        yield None, _of_subject(fields_of(spec.get("subject")))
    elif item.group.endswith("istio.io") and "targetRefs" not in spec and "targetRef" not in spec:
        key = "workloadSelector" if item.kind == "Sidecar" else "selector"
        given = fields_of(spec.get(key))
        labels = given.get("labels") if item.kind == "Sidecar" else given.get("matchLabels")
        yield namespace, surely_required({"matchLabels": labels}, "pods")
    elif item.group == "policy.linkerd.io" and item.kind == "Server":
        yield namespace, surely_required(spec.get("podSelector"), "pods")
    else:
        yield namespace, ()


def _of_subject(subject: dict[str, object]) -> tuple[Labelled, ...]:
    """Return what the subject of an admin policy requires.

    Source: https://network-policy-api.sigs.k8s.io/api-overview/
    """
    if "namespaces" in subject:
        return surely_required(subject["namespaces"], "namespaces")
    pods = fields_of(subject.get("pods"))
    return (
        *surely_required(pods.get("namespaceSelector"), "namespaces"),
        *surely_required(pods.get("podSelector"), "pods"),
    )
