"""Writes an intent as the file that people review: the same text for the same intent, one entry a few short lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TextIO

    from cloudseg.intent import Allowance, Intent
    from cloudseg.segments import Choice, Segment
    from cloudseg.traffic import Traffic

__all__ = ["CHOICE_KEYS", "SCHEMA", "allowance_lines", "segment_lines", "write_intent"]

SCHEMA: Final = "cloudseg/intent/v1"
CHOICE_KEYS: Final = ("tags", "labels", "names", "groups", "addresses", "networks", "scopes", "ids")
_TEXT: Final = "tag:yaml.org,2002:str"
_DAY: Final = "tag:yaml.org,2002:timestamp"
_LIST: Final = "tag:yaml.org,2002:seq"
_MAP: Final = "tag:yaml.org,2002:map"
_HEAD: Final = "# What may open connections to what. Everything that is not allowed here is denied.\n"
_Pairs = list[tuple[str, yaml.Node]]


def write_intent(intent: Intent, stream: TextIO) -> None:
    """Write an intent so that ``read_intent`` reads it again, but for the places, which are those of the new file.

    Args:
        intent: the intent.
        stream: where the text goes, as UTF-8.
    """
    sections: _Pairs = [
        ("schema", _text(SCHEMA)),
        ("segments", _mapping([(each.name, _segment(each)) for each in intent.segments])),
    ]
    if intent.tiers:
        sections.append(("tiers", _sequence([_texts(names) for names in intent.tiers], flow=True)))
    if intent.shared:
        sections.append(("shared", _sequence(map(_text, intent.shared), flow=True)))
    sections.append(("allow", _sequence(map(_allowance, intent.allow))))
    stream.write(_HEAD + "\n".join(_visible(_serialized(section)) for section in sections))


def segment_lines(segment: Segment) -> list[str]:
    """Return the lines of one segment, as they stand under ``segments``, not indented."""
    return _lines(_mapping([(segment.name, _segment(segment))]))


def allowance_lines(allowance: Allowance) -> list[str]:
    """Return the lines of one allowance, as they stand under ``allow``, not indented."""
    return _lines(_sequence([_allowance(allowance)]))


def _lines(node: yaml.Node) -> list[str]:
    return _visible(_dumped(node)).removesuffix("\n").split("\n")


def _serialized(section: tuple[str, yaml.Node]) -> str:
    return _dumped(_mapping([section]))


def _dumped(node: yaml.Node) -> str:
    # No text spans lines, and nothing is wrapped, so that one change is one line of a diff.
    return yaml.serialize(  # pyright: ignore[reportUnknownMemberType] - the stubs leave the type of a node out
        node, Dumper=yaml.CSafeDumper, allow_unicode=True, width=-1
    )


def _visible(text: str) -> str:
    """Return YAML that hides nothing from a reviewer: what is not printable stands in quotes, and is escaped."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else f"\\U{ord(c):08x}" for c in text)


def _segment(segment: Segment) -> yaml.Node:
    pairs = [*_said(comment=segment.comment, owner=segment.owner), *_choice(segment.choice)]
    if segment.any_of:
        pairs.append(("any", _sequence(_mapping(list(_choice(choice))) for choice in segment.any_of)))
    match segment.except_for:
        case ():
            pass
        case (choice,):
            pairs.append(("except", _mapping(list(_choice(choice)))))
        case choices:
            pairs.append(("except", _sequence(_mapping(list(_choice(choice))) for choice in choices)))
    return _mapping(pairs)


def _choice(choice: Choice) -> Iterator[tuple[str, yaml.Node]]:
    for key in CHOICE_KEYS:
        match key:
            case "tags" | "labels":
                held: Mapping[str, tuple[str, ...]] = getattr(choice, key)
                if held:
                    yield key, _mapping([(name, _texts(values)) for name, values in held.items()], flow=True)
            case "addresses":
                if choice.addresses:
                    yield key, _texts(str(choice.addresses).split(", "))
            case _:
                values: tuple[str, ...] = getattr(choice, key)
                if values:
                    yield key, _texts(values)


def _allowance(allowance: Allowance) -> yaml.Node:
    return _mapping(
        [
            *_said(id=allowance.id),
            ("from", _texts(allowance.sources)),
            ("to", _texts(allowance.targets)),
            ("traffic", _texts(_traffic(allowance.traffic))),
            *_said(comment=allowance.comment, owner=allowance.owner),
            *([("expires", yaml.ScalarNode(_DAY, allowance.expires))] if allowance.expires else []),
        ]
    )


def _traffic(traffic: Traffic) -> tuple[str, ...]:
    terms = traffic.terms()
    text = str(traffic)
    # Only the text can say `all except`, and it does where that is shorter.
    return terms if text == ", ".join(terms) else (text,)


def _said(**texts: str) -> Iterator[tuple[str, yaml.Node]]:
    for key, text in texts.items():
        if text:
            yield key, _text(text)


def _texts(values: Sequence[str]) -> yaml.Node:
    return _text(values[0]) if len(values) == 1 else _sequence(map(_text, values), flow=True)


def _text(value: str) -> yaml.Node:
    # Half of a character cannot be written in any encoding. What is not printable can only be escaped in quotes.
    text = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return yaml.ScalarNode(_TEXT, text, style=None if text.isprintable() else '"')


def _sequence(nodes: Iterable[yaml.Node], *, flow: bool = False) -> yaml.Node:
    return yaml.SequenceNode(_LIST, list(nodes), flow_style=flow)


def _mapping(pairs: _Pairs, *, flow: bool = False) -> yaml.Node:
    return yaml.MappingNode(_MAP, [(_text(key), node) for key, node in pairs], flow_style=flow)
