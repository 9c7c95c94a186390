"""Rules of Azure Firewall as they are written: in policies, and inside firewalls without one (classic rules)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

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
    WireRule,
)
from cloudseg.providers.azure.translate.rule_traffic import rule_traffic
from cloudseg.providers.azure.translate.service_tags import tag_list
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, NO_TRAFFIC, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_firewall_policies", "classic_rules", "rules_of"]

_FACET: Final = "firewalls"
_GROUPS: Final = "firewall_policy_rule_collection_groups"
_ANY: Final = frozenset(("*", "any", "internet"))


def add_firewall_policies(answers: Answers, draft: Draft) -> None:
    """Note IP groups and policies with their rule collection groups; firewalls of any subscription may use them.

    Source: https://learn.microsoft.com/azure/firewall-manager/policy-overview
    """
    for wire in answers.listed("network", "ip_groups", WireIpGroup, _FACET):
        found = NO_ADDRESSES
        for text in wire.properties.ip_addresses or ():
            build = partial(AddressSet.parse, text)
            found |= answers.understood(("network", "ip_groups"), wire.id, _FACET, build) or NO_ADDRESSES
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
    problems: list[str] = []
    ends = partial(_addresses, draft, scope, problems)
    names = (
        *(wire.destination_fqdns or ()),
        *(wire.target_fqdns or ()),
        *(wire.target_urls or ()),
        *(f"{tag} (FQDN tag)" for tag in wire.fqdn_tags or ()),
    )
    traffic = NO_TRAFFIC
    if kind != "application":
        texts = [each for each in (*(wire.ip_protocols or ()), *(wire.protocols or ())) if isinstance(each, str)]
        for text in texts:
            read = rule_traffic(text, tuple(wire.destination_ports or ()))
            problems += [read.problem] if read.problem else []
            traffic |= read.traffic
    translated, port = NO_ADDRESSES, wire.translated_port or ""
    if wire.translated_address:
        translated = _addresses(draft, scope, problems, [wire.translated_address], None)
    return FirewallRule(
        kind=kind,
        name=f"{collection.name}/{wire.name}",
        allows=action != "deny",
        sources=ends(wire.source_addresses, wire.source_ip_groups),
        destinations=ends(wire.destination_addresses, wire.destination_ip_groups),
        traffic=traffic,
        names=names,
        categories=bool(wire.web_categories),
        translated=translated,
        port=int(port) if port.isdecimal() else 0,
        problem="; ".join(problems),
    )


def _addresses(
    draft: Draft, scope: str, problems: list[str], texts: list[str] | None, groups: list[str] | None
) -> AddressSet:
    """Return the addresses of one end of a rule; what cannot be read is noted as a problem and left out."""
    found = NO_ADDRESSES
    for text in texts or ():
        if text.lower() in _ANY:
            return ALL_ADDRESSES
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
        known = draft.walls.ip_groups.get(qualified_id(group))
        problems += [f"the IP group {group} was not read"] if known is None else []
        found |= known or NO_ADDRESSES
    return found
