"""Builds raw application gateways, bastion hosts and scale sets, as ARM returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tests.azure.raw import SUBSCRIPTION, Raw
from tests.azure.raw_parts import rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.azure.oracle_records import Json

__all__ = ["GATEWAY_MANAGER", "PUBLIC", "application_gateway", "bastion", "gateway_estate", "scale_set"]

PUBLIC = "20.50.0.10"
GATEWAY_MANAGER = rule(200, "Allow", "GatewayManager", "*", "65200-65535", protocol="Tcp", name="management")


def application_gateway(
    raw: Raw, name: str, subnet: str, listeners: Sequence[tuple[str, int, str, int]], *, public: str = "",
    private: str = "", addresses: dict[str, list[Json]] | None = None, state: str = "Running", layer4: bool = False,
) -> None:  # fmt: skip
    """A gateway; a listener is its frontend (``public`` or ``private``), its port, the pool and the pool's port."""
    raw.add(name, "applicationGateways", "application_gateways", {})
    base = raw.ids[name]

    def child(kind: str, own: str) -> Json:
        return {"id": f"{base}/{kind}/{own}"}

    def item(kind: str, own: str, properties: Json) -> Json:
        return {**child(kind, own), "name": own, "properties": properties}

    frontends: list[Json] = []
    if public:
        frontends.append(item("frontendIPConfigurations", "public", {"publicIPAddress": raw.ref(public)}))
    if private:
        own: Json = {"privateIPAddress": private, "privateIPAllocationMethod": "Static", "subnet": raw.ref(subnet)}
        frontends.append(item("frontendIPConfigurations", "private", own))
    pools = {pool for _, _, pool, _ in listeners} | set(addresses or {})
    for pool in pools:
        raw.ids[f"{name}-{pool}"] = f"{base}/backendAddressPools/{pool}"
    heard = "listeners" if layer4 else "httpListeners"
    asked = "backendSettingsCollection" if layer4 else "backendHttpSettingsCollection"
    rules = "routingRules" if layer4 else "requestRoutingRules"
    ports = sorted({port for _, port, _, _ in listeners})
    backs = sorted({port for _, _, _, port in listeners})
    wires: list[Json] = []
    routed: list[Json] = []
    for number, (frontend, port, pool, back) in enumerate(listeners):
        at: Json = {
            "frontendIPConfiguration": child("frontendIPConfigurations", frontend),
            "frontendPort": child("frontendPorts", f"port-{port}"),
            "protocol": "Tcp" if layer4 else "Https",
        }
        wires.append(item(heard, f"listener-{number}", at))
        leads: Json = {
            "ruleType": "Basic",
            "listener" if layer4 else "httpListener": child(heard, f"listener-{number}"),
            "backendAddressPool": child("backendAddressPools", pool),
            "backendSettings" if layer4 else "backendHttpSettings": child(asked, f"settings-{back}"),
        }
        routed.append(item(rules, f"rule-{number}", leads))
    properties: Json = {
        "provisioningState": "Succeeded",
        "operationalState": state,
        "sku": {"name": "WAF_v2", "tier": "WAF_v2", "capacity": 2},
        "gatewayIPConfigurations": [item("gatewayIPConfigurations", "own", {"subnet": raw.ref(subnet)})],
        "frontendIPConfigurations": frontends,
        "frontendPorts": [item("frontendPorts", f"port-{port}", {"port": port}) for port in ports],
        "backendAddressPools": [
            item("backendAddressPools", pool, {"backendAddresses": (addresses or {}).get(pool, [])})
            for pool in sorted(pools)
        ],
        asked: [item(asked, f"settings-{port}", {"port": port, "protocol": "Http"}) for port in backs],
        heard: wires,
        rules: routed,
    }
    found = next(each for each in raw.listed(SUBSCRIPTION, "application_gateways") if each["name"] == name)
    found["properties"] = properties


def join_pool(raw: Raw, nic: str, pool: str) -> None:
    """Put the first configuration of an interface into a gateway's pool, ``<gateway>-<pool>``."""
    listed = raw.listed(raw.subscription_of(nic), "network_interfaces")
    found = cast("Json", next(each for each in listed if each["name"] == nic)["properties"])
    first = cast("list[Json]", found["ipConfigurations"])[0]
    cast("Json", first["properties"])["applicationGatewayBackendAddressPools"] = [raw.ref(pool)]


def gateway_estate(
    *rules: Json, listeners: Sequence[tuple[str, int, str, int]] = (("public", 443, "web", 8080),), private: str = "",
    backend_rules: tuple[Json, ...] | None = None, addresses: dict[str, list[Json]] | None = None, layer4: bool = False,
) -> Raw:  # fmt: skip
    """The gateway ``agw`` in 10.1.9.0/24 before ``web`` (10.1.1.4), and ``other`` (10.1.2.4) beside.

    ``rules`` are those of the NSG at the gateway's subnet, ``backend_rules`` those at the subnet of ``web``.
    """
    raw = Raw()
    if rules:
        raw.nsg("nsg-agw", *rules)
    if backend_rules is not None:
        raw.nsg("nsg-web", *backend_rules)
    raw.public("pip-agw", PUBLIC)
    raw.vnet("v1", "10.1.0.0/16")
    raw.subnet("v1", "s-agw", "10.1.9.0/24", nsg="nsg-agw" if rules else "")
    raw.subnet("v1", "s-web", "10.1.1.0/24", nsg="" if backend_rules is None else "nsg-web")
    raw.subnet("v1", "s-other", "10.1.2.0/24")
    raw.nic("web", "s-web", "10.1.1.4")
    raw.nic("other", "s-other", "10.1.2.4")
    application_gateway(
        raw, "agw", "s-agw", listeners, public="pip-agw", private=private, addresses=addresses, layer4=layer4
    )
    if addresses is None:
        join_pool(raw, "web", "agw-web")
    return raw


def bastion(raw: Raw, name: str, subnet: str, *, public: str = "", sku: str = "Basic") -> None:
    """A bastion host in its subnet."""
    own: Json = {"privateIPAllocationMethod": "Dynamic", "subnet": raw.ref(subnet)}
    if public:
        own["publicIPAddress"] = raw.ref(public)
    properties: Json = {"scaleUnits": 2, "ipConfigurations": [{"name": "IpConf", "properties": own}]}
    raw.add(name, "bastionHosts", "bastion_hosts", properties, sku=sku)


def scale_set(raw: Raw, name: str, *, nsg: str = "", asgs: Sequence[str] = ()) -> str:
    """A scale set, and what its model says of the interfaces of its instances; returns its id."""
    own = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/{name}"
    configuration: Json = {"applicationSecurityGroups": [raw.ref(asg) for asg in asgs]}
    interface: Json = {"primary": True, "ipConfigurations": [{"name": "first", "properties": configuration}]}
    if nsg:
        interface["networkSecurityGroup"] = raw.ref(nsg)
    profile: Json = {"networkInterfaceConfigurations": [{"name": "nic", "properties": interface}]}
    properties: Json = {"orchestrationMode": "Uniform", "virtualMachineProfile": {"networkProfile": profile}}
    place = (SUBSCRIPTION, "compute", "virtual_machine_scale_sets")
    answer = cast("Json", raw.answers.setdefault(place, {"value": []}))
    cast("list[Json]", answer["value"]).append(
        {"id": own, "name": name, "location": "westeurope", "properties": properties}
    )
    return own
