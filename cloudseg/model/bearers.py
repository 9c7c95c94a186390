"""Which interfaces of a cloud bear addresses that pods have."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model.topology import Interface
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.model.topology import Subnet

__all__ = ["Bearers", "Part"]


class Part(NamedTuple):
    """Addresses of a pod, and the interface that bears them; none where the pod is yet to come."""

    bearer: Interface
    addresses: AddressSet


class Bearers:
    """Finds the interfaces that bear addresses.

    Args:
        interfaces: those that may be found.
    """

    def __init__(self, interfaces: Iterable[Interface]) -> None:
        self._runs: list[tuple[int, int, int, Interface]] = []
        self._starts: list[tuple[int, int]] = []
        self._subnets: list[Interface] = []
        self.add(interfaces)

    def add(self, interfaces: Iterable[Interface]) -> None:
        """Add what bears addresses; pods bear those of others."""
        self._runs += [
            (family, first, last, interface)
            for interface in interfaces
            if not interface.is_pod
            for family, numbers in ((4, interface.addresses.v4), (6, interface.addresses.v6))
            for first, last in numbers.intervals
        ]
        self._runs.sort(key=lambda run: (*run[:3], run[3].id))
        self._starts = [run[:2] for run in self._runs]

    def add_subnets(self, subnets: Iterable[Subnet]) -> None:
        """Let what no interface bears stand in the subnet that holds it; what its machine's carries may judge it, too.

        Source: https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-pod-subnet
        """
        self._subnets.extend(
            Interface(
                id=f"{subnet.id}/pods",
                kind="network-interface",
                network=subnet.network,
                subnet=subnet.id,
                addresses=subnet.addresses,
                attached_unread=True,
                role="branch",
                derived=True,
            )
            for subnet in subnets
        )

    def _around(self, text: str) -> Interface | None:
        """Return what stands for a subnet that holds an address; None where none does."""
        return next((each for each in self._subnets if each.addresses.has(text)), None)

    def parts(self, pod: Interface) -> list[Part]:
        """Return the addresses of a pod by the interface that bears them; none where not all are found."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        bearers: dict[str, Interface] = {}
        for text, family, number in _single(pod.addresses):
            bearer = self._at(family, number) or self._around(text)
            if bearer is None:
                return []
            bearers[bearer.id] = bearer
            found[bearer.id].append(text)
        return [Part(bearers[key], AddressSet.from_cidrs(texts)) for key, texts in sorted(found.items())]

    def _at(self, family: int, number: int) -> Interface | None:
        place = bisect_right(self._starts, (family, number)) - 1
        if place < 0:
            return None
        known, first, last, bearer = self._runs[place]
        return bearer if known == family and first <= number <= last else None


def _single(addresses: AddressSet) -> Iterator[tuple[str, int, int]]:
    """Yield each address by itself, as text, family and number; pods have few."""
    from cloudseg.traffic.cidr import address_text

    for family, numbers in ((4, addresses.v4), (6, addresses.v6)):
        for first, last in numbers.intervals:
            for number in range(first, last + 1):
                yield address_text(family, number), family, number
