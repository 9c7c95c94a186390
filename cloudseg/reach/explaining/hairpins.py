"""Ways between two interfaces of one estate over the internet: out under a public address, in by another one.

On this way rules see public addresses on both sides, so groups do not match. Source:
https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html#security-group-referencing
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.reach.explaining.links import Linker
from cloudseg.reach.explaining.outside import from_outside, out_by
from cloudseg.reach.explaining.rules import Other
from cloudseg.reach.explaining.walks import Walker
from cloudseg.reach.explaining.ways import departing
from cloudseg.reach.leaving import Seen, borne, seen_outside
from cloudseg.reach.pairs.paths import NEVER
from cloudseg.reach.ways import find_ways_in, is_public, straight_entrances
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, GLOBAL_UNICAST, NO_ADDRESSES, NO_TRAFFIC, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Entrance, Estate, Family, Interface
    from cloudseg.reach.explaining.ends import Face
    from cloudseg.reach.explaining.walk import Walk
    from cloudseg.reach.explaining.ways import Approach
    from cloudseg.traffic import Traffic

__all__ = ["over_internet", "under_unknown"]

_FAMILIES: tuple[tuple[AddressSet, Family], ...] = ((ALL_IPV4, 4), (ALL_IPV6, 6))


def over_internet(walker: Walker, sources: Sequence[Face], targets: Sequence[Face]) -> Iterator[Walk]:
    """Yield the ways from an interface to the public addresses of another one, as far as they are known.

    Not every address of an interface need have a public one, and which of them do is not known: for sure passes what
    all of them send.

    Args:
        walker: walks.
        sources: the addresses of the one.
        targets: the addresses of the other.
    """
    for family, number in _FAMILIES:
        senders = [face for face in sources if face.addresses.overlaps(family)]
        for address, entrance in _called(walker, targets[0].interface, number) if senders else ():
            each = [list(_to(walker, sender, address, targets, entrance)) for sender in senders]
            lower = walker.linker.traffic
            for walks in each:
                one = NO_TRAFFIC
                for walk in walks:
                    one |= walk.lower
                lower &= one
            yield from (walk._replace(lower=walk.lower & lower) for walks in each for walk in walks)


def _called(
    walker: Walker, target: Interface, family: Family
) -> Iterator[tuple[AddressSet, Entrance | None]]:  # fmt: skip
    """Yield the public addresses by which an interface is called, its own and those of entrances before it."""
    for address in walker.cut(borne(target, family, walker.estate).addresses):
        yield address, None
    everything = ALL_IPV4 if family == 4 else ALL_IPV6
    for entrance in straight_entrances(target, walker.estate):
        for address in walker.cut(entrance.addresses & everything):
            yield address, entrance


def _sent(walker: Walker, source: Face, address: AddressSet, out: Approach, entrance: Entrance | None) -> Walk:
    """Return what a source sends to an address, as what comes out of the entrance that has it."""
    listens = None if entrance is None else entrance.listens
    if entrance is None or listens == entrance.traffic:
        return out_by(walker, source, address, out)
    arriving = entrance.traffic & walker.linker.traffic
    if listens is None:
        left = out_by(walker, source, address, out)
        return left._replace(lower=NO_TRAFFIC, upper=arriving)
    left = out_by(Walker(Linker(walker.estate, listens), walker.parts, walker.cut), source, address, out)
    links = (
        link._replace(
            lower=arriving if link.lower >= listens else NO_TRAFFIC,
            upper=arriving if link.upper else NO_TRAFFIC,
            back=None,
        )
        for link in left.links
    )
    lower = arriving if left.lower >= listens else NO_TRAFFIC
    return left._replace(links=tuple(links), lower=lower, upper=arriving if left.upper else NO_TRAFFIC)


def _to(
    walker: Walker, source: Face, address: AddressSet, targets: Sequence[Face], entrance: Entrance | None
) -> Iterator[Walk]:  # fmt: skip
    for out in departing(source.interface, address, walker.estate):
        if out.leg is None or out.leg.end != "internet" or out.level <= NEVER:
            continue
        seen = _seen(walker, source, out)
        if seen.known:
            left = _sent(walker, source, address, out, entrance)
            of = targets[0].interface.shown_id if entrance is None else entrance.label
            text = f"to {address}, a public address of {of}, over the internet"
            first = walker.linker.passing("route", text, targets[0].interface.id)
            yield _joined(walker, left._replace(links=(first, *left.links)), seen, targets, entrance)


def _seen_as(interface: Interface | None, family: Family, estate: Estate) -> Seen:
    """Return under which public addresses of a family the internet sees what an interface sends."""
    return Seen(NO_ADDRESSES, known=False) if interface is None else seen_outside(interface, family, estate)


def _seen(walker: Walker, source: Face, out: Approach) -> Seen:
    """Return under which addresses the source is seen: its own, or those of a gateway."""
    leg, estate = out.leg, walker.estate
    if leg is None or leg.needs_public or leg.seen_as is None:
        return _seen_as(source.interface, 4 if source.addresses.v4 else 6, estate)
    each = [_seen_as(estate.interfaces.get(name), 4, estate) for name in leg.seen_as]
    found = NO_ADDRESSES
    for own in each:
        found |= own.addresses
    return Seen(found, known=bool(each) and all(own.known and own.addresses for own in each))


def _joined(
    walker: Walker, left: Walk, seen: Seen, targets: Sequence[Face], entrance: Entrance | None
) -> Walk:  # fmt: skip
    """Return the way out and the way in as one: all addresses that may be seen must be let in for sure, one at most."""
    ways = find_ways_in(targets[0].interface, walker.estate)
    if entrance is not None:
        through = tuple(way._replace(direct=True) for way in ways.ways if way.entrance == entrance.id)
        ways = ways._replace(ways=through, unseen=())
    lower, upper = walker.linker.traffic, NO_TRAFFIC
    best: Walk | None = None
    let_in: list[Other] = []
    for part in walker.cut(seen.addresses):
        one_lower = one_upper = NO_TRAFFIC
        for walk in from_outside(walker, part, targets, ways, direct=True):
            one_lower, one_upper = one_lower | walk.lower, one_upper | walk.upper
            let_in += walk.seen_by_target if walk.upper else ()
            if best is None or (bool(walk.lower), bool(walk.upper)) > (bool(best.lower), bool(best.upper)):
                best = walk
        lower, upper = lower & one_lower, upper | one_upper
    entering = () if best is None else best.links
    links = (*left.links[:-1], *(link._replace(chain="far") if link.chain == "client" else link for link in entering))
    return left._replace(
        target=targets[0].addresses if best is None else best.target,
        links=links,
        lower=left.lower & lower if best is not None else NO_TRAFFIC,
        upper=left.upper & upper,
        seen_by_target=tuple(let_in),
    )


def under_unknown(walker: Walker, sources: Sequence[Face], targets: Sequence[Face], most: Traffic) -> Iterator[Walk]:
    """Yield the way over the internet where it is not known under which public addresses.

    Args:
        walker: walks.
        sources: the addresses of who sends.
        targets: the addresses of who takes.
        most: what passes between the two at most, on any way.
    """
    estate, target = walker.estate, targets[0].interface
    for family, number in _FAMILIES:
        own = borne(target, number, estate)
        entrances = straight_entrances(target, estate)
        known = own.known and not any(each.unlisted for each in entrances)
        called = own.addresses
        for each in entrances:
            called |= each.addresses & family
        if is_public(target, number, estate) is False and known and not called:
            continue
        doubts = [] if known else [f"under which public addresses {target.shown_id} is reached was not read"]
        for source in sources:
            if source.addresses.overlaps(family):
                doubts += _doubts(walker, source, called if known else GLOBAL_UNICAST & family)
        if doubts:
            text = f"to a public address of {target.shown_id}, over the internet"
            link = walker.linker.doubtful("route", text, tuple(dict.fromkeys(doubts)), target.id)
            link = link._replace(upper=most & walker.linker.traffic)
            walk = walker.walk(sources[0].addresses, targets[0], [link])
            # Packets whose way was not read may come from unread members of a group, and by other entrances under
            # other addresses: then it is not known whom the lists see.
            seen = () if estate.entrances_to(target) else (Other(GLOBAL_UNICAST & family, None),)
            yield walk._replace(seen_by_target=seen)


def _doubts(walker: Walker, source: Face, addresses: AddressSet) -> Iterator[str]:
    """Yield why it is not known under which address a source is seen on its way to public addresses."""
    for out in departing(source.interface, addresses, walker.estate) if addresses else ():
        if out.level <= NEVER:
            continue
        if out.leg is None or out.leg.end == "unknown":
            yield from out.doubts
        elif out.leg.end == "internet" and not _seen(walker, source, out).known:
            yield f"under which public address {source.interface.shown_id} is seen was not read"
