"""Raw answers to plain values. It reads what a decision needs, and leaves out what was not answered."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, cast

from tests.azure.oracle_reading_balancers import balancer
from tests.azure.oracle_reading_parts import flag, number, part, parts, ref, refs, text, texts
from tests.azure.oracle_records import (
    Config,
    Gateway,
    Network,
    Nic,
    Peering,
    Public,
    Read,
    Route,
    Rule,
    Subnet,
    Table,
    Vnet,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.azure.oracle_records import Address, Answers, Json

__all__ = ["read"]

_ADMIN = "effective_security_admin_rules"


def read(answers: Answers) -> Read:
    """Read the answers of all subscriptions."""
    tags = _tags(answers)
    nsgs = {
        ref(item): [_rule(each) for each in parts(part(item, "properties"), "securityRules")]
        for _, item in _items(answers, "network_security_groups")
    }
    vnets = [_vnet(place[0], item, answers) for place, item in _items(answers, "virtual_networks")]
    tables = {ref(item): _table(item) for _, item in _items(answers, "route_tables")}
    publics = {ref(item): _public(item) for _, item in _items(answers, "public_ip_addresses")}
    return Read(
        vnets=vnets,
        subnets=[
            _subnet(ref(item), each)
            for _, item in _items(answers, "virtual_networks")
            for each in parts(part(item, "properties"), "subnets")
        ],
        nics=[_nic(item) for _, item in _items(answers, "network_interfaces")],
        nsgs=nsgs,
        publics=publics,
        tables=tables,
        nats={
            ref(item): [
                publics[own].address if own in publics else None
                for own in refs(part(item, "properties"), "publicIpAddresses")
            ]
            for _, item in _items(answers, "nat_gateways")
        },
        balancers=[balancer(item) for _, item in _items(answers, "load_balancers")],
        gateways=_gateways(answers),
        endpoints={ref(item): _approved(item) for _, item in _items(answers, "private_endpoints")},
        tags=tags,
        edges=_edges(vnets, nsgs, tables, tags),
    )


def _edges(
    vnets: list[Vnet], nsgs: dict[str, list[Rule]], tables: dict[str, Table],
    tags: dict[tuple[str, str], list[Network]],
) -> list[Address]:  # fmt: skip
    """The first address of every prefix that anything names, and the one behind its last."""
    rules = [rule for listed in [*nsgs.values(), *(each.admin or [] for each in vnets)] for rule in listed]
    texts = {text for rule in rules for text in (*rule.sources, *rule.destinations)} | {"1.0.0.0/32", "2000::/128"}
    texts |= {route.prefix for table in tables.values() for route in table.routes}
    found = [network for listed in tags.values() for network in listed]
    found += [network for text in texts if (text[0].isdigit() or ":" in text) for network in _networks([text])]
    edges = {each[0] for each in found} | {each[-1] + 1 for each in found if int(each[-1]) + 1 < 2**each.max_prefixlen}
    return sorted(edges, key=lambda each: (each.version, int(each)))


def _items(answers: Answers, operation: str) -> Iterator[tuple[tuple[str, ...], Json]]:
    for place, payload in answers.items():
        if place[2] == operation:
            for item in parts(cast("Json", payload), "value"):
                yield place, item


def _networks(found: list[str]) -> list[Network]:
    return [ip_network(each, strict=False) for each in found]


def _vnet(subscription: str, item: Json, answers: Answers) -> Vnet:
    own = ref(item)
    properties = part(item, "properties")
    rules: list[Rule] | None = None
    for place, payload in answers.items():
        if place[2] == _ADMIN and place[3].lower() == own:
            rules = [_admin_rule(each) for each in parts(cast("Json", payload), "value")]
    prefixes = _networks(texts(part(properties, "addressSpace"), "addressPrefixes"))
    return Vnet(own, subscription, prefixes, [_peering(each) for each in parts(properties, "virtualNetworkPeerings")],
                rules)  # fmt: skip


def _peering(item: Json) -> Peering:
    properties = part(item, "properties")
    return Peering(
        remote=ref(part(properties, "remoteVirtualNetwork")),
        connected=text(properties, "peeringState").lower() == "connected",
        access=flag(properties, "allowVirtualNetworkAccess") is not False,
        remote_gateways=flag(properties, "useRemoteGateways") is True,
        prefixes=_networks(texts(part(properties, "remoteAddressSpace"), "addressPrefixes")),
    )


def _subnet(vnet: str, item: Json) -> Subnet:
    properties = part(item, "properties")
    return Subnet(
        id=ref(item),
        vnet=vnet,
        nsg=ref(part(properties, "networkSecurityGroup")),
        table=ref(part(properties, "routeTable")),
        nat=ref(part(properties, "natGateway")),
        outbound=flag(properties, "defaultOutboundAccess"),
        policies=text(properties, "privateEndpointNetworkPolicies").lower(),
        delegations=[
            text(part(each, "properties"), "serviceName").lower() for each in parts(properties, "delegations")
        ],
    )


def _nic(item: Json) -> Nic:
    properties = part(item, "properties")
    configs: list[Config] = []
    for each in parts(properties, "ipConfigurations"):
        own = part(each, "properties")
        configs.append(
            Config(
                id=ref(each),
                subnet=ref(part(own, "subnet")),
                private=ip_address(text(own, "privateIPAddress")),
                public=ref(part(own, "publicIPAddress")),
                groups=refs(own, "applicationSecurityGroups"),
                pools=refs(own, "loadBalancerBackendAddressPools"),
                nat_rules=refs(own, "loadBalancerInboundNatRules"),
            )
        )
    return Nic(
        id=ref(item),
        nsg=ref(part(properties, "networkSecurityGroup")),
        forwarding=flag(properties, "enableIPForwarding") is True,
        endpoint=ref(part(properties, "privateEndpoint")),
        configs=configs,
    )


def _either(item: Json, one: str, many: str) -> list[str]:
    """The single field and the list beside it: both count."""
    single = text(item, one)
    return [*([single] if single else []), *texts(item, many)]


def _rule(item: Json) -> Rule:
    properties = part(item, "properties")
    return Rule(
        priority=number(properties, "priority"),
        direction=text(properties, "direction").lower(),
        action=text(properties, "access").lower(),
        protocol=text(properties, "protocol").lower(),
        sources=_either(properties, "sourceAddressPrefix", "sourceAddressPrefixes"),
        source_groups=refs(properties, "sourceApplicationSecurityGroups"),
        source_ports=_either(properties, "sourcePortRange", "sourcePortRanges"),
        destinations=_either(properties, "destinationAddressPrefix", "destinationAddressPrefixes"),
        destination_groups=refs(properties, "destinationApplicationSecurityGroups"),
        destination_ports=_either(properties, "destinationPortRange", "destinationPortRanges"),
    )


def _admin_rule(item: Json) -> Rule:
    """https://learn.microsoft.com/en-us/rest/api/networkmanager/list-network-manager-effective-security-admin-rules

    Fields that are left out mean any: source, destination and ports are optional.
    """
    properties = part(item, "properties")
    return Rule(
        priority=number(properties, "priority"),
        direction=text(properties, "direction").lower(),
        action=text(properties, "access").lower(),
        protocol=text(properties, "protocol").lower(),
        sources=[text(each, "addressPrefix") for each in parts(properties, "sources")] or ["*"],
        source_groups=[],
        source_ports=texts(properties, "sourcePortRanges") or ["*"],
        destinations=[text(each, "addressPrefix") for each in parts(properties, "destinations")] or ["*"],
        destination_groups=[],
        destination_ports=texts(properties, "destinationPortRanges") or ["*"],
    )


def _public(item: Json) -> Public:
    address = text(part(item, "properties"), "ipAddress")
    return Public(
        ref(item), ip_address(address) if address else None, text(part(item, "sku"), "name").lower() == "basic"
    )


def _table(item: Json) -> Table:
    properties = part(item, "properties")
    routes: list[Route] = []
    for each in parts(properties, "routes"):
        own = part(each, "properties")
        routes.append(
            Route(text(own, "addressPrefix"), text(own, "nextHopType").lower(), text(own, "nextHopIpAddress"))
        )
    return Table(ref(item), flag(properties, "disableBgpRoutePropagation") is not True, routes)


def _gateways(answers: Answers) -> list[Gateway]:
    """Gateways with what their connections lead to; one that learns by BGP may know prefixes that no answer tells."""
    sites = {ref(item): item for _, item in _items(answers, "local_network_gateways")}
    links = [part(item, "properties") for _, item in _items(answers, "virtual_network_gateway_connections")]
    found: list[Gateway] = []
    for _, item in _items(answers, "virtual_network_gateways"):
        properties = part(item, "properties")
        subnet = next(
            (ref(part(part(each, "properties"), "subnet")) for each in parts(properties, "ipConfigurations")), ""
        )
        prefixes: list[Network] = []
        for link in links:
            site = sites.get(ref(part(link, "localNetworkGateway2")))
            if site is not None and ref(part(link, "virtualNetworkGateway1")) == ref(item):
                space = part(part(site, "properties"), "localNetworkAddressSpace")
                prefixes += _networks(texts(space, "addressPrefixes"))
        found.append(Gateway(subnet.partition("/subnets/")[0], flag(properties, "enableBgp") is True, prefixes))
    return found


def _approved(item: Json) -> bool:
    """https://learn.microsoft.com/en-us/azure/private-link/manage-private-endpoint: only Approved carries traffic."""
    properties = part(item, "properties")
    links = parts(properties, "privateLinkServiceConnections") + parts(
        properties, "manualPrivateLinkServiceConnections"
    )
    states = [
        text(part(part(each, "properties"), "privateLinkServiceConnectionState"), "status").lower() for each in links
    ]
    return bool(states) and all(state == "approved" for state in states)


def _tags(answers: Answers) -> dict[tuple[str, str], list[Network]]:
    found: dict[tuple[str, str], list[Network]] = {}
    for place, payload in answers.items():
        if place[2] == "service_tags":
            for item in parts(cast("Json", payload), "values"):
                prefixes = texts(part(item, "properties"), "addressPrefixes")
                found[place[0], text(item, "name").lower()] = _networks(prefixes)
    return found
