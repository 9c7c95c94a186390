"""Whether packets pass in an estate, one at a time, straight from what the model says of stages, lists and rules.

It shares no code with what makes and proves plans. It knows the shapes of the drawn estates and no others: networks by
themselves, ways to the internet and to private gateways, lists of every kind, and unknowns as variables.

What is not known is a question by name. A packet is tried for every answer, the same before and after: an unknown rule
or address list says yes or no, an interface that was not read in full carries each group or not, and may carry one more
list that nobody read, which admits everything or nothing.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import (
    Addresses,
    AllOf,
    AnyOf,
    Carries,
    Everyone,
    Everything,
    GroupRef,
    InNetworks,
    InSubnets,
    Interface,
    Labelled,
    ListRef,
    Names,
    NoneOf,
    Unresolved,
    scope_of,
    unplaced,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cloudseg.model import AddressList, Direction, Estate, Peer, Rule, RuleSet, Selector, Stage, Subnet
    from cloudseg.traffic import AddressSet
    from tests.plan.simulated.points import Points

__all__ = ["Answers", "Judge", "Packet", "Question", "Spot", "Unanswered", "spots_of"]

Question = tuple[str, ...]
Answers = dict[Question, bool]
_SOURCE_PORT = 50000
"""The client's port of every packet."""


class Unanswered(Exception):  # noqa: N818 - it asks, and is no error
    """A packet meets something unknown for which no answer is given."""

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        self.question = question


class Spot(NamedTuple):
    """An end of packets.

    Attributes:
        address: its address.
        interface: qualified id of the interface that bears it; empty where no interface does that was read.
    """

    address: str
    interface: str = ""

    @property
    def family(self) -> int:
        return 6 if ":" in self.address else 4


class Packet(NamedTuple):
    """Who sends, and to whom."""

    source: Spot
    target: Spot


def spots_of(estate: Estate) -> Iterator[Spot]:
    """Yield every address of every interface."""
    for key in sorted(estate.interfaces):
        for address in estate.interfaces[key].addresses.cidrs():
            yield Spot(address.partition("/")[0], key)


class Judge:
    """Judges packets in one state of an estate.

    Args:
        estate: the estate as it is in that state.
        points: the traffic that is tried.
        today: the estate before any change: what nobody read cannot name what is only made by the plan.
        known: ends of packets that were judged before, of this and other states of the same estate.
    """

    def __init__(self, estate: Estate, points: Points, today: Estate, known: dict[tuple[object, ...], int]) -> None:
        self._estate = estate
        self._points = points
        self._today = today
        self._known = known
        self._answers: Answers = {}
        self._by_stage: dict[str, list[RuleSet]] = {}
        for key in sorted(estate.rule_sets):
            self._by_stage.setdefault(estate.rule_sets[key].stage, []).append(estate.rule_sets[key])
        self._judging: dict[tuple[str, str], tuple[RuleSet, ...]] = {}

    def bits(self, packet: Packet, answers: Answers) -> int:
        """Return the bits of the traffic that passes, given what the unknown is.

        Raises:
            Unanswered: something unknown decides to which there is no answer.
        """
        self._answers = answers
        joined = self._known.get(packet)
        if joined is None:
            joined = self._known[packet] = int(self.joined(packet))
        if not joined:
            return 0
        strange = self._points.by_protocol.get("icmp" if packet.source.family == 6 else "icmpv6", 0)
        passing = self._points.all & ~strange
        source, target = packet
        if (sender := self._estate.interfaces.get(source.interface)) is not None:
            passing &= self._at_end(sender, source, target, "egress")
        if passing and (taker := self._estate.interfaces.get(target.interface)) is not None:
            passing &= self._at_end(taker, target, source, "ingress")
        return passing

    # Ways. No edit changes them.

    def joined(self, packet: Packet) -> bool:
        """Tell whether networks and routes lead a packet to its target."""
        source, target = packet
        if source.family != target.family:
            return False
        one, two = (self._estate.interfaces.get(each.interface) for each in packet)
        if one is not None and two is not None:
            return one.network == two.network
        if one is not None:
            return self._leads(one, target.address, outwards=True)
        return two is not None and self._leads(two, source.address, outwards=False)

    def _leads(self, interface: Interface, address: str, *, outwards: bool) -> bool:
        network = self._estate.networks[interface.network or ""]
        if network.leads_out:
            return True
        kind = self._next_hop(interface, address)
        if kind in {"local", "private-gateway"}:
            return True
        public = any((":" in each) == (":" in address) for each in interface.public.cidrs())
        if kind == "internet-gateway":
            return public or (outwards and any((":" in each) == (":" in address) for each in interface.lent.cidrs()))
        return outwards and kind in {"nat-gateway", "egress-only-gateway"}

    def _next_hop(self, interface: Interface, address: str) -> str:
        """Return what the longest prefix leads to, of the routes of an interface's subnet."""
        tables = [each for _, each in sorted(self._estate.route_tables.items()) if each.network == interface.network]
        own = [each for each in tables if interface.subnet in each.subnets] or [each for each in tables if each.is_main]
        best, found = -1, "none"
        for table in own:
            for route in table.routes:
                assert isinstance(route.destination, Addresses), "the drawn routes name addresses"
                for cidr in route.destination.addresses.cidrs():
                    length = int(cidr.partition("/")[2])
                    if length > best and _within(address, cidr):
                        best, found = length, route.kind if route.active else "drop"
        return found

    # Lists.

    def _at_end(self, own: Interface, at: Spot, other: Spot, direction: Direction) -> int:
        """Return what passes all stages at one end."""
        key = self._key(own, at, other, direction)
        known = self._known.get(key)
        if known is None:
            asked = _Asking(self._answers)
            self._answers, answers = asked, self._answers
            known = self._all_stages(own, at, other, direction)
            self._answers = answers
            if not asked.asked:
                self._known[key] = known
        return known

    def _key(self, own: Interface, at: Spot, other: Spot, direction: Direction) -> tuple[object, ...]:
        """Return all that an end's answer hangs on. Values are never changed, and those of other states live on."""
        lists = [id(each) for stage in self._stages(own, direction) for each in self._lists(own, stage)]
        return (id(own), at.address, id(self._estate.interfaces.get(other.interface)), other.address, direction, *lists)

    def _stages(self, own: Interface, direction: Direction) -> tuple[Stage, ...]:
        pipeline = self._estate.pipelines[self._estate.networks[own.network or ""].pipeline]
        return pipeline.ingress if direction == "ingress" else pipeline.egress

    def _lists(self, own: Interface, stage: Stage) -> tuple[RuleSet, ...]:
        known = self._judging.get((own.id, stage.name))
        if known is None or own.attached_unread:
            known = tuple(each for each in self._by_stage.get(stage.name, ()) if self._chosen(each.applies, own))
            self._judging[own.id, stage.name] = known
        return known

    def _all_stages(self, own: Interface, at: Spot, other: Spot, direction: Direction) -> int:
        undecided, accepted, part = self._points.all, 0, 0
        peer = self._estate.interfaces.get(other.interface)
        for stage in self._stages(own, direction):
            if stage.pods_only and own.kind != "pod":
                continue
            if stage.part > part:
                part, undecided, accepted = stage.part, undecided | accepted, 0
            if stage.at == "subnet-boundary" and self._same_subnet(own, peer, other):
                continue
            onward, final = self._at_stage(stage, own, at, other, direction)
            accepted |= undecided & final
            undecided &= onward
            if not stage.stateful:
                back = self._replies(stage, own, at, other, direction)
                undecided, accepted = undecided & back, accepted & back
        return undecided | accepted

    def _same_subnet(self, own: Interface, peer: Interface | None, other: Spot) -> bool:
        if peer is not None:
            return own.subnet == peer.subnet
        subnet: Subnet | None = self._estate.subnets.get(own.subnet or "")
        return subnet is not None and _has(subnet.addresses, other.address)

    def _at_stage(self, stage: Stage, own: Interface, at: Spot, other: Spot, direction: Direction) -> tuple[int, int]:
        """Return what goes on to the next stage, and what is accepted for good."""
        everything = self._points.all
        lists = self._lists(own, stage)
        hidden = stage.at == "interface" and own.attached_unread
        judged = any(direction in each.isolates for each in lists)
        if not judged and not hidden:
            return everything, 0
        if hidden and self._answer("more", own.id, stage.name):
            return everything, 0
        denied, onward, final = self._matched(stage, lists if judged else (), own, at, other, direction)
        missed = everything & ~(denied | onward | final)
        if stage.miss == "next":
            onward |= missed
        elif stage.miss == "accept":
            final |= missed
        return onward, final

    def _matched(
        self, stage: Stage, lists: Iterable[RuleSet], own: Interface, at: Spot, other: Spot, direction: Direction
    ) -> tuple[int, int, int]:
        """Return what rules deny, let go on and accept for good."""
        rules = [(each, rule) for each in lists for rule in each.rules if rule.direction == direction]
        denied = onward = final = 0
        if stage.match == "first":
            rules.sort(key=lambda pair: (_priority(pair[1]), pair[1].verdict != "deny"))
        left = self._points.all
        for rule_set, rule in rules:
            bits = self._points.bits(rule.traffic) & left
            if not bits or not self._matches(stage, rule_set, rule, own, at, other):
                continue
            if rule.verdict == "deny":
                denied |= bits
            elif rule.verdict == "next":
                onward |= bits
            else:
                final |= bits
            if stage.match == "first":
                left &= ~bits
        # Where rules add up, the best that any of them says counts.
        return denied & ~onward & ~final, onward & ~final, final

    def _replies(self, stage: Stage, own: Interface, at: Spot, other: Spot, direction: Direction) -> int:
        """Return what is answered: replies go to the client's port, and the stage keeps no connections in mind."""
        back: Direction = "egress" if direction == "ingress" else "ingress"
        lists = self._lists(own, stage)
        if not lists:
            return self._points.all
        rules = [(each, rule) for each in lists for rule in each.rules if rule.direction == back]
        rules = [(each, rule) for each, rule in rules if self._matches(stage, each, rule, own, at, other)]
        rules.sort(key=lambda pair: _priority(pair[1]))
        found = 0
        for protocol, bits in self._points.by_protocol.items():
            number = _SOURCE_PORT if protocol in {"tcp", "udp", "sctp"} else 0 if protocol.startswith("icmp") else 47
            first = next((rule for _, rule in rules if number in getattr(rule.traffic, protocol)), None)
            verdict = stage.miss if first is None else first.verdict
            found |= 0 if verdict == "deny" else bits
        return found

    # Rules.

    def _matches(self, stage: Stage, rule_set: RuleSet, rule: Rule, own: Interface, at: Spot, other: Spot) -> bool:
        if rule.source_ports is not None and _SOURCE_PORT not in rule.source_ports:
            return False
        if not any(self._is_near(peer, own, at) for peer in rule.local):
            return False
        if not any(self._is_far(stage, rule, peer, own, other) for peer in rule.remote):
            return False
        return rule.exact or self._answer("rule", unplaced(rule_set.id), rule.id)

    def _is_near(self, peer: Peer, own: Interface, at: Spot) -> bool:
        if isinstance(peer, GroupRef):
            return self._belongs(peer, own)
        return self._bears(peer, at.address)

    def _is_far(self, stage: Stage, rule: Rule, peer: Peer, own: Interface, other: Spot) -> bool:
        bearer = self._estate.interfaces.get(other.interface)
        if isinstance(peer, GroupRef):
            return bearer is not None and self._belongs(peer, bearer)
        if not self._bears(peer, other.address):
            return False
        pods = bearer is not None and bearer.kind == "pod" and scope_of(bearer.id) == scope_of(own.id)
        if not pods or any(isinstance(each, Everyone) for each in rule.remote):
            return True
        if stage.ranges == "unknown":
            return self._answer("pods by their addresses", stage.name)
        return stage.ranges == "everywhere"

    def _belongs(self, peer: GroupRef, interface: Interface) -> bool:
        if peer.stale:
            return False
        group = self._estate.groups.get(peer.group)
        if group is None:
            return self._carries(interface, peer.group)
        return self._chosen(group.selector, interface)

    def _bears(self, peer: Peer, address: str) -> bool:
        match peer:
            case Everyone():
                return True
            case Addresses(addresses):
                return _has(addresses, address)
            case ListRef(name):
                known: AddressList | None = self._estate.address_lists.get(name)
                if known is None or known.prefixes is None:
                    return self._answer("list", name, address)
                return any(_within(address, cidr) for cidr in known.prefixes)
            case Names(names):
                return self._answer("names", *names, address)
            case Unresolved(variable=variable, within=within):
                return _has(within, address) and self._answer("unresolved", variable, address)
            case GroupRef():
                return False

    # Selectors.

    def _chosen(self, selector: Selector, interface: Interface) -> bool:
        match selector:
            case Everything():
                return True
            case Carries(identity):
                return self._carries(interface, identity)
            case InSubnets(subnets):
                return interface.subnet in subnets
            case InNetworks(networks):
                return interface.network in networks
            case Labelled():
                return _bears_label(selector, interface)
            case AllOf(parts):
                return all(self._chosen(part, interface) for part in parts)
            case AnyOf(parts):
                return any(self._chosen(part, interface) for part in parts)
            case NoneOf(parts):
                return not any(self._chosen(part, interface) for part in parts)

    def _carries(self, interface: Interface, identity: str) -> bool:
        if identity in interface.attached:
            return True
        exists = identity in self._today.groups or identity in self._today.rule_sets
        return interface.attached_unread and exists and self._answer("carries", interface.id, identity)

    def _answer(self, *question: str) -> bool:
        try:
            return self._answers[question]
        except KeyError:
            raise Unanswered(question) from None


class _Asking(dict[Question, bool]):
    """Answers that remember whether any was asked for."""

    def __init__(self, answers: Answers) -> None:
        super().__init__(answers)
        self.asked = False

    def __getitem__(self, question: Question) -> bool:
        self.asked = True
        return super().__getitem__(question)


def _priority(rule: Rule) -> int:
    return 0 if rule.priority is None else rule.priority


def _bears_label(asked: Labelled, interface: Interface) -> bool:
    there = asked.key in interface.labels
    tests: dict[str, Callable[[], bool]] = {
        "In": lambda: there and interface.labels[asked.key] in asked.values,
        "NotIn": lambda: not there or interface.labels[asked.key] not in asked.values,
        "Exists": lambda: there,
        "DoesNotExist": lambda: not there,
    }
    return tests[asked.operator]()


_NUMBERS: dict[str, int] = {}
_RANGES: dict[str, tuple[int, int, bool]] = {}


def _number(address: str) -> int:
    known = _NUMBERS.get(address)
    if known is None:
        known = _NUMBERS[address] = int(ipaddress.ip_address(address))
    return known


def _within(address: str, cidr: str) -> bool:
    known = _RANGES.get(cidr)
    if known is None:
        network = ipaddress.ip_network(cidr)
        known = _RANGES[cidr] = (int(network[0]), int(network[-1]), ":" in cidr)
    low, high, six = known
    return six == (":" in address) and low <= _number(address) <= high


def _has(addresses: AddressSet, address: str) -> bool:
    number = _number(address)
    spans = addresses.v6.intervals if ":" in address else addresses.v4.intervals
    return any(low <= number <= high for low, high in spans)
