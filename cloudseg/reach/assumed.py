"""Clusters of which it is assumed that policies are enforced, since nothing that was read says whether they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import Estate, Interface

__all__ = ["assumptions"]

_TAG: Final = "network-plugin-assumed"


def assumptions(estate: Estate, ends: Iterable[Interface] | None = None) -> tuple[str, ...]:
    """Return what is assumed of clusters, in words.

    Args:
        estate: the estate.
        ends: only clusters with some of these interfaces are meant; all for None.
    """
    told = {
        (network.provider, network.scope): f"cluster {network.scope}: {words}"
        for _, network in sorted(estate.networks.items())
        if (words := network.tags.get(_TAG, ""))
    }
    if not told or ends is None:
        return tuple(told.values())
    places = {(end.provider, end.scope) for end in ends}
    return tuple(words for place, words in told.items() if place in places)
