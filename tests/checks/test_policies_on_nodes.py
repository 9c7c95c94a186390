"""Policies that a network plugin may not enforce on some nodes, as a check tells of them.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/
"""

from collections.abc import Callable
from typing import Any

import pytest

from cloudseg.checks import unenforced_policy
from cloudseg.findings import Finding, Severity
from tests.kubernetes.cluster import Cluster
from tests.kubernetes.test_plugin_nodes import APPLICATION, NODES, agent, calico

Findings = Callable[..., list[Finding]]
Json = dict[str, Any]


def told(findings: Findings, *objects: Json) -> Finding:
    (found,) = findings(unenforced_policy.CHECK, Cluster(*APPLICATION, *objects).estate)
    return found


@pytest.mark.semantics(114)
def test_policies_that_are_not_enforced_on_some_nodes_are_a_finding(findings: Findings) -> None:
    found = told(findings, calico(2, 2), *NODES, agent("n1"), agent("n2"))
    assert found.message == "cluster c: 1 policy may not be enforced on 1 of 3 nodes"
    assert (found.severity, found.confidence) == (Severity.MEDIUM, "medium")
    assert found.affected == ("shop/job[Pod]",)
    assert found.evidence == (
        "DaemonSet kube-system/calico-node is ready on 2 of 3 nodes",
        "perhaps without effect there: shop/NetworkPolicy/closed",
        "have pods there: shop/job[Pod]",
    )


@pytest.mark.semantics(114)
def test_where_nodes_are_not_known_every_selected_workload_is_concerned(findings: Findings) -> None:
    found = told(findings, calico(3, 2))
    assert found.message == "cluster c: 1 policy may not be enforced on 1 of 3 nodes"
    assert (found.severity, found.confidence, len(found.affected)) == (Severity.MEDIUM, "low", 3)
    assert "which these are is not known" in found.evidence[1]


@pytest.mark.semantics(114)
def test_a_plugin_on_every_node_is_no_finding(findings: Findings) -> None:
    assert findings(unenforced_policy.CHECK, Cluster(*APPLICATION, *NODES, calico(3, 3)).estate) == []


@pytest.mark.semantics(114)
def test_nodes_without_workloads_that_policies_select_weigh_less(findings: Findings) -> None:
    own = [each for each in APPLICATION if each["metadata"]["name"] != "job"]
    objects = (*own, calico(2, 2), *NODES, agent("n1"), agent("n2"))
    (found,) = findings(unenforced_policy.CHECK, Cluster(*objects).estate)
    assert (found.severity, found.affected) == (Severity.LOW, ())
    assert found.evidence[-1] == "no workload that they select is known to run there now"
