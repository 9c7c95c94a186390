"""What is noted of answers before everything is known that decides about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.traffic import AddressSet

__all__ = ["Imported", "Level", "Nat", "Neighbour", "Policy", "PolicyRoute", "RegionalPolicy", "Routed"]


class Neighbour(NamedTuple):
    """What one network says of a peering with another.

    Attributes:
        network: qualified id of the other network.
        peering: qualified id of the peering.
        dual: it exchanges IPv6 as well.
        active: this side says that packets pass.
        imports: it takes the other's custom routes.
        exports: it hands its custom routes to the other.
        imports_public: it takes the other's subnet routes of public addresses.
        exports_public: it hands its own.
    """

    network: str
    peering: str
    dual: bool
    active: bool
    imports: bool
    exports: bool
    imports_public: bool
    exports_public: bool


class Policy(NamedTuple):
    """A firewall policy as it is written.

    Attributes:
        id: qualified id.
        name: what people call it.
        kind: ``hierarchical-firewall-policy``, ``network-firewall-policy`` or ``system-firewall-policy``.
        region: its region, or ``global``.
        rules: the rules as they were read, each as what it says and the number in its answer.
        project: the project whose answer shows it.
    """

    id: str
    name: str
    kind: str
    region: str
    rules: tuple[object, ...]
    project: str


class Level(NamedTuple):
    """A policy above the projects, as a network sees it: the policies that stand before it, and itself."""

    level: int
    policy: Policy


class RegionalPolicy(NamedTuple):
    """A policy that holds for one region of a network; of several of Google's the lowest priority is asked first."""

    network: str
    region: str
    policy: Policy
    priority: int = 0


class Routed(NamedTuple):
    """A route as it is written, before it is known for whom it holds.

    Attributes:
        id: qualified id.
        network: qualified id of its network.
        destination: where it leads.
        priority: which of equal destinations goes first, lower first.
        kind: what it hands packets to.
        target: qualified id of that; empty for none.
        tags: it holds for instances with one of these network tags alone; for all without any.
        doubt: why it is not known to hold, in words.
    """

    id: str
    network: str
    destination: AddressSet
    priority: int
    kind: str
    target: str
    tags: frozenset[str]
    doubt: str = ""


class Imported(NamedTuple):
    """The routes of users and routers that a network takes over from a peer, as its own project tells them.

    Attributes:
        written: destinations of routes that users made.
        learned: destinations of routes that the peer's routers learned.
    """

    written: frozenset[AddressSet] = frozenset()
    learned: frozenset[AddressSet] = frozenset()


class Nat(NamedTuple):
    """A Cloud NAT gateway of a router: whom it lends addresses to.

    Attributes:
        network: qualified id of the router's network.
        region: its region.
        addresses: the public addresses; none where they are given out unasked.
        unlisted: it has addresses that no answer lists.
        every: it serves every subnet of its region.
        subnets: the subnets that it serves, where it does not serve all.
        partial: those of them of which it serves chosen secondary ranges.
        primary: those of them whose primary range it serves; None for all.
        secondary: those of them all of whose secondary ranges it serves; None for all.
    """

    network: str
    region: str
    addresses: AddressSet = NO_ADDRESSES
    unlisted: bool = False
    every: bool = False
    subnets: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()
    primary: frozenset[str] | None = None
    secondary: frozenset[str] | None = None

    def serves(self, subnet: str, addresses: AddressSet, first: AddressSet) -> bool | None:
        """Tell whether it lends to addresses in a subnet with this primary range; None where that is not known."""
        if addresses <= first:
            return self.primary is None or subnet in self.primary
        if self.secondary is None or subnet in self.secondary:
            return True
        return None if subnet in self.partial else False


class PolicyRoute(NamedTuple):
    """A policy-based route.

    Attributes:
        network: qualified id of its network.
        source: the addresses of whose packets it takes.
        destination: where these go.
        tags: it holds for machines with one of these network tags alone; for all without any.
    """

    network: str
    source: AddressSet
    destination: AddressSet
    tags: frozenset[str]
