"""One resource of Google Cloud is spelt in several ways, and is one."""

import pytest

from cloudseg.model import scope_of
from cloudseg.providers.gcp.ids import name_of, own_of, project_of, qualified_id, region_of, scope_name

_OWN = "global/networks/default"


@pytest.mark.parametrize(
    "link",
    [
        "https://www.googleapis.com/compute/v1/projects/shop/global/networks/default",
        "https://compute.googleapis.com/compute/beta/projects/shop/global/networks/default",
        "http://127.0.0.1:8080/compute/v1/projects/shop/global/networks/default",
        "//compute.googleapis.com/projects/shop/global/networks/default",
        "projects/shop/global/networks/default",
        "/projects/shop/global/networks/default/",
    ],
)
def test_every_spelling_of_a_link_is_one_resource(link: str) -> None:
    assert own_of(link) == _OWN
    assert project_of(link) == "shop"
    assert qualified_id(link) == "gcp:shop:global/networks/default"


def test_a_link_without_a_project_takes_the_one_that_is_given() -> None:
    assert qualified_id("global/networks/default", "shop") == "gcp:shop:global/networks/default"
    assert qualified_id("projects/host/global/networks/default", "shop") == "gcp:host:global/networks/default"


def test_a_hierarchical_policy_has_no_project() -> None:
    link = "https://www.googleapis.com/compute/v1/locations/global/firewallPolicies/1234"
    assert project_of(link) == ""
    assert qualified_id(link, "shop") == "gcp:shop:locations/global/firewallPolicies/1234"


def test_a_resource_may_be_called_as_a_word_of_the_link() -> None:
    assert own_of("projects/shop/global/networks/projects") == "global/networks/projects"
    assert own_of("global/networks/projects") == "global/networks/projects"
    assert project_of("global/networks/projects") == ""
    assert region_of("projects/regions/global/networks/n") == "global"
    assert qualified_id("projects/v12345/global/networks/n") == "gcp:v12345:global/networks/n"
    assert qualified_id("//compute.googleapis.com/projects/v12345/global/networks/n") == (
        "gcp:v12345:global/networks/n"
    )


def test_the_link_of_a_project_is_its_own() -> None:
    link = "https://www.googleapis.com/compute/v1/projects/shop"
    assert (project_of(link), own_of(link), name_of(link)) == ("shop", "projects/shop", "shop")


def test_links_of_other_services() -> None:
    assert own_of("https://sqladmin.googleapis.com/sql/v1beta4/projects/shop/instances/db") == "instances/db"
    assert own_of("https://container.googleapis.com/v1/projects/shop/zones/us-east1-b/clusters/c") == (
        "zones/us-east1-b/clusters/c"
    )
    assert own_of("//run.googleapis.com/projects/shop/locations/europe-west1/services/web") == (
        "locations/europe-west1/services/web"
    )
    assert own_of("https://www.googleapis.com/storage/v1/b/logs") == "b/logs"
    assert own_of("//storage.googleapis.com/logs") == "logs"
    assert own_of("organizations/12/locations/global/addressGroups/a") == (
        "organizations/12/locations/global/addressGroups/a"
    )


def test_the_colon_of_a_projects_domain_does_not_part_the_name() -> None:
    identifier = qualified_id("projects/example.com:shop/global/networks/n")
    assert identifier == "gcp:example.com%3Ashop:global/networks/n"
    assert scope_of(identifier) == scope_name("example.com:shop")


@pytest.mark.parametrize(
    ("place", "region"),
    [
        ("us-central1-a", "us-central1"),
        ("us-central1-ai1a", "us-central1"),
        ("northamerica-northeast2-c", "northamerica-northeast2"),
        ("us-central1", "us-central1"),
        ("EU", "eu"),
        ("global", "global"),
        ("", "global"),
        ("https://www.googleapis.com/compute/v1/projects/p/zones/us-central1-a", "us-central1"),
        ("https://www.googleapis.com/compute/v1/projects/p/regions/asia-east2/subnetworks/s", "asia-east2"),
        ("projects/p/zones/us-central1-a/instances/web", "us-central1"),
        ("projects/p/locations/us-central1-f/clusters/c", "us-central1"),
        ("projects/p/global/networks/n", "global"),
        ("regions/us-east1/subnetworks/s", "us-east1"),
    ],
)
def test_where_a_resource_is(place: str, region: str) -> None:
    assert region_of(place) == region
