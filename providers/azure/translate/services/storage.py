"""Storage accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.providers.azure.translate.services.access import Place, by_acls, decided
from cloudseg.providers.azure.translate.services.building import Properties, service, shown
from cloudseg.providers.azure.translate.wire import ArmResource

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_storage"]

_FACET = "services.storage"


class _Properties(Properties, rename="camel"):
    allow_blob_public_access: bool | None = None
    allow_shared_key_access: bool | None = None


class _Account(ArmResource, kw_only=True):
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_storage(answers: Answers, draft: Draft) -> None:
    """Add storage accounts.

    Where ``allowBlobPublicAccess`` is not false, each container says for itself whether it answers everyone, and that
    is not read. Sources:
    https://learn.microsoft.com/azure/storage/common/storage-network-security
    https://learn.microsoft.com/azure/storage/blobs/anonymous-read-access-prevent
    """
    for wire in answers.listed("storage", "storage_accounts", _Account, _FACET):
        own = wire.properties
        rules = by_acls(answers, Place("storage.storage_accounts", wire.id, _FACET), own.network_acls)
        found = service(
            wire,
            "storage",
            "storage-account",
            decided(own.public_network_access, rules),
            connections=own.private_endpoint_connections,
            anonymous=False if own.allow_blob_public_access is False else None,
            settings=shown(
                publicNetworkAccess=own.public_network_access,
                defaultAction=None if own.network_acls is None else own.network_acls.default_action,
                bypass=None if own.network_acls is None else own.network_acls.bypass,
                allowBlobPublicAccess=own.allow_blob_public_access,
                allowSharedKeyAccess=own.allow_shared_key_access,
            ),
        )
        draft.put(draft.services, found, answers.scope)
