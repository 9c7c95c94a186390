"""Whatever JSON stands in a field of Calico's resources, the translation gives values or gaps, never an exception."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cloudseg.providers.kubernetes.translate import translate
from cloudseg.reach.reachability import Reachability
from tests.kubernetes.spoiling import JSON, ODD, Answers, each_spoiled, listed, spoiled, taken
from tests.kubernetes.test_totality import NAMES, POD, SELECTOR
from tests.spoiling import examples

GROUP = "projectcalico.org/v3"
ENTITY: dict[str, Any] = {
    "nets": ["10.0.0.0/8"],
    "notNets": ["10.1.0.0/16"],
    "selector": "app == 'web' && !has(b)",
    "notSelector": "has(c)",
    "namespaceSelector": "all()",
    "serviceAccounts": {"names": ["web"], "selector": "a in {'b'}"},
    "ports": [80, "81:90", "http"],
    "notPorts": [85, "http"],
}
RULES: list[Any] = [
    {"action": "Allow", "protocol": "TCP", "ipVersion": 4, "source": ENTITY, "destination": ENTITY},
    {"action": "Pass", "notProtocol": "UDP", "metadata": {"annotations": {"a": "b"}}},
    {"action": "Deny", "protocol": "ICMP", "icmp": {"type": 8, "code": 0}, "notICMP": {"type": 8}},
]
BOTH: dict[str, Any] = {
    "tier": "ops",
    "order": 10.5,
    "selector": "app == 'web'",
    "serviceAccountSelector": "all()",
    "types": ["Ingress", "Egress"],
    "ingress": [*RULES, {"action": "Allow", "http": {"methods": ["GET"], "paths": [{"exact": "/"}]}}],
    "egress": [
        *RULES,
        {"action": "Allow", "destination": {"services": {"name": "front", "namespace": "shop"}}},
        {"action": "Allow", "destination": {"domains": ["example.com"]}},
    ],
    "performanceHints": ["AssumeNeededOnEveryNode"],
}
HOST: dict[str, Any] = {"doNotTrack": False, "preDNAT": False, "applyOnForward": False, "namespaceSelector": "has(a)"}
STORED: dict[str, Any] = {"annotations": {"projectcalico.org/metadata": '{"labels": {"a": "b"}}'}, "labels": {"b": "c"}}
FRONT: dict[str, Any] = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http", "protocol": "TCP"}]}
ANSWERS: Answers = {
    ("core", "pods"): listed("v1", "Pod", {"metadata": POD["metadata"] | NAMES, "spec": POD["spec"]}),
    ("core", "namespaces"): listed("v1", "Namespace", {"metadata": {"name": "shop", "labels": {"a": "b"}}}),
    ("core", "serviceaccounts"): listed("v1", "ServiceAccount", {"metadata": NAMES | {"labels": {"a": "b"}}}),
    ("core", "services"): listed("v1", "Service", {"metadata": {"name": "front", "namespace": "shop"}, "spec": FRONT}),
    ("networking.k8s.io", "networkpolicies"): listed(
        "networking.k8s.io/v1", "NetworkPolicy", {"metadata": NAMES, "spec": {"podSelector": SELECTOR}}
    ),
    ("projectcalico.org", "networkpolicies"): listed(GROUP, "NetworkPolicy", {"metadata": NAMES, "spec": BOTH}),
    ("crd.projectcalico.org", "globalnetworkpolicies"): listed(
        "crd.projectcalico.org/v1", "GlobalNetworkPolicy", {"metadata": {"name": "ops.p"}, "spec": BOTH | HOST}
    ),
    ("projectcalico.org", "tiers"): listed(
        GROUP, "Tier", {"metadata": {"name": "ops"}, "spec": {"order": 1, "defaultAction": "Pass"}}
    ),
    ("projectcalico.org", "networksets"): listed(
        GROUP, "NetworkSet", {"metadata": NAMES | STORED, "spec": {"nets": ["10.0.0.0/8"], "allowedEgressDomains": []}}
    ),
    ("crd.projectcalico.org", "globalnetworksets"): listed(
        "crd.projectcalico.org/v1", "GlobalNetworkSet", {"metadata": {"name": "s"} | STORED, "spec": {"nets": ["::/0"]}}
    ),
    ("projectcalico.org", "hostendpoints"): listed(GROUP, "HostEndpoint", {"metadata": {"name": "h"}, "spec": {}}),
}
SELECTORS = st.text(st.sampled_from("ab ()!&|='\"{},in notcainsw."), max_size=30)


def test_the_objects_that_are_spoiled_are_read_in_full() -> None:
    estate = translate(taken(ANSWERS))
    assert {gap.what for gap in estate.gaps} == {"core.Pod", "policies"}
    assert {rule_set.stage for rule_set in estate.rule_sets.values()} >= {"calico-tier-ops", "network-policies"}


@examples(300)
@given(spoiled(ANSWERS, ODD | JSON | SELECTORS))
def test_the_translation_is_total(answers: Answers) -> None:
    translate(taken(answers))


def test_every_place_takes_every_odd_value() -> None:
    for answers in each_spoiled(ANSWERS, ANSWERS, (None, True, "", [None], {"": None})):
        translate(taken(answers))


@examples(30)
@given(spoiled(ANSWERS, ODD))
def test_the_engine_takes_whatever_comes_out(answers: Answers) -> None:
    list(Reachability(translate(taken(answers))).flows())
