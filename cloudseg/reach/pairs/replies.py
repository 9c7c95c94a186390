"""What must come back: which requests are answered, where stateless lists judge the answers.

An answer goes to the port that the client chose. Certain is what is answered whatever port a client chooses from 1024
up; at most, what is answered for some port: whoever attacks chooses the port that works. Of ICMP only echo is answered,
and the other protocols have no ports. Source:
https://docs.aws.amazon.com/vpc/latest/userguide/custom-network-acl.html#nacl-ephemeral-ports
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.traffic import ALL_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.reach.pairs.atoms import TrafficAtoms, Words
    from cloudseg.reach.pairs.rows import Rows

__all__ = ["TRANSLATED", "Replies", "reply_traffic"]

_PORTED: Final = ("tcp", "udp", "sctp")
_FIRST: Final = 1024
_ECHOES: Final = (
    (Traffic.icmp_type(8, version=4), Traffic.icmp_type(0, 0, version=4)),
    (Traffic.icmp_type(128, version=6), Traffic.icmp_type(129, 0, version=6)),
)
TRANSLATED: Final = Traffic.protocol("tcp") | Traffic.protocol("udp") | Traffic.protocol("icmp")
"""What a NAT gateway carries. Source: https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html"""
_ICMP: Final = Traffic.protocol("icmp") | Traffic.protocol("icmpv6")


def reply_traffic() -> Iterator[Traffic]:
    """Yield the sets that atoms of traffic have to be cut along so that answers can be judged."""
    for protocol in _PORTED:
        yield Traffic.protocol(protocol)
        yield Traffic.ports(protocol, _FIRST)
    for request, answer in _ECHOES:
        yield request
        yield answer
    yield _ICMP


class _Ported(NamedTuple):
    """Masks of a protocol with ports: all of it, and the ports that a client chooses from."""

    every: Words
    chosen: Words


class Replies:
    """Judges answers.

    Args:
        atoms: atoms that were cut along :func:`reply_traffic`.
    """

    def __init__(self, atoms: TrafficAtoms) -> None:
        def words(traffic: Traffic) -> Words:
            return atoms.words(atoms.mask(traffic))

        self._ported = tuple(_Ported(words(Traffic.protocol(p)), words(Traffic.ports(p, _FIRST))) for p in _PORTED)
        self._echoes = tuple((words(request), words(answer)) for request, answer in _ECHOES)
        self._everything = words(ALL_TRAFFIC)
        requests = _ECHOES[0][0] | _ECHOES[1][0]
        self._silent = words(_ICMP - requests)
        ported = Traffic.protocol("tcp") | Traffic.protocol("udp") | Traffic.protocol("sctp")
        self._others = words(ALL_TRAFFIC - ported - _ICMP)

    def answered(self, back: Rows, *, certain: bool, translated: bool = False) -> Rows:
        """Return the requests that are answered, of everything, when these packets are let back.

        Args:
            back: what is let back to the client, by word and column.
            certain: whatever port the client chooses; otherwise for some port.
            translated: the port is chosen by a gateway, which takes none below 1024. Source:
                https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html
        """
        narrowed = np.flatnonzero(np.any(back != self._everything[:, None], axis=0))
        found: Rows = np.empty_like(back)
        found[:] = self._everything[:, None]
        # Where everything is let back, everything is answered: most lists stop little.
        if len(narrowed):
            found[:, narrowed] = self._judged(back[:, narrowed], certain=certain, translated=translated)
        return found

    def _judged(self, back: Rows, *, certain: bool, translated: bool) -> Rows:
        found: Rows = (back & self._others[:, None]) | self._silent[:, None]
        for every, chosen in self._ported:
            if certain:
                passes = ((back & chosen[:, None]) == chosen[:, None]).all(axis=0)
            else:
                passes = (back & (chosen if translated else every)[:, None]).any(axis=0)
            found |= every[:, None] * passes
        for request, answer in self._echoes:
            found |= request[:, None] * ((back & answer[:, None]) == answer[:, None]).all(axis=0)
        return found
