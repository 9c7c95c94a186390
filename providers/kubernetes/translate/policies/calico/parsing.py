"""Reading Calico's selectors.

Negation binds closest, then ``&&``, then ``||``. Texts stand in single or double quotes and know no escapes. Source:
https://docs.tigera.io/calico/latest/reference/resources/networkpolicy#selectors
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.policies.calico.expressions import ALL, And, Compare, Global, Not, Or

if TYPE_CHECKING:
    from cloudseg.providers.kubernetes.translate.policies.calico.expressions import Expression, Operator

__all__ = ["parse"]

_DEEPEST: Final = 50
_TOKEN: Final = re.compile(
    r"""[ \t]*(?:
        (?P<call>(?:all|global)\([ \t]*\))
      | has\([ \t]*(?P<has>[A-Za-z0-9_./-]{1,512})[ \t]*\)
      | (?P<sign>&&|\|\||==|!=|!|\(|\)|\{|\}|,)
      | "(?P<double>[^"]*)" | '(?P<single>[^']*)'
      | (?P<key>[A-Za-z0-9_./-]{1,512})
    )""",
    re.VERBOSE,
)
_WORD: Final = re.compile(r"[ \t]*(contains|starts[ \t]*with|ends[ \t]*with|not[ \t]*in|in)")
"""An operator in letters, which stands behind a key and nowhere else."""

_OPERATORS: Final[dict[str, Operator]] = {
    "contains": "contains",
    "startswith": "starts with",
    "endswith": "ends with",
    "notin": "not in",
    "in": "in",
}


class _Token(NamedTuple):
    kind: Literal["sign", "text", "key", "has", "call", "word"]
    text: str


def parse(text: str) -> Expression:
    """Read a selector; an empty one chooses everything.

    Raises:
        ParseError: it is none.
    """
    tokens = _tokens(text)
    if not tokens:
        return ALL
    parser = _Parser(tokens)
    found = parser.either(0)
    if parser.at < len(tokens):
        raise ParseError(f"selector {text!r}: {tokens[parser.at].text!r} stands where the end should be")
    return found


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at, whole = 0, text.rstrip(" \t")
    while at < len(whole):
        if found and found[-1].kind == "key" and (word := _WORD.match(whole, at)):
            found.append(_Token("word", word[1]))
            at = word.end()
            continue
        token = _TOKEN.match(whole, at)
        if token is None:
            raise ParseError(f"selector {text!r} cannot be read from {whole[at : at + 20]!r} on")
        kind = token.lastgroup or ""
        value = token[kind]
        if kind in {"double", "single"}:
            found.append(_Token("text", value))
        elif kind == "has":
            found.append(_Token("has", value))
        elif kind == "call":
            found.append(_Token("call", value.partition("(")[0]))
        else:
            found.append(_Token("sign" if kind == "sign" else "key", value))
        at = token.end()
    return found


class _Parser:
    """Reads tokens by precedence: negation, then ``&&``, then ``||``."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self.at = 0

    def either(self, depth: int) -> Expression:
        found = self._both(depth)
        while self._take("||"):
            found = Or(found, self._both(depth))
        return found

    def _both(self, depth: int) -> Expression:
        found = self._one(depth)
        while self._take("&&"):
            found = And(found, self._one(depth))
        return found

    def _one(self, depth: int) -> Expression:
        if depth > _DEEPEST:
            raise ParseError("a selector is nested too deeply")
        if self._take("!"):
            return Not(self._one(depth + 1))
        if self._take("("):
            found = self.either(depth + 1)
            self._need(")")
            return found
        token = self._next()
        if token.kind == "call":
            return ALL if token.text == "all" else Global()
        if token.kind == "has":
            return Compare(token.text, "has")
        if token.kind != "key":
            raise ParseError(f"a selector has {token.text!r} where a key should be")
        return self._compare(token.text)

    def _compare(self, key: str) -> Expression:
        token = self._next()
        if token in {_Token("sign", "=="), _Token("sign", "!=")}:
            return Compare(key, "in" if token.text == "==" else "not in", frozenset((self._value(),)))
        if token.kind != "word":
            raise ParseError(f"a selector has {token.text!r} where an operator should be, behind {key!r}")
        operator = _OPERATORS[re.sub(r"[ \t]", "", token.text)]
        if operator in {"in", "not in"}:
            return Compare(key, operator, self._set())
        return Compare(key, operator, frozenset((self._value(),)))

    def _set(self) -> frozenset[str]:
        self._need("{")
        values: set[str] = set()
        while not self._take("}"):
            values.add(self._value())
            if not self._take(","):
                self._need("}")
                break
        return frozenset(values)

    def _value(self) -> str:
        token = self._next()
        if token.kind != "text":
            raise ParseError(f"a selector has {token.text!r} where a text in quotes should be")
        return token.text

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            raise ParseError(f"a selector lacks {sign!r}")

    def _take(self, sign: str) -> bool:
        taken = self.at < len(self._tokens) and self._tokens[self.at] == _Token("sign", sign)
        self.at += taken
        return taken

    def _next(self) -> _Token:
        if self.at == len(self._tokens):
            raise ParseError("a selector ends too early")
        self.at += 1
        return self._tokens[self.at - 1]
