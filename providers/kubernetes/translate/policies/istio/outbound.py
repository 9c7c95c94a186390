"""Sidecar and ServiceEntry: what sidecars refuse to connect to, where they are told to know registered services alone.

Istio documents that as no boundary: an application can go around its sidecar. So nothing is denied for certain; only
what is registered passes for certain. Sources:
https://istio.io/latest/docs/reference/config/networking/sidecar/,
https://istio.io/latest/docs/reference/config/networking/service-entry/ and
https://istio.io/latest/docs/ops/best-practices/security/#understand-traffic-capture-limitations
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import ANYONE, Addresses, AllOf, AnyOf, Everyone, Names, NoneOf, Rule, RuleSet
from cloudseg.providers.kubernetes.translate.labels import in_cluster, in_namespace, requirements, surely_required
from cloudseg.providers.kubernetes.translate.objects import PROVIDER, Object
from cloudseg.providers.kubernetes.translate.pipeline import MESH_STAGE, pods_of
from cloudseg.providers.kubernetes.translate.policies.istio.membership import PERHAPS, SIDECAR
from cloudseg.providers.kubernetes.translate.policies.istio.selection import leave_open, own_labels
from cloudseg.providers.kubernetes.translate.policies.istio.wire import ServiceEntrySpec, SidecarSpec
from cloudseg.providers.kubernetes.translate.policies.meshes import MESH, TCP, bearing, group_of
from cloudseg.providers.kubernetes.translate.wire import LabelSelector
from cloudseg.traffic import NO_ADDRESSES, NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cloudseg.model import Labelled, Peer, Selector
    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.policies.istio.settings import Settings

__all__ = ["KINDS", "add_outbound"]

_SIDECAR: Final = ("networking.istio.io", "Sidecar")
_ENTRY: Final = ("networking.istio.io", "ServiceEntry")
KINDS: Final = (_SIDECAR, _ENTRY)

_MESH_WIDE: Final = Object("", "mesh", "mesh", "registry-only", {}, None)
_MODES: Final = frozenset(("ALLOW_ANY", "REGISTRY_ONLY"))
_REFUSED: Final = (
    "REGISTRY_ONLY: the sidecar refuses what is not registered; that is no security boundary, since an application can "
    "go around its sidecar"
)


class _Sidecar(NamedTuple):
    """A Sidecar that was read.

    Attributes:
        item: the object.
        required: what it requires of pods; nothing for a whole namespace.
        closed: it refuses what is not registered; None for what the mesh does.
        hosts: what it makes known, as ``namespace/name``; None for everything.
    """

    item: Object
    required: tuple[Labelled, ...]
    closed: bool | None
    hosts: tuple[str, ...] | None

    def knows(self, place: str, *names: str) -> bool:
        """Tell whether it makes a service of a namespace known, by one of its names."""
        if self.hosts is None:
            return True
        for host in self.hosts:
            where, _, name = host.partition("/")
            near = {"*": True, ".": place == self.item.place, "~": False}.get(where, where == place)
            if near and (name == "*" or name in names):
                return True
        return False


class _Entry(NamedTuple):
    """A ServiceEntry that was read: its namespace, its names, and where it stands."""

    place: str
    hosts: tuple[str, ...]
    addresses: AddressSet
    traffic: Traffic


def add_outbound(objects: Sequence[Object], settings: Settings, draft: Draft) -> None:
    """Add a rule set for each Sidecar, and one for the mesh, that lets out only what is registered."""
    sidecars = [
        each for item in objects if (item.group, item.kind) == _SIDECAR and (each := _read(item, settings, draft))
    ]
    if not settings.registry_only and not any(each.closed for each in sidecars):
        return
    entries = [entry for item in objects if (item.group, item.kind) == _ENTRY and (entry := _entry(item, draft))]
    services = [front for item in objects if (item.group, item.kind) == ("", "Service") and (front := _front(item))]
    by_place: defaultdict[str, list[_Sidecar]] = defaultdict(list)
    for sidecar in sidecars:
        by_place[sidecar.item.place].append(sidecar)
    for sidecar in sidecars:
        closed = settings.registry_only if sidecar.closed is None else sidecar.closed
        if closed:
            scope = _scope(sidecar, by_place, settings)
            _add(draft.id(sidecar.item.own), sidecar, scope, _rules(sidecar, entries, services, draft), draft)
    if settings.registry_only and not any(not each.required for each in by_place[settings.root]):
        spared = [in_namespace(p) for p, own in by_place.items() if any(not each.required for each in own)]
        chosen = [_selected(each) for each in sidecars if each.required]
        scope = NoneOf((*spared, *chosen))
        nothing = _Sidecar(_MESH_WIDE, (), closed=True, hosts=None)
        _add(draft.id("mesh/registry-only"), nothing, scope, _rules(nothing, entries, services, draft), draft)


def _read(item: Object, settings: Settings, draft: Draft) -> _Sidecar | None:
    problem = item.flaw
    if not problem:
        try:
            spec = msgspec.convert(item.content.get("spec"), SidecarSpec | None) or SidecarSpec()
            labels = {} if spec.workload_selector is None else dict(spec.workload_selector.labels or {})
            required = requirements(LabelSelector(dict(labels)), "pods")
            hosts = tuple(host for each in spec.egress or () for host in each.hosts or ())
            return _Sidecar(item, required, _closed(spec), hosts if spec.egress else None)
        except (msgspec.ValidationError, ParseError) as error:
            problem = str(error)
    draft.ledger.gap(item, "malformed", problem, "groups")
    leave_open(item, settings, draft, "workloadSelector")
    return None


def _closed(spec: SidecarSpec) -> bool | None:
    """Return whether what is not registered is refused; None for what the mesh does.

    Raises:
        ParseError: Istio would refuse it.
    """
    if spec.outbound_traffic_policy is None:
        return None
    # The first mode is what an empty policy means.
    mode = spec.outbound_traffic_policy.mode or "REGISTRY_ONLY"
    if mode not in _MODES:
        raise ParseError(f"outboundTrafficPolicy.mode {mode!r} is neither ALLOW_ANY nor REGISTRY_ONLY")
    return mode == "REGISTRY_ONLY"


def _entry(item: Object, draft: Draft) -> _Entry | None:
    problem = item.flaw
    if not problem:
        try:
            spec = msgspec.convert(item.content.get("spec"), ServiceEntrySpec | None) or ServiceEntrySpec()
            static = [each.address for each in spec.endpoints or () if each.address and spec.resolution == "STATIC"]
            addresses, traffic = NO_ADDRESSES, NO_TRAFFIC
            for text in (*(spec.addresses or ()), *static):
                addresses |= AddressSet.from_cidrs((text,))
            for port in spec.ports or ():
                traffic |= Traffic.ports("tcp", port.number, port.number)
            return _Entry(item.place, tuple(spec.hosts or ()), addresses, traffic)
        except (msgspec.ValidationError, ParseError) as error:
            problem = str(error)
    draft.ledger.gap(item, "malformed", f"{problem}: what it registers is not known", "groups")
    return None


class _Front(NamedTuple):
    """A Service with pods behind."""

    place: str
    name: str
    required: tuple[Labelled, ...]


def _front(item: Object) -> _Front | None:
    required = surely_required({"matchLabels": item.part("spec").get("selector")}, "pods")
    return _Front(item.place, item.name, (in_namespace(item.place), *required)) if required and not item.flaw else None


def _selected(sidecar: _Sidecar) -> AllOf:
    return AllOf((in_namespace(sidecar.item.place), *sidecar.required))


def _scope(sidecar: _Sidecar, by_place: Mapping[str, Sequence[_Sidecar]], settings: Settings) -> Selector:
    """Return the pods for which a Sidecar counts.

    One that selects them goes first, then that of their namespace, then that of the root namespace.
    """
    place = sidecar.item.place
    if sidecar.required:
        return _selected(sidecar)
    if place != settings.root:
        return AllOf((in_namespace(place), NoneOf(tuple(_selected(each) for each in by_place[place] if each.required))))
    whole = tuple(
        in_namespace(p) for p, own in by_place.items() if p != place and any(not each.required for each in own)
    )
    chosen = tuple(_selected(each) for own in by_place.values() for each in own if each.required)
    return NoneOf((*whole, *chosen))


def _rules(
    sidecar: _Sidecar, entries: Sequence[_Entry], services: Sequence[_Front], draft: Draft
) -> Iterator[tuple[str, Traffic, tuple[Peer, ...]]]:
    """Yield what is registered: names of rules, ports, and the far ends."""
    own = sidecar.item.own
    fronts = [each for each in services if sidecar.knows(each.place, f"{each.name}.{each.place}.svc.cluster.local")]
    if fronts:
        registered = AnyOf(tuple(AllOf(each.required) for each in fronts))
        text = f"pods behind Services that {own} knows"
        yield "services", TCP, (group_of(draft, text, registered, in_cluster(draft.cluster)),)
    for number, entry in enumerate(entries):
        if entry.traffic and sidecar.knows(entry.place, *entry.hosts):
            known: tuple[Peer, ...] = (Addresses(entry.addresses),) if entry.addresses else ()
            yield f"entries[{number}]", entry.traffic, (*known, Names(entry.hosts))


def _add(
    identifier: str,
    sidecar: _Sidecar,
    scope: Selector,
    registered: Iterator[tuple[str, Traffic, tuple[Peer, ...]]],
    draft: Draft,
) -> None:
    item = sidecar.item
    rules = [
        Rule(
            id=f"egress.{name}",
            direction="egress",
            verdict="next",
            traffic=traffic,
            remote=remote,
            priority=1,
            description="registered",
            location=item.location,
        )
        for name, traffic, remote in registered
    ]
    refused = Rule(
        id="egress.not-registered",
        direction="egress",
        verdict="deny",
        traffic=TCP,
        remote=(Everyone(),),
        local=ANYONE,
        priority=2,
        exact=False,
        description=_REFUSED,
        location=item.location,
    )
    wide = item is _MESH_WIDE
    draft.rule_sets[identifier] = RuleSet(
        id=identifier,
        kind="mesh-rule" if wide else item.kind,
        name=item.name,
        tags={} if wide else {**own_labels(item), "namespace": item.place},
        location=item.location,
        stage=MESH_STAGE,
        rules=(*rules, refused),
        applies=AllOf((scope, bearing(MESH, SIDECAR, PERHAPS), in_cluster(draft.cluster))),
        network=pods_of(draft.cluster),
        isolates=frozenset(("egress",)),
        managed_by=PROVIDER if wide else "",
    )
