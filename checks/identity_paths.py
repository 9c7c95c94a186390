"""Where a group can stand in for addresses: the addresses from which packets arrive with their identity intact.

A reference to a group matches the private addresses of its members in the same network, in a peered network of the
same region, and for ingress over a transit gateway that was told to allow it. It matches nothing where an appliance,
a translation of addresses or another region lies between.
Source: https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html#security-group-referencing
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.reach.roads.routing import NextHop, next_hops
from cloudseg.traffic import NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from cloudseg.model import Direction, Estate, Network, Peering, RouteTable, RuleSet, Subnet, TransitAttachment

__all__ = ["Ground", "IdentityPaths"]

_KEEPS_IDENTITY: Final = frozenset(("local", "peering", "transit-gateway"))


class Ground(NamedTuple):
    """What a rule set's peers can be, network by network.

    Attributes:
        holds: addresses of each network from which identity holds, by the network's id.
        broken: addresses from which it does not hold, with the reason.
        certain: every route that decides was read.
    """

    holds: tuple[tuple[str, AddressSet], ...]
    broken: tuple[tuple[AddressSet, str], ...]
    certain: bool

    @property
    def inside(self) -> AddressSet:
        """Every address of the networks that the rule set is connected to, whether identity holds there or not."""
        total = NO_ADDRESSES
        for _, addresses in self.holds:
            total |= addresses
        for addresses, _ in self.broken:
            total |= addresses
        return total


class _Step(NamedTuple):
    """What the routes of one subnet lead to: addresses by network, addresses without identity; whether all is known."""

    holds: dict[str, AddressSet]
    broken: list[tuple[AddressSet, str]]
    certain: bool = True


class IdentityPaths:
    """Works out the ground of rule sets; answers are kept for each subnet, and for rule sets of the same subnets."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._grounds: dict[tuple[frozenset[str], frozenset[str], Direction], Ground] = {}
        self._by_rule_set: dict[tuple[str, Direction], Ground] = {}
        self._alike: dict[Ground, Ground] = {}
        self._steps: dict[tuple[str, Direction], _Step] = {}
        self._arrivals: dict[tuple[str, str], tuple[tuple[AddressSet, str], ...]] = {}
        self._hops: dict[str, tuple[NextHop, ...]] = {}

    def ground(self, rule_set: RuleSet, direction: Direction) -> Ground:
        """Return where the peers of a rule set's rules can be named by identity; equal grounds are one object."""
        if (rule_set.id, direction) in self._by_rule_set:
            return self._by_rule_set[rule_set.id, direction]
        governed = self._estate.governed(rule_set)
        homes = {interface.network for interface in governed if interface.network is not None}
        if rule_set.network is not None:
            homes.add(rule_set.network)
        if (group := self._estate.groups.get(rule_set.id)) is not None:
            homes.update(group.networks)
        subnets = frozenset(interface.subnet for interface in governed if interface.subnet is not None)
        key = (frozenset(homes), subnets, direction)
        if key not in self._grounds:
            # Most subnets route alike, so rule sets of different subnets share one ground.
            ground = self._work_out(*key)
            self._grounds[key] = self._alike.setdefault(ground, ground)
        self._by_rule_set[rule_set.id, direction] = self._grounds[key]
        return self._grounds[key]

    def _work_out(self, homes: frozenset[str], subnets: frozenset[str], direction: Direction) -> Ground:
        holds: dict[str, AddressSet] = {}
        broken: dict[tuple[AddressSet, str], None] = {}
        certain = True
        for home in sorted(homes):
            network = self._estate.networks.get(home)
            if network is None:
                certain = False
                continue
            every = self._estate.subnets_in(home)
            here = [subnet for subnet in every if subnet.id in subnets]
            steps = [self._leaving(network, subnet, direction) for subnet in here or every]
            for step in steps or [_Step({home: network.addresses}, [])]:
                certain = certain and step.certain
                for other, addresses in step.holds.items():
                    _add(holds, other, addresses)
                # What nobody carries yet stands in no subnet, so no subnet's detours count against it.
                broken.update(dict.fromkeys(step.broken if here else ()))
            for subnet in here:
                for other in sorted(holds):
                    broken.update(dict.fromkeys(self._arriving(subnet, other)))
        lost = NO_ADDRESSES
        for addresses, _ in broken:
            lost |= addresses
        kept = ((network, addresses - lost) for network, addresses in sorted(holds.items()))
        return Ground(tuple((network, addresses) for network, addresses in kept if addresses), tuple(broken), certain)

    def _leaving(self, network: Network, subnet: Subnet, direction: Direction) -> _Step:
        """Return what a subnet's routes lead to."""
        key = (subnet.id, direction)
        if key not in self._steps:
            table = self._estate.route_table_of(subnet)
            self._steps[key] = (
                self._unrouted(network) if table is None else self._routed(network, self._hops_of(table), direction)
            )
        return self._steps[key]

    def _unrouted(self, network: Network) -> _Step:
        step = _Step({network.id: network.addresses}, [], certain=False)
        for _, peering in sorted(self._estate.peerings.items()):
            self._over_peering(network, peering, None, step)
        return step

    def _routed(self, network: Network, hops: tuple[NextHop, ...], direction: Direction) -> _Step:
        step = _Step({}, [])
        for hop in hops:
            if not hop.route.active:
                continue
            match hop.route.kind:
                case "local":
                    _add(step.holds, network.id, hop.addresses & network.addresses)
                case _ if network.groups_by_address and (own := hop.addresses & network.addresses):
                    # By whatever way packets come, they bear the address for which the group stands.
                    _add(step.holds, network.id, own)
                case "peering":
                    if (peering := self._estate.peerings.get(hop.route.target or "")) is not None:
                        self._over_peering(network, peering, hop.addresses, step)
                case "transit-gateway":
                    self._over_transit(network, hop, direction, step)
                case _:
                    if hop.certain and (through := hop.addresses & network.addresses):
                        step.broken.append((through, f"the way there leads through {_name(hop)}"))
        return step

    def _over_peering(self, network: Network, peering: Peering, reached: AddressSet | None, step: _Step) -> None:
        if not peering.active or network.id not in peering.networks:
            return
        other = next((n for n in peering.networks if n != network.id), network.id)
        peer = self._estate.networks.get(other)
        if peer is None:
            return
        addresses = (peer.addresses if reached is None else peer.addresses & reached) - network.addresses
        if network.groups_by_address:
            # The groups at both ends of a rule have their members in one virtual network. Source:
            # https://learn.microsoft.com/azure/virtual-network/application-security-groups
            step.broken.append((addresses, f"{peer.label} is another network, whose groups have no place here"))
        elif len(set(peering.regions)) == 1:
            _add(step.holds, other, addresses)
        elif addresses:
            step.broken.append((addresses, f"{peer.label} is peered from another region"))

    def _over_transit(self, network: Network, hop: NextHop, direction: Direction, step: _Step) -> None:
        attachments = self._attachments.get(hop.route.target or "", ())
        gateway = self._estate.gateways.get(hop.route.target or "")
        own = [attachment for attachment in attachments if attachment.network == network.id]
        shared = gateway is not None and gateway.shares_groups and all(attachment.shares_groups for attachment in own)
        for attachment in attachments:
            peer = self._estate.networks.get(attachment.network or "")
            if peer is None or peer.id == network.id or not (addresses := peer.addresses & hop.addresses):
                continue
            if direction == "ingress" and shared and attachment.shares_groups and peer.region == network.region:
                _add(step.holds, peer.id, addresses)
            else:
                why = f"{peer.label} is behind a transit gateway, over which no group can be named here"
                step.broken.append((addresses, why))

    @cached_property
    def _attachments(self) -> dict[str, tuple[TransitAttachment, ...]]:
        found: dict[str, tuple[TransitAttachment, ...]] = {}
        for _, attachment in sorted(self._estate.transit_attachments.items()):
            if attachment.active and attachment.network is not None:
                found[attachment.gateway] = (*found.get(attachment.gateway, ()), attachment)
        return found

    def _arriving(self, subnet: Subnet, network: str) -> tuple[tuple[AddressSet, str], ...]:
        """Return the subnets of a network whose own routes lead here through something that takes identity away."""
        key = (subnet.id, network)
        known = self._estate.networks.get(network)
        if known is not None and known.groups_by_address:
            return ()
        if key not in self._arrivals:
            self._arrivals[key] = tuple(
                (other.addresses, f"the way from {other.label} leads through {_name(hop)}")
                for other in self._estate.subnets_in(network)
                if other.id != subnet.id and (table := self._estate.route_table_of(other)) is not None
                for hop in self._hops_of(table)
                if hop.route.active and hop.certain and hop.route.kind not in _KEEPS_IDENTITY
                if hop.addresses.overlaps(subnet.addresses)
            )
        return self._arrivals[key]

    def _hops_of(self, table: RouteTable) -> tuple[NextHop, ...]:
        if table.id not in self._hops:
            self._hops[table.id] = next_hops(table, self._estate)
        return self._hops[table.id]


def _add(holds: dict[str, AddressSet], network: str, addresses: AddressSet) -> None:
    if addresses:
        holds[network] = holds.get(network, NO_ADDRESSES) | addresses


def _name(hop: NextHop) -> str:
    return hop.route.kind if hop.route.target is None else hop.route.target.rsplit(":", 1)[-1]
