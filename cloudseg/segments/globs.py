"""Texts with ``*`` in them, which stands for any text, the empty one too. No other character is special."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["any_glob_fits", "glob_fits"]


def glob_fits(pattern: str, text: str) -> bool:
    """Tell whether a text fits a pattern, letter by letter, in time that grows with their lengths only.

    Brackets stand for themselves, unlike in the patterns of a shell: ids of Kubernetes workloads hold them.
    """
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    *middle, last = rest
    if not text.startswith(first) or not text.endswith(last):
        return False
    position, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return position <= end


def any_glob_fits(patterns: Iterable[str], texts: Iterable[str]) -> bool:
    """Tell whether one of the texts fits one of the patterns; an empty text stands for no name and fits none."""
    known = [text for text in texts if text]
    return any(glob_fits(pattern, text) for pattern in patterns for text in known)
