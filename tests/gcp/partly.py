"""Answers of which something is missing, and what an estate made of them says of two ends."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

from cloudseg.providers.gcp.translate.translation import translate
from cloudseg.reach.reachability import Reachability
from cloudseg.snapshot import Part, Snapshot
from cloudseg.traffic import AddressSet, Traffic
from tests.gcp.agreeing import snapshot_of

if TYPE_CHECKING:
    from cloudseg.model import Estate
    from tests.gcp.oracle_records import Answers, Json
    from tests.gcp.raw import Raw

__all__ = ["CUT", "GONE", "changed", "estate_of", "passes"]

CUT: Final[Json] = {"items": [], "nextPageToken": "more"}
"""A list of which the first page was kept, and nothing stands on it."""
GONE: Final = None


def changed(answers: Answers, place: tuple[str, ...], answer: object) -> dict[tuple[str, ...], Any]:
    """The answers with another one in a place; ``GONE`` takes it away."""
    found: dict[tuple[str, ...], Any] = deepcopy(dict(answers))
    if answer is GONE:
        found.pop(place, None)
    else:
        found[place] = deepcopy(answer)
    return found


def estate_of(answers: Answers, *missing: tuple[str, ...]) -> Estate:
    """The estate of answers; lists that are not among them are empty, but for the ``missing`` ones."""
    snapshot = snapshot_of(answers)
    parts = {part: snapshot.read(part) for part in snapshot.parts()}
    for project, service, name in missing:
        parts.pop(Part("gcp", project, "global", service, name), None)
    return translate(Snapshot.of(parts, snapshot.manifest))


def passes(raw: Raw, estate: Estate, source: str, target: str, traffic: str = "tcp/443") -> str:
    """``surely``, ``at most`` or ``no``; ends are machines, or addresses outside."""
    start = AddressSet.parse(source) if source[0].isdigit() else raw.own(source)
    end = AddressSet.parse(target) if target[0].isdigit() else raw.own(target)
    found, asked = Reachability(estate).between(start, end), Traffic.parse(traffic)
    if found.lower >= asked:
        return "surely"
    return "at most" if found.upper >= asked else "no"
