"""The fields of Istio's policies that are read, as its reference documents them.

They are read strictly: a field that is not known might say anything about what passes, and the API server refuses it.
Sources: https://istio.io/latest/docs/reference/config/security/authorization-policy/,
https://istio.io/latest/docs/reference/config/security/peer_authentication/,
https://istio.io/latest/docs/reference/config/networking/sidecar/ and
https://istio.io/latest/docs/reference/config/networking/service-entry/
"""

from __future__ import annotations

import msgspec

__all__ = [
    "AuthorizationSpec",
    "Condition",
    "MutualTls",
    "Operation",
    "PeerSpec",
    "Rule",
    "ServiceEntrySpec",
    "SidecarSpec",
    "Source",
    "TargetRef",
    "WorkloadSelector",
]

Texts = list[str] | None
Fields = dict[str, object]


class WorkloadSelector(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The workloads of a policy: all of them without labels."""

    match_labels: dict[str, str] | None = None


class TargetRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a policy is attached to instead of workloads: a gateway, a service."""

    kind: str
    name: str
    group: str | None = None
    namespace: str | None = None


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Who opens a connection; all fields have to fit."""

    principals: Texts = None
    not_principals: Texts = None
    request_principals: Texts = None
    not_request_principals: Texts = None
    namespaces: Texts = None
    not_namespaces: Texts = None
    service_accounts: Texts = None
    not_service_accounts: Texts = None
    ip_blocks: Texts = None
    not_ip_blocks: Texts = None
    remote_ip_blocks: Texts = None
    not_remote_ip_blocks: Texts = None


class Operation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What is asked for; all fields have to fit."""

    hosts: Texts = None
    not_hosts: Texts = None
    ports: Texts = None
    not_ports: Texts = None
    methods: Texts = None
    not_methods: Texts = None
    paths: Texts = None
    not_paths: Texts = None


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One further condition."""

    key: str
    values: Texts = None
    not_values: Texts = None


class From(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of ``from``."""

    source: Source


class To(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of ``to``."""

    operation: Operation


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule; an empty one fits everything."""

    sources: list[From] | None = msgspec.field(default=None, name="from")
    operations: list[To] | None = msgspec.field(default=None, name="to")
    when: list[Condition] | None = None


class Provider(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is asked by a policy with the action CUSTOM."""

    name: str | None = None


class AuthorizationSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The ``spec`` of an AuthorizationPolicy; without rules it never fits."""

    selector: WorkloadSelector | None = None
    target_ref: TargetRef | None = None
    target_refs: list[TargetRef] | None = None
    rules: list[Rule] | None = None
    action: str | None = None
    provider: Provider | None = None


class MutualTls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mode of mutual TLS; what is not set is inherited."""

    mode: str | None = None


class PeerSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The ``spec`` of a PeerAuthentication."""

    selector: WorkloadSelector | None = None
    mtls: MutualTls | None = None
    port_level_mtls: dict[str | int, MutualTls | None] | None = None


class SidecarSelector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The workloads of a Sidecar."""

    labels: dict[str, str] | None = None


class OutboundPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What becomes of connections to what is not registered."""

    mode: str | None = None
    egress_proxy: Fields | None = None


class EgressListener(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What a workload sees of the services of the mesh."""

    hosts: list[str] | None = None
    port: Fields | None = None
    bind: str | None = None
    capture_mode: str | None = None


class SidecarSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The ``spec`` of a Sidecar."""

    workload_selector: SidecarSelector | None = None
    ingress: list[Fields] | None = None
    egress: list[EgressListener] | None = None
    outbound_traffic_policy: OutboundPolicy | None = None
    inbound_connection_pool: Fields | None = None


class EntryPort(msgspec.Struct, frozen=True, rename="camel"):
    """A port of a service outside of the registry."""

    number: int


class EntryEndpoint(msgspec.Struct, frozen=True):
    """Where such a service stands."""

    address: str | None = None


class ServiceEntrySpec(msgspec.Struct, frozen=True, rename="camel"):
    """What is read of the ``spec`` of a ServiceEntry: nothing in it takes away from what passes."""

    hosts: list[str] | None = None
    addresses: list[str] | None = None
    ports: list[EntryPort] | None = None
    endpoints: list[EntryEndpoint] | None = None
    resolution: str | None = None
    export_to: list[str] | None = None
