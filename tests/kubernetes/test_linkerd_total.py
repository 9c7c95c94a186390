"""Whatever JSON stands in a field of Linkerd's objects, the translation gives lists or gaps, never an exception."""

from typing import Any

from hypothesis import given

from cloudseg.providers.kubernetes.translate import translate
from cloudseg.reach.reachability import Reachability
from tests.kubernetes.spoiling import JSON, ODD, Answers, each_spoiled, listed, spoiled, taken
from tests.kubernetes.test_totality import SELECTOR
from tests.spoiling import examples

NAMES: dict[str, Any] = {"name": "web", "namespace": "shop", "labels": {"app": "web"}}
GROUP = "policy.linkerd.io"
ANNOTATIONS: dict[str, Any] = {
    "linkerd.io/inject": "enabled",
    "config.linkerd.io/default-inbound-policy": "cluster-authenticated",
    "config.linkerd.io/skip-inbound-ports": "25,81-82",
    "config.linkerd.io/skip-outbound-ports": "25",
    "config.linkerd.io/proxy-require-identity-inbound-ports": "83",
}
POLICY: dict[str, Any] = {"name": "LINKERD2_PROXY_INBOUND_DEFAULT_POLICY", "value": "deny"}
PROXY: dict[str, Any] = {"name": "linkerd-proxy", "env": [POLICY, {"name": "X", "valueFrom": {}}]}
POD: dict[str, Any] = {
    "metadata": {"labels": {"app": "web", "a": "b"}, "annotations": ANNOTATIONS},
    "spec": {
        "serviceAccountName": "web",
        "containers": [{"name": "main", "ports": [{"name": "http", "containerPort": 80}]}],
        "initContainers": [PROXY],
    },
}
NETWORKS: list[Any] = [{"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}]
ON_SERVER: dict[str, Any] = {"group": GROUP, "kind": "Server", "name": "p0"}
ON_ROUTE: dict[str, Any] = {"group": GROUP, "kind": "HTTPRoute", "name": "p0"}
REQUIRED: list[Any] = [
    {"group": GROUP, "kind": "MeshTLSAuthentication", "name": "p0"},
    {"group": GROUP, "kind": "NetworkAuthentication", "name": "p0", "namespace": "shop"},
]


def policies(version: str, kind: str, *specs: Any) -> Any:
    found = ({"metadata": NAMES | {"name": f"p{n}"}, "spec": spec} for n, spec in enumerate(specs))
    return listed(f"{GROUP}/{version}", kind, *found)


ROUTES = policies(
    "v1beta3",
    "HTTPRoute",
    {"parentRefs": [ON_SERVER], "rules": [{"matches": [{"path": {"value": "/"}, "method": "GET"}]}]},
)
ROUTES["items"][0]["status"] = {
    "parents": [{"parentRef": ON_SERVER, "conditions": [{"type": "Accepted", "status": "True"}]}]
}
ANSWERS: Answers = {
    ("core", "namespaces"): listed("v1", "Namespace", {"metadata": {"name": "shop", "annotations": ANNOTATIONS}}),
    ("apps", "deployments"): listed(
        "apps/v1", "Deployment", {"metadata": NAMES | {"annotations": ANNOTATIONS}, "spec": {"template": POD}}
    ),
    ("core", "pods"): listed(
        "v1", "Pod", {"metadata": NAMES | {"name": "one"}, "spec": POD["spec"], "status": {"phase": "Running"}}
    ),
    ("core", "configmaps"): listed(
        "v1",
        "ConfigMap",
        {
            "metadata": NAMES | {"name": "linkerd-config"},
            "data": {
                "values": "identityTrustDomain: a.b\nclusterNetworks: 10.0.0.0/8\nproxy:\n  defaultInboundPolicy: x\n"
            },
        },
    ),
    (GROUP, "servers"): policies(
        "v1beta3",
        "Server",
        {"podSelector": SELECTOR, "port": "http", "proxyProtocol": "HTTP/1", "accessPolicy": "cluster-unauthenticated"},
        {"podSelector": {}, "port": 90},
        {"externalWorkloadSelector": {}, "port": 80},
    ),
    (GROUP, "serverauthorizations"): policies(
        "v1beta1",
        "ServerAuthorization",
        {
            "server": {"selector": SELECTOR},
            "client": {
                "networks": NETWORKS,
                "meshTLS": {"identities": ["*.a"], "serviceAccounts": [{"name": "a", "namespace": "b"}]},
            },
        },
        {"server": {"name": "p0"}, "client": {"unauthenticated": True}},
        {"server": {"name": "p0"}, "client": {"meshTLS": {"unauthenticatedTLS": True}}},
    ),
    (GROUP, "authorizationpolicies"): policies(
        "v1alpha1",
        "AuthorizationPolicy",
        {"targetRef": ON_SERVER, "requiredAuthenticationRefs": REQUIRED},
        {"targetRef": ON_ROUTE, "requiredAuthenticationRefs": [{"kind": "ServiceAccount", "name": "web"}]},
        {"targetRef": {"kind": "Namespace", "name": "shop"}, "requiredAuthenticationRefs": []},
    ),
    (GROUP, "meshtlsauthentications"): policies(
        "v1alpha1",
        "MeshTLSAuthentication",
        {"identities": ["*", "a.b"], "identityRefs": [{"kind": "ServiceAccount", "name": "web", "namespace": "shop"}]},
    ),
    (GROUP, "networkauthentications"): policies("v1alpha1", "NetworkAuthentication", {"networks": NETWORKS}),
    (GROUP, "httproutes"): ROUTES,
    (GROUP, "egressnetworks"): policies("v1alpha1", "EgressNetwork", {"trafficPolicy": "Deny", "networks": NETWORKS}),
}


def test_the_objects_that_are_spoiled_are_read_in_full() -> None:
    found = translate(taken(ANSWERS))
    assert {(gap.what, gap.reason) for gap in found.gaps} == {("policy.linkerd.io.EgressNetwork", "unsupported")}
    kinds = {rule_set.kind for rule_set in found.rule_sets.values()}
    assert kinds == {"Server", "ServerAuthorization", "AuthorizationPolicy", "EgressNetwork", "mesh-rule"}


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
