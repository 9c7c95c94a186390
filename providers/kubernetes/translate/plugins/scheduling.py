"""On which nodes the pods of a DaemonSet may run at all: node selectors, affinity, taints and tolerations.

What cannot be read of these leaves a node out, since nobody can tell then whether a daemon runs there. Sources:
https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/,
https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ and
https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from cloudseg.providers.kubernetes.translate.objects import fields_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["may_run"]

_LINUX: Final = {"kubernetes.io/os": "linux", "beta.kubernetes.io/os": "linux"}
"""What a node bears that was written by hand without it; nodes with Windows are judged apart."""
_ALWAYS_TOLERATED: Final = frozenset(
    f"node.kubernetes.io/{condition}"
    for condition in (
        "disk-pressure",
        "memory-pressure",
        "network-unavailable",
        "not-ready",
        "pid-pressure",
        "unreachable",
        "unschedulable",
    )
)
"""The taints that the controller of DaemonSets has its pods tolerate."""


def may_run(spec: Mapping[str, object], node: Object) -> bool:
    """Tell whether pods of a DaemonSet may run on a node, by their ``spec``."""
    labels = {**_LINUX, **fields_of(node.part("metadata").get("labels"))}
    chosen = fields_of(spec.get("nodeSelector"))
    if any(labels.get(key) != value for key, value in chosen.items()):
        return False
    affinity = fields_of(fields_of(spec.get("affinity")).get("nodeAffinity"))
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    terms = _items(fields_of(required).get("nodeSelectorTerms"))
    if required is not None and not any(_fits(fields_of(term), labels, node.name) for term in terms):
        return False
    tolerations = [fields_of(each) for each in _items(spec.get("tolerations"))]
    return all(_tolerated(fields_of(taint), tolerations) for taint in _items(node.part("spec").get("taints")))


def _fits(term: Mapping[str, object], labels: Mapping[str, object], name: str) -> bool:
    """Tell whether a node meets a term of an affinity; one that asks for nothing fits none."""
    by_label = [_meets(fields_of(each), labels) for each in _items(term.get("matchExpressions"))]
    by_field = [_meets(fields_of(each), {"metadata.name": name}) for each in _items(term.get("matchFields"))]
    return bool(by_label or by_field) and all((*by_label, *by_field))


def _meets(asked: Mapping[str, object], given: Mapping[str, object]) -> bool:
    value, values = given.get(str(asked.get("key"))), _items(asked.get("values"))
    match asked.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            own, bound = _number(value), _number(values[0] if len(values) == 1 else None)
            return own is not None and bound is not None and (own > bound if operator == "Gt" else own < bound)
        case _:
            return False


def _tolerated(taint: Mapping[str, object], tolerations: list[dict[str, object]]) -> bool:
    if taint.get("effect") == "PreferNoSchedule" or taint.get("key") in _ALWAYS_TOLERATED:
        return True
    return any(_tolerates(each, taint) for each in tolerations)


def _tolerates(toleration: Mapping[str, object], taint: Mapping[str, object]) -> bool:
    if toleration.get("effect") and toleration.get("effect") != taint.get("effect"):
        return False
    key, exists = toleration.get("key") or "", toleration.get("operator") == "Exists"
    if not key:
        return exists
    if key != taint.get("key"):
        return False
    equal = toleration.get("operator") in {None, "", "Equal"}
    return exists or (equal and (toleration.get("value") or "") == (taint.get("value") or ""))


def _number(value: object) -> int | None:
    text = value if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.removeprefix("-").isdigit() and len(text) < _LONG else None


def _items(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


_LONG: Final = 20
"""More digits than a number of 64 bits has, which is what the API server reads."""
