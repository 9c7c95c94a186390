"""Whatever JSON stands in a field of Consul's objects, the translation gives lists or gaps, never an exception."""

from typing import Any

from hypothesis import given

from cloudseg.providers.kubernetes.translate import translate
from cloudseg.reach.reachability import Reachability
from tests.kubernetes.spoiling import JSON, ODD, Answers, each_spoiled, listed, spoiled, taken
from tests.spoiling import examples

OWN = "consul.hashicorp.com/"
NAMES: dict[str, Any] = {"name": "web", "namespace": "shop"}
NOTES: dict[str, Any] = {
    "connect-inject": "true",
    "connect-service-port": "8080",
    "transparent-proxy": "true",
    "transparent-proxy-exclude-inbound-ports": "9102,9103",
    "transparent-proxy-exclude-outbound-ports": "53",
}
POD: dict[str, Any] = {
    "metadata": {"labels": {"app": "web"}, "annotations": {OWN + key: value for key, value in NOTES.items()}},
    "spec": {"containers": [{"name": "main", "ports": [{"containerPort": 8080}]}]},
}
INJECTOR: dict[str, Any] = {
    "metadata": {"annotations": {f"{OWN}connect-inject": "false"}},
    "spec": {"containers": [{"name": "x", "command": ["inject-connect"], "args": ["-default-inject=true", 1]}]},
}
HTTP: dict[str, Any] = {
    "pathPrefix": "/",
    "methods": ["GET"],
    "header": [{"name": "x", "present": True, "invert": False}],
}
SOURCES: list[Any] = [
    {"name": "api", "namespace": "default", "action": "allow", "description": "x"},
    {"name": "*", "permissions": [{"action": "deny", "http": HTTP}, {"action": "allow", "http": {"pathExact": "/"}}]},
    {"name": "far", "peer": "east", "action": "allow"},
]


def consul(kind: str, *specs: tuple[str, Any]) -> Any:
    items = ({"metadata": NAMES | {"name": name}, "spec": spec} for name, spec in specs)
    return listed(f"{OWN}v1alpha1", kind, *items)


def group(plural: str) -> tuple[str, str]:
    return ("consul.hashicorp.com", plural)


ANSWERS: Answers = {
    ("core", "namespaces"): listed(
        "v1", "Namespace", {"metadata": {"name": "shop", "labels": {f"{OWN}transparent-proxy": "true"}}}
    ),
    ("apps", "deployments"): listed(
        "apps/v1",
        "Deployment",
        {"metadata": NAMES, "spec": {"template": POD}},
        {"metadata": NAMES | {"name": "consul-connect-injector"}, "spec": {"template": INJECTOR}},
    ),
    ("core", "services"): listed("v1", "Service", {"metadata": NAMES, "spec": {"selector": {"app": "web"}}}),
    ("core", "configmaps"): listed(
        "v1", "ConfigMap", {"metadata": NAMES | {"name": "consul-server-config"}, "data": {"a": '{"acl": {}}'}}
    ),
    group("serviceintentions"): consul(
        "ServiceIntentions",
        ("web", {"destination": {"name": "web"}, "sources": SOURCES}),
        ("all", {"destination": {"name": "*", "namespace": "default"}, "sources": [{"name": "*", "action": "deny"}]}),
    ),
    group("servicedefaults"): consul(
        "ServiceDefaults",
        (
            "web",
            {
                "protocol": "http",
                "mutualTLSMode": "permissive",
                "expose": {"checks": True, "paths": [{"listenerPort": 9000, "path": "/"}]},
            },
        ),
    ),
    group("proxydefaults"): consul("ProxyDefaults", ("global", {"config": {"protocol": "tcp"}})),
    group("meshes"): consul(
        "Mesh",
        ("mesh", {"allowEnablingPermissiveMutualTLS": True, "transparentProxy": {"meshDestinationsOnly": True}}),
    ),
}


def test_the_objects_that_are_spoiled_are_read_in_full() -> None:
    found = translate(taken(ANSWERS))
    assert not found.gaps
    kinds = {rule_set.kind for rule_set in found.rule_sets.values()}
    assert kinds == {"Mesh", "ServiceDefaults", "ServiceIntentions", "mesh-rule"}


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
