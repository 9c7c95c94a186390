"""The program over Google Cloud: sources, options, the configuration, exit codes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.gcp.gcp_api import Google, denied, login_at, serving
from tests.gcp.live import DEPOT, SHOP, project_asset, shop


@pytest.fixture
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Google]:
    held = shop()
    held.assets["organizations/9"] = held.assets["folders/3"] = [project_asset(DEPOT, ("folders/3", "organizations/9"))]
    with serving(held, tmp_path_factory.mktemp("login")):
        yield held


@pytest.fixture
def login(google: Google, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return login_at(google.url, tmp_path_factory.mktemp("login"))


def scopes(folder: Path) -> list[str]:
    manifest = json.loads((folder / "kept" / "manifest.json").read_text())
    return [scope["scope"] for scope in manifest["scopes"]]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], [SHOP]),
        (["--project", DEPOT], [DEPOT]),
        (["--project", SHOP, "--project", DEPOT], [DEPOT, SHOP]),
        (["--gcp-folder", "3"], [DEPOT]),
        (["--gcp-organization", "9", "--project", SHOP], [DEPOT, SHOP]),
    ],
)
def test_projects_are_chosen_on_the_command_line(
    run: Run, login: dict[str, str], tmp_path: Path, options: list[str], expected: list[str]
) -> None:
    result = run("collect", "gcp", "-o", "kept", *options, environment=login)
    assert (result.returncode, result.stderr.count("Traceback")) == (0, 0)
    assert scopes(tmp_path) == expected


def test_the_configuration_chooses_projects_and_options_go_before_it(
    run: Run, login: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "cloudseg.toml").write_text('sources = ["gcp"]\n[gcp]\nfolder = "3"\n')
    run("collect", "-o", "kept", environment=login)
    assert scopes(tmp_path) == [DEPOT]
    run("collect", "-o", "kept", "--project", SHOP, environment=login)
    assert scopes(tmp_path) == [SHOP]


def test_what_is_denied_leaves_with_3_and_is_listed(run: Run, google: Google, login: dict[str, str]) -> None:
    google.trouble = lambda asked, _: denied(asked) if asked.path.endswith("/global/routes") else None
    result = run("collect", "gcp", "-o", "kept", "--verbose", environment=login)
    assert result.returncode == 3
    assert f"gap: {SHOP} global compute.routes : denied: forbidden" in result.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--project", "shop-test"], "there is no project 'shop-test'"),
        (["--gcp-folder", "8"], "the projects below folders/8 cannot be listed"),
        (["--gcp-organization", "example.org"], "'example.org' is no number of an organisation"),
    ],
)
def test_a_scope_that_does_not_exist_leaves_with_2(
    run: Run, login: dict[str, str], options: list[str], words: str
) -> None:
    result = run("collect", "gcp", "-o", "kept", *options, environment=login)
    assert (result.returncode, result.stderr.count("Traceback")) == (2, 0)
    assert words in result.stderr


def test_without_credentials_the_program_leaves_with_2_and_says_how_to_get_some(
    run: Run, login: dict[str, str], tmp_path: Path
) -> None:
    nowhere = {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "none.json")}
    result = run("collect", "gcp", "-o", "kept", environment={**login, **nowhere})
    assert result.returncode == 2
    assert result.stderr.startswith("cloudseg: no Google Cloud credentials: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("option", ["--project", "--gcp-folder", "--gcp-organization"])
def test_options_for_google_cloud_without_it_are_refused(run: Run, option: str) -> None:
    result = run("collect", "demo", "-o", "kept", option, "x")
    assert result.returncode == 2
    assert "--project, --gcp-folder and --gcp-organization are for the source `gcp`" in result.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["collect", "--help"], ["collect", "demo", "-o", "kept"]])
def test_the_sdks_are_not_loaded_where_google_cloud_is_not_read(tmp_path: Path, arguments: list[str]) -> None:
    program = (
        "import sys\nfrom cloudseg.cli import main\n"
        f"sys.argv = ['cloudseg', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('google', 'grpc')], file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=120
    )
    assert result.stderr.splitlines()[-1] == "[]"


def test_a_machine_without_the_sdks_is_told_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys\nsys.modules['google.api_core'] = None\nfrom cloudseg.cli import main\n"
        "sys.argv = ['cloudseg', 'collect', 'gcp', '-o', 'kept']\nmain()"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120
    )
    assert result.returncode == 2
    assert "install it with `pip install 'cloudseg[gcp]'`" in result.stderr
