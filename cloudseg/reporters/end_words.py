"""How reports for people call the interfaces of an estate."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cloudseg.model import labelled
from cloudseg.reach.end_names import end_name
from cloudseg.reach.outside import INTERNET

if TYPE_CHECKING:
    from cloudseg.model import Estate

__all__ = ["EndWords"]


class EndWords:
    """The names of the interfaces of an estate."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._names = {identifier: end_name(interface, estate) for identifier, interface in estate.interfaces.items()}
        self._count = Counter(name.casefold() for name in self._names.values())
        self._own_ids = {interface.own_id.casefold() for interface in estate.interfaces.values()}
        self._known: dict[str, str] = {}

    def name(self, identifier: str) -> str:
        """Return the name of an interface: that of what owns it, else its own; empty where it has none."""
        return self._names.get(identifier, "")

    def label(self, identifier: str) -> str:
        """Return what to call an interface: its name where that can be no other's, else its own id with the name.

        An id that is made of names, such as that of a workload in its namespace, needs no other.
        """
        known = self._known.get(identifier)
        if known is None:
            known = self._known[identifier] = self._label(identifier)
        return known

    def _label(self, identifier: str) -> str:
        interface = self._estate.interfaces.get(identifier)
        name = self._names.get(identifier, "")
        if interface is None:
            return identifier
        label = labelled(interface.own_id, name)
        if label == interface.own_id:
            return label
        folded = name.casefold()
        # A name must not pass for an id, for another interface or for what is outside.
        plain = name.isascii() and name.isprintable() and name[0].isalpha() and not set(name) & set(" ,;:/()")
        if plain and self._count[folded] == 1 and folded not in self._own_ids and not folded.startswith(INTERNET):
            return name
        return label
