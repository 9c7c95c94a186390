"""Labels of pods as the model holds them, and label selectors as requirements on them.

An interface bears the labels of its pod as they are, those of its namespace behind ``namespace/``, and its named ports
as ``port/<name>/<protocol>``. Labels of pods that begin alike stand behind ``pod/``, so that nobody can feign one.
Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, Literal, cast

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import Labelled
from cloudseg.providers.kubernetes.translate.wire import LabelSelector

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cloudseg.providers.kubernetes.translate.wire import Requirement

__all__ = [
    "ACCOUNT",
    "IN_CLUSTER",
    "NAMESPACE",
    "ON_HOST",
    "ON_NAMESPACE",
    "ON_NODE",
    "asks_controller",
    "in_cluster",
    "in_namespace",
    "meets",
    "namespace_labels",
    "node_label",
    "on_port",
    "pod_labels",
    "port_label",
    "requirements",
    "surely_required",
    "words",
]

ON_NAMESPACE: Final = "namespace/"
NAMESPACE: Final = "namespace/kubernetes.io/metadata.name"
"""The label that the API server sets on every namespace, whatever its manifest says. Source:
https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#automatic-labelling"""

IN_CLUSTER: Final = "pod/cluster"
"""The label that a pod with an address of its own bears; its value is the cluster. Wherever its network is joined to,
selectors find it by this."""

ON_HOST: Final = "pod/host-network"
"""The label that a pod on the network of its node bears; its value is the cluster."""

ON_NODE: Final = "pod/node"
"""The label that a pod bears which stays on its node for good; its value is :func:`node_label`."""

ACCOUNT: Final = "pod/service-account"
"""The label under which a pod bears the name of its service account; one that was not read bears none."""

_OWN: Final = ("namespace/", "port/", "pod/")
_PLAIN: Final = re.compile(r"[A-Za-z0-9._/-]+")

_BY_CONTROLLERS: Final = frozenset(
    (
        "pod-template-hash",
        "controller-revision-hash",
        "pod-template-generation",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "controller-uid",
        "job-name",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "batch.kubernetes.io/job-completion-index",
        "consul.hashicorp.com/connect-inject-status",
        "linkerd.io/control-plane-ns",
        "linkerd.io/proxy-cronjob",
        "linkerd.io/proxy-daemonset",
        "linkerd.io/proxy-deployment",
        "linkerd.io/proxy-job",
        "linkerd.io/proxy-replicaset",
        "linkerd.io/proxy-statefulset",
        "linkerd.io/workload-ns",
        "security.istio.io/tlsMode",
        "service.istio.io/canonical-name",
        "service.istio.io/canonical-revision",
    )
)
"""Labels that controllers, and meshes that add a proxy, put on the pods they make: no template shows them, and they
tell pods of one workload apart. Sources: https://kubernetes.io/docs/reference/labels-annotations-taints/,
https://istio.io/latest/docs/reference/config/labels/ and https://linkerd.io/2-edge/reference/proxy-configuration/"""

Operator = Literal["In", "NotIn", "Exists", "DoesNotExist"]


def pod_labels(labels: Mapping[str, str | None] | None) -> dict[str, str]:
    """Return the labels of a pod without those that controllers add."""
    given = (labels or {}).items()
    return {_pod_key(key): value or "" for key, value in given if key not in _BY_CONTROLLERS}


def namespace_labels(name: str, labels: Mapping[str, str | None] | None) -> dict[str, str]:
    """Return the labels of a namespace as its pods bear them."""
    found = {f"{ON_NAMESPACE}{key}": value or "" for key, value in (labels or {}).items()}
    return found | {NAMESPACE: name}


def port_label(name: str, protocol: str) -> str:
    """Return the label under which a pod bears the number of a named port."""
    return f"port/{name}/{protocol}"


def on_port(name: str, protocol: str, number: int) -> Labelled:
    """Return the requirement to have a named port with a number."""
    return Labelled(port_label(name, protocol), "In", frozenset((str(number),)))


def meets(required: Labelled, labels: Mapping[str, str]) -> bool:
    """Tell whether labels of something that is no pod meet a requirement."""
    value = labels.get(required.key)
    match required.operator:
        case "In":
            return value in required.values
        case "NotIn":
            return value not in required.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None


def node_label(cluster: str, node: str) -> str:
    """Return the value of :data:`ON_NODE` for a node of a cluster."""
    return f"{cluster}/{node}"


def in_cluster(name: str) -> Labelled:
    """Return the requirement to be a pod with an address of its own in a cluster."""
    return Labelled(IN_CLUSTER, "In", frozenset((name,)))


def in_namespace(*names: str) -> Labelled:
    """Return the requirement to be in one of some namespaces."""
    return Labelled(NAMESPACE, "In", frozenset(names))


def requirements(selector: LabelSelector | None, of: Literal["pods", "namespaces"]) -> tuple[Labelled, ...]:
    """Return what a label selector requires, in a fixed order; nothing for an empty one.

    Raises:
        ParseError: the API server would refuse it.
    """
    if selector is None:
        return ()
    found = {
        Labelled(_key(key, of), "In", frozenset((value or "",))) for key, value in (selector.match_labels or {}).items()
    }
    found |= {_requirement(each, of) for each in selector.match_expressions or ()}
    return tuple(sorted(found, key=lambda each: (each.key, each.operator, sorted(each.values))))


def surely_required(raw: object, of: Literal["pods", "namespaces"]) -> tuple[Labelled, ...]:
    """Return what a selector requires of whoever it chooses, for sure; nothing where it cannot be read.

    Args:
        raw: the selector as it is written, whatever that is.
        of: whose labels it looks at.
    """
    try:
        found = requirements(msgspec.convert(raw, LabelSelector | None), of)
    except (msgspec.ValidationError, ParseError):
        return ()
    return tuple(each for each in found if each.key not in _BY_CONTROLLERS)


def asks_controller(required: Iterable[Labelled]) -> tuple[Labelled, ...]:
    """Return the requirements on labels that controllers add, which no template shows."""
    return tuple(each for each in required if each.key in _BY_CONTROLLERS)


def words(required: Iterable[Labelled], *, prefix: str = "") -> str:
    """Return requirements in words, the same for the same ones: ``app=web, tier in (a, b)``."""
    return ", ".join(_words(each, each.key.removeprefix(prefix)) for each in required)


def _words(required: Labelled, key: str) -> str:
    name = _quoted(key)
    values = [_quoted(value) for value in sorted(required.values)]
    match required.operator:
        case "In":
            return f"{name}={values[0]}" if len(values) == 1 else f"{name} in ({', '.join(values)})"
        case "NotIn":
            return f"{name}!={values[0]}" if len(values) == 1 else f"{name} not in ({', '.join(values)})"
        case "Exists":
            return f"with {name}"
        case "DoesNotExist":
            return f"without {name}"


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


def _requirement(item: Requirement, of: Literal["pods", "namespaces"]) -> Labelled:
    values = frozenset(item.values or ())
    if item.operator not in {"In", "NotIn", "Exists", "DoesNotExist"}:
        raise ParseError(f"{item.operator!r} is no operator: write In, NotIn, Exists or DoesNotExist")
    if item.operator in {"In", "NotIn"} and not values:
        raise ParseError(f"{item.operator} of {item.key!r} names no values")
    if item.operator in {"Exists", "DoesNotExist"} and values:
        raise ParseError(f"{item.operator} of {item.key!r} takes no values")
    return Labelled(_key(item.key, of), cast("Operator", item.operator), values)


def _key(key: str, of: Literal["pods", "namespaces"]) -> str:
    return f"{ON_NAMESPACE}{key}" if of == "namespaces" else _pod_key(key)


def _pod_key(key: str) -> str:
    return f"pod/{key}" if key.startswith(_OWN) else key
