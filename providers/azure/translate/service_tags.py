"""Service tags: named lists of prefixes that Microsoft keeps, and the few that are worked out from the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import AddressList, qualified
from cloudseg.providers.azure.ids import PROVIDER
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["HOST", "PLATFORM_TAGS", "SERVED", "add_service_tags", "tag_list"]

HOST: Final = AddressSet.from_cidrs(("168.63.129.16/32",))
"""The address by which the host answers DNS, and from which it asks after health. Source:
https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16"""

SERVED: Final = HOST | AddressSet.from_cidrs(("169.254.169.254/32",))
"""What every host serves by itself."""

PLATFORM_TAGS: Final = {
    "azureplatformdns": HOST,
    "azureplatformimds": AddressSet.from_cidrs(("169.254.169.254/32",)),
    "azureplatformlkm": AddressSet.from_cidrs(("20.118.99.224/32", "40.83.235.53/32", "23.102.135.246/32")),
}
"""What the host serves: names, metadata, licences of Windows. Only rules that name these tags stop it. Source:
https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#azure-platform-considerations"""

_ANY_TENANT: Final = frozenset(
    (
        # "allowing traffic from all Azure IP's, including those used by other Azure customers":
        # https://learn.microsoft.com/azure/virtual-network/service-tags-overview#available-service-tags
        "azurecloud",
        # Front Door's addresses serve every profile, so that origins check whose it is as well:
        # https://learn.microsoft.com/azure/frontdoor/origin-security#public-ip-address-based-origins
        "azurefrontdoor.backend",
        # Services that send requests which their users write. "Service tags are not to be treated as a security
        # boundary": https://msrc.microsoft.com/blog/2024/06/improved-guidance-for-azure-network-service-tags/
        "actiongroup",
        "applicationinsightsavailability",
        "azureconnectors",
        "azurecontainerregistry",
        "azuredevops",
        "azureloadtestinginstancemanagement",
        "azuremachinelearning",
        "chaosstudio",
        "datafactory",
        "logicapps",
        "videoindexer",
    )
)
"""Tags from whose addresses any customer of Azure can send. Those of control planes alone, such as ``ApiManagement``,
are none of them."""


class _Properties(msgspec.Struct, rename="camel"):
    address_prefixes: list[str] | None = None
    change_number: object = None


class _Tag(msgspec.Struct):
    name: str
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_service_tags(answers: Answers, draft: Draft) -> None:
    """Add the service tags that were read: they are the same in every subscription of a cloud, and change weekly.

    Source: https://learn.microsoft.com/rest/api/virtualnetwork/service-tags/list
    """
    for wire in answers.each("network", "service_tags", "values", _Tag, "address-lists"):
        addresses = answers.addresses(
            "network.service_tags", wire.name, wire.properties.address_prefixes or (), "address-lists"
        )
        identifier = _id(answers.scope, wire.name)
        draft.tags.setdefault(wire.name.lower(), identifier)
        if draft.tags[wire.name.lower()] == identifier:
            draft.address_lists[identifier] = _list(identifier, wire.name, tuple(addresses.cidrs()))


def tag_list(draft: Draft, scope: str, name: str) -> str:
    """Return the qualified id of a service tag's list; one that was not read is added as unknown."""
    known = draft.tags.get(name.lower())
    if known is None:
        known = draft.tags[name.lower()] = _id(scope, name)
        draft.address_lists[known] = _list(known, name, None)
    return known


def _id(scope: str, name: str) -> str:
    return qualified(PROVIDER, scope, name)


def _list(identifier: str, name: str, prefixes: tuple[str, ...] | None) -> AddressList:
    return AddressList(
        id=identifier,
        kind="service-tag",
        name=name,
        prefixes=prefixes,
        owner="provider",
        any_tenant=_is_shared(name.lower()),
    )


def _is_shared(name: str) -> bool:
    """Tell whether any customer can send from the addresses of a tag, or of its part for a region."""
    return name in _ANY_TENANT or name.partition(".")[0] in _ANY_TENANT
