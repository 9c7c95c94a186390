"""What the caller may read of a subscription as a whole.

Azure does not refuse a list to whoever may see a part of it: it leaves out the rest. Lists are therefore held against
the caller's own permissions at the subscription.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, cast

from cloudseg.providers.azure.calls import list_at
from cloudseg.providers.azure.failures import FAILURES, detail_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cloudseg.providers.azure.clients import Clients

__all__ = ["Permissions", "permissions_of"]

_VERSION = "2022-04-01"


class _Allowed(NamedTuple):
    actions: tuple[str, ...]
    but: tuple[str, ...]


class Permissions:
    """The actions that somebody may take on a subscription; none are known where ``problem`` says why."""

    def __init__(self, allowed: Iterable[tuple[Iterable[str], Iterable[str]]], problem: str = "") -> None:
        self._allowed = tuple(_Allowed(tuple(actions), tuple(but)) for actions, but in allowed)
        self.problem = problem

    def allow(self, action: str) -> bool:
        """Tell whether an action is allowed by one of the roles; what one of them excludes, another may grant.

        Source: https://learn.microsoft.com/azure/role-based-access-control/role-definitions#actions
        """
        return any(
            any(_matches(each, action) for each in role.actions)
            and not any(_matches(each, action) for each in role.but)
            for role in self._allowed
        )

    def lack(self, action: str) -> str:
        """Return why a list may leave something out; empty where the action is allowed on the whole subscription.

        Without an action there is none to allow.
        """
        if not action:
            return ""
        if self.problem:
            return f"whether all of it is shown is not known, for {self.problem}"
        if self.allow(action):
            return ""
        return f"no role on the whole subscription allows {action}; what is shown is what narrower roles allow"


def permissions_of(clients: Clients, subscription: str, wait: Callable[[], None]) -> Permissions:
    """Ask what the caller may do on a subscription.

    Source: https://learn.microsoft.com/rest/api/authorization/permissions

    Args:
        clients: as whom, and where.
        subscription: the subscription's id.
        wait: called before each request.
    """
    path = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/permissions"
    try:
        listed = list_at(clients, subscription, path, _VERSION, wait)
    except FAILURES as error:
        return Permissions((), f"the caller's permissions could not be read: {detail_of(error)}")
    return Permissions((_texts(role.get("actions")), _texts(role.get("notActions"))) for role in listed)


def _texts(value: object) -> list[str]:
    return [text for text in cast("list[object]", value) if isinstance(text, str)] if isinstance(value, list) else []


def _matches(pattern: str, action: str) -> bool:
    return _pattern(pattern).fullmatch(action) is not None


@lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.IGNORECASE)
