"""Typed access to the raw answers of one Google Cloud project."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

from cloudseg.errors import ParseError
from cloudseg.providers.answers import Answers as _Answers
from cloudseg.providers.gcp.ids import PROVIDER
from cloudseg.traffic import NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.providers.answers import Ledger
    from cloudseg.snapshot import Part, Snapshot

__all__ = ["Answers"]

T = TypeVar("T")

_PAGING = frozenset(("kind", "id", "selfLink", "nextPageToken", "etag", "unreachables", "warning"))

_HARMLESS = frozenset(("NO_RESULTS_ON_PAGE", ""))


class Answers(_Answers):
    """The answers of one project, from whatever places, and the names of what is in them."""

    def __init__(self, snapshot: Snapshot, scope: str, parts: list[Part], ledger: Ledger) -> None:
        super().__init__(PROVIDER, snapshot, scope, "global", parts, ledger)

    def listed(self, service: str, operation: str, form: type[T], facet: str) -> Iterator[T]:
        """Yield the resources of an answer: a list, an aggregated list by place, or a bare list."""
        for _, item in self.listed_of(service, operation, form, facet):
            yield item

    def listed_of(self, service: str, operation: str, form: type[T], facet: str) -> Iterator[tuple[str, T]]:
        """Yield the resources of an answer with what its file is about; empty for the operation's own file."""
        names = {part.resource or "": self._name_of(part) for part in self._about(service, operation)}
        for resource, item in self.each_of(service, operation, "items", form, facet):
            yield names[resource], item

    def about(self, service: str, operation: str) -> frozenset[str]:
        """Return what the files of an operation are about."""
        return frozenset(self._name_of(part) for part in self._about(service, operation))

    def answered(self, service: str, operation: str, form: type[T], facet: str) -> Iterator[tuple[str, T]]:
        """Yield each file's answer as one value, with what the file is about."""
        names = {part.resource or "": self._name_of(part) for part in self._about(service, operation)}
        for resource, answer in self.whole(service, operation, form, facet):
            yield names[resource], answer

    def partial(self, service: str, operation: str) -> frozenset[str]:
        """Return what the files of an operation are about of which something was left out so far."""
        parts = self._about(service, operation)
        return frozenset(
            self._name_of(part) for part in parts if not self.intact(service, operation, part.resource or "")
        )

    def complete(self, service: str, operation: str) -> bool:
        """Tell whether everything of an operation is there, and nothing of its answers was left out so far."""
        there = self.has(service, operation) and self.failed(service, operation) is None
        return there and not self.partial(service, operation)

    def _name_of(self, part: Part) -> str:
        """Return what a file is about; where its path is too long for the name, the answer tells."""
        payload = self._snapshot.read(part)
        told = cast("dict[str, object]", payload).get("about") if isinstance(payload, dict) else None
        return told if isinstance(told, str) else part.resource or ""

    def _items(self, part: Part, key: str, facet: str) -> list[object]:
        payload = self._snapshot.read(part)
        if not isinstance(payload, dict):
            return super()._items(part, key, facet)
        fields = cast("dict[str, object]", payload)
        found = fields.get(key)
        if isinstance(found, dict):
            self._unfinished(part, fields, facet)
            return list(self._by_place(part, cast("dict[str, object]", found), facet))
        if key not in fields and not fields.keys() - _PAGING:
            # An empty list is left out.
            self._unfinished(part, fields, facet)
            return []
        return super()._items(part, key, facet)

    def _unfinished(self, part: Part, fields: dict[str, object], facet: str) -> None:
        """Note a list that goes on elsewhere, or of which places could not be reached.

        Source: https://cloud.google.com/compute/docs/reference/rest/v1/instances/aggregatedList
        """
        super()._unfinished(part, fields, facet)
        if fields.get("unreachables"):
            self.malformed(part, "", f"unreachables are {fields['unreachables']}", facet)
        if _code_of(fields.get("warning")) not in _HARMLESS:
            self.malformed(part, "", f"warning is {_code_of(fields['warning'])}", facet)

    def _by_place(self, part: Part, places: dict[str, object], facet: str) -> Iterator[object]:
        """Yield the resources of an aggregated list; a place that could not be reached is a gap.

        Source: https://cloud.google.com/compute/docs/reference/rest/v1/instances/aggregatedList
        """
        for place, held in places.items():
            if not isinstance(held, dict):
                self.malformed(part, place, f"items.{place} is {type(held).__name__}, expected an object", facet)
                continue
            for name, value in cast("dict[str, object]", held).items():
                if isinstance(value, list):
                    yield from cast("list[object]", value)
                elif name == "warning" and _code_of(value) not in _HARMLESS:
                    self.malformed(part, place, f"{place}: {_code_of(value)}", facet)

    def addresses(self, what: str, resource: str, texts: Iterable[str | None], facet: str) -> AddressSet:
        """Return the union of prefixes and addresses; one that is none becomes a gap, and empty texts are left out."""
        found = NO_ADDRESSES
        for text in texts:
            if text:
                service, _, operation = what.partition(".")
                build = partial(AddressSet.from_cidrs, (text,))
                found |= self.understood((service, operation), resource, facet, build) or NO_ADDRESSES
        return found

    def readable(self, texts: Iterable[str]) -> bool:
        """Tell whether every text is a prefix or an address."""
        try:
            AddressSet.from_cidrs(tuple(texts))
        except ParseError:
            return False
        return True


def _code_of(warning: object) -> str:
    if not isinstance(warning, dict):
        return ""
    code = cast("dict[str, object]", warning).get("code")
    return code if isinstance(code, str) else ""
