"""The fields of Linkerd's policies that are read, as its reference documents them.

They are read strictly: a field that is not known might say anything about what passes.
Sources: https://linkerd.io/2-edge/reference/authorization-policy/ and
https://linkerd.io/2-edge/reference/egress-network/
"""

from __future__ import annotations

import msgspec

from cloudseg.providers.kubernetes.translate.wire import LabelSelector

__all__ = [
    "AccountRef",
    "AuthorizationSpec",
    "Client",
    "EgressSpec",
    "MeshTlsSpec",
    "Network",
    "NetworkSpec",
    "Reference",
    "ServerAuthorizationSpec",
    "ServerSpec",
]


class ServerSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The ``spec`` of a Server."""

    port: int | str
    pod_selector: LabelSelector | None = None
    external_workload_selector: LabelSelector | None = None
    proxy_protocol: str | None = None
    access_policy: str | None = None


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A subnet, without some of its parts."""

    cidr: str
    without: list[str] | None = msgspec.field(default=None, name="except")


class AccountRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service account; in the namespace of whoever names it where it names none."""

    name: str
    namespace: str | None = None


class MeshTls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which identities a ServerAuthorization is for."""

    unauthenticated: bool | None = msgspec.field(default=None, name="unauthenticatedTLS")
    identities: list[str] | None = None
    accounts: list[AccountRef] | None = msgspec.field(default=None, name="serviceAccounts")


class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom a ServerAuthorization is for."""

    networks: list[Network] | None = None
    unauthenticated: bool | None = None
    mesh_tls: MeshTls | None = msgspec.field(default=None, name="meshTLS")


class ServerRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Servers of a ServerAuthorization: one by its name, or some by their labels."""

    name: str | None = None
    selector: LabelSelector | None = None


class ServerAuthorizationSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``spec`` of a ServerAuthorization."""

    server: ServerRef
    client: Client


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An object that another one names."""

    kind: str
    name: str
    group: str | None = None
    namespace: str | None = None


class AuthorizationSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The ``spec`` of an AuthorizationPolicy."""

    target_ref: Reference
    required_authentication_refs: list[Reference]


class MeshTlsSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The ``spec`` of a MeshTLSAuthentication."""

    identities: list[str] | None = None
    identity_refs: list[Reference] | None = None


class NetworkSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``spec`` of a NetworkAuthentication."""

    networks: list[Network]


class EgressSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The ``spec`` of an EgressNetwork."""

    traffic_policy: str
    networks: list[Network] | None = None
