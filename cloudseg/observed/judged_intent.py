"""What was observed beside what is intended: permitted, escaped, refused, and refused although intended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

import numpy as np

from cloudseg.errors import ParseError
from cloudseg.observed.columns_of import numbers_of
from cloudseg.observed.grouping import grouped, ports_of
from cloudseg.observed.kinds_of_traffic import traffic_of
from cloudseg.traffic import AddressSet
from cloudseg.traffic.cidr import parse_address
from cloudseg.traffic.protocols import SCTP, TCP, UDP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.observed.ends import End
    from cloudseg.observed.grouping import Group
    from cloudseg.observed.join import Joined
    from cloudseg.segments import Segmentation
    from cloudseg.traffic import Traffic

__all__ = ["Cell", "Intended", "Judgement", "Met", "judged_by_intent"]

Cell = Literal["permitted", "escaped", "refused", "refused but intended"]
"""``permitted``: accepted and intended; ``escaped``: accepted and not intended; ``refused``: neither."""

_PORTED: Final = (TCP, UDP, SCTP)
CELLS: Final[tuple[Cell, ...]] = ("permitted", "escaped", "refused", "refused but intended")


class Intended(Protocol):
    """What is asked of the intended traffic."""

    def for_segments(self, sources: tuple[str, ...], targets: tuple[str, ...]) -> Traffic:
        """Return what anybody who is in all the sources may open to anybody who is in all the targets."""
        ...


class Met(NamedTuple):
    """Conversations between the same segments, on the same port, with the same verdict.

    Attributes:
        cell: what became of them, and what was meant to.
        sources: the segments of who opened them.
        targets: the segments of the other end.
        protocol: IANA number.
        port: the port; None for protocols without ports.
        group: the conversations.
    """

    cell: Cell
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    protocol: int
    port: int | None
    group: Group


class Judgement(NamedTuple):
    """The matrix of what was observed and what is intended.

    Attributes:
        met: what was observed, the most connections first.
        conversations: how many conversations lie in each cell.
        connections: how often these were opened.
        unjudged: conversations of which it is not known who opened them, who an end was, or to which port.
    """

    met: tuple[Met, ...]
    conversations: dict[Cell, int]
    connections: dict[Cell, int]
    unjudged: int


def judged_by_intent(joined: Joined, segmentation: Segmentation, intended: Intended) -> Judgement:
    """Return what was observed beside what is intended.

    A conversation whose answers alone were refused counts as refused: it came to nothing.

    Args:
        joined: the conversations and their ends.
        segmentation: who belongs to which segment.
        intended: what segments may open to each other.
    """
    table = joined.conversations
    segments = numbers_of([_segments(end, segmentation) for end in joined.ends])
    known = np.array([end.known for end in joined.ends] or [True], dtype=np.bool_)
    sure = known[joined.initiators] & known[joined.responders] & (table.column("evidence") != "unknown")
    ports = ports_of(table)
    accepted = table.column("verdict") == "accepted"
    keys = (
        segments.codes[joined.initiators] if len(joined) else joined.initiators,
        segments.codes[joined.responders] if len(joined) else joined.responders,
        ports.codes,
        accepted.astype(np.int64),
    )
    met: list[Met] = []
    left_open = 0
    for group in grouped(joined, np.flatnonzero(sure), keys):
        row = int(group.rows[0])
        sources, targets = (segments.at(int(ends[row])) for ends in (joined.initiators, joined.responders))
        protocol, port = ports.at(row)
        asked, intends = traffic_of(protocol, port), intended.for_segments(sources, targets)
        if port is None and protocol in _PORTED and asked.overlaps(intends) and not asked <= intends:
            # The log tells no port although there is one: nobody knows whether that one was meant.
            left_open += len(group.rows)
            continue
        # Logs tell no type of an ICMP message: one that is intended may be what was seen.
        meant = bool(asked) and asked <= intends if port is not None else asked.overlaps(intends)
        met.append(Met(_cell(meant=meant, accepted=bool(accepted[row])), sources, targets, protocol, port, group))
    return Judgement(
        tuple(met),
        {cell: sum(len(each.group.rows) for each in met if each.cell == cell) for cell in CELLS},
        {cell: sum(each.group.connections for each in met if each.cell == cell) for cell in CELLS},
        int(np.count_nonzero(~sure)) + left_open,
    )


def _cell(*, meant: bool, accepted: bool) -> Cell:
    if accepted:
        return "permitted" if meant else "escaped"
    return "refused but intended" if meant else "refused"


def _segments(end: End, segmentation: Segmentation) -> Sequence[str]:
    """Return the segments of an end; of an address outside those that stand for it."""
    if end.interface:
        return segmentation.segments_of(end.interface)
    try:
        parse_address(end.address)
    except ParseError:
        return ()
    pieces = segmentation.split(AddressSet.parse(end.address))
    return pieces[0].segments if pieces else ()
