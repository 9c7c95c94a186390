"""Under which addresses an interface is seen on the internet when it sends there, and whether it can."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.reach.ways import is_public
from cloudseg.traffic import ALL_TRAFFIC, GLOBAL_UNICAST, NO_ADDRESSES, NO_TRAFFIC, AddressSet

if TYPE_CHECKING:
    from cloudseg.model import Estate, Family, Interface
    from cloudseg.traffic import Traffic

__all__ = ["Seen", "borne", "is_bare", "leaves", "lets_out", "seen_outside"]


class Seen(NamedTuple):
    """Under which addresses somebody is seen on the internet.

    Attributes:
        addresses: one of these.
        known: there is no other that no answer lists.
    """

    addresses: AddressSet
    known: bool


def is_bare(interface: Interface) -> bool:
    """Tell whether an interface surely bears no address that the internet knows, neither its own nor a lent one.

    So it is with most interfaces, about which nothing else below needs to be asked.
    """
    listed = interface.public_unlisted is False and interface.lent_unlisted is False and not interface.derived
    known = bool(interface.addresses.v4) and not interface.addresses.v6
    return listed and known and not interface.public and not interface.lent


def leaves(interface: Interface, family: Family, estate: Estate) -> bool | None:
    """Tell whether an internet gateway lets out what an interface sends; None where its addresses were not read.

    It takes a public address, its own or one that is lent to it.
    """
    lent = interface.lent.v4 if family == 4 else interface.lent.v6
    if lent or (family == 4 and interface.lent_unlisted is True):
        return True
    # What may stand before its own address may keep packets as well.
    return None if family == 4 and interface.lent_unlisted is None else is_public(interface, family, estate)


def lets_out(interface: Interface, family: Family, *, certain: bool) -> Traffic:
    """Return what an internet gateway lets out of what an interface sends, one that has an address for it.

    What an address does not carry that is lent may leave by the interface's own.
    """
    lent = interface.lent.v4 if family == 4 else interface.lent.v6
    own = interface.has_public_address(family)
    aside = NO_TRAFFIC if certain or family == 6 else interface.lent_aside
    if lent:
        return ALL_TRAFFIC if own and not certain else interface.lent_carries | aside
    unlisted = family == 4 and interface.lent_unlisted is not False and not own
    return interface.lent_carries | aside if unlisted else ALL_TRAFFIC


def seen_outside(interface: Interface, family: Family, estate: Estate) -> Seen:
    """Return under which public addresses of a family the internet sees what an interface sends."""
    lent = AddressSet(v4=interface.lent.v4) if family == 4 else AddressSet(v6=interface.lent.v6)
    if lent:
        # What the lent address does not carry may leave by the own one.
        return Seen(lent | borne(interface, family, estate).addresses, known=True)
    own = borne(interface, family, estate)
    return own if family == 6 or interface.lent_unlisted is False else own._replace(known=False)


def borne(interface: Interface, family: Family, estate: Estate) -> Seen:
    """Return by which public addresses of a family the internet can address an interface."""
    if family == 6:
        if not interface.public.v6 and not interface.addresses.v6:
            return Seen(NO_ADDRESSES, known=bool(interface.addresses))
        addresses = (interface.public | interface.addresses) & GLOBAL_UNICAST
        return Seen(AddressSet(v6=addresses.v6), known=bool(interface.addresses))
    listed = interface.public_unlisted is False and is_public(interface, 4, estate) is not None
    return Seen(AddressSet(v4=interface.public.v4), known=listed)
