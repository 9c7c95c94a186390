"""Which segments the ends of conversations are in: those that people wrote, and those that are proposed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from cloudseg.intent.observations import End
    from cloudseg.intent.outsiders import OutsideSegment
    from cloudseg.intent.proposing import Proposed
    from cloudseg.intent.values import Allowance
    from cloudseg.segments import Segmentation
    from cloudseg.traffic import Traffic

__all__ = ["Allowed", "Parties"]


class Parties:
    """The segments of interfaces and of ends.

    Args:
        held: what the segments hold that people wrote.
        proposed: segments for interfaces that are in none of these.
    """

    def __init__(self, held: Segmentation, proposed: Iterable[Proposed]) -> None:
        self._held = held
        self._own = {each: made.segment.name for made in proposed for each in made.members}
        self._sizes = {name: len(members) for name, members in held.members.items()}

    def of_interface(self, interface: str) -> tuple[str, ...]:
        """Return the segments of an interface; none where nobody asked for one."""
        own = self._own.get(interface)
        return self._held.segments_of(interface) if own is None else (own,)

    def best_of(self, names: Sequence[str]) -> str:
        """Return the segment that says most of an end that is in several: the smallest, of equal ones the first."""
        return min(names, key=lambda name: (self._sizes.get(name, 0), names.index(name)))

    def of_ends(self, ends: Sequence[End], outside: Iterable[OutsideSegment] = ()) -> list[tuple[str, ...]]:
        """Return the segments of each end, by its place.

        An address outside is in every segment that stands for it; in ``internet`` as well, where that does.
        """
        named: dict[int, str] = {place: made.segment.name for made in outside for place in made.ends}
        found: list[tuple[str, ...]] = []
        for place, end in enumerate(ends):
            if end.interface:
                found.append(self.of_interface(end.interface))
                continue
            holding = [name for name, held in self._held.outside.items() if end.is_outside and end.addresses <= held]
            found.append((*holding, *((named[place],) if place in named else ())))
        return found


class Allowed:
    """What allowances allow between segments, whether they hold today or not."""

    def __init__(self, allow: Iterable[Allowance]) -> None:
        self._between: defaultdict[tuple[str, str], list[Allowance]] = defaultdict(list)
        for allowance in allow:
            self.add(allowance)

    def add(self, allowance: Allowance) -> None:
        """Add what another allowance allows."""
        for source in allowance.sources:
            for target in allowance.targets:
                self._between[source, target].append(allowance)

    def covers(self, sources: Collection[str], targets: Collection[str], traffic: Traffic) -> bool:
        """Tell whether all of some traffic is allowed from who is in all the sources to who is in all the targets.

        An allowance that is over covers it, too: that it ended was a decision, which nobody takes back but people.
        """
        left = traffic
        for source in sources:
            for target in targets:
                for allowance in self._between.get((source, target), ()):
                    left -= allowance.traffic
                    if not left:
                        return True
        return not left
