"""A comparison as JSON: ``cloudseg/diff/v1``, described by ``docs/schemas/diff.schema.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec

from cloudseg.reporters.interface import RenderOptions, Reporter
from cloudseg.reporters.json_stream import write_json

if TYPE_CHECKING:
    from typing import TextIO

    from cloudseg.reporters.diff_document import DiffDocument

__all__ = ["REPORTER"]

_LONG = frozenset(("gained", "lost", "came", "went"))


def _write(document: DiffDocument, stream: TextIO, _options: RenderOptions) -> None:
    members: dict[str, object] = {}
    for field in msgspec.structs.fields(document):
        value: object = getattr(document, field.name)
        long = field.name in _LONG
        members[field.encode_name] = iter(cast("tuple[object, ...]", value)) if long else value
    write_json(stream, members)


REPORTER = Reporter(name="json", suffixes=(".json",), write=_write)
