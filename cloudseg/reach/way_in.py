"""Ways from the internet to an interface, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cloudseg.model import Estate, Interface
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["Through", "WayIn", "WaysIn", "may_start_beside", "through_unread"]


class Through(NamedTuple):
    """Load balancers that packets pass first.

    Attributes:
        balancers: qualified ids of the load balancers; a packet passes one of them.
        listens: what clients send to them in order to come this way; None when that was not read.
    """

    balancers: frozenset[str]
    listens: Traffic | None


class WayIn(NamedTuple):
    """One way from the internet to an interface.

    Attributes:
        clients: the addresses that the interface's rules see, of those that can come this way.
        traffic: what can come this way.
        certain: it exists for sure.
        text: the way in words.
        direct: it leads to an address of the interface itself, not through an entrance in front of it.
        senders: who really sends, where the rules see an entrance instead; None where they see the senders.
        through: the load balancers that it leads through, whose interfaces are ends of their own; None where it leads
            through none.
        groups: rules that name one of these groups admit who comes this way, whoever it is.
        some_groups: they admit some of them, at most; ``groups`` among them.
        entrance: qualified id of the entrance that it leads through; empty for none.
        doubt: what was not read and may hold this way, in words, where a rule that admits it counts as perhaps open;
            empty for ways that were found, and for those that leave a rule latent.
    """

    clients: AddressSet
    traffic: Traffic
    certain: bool
    text: str
    direct: bool = True
    senders: AddressSet | None = None
    through: Through | None = None
    groups: frozenset[str] = frozenset()
    some_groups: frozenset[str] = frozenset()
    entrance: str = ""
    doubt: str = ""

    @property
    def balanced(self) -> bool:
        """Whether it leads through a load balancer."""
        return self.through is not None

    @property
    def shows_clients(self) -> bool:
        """Whether the rules of the target see who really sends."""
        return self.senders is None


class WaysIn(NamedTuple):
    """Every way to an interface that was found.

    Attributes:
        ways: the ways.
        blocked: what blocks the missing ones, in words.
        unknown: what is unknown about the ways found, in words.
        unread: what was not read and may hold further ways, in words.
        unseen: ways that nothing found stands for: what was not read may hold them. They count in upper bounds of what
            reaches the interface. A rule that only these reach is perhaps open where they say what the doubt is, else
            it is called latent for all that, with less confidence.
    """

    ways: tuple[WayIn, ...] = ()
    blocked: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    unseen: tuple[WayIn, ...] = ()

    @property
    def unbalanced(self) -> tuple[WayIn, ...]:
        """The ways that there are at most but for those through load balancers, whose interfaces are ends."""
        return tuple(way for way in (*self.ways, *self.unseen) if not way.balanced)


def through_unread(ways: WaysIn, estate: Estate) -> tuple[WayIn, ...]:
    """Return the ways through load balancers that keep their clients' addresses and of which no interface was read.

    What comes by them is judged nowhere else, for there is no interface to which it comes first.
    """
    return tuple(
        way
        for way in (*ways.ways, *ways.unseen)
        if way.through is not None and way.shows_clients
        if not any(estate.interfaces_of(owner) for owner in way.through.balancers)
    )


def may_start_beside(way: WayIn, interface: Interface, estate: Estate) -> bool:
    """Tell whether packets that come by an entrance may start in the interface's own subnet, where no boundary is met.

    It is asked about ways that are not certain: what certainly comes passes the boundary.
    """
    if way.certain or way.shows_clients:
        return False
    subnet = None if interface.subnet is None else estate.subnets.get(interface.subnet)
    return bool(way.some_groups) or (subnet is not None and way.clients.overlaps(subnet.addresses))
