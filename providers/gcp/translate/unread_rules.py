"""What stands for rules that could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.model import ANYONE, Rule
from cloudseg.traffic import ALL_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Direction, Verdict

__all__ = ["unread_rule"]

_EITHER: Final[tuple[Verdict, ...]] = ("deny", "accept")


def unread_rule(index: int, priority: int | None, why: str) -> Iterator[Rule]:
    """Yield what stands for a rule that could not be read: in both directions, it may match anything and pass it."""
    both: tuple[Direction, ...] = ("ingress", "egress")
    for direction in both:
        for verdict in _EITHER:
            yield Rule(
                id=f"{direction}/unread-{index}-{verdict}",
                direction=direction,
                verdict=verdict,
                traffic=ALL_TRAFFIC,
                remote=ANYONE,
                priority=priority or 0,
                exact=False,
                doubt=why,
                description=why,
            )
