"""The ends of conversations as the estate knows them."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["End", "EndKind"]

EndKind = Literal["interface", "outside", "beyond", "gone", "unknown"]
"""What an end is.

``interface``: an interface of the estate; ``outside``: an address of the internet; ``beyond``: a private address in no
network that was read, on premises or in a scope that nobody read; ``gone``: an interface that reported and is no longer
there, or stands in a scope that was not read; ``unknown``: an address that several interfaces may have borne, or none
that was read although its network was.
"""


class End(NamedTuple):
    """One end of conversations.

    Attributes:
        kind: what it is.
        interface: qualified id of the interface; empty for every other kind.
        address: as it was logged.
        reason: why it is not an interface of the estate, in words; empty for an interface and for ``outside``.
        candidates: qualified ids of the interfaces that it may be, of an ``unknown`` one, in order.
        name: what the log calls it: a pod, a machine, a service of the cloud; empty where it does not.
        network: qualified id of the network in which it stands or stood, of one that is ``gone`` or ``unknown``; empty
            where that is not known.
        deleted: of one that is ``gone``, its interface reported, and all interfaces of its scope were read: there is
            none such any more.
    """

    kind: EndKind
    interface: str
    address: str
    reason: str = ""
    candidates: tuple[str, ...] = ()
    name: str = ""
    network: str = ""
    deleted: bool = False

    @property
    def known(self) -> bool:
        """Whether it is known who it is: an interface of the estate, or surely none."""
        return self.kind in {"interface", "outside", "beyond"}
