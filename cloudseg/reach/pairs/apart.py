"""Ordered lists of which each holds other rules than the next, out of rules that stand in many of them.

What tags and accounts choose of one list of a network is such a list for every machine. So it is looked up once what
each rule names, over stretches of columns that no rule tells apart and kinds of traffic that none of them splits: a bit
for each stretch and kind, all bits of a rule in one long number. A list is then worked out by a few operations a rule.
"""

from __future__ import annotations

from functools import reduce
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.reach.pairs.first_match import Decided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cloudseg.reach.pairs.atoms import Words
    from cloudseg.reach.pairs.contents import Rows
    from cloudseg.reach.pairs.first_match import Into, Spans, Turn

__all__ = ["Apart"]

_LARGEST: Final = 1 << 24
"""So many bytes that tell what rules name are kept of some lists."""
_BYTE: Final = 8
_BITS_OF_BYTES: Final = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")


class _Kinds(NamedTuple):
    """The kinds of traffic that some rules do not split, eight of them in a byte.

    Attributes:
        of_rules: for each rule the kinds that it names, as a number.
        words: for each byte of such a number, and each value of it, the traffic.
    """

    of_rules: list[int]
    words: list[NDArray[np.uint64]]

    @staticmethod
    def of(turns: Sequence[Turn], everything: Words) -> _Kinds:
        """Return the kinds of traffic of some rules."""
        words: NDArray[np.uint64] = np.array([everything, *(turn.words for turn in turns)], dtype=np.uint64)
        bits = np.unpackbits(words.view(np.uint8), axis=1)
        # Atoms that the same rules name are one kind.
        alike: dict[bytes, list[int]] = {}
        for atom, named in enumerate(np.packbits(bits, axis=0).T.tolist()):
            if bits[0, atom]:
                alike.setdefault(bytes(named), []).append(atom)
        size = -(-len(alike) // _BYTE)
        kinds = np.zeros((size * _BYTE, bits.shape[1]), dtype=np.uint8)
        for kind, atoms in enumerate(alike.values()):
            kinds[kind, atoms] = 1
        firsts = [atoms[0] for atoms in alike.values()]
        codes = np.packbits(bits[1:, firsts], axis=1, bitorder="little")
        of_kinds = np.packbits(kinds, axis=1).view(np.uint64).reshape(size, _BYTE, -1)
        return _Kinds(
            [int.from_bytes(code.tobytes(), "little") for code in codes],
            # No two kinds share an atom, so that their sum is all of them together.
            [(_BITS_OF_BYTES.astype(np.uint64) @ eight).T.copy() for eight in of_kinds],
        )


class Apart:
    """Rules that stand in many lists.

    Args:
        masks: by rule, what it names: for each stretch the bytes of its kinds, those of the first stretch lowest.
        into: by rule, what becomes of what it names.
        words: for each byte of a stretch, and each value of it, the traffic.
        lengths: how many columns each stretch has.

    Attributes:
        cells: how many words it keeps.
    """

    def __init__(
        self,
        masks: Sequence[int],
        into: Sequence[Into],
        words: Sequence[NDArray[np.uint64]],
        lengths: NDArray[np.intp],
    ) -> None:
        self._masks = masks
        self._into = into
        self._words = words
        self._lengths = lengths
        self._bytes = len(words) * len(lengths)
        self.cells = len(masks) * self._bytes // _BYTE

    @staticmethod
    def of(turns: Sequence[Turn], width: int, everything: Words) -> Apart | None:
        """Return rules that stand in many lists; None where it would be too much to keep what they name.

        Args:
            turns: the rules, each once.
            width: how many columns there are.
            everything: all traffic.
        """
        cuts = sorted({0, width, *chain.from_iterable(chain.from_iterable(turn.spans for turn in turns))})
        kinds = _Kinds.of(turns, everything)
        size = len(kinds.words)
        if len(turns) * len(cuts) * size > _LARGEST:
            return None
        # A one in the lowest byte of every stretch before a cut: what differs between two cuts stands between them.
        ones = accumulate((1 << place * size * _BYTE for place in range(len(cuts) - 1)), initial=0)
        before = dict(zip(cuts, ones, strict=True))
        named: dict[Spans, int] = {}
        for turn in turns:
            if turn.spans not in named:
                named[turn.spans] = reduce(int.__or__, (before[end] ^ before[start] for start, end in turn.spans), 0)
        return Apart(
            [named[turn.spans] * code for turn, code in zip(turns, kinds.of_rules, strict=True)],
            [turn.into for turn in turns],
            kinds.words,
            np.diff(cuts),
        )

    def decided(self, order: Sequence[int]) -> Decided:
        """Return what a list makes of all traffic.

        Args:
            order: its rules in their order, by their places among all.
        """
        left = (1 << self._bytes * _BYTE) - 1
        passed = accepted = 0
        accepts = False
        for rule in order:
            taken = self._masks[rule] & left
            left ^= taken
            into = self._into[rule]
            if into == "passed":
                passed |= taken
            elif into == "accepted":
                accepted |= taken
                accepts = True
        return Decided(self._spread(passed), self._spread(accepted) if accepts else None, self._spread(left))

    def _spread(self, bits: int) -> Rows:
        """Return the traffic of stretches and kinds, by word and column."""
        codes = np.frombuffer(bits.to_bytes(self._bytes, "little"), dtype=np.uint8).reshape(-1, len(self._words))
        rows = self._words[0].take(codes[:, 0], axis=1)
        for place in range(1, len(self._words)):
            rows |= self._words[place].take(codes[:, place], axis=1)
        found: Rows = rows.repeat(self._lengths, axis=1)
        return found
