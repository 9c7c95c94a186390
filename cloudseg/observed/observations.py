"""What is asked of observed conversations: columns by name, and what they rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cloudseg.flows.coverage import Coverage

__all__ = ["Columns", "Observations"]


class Columns(Protocol):
    """Conversations column by column, as ``cloudseg.flows.columns`` has them."""

    def column(self, name: str) -> NDArray[Any]:
        """Return a column: texts as objects with None where there is none, lists as tuples, ports -1 for none."""
        ...

    def __len__(self) -> int:
        """Return how many conversations there are."""
        ...


class Observations(Columns, Protocol):
    """Conversations as a file of them is read: columns, and what they rest on."""

    @property
    def coverage(self) -> Coverage:
        """What the conversations rest on."""
        ...
