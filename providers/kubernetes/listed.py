"""What is read of a live cluster: one table of kinds, and any other kind that decides what passes.

Requests, gaps and the least role follow from the table. Secrets are never read, ConfigMaps only a few by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.providers.kubernetes.kinds import decides_traffic

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

__all__ = [
    "CORE",
    "LISTED",
    "NAMES_ONLY",
    "NEVER",
    "NEVER_DISCOVERED",
    "Kind",
    "Served",
    "chosen",
    "makes_cluster",
    "missing",
]

CORE: Final = "core"
"""How a snapshot names the API group without a name."""

NEVER: Final = frozenset((("", "secrets"), ("", "configmaps")))
"""What is never listed."""

NAMES_ONLY: Final = frozenset((("apiextensions.k8s.io", "customresourcedefinitions"),))
"""Kinds of which the metadata alone are asked for, and the names alone are kept."""

NEVER_DISCOVERED: Final = frozenset(
    (
        "controlplane.antrea.io",
        "custom.metrics.k8s.io",
        "external.metrics.k8s.io",
        "metrics.k8s.io",
        "packages.operators.coreos.com",
        "stats.antrea.io",
    )
)
"""Groups that hold what others work out or measure, and nothing that anybody decides."""

LISTED: Final[dict[str, tuple[str, ...]]] = {
    "": (
        "endpoints",
        "namespaces",
        "nodes",
        "pods",
        "replicationcontrollers",
        "serviceaccounts",
        "services",
    ),
    "apiextensions.k8s.io": ("customresourcedefinitions",),
    "apps": ("daemonsets", "deployments", "replicasets", "statefulsets"),
    "batch": ("cronjobs", "jobs"),
    "cilium.io": ("ciliumcidrgroups", "ciliumclusterwidenetworkpolicies", "ciliumnetworkpolicies"),
    "config.openshift.io": ("networks",),
    "configuration.konghq.com": ("tcpingresses", "udpingresses"),
    "consul.hashicorp.com": (
        "exportedservices",
        "ingressgateways",
        "meshes",
        "peeringacceptors",
        "peeringdialers",
        "proxydefaults",
        "registrations",
        "samenessgroups",
        "servicedefaults",
        "serviceintentions",
        "terminatinggateways",
    ),
    "crd.antrea.io": (
        "clustergroups",
        "clusternetworkpolicies",
        "externalentities",
        "groups",
        "networkpolicies",
        "tiers",
    ),
    "crd.k8s.amazonaws.com": ("eniconfigs",),
    "crd.projectcalico.org": (
        "felixconfigurations",
        "globalnetworkpolicies",
        "globalnetworksets",
        "hostendpoints",
        "ippools",
        "networkpolicies",
        "networksets",
        "tiers",
    ),
    "discovery.k8s.io": ("endpointslices",),
    "eks.amazonaws.com": ("ingressclassparams", "targetgroupbindings"),
    "elbv2.k8s.aws": ("ingressclassparams", "targetgroupbindings"),
    "extensions.istio.io": ("trafficextensions", "wasmplugins"),
    "gateway.networking.k8s.io": (
        "gatewayclasses",
        "gateways",
        "grpcroutes",
        "httproutes",
        "listenersets",
        "referencegrants",
        "tcproutes",
        "tlsroutes",
        "udproutes",
    ),
    "gateway.networking.x-k8s.io": ("xlistenersets",),
    "gateway.solo.io": ("virtualservices",),
    "getambassador.io": ("mappings", "tcpmappings"),
    "k8s.cni.cncf.io": ("multi-networkpolicies",),
    "k8s.nginx.org": ("transportservers", "virtualserverroutes", "virtualservers"),
    "k8s.ovn.org": ("egressfirewalls",),
    "network.openshift.io": ("clusternetworks", "egressnetworkpolicies"),
    "networking.gke.io": ("fqdnnetworkpolicies", "multiclusteringresses"),
    "networking.istio.io": (
        "destinationrules",
        "envoyfilters",
        "gateways",
        "serviceentries",
        "sidecars",
        "virtualservices",
        "workloadentries",
        "workloadgroups",
    ),
    "networking.k8s.aws": ("applicationnetworkpolicies", "clusternetworkpolicies"),
    "networking.k8s.io": ("ingressclasses", "ingresses", "networkpolicies"),
    "operator.tigera.io": ("installations",),
    "policy.linkerd.io": (
        "authorizationpolicies",
        "egressnetworks",
        "grpcroutes",
        "httproutes",
        "meshtlsauthentications",
        "networkauthentications",
        "serverauthorizations",
        "servers",
    ),
    "policy.networking.k8s.io": ("adminnetworkpolicies", "baselineadminnetworkpolicies", "clusternetworkpolicies"),
    "projectcalico.org": (
        "felixconfigurations",
        "globalnetworkpolicies",
        "globalnetworksets",
        "hostendpoints",
        "ippools",
        "networkpolicies",
        "networksets",
        "tiers",
    ),
    "projectcontour.io": ("httpproxies",),
    "security.istio.io": ("authorizationpolicies", "peerauthentications", "requestauthentications"),
    "serving.knative.dev": ("services",),
    "traefik.containo.us": ("ingressroutes", "ingressroutetcps", "ingressrouteudps"),
    "traefik.io": ("ingressroutes", "ingressroutetcps", "ingressrouteudps"),
    "vpcresources.k8s.aws": ("securitygrouppolicies",),
}
"""API groups and the plurals of the kinds that are read of them."""

_SAME_OBJECTS: Final = {"projectcalico.org": "crd.projectcalico.org"}
"""Groups that show the objects of another one. Calico's own server leaves out what is in tiers that the caller may not
get, and does not say so; where the other group is there, it is read in place of the first. Source:
https://docs.tigera.io/calico/latest/network-policy/policy-tiers/rbac-tiered-policies"""

_INDISPENSABLE: Final = frozenset((("", "pods"), ("", "namespaces")))


class Kind(NamedTuple):
    """A kind that a server serves.

    Attributes:
        group: its API group; empty for the core.
        version: the version of the group in which it is asked for.
        plural: its name in a path, ``networkpolicies``.
        kind: its name in an object, ``NetworkPolicy``.
        namespaced: its objects are in namespaces, as far as the server says.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """The ``apiVersion`` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def path(self) -> str:
        """The path of all its objects, in every namespace."""
        return f"{self._root}/{self.plural}"

    def path_in(self, namespace: str) -> str:
        """Return the path of its objects in one namespace."""
        return f"{self._root}/namespaces/{namespace}/{self.plural}"

    @property
    def _root(self) -> str:
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    @property
    def service(self) -> str:
        """How a snapshot names its group."""
        return self.group or CORE


class Served(NamedTuple):
    """A kind as discovery tells of it: the kind, and whether its objects can be listed."""

    kind: Kind
    listable: bool


def chosen(served: Iterable[Served]) -> Iterator[Kind]:
    """Yield the kinds to read of those that are served, each in one version, sorted.

    Args:
        served: what discovery told; of the versions of a group, the preferred one first.
    """
    preferred: dict[tuple[str, str], Kind] = {}
    for kind, listable in served:
        if listable and (kind.group, kind.plural) not in NEVER:
            preferred.setdefault((kind.group, kind.plural), kind)
    for _, kind in sorted(preferred.items()):
        if _is_wanted(kind, preferred):
            yield kind


def missing(group: str, served: Iterable[Served]) -> tuple[str, ...]:
    """Return the plurals that are lost with a group whose server does not answer.

    Of a group that is not known these are ``policies`` of whatever name: it may hold some.

    Args:
        group: the group.
        served: what discovery told of the others.
    """
    groups = {each.kind.group for each in served}
    if group in NEVER_DISCOVERED or _SAME_OBJECTS.get(group) in groups:
        return ()
    return LISTED.get(group, ("policies",))


def _is_wanted(kind: Kind, served: Collection[tuple[str, str]]) -> bool:
    stored = _SAME_OBJECTS.get(kind.group)
    if kind.group in NEVER_DISCOVERED or (stored is not None and (stored, kind.plural) in served):
        return False
    return kind.plural in LISTED.get(kind.group, ()) or decides_traffic(kind.group, kind.kind)


def makes_cluster(kinds: Iterable[Kind]) -> bool:
    """Tell whether kinds hold what every cluster has, so that whoever serves them is one."""
    return {(kind.group, kind.plural) for kind in kinds} >= _INDISPENSABLE
