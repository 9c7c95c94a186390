"""Policies that nobody enforces, as the checks tell of them."""

from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.checks import CHECKS, missing_default_deny, unenforced_policy
from cloudseg.checks.example_clusters import ClusterBuilder, admit
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.findings import Finding, Severity
from cloudseg.model import Estate
from cloudseg.providers.kubernetes.translate import translate
from tests.kubernetes import daemon_sets as ships
from tests.kubernetes.cluster import pod, policy, snapshot, space

Findings = Callable[..., list[Finding]]

DENY = policy("deny", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
OPEN = policy("open", {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]})


def cluster(*objects: dict[str, Any]) -> Estate:
    return translate(snapshot(space("shop"), pod("web"), *objects))


def flannel_alone() -> Estate:
    b = ClusterBuilder()
    b.plugin("Flannel", evidence="DaemonSet kube-flannel/kube-flannel-ds", enforces=())
    b.workload("shop", "web")
    b.policy("shop", "default-deny", ingress=(), egress=())
    b.policy("shop", "web", {"app": "web"}, ingress=(admit("tcp/443"),))
    return b.build()


@pytest.mark.semantics(114, 263)
def test_policies_in_a_cluster_with_flannel_alone_are_one_finding(findings: Findings) -> None:
    (found,) = findings(unenforced_policy.CHECK, flannel_alone())
    assert found.message == (
        "cluster manifests: 2 policies of kind NetworkPolicy have no effect: Flannel does not enforce them"
    )
    assert (found.severity, found.confidence) == (Severity.HIGH, "high")
    assert found.evidence == (
        "without effect: shop/NetworkPolicy/default-deny, shop/NetworkPolicy/web",
        "the network plugin: DaemonSet kube-flannel/kube-flannel-ds",
        "they select shop/web[Deployment], and filter nothing there",
    )
    assert found.location == {"file": "cluster.yaml", "line": 11}


@pytest.mark.semantics(114, 263)
def test_what_objects_of_a_cluster_tell_is_evidence(findings: Findings) -> None:
    (found,) = findings(unenforced_policy.CHECK, cluster(DENY, ships.flannel()))
    assert "the network plugin: DaemonSet kube-flannel/kube-flannel-ds, image flannel-io/flannel:v0.26.1; Flannel" in (
        "\n".join(found.evidence)
    )


@pytest.mark.parametrize("item", [ships.calico(), ships.cilium(), ships.unknown()])
def test_policies_that_are_enforced_or_assumed_to_be_are_no_finding(findings: Findings, item: dict[str, Any]) -> None:
    assert findings(unenforced_policy.CHECK, cluster(DENY, item)) == []


@pytest.mark.semantics(114)
def test_in_a_cluster_with_a_plugin_that_is_not_known_policies_are_doubtful(findings: Findings) -> None:
    (found,) = findings(unenforced_policy.CHECK, cluster(DENY, ships.running(ships.unknown())))
    assert found.message == "cluster c: whether 1 policy is enforced is not known"
    assert (found.severity, found.confidence) == (Severity.MEDIUM, "low")
    assert found.evidence[0] == ("unknown: no network plugin is known among the daemons of kube-system (own-cni)")


@pytest.mark.semantics(263)
def test_a_namespace_is_not_isolated_by_a_policy_that_nobody_enforces(findings: Findings) -> None:
    found = findings(missing_default_deny.CHECK, cluster(DENY, ships.flannel()))
    own = [each for each in found if "namespace shop" in each.message]
    assert len(own) == 2
    assert {each.confidence for each in own} == {"high"}
    for each in own:
        assert each.evidence[0] == (
            "without effect: shop/NetworkPolicy/deny, since Flannel does not enforce such policies"
        )
        assert each.remedy is not None
        assert each.remedy.summary.startswith("let a network plugin enforce policies first, since Flannel does not")


@pytest.mark.semantics(263)
def test_a_namespace_without_policies_is_told_that_none_would_help(findings: Findings) -> None:
    found = findings(missing_default_deny.CHECK, cluster(ships.flannel()))
    assert found[0].evidence[0] == "Flannel enforces no NetworkPolicies, so none would isolate them"


@pytest.mark.semantics(114)
def test_a_namespace_may_not_be_isolated_where_the_plugin_is_not_known(findings: Findings) -> None:
    found = findings(missing_default_deny.CHECK, cluster(DENY, ships.running(ships.unknown())))
    own = [each for each in found if "namespace shop" in each.message]
    assert {each.confidence for each in own} == {"low"}
    assert all("unknown: whether policies are enforced" in each.evidence[0] for each in own)


@pytest.mark.parametrize("item", [ships.flannel(), ships.running(ships.unknown()), ships.calico()])
def test_every_check_copes_with_policies_whether_enforced_or_not(item: dict[str, Any]) -> None:
    found = run_audit(cluster(DENY, OPEN, item), AuditRequest(checks=CHECKS, exposure=True))
    assert {status.status for status in found.checks if status.id == "unenforced-policy"} == {"evaluated"}
