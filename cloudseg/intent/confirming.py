"""Which allowances a person must confirm before anybody relies on them: administration and databases open to outside.

Logs show that it is used. They do not show that it is meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.segments import INTERNET
from cloudseg.segments.choice import outside_named_by
from cloudseg.traffic import GLOBAL_UNICAST
from cloudseg.traffic.port_classes import ADMINISTRATION, DATABASES, SHELLS_AND_FILES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from cloudseg.intent.values import Allowance
    from cloudseg.segments import Segment
    from cloudseg.traffic import Traffic

__all__ = ["REVIEW", "outsiders", "to_confirm"]

REVIEW: Final = "review: "
"""What begins the line."""
_SHOWN: Final = 4
_CLASSES: Final[tuple[tuple[str, Traffic], ...]] = (
    ("administration", ADMINISTRATION),
    ("a database", DATABASES),
    ("files or directories", SHELLS_AND_FILES - ADMINISTRATION),
)


def outsiders(segments: Iterable[Segment], members: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Return the names of what stands for addresses outside: of segments, and ``internet``.

    Args:
        segments: the segments.
        members: qualified ids of the interfaces of each; one that has any stands for inner addresses, if these are
            private.
    """
    named = ((each.name, outside_named_by(each)) for each in segments)
    outside = (name for name, own in named if own and (not members.get(name) or own.overlaps(GLOBAL_UNICAST)))
    return frozenset((INTERNET, *outside))


def to_confirm(allowance: Allowance, outside: Collection[str]) -> tuple[str, ...]:
    """Return why a person must confirm an allowance, a line at most; nothing where nobody must.

    One that has an owner was confirmed by that.

    Args:
        allowance: the allowance.
        outside: the names of what stands for addresses outside, of :func:`outsiders`.
    """
    if allowance.owner:
        return ()
    sources = [name for name in allowance.sources if name in outside]
    if not sources:
        return ()
    parts = [f"{_ports(allowance.traffic & ports)} ({what})" for what, ports in _CLASSES if allowance.traffic & ports]
    if not parts:
        return ()
    who = "the internet" if INTERNET in sources else "an outside address"
    return (f"{REVIEW}open to {who}: {', '.join(parts)}; a person must confirm it, and stand for it as `owner`",)


def _ports(traffic: Traffic) -> str:
    terms = traffic.terms()
    more = f" and {len(terms) - _SHOWN} more" if len(terms) > _SHOWN else ""
    return f"{', '.join(terms[:_SHOWN])}{more}"
