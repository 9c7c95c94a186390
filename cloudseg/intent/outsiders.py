"""Ends outside of an estate: who counts as the internet, and ranges with a name for the others."""

from __future__ import annotations

from collections import defaultdict
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.intent.proposing import free_name
from cloudseg.segments import INTERNET, Choice, Segment
from cloudseg.traffic import GLOBAL_UNICAST, NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.intent.facts import Use
    from cloudseg.intent.observations import End
    from cloudseg.model import Entrance, Estate

__all__ = ["WEB", "Crowd", "OutsideSegment", "named_ranges", "public_traffic"]

WEB: Final = Traffic.parse("tcp/80, tcp/443, udp/443")
"""What declared public services serve: HTTP and its newer form over UDP. See
https://www.rfc-editor.org/rfc/rfc9114#section-3.1"""
_HTTP_DOORS: Final = frozenset(("ingress", "gateway-route"))
_MOST: Final = 32
"""More ranges than these for one segment and port are nothing that people review one by one."""


class OutsideSegment(NamedTuple):
    """A segment that is proposed for addresses outside.

    Attributes:
        segment: the segment.
        ends: the ends that it stands for, as places among the ends.
    """

    segment: Segment
    ends: tuple[int, ...]


class Crowd(NamedTuple):
    """Too many addresses outside that do the same.

    Attributes:
        use: what they do.
        ends: the ends, as places among the ends.
        ranges: how many ranges they make.
    """

    use: Use
    ends: frozenset[int]
    ranges: int


def public_traffic(estate: Estate, declared: Iterable[str] = ("exposure=public",)) -> Mapping[str, Traffic]:
    """Return what is declared to serve everybody on the internet, by qualified id of the interface.

    That is what load balancers accept which are declared to face it, what a cluster takes in as HTTP, what other ways
    in lead to the ports of the web, and the web ports of what bears a tag.

    Args:
        estate: the estate.
        declared: tags, each as ``key=value``, that declare a workload to serve the internet.
    """
    tags = [(key, value) for key, equals, value in (text.partition("=") for text in declared) if equals]
    found: defaultdict[str, Traffic] = defaultdict(lambda: NO_TRAFFIC)
    for interface in estate.interfaces.values():
        owner = estate.owner_of(interface)
        borne = interface.tags if owner is None else {**interface.tags, **owner.tags}
        if any(borne.get(key) == value for key, value in tags):
            found[interface.id] |= WEB
        if owner is not None and getattr(owner, "internet_facing", None) is True:
            accepts = estate.forwarders[owner.id].accepts if owner.id in estate.forwarders else None
            found[interface.id] |= WEB if accepts is None else accepts
    for interface in estate.interfaces.values():
        for entrance in estate.entrances_to(interface):
            if entrance.active is not False and _serves_all(entrance):
                found[interface.id] |= entrance.traffic
    return found


def _serves_all(entrance: Entrance) -> bool:
    """Tell whether a way in is there for everybody: one for HTTP, or one at the ports of the web."""
    return entrance.kind in _HTTP_DOORS or (entrance.traffic if entrance.listens is None else entrance.listens) <= WEB


def named_ranges(
    uses: Mapping[int, frozenset[Use]], ends: Sequence[End], standing: Sequence[tuple[str, ...]], taken: set[str]
) -> tuple[tuple[OutsideSegment, ...], tuple[Crowd, ...]]:
    """Return segments for addresses outside that are in none, and the crowds that are too large for any.

    Addresses that do the same, under one name, share a segment, so that no two overlap and each stands for its own
    addresses alone.

    Args:
        uses: what each end outside does, by its place.
        ends: the ends.
        standing: the segments of each end, by its place: who is in one beside the internet needs none.
        taken: the names that other segments have; those of the new ones are added.
    """
    crowds = tuple(_crowds(uses, ends))
    crowded = {crowd.use for crowd in crowds}
    together: defaultdict[tuple[str, tuple[Use, ...]], list[int]] = defaultdict(list)
    for place, done in uses.items():
        left = tuple(sorted(done - crowded))
        if left and not set(standing[place]) - {INTERNET}:
            together[ends[place].name, left].append(place)
    made = [(name, _union(ends[place] for place in places), places) for (name, _), places in together.items()]
    found: list[OutsideSegment] = []
    for name, addresses, places in sorted(made, key=lambda each: (each[0], _order(each[1]))):
        own = free_name(name or _called(addresses), taken)
        found.append(OutsideSegment(Segment(name=own, choice=Choice(addresses=addresses)), tuple(sorted(places))))
    return tuple(found), crowds


def _crowds(uses: Mapping[int, frozenset[Use]], ends: Sequence[End]) -> Iterator[Crowd]:
    doing: defaultdict[Use, list[int]] = defaultdict(list)
    for place, done in uses.items():
        for each in done:
            doing[each].append(place)
    for use, places in sorted(doing.items()):
        ranges = len(_union(ends[place] for place in places).cidrs()) if len(places) > _MOST else 0
        if ranges > _MOST:
            yield Crowd(use, frozenset(places), ranges)


def _union(ends: Iterable[End]) -> AddressSet:
    return AddressSet.from_cidrs(cidr for end in ends for cidr in end.addresses.cidrs())


def _called(addresses: AddressSet) -> str:
    where = "outside" if addresses <= GLOBAL_UNICAST else "private"
    first, *rest = (_shown(cidr) for cidr in addresses.cidrs())
    return f"{where} {first}" + (f" and {len(rest)} more" if rest else "")


def _shown(cidr: str) -> str:
    network = ip_network(cidr)
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def _order(addresses: AddressSet) -> list[tuple[int, int]]:
    networks = (ip_network(cidr) for cidr in addresses.cidrs())
    return [(network.version, int(ip_address(network.network_address))) for network in networks]
