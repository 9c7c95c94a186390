"""The fields of gateways and their routes that are read.

Source: https://gateway-api.sigs.k8s.io/reference/spec/
"""

from __future__ import annotations

import msgspec

from cloudseg.providers.kubernetes.translate.wire import LabelSelector

__all__ = ["Allowed", "Backend", "Gateway", "Grant", "Listener", "Namespaces", "Parent", "Route"]


class Namespaces(msgspec.Struct, frozen=True):
    """The namespaces whose routes a listener takes."""

    mode: str | None = msgspec.field(default=None, name="from")
    selector: LabelSelector | None = None


class Kind(msgspec.Struct, frozen=True):
    """A kind of routes."""

    kind: str
    group: str | None = None


class Allowed(msgspec.Struct, frozen=True):
    """The routes that a listener takes."""

    namespaces: Namespaces | None = None
    kinds: list[Kind] | None = None


class Listener(msgspec.Struct, frozen=True, rename="camel"):
    """A port on which a gateway listens."""

    name: str
    port: int
    protocol: str
    hostname: str | None = None
    allowed_routes: Allowed | None = None


class Gateway(msgspec.Struct, frozen=True):
    """What of a gateway's ``spec`` is read."""

    listeners: list[Listener] | None = None


class Parent(msgspec.Struct, frozen=True, rename="camel"):
    """What a route attaches to."""

    name: str
    group: str | None = None
    kind: str | None = None
    namespace: str | None = None
    section_name: str | None = None
    port: int | None = None


class Backend(msgspec.Struct, frozen=True):
    """What a route sends to."""

    name: str
    group: str | None = None
    kind: str | None = None
    namespace: str | None = None
    port: int | None = None
    weight: int | None = None
    filters: list[Filter] | None = None


class Mirror(msgspec.Struct, frozen=True, rename="camel"):
    """What gets a copy of every request."""

    backend_ref: Backend


class Filter(msgspec.Struct, frozen=True, rename="camel"):
    """What a route does to requests."""

    request_mirror: Mirror | None = None


class RouteRule(msgspec.Struct, frozen=True, rename="camel"):
    """One rule of a route."""

    backend_refs: list[Backend] | None = None
    filters: list[Filter] | None = None


class Route(msgspec.Struct, frozen=True, rename="camel"):
    """What of a route's ``spec`` is read."""

    parent_refs: list[Parent] | None = None
    hostnames: list[str] | None = None
    rules: list[RouteRule] | None = None


class From(msgspec.Struct, frozen=True):
    """Who may refer to something in another namespace."""

    kind: str
    namespace: str
    group: str = ""


class To(msgspec.Struct, frozen=True):
    """What they may refer to."""

    kind: str
    group: str = ""
    name: str | None = None


class Grant(msgspec.Struct, frozen=True):
    """What of a ReferenceGrant's ``spec`` is read."""

    given: list[From] | None = msgspec.field(default=None, name="from")
    to: list[To] | None = None
