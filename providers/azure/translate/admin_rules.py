"""Security admin rules of Virtual Network Manager, as they are in force in each network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import AllOf, InNetworks, RuleSet, scope_of
from cloudseg.providers.azure.ids import place_of, qualified_id
from cloudseg.providers.azure.translate.nsgs import NO_ENDPOINT, rules_in
from cloudseg.providers.azure.translate.pipeline import ADMIN_RULES
from cloudseg.providers.azure.translate.rule_ends import Ends
from cloudseg.providers.azure.translate.rule_reading import RuleProperties, parsed, unread_rules

if TYPE_CHECKING:
    from cloudseg.model import Verdict
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft
    from cloudseg.providers.azure.translate.parts import ParsedRule

__all__ = ["add_admin_rules", "place_admin_rules"]

_OPERATION: Final = "effective_security_admin_rules"
_WHAT: Final = f"network.{_OPERATION}"
_FACET: Final = "boundary-rules"
# What an administrator allows the NSGs may still deny; what is always allowed they are not asked about.
_VERDICTS: Final[dict[str, Verdict]] = {"allow": "next", "alwaysallow": "accept", "deny": "deny"}

_WITH_POLICIES: Final = frozenset(("microsoft.sql/managedinstances", "microsoft.databricks/workspaces"))
"""Services with policies of their own in a network. Source:
https://learn.microsoft.com/azure/virtual-network-manager/concept-security-admins#nonapplication-of-security-admin-rules"""


class _Prefix(msgspec.Struct, rename="camel"):
    address_prefix: str = ""
    address_prefix_type: str = ""


class _Properties(msgspec.Struct, rename="camel"):
    access: str
    direction: str
    priority: int
    protocol: str = "Any"
    description: str | None = None
    sources: list[_Prefix] | None = None
    destinations: list[_Prefix] | None = None
    source_port_ranges: list[str] | None = None
    destination_port_ranges: list[str] | None = None


class _Rule(msgspec.Struct):
    properties: _Properties
    id: str = ""
    name: str = ""


def add_admin_rules(answers: Answers, draft: Draft) -> None:
    """Add the security admin rules that judge each network, before any NSG.

    A number is unique in its collection alone; which of several with one number decides is not told. Sources:
    https://learn.microsoft.com/azure/virtual-network-manager/concept-security-admins and
    https://learn.microsoft.com/rest/api/networkmanager/list-effective-security-admin-rules
    """
    for network, index, item in _items(answers):
        identifier = qualified_id(network)
        for each in _read(answers, network, index, item):
            draft.admin_rules.setdefault(identifier, []).append(each)
    # A network without any has an empty list: of others nobody knows whether they have one.
    for network in answers.resources("network", _OPERATION):
        listed = draft.admin_rules.setdefault(qualified_id(network), []) if network else []
        if not answers.intact("network", _OPERATION, network):
            listed.extend(unread_rules(len(listed), "", final=True))


def place_admin_rules(draft: Draft) -> None:
    """Make a list of the security admin rules of each network.

    Networks that have none get an empty list where those of another network of the subscription were not read, for
    without any list nobody could tell one from the other.

    They do not judge networks in which a service keeps its own policies, such as managed instances of SQL, unless the
    administrator asks for it. Whether the answer lists only what is in force there nobody says. Source:
    https://learn.microsoft.com/azure/virtual-network-manager/concept-security-admins#nonapplication-of-security-admin-rules
    """
    torn = {gap.scope for gap in draft.ledger.gaps if _FACET in gap.facets}
    torn |= {scope_of(each) for each in draft.networks if each not in draft.admin_rules}
    for identifier, written in sorted(draft.admin_rules.items()):
        if not written and scope_of(identifier) not in torn:
            continue
        doubt = _applied_at_most(draft, identifier)
        rules = [_at_most(each, doubt) if doubt else _unless_tied(each, written) for each in written]
        known = draft.networks.get(identifier)
        ends = Ends(draft, identifier, scope_of(identifier))
        name = f"{identifier}/securityadminrules"
        draft.rule_sets[name] = RuleSet(
            id=name,
            kind="security-admin-rules",
            name=f"security admin rules of {place_of(identifier)}",
            region="global" if known is None else known.region,
            stage=ADMIN_RULES,
            network=identifier,
            applies=AllOf((InNetworks(frozenset((identifier,))), NO_ENDPOINT)),
            rules=tuple(rules_in(ends, tuple(sorted(rules, key=_order)))),
            managed_by="azure-virtual-network-manager",
        )


def _order(each: ParsedRule) -> tuple[int, bool]:
    # Of several with one number any may decide: at most the one that lets most through.
    return each.rule.priority or 0, each.rule.verdict != "accept"


def _unless_tied(each: ParsedRule, others: list[ParsedRule]) -> ParsedRule:
    """Return a rule as matching at most where another of its number, in another collection, answers otherwise."""
    rule = each.rule
    tied = any(
        other.rule.priority == rule.priority
        and other.rule.direction == rule.direction
        and other.rule.verdict != rule.verdict
        for other in others
    )
    doubt = f"which of the rules with number {rule.priority} is asked first is not told"
    return _at_most(each, doubt) if tied else each


def _at_most(each: ParsedRule, doubt: str) -> ParsedRule:
    return each._replace(rule=msgspec.structs.replace(each.rule, exact=False, doubt=doubt))


def _applied_at_most(draft: Draft, network: str) -> str:
    """Return why the rules may not judge a network, in words; empty where they do."""
    for identifier, subnet in sorted(draft.subnets.items()):
        services = draft.guards[identifier].delegated if subnet.network == network else ()
        for service in services:
            if service.lower() in _WITH_POLICIES:
                return f"whether they apply where {service} keeps policies of its own is not told"
    return ""


def _items(answers: Answers) -> list[tuple[str, int, object]]:
    found = answers.each_of("network", _OPERATION, "value", object, _FACET)
    return [(network, index, item) for index, (network, item) in enumerate(found) if network]


def _read(answers: Answers, network: str, index: int, item: object) -> tuple[ParsedRule, ...]:
    try:
        wire = msgspec.convert(item, _Rule)
    except msgspec.ValidationError as error:
        answers.gap(_WHAT, network, "malformed", f"value[{index}]: {error}", _FACET)
        return tuple(unread_rules(index, "admin rule", final=True))
    properties = wire.properties
    sources = [each.address_prefix for each in properties.sources or ()]
    targets = [each.address_prefix for each in properties.destinations or ()]
    plain = RuleProperties(
        direction=properties.direction,
        access=properties.access,
        priority=properties.priority,
        protocol=properties.protocol,
        description=properties.description,
        source_port_ranges=properties.source_port_ranges,
        destination_port_ranges=properties.destination_port_ranges,
        # A rule without an end names every one.
        source_address_prefixes=sources or ["*"],
        destination_address_prefixes=targets or ["*"],
    )
    name = _named(wire, index)
    return (parsed(answers, _WHAT, network, name, plain, _VERDICTS),)


def _named(wire: _Rule, index: int) -> str:
    """Return a name that is unique in the network: rules of several collections may share their own."""
    path = wire.id.lower().partition("/rulecollections/")[2].replace("/rules/", "/")
    return f"{path or wire.name or 'admin-rule'}#{index}"
