"""Serverless VPC Access: connectors, machines of Google's by which services without servers come into a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import ANYONE, Addresses, Interface, Rule, Subnet, Workload
from cloudseg.providers.gcp.ids import name_of, own_of, region_of
from cloudseg.providers.gcp.translate.groups import carry
from cloudseg.providers.gcp.translate.wire import CloudResource, labels_of
from cloudseg.traffic import ALL_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["add_connectors"]

_WHAT: Final = "vpcaccess.connectors"
_FACET: Final = "gateways"
_PRIORITY: Final = 1000
_CALLERS: Final = AddressSet.from_cidrs(("35.199.224.0/19",))
"""From where Google's serverless machines come to connectors. Source:
https://cloud.google.com/vpc/docs/serverless-vpc-access#firewall"""
_HEARD: Final = Traffic.ports(6, 667, 667) | Traffic.ports(17, 665, 666) | Traffic.protocol(1)


class _Place(msgspec.Struct, rename="camel"):
    name: str = ""
    project_id: str | None = None


class _Connector(CloudResource, kw_only=True, rename="camel"):
    asset_name: str = ""
    network: str | None = None
    ip_cidr_range: str | None = None
    subnet: _Place | None = None
    state: str | None = None


def add_connectors(answers: Answers, draft: Draft) -> None:
    """Add the connectors with one interface that stands for their machines, and the rules that come with them.

    They carry the tags ``vpc-connector`` and ``vpc-connector-REGION-NAME``. In its own project's network a connector
    brings rules that nobody sees: it may open connections to everything at priority 1000. Sources:
    https://cloud.google.com/vpc/docs/serverless-vpc-access and
    https://cloud.google.com/run/docs/configuring/vpc-connectors#manage
    """
    for wire in answers.listed("vpcaccess", "connectors", _Connector, _FACET):
        own = own_of(wire.name or wire.asset_name)
        identifier = draft.named(f"projects/{answers.scope}/{own}", answers.scope)
        region, name = region_of(wire.name or wire.asset_name), name_of(own)
        placed = _subnet(answers, draft, wire, identifier, region)
        if placed is None:
            answers.gap(_WHAT, own, "unread", "the network of a connector was not read", _FACET)
            continue
        network, subnet = placed
        running = (wire.state or "READY").upper() in {"READY", "UPDATING"}
        workload = Workload(
            id=identifier, kind="vpc-access-connector", name=name, region=region, tags=labels_of(wire), network=network,
            running=running,
        )  # fmt: skip
        draft.put(draft.workloads, workload, answers.scope)
        interface = Interface(
            id=f"{identifier}/machines", kind="network-interface", name=name, region=region, tags=labels_of(wire),
            network=network, subnet=subnet, workload=identifier, role="vpc-access-connector", derived=True,
            managed_by="gcp",
        )  # fmt: skip
        tags = frozenset(("vpc-connector", f"vpc-connector-{region}-{name}"))
        draft.put(draft.interfaces, carry(draft, interface, tags, ()), answers.scope)
        draft.carried_tags[interface.id] = tags
        if network in draft.networks and draft.networks[network].scope == workload.scope:
            _admit(draft, workload, subnet, network)


def _subnet(
    answers: Answers, draft: Draft, wire: _Connector, identifier: str, region: str
) -> tuple[str, str] | None:  # fmt: skip
    """Return the network and the subnet of a connector; one with a range of its own has a subnet that no list shows."""
    if wire.subnet is not None and wire.subnet.name:
        project = draft.project(wire.subnet.project_id or answers.scope)
        link = f"projects/{project}/regions/{region}/subnetworks/{name_of(wire.subnet.name)}"
        subnet = draft.named(link, answers.scope)
        known = draft.subnets.get(subnet)
        return None if known is None else (known.network, subnet)
    if not wire.network:
        return None
    link = wire.network if "/" in wire.network else f"projects/{answers.scope}/global/networks/{wire.network}"
    network, own = draft.named(link, answers.scope), f"{identifier}/range"
    addresses = answers.addresses(_WHAT, own_of(wire.name), (wire.ip_cidr_range,), _FACET)
    hidden = Subnet(
        id=own, kind="connector-range", name=name_of(identifier), region=region, network=network, addresses=addresses,
        public_by_default=False,
    )  # fmt: skip
    draft.put(draft.subnets, hidden, answers.scope)
    draft.first_ranges[own] = addresses
    return network, own


def _admit(draft: Draft, connector: Workload, subnet: str, network: str) -> None:
    """Add the rules that Google makes with a connector: it opens connections to everything, and its callers to it."""
    addresses = draft.subnets[subnet].addresses
    for part, remote, local, traffic in (
        ("out", (Addresses(addresses),), ANYONE, ALL_TRAFFIC),
        ("in", (Addresses(_CALLERS),), (Addresses(addresses),), _HEARD),
    ):
        name = f"{connector.id}/{part}"
        draft.firewall_rules.setdefault(network, {})[name] = Rule(
            id=f"ingress/{connector.name} ({part})",
            direction="ingress",
            verdict="accept",
            traffic=traffic,
            remote=remote,
            local=local,
            priority=_PRIORITY,
            fixed=True,
            description=f"implicit rule of the connector {connector.name}",
        )
