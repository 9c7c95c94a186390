"""An oracle for AWS: whether one connection passes, worked out from the raw answers, one packet at a time.

It is naive on purpose. It loops over lists and knows no sets, no classes and no bounds, so that it can be checked by
reading it beside the vendor's pages. A connection passes when its first packet gets through and its answer comes back.
An ICMP message that nobody answers needs a way back as well, but no network ACL has to let an answer pass.

What goes to on-premises is never certain: virtual private gateways are not among the answers, nor is what stands
behind them. An active route to one counts as a way, since a route to a detached one is a blackhole.

Left out, because their own rules decide: load balancers, firewalls, appliances, accelerators, Lattice, transit
gateways of other regions, the resolver and the metadata service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.oracle.packet import Decision
from tests.oracle.places import address_of
from tests.oracle.reading import read
from tests.oracle.roads import INTERNET, SITE, Crossing, enter_from_internet, enter_from_site, travel
from tests.oracle.rules import acl_allows, groups_allow, has_reply, reply_port

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.oracle.packet import Packet
    from tests.oracle.records import Address, Answers, Interface, Read
    from tests.oracle.roads import Trip

__all__ = ["passes", "passes_in"]

_STAGES = (
    "route", "peering", "transit", "public", "egress group", "egress acl", "ingress acl", "ingress group",
    "return route", "reply acl",
)  # fmt: skip
"""In the order in which a packet meets them."""


def passes(answers: Answers, packet: Packet) -> Decision:
    """Decide about one packet from raw answers."""
    return passes_in(read(answers), packet)


def passes_in(estate: Read, packet: Packet) -> Decision:
    """Decide about one packet in an estate that was read before.

    Raises:
        ValueError: neither end is an interface of the estate.
    """
    source = _interface(estate, packet.source.interface)
    destination = _interface(estate, packet.destination.interface)
    here, there = address_of(packet.source.address), address_of(packet.destination.address)
    if here.version != there.version:
        return Decision(passes=False, by="route")
    if source is None:
        if destination is None:
            raise ValueError(f"neither end of {packet} is an interface of the estate")
        return _from_outside(estate, packet, destination, here, _private_of(destination, there))
    forward = travel(estate, source.subnet, here, there, packet.protocol)
    if not forward.place:
        return Decision(passes=False, by=forward.by, certain=forward.certain, translated=bool(forward.nats))
    if forward.place not in ({destination.id} if destination else {INTERNET, SITE}):
        return Decision(passes=False, by="route", certain=forward.certain, translated=bool(forward.nats))
    refusal, certain = _way_there(estate, packet, source, destination, forward), True
    if not refusal and destination is None:
        refusal, certain = _answer_from_outside(estate, packet, source, forward)
    elif not refusal and destination is not None:
        refusal, certain = _answer(estate, packet, source, destination, forward)
    certain = certain and forward.certain and forward.place != SITE
    return Decision(not refusal, refusal or "delivered", certain, bool(forward.nats))


def _interface(estate: Read, own: str) -> Interface | None:
    return next((each for each in estate.interfaces if each.id == own), None)


def _private_of(interface: Interface, address: Address) -> Address:
    return next((own.private for own in interface.addresses if own.public == address), address)


def _from_outside(estate: Read, packet: Packet, destination: Interface, here: Address, there: Address) -> Decision:
    """From the internet or from on-premises, whichever the destination's routes answer to."""
    refusals: list[Decision] = []
    for entered, place in (
        (enter_from_internet(estate, destination, there, here), INTERNET),
        (enter_from_site(estate, destination, there, here), SITE),
    ):
        refusal, certain = entered.by, place != SITE
        if not refusal:
            refusal = _way_there(estate, packet, None, destination, entered)
        if not refusal:
            back = travel(estate, destination.subnet, there, here, packet.protocol)
            if back.place != place or back.nats or back.egress_only:
                refusal, certain = "return route", certain and back.certain
            else:
                refusal = _borders_back(estate, packet, back.crossings)
        if not refusal:
            return Decision(passes=True, by="delivered", certain=certain)
        # That there is no way in is certain, whatever stands behind it.
        refusals.append(Decision(passes=False, by=refusal, certain=certain or bool(entered.by)))
    # The way on which the packet got furthest is told: it may never have come by the other one.
    furthest = max(refusals, key=lambda each: _STAGES.index(each.by))
    return furthest._replace(certain=all(each.certain for each in refusals))


def _way_there(
    estate: Read, packet: Packet, source: Interface | None, destination: Interface | None, trip: Trip
) -> str:
    """What refuses the first packet: a group of the sender, a border, or a group of the receiver; empty if nothing."""
    protocol, port = packet.protocol, packet.port
    if source is not None:
        named = destination if trip.scope == "both" else None
        called = address_of(packet.destination.address)
        if not groups_allow(estate, source, protocol, port, called, named, egress=True):
            return "egress group"
    for crossing in trip.crossings:
        if not acl_allows(estate, crossing.subnet, protocol, port, crossing.far, egress=crossing.egress):
            return "egress acl" if crossing.egress else "ingress acl"
    if destination is not None:
        named = source if trip.scope in {"both", "ingress"} else None
        if not groups_allow(estate, destination, protocol, port, trip.source, named, egress=False):
            return "ingress group"
    return ""


def _answer(estate: Read, packet: Packet, source: Interface, destination: Interface, forward: Trip) -> tuple[str, bool]:
    """What refuses the answer of an interface; groups remember the connection, network ACLs do not.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html
    """
    # Who was called by a public address answers from the private one behind it.
    private = _private_of(destination, address_of(packet.destination.address))
    back = travel(estate, destination.subnet, private, forward.source, packet.protocol, answering=forward.public)
    # An egress-only gateway lets nobody answer who was called.
    if back.place != (forward.nats[-1].id if forward.nats else source.id) or back.nats or back.egress_only:
        # What a NAT gateway does with an answer that it never asked for, no page says.
        return "return route", back.certain and not back.nats
    if forward.nats:
        crossings = [crossing._replace(translated=True) for crossing in back.crossings]
        return _answer_behind_nat(estate, packet, source, forward, crossings)
    return _borders_back(estate, packet, back.crossings), back.certain


def _answer_from_outside(estate: Read, packet: Packet, source: Interface, forward: Trip) -> tuple[str, bool]:
    """What refuses an answer from the internet or from on-premises; whoever is there answers by the way it came."""
    there = address_of(packet.destination.address)
    if forward.nats:
        first = Crossing(forward.nats[-1].subnet, egress=False, far=there, translated=True)
        return _answer_behind_nat(estate, packet, source, forward, [first])
    return _borders_back(estate, packet, [Crossing(source.subnet, egress=False, far=there)]), True


def _answer_behind_nat(
    estate: Read, packet: Packet, source: Interface, forward: Trip, crossings: list[Crossing]
) -> tuple[str, bool]:
    """The rest of the way back: the NAT gateway passes the answer on from its subnet to its client."""
    there, client = address_of(packet.destination.address), address_of(packet.source.address)
    back = travel(estate, forward.nats[-1].subnet, there, client, packet.protocol)
    if back.place != source.id or back.nats:
        return "return route", back.certain
    return _borders_back(estate, packet, [*crossings, *back.crossings]), back.certain


def _borders_back(estate: Read, packet: Packet, crossings: Iterable[Crossing]) -> str:
    """Ask the network ACLs about the answer.

    https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports
    """
    for crossing in crossings if has_reply(packet.protocol, packet.port) else ():
        client_port = packet.nat_port if crossing.translated else packet.source_port
        port = reply_port(packet.protocol, packet.port, client_port)
        if not acl_allows(estate, crossing.subnet, packet.protocol, port, crossing.far, egress=crossing.egress):
            return "reply acl"
    return ""
