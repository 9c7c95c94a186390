"""Holds the engine against the oracle: every drawn packet of every drawn estate, both bounds.

The engine speaks of traffic between interfaces, the oracle of one packet between addresses. Traffic between two
interfaces passes when it does between any two of their addresses, the public ones of the called end among them. The
engine's lower bound is what passes whatever port the client chooses, from 1024 on, and its upper bound what passes for
one port at least, be it below 1024. The oracle is asked for the ports at which a network ACL may change its mind, which
decides both.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, Protocol

from cloudseg.providers.aws.operations import OPERATIONS
from cloudseg.providers.aws.translate import translate
from cloudseg.snapshot import Manifest, Part, ScopeRead, Snapshot
from cloudseg.traffic import AddressSet, Traffic
from tests.oracle.aws import passes_in
from tests.oracle.packet import ICMP, ICMPV6, TCP, UDP, Packet
from tests.oracle.packets import edges
from tests.oracle.places import address_of, is_public
from tests.oracle.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.model import Estate
    from tests.oracle.packet import Decision, End
    from tests.oracle.records import Answers, Read

__all__ = ["Disagreement", "Harness", "disagreements", "estate_of", "traffic_of"]


class _Bounds(Protocol):
    @property
    def lower(self) -> Traffic: ...
    @property
    def upper(self) -> Traffic: ...


class _Engine(Protocol):
    def between(self, source: str | AddressSet, target: str | AddressSet, /) -> _Bounds: ...


class Disagreement(NamedTuple):
    """One connection on which engine and oracle differ.

    ``what`` is "missed" (the oracle passes it, the engine's upper bound does not have it), "over-told" (the lower
    bound has it, the oracle refuses it for some client port), "loose above" (the upper bound has it, the oracle
    refuses it for every port) or "loose below" (the oracle passes it for every port, the lower bound lacks it).
    """

    what: str
    packet: Packet
    oracle: tuple[str, ...]
    lower: bool
    upper: bool


class Harness:
    """One estate, read by both."""

    def __init__(self, answers: Answers, engine: _Engine | None = None) -> None:
        self.read: Read = read(answers)
        estate = estate_of(answers)
        if engine is None:
            from cloudseg.reach.reachability import Reachability

            engine = Reachability(estate)
        self.engine = engine
        self.estate = estate
        self.names = {interface.own_id: interface.id for interface in estate.interfaces.values()}
        self.ports = edges(self.read)
        self.asked = Counter[str]()
        """How the oracle decided about the drawn packets."""
        self.expanded = 0
        """How many more packets it was asked about, for other ports and addresses of the same ends."""

    def disagreements(
        self, packets: Iterable[Packet], *, tight: bool = True, thorough: bool = False
    ) -> Iterator[Disagreement]:
        """Compare packet by packet.

        ``tight`` asks that the bounds be no wider than client ports make them. Where a packet itself agrees with both
        bounds, the other ports and addresses of its ends are left to other draws, unless ``thorough`` asks for them.
        """
        for packet in packets:
            found = self._compare(packet, tight=tight, thorough=thorough)
            if found is not None:
                yield found

    def _compare(self, packet: Packet, *, tight: bool, thorough: bool) -> Disagreement | None:
        verdict = self.engine.between(self._end(packet.source), self._end(packet.destination))
        traffic = traffic_of(packet)
        lower, upper = traffic <= verdict.lower, traffic <= verdict.upper
        decision = passes_in(self.read, packet)
        self.asked[decision.by] += 1
        if lower == upper == decision.passes and not thorough:
            return None
        every, some, certain, stages = self.oracle(packet)
        what = ""
        if some and not upper:
            what = "missed"
        elif lower and not every:
            what = "over-told"
        elif tight and certain and upper and not some:
            what = "loose above"
        elif tight and certain and every and not lower:
            what = "loose below"
        return Disagreement(what, packet, stages, lower, upper) if what else None

    def oracle(self, packet: Packet) -> tuple[bool, bool, bool, tuple[str, ...]]:
        """Whether the traffic passes for every client port, for some, whether that is certain, and what decided."""
        every = some = False
        certain = True
        stages: set[str] = set()
        for source, target in self._addresses(packet):
            decisions = [*self._decisions(packet._replace(source=source, destination=target))]
            every = every or all(each.passes for usual, each in decisions if usual)
            some = some or any(each.passes for _, each in decisions)
            certain = certain and all(each.certain for _, each in decisions)
            # Beyond a NAT gateway the engine follows the ways to the internet; of the others it says "at most".
            certain = certain and not (decisions[0][1].translated and not is_public(address_of(target.address)))
            stages |= {each.by for _, each in decisions}
        return every, some, certain, tuple(sorted(stages))

    def _decisions(self, packet: Packet) -> Iterator[tuple[bool, Decision]]:
        """What the oracle says for each port of the client and the NAT gateway, and whether the client's is usual."""
        first = passes_in(self.read, packet._replace(source_port=49152, nat_port=49152))
        self.expanded += 1
        yield True, first
        if packet.protocol not in {TCP, UDP} or first.by not in {"delivered", "reply acl"}:
            return
        for port in self.ports:
            # NAT gateways use the ports from 1024 on: https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html
            for nat_port in [each for each in self.ports if each >= 1024] if first.translated else [49152]:
                decision = passes_in(self.read, packet._replace(source_port=port, nat_port=nat_port))
                self.expanded += 1
                yield port >= 1024, decision

    def _addresses(self, packet: Packet) -> Iterator[tuple[End, End]]:
        """Every pair of addresses of one family that the two ends have; protocols are numbers in both families."""
        for source in self._ends(packet.source, called=False):
            for target in self._ends(packet.destination, called=True):
                if (":" in source.address) == (":" in target.address):
                    yield source, target

    def _ends(self, end: End, *, called: bool) -> list[End]:
        """The addresses that an interface sends from, and those that it is ``called`` by, public ones among them."""
        if not end.interface:
            return [end]
        own = next(each for each in self.read.interfaces if each.id == end.interface)
        found = [address.private for address in own.addresses]
        if called:
            found += [address.public for address in own.addresses if address.public is not None]
        return [end._replace(address=str(address)) for address in found]

    def _end(self, end: End) -> str | AddressSet:
        return self.names[end.interface] if end.interface else AddressSet.parse(end.address)


def disagreements(answers: Answers, packets: Iterable[Packet], *, tight: bool = True) -> list[Disagreement]:
    """Compare the engine and the oracle on packets of one estate."""
    return list(Harness(answers).disagreements(packets, tight=tight))


def traffic_of(packet: Packet) -> Traffic:
    """The packet as the engine names it."""
    if packet.protocol in {TCP, UDP}:
        return Traffic.ports(packet.protocol, packet.port, packet.port)
    if packet.protocol in {ICMP, ICMPV6}:
        version = 4 if packet.protocol == ICMP else 6
        return Traffic.icmp_type(packet.port // 256, packet.port % 256, version)
    if packet.protocol == 132:
        return Traffic.ports(132, packet.port, packet.port)
    return Traffic.protocol(packet.protocol)


def estate_of(answers: Answers) -> Estate:
    """Translate raw answers; every operation that is not among them is answered with nothing."""
    places = {place[:2] for place in answers}
    parts: dict[Part, object] = {}
    for account, region in sorted(places):
        for operation in OPERATIONS:
            where = region if operation.region == "regional" else "global"
            if operation.per is None:
                empty: object = {"Items": []} if operation.name == "list_vpc_origins" else []
                parts[Part("aws", account, where, operation.service, operation.name)] = {operation.key: empty}
        off = {"InternetGatewayBlockMode": "off", "State": "default-state"}
        parts[Part("aws", account, region, "ec2", "describe_vpc_block_public_access_options")] = {
            "VpcBlockPublicAccessOptions": off
        }
        closed = dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        )
        block = {"PublicAccessBlockConfiguration": closed}
        parts[Part("aws", account, "global", "s3control", "get_public_access_block")] = block
    for place, answer in answers.items():
        account, region, service, operation_name, *rest = place
        parts[Part("aws", account, region, service, operation_name, rest[0] if rest else None)] = answer
    scopes = tuple(
        ScopeRead(
            "aws", account, tuple(sorted(place[1] for place in places if place[0] == account)),
            f"arn:aws:iam::{account}:role/audit",
        )
        for account in sorted({place[0] for place in places})
    )  # fmt: skip
    return translate(Snapshot.of(parts, Manifest("2026-01-15T12:00:00Z", "cloudseg", scopes)))
