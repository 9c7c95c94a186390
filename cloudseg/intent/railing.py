"""Guard rails between segments: who needs them, and which of them nothing allows yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.intent.parties import Allowed
from cloudseg.intent.proposing import free_name
from cloudseg.intent.values import Allowance
from cloudseg.segments import INTERNET, Choice, Segment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cloudseg.intent.guard_rails import GuardRail
    from cloudseg.intent.parties import Parties
    from cloudseg.segments import Segmentation
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["Rail", "between_segments", "checker_segments", "missing_rails"]


class Rail(NamedTuple):
    """A guard rail between segments.

    Attributes:
        sources: the segments that open connections, in order.
        targets: the segments that take them, in order.
        traffic: the traffic.
        words: why, on one line.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    traffic: Traffic
    words: str


def checker_segments(
    rails: Iterable[GuardRail], held: Segmentation, taken: set[str]
) -> tuple[Mapping[AddressSet, str], tuple[Segment, ...]]:
    """Return the names of segments for the addresses that guard rails name, and those of them that are new.

    Args:
        rails: the guard rails.
        held: what segments hold that people wrote: one that stands for the addresses is taken.
        taken: the names that other segments have; those of the new ones are added.
    """
    names: dict[AddressSet, str] = {}
    new: list[Segment] = []
    for rail in rails:
        addresses = rail.addresses
        if not addresses or addresses in names:
            continue
        standing = [name for name, own in held.outside.items() if name != INTERNET and addresses <= own]
        names[addresses] = standing[0] if standing else free_name(rail.name, taken)
        if not standing:
            new.append(Segment(name=names[addresses], choice=Choice(addresses=addresses)))
    return names, tuple(new)


def between_segments(
    rails: Iterable[GuardRail], parties: Parties, checkers: Mapping[AddressSet, str]
) -> tuple[Rail, ...]:
    """Return guard rails between the segments of the interfaces that they are about, in their order."""
    found: dict[Rail, None] = {}
    for rail in rails:
        sources = (checkers[rail.addresses],) if rail.addresses else _segments(rail.sources, parties)
        targets = _segments(rail.targets, parties)
        if sources and targets:
            found[Rail(sources, targets, rail.traffic, rail.words)] = None
    return tuple(found)


def missing_rails(rails: Iterable[Rail], allow: Sequence[Allowance]) -> Iterator[Allowance]:
    """Yield allowances for guard rails, as far as nothing allows them yet.

    Args:
        rails: the guard rails.
        allow: what is allowed otherwise, whether it holds today or not.
    """
    allowed = Allowed(allow)
    for rail in rails:
        lacking = [
            (source, target)
            for source in rail.sources
            for target in rail.targets
            if not allowed.covers((source,), (target,), rail.traffic)
        ]
        if lacking:
            sources = tuple(name for name in rail.sources if any(name == source for source, _ in lacking))
            targets = tuple(name for name in rail.targets if any(name == target for _, target in lacking))
            missing = Allowance(sources=sources, targets=targets, traffic=rail.traffic)
            allowed.add(missing)
            yield missing


def _segments(interfaces: Iterable[str], parties: Parties) -> tuple[str, ...]:
    return tuple(sorted({parties.best_of(names) for each in interfaces if (names := parties.of_interface(each))}))
