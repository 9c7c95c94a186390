"""The fields of an ARM resource, by kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from tests.azure.oracle_records import Json

__all__ = ["flag", "number", "part", "parts", "ref", "refs", "text", "texts"]


def text(item: Json, key: str) -> str:
    return str(item.get(key) or "")


def texts(item: Json, key: str) -> list[str]:
    return [str(each) for each in cast("list[object]", item.get(key) or [])]


def part(item: Json, key: str) -> Json:
    return cast("Json", item.get(key) or {})


def parts(item: Json, key: str) -> list[Json]:
    return cast("list[Json]", item.get(key) or [])


def flag(item: Json, key: str) -> bool | None:
    value = item.get(key)
    return value if isinstance(value, bool) else None


def number(item: Json, key: str) -> int:
    value = item.get(key)
    return value if isinstance(value, int) else 0


def ref(item: Json) -> str:
    """The id of a resource or of a reference to one, in lower case; empty where there is none."""
    return text(item, "id").lower()


def refs(item: Json, key: str) -> list[str]:
    return [ref(each) for each in parts(item, key)]
