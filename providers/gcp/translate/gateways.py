"""Ways out of VPC networks: the internet, the host, Cloud NAT, VPN gateways and interconnects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import Gateway, scope_of
from cloudseg.providers.gcp.ids import name_of, region_of, scope_name, tail_of
from cloudseg.providers.gcp.translate.parts import Nat
from cloudseg.providers.gcp.translate.wire import CloudResource
from cloudseg.traffic import ALL_TRAFFIC, NO_ADDRESSES, AddressSet, Traffic

if TYPE_CHECKING:
    from cloudseg.model import Interface
    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = [
    "HEALTH_CHECKS",
    "IDENTITY_AWARE_PROXY",
    "add_gateways",
    "add_internet",
    "add_routers",
    "add_vpns",
    "checks_of",
    "host_of",
    "internet_of",
    "lend_addresses",
    "proxy_of",
]

_FACET: Final = "gateways"
_ROUTERS: Final = "compute.routers"
_TRANSLATED: Final = Traffic.protocol(6) | Traffic.protocol(17) | Traffic.protocol(1)
"""What Cloud NAT carries. Source: https://cloud.google.com/nat/docs/nat-product-interactions"""
IDENTITY_AWARE_PROXY: Final = AddressSet.from_cidrs(("35.235.240.0/20",))
"""From where Identity-Aware Proxy comes. Source: https://cloud.google.com/iap/docs/using-tcp-forwarding"""
HEALTH_CHECKS: Final = AddressSet.from_cidrs(
    (
        "35.191.0.0/16", "130.211.0.0/22", "209.85.152.0/22", "209.85.204.0/22", "2600:1901:8001::/48",
        "2600:2d00:1:b029::/64",
    )
)  # fmt: skip
"""From where health checks of load balancers come. Source:
https://cloud.google.com/load-balancing/docs/health-check-concepts#ip-ranges"""
_KINDS: Final = (
    ("vpn_gateways", "vpn-gateway", "regions/-/vpnGateways"),
    ("target_vpn_gateways", "classic-vpn-gateway", "regions/-/targetVpnGateways"),
)


class _NatSubnet(msgspec.Struct, rename="camel"):
    name: str = ""
    source_ip_ranges_to_nat: list[str] | None = None


class _Nat(msgspec.Struct, rename="camel"):
    name: str = ""
    type: str | None = None
    source_subnetwork_ip_ranges_to_nat: str = ""
    subnetworks: list[_NatSubnet] | None = None
    nat_ips: list[str] | None = None
    nat_ip_allocate_option: str | None = None


class _Router(CloudResource, kw_only=True, rename="camel"):
    network: str = ""
    region: str = ""
    # Read one by one: what cannot be understood must not take its router along.
    nats: list[object] | None = None
    bgp_peers: list[object] | None = None


class _Address(CloudResource, kw_only=True, rename="camel"):
    address: str | None = None


class _Gateway(CloudResource, kw_only=True, rename="camel"):
    network: str = ""
    region: str = ""


class _Tunnel(CloudResource, kw_only=True, rename="camel"):
    region: str = ""
    vpn_gateway: str | None = None
    target_vpn_gateway: str | None = None


class _Attachment(CloudResource, kw_only=True, rename="camel"):
    region: str = ""
    router: str | None = None


def internet_of(network: str) -> str:
    """Return the qualified id of the way from a network to the internet, which every network has."""
    return f"{network}/internet"


def host_of(network: str) -> str:
    """Return the qualified id of the way from a network to what its hosts serve."""
    return f"{network}/host"


def proxy_of(network: str) -> str:
    """Return the qualified id of the way by which Identity-Aware Proxy reaches a network."""
    return f"{network}/identity-aware-proxy"


def checks_of(network: str) -> str:
    """Return the qualified id of the way by which health checks of load balancers come to a network."""
    return f"{network}/health-checks"


def add_internet(draft: Draft) -> None:
    """Add the ways to the internet, to the host and to Google's own probes that every network has by itself.

    Who may use Identity-Aware Proxy, and whether anybody does, IAM says. Health checks come to who is behind a load
    balancer, at a port of their own. Sources:
    https://cloud.google.com/vpc/docs/routes#default_route,
    https://cloud.google.com/vpc/docs/routes#special_return_paths and
    https://cloud.google.com/iap/docs/using-tcp-forwarding
    """
    for identifier in draft.networks:
        for own, kind, name, public, active in (
            (internet_of(identifier), "default-internet-gateway", "default internet gateway", True, True),
            (host_of(identifier), "host", "the host", False, True),
            (proxy_of(identifier), "identity-aware-proxy", "Identity-Aware Proxy", False, None),
            (checks_of(identifier), "health-checks", "health checks", False, None),
        ):
            draft.gateways[own] = Gateway(
                id=own, kind=kind, name=name, networks=frozenset((identifier,)), active=active, public=public
            )


def add_routers(answers: Answers, draft: Draft) -> None:
    """Note the Cloud NAT gateways of routers, and which routers learn routes.

    Source: https://cloud.google.com/nat/docs/overview
    """
    addresses = {
        draft.named(each.link(answers.scope), answers.scope): each.address or ""
        for each in answers.listed("compute", "addresses", _Address, _FACET)
    }
    for wire in answers.listed("compute", "routers", _Router, _FACET):
        region = region_of(wire.region or wire.self_link)
        link = wire.link(answers.scope, f"regions/{region}/routers")
        identifier = draft.named(link, answers.scope)
        network = draft.named(wire.network, answers.scope)
        draft.routers[identifier] = network
        if wire.bgp_peers:
            draft.learning.setdefault(network, []).append(identifier)
        for index, item in enumerate(wire.nats or ()):
            try:
                nat = msgspec.convert(item, _Nat)
            except msgspec.ValidationError as error:
                answers.gap(_ROUTERS, tail_of(link), "malformed", f"nats[{index}]: {error}", _FACET)
                draft.open_routers.add(scope_name(answers.scope))
                continue
            if (nat.type or "PUBLIC").upper() != "PUBLIC":
                # It translates on the way to other networks.
                answers.note(f"{tail_of(link)}: the Private NAT {nat.name} changes addresses between networks alone")
                continue
            texts = [addresses.get(draft.named(each, answers.scope), "") for each in nat.nat_ips or ()]
            unlisted = not texts or not all(texts) or (nat.nat_ip_allocate_option or "").upper() == "AUTO_ONLY"
            gateway = Gateway(
                id=f"{identifier}/nats/{nat.name}",
                kind="cloud-nat",
                name=nat.name,
                region=region,
                networks=frozenset((network,)),
                public=True,
            )
            draft.put(draft.gateways, gateway, answers.scope)
            draft.nats.append(
                Nat(
                    network=network,
                    region=region,
                    addresses=answers.addresses(_ROUTERS, tail_of(link), texts, _FACET),
                    unlisted=unlisted,
                    every=nat.source_subnetwork_ip_ranges_to_nat.upper().startswith("ALL_SUBNETWORKS"),
                    subnets=frozenset(draft.named(each.name, answers.scope) for each in nat.subnetworks or ()),
                    partial=_of_kind(nat, draft, answers, "LIST_OF_SECONDARY_IP_RANGES"),
                    primary=_serving(nat, draft, answers, "PRIMARY_IP_RANGE"),
                    secondary=_serving(nat, draft, answers, ""),
                )
            )
    if not answers.complete("compute", "routers"):
        draft.open_routers.add(scope_name(answers.scope))


def _of_kind(nat: _Nat, draft: Draft, answers: Answers, *kinds: str) -> frozenset[str]:
    """Return the subnets of which a NAT gateway serves ranges of one of these kinds."""
    return frozenset(
        draft.named(each.name, answers.scope)
        for each in nat.subnetworks or ()
        if {kind.upper() for kind in each.source_ip_ranges_to_nat or ("ALL_IP_RANGES",)} & set(kinds)
    )


def _serving(nat: _Nat, draft: Draft, answers: Answers, kind: str) -> frozenset[str] | None:
    """Return the subnets that a NAT gateway serves with all ranges, or with those of a kind; None for every subnet."""
    whole = nat.source_subnetwork_ip_ranges_to_nat.upper()
    if whole == "ALL_SUBNETWORKS_ALL_IP_RANGES" or (whole == "ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES" and kind):
        return None
    return _of_kind(nat, draft, answers, "ALL_IP_RANGES", kind)


def add_vpns(answers: Answers, draft: Draft) -> None:
    """Add the gateways to other places, VPN and interconnect, and which of them tunnels belong to.

    Source: https://cloud.google.com/network-connectivity/docs/vpn/concepts/overview
    """
    for operation, kind, place in _KINDS:
        for wire in answers.listed("compute", operation, _Gateway, _FACET):
            region = region_of(wire.region or wire.self_link)
            link = wire.link(answers.scope, place.replace("-", region, 1))
            gateway = Gateway(
                id=draft.named(link, answers.scope),
                kind=kind,
                name=wire.name or name_of(link),
                region=region,
                networks=frozenset((draft.named(wire.network, answers.scope),)) if wire.network else frozenset(),
            )
            draft.put(draft.gateways, gateway, answers.scope)
    for tunnel in answers.listed("compute", "vpn_tunnels", _Tunnel, _FACET):
        region = region_of(tunnel.region or tunnel.self_link)
        link = tunnel.link(answers.scope, f"regions/{region}/vpnTunnels")
        owner = tunnel.vpn_gateway or tunnel.target_vpn_gateway
        if owner:
            draft.tunnels[draft.named(link, answers.scope)] = draft.named(owner, answers.scope)
    for attachment in answers.listed("compute", "interconnect_attachments", _Attachment, _FACET):
        region = region_of(attachment.region or attachment.self_link)
        link = attachment.link(answers.scope, f"regions/{region}/interconnectAttachments")
        network = draft.routers.get(draft.named(attachment.router, answers.scope)) if attachment.router else None
        gateway = Gateway(
            id=draft.named(link, answers.scope),
            kind="interconnect-attachment",
            name=attachment.name or name_of(link),
            region=region,
            networks=frozenset((network,)) if network else frozenset(),
        )
        draft.put(draft.gateways, gateway, answers.scope)


def add_gateways(answers: Answers, draft: Draft) -> None:
    """Add what stands at the edges of networks: routers with their NAT gateways, and ways to other places."""
    add_routers(answers, draft)
    add_vpns(answers, draft)


def lend_addresses(draft: Draft) -> None:
    """Note which addresses stand for interfaces without one that send to the internet: those of Cloud NAT.

    It serves the ranges of its region's subnets that it names, or all, and no interface that has a public address.
    Google's own services are reached without one where the subnet says so, and wherever Cloud NAT serves; which
    addresses these have is not known. Sources:
    https://cloud.google.com/nat/docs/overview#specifications,
    https://cloud.google.com/nat/docs/nat-product-interactions#interaction-pga and
    https://cloud.google.com/vpc/docs/private-google-access
    """
    for identifier, interface in draft.interfaces.items():
        subnet = draft.subnets.get(interface.subnet or "")
        if subnet is None or interface.public.v4 or interface.public_unlisted is not False or interface.role == "proxy":
            continue
        first = draft.first_ranges.get(subnet.id, subnet.addresses)
        serving = [
            (nat, served)
            for nat in draft.nats
            if nat.network == interface.network
            and nat.region == subnet.region
            and (nat.every or subnet.id in nat.subnets)
            and (served := nat.serves(subnet.id, AddressSet(v4=interface.addresses.v4), first)) is not False
        ]
        if serving:
            sure = all(served for _, served in serving)
            draft.interfaces[identifier] = _lent(interface, [nat for nat, _ in serving], sure=sure)
        elif draft.google_access.get(subnet.id) or scope_of(subnet.network) in draft.open_routers:
            draft.interfaces[identifier] = msgspec.structs.replace(interface, lent_unlisted=None)


def _lent(interface: Interface, serving: list[Nat], *, sure: bool) -> Interface:
    addresses = NO_ADDRESSES
    for nat in serving:
        addresses |= nat.addresses
    unlisted = any(nat.unlisted for nat in serving)
    known = sure and not unlisted
    return msgspec.structs.replace(
        interface,
        lent=addresses if known else NO_ADDRESSES,
        lent_unlisted=None if not sure else unlisted,
        lent_carries=_TRANSLATED,
        lent_aside=ALL_TRAFFIC,
    )
