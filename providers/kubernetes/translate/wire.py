"""The fields of Kubernetes objects that are read, as the API reference documents them.

A NetworkPolicy's fields are read strictly: a field that is not known might say anything about what passes, and the API
server refuses it as well. Source: https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
"""

from __future__ import annotations

import msgspec

__all__ = [
    "Container",
    "ContainerPort",
    "EgressRule",
    "IngressRule",
    "IpBlock",
    "LabelSelector",
    "Metadata",
    "OwnerReference",
    "PeerItem",
    "PodSpec",
    "PodStatus",
    "PodTemplate",
    "PolicySpec",
    "PortItem",
    "Requirement",
]

Labels = dict[str, str | None]
"""Labels: the API server takes a value that is null for an empty one."""


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of ``matchExpressions``."""

    key: str
    operator: str
    values: list[str] | None = None


class LabelSelector(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A label selector; without requirements it chooses everything."""

    match_labels: Labels | None = None
    match_expressions: list[Requirement] | None = None


class IpBlock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A range of addresses, without some of its parts."""

    cidr: str
    without: list[str] | None = msgspec.field(default=None, name="except")


class PeerItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One item of ``from`` or ``to``."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IpBlock | None = None


class PortItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One item of ``ports``."""

    protocol: str | None = None
    port: int | str | None = None
    end_port: int | None = None


class IngressRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of ``ingress``."""

    peers: list[PeerItem] | None = msgspec.field(default=None, name="from")
    ports: list[PortItem | None] | None = None


class EgressRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of ``egress``."""

    peers: list[PeerItem] | None = msgspec.field(default=None, name="to")
    ports: list[PortItem | None] | None = None


class PolicySpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The ``spec`` of a NetworkPolicy. An item that is null is an empty one, which admits everything."""

    pod_selector: LabelSelector | None = None
    ingress: list[IngressRule | None] | None = None
    egress: list[EgressRule | None] | None = None
    policy_types: list[str] | None = None


class OwnerReference(msgspec.Struct, frozen=True):
    """Who made an object and keeps it."""

    kind: str
    name: str
    controller: bool | None = None


class Metadata(msgspec.Struct, frozen=True, rename="camel"):
    """What of an object's metadata is read beside its names."""

    labels: Labels | None = None
    annotations: dict[str, object] | None = None
    owner_references: list[OwnerReference] | None = None


class ContainerPort(msgspec.Struct, frozen=True, rename="camel"):
    """A port that a container declares."""

    container_port: int
    name: str | None = None
    protocol: str | None = None
    host_port: int | None = None
    host_ip: str | None = msgspec.field(default=None, name="hostIP")


class Container(msgspec.Struct, frozen=True, rename="camel"):
    """What of a container is read; its variables may be written anyhow."""

    name: str | None = None
    ports: list[ContainerPort] | None = None
    restart_policy: str | None = None
    env: object = None


class PodSpec(msgspec.Struct, frozen=True, rename="camel"):
    """What of a pod's ``spec`` is read."""

    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    host_network: bool | None = None
    service_account_name: str | None = None
    service_account: str | None = None
    node_name: str | None = None


class PodTemplate(msgspec.Struct, frozen=True):
    """What pods are made from; a pod has the same fields."""

    metadata: Metadata | None = None
    spec: PodSpec | None = None


class PodIp(msgspec.Struct, frozen=True):
    """One address of a pod."""

    ip: str | None = None


class PodStatus(msgspec.Struct, frozen=True):
    """What of a pod's ``status`` is read."""

    phase: str | None = None
    ip: str | None = msgspec.field(default=None, name="podIP")
    ips: list[PodIp] | None = msgspec.field(default=None, name="podIPs")
