"""Ways of many conversations beside each other, and what carries them, as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cloudseg.observed.columns_of import Numbers

__all__ = ["Borne", "Pair", "Way"]

Pair = tuple[int, int | None]
"""Protocol and port; None for a port that is not known, or where there are none."""


class Way(NamedTuple):
    """Ways in which conversations may have gone, one beside the other.

    Attributes:
        sources: the numbers of the ends that opened them.
        targets: those of the other ends.
        traffic: those of the traffic.
        middles: those of who reported them in between.
        providers: those of whose logs showed them.
    """

    sources: Numbers
    targets: Numbers
    traffic: Numbers
    middles: Numbers
    providers: Numbers

    def at(self, rows: Numbers) -> Way:
        """Return some of them."""
        return Way(*(each[rows] for each in self))

    def back(self, traffic: Numbers) -> Way:
        """Return the ways from the other ends, with other traffic."""
        return self._replace(sources=self.targets, targets=self.sources, traffic=traffic)


class Borne(NamedTuple):
    """What carries connections, by its number: :attr:`Ways.answers`.

    Attributes:
        out: at the ends that opened them.
        into: at the other ends.
        between: in between, all of it together; that stops nothing.
        passes: whether something of them passes, at most.
    """

    out: Numbers
    into: Numbers
    between: Numbers
    passes: NDArray[np.bool_]

    def at(self, rows: Numbers) -> Borne:
        """Return what carries some of them."""
        return Borne(self.out[rows], self.into[rows], self.between[rows], self.passes[rows])
