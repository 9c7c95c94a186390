"""The text of an intent file with what was generated: people's own lines as they are, cloudseg's lines anew.

A second run on the same data changes no byte. Nothing that stands in the file is removed or rewritten: what is no
longer seen is marked, and what is new comes last.
"""

from __future__ import annotations

import io
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.intent.places import MARK, read_places
from cloudseg.intent.values import Intent
from cloudseg.intent_writer import allowance_lines, segment_lines, write_intent
from cloudseg.text import valid, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from cloudseg.intent.places import IntentText, Place, Section
    from cloudseg.intent.values import Allowance
    from cloudseg.segments import Segment

__all__ = ["Additions", "merged_text"]

_NEW: Final = "new on "
_NEW_WORDS: Final = "; take this line away once it is reviewed"
OUTSIDE_WORDS: Final = "outside of the estate: fill in who answers for it, as `owner`"
NAMED_WORDS: Final = "no tag tells the application: chosen by name"
_KEPT: Final = (OUTSIDE_WORDS, NAMED_WORDS)


class Additions(NamedTuple):
    """What a run adds to a file, and writes beside what stands there.

    Attributes:
        segments: segments to add.
        allow: allowances to add.
        day: the last day of the data, ISO 8601: what is added to a file that is there is marked with it.
        head: lines above everything.
        foot: lines below everything.
        untagged: names of segments to add whose interfaces no tag tells the application of.
        evidence: returns the lines of an allowance, from those of the last run.
    """

    segments: tuple[Segment, ...]
    allow: tuple[Allowance, ...]
    day: str
    head: tuple[str, ...]
    foot: tuple[str, ...]
    untagged: Collection[str]
    evidence: Callable[[Allowance, Sequence[str]], Sequence[str]]


def merged_text(text: str | None, existing: Intent, added: Additions) -> str:
    """Return the text of a file with what a run adds.

    Args:
        text: the file as it is, its ends of lines as they are; None where there is none.
        existing: the intent that the file holds.
        added: what the run adds.

    Raises:
        InputError: the file is written in a way in which nothing can be put beside its entries.
    """
    fresh = text is None
    if text is None:
        stream = io.StringIO()
        write_intent(Intent(), stream)
        text = stream.getvalue()
    places = read_places(text)
    above: defaultdict[int, list[str]] = defaultdict(list)
    below: defaultdict[int, list[str]] = defaultdict(list)
    mark = "" if fresh else f"{_NEW}{added.day}{_NEW_WORDS}"
    above[places.begin] += _marked(added.head, 0)
    for segment, place in zip(existing.segments, places.segments.places, strict=True):
        above[place.line] += _marked(_of_segment(segment, place), place.indent)
    for allowance, place in zip(existing.allow, places.allow.places, strict=True):
        kept = [line for line in place.before if line.startswith(_NEW)]
        above[place.line] += _marked([*kept, *added.evidence(allowance, place.before)], place.indent)

    lines = list(places.lines)
    new_segments = [
        each
        for segment in added.segments
        for each in (*_marked([*_one(mark), *_words_of(segment, added.untagged)], 0), *segment_lines(segment))
    ]
    new_entries = [
        each
        for number, allowance in enumerate(added.allow)
        for each in (
            *(("",) if number or places.allow.places else ()),
            *_marked([*_one(mark), *added.evidence(allowance, ())], 0),
            *allowance_lines(allowance),
        )
    ]
    _add(lines, below, places, places.segments, new_segments, ("segments:", 2))
    _add(lines, below, places, places.allow, new_entries, ("allow:", 0))
    end = next(filter(None, places.ends), "\n")
    found: list[str] = []
    for number, (line, own_end) in enumerate(zip(lines, places.ends, strict=True)):
        found += [f"{each}{end}" for each in above[number]]
        if line or own_end:
            found.append(f"{line}{own_end or end}" if below[number] or added.foot else f"{line}{own_end}")
        found += [f"{each}{end}" for each in below[number]]
    return "".join([*found, *(f"{line}{end}" for line in _marked(added.foot, 0))])


def _add(
    lines: list[str],
    below: defaultdict[int, list[str]],
    places: IntentText,
    section: Section,
    new: Sequence[str],
    own: tuple[str, int],
) -> None:
    """Put new lines behind the last ones of their section."""
    key, indent = own
    if not new:
        return
    if section.places:
        final = section.places[-1]
        below[max(place.last for place in section.places)] += _indented(new, final.indent)
    elif section.empty is not None:
        # `segments: {}` and `allow: []`, with whatever is said behind them.
        line = lines[section.empty]
        head, _, comment = line.partition("#")
        lines[section.empty] = head.split("{")[0].split("[")[0].rstrip() + (f"  #{comment}" if comment else "")
        below[section.empty] += _indented(new, indent)
    else:
        below[places.last] += ["", key, *_indented(new, indent)]


def _indented(lines: Iterable[str], indent: int) -> list[str]:
    return [f"{' ' * indent}{line}" if line else line for line in lines]


def _marked(lines: Iterable[str], indent: int) -> list[str]:
    return [f"{' ' * indent}{MARK} {visible(valid(line))}".rstrip() for line in lines]


def _one(line: str) -> tuple[str, ...]:
    return (line,) if line else ()


def _words_of(segment: Segment, untagged: Collection[str]) -> tuple[str, ...]:
    """Return what is said of a segment that is added."""
    if segment.choice.outside:
        return (OUTSIDE_WORDS,)
    return (NAMED_WORDS,) if segment.name in untagged else ()


def _of_segment(segment: Segment, place: Place) -> list[str]:
    """Return what stays of what was said of a segment, which is what no owner has answered yet."""
    said = [line for line in place.before if line in _KEPT or line.startswith(_NEW)]
    return [line for line in said if line != OUTSIDE_WORDS or not segment.owner]
