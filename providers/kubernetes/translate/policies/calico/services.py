"""``services`` in Calico's rules: the pods behind a service of Kubernetes, and the ports on which it sends to them.

Sources: https://docs.tigera.io/calico/latest/network-policy/policy-rules/service-policy and
https://kubernetes.io/docs/concepts/services-networking/service/#defining-a-service
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from cloudseg.errors import ParseError
from cloudseg.model import AllOf, Labelled, Unresolved
from cloudseg.providers.kubernetes.translate.labels import in_namespace, on_port, pod_labels, port_label
from cloudseg.providers.kubernetes.translate.policies.calico.entities import Scope
from cloudseg.providers.kubernetes.translate.policies.calico.selection import ALL_PODS, both, exactly, not_in
from cloudseg.traffic import ALL_TRAFFIC, NO_ADDRESSES, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.providers.kubernetes.translate.policies.calico.context import Context
    from cloudseg.providers.kubernetes.translate.policies.calico.selection import Chosen
    from cloudseg.providers.kubernetes.translate.policies.calico.wire import ServiceMatch

__all__ = ["Behind", "behind"]

_PROTOCOLS = frozenset(("TCP", "UDP", "SCTP"))


class _Port(msgspec.Struct, frozen=True, rename="camel"):
    port: int
    target_port: int | str | None = None
    protocol: str | None = None


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    selector: dict[str, str] | None = None
    ports: list[_Port] | None = None
    type: str | None = None


class Behind(NamedTuple):
    """Whoever is behind a service on some ports."""

    scope: Scope
    traffic: Traffic


def behind(match: ServiceMatch, namespace: str | None, context: Context, *, ports: bool) -> Iterator[Behind]:
    """Yield whoever is behind a service. One that was not read, or that names no pods, is known at most.

    Args:
        match: the service.
        namespace: the namespace of the policy; None for a global one.
        context: what it is translated with.
        ports: count the ports of the service alone.

    Raises:
        ParseError: no service is named.
    """
    place = match.namespace or namespace
    if not match.name or not place:
        raise ParseError("services lacks the name of a service, or its namespace")
    spec = _read(place, match.name, context)
    if spec is None or not spec.selector:
        reason = f"which pods service {place}/{match.name} stands for was not read"
        anyone = not_in(ALL_PODS)._replace(may=ALL_PODS.may)
        unknown = Unresolved(f"service {place}/{match.name} of {context.draft.cluster}", reason)
        yield Behind(Scope(anyone, anyone, NO_ADDRESSES, NO_ADDRESSES, (unknown,)), ALL_TRAFFIC)
        return
    # Labels that controllers set are in no template.
    asked = pod_labels(spec.selector)
    own = tuple(Labelled(key, "In", frozenset((value,))) for key, value in sorted(asked.items()))
    chosen = exactly(AllOf((in_namespace(place), *own)))
    if len(asked) < len(spec.selector):
        chosen = chosen._replace(sure=not_in(ALL_PODS).sure)
    if not ports:
        yield Behind(_pods(chosen), ALL_TRAFFIC)
        return
    for port in spec.ports or ():
        yield from _on_port(port, chosen, context)


def _read(place: str, name: str, context: Context) -> _Spec | None:
    item = context.services.get((place, name))
    if item is None or item.flaw:
        return None
    try:
        return msgspec.convert(item.content.get("spec"), _Spec | None)
    except msgspec.ValidationError:
        return None


def _on_port(port: _Port, chosen: Chosen, context: Context) -> Iterator[Behind]:
    protocol = port.protocol or "TCP"
    if protocol not in _PROTOCOLS:
        raise ParseError(f"a service has protocol {protocol!r}")
    target = port.port if port.target_port in {None, "", 0} else port.target_port
    if isinstance(target, int):
        yield Behind(_pods(chosen), Traffic.ports(protocol.lower(), target, target))
        return
    if target is not None:
        for number in context.draft.numbers(None, port_label(target, protocol)):
            having = exactly(on_port(target, protocol, number))
            yield Behind(_pods(both(chosen, having)), Traffic.ports(protocol.lower(), number, number))


def _pods(chosen: Chosen) -> Scope:
    return Scope(chosen, chosen, NO_ADDRESSES, NO_ADDRESSES)
