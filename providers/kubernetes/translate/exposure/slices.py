"""The ends of services that choose no pods: somebody else writes them down, address by address.

Sources: https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors and
https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.traffic import NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["Ends", "Slices"]

_OF_SERVICE: Final = "kubernetes.io/service-name"


class _Port(msgspec.Struct, frozen=True):
    name: str | None = None
    port: int | None = None
    protocol: str | None = None


class _Metadata(msgspec.Struct, frozen=True):
    labels: dict[str, str | None] | None = None


class _Endpoint(msgspec.Struct, frozen=True):
    addresses: list[str] | None = None


class _Slice(msgspec.Struct, frozen=True, rename="camel"):
    address_type: str | None = None
    endpoints: list[_Endpoint] | None = None
    ports: list[_Port] | None = None


class _Address(msgspec.Struct, frozen=True):
    ip: str


class _Subset(msgspec.Struct, frozen=True, rename="camel"):
    addresses: list[_Address] | None = None
    not_ready_addresses: list[_Address] | None = None
    ports: list[_Port] | None = None


class Ends(NamedTuple):
    """Addresses behind a service, and their ports.

    Attributes:
        addresses: the addresses.
        ports: name, number and protocol of each port.
    """

    addresses: AddressSet
    ports: tuple[tuple[str, int, str], ...]


class Slices:
    """Knows the ends that are written down.

    Args:
        objects: the objects of the cluster.
        draft: the cluster; an end that cannot be read is a gap, and leaves open what is behind its service.
    """

    def __init__(self, objects: Iterable[Object], draft: Draft) -> None:
        self._ends: defaultdict[tuple[str, str], list[Ends]] = defaultdict(list)
        for item in objects:
            if (item.group, item.kind) not in {("discovery.k8s.io", "EndpointSlice"), ("", "Endpoints")}:
                continue
            problem = item.flaw
            if not problem:
                try:
                    name, ends = _read(item)
                    self._ends[item.place, name] += ends
                    continue
                except (msgspec.ValidationError, ParseError) as error:
                    problem = str(error)
            draft.ledger.gap(item, "malformed", problem, "entrances")
            draft.ledger.partly.setdefault("entrances", f"{item.own} is malformed")

    def of(self, namespace: str, name: str) -> tuple[Ends, ...]:
        """Return the ends of a service."""
        return tuple(self._ends.get((namespace, name), ()))


def _read(item: Object) -> tuple[str, list[Ends]]:
    """Return the name of the service that an object holds ends of, and the ends.

    Raises:
        ParseError: an address is none.
        msgspec.ValidationError: it cannot be read.
    """
    if item.kind == "Endpoints":
        return item.name, list(_of_subsets(msgspec.convert(item.content.get("subsets"), list[_Subset] | None) or []))
    metadata = msgspec.convert(item.content.get("metadata"), _Metadata | None) or _Metadata()
    found = msgspec.convert(item.content, _Slice)
    addresses = NO_ADDRESSES
    if found.address_type != "FQDN":
        addresses = AddressSet.from_cidrs(text for each in found.endpoints or () for text in each.addresses or ())
    return (metadata.labels or {}).get(_OF_SERVICE) or "", [Ends(addresses, _ports(found.ports))]


def _of_subsets(subsets: Iterable[_Subset]) -> Iterator[Ends]:
    for each in subsets:
        texts = (a.ip for a in (*(each.addresses or ()), *(each.not_ready_addresses or ())))
        yield Ends(AddressSet.from_cidrs(texts), _ports(each.ports))


def _ports(ports: Iterable[_Port] | None) -> tuple[tuple[str, int, str], ...]:
    return tuple((p.name or "", p.port, p.protocol or "TCP") for p in ports or () if p.port is not None)
