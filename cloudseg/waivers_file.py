"""The file of accepted findings, ``waivers.yaml``: a list of entries, each with an owner, a reason and an expiry.

A finding is chosen by its id, or by its check together with a resource, a rule or tags::

    - check: internet-exposed-port
      resource: sg-0a1b2c3d
      owner: shop team
      reason: partners connect until the migration is done
      expires: 2027-01-31
"""

from __future__ import annotations

import re
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, NoReturn

import yaml

from cloudseg.checks import CHECKS
from cloudseg.errors import ConfigError
from cloudseg.waivers import Waiver
from cloudseg.yaml_nodes import odd_tag

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["load_waivers"]

_KEYS: Final = ("finding", "check", "resource", "rule", "tags", "owner", "reason", "expires")
_REQUIRED: Final = ("owner", "reason", "expires")
_NULL: Final = "tag:yaml.org,2002:null"
_DEEPEST: Final = 16
_FINDING: Final = re.compile(r"[0-9a-f]{20}")
_SAMPLE: Final = """an entry looks like this:
- check: internet-exposed-port
  resource: sg-0a1b2c3d
  owner: shop team
  reason: partners connect until the migration is done
  expires: 2027-01-31"""


def load_waivers(path: Path) -> tuple[Waiver, ...]:
    """Return the waivers of a file, in its order; an empty file holds none.

    Texts are taken as they are written, so that an id of digits alone needs no quotes.

    Raises:
        ConfigError: the file cannot be read or is no YAML, a key is unknown, doubled or missing, a check does not
            exist, or an expiry is no day. Every entry that is wrong is told, a line each.
    """
    try:
        text = path.read_text(encoding="utf-8")
        _refuse_depth(path, text)
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}; name the file of waivers with --waivers") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} is no YAML file: {error}") from error
    if root is None or root.tag == _NULL:
        return ()
    if not isinstance(root, yaml.SequenceNode):
        raise ConfigError(f"{path}, line {_line(root)}: the file is no list of waivers; {_SAMPLE}")
    mistakes: list[str] = []
    waivers = [_Entry(path, number, node, mistakes).waiver() for number, node in enumerate(_items(root), 1)]
    if mistakes:
        # What an entry looks like is told once, behind the last of them.
        told = [text.removesuffix(f"; {_SAMPLE}") for text in mistakes]
        sample = f"; {_SAMPLE}" if told != mistakes else ""
        raise ConfigError("\n".join(told) + sample)
    return tuple(waiver for waiver in waivers if waiver is not None)


def _refuse_depth(path: Path, text: str) -> None:
    """Refuse a file that nests beyond any waiver: the parser composes by recursion and would fall over it.

    Tags are refused as well: they would be passed over, whatever their writer meant.
    """
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if tag := odd_tag(event):
            mark = event.start_mark
            place = path if mark is None else f"{path}, line {mark.line + 1}"
            raise ConfigError(f"{place}: the tag {tag!r} is not taken; write the value without it")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise ConfigError(f"{path} nests too deeply for a list of waivers; {_SAMPLE}")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Entry:
    """One entry under examination."""

    def __init__(self, path: Path, number: int, node: yaml.Node, mistakes: list[str]) -> None:
        self._path = path
        self._number = number
        self._node = node
        self._mistakes = mistakes

    def waiver(self) -> Waiver | None:
        """Return the waiver; None after mistakes, which are noted."""
        try:
            nodes = self._mapping(self._node, "the entry")
            for key, node in nodes.items():
                if key not in _KEYS:
                    near = get_close_matches(key, _KEYS, 1)
                    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(_KEYS)}"
                    self._mistakes.append(self._told(node, f"unknown key {key!r}; {hint}"))
            return self._read({key: node for key, node in nodes.items() if key in _KEYS})
        except ConfigError as error:
            self._mistakes.append(str(error))
            return None

    def _read(self, nodes: dict[str, yaml.Node]) -> Waiver:
        tags_node = nodes.pop("tags", None)
        texts = {key: text for key, node in nodes.items() if (text := self._text(key, node))}
        missing = [key for key in _REQUIRED if key not in texts]
        if missing:
            self._fail(self._node, f"{' and '.join(missing)} missing; {_SAMPLE}")
        tags = {} if tags_node is None else self._tags(tags_node)
        self._choice(texts, tags)
        return Waiver(
            owner=texts["owner"],
            reason=texts["reason"],
            expires=self._day(nodes["expires"], texts["expires"]),
            place=f"{self._path.name}, entry {self._number}",
            finding=texts.get("finding"),
            check=texts.get("check"),
            resource=texts.get("resource"),
            rule=texts.get("rule"),
            tags=tags,
        )

    def _choice(self, texts: dict[str, str], tags: dict[str, str]) -> None:
        """Refuse an entry that chooses nothing, everything of a check, or in two ways at once."""
        narrowing = [key for key in ("resource", "rule") if key in texts] + (["tags"] if tags else [])
        finding, check = texts.get("finding"), texts.get("check")
        if finding is not None:
            others = (["check"] if check is not None else []) + narrowing
            if others:
                self._fail(self._node, f"`finding` chooses one finding alone; leave out {' and '.join(others)}")
            if not _FINDING.fullmatch(finding):
                self._fail(
                    self._node, f"{finding!r} is no id of a finding: 20 hexadecimal digits, as a report shows them"
                )
            return
        if check is None:
            self._fail(
                self._node, f"nothing is chosen: give `finding`, or `check` with a resource, rule or tags; {_SAMPLE}"
            )
        known = [each.id for each in CHECKS]
        if check not in known:
            near = get_close_matches(check, known, 1)
            hint = f"did you mean {near[0]}?" if near else "`cloudseg checks` lists them"
            self._fail(self._node, f"there is no check {check!r}; {hint}")
        # A pattern of wildcards alone chooses every resource.
        if narrowing == ["resource"] and not texts["resource"].strip("*?"):
            self._fail(
                self._node,
                f"a whole check cannot be waived, and {texts['resource']!r} stands for every resource; "
                f"name one, or a rule or tags; {_SAMPLE}",
            )
        if not narrowing:
            self._fail(self._node, f"a whole check cannot be waived; name a resource, a rule or tags; {_SAMPLE}")

    def _tags(self, node: yaml.Node) -> dict[str, str]:
        result: dict[str, str] = {}
        for key, value in self._mapping(node, "tags").items():
            if not isinstance(value, yaml.ScalarNode):
                self._fail(value, f"the tag {key!r} must have one text as its value")
            result[key] = _scalar(value)
        return result

    def _text(self, key: str, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self._fail(node, f"{key} must be one text")
        return "" if node.tag == _NULL else _scalar(node).strip()

    def _day(self, node: yaml.Node, text: str) -> str:
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            self._fail(node, f"expires is {text!r}, which is no day; write it as 2027-01-31")

    def _mapping(self, node: yaml.Node, what: str) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            self._fail(node, f"{what} must be keys with values; {_SAMPLE}")
        result: dict[str, yaml.Node] = {}
        for key, value in _pairs(node):
            if not isinstance(key, yaml.ScalarNode):
                self._fail(key, f"a key of {what} must be a text")
            name = _scalar(key)
            if name in result:
                self._fail(key, f"{name!r} stands there twice; keep one")
            result[name] = value
        return result

    def _fail(self, node: yaml.Node, problem: str) -> NoReturn:
        raise ConfigError(self._told(node, problem))

    def _told(self, node: yaml.Node, problem: str) -> str:
        return f"{self._path}, entry {self._number}, line {_line(node)}: {problem}"


def _items(node: yaml.SequenceNode) -> Iterator[yaml.Node]:
    yield from node.value


def _pairs(node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    yield from node.value


def _scalar(node: yaml.ScalarNode) -> str:
    return str(node.value)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
