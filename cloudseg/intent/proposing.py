"""Segments proposed for interfaces that are in none: by their tags, else by the name of what owns them.

Each proposed segment is resolved again, and holds the interfaces that it was made for and no others; where what it asks
for does not tell them apart, it names them by id.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cloudseg.segments import DEFAULT_LABELS, INTERNET, Choice, Labels, Segment, labels_of, resolve_segments
from cloudseg.segments.labels import owner_of, tags_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from cloudseg.model import Estate, Interface

__all__ = ["Granularity", "Proposed", "free_name", "propose_segments"]

Granularity = Literal["application", "tier", "tier+port"]
_RESERVED: Final = (INTERNET, "unassigned")
_LONGEST: Final = 90
_ANY: Final = "*"
_NOTHING_SAID: Final = "-"


class Proposed(NamedTuple):
    """A segment that is proposed.

    Attributes:
        segment: the segment.
        members: qualified ids of the interfaces that it was made for.
        by_tags: whether tags tell its application; else it goes by the name of what owns the interfaces.
    """

    segment: Segment
    members: tuple[str, ...]
    by_tags: bool


class _Keyed(NamedTuple):
    """Where an interface says something: among its tags or labels, by which key, and what."""

    kind: Literal["tags", "labels"]
    key: str
    value: str


def propose_segments(
    estate: Estate,
    unassigned: Iterable[str],
    needed: Collection[str],
    taken: Collection[str],
    labels: Mapping[str, Sequence[str]] = DEFAULT_LABELS,
    granularity: Granularity = "tier+port",
) -> tuple[Proposed, ...]:
    """Return segments for interfaces, in order of their names; each interface is in one of them at most.

    Args:
        estate: the estate.
        unassigned: interfaces that are in no segment yet. Those whose tags tell their application get one.
        needed: interfaces that get one whatever their tags say.
        taken: names that other segments have.
        labels: the tag keys that mean application, tier and environment.
        granularity: ``application`` leaves the tiers out.
    """
    by_labels: defaultdict[Labels, list[str]] = defaultdict(list)
    by_owner: defaultdict[str, list[str]] = defaultdict(list)
    for identifier in sorted(set(unassigned)):
        interface = estate.interfaces[identifier]
        shown = labels_of(estate, interface, labels)
        if shown.application is not None:
            by_labels[shown._replace(tier=None) if granularity == "application" else shown].append(identifier)
        elif identifier in needed:
            by_owner[_owner_name(estate, interface)].append(identifier)
    names = set(taken)
    made: list[Proposed] = []
    for shown, members in sorted(by_labels.items(), key=lambda item: tuple(value or "" for value in item[0])):
        name = free_name(_name(shown, granularity), names)
        choices = _choices(estate, members, labels, granularity)
        made.append(Proposed(_of_choices(name, choices), tuple(members), by_tags=True))
    for owner, members in sorted(by_owner.items()):
        name = free_name(owner, names)
        named = sorted({_owner_name(estate, estate.interfaces[each]) for each in members})
        made.append(Proposed(Segment(name=name, choice=Choice(names=tuple(named))), tuple(members), by_tags=False))
    return _exact(estate, made, labels)


def free_name(wanted: str, taken: set[str]) -> str:
    """Return a name for a segment that the file may hold and no other segment has, and take it."""
    readable = "".join(c if c.isprintable() else "?" for c in wanted).strip()[:_LONGEST].strip() or _NOTHING_SAID
    name, number = readable, 1
    while name in taken or name in _RESERVED:
        number += 1
        name = f"{readable}-{number}"
    taken.add(name)
    return name


def _name(shown: Labels, granularity: Granularity) -> str:
    parts = (shown.application, shown.environment) if granularity == "application" else shown
    return "/".join(part.replace("/", "%2F") if part else _NOTHING_SAID for part in parts)


def _owner_name(estate: Estate, interface: Interface) -> str:
    owner = owner_of(estate, interface)
    return (owner.name if owner else "") or interface.name or interface.own_id


def _choices(
    estate: Estate, members: Sequence[str], labels: Mapping[str, Sequence[str]], granularity: Granularity
) -> tuple[Choice, ...]:
    """Return choices of which each member fits one: one for each way in which tags and labels say the same."""
    meanings = [meaning for meaning in labels if granularity != "application" or meaning != "tier"]
    found: dict[tuple[_Keyed, ...], None] = {}
    for identifier in members:
        interface = estate.interfaces[identifier]
        said = (_said(estate, interface, labels[meaning]) for meaning in meanings)
        found[tuple(each for each in said if each is not None)] = None
    return tuple(_choice(each) for each in sorted(found))


def _said(estate: Estate, interface: Interface, keys: Sequence[str]) -> _Keyed | None:
    """Return where an interface says something, in the order in which ``labels_of`` looks."""
    tags = tags_of(estate, interface)
    for key in keys:
        if value := interface.labels.get(key):
            # Tags of a pod hold its labels, and read better.
            return _Keyed("tags" if tags.get(key) == value else "labels", key, value)
    return next((_Keyed("tags", key, value) for key in keys if (value := tags.get(key))), None)


def _choice(said: Iterable[_Keyed]) -> Choice:
    held: dict[str, dict[str, tuple[str, ...]]] = {"tags": {}, "labels": {}}
    for each in said:
        held[each.kind][each.key] = (each.value,)
    return Choice(tags=held["tags"], labels=held["labels"])


def _of_choices(name: str, choices: Sequence[Choice], without: tuple[Choice, ...] = ()) -> Segment:
    if len(choices) == 1:
        return Segment(name=name, choice=choices[0], except_for=without)
    return Segment(name=name, any_of=tuple(choices), except_for=without)


def _exact(estate: Estate, made: Sequence[Proposed], labels: Mapping[str, Sequence[str]]) -> tuple[Proposed, ...]:
    """Return segments that hold the interfaces that they were made for, and no others.

    Where one holds more it is narrowed, and named by ids where that does not help either.
    """
    keys = tuple(key for held in labels.values() for key in held)
    held = _members(estate, made)
    made = [
        each if held[each.segment.name] == each.members else _narrowed(estate, each, held[each.segment.name], keys)
        for each in made
    ]
    for identity in (_own, _qualified):
        held = _members(estate, made)
        made = [
            each if held[each.segment.name] == each.members else _by_id(each, identity(each, estate)) for each in made
        ]
    return tuple(made)


def _members(estate: Estate, made: Iterable[Proposed]) -> Mapping[str, tuple[str, ...]]:
    return resolve_segments((each.segment for each in made), estate).members


def _narrowed(estate: Estate, proposed: Proposed, chosen: Iterable[str], keys: Iterable[str]) -> Proposed:
    """Return a segment without the interfaces that bear any tag by which its own members are not told."""
    segment, own = proposed.segment, set(proposed.members)
    borne = {key for each in own for key in tags_of(estate, estate.interfaces[each])}
    others = {key for each in chosen if each not in own for key in tags_of(estate, estate.interfaces[each])}
    without = tuple(Choice(tags={key: (_ANY,)}) for key in dict.fromkeys(keys) if key in others - borne)
    return proposed._replace(segment=_of_choices(segment.name, segment.any_of or (segment.choice,), without))


def _by_id(proposed: Proposed, ids: tuple[str, ...]) -> Proposed:
    return proposed._replace(segment=Segment(name=proposed.segment.name, choice=Choice(ids=ids)))


def _own(proposed: Proposed, estate: Estate) -> tuple[str, ...]:
    return tuple(sorted({estate.interfaces[each].own_id for each in proposed.members}))


def _qualified(proposed: Proposed, estate: Estate) -> tuple[str, ...]:
    # Ids of two clouds or accounts may be alike; the qualified ones differ.
    return tuple(sorted({estate.interfaces[each].id for each in proposed.members}))
