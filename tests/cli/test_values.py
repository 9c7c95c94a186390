"""Words of a command line are read as Typer reads them, and without its library where they are plain."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cloudseg.cli.main import app

_TELL = """\
import sys
from cloudseg.cli import main
sys.argv = ["cloudseg", *sys.argv[1:]]
try:
    main()
finally:
    sys.stderr.write(f"pydantic: {'pydantic' in sys.modules}")
"""


def _loads_pydantic(folder: Path, *words: str) -> bool:
    command = [sys.executable, "-c", _TELL, *words]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert ran.stderr.endswith(("pydantic: True", "pydantic: False")), ran.stderr
    return ran.stderr.endswith("True")


@pytest.mark.parametrize(
    "words",
    [
        ("audit", "demo", "--format", "json", "--fail-on", "none", "--check", "flat-network"),
        ("reach", "demo", "--format", "json", "--to", "internet"),
        ("checks",),
        ("--help",),
    ],
)
def test_plain_words_load_no_library(words: tuple[str, ...], tmp_path: Path) -> None:
    assert not _loads_pydantic(tmp_path, *words)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("audit", "demo", "--format", "jsn"), "'jsn' is not one of 'table', 'json'"),
        (("audit", "demo", "--format", "JSON"), "'JSON' is not one of 'table', 'json'"),
        (("audit", "demo", "--limit", "few"), "--limit"),
        (("audit", "demo", "--limit", "-1"), "--limit"),
    ],
)
def test_what_is_wrong_is_refused_in_words(words: tuple[str, ...], problem: str) -> None:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 2
    assert problem in result.output


def test_numbers_and_choices_are_read() -> None:
    words = ["audit", "demo", "--check", "flat-network", "--check", "tier-skip", "--limit", "0", "--fail-on", "none"]
    assert CliRunner().invoke(app, words).exit_code in {0, 3}
