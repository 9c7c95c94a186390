"""The generated cluster: its size, the same every time; the naive evaluator means what the program means."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.cluster_manifests import Size, files_of
from benchmarks.naive_policies import Naive
from cloudseg.providers.kubernetes.manifests import read_manifests
from cloudseg.providers.kubernetes.translate import translate
from cloudseg.reach.reachability import Reachability

SIZE = Size(60, 24, 7)


def objects() -> list[dict[str, Any]]:
    return [item for _, text in files_of(SIZE) for item in yaml.safe_load_all(text)]


def test_a_cluster_is_as_large_as_asked() -> None:
    kinds = [item["kind"] for item in objects()]
    workloads = [kind for kind in kinds if kind not in {"Namespace", "NetworkPolicy", "Service", "Ingress"}]
    assert (len(workloads), kinds.count("NetworkPolicy"), kinds.count("Namespace")) == SIZE


def test_the_same_size_gives_the_same_text() -> None:
    assert list(files_of(SIZE)) == list(files_of(SIZE))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_naive_evaluator_says_what_the_program_says(tmp_path: Path, seed: int) -> None:
    for name, text in files_of(SIZE, seed):
        (tmp_path / name).write_text(text, encoding="utf-8")
    naive = Naive(item for _, text in files_of(SIZE, seed) for item in yaml.safe_load_all(text))
    reach = Reachability(translate(read_manifests([tmp_path])))
    ids = [f"kubernetes:manifests:{pod.namespace}/{pod.name}[{pod.kind}]" for pod in naive.pods]
    said = {
        (one, other): naive.talk(source, target)
        for one, source in zip(ids, naive.pods, strict=True)
        for other, target in zip(ids, naive.pods, strict=True)
        if one != other
    }
    assert said == {pair: bool(reach.between(*pair).upper) for pair in said}
    assert 0.05 < sum(said.values()) / len(said) < 0.95
