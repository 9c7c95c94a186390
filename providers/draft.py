"""The estate while it is being translated: one mutable mapping per kind of resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cloudseg.model import Estate, Resource, ScopeRead
from cloudseg.providers.answers import Ledger

if TYPE_CHECKING:
    from cloudseg.model import (
        AddressList,
        Alias,
        Coverage,
        Endpoint,
        EndpointService,
        Entrance,
        Firewall,
        FlowLog,
        Forwarder,
        Gateway,
        Group,
        Interface,
        Network,
        Peering,
        Pipeline,
        RouteTable,
        RuleSet,
        Service,
        Subnet,
        Template,
        TransitAttachment,
        TransitTable,
        Workload,
    )
    from cloudseg.snapshot import Snapshot

__all__ = ["Draft"]


R = TypeVar("R", bound=Resource)


class Draft:
    """Collects what the subjects of one provider translate, over all of its scopes and regions.

    Subjects run one after the other, each over every scope and region, so that a later one can look up what an earlier
    one found in another: the network of a shared subnet, the group of a shared network.
    """

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.networks: dict[str, Network] = {}
        self.subnets: dict[str, Subnet] = {}
        self.route_tables: dict[str, RouteTable] = {}
        self.gateways: dict[str, Gateway] = {}
        self.peerings: dict[str, Peering] = {}
        self.transit_attachments: dict[str, TransitAttachment] = {}
        self.transit_tables: dict[str, TransitTable] = {}
        self.interfaces: dict[str, Interface] = {}
        self.workloads: dict[str, Workload] = {}
        self.templates: dict[str, Template] = {}
        self.entrances: dict[str, Entrance] = {}
        self.forwarders: dict[str, Forwarder] = {}
        self.aliases: dict[str, Alias] = {}
        self.groups: dict[str, Group] = {}
        self.rule_sets: dict[str, RuleSet] = {}
        self.address_lists: dict[str, AddressList] = {}
        self.services: dict[str, Service] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.endpoint_services: dict[str, EndpointService] = {}
        self.firewalls: dict[str, Firewall] = {}
        self.flow_logs: dict[str, FlowLog] = {}

    def put(self, mapping: dict[str, R], resource: R, reader: str) -> None:
        """Add a resource; what its owner reads of it stands before what other scopes see.

        Args:
            mapping: the mapping of its kind.
            resource: the resource.
            reader: the scope whose answer shows it.
        """
        if resource.id in mapping and reader != resource.scope:
            return
        mapping[resource.id] = resource

    def estate_of(
        self, snapshot: Snapshot, provider: str, pipelines: dict[str, Pipeline], coverage: Coverage
    ) -> Estate:
        """Return the finished estate with the scopes and the notes of the snapshot that it was translated from."""
        self.ledger.notes += snapshot.notes
        scopes = tuple(
            ScopeRead(provider, each.scope, each.regions, each.name)
            for each in snapshot.scopes
            if each.provider == provider
        )
        return self.estate(snapshot.taken_at, scopes, pipelines, coverage)

    def estate(
        self, taken_at: str, scopes: tuple[ScopeRead, ...], pipelines: dict[str, Pipeline], coverage: Coverage
    ) -> Estate:
        """Return the finished estate."""
        return Estate(
            taken_at=taken_at,
            scopes=scopes,
            pipelines=pipelines,
            coverage=coverage,
            gaps=tuple(sorted(set(self.ledger.gaps))),
            notes=tuple(sorted(set(self.ledger.notes))),
            networks=self.networks,
            subnets=self.subnets,
            route_tables=self.route_tables,
            gateways=self.gateways,
            peerings=self.peerings,
            transit_attachments=self.transit_attachments,
            transit_tables=self.transit_tables,
            interfaces=self.interfaces,
            workloads=self.workloads,
            templates=self.templates,
            entrances=self.entrances,
            forwarders=self.forwarders,
            aliases=self.aliases,
            groups=self.groups,
            rule_sets=self.rule_sets,
            address_lists=self.address_lists,
            services=self.services,
            endpoints=self.endpoints,
            endpoint_services=self.endpoint_services,
            firewalls=self.firewalls,
            flow_logs=self.flow_logs,
        )
