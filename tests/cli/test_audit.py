"""`cloudseg audit`: reports, exit codes, and what it says of wrong input."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cloudseg.demo import demo_intent_path

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Part = Callable[[str, object], None]

NO_EGRESS: dict[str, list[object]] = {"IpPermissionsEgress": []}


def test_the_demo_is_audited_and_shows_findings(run: Run) -> None:
    result = run("audit", "demo")
    assert result.returncode == 1, result.stderr
    assert "internet-exposed-port" in result.stdout
    assert "critical" in result.stderr
    assert "gaps" not in result.stderr
    assert "\x1b" not in result.stdout


def test_fail_on_none_succeeds_although_there_are_findings(run: Run) -> None:
    assert run("audit", "demo", "--fail-on", "none").returncode == 0


def test_findings_come_before_gaps_in_the_exit_code(run: Run, open_ssh: Part) -> None:
    assert run("audit", "estate", "--fail-on", "high").returncode == 1
    assert run("audit", "estate", "--fail-on", "critical").returncode == 3
    assert run("audit", "estate", "--fail-on", "none").returncode == 3


def test_json_names_the_rule_the_gaps_and_the_status_of_every_check(run: Run, open_ssh: Part) -> None:
    result = run("audit", "estate", "--format", "json", "--quiet")
    document = json.loads(result.stdout)
    assert result.stderr == ""
    assert document["schema"] == "cloudseg/findings/v1"
    (finding,) = [f for f in document["findings"] if f["check"] == "internet-exposed-port"]
    assert (finding["resource"]["id"], finding["rule"]["traffic"], finding["rule"]["peer"]) == (
        "sg-1",
        "tcp/22",
        "0.0.0.0/0",
    )
    assert (finding["severity"], finding["confidence"], finding["reachable"]) == ("high", "low", None)
    assert not document["sources"][0]["complete"]
    statuses = {check["id"]: check["status"] for check in document["checks"]}
    assert statuses["internet-exposed-port"] == "partly"
    assert statuses["missing-flow-logs"] == "not evaluated"


def test_several_reports_are_written_in_one_run(run: Run, tmp_path: Path) -> None:
    names = ("report.json", "report.sarif", "report.md", "report.csv")
    options = [word for name in names for word in ("--output", name)]
    result = run("audit", "demo", *options)
    assert result.returncode == 1
    assert result.stdout == ""
    findings = json.loads((tmp_path / "report.json").read_text())["findings"]
    results = json.loads((tmp_path / "report.sarif").read_text())["runs"][0]["results"]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "report.csv").read_text())))
    assert len(findings) == len(results) > 20
    assert [row["row"] for row in rows].count("finding") == len(findings)
    assert "internet-exposed-port" in (tmp_path / "report.md").read_text()


def test_a_saved_snapshot_repeats_the_audit_byte_for_byte(run: Run) -> None:
    live = run("audit", "demo", "--save", "kept.zip", "--format", "json")
    again = run("audit", "kept.zip", "--format", "json", "--intent", str(demo_intent_path()))
    assert live.stdout == again.stdout
    assert live.returncode == again.returncode == 1


def test_checks_can_be_chosen_and_left_out(run: Run) -> None:
    only = json.loads(run("audit", "demo", "-f", "json", "--check", "internet-exposed-port").stdout)
    assert {f["check"] for f in only["findings"]} == {"internet-exposed-port"}
    without = json.loads(run("audit", "demo", "-f", "json", "--skip", "internet-exposed-port").stdout)
    assert "internet-exposed-port" not in {f["check"] for f in without["findings"]}
    assert {f["check"] for f in without["findings"]} > {"address-based-rule"}


def test_waivers_accept_findings_until_they_expire(run: Run, open_ssh: Part, tmp_path: Path) -> None:
    (tmp_path / "waivers.yaml").write_text(
        "- {check: internet-exposed-port, resource: sg-1, owner: net, reason: bastion, expires: 2026-12-31}\n"
    )
    valid = run("audit", "estate", "--waivers", "waivers.yaml", "--as-of", "2026-06-01", "-f", "json")
    document = json.loads(valid.stdout)
    (waived,) = [f for f in document["findings"] if f["waiver"]]
    assert waived["waiver"] == {"owner": "net", "reason": "bastion", "expires": "2026-12-31"}
    assert valid.returncode == 3
    expired = run("audit", "estate", "--waivers", "waivers.yaml", "--as-of", "2027-01-01", "-f", "json")
    assert expired.returncode == 1
    assert "expired-waiver" in {f["check"] for f in json.loads(expired.stdout)["findings"]}


def test_the_configuration_is_read_and_options_go_before_it(run: Run, open_ssh: Part, tmp_path: Path) -> None:
    (tmp_path / "cloudseg.toml").write_text('sources = ["estate"]\nfail_on = "none"\n')
    assert run("audit").returncode == 3
    assert run("audit", "--fail-on", "high").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit"], "nothing to read: name a source"),
        (["audit", "nowhere.zip"], "there is no 'nowhere.zip'"),
        (["audit", "demo", "--check", "internet-exposed"], "did you mean internet-exposed-port"),
        (["audit", "demo", "--as-of", "tomorrow"], "--as-of 'tomorrow' is no day; write it as 2026-01-31"),
        (["audit", "demo", "--output", "report.docx"], "report.docx"),
        (["audit", "demo", "--output", "no/such/folder/report.json"], "cannot write the report to"),
        (["audit", "demo", "--waivers", "none.yaml"], "none.yaml"),
        (["audit", "demo", "--intent", "none.yaml"], "none.yaml"),
        (["audit", "demo", "--fail-on", "bad"], "bad"),
        (["audit", "demo", "--config", "none.toml"], "none.toml"),
        (["collect", "demo"], "say where to write the snapshot"),
        (["checks", "no-such-check"], "there is no check 'no-such-check'"),
    ],
)
def test_wrong_input_is_named_and_leaves_with_2(run: Run, arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_a_broken_file_in_a_snapshot_is_named(run: Run, open_ssh: Part) -> None:
    open_ssh("eu-west-1/ec2/describe_vpcs.json", '{"Vpcs": [')
    result = run("audit", "estate")
    assert result.returncode == 2
    assert "aws/111122223333/eu-west-1/ec2/describe_vpcs.json" in result.stderr


def test_a_port_beyond_the_last_is_a_gap_and_everything_else_is_judged(run: Run, part: Part) -> None:
    def group(own: str, port: int) -> object:
        ranges = [{"CidrIp": "0.0.0.0/0"}]
        permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": ranges}
        return {"GroupId": own, "GroupName": own, "VpcId": "vpc-1", "IpPermissions": [permission], **NO_EGRESS}

    part("eu-west-1/ec2/describe_security_groups.json", {"SecurityGroups": [group("sg-1", 70000), group("sg-2", 22)]})
    document = json.loads(run("audit", "estate", "-f", "json").stdout)
    gaps = [gap for gap in document["sources"][0]["gaps"] if gap["reason"] == "malformed"]
    assert [gap["resource"] for gap in gaps] == ["sg-1"]
    assert {f["resource"]["id"] for f in document["findings"] if f["check"] == "internet-exposed-port"} == {
        "sg-1",
        "sg-2",
    }


def test_hostile_names_reach_the_terminal_as_plain_text(run: Run, part: Part) -> None:
    name = "\x1b[2J\x1b]0;owned\x07<script>=cmd()\u202e"
    part(
        "eu-west-1/ec2/describe_security_groups.json",
        {"SecurityGroups": [{"GroupId": "sg-1", "GroupName": name, "VpcId": "vpc-1", "IpPermissions": [
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}]},
    )  # fmt: skip
    for form in ("table", "markdown", "csv"):
        result = run("audit", "estate", "-f", form, "--verbose")
        for text in (result.stdout, result.stderr):
            assert not set(text) & {"\x1b", "\x07", "\u202e"}
    assert json.loads(run("audit", "estate", "-f", "json").stdout)["findings"][0]["resource"]["name"] == name


def test_a_reader_that_leaves_early_changes_nothing_about_the_verdict(tmp_path: Path) -> None:
    few = ("--check", "internet-exposed-port")
    command = [sys.executable, "-m", "cloudseg", "audit", "demo", *few, "--format", "json", "--quiet"]
    environment = {**os.environ, "HOME": str(tmp_path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
        code = process.wait(timeout=60)
    assert errors == ""
    assert code == 1


def test_a_terminal_of_40_columns_is_enough(run: Run) -> None:
    result = run("audit", "demo", environment={"COLUMNS": "40"})
    assert max(len(line) for line in result.stdout.splitlines()) <= 40
    assert "sg-" in result.stdout


def test_collect_keeps_a_source_and_the_copy_is_audited_alike(run: Run) -> None:
    kept = run("collect", "demo", "-o", "kept")
    assert kept.returncode == 0
    assert "written to kept" in kept.stderr
    copy = run("audit", "kept", "-f", "csv", "--intent", str(demo_intent_path()))
    assert copy.stdout == run("audit", "demo", "-f", "csv").stdout


NOTHING_MEANT = "schema: cloudseg/intent/v1\nsegments:\n  all: {names: '*'}\n"


def test_the_bundled_estate_is_compared_with_its_own_intent(run: Run) -> None:
    document = json.loads(run("audit", "demo", "-f", "json").stdout)
    other = {status["id"] for status in document["checks"] if status["status"] != "evaluated"}
    assert other == {"mesh-allows-all", "missing-authorization-policy", "permissive-mtls", "unused-rule"}
    assert {"outside-intent", "blocked-intent"} <= {finding["check"] for finding in document["findings"]}
    assert any("the allowance internet to reporting: tcp/5432 expired" in note for note in document["notes"])


def test_another_intent_goes_before_the_bundled_one(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(NOTHING_MEANT)
    document = json.loads(run("audit", "demo", "-f", "json", "--intent", "mine.yaml").stdout)
    assert {f["resource"]["id"] for f in document["findings"] if f["check"] == "outside-intent"} >= {"all"}
    assert "blocked-intent" not in {finding["check"] for finding in document["findings"]}
    (tmp_path / "cloudseg.toml").write_text('intent = "mine.yaml"\n')
    assert json.loads(run("audit", "demo", "-f", "json").stdout)["findings"] == document["findings"]


def test_without_an_intent_the_checks_of_it_say_that_they_were_not_evaluated(run: Run, open_ssh: Part) -> None:
    document = json.loads(run("audit", "estate", "-f", "json").stdout)
    reasons = {status["id"]: status["reason"] for status in document["checks"] if status["status"] == "not evaluated"}
    assert "--intent" in reasons["outside-intent"]
    assert "--intent" in reasons["blocked-intent"]


def test_every_mistake_in_an_intent_is_named_with_its_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(NOTHING_MEANT + "allow:\n  - {from: all, to: al, traffic: https}\n")
    result = run("audit", "demo", "--intent", "wrong.yaml")
    assert result.returncode == 2
    assert "wrong.yaml:5: allow entry 1.to: there is no segment 'al'; did you mean all?" in result.stderr
    assert "wrong.yaml:5: allow entry 1.traffic" in result.stderr


def test_without_credentials_the_way_out_is_named(run: Run) -> None:
    result = run("audit", "aws", "--region", "eu-west-1")
    assert result.returncode == 2
    assert "credentials" in result.stderr
    assert "Traceback" not in result.stderr
    result = run("audit", "aws", "--profile", "nobody")
    assert result.returncode == 2
    assert "nobody" in result.stderr


def test_checks_are_listed_and_explained(run: Run) -> None:
    listed = run("checks")
    assert listed.returncode == 0
    assert "address-based-rule" in listed.stdout
    explained = run("checks", "internet-exposed-port")
    assert "Why it matters" in explained.stdout
    assert "cis-aws-5.0" in explained.stdout


def test_help_and_version_load_no_sdk(run: Run) -> None:
    assert run("--version").stdout.startswith("cloudseg ")
    code = (
        "import sys; sys.argv = ['cloudseg', '--help']\n"
        "from cloudseg.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'boto3', 'botocore', 'rich.progress', 'yaml', 'tabulate'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.splitlines()[-1] == "[]"


def test_a_check_that_is_asked_for_goes_before_what_the_configuration_leaves_out(run: Run, tmp_path: Path) -> None:
    (tmp_path / "cloudseg.toml").write_text('skip = ["public-address"]\n')
    document = json.loads(run("audit", "demo", "--check", "public-address", "-f", "json").stdout)
    assert {finding["check"] for finding in document["findings"]} == {"public-address"}


def test_an_audit_without_any_check_is_refused(run: Run) -> None:
    result = run("audit", "demo", "--check", "public-address", "--skip", "public-address")
    assert result.returncode == 2
    assert "no check is left to run" in result.stderr


@pytest.mark.parametrize(
    "settings",
    [
        "[checks.overbroad-ports]\nmax_ports = 0\n",
        '[checks.internet-exposed-port]\ndeclared_public = ["foo"]\n',
        '[checks.missing-private-endpoint]\nservices = ["no such service"]\n',
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(run: Run, tmp_path: Path, settings: str) -> None:
    (tmp_path / "cloudseg.toml").write_text(settings)
    result = run("audit", "demo")
    assert result.returncode == 2
    assert "cloudseg.toml" in result.stderr


def test_options_for_aws_are_no_filter_for_a_snapshot(run: Run) -> None:
    result = run("audit", "demo", "--region", "eu-west-1")
    assert result.returncode == 2
    assert "for the source `aws`" in result.stderr


@pytest.mark.parametrize("source", ["", "x" * 5000])
def test_a_source_that_cannot_be_a_file_is_named(run: Run, source: str) -> None:
    result = run("audit", source)
    assert result.returncode == 2
    assert "there is no '" in result.stderr
    assert len(result.stderr) < 500


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine.txt").write_text("mine")
    for arguments in (["audit", "demo", "--save", "folder"], ["collect", "demo", "-o", "folder"]):
        result = run(*arguments)
        assert result.returncode == 2
        assert "folder" in result.stderr
    assert run("audit", "demo", "--output", "no/folder.json").stdout == ""
    assert (tmp_path / "folder" / "mine.txt").read_text() == "mine"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("form", ["table", "json"])
def test_a_full_disk_behind_stdout_is_said_in_one_line(run: Run, tmp_path: Path, form: str) -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "cloudseg", "audit", "demo", "--check", "internet-exposed-port", "-f", form],
            stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, check=False,
        )  # fmt: skip
    assert result.returncode == 2
    assert "cannot write the report to standard output" in result.stderr
    assert "Traceback" not in result.stderr


def test_markdown_reaches_a_stdout_without_unicode(run_apart: Run) -> None:
    result = run_apart("audit", "demo", "-f", "markdown", environment={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert result.returncode == 1
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("arguments", [["checks"], ["checks", "public-endpoint"], ["--help"], ["--version"]])
def test_a_full_disk_behind_help_and_lists_is_no_bug(tmp_path: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "cloudseg", *arguments],
            stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, check=False,
        )  # fmt: skip
    assert result.returncode == 2
    assert result.stderr.startswith("cloudseg: cannot write to standard output: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.skipif(os.name == "nt", reason="needs a shell that closes streams")
@pytest.mark.parametrize(
    "arguments",
    [
        "audit demo",
        "audit demo -f json",
        "reach demo",
        "diff demo demo",
        "explain demo --from internet --to bookshop-prod-jump --traffic tcp/22",
    ],
)
def test_a_closed_stdout_is_said_in_one_line(tmp_path: Path, arguments: str) -> None:
    result = subprocess.run(
        ["/bin/sh", "-c", f'"{sys.executable}" -m cloudseg {arguments} >&-'],
        stderr=subprocess.PIPE, text=True, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert result.returncode == 2
    assert result.stderr == "cloudseg: there is no standard output to write the report to; use --output FILE\n"


def _interrupted_where(code: str, tmp_path: Path) -> "subprocess.CompletedProcess[str]":
    program = f"import sys\nsys.argv = ['cloudseg', 'audit', 'demo']\n{code}\nimport cloudseg.__main__\n"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False)


@pytest.mark.parametrize("module", ["typer", "cloudseg.cli.audit", "cloudseg.engine", "cloudseg.reach.reachability"])
def test_an_interrupt_while_anything_loads_ends_the_run_in_one_line(tmp_path: Path, module: str) -> None:
    result = _interrupted_where(
        "class Stop:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name == {module!r}:\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())",
        tmp_path,
    )
    assert result.returncode == 130
    assert result.stderr.strip().startswith("cloudseg: interrupted")
    assert "Traceback" not in result.stderr


def test_a_scope_of_a_cloud_that_is_not_read_is_a_gap(run: Run, open_ssh: Part, tmp_path: Path) -> None:
    manifest = tmp_path / "estate" / "manifest.json"
    own = {"provider": "aws", "scope": "111122223333", "regions": ["eu-west-1"], "caller": "", "name": ""}
    other = {"provider": "oci", "scope": "tenancy-1", "regions": ["global"], "caller": "", "name": ""}
    told = {"schema": "cloudseg/snapshot/v1", "taken_at": "2026-01-01T00:00:00Z", "tool": "cloudseg 9"}
    files = ["aws/111122223333/eu-west-1/ec2/describe_security_groups.json"]
    manifest.write_text(json.dumps({**told, "scopes": [own, other], "gaps": [], "files": files}))
    result = run("audit", "estate", "--format", "json", "--fail-on", "none")
    assert result.returncode == 3
    sources = {(s["provider"], s["scope"]): s for s in json.loads(result.stdout)["sources"]}
    (gap,) = sources["oci", "tenancy-1"]["gaps"]
    assert gap["reason"] == "unsupported"
    assert gap["detail"] == "oci is left out of the estate; this version reads aws, azure, gcp, kubernetes"
    assert run("reach", "estate").returncode == 3


def test_a_pipe_is_never_replaced_by_a_snapshot(run: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.zip")
    (tmp_path / "link.zip").symlink_to("pipe.zip")
    for arguments in (["collect", "demo", "-o", "pipe.zip"], ["audit", "demo", "--save", "link.zip"]):
        result = run(*arguments)
        assert result.returncode == 2
        assert "a pipe or a device is there" in result.stderr
    assert (tmp_path / "pipe.zip").is_fifo()


@pytest.mark.parametrize("check", ["internet-exposed-port", "missing-private-endpoint", "redundant-rule"])
def test_a_page_about_a_check_fits_40_columns(run: Run, check: str) -> None:
    page = run("checks", check, environment={"COLUMNS": "40"}).stdout
    assert max(len(line) for line in page.splitlines()) <= 40


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--external-id", "x-1"], "--external-id belongs to a role: name it with --assume-role"),
        (["--assume-role", "arn:aws:iam::11112222333:role/audit"], "an account has 12 digits"),
        (["--assume-role", "arn:aws:iam:role/audit"], "an account has 12 digits"),
    ],
)
def test_a_role_that_cannot_be_entered_is_refused_before_anything_is_asked(
    run: Run, arguments: list[str], message: str
) -> None:
    result = run("audit", "aws", *arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
