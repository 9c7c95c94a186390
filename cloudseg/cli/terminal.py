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


def colored(stream: TextIO | None) -> bool:
    """Tell whether colours are wanted: on a terminal, unless `NO_COLOR` is set. See https://no-color.org."""
    if stream is None or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()


def takes_unicode(stream: TextIO | None) -> bool:
    """Tell whether the stream's encoding holds every character; what the shell closed is None, and holds none."""
    return stream is not None and (stream.encoding or "").lower().startswith("utf")


def as_data(stream: TextIO) -> None:
    """Make a stream write UTF-8 with the line ends that it is given, whatever the locale says."""
    reconfigure = getattr(stream, "reconfigure", None)
    if callable(reconfigure):
        reconfigure(encoding="utf-8", newline="")


def let_go_of_stdout() -> None:
    """Point stdout at nothing once its reader is gone, so that the interpreter's last flush does not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
