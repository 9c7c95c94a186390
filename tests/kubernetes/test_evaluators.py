"""Evaluators are loaded where a cluster has something for them, and declare what their parts look for."""

import subprocess
import sys
from pathlib import Path

import pytest

from cloudseg.providers.kubernetes.documents import Document, read_documents
from cloudseg.providers.kubernetes.manifests import read_manifests
from cloudseg.providers.kubernetes.translate.policies import consul, istio, linkerd
from cloudseg.providers.kubernetes.translate.policies.consul import defaults, intentions
from cloudseg.providers.kubernetes.translate.policies.istio import authorization, extensions, mutual_tls, outbound
from cloudseg.providers.kubernetes.translate.policies.linkerd import (
    authentications,
    authorizations,
    egress,
    routes,
    servers,
)

POLICIES = "cloudseg.providers.kubernetes.translate.policies"
LATE = ("admin.reading", "antrea.reading", "calico.policies", "cilium.policies")
MESHES = ("consul.evaluation", "istio.evaluation", "linkerd.evaluation")

NATIVE = """\
apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: shop
spec:
  containers:
  - name: main
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: closed
  namespace: shop
spec:
  podSelector: {}
"""


def loaded_by(*documents: str, folder: Path) -> set[str]:
    """Return which evaluators, and whether a parser for all of YAML, a translation of manifests loads."""
    manifest = folder / "all.yaml"
    manifest.write_text("---\n".join(documents), encoding="utf-8")
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from cloudseg.providers.kubernetes.manifests import read_manifests\n"
        "from cloudseg.providers.kubernetes.translate import translate\n"
        "translate(read_manifests([Path(sys.argv[1])]))\n"
        "print(*sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, manifest], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    found = {name for name in (*LATE, *MESHES) if f"{POLICIES}.{name}" in modules}
    return found | ({"yaml"} & modules)


def custom(api_version: str, kind: str) -> str:
    return f"apiVersion: {api_version}\nkind: {kind}\nmetadata:\n  name: one\n  namespace: shop\n"


def test_network_policies_alone_load_no_other_evaluator_and_no_parser_for_all_of_yaml(tmp_path: Path) -> None:
    assert loaded_by(NATIVE, folder=tmp_path) == set()


@pytest.mark.parametrize(
    ("document", "evaluator"),
    [
        (custom("policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"), "admin.reading"),
        (custom("crd.antrea.io/v1beta1", "NetworkPolicy"), "antrea.reading"),
        (custom("projectcalico.org/v3", "NetworkPolicy"), "calico.policies"),
        (custom("projectcalico.org/v3", "HostEndpoint"), "calico.policies"),
        (custom("cilium.io/v2", "CiliumNetworkPolicy"), "cilium.policies"),
        (custom("cilium.io/v2", "CiliumLocalRedirectPolicy"), "cilium.policies"),
        (custom("consul.hashicorp.com/v1alpha1", "ServiceIntentions"), "consul.evaluation"),
        (custom("networking.istio.io/v1", "DestinationRule"), "istio.evaluation"),
        (custom("policy.linkerd.io/v1beta3", "Server"), "linkerd.evaluation"),
    ],
)
def test_an_object_of_its_kinds_loads_an_evaluator(document: str, evaluator: str, tmp_path: Path) -> None:
    assert loaded_by(NATIVE, document, folder=tmp_path) - {"yaml"} == {evaluator}


@pytest.mark.parametrize(
    ("labels", "annotations", "container", "evaluator"),
    [
        ("istio.io/dataplane-mode: ambient", "a: b", "main", "istio.evaluation"),
        ("a: b", "ambient.istio.io/redirection: enabled", "main", "istio.evaluation"),
        ("a: b", "a: b", "istio-proxy", "istio.evaluation"),
        ("a: b", "linkerd.io/inject: enabled", "main", "linkerd.evaluation"),
        ("a: b", "a: b", "linkerd-proxy", "linkerd.evaluation"),
        ("a: b", 'consul.hashicorp.com/connect-inject: "true"', "main", "consul.evaluation"),
        ("a: b", "a: b", "consul-dataplane", "consul.evaluation"),
    ],
)
def test_pods_of_a_mesh_load_its_evaluator(
    labels: str, annotations: str, container: str, evaluator: str, tmp_path: Path
) -> None:
    pod = (
        f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: api\n  namespace: shop\n  labels:\n    {labels}\n"
        f"  annotations:\n    {annotations}\nspec:\n  containers:\n  - name: {container}\n"
    )
    assert loaded_by(NATIVE, pod, folder=tmp_path) - {"yaml"} == {evaluator}


def test_a_namespace_that_asks_for_proxies_loads_the_evaluator_of_linkerd(tmp_path: Path) -> None:
    namespace = (
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  annotations:\n    linkerd.io/inject: enabled\n"
    )
    assert "linkerd.evaluation" in loaded_by(NATIVE, namespace, folder=tmp_path)


def test_meshes_declare_the_kinds_that_their_parts_look_for() -> None:
    of_routes = (kind for kind in routes.ROUTES if kind[0] == authentications.GROUP)
    assert {intentions.KIND, *defaults.KINDS} == consul.READS
    assert {authorization.KIND, mutual_tls.KIND, *extensions.KINDS, *outbound.KINDS} == istio.READS
    assert {
        servers.KIND,
        egress.KIND,
        *authentications.KINDS,
        *authorizations.KINDS,
        *of_routes,
    } == linkerd.READS


def document_lines(text: str) -> list[int]:
    return [each.line for each in read_documents(text) if isinstance(each, Document)]


def test_documents_end_at_marks_at_the_beginning_of_a_line_and_nowhere_else() -> None:
    assert document_lines("---\na: 1\n---\nb: 2\n") == [2, 4]
    assert document_lines("a: 1\n...\nb: 2\n---") == [1, 3]
    assert document_lines("a: 1\n--- # another\nb: 2\n") == [1, 3]
    assert document_lines("a: x---y\nb: ...z\n") == [1]
    assert document_lines("---x: 1\n") == [1]


def test_half_a_character_in_json_is_mended_where_it_is_read(tmp_path: Path) -> None:
    manifest = tmp_path / "pod.json"
    manifest.write_text(
        '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "a\\ud800"}}}', "utf-8"
    )
    snapshot = read_manifests([manifest])
    (part,) = snapshot.parts()
    assert "a\ufffd" in str(snapshot.read(part))
