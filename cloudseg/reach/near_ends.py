"""The near end of rules: which rules of a list concern one of the interfaces that the list judges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import ANYONE, Addresses, Everyone, GroupRef, Unresolved, matches
from cloudseg.reach.packets import outside_addresses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Estate, Interface, Peer, Rule

__all__ = ["concerning"]


def concerning(rules: Sequence[Rule], interface: Interface, estate: Estate) -> list[Rule]:
    """Return the rules whose near end is the interface; one that only may concern it comes as not exact."""
    found: list[Rule] = []
    for rule in rules:
        concerned = True if rule.local == ANYONE else _at(rule.local, interface, estate)
        if concerned:
            found.append(rule)
        elif concerned is None:
            found.append(msgspec.structs.replace(rule, exact=False))
    return found


def _at(peers: Sequence[Peer], interface: Interface, estate: Estate) -> bool | None:
    """Tell whether an interface is among peers; None where that is unknown, or holds of some of its addresses only."""
    maybe = False
    for peer in peers:
        match peer:
            case Everyone():
                return True
            case GroupRef(group):
                known = estate.groups.get(group)
                if known is not None and matches(known.selector, interface):
                    return True
                maybe = maybe or interface.attached_unread or known is None
            case Addresses(addresses):
                if interface.addresses and interface.addresses <= addresses:
                    return True
                maybe = maybe or not interface.addresses or interface.addresses.overlaps(addresses)
            case Unresolved():
                maybe = True
            case _:
                least, most = outside_addresses((peer,), estate)
                if interface.addresses and interface.addresses <= least:
                    return True
                maybe = maybe or not interface.addresses or interface.addresses.overlaps(most)
    return None if maybe else False
