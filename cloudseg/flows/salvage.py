"""What is whole of a gzip file that is cut or damaged: its lines up to where the stream breaks."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Salvaged", "salvaged"]

_AT_ONCE: Final = 1 << 20
_BEGINNING: Final = 256
_BITS: Final = 31  # A gzip stream with the largest window.
_ONE_VALUE: Final = re.compile(rb'\A(?:\xef\xbb\xbf)?\s*(?:\[|\{\s*"records"\s*:)')
"""How JSON begins that is one value, of many lines or of none: its reader knows what of it is whole."""


class Salvaged(NamedTuple):
    """The lines that came out of a broken file.

    Attributes:
        path: where they lie, as plain text; the caller removes it.
        reason: what is wrong with the file, in words.
    """

    path: Path
    reason: str


def salvaged(path: Path, folder: Path) -> Salvaged | None:
    """Unpack as much of a gzip file as there is, to a file below a folder; None: it is whole, or nothing came out.

    The last line is left out, unless it ends with a line break: nobody knows what is missing of it. JSON that is one
    value is kept as it comes out. Partitions in the path (``aws-account-id=…``) stay in the path, since readers look
    there.
    """
    place = folder.joinpath("salvaged", *(part for part in path.parts[:-1] if "=" in part), path.name)
    place.parent.mkdir(parents=True, exist_ok=True)
    with path.open("rb") as packed, place.open("wb") as text:
        reason = _unpack(packed.read, text.write)
    with place.open("rb") as text:
        one_value = _ONE_VALUE.match(text.read(_BEGINNING)) is not None
    whole = place.stat().st_size if one_value else _end_of_last_line(place)
    if reason is None or whole == 0:
        place.unlink()
        return None
    with place.open("rb+") as text:
        text.truncate(whole)
    return Salvaged(place, reason)


def _unpack(read: Callable[[int], bytes], write: Callable[[bytes], int]) -> str | None:
    """Unpack what can be unpacked, of several streams one after the other; what stopped it, None: nothing."""
    stream = zlib.decompressobj(wbits=_BITS)
    begun = False
    while chunk := read(_AT_ONCE):
        while chunk:
            begun = True
            try:
                write(stream.decompress(chunk))
            except zlib.error as error:
                return f"its gzip stream is damaged ({error}): what comes after that is lost"
            chunk = stream.unused_data
            if stream.eof:
                stream, begun = zlib.decompressobj(wbits=_BITS), bool(chunk)
    return "its gzip stream ends too early: what should come after that is lost" if begun else None


def _end_of_last_line(path: Path) -> int:
    """How many bytes a file has up to its last line break, that included."""
    end = path.stat().st_size
    with path.open("rb") as file:
        while end > 0:
            start = max(0, end - _AT_ONCE)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0
