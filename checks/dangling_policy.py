"""A network policy that selects no pod, or one that admits pods or namespaces which are not there.

What it finds:
    Policies whose pod selector chooses no pod of their namespace, and rules of which a peer selector chooses no pod:
    since no namespace bears the labels that it asks for, or no pod in these namespaces does. What would be admitted
    by such a rule is blocked. Only what was read can be compared: policies in namespaces, and peers in namespaces named
    by name, of which no workload was read are told once for the whole cluster, as information. Files seldom hold
    everything that runs, so the confidence is lower there than for a cluster that was read while it runs.

Why it matters:
    A policy that selects nothing protects nothing, though its name says so; most often a label was renamed or
    mistyped. A peer that is not there is the reverse: traffic meant to pass is blocked, and nothing says why. A label
    such as ``name: monitoring`` on a namespace is there only if somebody set it.

Example:
    A policy admits ``namespaceSelector: {matchLabels: {team: monitoring}}``, and no namespace bears that label.

Remedy:
    Correct the selector, or label what it means to choose. A namespace is surely named by the label
    ``kubernetes.io/metadata.name``, which the cluster sets itself. Remove a policy that nobody needs any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.clusters import (
    SYSTEM_NAMESPACES,
    clusters,
    isolating,
    labels_unread,
    needs_pods,
    pods_in_words,
    policies_of,
    selector_parts,
)
from cloudseg.checks.dangling_peers import PeerJudge, Peers, host_words, label_words, unborne
from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.rule_lists import shown, traffic_words
from cloudseg.findings import Severity
from cloudseg.model import matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloudseg.checks.clusters import Cluster
    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Confidence, Finding
    from cloudseg.model import Direction, Estate, Interface, Rule, RuleSet, SourceLocation

_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")
_NOTE: Final = "the files may not hold everything that runs in the cluster"


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every policy that selects nobody, and for every rule with a peer that is not there."""
    for cluster in clusters(context.estate):
        unread: dict[str, dict[str, SourceLocation | None]] = {}
        judge = PeerJudge(cluster, context.estate)
        for policy in policies_of(cluster, context.estate):
            parts = selector_parts(policy.applies)
            names = parts.names or frozenset()
            if names and not names & cluster.namespaces.keys():
                unread.setdefault(min(names), {})[policy.own_id] = policy.location
                continue
            chosen = [pod for pod in context.estate.governed(policy) if pod.scope == policy.scope]
            if not chosen:
                yield _selects_nobody(context, cluster, policy)
                continue
            for peers in judge.items(policy):
                for name in sorted(peers.unread):
                    unread.setdefault(name, {})[policy.own_id] = policy.location
                if peers.rule is not None:
                    yield _finds_nobody(context, policy, peers.rule, peers, chosen)
        known = context.texts(SYSTEM_NAMESPACES.name)
        if rest := {name: policies for name, policies in unread.items() if name not in known}:
            yield _not_compared(context, cluster, rest)


def _selects_nobody(context: AuditContext, cluster: Cluster, policy: RuleSet) -> Finding:
    estate = context.estate
    parts = selector_parts(policy.applies)
    names = sorted(cluster.namespaces.keys() if parts.names is None else parts.names & cluster.namespaces.keys())
    near = [pod for name in names for pod in cluster.namespaces[name].pods]
    hosts = [host for name in names for host in cluster.namespaces[name].hosts if matches(parts.pods, host)]
    doubtful = labels_unread(near)
    blocked = _blocked_directions(estate, policy, near)
    return context.finding(
        policy,
        f"{policy.own_id} selects no pod of namespace {shown(names)}" if names else f"{policy.own_id} selects no pod",
        severity=Severity.MEDIUM if blocked else Severity.LOW,
        confidence="low" if doubtful else _confidence(context, policy),
        evidence=(
            f"it asks for {label_words(parts.pods) or 'any pod'}",
            *unborne(parts.pods, near),
            *host_words(hosts),
            *(f"other policies isolate pods there for {each}, and its own rules admit nothing" for each in blocked),
            *(
                (f"unknown: labels of {pods_in_words(doubtful)} were not read",)
                if doubtful
                else _doubts(context, policy)
            ),
        ),
    )


def _blocked_directions(estate: Estate, policy: RuleSet, pods: Sequence[Interface]) -> tuple[Direction, ...]:
    """Return the directions in which a policy admits something and the pods that it may be meant for are isolated."""
    admits: set[Direction] = {rule.direction for rule in policy.rules if rule.allows}
    return tuple(each for each in _DIRECTIONS if each in admits and any(isolating(estate, pod, each) for pod in pods))


def _finds_nobody(
    context: AuditContext, policy: RuleSet, rule: Rule, peers: Peers, chosen: Sequence[Interface]
) -> Finding:
    ingress = rule.direction == "ingress"
    first = peers.missing[0]
    traffic = traffic_words(rule.traffic)
    confidence = _confidence(context, policy)
    effect = (
        f"nothing passes by this rule, so what is meant to {'reach' if ingress else 'leave'} "
        f"{pods_in_words(chosen)} on {traffic} is blocked unless another rule admits it"
        if not peers.others
        else "its other peers are there"
    )
    return context.finding(
        policy,
        f"{policy.own_id} admits {traffic} {'from' if ingress else 'to'} {first.words}, and {first.reason}",
        rule=rule,
        severity=Severity.LOW if peers.others else Severity.MEDIUM,
        confidence="low" if confidence == "low" or first.doubt else confidence,
        evidence=(
            effect,
            *first.hints,
            *(f"nor are there {each.words}: {each.reason}" for each in peers.missing[1:]),
            *((f"unknown: {first.doubt}",) if first.doubt else _doubts(context, policy)),
        ),
        affected=chosen,
    )


def _not_compared(
    context: AuditContext, cluster: Cluster, unread: Mapping[str, Mapping[str, SourceLocation | None]]
) -> Finding:
    places = {own: place for each in unread.values() for own, place in each.items()}
    policies = sorted(places)
    names = sorted(unread)
    return context.finding(
        cluster.network,
        f"{'1 policy' if len(policies) == 1 else f'{len(policies):,} policies'} of cluster {cluster.network.scope} "
        f"{'speaks' if len(policies) == 1 else 'speak'} of namespaces of which no workload was read: {shown(names)}",
        severity=Severity.INFO,
        confidence="low",
        evidence=(
            f"unknown: whether {shown(policies)} {'chooses' if len(policies) == 1 else 'choose'} pods there",
            "read the workloads of these namespaces along with the policies, or correct the names",
        ),
        places=(places[own] for own in policies),
    )


def _confidence(context: AuditContext, policy: RuleSet) -> Confidence:
    if not context.estate.read("interfaces", policy):
        return "low"
    return "high" if policy.location is None else "medium"


def _doubts(context: AuditContext, policy: RuleSet) -> tuple[str, ...]:
    if not context.estate.read("interfaces", policy):
        return ("unknown: the workloads were not read in full",)
    return () if policy.location is None else (f"unknown: {_NOTE}",)


def _selects_none() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "api", {"app": "api"}, ingress=())
    return b.build()


def _stays_blocked() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "default-deny", ingress=())
    b.policy("shop", "website", {"app": "website"}, ingress=(admit("tcp/443"),))
    return b.build()


def _no_such_namespace() -> Estate:
    b = ClusterBuilder()
    b.namespace("shop", team="shop")
    b.namespace("monitoring", team="operations")
    b.workload("shop", "web")
    b.workload("monitoring", "prometheus")
    b.policy("shop", "scrape", ingress=(admit("tcp/9090", Pods(namespaces={"team": "monitoring"})),))
    return b.build()


def _no_such_pod() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.workload("shop", "db")
    b.policy("shop", "db", {"app": "db"}, ingress=(admit("tcp/5432", Pods({"app": "website"})),))
    return b.build()


def _policies_alone() -> Estate:
    b = ClusterBuilder()
    b.workload("tools", "runner")
    b.policy("shop", "db", {"app": "db"}, ingress=(admit("tcp/5432", Pods({"app": "web"})),))
    b.policy("shop", "web", {"app": "web"}, ingress=(admit("tcp/443"),))
    return b.build()


def _all_there() -> Estate:
    b = ClusterBuilder()
    b.namespace("shop", team="shop")
    b.workload("shop", "web")
    b.workload("shop", "db")
    b.policy("shop", "db", {"app": "db"}, ingress=(admit("tcp/5432", Pods({"app": "web"}), "10.9.0.0/16"),))
    b.policy("shop", "web", {"app": "web"}, ingress=(admit("tcp/443", Pods(namespaces={"team": "shop"})),))
    b.policy("shop", "dns", egress=(admit("udp/53, tcp/53", Pods(namespaces={_NAME: "kube-system"})),))
    return b.build()


_NAME: Final = "kubernetes.io/metadata.name"

CHECK = Check(
    id="dangling-policy",
    severity=Severity.LOW,
    run=run,
    examples=(
        Example("a policy for pods that are not there", _selects_none, ("shop/NetworkPolicy/api",), Severity.LOW),
        Example(
            "a policy that should admit and selects nobody, beside a default-deny", _stays_blocked,
            ("shop/NetworkPolicy/website",), Severity.MEDIUM,
        ),
        Example(
            "a label that no namespace bears", _no_such_namespace, ("shop/NetworkPolicy/scrape",), Severity.MEDIUM
        ),
        Example("a label that no pod bears", _no_such_pod, ("shop/NetworkPolicy/db",), Severity.MEDIUM),
        Example("policies in a namespace without workloads", _policies_alone, ("pods",), Severity.INFO),
        Example("everything that is named is there, or is the cluster's own", _all_there),
    ),
    concept={"kubernetes": "the pod selectors and peer selectors of NetworkPolicies, and the workloads they choose"},
    absent={
        "aws": "rules name groups by their ids; stale-group-reference and unused-group tell those of no use",
        "azure": "rules name groups by their ids; stale-group-reference and unused-group tell those of no use",
        "gcp": "rules name tags and accounts; stale-group-reference and unused-group tell those of no use",
    },
    needs=("groups", "interfaces", "networks"),
    uses=("workloads",),
    compliance={
        "cis-kubernetes-1.9": ("5.3.2",),
        "nsa-cisa-kubernetes-1.2": ("Network separation and hardening: Network policies",),
        "nist-800-53r5": ("AC-4", "CM-6"),
        "pci-dss-4.0": ("1.2.7",),
    },
    parameters=(SYSTEM_NAMESPACES,),
    precondition=needs_pods,
)  # fmt: skip
