"""Service meshes as the checks look at them: workloads that are part of one, and what their proxies let in.

A mesh decides in two stages beside the network policies: whether a connection has to be mutual TLS, and who may
connect. Linkerd has the second alone: whoever has to show an identity speaks mutual TLS.
Sources: https://csrc.nist.gov/pubs/sp/800/204/b/final and https://linkerd.io/2-edge/features/server-policy/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.clusters import applying, clusters
from cloudseg.model import Addresses, AllOf, Everyone, GroupRef, Labelled
from cloudseg.traffic import NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.checks.clusters import Cluster, Namespace
    from cloudseg.checks.interface import AuditContext
    from cloudseg.model import Estate, Interface, Peer, Rule, RuleSet

__all__ = [
    "AUTHORIZATION",
    "IN_MESH",
    "MESH_EXAMPLE",
    "TCP",
    "Doubted",
    "authorization_policies",
    "authorization_rules",
    "decides_by_port",
    "is_gateway",
    "is_member",
    "is_of_consul",
    "members",
    "needs_mesh",
    "plain_text",
    "plain_text_policies",
    "policies_of_mesh",
    "surely_member",
]

IN_MESH: Final = "pod/mesh"
"""The label that a workload of a mesh bears; its value tells which mesh, and how."""
MUTUAL_TLS: Final = "mesh-mutual-tls"
AUTHORIZATION: Final = "mesh-authorization"
MESH_EXAMPLE: Final = "istio-sidecar"
TCP: Final = Traffic.protocol("tcp")

_PERHAPS: Final = "-perhaps"
_LINKERD: Final = "linkerd"
_OF_LINKERD: Final = "pod/linkerd"
_HEALTH: Final = "health-checks"
_PAST_BY_DEFAULT: Final = "past-the-proxy-by-default"
"""The name of the rule by which health checks pass, which show no identity."""
_GATEWAYS: Final = ("gateway.networking.k8s.io/gateway-name", "istio.io/gateway-name")


class Doubted(NamedTuple):
    """Traffic that surely has a property, and traffic that has it at most."""

    surely: Traffic
    at_most: Traffic


def is_member(pod: Interface) -> bool:
    """Tell whether a workload is part of a mesh, or may be."""
    return IN_MESH in pod.labels


def surely_member(pod: Interface) -> bool:
    """Tell whether a workload is surely part of a mesh."""
    return is_member(pod) and not pod.labels[IN_MESH].endswith(_PERHAPS)


def decides_by_port(pod: Interface) -> bool:
    """Tell whether the mesh of a workload decides port by port, and by a default for all other ports: Linkerd's does.

    Source: https://linkerd.io/2-edge/reference/authorization-policy/#server
    """
    return pod.labels.get(IN_MESH, "").startswith(_LINKERD)


def is_gateway(pod: Interface) -> bool:
    """Tell whether a workload is a gateway of the mesh: it is there for clients without an identity.

    Source: https://istio.io/latest/docs/setup/additional-setup/gateway/
    """
    labels = pod.labels
    of_consul = labels.get(IN_MESH) == "consul-gateway"
    return of_consul or labels.get("istio", "").endswith("gateway") or any(key in labels for key in _GATEWAYS)


def is_of_consul(pod: Interface) -> bool:
    """Tell whether the mesh that a workload is part of, or may be, is Consul's."""
    return pod.labels.get(IN_MESH, "").startswith("consul-")


def members(namespace: Namespace) -> tuple[Interface, ...]:
    """Return the workloads of a namespace that are part of a mesh, without its gateways."""
    return tuple(pod for pod in namespace.pods if is_member(pod) and not is_gateway(pod))


def needs_mesh(context: AuditContext) -> str:
    """Return why nothing can be said of a mesh: none shows. A check's precondition."""
    known = any(is_member(pod) for cluster in clusters(context.estate) for pod in cluster.pods)
    return "" if known else "no workload that was read is part of a service mesh"


def plain_text(estate: Estate, pod: Interface) -> Doubted:
    """Return the ports at which a workload accepts connections without mutual TLS.

    Where no list decides, it accepts them beside mutual TLS at every port. Source:
    https://istio.io/latest/docs/concepts/security/#permissive-mode
    """
    if decides_by_port(pod):
        return _without_identity(estate, pod)
    judges = estate.judging(pod, MUTUAL_TLS, "ingress")
    if not judges:
        return Doubted(TCP, TCP)
    surely, at_most = NO_TRAFFIC, NO_TRAFFIC
    for _, rule, certain in applying(estate, pod, judges, "ingress"):
        if Everyone() in rule.remote:
            at_most |= rule.traffic & TCP
            surely |= rule.traffic & TCP if certain else NO_TRAFFIC
    return Doubted(surely, at_most)


def _without_identity(estate: Estate, pod: Interface) -> Doubted:
    """Return the ports at which a workload of Linkerd admits clients without an identity.

    Where Servers name some of its ports, the others are left out: hardly anything listens there.
    """
    surely, at_most, denied, surely_denied, named = NO_TRAFFIC, NO_TRAFFIC, NO_TRAFFIC, NO_TRAFFIC, NO_TRAFFIC
    for _, rule, certain in authorization_rules(estate, pod):
        if rule.allows and _admits_strangers(rule, estate):
            at_most |= rule.traffic
            surely |= rule.traffic if certain else NO_TRAFFIC
        elif not rule.allows and Everyone() in rule.remote:
            denied |= rule.traffic
            surely_denied |= rule.traffic if certain else NO_TRAFFIC
            named |= NO_TRAFFIC if rule.traffic >= TCP else rule.traffic
    asked = named | at_most if named else TCP
    return Doubted(((TCP - denied) | surely) & asked & TCP, ((TCP - surely_denied) | at_most) & asked & TCP)


def _admits_strangers(rule: Rule, estate: Estate) -> bool:
    """Tell whether a rule admits clients without an identity, other than health checks.

    Nor do ports count that an installation leads past the proxies of all workloads: hardly anything listens there.
    """
    return rule.id not in {_HEALTH, _PAST_BY_DEFAULT} and any(not _asks_identity(peer, estate) for peer in rule.remote)


def _asks_identity(peer: Peer, estate: Estate) -> bool:
    if isinstance(peer, Everyone | Addresses):
        return False
    group = estate.groups.get(peer.group) if isinstance(peer, GroupRef) else None
    parts = group.selector.parts if group is not None and isinstance(group.selector, AllOf) else ()
    return group is None or any(isinstance(part, Labelled) and part.key == _OF_LINKERD for part in parts)


def plain_text_policies(estate: Estate, pod: Interface) -> tuple[RuleSet, ...]:
    """Return the policies that decide whether a workload accepts plain text, without the lists that nobody wrote."""
    if not decides_by_port(pod):
        return policies_of_mesh(estate, pod)
    found = {
        policy.id: policy
        for policy, rule, _ in authorization_rules(estate, pod)
        if rule.allows and not policy.managed_by and _admits_strangers(rule, estate)
    }
    return tuple(found.values())


def policies_of_mesh(estate: Estate, pod: Interface, stage: str = MUTUAL_TLS) -> tuple[RuleSet, ...]:
    """Return the policies of a mesh that decide about a workload, without the lists that nobody wrote."""
    return tuple(each for each in estate.judging(pod, stage, "ingress") if not each.managed_by)


def authorization_rules(estate: Estate, pod: Interface) -> Iterator[tuple[RuleSet, Rule, bool]]:
    """Yield the rules that say who may connect to a workload, denials too, and whether each certainly counts."""
    judges = estate.judging(pod, AUTHORIZATION, "ingress")
    yield from applying(estate, pod, judges, "ingress", denials=True)


def authorization_policies(cluster: Cluster, estate: Estate) -> Iterable[RuleSet]:
    """Return the policies of a cluster that say who may connect to workloads of a mesh, in order of their ids."""
    place = (cluster.network.provider, cluster.network.scope)
    found = (each for each in estate.rule_sets_at(AUTHORIZATION) if (each.provider, each.scope) == place)
    return tuple(each for each in found if not each.managed_by and "ingress" in each.isolates)
