"""The program over a live cluster: sources, options, the configuration, exit codes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.kubernetes.api_server import Cluster, Resource, denied, kubeconfig, named, serving
from tests.kubernetes.live import pod, shop

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec: {podSelector: {}}
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A live cluster, and a kubeconfig for it at home."""
    held = shop()
    with serving(held) as address:
        (tmp_path / ".kube").mkdir()
        kubeconfig(
            tmp_path / ".kube/config", prod={"server": address, "cluster": "prod"}, old={"server": "http://127.0.0.1:1"}
        )
        yield held


def test_a_live_cluster_is_audited_and_kept(run: Run, tmp_path: Path, cluster: Cluster) -> None:
    live = run("audit", "kubernetes", "--format", "json", "--save", "kept.zip", "--fail-on", "none")
    assert (live.returncode, live.stderr.count("Traceback")) == (0, 0)
    document = json.loads(live.stdout)
    assert [(each["provider"], each["scope"]) for each in document["sources"]] == [("kubernetes", "prod")]
    again = run("audit", "kept.zip", "--format", "json", "--fail-on", "none")
    assert again.stdout == live.stdout


def test_reach_and_explain_read_a_live_cluster(run: Run, cluster: Cluster) -> None:
    pairs = run("reach", "kubernetes", "--from", "internet", "--format", "json")
    assert json.loads(pairs.stdout)["flows"] == []
    told = run("explain", "kubernetes", "--from", "web-1", "--to", "db-1", "--traffic", "tcp/5432")
    assert told.returncode == 0
    assert "deny-all" in told.stdout


def test_a_live_cluster_is_compared_with_what_it_was(run: Run, tmp_path: Path, cluster: Cluster) -> None:
    run("collect", "kubernetes", "-o", "before.zip")
    cluster.resources[-1] = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
    result = run("diff", "before.zip", "kubernetes", "--context", "prod", "--format", "json", "--fail-on", "none")
    assert result.returncode == 0
    assert json.loads(result.stdout)["gained"]


def test_diff_gives_live_cluster_and_manifests_the_name_that_is_asked_for(
    run: Run, tmp_path: Path, cluster: Cluster
) -> None:
    (tmp_path / "pods.yaml").write_text(
        json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    )
    result = run("diff", "pods.yaml", "kubernetes", "--cluster", "mine", "--format", "json", "--fail-on", "none")
    document = json.loads(result.stdout)
    assert [each["scope"] for side in ("old", "new") for each in document[side]["sources"]] == ["mine", "mine"]


def test_a_denied_kind_makes_the_answer_incomplete(run: Run, cluster: Cluster) -> None:
    cluster.trouble = lambda asked, _: denied(asked) if asked.path.endswith("/networkpolicies") else None
    result = run("audit", "kubernetes", "--fail-on", "none", "--verbose")
    assert result.returncode == 3
    assert 'resources: ["networkpolicies"], verbs: ["list"]' in result.stderr + result.stdout


def test_a_cluster_that_is_away_leaves_with_2_in_one_line(run: Run, cluster: Cluster) -> None:
    result = run("audit", "kubernetes", "--context", "old")
    assert result.returncode == 2
    assert result.stderr.startswith("cloudseg: cannot read the cluster old-cluster (context old): ")
    assert result.stderr.count("\n") == 1


def test_the_configuration_names_contexts_file_and_cluster(run: Run, tmp_path: Path, cluster: Cluster) -> None:
    (tmp_path / ".kube/config").rename(tmp_path / "elsewhere")
    (tmp_path / "cloudseg.toml").write_text(
        'sources = ["kubernetes"]\n[kubernetes]\ncontext = "prod"\nkubeconfig = "elsewhere"\ncluster = "mine"\n'
    )
    assert run("collect", "-o", "kept").returncode == 0
    assert (tmp_path / "kept/kubernetes/mine/global/core/pods.json").is_file()
    assert run("collect", "-o", "kept", "--context", "prod", "--cluster", "yours").returncode == 0
    assert (tmp_path / "kept/kubernetes/yours/global/core/pods.json").is_file()
    assert run("collect", "-o", "kept", "--context", "prod").returncode == 0
    assert (tmp_path / "kept/kubernetes/prod/global/core/pods.json").is_file()


def test_a_folder_that_is_called_kubernetes_needs_a_path(run: Run, tmp_path: Path, cluster: Cluster) -> None:
    (tmp_path / "kubernetes").mkdir()
    (tmp_path / "kubernetes/policy.yaml").write_text(POLICY)
    assert run("collect", "./kubernetes", "-o", "files").returncode == 0
    assert (tmp_path / "files/kubernetes/manifests").is_dir()
    assert run("collect", "kubernetes", "-o", "live").returncode == 0
    assert (tmp_path / "live/kubernetes/prod").is_dir()


def test_a_cluster_and_manifests_make_one_estate_of_two_clusters(run: Run, tmp_path: Path, cluster: Cluster) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    assert run("collect", "kubernetes", "policy.yaml", "-o", "kept").returncode == 0
    assert sorted(path.name for path in (tmp_path / "kept/kubernetes").iterdir()) == ["manifests", "prod"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit", "kubernetes", "policy.yaml", "--cluster", "a"], "--cluster could name the live cluster or that of"),
        (["audit", "kubernetes", "--profile", "a"], "for the source `aws`"),
        (["audit", "demo", "--kubeconfig", "a"], "for the source `kubernetes`"),
        (["diff", "demo", "demo", "--context", "a"], "for the source `kubernetes`"),
        (["diff", "demo", "demo", "--cluster", "a"], "no source holds either"),
        (["audit", "kubernetes", "--context", "x"], "has no context 'x'; there are: prod, old"),
        (["audit", "kubernetes", "--kubeconfig", "x"], "there is no kubeconfig x"),
        (["audit", "kubernetes", "--cluster", "a:b"], "--cluster 'a:b': a colon parts"),
        (
            ["audit", "kubernetes", "--context", "prod", "--context", "old", "--cluster", "a"],
            "names one cluster, and 2",
        ),
    ],
)
def test_options_that_make_no_sense_leave_with_2(
    run: Run, tmp_path: Path, cluster: Cluster, arguments: list[str], message: str
) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    result = run(*arguments)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not [asked for asked in cluster.asked if asked.path.endswith("/pods")]


@pytest.mark.parametrize("hidden", ["lightkube", "httpx2"])
def test_without_its_extra_the_program_says_what_to_install(tmp_path: Path, hidden: str) -> None:
    program = f"import sys; sys.modules[{hidden!r}] = None; from cloudseg.cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", program, "audit", "kubernetes"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert result.returncode == 2
    assert "pip install 'cloudseg[kubernetes]'" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["audit", "--help"], ["audit", "policy.yaml"]])
def test_lightkube_is_loaded_for_live_clusters_alone(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    program = (
        f"import sys\nfrom cloudseg.cli import main\ntry:\n    sys.argv[1:] = {arguments!r}\n    main()\n"
        "except SystemExit:\n    pass\n"
        "print(sorted({'lightkube', 'httpx2', 'boto3'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.stdout.splitlines()[-1] == "[]"


def test_names_in_a_live_cluster_reach_the_terminal_as_plain_text(run: Run, cluster: Cluster) -> None:
    cluster.resources[1] = Resource("", "v1", "pods", "Pod", [pod("a\x1b[31m", "web"), named("b\u202e", "shop")])
    result = run("audit", "kubernetes", "--verbose")
    assert not {"\x1b", "\u202e"} & set(result.stdout + result.stderr)
