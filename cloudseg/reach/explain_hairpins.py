"""Ways between two interfaces of one estate over the internet: out under a public address, in by another one.

On this way rules see public addresses on both sides, so groups do not match. Source:
https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html#security-group-referencing
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.reach.explain_outside import from_outside, out_by
from cloudseg.reach.explain_ways import departing
from cloudseg.reach.paths import NEVER
from cloudseg.reach.ways import find_ways_in, is_public
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, GLOBAL_UNICAST, NO_ADDRESSES, NO_TRAFFIC, AddressSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cloudseg.model import Interface
    from cloudseg.reach.explain_ends import Face
    from cloudseg.reach.explain_walk import Walk
    from cloudseg.reach.explain_walks import Walker
    from cloudseg.reach.leg import Leg

__all__ = ["over_internet"]


class _Bearer(NamedTuple):
    """The public addresses under which somebody is seen, and whether these are all."""

    addresses: AddressSet
    known: bool


class Unlisted(NamedTuple):
    """Addresses of the internet that stand for a public address which was not read: those that tell most.

    Attributes:
        towards: of addresses given, those to which the source sends most.
        senders: of addresses given, those from which the target takes most.
    """

    towards: Callable[[AddressSet], Sequence[AddressSet]]
    senders: Callable[[AddressSet], Sequence[AddressSet]]


def over_internet(walker: Walker, source: Face, faces: Sequence[Face], unlisted: Unlisted) -> Iterator[Walk]:
    """Yield the ways from an address of the estate to the public addresses of an interface.

    Args:
        walker: walks.
        source: who sends.
        faces: the addresses of the target.
        unlisted: stands for public addresses that were not read.
    """
    target = faces[0].interface
    if is_public(target, 4 if source.family == "IPv4" else 6, walker.estate) is False:
        return
    borne = _bearer(target, source.family)
    addresses = walker.cut(borne.addresses) if borne.known else unlisted.towards(_internet(source.family))
    for address in addresses:
        for out in departing(source.interface, address, walker.estate):
            if out.leg is not None and out.leg.end == "internet" and out.level > NEVER:
                left = out_by(walker, source, address, out)
                seen = _seen(walker, source, out.leg)
                yield _joined(walker, left, seen, faces, unlisted, sure=borne.known)


def _internet(family: str) -> AddressSet:
    return GLOBAL_UNICAST & (ALL_IPV4 if family == "IPv4" else ALL_IPV6)


def _bearer(interface: Interface, family: str) -> _Bearer:
    if family == "IPv4":
        return _Bearer(AddressSet(v4=interface.public.v4), known=interface.public_unlisted is False)
    return _Bearer((interface.public | interface.addresses) & _internet(family), known=True)


def _seen(walker: Walker, source: Face, leg: Leg) -> _Bearer:
    """Return under which addresses the source is seen: its own, or those of a gateway."""
    if leg.needs_public or leg.seen_as is None:
        return _bearer(source.interface, source.family)
    found = NO_ADDRESSES
    for name in leg.seen_as:
        interface = walker.estate.interfaces.get(name)
        found |= NO_ADDRESSES if interface is None else AddressSet(v4=interface.public.v4)
    return _Bearer(found, known=bool(found))


def _joined(
    walker: Walker,
    left: Walk,
    seen: _Bearer,
    faces: Sequence[Face],
    unlisted: Unlisted,
    *,
    sure: bool,
) -> Walk:
    """Return the way out and the way in as one: all addresses that may be seen must be let in for sure, one at most."""
    ways = find_ways_in(faces[0].interface, walker.estate)
    parts = (
        walker.cut(seen.addresses) if seen.known else unlisted.senders(_internet("IPv4" if left.source.v4 else "IPv6"))
    )
    best: Walk | None = None
    lower, upper = walker.linker.traffic, NO_TRAFFIC
    for part in parts:
        entered = from_outside(walker, part, faces, ways)
        one_lower = one_upper = NO_TRAFFIC
        for walk in entered:
            one_lower, one_upper = one_lower | walk.lower, one_upper | walk.upper
            if best is None or (bool(walk.lower), bool(walk.upper)) > (bool(best.lower), bool(best.upper)):
                best = walk
        lower, upper = lower & one_lower, upper | one_upper
    if best is None or not sure or not seen.known:
        lower = NO_TRAFFIC
    entering = () if best is None else best.links
    links = (*left.links[:-1], *(link._replace(chain="far") if link.chain == "client" else link for link in entering))
    return left._replace(
        target=faces[0].addresses if best is None else best.target,
        links=links or left.links,
        lower=left.lower & lower,
        upper=left.upper & upper,
        seen_by_target=() if best is None else best.seen_by_target,
    )
