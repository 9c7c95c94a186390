"""Istio's documentation, situation by situation, in own names."""

import json
from typing import Any

import pytest

from cloudseg.reach.explaining.explain import explain
from cloudseg.traffic import Traffic
from tests.kubernetes.cluster import OUTSIDE, Cluster, pod, policy, space, written

NOT_TCP = "all except tcp"
ALSO_80 = "all except tcp/0-79, tcp/81-65535"
ALSO_443 = "all except tcp/0-442, tcp/444-65535"
NOT_80 = "all except tcp/80"
PERHAPS = f"{NOT_TCP} to all"
MEMBERS = {"istio-injection": "enabled"}
AMBIENT = {"istio.io/dataplane-mode": "ambient"}


def peers(name: str = "default", namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    return written("PeerAuthentication", name, namespace, apiVersion="security.istio.io/v1", spec=spec)


def since(item: dict[str, Any], day: int) -> dict[str, Any]:
    return {**item, "metadata": {**item["metadata"], "creationTimestamp": f"2026-01-0{day}T00:00:00Z"}}


def authorize(name: str = "a", namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    return written("AuthorizationPolicy", name, namespace, apiVersion="security.istio.io/v1", spec=spec)


def source(**fields: Any) -> dict[str, Any]:
    return {"from": [{"source": fields}]}


def operation(**fields: Any) -> dict[str, Any]:
    return {"to": [{"operation": fields}]}


def mesh(kind: str, name: str, namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    return written(kind, name, namespace, apiVersion="networking.istio.io/v1", spec=spec)


def as_account(made: dict[str, Any], account: str) -> dict[str, Any]:
    return {**made, "spec": {**made["spec"], "serviceAccountName": account}}


def annotated(made: dict[str, Any], **annotations: str) -> dict[str, Any]:
    given = {key.replace("_", "/", 1): value for key, value in annotations.items()}
    return {**made, "metadata": {**made["metadata"], "annotations": given}}


STRICT: dict[str, Any] = {"mtls": {"mode": "STRICT"}}
DB: dict[str, Any] = {"selector": {"matchLabels": {"app": "db"}}}
WEB = as_account(pod("web"), "front")
PODS = (WEB, pod("db"), pod("card", "bank"), space("bank"))
WEB_ACCOUNT = "cluster.local/ns/shop/sa/front"


def shop(*objects: Any, labels: dict[str, str] = MEMBERS) -> Cluster:
    return Cluster(space("shop", **labels), *PODS, *objects)


# Who is part of the mesh.


@pytest.mark.parametrize(
    ("of_space", "of_pod", "passes"),
    [
        ({}, {}, "all"),
        (MEMBERS, {}, NOT_TCP),
        (AMBIENT, {}, NOT_TCP),
        ({"istio-injection": "disabled"}, {"sidecar.istio.io/inject": "true"}, "all"),
        ({}, {"sidecar.istio.io/inject": "true"}, NOT_TCP),
        (MEMBERS, {"sidecar.istio.io/inject": "false"}, "all"),
        ({"istio.io/rev": "1-24"}, {}, NOT_TCP),
        ({}, {"istio.io/rev": "1-24"}, NOT_TCP),
        (AMBIENT, {"istio.io/dataplane-mode": "none"}, "all"),
        ({}, {"istio.io/dataplane-mode": "ambient"}, NOT_TCP),
    ],
)
@pytest.mark.semantics(140)
def test_labels_tell_who_enforces(of_space: dict[str, str], of_pod: dict[str, str], passes: str) -> None:
    cluster = Cluster(
        space("shop", **of_space),
        pod("db", "shop", None, **of_pod),
        space("bank"),
        pod("card", "bank"),
        peers(**STRICT),
    )
    assert cluster.passes("bank/card", "db") == passes


def test_an_annotation_keeps_the_sidecar_away() -> None:
    without = annotated(pod("api"), **{"sidecar.istio.io_inject": "false"})
    assert shop(without, peers(**STRICT)).passes("bank/card", "api") == "all"


def test_a_proxy_in_the_template_makes_a_member() -> None:
    injected = pod("api")
    injected["spec"]["containers"].append({"name": "istio-proxy"})
    assert shop(injected, peers(**STRICT), labels={}).passes("bank/card", "api") == NOT_TCP


def test_a_pod_of_a_namespace_that_was_not_read_is_a_member_perhaps() -> None:
    cluster = Cluster(pod("web"), pod("db"), peers(**STRICT))
    assert cluster.passes("web", "db") == PERHAPS


def running(name: str, *containers: str, **annotations: str) -> dict[str, Any]:
    made = annotated(pod(name), **annotations)
    made["spec"]["containers"] += [
        {"name": each, "ports": [{"name": "p", "containerPort": 15090}]} for each in containers
    ]
    return {**made, "status": {"phase": "Running"}}


@pytest.mark.parametrize(
    ("made", "passes"),
    [
        (running("api", "istio-proxy"), NOT_TCP),
        (running("api"), "all"),
        (running("api", **{"ambient.istio.io_redirection": "enabled"}), NOT_TCP),
    ],
)
def test_a_pod_that_runs_shows_whether_it_has_a_proxy(made: dict[str, Any], passes: str) -> None:
    assert shop(made, peers(**STRICT)).passes("bank/card", "api") == passes


def test_the_proxy_of_running_pods_makes_no_other_workload() -> None:
    labels = {"app": "api"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main"}]}}
    deployment = written("Deployment", "api", "shop", spec={"template": template})
    owner = {"kind": "Deployment", "name": "api", "controller": True}
    live = running("api-1", "istio-proxy")
    live["metadata"] |= {"ownerReferences": [owner], "labels": labels | {"security.istio.io/tlsMode": "istio"}}
    cluster = Cluster(space("shop"), deployment, live, peers(**STRICT), space("bank"), pod("card", "bank"))
    assert sorted(cluster.estate.interfaces) == ["kubernetes:c:bank/card[Pod]", "kubernetes:c:shop/api[Deployment]"]
    assert cluster.passes("bank/card", "api") == NOT_TCP


# Mutual TLS.


def test_plain_text_is_accepted_where_no_policy_says_otherwise() -> None:
    assert shop(authorize(action="AUDIT", rules=[{}])).passes("bank/card", "db") == "all"


def test_members_speak_mutual_tls_with_each_other() -> None:
    cluster = shop(peers(**STRICT))
    assert cluster.passes("web", "db") == "all"
    assert cluster.passes("bank/card", "db") == NOT_TCP
    assert cluster.passes(OUTSIDE, "db") == NOT_TCP


@pytest.mark.parametrize(
    ("policies", "passes"),
    [
        ([peers(namespace="istio-system", **STRICT)], NOT_TCP),
        ([peers(namespace="istio-system", **STRICT), peers(mtls={"mode": "PERMISSIVE"})], "all"),
        ([peers(namespace="istio-system", **STRICT), peers(mtls={"mode": "UNSET"})], NOT_TCP),
        ([peers(**STRICT), peers("db", **DB, mtls={"mode": "DISABLE"})], "all"),
        ([peers(**STRICT), peers("db", **DB)], NOT_TCP),
        ([peers(**STRICT), peers("web", selector={"matchLabels": {"app": "web"}}, mtls={"mode": "DISABLE"})], NOT_TCP),
        (
            [peers("db", **DB, **STRICT, portLevelMtls={8080: {"mode": "DISABLE"}})],
            "all except tcp/0-8079, tcp/8081-65535",
        ),
        ([peers("db", **DB, portLevelMtls={"8080": {"mode": "STRICT"}})], "all except tcp/8080"),
        ([peers(namespace="istio-system", **DB, **STRICT)], "all"),
        ([peers(namespace="bank", **STRICT)], "all"),
    ],
)
def test_the_nearest_policy_counts(policies: list[dict[str, Any]], passes: str) -> None:
    assert shop(*policies).passes("bank/card", "db") == passes


def test_the_oldest_of_several_counts() -> None:
    old, new = since(peers("a", **STRICT), 1), since(peers("b", mtls={"mode": "PERMISSIVE"}), 2)
    assert shop(old, new).passes("bank/card", "db") == NOT_TCP
    assert shop(since(old, 3), new).passes("bank/card", "db") == "all"


def test_where_nobody_knows_which_is_older_plain_text_passes_at_most() -> None:
    cluster = shop(peers("a", **STRICT), peers("b", mtls={"mode": "PERMISSIVE"}))
    assert cluster.passes("bank/card", "db") == PERHAPS
    assert cluster.passes("web", "db") == "all"
    assert ("shop/PeerAuthentication/b", "unsupported") in cluster.gaps()
    chosen = shop(
        peers("a", **DB, **STRICT), peers("b", selector={"matchLabels": {"app": "db"}}, mtls={"mode": "DISABLE"})
    )
    assert chosen.passes("bank/card", "db") == PERHAPS


def test_a_ztunnel_knows_no_disable() -> None:
    cluster = shop(
        peers(mtls={"mode": "DISABLE"}), authorize(**DB, rules=[source(namespaces=["shop"])]), labels=AMBIENT
    )
    assert cluster.passes("web", "db") == "all"
    assert cluster.passes("bank/card", "db") == NOT_TCP
    assert shop(peers(mtls={"mode": "DISABLE"}), labels=AMBIENT).passes("bank/card", "db") == PERHAPS


def test_a_network_policy_still_judges_what_the_mesh_lets_through() -> None:
    cluster = shop(peers(**STRICT), policy("deny", {"podSelector": {}, "policyTypes": ["Ingress"]}))
    assert cluster.passes("web", "db") == "none"


def test_a_destination_rule_without_mutual_tls_makes_it_uncertain() -> None:
    plain = mesh("DestinationRule", "db", host="db.shop.svc.cluster.local", trafficPolicy={"tls": {"mode": "DISABLE"}})
    cluster = shop(peers(**STRICT), plain)
    assert cluster.passes("web", "db") == PERHAPS
    other = mesh("DestinationRule", "db", host="db.shop", trafficPolicy={"tls": {"mode": "ISTIO_MUTUAL"}})
    outside = mesh("DestinationRule", "x", host="api.example.com", trafficPolicy={"tls": {"mode": "SIMPLE"}})
    assert shop(peers(**STRICT), other, outside).passes("web", "db") == "all"


def test_ports_that_go_past_the_sidecar_are_judged_by_nobody() -> None:
    open_port = annotated(pod("api"), **{"traffic.sidecar.istio.io_excludeInboundPorts": "9000"})
    cluster = shop(open_port, peers(**STRICT), authorize())
    assert cluster.passes("bank/card", "api") == "all except tcp/0-8999, tcp/9001-65535"
    assert cluster.passes("bank/card", "db") == NOT_TCP


EXCLUDED_IN, INCLUDED_IN = (f"traffic.sidecar.istio.io_{key}cludeInboundPorts" for key in ("ex", "in"))
ONLY_80 = "all except tcp/0-79, tcp/81-65535"
TO_443 = "all except tcp/443"
WITHOUT_80 = {"global": {"proxy": {"excludeInboundPorts": "80"}}}
UNLED = {"defaultConfig": {"interceptionMode": "NONE"}}


def intercepting(mode: str) -> dict[str, Any]:
    text = f"defaultConfig:\n  interceptionMode: {mode}\n"
    return written("ConfigMap", "istio", "istio-system", data={"mesh": text})


def injector(name: str = "istio-sidecar-injector", **proxy: Any) -> dict[str, Any]:
    values = json.dumps({"global": {"proxy": proxy}})
    return written("ConfigMap", name, "istio-system", data={"values": values})


def installed(group: str, **spec: Any) -> dict[str, Any]:
    return written("IstioOperator" if "install" in group else "Istio", "i", "istio-system", apiVersion=group, spec=spec)


@pytest.mark.parametrize(
    ("settings", "annotations", "passes"),
    [
        # By default all ports are led to sidecars; what is set for all leaves out some of them.
        ([injector()], {}, NOT_TCP),
        ([injector(includeInboundPorts="*", excludeInboundPorts="")], {}, NOT_TCP),
        ([injector(excludeInboundPorts="80")], {}, ONLY_80),
        ([injector(excludeInboundPorts=80)], {}, ONLY_80),
        ([injector(includeInboundPorts="443")], {}, TO_443),
        ([installed("install.istio.io/v1alpha1", values=WITHOUT_80)], {}, ONLY_80),
        ([installed("sailoperator.io/v1", values=WITHOUT_80)], {}, ONLY_80),
        # An annotation of the pod takes its place.
        ([injector(excludeInboundPorts="443")], {EXCLUDED_IN: "80"}, ONLY_80),
        ([injector(excludeInboundPorts="80")], {EXCLUDED_IN: ""}, NOT_TCP),
        ([injector(includeInboundPorts="80")], {INCLUDED_IN: "443"}, TO_443),
        # It cannot be told.
        ([injector(excludeInboundPorts="8o")], {}, PERHAPS),
        ([injector(excludeInboundPorts=["80"])], {}, PERHAPS),
        ([written("ConfigMap", "istio-sidecar-injector", "istio-system", data={"values": "{"})], {}, PERHAPS),
        ([injector(excludeInboundPorts="80"), injector("istio-sidecar-injector-old")], {}, PERHAPS),
        # Nothing is led to sidecars at all.
        ([intercepting("NONE")], {}, PERHAPS),
        ([installed("sailoperator.io/v1", values={"meshConfig": UNLED})], {}, PERHAPS),
        ([installed("install.istio.io/v1alpha1", meshConfig=UNLED)], {}, PERHAPS),
        ([], {"proxy.istio.io_config": "interceptionMode: NONE"}, PERHAPS),
        ([intercepting("TPROXY")], {}, NOT_TCP),
    ],
)
def test_what_goes_past_all_sidecars_is_judged_by_nobody(
    settings: list[dict[str, Any]], annotations: dict[str, str], passes: str
) -> None:
    """https://istio.io/latest/docs/reference/config/annotations/#SidecarTrafficExcludeInboundPorts."""
    cluster = shop(annotated(pod("api"), **annotations), authorize(), *settings)
    assert cluster.passes("bank/card", "api") == passes


# Who may connect.


@pytest.mark.parametrize(
    ("policies", "from_web", "from_card"),
    [
        ([authorize()], NOT_TCP, NOT_TCP),
        ([authorize(rules=[{}])], "all", "all"),
        ([authorize(action="DENY", rules=[{}])], NOT_TCP, NOT_TCP),
        ([authorize(action="DENY")], "all", "all"),
        ([authorize(action="AUDIT", rules=[{}])], "all", "all"),
        ([authorize(), authorize("b", rules=[{}])], "all", "all"),
        ([authorize(action="DENY", rules=[{}]), authorize("b", rules=[{}])], NOT_TCP, NOT_TCP),
        ([authorize(namespace="istio-system")], NOT_TCP, NOT_TCP),
        ([authorize(namespace="bank")], "all", "all"),
        ([authorize(**DB, rules=[source(principals=[WEB_ACCOUNT])])], "all", NOT_TCP),
        ([authorize(rules=[source(principals=["*/sa/front"])])], "all", NOT_TCP),
        ([authorize(rules=[source(principals=["cluster.local/ns/shop/*"])])], "all", NOT_TCP),
        ([authorize(rules=[source(principals=["*"])])], "all", NOT_TCP),
        ([authorize(rules=[source(principals=["cluster.local/ns/shop/sa/other"])])], NOT_TCP, NOT_TCP),
        ([authorize(rules=[source(namespaces=["shop"])])], "all", NOT_TCP),
        ([authorize(rules=[source(serviceAccounts=["front"])])], "all", NOT_TCP),
        ([authorize(rules=[source(serviceAccounts=["bank/front"])])], NOT_TCP, NOT_TCP),
        ([authorize(rules=[source(notNamespaces=["shop"])])], NOT_TCP, "all"),
        ([authorize(action="DENY", rules=[source(notPrincipals=["*"])])], "all", NOT_TCP),
        ([authorize(action="DENY", rules=[source(notNamespaces=["shop"])])], "all", NOT_TCP),
        ([authorize(rules=[source(principals=["*"], notNamespaces=["shop"])])], NOT_TCP, NOT_TCP),
        ([authorize(rules=[operation(ports=["80"])])], ALSO_80, ALSO_80),
        ([authorize(rules=[operation(notPorts=["80"])])], NOT_80, NOT_80),
        ([authorize(rules=[{"when": [{"key": "source.namespace", "values": ["shop"]}]}])], "all", NOT_TCP),
        ([authorize(rules=[{"when": [{"key": "source.principal", "notValues": [WEB_ACCOUNT]}]}])], NOT_TCP, "all"),
        ([authorize(rules=[{"when": [{"key": "destination.port", "notValues": ["80"]}]}])], NOT_80, NOT_80),
        ([authorize(rules=[source(principals=["other.org/ns/shop/sa/front"])])], PERHAPS, NOT_TCP),
        ([authorize(action="CUSTOM", provider={"name": "x"}, rules=[{}])], PERHAPS, PERHAPS),
        ([authorize(rules=[source(remoteIpBlocks=["10.0.0.0/8"])])], PERHAPS, PERHAPS),
        ([authorize(rules=[{"when": [{"key": "connection.sni", "values": ["x"]}]}])], PERHAPS, PERHAPS),
    ],
)  # fmt: skip
def test_policies_decide_in_their_order(policies: list[dict[str, Any]], from_web: str, from_card: str) -> None:
    cluster = shop(*policies)
    assert (cluster.passes("web", "db"), cluster.passes("bank/card", "db")) == (from_web, from_card)


def test_a_selector_in_the_root_namespace_chooses_everywhere() -> None:
    cluster = shop(authorize(namespace="istio-system", **DB))
    assert (cluster.passes("web", "db"), cluster.passes("db", "web")) == (NOT_TCP, "all")


def test_what_is_only_tried_has_no_effect() -> None:
    tried = annotated(authorize(), **{"istio.io_dry-run": "true"})
    assert shop(tried).passes("bank/card", "db") == "all"


def test_without_mutual_tls_nobody_has_an_identity() -> None:
    admitting = authorize(rules=[source(principals=["*"])])
    assert shop(admitting, peers(mtls={"mode": "DISABLE"})).passes("web", "db") == NOT_TCP
    denying = authorize(action="DENY", rules=[source(principals=["*"])])
    assert shop(denying, peers(mtls={"mode": "DISABLE"})).passes("web", "db") == "all"
    assert shop(denying).passes("web", "db") == NOT_TCP


def test_addresses_outside_are_told_and_those_of_pods_where_they_were_read() -> None:
    inside, elsewhere = (
        {**pod(name), "status": {"podIP": ip}} for name, ip in (("near", "10.1.0.9"), ("far", "10.2.0.9"))
    )
    cluster = shop(inside, elsewhere, authorize(**DB, rules=[source(ipBlocks=["10.1.0.0/16", "203.0.113.0/24"])]))
    assert cluster.passes(OUTSIDE, "db") == "all"
    assert cluster.passes("198.51.100.1", "db") == NOT_TCP
    assert cluster.passes("near", "db") == "all"
    assert cluster.passes("far", "db") == NOT_TCP
    assert cluster.passes("web", "db") == PERHAPS


def service(before: str, namespace: str = "shop", **port: Any) -> dict[str, Any]:
    return written("Service", before, namespace, spec={"selector": {"app": before}, "ports": [{"port": 80, **port}]})


@pytest.mark.parametrize(
    ("port", "admitted", "denied"),
    [
        ({"name": "http"}, ALSO_80, "all"),
        ({"name": "grpc-web"}, ALSO_80, "all"),
        ({"name": "tcp-db"}, NOT_TCP, NOT_80),
        ({"name": "db"}, f"{NOT_TCP} to {ALSO_80}", f"{NOT_80} to all"),
        ({"name": "tcp-db", "appProtocol": "http"}, ALSO_80, "all"),
        ({"name": "https"}, NOT_TCP, NOT_80),
        ({"name": "http", "targetPort": 81}, f"{NOT_TCP} to {ALSO_80}", f"{NOT_80} to all"),
    ],
)  # fmt: skip
def test_the_protocol_of_a_port_decides_what_rules_about_requests_mean(
    port: dict[str, Any], admitted: str, denied: str
) -> None:
    get = operation(methods=["GET"], ports=["80"])
    assert shop(service("db", **port), authorize(**DB, rules=[get])).passes("web", "db") == admitted
    assert shop(service("db", **port), authorize(**DB, action="DENY", rules=[get])).passes("web", "db") == denied


def test_a_ztunnel_sees_no_requests() -> None:
    get = operation(methods=["GET"])
    both = source(namespaces=["shop"])
    assert shop(authorize(**DB, rules=[get]), labels=AMBIENT).passes("web", "db") == NOT_TCP
    assert shop(authorize(**DB, action="DENY", rules=[get]), labels=AMBIENT).passes("web", "db") == NOT_TCP
    assert shop(authorize(**DB, rules=[get, both]), labels=AMBIENT).passes("web", "db") == PERHAPS


@pytest.mark.parametrize(
    "asking",
    [
        authorize("b", **DB, rules=[operation(methods=["GET"])]),
        # The rule fits nothing: no connection goes to port 80 and not to it. It asks for requests all the same.
        authorize("b", **DB, rules=[operation(methods=["GET"], ports=["80"], notPorts=["80"])]),
        authorize("b", **DB, action="DENY", rules=[operation(methods=["GET"], ports=["80"], notPorts=["80"])]),
        authorize("b", **DB, action="DENY", rules=[{"when": [{"key": "connection.sni", "values": ["x"]}]}]),
    ],
)
def test_a_policy_that_a_ztunnel_cannot_follow_may_deny_what_others_admit(asking: dict[str, Any]) -> None:
    """https://istio.io/latest/docs/ambient/usage/l4-policy/#policies-with-layer-7-conditions."""
    admitting = authorize(**DB, rules=[source(namespaces=["shop"])])
    assert shop(admitting, labels=AMBIENT).passes("web", "db") == "all"
    cluster = shop(admitting, asking, labels=AMBIENT)
    assert cluster.passes("web", "db") == PERHAPS
    assert cluster.passes("db", "web") == "all"


def test_a_ztunnel_leaves_open_a_policy_of_which_one_rule_asks_for_requests_and_fits_nothing() -> None:
    """https://istio.io/latest/docs/ambient/usage/l4-policy/#policies-with-layer-7-conditions."""
    nothing = operation(methods=["GET"], ports=["80"], notPorts=["80"])
    both = authorize(**DB, rules=[source(namespaces=["shop"]), nothing])
    assert shop(both, labels=AMBIENT).passes("web", "db") == PERHAPS
    assert shop(both).passes("web", "db") == "all"


def test_a_ztunnel_sees_addresses_of_destinations() -> None:
    """https://istio.io/latest/docs/ambient/usage/l4-policy/#allowed-policy-attributes."""
    to_address = authorize(**DB, rules=[{"when": [{"key": "destination.ip", "values": ["10.0.0.0/8"]}]}])
    assert shop(to_address, labels=AMBIENT).passes("web", "db") == PERHAPS
    by_name = authorize(**DB, rules=[{"when": [{"key": "connection.sni", "values": ["x"]}]}])
    assert shop(by_name, labels=AMBIENT).passes("web", "db") == NOT_TCP


@pytest.mark.semantics(140)
def test_a_waypoint_shows_its_own_identity_and_may_enforce_policies() -> None:
    behind = {**AMBIENT, "istio.io/use-waypoint": "waypoint"}
    named = authorize(**DB, rules=[source(principals=["cluster.local/ns/shop/sa/waypoint"])])
    assert shop(named, labels=behind).passes("web", "db") == PERHAPS
    own = authorize(**DB, rules=[source(principals=[WEB_ACCOUNT])])
    assert shop(own, labels=behind).passes("web", "db") == PERHAPS
    attached = authorize(targetRefs=[{"kind": "Service", "group": "", "name": "db"}], rules=[source(namespaces=["x"])])
    assert shop(attached, labels=behind).passes("web", "db") == PERHAPS
    assert shop(attached, labels=AMBIENT).passes("web", "db") == "all"
    assert shop(peers(**STRICT), labels=behind).passes("web", "db") == "all"


def test_sidecars_and_ambient_pods_know_each_other_perhaps() -> None:
    cluster = Cluster(
        space("shop", **MEMBERS), space("bank", **AMBIENT), WEB, pod("card", "bank"), peers(namespace="bank", **STRICT)
    )
    assert cluster.passes("web", "bank/card") == PERHAPS


def test_workloads_outside_of_the_cluster_may_be_members() -> None:
    machine = mesh("WorkloadEntry", "vm", address="10.9.9.9")
    cluster = shop(peers(**STRICT), machine, authorize(rules=[source(principals=[WEB_ACCOUNT])]))
    assert cluster.passes("10.9.9.9", "db") == PERHAPS
    assert cluster.passes("web", "db") == "all"


# What sidecars let out.


def test_what_is_not_registered_passes_at_most() -> None:
    closed = mesh("Sidecar", "default", outboundTrafficPolicy={"mode": "REGISTRY_ONLY"})
    entry = mesh(
        "ServiceEntry",
        "x",
        hosts=["x.example.com"],
        addresses=["203.0.113.0/24"],
        ports=[{"number": 443, "name": "tls"}],
    )
    cluster = shop(closed, entry, service("db"))
    assert cluster.passes("web", "198.51.100.1") == PERHAPS
    assert cluster.passes("web", OUTSIDE) == f"{ALSO_443} to all"
    assert cluster.passes("web", "db") == "all"
    assert cluster.passes("bank/card", OUTSIDE) == "all"


def test_a_sidecar_makes_known_what_its_hosts_name() -> None:
    closed = mesh(
        "Sidecar",
        "default",
        outboundTrafficPolicy={"mode": "REGISTRY_ONLY"},
        egress=[{"hosts": ["./*", "istio-system/*"]}],
    )
    cluster = shop(closed, service("db"), service("card", "bank"))
    assert cluster.passes("web", "db") == "all"
    assert cluster.passes("web", "bank/card") == PERHAPS


def test_the_nearest_sidecar_counts() -> None:
    settings = written(
        "ConfigMap", "istio", "istio-system", data={"mesh": "outboundTrafficPolicy:\n  mode: REGISTRY_ONLY\n"}
    )
    closed = mesh("Sidecar", "default", "istio-system", outboundTrafficPolicy={"mode": "REGISTRY_ONLY"})
    free = mesh("Sidecar", "default", outboundTrafficPolicy={"mode": "ALLOW_ANY"})
    assert shop(settings).passes("web", OUTSIDE) == PERHAPS
    assert shop(closed).passes("web", OUTSIDE) == PERHAPS
    assert shop(settings, free).passes("web", OUTSIDE) == "all"
    assert shop(closed, free).passes("web", OUTSIDE) == "all"


def test_the_settings_of_the_mesh_name_the_root_namespace_and_the_trust_domain() -> None:
    text = "rootNamespace: mesh\ntrustDomain: shop.example\n"
    settings = written("ConfigMap", "istio", "istio-system", data={"mesh": text})
    assert shop(settings, authorize(namespace="mesh")).passes("web", "db") == NOT_TCP
    assert shop(settings, authorize(namespace="istio-system")).passes("web", "db") == "all"
    for domain, passes in (("shop.example", "all"), ("cluster.local", "all"), ("other", NOT_TCP)):
        named = authorize(rules=[source(principals=[f"{domain}/ns/shop/sa/front"])])
        assert shop(settings, named).passes("web", "db") == passes


def test_a_rule_whose_addresses_no_client_can_bear_fits_nobody() -> None:
    """https://istio.io/latest/docs/reference/config/security/authorization-policy/#Rule: a rule is a logical AND."""
    within = [{"key": "source.ip", "values": ["10.0.0.0/8"]}]
    apart = {**source(ipBlocks=["203.0.113.9"]), "when": within}
    assert shop(authorize(**DB, action="DENY", rules=[apart])).passes("web", "db") == "all"
    both = {**source(ipBlocks=["10.0.0.0/16"]), "when": within}
    assert shop(authorize(**DB, action="DENY", rules=[both])).passes("web", "db") == PERHAPS


# What changes proxies themselves.


ONLY_WEB = authorize(**DB, rules=[source(principals=[WEB_ACCOUNT])])


def wasm(name: str = "w", namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    return written("WasmPlugin", name, namespace, apiVersion="extensions.istio.io/v1alpha1", spec=spec)


def envoy(name: str = "f", namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    return {**mesh("EnvoyFilter", name, namespace, **spec), "apiVersion": "networking.istio.io/v1alpha3"}


def test_an_envoy_filter_may_deny_and_admit_what_the_proxies_decide() -> None:
    """https://istio.io/latest/docs/reference/config/networking/envoy-filter/."""
    assert shop(ONLY_WEB).passes("web", "db") == "all"
    assert shop(ONLY_WEB).passes("bank/card", "db") == NOT_TCP
    for other in (ONLY_WEB, peers(**STRICT)):
        cluster = shop(other, envoy(configPatches=[{"applyTo": "NETWORK_FILTER"}]))
        assert cluster.passes("web", "db") == PERHAPS
        assert cluster.passes("bank/card", "db") == PERHAPS
        assert [reason for _, reason in cluster.gaps()] == ["unsupported"]


def test_a_wasm_plugin_may_deny_and_does_not_admit() -> None:
    """https://istio.io/latest/docs/reference/config/proxy_extensions/wasm-plugin/."""
    cluster = shop(ONLY_WEB, peers(**STRICT), wasm(url="oci://registry/x", phase="AUTHN"))
    assert cluster.passes("web", "db") == PERHAPS
    assert cluster.passes("bank/card", "db") == NOT_TCP


def extension(namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    return written("TrafficExtension", "t", namespace, apiVersion="extensions.istio.io/v1alpha1", spec=spec)


@pytest.mark.parametrize("what", [{"wasm": {"url": "oci://registry/x"}}, {"lua": {"inlineCode": "-- nothing"}}])
def test_a_traffic_extension_may_deny_and_does_not_admit(what: dict[str, Any]) -> None:
    """https://istio.io/latest/docs/reference/config/proxy_extensions/traffic_extension/."""
    cluster = shop(ONLY_WEB, peers(**STRICT), extension(phase="AUTHN", **what))
    assert cluster.passes("web", "db") == PERHAPS
    assert cluster.passes("bank/card", "db") == NOT_TCP
    assert cluster.gaps() == [("shop/TrafficExtension/t", "unsupported")]


@pytest.mark.parametrize(
    ("item", "at_db", "at_web"),
    [
        (extension(selector={"matchLabels": {"app": "db"}}), PERHAPS, "all"),
        (extension(selector={"matchLabels": {"app": "other"}}), "all", "all"),
        (extension("bank"), "all", "all"),
        (extension("istio-system"), PERHAPS, PERHAPS),
        # What is attached to a gateway or a service may concern the proxies of all namespaces.
        (extension("bank", targetRefs=[{"kind": "Gateway", "name": "g"}]), PERHAPS, PERHAPS),
        (envoy(workloadSelector={"labels": {"app": "db"}}), PERHAPS, "all"),
        (wasm(selector={"matchLabels": {"app": "db"}}), PERHAPS, "all"),
        (envoy(workloadSelector={"labels": {"app": "other"}}), "all", "all"),
        (envoy(namespace="bank"), "all", "all"),
        (envoy(namespace="istio-system"), PERHAPS, PERHAPS),
        (envoy(namespace="istio-system", workloadSelector={"labels": {"app": "db"}}), PERHAPS, "all"),
        (envoy(workloadSelector={"labels": 5}), PERHAPS, PERHAPS),
    ],
)
def test_what_changes_proxies_concerns_those_that_it_selects(item: dict[str, Any], at_db: str, at_web: str) -> None:
    """https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter."""
    source_pod = pod("job", "bank")
    assert shop(source_pod, item).passes("bank/job", "db") == at_db
    assert shop(source_pod, item).passes("bank/job", "web") == at_web


GATEWAY = {"kind": "Gateway", "group": "gateway.networking.k8s.io", "name": "g"}
BEHIND = {**AMBIENT, "istio.io/use-waypoint": "waypoint"}


def at_gateway(*references: dict[str, Any], namespace: str = "shop") -> dict[str, Any]:
    return envoy(namespace=namespace, targetRefs=list(references))


def test_an_envoy_filter_at_a_gateway_concerns_no_sidecar() -> None:
    """https://istio.io/latest/docs/reference/config/type/workload-selector/#PolicyTargetReference."""
    cluster = shop(ONLY_WEB, peers(**STRICT), at_gateway(GATEWAY))
    assert (cluster.passes("web", "db"), cluster.passes("bank/card", "db")) == ("all", NOT_TCP)
    assert cluster.gaps() == [("shop/EnvoyFilter/f", "unsupported")]


def test_an_envoy_filter_at_a_gateway_concerns_the_pods_of_that_gateway() -> None:
    named = [pod(name, "shop", None, **{"gateway.networking.k8s.io/gateway-name": name}) for name in ("g", "other")]
    cluster = shop(*named, at_gateway(GATEWAY))
    assert (cluster.passes("bank/card", "g"), cluster.passes("bank/card", "other")) == (PERHAPS, "all")
    elsewhere = shop(*named, at_gateway(GATEWAY, namespace="bank"))
    assert elsewhere.passes("bank/card", "g") == "all"


def test_an_envoy_filter_at_a_gateway_may_concern_what_is_behind_waypoints() -> None:
    assert shop(at_gateway(GATEWAY), labels=BEHIND).passes("web", "db") == PERHAPS
    assert shop(at_gateway(GATEWAY), labels=AMBIENT).passes("web", "db") == "all"


@pytest.mark.parametrize(
    "references",
    [
        ({"kind": "Gateway", "name": "g"},),
        (GATEWAY, {"kind": "Service", "group": "", "name": "db"}),
        ({**GATEWAY, "kind": "GatewayClass"},),
        ({**GATEWAY, "name": 5},),
        ("g",),
    ],
)
def test_an_envoy_filter_that_may_be_attached_to_others_may_concern_all_proxies(references: tuple[Any, ...]) -> None:
    assert shop(at_gateway(*references)).passes("bank/card", "db") == PERHAPS


MEASURES: dict[str, Any] = {
    "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
    "type_url": "type.googleapis.com/stats.PluginConfig",
    "value": {"disable_host_header_fallback": "true"},
}
EXCHANGES: dict[str, Any] = {
    "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
    "type_url": "type.googleapis.com/envoy.tcp.metadataexchange.config.MetadataExchange",
    "value": {"protocol": "istio-peer-exchange"},
}


def built_in(code: dict[str, Any], runtime: str = "envoy.wasm.runtime.null", **more: Any) -> dict[str, Any]:
    machine = {"vm_id": "stats_inbound", "runtime": runtime, "code": code} | more
    return {
        "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
        "type_url": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "value": {"config": {"root_id": "stats_inbound", "configuration": {}, "vm_config": machine}},
    }


def inserting(config: dict[str, Any], name: str = "istio.stats", **more: Any) -> dict[str, Any]:
    patch = {"operation": "INSERT_BEFORE", "value": {"name": name, "typed_config": config}}
    return {"applyTo": "HTTP_FILTER", "match": {"context": "SIDECAR_INBOUND"}, "patch": patch} | more


def merging(**value: Any) -> dict[str, Any]:
    return {"applyTo": "CLUSTER", "patch": {"operation": "MERGE", "value": value}}


OWN_CODE = {"local": {"inline_string": "envoy.wasm.stats"}}
OWN_EXCHANGE = {"name": "istio.metadata_exchange", "typed_config": EXCHANGES}


@pytest.mark.parametrize(
    ("patch", "name"),
    [
        (inserting(MEASURES), "stats-filter-1.17"),
        (inserting(MEASURES, applyTo="NETWORK_FILTER"), "tcp-stats-filter-1.17-1-17-5"),
        (inserting(built_in(OWN_CODE)), "stats-filter-1.13"),
        (inserting(EXCHANGES, "istio.metadata_exchange", applyTo="NETWORK_FILTER"), "tcp-metadata-exchange-1.13"),
        (merging(filters=[OWN_EXCHANGE]), "tcp-metadata-exchange-1.13"),
    ],
)
def test_what_releases_of_istio_bring_to_measure_changes_nothing(patch: dict[str, Any], name: str) -> None:
    """https://istio.io/latest/docs/ops/common-problems/upgrade-issues/."""
    cluster = shop(ONLY_WEB, envoy(name, "istio-system", configPatches=[patch], priority=-1))
    assert (cluster.passes("web", "db"), cluster.passes("bank/card", "db")) == ("all", NOT_TCP)
    assert cluster.gaps() == []


REMOTE_CODE = {"remote": {"http_uri": {"uri": "https://example.org/x.wasm"}}}


@pytest.mark.parametrize(
    "item",
    [
        # The name alone says nothing, nor does what is inserted elsewhere, or with a selector.
        envoy("stats-filter-1.17", "istio-system", configPatches=[{"applyTo": "NETWORK_FILTER"}]),
        envoy("stats-filter-1.17", "istio-system"),
        envoy("stats-filter-1.17", "istio-system", configPatches=[]),
        envoy("stats-filter-1.17", "shop", configPatches=[inserting(MEASURES)]),
        envoy("other", "istio-system", configPatches=[inserting(MEASURES)]),
        envoy("stats-filter-1.17", "istio-system", configPatches=[inserting(MEASURES)], workloadSelector={}),
        # One patch among others, another filter, other code, another operation.
        envoy("stats-filter-1.17", "istio-system", configPatches=[inserting(MEASURES), {"applyTo": "LISTENER"}]),
        envoy("stats-filter-1.17", "istio-system", configPatches=[inserting(MEASURES, "envoy.filters.http.rbac")]),
        envoy("stats-filter-1.13", "istio-system", configPatches=[inserting(built_in(REMOTE_CODE))]),
        envoy("stats-filter-1.13", "istio-system", configPatches=[inserting(built_in(OWN_CODE | REMOTE_CODE))]),
        envoy("stats-filter-1.13", "istio-system", configPatches=[inserting(built_in(OWN_CODE, "envoy.wasm.v8"))]),
        envoy("stats-filter-1.13", "istio-system", configPatches=[inserting(built_in({"local": {"filename": "/x"}}))]),
        envoy("stats-filter-1.17", "istio-system", configPatches=[inserting(MEASURES | {"type_url": "x"})]),
        envoy("stats-filter-1.17", "istio-system", configPatches=[inserting(MEASURES, applyTo="LISTENER")]),
        envoy("stats-filter-1.17", "istio-system", configPatches=[merging(filters=[OWN_EXCHANGE], type="STATIC")]),
        envoy("stats-filter-1.17", "istio-system", configPatches=[merging(transport_socket={})]),
        envoy(
            "stats-filter-1.17",
            "istio-system",
            configPatches=[inserting(MEASURES, patch={"operation": "REMOVE", "value": {"name": "istio.stats"}})],
        ),
    ],
)
def test_what_only_looks_like_that_is_known_at_most(item: dict[str, Any]) -> None:
    cluster = shop(ONLY_WEB, item)
    assert cluster.passes("web", "db") == PERHAPS
    assert [reason for _, reason in cluster.gaps()] == ["unsupported"]


def test_no_ztunnel_is_changed_and_no_pod_outside_of_the_mesh() -> None:
    """https://istio.io/latest/docs/ambient/migrate/migrate-policies/."""
    every = envoy(namespace="istio-system")
    assert shop(every, labels=AMBIENT).passes("web", "db") == "all"
    assert shop(every, labels={}).passes("web", "db") == "all"
    assert shop(wasm(), labels={**AMBIENT, "istio.io/use-waypoint": "waypoint"}).passes("web", "db") == PERHAPS


def test_what_changes_proxies_takes_nothing_from_network_policies() -> None:
    """https://istio.io/latest/docs/ops/best-practices/security/#defense-in-depth-with-networkpolicy."""
    closed = policy("deny", {"podSelector": {}, "policyTypes": ["Ingress"]})
    assert shop(envoy(), closed).passes("web", "db") == "none"


def test_explain_names_what_changes_a_proxy() -> None:
    cluster = shop(envoy("limits"))
    told = explain(cluster.reach, cluster.id_of("web"), cluster.id_of("db"), Traffic.ports("tcp", 80, 80))
    assert (told.lower, told.upper) == ("none", "tcp/80")
    assert "limits" in repr(told)


@pytest.mark.parametrize(
    "item",
    [
        written("Telemetry", "t", "shop", apiVersion="telemetry.istio.io/v1", spec={"accessLogging": [{}]}),
        written("RequestAuthentication", "r", "shop", apiVersion="security.istio.io/v1", spec={"jwtRules": [{}]}),
    ],
)
def test_what_only_measures_or_refuses_single_requests_changes_nothing(item: dict[str, Any]) -> None:
    """https://istio.io/latest/docs/reference/config/telemetry/ and
    https://istio.io/latest/docs/reference/config/security/request_authentication/.
    """
    cluster = shop(ONLY_WEB, item)
    assert (cluster.passes("web", "db"), cluster.passes("bank/card", "db")) == ("all", NOT_TCP)
    assert cluster.gaps() == []


# What cannot be read.


@pytest.mark.parametrize(
    "broken",
    [
        authorize(rules={}),
        authorize(action="MAYBE"),
        authorize(action="CUSTOM"),
        authorize(rules=[source()]),
        authorize(rules=[operation()]),
        authorize(rules=[operation(ports=["http"])]),
        authorize(rules=[source(ipBlocks=["10.0.0.0/33"])]),
        authorize(rules=[source(principals=["*"], serviceAccounts=["a"])]),
        authorize(rules=[{"when": [{"key": "source.ip"}]}]),
        authorize(rules=[{"unless": []}]),
        authorize(selector={"matchExpressions": []}),
        authorize(**DB, targetRefs=[{"kind": "Gateway", "name": "x"}]),
        peers(mtls={"mode": "MAYBE"}),
        peers(mtls="STRICT"),
        peers(portLevelMtls={"80": {"mode": "STRICT"}}),
        peers(**DB, portLevelMtls={"http": {"mode": "STRICT"}}),
        mesh("Sidecar", "s", outboundTrafficPolicy={"mode": "MAYBE"}),
        mesh("Sidecar", "s", something=1),
    ],
)
def test_what_cannot_be_read_leaves_its_pods_open_and_no_others(broken: dict[str, Any]) -> None:
    cluster = shop(broken, policy("deny", {"podSelector": {}, "policyTypes": ["Ingress"]}))
    assert [reason for _, reason in cluster.gaps()] == ["malformed"]
    assert {key for key, each in cluster.estate.interfaces.items() if each.attached_unread} >= {cluster.id_of("db")}
    assert not cluster.estate.interfaces[cluster.id_of("bank/card")].attached_unread


def test_a_selector_for_labels_that_no_template_shows_leaves_pods_open() -> None:
    cluster = shop(authorize(selector={"matchLabels": {"security.istio.io/tlsMode": "istio"}}))
    assert cluster.passes("web", "db") == "at most all"


def test_explain_names_the_policy_that_decides() -> None:
    cluster = shop(authorize("only-web", **DB, rules=[source(principals=[WEB_ACCOUNT])]))
    told = explain(cluster.reach, cluster.id_of("bank/card"), cluster.id_of("db"), Traffic.ports("tcp", 80, 80))
    assert told.upper == "none"
    assert "only-web" in repr(told)
