"""Load balancers, private endpoints and gateways, as ARM returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.azure.oracle_records import Json
    from tests.azure.raw import Raw

__all__ = ["balance", "balancer", "endpoint", "gateway", "nat_rule", "outbound_rule"]


def balance(
    front: int, back: int, *, protocol: str = "Tcp", snat: bool = True
) -> tuple[str, Json]:  # fmt: skip
    """A load balancing rule between two ports; protocol All with port 0 is every port."""
    properties: Json = {"protocol": protocol, "frontendPort": front, "backendPort": back}
    return "loadBalancingRules", {**properties, "disableOutboundSnat": not snat, "enableFloatingIP": False}


def nat_rule(front: int, back: int, *, protocol: str = "Tcp") -> tuple[str, Json]:
    """An inbound NAT rule; its name is ``<load balancer>-nat-<frontend port>``."""
    return "inboundNatRules", {"protocol": protocol, "frontendPort": front, "backendPort": back}


def outbound_rule(protocol: str = "All") -> tuple[str, Json]:
    return "outboundRules", {"protocol": protocol, "allocatedOutboundPorts": 1024}


def balancer(
    raw: Raw, name: str, *rules: tuple[str, Json], public: str = "", subnet: str = "", address: str = "",
    sku: str = "Standard", subscription: str,
) -> None:  # fmt: skip
    """A load balancer of one frontend and the pool ``<name>-pool``, which every rule but NAT rules leads to."""
    own: Json = {"publicIPAddress": raw.ref(public)} if public else {"subnet": raw.ref(subnet)}
    if address:
        own["privateIPAddress"] = address
    properties: Json = {}
    item = raw.add(name, "loadBalancers", "load_balancers", properties, subscription=subscription, sku=sku)
    base = raw.ids[name]
    raw.ids[f"{name}-pool"] = f"{base}/backendAddressPools/{name}-pool"
    front = f"{base}/frontendIPConfigurations/front"
    found: dict[str, list[Json]] = {key: [] for key in ("loadBalancingRules", "inboundNatRules", "outboundRules")}
    for number, (kind, each) in enumerate(rules):
        ports = each.get("frontendPort")
        own_name = f"{name}-nat-{ports}" if kind == "inboundNatRules" else f"{kind}-{number}"
        raw.ids[own_name] = f"{base}/{kind}/{own_name}"
        wire: Json = dict(each)
        if kind == "outboundRules":
            wire["frontendIPConfigurations"] = [{"id": front}]
        else:
            wire["frontendIPConfiguration"] = {"id": front}
        if kind != "inboundNatRules":
            wire["backendAddressPool"] = raw.ref(f"{name}-pool")
        found[kind].append({"id": raw.ids[own_name], "name": own_name, "properties": wire})
    item["properties"] = {
        "provisioningState": "Succeeded",
        "frontendIPConfigurations": [{"id": front, "name": "front", "properties": own}],
        "backendAddressPools": [{"id": raw.ids[f"{name}-pool"], "name": f"{name}-pool", "properties": {}}],
        **found,
    }


def endpoint(
    raw: Raw, name: str, subnet: str, address: str, *, state: str = "Approved", subscription: str = ""
) -> None:  # fmt: skip
    """A private endpoint with its interface ``<name>-nic``."""
    where = subscription or raw.subscription_of(subnet)
    service = f"/subscriptions/{where}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/{name}account"
    link: Json = {
        "name": name,
        "properties": {
            "privateLinkServiceId": service,
            "groupIds": ["blob"],
            "privateLinkServiceConnectionState": {"status": state, "description": ""},
        },
    }
    nic = f"/subscriptions/{where}/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/{name}-nic"
    properties: Json = {
        "subnet": raw.ref(subnet),
        "privateLinkServiceConnections": [link],
        "manualPrivateLinkServiceConnections": [],
        "networkInterfaces": [{"id": nic}],
    }
    raw.add(name, "privateEndpoints", "private_endpoints", properties, subscription=where)
    raw.nic(f"{name}-nic", subnet, address, endpoint=name, subscription=where)


def gateway(raw: Raw, name: str, subnet: str, prefixes: Sequence[str], *, bgp: bool = False) -> None:
    """A VPN gateway in a ``GatewaySubnet``, with one connection to a site of these prefixes."""
    where = raw.subscription_of(subnet)
    properties: Json = {
        "gatewayType": "Vpn",
        "vpnType": "RouteBased",
        "enableBgp": bgp,
        "ipConfigurations": [{"name": "default", "properties": {"subnet": raw.ref(subnet)}}],
    }
    raw.add(name, "virtualNetworkGateways", "virtual_network_gateways", properties, subscription=where)
    site: Json = {"localNetworkAddressSpace": {"addressPrefixes": list(prefixes)}, "gatewayIpAddress": "20.70.0.9"}
    raw.add(f"{name}-site", "localNetworkGateways", "local_network_gateways", site, subscription=where)
    link: Json = {
        "connectionType": "IPsec",
        "connectionStatus": "Connected",
        "virtualNetworkGateway1": raw.ref(name),
        "localNetworkGateway2": raw.ref(f"{name}-site"),
    }
    raw.add(f"{name}-link", "connections", "virtual_network_gateway_connections", link, subscription=where)
