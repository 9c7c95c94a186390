"""Getting into Azure: clouds, credentials and subscriptions; what stands in the way is told with a way out."""

import json
import os
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from cloudseg.errors import CollectError, ConfigError, CredentialsError
from cloudseg.providers.azure.options import AzureOptions, CloudName
from cloudseg.providers.azure.session import ENDPOINT, endpoint_of
from tests.azure.arm_server import LOGIN, Azure, Fields, denied, error
from tests.azure.live import DEPOT, SHOP, read
from tests.loopback import Reply

PAGE = {"Content-Type": "text/html"}
MEMBER = "Microsoft.Management/managementGroups/subscriptions"
ABSENT = "00000000-0000-0000-0000-00000000000f"
CLOUDS = [
    ("public", "https://management.azure.com", "https://management.azure.com/.default"),
    ("china", "https://management.chinacloudapi.cn", "https://management.chinacloudapi.cn/.default"),
    (
        "usgovernment",
        "https://management.usgovcloudapi.net",
        "https://management.core.usgovcloudapi.net/.default",
    ),
]


def scopes(**changes: object) -> list[str]:
    return [scope.scope for scope in read(**changes).scopes]


def member(identifier: str, name: str = "") -> Fields:
    return {"type": MEMBER, "name": identifier, "properties": {"displayName": name}}


def test_without_a_name_every_visible_subscription_is_read(azure: Azure) -> None:
    azure.page = 1
    azure.add_subscription(ABSENT, "Gone", state="Deleted")
    assert scopes(subscriptions=()) == [SHOP, DEPOT]


@pytest.mark.parametrize("name", [DEPOT, DEPOT.upper(), "Depot", "depot"])
def test_a_subscription_is_named_by_its_id_or_its_name(azure: Azure, name: str) -> None:
    assert scopes(subscriptions=(name,)) == [DEPOT]


def test_an_id_that_is_not_there_is_told_with_those_that_are_and_no_other_is_suggested(azure: Azure) -> None:
    near = DEPOT[:-1] + "e"
    with pytest.raises(CollectError, match=rf"visible are {SHOP} \(Shop\), {DEPOT}") as found:
        scopes(subscriptions=(near,))
    assert "did you mean" not in str(found.value)


def test_a_subscription_that_does_not_exist_is_told_with_those_that_do(azure: Azure) -> None:
    with pytest.raises(CollectError, match=rf"no subscription 'Shopp'.*did you mean Shop\? .*{SHOP} \(Shop\), {DEPOT}"):
        read(subscriptions=("Shopp",))
    assert not [path for path in azure.paths() if path.startswith(f"/subscriptions/{SHOP}/")]


def test_a_name_of_two_subscriptions_is_refused(azure: Azure) -> None:
    azure.add_subscription(ABSENT, "Shop")
    with pytest.raises(CollectError, match="2 subscriptions are called 'Shop'; name it by its id"):
        read(subscriptions=("Shop",))


def test_who_may_see_no_subscription_is_told_so(azure: Azure) -> None:
    azure.subscriptions.clear()
    with pytest.raises(CollectError, match="shows no subscription to these credentials; assign them a role"):
        read(subscriptions=())


def test_a_management_group_stands_for_every_subscription_below_it(azure: Azure) -> None:
    azure.page = 1
    group: Fields = {"type": "Microsoft.Management/managementGroups", "name": "mg-2"}
    azure.groups["mg-1"] = [group, member(DEPOT.upper()), member(SHOP)]
    assert scopes(subscriptions=(), management_groups=("mg-1",)) == [SHOP, DEPOT]
    assert scopes(subscriptions=("Shop",), management_groups=("mg-1",)) == [SHOP, DEPOT]


def test_a_member_that_cannot_be_seen_is_a_scope_with_a_gap(azure: Azure) -> None:
    azure.groups["mg-1"] = [member(SHOP), member(ABSENT, "Vault")]
    snapshot = read(subscriptions=(), management_groups=("mg-1",))
    assert [(scope.scope, scope.name) for scope in snapshot.scopes] == [(SHOP, "Shop"), (ABSENT, "Vault")]
    (gap,) = snapshot.gaps
    assert (gap.scope, gap.reason) == (ABSENT, "denied")
    assert "may see nothing of it" in gap.detail


def test_a_management_group_of_which_nothing_can_be_seen_ends_the_run(azure: Azure) -> None:
    azure.groups["mg-1"] = [member(ABSENT)]
    with pytest.raises(CollectError, match="no subscription of the management group mg-1 can be read, and none"):
        read(subscriptions=(), management_groups=("mg-1",))


def test_a_management_group_that_is_not_there_names_the_action_to_list_one(azure: Azure) -> None:
    with pytest.raises(CollectError, match=r"'Platform team' cannot be listed .*by its id.*descendants/read on it"):
        read(subscriptions=(), management_groups=("Platform team",))


def test_a_management_group_that_may_not_be_listed_names_the_action(azure: Azure) -> None:
    azure.trouble = lambda asked, _: denied(asked) if asked.path.endswith("/descendants") else None
    with pytest.raises(CollectError, match=r"AuthorizationFailed.*descendants/read on it; or name each --subscription"):
        read(subscriptions=(), management_groups=("mg-1",))


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (error(401, "ExpiredAuthenticationToken", "The access token"), CredentialsError, "has expired.*az login"),
        (error(401, "InvalidAuthenticationToken", "It is invalid"), CredentialsError, "not accept.*az login"),
        (error(401, "InvalidAuthenticationTokenTenant", "wrong issuer"), CredentialsError, "not accept.*tenant"),
        (error(403, "AuthorizationFailed"), CredentialsError, "does not accept"),
        (error(503, "ServiceUnavailable"), CollectError, "cannot be reached .*check the network"),
        (Reply(200, b"<html>sign in</html>", PAGE), CollectError, "not Azure Resource Manager"),
        (Reply(404, b"nothing here"), CollectError, "not Azure Resource Manager"),
    ],
)  # fmt: skip
def test_a_resource_manager_that_shows_nothing_ends_the_run(
    azure: Azure, reply: Reply, kind: type[CollectError], words: str
) -> None:
    azure.trouble = lambda asked, _: reply if asked.path == "/subscriptions" else None
    with pytest.raises(kind, match=words):
        read()


def test_a_machine_without_a_network_is_told_so(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1")
    with pytest.raises(CollectError, match=rf"cannot be reached .*{ENDPOINT}"):
        read()


def test_without_credentials_the_ways_to_get_some_are_told(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    words = r"no Azure credentials: none were found by EnvironmentCredential; sign in \(az login\).*AZURE_CLIENT_ID"
    with pytest.raises(CredentialsError, match=words):
        read()


def test_a_login_that_has_expired_is_told_as_one(azure: Azure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "az"
    program.write_text(
        "#!/bin/sh\necho 'ERROR: AADSTS700082: The refresh token has expired due to inactivity.' >&2\nexit 1"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    with pytest.raises(CredentialsError, match=r"login has expired \(AzureCliCredential: .*AADSTS700082.*: az login$"):
        read()


def test_a_login_that_fails_is_told_with_its_reason(azure: Azure) -> None:
    azure.trouble = lambda asked, _: Reply(500, b"the machine's error") if asked.path == LOGIN else None
    with pytest.raises(CredentialsError, match=r"no Azure credentials: .*ManagedIdentityCredential"):
        read()


def test_a_word_of_the_environment_that_azure_identity_does_not_know_is_named(
    azure: Azure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "nonsense")
    with pytest.raises(CredentialsError, match=r"AZURE_TOKEN_CREDENTIALS.*correct the AZURE_… variables"):
        read()


@pytest.mark.parametrize(("name", "url", "scope"), CLOUDS)
def test_each_cloud_has_its_resource_manager(
    monkeypatch: pytest.MonkeyPatch, name: CloudName, url: str, scope: str
) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    assert endpoint_of(AzureOptions(cloud=name)) == (url, scope)


@pytest.mark.parametrize(
    ("variable", "value", "host"),
    [
        ("AZURE_AUTHORITY_HOST", "https://login.chinacloudapi.cn/", "management.chinacloudapi.cn"),
        ("AZURE_AUTHORITY_HOST", "login.microsoftonline.us", "management.usgovcloudapi.net"),
        ("AZURE_AUTHORITY_HOST", "https://login.example.org", "management.azure.com"),
        ("AZURE_SDK_CLOUD_CONF", "AZURE_US_GOVERNMENT", "management.usgovcloudapi.net"),
        ("AZURE_CLIENT_ID", "unrelated", "management.azure.com"),
    ],
)
def test_the_environment_of_the_sdks_says_which_cloud(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, host: str
) -> None:
    for name in (ENDPOINT, "AZURE_AUTHORITY_HOST", "AZURE_SDK_CLOUD_CONF"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    assert endpoint_of(AzureOptions()).url == f"https://{host}"


def test_a_cloud_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_SDK_CLOUD_CONF", "AZURE_GERMAN_CLOUD")
    with pytest.raises(ConfigError, match="'AZURE_GERMAN_CLOUD'; it is one of AZURE_PUBLIC_CLOUD"):
        endpoint_of(AzureOptions())


@pytest.mark.parametrize("url", ["http://management.example.org", "ftp://127.0.0.1", "nonsense", "https://"])
def test_a_token_is_sent_to_no_address_that_others_could_read(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv(ENDPOINT, url)
    with pytest.raises(ConfigError, match=f"{ENDPOINT} is .*write https://HOST"):
        endpoint_of(AzureOptions())


@pytest.mark.parametrize(
    ("claims", "caller"),
    [
        ({"upn": "ann@example.org", "oid": "o"}, "ann@example.org"),
        ({"appid": "app-1", "oid": "o"}, "application app-1"),
        ({"oid": "o"}, "o"),
    ],
)
def test_the_snapshot_says_whose_token_it_was(azure: Azure, claims: dict[str, str], caller: str) -> None:
    body = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    azure.token = f"head.{body}.signature"
    assert {scope.caller for scope in read().scopes} == {caller}
