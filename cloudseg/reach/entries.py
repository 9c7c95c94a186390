"""How packets from outside come to what stands behind a load balancer: to which node, from whom, on what."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.reach.handovers import Handovers
from cloudseg.reach.packets import Box
from cloudseg.reach.passage import find_passage
from cloudseg.reach.ways import find_ways_in
from cloudseg.traffic import ALL_TRAFFIC, GLOBAL_UNICAST

if TYPE_CHECKING:
    from cloudseg.model import Estate, Interface
    from cloudseg.reach.handovers import Handover
    from cloudseg.reach.packets import Bounds
    from cloudseg.reach.ways import Through
    from cloudseg.traffic import AddressSet

__all__ = ["Entries", "Entry"]


class Entry(NamedTuple):
    """A node of a load balancer that takes packets from outside and hands something on to an interface.

    Attributes:
        node: the load balancer's interface.
        packets: what arrives there from whom, of what is handed on to the interface.
        doubts: why it is not certain that the node hands it on, in words; none where it is.
    """

    node: Interface
    packets: Box
    doubts: tuple[str, ...]


class Entries:
    """Finds the nodes by which packets from outside come to targets of load balancers.

    Args:
        estate: the estate.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._handovers = Handovers(estate)
        self._handed: dict[str, dict[str, list[Handover]]] = {}
        self._arriving: dict[str, Bounds] = {}

    def to(self, target: Interface, through: Through, senders: AddressSet) -> Entry | None:
        """Return a node by which packets of some senders come to a target; None where none was found.

        What certainly arrives at a node goes first, and of that what the node certainly hands on.
        """
        listens = ALL_TRAFFIC if through.listens is None else through.listens
        handed = [each for owner in sorted(through.balancers) for each in self._to(owner, target)]
        handed.sort(key=lambda each: len(each.doubts))
        for certain in (True, False):
            for each in handed:
                if each.node is None:
                    continue
                arriving = self._at(each.node)
                for box in arriving.lower if certain else arriving.upper:
                    packets = Box(box.addresses & senders & GLOBAL_UNICAST, box.traffic & listens)
                    if packets.addresses and packets.traffic:
                        return Entry(each.node, packets, each.doubts)
        return None

    def _to(self, owner: str, target: Interface) -> list[Handover]:
        """Return what the nodes of a load balancer hand to a target."""
        known = self._handed.get(owner)
        if known is None:
            known = self._handed[owner] = {}
            forwarder = self._estate.forwarders.get(owner)
            for each in () if forwarder is None else self._handovers.of(forwarder)[0]:
                known.setdefault(each.target.id, []).append(each)
        return known.get(target.id, [])

    def _at(self, node: Interface) -> Bounds:
        """Return the packets from the internet that arrive at a node, and are heard there."""
        known = self._arriving.get(node.id)
        if known is None:
            ways = find_ways_in(node, self._estate, balanced=False)
            known = self._arriving[node.id] = find_passage(node, ways, "", self._estate).packets
        return known
