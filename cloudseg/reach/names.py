"""The ends that people name: ids, names, tags and addresses become interfaces of an estate and addresses outside.

A word that can mean several things is refused with the choices, and one that means nothing with what comes close to it.
"""

from __future__ import annotations

from collections import defaultdict
from difflib import get_close_matches
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.errors import InputError, ParseError
from cloudseg.model import labelled, own_id
from cloudseg.reach.aliases import Aliases
from cloudseg.reach.nameables import Nameable, Nameables
from cloudseg.reach.outside import EXTERNAL, INTERNET
from cloudseg.traffic import GLOBAL_UNICAST, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.model import Alias, AliasPort, Estate, Interface

__all__ = ["NameIndex", "Named"]

_SHOWN = 20
_NEAR = 3
_LONGEST = 200


class Named(NamedTuple):
    """What words on a command line stand for.

    Attributes:
        text: the words, or what they stand for.
        interfaces: qualified ids of interfaces, in order.
        outside: addresses outside of the estate.
        notes: what is worth knowing about it, in words.
        services: qualified ids of the managed services among what is meant. Reachability judges interfaces alone.
        bare: they stand for a managed service of which no interface was read, so that nothing judges who reaches it.
        ports: they stand for services of a cluster alone, and these are their ports.
    """

    text: str
    interfaces: tuple[str, ...] = ()
    outside: AddressSet = NO_ADDRESSES
    notes: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    bare: bool = False
    ports: tuple[AliasPort, ...] = ()

    @property
    def ends(self) -> tuple[str | AddressSet, ...]:
        """The interfaces and the addresses, as reachability is asked for them."""
        return (*self.interfaces, self.outside) if self.outside else self.interfaces


class NameIndex:
    """What words mean in an estate.

    A word is looked up as ``internet``, as an id (qualified, own, or an ARN), as addresses, as a name letter by letter,
    as ``tag=value`` of interfaces and of what owns them, and at last as a name or an id in any case.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._nameables = Nameables(estate)
        self._aliases = Aliases(estate)

    def find_all(self, words: Sequence[str], option: str) -> Named | None:
        """Return what several words stand for together; None without any word, which is no restriction.

        Args:
            words: the words.
            option: the option that they were given to, for messages.

        Raises:
            InputError: a word means nothing, or several things.
        """
        if not words:
            return None
        found = [self.find(word, option) for word in dict.fromkeys(words)]
        outside = NO_ADDRESSES
        for named in found:
            outside |= named.outside
        return Named(
            ", ".join(named.text for named in found),
            tuple(sorted({identifier for named in found for identifier in named.interfaces})),
            outside,
            tuple(dict.fromkeys(note for named in found for note in named.notes)),
            tuple(dict.fromkeys(service for named in found for service in named.services)),
            any(named.bare for named in found),
            tuple(port for named in found for port in named.ports) if all(named.ports for named in found) else (),
        )

    def find(self, word: str, option: str) -> Named:
        """Return what a word stands for.

        Args:
            word: the word.
            option: the option that it was given to, for messages.

        Raises:
            InputError: it means nothing, or several things.
        """
        known = self._nameables
        if word.lower() == INTERNET:
            return Named(INTERNET, (), GLOBAL_UNICAST - self._estate.served)
        if choices := known.by_id(word):
            return self._one_of(choices, word, option)
        if (addresses := _addresses(word)) is not None:
            return self._addressed(addresses, word, option)
        if choices := known.by_name(word):
            return self._one_of(choices, word, option)
        if aliases := self._aliases.find(word):
            return self._standing_for(aliases, word, option)
        if choices := known.by_place(word):
            return self._one_of(choices, word, option)
        if tagged := self._tagged(word):
            return tagged
        if choices := known.in_any_case(word):
            return self._one_of(choices, word, option)
        raise InputError(f"{option} {_quoted(word)} names nothing here: {self._hint(word)}")

    def _one_of(self, choices: Sequence[Nameable], word: str, option: str) -> Named:
        """Return what the choices stand for, where they are one thing under several ids.

        Things of one kind and one network that share a name, such as the instances of a fleet, are one thing, too.

        Raises:
            InputError: they differ.
        """
        usable = [choice for choice in choices if choice.interfaces] or list(choices)
        sets = {tuple(interface.id for interface in choice.interfaces) for choice in usable}
        alike = {(choice.kind, self._networks_of(choice)) for choice in usable}
        if len(sets) > 1 and len(alike) > 1:
            raise InputError(self._ambiguous(_apart(usable), word, option))
        # What owns interfaces comes last, and says best what is meant.
        text = _label(usable[-1]) if len(sets) == 1 else f"{_shown(word)} ({len(usable)} {usable[0].kind}s)"
        found = {identifier for each in sets for identifier in each}
        services = tuple(choice.id for choice in choices if choice.id in self._estate.services)
        notes = () if found else (_without_interface(text, service=bool(services)),)
        bare = bool(services) and not found
        return Named(text, tuple(sorted(found)), NO_ADDRESSES, (*notes, *self._perhaps(usable)), services, bare)

    def _standing_for(self, aliases: Sequence[Alias], word: str, option: str) -> Named:
        """Return whoever is behind a service of a cluster.

        Raises:
            InputError: the word names several services.
        """
        if len(aliases) > 1:
            each = (Nameable(a.id, a.kind, a.name, self._aliases.interfaces(a)) for a in aliases)
            raise InputError(self._ambiguous(list(each), word, option))
        (alias,) = aliases
        found = tuple(interface.id for interface in self._aliases.interfaces(alias))
        text = _shown(f"{alias.kind} {alias.name}")
        if found:
            return Named(text, found, ports=alias.ports)
        note = f"no pod that was read is behind {text}, so no packet to it is judged here"
        return Named(text, (), NO_ADDRESSES, (note,))

    def _perhaps(self, choices: Sequence[Nameable]) -> Iterable[str]:
        """Yield which groups may have more members, for it was not read what interfaces carry."""
        for choice in choices:
            group = self._estate.groups.get(choice.id)
            networks = frozenset(group.networks) if group is not None else frozenset[str]()
            unread = [i for network in networks for i in self._estate.interfaces_in(network) if i.attached_unread]
            if unread:
                number = f"{len(unread)} interface{'' if len(unread) == 1 else 's'}"
                yield f"{_label(choice)} may have more members: of {number} it was not read which groups they carry"

    def _ambiguous(self, choices: Sequence[Nameable], word: str, option: str) -> str:
        lines = [f"{option} {_quoted(word)} stands for several things; write the id of the one that is meant:"]
        written: list[str] = []
        for choice in choices[:_SHOWN]:
            own = own_id(choice.id)
            unique = len(self._nameables.own_ids.get(own, (own,))) == 1 and _addresses(own) is None
            unique = unique and [own_id(each.id) for each in choices].count(own) == 1
            written.append(_argument(own if unique else choice.id))
        room = max(map(len, written))
        lines += [f"  {option} {own:{room}}   {self._described(c)}" for own, c in zip(written, choices, strict=False)]
        if len(choices) > _SHOWN:
            lines.append(f"  … and {len(choices) - _SHOWN} more")
        return "\n".join(lines)

    def _described(self, choice: Nameable) -> str:
        """Return what tells a choice apart: kind, name, network, how many interfaces, scope and region."""
        parts = [f"{choice.kind} {_quoted(choice.name)}" if choice.name else choice.kind]
        networks = sorted(self._networks_of(choice) - {choice.id})
        if networks:
            known = self._estate.networks.get(networks[0])
            more = f" and {len(networks) - 1} more" if len(networks) > 1 else ""
            parts.append(f"in {_shown(known.label if known else own_id(networks[0]))}{more}")
        count = len(choice.interfaces)
        parts.append(f"{count} interface{'' if count == 1 else 's'}")
        parts.append(_shown(choice.id.removesuffix(own_id(choice.id)).rstrip(":").replace(":", " ")))
        return ", ".join(parts)

    def _networks_of(self, choice: Nameable) -> frozenset[str]:
        known = self._estate.groups.get(choice.id)
        if known is not None and known.networks:
            return frozenset(known.networks[:1])
        return frozenset(interface.network for interface in choice.interfaces if interface.network is not None)

    def _addressed(self, addresses: AddressSet, word: str, option: str) -> Named:
        estate = self._estate
        found = [
            interface
            for interface in estate.interfaces.values()
            if interface.addresses.overlaps(addresses) or interface.public.overlaps(addresses)
        ]
        if addresses.size > 1:
            return Named(word, tuple(sorted(interface.id for interface in found)), addresses)
        if len(found) > 1:
            choices = [Nameable(i.id, i.kind, self._name_of(i), (i,)) for i in sorted(found, key=lambda i: i.id)]
            raise InputError(self._ambiguous(choices, word, option))
        if found:
            (interface,) = found
            return Named(f"{word} ({_shown(interface.own_id)})", (interface.id,))
        if aliases := self._aliases.at(addresses):
            return self._standing_for(aliases, word, option)
        inside = sorted(_shown(net.label) for net in estate.networks.values() if addresses <= net.addresses)
        where = ", ".join(inside)
        note = f"{word} lies in {where}, where no interface that was read bears it; it is taken for one outside"
        return Named(word, (), addresses, (note,) if inside else ())

    def _name_of(self, interface: Interface) -> str:
        owner = self._estate.owner_of(interface)
        return interface.name if owner is None or not owner.name else owner.name

    def _tagged(self, word: str) -> Named | None:
        key, equals, value = word.partition("=")
        if not equals or not key:
            return None
        tags_of = self._nameables.tags_of
        found = [i.id for i in self._estate.interfaces.values() if tags_of(i).get(key) == value]
        return Named(_shown(word), tuple(sorted(found))) if found else None

    def _hint(self, word: str) -> str:
        """Return the way out for a word that means nothing."""
        if not self._estate.interfaces:
            return "there are no interfaces in what was read"
        if (kind := self._nameables.other_kinds.get(word)) is not None:
            return f"it is a {kind}, which sends and takes nothing itself"
        key, equals, value = word.partition("=")
        if equals and key:
            return self._tag_hint(key, value)
        if word[:1] == "c" and word[1:].isdecimal():
            return "names of classes change from run to run; name one of their interfaces"
        if tags := self._tags_with(word):
            return f"did you mean {_either(tags)}?"
        known = {text for text in (*self._nameables.names, *self._nameables.own_ids) if len(text) <= _LONGEST}
        if near := get_close_matches(word[:_LONGEST], known, _NEAR):
            return f"did you mean {_either(near)}?"
        return (
            "write an id (eni-…, sg-…, subnet-…, zones/…), a name, namespace/name of a workload, tag=value, an"
            " address, a range or `internet`"
        )

    def _tags_with(self, value: str) -> list[str]:
        """Return tags with a value, as they are asked for: a namespace, an application."""
        tags = (self._nameables.tags_of(interface) for interface in self._estate.interfaces.values())
        found = {f"{key}={value}" for each in tags for key, text in each.items() if text == value}
        return sorted(found, key=lambda text: (len(text), text))[:_NEAR]

    def _tag_hint(self, key: str, value: str) -> str:
        values: defaultdict[str, set[str]] = defaultdict(set)
        for interface in self._estate.interfaces.values():
            for known, text in self._nameables.tags_of(interface).items():
                values[known].add(text)
        if key in values:
            if near := get_close_matches(value, values[key], _NEAR):
                return f"did you mean {_either(f'{key}={text}' for text in near)}?"
            shown = sorted(values[key])
            return (
                f"values of {_shown(key)} are {', '.join(map(_shown, shown[:_SHOWN]))}{', …' if shown[_SHOWN:] else ''}"
            )
        near = get_close_matches(key, list(values), _NEAR)
        return f"no interface has the tag {_shown(key)}{f'; did you mean {_either(near)}?' if near else ''}"


def _addresses(word: str) -> AddressSet | None:
    """Return the addresses that a word is written as: one, a CIDR block or a range; None where it is none of these."""
    # As reports write addresses outside.
    word = word.removeprefix(EXTERNAL)
    if word.lower() in {"all", "none"} or "," in word:
        return None
    try:
        return AddressSet.parse(word)
    except ParseError:
        return None


def _label(choice: Nameable) -> str:
    """Return the own id, followed by the name where that says more."""
    return labelled(_shown(own_id(choice.id)), _shown(choice.name))


def _apart(choices: Sequence[Nameable]) -> list[Nameable]:
    """Return choices without those that stand for the same as an earlier one, as a workload does for its interface."""
    first: dict[object, Nameable] = {}
    for choice in choices:
        first.setdefault(tuple(each.id for each in choice.interfaces) or choice.id, choice)
    return list(first.values())


def _argument(text: str) -> str:
    """Return a text as it is written on a command line: the brackets of a workload mean something to shells."""
    return quote(text) if text.isprintable() else repr(text)


def _without_interface(text: str, *, service: bool) -> str:
    """Return what is said of an end without interfaces: that it was not judged, never that nothing reaches it."""
    if service:
        return f"{text} is a managed service without an interface that was read: who reaches it is not judged here"
    return f"{text} has no interface that was read, so no packet from it or to it is judged here"


def _either(texts: Iterable[str]) -> str:
    return " or ".join(map(_shown, texts))


def _shown(text: str) -> str:
    """Return a text from outside on one line, whatever it holds."""
    return text if text.isprintable() else repr(text)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
