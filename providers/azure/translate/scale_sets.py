"""Scale sets as what makes interfaces: which groups the next instance would bear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Template
from cloudseg.providers.azure.ids import qualified_id, region_of
from cloudseg.providers.azure.translate.wire import ArmResource, Ref, ids, tags_of

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_scale_set_models"]

_FACET = "workloads"


class _ConfigurationProperties(msgspec.Struct, rename="camel"):
    application_security_groups: list[Ref] | None = None


class _Configuration(msgspec.Struct):
    properties: _ConfigurationProperties = msgspec.field(default_factory=_ConfigurationProperties)


class _InterfaceProperties(msgspec.Struct, rename="camel"):
    network_security_group: Ref | None = None
    ip_configurations: list[_Configuration] | None = None


class _Interface(msgspec.Struct):
    properties: _InterfaceProperties = msgspec.field(default_factory=_InterfaceProperties)


class _Network(msgspec.Struct, rename="camel"):
    interfaces: list[_Interface] | None = msgspec.field(default=None, name="networkInterfaceConfigurations")


class _Profile(msgspec.Struct, rename="camel"):
    network_profile: _Network | None = None


class _Properties(msgspec.Struct, rename="camel"):
    profile: _Profile | None = msgspec.field(default=None, name="virtualMachineProfile")


class _ScaleSet(ArmResource, kw_only=True):
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_scale_set_models(answers: Answers, draft: Draft) -> None:
    """Add the models of scale sets: the application security groups and the NSG that a new instance gets.

    Those of the subnet it gets besides. A scale set without a model makes no instances by itself. Source:
    https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-networking#nsg--asgs-per-scale-set
    """
    for wire in answers.listed("compute", "virtual_machine_scale_sets", _ScaleSet, _FACET):
        profile = wire.properties.profile
        network = None if profile is None else profile.network_profile
        each = [_groups(found) for found in (network.interfaces if network is not None else None) or ()]
        groups = frozenset(group for some in each for group in some)
        if groups:
            model = Template(
                id=f"{qualified_id(wire.id)}/virtualmachineprofile",
                kind="scale-set-model",
                name=wire.name,
                region=region_of(wire.location or ""),
                tags=tags_of(wire),
                groups=groups,
                together=frozenset(some for some in each if some),
            )
            draft.put(draft.templates, model, answers.scope)


def _groups(wire: _Interface) -> frozenset[str]:
    properties = wire.properties
    nsg = properties.network_security_group
    configured = [each.properties.application_security_groups for each in properties.ip_configurations or ()]
    named = {qualified_id(group) for groups in configured for group in ids(groups)}
    return frozenset(named | ({qualified_id(nsg.id)} if nsg is not None and nsg.id else set()))
