"""A workload of a service mesh that accepts connections in plain text.

What it finds:
    For each namespace, the workloads of a mesh that accept plain text beside mutual TLS, or instead of it: those for
    which no policy asks for mutual TLS, and those whose policy lets plain text in, at all ports or at some. The policy
    that counts is named with its mode: of the workload, of the namespace, or of the mesh. Gateways are left out, since
    they are there for clients without an identity. Where it is not certain that a workload is part of the mesh, or
    which policy counts, the confidence is low. Of Linkerd, whose workloads speak mutual TLS with each other and ask for
    an identity where a policy says so, those that admit clients without one: by a policy for one of their ports, or,
    where no Server names any, by default.

Why it matters:
    A client without mutual TLS has no identity. Whoever reaches the pod then speaks to it unencrypted and unknown, and
    no rule about identities tells them from anybody else. Accepting both is meant for the time of a migration.

Example:
    A namespace with sidecars and no PeerAuthentication, or one with ``mode: PERMISSIVE``.

Remedy:
    See that every client is part of the mesh, then ask for mutual TLS with a PeerAuthentication with
    ``mode: STRICT`` in the namespace, and at last in the root namespace for the whole mesh; with Linkerd, with the
    annotation ``config.linkerd.io/default-inbound-policy: all-authenticated``, and an authentication for each Server.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.clusters import clusters, namespace_resource, pods_in_words, policies_in_words, workloads
from cloudseg.checks.example_clusters import ClusterBuilder
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.meshes import (
    IN_MESH,
    MESH_EXAMPLE,
    TCP,
    decides_by_port,
    is_of_consul,
    members,
    needs_mesh,
    plain_text,
    plain_text_policies,
    surely_member,
)
from cloudseg.findings import Remedy, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloudseg.checks.clusters import Cluster, Namespace
    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Interface, RuleSet
    from cloudseg.traffic import Traffic


_AUTHENTICATED: Final = "config.linkerd.io/default-inbound-policy: all-authenticated"


class _Accepting(NamedTuple):
    """A workload that accepts plain text.

    Attributes:
        pod: the workload.
        traffic: the ports at which it does.
        certain: whether it surely does.
        policies: the policies that count for it.
    """

    pod: Interface
    traffic: Traffic
    certain: bool
    policies: tuple[RuleSet, ...]

    @property
    def because(self) -> str:
        """Why it does, in words."""
        ports = "every port" if self.traffic == TCP else str(self.traffic)
        if not self.policies and is_of_consul(self.pod):
            return f"at {ports}: it goes past the proxy, by annotation or since the transparent mode is off"
        if decides_by_port(self.pod):
            by = f" by {policies_in_words(self.policies)}" if self.policies else " by default"
            return f"at {ports}: clients without an identity are admitted{by}"
        if not self.policies:
            return f"at {ports}: no PeerAuthentication asks for mutual TLS, and PERMISSIVE is the default"
        named = (f"{each.own_id} ({each.tags.get('mode', 'mode not known')})" for each in self.policies)
        return f"at {ports}: {', '.join(named)}"


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every namespace with workloads of a mesh that accept plain text."""
    for cluster in clusters(context.estate):
        for namespace in cluster.namespaces.values():
            found = list(_accepting(context.estate, namespace))
            if found:
                yield _finding(context, cluster, namespace, found)


def _accepting(estate: Estate, namespace: Namespace) -> Iterator[_Accepting]:
    for pod in members(namespace):
        open_to = plain_text(estate, pod)
        certain = bool(open_to.surely) and surely_member(pod) and not pod.attached_unread
        traffic = open_to.surely if certain else TCP if pod.attached_unread else open_to.at_most
        if traffic:
            yield _Accepting(pod, traffic, certain, plain_text_policies(estate, pod))


def _finding(context: AuditContext, cluster: Cluster, namespace: Namespace, found: Sequence[_Accepting]) -> Finding:
    certain = [each for each in found if each.certain]
    told = certain or list(found)
    alike: defaultdict[str, list[Interface]] = defaultdict(list)
    for each in told:
        alike[each.because].append(each.pod)
    how_many = workloads(len(told), len(members(namespace)))
    verb = "accepts" if len(told) == 1 else "accept"
    location = next((policy.location for each in told for policy in each.policies), None) or told[0].pod.location
    return context.finding(
        namespace_resource(cluster, namespace.name, location),
        f"namespace {namespace.name}: {how_many} of the mesh {verb if certain else f'may {_plural(verb)}'} plain text",
        confidence="high" if certain else "low",
        evidence=tuple(_evidence(alike, found, certain)),
        affected=tuple(each.pod for each in told),
        remedy=Remedy("require-mtls", _advice(namespace.name, told)),
    )


def _plural(verb: str) -> str:
    return verb.removesuffix("s")


def _evidence(
    alike: Mapping[str, Sequence[Interface]], found: Sequence[_Accepting], certain: Sequence[_Accepting]
) -> Iterator[str]:
    for because, pods in sorted(alike.items()):
        yield f"{pods_in_words(pods)} {because}"
    doubtful = [each.pod for each in found if not each.certain]
    if doubtful:
        yield (
            (f"unknown: whether these are part of the mesh, or which policy counts for them: {pods_in_words(doubtful)}")
            if certain or not all(surely_member(pod) for pod in doubtful)
            else (f"unknown: which policy counts for them: {pods_in_words(doubtful)}")
        )


def _advice(namespace: str, told: Sequence[_Accepting]) -> str:
    policies = {policy.id: policy for each in told for policy in each.policies if not policy.managed_by}
    first = "see that every client of these workloads is part of the mesh"
    of_consul = any(is_of_consul(each.pod) for each in told)
    if all(decides_by_port(each.pod) for each in told):
        names = ", ".join(each.own_id for _, each in sorted(policies.items()))
        required = f", require a MeshTLSAuthentication in {names}" if names else ""
        return f"{first}{required}, then annotate namespace {namespace} with {_AUTHENTICATED} and restart them"
    if policies:
        names = ", ".join(policy.own_id for _, policy in sorted(policies.items()))
        return f"{first}, then set {'mutualTLSMode strict' if of_consul else 'mode STRICT'} in {names}"
    if of_consul:
        return f"{first}, then lead their connections to the proxy: consul.hashicorp.com/transparent-proxy"
    manifest = {
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": "default", "namespace": namespace},
        "spec": {"mtls": {"mode": "STRICT"}},
    }
    return f"{first}, then add this policy: {json.dumps(manifest)}"


def _without_policy() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web", {"app": "web", IN_MESH: MESH_EXAMPLE})
    b.workload("shop", "db", {"app": "db"})
    return b.build()


def _permissive() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web", {"app": "web", IN_MESH: MESH_EXAMPLE})
    b.mutual_tls("shop", "default", "PERMISSIVE")
    return b.build()


def _of_consul() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web", {"app": "web", IN_MESH: "consul-direct"})
    b.workload("shop", "gate", {"component": "api-gateway", IN_MESH: "consul-gateway"})
    return b.build()


def _perhaps() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web", {"app": "web", IN_MESH: "istio-perhaps"})
    return b.build()


def _linkerd() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web", {"app": "web", IN_MESH: "linkerd"})
    b.workload("shop", "db", {"app": "db", IN_MESH: "linkerd"})
    b.authorization("shop", "server", "everyone", pods={"app": "db"}, action="DENY", traffic="tcp/5432")
    return b.build()


def _strict() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web", {"app": "web", IN_MESH: MESH_EXAMPLE})
    b.workload("shop", "gate", {"istio": "ingressgateway", IN_MESH: MESH_EXAMPLE})
    b.workload("bank", "cards", {"app": "cards"})
    b.mutual_tls("shop", "default", "STRICT", {"app": "web"})
    return b.build()


CHECK = Check(
    id="permissive-mtls",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example("a workload with a sidecar and no PeerAuthentication", _without_policy, ("shop",), Severity.MEDIUM),
        Example("a PeerAuthentication that lets plain text in", _permissive, ("shop",), Severity.MEDIUM),
        Example("a workload of Consul beside its proxy", _of_consul, ("shop",), Severity.MEDIUM),
        Example("a workload that may be part of the mesh", _perhaps, ("shop",)),
        Example("a workload of Linkerd without a Server, and one with", _linkerd, ("shop",), Severity.MEDIUM),
        Example("mutual TLS for all but the gateway, and workloads outside of the mesh", _strict),
    ),
    concept={"kubernetes": "the workloads of a service mesh, and whether they ask for mutual TLS"},
    absent={
        "azure": "NSGs look at no identities of clients",
        "aws": "groups and network ACLs look at no identities of clients",
        "gcp": "firewall rules look at no credentials of clients",
    },
    needs=("groups", "interfaces", "networks"),
    compliance={
        "nsa-cisa-kubernetes-1.2": ("Network separation and hardening: Encryption",),
        "nist-800-204b": ("4",),
        "nist-800-53r5": ("IA-9", "SC-8", "SC-23"),
        "pci-dss-4.0": ("4.2.1",),
        "cisa-ztmm-2": ("Networks: Traffic Encryption",),
    },
    remedy="require-mtls",
    precondition=needs_mesh,
)
