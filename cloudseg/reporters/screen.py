"""What a terminal shows of a text: how many columns it takes, where it is folded, and in which colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.reporters.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.reporters.interface import RenderOptions

__all__ = ["Screen"]

_NARROWEST = 20
_PLAIN = str.maketrans({"…": "...", "–": "-", "—": "-", "·": "-", "→": "->", "’": "'", "“": '"', "”": '"'})  # noqa: RUF001 - the characters that ASCII can stand in for


class Screen:
    """Folds, colours and lays out texts for one width. Every text that goes through it is made visible first."""

    indent = 2
    gap = 2

    def __init__(self, options: RenderOptions) -> None:
        self.width = max(options.width, _NARROWEST)
        self.limit = options.limit
        self._color = options.color
        self._unicode = options.unicode

    def cells(self, text: str) -> int:
        """Return how many columns a text takes; wide characters take two, combining ones none."""
        shown = self._shown(text)
        if shown.isascii():
            return len(shown)
        from wcwidth import wcswidth

        return max(wcswidth(shown), 0)

    def colored(self, text: str, code: str) -> str:
        """Return a text between the escapes of a colour, where colours are wanted."""
        return f"\x1b[{code}m{text}\x1b[0m" if self._color else text

    def folded(self, text: str, indent: str = "") -> list[str]:
        """Return a text folded to the width; the lines after the first are indented two more."""
        first, *rest = self.cell([text], self.width - len(indent) - self.indent) or [""]
        return [f"{indent}{first}", *(f"{indent}  {line}" for line in rest)] if first else []

    def cell(self, texts: Iterable[str], columns: int) -> list[str]:
        """Return the lines of a cell: each text begins a line, and is folded at spaces, or anywhere if it must."""
        lines: list[str] = []
        for text in texts:
            shown = self._shown(text)
            if shown.isascii() and len(shown) <= columns:
                lines.append(shown)
            else:
                lines.extend(_fold(shown, columns))
        return lines

    def table(self, rows: Sequence[Sequence[Sequence[str]]], widths: Sequence[int]) -> Iterable[str]:
        """Yield the lines of rows of cells, in columns of exactly these widths, so that tables in parts agree."""
        from tabulate import tabulate

        pinned = [" " * width for width in widths]
        text = tabulate(
            [pinned, *(["\n".join(cell) for cell in row] for row in rows)],
            tablefmt="plain",
            disable_numparse=True,
            preserve_whitespace=True,
        )
        for line in text.split("\n")[1:]:
            yield f"{' ' * self.indent}{line}".rstrip()

    def _shown(self, text: str) -> str:
        shown = visible(text)
        if self._unicode or shown.isascii():
            return shown
        return shown.translate(_PLAIN).encode("ascii", "backslashreplace").decode("ascii")


def _fold(text: str, columns: int) -> list[str]:
    """Return the lines of a printable text, none wider than ``columns``, without losing a character but spaces."""
    from wcwidth import wcswidth

    lines: list[str] = []
    line, taken = "", 0
    for word in text.split(" "):
        size = len(word) if word.isascii() else max(wcswidth(word), 0)
        if line and taken + 1 + size <= columns:
            line, taken = f"{line} {word}", taken + 1 + size
            continue
        if line:
            lines.append(line)
        *full, line = _cut(word, size, columns)
        lines.extend(full)
        taken = size if not full else (len(line) if line.isascii() else max(wcswidth(line), 0))
    return [*lines, line] if line or not lines else lines


def _cut(word: str, size: int, columns: int) -> list[str]:
    """Return a word in pieces of at most ``columns``; a character and its combining marks stay together."""
    if size <= columns:
        return [word]
    if word.isascii():
        return [word[start : start + columns] for start in range(0, len(word), columns)]
    from wcwidth import iter_graphemes, wcswidth

    pieces = [""]
    taken = 0
    for grapheme in iter_graphemes(word):
        cells = max(wcswidth(grapheme), 0)
        if taken + cells > columns and pieces[-1]:
            pieces.append("")
            taken = 0
        pieces[-1] += grapheme
        taken += cells
    return pieces
