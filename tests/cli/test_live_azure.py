"""The program over Azure: sources, options, the configuration, exit codes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.azure.arm_server import Azure, denied, login_at, serving
from tests.azure.live import DEPOT, SHOP, shop
from tests.cli.conftest import Run


@pytest.fixture
def azure() -> Iterator[Azure]:
    held = shop()
    with serving(held):
        yield held


def scopes(folder: Path) -> list[str]:
    manifest = json.loads((folder / "kept" / "manifest.json").read_text())
    return [scope["scope"] for scope in manifest["scopes"]]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], [SHOP, DEPOT]),
        (["--subscription", DEPOT], [DEPOT]),
        (["--subscription", "shop", "--subscription", DEPOT], [SHOP, DEPOT]),
        (["--management-group", "mg-1"], [DEPOT]),
    ],
)
def test_subscriptions_are_chosen_on_the_command_line(
    run: Run, azure: Azure, tmp_path: Path, options: list[str], expected: list[str]
) -> None:
    azure.groups["mg-1"] = [{"type": "/subscriptions", "name": DEPOT}]
    result = run("collect", "azure", "-o", "kept", *options, environment=login_at(azure.url))
    assert (result.returncode, result.stderr.count("Traceback")) == (0, 0)
    assert scopes(tmp_path) == expected


def test_the_configuration_chooses_subscriptions_and_options_go_before_it(
    run: Run, azure: Azure, tmp_path: Path
) -> None:
    azure.groups["mg-1"] = [{"type": "/subscriptions", "name": DEPOT}]
    (tmp_path / "cloudseg.toml").write_text(
        'sources = ["azure"]\n[azure]\nmanagement_group = "mg-1"\ncloud = "public"\n'
    )
    run("collect", "-o", "kept", environment=login_at(azure.url))
    assert scopes(tmp_path) == [DEPOT]
    run("collect", "-o", "kept", "--subscription", SHOP, environment=login_at(azure.url))
    assert scopes(tmp_path) == [SHOP]


def test_what_is_denied_leaves_with_3_and_is_listed(run: Run, azure: Azure) -> None:
    azure.trouble = lambda asked, _: denied(asked) if asked.path.endswith("/routetables") else None
    result = run("collect", "azure", "-o", "kept", "--subscription", SHOP, "--verbose", environment=login_at(azure.url))
    assert result.returncode == 3
    assert f"gap: {SHOP} global network.route_tables : denied: AuthorizationFailed" in result.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--subscription", "nowhere"], "there is no subscription 'nowhere'"),
        (["--management-group", "nowhere"], "the management group 'nowhere' cannot be listed"),
    ],
)
def test_a_scope_that_does_not_exist_leaves_with_2(run: Run, azure: Azure, options: list[str], words: str) -> None:
    result = run("collect", "azure", "-o", "kept", *options, environment=login_at(azure.url))
    assert (result.returncode, result.stderr.count("Traceback")) == (2, 0)
    assert words in result.stderr


def test_without_credentials_the_program_leaves_with_2_and_says_how_to_get_some(run: Run) -> None:
    result = run("collect", "azure", "-o", "kept", environment={"AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential"})
    assert result.returncode == 2
    assert result.stderr.startswith("cloudseg: no Azure credentials: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("option", ["--subscription", "--management-group"])
def test_options_for_azure_without_it_are_refused(run: Run, option: str) -> None:
    result = run("collect", "demo", "-o", "kept", option, "x")
    assert result.returncode == 2
    assert "--subscription and --management-group are for the source `azure`" in result.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["collect", "--help"], ["collect", "demo", "-o", "kept"]])
def test_the_sdks_are_not_loaded_where_azure_is_not_read(tmp_path: Path, arguments: list[str]) -> None:
    program = (
        "import sys\nfrom cloudseg.cli import main\n"
        f"sys.argv = ['cloudseg', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('azure', 'msal', 'requests')], file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=120
    )
    assert result.stderr.splitlines()[-1] == "[]"


def test_a_machine_without_the_sdks_is_told_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys\nsys.modules['azure'] = None\nfrom cloudseg.cli import main\n"
        "sys.argv = ['cloudseg', 'collect', 'azure', '-o', 'kept']\nmain()"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120
    )
    assert result.returncode == 2
    assert "install it with `pip install 'cloudseg[azure]'`" in result.stderr
