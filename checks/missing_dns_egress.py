"""Pods that are isolated for egress and may not ask the resolver.

What it finds:
    For each namespace, the workloads that some network policy isolates for egress and of which no policy admits DNS,
    over UDP, over TCP, or over both. A rule counts where it admits the port to everyone, to a range of addresses, or to
    pods that may be the resolver: where the resolver was read, it must be among the pods that the rule names; else a
    rule for pods of other namespaces than the resolver's does not count, and the confidence is lower. A range does not
    count where the network plugin never means pods by it, as Cilium, and the resolver was read; the confidence is lower
    where a cache on the node may be in the range. DNS names do not count there either. Where nobody knows whom a rule
    names, or where a policy was not read in full, it may admit DNS, and the confidence is low. The resolver itself is
    not judged: it asks servers outside. Ordered tiers count where they stand: what one before the network policies
    admits none of these takes away, and what one denies none gives back.

Why it matters:
    A policy that selects a pod for egress blocks everything that no policy admits, the cluster's resolver too. Every
    connection by name then fails, and what fails looks like the application's fault. Over UDP alone, long answers get
    lost, and whoever asks again over TCP waits in vain.

Example:
    A namespace with a default-deny for egress, and policies that admit ``tcp/5432`` to the database and nothing else.

Remedy:
    Add a policy that admits port 53 over UDP and TCP to the pods of the resolver: in most clusters those with the label
    ``k8s-app: kube-dns`` in the namespace ``kube-system``.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.clusters import (
    clusters,
    isolating,
    namespace_resource,
    needs_pods,
    pods_in_words,
    policies_in_words,
    selector_parts,
    workloads,
)
from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.interface import Check, Example, Parameter
from cloudseg.checks.policy_manifests import dns_admission, dns_egress, pod_selector
from cloudseg.checks.resolvers import Resolver, ask, met_by
from cloudseg.findings import Remedy, Severity
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.checks.clusters import Cluster, Namespace
    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Confidence, Finding
    from cloudseg.model import Estate, Interface, RuleSet

_PORT = Parameter("port", 53, "The port on which the resolver's pods listen: 5353 on OpenShift.", minimum=1)
_NAMESPACES = Parameter("resolver_namespaces", ("kube-system", "openshift-dns"), "Where the cluster's resolver runs.")
_LABELS = Parameter(
    "resolver_labels",
    ("k8s-app=kube-dns", "k8s-app=coredns", "dns.operator.openshift.io/daemonset-dns=default"),
    "Labels of the resolver's pods, each as key=value; one of them is enough.",
    form=r"[^=]+=[^=]*",
)
_PROTOCOLS: Final = ("udp", "tcp")


class _Lacking(NamedTuple):
    """What a pod may not ask, and how certain that is.

    Attributes:
        protocols: those over which no resolver is admitted.
        confidence: how certain it is.
        isolated: some policy that was read isolates the pod, or denies it.
        denying: the policies that deny it, or may, by their ids.
    """

    protocols: tuple[str, ...]
    confidence: Confidence
    isolated: bool = True
    denying: tuple[str, ...] = ()


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every namespace and combination of protocols over which workloads may not ask."""
    for cluster in clusters(context.estate):
        resolver = _resolver(context, cluster)
        for namespace in cluster.namespaces.values():
            found: defaultdict[_Lacking, list[Interface]] = defaultdict(list)
            # The resolver itself asks servers outside, and not itself.
            for pod in (each for each in namespace.pods if each not in resolver.pods):
                lacking = _lacking(context.estate, pod, resolver)
                if lacking.protocols:
                    found[lacking].append(pod)
            for lacking, pods in sorted(found.items()):
                yield _finding(context, cluster, namespace, lacking, pods, resolver)


def _resolver(context: AuditContext, cluster: Cluster) -> Resolver:
    names = frozenset(context.texts(_NAMESPACES.name))
    labels = {tuple(text.partition("=")[::2]) for text in context.texts(_LABELS.name)}
    pods = (
        pod
        for name in sorted(names & cluster.namespaces.keys())
        for pod in cluster.namespaces[name].pods
        if any(label in labels for label in pod.labels.items())
    )
    return Resolver(tuple(pods), names, context.number(_PORT.name))


def _lacking(estate: Estate, pod: Interface, resolver: Resolver) -> _Lacking:
    stages = met_by(estate, pod)
    answers = {
        protocol: ask(estate, stages, Traffic.ports(protocol, resolver.port, resolver.port), resolver)
        for protocol in _PROTOCOLS
    }
    protocols = tuple(protocol for protocol, answer in answers.items() if answer.lacking)
    if not protocols:
        if pod.attached_unread and any(answer.by == "nothing" for answer in answers.values()):
            # A policy that was not read may isolate it, and admit as little.
            return _Lacking(_PROTOCOLS, "low", isolated=False)
        return _Lacking((), "high")
    lacking = [answers[protocol] for protocol in protocols]
    denying = tuple(sorted({judge.id for answer in lacking for judge in answer.denying}))
    if pod.attached_unread or any(answer.perhaps for answer in lacking):
        return _Lacking(protocols, "low", denying=denying)
    doubt = any(answer.near or (answer.elsewhere and not resolver.pods) for answer in lacking)
    return _Lacking(protocols, "medium" if doubt else "high", denying=denying)


def _finding(
    context: AuditContext,
    cluster: Cluster,
    namespace: Namespace,
    lacking: _Lacking,
    pods: Sequence[Interface],
    resolver: Resolver,
) -> Finding:
    estate = context.estate
    judges = {judge.id: judge for pod in pods for judge in isolating(estate, pod, "egress")}
    policies = [judges[name] for name in sorted(judges)]
    denying = [estate.rule_sets[name] for name in lacking.denying]
    severity = Severity.MEDIUM if "udp" in lacking.protocols else Severity.LOW
    return context.finding(
        namespace_resource(cluster, namespace.name, (*denying, *policies, *pods)[0].location),
        f"namespace {namespace.name}: {_message(namespace, lacking, pods, denying, resolver.port)}",
        severity=severity if lacking.isolated else severity.lowered(),
        confidence=lacking.confidence,
        evidence=_evidence(lacking, pods, policies, denying, resolver),
        affected=pods,
        remedy=Remedy("add-default-deny", _advice(estate, namespace, lacking, pods, policies, resolver.port)),
        aspect=" ".join((*lacking.protocols, lacking.confidence if lacking.isolated else "unread", *lacking.denying)),
    )


def _message(
    namespace: Namespace, lacking: _Lacking, pods: Sequence[Interface], denying: Sequence[RuleSet], port: int
) -> str:
    how_many = workloads(len(pods), len(namespace.pods))
    if denying:
        be = "may be" if lacking.confidence == "low" else "is" if len(pods) == 1 else "are"
        asked = ", ".join(f"{protocol}/{port}" for protocol in lacking.protocols)
        return f"{how_many} {be} denied DNS ({asked}) by {policies_in_words(denying)}"
    if not lacking.isolated:
        return f"{how_many} may be isolated for egress by a policy that was not read in full, without DNS"
    who = f"{how_many} {'is' if len(pods) == 1 else 'are'} isolated for egress"
    if len(lacking.protocols) > 1:
        return f"{who} and may send DNS (udp/{port}, tcp/{port}) to no resolver, so no name resolves"
    if lacking.protocols == ("tcp",):
        return f"{who} and may ask a resolver over udp/{port} but not over tcp/{port}, so long answers get lost"
    return f"{who} and may ask a resolver over tcp/{port} but not over udp/{port}, which is what clients try first"


def _evidence(
    lacking: _Lacking,
    pods: Sequence[Interface],
    policies: Sequence[RuleSet],
    denying: Sequence[RuleSet],
    resolver: Resolver,
) -> Iterator[str]:
    yield f"concerned: {pods_in_words(pods)}"
    if denying:
        yield f"{'perhaps ' if lacking.confidence == 'low' else ''}denied by {policies_in_words(denying)}"
    if policies:
        yield f"isolated for egress by {policies_in_words(policies)}"
    if lacking.confidence == "low" and denying:
        yield "unknown: whether that concerns the resolver, or something that was not read decides before"
    elif lacking.confidence == "low":
        yield "unknown: something that decides about their egress was not read in full, and may admit DNS"
    elif resolver.pods:
        yield f"the resolver is {pods_in_words(resolver.pods)}"
        if lacking.confidence == "medium":
            yield "unknown: whether a cache on the node answers instead: its address is among those that are admitted"
    elif lacking.confidence == "medium":
        names = ", ".join(sorted(resolver.namespaces))
        yield f"unknown: the resolver was not read; a rule counts that may lead to the namespaces {names}"


def _advice(
    estate: Estate,
    namespace: Namespace,
    lacking: _Lacking,
    pods: Sequence[Interface],
    policies: Sequence[RuleSet],
    port: int,
) -> str:
    if not lacking.isolated:
        return "learn whether the policy that was not read admits DNS"
    if lacking.denying:
        names = policies_in_words([estate.rule_sets[name] for name in lacking.denying])
        asked = " and ".join(f"{protocol}/{port}" for protocol in lacking.protocols)
        return f"admit {asked} to the resolver before what denies it in {names}"
    if all(isolating(estate, pod, "egress") for pod in namespace.pods):
        return f"add this policy: {dns_egress(namespace.name, {}, port)}"
    # A policy for all pods would isolate those that nothing isolates now.
    for policy in policies:
        selector = pod_selector(selector_parts(policy.applies).pods)
        if selector is not None and all(policy.id in _isolators(estate, pod) for pod in pods):
            return f"add this policy: {dns_egress(namespace.name, selector, port)}"
    return f"add this to the egress rules of {policies_in_words(policies)}: {dns_admission(port)}"


def _isolators(estate: Estate, pod: Interface) -> frozenset[str]:
    return frozenset(judge.id for judge in isolating(estate, pod, "egress"))


def _none() -> Estate:
    b = ClusterBuilder()
    b.workload("kube-system", "coredns", {"k8s-app": "kube-dns"})
    b.workload("shop", "web")
    b.workload("shop", "db")
    b.policy("shop", "default-deny", egress=())
    b.policy("shop", "web", {"app": "web"}, egress=(admit("tcp/5432", Pods({"app": "db"})),))
    return b.build()


def _udp_alone() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "default-deny", egress=(admit("udp/53", Pods({"k8s-app": "kube-dns"}, {})),))
    return b.build()


def _own_namespace() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.workload("shop", "db")
    b.policy("shop", "own-namespace", egress=(admit("all", Pods()),))
    return b.build()


def _admitted() -> Estate:
    b = ClusterBuilder()
    b.workload("kube-system", "coredns", {"k8s-app": "kube-dns"})
    b.workload("shop", "web")
    b.policy("shop", "default-deny", egress=())
    b.policy("shop", "dns", egress=(admit("udp/53, tcp/53", Pods(namespaces={_NAME: "kube-system"})),))
    b.workload("pay", "cards")
    b.policy("pay", "range", egress=(admit("udp/53, tcp/53", "10.96.0.10/32"),))
    b.workload("blog", "web")
    return b.build()


_NAME: Final = "kubernetes.io/metadata.name"

CHECK = Check(
    id="missing-dns-egress",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example("a default-deny for egress, and a policy for the database alone", _none, ("shop",), Severity.MEDIUM),
        Example("DNS over UDP alone", _udp_alone, ("shop",), Severity.LOW),
        Example("egress within the namespace alone", _own_namespace, ("shop",), Severity.MEDIUM),
        Example("DNS to the resolver, to an address, and a namespace without policies", _admitted),
    ),
    concept={"kubernetes": "the workloads that policies isolate for egress, and where these let them send DNS"},
    absent={
        "azure": "an NSG does not stop what goes to the resolver of the host unless a rule names AzurePlatformDNS",
        "aws": "no security group and no network ACL filters what goes to the VPC's own resolver",
        "gcp": "no rule filters what goes to the metadata server, which resolves names",
    },
    needs=("groups", "interfaces", "networks"),
    compliance={
        "nsa-cisa-kubernetes-1.2": ("Network separation and hardening: Network policies",),
        "nist-800-53r5": ("SC-7(5)", "SC-20"),
    },
    parameters=(_PORT, _NAMESPACES, _LABELS),
    remedy="add-default-deny",
    precondition=needs_pods,
)
