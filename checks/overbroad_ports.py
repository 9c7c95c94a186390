"""A rule between workloads that opens everything, or a wide range of ports.

What it finds:
    Allowing rules whose other end is internal (addresses, groups, address lists) and whose traffic is everything in
    effect (``tcp 1-65535`` and ``0-65534`` too), more ports than the parameter ``max_ports`` allows, or a protocol
    without ports, which is open as a whole. Left to other checks: public sources, egress to most of the internet
    (``unrestricted-egress``), and a group that opens everything to itself (``self-referencing-all-traffic``).
    In a cluster, the rules of network policies: those without ``ports`` admit all of them. Left to other checks is what
    admits everything from or to everyone (``missing-default-deny``, ``unrestricted-egress``), and what a policy admits
    among the pods that it selects (``self-referencing-all-traffic``).

Why it matters:
    A service listens on one or two ports. Every other open port is a way for an intruder who has the first machine
    to reach administration, debugging and database ports of the second.

Example:
    ``tcp/0-65535 from sg-web`` in the group of an application that listens on port 8080.

Remedy:
    Name the ports that the service listens on. Flow logs show which are in use.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from cloudseg.checks.breadth import mostly_internet
from cloudseg.checks.clusters import names_its_own, of_cluster
from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule, rule_id
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_id, nsg_rule
from cloudseg.checks.exposure import is_everything
from cloudseg.checks.interface import Check, Example, Parameter
from cloudseg.checks.observed_use import observed_use
from cloudseg.checks.ordered_lists import OrderedLists
from cloudseg.checks.rule_lists import managed, names_itself, shown
from cloudseg.findings import Remedy, Severity
from cloudseg.reach.packets import outside_addresses
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, NO_ADDRESSES, AddressSet, IntervalSet, Traffic, protocol_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Rule, RuleSet

MAX_PORTS = Parameter("max_ports", 100, "A rule may open this many ports of one protocol between workloads.", minimum=1)
_PORT_PROTOCOLS = ("tcp", "udp", "sctp")
_ALL_PORTS = 65536


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every internal rule that opens too much."""
    limit = context.number("max_ports")
    internal = _internal_addresses(context.estate)
    remedy = Remedy("narrow-ports", "name the ports that the service listens on")
    ordered = OrderedLists(context.estate)

    @cache
    def width_of(traffic: Traffic) -> str:
        return _width(traffic, limit)

    for rule_set, rules in context.allowing.by_list:
        for rule in rules:
            # What is narrow as written stays so, whatever is denied before. What the provider requires nobody can
            # narrow either.
            if not width_of(rule.traffic) or rule.fixed or rule.required:
                continue
            width = width_of(ordered.left(rule_set, rule))
            if width and not _told_elsewhere(context, rule_set, rule, internal):
                yield _finding(context, rule_set, rule, width, remedy)


def _internal_addresses(estate: Estate) -> AddressSet:
    total = NO_ADDRESSES
    for network in estate.networks.values():
        total |= network.addresses
    return total


def _width(traffic: Traffic, limit: int) -> str:
    """Return in words what is too wide about traffic; empty for what is narrow enough."""
    if traffic.is_all:
        return "all traffic"
    found: list[str] = []
    for protocol in _PORT_PROTOCOLS:
        ports: IntervalSet = traffic.ports_of(protocol)
        if ports.size > limit:
            found.append(f"{'all ' if ports.size == _ALL_PORTS else ''}{ports.size:,} ports of {protocol}")
    portless = [protocol_name(n) for first, last in traffic.other.intervals for n in range(first, last + 1)]
    if portless:
        found.append(f"{shown(portless)}, which {'have' if len(portless) > 1 else 'has'} no ports to narrow")
    return " and ".join(found)


def _told_elsewhere(context: AuditContext, rule_set: RuleSet, rule: Rule, internal: AddressSet) -> bool:
    if of_cluster(rule_set):
        return _told_of_cluster(context, rule_set, rule)
    if is_everything(rule.traffic) and names_itself(rule_set, rule):
        return True
    if rule.direction == "ingress":
        # What may hold a part of the internet, and surely does not hold it, is a name for what is inside.
        least, most = context.internet.public_sources(rule)
        return bool((least if least != most else most) - internal)
    return bool(mostly_internet(outside_addresses(rule.remote, context.estate)[1]))


def _told_of_cluster(context: AuditContext, policy: RuleSet, rule: Rule) -> bool:
    if rule.verdict != "accept":
        # It only hands on to the policies behind it, which decide.
        return True
    if not is_everything(rule.traffic):
        return False
    most = context.internet.admitted(rule)[1]
    whole = mostly_internet(most) if rule.direction == "egress" else most >= ALL_IPV4 or most >= ALL_IPV6
    return bool(whole) or names_its_own(policy, rule, context.estate)


def _finding(context: AuditContext, rule_set: RuleSet, rule: Rule, width: str, remedy: Remedy) -> Finding:
    verb, end = ("admits", "from") if rule.direction == "ingress" else ("lets out", "to")
    everything = is_everything(rule.traffic)
    return context.finding(
        rule_set,
        f"{rule_set.bearer(rule).label} {verb} {width} {end} {context.other_end(rule)}",
        rule=rule,
        severity=Severity.MEDIUM if everything else Severity.LOW,
        confidence="high" if rule.exact else "medium",
        evidence=(*managed(rule_set), *observed_use(context, rule_set, rule)),
        affected=context.judged(rule_set, rule),
        remedy=remedy,
    )


def _all_but_one_port() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("ingress", "tcp/1-65535", "sg-web"), allow("ingress", "tcp/0-65534", "10.0.1.0/24"))
    b.group("sg-web")
    return b.build()


def _wide_range() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("ingress", "tcp/8000-8200", "sg-web"))
    b.group("sg-web", allow("egress", "gre", "10.0.2.0/24"))
    return b.build()


def _without_ports() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.workload("shop", "db")
    b.policy("shop", "db", {"app": "db"}, ingress=(admit("all", Pods({"app": "web"})), admit("tcp", "10.9.0.0/16")))
    return b.build()


def _wide_range_of_pods() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "web", {"app": "web"}, ingress=(admit("tcp/30000-32767", Pods()),), egress=(admit("tcp/1-1024"),))
    return b.build()


def _narrow_policies() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.workload("shop", "db")
    b.policy("shop", "db", {"app": "db"}, ingress=(admit("tcp/5432", Pods({"app": "web"})),))
    # What is open to everyone, and among pods that one policy selects, other checks tell.
    b.policy("shop", "web", {"app": "web"}, ingress=(admit(),), egress=(admit("all", Pods({"app": "web"})),))
    return b.build()


def _narrow() -> Estate:
    b = EstateBuilder()
    b.group(
        "sg-app",
        allow("ingress", "tcp/8080", "sg-web"),
        allow("ingress", "tcp/9000-9099", "10.0.1.0/24"),
        allow("ingress", "icmp", "10.0.0.0/16"),
        allow("egress", "all", "0.0.0.0/0"),
    )
    b.group("sg-web", allow("ingress", "all", "203.0.113.0/24"))
    return b.build()


def _azure(*rules: Rule) -> Estate:
    b = NsgBuilder()
    b.nsg("nsg-data", *rules, subnet="data")
    return b.build()


def _azure_all_inside() -> Estate:
    return _azure(nsg_rule("ingress", 100, "all", "VirtualNetwork"))


def _azure_denied_before() -> Estate:
    denied = nsg_rule("ingress", 90, "tcp/0-1432, tcp/1434-65535, udp", "10.0.0.0/8", deny=True)
    return _azure(denied, nsg_rule("ingress", 100, "tcp, udp", "10.1.1.0/24"))


def _gcp_internal() -> Estate:
    b = GcpBuilder()
    b.firewall(gcp_rule("allow-internal", "ingress", "tcp/0-65535, udp/0-65535, icmp", "10.2.0.0/16"))
    return b.build()


def _gcp_narrow() -> Estate:
    b = GcpBuilder()
    b.policy("guard", gcp_rule("rest", "ingress", "all", "*", verdict="next", priority=2147483647, vpc=False))
    b.firewall(gcp_rule("app", "ingress", "tcp/8080", "tag:web", targets="tag:app"))
    return b.build()


CHECK = Check(
    id="overbroad-ports",
    severity=Severity.LOW,
    run=run,
    examples=(
        Example("all ports but one are all ports", _all_but_one_port, ("sg-app", "sg-app"), Severity.MEDIUM),
        Example("201 ports, and a protocol without ports", _wide_range, ("sg-app", "sg-web"), Severity.LOW),
        Example(
            "rules of a network policy without ports, and with all ports of tcp",
            _without_ports,
            ("shop/NetworkPolicy/db",) * 2,
        ),
        Example(
            "wide ranges of ports in a network policy",
            _wide_range_of_pods,
            ("shop/NetworkPolicy/web",) * 2,
            Severity.LOW,
        ),
        Example("network policies with ports, or for others to tell", _narrow_policies),
        Example("a few ports between workloads; the internet is told by other checks", _narrow),
        Example(
            "an NSG rule that admits everything from VirtualNetwork",
            _azure_all_inside,
            (nsg_id("nsg-data"),),
            Severity.MEDIUM,
        ),
        Example("an NSG that denies all but one port before, and its default rules", _azure_denied_before),
        Example(
            "a VPC firewall rule allows everything inside of the network",
            _gcp_internal,
            (rule_id("allow-internal"),),
            Severity.MEDIUM,
        ),
        Example("one port for a tag, and a policy that only hands on", _gcp_narrow),
    ),
    concept={
        "aws": "security group rules between workloads",
        "azure": "NSG rules that admit groups, private ranges or VirtualNetwork on all ports, or on many",
        "gcp": "firewall rules that allow tags, accounts or private ranges on all ports, or on many",
        "kubernetes": "rules of network policies that admit pods or private ranges on all ports, or on many",
    },
    needs=("groups",),
    uses=("networks", "address-lists"),
    compliance={
        "nsa-cisa-kubernetes-1.2": ("Network separation and hardening: Network policies",),
        "nist-800-53r5": ("AC-4", "CM-7"),
        "pci-dss-4.0": ("1.2.5",),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
    },
    parameters=(MAX_PORTS,),
    remedy="narrow-ports",
    per_rule=True,
)
