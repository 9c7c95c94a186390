"""A rule that never decides anything, because earlier rules of its list take all its packets.

What it finds:
    Rules of ordered lists (network ACLs, NSGs) of which every packet is matched by a rule above. Where the rules above
    have the other verdict, an intention is lost: a deny that never acts, or an allow that never acts. Where they have
    the same one, the rule is redundant. Ranges and ports count as sets, so two halves above take the whole below.
    On Google Cloud the lists of a network are looked at in their order, for what a firewall policy or a VPC firewall
    rule allows or denies no later list gets to see. Of rules of one priority that do the same the wider one counts.
    Nothing is said of a rule that shares packets with an earlier one that was not read in full (such a list is named
    among the gaps), nor of those that the provider keeps in every list.
    In a cluster, rules of policies behind ordered ones (AdminNetworkPolicies, tiers of Calico and Antrea): of the same
    policy, or of one that selects all the same pods and stands before it, in its tier or in an earlier one. It is
    selectors that are compared, so that it holds for pods that come later.

Why it matters:
    Who reads the list believes in the rule. A deny below the allow that it was meant to limit protects nothing, and an
    allow below a deny comes to life on the day on which somebody removes the deny.

Example:
    ``100 allow all from 0.0.0.0/0``, and below it ``200 deny tcp/3389 from 0.0.0.0/0``.

Remedy:
    Move the rule above those that take its packets where its verdict is the one that is meant; else remove it, which
    changes nothing.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Final

from cloudseg.checks.clusters import of_cluster
from cloudseg.checks.earlier_lists import EarlierLists
from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import ACL_OPEN, EstateBuilder, acl_entry
from cloudseg.checks.example_gcp import HIERARCHY, GcpBuilder, gcp_rule, rule_id
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_id, nsg_rule
from cloudseg.checks.first_match import in_order, one_packet, shadows
from cloudseg.checks.flow_words import witness_words
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.ordered_lists import by_resource
from cloudseg.checks.policy_cover import shadowed_in_clusters
from cloudseg.checks.rule_lists import managed, shown, traffic_words, unused_words
from cloudseg.findings import Remedy, Severity, normal_form, peer_text
from cloudseg.model import ANYONE, AnyOf, InSubnets, shown_id, unplaced
from cloudseg.reach.packets import Box
from cloudseg.traffic import AddressSet, IntervalSet
from cloudseg.traffic.cidr import address_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.checks.first_match import Decider, Shadow
    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Direction, Estate, Interface, Rule, RuleSet, Verdict
    from cloudseg.reach.explaining.explanation import Explanation
    from cloudseg.reach.reachability import Verdict as Passed

_DIRECTIONS: tuple[Direction, ...] = ("ingress", "egress")
_VERDICTS: dict[Verdict, str] = {"accept": "allows", "deny": "denies", "next": "passes on"}
_SHOWN = 5
_TRIED = 2
_EXPLAINED = 40
"""So many findings show a packet: each is explained, rule by rule."""
_ASKED = 40_000
"""And no more of them once their lists have had so many rules together."""


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every rule of an ordered list that never decides."""
    estate = context.estate
    ordered = {
        stage.name
        for pipeline in estate.pipelines.values()
        for stage in (*pipeline.ingress, *pipeline.egress)
        if stage.match == "first"
    }
    told = asked = 0
    earlier = EarlierLists(estate)
    for stage in sorted(ordered):
        lists = (each for each in estate.rule_sets_at(stage) if not (of_cluster(each) or each.is_default))
        for places in by_resource(tuple(each for each in lists if each.managed_by != each.provider)):
            # Rules that do the same have one normal form: their place among these tells them apart.
            alike: Counter[str] = Counter()
            for direction in _DIRECTIONS:
                for rule_set, shadow in _at_all_places(places, direction, earlier, estate):
                    form = f"{shadow.rule.resource} {normal_form(shadow.rule)}"
                    alike[form] += 1
                    told += 1
                    asked += len(rule_set.rules)
                    aspect = str(alike[form]) if alike[form] > 1 else ""
                    yield _finding(context, rule_set, shadow, aspect, shows=told <= _EXPLAINED and asked <= _ASKED)
    yield from _of_policies(context)


def _at_all_places(
    places: Sequence[RuleSet], direction: Direction, earlier: EarlierLists, estate: Estate
) -> Iterator[tuple[RuleSet, Shadow]]:
    """Yield the rules of a list that never decide at any of the places at which it stands, as they do at the first."""
    first, *others = places
    found = list(shadows(in_order(first, direction), estate, earlier.of(first, direction)))
    for other in others if found else ():
        there = {each.rule.id for each in shadows(in_order(other, direction), estate, earlier.of(other, direction))}
        found = [each for each in found if each.rule.id in there]
    yield from ((first, each) for each in found)


def _of_policies(context: AuditContext) -> Iterator[Finding]:
    alike: Counter[tuple[str, str]] = Counter()
    for found in shadowed_in_clusters(context.estate):
        policy, rule = found.rule_set, found.rule
        form = (policy.id, normal_form(rule))
        alike[form] += 1
        against = [other for _, other in found.by if other.verdict != rule.verdict]
        by = shown([f"{owner.own_id} {other.id}" for owner, other in found.by], limit=3)
        why = f"{'all' if len(against) == len(found.by) else 'a part'} of it is decided otherwise" if against else ""
        yield context.finding(
            policy,
            f"{rule.id} of {policy.own_id}, which {_decides_what(context, rule)}, never decides: "
            f"{why or 'all of it is decided the same'} by {by}",
            rule=rule,
            severity=Severity.MEDIUM if against else Severity.LOW,
            evidence=tuple(
                f"{other.id} of {owner.own_id} comes before it and {_decides_what(context, other)}"
                for owner, other in found.by[:_SHOWN]
            ),
            affected=context.estate.governed(policy),
            remedy=Remedy(
                "remove-unused-rule",
                "remove it, which changes nothing"
                + (", or give it a place before those if its verdict is the one that is meant" if against else ""),
            ),
            aspect=str(alike[form]) if alike[form] > 1 else "",
        )


def _decides_what(context: AuditContext, rule: Rule) -> str:
    end = "from" if rule.direction == "ingress" else "to"
    return f"{_VERDICTS[rule.verdict]} {traffic_words(rule.traffic)} {end} {context.other_end(rule)}"


def _finding(context: AuditContext, rule_set: RuleSet, shadow: Shadow, aspect: str, *, shows: bool) -> Finding:
    rule, against = shadow.rule, shadow.against
    idle = rule_set.applies in (AnyOf(()), InSubnets(frozenset()))
    # What is lost goes first.
    deciders: tuple[Decider, ...] = (*against, *(decider for decider in shadow.deciders if decider not in against))
    first = deciders[0]
    above = _called(first) if len(deciders) == 1 else "the rules that take its packets"
    if against:
        there = "move it above" if len(deciders) > 1 or first.rule_set is None else "put its like in a list above"
        advice = f"remove it, which changes nothing, or {there} {above} if its verdict is the one that is meant"
    else:
        advice = "remove it, which changes nothing"
    return context.finding(
        rule_set,
        _message(context, rule_set, shadow),
        rule=rule,
        severity=Severity.MEDIUM if against and not idle else Severity.LOW,
        evidence=(
            *(_taken(context, rule, decider) for decider in deciders[:_SHOWN]),
            *((f"{len(deciders) - _SHOWN} more earlier rules take the rest",) if len(deciders) > _SHOWN else ()),
            *(_witness(context, first.rule_set or rule_set, first) if shows else ()),
            *(
                (unused_words(rule_set) if rule_set.provider == "azure" else "the list judges no subnet",)
                if idle
                else ()
            ),
            *managed(rule_set),
        ),
        remedy=Remedy("remove-unused-rule", advice),
        aspect=aspect,
    )


def _message(context: AuditContext, rule_set: RuleSet, shadow: Shadow) -> str:
    rule = shadow.rule
    by = _called(shadow.deciders[0]) if len(shadow.deciders) == 1 else "earlier rules"
    same, other = ("allowed", "denied") if rule.allows else ("denied", "allowed")
    if not shadow.against:
        why = f"all of it is already {same} by {by}"
    elif len(shadow.against) == len(shadow.deciders):
        why = f"all of it is {other} by {by}"
    else:
        why = f"a part of it is {other} by {by}, and the rest is already {same}"
    name = rule_set.bearer(rule).label if rule.resource else f"{rule.id} of {rule_set.label}"
    return f"{name}, which {_says(context, rule)}, never decides: {why}"


def _called(decider: Decider) -> str:
    """Return what to call an earlier rule: by its list where that is another one."""
    rule, rule_set = decider.rule, decider.rule_set
    if rule.resource:
        return shown_id(rule.resource)
    return rule.id if rule_set is None else f"{rule.id} of {rule_set.label}"


def _says(context: AuditContext, rule: Rule) -> str:
    far, near = ("from", "to") if rule.direction == "ingress" else ("to", "from")
    own = "" if rule.local == ANYONE else f" {near} {peer_text(rule.local, context.estate)}"
    does = "allows" if rule.allows else "denies"
    return f"{does} {traffic_words(rule.traffic)} {far} {context.other_end(rule)}{own}"


def _taken(context: AuditContext, rule: Rule, decider: Decider) -> str:
    packet = one_packet(decider.packets)
    end = "from" if rule.direction == "ingress" else "to"
    first = f"it is the first to match {packet.traffic} {end} {packet.addresses}"
    return f"{_called(decider)} {_says(context, decider.rule)}: {first}"


def _witness(context: AuditContext, rule_set: RuleSet, decider: Decider) -> tuple[str, ...]:
    """Return a packet in words at which an explanation shows the earlier rule decide; none where no interface is.

    A packet about which the earlier rule has the last word says most: one that it lets pass, or that nothing before it
    stops. Where there is none, it is said what else stops the packet.
    """
    from cloudseg.reach.explaining.explain import explain, passing

    inward = decider.rule.direction == "ingress"
    second: tuple[str, ...] = ()
    for near, far, packet in _meetings(context, rule_set, decider):
        source, target = (far, near.id) if inward else (near.id, far)
        if second and not _may_decide(passing(context.reach, source, target, packet.traffic), packet, decider):
            continue
        told = explain(context.reach, source, target, packet.traffic)
        for step in told.steps:
            named = ((rule.rule_set, rule.rule) for rule in step.rules)
            # Where it is not known that packets get there at all, the list is a checkpoint on the way.
            met = step.kind in {"boundary", "checkpoint", "stage"} and step.place in {near.subnet, near.id}
            if met and (rule_set.id, decider.rule.id) in named:
                words = _packet_words(context.estate, near, far, packet, inward=inward)
                if _decides(told, rule_set, decider):
                    return (words,)
                second = second or (words, f"today more than that decides about this packet: {told.reason}")
    return second


def _decides(told: Explanation, rule_set: RuleSet, decider: Decider) -> bool:
    """Tell whether a rule has the last word about a packet: it lets it pass, or is what stops it first."""
    if decider.rule.allows:
        return told.verdict == "allowed"
    own = (unplaced(rule_set.id), decider.rule.id)
    return any((unplaced(rule.rule_set), rule.rule) == own for rule in told.blocked_by)


def _may_decide(passed: Passed, packet: Box, decider: Decider) -> bool:
    """Tell whether a rule may have the last word about a packet, before it is explained what passes of it."""
    return passed.lower == packet.traffic if decider.rule.allows else not passed.upper


def _packet_words(estate: Estate, near: Interface, far: str | AddressSet, packet: Box, *, inward: bool) -> str:
    from cloudseg.reach.comparing.witness import Witness

    own = near.addresses.v4 if packet.addresses.v4 else near.addresses.v6
    address = address_text(4 if packet.addresses.v4 else 6, own.intervals[0][0])
    here, there = (near.id, address), (far if isinstance(far, str) else "", str(packet.addresses))
    return witness_words(Witness(*(there if inward else here), *(here if inward else there), packet.traffic), estate)


def _meetings(
    context: AuditContext, rule_set: RuleSet, decider: Decider
) -> Iterator[tuple[Interface, str | AddressSet, Box]]:
    """Yield interfaces behind a list, others and packets between them that the earlier rule is the first to match.

    Neighbours in the same network come first, for packets between them surely get to the list.
    """
    packet = one_packet(decider.packets)
    for near in islice(_behind(context, rule_set, decider, packet), _TRIED):
        there = (
            each
            for each in context.estate.interfaces_in(near.network or "")
            if each.subnet != near.subnet and each.addresses.overlaps(decider.packets.addresses)
        )
        for far in islice(there, _TRIED):
            shared = Box(far.addresses & decider.packets.addresses, decider.packets.traffic)
            version, numbers = (4, shared.addresses.v4) if shared.addresses.v4 else (6, shared.addresses.v6)
            if near.addresses.v4 if version == 4 else near.addresses.v6:
                one = IntervalSet.of(numbers.intervals[0][0])
                yield near, far.id, Box(AddressSet(v4=one) if version == 4 else AddressSet(v6=one), packet.traffic)
    for near in islice(_behind(context, rule_set, decider, packet), _TRIED):
        yield near, _bearer(context, packet), packet


def _behind(context: AuditContext, rule_set: RuleSet, decider: Decider, packet: Box) -> Iterator[Interface]:
    """Yield the interfaces for which a rule is, of the packet's family, that do not bear its address themselves."""
    for near in context.judged(rule_set, decider.rule):
        same = near.addresses.v4 if packet.addresses.v4 else near.addresses.v6
        if same and not near.addresses.overlaps(packet.addresses):
            yield near


def _bearer(context: AuditContext, packet: Box) -> str | AddressSet:
    """Return the interface that bears the address of a packet, else the address."""
    estate = context.estate
    nets = (name for name, network in estate.networks.items() if network.addresses.overlaps(packet.addresses))
    found = (each.id for name in nets for each in estate.interfaces_in(name) if packet.addresses <= each.addresses)
    return next(found, packet.addresses)


def _deny_below() -> Estate:
    b = EstateBuilder()
    b.acl("acl-1", ["subnet-public"], (*ACL_OPEN, acl_entry("ingress", 200, "tcp/3389", "0.0.0.0/0", deny=True)))
    return b.build()


def _allow_below() -> Estate:
    b = EstateBuilder()
    b.acl(
        "acl-1",
        ["subnet-private"],
        (
            acl_entry("ingress", 50, "all", "10.60.0.0/16", deny=True),
            acl_entry("ingress", 60, "tcp/5432", "10.60.10.0/24"),
        ),
    )
    return b.build()


def _redundant() -> Estate:
    b = EstateBuilder()
    b.acl(
        "acl-1",
        ["subnet-public"],
        (
            acl_entry("ingress", 100, "tcp/0-1023", "10.0.0.0/9"),
            acl_entry("ingress", 110, "tcp/0-1023", "10.128.0.0/9"),
            acl_entry("ingress", 120, "tcp/22", "10.0.0.0/8"),
        ),
    )
    return b.build()


def _in_good_order() -> Estate:
    b = EstateBuilder()
    b.acl(
        "acl-1",
        ["subnet-public"],
        (
            acl_entry("ingress", 90, "tcp/3389", "0.0.0.0/0", deny=True),
            acl_entry("ingress", 100, "all", "0.0.0.0/0"),
            acl_entry("ingress", 110, "all", "::/0"),
            acl_entry("egress", 200, "tcp/3389", "0.0.0.0/0", deny=True),
        ),
    )
    return b.build()


def _nsg_allow_below() -> Estate:
    b = NsgBuilder()
    b.asg("asg-web")
    denied = nsg_rule("ingress", 100, "all", "10.1.0.0/16", deny=True)
    b.nsg("nsg-data", denied, nsg_rule("ingress", 200, "tcp/1433", "asg-web"), subnet="data")
    b.machine("nic-web", "web", "10.1.1.10", asgs=["asg-web"])
    b.machine("nic-data", "data", "10.1.2.10")
    return b.build()


def _nsg_in_order() -> Estate:
    b = NsgBuilder()
    b.asg("asg-web")
    denied = nsg_rule("ingress", 4096, "all", deny=True)
    # A near end of its own takes nothing from others.
    other = nsg_rule("ingress", 100, "tcp/1433", local="10.1.2.99", deny=True)
    b.nsg("nsg-data", other, nsg_rule("ingress", 200, "tcp/1433", "asg-web", local="10.1.2.10"), denied, subnet="data")
    b.machine("nic-data", "data", "10.1.2.10")
    return b.build()


_DEV: Final = Pods(namespaces={"env": "dev"})


def _allowed_below_a_denial() -> Estate:
    b = ClusterBuilder()
    b.namespace("shop", env="prod")
    b.workload("shop", "web")
    b.admin_policy("guard", Pods(namespaces={}), ("deny", admit("all", _DEV)))
    b.admin_policy("tests", Pods(namespaces={"env": "prod"}), ("accept", admit("tcp/443", _DEV)))
    return b.build()


def _behind_an_administrator() -> Estate:
    b = ClusterBuilder()
    b.namespace("shop", env="prod")
    b.workload("shop", "web")
    b.admin_policy("guard", Pods(namespaces={}), ("deny", admit("all", _DEV)))
    b.policy("shop", "web", ingress=(admit("tcp/443", _DEV),))
    return b.build()


def _denied_behind_what_else() -> Estate:
    b = ClusterBuilder()
    b.namespace("shop", env="prod")
    b.workload("shop", "web")
    b.admin_policy("tests", Pods(namespaces={"env": "prod"}), ("accept", admit("tcp/443", _DEV)))
    b.admin_policy("guard", Pods(namespaces={}), ("deny", admit("all", _DEV)), ("next", admit("all", Pods())))
    return b.build()


def _gcp_closed_above() -> Estate:
    b = GcpBuilder()
    closed = gcp_rule("no-desktops", "ingress", "tcp/3389", verdict="deny", priority=100, vpc=False)
    rest = gcp_rule("rest", "ingress", "all", verdict="next", priority=2147483646, vpc=False)
    b.policy("company", closed, rest, stage=HIERARCHY)
    b.firewall(gcp_rule("desktops", "ingress", "tcp/3389", targets="tag:windows"))
    b.machine("windows", "web", "10.2.1.10", tags=["windows"])
    return b.build()


def _gcp_denied_behind() -> Estate:
    b = GcpBuilder()
    b.firewall(gcp_rule("internal", "ingress", "all", "10.2.0.0/16", priority=65534))
    b.policy("guard", gcp_rule("100", "ingress", "tcp/22", "10.2.1.0/24", verdict="deny", priority=100, vpc=False))
    b.machine("web", "web", "10.2.1.10")
    b.machine("db", "data", "10.2.2.10")
    return b.build()


def _gcp_twice() -> Estate:
    b = GcpBuilder()
    b.firewall(
        gcp_rule("a-database", "ingress", "tcp/5432", "10.2.1.0/24", targets="tag:db"),
        gcp_rule("internal", "ingress", "all", "10.2.0.0/16"),
    )
    b.machine("db", "data", "10.2.2.10", tags=["db"])
    return b.build()


def _gcp_in_order() -> Estate:
    b = GcpBuilder()
    office = gcp_rule("office", "ingress", "tcp/3389", "203.0.113.0/24", verdict="next", priority=90, vpc=False)
    closed = gcp_rule("no-desktops", "ingress", "tcp/3389", verdict="deny", priority=100, vpc=False)
    b.policy("company", office, closed, stage=HIERARCHY)
    b.firewall(
        gcp_rule("desktops", "ingress", "tcp/3389", "203.0.113.0/24", targets="tag:windows"),
        gcp_rule("closed", "ingress", "tcp/22", targets="tag:db", verdict="deny", priority=900),
        gcp_rule("shell", "ingress", "tcp/22", "10.2.1.0/24", targets="tag:web"),
    )
    b.machine("windows", "web", "10.2.1.10", tags=["windows"])
    return b.build()


CHECK = Check(
    id="shadowed-rule",
    severity=Severity.LOW,
    run=run,
    examples=(
        Example("a deny below an allow of everything never acts", _deny_below, ("acl-1",), Severity.MEDIUM),
        Example("an allow below a deny of its whole range never acts", _allow_below, ("acl-1",), Severity.MEDIUM),
        Example("two halves above allow what the rule allows", _redundant, ("acl-1",), Severity.LOW),
        Example(
            "what one administrator's policy denies, a later one allows",
            _allowed_below_a_denial,
            ("AdminNetworkPolicy/tests",),
            Severity.MEDIUM,
        ),
        Example(
            "a NetworkPolicy admits what an administrator denies",
            _behind_an_administrator,
            ("shop/NetworkPolicy/web",),
            Severity.MEDIUM,
        ),
        Example(
            "an NSG denies the whole network before it allows a group of it",
            _nsg_allow_below,
            (nsg_id("nsg-data"),),
            Severity.MEDIUM,
        ),
        Example(
            "an organisation denies what a VPC firewall rule allows",
            _gcp_closed_above,
            (rule_id("desktops"),),
            Severity.MEDIUM,
        ),
        Example(
            "a VPC firewall rule allows what the network's policy denies behind it",
            _gcp_denied_behind,
            ("global/firewallPolicies/guard",),
            Severity.MEDIUM,
        ),
        Example(
            "a wider rule of the same priority allows it as well", _gcp_twice, (rule_id("a-database"),), Severity.LOW
        ),
        Example("what is allowed stands before what is denied", _denied_behind_what_else),
        Example("an organisation hands an office on, and other targets are denied", _gcp_in_order),
        Example("an NSG that allows what it needs, then denies the rest", _nsg_in_order),
        Example("denies come first, and each direction and family decides by itself", _in_good_order),
    ),
    concept={
        "aws": "the numbered entries of network ACLs",
        "azure": "the rules of NSGs and security admin rules, by priority",
        "gcp": "VPC firewall rules and rules of firewall policies, by priority and by the order of the lists",
        "kubernetes": "ordered policies (of administrators, Calico and Antrea), and what stands behind them",
    },
    needs=("boundary-rules",),
    uses=("groups", "address-lists"),
    compliance={
        "nist-800-53r5": ("AC-4",),
        "pci-dss-4.0": ("1.2.7",),
    },
    remedy="remove-unused-rule",
    per_rule=True,
)
