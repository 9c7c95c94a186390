"""Whatever JSON stands in a policy of Cilium's, the translation gives values or gaps, never an exception."""

from typing import Any

from hypothesis import given

from cloudseg.providers.kubernetes.translate import translate
from cloudseg.reach.reachability import Reachability
from tests.kubernetes.spoiling import JSON, ODD, Answers, each_spoiled, listed, spoiled, taken
from tests.kubernetes.test_totality import ANSWERS, PORTS, SELECTOR
from tests.spoiling import examples

SOURCED: dict[str, Any] = {
    "matchLabels": {"k8s:app": "web", "io.kubernetes.pod.namespace": "shop", "reserved:host": ""},
    "matchExpressions": [{"key": "io.cilium.k8s.namespace.labels.a", "operator": "In", "values": ["b"]}],
}
L4: list[Any] = [
    {
        "ports": [{"port": "80", "protocol": "TCP", "endPort": 90}, {"port": "http", "protocol": "TCP"}],
        "rules": {"http": [{"method": "GET", "path": "/"}]},
        "serverNames": ["a.example"],
        "terminatingTLS": {"secret": {"name": "s"}},
    }
]
ICMPS: list[Any] = [{"fields": [{"type": 8, "family": "IPv4"}, {"type": "EchoRequest", "family": "IPv6"}]}]
SPEC: dict[str, Any] = {
    "endpointSelector": SELECTOR,
    "description": "x",
    "labels": [{"key": "a"}],
    "enableDefaultDeny": {"ingress": True, "egress": False},
    "ingress": [
        {"fromEndpoints": [SELECTOR, SOURCED], "fromRequires": [SELECTOR], "toPorts": L4},
        {"fromCIDRSet": [{"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}, {"cidrGroupRef": "lan"}], "icmps": ICMPS},
        {"fromEntities": ["world", "host", "cluster"], "authentication": {"mode": "required"}},
    ],
    "ingressDeny": [{"fromCIDR": ["10.0.0.0/8"]}, {"fromNodes": [SELECTOR]}, {"fromGroups": [{"aws": {}}]}],
    "egress": [
        {"toFQDNs": [{"matchName": "a.example"}, {"matchPattern": "*.example"}]},
        {"toServices": [{"k8sService": {"serviceName": "s", "namespace": "shop"}}]},
        {"toServices": [{"k8sServiceSelector": {"selector": SELECTOR, "namespace": "shop"}}]},
        {"toCIDRSet": [{"cidrGroupSelector": {"matchLabels": {"a": "b"}}}]},
    ],
    "egressDeny": [{"toEndpoints": [SELECTOR], "toPorts": [{"ports": [{"port": "1"}]}]}],
}
META: dict[str, Any] = {"name": "p", "namespace": "shop", "labels": {"a": "b"}}
CILIUM: dict[tuple[str, str], Any] = {
    ("cilium.io", "ciliumnetworkpolicies"): listed(
        "cilium.io/v2", "CiliumNetworkPolicy", {"metadata": META, "spec": SPEC, "specs": [SPEC]}
    ),
    ("cilium.io", "ciliumclusterwidenetworkpolicies"): listed(
        "cilium.io/v2",
        "CiliumClusterwideNetworkPolicy",
        {"metadata": {"name": "p"}, "spec": SPEC},
        {"metadata": {"name": "h"}, "spec": {"nodeSelector": SELECTOR, "ingress": [{}]}},
    ),
    ("cilium.io", "ciliumcidrgroups"): listed(
        "cilium.io/v2",
        "CiliumCIDRGroup",
        {"metadata": {"name": "lan", "labels": {"a": "b"}}, "spec": {"externalCIDRs": ["10.0.0.0/8"]}},
    ),
    ("cilium.io", "ciliumlocalredirectpolicies"): listed(
        "cilium.io/v2",
        "CiliumLocalRedirectPolicy",
        {"metadata": META, "spec": {"redirectFrontend": {"addressMatcher": {"ip": "10.0.0.1", "toPorts": PORTS}}}},
    ),
    ("core", "services"): listed("v1", "Service", {"metadata": META, "spec": {"selector": {"app": "web"}}}),
    ("core", "nodes"): listed(
        "v1",
        "Node",
        {"metadata": {"name": "n"}, "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.7"}]}},
    ),
}
EVERYTHING = {key: ANSWERS[key] for key in (("core", "namespaces"), ("core", "pods"))} | CILIUM


def test_the_objects_that_are_spoiled_are_read_in_full() -> None:
    estate = translate(taken(EVERYTHING))
    assert {(gap.what, gap.reason) for gap in estate.gaps if gap.what.startswith("cilium.io")} == {
        ("cilium.io.CiliumClusterwideNetworkPolicy", "unsupported"),
        ("cilium.io.CiliumLocalRedirectPolicy", "unsupported"),
    }
    assert {rule_set.kind for rule_set in estate.rule_sets.values()} >= {
        "CiliumNetworkPolicy",
        "CiliumClusterwideNetworkPolicy",
    }


@examples(150)
@given(spoiled(CILIUM, ODD | JSON, beside=EVERYTHING))
def test_the_translation_is_total(answers: Answers) -> None:
    translate(taken(answers))


def test_every_place_takes_every_odd_value() -> None:
    for answers in each_spoiled(CILIUM, {}):
        translate(taken(answers))


@examples(30)
@given(spoiled(CILIUM, ODD, beside=EVERYTHING))
def test_the_engine_takes_whatever_comes_out(answers: Answers) -> None:
    list(Reachability(translate(taken(answers))).flows())
