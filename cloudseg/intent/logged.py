"""Which interfaces had logs at all: that something was not seen says nothing where nobody looked."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cloudseg.model import provider_of, scope_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.flows.coverage import Observer
    from cloudseg.model import Estate

__all__ = ["logged_interfaces"]


def logged_interfaces(estate: Estate, observers: Iterable[Observer]) -> frozenset[str]:
    """Return the interfaces in whose scope, or in the scope of whose network, somebody reported, by qualified id.

    Where the logs of a provider do not name their scopes as the estate does, all of its interfaces count.
    """
    reported: defaultdict[str, set[str | None]] = defaultdict(set)
    for observer in observers:
        reported[observer.provider].add(observer.scope and observer.scope.lower())
    known = {(scope.provider, name.lower()) for scope in estate.scopes for name in (scope.scope, scope.name) if name}
    names = {(scope.provider, scope.scope): {scope.scope.lower(), scope.name.lower()} for scope in estate.scopes}
    unclear = {
        provider
        for provider, scopes in reported.items()
        if any(scope is None or (provider, scope) not in known for scope in scopes)
    }

    def reports(identifier: str) -> bool:
        provider, scope = provider_of(identifier), scope_of(identifier)
        own = names.get((provider, scope), {scope.lower()})
        return provider in unclear or bool(reported.get(provider, set()) & own)

    return frozenset(
        interface.id
        for interface in estate.interfaces.values()
        if reports(interface.id) or (interface.network is not None and reports(interface.network))
    )
