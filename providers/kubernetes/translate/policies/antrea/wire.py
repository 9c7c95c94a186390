"""The fields of Antrea's policies, tiers and groups, read strictly.

Source: https://github.com/antrea-io/antrea/blob/main/pkg/apis/crd/v1beta1/types.go
"""

from __future__ import annotations

import msgspec

from cloudseg.providers.kubernetes.translate.wire import LabelSelector

__all__ = [
    "AntreaPeer",
    "AntreaPort",
    "AntreaProtocol",
    "AntreaRule",
    "AntreaSpec",
    "AppliedTo",
    "GroupSpec",
    "L7Protocol",
    "NamespacedName",
    "ServicePeer",
    "TierSpec",
]


class NamespacedName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something in a namespace."""

    name: str
    namespace: str


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A range of addresses."""

    cidr: str


class Related(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Namespaces by how they stand to the one of the pod that a rule applies to."""

    match: str | None = None
    same_labels: list[str] | None = None


class AntreaPeer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One item of ``from`` or ``to``."""

    ip_block: Block | None = None
    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    namespaces: Related | None = None
    external_entity_selector: LabelSelector | None = None
    group: str | None = None
    fqdn: str | None = None
    service_account: NamespacedName | None = None
    node_selector: LabelSelector | None = None
    scope: str | None = None


class AppliedTo(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One item of ``appliedTo``."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    external_entity_selector: LabelSelector | None = None
    group: str | None = None
    service_account: NamespacedName | None = None
    service: NamespacedName | None = None
    node_selector: LabelSelector | None = None


class AntreaPort(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One item of ``ports``."""

    protocol: str | None = None
    port: int | str | None = None
    end_port: int | None = None
    source_port: int | None = None
    source_end_port: int | None = None


class Icmp(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """ICMP messages; all of them without fields."""

    icmp_type: int | None = None
    icmp_code: int | None = None


class Igmp(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """IGMP messages; all of them without fields."""

    igmp_type: int | None = None
    group_address: str | None = None


class AntreaProtocol(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of ``protocols``; one field is set."""

    icmp: Icmp | None = None
    igmp: Igmp | None = None


class Http(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """HTTP requests."""

    host: str | None = None
    method: str | None = None
    path: str | None = None


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """TLS handshakes."""

    sni: str | None = None


class L7Protocol(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of ``l7Protocols``; one field is set."""

    http: Http | None = None
    tls: Tls | None = None


class ServicePeer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of ``toServices``."""

    name: str
    namespace: str | None = None
    scope: str | None = None


class AntreaRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One rule, of either direction."""

    action: str
    name: str | None = None
    sources: list[AntreaPeer] | None = msgspec.field(default=None, name="from")
    targets: list[AntreaPeer] | None = msgspec.field(default=None, name="to")
    to_services: list[ServicePeer] | None = None
    ports: list[AntreaPort] | None = None
    protocols: list[AntreaProtocol] | None = None
    l7: list[L7Protocol] | None = msgspec.field(default=None, name="l7Protocols")
    applied_to: list[AppliedTo] | None = None
    enable_logging: bool | None = None
    log_label: str | None = None


class AntreaSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The ``spec`` of both kinds of policies."""

    priority: float
    tier: str | None = None
    applied_to: list[AppliedTo] | None = None
    ingress: list[AntreaRule] | None = None
    egress: list[AntreaRule] | None = None


class TierSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``spec`` of a tier."""

    priority: int
    description: str | None = None


class GroupSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The ``spec`` of a ClusterGroup or a Group."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: Block | None = None
    ip_blocks: list[Block] | None = None
    service_reference: NamespacedName | None = None
    external_entity_selector: LabelSelector | None = None
    child_groups: list[str] | None = None
