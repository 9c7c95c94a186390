"""What the checks of network policies say of manifests, beside what their examples show.

Sources: https://kubernetes.io/docs/concepts/services-networking/network-policies/ and
https://kubernetes.io/docs/tasks/administer-cluster/declare-network-policy/
"""

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from cloudseg.checks import CHECKS, dangling_policy, host_network_pod, missing_default_deny, missing_dns_egress
from cloudseg.checks.example_clusters import ClusterBuilder, admit
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.findings import Finding, Severity
from cloudseg.model import Estate
from cloudseg.providers.kubernetes.translate import translate
from tests.kubernetes.cluster import pod, policy, snapshot, space, written

Findings = Callable[..., list[Finding]]

KUBERNETES = (
    "missing-default-deny",
    "unenforced-policy",
    "dangling-policy",
    "missing-dns-egress",
    "host-network-pod",
)
EVERYTHING: dict[str, Any] = {}
DENY = policy("deny", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
DNS_PORTS = [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]
RESOLVER = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
}
RESOLVER_LABELS: dict[str, Any] = {"k8s-app": "kube-dns"}
COREDNS = pod("coredns", "kube-system", **RESOLVER_LABELS)
REACHING: list[dict[str, Any]] = [
    {"to": [RESOLVER], "ports": DNS_PORTS},
    {"to": [{"namespaceSelector": {}}]},
    {"to": [{"ipBlock": {"cidr": "169.254.20.10/32"}}], "ports": DNS_PORTS},
    {"ports": DNS_PORTS},
    EVERYTHING,
]


def cluster(*objects: dict[str, Any]) -> Estate:
    return translate(snapshot(*objects))


def located(item: dict[str, Any], place: str) -> dict[str, Any]:
    metadata = {**item["metadata"], "annotations": {"cloudseg.io/location": place}}
    return {**item, "metadata": metadata}


def egress(name: str, *rules: dict[str, Any], pods: dict[str, Any] | None = None) -> dict[str, Any]:
    return policy(name, {"podSelector": pods or {}, "policyTypes": ["Egress"], "egress": list(rules)})


def ingress(name: str, *rules: dict[str, Any], pods: dict[str, Any] | None = None) -> dict[str, Any]:
    return policy(name, {"podSelector": pods or {}, "policyTypes": ["Ingress"], "ingress": list(rules)})


def labelled(**labels: str) -> dict[str, Any]:
    return {"matchLabels": labels}


def of(found: list[Finding]) -> list[tuple[str, str]]:
    """Namespace and direction of each finding about isolation."""
    return [(f.resource.id, "ingress" if "for ingress" in f.message else "egress") for f in found]


def manifest(finding: Finding) -> dict[str, Any]:
    """The policy that a remedy names."""
    assert finding.remedy is not None
    match = re.search(r"add this policy: (\{.*\})$", finding.remedy.summary)
    assert match is not None
    found: dict[str, Any] = json.loads(match[1])
    return found


def hosted(name: str, namespace: str = "shop") -> dict[str, Any]:
    found = pod(name, namespace)
    return {**found, "spec": {**found["spec"], "hostNetwork": True}}


# --- missing-default-deny


@pytest.mark.semantics(260)
def test_a_policy_that_selects_one_pod_leaves_the_others_open_and_they_are_named(findings: Findings) -> None:
    estate = cluster(pod("web"), pod("db"), ingress("db", pods=labelled(app="db")), egress("none"))
    (found,) = findings(missing_default_deny.CHECK, estate)
    assert found.message == "namespace shop: 1 of 2 workloads is not isolated for ingress"
    assert found.affected == ("shop/web[Pod]",)
    assert found.confidence == "high"


@pytest.mark.semantics(260)
def test_a_default_allow_cancels_a_default_deny_and_is_named_as_what_does(findings: Findings) -> None:
    estate = cluster(pod("web"), DENY, ingress("https", {"ports": [{"port": 443}]}), ingress("allow", EVERYTHING))
    (found,) = findings(missing_default_deny.CHECK, estate)
    assert found.message.endswith("not isolated for ingress: shop/NetworkPolicy/allow admits everything from everyone")
    assert found.remedy is not None
    assert found.remedy.summary.startswith("take the rule that admits everything out of shop/NetworkPolicy/allow;")


@pytest.mark.semantics(260)
def test_two_policies_that_admit_everything_together_cancel_it_too(findings: Findings) -> None:
    low, high = ({"ports": [{"port": port, "endPort": end}]} for port, end in ((1, 30000), (30001, 65535)))
    estate = cluster(pod("web"), DENY, ingress("low", low), ingress("high", high))
    (found,) = findings(missing_default_deny.CHECK, estate)
    assert "shop/NetworkPolicy/high, shop/NetworkPolicy/low together admit everything" in found.message


@pytest.mark.semantics(261)
def test_an_empty_pod_selector_says_nothing_about_other_namespaces(findings: Findings) -> None:
    estate = cluster(pod("web"), pod("cards", "pay"), DENY)
    assert of(findings(missing_default_deny.CHECK, estate)) == [("pay", "ingress"), ("pay", "egress")]


@pytest.mark.semantics(262)
def test_both_policy_types_with_rules_for_everything_are_no_default_deny(findings: Findings) -> None:
    spec: dict[str, Any] = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    spec |= {"ingress": [EVERYTHING], "egress": [EVERYTHING]}
    estate = cluster(pod("web"), policy("default-deny", spec))
    assert of(findings(missing_default_deny.CHECK, estate)) == [("shop", "ingress"), ("shop", "egress")]


def test_whole_ranges_admit_everything_less_surely_for_a_plugin_may_not_apply_them_to_pods(findings: Findings) -> None:
    estate = cluster(pod("web"), DENY, ingress("all", {"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}))
    (found,) = findings(missing_default_deny.CHECK, estate)
    assert found.confidence == "medium"
    assert any(fact.startswith("unknown: whether ranges") for fact in found.evidence)


def test_all_ports_from_the_pods_of_the_cluster_alone_are_no_default_allow(findings: Findings) -> None:
    estate = cluster(pod("web"), DENY, ingress("pods", {"from": [{"namespaceSelector": {}}]}))
    assert findings(missing_default_deny.CHECK, estate) == []


@pytest.mark.parametrize("name", ["kube-system", "kube-public", "kube-node-lease"])
def test_namespaces_of_the_cluster_itself_are_information(findings: Findings, name: str) -> None:
    found = findings(missing_default_deny.CHECK, cluster(pod("own", name)))
    assert [f.severity for f in found] == [Severity.INFO, Severity.INFO]
    assert all(f.remedy is not None and "add this policy" not in f.remedy.summary for f in found)


def test_a_policy_that_was_not_read_makes_the_pods_it_may_select_open_at_most(findings: Findings) -> None:
    broken = ingress("broken", {"from": [{"ipBlock": {"cidr": "10.0.0.0/40"}}]}, pods=labelled(app="web"))
    estate = cluster(pod("web"), pod("db"), DENY, broken)
    found = findings(missing_default_deny.CHECK, estate)
    assert {f.confidence for f in found} == {"low"}
    assert [f.affected for f in found] == [("shop/web[Pod]",)] * 2
    assert all("may not be isolated" in f.message for f in found)


def test_the_policy_of_the_remedy_mends_it(findings: Findings) -> None:
    objects = (pod("web"), pod("db"))
    found = findings(missing_default_deny.CHECK, cluster(*objects))
    mended = cluster(*objects, COREDNS, *(manifest(each) for each in found))
    assert {f.resource.id for f in findings(missing_default_deny.CHECK, mended)} == {"kube-system"}
    assert findings(missing_dns_egress.CHECK, mended) == []


def test_a_finding_stands_where_the_open_workload_or_the_cancelling_policy_is_written(findings: Findings) -> None:
    (open_, _) = findings(missing_default_deny.CHECK, cluster(located(pod("web"), "shop.yaml:7")))
    assert open_.location == {"file": "shop.yaml", "line": 7}
    allow = located(ingress("allow", EVERYTHING), "net.yaml:21")
    (cancelled,) = findings(missing_default_deny.CHECK, cluster(located(pod("web"), "shop.yaml:7"), DENY, allow))
    assert cancelled.location == {"file": "net.yaml", "line": 21}


def test_namespaces_of_one_name_in_two_clusters_are_judged_apart(findings: Findings) -> None:
    one, two = (translate(snapshot(pod("web"), *more, cluster=name)) for name, more in (("a", (DENY,)), ("b", ())))
    found = findings(missing_default_deny.CHECK, Estate.merged([one, two]))
    assert [(f.scope, f.resource.id) for f in found] == [("b", "shop"), ("b", "shop")]


# --- dangling-policy


@pytest.mark.semantics(264)
def test_a_namespace_label_that_nobody_bears_blocks_what_is_meant_to_pass_and_says_why(findings: Findings) -> None:
    rule = {"from": [{"namespaceSelector": labelled(name="monitoring")}], "ports": [{"port": 9090}]}
    spaces = (space("shop"), space("monitoring", team="operations"))
    estate = cluster(*spaces, pod("web"), pod("prometheus", "monitoring"), ingress("scrape", rule))
    (found,) = findings(dangling_policy.CHECK, estate)
    assert found.severity is Severity.MEDIUM
    assert found.message.endswith("no namespace of which workloads were read bears name=monitoring")
    assert "is blocked" in found.evidence[0]
    assert any("kubernetes.io/metadata.name=monitoring" in fact for fact in found.evidence)
    assert found.confidence == "high"


@pytest.mark.semantics(264)
def test_labels_of_namespaces_that_were_not_read_make_it_less_certain(findings: Findings) -> None:
    rule = {"from": [{"namespaceSelector": labelled(name="monitoring")}]}
    estate = cluster(pod("web"), pod("prometheus", "monitoring"), ingress("scrape", rule))
    found = findings(dangling_policy.CHECK, estate)
    assert [(f.resource.id, f.confidence) for f in found] == [("shop/NetworkPolicy/scrape", "low")]


def test_one_of_two_peers_that_is_not_there_is_low(findings: Findings) -> None:
    rule = {"from": [{"podSelector": labelled(app="web")}, {"podSelector": labelled(app="gone")}]}
    estate = cluster(pod("web"), pod("db"), ingress("db", rule, pods=labelled(app="db")))
    (found,) = findings(dangling_policy.CHECK, estate)
    assert found.severity is Severity.LOW
    assert "pods app=gone" in found.message


def test_a_rule_with_a_named_port_of_two_numbers_is_told_once(findings: Findings) -> None:
    ports = [[{"name": "pg", "containerPort": number}] for number in (5432, 6432)]
    rule = {"from": [{"podSelector": labelled(app="gone")}], "ports": [{"port": "pg"}]}
    estate = cluster(pod("db", ports=ports[0]), pod("db2", ports=ports[1]), ingress("db", rule))
    assert [f.resource.id for f in findings(dangling_policy.CHECK, estate)] == ["shop/NetworkPolicy/db"]


def test_peers_with_a_named_port_that_only_some_of_them_have_are_there(findings: Findings) -> None:
    ports = [[{"name": "pg", "containerPort": number}] for number in (5432, 6432)]
    rule = {"to": [{"podSelector": labelled(app="db")}], "ports": [{"port": "pg"}]}
    estate = cluster(pod("web"), pod("db", ports=ports[0]), pod("other", ports=ports[1]), egress("db", rule))
    assert findings(dangling_policy.CHECK, estate) == []


def test_a_folder_of_policies_without_workloads_gets_one_note(findings: Findings) -> None:
    estate = cluster(pod("runner", "tools"), *(ingress(f"p{number}") for number in range(30)))
    (found,) = findings(dangling_policy.CHECK, estate)
    assert (found.severity, found.resource.id) == (Severity.INFO, "pods")
    assert found.message.startswith("30 policies of cluster c speak of namespaces of which no workload was read: shop")


def test_peers_in_a_namespace_that_was_not_read_are_not_accused(findings: Findings) -> None:
    rule = {"to": [{"namespaceSelector": labelled(**{"kubernetes.io/metadata.name": "vault"})}]}
    (found,) = findings(dangling_policy.CHECK, cluster(pod("web"), egress("vault", rule)))
    assert (found.severity, found.confidence) == (Severity.INFO, "low")
    assert found.message.endswith("no workload was read: vault")


def test_the_resolver_of_a_cluster_whose_own_workloads_were_not_read_is_no_note(findings: Findings) -> None:
    estate = cluster(pod("web"), egress("dns", {"to": [RESOLVER], "ports": DNS_PORTS}))
    assert findings(dangling_policy.CHECK, estate) == []


@pytest.mark.semantics(103)
def test_a_policy_for_pods_in_the_network_of_their_node_selects_nobody_and_says_so(findings: Findings) -> None:
    estate = cluster(pod("web"), hosted("agent"), ingress("agent", pods=labelled(app="agent")))
    (found,) = findings(dangling_policy.CHECK, estate)
    assert any("in the network of their node, such as shop/agent[Pod]" in fact for fact in found.evidence)


def test_what_was_read_from_files_is_less_certain_than_what_runs(findings: Findings) -> None:
    for live, confidence in ((False, "medium"), (True, "high")):
        b = ClusterBuilder(live=live)
        b.workload("shop", "web")
        b.policy("shop", "gone", {"app": "gone"}, ingress=())
        assert [f.confidence for f in findings(dangling_policy.CHECK, b.build())] == [confidence]


def test_workloads_that_were_not_read_in_full_make_it_uncertain(findings: Findings) -> None:
    b = ClusterBuilder(unread=("interfaces",), live=True)
    b.workload("shop", "web")
    b.policy("shop", "gone", {"app": "gone"}, ingress=())
    assert [f.confidence for f in findings(dangling_policy.CHECK, b.build())] == ["low"]


def test_a_workload_whose_labels_were_not_read_may_be_chosen(findings: Findings) -> None:
    broken = written("Pod", "broken", "shop", metadata={"labels": ["app"]}, spec={"containers": []})
    rule = {"from": [{"podSelector": labelled(app="gone")}]}
    estate = cluster(pod("web"), broken, ingress("gone", pods=labelled(app="gone")), ingress("web", rule))
    assert [f.confidence for f in findings(dangling_policy.CHECK, estate)] == ["low", "low"]


# --- missing-dns-egress


@pytest.mark.semantics(265)
def test_a_default_deny_for_egress_without_dns_names_the_policy_that_mends_it(findings: Findings) -> None:
    objects = (COREDNS, pod("web"), DENY, egress("db", {"ports": [{"port": 5432}]}))
    (found,) = findings(missing_dns_egress.CHECK, cluster(*objects))
    assert found.message == (
        "namespace shop: 1 of 1 workload is isolated for egress and may send DNS (udp/53, tcp/53) to no resolver, "
        "so no name resolves"
    )
    assert (found.severity, found.confidence) == (Severity.MEDIUM, "high")
    assert findings(missing_dns_egress.CHECK, cluster(*objects, manifest(found))) == []


@pytest.mark.semantics(265)
@pytest.mark.parametrize(
    ("only", "severity", "words"),
    [(0, Severity.LOW, "over udp/53 but not over tcp/53"), (1, Severity.MEDIUM, "over tcp/53 but not over udp/53")],
)
def test_one_protocol_alone_is_said(findings: Findings, only: int, severity: Severity, words: str) -> None:
    rule = {"to": [RESOLVER], "ports": [DNS_PORTS[only]]}
    (found,) = findings(missing_dns_egress.CHECK, cluster(COREDNS, pod("web"), egress("dns", rule)))
    assert found.severity is severity
    assert words in found.message


@pytest.mark.parametrize("rule", REACHING)
def test_a_rule_that_leads_to_the_resolver_or_may_is_enough(findings: Findings, rule: dict[str, Any]) -> None:
    assert findings(missing_dns_egress.CHECK, cluster(COREDNS, pod("web"), egress("some", rule))) == []


@pytest.mark.parametrize(("known", "confidence"), [((COREDNS,), "high"), ((), "medium")])
def test_pods_of_ones_own_namespace_are_no_resolver(
    findings: Findings, known: tuple[dict[str, Any], ...], confidence: str
) -> None:
    estate = cluster(*known, pod("web"), egress("own", {"to": [{"podSelector": {}}]}))
    assert [f.confidence for f in findings(missing_dns_egress.CHECK, estate)] == [confidence]


def test_a_label_that_the_resolver_does_not_bear_leads_nowhere(findings: Findings) -> None:
    rule = {"to": [{"namespaceSelector": labelled(name="kube-system")}], "ports": DNS_PORTS}
    objects = (space("kube-system"), space("shop"), pod("web"), egress("dns", rule))
    assert len(findings(missing_dns_egress.CHECK, cluster(COREDNS, *objects))) == 1
    # Without the resolver nobody knows what its namespace bears.
    assert findings(missing_dns_egress.CHECK, cluster(*objects)) == []


def test_pods_that_nothing_isolates_for_egress_need_no_rule(findings: Findings) -> None:
    assert findings(missing_dns_egress.CHECK, cluster(COREDNS, pod("web"), ingress("none"))) == []


def test_the_policy_that_mends_it_isolates_nobody_else(findings: Findings) -> None:
    objects = (COREDNS, pod("web"), pod("db"), egress("web", pods=labelled(app="web")))
    (found,) = findings(missing_dns_egress.CHECK, cluster(*objects))
    assert manifest(found)["spec"]["podSelector"] == labelled(app="web")
    assert findings(missing_dns_egress.CHECK, cluster(*objects, manifest(found))) == []


def test_where_several_policies_isolate_the_rule_to_add_is_named(findings: Findings) -> None:
    lists = (egress("web", pods=labelled(app="web")), egress("db", pods=labelled(app="db")))
    (found,) = findings(missing_dns_egress.CHECK, cluster(COREDNS, pod("web"), pod("db"), pod("job"), *lists))
    assert found.remedy is not None
    assert found.remedy.summary.startswith(
        "add this to the egress rules of shop/NetworkPolicy/db, shop/NetworkPolicy/web: {"
    )


def test_a_policy_that_was_not_read_may_admit_it_or_take_it_away(findings: Findings) -> None:
    broken = policy("broken", {"podSelector": {}, "policyTypes": ["Sideways"]})
    (isolated,) = findings(missing_dns_egress.CHECK, cluster(COREDNS, pod("web"), DENY, broken))
    assert isolated.confidence == "low"
    (perhaps,) = findings(missing_dns_egress.CHECK, cluster(COREDNS, pod("web"), broken))
    assert (perhaps.confidence, perhaps.severity) == ("low", Severity.LOW)
    assert "may be isolated for egress by a policy that was not read in full" in perhaps.message


def test_the_port_of_the_resolver_can_be_set(findings: Findings) -> None:
    rule = {"to": [RESOLVER], "ports": [{**each, "port": 5353} for each in DNS_PORTS]}
    estate = cluster(COREDNS, pod("web"), egress("dns", rule))
    assert len(findings(missing_dns_egress.CHECK, estate)) == 1
    assert findings(missing_dns_egress.CHECK, estate, port=5353) == []


# --- host-network-pod


@pytest.mark.semantics(103)
def test_a_pod_in_the_network_of_its_node_is_named_with_the_policies_that_do_not_select_it(findings: Findings) -> None:
    other = policy("other", {"podSelector": labelled(app="web")})
    (found,) = findings(host_network_pod.CHECK, cluster(hosted("proxy"), pod("web"), DENY, other))
    assert found.resource.id == "shop/proxy[Pod]"
    assert found.evidence[-1] == "by its labels these policies would select it: shop/NetworkPolicy/deny"


def test_system_daemons_and_the_network_plugin_are_exempt_as_set(findings: Findings) -> None:
    estate = cluster(hosted("kube-proxy", "kube-system"), hosted("speaker", "metallb-system"), pod("web"))
    assert [f.resource.id for f in findings(host_network_pod.CHECK, estate)] == ["metallb-system/speaker[Pod]"]
    assert findings(host_network_pod.CHECK, estate, exempt_namespaces=("kube-system", "metallb-system")) == []


# --- all of them


def statuses(estate: Estate) -> dict[str, tuple[str, str]]:
    chosen = tuple(check for check in CHECKS if check.id in KUBERNETES)
    found = run_audit(estate, AuditRequest(checks=chosen, exposure=False)).checks
    return {status.id: (status.status, status.reason) for status in found}


def test_without_a_cluster_they_are_not_evaluated_and_say_why() -> None:
    found = statuses(EstateBuilder().build())
    assert found.keys() == set(KUBERNETES)
    assert all(status == "not evaluated" and reason.startswith("aws: ") for status, reason in found.values())


def test_with_workloads_they_are_evaluated() -> None:
    assert set(statuses(cluster(pod("web"))).values()) == {("evaluated", "")}


def test_without_workloads_nothing_is_said_of_policies() -> None:
    reason = "no workloads of a cluster were read"
    assert set(statuses(cluster(DENY)).values()) == {("not evaluated", reason)}


def test_what_was_not_read_of_a_cluster_makes_them_partly_evaluated() -> None:
    b = ClusterBuilder(unread=("groups",))
    b.workload("shop", "web")
    assert statuses(b.build())["host-network-pod"][0] == "partly"
    assert statuses(b.build())["missing-default-deny"][0] == "partly"


def test_a_namespace_without_workloads_is_no_finding(findings: Findings) -> None:
    assert findings(missing_default_deny.CHECK, cluster(space("empty"), written("ConfigMap", "c", "empty"))) == []


def test_the_builder_makes_what_the_translation_of_the_same_manifests_makes() -> None:
    b = ClusterBuilder("c", live=True)
    b.namespace("shop")
    b.workload("shop", "web", kind="Pod")
    b.policy("shop", "p", {"app": "web"}, ingress=(admit("tcp/80"),), egress=())
    rule = {"ports": [{"port": 80}]}
    spec = {"podSelector": labelled(app="web"), "policyTypes": ["Ingress", "Egress"], "ingress": [rule]}
    built, read = b.build(), cluster(space("shop"), pod("web"), policy("p", spec))
    (mine,), (theirs,) = built.rule_sets.values(), read.rule_sets.values()
    assert (mine.id, mine.kind, mine.stage, mine.isolates) == (theirs.id, theirs.kind, theirs.stage, theirs.isolates)
    assert [msgspec.structs.replace(each, location=None) for each in mine.rules] == list(theirs.rules)
    assert [each.id for each in built.governed(mine)] == [each.id for each in read.governed(theirs)]
    (mine_pod,), (their_pod,) = built.interfaces.values(), read.interfaces.values()
    assert (mine_pod.id, mine_pod.labels, mine_pod.network) == (their_pod.id, their_pod.labels, their_pod.network)


def test_a_check_for_other_clouds_finds_nothing_where_it_counts_as_not_evaluated() -> None:
    b = ClusterBuilder()
    b.namespace("shop")
    for name in ("web", "db", "job"):
        b.workload("shop", name, {"app": name})
    document = run_audit(b.build(), AuditRequest())
    assert document.findings
    settled = {status.id for status in document.checks if status.status != "not evaluated"}
    assert {finding.check for finding in document.findings} <= settled
