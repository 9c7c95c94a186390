"""`reach` and `explain` take a service of a cluster for its pods, and say so."""

from pathlib import Path

from tests.cli.conftest import Run

SHOP = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: shop, labels: {app: client}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 8080}]}]}
"""


def test_explain_asks_the_pods_of_a_service_on_their_own_port(run: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP)
    result = run("explain", "shop.yaml", "--from", "client", "--to", "svc/web", "--traffic", "tcp/80")
    assert result.returncode == 0, result.stderr
    assert "ALLOWED" in result.stdout.upper()
    assert "tcp/80 goes to tcp/8080" in result.stdout


def test_reach_asks_the_pods_of_a_service_on_their_own_port(run: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP)
    result = run("reach", "shop.yaml", "--from", "client", "--to", "shop/web", "--traffic", "tcp/80", "--format", "csv")
    assert result.returncode == 0, result.stderr
    assert "tcp/8080" in result.stdout
    assert "tcp/80 goes to tcp/8080" in result.stderr
