"""A namespace that no network policy isolates, or an NSG that lets everything in from inside.

What it finds:
    For each namespace and direction, the workloads that everybody reaches, or that reach everybody, as far as network
    policies go: those that no policy selects for the direction, and those whose policies together admit everything
    from or to everyone. Policies are a union: one that admits everything cancels a default-deny beside it, and one
    that selects a single pod isolates that pod alone. Policies of one namespace say nothing about another. Where a
    policy was not read in full, what it may select or admit counts as open at most, and the confidence is low. Pods in
    the network of their node are selected by no policy and told by ``host-network-pod``. Namespaces without workloads
    are not judged. Namespaces that the cluster keeps itself are told as information.
    On Azure, NSGs by which everything comes in from the virtual network: every NSG ends with the rule
    ``AllowVnetInBound``, and nothing of its own denies what comes from inside before that. Both NSGs on the way and
    security admin rules count: a machine that any of them protects is not told. Where both NSGs are open it is the
    subnet's that is told. Only what comes in is judged, since both ends decide, and ``unrestricted-egress`` tells what
    leaves for the internet.

Why it matters:
    Without a policy every pod of the cluster may open connections to every other, in every namespace, and to
    whatever the nodes reach. Whoever takes over one pod then has the whole cluster before them. An NSG with the default
    rules alone is as flat: it keeps the internet out, and rules that admit a port from inside change nothing.

Example:
    A namespace whose ``default-deny`` policy stands beside a policy ``allow-all`` with the ingress rule ``{}``.

Remedy:
    Add a policy that selects every pod of the namespace and names the direction in its ``policyTypes``, then admit what
    each workload needs; take the rule away that admits everything. A default-deny for egress must admit DNS. In an NSG,
    admit what the workloads need of each other, and the probes of the load balancer, then deny all else at priority
    4096.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.clusters import (
    SYSTEM_NAMESPACES,
    clusters,
    namespace_resource,
    needs_pods,
    pods_in_words,
    policies_in_words,
    workloads,
)
from cloudseg.checks.enforcement import doubt_of, enforces_none, idle_by_namespace, plugin_name
from cloudseg.checks.example_clusters import ClusterBuilder, admit
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_id, nsg_rule
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.isolation import left_open
from cloudseg.checks.open_inside import open_inside
from cloudseg.checks.policy_manifests import default_deny
from cloudseg.findings import Remedy, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.checks.clusters import Cluster, Namespace
    from cloudseg.checks.interface import AuditContext
    from cloudseg.checks.isolation import Open
    from cloudseg.findings import Finding
    from cloudseg.model import Direction, Estate, Rule, RuleSet

_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every namespace and direction in which a workload is not isolated."""
    yield from open_inside(context)
    for cluster in clusters(context.estate):
        idle = idle_by_namespace(cluster, context.estate)
        for namespace in cluster.namespaces.values():
            for direction in _DIRECTIONS:
                found = left_open(context.estate, namespace, direction)
                if found.certain or found.doubtful:
                    yield _finding(context, cluster, namespace, direction, found, idle.get(namespace.name, ()))


def _finding(
    context: AuditContext,
    cluster: Cluster,
    namespace: Namespace,
    direction: Direction,
    found: Open,
    idle: Sequence[RuleSet],
) -> Finding:
    certain = found.certain
    culprits = tuple(found.culprits[name] for name in sorted(found.culprits))
    first = (found.unselected or culprits or certain or found.doubtful)[0]
    system = namespace.name in context.texts(SYSTEM_NAMESPACES.name)
    return context.finding(
        namespace_resource(cluster, namespace.name, first.location),
        f"namespace {namespace.name}: {_message(namespace, direction, found, culprits)}",
        severity=Severity.INFO if system else Severity.MEDIUM,
        confidence="high" if found.unselected or found.cancelled else "medium" if found.ranges else "low",
        evidence=(*_of_plugin(cluster, found, idle), *_evidence(direction, found, culprits)),
        affected=(*certain, *found.doubtful),
        remedy=Remedy(
            "add-default-deny", _advised(cluster, _advice(namespace, direction, found, culprits, system=system))
        ),
        aspect=direction,
    )


def _message(namespace: Namespace, direction: Direction, found: Open, culprits: Sequence[RuleSet]) -> str:
    certain = found.certain
    how_many = workloads(len(certain or found.doubtful), len(namespace.pods))
    if not certain:
        return f"{how_many} may not be isolated for {direction}"
    if found.unselected and len(certain) == len(namespace.pods) and not culprits:
        return f"no NetworkPolicy isolates its workloads for {direction} ({how_many} open)"
    because = ""
    if not found.unselected:
        because = f": {policies_in_words(culprits)} {_admit(culprits)} everything {_end(direction)} everyone"
    return f"{how_many} {'is' if len(certain) == 1 else 'are'} not isolated for {direction}{because}"


def _of_plugin(cluster: Cluster, found: Open, idle: Sequence[RuleSet]) -> Iterator[str]:
    if idle:
        yield f"without effect: {policies_in_words(idle)}, since {plugin_name(cluster)} does not enforce such policies"
    elif enforces_none(cluster):
        yield f"{plugin_name(cluster)} enforces no NetworkPolicies, so none would isolate them"
    if found.doubtful and (doubt := doubt_of(cluster)):
        yield f"unknown: whether policies are enforced, since {doubt}"


def _evidence(direction: Direction, found: Open, culprits: Sequence[RuleSet]) -> Iterator[str]:
    if found.unselected:
        yield f"selected by no policy for {direction}: {pods_in_words(found.unselected)}"
    if found.cancelled:
        yield f"their policies together admit everything {_end(direction)} everyone: {pods_in_words(found.cancelled)}"
    if found.ranges:
        yield f"their policies together admit every address: {pods_in_words(found.ranges)}"
        yield "unknown: whether ranges of addresses hold pods depends on the network plugin"
    if culprits:
        yield f"policies add up, so what one admits no other takes back: {policies_in_words(culprits)}"
    if found.doubtful:
        yield (
            f"unknown: a policy that may select them was not read in full, so they may be isolated or open: "
            f"{pods_in_words(found.doubtful)}"
        )


def _unable(context: AuditContext) -> str:
    """Return why nothing can be said: without pods there may be NSGs."""
    return "" if any(scope.provider == "azure" for scope in context.estate.scopes) else needs_pods(context)


def _advised(cluster: Cluster, advice: str) -> str:
    """Return an advice, behind that without which it would be in vain."""
    if not enforces_none(cluster):
        return advice
    return f"let a network plugin enforce policies first, since {plugin_name(cluster)} does not; then {advice}"


def _advice(
    namespace: Namespace, direction: Direction, found: Open, culprits: Sequence[RuleSet], *, system: bool
) -> str:
    take = f"take the rule that admits everything out of {policies_in_words(culprits)}" if culprits else ""
    if take and not found.unselected:
        return f"{take}; the policies that select these workloads isolate them then"
    if system:
        add = f"learn what the cluster's own workloads need before a policy isolates them for {direction}"
    else:
        add = f"admit what each workload needs, and add this policy: {default_deny(namespace.name, direction)}"
    return "; ".join(filter(None, (take, add)))


def _admit(culprits: Sequence[RuleSet]) -> str:
    return "admits" if len(culprits) == 1 else "together admit"


def _end(direction: Direction) -> str:
    return "from" if direction == "ingress" else "to"


def _no_policies() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.workload("shop", "db")
    b.policy("pay", "default-deny", ingress=(), egress=())
    b.workload("pay", "cards")
    return b.build()


def _one_selected() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.workload("shop", "db")
    b.policy("shop", "db", {"app": "db"}, ingress=(admit("tcp/5432", "10.0.0.0/8"),))
    b.policy("shop", "no-egress", egress=())
    return b.build()


def _cancelled() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "default-deny", ingress=(), egress=())
    b.policy("shop", "allow-all", ingress=(admit(),))
    return b.build()


def _types_and_an_open_rule() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "default", ingress=(admit(),), egress=(admit(),))
    return b.build()


def _system() -> Estate:
    b = ClusterBuilder()
    b.workload("kube-system", "coredns")
    return b.build()


def _ignored() -> Estate:
    b = ClusterBuilder()
    b.plugin("Flannel", enforces=())
    b.workload("shop", "web")
    b.policy("shop", "default-deny", ingress=(), egress=())
    return b.build()


def _isolated() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.workload("shop", "db")
    b.workload("shop", "agent", kind="DaemonSet", host=True)
    b.policy("shop", "default-deny", ingress=(), egress=())
    b.policy("shop", "web", {"app": "web"}, ingress=(admit("tcp/443"),))
    return b.build()


def _two_machines(*rules: Rule) -> Estate:
    b = NsgBuilder()
    b.asg("asg-web")
    b.nsg("nsg-data", *rules, subnet="data")
    b.machine("nic-data", "data", "10.1.2.10")
    b.machine("nic-web", "web", "10.1.1.10", asgs=["asg-web"])
    return b.build()


def _nsg_defaults() -> Estate:
    return _two_machines(nsg_rule("ingress", 100, "tcp/1433", "asg-web"))


def _nsg_denies() -> Estate:
    admitted = nsg_rule("ingress", 100, "tcp/1433", "asg-web")
    return _two_machines(admitted, nsg_rule("ingress", 4096, "all", deny=True))


CHECK = Check(
    id="missing-default-deny",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example("a namespace without policies beside one with a default-deny", _no_policies, ("shop", "shop")),
        Example("a policy selects one of two workloads, and both for egress", _one_selected, ("shop",)),
        Example("a policy that admits everything cancels the default-deny", _cancelled, ("shop",), Severity.MEDIUM),
        Example("both policy types with rules that admit everything", _types_and_an_open_rule, ("shop", "shop")),
        Example("a default-deny that the network plugin ignores", _ignored, ("shop", "shop"), Severity.MEDIUM),
        Example("a namespace of the cluster itself", _system, ("kube-system",) * 2, Severity.INFO),
        Example(
            "an NSG whose default rule admits the whole virtual network",
            _nsg_defaults,
            (nsg_id("nsg-data"),),
            Severity.MEDIUM,
        ),
        Example("an NSG that denies what it does not admit", _nsg_denies),
        Example("a default-deny, and a policy that admits one port from everyone", _isolated),
    ),
    concept={
        "azure": "NSGs, and whether they deny anything before the default rule that admits the virtual network",
        "kubernetes": "the workloads of each namespace, and the NetworkPolicies that select them",
    },
    absent={
        "aws": "a security group admits nothing that no rule admits; unfiltered-interface tells what carries none",
        "gcp": "the implied rules deny everything inward that no rule admits",
    },
    needs=("groups", "interfaces", "networks"),
    compliance={
        "cis-kubernetes-1.9": ("5.3.2",),
        "nsa-cisa-kubernetes-1.2": ("Network separation and hardening: Network policies",),
        "nist-800-53r5": ("AC-4", "SC-7", "SC-7(5)"),
        "pci-dss-4.0": ("1.3.1", "1.3.2"),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
        "nist-800-207": ("2.1",),
    },
    parameters=(SYSTEM_NAMESPACES,),
    remedy="add-default-deny",
    precondition=_unable,
)
