"""A small Azure to be read live, and how tests read it."""

from typing import Any, cast

import msgspec

from cloudseg.providers.azure.collect import AzureOptions, collect
from cloudseg.snapshot import Part, Snapshot
from tests.azure.arm_server import Azure, Fields

SHOP = "00000000-0000-0000-0000-00000000000a"
DEPOT = "00000000-0000-0000-0000-00000000000b"
NETWORK = "Microsoft.Network"


def arm_id(kind: str, *names: str, subscription: str = SHOP, group: str = "rg-shop") -> str:
    """The id of a resource: ``arm_id("Microsoft.Network/virtualNetworks/subnets", "vnet-1", "web")``."""
    provider, *kinds = kind.split("/")
    path = "/".join(f"{each}/{name}" for each, name in zip(kinds, names, strict=True))
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{provider}/{path}"


def resource(kind: str, *names: str, subscription: str = SHOP, **properties: Any) -> Fields:
    """A resource as Resource Manager shows it."""
    return {
        "id": arm_id(kind, *names, subscription=subscription),
        "name": names[-1],
        "type": kind,
        "location": "westeurope",
        "properties": {"provisioningState": "Succeeded", **properties},
    }


def row(kind: str, *names: str, subscription: str = SHOP, **properties: Any) -> Fields:
    """A resource as Resource Graph shows it: its type in lower case, columns of its own, and nulls."""
    shown = resource(kind, *names, subscription=subscription, **properties)
    own = {"subscriptionId": subscription, "resourceGroup": "rg-shop", "tenantId": "t-1"}
    return {**shown, "type": kind.lower(), **own, "managedBy": "", "plan": None, "kind": ""}


def listed(kind: str, subscription: str = SHOP) -> str:
    """The path at which a subscription's resources of a kind are listed."""
    return f"/subscriptions/{subscription}/providers/{kind}"


def shop() -> Azure:
    """One subscription with one of almost everything, and a second one that holds little."""
    azure = Azure()
    azure.add_subscription(SHOP, "Shop")
    azure.add_subscription(DEPOT, "Depot")
    for kind, name in (
        ("virtualNetworks", "vnet-1"),
        ("networkSecurityGroups", "nsg-web"),
        ("networkInterfaces", "nic-1"),
        ("firewallPolicies", "policy-1"),
        ("virtualHubs", "hub-1"),
        ("networkWatchers", "watcher-1"),
        ("networkSecurityPerimeters", "perimeter-1"),
        ("privateEndpoints", "endpoint-1"),
    ):
        azure.add(listed(f"{NETWORK}/{kind}"), resource(f"{NETWORK}/{kind}", name))
    azure.add(listed(f"{NETWORK}/virtualNetworks", DEPOT))
    perimeter = arm_id(f"{NETWORK}/networkSecurityPerimeters", "perimeter-1")
    profile = resource(f"{NETWORK}/networkSecurityPerimeters/profiles", "perimeter-1", "profile-1")
    azure.add(f"{perimeter}/profiles", profile)
    azure.add(f"{listed(NETWORK)}/locations/westeurope/serviceTags", {"name": "Sql", "id": "Sql"})
    azure.rows = [
        row("Microsoft.Compute/virtualMachines", "vm-1"),
        row("Microsoft.Compute/virtualMachineScaleSets", "scale-set-1", orchestrationMode="Uniform"),
        row("Microsoft.Compute/virtualMachineScaleSets", "scale-set-2", orchestrationMode="Flexible"),
        row("Microsoft.Sql/servers", "sql-1"),
        row("Microsoft.DBforPostgreSQL/flexibleServers", "pg-1"),
        row("Microsoft.DBforPostgreSQL/servers", "pg-old"),
        row("Microsoft.DBforMySQL/flexibleServers", "my-1"),
        row("Microsoft.DBforMySQL/servers", "my-old"),
        row("Microsoft.EventHub/namespaces", "hub"),
        row("Microsoft.ServiceBus/namespaces", "bus"),
        row("Microsoft.Cache/redis", "cache"),
        row("Microsoft.Web/sites", "site-1"),
        row("Microsoft.Web/sites/slots", "site-1", "staging"),
        row("Microsoft.Storage/storageAccounts", "depot1", subscription=DEPOT),
    ]
    site = arm_id("Microsoft.Web/sites", "site-1")
    azure.add(
        f"{site}/config/web", resource("Microsoft.Web/sites/config", "site-1", "web", appSettings=[{"name": "x"}])
    )
    slot = arm_id("Microsoft.Web/sites/slots", "site-1", "staging")
    azure.add(f"{slot}/config/web", resource("Microsoft.Web/sites/slots/config", "site-1", "staging", "web"))
    return azure


def read(**changes: Any) -> Snapshot:
    """Read without the patience of a user."""
    options = AzureOptions(subscriptions=(SHOP,), attempts=1, read_timeout=5.0, connect_timeout=5.0)
    return collect(msgspec.structs.replace(options, **changes))


def part(service: str, operation: str, about: str | None = None, subscription: str = SHOP) -> Part:
    return Part("azure", subscription, "global", service, operation, about)


def names(snapshot: Snapshot, service: str, operation: str, about: str | None = None) -> list[str]:
    answer = snapshot.read(part(service, operation, about))
    return [str(item["name"]) for item in cast("dict[str, list[Fields]]", answer)["value"]]


def gaps(snapshot: Snapshot) -> list[tuple[str, str, str]]:
    return [(gap.service, gap.operation, gap.reason) for gap in snapshot.gaps]
