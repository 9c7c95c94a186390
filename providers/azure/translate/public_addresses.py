"""Public addresses: which there are, what bears them, and whether they are closed without an NSG."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.providers.azure.ids import qualified_id
from cloudseg.providers.azure.translate.parts import PublicAddress
from cloudseg.providers.azure.translate.wire import ArmResource, Ref

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_public_addresses"]

_FACET = "interfaces"


class _Sku(msgspec.Struct):
    name: str = ""


class _Properties(msgspec.Struct, rename="camel"):
    ip_address: str | None = None
    ip_configuration: Ref | None = None


class _PublicAddress(ArmResource, kw_only=True):
    sku: _Sku | None = None
    properties: _Properties = msgspec.field(default_factory=_Properties)


class _PrefixProperties(msgspec.Struct, rename="camel"):
    ip_prefix: str | None = None


class _Prefix(ArmResource, kw_only=True):
    properties: _PrefixProperties = msgspec.field(default_factory=_PrefixProperties)


def add_public_addresses(answers: Answers, draft: Draft) -> None:
    """Note the public addresses and prefixes of a subscription, for those that bear them.

    Addresses of the SKU Standard are closed inwards until an NSG opens them; Basic ones are open. An answer without SKU
    is older than the SKU, hence Basic. Source:
    https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses#sku
    """
    for wire in answers.listed("network", "public_ip_addresses", _PublicAddress, _FACET):
        text = wire.properties.ip_address or ""
        bearer = wire.properties.ip_configuration
        draft.public_addresses[qualified_id(wire.id)] = PublicAddress(
            answers.addresses("network.public_ip_addresses", wire.id, (text,), _FACET),
            closed=(wire.sku.name if wire.sku is not None else "Basic").lower() != "basic",
            bearer="" if bearer is None else bearer.id,
        )
    for prefix in answers.listed("network", "public_ip_prefixes", _Prefix, "gateways"):
        text = prefix.properties.ip_prefix or ""
        addresses = answers.addresses("network.public_ip_prefixes", prefix.id, (text,), "gateways")
        draft.public_addresses[qualified_id(prefix.id)] = PublicAddress(addresses, closed=True, bearer="")
