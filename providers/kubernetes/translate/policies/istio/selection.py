"""Whom Istio's policies concern: by namespace and labels, or attached to gateways and services.

Source: https://istio.io/latest/docs/reference/config/type/workload-selector/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.providers.kubernetes.translate.labels import (
    asks_controller,
    pod_labels,
    requirements,
    surely_required,
    words,
)
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.policies.istio.places import IN_MESH
from cloudseg.providers.kubernetes.translate.wire import LabelSelector, Metadata

if TYPE_CHECKING:
    from cloudseg.model import Labelled
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.istio.settings import Settings
    from cloudseg.providers.kubernetes.translate.policies.istio.wire import WorkloadSelector

__all__ = ["leave_open", "own_labels", "required_of"]


def required_of(item: Object, selector: WorkloadSelector | None, draft: Draft) -> tuple[Labelled, ...] | None:
    """Return what the selector of a policy requires of pods.

    None, with a gap, where it asks for labels that no template shows: then the pods that it could select stay open.
    """
    labels = {} if selector is None else dict(selector.match_labels or {})
    required = requirements(LabelSelector(dict(labels)), "pods")
    if not (unclear := asks_controller(required)):
        return required
    detail = f"its selector asks for {words(unclear)}, which no template shows"
    draft.ledger.gap(item, "unsupported", detail, "groups")
    draft.bound(None, (*(each for each in required if each not in unclear), IN_MESH))
    return None


def leave_open(item: Object, settings: Settings, draft: Draft, key: str = "selector") -> None:
    """Leave open what a policy that was not read could select: in the root namespace, in the whole mesh."""
    namespace = None if item.namespace is None or item.place == settings.root else item.place
    spec = item.part("spec")
    given = fields_of(spec.get(key))
    labels = given.get("labels" if key == "workloadSelector" else "matchLabels")
    plain = not item.flaw and "targetRef" not in spec and "targetRefs" not in spec
    required = surely_required({"matchLabels": labels}, "pods") if plain else ()
    draft.bound(namespace, (*required, IN_MESH))


def own_labels(item: Object) -> dict[str, str]:
    """Return the labels of a policy itself, as far as they are texts."""
    try:
        metadata = msgspec.convert(item.content.get("metadata"), Metadata | None) or Metadata()
    except msgspec.ValidationError:
        return {}
    return pod_labels(metadata.labels)
