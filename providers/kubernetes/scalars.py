"""What words without quotes stand for in YAML, as kubectl reads it.

kubectl turns YAML into JSON (https://github.com/kubernetes-sigs/yaml): keys become texts, dates stay texts, ``on`` and
``y`` are true, ``010`` is eight.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

__all__ = ["json_key", "plain_key", "plain_value"]

_FULL_BITS: Final = (-(1 << 63), 1 << 64)

_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
_NUMBER_STARTS: Final = frozenset("0123456789+-.")
_WHOLE: Final = re.compile(r"[-+]?(?:0x[0-9a-fA-F]+|0o?[0-7]+|0b[01]+|0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


def json_key(value: str | float | bool | None) -> str:  # noqa: FBT001 - any scalar may be a key
    """Return a key as JSON takes it."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


@lru_cache(1 << 15)
def plain_key(text: str) -> str:
    """Return a key that is written without quotes, as JSON takes it."""
    return json_key(plain_value(text))


@lru_cache(1 << 15)
def plain_value(text: str) -> str | float | bool | None:
    """Return what a text without quotes stands for: nothing, a truth, a number, or itself.

    Numbers beyond 64 bits become floating, as in JSON from Go; what no JSON number can be stays a text.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    bare = text.replace("_", "")
    if _WHOLE.fullmatch(bare):
        return _whole(bare, text)
    if _FLOAT.fullmatch(bare):
        found = float(bare)
        return text if found in {float("inf"), float("-inf")} else found
    return text


def _whole(bare: str, text: str) -> int | float | str:
    digits = bare.lstrip("+-")
    sign = -1 if bare[0] == "-" else 1
    if len(digits) > 1 and digits[0] == "0":
        base = {"x": 16, "b": 2}.get(digits[1], 8)
        found = sign * int(digits[2:] if digits[1] in "xob" else digits, base)
    elif len(digits) > 400:
        return text
    else:
        found = sign * int(digits)
    if _FULL_BITS[0] <= found < _FULL_BITS[1]:
        return found
    try:
        return float(found)
    except OverflowError:
        return text
