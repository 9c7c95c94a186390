"""More parts of small Azure estates for the examples of the checks about routes: the internet, tables, firewalls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.example_azure import AzureBuilder, arm
from cloudseg.model import Addresses, Firewall, Gateway, Interface, Route, RouteTable, Subnet
from cloudseg.traffic import ALL_IPV4, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.model import TargetKind

__all__ = ["add_machine", "add_table", "add_wall", "set_default_outbound", "wall", "with_internet"]

_REGION: Final = "westeurope"
_PRIVATE: Final = AddressSet.from_cidrs(("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))


def wall(b: AzureBuilder) -> str:
    """Return the qualified id of the firewall that :func:`add_wall` adds."""
    return b.id(arm("microsoft.network/azurefirewalls", "firewall-1"))


def with_internet() -> AzureBuilder:
    """Return an estate whose network leads to the internet; its subnets have no route table yet."""
    b = AzureBuilder()
    gateway = Gateway(
        id=f"{b.network}/internet",
        kind="internet",
        name="Internet",
        region=_REGION,
        networks=frozenset((b.network,)),
        public=True,
    )
    b.put("gateways", gateway)
    return b


def add_table(b: AzureBuilder, name: str, *subnets: str, firewall: bool = False) -> None:
    """Add the routes of subnets: to the network itself, and of all else to the internet or to the firewall."""
    kind: TargetKind = "endpoint" if firewall else "internet-gateway"
    own = b.id(arm("microsoft.network/routetables", name))
    routes = (
        Route(destination=Addresses(AddressSet.parse("10.1.0.0/16")), kind="local"),
        Route(destination=Addresses(ALL_IPV4), kind=kind, target=wall(b) if firewall else f"{b.network}/internet"),
    )
    b.put(
        "route_tables",
        RouteTable(
            id=own,
            kind="route-table",
            name=name,
            region=_REGION,
            network=b.network,
            routes=routes,
            subnets=frozenset(b.subnet(each) for each in subnets),
        ),
    )


def add_wall(b: AzureBuilder, *, filters: bool | None = True, names: Iterable[str] = (), reason: str = "") -> None:
    """Add a firewall with a public address in a subnet of its own, which leads to the internet."""
    subnet, own = b.subnet("AzureFirewallSubnet"), f"{wall(b)}/ipconfigurations"
    b.put(
        "subnets",
        Subnet(
            id=subnet,
            kind="subnet",
            name="AzureFirewallSubnet",
            region=_REGION,
            network=b.network,
            addresses=AddressSet.parse("10.1.9.0/26"),
        ),
    )
    add_table(b, "routes-firewall", "AzureFirewallSubnet")
    b.put(
        "interfaces",
        Interface(
            id=own,
            kind="network-interface",
            name="firewall-1",
            region=_REGION,
            network=b.network,
            subnet=subnet,
            addresses=AddressSet.parse("10.1.9.4"),
            public=AddressSet.parse("20.50.0.10"),
            role="azure_firewall",
            forwards=True,
            derived=True,
        ),
    )
    b.put(
        "firewalls",
        Firewall(
            id=wall(b),
            kind="azure-firewall",
            name="firewall-1",
            region=_REGION,
            network=b.network,
            subnets=frozenset((subnet,)),
            endpoints=frozenset((wall(b),)),
            filters=filters,
            names=tuple(names),
            reason=reason,
            interfaces=frozenset((own,)),
            translates=ALL_IPV4 - _PRIVATE,
        ),
    )


def set_default_outbound(b: AzureBuilder, subnet: str, *, told: bool | None) -> None:
    """Say whether Azure lends addresses unasked in a subnet; None when that was not read."""
    known = Subnet(
        id=b.subnet(subnet),
        kind="subnet",
        name=subnet,
        region=_REGION,
        network=b.network,
        addresses=AddressSet.parse("10.1.1.0/24" if subnet == "web" else "10.1.2.0/24"),
        default_outbound=told,
    )
    b.put("subnets", known)


def add_machine(
    b: AzureBuilder, name: str, subnet: str, address: str, *, lent: str = "", unasked: bool | None = False
) -> None:  # fmt: skip
    """Add a machine's interface without a public address of its own.

    Args:
        b: the estate.
        name: its name.
        subnet: the subnet's name.
        address: its private address.
        lent: the address of a NAT gateway; empty for none.
        unasked: Azure lends it one unasked; None when that was not read.
    """
    interface = Interface(
        id=b.id(arm("microsoft.network/networkinterfaces", name)),
        kind="network-interface",
        name=name,
        region=_REGION,
        network=b.network,
        subnet=b.subnet(subnet),
        addresses=AddressSet.parse(address),
        lent=AddressSet.parse(lent) if lent else NO_ADDRESSES,
        lent_unlisted=False if lent else unasked,
    )
    b.put("interfaces", interface)
