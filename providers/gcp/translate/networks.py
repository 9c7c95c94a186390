"""VPC networks with their subnets and peerings, and the projects that share them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import Network, Peering, Subnet
from cloudseg.providers.gcp.ids import name_of, region_of, scope_name, tail_of
from cloudseg.providers.gcp.translate.flow_logs import KINDS
from cloudseg.providers.gcp.translate.parts import Neighbour
from cloudseg.providers.gcp.translate.pipeline import POLICIES_FIRST, RDMA, RULES_FIRST, is_rdma
from cloudseg.providers.gcp.translate.wire import CloudResource
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft
    from cloudseg.traffic import AddressSet

__all__ = [
    "WITHOUT_MACHINES",
    "add_networks",
    "add_projects",
    "add_subnets",
    "join_peerings",
    "network_at",
    "space_networks",
]

_NETWORKS: Final = "compute.networks"
_SUBNETS: Final = "compute.subnetworks"
WITHOUT_MACHINES: Final = frozenset(("PRIVATE_NAT", "PEER_MIGRATION"))
"""Subnets for these purposes hold no machines: their addresses stand for what is elsewhere."""


class _Project(msgspec.Struct, rename="camel"):
    name: str = ""
    id: str | int = ""
    self_link: str = ""
    project_number: str | int = ""


class _Host(msgspec.Struct):
    name: str = ""


class _Peering(msgspec.Struct, rename="camel"):
    network: str
    name: str = ""
    state: str = ""
    exchange_subnet_routes: bool | None = None
    export_custom_routes: bool = False
    import_custom_routes: bool = False
    export_subnet_routes_with_public_ip: bool = True
    import_subnet_routes_with_public_ip: bool = False
    stack_type: str = "IPV4_ONLY"


class _Network(CloudResource, kw_only=True, rename="camel"):
    id: str | int = ""
    legacy_range: str | None = msgspec.field(default=None, name="IPv4Range")
    enforcement_order: str | None = msgspec.field(default=None, name="networkFirewallPolicyEnforcementOrder")
    network_profile: str | None = None
    # Read one by one: what cannot be understood must not take its network along.
    peerings: list[object] | None = None


class _Secondary(msgspec.Struct, rename="camel"):
    ip_cidr_range: str = ""


class _Subnetwork(CloudResource, kw_only=True, rename="camel"):
    network: str
    region: str = ""
    ip_cidr_range: str | None = None
    stack_type: str | None = None
    secondary_ip_ranges: list[_Secondary] | None = None
    ipv6_cidr_range: str | None = None
    external_ipv6_prefix: str | None = None
    internal_ipv6_prefix: str | None = None
    private_ip_google_access: bool | None = None
    purpose: str | None = None


def add_projects(answers: Answers, draft: Draft) -> None:
    """Note the numbers of projects, by which some links name them, and who shares networks with them.

    Source: https://cloud.google.com/compute/docs/reference/rest/v1/projects
    """
    for wire in answers.listed("compute", "projects", _Project, "networks"):
        # The id of a project in Compute is its number; its name is its id.
        number = str(wire.project_number or wire.id)
        if number.isdigit():
            draft.numbers[number] = answers.scope
    for host in answers.listed("compute", "xpn_host", _Host, "networks"):
        if host.name:
            draft.hosts[answers.scope] = host.name


def add_networks(answers: Answers, draft: Draft) -> None:
    """Add the networks and what each says of its peerings.

    Source: https://cloud.google.com/compute/docs/reference/rest/v1/networks
    """
    for wire in answers.listed("compute", "networks", _Network, "networks"):
        link = wire.link(answers.scope, "global/networks")
        identifier = draft.named(link, answers.scope)
        first = (wire.enforcement_order or "").upper() == "BEFORE_CLASSIC_FIREWALL"
        profile = name_of(wire.network_profile or "")
        if is_rdma(profile) is None:
            draft.unknown_profiles.add(identifier)
            answers.gap(_NETWORKS, tail_of(link), "unsupported", f"its profile {profile} is not known", "networks")
        network = Network(
            id=identifier,
            kind="vpc-network",
            name=wire.name or name_of(link),
            addresses=answers.addresses(_NETWORKS, link, (wire.legacy_range,), "networks"),
            pipeline=RDMA if is_rdma(profile) else POLICIES_FIRST if first else RULES_FIRST,
            # https://cloud.google.com/vpc/docs/vpc#default-network
            is_default=(wire.name or name_of(link)) == "default",
            # Tags and accounts stand for the internal addresses of who carries them. Source:
            # https://cloud.google.com/firewall/docs/firewalls#sources_or_destinations_for_the_rule
            groups_by_address=True,
        )
        draft.put(draft.networks, network, answers.scope)
        draft.network_numbers[identifier] = str(wire.id)
        if wire.legacy_range:
            _add_legacy_subnet(draft, network)
        seen = draft.neighbours.setdefault(identifier, [])
        for index, item in enumerate(wire.peerings or ()):
            try:
                peering = msgspec.convert(item, _Peering)
            except msgspec.ValidationError as error:
                answers.gap(_NETWORKS, tail_of(link), "malformed", f"peerings[{index}]: {error}", "peerings")
                draft.open_peerings.add(identifier)
            else:
                seen.append(_neighbour(draft, peering, network, answers))
                if not peering.state:
                    why = f"peerings[{index}]: its state is missing"
                    answers.gap(_NETWORKS, tail_of(link), "malformed", why, "peerings")
                    draft.open_peerings.add(identifier)


def network_at(draft: Draft, link: str, project: str) -> str:
    """Return the qualified id of the network that a link names: by its name, or by its number."""
    found = draft.named(link, project)
    if found in draft.networks or not name_of(link).isdecimal():
        return found
    number = name_of(link)
    return next((own for own, known in draft.network_numbers.items() if known == number), found)


def _add_legacy_subnet(draft: Draft, network: Network) -> None:
    """Add the one range of a legacy network, which has no subnets, as its only one.

    Source: https://cloud.google.com/vpc/docs/legacy
    """
    identifier = f"{network.id}/range"
    draft.subnets[identifier] = Subnet(
        id=identifier,
        kind="legacy-range",
        name=network.name,
        network=network.id,
        addresses=network.addresses,
        public_by_default=False,
    )


def _neighbour(draft: Draft, wire: _Peering, network: Network, answers: Answers) -> Neighbour:
    other = draft.named(wire.network, answers.scope)
    peering = Peering(
        id=f"{network.id}/peerings/{wire.name or name_of(wire.network)}",
        kind="vpc-peering",
        name=wire.name,
        networks=(network.id, other),
        regions=("global", "global"),
        active=wire.state.upper() == "ACTIVE",
    )
    draft.put(draft.peerings, peering, answers.scope)
    return Neighbour(
        network=other,
        peering=peering.id,
        dual=wire.stack_type.upper() == "IPV4_IPV6",
        active=peering.active,
        imports=wire.import_custom_routes,
        exports=wire.export_custom_routes,
        imports_public=wire.import_subnet_routes_with_public_ip,
        exports_public=wire.export_subnet_routes_with_public_ip,
    )


def add_subnets(answers: Answers, draft: Draft) -> None:
    """Add the subnets, each with its primary, secondary and IPv6 ranges.

    Source: https://cloud.google.com/compute/docs/reference/rest/v1/subnetworks
    """
    for wire in answers.listed("compute", "subnetworks", _Subnetwork, "subnets"):
        region = region_of(wire.region or wire.self_link)
        link = wire.link(answers.scope, f"regions/{region}/subnetworks")
        identifier = draft.named(link, answers.scope)
        texts = (
            wire.ip_cidr_range, *(each.ip_cidr_range for each in wire.secondary_ip_ranges or ()),
            wire.ipv6_cidr_range, wire.external_ipv6_prefix, wire.internal_ipv6_prefix,
        )  # fmt: skip
        subnet = Subnet(
            id=identifier,
            kind=KINDS.get((wire.purpose or "").upper(), "subnetwork"),
            name=wire.name or name_of(link),
            region=region,
            network=draft.named(wire.network, answers.scope),
            addresses=answers.addresses(_SUBNETS, tail_of(link), texts, "subnets"),
            public_by_default=False,
        )
        draft.put(draft.subnets, subnet, answers.scope)
        draft.first_ranges[identifier] = answers.addresses(_SUBNETS, tail_of(link), (wire.ip_cidr_range,), "subnets")
        draft.purposes[identifier] = (wire.purpose or "PRIVATE").upper()
        draft.google_access[identifier] = bool(wire.private_ip_google_access)
        six_alone = (wire.stack_type or "").upper() == "IPV6_ONLY"
        wanted = texts[1:-3] if six_alone else texts[:-3]
        if not all(wanted):
            answers.gap(_SUBNETS, tail_of(link), "malformed", "a range of it is missing", "subnets")
        if not all(wanted) or not answers.readable(text for text in texts if text):
            draft.open_subnets.add(scope_name(answers.scope))
    if not answers.complete("compute", "subnetworks"):
        draft.open_subnets.add(scope_name(answers.scope))


def space_networks(draft: Draft) -> None:
    """Give each network the ranges of its subnets: it has no others of its own.

    Source: https://cloud.google.com/vpc/docs/subnets
    """
    found = draft.spaces
    for identifier, subnet in draft.subnets.items():
        if draft.purposes.get(identifier) not in WITHOUT_MACHINES:
            found[subnet.network] = found.get(subnet.network, NO_ADDRESSES) | subnet.addresses
    for identifier, network in draft.networks.items():
        draft.networks[identifier] = msgspec.structs.replace(
            network, addresses=found.get(identifier, NO_ADDRESSES) | network.addresses
        )


def join_peerings(draft: Draft) -> None:
    """Join the two halves of each peering, with the ranges that pass it.

    Both sides must have made it; the state of either is then ACTIVE. Subnet routes are exchanged always, those of
    privately used public addresses unless a side leaves them out. Source: https://cloud.google.com/vpc/docs/vpc-peering
    """
    halves = {peering.networks: peering for peering in draft.peerings.values()}
    for (own, other), peering in halves.items():
        back = halves.get((other, own))
        # A network that was read in full and knows nothing of it has deleted its half.
        told = other in draft.networks and other not in draft.open_peerings
        active = peering.active and (not told or (back is not None and back.active))
        draft.peerings[peering.id] = msgspec.structs.replace(
            peering, active=active, ranges=(_space_of(draft, own), _space_of(draft, other))
        )


def _space_of(draft: Draft, network: str) -> AddressSet:
    known = draft.networks.get(network)
    return draft.spaces.get(network, NO_ADDRESSES) if known is None else known.addresses
