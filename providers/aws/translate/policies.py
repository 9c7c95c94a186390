"""Resource policies: JSON in a string, and whom it lets in without credentials."""

from __future__ import annotations

import re
from typing import cast

import msgspec

from cloudseg.errors import ParseError
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, AddressSet

__all__ = ["Admission", "Statement", "admission", "concerning", "statements_of"]

_SOURCE_IP = "aws:sourceip"
_PRIVATE_KEYS = frozenset(("aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:sourcevpcarn"))
_NAMED_KEYS = frozenset(
    (
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:principalservicename",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:userid",
    )
)
_POSITIVE = frozenset(("stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress"))
_NEGATIVE = frozenset(
    ("stringnotequals", "stringnotequalsignorecase", "stringnotlike", "arnnotequals", "arnnotlike", "notipaddress")
)
_ALL_ACTIONS = re.compile(r"\*|[a-z0-9-]+:\*|es:ESHttp\*|execute-api:Invoke", re.IGNORECASE)
_ALL_RESOURCES = re.compile(
    r"\*|execute-api:/\*(/\*)*"
    r"|arn:[^:]*:[^:]*:\*?:\*?:\*"
    r"|arn:[^:]*:es:[^:]*:[^:]*:domain/[^/]+(/\*)?"
    r"|arn:[^:]*:execute-api:[^:]*:[^:]*:[^/]+/\*(/\*)*"
)


class Statement(msgspec.Struct, frozen=True):
    """One statement of a policy, with what may be one value or a list turned into tuples.

    Attributes:
        allows: its effect is Allow; what is no Deny is taken for an Allow.
        everyone: its principal is ``*``, or is given by whom it leaves out.
        every_action: it covers every action, or is given by those it leaves out.
        every_resource: it covers the whole resource, or is given by what it leaves out.
        excepts: it is given by what it leaves out in some part (NotPrincipal, NotAction, NotResource).
        conditions: operator in lower case, key in lower case, values.
        actions: what it names, in lower case; None when it is given by those it leaves out, or names none.
    """

    allows: bool
    everyone: bool
    every_action: bool
    every_resource: bool
    excepts: bool
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...]
    actions: tuple[str, ...] | None = None


class Admission(msgspec.Struct, frozen=True):
    """Whom a policy lets in from outside.

    Attributes:
        anonymous: the addresses whose callers need no credentials.
        named: the addresses from which named principals are let in.
    """

    anonymous: AddressSet
    named: AddressSet


def statements_of(text: str) -> tuple[Statement, ...] | None:
    """Read a policy document; None when it is none.

    API Gateway hands its policies out with the quotes escaped once more
    (https://docs.aws.amazon.com/apigateway/latest/api/API_RestApi.html). Grammar:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
    """
    document = _decoded(text)
    if document is None:
        unescaped = _decoded(f'"{text}"')
        document = _decoded(unescaped) if isinstance(unescaped, str) else None
    if not isinstance(document, dict):
        return None
    fields = cast("dict[str, object]", document)
    items = _listed(fields.get("Statement"))
    if not items or not all(isinstance(item, dict) for item in items):
        return None
    return tuple(_statement(cast("dict[str, object]", item)) for item in items)


def concerning(statements: tuple[Statement, ...], *prefixes: str) -> tuple[Statement, ...]:
    """Return the statements that may be about actions that begin so: ``es:ESHttp`` are those that reach the data.

    Actions know no case, ``*`` stands for any text and ``?`` for one character:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    """

    def fits(action: str) -> bool:
        literal = re.split(r"[*?]", action, maxsplit=1)[0]
        return any(
            literal.startswith(prefix) or (literal != action and prefix.startswith(literal))
            for prefix in (text.lower() for text in prefixes)
        )

    return tuple(
        statement for statement in statements if statement.actions is None or any(map(fits, statement.actions))
    )


def admission(statements: tuple[Statement, ...]) -> Admission | None:
    """Work out whom the statements let in; None when an address in them cannot be read.

    In doubt a statement lets in: a condition that callers can satisfy at will (a referrer, TLS) limits nobody, and a
    Deny counts only where it certainly applies. How conditions combine:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
    """
    try:
        anonymous = named = NO_ADDRESSES
        for statement in statements:
            if statement.allows:
                sources, by_name = _limits(statement)
                named |= sources
                if statement.everyone and not by_name:
                    anonymous |= sources
        for statement in statements:
            if not statement.allows:
                anonymous -= _denied(statement, anonymous=True)
                named -= _denied(statement, anonymous=False)
    except ParseError:
        return None
    return Admission(anonymous, named)


def _decoded(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None


def _listed(value: object) -> list[object]:
    if value is None:
        return []
    return cast("list[object]", value) if isinstance(value, list) else [value]


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in _listed(value))


def _statement(fields: dict[str, object]) -> Statement:
    principal = fields.get("Principal")
    names = _texts(cast("dict[str, object]", principal).get("AWS")) if isinstance(principal, dict) else ()
    actions = _texts(fields.get("Action"))
    resources = _texts(fields.get("Resource"))
    return Statement(
        allows=str(fields.get("Effect")) != "Deny",
        everyone=principal == "*" or "*" in names or "NotPrincipal" in fields,
        every_action="NotAction" in fields or any(_ALL_ACTIONS.fullmatch(action) for action in actions),
        every_resource="NotResource" in fields or any(_ALL_RESOURCES.fullmatch(item) for item in resources),
        excepts=not fields.keys().isdisjoint(("NotPrincipal", "NotAction", "NotResource")),
        conditions=tuple(_conditions(fields.get("Condition"))),
        actions=tuple(action.lower() for action in actions) or None,
    )


def _conditions(value: object) -> list[tuple[str, str, tuple[str, ...]]]:
    if not isinstance(value, dict):
        return []
    found: list[tuple[str, str, tuple[str, ...]]] = []
    for operator, keys in cast("dict[str, object]", value).items():
        if isinstance(keys, dict):
            for key, values in cast("dict[str, object]", keys).items():
                found.append((operator.lower().removeprefix("foranyvalue:"), key.lower(), _texts(values)))
    return found


def _limits(statement: Statement) -> tuple[AddressSet, bool]:
    """Return the addresses that an Allow is limited to, and whether it is limited to named principals.

    An operator that ends in IfExists holds for a request without the key; only the source address is always there.
    """
    sources, by_name = ALL_ADDRESSES, False
    for operator, key, values in statement.conditions:
        if key == _SOURCE_IP:
            base = operator.removesuffix("ifexists")
            if base == "ipaddress":
                sources &= AddressSet.from_cidrs(values)
            elif base == "notipaddress":
                sources -= AddressSet.from_cidrs(values)
        elif operator in _POSITIVE and key in _PRIVATE_KEYS:
            sources = NO_ADDRESSES
        elif operator in _POSITIVE and key in _NAMED_KEYS:
            by_name = True
    return sources, by_name


def _denied(statement: Statement, *, anonymous: bool) -> AddressSet:
    """Return the addresses that a Deny certainly shuts out, of anonymous callers or of named ones."""
    if not (statement.everyone and statement.every_action and statement.every_resource) or statement.excepts:
        return NO_ADDRESSES
    denied = ALL_ADDRESSES
    for operator, key, values in statement.conditions:
        base = operator.removesuffix("ifexists")
        if key == _SOURCE_IP and base == "notipaddress":
            denied -= AddressSet.from_cidrs(values)
        elif key == _SOURCE_IP and base == "ipaddress":
            denied &= AddressSet.from_cidrs(values)
        elif base in _NEGATIVE and (key in _PRIVATE_KEYS or (anonymous and key in _NAMED_KEYS)):
            # A caller from the internet brings no such key, and a negated operator holds without it.
            continue
        else:
            return NO_ADDRESSES
    return denied
