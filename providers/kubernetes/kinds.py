"""Kinds of Kubernetes objects: where a snapshot keeps them, and which of them may decide what passes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

__all__ = [
    "SECRET",
    "WITHIN_NAMESPACES",
    "decides_traffic",
    "group_of",
    "lists_deciders",
    "lists_entrances",
    "plural_of",
    "qualified_kind",
]

SECRET: Final = "Secret"  # noqa: S105 - the name of a kind

_PLURALS: Final = {"endpoints": "endpoints", "serviceintentions": "serviceintentions"}
_DECIDING: Final = re.compile(
    r"NetworkPolic|AuthorizationPolic|SecurityPolicy$|TrafficPermission|EgressFirewall|FirewallPolicy|MultiNetworkPolicy"
)
"""Kinds that decide what passes, of whatever group: Cilium's, Calico's, Antrea's, OVN's, AWS's, the admin policies."""

_DECIDING_ALSO: Final = frozenset(
    (
        ("security.istio.io", "PeerAuthentication"),
        ("networking.istio.io", "EnvoyFilter"),
        ("networking.istio.io", "Sidecar"),
        ("extensions.istio.io", "TrafficExtension"),
        ("extensions.istio.io", "WasmPlugin"),
        ("policy.linkerd.io", "Server"),
        ("policy.linkerd.io", "ServerAuthorization"),
        ("consul.hashicorp.com", "ServiceIntentions"),
        ("consul.hashicorp.com", "ProxyDefaults"),
    )
)
_WITHOUT_EFFECT: Final = ("Staged", "PodSecurityPolicy")
"""Calico's staged policies are only previewed; PodSecurityPolicy is about no traffic."""

_DECIDING_LISTS: Final = re.compile(r"polic|trafficpermissions$|egressfirewalls$")
_DECIDING_LISTS_ALSO: Final = frozenset(
    (
        "ciliumcidrgroups",
        "clustergroups",
        "egressnetworks",
        "envoyfilters",
        "externalentities",
        "globalnetworksets",
        "groups",
        "meshes",
        "meshtlsauthentications",
        "networkauthentications",
        "networksets",
        "peerauthentications",
        "proxydefaults",
        "serverauthorizations",
        "servers",
        "servicedefaults",
        "serviceintentions",
        "sidecars",
        "tiers",
        "trafficextensions",
        "wasmplugins",
    )
)
"""Plurals of the kinds above, and of what their objects refer to."""

WITHIN_NAMESPACES: Final = frozenset(
    (
        ("cilium.io", "ciliumnetworkpolicies"),
        ("crd.antrea.io", "networkpolicies"),
        ("crd.projectcalico.org", "networkpolicies"),
        ("k8s.ovn.org", "egressfirewalls"),
        ("network.openshift.io", "egressnetworkpolicies"),
        ("networking.k8s.aws", "applicationnetworkpolicies"),
        ("networking.k8s.io", "networkpolicies"),
        ("policy.linkerd.io", "authorizationpolicies"),
        ("policy.linkerd.io", "serverauthorizations"),
        ("policy.linkerd.io", "servers"),
        ("projectcalico.org", "networkpolicies"),
        ("vpcresources.k8s.aws", "securitygrouppolicies"),
    )
)
"""API groups and plurals of the kinds whose objects decide of pods in their own namespace alone."""

_EXPOSING_LISTS: Final = frozenset(
    (
        "endpoints",
        "endpointslices",
        "gatewayclasses",
        "gateways",
        "grpcroutes",
        "httproutes",
        "ingressclasses",
        "ingresses",
        "listenersets",
        "referencegrants",
        "services",
        "tcproutes",
        "tlsroutes",
        "udproutes",
        "virtualservices",
    )
)
"""Plurals of the kinds that lead from outside to pods, and of what their objects refer to."""

_HISSING: Final = ("s", "x", "z", "ch", "sh")
_KEPT: Final = 1 << 12
"""What is told of so many kinds is kept: thousands of objects are of a few."""


@lru_cache(_KEPT)
def group_of(api_version: str) -> str:
    """Return the API group of an ``apiVersion``; empty for the core group, which is written ``v1``."""
    group, slash, _ = api_version.rpartition("/")
    return group if slash else ""


@lru_cache(_KEPT)
def plural_of(kind: str) -> str:
    """Return the plural of a kind in lower case, by the rules of English: ``networkpolicies``, ``gateways``.

    Kubernetes guesses alike where nothing is registered:
    https://pkg.go.dev/k8s.io/apimachinery/pkg/api/meta#UnsafeGuessKindToResource.
    """
    name = kind.lower()
    if name in _PLURALS:
        return _PLURALS[name]
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(_HISSING) else f"{name}s"


def qualified_kind(group: str, kind: str) -> str:
    """Return a kind with its API group, as kubectl writes it: ``Pod``, ``NetworkPolicy.networking.k8s.io``."""
    return f"{kind}.{group}" if group else kind


@lru_cache(_KEPT)
def decides_traffic(group: str, kind: str) -> bool:
    """Tell whether objects of a kind may decide what passes, of whatever network plugin or mesh they are."""
    if group == "policy" or kind.startswith(_WITHOUT_EFFECT):
        return False
    return (group, kind) in _DECIDING_ALSO or _DECIDING.search(kind) is not None


def lists_deciders(plural: str) -> bool:
    """Tell whether a list, by the plural of its kind, holds what decides what passes, or what that refers to."""
    return plural in _DECIDING_LISTS_ALSO or _DECIDING_LISTS.search(plural) is not None


def lists_entrances(plural: str) -> bool:
    """Tell whether a list, by the plural of its kind, holds what leads from outside to pods, or what that refers to."""
    return plural in _EXPOSING_LISTS
