"""Holds the engine against the oracle: every drawn packet of every drawn estate, both bounds.

The engine speaks of traffic between interfaces, the oracle of one packet between addresses. Traffic between two
interfaces passes when it does between any two of their addresses, public ones and frontends of the called end among
them. The engine's lower bound is what passes whatever port the client chooses, from 1024 on, and its upper bound what
passes for one port at least. What the oracle leaves undefined has to be in the upper bound and not in the lower one.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.cli.sources import translate
from cloudseg.providers.azure.operations import OPERATIONS
from cloudseg.reach.reachability import Reachability
from cloudseg.snapshot import Manifest, Part, ScopeRead, Snapshot
from cloudseg.traffic import AddressSet, Traffic
from tests.azure.oracle import decide_in
from tests.azure.oracle_addresses import front_address
from tests.azure.oracle_reading import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.azure.oracle_records import Answers, End, Nic, Packet

__all__ = ["Disagreement", "Harness", "snapshot_of", "traffic_of"]

USUAL_PORTS = (1024, 49152, 65535)


class Disagreement(NamedTuple):
    """One connection on which engine and oracle differ.

    ``what`` is "missed" (the oracle passes it or leaves it open, the upper bound does not have it), "over-told" (the
    lower bound has it, the oracle does not pass it for every client port), "loose above" (the upper bound has it, the
    oracle refuses it for every port) or "loose below" (the oracle passes it for every port, the lower bound lacks it).
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
        estate = translate(snapshot_of(answers))
        self.names = {_below(each): each for each in estate.interfaces}
        self.engine = Reachability(estate)
        self.ports = self._edges()
        self.asked = Counter[str]()
        """How the oracle decided about the drawn packets."""

    def _edges(self) -> list[int]:
        """Client ports at which a rule may change its mind."""
        found = set(USUAL_PORTS)
        rules = [*self.read.nsgs.values(), *(each.admin or [] for each in self.read.vnets)]
        for text in {port for listed in rules for rule in listed for port in rule.source_ports} - {"*"}:
            first, _, last = text.partition("-")
            found |= {int(first) - 1, int(first), int(last or first), int(last or first) + 1}
        return sorted(port for port in found if 0 <= port <= 65535)

    def disagreements(self, packets: Iterable[Packet], *, thorough: bool = False) -> Iterator[Disagreement]:
        """Compare packet by packet.

        Where a packet itself agrees with both bounds, the other addresses and client ports of its ends are left to
        other draws, unless ``thorough`` asks for them.
        """
        for packet in packets:
            found = self._compare(packet, thorough=thorough) if self.knows(packet) else None
            if found is not None:
                yield found

    def _compare(self, packet: Packet, *, thorough: bool) -> Disagreement | None:
        ends = [self._end(end) for end in (packet.source, packet.destination)]
        verdict = self.engine.between(*ends)
        traffic = traffic_of(packet)
        lower, upper = traffic <= verdict.lower, traffic <= verdict.upper
        decision = decide_in(self.read, packet)
        self.asked[decision.verdict] += 1
        if decision.verdict == ("passes" if lower else "blocked") and lower == upper and not thorough:
            return None
        every = surely = possibly = False
        stages: set[str] = set()
        for each in self._addresses(packet):
            found = [(port, decide_in(self.read, each._replace(source_port=port))) for port in self._client_ports(each)]
            every = every or all(said.verdict == "passes" for port, said in found if port >= 1024)
            surely = surely or any(said.verdict == "passes" for _, said in found)
            possibly = possibly or any(said.verdict != "blocked" for _, said in found)
            stages |= {f"{said.verdict} by {said.by}" for _, said in found}
        what = ""
        # What a machine does to traffic that it forwards is nobody's to know, whose address it bears then neither.
        forwarded = stages <= {"undefined by appliance"} | {each for each in stages if each.startswith("blocked")}
        if possibly and not upper and not forwarded:
            what = "missed" if surely else "missed what is open"
        elif lower and not every:
            what = "over-told"
        elif upper and not possibly:
            what = "loose above"
        elif every and not lower:
            what = "loose below"
        return Disagreement(what, packet, tuple(sorted(stages)), lower, upper) if what else None

    def _client_ports(self, packet: Packet) -> list[int]:
        return self.ports if packet.protocol in {6, 17} else [49152]

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
        found = {str(config.private) for config in own.configs}
        if called:
            publics = [self.read.publics[config.public] for config in own.configs if config.public]
            found |= {str(each.address) for each in publics if each.address is not None}
            found |= self._fronts(own)
        unfit = {1: ":", 58: "."}.get(protocol, "/")
        return [end._replace(address=address) for address in sorted(found) if unfit not in address]

    def _fronts(self, nic: Nic) -> set[str]:
        backends = {own for config in nic.configs for own in (*config.pools, *config.nat_rules)}
        found: set[str] = set()
        for balancer in self.read.balancers:
            for rule in balancer.rules:
                if rule.kind != "outbound" and backends.intersection(rule.to):
                    fronts = [front for front in balancer.fronts if front.id in rule.fronts]
                    found |= {str(address) for front in fronts if (address := front_address(self.read, front))}
        return found

    def _end(self, end: End) -> str | AddressSet:
        if not end.interface:
            return AddressSet.parse(end.address)
        return self.names[_below(end.interface)]

    def knows(self, packet: Packet) -> bool:
        """Whether the engine has the interfaces of a packet, and no load balancer changes a port between them."""
        for end in (packet.source, packet.destination):
            if end.interface and _below(end.interface) not in self.names:
                return False
        configs = [each for nic in self.read.nics if nic.id == packet.destination.interface for each in nic.configs]
        backends = {own for config in configs for own in (*config.pools, *config.nat_rules)}
        changed = {
            port
            for balancer in self.read.balancers
            for rule in balancer.rules
            if rule.front_port != rule.back_port and backends.intersection(rule.to)
            for port in (rule.front_port, rule.back_port)
        }
        return packet.protocol not in {6, 17} or packet.port not in changed


def _below(own: str) -> str:
    """The part of an ARM id, or of an estate-wide name, below the subscription; with the subscription it is unique."""
    subscription = re.search("[0-9a-f-]{36}", own)
    return f"{subscription.group() if subscription else ''}{own[own.index('resourcegroups/') :]}"


def traffic_of(packet: Packet) -> Traffic:
    """The packet as the engine names it."""
    if packet.protocol in {6, 17}:
        return Traffic.ports(packet.protocol, packet.port, packet.port)
    if packet.protocol in {1, 58}:
        return Traffic.icmp_type(8, 0, 4) if packet.protocol == 1 else Traffic.icmp_type(128, 0, 6)
    return Traffic.protocol(packet.protocol)


def snapshot_of(answers: Answers) -> Snapshot:
    """A snapshot of raw answers; every list that is not among them is empty, so that nothing is unread by chance."""
    subscriptions = sorted({place[0] for place in answers})
    parts: dict[Part, object] = {}
    for subscription in subscriptions:
        for operation in OPERATIONS:
            if operation.per is None:
                empty: dict[str, list[object]] = {"value": []}
                parts[Part("azure", subscription, "global", operation.service, operation.name)] = empty
    for (subscription, service, name, *resource), answer in answers.items():
        parts[Part("azure", subscription, "global", service, name, resource[0] if resource else None)] = answer
    scopes = tuple(ScopeRead("azure", each, ("westeurope",), "reader") for each in subscriptions)
    return Snapshot.of(parts, Manifest("2026-01-15T12:00:00Z", "cloudseg", scopes))
