"""Parts that many ARM resources share."""

from __future__ import annotations

import msgspec

__all__ = ["ArmResource", "Ref", "ids", "tags_of"]


class Ref(msgspec.Struct, gc=False):
    """A reference to another resource by its ARM id."""

    id: str = ""


class ArmResource(msgspec.Struct, kw_only=True):
    """What every ARM resource has beside its properties.

    Source: https://learn.microsoft.com/azure/templates/
    """

    id: str
    name: str = ""
    location: str | None = ""
    # Values that are no texts are dropped later: they select nothing.
    tags: dict[str, object] | None = None


def tags_of(resource: ArmResource) -> dict[str, str]:
    """Return the tags of a resource."""
    return {key: value for key, value in (resource.tags or {}).items() if isinstance(value, str)}


def ids(references: list[Ref] | None) -> tuple[str, ...]:
    """Return the ARM ids of references, without empty ones."""
    return tuple(reference.id for reference in references or () if reference.id)
