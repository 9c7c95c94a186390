"""What a format of a report is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TextIO, TypeVar

import msgspec

__all__ = ["RenderOptions", "Reporter"]

D = TypeVar("D")


class RenderOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a report is shown; formats that are data ignore it.

    Attributes:
        width: columns of the terminal.
        color: colour the severities by ANSI escapes.
        unicode: the stream takes every character; without it, tables are plain ASCII.
        limit: findings shown for each check of a table; 0 shows all.
    """

    width: int = 120
    color: bool = False
    unicode: bool = True
    limit: int = 20


class Reporter(msgspec.Struct, Generic[D], frozen=True, kw_only=True):
    """One format of a document: the findings, who reaches whom, a comparison.

    Attributes:
        name: as ``--format`` takes it.
        suffixes: endings of the file names that mean it, with the dot.
        write: writes the document piece by piece to a text stream that takes UTF-8.
    """

    name: str
    suffixes: tuple[str, ...]
    write: Callable[[D, TextIO, RenderOptions], None]
