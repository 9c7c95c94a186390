"""Whatever JSON stands in admin policies and in Antrea's, the translation gives values or gaps, never an exception."""

from typing import Any

from hypothesis import given

from cloudseg.providers.kubernetes.translate import translate
from cloudseg.reach.reachability import Reachability
from tests.kubernetes.spoiling import JSON, ODD, Answers, each_spoiled, listed, spoiled, taken
from tests.kubernetes.test_totality import ANSWERS, SELECTOR
from tests.spoiling import examples

GROUP = "policy.networking.k8s.io"
ANTREA = "crd.antrea.io/v1beta1"
PODS: dict[str, Any] = {"podSelector": SELECTOR, "namespaceSelector": SELECTOR}
NAMED: dict[str, Any] = {"name": "s", "namespace": "shop"}
META: dict[str, Any] = {"metadata": {"name": "a", "labels": {"a": "b"}}}
HERE: dict[str, Any] = {"metadata": {"name": "a", "namespace": "shop"}}
OUT: list[Any] = [
    {"pods": PODS},
    {"namespaces": SELECTOR},
    {"nodes": SELECTOR},
    {"networks": ["10.0.0.0/8"]},
    {"domainNames": ["*.example.com"]},
    {"other": 1},
]
OLD_PORTS: list[Any] = [
    {"portNumber": {"protocol": "TCP", "port": 80}},
    {"portRange": {"protocol": "UDP", "start": 1, "end": 2}},
]
NEW_PORTS: list[Any] = [
    {"tcp": {"destinationPort": {"number": 80}}},
    {"udp": {"destinationPort": {"range": {"start": 1, "end": 2}}}},
]
CLUSTERED: dict[str, Any] = {
    "priority": 1,
    "tier": "Admin",
    "subject": {"pods": PODS},
    "ingress": [{"action": "Pass", "from": OUT[:2], "protocols": [{"destinationNamedPort": "http"}]}],
    "egress": [{"name": "out", "action": "Deny", "to": OUT, "protocols": NEW_PORTS}],
}
ADMIN: dict[str, Any] = {
    "priority": 1,
    "subject": {"namespaces": SELECTOR},
    "ingress": [{"action": "Allow", "from": OUT[:2], "ports": [{"namedPort": "http"}]}],
    "egress": [{"action": "Pass", "to": OUT, "ports": OLD_PORTS}],
}
TO: list[Any] = [
    PODS,
    {"namespaces": {"match": "Self"}, "podSelector": SELECTOR},
    {"namespaces": {"sameLabels": ["a"]}},
    {"ipBlock": {"cidr": "10.0.0.0/8"}},
    {"group": "a"},
    {"fqdn": "*example.com"},
    {"serviceAccount": NAMED},
    {"nodeSelector": SELECTOR},
    {"externalEntitySelector": SELECTOR},
    {"podSelector": SELECTOR, "scope": "ClusterSet"},
]
FULL: dict[str, Any] = {
    "priority": 1,
    "tier": "mine",
    "appliedTo": [PODS, {"group": "a"}, {"service": NAMED}, {"serviceAccount": NAMED}],
    "ingress": [
        {"name": "in", "action": "Drop", "ports": [{"protocol": "TCP", "port": 80, "endPort": 81, "sourcePort": 9}]},
        {"action": "Allow", "l7Protocols": [{"http": {"host": "h"}}, {"tls": {"sni": "s"}}]},
    ],
    "egress": [
        {"action": "Pass", "to": TO, "ports": [{"port": "http"}], "protocols": [{"icmp": {"icmpType": 8}}]},
        {"action": "Reject", "toServices": [NAMED], "protocols": [{"igmp": {"igmpType": 17}}]},
    ],
}
NARROW: dict[str, Any] = {"priority": 1, "ingress": [{"action": "Drop", "appliedTo": [{"podSelector": SELECTOR}]}]}
SERVICE: dict[str, Any] = {"metadata": NAMED, "spec": {"selector": {"app": "web"}, "ipFamilies": ["IPv4"]}}
POLICIES: dict[tuple[str, str], Any] = {
    (GROUP, "clusternetworkpolicies"): listed(f"{GROUP}/v1alpha2", "ClusterNetworkPolicy", META | {"spec": CLUSTERED}),
    (GROUP, "adminnetworkpolicies"): listed(f"{GROUP}/v1alpha1", "AdminNetworkPolicy", META | {"spec": ADMIN}),
    ("crd.antrea.io", "clusternetworkpolicies"): listed(ANTREA, "ClusterNetworkPolicy", META | {"spec": FULL}),
    ("crd.antrea.io", "networkpolicies"): listed(ANTREA, "NetworkPolicy", HERE | {"spec": NARROW}),
    ("crd.antrea.io", "tiers"): listed(ANTREA, "Tier", {"metadata": {"name": "mine"}, "spec": {"priority": 9}}),
    ("crd.antrea.io", "clustergroups"): listed(ANTREA, "ClusterGroup", META | {"spec": PODS}),
    ("crd.antrea.io", "groups"): listed(ANTREA, "Group", HERE | {"spec": {"serviceReference": NAMED}}),
    ("core", "services"): listed("v1", "Service", SERVICE),
}
PODS_AND_SPACES = {key: ANSWERS[key] for key in (("core", "pods"), ("core", "namespaces"))}


def test_what_is_spoiled_is_read_in_full() -> None:
    gaps = translate(taken(PODS_AND_SPACES | POLICIES)).gaps
    assert {gap.reason for gap in gaps} == {"unsupported"}, [gap.detail for gap in gaps if gap.reason != "unsupported"]


def test_every_place_takes_every_odd_value() -> None:
    for answers in each_spoiled(POLICIES, PODS_AND_SPACES):
        translate(taken(answers))


@examples(150)
@given(spoiled(POLICIES, ODD | JSON, beside=PODS_AND_SPACES))
def test_the_translation_is_total(answers: Answers) -> None:
    translate(taken(answers))


@examples(20)
@given(spoiled(POLICIES, ODD, beside=PODS_AND_SPACES))
def test_the_engine_takes_whatever_comes_out(answers: Answers) -> None:
    list(Reachability(translate(taken(answers))).flows())
