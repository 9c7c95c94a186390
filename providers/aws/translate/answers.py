"""Typed access to the raw answers of one AWS account and region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import qualified
from cloudseg.providers.answers import Answers as _Answers
from cloudseg.providers.answers import Ledger

if TYPE_CHECKING:
    from cloudseg.snapshot import Part, Snapshot

__all__ = ["PROVIDER", "Answers", "Ledger"]

PROVIDER = "aws"


class Answers(_Answers):
    """The answers of one account and region, and the names of what is in them."""

    def __init__(self, snapshot: Snapshot, scope: str, region: str, parts: list[Part], ledger: Ledger) -> None:
        super().__init__(PROVIDER, snapshot, scope, region, parts, ledger)

    def id(self, own: str, *, account: str | None = None, region: str | None = None) -> str:
        """Return the qualified id of a resource of this account and region, or of the ones given."""
        return qualified(PROVIDER, account or self.scope, own, region or self.region)
