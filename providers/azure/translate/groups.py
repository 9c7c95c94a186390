"""Application security groups: identities that network interfaces bear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Carries, Group
from cloudseg.providers.azure.ids import qualified_id, region_of
from cloudseg.providers.azure.translate.wire import ArmResource, tags_of

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_groups", "place_groups"]


def add_groups(answers: Answers, draft: Draft) -> None:
    """Add the application security groups.

    Source: https://learn.microsoft.com/azure/virtual-network/application-security-groups
    """
    for wire in answers.listed("network", "application_security_groups", ArmResource, "groups"):
        identifier = qualified_id(wire.id)
        group = Group(
            id=identifier,
            kind="application-security-group",
            name=wire.name,
            region=region_of(wire.location or ""),
            tags=tags_of(wire),
            selector=Carries(identifier),
        )
        draft.put(draft.groups, group, answers.scope)


def place_groups(draft: Draft) -> None:
    """Tie each group to the one network that its members stand in: all of them must.

    Source: https://learn.microsoft.com/azure/virtual-network/application-security-groups#allow-http-inbound-internet
    """
    networks: dict[str, set[str]] = {}
    for interface in draft.interfaces.values():
        for identity in interface.attached:
            if identity in draft.groups and interface.network is not None:
                networks.setdefault(identity, set()).add(interface.network)
    for identity, found in networks.items():
        draft.groups[identity] = msgspec.structs.replace(draft.groups[identity], networks=tuple(sorted(found)))
