"""Why traffic passes from one end of an estate to another, hop by hop, or what stops it.

The verdict is the all-pairs engine's. The steps are worked out again, rule by rule, for the pair of addresses of which
most passes; should the two differ, the explanation says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from cloudseg.model import shown_id
from cloudseg.reach.end_names import end_label
from cloudseg.reach.explaining.answers import Running
from cloudseg.reach.explaining.choice import best_of
from cloudseg.reach.explaining.cut import cuts, gates
from cloudseg.reach.explaining.explanation import EndPoint, Explanation, Step
from cloudseg.reach.explaining.firewall_doors import door_cuts
from cloudseg.reach.explaining.link import outcome
from cloudseg.reach.explaining.notes import about_ends, about_others, unread_ways
from cloudseg.reach.explaining.pod_hints import pod_hints
from cloudseg.reach.explaining.pod_outside import asked_of_requests
from cloudseg.reach.explaining.search import ways_between
from cloudseg.reach.reachability import Verdict
from cloudseg.traffic import AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.reach.explaining.choice import Found
    from cloudseg.reach.explaining.link import Link
    from cloudseg.reach.explaining.walk import Walk
    from cloudseg.reach.reachability import Reachability

__all__ = ["explain", "passing"]

_VERDICTS: dict[str, Literal["allowed", "partly", "unknown", "blocked"]] = {
    "passes": "allowed",
    "partly": "partly",
    "unknown": "unknown",
    "blocks": "blocked",
}


def explain(reach: Reachability, source: str | AddressSet, target: str | AddressSet, traffic: Traffic) -> Explanation:
    """Return why traffic passes from one end to another, hop by hop, or why not.

    Of several addresses of an end, those are explained that let most through.

    Args:
        reach: the reachability of the estate.
        source: qualified id of the interface that opens the connection, or addresses outside of the estate.
        target: who is to take it, the same.
        traffic: what is asked about.

    Raises:
        KeyError: there is no such interface.
    """
    verdict = passing(reach, source, target, traffic)
    found = None if source == target else best_of(ways_between(reach, source, target, traffic), traffic, verdict)
    explained = Explanation(
        source=_end(reach, source, None if found is None else found.walk.source),
        target=_end(reach, target, None if found is None else found.walk.target),
        traffic=str(traffic),
        verdict=_VERDICTS[outcome(verdict.lower, verdict.upper, traffic)],
        lower=str(verdict.lower),
        upper=str(verdict.upper),
        reason=_nothing_to_tell(reach, source, target),
        notes=about_ends(reach, source, target),
    )
    if found is None:
        return explained
    doubts = dict.fromkeys(doubt for walk in found.looked for link in walk.links for doubt in link.doubts)
    unread = () if verdict.lower == traffic else unread_ways(reach, source, target)
    explained = msgspec.structs.replace(
        explained,
        steps=tuple(_steps(found.walk, traffic)),
        unknowns=(*(() if verdict.exact else doubts), *unread),
        notes=(
            *explained.notes,
            *pod_hints(reach.estate, source, target, traffic, blocked=not verdict.upper),
            *dict.fromkeys(asked_of_requests(reach.estate, found.walk.links, (source, target))),
            *about_others(source, target, found, verdict),
        ),
    )
    if not verdict.upper:
        return _blocked(explained, found, traffic)
    admitted = (
        *door_cuts(found, reach.estate),
        *cuts(gates(reach, source, target, found), verdict.upper, reach.estate),
    )
    return msgspec.structs.replace(
        explained,
        would_block=admitted[0].rules if admitted else (),
        cuts=admitted,
        reason=_passing(explained, verdict, traffic, found.walk.links),
    )


def passing(reach: Reachability, source: str | AddressSet, target: str | AddressSet, traffic: Traffic) -> Verdict:
    """Return what of some traffic arrives of one end at another, as :func:`explain` tells it.

    From outside that is also what load balancers hand on under its addresses.

    Raises:
        KeyError: there is no such interface.
    """
    if isinstance(source, AddressSet) and isinstance(target, str):
        whole = reach.delivered(source, target)
    else:
        whole = reach.between(source, target)
    return Verdict(whole.lower & traffic, whole.upper & traffic)


def _end(reach: Reachability, end: str | AddressSet, explained: AddressSet | None) -> EndPoint:
    if isinstance(end, AddressSet):
        return EndPoint(id="", text=str(end), address="" if explained is None else str(explained))
    interface = reach.estate.interfaces.get(end)
    if interface is None:
        return EndPoint(id=end, text=shown_id(end))
    if explained is None or not explained <= interface.addresses:
        return EndPoint(id=end, text=end_label(interface, reach.estate))
    others = interface.addresses.size - explained.size
    return EndPoint(id=end, text=end_label(interface, reach.estate), address=str(explained), others=others)


def _nothing_to_tell(reach: Reachability, source: str | AddressSet, target: str | AddressSet) -> str:
    """Return why nothing passes where there is no way to look at."""
    if source == target:
        return "what an end sends to itself is not judged"
    if isinstance(source, AddressSet) and isinstance(target, AddressSet):
        return "both ends are outside of the estate"
    for end in (source, target):
        if isinstance(end, str) and end not in reach.estate.interfaces:
            return f"{shown_id(end)} is not in the estate"
        if not end:
            return "no address was asked about"
    one, other = (str(end) if isinstance(end, AddressSet) else shown_id(end) for end in (source, target))
    return f"{one} and {other} have no addresses of one family"


def _steps(walk: Walk, traffic: Traffic) -> Iterator[Step]:
    left = Running(traffic)
    *links, end = walk.links
    for link in links:
        left.add(link)
        yield _step(link, traffic, left.lower, left.upper)
    # Where nothing is left, it is the steps before that block, not the end.
    stopped = not left.upper and not end.reason
    reason = "nothing arrives here" if stopped else end.reason
    yield _step(end._replace(lower=walk.lower, upper=walk.upper, reason=reason), traffic, walk.lower, walk.upper)


def _step(link: Link, traffic: Traffic, lower: Traffic, upper: Traffic) -> Step:
    return Step(
        kind=link.kind,
        direction=link.direction,
        place=link.place,
        text=link.text,
        verdict=outcome(link.lower & traffic, link.upper & traffic, traffic),
        rules=link.rules,
        left_lower=str(lower),
        left_upper=str(upper),
        reason=link.reason,
    )


def _blocked(explained: Explanation, found: Found, traffic: Traffic) -> Explanation:
    """Return the explanation of traffic of which nothing passes: the first step that leaves nothing, and the others.

    What is left before that step is what the other steps are asked about: each of them would stop all of it.
    """
    running = Running(traffic)
    left = traffic
    for number, link in enumerate(found.walk.links):
        running.add(link)
        if running.upper:
            left = running.upper
            continue
        links = found.walk.links if left == traffic else found.again(left).links
        stop = links[number]
        reason = stop.reason or f"nothing of {left} passes: {stop.text}"
        nothing = Traffic()
        also = (each for each in links[number + 1 :] if not each.upper & left)
        steps = list(explained.steps)
        steps[number] = msgspec.structs.replace(steps[number], rules=stop.rules, reason=reason)
        return msgspec.structs.replace(
            explained,
            steps=tuple(steps),
            reason=reason,
            blocked_by=stop.rules,
            also_blocking=tuple(_step(each, left, nothing, nothing) for each in also),
        )
    reason = "no address that may stand for the source passes every step"
    return msgspec.structs.replace(explained, reason=reason)


def _passing(explained: Explanation, verdict: Verdict, traffic: Traffic, links: Sequence[Link]) -> str:
    """Return the reason of traffic of which something passes, at most or for sure."""
    ends = f"{_name(explained.source)} to {_name(explained.target)}"
    if verdict.lower == traffic:
        return f"every step from {ends} lets {explained.traffic} pass"
    if not verdict.lower:
        why = "; ".join(explained.unknowns) or "it is not known which way packets take"
        return f"it is not known whether {verdict.upper} passes from {ends}: {why}"
    reasons = (link.reason for link in links if link.reason and traffic - link.lower)
    why = "; ".join(dict.fromkeys(reasons)) or "; ".join(explained.unknowns)
    return f"{verdict.lower} passes from {ends}" + (f", the rest does not or may not: {why}" if why else "")


def _name(end: EndPoint) -> str:
    return f"{end.text} ({end.address})" if end.id and end.address else end.address or end.text
