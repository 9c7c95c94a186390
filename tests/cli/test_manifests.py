"""Manifests as a source of every command: files, folders and standard input, beside snapshots and among them."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Part, Run

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop, labels: {app: web}}\n"
OTHER = POD.replace("web", "db")


def piped(folder: Path, text: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cloudseg", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        input=text,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def files_of(path: Path) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        return sorted(archive.namelist())


def test_a_folder_of_manifests_is_a_source(run: Run, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "pod.yaml").write_text(POD)
    (tmp_path / "app" / "other.yaml").write_text(OTHER)
    result = run("reach", "app", "--from", "web", "--to", "db", "--format", "json")
    assert result.returncode == 0, result.stderr
    names = {each["name"] for each in json.loads(result.stdout)["endpoints"]}
    assert {"web", "db"} <= names


def test_reach_tells_workloads_with_namespace_and_kind(tmp_path: Path) -> None:
    deployment = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n"
        "spec: {template: {metadata: {labels: {app: web}}, spec: {containers: []}}}\n"
    )
    result = piped(tmp_path, f"{deployment}---\n{OTHER}", "reach", "-", "--format", "json")
    told = {(each["kind"], each["namespace"], each["name"]) for each in json.loads(result.stdout)["endpoints"]}
    assert told == {("Deployment", "shop", "web"), ("Pod", "shop", "db")}
    table = piped(tmp_path, f"{deployment}---\n{OTHER}", "reach", "-", "--to", "shop/db").stdout.split("\n")
    assert [line.split()[:3] for line in table[2:4]] == [
        ["shop/web[Deployment]", "shop/db[Pod]", "all"],
        ["any", "address", "shop/db[Pod]"],
    ]


def test_standard_input_is_a_source_and_the_cluster_can_be_named(tmp_path: Path) -> None:
    result = piped(tmp_path, POD, "collect", "-", "--cluster", "prod", "-o", "kept.zip")
    assert result.returncode == 0, result.stderr
    assert files_of(tmp_path / "kept.zip") == ["kubernetes/prod/global/core/pods.json", "manifest.json"]


def test_several_files_make_one_cluster_beside_a_snapshot(run: Run, open_ssh: Part, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(POD)
    (tmp_path / "b.yaml").write_text(OTHER)
    result = run("collect", "a.yaml", "estate", "b.yaml", "-o", "kept")
    assert result.returncode == 0, result.stderr
    pods = json.loads((tmp_path / "kept/kubernetes/manifests/global/core/pods.json").read_text())
    assert [pod["metadata"]["name"] for pod in pods["items"]] == ["web", "db"]
    assert (tmp_path / "kept/aws/111122223333/eu-west-1/ec2/describe_security_groups.json").is_file()


def test_the_same_manifests_audited_twice_give_the_same_document(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(POD)
    first, second = (run("audit", "a.yaml", "--format", "json").stdout for _ in range(2))
    assert first == second
    assert json.loads(first)["schema"] == "cloudseg/findings/v1"


def test_a_kept_snapshot_of_manifests_stays_a_snapshot(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(POD)
    for kept in ("kept.zip", "kept"):
        assert run("collect", "a.yaml", "-o", kept).returncode == 0
        again = run("collect", kept, "-o", "again")
        assert again.returncode == 0, again.stderr
        pods = json.loads((tmp_path / "again/kubernetes/manifests/global/core/pods.json").read_text())
        assert pods["items"][0]["metadata"]["annotations"] == {"cloudseg.io/location": "a.yaml:1"}


@pytest.mark.parametrize("name", ["manifest.json", "kubernetes/clusters/prod/apps/web.json"])
def test_manifests_in_places_like_those_of_a_snapshot_are_manifests(run: Run, tmp_path: Path, name: str) -> None:
    file = tmp_path / "app" / name
    file.parent.mkdir(parents=True)
    file.write_text('{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}}')
    result = run("collect", "app", "-o", "kept.zip")
    assert result.returncode == 0, result.stderr
    assert "kubernetes/manifests/global/core/pods.json" in files_of(tmp_path / "kept.zip")


def test_a_snapshot_in_a_folder_of_its_own_stays_a_snapshot(run: Run, open_ssh: Part, tmp_path: Path) -> None:
    (tmp_path / "unpacked").mkdir()
    (tmp_path / "estate").rename(tmp_path / "unpacked" / "estate")
    result = run("collect", "unpacked", "-o", "kept.zip")
    assert result.returncode == 0, result.stderr
    assert files_of(tmp_path / "kept.zip")[0] == "aws/111122223333/eu-west-1/ec2/describe_security_groups.json"


def test_a_broken_document_is_a_gap_with_its_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"{POD}---\na: b: c\n")
    result = run("collect", "a.yaml", "-o", "kept.zip", "--verbose")
    assert result.returncode == 3
    assert "malformed: a.yaml:5: this is no YAML" in result.stderr


def test_kinds_that_are_not_judged_are_listed_where_more_is_asked_for(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"{POD}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\n")
    result = run("collect", "a.yaml", "-o", "kept.zip", "--verbose")
    assert "note: 1 object of kinds that are not judged: ConfigMap 1" in result.stderr


def test_hostile_names_in_manifests_reach_the_terminal_as_plain_text(run: Run, tmp_path: Path) -> None:
    twice = 'apiVersion: v1\nkind: Pod\nmetadata: {name: "a\\e[31mb\\u202e"}\nspec: {hostNetwork: %s}\n'
    (tmp_path / "a\x1b[31m.yaml").write_text("---\n".join([twice % "true", twice % "false", '"\\e]0;x\\a": 1\n']))
    for arguments in (["collect", "-o", "kept.zip", "-v"], ["audit", "-v"], ["reach", "-v"]):
        result = run(arguments[0], "a\x1b[31m.yaml", *arguments[1:])
        assert "a\\x1b[31m.yaml" in result.stderr
        assert not {"\x1b", "\u202e", "\x07"} & set(result.stdout + result.stderr)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["audit", "empty"],
            "empty: no file *.yaml, *.yml or *.json in this folder, and no snapshot (a folder with `aws`",
        ),
        (["audit", "compose.yaml"], "compose.yaml:1: an object without apiVersion"),
        (["audit", "demo", "--cluster", "prod"], "no source holds either"),
        (["audit", "pod.yaml", "--cluster", "a:b"], "--cluster 'a:b'"),
        (["reach", "pod.yaml", "--region", "eu-west-1"], "for the source `aws`"),
        (["audit", "pod.yaml", "--context", "prod"], "for the source `kubernetes`"),
        (["explain", "broken.yaml", "--from", "a", "--to", "b", "--traffic", "all"], "broken.yaml:1: this is no YAML"),
    ],
)
def test_wrong_manifests_are_named_and_leave_with_2(
    run: Run, tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "pod.yaml").write_text(POD)
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    (tmp_path / "broken.yaml").write_text("a: b: c\n")
    result = run(*arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_empty_standard_input_leaves_with_2(tmp_path: Path) -> None:
    result = piped(tmp_path, "", "audit", "-")
    assert result.returncode == 2
    assert "standard input: no Kubernetes object" in result.stderr
