"""Servers of Azure SQL, PostgreSQL and MySQL: a switch, and firewall rules with a first and a last address."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.providers.azure.ids import parent_of
from cloudseg.providers.azure.translate.services.access import (
    Access,
    Admitted,
    Place,
    admitted_ranges,
    decided,
    subnets_admitted,
)
from cloudseg.providers.azure.translate.services.building import Properties, Stands, in_subnet, service, shown
from cloudseg.providers.azure.translate.wire import ArmResource, Ref
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from cloudseg.providers.azure.translate.answers import Answers
    from cloudseg.providers.azure.translate.draft import Draft

__all__ = ["add_databases", "ranges_by_owner"]


class _Servers(NamedTuple):
    service: str
    operation: str
    family: str
    kind: str


_SERVERS: Final = (
    _Servers("sql", "servers", "sql", "sql-server"),
    _Servers("dbforpostgresql", "flexible_servers", "postgresql", "postgresql-flexible-server"),
    _Servers("dbforpostgresql", "servers", "postgresql", "postgresql-server"),
    _Servers("dbformysql", "flexible_servers", "mysql", "mysql-flexible-server"),
    _Servers("dbformysql", "servers", "mysql", "mysql-server"),
)


_OVER_IPV6: Final = "ipv6_firewall_rules"


class _Range(msgspec.Struct, rename="camel"):
    start_ip_address: str | None = None
    end_ip_address: str | None = None
    start_ipv6_address: str | None = msgspec.field(default=None, name="startIPv6Address")
    end_ipv6_address: str | None = msgspec.field(default=None, name="endIPv6Address")
    # Caches spell it shorter.
    start_ip: str | None = msgspec.field(default=None, name="startIP")
    end_ip: str | None = msgspec.field(default=None, name="endIP")


class _Rule(msgspec.Struct):
    id: str
    properties: _Range = msgspec.field(default_factory=_Range)


class _Network(msgspec.Struct, rename="camel"):
    public_network_access: str | None = None
    delegated_subnet_resource_id: str | None = None


class _Delegated(msgspec.Struct, rename="camel"):
    subnet_arm_resource_id: str | None = None


class _Properties(Properties, rename="camel"):
    # Of flexible servers; the second form is that of their first previews.
    network: _Network | None = None
    delegated_subnet_arguments: _Delegated | None = None


class _Server(ArmResource, kw_only=True):
    properties: _Properties = msgspec.field(default_factory=_Properties)


def add_databases(answers: Answers, draft: Draft) -> None:
    """Add database servers. Who is admitted is what the rules say together; without a rule nobody is.

    A rule from 0.0.0.0 to 0.0.0.0 admits every machine in Azure, of whichever customer. A flexible server in a subnet
    of its own has no public endpoint at all. Sources:
    https://learn.microsoft.com/azure/azure-sql/database/firewall-configure
    https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-firewall-rules
    https://learn.microsoft.com/azure/mysql/flexible-server/concepts-networking-public
    https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-networking-private
    """
    over_ipv6 = ranges_by_owner(answers, "sql", "services.sql", azure=False, operation=_OVER_IPV6)
    for servers in _SERVERS:
        facet = f"services.{servers.family}"
        rules = ranges_by_owner(answers, servers.service, facet, azure=True)
        subnets = _subnets_by_owner(answers, servers.service, facet)
        for wire in answers.listed(servers.service, servers.operation, _Server, facet):
            own = wire.properties
            switch, subnet = _switch_and_subnet(own)
            stands = in_subnet(draft, subnet)
            if subnet:
                reason = f"it stands in the subnet {stands_in(stands)}, without a public endpoint"
                access = Access(public=False, sources=NO_ADDRESSES, any_tenant=False, reason=reason)
            else:
                admitted = rules.of(wire.id)
                if servers.service == "sql":
                    admitted = _with_ipv6(admitted, over_ipv6.of(wire.id))
                access = decided(switch, _with_subnets(admitted, subnets[wire.id.lower()]))
            found = service(
                wire,
                servers.family,
                servers.kind,
                access,
                connections=own.private_endpoint_connections,
                settings=shown(publicNetworkAccess=switch, delegatedSubnet=subnet),
                stands=stands,
            )
            draft.put(draft.services, found, answers.scope)


def _subnets_by_owner(answers: Answers, service_name: str, facet: str) -> Counter[str]:
    """Return how many subnets the rules for virtual networks of each server admit; SQL alone lists them apart."""
    listed = answers.each_of(service_name, "virtual_network_rules", "value", Ref, facet)
    return Counter((about or parent_of(rule.id)).lower() for about, rule in listed)


def _with_subnets(admitted: Admitted, subnets: int) -> Admitted:
    if not subnets:
        return admitted
    return admitted._replace(words="; ".join(text for text in (admitted.words, subnets_admitted(subnets)) if text))


def _with_ipv6(admitted: Admitted, others: Admitted) -> Admitted:
    """Return whom the rules of SQL for both families admit; those for IPv6 are a list of their own.

    Where that list was not read and the other admits somebody, that much is certain all the same. Source:
    https://learn.microsoft.com/azure/azure-sql/database/firewall-configure
    """
    words, doubt = [admitted.words], admitted.doubt
    if others.addresses:
        words.append(f"over IPv6 {others.words}")
    if others.doubt and (admitted.addresses or admitted.any_tenant):
        words.append("its firewall rules for IPv6 were not read")
    elif others.doubt:
        doubt = doubt or "its firewall rules for IPv6 were not read in full"
    return Admitted(
        admitted.addresses | others.addresses,
        any_tenant=admitted.any_tenant,
        doubt=doubt,
        words="; ".join(text for text in words if text),
    )


def _switch_and_subnet(own: _Properties) -> tuple[str | None, str | None]:
    network, early = own.network or _Network(), own.delegated_subnet_arguments
    subnet = network.delegated_subnet_resource_id or (None if early is None else early.subnet_arm_resource_id)
    return network.public_network_access or own.public_network_access, subnet


def stands_in(stands: Stands) -> str:
    """Return the subnet's own name, with that of its network."""
    own = next(iter(stands.subnets), "").split("/")
    return "/".join(own[-3::2])


class _Rules(NamedTuple):
    """Firewall rules of the servers of one service.

    Attributes:
        admitted: whom the rules of a server admit, by its ARM id in lower case.
        read: the servers whose rules were read; None where one list holds those of all.
        flawed: the servers of which a rule could not be read; None where it may be any.
    """

    admitted: dict[str, Admitted]
    read: frozenset[str] | None
    flawed: frozenset[str] | None

    def of(self, arm: str) -> Admitted:
        """Return whom the rules of a server admit; rules that were not read may admit anybody."""
        own = arm.lower()
        known = self.admitted.get(own, Admitted(NO_ADDRESSES, words="it has no firewall rule"))
        if self.read is not None and own not in self.read:
            return Admitted(NO_ADDRESSES, doubt="its firewall rules were not read")
        if self.flawed is None or own in self.flawed:
            return known._replace(doubt=known.doubt or "a firewall rule could not be read")
        return known

    def none_of(self, arm: str) -> bool:
        """Tell whether a server certainly has no rule."""
        return arm.lower() not in self.admitted and not self.of(arm).doubt


def ranges_by_owner(
    answers: Answers, service_name: str, facet: str, *, azure: bool, operation: str = "firewall_rules"
) -> _Rules:
    """Return the firewall rules of every server or cache of one service, in files of their own or in one list.

    Args:
        answers: the answers of one subscription.
        service_name: the service, ``sql``.
        facet: the part of the estate that a malformed rule leaves open.
        azure: 0.0.0.0 to 0.0.0.0 stands for every machine in Azure.
        operation: the list of rules.
    """
    ranges: dict[str, list[tuple[str, str]]] = {}
    for about, rule in answers.each_of(service_name, operation, "value", _Rule, facet):
        own = rule.properties
        first = own.start_ip_address or own.start_ip or own.start_ipv6_address
        last = own.end_ip_address or own.end_ip or own.end_ipv6_address
        ranges.setdefault((about or parent_of(rule.id)).lower(), []).append((first or "", last or ""))
    what = f"{service_name}.{operation}"
    files = answers.resources(service_name, operation)
    torn = frozenset(file.lower() for file in files if not answers.intact(service_name, operation, file))
    return _Rules(
        {
            owner: admitted_ranges(answers, Place(what, owner, facet), each, azure=azure)
            for owner, each in ranges.items()
        },
        read=None if "" in files else frozenset(file.lower() for file in files),
        flawed=None if "" in torn else torn,
    )
