"""The fields of Cilium's policies that are read, as its custom resource definitions document them.

They are read strictly: a field that is not known might say anything about what passes, and the API server prunes or
refuses it. What decides requests and not connections (HTTP, DNS, Kafka) is only told. Source:
https://docs.cilium.io/en/stable/network/kubernetes/policy/#ciliumnetworkpolicy
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from msgspec import field

from cloudseg.providers.kubernetes.translate.wire import LabelSelector

__all__ = [
    "AnyRule",
    "Authentication",
    "CidrGroupSpec",
    "CidrRule",
    "DefaultDeny",
    "EgressDenyRule",
    "EgressRule",
    "FqdnSelector",
    "IcmpField",
    "IcmpRule",
    "IngressDenyRule",
    "IngressRule",
    "L7Rules",
    "PortProtocol",
    "PortRule",
    "RuleSpec",
    "Section",
    "ServiceItem",
    "section_of",
]

Items = list[dict[str, object]]
"""Values that are told and not judged."""


class Authentication(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ends have to prove: ``disabled``, ``required`` or ``test-always-fail``."""

    mode: str


class PortProtocol(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One item of ``ports``."""

    port: str = ""
    end_port: int | None = None
    protocol: str | None = None


class L7Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What requests have to meet beside."""

    http: Items | None = None
    kafka: Items | None = None
    dns: Items | None = None
    l7proto: str | None = None
    l7: Items | None = None


class PortRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One item of ``toPorts``."""

    ports: list[PortProtocol] | None = None
    rules: L7Rules | None = None
    listener: dict[str, object] | None = None
    server_names: list[str] | None = None
    terminating_tls: dict[str, object] | None = field(default=None, name="terminatingTLS")
    originating_tls: dict[str, object] | None = field(default=None, name="originatingTLS")


class PortDenyRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of ``toPorts`` of a denial, which knows no requests."""

    ports: list[PortProtocol] | None = None


class IcmpField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One type of ICMP messages, by number or name."""

    type: int | str
    family: str | None = None


class IcmpRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of ``icmps``."""

    fields: list[IcmpField] | None = None


class CidrRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One item of ``fromCIDRSet`` or ``toCIDRSet``."""

    cidr: str | None = None
    cidr_group_ref: str | None = None
    cidr_group_selector: LabelSelector | None = None
    without: list[str] | None = field(default=None, name="except")


class FqdnSelector(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One item of ``toFQDNs``."""

    match_name: str | None = None
    match_pattern: str | None = None


class _ServiceName(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    service_name: str | None = None
    namespace: str | None = None


class _ServiceLabels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    selector: LabelSelector
    namespace: str | None = None


class ServiceItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One item of ``toServices``."""

    k8s_service: _ServiceName | None = None
    k8s_service_selector: _ServiceLabels | None = None


Selectors = list[LabelSelector]


class IngressDenyRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of ``ingressDeny``."""

    endpoints: Selectors | None = field(default=None, name="fromEndpoints")
    requires: Selectors | None = field(default=None, name="fromRequires")
    cidr: list[str] | None = field(default=None, name="fromCIDR")
    cidr_set: list[CidrRule] | None = field(default=None, name="fromCIDRSet")
    entities: list[str] | None = field(default=None, name="fromEntities")
    groups: Items | None = field(default=None, name="fromGroups")
    nodes: Selectors | None = field(default=None, name="fromNodes")
    ports: list[PortDenyRule] | None = field(default=None, name="toPorts")
    icmps: list[IcmpRule] | None = None


class IngressRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of ``ingress``."""

    endpoints: Selectors | None = field(default=None, name="fromEndpoints")
    requires: Selectors | None = field(default=None, name="fromRequires")
    cidr: list[str] | None = field(default=None, name="fromCIDR")
    cidr_set: list[CidrRule] | None = field(default=None, name="fromCIDRSet")
    entities: list[str] | None = field(default=None, name="fromEntities")
    groups: Items | None = field(default=None, name="fromGroups")
    nodes: Selectors | None = field(default=None, name="fromNodes")
    ports: list[PortRule] | None = field(default=None, name="toPorts")
    icmps: list[IcmpRule] | None = None
    authentication: Authentication | None = None


class EgressDenyRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of ``egressDeny``."""

    endpoints: Selectors | None = field(default=None, name="toEndpoints")
    requires: Selectors | None = field(default=None, name="toRequires")
    cidr: list[str] | None = field(default=None, name="toCIDR")
    cidr_set: list[CidrRule] | None = field(default=None, name="toCIDRSet")
    entities: list[str] | None = field(default=None, name="toEntities")
    groups: Items | None = field(default=None, name="toGroups")
    nodes: Selectors | None = field(default=None, name="toNodes")
    services: list[ServiceItem] | None = field(default=None, name="toServices")
    ports: list[PortDenyRule] | None = field(default=None, name="toPorts")
    icmps: list[IcmpRule] | None = None


class EgressRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One item of ``egress``."""

    endpoints: Selectors | None = field(default=None, name="toEndpoints")
    requires: Selectors | None = field(default=None, name="toRequires")
    cidr: list[str] | None = field(default=None, name="toCIDR")
    cidr_set: list[CidrRule] | None = field(default=None, name="toCIDRSet")
    entities: list[str] | None = field(default=None, name="toEntities")
    groups: Items | None = field(default=None, name="toGroups")
    nodes: Selectors | None = field(default=None, name="toNodes")
    services: list[ServiceItem] | None = field(default=None, name="toServices")
    fqdns: list[FqdnSelector] | None = field(default=None, name="toFQDNs")
    ports: list[PortRule] | None = field(default=None, name="toPorts")
    icmps: list[IcmpRule] | None = None
    authentication: Authentication | None = None


class DefaultDeny(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the policy isolates; None for where it has rules."""

    ingress: bool | None = None
    egress: bool | None = None


class RuleSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The ``spec`` of a policy, or one item of its ``specs``."""

    endpoint_selector: LabelSelector | None = None
    node_selector: LabelSelector | None = None
    ingress: list[IngressRule] | None = None
    ingress_deny: list[IngressDenyRule] | None = None
    egress: list[EgressRule] | None = None
    egress_deny: list[EgressDenyRule] | None = None
    enable_default_deny: DefaultDeny | None = None
    labels: list[object] | None = None
    description: str | None = None
    log: dict[str, object] | None = None


class CidrGroupSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ``spec`` of a CiliumCIDRGroup."""

    cidrs: list[str] = field(name="externalCIDRs")


class Section(NamedTuple):
    """A rule of whatever direction and verdict."""

    endpoints: Selectors | None
    requires: Selectors | None
    cidr: list[str] | None
    cidr_set: list[CidrRule] | None
    entities: list[str] | None
    groups: Items | None
    nodes: Selectors | None
    services: list[ServiceItem] | None
    fqdns: list[FqdnSelector] | None
    ports: list[PortRule]
    icmps: list[IcmpRule]
    authentication: Authentication | None


AnyRule = IngressRule | IngressDenyRule | EgressRule | EgressDenyRule


def section_of(rule: AnyRule) -> Section:
    """Return a rule in the form that all of them share."""
    return Section(
        rule.endpoints,
        rule.requires,
        rule.cidr,
        rule.cidr_set,
        rule.entities,
        rule.groups,
        rule.nodes,
        rule.services if isinstance(rule, EgressRule | EgressDenyRule) else None,
        rule.fqdns if isinstance(rule, EgressRule) else None,
        [each if isinstance(each, PortRule) else PortRule(each.ports) for each in rule.ports or ()],
        rule.icmps or [],
        rule.authentication if isinstance(rule, IngressRule | EgressRule) else None,
    )
