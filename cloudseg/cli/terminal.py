"""What the terminal can show."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

__all__ = ["as_data", "colored", "let_go_of_stdout", "takes_unicode", "width"]

PIPED_WIDTH = 120


def width() -> int:
    """Return the columns of the terminal; `COLUMNS` counts, and a pipe has 120."""
    return shutil.get_terminal_size((PIPED_WIDTH, 24)).columns


def colored(stream: TextIO) -> bool:
    """Tell whether colours are wanted: on a terminal, unless `NO_COLOR` is set. See https://no-color.org."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def takes_unicode(stream: TextIO) -> bool:
    """Tell whether the stream's encoding holds every character."""
    return (stream.encoding or "").lower().startswith("utf")


def as_data(stream: TextIO) -> None:
    """Make a stream write UTF-8 with the line ends that it is given, whatever the locale says."""
    reconfigure = getattr(stream, "reconfigure", None)
    if callable(reconfigure):
        reconfigure(encoding="utf-8", newline="")


def let_go_of_stdout() -> None:
    """Point stdout at nothing once its reader is gone, so that the interpreter's last flush does not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
