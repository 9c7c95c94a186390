"""The plan as a file: written with its digest, read only where the digest fits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NoReturn, cast

import msgspec

from cloudseg.errors import InputError, ParseError
from cloudseg.plan.codec import decoded, plain
from cloudseg.plan.digest import digest_of, verified
from cloudseg.plan.values import PlanDocument

if TYPE_CHECKING:
    from typing import Any

__all__ = ["read_plan", "sealed", "written"]

_SCHEMA = "cloudseg/plan/v1"


def sealed(document: PlanDocument) -> PlanDocument:
    """Return a plan with the digest of what it says."""
    return msgspec.structs.replace(document, digest=digest_of(_members(document)))


def written(document: PlanDocument) -> bytes:
    """Return a plan as the content of its file: JSON in UTF-8, indented, with a line break at its end."""
    return (json.dumps(_members(document), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_plan(content: bytes, place: str) -> PlanDocument:
    """Return the plan that a file holds.

    Args:
        content: of the file.
        place: what the file is called.

    Raises:
        InputError: it is no plan of this version, or was changed since it was made.
    """
    try:
        members: object = json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place} is no plan: {error}; make it again with `cloudseg plan`") from error
    held = cast("dict[str, Any]", members) if isinstance(members, dict) else {}
    if held.get("schema") != _SCHEMA:
        raise InputError(
            f"{place} is no plan that this version reads: its schema is {held.get('schema')!r}, not {_SCHEMA!r}; "
            "make it again with `cloudseg plan`"
        )
    if not verified(held):
        raise InputError(f"{place} was changed since it was made: its digest does not fit; make it again")
    try:
        return decoded(held, PlanDocument)
    except (msgspec.ValidationError, ParseError) as error:
        raise InputError(f"{place} is no plan: {error}; make it again with `cloudseg plan`") from error


def _members(document: PlanDocument) -> dict[str, Any]:
    return cast("dict[str, Any]", plain(document))


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")
