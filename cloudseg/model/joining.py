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
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cloudseg.model.machine_exits import MachineExits, merged
from cloudseg.model.resources import own_id
from cloudseg.model.rules import Pipeline
from cloudseg.model.same_machine import Machines, machine_of, stands_on
from cloudseg.model.topology import Interface, Masking
from cloudseg.traffic import NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    from cloudseg.model.estate import Estate
    from cloudseg.model.rules import Stage
    from cloudseg.model.topology import Exit, Network, Subnet

__all__ = ["join_clusters"]


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
        if interface.network in estate.networks and machine_of(interface) in cluster.machines
    ]
    homes = {interface.network for interface in carriers}
    masking = cluster.masking or Masking(applies=None)
    bearers = _Bearers(i for _, i in sorted(estate.interfaces.items()) if i.network in homes)
    if masking.unlisted:
        bearers.add_subnets(each for _, each in sorted(estate.subnets.items()) if each.network in homes)
    own = (cluster.provider, cluster.scope)
    pods = [i for _, i in sorted(estate.interfaces.items()) if i.is_pod and (i.provider, i.scope) == own]
    exits = MachineExits(estate, cluster, carriers)
    sent: dict[str, Interface] = {}
    if carriers:
        inner = [each for each in pods if each.role != "host" and not bearers.parts(each)]
        sent = exits.sent_on(inner, [estate.networks[name] for name in homes if name is not None])
        estate = dataclasses.replace(estate, interfaces={**estate.interfaces, **sent})
    if not any(bearers.parts(pod) for pod in pods):
        return estate
    interfaces = dict(estate.interfaces)
    taken: defaultdict[str, AddressSet] = defaultdict(lambda: NO_ADDRESSES)
    joined: list[Interface] = []
    for pod in pods:
        parts = bearers.parts(pod) or ([] if pod.id in sent else _anywhere(pod, carriers))
        if not parts:
            continue
        del interfaces[pod.id]
        joined += (moved := list(_moved(pod, parts, exits)))
        interfaces |= {each.id: each for each in moved}
        if pod.role != "host":
            for bearer, addresses in parts:
                taken[bearer.id] |= addresses
    places = frozenset(each.network or "" for each in joined)
    stages = estate.pipelines[cluster.pipeline].ingress
    if not joined or any(_clash(stages, estate.pipelines[estate.networks[name].pipeline].ingress) for name in places):
        return estate
    for identifier, addresses in taken.items():
        if identifier not in interfaces:
            continue
        bearer = interfaces[identifier]
        # What is left of it are the machine's own addresses, and those kept for pods to come.
        interfaces[identifier] = msgspec.structs.replace(bearer, addresses=bearer.addresses - addresses)
    machines = Machines(cluster, joined, carriers)
    interfaces |= {each.id: each for each in machines.labelled(interfaces)}
    return _with_stages(estate, cluster, interfaces, places, machines)


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
        self._subnets: list[Interface] = []

    def add_subnets(self, subnets: Iterable[Subnet]) -> None:
        """Let what no interface bears stand in the subnet that holds it; what its machine's carries may judge it, too.

        Source: https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-pod-subnet
        """
        self._subnets.extend(
            Interface(
                id=f"{subnet.id}/pods",
                kind="network-interface",
                network=subnet.network,
                subnet=subnet.id,
                addresses=subnet.addresses,
                attached_unread=True,
                role="branch",
                derived=True,
            )
            for subnet in subnets
        )

    def _around(self, text: str) -> Interface | None:
        """Return what stands for a subnet that holds an address; None where none does."""
        return next((each for each in self._subnets if each.addresses.has(text)), None)

    def parts(self, pod: Interface) -> list[_Part]:
        """Return the addresses of a pod by the interface that bears them; none where not all are found."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        bearers: dict[str, Interface] = {}
        for text, family, number in _single(pod.addresses):
            bearer = self._at(family, number) or self._around(text)
            if bearer is None:
                return []
            bearers[bearer.id] = bearer
            found[bearer.id].append(text)
        return [_Part(bearers[key], AddressSet.from_cidrs(texts)) for key, texts in sorted(found.items())]

    def _at(self, family: int, number: int) -> Interface | None:
        place = bisect_right(self._starts, (family, number)) - 1
        if place < 0:
            return None
        known, first, last, bearer = self._runs[place]
        return bearer if known == family and first <= number <= last else None


def _single(addresses: AddressSet) -> Iterator[tuple[str, int, int]]:
    """Yield each address by itself, as text, family and number; pods have few."""
    from cloudseg.traffic.cidr import address_text

    for family, numbers in ((4, addresses.v4), (6, addresses.v6)):
        for first, last in numbers.intervals:
            for number in range(first, last + 1):
                yield address_text(family, number), family, number


class _Place(NamedTuple):
    """What tells the places of pods apart: where they stand, with which groups, and how packets leave."""

    subnet: str
    attached: frozenset[str]
    unread: bool
    leaving: Hashable


def _moved(pod: Interface, parts: Sequence[_Part], exits: MachineExits) -> Iterator[Interface]:
    """Yield the pods of a workload as interfaces of the cloud, one for each place that is told apart there."""
    places: defaultdict[_Place, list[tuple[_Part, Exit | None]]] = defaultdict(list)
    for part in parts:
        bearer, way_out = part.bearer, exits.of(pod, part.bearer)
        place = _Place(bearer.subnet or "", bearer.attached, bearer.attached_unread, exits.sort_of(way_out))
        places[place].append((part, way_out))
    names = _names(places)
    for place, own in places.items():
        addresses = public = NO_ADDRESSES
        for part, _ in own:
            addresses |= part.addresses
            public |= part.addresses & part.bearer.public
        bearer = own[0][0].bearer
        yield msgspec.structs.replace(
            pod,
            id=pod.id if len(places) == 1 else f"{pod.id}@{names[place]}",
            network=bearer.network,
            subnet=bearer.subnet,
            addresses=addresses,
            public=public,
            # Which private address of an interface a public one stands for is not told here.
            public_unlisted=None if any(part.bearer.public.v4 for part, _ in own) else False,
            # Nor whether what is lent to the machine stands for pods as well.
            lent_unlisted=None if any(_lends(part.bearer) for part, _ in own) else False,
            attached=place.attached,
            attached_unread=pod.attached_unread or place.unread,
            labels={**pod.labels, **stands_on(pod, bearer)},
            exit=merged(way_out for _, way_out in own),
            other_exit=merged(exits.of_other_family(pod, part.bearer) for part, _ in own),
        )


def _names(places: Mapping[_Place, Sequence[tuple[_Part, Exit | None]]]) -> dict[_Place, str]:
    """Return a name for each place: its subnet, with its groups and the way out where that does not tell it apart."""
    subnets = Counter(place.subnet for place in places)
    here = Counter((place.subnet, place.attached, place.unread) for place in places)
    found: dict[_Place, str] = {}
    for place, own in places.items():
        name = own_id(place.subnet)
        groups = ",".join(sorted(map(own_id, place.attached)))
        if len({each[1:3] for each in places if each.subnet == place.subnet}) > 1:
            name = f"{name}/{groups}, not read in full" if place.unread else f"{name}/{groups}"
        if subnets[place.subnet] > 1 and here[place.subnet, place.attached, place.unread] > 1:
            name = f"{name}, out by {min(_by(part, way_out) for part, way_out in own)}"
        found[place] = name
    return found


def _by(part: _Part, way_out: Exit | None) -> str:
    """Return the first interface by which packets leave, in words."""
    return own_id(part.bearer.id if way_out is None or not way_out.interfaces else way_out.interfaces[0])


def _with_stages(
    estate: Estate, cluster: Network, interfaces: Mapping[str, Interface], homes: frozenset[str], machines: Machines
) -> Estate:
    """Return the estate with the stages of a cluster behind those of the networks that its pods stand in."""
    networks, pipelines = dict(estate.networks), dict(estate.pipelines)
    groups, rule_sets = {**estate.groups, **machines.groups}, dict(estate.rule_sets)
    for name in sorted(homes):
        network = networks[name]
        own = pipelines[network.pipeline]
        both = _behind(own, pipelines[cluster.pipeline])
        pipelines[both.name] = both
        networks[name] = msgspec.structs.replace(network, pipeline=both.name)
        for stage in own.stages("ingress"):
            # What stays on one machine passes neither its interface nor the boundary of its subnet.
            if stage.at in {"interface", "subnet"}:
                rule_sets |= {beside.id: beside for beside in machines.beside(stage)}
    return dataclasses.replace(
        estate, networks=networks, pipelines=pipelines, interfaces=interfaces, groups=groups, rule_sets=rule_sets
    )


def _behind(cloud: Pipeline, cluster: Pipeline) -> Pipeline:
    """Return the stages of a cloud's network, and behind those of its interfaces the stages of a cluster.

    What a cluster accepts it accepts for good, so that nothing may come behind it but the boundaries of subnets that
    packets meet on their way.
    """
    ingress = (*cloud.ingress, *_new(cluster.ingress, cloud.ingress))
    inner = [stage for stage in cloud.egress if stage.at != "subnet-boundary"]
    outer = [stage for stage in cloud.egress if stage.at == "subnet-boundary"]
    egress = (*inner, *_new(cluster.egress, cloud.egress), *outer)
    return Pipeline(name=f"{cloud.name}, {cluster.name}", ingress=ingress, egress=egress)


def _new(stages: Iterable[Stage], known: Iterable[Stage]) -> Iterator[Stage]:
    names = {stage.name for stage in known}
    return (stage for stage in stages if stage.name not in names)


def _lends(interface: Interface) -> bool:
    """Tell whether a public address is lent, or may be lent, to an interface."""
    return bool(interface.lent) or interface.lent_unlisted is not False
