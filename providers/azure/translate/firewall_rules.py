"""Rules of Azure Firewall as they are written: in policies, and inside firewalls without one (classic rules)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.providers.azure.ids import parent_of, qualified_id
from cloudseg.providers.azure.translate.firewall_parts import (
    ClassicCollection,
    FirewallPolicy,
    FirewallRule,
    RuleGroup,
    WireCollection,
    WireGroup,
    WireIpGroup,
    WirePolicy,
    WireProtocol,
    WireRule,
)
from cloudseg.providers.azure.translate.rule_traffic import rule_traffic
from cloudseg.providers.azure.translate.service_tags import tag_list
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_firewall_policies", "classic_rules", "rules_of"]

_FACET: Final = "firewalls"
_GROUPS: Final = "firewall_policy_rule_collection_groups"
_PORTS: Final = {"http": 80, "https": 443, "mssql": 1433}
"""On which ports application rules listen unless they name others."""
_ANY: Final = frozenset(("*", "any", "internet"))


def add_firewall_policies(answers: Answers, draft: Draft) -> None:
    """Note IP groups and policies with their rule collection groups; firewalls of any subscription may use them.

    Source: https://learn.microsoft.com/azure/firewall-manager/policy-overview
    """
    for wire in answers.listed("network", "ip_groups", WireIpGroup, _FACET):
        found = NO_ADDRESSES
        for text in wire.properties.ip_addresses or ():
            build = partial(AddressSet.parse, text)
            addresses = answers.understood(("network", "ip_groups"), wire.id, _FACET, build)
            if addresses is None:
                draft.walls.partial_groups.add(qualified_id(wire.id))
            found |= addresses or NO_ADDRESSES
        draft.walls.ip_groups[qualified_id(wire.id)] = found
    for policy in answers.listed("network", "firewall_policies", WirePolicy, _FACET):
        properties = policy.properties
        base = properties.base_policy
        draft.walls.policies[qualified_id(policy.id)] = FirewallPolicy(
            "" if base is None or not base.id else qualified_id(base.id),
            tuple(qualified_id(each.id) for each in properties.rule_collection_groups or () if each.id),
            properties.snat,
        )
    for group in answers.listed("network", _GROUPS, WireGroup, _FACET):
        collections: list[WireCollection] = []
        whole = True
        for index, item in enumerate(group.properties.rule_collections or ()):
            try:
                collections.append(msgspec.convert(item, WireCollection))
            except msgspec.ValidationError as error:
                whole = False
                answers.gap(f"network.{_GROUPS}", group.id, "malformed", f"ruleCollections[{index}]: {error}", _FACET)
        read = tuple(collections) if whole else None
        found_group = RuleGroup(qualified_id(group.id), group.properties.priority or 0, read)
        draft.walls.rule_groups.setdefault(qualified_id(parent_of(group.id)), []).append(found_group)


def rules_of(draft: Draft, policy: str, scope: str) -> tuple[tuple[FirewallRule, ...], str]:
    """Return the rules of a policy in the order in which they are asked, and what of it was not read, in words.

    Groups of the parent policy come first, then the policy's own; among them the lower priority does, and so it does
    among collections. Kinds of rules are told apart later. Source:
    https://learn.microsoft.com/azure/firewall/rule-processing
    """
    found: list[FirewallRule] = []
    seen: list[str] = []
    name = policy
    while name and name not in seen:
        seen.append(name)
        name = draft.walls.policies[name].base if name in draft.walls.policies else ""
    for each in reversed(seen):
        known = draft.walls.policies.get(each)
        if known is None:
            return (), "its policy was not read" if each == policy else "the policy that it inherits from was not read"
        groups = sorted(draft.walls.rule_groups.get(each, ()), key=lambda group: group.priority)
        if set(known.groups) - {group.id for group in groups} or any(group.collections is None for group in groups):
            return (), "rules of its policy were not read"
        for group in groups:
            for collection in sorted(group.collections or (), key=lambda one: one.priority or 0):
                found += [_rule(draft, scope, collection, rule, _kind(rule)) for rule in collection.rules or ()]
    return tuple(found), ""


def classic_rules(
    draft: Draft, scope: str, collections: Iterable[tuple[str, ClassicCollection]]
) -> tuple[FirewallRule, ...]:
    """Return the rules inside a firewall, in the order in which they are asked.

    Args:
        draft: where IP groups and service tags are looked up.
        scope: the subscription.
        collections: the kind of their rules, and the collections.
    """
    ordered = sorted(collections, key=lambda one: one[1].properties.priority or 0)
    found: list[FirewallRule] = []
    for kind, each in ordered:
        collection = msgspec.structs.replace(each.properties, name=each.name)
        found += [_rule(draft, scope, collection, rule, kind) for rule in collection.rules or ()]
    return tuple(found)


def _kind(rule: WireRule) -> str:
    return {"applicationrule": "application", "natrule": "nat"}.get(rule.rule_type.lower(), "network")


def _rule(draft: Draft, scope: str, collection: WireCollection, wire: WireRule, kind: str) -> FirewallRule:
    action = "" if collection.action is None else collection.action.type.lower()
    ends = partial(_addresses, draft, scope)
    names = (
        *(wire.destination_fqdns or ()),
        *(wire.target_fqdns or ()),
        *(wire.target_urls or ()),
        *(f"{tag} (FQDN tag)" for tag in wire.fqdn_tags or ()),
    )
    sources = ends(wire.source_addresses, wire.source_ip_groups)
    destinations = ends(wire.destination_addresses, wire.destination_ip_groups)
    translated = ends([wire.translated_address] if wire.translated_address else [], None)
    asked = _traffic(wire, kind)
    port = wire.translated_port or ""
    return FirewallRule(
        kind=kind,
        name=f"{collection.name}/{wire.name}",
        allows=action != "deny",
        sources=sources.addresses,
        destinations=destinations.addresses,
        traffic=asked.traffic,
        names=names,
        categories=bool(wire.web_categories),
        translated=translated.addresses,
        port=int(port) if port.isdecimal() else 0,
        problem="; ".join((*asked.problems, *sources.problems, *destinations.problems, *translated.problems)),
        maybe=asked.maybe - asked.traffic,
        sources_open=bool(sources.problems),
        destinations_open=bool(destinations.problems),
    )


class _Asked(NamedTuple):
    """What a rule is about, what it may be about besides, and what of it could not be read, in words."""

    traffic: Traffic
    maybe: Traffic = NO_TRAFFIC
    problems: tuple[str, ...] = ()


def _traffic(wire: WireRule, kind: str) -> _Asked:
    """Return what a rule is about.

    An application rule is about the ports of its protocols, whatever speaks on them. Source:
    https://learn.microsoft.com/azure/firewall/features#application-fqdn-filtering-rules
    """
    found = maybe = NO_TRAFFIC
    if kind == "application":
        for each in wire.protocols or ():
            if isinstance(each, str):
                named, _, text = each.partition(":")
                each = WireProtocol(named, int(text) if text.isdecimal() else None)  # noqa: PLW2901 - one form for both
            port = each.port or _PORTS.get(each.protocol_type.lower())
            found |= Traffic.ports(6, port, port) if port else Traffic.protocol(6)
        return _Asked(found or Traffic.protocol(6))
    problems: list[str] = []
    for text in (*(wire.ip_protocols or ()), *(each for each in wire.protocols or () if isinstance(each, str))):
        read = rule_traffic(text, tuple(wire.destination_ports or ()))
        problems += [read.problem] if read.problem else []
        found, maybe = found | read.traffic, maybe | read.maybe
    return _Asked(found, maybe, tuple(problems))


class _End(NamedTuple):
    """One end of a rule: the addresses that were read, and what was not, in words."""

    addresses: AddressSet
    problems: tuple[str, ...] = ()


def _addresses(draft: Draft, scope: str, texts: list[str] | None, groups: list[str] | None) -> _End:
    """Return the addresses of one end of a rule; what cannot be read is noted as a problem and left out."""
    found, problems = NO_ADDRESSES, list[str]()
    for text in texts or ():
        if text.lower() in _ANY:
            return _End(ALL_ADDRESSES)
        if not text[:1].isdigit() and ":" not in text:
            listed = draft.address_lists[tag_list(draft, scope, text)]
            problems += [f"the service tag {text} was not read"] if listed.prefixes is None else []
            found |= AddressSet.from_cidrs(listed.prefixes or ())
            continue
        try:
            found |= AddressSet.parse(text)
        except ParseError as error:
            problems.append(str(error))
    for group in groups or ():
        name = qualified_id(group)
        known = draft.walls.ip_groups.get(name)
        if known is None or name in draft.walls.partial_groups:
            problems.append(f"the IP group {group} was not read{' in full' if known is not None else ''}")
        found |= known or NO_ADDRESSES
    return _End(found, tuple(problems))
