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
    On Azure the group is an application security group of the same virtual network. Rules whose public addresses are
    exactly those of a service tag that was read count as well, since the tag stays up to date. ``VirtualNetwork`` and
    the other tags are no addresses.
    On Google Cloud it is a service account in a VPC firewall rule, and a secure tag in a rule of a firewall policy;
    never a network tag, which whoever may edit an instance can set. Destinations are named by addresses alone.
    In a cluster, rules of network policies with an ``ipBlock`` in which pods stand. Where the addresses of pods were
    not read, as in manifests, a whole private range counts as one that holds them, and a part of one may. The finding
    names the selectors that choose the pods.

Why it matters:
    An address says where something stands, not what it is. Whatever gets an address of the range next week has the
    same access; a workload that moves loses it. A group is the workload's identity and moves with it.

Example:
    ``tcp/5432 from 10.0.2.0/24`` in the group of a database, where three application servers in that subnet carry
    ``sg-app``.

Remedy:
    Name the groups of the finding as the other end, and remove the addresses afterwards, except those of interfaces
    that no group can name. Where a range holds members of many groups, find out from flow logs which of them use the
    rule. Where members have IPv6 addresses too, a group admits those as well; the evidence says so. In a cluster name
    the pods by ``podSelector`` and ``namespaceSelector``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.checks.clusters import of_cluster
from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import NETWORK, GcpBuilder, gcp_rule, rule_id
from cloudseg.checks.example_nsgs import NsgBuilder, asg_id, nsg_id, nsg_rule
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.internal_ranges import InternalRanges
from cloudseg.checks.observed_use import observed_use
from cloudseg.checks.ordered_lists import OrderedLists
from cloudseg.checks.pod_ranges import PodRanges
from cloudseg.checks.range_words import advice, facts, facts_of_rule, who
from cloudseg.checks.rule_lists import managed, traffic_words
from cloudseg.checks.service_tags import ServiceTags
from cloudseg.findings import Remedy, Severity
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.checks.internal_ranges import InternalRange
    from cloudseg.checks.pod_ranges import PodRange
    from cloudseg.findings import Confidence, Finding
    from cloudseg.model import Estate, Peer, Rule, RuleSet

REMEDY = "replace-addresses-with-group"


class _Told(NamedTuple):
    """What is said of a range, whichever rule names it."""

    who: str
    severity: Severity
    confidence: Confidence
    facts: tuple[str, ...]
    remedy: Remedy


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every allowing rule whose other end is internal addresses."""
    ranges, of_pods = InternalRanges(context.estate), PodRanges(context.estate, REMEDY)
    # Many rules share a range, and what is said about a range takes longer than finding it.
    told: dict[int, _Told] = {}
    tags, ordered = ServiceTags(context.estate), OrderedLists(context.estate)

    def asked_about(end: tuple[Peer, ...]) -> bool:
        return ranges.may_name(end) or tags.written_out(end) is not None or of_pods.may_name(end)

    for rule_set, rules in context.allowing.naming(asked_about):
        if of_cluster(rule_set):
            yield from (_of_policy(context, rule_set, rule, said) for rule, said in of_pods.of(rule_set))
            continue
        for rule, found in ranges.of(rule_set, rules):
            if id(found) not in told:
                told[id(found)] = _tell(context.estate, found)
            yield _finding(context, rule_set, rule, found, told[id(found)])
        yield from _of_tags(context, rule_set, rules, tags, ordered)


def _of_tags(
    context: AuditContext, rule_set: RuleSet, rules: Iterable[Rule], tags: ServiceTags, ordered: OrderedLists
) -> Iterator[Finding]:
    """Yield a finding for every one of some allowing rules that writes out the addresses of a service tag."""
    for rule in rules:
        tag = None if rule.fixed else tags.written_out(rule.remote)
        if tag is not None and ordered.left(rule_set, rule):
            verb, end = ("admits", "from") if rule.direction == "ingress" else ("lets out", "to")
            yield context.finding(
                rule_set,
                f"{rule_set.bearer(rule).label} {verb} {traffic_words(rule.traffic)} {end} {context.other_end(rule)}, "
                f"which are the addresses of the service tag {tag.name}",
                rule=rule,
                severity=Severity.LOW,
                evidence=(
                    "the provider changes the addresses of its tags from week to week",
                    *managed(rule_set),
                    *observed_use(context, rule_set, rule),
                ),
                affected=context.judged(rule_set, rule),
                remedy=Remedy(REMEDY, f"name the service tag {tag.name} instead of its addresses"),
            )


def _tell(estate: Estate, found: InternalRange) -> _Told:
    single = found.written.size == 1 and found.interfaces
    unused = found.read and not found.interfaces and not found.unplaced
    return _Told(
        who=who(found),
        severity=Severity.LOW if single or unused else Severity.MEDIUM,
        confidence=_confidence(found),
        facts=tuple(facts(estate, found)),
        remedy=Remedy(REMEDY, advice(found), tuple(group.own_id for group in found.cover.groups)),
    )


def _finding(context: AuditContext, rule_set: RuleSet, rule: Rule, found: InternalRange, told: _Told) -> Finding:
    verb, end = ("admits", "from") if rule.direction == "ingress" else ("lets out", "to")
    return context.finding(
        rule_set,
        f"{rule_set.bearer(rule).label} {verb} {traffic_words(rule.traffic)} {end} {context.other_end(rule)}, "
        f"{told.who}",
        rule=rule,
        severity=told.severity,
        confidence=told.confidence,
        evidence=(
            *told.facts,
            *facts_of_rule(context.estate, rule_set, rule, found),
            *observed_use(context, rule_set, rule),
        ),
        affected=context.judged(rule_set, rule),
        remedy=told.remedy,
    )


def _of_policy(context: AuditContext, policy: RuleSet, rule: Rule, said: PodRange) -> Finding:
    verb, end = ("admits", "from") if rule.direction == "ingress" else ("lets out", "to")
    return context.finding(
        policy,
        f"{policy.own_id} {verb} {traffic_words(rule.traffic)} {end} {context.other_end(rule)}, {said.who}",
        rule=rule,
        severity=said.severity,
        confidence=said.confidence,
        evidence=(*said.facts, *observed_use(context, policy, rule)),
        affected=context.estate.governed(policy),
        remedy=said.remedy,
    )


def _confidence(found: InternalRange) -> Confidence:
    if not found.read:
        return "low"
    doubtful = found.nameless or found.unplaced or found.unclear
    return "high" if found.certain and not doubtful else "medium"


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


def _range_of_pods() -> Estate:
    b = ClusterBuilder("live", live=True)
    b.workload("shop", "web", addresses=AddressSet.parse("10.42.1.5, 10.42.2.7"))
    b.workload("shop", "db", addresses=AddressSet.parse("10.42.3.9"))
    b.policy("shop", "db", {"app": "db"}, ingress=(admit("tcp/5432", "10.42.0.0/23"),))
    return b.build()


def _private_range() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "web", ingress=(admit("tcp/80", "10.0.0.0/8"),))
    return b.build()


def _address_of_the_resolver() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "dns", egress=(admit("udp/53, tcp/53", "10.96.0.10/32"),))
    return b.build()


def _selectors_and_the_internet() -> Estate:
    b = ClusterBuilder("live", live=True)
    b.workload("shop", "web", addresses=AddressSet.parse("10.42.1.5"))
    b.workload("shop", "db", addresses=AddressSet.parse("10.42.3.9"))
    b.policy("shop", "db", {"app": "db"}, ingress=(admit("tcp/5432", Pods({"app": "web"})),))
    b.policy("shop", "web", {"app": "web"}, ingress=(admit("tcp/443", "0.0.0.0/0"),))
    b.policy("shop", "office", {"app": "web"}, ingress=(admit("tcp/8443", "192.168.0.0/16"),))
    return b.build()


def _azure(*rules: Rule) -> Estate:
    b = NsgBuilder()
    b.asg("asg-web")
    b.nsg("nsg-data", *rules, subnet="data")
    b.machine("nic-web", "web", "10.1.1.10", asgs=["asg-web"])
    b.machine("nic-data", "data", "10.1.2.10")
    return b.build()


def _azure_subnet() -> Estate:
    return _azure(nsg_rule("ingress", 100, "tcp/1433", "10.1.1.0/24"))


def _azure_named() -> Estate:
    return _azure(
        nsg_rule("ingress", 100, "tcp/1433", "asg-web"),
        nsg_rule("ingress", 110, "tcp/443", "VirtualNetwork"),
        nsg_rule("ingress", 120, "tcp/22", "10.0.0.0/8", deny=True),
        nsg_rule("ingress", 130, "tcp/22", "10.1.1.0/24"),
        nsg_rule("egress", 100, "tcp/1433", "Sql.WestEurope"),
    )


def _azure_written_out() -> Estate:
    b = NsgBuilder()
    b.nsg("nsg-web", nsg_rule("egress", 100, "tcp/1433", "52.236.184.0/25, 52.236.184.128/25"), subnet="web")
    return b.build()


def _gcp(*rules: Rule, policy: tuple[Rule, ...] = ()) -> Estate:
    b = GcpBuilder()
    b.firewall(*rules)
    if policy:
        b.policy("guard", *policy)
    b.machine("web", "web", "10.2.1.10", tags=["web"], account="web", secure=["1"])
    b.machine("db", "data", "10.2.2.10", tags=["db"], account="db")
    return b.build()


def _gcp_subnet() -> Estate:
    return _gcp(gcp_rule("db", "ingress", "tcp/5432", "10.2.1.0/24", targets="account:db"))


def _gcp_policy() -> Estate:
    rule = gcp_rule("100", "ingress", "tcp/5432", "10.2.1.0/24", targets="account:db", priority=100, vpc=False)
    return _gcp(policy=(rule,))


def _gcp_named() -> Estate:
    return _gcp(
        gcp_rule("db", "ingress", "tcp/5432", "account:web", targets="account:db"),
        gcp_rule("out", "egress", "tcp/5432", "10.2.2.0/24"),
        gcp_rule("office", "ingress", "tcp/443", "192.168.0.0/24"),
    )


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
        Example(
            "an ipBlock in which pods stand",
            _range_of_pods,
            ("shop/NetworkPolicy/db",),
            Severity.MEDIUM,
        ),
        Example(
            "an ipBlock that is a whole private range", _private_range, ("shop/NetworkPolicy/web",), Severity.MEDIUM
        ),
        Example(
            "an ipBlock for the address of the cluster's resolver",
            _address_of_the_resolver,
            ("shop/NetworkPolicy/dns",),
            Severity.LOW,
        ),
        Example(
            "an NSG admits a subnet, whose machines bear an application security group",
            _azure_subnet,
            (nsg_id("nsg-data"),),
            Severity.MEDIUM,
            (asg_id("asg-web"),),
        ),
        Example(
            "an NSG writes out the addresses of a service tag", _azure_written_out, (nsg_id("nsg-web"),), Severity.LOW
        ),
        Example("the rule names a group", _group_named),
        Example("NSG rules that name groups and service tags, and one that a denial makes idle", _azure_named),
        Example("selectors, the internet, and a range in which no pod stands", _selectors_and_the_internet),
        Example("on-premises and public ranges have no group", _on_premises),
        Example("an appliance between the subnets takes identity away", _through_an_appliance),
        Example("a group of another region cannot be named", _other_region),
        Example(
            "a VPC firewall rule admits a subnet, whose instance has a service account and a network tag",
            _gcp_subnet,
            (rule_id("db"),),
            Severity.MEDIUM,
            (f"{NETWORK}/serviceAccounts/web",),
        ),
        Example(
            "a rule of a firewall policy admits a subnet, whose instance bears a secure tag",
            _gcp_policy,
            ("global/firewallPolicies/guard",),
            Severity.MEDIUM,
            ("tagValues/1",),
        ),
        Example("a service account as source, a destination, which takes no identity, and an office", _gcp_named),
    ),
    concept={
        "aws": "security group rules with addresses or prefix lists of the own or a connected VPC",
        "azure": "NSG rules with addresses of the own virtual network, or with those of a service tag",
        "gcp": "ingress rules of VPC networks and firewall policies with addresses of the own network",
        "kubernetes": "rules of network policies whose other end is a range of pods, or may be one",
    },
    needs=("groups", "networks"),
    uses=("interfaces", "subnets", "routes", "peerings", "transit", "address-lists"),
    compliance={
        "nsa-cisa-kubernetes-1.2": ("Network separation and hardening: Network policies",),
        "nist-800-53r5": ("AC-4", "SC-7(5)", "SC-7(21)"),
        "pci-dss-4.0": ("1.2.5",),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
        "nist-800-207": ("2.1",),
    },
    remedy=REMEDY,
    per_rule=True,
)
