"""Servers of SQL, PostgreSQL and MySQL, and caches: ranges from a first to a last address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cloudseg.traffic import ALL_ADDRESSES, GLOBAL_UNICAST, AddressSet
from tests.azure.beside import VNET, Beside, arm, resource

if TYPE_CHECKING:
    from cloudseg.model import Service

SQL = ("sql", "servers", "Microsoft.Sql/servers")
POSTGRESQL = ("dbforpostgresql", "flexible_servers", "Microsoft.DBforPostgreSQL/flexibleServers")
POSTGRESQL_SINGLE = ("dbforpostgresql", "servers", "Microsoft.DBforPostgreSQL/servers")
MYSQL = ("dbformysql", "flexible_servers", "Microsoft.DBforMySQL/flexibleServers")
MYSQL_SINGLE = ("dbformysql", "servers", "Microsoft.DBforMySQL/servers")
FAMILIES = [SQL, POSTGRESQL, POSTGRESQL_SINGLE, MYSQL, MYSQL_SINGLE]
AZURE = ("0.0.0.0", "0.0.0.0")
WORLD = ("0.0.0.1", "255.255.255.255")
OFFICE = ("203.0.113.8", "203.0.113.15")

Family = tuple[str, str, str]
Range = tuple[str, str]


def server(family: Family, properties: dict[str, Any], rules: list[Range] | None, *, apart: bool = True) -> Service:
    service, operation, kind = family
    own = arm(kind, "orders")
    answers = Beside().put(f"{service}.{operation}", resource(kind, "orders", properties))
    if rules is not None:
        items = [
            {
                "id": f"{own}/firewallRules/rule{number}",
                "name": f"rule{number}",
                "properties": {"startIpAddress": first, "endIpAddress": last},
            }
            for number, (first, last) in enumerate(rules)
        ]
        answers.put(f"{service}.firewall_rules", *items, about=own if apart else None)
        if family == SQL:
            answers.put("sql.ipv6_firewall_rules", about=own if apart else None)
    return answers.service()


def told(found: Service) -> tuple[bool | None, str, bool]:
    return found.public, "all" if found.sources == ALL_ADDRESSES else str(found.sources), found.any_tenant


@pytest.mark.semantics(134, 226)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize(
    ("switch", "rules", "verdict"),
    [
        # https://learn.microsoft.com/azure/azure-sql/database/firewall-configure
        # https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-firewall-rules
        ("Enabled", [OFFICE], (True, "203.0.113.8/29", False)),
        ("Enabled", [AZURE], (True, "none", True)),
        ("Enabled", [AZURE, OFFICE], (True, "203.0.113.8/29", True)),
        (None, [OFFICE], (True, "203.0.113.8/29", False)),
        ("Disabled", [WORLD, AZURE], (False, "none", False)),
        # What cannot be read may admit anybody.
        ("Enabled", [("here", "there")], (None, "all", False)),
        ("Enabled", [("203.0.113.9", "203.0.113.8")], (None, "all", False)),
        ("Enabled", [AZURE, ("here", "there")], (None, "all", True)),
    ],
)
def test_rules_of_a_server(
    *, family: Family, apart: bool, switch: str | None, rules: list[Range], verdict: tuple[bool | None, str, bool]
) -> None:
    properties = {} if switch is None else {"publicNetworkAccess": switch}
    assert told(server(family, properties, rules, apart=apart)) == verdict


@pytest.mark.semantics(226)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("world", [WORLD, ("0.0.0.0", "255.255.255.255")])
def test_the_widest_rules_are_everyone(family: Family, world: Range) -> None:
    found = server(family, {"publicNetworkAccess": "Enabled"}, [world])
    assert found.public is True
    assert AddressSet.parse("0.0.0.0/0") & GLOBAL_UNICAST <= found.sources
    assert "every address" in found.reason


@pytest.mark.parametrize("family", FAMILIES)
def test_a_server_whose_rules_were_read_and_are_none_admits_nobody(family: Family) -> None:
    assert told(server(family, {"publicNetworkAccess": "Enabled"}, [])) == (False, "none", False)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_server_whose_rules_were_not_read_may_admit_anybody(family: Family) -> None:
    found = server(family, {"publicNetworkAccess": "Enabled"}, None)
    assert told(found) == (None, "all", False)
    assert "not read" in found.reason


def test_rules_of_one_server_say_nothing_of_another() -> None:
    kind = SQL[2]
    answers = Beside().put("sql.servers", resource(kind, "a", {}), resource(kind, "b", {}))
    answers.put("sql.firewall_rules", about=arm(kind, "a"))
    answers.put("sql.ipv6_firewall_rules", about=arm(kind, "a"))
    found = {service.name: service.public for service in answers.estate().services.values()}
    assert found == {"a": False, "b": None}


def test_a_malformed_rule_in_one_list_of_all_may_be_any_server_s() -> None:
    kind = SQL[2]
    answers = Beside().put("sql.servers", resource(kind, "a", {}))
    answers.put("sql.firewall_rules", {"id": 5, "properties": {}})
    assert answers.service().public is None


@pytest.mark.parametrize(
    ("family", "properties"),
    [
        # https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-networking-private
        (
            POSTGRESQL,
            {"network": {"delegatedSubnetResourceId": f"{VNET}/subnets/db", "publicNetworkAccess": "Disabled"}},
        ),
        (MYSQL, {"network": {"delegatedSubnetResourceId": f"{VNET}/subnets/db", "publicNetworkAccess": "Enabled"}}),
        (MYSQL, {"delegatedSubnetArguments": {"subnetArmResourceId": f"{VNET}/subnets/db"}}),
    ],
)
def test_a_flexible_server_in_a_subnet_has_no_public_endpoint(family: Family, properties: dict[str, Any]) -> None:
    service, operation, kind = family
    found = Beside().vnet("db").put(f"{service}.{operation}", resource(kind, "orders", properties)).service()
    assert found.public is False
    assert found.network == f"azure:{VNET.split('/')[2]}:{VNET.lower()}"
    assert found.subnets == {f"{found.network}/subnets/db"}


def test_the_switch_of_a_flexible_server_stands_under_its_network() -> None:
    found = server(POSTGRESQL, {"network": {"publicNetworkAccess": "Disabled"}}, None)
    assert found.public is False


def test_rules_for_subnets_let_no_internet_in_and_are_told() -> None:
    # https://learn.microsoft.com/azure/azure-sql/database/vnet-service-endpoint-rule-overview
    own = arm(SQL[2], "orders")
    answers = Beside().put("sql.servers", resource(SQL[2], "orders", {})).put("sql.firewall_rules", about=own)
    answers.put("sql.ipv6_firewall_rules", about=own)
    answers.put("sql.virtual_network_rules", {"id": f"{own}/virtualNetworkRules/web", "properties": {}}, about=own)
    found = answers.service()
    assert told(found) == (False, "none", False)
    assert "1 subnet is admitted" in found.reason


@pytest.mark.parametrize(
    ("rules", "over_ipv6", "verdict", "words"),
    [
        ([], [("2001:db8::1", "2001:db8::ff")], (True, "2001:db8::1-2001:db8::ff", False), "over IPv6 rules admit"),
        ([], None, (None, "all", False), "firewall rules for IPv6 were not read"),
        ([OFFICE], None, (True, "203.0.113.8/29", False), "firewall rules for IPv6 were not read"),
        ([OFFICE], [("::1", "nowhere")], (True, "203.0.113.8/29", False), "firewall rules for IPv6 were not read"),
    ],
)
def test_rules_of_sql_for_ipv6_are_a_list_of_their_own(
    rules: list[Range], over_ipv6: list[Range] | None, verdict: tuple[bool | None, str, bool], words: str
) -> None:
    # https://learn.microsoft.com/azure/azure-sql/database/firewall-configure
    own = arm(SQL[2], "orders")
    answers = Beside().put("sql.servers", resource(SQL[2], "orders", {}))
    four = [{"startIpAddress": first, "endIpAddress": last} for first, last in rules]
    answers.put(
        "sql.firewall_rules", *({"id": f"{own}/firewallRules/r", "properties": each} for each in four), about=own
    )
    if over_ipv6 is not None:
        six = [{"startIPv6Address": first, "endIPv6Address": last} for first, last in over_ipv6]
        items = ({"id": f"{own}/ipv6FirewallRules/r", "properties": each} for each in six)
        answers.put("sql.ipv6_firewall_rules", *items, about=own)
    found = answers.service()
    assert told(found) == verdict
    assert words in found.reason


def cache(properties: dict[str, Any], rules: list[Range] | None) -> Service:
    own = arm("Microsoft.Cache/redis", "sessions")
    answers = Beside().put("cache.redis", resource("Microsoft.Cache/redis", "sessions", properties))
    if rules is not None:
        items = [
            {"id": f"{own}/firewallRules/r{first}", "properties": {"startIP": first, "endIP": last}}
            for first, last in rules
        ]
        answers.put("cache.firewall_rules", *items, about=own)
    return answers.service()


@pytest.mark.parametrize(
    ("properties", "rules", "verdict"),
    [
        # https://learn.microsoft.com/azure/azure-cache-for-redis/cache-configure#firewall
        ({"publicNetworkAccess": "Enabled"}, [], (True, "all", False)),
        ({"publicNetworkAccess": "Enabled"}, [OFFICE], (True, "203.0.113.8/29", False)),
        ({"publicNetworkAccess": "Disabled"}, [], (False, "none", False)),
        ({}, [], (True, "all", False)),
        ({}, None, (None, "all", False)),
        ({"subnetId": f"{VNET}/subnets/cache"}, [], (False, "none", False)),
    ],
)
def test_a_cache_admits_everyone_until_it_has_a_rule(
    properties: dict[str, Any], rules: list[Range] | None, verdict: tuple[bool | None, str, bool]
) -> None:
    assert told(cache(properties, rules)) == verdict


@pytest.mark.parametrize(("setting", "anonymous"), [("true", True), ("True", True), ("false", False), (None, False)])
def test_a_cache_without_password(*, setting: str | None, anonymous: bool) -> None:
    configuration = {} if setting is None else {"authnotrequired": setting}
    assert cache({"redisConfiguration": configuration}, []).anonymous is anonymous


@pytest.mark.parametrize(
    ("switch", "connections", "public"),
    [("Enabled", ["Approved"], True), ("Disabled", [], False), (None, [], True), (None, ["Approved"], None)],
)
def test_redis_enterprise_before_it_had_a_switch(
    *, switch: str | None, connections: list[str], public: bool | None
) -> None:
    listed = [{"properties": {"privateLinkServiceConnectionState": {"status": state}}} for state in connections]
    properties = {"publicNetworkAccess": switch, "privateEndpointConnections": listed}
    found = Beside().put("cache.redis_enterprise", resource("Microsoft.Cache/redisEnterprise", "one", properties))
    assert found.service().public is public
