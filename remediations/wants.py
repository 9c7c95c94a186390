"""What interfaces need that no list judges yet: what was seen to come to them or leave them, and what is intended."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cloudseg.observed.columns_of import combined
from cloudseg.observed.ends import End
from cloudseg.observed.grouping import ports_of
from cloudseg.observed.kinds_of_traffic import traffic_of
from cloudseg.remediations.evidence import evidence_of
from cloudseg.remediations.needed import Unknown
from cloudseg.segments import INTERNET
from cloudseg.traffic import GLOBAL_UNICAST, NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from cloudseg.model import Direction, Interface, RuleSet
    from cloudseg.observed.observed import Observed
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.traffic import Traffic

__all__ = ["Want", "Wants", "wants_of"]

Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]


class Want(NamedTuple):
    """Traffic between an interface and another end.

    Attributes:
        own: qualified id of the interface.
        other: the other end.
        traffic: what passes.
        connections: how often it was opened; 0 where only the intent speaks of it.
        last_seen: when it was last seen, seconds since 1970; 0 likewise.
        intended: the intent allows it.
    """

    own: str
    other: End
    traffic: Traffic
    connections: int = 0
    last_seen: int = 0
    intended: bool = False


class Wants(NamedTuple):
    """What some interfaces need in a direction.

    Attributes:
        wants: by interface and other end, in order.
        gone: accepted conversations whose other end is not there any more.
        facts: what it rests on, one sentence each.
    """

    wants: tuple[Want, ...]
    gone: int
    facts: tuple[str, ...]


def wants_of(
    context: RemedyContext, own: Sequence[Interface], direction: Direction, rule_set: RuleSet
) -> Wants | Unknown:
    """Return what interfaces need of what passes today, or why that is not known.

    Args:
        context: what all remedies share.
        own: the interfaces.
        direction: whether it is about what comes to them or leaves them.
        rule_set: the list that is to judge them.
    """
    if not context.demand.given:
        return Unknown(
            "no flow logs and no intent were given, so that nobody can say what they need",
            ("give observed conversations with --flows, or the intended traffic with --intent",),
        )
    evidence = evidence_of(own, rule_set, context.observed, context.matrix)
    if not evidence.complete:
        return Unknown(
            f"what was not seen may be needed all the same: {evidence.reason}",
            ("log all that these do for some weeks, or write down in the intent what is meant",),
        )
    names = frozenset(each.id for each in own)
    facts = (
        *((f"the logs cover {evidence.window}",) if evidence.window else ()),
        *(("the intent says what is meant",) if evidence.intended else ()),
    )
    found: dict[tuple[str, End], Want] = {}
    gone = 0
    if context.observed is not None and len(context.observed.joined):
        seen = _seen(context.observed, names, direction)
        if isinstance(seen, Unknown):
            return seen
        gone = seen.gone
        for each in seen.wants:
            _join(found, each)
    for each in _intended(context, names, direction):
        _join(found, each)
    order = sorted(found.values(), key=lambda want: (want.own, want.other))
    return Wants(tuple(order), gone, facts)


def _join(found: dict[tuple[str, End], Want], want: Want) -> None:
    key = (want.own, want.other)
    known = found.get(key)
    found[key] = (
        want
        if known is None
        else Want(
            want.own,
            want.other,
            known.traffic | want.traffic,
            known.connections + want.connections,
            max(known.last_seen, want.last_seen),
            known.intended or want.intended,
        )
    )


def _seen(observed: Observed, names: Collection[str], direction: Direction) -> Wants | Unknown:
    """Return what was observed, one for each interface and other end."""
    joined = observed.oriented
    table = joined.conversations
    ours = np.array([bool(end.interface) and end.interface in names for end in joined.ends], dtype=np.bool_)
    perhaps = np.array([any(each in names for each in end.candidates) for end in joined.ends], dtype=np.bool_)
    near, far = joined.responders, joined.initiators
    if direction == "egress":
        near, far = far, near
    carried = table.column("verdict") == "accepted"
    carried[observed.usage.not_carried] = False
    unopened = table.column("evidence") == "unknown"
    about = carried & ((ours | perhaps)[near] | (unopened & (ours | perhaps)[far]))
    doubtful = about & (perhaps[near] | unopened)
    if doubtful.any():
        row = int(np.flatnonzero(doubtful)[0])
        return Unknown(
            f"{int(np.count_nonzero(doubtful)):,} accepted conversations may be theirs, and who opened them, or who an "
            "end is, is not known",
            ("log TCP flags and read the accounts that these addresses belong to",),
            f"{joined.initiator(row).address} and {joined.responder(row).address}",
        )
    kinds = np.array([end.kind for end in joined.ends], dtype=object)
    deleted = np.array([end.deleted for end in joined.ends], dtype=np.bool_)
    unknown = about & np.isin(kinds[far], ("unknown", "gone")) & ~deleted[far]
    if unknown.any():
        end = joined.ends[int(far[int(np.flatnonzero(unknown)[0])])]
        return Unknown(
            f"the other end of {int(np.count_nonzero(unknown)):,} accepted conversations is not known",
            ("read the accounts that these addresses belong to",),
            f"{end.address}: {end.reason}",
        )
    left = about & deleted[far]
    rows = np.flatnonzero(about & ~left & (near != far))
    return Wants(tuple(_added_up(observed, near[rows], far[rows], rows)), int(np.count_nonzero(left)), ())


def _added_up(observed: Observed, near: Numbers, far: Numbers, rows: Numbers) -> Iterator[Want]:
    """Yield one want for all conversations with the same ends.

    Args:
        observed: observed conversations.
        near: numbers of the interfaces, one for each of some conversations.
        far: numbers of the other ends.
        rows: the conversations.
    """
    if not len(rows):
        return
    ends, table = observed.oriented.ends, observed.oriented.conversations
    ports = ports_of(table)
    pairs = combined([near, far])[0]
    order = np.argsort(pairs, kind="stable")
    pairs, near, far, rows = pairs[order], near[order], far[order], rows[order]
    first = np.flatnonzero(np.diff(pairs, prepend=-1))
    counts = np.add.reduceat(np.maximum(table.column("connections")[rows], 1), first).tolist()
    times = table.column("last_seen")[rows].astype("datetime64[s]").astype(np.int64)
    last = np.maximum.reduceat(times, first).tolist()
    kinds = np.split(ports.codes[rows], first[1:])
    known: dict[tuple[int, ...], Traffic] = {}
    owns: list[int] = near[first].tolist()
    others: list[int] = far[first].tolist()
    for place, (own, other) in enumerate(zip(owns, others, strict=True)):
        asked = tuple(sorted(set(kinds[place].tolist())))
        if asked not in known:
            traffic = NO_TRAFFIC
            for kind in asked:
                traffic |= traffic_of(*ports.values[kind])
            known[asked] = traffic
        yield Want(ends[own].interface, ends[other], known[asked], counts[place], last[place])


def _intended(context: RemedyContext, names: Collection[str], direction: Direction) -> Iterator[Want]:
    """Yield what the intent allows; who only may belong to a segment counts as a member."""
    matrix = context.matrix
    if matrix is None:
        return
    segments = matrix.segmentation
    members = {name: sorted({*segments.members[name], *segments.uncertain.get(name, ())}) for name in segments.names}
    for source, target, traffic in matrix.pairs():
        near, far = (target, source) if direction == "ingress" else (source, target)
        ours = [each for each in members.get(near, ()) if each in names]
        if not ours or traffic == NO_TRAFFIC:
            continue
        outside = segments.outside.get(far) or (GLOBAL_UNICAST if far == INTERNET else None)
        for own in ours:
            for each in members.get(far, ()):
                if each != own:
                    end = End("interface", each, str(context.estate.interfaces[each].addresses))
                    yield Want(own, end, traffic, intended=True)
            if outside:
                yield Want(own, End("outside", "", str(outside), name=far), traffic, intended=True)
