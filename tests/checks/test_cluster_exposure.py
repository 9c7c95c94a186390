"""What the internet reaches in a cluster: how bad, how sure, and whether an explanation agrees.

Sources: https://kubernetes.io/docs/concepts/services-networking/network-policies/ and
https://kubernetes.io/docs/tutorials/services/source-ip/
"""

import re
from typing import Any

import pytest

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.engine import AuditRequest, run_audit, select_checks
from cloudseg.findings import Finding
from cloudseg.model import Estate
from cloudseg.model.joining import join_clusters
from cloudseg.reach.explaining.explain import explain
from cloudseg.reach.reachability import Reachability
from cloudseg.traffic import AddressSet, Traffic
from tests.kubernetes.cluster import pod, policy
from tests.kubernetes.daemon_sets import azure_npm
from tests.kubernetes.exposed import estate_of, gateway, ingress, node, route, service

WEB = pod("web")
LOCAL: dict[str, Any] = {"externalTrafficPolicy": "Local"}
NGINX: dict[str, Any] = {"app.kubernetes.io/name": "ingress-nginx"}
PROXY = pod("nginx", **NGINX)
FRONT = service("front", selector=NGINX, ports=[{"port": 443}])
INSIDE = service(kind="ClusterIP")


def admitting(*peers: dict[str, Any], pods: dict[str, str] | None = None, ports: list[Any] | None = None) -> Any:
    rule: dict[str, Any] = {"from": list(peers)} | ({} if ports is None else {"ports": ports})
    chosen = {"matchLabels": pods or {"app": "web"}}
    return policy("p", {"podSelector": chosen, "policyTypes": ["Ingress"], "ingress": [rule] if peers else []})


def block(cidr: str) -> dict[str, Any]:
    return {"ipBlock": {"cidr": cidr}}


def found_in(*objects: Any) -> tuple[Finding, ...]:
    request = AuditRequest(checks=select_checks(("internet-exposed-port",)))
    return run_audit(estate_of(*objects), request).findings


def told(*objects: Any) -> list[tuple[str, str, str]]:
    return [(each.resource.id, each.severity.value, each.confidence) for each in found_in(*objects)]


@pytest.mark.parametrize(
    ("port", "target", "severity"),
    [
        (80, 8080, "info"),
        (443, 8443, "info"),
        (443, 443, "info"),
        (8443, 8443, "medium"),
        (5432, 5432, "critical"),
        (443, 6379, "critical"),
        (5432, 8080, "critical"),
        (22, 22, "high"),
        (10250, 10250, "critical"),
        (3389, 3389, "critical"),
    ],
)
def test_what_is_offered_and_what_answers_decide_how_bad_it_is(port: int, target: int, severity: str) -> None:
    ports = [{"port": port, "targetPort": target}]
    assert told(WEB, service(ports=ports)) == [("shop/Service/web", severity, "high")]


def test_a_few_clients_make_it_one_step_better() -> None:
    few = service(ports=[{"port": 5432}], loadBalancerSourceRanges=["8.8.8.8/32"])
    assert told(WEB, few) == [("shop/Service/web", "high", "high")]


def test_a_node_port_is_told_with_low_confidence() -> None:
    offered = service(kind="NodePort", ports=[{"port": 80, "nodePort": 30080}])
    assert told(WEB, offered) == [("shop/Service/web (port of every node)", "medium", "low")]
    assert told(WEB, node("10.0.0.1"), offered) == []


@pytest.mark.parametrize(
    ("balanced", "expected"),
    [
        (service(), [("shop/Service/web", "info", "low")]),
        (service(**LOCAL), []),
        (service(kind="NodePort", ports=[{"port": 80, "nodePort": 30080}], **LOCAL), []),
    ],
)
@pytest.mark.semantics(104)
def test_what_a_policy_forbids_may_come_by_the_own_node_alone(balanced: Any, expected: list[Any]) -> None:
    assert told(WEB, admitting(), balanced) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (admitting(block("0.0.0.0/0")), "high"),
        (admitting(block("0.0.0.0/0"), ports=[{"port": 1}]), ""),
        (admitting(block("10.0.0.0/8")), "low"),
        (admitting(block("8.8.8.0/24")), "low"),
        (admitting({"podSelector": {}}), ""),
    ],
)
@pytest.mark.semantics(99)
def test_a_balancer_that_may_hide_its_clients_is_certain_where_everybody_is_admitted(rule: Any, expected: str) -> None:
    assert told(WEB, rule, service(**LOCAL)) == ([("shop/Service/web", "info", expected)] if expected else [])


def test_only_those_are_named_whom_a_policy_admits() -> None:
    (found,) = found_in(WEB, admitting(block("8.8.8.0/24")), service(**LOCAL))
    assert "may open tcp/8080 of shop/web[Pod] to 8.8.8.0/24" in found.message
    (found,) = found_in(WEB, admitting(block("10.0.0.0/8")), service(**LOCAL))
    assert "to the whole internet" in found.message


@pytest.mark.parametrize("kind", ["LoadBalancer", "NodePort"])
def test_azure_npm_filters_nothing_that_comes_by_any_node(kind: str) -> None:
    offered = service(kind=kind, ports=[{"port": 80, "nodePort": 30080}])
    assert [confidence for _, _, confidence in told(WEB, azure_npm(), admitting(), offered)] == ["low"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (None, "high"),
        (admitting({"podSelector": {"matchLabels": NGINX}}), "high"),
        (admitting({"podSelector": {"matchLabels": {"app": "other"}}}), ""),
        (admitting({"podSelector": {"matchLabels": NGINX}}, ports=[{"port": 1}]), ""),
        (admitting(block("0.0.0.0/0")), "low"),
    ],
)
def test_policies_between_a_proxy_and_the_pods_behind_it_decide(rule: Any, expected: str) -> None:
    objects = [each for each in (rule,) if each is not None]
    found = told(WEB, PROXY, FRONT, INSIDE, ingress(ingressClassName="nginx"), *objects)
    assert [each for each in found if each[0] != "shop/Service/front"] == (
        [("shop/Ingress/site", "info", expected)] if expected else []
    )


def test_policies_before_a_proxy_decide_as_well() -> None:
    shut = admitting(block("10.0.0.0/8"), pods=NGINX)
    front = service("front", selector=NGINX, ports=[{"port": 443, "nodePort": 30443}], kind="NodePort", **LOCAL)
    assert told(WEB, PROXY, front, INSIDE, ingress(ingressClassName="nginx"), shut) == []
    found = told(WEB, PROXY, FRONT, INSIDE, ingress(ingressClassName="nginx"), shut)
    assert sorted(found) == [("shop/Ingress/site", "info", "low"), ("shop/Service/front", "info", "low")]


def test_a_balancer_of_the_cloud_before_an_ingress_may_hide_its_clients() -> None:
    for cidr, expected in (("0.0.0.0/0", "high"), ("8.8.8.0/24", "low")):
        found = told(WEB, INSIDE, ingress(ingressClassName="gce"), admitting(block(cidr)))
        assert found == [("shop/Ingress/site", "info", expected)]


@pytest.mark.semantics(138)
def test_a_route_of_a_gateway_is_told_as_an_ingress_is() -> None:
    assert told(WEB, INSIDE, gateway(), route()) == [("shop/HTTPRoute/site", "info", "high")]


def test_pods_on_the_network_of_their_node_are_told_with_low_confidence() -> None:
    taker = pod("web", ports=[{"containerPort": 6379}])
    taker["spec"]["hostNetwork"] = True
    assert told(taker) == [("shop/Pod/web (port of its node)", "critical", "low")]


@pytest.mark.parametrize(
    "objects",
    [
        (WEB, service()),
        (WEB, service(), admitting(block("0.0.0.0/0"))),
        (WEB, service(loadBalancerSourceRanges=["8.8.8.0/24"])),
        (WEB, PROXY, FRONT, INSIDE, ingress(ingressClassName="nginx")),
    ],
)
def test_a_witness_is_what_an_explanation_lets_through(objects: tuple[Any, ...]) -> None:
    estate = estate_of(*objects)
    reach = Reachability(estate)
    own = {each.own_id: each.id for each in estate.interfaces.values()}
    shown = [
        match
        for finding in found_in(*objects)
        for text in finding.evidence
        if (match := re.match(r"witness: (\S+) → (\S+) (\S+)", text)) is not None
    ]
    assert shown
    for match in shown:
        sender, target, packet = match.groups()
        start = own.get(sender) or AddressSet.parse(sender)
        found = explain(reach, start, own[target], Traffic.parse(packet))
        assert found.verdict == "allowed", (match.group(), found)


def test_what_is_certain_is_told_of_the_pods_for_which_it_is() -> None:
    other = pod("api", tier="web")
    shut = admitting(pods={"app": "api"})
    (found,) = found_in(pod("web", tier="web"), other, shut, service(selector={"tier": "web"}))
    assert "opens tcp/8080 of shop/web[Pod] to" in found.message
    assert "may reach shop/api[Pod] as well" in found.evidence


def test_a_cluster_that_is_read_in_full_is_evaluated() -> None:
    request = AuditRequest(checks=select_checks(("internet-exposed-port",)))
    (status,) = run_audit(estate_of(WEB, service()), request).checks
    assert (status.status, status.reason) == ("evaluated", "")
    broken = service(ports=[{"port": 0}])
    (status,) = run_audit(estate_of(WEB, broken), request).checks
    assert status.status == "partly"
    assert "entrances" in status.reason


def in_a_cloud(*more: Any, admits: str) -> Finding:
    """What is told of a balanced pod that bears an address of a machine, whose group admits somebody on tcp/8080."""
    machine = {"spec": {"providerID": "aws:///eu-west-1a/i-1"}} | node("10.0.2.10")
    carried = pod("web", ports=[{"containerPort": 8080}]) | {"status": {"podIP": "10.0.2.20", "phase": "Running"}}
    b = EstateBuilder()
    b.group("sg-node", allow("ingress", "tcp/8080", admits), allow("egress", "all", "0.0.0.0/0"))
    addresses = "10.0.2.10, 10.0.2.20"
    b.interface("eni-node", "subnet-private", ["sg-node"], addresses, workload="aws:111122223333:eu-west-1:i-1")
    estate = join_clusters(Estate.merged((b.build(), estate_of(machine, carried, service(**LOCAL), *more))))
    request = AuditRequest(checks=select_checks(("internet-exposed-port",)))
    (found,) = (each for each in run_audit(estate, request).findings if each.provider == "kubernetes")
    return found


@pytest.mark.parametrize(("admits", "sure"), [("0.0.0.0/0", True), ("10.0.0.0/8", None), ("sg-node", None)])
def test_the_groups_of_the_cloud_decide_besides_what_is_certain(admits: str, *, sure: bool | None) -> None:
    found = in_a_cloud(admits=admits)
    assert (found.reachable, found.confidence) == (sure, "high" if sure else "low")
    assert ("unknown: whether vpc-1 lets what brings it in to the pods" in found.evidence) == (sure is None)


def test_where_no_packet_can_be_shown_it_is_told_why() -> None:
    (unsure,) = found_in(WEB, admitting(block("10.0.0.0/8")), service(**LOCAL))
    assert unsure.evidence[-1] == "no witness: nothing of it certainly arrives"
    hidden = "no witness: it arrives whatever address the pods see, and which one they do is not known"
    assert in_a_cloud(admits="0.0.0.0/0").evidence[-1] == hidden
