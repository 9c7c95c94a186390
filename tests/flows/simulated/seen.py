"""What every interface sees of the traffic: one value for each direction and each minute, as flow logs are kept."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.flows.simulated.relations import relations
from tests.flows.simulated.traffic import ACK_OF_SYN, Packet, Talk, card_at, packets, talks
from tests.flows.simulated.world import BEGIN, SPAN, Card, World, draw_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

__all__ = ["MINUTE", "Case", "Event", "Seen", "draw_case", "handshake"]

MINUTE: Final = 60


class Leg(NamedTuple):
    """A place where an interface sees a connection.

    Attributes:
        place: ``client``, ``server``, ``middle``; ``outer``: behind the NAT gateway, where the gateway is the client.
        near_client: the address that stands for the client here, in the plain fields of a record.
        near_server: likewise for the server.
    """

    card: Card
    place: str
    client: str
    server: str
    near_client: str
    near_server: str
    client_port: int
    refuses_asking: bool
    refuses_answers: bool
    asking_egress: bool


class Event(NamedTuple):
    """Packets as one interface sees them, before they are put together."""

    talk: Talk
    leg: Leg
    packet: Packet


class Seen(NamedTuple):
    """A record to be: packets of a connection in one direction at one interface in one minute."""

    talk: Talk
    leg: Leg
    asks: bool
    minute: int
    first: int
    last: int
    flags: int
    packets: int
    size: int

    @property
    def accepted(self) -> bool:
        return not (self.leg.refuses_asking if self.asks else self.leg.refuses_answers)

    @property
    def egress(self) -> bool:
        return self.leg.asking_egress == self.asks


class Case(NamedTuple):
    """A world, what happened in it, what was seen of it, and what of that was lost.

    Attributes:
        events: what is still in the logs, packet by packet.
        seen: the same, put together by minutes.
        skipped: interfaces and minutes whose records were lost.
    """

    world: World
    events: list[Event]
    seen: list[Seen]
    skipped: list[tuple[Card, int]]


def draw_case(random: Random, provider: str, number: int) -> Case:
    """Draw a world with ``number`` relations, and what its logs hold."""
    world = draw_world(random, provider)
    every = [talk for each in relations(random, world, number) for talk in talks(random, world, each)]
    events = [event for talk in every for event in _events(random, world, talk)]
    skipped: list[tuple[Card, int]] = []
    if provider == "aws":
        cards = sorted({event.leg.card for event in events}, key=lambda card: card.id)
        twins = {network.stem for network in world.networks[3:]}
        # Of two networks with equal ranges each has to see all: who is whose peer could not be told otherwise.
        cards = [card for card in cards if card.network.stem not in twins]
        skipped = [(card, random.randrange(SPAN // MINUTE)) for card in cards if random.random() < 0.2]
    lost = {(card.id, minute) for card, minute in skipped}
    kept = [event for event in events if (event.leg.card.id, _minute(event.packet.time)) not in lost]
    seen = [each for each in _together(kept) if world.sampled == 1 or random.random() < world.sampled]
    return Case(world, kept, seen, skipped)


def _minute(time: float) -> int:
    return int(time - BEGIN) // MINUTE


def _events(random: Random, world: World, talk: Talk) -> Iterator[Event]:
    legs_early, legs_late = (list(_legs(world, talk, time)) for time in (BEGIN, BEGIN + SPAN - 1))
    for packet in packets(random, talk):
        for leg in legs_late if packet.time >= BEGIN + SPAN / 2 else legs_early:
            if leg.card.logged and _arrives(talk, leg, asks=packet.asks):
                yield Event(talk, leg, packet)


def _arrives(talk: Talk, leg: Leg, *, asks: bool) -> bool:
    """Whether the packet comes as far as this interface."""
    fate = talk.relation.fate
    if fate == "refused-out":
        return leg.place == "client"
    if fate == "reply-refused-server" and not asks:
        return leg.place == "server"
    return True


def _legs(world: World, talk: Talk, time: float) -> Iterator[Leg]:
    relation = talk.relation
    client, server = relation.client.address, relation.server.address
    at_client, at_server = card_at(world, relation.client, time), card_at(world, relation.server, time)
    plain = client, server
    if at_client:
        near = _plain(at_client, client), server
        refuses = relation.fate == "refused-out", relation.fate == "reply-refused-client"
        yield Leg(at_client, "client", *plain, *near, talk.client_port, *refuses, asking_egress=True)
    if relation.way == "nat" and world.gateway:
        own = world.gateway.primary
        inner = talk.client_port, False, False
        yield Leg(world.gateway, "middle", *plain, client, own, *inner, asking_egress=False)
        outer = talk.outer_port, False, False
        yield Leg(world.gateway, "outer", own, server, own, server, *outer, asking_egress=True)
    if relation.way == "transit" and world.transit:
        near_client = at_client.network if at_client else None
        here, there = world.transit
        if near_client != here.network:
            here, there = there, here
        rest = talk.client_port, False, False
        yield Leg(here, "middle", *plain, client, here.primary, *rest, asking_egress=False)
        yield Leg(there, "middle", *plain, there.primary, server, *rest, asking_egress=True)
    if at_server:
        near = client, _plain(at_server, server)
        refused = relation.fate == "refused-in" or (relation.fate == "changed" and talk.begin >= BEGIN + SPAN / 2)
        refuses = refused, relation.fate == "reply-refused-server"
        yield Leg(at_server, "server", *plain, *near, talk.client_port, *refuses, asking_egress=False)


def _plain(card: Card, address: str) -> str:
    """Plain fields show the first address of an interface, whatever address the packet bears."""
    return card.primary if address in card.others and card.kind != "node" else address


def _together(events: list[Event]) -> list[Seen]:
    """Put packets of one connection, direction, interface and minute together; flags are OR-ed."""
    grouped: defaultdict[tuple[Talk, Leg, bool, int], list[Packet]] = defaultdict(list)
    for event in events:
        grouped[event.talk, event.leg, event.packet.asks, _minute(event.packet.time)].append(event.packet)
    found: list[Seen] = []
    for (talk, leg, asks, minute), held in grouped.items():
        flags = 0
        for packet in held:
            flags |= packet.flags
        times = [int(packet.time) for packet in held]
        sums = sum(packet.number for packet in held), sum(packet.size for packet in held)
        found.append(Seen(talk, leg, asks, minute, min(times), max(times), flags, *sums))
    return found


def handshake(seen: Seen) -> bool:
    """Whether the record holds a SYN, or the answer to one."""
    return bool(seen.flags & (ACK_OF_SYN if not seen.asks else 2))
