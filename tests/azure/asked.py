"""What the engine says of estates made by hand, for any traffic, in one word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.cli.sources import translate
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, Traffic
from tests.azure.agreeing import snapshot_of

if TYPE_CHECKING:
    from cloudseg.snapshot import Snapshot
    from tests.azure.raw import Raw

__all__ = ["Asked", "asked"]


class Asked:
    """The verdicts about one estate; ends are short names of interfaces, or addresses outside."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.estate = translate(snapshot)
        self._reach = Reachability(self.estate)
        self._names = {each.name: name for name, each in self.estate.interfaces.items()}

    def _end(self, text: str) -> str | AddressSet:
        return self._names[text] if text in self._names else AddressSet.parse(text)

    def __call__(self, source: str, target: str, traffic: str = "tcp/443") -> str:
        """``surely``, ``at most`` or ``no``: whether all of the traffic passes."""
        verdict, wanted = self._reach.between(self._end(source), self._end(target)), Traffic.parse(traffic)
        if wanted <= verdict.lower:
            return "surely"
        return "at most" if wanted <= verdict.upper else "no"


def asked(raw: Raw) -> Asked:
    return Asked(snapshot_of(raw.answers))
