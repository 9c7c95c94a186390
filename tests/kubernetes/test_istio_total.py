"""Whatever JSON stands in a field of Istio's objects, the translation gives lists or gaps, never an exception."""

from typing import Any

from hypothesis import given

from cloudseg.providers.kubernetes.translate import translate
from cloudseg.reach.reachability import Reachability
from tests.kubernetes.spoiling import JSON, ODD, Answers, each_spoiled, listed, spoiled, taken
from tests.spoiling import examples

NAMES: dict[str, Any] = {"name": "web", "namespace": "shop", "creationTimestamp": "2026-01-01T00:00:00Z"}
CHOSEN: dict[str, Any] = {"matchLabels": {"app": "web"}}
TEXTS = ["a", "*", "cluster.local/ns/shop/*"]
POD: dict[str, Any] = {
    "metadata": {
        "labels": {"app": "web", "sidecar.istio.io/inject": "true"},
        "annotations": {
            "traffic.sidecar.istio.io/excludeInboundPorts": "80,81",
            "traffic.sidecar.istio.io/excludeOutboundPorts": "80",
        },
    },
    "spec": {"serviceAccountName": "web", "containers": [{"name": "main"}]},
}
SOURCE: dict[str, Any] = {
    "principals": TEXTS,
    "notNamespaces": TEXTS,
    "ipBlocks": ["10.0.0.0/8"],
    "notRemoteIpBlocks": ["10.1.0.1"],
    "requestPrincipals": ["*"],
}
OPERATION: dict[str, Any] = {"ports": ["80"], "notPorts": ["81"], "methods": ["GET"], "notHosts": ["x"]}
WHEN: list[Any] = [
    {"key": "source.principal", "notValues": TEXTS},
    {"key": "source.ip", "values": ["10.0.0.0/8"]},
    {"key": "destination.port", "values": ["80"]},
    {"key": "request.headers[x]", "values": ["y"]},
]
RULE: dict[str, Any] = {"from": [{"source": SOURCE}], "to": [{"operation": OPERATION}], "when": WHEN}
ACCOUNTS: dict[str, Any] = {"from": [{"source": {"serviceAccounts": ["web"], "notServiceAccounts": ["bank/web"]}}]}


def policies(group: str, kind: str, *specs: Any) -> Any:
    return listed(
        f"{group}/v1", kind, *({"metadata": NAMES | {"name": f"p{n}"}, "spec": s} for n, s in enumerate(specs))
    )


ANSWERS: Answers = {
    ("core", "namespaces"): listed(
        "v1", "Namespace", {"metadata": {"name": "shop", "labels": {"istio-injection": "x"}}}
    ),
    ("apps", "deployments"): listed("apps/v1", "Deployment", {"metadata": NAMES, "spec": {"template": POD}}),
    ("core", "services"): listed(
        "v1",
        "Service",
        {
            "metadata": NAMES | {"labels": {"istio.io/use-waypoint": "w"}},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "name": "http", "targetPort": "web"}]},
        },
    ),
    ("core", "configmaps"): listed(
        "v1", "ConfigMap", {"metadata": NAMES | {"name": "istio"}, "data": {"mesh": "trustDomain: a.b\n"}}
    ),
    ("security.istio.io", "authorizationpolicies"): policies(
        "security.istio.io",
        "AuthorizationPolicy",
        {"selector": CHOSEN, "action": "DENY", "rules": [RULE]},
        {"rules": [ACCOUNTS]},
        {"action": "CUSTOM", "provider": {"name": "x"}, "rules": [{}]},
        {"targetRefs": [{"kind": "Gateway", "group": "gateway.networking.k8s.io", "name": "w"}]},
    ),
    ("security.istio.io", "peerauthentications"): policies(
        "security.istio.io",
        "PeerAuthentication",
        {"mtls": {"mode": "STRICT"}},
        {"selector": CHOSEN, "mtls": {"mode": "DISABLE"}, "portLevelMtls": {"80": {"mode": "UNSET"}}},
    ),
    ("networking.istio.io", "sidecars"): policies(
        "networking.istio.io",
        "Sidecar",
        {
            "workloadSelector": {"labels": {"app": "web"}},
            "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
            "egress": [{"hosts": ["./*"]}],
            "ingress": [{"port": {"number": 80}, "captureMode": "NONE"}],
        },
    ),
    ("networking.istio.io", "serviceentries"): policies(
        "networking.istio.io",
        "ServiceEntry",
        {
            "hosts": ["a.b"],
            "addresses": ["10.0.0.1"],
            "ports": [{"number": 80}],
            "endpoints": [{"address": "10.0.0.2"}],
        },
    ),
    ("networking.istio.io", "destinationrules"): policies(
        "networking.istio.io",
        "DestinationRule",
        {
            "host": "web",
            "trafficPolicy": {"tls": {"mode": "DISABLE"}, "portLevelSettings": [{"tls": {}}]},
            "subsets": [],
        },
    ),
    ("install.istio.io", "istiooperators"): policies(
        "install.istio.io", "IstioOperator", {"meshConfig": {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}}
    ),
}


def test_the_objects_that_are_spoiled_are_read_in_full() -> None:
    found = translate(taken(ANSWERS))
    assert {(gap.what, gap.reason) for gap in found.gaps} == {
        ("security.istio.io.AuthorizationPolicy", "unsupported"),
    }
    kinds = {rule_set.kind for rule_set in found.rule_sets.values()}
    assert kinds == {"AuthorizationPolicy", "PeerAuthentication", "Sidecar", "mesh-rule"}


@examples(150)
@given(spoiled(ANSWERS, ODD | JSON))
def test_the_translation_is_total(answers: Answers) -> None:
    translate(taken(answers))


def test_every_place_takes_every_odd_value() -> None:
    for answers in each_spoiled(ANSWERS, ANSWERS):
        translate(taken(answers))


@examples(25)
@given(spoiled(ANSWERS, ODD))
def test_the_engine_takes_whatever_comes_out(answers: Answers) -> None:
    list(Reachability(translate(taken(answers))).flows())
