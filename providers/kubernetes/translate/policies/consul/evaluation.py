"""The evaluation of Consul's intentions, and of what services ask for, all of them in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.providers.kubernetes.translate.policies.consul import defaults, intentions
from cloudseg.providers.kubernetes.translate.policies.consul.ends import goes_beyond
from cloudseg.providers.kubernetes.translate.policies.consul.membership import (
    GATEWAY,
    SIDECAR,
    mark_members,
)
from cloudseg.providers.kubernetes.translate.policies.consul.mutual_tls import add_beside, add_mutual_tls
from cloudseg.providers.kubernetes.translate.policies.consul.names import CONSUL
from cloudseg.providers.kubernetes.translate.policies.consul.settings import read_settings
from cloudseg.providers.kubernetes.translate.policies.consul.signs import GROUP
from cloudseg.providers.kubernetes.translate.policies.meshes import bearing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["add_policies"]

_GATEWAYS: Final = frozenset(("IngressGateway", "TerminatingGateway"))
_ASSUMED: Final = "that Consul leads all connections of pods to their proxies is assumed, as its chart does by default"


def add_policies(objects: Sequence[Object], draft: Draft) -> None:
    """Add the rule sets of Consul's intentions, and of what services ask for. Pods outside of the mesh enforce none."""
    settings = read_settings(objects, draft.ledger.unread)
    beyond = goes_beyond(objects)
    members = mark_members(objects, settings, draft)
    found = defaults.read_defaults(objects, draft)
    defaults.mark_defaults(members, found, settings, draft)
    add_mutual_tls(objects, found, draft, beyond=beyond)
    intentions.add_intentions(objects, settings, draft, beyond=beyond)
    add_beside(draft)
    if any(member.part == GATEWAY for member in members):
        draft.bound(None, (bearing(CONSUL, GATEWAY),))
    for item in objects:
        if item.group == GROUP and item.kind in _GATEWAYS:
            detail = "what it leads into the mesh, or out of it, is not evaluated: what its pods take is known at most"
            draft.ledger.gap(item, "unsupported", detail, "groups")
    if settings.transparent is None and any(member.part == SIDECAR for member in members):
        draft.ledger.notes.append(f"cluster {draft.cluster}: {_ASSUMED}: its injector was not read")
