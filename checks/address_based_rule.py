"""A rule that names internal addresses where it could name a group.

What it finds:
    Allowing rules, in either direction, whose other end is a range of the rule set's own network or of a network that
    it is connected to, written as addresses or as a prefix list of them. The finding names the existing groups that
    the interfaces in the range carry, chosen so that nobody is added, and says what no group can name (a network load
    balancer without groups) and how much of the range nobody uses. The only interface that carries the rule does not
    count, nor do endpoints as clients: they open no connections.
    A range that covers other networks or sites too (``10.0.0.0/8``) counts for its internal part. Left out are public
    ranges, ranges that no network read holds, the provider's own interfaces, and paths where a group cannot be named:
    through an appliance, from another region, over a transit gateway that passes no group references.

Why it matters:
    An address says where something stands, not what it is. Whatever gets an address of the range next week has the
    same access; a workload that moves loses it. A group is the workload's identity and moves with it.

Example:
    ``tcp/5432 from 10.0.2.0/24`` in the group of a database, where three application servers in that subnet carry
    ``sg-app``.

Remedy:
    Name the groups of the finding as the other end, and remove the addresses afterwards, except those of interfaces
    that no group can name. Where a range holds members of many groups, find out from flow logs which of them use the
    rule. Where members have IPv6 addresses too, a group admits those as well; the evidence says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.internal_ranges import InternalRanges
from cloudseg.checks.rule_lists import at_interfaces, counted, managed, shown, shown_labels, traffic_words
from cloudseg.findings import Remedy, Severity, peer_text
from cloudseg.model import ListRef
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.checks.internal_ranges import InternalRange
    from cloudseg.findings import Confidence, Finding
    from cloudseg.model import Estate, Rule, RuleSet

REMEDY = "replace-addresses-with-group"
# More groups than this no person writes into one rule; and this many are listed in the evidence.
_FEW = 5
_LISTED = 10


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every allowing rule whose other end is internal addresses."""
    ranges = InternalRanges(context.estate)
    # Many rules share a range, and what is said about a range takes longer than finding it.
    facts: dict[int, tuple[str, ...]] = {}
    for rule_set in at_interfaces(context.estate):
        for rule in rule_set.rules:
            if rule.allows and (found := ranges.of(rule_set, rule)) is not None:
                if id(found) not in facts:
                    facts[id(found)] = tuple(_facts(context.estate, found))
                evidence = (*facts[id(found)], *_facts_of_rule(context.estate, rule_set, rule, found))
                yield _finding(context, rule_set, rule, found, evidence)


def _finding(
    context: AuditContext, rule_set: RuleSet, rule: Rule, found: InternalRange, evidence: tuple[str, ...]
) -> Finding:
    verb, end = ("admits", "from") if rule.direction == "ingress" else ("lets out", "to")
    single = found.written.size == 1 and found.interfaces
    unused = found.read and not found.interfaces and not found.unplaced
    return context.finding(
        rule_set,
        f"{rule_set.label} {verb} {traffic_words(rule.traffic)} {end} {peer_text(rule.remote, context.estate)}, "
        f"{_who(found)}",
        rule=rule,
        severity=Severity.LOW if single or unused else Severity.MEDIUM,
        confidence=_confidence(found),
        evidence=evidence,
        affected=context.estate.governed(rule_set),
        remedy=Remedy(REMEDY, _advice(found), tuple(group.own_id for group in found.cover.groups)),
    )


def _who(found: InternalRange) -> str:
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


def _confidence(found: InternalRange) -> Confidence:
    if not found.read:
        return "low"
    doubtful = found.nameless or found.unplaced or found.unclear
    return "high" if found.certain and not doubtful else "medium"


def _advice(found: InternalRange) -> str:
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
        return "give the interfaces in the range a group of their own, and name it instead of the addresses"
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


def _facts(estate: Estate, found: InternalRange) -> Iterator[str]:
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


def _facts_of_rule(estate: Estate, rule_set: RuleSet, rule: Rule, found: InternalRange) -> Iterator[str]:
    if widened := _widened(estate, rule_set, found):
        family, wider = widened
        has = f"has an IPv{family} address" if wider == 1 else f"have IPv{family} addresses"
        yield f"{counted(wider, 'interface')} in the range also {has}, which a group admits too"
    yield from _quota(estate, rule, found)
    yield from managed(rule_set)


def _widened(estate: Estate, rule_set: RuleSet, found: InternalRange) -> tuple[int, int] | None:
    """Return the family that a group adds to the range, and how many interfaces would use it, if both ends have it."""
    if found.named.v4 and found.named.v6:
        return None
    family = 6 if found.named.v4 else 4
    numbers = "v6" if family == 6 else "v4"
    if not any(getattr(interface.addresses, numbers) for interface in estate.governed(rule_set)):
        return None
    members = sum(1 for interface in found.interfaces if getattr(interface.addresses, numbers))
    return (family, members) if members else None


def _quota(estate: Estate, rule: Rule, found: InternalRange) -> Iterator[str]:
    """Tell what the change does to the quota of rules: a list counts with its weight, a group counts once."""
    lists = [estate.address_lists.get(peer.list) for peer in rule.remote if isinstance(peer, ListRef)]
    weights = [known.weight for known in lists if known is not None and known.weight is not None]
    if weights:
        yield f"the list counts as {counted(sum(weights), 'rule')} against the quota, a group as one"
    elif len(found.cover.groups) > 1:
        yield f"naming all the groups takes {len(found.cover.groups)} rules of the quota, where this one takes 1"


def _addresses(number: int) -> str:
    return counted(number, "address") if number < 1 << 32 else f"2^{number.bit_length() - 1} addresses"


def _application_subnet() -> Estate:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.2.0/24"))
    b.group("sg-app")
    b.group("default", is_default=True)
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.1.9")
    b.interface("eni-app1", "subnet-private", ["sg-app", "default"], "10.0.2.10")
    b.interface("eni-app2", "subnet-private", ["sg-app"], "10.0.2.11")
    return b.build()


def _whole_ten() -> Estate:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.0.0/8"))
    b.group("sg-web")
    b.group("sg-app")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.10")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    return b.build()


def _one_address() -> Estate:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.2.10/32"))
    b.group("sg-app")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    return b.build()


def _list_of_the_network() -> Estate:
    b = EstateBuilder()
    b.prefix_list("pl-apps", "10.0.2.0/24", name="apps")
    b.group("sg-db", allow("ingress", "tcp/5432", "pl-apps"))
    b.group("sg-app")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    return b.build()


def _nobody_there() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("egress", "tcp/5432", "10.0.9.0/24"))
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    return b.build()


def _group_named() -> Estate:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "sg-app"))
    b.group("sg-app", allow("egress", "tcp/443", "0.0.0.0/0"))
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    return b.build()


def _on_premises() -> Estate:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "192.168.0.0/16"), allow("ingress", "tcp/443", "203.0.113.0/24"))
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    return b.build()


def _through_an_appliance() -> Estate:
    b = EstateBuilder()
    b.subnet("subnet-db", "10.0.3.0/24")
    b.route("rtb-db", "10.0.1.0/24", "interface", "eni-firewall")
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.1.0/24"))
    b.group("sg-web")
    b.interface("eni-db", "subnet-db", ["sg-db"], "10.0.3.9")
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.10")
    return b.build()


def _other_region() -> Estate:
    b = EstateBuilder()
    b.network("vpc-far", "10.9.0.0/16", region="us-east-1")
    b.peering("pcx-1", "vpc-far", regions=("eu-west-1", "us-east-1"))
    b.subnet("subnet-db", "10.0.3.0/24")
    b.route("rtb-db", "10.9.0.0/16", "peering", "pcx-1")
    b.group("sg-db", allow("ingress", "tcp/5432", "10.9.0.0/16"))
    b.interface("eni-db", "subnet-db", ["sg-db"], "10.0.3.9")
    return b.build()


CHECK = Check(
    id="address-based-rule",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example(
            "a database admits the subnet of its application, whose servers carry a group",
            _application_subnet,
            ("sg-db",),
            Severity.MEDIUM,
            ("sg-app",),
        ),
        Example("10.0.0.0/8 holds the whole network and much else", _whole_ten, ("sg-db",), Severity.MEDIUM),
        Example("the address of one server", _one_address, ("sg-db",), Severity.LOW, ("sg-app",)),
        Example(
            "a prefix list of internal ranges is addresses too", _list_of_the_network, ("sg-db",), None, ("sg-app",)
        ),
        Example("an internal range that nobody uses", _nobody_there, ("sg-app",), Severity.LOW, ()),
        Example("the rule names a group", _group_named),
        Example("on-premises and public ranges have no group", _on_premises),
        Example("an appliance between the subnets takes identity away", _through_an_appliance),
        Example("a group of another region cannot be named", _other_region),
    ),
    concept={"aws": "security group rules with addresses or prefix lists of the own or a connected VPC"},
    needs=("groups", "networks"),
    uses=("interfaces", "subnets", "routes", "peerings", "transit", "address-lists"),
    compliance={
        "nist-800-53r5": ("AC-4", "SC-7(5)", "SC-7(21)"),
        "pci-dss-4.0": ("1.2.5",),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
        "nist-800-207": ("2.1",),
    },
    remedy=REMEDY,
    per_rule=True,
)
