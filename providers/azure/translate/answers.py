"""Typed access to the raw answers of one Azure subscription."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

from cloudseg.providers.answers import Answers as _Answers
from cloudseg.providers.azure.ids import PROVIDER
from cloudseg.providers.azure.operations import OPERATIONS, resources_of
from cloudseg.snapshot import Part
from cloudseg.traffic import NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.providers.answers import Ledger
    from cloudseg.snapshot import Reason, Snapshot

__all__ = ["Answers"]

T = TypeVar("T")


class Answers(_Answers):
    """The answers of one subscription, and the names of what is in them."""

    def __init__(self, snapshot: Snapshot, scope: str, region: str, parts: list[Part], ledger: Ledger) -> None:
        super().__init__(PROVIDER, snapshot, scope, region, parts, ledger)
        self._ids: dict[tuple[str, str], dict[str, str]] = {}

    def each_of(self, service: str, operation: str, key: str, form: type[T], facet: str) -> Iterator[tuple[str, T]]:
        """Yield the items with the resource that their file is about, by its id however long that is."""
        for about, item in super().each_of(service, operation, key, form, facet):
            yield self._named(service, operation, about), item

    def _items(self, part: Part, key: str, facet: str) -> list[object]:
        """Return the items of an answer; one about a single resource may be that resource itself, as ARM returns it."""
        payload = self._snapshot.read(part)
        if isinstance(payload, dict) and key not in payload and {"id", "properties"} <= payload.keys():
            return [cast("object", payload)]
        return super()._items(part, key, facet)

    def resources(self, service: str, operation: str) -> frozenset[str]:
        """Return the resources about which the snapshot holds an answer, by their ids however long these are."""
        return frozenset(self._named(service, operation, each) for each in super().resources(service, operation))

    def intact(self, service: str, operation: str, resource: str = "") -> bool:
        """Tell whether nothing of an operation's answer, the one about a resource where named, was left out so far."""
        return super().intact(service, operation, self._held(service, operation, resource))

    def failed(self, service: str, operation: str, resource: str = "") -> Reason | None:
        """Return why an operation could not be read, about one resource or at all; None where it was."""
        return super().failed(service, operation, self._held(service, operation, resource))

    def _held(self, service: str, operation: str, resource: str) -> str:
        """Return the name under which a snapshot holds an answer about a resource: of a long id it is a digest."""
        return Part(PROVIDER, self.scope, self.region, service, operation, resource).resource or ""

    def _named(self, service: str, operation: str, held: str) -> str:
        if not held or held.startswith("/"):
            return held
        if (service, operation) not in self._ids:
            self._ids[service, operation] = {
                self._held(service, operation, resource): resource
                for child in OPERATIONS
                if child.key == (service, operation) and child.per is not None
                for part in self._about(*child.per.of)
                for resource in resources_of(self._snapshot.read(part), child.per)
            }
        return self._ids[service, operation].get(held, held)

    def listed(self, service: str, operation: str, form: type[T], facet: str) -> Iterator[T]:
        """Yield the resources of an answer: a list of ARM, or a bare list as the command-line tool writes it."""
        return self.each(service, operation, "value", form, facet)

    def addresses(self, what: str, resource: str, texts: Iterable[str], facet: str) -> AddressSet:
        """Return the union of prefixes and addresses; one that is none becomes a gap, and empty texts are left out."""
        found = NO_ADDRESSES
        for text in texts:
            if text:
                build = partial(AddressSet.from_cidrs, (text,))
                service, _, operation = what.partition(".")
                found |= self.understood((service, operation), resource, facet, build) or NO_ADDRESSES
        return found
