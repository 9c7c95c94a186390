"""Private endpoints, and private link services, to which others' private endpoints lead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import Endpoint, EndpointService
from cloudseg.providers.azure.ids import name_of, parent_of, qualified_id, region_of
from cloudseg.providers.azure.translate.services.building import Connection, connections_of, in_subnet, state_of
from cloudseg.providers.azure.translate.wire import ArmResource, Ref, ids, tags_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import EndpointConnection
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_endpoint_services", "add_endpoints", "join_endpoints"]

_FACET = "endpoints"
_SERVICES_FACET = "endpoint-services"
_ZONE_GROUPS: Final = "private_dns_zone_groups"
_ANYONE = "*"

# How the zone begins in which the public name of a part of a service is looked up inside. Source:
# https://learn.microsoft.com/azure/private-link/private-endpoint-dns
_ZONES: Final = {
    "account": ("privatelink.cognitiveservices.", "privatelink.openai.", "privatelink.services.ai."),
    "blob": ("privatelink.blob.",),
    "cassandra": ("privatelink.cassandra.",),
    "dfs": ("privatelink.dfs.",),
    "file": ("privatelink.file.",),
    "gremlin": ("privatelink.gremlin.",),
    "mongodb": ("privatelink.mongo.",),
    "mysqlserver": ("privatelink.mysql.",),
    "namespace": ("privatelink.servicebus.",),
    "postgresqlserver": ("privatelink.postgres.",),
    "queue": ("privatelink.queue.",),
    "rediscache": ("privatelink.redis.cache.",),
    "redisenterprise": ("privatelink.redisenterprise.", "privatelink.redis."),
    "registry": ("privatelink.azurecr.",),
    "searchservice": ("privatelink.search.",),
    "sites": ("privatelink.azurewebsites.",),
    "sql": ("privatelink.documents.",),
    "sqlserver": ("privatelink.database.",),
    "table": ("privatelink.table.",),
    "vault": ("privatelink.vaultcore.", "privatelink.vault."),
    "web": ("privatelink.web.",),
}
_STATE_WORDS: Final = {"pending": "Pending", "rejected": "Rejected", "failed": "Failed", "other": "Disconnected"}


class _State(msgspec.Struct):
    status: str | None = None


class _LinkProperties(msgspec.Struct, rename="camel"):
    private_link_service_id: str | None = None
    group_ids: list[str] | None = None
    private_link_service_connection_state: _State | None = None


class _Link(msgspec.Struct):
    properties: _LinkProperties = msgspec.field(default_factory=_LinkProperties)


class _Properties(msgspec.Struct, rename="camel"):
    subnet: Ref | None = None
    network_interfaces: list[Ref] | None = None
    private_link_service_connections: list[_Link] | None = None
    manual_private_link_service_connections: list[_Link] | None = None
    custom_dns_configs: list[object] | None = None
    application_security_groups: list[Ref] | None = None


class _Endpoint(ArmResource, kw_only=True):
    properties: _Properties = msgspec.field(default_factory=_Properties)


class _ZoneLink(msgspec.Struct):
    class Properties(msgspec.Struct, rename="camel"):
        """What a zone's link says."""

        virtual_network: Ref | None = None

    id: str
    properties: Properties = msgspec.field(default_factory=Properties)


class _ZoneConfigProperties(msgspec.Struct):
    zone: str | None = msgspec.field(default=None, name="privateDnsZoneId")


class _ZoneConfig(msgspec.Struct):
    properties: _ZoneConfigProperties = msgspec.field(default_factory=_ZoneConfigProperties)


class _ZoneGroupProperties(msgspec.Struct):
    configs: list[_ZoneConfig] | None = msgspec.field(default=None, name="privateDnsZoneConfigs")


class _ZoneGroup(msgspec.Struct):
    id: str
    properties: _ZoneGroupProperties = msgspec.field(default_factory=_ZoneGroupProperties)


class _Subscriptions(msgspec.Struct):
    subscriptions: list[str] | None = None


class _ServiceProperties(msgspec.Struct, rename="camel"):
    alias: str | None = None
    visibility: _Subscriptions | None = None
    auto_approval: _Subscriptions | None = None
    load_balancer_frontend_ip_configurations: list[Ref] | None = None
    private_endpoint_connections: list[Connection] | None = None


class _Service(ArmResource, kw_only=True):
    properties: _ServiceProperties = msgspec.field(default_factory=_ServiceProperties)


def add_endpoints(answers: Answers, draft: Draft) -> None:
    """Add private endpoints. Only a connection that is approved leads anywhere.

    Each leads to one resource, and knows no policy: what it may be used for is the resource's to say. Sources:
    https://learn.microsoft.com/azure/private-link/private-endpoint-overview
    https://learn.microsoft.com/azure/private-link/manage-private-endpoint
    """
    for link in answers.listed("privatedns", "virtual_network_links", _ZoneLink, _FACET):
        network = link.properties.virtual_network
        if network is not None and network.id:
            draft.private_zones.setdefault(qualified_id(network.id), set()).add(qualified_id(parent_of(link.id)))
    answers.has("privatedns", "private_dns_zones")
    for about, group in answers.each_of("network", _ZONE_GROUPS, "value", _ZoneGroup, _FACET):
        # .../privateEndpoints/pe/privateDnsZoneGroups/default
        zones = draft.recorded_zones.setdefault(qualified_id(about or parent_of(group.id)), set())
        for config in group.properties.configs or ():
            if config.properties.zone:
                zones.add(qualified_id(config.properties.zone))
    for wire in answers.listed("network", "private_endpoints", _Endpoint, _FACET):
        own = wire.properties
        if own.subnet is None or not own.subnet.id:
            answers.gap("network.private_endpoints", wire.id, "malformed", "a private endpoint without subnet", _FACET)
            continue
        stands = in_subnet(draft, own.subnet.id)
        links = [*(own.private_link_service_connections or ()), *(own.manual_private_link_service_connections or ())]
        # There is one: the API takes no more.
        link = (links or [_Link()])[0].properties
        status = None if link.private_link_service_connection_state is None else _status(link)
        endpoint = Endpoint(
            id=qualified_id(wire.id),
            kind="private-endpoint",
            name=wire.name,
            region=region_of(wire.location or ""),
            tags=tags_of(wire),
            network=stands.network or "",
            type="interface",
            service=_led_to(link.private_link_service_id or ""),
            usable=None if not status else state_of(status) == "accepted",
            state=status or "",
            policy="unsupported",
            subnets=stands.subnets,
            groups=frozenset(qualified_id(group) for group in ids(own.application_security_groups)),
            interfaces=frozenset(qualified_id(interface) for interface in ids(own.network_interfaces)),
            # Until the zones of every subscription are known, which :func:`join_endpoints` looks at.
            private_dns=None,
        )
        if not own.custom_dns_configs:
            draft.endpoint_parts[endpoint.id] = frozenset(part.lower() for part in link.group_ids or ())
        draft.put(draft.endpoints, endpoint, answers.scope)


def _status(link: _LinkProperties) -> str | None:
    state = link.private_link_service_connection_state
    return None if state is None else state.status


def _led_to(target: str) -> str:
    """Return the id that an endpoint names in lower case; of services elsewhere it may know the alias alone."""
    return "/" + target.strip("/").lower() if "/" in target else target


def add_endpoint_services(answers: Answers, draft: Draft) -> None:
    """Add private link services.

    Whoever it is visible to may ask for a connection; it needs no approval by those that are approved beforehand.
    Without a list it is visible to those who have a role at it. Sources:
    https://learn.microsoft.com/azure/private-link/private-link-service-overview#control-service-exposure
    https://learn.microsoft.com/rest/api/virtualnetwork/private-link-services/list-by-subscription
    """
    for wire in answers.listed("network", "private_link_services", _Service, _SERVICES_FACET):
        own = wire.properties
        seen = None if own.visibility is None else tuple(sorted(own.visibility.subscriptions or ()))
        found = EndpointService(
            id=qualified_id(wire.id),
            kind="private-link-service",
            name=wire.name,
            region=region_of(wire.location or ""),
            tags=tags_of(wire),
            service=own.alias or wire.name,
            acceptance_required=_asks(seen, own.auto_approval),
            principals=seen,
            connections=connections_of(own.private_endpoint_connections or ()) or (),
            balancers=frozenset(
                # .../loadBalancers/lb/frontendIPConfigurations/front
                qualified_id(parent_of(frontend))
                for frontend in ids(own.load_balancer_frontend_ip_configurations)
            ),
        )
        draft.put(draft.endpoint_services, found, answers.scope)


def _asks(seen: tuple[str, ...] | None, approved: _Subscriptions | None) -> bool | None:
    """Tell whether anybody's connection waits for approval; None where that was not read."""
    if approved is None:
        return None
    at_once = frozenset(approved.subscriptions or ())
    if _ANYONE in at_once:
        return False
    return not seen or not at_once.issuperset(seen)


def join_endpoints(draft: Draft) -> None:
    """Tell endpoints what the other side says of them, and whether their network looks their names up inside.

    It does where a zone for the name is linked to it. An endpoint's zone groups tell in which zones its records stand:
    https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration
    The owner of a service may reject or remove a connection that the endpoint still calls approved.
    """
    states = {connection.endpoint: connection.state for connection in _connected(draft)}
    for identifier, endpoint in draft.endpoints.items():
        changes: dict[str, object] = {}
        state = states.get(endpoint.own_id)
        if state is not None and state != "accepted" and endpoint.usable is not False:
            changes |= {"usable": False, "state": _STATE_WORDS[state]}
        begins = tuple(begin for part in draft.endpoint_parts.get(identifier, ()) for begin in _ZONES.get(part, ()))
        # Where no zone is linked, a resolver of one's own may know the name all the same.
        linked = draft.private_zones.get(endpoint.network, set())
        recorded = draft.recorded_zones.get(identifier)
        if recorded:
            # Its records stand in these zones, and in no other that anything tells.
            linked = linked & recorded
        if any(name_of(zone).startswith(begins) for zone in linked) if begins else recorded and linked:
            changes["private_dns"] = True
        if changes:
            draft.endpoints[identifier] = msgspec.structs.replace(endpoint, **changes)


def _connected(draft: Draft) -> Iterator[EndpointConnection]:
    """Yield connections as the services see them to which the endpoints lead."""
    sides = [(frozenset((each.own_id,)), each.connections or ()) for each in draft.services.values()]
    sides += [(frozenset((each.own_id, each.service)), each.connections) for each in draft.endpoint_services.values()]
    for names, connections in sides:
        for connection in connections:
            endpoint = draft.endpoints.get(qualified_id(connection.endpoint))
            if endpoint is not None and endpoint.service in names:
                yield connection
