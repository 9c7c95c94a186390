"""Application gateways: what they take, where they send it, and what their subnet cannot do without.

Sources: https://learn.microsoft.com/azure/application-gateway/configuration-infrastructure,
https://learn.microsoft.com/azure/application-gateway/how-application-gateway-works and
https://learn.microsoft.com/azure/application-gateway/configuration-frontend-ip
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from cloudseg.cli.sources import translate
from cloudseg.reach.internet import InternetView
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, Traffic
from tests.azure.agreeing import snapshot_of
from tests.azure.raw import SUBSCRIPTION
from tests.azure.raw_gateways import GATEWAY_MANAGER, PUBLIC, gateway_estate
from tests.azure.raw_more import endpoint
from tests.azure.raw_parts import rule

if TYPE_CHECKING:
    from cloudseg.model import Estate, Forwarder, Interface
    from tests.azure.oracle_records import Json
    from tests.azure.raw import Raw

OUTSIDE = AddressSet.parse("8.8.8.8")
HTTPS = rule(100, "Allow", "Internet", "*", "443", protocol="Tcp", name="https")
TWO = (("public", 443, "web", 8080), ("private", 8443, "web", 8080))


def read(raw: Raw) -> Estate:
    return translate(snapshot_of(raw.answers))


def gateway(estate: Estate) -> Interface:
    (found,) = (each for each in estate.interfaces.values() if each.role == "application_gateway")
    return found


def forwarder(estate: Estate) -> Forwarder:
    (found,) = estate.forwarders.values()
    return found


def named(estate: Estate, name: str) -> Interface:
    (found,) = (each for each in estate.interfaces.values() if each.name == name and each.role == "interface")
    return found


def passes(estate: Estate, source: Interface | AddressSet, target: Interface, traffic: str) -> str:
    """``surely``, ``at most`` or ``no``."""
    start = source if isinstance(source, AddressSet) else source.id
    found, asked = Reachability(estate).between(start, target.id), Traffic.parse(traffic)
    if found.lower >= asked:
        return "surely"
    return "at most" if found.upper >= asked else "no"


def test_its_instances_are_one_interface_with_an_unlisted_address_in_its_subnet() -> None:
    """One private address per instance, says the page, and no answer names it."""
    estate = read(gateway_estate())
    found = gateway(estate)
    assert found.derived
    assert found.subnet is not None
    assert found.subnet.endswith("/subnets/s-agw")
    assert not found.addresses
    assert found.public == AddressSet.parse(PUBLIC)
    assert found.workload == forwarder(estate).id


def test_it_takes_what_its_listeners_are_at() -> None:
    assert forwarder(read(gateway_estate(listeners=TWO, private="10.1.9.5"))).accepts == Traffic.parse(
        "tcp/443, tcp/8443"
    )


def test_backends_are_asked_at_the_port_of_the_settings_in_connections_of_its_own() -> None:
    """Backends see an instance's address, and the client's in a header alone."""
    estate = read(gateway_estate())
    (forward,) = forwarder(estate).forwards
    assert forward.listens == Traffic.parse("tcp/443")
    assert forward.traffic == Traffic.parse("tcp/8080")
    assert forward.keeps_client is False
    assert [each.target for each in forward.targets] == [named(estate, "web").id]


def test_whether_a_backend_is_healthy_was_not_read() -> None:
    """The health of backends is told by a request that starts probes, which a read-only audit does not send."""
    estate = read(gateway_estate())
    assert [each.healthy for each in forwarder(estate).forwards[0].targets] == [None]
    assert passes(estate, gateway(estate), named(estate, "web"), "tcp/8080") == "at most"


@pytest.mark.parametrize(
    ("target", "traffic", "verdict"),
    [
        ("web", "tcp/8080", "at most"),
        # It opens nothing but what its settings name, and to nobody but its pools.
        ("web", "tcp/22", "no"),
        ("other", "tcp/8080", "no"),
    ],
)
def test_it_opens_connections_to_its_pools_alone(target: str, traffic: str, verdict: str) -> None:
    estate = read(gateway_estate())
    assert passes(estate, gateway(estate), named(estate, target), traffic) == verdict


def test_an_nsg_at_the_backends_that_admits_a_part_of_its_subnet_stops_nothing_for_sure() -> None:
    """Which address of 10.1.9.0/24 an instance has is not known, so that 10.1.9.0/28 may hold it."""
    some = rule(100, "Allow", "10.1.9.0/28", "*", "8080", protocol="Tcp")
    closed = rule(200, "Deny", "*", "*", "*")
    estate = read(gateway_estate(backend_rules=(some, closed)))
    assert passes(estate, gateway(estate), named(estate, "web"), "tcp/8080") == "at most"
    estate = read(gateway_estate(backend_rules=(rule(100, "Allow", "10.1.8.0/24", "*", "8080"), closed)))
    assert passes(estate, gateway(estate), named(estate, "web"), "tcp/8080") == "no"


def test_backends_by_address_are_found_in_its_network() -> None:
    estate = read(gateway_estate(addresses={"web": [{"ipAddress": "10.1.2.4"}]}))
    assert passes(estate, gateway(estate), named(estate, "other"), "tcp/8080") == "at most"
    assert passes(estate, gateway(estate), named(estate, "web"), "tcp/8080") == "no"


def test_what_a_name_stands_for_is_not_known_so_that_anybody_may_be_behind_it() -> None:
    estate = read(gateway_estate(addresses={"web": [{"fqdn": "orders.contoso.example"}]}))
    assert not forwarder(estate).complete
    assert passes(estate, gateway(estate), named(estate, "other"), "tcp/8080") == "at most"


def test_rules_by_path_lead_to_each_of_their_pools() -> None:
    raw = gateway_estate(listeners=(("public", 443, "web", 8080), ("public", 444, "images", 9090)))
    properties = cast("Json", raw.listed(SUBSCRIPTION, "application_gateways")[0]["properties"])
    base = raw.ids["agw"]
    images = {
        "backendAddressPool": {"id": f"{base}/backendAddressPools/images"},
        "backendHttpSettings": {"id": f"{base}/backendHttpSettingsCollection/settings-9090"},
    }
    defaults = {
        "defaultBackendAddressPool": {"id": f"{base}/backendAddressPools/web"},
        "defaultBackendHttpSettings": {"id": f"{base}/backendHttpSettingsCollection/settings-8080"},
    }
    own = f"{base}/urlPathMaps/paths"
    properties["urlPathMaps"] = [{"id": own, "properties": {**defaults, "pathRules": [{"properties": images}]}}]
    listener = {"id": f"{base}/httpListeners/listener-0"}
    routed = {"ruleType": "PathBasedRouting", "httpListener": listener, "urlPathMap": {"id": own.lower()}}
    properties["requestRoutingRules"] = [{"id": f"{base}/requestRoutingRules/one", "properties": routed}]
    found = {
        (each.name.partition(",")[0], str(each.listens), str(each.traffic)) for each in forwarder(read(raw)).forwards
    }
    assert found == {("web", "tcp/443", "tcp/8080"), ("images", "tcp/443", "tcp/9090")}


def test_proxies_of_tcp_are_read_like_those_of_http() -> None:
    """Source: https://learn.microsoft.com/azure/application-gateway/tcp-tls-proxy-overview"""
    (forward,) = forwarder(read(gateway_estate(listeners=(("public", 1433, "web", 1433),), layer4=True))).forwards
    assert (forward.listens, forward.traffic) == (Traffic.parse("tcp/1433"), Traffic.parse("tcp/1433"))


def test_without_an_nsg_its_public_address_is_open_for_its_listeners() -> None:
    """The gateway's own public address is not closed as that of a machine is: no NSG is needed at its subnet."""
    estate = read(gateway_estate())
    assert passes(estate, OUTSIDE, gateway(estate), "tcp/443") == "surely"


@pytest.mark.parametrize(
    ("source", "traffic", "verdict"),
    [
        ("8.8.8.8", "tcp/443", "surely"),
        # The private listener is not at the public address.
        ("8.8.8.8", "tcp/8443", "no"),
        ("other", "tcp/8443", "surely"),
        ("other", "tcp/443", "at most"),
    ],
)
def test_each_listener_is_at_its_own_frontend(source: str, traffic: str, verdict: str) -> None:
    estate = read(gateway_estate(listeners=TWO, private="10.1.9.5"))
    start = named(estate, source) if source == "other" else AddressSet.parse(source)
    assert passes(estate, start, gateway(estate), traffic) == verdict


def test_the_address_of_a_private_frontend_is_a_name_for_the_gateway() -> None:
    (alias,) = read(gateway_estate(listeners=TWO, private="10.1.9.5")).aliases.values()
    assert alias.addresses == AddressSet.parse("10.1.9.5")
    assert [each.listens for each in alias.ports] == [Traffic.parse("tcp/8443")]


@pytest.mark.parametrize(
    ("destination", "verdict"),
    [
        ("*", "surely"),
        (PUBLIC, "at most"),
        ("10.1.9.0/24", "surely"),
        ("10.1.9.0/28", "at most"),
        ("10.1.7.0/24", "no"),
    ],
)
def test_an_nsg_may_see_the_public_address_of_a_frontend_as_the_destination(destination: str, verdict: str) -> None:
    """With listeners of one port at both sorts of frontend their own addresses are the destination, says the page."""
    allow = rule(100, "Allow", "Internet", destination, "443", protocol="Tcp")
    estate = read(gateway_estate(allow, GATEWAY_MANAGER))
    assert passes(estate, OUTSIDE, gateway(estate), "tcp/443") == verdict


def test_a_stopped_gateway_is_not_running() -> None:
    raw = gateway_estate()
    properties = cast("Json", raw.listed(SUBSCRIPTION, "application_gateways")[0]["properties"])
    properties["operationalState"] = "Stopped"
    estate = read(raw)
    assert not estate.workloads[forwarder(estate).id].running


@pytest.mark.semantics(133)
def test_the_rule_for_the_management_of_gateways_is_required() -> None:
    """Traffic from GatewayManager to 65200-65535 has to be let in; an NSG that lacks it is refused."""
    raw = gateway_estate(HTTPS, GATEWAY_MANAGER)
    raw.tags(GatewayManager=["20.1.0.0/16"])
    estate = read(raw)
    rules = {each.id: each.required for each in next(s for s in estate.rule_sets.values() if s.name == "nsg-agw").rules}
    assert rules["inbound/management"]
    assert not rules["inbound/https"]


@pytest.mark.semantics(133)
@pytest.mark.parametrize(
    "wider",
    [
        rule(200, "Allow", "GatewayManager", "*", "65000-65535", protocol="Tcp", name="management"),
        rule(200, "Allow", "GatewayManager", "*", "65200-65535", protocol="Udp", name="management"),
        rule(200, "Allow", ["GatewayManager", "8.8.8.8/32"], "*", "65200-65535", protocol="Tcp", name="management"),
        rule(200, "Allow", "Internet", "*", "65200-65535", protocol="Tcp", name="management"),
    ],
)
def test_a_rule_for_more_than_the_management_is_like_any_other(wider: dict[str, object]) -> None:
    estate = read(gateway_estate(HTTPS, wider))
    rules = next(each for each in estate.rule_sets.values() if each.name == "nsg-agw").rules
    assert not any(each.required for each in rules)


@pytest.mark.semantics(133)
def test_the_required_rule_of_an_nsg_that_also_judges_machines_is_like_any_other() -> None:
    """Machines listen at these ports themselves."""
    raw = gateway_estate(HTTPS, GATEWAY_MANAGER, backend_rules=())
    vnet = cast("Json", raw.listed(SUBSCRIPTION, "virtual_networks")[0]["properties"])
    for subnet in cast("list[Json]", vnet["subnets"]):
        cast("Json", subnet["properties"])["networkSecurityGroup"] = raw.ref("nsg-agw")
    estate = read(raw)
    assert not any(each.required for rules in estate.rule_sets.values() for each in rules.rules)


def test_the_internet_comes_to_a_gateway_by_its_public_address() -> None:
    estate = read(gateway_estate(HTTPS, GATEWAY_MANAGER))
    (way,) = (each for each in InternetView(estate).ways_in(gateway(estate)).ways if each.certain)
    assert way.traffic == Traffic.parse("tcp/443")


def test_a_gateway_that_names_a_port_that_is_not_there_takes_it_is_not_known_what() -> None:
    raw = gateway_estate()
    properties = cast("Json", raw.listed(SUBSCRIPTION, "application_gateways")[0]["properties"])
    properties["frontendPorts"] = []
    assert forwarder(read(raw)).accepts is None


@pytest.mark.parametrize(("state", "verdict"), [("Approved", "at most"), ("Rejected", "no")])
def test_a_private_endpoint_of_another_network_leads_to_it(state: str, verdict: str) -> None:
    """Networks need no peering for it; a rejected connection carries nothing.

    Source: https://learn.microsoft.com/azure/application-gateway/private-link
    """
    raw = gateway_estate()
    raw.vnet("v9", "10.9.0.0/16")
    raw.subnet("v9", "s9", "10.9.1.0/24")
    endpoint(raw, "pe", "s9", "10.9.1.7", state=state)
    wire = cast("Json", raw.listed(SUBSCRIPTION, "private_endpoints")[0]["properties"])
    link = cast("Json", cast("list[Json]", wire["privateLinkServiceConnections"])[0]["properties"])
    link.update({"privateLinkServiceId": raw.ids["agw"], "groupIds": ["public"]})
    properties = cast("Json", raw.listed(SUBSCRIPTION, "application_gateways")[0]["properties"])
    properties["privateLinkConfigurations"] = [{"id": f"{raw.ids['agw']}/privateLinkConfigurations/one"}]
    connected: Json = {
        "privateEndpoint": {"id": raw.ids["pe"]},
        "privateLinkServiceConnectionState": {"status": state},
    }
    properties["privateEndpointConnections"] = [{"id": f"{raw.ids['pe']}.one", "properties": connected}]
    estate = read(raw)
    (found,) = (each for each in estate.interfaces.values() if each.role == "private_endpoint")
    assert passes(estate, found, gateway(estate), "tcp/443") == verdict
