"""A workload of a service mesh that admits every client.

What it finds:
    For each namespace, the workloads of a mesh for which no policy says whom they admit: no policy that admits selects
    them, and none that denies everything. Policies that only deny some clients leave all others admitted. Gateways are
    left out. Where it is not certain that a workload is part of the mesh, or what a policy decides, the confidence is
    low. Whether an admitting policy admits too many is told by ``mesh-allows-all``. Of Linkerd, the workloads of which
    no Server names a port, and whose default policy admits everyone.

Why it matters:
    A mesh knows the identity of every client, and without a policy does nothing with it: any workload of the mesh may
    connect to any other, and where plain text is accepted, anybody may.

Example:
    A namespace with sidecars and no AuthorizationPolicy, or with one that only denies.

Remedy:
    Add an AuthorizationPolicy with an empty ``spec``, which admits nothing to the workloads of its namespace, and one
    for each workload that admits its clients by ``principals``; with Linkerd, a Server and an AuthorizationPolicy for
    each port, and the annotation ``config.linkerd.io/default-inbound-policy: deny``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cloudseg.checks.clusters import (
    SYSTEM_NAMESPACES,
    clusters,
    namespace_resource,
    pods_in_words,
    policies_in_words,
    workloads,
)
from cloudseg.checks.example_clusters import ClusterBuilder, Pods
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.meshes import (
    AUTHORIZATION,
    IN_MESH,
    MESH_EXAMPLE,
    TCP,
    authorization_rules,
    decides_by_port,
    is_of_consul,
    members,
    needs_mesh,
    policies_of_mesh,
    surely_member,
)
from cloudseg.findings import Severity
from cloudseg.model import Everyone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.checks.clusters import Cluster, Namespace
    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Interface


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every namespace with workloads of a mesh that admit every client."""
    for cluster in clusters(context.estate):
        for namespace in cluster.namespaces.values():
            surely: list[Interface] = []
            perhaps: list[Interface] = []
            for pod in members(namespace):
                denied = _denied_by_default(context.estate, pod)
                if denied is None or (not denied and not (surely_member(pod) and not pod.attached_unread)):
                    perhaps.append(pod)
                elif not denied:
                    surely.append(pod)
            if surely or perhaps:
                yield _finding(context, cluster, namespace, surely, perhaps)


def _denied_by_default(estate: Estate, pod: Interface) -> bool | None:
    """Tell whether a workload admits only whom a policy names; None where that is not certain."""
    found, by_port = False, decides_by_port(pod)
    for _, rule, certain in authorization_rules(estate, pod):
        if rule.verdict == "deny" and Everyone() in rule.remote and (by_port or rule.traffic >= TCP):
            if certain and not pod.attached_unread:
                return True
            found = True
    return None if found else False


def _finding(
    context: AuditContext,
    cluster: Cluster,
    namespace: Namespace,
    surely: Sequence[Interface],
    perhaps: Sequence[Interface],
) -> Finding:
    told = surely or perhaps
    system = namespace.name in context.texts(SYSTEM_NAMESPACES.name)
    verb = "admits" if len(told) == 1 else "admit"
    how_many = workloads(len(told), len(members(namespace)))
    return context.finding(
        namespace_resource(cluster, namespace.name, told[0].location),
        f"namespace {namespace.name}: {how_many} of the mesh {verb if surely else 'may admit'} every client",
        severity=Severity.INFO if system else Severity.MEDIUM,
        confidence="high" if surely else "low",
        evidence=tuple(_evidence(context.estate, namespace, surely, perhaps)),
        affected=tuple(told),
    )


def _evidence(
    estate: Estate, namespace: Namespace, surely: Sequence[Interface], perhaps: Sequence[Interface]
) -> Iterator[str]:
    if surely:
        yield f"no policy says whom they admit: {pods_in_words(surely)}"
        denying = {policy.id: policy for pod in surely for policy in policies_of_mesh(estate, pod, AUTHORIZATION)}
        if denying:
            policies = [policy for _, policy in sorted(denying.items())]
            yield f"these policies only deny, and leave all others admitted: {policies_in_words(policies)}"
    if perhaps:
        yield f"unknown: whether these are part of the mesh, or what their policies decide: {pods_in_words(perhaps)}"
    if all(is_of_consul(pod) for pod in (*surely, *perhaps)):
        yield (
            "allow the clients of each service by ServiceIntentions first, then add ServiceIntentions by which "
            "* denies *, or have the servers deny by default"
        )
        return
    if all(decides_by_port(pod) for pod in (*surely, *perhaps)):
        annotation = "config.linkerd.io/default-inbound-policy: deny"
        yield (
            "admit each workload's clients by a Server and an AuthorizationPolicy for each of its ports first, then "
            f"nothing else by the annotation {annotation} of namespace {namespace.name}, and restart the workloads"
        )
        return
    manifest = {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "allow-nothing", "namespace": namespace.name},
        "spec": {},
    }
    yield f"admit each workload's clients by principals first, then nothing else by: {json.dumps(manifest)}"


def _none() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web", {"app": "web", IN_MESH: MESH_EXAMPLE})
    b.workload("bank", "cards", {"app": "cards"})
    return b.build()


def _of_consul() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web", {"app": "web", IN_MESH: "consul-sidecar"})
    return b.build()


def _denying() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web", {"app": "web", IN_MESH: MESH_EXAMPLE})
    b.workload("shop", "db", {"app": "db", IN_MESH: MESH_EXAMPLE})
    b.authorization("shop", "not-web", Pods({"app": "web"}), pods={"app": "db"}, action="DENY")
    return b.build()


def _one_of_two() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web", {"app": "web", IN_MESH: MESH_EXAMPLE})
    b.workload("shop", "db", {"app": "db", IN_MESH: MESH_EXAMPLE})
    b.authorization("shop", "db", Pods({"app": "web"}), pods={"app": "db"})
    return b.build()


def _linkerd() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web", {"app": "web", IN_MESH: "linkerd"})
    b.workload("shop", "db", {"app": "db", IN_MESH: "linkerd"})
    b.authorization("shop", "server", "everyone", pods={"app": "db"}, action="DENY", traffic="tcp/5432")
    return b.build()


def _by_default() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web", {"app": "web", IN_MESH: MESH_EXAMPLE})
    b.workload("shop", "db", {"app": "db", IN_MESH: MESH_EXAMPLE})
    b.workload("shop", "gate", {"istio": "ingressgateway", IN_MESH: MESH_EXAMPLE})
    b.authorization("shop", "allow-nothing")
    b.authorization("shop", "db", Pods({"app": "web"}), pods={"app": "db"})
    return b.build()


CHECK = Check(
    id="missing-authorization-policy",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example("a workload with a sidecar and no AuthorizationPolicy", _none, ("shop",), Severity.MEDIUM),
        Example("a workload of Consul without intentions", _of_consul, ("shop",), Severity.MEDIUM),
        Example("a policy that only denies", _denying, ("shop",), Severity.MEDIUM),
        Example("a policy that selects one of two workloads", _one_of_two, ("shop",), Severity.MEDIUM),
        Example("a workload of Linkerd without a Server, and one with", _linkerd, ("shop",), Severity.MEDIUM),
        Example("a policy that admits nothing, and one that admits a client", _by_default),
    ),
    concept={"kubernetes": "the workloads of a service mesh, and the policies that say who may connect"},
    absent={
        "azure": "NSGs look at addresses and ports, not at identities of clients",
        "aws": "a security group admits nothing that no rule admits",
        "gcp": "the implied rules admit nothing inward that no rule admits",
    },
    needs=("groups", "interfaces", "networks"),
    compliance={
        "nsa-cisa-kubernetes-1.2": ("Network separation and hardening: Network policies",),
        "nist-800-204b": ("4",),
        "nist-800-53r5": ("AC-3", "AC-4", "SC-7(5)"),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
        "nist-800-207": ("2.1",),
    },
    parameters=(SYSTEM_NAMESPACES,),
    precondition=needs_mesh,
)
