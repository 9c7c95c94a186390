"""The configuration says what a run does, and every wrong key is named with its file and its line."""

from pathlib import Path

import pytest

from cloudseg.config import DEFAULT_LABELS, AwsConfig, AzureConfig, Config, GcpConfig, KubernetesConfig, load_config
from cloudseg.errors import ConfigError

FULL = """
sources = ["aws", "./aws", "snapshots/prod.zip", "/srv/estate"]
fail_on = "medium"
check = ["internet-exposed-port", "public-endpoint"]
skip = ["public-address"]
waivers = "waivers.yaml"
intent = "intent.yaml"
flows = "conversations.parquet"

[labels]
tier = ["layer"]

[checks.internet-exposed-port]
declared_public = ["exposure=public", "audience=world"]

[checks.missing-private-endpoint]
services = "s3"

[aws]
profile = ["prod", "dev"]
region = "eu-west-1"
assume_role = ["arn:aws:iam::111122223333:role/audit"]
external_id = "x-1"
organization = true
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, text: str, name: str = "cloudseg.toml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str, name: str = "cloudseg.toml") -> str:
    written(folder, text, name)
    with pytest.raises(ConfigError) as caught:
        load_config()
    return str(caught.value)


def test_without_a_file_the_defaults_hold(folder: Path) -> None:
    assert load_config() == Config()
    assert load_config().labels == DEFAULT_LABELS


def test_every_key_is_read(folder: Path) -> None:
    written(folder, FULL)
    assert load_config() == Config(
        sources=("aws", "./aws", "snapshots/prod.zip", "/srv/estate"),
        fail_on="medium",
        checks=("internet-exposed-port", "public-endpoint"),
        skip=("public-address",),
        waivers=Path("waivers.yaml"),
        intent=Path("intent.yaml"),
        flows=Path("conversations.parquet"),
        labels={**DEFAULT_LABELS, "tier": ("layer",)},
        parameters={
            "internet-exposed-port": {"declared_public": ("exposure=public", "audience=world")},
            "missing-private-endpoint": {"services": ("s3",)},
        },
        aws=AwsConfig(
            profile=("prod", "dev"),
            region=("eu-west-1",),
            assume_role=("arn:aws:iam::111122223333:role/audit",),
            external_id="x-1",
            organization=True,
        ),
    )


def test_paths_are_relative_to_the_file_and_providers_are_no_paths(folder: Path) -> None:
    written(folder, FULL, "team/cloudseg.toml")
    config = load_config(Path("team/cloudseg.toml"))
    assert config.sources == ("aws", "team/./aws", "team/snapshots/prod.zip", "/srv/estate")
    assert config.waivers == Path("team/waivers.yaml")
    assert config.intent == Path("team/intent.yaml")
    assert config.flows == Path("team/conversations.parquet")


def test_the_project_file_holds_it_too_and_its_own_file_goes_first(folder: Path) -> None:
    written(folder, '[project]\nname = "shop"\n[tool.cloudseg]\nfail_on = "low"\n', "pyproject.toml")
    assert load_config().fail_on == "low"
    written(folder, 'fail_on = "none"\n')
    assert load_config().fail_on == "none"


def test_a_project_file_of_others_changes_nothing(folder: Path) -> None:
    written(folder, '[tool.ruff]\nline-length = 100\n[project]\nname = "shop"\n', "pyproject.toml")
    assert load_config() == Config()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nsource = ['aws']", "cloudseg.toml, line 2: source: unknown key; did you mean sources?"),
        ("[aws]\n\nprofiles = 'a'", "cloudseg.toml, line 3: aws.profiles: unknown key; did you mean profile?"),
        ("aws.regoin = 'a'", "cloudseg.toml, line 1: aws.regoin: unknown key; did you mean region?"),
        ("[labels]\nowner = ['o']", "line 2: labels.owner: unknown key; known here: application, environment, tier"),
        ("sources = 3", "line 1: sources: is the number 3; it must be a list of texts"),
        ("sources = ['aws', 3]", "line 1: sources: holds the number 3; it must be a text in quotes"),
        ("sources = ['']", "line 1: sources: holds an empty text"),
        ("fail_on = 'severe'", "line 1: fail_on: is 'severe'; it is one of critical, high, medium, low, info, none"),
        ("fail_on = true", "line 1: fail_on: holds true; it must be a text"),
        ("waivers = ['a']", "line 1: waivers: holds a list; it must be a text"),
        ("intent = 3", "line 1: intent: holds the number 3; it must be a text"),
        ("labels = 'app'", "line 1: labels: is the text 'app'; it must be a table, [labels]"),
        ("[aws]\norganization = 'yes'", "line 2: aws.organization: is the text 'yes'; it must be true or false"),
        ("[aws]\nexternal_id = 2026-01-01", "line 2: aws.external_id: holds the date 2026-01-01; it must be a text"),
        ("check = ['internet-exposed']", "there is no check 'internet-exposed'; did you mean internet-exposed-port?"),
        ("skip = ['zzz']", "line 1: skip: there is no check 'zzz'; `cloudseg checks` lists them"),
        ("checks = ['public-address']", "the list of checks to run is called `check`"),
        ("[checks.public-addres]\na = 1", "line 1: checks.public-addres: there is no check"),
        ("[checks.public-address]\na = 1", "line 2: checks.public-address.a: unknown key; there is nothing to set"),
        (
            "[checks.missing-private-endpoint]\nservices = 4",
            "line 2: checks.missing-private-endpoint.services: is the number 4; it must be a list of texts",
        ),
        ("[checks]\n'public-address' = 1", "line 2: checks.public-address: is the number 1; it must be a table"),
        ("fail_on = ", "cloudseg.toml is no TOML file"),
        ("a = " + "[" * 5000, "cloudseg.toml is no TOML file"),
    ],
)
def test_a_wrong_key_names_its_path_its_file_and_its_line(folder: Path, text: str, message: str) -> None:
    assert message in refusal(folder, text)


def test_in_a_project_file_the_whole_path_is_named(folder: Path) -> None:
    text = '[project]\nname = "shop"\n\n[tool.cloudseg.aws]\nregion = 1\n'
    message = refusal(folder, text, "pyproject.toml")
    assert message.startswith("pyproject.toml, line 5: tool.cloudseg.aws.region: is the number 1")


def test_a_file_that_is_not_there_or_no_text_is_named(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read none\.toml.*--config"):
        load_config(Path("none.toml"))
    (folder / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"binary\.toml is no TOML file"):
        load_config(Path("binary.toml"))
    written(folder, "[project]\nname = 'shop'\n", "pyproject.toml")
    with pytest.raises(ConfigError, match=r"pyproject\.toml has no table \[tool\.cloudseg\]"):
        load_config(Path("pyproject.toml"))


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(folder: Path) -> None:
    text = (
        "fail_on = 'severe'\nwaiver = 'w'\nskip = ['zzz']\n"
        "[aws]\nregoin = 'a'\nprofile = 3\n[checks.public-address]\na = 1\n"
    )
    lines = refusal(folder, text).split("\n")
    assert [line.split(": ")[:2] for line in lines] == [
        ["cloudseg.toml, line 1", "fail_on"],
        ["cloudseg.toml, line 2", "waiver"],
        ["cloudseg.toml, line 3", "skip"],
        ["cloudseg.toml, line 5", "aws.regoin"],
        ["cloudseg.toml, line 6", "aws.profile"],
        ["cloudseg.toml, line 8", "checks.public-address.a"],
    ]


def test_the_table_of_kubernetes_names_contexts_a_file_and_a_cluster(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    file = tmp_path / "team/cloudseg.toml"
    file.write_text('[kubernetes]\ncontext = ["a", "b"]\nkubeconfig = "config"\n')
    assert load_config(file).kubernetes == KubernetesConfig(("a", "b"), f"{tmp_path}/team/config")
    file.write_text('[kubernetes]\ncontext = "a"\nkubeconfig = "~/.kube/prod"\ncluster = "mine"\n')
    assert load_config(file).kubernetes == KubernetesConfig(("a",), "~/.kube/prod", "mine")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("contexts = ['a']", "line 2: kubernetes.contexts: unknown key; did you mean context?"),
        ("cluster = 'a:b'", "line 2: kubernetes.cluster: is 'a:b': a colon parts the name"),
        ("kubeconfig = ['a']", "line 2: kubernetes.kubeconfig: holds a list; it must be a text in quotes"),
    ],
)
def test_mistakes_in_the_table_of_kubernetes_are_named(tmp_path: Path, line: str, problem: str) -> None:
    file = tmp_path / "cloudseg.toml"
    file.write_text(f"[kubernetes]\n{line}\n")
    with pytest.raises(ConfigError) as raised:
        load_config(file)
    assert problem in str(raised.value)


def test_the_table_of_azure_names_subscriptions_groups_and_a_cloud(tmp_path: Path) -> None:
    file = tmp_path / "cloudseg.toml"
    file.write_text('[azure]\nsubscription = ["a", "b"]\nmanagement_group = "mg"\ncloud = "china"\n')
    assert load_config(file).azure == AzureConfig(("a", "b"), ("mg",), "china")


def test_the_table_of_gcp_names_projects_folders_and_organizations(tmp_path: Path) -> None:
    file = tmp_path / "cloudseg.toml"
    file.write_text('[gcp]\nproject = ["a", "b"]\nfolder = "3"\norganization = ["9"]\n')
    assert load_config(file).gcp == GcpConfig(("a", "b"), ("3",), ("9",))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("projects = ['a']", "line 2: gcp.projects: unknown key; did you mean project?"),
        ("folder = 3", "line 2: gcp.folder: "),
    ],
)
def test_mistakes_in_the_table_of_gcp_are_named(tmp_path: Path, line: str, problem: str) -> None:
    file = tmp_path / "cloudseg.toml"
    file.write_text(f"[gcp]\n{line}\n")
    with pytest.raises(ConfigError) as raised:
        load_config(file)
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("subscriptions = ['a']", "line 2: azure.subscriptions: unknown key; did you mean subscription?"),
        ("cloud = 'germany'", "line 2: azure.cloud: is the text 'germany'; it is one of public, china, usgovernment"),
        ("cloud = 1", "line 2: azure.cloud: is the number 1; it is one of public, china, usgovernment"),
        ("management_group = ['']", "line 2: azure.management_group: holds an empty text"),
    ],
)
def test_mistakes_in_the_table_of_azure_are_named(tmp_path: Path, line: str, problem: str) -> None:
    file = tmp_path / "cloudseg.toml"
    file.write_text(f"[azure]\n{line}\n")
    with pytest.raises(ConfigError) as raised:
        load_config(file)
    assert problem in str(raised.value)
