"""`cloudseg intent`: conversations and an estate become a reviewed matrix."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from cloudseg.flows.columns import CONVERSATIONS, ddl
from cloudseg.flows.conversations import write_conversations
from cloudseg.flows.coverage import Coverage, FormatRead, Loss, Observer
from cloudseg.flows.database import connect
from cloudseg.intent_file import read_intent
from cloudseg.snapshot import save
from tests.conformance.account import Account, permission

if TYPE_CHECKING:
    import subprocess

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Part = Callable[[str, object], None]

FIRST, LAST = 1_791_763_200, 1_794_787_200  # 2026-10-12 and 2026-11-16
DEFAULTS: Final[dict[str, object]] = {
    "provider": "aws", "protocol": 6, "verdict": "accepted", "observers": ["eni-web"], "middle": [], "rules": [],
    "connections": 12, "records": 40, "packets": 100, "bytes": 9000, "packets_back": 100, "bytes_back": 9000,
    "first_seen": "2026-10-12 00:00:00", "last_seen": "2026-11-15 00:00:00", "evidence": "handshake",
    "confidence": "high",
}  # fmt: skip


def write_file(path: Path, *rows: dict[str, object], last: int = LAST, losses: tuple[Loss, ...] = ()) -> None:
    """Write a file of conversations; what a row does not tell is as in ``DEFAULTS``, else nothing."""
    database = connect()
    database.execute(ddl("held", CONVERSATIONS))
    for row in rows:
        told = {**DEFAULTS, **row}
        names = ", ".join(f'"{name}"' for name in told)
        marks = ", ".join("?" for _ in told)
        database.execute(f"INSERT INTO held ({names}) VALUES ({marks})", list(told.values()))
    coverage = Coverage(
        first=FIRST,
        last=last,
        formats=(FormatRead("aws-vpc", "AWS VPC flow logs", 1, 100, 100),),
        records=100,
        losses=losses,
        observers=(Observer("aws", "eni-web", "vpc-1", "111122223333", FIRST, last, 100),),
    )
    write_conversations(database, "SELECT * FROM held", coverage, path)
    database.close()


def ends(source: str, target: str, port: int, **more: object) -> dict[str, object]:
    """Return what a row says of two ends, each as ``address`` or ``interface@address``."""
    told: dict[str, object] = {"port": port, **more}
    for side, end in (("initiator", source), ("responder", target)):
        interface, at, address = end.rpartition("@")
        told[side] = address
        if at:
            told |= {f"{side}_interface": interface, f"{side}_network": "vpc-1", f"{side}_scope": "111122223333"}
    return told


WEB, DB = "eni-web@10.0.1.5", "eni-db@10.0.2.5"
SEEN = ends(WEB, DB, 5432)
BYE = [permission("-1", None, None, "0.0.0.0/0")]


@pytest.fixture(autouse=True)
def shop(tmp_path: Path) -> None:
    """The snapshot `shop`: web machines that may open PostgreSQL to a database; and the file `seen` that shows it."""
    made = Account()
    made.group("sg-web", permission("tcp", 443, 443, "0.0.0.0/0"), egress=BYE, name="web")
    made.group("sg-db", permission("tcp", 5432, 5432, "sg-web"), egress=BYE, name="db")
    made.interface("eni-web", "sg-web", address="10.0.1.5", public="203.0.113.5")
    made.interface("eni-db", "sg-db", subnet="subnet-private", address="10.0.2.5")
    save(made.snapshot(), tmp_path / "shop")
    write_file(tmp_path / "seen", SEEN)


def test_it_writes_an_intent_with_the_evidence_beside_it(run: Run, tmp_path: Path) -> None:
    result = run("intent", "seen", "shop", "-o", "intent.yaml")
    assert result.returncode in {0, 3}, result.stderr
    intent = read_intent(tmp_path / "intent.yaml")
    assert [str(each) for each in intent.allow] == ["eni-web to eni-db: tcp/5432"]
    text = (tmp_path / "intent.yaml").read_text(encoding="utf-8")
    assert "#: tcp/5432: 12 connections from 1 of 1 to 1 of 1, 2026-10-12 to 2026-11-15, confidence high\n" in text
    assert "observed 2026-10-12 to 2026-11-16 (35 days): 1 conversation of AWS VPC flow logs" in text
    assert "intent.yaml: 2 segments and 1 allowance added; 1 conversation; " in result.stderr
    assert result.stdout == ""


def test_a_second_run_changes_no_byte_and_says_so(run: Run, tmp_path: Path) -> None:
    run("intent", "seen", "shop", "-o", "intent.yaml")
    path = tmp_path / "intent.yaml"
    before, touched = path.read_bytes(), path.stat().st_mtime_ns
    result = run("intent", "seen", "shop", "-o", "intent.yaml")
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, touched)
    assert "intent.yaml (unchanged): 0 segments and 0 allowances added" in result.stderr


def test_what_people_wrote_stays(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "intent.yaml"
    path.write_text(
        "# Ours.\nschema: cloudseg/intent/v1\nsegments:\n  front:  # the shop\n    ids: [eni-web]\n"
        "allow:\n- from: internet\n  to: front\n  traffic: tcp/443\n  owner: shop team\n",
        encoding="utf-8",
    )
    path.chmod(0o640)
    mine = path.read_text(encoding="utf-8").splitlines()
    run("intent", "seen", "shop", "-o", "intent.yaml")
    text = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in text if line in mine] == mine
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_stays_a_link(run: Run, tmp_path: Path) -> None:
    (tmp_path / "held").mkdir()
    (tmp_path / "intent.yaml").symlink_to("held/ours.yaml")
    run("intent", "seen", "shop", "-o", "intent.yaml")
    assert (tmp_path / "intent.yaml").is_symlink()
    assert len(read_intent(tmp_path / "held" / "ours.yaml").allow) == 1


def test_the_intent_goes_to_standard_output(run: Run, tmp_path: Path) -> None:
    run("intent", "seen", "shop", "-o", "intent.yaml")
    result = run("intent", "seen", "shop", "-o", "-", "--quiet")
    assert result.stdout == (tmp_path / "intent.yaml").read_text(encoding="utf-8")
    assert result.stderr == ""


def test_what_it_makes_is_an_intent_for_an_audit(run: Run) -> None:
    run("intent", "seen", "shop", "-o", "intent.yaml")
    result = run("audit", "shop", "--intent", "intent.yaml", "--check", "outside-intent", "--check", "blocked-intent")
    assert "tcp/5432" not in result.stdout


def test_refused_and_unknown_ones_are_counted_and_listed(run: Run, tmp_path: Path) -> None:
    unknown = ends(WEB, DB, 5432, confidence="unknown", evidence="unknown", initiator_port=40000)
    write_file(tmp_path / "seen", ends(WEB, DB, 22, verdict="refused"), unknown)
    result = run("intent", "seen", "shop", "-o", "intent.yaml")
    assert read_intent(tmp_path / "intent.yaml").allow == ()
    assert "2 conversations, 2 left out (1 refused, 1 unknown-initiator); 1 for a person to decide" in result.stderr


def test_a_short_window_and_lost_logs_are_warned_of(run: Run, tmp_path: Path) -> None:
    write_file(tmp_path / "seen", SEEN, last=FIRST + 3 * 86_400, losses=(Loss("a.gz", "it is cut"),))
    result = run("intent", "seen", "shop", "-o", "intent.yaml")
    text = (tmp_path / "intent.yaml").read_text(encoding="utf-8")
    for words in (
        "warning: the window of 3 days is shorter than 7 days",
        "warning: no end of a month lies in the window",
        "warning: one file, or a part of it, was lost: a.gz: it is cut",
    ):
        assert words in result.stderr
        assert f"#: {words}" in text
    assert "shorter than 2 days" not in run("intent", "seen", "shop", "-o", "x.yaml", "--minimum-window", "48h").stderr


@pytest.mark.parametrize(
    ("granularity", "traffic"), [("application", "tcp"), ("tier", "tcp"), ("tier+port", "tcp/5432")]
)
def test_how_finely_it_is_written_can_be_chosen(run: Run, tmp_path: Path, granularity: str, traffic: str) -> None:
    run("intent", "seen", "shop", "-o", "intent.yaml", "--granularity", granularity)
    assert [str(each.traffic) for each in read_intent(tmp_path / "intent.yaml").allow] == [traffic]


def test_labels_of_the_configuration_tell_the_application(run: Run, conversations: str, tmp_path: Path) -> None:
    (tmp_path / "cloudseg.toml").write_text('[labels]\napplication = ["team"]\n', encoding="utf-8")
    run("intent", conversations, "demo", "-o", "intent.yaml")
    assert any("team" in each.choice.tags for each in read_intent(tmp_path / "intent.yaml").segments)


def test_probes_are_a_script_for_pods_and_a_list_for_machines(run: Run, tmp_path: Path) -> None:
    run("intent", "seen", "shop", "-o", "intent.yaml", "--probes", "probes.sh")
    with (tmp_path / "probes.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    allowed = [row for row in rows if row["expected"] == "allowed"]
    assert [(row["from_address"], row["to_address"], row["port"]) for row in allowed] == [
        ("10.0.1.5", "10.0.2.5", "5432")
    ]
    script = tmp_path / "probes.sh"
    assert script.read_text(encoding="utf-8").startswith("#!/bin/sh\n")
    assert script.stat().st_mode & 0o100


class TestRefusals:
    """Exit code 2 and one line with the way out; nothing is written over."""

    def refused(self, result: "subprocess.CompletedProcess[str]", words: str) -> None:
        assert result.returncode == 2
        assert words in result.stderr
        assert "Traceback" not in result.stderr

    def test_a_file_that_is_no_intent_is_not_written_over(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "intent.yaml"
        path.write_text("schema: other\n", encoding="utf-8")
        self.refused(run("intent", "seen", "shop", "-o", "intent.yaml"), "segments: is missing")
        assert path.read_text(encoding="utf-8") == "schema: other\n"

    def test_one_that_cannot_take_lines_is_not_written_over(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "intent.yaml"
        text = "schema: cloudseg/intent/v1\nsegments: {a: {ids: eni-web}}\n"
        path.write_text(text, encoding="utf-8")
        self.refused(run("intent", "seen", "shop", "-o", "intent.yaml"), "on lines of its own")
        assert path.read_text(encoding="utf-8") == text
        assert sorted(each.name for each in tmp_path.iterdir()) == ["intent.yaml", "seen", "shop"]

    def test_what_is_no_file_of_conversations_is_named(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "other").write_text("x", encoding="utf-8")
        self.refused(run("intent", "other", "shop", "-o", "intent.yaml"), "other")
        self.refused(run("intent", "missing", "shop", "-o", "intent.yaml"), "missing")
        assert not (tmp_path / "intent.yaml").exists()

    def test_a_window_must_be_a_span_of_time(self, run: Run) -> None:
        for text in ("7", "d", "-1d", "1w", "٣d"):
            self.refused(run("intent", "seen", "shop", "-o", "x.yaml", f"--minimum-window={text}"), "write 7d, or 36h")

    def test_probes_are_a_script(self, run: Run) -> None:
        self.refused(run("intent", "seen", "shop", "-o", "x.yaml", "--probes", "probes"), "name a script")

    def test_the_folder_must_be_there(self, run: Run) -> None:
        self.refused(run("intent", "seen", "shop", "-o", "no/x.yaml"), "there is no folder no")

    def test_the_output_must_be_named(self, run: Run) -> None:
        assert run("intent", "seen", "shop").returncode == 2


def test_the_demo_works_out_of_the_box(run: Run, tmp_path: Path) -> None:
    run("flows", "demo", "-o", "conversations.parquet")
    result = run("intent", "conversations.parquet", "demo", "-o", "intent.yaml", "--probes", "probes.sh")
    assert result.returncode == 0, result.stderr
    first = (tmp_path / "intent.yaml").read_bytes()
    assert "bookshop/web/prod to bookshop/app/prod: tcp/8080" in map(str, read_intent(tmp_path / "intent.yaml").allow)
    assert run("intent", "conversations.parquet", "demo", "-o", "intent.yaml").returncode == 0
    assert (tmp_path / "intent.yaml").read_bytes() == first
    assert "deployment/storefront" in (tmp_path / "probes.sh").read_text(encoding="utf-8")


def test_demo_stands_for_the_bundled_logs_and_what_a_person_must_confirm_is_counted(run: Run) -> None:
    result = run("intent", "demo", "demo", "-o", "intent.yaml")
    assert result.returncode == 0
    assert "look for `review:`" in result.stderr
