"""The fields of admin policies, of both versions of their API.

They are read strictly, but for the other ends of rules: what a later version adds there is told apart, since the API
says what an implementation makes of an end that it does not know. Sources:
https://network-policy-api.sigs.k8s.io/reference/spec/ and
https://github.com/kubernetes-sigs/network-policy-api/blob/main/apis/v1alpha2/clusternetworkpolicy_types.go
"""

from __future__ import annotations

import msgspec

from cloudseg.providers.kubernetes.translate.wire import LabelSelector

__all__ = [
    "AdminPort",
    "AdminProtocol",
    "AdminRule",
    "AdminSpec",
    "NamespacedPod",
    "PortNumber",
    "PortRange",
    "Subject",
    "TransportPort",
]

RawPeer = dict[str, object]


class NamespacedPod(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Pods by their own labels and those of their namespaces; an absent namespaceSelector chooses every namespace."""

    pod_selector: LabelSelector
    namespace_selector: LabelSelector | None = None


class Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pods to which a policy applies; one field is set."""

    namespaces: LabelSelector | None = None
    pods: NamespacedPod | None = None


class PortNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A port of v1alpha1."""

    port: int
    protocol: str | None = None


class PortRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A range of ports, both ends included; v1alpha2 names the protocol elsewhere."""

    start: int
    end: int
    protocol: str | None = None


class AdminPort(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One item of ``ports`` of v1alpha1; one field is set."""

    port_number: PortNumber | None = None
    port_range: PortRange | None = None
    named_port: str | None = None


class Destination(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A destination port of v1alpha2; one field is set."""

    number: int | None = None
    range: PortRange | None = None


class TransportPort(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What of TCP, UDP or SCTP matches."""

    destination_port: Destination | None = None


class AdminProtocol(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One item of ``protocols`` of v1alpha2; one field is set."""

    tcp: TransportPort | None = None
    udp: TransportPort | None = None
    sctp: TransportPort | None = None
    destination_named_port: str | None = None


class AdminRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule, of either direction."""

    action: str
    name: str | None = None
    sources: list[RawPeer] | None = msgspec.field(default=None, name="from")
    targets: list[RawPeer] | None = msgspec.field(default=None, name="to")
    ports: list[AdminPort] | None = None
    protocols: list[AdminProtocol] | None = None


class AdminSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``spec`` of all three kinds."""

    subject: Subject
    tier: str | None = None
    priority: int | None = None
    ingress: list[AdminRule] | None = None
    egress: list[AdminRule] | None = None
