"""Access levels: the addresses from which callers have them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.gcp.translate.answers import Answers

__all__ = ["Admits", "add_up", "levels_of"]

_FACET = "services.gcs"
_LEVELS = ("accesscontextmanager", "access_levels")


class _Condition(msgspec.Struct, rename="camel"):
    ip_subnetworks: list[str] | None = None
    negate: bool = False
    device_policy: object = None
    required_access_levels: list[str] | None = None
    members: list[str] | None = None
    regions: list[str] | None = None
    vpc_network_sources: list[object] | None = None


class _Basic(msgspec.Struct, rename="camel"):
    conditions: list[_Condition] | None = None
    combining_function: str | None = None


class _Level(msgspec.Struct):
    name: str = ""
    basic: _Basic | None = None


class Admits(NamedTuple):
    """Who is admitted, by addresses.

    Attributes:
        addresses: from where callers may be admitted, at most.
        sure: whoever calls from there is.
    """

    addresses: AddressSet
    sure: bool = True


def add_up(some: Iterable[Admits]) -> Admits:
    """Return whom any of several admits."""
    found = Admits(NO_ADDRESSES)
    for each in some:
        found = Admits(found.addresses | each.addresses, found.sure and each.sure)
    return found


def levels_of(answers: Answers) -> dict[str, Admits]:
    """Return the access levels that were read, by their names.

    Conditions on addresses are understood; what else they ask for, some callers may have. Source:
    https://cloud.google.com/access-context-manager/docs/reference/rest/v1/accessPolicies.accessLevels
    """
    return {level.name: _admits(answers, level) for level in answers.listed(*_LEVELS, _Level, _FACET)}


def _admits(answers: Answers, level: _Level) -> Admits:
    conditions = [_of(answers, level, each) for each in (level.basic.conditions if level.basic else None) or ()]
    if not conditions:
        return Admits(ALL_ADDRESSES, sure=False)
    if level.basic is not None and (level.basic.combining_function or "AND").upper() == "OR":
        return add_up(conditions)
    addresses = ALL_ADDRESSES
    for each in conditions:
        addresses &= each.addresses
    return Admits(addresses, all(each.sure for each in conditions))


def _of(answers: Answers, level: _Level, condition: _Condition) -> Admits:
    others = (condition.device_policy, condition.required_access_levels, condition.members, condition.regions)
    narrowed = any(others) or bool(condition.vpc_network_sources)
    if not condition.ip_subnetworks or condition.negate:
        # What others do not have may be from anywhere.
        return Admits(ALL_ADDRESSES, sure=False)
    build = partial(AddressSet.from_cidrs, condition.ip_subnetworks)
    found = answers.understood(_LEVELS, level.name, _FACET, build)
    return Admits(ALL_ADDRESSES, sure=False) if found is None else Admits(found, sure=not narrowed)
