"""The stages that a packet meets in an Azure virtual network."""

from __future__ import annotations

from typing import Final

from cloudseg.model import Pipeline, Stage

__all__ = ["ADMIN_RULES", "NIC_NSG", "PIPELINE", "PLATFORM", "PUBLIC_ADDRESS", "SUBNET_NSG", "VNET"]

PIPELINE: Final = "azure"
PLATFORM: Final = "azure-platform"
ADMIN_RULES: Final = "admin-rules"
PUBLIC_ADDRESS: Final = "standard-public-address"
SUBNET_NSG: Final = "subnet-nsg"
NIC_NSG: Final = "nic-nsg"

_PLATFORM = Stage(name=PLATFORM, at="platform", stateful=True, match="first", miss="next", told=False)
_ADMIN = Stage(name=ADMIN_RULES, at="network", stateful=True, match="first", miss="next", told=False)
_PUBLIC = Stage(name=PUBLIC_ADDRESS, at="platform", stateful=True, match="first", miss="next", told=False)
_SUBNET = Stage(name=SUBNET_NSG, at="subnet", stateful=True, match="first", miss="deny")
_NIC = Stage(name=NIC_NSG, at="interface", stateful=True, match="first", miss="deny")

VNET: Final = Pipeline(
    name=PIPELINE,
    ingress=(_PLATFORM, _ADMIN, _PUBLIC, _SUBNET, _NIC),
    egress=(_PLATFORM, _ADMIN, _NIC, _SUBNET),
)
"""What the host answers by itself, security admin rules, then the NSGs of subnet and network interface.

Both NSGs must let a packet pass, inside one subnet as well, and both are stateful. Sources:
https://learn.microsoft.com/azure/virtual-network/network-security-group-how-it-works and
https://learn.microsoft.com/azure/virtual-network-manager/concept-security-admins
"""
