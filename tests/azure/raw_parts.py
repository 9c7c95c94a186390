"""Rules of groups and of network managers, as ARM returns them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from tests.azure.oracle_records import Json

__all__ = ["DEFAULT_RULES", "Some", "admin_rule", "network_type", "rule"]

Some: TypeAlias = "str | list[str]"
"""One value in the single field, or several in the list beside it."""


def network_type(kind: str) -> str:
    return f"Microsoft.Network/networkSecurityGroups/{kind}"


def _spread(properties: Json, one: str, many: str, value: Some) -> None:
    if isinstance(value, list):
        properties[many] = value
    else:
        properties[one] = value
        properties[many] = []


def rule(
    priority: int, access: str, source: Some = "*", destination: Some = "*", ports: Some = "*", *,
    protocol: str = "*", direction: str = "Inbound", source_ports: Some = "*", name: str = "",
) -> Json:  # fmt: skip
    """A security rule; ends that begin with ``asg-`` are application security groups by their short names."""
    properties: Json = {
        "provisioningState": "Succeeded",
        "protocol": protocol,
        "access": access,
        "priority": priority,
        "direction": direction,
    }
    for side, value in (("source", source), ("destination", destination)):
        listed = value if isinstance(value, list) else [value]
        if listed[0].startswith("asg-"):
            properties[f"{side}ApplicationSecurityGroups"] = listed
            properties[f"{side}AddressPrefixes"] = []
        else:
            _spread(properties, f"{side}AddressPrefix", f"{side}AddressPrefixes", value)
    _spread(properties, "sourcePortRange", "sourcePortRanges", source_ports)
    _spread(properties, "destinationPortRange", "destinationPortRanges", ports)
    return {"name": name or f"{direction}-{priority}", "properties": properties}


def admin_rule(
    priority: int, access: str, source: Some = "*", destination: Some = "*", ports: Some = "*", *,
    protocol: str = "Any", direction: str = "Inbound", source_ports: Some = "*", collection: str = "one",
) -> Json:  # fmt: skip
    """An effective security admin rule of a network."""

    def ends(value: Some) -> list[Json]:
        listed = value if isinstance(value, list) else [value]
        return [{"addressPrefix": each, "addressPrefixType": _kind(each)} for each in listed]

    def many(value: Some) -> list[str]:
        found = value if isinstance(value, list) else [value]
        return ["0-65535"] if found == ["*"] else found

    configuration = (
        "/subscriptions/99999999-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network"
        "/networkManagers/central/securityAdminConfigurations/guard"
    )
    return {
        "id": f"{configuration}/ruleCollections/{collection}/rules/{direction.lower()}-{priority}",
        "kind": "Custom",
        "configurationDescription": "",
        "ruleCollectionDescription": "",
        "ruleCollectionAppliesToGroups": [],
        "ruleGroups": [],
        "properties": {
            "provisioningState": "Succeeded",
            "protocol": protocol,
            "access": access,
            "priority": priority,
            "direction": direction,
            "sources": ends(source),
            "destinations": ends(destination),
            "sourcePortRanges": many(source_ports),
            "destinationPortRanges": many(ports),
        },
    }


def _kind(text: str) -> str:
    return "IPPrefix" if text == "*" or text[0].isdigit() or ":" in text else "ServiceTag"


DEFAULT_RULES = [
    rule(65000, "Allow", "VirtualNetwork", "VirtualNetwork", name="AllowVnetInBound"),
    rule(65001, "Allow", "AzureLoadBalancer", name="AllowAzureLoadBalancerInBound"),
    rule(65500, "Deny", name="DenyAllInBound"),
    rule(65000, "Allow", "VirtualNetwork", "VirtualNetwork", direction="Outbound", name="AllowVnetOutBound"),
    rule(65001, "Allow", "*", "Internet", direction="Outbound", name="AllowInternetOutBound"),
    rule(65500, "Deny", direction="Outbound", name="DenyAllOutBound"),
]
