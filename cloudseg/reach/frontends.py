"""Names that rewrite where packets go on the way: who calls sees the name's address, who is behind it sees the caller.

What the rules of a caller say of those behind does not count then, so that more may pass than straight. Source:
https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#azure-platform-considerations
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudseg.model import Estate, Interface
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["Frontend", "frontends_by_target", "frontends_of"]

_ESTATES = 4


class Frontend(NamedTuple):
    """A name's address with what it takes and hands on.

    Attributes:
        alias: qualified id of the name.
        addresses: the address that callers see.
        networks: the networks whose packets get there: its own, and those that a peering or a gateway joins to it.
        listens: what is asked for; None for anything.
        sends: what arrives; None for what was asked for.
    """

    alias: str
    addresses: AddressSet
    networks: frozenset[str]
    listens: Traffic | None
    sends: Traffic | None


def frontends_of(interface: Interface, estate: Estate) -> tuple[Frontend, ...]:
    """Return the names before an interface that rewrite where packets go."""
    return frontends_by_target(estate).get(interface.id, ())


@lru_cache(maxsize=_ESTATES)
def frontends_by_target(estate: Estate) -> Mapping[str, tuple[Frontend, ...]]:
    """Return the names that rewrite where packets go, by the qualified ids of those behind them."""
    found: defaultdict[str, list[Frontend]] = defaultdict(list)
    for alias in estate.aliases.values():
        networks = _reaching(alias.network, estate) if alias.network else frozenset[str]()
        for port in alias.ports if networks else ():
            frontend = Frontend(alias.id, alias.addresses, networks, port.listens, port.sends)
            for target in port.targets:
                found[target].append(frontend)
    return {target: tuple(each) for target, each in found.items()}


def _reaching(network: str, estate: Estate) -> frozenset[str]:
    peered = (each.networks for each in estate.peerings.values() if each.active and network in each.networks)
    hubs = {each.gateway for each in estate.transit_attachments.values() if each.active and each.network == network}
    joined = (each.network for each in estate.transit_attachments.values() if each.active and each.gateway in hubs)
    return frozenset((network, *(name for pair in peered for name in pair), *filter(None, joined)))
