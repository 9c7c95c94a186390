"""What load balancers send to: instances by their first interface, addresses, and other load balancers."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cloudseg.model import ANY_ZONE, ForwardTarget, scope_of

if TYPE_CHECKING:
    from cloudseg.model import Subnet
    from cloudseg.providers.aws.translate.answers import Answers
    from cloudseg.providers.aws.translate.draft import Draft
    from cloudseg.traffic import AddressSet

__all__ = ["Targets"]


class Targets:
    """Names the targets of one account and region, and finds their zones.

    The zone is that of the target's subnet where that was read: in a network of another account, what the answer says
    may name the same zone differently.
    """

    def __init__(self, answers: Answers, draft: Draft) -> None:
        self._answers = answers
        self._draft = draft
        self._subnets: defaultdict[str, list[Subnet]] = defaultdict(list)
        for subnet in draft.subnets.values():
            self._subnets[subnet.network].append(subnet)

    def instance(self, own: str, *, healthy: bool | None) -> ForwardTarget:
        """Return an instance as a target: its first interface, or the whole instance where that was not read.

        Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html
        """
        instance = self._draft.id_of(self._answers, own)
        interface = self._draft.interfaces.get(self._draft.primary.get(instance, ""))
        if interface is None:
            return ForwardTarget(target=instance, healthy=healthy)
        subnet = self._draft.subnets.get(interface.subnet or "")
        return ForwardTarget(target=interface.id, zone="" if subnet is None else subnet.zone, healthy=healthy)

    def balancer(self, own: str, *, healthy: bool | None) -> ForwardTarget:
        """Return a load balancer as a target: every interface of it takes what it is sent."""
        return ForwardTarget(target=self._draft.id_of(self._answers, own), healthy=healthy)

    def address(
        self, address: AddressSet, network: str | None, *, zone: str = "", healthy: bool | None
    ) -> ForwardTarget:
        """Return an address as a target; ``zone`` is the one that the answer names, ``all`` for every one."""
        subnets = (subnet for subnet in self._subnets.get(network or "", ()) if address <= subnet.addresses)
        found = next((subnet.zone for subnet in subnets if subnet.zone), "")
        own = network is not None and scope_of(network) == self._answers.scope
        named = zone if own or zone == ANY_ZONE else ""
        return ForwardTarget(address=address, network=network, zone=found or named, healthy=healthy)
