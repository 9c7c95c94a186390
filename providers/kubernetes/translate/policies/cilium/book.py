"""What Cilium's policies refer to: groups of CIDRs, services, nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.policies.cilium.kinds import GROUP
from cloudseg.providers.kubernetes.translate.policies.cilium.wire import CidrGroupSpec
from cloudseg.providers.kubernetes.translate.wire import LabelSelector, Metadata
from cloudseg.traffic import NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft, Node
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["Book", "CidrGroup", "Service", "fits", "read_book"]

_SERVICES: Final = "services"


class CidrGroup(NamedTuple):
    """A CiliumCIDRGroup; its addresses are None where they could not be read."""

    name: str
    labels: Mapping[str, str]
    addresses: AddressSet | None


class Service(NamedTuple):
    """A Kubernetes Service; its selector is None where it has none, or could not be read."""

    namespace: str
    name: str
    labels: Mapping[str, str]
    selector: LabelSelector | None


class Book(NamedTuple):
    """What policies refer to.

    Attributes:
        groups: groups of CIDRs, by name.
        services: Kubernetes Services.
        nodes: the addresses of the nodes; None where no node was read, or one not in full.
        hosts: whether the cluster has pods on the network of their node.
        complete: whether all services were read.
    """

    groups: Mapping[str, CidrGroup]
    services: tuple[Service, ...]
    nodes: AddressSet | None
    hosts: bool
    complete: bool


def read_book(objects: Iterable[Object], draft: Draft) -> Book:
    """Return what the policies of a cluster may refer to; a group that cannot be read is a gap."""
    groups: dict[str, CidrGroup] = {}
    services: list[Service] = []
    for item in objects:
        if (item.group, item.kind) == (GROUP, "CiliumCIDRGroup"):
            found = _group(item, draft)
            groups[found.name] = found
        elif (item.group, item.kind) == ("", "Service"):
            services.append(_service(item))
    hosts = any(interface.role == "host" for interface in draft.interfaces.values())
    complete = not any(_SERVICES in gap.what for gap in draft.ledger.gaps)
    return Book(groups, tuple(services), _addresses(draft.nodes), hosts, complete)


def fits(selector: LabelSelector, labels: Mapping[str, str]) -> bool:
    """Tell whether labels of an object other than a pod meet a selector that was checked before."""
    if any(labels.get(key) != (value or "") for key, value in (selector.match_labels or {}).items()):
        return False
    for term in selector.match_expressions or ():
        value, given = labels.get(term.key), term.values or ()
        match term.operator:
            case "In":
                fit = value in given
            case "NotIn":
                fit = value not in given
            case "Exists":
                fit = value is not None
            case _:
                fit = value is None
        if not fit:
            return False
    return True


def _labels(item: Object) -> dict[str, str]:
    metadata = msgspec.convert(item.content.get("metadata"), Metadata | None) or Metadata()
    return {key: value or "" for key, value in (metadata.labels or {}).items()}


def _group(item: Object, draft: Draft) -> CidrGroup:
    flaw = item.flaw
    labels: dict[str, str] = {}
    try:
        labels = _labels(item)
        spec = msgspec.convert(item.content.get("spec"), CidrGroupSpec)
        if not flaw:
            return CidrGroup(item.name, labels, AddressSet.from_cidrs(spec.cidrs))
    except (msgspec.ValidationError, ParseError) as error:
        flaw = flaw or str(error)
    draft.ledger.gap(item, "malformed", f"{flaw}: what names it is known at most", "groups")
    return CidrGroup(item.name, labels, None)


def _service(item: Object) -> Service:
    try:
        labels = _labels(item)
        selector = msgspec.convert(item.part("spec").get("selector"), dict[str, str | None] | None)
    except msgspec.ValidationError:
        return Service(item.place, item.name, {}, None)
    unread = item.flaw or item.part("spec").get("type") == "ExternalName"
    return Service(item.place, item.name, labels, None if unread or not selector else LabelSelector(selector))


def _addresses(nodes: Sequence[Node]) -> AddressSet | None:
    """Return the addresses of all nodes; None where none was read, or one not in full."""
    whole = NO_ADDRESSES
    for node in nodes:
        if not node.addresses:
            return None
        whole |= node.addresses
    return whole or None
