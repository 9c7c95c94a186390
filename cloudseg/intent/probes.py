"""Connectivity tests that belong to an intent: what must get through, and what must not although a neighbour may.

Of every allowance one pair of interfaces is tried, and for its port some who may not use it: who may open connections
to the initiator's segment, and so would skip a tier, and who may open others to the same target.
"""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cloudseg.segments import INTERNET
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.intent.matrix import IntentMatrix
    from cloudseg.model import Estate, Interface
    from cloudseg.traffic import Traffic

__all__ = ["PodOwner", "Probe", "Probes", "pod_owner", "probes_of"]

Expected = Literal["allowed", "blocked"]
_PROTOCOLS: Final = ("tcp", "udp")
_WIDE: Final = 1024
"""A range of so many ports says nothing of which of them somebody answers."""
_MEMBERS: Final = 8
"""Members of a segment among which a pair is looked for: they are alike."""
_BLOCKED: Final = 2
"""Pairs that must not get through, for each target and port."""
_EXECUTABLE: Final = {
    "Deployment": "deployment",
    "StatefulSet": "statefulset",
    "DaemonSet": "daemonset",
    "ReplicaSet": "replicaset",
    "Job": "job",
    "Pod": "pod",
}
"""What `kubectl exec` takes besides the name of a pod. Source:
https://kubernetes.io/docs/reference/kubectl/generated/kubectl_exec/"""

_OWNER: Final = re.compile(r"(?P<namespace>[^/]+)/(?P<name>.+)\[(?P<kind>\w+)\](?:@[^@]*)?\Z", re.DOTALL)
"""The id of a workload's pods, with the place where they stand behind it."""


class PodOwner(NamedTuple):
    """How to name the pods of a workload to `kubectl exec`.

    Attributes:
        cluster: the cluster.
        namespace: the namespace.
        resource: kind and name: ``deployment/web``.
    """

    cluster: str
    namespace: str
    resource: str


class Probe(NamedTuple):
    """One connection to try.

    Attributes:
        expected: whether it must get through.
        source_segment: the segment that opens it.
        target_segment: the segment that takes it.
        source: the interface that opens it; None for the internet.
        source_address: its address; empty for the internet.
        target: the interface that takes it.
        target_address: its address, as it was when the estate was read.
        protocol: ``tcp`` or ``udp``.
        port: the port.
        why: on what the expectation rests, for people.
    """

    expected: Expected
    source_segment: str
    target_segment: str
    source: Interface | None
    source_address: str
    target: Interface
    target_address: str
    protocol: str
    port: int
    why: str


class Probes(NamedTuple):
    """The connections to try.

    Attributes:
        probes: them, in order of the segments.
        untried: how many pairs of segments have an allowance of which nothing can be tried: nobody in a segment with an
            address, outside addresses at the far end, no port.
    """

    probes: tuple[Probe, ...]
    untried: int


class _Door(NamedTuple):
    """One port of a segment."""

    target: str
    protocol: str
    port: int


def probes_of(estate: Estate, matrix: IntentMatrix) -> Probes:
    """Return the connections by which an intent can be tried, in order of the segments."""
    found: list[Probe] = []
    opens: defaultdict[str, set[str]] = defaultdict(set)
    doors: defaultdict[_Door, set[str]] = defaultdict(set)
    untried = 0
    for source, target, traffic in matrix.pairs():
        opens[target].add(source)
        tried = [
            probe
            for protocol, port in _ports(traffic)
            for probe in _tried(estate, matrix, "allowed", source, _Door(target, protocol, port))
        ]
        found += tried
        untried += not tried
        for probe in tried:
            doors[_Door(target, probe.protocol, probe.port)].add(source)
    networks = {
        name: {estate.interfaces[each].network for each in members}
        for name, members in matrix.segmentation.members.items()
    }
    for door, sources in sorted(doors.items()):
        forbidden = (
            _tried(estate, matrix, "blocked", name, door) for name in _neighbours(door, sources, opens, networks)
        )
        found += islice(chain.from_iterable(forbidden), _BLOCKED)
    ordered = sorted(found, key=lambda each: (each.target_segment, each.protocol, each.port, each.expected, each[1]))
    return Probes(tuple(ordered), untried)


def pod_owner(interface: Interface) -> PodOwner | None:
    """Return how to name an interface's pods to `kubectl exec`; None where there is no way, or it is no pod."""
    told = _OWNER.match(interface.own_id) if interface.is_pod else None
    if told is None or told["kind"] not in _EXECUTABLE:
        return None
    return PodOwner(interface.scope, told["namespace"], f"{_EXECUTABLE[told['kind']]}/{told['name']}")


def _neighbours(
    door: _Door, allowed: Iterable[str], opens: Mapping[str, set[str]], networks: Mapping[str, set[str | None]]
) -> Iterator[str]:
    """Yield segments that may not use a port and lie near to it, the nearest first.

    Args:
        door: the port.
        allowed: the segments that may use it.
        opens: who may open anything to a segment.
        networks: the networks in which a segment has members.
    """
    before = [each for source in sorted(allowed) for each in sorted(opens.get(source, ()))]
    beside = sorted(opens[door.target])
    # Of the rest those that stand in the same network, and first those that may open anything at all.
    opening = {source for sources in opens.values() for source in sources}
    here = networks.get(door.target, set())
    others = sorted((name not in opening, name) for name, own in networks.items() if own & here)
    return (name for name in dict.fromkeys((*before, *beside, *(name for _, name in others))) if name != door.target)


def _tried(estate: Estate, matrix: IntentMatrix, expected: Expected, source: str, door: _Door) -> Iterator[Probe]:
    """Yield the connection of the first two members of which the intent says what is expected; none where none do."""
    targets = _addressed(estate, matrix.segmentation.members.get(door.target, ()))
    senders: Sequence[tuple[Interface | None, str]] = _addressed(estate, matrix.segmentation.members.get(source, ()))
    if source == INTERNET:
        senders = [(None, "")]
    for sender, own in senders:
        for target, address in targets:
            if sender is not None and (sender.id == target.id or (":" in own) != (":" in address)):
                continue
            starts = (INTERNET,) if sender is None else matrix.segmentation.segments_of(sender.id)
            allowed = matrix.for_segments(starts, matrix.segmentation.segments_of(target.id))
            if (door.port in allowed.ports_of(door.protocol)) == (expected == "allowed"):
                why = f"{source} to {door.target}: {door.protocol}/{door.port}"
                words = f"the intent allows {why}" if expected == "allowed" else f"no entry of the intent allows {why}"
                yield Probe(
                    expected, source, door.target, sender, own, target, address, door.protocol, door.port, words
                )
                return


def _addressed(estate: Estate, members: Iterable[str]) -> list[tuple[Interface, str]]:
    """Return the first members with an address of each family that they have."""
    found: list[tuple[Interface, str]] = []
    for name in islice(members, _MEMBERS):
        interface = estate.interfaces[name]
        families = AddressSet(v4=interface.addresses.v4), AddressSet(v6=interface.addresses.v6)
        found += [(interface, own.cidrs()[0].partition("/")[0]) for own in families if own]
    return found


def _ports(traffic: Traffic) -> Iterator[tuple[str, int]]:
    """Yield a port of each range that is narrow enough for somebody to listen there."""
    for name in _PROTOCOLS:
        for term in traffic.terms():
            protocol, _, ports = term.partition("/")
            if protocol != name or not ports:
                continue
            first, _, last = ports.partition("-")
            if int(last or first) - int(first) < _WIDE:
                yield name, int(first)
