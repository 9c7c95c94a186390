"""Who uses whose services in a drawn world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tests.flows.simulated.world import OUTSIDE, Card, End, World

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

__all__ = ["ICMP", "LISTENING", "TCP", "UDP", "Relation", "relations"]

TCP: Final = 6
UDP: Final = 17
ICMP: Final = 1

_PORTS = (22, 80, 443, 5432, 3306, 6379, 8080, 8443, 9200, 9092, 27017, 1433, 30080, 31999)
_HIGH_PORTS = (33333, 40001, 45454, 49155, 55555, 60001)
LISTENING: Final = frozenset({*_PORTS, *_HIGH_PORTS, 7946, 2049})
"""Ports that no client of an operating system takes."""


class Relation(NamedTuple):
    """Somebody who uses a service of somebody else, now and then, always with the same fate.

    Attributes:
        fate: ``accepted``; ``changed``: refused from the middle of the window on; ``silent``: nobody answers;
            ``closed``: a reset answers; ``refused-out`` and ``refused-in``: at the client's and at the server's
            interface; ``reply-refused-server`` and ``reply-refused-client``: what comes back is refused there.
        way: ``""``, ``nat``, ``transit``: what is in between.
        clients: which ports the client takes: ``linux``, ``windows``, ``any`` (NAT gateways), ``privileged``; ``same``
            as the server; ``scanner``: always the same one.
        times: connections that begin in the window.
        old: connections that began before it.
        one_way: the server never says anything (UDP).
    """

    client: End
    server: End
    protocol: int
    port: int
    fate: str = "accepted"
    way: str = ""
    clients: str = "linux"
    times: int = 3
    old: int = 0
    one_way: bool = False


def relations(random: Random, world: World, number: int) -> list[Relation]:
    """Draw who uses which service: no two with the same ends and port."""
    drawn: dict[tuple[str, str, str, str, int, int], Relation] = {}
    mutual: set[tuple[str, str, str, int, int]] = set()
    while len(drawn) < number:
        each = _draw(random, world)
        if each is None or each.client == each.server:
            continue
        if each.client.card == each.server.card and world.provider != "kubernetes":
            continue  # never leaves the machine
        if each.fate.startswith("reply") and world.provider != "aws":
            continue
        if each.protocol == ICMP and world.provider == "azure":
            continue  # its older logs know TCP and UDP alone
        networks = _network(each.client), _network(each.server)
        ends = each.client.address, each.server.address
        same = min(networks), min(ends), max(ends), each.protocol, each.port
        if each.clients == "same" or each.protocol == ICMP:
            if same in mutual:
                continue
            mutual.add(same)
        drawn.setdefault((*networks, *ends, each.protocol, each.port), each)
    found = list(drawn.values())
    return [*found, *(_twin(world, each) for each in found if _has_twin(world, each) and random.random() < 0.7)]


def _network(end: End) -> str:
    return end.card.network.id if end.card else ""


def _has_twin(world: World, relation: Relation) -> bool:
    """Whether the network of equal range may see the very same addresses."""
    if len(world.networks) < 4 or relation.way:
        return False
    cards = relation.client.card, relation.server.card
    return all(card is None or (card.network == world.networks[0] and card.kind == "machine") for card in cards)


def _twin(world: World, relation: Relation) -> Relation:
    def moved(end: End) -> End:
        if end.card is None:
            return end
        at = [card.primary for card in world.machines[0]].index(end.card.primary)
        return End(world.machines[3][at], end.address)

    return relation._replace(client=moved(relation.client), server=moved(relation.server))


def _draw(random: Random, world: World) -> Relation | None:
    kinds = [kind for kind, (weight, _) in _KINDS.items() for _ in range(weight)]
    if world.provider == "aws":
        kinds += [kind for kind, (weight, _) in _KINDS_OF_AWS.items() for _ in range(weight)]
    kind = random.choice(kinds)
    client, server = (_end(random, card) for card in random.sample(world.machines[0], 2))
    if world.provider == "kubernetes" and client.card and random.random() < 0.3:
        server = _end(random, client.card)
    clients = random.choice(("linux", "linux", "windows"))
    times = random.choice((1, 1, 2, 3, 6)) if random.random() < 0.95 else 40
    plain = Relation(client, server, TCP, random.choice(_PORTS), clients=clients, times=times)
    _, changed = {**_KINDS, **_KINDS_OF_AWS}[kind]
    return changed(random, world, plain)


def _peer(random: Random, world: World, plain: Relation) -> Relation:
    if len(world.machines) < 2:
        return plain
    ways = random.choice(((0, 1), (1, 0), (1, 1)))
    client, server = (_end(random, random.choice(world.machines[at])) for at in ways)
    return plain._replace(client=client, server=server)


def _inbound(random: Random, world: World, plain: Relation) -> Relation:
    return plain._replace(client=_outside(random), clients="any")


def _scan(random: Random, world: World, plain: Relation) -> Relation:
    """Scanners knock on many doors of one machine, from one port of their own."""
    fate = random.choice(("refused-in", "refused-in", "silent", "closed"))
    server = _end(random, random.choice(world.machines[0][:2]))
    port = random.choice((random.randint(1, 1023), random.randint(1024, 65535)))
    return plain._replace(client=_outside(random), server=server, port=port, fate=fate, clients="scanner", times=1)


def _outbound(random: Random, world: World, plain: Relation) -> Relation:
    return plain._replace(server=_outside(random), port=random.choice((80, 443)))


def _pool(random: Random, world: World, plain: Relation) -> Relation:
    return plain._replace(old=random.choice((1, 2, 5)), times=random.choice((0, 0, 1, 4)))


def _high(random: Random, world: World, plain: Relation) -> Relation:
    return plain._replace(port=random.choice(_HIGH_PORTS), old=random.choice((0, 0, 2)))


def _nfs(random: Random, world: World, plain: Relation) -> Relation:
    return plain._replace(port=2049, clients="privileged", old=random.choice((0, 0, 1, 3)))


def _dns(random: Random, world: World, plain: Relation) -> Relation:
    return plain._replace(protocol=UDP, port=53)


def _ntp(random: Random, world: World, plain: Relation) -> Relation:
    return plain._replace(protocol=UDP, port=123, clients="same", times=1)


def _gossip(random: Random, world: World, plain: Relation) -> Relation:
    if random.random() < 0.5:
        return plain._replace(protocol=UDP, port=7946, clients="same", times=1)
    return plain._replace(port=7946)


def _logs(random: Random, world: World, plain: Relation) -> Relation:
    return plain._replace(protocol=UDP, port=514, one_way=True, times=1)


def _icmp(random: Random, world: World, plain: Relation) -> Relation:
    return plain._replace(protocol=ICMP, port=0, clients="same", times=1)


def _fate(*fates: str) -> Callable[[Random, World, Relation], Relation]:
    def changed(random: Random, world: World, plain: Relation) -> Relation:
        return plain._replace(fate=random.choice(fates))

    return changed


def _nat(random: Random, world: World, plain: Relation) -> Relation:
    return plain._replace(server=_outside(random), port=random.choice((80, 443, 8443)), way="nat")


def _transit(random: Random, world: World, plain: Relation) -> Relation:
    far = _end(random, random.choice(world.machines[2]))
    if random.random() < 0.3:
        return plain._replace(client=far, way="transit")
    return plain._replace(server=far, way="transit")


def _balancer(random: Random, world: World, plain: Relation) -> Relation | None:
    if world.balancer is None:
        return None
    node = End(world.balancer, world.balancer.primary)
    if random.random() < 0.5:
        return plain._replace(client=_outside(random), server=node, port=443, clients="any")
    return plain._replace(client=node, port=8080, clients="any")


def _moved(random: Random, world: World, plain: Relation) -> Relation | None:
    if world.replaced is None:
        return None
    mover = End(world.replaced[0], world.replaced[0].primary)
    if random.random() < 0.5:
        return plain._replace(client=mover, times=6)
    return plain._replace(server=mover, times=6)


def _plain(random: Random, world: World, plain: Relation) -> Relation:
    return plain


_KINDS: Final[dict[str, tuple[int, Callable[[Random, World, Relation], Relation | None]]]] = {
    "inside": (6, _plain),
    "peer": (3, _peer),
    "inbound": (1, _inbound),
    "scan": (4, _scan),
    "outbound": (1, _outbound),
    "pool": (2, _pool),
    "high": (1, _high),
    "nfs": (1, _nfs),
    "dns": (1, _dns),
    "ntp": (1, _ntp),
    "gossip": (2, _gossip),
    "logs": (1, _logs),
    "icmp": (1, _icmp),
    "unanswered": (2, _fate("silent", "closed")),
    "refused": (2, _fate("refused-in", "refused-out")),
    "changed": (1, _fate("changed")),
    "reply": (2, _fate("reply-refused-server", "reply-refused-client")),
}
_KINDS_OF_AWS: Final[dict[str, tuple[int, Callable[[Random, World, Relation], Relation | None]]]] = {
    "nat": (2, _nat),
    "transit": (2, _transit),
    "balancer": (1, _balancer),
    "moved": (2, _moved),
}
"""How often each kind of relation is drawn, and what makes it one."""


def _end(random: Random, card: Card) -> End:
    """One of the addresses of an interface; a node has none but its pods'."""
    own = () if card.kind == "node" else (card.primary,)
    return End(card, random.choice((*own, *card.others)))


def _outside(random: Random) -> End:
    return End(None, random.choice(OUTSIDE))
