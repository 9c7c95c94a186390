"""What the evaluators of meshes share: how pods that are part of one are told, and groups by any expression.

Whether a pod is part of a mesh follows from labels, annotations and containers. It is worked out once and kept as
labels of its interface, behind ``pod/``, so that selectors find it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import AllOf, AnyOf, Group, GroupRef, Labelled
from cloudseg.providers.kubernetes.translate.labels import IN_CLUSTER, ON_HOST
from cloudseg.providers.kubernetes.translate.pipeline import pods_of
from cloudseg.traffic import ALL_TRAFFIC, Traffic

if TYPE_CHECKING:
    from cloudseg.model import Selector
    from cloudseg.providers.kubernetes.translate.draft import Draft

__all__ = ["ADDRESS", "ANY_POD", "MESH", "NOT_TCP", "TCP", "bearing", "group_of", "mark", "mark_addresses", "without"]

MESH: Final = "pod/mesh"
"""The label that a pod of a mesh bears; its value is the mesh, and how the pod is part of it."""

ADDRESS: Final = "pod/address"
"""The label under which a pod bears its addresses, as far as they were read."""

TCP: Final = Traffic.protocol("tcp")
NOT_TCP: Final = ALL_TRAFFIC - TCP

ANY_POD: Final = AnyOf((Labelled(IN_CLUSTER, "Exists"), Labelled(ON_HOST, "Exists")))
"""Every pod, of whatever cluster."""


def bearing(key: str, *values: str) -> Labelled:
    """Return the requirement to bear a label with one of some values; with any value where none is named."""
    return Labelled(key, "In", frozenset(values)) if values else Labelled(key, "Exists")


def without(key: str) -> Labelled:
    """Return the requirement not to bear a label."""
    return Labelled(key, "DoesNotExist")


def mark(draft: Draft, interface: str, **labels: str) -> None:
    """Add labels of the mesh to an interface: ``mesh``, ``mesh_identity`` and so on, each behind ``pod/``."""
    before = draft.interfaces[interface]
    more = {f"pod/{key.replace('_', '-')}": value for key, value in labels.items() if value}
    draft.interfaces[interface] = msgspec.structs.replace(before, labels={**before.labels, **more})


def mark_addresses(draft: Draft) -> None:
    """Mark the pods with their addresses, where a policy may ask for these."""
    for key, interface in list(draft.interfaces.items()):
        mark(draft, key, address=str(interface.addresses) if interface.addresses else "")


def group_of(draft: Draft, text: str, *parts: Selector) -> GroupRef:
    """Return a reference to whoever meets all parts of an expression.

    Args:
        draft: the cluster.
        text: the expression in words, the same for the same one.
        parts: the parts of the expression.
    """
    identifier = draft.id(text)
    if identifier not in draft.groups:
        networks = (pods_of(draft.cluster),)
        draft.groups[identifier] = Group(id=identifier, kind="pod-selector", selector=AllOf(parts), networks=networks)
    return GroupRef(identifier)
