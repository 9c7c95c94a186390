"""The documentation is tested: what it promises exists, and what exists is in it."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from cloudseg.checks import CHECKS
from cloudseg.cli.main import app
from cloudseg.config import load_config
from cloudseg.waivers_file import load_waivers

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PROSE = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
PAGES = [*PROSE, *sorted(DOCS.rglob("*.md"))]
WRITTEN_BY_HAND = (
    "architecture", "adding-a-check", "adding-a-provider", "configuration", "correctness", "intent", "semantics",
)  # fmt: skip


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text(path), re.DOTALL | re.MULTILINE)


def makefile_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", text(ROOT / "Makefile"), re.MULTILINE))


@pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=lambda path: path.name)
def test_every_make_command_is_a_target(path: Path) -> None:
    named = set(re.findall(r"(?:`|^\$ )make ([a-z-]+)", text(path), re.MULTILINE))
    assert named
    assert named <= makefile_targets()


def test_every_check_has_a_page_and_every_page_a_check() -> None:
    pages = {path.stem for path in (DOCS / "checks").glob("*.md")} - {"README"}
    assert pages == {check.id for check in CHECKS}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_the_page_of_a_check_has_its_sections(check: Any) -> None:
    page = text(DOCS / "checks" / f"{check.id}.md")
    for heading in ("What it finds", "Why it matters", "Example", "Remedy", "Clouds", "Examples"):
        assert f"\n## {heading}\n" in page
    assert all(f"`{parameter.name}`" in page for parameter in check.parameters)


def test_every_command_and_option_is_in_the_reference() -> None:
    page = text(DOCS / "cli.md")
    commands: dict[str, Any] = getattr(get_command(app), "commands", {})
    assert commands
    for name, command in commands.items():
        assert f"## cloudseg {name}\n" in page
        section = page.partition(f"## cloudseg {name}\n")[2].partition("\n## ")[0]
        for option in (o for parameter in command.params for o in parameter.opts if o.startswith("--")):
            assert option in section, f"{name} {option}"


def test_every_option_that_the_prose_names_exists() -> None:
    commands: dict[str, Any] = getattr(get_command(app), "commands", {})
    known = {option for command in commands.values() for parameter in command.params for option in parameter.opts}
    of_other_programs = {"--version", "--help", "--check"}
    for path in (ROOT / "README.md", DOCS / "configuration.md"):
        named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text(path)))
        assert named <= known | of_other_programs, path.name


def test_the_example_of_a_configuration_loads(tmp_path: Path) -> None:
    (example,) = blocks(DOCS / "configuration.md", "toml")
    (tmp_path / "cloudseg.toml").write_text(example, encoding="utf-8")
    config = load_config(tmp_path / "cloudseg.toml")
    assert config.sources == ("aws",)
    assert config.parameters["internet-exposed-port"]["declared_public"] == ("exposure=public",)


def test_the_example_of_waivers_loads(tmp_path: Path) -> None:
    (example,) = blocks(DOCS / "configuration.md", "yaml")
    (tmp_path / "waivers.yaml").write_text(example, encoding="utf-8")
    assert [waiver.expires for waiver in load_waivers(tmp_path / "waivers.yaml")] == ["2027-01-31", "2027-06-30"]


def test_every_relative_link_leads_somewhere() -> None:
    for path in PAGES:
        for link in re.findall(r"\]\((?!https?://|#|urn:)([^)#\s]+)", text(path)):
            assert (path.parent / link).exists(), f"{path.relative_to(ROOT)}: {link}"


def test_the_pages_written_by_hand_are_there() -> None:
    assert all((DOCS / f"{name}.md").is_file() for name in WRITTEN_BY_HAND)


def test_the_packages_are_the_tree() -> None:
    settings = tomllib.loads(text(ROOT / "pyproject.toml"))["tool"]["setuptools"]
    places: dict[str, str] = settings["package-dir"]
    found: set[str] = set()
    for package, place in places.items():
        for init in (ROOT / place).rglob("__init__.py"):
            inside = init.parent.relative_to(ROOT / place).parts
            linked = package == "cloudseg" and inside[:1] and f"cloudseg.{inside[0]}" in places
            if not linked:
                found.add(".".join((package, *inside)))
    assert sorted(found) == sorted(settings["packages"])


MACHINE = re.compile(r"/work/|/home/|/root/|/tmp/bash")
SOURCES = ("checks", "cloudseg", "docs", "providers", "terraform", "benchmarks")


def test_no_source_names_a_path_of_a_machine() -> None:
    paths = (
        path for room in SOURCES for kind in ("py", "md", "tf", "json") for path in (ROOT / room).rglob(f"*.{kind}")
    )
    named = [str(path.relative_to(ROOT)) for path in paths if MACHINE.search(text(path))]
    assert not named


FORBIDDEN = re.compile(
    r"/work/|/tmp/|/home/|/root/|localhost:\d+|127\.0\.0\.1:\d{4,}|\bTODO\b|\bFIXME\b|not implemented|lorem ipsum",
    re.IGNORECASE,
)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_page_speaks_of_a_machine_or_of_unfinished_work(path: Path) -> None:
    assert not FORBIDDEN.findall(text(path))
