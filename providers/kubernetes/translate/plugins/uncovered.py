"""Pods that the policies of a cluster may not filter, since the network plugin is not where they run.

Sources: https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html (nodes of Fargate and with Windows,
and pods that no controller made), https://docs.aws.amazon.com/eks/latest/userguide/fargate.html (no daemons run on
Fargate), https://learn.microsoft.com/azure/aks/virtual-nodes (no network policies on virtual nodes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.plugins.daemons import marks_of, on_windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.plugins.plugin import Plugin

__all__ = ["uncovered"]

_FARGATE: Final = "it runs on Fargate, where no network plugin enforces policies"
_VIRTUAL: Final = "it runs on a virtual node, where no network plugin enforces policies"
_WINDOWS: Final = "it runs on Windows, where {} is not known to enforce policies"
_BARE: Final = "no controller made it, and {} enforces no policies for such pods"
_UNREACHED: Final = "it runs on node {}, where no daemon of {} is ready"
_DEEP: Final = 9
"""More than enough: a pod belongs to a ReplicaSet, that to a Deployment, and seldom that to anything else."""


def uncovered(objects: Sequence[Object], plugin: Plugin, draft: Draft) -> Iterator[tuple[str, Object, str]]:
    """Yield the interfaces of pods that policies may not filter, each once, with the object and why, in words."""
    nodes = {item.name: reason for item in objects if (reason := _of_node(item, plugin))}
    found = [(item, reason) for item in objects if item.name and (reason := _of_pods(item, nodes, plugin))]
    by_name = {(item.kind, item.place, item.name): item for item in objects if item.name} if found else {}
    seen: set[str] = set()
    for item, reason in found:
        interface = _interface(item, by_name, draft)
        if interface and interface not in seen:
            seen.add(interface)
            yield interface, item, reason


def _of_node(item: Object, plugin: Plugin) -> str:
    """Return why policies are not enforced on a node; empty where they may be."""
    if item.kind != "Node" or item.group:
        return ""
    marks = marks_of(item)
    if marks.get("eks.amazonaws.com/compute-type") == "fargate":
        return _FARGATE
    if marks.get("type") == "virtual-kubelet":
        return _VIRTUAL
    if plugin.unreached and item.name in plugin.unreached.names:
        return _UNREACHED.format(item.name, plugin.name)
    return _windows(plugin) if marks.get("kubernetes.io/os") == "windows" else ""


def _windows(plugin: Plugin) -> str:
    return _WINDOWS.format(plugin.name) if plugin.name and not plugin.windows else ""


def _of_pods(item: Object, nodes: Mapping[str, str], plugin: Plugin) -> str:
    """Return why policies may not filter the pods of an object; empty where they do, or where it has none."""
    single = item.kind == "Pod" and not item.group
    template = item.content if single else _template(item)
    if not template:
        return ""
    spec, metadata = fields_of(template.get("spec")), fields_of(template.get("metadata"))
    if not spec or spec.get("hostNetwork"):
        return ""
    node = spec.get("nodeName")
    chosen = fields_of(spec.get("nodeSelector"))
    if isinstance(node, str) and node in nodes:
        return nodes[node]
    if "eks.amazonaws.com/fargate-profile" in fields_of(metadata.get("labels")):
        return _FARGATE
    if spec.get("schedulerName") == "fargate-scheduler" or chosen.get("eks.amazonaws.com/compute-type") == "fargate":
        return _FARGATE
    if chosen.get("type") == "virtual-kubelet":
        return _VIRTUAL
    if on_windows(spec) and _windows(plugin):
        return _windows(plugin)
    return _BARE.format(plugin.name) if single and not plugin.bare and not _owners(item) else ""


def _template(item: Object) -> dict[str, object]:
    spec = item.part("spec")
    job = fields_of(fields_of(spec.get("jobTemplate")).get("spec"))
    return fields_of(spec.get("template")) or fields_of(job.get("template"))


def _interface(item: Object, by_name: Mapping[tuple[str, str, str], Object], draft: Draft) -> str:
    """Return the interface of an object, or that of what made it; empty where there is none."""
    here: Object | None = item
    for _ in range(_DEEP):
        if here is None:
            break
        identifier = draft.id(f"{here.place}/{here.name}[{here.kind}]")
        if identifier in draft.interfaces:
            return identifier
        place = here.place
        names = [
            (str(owner.get("kind")), place, str(owner.get("name")))
            for owner in _owners(here)
            if owner.get("controller")
        ]
        here = by_name.get(names[0]) if names else None
    return ""


def _owners(item: Object) -> list[dict[str, object]]:
    owners = item.part("metadata").get("ownerReferences")
    listed = cast("list[object]", owners) if isinstance(owners, list) else []
    return [fields_of(each) for each in listed]
