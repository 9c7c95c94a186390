"""The evaluation of Linkerd's policies, all of them in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.providers.kubernetes.translate.policies.linkerd import (
    authentications,
    authorizations,
    egress,
    servers,
)
from cloudseg.providers.kubernetes.translate.policies.linkerd.defaults import add_defaults
from cloudseg.providers.kubernetes.translate.policies.linkerd.membership import LINKERD, mark_members
from cloudseg.providers.kubernetes.translate.policies.linkerd.settings import read_settings
from cloudseg.providers.kubernetes.translate.policies.meshes import mark_addresses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["add_policies"]

_BEYOND: Final = frozenset(("multicluster.linkerd.io", "workload.linkerd.io"))
"""API groups of which an object shows that workloads outside of the cluster are part of the mesh."""


def add_policies(objects: Sequence[Object], draft: Draft) -> None:
    """Add the rule sets of Linkerd's policies. Pods outside of the mesh enforce none of them."""
    settings = read_settings(objects, draft.ledger.unread)
    mark_members(objects, settings, draft)
    mark_addresses(draft)
    parts = tuple(sorted({labels[LINKERD] for each in draft.interfaces.values() if LINKERD in (labels := each.labels)}))
    beyond = any(item.group in _BEYOND for item in objects)
    mesh = servers.Mesh(settings, draft, parts, beyond)
    found = servers.add_servers(objects, mesh)
    known = authentications.read_authentications(objects, settings, draft)
    authorizations.add_authorizations(objects, found, known, mesh)
    egress.add_egress_networks(objects, mesh)
    add_defaults(settings, draft, beyond=beyond)
