"""The interfaces that checks of tiers and environments look at, with what their tags say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.reach.plumbing import only_passes_on

if TYPE_CHECKING:
    from cloudseg.checks.interface import AuditContext
    from cloudseg.segments import Labels

__all__ = ["labelled_ends", "unlabelled"]


def labelled_ends(context: AuditContext) -> dict[str, Labels]:
    """Return what tags say of each interface, by qualified id.

    Interfaces that only pass on packets of others are left out, and those of segments that the intent calls shared.
    """
    interfaces = context.estate.interfaces
    found = {name: shown for name, shown in context.shown.items() if not only_passes_on(interfaces[name])}
    if context.intent is None or not context.intent.shared:
        return found
    shared = frozenset(context.intent.shared)
    segments = context.segmentation
    return {name: shown for name, shown in found.items() if not shared.intersection(segments.segments_of(name))}


def unlabelled(context: AuditContext, meaning: str) -> str:
    """Return that no interface shows its tier or environment, in words, with the tags that would."""
    keys = ", ".join(context.labels.get(meaning, ())) or "no tag is set to mean it"
    return f"no interface shows its {meaning} by a tag ({keys}); [labels] in cloudseg.toml names other tags"
