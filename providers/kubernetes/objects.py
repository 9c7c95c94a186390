"""From a document to the Kubernetes objects in it: lists are taken apart, and what is no object is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, cast

from cloudseg.providers.kubernetes.documents import UNRENDERED
from cloudseg.providers.kubernetes.judged import JUDGED
from cloudseg.providers.kubernetes.kinds import group_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.providers.kubernetes.documents import Document

__all__ = ["Flaw", "Object", "changes_of_kustomization", "is_kustomization", "objects_of"]

Fields: TypeAlias = "dict[str, object]"

_KIND: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,62}")
_API_VERSION: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?[a-zA-Z0-9][a-zA-Z0-9-]{0,62}")
_KUSTOMIZE: Final = "kustomize.config.k8s.io"
_KUSTOMIZE_FILES: Final = ("kustomization.yaml", "kustomization.yml")
_CHANGES_NOTHING: Final = frozenset(("apiVersion", "kind", "metadata", "resources"))
# Programs in pods have templates of their own, which no tool renders beforehand.
_FREE_TEXT: Final = frozenset(("annotations", "args", "command", "env"))


class Object(NamedTuple):
    """One object as it is written, and its first line, counted from 1."""

    fields: Fields
    group: str
    kind: str
    namespace: str
    name: str
    line: int


class Flaw(NamedTuple):
    """Something that is no object, and why, in words.

    Attributes:
        line: its first line, counted from 1.
        problem: what is wrong.
        foreign: nothing in it says that it is meant for a cluster.
    """

    line: int
    problem: str
    foreign: bool = False


def objects_of(document: Document) -> Iterator[Object | Flaw]:
    """Yield the objects of a document, those of a list one by one, and what is wrong with the others."""
    yield from _objects(document.value, document.line, document.item_lines, braces=document.braces)


def _objects(value: object, line: int, item_lines: tuple[int, ...], *, braces: bool) -> Iterator[Object | Flaw]:
    if not isinstance(value, dict):
        yield Flaw(line, f"{_what(value)}, where an object with apiVersion, kind and metadata is expected")
        return
    fields = cast("Fields", value)
    if _is_list(fields):
        yield from _items(fields, line, item_lines, braces=braces)
    else:
        yield _object(fields, line, braces=braces)


def _is_list(fields: Fields) -> bool:
    """Tell whether an object is a list of others; a resource may have a kind that ends like one."""
    kind = fields.get("kind")
    if not isinstance(kind, str) or not kind.endswith("List"):
        return False
    return kind == "List" or ("items" in fields and "spec" not in fields)


def _items(fields: Fields, line: int, item_lines: tuple[int, ...], *, braces: bool) -> Iterator[Object | Flaw]:
    items = fields.get("items")
    if items is None:
        return
    if not isinstance(items, list):
        yield Flaw(line, f"items of a {_shown(fields.get('kind'))} must be a list")
        return
    # Where an API server lists one kind, its items do not repeat it.
    kind = str(fields["kind"]).removesuffix("List")
    common: Fields = {"apiVersion": fields.get("apiVersion"), "kind": kind} if kind else {}
    for number, item in enumerate(cast("list[object]", items)):
        here = item_lines[number] if number < len(item_lines) else line
        whole = {**common, **cast("Fields", item)} if isinstance(item, dict) else item
        yield from _objects(whole, here, (), braces=braces)


def _object(fields: Fields, line: int, *, braces: bool) -> Object | Flaw:
    kind, version, metadata = fields.get("kind"), fields.get("apiVersion"), fields.get("metadata")
    foreign = kind is None and metadata is None and "spec" not in fields
    if braces and _KIND.fullmatch(str(kind)) is None and "{{" in str(kind):
        return Flaw(line, UNRENDERED)
    missing = [key for key in ("apiVersion", "kind", "metadata") if fields.get(key) is None]
    if missing:
        told = f" of kind {kind}" if _is_name(_KIND, kind) else ""
        return Flaw(line, f"an object{told} without {' and '.join(missing)}", foreign)
    if not isinstance(kind, str) or not _is_name(_KIND, kind):
        return Flaw(line, f"{_shown(kind)} is no kind of object")
    if not isinstance(version, str) or not _is_name(_API_VERSION, version):
        return Flaw(line, f"{_shown(version)} is no apiVersion of a {kind}")
    return _named(fields, group_of(version), kind, line, braces=braces)


def _named(fields: Fields, group: str, kind: str, line: int, *, braces: bool) -> Object | Flaw:
    metadata = fields["metadata"]
    if not isinstance(metadata, dict):
        return Flaw(line, f"metadata of a {kind} must be a mapping, not {_what(metadata)}")
    about = cast("Fields", metadata)
    name, namespace, annotations = about.get("name"), about.get("namespace"), about.get("annotations")
    if not isinstance(name, str) or not name:
        if name is not None and not isinstance(name, str):
            return Flaw(line, f"the name of a {kind} must be a text, not {_what(name)}; put it in quotes")
        return Flaw(line, f"a {kind} without metadata.name")
    if not isinstance(namespace, str | None):
        return Flaw(line, f"the namespace of {kind} {_shown(name)} must be a text, not {_what(namespace)}")
    if not isinstance(annotations, dict | None):
        return Flaw(line, f"annotations of {kind} {_shown(name)} must be a mapping, not {_what(annotations)}")
    if braces and (group, kind) in JUDGED and _holds_braces(fields):
        return Flaw(line, f"{kind} {_shown(name)} is {UNRENDERED}")
    return Object(fields, group, kind, namespace or "", name, line)


def _holds_braces(value: object) -> bool:
    """Tell whether a key or text holds the braces of a template, where a running program has no use for them."""
    if isinstance(value, dict):
        fields = cast("Fields", value)
        return any("{{" in key or (key not in _FREE_TEXT and _holds_braces(item)) for key, item in fields.items())
    if isinstance(value, list):
        return any(map(_holds_braces, cast("list[object]", value)))
    return isinstance(value, str) and "{{" in value


def is_kustomization(document: Document, file_name: str) -> bool:
    """Tell whether a document configures Kustomize, which makes objects of others and is none itself."""
    value = document.value
    if not isinstance(value, dict):
        return False
    fields = cast("Fields", value)
    version = fields.get("apiVersion")
    if isinstance(version, str):
        return group_of(version) == _KUSTOMIZE
    return file_name in _KUSTOMIZE_FILES and "metadata" not in fields


def changes_of_kustomization(document: Document) -> tuple[str, ...]:
    """Return what a Kustomization adds to the objects in its folder or changes of them, by its keys."""
    fields = cast("Fields", document.value)
    changes = sorted(
        key for key, value in fields.items() if key not in _CHANGES_NOTHING and value not in (None, [], {})
    )
    resources = fields.get("resources")
    entries = cast("list[object]", resources) if isinstance(resources, list) else []
    elsewhere = [entry for entry in entries if isinstance(entry, str) and ("://" in entry or entry.startswith(".."))]
    return (*changes, *(["resources from elsewhere"] if elsewhere else []))


def _is_name(form: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def _what(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else "a mapping"


def _shown(value: object) -> str:
    """Return what is written, as far as it fits into a line; nothing of a value that could be long or a password."""
    if not isinstance(value, str):
        return _what(value)
    return repr(value if len(value) <= 80 else f"{value[:80]}…")
