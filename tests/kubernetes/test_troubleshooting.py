"""What people look for when a NetworkPolicy does not do what it should: `audit` or `explain` tells each of it.

The rows are those of the usual tables of symptoms and causes, and of
https://kubernetes.io/docs/concepts/services-networking/network-policies/, with manifests of their own.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from cloudseg.engine import AuditRequest, run_audit
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.explaining.explanation import Explanation
from cloudseg.reporters.reach_answer import ReachAnswer
from cloudseg.traffic import GLOBAL_UNICAST, AddressSet, Traffic
from tests.kubernetes import daemon_sets as ships
from tests.kubernetes.cluster import Cluster, pod, policy, space, written

Objects = tuple[dict[str, Any], ...]

DENY = policy("default-deny", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
OPEN = policy("open", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]})
COREDNS = pod("coredns", "kube-system", None, **{"k8s-app": "kube-dns"})
EVERYBODY: Mapping[str, Any] = {}


def labels(**asked: str) -> dict[str, Any]:
    return {"matchLabels": asked}


def named(name: str) -> dict[str, Any]:
    return {"matchLabels": {"kubernetes.io/metadata.name": name}}


def ingress(name: str, pods: dict[str, Any], *rules: Mapping[str, Any], namespace: str = "shop") -> dict[str, Any]:
    spec = {"podSelector": pods, "policyTypes": ["Ingress"], "ingress": list(rules)}
    return policy(name, spec, namespace)


def tcp(*numbers: int | str) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": number} for number in numbers]


def flannel() -> dict[str, Any]:
    metadata = {"labels": {"app": "flannel"}}
    spec = {"hostNetwork": True, "containers": [{"name": "kube-flannel", "image": "docker.io/flannel/flannel:v0.25.6"}]}
    own = {"template": {"metadata": metadata, "spec": spec}}
    return written("DaemonSet", "kube-flannel-ds", "kube-flannel", metadata=metadata, spec=own)


REQUESTS = written(
    "CiliumNetworkPolicy",
    "api",
    "shop",
    apiVersion="cilium.io/v2",
    spec={
        "endpointSelector": labels(app="api"),
        "ingress": [
            {
                "fromEndpoints": [labels(app="web")],
                "toPorts": [
                    {
                        "ports": [{"port": "80", "protocol": "TCP"}],
                        "rules": {"http": [{"method": "GET", "path": "/public"}]},
                    }
                ],
            }
        ],
    },
)


class Row(NamedTuple):
    """A symptom, its cause as manifests, and what tells it.

    Attributes:
        name: the symptom and its cause.
        objects: the manifests.
        ask: source, target and traffic of the question; the ends in namespace ``shop`` unless told.
        verdict: the answer.
        told: texts that the explanation must hold.
        check: the check that tells it as well; empty for none.
        found: a text of its message or evidence.
    """

    name: str
    objects: Objects
    ask: tuple[str, str, str]
    verdict: str
    told: tuple[str, ...]
    check: str = ""
    found: str = ""


ROWS = (
    Row(
        "all traffic is blocked: a default-deny and no policy that admits",
        (pod("web"), pod("api"), DENY),
        ("web", "api", "tcp/8080"),
        "blocked",
        (
            (
                'a policy of namespace shop that selects shop/web[Pod] needs this egress rule: {"to": [{"podSelector": '
                '{"matchLabels": {"app": "api"}}}], "ports": [{"protocol": "TCP", "port": 8080}]}'
            ),
            (
                'a policy of namespace shop that selects shop/api[Pod] needs this ingress rule: {"from": '
                '[{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"protocol": "TCP", "port": 8080}]}'
            ),
        ),
    ),
    Row(
        "names do not resolve: egress is denied and DNS was forgotten",
        (pod("web"), COREDNS, DENY),
        ("web", "kube-system/coredns", "udp/53"),
        "blocked",
        ('"podSelector": {"matchLabels": {"app": "coredns", "k8s-app": "kube-dns"}}}], "ports": [{"protocol": "UDP"',),
        "missing-dns-egress",
        "so no name resolves",
    ),
    Row(
        "another namespace is blocked: it does not bear the label",
        (
            *(space("shop"), space("monitoring"), pod("web"), pod("prometheus", "monitoring")),
            ingress("scrape", {}, {"from": [{"namespaceSelector": labels(name="monitoring")}], "ports": tcp(9090)}),
        ),
        ("monitoring/prometheus", "web", "tcp/9090"),
        "blocked",
        (
            (
                "it asks for namespaces with name=monitoring, and namespace monitoring bears no such label "
                "(kubernetes.io/metadata.name=monitoring is always there)"
            ),
        ),
        "dangling-policy",
        "name=monitoring",
    ),
    Row(
        "the ingress controller gets nothing through: its namespace is called otherwise",
        (
            *(space("shop"), space("ingress-nginx"), pod("web"), pod("controller", "ingress-nginx")),
            ingress(
                "web",
                {},
                {"from": [{"namespaceSelector": named("ingress"), "podSelector": labels(app="controller")}]},
            ),
        ),
        ("ingress-nginx/controller", "web", "tcp/8080"),
        "blocked",
        ("it asks for namespace ingress, and ingress-nginx/controller[Pod] is in ingress-nginx",),
        "dangling-policy",
        "ingress",
    ),
    Row(
        "pods reach nothing outside: no egress rule for addresses there",
        (pod("web"), policy("dns", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": tcp(53)}]})),
        ("web", "198.51.100.7", "tcp/443"),
        "blocked",
        (
            (
                'needs this egress rule: {"to": [{"ipBlock": {"cidr": "198.51.100.7/32"}}], "ports": [{"protocol": '
                '"TCP", "port": 443}]}'
            ),
        ),
    ),
    Row(
        "pods reach nothing of the internet: the rule that people write for it is proposed, and no part of it",
        (pod("web"), policy("dns", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": tcp(53)}]})),
        ("web", "internet", "tcp/443"),
        "blocked",
        (
            (
                'needs this egress rule: {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", '
                '"172.16.0.0/12", "192.168.0.0/16"]}}, {"ipBlock": {"cidr": "2000::/3"}}], "ports": [{"protocol": '
                '"TCP", "port": 443}]}'
            ),
        ),
    ),
    Row(
        "a policy admits the internet, and no Service leads in",
        (pod("web"), ingress("web", {}, {"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": tcp(443)})),
        ("198.51.100.7", "web", "tcp/443"),
        "allowed",
        (
            (
                "policies admit it, and nothing that was read leads from the internet to shop/web[Pod]: no Service, "
                "Ingress or Gateway, and no port of a node"
            ),
        ),
    ),
    Row(
        "packets pass, and requests have to meet more",
        (pod("web"), pod("api"), REQUESTS),
        ("web", "api", "tcp/80"),
        "allowed",
        ("shop/CiliumNetworkPolicy/api ingress[0].fromEndpoints[0].toPorts[0]: HTTP: GET /public only",),
    ),
    Row(
        "the rule is there with another port",
        (pod("web"), pod("api"), ingress("api", labels(app="api"), {"from": [{"podSelector": {}}], "ports": tcp(80)})),
        ("web", "api", "tcp/8080"),
        "blocked",
        ("shop/NetworkPolicy/api ingress[0].from[0] admits tcp/80 from shop/web[Pod], and not tcp/8080",),
    ),
    Row(
        "the rule names another label of the pod",
        (
            *(pod("web"), pod("api")),
            ingress("api", labels(app="api"), {"from": [{"podSelector": labels(app="website")}]}),
        ),
        ("web", "api", "tcp/80"),
        "blocked",
        ("it asks for pods with app=website, and shop/web[Pod] has 'web'",),
        "dangling-policy",
        "app=website",
    ),
    Row(
        "the policy stands in another namespace than the pods",
        (
            *(pod("web"), pod("api"), DENY, OPEN, pod("tool", "default")),
            ingress("api", labels(app="api"), {"from": [{"namespaceSelector": {}}]}, namespace="default"),
        ),
        ("web", "api", "tcp/80"),
        "blocked",
        ("default/NetworkPolicy/api would select shop/api[Pod] by its labels, and holds for namespace default alone",),
        "dangling-policy",
        "selects no pod of namespace default",
    ),
    Row(
        "a policy for DNS blocks what arrives: without policyTypes Ingress is meant as well",
        (pod("web"), pod("api"), policy("dns", {"podSelector": {}, "egress": [{}]})),
        ("web", "api", "tcp/80"),
        "blocked",
        ("shop/NetworkPolicy/dns has no ingress rule and isolates for ingress all the same",),
    ),
    Row(
        "egress rules do nothing: policyTypes does not name Egress",
        (
            *(pod("web"), pod("api")),
            policy(
                "web", {"podSelector": labels(app="web"), "policyTypes": ["Ingress"], "egress": [{"ports": tcp(53)}]}
            ),
        ),
        ("web", "api", "tcp/80"),
        "allowed",
        (
            "its egress rules have no effect, since policyTypes does not name Egress",
            "no policy isolates shop/web[Pod] for egress, so that everything passes there: shop/NetworkPolicy/web",
        ),
        "missing-default-deny",
        "isolates its workloads for egress",
    ),
    Row(
        "a named port that no pod has",
        (
            *(pod("web"), pod("api", ports=[{"name": "http", "containerPort": 8080}])),
            ingress("api", labels(app="api"), {"from": [{"podSelector": {}}], "ports": tcp("web")}),
        ),
        ("web", "api", "tcp/8080"),
        "blocked",
        ("no pod of namespace shop has a port web/TCP",),
    ),
    Row(
        "a named port that only other pods have",
        (
            *(pod("web"), pod("api"), pod("old", ports=[{"name": "http", "containerPort": 8080}])),
            ingress("all", {}, {"from": [{"podSelector": {}}], "ports": tcp("http")}),
        ),
        ("web", "api", "tcp/8080"),
        "blocked",
        ("is for pods with the named port http/TCP = 8080, and shop/api[Pod] has none like it",),
    ),
    Row(
        "a policy has no effect: the network plugin does not enforce it",
        (pod("web"), pod("api"), DENY, flannel()),
        ("web", "api", "tcp/80"),
        "allowed",
        ("shop/NetworkPolicy/default-deny would judge shop/web[Pod] and has no effect: the network plugin, ",),
        "unenforced-policy",
        "default-deny",
    ),
    Row(
        "a range of addresses is named where pods are meant",
        (pod("web"), pod("api"), ingress("api", labels(app="api"), {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]})),
        ("web", "api", "tcp/80"),
        "unknown",
        ("depends on the network plugin",),
        "address-based-rule",
        "10.0.0.0/8",
    ),
    Row(
        "a pod in the network of its node is named by its labels",
        (
            *({**pod("agent"), "spec": {"hostNetwork": True, "containers": []}}, pod("api")),
            ingress("api", labels(app="api"), {"from": [{"podSelector": labels(app="agent")}]}),
        ),
        ("agent", "api", "tcp/80"),
        "unknown",
        (),
        "host-network-pod",
        "shares the network of its node",
    ),
)


def explained(row: Row) -> Explanation:
    cluster = Cluster(*row.objects)
    source, target, traffic = row.ask
    known = {"internet": GLOBAL_UNICAST, **{end: AddressSet.parse(end) for end in (source, target) if end[0].isdigit()}}
    ends = [known[end] if end in known else cluster.id_of(end) for end in (source, target)]
    return explain(cluster.reach, ends[0], ends[1], Traffic.parse(traffic))


def test_a_pod_that_a_service_opens_to_the_internet_is_not_said_to_be_closed() -> None:
    service = written(
        "Service", "web", "shop", spec={"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 443}]}
    )
    cluster = Cluster(pod("web"), service)
    told = explain(cluster.reach, GLOBAL_UNICAST, cluster.id_of("web"), Traffic.parse("tcp/443"))
    assert not any("leads from the internet" in note for note in told.notes)


rows = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


@rows
def test_an_explanation_tells_the_cause(row: Row) -> None:
    told = explained(row)
    assert told.verdict == row.verdict
    text = "\n".join((told.reason, *told.unknowns, *told.notes))
    for words in row.told:
        assert words in text


@pytest.mark.parametrize("row", [row for row in ROWS if row.check], ids=[row.name for row in ROWS if row.check])
def test_an_audit_tells_the_cause(row: Row) -> None:
    found = run_audit(Cluster(*row.objects).estate, AuditRequest(exposure=False)).findings
    texts = ["\n".join((each.message, *each.evidence)) for each in found if each.check == row.check]
    assert any(row.found in text for text in texts), texts


def test_what_is_proposed_admits_what_was_blocked() -> None:
    cluster = Cluster(pod("web"), pod("api"), DENY)
    assert cluster.passes("web", "api") == "none"
    out = {"to": [{"podSelector": labels(app="api")}], "ports": tcp(8080)}
    back = {"from": [{"podSelector": labels(app="web")}], "ports": tcp(8080)}
    sends = policy("sends", {"podSelector": labels(app="web"), "policyTypes": ["Egress"], "egress": [out]})
    mended = Cluster(pod("web"), pod("api"), DENY, sends, ingress("takes", labels(app="api"), back))
    assert mended.passes("web", "api") == "tcp/8080"


def test_nothing_is_said_of_policies_where_everything_is_as_it_seems() -> None:
    rule = {"from": [{"podSelector": labels(app="web")}], "ports": tcp(80)}
    cluster = Cluster(pod("web"), pod("api"), DENY, OPEN, ingress("api", labels(app="api"), rule), ships.calico())
    told = explain(cluster.reach, cluster.id_of("web"), cluster.id_of("api"), Traffic.parse("tcp/80"))
    assert (told.verdict, told.notes) == ("allowed", ())


@pytest.mark.semantics(114)
@pytest.mark.parametrize(("rules", "verdict"), [([], "blocked"), ([EVERYBODY], "allowed")])
def test_that_enforcement_is_assumed_is_said_of_pods_that_policies_select(
    rules: list[Mapping[str, Any]], verdict: str
) -> None:
    cluster = Cluster(pod("web"), pod("api"), pod("free"), ingress("api", labels(app="api"), *rules))
    web, api, free = (cluster.id_of(name) for name in ("web", "api", "free"))
    told = explain(cluster.reach, web, api, Traffic.parse("tcp/80"))
    assert told.verdict == verdict
    assumed = "cluster c: that its network plugin enforces NetworkPolicies is assumed: nothing that was read says so"
    assert assumed in told.notes
    assert assumed not in explain(cluster.reach, web, free, Traffic.parse("tcp/80")).notes
    assert ReachAnswer(cluster.reach).notes == (assumed,)


def test_a_plugin_that_was_read_is_not_assumed() -> None:
    assert ReachAnswer(Cluster(pod("web"), DENY, ships.calico()).reach).notes == ()
    assert ReachAnswer(Cluster(pod("web")).reach).notes == ()
