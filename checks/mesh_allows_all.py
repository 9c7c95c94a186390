"""A policy of a service mesh that admits everybody.

What it finds:
    Policies that admit connections to workloads of a mesh at every port, without a condition on requests, from
    everybody, or from every identity of the mesh: a rule without a source such as ``rules: [{}]``, or
    ``principals: ["*"]`` and ``namespaces: ["*"]``. Policies add up, so such a policy cancels every other one that
    admits some clients to the same workloads; those are named. Policies for gateways are left out. What denials take
    away from it is told, and changes nothing: they name single clients. Of Linkerd, those policies that admit them to
    every Server of their namespace.

Why it matters:
    The policy looks like access control and admits any workload that somebody takes over. With a rule without a
    source, clients outside of the mesh are admitted too, as far as mutual TLS is not asked for.

Example:
    An AuthorizationPolicy ``allow-all`` with ``rules: [{}]`` beside one that admits the web tier to the database.

Remedy:
    Name the clients by ``principals``, and take the rule away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from cloudseg.checks.clusters import clusters, pods_in_words, policies_in_words
from cloudseg.checks.example_clusters import ClusterBuilder, Pods
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.meshes import (
    AUTHORIZATION,
    IN_MESH,
    MESH_EXAMPLE,
    TCP,
    authorization_policies,
    is_gateway,
    needs_mesh,
    surely_member,
)
from cloudseg.findings import Severity
from cloudseg.model import AllOf, AnyOf, Everyone, GroupRef, Labelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Interface, Rule, RuleSet, Selector

_OWN: Final = "pod/"
_WHO: Final = frozenset(("pod/address", "pod/consul-service", "pod/consul-services"))
"""Labels by which a policy asks for more than to be part of the mesh."""
_NAMESPACE: Final = "namespace/kubernetes.io/metadata.name"
_NAMESPACE_TARGET: Final = "Namespace"
"""The tag of an AuthorizationPolicy of Linkerd that is about every Server of its namespace."""


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every policy that admits everybody to a workload of a mesh."""
    for cluster in clusters(context.estate):
        for policy in authorization_policies(cluster, context.estate):
            pods = [pod for pod in context.estate.governed(policy) if not is_gateway(pod)]
            rules = [(rule, whom) for rule in policy.rules if (whom := _admits(policy, rule, context.estate))]
            if pods and rules:
                # Who admits everyone admits more than who admits every identity.
                rule, whom = min(rules, key=lambda each: each[1] != "everyone")
                yield _finding(context, policy, rule, whom, pods)


def _admits(policy: RuleSet, rule: Rule, estate: Estate) -> Literal["everyone", "every identity", ""]:
    """Return whom a rule admits at every port, whatever they ask for; empty where that is nobody, or only some."""
    asks = rule.direction != "ingress" or not rule.allows or not rule.exact or rule.description
    if asks or not (rule.traffic >= TCP or policy.tags.get("target") == _NAMESPACE_TARGET):
        return ""
    if Everyone() in rule.remote:
        return "everyone"
    groups = (estate.groups.get(peer.group) for peer in rule.remote if isinstance(peer, GroupRef))
    return "every identity" if any(group is not None and _is_whole(group.selector) for group in groups) else ""


def _is_whole(selector: Selector) -> bool:
    """Tell whether a selector of clients asks nothing but to be part of the mesh."""
    return all(_asks_membership(part) for part in _flat(selector))


def _asks_membership(part: Selector) -> bool:
    if not isinstance(part, Labelled):
        return False
    if part.key in {_NAMESPACE, "pod/service-account"}:
        return part.operator == "Exists"
    return part.key.startswith(_OWN) and part.key not in _WHO


def _flat(selector: Selector) -> Iterator[Selector]:
    if isinstance(selector, AllOf) or (isinstance(selector, AnyOf) and len(selector.parts) == 1):
        for part in selector.parts:
            yield from _flat(part)
    elif isinstance(selector, AnyOf) and any(_is_whole(part) for part in selector.parts):
        yield from ()
    else:
        yield selector


def _finding(context: AuditContext, policy: RuleSet, rule: Rule, whom: str, pods: list[Interface]) -> Finding:
    certain = any(surely_member(pod) and not pod.attached_unread for pod in pods)
    others = {
        other.id: other
        for pod in pods
        for other in context.estate.judging(pod, AUTHORIZATION, "ingress")
        if other.id != policy.id and other.kind == policy.kind and "ingress" in other.isolates
    }
    admitting = [other for _, other in sorted(others.items()) if other.tags.get("action") == "ALLOW"]
    denying = [other for _, other in sorted(others.items()) if other.tags.get("action") != "ALLOW"]
    words = "everyone" if whom == "everyone" else "every identity of the mesh"
    return context.finding(
        policy,
        f"{policy.own_id} admits {words} to {pods_in_words(pods)}",
        severity=Severity.MEDIUM if whom == "everyone" else Severity.LOW,
        confidence="high" if certain else "low",
        evidence=(
            f"{rule.id} names {'no port' if rule.traffic >= TCP else 'every Server of its namespace'} and no condition",
            *((f"{_beside(policy)}: {policies_in_words(admitting)}",) if admitting else ()),
            *((f"these deny some clients before: {policies_in_words(denying)}",) if denying else ()),
            *(() if certain else ("unknown: whether these workloads are part of the mesh",)),
        ),
        affected=tuple(pods),
    )


def _beside(policy: RuleSet) -> str:
    """Return what becomes of other policies that admit some clients.

    Source: https://developer.hashicorp.com/consul/docs/connect/intentions#precedence-and-match-order
    """
    if policy.kind == "ServiceIntentions":
        return "the intention that names a pair most exactly decides, so these count where they do"
    return "policies add up, so these admit nobody beside"


def _everything() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web", {"app": "web", IN_MESH: MESH_EXAMPLE})
    b.workload("shop", "db", {"app": "db", IN_MESH: MESH_EXAMPLE})
    b.authorization("shop", "db", Pods({"app": "web"}), pods={"app": "db"})
    b.authorization("shop", "allow-all", "everyone")
    return b.build()


def _any_identity() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "db", {"app": "db", IN_MESH: MESH_EXAMPLE})
    b.authorization("shop", "mesh", "*")
    return b.build()


def _named() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web", {"app": "web", IN_MESH: MESH_EXAMPLE})
    b.workload("shop", "db", {"app": "db", IN_MESH: MESH_EXAMPLE})
    b.workload("shop", "gate", {"istio": "ingressgateway", IN_MESH: MESH_EXAMPLE})
    b.authorization("shop", "db", Pods({"app": "web"}), pods={"app": "db"})
    b.authorization("shop", "web", "everyone", pods={"app": "web"}, traffic="tcp/8080")
    b.authorization("shop", "gate", "everyone", pods={"istio": "ingressgateway"})
    b.authorization("shop", "nobody", "everyone", pods={"app": "db"}, action="DENY", traffic="tcp/9000")
    return b.build()


CHECK = Check(
    id="mesh-allows-all",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example(
            "a rule without a source beside a policy that names the client",
            _everything,
            ("shop/AuthorizationPolicy/allow-all",),
            Severity.MEDIUM,
        ),
        Example("every identity of the mesh", _any_identity, ("shop/AuthorizationPolicy/mesh",), Severity.LOW),
        Example("named clients, one port for everyone, and a gateway", _named),
    ),
    concept={"kubernetes": "the policies of a service mesh that say who may connect"},
    absent={
        "azure": "internet-exposed-port and overbroad-ports tell rules that admit everybody",
        "aws": "internet-exposed-port and address-based-rule tell rules that admit everybody",
        "gcp": "internet-exposed-port and overbroad-ports tell rules that admit everybody",
    },
    needs=("groups", "interfaces", "networks"),
    compliance={
        "nsa-cisa-kubernetes-1.2": ("Network separation and hardening: Network policies",),
        "nist-800-204b": ("4",),
        "nist-800-53r5": ("AC-3", "AC-4", "AC-6"),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
        "nist-800-207": ("2.1",),
    },
    precondition=needs_mesh,
)
