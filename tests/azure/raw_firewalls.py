"""Firewalls, their policies, and virtual hubs, as ARM returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tests.azure.raw import SUBSCRIPTION, Raw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.azure.oracle_records import Json

__all__ = [
    "application_rule",
    "collection",
    "connect",
    "firewall",
    "hub",
    "hub_and_spokes",
    "hub_table",
    "intent",
    "ip_group",
    "nat_rule_of",
    "network_rule",
    "policy",
    "rule_group",
]


def network_rule(
    destinations: Sequence[str] = ("*",), ports: Sequence[str] = ("*",), *, sources: Sequence[str] = ("*",),
    protocols: Sequence[str] = ("Any",), names: Sequence[str] = (), groups: Sequence[str] = (),
) -> Json:  # fmt: skip
    """A network rule of a policy; ``groups`` are ARM ids of IP groups as destinations."""
    return {
        "ruleType": "NetworkRule",
        "name": "net",
        "ipProtocols": list(protocols),
        "sourceAddresses": list(sources),
        "destinationAddresses": list(destinations),
        "destinationIpGroups": list(groups),
        "destinationFqdns": list(names),
        "destinationPorts": list(ports),
    }


def application_rule(
    names: Sequence[str] = (), *, sources: Sequence[str] = ("*",), tags: Sequence[str] = (),
    categories: Sequence[str] = (),
) -> Json:  # fmt: skip
    return {
        "ruleType": "ApplicationRule",
        "name": "app",
        "protocols": [{"protocolType": "Https", "port": 443}],
        "sourceAddresses": list(sources),
        "targetFqdns": list(names),
        "fqdnTags": list(tags),
        "webCategories": list(categories),
    }


def nat_rule_of(
    public: str, port: str, translated: str, to: str, *, sources: Sequence[str] = ("*",)
) -> Json:  # fmt: skip
    """A DNAT rule of a policy."""
    return {
        "ruleType": "NatRule",
        "name": "dnat",
        "ipProtocols": ["TCP"],
        "sourceAddresses": list(sources),
        "destinationAddresses": [public],
        "destinationPorts": [port],
        "translatedAddress": translated,
        "translatedPort": to,
    }


def collection(name: str, priority: int, action: str, *rules: Json) -> Json:
    """A rule collection of a policy."""
    kind = "FirewallPolicyNatRuleCollection" if action == "DNAT" else "FirewallPolicyFilterRuleCollection"
    return {
        "ruleCollectionType": kind,
        "name": name,
        "priority": priority,
        "action": {"type": action},
        "rules": [dict(each) for each in rules],
    }


def policy(raw: Raw, name: str, *, base: str = "", snat: Sequence[str] = (), threat: str = "Alert") -> None:
    """A firewall policy without rules."""
    properties: Json = {"sku": {"tier": "Standard"}, "threatIntelMode": threat, "ruleCollectionGroups": []}
    if base:
        properties["basePolicy"] = raw.ref(base)
    if snat:
        properties["snat"] = {"privateRanges": list(snat)}
    raw.add(name, "firewallPolicies", "firewall_policies", properties)
    raw.listed(SUBSCRIPTION, "firewall_policy_rule_collection_groups", raw.ids[name])


def rule_group(raw: Raw, of: str, name: str, priority: int, *collections: Json) -> None:
    """A rule collection group of a policy."""
    raw.ids[name] = f"{raw.ids[of]}/ruleCollectionGroups/{name}"
    listed = raw.listed(SUBSCRIPTION, "firewall_policies")
    properties = cast("Json", next(each for each in listed if each["name"] == of)["properties"])
    cast("list[Json]", properties["ruleCollectionGroups"]).append({"id": raw.ids[name]})
    item: Json = {
        "id": raw.ids[name],
        "name": name,
        "properties": {"priority": priority, "ruleCollections": collections},
    }
    raw.listed(SUBSCRIPTION, "firewall_policy_rule_collection_groups", raw.ids[of]).append(item)


def ip_group(raw: Raw, name: str, *addresses: str) -> None:
    raw.add(name, "ipGroups", "ip_groups", {"ipAddresses": list(addresses)})


def firewall(
    raw: Raw, name: str, subnet: str, address: str, public: str, *, policy: str = "", hub: str = "", **classic: object
) -> None:  # fmt: skip
    """A firewall in a subnet, or in a hub; ``classic`` are its own collections as ARM names them."""
    properties: Json = {"threatIntelMode": "Alert", **classic}
    if policy:
        properties["firewallPolicy"] = raw.ref(policy)
    if hub:
        properties["virtualHub"] = raw.ref(hub)
        addresses = {"count": 1, "addresses": [{"address": public}]}
        properties["hubIPAddresses"] = {"privateIPAddress": address, "publicIPs": addresses}
        properties["sku"] = {"name": "AZFW_Hub", "tier": "Standard"}
    else:
        own: Json = {"subnet": raw.ref(subnet), "privateIPAddress": address}
        if public:
            own["publicIPAddress"] = raw.ref(public)
        properties["ipConfigurations"] = [{"name": "one", "properties": own}]
    raw.add(name, "azureFirewalls", "azure_firewalls", properties)


def hub_and_spokes(
    *, routed_back: bool = True, forwarded: bool = True, state: str = "Connected", within: bool = False,
    guard: Raw | None = None,
) -> Raw:  # fmt: skip
    """Spokes ``a`` (10.1.1.4) and ``b`` (10.2.1.4), a hub with ``h`` (10.0.2.4) and a firewall at 10.0.1.4.

    Everything that the spokes send elsewhere goes to the firewall; its policy ``pol`` has no rules yet.

    Args:
        routed_back: so does what ``b`` sends.
        forwarded: the spokes take what the hub forwards.
        state: the state of the peering of ``a``.
        within: what ``a`` sends inside its own network goes to the firewall, too.
        guard: an estate to go on from, with the group ``nsg-b`` for the subnet of ``b``.
    """
    raw = Raw() if guard is None else guard
    everything = ("0.0.0.0/0", "VirtualAppliance", "10.0.1.4")
    own = ("10.1.0.0/16", "VirtualAppliance", "10.0.1.4")
    raw.table("rt-a", everything, *((own,) if within else ()))
    raw.table("rt-b", *((everything,) if routed_back else ()))
    raw.public("pip", "20.50.0.10")
    raw.vnet("hub", "10.0.0.0/16")
    raw.vnet("spoke-a", "10.1.0.0/16")
    raw.vnet("spoke-b", "10.2.0.0/16")
    raw.subnet("hub", "AzureFirewallSubnet", "10.0.1.0/26")
    raw.subnet("hub", "shared", "10.0.2.0/24")
    raw.subnet("spoke-a", "sa", "10.1.1.0/24", table="rt-a")
    raw.subnet("spoke-b", "sb", "10.2.1.0/24", table="rt-b", nsg="" if guard is None else "nsg-b")
    raw.nic("a", "sa", "10.1.1.4")
    raw.nic("a2", "sa", "10.1.1.5")
    raw.nic("b", "sb", "10.2.1.4")
    raw.nic("h", "shared", "10.0.2.4")
    for spoke, at in (("spoke-a", state), ("spoke-b", "Connected")):
        raw.peering("hub", spoke, state=at)
        raw.peering(spoke, "hub", state=at, forwarded=forwarded)
    policy(raw, "pol")
    firewall(raw, "fw", "AzureFirewallSubnet", "10.0.1.4", "pip", policy="pol")
    return raw


def hub(raw: Raw, name: str, prefix: str, *, wan: str, branches: bool = False) -> None:
    """A virtual hub with its default table; nothing is connected yet."""
    if wan not in raw.ids:
        raw.add(wan, "virtualWans", "virtual_wans", {"type": "Standard", "allowBranchToBranchTraffic": True})
    properties: Json = {"addressPrefix": prefix, "virtualWan": raw.ref(wan), "routingState": "Provisioned"}
    if branches:
        properties["vpnGateway"] = {"id": f"{raw.ids[wan]}-vpn"}
    raw.add(name, "virtualHubs", "virtual_hubs", properties)
    for operation in ("hub_route_tables", "hub_virtual_network_connections", "routing_intents"):
        raw.listed(SUBSCRIPTION, operation, raw.ids[name])
    hub_table(raw, name, "defaultRouteTable", labels=("default",))
    hub_table(raw, name, "noneRouteTable", labels=("none",))


def hub_table(
    raw: Raw, of: str, name: str, *routes: tuple[Sequence[str], str], labels: Sequence[str] = ()
) -> None:  # fmt: skip
    """A route table of a hub, in place of one of its name; a route is prefixes and the short name of its next hop."""
    own = f"{raw.ids[of]}/hubRouteTables/{name}"
    raw.ids[f"{of}/{name}"] = own
    wires: list[Json] = [
        {
            "name": f"route{number}",
            "destinationType": "CIDR",
            "destinations": list(prefixes),
            "nextHopType": "ResourceId",
            "nextHop": raw.ids[hop],
        }
        for number, (prefixes, hop) in enumerate(routes)
    ]
    listed = raw.listed(SUBSCRIPTION, "hub_route_tables", raw.ids[of])
    listed[:] = [each for each in listed if each["id"] != own]
    listed.append({"id": own, "name": name, "properties": {"routes": wires, "labels": list(labels)}})


def connect(
    raw: Raw, of: str, name: str, network: str, *, table: str = "defaultRouteTable",
    propagates: Sequence[str] = ("defaultRouteTable",), labels: Sequence[str] = (), internet: bool = True,
) -> None:  # fmt: skip
    """The connection of a network to a hub; tables are those of the hub by name."""
    own = f"{raw.ids[of]}/hubVirtualNetworkConnections/{name}"
    raw.ids[name] = own
    routing: Json = {
        "associatedRouteTable": {"id": raw.ids[f"{of}/{table}"]},
        "propagatedRouteTables": {
            "labels": list(labels),
            "ids": [{"id": raw.ids[f"{of}/{each}"]} for each in propagates],
        },
        "vnetRoutes": {"staticRoutes": []},
    }
    properties: Json = {
        "provisioningState": "Succeeded",
        "remoteVirtualNetwork": raw.ref(network),
        "enableInternetSecurity": internet,
        "routingConfiguration": routing,
    }
    listed = raw.listed(SUBSCRIPTION, "hub_virtual_network_connections", raw.ids[of])
    listed.append({"id": own, "name": name, "properties": properties})


def intent(raw: Raw, of: str, firewall: str, *destinations: str) -> None:
    """The routing intent of a hub: ``Internet``, ``PrivateTraffic`` or both go through its firewall."""
    policies: list[Json] = [
        {"name": each, "destinations": [each], "nextHop": raw.ids[firewall]} for each in destinations
    ]
    own = f"{raw.ids[of]}/routingIntent/{of}-intent"
    listed = raw.listed(SUBSCRIPTION, "routing_intents", raw.ids[of])
    listed.append({"id": own, "name": f"{of}-intent", "properties": {"routingPolicies": policies}})
