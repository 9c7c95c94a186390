"""An intent from what was observed: segments and allowances that are added to those that people wrote.

Nothing is allowed that was refused, that nobody knows who opened, or that the estate does not carry. What is left out
is counted, and what a person has to decide is listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import numpy as np

from cloudseg.intent.allowing import Grounds, allowances, uses_of
from cloudseg.intent.carried import carried_by
from cloudseg.intent.facts import facts_between
from cloudseg.intent.guard_rails import guard_rails, unfiltered_words
from cloudseg.intent.leavings import by_doubt, left_for_people
from cloudseg.intent.noise import NOISE, sort_out
from cloudseg.intent.outsiders import named_ranges, public_traffic
from cloudseg.intent.parties import Allowed, Parties
from cloudseg.intent.proposing import Granularity, propose_segments
from cloudseg.intent.railing import between_segments, checker_segments, missing_rails
from cloudseg.intent.values import Intent
from cloudseg.segments import DEFAULT_LABELS, resolve_segments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cloudseg.intent.facts import Fact
    from cloudseg.intent.leavings import Left
    from cloudseg.intent.noise import Sorted
    from cloudseg.intent.observations import End, Observations
    from cloudseg.intent.railing import Rail
    from cloudseg.intent.values import Allowance
    from cloudseg.model import Estate
    from cloudseg.reach.reachability import Reachability
    from cloudseg.segments import Segment

__all__ = ["NOT_CARRIED", "Generated", "Request", "generate"]

NOT_CARRIED: Final = "not-carried"
"""The reason beside those of ``NOISE``: the estate does not carry it."""
_LISTED: Final = ("unknown-initiator", "ephemeral")
"""Noise that a person may know better."""
_UNKNOWN_END: Final = "unknown-end"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """How an intent is to be generated.

    Attributes:
        existing: what people wrote already; it stays as it is.
        labels: the tag keys that mean application, tier and environment.
        granularity: ``application``: a segment an application and environment, with all ports of the protocols seen
            between them; ``tier``: likewise for each tier; ``tier+port``: the ports that were seen, and no others.
        declared: tags, each as ``key=value``, that declare a workload to serve the internet.
    """

    existing: Intent = Intent()
    labels: Mapping[str, Sequence[str]] = msgspec.field(default_factory=DEFAULT_LABELS.copy)
    granularity: Granularity = "tier+port"
    declared: tuple[str, ...] = ("exposure=public",)


class Generated(NamedTuple):
    """What follows from conversations.

    Attributes:
        segments: segments to add, in order.
        allow: allowances to add, in order.
        untagged: names of those of the segments whose interfaces no tag tells the application of.
        facts: what was seen between all segments, those that people wrote and the new ones.
        rails: what is to be allowed whether it was seen or not.
        members: qualified ids of the interfaces of each segment, the new ones among them.
        ends: the ends of the conversations.
        conversations: how many conversations there were.
        dropped: how many of them were dropped, by the reason: a key of ``NOISE``, or ``NOT_CARRIED``.
        left: what a person has to decide.
        unfiltered: what needs no entry because nothing filters it, one line each.
    """

    segments: tuple[Segment, ...]
    allow: tuple[Allowance, ...]
    untagged: tuple[str, ...]
    facts: tuple[Fact, ...]
    rails: tuple[Rail, ...]
    members: Mapping[str, tuple[str, ...]]
    ends: tuple[End, ...]
    conversations: int
    dropped: Mapping[str, int]
    left: tuple[Left, ...]
    unfiltered: tuple[str, ...]

    def onto(self, existing: Intent) -> Intent:
        """Return the intent that people wrote with what is added."""
        return msgspec.structs.replace(
            existing, segments=(*existing.segments, *self.segments), allow=(*existing.allow, *self.allow)
        )


def generate(estate: Estate, reach: Callable[[], Reachability], seen: Observations, request: Request) -> Generated:
    """Return what follows from conversations for an estate.

    Args:
        estate: the estate.
        reach: returns who reaches whom in it; asked only where something is left to judge.
        seen: the conversations, with their ends found in the estate.
        request: how it is to be generated.
    """
    existing = request.existing
    noise = sort_out(seen)
    candidates = seen.chosen(noise.kept)
    dropped = {reason: len(places) for reason, places in noise.dropped.items()}
    refused: dict[str, Observations] = {}
    kept = candidates
    if len(candidates.first):
        judged = carried_by(reach(), candidates)
        kept = candidates.chosen(judged.carried)
        refused = {words: candidates.chosen(places) for words, places in judged.refused.items()}
    if refused:
        dropped[NOT_CARRIED] = sum(len(each.first) for each in refused.values())

    rails = guard_rails(estate)
    held = resolve_segments(existing.segments, estate)
    needed = {each for rail in rails for each in (*rail.sources, *rail.targets)} | set(_taking_part(kept))
    taken = {segment.name for segment in existing.segments}
    unassigned = (each for each in estate.interfaces if not held.segments_of(each))
    inside = propose_segments(estate, unassigned, needed, taken, request.labels, request.granularity)
    taken |= {each.segment.name for each in inside}
    parties = Parties(held, inside)

    ends = seen.ends
    grounds = Grounds(ends, parties, Allowed(existing.allow), public_traffic(estate, request.declared))
    standing = parties.of_ends(ends)
    uses = uses_of(facts_between(kept, standing), grounds)
    checkers, checking = checker_segments(rails, held, taken)
    outside, crowds = named_ranges(uses, ends, standing, taken)
    names = parties.of_ends(ends, outside)
    facts = facts_between(kept, names)
    crowded = {crowd.use for crowd in crowds}
    allow = tuple(allowances(facts, grounds, crowded, all_ports=request.granularity != "tier+port"))
    spanned = between_segments(rails, parties, checkers)
    return Generated(
        segments=(*(each.segment for each in inside), *checking, *(each.segment for each in outside)),
        allow=(*allow, *missing_rails(spanned, (*existing.allow, *allow))),
        untagged=tuple(each.segment.name for each in inside if not each.by_tags),
        facts=facts,
        rails=spanned,
        members={**held.members, **{each.segment.name: each.members for each in inside}},
        ends=ends,
        conversations=len(seen.first),
        dropped=dropped,
        left=left_for_people({**refused, **_listed(seen, noise)}, crowds, ends, names),
        unfiltered=unfiltered_words(estate),
    )


def _listed(seen: Observations, noise: Sorted) -> dict[str, Observations]:
    """Return the noise that a person may know better, by the reason in words."""
    found = {NOISE[reason]: seen.chosen(noise.dropped[reason]) for reason in _LISTED if reason in noise.dropped}
    unknown = noise.dropped.get(_UNKNOWN_END)
    return found if unknown is None else {**found, **by_doubt(seen.chosen(unknown))}


def _taking_part(seen: Observations) -> Iterator[str]:
    """Yield the interfaces that take part in conversations."""
    ends: list[int] = np.union1d(seen.initiator, seen.responder).tolist()
    return (seen.ends[place].interface for place in ends if seen.ends[place].interface)
