"""A rule that opens to IPv6 what the same list keeps closed to IPv4.

What it finds:
    Rules that admit most of the IPv6 internet to traffic that the IPv4 rules of the same list and direction do not
    open to most of the IPv4 internet. The two families are compared by what all the rules admit together, so two
    halves count as one. A list without any IPv4 rule in that direction is left out: it is for IPv6 alone.

Why it matters:
    ``0.0.0.0/0`` does not cover ``::/0``, and the reverse. Who narrows a rule after a review often narrows the IPv4
    one, and the service stays open to everyone who has IPv6.

Example:
    ``tcp/22 from 203.0.113.0/24`` beside ``tcp/22 from ::/0``.

Remedy:
    Narrow the IPv6 rule to the same clients, or remove it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cloudseg.checks.breadth import is_most, share_words
from cloudseg.checks.example_clusters import ClusterBuilder, admit
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule, rule_id
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_id, nsg_rule
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.ordered_lists import OrderedLists, covers
from cloudseg.checks.rule_lists import counted, managed, traffic_words
from cloudseg.findings import Remedy, Severity
from cloudseg.reach.packets import outside_addresses
from cloudseg.traffic import NO_ADDRESSES, NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Direction, Estate, Peer, Rule, RuleSet

_DIRECTIONS: tuple[Direction, ...] = ("ingress", "egress")
# ICMP belongs to IPv4 and ICMPv6 to IPv6: neither says anything about the other family.
_OF_ONE_FAMILY = Traffic.protocol("icmp") | Traffic.protocol("icmpv6")


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every rule that is wide open for IPv6 where IPv4 is not."""
    estate, ordered = context.estate, OrderedLists(context.estate)

    def names_six(end: tuple[Peer, ...]) -> bool:
        return bool(outside_addresses(end, estate)[0].v6)

    # Most lists name no IPv6 address, or admit little of IPv6, and that is soon seen.
    for rule_set, of_six in context.allowing.naming(names_six):
        for direction in _DIRECTIONS:
            six = _left(rule_set, of_six, direction, ordered)
            if not _mostly_open_to_six(six, estate):
                continue
            rules = _left(rule_set, rule_set.rules, direction, ordered)
            for local in dict.fromkeys(rule.local for rule in six):
                # Rules for others open nothing to whom a rule is for.
                for_these = [rule for rule in rules if covers(rule.local, local, estate)]
                told = [rule for rule in six if rule.local == local]
                yield from _compare(context, rule_set, for_these, told)


def _left(rule_set: RuleSet, rules: Iterable[Rule], direction: Direction, ordered: OrderedLists) -> list[Rule]:
    """Return the rules of one direction that somebody wrote and that admit anything."""
    own = (rule for rule in rules if rule.direction == direction and rule.allows and not rule.fixed)
    return [rule for rule in own if ordered.left(rule_set, rule)]


def _mostly_open_to_six(rules: Sequence[Rule], estate: Estate) -> bool:
    """Tell whether rules of some traffic admit most of IPv6 together."""
    six: defaultdict[Traffic, AddressSet] = defaultdict(lambda: NO_ADDRESSES)
    for rule in rules:
        six[rule.traffic] |= outside_addresses(rule.remote, estate)[0]
    return any(is_most(addresses, 6) for addresses in six.values())


def _compare(
    context: AuditContext, rule_set: RuleSet, rules: Sequence[Rule], told: Sequence[Rule]
) -> Iterator[Finding]:
    """Yield a finding for every one of some IPv6 rules that is wider than the IPv4 rules for the same interfaces."""
    sources = {rule.id: context.internet.admitted(rule)[0] for rule in rules}
    # Rules of one traffic count together, so that ranges may be split at will.
    joined: defaultdict[Traffic, AddressSet] = defaultdict(lambda: NO_ADDRESSES)
    for rule in rules:
        joined[rule.traffic] |= sources[rule.id]
    if not any(addresses.v4 for addresses in joined.values()):
        return
    open_to_four = NO_TRAFFIC
    for traffic, addresses in joined.items():
        if is_most(addresses, 4):
            open_to_four |= traffic
    for rule in told:
        if not sources[rule.id].v6 or not is_most(joined[rule.traffic], 6):
            continue
        if wider := rule.traffic - open_to_four - _OF_ONE_FAMILY:
            four = NO_ADDRESSES
            for traffic, addresses in joined.items():
                if traffic.overlaps(wider):
                    four |= AddressSet(v4=addresses.v4)
            whom = share_words(joined[rule.traffic], 6)
            yield _finding(context, rule_set, rule, wider, whom, f"IPv4 has {four or 'nobody'}")


def _finding(context: AuditContext, rule_set: RuleSet, rule: Rule, wider: Traffic, whom: str, narrow: str) -> Finding:
    judged = context.judged(rule_set, rule)
    read = context.estate.read("interfaces", rule_set)
    usable = [interface for interface in judged if interface.addresses.v6]
    verb, end = ("admits", "from") if rule.direction == "ingress" else ("lets out", "to")
    return context.finding(
        rule_set,
        f"{rule_set.bearer(rule).label} {verb} {traffic_words(wider)} {end} {whom}, where {narrow}",
        rule=rule,
        severity=Severity.MEDIUM if usable or not read else Severity.LOW,
        confidence="high" if read else "medium",
        evidence=(
            f"carried by {counted(len(judged), 'interface')}, of which {len(usable)} with an IPv6 address",
            *managed(rule_set),
        ),
        affected=usable or judged,
        remedy=Remedy("narrow-ports", "narrow the IPv6 rule to the clients that IPv4 has, or remove it"),
    )


def _forgotten_family() -> Estate:
    b = EstateBuilder()
    b.group("sg-admin", allow("ingress", "tcp/22", "203.0.113.0/24"), allow("ingress", "tcp/22", "::/0"))
    b.interface("eni-1", "subnet-public", ["sg-admin"], "10.0.1.5, 2001:db8::5")
    return b.build()


def _no_address_yet() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("egress", "tcp/443", "10.0.0.0/16"), allow("egress", "all", "::/0"))
    b.interface("eni-1", "subnet-private", ["sg-app"])
    return b.build()


def _alike() -> Estate:
    b = EstateBuilder()
    b.group(
        "sg-web",
        allow("ingress", "tcp/443", "0.0.0.0/1"),
        allow("ingress", "tcp/443", "128.0.0.0/1"),
        allow("ingress", "tcp/443", "::/0"),
        allow("ingress", "icmpv6", "::/0"),
        allow("egress", "tcp/443", "::/0"),
    )
    b.interface("eni-1", "subnet-public", ["sg-web"], "10.0.1.5, 2001:db8::5")
    return b.build()


def _two_blocks(six: str) -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "web", ingress=(admit("tcp/443", "203.0.113.0/24", six),))
    return b.build()


def _open_block() -> Estate:
    return _two_blocks("::/0")


def _narrow_blocks() -> Estate:
    return _two_blocks("2001:db8::/32")


def _azure(six: str) -> Estate:
    b = NsgBuilder()
    office = nsg_rule("ingress", 100, "tcp/22", "203.0.113.0/24")
    b.nsg("nsg-web", office, nsg_rule("ingress", 110, "tcp/22", six), subnet="web")
    b.machine("nic-1", "web", "10.1.1.10, fd00:1::10")
    return b.build()


def _azure_six() -> Estate:
    return _azure("::/0")


def _azure_office() -> Estate:
    return _azure("2001:db8:1::/48")


def _gcp(six: str, targets: str) -> Estate:
    b = GcpBuilder()
    b.firewall(
        gcp_rule("ssh", "ingress", "tcp/22", "203.0.113.0/24", targets="tag:web"),
        gcp_rule("everyone", "ingress", "tcp/22", targets="tag:bastion"),
        gcp_rule("ssh-six", "ingress", "tcp/22", six, targets=targets),
    )
    b.machine("web", "web", "10.2.1.10, 2600:1900:4000::5", tags=["web"])
    return b.build()


def _gcp_open_to_six() -> Estate:
    return _gcp("::/0", "tag:web")


def _gcp_other_targets() -> Estate:
    return _gcp("::/0", "tag:bastion")


CHECK = Check(
    id="ipv6-wider-than-ipv4",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example("SSH was narrowed for IPv4 alone", _forgotten_family, ("sg-admin",), Severity.MEDIUM),
        Example("no carrier has an IPv6 address yet", _no_address_yet, ("sg-app",), Severity.LOW),
        Example("an ipBlock of IPv6 was forgotten", _open_block, ("shop/NetworkPolicy/web",)),
        Example("both families are open, or only one is used", _alike),
        Example("an ipBlock of each family is narrow", _narrow_blocks),
        Example("an NSG admits an office, and all of IPv6", _azure_six, (nsg_id("nsg-web"),)),
        Example("an NSG admits an office by both its ranges", _azure_office),
        Example(
            "a rule for IPv6 is wider than that for IPv4 with the same targets",
            _gcp_open_to_six,
            (rule_id("ssh-six"),),
            Severity.MEDIUM,
        ),
        Example("both families are open for the same targets", _gcp_other_targets),
    ),
    concept={
        "aws": "IPv4 and IPv6 rules of a security group",
        "azure": "IPv4 and IPv6 rules of an NSG",
        "gcp": "IPv4 and IPv6 rules for the same targets of a VPC network, or of a policy",
        "kubernetes": "the ipBlocks of a network policy for IPv4 and for IPv6",
    },
    needs=("groups",),
    uses=("interfaces", "address-lists"),
    compliance={
        "cis-aws-3.0": ("5.3",),
        "cis-aws-5.0": ("5.4",),
        "nist-800-53r5": ("AC-4", "SC-7(5)"),
        "pci-dss-4.0": ("1.2.5",),
    },
    remedy="narrow-ports",
    per_rule=True,
)
