"""Accounts of Cosmos DB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.providers.azure.translate.services.access import (
    EVERYONE,
    Admitted,
    IpRule,
    Place,
    admitted_texts,
    decided,
    subnets_admitted,
    texts_of,
)
from cloudseg.providers.azure.translate.services.building import Properties, service, shown
from cloudseg.providers.azure.translate.wire import ArmResource

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_cosmos"]

_FACET = "services.cosmosdb"


class _Properties(Properties, rename="camel"):
    # The list stands in newer answers, the text with commas in those up to 2019.
    ip_rules: list[IpRule] | None = None
    ip_range_filter: str | None = None
    is_virtual_network_filter_enabled: bool | None = None
    virtual_network_rules: list[object] | None = None


class _Account(ArmResource, kw_only=True):
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_cosmos(answers: Answers, draft: Draft) -> None:
    """Add the accounts of Cosmos DB: with any rule, for addresses or for subnets, it is closed to all others.

    The address 0.0.0.0 admits connections from within all data centres of Azure. Sources:
    https://learn.microsoft.com/azure/cosmos-db/how-to-configure-firewall
    https://learn.microsoft.com/azure/cosmos-db/how-to-configure-vnet-service-endpoint
    """
    for wire in answers.listed("documentdb", "database_accounts", _Account, _FACET):
        own = wire.properties
        found = service(
            wire,
            "cosmosdb",
            "cosmosdb-account",
            decided(own.public_network_access, _rules(answers, wire)),
            connections=own.private_endpoint_connections,
            settings=shown(
                publicNetworkAccess=own.public_network_access,
                ipRules=", ".join(texts_of(own.ip_rules)) or own.ip_range_filter,
                isVirtualNetworkFilterEnabled=own.is_virtual_network_filter_enabled,
                disableLocalAuth=own.disable_local_auth,
            ),
        )
        draft.put(draft.services, found, answers.scope)


def _rules(answers: Answers, wire: _Account) -> Admitted:
    own = wire.properties
    texts = [text for text in (*texts_of(own.ip_rules), *(own.ip_range_filter or "").split(",")) if text.strip()]
    if not texts and not own.is_virtual_network_filter_enabled:
        return EVERYONE
    found = admitted_texts(answers, Place("documentdb.database_accounts", wire.id, _FACET), texts, azure=True)
    if not own.is_virtual_network_filter_enabled:
        return found
    words = subnets_admitted(len(own.virtual_network_rules or ()))
    return found._replace(words="; ".join(text for text in (found.words, words) if text))
