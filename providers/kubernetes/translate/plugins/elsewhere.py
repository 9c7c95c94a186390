"""What tells of a network plugin that is no daemon: what an operator is asked for, and servers that hold their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.plugins.claim import ADMIN, V1, Claim
from cloudseg.providers.kubernetes.translate.plugins.daemons import is_running, marks_of, truth
from cloudseg.providers.kubernetes.translate.plugins.plugin import AWS_GROUP, CALICO_GROUPS, CILIUM_GROUP
from cloudseg.providers.managed_clusters import cluster_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.plugins.claim import Surroundings
    from cloudseg.providers.managed_clusters import ManagedCluster

__all__ = ["auto_mode", "k3s", "managed", "operators", "provider_ids"]

_K3S_ARGUMENTS: Final = "k3s.io/node-args"


def operators(objects: Iterable[Object]) -> Iterator[Claim]:
    """Yield what the Tigera operator is asked for, where its daemon was not read.

    Source: https://docs.tigera.io/calico/latest/reference/installation/api#installation
    """
    asked = [item for item in objects if (item.group, item.kind) == ("operator.tigera.io", "Installation")]
    known = any(item.kind == "DaemonSet" and item.name == "calico-node" for item in objects)
    if asked and not known:
        item = asked[0]
        place = f" ({item.where.removesuffix(': ')})" if item.where else ""
        evidence = f"Installation {item.name} of operator.tigera.io{place}"
        yield Claim("Calico", evidence, "everywhere", V1 | CALICO_GROUPS, ADMIN, enforces=True)


def auto_mode(objects: Iterable[Object], around: Surroundings) -> Iterator[Claim]:
    """Yield what nodes of EKS Auto Mode tell: policies count where a config map switches their controller on.

    Source: https://docs.aws.amazon.com/eks/latest/userguide/auto-net-pol.html
    """
    own = (item for item in objects if item.kind == "Node" and not item.group)
    node = next((item for item in own if marks_of(item).get("eks.amazonaws.com/compute-type") == "auto"), None)
    if node is None:
        return
    settings = around.settings.get(("kube-system", "amazon-vpc-cni"))
    switch = None if settings is None else truth(settings.get("enable-network-policy-controller"), default=False)
    doubt = "" if switch is not None else "the config map amazon-vpc-cni, which switches policies on, was not read"
    own_kinds = V1 | {AWS_GROUP} if switch is not False else frozenset[str]()
    yield Claim("EKS Auto Mode", f"node {node.name}", groups=own_kinds, doubtful=ADMIN, doubt=doubt, enforces=switch)


def managed(objects: Iterable[Object], clusters: Iterable[ManagedCluster]) -> Iterator[Claim]:
    """Yield what the cloud tells of the cluster that it runs and to which all nodes belong.

    Where the cloud runs no engine, somebody may have installed one: daemons tell, where these were read. Sources:
    https://learn.microsoft.com/azure/aks/use-network-policies,
    https://learn.microsoft.com/azure/aks/azure-cni-powered-by-cilium,
    https://cloud.google.com/kubernetes-engine/docs/concepts/dataplane-v2 and
    https://cloud.google.com/kubernetes-engine/docs/how-to/network-policy
    """
    objects = list(objects)
    own = cluster_of(provider_ids(objects), clusters)
    if own is None:
        return
    words, engine = own.words, own.engine
    if engine == "dataplane-v2":
        yield Claim("GKE Dataplane V2", words, "outside", V1, ADMIN | {CILIUM_GROUP}, enforces=True)
    elif engine == "cilium":
        doubtful = ADMIN | {CILIUM_GROUP}
        yield Claim("Cilium", words, "outside", V1, doubtful, enforces=True)
    elif engine == "calico":
        yield Claim("Calico", words, "everywhere", V1 | CALICO_GROUPS, ADMIN, enforces=True)
    elif engine == "azure":
        yield Claim("Azure Network Policy Manager", words, "everywhere", V1, enforces=True)
    elif engine == "none" and any(is_running(item) and item.place == "kube-system" for item in objects):
        yield Claim(own.vendor, f"{words} names no engine for policies", enforces=False)


def provider_ids(objects: Iterable[Object]) -> list[str]:
    """Return what the nodes of a cluster say of their machines; empty texts for those that say nothing."""
    return [
        str(item.part("spec").get("providerID") or "") for item in objects if item.kind == "Node" and not item.group
    ]


def k3s(objects: Iterable[Object]) -> Iterator[Claim]:
    """Yield what nodes of K3s tell, whose controller of policies is part of its server and no daemon.

    Source: https://docs.k3s.io/networking/networking-services#network-policy-controller
    """
    nodes = [item for item in objects if item.kind == "Node" and not item.group and _is_k3s(item)]
    servers = [(item, given) for item in nodes if (given := _k3s_arguments(item))[:1] == ("server",)]
    if not nodes:
        return
    name = "K3s network policy controller"
    if not servers:
        evidence = f"node {nodes[0].name} runs K3s"
        yield Claim(
            name, evidence, groups=V1, doubtful=ADMIN, doubt="the arguments of no K3s server were read", enforces=None
        )
        return
    item, given = servers[0]
    off = [each for each, arguments in servers if _is_off(arguments)]
    if off:
        yield Claim(name, f"node {off[0].name}: --disable-network-policy in {_K3S_ARGUMENTS}", enforces=False)
    else:
        yield Claim(
            name, f"node {item.name}: {_K3S_ARGUMENTS} is {' '.join(given)}", groups=V1, doubtful=ADMIN, enforces=True
        )


def _is_off(arguments: Sequence[str]) -> bool:
    following = (*arguments[1:], "") if arguments else ()
    return any(
        (argument.startswith("--disable-network-policy=") and truth(argument.partition("=")[2]) is not False)
        or (argument == "--disable-network-policy" and truth(after, default=True) is not False)
        for argument, after in zip(arguments, following, strict=True)
    )


def _is_k3s(node: Object) -> bool:
    version = fields_of(node.part("status").get("nodeInfo")).get("kubeletVersion")
    return _K3S_ARGUMENTS in marks_of(node) or (isinstance(version, str) and "+k3s" in version)


def _k3s_arguments(node: Object) -> tuple[str, ...]:
    text = marks_of(node).get(_K3S_ARGUMENTS)
    try:
        given: object = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return ()
    listed = cast("list[object]", given) if isinstance(given, list) else []
    return tuple(each for each in listed if isinstance(each, str))
