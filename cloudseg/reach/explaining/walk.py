"""One way from an address to another, as a chain of links."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.reach.explaining.link import Link
    from cloudseg.reach.explaining.rules import Other
    from cloudseg.reach.roads.leg import Checkpoint
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["Block", "Walk", "enters_gateway", "merged"]


class Walk(NamedTuple):
    """One way from an address to another.

    Attributes:
        source: the addresses that send.
        target: the addresses that take.
        links: the links of the chain.
        lower: what certainly passes all of them.
        upper: what passes all of them at most.
        seen_by_source: whom the lists of the source see; none where they are not asked.
        seen_by_target: whom the lists of the target see.
    """

    source: AddressSet
    target: AddressSet
    links: tuple[Link, ...]
    lower: Traffic
    upper: Traffic
    seen_by_source: tuple[Other, ...] = ()
    seen_by_target: tuple[Other, ...] = ()


class Block(NamedTuple):
    """Links that are asked about several addresses, of which one counts, and what passes all the links."""

    links: list[Link]
    lower: Traffic
    upper: Traffic


def enters_gateway(points: Sequence[Checkpoint]) -> bool:
    """Tell whether packets enter another subnet before they are translated."""
    return any(point.by == "source" and point.seen_as is None for point in points)


def merged(links: Sequence[Link]) -> Link:
    """Return the same link asked about several addresses as one: all must pass for sure, any one at most."""
    first = links[0]
    if len(links) == 1:
        return first
    lower, upper, back = first.lower, first.upper, first.back
    for link in links[1:]:
        lower, upper = lower & link.lower, upper | link.upper
        if back is not None and link.back is not None:
            back = back[0] & link.back[0], back[1] | link.back[1]
    return first._replace(
        lower=lower,
        upper=upper,
        back=back,
        rules=tuple(dict.fromkeys(rule for link in links for rule in link.rules)),
        reason="; ".join(dict.fromkeys(link.reason for link in links if link.reason)),
        doubts=tuple(dict.fromkeys(doubt for link in links for doubt in link.doubts)),
    )
