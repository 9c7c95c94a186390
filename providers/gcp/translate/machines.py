"""Finds the machines that parts of load balancers name, by instance, by address or by place."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudseg.model import Interface
    from cloudseg.traffic import AddressSet

__all__ = ["Machines"]


class Machines:
    """The interfaces of machines of all projects.

    Args:
        interfaces: all interfaces, by qualified id; instances have to be there already.
    """

    def __init__(self, interfaces: Mapping[str, Interface]) -> None:
        self._first: defaultdict[str, list[Interface]] = defaultdict(list)
        self._single: dict[tuple[str | None, AddressSet], str] = {}
        self._ranges: defaultdict[str | None, list[Interface]] = defaultdict(list)
        self._placed: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for _, interface in sorted(interfaces.items()):
            if interface.workload is not None and interface.role == "interface":
                self._first[interface.workload].append(interface)
                self._placed[interface.scope, interface.region].append(interface.id)
            if interface.addresses.size == 1:
                self._single.setdefault((interface.network, interface.addresses), interface.id)
            elif interface.addresses:
                self._ranges[interface.network].append(interface)

    def of(self, instance: str, network: str | None) -> Interface | None:
        """Return the interface of an instance in a network, its first where that is not told."""
        here = (each for each in self._first.get(instance, ()) if network is None or each.network == network)
        return next(here, None)

    def bearing(self, network: str | None, address: AddressSet) -> str:
        """Return the first interface in a network that bears an address, by qualified id; empty for none."""
        if not address:
            return ""
        single = self._single.get((network, address))
        if single is not None:
            return single
        return next((each.id for each in self._ranges.get(network, ()) if each.addresses.overlaps(address)), "")

    def placed(self, project: str, region: str) -> frozenset[str]:
        """Return the interfaces of a project in a region, or in all with ``global``, by qualified id."""
        places = [each for each in self._placed if each[0] == project and region in {"global", each[1]}]
        return frozenset(each for place in places for each in self._placed[place])
