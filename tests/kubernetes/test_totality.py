"""Whatever JSON stands where a field is expected, the translation gives values or gaps, never an exception."""

import copy
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudseg.providers.kubernetes.translate import translate
from cloudseg.reach.reachability import Reachability
from cloudseg.snapshot import Part, Snapshot

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


def listed(version: str, kind: str, *items: Any) -> dict[str, Any]:
    return {
        "apiVersion": version,
        "kind": f"{kind}List",
        "items": [{"apiVersion": version, "kind": kind, **i} for i in items],
    }


ANSWERS: dict[tuple[str, str], Any] = {
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


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a value, the whole first."""
    below: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        below = list(cast("dict[str, Any]", value).items())
    elif isinstance(value, list):
        below = list(enumerate(cast("list[Any]", value)))
    return [path, *(each for key, item in below for each in places(item, (*path, key)))]


PLACES = [(key, path) for key, answer in ANSWERS.items() for path in places(answer)]

ODD = st.sampled_from(
    [None, True, 0, -1, 80.5, 1 << 70, "", "x/y", "a:b", "{{ x }}", "\ud800", "10.0.0.0/8", [], {}, [None], {"": None}]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def put(answers: dict[tuple[str, str], Any], place: tuple[Any, tuple[Any, ...]], value: Any) -> None:
    key, path = place
    if not path:
        answers[key] = value
        return
    inner = answers[key]
    for step in path[:-1]:
        try:
            inner = inner[step]
        except (KeyError, IndexError, TypeError):
            return
    last = path[-1]
    within = isinstance(inner, list) and isinstance(last, int) and last < len(cast("list[Any]", inner))
    if isinstance(inner, dict) or within:
        inner[last] = value


def taken(answers: dict[tuple[str, str], Any]) -> Snapshot:
    return Snapshot.of({Part("kubernetes", "c", "global", *key): answer for key, answer in answers.items()})


def test_the_objects_that_are_spoiled_are_read_in_full() -> None:
    reasons = {(gap.what, gap.reason) for gap in translate(taken(ANSWERS)).gaps}
    assert reasons == {
        ("core.Pod", "unsupported"),
        ("apps.Deployment", "unsupported"),
        ("batch.CronJob", "unsupported"),
        ("argoproj.io.Rollout", "unsupported"),
        ("security.istio.io.AuthorizationPolicy", "malformed"),
    }


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PLACES), ODD | JSON), min_size=1, max_size=3))
def test_the_translation_is_total(spoiled: list[tuple[Any, Any]]) -> None:
    answers = copy.deepcopy(ANSWERS)
    for place, value in spoiled:
        put(answers, place, copy.deepcopy(value))
    translate(taken(answers))


def test_every_place_takes_every_odd_value() -> None:
    odd = [None, True, 0, "", "{{ x }}", [], {}, [None], {"": None}]
    for key, path in PLACES:
        for value in odd:
            answers = {key: copy.deepcopy(ANSWERS[key])}
            put(answers, (key, path), value)
            translate(taken(answers))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PLACES), ODD), min_size=1, max_size=3))
def test_the_engine_takes_whatever_comes_out(spoiled: list[tuple[Any, Any]]) -> None:
    answers = copy.deepcopy(ANSWERS)
    for place, value in spoiled:
        put(answers, place, copy.deepcopy(value))
    list(Reachability(translate(taken(answers))).flows())
