"""YAML that people write, read with the line of everything, so that each mistake can be named where it stands.

Texts are taken as they are written: ``yes``, ``012345678901`` and ``2027-01-31`` are texts and need no quotes.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

import yaml

from cloudseg.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["Mistakes", "YamlFile", "line_of", "near", "odd_tag"]

_DEEPEST: Final = 16
_MOST: Final = 50
_LONGEST: Final = 600
_WORD: Final = 120
_NULL: Final = "tag:yaml.org,2002:null"
_TEXT: Final = "tag:yaml.org,2002:str"


class Mistakes:
    """The mistakes of one file, collected, so that all of them can be mended at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: list[tuple[int, str]] = []

    def add(self, node: yaml.Node, where: str, problem: str) -> None:
        """Note what is wrong at a node, and the way out, as one line."""
        self._found.append((line_of(node), _one_line(f"{where}: {problem}" if where else problem)))

    def refuse(self) -> None:
        """Refuse the file if it has mistakes.

        Raises:
            ConfigError: it has; each is a line of the message, in the order of the file.
        """
        if not self._found:
            return
        ordered = sorted(dict.fromkeys(self._found), key=lambda found: found[0])
        lines = [f"{self._path}:{line}: {problem}" for line, problem in ordered[:_MOST]]
        if len(ordered) > _MOST:
            lines.append(f"{self._path}: and {len(ordered) - _MOST} more mistakes")
        raise ConfigError("\n".join(lines))


class YamlFile:
    """A YAML file under examination. What is wrong is noted in ``mistakes`` and left out of what is returned.

    Args:
        path: the file.
        what: what it is, for messages: ``intent``.
        option: the option that names it, for messages: ``--intent``.
    """

    def __init__(self, path: Path, what: str, option: str) -> None:
        self.path = path
        self.mistakes = Mistakes(path)
        self._what = what
        self._option = option

    def root(self) -> yaml.Node | None:
        """Return the node of the whole file; None for an empty one.

        Raises:
            ConfigError: the file cannot be read, is no YAML, nests beyond anything that makes sense, or uses aliases.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
            self._refuse_what_hides(text)
            root = yaml.compose(text, Loader=yaml.CSafeLoader)
        except OSError as error:
            hint = f"name the {self._what} file with {self._option}"
            raise ConfigError(f"cannot read {self.path}: {error.strerror}; {hint}") from error
        except (UnicodeDecodeError, yaml.YAMLError) as error:
            problem = _one_line(" ".join(str(getattr(error, "problem", None) or error).split()))
            hint = "; a text that begins with * needs quotes" if "alias" in str(error) else ""
            raise ConfigError(f"{self._place(error)}: this is no YAML: {problem}{hint}") from error
        return None if root is None or root.tag == _NULL else root

    def mapping(
        self,
        node: yaml.Node,
        where: str,
        known: Collection[str] | None = None,
        *,
        other_words: Mapping[str, str] | None = None,
        filled: str = "",
    ) -> dict[str, yaml.Node]:
        """Return the values of a mapping by key.

        Args:
            node: the node.
            where: its place, for messages.
            known: the keys that it may have; None where any text is one.
            other_words: what to write instead of keys that people may try.
            filled: what to write into it, for a mapping that must not be empty.
        """
        if not isinstance(node, yaml.MappingNode):
            self.mistakes.add(node, where, f"must be keys with values, not {_kind_of(node)}")
            return {}
        result: dict[str, yaml.Node] = {}
        for key, value in _pairs(node):
            if not isinstance(key, yaml.ScalarNode):
                self.mistakes.add(key, where, "a key must be a text")
                continue
            name = _scalar(key)
            if name in result:
                self.mistakes.add(key, where, f"the key {name!r} stands there twice; keep one")
            elif known is not None and name not in known:
                hint = (other_words or {}).get(name) or near(name, known) or f"known here: {', '.join(known)}"
                self.mistakes.add(key, where, f"unknown key {name!r}; {hint}")
            else:
                result[name] = value
        if filled and not node.value:
            self.mistakes.add(node, where, f"is empty; {filled}")
        return result

    def key_lines(self, node: yaml.Node) -> dict[str, int]:
        """Return the line of each key of a mapping, counted from 1."""
        pairs = _pairs(node) if isinstance(node, yaml.MappingNode) else ()
        return {_scalar(key): line_of(key) for key, _ in pairs if isinstance(key, yaml.ScalarNode)}

    def items(self, node: yaml.Node, where: str, *, filled: bool = False) -> list[yaml.Node]:
        """Return the items of a list; ``filled`` says that it must have some."""
        if not isinstance(node, yaml.SequenceNode):
            self.mistakes.add(node, where, f"must be a list, not {_kind_of(node)}")
            return []
        items = list(_items(node))
        if filled and not items:
            self.mistakes.add(node, where, "is an empty list; write what it stands for, or leave the key out")
        return items

    def text(self, node: yaml.Node, where: str, *, empty: bool = False) -> str | None:
        """Return one text; None for what is none. ``empty`` takes an empty text in quotes as well."""
        if not isinstance(node, yaml.ScalarNode):
            self.mistakes.add(node, where, f"must be one text, not {_kind_of(node)}")
        elif node.tag == _NULL:
            hint = 'write one: "*" for any, "" for an empty one' if empty else "write one, or leave the key out"
            self.mistakes.add(node, where, f"has no value; {hint}")
        elif not _scalar(node) and not empty:
            self.mistakes.add(node, where, "is an empty text; write what it stands for, or leave the key out")
        else:
            return _scalar(node)
        return None

    def texts(self, node: yaml.Node, where: str, *, empty: bool = False) -> dict[str, yaml.Node]:
        """Return one text or a list of texts, each with its node."""
        nodes = self.items(node, where, filled=True) if isinstance(node, yaml.SequenceNode) else [node]
        read = ((self.text(each, where, empty=empty), each) for each in nodes)
        return {text: each for text, each in read if text is not None}

    def _refuse_what_hides(self, text: str) -> None:
        """Refuse what a reviewer cannot judge: deep nesting, over which the parser would fall, aliases and tags."""
        depth = 0
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if tag := odd_tag(event):
                raise ConfigError(
                    f"{self._place(event)}: the tag {_one_line(tag)} is not taken; write the value without it"
                )
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > _DEEPEST:
                    raise ConfigError(f"{self._place(event)}: this nests too deeply for the {self._what} file")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            elif isinstance(event, yaml.AliasEvent):
                raise ConfigError(
                    f"{self._place(event)}: aliases (*name) are not taken; write out what it stands for, "
                    "or put a text that begins with * in quotes"
                )

    def _place(self, what: object) -> str:
        mark: object = getattr(what, "problem_mark", None) or getattr(what, "start_mark", None)
        line: object = getattr(mark, "line", None)
        return f"{self.path}:{line + 1}" if isinstance(line, int) else str(self.path)


def odd_tag(event: object) -> str:
    """Return the tag that is written before a value, where it would change what the value means; else nothing."""
    tag: object = getattr(event, "tag", None)
    return "" if tag is None or tag == _TEXT else str(tag)


def near(name: str, known: Iterable[str]) -> str:
    """Return a hint at the word that was meant; empty where none is close."""
    # What is close to a word is not much longer, and comparing takes time that grows with the square.
    found = get_close_matches(name[:_WORD], list(known), 1)
    return f"did you mean {found[0]}?" if found else ""


def line_of(node: yaml.Node) -> int:
    """Return the line on which a node begins, counted from 1."""
    return int(node.start_mark.line) + 1


def _kind_of(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "keys with values"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "nothing" if node.tag == _NULL else f"the text {_scalar(node)!r}"


def _one_line(text: str) -> str:
    """Return a text that is one line whatever it quotes, and not longer than anybody reads."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text[:_LONGEST])
    return shown if len(text) <= _LONGEST else f"{shown}…"


def _items(node: yaml.SequenceNode) -> Iterator[yaml.Node]:
    yield from node.value


def _pairs(node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    yield from node.value


def _scalar(node: yaml.Node) -> str:
    return str(node.value)
