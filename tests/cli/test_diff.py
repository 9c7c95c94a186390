"""`cloudseg diff`: what became reachable, what stopped, which findings came and went."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cloudseg.reporters.schema import diff_schema
from cloudseg.snapshot import save
from tests.conformance.account import Account, Json, permission
from tests.documents import assert_fits

if TYPE_CHECKING:
    import subprocess

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Part = Callable[[str, object], None]

HTTPS = permission("tcp", 443, 443, "0.0.0.0/0")
SSH = permission("tcp", 22, 22, "0.0.0.0/0")
POSTGRES = permission("tcp", 5432, 5432, "sg-web")


def account(*web: Json, database: tuple[Json, ...] = (), more: bool = False) -> Account:
    made = Account()
    made.group("sg-web", *web, egress=[permission("-1", None, None, "0.0.0.0/0")], name="web")
    made.group("sg-db", *database, name="db")
    made.interface("eni-web", "sg-web", address="10.0.1.5", public="203.0.113.5")
    made.interface("eni-db", "sg-db", subnet="subnet-private", address="10.0.2.5")
    if more:
        made.interface("eni-new", "sg-db", subnet="subnet-private", address="10.0.2.6")
    return made


@pytest.fixture
def readings(tmp_path: Path) -> None:
    """`old`: HTTPS and the database; `new`: SSH from everywhere as well, and the database closed."""
    save(account(HTTPS, database=(POSTGRES,)).snapshot(), tmp_path / "old")
    save(account(HTTPS, SSH).snapshot(), tmp_path / "new")


def test_what_became_reachable_and_what_stopped_have_witnesses(run: Run, readings: None) -> None:
    result = run("diff", "old", "new", "--format", "json")
    document = json.loads(result.stdout)
    assert_fits(document, diff_schema())
    (gained,), (lost,) = document["gained"], document["lost"]
    assert [end.rsplit(":", 1)[-1] for end in gained["to"]] == ["eni-web"]
    assert all(end.startswith("external:") for end in gained["from"])
    assert (gained["certain"], gained["at_most"], gained["cause"]) == (["tcp/22"], [], "changed")
    assert (gained["witness"]["to_address"], gained["witness"]["traffic"]) == ("10.0.1.5", "tcp/22")
    assert ([*lost["from"], *lost["to"]], lost["certain"]) == (
        ["aws:111122223333:eu-west-1:eni-web", "aws:111122223333:eu-west-1:eni-db"],
        ["tcp/5432"],
    )
    assert (lost["witness"]["from_address"], lost["witness"]["to_address"]) == ("10.0.1.5", "10.0.2.5")
    assert (document["summary"]["gains"]["from_outside"], document["summary"]["losses"]["pairs"]) == (1, 1)


def test_new_findings_decide_the_exit_code(run: Run, readings: None) -> None:
    assert run("diff", "old", "new").returncode == 1
    assert run("diff", "old", "new", "--fail-on", "critical").returncode == 0
    assert run("diff", "old", "new", "--fail-on", "none").returncode == 0
    assert run("diff", "new", "old", "--fail-on", "high").returncode == 0
    assert run("diff", "new", "new", "--fail-on", "info").returncode == 0


def test_findings_that_came_and_went_are_told_apart(run: Run, readings: None) -> None:
    there = json.loads(run("diff", "old", "new", "-f", "json").stdout)["findings"]
    back = json.loads(run("diff", "new", "old", "-f", "json").stdout)["findings"]
    assert [f["check"] for f in there["new"] if f["severity"] == "high"] == ["internet-exposed-port"]
    assert {f["id"] for f in there["new"]} == {f["id"] for f in back["gone"]}
    assert {f["id"] for f in there["gone"]} == {f["id"] for f in back["new"]}


def test_the_table_shows_both_with_the_exposure(run: Run, readings: None) -> None:
    result = run("diff", "old", "new")
    for text in (
        "Became reachable",
        "Stopped being reachable",
        "New findings",
        "Exposure",
        "tcp/22",
        "10.0.2.5 tcp/5432",
    ):
        assert text in result.stdout
    assert "became reachable: 0 pairs, 1 interface from outside" in result.stderr


def test_equal_readings_say_so(run: Run, readings: None) -> None:
    result = run("diff", "old", "old")
    assert result.returncode == 0
    assert "Became reachable" not in result.stdout
    assert "became reachable: 0 pairs; stopped: 0 pairs; findings: 0 new, 0 gone" in result.stdout


def test_interfaces_that_came_are_named(run: Run, tmp_path: Path) -> None:
    save(account(HTTPS).snapshot(), tmp_path / "old")
    save(account(HTTPS, more=True).snapshot(), tmp_path / "new")
    document = json.loads(run("diff", "old", "new", "-f", "json").stdout)
    assert document["came"] == ["aws:111122223333:eu-west-1:eni-new"]
    assert document["names"]["aws:111122223333:eu-west-1:eni-new"] == "eni-new"
    assert "Interfaces that went: 1" in run("diff", "new", "old").stdout


def test_reports_are_written_by_suffix(run: Run, readings: None, tmp_path: Path) -> None:
    result = run("diff", "old", "new", "-o", "diff.json", "-o", "diff.md", "-o", "diff.txt")
    assert (result.returncode, result.stdout) == (1, "")
    assert json.loads((tmp_path / "diff.json").read_text())["schema"] == "cloudseg/diff/v1"
    assert (tmp_path / "diff.md").read_text().startswith("## cloudseg: became reachable:")
    assert (tmp_path / "diff.txt").read_text().startswith("Became reachable")


def test_gaps_of_either_reading_leave_with_3(run: Run, readings: None, tmp_path: Path) -> None:
    partial = account(HTTPS)
    del partial.answers["ec2", "describe_route_tables", None]
    save(partial.snapshot(), tmp_path / "partial")
    for old, new, which in (("partial", "old", "old"), ("old", "partial", "new")):
        result = run("diff", old, new, "--fail-on", "none")
        assert result.returncode == 3
        assert f"the {which} reading is incomplete" in result.stdout


def test_accepted_findings_are_no_news(run: Run, readings: None, tmp_path: Path) -> None:
    (tmp_path / "waivers.yaml").write_text(
        "- {check: internet-exposed-port, resource: sg-web, owner: net, reason: agreed, expires: 2027-12-31}\n"
    )
    document = json.loads(run("diff", "old", "new", "--waivers", "waivers.yaml", "-f", "json").stdout)
    assert "internet-exposed-port" not in {f["check"] for f in document["findings"]["new"]}
    assert run("diff", "old", "new", "--waivers", "waivers.yaml").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["diff", "old"], "NEW"),
        (["diff", "old", "nowhere"], "there is no 'nowhere'"),
        (["diff", "old", "new", "--region", "eu-west-1"], "for the source `aws`"),
        (["diff", "old", "new", "--output", "diff.csv"], "diff.csv"),
        (["diff", "old", "new", "--fail-on", "bad"], "bad"),
        (["diff", "old", "new", "--format", "sarif"], "sarif"),
    ],
)
def test_wrong_input_is_named_and_leaves_with_2(run: Run, readings: None, arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_readings_without_interfaces_are_compared(run: Run, open_ssh: Part) -> None:
    result = run("diff", "estate", "estate")
    assert result.returncode == 3, result.stderr
    assert "became reachable: 0 pairs" in result.stdout


def test_a_comparison_measures_by_the_intent_as_an_audit_does(run: Run) -> None:
    audited = json.loads(run("audit", "demo", "-f", "json").stdout)["summary"]["exposure"]
    compared = json.loads(run("diff", "demo", "demo", "-f", "json").stdout)
    assert audited["by_intent"]
    assert compared["old"]["exposure"] == compared["new"]["exposure"] == audited
    assert "where the intent names" in run("diff", "demo", "demo").stdout


@pytest.mark.parametrize("arguments", [["--intent", "intent.yaml"], []])
def test_the_intent_of_an_option_or_of_the_configuration_is_used(
    run: Run, tmp_path: Path, readings: None, arguments: list[str]
) -> None:
    (tmp_path / "intent.yaml").write_text(
        "schema: cloudseg/intent/v1\ndefault: deny\n"
        "segments: {web: {groups: web}, db: {groups: db}}\n"
        "allow: [{from: web, to: db, traffic: tcp/5432}]\n"
    )
    if not arguments:
        (tmp_path / "cloudseg.toml").write_text('intent = "intent.yaml"\n')
    result = run("diff", "old", "new", *arguments, "-f", "json")
    assert result.returncode in {0, 1}, result.stderr
    exposure = json.loads(result.stdout)["new"]["exposure"]
    assert (exposure["by_intent"], exposure["any_port"]["of"]) == (True, 1)


def test_a_broken_intent_is_refused(run: Run, tmp_path: Path, readings: None) -> None:
    (tmp_path / "intent.yaml").write_text("segments: 3\n")
    result = run("diff", "old", "new", "--intent", "intent.yaml")
    assert result.returncode == 2
    assert "intent.yaml" in result.stderr
