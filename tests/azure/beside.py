"""Raw answers about what stands beside the networks, translated: managed services, endpoints, logs, perimeters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudseg.cli.sources import translate
from cloudseg.snapshot import Manifest, Part, ScopeRead, Snapshot

if TYPE_CHECKING:
    from cloudseg.model import Estate, Service

__all__ = ["SUB", "VNET", "Beside", "arm", "connection", "resource"]

SUB = "11111111-2222-3333-4444-555555555555"
VNET = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet"


def arm(kind: str, name: str, *, sub: str = SUB) -> str:
    """An ARM id in the case that Azure shows: ``arm("Microsoft.Sql/servers", "orders")``."""
    return f"/subscriptions/{sub}/resourceGroups/rg/providers/{kind}/{name}"


def resource(kind: str, name: str, properties: dict[str, Any], /, **more: Any) -> dict[str, Any]:
    return {
        "id": arm(kind, name),
        "name": name,
        "type": kind,
        "location": "West Europe",
        "properties": properties,
        **more,
    }


def connection(endpoint: str, status: str) -> dict[str, Any]:
    """A private endpoint's connection, as a service shows it."""
    state = {"status": status, "description": "", "actionsRequired": "None"}
    return {
        "id": f"{endpoint}.connection",
        "properties": {"privateEndpoint": {"id": endpoint}, "privateLinkServiceConnectionState": state},
    }


class Beside:
    """Answers of one subscription; lists that are asked about a resource lie under its id."""

    def __init__(self) -> None:
        self.parts: dict[Part, Any] = {}

    def put(self, what: str, *items: Any, about: str | None = None, sub: str = SUB) -> Beside:
        service, _, operation = what.partition(".")
        self.parts[Part("azure", sub, "global", service, operation, about)] = {"value": list(items)}
        return self

    def vnet(self, *subnets: str) -> Beside:
        listed = [
            {"id": f"{VNET}/subnets/{name}", "name": name, "properties": {"addressPrefix": f"10.0.{number}.0/24"}}
            for number, name in enumerate(subnets)
        ]
        properties = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": listed}
        return self.put(
            "network.virtual_networks",
            {"id": VNET, "name": "vnet", "location": "westeurope", "properties": properties},
        )

    def estate(self) -> Estate:
        subs = sorted({part.scope for part in self.parts})
        scopes = tuple(ScopeRead("azure", sub, ("westeurope",), "") for sub in subs)
        return translate(Snapshot.of(self.parts, Manifest("2026-01-15T12:00:00Z", "cloudseg", scopes)))

    def service(self) -> Service:
        """The one service of the estate."""
        (found,) = self.estate().services.values()
        return found
