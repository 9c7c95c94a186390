"""Sets of packets at one interface, and what a stage lets through of them.

A set of packets is a list of boxes, each the product of remote addresses and traffic. Boxes of one list never overlap.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import Addresses, Everyone, GroupRef, ListRef, Names, Unresolved
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, NO_TRAFFIC, AddressSet, IntervalSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.model import Direction, Estate, Interface, Peer, RangeMeaning, Rule, RuleSet, Stage

__all__ = [
    "Bounds",
    "Box",
    "Passed",
    "addresses_of",
    "common_addresses",
    "intersect",
    "names_everyone",
    "outside_addresses",
    "pass_stage",
    "range_meaning",
    "replied",
    "split_by_stage",
    "traffic_of",
]

# A client picks its port from 1024 up; which part of that depends on its system. Source:
# https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports
CLIENT_PORTS = IntervalSet(((1024, 65535),))
ANY_PORT = IntervalSet(((0, 65535),))
_ECHO_REQUEST, _ECHO_REPLY = IntervalSet(((8 << 8, (8 << 8) + 255),)), IntervalSet(((0, 0),))
_ECHO6_REQUEST, _ECHO6_REPLY = IntervalSet(((128 << 8, (128 << 8) + 255),)), IntervalSet(((129 << 8, 129 << 8),))


class Box(NamedTuple):
    """Every packet between these remote addresses and the interface that carries this traffic."""

    addresses: AddressSet
    traffic: Traffic


class Bounds(NamedTuple):
    """What certainly passes, and what passes at most. They differ only where something is unknown."""

    lower: tuple[Box, ...]
    upper: tuple[Box, ...]

    def bound(self, *, certain: bool) -> tuple[Box, ...]:
        """Return one of the bounds."""
        return self.lower if certain else self.upper


class Passed(NamedTuple):
    """What a stage lets through: what it hands on to the next one, and what it accepts for good."""

    on: tuple[Box, ...]
    accepted: tuple[Box, ...]


def addresses_of(boxes: Iterable[Box]) -> AddressSet:
    """Return the remote addresses of all the boxes."""
    total = NO_ADDRESSES
    for box in boxes:
        total |= box.addresses
    return total


def traffic_of(boxes: Iterable[Box]) -> Traffic:
    """Return the traffic of all the boxes."""
    total = NO_TRAFFIC
    for box in boxes:
        total |= box.traffic
    return total


def outside_addresses(peers: Iterable[Peer], estate: Estate) -> tuple[AddressSet, AddressSet]:
    """Return the addresses that peers stand for as seen from outside: the certain ones, and the most there can be.

    A group stands for none: it matches private addresses of its members only, never traffic from the internet.
    Source: https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html#security-group-referencing
    """
    lower = upper = NO_ADDRESSES
    for peer in peers:
        match peer:
            case Addresses(addresses) if not upper:
                # Nearly every rule names one range, and nothing else.
                lower = upper = addresses
            case Everyone():
                return ALL_ADDRESSES, ALL_ADDRESSES
            case Addresses(addresses):
                lower, upper = lower | addresses, upper | addresses
            case ListRef(name):
                known = estate.address_lists.get(name)
                listed = None if known is None else known.addresses
                lower = lower | (NO_ADDRESSES if listed is None else listed)
                upper = upper | (ALL_ADDRESSES if listed is None else listed)
            case GroupRef():
                pass
            case Names():
                upper = ALL_ADDRESSES
            case Unresolved(within=within):
                upper = upper | within
    return lower, upper


def range_meaning(peers: Iterable[Peer], stage: Stage, own: Interface, other: Interface) -> RangeMeaning:
    """Return whether the addresses that a rule of a stage names match the other end where it bears them.

    For pods of the same cluster it depends on the plugin of their network: some know pods by their identity alone, and
    packets may be rewritten before rules are asked. Whoever admits everyone admits pods as well. Source:
    https://kubernetes.io/docs/concepts/services-networking/network-policies/#behavior-of-to-and-from-selectors
    """
    together = other.is_pod and other.scope == own.scope
    return "everywhere" if not together or names_everyone(peers) else stage.ranges


def names_everyone(peers: Iterable[Peer]) -> bool:
    """Tell whether peers hold everyone, and not only every address."""
    return any(isinstance(peer, Everyone) for peer in peers)


def pass_stage(
    stage: Stage, rule_sets: Sequence[RuleSet], direction: Direction, boxes: Iterable[Box], estate: Estate
) -> Bounds:
    """Return what a stage lets through of packets between the outside and an interface that the rule sets judge.

    Args:
        stage: the stage; without a rule set that selects the interface it lets everything through.
        rule_sets: the rule sets of the stage that select the interface.
        direction: the direction of the packets, seen from the interface.
        boxes: the packets that arrive at the stage.
        estate: where address lists are looked up.
    """
    packets = tuple(boxes)
    rules = [rule for rule_set in rule_sets for rule in rule_set.rules if rule.direction == direction]
    parts = [split_by_stage(stage, rules if rule_sets else None, packets, estate, certain=c) for c in (True, False)]
    lower, upper = (part.on + part.accepted for part in parts)
    return Bounds(lower, upper)


def split_by_stage(
    stage: Stage, rules: Sequence[Rule] | None, packets: tuple[Box, ...], estate: Estate, *, certain: bool
) -> Passed:
    """Return what a stage hands to the next one, and what it accepts for good, of packets from or to the outside.

    Args:
        stage: the stage.
        rules: its rules that judge the interface in the direction of the packets; None where no list selects it.
        packets: what arrives at the stage.
        estate: where address lists are looked up.
        certain: what certainly passes; otherwise, what passes at most.
    """
    if rules is None:
        return Passed(packets, ())
    if stage.match == "first":
        ordered = sorted(rules, key=lambda rule: (rule.priority or 0, rule.allows))
        return _first_match(stage, ordered, packets, estate, certain=certain)
    return _any_match(stage, rules, packets, estate, certain=certain)


def _match(rule: Rule, estate: Estate, *, at_most: bool) -> Box:
    """Return what a rule matches: at most, or for sure."""
    least, most = outside_addresses(rule.remote, estate)
    if not at_most and not (rule.exact and rule.source_ports is None):
        return Box(NO_ADDRESSES, rule.traffic)
    return Box(most if at_most else least, rule.traffic)


def _first_match(
    stage: Stage, rules: Sequence[Rule], boxes: tuple[Box, ...], estate: Estate, *, certain: bool
) -> Passed:
    # For the lower bound an unknown acceptance is nothing and an unknown denial everything, for the upper the reverse.
    on: list[Box] = []
    accepted: list[Box] = []
    undecided = list(boxes)
    final = max((place for place, rule in enumerate(rules) if rule.verdict == "accept"), default=-1)
    for place, rule in enumerate(rules):
        if not undecided:
            break
        wavers = rule.verdict == "next" and place < final
        at_most = certain != rule.allows and not wavers
        matched, undecided = _split(undecided, _match(rule, estate, at_most=at_most))
        if rule.allows:
            (accepted if rule.verdict == "accept" else on).extend(matched)
        if wavers:
            # What may hand on may as well leave it to rules behind, of which some accept for good.
            perhaps, undecided = _split(undecided, _match(rule, estate, at_most=True))
            rest = _first_match(stage, rules[place + 1 :], tuple(perhaps), estate, certain=certain)
            on.extend(rest.on + rest.accepted if certain else (*rest.on, *_besides(perhaps, rest.on + rest.accepted)))
            accepted.extend(() if certain else rest.accepted)
    if stage.miss != "deny":
        on.extend(undecided)
    return Passed(tuple(on), tuple(accepted))


def _besides(boxes: list[Box], others: Iterable[Box]) -> list[Box]:
    """Return the part of boxes that lies in no other one."""
    for other in others:
        _, boxes = _split(boxes, other)
    return boxes


def _any_match(stage: Stage, rules: Sequence[Rule], boxes: tuple[Box, ...], estate: Estate, *, certain: bool) -> Passed:
    if stage.miss != "deny":
        return Passed(boxes, ())
    on: list[Box] = []
    accepted: list[Box] = []
    left = list(boxes)
    # What one rule accepts for good another need not hand on as well.
    for rule in sorted(rules, key=lambda rule: rule.verdict):
        if not left:
            break
        if rule.allows:
            matched, left = _split(left, _match(rule, estate, at_most=not certain))
            (accepted if rule.verdict == "accept" else on).extend(matched)
    return Passed(tuple(on), tuple(accepted))


def _split(boxes: Iterable[Box], by: Box) -> tuple[list[Box], list[Box]]:
    """Return the part of the boxes inside another box, and the part outside, as boxes that do not overlap."""
    inside: list[Box] = []
    outside: list[Box] = []
    for box in boxes:
        # Most boxes lie elsewhere, which the addresses tell by themselves.
        if not (addresses := common_addresses(box.addresses, by.addresses)) or not (
            traffic := _common_traffic(box.traffic, by.traffic)
        ):
            outside.append(box)
            continue
        inside.append(Box(addresses, traffic))
        if rest := box.addresses - addresses:
            outside.append(Box(rest, box.traffic))
        if other := box.traffic - traffic:
            outside.append(Box(addresses, other))
    return inside, outside


def intersect(boxes: Iterable[Box], by: Box) -> tuple[Box, ...]:
    """Return the part of the boxes that lies in another box."""
    return tuple(
        Box(addresses, traffic)
        for box in boxes
        if (addresses := common_addresses(box.addresses, by.addresses))
        and (traffic := _common_traffic(box.traffic, by.traffic))
    )


# Thousands of rules name the same few ranges and ports.
@lru_cache(maxsize=65536)
def common_addresses(one: AddressSet, other: AddressSet) -> AddressSet:
    """Return the addresses in both sets; answers are kept."""
    return one & other


@lru_cache(maxsize=65536)
def _common_traffic(one: Traffic, other: Traffic) -> Traffic:
    return one & other


def replied(
    boxes: Iterable[Box], stage: Stage, rule_sets: Sequence[RuleSet], direction: Direction, estate: Estate
) -> Bounds:
    """Return the packets whose replies a stateless stage lets back.

    A reply goes to the port that the client chose. Certain is what passes whatever port a client chooses from 1024 up;
    at most, what passes for some port: whoever attacks chooses the port that works. Of ICMP only echo has a reply.

    Args:
        boxes: the requests.
        stage: the stateless stage that the replies meet.
        rule_sets: its rule sets that select the interface.
        direction: the direction of the replies.
        estate: where address lists are looked up.
    """
    lower: list[Box] = []
    upper: list[Box] = []
    for box in boxes:
        answers = Traffic(
            tcp=ANY_PORT if box.traffic.tcp else IntervalSet(),
            udp=ANY_PORT if box.traffic.udp else IntervalSet(),
            sctp=ANY_PORT if box.traffic.sctp else IntervalSet(),
            icmp=_ECHO_REPLY if box.traffic.icmp.overlaps(_ECHO_REQUEST) else IntervalSet(),
            icmpv6=_ECHO6_REPLY if box.traffic.icmpv6.overlaps(_ECHO6_REQUEST) else IntervalSet(),
            other=box.traffic.other,
        )
        back = pass_stage(stage, rule_sets, direction, [Box(box.addresses, answers)], estate)
        lower.extend(_answered(box, back.lower, CLIENT_PORTS))
        upper.extend(_answered(box, back.upper, None))
    return Bounds(tuple(lower), tuple(upper))


def _answered(box: Box, back: tuple[Box, ...], needed: IntervalSet | None) -> list[Box]:
    """Return the part of a box whose answers are in ``back``: all the ``needed`` ports of them, or any port."""
    found: list[Box] = []
    for name in ("tcp", "udp", "sctp"):
        wanted: IntervalSet = getattr(box.traffic, name)
        if not wanted:
            continue
        for addresses, ports in _ports_by_address(box.addresses, back, name):
            if ports and (needed is None or needed <= ports):
                found.append(Box(addresses, Traffic(**{name: wanted})))
    silent = Traffic(icmp=box.traffic.icmp - _ECHO_REQUEST, icmpv6=box.traffic.icmpv6 - _ECHO6_REQUEST)
    if silent:
        found.append(Box(box.addresses, silent))
    for name, request in (("icmp", _ECHO_REQUEST), ("icmpv6", _ECHO6_REQUEST)):
        echo = getattr(box.traffic, name) & request
        found.extend(Box(b.addresses, Traffic(**{name: echo})) for b in back if echo and getattr(b.traffic, name))
    found.extend(Box(b.addresses, Traffic(other=b.traffic.other)) for b in back if b.traffic.other)
    return found


def _ports_by_address(
    addresses: AddressSet, boxes: tuple[Box, ...], protocol: str
) -> list[tuple[AddressSet, IntervalSet]]:
    """Return the ports of a protocol that the boxes hold, for each part of the addresses that they treat alike."""
    parts: list[tuple[AddressSet, IntervalSet]] = [(addresses, IntervalSet())]
    for box in boxes:
        ports: IntervalSet = getattr(box.traffic, protocol)
        if not ports:
            continue
        split: list[tuple[AddressSet, IntervalSet]] = []
        for part, known in parts:
            if inside := part & box.addresses:
                split.append((inside, known | ports))
            if outside := part - box.addresses:
                split.append((outside, known))
        parts = split
    return parts
