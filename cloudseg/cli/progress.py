"""Progress bars, on stderr."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["bytes_bar", "progress_bar"]


@contextmanager
def progress_bar(title: str) -> Generator[Callable[[str, int, int], None]]:
    """Show a bar while the block runs; yields what to call with the current text, the steps done and the total."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def advance(text: str, done: int, total: int) -> None:
            bar.update(task, description=escape(text), completed=done, total=total)

        yield advance


@contextmanager
def bytes_bar(title: str) -> Generator[Callable[[int, int | None, int], None]]:
    """Show a bar of bytes and rows while the block runs; yields what to call with both, and all bytes if known."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(title), BarColumn(), DownloadColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def advance(done: int, total: int | None, rows: int) -> None:
            bar.update(task, description=f"{rows:,} rows", completed=done, total=total)

        yield advance
