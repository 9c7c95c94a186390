"""Explanations as JSON: ``cloudseg/explanation/v1``, described by ``docs/schemas/explanation.schema.json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from cloudseg.reach.explaining.explanation import Explanation
from cloudseg.reporters.interface import RenderOptions, Reporter
from cloudseg.reporters.json_stream import write_json
from cloudseg.sources import SourceInfo

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["REPORTER", "Explained", "ExplanationDocument"]


class Explained(msgspec.Struct, frozen=True, rename={"sources": "from", "targets": "to"}):
    """One explanation, and for whom it holds.

    Attributes:
        sources: qualified ids of the interfaces for which it holds, of those asked about; nothing tells them apart.
            Empty where addresses outside open the connection.
        targets: the same of those that are to take it.
        explanation: why the traffic passes, or why not.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    explanation: Explanation


class ExplanationDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Why traffic passes from one end to another, or why not: the document ``cloudseg/explanation/v1``.

    Attributes:
        schema: names the kind and version of this document.
        generated_at: when the answers were read, ISO 8601 in UTC.
        sources: the scopes, and what is missing of each.
        explanations: one for each pair of classes of interfaces that was asked about.
        notes: what is worth knowing about the ends that were named.
    """

    schema: Literal["cloudseg/explanation/v1"] = "cloudseg/explanation/v1"
    generated_at: str
    sources: tuple[SourceInfo, ...]
    explanations: tuple[Explained, ...]
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything was read that was asked for."""
        return all(source.complete for source in self.sources)


def _write(document: ExplanationDocument, stream: TextIO, _options: RenderOptions) -> None:
    write_json(stream, document)


REPORTER = Reporter(name="json", suffixes=(".json",), write=_write)
