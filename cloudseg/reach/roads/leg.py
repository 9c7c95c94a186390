"""One leg: the destinations that packets of a subnet reach by one way, and what they pass before they get there."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Literal, NamedTuple

from cloudseg.model import Addresses, shown_id
from cloudseg.traffic import NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Direction, Route

__all__ = ["Checkpoint", "End", "Handing", "Hop", "Leg", "agreed", "route_text", "wordless"]

End = Literal["network", "internet", "private", "unread", "service", "nowhere", "unknown"]
"""Where packets come out.

``network``: at the interfaces of a network that bear the addresses; ``internet``; ``private``: in a private network
outside of the estate (VPN, direct connection); ``unread``: in a network that is known by id and was not read;
``service``: at the service of a gateway endpoint; ``nowhere``: they are dropped; ``unknown``: anywhere.
"""


Handing = Literal["no", "maybe", "surely"]
"""Whether a gateway hands packets out in the very subnet of the interface that they are for.

What a transit gateway brings to the subnet of its attachment is not judged by that subnet's network ACL, in neither
direction. Source: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-nacls.html
"""


class Checkpoint(NamedTuple):
    """A subnet boundary that packets cross on their way, besides the source's and the destination's own.

    Attributes:
        subnet: qualified id of the subnet.
        direction: ``ingress`` into the subnet, towards the gateway in it; ``egress`` out of it.
        by: whose address its network ACL sees at the remote side: the source's on ingress, the destination's on egress.
        seen_as: qualified ids of the interfaces one of which stands for the source there, and gets the replies; None
            for the source itself.
        instead: subnets one of which may be crossed in its place; which one is not known. An empty one stands for no
            boundary at all.
        back: the same for answers on the way back, where these may cross others; None where they cross this one.
    """

    subnet: str
    direction: Direction
    by: Literal["source", "destination"]
    seen_as: tuple[str, ...] | None = None
    instead: tuple[str, ...] = ()
    back: tuple[str, ...] | None = None

    def choices(self, *, back: bool) -> tuple[str, ...]:
        """Return the subnets one of which packets cross here, or answers on their way back; empty stands for none."""
        return self.back if back and self.back is not None else (self.subnet, *self.instead)


class Hop(NamedTuple):
    """One step of the way, for explanations.

    Attributes:
        kind: the kind of the deciding route's target, or ``transit-table``, ``transit-attachment``, ``tunnel``,
            ``same-network``.
        table: qualified id of the route table or transit table that decided; empty for none.
        route: the deciding route.
        target: qualified id of the gateway, peering, endpoint, interface or attachment.
        text: the step in words: ``route 10.2.0.0/16 to pcx-1``.
    """

    kind: str
    table: str
    route: Route | None
    target: str | None
    text: str


class Leg(NamedTuple):
    """The destinations that packets of a subnet reach by one way.

    Attributes:
        addresses: the destinations.
        end: where packets to them come out.
        network: qualified id of the network, for the ends ``network`` and ``unread``.
        zones: only interfaces in these zones are reached; None for all.
        certain: packets certainly go this way; False when they do at most.
        egress_groups: a group in the source's egress rules matches its members there.
        ingress_groups: a group in the destination's ingress rules matches the source.
        seen_as: the far end sees one of these interfaces in place of the source; empty when it is not known whom; None
            when it sees the source itself.
        needs_public: it leaves by an internet gateway: the source needs a public address of the family.
        replies: replies come back, by the gateway itself or by the far end's own routes.
        checkpoints: the subnet boundaries crossed on the way, in their order.
        from_subnets: the subnet, or all those that may be it, out of which packets are handed to their destination,
            where that is not the source's own; None where any may be it. See :meth:`handing`.
        inspectors: what firewalls are passed: qualified ids of their endpoints and transit attachments.
        screens: those of the firewalls, by qualified id, whose rules have to let packets through besides.
        uneven: it is not certain because answers may not pass the same firewalls.
        returns: whether answers are handed out in the source's own subnet; empty as long as nothing is known of it.
        hops: the steps.
        doubts: why it is not certain, in words.
        stopped: why packets are dropped, for the end ``nowhere``.
    """

    addresses: AddressSet
    end: End
    network: str | None = None
    zones: frozenset[str] | None = None
    certain: bool = True
    egress_groups: bool = True
    ingress_groups: bool = True
    seen_as: tuple[str, ...] | None = None
    needs_public: bool = False
    replies: bool = True
    checkpoints: tuple[Checkpoint, ...] = ()
    from_subnets: frozenset[str] | None = frozenset()
    returns: Literal["", Handing] = ""
    inspectors: frozenset[str] = frozenset()
    screens: frozenset[str] = frozenset()
    uneven: bool = False
    hops: tuple[Hop, ...] = ()
    doubts: tuple[str, ...] = ()
    stopped: str = ""

    @property
    def astray(self) -> bool:
        """Whether it is not known which way packets go on, so that the far end sees a gateway or the source itself."""
        return self.end == "unknown" and self.seen_as == ()

    def handing(self, subnet: str | None) -> Handing:
        """Return whether packets to an interface in a subnet are handed out there, and do not cross its boundary."""
        if self.from_subnets is None:
            return "maybe"
        if subnet is None or subnet not in self.from_subnets:
            return "no"
        return "surely" if len(self.from_subnets) == 1 else "maybe"

    def checkpoints_to(self, subnet: str | None) -> tuple[Checkpoint, ...]:
        """Return the checkpoints on the way to an interface in a subnet: it does not leave the subnet it stays in."""
        handing = self.handing(subnet)
        if self.from_subnets is None or handing == "no" or not self.checkpoints:
            return self.checkpoints
        *before, last = self.checkpoints
        if last.direction != "egress":
            return self.checkpoints
        if handing == "surely":
            return tuple(before)
        first, *others = ("" if each == subnet else each for each in last.choices(back=False))
        return (*before, last._replace(subnet=first, instead=tuple(others)))


def route_text(route: Route) -> str:
    """Return a route in words."""
    to = (
        str(route.destination.addresses)
        if isinstance(route.destination, Addresses)
        else shown_id(route.destination.list)
    )
    return f"route {to} to {route.kind if route.target is None else shown_id(route.target)}"


def wordless(legs: Sequence[Leg]) -> tuple[Leg, ...]:
    """Return legs without what is for people: subnets of which these are equal send packets the same ways."""
    return tuple(
        leg._replace(hops=(), doubts=(), stopped="", uneven=False, returns=leg.returns or "no") for leg in legs
    )


def agreed(choices: Sequence[Sequence[Leg]], doubt: str) -> list[Leg]:
    """Return the legs of packets that take one of several ways, where nobody knows which.

    What every way does alike is certain, with checkpoints of which one or another is crossed. All else is so at most.

    Args:
        choices: the legs by each way.
        doubt: why it is not known which way is taken.
    """
    first, *others = choices
    if all(wordless(other) == wordless(first) for other in others):
        return list(first)
    common = reduce(_common, others, [leg for leg in first if leg.certain])
    settled = NO_ADDRESSES
    for leg in common:
        settled |= leg.addresses
    found: dict[Leg, None] = dict.fromkeys(common)
    for leg in (leg for legs in choices for leg in legs if leg.end != "nowhere"):
        if left := leg.addresses - settled if leg.certain else leg.addresses:
            found[leg._replace(addresses=left, certain=False, doubts=(*leg.doubts, doubt))] = None
    return list(found)


def _common(some: Sequence[Leg], others: Sequence[Leg]) -> list[Leg]:
    found: list[Leg] = []
    for one in some:
        for other in others:
            both = one.addresses & other.addresses if other.certain else NO_ADDRESSES
            if both and (merged := _merged(one, other)) is not None:
                found.append(merged._replace(addresses=both))
    return found


def _merged(one: Leg, other: Leg) -> Leg | None:
    """Return the leg that stands for either of two, None where they differ in more than what they cross."""
    if one.end == "nowhere" and other.end == "nowhere":
        return one
    if _effect(one) != _effect(other) or [c[1:3] for c in one.checkpoints] != [c[1:3] for c in other.checkpoints]:
        return None
    checkpoints = tuple(_either(*pair) for pair in zip(one.checkpoints, other.checkpoints, strict=True))
    return one._replace(
        seen_as=_either_seen(one.seen_as, other.seen_as),
        checkpoints=checkpoints,
        from_subnets=_either_from(one.from_subnets, other.from_subnets),
    )


def _effect(leg: Leg) -> tuple[object, ...]:
    """Return what must be the same of two legs that one can stand for: all that is not a choice of its own."""
    return (
        leg.end, leg.network, leg.zones, leg.egress_groups, leg.ingress_groups, leg.seen_as is None, leg.needs_public,
        leg.replies, leg.returns, leg.inspectors, leg.screens,
    )  # fmt: skip


def _either(one: Checkpoint, other: Checkpoint) -> Checkpoint:
    subnet, *instead = sorted({one.subnet, *one.instead, other.subnet, *other.instead})
    back = None
    if one.back is not None or other.back is not None:
        back = tuple(sorted({*one.choices(back=True), *other.choices(back=True)}))
    seen_as = _either_seen(one.seen_as, other.seen_as)
    return one._replace(subnet=subnet, instead=tuple(instead), seen_as=seen_as, back=back)


def _either_from(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    return None if one is None or other is None else one | other


def _either_seen(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if one is None or other is None or one == other:
        return one
    return tuple(sorted({*one, *other})) if one and other else ()
