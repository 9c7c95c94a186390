"""`cloudseg plan`: from a snapshot to a folder that people review."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from cloudseg.cli.plan import exit_code
from cloudseg.model import Gap
from cloudseg.model.edits import RemoveRule
from cloudseg.plan.digest import verified
from cloudseg.plan.document import read_plan
from cloudseg.plan.settling import Verdict
from cloudseg.reporters.schema import plan_schema
from cloudseg.snapshot import save
from tests.cli.test_intent import BYE, SEEN, ends, write_file
from tests.conformance.account import Account, permission
from tests.documents import assert_fits
from tests.plan.plans import DB, advice, change, made, proposal, remedy
from tests.plan.plans import shop as example

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from cloudseg.plan.ordering import Step
    from cloudseg.remediations.interface import Answer

Run = Callable[..., "subprocess.CompletedProcess[str]"]

INTENT = """\
schema: cloudseg/intent/v1
segments:
  web: {groups: web}
  db: {groups: db}
allow:
  - {from: web, to: db, traffic: tcp/5432}
"""


@pytest.fixture(autouse=True)
def shop(tmp_path: Path) -> None:
    """The snapshot `shop`: a database whose group has a port that nobody uses; and the conversations `seen`."""
    save(account().snapshot(), tmp_path / "shop")
    write_file(tmp_path / "seen", SEEN)
    (tmp_path / "intent.yaml").write_text(INTENT, encoding="utf-8")


def account() -> Account:
    made = Account()
    made.group("sg-web", permission("tcp", 443, 443, "0.0.0.0/0"), egress=BYE, name="web")
    made.group("sg-db", permission("tcp", 5400, 5500, "sg-web"), egress=BYE, name="db")
    made.interface("eni-web", "sg-web", address="10.0.1.5", public="203.0.113.5")
    made.interface("eni-db", "sg-db", subnet="subnet-private", address="10.0.2.5")
    return made


def document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "plan.json").read_bytes())
    return found


def test_a_plan_is_a_folder_with_a_document_and_a_text_for_reviewers(run: Run, tmp_path: Path) -> None:
    result = run("plan", "shop", "--intent", "intent.yaml", "-o", "out")

    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["plan.json", "plan.md"]
    assert (tmp_path / "out" / "plan.md").read_text(encoding="utf-8").startswith("## cloudseg plan: ")
    assert "out: plan.json, plan.md" in result.stderr
    assert "next: review out/plan.md" in result.stderr


def test_the_document_fits_its_schema_and_bears_its_digest(run: Run, tmp_path: Path) -> None:
    run("plan", "shop", "--intent", "intent.yaml", "-o", "out")

    found = document(tmp_path / "out")
    assert_fits(found, plan_schema())
    assert verified(found)
    assert read_plan((tmp_path / "out" / "plan.json").read_bytes(), "plan.json").tool == found["tool"]


def test_the_same_input_gives_the_same_bytes_and_replaces_the_plan(run: Run, tmp_path: Path) -> None:
    files = ("plan.json", "plan.md")
    run("plan", "shop", "--intent", "intent.yaml", "-o", "out")
    before = [(tmp_path / "out" / name).read_bytes() for name in files]
    again = run("plan", "shop", "--intent", "intent.yaml", "-o", "out")

    assert again.returncode == 0, again.stderr
    assert [(tmp_path / "out" / name).read_bytes() for name in files] == before


def test_a_plan_is_for_its_owner_alone(run: Run, tmp_path: Path) -> None:
    run("plan", "shop", "-o", "out")

    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "out" / "plan.json").stat().st_mode & 0o777 == 0o600


def test_without_flows_and_intent_the_next_command_brings_flows(run: Run, tmp_path: Path) -> None:
    result = run("plan", "shop", "-o", "out")

    assert "next: `cloudseg flows LOG... -o conversations.parquet`, then `cloudseg plan shop --flows" in result.stderr
    assert any("no flows and no intent" in note for note in document(tmp_path / "out")["notes"])


def test_flows_are_the_evidence(run: Run, tmp_path: Path) -> None:
    result = run("plan", "shop", "--flows", "seen", "-o", "out")

    assert result.returncode in {0, 4}, result.stderr
    assert document(tmp_path / "out")["evidence"]["conversations"] == 1


def test_flows_of_another_account_are_refused_and_nothing_is_written(run: Run, tmp_path: Path) -> None:
    write_file(tmp_path / "strange", ends("172.31.0.1", "172.31.0.2", 5432))
    result = run("plan", "shop", "--flows", "strange", "-o", "out")

    assert result.returncode == 2
    assert "the flows are not of this estate" in result.stderr
    assert not (tmp_path / "out").exists()


def test_an_intent_of_another_estate_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "intent.yaml").write_text(INTENT.replace("groups: ", "groups: other-"), encoding="utf-8")
    result = run("plan", "shop", "--intent", "intent.yaml", "-o", "out")

    assert result.returncode == 2
    assert "the intent is not about this estate" in result.stderr


def test_gaps_make_a_plan_incomplete(run: Run, tmp_path: Path) -> None:
    missing = tmp_path / "shop" / "aws" / "111122223333" / "eu-west-1" / "ec2" / "describe_route_tables.json"
    manifest = json.loads((tmp_path / "shop" / "manifest.json").read_text(encoding="utf-8"))
    name = str(missing.relative_to(tmp_path / "shop"))
    manifest["files"] = [file for file in manifest["files"] if file != name]
    (tmp_path / "shop" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    missing.unlink()
    result = run("plan", "shop", "--intent", "intent.yaml", "-o", "out")

    assert result.returncode == 3, result.stderr
    assert "**Not all was read**" in (tmp_path / "out" / "plan.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--check", "unused-rul"), "did you mean unused-rule"),
        (("--check", "public-address"), "no remedy answers the findings of public-address"),
        (("--skip", "nonsense"), "there is no check 'nonsense'"),
        (("--remedy", "narrow-port"), "there is no remedy 'narrow-port'; did you mean narrow-ports?"),
        (("--segment", "wbe", "--intent", "intent.yaml"), "there is no segment 'wbe'; did you mean web?"),
        (("--environment", "prod"), "no interface bears a tag for the environment 'prod'"),
        (("--max-edits", "0"), "--max-edits"),
        (("--flows", "nothing"), "nothing"),
        (("--intent", "nothing.yaml"), "nothing.yaml"),
        (("--as-of", "soon"), "--as-of 'soon' is no day"),
    ],
)
def test_wrong_words_are_answered_with_the_way_out(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    result = run("plan", "shop", *arguments, "-o", "out")

    assert result.returncode == 2
    assert words in " ".join(result.stderr.split())
    assert not (tmp_path / "out").exists()


def test_a_plan_needs_a_folder_to_write(run: Run) -> None:
    result = run("plan", "shop")

    assert result.returncode == 2
    assert "--output" in result.stderr


def test_a_file_is_never_written_over(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    result = run("plan", "shop", "-o", "out")

    assert result.returncode == 2
    assert "out: a file is there; a plan is a folder" in result.stderr
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"


def test_a_folder_that_does_not_exist_is_not_made_for_a_plan_inside_it(run: Run) -> None:
    result = run("plan", "shop", "-o", "no/such/out")

    assert result.returncode == 2
    assert "there is no folder no/such" in result.stderr


@pytest.mark.parametrize("file", ["notes.txt", "journal.jsonl", "sub/plan.json"])
def test_a_folder_with_other_files_is_never_replaced(run: Run, tmp_path: Path, file: str) -> None:
    run("plan", "shop", "-o", "out")
    mine = tmp_path / "out" / file
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine", encoding="utf-8")
    result = run("plan", "shop", "-o", "out")

    assert result.returncode == 2
    assert f"holds other files ({file}), which would be lost" in result.stderr
    assert mine.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("content", ["{}", "no json", '{"schema": "cloudseg/findings/v1"}'])
def test_a_folder_whose_plan_is_none_is_never_replaced(run: Run, tmp_path: Path, content: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "plan.json").write_text(content, encoding="utf-8")
    result = run("plan", "shop", "-o", "out")

    assert result.returncode == 2
    assert "no plan that could be replaced" in result.stderr


def test_an_empty_folder_is_filled(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()

    assert run("plan", "shop", "--intent", "intent.yaml", "-o", "out").returncode == 0
    assert (tmp_path / "out" / "plan.json").is_file()


def test_quiet_says_nothing_beside_the_table(run: Run) -> None:
    result = run("plan", "shop", "--intent", "intent.yaml", "-o", "out", "--quiet")

    assert not result.stderr
    assert result.stdout


def test_answers_can_be_kept_and_give_the_same_plan(run: Run, tmp_path: Path) -> None:
    run("plan", "shop", "--intent", "intent.yaml", "-o", "out", "--save", "kept.zip")
    run("plan", "kept.zip", "--intent", "intent.yaml", "-o", "again")

    assert document(tmp_path / "again")["digest"] == document(tmp_path / "out")["digest"]


def test_the_order_of_environments_is_configured(run: Run, tmp_path: Path) -> None:
    (tmp_path / "cloudseg.toml").write_text('[plan]\nenvironments = ["lab", "plant"]\n', encoding="utf-8")
    run("plan", "shop", "--intent", "intent.yaml", "-o", "out")

    assert document(tmp_path / "out")["asked"]["order"] == ["lab", "plant"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("environments = []", "names no order"),
        ('environments = ["dev", "DEV"]', "names no order"),
        ('environment = ["dev"]', "environments"),
        ("environments = 3", "list of texts"),
    ],
)
def test_a_wrong_order_of_environments_is_named(run: Run, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "cloudseg.toml").write_text(f"[plan]\n{text}\n", encoding="utf-8")
    result = run("plan", "shop", "-o", "out")

    assert result.returncode == 2
    assert words in result.stderr


def test_where_a_controller_owns_every_group_people_are_told_what_to_do(run: Run, tmp_path: Path) -> None:
    made = Account()
    owned = {"GroupId": "sg-db", "GroupName": "db", "OwnerId": "111122223333", "VpcId": "vpc-1", "Description": "d"}
    rules = {"IpPermissions": [permission("tcp", 5432, 5432, "10.0.0.0/16")], "IpPermissionsEgress": BYE}
    tags = [{"Key": "kubernetes.io/cluster/prod", "Value": "owned"}]
    made.add("ec2", "describe_security_groups", "SecurityGroups", {**owned, **rules, "Tags": tags})
    made.interface("eni-db", "sg-db", subnet="subnet-private", address="10.0.2.5")
    made.interface("eni-web", "sg-db", address="10.0.1.5")
    save(made.snapshot(), tmp_path / "managed")
    result = run("plan", "managed", "--check", "address-based-rule", "-o", "out")

    assert result.returncode == 0, result.stderr
    found = document(tmp_path / "out")
    assert not found["edits"]
    assert {each["by"] for each in found["refused"]} == {"remedy"}
    assert "nothing to change" in result.stdout


NO_SSH = proposal(change("remove", RemoveRule(DB, "ssh")))
GAP = Gap("aws", "111122223333", "eu-west-1", "ec2.x", "", "denied", "no")


@pytest.mark.parametrize(
    ("answer", "gaps", "proves", "code"),
    [
        (NO_SSH, (), True, 0),
        (NO_SSH, (GAP,), True, 3),
        (NO_SSH, (), False, 4),
        (NO_SSH, (GAP,), False, 4),
        (advice(), (), True, 0),
        (advice(), (GAP,), True, 3),
    ],
)
def test_that_nothing_could_be_proved_goes_before_gaps(
    answer: Answer,
    gaps: tuple[Gap, ...],
    proves: bool,  # noqa: FBT001 - a column of the table
    code: int,
) -> None:
    estate = dataclasses.replace(example().build(), gaps=gaps)

    def prove(_estate: object, steps: Sequence[Step], _demand: object) -> Verdict:
        return Verdict(holds=proves or not steps)

    document = made(estate, remedy("mend", lambda _c, _f: (answer,)), prove=prove).document

    assert exit_code(document) == code


def test_policies_of_a_cluster_are_written_as_manifests(run: Run, tmp_path: Path) -> None:
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "all.yaml").write_text(CLUSTER, encoding="utf-8")
    result = run("plan", "cluster", "--check", "missing-default-deny", "-o", "out")
    found = document(tmp_path / "out")

    assert result.returncode in {0, 4}, result.stderr
    written = {each["path"] for each in found["manifests"] if each["path"]}
    assert written == {
        str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").glob("manifests/**/*.yaml")
    }
    for each in found["manifests"]:
        if each["path"]:
            content = (tmp_path / "out" / each["path"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == each["sha256"]


CLUSTER = """\
{kind: Namespace, apiVersion: v1, metadata: {name: shop}}
---
{kind: Deployment, apiVersion: apps/v1, metadata: {name: web, namespace: shop}, spec: {selector: {matchLabels:
  {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}}}
---
{kind: Deployment, apiVersion: apps/v1, metadata: {name: db, namespace: shop}, spec: {selector: {matchLabels:
  {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c}]}}}}
"""
