"""The fields of Calico's resources, as their reference documents them; they are read strictly.

Sources: https://docs.tigera.io/calico/latest/reference/resources/networkpolicy,
https://docs.tigera.io/calico/latest/reference/resources/globalnetworkpolicy,
https://docs.tigera.io/calico/latest/reference/resources/tier and
https://docs.tigera.io/calico/latest/reference/resources/globalnetworkset
"""

from __future__ import annotations

import msgspec

__all__ = [
    "Entity",
    "HttpMatch",
    "Icmp",
    "PolicyRule",
    "PolicySpec",
    "ServiceAccounts",
    "ServiceMatch",
    "SetSpec",
    "TierSpec",
]


class Icmp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """ICMP messages; without fields, all of them."""

    type: int | None = None
    code: int | None = None


class ServiceAccounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pods by their service accounts; both hold."""

    names: list[str] | None = None
    selector: str | None = None


class ServiceMatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service of Kubernetes; without a namespace, one in the policy's."""

    name: str | None = None
    namespace: str | None = None


class HttpPath(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A path of HTTP requests."""

    exact: str | None = None
    prefix: str | None = None


class HttpMatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked of HTTP requests."""

    methods: list[str] | None = None
    paths: list[HttpPath] | None = None


class Entity(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """``source`` or ``destination``: everything that it says holds. ``domains`` is of the commercial editions."""

    nets: list[str] | None = None
    not_nets: list[str] | None = None
    selector: str | None = None
    not_selector: str | None = None
    namespace_selector: str | None = None
    ports: list[int | str] | None = None
    not_ports: list[int | str] | None = None
    service_accounts: ServiceAccounts | None = None
    services: ServiceMatch | None = None
    domains: list[str] | None = None


class RuleMetadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people noted of a rule."""

    annotations: dict[str, str | None] | None = None


class PolicyRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One rule."""

    action: str
    metadata: RuleMetadata | None = None
    protocol: int | str | None = None
    not_protocol: int | str | None = None
    icmp: Icmp | None = None
    not_icmp: Icmp | None = msgspec.field(default=None, name="notICMP")
    ip_version: int | None = None
    source: Entity | None = None
    destination: Entity | None = None
    http: HttpMatch | None = None


class PolicySpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The ``spec`` of a NetworkPolicy or GlobalNetworkPolicy."""

    tier: str | None = None
    order: float | None = None
    selector: str | None = None
    namespace_selector: str | None = None
    service_account_selector: str | None = None
    types: list[str] | None = None
    ingress: list[PolicyRule] | None = None
    egress: list[PolicyRule] | None = None
    do_not_track: bool | None = None
    pre_dnat: bool | None = msgspec.field(default=None, name="preDNAT")
    apply_on_forward: bool | None = None
    performance_hints: list[str] | None = None


class TierSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The ``spec`` of a Tier."""

    order: float | None = None
    default_action: str | None = None


class SetSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The ``spec`` of a NetworkSet or GlobalNetworkSet. Names are of the commercial editions."""

    nets: list[str] | None = None
    allowed_egress_domains: list[str] | None = None
