"""Typed access to the raw answers of one scope and region.

An answer is converted item by item, so that one malformed resource becomes a gap that names its file, its id and its
field, and everything beside it is still judged.
"""

from __future__ import annotations

from types import GenericAlias
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import Gap, GapReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cloudseg.snapshot import Part, Reason, Snapshot

__all__ = ["Answers", "Ledger", "parts_by_place"]

_ID_KEYS = (
    "GroupId",
    "NetworkInterfaceId",
    "InstanceId",
    "RouteTableId",
    "NetworkAclId",
    "SubnetId",
    "VpcId",
    "Id",
    "id",
    "Arn",
    "ARN",
    "arn",
    "Name",
    "name",
)

_WRAPPING = frozenset(("ResponseMetadata", "NextToken", "NextMarker", "Marker", "nextLink"))
"""Keys beside the list: an answer that holds nothing else lists nothing."""

_TOKENS = (
    "NextToken",
    "nextToken",
    "NextMarker",
    "Marker",
    "nextPageToken",
    "ContinuationToken",
    "position",
    "IsTruncated",
    "nextLink",
    "skipToken",
    "$skipToken",
)
"""Keys by which a page says that it is not the whole list; the collector, which reads every page, drops them."""

MOST_NAMED = 20
"""Malformed items of one file that get a gap of their own; a file of nothing else would fill the memory with them."""

T = TypeVar("T")


class Ledger:
    """Collects the gaps and notes of one translation, and which kinds of answers it asked for."""

    def __init__(self) -> None:
        self.gaps: list[Gap] = []
        self.notes: list[str] = []
        self.asked: set[tuple[str, str]] = set()


class Answers:
    """The answers of one scope and region, and the names of what is in them.

    Attributes:
        provider: whose answers they are.
        scope: account, subscription or project.
        region: the region, or ``global``.
    """

    def __init__(
        self, provider: str, snapshot: Snapshot, scope: str, region: str, parts: list[Part], ledger: Ledger
    ) -> None:
        self.provider = provider
        self.scope = scope
        self.region = region
        self._snapshot = snapshot
        self._ledger = ledger
        self._parts: dict[tuple[str, str], list[Part]] = {}
        self._flawed: set[tuple[str, str, str]] = set()
        for part in parts:
            self._parts.setdefault((part.service, part.operation), []).append(part)
        self._failures: dict[tuple[str, str, str], Reason] = {
            (gap.service, gap.operation, gap.resource or ""): gap.reason
            for gap in snapshot.gaps
            if (gap.provider, gap.scope, gap.region) == (provider, scope, region)
        }

    def resources(self, service: str, operation: str) -> frozenset[str]:
        """Return the resources about which the snapshot holds an answer of the operation."""
        return frozenset(part.resource or "" for part in self._about(service, operation))

    def has(self, service: str, operation: str) -> bool:
        """Tell whether the snapshot holds an answer to the operation."""
        return bool(self._about(service, operation))

    def failed(self, service: str, operation: str, resource: str = "") -> Reason | None:
        """Return why an operation could not be read, about one resource or at all; None where it was."""
        return self._failures.get((service, operation, resource)) or self._failures.get((service, operation, ""))

    def intact(self, service: str, operation: str, resource: str = "") -> bool:
        """Tell whether nothing of an operation's answer, the one about a resource where named, was left out so far."""
        return (service, operation, resource) not in self._flawed

    def each(self, service: str, operation: str, key: str, form: type[T], facet: str) -> Iterator[T]:
        """Yield the items of an operation's answers, over the files of all resources.

        Args:
            service: the service folder, ``ec2``.
            operation: the operation in snake case.
            key: the key of the list in the answer; a bare list is accepted as well.
            form: the type that an item is converted to.
            facet: the part of the estate that a malformed item leaves open.
        """
        for _, item in self.each_of(service, operation, key, form, facet):
            yield item

    def each_of(self, service: str, operation: str, key: str, form: type[T], facet: str) -> Iterator[tuple[str, T]]:
        """Yield the items with the resource that their file is about; empty for the operation's own file."""
        for part in self._about(service, operation):
            items = self._items(part, key, facet)
            try:
                # One call for all of them is several times faster than one for each.
                converted: list[T] = msgspec.convert(items, GenericAlias(list, (form,)))
            except msgspec.ValidationError:
                converted = self._one_by_one(part, items, key, form, facet)
            for item in converted:
                yield part.resource or "", item

    def _one_by_one(self, part: Part, items: list[object], key: str, form: type[T], facet: str) -> list[T]:
        kept: list[T] = []
        malformed = 0
        for index, item in enumerate(items):
            try:
                kept.append(msgspec.convert(item, form))
            except msgspec.ValidationError as error:
                malformed += 1
                if malformed <= MOST_NAMED:
                    self.malformed(part, _id_in(item), f"{key}[{index}]: {error}", facet)
        if malformed > MOST_NAMED:
            self.malformed(part, "", f"{malformed - MOST_NAMED} more of {len(items)} items are malformed", facet)
        return kept

    def _about(self, service: str, operation: str) -> list[Part]:
        self._ledger.asked.add((service, operation))
        return self._parts.get((service, operation), [])

    def _items(self, part: Part, key: str, facet: str) -> list[object]:
        payload = self._snapshot.read(part)
        items = payload
        if isinstance(payload, dict):
            fields = cast("dict[str, object]", payload)
            self._unfinished(part, fields, facet)
            if key not in fields:
                if fields.keys() - _WRAPPING:
                    self.malformed(part, "", f"{key} is missing", facet)
                return []
            items = fields[key]
        if isinstance(items, list):
            return cast("list[object]", items)
        self.malformed(part, "", f"{key} is {type(items).__name__}, expected a list", facet)
        return []

    def _unfinished(self, part: Part, fields: dict[str, object], facet: str) -> None:
        """Note a list that goes on elsewhere: what it does not show may be there all the same."""
        token = next((key for key in _TOKENS if fields.get(key)), None)
        if token is not None:
            self._flawed.add((part.service, part.operation, part.resource or ""))
            detail = f"{token} is set: the list goes on, and the rest of it is not in the snapshot; read every page"
            self._gap(part.path, "", "unread", detail, facet)

    def whole(self, service: str, operation: str, form: type[T], facet: str) -> Iterator[tuple[str, T]]:
        """Yield each file's answer as one value, with the resource that the file is about."""
        for part in self._about(service, operation):
            payload = self._snapshot.read(part)
            for fields in _tables_in(payload):
                self._unfinished(part, fields, facet)
            try:
                converted = msgspec.convert(payload, form)
            except msgspec.ValidationError as error:
                self.malformed(part, _id_in(payload), str(error), facet)
            else:
                yield part.resource or "", converted

    def understood(self, part_of: tuple[str, str], resource: str, facet: str, build: Callable[[], T]) -> T | None:
        """Return what ``build`` makes of an item; a text in it that cannot be parsed becomes a gap, and None."""
        try:
            return build()
        except ParseError as error:
            self._gap(".".join(part_of), resource, "malformed", str(error), facet)
            return None

    def malformed(self, part: Part, resource: str, detail: str, facet: str) -> None:
        """Note that an answer is not what the service documents."""
        self._flawed.add((part.service, part.operation, part.resource or ""))
        self._gap(part.path, resource, "malformed", detail, facet)

    def gap(self, what: str, resource: str, reason: GapReason, detail: str, facet: str) -> None:
        """Note something that could not be read or understood."""
        self._gap(what, resource, reason, detail, facet)

    def note(self, text: str) -> None:
        """Note something that was skipped without loss."""
        self._ledger.notes.append(text)

    def _gap(self, what: str, resource: str, reason: GapReason, detail: str, facet: str) -> None:
        self._ledger.gaps.append(
            Gap(self.provider, self.scope, self.region, what, resource, reason, detail, (facet,)),
        )


def parts_by_place(snapshot: Snapshot, provider: str) -> dict[tuple[str, str], list[Part]]:
    """Return the answers of one provider by scope and region."""
    found: dict[tuple[str, str], list[Part]] = {}
    for part in snapshot.parts():
        if part.provider == provider:
            found.setdefault((part.scope, part.region), []).append(part)
    return found


def _tables_in(payload: object) -> Iterator[dict[str, object]]:
    """Yield an answer and what it holds one step down: some answers keep their list, and its token, in there."""
    if isinstance(payload, dict):
        whole = cast("dict[str, object]", payload)
        yield whole
        for value in whole.values():
            if isinstance(value, dict):
                yield cast("dict[str, object]", value)


def _id_in(item: object) -> str:
    if not isinstance(item, dict):
        return ""
    fields = cast("dict[str, object]", item)
    return next((value for key in _ID_KEYS if isinstance(value := fields.get(key), str)), "")
