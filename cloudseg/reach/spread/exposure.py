"""The number for the board: how much of an estate can talk to how much of it, and how far an intruder gets.

A *pair* is an ordered pair of different interfaces that were read; it can talk when a packet of the class of ports
passes from the first to the second. The *exposure* is the number of pairs that can talk, divided by the number of pairs
that the intent names, or by the number of all pairs where there is no intent. It has no unit. Without an intent it lies
between 0 and 1; with one it is above 1 where more can talk than is meant to.

Where something is unknown there are two numbers: what is certain, and what there is at most. Any port stands for every
protocol but ICMP, whose messages reach no program.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from cloudseg.reach.end_names import end_name
from cloudseg.reach.spread.bits import planes_of, sums
from cloudseg.reach.spread.blast import Blast
from cloudseg.reach.spread.extents import Exposure, PortExposure
from cloudseg.reach.spread.talk import talk_of
from cloudseg.traffic.port_classes import ADMINISTRATION, ANY_PORT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Mapping

    from numpy.typing import NDArray

    from cloudseg.reach.reachability import Reachability
    from cloudseg.reach.spread.bits import Bits
    from cloudseg.reach.spread.talk import Talk, TalkGraph
    from cloudseg.traffic import Traffic

__all__ = ["Density", "Exposure", "Intended", "PortExposure", "density", "exposure_of"]


class Intended(NamedTuple):
    """What is meant to talk to what.

    Attributes:
        alike: returns what the intent knows of an interface, by its qualified id: its segments. It treats interfaces
            with equal answers equally.
        between: returns what one interface is meant to open to another, by their qualified ids. It is asked once for
            every two answers of ``alike``, so that the cost grows with segments and not with interfaces; the interfaces
            may then be the same one, which stands for two that are alike.
    """

    alike: Callable[[str], Hashable]
    between: Callable[[str, str], Traffic]


class Density(msgspec.Struct, frozen=True):
    """How many pairs within a group of interfaces can talk.

    Attributes:
        interfaces: interfaces of the group.
        pairs: ordered pairs of different interfaces of the group.
        any_port: pairs that certainly can talk on any port, or by any protocol but ICMP.
        any_port_at_most: pairs that can at most.
        administration: pairs that certainly can talk on a port that gives control over a machine.
        administration_at_most: pairs that can at most.
    """

    interfaces: int
    pairs: int
    any_port: int
    any_port_at_most: int
    administration: int
    administration_at_most: int

    def share(self, talking: int) -> float:
        """Return a number of pairs as a share of all pairs of the group: 0 to 1, and 0 without a pair."""
        return talking / self.pairs if self.pairs else 0.0


def exposure_of(reach: Reachability, intended: Intended | None = None) -> Exposure:
    """Return the exposure of an estate.

    Args:
        reach: reachability of the estate.
        intended: what is meant to talk to what; without it all pairs are what the exposure is a share of.
    """
    graph, estate = talk_of(reach), reach.estate
    every = [_of_ports(reach, graph, ports, intended) for ports in (ANY_PORT, ADMINISTRATION)]
    spreads = (spread for each in every for spread in (each.blast_radius, each.blast_radius_at_most))
    worst = {name for spread in spreads for name in spread.worst_at}
    return Exposure(
        interfaces=len(estate.interfaces),
        by_intent=intended is not None,
        any_port=every[0],
        administration=every[1],
        names={each: name for each in sorted(worst) if (name := end_name(estate.interfaces[each], estate))},
    )


def _of_ports(reach: Reachability, graph: TalkGraph, ports: Traffic, intended: Intended | None) -> PortExposure:
    talk, sizes = graph.talk[ports], graph.sizes
    everywhere = np.arange(len(sizes), dtype=np.intp)
    least, most = _bounds(talk, everywhere, sizes)
    of = _pairs_of(len(reach.estate.interfaces)) if intended is None else _named(intended, graph, ports)
    blast = Blast(reach, ports).summary()
    return PortExposure(
        pairs=least,
        pairs_at_most=most,
        of=of,
        share=round(least / of, 6) if of else None,
        share_at_most=round(most / of, 6) if of else None,
        from_internet=int(sizes[talk.internet_lower].sum()),
        from_internet_at_most=int(sizes[talk.internet_upper].sum()),
        one_step=blast.one_step,
        one_step_at_most=blast.one_step_at_most,
        blast_radius=blast.transitive,
        blast_radius_at_most=blast.transitive_at_most,
    )


def _pairs_of(interfaces: int) -> int:
    return interfaces * (interfaces - 1)


def _named(intended: Intended, graph: TalkGraph, ports: Traffic) -> int:
    """Return how many pairs the intent names for a class of ports."""
    counts: Counter[Hashable] = Counter()
    examples: dict[Hashable, str] = {}
    for name in graph.estate.interfaces:
        key = intended.alike(name)
        counts[key] += 1
        examples.setdefault(key, name)
    return sum(
        counts[source] * (counts[target] - (source == target))
        for source in counts
        for target in counts
        if intended.between(examples[source], examples[target]).overlaps(ports)
    )


def density(reach: Reachability, groups: Mapping[str, Collection[str]]) -> dict[str, Density]:
    """Return for each group of interfaces how many pairs within it can talk. All groups share one run over all pairs.

    Args:
        reach: reachability of the estate.
        groups: qualified ids of interfaces by the name of the group; an interface may belong to several.

    Raises:
        KeyError: there is no such interface.
    """
    graph = talk_of(reach)
    return {name: _density(graph, set(interfaces)) for name, interfaces in groups.items()}


def _density(graph: TalkGraph, interfaces: Collection[str]) -> Density:
    counts = Counter(graph.number_of[name] for name in interfaces)
    numbers = np.array(sorted(counts), dtype=np.intp)
    weights = np.array([counts[int(number)] for number in numbers], dtype=np.int64)
    return Density(
        len(interfaces),
        _pairs_of(len(interfaces)),
        *_bounds(graph.talk[ANY_PORT], numbers, weights),
        *_bounds(graph.talk[ADMINISTRATION], numbers, weights),
    )


def _bounds(talk: Talk, numbers: NDArray[np.intp], weights: NDArray[np.int64]) -> tuple[int, int]:
    """Return how many pairs among members of some classes can talk, certainly and at most.

    Args:
        talk: who can talk to whom.
        numbers: the classes, in order.
        weights: how many members of each count.
    """
    most = _talking(talk.upper, numbers, weights)
    return (most if talk.lower is talk.upper else _talking(talk.lower, numbers, weights)), most


def _talking(bits: Bits, numbers: NDArray[np.intp], weights: NDArray[np.int64]) -> int:
    if not len(numbers):
        return 0
    # Neighbours in the order of addresses mostly belong together: only their part of the rows is looked at.
    first, last = int(numbers[0]) >> 3, (int(numbers[-1]) >> 3) + 1
    among: NDArray[np.int64] = np.zeros((last - first) * 8, dtype=np.int64)
    among[numbers - first * 8] = weights
    rows = bits[numbers, first:last]
    reached = int(sums(rows, planes_of(among)) @ weights)
    # From an interface to itself is no pair.
    itself = rows[np.arange(len(numbers)), (numbers >> 3) - first] >> (numbers & 7) & 1
    return reached - int(itself.astype(np.int64) @ weights)
