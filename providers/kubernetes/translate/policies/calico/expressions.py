"""Calico's selectors as trees: expressions over labels, and what they are asked of.

Beside comparisons there are ``&&``, ``||``, ``!``, parentheses, ``all()``, ``has(key)`` and ``global()``. A negated
comparison also holds of what lacks the key. Source:
https://docs.tigera.io/calico/latest/reference/resources/networkpolicy#selectors
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cloudseg.errors import ParseError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ALL",
    "NAMESPACE_KEY",
    "OF_NAMESPACE",
    "OF_SERVICE_ACCOUNT",
    "All",
    "And",
    "Compare",
    "Expression",
    "Global",
    "Not",
    "Operator",
    "Or",
    "compares",
    "holds",
    "of_endpoints",
    "of_namespaces",
    "of_service_accounts",
]

Operator = Literal["in", "not in", "contains", "starts with", "ends with", "has"]
OF_NAMESPACE: Final = "pcns."
OF_SERVICE_ACCOUNT: Final = "pcsa."
"""What the labels that an endpoint has of its namespace, and of its service account, begin with."""
NAMESPACE_KEY: Final = "projectcalico.org/namespace"


class All(NamedTuple):
    """Everything in scope."""


class Global(NamedTuple):
    """What is in no namespace."""


class Compare(NamedTuple):
    """What is asked of one label. ``==`` is ``in`` of one value."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()


class Not(NamedTuple):
    """What the inner expression does not choose."""

    inner: Expression


class And(NamedTuple):
    """What both expressions choose."""

    one: Expression
    other: Expression


class Or(NamedTuple):
    """What one of two expressions chooses."""

    one: Expression
    other: Expression


Expression = All | Global | Compare | Not | And | Or
ALL: Final = All()


def of_namespaces(expression: Expression) -> Expression:
    """Return a selector of namespaces as one of what is in them.

    ``all()`` is what is in a namespace, and ``global()`` what is in none. Source:
    https://docs.tigera.io/calico/latest/reference/resources/networkpolicy#selectors
    """
    match expression:
        case All():
            return Compare(NAMESPACE_KEY, "has")
        case Global():
            return Not(Compare(NAMESPACE_KEY, "has"))
        case _:
            return _prefixed(expression, OF_NAMESPACE, of_namespaces)


def of_service_accounts(expression: Expression) -> Expression:
    """Return a selector of service accounts as one of the pods that use them.

    Raises:
        ParseError: it asks for what is in no namespace.
    """
    if isinstance(expression, Global):
        raise ParseError("global() stands in a selector of service accounts: only namespaceSelector takes it")
    return _prefixed(expression, OF_SERVICE_ACCOUNT, of_service_accounts)


def of_endpoints(expression: Expression) -> Expression:
    """Return a selector of endpoints.

    Raises:
        ParseError: it asks for what is in no namespace.
    """
    if isinstance(expression, Global):
        raise ParseError("global() stands in a selector of endpoints: only namespaceSelector takes it")
    return _prefixed(expression, "", of_endpoints)


def _prefixed(expression: Expression, prefix: str, again: Callable[[Expression], Expression]) -> Expression:
    match expression:
        case Compare(key, operator, values):
            return Compare(f"{prefix}{key}", operator, values)
        case Not(inner):
            return Not(again(inner))
        case And(one, other):
            return And(again(one), again(other))
        case Or(one, other):
            return Or(again(one), again(other))
        case _:
            return expression


def compares(found: Compare, value: str | None) -> bool:
    """Tell whether a label meets what is asked of it; None for one that is not there."""
    match found.operator:
        case "in":
            return value is not None and value in found.values
        case "not in":
            return value is None or value not in found.values
        case "has":
            return value is not None
        case "contains":
            return value is not None and all(each in value for each in found.values)
        case "starts with":
            return value is not None and all(value.startswith(each) for each in found.values)
        case "ends with":
            return value is not None and all(value.endswith(each) for each in found.values)


def holds(expression: Expression, asked: Callable[[Compare], bool | None]) -> bool | None:
    """Tell whether an expression holds; None where that is not known.

    Args:
        expression: the expression.
        asked: answers what is asked of one label; None where that is not known.
    """
    match expression:
        case All():
            return True
        case Global():
            return False
        case Compare():
            return asked(expression)
        case Not(inner):
            found = holds(inner, asked)
            return None if found is None else not found
        case And(one, other):
            both = (holds(one, asked), holds(other, asked))
            return False if False in both else None if None in both else True
        case Or(one, other):
            both = (holds(one, asked), holds(other, asked))
            return True if True in both else None if None in both else False
