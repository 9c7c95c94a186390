"""Selectors of endpoints: labels with a source, the namespace as a label, and labels that Cilium reserves.

Pods bear labels of the source ``k8s``; a key without source asks for any. What a CiliumNetworkPolicy selects is in its
own namespace unless it says which; what a CiliumClusterwideNetworkPolicy selects, in any. Sources:
https://docs.cilium.io/en/stable/security/policy/kubernetes/#namespaces and
https://docs.cilium.io/en/stable/operations/performance/scalability/identity-relevant-labels/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.providers.kubernetes.translate.labels import (
    ACCOUNT,
    NAMESPACE,
    ON_NAMESPACE,
    asks_controller,
    in_namespace,
    requirements,
    words,
)
from cloudseg.providers.kubernetes.translate.wire import LabelSelector, Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Labelled
    from cloudseg.providers.kubernetes.translate.draft import Draft

__all__ = ["Chosen", "plain", "read_selector"]

_POD_NAMESPACE: Final = "io.kubernetes.pod.namespace"
_NAMESPACE_LABELS: Final = "io.cilium.k8s.namespace.labels."
_ACCOUNT: Final = "io.cilium.k8s.policy.serviceaccount"
_METADATA_NAME: Final = "kubernetes.io/metadata.name"
_OF_NO_IDENTITY: Final = (
    "io.kubernetes",
    "io.cilium",
    "kubernetes.io",
    "beta.kubernetes.io",
    "k8s.io",
    "annotation",
    "etcd_node",
)
"""Labels that are no part of a pod's identity unless Cilium is told otherwise: whom they choose is not known."""


class Chosen(NamedTuple):
    """Whom a selector chooses.

    Attributes:
        text: its requirements in words, the same for the same ones.
        pods: what it requires of the pods themselves.
        spaces: what it requires of their namespace.
        reserved: what it requires of labels that Cilium reserves; no pod bears one.
        unclear: what it requires beside, of which no manifest shows who meets it.
    """

    text: str
    pods: tuple[Labelled, ...]
    spaces: tuple[Labelled, ...]
    reserved: tuple[Labelled, ...]
    unclear: tuple[Labelled, ...]

    @property
    def required(self) -> tuple[Labelled, ...]:
        """What it requires of pods, as far as that is known."""
        return (*self.spaces, *self.pods)

    @property
    def asks_labels_of_spaces(self) -> bool:
        """Whether it asks for labels of namespaces, and not only for their names."""
        return any(each.key != NAMESPACE for each in self.spaces)


def read_selector(selector: LabelSelector, namespace: str | None, draft: Draft) -> Chosen:
    """Return whom a selector of endpoints chooses.

    Args:
        selector: the selector.
        namespace: the namespace of the policy, in which it chooses unless it says otherwise; None for
            one that has none.
        draft: the cluster.

    Raises:
        ParseError: the API server would refuse it.
    """
    parts = _parts(selector)
    pods = requirements(parts.pods, "pods")
    spaces = requirements(parts.spaces, "namespaces")
    account = tuple(msgspec.structs.replace(each, key=ACCOUNT) for each in requirements(parts.account, "pods"))
    unclear = (*asks_controller(pods), *requirements(parts.unclear, "pods"))
    if account and not _bear_accounts(draft):
        unclear = (*unclear, *account)
        account = ()
    known = (*(each for each in pods if each not in unclear), *account)
    who = words((*pods, *account, *(each for each in unclear if each not in pods)))
    who = f"pods {who}" if who else "all pods"
    if spaces:
        where = f"in namespaces {words(spaces, prefix=ON_NAMESPACE)}"
    elif namespace is not None:
        where = f"in namespace {namespace}"
        spaces = (in_namespace(namespace),)
    else:
        where = "in any namespace"
    return Chosen(f"{who} {where}", known, spaces, requirements(parts.reserved, "pods"), unclear)


def plain(selector: LabelSelector) -> LabelSelector:
    """Return a selector of something else than endpoints, without the sources of its keys."""
    labels = {_source(key)[1]: value for key, value in (selector.match_labels or {}).items()}
    terms = [msgspec.structs.replace(each, key=_source(each.key)[1]) for each in selector.match_expressions or ()]
    return LabelSelector(labels, terms)


def _bear_accounts(draft: Draft) -> bool:
    pods = [interface for interface in draft.interfaces.values() if interface.network is not None]
    return all(ACCOUNT in pod.labels or pod.attached_unread for pod in pods)


class _Parts(NamedTuple):
    """A selector, taken apart by whose labels it asks for."""

    pods: LabelSelector
    spaces: LabelSelector
    account: LabelSelector
    reserved: LabelSelector
    unclear: LabelSelector


def _parts(selector: LabelSelector) -> _Parts:
    terms: dict[str, list[Requirement]] = {name: [] for name in _Parts._fields}
    for part, key, item in _terms(selector):
        terms[part].append(msgspec.structs.replace(item, key=key))
    return _Parts(*(LabelSelector(None, terms[name]) for name in _Parts._fields))


def _terms(selector: LabelSelector) -> Iterator[tuple[str, str, Requirement]]:
    """Yield each term with the part it belongs to, and its key there."""
    items = [Requirement(key, "In", [value or ""]) for key, value in (selector.match_labels or {}).items()]
    for item in (*items, *(selector.match_expressions or ())):
        source, key = _source(item.key)
        if source == "reserved":
            yield "reserved", key, item
        elif source not in {"any", "k8s"}:
            yield "unclear", item.key, item
        elif key == _POD_NAMESPACE:
            yield "spaces", _METADATA_NAME, item
        elif key.startswith(_NAMESPACE_LABELS):
            yield "spaces", key.removeprefix(_NAMESPACE_LABELS), item
        elif key == _ACCOUNT:
            yield "account", key, item
        elif key.startswith(_OF_NO_IDENTITY):
            yield "unclear", key, item
        else:
            yield "pods", key, item


def _source(key: str) -> tuple[str, str]:
    """Return the source of a label and its key: ``k8s:app``, ``any:app``, ``app``, ``reserved:host``, ``$host``."""
    if key.startswith("$"):
        return "reserved", key[1:]
    if key.startswith("reserved."):
        return "reserved", key.removeprefix("reserved.")
    source, colon, rest = key.partition(":")
    return (source or "any", rest) if colon else ("any", key)
