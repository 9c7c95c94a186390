"""Which conversations say nothing about what is intended, each with one reason, so that the dropped ones add up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.intent.observations import CONFIDENCES, LAST_PORT, LAST_PROTOCOL, NO_PORT, PORTED, REFUSED, distinct
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cloudseg.intent.observations import Observations

__all__ = ["EPHEMERAL", "NOISE", "Sorted", "sort_out"]

EPHEMERAL: Final = 32768
"""The first port that clients take by themselves: Linux begins here, IANA's dynamic ports at 49152. Sources:
https://www.kernel.org/doc/html/latest/networking/ip-sysctl.html and
https://www.rfc-editor.org/rfc/rfc6335#section-6"""
_SCANNED: Final = 5
"""A source outside that got no answer from so many different addresses and ports looks for open doors."""
_TINY: Final = 400
"""Bytes of a TCP connection that opens and closes without a word, in both directions: some seven empty packets."""
_BRIEF: Final = 3
"""Records that one short connection leaves at most at one observer."""
_SEVERAL: Final = 8
"""From so many ephemeral ports of one responder on nobody can name the ports: they change with every start."""
_TO_MANY: Final = AddressSet.parse("224.0.0.0/4, 255.255.255.255, ff00::/8")
_TCP: Final = 6
_UNKNOWN: Final = CONFIDENCES.index("unknown")
_HIGH: Final = CONFIDENCES.index("high")

NOISE: Final = {
    "multicast": "sent to a group of machines or to all, which no segment is",
    "unknown-end": "an end that nobody knows: no interface of the estate, and no address outside",
    "unnamed-traffic": "the log does not tell the protocol or the port",
    "outside-only": "both ends outside of the estate",
    "scan": "an outside source that tried many addresses and ports and got no answer from most",
    "refused": "refused by a rule",
    "unknown-initiator": "nobody knows who opened it",
    "one-off": "seen once, and unanswered or without a word",
    "ephemeral": "the responder's port is one that clients take",
}
"""Why a conversation is dropped, in the order in which the reasons are looked for, with what each means."""
_REASONS: Final = tuple(NOISE)
_KEPT: Final = -1
_Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


class Sorted(NamedTuple):
    """Conversations sorted out.

    Attributes:
        kept: places of those from which an intent follows.
        dropped: places of the others by reason, a key of ``NOISE``; only reasons that occur.
    """

    kept: NDArray[np.int64]
    dropped: dict[str, NDArray[np.int64]]


def sort_out(seen: Observations) -> Sorted:
    """Return which conversations count, and which are dropped for which reason."""
    reasons = np.full(len(seen.first), _KEPT, dtype=np.int64)

    def drop(reason: str, which: _Mask) -> None:
        reasons[which & (reasons == _KEPT)] = _REASONS.index(reason)

    doubtful = np.array([bool(end.doubt) for end in seen.ends], dtype=bool)
    outside = np.array([end.is_outside for end in seen.ends], dtype=bool)
    to_many = np.array([end.is_outside and end.addresses.overlaps(_TO_MANY) for end in seen.ends], dtype=bool)
    drop("multicast", to_many[seen.responder] | to_many[seen.initiator])
    drop("unknown-end", doubtful[seen.initiator] | doubtful[seen.responder])
    drop("unnamed-traffic", _unnamed(seen))
    drop("outside-only", outside[seen.initiator] & outside[seen.responder])
    drop("scan", _scanning(seen, outside))
    drop("refused", seen.verdict == REFUSED)
    drop("unknown-initiator", seen.confidence == _UNKNOWN)
    drop("one-off", _once(seen))
    drop("ephemeral", _ephemeral(seen, reasons == _KEPT))
    found = {name: np.flatnonzero(reasons == place) for place, name in enumerate(_REASONS)}
    return Sorted(np.flatnonzero(reasons == _KEPT), {name: places for name, places in found.items() if len(places)})


def _unnamed(seen: Observations) -> _Mask:
    """Tell which have no protocol, or no port although their protocol has ports; or one that no packet can bear."""
    portless = np.isin(seen.protocol, list(PORTED)) & (seen.port == NO_PORT)
    found: _Mask = portless | (seen.protocol < 0) | (seen.protocol > LAST_PROTOCOL) | (seen.port > LAST_PORT)
    return found


def _unanswered(seen: Observations) -> _Mask:
    """Tell which got no answer. A log that counts no packets at all shows nothing of it."""
    unanswered: _Mask = (seen.packets > 0) & (seen.packets_back == 0)
    return unanswered


def _scanning(seen: Observations, outside: _Mask) -> _Mask:
    """Tell which are of outside sources that mostly got no answer, from many addresses and ports.

    Conversations of which nobody knows who opened them make nobody a scanner.
    """
    asked = outside[seen.initiator] & (seen.confidence != _UNKNOWN)
    in_vain = asked & ((seen.verdict == REFUSED) | _unanswered(seen))
    of = len(seen.ends)
    tried = np.bincount(seen.initiator[asked], minlength=of)
    doors = seen.chosen(in_vain)
    doors = doors.chosen(distinct(doors.initiator, doors.responder, doors.protocol, doors.port))
    closed = np.bincount(doors.initiator, minlength=of)
    scanners = (closed >= _SCANNED) & (2 * np.bincount(seen.initiator[in_vain], minlength=of) >= tried)
    found: _Mask = asked & scanners[seen.initiator]
    return found


def _once(seen: Observations) -> _Mask:
    """Tell which were seen once, and nothing came of it: no answer, or a TCP connection without a word."""
    once = (seen.connections <= 1) & (seen.records <= _BRIEF)
    wordless = (seen.protocol == _TCP) & (seen.bytes > 0) & (seen.bytes <= _TINY)
    found: _Mask = once & (_unanswered(seen) | wordless)
    return found


def _ephemeral(seen: Observations, left: _Mask) -> _Mask:
    """Tell which go to a port that clients take: where that is not proved, or the responder answers at many of them."""
    high = left & np.isin(seen.protocol, list(PORTED)) & (seen.port >= EPHEMERAL)
    unproved = high & (seen.confidence != _HIGH)
    doors = seen.chosen(high)
    doors = doors.chosen(distinct(doors.responder, doors.protocol, doors.port))
    many = np.bincount(doors.responder, minlength=len(seen.ends)) >= _SEVERAL
    found: _Mask = unproved | (high & many[seen.responder])
    return found
