"""All ways between two ends: between each pair of their addresses, through networks and over the internet."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.reach.explaining.balancers import (
    clipped,
    consumed,
    handed_on,
    is_special,
    may_hand_on,
    opened,
    received,
    served,
)
from cloudseg.reach.explaining.carried import around, inside, local_faces, outward
from cloudseg.reach.explaining.ends import Face, atoms, candidates, faces_of, size
from cloudseg.reach.explaining.forwarded import forwarded
from cloudseg.reach.explaining.fronted import by_name
from cloudseg.reach.explaining.hairpins import under_unknown
from cloudseg.reach.explaining.links import Linker
from cloudseg.reach.explaining.outside import from_outside
from cloudseg.reach.explaining.rules import Lists, Other, in_turn, judge
from cloudseg.reach.explaining.walks import Walker
from cloudseg.reach.passage import pipeline_of
from cloudseg.reach.plumbing import conduct, may_keep_users
from cloudseg.reach.private_links import consumers_of, is_before
from cloudseg.reach.ways import find_ways_in
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cloudseg.model import Direction, Interface, Stage
    from cloudseg.reach.explaining.walk import Walk
    from cloudseg.reach.reachability import Reachability
    from cloudseg.traffic import Traffic

__all__ = ["Ways", "ways_between"]

_FEW = 8
"""Up to so many pairs are looked at in the order of addresses, more of them in the order of what the lists let pass."""


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
    if any(end not in interfaces if isinstance(end, str) else not end for end in (source, target)):
        return Ways(iter(()))
    if isinstance(source, AddressSet):
        return Ways(iter(()) if isinstance(target, AddressSet) else _from(reach, source, interfaces[target], traffic))
    if isinstance(target, AddressSet):
        return Ways(_to(reach, interfaces[source], target, traffic))
    senders, takers = faces_of(reach, interfaces[source]), faces_of(reach, interfaces[target])
    around: tuple[Callable[[Traffic], list[Walk]], ...] = ()
    senders += local_faces(interfaces[source])
    if senders and takers:
        around = (_around(reach, senders, takers), _unlisted(reach, senders, takers))
    pairs = [(sender, taker) for sender in senders for taker in _of_family(takers, sender.addresses)]
    if len(pairs) > _FEW:
        pairs = _promising(reach, pairs, traffic)
    return Ways(_inside(reach, pairs), around)


def _from(
    reach: Reachability, source: AddressSet, target: Interface, traffic: Traffic
) -> Iterator[Callable[[Traffic], list[Walk]]]:
    for addresses in candidates(reach, reach.entering(reach.number_of(target.id)), source, traffic):
        yield _inward(reach, addresses, target)


def _to(
    reach: Reachability, source: Interface, target: AddressSet, traffic: Traffic
) -> Iterator[Callable[[Traffic], list[Walk]]]:
    senders = faces_of(reach, source) + local_faces(source)
    for addresses in candidates(reach, reach.departures(reach.number_of(source.id)), target, traffic):
        for sender in _of_family(senders, addresses) or senders[:1]:
            yield _outward(reach, sender, addresses)


def _inside(reach: Reachability, pairs: Sequence[tuple[Face, Face]]) -> Iterator[Callable[[Traffic], list[Walk]]]:
    for number, (sender, taker) in enumerate(pairs):
        yield _within(reach, sender, taker)
        # Among the first, so that it is looked at however many addresses there are.
        if number == 0 and _hands_on(reach, sender.interface, taker.interface):
            yield _on_behalf(reach, sender, taker)


def _hands_on(reach: Reachability, source: Interface, target: Interface) -> bool:
    """Tell whether more may pass between two interfaces than packets under the address of the one.

    A load balancer's node as the target takes connections of whoever opens them, as anybody does.
    """
    if is_before(source, target, reach.estate):
        return True
    # What only answers takes what others hand on.
    if conduct(source) in {"passes on", "answers"} or conduct(target) == "passes on":
        return False
    return may_hand_on(source, target, reach.estate) or may_keep_users(source, reach.estate)


def _of_family(faces: list[Face], addresses: AddressSet) -> list[Face]:
    return [face for face in faces if bool(face.addresses.v4) == bool(addresses.v4)]


def _promising(reach: Reachability, pairs: list[tuple[Face, Face]], traffic: Traffic) -> list[tuple[Face, Face]]:
    """Return pairs of addresses, those first between which the stateful lists of both ends let most pass."""
    estate = reach.estate

    def passed(own: Interface, direction: Direction, face: Face) -> Traffic:
        pipeline = pipeline_of(own, estate)
        each: list[tuple[Stage, Traffic, Traffic]] = []
        for stage in () if pipeline is None else pipeline.met_by(own, direction):
            if stage.stateful and (judges := estate.judging(own, stage.name, direction)):
                found = judge(
                    Lists(stage, direction, judges, own), Other(face.addresses, face.interface), traffic, estate
                )
                each.append((stage, found.upper, found.accepted_upper))
        return in_turn(each, traffic)

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


def _within(reach: Reachability, source: Face, target: Face) -> Callable[[Traffic], list[Walk]]:
    def walks(traffic: Traffic) -> list[Walk]:
        walker = _walker(reach, traffic)
        return [_with_ends(reach, walker, walk, source, target) for walk in inside(walker, source, target)]

    return walks


def _around(reach: Reachability, senders: list[Face], takers: list[Face]) -> Callable[[Traffic], list[Walk]]:
    def walks(traffic: Traffic) -> list[Walk]:
        walker = _walker(reach, traffic)
        found = around(walker, senders, takers)
        return [_with_ends(reach, walker, walk, senders[0], takers[0]) for walk in found]

    return walks


def _unlisted(reach: Reachability, senders: list[Face], takers: list[Face]) -> Callable[[Traffic], list[Walk]]:
    def walks(traffic: Traffic) -> list[Walk]:
        walker = _walker(reach, traffic)
        most = reach.between(senders[0].interface.id, takers[0].interface.id).upper
        found = (*under_unknown(walker, senders, takers, most), *by_name(walker, senders, takers, most))
        return [_with_ends(reach, walker, walk, senders[0], takers[0]) for walk in found]

    return walks


def _on_behalf(reach: Reachability, source: Face, target: Face) -> Callable[[Traffic], list[Walk]]:
    verdict = reach.between(source.interface.id, target.interface.id)
    return lambda traffic: [handed_on(_walker(reach, traffic), source, target, verdict)]


def _outward(reach: Reachability, source: Face, addresses: AddressSet) -> Callable[[Traffic], list[Walk]]:
    def walks(traffic: Traffic) -> list[Walk]:
        walker = _walker(reach, traffic)
        found = outward(walker, source, addresses)
        if not is_special(source.interface, reach.estate):
            return found
        verdict = reach.between(source.interface.id, addresses)
        link = None if verdict.upper else opened(walker.linker, source.interface, None, reach.estate)
        narrowed = found if link is None else [walker.narrowed(walk, link, at_end=False) for walk in found]
        return [clipped(walk, verdict) for walk in narrowed]

    return walks


def _inward(reach: Reachability, addresses: AddressSet, target: Interface) -> Callable[[Traffic], list[Walk]]:
    ways, faces = find_ways_in(target, reach.estate), faces_of(reach, target)
    verdict, whole = reach.between(addresses, target.id), reach.delivered(addresses, target.id)
    services = any(each.seen_as for each in reach.estate.forwarders.values())
    forwarder = reach.estate.forwarders.get(target.workload or "")

    def walks(traffic: Traffic) -> list[Walk]:
        if not faces:
            return []
        walker = _walker(reach, traffic)
        link = received(walker.linker, target, reach.estate)
        found = from_outside(walker, addresses, faces, ways)
        if link is not None:
            found = [clipped(walker.narrowed(walk, link, at_end=True), verdict) for walk in found]
        missed = verdict.upper & traffic
        consumers = bool(missed) and forwarder is not None and consumers_of(forwarder, reach.estate).overlaps(addresses)
        for walk in found:
            missed -= walk.upper
        if services and missed:
            found.append(served(walker, addresses, faces[0], verdict))
        if consumers:
            found.append(consumed(walker, addresses, faces[0], verdict))
        handed = forwarded(partial(_walker, reach), addresses, faces, traffic)
        if link is not None:
            handed = [walker.narrowed(walk, link, at_end=True) for walk in handed]
        handed = [clipped(walk, whole) for walk in handed]
        # The first of equals is told: where nothing can come straight, a load balancer is the way to look at.
        return found + handed if ways.unbalanced else handed + found

    return walks


def _with_ends(reach: Reachability, walker: Walker, walk: Walk, source: Face, target: Face) -> Walk:
    """Return a walk between interfaces with what load balancers and plumbing at its ends make of it."""
    estate, linker = reach.estate, walker.linker
    one, other = source.interface, target.interface
    if not is_special(one, estate) and not is_special(other, estate):
        return walk
    first, last = opened(linker, one, other, estate), received(linker, other, estate)
    if first is not None:
        walk = walker.narrowed(walk, first, at_end=False)
    if last is not None:
        walk = walker.narrowed(walk, last, at_end=True)
    return clipped(walk, reach.between(one.id, other.id))
