"""From an ARM resource to a managed service of the model: what every family fills in the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from cloudseg.model import EndpointConnection, Service
from cloudseg.providers.azure.ids import parent_of, qualified_id, region_of, subscription_of
from cloudseg.providers.azure.translate.services.access import Acls
from cloudseg.providers.azure.translate.wire import ArmResource, Ref, tags_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.azure.translate.draft import Draft
    from cloudseg.providers.azure.translate.services.access import Access

__all__ = ["Connection", "Properties", "Stands", "connections_of", "in_subnet", "service", "shown", "state_of"]

_STATES: Final[dict[str, Literal["pending", "accepted", "rejected", "failed", "other"]]] = {
    "approved": "accepted",
    "pending": "pending",
    "rejected": "rejected",
    "disconnected": "other",
}


class _State(msgspec.Struct):
    status: str | None = None


class _ConnectionProperties(msgspec.Struct, rename="camel"):
    private_endpoint: Ref | None = None
    private_link_service_connection_state: _State | None = None


class Connection(msgspec.Struct):
    """A private endpoint's connection, as the service that it leads to sees it."""

    id: str = ""
    properties: _ConnectionProperties = msgspec.field(default_factory=_ConnectionProperties)


class Properties(msgspec.Struct, rename="camel"):
    """The settings that most families share."""

    public_network_access: str | None = None
    private_endpoint_connections: list[Connection] | None = None
    network_acls: Acls | None = None
    disable_local_auth: bool | None = None


class Stands(NamedTuple):
    """The subnet that a service stands in; nothing where it stands in none."""

    network: str | None = None
    subnets: frozenset[str] = frozenset()


NOWHERE: Final = Stands()


def in_subnet(draft: Draft, arm: str | None) -> Stands:
    """Return where a service with an address in a subnet stands."""
    if not arm:
        return NOWHERE
    subnet = qualified_id(arm)
    known = draft.subnets.get(subnet)
    # Of a network in a subscription that was not read, a subnet's own id tells the name.
    return Stands(qualified_id(parent_of(arm)) if known is None else known.network, frozenset((subnet,)))


def state_of(status: str | None) -> Literal["pending", "accepted", "rejected", "failed", "other"]:
    """Return the state of a connection; only one that is approved carries anything.

    Source: https://learn.microsoft.com/azure/private-link/manage-private-endpoint
    """
    return _STATES.get((status or "").lower(), "other")


def connections_of(listed: Iterable[Connection] | None) -> tuple[EndpointConnection, ...] | None:
    """Return the private endpoints that lead to a service or ask to; None where the answer does not show them."""
    if listed is None:
        return None
    found: list[EndpointConnection] = []
    for each in listed:
        endpoint, state = each.properties.private_endpoint, each.properties.private_link_service_connection_state
        # Of an endpoint that is gone the connection alone is left.
        arm = each.id if endpoint is None or not endpoint.id else endpoint.id
        own = "/" + arm.strip("/").lower()
        found.append(EndpointConnection(own, subscription_of(own), state_of(None if state is None else state.status)))
    return tuple(sorted(found, key=lambda each: each.endpoint))


def shown(**settings: object) -> dict[str, str]:
    """Return settings as Azure spells them; those that were not read are left out."""
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in settings.items()}
    return {name: text for name, text in texts.items() if settings[name] is not None and text}


def service(  # noqa: PLR0913 - all but four are optional and go by keyword
    wire: ArmResource,
    family: str,
    kind: str,
    access: Access,
    *,
    connections: Iterable[Connection] | None = None,
    anonymous: bool | None = False,
    settings: dict[str, str] | None = None,
    control_plane: bool = False,
    stands: Stands = NOWHERE,
) -> Service:
    """Return a managed service; callers show a key, a token or a password unless told otherwise."""
    return Service(
        id=qualified_id(wire.id),
        kind=kind,
        name=wire.name,
        region=region_of(wire.location or ""),
        tags=tags_of(wire),
        service=family,
        public=access.public,
        sources=access.sources,
        any_tenant=access.any_tenant,
        anonymous=anonymous,
        reason=access.reason,
        settings=settings or {},
        control_plane=control_plane,
        network=stands.network,
        subnets=stands.subnets,
        connections=connections_of(connections),
    )
