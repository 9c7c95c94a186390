"""Container registries, and services of AI Search: a list of addresses beside the switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.providers.azure.translate.services.access import (
    EVERYONE,
    Acls,
    Place,
    admitted_texts,
    by_acls,
    decided,
    texts_of,
)
from cloudseg.providers.azure.translate.services.building import Properties, service, shown
from cloudseg.providers.azure.translate.wire import ArmResource

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_registries", "add_search"]


class _Properties(Properties, rename="camel"):
    network_rule_set: Acls | None = None
    anonymous_pull_enabled: bool | None = None
    admin_user_enabled: bool | None = None
    network_rule_bypass_options: str | None = None


class _Resource(ArmResource, kw_only=True):
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_registries(answers: Answers, draft: Draft) -> None:
    """Add container registries; only those of the tier Premium have rules.

    Sources:
    https://learn.microsoft.com/azure/container-registry/container-registry-access-selected-networks
    https://learn.microsoft.com/azure/container-registry/anonymous-pull-access
    """
    facet = "services.containerregistry"
    for wire in answers.listed("containerregistry", "registries", _Resource, facet):
        own = wire.properties
        rules = by_acls(answers, Place("containerregistry.registries", wire.id, facet), own.network_rule_set)
        found = service(
            wire,
            "containerregistry",
            "container-registry",
            decided(own.public_network_access, rules),
            connections=own.private_endpoint_connections,
            anonymous=own.anonymous_pull_enabled,
            settings=shown(
                publicNetworkAccess=own.public_network_access,
                defaultAction=None if own.network_rule_set is None else own.network_rule_set.default_action,
                networkRuleBypassOptions=own.network_rule_bypass_options,
                anonymousPullEnabled=own.anonymous_pull_enabled,
                adminUserEnabled=own.admin_user_enabled,
            ),
        )
        draft.put(draft.services, found, answers.scope)


def add_search(answers: Answers, draft: Draft) -> None:
    """Add services of AI Search: without a rule everyone is admitted, with one nobody else is.

    Source: https://learn.microsoft.com/azure/search/service-configure-firewall
    """
    facet = "services.search"
    for wire in answers.listed("search", "search_services", _Resource, facet):
        own = wire.properties
        texts = () if own.network_rule_set is None else texts_of(own.network_rule_set.ip_rules)
        rules = EVERYONE
        if texts:
            rules = admitted_texts(answers, Place("search.search_services", wire.id, facet), texts)
        found = service(
            wire,
            "search",
            "search-service",
            decided(own.public_network_access, rules),
            connections=own.private_endpoint_connections,
            settings=shown(
                publicNetworkAccess=own.public_network_access,
                ipRules=", ".join(texts),
                bypass=None if own.network_rule_set is None else own.network_rule_set.bypass,
                disableLocalAuth=own.disable_local_auth,
            ),
        )
        draft.put(draft.services, found, answers.scope)
