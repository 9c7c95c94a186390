"""EgressNetwork: where workloads of the mesh may connect outside of the cluster.

One that denies lets pass what routes name, by requests, names and TLS: what leaves is known at most.
Sources: https://linkerd.io/2-edge/reference/egress-network/ and https://linkerd.io/2-edge/features/egress/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import Addresses, AllOf, Rule, RuleSet
from cloudseg.providers.kubernetes.translate.labels import in_cluster, in_namespace
from cloudseg.providers.kubernetes.translate.pipeline import MESH_STAGE, pods_of
from cloudseg.providers.kubernetes.translate.policies.linkerd.authentications import GROUP
from cloudseg.providers.kubernetes.translate.policies.linkerd.clients import networks_of
from cloudseg.providers.kubernetes.translate.policies.linkerd.membership import LINKERD
from cloudseg.providers.kubernetes.translate.policies.linkerd.wire import EgressSpec
from cloudseg.providers.kubernetes.translate.policies.meshes import TCP, bearing
from cloudseg.traffic import ALL_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.linkerd.servers import Mesh

__all__ = ["KIND", "add_egress_networks"]

KIND: Final = (GROUP, "EgressNetwork")
_GLOBAL: Final = "linkerd-egress"
"""The namespace whose networks hold for the workloads of all namespaces, by default."""


def add_egress_networks(objects: Iterable[Object], mesh: Mesh) -> None:
    """Add a rule set for each network that denies."""
    for item in objects:
        if (item.group, item.kind) != KIND:
            continue
        problem = item.flaw
        if not problem:
            try:
                _add(item, mesh)
                continue
            except (msgspec.ValidationError, ParseError) as error:
                problem = str(error)
        mesh.draft.ledger.gap(item, "malformed", problem, "groups")
        everywhere = item.namespace is None or item.place == _GLOBAL
        mesh.draft.bound(None if everywhere else item.place, (bearing(LINKERD),))


def _add(item: Object, mesh: Mesh) -> None:
    draft = mesh.draft
    spec = msgspec.convert(item.content.get("spec"), EgressSpec)
    if spec.traffic_policy not in {"Allow", "Deny"}:
        raise ParseError(f"trafficPolicy {spec.traffic_policy!r} is none of Allow, Deny")
    captured = ALL_ADDRESSES - mesh.settings.networks if not spec.networks else networks_of(spec.networks).maybe
    if spec.traffic_policy == "Allow":
        return
    detail = "it denies connections out of the cluster that no route names: which of them pass is known at most"
    draft.ledger.gap(item, "unsupported", detail, "groups")
    rule = Rule(
        id="denied",
        direction="egress",
        verdict="deny",
        traffic=TCP,
        remote=(Addresses(captured),),
        priority=1,
        exact=False,
        description="denied, but for what routes name",
        location=item.location,
    )
    scope = () if item.place == _GLOBAL else (in_namespace(item.place),)
    identifier = draft.id(item.own)
    draft.rule_sets[identifier] = RuleSet(
        id=identifier,
        kind=item.kind,
        name=item.name,
        tags={"namespace": item.place},
        location=item.location,
        stage=MESH_STAGE,
        rules=(rule,),
        applies=AllOf((*scope, bearing(LINKERD), in_cluster(draft.cluster))),
        network=pods_of(draft.cluster),
        isolates=frozenset(("egress",)),
    )
