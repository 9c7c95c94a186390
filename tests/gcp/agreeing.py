"""Holds the engine against the oracle: every drawn packet of every drawn estate, both bounds.

The engine speaks of traffic between interfaces, the oracle of one packet between addresses. Traffic between two
interfaces passes when it does between any two of their addresses, external ones of the called end among them; alias
ranges are an interface of their own. What the oracle leaves undefined has to be in the upper bound and not in the lower
one.
"""

from __future__ import annotations

from collections import Counter
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.providers.gcp.operations import OPERATIONS
from cloudseg.reach.reachability import Reachability
from cloudseg.snapshot import Manifest, Part, ScopeRead, Snapshot
from cloudseg.traffic import AddressSet, Traffic
from tests.gcp.oracle import decide_in
from tests.gcp.oracle_reading import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.model import Estate
    from tests.gcp.oracle_records import Answers, End, Nic, Packet

__all__ = ["Disagreement", "Harness", "snapshot_of", "traffic_of", "translated"]

_WITH_PORTS = {6, 17, 132}


class Disagreement(NamedTuple):
    """One connection on which engine and oracle differ.

    ``what`` is "missed" (the oracle passes it or leaves it open, the upper bound does not have it), "over-told" (the
    lower bound has it, the oracle does not pass it), "loose above" (the upper bound has it, the oracle refuses it) or
    "loose below" (the oracle passes it, the lower bound lacks it).
    """

    what: str
    packet: Packet
    oracle: tuple[str, ...]
    lower: bool
    upper: bool


class Harness:
    """One estate, read by both."""

    def __init__(self, answers: Answers) -> None:
        self.read = read(answers)
        self.engine = Reachability(translated(answers))
        self.asked = Counter[str]()
        """How the oracle decided about the drawn packets."""

    def disagreements(self, packets: Iterable[Packet], *, thorough: bool = False) -> Iterator[Disagreement]:
        """Compare packet by packet.

        Where a packet itself agrees with both bounds, the other addresses of its ends are left to other draws, unless
        ``thorough`` asks for them.
        """
        for packet in packets:
            found = self._compare(packet, thorough=thorough)
            if found is not None:
                yield found

    def _compare(self, packet: Packet, *, thorough: bool) -> Disagreement | None:
        ends = [self.engine_end(each) for each in (packet.source, packet.destination)]
        verdict = self.engine.between(*ends)
        traffic = traffic_of(packet)
        lower, upper = traffic <= verdict.lower, traffic <= verdict.upper
        decision = decide_in(self.read, packet)
        self.asked[decision.verdict] += 1
        if decision.verdict == ("passes" if lower else "blocked") and lower == upper and not thorough:
            return None
        found = [decide_in(self.read, each) for each in self._addresses(packet)]
        surely = any(each.verdict == "passes" for each in found)
        possibly = any(each.verdict != "blocked" for each in found)
        what = ""
        # What a machine does to traffic that it forwards is nobody's to know, whose address it bears then neither.
        forwarded = all(each.verdict == "blocked" or each.by == "appliance" for each in found)
        if possibly and not upper and not forwarded:
            what = "missed" if surely else "missed what is open"
        elif lower and not surely:
            what = "over-told"
        elif upper and not possibly:
            what = "loose above"
        elif surely and not lower:
            what = "loose below"
        stages = tuple(sorted({f"{each.verdict} by {each.by}" for each in found}))
        return Disagreement(what, packet, stages, lower, upper) if what else None

    def _addresses(self, packet: Packet) -> Iterator[Packet]:
        for source in self._ends(packet.source, packet.protocol, called=False):
            for target in self._ends(packet.destination, packet.protocol, called=True):
                if (":" in source.address) == (":" in target.address):
                    yield packet._replace(source=source, destination=target)

    def _ends(self, end: End, protocol: int, *, called: bool) -> list[End]:
        """The addresses that an interface sends from, and those that it is ``called`` by."""
        if not end.interface:
            return [end]
        own = next(each for each in self.read.nics if each.id == end.interface)
        if _of_alias(own, end):
            return [end]
        found = {str(own.primary), *(str(each[0]) for each in own.six)}
        if called and own.public is not None:
            found.add(str(own.public))
        unfit = {1: ":", 58: "."}.get(protocol, "/")
        return [end._replace(address=address) for address in sorted(found) if unfit not in address]

    def engine_end(self, end: End) -> str | AddressSet:
        """What the engine calls an end."""
        if not end.interface:
            return AddressSet.parse(end.address)
        own = next(each for each in self.read.nics if each.id == end.interface)
        return f"{own.id}/aliases" if _of_alias(own, end) else own.id


def _of_alias(nic: Nic, end: End) -> bool:
    address = ip_address(end.address)
    return any(address.version == 4 and address in each for each in nic.aliases)


def translated(answers: Answers) -> Estate:
    """The estate of raw answers."""
    # Who asks the oracle alone does not wait for the translator.
    from cloudseg.providers.gcp.translate.translation import translate

    return translate(snapshot_of(answers))


def traffic_of(packet: Packet) -> Traffic:
    """The packet as the engine names it."""
    if packet.protocol in _WITH_PORTS:
        return Traffic.ports(packet.protocol, packet.port, packet.port)
    if packet.protocol in {1, 58}:
        return Traffic.icmp_type(8, 0, 4) if packet.protocol == 1 else Traffic.icmp_type(128, 0, 6)
    return Traffic.protocol(packet.protocol)


def snapshot_of(answers: Answers) -> Snapshot:
    """A snapshot of raw answers; every list that is not among them is empty, so that nothing is unread by chance."""
    projects = sorted({place[0] for place in answers})
    parts: dict[Part, object] = {}
    for project in projects:
        for operation in OPERATIONS:
            if operation.per is None:
                empty: dict[str, list[object]] = {"items": []}
                parts[Part("gcp", project, "global", operation.service, operation.name)] = empty
    for (project, service, name, *resource), answer in answers.items():
        parts[Part("gcp", project, "global", service, name, resource[0] if resource else None)] = answer
    scopes = tuple(ScopeRead("gcp", each, ("global",), "reader") for each in projects)
    return Snapshot.of(parts, Manifest("2026-01-15T12:00:00Z", "cloudseg", scopes))
