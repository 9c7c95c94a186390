"""The evaluation of Istio's policies, all of them in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.model import Everyone, Rule, RuleSet
from cloudseg.providers.kubernetes.translate.objects import PROVIDER
from cloudseg.providers.kubernetes.translate.pipeline import MESH_STAGE, MUTUAL_TLS_STAGE, pods_of
from cloudseg.providers.kubernetes.translate.policies.istio import (
    authorization,
    extensions,
    mutual_tls,
    outbound,
)
from cloudseg.providers.kubernetes.translate.policies.istio.membership import SIDECAR, mark_members
from cloudseg.providers.kubernetes.translate.policies.istio.places import UNCAPTURED, places_of
from cloudseg.providers.kubernetes.translate.policies.istio.requests import read_protocols
from cloudseg.providers.kubernetes.translate.policies.istio.settings import read_settings
from cloudseg.providers.kubernetes.translate.policies.meshes import MESH, bearing, mark
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["add_policies"]

_BEYOND: Final = frozenset((("networking.istio.io", "WorkloadEntry"), ("networking.istio.io", "WorkloadGroup")))


def add_policies(objects: Sequence[Object], draft: Draft) -> None:
    """Add the rule sets of Istio's policies. Pods outside of the mesh enforce none of them."""
    settings = read_settings(objects, draft.ledger.unread)
    mark_members(objects, settings, draft)
    _mark_addresses(objects, draft)
    beyond = any((item.group, item.kind) in _BEYOND for item in objects)
    places = places_of(draft)
    before = set(draft.rule_sets)
    zones = mutual_tls.add_peer_authentications(objects, settings, draft, beyond=beyond)
    mesh = authorization.Mesh(settings, draft, places, zones, read_protocols(objects, draft), beyond)
    authorization.add_authorization_policies(objects, mesh)
    outbound.add_outbound(objects, settings, draft)
    extensions.add_extensions(objects, settings, draft)
    _add_uncaptured({draft.rule_sets[key].stage for key in draft.rule_sets.keys() - before}, draft)


def _mark_addresses(objects: Sequence[Object], draft: Draft) -> None:
    """Mark the pods with their addresses, where a policy may ask for these."""
    if any((item.group, item.kind) == authorization.KIND for item in objects):
        for key, interface in list(draft.interfaces.items()):
            mark(draft, key, address=str(interface.addresses) if interface.addresses else "")


def _add_uncaptured(stages: set[str], draft: Draft) -> None:
    """Let pass what goes past sidecars, as annotations of pods say.

    The ports of the sidecars themselves (15020, 15021, 15090), which no policy guards, are none of the workload's.
    """
    shown = {interface.labels[UNCAPTURED] for interface in draft.interfaces.values() if UNCAPTURED in interface.labels}
    for stage in (MUTUAL_TLS_STAGE, MESH_STAGE):
        for text in sorted(shown if stage in stages else ()):
            _put(stage, text, Traffic.parse(text), draft)


def _put(stage: str, text: str, traffic: Traffic, draft: Draft) -> None:
    own = draft.id(f"{stage}/past sidecars {text}")
    rule = Rule(
        id="past-the-sidecar",
        direction="ingress",
        verdict="next",
        traffic=traffic,
        remote=(Everyone(),),
        priority=0,
        description="goes past the sidecar",
    )
    draft.rule_sets[own] = RuleSet(
        id=own,
        kind="mesh-rule",
        stage=stage,
        rules=(rule,),
        applies=draft.chosen((bearing(MESH, SIDECAR), bearing(UNCAPTURED, text))),
        network=pods_of(draft.cluster),
        # It adds to what other lists let through, and judges nobody by itself.
        isolates=frozenset(),
        managed_by=PROVIDER,
    )
