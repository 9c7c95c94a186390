"""Where reports go: files, checked before anything is read, and stdout, whatever its reader does."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TypeVar

import typer

from cloudseg.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from cloudseg.engine import FindingsDocument, SourceInfo
    from cloudseg.reporters import RenderOptions, Reporter

__all__ = ["check_files", "list_gaps", "print_report", "seen_on_terminal", "summarise", "write_file"]

D = TypeVar("D")

_FOR_PEOPLE = frozenset(("table", "text"))


def check_files(paths: Iterable[Path]) -> None:
    """Refuse files that cannot be written, before an account is read for an hour.

    Raises:
        InputError: the folder is not there or cannot be written, or the name is a folder's.
    """
    for path in paths:
        folder = path.parent
        if path.is_dir():
            raise InputError(f"cannot write the report to {path}: it is a folder; name a file in it")
        if not folder.is_dir():
            raise InputError(f"cannot write the report to {path}: there is no folder {folder}; make it first")
        if not os.access(path if path.exists() else folder, os.W_OK):
            raise InputError(f"cannot write the report to {path}: permission denied; choose another --output")


def write_file(document: D, path: Path, reporter: Reporter[D], render: RenderOptions) -> None:
    """Write a report to a file.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            reporter.write(document, stream, render)
    except OSError as error:
        raise InputError(f"cannot write the report to {path}: {error.strerror}; choose another --output") from error


def print_report(document: D, reporter: Reporter[D], render: RenderOptions) -> bool:
    """Write a report to stdout; a reader that closes the pipe early changes nothing about the verdict.

    Returns whether all of it was written: what a reporter counts while it writes is only then complete.

    Raises:
        InputError: stdout is closed, or its disk is full.
    """
    from cloudseg.cli.terminal import as_data, let_go_of_stdout

    # Python has no stdout at all when the shell closed it.
    stream = sys.__stdout__
    if stream is None:
        raise InputError("there is no standard output to write the report to; use --output FILE")
    if reporter.name not in _FOR_PEOPLE:
        as_data(sys.stdout)
    try:
        reporter.write(document, sys.stdout, render)
        sys.stdout.flush()
    except BrokenPipeError:
        let_go_of_stdout()
        return False
    except OSError as error:
        let_go_of_stdout()
        raise InputError(f"cannot write the report to standard output: {error.strerror}") from error
    return True


def seen_on_terminal(name: str | None) -> bool:
    """Tell whether a table, the format named, just showed the same summary on the same terminal."""
    return name == "table" and sys.stdout.isatty() and sys.stderr.isatty()


def summarise(document: FindingsDocument, seconds: float, *, verbose: bool) -> None:
    """Write counts, what was read and how long it took to stderr; with ``verbose`` every gap and note."""
    from cloudseg.text import amount

    summary = document.summary
    counts = ", ".join(f"{count} {name}" for name, count in summary.findings.items() if count) or "no findings"
    read = (amount(summary.scopes, "scope"), amount(summary.interfaces, "interface"), amount(summary.rules, "rule"))
    parts = [counts, *([f"{summary.waived} waived"] if summary.waived else []), *read]
    if summary.gaps:
        parts.append(f"{amount(summary.gaps, 'gap')}: the answer is incomplete")
    typer.echo(f"{'; '.join(parts)}; {seconds:.1f} s", err=True)
    if verbose:
        list_gaps(document.sources, document.notes)


def list_gaps(sources: Sequence[SourceInfo], notes: Sequence[str]) -> None:
    """Write every gap and note to stderr."""
    from cloudseg.reporters.wording import gap_lines
    from cloudseg.text import visible

    for line in gap_lines(sources):
        typer.echo(visible(f"  gap: {line}"), err=True)
    for note in notes:
        typer.echo(visible(f"  note: {note}"), err=True)
