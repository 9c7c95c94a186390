"""The findings document as JSON: ``cloudseg/findings/v1``, described by ``docs/schemas/findings.schema.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec

from cloudseg.reporters.interface import RenderOptions, Reporter
from cloudseg.reporters.json_stream import write_json

if TYPE_CHECKING:
    from typing import TextIO

    from cloudseg.engine import FindingsDocument

__all__ = ["REPORTER"]


def _write(document: FindingsDocument, stream: TextIO, _options: RenderOptions) -> None:
    members: dict[str, object] = {}
    for field in msgspec.structs.fields(document):
        value: object = getattr(document, field.name)
        if value is msgspec.UNSET:
            continue
        members[field.encode_name] = iter(cast("tuple[object, ...]", value)) if isinstance(value, tuple) else value
    write_json(stream, members)


REPORTER = Reporter(name="json", suffixes=(".json",), write=_write)
