"""Network policies that the cluster's network plugin does not enforce.

What it finds:
    Policies without effect: NetworkPolicies in a cluster whose network plugin ignores them, such as Flannel alone or
    the AWS VPC CNI without its agent, and policies of a kind that the plugin does not understand, such as a
    CiliumNetworkPolicy where Calico runs. Each kind is one finding for a cluster, with the policies listed. Which
    plugin runs is read off its daemons, config maps and nodes. Where a cluster runs and its plugin is not known, its
    policies are told as doubtful, with a low confidence. Manifests without any daemon of a plugin tell nothing: there
    a note of the report says that enforcement is assumed. Where the daemons of the plugin are ready on fewer nodes than
    there are, the policies may not be enforced on the others.

Why it matters:
    The API server takes every policy, and nothing says that it is ignored. Reviews and audits then show isolation that
    is not there: every pod reaches every other.

Example:
    A cluster with the DaemonSet ``kube-flannel/kube-flannel-ds`` and a policy ``default-deny``.

Remedy:
    Let a plugin that enforces policies run: switch the policies of the present one on (``enableNetworkPolicy`` of the
    Amazon VPC CNI, Dataplane V2 or Calico in GKE, a network policy engine in AKS), or run one beside it (Calico or
    kube-network-policies beside Flannel). Write policies of a foreign kind anew in one that the plugin understands.
    Then try a connection that a policy forbids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.clusters import clusters, needs_pods, pods_in_words, policies_in_words, policies_of
from cloudseg.checks.enforcement import (
    doubt_of,
    idle_policies,
    plugin_evidence,
    plugin_name,
    unreached_nodes,
)
from cloudseg.checks.example_clusters import ClusterBuilder, admit
from cloudseg.checks.interface import Check, Example
from cloudseg.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.checks.clusters import Cluster
    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Interface, RuleSet

_FLANNEL: Final = "DaemonSet kube-flannel/kube-flannel-ds, image flannel/flannel; Flannel itself enforces no policies"


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every kind of policies of a cluster that nobody enforces, or perhaps nobody."""
    for cluster in clusters(context.estate):
        by_kind: dict[str, list[RuleSet]] = {}
        for policy in idle_policies(cluster, context.estate):
            by_kind.setdefault(policy.kind, []).append(policy)
        for kind, policies in sorted(by_kind.items()):
            yield _idle(context, cluster, kind, policies)
        met = policies_of(cluster, context.estate)
        if met and unreached_nodes(cluster)[0]:
            yield _unreached(context, cluster, met)
        elif met and doubt_of(cluster):
            yield _doubtful(context, cluster, met)


def _idle(context: AuditContext, cluster: Cluster, kind: str, policies: Sequence[RuleSet]) -> Finding:
    chosen = _chosen(context.estate, policies)
    told = plugin_evidence(cluster)
    return context.finding(
        cluster.network,
        f"cluster {cluster.network.scope}: {_counted(policies, kind)} {'has' if len(policies) == 1 else 'have'} no "
        f"effect: {plugin_name(cluster)} does not enforce {'it' if len(policies) == 1 else 'them'}",
        evidence=(
            f"without effect: {policies_in_words(policies)}",
            *((f"the network plugin: {told}",) if told else ()),
            *((f"they select {pods_in_words(chosen)}, and filter nothing there",) if chosen else ()),
        ),
        affected=chosen,
        places=(policy.location for policy in policies),
        aspect=kind,
    )


def _doubtful(context: AuditContext, cluster: Cluster, policies: Sequence[RuleSet]) -> Finding:
    chosen = _chosen(context.estate, policies)
    return context.finding(
        cluster.network,
        f"cluster {cluster.network.scope}: whether {_counted(policies)} {'is' if len(policies) == 1 else 'are'} "
        "enforced is not known",
        severity=Severity.MEDIUM,
        confidence="low",
        evidence=(
            f"unknown: {doubt_of(cluster)}",
            f"perhaps without effect: {policies_in_words(policies)}",
            *((f"the network plugin: {told}",) if (told := plugin_evidence(cluster)) else ()),
        ),
        affected=chosen,
        places=(policy.location for policy in policies),
        aspect="doubt",
    )


def _unreached(context: AuditContext, cluster: Cluster, policies: Sequence[RuleSet]) -> Finding:
    """Return the finding about nodes on which no daemon of the network plugin is ready.

    Where these nodes are known, so are the workloads with pods there; else any workload may have some.
    """
    nodes, told = unreached_nodes(cluster)
    doubt = doubt_of(cluster)
    chosen = tuple(pod for pod in _chosen(context.estate, policies) if doubt or pod.attached_unread)
    return context.finding(
        cluster.network,
        f"cluster {cluster.network.scope}: {_counted(policies)} may not be enforced on {nodes}",
        severity=Severity.MEDIUM if chosen else Severity.LOW,
        confidence="low" if doubt else "medium",
        evidence=(
            told,
            *((f"unknown: {doubt}",) if doubt else ()),
            f"perhaps without effect there: {policies_in_words(policies)}",
            f"{'may have' if doubt else 'have'} pods there: {pods_in_words(chosen)}"
            if chosen
            else "no workload that they select is known to run there now",
        ),
        affected=chosen,
        places=(policy.location for policy in policies),
        aspect="nodes",
    )


def _chosen(estate: Estate, policies: Sequence[RuleSet]) -> tuple[Interface, ...]:
    found = {pod.id: pod for policy in policies for pod in estate.governed(policy)}
    return tuple(found[key] for key in sorted(found))


def _counted(policies: Sequence[RuleSet], kind: str = "") -> str:
    of_kind = f" of kind {kind}" if kind else ""
    return f"{len(policies):,} polic{'y' if len(policies) == 1 else 'ies'}{of_kind}"


def _flannel_alone() -> Estate:
    b = ClusterBuilder()
    b.plugin("Flannel", evidence=_FLANNEL, enforces=())
    b.workload("shop", "web")
    b.policy("shop", "default-deny", ingress=(), egress=())
    b.policy("shop", "web", {"app": "web"}, ingress=(admit("tcp/443"),))
    return b.build()


def _foreign_kind() -> Estate:
    b = ClusterBuilder()
    b.plugin("Calico", evidence="DaemonSet calico-system/calico-node", enforces=("NetworkPolicy",))
    b.workload("shop", "web")
    b.policy("shop", "default-deny", ingress=(), egress=())
    b.policy("shop", "web", {"app": "web"}, ingress=(admit("tcp/443"),), kind="CiliumNetworkPolicy")
    return b.build()


def _unknown() -> Estate:
    b = ClusterBuilder(live=True)
    b.plugin("", doubt="no network plugin is known among the daemons of kube-system (own-cni)")
    b.workload("shop", "web")
    b.policy("shop", "default-deny", ingress=(), egress=())
    return b.build()


def _enforced() -> Estate:
    b = ClusterBuilder()
    b.plugin("Calico beside Flannel", evidence="DaemonSet kube-system/canal")
    b.workload("shop", "web")
    b.policy("shop", "default-deny", ingress=(), egress=())
    return b.build()


def _fewer_nodes() -> Estate:
    b = ClusterBuilder(live=True)
    b.plugin("Calico", unreached="1 of 3 nodes")
    b.workload("shop", "web", attached_unread=True)
    b.policy("shop", "default-deny", ingress=(), egress=())
    return b.build()


def _no_policies() -> Estate:
    b = ClusterBuilder()
    b.plugin("Flannel", evidence=_FLANNEL, enforces=())
    b.workload("shop", "web")
    return b.build()


CHECK = Check(
    id="unenforced-policy",
    severity=Severity.HIGH,
    run=run,
    examples=(
        Example("two policies in a cluster with Flannel alone", _flannel_alone, ("pods",), Severity.HIGH),
        Example("a policy of Cilium in a cluster with Calico", _foreign_kind, ("pods",), Severity.HIGH),
        Example("a cluster that runs a plugin which is not known", _unknown, ("pods",), Severity.MEDIUM),
        Example("Calico's daemons on two of three nodes", _fewer_nodes, ("pods",), Severity.MEDIUM),
        Example("a policy where Calico stands beside Flannel", _enforced),
        Example("Flannel alone, and no policy", _no_policies),
    ),
    concept={"kubernetes": "the network plugin of each cluster, and the policies that it enforces"},
    absent={
        "azure": "the cloud itself enforces NSGs",
        "aws": "the cloud itself enforces security groups and network ACLs",
        "gcp": "the cloud itself enforces firewall rules and policies",
    },
    needs=("groups", "interfaces", "networks"),
    compliance={
        "cis-kubernetes-1.9": ("5.3.1",),
        "nsa-cisa-kubernetes-1.2": ("Network separation and hardening: Network policies",),
        "nist-800-53r5": ("AC-4", "SC-7"),
        "pci-dss-4.0": ("1.3.1", "1.3.2"),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
    },
    precondition=needs_pods,
)
