"""Reading Azure over HTTP with the real SDK clients: what is asked, and what becomes of the answers."""

import itertools
import time

import pytest
from azure.core.credentials import AccessToken

from cloudseg.providers.azure.clients import SharedToken
from cloudseg.providers.azure.collect import AzureOptions, collect
from cloudseg.providers.azure.operations import Each, resources_of
from cloudseg.snapshot import load, save
from tests.azure.arm_server import TOKEN, Asked, Azure, Fields
from tests.azure.live import DEPOT, NETWORK, SHOP, arm_id, listed, names, part, read, resource, row
from tests.loopback import Reply

NSGS = listed(f"{NETWORK}/networkSecurityGroups")


def test_resources_are_kept_as_rest_shows_them(azure: Azure) -> None:
    odd = resource(f"{NETWORK}/networkSecurityGroups", "nsg-odd", newerThanTheSdk={"a": [1, None]}, date="not one")
    azure.lists[NSGS.lower()] = [odd]
    assert read().read(part("network", "network_security_groups")) == {"value": [odd]}


def test_every_page_of_a_list_is_read(azure: Azure) -> None:
    azure.page = 2
    azure.add(NSGS, *(resource(f"{NETWORK}/networkSecurityGroups", f"nsg-{number}") for number in range(6)))
    assert names(read(), "network", "network_security_groups") == ["nsg-web", *(f"nsg-{n}" for n in range(6))]
    assert azure.paths().count(NSGS.lower()) == 4


def test_every_page_of_a_list_below_a_resource_that_the_sdk_does_not_know_is_read(azure: Azure) -> None:
    azure.page = 1
    server = arm_id("Microsoft.Sql/servers", "sql-1")
    azure.add(f"{server}/firewallRules", *(resource("Microsoft.Sql/servers/firewallRules", "sql-1", x) for x in "ab"))
    assert names(read(), "sql", "firewall_rules", server) == ["a", "b"]


def test_every_page_of_an_answer_to_a_post_is_read(azure: Azure) -> None:
    azure.page = 1
    network = arm_id(f"{NETWORK}/virtualNetworks", "vnet-1")
    rules: list[Fields] = [{"name": f"rule-{number}", "kind": "Custom"} for number in range(3)]
    azure.add(f"{network}/listNetworkManagerEffectiveSecurityAdminRules", *rules)
    answer = read().read(part("network", "effective_security_admin_rules", network))
    assert answer == {"value": rules}


def test_every_page_of_resource_graph_is_read_and_split_by_subscription(azure: Azure) -> None:
    azure.page = 1
    snapshot = read(subscriptions=())
    assert names(snapshot, "compute", "virtual_machine_scale_sets") == ["scale-set-1", "scale-set-2"]
    assert names(snapshot, "storage", "storage_accounts") == []
    answer = snapshot.read(part("storage", "storage_accounts", subscription=DEPOT))
    kind = "Microsoft.Storage/storageAccounts"
    expected = {**resource(kind, "depot1", subscription=DEPOT), "type": kind.lower()}
    assert answer == {"value": [expected]}
    queries = [asked.body["query"] for asked in azure.asked if "query" in asked.body]
    assert all("| order by id asc" in query for query in queries)


def test_subscriptions_are_asked_together_where_resource_graph_can(azure: Azure) -> None:
    read(subscriptions=())
    queries = [asked for asked in azure.asked if "query" in asked.body]
    assert len(queries) == 3
    assert all(sorted(asked.body["subscriptions"]) == [SHOP, DEPOT] for asked in queries)
    assert all(asked.body["options"]["resultFormat"] == "objectArray" for asked in queries)


def test_machines_of_a_uniform_scale_set_are_asked_for_and_those_of_a_flexible_one_are_listed_anyhow(
    azure: Azure,
) -> None:
    asked = {each.resource for each in read().parts() if each.operation.startswith("virtual_machine_scale_set_")}
    assert asked == {arm_id("Microsoft.Compute/virtualMachineScaleSets", "scale-set-1")}


def test_firewall_rules_of_a_server_without_public_access_are_not_asked_for(azure: Azure) -> None:
    kind = "Microsoft.DBforPostgreSQL/flexibleServers"
    azure.rows.append(row(kind, "inside", network={"publicNetworkAccess": "Disabled"}))
    asked = {each.resource for each in read().parts() if each.operation == "firewall_rules"}
    assert arm_id(kind, "pg-1") in asked
    assert arm_id(kind, "inside") not in asked


def test_rules_of_a_perimeter_are_asked_for_by_its_profiles(azure: Azure) -> None:
    profile = arm_id(f"{NETWORK}/networkSecurityPerimeters/profiles", "perimeter-1", "profile-1")
    azure.add(f"{profile}/accessRules", {"name": "in", "properties": {"direction": "Inbound"}})
    assert names(read(), "network", "network_security_perimeter_access_rules", profile) == ["in"]


def test_service_tags_are_asked_for_once_where_the_networks_are(azure: Azure) -> None:
    azure.add(listed(f"{NETWORK}/virtualNetworks"), {**resource(f"{NETWORK}/virtualNetworks", "v"), "location": "X 1"})
    answer = read().read(part("network", "service_tags", "westeurope"))
    assert answer == {
        "name": "Public", "changeNumber": "7", "cloud": "Public", "values": [{"name": "Sql", "id": "Sql"}],
    }  # fmt: skip
    assert sum(path.endswith("/servicetags") for path in azure.paths()) == 1


def test_a_location_is_written_as_azure_compares_it() -> None:
    each = Each(("network", "virtual_networks"), location=True)
    assert resources_of({"value": [{"location": "West US 2"}, {"location": "westus2"}, {}]}, each) == ["westus2"]
    assert resources_of({"value": []}, each) == []


def test_settings_of_an_app_are_left_out_of_its_configuration(azure: Azure) -> None:
    answer = read().read(part("web", "site_configurations", arm_id("Microsoft.Web/sites", "site-1")))
    assert "appSettings" not in str(answer)
    assert "provisioningState" in str(answer)


def test_keys_of_a_connection_are_left_out(azure: Azure) -> None:
    azure.rows.append(row(f"{NETWORK}/connections", "vpn", sharedKey="secret", connectionType="IPsec"))
    answer = str(read().read(part("network", "virtual_network_gateway_connections")))
    assert "IPsec" in answer
    assert "secret" not in answer


def test_a_snapshot_can_be_kept_and_is_the_same_again(azure: Azure, tmp_path_factory: pytest.TempPathFactory) -> None:
    snapshot = read()
    place = tmp_path_factory.mktemp("kept") / "azure.zip"
    save(snapshot, place)
    again = load(place)
    assert {each: again.read(each) for each in again.parts()} == {
        each: snapshot.read(each) for each in snapshot.parts()
    }
    assert again.scopes == snapshot.scopes


def test_the_snapshot_names_its_subscriptions(azure: Azure) -> None:
    assert [(scope.scope, scope.name) for scope in read(subscriptions=()).scopes] == [(SHOP, "Shop"), (DEPOT, "Depot")]


def test_progress_tells_what_is_done_and_what_is_due(azure: Azure) -> None:
    told: list[tuple[str, int, int]] = []

    def progress(text: str, done: int, due: int) -> None:
        told.append((text, done, due))

    collect(AzureOptions(subscriptions=(SHOP,)), progress=progress)
    done = [step[1] for step in told]
    assert done == list(range(1, len(told) + 1))
    assert told[-1][1] == told[-1][2]
    assert all(first <= second for (_, _, first), (_, _, second) in itertools.pairwise(told))


def test_nothing_is_asked_twice(azure: Azure) -> None:
    read(subscriptions=())
    asked = [(each.method, each.path, str(each.body)) for each in azure.asked]
    assert len(set(asked)) == len(asked)


def test_no_more_calls_run_at_once_than_there_are_workers(azure: Azure) -> None:
    running: list[Asked] = []
    most: list[int] = []

    def slow(asked: Asked, _: int) -> Reply | None:
        running.append(asked)
        time.sleep(0.005)
        most.append(len(running))
        running.remove(asked)
        return None

    azure.trouble = slow
    read(max_workers=2)
    assert max(most) == 2


def test_a_token_is_fetched_once_for_all_clients(azure: Azure) -> None:
    read(subscriptions=())
    assert azure.paths().count("/msi/token") == 1
    assert {asked.headers.get("Authorization") for asked in azure.asked[1:]} == {f"Bearer {TOKEN}"}


def test_a_token_near_its_end_is_fetched_anew() -> None:
    now = [1000.0]
    fetched: list[str] = []

    def source(*scopes: str, **_: object) -> AccessToken:
        fetched.append(scopes[0])
        return AccessToken(f"token-{len(fetched)}", int(now[0]) + 3600)

    shared = SharedToken(source, clock=lambda: now[0])
    assert [shared.get_token("scope").token for _ in range(2)] == ["token-1", "token-1"]
    now[0] += 3400
    assert shared.get_token("scope").token == "token-2"
    assert shared.get_token("scope", claims="more is asked for").token == "token-3"
