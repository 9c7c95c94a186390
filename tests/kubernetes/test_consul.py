"""Consul's documentation, situation by situation, in own names."""

from typing import Any

import pytest

from cloudseg.engine import AuditRequest, run_audit
from cloudseg.reach.explaining.explain import explain
from cloudseg.traffic import Traffic
from tests.kubernetes.cluster import OUTSIDE, Cluster, pod, space, written

Json = dict[str, Any]
OWN = "consul.hashicorp.com/"
NOT_TCP = "all except tcp"
SERVICE = "all except tcp/0-8079, tcp/8081-65535 to all"
"""A client of the mesh that is let in: surely at the port of the service, at most at the others."""
PERHAPS = f"{NOT_TCP} to all"


def member(name: str, namespace: str = "shop", **notes: str) -> Json:
    made = pod(name, namespace, [{"containerPort": 8080}])
    given = {"connect-inject": "true", "connect-service": name} | {k.replace("_", "-"): v for k, v in notes.items()}
    made["metadata"]["annotations"] = {OWN + key: value for key, value in given.items() if value}
    return made


def consul(kind: str, name: str, namespace: str = "shop", **spec: Any) -> Json:
    return written(kind, name, namespace, apiVersion=f"{OWN}v1alpha1", spec=spec)


def intend(target: str, *sources: Json, namespace: str = "shop", **destination: Any) -> Json:
    name = f"for-{'all' if target == '*' else target}"
    given = {"name": target} | destination
    return consul("ServiceIntentions", name, namespace, destination=given, sources=list(sources))


def allow(name: str, **fields: Any) -> Json:
    return {"name": name, "action": "allow"} | fields


def deny(name: str, **fields: Any) -> Json:
    return {"name": name, "action": "deny"} | fields


def permit(name: str, *permissions: tuple[str, Json]) -> Json:
    return {"name": name, "permissions": [{"action": action, "http": http} for action, http in permissions]}


def servers(**data: str) -> Json:
    return written("ConfigMap", "consul-server-config", "consul", data={"server.json": '{"server": true}'} | data)


def injector(*flags: str) -> Json:
    script = " \\\n  ".join(("consul-k8s-control-plane inject-connect", *flags))
    container = {"name": "sidecar-injector", "command": ["/bin/sh", "-ec", script]}
    template = {"metadata": {"annotations": {f"{OWN}connect-inject": "false"}}, "spec": {"containers": [container]}}
    return written("Deployment", "consul-connect-injector", "consul", spec={"template": template})


DENYING = servers(**{"acl-config.json": '{"acl": {"enabled": true, "default_policy": "deny"}}'})
ALLOWING = servers()
HTTP = consul("ProxyDefaults", "global", config={"protocol": "http"})
MESH = consul("Mesh", "mesh", allowEnablingPermissiveMutualTLS=True)
PODS = (space("shop"), member("web"), member("api"), member("db"), pod("stranger"))


def shop(*objects: Json, pods: tuple[Json, ...] = PODS, default: Json | None = DENYING) -> Cluster:
    return Cluster(*pods, *((default,) if default else ()), *objects)


# Who is part of the mesh.


@pytest.mark.parametrize(
    ("inject", "flags", "passes"),
    [
        ("true", (), NOT_TCP),
        ("false", (), "all"),
        ("maybe", (), PERHAPS),
        ("", (), PERHAPS),
        ("", ("-default-inject=true",), NOT_TCP),
        ("", ("-default-inject=false",), "all"),
        ("true", ("-default-inject=false",), NOT_TCP),
        ("true", ("-default-inject=true", '-deny-k8s-namespace="shop"'), "all"),
        ("true", ("-default-inject=true", '-allow-k8s-namespace="bank"'), "all"),
    ],
)
def test_annotations_and_the_injector_tell_who_asks_for_mutual_tls(
    inject: str, flags: tuple[str, ...], passes: str
) -> None:
    made = (space("shop"), member("api", connect_inject=inject), pod("stranger"))
    assert shop(MESH, *((injector(*flags),) if flags else ()), pods=made).passes("stranger", "api") == passes


def test_no_sidecar_is_injected_in_the_namespaces_of_the_system() -> None:
    made = (space("kube-system"), member("dns", "kube-system"), pod("stranger"))
    assert shop(MESH, pods=made).passes("stranger", "kube-system/dns") == "all"


def running(name: str, *containers: str, **notes: str) -> Json:
    made = member(name, **notes)
    made["spec"]["containers"] += [{"name": each} for each in containers]
    return {**made, "status": {"phase": "Running"}}


def test_a_pod_that_runs_shows_whether_it_has_a_proxy() -> None:
    made = (space("shop"), running("api", "consul-dataplane"), running("db"), pod("stranger"))
    found = shop(MESH, pods=made)
    assert found.passes("stranger", "api") == NOT_TCP
    assert found.passes("stranger", "db") == "all"


def test_ports_that_are_excluded_go_past_the_proxy() -> None:
    made = (space("shop"), member("api", transparent_proxy_exclude_inbound_ports="9102"), pod("stranger"))
    assert shop(MESH, pods=made).passes("stranger", "api") == "all except tcp/0-9101, tcp/9103-65535"


def test_without_the_transparent_mode_the_workload_stands_open_beside_its_proxy() -> None:
    made = (space("shop"), member("api", transparent_proxy="false"), pod("stranger"))
    assert shop(MESH, pods=made).passes("stranger", "api") == "all except tcp/20000-20015"


@pytest.mark.parametrize("flag", ["true", "false"])
def test_the_transparent_mode_is_set_at_the_injector(flag: str) -> None:
    found = shop(injector(f"-default-enable-transparent-proxy={flag}", "-default-inject=false"))
    assert found.passes("stranger", "api") == (NOT_TCP if flag == "true" else "all except tcp/20000-20015")
    assert not any("assumed, as its chart" in note for note in found.estate.notes)


def test_that_the_transparent_mode_is_assumed_is_noted() -> None:
    assert any("assumed, as its chart does by default" in note for note in shop().estate.notes)


# Names.


def fronted(name: str, **notes: str) -> Json:
    return member(name, connect_service="", **notes)


def front(name: str, app: str, **labels: str) -> Json:
    given = {f"{OWN}{key.replace('_', '-')}": value for key, value in labels.items()}
    return written("Service", name, "shop", metadata={"labels": given}, spec={"selector": {"app": app}})


def test_the_service_that_selects_a_pod_gives_its_name() -> None:
    made = (space("shop"), fronted("w"), fronted("a"), front("web", "w"), front("api", "a"))
    found = shop(intend("api", allow("web")), pods=made)
    assert found.passes("w", "a") == SERVICE
    assert found.passes("a", "w") == NOT_TCP


@pytest.mark.parametrize(
    ("second", "passes"),
    [
        (front("more", "w"), PERHAPS),
        (front("more", "w", service_ignore="true"), SERVICE),
        (front("more", "x"), SERVICE),
    ],
)
def test_of_several_services_any_may_give_it(second: Json, passes: str) -> None:
    made = (space("shop"), fronted("w"), member("api"), front("web", "w"), second)
    assert shop(intend("api", allow("web")), pods=made).passes("w", "api") == passes


def test_an_annotation_chooses_among_them() -> None:
    made = (space("shop"), fronted("w", kubernetes_service="web"), member("api"), front("web", "w"), front("x", "w"))
    assert shop(intend("api", allow("web")), pods=made).passes("w", "api") == SERVICE


def test_with_access_lists_the_service_is_named_as_the_service_account() -> None:
    named = fronted("w")
    named["spec"]["serviceAccountName"] = "web"
    made = (space("shop"), named, member("api"))
    assert shop(intend("api", allow("web")), pods=made).passes("w", "api") == PERHAPS
    acl = injector("-acl-auth-method=consul-k8s-auth-method", "-default-inject=false")
    assert shop(intend("api", allow("web")), acl, pods=made).passes("w", "api") == SERVICE


# Intentions.


@pytest.mark.parametrize(
    ("intentions", "passes"),
    [
        ([intend("db", deny("web"), allow("api"))], NOT_TCP),
        ([intend("db", allow("web"))], SERVICE),
        # The same destination: the source that is named exactly decides, whatever the order.
        ([intend("db", deny("*"), allow("web"))], SERVICE),
        ([intend("db", allow("*"), deny("web"))], NOT_TCP),
        # The destination that is named exactly goes before the source.
        ([intend("db", deny("*")), intend("*", allow("web"))], NOT_TCP),
        ([intend("db", allow("*")), intend("*", deny("web"))], SERVICE),
        ([intend("*", deny("*")), intend("*", namespace="x") | {"kind": "Unknown"}], NOT_TCP),
        ([intend("*", allow("*"))], SERVICE),
        ([intend("*", allow("*"), deny("web"))], NOT_TCP),
        # None for the pair: the default.
        ([intend("api", allow("web"))], NOT_TCP),
        ([intend("db", allow("api"))], NOT_TCP),
    ],
)
def test_the_most_exact_intention_decides(intentions: list[Json], passes: str) -> None:
    assert shop(*intentions).passes("web", "db") == passes


def test_who_is_not_of_the_mesh_is_refused_whatever_intentions_say() -> None:
    found = shop(intend("*", allow("*")))
    assert [found.passes(source, "api") for source in ("stranger", OUTSIDE)] == [NOT_TCP, NOT_TCP]
    assert found.passes("api", "stranger") == PERHAPS


@pytest.mark.parametrize(
    ("default", "passes"),
    [
        (DENYING, NOT_TCP),
        (ALLOWING, SERVICE),
        (servers(x='{"acl": {"enabled": true, "default_policy": "allow"}}'), SERVICE),
        (servers(x='acl = {\n  enabled = true\n  default_policy = "deny"\n}'), NOT_TCP),
        (servers(x='{"default_intention_policy": "deny"}'), NOT_TCP),
        (
            servers(x='{"acl": {"enabled": true, "default_policy": "deny"}, "default_intention_policy": "allow"}'),
            SERVICE,
        ),
        (servers(x='{"acl": {"default_policy": "deny"}}'), PERHAPS),
        (servers(x='{"acl": {"enabled": true, "default_policy": "extend"}}'), PERHAPS),
        (None, PERHAPS),
    ],
)
def test_without_an_intention_the_policy_of_the_servers_counts(default: Json | None, passes: str) -> None:
    assert shop(intend("api", allow("web")), default=default).passes("web", "db") == passes


@pytest.mark.semantics(113)
@pytest.mark.parametrize(
    ("whole", "added", "passes"),
    [
        (DENYING, "{}", NOT_TCP),
        (ALLOWING, '{"acl": {"enabled": true, "default_policy": "deny"}}', NOT_TCP),
        (DENYING, '{"default_intention_policy": "allow"}', SERVICE),
        (DENYING, '{"acl": {"default_policy": "allow"}}', PERHAPS),
        (None, "{}", PERHAPS),
    ],
)
def test_what_the_chart_adds_to_the_servers_counts_with_it(whole: Json | None, added: str, passes: str) -> None:
    data = {"extra-from-values.json": added}
    extra = written("ConfigMap", "consul-server-tmp-extra-config", "consul", data=data)
    assert shop(extra, intend("api", allow("web")), default=whole).passes("web", "db") == passes


def test_of_two_installations_that_differ_neither_tells_the_default() -> None:
    data = {"server.json": "{}"}
    other = written("ConfigMap", "other-consul-server-config", "other", data=data)
    assert shop(other, intend("api", allow("web"))).passes("web", "db") == PERHAPS


def test_an_intention_for_everything_tells_where_the_servers_were_not_read() -> None:
    assert shop(intend("*", deny("*")), default=None).passes("web", "db") == NOT_TCP
    assert shop(intend("*", allow("*")), default=None).passes("web", "db") == SERVICE


# Requests.


@pytest.mark.parametrize(
    ("permissions", "default", "passes"),
    [
        ([("allow", {"pathPrefix": "/v2", "methods": ["GET"]})], DENYING, SERVICE),
        ([("deny", {"pathExact": "/refund"}), ("allow", {"pathPrefix": "/"})], DENYING, SERVICE),
        ([("deny", {"pathPrefix": "/admin"})], DENYING, NOT_TCP),
        ([("deny", {"pathPrefix": "/admin"})], ALLOWING, SERVICE),
        ([("deny", {"pathPrefix": "/"})], ALLOWING, NOT_TCP),
        ([("deny", {"pathPrefix": "/"}), ("allow", {"pathExact": "/a"})], ALLOWING, NOT_TCP),
        ([("deny", {"pathPrefix": "/a"}), ("allow", {"pathExact": "/a/b"})], DENYING, NOT_TCP),
        ([("deny", {"pathRegex": "/.*"}), ("allow", {"pathPrefix": "/"})], DENYING, PERHAPS),
        ([("deny", {"header": [{"name": "x", "present": True}]}), ("allow", {"pathPrefix": "/"})], DENYING, PERHAPS),
        ([("deny", {"pathPrefix": "/admin"})], None, PERHAPS),
    ],
)
def test_permissions_admit_the_connection_of_which_some_request_passes(
    permissions: list[tuple[str, Json]], default: Json | None, passes: str
) -> None:
    found = shop(HTTP, intend("db", permit("web", *permissions)), default=default)
    assert found.passes("web", "db") == passes


def test_permissions_are_told_beside_the_connection() -> None:
    found = shop(HTTP, intend("db", permit("web", ("allow", {"pathPrefix": "/v2", "methods": ["GET"]}))))
    told = explain(found.reach, found.id_of("web"), found.id_of("db"), Traffic.ports("tcp", 8080, 8080))
    rules = [rule for list_ in found.estate.rule_sets.values() for rule in list_.rules]
    assert told.lower == "tcp/8080"
    assert {rule.description for rule in rules if rule.id == "sources[0]"} == {"HTTP: allow GET /v2*"}


@pytest.mark.parametrize("protocol", [None, "tcp"])
def test_permissions_of_a_service_without_http_are_known_at_most(protocol: str | None) -> None:
    said = () if protocol is None else (consul("ServiceDefaults", "db", protocol=protocol),)
    assert shop(*said, intend("db", permit("web", ("allow", {"pathPrefix": "/"})))).passes("web", "db") == PERHAPS


def test_a_service_says_its_protocol_before_all_proxies() -> None:
    said = (HTTP, consul("ServiceDefaults", "db", protocol="tcp"))
    assert shop(*said, intend("db", permit("web", ("allow", {"pathPrefix": "/"})))).passes("web", "db") == PERHAPS


# Plain text.


@pytest.mark.parametrize(
    ("said", "stranger", "web"),
    [
        ([consul("ServiceDefaults", "db", mutualTLSMode="permissive"), MESH], "all", PERHAPS),
        ([consul("ProxyDefaults", "global", mutualTLSMode="permissive"), MESH], "all", PERHAPS),
        (
            [
                consul("ProxyDefaults", "global", mutualTLSMode="permissive"),
                consul("ServiceDefaults", "db", mutualTLSMode="strict"),
                MESH,
            ],
            NOT_TCP,
            NOT_TCP,
        ),
        ([consul("ServiceDefaults", "api", mutualTLSMode="permissive"), MESH], NOT_TCP, NOT_TCP),
        # Mesh may have allowed it before: what is set stays.
        ([consul("ServiceDefaults", "db", mutualTLSMode="permissive")], PERHAPS, PERHAPS),
        ([consul("ServiceDefaults", "db", mutualTLSMode="x"), MESH], PERHAPS, PERHAPS),
    ],
)
def test_in_the_permissive_mode_nobody_is_surely_denied(said: list[Json], stranger: str, web: str) -> None:
    found = shop(*said, intend("db", deny("web")))
    assert (found.passes("stranger", "db"), found.passes("web", "db")) == (stranger, web)


def test_an_intention_that_admits_holds_in_the_permissive_mode() -> None:
    said = (consul("ServiceDefaults", "db", mutualTLSMode="permissive"), MESH)
    assert shop(*said, intend("db", allow("web"))).passes("web", "db") == "all"


def test_exposed_paths_are_let_in_without_mutual_tls() -> None:
    paths = {"paths": [{"listenerPort": 9000, "path": "/health", "localPathPort": 8080}]}
    found = shop(consul("ServiceDefaults", "db", expose=paths))
    assert found.passes("stranger", "db") == "all except tcp to all except tcp/0-8999, tcp/9001-65535"


def test_proxies_that_connect_to_the_mesh_alone_let_out_at_most_what_goes_past_them() -> None:
    found = shop(consul("Mesh", "mesh", transparentProxy={"meshDestinationsOnly": True}), intend("db", allow("web")))
    assert found.passes("web", OUTSIDE) == PERHAPS
    assert found.passes("web", "db") == SERVICE
    assert found.passes("stranger", OUTSIDE) == PERHAPS


def test_a_client_some_of_whose_connections_go_past_its_proxy_is_let_in_at_most() -> None:
    made = (space("shop"), member("web", transparent_proxy_exclude_outbound_ports="8080"), member("db"))
    assert shop(intend("db", allow("web")), pods=made).passes("web", "db") == PERHAPS


# Namespaces, and services of elsewhere.

TWO = (space("shop"), space("bank"), member("web"), member("db"), member("web", "bank"), member("db", "bank"))
MIRRORED = injector("-default-inject=false", "-enable-namespaces=true", "-enable-k8s-namespace-mirroring=true")
FLAT = injector("-default-inject=false")


@pytest.mark.parametrize(
    ("installed", "near", "across", "far"),
    [
        ((FLAT,), SERVICE, SERVICE, SERVICE),
        ((MIRRORED,), SERVICE, NOT_TCP, NOT_TCP),
        ((), SERVICE, PERHAPS, PERHAPS),
    ],
)
def test_namespaces_of_the_cluster_count_where_consul_mirrors_them(
    installed: tuple[Json, ...], near: str, across: str, far: str
) -> None:
    found = shop(*installed, intend("db", allow("web")), pods=TWO)
    assert found.passes("web", "db") == near
    assert found.passes("bank/web", "db") == across
    assert found.passes("bank/web", "bank/db") == far


def test_a_source_of_another_namespace_is_named() -> None:
    found = shop(MIRRORED, intend("db", allow("web", namespace="bank")), pods=TWO)
    assert (found.passes("bank/web", "db"), found.passes("web", "db")) == (SERVICE, NOT_TCP)


def test_an_intention_for_a_namespace_goes_before_one_for_all() -> None:
    everywhere = intend("*", deny("*", namespace="*"), namespace="bank")
    everywhere["spec"]["destination"]["namespace"] = "*"
    found = shop(MIRRORED, everywhere, intend("*", allow("web")), pods=TWO)
    assert (found.passes("web", "db"), found.passes("bank/web", "bank/db")) == (SERVICE, NOT_TCP)


@pytest.mark.parametrize("where", ["peer", "samenessGroup", "partition"])
def test_services_of_elsewhere_are_let_in_at_most_from_outside(where: str) -> None:
    found = shop(intend("db", allow("web", **{where: "east"})))
    assert found.passes(OUTSIDE, "db") == PERHAPS
    assert found.passes("api", "db") == NOT_TCP
    assert found.passes("web", "db") == (NOT_TCP if where == "peer" else PERHAPS)


def test_what_gateways_take_is_known_at_most() -> None:
    gateway = pod("gate", "shop", component="ingress-gateway")
    gateway["metadata"]["annotations"] = {f"{OWN}gateway-kind": "ingress-gateway"}
    gateway["metadata"]["annotations"][f"{OWN}gateway-consul-service-name"] = "ingress"
    made = (*PODS, gateway)
    found = shop(consul("IngressGateway", "ingress"), intend("api", allow("ingress")), pods=made)
    assert found.passes(OUTSIDE, "gate") == "at most all"
    assert found.passes("gate", "api") == "at most all"
    assert found.passes("gate", "db") == "at most all except tcp"
    assert found.gaps() == [("shop/IngressGateway/ingress", "unsupported")]


# What cannot be read, or does not count.


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"destination": {"name": "db"}},
        {"destination": {}, "sources": [allow("web")]},
        {"destination": {"name": "db", "partition": "x"}, "sources": [allow("web")]},
        {"destination": {"name": "db"}, "sources": [{"name": "web"}]},
        {"destination": {"name": "db"}, "sources": [{"name": "web", "action": "perhaps"}]},
        {"destination": {"name": "db"}, "sources": [{"action": "allow"}]},
        {"destination": {"name": "db"}, "sources": [allow("web"), deny("web")]},
        {"destination": {"name": "db"}, "sources": [allow("web", permissions=[{"action": "deny", "http": {}}])]},
        {"destination": {"name": "db"}, "sources": [permit("web", ("allow", {}))]},
        {"destination": {"name": "db"}, "sources": [permit("web", ("allow", {"pathExact": "/", "pathPrefix": "/"}))]},
        {"destination": {"name": "db"}, "sources": [allow("web", peer="a", partition="b")]},
        {"destination": {"name": "db", "namespace": "*"}, "sources": [allow("web")]},
        {"destination": {"name": "db"}, "sources": [allow("web")], "more": 1},
    ],
)
def test_intentions_that_consul_would_refuse_leave_their_destination_open(spec: Json) -> None:
    found = shop(consul("ServiceIntentions", "x", **spec))
    assert found.gaps() == [("shop/ServiceIntentions/x", "malformed")]
    assert found.passes("api", "db") == "at most all"
    named = isinstance(spec.get("destination", {}).get("name"), str)
    assert found.passes("web", "api") == (NOT_TCP if named else "at most all")


def test_of_two_objects_for_one_destination_it_is_not_known_which_counts() -> None:
    other = intend("db", deny("web"))
    other["metadata"]["name"] = "other"
    found = shop(intend("db", allow("web")), other)
    assert [reason for _, reason in found.gaps()] == ["unsupported", "unsupported"]
    assert found.passes("web", "db") == "at most all"


def test_an_object_that_consul_did_not_take_leaves_its_destination_open() -> None:
    refused = intend("db", deny("web")) | {"status": {"conditions": [{"type": "Synced", "status": "False"}]}}
    found = shop(refused)
    assert found.gaps() == [("shop/ServiceIntentions/for-db", "unsupported")]
    assert found.passes("web", "db") == "at most all"


@pytest.mark.parametrize(
    "item",
    [
        consul("ProxyDefaults", "global", config={"envoy_public_listener_json": "{}"}),
        consul("ServiceDefaults", "db", envoyExtensions=[{"name": "builtin/lua"}]),
        consul("Mesh", "mesh", transparentProxy={"meshDestinationsOnly": "x"}),
    ],
)
def test_settings_that_change_proxies_leave_the_mesh_open(item: Json) -> None:
    found = shop(item)
    assert len(found.gaps()) == 1
    assert found.passes("web", "db") == "at most all"


def test_where_nothing_of_consul_shows_nothing_is_added() -> None:
    found = Cluster(space("shop"), pod("web"), pod("api"))
    assert not found.estate.rule_sets
    assert found.passes("web", "api") == "all"


# What checks say of it.


def told(found: Cluster, check: str) -> list[tuple[str, str]]:
    result = run_audit(found.estate, AuditRequest(exposure=False))
    return [(each.severity.name, each.message) for each in result.findings if each.check == check]


def test_checks_speak_of_consul() -> None:
    permissive = (consul("ServiceDefaults", "db", mutualTLSMode="permissive"), MESH)
    found = shop(*permissive, intend("*", allow("*")), default=ALLOWING)
    assert told(found, "permissive-mtls") == [
        ("MEDIUM", "namespace shop: 1 of 3 workloads of the mesh accepts plain text")
    ]
    assert told(found, "missing-authorization-policy") == [
        ("MEDIUM", "namespace shop: 3 of 3 workloads of the mesh admit every client")
    ]
    assert [severity for severity, _ in told(found, "mesh-allows-all")] == ["LOW"]


def test_checks_find_nothing_where_servers_deny_and_intentions_name_clients() -> None:
    found = shop(intend("api", allow("web")), intend("db", allow("api")))
    for check in ("permissive-mtls", "missing-authorization-policy", "mesh-allows-all"):
        assert told(found, check) == []
