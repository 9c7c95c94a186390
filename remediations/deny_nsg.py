"""A denial of all else in an NSG, behind what is needed of what its default rules let in."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.checks.rule_lists import shown
from cloudseg.model import ANYONE, Addresses, GroupRef, Rule, unplaced
from cloudseg.model.edits import AddRule
from cloudseg.remediations.interface import Change
from cloudseg.remediations.naming import named
from cloudseg.remediations.needed import told
from cloudseg.remediations.permissions import few_ports
from cloudseg.remediations.rule_pieces import described, traffic_apart
from cloudseg.remediations.slots import behind_own
from cloudseg.traffic import ALL_TRAFFIC, NO_ADDRESSES, NO_TRAFFIC, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.model import Estate, Interface, Peer, RuleSet
    from cloudseg.observed.ends import End
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.demand import Passing
    from cloudseg.traffic import Traffic

__all__ = ["PROBES", "Entry", "allows", "closing", "numbered", "platform_subnet"]

PROBES: Final = "inbound/AllowAzureLoadBalancerInBound"
"""The default rule by which the load balancer asks whether machines are well. Source:
https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#default-security-rules"""
_MOST: Final = 60
_RANGES: Final = 6
_ASG: Final = "application-security-group"
_NAMED: Final = frozenset(
    (
        *("azurebastionsubnet", "azurefirewallsubnet", "azurefirewallmanagementsubnet"),
        *("gatewaysubnet", "routeserversubnet"),
    )
)
_ROLES: Final = frozenset(("application_gateway", "bastion", "azure_firewall", "private_link_service"))


class Entry(NamedTuple):
    """A rule to be, without its place in the list, and the facts that it rests on."""

    traffic: Traffic
    remote: tuple[Peer, ...]
    evidence: tuple[str, ...]


def platform_subnet(estate: Estate, subnets: Iterable[str], interfaces: Iterable[Interface]) -> str:
    """Return why subnets need rules of their platform, so that a denial is refused; empty where they do not.

    Sources: https://learn.microsoft.com/azure/application-gateway/configuration-infrastructure,
    https://learn.microsoft.com/azure/bastion/bastion-nsg and
    https://learn.microsoft.com/azure/virtual-network/subnet-delegation-overview
    """
    for name in sorted(subnets):
        subnet = estate.subnets.get(name)
        if subnet is None:
            return "a subnet of it was not read, and it may be one that the platform manages"
        if subnet.name.lower() in _NAMED:
            return f"{subnet.label} is a subnet of the platform's own gateways"
        if subnet.delegated:
            return f"{subnet.label} is delegated to {shown(list(subnet.delegated))}"
    for each in interfaces:
        if each.role.lower() in _ROLES:
            return f"{each.label} ({each.role.replace('_', ' ')}) stands in it"
    return ""


def allows(context: RemedyContext, passing: Sequence[Passing], within: Traffic) -> tuple[Entry, ...]:
    """Return what admits all that is needed: groups of who carries one, addresses of everybody else.

    Whom a default rule admits, it admits on every port, so that groups inside of the network add nobody.
    """
    by_end: defaultdict[tuple[Peer, ...] | AddressSet, list[Passing]] = defaultdict(list)
    for each in passing:
        by_end[_end_of(context, each.other)].append(each)
    entries: list[Entry] = []
    plain: defaultdict[Traffic, list[tuple[AddressSet, list[Passing]]]] = defaultdict(list)
    for end, users in by_end.items():
        traffic = NO_TRAFFIC
        for each in users:
            traffic |= each.traffic
        traffic = few_ports(traffic & within, within, _RANGES)
        if not traffic:
            continue
        if isinstance(end, AddressSet):
            plain[traffic].append((end, users))
        else:
            entries.append(Entry(traffic, end, told(users)))
    for traffic, several in plain.items():
        addresses = NO_ADDRESSES
        for own, _ in several:
            addresses |= own
        users = [each for _, own in several for each in own]
        entries.append(Entry(traffic, (Addresses(addresses),), told(users)))
    return tuple(sorted(entries, key=lambda entry: (str(entry.traffic), repr(entry.remote))))


def _end_of(context: RemedyContext, end: End) -> tuple[Peer, ...] | AddressSet:
    estate = context.estate
    interface = estate.interfaces.get(end.interface)
    if interface is None:
        return AddressSet.parse(end.address)
    groups = [each for each in sorted(interface.attached) if each in estate.groups and estate.groups[each].kind == _ASG]
    if groups:
        return (GroupRef(min(groups, key=lambda name: (len(estate.members(name)), name))),)
    subnet = estate.subnets.get(interface.subnet or "")
    if subnet is not None and not context.lasting(interface).stays:
        # The next one that is made in its place has another address of the same subnet.
        return subnet.addresses
    return interface.addresses


def numbered(
    rule_set: RuleSet, entries: Sequence[Entry], probes: Rule | None
) -> tuple[tuple[Rule, tuple[str, ...]], ...] | str:
    """Return the rules with their priorities, the denial last, or why there is no place for them, in words.

    Args:
        rule_set: the NSG.
        entries: what is admitted.
        probes: the default rule for probes of the load balancer, which a denial would cut off.
    """
    wanted: list[tuple[Rule, tuple[str, ...]]] = []
    for entry in entries:
        wanted += [
            (_rule(rule_set, traffic, entry.remote, "needed: seen, or intended"), entry.evidence)
            for traffic in traffic_apart(rule_set, entry.traffic, entry.traffic)
        ]
    if probes is not None:
        text = "probes of the load balancer, which a default rule would admit"
        wanted.append(
            (_rule(rule_set, probes.traffic, probes.remote, text), ("machines that fail their probes get no traffic",))
        )
    denial = msgspec.structs.replace(_rule(rule_set, ALL_TRAFFIC, ANYONE, "what no rule admits"), verdict="deny")
    wanted.append((denial, ()))
    if len(wanted) > _MOST:
        return f"it would take {len(wanted)} rules to keep what is needed, and more than {_MOST} nobody reads"
    places = behind_own(rule_set, "ingress", len(wanted))
    if places is None:
        return f"no {len(wanted)} priorities up to 4096 are free behind the rules of {rule_set.label}"
    found = (
        (msgspec.structs.replace(rule, priority=place), facts)
        for (rule, facts), place in zip(wanted, places, strict=True)
    )
    return tuple((named(rule_set, rule), facts) for rule, facts in found)


def closing(
    places: Sequence[RuleSet], rules: Sequence[tuple[Rule, tuple[str, ...]]], evidence: tuple[str, ...]
) -> list[Change]:
    """Return the changes that add rules to an NSG wherever it stands: what is admitted first, the denial last."""
    label = places[0].label
    changes: list[Change] = []
    for rule, facts in rules:
        denies = not rule.allows
        changes.append(
            Change(
                edits=tuple(AddRule(place.id, rule) for place in places),
                phase="remove" if denies else "add",
                reason=f"{label} denies nothing from inside: the default rule lets the whole virtual network in"
                if denies
                else f"it is needed, and the denial that comes behind it in {label} would stop it",
                evidence=(*evidence, *facts) if denies else facts,
                undo=f"take the rule out of {label} again"
                + (": everything that the default rule admits comes in again at once" if denies else ""),
            )
        )
    return changes


def _rule(rule_set: RuleSet, traffic: Traffic, remote: tuple[Peer, ...], text: str) -> Rule:
    return Rule(
        id="",
        direction="ingress",
        verdict="next",
        traffic=traffic,
        remote=remote,
        description=described(rule_set, (text,)),
    )


def same_resource(estate: Estate, rule_set: RuleSet) -> tuple[RuleSet, ...]:
    """Return an NSG at every place where it stands, in order of their ids."""
    own = unplaced(rule_set.id)
    return tuple(each for name, each in sorted(estate.rule_sets.items()) if unplaced(name) == own)
