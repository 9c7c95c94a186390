"""What an estate needs although no flow log shows it: names, health checks, probes.

They are proposed wherever the estate has the concept, and marked, so that nobody takes them for observed. What no rule
can filter needs no entry, and is told in words.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.model import Addresses
from cloudseg.traffic import NO_ADDRESSES, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Estate, Forward, Forwarder, Interface

__all__ = ["GuardRail", "guard_rails", "unfiltered_words"]

_DNS: Final = Traffic.parse("udp/53, tcp/53")
_PROBES: Final = Traffic.parse("tcp")
_RESOLVER: Final = ("k8s-app", "kube-dns")
"""The label of a cluster's resolver, which CoreDNS kept. Source:
https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/"""
_OPENSHIFT: Final = ("dns.operator.openshift.io/daemonset-dns", "default")
_ON_HOST: Final = "pod/host-network"
_CHECKS: Final = "health-checks"
_CHECKERS: Final = "gcp-health-checks"

_UNFILTERED: Final = {
    "aws": "on AWS no group or network ACL filters what machines send to the resolver of the VPC, to the metadata "
    "(169.254.169.254) and to the clock (169.254.169.123), and no flow log shows it: they need no entry",
    "azure": "on Azure the host (168.63.129.16) answers names and probes machines, and serves the metadata at "
    "169.254.169.254: no segment stands for it; keep the rules for the tag AzureLoadBalancer",
    "gcp": "on Google Cloud the host (169.254.169.254) answers names, metadata and time, and no firewall rule filters "
    "it: it needs no entry",
}
"""What no rule filters, by provider. Sources: https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-limitations.html,
https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16 and
https://cloud.google.com/firewall/docs/firewalls#alwaysallowed"""


class GuardRail(NamedTuple):
    """Traffic that is to be allowed whether it was seen or not.

    Attributes:
        sources: qualified ids of the interfaces that open connections; none where ``addresses`` do.
        targets: qualified ids of the interfaces that take them.
        traffic: the traffic.
        words: why, on one line.
        addresses: the addresses outside that open connections.
        name: what to call a segment of these addresses.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    traffic: Traffic
    words: str
    addresses: AddressSet = NO_ADDRESSES
    name: str = ""


def guard_rails(estate: Estate) -> tuple[GuardRail, ...]:
    """Return what an estate needs besides what was seen: of clusters, then of load balancers, in order of their ids."""
    return (*_of_clusters(estate), *_of_balancers(estate))


def unfiltered_words(estate: Estate) -> tuple[str, ...]:
    """Return what needs no entry because no rule filters it, for each cloud of an estate, one line each."""
    providers = {network.provider for network in estate.networks.values()}
    return tuple(words for provider, words in _UNFILTERED.items() if provider in providers)


def _of_clusters(estate: Estate) -> Iterator[GuardRail]:
    clusters: defaultdict[str, list[Interface]] = defaultdict(list)
    machines: defaultdict[str, list[str]] = defaultdict(list)
    for identifier in sorted(estate.interfaces):
        interface = estate.interfaces[identifier]
        if interface.is_pod:
            clusters[interface.scope].append(interface)
        elif (owner := estate.owner_of(interface)) is not None:
            machines[owner.own_id].append(identifier)
    for cluster, pods in sorted(clusters.items()):
        inner = [pod for pod in pods if _ON_HOST not in pod.labels]
        resolver = [pod for pod in inner if _is_resolver(pod)]
        if resolver:
            asking = tuple(pod.id for pod in inner if not _is_resolver(pod))
            words = f"names: every pod of {cluster} asks the cluster's resolver"
            yield GuardRail(asking, tuple(pod.id for pod in resolver), _DNS, words)
        nodes = tuple(sorted({each for pod in inner for machine in pod.machines for each in machines[machine]}))
        if nodes:
            words = (
                f"probes: the kubelet of each machine of {cluster} asks its own pods whether they live; "
                "logs and policies do not tell at which ports"
            )
            yield GuardRail(nodes, tuple(pod.id for pod in inner if pod.machines), _PROBES, words)


def _is_resolver(pod: Interface) -> bool:
    return any(pod.labels.get(key) == value for key, value in (_RESOLVER, _OPENSHIFT))


def _of_balancers(estate: Estate) -> Iterator[GuardRail]:
    checkers = _checkers(estate)
    for identifier, forwarder in sorted(estate.forwarders.items()):
        own = tuple(interface.id for interface in estate.interfaces_of(identifier))
        by_traffic: defaultdict[Traffic, dict[str, None]] = defaultdict(dict)
        for forward in forwarder.forwards:
            led = (each for each in _targets(estate, forward) if each not in own)
            by_traffic[forward.checks or forward.traffic].update(dict.fromkeys(led))
        for traffic, found in sorted(by_traffic.items(), key=lambda item: str(item[0])):
            if not found or not traffic:
                continue
            targets = tuple(sorted(found))
            if own:
                yield GuardRail(own, targets, traffic, _check_words(forwarder))
            for network, addresses in sorted(checkers.items()):
                within = tuple(each for each in targets if estate.interfaces[each].network == network)
                if within:
                    words = f"{_check_words(forwarder)}; one at another port needs that port"
                    yield GuardRail((), within, traffic, words, addresses, _CHECKERS)


def _check_words(forwarder: Forwarder) -> str:
    return f"health checks of the load balancer {forwarder.name or forwarder.own_id}"


def _targets(estate: Estate, forward: Forward) -> Iterator[str]:
    for each in forward.targets:
        if each.target is not None and each.target in estate.interfaces:
            yield each.target
        elif each.target is not None:
            yield from (interface.id for interface in estate.interfaces_of(each.target))
        elif each.address and each.network is not None:
            inside = estate.interfaces_in(each.network)
            yield from (interface.id for interface in inside if interface.addresses.overlaps(each.address))


def _checkers(estate: Estate) -> dict[str, AddressSet]:
    """Return from where a cloud checks who is behind its load balancers, by the network of these, where it says so."""
    found: dict[str, AddressSet] = {}
    for table in estate.route_tables.values():
        ranges = (
            route.destination.addresses
            for route in table.routes
            if route.target is not None
            and isinstance(route.destination, Addresses)
            and route.target in estate.gateways
            and estate.gateways[route.target].kind == _CHECKS
        )
        for addresses in ranges:
            found[table.network] = found.get(table.network, NO_ADDRESSES) | addresses
    return found
