"""What a conformance case is: a small estate, the right verdict, and the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudseg.snapshot import Snapshot

__all__ = ["Case", "Expected"]


class Expected(NamedTuple):
    """A finding that an audit must report.

    Attributes:
        check: id of the check, as the finding's own or as what else is wrong with the same rule.
        resource: own id of the resource.
        severity: where the case is about it.
        says: regular expressions that the finding's message or evidence must match.
        never_says: regular expressions that neither may match.
        peer: the other end of the rule, where the case is about it.
        times: how many such findings there must be.
        reachable: whether the rule certainly delivers a packet, where the case is about it; "any" otherwise.
    """

    check: str
    resource: str
    severity: str = ""
    says: tuple[str, ...] = ()
    never_says: tuple[str, ...] = ()
    peer: str = ""
    times: int = 1
    reachable: bool | str | None = "any"


class Case(NamedTuple):
    """One case.

    Attributes:
        number: the statement of docs/semantics.md that it shows.
        title: the estate and the verdict, as a sentence.
        reason: why the verdict is right.
        build: returns the estate's raw answers.
        finds: findings that must be there.
        silent: checks that must report nothing, or ``(check, resource)`` for nothing about one resource.
    """

    number: int
    title: str
    reason: str
    build: Callable[[], Snapshot]
    finds: tuple[Expected, ...] = ()
    silent: tuple[str | tuple[str, str], ...] = ()
