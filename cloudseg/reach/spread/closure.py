"""Everything that can be reached step after step in a graph of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.reach.spread.bits import Bits, Row, as_number, empty, held, transposed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Closure", "closure_of"]


class Closure(NamedTuple):
    """What is reached from each class in one step or more. Many classes reach the same.

    Attributes:
        rows: the different sets that are reached; the first is the empty one.
        kind: for each class the number of its row.
    """

    rows: Bits
    kind: np.ndarray[tuple[int], np.dtype[np.intp]]

    def beyond(self, first: Row) -> Row:
        """Return a set of classes and everything that is reached from them."""
        return first | self._union(first)

    def _union(self, first: Row) -> Row:
        wanted = np.zeros(len(self.rows), dtype=np.bool_)
        wanted[self.kind[held(first, len(self.kind))]] = True
        union: Row = np.bitwise_or.reduce(self.rows[wanted], axis=0)
        return union


def closure_of(steps: Bits) -> Closure:
    """Return what is reached in one step or more.

    Classes that reach each other are one component and reach the same. Components are worked out from the far end, so
    that what is reached from the next ones is known already, and each different set is joined once.

    Args:
        steps: for each class the classes that are reached in one step.
    """
    size = len(steps)
    back = transposed(steps, size)
    rows = empty(size + 1, size)
    kinds: dict[bytes, int] = {rows[0].tobytes(): 0}
    kind = np.zeros(size, dtype=np.intp)
    # What is reached follows from the first step alone, and many classes share theirs.
    after: dict[bytes, int] = dict(kinds)
    for component in reversed(_components([as_number(row) for row in steps], [as_number(row) for row in back])):
        own = steps[component[0]] if len(component) == 1 else np.bitwise_or.reduce(steps[component], axis=0)
        first = own.tobytes()
        known = after.get(first)
        if known is not None:
            kind[component] = known
            continue
        # What the component's own classes add is not known yet, and is what is worked out: their kind is still 0.
        wanted = np.zeros(len(kinds), dtype=np.bool_)
        wanted[kind[held(own, size)]] = True
        reached = own | np.bitwise_or.reduce(rows[: len(kinds)][wanted], axis=0)
        text = reached.tobytes()
        number = kinds.get(text)
        if number is None:
            number = kinds[text] = len(kinds)
            rows[number] = reached
        kind[component] = after[first] = number
    return Closure(rows[: len(kinds)].copy(), kind)


def _components(steps: Sequence[int], back: Sequence[int]) -> list[list[int]]:
    """Return the classes that reach each other, together, in an order in which steps lead to later ones only.

    Kosaraju's algorithm. Source: A. V. Aho, J. E. Hopcroft, J. D. Ullman, Data Structures and Algorithms, 6.7.
    """
    order = [number for tree in _trees(range(len(steps)), steps) for number in tree]
    return list(_trees(reversed(order), back))


def _trees(roots: Iterable[int], steps: Sequence[int]) -> Iterator[list[int]]:
    """Yield the trees of a depth-first search, each with its classes in the order in which they are left.

    Sets are numbers here, and the next class to visit is the lowest bit of those that were not seen yet: the cost grows
    with classes and not with the pairs of them.
    """
    unseen = (1 << len(steps)) - 1
    for root in roots:
        if not unseen >> root & 1:
            continue
        unseen ^= 1 << root
        path, left = [root], list[int]()
        while path:
            fresh = steps[path[-1]] & unseen
            if fresh:
                lowest = fresh & -fresh
                unseen ^= lowest
                path.append(lowest.bit_length() - 1)
            else:
                left.append(path.pop())
        yield left
