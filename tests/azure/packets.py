"""Random packets for an estate, drawn mostly from the values at which its rules change their minds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.azure.drawn import OUTSIDE
from tests.azure.drawn_rules import PORTS, some
from tests.azure.oracle_records import End, Packet

if TYPE_CHECKING:
    from random import Random

    from tests.azure.drawn import Drawn, Place

__all__ = ["CLIENT_PORTS", "draw_packet"]

CLIENT_PORTS = (1024, 32768, 49152, 60999, 65535)
_PROTOCOLS = (6,) * 20 + (17,) * 10 + (1,) * 4 + (50, 51, 47)


def draw_packet(random: Random, estate: Drawn) -> Packet:
    """A packet between two interfaces, or between one and an address outside."""
    source, target = _ends(random, estate)
    six = ":" in source.address
    protocol = random.choice(_PROTOCOLS)
    if target.address in _PLATFORM:
        return Packet(source, target, random.choice((6, 17)), random.choice((53, 80)))
    port = random.choice((*PORTS, 443, 443, 443, 50001)) if protocol in {6, 17} else 0
    if port and some(random, 0.1):
        port = min(65535, max(0, port + random.choice((-1, 1))))
    return Packet(source, target, 58 if six and protocol == 1 else protocol, port, random.choice(CLIENT_PORTS))


_PLATFORM = ("168.63.129.16", "169.254.169.254")


def _ends(random: Random, estate: Drawn) -> tuple[End, End]:
    place = random.choice(estate.places)
    if place.name.startswith("pe-") and some(random, 0.8):
        place = estate.places[0]
    own = End(random.choice(place.private), estate.raw.own(place.name))
    pick = random.random()
    if pick < 0.02:
        return own._replace(address=place.private[0]), End(random.choice(_PLATFORM))
    if pick < 0.03:
        return End("168.63.129.16"), own._replace(address=place.private[0])
    others = [each for each in estate.places if each.name != place.name]
    if pick < 0.6 and others:
        found = _called(random, random.choice(others), own.address, public=0.3)
        if found is not None:
            other = next(each for each in others if found in (*each.private, *each.public, *each.fronts))
            return own, End(found, estate.raw.own(other.name))
    away = End(random.choice([each for each in OUTSIDE if (":" in each) == (":" in own.address)]))
    if pick < 0.74:
        return own, away
    called = _called(random, place, away.address, public=0.97)
    return (own, away) if called is None else (away, own._replace(address=called))


def _called(random: Random, place: Place, far: str, *, public: float) -> str | None:
    """An address of a place by which it is called, of the family of the far end."""
    outer = [*place.public, *place.fronts]
    found = [
        each for each in (outer if outer and some(random, public) else place.private) if (":" in each) == (":" in far)
    ]
    return random.choice(found) if found else None
