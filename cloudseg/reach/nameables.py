"""Everything in an estate that a person can name, with the interfaces that it stands for."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, cast

from cloudseg.model import Estate, Resource, own_id, shown_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cloudseg.model import Interface

__all__ = ["Nameable", "Nameables"]


class Nameable(NamedTuple):
    """Something that can be named.

    Attributes:
        id: its qualified id.
        kind: the provider's word for it.
        name: the name that people gave it.
        interfaces: its interfaces, or those in it, in order of their ids.
    """

    id: str
    kind: str
    name: str
    interfaces: tuple[Interface, ...]


class Nameables:
    """What can be named in an estate, by its ids and names."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def by_id(self, word: str) -> list[Nameable]:
        """Return what bears an id: a qualified one, an own one, or an ARN."""
        if word in self._kinds:
            return self._all([word])
        return self._all(self.own_ids.get(word, ())) or self._all(self._of_arn(word))

    def by_name(self, word: str) -> list[Nameable]:
        """Return what bears a name, letter by letter."""
        return self._all(self.names.get(word, ()))

    def by_place(self, word: str) -> list[Nameable]:
        """Return what bears a name in a namespace or a place, as ``shop/web`` or ``web/nic0 (us-central1-a)``."""
        return self._all(self._placed.get(word, ()))

    def in_any_case(self, word: str) -> list[Nameable]:
        """Return what bears a name or an own id, in upper or lower case."""
        return self._all(self._folded.get(word.casefold(), ()))

    def tags_of(self, interface: Interface) -> Mapping[str, str]:
        """Return the tags of an interface, its labels, and the tags of what owns it; its own go before those."""
        owner = self._estate.owner_of(interface)
        return {**(owner.tags if owner is not None else {}), **interface.tags, **interface.labels}

    def _of_arn(self, word: str) -> Iterator[str]:
        """Yield the qualified ids that an ARN may mean, where the own id is but its end.

        Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
        """
        parts = word.split(":", 5)
        if len(parts) == 6 and parts[0] == "arn":
            for own in (parts[5], parts[5].partition("/")[2]):
                identifier = f"aws:{parts[4]}:{parts[3]}:{own}"
                if own and identifier in self._kinds:
                    yield identifier

    def _all(self, identifiers: Iterable[str]) -> list[Nameable]:
        return [self._one(identifier) for identifier in dict.fromkeys(identifiers)]

    def _one(self, identifier: str) -> Nameable:
        estate = self._estate
        found: dict[str, Interface] = {}
        if identifier in estate.interfaces:
            found[identifier] = estate.interfaces[identifier]
        held = estate.services.get(identifier) or estate.endpoints.get(identifier) or estate.gateways.get(identifier)
        parts = (
            estate.interfaces_of(identifier),
            estate.interfaces_in(identifier),
            estate.members(identifier),
            estate.carrying(identifier),
            self._by_subnet.get(identifier, ()),
            (estate.interfaces[i] for i in (held.interfaces if held is not None else ()) if i in estate.interfaces),
        )
        for part in parts:
            found |= {interface.id: interface for interface in part}
        kind, name = self._kinds[identifier]
        return Nameable(identifier, kind, name, tuple(found[key] for key in sorted(found)))

    @cached_property
    def own_ids(self) -> dict[str, list[str]]:
        """Qualified ids by own id."""
        return _inverted((own_id(identifier), identifier) for identifier in self._kinds)

    @cached_property
    def names(self) -> dict[str, list[str]]:
        """Qualified ids by name; a tag ``Name`` is a name as well."""
        estate = self._estate
        found = [(name, identifier) for identifier, (_, name) in self._kinds.items() if name]
        mappings: tuple[Mapping[str, Resource], ...] = (
            estate.groups,
            estate.workloads,
            estate.services,
            estate.interfaces,
        )
        for mapping in mappings:
            found += [(tag, key) for key, resource in mapping.items() if (tag := resource.tags.get("Name", ""))]
        return _inverted(found)

    @cached_property
    def _placed(self) -> dict[str, list[str]]:
        """Qualified ids of interfaces by the names that their ids are made of, without the kind behind them.

        What texts call by the names in a long id is found by these as well, with or without its place.
        """
        own = ((interface.own_id.partition("["), interface.id) for interface in self._estate.interfaces.values())
        found = [(named, identifier) for (named, kind, _), identifier in own if kind]
        for identifier in self._kinds:
            shown = shown_id(identifier)
            if shown != own_id(identifier):
                found += [(shown, identifier), (shown.partition(" (")[0], identifier)]
        return _inverted(found)

    @cached_property
    def other_kinds(self) -> dict[str, str]:
        """The kind of what is in the estate and is no end, by own and by qualified id."""
        found: dict[str, str] = {}
        for field in fields(Estate):
            held: object = getattr(self._estate, field.name)
            if isinstance(held, dict):
                for value in cast("dict[str, object]", held).values():
                    if isinstance(value, Resource):
                        found |= {value.id: value.kind, value.own_id: value.kind}
        return found

    @cached_property
    def _kinds(self) -> dict[str, tuple[str, str]]:
        """Kind and name of everything by qualified id; what owns interfaces stands behind them."""
        estate = self._estate
        known: dict[str, tuple[str, str]] = {}
        mappings: tuple[Mapping[str, Resource], ...] = (
            estate.gateways,
            estate.endpoints,
            estate.networks,
            estate.subnets,
            estate.interfaces,
            estate.groups,
            estate.services,
            estate.workloads,
        )
        for mapping in mappings:
            known |= {identifier: (resource.kind, resource.name) for identifier, resource in mapping.items()}
        for interface in estate.interfaces.values():
            spoken: tuple[tuple[str | None, str], ...] = (
                (interface.workload, "owner"),
                (interface.subnet, "subnet"),
                (interface.network, "network"),
                *((identity, "group") for identity in interface.attached),
            )
            for name, kind in spoken:
                if name is not None:
                    known.setdefault(name, (f"{kind} that was not read", ""))
        return known

    @cached_property
    def _folded(self) -> dict[str, list[str]]:
        found = (
            (text.casefold(), key) for known in (self.names, self.own_ids) for text in known for key in known[text]
        )
        return _inverted(found)

    @cached_property
    def _by_subnet(self) -> dict[str, list[Interface]]:
        found: defaultdict[str, list[Interface]] = defaultdict(list)
        for interface in self._estate.interfaces.values():
            if interface.subnet is not None:
                found[interface.subnet].append(interface)
        return found


def _inverted(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for text, identifier in dict.fromkeys(pairs):
        found[text].append(identifier)
    return dict(found)
