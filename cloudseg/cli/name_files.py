"""The logs of names that a command line tells, or the bundled ones: the word ``demo``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cloudseg.cli.conversation_files import DEMO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.flows.naming.values import ObservedNames

__all__ = ["open_names"]

_SHOWN = 5


def open_names(logs: Sequence[str], *, quiet: bool = False) -> ObservedNames | None:
    """Read logs that hold names, and tell what of them could not be read; None where none is told.

    Args:
        logs: files, folders and patterns; ``demo`` for the bundled logs, where no file has this name.
        quiet: tell nothing.

    Raises:
        InputError: a place does not exist, or nothing of it could be read.
    """
    if not logs:
        return None
    from cloudseg.demo import demo_names_path
    from cloudseg.errors import InputError
    from cloudseg.flows.naming.reading import read_names
    from cloudseg.text import amount, visible

    places = [str(demo_names_path()) if each == DEMO and not Path(each).exists() else each for each in logs]
    found = read_names(places)
    if not found.names:
        why = f": {found.lost[0].file}: {found.lost[0].reason}" if found.lost else ""
        raise InputError(visible(f"no name could be read from {', '.join(logs)}{why}"))
    if not quiet:
        for each in found.lost[:_SHOWN]:
            what = amount(each.lines, "line") if each.lines else "all of it"
            typer.echo(visible(f"names: {each.file}: {what} not read: {each.reason}"), err=True)
        if len(found.lost) > _SHOWN:
            typer.echo(f"names: {len(found.lost) - _SHOWN} more losses", err=True)
    return found
