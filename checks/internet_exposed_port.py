"""A port that the internet can reach.

What it finds:
    Ingress rules that admit public addresses and certainly, or possibly, deliver packets to an interface: the rule, a
    public address or another way in, a route, and the network ACLs in both directions all agree. Each rule is told
    once, with every class of ports that it exposes. Ranges that only together are the whole internet, address lists,
    IPv6 and protocols without ports count like any other. Where something on the way was not read, the severity stays
    and the confidence is low. A witness, one packet from one address to one interface, shows that it arrives; behind a
    load balancer there are two, one that arrives at it and one that it sends on.

    Where no list of rules judges an interface at all, what comes in to it is told of the interface itself.

    Where a rule of a firewall leads a public address to a private one (DNAT), that rule is told, and of the lists
    behind it which rules let its packets through.

    In a cluster it is services with a load balancer or a port on every node, ingresses and routes of gateways that are
    told, each with the workloads behind it whose policies let its packets in.

Why it matters:
    A port that answers the internet is found within minutes and tried for ever. Administration ports and databases
    are the usual first step of an intrusion.

Example:
    ``tcp/22 from 0.0.0.0/0`` in a security group of an instance with a public address, in a subnet with a route to an
    internet gateway.

Remedy:
    Admit the one group, load balancer or prefix list that needs the port, and close the rest. Reach administration
    ports over a private path (a session service, a bastion, a VPN).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.cluster_exposure import published
from cloudseg.checks.clusters import of_cluster
from cloudseg.checks.example_clusters import ClusterBuilder, admit
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import HIERARCHY, GcpBuilder, gcp_rule, rule_id
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_id, nsg_rule
from cloudseg.checks.exposure import (
    EVERYONE,
    PublicServices,
    classes_of,
    delivered_sources,
    open_rules,
    public_words,
    severity_of,
    traffic_words,
)
from cloudseg.checks.firewall_exposure import led_by_firewalls, only_by_firewalls
from cloudseg.checks.interface import Check, Example, Parameter
from cloudseg.checks.tracking import on_removal
from cloudseg.checks.unlisted_exposure import unlisted
from cloudseg.findings import Remedy, Severity
from cloudseg.model import shown_id, unplaced
from cloudseg.traffic import GLOBAL_UNICAST, NO_ADDRESSES, AddressSet, Traffic
from cloudseg.traffic.cidr import address_text
from cloudseg.traffic.telling import first_packet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloudseg.checks.exposure import RuleExposure, Shown
    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Interface, Rule
    from cloudseg.reach.entries import Entries
    from cloudseg.reach.packets import Box

_ONLY_IPV6: Final = Traffic.protocol("icmpv6")
# Source: https://www.iana.org/assignments/ipv6-unicast-address-assignments
_HANDED_OUT: Final = AddressSet.parse("2000::/3").v6
DECLARED_PUBLIC = Parameter(
    "declared_public",
    ("exposure=public",),
    "Tags (`key=value`) that declare a workload to serve the internet: its ports 80 and 443 are then only information.",
    form="[^=]+=.*",
)


class _Ground(NamedTuple):
    """What all findings rest on.

    Attributes:
        own: the addresses of the estate's networks, which nobody on the internet has.
        entries: finds the load balancer's interface in between.
        public: knows who is there to serve the internet.
    """

    own: AddressSet
    entries: Entries
    public: PublicServices


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every rule by which the internet reaches something, or may reach it."""
    from cloudseg.reach.entries import Entries

    reaching = [found for found in open_rules(context) if found.verdict != "latent"]
    led = only_by_firewalls(context, reaching)
    reaching = [found for found in reaching if (unplaced(found.rule_set.id), found.rule.id) not in led]
    own = NO_ADDRESSES
    for network in context.estate.networks.values():
        own |= network.addresses
    public = PublicServices(context.estate, context.texts("declared_public"))
    ground = _Ground(own, Entries(context.estate), public)
    for _, of_one_set in groupby(reaching, key=lambda found: found.rule_set.id):
        together = list(of_one_set)
        by_traffic: dict[Traffic, AddressSet] = {}
        for found in together:
            known = by_traffic.get(found.rule.traffic, NO_ADDRESSES)
            by_traffic[found.rule.traffic] = known | delivered_sources(found)
        for found in together:
            yield _finding(context, found, by_traffic, ground)
    yield from _unread_rules(context)
    yield from unlisted(context, public)
    yield from led_by_firewalls(context, public)
    yield from published(context)


def _unread_rules(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every interface that the internet can address and that carries groups nobody could read.

    Where no groups were read at all, the check is not evaluated, and says so.
    """
    estate = context.estate
    if all(reading.state == "unread" for reading in estate.coverage.places("groups")):
        return
    known = estate.groups.keys() | estate.rule_sets.keys()
    for _, interface in sorted(estate.interfaces.items()):
        if of_cluster(interface) or (interface.attached <= known and not interface.attached_unread):
            continue
        missing = sorted(interface.attached - known)
        ways = context.internet.ways_in(interface).ways
        if ways:
            names = ", ".join(shown_id(group) for group in missing) or "groups"
            yield context.finding(
                interface,
                f"{interface.label} can be addressed from the internet and carries {names}, whose rules were not read",
                severity=Severity.CRITICAL,
                confidence="low",
                evidence=(*(f"way in: {way.text}" for way in ways), f"unknown: the rules of {names}"),
                affected=(interface,),
                aspect="unread groups",
            )


def _open_to(found: RuleExposure, by_traffic: Mapping[Traffic, AddressSet]) -> str:
    """Return whom a rule lets in, in words; halves that only together with other rules are everyone are told so."""
    own = delivered_sources(found)
    words = public_words(own)
    if words == EVERYONE:
        return words
    total = own
    for traffic, sources in by_traffic.items():
        if found.rule.traffic <= traffic:
            total |= sources
    all_words = public_words(total)
    return f"{words}, with its other rules to {all_words}" if all_words != words and "whole" in all_words else words


def _finding(
    context: AuditContext,
    found: RuleExposure,
    by_traffic: Mapping[Traffic, AddressSet],
    ground: _Ground,
) -> Finding:
    rule, exposure = found.rule, found.exposure
    sure = found.verdict == "exposed"
    traffic = exposure.at_most or rule.traffic
    sources = delivered_sources(found)
    severity = severity_of(traffic, sources, public_service=ground.public.hold_all(found.maybe))
    count = len(found.maybe)
    whom = f"{count} interface{'s' if count != 1 else ''}" if count else "its members"
    state = "is" if sure else "may be"
    return context.finding(
        found.rule_set,
        f"{found.rule_set.bearer(rule).label}: {traffic_words(traffic)} of {whom} {state} open to "
        f"{_open_to(found, by_traffic)}",
        rule=rule,
        severity=severity,
        confidence="high" if sure else "low",
        evidence=(
            *(f"exposes {known.name}" for known in classes_of(traffic)),
            *(f"way in: {text}" for text in exposure.ways),
            *(f"unknown: {text}" for text in exposure.unknown),
            *(() if found.shown is None else _witnesses(found.shown, ground, context.estate)),
            *filter(None, (on_removal(found, context.estate, context.internet),)),
        ),
        reachable=True if sure else None,
        affected=found.maybe,
        remedy=Remedy("narrow-ports", _advice(rule)),
    )


def _advice(rule: Rule) -> str:
    if rule.fixed:
        return "add a rule before it that denies what comes from the internet; nobody can change this one"
    return "admit only the identities that need the port, and close it to the internet"


def _witnesses(shown: Shown, ground: _Ground, estate: Estate) -> Iterator[str]:
    """Yield one packet that arrives, in words; behind a load balancer, one for each of the two steps.

    Args:
        shown: packets that arrive.
        ground: what all findings rest on.
        estate: the estate.
    """
    interface, packets, through = shown
    # A network may use in private what somebody on the internet has: he comes through the load balancer for all that.
    senders = packets.addresses - ground.own or packets.addresses
    entry = None if through is None else ground.entries.to(interface, through, senders)
    node, asked = (interface, packets) if entry is None else (entry.node, entry.packets)
    heard = _heard(node, asked, estate)
    if not heard.traffic:
        yield f"nothing of it passes today: {node.label} belongs to a load balancer without a listener for it"
        return
    if entry is None:
        sender, family, packet = _one_of(heard, ground.own)
        yield f"witness: {sender} → {_name_of(interface, family)} {packet}"
        return
    sender, family, packet = _one_of(heard, ground.own)
    yield f"witness: {sender} → {_name_of(entry.node, family)} {packet} (to the load balancer)"
    family = 4 if interface.addresses.v4 or not interface.addresses.v6 else 6
    sent = first_packet(packets.traffic, family)
    at_most = f", at most: {'; '.join(entry.doubts)}" if entry.doubts else ""
    hop = _name_of(entry.node, family)
    yield f"witness: {hop} → {_name_of(interface, family)} {sent} (the load balancer sends it on{at_most})"


def _heard(interface: Interface, packets: Box, estate: Estate) -> Box:
    """Return what of some packets an interface takes: one of a load balancer, only what has a listener."""
    forwarder = estate.forwarders.get(interface.workload or "")
    if forwarder is None or forwarder.accepts is None:
        return packets
    return packets._replace(traffic=packets.traffic & forwarder.accepts)


def _name_of(interface: Interface, family: int) -> str:
    return _first_address(interface.addresses, family) or interface.shown_id


# Thousands of rules let in the same few packets.
@lru_cache(maxsize=65536)
def _one_of(packets: Box, own: AddressSet) -> tuple[str, int, str]:
    """Return the address of one sender, its family, and one packet, in words."""
    addresses = (packets.addresses & GLOBAL_UNICAST) - own or packets.addresses
    family = 4 if not addresses.v6 or (addresses.v4 and not packets.traffic <= _ONLY_IPV6) else 6
    first, last = (addresses.v4 if family == 4 else addresses.v6 & _HANDED_OUT or addresses.v6).intervals[0]
    # The second address of a range says more than the first, which often is the name of the range.
    return address_text(family, min(first + 1, last)), family, str(first_packet(packets.traffic, family))


@lru_cache(maxsize=65536)
def _first_address(addresses: AddressSet, family: int) -> str:
    """Return the first address of an interface, of the family where it has one; empty where none was read."""
    for version, numbers in sorted(((4, addresses.v4), (6, addresses.v6)), key=lambda each: each[0] != family):
        if numbers:
            return address_text(version, numbers.intervals[0][0])
    return ""


def _public_ssh() -> Estate:
    b = EstateBuilder()
    b.group("sg-admin", allow("ingress", "tcp/22", "0.0.0.0/0"))
    b.interface("eni-1", "subnet-public", ["sg-admin"], "10.0.1.5", "203.0.113.10")
    return b.build()


def _two_halves() -> Estate:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "all", "0.0.0.0/1"), allow("ingress", "all", "128.0.0.0/1"))
    b.interface("eni-1", "subnet-public", ["sg-db"], "10.0.1.5", "203.0.113.10")
    return b.build()


def _unread_interfaces() -> Estate:
    b = EstateBuilder(unread=["interfaces"])
    b.group("sg-db", allow("ingress", "tcp/5432", "0.0.0.0/0"))
    return b.build()


def _private() -> Estate:
    b = EstateBuilder()
    b.group("sg-admin", allow("ingress", "tcp/22", "0.0.0.0/0"))
    b.interface("eni-1", "subnet-private", ["sg-admin"], "10.0.2.5")
    return b.build()


def _published_database() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "db")
    b.service("shop", "db", "db", listens="tcp/5432", sends="tcp/5432")
    return b.build()


def _published_web() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.service("shop", "web", "web", listens="tcp/443", sends="tcp/8443")
    return b.build()


def _port_of_nodes() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.service("shop", "web", "web", listens="tcp/30080", sends="tcp/8080", sure=False)
    return b.build()


def _forbidden() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "office", ingress=[admit("all", "10.0.0.0/8")])
    b.service("shop", "web", "web", listens="tcp/443", sends="tcp/8443", keeps_clients=True)
    return b.build()


def _azure(*rules: Rule, nic: tuple[Rule, ...] = ()) -> Estate:
    b = NsgBuilder()
    b.nsg("nsg-web", *rules, subnet="web")
    if nic:
        b.nsg("nsg-nic", *nic)
    b.machine("nic-1", "web", "10.1.1.10", "20.50.0.20", nsg="nsg-nic" if nic else "")
    return b.build()


def _azure_remote_desktop() -> Estate:
    return _azure(nsg_rule("ingress", 100, "tcp/3389", "Internet"))


def _azure_halves() -> Estate:
    return _azure(nsg_rule("ingress", 100, "tcp/22", "0.0.0.0/1"), nsg_rule("ingress", 110, "tcp/22", "128.0.0.0/1"))


def _azure_denied() -> Estate:
    return _azure(
        nsg_rule("ingress", 100, "tcp/3389, tcp/22", "Internet", deny=True), nsg_rule("ingress", 200, "tcp/22")
    )


def _azure_closed_at_the_interface() -> Estate:
    return _azure(nsg_rule("ingress", 100, "tcp/22"), nic=(nsg_rule("ingress", 100, "tcp/443", "10.1.0.0/16"),))


def _gcp(*rules: Rule, public: str = "34.1.2.3", above: tuple[Rule, ...] = ()) -> Estate:
    b = GcpBuilder()
    b.firewall(*rules)
    if above:
        b.policy("company", *above, stage=HIERARCHY)
    b.machine("web", "web", "10.2.1.10", public, tags=["web"])
    return b.build()


def _gcp_shell() -> Estate:
    return _gcp(gcp_rule("ssh", "ingress", "tcp/22", targets="tag:web"))


def _gcp_policy() -> Estate:
    return _gcp(above=(gcp_rule("rdp", "ingress", "tcp/3389", priority=100, vpc=False),))


def _gcp_denied_above() -> Estate:
    denied = gcp_rule("no-shells", "ingress", "tcp/22", verdict="deny", priority=100, vpc=False)
    return _gcp(gcp_rule("ssh", "ingress", "tcp/22"), above=(denied,))


def _gcp_other_targets() -> Estate:
    return _gcp(
        gcp_rule("ssh", "ingress", "tcp/22", targets="tag:bastion"),
        gcp_rule("proxy", "ingress", "tcp/22", "35.235.240.0/20"),
        gcp_rule("checks", "ingress", "tcp/8080", "35.191.0.0/16, 130.211.0.0/22"),
    )


CHECK = Check(
    id="internet-exposed-port",
    severity=Severity.CRITICAL,
    run=run,
    examples=(
        Example("SSH of a public instance is open to everyone", _public_ssh, ("sg-admin",), Severity.HIGH),
        Example("two halves of the address space are everyone", _two_halves, ("sg-db", "sg-db"), Severity.CRITICAL),
        Example("the interfaces were not read, so the severity stays", _unread_interfaces, ("sg-db",)),
        Example("the same rule on an instance without a public address", _private),
        Example(
            "a service with a load balancer offers a database",
            _published_database,
            ("shop/Service/db",),
            Severity.CRITICAL,
        ),
        Example("a service with a load balancer offers the web", _published_web, ("shop/Service/web",), Severity.INFO),
        Example(
            "a port of every node, whose addresses were not read",
            _port_of_nodes,
            ("shop/Service/web",),
            Severity.MEDIUM,
        ),
        Example("a policy admits the company alone, and sees who asks", _forbidden),
        Example(
            "remote desktop of a public machine is open to `Internet`",
            _azure_remote_desktop,
            (nsg_id("nsg-web"),),
            Severity.CRITICAL,
        ),
        Example(
            "two halves of the address space in an NSG are everyone",
            _azure_halves,
            (nsg_id("nsg-web"),) * 2,
            Severity.HIGH,
        ),
        Example("an NSG denies it to the internet before", _azure_denied),
        Example("the NSG of the interface does not admit it", _azure_closed_at_the_interface),
        Example("SSH of an instance with an external address", _gcp_shell, (rule_id("ssh"),), Severity.HIGH),
        Example(
            "an organisation's policy allows remote desktop for good",
            _gcp_policy,
            ("locations/global/firewallPolicies/company",),
            Severity.CRITICAL,
        ),
        Example("an organisation's policy denies what a VPC firewall rule allows", _gcp_denied_above),
        Example("other targets, and sources that are Google Cloud's own", _gcp_other_targets),
    ),
    concept={
        "aws": "security group rules with public sources, on interfaces that the internet can reach",
        "azure": "NSG rules with public sources, on interfaces that the internet can reach",
        "gcp": "rules of VPC networks and firewall policies with public sources, on interfaces the internet can reach",
        "kubernetes": "services, ingresses and routes of gateways that lead from outside to pods, as policies admit it",
    },
    needs=("groups",),
    uses=(
        "interfaces",
        "subnets",
        "routes",
        "gateways",
        "boundary-rules",
        "address-lists",
        "load-balancers",
        "entrances",
        "public-access-block",
    ),
    compliance={
        "cis-gcp-3.0": ("3.6", "3.7"),
        "cis-gcp-4.0": ("3.6", "3.7"),
        "cis-azure-3.0": ("7.1", "7.2", "7.3", "7.4"),
        "cis-azure-4.0": ("8.1", "8.2", "8.3", "8.4"),
        "cis-azure-5.0": ("7.1", "7.2", "7.3", "7.4"),
        "cis-aws-3.0": ("5.2", "5.3"),
        "cis-aws-5.0": ("5.1.2", "5.3", "5.4"),
        "nist-800-53r5": ("AC-4", "SC-7", "SC-7(5)", "SC-7(11)"),
        "pci-dss-4.0": ("1.3.1", "1.4.2"),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
        "nist-800-207": ("2.1",),
    },
    parameters=(DECLARED_PUBLIC,),
    remedy="narrow-ports",
    per_rule=True,
)
