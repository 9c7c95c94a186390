"""Leaving out of an answer what may be secret."""

from __future__ import annotations

from typing import TypeAlias

__all__ = ["Json", "without_keys"]

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


def without_keys(answer: dict[str, Json], keys: frozenset[str]) -> dict[str, Json]:
    """Return an answer without some keys, at whatever depth they stand."""
    return {key: _stripped(value, keys) for key, value in answer.items() if key not in keys}


def _stripped(value: Json, keys: frozenset[str]) -> Json:
    if isinstance(value, dict):
        return without_keys(value, keys)
    if isinstance(value, list):
        return [_stripped(child, keys) for child in value]
    return value
