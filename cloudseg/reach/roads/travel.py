"""Packets on their way: where they are, where they go, and what has become of them so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from cloudseg.model import shown_id
from cloudseg.reach.roads.leg import Checkpoint, Hop, Leg, route_text

if TYPE_CHECKING:
    from cloudseg.model import InternetBlock, Network, Route, Subnet
    from cloudseg.reach.roads.leg import End, Handing
    from cloudseg.traffic import AddressSet

__all__ = ["Way"]

_OUTSIDE = frozenset(("internet", "private", "service"))
_UNEVEN = "answers pass a firewall that the packets do not"


class Way(NamedTuple):
    """Packets on their way, with all that a leg will tell of them.

    Attributes:
        addresses: their destinations.
        network: the network whose routes decide next.
        subnet: the subnet that they are in; None where they are in none, or in one that was not read.
        home: qualified id of the network that the address belongs to which stands as their source.
        blocks: what is cut off from the internet of the subnets of ``network`` that they passed; the last one decides.
        leaves: they came into ``subnet`` on their way, and cross its boundary when they leave it.
        seen_as: as in :class:`Leg`.
        public: a public address of a NAT gateway stands for them.
        zones: the zones in which ``network`` hands them out, straight from where they are.
        start: qualified id of the subnet of the address that stands as their source; None where that is not known.
        returns: as in :class:`Leg`.
        inspectors: as in :class:`Leg`.
        screens: as in :class:`Leg`.
        answered: those of the inspectors that answers are known to pass as well.
        uneven: why answers may not pass the same firewalls, in words; empty where nothing speaks for it.
        probing: they stand for answers, whose own answers nobody asks about.
        tables: the tables that decided so far.
    """

    addresses: AddressSet
    network: Network
    subnet: Subnet | None
    home: str
    blocks: tuple[InternetBlock, ...] = ()
    leaves: bool = False
    seen_as: tuple[str, ...] | None = None
    public: bool = False
    zones: frozenset[str] | None = None
    certain: bool = True
    egress_groups: bool = True
    ingress_groups: bool = True
    checkpoints: tuple[Checkpoint, ...] = ()
    start: str | None = None
    returns: Literal["", Handing] = ""
    inspectors: frozenset[str] = frozenset()
    screens: frozenset[str] = frozenset()
    answered: frozenset[str] = frozenset()
    uneven: str = ""
    probing: bool = False
    tables: tuple[str, ...] = ()
    hops: tuple[Hop, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def at_home(self) -> bool:
        """Whether the address that stands as their source belongs to the network that they are in."""
        return self.home == self.network.id

    def to(self, addresses: AddressSet) -> Way:
        """Return those of the packets that go to these addresses."""
        return self._replace(addresses=self.addresses & addresses)

    def doubted(self, *doubts: str) -> Way:
        """Return the packets as going on at most, for reasons in words; without a reason as they are."""
        new = tuple(doubt for doubt in doubts if doubt and doubt not in self.doubts)
        return self._replace(certain=self.certain and not any(doubts), doubts=self.doubts + new)

    def stepped(self, kind: str, table: str, route: Route) -> Way:
        """Return the packets with one more step told, that a route of a table decides."""
        return self._replace(hops=(*self.hops, Hop(kind, table, route, route.target, route_text(route))))

    def left(self, back: tuple[str, ...] | None = None) -> Way:
        """Return the packets out of the subnet that they are in.

        Args:
            back: what answers cross in place of its boundary, as in :class:`Checkpoint`.
        """
        if not self.leaves or self.subnet is None:
            return self
        out = Checkpoint(self.subnet.id, "egress", "destination", self.seen_as, back=back)
        return self._replace(leaves=False, checkpoints=(*self.checkpoints, out))

    def entered(self, subnet: Subnet) -> Way:
        """Return the packets in a subnet of the same network, to what stands there; across no boundary if in it."""
        if self.subnet is not None and self.subnet.id == subnet.id:
            return self._replace(zones=None)
        inward = Checkpoint(subnet.id, "ingress", "source", self.seen_as)
        return self.left()._replace(
            subnet=subnet,
            leaves=True,
            zones=None,
            checkpoints=(*self.left().checkpoints, inward),
            blocks=(*self.blocks, subnet.internet_block),
        )

    def behind_middlebox(self) -> Way:
        """Return the packets behind an appliance, where named groups match nobody.

        Unless groups are a short way to write the addresses of their members. Sources:
        https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html and
        https://learn.microsoft.com/azure/virtual-network/application-security-groups
        """
        if self.network.groups_by_address:
            return self
        return self._replace(egress_groups=False, ingress_groups=False)

    def ends(self, end: End, network: str | None = None, *, needs_public: bool = False) -> list[Leg]:
        """Return the leg of the packets, which come out here; none where there are no packets."""
        if not self.addresses:
            return []
        # Elsewhere inside, the legs of those who answer tell.
        told = end in _OUTSIDE or (end == "network" and self.seen_as is not None)
        if told and self.certain and (self.unanswered or self.uneven):
            doubted = self.doubted(self.uneven or self._uneven())
            return [leg._replace(uneven=True) for leg in doubted.ends(end, network, needs_public=needs_public)]
        leg = Leg(
            self.addresses,
            end,
            network,
            zones=self.zones if end == "network" else None,
            certain=self.certain,
            egress_groups=self.egress_groups,
            ingress_groups=self.ingress_groups,
            seen_as=self.seen_as,
            needs_public=needs_public,
            checkpoints=self.left().checkpoints,
            from_subnets=self._handed_from(end),
            returns=self.returns,
            inspectors=self.inspectors,
            screens=self.screens,
            hops=self.hops,
            doubts=self.doubts,
        )
        return [leg]

    @property
    def unanswered(self) -> frozenset[str]:
        """The firewalls that the packets passed, and answers are not known to pass; none for answers themselves."""
        return frozenset() if self.probing else self.inspectors - self.answered

    def answered_by(self, inspectors: frozenset[str]) -> Way:
        """Return the packets with what is known of answers: which firewalls these pass on their way back so far.

        A firewall that sees half a connection may drop the rest of it. Source:
        https://docs.aws.amazon.com/network-firewall/latest/developerguide/asymmetric-routing.html
        """
        if self.probing or inspectors == self.unanswered:
            return self._replace(answered=self.inspectors)
        return self._replace(answered=self.inspectors, uneven=self.uneven or self._uneven())

    def _uneven(self) -> str:
        """Return in words that answers may not pass the firewalls that the packets passed."""
        names = ", ".join(sorted(shown_id(name) for name in self.unanswered))
        return f"whether answers come back through {names} is not known" if names else _UNEVEN

    def _handed_from(self, end: End) -> frozenset[str] | None:
        """Return the subnets out of one of which packets are handed to their destination; None where any may be it."""
        if end == "unknown":
            return None
        return frozenset((self.subnet.id,)) if self.leaves and self.subnet is not None else frozenset()

    def before(self, leg: Leg) -> Leg:
        """Return a leg that goes on from where the packets are, with all that became of them before."""
        return leg._replace(
            certain=leg.certain and self.certain,
            egress_groups=leg.egress_groups and self.egress_groups,
            ingress_groups=leg.ingress_groups and self.ingress_groups,
            checkpoints=self.checkpoints + leg.checkpoints,
            returns=self.returns or leg.returns,
            inspectors=self.inspectors | leg.inspectors,
            screens=self.screens | leg.screens,
            hops=self.hops + leg.hops,
            doubts=tuple(dict.fromkeys(self.doubts + leg.doubts)) if self.doubts else leg.doubts,
        )

    def dropped(self, reason: str) -> list[Leg]:
        """Return the leg of the packets, which are dropped here."""
        return [leg._replace(replies=False, stopped=reason) for leg in self.ends("nowhere")]

    def lost(self, doubt: str) -> list[Leg]:
        """Return the leg of the packets, of which nobody knows where they come out, nor as whose."""
        return self.doubted(doubt).astray()._replace(seen_as=()).ends("unknown")

    def astray(self) -> Way:
        """Return the packets where nobody knows what takes them on: a gateway may hand the answers out at the source.

        Of what has passed a gateway it is known already how answers come back.
        """
        return self if self.returns or self.seen_as is not None else self._replace(returns="maybe")

    def circle(self, table: str) -> str:
        """Return the circle in words that a table closes which has decided before; empty where it has not."""
        if table not in self.tables:
            return ""
        names = (*self.tables[self.tables.index(table) :], table)
        return f"routes lead in a circle: {' → '.join(shown_id(name) for name in names)}"
