"""Every finding over manifests says in which file and line it can be mended: pull requests are annotated by that."""

import json
from pathlib import Path
from typing import Any

import pytest

from cloudseg.checks import CHECKS
from tests.cli.conftest import Run

NAMESPACES = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {env: prod}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop-dev, labels: {env: dev}}
---
apiVersion: v1
kind: Namespace
metadata: {name: mesh, labels: {istio-injection: enabled}}
"""

SHOP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {template: {metadata: {labels: {app: web, tier: web}}, spec: {containers: [{name: main}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec: {template: {metadata: {labels: {app: api, tier: app}}, spec: {containers: [{name: main}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db, namespace: shop}
spec: {template: {metadata: {labels: {app: db, tier: db}}, spec: {containers: [{name: main}]}}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 22}]}
---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: shop, labels: {app: agent}}
spec: {hostNetwork: true, containers: [{name: main}]}
---
apiVersion: v1
kind: Pod
metadata: {name: worker, namespace: shop-dev, labels: {app: worker}}
spec: {containers: [{name: main}]}
---
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: mesh, labels: {app: a}}
spec: {containers: [{name: main}]}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: mesh, labels: {app: b}}
spec: {containers: [{name: main}]}
"""

POLICIES = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{namespaceSelector: {}}]
      ports: [{port: 5432}]
    - from: [{ipBlock: {cidr: 10.0.0.0/8}}]
      ports: [{port: 5432}]
    - from: [{podSelector: {matchLabels: {app: db}}}]
    - from: [{podSelector: {matchLabels: {app: api}}}]
      ports: [{port: 5432}]
    - from: [{podSelector: {matchLabels: {app: nobody}}}]
      ports: [{port: 5433}]
  egress:
    - to: [{ipBlock: {cidr: 198.51.100.0/24}}, {ipBlock: {cidr: "::/0"}}]
      ports: [{port: 443}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec: {podSelector: {matchLabels: {app: api}}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: one, namespace: elsewhere}
spec: {podSelector: {}, policyTypes: [Ingress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: two, namespace: elsewhere}
spec: {podSelector: {}, policyTypes: [Egress]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: idle, namespace: shop}
spec: {endpointSelector: {}, ingress: [{}]}
---
apiVersion: crd.antrea.io/v1beta1
kind: NetworkPolicy
metadata: {name: twice, namespace: shop-dev}
spec:
  priority: 5
  appliedTo: [{podSelector: {}}]
  ingress:
    - {action: Allow, from: [{podSelector: {}}]}
    - {action: Drop, from: [{podSelector: {}}], ports: [{protocol: TCP, port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Egress]
  egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]
"""

MESH = """\
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: mesh}
spec: {mtls: {mode: PERMISSIVE}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: all, namespace: mesh}
spec: {selector: {matchLabels: {app: a}}, rules: [{}]}
"""

PLUGIN = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: antrea-agent, namespace: kube-system, labels: {app: antrea}}
spec:
  selector: {matchLabels: {app: antrea}}
  template:
    metadata: {labels: {app: antrea}}
    spec: {hostNetwork: true, containers: [{name: antrea-agent, image: antrea/antrea-agent-ubuntu:v2.0.0}]}
"""

INTENT = """\
schema: cloudseg/intent/v1
segments:
  web: {tags: {tier: web}}
  api: {tags: {tier: app}}
  db: {tags: {tier: db}}
allow:
  - {from: db, to: api, traffic: udp/53}
  - {from: web, to: db, traffic: tcp/9999}
"""

FILES = {"namespaces": NAMESPACES, "shop": SHOP, "policies": POLICIES, "mesh": MESH, "plugin": PLUGIN}
# Nothing is unused without flow logs.
OF_CLUSTERS = {check.id for check in CHECKS if "kubernetes" in check.concept} - {"unused-rule"}


@pytest.fixture
def audited(run: Run, tmp_path: Path) -> Path:
    """A folder with the reports over manifests that every check of clusters finds something in."""
    folder = tmp_path / "manifests"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "intent.yaml").write_text(INTENT, encoding="utf-8")
    outputs = [argument for name in ("a.json", "a.sarif") for argument in ("--output", name)]
    result = run("audit", "manifests", "--intent", "intent.yaml", *outputs)
    assert result.returncode in {1, 3}, result.stderr
    return tmp_path


def lines_of(folder: Path, file: str) -> int:
    return len((folder / file).read_text(encoding="utf-8").splitlines())


def test_every_finding_of_every_check_over_manifests_has_a_file_and_a_line(audited: Path) -> None:
    findings: list[dict[str, Any]] = json.loads((audited / "a.json").read_text())["findings"]
    assert {each["check"] for each in findings} == OF_CLUSTERS
    for each in findings:
        assert each["location"] is not None, each["message"]
        for place in (each["location"], *each["related"]):
            assert 1 <= place["line"] <= lines_of(audited, place["file"]), each["message"]
        assert each["location"] not in each["related"]


def test_every_result_over_manifests_stands_in_a_file_and_so_does_what_is_related(audited: Path) -> None:
    (run,) = json.loads((audited / "a.sarif").read_text())["runs"]
    assert {each["ruleId"] for each in run["results"]} == OF_CLUSTERS
    assert any(each.get("relatedLocations") for each in run["results"])
    for each in run["results"]:
        for place in (*each["locations"], *each.get("relatedLocations", [])):
            physical = place["physicalLocation"]
            assert 1 <= physical["region"]["startLine"] <= lines_of(audited, physical["artifactLocation"]["uri"])
