"""Random packets for an estate, drawn mostly from the values at which its rules change their minds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gcp.drawn import OUTSIDE
from tests.gcp.drawn_rules import PORTS, some
from tests.gcp.oracle_records import End, Packet

if TYPE_CHECKING:
    from random import Random

    from tests.gcp.drawn import Drawn, Place

__all__ = ["draw_packet"]

_PROTOCOLS = (6,) * 20 + (17,) * 9 + (1,) * 4 + (50, 132)
_WITH_PORTS = {6, 17, 132}


def draw_packet(random: Random, estate: Drawn) -> Packet:
    """A packet between two interfaces of two machines, or between one and an address outside."""
    source, target = _ends(random, estate)
    if target.address == "169.254.169.254":
        return Packet(source, target, *random.choice(((6, 80), (17, 53))))
    protocol = random.choice(_PROTOCOLS)
    port = random.choice((*PORTS, 443, 443, 443)) if protocol in _WITH_PORTS else 0
    if port and some(random, 0.1):
        port = min(65535, max(0, port + random.choice((-1, 1))))
    return Packet(source, target, 58 if ":" in source.address and protocol == 1 else protocol, port)


def _ends(random: Random, estate: Drawn) -> tuple[End, End]:
    place = random.choice(estate.places)
    own = End(random.choice(place.internal), place.own)
    pick = random.random()
    if pick < 0.02:
        return own._replace(address=place.internal[0]), End("169.254.169.254")
    others = [each for each in estate.places if each.machine != place.machine]
    if pick < 0.68 and others:
        other = random.choice(others)
        found = _called(random, other, own.address, public=0.2)
        if found:
            return own, End(found, other.own)
    away = random.choice([each for each in OUTSIDE if (":" in each) == (":" in own.address)])
    if pick < 0.8 and away != "35.235.240.7":
        return own, End(away)
    called = _called(random, place, away, public=0.95)
    return (End(away), End(called, place.own)) if called else (own, End("9.9.9.9" if "." in own.address else away))


def _called(random: Random, place: Place, far: str, *, public: float) -> str:
    """An address of a place by which it is called, of the family of the far end; empty where it has none."""
    if place.public and "." in far and some(random, public):
        return place.public
    found = [each for each in place.internal if (":" in each) == (":" in far)]
    return random.choice(found) if found else ""
