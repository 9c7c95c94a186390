"""EnvoyFilter, WasmPlugin and TrafficExtension: what changes proxies themselves.

What such an object does is the configuration of a proxy, or code, so that nobody can tell from it what passes. An
EnvoyFilter "can modify values for certain fields, add specific filters, or even add entirely new listeners": it may
take away what denies a connection, mutual TLS too. Code between a client and a workload may refuse what it likes, and
takes nothing back that the proxy itself refuses. So connections at the proxies that they could concern are known at
most. Network policies stand beside the mesh and count as ever. Sources:
https://istio.io/latest/docs/reference/config/networking/envoy-filter/,
https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/,
https://istio.io/latest/docs/reference/config/proxy_extensions/traffic_extension/ and
https://istio.io/latest/docs/ambient/migrate/migrate-policies/ (ztunnels take none of them, waypoints some).

Two kinds of Istio that proxies read as well decide nothing about connections: Telemetry says what is measured, logged
and traced, and RequestAuthentication refuses single requests whose token is not valid, and lets those pass that have
none. Sources: https://istio.io/latest/docs/reference/config/telemetry/ and
https://istio.io/latest/docs/reference/config/security/request_authentication/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, cast

from cloudseg.model import AllOf, AnyOf, Everyone, Rule, RuleSet
from cloudseg.providers.kubernetes.translate.labels import in_cluster, in_namespace, surely_required
from cloudseg.providers.kubernetes.translate.objects import PROVIDER, fields_of
from cloudseg.providers.kubernetes.translate.pipeline import MESH_STAGE, MUTUAL_TLS_STAGE, pods_of
from cloudseg.providers.kubernetes.translate.policies.istio.membership import AMBIENT, PERHAPS, SIDECAR, WAYPOINT
from cloudseg.providers.kubernetes.translate.policies.istio.places import IDENTITY
from cloudseg.providers.kubernetes.translate.policies.istio.selection import own_labels
from cloudseg.providers.kubernetes.translate.policies.istio.telemetry_filters import only_measures
from cloudseg.providers.kubernetes.translate.policies.meshes import MESH, TCP, bearing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Direction, Labelled
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.istio.settings import Settings

__all__ = ["KINDS", "add_extensions"]

_FILTER: Final = ("networking.istio.io", "EnvoyFilter")
KINDS: Final = (_FILTER, ("extensions.istio.io", "WasmPlugin"), ("extensions.istio.io", "TrafficExtension"))

_PROXIES: Final = AnyOf(
    # A ztunnel takes no extensions; a waypoint before it may.
    (bearing(MESH, SIDECAR, PERHAPS), AllOf((bearing(MESH, AMBIENT), bearing(IDENTITY, WAYPOINT))))
)
_BEHIND_WAYPOINTS: Final = AllOf((bearing(MESH, AMBIENT, PERHAPS), bearing(IDENTITY, WAYPOINT)))
_GATEWAYS: Final = "gateway.networking.k8s.io"
_GATEWAY_NAME: Final = f"{_GATEWAYS}/gateway-name"
_BEFORE_ALL: Final = 0
_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")


def add_extensions(objects: Sequence[Object], settings: Settings, draft: Draft) -> None:
    """Add what may pass, and may not, for each object that changes proxies, and note it."""
    for item in objects:
        if (item.group, item.kind) in KINDS:
            if (item.group, item.kind) == _FILTER and only_measures(item, settings.root):
                continue
            may = "admit or deny anything" if (item.group, item.kind) == _FILTER else "deny anything"
            detail = f"what it makes of its proxies is not evaluated, and may {may}: connections are known at most"
            draft.ledger.gap(item, "unsupported", detail, "groups")
            gateways = _gateways(item)
            chosen = _at_gateways(item, gateways) if gateways else AllOf((*_chosen(item, settings), _PROXIES))
            selector = AllOf((chosen, in_cluster(draft.cluster)))
            verdicts: tuple[Literal["deny", "next"], ...] = ("deny",)
            if (item.group, item.kind) == _FILTER:
                verdicts = ("deny", "next")
                _put(item, MUTUAL_TLS_STAGE, ("next",), selector, draft)
            _put(item, MESH_STAGE, verdicts, selector, draft)


def _gateways(item: Object) -> tuple[str, ...]:
    """Return the names of the gateways that an EnvoyFilter is attached to; nothing where it is, or may be, others."""
    given = item.part("spec").get("targetRefs")
    found: list[str] = []
    for each in cast("list[object]", given) if isinstance(given, list) else ():
        target = fields_of(each)
        name = target.get("name")
        if (target.get("group"), target.get("kind")) != (_GATEWAYS, "Gateway") or not isinstance(name, str) or not name:
            return ()
        found.append(name)
    return () if item.flaw or (item.group, item.kind) != _FILTER else tuple(found)


def _at_gateways(item: Object, names: Sequence[str]) -> AnyOf:
    """Return the pods of gateways, and those behind waypoints, which are gateways too and may serve any namespace.

    No sidecar takes what is attached to a gateway: it concerns the pods that bear the gateway's name. Source:
    https://istio.io/latest/docs/reference/config/type/workload-selector/#PolicyTargetReference
    """
    return AnyOf((AllOf((in_namespace(item.place), bearing(_GATEWAY_NAME, *names))), _BEHIND_WAYPOINTS))


def _chosen(item: Object, settings: Settings) -> tuple[Labelled, ...]:
    """Return what is surely required of the pods whose proxies an object concerns.

    One in the root namespace concerns the whole mesh. What is attached to a gateway or service may concern the proxies
    of all namespaces.
    """
    spec = item.part("spec")
    if item.flaw or spec.get("targetRefs") or spec.get("targetRef"):
        return ()
    scope = () if item.namespace is None or item.place == settings.root else (in_namespace(item.place),)
    labels = fields_of(spec.get("workloadSelector")).get("labels") or fields_of(spec.get("selector")).get("matchLabels")
    return (*scope, *surely_required({"matchLabels": labels}, "pods"))


def _put(item: Object, stage: str, verdicts: Sequence[Literal["deny", "next"]], selector: AllOf, draft: Draft) -> None:
    rules = tuple(
        Rule(
            id=f"{direction}.may-{'deny' if verdict == 'deny' else 'admit'}",
            direction=direction,
            verdict=verdict,
            traffic=TCP,
            remote=(Everyone(),),
            priority=_BEFORE_ALL,
            exact=False,
            description=f"{item.kind} changes the proxy in ways that are not evaluated",
            location=item.location,
        )
        for verdict in verdicts
        for direction in _DIRECTIONS
    )
    # To what a PeerAuthentication asks for it adds at most, and asks for nothing by itself.
    judges = stage == MESH_STAGE
    identifier = draft.id(item.own if judges else f"{item.own}@{stage}")
    draft.rule_sets[identifier] = RuleSet(
        id=identifier,
        kind=item.kind,
        name=item.name,
        tags={**own_labels(item), "namespace": item.place},
        location=item.location,
        stage=stage,
        rules=rules,
        applies=selector,
        network=pods_of(draft.cluster),
        isolates=frozenset(_DIRECTIONS) if judges else frozenset(),
        managed_by=PROVIDER,
    )
