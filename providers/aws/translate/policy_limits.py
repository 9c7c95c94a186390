"""Conditions of policies: do they keep anybody out whom the statement would let in without them?

What a condition compares, and which requests have its key:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.errors import ParseError
from cloudseg.traffic import ALL_IPV4, AddressSet

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.policies import Statement

__all__ = ["admits_all", "restricts"]

# What is so of every request that anybody can make at will.
_ALWAYS = {"aws:securetransport": "true", "aws:principalisawsservice": "false", "aws:viaawsservice": "false"}
_MATCHING = frozenset(("stringlike", "arnlike", "arnequals"))
_NEGATIVE = frozenset(
    ("stringnotequals", "stringnotequalsignorecase", "stringnotlike", "arnnotequals", "arnnotlike", "notipaddress")
)
# Who calls, from where, and whose the resource is.
_LIMITING = ("aws:principal", "aws:resource", "aws:source", "aws:userid", "aws:vpcsourceip", "s3:resourceaccount")


def admits_all(statement: Statement) -> bool:
    """Tell whether the conditions of an Allow hold for everybody: TLS alone, every address, any text."""
    return all(_holds(*condition) for condition in statement.conditions)


def restricts(statement: Statement) -> bool:
    """Tell whether a Deny shuts out all but some principals, organizations, accounts or sources.

    It does when each of its conditions holds for whoever is not of those. One that denies only the ones it names, or
    only requests without TLS, leaves the door open for everybody else.
    """
    return all(_holds(*condition) or _spares_some(*condition) for condition in statement.conditions)


def _base(operator: str) -> str:
    return operator.removeprefix("forallvalues:").removeprefix("foranyvalue:").removesuffix("ifexists")


def _holds(operator: str, key: str, values: tuple[str, ...]) -> bool:
    """Tell whether a condition holds for every caller."""
    base = _base(operator)
    if base == "bool":
        return [value.lower() for value in values] == [_ALWAYS.get(key)]
    if base == "ipaddress":
        return _is_everywhere(values)
    return base in _MATCHING and "*" in values


def _spares_some(operator: str, key: str, values: tuple[str, ...]) -> bool:
    base = _base(operator)
    if base not in _NEGATIVE or not key.startswith(_LIMITING):
        return False
    return not (_is_everywhere(values) if base == "notipaddress" else "*" in values)


def _is_everywhere(cidrs: tuple[str, ...]) -> bool:
    try:
        return not ALL_IPV4 - AddressSet.from_cidrs(cidrs)
    except ParseError:
        return False
