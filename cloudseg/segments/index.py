"""Which interfaces a choice fits: for sure, and at most where something about them was not read.

Each kind of part is looked up in an index that is made once, so that hundreds of segments over tens of thousands of
interfaces stay cheap.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import own_id
from cloudseg.segments.globs import any_glob_fits, glob_fits
from cloudseg.segments.labels import owner_of, owner_unread, tags_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.model import Estate
    from cloudseg.segments.choice import Choice, Segment
    from cloudseg.traffic import AddressSet, IntervalSet

__all__ = ["Chosen", "InterfaceIndex"]

_Found = dict[str, list[str]]


class Chosen(NamedTuple):
    """Interfaces that a choice fits, by qualified id.

    Attributes:
        certain: it fits them whatever was not read.
        possible: it fits them at most; the certain ones are among them.
    """

    certain: frozenset[str]
    possible: frozenset[str]

    def __and__(self, other: Chosen) -> Chosen:
        """Return the interfaces that both fit."""
        return Chosen(self.certain & other.certain, self.possible & other.possible)

    def __or__(self, other: Chosen) -> Chosen:
        """Return the interfaces that either fits."""
        return Chosen(self.certain | other.certain, self.possible | other.possible)

    def __sub__(self, other: Chosen) -> Chosen:
        """Return the interfaces that this one fits and the other does not: certain where the other cannot fit."""
        return Chosen(self.certain - other.possible, self.possible - other.certain)


_NONE = Chosen(frozenset(), frozenset())


class InterfaceIndex:
    """The interfaces of an estate, looked up by what choices name."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._keyed: dict[tuple[str, str], tuple[_Found, frozenset[str]]] = {}

    def of_segment(self, segment: Segment) -> Chosen:
        """Return the interfaces of a segment; one that asks for nothing has none."""
        parts: list[Chosen] = []
        if segment.choice:
            parts.append(self.of_choice(segment.choice))
        if segment.any_of:
            parts.append(_either(self.of_choice(choice) for choice in segment.any_of))
        if not parts:
            return _NONE
        chosen = parts[0] if len(parts) == 1 else parts[0] & parts[1]
        return chosen - _either(self.of_choice(choice) for choice in segment.except_for)

    def of_choice(self, choice: Choice) -> Chosen:
        """Return the interfaces that a choice fits; one without parts fits none."""
        parts = iter(self._parts(choice))
        chosen = next(parts, _NONE)
        for part in parts:
            chosen &= part
        return chosen

    def _parts(self, choice: Choice) -> Iterator[Chosen]:
        for key, values in choice.tags.items():
            yield self._valued("tags", self._tags, key, values)
        for key, values in choice.labels.items():
            yield self._valued("labels", self._labels, key, values)
        if choice.names:
            yield _looked_up(self._names, choice.names, self._owner_unread)
        if choice.groups:
            yield self._grouped(choice.groups)
        if choice.addresses:
            yield self._addressed(choice.addresses)
        if choice.networks:
            yield self._in_networks(choice.networks)
        if choice.scopes:
            yield self._in_scopes(choice.scopes)
        if choice.ids:
            yield _looked_up(self._ids, choice.ids, frozenset())

    def _valued(self, kind: str, texts: Mapping[str, Mapping[str, str]], key: str, values: Sequence[str]) -> Chosen:
        if (kind, key) not in self._keyed:
            new: _Found = defaultdict(list)
            for identifier, held in texts.items():
                if key in held:
                    new[held[key]].append(identifier)
            unread = self._owner_unread if kind == "tags" else frozenset[str]()
            self._keyed[kind, key] = new, frozenset(i for i in unread if key not in texts[i])
        found, unknown = self._keyed[kind, key]
        return _looked_up(found, values, unknown)

    def _grouped(self, patterns: Sequence[str]) -> Chosen:
        estate = self._estate
        certain: set[str] = set()
        for group in estate.groups.values():
            if any_glob_fits(patterns, (group.id, group.own_id, group.name)):
                certain.update(member.id for member in estate.members(group.id))
        possible = set(self._groups_unread)
        for identity, carriers in self._unknown_groups.items():
            listed = estate.rule_sets.get(identity)
            if any_glob_fits(patterns, (identity, own_id(identity), listed.name if listed else "")):
                certain.update(carriers)
            elif listed is None:
                # The name of a group that was not read may fit as well.
                possible.update(carriers)
        return Chosen(frozenset(certain), frozenset(certain | possible))

    def _addressed(self, addresses: AddressSet) -> Chosen:
        certain = frozenset((*self._v4.overlapping(addresses.v4), *self._v6.overlapping(addresses.v6)))
        possible = (key for key, place in self._without_address.items() if place is None or place.overlaps(addresses))
        return Chosen(certain, certain | frozenset(possible))

    def _in_networks(self, patterns: Sequence[str]) -> Chosen:
        certain: set[str] = set()
        possible: set[str] = set()
        for identifier, members in self._networks.items():
            known = self._estate.networks.get(identifier)
            names = (identifier, own_id(identifier), known.name if known else "") if identifier else ()
            if any_glob_fits(patterns, names):
                certain.update(members)
            elif known is None:
                possible.update(members)
        return Chosen(frozenset(certain), frozenset(certain | possible))

    def _in_scopes(self, patterns: Sequence[str]) -> Chosen:
        named: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for scope in self._estate.scopes:
            named[scope.provider, scope.scope].append(scope.name)
        certain = frozenset(
            identifier
            for (provider, own), members in self._scopes.items()
            if any_glob_fits(patterns, (own, *named.get((provider, own), ())))
            for identifier in members
        )
        return Chosen(certain, certain)

    @cached_property
    def _tags(self) -> dict[str, Mapping[str, str]]:
        return {i.id: tags_of(self._estate, i) for i in self._estate.interfaces.values()}

    @cached_property
    def _labels(self) -> dict[str, Mapping[str, str]]:
        return {i.id: i.labels for i in self._estate.interfaces.values()}

    @cached_property
    def _owner_unread(self) -> frozenset[str]:
        return frozenset(i.id for i in self._estate.interfaces.values() if owner_unread(self._estate, i))

    @cached_property
    def _names(self) -> _Found:
        found: _Found = defaultdict(list)
        for interface in self._estate.interfaces.values():
            owner = owner_of(self._estate, interface)
            for name in dict.fromkeys((interface.name, owner.name if owner else "")):
                if name:
                    found[name].append(interface.id)
        return found

    @cached_property
    def _ids(self) -> _Found:
        found: _Found = defaultdict(list)
        for interface in self._estate.interfaces.values():
            for name in (interface.id, interface.workload):
                if name is not None:
                    found[name].append(interface.id)
                    found[own_id(name)].append(interface.id)
        return found

    @cached_property
    def _groups_unread(self) -> frozenset[str]:
        return frozenset(i.id for i in self._estate.interfaces.values() if i.attached_unread)

    @cached_property
    def _unknown_groups(self) -> _Found:
        found: _Found = defaultdict(list)
        for interface in self._estate.interfaces.values():
            for identity in interface.attached:
                if identity not in self._estate.groups:
                    found[identity].append(interface.id)
        return found

    @cached_property
    def _networks(self) -> _Found:
        found: _Found = defaultdict(list)
        for interface in self._estate.interfaces.values():
            found[interface.network or ""].append(interface.id)
        return found

    @cached_property
    def _scopes(self) -> dict[tuple[str, str], list[str]]:
        found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for interface in self._estate.interfaces.values():
            found[interface.provider, interface.scope].append(interface.id)
        return found

    @cached_property
    def _without_address(self) -> dict[str, AddressSet | None]:
        """Interfaces whose address was not read, each with the addresses of its subnet, where that is known."""
        return {
            interface.id: None
            if (subnet := self._estate.subnets.get(interface.subnet or "")) is None
            else subnet.addresses
            for interface in self._estate.interfaces.values()
            if not interface.addresses
        }

    @cached_property
    def _v4(self) -> _Line:
        return _Line((i.id, i.addresses.v4) for i in self._estate.interfaces.values())

    @cached_property
    def _v6(self) -> _Line:
        return _Line((i.id, i.addresses.v6) for i in self._estate.interfaces.values())


class _Line:
    """Interfaces in the order of their addresses, of one family."""

    def __init__(self, addressed: Iterable[tuple[str, IntervalSet]]) -> None:
        self._spans = sorted((first, last, name) for name, held in addressed for first, last in held.intervals)
        self._firsts = [first for first, _, _ in self._spans]
        # A span that begins before a range may reach into it, by no more than the longest one is long.
        self._longest = max((last - first for first, last, _ in self._spans), default=0)

    def overlapping(self, addresses: IntervalSet) -> Iterator[str]:
        """Yield the interfaces that have one of the addresses."""
        for first, last in addresses.intervals:
            start = bisect_left(self._firsts, first - self._longest)
            for _, end, name in self._spans[start : bisect_right(self._firsts, last)]:
                if end >= first:
                    yield name


def _looked_up(found: Mapping[str, list[str]], patterns: Sequence[str], unknown: frozenset[str]) -> Chosen:
    certain: set[str] = set()
    for pattern in patterns:
        if "*" in pattern:
            certain.update(name for text, names in found.items() if glob_fits(pattern, text) for name in names)
        else:
            certain.update(found.get(pattern, ()))
    return Chosen(frozenset(certain), frozenset(certain | unknown))


def _either(parts: Iterable[Chosen]) -> Chosen:
    chosen = _NONE
    for part in parts:
        chosen |= part
    return chosen
