"""The segments of an estate: who belongs to which, which overlap, and what belongs to none."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.segments.choice import INTERNET, outside_named_by
from cloudseg.segments.index import InterfaceIndex
from cloudseg.segments.labels import DEFAULT_LABELS, Labels, LabelShare, label_shares, labels_of
from cloudseg.traffic import GLOBAL_UNICAST, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cloudseg.model import Estate
    from cloudseg.segments.choice import Segment

__all__ = ["OutsidePiece", "Overlap", "Segmentation", "resolve_segments", "segments_by_labels"]

_EXAMPLES: Final = 3
_NOTHING_SAID: Final = "-"


class Overlap(msgspec.Struct, frozen=True):
    """Two segments that share interfaces or outside addresses.

    Attributes:
        first: the one that comes first.
        second: the other.
        count: how many interfaces they share.
        examples: qualified ids of the first few of these.
        addresses: the outside addresses that they share.
    """

    first: str
    second: str
    count: int
    examples: tuple[str, ...] = ()
    addresses: AddressSet = NO_ADDRESSES


class OutsidePiece(NamedTuple):
    """Outside addresses that the same segments stand for; none of them, where ``segments`` is empty."""

    addresses: AddressSet
    segments: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Segmentation:
    """What the segments of an estate hold. The segment ``internet`` is always there, and holds no interface.

    Attributes:
        members: qualified ids of the interfaces of each segment, in order; only those that certainly belong to it. The
            segments stand in their own order, without ``internet``.
        outside: the outside addresses that a segment stands for; only segments that stand for some.
        unassigned: interfaces that certainly belong to no segment, or to one at most.
        uncertain: interfaces that may belong to a segment as well, because something about them was not read.
        labels: what the tags say that made a segment; empty for segments that people wrote.
        labelling: how many workloads show no application, tier or environment.
        served: the outside addresses at which hosts answer the machines on them: names, metadata, health. They stand
            for nobody whom a segment could mean, and are in no piece.
    """

    members: Mapping[str, tuple[str, ...]]
    outside: Mapping[str, AddressSet]
    unassigned: tuple[str, ...]
    uncertain: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict[str, tuple[str, ...]])
    labels: Mapping[str, Labels] = dataclasses.field(default_factory=dict[str, Labels])
    labelling: tuple[LabelShare, ...] = ()
    served: AddressSet = NO_ADDRESSES

    def __hash__(self) -> int:
        return id(self)

    @property
    def names(self) -> tuple[str, ...]:
        """The segments in their order, without ``internet``."""
        return tuple(self.members)

    def segments_of(self, interface: str) -> tuple[str, ...]:
        """Return the segments that an interface certainly belongs to, in their order; none for an unknown one."""
        return self._segments.get(interface, ())

    def split(self, addresses: AddressSet) -> tuple[OutsidePiece, ...]:
        """Return outside addresses in pieces, each with the segments that stand for all of it."""
        addresses -= self.served
        pieces = [OutsidePiece(addresses, ())] if addresses else []
        for name, held in self.outside.items():
            cut: list[OutsidePiece] = []
            for piece in pieces:
                if shared := piece.addresses & held:
                    cut.append(OutsidePiece(shared, (*piece.segments, name)))
                if rest := piece.addresses - held:
                    cut.append(OutsidePiece(rest, piece.segments))
            pieces = cut
        return tuple(pieces)

    @cached_property
    def empty(self) -> tuple[str, ...]:
        """The segments that certainly hold no interface and stand for no outside address."""
        return tuple(name for name in self.names if not self.members[name] and name not in self.outside)

    @cached_property
    def overlaps(self) -> tuple[Overlap, ...]:
        """The pairs of segments that share something; ``internet`` may be shared, and is left out."""
        shared: Counter[tuple[str, str]] = Counter()
        examples: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for interface in sorted(self._segments):
            for pair in combinations(self._segments[interface], 2):
                shared[pair] += 1
                if shared[pair] <= _EXAMPLES:
                    examples[pair].append(interface)
        found = dict.fromkeys(shared, NO_ADDRESSES)
        ranges = [(name, self.outside[name]) for name in self.names if name in self.outside]
        for (first, one), (second, other) in combinations(ranges, 2):
            if both := one & other:
                found[first, second] = both
        place = {name: position for position, name in enumerate(self.names)}
        return tuple(
            Overlap(*pair, shared[pair], tuple(examples[pair]), found[pair])
            for pair in sorted(found, key=lambda pair: (place[pair[0]], place[pair[1]]))
        )

    @cached_property
    def _segments(self) -> dict[str, tuple[str, ...]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name, held in self.members.items():
            for interface in held:
                found[interface].append(name)
        return {interface: tuple(names) for interface, names in found.items()}


def resolve_segments(
    segments: Iterable[Segment], estate: Estate, labels: Mapping[str, Sequence[str]] = DEFAULT_LABELS
) -> Segmentation:
    """Return what segments hold in an estate.

    Args:
        segments: the segments; their names differ.
        estate: the estate.
        labels: the tag keys that mean application, tier and environment, for the share of workloads without them.

    A segment stands for the outside addresses that it names by nothing but addresses. Those of the estate's own
    networks are left out, for whoever has one of them is an interface.

    Raises:
        ValueError: two segments bear one name, or one is called ``internet``.
    """
    index = InterfaceIndex(estate)
    inside = _inside(estate)
    members: dict[str, tuple[str, ...]] = {}
    uncertain: dict[str, tuple[str, ...]] = {}
    outside: dict[str, AddressSet] = {}
    for segment in segments:
        if segment.name in members or segment.name == INTERNET:
            raise ValueError(f"there are two segments {segment.name!r}")
        chosen = index.of_segment(segment)
        members[segment.name] = tuple(sorted(chosen.certain))
        if unknown := chosen.possible - chosen.certain:
            uncertain[segment.name] = tuple(sorted(unknown))
        if addresses := outside_named_by(segment) - inside:
            outside[segment.name] = addresses
    served = estate.served
    outside[INTERNET] = GLOBAL_UNICAST - inside - served
    return Segmentation(
        members=members,
        outside=outside,
        unassigned=_unassigned(estate, members),
        uncertain=uncertain,
        labelling=label_shares(estate, labels),
        served=served,
    )


def segments_by_labels(estate: Estate, labels: Mapping[str, Sequence[str]] = DEFAULT_LABELS) -> Segmentation:
    """Return the segments that tags make by themselves: one for each application, tier and environment that occurs.

    A segment is called ``application/tier/environment``: ``shop/web/prod``, or ``shop/-/prod`` where no tag tells the
    tier. An interface whose tags tell nothing belongs to none.

    Args:
        estate: the estate.
        labels: the tag keys that mean application, tier and environment.
    """
    members: defaultdict[Labels, list[str]] = defaultdict(list)
    for name in sorted(estate.interfaces):
        shown = labels_of(estate, estate.interfaces[name], labels)
        if any(shown):
            members[shown].append(name)
    named = {_name(shown): shown for shown in members}
    held = {name: tuple(members[named[name]]) for name in sorted(named)}
    served = estate.served
    return Segmentation(
        members=held,
        outside={INTERNET: GLOBAL_UNICAST - _inside(estate) - served},
        unassigned=_unassigned(estate, held),
        labels={name: named[name] for name in held},
        labelling=label_shares(estate, labels),
        served=served,
    )


def _unassigned(estate: Estate, members: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    assigned = {name for held in members.values() for name in held}
    return tuple(name for name in sorted(estate.interfaces) if name not in assigned)


def _inside(estate: Estate) -> AddressSet:
    inside = NO_ADDRESSES
    for network in estate.networks.values():
        inside |= network.addresses
    return inside


def _name(shown: Labels) -> str:
    return "/".join(_NOTHING_SAID if value is None else _escaped(value) for value in shown)


def _escaped(value: str) -> str:
    """Return a value in which nothing can be taken for the name's own punctuation."""
    return "%2D" if value == _NOTHING_SAID else value.replace("%", "%25").replace("/", "%2F")
