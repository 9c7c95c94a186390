"""Sets of whole numbers, kept as intervals: the ground that addresses, ports and ICMP types stand on."""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final, Self

from cloudseg.errors import ParseError

__all__ = ["NO_NUMBERS", "IntervalSet"]


class IntervalSet:
    """An immutable set of non-negative whole numbers, in the one canonical form that equal sets share.

    Attributes:
        intervals: pairs ``(first, last)``, both inclusive, sorted, disjoint and never adjacent.

    The constructor trusts that its argument has that form; :meth:`of` and :meth:`from_pairs` bring any input into it.
    Operations are linear in the number of intervals and give back an operand itself where the result equals it.
    """

    __slots__ = ("_hash", "intervals")

    intervals: Final[tuple[tuple[int, int], ...]]

    def __init__(self, intervals: tuple[tuple[int, int], ...] = ()) -> None:
        self.intervals = intervals
        self._hash = -1

    @classmethod
    def of(cls, *members: int | tuple[int, int]) -> Self:
        """Make a set of single numbers and inclusive pairs, in any order.

        Raises:
            ParseError: a number is negative or a pair ends before it begins.
        """
        return cls.from_pairs((member, member) if isinstance(member, int) else member for member in members)

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[int, int]]) -> Self:
        """Make a set of inclusive pairs that may overlap, touch and come in any order.

        Raises:
            ParseError: a number is negative or a pair ends before it begins.
        """
        ordered = sorted(pairs)
        for first, last in ordered:
            if not 0 <= first <= last:
                raise ParseError(f"{first}-{last} is no interval: its ends are 0 or more, the smaller one first")
        return cls(_coalesce(ordered))

    def __or__(self, other: "IntervalSet") -> "IntervalSet":
        """Return the numbers in either set."""
        a, b = self.intervals, other.intervals
        if a is b or not b:
            return self
        if not a:
            return other
        if len(a) == 1 and a[0][0] <= b[0][0] and b[-1][1] <= a[0][1]:
            return self
        if len(b) == 1 and b[0][0] <= a[0][0] and a[-1][1] <= b[0][1]:
            return other
        # Sorting two sorted runs is one linear merge.
        return _same_or_new(_coalesce(sorted(a + b)), self, other)

    def __and__(self, other: "IntervalSet") -> "IntervalSet":
        """Return the numbers in both sets."""
        a, b = self.intervals, other.intervals
        if a is b or not a:
            return self
        if not b:
            return other
        if a[-1][1] < b[0][0] or b[-1][1] < a[0][0]:
            return NO_NUMBERS
        if len(b) == 1 and b[0][0] <= a[0][0] and a[-1][1] <= b[0][1]:
            return self
        if len(a) == 1 and a[0][0] <= b[0][0] and b[-1][1] <= a[0][1]:
            return other
        return _same_or_new(_intersect(a, b), self, other)

    def __sub__(self, other: "IntervalSet") -> "IntervalSet":
        """Return the numbers in this set and not in the other."""
        a, b = self.intervals, other.intervals
        if not a or not b or a[-1][1] < b[0][0] or b[-1][1] < a[0][0]:
            return self
        if a is b or (len(b) == 1 and b[0][0] <= a[0][0] and a[-1][1] <= b[0][1]):
            return NO_NUMBERS
        return _same_or_new(_subtract(a, b), self, NO_NUMBERS)

    def __le__(self, other: "IntervalSet") -> bool:
        """Tell whether every number of this set is in the other."""
        a, b = self.intervals, other.intervals
        if a is b or not a:
            return True
        if not b or a[0][0] < b[0][0] or b[-1][1] < a[-1][1]:
            return False
        if len(b) == 1:
            return True
        position = 0
        for first, last in a:
            position = bisect_left(b, (first + 1,), lo=position) - 1
            if position < 0 or b[position][1] < last:
                return False
        return True

    def overlaps(self, other: "IntervalSet") -> bool:
        """Tell whether the sets share a number."""
        a, b = self.intervals, other.intervals
        if not a or not b or a[-1][1] < b[0][0] or b[-1][1] < a[0][0]:
            return False
        if a is b:
            return True
        i = j = 0
        while i < len(a) and j < len(b):
            if a[i][1] < b[j][0]:
                i += 1
            elif b[j][1] < a[i][0]:
                j += 1
            else:
                return True
        return False

    def complement(self, first: int, last: int) -> "IntervalSet":
        """Return the numbers from ``first`` to ``last`` inclusive that are not in this set."""
        return IntervalSet.of((first, last)) - self

    @property
    def size(self) -> int:
        """How many numbers the set has."""
        return sum(last - first + 1 for first, last in self.intervals)

    def __contains__(self, number: int) -> bool:
        """Tell whether the number is in the set."""
        # A one-element tuple sorts before every pair that begins with the same number.
        position = bisect_left(self.intervals, (number + 1,)) - 1
        return position >= 0 and number <= self.intervals[position][1]

    def __bool__(self) -> bool:
        """Tell whether the set has any number."""
        return bool(self.intervals)

    def __eq__(self, other: object) -> bool:
        """Tell whether both sets have the same numbers."""
        if self is other:
            return True
        if not isinstance(other, IntervalSet):
            return NotImplemented
        return self.intervals == other.intervals

    def __hash__(self) -> int:
        """Return the same hash for equal sets, computed once."""
        if self._hash == -1:
            self._hash = hash(self.intervals)
        return self._hash

    def __repr__(self) -> str:
        """Return the expression that makes this set."""
        members = (str(first) if first == last else f"({first}, {last})" for first, last in self.intervals)
        return f"IntervalSet.of({', '.join(members)})"


def _same_or_new(intervals: tuple[tuple[int, int], ...], a: IntervalSet, b: IntervalSet) -> IntervalSet:
    # Giving back an operand keeps the identity shortcuts of the next operation alive.
    if intervals == a.intervals:
        return a
    if intervals == b.intervals:
        return b
    return IntervalSet(intervals)


def _coalesce(ordered: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    if len(ordered) < 2:
        return tuple(ordered)
    merged: list[tuple[int, int]] = []
    first, last = ordered[0]
    for next_first, next_last in ordered:
        if next_first > last + 1:
            merged.append((first, last))
            first, last = next_first, next_last
        elif next_last > last:
            last = next_last
    merged.append((first, last))
    return tuple(merged)


def _intersect(a: tuple[tuple[int, int], ...], b: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    shared: list[tuple[int, int]] = []
    i = j = 0
    while i < len(a) and j < len(b):
        a_first, a_last = a[i]
        b_first, b_last = b[j]
        first = max(b_first, a_first)
        last = min(b_last, a_last)
        if first <= last:
            shared.append((first, last))
        if a_last < b_last:
            i += 1
        else:
            j += 1
    return tuple(shared)


def _subtract(a: tuple[tuple[int, int], ...], b: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    left: list[tuple[int, int]] = []
    j = 0
    for first, last in a:
        begin = first
        while j < len(b) and b[j][1] < begin:
            j += 1
        while j < len(b) and b[j][0] <= last:
            cut_first, cut_last = b[j]
            if begin < cut_first:
                left.append((begin, cut_first - 1))
            begin = cut_last + 1
            if begin > last:
                # This cut may reach into the next interval, so it stays the current one.
                break
            j += 1
        if begin <= last:
            left.append((begin, last))
    return tuple(left)


NO_NUMBERS: Final = IntervalSet()
