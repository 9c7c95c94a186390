"""Private endpoints from both ends, and private link services."""

from __future__ import annotations

from typing import Any

import pytest

from cloudseg.model import Endpoint, EndpointConnection, EndpointService
from tests.azure.beside import SUB, VNET, Beside, arm, connection, resource

ELSEWHERE = "99999999-2222-3333-4444-555555555555"
ENDPOINT = arm("Microsoft.Network/privateEndpoints", "pe")
STORAGE = arm("Microsoft.Storage/storageAccounts", "exports")
ZONE = arm("Microsoft.Network/privateDnsZones", "privatelink.blob.core.windows.net")
NETWORK = f"azure:{SUB}:{VNET.lower()}"


def link(status: str | None, target: str = STORAGE, part: str = "blob") -> dict[str, Any]:
    properties: dict[str, Any] = {"privateLinkServiceId": target, "groupIds": [part]}
    if status is not None:
        properties["privateLinkServiceConnectionState"] = {"status": status, "description": "", "actionsRequired": ""}
    return {"id": f"{ENDPOINT}/privateLinkServiceConnections/c", "name": "c", "properties": properties}


def wire(*links: dict[str, Any], manual: bool = False, **more: Any) -> dict[str, Any]:
    key = "manualPrivateLinkServiceConnections" if manual else "privateLinkServiceConnections"
    nic = {"id": arm("Microsoft.Network/networkInterfaces", "pe.nic")}
    properties = {"subnet": {"id": f"{VNET}/subnets/data"}, "networkInterfaces": [nic], key: list(links), **more}
    return resource("Microsoft.Network/privateEndpoints", "pe", properties)


def endpoint(*links: dict[str, Any], **more: Any) -> Endpoint:
    (found,) = Beside().vnet("data").put("network.private_endpoints", wire(*links, **more)).estate().endpoints.values()
    return found


@pytest.mark.semantics(227)
@pytest.mark.parametrize("manual", [True, False])
@pytest.mark.parametrize(
    ("status", "usable"),
    # https://learn.microsoft.com/azure/private-link/manage-private-endpoint
    [
        ("Approved", True),
        ("approved", True),
        ("Pending", False),
        ("Rejected", False),
        ("Disconnected", False),
        ("", None),
        (None, None),
    ],
)
def test_only_an_approved_connection_leads_anywhere(*, status: str | None, usable: bool | None, manual: bool) -> None:
    found = endpoint(link(status), manual=manual)
    assert (found.usable, found.state) == (usable, status or "")


def test_an_endpoint_stands_in_its_network_and_leads_to_one_resource() -> None:
    group = {"id": arm("Microsoft.Network/applicationSecurityGroups", "data")}
    found = endpoint(link("Approved"), applicationSecurityGroups=[group])
    assert (found.network, found.subnets) == (NETWORK, {f"{NETWORK}/subnets/data"})
    assert found.service == STORAGE.lower()
    assert [name.rpartition("/")[2] for name in found.interfaces] == ["pe.nic"]
    assert [name.rpartition("/")[2] for name in found.groups] == ["data"]
    assert (found.type, found.policy) == ("interface", "unsupported")


def test_of_a_service_elsewhere_the_alias_is_enough() -> None:
    alias = "shop.11111111.westeurope.azure.privatelinkservice"
    assert endpoint(link("Approved", alias), manual=True).service == alias


def test_an_endpoint_without_connection_leads_nowhere_known() -> None:
    found = endpoint()
    assert (found.service, found.usable) == ("", None)


def test_an_endpoint_without_subnet_is_a_gap() -> None:
    estate = Beside().put("network.private_endpoints", wire(link("Approved"), subnet=None)).estate()
    assert not estate.endpoints
    assert [gap.facets for gap in estate.gaps if gap.reason == "malformed"] == [("endpoints",)]


@pytest.mark.semantics(227)
@pytest.mark.parametrize(
    ("status", "usable", "state"),
    [("Approved", True, "Approved"), ("Rejected", False, "Rejected"), ("Disconnected", False, "Disconnected")],
)
def test_the_owner_of_the_service_has_the_last_word(*, status: str, usable: bool, state: str) -> None:
    answers = Beside().vnet("data").put("network.private_endpoints", wire(link("Approved")))
    listed = [connection(ENDPOINT.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), status)]
    properties = {"privateEndpointConnections": listed}
    answers.put("storage.storage_accounts", resource("Microsoft.Storage/storageAccounts", "exports", properties))
    (found,) = answers.estate().endpoints.values()
    assert (found.usable, found.state) == (usable, state)


def test_a_service_tells_who_is_connected_and_who_waits() -> None:
    stranger = arm("Microsoft.Network/privateEndpoints", "theirs", sub=ELSEWHERE)
    listed = [connection(stranger, "Pending"), connection(ENDPOINT, "Approved")]
    wire = resource("Microsoft.KeyVault/vaults", "keys", {"privateEndpointConnections": listed})
    assert Beside().put("keyvault.vaults", wire).service().connections == (
        EndpointConnection(ENDPOINT.lower(), SUB, "accepted"),
        EndpointConnection(stranger.lower(), ELSEWHERE, "pending"),
    )


@pytest.mark.parametrize(("properties", "connections"), [({}, None), ({"privateEndpointConnections": []}, ())])
def test_connections_that_are_not_shown_are_unknown(
    properties: dict[str, Any], connections: tuple[EndpointConnection, ...] | None
) -> None:
    found = Beside().put("keyvault.vaults", resource("Microsoft.KeyVault/vaults", "keys", properties)).service()
    assert found.connections == connections


@pytest.mark.parametrize(
    ("part", "zone", "own_names", "private"),
    [
        # https://learn.microsoft.com/azure/private-link/private-endpoint-dns
        ("blob", "privatelink.blob.core.windows.net", [], True),
        ("Blob", "privatelink.blob.core.usgovcloudapi.net", [], True),
        ("file", "privatelink.blob.core.windows.net", [], None),
        ("blob", "blob.core.windows.net", [], None),
        # The endpoint keeps its names in no zone.
        ("blob", "privatelink.blob.core.windows.net", [{"fqdn": "exports.blob.core.windows.net"}], None),
    ],
)
def test_names_are_looked_up_inside_where_the_network_has_the_zone(
    *, part: str, zone: str, own_names: list[dict[str, str]], private: bool | None
) -> None:
    answers = Beside().vnet("data")
    answers.put("network.private_endpoints", wire(link("Approved", part=part), customDnsConfigs=own_names))
    own = arm("Microsoft.Network/privateDnsZones", zone, sub=ELSEWHERE)
    network = {"virtualNetwork": {"id": VNET.replace("resourceGroups", "resourcegroups")}}
    zone_link = {"id": f"{own}/virtualNetworkLinks/vnet", "properties": network}
    answers.put("privatedns.virtual_network_links", zone_link, sub=ELSEWHERE)
    (found,) = answers.estate().endpoints.values()
    assert found.private_dns is private


@pytest.mark.parametrize(("recorded", "private"), [(["linked"], True), (["other"], None), ([], True)])
def test_the_zone_groups_of_an_endpoint_tell_in_which_zones_its_records_stand(
    *, recorded: list[str], private: bool | None
) -> None:
    # https://learn.microsoft.com/azure/private-link/private-endpoint-dns-integration
    answers = Beside().vnet("data").put("network.private_endpoints", wire(link("Approved", part="blob")))
    zones = {
        group: f"/subscriptions/{ELSEWHERE}/resourceGroups/{group}/providers/Microsoft.Network/privateDnsZones/"
        "privatelink.blob.core.windows.net"
        for group in ("linked", "other")
    }
    linked = {"id": f"{zones['linked']}/virtualNetworkLinks/vnet", "properties": {"virtualNetwork": {"id": VNET}}}
    answers.put("privatedns.virtual_network_links", linked, sub=ELSEWHERE)
    own = arm("Microsoft.Network/privateEndpoints", "pe")
    configs = [{"name": group, "properties": {"privateDnsZoneId": zones[group]}} for group in recorded]
    group = {"id": f"{own}/privateDnsZoneGroups/default", "properties": {"privateDnsZoneConfigs": configs}}
    answers.put("network.private_dns_zone_groups", group, about=own)
    (found,) = answers.estate().endpoints.values()
    assert found.private_dns is private


def link_service(**properties: Any) -> EndpointService:
    wire = resource("Microsoft.Network/privateLinkServices", "pls", properties)
    (found,) = Beside().put("network.private_link_services", wire).estate().endpoint_services.values()
    return found


@pytest.mark.parametrize(
    ("visible", "approved", "principals", "asks"),
    [
        # https://learn.microsoft.com/azure/private-link/private-link-service-overview#control-service-exposure
        (["*"], [], ("*",), True),
        (["*"], ["*"], ("*",), False),
        (["*"], [ELSEWHERE], ("*",), True),
        ([ELSEWHERE], [ELSEWHERE], (ELSEWHERE,), False),
        ([ELSEWHERE, SUB], [ELSEWHERE], (SUB, ELSEWHERE), True),
        ([], [], (), True),
        (None, [], None, True),
        (["*"], None, ("*",), None),
    ],
)
def test_who_may_ask_and_who_has_to_wait(
    *, visible: list[str] | None, approved: list[str] | None, principals: tuple[str, ...] | None, asks: bool | None
) -> None:
    properties: dict[str, Any] = {}
    if visible is not None:
        properties["visibility"] = {"subscriptions": visible}
    if approved is not None:
        properties["autoApproval"] = {"subscriptions": approved}
    found = link_service(**properties)
    assert (found.principals, found.acceptance_required) == (principals, asks)


def test_a_private_link_service_tells_its_alias_balancers_and_connections() -> None:
    balancer = arm("Microsoft.Network/loadBalancers", "front")
    found = link_service(
        alias="pls.guid.westeurope.azure.privatelinkservice",
        loadBalancerFrontendIpConfigurations=[{"id": f"{balancer}/frontendIPConfigurations/fe"}],
        privateEndpointConnections=[connection(ENDPOINT, "Pending")],
    )
    assert found.service == "pls.guid.westeurope.azure.privatelinkservice"
    assert found.balancers == {f"azure:{SUB}:{balancer.lower()}"}
    assert found.connections == (EndpointConnection(ENDPOINT.lower(), SUB, "pending"),)
