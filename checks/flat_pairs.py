"""Who talks within a network on a class of ports: the rules that let most of it pass, and one pair that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.checks.carriers import Carriers
from cloudseg.checks.part_flows import Pair
from cloudseg.checks.parts import Parts, Units
from cloudseg.reach.spread.talk import talk_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from numpy.typing import NDArray

    from cloudseg.checks.carriers import Carrier
    from cloudseg.checks.parts import Weights
    from cloudseg.reach.reachability import Reachability
    from cloudseg.reach.spread.bits import Bits
    from cloudseg.traffic import Traffic

__all__ = ["Within", "within_networks"]


class Within(NamedTuple):
    """What passes within a network on a class of ports.

    Attributes:
        carriers: rules that admit it, those that do for most pairs first.
        pair: a pair that can talk, a certain one where there is one, with what passes there.
        affected: qualified ids of the interfaces that are reached.
    """

    carriers: tuple[Carrier, ...]
    pair: Pair
    affected: tuple[str, ...]


def within_networks(
    reach: Reachability, networks: Mapping[str, Collection[str]], ports: Mapping[str, Traffic]
) -> Iterator[tuple[str, Within]]:
    """Yield for networks what passes within them on a class of ports each; none for those within which nothing does.

    Args:
        reach: reachability of the estate.
        networks: qualified ids of the interfaces of each network.
        ports: the class of ports for each network: any port, or those of administration.
    """
    names = list(networks)
    units = Units(reach, Parts({name: number for number, own in enumerate(networks.values()) for name in own}))
    search = _Search(reach, units)
    for number, (part, _) in enumerate(units.ends):
        found = search.within(units.run(number), ports[names[part]])
        if found is not None:
            yield names[part], found


class _Search:
    def __init__(self, reach: Reachability, units: Units) -> None:
        self._reach = reach
        self._units = units
        self._carriers = Carriers(reach, units, "ingress")

    def within(self, run: slice, ports: Traffic) -> Within | None:
        """Return what passes among some units; None for nothing."""
        first: int = run.start
        talk = talk_of(self._reach).talk[ports]
        pairs = self._pairs(talk.upper, run)
        if not pairs.any():
            return None
        surely = self._pairs(talk.lower, run)
        weights: dict[tuple[str, ...], Weights] = {}
        reached: list[int] = np.flatnonzero(pairs.any(axis=0)).tolist()
        for target in reached:
            lists = self._carriers.lists_of(first + target)
            if lists not in weights:
                weights[lists] = np.zeros(len(self._units.all), dtype=np.int64)
            weights[lists][run] += pairs[:, target]
        shown = surely if surely.any() else pairs
        one, other = divmod(int((shown > 0).argmax()), shown.shape[1])
        return Within(
            carriers=self._carriers.most(weights, run, ports),
            pair=self._pair(first + one, first + other, ports),
            affected=tuple(sorted(name for each in reached for name in self._units.all[first + each].members)),
        )

    def _pairs(self, bits: Bits, run: slice) -> NDArray[np.int64]:
        """Return by source and target how many pairs of their members can talk."""
        places, weight = self._units.place[run], self._units.weight[run]
        # A network's classes are neighbours in the order of addresses: only their part of the rows is unpacked.
        first, last = int(places.min()) >> 3, (int(places.max()) >> 3) + 1
        flags = np.unpackbits(bits[places, first:last], axis=1, bitorder="little")[:, places - first * 8]
        pairs: NDArray[np.int64] = flags * weight[:, None] * weight
        # From an interface to itself is no pair.
        pairs[np.diag_indices(len(weight))] -= flags.diagonal() * weight
        return pairs

    def _pair(self, source: int, target: int, ports: Traffic) -> Pair:
        one, other = self._units.all[source].members[0], self._units.all[target].members[-1]
        verdict = self._reach.between(one, other)
        return Pair(one, other, verdict.lower & ports or verdict.upper & ports)
