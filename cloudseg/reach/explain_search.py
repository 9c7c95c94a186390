"""All ways between two ends: between each pair of their addresses, through networks and over the internet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.reach.explain_balancers import (
    by_clients,
    by_service,
    by_users,
    clients_of,
    parcels_between,
    quiet,
    received,
    sent_on,
)
from cloudseg.reach.explain_ends import Face, atoms, candidates, faces_of, size
from cloudseg.reach.explain_hairpins import Unlisted, over_internet
from cloudseg.reach.explain_links import Linker
from cloudseg.reach.explain_outside import from_outside, to_outside
from cloudseg.reach.explain_rules import Lists, Other, judge
from cloudseg.reach.explain_walks import Walker
from cloudseg.reach.packets import Bounds, Box
from cloudseg.reach.passage import pipeline_of
from cloudseg.reach.plumbing import only_passes_on
from cloudseg.reach.ways import find_ways_in
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cloudseg.model import Direction, Interface
    from cloudseg.reach.explain_walk import Walk
    from cloudseg.reach.handovers import Handover
    from cloudseg.reach.reachability import Reachability

__all__ = ["Ways", "ways_between"]

_FEW = 8
"""Up to so many pairs are looked at in the order of addresses, more of them in the order of what the lists let pass."""
_SOMEWHERE = 8
"""So many addresses of the internet stand for one that was not read."""


class Ways(NamedTuple):
    """What walks the ways between two ends, each between one pair of addresses, those that are worth it first.

    Attributes:
        direct: through networks, or from or to outside.
        around: between interfaces over the internet.
    """

    direct: Iterator[Callable[[Traffic], list[Walk]]]
    around: tuple[Callable[[Traffic], list[Walk]], ...] = ()


def ways_between(reach: Reachability, source: str | AddressSet, target: str | AddressSet, traffic: Traffic) -> Ways:
    """Return the ways between two ends.

    Args:
        reach: the reachability.
        source: an interface of the estate, or addresses outside.
        target: the same.
        traffic: what is asked about, which decides which addresses are worth it.
    """
    interfaces = reach.estate.interfaces
    if any(isinstance(end, str) and end not in interfaces for end in (source, target)):
        return Ways(iter(()))
    if isinstance(source, AddressSet):
        return Ways(iter(()) if isinstance(target, AddressSet) else _from(reach, source, interfaces[target], traffic))
    if isinstance(target, AddressSet):
        return Ways(_to(reach, interfaces[source], target, traffic))
    senders, takers = faces_of(reach, interfaces[source]), faces_of(reach, interfaces[target])
    parcels = parcels_between(interfaces[source], interfaces[target], reach.estate)
    around = (_around(reach, sender, takers, traffic, parcels) for sender in senders if takers)
    pairs = [(sender, taker) for sender in senders for taker in _of_family(takers, sender.addresses)]
    if len(pairs) > _FEW:
        pairs = _promising(reach, pairs, traffic)
    return Ways(_inside(reach, pairs, parcels), tuple(around))


def _from(
    reach: Reachability, source: AddressSet, target: Interface, traffic: Traffic
) -> Iterator[Callable[[Traffic], list[Walk]]]:
    for addresses in candidates(reach, reach.arrivals(reach.number_of(target.id)).outside, source, traffic):
        yield _inward(reach, addresses, target)


def _to(
    reach: Reachability, source: Interface, target: AddressSet, traffic: Traffic
) -> Iterator[Callable[[Traffic], list[Walk]]]:
    senders = faces_of(reach, source)
    for addresses in candidates(reach, reach.departures(reach.number_of(source.id)), target, traffic):
        for sender in _of_family(senders, addresses) or senders[:1]:
            yield _outward(reach, sender, addresses)


def _inside(
    reach: Reachability, pairs: Sequence[tuple[Face, Face]], parcels: Sequence[Handover] | None
) -> Iterator[Callable[[Traffic], list[Walk]]]:
    if parcels and any(each.forward.keeps_client is not False for each in parcels):
        yield from (_for_clients(reach, *pair, parcels) for pair in pairs)
    for sender, taker in pairs:
        source = sender.interface
        if source.keeps_client and parcels is None and not only_passes_on(source):
            yield _for_users(reach, sender, taker)
        yield _within(reach, sender, taker, parcels)


def _of_family(faces: list[Face], addresses: AddressSet) -> list[Face]:
    return [face for face in faces if bool(face.addresses.v4) == bool(addresses.v4)]


def _promising(reach: Reachability, pairs: list[tuple[Face, Face]], traffic: Traffic) -> list[tuple[Face, Face]]:
    """Return pairs of addresses, those first between which the stateful lists of both ends let most pass."""
    estate = reach.estate

    def passed(own: Interface, direction: Direction, face: Face) -> Traffic:
        pipeline = pipeline_of(own, estate)
        left = traffic
        for stage in () if pipeline is None else pipeline.stages(direction):
            if stage.stateful and (judges := estate.judging(own, stage.name)):
                found = judge(
                    Lists(stage, direction, judges, own), Other(face.addresses, face.interface), traffic, estate
                )
                left &= found.upper | found.accepted_upper
        return left

    source, target = pairs[0][0].interface, pairs[0][1].interface
    out = {face.addresses: passed(source, "egress", face) for face in {f.addresses: f for _, f in pairs}.values()}
    let_in = {face.addresses: passed(target, "ingress", face) for face in {f.addresses: f for f, _ in pairs}.values()}
    return sorted(pairs, key=lambda pair: -size(out[pair[1].addresses] & let_in[pair[0].addresses]))


def _walker(reach: Reachability, traffic: Traffic) -> Walker:
    def parts(interface: Interface) -> list[Face]:
        return faces_of(reach, interface)

    def cut(addresses: AddressSet) -> list[AddressSet]:
        return atoms(reach, addresses)

    return Walker(Linker(reach.estate, traffic), parts, cut)


def _within(
    reach: Reachability, source: Face, target: Face, parcels: Sequence[Handover] | None
) -> Callable[[Traffic], list[Walk]]:
    def walks(traffic: Traffic) -> list[Walk]:
        walker = _walker(reach, traffic)
        return [_with_nodes(walker, walk, source, target, parcels) for walk in walker.inside(source, target)]

    return walks


def _around(
    reach: Reachability, source: Face, takers: list[Face], asked: Traffic, parcels: Sequence[Handover] | None
) -> Callable[[Traffic], list[Walk]]:
    def towards(addresses: AddressSet) -> list[AddressSet]:
        leaving = reach.departures(reach.number_of(source.interface.id))
        return candidates(reach, leaving, addresses, asked)[:_SOMEWHERE]

    def senders(addresses: AddressSet) -> list[AddressSet]:
        outside = reach.arrivals(reach.number_of(takers[0].interface.id)).outside
        return candidates(reach, outside, addresses, asked)[:_SOMEWHERE]

    def walks(traffic: Traffic) -> list[Walk]:
        walker = _walker(reach, traffic)
        found = over_internet(walker, source, takers, Unlisted(towards, senders))
        return [_with_nodes(walker, walk, source, takers[0], parcels) for walk in found]

    return walks


def _for_clients(
    reach: Reachability, source: Face, target: Face, parcels: Sequence[Handover]
) -> Callable[[Traffic], list[Walk]]:
    least = reach.between(source.interface.id, target.interface.id).lower
    lower, upper = (clients_of(reach, source.interface.id, certain=certain) for certain in (True, False))

    def walks(traffic: Traffic) -> list[Walk]:
        clients = Bounds((Box(lower, traffic),) if lower else (), (Box(upper, traffic),) if upper else ())
        walker = _walker(reach, traffic)
        found = by_clients(walker, source, target, parcels, clients, least)
        return [_taken(walker, walk, target) for walk in found]

    return walks


def _for_users(reach: Reachability, source: Face, target: Face) -> Callable[[Traffic], list[Walk]]:
    def walks(traffic: Traffic) -> list[Walk]:
        walker = _walker(reach, traffic)
        return [_taken(walker, by_users(walker, source, target), target)]

    return walks


def _outward(reach: Reachability, source: Face, addresses: AddressSet) -> Callable[[Traffic], list[Walk]]:
    def walks(traffic: Traffic) -> list[Walk]:
        walker = _walker(reach, traffic)
        link = quiet(walker.linker, source.interface, reach.estate)
        found = to_outside(walker, source, addresses)
        return found if link is None else [walker.narrowed(walk, link, at_end=False) for walk in found]

    return walks


def _inward(reach: Reachability, addresses: AddressSet, target: Interface) -> Callable[[Traffic], list[Walk]]:
    ways, faces = find_ways_in(target, reach.estate), faces_of(reach, target)

    def walks(traffic: Traffic) -> list[Walk]:
        if not faces:
            return []
        walker = _walker(reach, traffic)
        found = from_outside(walker, addresses, faces, ways)
        services = (walk for face in _of_family(faces, addresses) for walk in by_service(walker, addresses, face))
        return [_taken(walker, walk, faces[0]) for walk in (*found, *services)]

    return walks


def _with_nodes(walker: Walker, walk: Walk, source: Face, target: Face, parcels: Sequence[Handover] | None) -> Walk:
    """Return a walk between interfaces with what load balancers and plumbing at its ends make of it."""
    linker, estate = walker.linker, walker.estate
    link = quiet(linker, source.interface, estate)
    if parcels is not None:
        link = sent_on(linker, parcels, source.interface, target.interface, estate)
    if link is None and source.interface.keeps_client:
        doubt = f"{source.interface.own_id} opens connections that bear the addresses of its users"
        link = linker.doubtful("translation", "the target sees the user or the endpoint", (doubt,), source.interface.id)
    return _taken(walker, walk if link is None else walker.narrowed(walk, link, at_end=False), target)


def _taken(walker: Walker, walk: Walk, target: Face) -> Walk:
    link = received(walker.linker, target.interface, walker.estate)
    return walk if link is None else walker.narrowed(walk, link, at_end=True)
