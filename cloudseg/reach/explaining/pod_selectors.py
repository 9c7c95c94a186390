"""Selectors beside a pod that they do not choose: what it lacks, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.model import AllOf, Labelled, NoneOf, matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Interface, Selector

__all__ = ["NAME", "NAMESPACE", "PORT", "flat", "is_near", "unmet", "values_of"]

NAMESPACE: Final = "namespace/"
NAME: Final = "namespace/kubernetes.io/metadata.name"
PORT: Final = "port/"
_NEAR: Final = 2


def unmet(selector: Selector, pod: Interface) -> Iterator[str]:
    """Yield the requirements of a selector that a pod does not meet, in words."""
    for part in flat(selector):
        if matches(part, pod):
            continue
        if not isinstance(part, Labelled):
            yield f"it asks for what {pod.own_id} is not"
        elif part.key == NAME:
            yield f"it asks for namespace {values_of(part)}, and {pod.own_id} is in {pod.labels.get(NAME, 'none')}"
        elif part.key.startswith(NAMESPACE):
            key, place = part.key.removeprefix(NAMESPACE), pod.labels.get(NAME, "")
            yield (
                f"it asks for namespaces with {_asked(part, key)}, and namespace {place} {_has(pod, part.key)} "
                f"(kubernetes.io/metadata.name={place} is always there)"
            )
        elif part.key.startswith(PORT):
            yield f"it asks for the named port {part.key.removeprefix(PORT)}, and {pod.own_id} has none like it"
        elif part.key.startswith("pod/"):
            yield f"{pod.own_id} is in the network of its node, and selectors choose no such pods"
        else:
            yield f"it asks for pods with {_asked(part, part.key)}, and {pod.own_id} {_has(pod, part.key)}"


def is_near(selector: Selector, pod: Interface) -> bool:
    """Tell whether a selector may be meant for a pod: few requirements are unmet, or only those of namespaces."""
    parts = [part for part in flat(selector) if not (isinstance(part, Labelled) and part.key.startswith("pod/"))]
    lacking = [part for part in parts if not matches(part, pod)]
    of_pods = [part for part in lacking if not (isinstance(part, Labelled) and part.key.startswith(NAMESPACE))]
    return len(lacking) <= _NEAR or not of_pods


def flat(selector: Selector) -> Iterator[Selector]:
    """Yield the requirements of a selector one by one."""
    if isinstance(selector, AllOf):
        for part in selector.parts:
            yield from flat(part)
    elif not isinstance(selector, NoneOf) or selector.parts:
        yield selector


def values_of(part: Labelled) -> str:
    """Return the values that a requirement names, in words."""
    return " or ".join(sorted(part.values))


def _asked(part: Labelled, key: str) -> str:
    match part.operator:
        case "In":
            return f"{key}={values_of(part)}"
        case "NotIn":
            return f"{key} other than {values_of(part)}"
        case "Exists":
            return f"a label {key}"
        case "DoesNotExist":
            return f"no label {key}"


def _has(pod: Interface, key: str) -> str:
    value = pod.labels.get(key)
    return "bears no such label" if value is None else f"has {value!r}"
