"""Caches: Azure Cache for Redis, and Redis Enterprise, which Azure Managed Redis is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.providers.azure.translate.services.access import EVERYONE, NOBODY, Access, decided
from cloudseg.providers.azure.translate.services.building import Properties, connections_of, in_subnet, service, shown
from cloudseg.providers.azure.translate.services.databases import ranges_by_owner, stands_in
from cloudseg.providers.azure.translate.wire import ArmResource
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_caches"]

_FACET = "services.redis"


class _Properties(Properties, rename="camel"):
    subnet_id: str | None = None
    redis_configuration: dict[str, object] | None = None
    enable_non_ssl_port: bool | None = None


class _Cache(ArmResource, kw_only=True):
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_caches(answers: Answers, draft: Draft) -> None:
    """Add caches: without a firewall rule everyone is admitted; one in a subnet has its address there alone.

    Sources:
    https://learn.microsoft.com/azure/azure-cache-for-redis/cache-network-isolation
    https://learn.microsoft.com/azure/azure-cache-for-redis/cache-configure#firewall
    """
    rules = ranges_by_owner(answers, "cache", _FACET, azure=False)
    for wire in answers.listed("cache", "redis", _Cache, _FACET):
        own = wire.properties
        stands = in_subnet(draft, own.subnet_id)
        if own.subnet_id:
            reason = f"it stands in the subnet {stands_in(stands)}, and has no public address"
            access = Access(public=False, sources=NO_ADDRESSES, any_tenant=False, reason=reason)
        else:
            admitted = EVERYONE if rules.none_of(wire.id) else rules.of(wire.id)
            access = decided(own.public_network_access, admitted)
        found = service(
            wire,
            "redis",
            "redis",
            access,
            connections=own.private_endpoint_connections,
            anonymous=_without_password(own),
            settings=shown(
                publicNetworkAccess=own.public_network_access,
                enableNonSslPort=own.enable_non_ssl_port,
                subnet=own.subnet_id,
            ),
            stands=stands,
        )
        draft.put(draft.services, found, answers.scope)
    for wire in answers.listed("cache", "redis_enterprise", _Cache, _FACET):
        own = wire.properties
        joined = any(each.state == "accepted" for each in connections_of(own.private_endpoint_connections) or ())
        # Before there was a switch, a private endpoint closed the public one in some versions.
        doubt = "whether its private endpoint closes the public one is not shown"
        rules_of = NOBODY._replace(doubt=doubt) if joined and not own.public_network_access else EVERYONE
        found = service(
            wire,
            "redis",
            "redis-enterprise",
            decided(own.public_network_access, rules_of),
            connections=own.private_endpoint_connections,
            settings=shown(publicNetworkAccess=own.public_network_access),
        )
        draft.put(draft.services, found, answers.scope)


def _without_password(own: _Properties) -> bool:
    """Tell whether a cache answers without a password, which only one in a subnet can be set to.

    Source: https://learn.microsoft.com/azure/azure-cache-for-redis/cache-configure#memory-policies
    """
    setting = {key.lower(): value for key, value in (own.redis_configuration or {}).items()}.get("authnotrequired")
    return str(setting).lower() == "true"
