"""The other ends of rules of admin policies: pods, nodes, ranges of addresses, names, and what nobody here knows.

An end of a kind that an implementation does not know makes it fail closed: a rule that accepts matches nothing, and one
that denies or passes denies everything. A version that knows the kind does what it says instead. So both are bounds.
Sources: https://network-policy-api.sigs.k8s.io/api-overview/ and
https://github.com/kubernetes-sigs/network-policy-api/blob/main/apis/v1alpha2/clusternetworkpolicy_types.go
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import Addresses, Everyone, Names
from cloudseg.providers.kubernetes.translate.labels import requirements
from cloudseg.providers.kubernetes.translate.peers import Pods, read_peer, unread_namespaces
from cloudseg.providers.kubernetes.translate.policies.admin.wire import NamespacedPod
from cloudseg.providers.kubernetes.translate.policies.nodes import node_peers
from cloudseg.providers.kubernetes.translate.policies.ranges import range_of
from cloudseg.providers.kubernetes.translate.wire import LabelSelector, PeerItem
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Direction, Peer
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.traffic import AddressSet

__all__ = ["AdminEnd", "Reader"]

_KNOWN: Final[dict[Direction, frozenset[str]]] = {
    "ingress": frozenset(("namespaces", "pods")),
    "egress": frozenset(("namespaces", "pods", "nodes", "networks", "domainNames")),
}
_NAME: Final = re.compile(
    r"(\*\.)?([a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?"
)
_MOST_ENTRIES: Final = 25
_EVERY_POD: Final = Pods("all pods in any namespace", ())


class AdminEnd(NamedTuple):
    """One other end of a rule.

    Attributes:
        name: where it stands in its rule, ``from[1]``.
        remote: the peers of the model; none where it cannot be evaluated.
        exact: False where they may be more than the rule means.
        pods: the pods that it chooses, where it chooses pods.
        unknown: why it cannot be evaluated, in words.
    """

    name: str
    remote: tuple[Peer, ...] = ()
    exact: bool = True
    pods: Pods | None = None
    unknown: str = ""


class _Related(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """How the first releases of v1alpha1 wrote namespaces.

    Source: https://github.com/antrea-io/antrea/blob/main/docs/admin-network-policy.md
    """

    namespace_selector: LabelSelector | None = None
    same_labels: list[str] | None = None
    not_same_labels: list[str] | None = None


class _RelatedPods(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    namespaces: _Related
    pod_selector: LabelSelector


class Reader:
    """Reads the ends of rules.

    Args:
        draft: the cluster.
        six: something in the cluster bears an IPv6 address.

    Attributes:
        asked: the namespaces whose labels some end asks for, and that were not read.
        assumed: some end holds every IPv4 address, and pods are taken to have no others.
    """

    def __init__(self, draft: Draft, *, six: bool) -> None:
        self._draft = draft
        self._six = six
        self.asked: set[str] = set()
        self.assumed = False

    def ends(self, raw: Sequence[dict[str, object]], direction: Direction) -> Iterator[AdminEnd]:
        """Yield the ends of a rule.

        Raises:
            ParseError: the API server would refuse one of them.
            msgspec.ValidationError: a field is none.
        """
        word = "from" if direction == "ingress" else "to"
        named = [{key: value for key, value in item.items() if value is not None} for item in raw]
        ranges = [_networks(item["networks"]) for item in named if "networks" in item and direction == "egress"]
        together = NO_ADDRESSES
        for each in ranges:
            together |= each
        for number, item in enumerate(named):
            yield from self._end(item, f"{word}[{number}]", direction, together)

    def _end(
        self, item: dict[str, object], name: str, direction: Direction, together: AddressSet
    ) -> Iterator[AdminEnd]:
        unknown = sorted(item.keys() - _KNOWN[direction])
        if len(item) > 1 and not unknown:
            raise ParseError(f"{name} sets {' and '.join(sorted(item))}: one of them makes an item")
        if unknown or not item:
            detail = f"{name} names no end that is known here" + (f", but {', '.join(unknown)}" if unknown else "")
            yield AdminEnd(name, unknown=detail)
            return
        ((kind, value),) = item.items()
        match kind:
            case "namespaces" | "pods":
                yield from self._pods(kind, value, name)
            case "nodes":
                selector = msgspec.convert(value, LabelSelector)
                found = node_peers(requirements(selector, "pods"), self._draft)
                yield from (AdminEnd(f"{name}.{n}" if n else name, (p.peer,), p.exact) for n, p in enumerate(found))
            case "networks":
                yield AdminEnd(name, self._of_networks(_networks(value), together))
            case _:
                yield AdminEnd(name, (Names(_domains(value)),))

    def _pods(self, kind: str, value: object, name: str) -> Iterator[AdminEnd]:
        item = _selected(kind, value)
        if item is None:
            yield AdminEnd(name, unknown=f"{name} chooses namespaces by the labels of the subject's own")
            return
        self.asked |= unread_namespaces(item, self._draft)
        for number, pods in enumerate(read_peer(item, "", self._draft)):
            if isinstance(pods, Pods):
                own = f"{name}.unread-namespaces" if number else name
                yield AdminEnd(own, (pods.peer(self._draft),), pods.exact, pods)

    def _of_networks(self, addresses: AddressSet, together: AddressSet) -> tuple[Peer, ...]:
        """Return the peers of ranges: traffic inside the cluster is checked against them as well.

        Which addresses pods have may not be known. Whoever has one is certainly in the ranges where these hold every
        address of both families, or every IPv4 address and nothing says that the cluster has others.
        """
        if together >= ALL_ADDRESSES:
            return (Everyone(),) if addresses >= ALL_IPV4 else (Addresses(addresses),)
        if addresses >= ALL_IPV4 and not self._six:
            self.assumed = True
            return Addresses(addresses), _EVERY_POD.peer(self._draft)
        return (Addresses(addresses),)


def _selected(kind: str, value: object) -> PeerItem | None:
    """Return an end that chooses pods; None for one that depends on the subject.

    Raises:
        msgspec.ValidationError: it is none.
    """
    try:
        if kind == "namespaces":
            return PeerItem(namespace_selector=msgspec.convert(value, LabelSelector))
        pods = msgspec.convert(value, NamespacedPod)
        return PeerItem(pods.pod_selector, pods.namespace_selector or LabelSelector())
    except msgspec.ValidationError as error:
        try:
            if kind == "namespaces":
                related, pod_selector = msgspec.convert(value, _Related), None
            else:
                both = msgspec.convert(value, _RelatedPods)
                related, pod_selector = both.namespaces, both.pod_selector
        except msgspec.ValidationError:
            raise error from None
    if related.namespace_selector is None:
        return None
    return PeerItem(pod_selector, related.namespace_selector)


def _networks(value: object) -> AddressSet:
    texts = msgspec.convert(value, list[str])
    _counted(texts, "networks")
    total = NO_ADDRESSES
    for text in texts:
        total |= range_of(text)
    return total


def _domains(value: object) -> tuple[str, ...]:
    texts = msgspec.convert(value, list[str])
    _counted(texts, "domainNames")
    for text in texts:
        if not _NAME.fullmatch(text):
            raise ParseError(f"{text!r} is no domain name")
    return tuple(text.removesuffix(".") for text in texts)


def _counted(texts: list[str], what: str) -> None:
    if not 0 < len(texts) <= _MOST_ENTRIES:
        raise ParseError(f"{what} has {len(texts)} entries: there are 1 to {_MOST_ENTRIES}")
