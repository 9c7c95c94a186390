"""Named lists of addresses that the provider keeps, such as service tags, and rules that write out what one holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import Addresses
from cloudseg.traffic import GLOBAL_UNICAST

if TYPE_CHECKING:
    from cloudseg.model import AddressList, Estate, Peer
    from cloudseg.traffic import AddressSet

__all__ = ["ServiceTags"]


class ServiceTags:
    """Looks up service tags by what they hold.

    Args:
        estate: where they were read.
    """

    def __init__(self, estate: Estate) -> None:
        found: dict[AddressSet, AddressList] = {}
        for _, known in sorted(estate.address_lists.items()):
            addresses = known.addresses if known.kind == "service-tag" else None
            # Several tags may hold the same; the shortest name says most.
            if addresses and addresses <= GLOBAL_UNICAST:
                other = found.get(addresses)
                if other is None or len(known.name) < len(other.name):
                    found[addresses] = known
        self._by_addresses = found

    def written_out(self, end: tuple[Peer, ...]) -> AddressList | None:
        """Return the tag whose addresses an end of a rule names one by one, exactly those; None where there is none."""
        if not self._by_addresses or not all(isinstance(peer, Addresses) for peer in end):
            return None
        addresses = None
        for peer in end:
            if isinstance(peer, Addresses):
                addresses = peer.addresses if addresses is None else addresses | peer.addresses
        return None if addresses is None else self._by_addresses.get(addresses)
