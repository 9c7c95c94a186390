"""Workloads that may send anything to anywhere on the internet.

What it finds:
    Networks in which interfaces have egress rules for everything in effect to most of the internet, and a way out: a
    NAT gateway, an internet gateway with a public address, an egress-only gateway for IPv6. IPv6 hosts reach the IPv4
    internet too, where a rule admits ``64:ff9b::/96`` and a NAT gateway translates it (NAT64). Network ACLs count, and
    a firewall that filters on the way makes it no finding. Where a transit gateway, an appliance or a firewall of
    unknown policy lies on the way the confidence is low. One finding a network.
    In a cluster, namespaces with workloads whose network policies isolate them for egress, keep them from some pods or
    private ranges, and admit everything in effect to most of the internet. Workloads that nothing isolates for egress,
    or whose policies admit everything to everyone, are told by ``missing-default-deny``. One finding a namespace.

Why it matters:
    An intruder needs to fetch tools and to send data out. Egress rules are what stops both, and the provider's default
    allows everything.

Example:
    ``all to 0.0.0.0/0`` in the group of an application whose subnet routes to a NAT gateway.

Remedy:
    Name what the workload needs: groups inside, prefix lists or private endpoints for the cloud's services, and a
    firewall with an allow-list of names for the rest.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from cloudseg.checks.clusters import clusters, namespace_resource, workloads
from cloudseg.checks.egress import Egress
from cloudseg.checks.example_azure import arm
from cloudseg.checks.example_azure_routes import add_machine, add_table, add_wall, with_internet
from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import ACL_OPEN, EstateBuilder, acl_entry, allow
from cloudseg.checks.example_gcp import GLOBAL_POLICY, NETWORK, GcpBuilder, gcp_rule
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.isolation import left_open
from cloudseg.checks.rule_lists import counted
from cloudseg.findings import Remedy, Severity
from cloudseg.model import ANYONE, Firewall, Rule
from cloudseg.reach.plumbing import opens_connections
from cloudseg.traffic import ALL_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.checks.clusters import Cluster, Namespace
    from cloudseg.checks.egress import Sender
    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Network

_GROUPS_SHOWN = 10
_ADVICE: Final = {
    "azure": "allow only what the workloads need: application security groups inside, service tags or private "
    "endpoints for the cloud's services, a firewall with an allow-list of names for the rest; deny Internet after "
    "that, and not everything, which would cut the virtual network and its own resolvers as well",
    "gcp": "allow only what the workloads need: ranges inside, Private Google Access for the cloud's services, names "
    "in egress rules of a firewall policy for the rest; then deny all else in a rule, since the implied one allows it",
}


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every network with workloads that may send anything to anywhere."""
    egress = Egress(context.internet)
    for _, network in sorted(context.estate.networks.items()):
        interfaces = [i for i in context.estate.interfaces_in(network.id) if opens_connections(i) and not i.is_pod]
        senders = [found for i in interfaces if (found := egress.sender(i, network)) is not None]
        if senders:
            yield _finding(context, network, senders, len(interfaces))
    for cluster in clusters(context.estate):
        for namespace in cluster.namespaces.values():
            open_anyway = left_open(context.estate, namespace, "egress")
            told = {pod.id for pod in (*open_anyway.certain, *open_anyway.doubtful)}
            isolated = (pod for pod in namespace.pods if pod.id not in told)
            senders = [found for pod in isolated if (found := egress.sender(pod, cluster.network)) is not None]
            if senders:
                yield _of_namespace(context, cluster, namespace, senders)


def _of_namespace(context: AuditContext, cluster: Cluster, namespace: Namespace, senders: Sequence[Sender]) -> Finding:
    certain = any(sender.certain for sender in senders)
    policies = {policy.id: policy for sender in senders for policy in sender.groups}
    opened = Counter(policy.id for sender in senders for policy in sender.groups)
    worst = [policies[name] for name in sorted(opened, key=lambda name: (-opened[name], name))]
    together = [sender.interface.shown_id for sender in senders if not sender.groups]
    may = "may send anything" if certain else "may be able to send anything"
    return context.finding(
        namespace_resource(cluster, namespace.name, (worst[0] if worst else senders[0].interface).location),
        f"namespace {namespace.name}: {workloads(len(senders), len(namespace.pods))} {may} to anywhere on the internet",
        confidence="high" if certain else "low",
        evidence=(
            *(f"opened by {each.shown_id}: {counted(opened[each.id], 'workload')}" for each in worst[:_GROUPS_SHOWN]),
            *((f"opened by {len(worst) - _GROUPS_SHOWN} more policies",) if len(worst) > _GROUPS_SHOWN else ()),
            *((f"opened by several policies together: {counted(len(together), 'workload')}",) if together else ()),
        ),
        affected=[sender.interface for sender in senders],
        remedy=Remedy(
            "restrict-egress",
            "admit only what the workloads need: pods by selectors, the ports and the addresses outside that they use; "
            "for names outside, a gateway for egress or a network plugin whose policies name them",
        ),
    )


def _finding(context: AuditContext, network: Network, senders: Sequence[Sender], total: int) -> Finding:
    certain = any(sender.certain for sender in senders)
    groups = Counter(group.id for sender in senders for group in sender.groups)
    worst = sorted(groups, key=lambda group: (-groups[group], group))
    names = context.estate.rule_sets
    ways = Counter(way for sender in senders for way in sender.ways)
    bare = sum(1 for sender in senders if not sender.groups)
    may = "may send anything" if certain else "may be able to send anything"
    return context.finding(
        network,
        f"{len(senders)} of {counted(total, 'interface')} in {network.label} {may} to anywhere on the internet",
        confidence="high" if certain else "low",
        evidence=(
            *(f"opened by {names[g].label}: {counted(groups[g], 'interface')}" for g in worst[:_GROUPS_SHOWN]),
            *((f"opened by {len(worst) - _GROUPS_SHOWN} more groups",) if len(worst) > _GROUPS_SHOWN else ()),
            *(
                (f"opened by several groups together, by unread ones, or by none: {counted(bare, 'interface')}",)
                if bare
                else ()
            ),
            *(
                f"way out: {way}: {counted(ways[way], 'interface')}"
                for way in sorted(ways, key=lambda w: (-ways[w], w))
            ),
        ),
        affected=[sender.interface for sender in senders],
        remedy=Remedy(
            "restrict-egress",
            _ADVICE.get(network.provider)
            or "allow only what the workloads need: groups inside, prefix lists or private endpoints for the cloud's "
            "services, and a firewall with an allow-list of names for the rest",
        ),
    )


def _default_egress() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("egress", "all", "0.0.0.0/0"))
    b.interface("eni-app", "subnet-private", ["sg-app"])
    return b.build()


def _two_halves() -> Estate:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "tcp/1-65535", "0.0.0.0/1"))
    b.group("sg-base", allow("egress", "tcp/1-65535", "128.0.0.0/1"))
    b.interface("eni-web", "subnet-public", ["sg-web", "sg-base"], "10.0.1.5", "203.0.113.10")
    return b.build()


def _web_only() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("egress", "tcp/443", "0.0.0.0/0"), allow("egress", "all", "10.0.0.0/16"))
    b.interface("eni-app", "subnet-private", ["sg-app"])
    return b.build()


def _only_ipv6() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("egress", "all", "::/0"))
    b.route("rtb-private", "64:ff9b::/96", "nat-gateway", "nat-1")
    everything = (acl_entry("ingress", 101, "all", "::/0"), acl_entry("egress", 101, "all", "::/0"))
    b.acl("acl-1", ["subnet-private", "subnet-public"], (*ACL_OPEN, *everything))
    b.interface("eni-app", "subnet-private", ["sg-app"], "2600:1f18::10")
    return b.build()


def _no_way_out() -> Estate:
    b = EstateBuilder()
    b.subnet("subnet-db", "10.0.3.0/24")
    b.group("sg-db", allow("egress", "all", "0.0.0.0/0"))
    b.interface("eni-db", "subnet-db", ["sg-db"], "10.0.3.5")
    b.interface("eni-web", "subnet-public", ["sg-db"], "10.0.1.5")
    return b.build()


def _behind_a_firewall() -> Estate:
    b = EstateBuilder()
    b.subnet("subnet-app", "10.0.3.0/24")
    b.route("rtb-app", "0.0.0.0/0", "endpoint", "vpce-firewall")
    b.acl("acl-1", ["subnet-app"], ACL_OPEN)
    b.put(
        "firewalls",
        Firewall(
            id=b.id("firewall-1"),
            kind="network-firewall",
            region="eu-west-1",
            network=b.id("vpc-1"),
            subnets=frozenset({b.id("subnet-public")}),
            endpoints=frozenset({b.id("vpce-firewall")}),
            filters=True,
        ),
    )
    b.group("sg-app", allow("egress", "all", "0.0.0.0/0"))
    b.interface("eni-app", "subnet-app", ["sg-app"], "10.0.3.5")
    return b.build()


def _anywhere_outside() -> Estate:
    b = ClusterBuilder()
    for name in ("web", "api"):
        b.workload("shop", name)
    b.policy("shop", "default-deny", egress=())
    outside = "0.0.0.0-9.255.255.255, 11.0.0.0-255.255.255.255"
    b.policy("shop", "outside", {"app": "api"}, egress=(admit("all", outside), admit("udp/53, tcp/53", Pods())))
    return b.build()


def _one_port_outside() -> Estate:
    b = ClusterBuilder()
    for name in ("web", "api", "job"):
        b.workload("shop", name)
    b.policy("shop", "web", {"app": "web"}, egress=(admit("tcp/443", "0.0.0.0/0"), admit("all", Pods())))
    # What nothing isolates for egress, and what is open to everyone, missing-default-deny tells.
    b.policy("shop", "api", {"app": "api"}, egress=(admit(),))
    return b.build()


def _azure(*, filters: bool, narrow: bool = False) -> Estate:
    b = with_internet()
    add_wall(b, filters=filters, reason="" if filters else "a network rule allows every connection to the internet")
    add_table(b, "routes-web", "web", firewall=True)
    add_machine(b, "nic-1", "web", "10.1.1.4")
    inside = Rule(id="inside", direction="egress", verdict="next", traffic=ALL_TRAFFIC, remote=ANYONE, priority=65000)
    web = Traffic.parse("tcp/443")
    out = Rule(id="out", direction="egress", verdict="next", traffic=web, remote=ANYONE, priority=100)
    b.nsg("nsg-web", out if narrow else inside, subnet="web")
    return b.build()


def _azure_open() -> Estate:
    return _azure(filters=False)


def _azure_filtered() -> Estate:
    return _azure(filters=True)


def _azure_narrow() -> Estate:
    return _azure(filters=False, narrow=True)


_VNET: Final = arm("microsoft.network/virtualnetworks", "vnet-1")


def _gcp(*rules: Rule, policy: tuple[Rule, ...] = ()) -> Estate:
    b = GcpBuilder()
    b.firewall(*rules)
    if policy:
        b.policy("guard", *policy, stage=GLOBAL_POLICY)
    b.machine("web", "web", "10.2.1.10", lent="34.1.2.3")
    return b.build()


def _gcp_implied() -> Estate:
    return _gcp()


def _gcp_accepted_before() -> Estate:
    denied = gcp_rule("100", "egress", "all", verdict="deny", vpc=False)
    return _gcp(gcp_rule("out", "egress", "all"), policy=(denied,))


def _gcp_denied() -> Estate:
    return _gcp(gcp_rule("https", "egress", "tcp/443", priority=900), gcp_rule("rest", "egress", "all", verdict="deny"))


CHECK = Check(
    id="unrestricted-egress",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example("the default egress rule and a NAT gateway", _default_egress, ("vpc-1",), Severity.MEDIUM),
        Example("two groups open one half of the internet each", _two_halves, ("vpc-1",), Severity.MEDIUM),
        Example("an IPv6 host reaches the IPv4 internet over NAT64", _only_ipv6, ("vpc-1",), Severity.MEDIUM),
        Example("a policy lets everything out but to private addresses", _anywhere_outside, ("shop",), Severity.MEDIUM),
        Example("an Azure Firewall that allows everything", _azure_open, (_VNET,), Severity.MEDIUM),
        Example("only HTTPS leaves the network", _web_only),
        Example("only HTTPS passes the NSG before an Azure Firewall", _azure_narrow),
        Example("an Azure Firewall that denies by default", _azure_filtered),
        Example("only HTTPS leaves the cluster, and what nothing isolates is told elsewhere", _one_port_outside),
        Example("no route, or no public address, leads out", _no_way_out),
        Example("a firewall that filters stands on the way", _behind_a_firewall),
        Example("the implied rule and Cloud NAT", _gcp_implied, (NETWORK,), Severity.MEDIUM),
        Example(
            "a VPC firewall rule allows for good what a policy denies behind it",
            _gcp_accepted_before,
            (NETWORK,),
            Severity.MEDIUM,
        ),
        Example("only HTTPS leaves a VPC network", _gcp_denied),
    ),
    concept={
        "aws": "egress rules of security groups, and the routes of their subnets",
        "azure": "outbound rules of NSGs, and the routes of their subnets",
        "gcp": "egress rules of all lists of a network, the implied one last, and its routes",
        "kubernetes": "workloads whose policies isolate them for egress and admit the whole internet",
    },
    needs=("groups", "interfaces", "networks", "routes"),
    uses=("subnets", "gateways", "firewalls", "endpoints", "address-lists", "boundary-rules", "public-access-block"),
    compliance={
        "cis-kubernetes-1.9": ("5.3.2",),
        "nsa-cisa-kubernetes-1.2": ("Network separation and hardening: Network policies",),
        "nist-800-53r5": ("AC-4", "SC-7", "SC-7(5)"),
        "pci-dss-4.0": ("1.3.2",),
        "cisa-ztmm-2": ("Networks: Network Traffic Management",),
        "nist-800-207": ("2.1",),
    },
    remedy="restrict-egress",
)
