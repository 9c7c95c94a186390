"""Network security groups, and where each of them stands: at subnets, at network interfaces, or at both."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import AllOf, AnyOf, Carries, InSubnets, Labelled, RuleSet
from cloudseg.providers.azure.ids import name_of, place_of, qualified_id, region_of
from cloudseg.providers.azure.translate.parts import Nsg, VirtualNetworkTag
from cloudseg.providers.azure.translate.pipeline import NIC_NSG, SUBNET_NSG
from cloudseg.providers.azure.translate.rule_ends import Ends
from cloudseg.providers.azure.translate.rule_reading import RuleProperties, parsed, unread_rules
from cloudseg.providers.azure.translate.unknown_ends import Part, Settled
from cloudseg.providers.azure.translate.wire import ArmResource, tags_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Rule, Selector, Verdict
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft
    from cloudseg.providers.azure.translate.parts import ParsedRule

__all__ = ["NO_ENDPOINT", "add_nsgs", "place_nsgs", "rules_in"]

_WHAT: Final = "network.network_security_groups"
_DEFAULTS: Final = "defaultSecurityRules"
_VERDICTS: Final[dict[str, Verdict]] = {"allow": "next", "deny": "deny"}

_ENDPOINT: Final = "azure/private-endpoint"
_SERVICE: Final = "private_link_service"
_UNFILTERED: Final = frozenset(("unfiltered",))
NO_ENDPOINT: Final = Labelled(_ENDPOINT, "DoesNotExist")
"""All but private endpoints."""
_FILTERED: Final = Labelled(_ENDPOINT, "NotIn", _UNFILTERED)
"""All but those private endpoints that the NSG of their subnet does not judge."""


class _Rule(msgspec.Struct, gc=False):
    properties: RuleProperties
    name: str = ""


class _Properties(msgspec.Struct, rename="camel"):
    # Read one by one: a rule that cannot be understood must not take its list along.
    security_rules: list[object] | None = None
    default_security_rules: list[object] | None = None


class _Nsg(ArmResource, kw_only=True):
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_nsgs(answers: Answers, draft: Draft) -> None:
    """Note the NSGs with their rules, the provider's own included.

    Rules are asked by priority, and the first that matches decides. Source:
    https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview
    """
    for wire in answers.listed("network", "network_security_groups", _Nsg, "groups"):
        shell = RuleSet(
            id=qualified_id(wire.id),
            kind="network-security-group",
            name=wire.name,
            region=region_of(wire.location or ""),
            tags=tags_of(wire),
            stage=SUBNET_NSG,
        )
        properties = wire.properties
        rules = (
            *_read(answers, wire.id, properties.security_rules or [], "securityRules"),
            *_read(answers, wire.id, properties.default_security_rules or [], _DEFAULTS),
        )
        draft.nsgs[shell.id] = Nsg(shell, tuple(sorted(rules, key=lambda each: each.rule.priority or 0)))


def _read(answers: Answers, owner: str, items: list[object], key: str) -> Iterator[ParsedRule]:
    for index, item in enumerate(items):
        try:
            wire = msgspec.convert(item, _Rule)
        except msgspec.ValidationError as error:
            answers.gap(_WHAT, owner, "malformed", f"{key}[{index}]: {error}", "groups")
            yield from unread_rules(index, key)
        else:
            name = wire.name or f"{key}-{index}"
            direction = wire.properties.direction.lower()
            read = parsed(answers, _WHAT, owner, f"{direction}/{name}", wire.properties, _VERDICTS)
            kept = key == _DEFAULTS
            yield read._replace(rule=msgspec.structs.replace(read.rule, fixed=True)) if kept else read


def place_nsgs(draft: Draft) -> None:
    """Make lists of the NSGs: one for each network, and for subnets and network interfaces apart.

    What ``VirtualNetwork`` means differs by network, and an NSG at a subnet and at a network interface in it is asked
    twice. Private endpoints meet the NSG of their subnet only where its network policies say so. Sources:
    https://learn.microsoft.com/azure/virtual-network/network-security-group-how-it-works and
    https://learn.microsoft.com/azure/private-link/disable-private-endpoint-network-policy
    """
    places = _places(draft)
    for identifier in places.keys() - draft.nsgs.keys():
        # One that was not read may deny anything, and may allow anything.
        shell = RuleSet(id=identifier, kind="network-security-group", name=name_of(identifier), stage=SUBNET_NSG)
        draft.nsgs[identifier] = Nsg(shell, tuple(unread_rules(0, "all rules")))
    _mark_endpoints(draft)
    services = {each.subnet for each in draft.interfaces.values() if each.role == _SERVICE}
    for identifier, nsg in draft.nsgs.items():
        found = places.get(identifier)
        if not found:
            _add(draft, nsg, _Place(identifier, SUBNET_NSG, "", ""), AnyOf(()))
            continue
        for place, members in _named(identifier, found):
            if place.stage == SUBNET_NSG:
                inside = InSubnets(frozenset(members))
                bare = all(draft.guards[each].filters_endpoints and each not in services for each in members)
                _add(draft, nsg, place, inside if bare else AllOf((inside, _FILTERED)))
                continue
            for nic in members:
                interface = draft.interfaces[nic]
                attached = interface.attached | {place.id}
                draft.interfaces[nic] = msgspec.structs.replace(interface, attached=attached)
            _add(draft, nsg, place, Carries(place.id))


class _Place(NamedTuple):
    """Where an NSG stands.

    Attributes:
        id: qualified id of the list that is made of it there.
        stage: the stage at which it is asked.
        network: the network; empty for none.
        seen_from: a subnet that stands for all there; empty where none was read.
    """

    id: str
    stage: str
    network: str
    seen_from: str


_Alike = tuple[str, str, VirtualNetworkTag | None]
"""The stage, the network, and what ``VirtualNetwork`` stands for."""


def _places(draft: Draft) -> dict[str, dict[_Alike, list[tuple[str, str]]]]:
    """Return for each NSG what it judges, each with its subnet, told apart by what the NSG means there."""
    found: defaultdict[str, defaultdict[_Alike, list[tuple[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for identifier, guard in sorted(draft.guards.items()):
        if guard.nsg:
            alike = (SUBNET_NSG, draft.subnets[identifier].network, draft.virtual_networks.get(identifier))
            found[guard.nsg][alike].append((identifier, identifier))
    for identifier, own in sorted(draft.nic_nsgs.items()):
        interface = draft.interfaces[identifier]
        subnet = interface.subnet or ""
        alike = (NIC_NSG, interface.network or "", draft.virtual_networks.get(subnet))
        found[own][alike].append((identifier, subnet))
    return {nsg: dict(places) for nsg, places in found.items()}


def _named(identifier: str, places: dict[_Alike, list[tuple[str, str]]]) -> Iterator[tuple[_Place, list[str]]]:
    """Yield each place with what is judged there: under the NSG's own id, and where it has several, the place."""
    for (stage, network, _), judged in places.items():
        seen_from = judged[0][1]
        name = identifier
        if len(places) > 1:
            kind = "subnets" if stage == SUBNET_NSG else "interfaces"
            name = f"{identifier}@{kind}-{place_of(seen_from or network)}"
        yield _Place(name, stage, network, seen_from), [member for member, _ in judged]


def _mark_endpoints(draft: Draft) -> None:
    """Label private endpoints by whether the network policies of their subnet let its NSG judge them.

    The interface of a private link service no NSG judges. Source:
    https://learn.microsoft.com/azure/private-link/disable-private-link-service-network-policy
    """
    for identifier, interface in draft.interfaces.items():
        guard = draft.guards.get(interface.subnet or "")
        if interface.role == "private_endpoint":
            filtered = guard is not None and guard.filters_endpoints
            labels = {**interface.labels, _ENDPOINT: "filtered" if filtered else "unfiltered"}
            draft.interfaces[identifier] = msgspec.structs.replace(interface, labels=labels)
        elif interface.role == _SERVICE:
            labels = {**interface.labels, _ENDPOINT: "unfiltered"}
            draft.interfaces[identifier] = msgspec.structs.replace(interface, labels=labels)


def _add(draft: Draft, nsg: Nsg, place: _Place, applies: Selector) -> None:
    seen_from = place.seen_from if place.seen_from in draft.virtual_networks else place.network
    ends = Ends(draft, seen_from, nsg.shell.scope)
    draft.rule_sets[place.id] = msgspec.structs.replace(
        nsg.shell,
        id=place.id,
        stage=place.stage,
        network=place.network or None,
        applies=applies,
        rules=tuple(rules_in(ends, nsg.rules)),
    )


def rules_in(ends: Ends, rules: tuple[ParsedRule, ...]) -> Iterator[Rule]:
    """Yield rules with their ends as they stand in one network, in the order in which they are asked."""
    settled = Settled()
    for each in rules:
        local = ends.of(each.local, each.local_groups)
        whole = msgspec.structs.replace(each.rule, local=local)
        parts = tuple(settled.parts(each)) if ends.doubtful else (Part(each.rule.traffic, "open"),)
        for number, part in enumerate(parts):
            remote = ends.of(each.remote, each.remote_groups, part.unknown)
            name = each.rule.id if not number else f"{each.rule.id} ({part.traffic})"
            yield msgspec.structs.replace(whole, id=name, traffic=part.traffic, remote=remote)
        if each.maybe:
            doubt = f"whether rules for {each.rule.traffic} hold for {each.maybe} is not told"
            remote = ends.of(each.remote, each.remote_groups)
            yield msgspec.structs.replace(
                whole, id=each.maybe_id, traffic=each.maybe, remote=remote, exact=False, doubt=doubt
            )
