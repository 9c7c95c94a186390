"""From conversations that were joined with an estate to the columns that an intent is generated from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cloudseg.intent.observations import ACCEPTED, CONFIDENCES, REFUSED, End, Observations
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from cloudseg.intent.observations import Numbers
    from cloudseg.observed.ends import End as FoundEnd
    from cloudseg.observed.join import Joined

__all__ = ["observations_from"]

_UNKNOWN: Final = CONFIDENCES.index("unknown")


def observations_from(joined: Joined) -> Observations:
    """Return conversations whose ends were found in an estate as columns; an interface is one end, however logged."""
    ends: dict[End, int] = {}
    places = np.array([ends.setdefault(_end(found), len(ends)) for found in joined.ends], dtype=np.int64)
    column = joined.conversations.column
    verdict = np.where(column("verdict") == "accepted", ACCEPTED, REFUSED).astype(np.int64)
    known = {name: place for place, name in enumerate(CONFIDENCES)}
    confidence = np.array([known.get(each, _UNKNOWN) for each in column("confidence").tolist()], dtype=np.int64)
    return Observations(
        tuple(ends),
        places[joined.initiators],
        places[joined.responders],
        _numbers(column("protocol")),
        _numbers(column("port")),
        verdict,
        confidence,
        _numbers(column("connections")),
        _numbers(column("records")),
        _numbers(column("packets")),
        _numbers(column("packets_back")),
        _numbers(column("bytes")) + _numbers(column("bytes_back")),
        _seconds(column("first_seen")),
        _seconds(column("last_seen")),
        _numbers(column("initiator_port")),
    )


def _end(found: FoundEnd) -> End:
    if found.interface:
        return End(interface=found.interface, shown=found.interface)
    doubt = "" if found.known else found.reason or "nobody knows who has this address"
    return End("", AddressSet.parse(found.address) if found.known else AddressSet(), found.name, doubt, found.address)


def _numbers(column: np.ndarray[Any, Any]) -> Numbers:
    """Return a column of numbers. What is not there is -1 in the file, as ``NO_PORT`` is here."""
    return column.astype(np.int64)


def _seconds(column: np.ndarray[Any, Any]) -> Numbers:
    return column.astype("datetime64[s]").astype(np.int64)
