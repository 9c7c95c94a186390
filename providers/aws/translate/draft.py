"""The estate of AWS while it is being translated."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cloudseg.model import Resource, qualified
from cloudseg.providers.aws.translate.answers import PROVIDER
from cloudseg.providers.draft import Draft as _Draft

if TYPE_CHECKING:
    from cloudseg.providers.aws.translate.answers import Answers

__all__ = ["Draft"]


R = TypeVar("R", bound=Resource)


class Draft(_Draft):
    """Collects what the subjects translate, over all accounts and regions."""

    def __init__(self) -> None:
        super().__init__()
        self.descriptions: dict[str, str] = {}
        """What interfaces say of themselves, by their id: services tell there for whom they made one."""
        self.allocations: dict[str, str] = {}
        """The interface that an elastic address points at, by the qualified id of its allocation."""
        self.primary: dict[str, str] = {}
        """The first interface of an instance, by the instance's id: load balancers send to no other."""
        self.dual_stack: set[str] = set()
        """The load balancers that take IPv6 as well."""
        self._ids: set[str] = set()
        self._by_own_id: dict[tuple[str, str], str] = {}

    def put(self, mapping: dict[str, R], resource: R, reader: str) -> None:
        """Add a resource as any draft does, and let :meth:`id_of` find it."""
        if resource.id in mapping and reader != resource.scope:
            return
        super().put(mapping, resource, reader)
        self.remember(resource.region, resource.own_id, resource.id)

    def remember(self, region: str, own: str, identifier: str) -> None:
        """Let :meth:`id_of` find a resource by its own id in a region."""
        self._ids.add(identifier)
        self._by_own_id.setdefault((region, own), identifier)

    def id_of(self, answers: Answers, own: str, account: str | None = None) -> str:
        """Return the qualified id of a resource that an answer names by its own id alone.

        It may belong to another account: shared networks, peerings, transit gateways. One's own comes first, then
        what any account read under that id, else the id is taken for one of ``account`` or of the reader.
        """
        given = qualified(PROVIDER, account or answers.scope, own, answers.region)
        return given if given in self._ids else self._by_own_id.get((answers.region, own), given)
