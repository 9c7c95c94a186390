"""What a benchmark found, and how it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Budget", "Result", "table"]


class Budget(msgspec.Struct, frozen=True):
    """A promise of the design, and what was measured; ``measured`` is None where it could not be, ``note`` says why."""

    what: str
    measured: float | None
    limit: float
    unit: str = "x"
    note: str = ""

    @property
    def verdict(self) -> str:
        """``yes``, ``no``, or ``not measured``."""
        if self.measured is None:
            return "not measured"
        return "yes" if self.measured <= self.limit else "no"


class Result(msgspec.Struct, frozen=True):
    """One benchmark: what was run, its figures as a table, and its budgets."""

    title: str
    about: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    budgets: tuple[Budget, ...] = ()
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """Return the section of a Markdown document."""
        parts = [f"## {self.title}", self.about, table(self.header, self.rows)]
        if self.budgets:
            parts.append(budgets_table(self.budgets))
        parts.extend(self.notes)
        return "\n\n".join(parts) + "\n"


def budgets_table(budgets: Iterable[Budget]) -> str:
    """Return budgets as a Markdown table."""
    rows = [
        (
            budget.what + (f" ({budget.note})" if budget.note else ""),
            "-" if budget.measured is None else f"{budget.measured:.2f} {budget.unit}",
            f"≤ {budget.limit:g} {budget.unit}",
            budget.verdict,
        )
        for budget in budgets
    ]
    return table(("budget", "measured", "limit", "met"), rows)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; the first column is text, the others are figures."""
    lines = [" | ".join(header), " | ".join(["---", *["---:"] * (len(header) - 1)])]
    lines.extend(" | ".join(row) for row in rows)
    return "\n".join(f"| {line} |" for line in lines)
