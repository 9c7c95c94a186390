"""Key vaults, and the accounts of Azure AI services: a firewall with a default action, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.providers.azure.translate.services.access import Place, by_acls, decided
from cloudseg.providers.azure.translate.services.building import Properties, service, shown
from cloudseg.providers.azure.translate.wire import ArmResource

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_cognitive_services", "add_vaults"]


class _Resource(ArmResource, kw_only=True):
    properties: Properties = msgspec.field(default_factory=Properties)


def add_vaults(answers: Answers, draft: Draft) -> None:
    """Add key vaults. Public access that is disabled goes before all of their rules.

    Source: https://learn.microsoft.com/azure/key-vault/general/network-security
    """
    _add(answers, draft, ("keyvault", "vaults"), "keyvault", "key-vault")


def add_cognitive_services(answers: Answers, draft: Draft) -> None:
    """Add the accounts of Azure AI services.

    Source: https://learn.microsoft.com/azure/ai-services/cognitive-services-virtual-networks
    """
    _add(answers, draft, ("cognitiveservices", "accounts"), "cognitiveservices", "cognitive-services-account")


def _add(answers: Answers, draft: Draft, asked: tuple[str, str], family: str, kind: str) -> None:
    facet = f"services.{family}"
    for wire in answers.listed(*asked, _Resource, facet):
        own, acls = wire.properties, wire.properties.network_acls
        rules = by_acls(answers, Place(".".join(asked), wire.id, facet), acls)
        found = service(
            wire,
            family,
            kind,
            decided(own.public_network_access, rules),
            connections=own.private_endpoint_connections,
            settings=shown(
                publicNetworkAccess=own.public_network_access,
                defaultAction=None if acls is None else acls.default_action,
                bypass=None if acls is None else acls.bypass,
                disableLocalAuth=own.disable_local_auth,
            ),
        )
        draft.put(draft.services, found, answers.scope)
