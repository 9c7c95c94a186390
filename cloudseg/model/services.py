"""Managed services, the private endpoints that lead to them, firewalls on the way, and flow logs."""

from typing import Literal

import msgspec

from cloudseg.model.resources import Resource
from cloudseg.model.rules import Rule
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, AddressSet

__all__ = ["Endpoint", "EndpointConnection", "EndpointService", "Firewall", "FlowLog", "Service"]


class EndpointConnection(msgspec.Struct, frozen=True):
    """One consumer of an endpoint service: its endpoint, its account, and the state of the connection."""

    endpoint: str
    owner: str
    state: Literal["pending", "accepted", "rejected", "failed", "other"]


class Service(Resource, frozen=True, kw_only=True):
    """A managed service with an endpoint: a bucket, a database, a control plane, a function URL.

    Attributes:
        service: the family of services: ``s3``, ``rds``, ``eks``.
        public: its own setting lets the internet address it; None when that could not be read.
        sources: addresses that its own setting admits.
        any_tenant: its own setting admits every customer of the cloud, from wherever the cloud runs their machines.
        anonymous: it answers callers who show no credentials; None when that was not read.
        any_account: it asks for credentials, and those of anybody who has an account at all will do.
        reason: the settings that decide ``public``, for people.
        settings: the settings read, as the provider spells them.
        control_plane: it administers other workloads (a Kubernetes API server).
        network: the network it stands in, where it stands in one.
        subnets: the subnets it may stand in.
        groups: identities that its own setting attaches to its interfaces.
        interfaces: its interfaces, as far as they were read.
        connections: the private endpoints that lead to it or ask to, as it sees them itself; None when not read.
    """

    service: str
    public: bool | None
    sources: AddressSet = ALL_ADDRESSES
    any_tenant: bool = False
    anonymous: bool | None = None
    any_account: bool = False
    reason: str = ""
    settings: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    control_plane: bool = False
    network: str | None = None
    subnets: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    interfaces: frozenset[str] = frozenset()
    connections: tuple[EndpointConnection, ...] | None = None


class Endpoint(Resource, frozen=True, kw_only=True):
    """A private endpoint of a network: traffic to a service stays inside.

    Attributes:
        network: the network that it serves.
        type: how it is reached: a route (``gateway``), an interface, a load balancer of appliances, or a resource.
        service: what it leads to, as the provider names it: ``com.amazonaws.eu-west-1.s3``.
        usable: approved and up; None when its state is unknown.
        state: its state in the provider's word.
        policy: what its own policy lets through: ``open`` (every action of every principal on everything),
            ``restricted``, ``unsupported`` (the service knows no endpoint policies) or ``unknown``.
        subnets: where it has interfaces.
        route_tables: the route tables that lead to it, for the ``gateway`` type.
        groups: identities attached to its interfaces.
        interfaces: its interfaces.
        private_dns: the service's public name resolves to it inside the network; None when not read.
    """

    network: str
    type: Literal["gateway", "interface", "gateway-load-balancer", "resource", "service-network"]
    service: str
    usable: bool | None
    state: str = ""
    policy: Literal["open", "restricted", "unsupported", "unknown"] = "unknown"
    subnets: frozenset[str] = frozenset()
    route_tables: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    interfaces: frozenset[str] = frozenset()
    private_dns: bool | None = None


class EndpointService(Resource, frozen=True, kw_only=True):
    """A service of one's own that others reach over private endpoints.

    Attributes:
        service: the name under which consumers ask for it.
        acceptance_required: a connection waits for approval; None when not read.
        principals: who may ask for a connection; None when not read, ``*`` stands for anyone.
        connections: who is connected, or wants to be.
        balancers: the load balancers behind it.
    """

    service: str
    acceptance_required: bool | None
    principals: tuple[str, ...] | None
    connections: tuple[EndpointConnection, ...] = ()
    balancers: frozenset[str] = frozenset()


class Firewall(Resource, frozen=True, kw_only=True):
    """A firewall that routes can lead through.

    Attributes:
        network: the network it stands in.
        subnets: the subnets that hold its endpoints.
        endpoints: qualified ids of the endpoints that routes name.
        filters: its policy stops what it does not allow; None when the policy was not read.
        names: the domain names that it lets out; empty when it has no allow-list by name.
        reason: why it filters or does not.
        interfaces: its own interfaces, under whose addresses packets may leave it.
        translates: destinations to which packets surely leave it under its own address; to all others they keep the
            source's.
        may_translate: further destinations to which some packets do, such as those that it proxies.
        rules: its rules about who may open connections through it, in the order in which it asks them: ``local`` is who
            sends, ``remote`` to whom. What none of them names is denied. None where they are not known by addresses.
    """

    network: str
    subnets: frozenset[str] = frozenset()
    endpoints: frozenset[str] = frozenset()
    filters: bool | None
    names: tuple[str, ...] = ()
    reason: str = ""
    interfaces: frozenset[str] = frozenset()
    translates: AddressSet = NO_ADDRESSES
    may_translate: AddressSet = NO_ADDRESSES
    rules: tuple[Rule, ...] | None = None


class FlowLog(Resource, frozen=True, kw_only=True):
    """A flow log of a network, a subnet, an interface, a transit gateway or a list of rules.

    Attributes:
        target: qualified id of what it records; of a list of rules, what these judge.
        traffic: which verdicts it records.
        delivers: records arrive at their destination; None when that is unknown.
        destination: where the records go.
        fields: the recorded fields; empty for the provider's default.
        reason: why it does not deliver.
        retention: days for which records are kept, 0 for good; None where the log itself does not say.
        ends: the day on which the provider stops such logs, ISO 8601; empty for none.
        omits: what it leaves out of what it could record, in words; empty for nothing.
    """

    target: str
    traffic: Literal["all", "accepted", "rejected"]
    delivers: bool | None
    destination: str = ""
    fields: tuple[str, ...] = ()
    reason: str = ""
    retention: int | None = None
    ends: str = ""
    omits: str = ""
