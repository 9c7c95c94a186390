"""Linkerd's documentation, situation by situation, in own names."""

from typing import Any

import pytest

from cloudseg.reach.explaining.explain import explain
from cloudseg.traffic import Traffic
from tests.kubernetes.cluster import OUTSIDE, Cluster, pod, policy, space, written

GROUP = "policy.linkerd.io"
NOT_TCP = "all except tcp"
NOT_80 = "all except tcp/80"
ALSO_80 = "all except tcp/0-79, tcp/81-65535"
PERHAPS = f"{NOT_TCP} to all"
# The chart leads these two past proxies, and where it was not read it may be set otherwise.
MEMBER = "all except tcp/4567-4568 to all"
DENIED = f"{NOT_TCP} to all except tcp/0-4566, tcp/4569-65535"
MESHED = {"linkerd.io/inject": "enabled"}
DEFAULT = "config.linkerd.io/default-inbound-policy"
DOMAIN = "serviceaccount.identity.linkerd.cluster.local"
EVERYWHERE = [{"cidr": "0.0.0.0/0"}, {"cidr": "::/0"}]


def linkerd(kind: str, name: str, namespace: str = "shop", version: str = "v1alpha1", **spec: Any) -> dict[str, Any]:
    return written(kind, name, namespace, apiVersion=f"{GROUP}/{version}", spec=spec)


def server(name: str = "db", port: int | str = 80, app: str = "db", **spec: Any) -> dict[str, Any]:
    chosen: dict[str, Any] = {"podSelector": {"matchLabels": {"app": app}}, "port": port}
    return linkerd("Server", name, version="v1beta3", **(chosen | spec))


def authorize(name: str, target: dict[str, Any], *required: dict[str, Any], namespace: str = "shop") -> dict[str, Any]:
    return linkerd("AuthorizationPolicy", name, namespace, targetRef=target, requiredAuthenticationRefs=list(required))


def for_servers(name: str, client: dict[str, Any], chosen: dict[str, Any] | None = None) -> dict[str, Any]:
    return linkerd("ServerAuthorization", name, version="v1beta1", server=chosen or {"name": "db"}, client=client)


def route(group: str = GROUP, **more: Any) -> dict[str, Any]:
    parents = [{"group": GROUP, "kind": "Server", "name": "db"} | more]
    rules = [{"matches": [{"path": {"value": "/orders"}, "method": "GET"}]}]
    spec = {"parentRefs": parents, "rules": rules}
    return written("HTTPRoute", "orders", "shop", apiVersion=f"{group}/v1", spec=spec)


def annotated(made: dict[str, Any], annotations: dict[str, str]) -> dict[str, Any]:
    return {**made, "metadata": {**made["metadata"], "annotations": annotations}}


def as_account(made: dict[str, Any], account: str) -> dict[str, Any]:
    return {**made, "spec": {**made["spec"], "serviceAccountName": account}}


ON_DB = {"group": GROUP, "kind": "Server", "name": "db"}
ON_SHOP = {"kind": "Namespace", "name": "shop"}
FRONT = {"kind": "ServiceAccount", "name": "front"}
TLS = {"group": GROUP, "kind": "MeshTLSAuthentication", "name": "tls"}
NETWORK = {"group": GROUP, "kind": "NetworkAuthentication", "name": "net"}
WEB = as_account(pod("web"), "front")
DB = pod("db", "shop", [{"name": "sql", "containerPort": 80}, {"name": "admin", "containerPort": 90}])
PODS = (WEB, pod("job"), DB, pod("card", "bank"), space("bank"))


def shop(*objects: Any, annotations: dict[str, str] = MESHED) -> Cluster:
    return Cluster(annotated(space("shop"), annotations), *PODS, *objects)


# Who is part of the mesh.


@pytest.mark.parametrize(
    ("of_space", "of_pod", "passes"),
    [
        ({}, {}, "all"),
        (MESHED, {}, NOT_80),
        ({"linkerd.io/inject": "ingress"}, {}, NOT_80),
        ({}, MESHED, NOT_80),
        ({"linkerd.io/inject": "disabled"}, MESHED, NOT_80),
        (MESHED, {"linkerd.io/inject": "disabled"}, "all"),
        (MESHED, {"linkerd.io/inject": "yes"}, "all"),
        ({"linkerd.io/inject": "yes"}, MESHED, "all"),
    ],
)
@pytest.mark.semantics(140)
def test_annotations_tell_who_enforces(of_space: dict[str, str], of_pod: dict[str, str], passes: str) -> None:
    cluster = Cluster(
        annotated(space("shop"), of_space), annotated(pod("db"), of_pod), space("bank"), pod("card", "bank"), server()
    )
    assert cluster.passes("bank/card", "db") == passes


def test_nothing_is_injected_where_the_injector_is_not_called() -> None:
    spaces = [annotated(space("kube-system"), MESHED), annotated(space("off"), MESHED)]
    spaces[1]["metadata"]["labels"] = {"config.linkerd.io/admission-webhooks": "disabled"}
    servers = [linkerd("Server", "s", place, podSelector={}, port=80) for place in ("kube-system", "off")]
    cluster = Cluster(*spaces, *servers, pod("dns", "kube-system"), pod("api", "off"))
    assert {cluster.passes(OUTSIDE, name) for name in ("kube-system/dns", "off/api")} == {"all"}


def test_a_pod_of_a_namespace_that_was_not_read_is_a_member_perhaps() -> None:
    cluster = Cluster(pod("web"), pod("db"), server())
    assert cluster.passes("web", "db") == PERHAPS


def test_a_pod_that_asks_for_a_proxy_is_a_member_whatever_its_namespace_says() -> None:
    cluster = Cluster(annotated(pod("web"), MESHED), annotated(pod("db"), MESHED | {DEFAULT: "audit"}), server())
    assert cluster.passes("web", "db") == NOT_80


def test_an_annotation_of_a_deployment_and_not_of_its_pods_makes_a_member_perhaps() -> None:
    template = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "main"}]}}
    made = annotated(written("Deployment", "db", "shop", spec={"template": template}), MESHED)
    assert Cluster(space("shop"), made, pod("web"), server()).passes("web", "db") == f"{NOT_80} to all"


def running(made: dict[str, Any], *containers: dict[str, Any]) -> dict[str, Any]:
    spec = {**made["spec"], "initContainers": list(containers)}
    return {**made, "spec": spec, "status": {"phase": "Running"}}


def proxy(policy: str = "") -> dict[str, Any]:
    env: list[dict[str, Any]] = [{"name": "X", "valueFrom": {}}]
    given = [{"name": "LINKERD2_PROXY_INBOUND_DEFAULT_POLICY", "value": policy}] if policy else []
    return {"name": "linkerd-proxy", "restartPolicy": "Always", "env": env + given}


def test_a_pod_that_runs_shows_whether_it_has_a_proxy() -> None:
    without = Cluster(annotated(space("shop"), MESHED), running(DB), pod("web"), server())
    assert without.passes("web", "db") == "all"
    injected = Cluster(space("shop"), running(DB, proxy()), pod("web"), server())
    assert injected.passes("web", "db") == NOT_80


def test_the_proxy_of_running_pods_makes_no_other_workload() -> None:
    template = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "main"}]}}
    deployment = written("Deployment", "db", "shop", spec={"template": template})
    ports = [{"name": "linkerd-proxy", "containerPort": 4143}, {"name": "linkerd-admin", "containerPort": 4191}]
    live = running(pod("db-1"), proxy("deny") | {"ports": ports})
    owner = {"kind": "Deployment", "name": "db", "controller": True}
    labels = {"app": "db", "linkerd.io/control-plane-ns": "linkerd", "linkerd.io/proxy-deployment": "db"}
    live["metadata"] |= {"ownerReferences": [owner], "labels": labels}
    cluster = Cluster(space("shop"), deployment, live, pod("web"))
    assert sorted(cluster.estate.interfaces) == ["kubernetes:c:shop/db[Deployment]", "kubernetes:c:shop/web[Pod]"]
    assert cluster.passes("web", "db") == DENIED


@pytest.mark.parametrize("plugin", ["calico-node", "kube-flannel-ds", "cilium"])
def test_the_network_plugin_has_no_say(plugin: str) -> None:
    agents = written(
        "DaemonSet", plugin, "kube-system", spec={"template": {"spec": {"containers": [{"name": plugin}]}}}
    )
    assert shop(agents, server(), authorize("a", ON_DB, FRONT)).passes("job", "db") == NOT_80


# The default policy.


@pytest.mark.parametrize(
    ("given", "member", "stranger", "outside"),
    [
        ("all-unauthenticated", "all", "all", "all"),
        ("audit", "all", "all", "all"),
        ("all-authenticated", MEMBER, DENIED, DENIED),
        ("cluster-authenticated", MEMBER, DENIED, DENIED),
        ("cluster-unauthenticated", "all", "all", DENIED),
        ("deny", DENIED, DENIED, DENIED),
        ("nonsense", PERHAPS, PERHAPS, PERHAPS),
    ],
)
def test_default_policies_admit(given: str, member: str, stranger: str, outside: str) -> None:
    cluster = shop(annotations=MESHED | {DEFAULT: given})
    assert cluster.passes("web", "db") == member
    assert cluster.passes("bank/card", "db") == stranger
    assert cluster.passes(OUTSIDE, "db") == outside


def test_a_private_address_outside_may_be_one_of_the_cluster() -> None:
    cluster = shop(annotations=MESHED | {DEFAULT: "cluster-unauthenticated"})
    assert cluster.passes("10.1.2.3", "db") == PERHAPS


def test_a_pod_goes_before_its_namespace() -> None:
    admitting = annotated(pod("api"), {DEFAULT: "all-unauthenticated"})
    cluster = shop(admitting, annotations=MESHED | {DEFAULT: "deny"})
    assert (cluster.passes("web", "api"), cluster.passes("web", "db")) == ("all", DENIED)


def test_what_a_proxy_was_started_with_goes_before_annotations() -> None:
    cluster = Cluster(annotated(space("shop"), {DEFAULT: "audit"}), running(DB, proxy("deny")), pod("web"))
    assert cluster.passes("web", "db") == DENIED


def test_the_settings_of_an_installation_tell_its_default() -> None:
    values = 'clusterNetworks: "172.16.0.0/12"\nproxy:\n  cores: 1\n  defaultInboundPolicy: cluster-unauthenticated\n'
    config = written("ConfigMap", "linkerd-config", "linkerd", data={"values": values})
    assert shop(config).passes(OUTSIDE, "db") == DENIED
    assert shop(config).passes("172.16.0.1", "db") == PERHAPS
    assert shop(config).passes("10.0.0.1", "db") == DENIED


def test_a_default_that_nothing_tells_is_taken_for_that_of_the_chart_and_told() -> None:
    cluster = shop()
    assert cluster.passes(OUTSIDE, "db") == "all"
    assert any("taken for all-unauthenticated" in note for note in cluster.estate.notes)


def test_ports_may_ask_for_identities_beside_an_open_default() -> None:
    asking = annotated(pod("api"), {"config.linkerd.io/proxy-require-identity-inbound-ports": "80"})
    cluster = shop(asking)
    assert (cluster.passes("web", "api"), cluster.passes("bank/card", "api")) == ("all", NOT_80)


@pytest.mark.parametrize(("ports", "passes"), [("80", ALSO_80), ("79-80, 443", None), ("8o", PERHAPS)])
def test_what_skips_the_proxy_is_guarded_by_nothing(ports: str, passes: str | None) -> None:
    skipping = annotated(pod("api"), {"config.linkerd.io/skip-inbound-ports": ports})
    found = shop(skipping, annotations=MESHED | {DEFAULT: "deny"}).passes("web", "api")
    assert found == (passes or "all except tcp/0-78, tcp/81-442, tcp/444-65535")


SKIP_IN, SKIP_OUT = "config.linkerd.io/skip-inbound-ports", "config.linkerd.io/skip-outbound-ports"
NONE = "proxyInit:\n  ignoreInboundPorts: ''\n  ignoreOutboundPorts: ''\n"


def installed(values: str, plugin: str | None = None) -> tuple[dict[str, Any], ...]:
    """The config maps of an installation: the values of its chart, and what its CNI plugin does if it has one."""
    found = [written("ConfigMap", "linkerd-config", "linkerd", data={"values": values})]
    if plugin is not None:
        data = {"cni_network_config": plugin}
        found.append(written("ConfigMap", "linkerd-cni-config", "linkerd-cni", data=data))
    return tuple(found)


@pytest.mark.parametrize(
    ("values", "of_space", "of_pod", "passes"),
    [
        # As the chart is set: by default the two ports of Galera.
        ("proxyInit:\n  ignoreInboundPorts: 4567,4568\n", {}, {}, "all except tcp/0-4566, tcp/4569-65535"),
        ("proxyInit:\n  ignoreInboundPorts: 80\n", {}, {}, ALSO_80),
        ('proxyInit:\n  ignoreInboundPorts: "79-80, 443"\n', {}, {}, "all except tcp/0-78, tcp/81-442, tcp/444-65535"),
        ('proxyInit: {ignoreInboundPorts: "80"}', {}, {}, ALSO_80),
        (NONE, {}, {}, NOT_TCP),
        ("proxyInit:\n  ignoreInboundPorts:\n", {}, {}, NOT_TCP),
        # An annotation takes its place: of the pod, else of its namespace.
        ("proxyInit:\n  ignoreInboundPorts: 443\n", {SKIP_IN: "80"}, {}, ALSO_80),
        ("proxyInit:\n  ignoreInboundPorts: 443\n", {SKIP_IN: "90"}, {SKIP_IN: "80"}, ALSO_80),
        # An empty one stands for no port; installers differ in that.
        ("proxyInit:\n  ignoreInboundPorts: 80\n", {}, {SKIP_IN: ""}, f"{NOT_TCP} to {ALSO_80}"),
        # Nothing says what is set.
        ("", {}, {}, DENIED),
        ("proxyInit:\n  logLevel: info\n", {}, {}, DENIED),
        ("proxyInit:\n  ignoreInboundPorts: 8o\n", {}, {}, PERHAPS),
        ("proxyInit:\n  ignoreInboundPorts: [80]\n", {}, {}, PERHAPS),
        ("proxyInit: [", {}, {}, PERHAPS),
        # Subnets go past proxies as well.
        ("proxyInit:\n  skipSubnets: 10.0.0.0/8\n", {}, {}, PERHAPS),
        (NONE, {}, {"config.linkerd.io/skip-subnets": "10.0.0.0/8"}, PERHAPS),
        # Opaque ports go by the proxy.
        (NONE, {}, {"config.linkerd.io/opaque-ports": "80"}, NOT_TCP),
    ],
)
def test_what_goes_past_all_proxies_is_guarded_by_nothing(
    values: str, of_space: dict[str, str], of_pod: dict[str, str], passes: str
) -> None:
    api = annotated(pod("api"), of_pod)
    cluster = shop(api, *installed(values), annotations=MESHED | {DEFAULT: "deny"} | of_space)
    assert cluster.passes("web", "api") == passes


OWN_PORTS = '"inbound-ports-to-ignore": ["4191", "4190"'


@pytest.mark.parametrize(
    ("plugin", "passes"),
    [
        (f'{{"linkerd": {{{OWN_PORTS}]}}}}', NOT_TCP),
        (f'{{"linkerd": {{{OWN_PORTS}, "80"]}}}}', ALSO_80),
        (f'{{"linkerd": {{{OWN_PORTS}, "8o"]}}}}', PERHAPS),
        (f'{{"linkerd": {{{OWN_PORTS}], "subnets-to-ignore": ["10.0.0.0/8"]}}}}', PERHAPS),
        ("{}", PERHAPS),
        ("{", PERHAPS),
        (None, PERHAPS),
    ],
)
def test_with_its_network_plugin_linkerd_is_set_there(plugin: str | None, passes: str) -> None:
    config = installed("cniEnabled: true\nproxyInit:\n  ignoreInboundPorts: 443\n", plugin)
    assert shop(*config, annotations=MESHED | {DEFAULT: "deny"}).passes("web", "db") == passes


def test_a_server_does_not_guard_a_port_that_goes_past_all_proxies() -> None:
    config = installed("proxyInit:\n  ignoreInboundPorts: 80\n  ignoreOutboundPorts: ''\n")
    assert shop(*config, server()).passes(OUTSIDE, "db") == "all"


@pytest.mark.parametrize(
    ("values", "annotation", "passes"),
    [
        ("proxyInit:\n  ignoreInboundPorts: ''\n  ignoreOutboundPorts: 80\n", {}, f"{NOT_80} to all"),
        ("proxyInit:\n  ignoreInboundPorts: ''\n  ignoreOutboundPorts: 81\n", {}, "all"),
        (NONE, {}, "all"),
        (NONE, {SKIP_OUT: "80"}, f"{NOT_80} to all"),
    ],
)
def test_what_clients_send_past_their_proxies_shows_no_identity(
    values: str, annotation: dict[str, str], passes: str
) -> None:
    client = annotated(as_account(pod("old"), "front"), annotation)
    cluster = shop(client, *installed(values), server(), authorize("a", ON_DB, FRONT))
    assert cluster.passes("old", "db") == passes


# Servers.


def test_to_a_server_nobody_gets_whom_nothing_admits() -> None:
    cluster = shop(server())
    assert cluster.passes("web", "db") == cluster.passes(OUTSIDE, "db") == NOT_80
    assert cluster.passes("web", "job") == "all"


def test_ports_without_a_server_follow_the_default() -> None:
    admitting = authorize("a", ON_DB, FRONT)
    cluster = shop(server(), admitting, annotations=MESHED | {DEFAULT: "deny"})
    assert cluster.passes("web", "db") == f"{ALSO_80} to all except tcp/0-79, tcp/81-4566, tcp/4569-65535"


@pytest.mark.parametrize(("port", "passes"), [("sql", NOT_80), ("admin", "all except tcp/90"), ("other", "all")])
def test_a_named_port_is_that_of_each_pod(port: str, passes: str) -> None:
    assert shop(server(port=port)).passes("web", "db") == passes


@pytest.mark.parametrize(
    ("given", "member", "stranger"),
    [("audit", "all", "all"), ("all-authenticated", "all", NOT_80), ("deny", NOT_80, NOT_80)],
)
def test_a_server_may_admit_by_itself(given: str, member: str, stranger: str) -> None:
    cluster = shop(server(accessPolicy=given))
    assert (cluster.passes("web", "db"), cluster.passes("bank/card", "db")) == (member, stranger)


def test_a_server_for_workloads_outside_decides_about_no_pod() -> None:
    beyond = linkerd("Server", "vm", version="v1beta3", externalWorkloadSelector={}, port=80)
    assert shop(beyond).passes(OUTSIDE, "db") == "all"


def test_two_servers_for_one_port_admit_at_most() -> None:
    cluster = shop(server(), server("more", "sql"), authorize("a", ON_DB, FRONT))
    assert cluster.passes("web", "db") == f"{NOT_80} to all"
    assert cluster.passes("job", "db") == NOT_80
    assert cluster.gaps() == [("shop/Server/db", "malformed"), ("shop/Server/more", "malformed")]


# Policies.


def test_a_policy_names_a_service_account() -> None:
    cluster = shop(server(), authorize("a", ON_DB, FRONT))
    assert (cluster.passes("web", "db"), cluster.passes("job", "db")) == ("all", NOT_80)


def test_a_client_without_a_proxy_has_no_identity() -> None:
    plain = annotated(as_account(pod("old"), "front"), {"linkerd.io/inject": "disabled"})
    assert shop(plain, server(), authorize("a", ON_DB, FRONT)).passes("old", "db") == NOT_80


def test_a_client_that_skips_its_proxy_shows_an_identity_at_most() -> None:
    skipping = annotated(as_account(pod("old"), "front"), {"config.linkerd.io/skip-outbound-ports": "80"})
    assert shop(skipping, server(), authorize("a", ON_DB, FRONT)).passes("old", "db") == f"{NOT_80} to all"


@pytest.mark.parametrize(
    ("spec", "web", "job"),
    [
        ({"identities": ["*"]}, "all", "all"),
        ({"identities": [f"front.shop.{DOMAIN}"]}, "all", NOT_80),
        ({"identities": [f"*.shop.{DOMAIN}"]}, "all", "all"),
        ({"identities": [f"*.bank.{DOMAIN}", f"front.bank.{DOMAIN}"]}, NOT_80, NOT_80),
        ({"identities": ["front.shop.serviceaccount.identity.mesh.example"]}, f"{NOT_80} to all", NOT_80),
        ({"identityRefs": [{"kind": "ServiceAccount", "name": "front"}]}, "all", NOT_80),
        ({"identityRefs": [{"kind": "ServiceAccount", "name": "front", "namespace": "bank"}]}, NOT_80, NOT_80),
        ({"identityRefs": [{"kind": "Namespace", "name": "shop"}]}, "all", "all"),
    ],
)
def test_mesh_tls_authentications_name_identities(spec: dict[str, Any], web: str, job: str) -> None:
    cluster = shop(server(), linkerd("MeshTLSAuthentication", "tls", **spec), authorize("a", ON_DB, TLS))
    assert (cluster.passes("web", "db"), cluster.passes("job", "db")) == (web, job)
    assert cluster.passes("bank/card", "db") == cluster.passes(OUTSIDE, "db") == NOT_80


def test_the_trust_domain_is_the_installations_where_it_was_read() -> None:
    config = written("ConfigMap", "linkerd-config", "mesh", data={"values": "identityTrustDomain: example\n"})
    for text, passes in (("front.shop.serviceaccount.identity.mesh.example", "all"), (f"front.shop.{DOMAIN}", NOT_80)):
        named = linkerd("MeshTLSAuthentication", "tls", identities=[text])
        assert shop(config, server(), named, authorize("a", ON_DB, TLS)).passes("web", "db") == passes


def test_network_authentications_name_addresses() -> None:
    named = linkerd("NetworkAuthentication", "net", networks=[{"cidr": "203.0.113.0/24", "except": ["203.0.113.9/32"]}])
    cluster = shop(server(), named, authorize("a", ON_DB, NETWORK))
    assert cluster.passes("203.0.113.8", "db") == "all"
    assert cluster.passes("203.0.113.9", "db") == NOT_80
    assert cluster.passes("web", "db") == f"{NOT_80} to all"


def test_a_pod_bears_the_address_that_was_read() -> None:
    named = linkerd("NetworkAuthentication", "net", networks=[{"cidr": "10.0.0.0/24"}])
    near, far = (
        {**pod(name), "status": {"podIP": address}} for name, address in (("n", "10.0.0.9"), ("f", "10.1.0.9"))
    )
    cluster = shop(near, far, server(), named, authorize("a", ON_DB, NETWORK))
    assert (cluster.passes("n", "db"), cluster.passes("f", "db")) == ("all", NOT_80)


def test_all_that_is_required_has_to_match() -> None:
    named = linkerd("NetworkAuthentication", "net", networks=EVERYWHERE)
    cluster = shop(server(), named, authorize("a", ON_DB, FRONT, NETWORK))
    assert (cluster.passes("web", "db"), cluster.passes("job", "db")) == ("all", NOT_80)
    both = authorize("a", ON_DB, FRONT, {"kind": "ServiceAccount", "name": "default"})
    assert shop(server(), both).passes("web", "db") == NOT_80


def test_a_policy_that_requires_nothing_admits_everyone() -> None:
    assert shop(server(), authorize("a", ON_DB)).passes(OUTSIDE, "db") == "all"


def test_a_policy_that_names_what_is_not_there_admits_nobody() -> None:
    cluster = shop(server(), authorize("a", ON_DB, TLS))
    assert cluster.passes("web", "db") == NOT_80
    assert any("MeshTLSAuthentication shop/tls is not there" in note for note in cluster.estate.notes)


def test_a_policy_for_its_namespace_is_about_all_servers() -> None:
    cluster = shop(server(), server("web", 80, "web"), authorize("a", ON_SHOP, FRONT))
    assert (cluster.passes("web", "db"), cluster.passes("job", "web")) == ("all", NOT_80)
    assert shop(server(), authorize("a", {"kind": "Namespace", "name": "bank"}, FRONT)).gaps() == [
        ("shop/AuthorizationPolicy/a", "malformed")
    ]


def test_a_policy_of_another_namespace_decides_nothing() -> None:
    assert shop(server(), authorize("a", ON_DB, namespace="bank")).passes("web", "db") == NOT_80


@pytest.mark.parametrize("group", [GROUP, "gateway.networking.k8s.io"])
def test_a_policy_for_a_route_admits_the_connection_of_its_requests(group: str) -> None:
    target = {"group": group, "kind": "HTTPRoute", "name": "orders"}
    cluster = shop(server(), route(group), authorize("a", target, FRONT))
    assert (cluster.passes("web", "db"), cluster.passes("job", "db")) == ("all", NOT_80)
    rules = cluster.estate.rule_sets["kubernetes:c:shop/AuthorizationPolicy/a"].rules
    assert {rule.description for rule in rules} == {"HTTP: requests of HTTPRoute orders (GET /orders) only"}


@pytest.mark.parametrize(
    ("more", "made", "passes"),
    [
        ({}, {"proxyProtocol": "opaque"}, NOT_80),
        ({}, {"proxyProtocol": "HTTP/1"}, "all"),
        ({"name": "other"}, {}, NOT_80),
        ({"namespace": "bank"}, {}, NOT_80),
        ({"port": 80}, {}, NOT_80),
    ],
)
def test_a_route_hangs_on_a_server_where_requests_are_read(
    more: dict[str, Any], made: dict[str, Any], passes: str
) -> None:
    target = {"group": GROUP, "kind": "HTTPRoute", "name": "orders"}
    cluster = shop(server(**made), route(**more), authorize("a", target, FRONT))
    assert cluster.passes("web", "db") == passes


def test_a_route_that_was_not_read_or_was_refused() -> None:
    target = {"group": GROUP, "kind": "HTTPRoute", "name": "orders"}
    assert shop(server(), authorize("a", target, FRONT)).passes("web", "db") == f"{NOT_80} to all"
    refused = route()
    condition = {"type": "Accepted", "status": "False"}
    refused["status"] = {"parents": [{"parentRef": refused["spec"]["parentRefs"][0], "conditions": [condition]}]}
    assert shop(server(), refused, authorize("a", target, FRONT)).passes("web", "db") == NOT_80


@pytest.mark.parametrize(
    ("client", "web", "card"),
    [
        ({"unauthenticated": True, "networks": EVERYWHERE}, "all", "all"),
        ({"unauthenticated": True}, "all", "all"),
        ({"meshTLS": {"unauthenticatedTLS": True}, "networks": EVERYWHERE}, "all", f"{NOT_80} to all"),
        ({"meshTLS": {"identities": [f"*.shop.{DOMAIN}"]}}, "all", NOT_80),
        ({"meshTLS": {"serviceAccounts": [{"name": "front"}]}}, "all", NOT_80),
        ({"meshTLS": {"serviceAccounts": [{"name": "front", "namespace": "bank"}]}}, NOT_80, NOT_80),
    ],
)
def test_server_authorizations_name_clients(client: dict[str, Any], web: str, card: str) -> None:
    cluster = shop(server(), for_servers("a", client))
    assert (cluster.passes("web", "db"), cluster.passes("bank/card", "db")) == (web, card)


def test_networks_that_are_not_named_are_those_of_the_cluster_or_all() -> None:
    assert shop(server(), for_servers("a", {"unauthenticated": True})).passes(OUTSIDE, "db") == f"{NOT_80} to all"


def test_server_authorizations_choose_servers_by_their_labels() -> None:
    labelled = server()
    labelled["metadata"]["labels"] = {"tier": "data"}
    public = {"unauthenticated": True, "networks": EVERYWHERE}
    for labels, passes in (({"tier": "data"}, "all"), ({"tier": "web"}, NOT_80)):
        chosen = for_servers("a", public, {"selector": {"matchLabels": labels}})
        assert shop(labelled, chosen).passes(OUTSIDE, "db") == passes


# What stands beside.


def test_health_checks_of_nodes_pass_at_most() -> None:
    agent = pod("agent")
    agent["spec"]["hostNetwork"] = True
    node = written("Node", "n", status={"addresses": [{"type": "InternalIP", "address": "192.168.1.1"}]})
    cluster = shop(agent, node, server())
    assert cluster.passes("agent", "db") == "at most all"
    assert cluster.passes("192.168.1.1", "db") == f"{NOT_80} to all"
    assert cluster.passes("192.168.1.2", "db") == NOT_80


def test_what_the_mesh_admits_network_policies_still_judge() -> None:
    closed = policy("p", {"podSelector": {"matchLabels": {"app": "db"}}})
    assert shop(closed, server(), authorize("a", ON_DB, FRONT)).passes("web", "db") == "none"


@pytest.mark.parametrize(
    ("place", "spec", "passes"),
    [
        ("shop", {"trafficPolicy": "Allow"}, "all"),
        ("shop", {"trafficPolicy": "Deny"}, PERHAPS),
        ("linkerd-egress", {"trafficPolicy": "Deny"}, PERHAPS),
        ("bank", {"trafficPolicy": "Deny"}, "all"),
        ("shop", {"trafficPolicy": "Deny", "networks": [{"cidr": "198.51.100.0/24"}]}, "all"),
    ],
)
def test_egress_networks_that_deny_leave_open_what_leaves(place: str, spec: dict[str, Any], passes: str) -> None:
    cluster = shop(linkerd("EgressNetwork", "e", place, **spec))
    assert cluster.passes("web", OUTSIDE) == passes
    assert cluster.passes("web", "db") == "all"


def test_workloads_outside_of_the_cluster_may_show_an_identity() -> None:
    beyond = written("ExternalWorkload", "vm", "shop", apiVersion="workload.linkerd.io/v1beta1", spec={})
    assert shop(beyond, server(), authorize("a", ON_DB, FRONT)).passes(OUTSIDE, "db") == f"{NOT_80} to all"


def test_explain_names_the_policy() -> None:
    cluster = shop(server(), authorize("a", ON_DB, FRONT))
    told = explain(cluster.reach, cluster.id_of("web"), cluster.id_of("db"), Traffic.parse("tcp/80"))
    assert told.lower == "tcp/80"
    assert "shop/AuthorizationPolicy/a" in repr(told)
    denied = explain(cluster.reach, cluster.id_of("job"), cluster.id_of("db"), Traffic.parse("tcp/80"))
    assert "shop/Server/db" in repr(denied)


# What cannot be read.

BROKEN: list[dict[str, Any]] = [
    server(port=0),
    server(port="80"),
    server(proxyProtocol="http"),
    server(accessPolicy="allow"),
    server(externalWorkloadSelector={}),
    server(podSelector=None),
    server(podSelector={"matchExpressions": [{"key": "app", "operator": "Is"}]}),
    server(more=1),
    linkerd("Server", "db", podSelector={}),
    authorize("a", {"kind": "Pod", "name": "db"}),
    authorize("a", {"group": "core", "kind": "Server", "name": "db"}),
    authorize("a", ON_DB, {"kind": "User", "name": "x"}),
    linkerd("AuthorizationPolicy", "a", targetRef=ON_DB),
    for_servers("a", {}),
    for_servers("a", {"meshTLS": {}}),
    for_servers("a", {"unauthenticated": True, "networks": [{"cidr": "10.0.0.0/33"}]}),
    for_servers("a", {"unauthenticated": True}, {"name": "db", "selector": {}}),
    for_servers("a", {"meshTLS": {"identities": ["a*b"]}}),
    linkerd("EgressNetwork", "e", trafficPolicy="Maybe"),
]


@pytest.mark.parametrize("broken", BROKEN)
def test_what_cannot_be_read_leaves_open_the_pods_of_the_mesh_that_it_could_concern(broken: dict[str, Any]) -> None:
    deny = [policy("deny", {"podSelector": {}}), policy("deny", {"podSelector": {}}, "bank")]
    cluster = shop(broken, *deny)
    assert [reason for _, reason in cluster.gaps()] == ["malformed"]
    assert cluster.passes("web", "db") == "at most all"
    assert cluster.passes("web", "bank/card") == "none"


@pytest.mark.parametrize(
    "broken",
    [
        linkerd("MeshTLSAuthentication", "tls"),
        linkerd("MeshTLSAuthentication", "tls", identities=[]),
        linkerd("MeshTLSAuthentication", "tls", identityRefs=[{"kind": "Pod", "name": "x"}]),
        linkerd("MeshTLSAuthentication", "tls", identities=["*"], more=1),
    ],
)
def test_a_policy_leaves_open_whom_it_admits_by_what_cannot_be_read(broken: dict[str, Any]) -> None:
    cluster = shop(broken, server(), authorize("a", ON_DB, TLS))
    assert cluster.passes(OUTSIDE, "db") == "at most all"
    assert dict(cluster.gaps()) == {
        "shop/MeshTLSAuthentication/tls": "malformed",
        "shop/AuthorizationPolicy/a": "unsupported",
    }
    assert shop(broken, server()).passes("web", "db") == NOT_80


def test_a_selector_on_labels_that_the_injector_sets_is_known_at_most() -> None:
    cluster = shop(server(podSelector={"matchLabels": {"app": "db", "linkerd.io/proxy-deployment": "db"}}))
    assert (cluster.passes("web", "db"), cluster.passes("web", "job")) == ("at most all", "all")
    assert cluster.gaps() == [("shop/Server/db", "unsupported")]
