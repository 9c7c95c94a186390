"""Conversations of which the logs do not tell who opened them, where the rules let only one of the ends do so."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cloudseg.observed.columns_of import Numbers
    from cloudseg.observed.join import Joined
    from cloudseg.observed.observations import Columns
    from cloudseg.observed.usage import Usage

__all__ = ["RULE", "oriented"]

RULE: Final = "rule"
"""The evidence of an initiator who alone is let through by the rules of today; its confidence is ``low``."""


def oriented(joined: Joined, usage: Usage) -> Joined:
    """Return conversations with the ends in the order that rules allow, where they allow one order alone.

    Args:
        joined: the conversations and their ends.
        usage: which rules let them through.
    """
    if not len(usage.as_logged) and not len(usage.turned):
        return joined
    swapped = usage.turned
    initiators, responders = joined.initiators.copy(), joined.responders.copy()
    initiators[swapped], responders[swapped] = joined.responders[swapped], joined.initiators[swapped]
    table = _Oriented(joined.conversations, usage.as_logged, swapped)
    return dataclasses.replace(joined, conversations=table, initiators=initiators, responders=responders)


class _Oriented:
    """Columns of conversations of which some are known to be the other way round."""

    def __init__(self, table: Columns, known: Numbers, turned: Numbers) -> None:
        self._table, self._known, self._turned = table, known, turned

    def __len__(self) -> int:
        return len(self._table)

    def column(self, name: str) -> NDArray[Any]:
        """Return a column."""
        said = _SAID.get(name)
        other = _other(name)
        if said is None and other is None:
            return self._table.column(name)
        own = self._table.column(name).copy()
        if other is not None:
            own[self._turned] = self._table.column(other)[self._turned]
        if said is not None:
            own[self._known] = own[self._turned] = said
        return own


def _other(column: str) -> str | None:
    """Return the column that holds the same of the other end; None where a column is about no end."""
    if column in _PAIRS:
        return _PAIRS[column]
    side, _, rest = column.partition("_")
    return None if side not in _SIDES else "_".join(filter(None, (_SIDES[side], rest)))


_SAID: Final[Mapping[str, str | int]] = {"evidence": RULE, "confidence": "low", "initiator_port": -1}
_SIDES: Final = {"initiator": "responder", "responder": "initiator"}
_PAIRS: Final[Mapping[str, str | None]] = {
    "port": "initiator_port",
    "initiator_port": None,
    "packets": "packets_back",
    "packets_back": "packets",
    "bytes": "bytes_back",
    "bytes_back": "bytes",
}
