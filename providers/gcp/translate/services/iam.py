"""Which resources everybody may use: the bindings of policies that name all users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.providers.gcp.ids import tail_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.gcp.translate.answers import Answers

__all__ = ["ANYBODY", "ANY_ACCOUNT", "OpenTo", "Policies", "open_to"]

ANYBODY: Final = "allUsers"
ANY_ACCOUNT: Final = "allAuthenticatedUsers"


class _Binding(msgspec.Struct):
    role: str = ""
    members: list[str] | None = None
    condition: object = None


class _Policy(msgspec.Struct, rename="camel"):
    asset_name: str = ""
    bindings: list[_Binding] | None = None


class OpenTo(NamedTuple):
    """To whom a resource is open, whoever they are.

    Attributes:
        roles: the roles that everybody has; callers show nothing.
        account_roles: the roles of everybody who has an account of Google's at all.
        conditional: all of these hold under a condition only.
    """

    roles: tuple[str, ...] = ()
    account_roles: tuple[str, ...] = ()
    conditional: bool = False

    @property
    def words(self) -> str:
        """What the policy says, in words."""
        found = [f"{ANYBODY} has {', '.join(self.roles)}"] if self.roles else []
        found += [f"{ANY_ACCOUNT} has {', '.join(self.account_roles)}"] if self.account_roles else []
        return "; ".join(found) + (", under a condition" if found and self.conditional else "")


class Policies(NamedTuple):
    """To whom the resources of a kind are open.

    Attributes:
        known: what was read, by the tail of the resource's name.
        complete: all policies were read; of one that names nobody in particular nothing is kept.
    """

    known: dict[str, OpenTo]
    complete: bool

    def of(self, tail: str) -> OpenTo | None:
        """Return to whom a resource is open, by the tail of its name; None where that was not read."""
        found = self.known.get(tail)
        return OpenTo() if found is None and self.complete else found


def open_to(answers: Answers, service: str, operation: str, facet: str) -> Policies:
    """Return to whom resources are open, as far as their policies were read.

    Source: https://cloud.google.com/iam/docs/principals-overview#all-users
    """
    found: dict[str, OpenTo] = {}
    for policy in answers.listed(service, operation, _Policy, facet):
        bindings = policy.bindings or []
        found[tail_of(policy.asset_name)] = OpenTo(
            tuple(sorted(_roles(bindings, ANYBODY))),
            tuple(sorted(_roles(bindings, ANY_ACCOUNT))),
            conditional=all(each.condition is not None for each in bindings if {ANYBODY, ANY_ACCOUNT} & _who(each)),
        )
    return Policies(found, answers.complete(service, operation))


def _roles(bindings: Iterable[_Binding], member: str) -> set[str]:
    return {binding.role for binding in bindings if member in _who(binding)}


def _who(binding: _Binding) -> set[str]:
    return set(binding.members or ())
