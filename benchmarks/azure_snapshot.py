"""Writes the snapshot of a large Azure subscription: ``python -m benchmarks.azure_snapshot FOLDER NICS RULES``.

A hub and its spokes, each with five subnets behind an NSG, machines with application security groups, and a second NSG
at the machines of every fifth subnet. Of the rules half name groups, a third ranges, the rest service tags; some are
for a single machine of the subnet, some deny.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from cloudseg.providers.azure.operations import OPERATIONS
from cloudseg.snapshot import Manifest, Part, ScopeRead, Snapshot, save

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["azure_snapshot"]

Json: TypeAlias = "dict[str, object]"

SUBSCRIPTION: Final = "11111111-2222-3333-4444-555555555555"
_NETWORK: Final = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network"
_NETWORKS, _SUBNETS = 20, 5
_GROUPS: Final = 10
"""So many application security groups has a network."""
_TAGS: Final = {"Storage": "20.60.0.0/16", "Sql": "52.236.184.0/22", "AzureCloud": "20.0.0.0/8"}
_DEFAULTS: Final = (
    ("AllowVnetInBound", "Inbound", "Allow", 65000, "VirtualNetwork", "VirtualNetwork"),
    ("AllowAzureLoadBalancerInBound", "Inbound", "Allow", 65001, "AzureLoadBalancer", "*"),
    ("DenyAllInBound", "Inbound", "Deny", 65500, "*", "*"),
    ("AllowVnetOutBound", "Outbound", "Allow", 65000, "VirtualNetwork", "VirtualNetwork"),
    ("AllowInternetOutBound", "Outbound", "Allow", 65001, "*", "Internet"),
    ("DenyAllOutBound", "Outbound", "Deny", 65500, "*", "*"),
)


def azure_snapshot(nics: int, rules: int) -> Snapshot:
    """Return a snapshot of so many network interfaces and so many rules of NSGs of their users' own."""
    draw = random.Random(7)
    subnets = [(network, subnet) for network in range(_NETWORKS) for subnet in range(_SUBNETS)]
    guarded = subnets[::5]
    each = rules // (len(subnets) + len(guarded))
    listed: dict[str, list[Json]] = {
        "virtual_networks": [_network(number) for number in range(_NETWORKS)],
        "application_security_groups": [
            _item("applicationSecurityGroups", f"asg-{network}-{number}", {})
            for network in range(_NETWORKS)
            for number in range(_GROUPS)
        ],
        "network_security_groups": [
            *(_nsg(f"nsg-{network}-{subnet}", network, subnet, each, draw) for network, subnet in subnets),
            *(_nsg(f"nsg-nic-{network}-{subnet}", network, subnet, each, draw) for network, subnet in guarded),
        ],
        "network_interfaces": list(_interfaces(nics, subnets, frozenset(guarded), draw)),
        "public_ip_addresses": [
            _item("publicIPAddresses", f"pip-{number}", _address(number)) | {"sku": {"name": "Standard"}}
            for number in range(nics // 50)
        ],
    }
    parts: dict[Part, object] = {}
    for operation in OPERATIONS:
        if operation.per is None:
            held = listed.get(operation.name, []) if operation.service == "network" else []
            parts[Part("azure", SUBSCRIPTION, "global", operation.service, operation.name)] = {"value": held}
    for number in range(_NETWORKS):
        own = f"{_NETWORK}/virtualNetworks/vnet-{number}"
        parts[Part("azure", SUBSCRIPTION, "global", "network", "effective_security_admin_rules", own)] = {"value": []}
    tags = [{"name": name, "properties": {"addressPrefixes": [cidr]}} for name, cidr in _TAGS.items()]
    parts[Part("azure", SUBSCRIPTION, "global", "network", "service_tags", "westeurope")] = {"values": tags}
    scopes = (ScopeRead("azure", SUBSCRIPTION, ("westeurope",), "reader"),)
    return Snapshot.of(parts, Manifest("2026-01-15T12:00:00Z", "cloudseg", scopes))


def _item(kind: str, name: str, properties: Json) -> Json:
    return {
        "id": f"{_NETWORK}/{kind}/{name}",
        "name": name,
        "type": f"Microsoft.Network/{kind}",
        "location": "westeurope",
        "properties": {"provisioningState": "Succeeded", **properties},
    }


def _ref(kind: str, name: str) -> Json:
    return {"id": f"{_NETWORK}/{kind}/{name}"}


def _address(number: int) -> Json:
    return {"ipAddress": f"20.{100 + number // 250}.0.{number % 250 + 1}", "publicIPAddressVersion": "IPv4"}


def _network(number: int) -> Json:
    peers = range(1, _NETWORKS) if number == 0 else (0,)
    return _item(
        "virtualNetworks",
        f"vnet-{number}",
        {
            "addressSpace": {"addressPrefixes": [f"10.{number}.0.0/16"]},
            "subnets": [_subnet(number, subnet) for subnet in range(_SUBNETS)],
            "virtualNetworkPeerings": [_peering(number, peer) for peer in peers],
        },
    )


def _subnet(network: int, subnet: int) -> Json:
    return {
        "id": f"{_NETWORK}/virtualNetworks/vnet-{network}/subnets/subnet-{subnet}",
        "name": f"subnet-{subnet}",
        "properties": {
            "addressPrefix": f"10.{network}.{subnet * 16}.0/20",
            "networkSecurityGroup": _ref("networkSecurityGroups", f"nsg-{network}-{subnet}"),
            "defaultOutboundAccess": False,
            "privateEndpointNetworkPolicies": "Disabled",
        },
    }


def _peering(network: int, peer: int) -> Json:
    space = {"addressPrefixes": [f"10.{peer}.0.0/16"]}
    return {
        "id": f"{_NETWORK}/virtualNetworks/vnet-{network}/virtualNetworkPeerings/to-{peer}",
        "name": f"to-{peer}",
        "properties": {
            "peeringState": "Connected",
            "peeringSyncLevel": "FullyInSync",
            "remoteVirtualNetwork": _ref("virtualNetworks", f"vnet-{peer}"),
            "allowVirtualNetworkAccess": True,
            "remoteAddressSpace": space,
            "remoteVirtualNetworkAddressSpace": space,
        },
    }


def _nsg(name: str, network: int, subnet: int, count: int, draw: random.Random) -> Json:
    own = [_rule(number, network, subnet, draw) for number in range(count - 1)]
    own.append(_written("deny-all", "Inbound", "Deny", 4096, "*", "*", "*"))
    defaults = [_written(*written, "*") for written in _DEFAULTS]
    return _item("networkSecurityGroups", name, {"securityRules": own, "defaultSecurityRules": defaults})


def _rule(number: int, network: int, subnet: int, draw: random.Random) -> Json:
    inward = draw.random() < 0.8
    kind = draw.random()
    other: object
    if kind < 0.5:
        other = [_ref("applicationSecurityGroups", f"asg-{network}-{draw.randrange(_GROUPS)}")]
    elif kind < 0.85:
        other = f"10.{network}.{draw.randrange(_SUBNETS) * 16 + draw.randrange(16)}.0/{draw.choice((22, 24, 26))}"
    else:
        other = draw.choice((*_TAGS, "VirtualNetwork", "Internet"))
    near = "*"
    if draw.random() < 0.2:
        near = f"10.{network}.{subnet * 16}.{draw.randrange(4, 250)}/32"
    access = "Deny" if draw.random() < 0.1 else "Allow"
    port = str(draw.choice((22, 80, 443, 1433, 5432, 8080, 9000 + draw.randrange(200))))
    ends = (other, near) if inward else (near, other)
    return _written(f"rule-{number}", "Inbound" if inward else "Outbound", access, 100 + number, *ends, port)


def _written(name: str, direction: str, access: str, priority: int, *matched: object) -> Json:
    source, target, port = matched
    properties: Json = {
        "direction": direction,
        "access": access,
        "priority": priority,
        "protocol": "*" if port == "*" else "Tcp",
        "sourcePortRange": "*",
        "destinationPortRange": port,
    }
    for side, end in (("source", source), ("destination", target)):
        if isinstance(end, str):
            properties[f"{side}AddressPrefix"] = end
        else:
            properties[f"{side}ApplicationSecurityGroups"] = end
    return {"name": name, "properties": properties}


def _interfaces(
    count: int, subnets: list[tuple[int, int]], guarded: frozenset[tuple[int, int]], draw: random.Random
) -> Iterator[Json]:
    for number in range(count):
        place = subnets[number % len(subnets)]
        network, subnet = place
        within = number // len(subnets) + 4
        configuration: Json = {
            "primary": True,
            "privateIPAddress": f"10.{network}.{subnet * 16 + within // 256}.{within % 256}",
            "privateIPAddressVersion": "IPv4",
            "subnet": {"id": f"{_NETWORK}/virtualNetworks/vnet-{network}/subnets/subnet-{subnet}"},
            "applicationSecurityGroups": [
                _ref("applicationSecurityGroups", f"asg-{network}-{group}")
                for group in sorted(draw.sample(range(_GROUPS), draw.randint(0, 2)))
            ],
        }
        if number % 50 == 0:
            configuration["publicIPAddress"] = _ref("publicIPAddresses", f"pip-{number // 50}")
        properties: Json = {
            "ipConfigurations": [{"name": "ipconfig0", "properties": configuration}],
            "virtualMachine": {"id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/vm/vm-{number}"},
        }
        if place in guarded:
            properties["networkSecurityGroup"] = _ref("networkSecurityGroups", f"nsg-nic-{network}-{subnet}")
        yield _item("networkInterfaces", f"nic-{number}", properties)


if __name__ == "__main__":
    save(azure_snapshot(int(sys.argv[2]), int(sys.argv[3])), Path(sys.argv[1]))
