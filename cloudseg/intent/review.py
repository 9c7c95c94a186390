"""What of an intent does not fit an estate, or could mean something else than its author thinks. None is an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.intent.values import Intent
    from cloudseg.model import Estate
    from cloudseg.segments import Overlap, Segment, Segmentation
    from cloudseg.traffic import AddressSet

__all__ = ["IntentWarning", "WarningKind", "intent_warnings"]

WarningKind = Literal[
    "empty-segment",
    "uncertain-members",
    "inside-and-outside",
    "own-public-address",
    "overlapping-segments",
    "expired-allowance",
    "unassigned-interfaces",
]

_SHOWN: Final = 3


class IntentWarning(msgspec.Struct, frozen=True):
    """Something about an intent that its readers must know.

    Attributes:
        kind: what it is about.
        words: what it is and what can be done, as one line.
        place: where the intent says it: ``intent.yaml:12``; empty for what it does not say.
        segments: the segments that it is about.
        examples: qualified ids of the first few interfaces that it is about.
    """

    kind: WarningKind
    words: str
    place: str = ""
    segments: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


def intent_warnings(
    intent: Intent, segmentation: Segmentation, estate: Estate, as_of: str
) -> tuple[IntentWarning, ...]:
    """Return what readers of a report must know about an intent, in the order of its file.

    Args:
        intent: the intent.
        segmentation: what its segments hold in the estate.
        estate: the estate.
        as_of: the day at which temporary allowances are judged, ISO 8601 date or time.
    """
    return tuple(_warnings(intent, segmentation, estate, as_of))


def _warnings(intent: Intent, segmentation: Segmentation, estate: Estate, as_of: str) -> Iterator[IntentWarning]:
    for segment in intent.segments:
        yield from _of_segment(segment, segmentation, estate)
    places = {segment.name: segment.place for segment in intent.segments}
    for overlap in segmentation.overlaps:
        yield _of_overlap(overlap, places[overlap.second], estate)
    for allowance in intent.allow:
        if allowance.expired(as_of):
            when = f"expired after {allowance.expires}"
            if not as_of:
                when = f"is temporary (until {allowance.expires}), the day of the answers is unknown,"
            words = f"the allowance {allowance} {when} and does not count; remove it, or give it another day"
            names = tuple(dict.fromkeys((*allowance.sources, *allowance.targets)))
            yield IntentWarning("expired-allowance", words, allowance.place, names)
    if unassigned := segmentation.unassigned:
        of_the_cloud = sum(1 for name in unassigned if estate.interfaces[name].managed_by)
        whose = f", {of_the_cloud} of them kept by the cloud itself" if of_the_cloud else ""
        words = (
            f"{len(unassigned)} of {_counted(len(estate.interfaces))} in no segment{whose}: "
            f"{_shown(unassigned, estate)}; nothing is intended for them"
        )
        yield IntentWarning("unassigned-interfaces", words, examples=unassigned[:_SHOWN])


def _of_segment(segment: Segment, segmentation: Segmentation, estate: Estate) -> Iterator[IntentWarning]:
    name = segment.name
    members = segmentation.members[name]
    uncertain = segmentation.uncertain.get(name, ())
    outside = segmentation.outside.get(name)
    if name in segmentation.empty:
        words = f"the segment {name} holds nothing here: {segment} fits no interface; correct it, or leave it for later"
        yield IntentWarning("empty-segment", words, segment.place, (name,))
    if uncertain:
        words = (
            f"the segment {name} may hold {_counted(len(uncertain))} more: {_shown(uncertain, estate)}; "
            "what it asks for was not read of them, so they do not count"
        )
        yield IntentWarning("uncertain-members", words, segment.place, (name,), uncertain[:_SHOWN])
    if outside is None:
        return
    if members:
        words = (
            f"the segment {name} stands for outside addresses ({_ranges(outside)}) and for {_counted(len(members))} of "
            f"the estate as well: {_shown(members, estate)}; if that is not meant, take them away with `except`"
        )
        yield IntentWarning("inside-and-outside", words, segment.place, (name,), members[:_SHOWN])
    own = tuple(key for key in sorted(estate.interfaces) if estate.interfaces[key].public.overlaps(outside))
    if own:
        words = (
            f"the segment {name} stands for outside addresses, but {_shown(own, estate)} of the estate "
            f"{'has one of them as its' if len(own) == 1 else 'have some of them as their'} public address; "
            "choose interfaces by tags, groups or inner addresses"
        )
        yield IntentWarning("own-public-address", words, segment.place, (name,), own[:_SHOWN])


def _of_overlap(overlap: Overlap, place: str, estate: Estate) -> IntentWarning:
    shared: list[str] = []
    if overlap.count:
        shared.append(f"{_counted(overlap.count)} ({_shown(overlap.examples, estate, overlap.count)})")
    if overlap.addresses:
        shared.append(f"the addresses {_ranges(overlap.addresses)}")
    words = (
        f"the segments {overlap.first} and {overlap.second} share {' and '.join(shared)}; "
        "what is allowed for either is allowed for these"
    )
    return IntentWarning("overlapping-segments", words, place, (overlap.first, overlap.second), overlap.examples)


def _counted(number: int) -> str:
    return f"{number} interface{'' if number == 1 else 's'}"


def _ranges(addresses: AddressSet) -> str:
    ranges = addresses.cidrs()
    shown = ", ".join(ranges[:_SHOWN])
    return f"{shown} and {len(ranges) - _SHOWN} more" if len(ranges) > _SHOWN else shown


def _shown(names: Sequence[str], estate: Estate, total: int | None = None) -> str:
    labels = ", ".join(estate.interfaces[name].label for name in names[:_SHOWN])
    rest = (len(names) if total is None else total) - min(len(names), _SHOWN)
    return f"{labels} and {rest} more" if rest else labels
