"""Nodes: the addresses from which they speak to their pods, and the machines of a cloud that they are.

Source: https://kubernetes.io/docs/reference/node/node-status/#addresses
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.draft import Node
from cloudseg.providers.kubernetes.translate.wire import Metadata
from cloudseg.providers.managed_clusters import google_machine
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["add_nodes"]

_MACHINE: Final = re.compile(r"[a-z]+://.*?([^/]+)")
"""What a provider id ends with: ``aws:///eu-west-1a/i-0a1b``. Source:
https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/node-v1/#NodeSpec"""
_AZURE: Final = "azure://"
"""What those of Azure begin with; the rest is an ARM id, which is compared without case. Source:
https://github.com/kubernetes-sigs/cloud-provider-azure"""
_GOOGLE: Final = re.compile(r"gce://([^/]+)/([^/]+)/([^/]+)")
"""Those of Google Cloud: project, zone and name; a name alone is one in its zone. Source:
https://github.com/kubernetes/cloud-provider-gcp"""
_OF_NETWORK: Final = frozenset(("InternalIP", "ExternalIP"))


class _Address(msgspec.Struct, frozen=True):
    type: str = ""
    address: str = ""


class _Status(msgspec.Struct, frozen=True):
    addresses: list[_Address] | None = None


class _Spec(msgspec.Struct, frozen=True):
    provider: str | None = msgspec.field(default=None, name="providerID")


def add_nodes(objects: Iterable[Object], draft: Draft) -> None:
    """Add the nodes; of one that cannot be read nothing is known but that it is there, and that is a gap."""
    for item in objects:
        if item.kind == "Node" and not item.group:
            draft.nodes.append(_node(item, draft))


def _node(item: Object, draft: Draft) -> Node:
    problem = item.flaw
    if not problem:
        try:
            metadata = msgspec.convert(item.content.get("metadata"), Metadata | None) or Metadata()
            spec = msgspec.convert(item.content.get("spec"), _Spec | None) or _Spec()
            status = msgspec.convert(item.content.get("status"), _Status | None) or _Status()
            addresses = AddressSet.from_cidrs(e.address for e in status.addresses or () if e.type in _OF_NETWORK)
        except (msgspec.ValidationError, ParseError) as error:
            problem = str(error)
        else:
            labels = {key: value or "" for key, value in (metadata.labels or {}).items()}
            return Node(item.name, labels, addresses, _machine(spec.provider or ""))
    draft.ledger.gap(item, "malformed", problem, "interfaces")
    return Node(item.name, None)


def _machine(provider: str) -> str:
    """Return the own id of the machine that a provider id names; empty where it names none."""
    if provider.startswith(_AZURE):
        return "/" + provider.removeprefix(_AZURE).strip("/").lower()
    if google := _GOOGLE.fullmatch(provider):
        return google_machine(*google.groups())
    found = _MACHINE.fullmatch(provider)
    return "" if found is None else found.group(1)
