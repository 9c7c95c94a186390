"""Instances and their network interfaces: addresses, network tags and service accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import Interface, Workload, own_id
from cloudseg.providers.gcp.ids import name_of, region_of, tail_of
from cloudseg.providers.gcp.translate.groups import ALIAS, carry
from cloudseg.providers.gcp.translate.wire import CloudResource, labels_of
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.draft import Draft
    from cloudseg.traffic import AddressSet

__all__ = ["add_instances"]

_WHAT: Final = "compute.instances"
_FACET: Final = "interfaces"
_RUNNING: Final = frozenset(("PROVISIONING", "STAGING", "RUNNING", "REPAIRING", "PENDING", ""))


class _Access(msgspec.Struct, rename="camel"):
    nat_ip: str | None = msgspec.field(default=None, name="natIP")
    external_ipv6: str | None = None
    external_ipv6_prefix_length: int | None = None


class _Alias(msgspec.Struct, rename="camel"):
    ip_cidr_range: str = ""


class _Nic(msgspec.Struct, rename="camel"):
    name: str = ""
    network: str = ""
    subnetwork: str = ""
    network_ip: str | None = msgspec.field(default=None, name="networkIP")
    ipv6_address: str | None = None
    internal_ipv6_prefix_length: int | None = None
    access_configs: list[_Access] | None = None
    ipv6_access_configs: list[_Access] | None = None
    alias_ip_ranges: list[_Alias] | None = None


class _Tags(msgspec.Struct):
    items: list[str] | None = None


class _Account(msgspec.Struct):
    email: str = ""


class _Instance(CloudResource, kw_only=True, rename="camel"):
    id: str | int = ""
    zone: str = ""
    status: str = ""
    tags: _Tags | None = None
    service_accounts: list[_Account] | None = None
    can_ip_forward: bool = False
    # Read one by one: what cannot be understood must not take its instance along.
    network_interfaces: list[object] | None = None


def add_instances(answers: Answers, draft: Draft) -> None:
    """Add the instances and their interfaces.

    Tags and accounts are the instance's, and hold at each of its interfaces. Source:
    https://cloud.google.com/compute/docs/reference/rest/v1/instances
    """
    for wire in answers.listed("compute", "instances", _Instance, _FACET):
        zone = name_of(wire.zone)
        link = wire.link(answers.scope, f"zones/{zone}/instances")
        identifier = draft.named(link, answers.scope)
        nics = list(_nics(answers, wire, tail_of(link)))
        networks = {_network_of(draft, nic, answers) for nic in nics} - {None}
        workload = Workload(
            id=identifier,
            kind="instance",
            name=wire.name or name_of(link),
            region=region_of(zone or link),
            tags=labels_of(wire),
            network=networks.pop() if len(networks) == 1 else None,
            running=wire.status.upper() in _RUNNING,
        )
        draft.put(draft.workloads, workload, answers.scope)
        if wire.id:
            draft.instances[str(wire.id)] = identifier
        for number, nic in enumerate(nics):
            _add_interface(answers, draft, wire, nic, number, workload)


def _nics(answers: Answers, wire: _Instance, link: str) -> Iterator[_Nic]:
    if not wire.network_interfaces:
        answers.gap(_WHAT, link, "unread", "networkInterfaces are missing", _FACET)
    for index, item in enumerate(wire.network_interfaces or ()):
        try:
            yield msgspec.convert(item, _Nic)
        except msgspec.ValidationError as error:
            answers.gap(_WHAT, link, "malformed", f"networkInterfaces[{index}]: {error}", _FACET)


def _network_of(draft: Draft, nic: _Nic, answers: Answers) -> str | None:
    subnet = draft.subnets.get(draft.named(nic.subnetwork, answers.scope)) if nic.subnetwork else None
    if subnet is not None:
        return subnet.network
    return draft.named(nic.network, answers.scope) if nic.network else None


def _add_interface(answers: Answers, draft: Draft, wire: _Instance, nic: _Nic, number: int, workload: Workload) -> None:
    network = _network_of(draft, nic, answers)
    subnet = draft.named(nic.subnetwork, answers.scope) if nic.subnetwork else None
    if subnet is None and network is not None and f"{network}/range" in draft.subnets:
        subnet = f"{network}/range"
    identifier = f"{workload.id}/{nic.name or f'nic{number}'}"
    own = own_id(identifier)
    four = answers.addresses(_WHAT, own, (nic.network_ip,), _FACET)
    length = nic.internal_ipv6_prefix_length or 96
    six = answers.addresses(_WHAT, own, (_block(nic.ipv6_address, length),), _FACET)
    outer = [
        _block(each.external_ipv6, each.external_ipv6_prefix_length or 96) for each in nic.ipv6_access_configs or ()
    ]
    public_six = answers.addresses(_WHAT, own, outer, _FACET)
    mapped = [each.nat_ip for each in nic.access_configs or () if each.nat_ip]
    # One of a stopped machine gets an address when it starts.
    waiting = bool(nic.access_configs) and (not mapped or not answers.readable(mapped))
    if not four | six | public_six:
        answers.gap(_WHAT, own, "malformed", "it tells no address that can be read", _FACET)
    tags = frozenset(tag for tag in (wire.tags.items if wire.tags is not None else None) or () if tag)
    accounts = frozenset(each.email for each in wire.service_accounts or () if each.email)
    interface = Interface(
        id=identifier,
        kind="network-interface",
        name=workload.name,
        region=workload.region,
        tags=workload.tags,
        network=network,
        subnet=subnet,
        addresses=four | six | public_six,
        public=answers.addresses(_WHAT, own, mapped, _FACET) | public_six,
        public_unlisted=None if waiting else False,
        workload=workload.id,
        forwards=wire.can_ip_forward,
        primary=four if number == 0 else NO_ADDRESSES,
    )
    draft.put(draft.interfaces, carry(draft, interface, tags, accounts), answers.scope)
    draft.carried_tags[identifier] = tags
    ranges = [each.ip_cidr_range for each in nic.alias_ip_ranges or ()]
    aliases = answers.addresses(_WHAT, own, ranges, _FACET)
    if aliases:
        _add_alias(draft, interface, aliases, (tags, accounts), answers.scope)


def _add_alias(
    draft: Draft,
    interface: Interface,
    addresses: AddressSet,
    carried: tuple[frozenset[str], frozenset[str]],
    reader: str,
) -> None:
    """Add what stands for the alias ranges of an interface: rules aim at it, and do not know it as a source.

    Source: https://cloud.google.com/firewall/docs/firewalls#sources_or_destinations_for_the_rule
    """
    alias = msgspec.structs.replace(
        interface,
        id=f"{interface.id}/aliases",
        kind="alias-range",
        addresses=addresses,
        public=NO_ADDRESSES,
        public_unlisted=False,
        primary=NO_ADDRESSES,
        labels={ALIAS: "true"},
        role="alias-range",
        derived=True,
    )
    draft.put(draft.interfaces, carry(draft, alias, *carried), reader)
    draft.carried_tags[alias.id] = carried[0]


def _block(address: str | None, length: int) -> str | None:
    """Return the block of addresses that an interface has with its first IPv6 address."""
    if not address:
        return None
    return address if "/" in address else f"{address}/{length}"
