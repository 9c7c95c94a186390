"""Ways of packets that another interface sends on under its address: those of pods, out of their machine's network.

Of a family of which a pod bears no address it may have one that counts inside of its machine alone. Sources:
https://docs.aws.amazon.com/eks/latest/userguide/external-snat.html and
https://github.com/aws/amazon-vpc-cni-k8s#enable_v4_egress-v1151
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Final

from cloudseg.reach.explaining.ends import Face
from cloudseg.reach.explaining.hairpins import over_internet
from cloudseg.reach.explaining.outside import to_outside
from cloudseg.reach.explaining.rules import Other
from cloudseg.reach.explaining.walk import Walk
from cloudseg.traffic import ALL_IPV4, NO_ADDRESSES, NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from cloudseg.model import Exit, Interface
    from cloudseg.reach.explaining.link import Link
    from cloudseg.reach.explaining.walks import Walker

__all__ = ["around", "inside", "local_faces", "outward"]

_LOCAL4: Final = AddressSet.parse("169.254.172.0/22")
_LOCAL6: Final = AddressSet.parse("fd00::ac:0/118")


def local_faces(interface: Interface) -> list[Face]:
    """Return the addresses by which a pod sends at most, and by which nobody reaches it: inside of its machine."""
    if interface.other_exit is None:
        return []
    return [Face(interface, _LOCAL6 if interface.addresses.v4 else _LOCAL4)]


def inside(walker: Walker, source: Face, target: Face) -> Iterator[Walk]:
    """Yield the ways from one address of the estate to another, as :meth:`Walker.inside` does."""
    exit_ = _exit(source, target.addresses)
    if exit_ is None:
        yield from walker.inside(source, target)
        return

    def walks(face: Face) -> Iterable[Walk]:
        return walker.inside(face, target)

    there = Other(target.addresses, target.interface)
    yield from _carried(walker, source, exit_, walks, (there, target.text))


def outward(walker: Walker, source: Face, addresses: AddressSet) -> list[Walk]:
    """Return the ways from an address of the estate to one outside."""
    exit_ = _exit(source, addresses)
    if exit_ is None:
        return to_outside(walker, source, addresses)

    def walks(face: Face) -> Iterable[Walk]:
        return to_outside(walker, face, addresses)

    return list(_carried(walker, source, exit_, walks, (Other(addresses, None), str(addresses))))


def around(walker: Walker, sources: Sequence[Face], targets: Sequence[Face]) -> Iterator[Walk]:
    """Yield the ways from an interface to the public addresses of another one, as far as they are known."""
    public = targets[0].interface.public
    own: list[Face] = []
    done: list[Exit] = []

    def walks(face: Face) -> Iterable[Walk]:
        return over_internet(walker, [face], targets)

    for source in sources:
        exit_ = _exit(source, public & ALL_IPV4)
        if exit_ is None:
            own.append(source)
        elif exit_ not in done:
            done.append(exit_)
            yield from _carried(walker, source, exit_, walks, (Other(public, None), str(public)))
    yield from over_internet(walker, own, targets)


def _exit(source: Face, addresses: AddressSet) -> Exit | None:
    """Return who sends packets on to some addresses; None where they leave under the source's own."""
    if _is_local(source):
        return source.interface.other_exit
    exit_ = source.interface.exit
    far = NO_ADDRESSES if exit_ is None or not source.addresses.v4 else addresses - exit_.within
    return exit_ if far else None


def _is_local(source: Face) -> bool:
    return source.interface.other_exit is not None and not source.addresses.overlaps(source.interface.addresses)


def _carried(
    walker: Walker, source: Face, exit_: Exit, walks: Callable[[Face], Iterable[Walk]], to: tuple[Other, str]
) -> Iterator[Walk]:
    """Yield the ways by each interface that may send packets on: all let through for sure, any at most.

    Args:
        walker: walks.
        source: who sends.
        exit_: how its packets leave.
        walks: tells the ways of an address.
        to: who takes, and the same in words.
    """
    linker = walker.linker
    local = _is_local(source)
    each = [(face, list(walks(face))) for face in _faces(walker, exit_, source)]
    own = list(walks(source)) if exit_.own else []
    lowers = [_lower(some) for _, some in each] + ([_lower(own)] if exit_.own else [])
    certain = reduce(Traffic.__and__, lowers, linker.traffic) if exit_.complete and exit_.sure and each else NO_TRAFFIC
    certain = NO_TRAFFIC if local else certain
    # Of what a pod sends by an address of its machine alone its own lists may know nothing.
    policies = [] if local else _policies(walker, source, *to)
    names = ", ".join(face.text for face, _ in each)
    for face, some in each:
        hop = _hop(walker, exit_, face, names, certain)
        yield from (_behind(walker, walk, source, (*policies, hop), certain) for walk in some)
    left = walker.run(policies).lower & certain
    yield from (walk._replace(lower=walk.lower & left, seen_by_source=()) for walk in own)
    if not exit_.complete or (not each and not local):
        doubt = exit_.doubt or "the first interface of the machine was not read"
        hop = linker.doubtful("translation", "an interface of the machine that is not known sends them on", (doubt,))
        links = [*policies, hop, linker.passing("delivered", to[1])]
        left_over = walker.run(links)
        yield Walk(source.addresses, to[0].addresses, tuple(links), NO_TRAFFIC, left_over.upper)


def _faces(walker: Walker, exit_: Exit, source: Face) -> Iterator[Face]:
    for name in exit_.interfaces:
        interface = walker.estate.interfaces.get(name)
        parts: Sequence[Face] = () if interface is None else walker.parts(interface)
        own = [face for face in parts if bool(face.addresses.v4) == bool(source.addresses.v4)]
        yield from [face for face in own if face.addresses.overlaps(exit_.addresses)] or own


def _hop(walker: Walker, exit_: Exit, face: Face, names: str, certain: Traffic) -> Link:
    linker = walker.linker
    text = f"out of the network {face.text} stands for the pod, and sends its packets on"
    link = linker.passing("translation", text, face.interface.id)
    if certain == linker.traffic or (not exit_.doubt and len(exit_.interfaces) == 1):
        return link
    doubt = exit_.doubt or f"which machine it is depends on where the pod runs: one of {names}"
    return link._replace(lower=certain, reason=doubt, doubts=(doubt,))


def _behind(walker: Walker, walk: Walk, source: Face, links: Sequence[Link], certain: Traffic) -> Walk:
    """Return the way of an interface that sends on packets as that of the source, behind what judges them before."""
    left = walker.run(links)
    return walk._replace(
        source=source.addresses,
        links=(*links, *walk.links),
        lower=walk.lower & certain & left.lower,
        upper=walk.upper & left.upper,
        # The lists of several ends are asked.
        seen_by_source=(),
    )


def _policies(walker: Walker, source: Face, there: Other, who: str) -> list[Link]:
    """Return the links of the lists that the source alone meets; whether groups hold on the way may differ."""
    each = (
        walker.linker.stateful(source.interface, "egress", there._replace(grouped=grouped), who, pods_only=True)
        for grouped in (True, False)
    )
    return [
        one._replace(lower=one.lower & other.lower, upper=one.upper | other.upper)
        for one, other in zip(*each, strict=True)
    ]


def _lower(walks: Iterable[Walk]) -> Traffic:
    return reduce(Traffic.__or__, (walk.lower for walk in walks), NO_TRAFFIC)
