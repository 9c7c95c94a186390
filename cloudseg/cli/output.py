"""Where reports go: files, checked before anything is read, and stdout, whatever its reader does."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import typer

from cloudseg.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cloudseg.engine import FindingsDocument
    from cloudseg.reporters import RenderOptions

__all__ = ["check_files", "print_report", "seen_on_terminal", "summarise", "write_file"]

_DATA = frozenset(("json", "sarif", "csv", "markdown"))


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


def write_file(document: FindingsDocument, path: Path, name: str, render: RenderOptions) -> None:
    """Write a report to a file.

    Raises:
        InputError: the file cannot be written.
    """
    from cloudseg.reporters import FORMATS

    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            FORMATS[name].write(document, stream, render)
    except OSError as error:
        raise InputError(f"cannot write the report to {path}: {error.strerror}; choose another --output") from error


def print_report(document: FindingsDocument, name: str, render: RenderOptions) -> None:
    """Write a report to stdout; a reader that closes the pipe early changes nothing about the verdict.

    Raises:
        InputError: stdout is closed, or its disk is full.
    """
    from cloudseg.cli.terminal import as_data, let_go_of_stdout
    from cloudseg.reporters import FORMATS

    # Python has no stdout at all when the shell closed it.
    stream = sys.__stdout__
    if stream is None:
        raise InputError("there is no standard output to write the report to; use --output FILE")
    if name in _DATA:
        as_data(sys.stdout)
    try:
        FORMATS[name].write(document, sys.stdout, render)
        sys.stdout.flush()
    except BrokenPipeError:
        let_go_of_stdout()
    except OSError as error:
        let_go_of_stdout()
        raise InputError(f"cannot write the report to standard output: {error.strerror}") from error


def seen_on_terminal(name: str | None) -> bool:
    """Tell whether a table, the format named, just showed the same summary on the same terminal."""
    return name == "table" and sys.stdout.isatty() and sys.stderr.isatty()


def summarise(document: FindingsDocument, seconds: float, *, verbose: bool) -> None:
    """Write counts, what was read and how long it took to stderr; with ``verbose`` every gap and note."""
    from cloudseg.reporters.text import amount, visible

    summary = document.summary
    counts = ", ".join(f"{count} {name}" for name, count in summary.findings.items() if count) or "no findings"
    read = (amount(summary.scopes, "scope"), amount(summary.interfaces, "interface"), amount(summary.rules, "rule"))
    parts = [counts, *([f"{summary.waived} waived"] if summary.waived else []), *read]
    if summary.gaps:
        parts.append(f"{amount(summary.gaps, 'gap')}: the answer is incomplete")
    typer.echo(f"{'; '.join(parts)}; {seconds:.1f} s", err=True)
    if not verbose:
        return
    for source in document.sources:
        for gap in source.gaps:
            where = " ".join(filter(None, (source.provider, source.scope, gap.region, gap.what, gap.resource)))
            typer.echo(visible(f"  gap: {where}: {gap.reason}: {gap.detail}"), err=True)
    for note in document.notes:
        typer.echo(visible(f"  note: {note}"), err=True)
