"""What is said of the internal part of a rule: who is in it, what to name instead, and the facts behind it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from cloudseg.checks.rule_lists import counted, managed, shown, shown_labels
from cloudseg.model import GroupRef, ListRef, unplaced
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.internal_ranges import InternalRange
    from cloudseg.model import Estate, Rule, RuleSet

__all__ = ["advice", "facts", "facts_of_rule", "who"]

# More groups than this no person writes into one rule; and this many are listed in the evidence.
_FEW = 5
_LISTED = 10
_ACCOUNTS = 10


def who(found: InternalRange) -> str:
    """Return who is in the range, as the end of a sentence about the rule."""
    here = shown(found.networks)
    if not found.interfaces:
        if not found.read:
            return f"addresses of {here}, whose interfaces were not read in full"
        if found.unplaced:
            return f"which {shown_labels(found.unplaced)} of {here} may use, and no other interface does"
        return f"which no {'other ' if found.idle else ''}interface of {here} uses"
    one = len(found.interfaces) == 1
    groups = found.cover.groups
    if groups:
        which = shown_labels(groups) if len(groups) <= _FEW else f"{len(groups)} groups"
        does = f"{'carries' if one else 'carry'} {which}"
    else:
        does = "stands" if one else "stand"
    rest = f", beside {len(found.nameless)} that no group can name" if found.nameless else ""
    return f"where {counted(len(found.interfaces), 'interface')} of {here} {does}{rest}"


def advice(found: InternalRange) -> str:
    """Return what to name instead of the range, and what must stay written as addresses."""
    if not found.interfaces:
        if not found.read:
            return "name the groups of the workloads in the range instead of their addresses"
        if found.unplaced:
            return f"find out who of {shown_labels(found.unplaced)} stands there; name their groups, or remove the rule"
        if found.elsewhere:
            return (
                f"narrow the rule to the networks and sites that use it: no interface of {shown(found.networks)} does"
            )
        return "remove the rule, or name the group of the workload that it is meant for"
    return f"{_named_instead(found)}{''.join(_kept(found))}"


def _named_instead(found: InternalRange) -> str:
    groups = shown_labels(found.cover.groups)
    if not found.cover.groups:
        if not found.ungrouped:
            return "name the groups of the interfaces in the range, which were not read, instead of the addresses"
        what = "a service account" if _is_gcp(found) else "a group"
        return f"give the interfaces in the range {what} of their own, and name it instead of the addresses"
    if len(found.cover.groups) > _FEW:
        return (
            f"{len(found.cover.groups)} groups are too many to name: find out from flow logs who uses the rule, and "
            f"name those groups instead of the addresses; to begin with, {groups}"
        )
    if found.ungrouped:
        return f"name {groups}, and a new group for the other interfaces in the range, instead of the addresses"
    return f"name {groups} instead of the addresses"


def _kept(found: InternalRange) -> Iterator[str]:
    """Yield what must stay written as addresses, because no group can name it."""
    if found.nameless:
        kept = NO_ADDRESSES
        for interface in found.nameless:
            kept |= interface.addresses & found.named
        what = str(kept) if kept else "the addresses"
        yield f"; keep {what} for {shown_labels(found.nameless)}, which no group can name"
    if found.elsewhere:
        yield f"; outside {shown(found.networks)}, keep only the addresses of those who use the rule"
    if found.unclear and found.cover.groups:
        yield f"; find out first which groups {shown_labels(found.unclear)} carries"
    if found.unplaced:
        yield f"; find out first who of {shown_labels(found.unplaced)} stands in the range"


def facts(estate: Estate, found: InternalRange) -> Iterator[str]:
    """Yield what holds of a range, whichever rule names it."""
    yield from _facts_of_groups(estate, found)
    yield from _facts_of_the_rest(found)
    count = len(found.interfaces) + len(found.nameless) + len(found.idle)
    yield f"the range has {_addresses(found.written.size)} for {counted(count, 'interface')}"
    if rest := found.elsewhere.size:
        share = 100 * found.named.size / found.written.size
        yield (
            f"internal to {shown(found.networks)}: {_addresses(found.named.size)} of it ({share:.2g} %); not internal, "
            f"or not to be named by a group: {_addresses(rest)}"
        )
    for why in found.broken[:3]:
        yield f"identity does not hold for a part of it: {why}"
    if not found.certain:
        yield "unknown: the routes that decide who is internal were not read in full"
    if not found.read:
        yield "unknown: interfaces in the range were not read in full"


def _facts_of_groups(estate: Estate, found: InternalRange) -> Iterator[str]:
    inside = {interface.id for interface in (*found.interfaces, *found.idle)}
    for group in found.cover.groups[:_LISTED]:
        members = [interface for interface in estate.members(group.id) if interface.id in inside]
        kind = "the default group " if group.is_default else ""
        owner = f", managed by {group.managed_by}," if group.managed_by else ""
        yield f"{kind}{group.label}{owner} is carried by {shown_labels(members)}"
    if (more := len(found.cover.groups) - _LISTED) > 0:
        yield f"{counted(more, 'more group')} {'has' if more == 1 else 'have'} members in the range"
    if found.ungrouped:
        yield f"no group has members in the range alone and names {shown_labels(found.ungrouped)}"
    if found.cover.uncovered:
        for group in found.cover.wider[:3]:
            yield f"{group.label} also has members outside the range, so naming it would add them"


def _facts_of_the_rest(found: InternalRange) -> Iterator[str]:
    """Yield what is in the range, or may be, and is named by none of the groups."""
    for interface in found.nameless[:_LISTED]:
        checks = ", health checks included" if "load_balancer" in interface.role else ""
        yield f"{interface.label} is in the range and carries no group, so naming groups alone would cut it off{checks}"
    if found.unclear:
        yield f"unknown: the groups of {shown_labels(found.unclear)} were not read"
    for interface in found.unplaced[:_LISTED]:
        yield f"unknown: the addresses of {interface.label}, which may stand in the range, were not read"
    if found.idle and not found.interfaces:
        yield f"in the range, but never the other end of this rule: {shown_labels(found.idle)}"


def facts_of_rule(estate: Estate, rule_set: RuleSet, rule: Rule, found: InternalRange) -> Iterator[str]:
    """Yield what naming groups changes for one rule."""
    if widened := _widened(estate, rule_set, found):
        family, wider = widened
        has = f"has an IPv{family} address" if wider == 1 else f"have IPv{family} addresses"
        yield f"{counted(wider, 'interface')} in the range also {has}, which a group admits too"
    yield from _quota(estate, rule, found)
    if rule_set.provider == "azure":
        yield from _limits(estate, rule_set, found)
    elif rule_set.provider == "gcp":
        yield from _limits_of_sources(estate, rule_set, rule, found)
    yield from managed(rule_set)


def _limits(estate: Estate, rule_set: RuleSet, found: InternalRange) -> Iterator[str]:
    """Yield what Azure asks of application security groups.

    Source: https://learn.microsoft.com/azure/virtual-network/application-security-groups
    """
    if len(_networks_of(estate).get(unplaced(rule_set.id), ())) > 1:
        yield f"{rule_set.label} stands in several virtual networks, and the members of a group in one of them alone"
    if len(found.cover.groups) > 1:
        yield "one side of an NSG rule takes one application security group: it takes a rule for each"
    elif not found.cover.groups and found.interfaces:
        yield "the members of an application security group stand in one virtual network, and so do both ends of a rule"


def _is_gcp(found: InternalRange) -> bool:
    return any(interface.provider == "gcp" for interface in found.interfaces[:1])


def _limits_of_sources(estate: Estate, rule_set: RuleSet, rule: Rule, found: InternalRange) -> Iterator[str]:
    """Yield what Google Cloud asks of rules whose sources are service accounts or secure tags.

    Sources: https://cloud.google.com/firewall/docs/service-accounts and https://cloud.google.com/firewall/docs/quotas
    """
    if rule_set.kind != "vpc-firewall-rules":
        return
    named = (estate.groups.get(peer.group) for peer in (*rule.local, *rule.remote) if isinstance(peer, GroupRef))
    if any(group is not None and group.kind == "network-tag" for group in named):
        yield "a rule with service accounts as sources has no network tags: name its targets by service accounts, too"
    if len(found.cover.groups) > _ACCOUNTS:
        yield f"a VPC firewall rule takes {_ACCOUNTS} service accounts as sources: it takes several rules"
    yield "a secure tag is the other way: a rule of a firewall policy can name it, and IAM says who may bind it"


@lru_cache(maxsize=2)
def _networks_of(estate: Estate) -> dict[str, set[str | None]]:
    """Return the networks in which each list stands, by its id without a place."""
    found: dict[str, set[str | None]] = {}
    for each in estate.rule_sets.values():
        found.setdefault(unplaced(each.id), set()).add(each.network)
    return found


@lru_cache(maxsize=2)
def _bearing(estate: Estate, numbers: Literal["v4", "v6"]) -> frozenset[str]:
    """Return the interfaces that have an address of a family."""
    return frozenset(name for name, each in estate.interfaces.items() if getattr(each.addresses, numbers))


def _widened(estate: Estate, rule_set: RuleSet, found: InternalRange) -> tuple[int, int] | None:
    """Return the family that a group adds to the range, and how many interfaces would use it, if both ends have it."""
    if found.named.v4 and found.named.v6:
        return None
    family = 6 if found.named.v4 else 4
    numbers: Literal["v4", "v6"] = "v6" if family == 6 else "v4"
    bearing = _bearing(estate, numbers)
    if not bearing or not any(interface.id in bearing for interface in estate.governed(rule_set)):
        return None
    members = sum(1 for interface in found.interfaces if interface.id in bearing)
    return (family, members) if members else None


def _quota(estate: Estate, rule: Rule, found: InternalRange) -> Iterator[str]:
    """Tell what the change does to the quota of rules: a list counts with its weight, a group counts once."""
    lists = [estate.address_lists.get(peer.list) for peer in rule.remote if isinstance(peer, ListRef)]
    weights = [known.weight for known in lists if known is not None and known.weight is not None]
    if weights:
        yield f"the list counts as {counted(sum(weights), 'rule')} against the quota, a group as one"
    elif len(found.cover.groups) > 1 and not _is_gcp(found):
        yield f"naming all the groups takes {len(found.cover.groups)} rules of the quota, where this one takes 1"


def _addresses(number: int) -> str:
    return counted(number, "address") if number < 1 << 32 else f"2^{number.bit_length() - 1} addresses"
