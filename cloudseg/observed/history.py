"""Who bore an address when, as far as the logs themselves show it.

An address that was freed is given to another interface. What was logged without naming an interface is mapped by the
time at which others that reported bore its address, and by what the estate says now for the time after them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from cloudseg.observed.ends import End

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Bearing", "History", "borne"]


class Bearing(NamedTuple):
    """An end that was seen to bear its address.

    Attributes:
        end: the end.
        first: when it was first seen, seconds since 1970.
        last: when it was last seen, likewise.
    """

    end: End
    first: int
    last: int


class History:
    """Looks up who bore addresses.

    Args:
        seen: the ends that reported themselves, each with the network in which its address is looked up (empty where
            the log does not tell), and when.
    """

    def __init__(self, seen: Iterable[tuple[str, Bearing]]) -> None:
        self._known: defaultdict[tuple[str, str], dict[str, Bearing]] = defaultdict(dict)
        for network, bearing in seen:
            who = bearing.end.interface or bearing.end.reason
            held = self._known[bearing.end.address, network]
            other = held.get(who)
            held[who] = (
                bearing
                if other is None
                else Bearing(other.end, min(other.first, bearing.first), max(other.last, bearing.last))
            )

    def others(self, end: End, network: str) -> tuple[Bearing, ...]:
        """Return everybody who bore the address of an end, where anybody else did than the end as it is known now."""
        here, anywhere = self._known.get((end.address, network)), self._known.get((end.address, ""))
        if here is None and anywhere is None:
            return ()
        found = [*(here or {}).values(), *((anywhere or {}).values() if network else ())]
        if all(each.end.interface == end.interface and end.interface for each in found):
            return ()
        return tuple(found)


def borne(end: End, others: tuple[Bearing, ...], first: int, last: int) -> End:
    """Return who bore an address during a conversation.

    Args:
        end: who bears it now, as far as the estate tells.
        others: who was seen to bear it, of :meth:`History.others`.
        first: when the conversation was first seen, seconds since 1970.
        last: when it was last seen, likewise.
    """
    during = [each.end for each in others if each.first <= last and first <= each.last]
    after = [each for each in others if each.end.interface != end.interface or not end.interface]
    if first > max(each.last for each in after):
        # Nobody else was seen to bear it any more.
        during.append(end)
    who = {each.interface or each.reason: each for each in during}
    if len(who) == 1:
        return next(iter(who.values()))
    names = sorted({each.interface for each in (end, *(other.end for other in others)) if each.interface})
    reason = f"{end.address} was borne by several interfaces in turn, and which it was then is not known"
    return End("unknown", "", end.address, reason, tuple(names), end.name, end.network)
