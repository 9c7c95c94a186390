"""What tells whether pods are part of a mesh, beside their labels: annotations and containers.

Proxies are added to pods when these are made, so that templates do not show them, and pods that run do. Sources:
https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/,
https://linkerd.io/2-edge/features/proxy-injection/ and
https://developer.hashicorp.com/consul/docs/k8s/annotations-and-labels
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from cloudseg.providers.kubernetes.translate.objects import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloudseg.providers.kubernetes.translate.wire import Metadata, PodSpec

__all__ = ["PROXIES", "Evidence", "Shape", "shape_of"]

PROXIES: Final = frozenset(("consul-dataplane", "envoy-sidecar", "istio-proxy", "linkerd-proxy"))
"""The names of the containers that meshes add."""


class Shape(NamedTuple):
    """What a pod, or a template, shows.

    Attributes:
        annotations: its annotations that are texts.
        containers: the names of its containers, of all sorts.
        settings: the variables of the containers that meshes add, with texts as values.
    """

    annotations: Mapping[str, str]
    containers: frozenset[str]
    settings: frozenset[tuple[str, str]] = frozenset()


class Evidence(NamedTuple):
    """What is known of the pods of an interface.

    Attributes:
        template: what makes them, or the pod itself where it runs.
        running: the pods that run; none where only files were read.
        kind: the kind of the object that makes them.
    """

    template: Shape
    running: tuple[Shape, ...] = ()
    kind: str = ""


def shape_of(metadata: Metadata, spec: PodSpec) -> Shape:
    """Return what the fields of a pod or a template show."""
    annotations = {key: value for key, value in (metadata.annotations or {}).items() if isinstance(value, str)}
    containers = (*(spec.containers or ()), *(spec.init_containers or ()))
    names = frozenset([each.name for each in containers if each.name])
    if names.isdisjoint(PROXIES):
        return Shape(annotations, names)
    settings = (pair for each in containers if each.name in PROXIES for pair in _settings(each.env))
    return Shape(annotations, names, frozenset(settings))


def _settings(env: object) -> Iterator[tuple[str, str]]:
    """Yield variables, as far as their values stand in the container itself."""
    for each in cast("list[object]", env) if isinstance(env, list) else ():
        name, value = (fields_of(each).get(key) for key in ("name", "value"))
        if isinstance(name, str) and isinstance(value, str):
            yield name, value
