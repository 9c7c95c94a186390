"""`cloudseg reach`: what is asked, what is answered, and what is said of wrong input."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from cloudseg.reporters.schema import reachability_schema
from cloudseg.snapshot import save
from tests.conformance.account import Account, permission
from tests.documents import assert_fits

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Part = Callable[[str, object], None]


@pytest.fixture
def two_tiers(tmp_path: Path) -> Account:
    """A web interface with a public address and a database behind it, as the snapshot `tiers`."""
    account = Account()
    everything = permission("-1", None, None, "0.0.0.0/0")
    account.group("sg-web", permission("tcp", 443, 443, "0.0.0.0/0"), egress=[everything], name="web")
    account.group("sg-db", permission("tcp", 5432, 5432, "sg-web"), name="db")
    account.interface("eni-web", "sg-web", address="10.0.1.5", public="203.0.113.5")
    account.interface("eni-db", "sg-db", subnet="subnet-private", address="10.0.2.5")
    save(account.snapshot(), tmp_path / "tiers")
    return account


def test_the_tiers_of_a_small_estate(run: Run, two_tiers: Account, snapshot: SnapshotAssertion) -> None:
    result = run("reach", "tiers")
    assert result.returncode == 0, result.stderr
    assert result.stdout == snapshot
    assert "2 interfaces in 2 classes; 1 of 2 pairs can talk" in result.stderr


def test_what_the_jump_host_of_the_demo_reaches(run: Run, snapshot: SnapshotAssertion) -> None:
    result = run("reach", "demo", "--from", "bookshop-prod-jump", "--quiet")
    assert result.returncode == 0, result.stderr
    assert result.stdout == snapshot


def test_ends_and_traffic_restrict_the_answer(run: Run, two_tiers: Account) -> None:
    rows = run("reach", "tiers", "--from", "web", "--to", "10.0.2.5", "--traffic", "tcp/5000-6000", "-f", "csv").stdout
    (row,) = csv.DictReader(io.StringIO(rows))
    assert (row["from"][-7:], row["to"][-6:], row["traffic"], row["bound"]) == (
        "eni-web",
        "eni-db",
        "tcp/5432",
        "exact",
    )
    none = run("reach", "tiers", "--from", "sg-db", "--to", "sg-web", "--to", "internet")
    assert none.returncode == 0
    assert "Nothing passes between these ends." in none.stdout
    several = run("reach", "tiers", "--from", "internet", "--from", "sg-web", "--to", "vpc-1", "-f", "csv", "-q")
    assert {row["to"][-7:] for row in csv.DictReader(io.StringIO(several.stdout))} == {"eni-web", ":eni-db"}


def test_the_document_fits_its_schema(run: Run, two_tiers: Account) -> None:
    result = run("reach", "tiers", "--format", "json", "--quiet")
    assert result.stderr == ""
    document = json.loads(result.stdout)
    assert_fits(document, reachability_schema())
    classes = {endpoint["id"].rsplit(":", 1)[-1]: endpoint["class"] for endpoint in document["endpoints"]}
    inside = [flow for flow in document["flows"] if "external" not in flow["from"] + flow["to"]]
    assert inside == [{"from": classes["eni-web"], "to": classes["eni-db"], "traffic": ["tcp/5432"], "bound": "exact"}]


def test_several_answers_are_written_in_one_run(run: Run, tmp_path: Path) -> None:
    names = ("reach.json", "reach.csv", "reach.dot", "reach.mmd", "reach.txt")
    result = run("reach", "demo", *(word for name in names for word in ("--output", name)))
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    assert json.loads((tmp_path / "reach.json").read_text())["schema"] == "cloudseg/reachability/v1"
    assert (tmp_path / "reach.csv").read_text().startswith("from,from_name,to,to_name,traffic,bound")
    assert (tmp_path / "reach.dot").read_text().startswith("digraph reach {")
    assert (tmp_path / "reach.mmd").read_text().startswith("flowchart LR")
    assert "can talk" in (tmp_path / "reach.txt").read_text()


def test_two_sources_make_one_estate(run: Run, two_tiers: Account, tmp_path: Path) -> None:
    home = tmp_path / "tiers" / "aws" / "111122223333"
    home.rename(home.with_name("777788889999"))
    (tmp_path / "tiers" / "manifest.json").unlink()
    one = json.loads(run("reach", "tiers", "-f", "json").stdout)
    both = json.loads(run("reach", "tiers", "demo", "-f", "json").stdout)
    names = {endpoint["id"] for endpoint in both["endpoints"]}
    assert names > {endpoint["id"] for endpoint in one["endpoints"]}
    assert [source["scope"] for source in both["sources"]] == [
        "111122223333",
        "444455556666",
        "777788889999",
        "b00c5a0e-1111-4222-8333-444455556666",
        "bookshop-recs",
        "bookshop-prod",
    ]


def test_a_range_outside_is_an_end(run: Run, two_tiers: Account) -> None:
    result = run("reach", "tiers", "--from", "198.51.100.0/24", "--to", "eni-web", "-q")
    assert result.returncode == 0
    assert "198.51.100.0/24" in result.stdout
    assert "tcp/443" in result.stdout
    assert "internet" not in result.stdout


def test_gaps_leave_with_3_and_are_told(run: Run, two_tiers: Account, tmp_path: Path) -> None:
    del two_tiers.answers["ec2", "describe_route_tables", None]
    save(two_tiers.snapshot(), tmp_path / "partial")
    result = run("reach", "partial", "--verbose")
    assert result.returncode == 3
    assert "the answer is incomplete" in result.stdout
    assert "the answer is incomplete" in result.stderr
    assert "gap: aws 111122223333" in result.stderr


def test_without_interfaces_the_answer_is_empty_and_says_why(run: Run, open_ssh: Part) -> None:
    result = run("reach", "estate")
    assert result.returncode == 3
    assert "nobody reaches anybody, for no interface was read" in result.stdout
    assert run("reach", "estate", "-f", "csv").stdout == "from,from_name,to,to_name,traffic,bound\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "wep"], "--from 'wep' names nothing here: did you mean web"),
        (["--to", "tier=web"], "no interface has the tag tier"),
        (["--from", "c1"], "names of classes change from run to run"),
        (["--to", "acl-1"], "it is a network-acl, which sends and takes nothing itself"),
        (["--traffic", "tcp/99999"], "--traffic: 'tcp/99999' is no traffic"),
        (["--traffic", "443"], "write ip/443 for the protocol, or tcp/443 or udp/443 for the port"),
        (["--traffic", "none"], "--traffic 'none' holds no packet"),
        (["--traffic", ""], "--traffic: '' is no traffic"),
        (["--output", "reach.docx"], "reach.docx"),
        (["--output", "no/such/reach.json"], "there is no folder"),
        (["--format", "svg"], "svg"),
    ],
)
def test_wrong_input_is_named_and_leaves_with_2(
    run: Run, two_tiers: Account, arguments: list[str], message: str
) -> None:
    result = run("reach", "tiers", *arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_an_ambiguous_name_lists_the_choices(run: Run) -> None:
    result = run("reach", "demo", "--from", "default")
    assert result.returncode == 2
    assert result.stderr.count("  --from sg-") == 2
    assert "security-group 'default'" in result.stderr


def test_hostile_names_reach_the_terminal_as_plain_text(run: Run, tmp_path: Path) -> None:
    name = "\x1b[2J\x1b]0;owned\x07<script>=cmd()\u202e"
    account = Account()
    account.group(
        "sg-web", permission("tcp", 443, 443, "10.0.0.0/8"), egress=[permission("-1", None, None, "0.0.0.0/0")]
    )
    for number in (1, 2):
        account.interface(f"eni-{number}", "sg-web", address=f"10.0.1.{number}")
    for interface in account.answers["ec2", "describe_network_interfaces", None]["NetworkInterfaces"]:  # type: ignore[attr-defined]
        interface["TagSet"] = [{"Key": "Name", "Value": name + interface["NetworkInterfaceId"]}]
    save(account.snapshot(), tmp_path / "hostile")
    for form in ("table", "csv", "dot", "mermaid"):
        result = run("reach", "hostile", "-f", form, "--verbose")
        assert result.returncode == 0, result.stderr
        for text in (result.stdout, result.stderr):
            assert not set(text) & {"\x1b", "\x07", "\u202e"}
    endpoints = json.loads(run("reach", "hostile", "-f", "json").stdout)["endpoints"]
    assert {endpoint["name"] for endpoint in endpoints} == {f"{name}eni-1", f"{name}eni-2"}


def test_a_reader_that_leaves_early_changes_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cloudseg", "reach", "demo", "--format", "csv", "--quiet"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
        code = process.wait(timeout=60)
    assert (errors, code) == ("", 0)


def test_a_terminal_of_40_columns_is_enough(run: Run) -> None:
    result = run("reach", "demo", "--to", "tier=data", environment={"COLUMNS": "40"})
    assert max(len(line) for line in result.stdout.splitlines()) <= 40


def test_help_loads_no_numbers() -> None:
    code = (
        "import sys; sys.argv = ['cloudseg', 'reach', '--help']\n"
        "from cloudseg.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'boto3', 'numpy', 'yaml', 'tabulate', 'cloudseg.engine'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("word", "check"),
    [
        ("bookshop-prod-exports", "public-endpoint"),
        ("bookshop-dev-logs", "public-endpoint"),
        ("arn:aws:eks:eu-west-1:444455556666:cluster/bookshop-dev", "public-control-plane"),
    ],
)
def test_a_managed_service_is_never_said_to_be_out_of_reach(run: Run, word: str, check: str) -> None:
    table = run("reach", "demo", "--from", "internet", "--to", word)
    told = " ".join(table.stdout.split())
    assert "Nothing passes between these ends" not in told
    assert "nothing reaches it" not in told + table.stderr
    assert f"`{check}`" in told
    assert "has a public endpoint, open to the whole" in told
    document = json.loads(run("reach", "demo", "--from", "internet", "--to", word, "-f", "json", "-q").stdout)
    assert document["flows"] == []
    assert any(f"`{check}`" in note for note in document["notes"])


def test_an_answer_about_a_service_without_interfaces_is_incomplete(run: Run) -> None:
    assert run("reach", "demo", "--to", "bookshop-prod-exports").returncode == 3
    assert run("reach", "demo", "--to", "bookshop-prod-exports", "-f", "csv", "-q").returncode == 3


def test_public_services_that_the_whole_answer_leaves_out_are_counted(run: Run) -> None:
    notes = json.loads(run("reach", "demo", "--from", "internet", "-f", "json", "-q").stdout)["notes"]
    assert any("managed services that may be public without an interface: not judged" in note for note in notes)


@pytest.mark.parametrize("form", ["table", "csv", "json", "dot"])
def test_a_reader_that_leaves_early_is_told_no_half_counts(tmp_path: Path, form: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "cloudseg", "reach", "demo", "--format", form],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
        code = process.wait(timeout=60)
    assert code == 0
    assert "so the pairs were not counted" in errors
    assert "can talk" not in errors
    assert "reached from outside" not in errors


@pytest.mark.parametrize(
    "arguments", [("reach", "demo"), ("audit", "demo", "--fail-on", "never"), ("checks",), ("reach", "--help")]
)
def test_a_reader_of_both_streams_that_leaves_ends_it_as_shells_expect(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """1 would say that there are findings; 141 is 128 and the number of SIGPIPE."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "cloudseg", *arguments]
    try:
        result = subprocess.run(command, stdout=writer, stderr=writer, cwd=tmp_path, timeout=60, check=False)
    finally:
        os.close(writer)
    assert result.returncode == 141


def test_a_table_names_what_is_not_known_of_its_pairs(run: Run, tmp_path: Path) -> None:
    """Whether a range of addresses holds pods is for the network plugin to say."""
    pods = "".join(
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{containers: []}}\n---\n"
        for name in "ab"
    )
    (tmp_path / "shop.yaml").write_text(
        f"{pods}apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p, namespace: shop}}\n"
        "spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}\n"
    )
    told = " ".join(run("reach", "shop.yaml").stdout.split())
    assert "not known: whether rules that name addresses match shop/a[Pod] depends on the network plugin" in told
    assert "cloudseg explain SOURCE --from 'shop/a[Pod]' --to 'shop/b[Pod]' --traffic all" in told
