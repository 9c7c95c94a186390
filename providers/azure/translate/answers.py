"""Typed access to the raw answers of one Azure subscription."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

from cloudseg.providers.answers import Answers as _Answers
from cloudseg.providers.azure.ids import PROVIDER
from cloudseg.traffic import NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.providers.answers import Ledger
    from cloudseg.snapshot import Part, Snapshot

__all__ = ["Answers"]

T = TypeVar("T")


class Answers(_Answers):
    """The answers of one subscription, and the names of what is in them."""

    def __init__(self, snapshot: Snapshot, scope: str, region: str, parts: list[Part], ledger: Ledger) -> None:
        super().__init__(PROVIDER, snapshot, scope, region, parts, ledger)

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
