"""The other ends of NetworkPolicy rules: pods by selectors, and ranges of addresses.

Selectors of pods and of namespaces in one item hold both (and); items beside each other are a union. An absent selector
differs from an empty one, which chooses everything. Sources:
https://kubernetes.io/docs/concepts/services-networking/network-policies/#behavior-of-to-and-from-selectors and
https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.model import Addresses, Everyone, Labelled
from cloudseg.providers.kubernetes.translate.labels import (
    NAMESPACE,
    ON_NAMESPACE,
    asks_controller,
    in_namespace,
    on_port,
    requirements,
    words,
)
from cloudseg.traffic import AddressSet, parse_cidr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Peer
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.traffic import NamedPort
    from cloudseg.providers.kubernetes.translate.wire import IpBlock, PeerItem

__all__ = ["Anyone", "End", "Pods", "Range", "peer_of", "read_peer", "unread_namespaces"]

_UNREAD: Final = " (labels of the namespace not read)"


class Anyone(NamedTuple):
    """Any other end, inside or outside of the cluster."""


class Range(NamedTuple):
    """Addresses. Whether they match pods of the cluster depends on the network plugin."""

    addresses: AddressSet


class Pods(NamedTuple):
    """Pods by requirements.

    Attributes:
        text: the requirements in words.
        required: the requirements.
        exact: False where these may be more pods than the selector chooses.
    """

    text: str
    required: tuple[Labelled, ...]
    exact: bool = True

    def peer(self, draft: Draft) -> Peer:
        """Return the peer that stands for these pods."""
        return draft.group(self.text, self.required)

    def with_port(self, port: NamedPort, number: int) -> Pods:
        """Return those of the pods that have a named port with a number."""
        text = f"{self.text} with port {port.name}/{port.protocol} = {number}"
        return Pods(text, (*self.required, on_port(port.name, port.protocol, number)), self.exact)


End = Anyone | Range | Pods


def read_peer(item: PeerItem, namespace: str, draft: Draft) -> Iterator[End]:
    """Yield the ends that one item of ``from`` or ``to`` names.

    Args:
        item: the item.
        namespace: the namespace of the policy.
        draft: the cluster.

    Raises:
        ParseError: the API server would refuse it.
    """
    if item.ip_block is not None:
        if item.pod_selector is not None or item.namespace_selector is not None:
            raise ParseError("ipBlock stands beside a selector in one item: write two items")
        yield Range(_addresses(item.ip_block))
        return
    if item.pod_selector is None and item.namespace_selector is None:
        raise ParseError("an item names no peer: write podSelector, namespaceSelector or ipBlock")
    pods = requirements(item.pod_selector, "pods")
    unclear = asks_controller(pods)
    known = tuple(each for each in pods if each not in unclear)
    who = f"pods {words(pods)}" if pods else "all pods"
    exact = not unclear
    if item.namespace_selector is None:
        yield Pods(f"{who} in namespace {namespace}", (in_namespace(namespace), *known), exact)
        return
    spaces = requirements(item.namespace_selector, "namespaces")
    if not spaces:
        yield Pods(f"{who} in any namespace", known, exact)
        return
    text = f"{who} in namespaces {words(spaces, prefix=ON_NAMESPACE)}"
    named = tuple(each for each in spaces if each.key == NAMESPACE)
    if len(named) == len(spaces) or not (unlabelled := draft.unlabelled):
        yield Pods(text, (*spaces, *known), exact)
        return
    # Of a namespace that was not read nobody knows whether it bears the label.
    yield Pods(text, (Labelled(NAMESPACE, "NotIn", unlabelled), *spaces, *known), exact)
    yield Pods(f"{text}{_UNREAD}", (in_namespace(*unlabelled), *named, *known), exact=False)


def unread_namespaces(item: PeerItem, draft: Draft) -> frozenset[str]:
    """Return the namespaces whose labels a peer asks for, and that were not read."""
    spaces = requirements(item.namespace_selector, "namespaces")
    return draft.unlabelled if any(each.key != NAMESPACE for each in spaces) else frozenset()


def peer_of(end: End, draft: Draft) -> Peer:
    """Return the peer of the model that stands for an end."""
    match end:
        case Anyone():
            return Everyone()
        case Range(addresses):
            return Addresses(addresses)
        case Pods():
            return end.peer(draft)


def _addresses(block: IpBlock) -> AddressSet:
    whole = _cidr(block.cidr)
    for text in block.without or ():
        part = _cidr(text)
        if part[0] != whole[0] or not (whole[1] <= part[1] and part[2] <= whole[2]) or part == whole:
            raise ParseError(f"except {text!r} is no part of {block.cidr!r}")
    return AddressSet.from_cidrs((block.cidr,)) - AddressSet.from_cidrs(block.without or ())


def _cidr(text: str) -> tuple[int, int, int]:
    if "/" not in text:
        raise ParseError(f"{text!r} is no CIDR block: write a prefix length, as in 10.0.0.5/32")
    return parse_cidr(text)
