"""The second opinion: single packets that the naive evaluator walks through lists, and what the ledger says of them.

Packets are drawn around what the plan changes: the ends of its rules, the members of its groups, the ports at the edges
of what it names. They are the same for the same plan.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.model import Addresses, GroupRef
from cloudseg.model.edits import AddRule, AddRuleSet, Attach, Detach, RemoveRule, RemoveRuleSet, SetLabel
from cloudseg.plan.naive import Evaluator, Party, Sent
from cloudseg.plan.proving.claims import Packet, Problem
from cloudseg.traffic import AddressSet, IntervalSet, Traffic
from cloudseg.traffic.cidr import address_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.model import Direction, Edit, Estate, Interface, Peer, Rule
    from cloudseg.plan.proving.claims import Gain, Loss
    from cloudseg.plan.proving.ledger import Ledger
    from cloudseg.plan.proving.touched import Touched

__all__ = ["SecondOpinion"]

_PACKETS: Final = 200
"""So many packets are drawn for each state."""
_OTHERS: Final = Traffic.parse("tcp/1-65535, udp/1-65535, icmp/8, icmpv6/128")


class _Drawn(NamedTuple):
    """A packet, with the end whose lists are asked."""

    sent: Sent
    near: str
    direction: Direction


class SecondOpinion:
    """Asks the naive evaluator.

    Args:
        ledger: what lists let through, in the states that are compared.
        touched: what the plan touches.
        changes: the edits of each change, in order.
        seed: what the packets are drawn from.
    """

    def __init__(self, ledger: Ledger, touched: Touched, changes: Sequence[Sequence[Edit]], seed: str) -> None:
        self._ledger = ledger
        self._touched = touched
        self._random = random.Random(seed)  # noqa: S311 - packets to try, no secret
        self._evaluators = [Evaluator(state) for state in ledger.states]
        self._rules = [rule for edits in changes for edit in edits for rule in self._rules_of(edit)]
        moved = {edit.interface for edits in changes for edit in edits if isinstance(edit, Attach | Detach | SetLabel)}
        self._moved = sorted(moved)
        self._ends = [name for name in touched.near if ledger.states[0].interfaces[name].addresses]
        self._every = [name for name, each in sorted(ledger.states[0].interfaces.items()) if each.addresses]
        self.packets = 0

    def _rules_of(self, edit: Edit) -> Iterator[Rule]:
        match edit:
            case AddRule(_, rule):
                yield rule
            case AddRuleSet(rule_set):
                yield from rule_set.rules[:_PACKETS]
            case RemoveRule(name, identifier):
                for state in self._ledger.states:
                    held = state.rule_sets.get(name)
                    yield from (rule for rule in (() if held is None else held.rules) if rule.id == identifier)
            case RemoveRuleSet(name):
                held = self._ledger.states[0].rule_sets.get(name)
                yield from () if held is None else held.rules[:_PACKETS]
            case _:
                pass

    def problems(self, number: int, gains: Iterable[Gain], losses: Iterable[Loss]) -> Iterator[Problem]:
        """Yield packets of which the two evaluators say different things.

        Args:
            number: the number of the later state.
            gains: what it gains; their witnesses are asked about, too.
            losses: what it loses; likewise.
        """
        for drawn in (*self._of_claims(number, gains, losses), *self._drawn()):
            self.packets += 1
            for each in (0, number):
                reason = self._compared(each, drawn)
                if reason:
                    yield self._problem(drawn, reason)
                    break

    def _compared(self, number: int, drawn: _Drawn) -> str:
        """Return in what the evaluators differ about a packet in a state; empty where they agree."""
        ledger, state = self._ledger, self._ledger.states[number]
        sent = self._in_state(drawn.sent, state)
        told = self._evaluators[number].at(sent, drawn.direction, stateless=False)
        far = sent.source if drawn.direction == "ingress" else sent.target
        column = self._column(far)
        if column is None:
            return ""
        both = ledger.let_through(number, drawn.near, drawn.direction)
        bits = ledger.overlapping(sent.traffic)
        certain = [bool((band.lower[:, column] & bits).any()) for band in both]
        perhaps = [bool((band.upper[:, column] & bits).any()) for band in both]
        if told == "stopped" and all(certain):
            return "the lists let it through, and walked rule by rule they stop it"
        if told == "passes" and not any(perhaps):
            return "the lists stop it, and walked rule by rule they let it through"
        return ""

    @staticmethod
    def _in_state(sent: Sent, state: Estate) -> Sent:
        """Return a packet with its ends as they are in a state."""
        parties = [
            party if party.interface is None else party._replace(interface=state.interfaces[party.interface.id])
            for party in (sent.source, sent.target)
        ]
        return Sent(parties[0], parties[1], sent.traffic)

    def _column(self, party: Party) -> int | None:
        """Return the column of an end of which both its address and who it is are known."""
        ledger = self._ledger
        columns = ledger.columns
        runs = ledger.line.runs(party.address)
        if len(runs) != 1:
            return None
        position = runs[0][0]
        if party.interface is None:
            return columns.faces + position
        faces = columns.of_class[columns.class_of[party.interface.id]]
        return next((face for face in faces if columns.span(face) == (position, position)), None)

    def _problem(self, drawn: _Drawn, reason: str) -> Problem:
        packet = _packet(drawn.sent)
        return Problem(
            kind="disagreement",
            reason=f"the two evaluators disagree about {packet}: {reason}",
            witness=packet,
            blamed=self._touched.changes.get(drawn.near, ()),
        )

    def _of_claims(self, number: int, gains: Iterable[Gain], losses: Iterable[Loss]) -> Iterator[_Drawn]:
        """Yield the witnesses of claims that are about ends which the plan touches."""
        interfaces = self._ledger.states[number].interfaces
        claims: tuple[Gain | Loss, ...] = (*gains, *losses)
        for claim in claims:
            packet = claim.witness
            if not (packet.source_address and packet.target_address):
                continue
            source, target = (
                Party(interfaces.get(name), AddressSet.parse(address))
                for name, address in (
                    (packet.source, packet.source_address),
                    (packet.target, packet.target_address),
                )
            )
            sent = Sent(source, target, packet.traffic)
            if packet.source in self._touched.near:
                yield _Drawn(sent, packet.source, "egress")
            if packet.target in self._touched.near:
                yield _Drawn(sent, packet.target, "ingress")

    def _drawn(self) -> Iterator[_Drawn]:
        """Yield packets around what the plan changes."""
        for _ in range(_PACKETS if self._ends else 0):
            name = self._random.choice(self._ends)
            direction = self._random.choice(sorted(self._touched.near[name]))
            rule = self._random.choice(self._rules) if self._rules else None
            own = self._party(self._ledger.states[0].interfaces[name])
            version = 4 if own.address.v4 else 6
            other = self._other(rule, version)
            traffic = self._packet_of(rule.traffic if rule is not None and self._random.random() < 0.8 else _OTHERS)
            if other is None or not traffic or (other.interface is not None and other.interface.id == name):
                continue
            sides = (other, own) if direction == "ingress" else (own, other)
            yield _Drawn(Sent(*sides, traffic), name, direction)

    def _party(self, interface: Interface, version: int | None = None) -> Party:
        """Return an interface under one of its addresses, of a family where it has one."""
        own = interface.addresses
        numbers = {4: own.v4, 6: own.v6}
        chosen = version if version is not None and numbers[version] else 4 if own.v4 else 6
        return Party(interface, _one(chosen, numbers[chosen].intervals[0][0]))

    def _other(self, rule: Rule | None, version: int) -> Party | None:
        """Return another end: one that a changed rule names, one that joins or leaves a group, or any at all."""
        state = self._ledger.states[-1]
        dice = self._random.random()
        if self._moved and dice < 0.3:
            return self._party(state.interfaces[self._random.choice(self._moved)], version)
        if rule is not None and rule.remote and dice < 0.8:
            found = self._named(self._random.choice(rule.remote), version, state)
            if found is not None:
                return found
        return self._party(state.interfaces[self._random.choice(self._every)], version)

    def _named(self, peer: Peer, version: int, state: Estate) -> Party | None:
        if isinstance(peer, GroupRef):
            members = [each for each in state.members(peer.group) if each.addresses]
            return self._party(self._random.choice(members), version) if members else None
        if not isinstance(peer, Addresses):
            return None
        numbers = peer.addresses.v4 if version == 4 else peer.addresses.v6
        if not numbers:
            return None
        first, last = self._random.choice(numbers.intervals)
        # Just inside and just outside of a range most mistakes are made.
        edge = self._random.choice((first, last, first - 1, last + 1, self._random.randint(first, last)))
        return Party(None, _one(version, min(max(edge, 0), (1 << (32 if version == 4 else 128)) - 1)))

    def _packet_of(self, traffic: Traffic) -> Traffic:
        """Return one packet of some traffic, or of what lies just beside it."""
        kinds = [kind for kind in ("tcp", "udp", "sctp", "icmp", "icmpv6", "other") if getattr(traffic, kind)]
        if not kinds:
            return traffic
        kind = self._random.choice(kinds)
        numbers: IntervalSet = getattr(traffic, kind)
        first, last = self._random.choice(numbers.intervals)
        if kind in {"tcp", "udp", "sctp"}:
            port = self._random.choice((first, last, first - 1, last + 1, self._random.randint(first, last)))
            port = min(max(port, 0), 65535)
            return Traffic.ports(kind, port, port)
        number = self._random.randint(first, last)
        if kind == "other":
            return Traffic.protocol(number)
        return Traffic.icmp_type(number // 256, number % 256, 4 if kind == "icmp" else 6)


def _one(version: int, number: int) -> AddressSet:
    return AddressSet.parse(address_text(version, number))


def _packet(sent: Sent) -> Packet:
    source, target = sent.source, sent.target
    return Packet(
        source="" if source.interface is None else source.interface.id,
        source_address=str(source.address),
        target="" if target.interface is None else target.interface.id,
        target_address=str(target.address),
        traffic=sent.traffic,
    )
