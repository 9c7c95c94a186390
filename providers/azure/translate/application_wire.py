"""Application gateways as ARM returns them.

Source: https://learn.microsoft.com/rest/api/application-gateway/application-gateways/list-all
"""

from __future__ import annotations

import msgspec

from cloudseg.providers.azure.ids import qualified_id
from cloudseg.providers.azure.translate.services.building import Connection
from cloudseg.providers.azure.translate.wire import ArmResource, Ref
from cloudseg.traffic import Traffic

__all__ = [
    "ApplicationGateway",
    "Frontend",
    "Listener",
    "PathMap",
    "Pool",
    "PoolAddress",
    "RoutingRule",
    "Settings",
    "ports_of",
]


class _FrontendProperties(msgspec.Struct, rename="camel"):
    private_ip: str | None = msgspec.field(default=None, name="privateIPAddress")
    public: Ref | None = msgspec.field(default=None, name="publicIPAddress")


class Frontend(msgspec.Struct):
    """Where clients come in."""

    id: str
    properties: _FrontendProperties = msgspec.field(default_factory=_FrontendProperties)


class _ConfigurationProperties(msgspec.Struct):
    subnet: Ref | None = None


class _Configuration(msgspec.Struct):
    properties: _ConfigurationProperties = msgspec.field(default_factory=_ConfigurationProperties)


class _PortProperties(msgspec.Struct):
    port: int | None = None


class _Port(msgspec.Struct):
    id: str
    properties: _PortProperties = msgspec.field(default_factory=_PortProperties)


class _ListenerProperties(msgspec.Struct, rename="camel"):
    frontend: Ref | None = msgspec.field(default=None, name="frontendIPConfiguration")
    port: Ref | None = msgspec.field(default=None, name="frontendPort")


class Listener(msgspec.Struct):
    """What is listened to: a port of a frontend, for HTTP and, in the newer lists, for TCP and TLS."""

    id: str
    properties: _ListenerProperties = msgspec.field(default_factory=_ListenerProperties)

    @property
    def frontend(self) -> str:
        """The qualified id of its frontend; empty where none is named."""
        frontend = self.properties.frontend
        return "" if frontend is None or not frontend.id else qualified_id(frontend.id)


class PoolAddress(msgspec.Struct, rename="camel"):
    """A backend by its address or its name."""

    ip_address: str | None = None
    fqdn: str | None = None


class _PoolProperties(msgspec.Struct, rename="camel"):
    addresses: list[PoolAddress] | None = msgspec.field(default=None, name="backendAddresses")
    configurations: list[Ref] | None = msgspec.field(default=None, name="backendIPConfigurations")


class Pool(msgspec.Struct):
    """Backends that get the same requests."""

    id: str
    name: str = ""
    properties: _PoolProperties = msgspec.field(default_factory=_PoolProperties)


class _SettingsProperties(msgspec.Struct):
    port: int | None = None
    probe: Ref | None = None


class Settings(msgspec.Struct):
    """How backends are asked: their port, and that of the probe where it has one of its own."""

    id: str
    name: str = ""
    properties: _SettingsProperties = msgspec.field(default_factory=_SettingsProperties)


class Destination(msgspec.Struct, rename="camel"):
    """A pool and the settings by which it is asked, as rules name them."""

    pool: Ref | None = msgspec.field(default=None, name="backendAddressPool")
    http_settings: Ref | None = msgspec.field(default=None, name="backendHttpSettings")
    settings: Ref | None = msgspec.field(default=None, name="backendSettings")
    default_pool: Ref | None = msgspec.field(default=None, name="defaultBackendAddressPool")
    default_settings: Ref | None = msgspec.field(default=None, name="defaultBackendHttpSettings")

    @property
    def named(self) -> tuple[str, str] | None:
        """The qualified ids of pool and settings; None where it leads to no pool, as redirections do."""
        pool = self.pool or self.default_pool
        settings = self.http_settings or self.settings or self.default_settings
        if pool is None or not pool.id:
            return None
        return qualified_id(pool.id), "" if settings is None or not settings.id else qualified_id(settings.id)


class _PathRule(msgspec.Struct):
    properties: Destination = msgspec.field(default_factory=Destination)


class _PathMapProperties(Destination, rename="camel"):
    path_rules: list[_PathRule] | None = None


class PathMap(msgspec.Struct):
    """Destinations by the path that is asked for."""

    id: str
    properties: _PathMapProperties = msgspec.field(default_factory=_PathMapProperties)


class _RuleProperties(Destination, rename="camel"):
    http_listener: Ref | None = None
    listener: Ref | None = None
    path_map: Ref | None = msgspec.field(default=None, name="urlPathMap")


class RoutingRule(msgspec.Struct):
    """Which listener leads to which destination."""

    id: str
    properties: _RuleProperties = msgspec.field(default_factory=_RuleProperties)

    @property
    def heard_by(self) -> str:
        """The qualified id of its listener; empty where none is named."""
        listener = self.properties.http_listener or self.properties.listener
        return "" if listener is None or not listener.id else qualified_id(listener.id)


class _Properties(msgspec.Struct, rename="camel"):
    operational_state: str = ""
    configurations: list[_Configuration] | None = msgspec.field(default=None, name="gatewayIPConfigurations")
    frontends: list[Frontend] | None = msgspec.field(default=None, name="frontendIPConfigurations")
    ports: list[_Port] | None = msgspec.field(default=None, name="frontendPorts")
    pools: list[Pool] | None = msgspec.field(default=None, name="backendAddressPools")
    http_settings: list[Settings] | None = msgspec.field(default=None, name="backendHttpSettingsCollection")
    settings: list[Settings] | None = msgspec.field(default=None, name="backendSettingsCollection")
    http_listeners: list[Listener] | None = None
    listeners: list[Listener] | None = None
    path_maps: list[PathMap] | None = msgspec.field(default=None, name="urlPathMaps")
    request_rules: list[RoutingRule] | None = msgspec.field(default=None, name="requestRoutingRules")
    routing_rules: list[RoutingRule] | None = None
    # A probe has a port of its own or none.
    probes: list[_Port] | None = None
    private_links: list[object] | None = msgspec.field(default=None, name="privateLinkConfigurations")
    private_endpoint_connections: list[Connection] | None = None

    @property
    def all_listeners(self) -> list[Listener]:
        """The listeners of both sorts."""
        return [*(self.http_listeners or ()), *(self.listeners or ())]

    @property
    def all_settings(self) -> list[Settings]:
        """The settings of both sorts."""
        return [*(self.http_settings or ()), *(self.settings or ())]

    @property
    def all_rules(self) -> list[RoutingRule]:
        """The rules of both sorts."""
        return [*(self.request_rules or ()), *(self.routing_rules or ())]


class ApplicationGateway(ArmResource, kw_only=True):
    """An application gateway."""

    properties: _Properties = msgspec.field(default_factory=_Properties)


def ports_of(wire: ApplicationGateway) -> dict[str, Traffic | None]:
    """Return what each listener takes, by its qualified id; None where its port was not read.

    Source: https://learn.microsoft.com/azure/application-gateway/configuration-listeners
    """
    numbers = {qualified_id(each.id): each.properties.port for each in wire.properties.ports or ()}
    found: dict[str, Traffic | None] = {}
    for listener in wire.properties.all_listeners:
        named = listener.properties.port
        number = None if named is None or not named.id else numbers.get(qualified_id(named.id))
        known = number is not None and 0 < number <= 65535
        found[qualified_id(listener.id)] = Traffic.ports("tcp", number, number) if known and number else None
    return found
