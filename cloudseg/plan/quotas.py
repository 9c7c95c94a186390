"""Limits of the providers that a state of a plan would break: new rules stand beside the old ones until these go.

Sources: https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups,
https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits#networking-limits,
https://cloud.google.com/firewall/docs/quotas. Kubernetes limits neither policies nor their rules.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.model import Addresses, Everyone, GroupRef, ListRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cloudseg.model import Estate, Group, Interface, Rule, RuleSet

__all__ = ["DEFAULT_LIMITS", "Limits", "Over", "over_limits"]


class Limits(NamedTuple):
    """Limits that a provider raises on request; those that nobody raises are no part of it.

    Attributes:
        rules: rules of one direction and family of addresses in one security group of AWS.
        groups: security groups of one network interface of AWS, 16 at most.
    """

    rules: int = 60
    groups: int = 5


DEFAULT_LIMITS: Final = Limits()
_PRODUCT: Final = 1000
"""The two limits of AWS multiplied may not exceed this, so that no interface has more rules in a direction."""
_NSG_RULES: Final = 1000
_PRIORITIES: Final = range(100, 4097)
_ASGS_OF_INTERFACE: Final = 20
_ASGS_IN_NSG: Final = 100
_ASGS_OF_SIDE: Final = 10
_PREFIXES: Final = 4000
_TAGS_OF_MACHINE: Final = 64
_SOURCE_TAGS: Final = 30
_TARGET_TAGS: Final = 70
_ACCOUNTS: Final = 10
_GCP_RANGES: Final = 5000
_SECURE_TAGS: Final = 10


class Over(NamedTuple):
    """A limit that a state of a plan breaks.

    Attributes:
        resource: qualified id of the list or interface.
        reason: which limit, and by how much, in one sentence.
    """

    resource: str
    reason: str


class _Measured(NamedTuple):
    """How much there is of what a limit is about.

    Attributes:
        resource: qualified id of the list or interface.
        what: what is counted, as the sentence goes on behind "would have so many".
        held: how much of it there is.
        limit: how much there may be.
    """

    resource: str
    what: str
    held: int
    limit: int


def over_limits(
    before: Estate, after: Estate, touched: Iterable[str], limits: Limits = DEFAULT_LIMITS
) -> tuple[Over, ...]:
    """Return the limits that a state of a plan breaks and the estate before it does not.

    Where more stands today than a limit allows, the provider has raised it: only what goes beyond that counts.

    Args:
        before: the estate before the plan.
        after: the state.
        touched: qualified ids of the interfaces at which anything changes.
        limits: those that a provider raises on request.
    """
    names = [name for name in touched if before.interfaces[name].attached != after.interfaces[name].attached]
    lists = sorted(key for key, held in after.rule_sets.items() if before.rule_sets.get(key) is not held)
    carriers = {each.id for key in lists for each in after.governed(after.rule_sets[key]) if each.provider == "aws"}
    every = sorted({*names, *carriers})
    beyond = [each for each in _measured(after, lists, every, limits) if each.held > each.limit]
    over = {each.resource for each in beyond}
    today = _measured(before, sorted(over & {*lists}), sorted(over & {*every}), limits)
    known = {(each.resource, each.what): each.held for each in today}
    found = [
        Over(
            each.resource,
            f"{_label(each.resource, after)} would have {each.held:,} {each.what}; the limit is {each.limit:,}",
        )
        for each in beyond
        if each.held > known.get((each.resource, each.what), 0)
    ]
    return (*found, *_priorities(before, after, lists))


def _label(resource: str, estate: Estate) -> str:
    held = estate.rule_sets.get(resource) or estate.interfaces.get(resource)
    return resource if held is None else held.label


def _measured(estate: Estate, lists: Iterable[str], interfaces: Iterable[str], limits: Limits) -> Iterator[_Measured]:
    for name in lists:
        rule_set = estate.rule_sets.get(name)
        if rule_set is None:
            continue
        match rule_set.provider:
            case "aws" if rule_set.kind == "security-group":
                for (direction, family), count in sorted(_aws_rules(rule_set, estate).items()):
                    yield _Measured(name, f"{direction} rules for IPv{family}", count, limits.rules)
            case "azure":
                yield from _of_nsg(rule_set)
            case "gcp":
                yield from _of_gcp(rule_set, estate)
            case _:
                pass
    counted: dict[str, Counter[tuple[str, int]]] = {}
    for name in interfaces:
        interface = estate.interfaces[name]
        match interface.provider:
            case "aws":
                yield from _of_aws_interface(interface, estate, limits, counted)
            case "azure":
                count = _carried(interface, estate.groups, "application-security-group")
                yield _Measured(name, "application security groups", count, _ASGS_OF_INTERFACE)
            case "gcp":
                yield _Measured(
                    name, "network tags", _carried(interface, estate.groups, "network-tag"), _TAGS_OF_MACHINE
                )
                yield _Measured(name, "secure tags", _carried(interface, estate.groups, "secure-tag"), _SECURE_TAGS)
            case _:
                pass


def _aws_rules(rule_set: RuleSet, estate: Estate) -> Counter[tuple[str, int]]:
    """Return how many rules of a security group count, by direction and family of addresses.

    Every range is a rule of its family; a group and a prefix list count in both; a list counts as many as it may hold.
    """
    found: Counter[tuple[str, int]] = Counter()
    for rule in rule_set.rules:
        for peer in rule.remote:
            match peer:
                case Addresses(addresses):
                    found[rule.direction, 4] += 1 if addresses.v4 else 0
                    found[rule.direction, 6] += 1 if addresses.v6 else 0
                case ListRef(name):
                    held = estate.address_lists.get(name)
                    entries = 0 if held is None or held.prefixes is None else len(held.prefixes)
                    weight = entries if held is None or held.weight is None else held.weight
                    for family in (4, 6):
                        found[rule.direction, family] += max(weight, 1)
                case GroupRef() | Everyone():
                    for family in (4, 6):
                        found[rule.direction, family] += 1
                case _:
                    found[rule.direction, 4] += 1
    return found


def _of_aws_interface(
    interface: Interface, estate: Estate, limits: Limits, counted: dict[str, Counter[tuple[str, int]]]
) -> Iterator[_Measured]:
    groups = [name for name in sorted(interface.attached) if name in estate.groups]
    yield _Measured(interface.id, "security groups", len(groups), min(limits.groups, 16))
    total: Counter[str] = Counter()
    for name in groups:
        held = estate.rule_sets.get(name)
        if held is not None:
            by_family = counted.get(name)
            if by_family is None:
                by_family = counted[name] = _aws_rules(held, estate)
            for direction in ("ingress", "egress"):
                total[direction] += max(by_family[direction, 4], by_family[direction, 6])
    for direction, count in sorted(total.items()):
        yield _Measured(interface.id, f"{direction} rules in all its groups", count, _PRODUCT)


def _own(rule_set: RuleSet) -> list[Rule]:
    return [rule for rule in rule_set.rules if not rule.fixed]


def _of_nsg(rule_set: RuleSet) -> Iterator[_Measured]:
    if rule_set.kind != "network-security-group":
        return
    rules = _own(rule_set)
    yield _Measured(rule_set.id, "rules", len(rules), _NSG_RULES)
    named = {peer.group for rule in rules for peer in (*rule.remote, *rule.local) if isinstance(peer, GroupRef)}
    yield _Measured(rule_set.id, "application security groups in its rules", len(named), _ASGS_IN_NSG)
    for rule in rules:
        for side, peers in (("far", rule.remote), ("near", rule.local)):
            groups = sum(isinstance(peer, GroupRef) for peer in peers)
            prefixes = sum(len(peer.addresses.cidrs()) for peer in peers if isinstance(peer, Addresses))
            yield _Measured(rule_set.id, f"groups at the {side} end of rule {rule.id}", groups, _ASGS_OF_SIDE)
            yield _Measured(rule_set.id, f"ranges at the {side} end of rule {rule.id}", prefixes, _PREFIXES)


def _of_gcp(rule_set: RuleSet, estate: Estate) -> Iterator[_Measured]:
    for rule in _own(rule_set):
        name = rule.resource or rule.id
        for side, peers, most in (("far", rule.remote, _SOURCE_TAGS), ("near", rule.local, _TARGET_TAGS)):
            kinds = Counter(_kind(peer.group, estate) for peer in peers if isinstance(peer, GroupRef))
            yield _Measured(rule_set.id, f"network tags at the {side} end of {name}", kinds["network-tag"], most)
            yield _Measured(rule_set.id, f"accounts at the {side} end of {name}", kinds["service-account"], _ACCOUNTS)
        ranges = sum(len(peer.addresses.cidrs()) for peer in rule.remote if isinstance(peer, Addresses))
        yield _Measured(rule_set.id, f"ranges in {name}", ranges, _GCP_RANGES)


def _kind(group: str, estate: Estate) -> str:
    known = estate.groups.get(group)
    return "" if known is None else known.kind


def _carried(interface: Interface, groups: Mapping[str, Group], kind: str) -> int:
    return sum(name in groups and groups[name].kind == kind for name in interface.attached)


def _priorities(before: Estate, after: Estate, lists: Iterable[str]) -> Iterator[Over]:
    """Yield rules of Azure whose priority is taken, or lies outside of what the provider takes.

    Source: https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#security-rules
    """
    for name in lists:
        rule_set = after.rule_sets[name]
        if rule_set.kind != "network-security-group":
            continue
        old = before.rule_sets.get(name)
        known = set(() if old is None else old.rules)
        taken: defaultdict[tuple[str, int | None], list[Rule]] = defaultdict(list)
        for rule in _own(rule_set):
            taken[rule.direction, rule.priority].append(rule)
        label = rule_set.label
        for (direction, priority), rules in taken.items():
            new = [rule for rule in rules if rule not in known]
            if not new:
                continue
            if priority is None or priority not in _PRIORITIES:
                yield Over(name, f"rule {new[0].id} of {label} would have priority {priority}; it must be 100 to 4096")
            elif len({rule.id for rule in rules}) > 1:
                names = " and ".join(sorted(rule.id for rule in rules)[:2])
                yield Over(name, f"{names} of {label} would both have priority {priority} for {direction}")
