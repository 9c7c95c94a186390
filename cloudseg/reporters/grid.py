"""Rows in columns, written one at a time: for tables that nobody can hold in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.reporters.screen import Screen

__all__ = ["Grid"]


class Grid:
    """Columns of fixed widths. The same texts come again and again: each is folded and padded once.

    Args:
        widths: the columns of each cell.
        screen: folds and measures texts.
    """

    def __init__(self, widths: Sequence[int], screen: Screen) -> None:
        self._widths = tuple(widths)
        self._screen = screen
        self._indent = " " * screen.indent
        self._gap = " " * screen.gap
        self._cells: dict[tuple[str, int], tuple[str, ...]] = {}

    def header(self, titles: Sequence[str]) -> Iterator[str]:
        """Yield the lines above the first row."""
        yield from (self._screen.colored(line, "1") for line in self.row(titles))
        yield self._indent + self._gap.join("-" * width for width in self._widths)

    def row(self, texts: Sequence[str]) -> Iterator[str]:
        """Yield the lines of a row of cells; a line feed in a text begins a new line of its cell."""
        cells = [self._cell(text, width) for text, width in zip(texts, self._widths, strict=True)]
        for number in range(max(map(len, cells))):
            parts = (
                cell[number] if number < len(cell) else " " * width
                for cell, width in zip(cells, self._widths, strict=True)
            )
            yield f"{self._indent}{self._gap.join(parts)}".rstrip()

    def _cell(self, text: str, width: int) -> tuple[str, ...]:
        known = self._cells.get((text, width))
        if known is None:
            folded = self._screen.cell(text.split("\n"), width) or [""]
            known = tuple(line + " " * (width - self._screen.cells(line)) for line in folded)
            self._cells[text, width] = known
        return known
