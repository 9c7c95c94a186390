"""What logs call the things of an estate: interfaces that report, networks, pods."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from cloudseg.model import own_id, provider_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloudseg.model import Estate, Interface

__all__ = ["Names", "network_names", "reporter_names", "reports_by_itself"]

_UNNAMED_CLUSTERS: Final = frozenset((None, "", "default"))
"""What Cilium calls a cluster to which nobody gave a name. Source:
https://docs.cilium.io/en/stable/network/clustermesh/setting-up-clustermesh/#specify-the-cluster-name-and-id"""
_NUMBERED: Final = "/nic"
"""What parts an instance of Google Cloud from the number of its interface."""


def reporter_names(estate: Estate) -> Mapping[tuple[str, str], Sequence[Interface]]:
    """Return interfaces by provider and by each of the names under which logs let them report.

    AWS writes the id of the interface. Google Cloud writes project, zone and name of the instance: which of its
    interfaces it was only the address tells. Sources:
    https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html and
    https://cloud.google.com/vpc/docs/about-flow-logs-records
    """
    found: defaultdict[tuple[str, str], list[Interface]] = defaultdict(list)
    for _, interface in sorted(estate.interfaces.items()):
        own = interface.own_id
        found[interface.provider, own].append(interface)
        machine, number, _ = interface.id.partition(_NUMBERED)
        if interface.provider == "gcp" and number:
            found["gcp", machine.removeprefix("gcp:")].append(interface)
    return found


def reports_by_itself(provider: str, observer: str) -> bool:
    """Tell whether a reporter is one interface or machine of its provider, and not an adapter's number or a subnet."""
    if provider == "aws":
        return observer.startswith("eni-")
    return provider == "gcp" and ":zones/" in observer and "/instances/" in observer


def network_names(estate: Estate) -> Mapping[tuple[str, str], Sequence[str]]:
    """Return qualified ids of networks by provider and by each of the names that logs have for them, in lower case."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for key, network in sorted(estate.networks.items()):
        own = network.own_id.lower()
        names = {own}
        if network.provider == "gcp":
            names.add(f"{network.scope}:{own}".lower())
        if network.provider == "kubernetes":
            names.add(network.scope.lower())
        for name in names:
            found[network.provider, name].append(key)
    # A peering names its networks, one that nobody read as well.
    for peering in estate.peerings.values():
        for key in peering.networks:
            if key not in estate.networks:
                found[provider_of(key), own_id(key).lower()].append(key)
    return {name: tuple(dict.fromkeys(keys)) for name, keys in found.items()}


class Names:
    """Pods by the names that logs have for them.

    Args:
        estate: the estate.
    """

    def __init__(self, estate: Estate) -> None:
        self._workloads: defaultdict[tuple[str, str], list[Interface]] = defaultdict(list)
        self._in_namespace: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._clusters: set[str] = set()
        for _, interface in sorted(estate.interfaces.items()):
            if not interface.is_pod:
                continue
            cluster = interface.scope
            # Pods of one workload that stand in several places bear the place behind their name.
            name = interface.own_id.partition("@")[0]
            self._workloads[cluster, name].append(interface)
            namespace, _, rest = name.partition("/")
            self._in_namespace[cluster, namespace].add(rest.partition("[")[0])
            self._clusters.add(cluster)

    def of(self, provider: str, cluster: str | None, name: str) -> list[Interface]:
        """Return the interfaces that a name stands for: ``shop/web[Deployment]``, or ``shop/web-7d9f-x2x4z`` of a pod.

        Logs of a cloud name pods, too, and not always the cluster; with several clusters such a name says nothing.
        """
        if not self._clusters or "/" not in name:
            return []
        if cluster not in self._clusters:
            if provider == "kubernetes" and cluster not in _UNNAMED_CLUSTERS:
                return []
            if len(self._clusters) > 1:
                return []
            cluster = next(iter(self._clusters))
        exact = self._workloads.get((cluster, name))
        if exact:
            return list(exact)
        return [] if "[" in name else self._of_pod(cluster, name)

    def _of_pod(self, cluster: str, name: str) -> list[Interface]:
        """Return the interfaces of the workload that made a pod: it begins the pod's name.

        Source: https://kubernetes.io/docs/concepts/workloads/controllers/
        """
        namespace, _, pod = name.partition("/")
        short = pod
        while short:
            if short in self._in_namespace.get((cluster, namespace), ()):
                bare = f"{namespace}/{short}["
                return [
                    each
                    for (own, known), interfaces in self._workloads.items()
                    if own == cluster and known.startswith(bare)
                    for each in interfaces
                ]
            short = short.rpartition("-")[0]
        return []
