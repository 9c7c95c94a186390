"""Raw answers to plain values. It reads what a decision needs, and leaves out what was not answered."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, cast

from tests.azure.oracle_reading_parts import flag, part, parts, text, texts
from tests.gcp.oracle_reading_rules import effective, policy, tail, vpc_rule
from tests.gcp.oracle_records import Nat, Net, Nic, Peering, Range, Read, Route, Subnet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gcp.oracle_records import Address, Answers, Json, Network, Rule

__all__ = ["read"]

_HOPS = {
    "nextHopGateway": "gateway",
    "nextHopInstance": "instance",
    "nextHopIp": "address",
    "nextHopVpnTunnel": "tunnel",
    "nextHopIlb": "balancer",
}


def read(answers: Answers) -> Read:
    """Read the answers of all projects."""
    rules = [(tail(text(item, "network"), project), vpc_rule(item)) for project, item in _items(answers, "firewalls")]
    nets = [_net(answers, project, item, rules) for project, item in _items(answers, "networks")]
    tags = _tags(answers)
    subnets = [_subnet(project, item) for project, item in _items(answers, "subnetworks")]
    policies = [policy(item, project) for project, item in _items(answers, "network_firewall_policies")]
    routes = [route for project, item in _items(answers, "routes") for route in _route(project, item)]
    groups = {
        text(item, "name"): [ip_network(each) for each in texts(item, "items")]
        for _, item in _items(answers, "address_groups", "networksecurity")
    }
    addresses = {
        tail(text(item, "selfLink"), project): ip_address(text(item, "address"))
        for project, item in _items(answers, "addresses")
    }
    above = [each for net in nets for listed in (net.hierarchy or [], *net.system.values()) for each in listed]
    every = [rule for _, rule in rules] + [rule for each in (*policies, *above) for rule in each.rules]
    return Read(
        nets=nets,
        subnets=subnets,
        nics=[
            nic
            for project, item in _items(answers, "instances")
            for nic in _nics(project, item, tags, {net.id: net for net in nets}, subnets)
        ],
        policies=policies,
        routes=routes,
        nats=[
            _nat(project, item, nat, addresses)
            for project, item in _items(answers, "routers")
            for nat in parts(item, "nats")
            if text(nat, "type") in {"", "PUBLIC"}
        ],
        groups=groups,
        up=[
            tail(text(item, "selfLink"), project)
            for project, item in _items(answers, "vpn_tunnels")
            if text(item, "status") == "ESTABLISHED"
        ],
        edges=_edges(every, routes, groups),
    )


def _edges(rules: list[Rule], routes: list[Route], groups: dict[str, list[Network]]) -> list[Address]:
    """The first address of every prefix that anything names, and the one behind its last."""
    found: set[Network] = {ip_network("1.0.0.0/32"), ip_network("2000::/128")}
    found |= {network for rule in rules for far in (rule.source, rule.destination) for network in far.ranges}
    found |= {each.destination for each in routes} | {each for listed in groups.values() for each in listed}
    edges: set[Address] = set()
    for each in found:
        edges.add(each[0])
        if each[-1] != each[-1].__class__(2**each.max_prefixlen - 1):
            edges.add(each[-1] + 1)
    return sorted(edges, key=lambda each: (each.version, int(each)))


def _items(answers: Answers, operation: str, service: str = "compute") -> Iterator[tuple[str, Json]]:
    for (project, where, name, *resource), answer in answers.items():
        if (where, name) == (service, operation) and not resource:
            yield from ((project, item) for item in parts(cast("Json", answer), "items"))


def _net(answers: Answers, project: str, item: Json, rules: list[tuple[str, Rule]]) -> Net:
    own = tail(text(item, "selfLink"))
    key = (project, "compute", "network_effective_firewalls", f"projects/{own}")
    above = answers.get(key)
    system = {
        resource[0].partition("|")[2].rpartition("/")[2]: effective(cast("Json", answer), "SYSTEM_REGIONAL")
        for (_, _, name, *resource), answer in answers.items()
        if name == "region_effective_firewalls" and resource[0].partition("|")[0] == f"projects/{own}"
    }
    return Net(
        id=own,
        number=text(item, "id"),
        before=text(item, "networkFirewallPolicyEnforcementOrder") == "BEFORE_CLASSIC_FIREWALL",
        peerings=[_peering(project, each) for each in parts(item, "peerings")],
        rules=[rule for network, rule in rules if network == own],
        hierarchy=None if above is None else effective(cast("Json", above), "HIERARCHY"),
        system=system,
    )


def _peering(project: str, item: Json) -> Peering:
    """The defaults are those of https://cloud.google.com/compute/docs/reference/rest/v1/networks."""
    return Peering(
        remote=tail(text(item, "network"), project),
        active=text(item, "state") == "ACTIVE",
        dual=text(item, "stackType") == "IPV4_IPV6",
        export_custom=flag(item, "exportCustomRoutes") or False,
        import_custom=flag(item, "importCustomRoutes") or False,
        export_public=flag(item, "exportSubnetRoutesWithPublicIp") is not False,
        import_public=flag(item, "importSubnetRoutesWithPublicIp") or False,
    )


def _subnet(project: str, item: Json) -> Subnet:
    ranges = [Range(ip_network(text(item, "ipCidrRange")))]
    ranges += [Range(ip_network(text(each, "ipCidrRange")), text(each, "rangeName"))
               for each in parts(item, "secondaryIpRanges")]  # fmt: skip
    external = text(item, "ipv6AccessType") == "EXTERNAL"
    six = text(item, "externalIpv6Prefix" if external else "internalIpv6Prefix")
    return Subnet(
        id=tail(text(item, "selfLink")),
        network=tail(text(item, "network"), project),
        region=text(item, "region").rpartition("/")[2],
        ranges=[*ranges, Range(ip_network(six))] if six else ranges,
        google_access=flag(item, "privateIpGoogleAccess") or False,
    )


def _route(project: str, item: Json) -> list[Route]:
    """Static routes alone: those of subnets, and what peerings bring, follow from the subnets and the peerings."""
    return [
        Route(
            id=tail(text(item, "selfLink")),
            network=tail(text(item, "network"), project),
            destination=ip_network(text(item, "destRange")),
            priority=cast("int", item.get("priority", 1000)),
            tags=texts(item, "tags"),
            kind=kind,
            hop=text(item, key) if kind == "address" else tail(text(item, key), project),
        )
        for key, kind in _HOPS.items()
        if key in item
    ]


def _nat(project: str, router: Json, item: Json, addresses: dict[str, Address]) -> Nat:
    manual = text(item, "natIpAllocateOption") == "MANUAL_ONLY"
    return Nat(
        network=tail(text(router, "network"), project),
        region=text(router, "region").rpartition("/")[2],
        scope=text(item, "sourceSubnetworkIpRangesToNat"),
        listed={
            tail(text(each, "name"), project): [
                *(texts(each, "sourceIpRangesToNat") or ["ALL_IP_RANGES"]),
                *texts(each, "secondaryIpRangeNames"),
            ]
            for each in parts(item, "subnetworks")
        },
        addresses=[addresses[tail(each, project)] for each in texts(item, "natIps")] if manual else None,
    )


def _tags(answers: Answers) -> dict[str, list[tuple[str, str]]]:
    """The tag values bound to each instance, with what their keys are for: a network's link, or an organisation.

    https://cloud.google.com/firewall/docs/tags-firewalls-overview: only keys with the purpose ``GCE_FIREWALL`` count.
    A binding names a project by its number and an instance by its number.
    """
    service = "cloudresourcemanager"
    purposes = {
        text(item, "name"): part(item, "purposeData")
        for _, item in _items(answers, "tag_keys", service)
        if text(item, "purpose") == "GCE_FIREWALL"
    }
    keys = {text(item, "name"): text(item, "parent") for _, item in _items(answers, "tag_values", service)}
    numbers = {text(item, "id"): project for project, item in _items(answers, "projects")}
    found: dict[str, list[tuple[str, str]]] = {}
    for _, item in _items(answers, "tag_bindings", service):
        owner, _, rest = tail(text(item, "parent")).partition("/")
        purpose = purposes.get(keys.get(text(item, "tagValue"), ""))
        if purpose:
            bound = found.setdefault(f"{numbers.get(owner, owner)}/{rest}", [])
            bound.append((text(item, "tagValue"), text(purpose, "network")))
    return found


def _nics(
    project: str, item: Json, tags: dict[str, list[tuple[str, str]]], nets: dict[str, Net], subnets: list[Subnet]
) -> Iterator[Nic]:  # fmt: skip
    own = tail(text(item, "selfLink"))
    place, _, _ = own.rpartition("/")
    bound = [*tags.get(own, []), *tags.get(f"{place}/{text(item, 'id')}", [])]
    for each in parts(item, "networkInterfaces"):
        subnet = next(one for one in subnets if one.id == tail(text(each, "subnetwork"), project))
        net = nets[subnet.network]
        access = parts(each, "accessConfigs")
        publics = [IPv4Address(text(one, "natIP")) for one in access if text(one, "natIP")]
        yield Nic(
            id=f"gcp:{project}:{own.partition('/')[2]}/{text(each, 'name')}",
            network=net.id,
            subnet=subnet.id,
            region=subnet.region,
            primary=IPv4Address(text(each, "networkIP")),
            aliases=[IPv4Network(text(one, "ipCidrRange")) for one in parts(each, "aliasIpRanges")],
            six=_six(each),
            public=publics[0] if publics else None,
            tags=texts(part(item, "tags"), "items"),
            accounts=[text(one, "email") for one in parts(item, "serviceAccounts")],
            secure=[value for value, network in bound if not network or _is(net, network)],
            forwards=flag(item, "canIpForward") or False,
        )


def _is(net: Net, link: str) -> bool:
    """Whether the purpose of a key is a network; its link may end in the network's name or in its number."""
    project, _, name = net.id.partition("/")
    found = tail(link)
    return found in {net.id, f"{project}/global/networks/{net.number}", f"{project}/{name.rpartition('/')[2]}"}


def _six(item: Json) -> list[IPv6Network]:
    """An interface has a whole /96: https://cloud.google.com/vpc/docs/subnets#ipv6-ranges."""
    found = [text(item, "ipv6Address")] if text(item, "ipv6Address") else []
    found += [text(each, "externalIpv6") for each in parts(item, "ipv6AccessConfigs")]
    return [IPv6Network(f"{each}/96", strict=False) for each in found]
