"""Getting into Google Cloud: credentials and projects; what stands in the way is told with a way out."""

import json
from pathlib import Path
from typing import Any

import pytest

from cloudseg.errors import CollectError, ConfigError, CredentialsError
from cloudseg.providers.gcp.session import ENDPOINT, endpoint
from tests.gcp.gcp_api import CALLER, LOGIN, Fields, Google, credentials_of, denied, disabled, error
from tests.gcp.live import DEPOT, NUMBERS, SHOP, asset, gaps, items, names, project_asset, read
from tests.loopback import Reply

ORGANIZATION = "organizations/9"
FOLDER = "folders/3"
ABOVE = (FOLDER, ORGANIZATION)


@pytest.fixture
def organization(google: Google) -> Google:
    """An organisation with one project in a folder, and one beside it."""
    shops = [{**each, "ancestors": [*each["ancestors"], *ABOVE]} for each in google.assets[f"projects/{SHOP}"]]
    depots = [project_asset(DEPOT, (ORGANIZATION,)), asset("storage.googleapis.com/Bucket", "old", DEPOT)]
    google.assets[ORGANIZATION] = [*shops, *depots]
    google.assets[FOLDER] = shops
    return google


def owned(kind: str, name: str, owner: tuple[str, ...], **data: Any) -> Fields:
    return {**asset(kind, name, **data), "ancestors": list(owner)}


def scopes(**changes: object) -> list[str]:
    return [scope.scope for scope in read(**changes).scopes]


def test_without_a_name_the_project_of_the_credentials_is_read(google: Google) -> None:
    assert scopes(projects=()) == [SHOP]


def test_several_projects_are_read_each_with_its_own(google: Google) -> None:
    google.add(DEPOT, "networks", {"name": "other", "selfLink": f"projects/{DEPOT}/global/networks/other"})
    snapshot = read(projects=(SHOP, DEPOT))
    assert names(snapshot, "compute", "networks", project=SHOP) == ["net-1"]
    assert names(snapshot, "compute", "networks", project=DEPOT) == ["other"]
    assert items(snapshot, "storage", "buckets", project=DEPOT) == []


def test_an_organisation_stands_for_every_active_project_below_it(organization: Google) -> None:
    gone = project_asset(DEPOT, state="DELETE_REQUESTED")
    gone["resource"]["data"]["projectId"] = "gone-prod"
    organization.assets[ORGANIZATION].append(gone)
    organization.page = 2
    assert scopes(projects=(), organizations=("9",)) == [DEPOT, SHOP]
    assert scopes(projects=(), organizations=(ORGANIZATION,)) == [DEPOT, SHOP]


def test_a_folder_stands_for_the_projects_below_it(organization: Google) -> None:
    assert scopes(projects=(), folders=("3",)) == [SHOP]
    assert scopes(projects=(DEPOT,), folders=("3",)) == [DEPOT, SHOP]


def test_the_inventory_is_asked_once_for_all_projects_and_split_by_them(organization: Google) -> None:
    snapshot = read(projects=(), organizations=("9",))
    assert names(snapshot, "storage", "buckets", project=SHOP) == ["logs"]
    assert names(snapshot, "storage", "buckets", project=DEPOT) == ["old"]
    inventories = [path for path in organization.paths() if path.endswith("/assets")]
    # The projects, then what lies in them by three questions, policies and the access policies.
    assert inventories == [f"/v1/{ORGANIZATION}/assets"] * 6


def test_a_named_project_below_the_organisation_is_read_with_it(organization: Google) -> None:
    read(projects=(SHOP,), organizations=("9",))
    assert not [path for path in organization.paths() if path == f"/v1/projects/{SHOP}/assets"]


def test_what_belongs_to_an_organisation_or_a_folder_concerns_every_project_below(organization: Google) -> None:
    kind = "cloudresourcemanager.googleapis.com/TagKey"
    organization.assets[ORGANIZATION] += [
        owned(kind, "everywhere", (ORGANIZATION,)),
        owned(kind, "in-the-folder", ABOVE),
        owned(kind, "elsewhere", ("folders/8", ORGANIZATION)),
    ]
    snapshot = read(projects=(), organizations=("9",))
    assert names(snapshot, "cloudresourcemanager", "tag_keys", project=SHOP) == ["everywhere", "in-the-folder"]
    assert names(snapshot, "cloudresourcemanager", "tag_keys", project=DEPOT) == ["everywhere"]


def access(field: str, **fields: Any) -> Fields:
    return {"name": "//x", "assetType": "x/y", "ancestors": [ORGANIZATION], field: fields}


def test_a_perimeter_is_kept_for_the_projects_that_it_names(organization: Google) -> None:
    organization.assets[ORGANIZATION] += [
        access("accessPolicy", name="accessPolicies/1"),
        access("servicePerimeter", name="by-number", status={"resources": [f"projects/{NUMBERS[SHOP]}"]}),
        access("servicePerimeter", name="dry-run", spec={"resources": [f"projects/{NUMBERS[DEPOT]}"]}),
        access(
            "servicePerimeter",
            name="by-network",
            status={"resources": [f"//compute.googleapis.com/projects/{DEPOT}/global/networks/n"]},
        ),
    ]
    snapshot = read(projects=(), organizations=("9",))
    service = "accesscontextmanager"
    assert names(snapshot, service, "service_perimeters", project=SHOP) == ["by-number"]
    assert names(snapshot, service, "service_perimeters", project=DEPOT) == ["dry-run", "by-network"]
    assert names(snapshot, service, "access_policies", project=DEPOT) == ["accessPolicies/1"]


def test_without_an_organisation_nothing_is_said_of_perimeters(organization: Google) -> None:
    services = {part.service for part in read(projects=(), folders=("3",)).parts()}
    assert "accesscontextmanager" not in services
    assert "storage" in services


def test_a_project_of_an_organisation_that_is_closed_is_a_gap(organization: Google) -> None:
    organization.trouble = lambda asked, _: error(404, "notFound") if asked.path == f"/projects/{DEPOT}" else None
    snapshot = read(projects=(), organizations=("9",))
    assert gaps(snapshot) == [("compute", "projects", "not-found")]
    assert [scope.scope for scope in snapshot.scopes] == [DEPOT, SHOP]


def test_a_project_of_an_organisation_without_compute_and_networks_is_empty(organization: Google) -> None:
    path = f"/projects/{DEPOT}"
    organization.trouble = lambda asked, _: disabled("compute.googleapis.com") if asked.path == path else None
    snapshot = read(projects=(), organizations=("9",))
    assert snapshot.gaps == ()
    assert items(snapshot, "compute", "networks", project=DEPOT) == []


def test_the_snapshot_names_its_projects_and_who_read_them(organization: Google) -> None:
    for found in (read(), read(projects=(), organizations=("9",))):
        (shop,) = (scope for scope in found.scopes if scope.scope == SHOP)
        assert (shop.name, shop.caller) == ("Shop", CALLER)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"projects": ("4242",)}, "4242 is the number of a project; name it by its id: gcloud projects describe 4242"),
        ({"projects": ("My Shop",)}, "'My Shop' is no id of a project"),
        ({"projects": ("a/../b",)}, "no id of a project"),
        ({"projects": (), "organizations": ("example.org",)}, "'example.org' is no number of an organisation"),
        ({"projects": (), "folders": ("../x",)}, "is no number of a folder"),
        ({"projects": (), "folders": ("3",)}, "the inventory shows no active project below 3"),
    ],
)
def test_a_name_that_is_none_is_told_before_anything_is_asked(
    google: Google, options: dict[str, tuple[str, ...]], words: str
) -> None:
    google.assets[FOLDER] = []
    with pytest.raises(CollectError, match=words):
        read(**options)
    assert not [path for path in google.paths() if path.startswith("/projects/")]


def test_credentials_without_a_project_ask_for_one(google: Google, tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps(credentials_of(google.url) | {"project_id": None}))
    with pytest.raises(CollectError, match=r"no default project; name one .--project ID"):
        read(projects=())


def test_a_folder_that_may_not_be_listed_names_the_permission(google: Google) -> None:
    google.trouble = lambda asked, _: denied(asked) if asked.path.endswith("/assets") else None
    with pytest.raises(CollectError, match=r"below folders/3 cannot be listed .*cloudasset.assets.listResource there"):
        read(projects=(), folders=("3",))


def test_an_inventory_that_is_not_enabled_names_the_command(google: Google) -> None:
    reply = disabled("cloudasset.googleapis.com", "77")
    google.trouble = lambda asked, _: reply if asked.path.endswith("/assets") else None
    words = r"below organizations/9 cannot be listed.*gcloud services enable cloudasset.googleapis.com --project 77"
    with pytest.raises(CollectError, match=words):
        read(projects=(), organizations=("9",))


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (
            Reply(400, b'{"error": "invalid_grant", "error_description": "Token has been expired or revoked."}'),
            "expired",
        ),
        (Reply(401, b'{"error": "unauthorized_client"}'), "expired or was revoked"),
    ],
)
def test_a_login_that_is_refused_is_told_as_one(google: Google, reply: Reply, words: str) -> None:
    google.trouble = lambda asked, _: reply if asked.path == LOGIN else None
    with pytest.raises(CredentialsError, match=rf"{words}.*gcloud auth application-default login"):
        read()


def test_without_credentials_the_ways_to_get_some_are_told(
    google: Google, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(CredentialsError, match=r"no Google Cloud credentials: .*GOOGLE_APPLICATION_CREDENTIALS"):
        read()


@pytest.mark.parametrize("text", ["{", "[]", '{"type": "unheard-of"}', '{"type": "service_account"}'])
def test_a_file_of_credentials_that_is_none_is_told(google: Google, tmp_path: Path, text: str) -> None:
    (tmp_path / "credentials.json").write_text(text)
    with pytest.raises(CredentialsError, match="Google Cloud"):
        read()


def test_a_machine_without_a_network_is_told_so(google: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1")
    with pytest.raises(CollectError, match=rf"cannot be reached .*{ENDPOINT}"):
        read()


def test_a_login_that_nobody_answers_is_told_so(google: Google, tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text(json.dumps(credentials_of("http://127.0.0.1:1")))
    with pytest.raises(CollectError, match=r"cannot be reached for a token .*HTTPS_PROXY"):
        read()


@pytest.mark.parametrize("url", ["http://compute.example.org", "ftp://127.0.0.1", "nonsense", "https://"])
def test_a_token_is_sent_to_no_address_that_others_could_read(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv(ENDPOINT, url)
    with pytest.raises(ConfigError, match=f"{ENDPOINT} is .*write https://HOST"):
        endpoint()


def test_without_an_address_the_services_own_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    assert not endpoint()
