"""The way between two interfaces by a name that rewrites where packets go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import shown_id
from cloudseg.reach.frontends import frontends_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.reach.explaining.ends import Face
    from cloudseg.reach.explaining.walk import Walk
    from cloudseg.reach.explaining.walks import Walker
    from cloudseg.traffic import Traffic

__all__ = ["by_name"]


def by_name(walker: Walker, sources: Sequence[Face], targets: Sequence[Face], most: Traffic) -> Iterator[Walk]:
    """Yield the ways by names before an interface, whose addresses the rules of the sender see.

    Args:
        walker: walks.
        sources: the addresses of who sends.
        targets: the addresses of who takes.
        most: what passes between the two at most, on any way.
    """
    linker = walker.linker
    for frontend in frontends_of(targets[0].interface, walker.estate):
        arriving = most & linker.traffic
        if frontend.sends is not None:
            arriving &= frontend.sends
        if sources[0].interface.network not in frontend.networks or not arriving:
            continue
        text = f"to {frontend.addresses}, the address of {shown_id(frontend.alias)}, which leads here"
        doubt = "which routes packets take to that address was not worked out"
        link = linker.doubtful("route", text, (doubt,), targets[0].interface.id)._replace(upper=arriving)
        yield walker.walk(sources[0].addresses, targets[0], [link])
