"""A second evaluator, as plain as can be: it takes one packet through the lists at both ends, rule by rule.

It shares no code with the evaluation of reachability, so that a mistake there is not made here once more. It follows no
routes: it says what lists do with a packet that comes by.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cloudseg.model import (
    Addresses,
    Carries,
    Everyone,
    GroupRef,
    ListRef,
    Names,
    Unresolved,
    matches,
)
from cloudseg.traffic import IntervalSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.model import Direction, Estate, Interface, Peer, Pipeline, Rule, RuleSet, Stage
    from cloudseg.traffic import AddressSet

__all__ = ["Answer", "Evaluator", "Party", "Sent"]

Answer = Literal["stopped", "passes", "unknown"]
_Sure = Literal["no", "maybe", "yes"]
_Outcome = Literal["denied", "on", "accepted"]

_OF_VERDICT: Final[dict[str, _Outcome]] = {"deny": "denied", "next": "on", "accept": "accepted"}
_ORDER: Final[tuple[_Outcome, ...]] = ("denied", "on", "accepted")
_BACK: Final[dict[Direction, Direction]] = {"ingress": "egress", "egress": "ingress"}
_ECHO: Final = {
    str(Traffic.icmp_type(8)): Traffic.icmp_type(0, 0),
    str(Traffic.icmp_type(128, version=6)): Traffic.icmp_type(129, 0, 6),
}


class Party(NamedTuple):
    """One end of a packet.

    Attributes:
        interface: who it is; None outside of the estate.
        address: its one address, as rules see it.
    """

    interface: Interface | None
    address: AddressSet


class Sent(NamedTuple):
    """A packet.

    Attributes:
        source: who sends it.
        target: who is to get it.
        traffic: one port, one ICMP type and code, or one protocol.
    """

    source: Party
    target: Party
    traffic: Traffic


class Evaluator:
    """Takes packets through the lists of an estate.

    Args:
        estate: the estate.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._carried: defaultdict[str, dict[str, RuleSet]] = defaultdict(dict)
        self._others: defaultdict[str, list[RuleSet]] = defaultdict(list)
        for name, rule_set in sorted(estate.rule_sets.items()):
            if rule_set.applies == Carries(name):
                self._carried[rule_set.stage][name] = rule_set
            else:
                self._others[rule_set.stage].append(rule_set)

    def at(self, packet: Sent, direction: Direction, *, stateless: bool = True) -> Answer:
        """Return what the lists of one end do with a packet.

        Args:
            packet: the packet.
            direction: ``egress`` asks the lists of who sends it, ``ingress`` those of who is to get it.
            stateless: ask lists without state, too, for the packet and for its answer.
        """
        own, other = (packet.target, packet.source) if direction == "ingress" else (packet.source, packet.target)
        interface = own.interface
        pipeline = None if interface is None else self._pipeline(interface)
        if interface is None or pipeline is None:
            return "unknown"
        beside = other.interface is not None and other.interface.subnet == interface.subnet is not None
        states: set[_Outcome] = {"on"}
        part = 0
        for stage in pipeline.stages(direction):
            if (stage.pods_only and not interface.is_pod) or (stage.at == "subnet-boundary" and beside):
                continue
            if not stage.stateful and not stateless:
                continue
            if stage.part > part:
                part = stage.part
                states = {"on" if state == "accepted" else state for state in states}
            outcomes = self._outcomes(stage, direction, own, other, packet.traffic)
            if not stage.stateful:
                back = self._answered(pipeline, stage, direction, own, other, packet.traffic)
                if back != "yes":
                    outcomes.add("denied")
                if back == "no":
                    outcomes.intersection_update(("denied",))
            states = _after(states, outcomes, stateful=stage.stateful)
        if states == {"denied"}:
            return "stopped"
        return "passes" if "denied" not in states else "unknown"

    def both(self, packet: Sent) -> Answer:
        """Return what the lists of both ends do with a packet, as far as they are ends of the estate."""
        sides: tuple[tuple[Direction, Party], ...] = (("egress", packet.source), ("ingress", packet.target))
        answers = [self.at(packet, direction) for direction, end in sides if end.interface is not None]
        if "stopped" in answers:
            return "stopped"
        return "unknown" if "unknown" in answers else "passes"

    def _pipeline(self, interface: Interface) -> Pipeline | None:
        network = self._estate.networks.get(interface.network or "")
        return self._estate.pipelines.get(interface.provider if network is None else network.pipeline)

    def _judges(self, interface: Interface, stage: Stage, direction: Direction) -> list[RuleSet]:
        carried = self._carried[stage.name]
        found = [carried[name] for name in sorted(interface.attached) if name in carried]
        found += [held for held in self._others[stage.name] if matches(held.applies, interface)]
        # One that does not isolate in a direction only adds to others that do.
        return found if any(direction in held.isolates for held in found) else []

    def _outcomes(
        self, stage: Stage, direction: Direction, own: Party, other: Party, traffic: Traffic
    ) -> set[_Outcome]:
        """Return everything that a stage may do with a packet."""
        interface = own.interface
        if interface is None:
            return {"denied", "on", "accepted"}
        judges = self._judges(interface, stage, direction)
        unread = self._unread(stage, interface, read=bool(judges))
        if not judges:
            return {"denied", "on", "accepted"} if unread else {"on"}
        if stage.match == "any" and stage.miss != "deny":
            return {"on"}
        rules = [rule for held in judges for rule in held.rules if rule.direction == direction]
        hits: list[tuple[Rule, _Sure]] = []
        for rule in rules:
            sure = self._matched(rule, stage, own, other) if traffic <= rule.traffic else "no"
            if sure != "no":
                hits.append((rule, sure))
        found = _first(hits, stage) if stage.match == "first" else _any(hits)
        return set(_ORDER) if unread and "accepted" not in found else found

    def _unread(self, stage: Stage, interface: Interface, *, read: bool) -> bool:
        """Tell whether lists may judge at a stage that were not read."""
        estate = self._estate
        if stage.at == "platform":
            return False
        unknown = any(each not in estate.groups and each not in estate.rule_sets for each in interface.attached)
        if stage.at == "interface" and (interface.attached_unread or unknown):
            return True
        subnet = estate.subnets.get(interface.subnet or "")
        facet = stage.facet or ("groups" if stage.at in {"interface", "subnet"} else "boundary-rules")
        places = [interface] if subnet is None else [interface, subnet]
        return not read and not all(estate.read(facet, place) for place in places)

    def _answered(
        self, pipeline: Pipeline, stage: Stage, direction: Direction, own: Party, other: Party, traffic: Traffic
    ) -> _Sure:
        """Tell whether the answer to a packet passes a stage that keeps no state, whatever port the client chose."""
        back = _BACK[direction]
        there = next((each for each in pipeline.stages(back) if each.name == stage.name), None)
        if there is None or own.interface is None:
            return "yes"
        rules = [rule for held in self._judges(own.interface, there, back) for rule in held.rules]
        each = [(answer, self._outcomes(there, back, own, other, answer)) for answer in _answers(traffic, rules)]
        if each and all(outcomes == {"denied"} for _, outcomes in each):
            return "no"
        # A client chooses a port from 1024 up, and may choose one to which answers pass.
        return "maybe" if any("denied" in outcomes and _by_client(answer) for answer, outcomes in each) else "yes"

    def _matched(self, rule: Rule, stage: Stage, own: Party, other: Party) -> _Sure:
        near = self._among(rule.local, stage, own, None)
        far = self._among(rule.remote, stage, other, own)
        if "no" in {near, far}:
            return "no"
        sure = near == far == "yes" and rule.exact and rule.source_ports is None
        return "yes" if sure else "maybe"

    def _among(self, peers: Iterable[Peer], stage: Stage, party: Party, seen_by: Party | None) -> _Sure:
        answers = {self._is(peer, stage, party, seen_by) for peer in peers}
        return "yes" if "yes" in answers else "maybe" if "maybe" in answers else "no"

    def _is(self, peer: Peer, stage: Stage, party: Party, seen_by: Party | None) -> _Sure:
        match peer:
            case Everyone():
                return "yes"
            case GroupRef(group, stale=stale):
                return "no" if stale else self._member(group, party, seen_by)
            case Names():
                return "maybe"
            case Unresolved(within=within):
                return "maybe" if party.address.overlaps(within) or not party.address else "no"
            case Addresses(addresses):
                return self._bears(addresses, stage, party, seen_by)
            case ListRef(name):
                known = self._estate.address_lists.get(name)
                listed = None if known is None else known.addresses
                return "maybe" if listed is None else self._bears(listed, stage, party, seen_by)

    def _bears(self, addresses: AddressSet, stage: Stage, party: Party, seen_by: Party | None) -> _Sure:
        interface = party.interface
        if seen_by is None and interface is not None and len(_each(interface)) > 1:
            # Which of its addresses a rule is about, and a load balancer's, is told by nothing here.
            own = interface.addresses | interface.called
            return "yes" if own <= addresses else "maybe" if own.overlaps(addresses) else "no"
        if not party.address:
            return "maybe"
        if not party.address <= addresses:
            return "no"
        if seen_by is not None and interface is not None and seen_by.interface is not None:
            together = interface.is_pod and interface.scope == seen_by.interface.scope
            if together and stage.ranges != "everywhere":
                return "no" if stage.ranges == "outside" else "maybe"
        return "yes"

    def _member(self, group: str, party: Party, seen_by: Party | None) -> _Sure:
        known = self._estate.groups.get(group)
        interface = party.interface
        if interface is None:
            # Interfaces that nobody read may stand outside.
            return "maybe"
        inside = matches(known.selector, interface) if known is not None else group in interface.attached
        if not inside:
            return "maybe" if interface.attached_unread or interface.is_pod or known is None else "no"
        if seen_by is None or seen_by.interface is None:
            return "yes"
        # Between networks, and under other addresses, groups need not hold.
        straight = interface.network == seen_by.interface.network and party.address <= interface.addresses
        return "yes" if straight else "maybe"


def _each(interface: Interface) -> tuple[object, ...]:
    own = interface.addresses | interface.called
    return (*own.v4.intervals, *own.v6.intervals)


def _after(states: set[_Outcome], outcomes: set[_Outcome], *, stateful: bool) -> set[_Outcome]:
    found: set[_Outcome] = set()
    for state in states:
        if state == "on":
            found |= outcomes
        elif state == "accepted" and not stateful and "denied" in outcomes:
            # What is accepted for good meets lists without state all the same.
            found |= {"denied"} if outcomes == {"denied"} else {"denied", "accepted"}
        else:
            found.add(state)
    return found


def _first(hits: Sequence[tuple[Rule, _Sure]], stage: Stage) -> set[_Outcome]:
    found: set[_Outcome] = set()
    for rule, sure in sorted(hits, key=lambda hit: (hit[0].priority or 0, hit[0].verdict != "deny")):
        found.add(_OF_VERDICT[rule.verdict])
        if sure == "yes":
            return found
    found.add(_OF_VERDICT[stage.miss])
    return found


def _any(hits: Sequence[tuple[Rule, _Sure]]) -> set[_Outcome]:
    allowing = [(rule, sure) for rule, sure in hits if rule.verdict != "deny"]
    certain = {_OF_VERDICT[rule.verdict] for rule, sure in allowing if sure == "yes"}
    least: _Outcome = "accepted" if "accepted" in certain else "on" if certain else "denied"
    more = {_OF_VERDICT[rule.verdict] for rule, sure in allowing if sure == "maybe"}
    return {each for each in _ORDER if each == least or (each in more and _ORDER.index(each) > _ORDER.index(least))}


def _answers(traffic: Traffic, rules: Iterable[Rule]) -> Iterator[Traffic]:
    """Yield answers to a packet: to ports at which rules begin or end, and to the ends of those that clients choose."""
    for name, numbers in (("tcp", traffic.tcp), ("udp", traffic.udp), ("sctp", traffic.sctp)):
        if numbers:
            ports = {1023, 1024, 65535}
            for rule in rules:
                held: IntervalSet = getattr(rule.traffic, name)
                for first, last in held.intervals:
                    ports |= {first - 1, first, last, last + 1}
            for port in sorted(port for port in ports if 0 <= port <= 65535):
                yield Traffic.ports(name, port, port)
    for asked, answer in _ECHO.items():
        if traffic <= Traffic.parse(asked):
            yield answer
    if traffic.other:
        yield traffic


def _by_client(answer: Traffic) -> bool:
    """Tell whether an answer goes to a port that clients choose, or has none."""
    numbers = answer.tcp | answer.udp | answer.sctp
    return not numbers or numbers.intervals[0][0] >= 1024
