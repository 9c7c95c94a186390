"""How the interfaces of an estate are called: services call theirs after themselves, ``RDSNetworkInterface``."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from cloudseg.model import labelled

if TYPE_CHECKING:
    from cloudseg.model import Estate, Interface

__all__ = ["end_label", "end_name"]


def end_name(interface: Interface, estate: Estate) -> str:
    """Return the name of what owns an interface, else that of its endpoint, else its own; empty where it has none."""
    owner = estate.owner_of(interface)
    if owner is not None and owner.name:
        return owner.name
    return _endpoints(estate).get(interface.id, interface.name)


def end_label(interface: Interface, estate: Estate) -> str:
    """Return the own id of an interface, followed by its name in parentheses where that says more."""
    return labelled(interface.own_id, end_name(interface, estate))


@lru_cache(maxsize=2)
def _endpoints(estate: Estate) -> dict[str, str]:
    """Return the names of endpoints by the qualified ids of their interfaces."""
    return {name: each.name for each in estate.endpoints.values() for name in each.interfaces if each.name}
