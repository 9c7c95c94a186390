"""Whatever JSON stands where a field is expected, the translation gives values or gaps, never an exception."""

from typing import Any

from hypothesis import given

from cloudseg.providers.kubernetes.translate import translate
from cloudseg.reach.reachability import Reachability
from tests.kubernetes.spoiling import JSON, ODD, Answers, each_spoiled, listed, spoiled, taken
from tests.spoiling import examples

LOCATION: dict[str, Any] = {"cloudseg.io/location": "a.yaml:1"}
SELECTOR: dict[str, Any] = {
    "matchLabels": {"app": "web"},
    "matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}],
}
PORTS: list[Any] = [{"protocol": "TCP", "port": 80, "endPort": 90}, {"port": "http"}]
PEERS: list[Any] = [
    {"podSelector": SELECTOR, "namespaceSelector": SELECTOR},
    {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}},
]
POD: dict[str, Any] = {
    "metadata": {"labels": {"app": "web"}, "annotations": LOCATION | {"k8s.v1.cni.cncf.io/networks": "x"}},
    "spec": {
        "hostNetwork": False,
        "containers": [{"ports": [{"name": "http", "containerPort": 80, "protocol": "TCP"}]}],
        "initContainers": [{"restartPolicy": "Always", "ports": [{"containerPort": 81}]}],
    },
}
NAMES: dict[str, Any] = {"name": "web", "namespace": "shop", "generateName": "web-"}
OWNED: dict[str, Any] = {"ownerReferences": [{"kind": "Deployment", "name": "web", "controller": True}]}


ANSWERS: Answers = {
    ("core", "namespaces"): listed("v1", "Namespace", {"metadata": {"name": "shop", "labels": {"a": "b"}}}),
    ("core", "pods"): listed(
        "v1",
        "Pod",
        {
            "metadata": POD["metadata"] | NAMES | OWNED,
            "spec": POD["spec"],
            "status": {"phase": "Running", "podIP": "10.0.0.1", "podIPs": [{"ip": "10.0.0.1"}]},
        },
    ),
    ("apps", "deployments"): listed("apps/v1", "Deployment", {"metadata": NAMES, "spec": {"template": POD}}),
    ("batch", "cronjobs"): listed(
        "batch/v1", "CronJob", {"metadata": NAMES, "spec": {"jobTemplate": {"spec": {"template": POD}}}}
    ),
    ("argoproj.io", "rollouts"): listed("argoproj.io/v1", "Rollout", {"metadata": NAMES, "spec": {"template": POD}}),
    ("networking.k8s.io", "networkpolicies"): listed(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        {
            "metadata": NAMES | {"annotations": LOCATION, "labels": {"a": "b"}},
            "spec": {
                "podSelector": SELECTOR,
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": PEERS, "ports": PORTS}],
                "egress": [{"to": PEERS, "ports": PORTS}],
            },
        },
    ),
    ("security.istio.io", "authorizationpolicies"): listed(
        "security.istio.io/v1", "AuthorizationPolicy", {"metadata": NAMES, "spec": {"selector": SELECTOR}}
    ),
    ("policy.networking.k8s.io", "adminnetworkpolicies"): listed(
        "policy.networking.k8s.io/v1alpha1",
        "AdminNetworkPolicy",
        {
            "metadata": {"name": "a"},
            "spec": {"priority": 1, "subject": {"pods": {"podSelector": SELECTOR, "namespaceSelector": SELECTOR}}},
        },
    ),
}


def test_the_objects_that_are_spoiled_are_read_in_full() -> None:
    reasons = {(gap.what, gap.reason) for gap in translate(taken(ANSWERS)).gaps}
    assert reasons == {
        ("core.Pod", "unsupported"),
        ("apps.Deployment", "unsupported"),
        ("batch.CronJob", "unsupported"),
        ("argoproj.io.Rollout", "unsupported"),
        ("security.istio.io.AuthorizationPolicy", "malformed"),
    }


@examples(300)
@given(spoiled(ANSWERS, ODD | JSON))
def test_the_translation_is_total(answers: Answers) -> None:
    translate(taken(answers))


def test_every_place_takes_every_odd_value() -> None:
    for answers in each_spoiled(ANSWERS, {}):
        translate(taken(answers))


@examples(40)
@given(spoiled(ANSWERS, ODD))
def test_the_engine_takes_whatever_comes_out(answers: Answers) -> None:
    list(Reachability(translate(taken(answers))).flows())
