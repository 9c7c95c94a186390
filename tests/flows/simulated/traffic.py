"""The connections of a drawn world and their packets: the truth that conversations are held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tests.flows.simulated.relations import LISTENING, TCP, Relation
from tests.flows.simulated.world import BEGIN, SPAN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.flows.simulated.world import Card, End, World

__all__ = ["ACK_OF_SYN", "FIN", "RST", "SCANNERS", "SYN", "Packet", "Talk", "card_at", "packets", "talks"]

FIN: Final = 1
SYN: Final = 2
RST: Final = 4
ACK_OF_SYN: Final = 18

SCANNERS: Final = {"203.0.113.9": 20000, "198.51.100.77": 40125, "192.0.2.33": 61000}
"""The one port that each host outside sends its probes from."""
_CLIENTS = {"linux": (32768, 60999), "windows": (49152, 65535), "any": (1024, 65535), "privileged": (600, 1023)}


class Talk(NamedTuple):
    """One connection.

    Attributes:
        begin: seconds since 1970; before the window for an old one.
        outer_port: the port that a NAT gateway gave it.
    """

    relation: Relation
    client: End
    client_port: int
    begin: float
    until: float
    outer_port: int

    @property
    def fresh(self) -> bool:
        return self.begin >= BEGIN


class Packet(NamedTuple):
    """Some packets that go one way at one time."""

    time: float
    asks: bool
    flags: int
    number: int
    size: int


def talks(random: Random, world: World, relation: Relation) -> Iterator[Talk]:
    """Draw the connections of a relation."""
    used: set[int] = set()
    for number in range(relation.old + relation.times):
        old = number < relation.old
        begin = BEGIN - 3600 if old else BEGIN + random.random() * (SPAN - 100) + 5
        length = random.choice((0.3, 2, 40, 300))
        until = BEGIN + SPAN * 2 if old else begin + length
        port = _client_port(random, relation, used)
        used.add(port)
        client = relation.client
        yield Talk(relation, client, port, begin, until, random.randint(1024, 65535))


def _client_port(random: Random, relation: Relation, used: set[int]) -> int:
    if relation.clients == "same":
        return relation.port
    if relation.clients == "scanner":
        return SCANNERS[relation.client.address]
    low, high = _CLIENTS[relation.clients]
    barred = {*used, relation.port, *(LISTENING if relation.clients != "any" else ())}
    if relation.clients == "any" and random.random() < 0.1:
        low, high = 8080, 8080  # a translator cares for nobody's services
    while (port := random.randint(low, high)) in barred:
        low, high = _CLIENTS[relation.clients]
    return port


def card_at(world: World, end: End, time: float) -> Card | None:
    """Which interface bears the address then: one machine may be replaced in the middle of the window."""
    if world.replaced and end.card == world.replaced[0] and time >= BEGIN + SPAN / 2:
        return world.replaced[1]
    return end.card


def packets(random: Random, talk: Talk) -> list[Packet]:
    """The packets of a connection inside the window, as they are sent (who refuses them is another matter)."""
    relation = talk.relation
    passes = relation.fate == "accepted" or (relation.fate == "changed" and talk.begin < BEGIN + SPAN / 2)
    answers = passes or relation.fate == "closed" or relation.fate.startswith("reply")
    found: list[Packet] = []
    if talk.fresh:
        found += _begin(talk, answers=answers, goes_on=passes)
    if passes and (relation.protocol == TCP or not talk.fresh):
        found += _middle(random, talk)
    return [each for each in found if BEGIN <= each.time < BEGIN + SPAN and each.time <= talk.until + 1]


def _begin(talk: Talk, *, answers: bool, goes_on: bool) -> list[Packet]:
    relation, at = talk.relation, talk.begin
    if relation.protocol != TCP:
        asked = [Packet(at, asks=True, flags=0, number=2, size=120)]
        if relation.one_way or not answers:
            return asked
        return [*asked, Packet(at + 0.01, asks=False, flags=0, number=2, size=300)]
    syn = Packet(at, asks=True, flags=SYN, number=1, size=60)
    if not answers:
        return [syn]
    if relation.fate == "closed":
        return [syn, Packet(at + 0.01, asks=False, flags=RST, number=1, size=40)]
    answer = Packet(at + 0.01, asks=False, flags=ACK_OF_SYN, number=1, size=60)
    if not goes_on:
        return [syn, answer]
    return [syn, answer, Packet(at + 0.02, asks=True, flags=0, number=1, size=52)]


def _middle(random: Random, talk: Talk) -> list[Packet]:
    """Data both ways, and the end of a connection that ends."""
    begin, until = max(talk.begin + 0.1, BEGIN), min(talk.until, BEGIN + SPAN)
    found: list[Packet] = []
    for _ in range(random.choice((1, 3, 8))):
        time = begin + random.random() * max(until - begin, 0)
        first = random.random() < 0.8
        later = time + random.choice((0.02, 0.02, 4))
        found.append(Packet(time, asks=first, flags=0, number=random.randint(1, 9), size=random.randint(60, 9000)))
        if not talk.relation.one_way:
            back = random.randint(60, 90000)
            found.append(Packet(later, asks=not first, flags=0, number=random.randint(1, 9), size=back))
    if talk.until < BEGIN + SPAN and talk.relation.protocol == TCP:
        found += [
            Packet(talk.until + 0.5, asks=True, flags=FIN, number=1, size=52),
            Packet(talk.until + 0.6, asks=False, flags=FIN, number=1, size=52),
        ]
    return found
