"""Machines and scale sets: what owns network interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cloudseg.model import Workload, own_id
from cloudseg.providers.azure.ids import qualified_id, region_of
from cloudseg.providers.azure.translate.wire import ArmResource, Ref, tags_of

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_workloads", "name_workloads"]

_FACET = "workloads"
_STOPPED = frozenset(("powerstate/deallocated", "powerstate/stopped", "powerstate/deallocating", "powerstate/stopping"))


class _Power(msgspec.Struct):
    code: str = ""


class _Instance(msgspec.Struct, rename="camel"):
    power_state: _Power | None = None


class _Extended(msgspec.Struct, rename="camel"):
    instance_view: _Instance | None = None


class _Network(msgspec.Struct, rename="camel"):
    network_interfaces: list[Ref] | None = None


class _Properties(msgspec.Struct, rename="camel"):
    extended: _Extended | None = None
    network_profile: _Network | None = None


class _Machine(ArmResource, kw_only=True):
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_workloads(answers: Answers, draft: Draft) -> None:
    """Add the virtual machines and scale sets.

    Source: https://learn.microsoft.com/azure/governance/resource-graph/samples/samples-by-table#resources
    """
    for operation, kind in (("virtual_machines", "virtual-machine"), ("virtual_machine_scale_sets", "scale-set")):
        for wire in answers.listed("compute", operation, _Machine, _FACET):
            extended = wire.properties.extended
            view = None if extended is None else extended.instance_view
            power = "" if view is None or view.power_state is None else view.power_state.code.lower()
            workload = Workload(
                id=qualified_id(wire.id),
                kind=kind,
                name=wire.name,
                region=region_of(wire.location or ""),
                tags=tags_of(wire),
                running=power not in _STOPPED,
            )
            draft.put(draft.workloads, workload, answers.scope)
            profile = wire.properties.network_profile
            for reference in (profile.network_interfaces if profile is not None else None) or ():
                interface = draft.interfaces.get(qualified_id(reference.id)) if reference.id else None
                if interface is not None and interface.workload is None:
                    draft.interfaces[interface.id] = msgspec.structs.replace(interface, workload=workload.id)


def name_workloads(draft: Draft) -> None:
    """Let the interfaces of a scale set belong to it, for its machines are no resources of their own.

    Their network is that of their interfaces. Source:
    https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-orchestration-modes
    """
    for identifier, interface in draft.interfaces.items():
        owner = interface.workload
        if owner is None:
            continue
        if owner not in draft.workloads:
            owner = owner.partition("/virtualmachines/")[0]
        workload = draft.workloads.get(owner)
        if workload is None:
            continue
        if owner != interface.workload:
            machines = frozenset((own_id(interface.workload),))
            draft.interfaces[identifier] = msgspec.structs.replace(interface, workload=owner, machines=machines)
        if workload.network is None:
            draft.workloads[owner] = msgspec.structs.replace(workload, network=interface.network)
