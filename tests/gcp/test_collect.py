"""Reading Google Cloud over HTTP with the real SDK clients: what is asked, and what becomes of the answers."""

import itertools
import time

import pytest

from cloudseg.providers.gcp.collect import GcpOptions, collect
from cloudseg.snapshot import load, save
from tests.gcp.gcp_api import LOGIN, TOKEN, Asked, Fields, Google
from tests.gcp.live import NET, SHOP, asset, items, link, names, part, policy, read, resource
from tests.loopback import Reply

SERVICE = f"projects/{SHOP}/global/backendServices/svc"
GROUP = f"projects/{SHOP}/zones/us-east1-b/instanceGroups/group-1"
ENDS = f"projects/{SHOP}/zones/us-east1-b/networkEndpointGroups/neg-1"


def about(google: Google, operation: str) -> set[str | None]:
    return {each.resource for each in read().parts() if each.operation == operation}


def test_resources_are_kept_as_rest_shows_them(google: Google) -> None:
    odd = resource("global", "firewalls", "odd", newerThanTheSdk={"a": [1, None]}, priority="not a number")
    google.lists[f"{SHOP}/firewalls"] = [odd]
    assert read().read(part("compute", "firewalls")) == {"items": [odd]}


def test_every_page_of_a_list_is_read(google: Google) -> None:
    google.page = 2
    google.add(SHOP, "firewalls", *(resource("global", "firewalls", f"fw-{number}") for number in range(6)))
    assert names(read(), "compute", "firewalls") == ["web", *(f"fw-{number}" for number in range(6))]
    assert google.paths().count(f"/projects/{SHOP}/global/firewalls") == 4


def test_every_page_and_every_place_of_an_aggregated_list_is_read(google: Google) -> None:
    google.page = 1
    places = ("zones/us-east1-c", "regions/us-east1", "global")
    google.lists[f"{SHOP}/networkEndpointGroups"] = [resource(place, "networkEndpointGroups", "n") for place in places]
    found = items(read(), "compute", "network_endpoint_groups")
    assert [item["selfLink"] for item in found] == [link(place, "networkEndpointGroups", "n") for place in places]


def test_every_page_of_the_inventory_is_read(google: Google) -> None:
    google.page = 1
    kind = "container.googleapis.com/Cluster"
    google.assets[f"projects/{SHOP}"] += [asset(kind, f"gke-{number}") for number in (2, 3)]
    assert names(read(), "container", "clusters") == ["gke-1", "gke-2", "gke-3"]


def test_every_page_of_an_answer_to_a_post_is_read(google: Google) -> None:
    google.page = 1
    path = f"/{GROUP}/listInstances"
    google.lists[path] = [{"instance": link("zones/us-east1-b", "instances", name)} for name in ("web-1", "web-2")]
    assert items(read(), "compute", "instance_group_members", GROUP) == google.lists[path]


def test_a_resource_of_the_inventory_bears_its_name_and_its_type(google: Google) -> None:
    kind = "memcache.googleapis.com/Instance"
    google.assets[f"projects/{SHOP}"].append(asset(kind, "cache", unknownToUs=[1.5]))
    assert items(read(), "memcache", "instances") == [
        {
            "name": "cache",
            "unknownToUs": [1.5],
            "assetName": f"//memcache.googleapis.com/projects/{SHOP}/cache",
            "assetType": kind,
        }
    ]


def test_types_of_one_service_are_told_apart(google: Google) -> None:
    functions = [
        asset("cloudfunctions.googleapis.com/CloudFunction", "first"),
        asset("cloudfunctions.googleapis.com/Function", "second"),
    ]
    google.assets[f"projects/{SHOP}"] += [*functions, asset("redis.googleapis.com/Cluster", "cluster")]
    snapshot = read()
    assert names(snapshot, "cloudfunctions", "functions") == ["first", "second"]
    assert (names(snapshot, "redis", "instances"), names(snapshot, "redis", "clusters")) == ([], ["cluster"])


def test_enumerated_values_come_by_name(google: Google) -> None:
    read()
    asked = [each.query["$alt"] for each in google.asked if each.path.endswith("/assets")]
    assert set(asked) == {"json"}


def test_network_rules_above_are_asked_about_each_network(google: Google) -> None:
    google.add(SHOP, "networks", resource("global", "networks", "net-2"))
    expected = {NET, f"projects/{SHOP}/global/networks/net-2"}
    assert about(google, "network_effective_firewalls") == expected
    assert {asked.path for asked in google.asked if asked.path.endswith("s/net-2/getEffectiveFirewalls")}


def test_regional_rules_are_asked_where_something_may_meet_them(google: Google) -> None:
    rule = resource("regions/us-west4", "forwardingRules", "inside", network=link("global", "networks", "net-1"))
    google.add(SHOP, "forwardingRules", rule)
    assert about(google, "region_effective_firewalls") == {f"{NET}|us-east1", f"{NET}|us-west4"}


def test_regional_rules_of_a_shared_network_are_asked_in_every_region_of_its_subnets(google: Google) -> None:
    google.projects[SHOP]["xpnProjectStatus"] = "HOST"
    assert about(google, "region_effective_firewalls") == {f"{NET}|us-east1", f"{NET}|us-west1"}


def test_a_networks_own_rules_are_not_repeated_for_each_region(google: Google) -> None:
    (answer,) = items(read(), "compute", "region_effective_firewalls", f"{NET}|us-east1")
    assert answer == {"kind": "compute#effective", "firewallPolicys": []}


@pytest.mark.parametrize(
    ("change", "asked"),
    [({}, 2), ({"importCustomRoutes": False}, 0), ({"state": "INACTIVE"}, 0), ({"importCustomRoutes": None}, 0)],
)
def test_routes_of_a_peering_are_asked_where_it_takes_them_over(google: Google, change: Fields, asked: int) -> None:
    google.lists[f"{SHOP}/networks"][0]["peerings"][0].update(change)
    expected = {f"{NET}|to-depot|{region}|INCOMING" for region in ("us-east1", "us-west1")} if asked else set[str]()
    assert about(google, "peering_routes") == expected


def test_learned_routes_are_asked_of_routers_that_have_peers(google: Google) -> None:
    place = "regions/us-east1"
    routers = resource(place, "routers", "nat"), resource(place, "routers", "vpn", bgpPeers=[{"name": "office"}])
    google.add(SHOP, "routers", *routers)
    status = {"kind": "compute#routerStatusResponse", "result": {"bestRoutes": [{"destRange": "10.9.0.0/16"}]}}
    google.answers[f"/projects/{SHOP}/{place}/routers/vpn/getRouterStatus"] = status
    router = f"projects/{SHOP}/{place}/routers/vpn"
    assert about(google, "router_status") == {router}
    assert items(read(), "compute", "router_status", router) == [status]


def test_members_are_asked_of_groups_behind_a_backend_service_alone(google: Google) -> None:
    assert about(google, "instance_group_members") == {GROUP}
    assert about(google, "network_endpoints") == {ENDS}


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ("zones/us-east1-c", f"/projects/{SHOP}/zones/us-east1-c/networkEndpointGroups/more/listNetworkEndpoints"),
        ("regions/us-east1", f"/projects/{SHOP}/regions/us-east1/networkEndpointGroups/more/listNetworkEndpoints"),
        ("global", f"/projects/{SHOP}/global/networkEndpointGroups/more/listNetworkEndpoints"),
    ],
)
def test_endpoints_are_asked_where_their_group_is(google: Google, place: str, path: str) -> None:
    group = resource(place, "networkEndpointGroups", "more", networkEndpointType="INTERNET_IP_PORT")
    google.add(SHOP, "networkEndpointGroups", group)
    google.lists[f"{SHOP}/backendServices"][0]["backends"].append({"group": group["selfLink"]})
    google.lists[path] = [{"networkEndpoint": {"ipAddress": "203.0.113.9"}}]
    about_it = f"projects/{SHOP}/{place}/networkEndpointGroups/more"
    assert items(read(), "compute", "network_endpoints", about_it) == google.lists[path]


def test_a_regional_instance_group_is_asked_in_its_region(google: Google) -> None:
    group = resource("regions/us-east1", "instanceGroups", "wide")
    google.add(SHOP, "instanceGroups", group)
    google.lists[f"{SHOP}/backendServices"][1]["backends"] = [{"group": group["selfLink"]}]
    assert f"projects/{SHOP}/regions/us-east1/instanceGroups/wide" in about(google, "instance_group_members")


def test_health_is_asked_of_backends_that_something_leads_to_and_that_are_probed(google: Google) -> None:
    assert about(google, "backend_service_health") == {f"{SERVICE}|{GROUP}", f"{SERVICE}|{ENDS}"}


def test_health_of_a_regional_service_is_asked_in_its_region(google: Google) -> None:
    idle = google.lists[f"{SHOP}/backendServices"][1]
    inside = resource("regions/us-east1", "forwardingRules", "inside", backendService=idle["selfLink"])
    google.add(SHOP, "forwardingRules", inside)
    service = f"projects/{SHOP}/regions/us-east1/backendServices/idle"
    assert f"{service}|{GROUP}" in about(google, "backend_service_health")
    (asked,) = (each for each in google.asked if each.path == f"/{service}/getHealth")
    assert asked.body == {"group": link("zones/us-east1-b", "instanceGroups", "group-1")}


def test_an_answer_about_a_resource_says_which_one(google: Google) -> None:
    long = "n" * 63
    google.lists[f"{SHOP}/networks"] = [
        resource("global", "networks", long, peerings=[{"name": long, "state": "ACTIVE", "importCustomRoutes": True}])
    ]
    google.lists[f"{SHOP}/subnetworks"][0]["network"] = link("global", "networks", long)
    named = f"projects/{SHOP}/global/networks/{long}|{long}|us-east1|INCOMING"
    answer = read().read(part("compute", "peering_routes", named))
    assert answer == {"about": named, "items": []}


def test_a_host_project_is_told_and_none_is_an_empty_list(google: Google) -> None:
    assert items(read(), "compute", "xpn_host") == []
    google.hosts[SHOP] = {"name": "host-prod", "commonInstanceMetadata": {"items": ["secret"]}}
    assert items(read(), "compute", "xpn_host") == [{"name": "host-prod"}]


def test_secrets_are_left_out(google: Google) -> None:
    kind = "run.googleapis.com/Service"
    container = {"image": "shop", "env": [{"name": "PASSWORD", "value": "secret"}], "args": ["--key=secret"]}
    google.assets[f"projects/{SHOP}"] += [
        asset(kind, "web", spec={"template": {"spec": {"containers": [container]}}}),
        asset("cloudfunctions.googleapis.com/CloudFunction", "f", environmentVariables={"KEY": "secret"}),
        asset("sqladmin.googleapis.com/Instance", "db-2", rootPassword="secret"),
        asset("container.googleapis.com/NodePool", "pool", config={"metadata": {"startup": "secret"}}),
    ]
    google.add(SHOP, "routers", resource("regions/us-east1", "routers", "r", md5AuthenticationKeys=[{"key": "secret"}]))
    google.add(
        SHOP,
        "interconnectAttachments",
        resource("regions/us-east1", "interconnectAttachments", "i", pairingKey="secret/us-east1/1"),
    )
    iap = {"oauth2ClientId": "id", "oauth2ClientSecret": "secret"}
    google.add(SHOP, "backendServices", resource("global", "backendServices", "iap", iap=iap))
    snapshot = read()
    assert not [each.path for each in snapshot.parts() if "secret" in str(snapshot.read(each))]
    assert items(snapshot, "run", "services")[0]["spec"]["template"]["spec"]["containers"] == [{"image": "shop"}]
    assert items(snapshot, "compute", "vpn_tunnels")[0]["peerIp"] == "1.1.1.1"


def test_labels_keep_their_names(google: Google) -> None:
    labels = {"env": "prod", "metadata": "no secret"}
    google.assets[f"projects/{SHOP}"].append(asset("run.googleapis.com/Service", "web", metadata={"labels": labels}))
    google.lists[f"{SHOP}/instances"][0]["labels"] = labels
    snapshot = read()
    assert items(snapshot, "run", "services")[0]["metadata"]["labels"] == labels
    assert items(snapshot, "compute", "instances")[0]["labels"] == labels


def test_of_policies_those_who_stand_for_everyone_are_kept_alone(google: Google) -> None:
    assert items(read(), "storage", "bucket_iam_policies") == [
        {
            "assetName": f"//storage.googleapis.com/projects/{SHOP}/logs",
            "assetType": "storage.googleapis.com/Bucket",
            "bindings": [{"role": "roles/storage.objectViewer", "members": ["allUsers"]}],
            "otherBindings": 1,
        }
    ]


def test_a_condition_of_a_binding_stays(google: Google) -> None:
    binding = {"role": "r", "members": ["allAuthenticatedUsers"], "condition": {"expression": "false"}}
    google.assets[f"projects/{SHOP}"].append(policy("bigquery.googleapis.com/Dataset", "d", binding))
    assert items(read(), "bigquery", "dataset_iam_policies")[0]["bindings"] == [binding]


def test_of_access_lists_those_who_stand_for_everyone_are_kept_alone(google: Google) -> None:
    access = [{"role": "READER", "specialGroup": "allAuthenticatedUsers"}, {"role": "OWNER", "userByEmail": "a@b.c"}]
    google.assets[f"projects/{SHOP}"].append(asset("bigquery.googleapis.com/Dataset", "d", access=access))
    snapshot = read()
    (dataset,) = items(snapshot, "bigquery", "datasets")
    assert (dataset["access"], dataset["otherAccess"]) == (access[:1], 1)
    (bucket,) = items(snapshot, "storage", "buckets")
    assert (bucket["acl"], bucket["otherAcl"]) == ([{"entity": "allUsers"}], 1)


@pytest.mark.parametrize("name", ["a/b", "a?b=c", "../../x", "ä #%", "n|m"])
def test_hostile_names_lead_nowhere_else(google: Google, name: str) -> None:
    google.add(SHOP, "networks", resource("global", "networks", name))
    google.lists[f"{SHOP}/subnetworks"][0]["name"] = name
    snapshot = read()
    assert names(snapshot, "compute", "networks") == ["net-1", name]
    asked = {each.path for each in google.asked if each.path.endswith("getEffectiveFirewalls")}
    assert all(path.startswith(f"/projects/{SHOP}/") for path in asked)
    assert not {key for each in google.asked for key in each.query} & {"b", "b=c"}


def test_a_snapshot_can_be_kept_and_is_the_same_again(google: Google, tmp_path_factory: pytest.TempPathFactory) -> None:
    snapshot = read()
    place = tmp_path_factory.mktemp("kept") / "gcp.zip"
    save(snapshot, place)
    again = load(place)
    assert {each: again.read(each) for each in again.parts()} == {
        each: snapshot.read(each) for each in snapshot.parts()
    }
    assert again.scopes == snapshot.scopes


def test_progress_tells_what_is_done_and_what_is_due(google: Google) -> None:
    told: list[tuple[str, int, int]] = []
    collect(GcpOptions(projects=(SHOP,)), progress=lambda text, done, due: told.append((text, done, due)))
    assert [step[1] for step in told] == list(range(1, len(told) + 1))
    assert told[-1][1] == told[-1][2]
    assert all(first <= second for (_, _, first), (_, _, second) in itertools.pairwise(told))


def test_nothing_is_asked_twice(google: Google) -> None:
    read()
    asked = [(each.method, each.path, str(each.query), each.types, str(each.body)) for each in google.asked]
    assert len(set(asked)) == len(asked)


def test_no_more_calls_run_at_once_than_there_are_workers(google: Google) -> None:
    running: list[Asked] = []
    most: list[int] = []

    def slow(asked: Asked, _: int) -> Reply | None:
        running.append(asked)
        time.sleep(0.005)
        most.append(len(running))
        running.remove(asked)
        return None

    google.trouble = slow
    read(max_workers=2)
    assert max(most) == 2


def test_a_token_is_fetched_once_for_all_clients(google: Google) -> None:
    read()
    assert google.paths().count(LOGIN) == 1
    assert {asked.headers.get("Authorization") for asked in google.asked[1:]} == {f"Bearer {TOKEN}"}
