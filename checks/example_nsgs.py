"""Small Azure estates with NSGs and application security groups, for the examples of the checks about rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.checks.example_azure import AzureBuilder, arm
from cloudseg.model import (
    ANYONE,
    Addresses,
    AddressList,
    AnyOf,
    Carries,
    Gateway,
    Group,
    GroupRef,
    InSubnets,
    Interface,
    ListRef,
    Network,
    Route,
    RouteTable,
    Rule,
    RuleSet,
)
from cloudseg.traffic import ALL_IPV4, GLOBAL_UNICAST, NO_ADDRESSES, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cloudseg.model import Direction, Peer

__all__ = ["NsgBuilder", "asg_id", "nsg_id", "nsg_rule", "subnet_id", "vnet_id"]

_REGION: Final = "westeurope"
_VNET: Final = AddressSet.parse("10.1.0.0/16")
_HOST: Final = AddressSet.parse("168.63.129.16")
_LISTS: Final[Mapping[str, AddressSet]] = {
    "VirtualNetwork": _VNET | _HOST,
    "Internet": GLOBAL_UNICAST - _VNET - _HOST,
    "AzureLoadBalancer": _HOST,
    "AzureCloud": AddressSet.parse("20.0.0.0/8"),
    "Sql.WestEurope": AddressSet.parse("52.236.184.0/24"),
}


def nsg_id(name: str) -> str:
    """Return the own id of an NSG."""
    return arm("microsoft.network/networksecuritygroups", name)


def asg_id(name: str) -> str:
    """Return the own id of an application security group."""
    return arm("microsoft.network/applicationsecuritygroups", name)


def vnet_id() -> str:
    """Return the own id of the virtual network."""
    return arm("microsoft.network/virtualnetworks", "vnet-1")


def subnet_id(name: str) -> str:
    """Return the own id of a subnet."""
    return f"{vnet_id()}/subnets/{name}"


def nsg_rule(
    direction: Direction,
    priority: int,
    traffic: str,
    remote: str = "*",
    *,
    local: str = "*",
    deny: bool = False,
    description: str = "what it is for",
) -> Rule:
    """Return a rule of an NSG.

    Args:
        direction: its direction.
        priority: its priority.
        traffic: its traffic.
        remote: its other end: addresses, a service tag, the name of an application security group, ``*`` for everyone.
        local: its near end, likewise.
        deny: it denies.
        description: what people wrote about it.
    """
    return Rule(
        id=f"{'inbound' if direction == 'ingress' else 'outbound'}/rule-{priority}",
        direction=direction,
        verdict="deny" if deny else "next",
        traffic=Traffic.parse(traffic),
        remote=_peers(remote),
        local=_peers(local),
        priority=priority,
        description=description,
    )


def _peers(text: str) -> tuple[Peer, ...]:
    if text == "*":
        return ANYONE
    if text.startswith("asg-"):
        return (GroupRef(AzureBuilder.id(asg_id(text))),)
    if text[0].isalpha():
        return (ListRef(AzureBuilder.id(text)),)
    return (Addresses(AddressSet.parse(text)),)


def _defaults() -> tuple[Rule, ...]:
    """Return the rules that every NSG has.

    Source: https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#default-security-rules
    """
    written = (
        ("inbound/AllowVnetInBound", nsg_rule("ingress", 65000, "all", "VirtualNetwork", local="VirtualNetwork")),
        ("inbound/AllowAzureLoadBalancerInBound", nsg_rule("ingress", 65001, "all", "AzureLoadBalancer")),
        ("inbound/DenyAllInBound", nsg_rule("ingress", 65500, "all", deny=True)),
        ("outbound/AllowVnetOutBound", nsg_rule("egress", 65000, "all", "VirtualNetwork", local="VirtualNetwork")),
        ("outbound/AllowInternetOutBound", nsg_rule("egress", 65001, "all", "Internet")),
        ("outbound/DenyAllOutBound", nsg_rule("egress", 65500, "all", deny=True)),
    )
    return tuple(msgspec.structs.replace(rule, id=name, description="", fixed=True) for name, rule in written)


class NsgBuilder(AzureBuilder):
    """Builds an estate of one virtual network that leads to the internet, without any machine yet.

    Args:
        unread: facets that were not read.
    """

    def __init__(self, *, unread: Iterable[str] = ()) -> None:
        super().__init__(unread=unread)
        # The machine of a new builder stands behind no NSG.
        self._resources["interfaces"] = {}
        self.put(
            "networks",
            Network(
                id=self.network,
                kind="virtual-network",
                name="vnet-1",
                region=_REGION,
                pipeline="azure",
                addresses=_VNET,
                routes_within_subnets=True,
                groups_by_address=True,
            ),
        )
        for kind in ("internet", "host"):
            gateway = Gateway(
                id=f"{self.network}/{kind}",
                kind=kind,
                name=kind.title(),
                region=_REGION,
                networks=frozenset((self.network,)),
                public=kind == "internet",
            )
            self.put("gateways", gateway)
        self._route()
        for name, addresses in _LISTS.items():
            self.put(
                "address_lists",
                AddressList(
                    id=self.id(name),
                    kind="service-tag",
                    name=name,
                    prefixes=tuple(addresses.cidrs()),
                    owner="provider",
                    any_tenant=name == "AzureCloud",
                ),
            )

    def _route(self) -> None:
        """Add the routes of the subnets: inside, to the host, and of all else to the internet."""
        routes = (
            Route(destination=Addresses(_VNET), kind="local"),
            Route(destination=Addresses(_HOST), kind="private-gateway", target=f"{self.network}/host"),
            Route(destination=Addresses(ALL_IPV4), kind="internet-gateway", target=f"{self.network}/internet"),
        )
        self.put(
            "route_tables",
            RouteTable(
                id=self.id(arm("microsoft.network/routetables", "routes")),
                kind="route-table",
                name="routes",
                region=_REGION,
                network=self.network,
                routes=routes,
                subnets=frozenset((self.subnet("web"), self.subnet("data"))),
            ),
        )

    def nsg(self, name: str, *rules: Rule, subnet: str = "", nowhere: bool = False) -> str:
        """Add an NSG with its default rules at a subnet, at the machines that name it, or nowhere; return its id."""
        own = self.id(nsg_id(name))
        applies = InSubnets(frozenset((self.subnet(subnet),))) if subnet else Carries(own)
        self.put(
            "rule_sets",
            RuleSet(
                id=own,
                kind="network-security-group",
                name=name,
                region=_REGION,
                stage="subnet-nsg" if subnet else "nic-nsg",
                rules=(*rules, *_defaults()),
                applies=AnyOf(()) if nowhere else applies,
                network=None if nowhere else self.network,
            ),
        )
        return own

    def asg(self, name: str) -> str:
        """Add an application security group and return its qualified id."""
        own = self.id(asg_id(name))
        networks = (self.network,)
        self.put(
            "groups",
            Group(
                id=own,
                kind="application-security-group",
                name=name,
                region=_REGION,
                selector=Carries(own),
                networks=networks,
            ),
        )
        return own

    def machine(
        self,
        name: str,
        subnet: str,
        address: str,
        public: str = "",
        *,
        nsg: str = "",
        asgs: Iterable[str] = (),
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Add the network interface of a machine.

        Args:
            name: its name.
            subnet: the subnet's name.
            address: its private address.
            public: its public address.
            nsg: the name of its own NSG.
            asgs: the names of its application security groups.
            tags: its tags.
        """
        attached = {*(self.id(asg_id(each)) for each in asgs), *((self.id(nsg_id(nsg)),) if nsg else ())}
        interface = Interface(
            id=self.id(arm("microsoft.network/networkinterfaces", name)),
            kind="network-interface",
            name=name,
            region=_REGION,
            tags=dict(tags or {}),
            network=self.network,
            subnet=self.subnet(subnet),
            addresses=AddressSet.parse(address),
            public=AddressSet.parse(public) if public else NO_ADDRESSES,
            attached=frozenset(attached),
        )
        self.put("interfaces", interface)
