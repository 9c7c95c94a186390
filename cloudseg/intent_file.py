"""The file of intended traffic, ``intent.yaml``: segments, and what one may open to another; all else is denied.

It is read by people in a pull request, so it holds few words::

    schema: cloudseg/intent/v1

    segments:
      web:
        tags: {application: shop, tier: web}
      app:
        tags: {application: shop, tier: app}

    allow:
      - from: web
        to: app
        traffic: tcp/8080
        comment: orders
        owner: shop team
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import yaml

from cloudseg.errors import ConfigError, ParseError
from cloudseg.intent import Allowance, Intent
from cloudseg.intent_writer import CHOICE_KEYS, SCHEMA, write_intent
from cloudseg.segments import INTERNET, NO_CHOICE, Choice, Segment
from cloudseg.traffic import NO_ADDRESSES, NO_TRAFFIC, AddressSet, Traffic
from cloudseg.yaml_nodes import YamlFile, line_of, near

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["CHOICE_KEYS", "SCHEMA", "read_intent", "write_intent"]

_KEYS: Final = ("schema", "default", "segments", "allow", "shared", "tiers")
_SEGMENT_KEYS: Final = (*CHOICE_KEYS, "any", "except", "comment", "owner")
_ALLOW_KEYS: Final = ("from", "to", "traffic", "comment", "owner", "expires", "id")
_NEEDED: Final = ("from", "to", "traffic")
_RESERVED: Final = (INTERNET, "unassigned")
_LONGEST_NAME: Final = 100
_NAMED: Final = 8
_OTHER_WORDS: Final = {
    **dict.fromkeys(("account", "accounts", "subscription", "project", "cluster"), "write scopes"),
    **dict.fromkeys(("vpc", "vpcs", "vnet"), "write networks"),
    **dict.fromkeys(("cidr", "cidrs", "ip", "ips"), "write addresses"),
    **dict.fromkeys(("security_groups", "security-groups", "sg"), "write groups"),
    **dict.fromkeys(("source", "src"), "write from"),
    **dict.fromkeys(("target", "dst"), "write to"),
    **dict.fromkeys(("port", "ports", "protocol"), "write traffic, such as tcp/443"),
    **dict.fromkeys(("description", "reason"), "write comment"),
    **dict.fromkeys(("until", "expiry"), "write expires"),
}


def read_intent(path: Path) -> Intent:
    """Return the intent of a file.

    Texts are taken as they are written, so that an account of digits alone needs no quotes.

    Raises:
        ConfigError: the file cannot be read or is no YAML, or something in it is wrong: an unknown or doubled key, a
            value of the wrong kind, a segment that is not defined, traffic, addresses or a day that cannot be read.
            All mistakes are told at once, each on a line of its own with its place and the way out.
    """
    file = YamlFile(path, "intent", "--intent")
    root = file.root()
    if root is None:
        raise ConfigError(f"{path}:1: the file is empty; it begins with `schema: {SCHEMA}`")
    intent = _Reader(file).intent(root)
    file.mistakes.refuse()
    return intent


class _Reader:
    """One file under examination: what is right is returned, what is wrong is noted."""

    def __init__(self, file: YamlFile) -> None:
        self._file = file
        self._note = file.mistakes.add

    def intent(self, root: yaml.Node) -> Intent:
        """Return what the file says, as far as it is right."""
        nodes = self._file.mapping(root, "", _KEYS)
        if not isinstance(root, yaml.MappingNode):
            return Intent()
        self._fixed(root, nodes, "schema", SCHEMA, needed=True)
        self._fixed(root, nodes, "default", "deny", needed=False)
        named: dict[str, yaml.Node] = {}
        lines: dict[str, int] = {}
        if "segments" in nodes:
            named = self._file.mapping(nodes["segments"], "segments")
            lines = self._file.key_lines(nodes["segments"])
        else:
            self._note(root, "segments", "is missing; write the segments, each a name with what it chooses by")
        entries = self._file.items(nodes["allow"], "allow") if "allow" in nodes else []
        return Intent(
            segments=tuple(self._segment(name, node, lines[name]) for name, node in named.items()),
            allow=self._allowances(entries, named),
            shared=self._names(nodes["shared"], "shared", named) if "shared" in nodes else (),
            tiers=self._tiers(nodes["tiers"]) if "tiers" in nodes else (),
        )

    def _fixed(self, root: yaml.Node, nodes: dict[str, yaml.Node], key: str, value: str, *, needed: bool) -> None:
        if key not in nodes:
            if needed:
                self._note(root, key, f"is missing; write `{key}: {value}`")
            return
        text = self._file.text(nodes[key], key)
        if text is not None and text != value:
            self._note(nodes[key], key, f"is {text!r}; {value} is the only value that there is")

    def _segment(self, name: str, node: yaml.Node, line: int) -> Segment:
        where = f"segments.{name}"
        if name in _RESERVED:
            self._note(node, where, f"{name!r} has a meaning of its own; choose another name")
        elif not name.isprintable() or name.strip() != name or not 1 <= len(name) <= _LONGEST_NAME:
            limits = f"1 to {_LONGEST_NAME} visible characters and no blanks at its ends"
            self._note(node, where[:_LONGEST_NAME], f"the name of a segment has {limits}")
        filled = f"give one of {', '.join((*CHOICE_KEYS, 'any'))}"
        nodes = self._file.mapping(node, where, _SEGMENT_KEYS, other_words=_OTHER_WORDS, filled=filled)
        if nodes and not any(key in nodes for key in (*CHOICE_KEYS, "any")):
            self._note(node, where, f"chooses nothing; {filled}")
        return Segment(
            name=name,
            choice=self._parts(nodes, where),
            any_of=self._choices(nodes, where, "any"),
            except_for=self._choices(nodes, where, "except"),
            comment=self._said(nodes, where, "comment"),
            owner=self._said(nodes, where, "owner"),
            place=self._place(line),
        )

    def _choices(self, nodes: dict[str, yaml.Node], where: str, key: str) -> tuple[Choice, ...]:
        if key not in nodes:
            return ()
        where = f"{where}.{key}"
        node = nodes[key]
        if key == "except" and isinstance(node, yaml.MappingNode):
            return (self._choice(node, where),)
        items = self._file.items(node, where, filled=True)
        return tuple(self._choice(item, f"{where} entry {number}") for number, item in enumerate(items, 1))

    def _choice(self, node: yaml.Node, where: str) -> Choice:
        filled = f"give one of {', '.join(CHOICE_KEYS)}"
        return self._parts(self._file.mapping(node, where, CHOICE_KEYS, other_words=_OTHER_WORDS, filled=filled), where)

    def _parts(self, nodes: dict[str, yaml.Node], where: str) -> Choice:
        def values(key: str) -> tuple[str, ...]:
            return tuple(self._file.texts(nodes[key], f"{where}.{key}")) if key in nodes else ()

        def keyed(key: str) -> dict[str, tuple[str, ...]]:
            if key not in nodes:
                return {}
            held = self._file.mapping(nodes[key], f"{where}.{key}", filled="write a key and its value, `tier: web`")
            return {
                name: tuple(self._file.texts(node, f"{where}.{key}.{name}", empty=True)) for name, node in held.items()
            }

        if not any(key in nodes for key in CHOICE_KEYS):
            return NO_CHOICE
        return Choice(
            tags=keyed("tags"),
            labels=keyed("labels"),
            names=values("names"),
            groups=values("groups"),
            addresses=self._addresses(nodes["addresses"], f"{where}.addresses")
            if "addresses" in nodes
            else NO_ADDRESSES,
            networks=values("networks"),
            scopes=values("scopes"),
            ids=values("ids"),
        )

    def _addresses(self, node: yaml.Node, where: str) -> AddressSet:
        found = NO_ADDRESSES
        for text, each in self._file.texts(node, where).items():
            try:
                read = AddressSet.parse(text)
            except ParseError as error:
                self._note(each, where, str(error))
                continue
            if not read:
                self._note(each, where, f"{text!r} is no address at all; write 203.0.113.0/24, or leave the key out")
            found |= read
        return found

    def _allowances(self, entries: Iterable[yaml.Node], named: dict[str, yaml.Node]) -> tuple[Allowance, ...]:
        result: list[Allowance] = []
        ids: set[str] = set()
        for number, entry in enumerate(entries, 1):
            allowance = self._allowance(entry, f"allow entry {number}", named)
            if allowance.id and allowance.id in ids:
                self._note(entry, f"allow entry {number}.id", f"{allowance.id!r} is the id of another entry; keep one")
            ids.add(allowance.id)
            result.append(allowance)
        return tuple(result)

    def _allowance(self, entry: yaml.Node, where: str, named: dict[str, yaml.Node]) -> Allowance:
        nodes = self._file.mapping(entry, where, _ALLOW_KEYS, other_words=_OTHER_WORDS)
        missing = [key for key in _NEEDED if key not in nodes]
        if missing and isinstance(entry, yaml.MappingNode):
            self._note(entry, where, f"{' and '.join(missing)} missing; an entry has from, to and traffic")
        # One that is named like the internet was told of where it stands.
        ends = tuple(dict.fromkeys((*named, INTERNET)))
        sources = self._names(nodes["from"], f"{where}.from", ends) if "from" in nodes else ()
        targets = self._names(nodes["to"], f"{where}.to", ends) if "to" in nodes else ()
        if INTERNET in sources and INTERNET in targets:
            self._note(entry, where, "what the internet may open to itself is nobody's to allow; name a segment")
        return Allowance(
            sources=sources,
            targets=targets,
            traffic=self._traffic(nodes["traffic"], f"{where}.traffic") if "traffic" in nodes else NO_TRAFFIC,
            comment=self._said(nodes, where, "comment"),
            owner=self._said(nodes, where, "owner"),
            expires=self._day(nodes["expires"], f"{where}.expires") if "expires" in nodes else "",
            id=self._said(nodes, where, "id"),
            place=self._place(line_of(entry)),
        )

    def _names(self, node: yaml.Node, where: str, known: Iterable[str]) -> tuple[str, ...]:
        names = tuple(known)
        found = self._file.texts(node, where)
        for name, each in found.items():
            if name not in names:
                some = ", ".join(names[:_NAMED]) + (" and others" if len(names) > _NAMED else "")
                hint = near(name, names) or f"there are {some}; define it under segments"
                self._note(each, where, f"there is no segment {name!r}; {hint}")
        return tuple(found)

    def _traffic(self, node: yaml.Node, where: str) -> Traffic:
        found = NO_TRAFFIC
        for text, each in self._file.texts(node, where).items():
            try:
                read = Traffic.parse(text)
            except ParseError as error:
                self._note(each, where, str(error))
                continue
            if not read:
                self._note(each, where, f"{text!r} allows nothing, as everything is denied anyway; remove it")
            found |= read
        return found

    def _day(self, node: yaml.Node, where: str) -> str:
        text = self._file.text(node, where)
        if text is None:
            return ""
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            self._note(node, where, f"{text!r} is no day; write the last day on which it holds as 2027-01-31")
            return ""

    def _tiers(self, node: yaml.Node) -> tuple[tuple[str, ...], ...]:
        tiers: list[tuple[str, ...]] = []
        seen: set[str] = set()
        for number, item in enumerate(self._file.items(node, "tiers"), 1):
            names = self._file.texts(item, f"tiers entry {number}")
            for name, each in names.items():
                if name in seen:
                    self._note(each, f"tiers entry {number}", f"{name!r} stands in two tiers; keep one")
            seen.update(names)
            tiers.append(tuple(names))
        return tuple(tiers)

    def _said(self, nodes: dict[str, yaml.Node], where: str, key: str) -> str:
        if key not in nodes:
            return ""
        return self._file.text(nodes[key], f"{where}.{key}") or ""

    def _place(self, line: int) -> str:
        return f"{self._file.path.name}:{line}"
