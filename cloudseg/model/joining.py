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
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cloudseg.model.bearers import Bearers, Part
from cloudseg.model.machine_exits import MachineExits, merged
from cloudseg.model.resources import own_id
from cloudseg.model.routed_pods import OF_RANGE, RANGE, delivered, routed_ranges
from cloudseg.model.rules import Pipeline
from cloudseg.model.same_machine import Machines, machine_of, stands_on
from cloudseg.model.topology import Masking
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence

    from cloudseg.model.estate import Estate
    from cloudseg.model.rules import Stage
    from cloudseg.model.topology import Exit, Interface, Network
    from cloudseg.traffic import AddressSet

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
    bearers = Bearers(i for _, i in sorted(estate.interfaces.items()) if i.network in homes)
    routed = list(routed_ranges(estate, carriers)) if masking.routed else []
    bearers.add(routed)
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
        parts = bearers.parts(pod) or ([] if pod.id in sent else _anywhere(pod, [*carriers, *routed]))
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
    whole = estate.read("interfaces", cluster)
    interfaces = dict(_left(interfaces, taken, {each.id for each in carriers if whole and each.network in places}))
    networks, tables = delivered(estate, carriers, places, _union(taken[each.id] for each in routed))
    estate = dataclasses.replace(
        estate, networks={**estate.networks, **networks}, route_tables={**estate.route_tables, **tables}
    )
    machines = Machines(cluster, joined, [each for each in carriers if each.id in interfaces])
    interfaces |= {each.id: each for each in machines.labelled(interfaces)}
    return _with_stages(estate, cluster, interfaces, places, machines)


def _left(
    interfaces: Mapping[str, Interface], taken: Mapping[str, AddressSet], emptied: Collection[str]
) -> Iterator[tuple[str, Interface]]:
    """Yield the interfaces with the addresses that pods leave to them.

    These are the machine's own, and those kept for pods to come. Ranges of a machine hold pods alone, so that nothing
    stands behind one any more of which all pods are known.

    Args:
        interfaces: the interfaces by id.
        taken: what pods bear of them, by id.
        emptied: the interfaces of which all pods are known.
    """
    for identifier, interface in interfaces.items():
        if identifier in emptied and interface.role == RANGE:
            continue
        own = taken.get(identifier)
        left = interface if own is None else msgspec.structs.replace(interface, addresses=interface.addresses - own)
        yield identifier, left


def _clash(stages: Iterable[Stage], known: Iterable[Stage]) -> bool:
    """Tell whether stages of one name are evaluated in different ways."""
    others = {stage.name: msgspec.structs.replace(stage, part=0) for stage in known}
    return any(others.get(stage.name, stage) != stage for stage in stages)


def _anywhere(pod: Interface, carriers: Sequence[Interface]) -> list[Part]:
    """Return the places where the pods of a workload may come to stand that has none now; none for one that has.

    On a machine with ranges for its pods they get addresses of these, unless they bear those of the machine.
    """
    if pod.addresses:
        return []
    ranged = {machine_of(each) for each in carriers if each.role == RANGE}
    return [
        Part(each, NO_ADDRESSES)
        for each in carriers
        if (each.role == RANGE) == (pod.role != "host" and machine_of(each) in ranged)
    ]


def _union(some: Iterable[AddressSet]) -> AddressSet:
    found = NO_ADDRESSES
    for each in some:
        found |= each
    return found


class _Place(NamedTuple):
    """What tells the places of pods apart: where they stand, with which groups, and how packets leave.

    Addresses of a range beside those of the interface count as its members only where rules aim at them.
    """

    subnet: str
    attached: frozenset[str]
    unread: bool
    ranged: bool
    leaving: Hashable


def _moved(pod: Interface, parts: Sequence[Part], exits: MachineExits) -> Iterator[Interface]:
    """Yield the pods of a workload as interfaces of the cloud, one for each place that is told apart there."""
    places: defaultdict[_Place, list[tuple[Part, Exit | None]]] = defaultdict(list)
    for part in parts:
        bearer, way_out = part.bearer, exits.of(pod, part.bearer)
        ranged, leaving = bearer.role == RANGE, exits.sort_of(way_out)
        place = _Place(bearer.subnet or "", bearer.attached, bearer.attached_unread, ranged, leaving)
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
            labels={**pod.labels, **stands_on(pod, bearer), **(OF_RANGE if place.ranged else {})},
            exit=merged(way_out for _, way_out in own),
            other_exit=merged(exits.of_other_family(pod, part.bearer) for part, _ in own),
        )


def _names(places: Mapping[_Place, Sequence[tuple[Part, Exit | None]]]) -> dict[_Place, str]:
    """Return a name for each place: its subnet, with its groups and the way out where that does not tell it apart."""
    subnets = Counter(place.subnet for place in places)
    here = Counter(place[:4] for place in places)
    found: dict[_Place, str] = {}
    for place, own in places.items():
        name = own_id(place.subnet)
        groups = ",".join(sorted(map(own_id, place.attached)))
        if len({each[1:3] for each in places if each.subnet == place.subnet}) > 1:
            name = f"{name}/{groups}, not read in full" if place.unread else f"{name}/{groups}"
        if not place.ranged and any(each.ranged for each in places if each[:3] == place[:3]):
            name = f"{name}, of the interface itself"
        if subnets[place.subnet] > 1 and here[place[:4]] > 1:
            name = f"{name}, out by {min(_by(part, way_out) for part, way_out in own)}"
        found[place] = name
    return found


def _by(part: Part, way_out: Exit | None) -> str:
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
    packets meet on their way. What the cloud accepts for good meets the cluster's policies all the same.
    """
    ingress = (*cloud.ingress, *_new(cluster.ingress, cloud.ingress))
    inner = [stage for stage in cloud.egress if stage.at != "subnet-boundary"]
    outer = [stage for stage in cloud.egress if stage.at == "subnet-boundary"]
    egress = (*inner, *_new(cluster.egress, cloud.egress), *outer)
    return Pipeline(name=f"{cloud.name}, {cluster.name}", ingress=ingress, egress=egress)


def _new(stages: Iterable[Stage], known: Iterable[Stage]) -> Iterator[Stage]:
    names = {stage.name for stage in known}
    return (msgspec.structs.replace(stage, part=1) for stage in stages if stage.name not in names)


def _lends(interface: Interface) -> bool:
    """Tell whether a public address is lent, or may be lent, to an interface."""
    return bool(interface.lent) or interface.lent_unlisted is not False
