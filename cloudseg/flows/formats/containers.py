"""What a file of flow logs is packed in, known by its first bytes, and how paths are written for DuckDB."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["START", "Container", "container_of", "file_list", "pattern", "quoted_name", "quoted_text", "read_start"]

Container: TypeAlias = Literal["text", "gzip", "parquet"]

START: Final = 65_536
"""How many bytes of a file, decompressed, tell its format."""

_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"


def container_of(path: Path) -> Container:
    """Return what a file is packed in. Its name tells nothing: S3 and storage blobs are often saved without a suffix.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == _PARQUET:
        return "parquet"
    return "gzip" if magic.startswith(_GZIP) else "text"


def read_start(path: Path, container: Container) -> bytes:
    """Return the first 64 KiB of a file, decompressed: of a cut gzip stream what comes out; of Parquet nothing.

    Raises:
        OSError: the file cannot be read.
    """
    if container == "parquet":
        return b""
    with path.open("rb") as file:
        if container == "text":
            return file.read(START)
        inflate = zlib.decompressobj(wbits=31)
        out = b""
        while len(out) < START and (chunk := file.read(START // 4)):
            try:
                out += inflate.decompress(chunk, START - len(out))
            except zlib.error:
                break
            if inflate.eof:
                break
        return out


def quoted_text(text: str) -> str:
    """Return a text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def quoted_name(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def file_list(paths: Sequence[Path]) -> str:
    """Return paths as DuckDB's readers take them: a list, in which a ``*`` of a name is no pattern."""
    return "[" + ", ".join(quoted_text(pattern(path)) for path in paths) + "]"


def pattern(path: Path) -> str:
    """Return the pattern that matches nothing but this path."""
    return re.sub(r"[\[*?]", r"[\g<0>]", str(path))
