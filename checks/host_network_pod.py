"""A workload whose pods share the network of their node.

What it finds:
    Workloads with ``hostNetwork: true``, outside of the namespaces that are exempt: there stand the cluster's own
    daemons and the network plugin, which cannot do without. The policies that would select the pods by their labels,
    and do not, are named.

Why it matters:
    A pod in the network of its node has the node's addresses, sees its interfaces and reaches what listens on its
    loopback alone, such as the kubelet. What network policies mean for it is not defined: most network plugins take
    its packets for the node's, so no policy selects it, none names it, and every pod on that node admits it.

Example:
    A Deployment ``shop/proxy`` with ``hostNetwork: true`` in a namespace with a default-deny.

Remedy:
    Take ``hostNetwork`` away; a Service or a ``hostPort`` often does what it was set for. Where it must stay, move the
    workload to a namespace that ``exempt_namespaces`` names, and let Pod Security forbid it elsewhere (level
    ``baseline``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.clusters import clusters, needs_pods, policies_in_words, policies_of, selector_parts, workload_name
from cloudseg.checks.example_clusters import ClusterBuilder
from cloudseg.checks.interface import Check, Example, Parameter
from cloudseg.findings import Severity
from cloudseg.model import matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Interface, RuleSet

_EXEMPT = Parameter(
    "exempt_namespaces",
    ("kube-system", "kube-flannel", "calico-system", "tigera-operator"),
    "Namespaces of system daemons and of the network plugin, whose workloads may share the network of their node.",
)


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every workload in the network of its node that is not exempt."""
    exempt = context.texts(_EXEMPT.name)
    for cluster in clusters(context.estate):
        policies = [(policy, selector_parts(policy.applies)) for policy in policies_of(cluster, context.estate)]
        for namespace in cluster.namespaces.values():
            if namespace.name in exempt:
                continue
            for host in namespace.hosts:
                idle = [
                    policy
                    for policy, parts in policies
                    if matches(parts.namespaces, host) and matches(parts.pods, host)
                ]
                yield _finding(context, host, idle)


def _finding(context: AuditContext, host: Interface, idle: Sequence[RuleSet]) -> Finding:
    return context.finding(
        host,
        f"{workload_name(host)} shares the network of its node, so no NetworkPolicy selects it",
        evidence=(
            "what policies mean for pods with hostNetwork is not defined, and pods always admit their own node",
            *((f"by its labels these policies would select it: {policies_in_words(idle)}",) if idle else ()),
        ),
        affected=(host,),
    )


def _proxy() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.workload("shop", "proxy", host=True)
    b.policy("shop", "default-deny", ingress=(), egress=())
    return b.build()


def _daemons() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.workload("kube-system", "kube-proxy", kind="DaemonSet", host=True)
    b.workload("calico-system", "calico-node", kind="DaemonSet", host=True)
    return b.build()


CHECK = Check(
    id="host-network-pod",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example("a proxy in an application's namespace", _proxy, ("shop/proxy[Deployment]",), Severity.MEDIUM),
        Example("kube-proxy and the network plugin", _daemons),
    ),
    concept={"kubernetes": "workloads with hostNetwork"},
    absent={
        "azure": "what runs on a machine shares its interfaces, and their NSGs filter all of it",
        "aws": "what runs on an instance shares its interfaces, and the groups of these filter all of it",
        "gcp": "what runs on an instance shares its interfaces, and firewall rules filter all of it",
    },
    needs=("interfaces", "networks"),
    uses=("groups",),
    compliance={
        "cis-kubernetes-1.9": ("5.2.5",),
        "nsa-cisa-kubernetes-1.2": ("Kubernetes Pod security: Pod security enforcement",),
        "nist-800-53r5": ("AC-6", "SC-7"),
    },
    parameters=(_EXEMPT,),
    precondition=needs_pods,
)
