"""Flow logs written as JSON: whether a file is whole, how large its values may be, as what its fields are read.

DuckDB's reader: https://duckdb.org/docs/data/json/loading_json
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.flows.formats.containers import container_of, quoted_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = [
    "columns_clause",
    "compression",
    "is_array",
    "is_whole",
    "largest_value",
    "parted",
    "query",
    "selected",
    "structure",
    "together",
]

_TAIL: Final = 4096
_SPACE: Final = b" \t\r\n"
_USUAL: Final = 16 << 20
"""What DuckDB takes for the size of one value by default, in bytes."""
_MOST: Final = (1 << 31) - 1
_RATIO: Final = 16
"""Flow logs shrink to a tenth under gzip; a file of several gzip members tells the size of the last alone."""


def is_array(start: bytes) -> bool:
    """Return whether a file's beginning opens an array."""
    return start.lstrip(_SPACE + b"\xef\xbb\xbf").startswith(b"[")


def is_whole(path: Path, closing: bytes | tuple[bytes, ...]) -> bool:
    """Return whether a text file ends in what closes it (one of several), spaces passed over.

    A file that is packed is taken for whole: only unpacking all of it would tell.

    Raises:
        OSError: the file cannot be read.
    """
    if container_of(path) != "text":
        return True
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        end = bytes(byte for byte in file.read() if byte not in _SPACE)
    return end.endswith(closing)


def parted(paths: Sequence[Path], closing: bytes | tuple[bytes, ...]) -> tuple[list[Path], list[Path]]:
    """Return the files that are whole, and those that end in the middle.

    Raises:
        OSError: a file cannot be read.
    """
    whole: list[Path] = []
    cut: list[Path] = []
    for path in paths:
        (whole if is_whole(path, closing) else cut).append(path)
    return whole, cut


def largest_value(paths: Sequence[Path]) -> int:
    """Return the bytes that the largest of these files may need when the whole of it is one JSON value.

    Raises:
        OSError: a file cannot be read.
    """
    return min(_MOST, max(_USUAL, *(_unpacked(path) + 1024 for path in paths)))


def _unpacked(path: Path) -> int:
    size = path.stat().st_size
    if container_of(path) != "gzip":
        return size
    with path.open("rb") as file:
        file.seek(max(0, size - 4))
        told = file.read(4)
    # The last four bytes of a member are its size: https://www.rfc-editor.org/rfc/rfc1952#section-2.3.1
    return max(struct.unpack("<I", told)[0] if len(told) == 4 else 0, size * _RATIO)


def together(sources: Sequence[str]) -> str:
    """Return what stands after FROM to read several such sources as one."""
    if len(sources) == 1:
        return sources[0]
    return "(" + " UNION ALL ".join(query({"*": "*"}, source) for source in sources) + ")"


def query(columns: Mapping[str, str], source: str) -> str:
    """Return the SELECT of columns, each by its expression over what stands after FROM; ``*`` is all of that."""
    told = ", ".join("*" if name == "*" else f'{expression} AS "{name}"' for name, expression in columns.items())
    return f"SELECT {told} FROM {source}"  # noqa: S608 -- expressions of the formats; paths in them are quoted


def selected(columns: Mapping[str, str], source: str) -> str:
    """Return the same as what stands after FROM of another query."""
    return f"({query(columns, source)})"


def columns_clause(fields: Sequence[str]) -> str:
    """Return what the option ``columns`` of ``read_json`` takes for these fields, each a text.

    ``a.b`` is the field ``b`` of the object ``a``. A name that ends in ``[]`` is a list: ``names[]`` of texts,
    ``items[].name`` of objects.
    """
    return "{" + ", ".join(f'"{name}": {quoted_text(kind.type)}' for name, kind in _members(fields).items()) + "}"


def compression(paths: Sequence[Path]) -> str:
    """Return the option of ``read_json`` for how these files are packed, all alike: their names may tell otherwise.

    Raises:
        OSError: a file cannot be read.
    """
    return f"compression = '{'gzip' if container_of(paths[0]) == 'gzip' else 'none'}'"


def structure(fields: Sequence[str]) -> str:
    """Return the structure that ``from_json`` takes for an object with these fields, written likewise."""
    return "{" + ", ".join(f'"{name}": {kind.structure}' for name, kind in _members(fields).items()) + "}"


class _Kind(NamedTuple):
    type: str
    structure: str


def _members(fields: Sequence[str]) -> dict[str, _Kind]:
    below: dict[str, list[str]] = {}
    for field in fields:
        name, _, rest = field.partition(".")
        below.setdefault(name, []).extend((rest,) if rest else ())
    return {name.removesuffix("[]"): _kind(name, rest) for name, rest in below.items()}


def _kind(name: str, below: Sequence[str]) -> _Kind:
    if not below:
        kind = _Kind("VARCHAR", '"VARCHAR"')
    else:
        members = ", ".join(f'"{member}" {inner.type}' for member, inner in _members(below).items())
        kind = _Kind(f"STRUCT({members})", structure(below))
    return _Kind(f"{kind.type}[]", f"[{kind.structure}]") if name.endswith("[]") else kind
