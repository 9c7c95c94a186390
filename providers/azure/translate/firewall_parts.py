"""What firewalls are made of: rules, policies and groups of addresses, as ARM writes them and as they are kept."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from cloudseg.providers.azure.translate.wire import ArmResource, Ref
from cloudseg.traffic import NO_ADDRESSES, NO_TRAFFIC, AddressSet, Traffic

__all__ = [
    "ClassicCollection",
    "FirewallParts",
    "FirewallPolicy",
    "FirewallRule",
    "RuleGroup",
    "Snat",
    "WireCollection",
    "WireGroup",
    "WireIpGroup",
    "WirePolicy",
    "WireProtocol",
    "WireRule",
]


class FirewallRule(NamedTuple):
    """A rule of a firewall.

    Attributes:
        kind: ``network``, ``application`` or ``nat``.
        name: its name, after that of its collection.
        allows: it lets packets through.
        sources: whom it is about.
        destinations: where to, as far as it names addresses.
        traffic: what it is about; of an application rule the ports of its protocols.
        names: the domain names that it is about, FQDN tags among them.
        categories: it is about categories of web sites, too.
        translated: the address that a NAT rule puts in place of the destination; none for a name.
        port: the port that it puts in place; 0 for the one that was asked for.
        problem: what could not be read, in words; empty where all was.
        maybe: further packets that it may be about: such without ports.
        sources_open: it may be about further senders.
        destinations_open: it may be about further destinations by address.
    """

    kind: str
    name: str
    allows: bool
    sources: AddressSet
    destinations: AddressSet
    traffic: Traffic
    names: tuple[str, ...] = ()
    categories: bool = False
    translated: AddressSet = NO_ADDRESSES
    port: int = 0
    problem: str = ""
    maybe: Traffic = NO_TRAFFIC
    sources_open: bool = False
    destinations_open: bool = False


class Snat(msgspec.Struct, rename="camel"):
    """To which ranges a firewall keeps the source's address."""

    private_ranges: list[str] | None = None
    auto_learn_private_ranges: str = ""


class FirewallPolicy(NamedTuple):
    """A policy: the one that it inherits from, the groups that it names, and where packets keep their address."""

    base: str
    groups: tuple[str, ...]
    snat: Snat | None


class WireProtocol(msgspec.Struct, rename="camel"):
    """What an application rule is about: ``Http``, ``Https`` or ``Mssql``, and its port."""

    protocol_type: str = ""
    port: int | None = None


class WireRule(msgspec.Struct, rename="camel"):
    """A rule, of any sort, as it is written."""

    name: str = ""
    rule_type: str = ""
    ip_protocols: list[str] | None = None
    protocols: list[str | WireProtocol] | None = None
    source_addresses: list[str] | None = None
    source_ip_groups: list[str] | None = None
    destination_addresses: list[str] | None = None
    destination_ip_groups: list[str] | None = None
    destination_fqdns: list[str] | None = None
    destination_ports: list[str] | None = None
    target_fqdns: list[str] | None = None
    target_urls: list[str] | None = None
    fqdn_tags: list[str] | None = None
    web_categories: list[str] | None = None
    translated_address: str | None = None
    translated_port: str | None = None


class _Action(msgspec.Struct):
    type: str = ""


class WireCollection(msgspec.Struct, rename="camel"):
    """A collection of rules."""

    name: str = ""
    priority: int | None = None
    action: _Action | None = None
    rules: list[WireRule] | None = None


class ClassicCollection(msgspec.Struct):
    """A collection of rules inside a firewall."""

    name: str = ""
    properties: WireCollection = msgspec.field(default_factory=WireCollection)


class _GroupProperties(msgspec.Struct, rename="camel"):
    priority: int | None = None
    rule_collections: list[object] | None = None


class WireGroup(ArmResource, kw_only=True):
    """A rule collection group."""

    properties: _GroupProperties = msgspec.field(default_factory=_GroupProperties)


class _PolicyProperties(msgspec.Struct, rename="camel"):
    base_policy: Ref | None = None
    rule_collection_groups: list[Ref] | None = None
    snat: Snat | None = None


class WirePolicy(ArmResource, kw_only=True):
    """A firewall policy."""

    properties: _PolicyProperties = msgspec.field(default_factory=_PolicyProperties)


class _IpGroupProperties(msgspec.Struct, rename="camel"):
    ip_addresses: list[str] | None = None


class WireIpGroup(ArmResource, kw_only=True):
    """A group of addresses that rules name."""

    properties: _IpGroupProperties = msgspec.field(default_factory=_IpGroupProperties)


class RuleGroup(NamedTuple):
    """A rule collection group.

    Attributes:
        id: its qualified id.
        priority: its priority.
        collections: its collections, as they are written; None where some could not be read.
    """

    id: str
    priority: int
    collections: tuple[WireCollection, ...] | None


class FirewallParts:
    """What firewalls of all subscriptions refer to."""

    def __init__(self) -> None:
        self.ip_groups: dict[str, AddressSet] = {}
        """Groups of addresses that rules name, by qualified id."""
        self.partial_groups: set[str] = set()
        """Those of which some addresses could not be read."""
        self.policies: dict[str, FirewallPolicy] = {}
        """Policies by qualified id."""
        self.rule_groups: dict[str, list[RuleGroup]] = {}
        """The rule collection groups of policies, by the policy's qualified id."""
        self.nat_rules: dict[str, tuple[FirewallRule, ...]] = {}
        """The rules that lead from public addresses to private ones, by the firewall's qualified id."""
        self.ends: dict[str, str] = {}
        """The firewalls whose interfaces routes may lead to, by the interface's qualified id."""
