"""What a machine has configured wrongly is told in one line with a way out, never as a traceback."""

from pathlib import Path

import msgspec
import pytest
from botocore.loaders import JSONFileLoader, Loader

from cloudseg.errors import CollectError, CredentialsError
from cloudseg.providers.aws.clients import open_session
from cloudseg.providers.aws.collect import AwsOptions, collect

from .conftest import Stub

ROLE = "arn:aws:iam::111122223333:role/audit"
KEYS = "aws_access_key_id = a\naws_secret_access_key = b\n"
PROFILE = AwsOptions(profiles=("p",), attempts=1)


@pytest.mark.parametrize(
    ("region", "meant"), [("us-east-1a", "us-east-1"), ("EU-WEST-1", "eu-west-1"), ("eu-west-1 ", "eu-west-1")]
)
def test_a_region_of_the_environment_that_does_not_exist_is_named_with_what_was_meant(
    monkeypatch: pytest.MonkeyPatch, region: str, meant: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    with pytest.raises(CollectError, match=rf"'{region}', set by AWS_DEFAULT_REGION, .*did you mean {meant}[,?]"):
        collect(AwsOptions())


def test_a_region_of_the_profile_that_does_not_exist_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(f"[profile p]\nregion = mars\n{KEYS}")
    with pytest.raises(CollectError, match=r"'mars', set by the profile in .*config, .*name a --region"):
        collect(PROFILE)


def test_a_chosen_region_goes_before_a_wrong_one_of_the_environment(
    stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "mars")
    assert collect(AwsOptions(regions=("us-east-1",), attempts=1)).scopes[0].regions == ("us-east-1",)


def test_a_region_like_no_other_is_not_guessed_at(stub: Stub) -> None:
    with pytest.raises(
        CollectError, match=r"'mars' does not exist; there are \d+, us-east-1, .*list-regions"
    ) as caught:
        collect(AwsOptions(regions=("mars",), attempts=1))
    assert "did you mean" not in str(caught.value)


def does_not_resolve(_: str) -> bool:
    return False


def test_a_home_without_the_service_names_what_botocore_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-99")
    monkeypatch.setattr("cloudseg.providers.aws.clients._resolves", does_not_resolve)
    with pytest.raises(CollectError, match=r"sts does not exist in region 'us-east-99'; .*AWS_DEFAULT_REGION"):
        collect(AwsOptions())


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("[profile p\nregion", "Unable to parse config file.*correct .*config"),
        (f"[profile p]\nrole_arn = {ROLE}\nsource_profile = nix\n", 'source_profile "nix".*correct .*config'),
        (
            f"[profile p]\nrole_arn = {ROLE}\nsource_profile = q\n[profile q]\nrole_arn = {ROLE}\nsource_profile = p\n",
            "Infinite loop.*correct .*config",
        ),
        ("[profile p]\ncredential_process = /nowhere/program\n", "'/nowhere/program'.*see that the file or program"),
        ("[profile p]\ncredential_process = echo sign in first\n", "JSONDecodeError.*correct .*config"),
        ("[profile p]\ncredential_process = echo []\n", "AttributeError.*correct .*config"),
        (
            f"[profile p]\nrole_arn = {ROLE}\nweb_identity_token_file = /nowhere/token\nregion = us-east-1\n",
            "'/nowhere/token'.*see that the file or program",
        ),
        (f"[profile p]\ndefaults_mode = odd\n{KEYS}", "invalid defaults mode: odd.*correct .*config"),
    ],
)
def test_a_profile_that_leads_nowhere_stops_the_run_with_a_way_out(
    stub: Stub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, config: str, words: str
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    (tmp_path / "config").write_text(config)
    with pytest.raises(CredentialsError, match=words):
        collect(PROFILE)


def test_a_role_of_a_profile_without_a_region_is_assumed_at_home(stub: Stub, tmp_path: Path) -> None:
    (tmp_path / "config").write_text(f"[profile p]\nrole_arn = {ROLE}\nsource_profile = q\n[profile q]\n{KEYS}")
    stub(AssumeRole=(403, b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"))
    with pytest.raises(CredentialsError, match="trust policy"):
        collect(PROFILE)
    assert stub.seen == ["AssumeRole"]


@pytest.mark.parametrize("roles", [(), (ROLE,)])
@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"])
def test_an_endpoint_that_is_no_url_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, roles: tuple[str, ...]
) -> None:
    monkeypatch.setenv(variable, "nonsense")
    with pytest.raises(CollectError, match=rf"Invalid endpoint: nonsense.*{variable},"):
        collect(AwsOptions(assume_roles=roles))


def test_an_endpoint_of_one_service_that_is_no_url_stops_the_run(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_RDS", "nonsense")
    with pytest.raises(CollectError, match=r"AWS rds .*AWS_ENDPOINT_URL_RDS"):
        collect(AwsOptions(regions=("us-east-1",), attempts=1))


@pytest.mark.parametrize(
    "page",
    [
        (200, b"<html><body>Please sign in</body></html>"),
        (200, b"<!DOCTYPE html><p>Please sign in<br>"),
        (200, b"{}"),
        (200, b""),
        (302, b"<html>moved</html>"),
        (403, b"<html>denied<br></html>"),
        (501, b"<!doctype html>no"),
        (511, b"<html>Please sign in</html>"),
    ],
)
@pytest.mark.parametrize("roles", [(), (ROLE,)])
def test_a_page_in_place_of_sts_is_told_as_one(stub: Stub, page: tuple[int, bytes], roles: tuple[str, ...]) -> None:
    stub(GetCallerIdentity=page, AssumeRole=page)
    with pytest.raises(CollectError, match=r"what answers is not AWS .*sign in there"):
        collect(AwsOptions(assume_roles=roles, attempts=1))


def test_a_page_in_place_of_the_regions_is_a_gap(stub: Stub) -> None:
    stub(DescribeRegions=(200, b"<html><body>Please sign in</body></html>"))
    snapshot = collect(AwsOptions(regions=("us-east-1",), attempts=1))
    assert snapshot.scopes[0].regions == ("us-east-1",)


@pytest.mark.parametrize("name", ["endpoints", "ec2/2016-11-15/service-2", "s3/2006-03-01/paginators-1"])
def test_service_models_are_those_that_botocore_reads(name: str) -> None:
    file = str(Path(Loader.BUILTIN_DATA_PATH, name))
    read = open_session(None).get_component("data_loader").file_loader.load_file(file)
    # As JSON, since the order of the fields counts as well.
    assert msgspec.json.encode(read) == msgspec.json.encode(JSONFileLoader().load_file(file))


def test_a_service_model_that_is_not_plain_json_is_read_as_botocore_reads_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    (tmp_path / "odd.json").write_text('{"most": Infinity}')
    (tmp_path / "torn.json").write_text("{")
    loader = open_session(None).get_component("data_loader")
    assert loader.load_data("odd") == {"most": float("inf")}
    with pytest.raises(ValueError, match="Expecting"):
        loader.load_data("torn")
