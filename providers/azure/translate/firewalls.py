"""Azure Firewalls: what they are, where they stand, what they filter, and the ways in that their DNAT rules open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import Entrance, Firewall, Interface
from cloudseg.providers.azure.ids import parent_of, qualified_id, region_of
from cloudseg.providers.azure.translate.firewall_lists import arriving, list_of
from cloudseg.providers.azure.translate.firewall_parts import ClassicCollection, FirewallRule, Snat
from cloudseg.providers.azure.translate.firewall_rules import classic_rules, rules_of
from cloudseg.providers.azure.translate.firewall_verdict import verdict_of
from cloudseg.providers.azure.translate.hub_parts import HubFirewall
from cloudseg.providers.azure.translate.interfaces import borne
from cloudseg.providers.azure.translate.wire import ArmResource, Ref, tags_of
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_firewalls", "add_inbound_rules", "join_firewalls"]

_WHAT: Final = "network.azure_firewalls"
_FACET: Final = "firewalls"
ROLE: Final = "azure_firewall"
_IANA: Final = AddressSet.from_cidrs(("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))


class _ConfigurationProperties(msgspec.Struct, rename="camel"):
    subnet: Ref | None = None
    private_ip: str | None = msgspec.field(default=None, name="privateIPAddress")
    public: Ref | None = msgspec.field(default=None, name="publicIPAddress")


class _Configuration(msgspec.Struct):
    properties: _ConfigurationProperties = msgspec.field(default_factory=_ConfigurationProperties)


class _HubAddress(msgspec.Struct):
    address: str = ""


class _HubPublic(msgspec.Struct):
    addresses: list[_HubAddress] | None = None


class _HubAddresses(msgspec.Struct, rename="camel"):
    private_ip: str | None = msgspec.field(default=None, name="privateIPAddress")
    public: _HubPublic | None = msgspec.field(default=None, name="publicIPs")


class _Properties(msgspec.Struct, rename="camel"):
    ip_configurations: list[_Configuration] | None = None
    firewall_policy: Ref | None = None
    virtual_hub: Ref | None = None
    hub_addresses: _HubAddresses | None = msgspec.field(default=None, name="hubIPAddresses")
    network_rule_collections: list[ClassicCollection] | None = None
    application_rule_collections: list[ClassicCollection] | None = None
    nat_rule_collections: list[ClassicCollection] | None = None
    additional_properties: dict[str, object] | None = None


class _Firewall(ArmResource, kw_only=True):
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_firewalls(answers: Answers, draft: Draft) -> None:
    """Add the firewalls of a subscription, each with one interface in its subnet; those of hubs have none that is read.

    Many machines stand behind the one private address, to which routes lead. Sources:
    https://learn.microsoft.com/azure/firewall/overview and
    https://learn.microsoft.com/azure/firewall-manager/vhubs-and-vnets
    """
    for wire in answers.listed("network", "azure_firewalls", _Firewall, _FACET):
        properties = wire.properties
        identifier = qualified_id(wire.id)
        rules, unread = _rules(draft, answers.scope, properties)
        verdict = verdict_of(rules, unread)
        interface = _interface(answers, draft, wire)
        subnet = None if interface is None else interface.subnet
        translates, may_translate = _snat(answers, draft, wire, rules)
        network = "" if interface is None else interface.network or ""
        hub = properties.virtual_hub
        if hub is not None and hub.id:
            network = qualified_id(hub.id)
            draft.hubs.firewalls[identifier] = HubFirewall(network, _hub_public(answers, wire))
        firewall = Firewall(
            id=identifier,
            kind="azure-firewall",
            name=wire.name,
            region=region_of(wire.location or ""),
            tags=tags_of(wire),
            network=network,
            subnets=frozenset((subnet,)) if subnet else frozenset(),
            endpoints=frozenset((identifier,)),
            filters=verdict.filters,
            names=verdict.names,
            reason=verdict.reason,
            interfaces=frozenset() if interface is None else frozenset((interface.id,)),
            translates=translates,
            may_translate=may_translate,
            rules=list_of(rules, unread),
        )
        draft.put(draft.firewalls, firewall, answers.scope)
        draft.walls.nat_rules[identifier] = tuple(rule for rule in rules if rule.kind == "nat")
        if interface is not None:
            draft.put(draft.interfaces, interface, answers.scope)
            draft.walls.ends[interface.id] = identifier


def _rules(draft: Draft, scope: str, properties: _Properties) -> tuple[tuple[FirewallRule, ...], str]:
    policy = properties.firewall_policy
    if policy is not None and policy.id:
        return rules_of(draft, qualified_id(policy.id), scope)
    collections = (
        *(("nat", each) for each in properties.nat_rule_collections or ()),
        *(("network", each) for each in properties.network_rule_collections or ()),
        *(("application", each) for each in properties.application_rule_collections or ()),
    )
    return classic_rules(draft, scope, collections), ""


def _interface(answers: Answers, draft: Draft, wire: _Firewall) -> Interface | None:
    """Return the interface of a firewall in a network; None for one that is stopped, and for those of hubs."""
    parts = [each.properties for each in wire.properties.ip_configurations or ()]
    place = next((each.subnet for each in parts if each.subnet is not None and each.subnet.id), None)
    if place is None:
        return None
    subnet = qualified_id(place.id)
    known = draft.subnets.get(subnet)
    public = borne(draft, (each.public.id for each in parts if each.public is not None and each.public.id))
    identifier = f"{qualified_id(wire.id)}/ipconfigurations"
    draft.standard.add(identifier)
    return Interface(
        id=identifier,
        kind="network-interface",
        name=wire.name,
        region=region_of(wire.location or ""),
        tags=tags_of(wire),
        network=qualified_id(parent_of(place.id)) if known is None else known.network,
        subnet=subnet,
        addresses=answers.addresses(_WHAT, wire.id, (each.private_ip or "" for each in parts), _FACET),
        public=public.addresses,
        public_unlisted=public.unlisted,
        workload=qualified_id(wire.id),
        role=ROLE,
        forwards=True,
        derived=True,
        managed_by="azure",
    )


def _hub_public(answers: Answers, wire: _Firewall) -> AddressSet:
    hub = wire.properties.hub_addresses
    listed = () if hub is None or hub.public is None else hub.public.addresses or ()
    return answers.addresses(_WHAT, wire.id, (each.address for each in listed), _FACET)


def _snat(
    answers: Answers, draft: Draft, wire: _Firewall, rules: tuple[FirewallRule, ...]
) -> tuple[AddressSet, AddressSet]:
    """Return the destinations to which packets surely leave under the firewall's address, and those to which some may.

    To private ranges packets keep their address where a network rule lets them through; what an application rule does
    is proxied, wherever it goes. Source: https://learn.microsoft.com/azure/firewall/snat-private-range
    """
    properties = wire.properties
    policy = properties.firewall_policy
    known = None if policy is None else draft.walls.policies.get(qualified_id(policy.id))
    snat = Snat() if known is None or known.snat is None else known.snat
    texts = snat.private_ranges
    own = (properties.additional_properties or {}).get("Network.SNAT.PrivateRanges")
    if texts is None and isinstance(own, str):
        texts = [text.strip() for text in own.split(",")]
    private = _IANA if not texts else NO_ADDRESSES
    for text in texts or ():
        if text.lower() == "ianaprivateranges":
            private |= _IANA
        else:
            private |= answers.addresses(_WHAT, wire.id, (text,), _FACET)
    translates, may_translate = ALL_IPV4 - private, NO_ADDRESSES
    if any(rule.kind == "application" and rule.allows for rule in rules):
        may_translate = ALL_IPV4 & private
    if snat.auto_learn_private_ranges.lower() == "enabled":
        # Which ranges it learned no answer tells.
        for network in draft.networks.values():
            learned = network.addresses & translates
            translates, may_translate = translates - learned, may_translate | learned
    return translates, may_translate


def join_firewalls(draft: Draft) -> None:
    """Let a policy that was not read leave the ranges open to which packets keep their address."""
    for identifier, firewall in draft.firewalls.items():
        if firewall.filters is None and not firewall.names and firewall.reason.endswith("not read"):
            everything = ALL_IPV4 - firewall.translates
            draft.firewalls[identifier] = msgspec.structs.replace(firewall, may_translate=everything)


def add_inbound_rules(draft: Draft) -> None:
    """Add the ways in that DNAT rules open: their targets see the firewall's own private address.

    Sources: https://learn.microsoft.com/azure/firewall/tutorial-firewall-dnat and
    https://learn.microsoft.com/azure/firewall/firewall-known-issues
    """
    for identifier, rules in draft.walls.nat_rules.items():
        firewall = draft.firewalls[identifier]
        for rule in rules:
            if rule.destinations and rule.destinations <= _IANA:
                inside = f"{rule.name} of {firewall.label} serves clients inside, which is not followed"
                draft.ledger.notes.append(inside)
                continue
            entrance = _entrance(draft, firewall, rule)
            draft.entrances[entrance.id] = entrance


def _entrance(draft: Draft, firewall: Firewall, rule: FirewallRule) -> Entrance:
    peers = (each for each in draft.peers_of(firewall.network) if draft.peerings[each.peering].active)
    places = {firewall.network, *(each.network for each in peers)}
    targets = frozenset(
        each.id
        for each in draft.interfaces.values()
        if rule.translated and each.network in places and each.addresses.overlaps(rule.translated)
    )
    doubt = "" if rule.translated else "it leads to a domain name, whose address was not read"
    if rule.translated and not targets:
        doubt = f"who bears {rule.translated} was not read"
    clients = NO_ADDRESSES
    for name in firewall.subnets:
        known = draft.subnets.get(name)
        clients |= NO_ADDRESSES if known is None else known.addresses
    return Entrance(
        id=f"{firewall.id}/natrules/{rule.name}",
        kind="firewall-nat-rule",
        name=rule.name,
        region=firewall.region,
        targets=targets,
        target_addresses=NO_ADDRESSES if targets else rule.translated,
        network=None if targets or firewall.network not in draft.networks else firewall.network,
        traffic=arriving(rule),
        listens=rule.traffic,
        addresses=rule.destinations,
        clients=clients or ALL_ADDRESSES,
        certain_clients=bool(clients),
        senders=rule.sources,
        active=None if doubt else True,
        doubt=doubt or rule.problem,
    )
