"""Load balancers as what they do to packets: take them from clients, and open connections to targets."""

import msgspec

from cloudseg.model.resources import Resource
from cloudseg.traffic import NO_ADDRESSES, NO_TRAFFIC, AddressSet, Traffic

__all__ = ["ANY_ZONE", "Forward", "ForwardTarget", "Forwarder"]

ANY_ZONE = "all"
"""The zone of a target that every node serves, as one outside the network does not stand in a zone of it."""


class ForwardTarget(msgspec.Struct, frozen=True, kw_only=True):
    """One target that a load balancer hands connections to.

    Attributes:
        target: qualified id of an interface or of a workload; None where it is named by its address.
        address: its address, where it is named by that.
        network: where the address is looked up; it may lie outside of it, behind a peering or a gateway.
        zone: its availability zone, as subnets name theirs; ``ANY_ZONE``; empty where it was not read.
        healthy: it gets new connections; False while it fails its checks, drains or is stopped; None when not read.
    """

    target: str | None = None
    address: AddressSet = NO_ADDRESSES
    network: str | None = None
    zone: str = ""
    healthy: bool | None = None


class Forward(msgspec.Struct, frozen=True, kw_only=True):
    """Targets that get the same traffic: those of a target group with one port.

    Attributes:
        name: what the targets are called together, for people.
        listens: what clients send to the load balancer in order to come here; None when that was not read.
        traffic: what the load balancer sends to the targets for its clients.
        checks: what its nodes send to the targets by themselves: health checks, and what else they ask them.
        keeps_client: targets see the clients' addresses, where client and target speak the same family of addresses;
            False where they see the node's; None when that was not read. Of clients that come over a private endpoint,
            and in health checks, they always see the node's.
        cross_zone: every node serves every target; False where a node serves those of its own zone alone.
        targets: the targets.
    """

    name: str
    listens: Traffic | None
    traffic: Traffic
    checks: Traffic = NO_TRAFFIC
    keeps_client: bool | None
    cross_zone: bool | None
    targets: tuple[ForwardTarget, ...] = ()


class Forwarder(Resource, frozen=True, kw_only=True):
    """What takes connections and opens others to its targets. It bears the id of the workload whose interfaces do so.

    Attributes:
        accepts: what its interfaces take from clients; None when its listeners were not read.
        zones: the availability zones that are enabled for it, as subnets name them; None when not read.
        forwards: where it sends what it took.
        complete: all its forwards were read.
        groups_on_private_link: its groups judge clients that come over a private endpoint, too; None when not read.
        seen_as: qualified ids of the address lists from which its targets see packets come, where it has no interface
            of its own.
    """

    accepts: Traffic | None
    zones: frozenset[str] | None = None
    forwards: tuple[Forward, ...] = ()
    complete: bool = True
    groups_on_private_link: bool | None = None
    seen_as: frozenset[str] = frozenset()
