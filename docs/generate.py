"""Writes the generated pages of the documentation; with ``--check`` names those that are stale.

A page is made from what it documents: a check's docstring and metadata, the program's own ``--help``, the types of a
document, the conformance cases, and a run of the program over the bundled estate.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import json
import re
import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from typer.main import get_command  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from cloudseg.checks import CHECKS  # noqa: E402
from cloudseg.cli.main import app  # noqa: E402
from cloudseg.flows.columns import CONVERSATIONS, EVIDENCE  # noqa: E402
from cloudseg.intent_schema import intent_schema  # noqa: E402
from cloudseg.providers import TRANSLATORS  # noqa: E402
from cloudseg.providers.kubernetes.role import cluster_role  # noqa: E402
from cloudseg.remediations import REMEDIES  # noqa: E402
from cloudseg.reporters.check_page import docstring_of, summary_of, toml  # noqa: E402
from cloudseg.reporters.schema import (  # noqa: E402
    diff_schema,
    explanation_schema,
    findings_schema,
    plan_schema,
    reachability_schema,
)
from docs.remedy_pages import remedy_index, remedy_page, remedy_table  # noqa: E402
from tests.conformance.aws import CASES  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import Check

DOCS = ROOT / "docs"
CLOUDS = ("aws", "azure", "gcp", "kubernetes")
COLUMNS = 100
SCHEMAS = {
    "findings": findings_schema,
    "reachability": reachability_schema,
    "explanation": explanation_schema,
    "diff": diff_schema,
    "plan": plan_schema,
}
GENERATED = "<!-- Written by docs/generate.py; edit what it is made from. -->\n\n"
_EXAMPLE = re.compile(
    r"(<!-- example -->\n```console\n\$ cloudseg )([^\n]+)(\n).*?(\n```\n<!-- /example -->)", re.DOTALL
)
_PICTURE = re.compile(r"(<!-- picture: cloudseg )([^\n]+)( -->\n```mermaid\n).*?(\n```\n<!-- /picture -->)", re.DOTALL)
_SECTION = re.compile(r"^([A-Z][\w ]+):\n((?:(?:    .*)?\n?)+)", re.MULTILINE)


def check_page(check: Check) -> str:
    """Return the page of one check."""
    summary, _, rest = docstring_of(check).partition("\n")
    lines = [
        f"# {check.id}",
        "",
        _markdown(summary),
        "",
        f"Severity: **{check.severity}**, unless a finding says otherwise.",
    ]
    for heading, body in _SECTION.findall(rest):
        text = "\n".join(line.removeprefix("    ") for line in str(body).strip("\n").splitlines())
        lines += ["", f"## {heading}", "", _markdown(text)]
        if heading == "Remedy" and check.remedy:
            lines += ["", f"The remedy's id is `{check.remedy}`."]
    lines += ["", "## Clouds", "", "| cloud | what it looks at |", "|---|---|"]
    lines += [f"| {cloud} | {_where(check, cloud)} |" for cloud in CLOUDS]
    if check.needs or check.uses:
        needs = _codes(check.needs) or "nothing in particular"
        lines += ["", f"It cannot be evaluated without {needs}."]
        if check.uses:
            lines += [f"Its verdicts are certain where these were read as well: {_codes(check.uses)}."]
    if check.parameters:
        lines += [
            "",
            "## Settings",
            "",
            f"In `cloudseg.toml`, under `[checks.{check.id}]`:",
            "",
            "| key | default | meaning |",
            "|---|---|---|",
        ]
        lines += [f"| `{p.name}` | `{toml(p.default)}` | {p.description} |" for p in check.parameters]
    lines += ["", "## Examples", ""]
    lines += [f"- {'Reported' if example.finds else 'Not reported'}: {example.name}." for example in check.examples]
    if check.compliance:
        lines += ["", "## Compliance", "", "| benchmark | controls |", "|---|---|"]
        lines += [f"| {name} | {', '.join(controls)} |" for name, controls in sorted(check.compliance.items())]
    return GENERATED + "\n".join(lines) + "\n"


def check_index() -> str:
    """Return the list of all checks."""
    lines = ["# Checks", "", "`cloudseg checks` prints this list, `cloudseg checks ID` explains one.", ""]
    lines += ["| check | severity | finds |", "|---|---|---|"]
    lines += [f"| [{c.id}]({c.id}.md) | {c.severity} | {_markdown(summary_of(c))} |" for c in _by_id()]
    return GENERATED + "\n".join(lines) + "\n"


def coverage_page() -> str:
    """Return which check looks at which cloud, and which remedy changes something there."""
    lines = [
        "# Coverage",
        "",
        "What each check looks at, cloud by cloud. *Not yet*: this version cannot read the cloud, or the check does",
        "not know it. *None*: the cloud has no such thing, and the page of the check says why.",
        "",
    ]
    lines += [f"| check | {' | '.join(CLOUDS)} |", f"|---|{'---|' * len(CLOUDS)}"]
    for check in _by_id():
        marks = (_mark(check, cloud) for cloud in CLOUDS)
        lines.append(f"| [{check.id}](checks/{check.id}.md) | {' | '.join(marks)} |")
    lines += ["", *remedy_table(REMEDIES, CLOUDS)]
    return GENERATED + "\n".join(lines) + "\n"


def cli_page() -> str:
    """Return the program's own help, command by command."""
    runner = CliRunner()
    commands = sorted(getattr(get_command(app), "commands", {}))
    lines = ["# Command line"]
    for words in ((), *((name,) for name in commands)):
        result = runner.invoke(app, [*words, "--help"], prog_name="cloudseg", terminal_width=COLUMNS, color=False)
        text = "\n".join(line.rstrip() for line in result.stdout.strip("\n").splitlines())
        lines += ["", f"## {' '.join(('cloudseg', *words))}", "", "```text", text, "```"]
    return GENERATED + "\n".join(lines) + "\n"


def conformance_page() -> str:
    """Return the conformance cases with their verdicts and reasons."""
    lines = [
        "# Conformance",
        "",
        "Mistakes that audits of segmentation make, each as a small estate with the right verdict and the reason. The",
        "numbers are those of [semantics.md](semantics.md); the estates are in `tests/conformance/`.",
        "",
        "## AWS",
    ]
    number = 0
    for case in CASES:
        if case.number != number:
            number = case.number
            lines += [
                "",
                f"### {number}",
                "",
                "| estate and verdict | reason | reported | not reported |",
                "|---|---|---|---|",
            ]
        found = dict.fromkeys(f"{e.check}{f' ({e.severity})' if e.severity else ''}" for e in case.finds)
        silent = dict.fromkeys(entry if isinstance(entry, str) else entry[0] for entry in case.silent)
        lines.append(
            f"| {case.title} | {case.reason} | {', '.join(found) or 'nothing'} | {', '.join(silent) or 'nothing'} |"
        )
    return GENERATED + "\n".join(lines) + "\n"


def conversations_page() -> str:
    """Return the page of the file of conversations: its columns, and how initiators are known."""
    lines = [
        "# The file of conversations",
        "",
        "`cloudseg flows` writes Parquet: a row for each conversation, which any program that reads Parquet can",
        "query. It knows no estate: ids, addresses and times stand as they were logged. See [flow logs](flow-logs.md).",
        "",
        "| column | type | meaning |",
        "|---|---|---|",
        *(f"| `{column.name}` | {column.type} | {column.meaning} |" for column in CONVERSATIONS),
        "",
        "## How it is known who opened it",
        "",
        "| evidence | confidence | meaning |",
        "|---|---|---|",
        *(f"| `{name}` | {confidence} | {meaning} |" for name, (confidence, meaning) in EVIDENCE.items()),
        "",
        "## Coverage",
        "",
        "The key `cloudseg` of the file's metadata is a JSON document, `cloudseg/conversations/v1`: the window, the",
        "formats and files that were read, what was lost of them and why, records that the cloud skipped, whether",
        "records are a sample, and for every observer its network and when it first and last reported, idle or not.",
    ]
    return GENERATED + "\n".join(lines) + "\n"


def readme() -> str:
    """Return the README with the output of every example's command written anew.

    An example shows its command; a picture has it in the comment before.
    """
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for pattern in (_EXAMPLE, _PICTURE):
        text = pattern.sub(lambda m: f"{m[1]}{m[2]}{m[3]}{_output(m[2])}{m[4]}", text)
    return text


def _output(command: str) -> str:
    """Return what a command prints to standard output, as wide as the page, run beside the docs.

    What it writes is thrown away. A command that fails raises what it failed by: half an answer is no example.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("docs").symlink_to(DOCS)
        result = CliRunner().invoke(
            app,
            [*shlex.split(command), "--quiet"],
            prog_name="cloudseg",
            env={"COLUMNS": str(COLUMNS), "NO_COLOR": "1"},
        )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return "\n".join(line.rstrip() for line in result.stdout.strip("\n").splitlines())


def pages() -> Iterator[tuple[Path, str]]:
    """Yield every generated file with what it must hold."""
    for check in CHECKS:
        yield DOCS / "checks" / f"{check.id}.md", check_page(check)
    yield DOCS / "checks" / "README.md", check_index()
    for remedy in REMEDIES:
        yield DOCS / "remedies" / f"{remedy.id}.md", GENERATED + remedy_page(remedy, CLOUDS)
    yield DOCS / "remedies" / "README.md", GENERATED + remedy_index(REMEDIES)
    yield DOCS / "coverage.md", coverage_page()
    yield DOCS / "cli.md", cli_page()
    yield DOCS / "conformance.md", conformance_page()
    yield DOCS / "conversations.md", conversations_page()
    yield DOCS / "kubernetes-role.yaml", cluster_role()
    yield DOCS / "schemas" / "intent.schema.json", json.dumps(intent_schema(), indent=2, ensure_ascii=False) + "\n"
    for kind, schema in SCHEMAS.items():
        yield DOCS / "schemas" / f"{kind}.schema.json", json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
    yield ROOT / "README.md", readme()


def orphans(kept: set[Path]) -> list[Path]:
    """Return pages of checks and remedies that are no more."""
    return sorted(path for room in ("checks", "remedies") for path in (DOCS / room).glob("*.md") if path not in kept)


def main() -> int:
    """Write the pages, or compare them; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 and name the stale pages")
    check: bool = parser.parse_args().check
    wanted = dict(pages())
    stale = [path for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    extra = orphans(set(wanted))
    for path in stale:
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        print(f"{'stale' if check else 'wrote'}: {path.relative_to(ROOT)}")
        if check and path.is_file():
            _show_difference(path.read_text(encoding="utf-8"), wanted[path])
    for path in extra:
        if not check:
            path.unlink()
        print(f"{'about nothing that is there' if check else 'removed'}: {path.relative_to(ROOT)}")
    if check and (stale or extra):
        print("run `make docs`")
        return 1
    return 0


def _show_difference(old: str, new: str) -> None:
    for line in list(
        difflib.unified_diff(old.splitlines(), new.splitlines(), "as it is", "as it must be", "", "", 0, "")
    )[:20]:
        print(f"  {line}")


def _by_id() -> list[Check]:
    return sorted(CHECKS, key=lambda check: check.id)


def _markdown(text: str) -> str:
    return text.replace("``", "`")


def _codes(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _where(check: Check, cloud: str) -> str:
    if check.after_waivers:
        return "the waivers themselves, whatever cloud they are about"
    if cloud in check.concept and cloud in TRANSLATORS:
        return check.concept[cloud]
    return f"none: {check.absent[cloud]}" if cloud in check.absent else "not yet"


def _mark(check: Check, cloud: str) -> str:
    if check.after_waivers or (cloud in check.concept and cloud in TRANSLATORS):
        return "yes"
    return "none" if cloud in check.absent else "not yet"


if __name__ == "__main__":
    sys.exit(main())
