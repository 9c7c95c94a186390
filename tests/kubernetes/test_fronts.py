"""Ingresses, routes of gateways and Istio's virtual services as ways in, by the documentation of each.

Sources: https://kubernetes.io/docs/concepts/services-networking/ingress/,
https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/,
https://gateway-api.sigs.k8s.io/reference/spec/, https://gateway-api.sigs.k8s.io/api-types/referencegrant/ and
https://istio.io/latest/docs/reference/config/networking/gateway/
"""

from typing import Any

import pytest

from cloudseg.model import own_id
from tests.kubernetes.cluster import pod, space, written
from tests.kubernetes.exposed import WEB, Way, estate_of, gateway, ingress, listener, route, service, ways

INSIDE = service(kind="ClusterIP")
NGINX: dict[str, Any] = {"app.kubernetes.io/name": "ingress-nginx"}
PROXY = pod("nginx", "edge", **NGINX)
SITE = Way(active=True, listens="tcp/80", traffic="tcp/8080", pods=("web",))


def before(kind: str = "LoadBalancer", **more: Any) -> dict[str, Any]:
    """The service before the proxies."""
    found = service("front", kind, selector=NGINX, ports=[{"port": 80}], **more)
    return found | {"metadata": found["metadata"] | {"namespace": "edge"}}


def behind(*objects: Any) -> dict[str, Way]:
    """The ways in to the pods of the shop that are ingresses and routes."""
    own = ("shop/Service/", "edge/")
    return {key: way for key, way in ways(WEB, INSIDE, *objects).items() if not key.startswith(own)}


def test_an_ingress_leads_by_the_proxies_that_serve_its_class() -> None:
    found = estate_of(WEB, INSIDE, PROXY, before(), ingress(ingressClassName="nginx")).entrances
    way = found["kubernetes:c:shop/Ingress/site"]
    assert (way.active, str(way.listens), str(way.traffic)) == (True, "tcp/80", "tcp/8080")
    assert [own_id(each) for each in way.through] == ["edge/Pod/nginx"]


@pytest.mark.parametrize(
    ("front", "active"),
    [
        ([before()], True),
        ([before("NodePort")], None),
        ([before(annotations={"networking.gke.io/load-balancer-type": "Internal"})], False),
        ([before("ClusterIP")], None),
        ([], None),
    ],
)
def test_proxies_let_the_internet_in_as_far_as_it_gets_to_themselves(front: list[Any], *, active: bool | None) -> None:
    found = behind(PROXY, *front, ingress(ingressClassName="nginx"))
    assert found == ({} if active is False else {"shop/Ingress/site": SITE._replace(active=active)})


def test_an_ingress_may_lead_to_the_proxies_of_others() -> None:
    outer = ingress(
        "outer", to="front", ingressClassName="alb", annotations={"alb.ingress.kubernetes.io/scheme": "internet-facing"}
    )
    outer["metadata"]["namespace"] = "edge"
    found = behind(ingress(ingressClassName="nginx"), PROXY, before("ClusterIP"), outer)
    assert found == {"shop/Ingress/site": SITE}


@pytest.mark.parametrize(
    ("fields", "objects", "active"),
    [
        ({}, [], None),
        ({"ingressClassName": "other"}, [], None),
        ({"ingressClassName": "gce"}, [], True),
        ({"annotations": {"kubernetes.io/ingress.class": "gce-internal"}}, [], False),
        ({"ingressClassName": "alb"}, [], False),
        ({"ingressClassName": "alb", "annotations": {"alb.ingress.kubernetes.io/scheme": "internet-facing"}}, [], True),
        ({"ingressClassName": "azure-application-gateway"}, [], True),
        (
            {
                "ingressClassName": "azure-application-gateway",
                "annotations": {"appgw.ingress.kubernetes.io/use-private-ip": "true"},
            },
            [],
            False,
        ),
        ({"ingressClassName": "mine"}, ["k8s.io/ingress-gce"], True),
        ({"status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}}, [], False),
        ({"status": {"loadBalancer": {"ingress": [{"ip": "8.8.8.8"}]}}}, [], True),
    ],
)
def test_what_serves_the_class_decides_whether_it_is_offered(
    fields: dict[str, Any], objects: list[str], *, active: bool | None
) -> None:
    classes = [
        written("IngressClass", "mine", apiVersion="networking.k8s.io/v1", spec={"controller": each})
        for each in objects
    ]
    found = behind(*classes, ingress(**fields))
    assert found == ({} if active is False else {"shop/Ingress/site": SITE._replace(active=active)})


@pytest.mark.parametrize(
    ("scheme", "active"), [("internet-facing", True), ("internal", False), (None, False), ("unread", None)]
)
def test_the_parameters_of_a_class_go_before_the_scheme_of_an_ingress(scheme: str, *, active: bool | None) -> None:
    parameters = {"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": "p"}
    own = written(
        "IngressClass",
        "mine",
        apiVersion="networking.k8s.io/v1",
        spec={"controller": "ingress.k8s.aws/alb", "parameters": parameters},
    )
    params = written("IngressClassParams", "p", apiVersion="elbv2.k8s.aws/v1beta1", spec={"scheme": scheme})
    found = behind(own, *([] if scheme == "unread" else [params]), ingress(ingressClassName="mine"))
    assert found == ({} if active is False else {"shop/Ingress/site": SITE._replace(active=active)})


def test_ingresses_of_a_group_share_a_load_balancer_and_its_scheme() -> None:
    key = "alb.ingress.kubernetes.io/"
    group = {f"{key}group.name": "g"}
    public = ingress(
        "other", to="none", ingressClassName="alb", annotations=group | {f"{key}scheme": "internet-facing"}
    )
    assert behind(public, ingress(ingressClassName="alb", annotations=group)) == {"shop/Ingress/site": SITE}


def test_annotations_say_what_an_application_load_balancer_takes() -> None:
    key = "alb.ingress.kubernetes.io/"
    asked = {
        f"{key}scheme": "internet-facing",
        f"{key}listen-ports": '[{"HTTP": 8081}, {"HTTPS": 8443}]',
        f"{key}inbound-cidrs": "8.8.8.0/24",
    }
    (found,) = estate_of(WEB, INSIDE, ingress(ingressClassName="alb", annotations=asked)).entrances.values()
    assert (str(found.listens), str(found.senders)) == ("tcp/8081, tcp/8443", "8.8.8.0/24")


@pytest.mark.parametrize(
    ("port", "traffic"),
    [({"number": 80}, "tcp/8080"), ({"name": "admin"}, "tcp/9000"), ({"number": 81}, "tcp/9000"), ({"name": "no"}, "")],
)
def test_a_backend_names_a_port_of_its_service_by_number_or_name(port: dict[str, Any], traffic: str) -> None:
    ports = [{"port": 80, "name": "web", "targetPort": "http"}, {"port": 81, "name": "admin", "targetPort": 9000}]
    both = service(kind="ClusterIP", ports=ports)
    found = ways(WEB, both, ingress(ingressClassName="gce", port=port))
    assert [each.traffic for each in found.values()] == ([traffic] if traffic else [])


def test_a_default_backend_and_every_path_lead_in_and_tls_adds_its_port() -> None:
    spec: dict[str, Any] = {"rules": [], "tls": [{}]}
    spec["defaultBackend"] = {"service": {"name": "web", "port": {"number": 80}}}
    found = behind(ingress(ingressClassName="gce", **spec))
    assert found == {"shop/Ingress/site": SITE._replace(listens="tcp/80, tcp/443")}


def test_an_ingress_to_a_headless_service_asks_the_ports_of_pods() -> None:
    headless = service(kind="ClusterIP", clusterIP="None")
    assert ways(WEB, headless, ingress(ingressClassName="gce")) == {"shop/Ingress/site": SITE}


@pytest.mark.parametrize("missing", [{"to": "gone"}, {"port": {"number": 99}}])
def test_an_ingress_to_what_is_not_there_leads_nowhere_and_is_told(missing: dict[str, Any]) -> None:
    found = estate_of(WEB, INSIDE, ingress(ingressClassName="gce", **missing))
    assert not found.entrances
    assert any(note.startswith("shop/Ingress/site: there is no ") for note in found.notes)


@pytest.mark.semantics(138)
def test_a_route_of_a_gateway_leads_in_as_an_ingress_does() -> None:
    assert behind(gateway(), route()) == {"shop/HTTPRoute/site": SITE}


@pytest.mark.parametrize(
    ("of", "active"),
    [
        ("gke-l7-global-external-managed", True),
        ("gke-l7-gxlb-mc", True),
        ("gke-l7-rilb", False),
        ("gke-l7-cross-regional-internal-managed-mc", False),
        ("amazon-vpc-lattice", False),
        ("azure-alb-external", True),
        ("mine", None),
    ],
)
@pytest.mark.semantics(138)
def test_the_class_of_a_gateway_decides_whether_it_is_offered(of: str, *, active: bool | None) -> None:
    found = behind(gateway(of=of), route())
    assert found == ({} if active is False else {"shop/HTTPRoute/site": SITE._replace(active=active)})


@pytest.mark.parametrize(
    ("kind", "protocol", "taken"),
    [
        ("HTTPRoute", "HTTP", "tcp/90"),
        ("HTTPRoute", "HTTPS", "tcp/90"),
        ("HTTPRoute", "TCP", ""),
        ("GRPCRoute", "HTTPS", "tcp/90"),
        ("TLSRoute", "TLS", "tcp/90"),
        ("TLSRoute", "HTTPS", ""),
        ("TCPRoute", "TCP", "tcp/90"),
        ("UDPRoute", "UDP", "udp/90"),
        ("UDPRoute", "TCP", ""),
    ],
)
@pytest.mark.semantics(138)
def test_a_listener_takes_routes_of_its_protocol(kind: str, protocol: str, taken: str) -> None:
    found = behind(gateway(listener(90, protocol)), route(kind))
    assert [each.listens for each in found.values()] == ([taken] if taken else [])


@pytest.mark.parametrize(
    ("more", "parent", "hosts", "taken"),
    [
        ({}, {"sectionName": "main"}, [], True),
        ({}, {"sectionName": "other"}, [], False),
        ({}, {"port": 80}, [], True),
        ({}, {"port": 81}, [], False),
        ({"hostname": "a.example"}, {}, ["a.example"], True),
        ({"hostname": "a.example"}, {}, ["b.example"], False),
        ({"hostname": "*.example"}, {}, ["x.y.example"], True),
        ({"hostname": "*.example"}, {}, ["example"], False),
        ({"hostname": "x.y.example"}, {}, ["*.y.example"], True),
        ({"hostname": "a.example"}, {}, [], True),
        ({"allowedRoutes": {"kinds": [{"kind": "GRPCRoute"}]}}, {}, [], False),
        ({"allowedRoutes": {"namespaces": {"from": "None"}}}, {}, [], False),
    ],
)
@pytest.mark.semantics(138)
def test_a_listener_takes_what_names_it_for_names_that_it_serves(
    more: dict[str, Any], parent: dict[str, Any], hosts: list[str], *, taken: bool
) -> None:
    site = route(parentRefs=[{"name": "edge"} | parent], hostnames=hosts)
    assert bool(behind(gateway(listener(**more)), site)) is taken


@pytest.mark.parametrize(
    ("allowed", "taken"),
    [
        (None, False),
        ({"from": "Same"}, False),
        ({"from": "All"}, True),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "a"}}}, True),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "b"}}}, False),
        ({"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}, True),
    ],
)
@pytest.mark.semantics(138)
def test_a_listener_takes_routes_of_the_namespaces_that_it_allows(allowed: Any, *, taken: bool) -> None:
    more: dict[str, Any] = {} if allowed is None else {"allowedRoutes": {"namespaces": allowed}}
    far = gateway(listener(**more), namespace="edge")
    site = route(parentRefs=[{"name": "edge", "namespace": "edge"}])
    assert bool(behind(space("shop", team="a"), far, site)) is taken


def grant(**to: str) -> dict[str, Any]:
    spec = {
        "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": "site"}],
        "to": [{"group": "", "kind": "Service"} | to],
    }
    return written("ReferenceGrant", "g", "shop", apiVersion="gateway.networking.k8s.io/v1beta1", spec=spec)


@pytest.mark.parametrize(
    ("grants", "taken"), [([], False), ([grant()], True), ([grant(name="web")], True), ([grant(name="db")], False)]
)
@pytest.mark.semantics(138)
def test_a_route_reaches_services_of_other_namespaces_where_these_grant_it(grants: list[Any], *, taken: bool) -> None:
    backend = {"name": "web", "namespace": "shop", "port": 80}
    found = estate_of(WEB, INSIDE, gateway(namespace="site"), *grants, route(to=backend, namespace="site"))
    assert bool(found.entrances) is taken
    assert taken or any("no ReferenceGrant lets it send to service shop/web" in note for note in found.notes)


@pytest.mark.parametrize(
    ("rules", "taken"),
    [
        ([{"backendRefs": [{"name": "web", "port": 80, "weight": 0}]}], False),
        (
            [{"filters": [{"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "web", "port": 80}}}]}],
            True,
        ),
        ([], False),
    ],
)
def test_what_gets_copies_is_reached_and_what_weighs_nothing_is_not(rules: list[Any], *, taken: bool) -> None:
    assert bool(behind(gateway(), route(rules=rules))) is taken


def test_a_backend_that_is_no_service_is_a_gap() -> None:
    found = estate_of(WEB, gateway(), route(to={"name": "b", "kind": "Bucket", "group": "example.com"}))
    assert [(gap.resource, gap.reason) for gap in found.gaps] == [("shop/HTTPRoute/site", "unsupported")]


def test_a_route_whose_gateway_was_not_read_is_a_way_in_at_most() -> None:
    assert behind(route()) == {"shop/HTTPRoute/site": SITE._replace(active=None, listens="tcp/80, tcp/443")}


def test_a_route_for_those_who_call_a_service_is_no_way_in() -> None:
    assert behind(route(parentRefs=[{"group": "", "kind": "Service", "name": "web"}])) == {}


def virtual(*destinations: dict[str, Any], **more: Any) -> dict[str, Any]:
    spec = {
        "hosts": ["a.example"],
        "gateways": ["edge/main"],
        "http": [{"route": [{"destination": each} for each in destinations or ({"host": "web"},)]}],
    }
    return written("VirtualService", "site", "shop", apiVersion="networking.istio.io/v1", spec=spec | more)


def servers(*hosts: str) -> dict[str, Any]:
    spec = {
        "selector": NGINX,
        "servers": [{"port": {"number": 80, "protocol": "HTTP", "name": "h"}, "hosts": list(hosts) or ["*"]}],
    }
    return written("Gateway", "main", "edge", apiVersion="networking.istio.io/v1", spec=spec)


@pytest.mark.parametrize(
    ("host", "taken"),
    [
        ("web", True),
        ("web.shop", True),
        ("web.shop.svc.cluster.local", True),
        ("web.bank.svc.cluster.local", False),
        ("api.example.com", False),
    ],
)
def test_a_virtual_service_at_a_gateway_leads_by_the_proxies_that_it_chooses(host: str, *, taken: bool) -> None:
    found = behind(PROXY, before(), servers(), virtual({"host": host, "port": {"number": 80}}))
    assert found == ({"shop/VirtualService/site": SITE} if taken else {})


@pytest.mark.parametrize(
    ("hosts", "taken"),
    [
        ("*", True),
        ("*/a.example", True),
        ("shop/*", True),
        ("bank/*", False),
        ("b.example", False),
        ("*.example", True),
    ],
)
def test_a_server_takes_the_hosts_that_it_names(hosts: str, *, taken: bool) -> None:
    assert bool(behind(PROXY, before(), servers(hosts), virtual())) is taken


def test_a_virtual_service_for_the_mesh_alone_is_no_way_in() -> None:
    assert behind(PROXY, before(), servers(), virtual(gateways=["mesh"])) == {}
    assert behind(PROXY, before(), servers(), virtual(gateways=[])) == {}


def test_a_virtual_service_delegates_its_routes() -> None:
    own = written(
        "VirtualService",
        "part",
        "shop",
        apiVersion="networking.istio.io/v1",
        spec={"http": [{"route": [{"destination": {"host": "web"}}]}]},
    )
    root = virtual(http=[{"delegate": {"name": "part", "namespace": "shop"}}])
    assert behind(PROXY, before(), servers(), root, own) == {"shop/VirtualService/site": SITE}
    found = estate_of(WEB, INSIDE, PROXY, before(), servers(), root)
    assert [(gap.resource, gap.reason) for gap in found.gaps] == [("shop/VirtualService/site", "unread")]
