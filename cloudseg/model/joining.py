"""Clusters in the cloud networks that carry them: a pod that bears the address of an interface stands where that does.

Where the network plugin gives pods addresses of the cloud, their packets meet the groups of the interface that bears
the address, the boundary of its subnet and its routes, as those of any other machine; the policies of the cluster
decide besides. So such pods are moved into that network, and its stages are followed by those of the cluster. Pods of
one workload whose interfaces differ in that become one end each.

Sources: https://docs.aws.amazon.com/eks/latest/best-practices/vpc-cni.html and
https://docs.aws.amazon.com/eks/latest/userguide/security-groups-for-pods.html
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model.identity import Group
from cloudseg.model.peers import Addresses, GroupRef
from cloudseg.model.resources import own_id, qualified
from cloudseg.model.rules import Pipeline, Rule, RuleSet
from cloudseg.model.selectors import AnyOf, Labelled
from cloudseg.traffic import ALL_IPV4, ALL_TRAFFIC, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.model.estate import Estate
    from cloudseg.model.resources import Direction
    from cloudseg.model.rules import Stage
    from cloudseg.model.topology import Interface, Network

__all__ = ["join_clusters"]

_BY_MACHINE: Final = "pod/by-machine"
"""The label of a pod whose packets may leave the network by another interface of its machine than its own; its
value is the network."""
_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")


def join_clusters(estate: Estate) -> Estate:
    """Return the estate with the pods of each cluster in the cloud network whose addresses they bear.

    A cluster is joined to the networks of the machines that carry it, where those were read, if any of its pods bears
    an address of theirs; workloads without pods may then get them on every machine. Pods whose addresses nothing in
    these networks bears stay in a network of their own, as in overlays; so do those of a cluster that shares a network
    with another one whose policies are evaluated in another way.
    """
    for _, cluster in sorted(estate.networks.items()):
        if cluster.machines:
            estate = _joined(estate, cluster)
    return estate


def _joined(estate: Estate, cluster: Network) -> Estate:
    carriers = [
        interface
        for _, interface in sorted(estate.interfaces.items())
        if interface.network in estate.networks and own_id(interface.workload or "::") in cluster.machines
    ]
    homes = {interface.network for interface in carriers}
    bearers = _Bearers(i for _, i in sorted(estate.interfaces.items()) if i.network in homes)
    own = (cluster.provider, cluster.scope)
    pods = [i for _, i in sorted(estate.interfaces.items()) if i.is_pod and (i.provider, i.scope) == own]
    if not any(bearers.parts(pod) for pod in pods):
        return estate
    interfaces = dict(estate.interfaces)
    taken: defaultdict[str, AddressSet] = defaultdict(lambda: NO_ADDRESSES)
    joined: list[Interface] = []
    for pod in pods:
        parts = bearers.parts(pod) or _anywhere(pod, carriers)
        if not parts:
            continue
        del interfaces[pod.id]
        joined += (moved := [_marked(each, parts, carriers) for each in _moved(pod, parts)])
        interfaces |= {each.id: each for each in moved}
        if pod.role != "host":
            for bearer, addresses in parts:
                taken[bearer.id] |= addresses
    places = frozenset(each.network or "" for each in joined)
    inner = estate.pipelines[cluster.pipeline].ingress
    if not joined or any(_clash(inner, estate.pipelines[estate.networks[name].pipeline].ingress) for name in places):
        return estate
    for identifier, addresses in taken.items():
        bearer = interfaces[identifier]
        # What is left of it are the machine's own addresses, and those kept for pods to come.
        interfaces[identifier] = msgspec.structs.replace(bearer, addresses=bearer.addresses - addresses)
    return _with_stages(estate, cluster, interfaces, places)


def _clash(stages: Iterable[Stage], known: Iterable[Stage]) -> bool:
    """Tell whether stages of one name are evaluated in different ways."""
    others = {stage.name: stage for stage in known}
    return any(others.get(stage.name, stage) != stage for stage in stages)


def _anywhere(pod: Interface, carriers: Sequence[Interface]) -> list[_Part]:
    """Return the places where the pods of a workload may come to stand that has none now; none for one that has."""
    return [] if pod.addresses else [_Part(carrier, NO_ADDRESSES) for carrier in carriers]


class _Part(NamedTuple):
    """Addresses of a pod, and the interface that bears them; none where the pod is yet to come."""

    bearer: Interface
    addresses: AddressSet


class _Bearers:
    """Finds the interfaces that bear addresses."""

    def __init__(self, interfaces: Iterable[Interface]) -> None:
        runs = [
            (family, first, last, interface)
            for interface in interfaces
            if not interface.is_pod
            for family, numbers in ((4, interface.addresses.v4), (6, interface.addresses.v6))
            for first, last in numbers.intervals
        ]
        runs.sort(key=lambda run: (*run[:3], run[3].id))
        self._runs = runs
        self._starts = [run[:2] for run in runs]

    def parts(self, pod: Interface) -> list[_Part]:
        """Return the addresses of a pod by the interface that bears them; none where not all are found."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        bearers: dict[str, Interface] = {}
        for text, family, number in _single(pod.addresses):
            place = bisect_right(self._starts, (family, number)) - 1
            if place < 0:
                return []
            known, first, last, bearer = self._runs[place]
            if known != family or not first <= number <= last:
                return []
            bearers[bearer.id] = bearer
            found[bearer.id].append(text)
        return [_Part(bearers[key], AddressSet.from_cidrs(texts)) for key, texts in sorted(found.items())]


def _single(addresses: AddressSet) -> Iterator[tuple[str, int, int]]:
    """Yield each address by itself, as text, family and number; pods have few."""
    from cloudseg.traffic.cidr import address_text

    for family, numbers in ((4, addresses.v4), (6, addresses.v6)):
        for first, last in numbers.intervals:
            for number in range(first, last + 1):
                yield address_text(family, number), family, number


def _moved(pod: Interface, parts: Sequence[_Part]) -> Iterator[Interface]:
    """Yield the pods of a workload as interfaces of the cloud, one for each place that is told apart there."""
    places: defaultdict[tuple[str, frozenset[str], bool], list[_Part]] = defaultdict(list)
    for part in parts:
        bearer = part.bearer
        places[bearer.subnet or "", bearer.attached, bearer.attached_unread].append(part)
    alone = len(places) == 1
    subnets = [subnet for subnet, _, _ in places]
    for (subnet, attached, unread), own in places.items():
        addresses = public = NO_ADDRESSES
        for part in own:
            addresses |= part.addresses
            public |= part.addresses & part.bearer.public
        mark = own_id(subnet)
        if subnets.count(subnet) > 1:
            groups = ",".join(sorted(map(own_id, attached)))
            mark = f"{mark}/{groups}, not read in full" if unread else f"{mark}/{groups}"
        bearer = own[0].bearer
        yield msgspec.structs.replace(
            pod,
            id=pod.id if alone else f"{pod.id}@{mark}",
            network=bearer.network,
            subnet=bearer.subnet,
            addresses=addresses,
            public=public,
            # What leaves for the internet bears the address of the machine, whichever that is.
            public_unlisted=None if any(part.bearer.public.v4 for part in own) else False,
            attached=attached,
            attached_unread=pod.attached_unread or unread,
        )


def _marked(pod: Interface, parts: Sequence[_Part], carriers: Sequence[Interface]) -> Interface:
    """Return a pod with a mark if its machine has other interfaces that meet other groups or stand elsewhere.

    What a pod sends to IPv4 addresses outside of the network leaves by the first interface of its machine, under the
    address of that and by its groups, unless the plugin is told otherwise; which interface is the first was not read.
    Source: https://docs.aws.amazon.com/eks/latest/userguide/external-snat.html and
    https://docs.aws.amazon.com/eks/latest/userguide/cni-custom-network.html
    """
    machines = {part.bearer.workload for part in parts}
    others = {(each.subnet, each.attached) for each in carriers if each.workload in machines}
    if pod.role == "host" or not pod.addresses.v4 or others <= {(pod.subnet, pod.attached)}:
        return pod
    return msgspec.structs.replace(pod, labels={**pod.labels, _BY_MACHINE: pod.network or ""})


def _with_stages(
    estate: Estate, cluster: Network, interfaces: Mapping[str, Interface], homes: frozenset[str]
) -> Estate:
    """Return the estate with the stages of a cluster behind those of the networks that its pods stand in."""
    networks, pipelines = dict(estate.networks), dict(estate.pipelines)
    groups, rule_sets = dict(estate.groups), dict(estate.rule_sets)
    everyone = _every_pod(cluster)
    groups[everyone.id] = everyone
    for name in sorted(homes):
        network = networks[name]
        own = pipelines[network.pipeline]
        both = _behind(own, pipelines[cluster.pipeline])
        pipelines[both.name] = both
        networks[name] = msgspec.structs.replace(network, pipeline=both.name)
        for stage in own.stages("ingress"):
            if stage.at == "interface" and stage.match == "any":
                for beside in (_same_machine(cluster, stage, everyone), _by_machine(cluster, stage, network)):
                    rule_sets[beside.id] = beside
    return dataclasses.replace(
        estate, networks=networks, pipelines=pipelines, interfaces=interfaces, groups=groups, rule_sets=rule_sets
    )


def _behind(cloud: Pipeline, cluster: Pipeline) -> Pipeline:
    """Return the stages of a cloud's network, and behind those of its interfaces the stages of a cluster.

    What a cluster accepts it accepts for good, so that nothing may come behind it but the boundaries of subnets, which
    packets meet on their way.
    """
    ingress = (*cloud.ingress, *_new(cluster.ingress, cloud.ingress))
    inner = [stage for stage in cloud.egress if stage.at == "interface"]
    outer = [stage for stage in cloud.egress if stage.at != "interface"]
    egress = (*inner, *_new(cluster.egress, cloud.egress), *outer)
    return Pipeline(name=f"{cloud.name}, {cluster.name}", ingress=ingress, egress=egress)


def _new(stages: Iterable[Stage], known: Iterable[Stage]) -> Iterator[Stage]:
    names = {stage.name for stage in known}
    return (stage for stage in stages if stage.name not in names)


def _every_pod(cluster: Network) -> Group:
    chosen = tuple(Labelled(key, "In", frozenset((cluster.scope,))) for key in ("pod/cluster", "pod/host-network"))
    identifier = qualified(cluster.provider, cluster.scope, "every pod")
    return Group(id=identifier, kind="pod-selector", selector=AnyOf(chosen), managed_by=cluster.provider)


def _same_machine(cluster: Network, stage: Stage, everyone: Group) -> RuleSet:
    """Return what passes beside a cloud's groups: pods on one machine talk without them, and who is where changes."""
    rules = tuple(
        Rule(
            id=f"{direction}.same-machine",
            direction=direction,
            verdict="next",
            traffic=ALL_TRAFFIC,
            remote=(GroupRef(everyone.id),),
            exact=False,
            description="pods on one machine reach each other without meeting its groups",
        )
        for direction in _DIRECTIONS
    )
    own = qualified(cluster.provider, cluster.scope, f"pods on one machine ({stage.name})")
    return RuleSet(
        id=own,
        kind="node-rule",
        stage=stage.name,
        rules=rules,
        applies=everyone.selector,
        managed_by=cluster.provider,
        isolates=frozenset(),
    )


def _by_machine(cluster: Network, stage: Stage, network: Network) -> RuleSet:
    """Return what leaves a network beside the groups of a pod: other interfaces of its machine may have others."""
    rule = Rule(
        id="egress.by-machine",
        direction="egress",
        verdict="next",
        traffic=ALL_TRAFFIC,
        remote=(Addresses(ALL_IPV4 - network.addresses),),
        exact=False,
        description="packets leave the network by the first interface of the machine, and meet its groups",
    )
    own = qualified(
        cluster.provider, cluster.scope, f"first interface of the machine ({stage.name} of {network.own_id})"
    )
    return RuleSet(
        id=own,
        kind="node-rule",
        stage=stage.name,
        rules=(rule,),
        applies=Labelled(_BY_MACHINE, "In", frozenset((network.id,))),
        network=network.id,
        managed_by=cluster.provider,
        isolates=frozenset(),
    )
