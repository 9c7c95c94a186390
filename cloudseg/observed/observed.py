"""Everything that an audit asks of observed conversations, each part worked out when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudseg.flows.coverage import Coverage
    from cloudseg.model import Estate
    from cloudseg.observed.join import Joined
    from cloudseg.observed.logged import Logged
    from cloudseg.observed.observations import Observations
    from cloudseg.observed.usage import Usage
    from cloudseg.reach.reachability import Reachability

__all__ = ["Observed"]

T = TypeVar("T")


class Observed:
    """Observed conversations beside an estate.

    Args:
        conversations: the conversations.
        estate: the estate.
        reach: returns the reachability of the estate.

    Attributes:
        conversations: the conversations.
    """

    def __init__(self, conversations: Observations, estate: Estate, reach: Callable[[], Reachability]) -> None:
        self.conversations = conversations
        self._estate = estate
        self._reach = reach
        self._kept: dict[str, Any] = {}

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what was made under a name, by whoever asks first.

        Args:
            name: what it is called.
            make: makes it.
        """
        if name not in self._kept:
            self._kept[name] = make()
        found: T = self._kept[name]
        return found

    @property
    def coverage(self) -> Coverage:
        """What the conversations rest on."""
        return self.conversations.coverage

    @cached_property
    def joined(self) -> Joined:
        """The conversations, and whom their ends stand for."""
        from cloudseg.observed.join import join

        return join(self.conversations, self._estate)

    @cached_property
    def usage(self) -> Usage:
        """Which rules the conversations use."""
        from cloudseg.observed.using import usage_of

        return usage_of(self.joined, self._reach(), self._estate)

    @cached_property
    def oriented(self) -> Joined:
        """The same as :attr:`joined`, with the initiators that rules tell where logs do not."""
        from cloudseg.observed.orienting import oriented

        return oriented(self.joined, self.usage)

    @cached_property
    def logged(self) -> Logged:
        """What the logs cover."""
        from cloudseg.observed.logged import Logged

        return Logged(self.coverage, self._estate)
