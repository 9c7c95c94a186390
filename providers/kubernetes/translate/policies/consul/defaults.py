"""What ServiceDefaults, ProxyDefaults and Mesh say of services: their protocol, and whether plain text is let in.

What a service's own defaults say goes before those of all proxies. Plain text may be let in only where Mesh once
allowed it; without any word mutual TLS is asked for. Sources:
https://developer.hashicorp.com/consul/docs/connect/config-entries/service-defaults,
https://developer.hashicorp.com/consul/docs/connect/config-entries/proxy-defaults,
https://developer.hashicorp.com/consul/docs/connect/config-entries/mesh and
https://developer.hashicorp.com/consul/docs/k8s/connect/onboarding-tproxy-mode
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar, cast

import msgspec

from cloudseg.errors import ParseError
from cloudseg.providers.kubernetes.translate.objects import fields_of
from cloudseg.providers.kubernetes.translate.policies.consul.names import ANY, CONSUL
from cloudseg.providers.kubernetes.translate.policies.consul.signs import GROUP
from cloudseg.providers.kubernetes.translate.policies.consul.wire import MeshSpec, ProxySpec, ServiceSpec
from cloudseg.providers.kubernetes.translate.policies.meshes import bearing, mark
from cloudseg.traffic import NO_TRAFFIC, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.policies.consul.membership import Member
    from cloudseg.providers.kubernetes.translate.policies.consul.settings import Settings

__all__ = ["BY", "EXPOSED", "KINDS", "MODE", "PROTOCOL", "Defaults", "is_synced", "mark_defaults", "read_defaults"]

_SERVICE: Final = (GROUP, "ServiceDefaults")
_PROXY: Final = (GROUP, "ProxyDefaults")
_MESH: Final = (GROUP, "Mesh")
KINDS: Final = (_SERVICE, _PROXY, _MESH)

MODE: Final = "pod/consul-mode"
"""The label of a pod of the mesh: ``strict``, ``permissive``, or ``unknown`` between them."""
PROTOCOL: Final = "pod/consul-protocol"
"""The label of a pod whose protocol is known: ``http`` or ``tcp``."""
BY: Final = "pod/consul-mode-by"
"""The label of a pod for which an object sets the mode; its value names the object."""
EXPOSED: Final = "pod/consul-exposed"
"""The label of a pod whose proxy serves some paths without mutual TLS; its value names the ports."""

_UNSET: Final = frozenset[str | None](("",))
_MODES: Final = frozenset[str | None](("", "strict", "permissive"))
_HTTP: Final = frozenset(("http", "http2", "grpc"))
_PROTOCOLS: Final = _HTTP | {"", "tcp"}
_LISTENER: Final = "envoy_public_listener_json"
_CHECKS: Final = "tcp/21500-21755"
"""The ports at which checks are exposed, by default. Source:
https://developer.hashicorp.com/consul/docs/agent/config/config-files#expose_min_port"""

T = TypeVar("T", ServiceSpec, ProxySpec, MeshSpec)


class _Said(NamedTuple):
    """What one object says.

    Attributes:
        item: the object.
        modes: the modes that it may set; empty texts for what it leaves to others.
        protocols: the protocols, likewise; None stands for one that is not known.
        exposed: the ports that are served without mutual TLS.
    """

    item: Object
    modes: frozenset[str | None]
    protocols: frozenset[str | None]
    exposed: Traffic = NO_TRAFFIC


class Defaults(NamedTuple):
    """What is said of services.

    Attributes:
        services: by object, in the order they were read.
        proxies: of all proxies.
        permitted: whether plain text may be let in; None where Mesh was not read.
        closed: the object by which proxies let nothing out but to the mesh, if there is one.
    """

    services: tuple[_Said, ...] = ()
    proxies: tuple[_Said, ...] = ()
    permitted: bool | None = None
    closed: Object | None = None


def is_synced(item: Object) -> bool:
    """Tell whether nothing says that Consul did not take an object.

    Source: https://developer.hashicorp.com/consul/docs/k8s/crds
    """
    conditions = item.part("status").get("conditions")
    listed = cast("list[object]", conditions) if isinstance(conditions, list) else []
    return not any(
        fields_of(each).get("type") == "Synced" and fields_of(each).get("status") == "False" for each in listed
    )


def read_defaults(objects: Iterable[Object], draft: Draft) -> Defaults:
    """Return what is said of services; what cannot be read leaves them open."""
    found = Defaults()
    for item in objects:
        kind = (item.group, item.kind)
        if kind == _SERVICE:
            found = found._replace(services=(*found.services, _of_service(item, draft)))
        elif kind == _PROXY:
            found = found._replace(proxies=(*found.proxies, _of_proxies(item, draft)))
        elif kind == _MESH:
            found = _of_mesh(item, found, draft)
    return found


def _read(item: Object, spec: type[T], draft: Draft) -> T | None:
    """Return the fields of an object; None with a gap where they cannot be read."""
    problem = item.flaw
    if not problem:
        try:
            given = item.content.get("spec")
            found = msgspec.convert({} if given is None else given, spec)
            _check_mode(found)
        except (msgspec.ValidationError, ParseError) as error:
            problem = str(error)
        else:
            return found
    draft.ledger.gap(item, "malformed", problem, "groups")
    return None


def _check_mode(spec: ServiceSpec | ProxySpec | MeshSpec) -> None:
    mode = "" if isinstance(spec, MeshSpec) else spec.mutual_tls_mode
    if (mode or "") not in _MODES:
        raise ParseError(f"mutualTLSMode {mode!r} is neither strict nor permissive")


def _of_service(item: Object, draft: Draft) -> _Said:
    spec = _read(item, ServiceSpec, draft)
    if spec is None:
        return _Said(item, _MODES, frozenset[str | None](("", None)))
    if spec.envoy_extensions:
        _leave_open(item, "envoyExtensions", draft)
    return _said(item, spec.mutual_tls_mode or "", spec.protocol or "", _exposed(spec), draft)


def _of_proxies(item: Object, draft: Draft) -> _Said:
    spec = _read(item, ProxySpec, draft)
    if spec is None:
        return _Said(item, _MODES, frozenset[str | None](("", None)))
    config = spec.config or {}
    if spec.envoy_extensions or _LISTENER in config:
        _leave_open(item, "envoyExtensions" if spec.envoy_extensions else _LISTENER, draft)
    protocol = config.get("protocol", "")
    return _said(
        item, spec.mutual_tls_mode or "", protocol if isinstance(protocol, str) else "?", _exposed(spec), draft
    )


def _leave_open(item: Object, what: str, draft: Draft) -> None:
    """Leave open what proxies do with settings of their own."""
    detail = f"{what} changes what proxies do: what passes at the pods of the mesh is known at most"
    draft.ledger.gap(item, "unsupported", detail, "groups")
    draft.bound(None, (bearing(CONSUL),))


def _said(item: Object, mode: str, protocol: str, exposed: Traffic, draft: Draft) -> _Said:
    if is_synced(item):
        return _Said(item, frozenset((mode,)), frozenset((protocol if protocol in _PROTOCOLS else None,)), exposed)
    detail = "its status says that Consul did not take it: what it says counts perhaps"
    draft.ledger.gap(item, "unsupported", detail, "groups")
    return _Said(item, frozenset((mode, "", "strict", "permissive")), frozenset[str | None](("", None)), exposed)


def _exposed(spec: ServiceSpec | ProxySpec) -> Traffic:
    found = NO_TRAFFIC
    if spec.expose is not None:
        if spec.expose.checks:
            found |= Traffic.parse(_CHECKS)
        for path in spec.expose.paths or ():
            port = path.listener_port or 0
            if 0 < port < 1 << 16:
                found |= Traffic.ports("tcp", port, port)
    return found


def _of_mesh(item: Object, found: Defaults, draft: Draft) -> Defaults:
    spec = _read(item, MeshSpec, draft)
    if spec is None or not is_synced(item):
        if spec is not None:
            draft.ledger.gap(item, "unsupported", "its status says that Consul did not take it", "groups")
        draft.bound(None, (bearing(CONSUL),))
        return found._replace(permitted=None)
    closed = spec.transparent_proxy is not None and bool(spec.transparent_proxy.mesh_destinations_only)
    permitted = bool(spec.allow_enabling_permissive_mutual_tls)
    return found._replace(permitted=permitted, closed=item if closed else found.closed)


def mark_defaults(members: Sequence[Member], defaults: Defaults, settings: Settings, draft: Draft) -> None:
    """Mark the pods of the mesh with the mode and the protocol of their services."""
    whole = [each for each in defaults.proxies if each.item.name in {"global", ""}]
    for member in members:
        own = [each for each in defaults.services if _concerns(each.item, member, settings)]
        certain = len(own) <= 1 and all(_surely_concerns(each.item, member, settings) for each in own)
        modes = _ladder([each.modes for each in own], [each.modes for each in whole], certain=certain)
        held = frozenset(mode or "strict" for mode in modes)
        if "permissive" in held and not defaults.permitted:
            # Consul refuses the mode unless Mesh allows it, but keeps it where it is set already.
            held |= {"strict"}
        protocols = _ladder([each.protocols for each in own], [each.protocols for each in whole], certain=certain)
        protocols = frozenset("http" if each in _HTTP else each for each in protocols)
        exposed = NO_TRAFFIC
        for each in (*own, *whole):
            exposed |= each.exposed
        mark(
            draft,
            member.interface,
            consul_mode="unknown" if len(held) > 1 else next(iter(held)),
            consul_mode_by=_setter(own, whole) if certain else "",
            consul_protocol=(next(iter(protocols)) or "") if len(protocols) == 1 else "",
            consul_exposed=str(exposed) if exposed else "",
        )


def _ladder(
    own: Sequence[frozenset[str | None]], whole: Sequence[frozenset[str | None]], *, certain: bool
) -> frozenset[str | None]:
    """Return what may hold: what the service's own leaves unset, that of all proxies sets; empty for what none does."""
    above = frozenset[str | None]().union(*whole) or _UNSET
    first = frozenset[str | None]().union(*own) or _UNSET
    return (first - _UNSET) | (above if "" in first or not certain else frozenset[str | None]())


def _setter(own: Sequence[_Said], whole: Sequence[_Said]) -> str:
    """Return the object that surely sets the mode; empty where that is none, or not known."""
    for each in (*own, *whole):
        if each.modes != _UNSET:
            return each.item.own if len(each.modes) == 1 else ""
    return ""


def _concerns(item: Object, member: Member, settings: Settings) -> bool:
    """Tell whether defaults may be those of a pod's service."""
    named = not item.name or item.name in member.names or ANY in member.names
    apart = settings.spaces.kind == "mirrored" and item.namespace is not None and item.place != member.place
    return named and not apart


def _surely_concerns(item: Object, member: Member, settings: Settings) -> bool:
    """Tell whether defaults are surely those of a pod's service."""
    near = settings.spaces.kind in {"none", "single"} or (item.namespace is not None and item.place == member.place)
    return near and member.names == frozenset((item.name,))
