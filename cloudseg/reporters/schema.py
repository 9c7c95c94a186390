"""The JSON Schemas of the documents, from their types and the docstrings of these."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["diff_schema", "explanation_schema", "findings_schema", "plan_schema", "reachability_schema"]

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_ENTRY = re.compile(r"^(\w+): (.*)$")
_WORDS = {"None": "null", "True": "true", "False": "false", "``": "`"}


def findings_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of ``cloudseg/findings/v1``."""
    from cloudseg.engine import FindingsDocument

    return _schema(
        FindingsDocument,
        "findings",
        "The answer of an audit: what was read, which checks could be evaluated, and what they found.",
    )


def reachability_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of ``cloudseg/reachability/v1``."""
    from cloudseg.reporters.reach_json import ReachabilityDocument

    return _schema(ReachabilityDocument, "reachability", "Who reaches whom, on what.")


def explanation_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of ``cloudseg/explanation/v1``."""
    from cloudseg.reporters.explain_json import ExplanationDocument

    return _schema(ExplanationDocument, "explanation", "Why traffic passes from one end to another, or what stops it.")


def diff_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of ``cloudseg/diff/v1``."""
    from cloudseg.reporters.diff_document import DiffDocument

    return _schema(DiffDocument, "diff", "What became of an estate between two readings.")


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of ``cloudseg/plan/v1``."""
    from cloudseg.plan.codec import schema_of
    from cloudseg.plan.values import PlanDocument

    return _schema(
        PlanDocument,
        "plan",
        "What is to be changed, why, in which order, and what is proved of it.",
        schema_of,
    )


def _schema(
    document: type[msgspec.Struct],
    kind: str,
    description: str,
    hook: Callable[[type], dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return the schema of a document.

    It is strict about what the report writes: every member is there, but those that may be unset, and no other.
    """
    (reference,), definitions = msgspec.json.schema_components(
        [document], schema_hook=hook, ref_template="#/$defs/{name}"
    )
    written, optional = _member_names(document)
    strict = {
        name: _strict(definition, written.get(name, {}), optional.get(name, frozenset()))
        for name, definition in sorted(definitions.items())
    }
    return {
        "$schema": _DRAFT,
        "$id": f"urn:cloudseg:{kind}:v1",
        "title": f"cloudseg {kind}",
        "description": description,
        **reference,
        "$defs": strict,
    }


def _member_names(document: type[msgspec.Struct]) -> tuple[dict[str, dict[str, str]], dict[str, frozenset[str]]]:
    """Return by type how its members are called in the document, and which of them may be left out."""
    found: dict[str, dict[str, str]] = {}
    optional: dict[str, frozenset[str]] = {}
    left: list[object] = [msgspec.inspect.type_info(document)]
    while left:
        info = left.pop()
        if isinstance(info, msgspec.inspect.StructType) and info.cls.__name__ not in found:
            found[info.cls.__name__] = {field.name: field.encode_name for field in info.fields}
            unset = (field.encode_name for field in info.fields if not field.required and not _has_default(field))
            optional[info.cls.__name__] = frozenset(unset)
            left.extend(field.type for field in info.fields)
        elif isinstance(info, msgspec.inspect.VarTupleType):
            left.append(info.item_type)
        elif isinstance(info, msgspec.inspect.UnionType):
            left.extend(info.types)
        elif isinstance(info, msgspec.inspect.DictType):
            left.append(info.value_type)
    return found, optional


def _has_default(field: msgspec.inspect.Field) -> bool:
    """Tell whether a member has a default that is a value; what is unset without one is left out."""
    return field.default is not msgspec.NODEFAULT or field.default_factory is not msgspec.NODEFAULT


def _strict(definition: dict[str, Any], written: Mapping[str, str], optional: frozenset[str]) -> dict[str, Any]:
    """Return a definition with its docstring split over its members, all but some required and no others allowed."""
    summary, told = _described(_in_json_words(definition.get("description", "")))
    members = {written.get(name, name): text for name, text in told.items()}
    result = {**definition, "description": summary} if summary else dict(definition)
    if "properties" not in definition:
        return result
    properties: dict[str, Any] = {}
    for name, schema in definition["properties"].items():
        shown = {key: value for key, value in schema.items() if key != "default"}
        properties[name] = {**shown, "description": members[name]} if name in members else shown
    return {
        **result,
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _in_json_words(text: str) -> str:
    return re.sub(r"\b(?:None|True|False)\b|``", lambda found: _WORDS[found[0]], text)


def _described(docstring: str) -> tuple[str, dict[str, str]]:
    """Split a docstring into its text and the entries of its ``Attributes`` section."""
    text, _, section = inspect.cleandoc(docstring).partition("Attributes:\n")
    members: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc(section).splitlines():
        if found := _ENTRY.match(line):
            name = found[1]
            members[name] = found[2]
        elif name:
            members[name] = f"{members[name]} {line.strip()}"
    return " ".join(text.split()), members
