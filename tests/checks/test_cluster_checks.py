"""What the checks of every cloud say of clusters, beside their examples, and what they do not say of them."""

import dataclasses
import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from cloudseg.checks import (
    CHECKS,
    address_based_rule,
    cross_environment_path,
    overbroad_ports,
    self_referencing_all_traffic,
    tier_skip,
    unrestricted_egress,
)
from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.interface import Check
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.findings import Finding, Severity
from cloudseg.model import Estate
from cloudseg.providers.kubernetes.translate import translate
from cloudseg.traffic import AddressSet
from tests.kubernetes.cluster import pod, policy, snapshot, space

Findings = Callable[..., list[Finding]]

PRIVATE = "0.0.0.0-9.255.255.255, 11.0.0.0-255.255.255.255"


def cluster(*objects: dict[str, Any]) -> Estate:
    return translate(snapshot(*objects))


def ingress(name: str, *rules: dict[str, Any], namespace: str = "shop") -> dict[str, Any]:
    return policy(name, {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": list(rules)}, namespace)


# --- every check has a word about clusters


@pytest.mark.parametrize("check", [each for each in CHECKS if not each.after_waivers], ids=lambda check: check.id)
def test_a_check_looks_at_clusters_or_says_why_there_is_nothing_to_look_at(check: Check) -> None:
    assert ("kubernetes" in check.concept) != ("kubernetes" in check.absent)


def test_a_check_for_another_cloud_says_nothing_of_a_cluster_beside_that_cloud() -> None:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "web", ingress=(admit("tcp/80", Pods()),))
    clouds = EstateBuilder()
    clouds.group("sg-web", allow("ingress", "tcp/80", "10.0.0.0/16", description=""))
    clouds.interface("eni-web", "subnet-private", ["sg-web"], "10.0.2.10")
    both = Estate.merged([clouds.build(), b.build()])
    found = run_audit(both, AuditRequest(exposure=False))
    concept = {check.id: check.concept for check in CHECKS}
    assert {finding.provider for finding in found.findings} == {"aws", "kubernetes"}
    assert all(finding.provider in concept[finding.check] for finding in found.findings)
    told = {(each.check, finding.provider) for finding in found.findings for each in (finding, *finding.also)}
    assert ("undescribed-rule", "aws") in told
    assert ("undescribed-rule", "kubernetes") not in told


def test_facets_that_a_cluster_does_not_have_are_no_reason_to_be_unsure() -> None:
    b = ClusterBuilder()
    b.workload("shop", "web")
    ran = ("unrestricted-egress", "flat-network", "address-based-rule", "internet-exposed-port", "redundant-rule")
    checks = tuple(check for check in CHECKS if check.id in ran)
    found = run_audit(b.build(), AuditRequest(checks=checks, exposure=False)).checks
    assert {(status.id, status.status, status.reason) for status in found} == {(name, "evaluated", "") for name in ran}


def test_a_finding_names_the_controls_of_benchmarks_for_its_own_provider(findings: Findings) -> None:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "web", ingress=(admit("tcp/80", "10.0.0.0/8"),))
    clouds = EstateBuilder()
    clouds.group("sg-web", allow("ingress", "tcp/80", "10.0.0.0/16"))
    (of_cluster,) = findings(address_based_rule.CHECK, b.build())
    (of_cloud,) = findings(address_based_rule.CHECK, clouds.build())
    nsa = "nsa-cisa-kubernetes-1.2:Network separation and hardening: Network policies"
    assert nsa in of_cluster.compliance
    assert nsa not in of_cloud.compliance
    assert set(of_cluster.compliance) - {nsa} == set(of_cloud.compliance)


# --- labels of namespaces


def dev_and_prod(*, of_pod: str = "", of_namespace: str = "dev") -> Estate:
    own = {"env": of_pod} if of_pod else {}
    named = {"env": of_namespace} if of_namespace else {}
    return cluster(
        space("shop", env="prod"),
        space("lab", **named),
        pod("db"),
        pod("test", "lab", None, **own),
        ingress("open", {}),
    )


def test_the_environment_of_a_namespace_is_that_of_its_pods(findings: Findings) -> None:
    found = findings(cross_environment_path.CHECK, dev_and_prod())
    assert {each.message.partition(":")[0] for each in found} == {
        "dev in pods reaches production in pods",
        "production in pods reaches dev in pods",
    }
    assert findings(cross_environment_path.CHECK, dev_and_prod(of_namespace="prod")) == []


def test_what_a_pod_says_of_itself_counts_before_what_its_namespace_says(findings: Findings) -> None:
    assert findings(cross_environment_path.CHECK, dev_and_prod(of_pod="prod")) == []
    assert len(findings(cross_environment_path.CHECK, dev_and_prod(of_pod="dev", of_namespace="prod"))) == 2


def test_labels_of_one_namespace_say_nothing_of_another(findings: Findings) -> None:
    assert findings(cross_environment_path.CHECK, dev_and_prod(of_namespace="")) == []


def test_namespaces_can_be_the_environments() -> None:
    estate = cluster(pod("db", "prod"), pod("web", "dev"), ingress("open", {}, namespace="prod"))
    checks = tuple(check for check in CHECKS if check.id == "cross-environment-path")
    labels = {"environment": ("env", "namespace")}
    found = run_audit(estate, AuditRequest(checks=checks, labels=labels, exposure=False)).findings
    assert len(found) == 2
    assert run_audit(estate, AuditRequest(checks=checks, exposure=False)).findings == ()


def test_workloads_of_a_namespace_are_one_application_unless_they_say_what_they_are_part_of(findings: Findings) -> None:
    def estate(**part: str) -> Estate:
        b = ClusterBuilder()
        b.workload("shop", "web", {"app": "web", "tier": "web", **part})
        b.workload("shop", "api", {"app": "api", "tier": "api"})
        b.workload("shop", "db", {"app": "db", "tier": "db"})
        return b.build()

    (found,) = findings(tier_skip.CHECK, estate())
    assert found.message.startswith("shop/web/- reaches shop/db/- past api")
    assert findings(tier_skip.CHECK, estate(**{"app.kubernetes.io/part-of": "other"})) == []


# --- address-based-rule


def live(*addresses: str, rule: str, plugin: str = "", ranges: Any = None) -> Estate:
    b = ClusterBuilder("live", live=True)
    for number, address in enumerate(addresses):
        b.workload("shop", f"web-{number}", {"app": "web", "pod": str(number)}, addresses=AddressSet.parse(address))
    b.workload("shop", "db", addresses=AddressSet.parse("10.42.9.9"))
    b.policy("shop", "db", {"app": "db"}, ingress=(admit("tcp/5432", rule),))
    estate = b.build()
    if ranges is None:
        return estate
    ((name, pipeline),) = estate.pipelines.items()
    stages = tuple(msgspec.structs.replace(stage, ranges=ranges) for stage in pipeline.ingress)
    changed = msgspec.structs.replace(pipeline, ingress=stages, egress=stages)
    return dataclasses.replace(estate, pipelines={name: changed})


def items(finding: Finding) -> list[dict[str, Any]]:
    assert finding.remedy is not None
    match = re.search(r"write (\{.*\});", finding.remedy.summary)
    assert match is not None
    return list(json.loads(f"[{match[1]}]"))


def test_the_selector_of_the_pods_in_a_range_is_named(findings: Findings) -> None:
    (found,) = findings(address_based_rule.CHECK, live("10.42.1.1", "10.42.1.2", rule="10.42.1.0/24"))
    assert items(found) == [{"podSelector": {"matchLabels": {"app": "web"}}}]
    assert (found.severity, found.confidence) == (Severity.MEDIUM, "high")


def test_where_one_label_names_others_too_all_labels_are_named(findings: Findings) -> None:
    (found,) = findings(address_based_rule.CHECK, live("10.42.1.1", "10.42.2.2", rule="10.42.1.0/24"))
    assert items(found) == [{"podSelector": {"matchLabels": {"app": "web", "pod": "0"}}}]


def test_all_pods_of_another_namespace_are_named_by_it(findings: Findings) -> None:
    b = ClusterBuilder("live", live=True)
    for name in ("a", "b"):
        b.workload("tools", name, addresses=AddressSet.parse("10.42.1.1"))
    b.workload("shop", "db", addresses=AddressSet.parse("10.42.9.9"))
    b.policy("shop", "db", ingress=(admit("tcp/5432", "10.42.1.1"),))
    (found,) = findings(address_based_rule.CHECK, b.build())
    namespace = {"matchLabels": {"kubernetes.io/metadata.name": "tools"}}
    assert items(found) == [{"namespaceSelector": namespace, "podSelector": {}}]
    assert found.severity is Severity.LOW


@pytest.mark.parametrize(
    ("ranges", "said"),
    [("outside", "a range never matches them"), ("unknown", "depends on the network plugin"), ("everywhere", "")],
)
def test_what_the_network_plugin_makes_of_a_range_is_said(findings: Findings, ranges: str, said: str) -> None:
    (found,) = findings(address_based_rule.CHECK, live("10.42.1.1", rule="10.42.1.0/24", ranges=ranges))
    assert any(said in text for text in found.evidence) if said else "plugin" not in "".join(found.evidence)


@pytest.mark.parametrize("rule", ["10.50.0.0/16", "192.168.0.0/16", "0.0.0.0/0", "203.0.113.0/24"])
def test_a_range_in_which_no_pod_stands_and_one_of_the_internet_are_left_alone(findings: Findings, rule: str) -> None:
    assert findings(address_based_rule.CHECK, live("10.42.1.1", rule=rule)) == []


@pytest.mark.parametrize(
    ("rule", "severity", "confidence"),
    [("10.0.0.0/8", "medium", "medium"), ("0.0.0.0/0", "", ""), ("192.168.7.0/24", "low", "low"), (PRIVATE, "", "")],
)
def test_without_addresses_of_pods_it_is_the_range_that_tells(
    findings: Findings, rule: str, severity: str, confidence: str
) -> None:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "web", ingress=(admit("tcp/80", rule),))
    found = [(each.severity.value, each.confidence) for each in findings(address_based_rule.CHECK, b.build())]
    assert found == ([(severity, confidence)] if severity else [])


# --- overbroad-ports, self-referencing-all-traffic, unrestricted-egress: told once


def told(findings: Findings, estate: Estate) -> list[tuple[str, str]]:
    checks = (overbroad_ports, self_referencing_all_traffic, unrestricted_egress)
    return [(each.check, each.resource.id) for module in checks for each in findings(module.CHECK, estate)]


def egress(*admissions: Any) -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "web", egress=admissions)
    return b.build()


def test_what_is_open_to_everyone_is_left_to_the_check_of_isolation(findings: Findings) -> None:
    assert told(findings, egress(admit())) == []
    assert told(findings, egress(admit("all", "0.0.0.0/0"))) == []


def test_the_internet_on_all_ports_is_unrestricted_egress_and_nothing_else(findings: Findings) -> None:
    assert told(findings, egress(admit("all", PRIVATE))) == [("unrestricted-egress", "shop")]
    assert told(findings, egress(admit("tcp/443", PRIVATE))) == []


def test_own_pods_on_all_ports_are_told_once(findings: Findings) -> None:
    assert told(findings, egress(admit("all", Pods()))) == [("self-referencing-all-traffic", "shop/NetworkPolicy/web")]


def test_others_on_all_ports_are_overbroad(findings: Findings) -> None:
    estate = egress(admit("all", Pods(namespaces={"team": "b"})))
    assert told(findings, estate) == [("overbroad-ports", "shop/NetworkPolicy/web")]


def test_a_rule_that_only_hands_on_opens_nothing(findings: Findings) -> None:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.admin_policy("hand-on", Pods(namespaces={}), ("next", admit("all", Pods(namespaces={"team": "b"}))))
    assert told(findings, b.build()) == []
    b.admin_policy("open", Pods(namespaces={}), ("accept", admit("all", Pods(namespaces={"team": "b"}))))
    assert told(findings, b.build()) == [("overbroad-ports", "AdminNetworkPolicy/open")]
