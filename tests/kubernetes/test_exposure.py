"""What leads into a cluster from outside, by the documentation of each kind.

Sources: https://kubernetes.io/docs/concepts/services-networking/service/,
https://kubernetes.io/docs/concepts/services-networking/ingress/,
https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/,
https://cloud.google.com/kubernetes-engine/docs/concepts/service-load-balancer-parameters and
https://cloud-provider-azure.sigs.k8s.io/topics/loadbalancer/
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kubernetes.cluster import pod, space, written
from tests.kubernetes.exposed import HTTP, WEB, Way, estate_of, gateway, ingress, listener, node, route, service, ways

AWS = "service.beta.kubernetes.io/aws-load-balancer-"
BALANCED = Way(active=True, listens="tcp/80", traffic="tcp/8080", pods=("web",))
PERHAPS = BALANCED._replace(active=None)


@pytest.mark.semantics(99)
def test_a_load_balancer_leads_from_the_ports_of_a_service_to_those_of_its_pods() -> None:
    assert ways(WEB, service()) == {"shop/Service/web": BALANCED}


@pytest.mark.parametrize("kind", ["ClusterIP", "ExternalName"])
def test_a_service_inside_is_no_way_in(kind: str) -> None:
    assert ways(WEB, service(kind=kind)) == {}


@pytest.mark.parametrize(
    ("annotations", "active"),
    [
        ({f"{AWS}internal": "true"}, False),
        ({f"{AWS}internal": "0.0.0.0/0"}, False),
        ({f"{AWS}internal": "false"}, True),
        ({f"{AWS}scheme": "internal"}, False),
        ({f"{AWS}scheme": "internet-facing"}, True),
        ({f"{AWS}type": "external"}, False),
        ({f"{AWS}type": "nlb-ip"}, False),
        ({f"{AWS}type": "external", f"{AWS}scheme": "internet-facing"}, True),
        ({f"{AWS}type": "nlb"}, True),
        ({f"{AWS}security-groups": "sg-1"}, None),
        ({"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}, False),
        ({"service.beta.kubernetes.io/azure-load-balancer-internal": "false"}, True),
        ({"networking.gke.io/load-balancer-type": "Internal"}, False),
        ({"cloud.google.com/load-balancer-type": "Internal"}, False),
        ({"service.kubernetes.io/qcloud-loadbalancer-internal-subnetid": "subnet-1"}, False),
        ({"example.com/colour": "red"}, True),
    ],
)
def test_annotations_keep_a_load_balancer_inside(annotations: dict[str, str], *, active: bool | None) -> None:
    found = ways(WEB, service(annotations=annotations))
    assert found == ({} if active is False else {"shop/Service/web": BALANCED._replace(active=active)})


@pytest.mark.parametrize(
    ("balancer", "annotations", "active"),
    [
        ("service.k8s.aws/nlb", {}, False),
        ("service.k8s.aws/nlb", {f"{AWS}scheme": "internet-facing"}, True),
        ("eks.amazonaws.com/nlb", {}, False),
        ("networking.gke.io/l4-regional-internal", {}, False),
        ("networking.gke.io/l4-regional-external", {}, True),
        ("example.com/anything", {}, None),
    ],
)
def test_the_class_of_a_load_balancer_decides_its_scheme(
    balancer: str, annotations: Any, *, active: bool | None
) -> None:
    found = ways(WEB, service(annotations=annotations, loadBalancerClass=balancer))
    assert found == ({} if active is False else {"shop/Service/web": BALANCED._replace(active=active)})


def test_beside_the_controller_of_aws_a_service_that_says_nothing_may_be_internal() -> None:
    labels: dict[str, Any] = {"app.kubernetes.io/name": "aws-load-balancer-controller"}
    controller = pod("aws-load-balancer-controller", "kube-system", **labels)
    assert ways(WEB, controller, service()) == {"shop/Service/web": PERHAPS}


@pytest.mark.parametrize(
    ("given", "active"),
    [
        ({"ip": "10.0.0.9"}, False),
        ({"ip": "8.8.4.4"}, True),
        ({"hostname": "internal-a-1.eu-west-1.elb.amazonaws.com"}, False),
        ({"hostname": "a-1.eu-west-1.elb.amazonaws.com"}, None),
    ],
)
def test_a_cluster_that_runs_tells_the_address_of_a_load_balancer(
    given: dict[str, str], *, active: bool | None
) -> None:
    found = ways(WEB, service(loadBalancerClass="example.com/vip", status={"loadBalancer": {"ingress": [given]}}))
    assert found == ({} if active is False else {"shop/Service/web": BALANCED._replace(active=active)})


def test_a_load_balancer_lets_in_the_ranges_of_its_service() -> None:
    (found,) = estate_of(WEB, service(loadBalancerSourceRanges=["8.8.8.0/24"])).entrances.values()
    assert str(found.senders) == "8.8.8.0/24"
    (found,) = estate_of(
        WEB, service(annotations={"service.beta.kubernetes.io/load-balancer-source-ranges": "8.8.8.0/24, 10.0.0.0/8"})
    ).entrances.values()
    assert str(found.senders) == "8.8.8.0/24, 10.0.0.0/8"


def test_a_load_balancer_for_ranges_inside_is_no_way_in_and_said_so() -> None:
    found = estate_of(WEB, node("10.0.0.1"), service(loadBalancerSourceRanges=["10.0.0.0/8"]))
    assert not found.entrances
    assert any("lets in 10.0.0.0/8 alone" in note for note in found.notes)


@pytest.mark.parametrize(
    ("nodes", "active"), [([], None), ([node("8.8.8.8")], None), ([node()], None), ([node("10.0.0.1")], False)]
)
def test_a_node_port_is_a_way_in_at_most_unless_all_nodes_have_addresses_inside(
    nodes: list[Any], *, active: bool | None
) -> None:
    found = ways(WEB, *nodes, service(kind="NodePort", ports=[HTTP | {"nodePort": 30080}]))
    expected = {"shop/Service/web (port of every node)": Way(None, "tcp/30080", "tcp/8080", ("web",))}
    assert found == ({} if active is False else expected)


def test_a_node_port_that_nobody_chose_is_one_of_the_range_of_the_cluster() -> None:
    (found,) = ways(WEB, service(kind="NodePort")).values()
    assert found.listens == "tcp/30000-32767"


def test_the_port_of_nodes_of_an_internal_load_balancer_stays_a_way_in() -> None:
    internal = service(annotations={f"{AWS}internal": "true"}, ports=[HTTP | {"nodePort": 30080}])
    assert list(ways(WEB, node("8.8.8.8"), internal)) == ["shop/Service/web (port of every node)"]
    assert ways(WEB, node("10.0.0.1"), internal) == {}


def test_an_external_address_is_a_way_in_at_most() -> None:
    found = ways(WEB, service(kind="ClusterIP", externalIPs=["8.8.8.8", "10.0.0.8"]))
    assert found == {"shop/Service/web (external address)": PERHAPS}
    assert ways(WEB, service(kind="ClusterIP", externalIPs=["10.0.0.8"])) == {}


@pytest.mark.semantics(100)
def test_a_named_target_port_is_that_of_each_pod() -> None:
    other = pod("api", ports=[{"containerPort": 9090, "name": "http"}])
    silent = pod("mute")
    found = ways(WEB, other, silent, service(selector={"tier": "front"}, ports=[{"port": 80, "targetPort": "http"}]))
    assert found == {}
    front = [pod(n, tier="front", ports=p) for n, p in (("a", [{"containerPort": 1, "name": "http"}]), ("b", []))]
    third = pod("c", tier="front", ports=[{"containerPort": 2, "name": "http"}])
    found = ways(*front, third, service(selector={"tier": "front"}, ports=[{"port": 80, "targetPort": "http"}]))
    assert {(each.traffic, each.pods) for each in found.values()} == {("tcp/1", ("a",)), ("tcp/2", ("c",))}


def test_a_service_without_a_selector_leads_to_the_addresses_of_its_slices() -> None:
    live = WEB | {"status": {"podIP": "10.4.0.7"}}
    ends = written(
        "EndpointSlice",
        "web-1",
        "shop",
        apiVersion="discovery.k8s.io/v1",
        metadata={"labels": {"kubernetes.io/service-name": "web"}},
        addressType="IPv4",
        endpoints=[{"addresses": ["10.4.0.7"]}],
        ports=[{"port": 8080}],
    )
    assert ways(live, service(selector=None), ends) == {"shop/Service/web": BALANCED}
    old = written("Endpoints", "web", "shop", subsets=[{"addresses": [{"ip": "10.4.0.7"}], "ports": [{"port": 8080}]}])
    assert ways(live, service(selector={}), old) == {"shop/Service/web": BALANCED}


def test_a_service_without_a_selector_and_slices_is_a_gap() -> None:
    found = estate_of(WEB, service(selector=None))
    assert [(gap.resource, gap.reason) for gap in found.gaps] == [("shop/Service/web", "unread")]
    assert not found.read("entrances", next(iter(found.interfaces.values())))


def test_a_service_that_chooses_no_pod_is_told() -> None:
    found = estate_of(WEB, service(selector={"app": "gone"}))
    assert not found.entrances
    assert any("no pod that was read is behind its load balancer" in note for note in found.notes)


def test_a_service_may_choose_one_pod_of_a_stateful_set_by_its_name() -> None:
    template: dict[str, Any] = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": []}}
    sets = [written("StatefulSet", name, "shop", spec={"template": template}) for name in ("db", "other")]
    found = ways(*sets, service(selector={"statefulset.kubernetes.io/pod-name": "db-0"}))
    assert [(each.active, each.pods) for each in found.values()] == [(True, ("shop/StatefulSet/db",))]


def test_labels_that_controllers_add_choose_at_most() -> None:
    assert ways(WEB, service(selector={"app": "web", "pod-template-hash": "1"})) == {"shop/Service/web": PERHAPS}


def test_a_selector_cannot_ask_for_labels_of_namespaces() -> None:
    mine = space("shop", env="prod")
    assert ways(WEB, mine, service(selector={"namespace/env": "prod"})) == {}


def test_a_workload_that_cannot_be_read_may_be_behind_every_service_of_its_namespace() -> None:
    broken = written("Deployment", "odd", "shop", spec={"template": {"metadata": {"labels": 1}}})
    found = ways(WEB, broken, service())
    assert sorted((each.active, each.pods) for each in found.values() if each.active) == [(True, ("web",))]
    assert [each.pods for each in found.values() if each.active is None] == [("shop/Deployment/odd",)]


@pytest.mark.parametrize(
    ("policy", "balancer", "certain"),
    [("Cluster", True, False), ("Local", True, False), ("Cluster", False, False), ("Local", False, True)],
)
@pytest.mark.semantics(99)
def test_policies_surely_see_clients_where_no_balancer_and_no_other_node_stands_before(
    policy: str, *, balancer: bool, certain: bool
) -> None:
    kind = "LoadBalancer" if balancer else "NodePort"
    (found,) = estate_of(WEB, service(kind=kind, externalTrafficPolicy=policy)).entrances.values()
    assert found.certain_clients is certain
    assert bool(found.groups) is (policy == "Cluster")


@pytest.mark.parametrize(
    ("port", "host", "listens"),
    [
        ({"containerPort": 8080, "hostPort": 80}, False, "tcp/80"),
        ({"containerPort": 8080, "hostPort": 53, "protocol": "UDP"}, False, "udp/53"),
        ({"containerPort": 8080, "hostPort": 80, "hostIP": "127.0.0.1"}, False, ""),
        ({"containerPort": 8080, "hostPort": 80, "hostIP": "0.0.0.0"}, False, "tcp/80"),
        ({"containerPort": 8080}, False, ""),
        ({"containerPort": 8080}, True, "tcp/8080"),
    ],
)
@pytest.mark.semantics(103)
def test_a_port_that_a_pod_takes_of_its_node_is_a_way_in_at_most(port: Any, listens: str, *, host: bool) -> None:
    taker = pod("web", ports=[port])
    taker["spec"]["hostNetwork"] = host
    found = ways(taker)
    assert [(each.active, each.listens) for each in found.values()] == ([(None, listens)] if listens else [])
    assert ways(taker, node("10.0.0.1")) == {}


BROKEN: list[Any] = [
    1,
    {"type": "Loadbalancer"},
    {"type": "LoadBalancer", "selector": {"app": "web"}},
    {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": "80"}]},
    {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 0}]},
    {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 65536}]},
    {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80, "protocol": "ICMP"}]},
    {"type": "LoadBalancer", "selector": {"app": 1}, "ports": [HTTP]},
    {"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/33"], "ports": [HTTP]},
    {"type": "NodePort", "externalIPs": ["here"], "ports": [HTTP]},
]


@pytest.mark.parametrize("spec", BROKEN)
def test_a_service_that_cannot_be_read_is_a_gap_with_its_place(spec: Any) -> None:
    broken = written("Service", "web", "shop", spec=spec)
    broken["metadata"]["annotations"] = {"cloudseg.io/location": "all.yaml:17"}
    found = estate_of(WEB, broken)
    assert [(gap.resource, gap.reason, gap.facets) for gap in found.gaps] == [
        ("shop/Service/web", "malformed", ("entrances",))
    ]
    assert found.gaps[0].detail.startswith("all.yaml:17: ")
    assert not found.read("entrances", next(iter(found.interfaces.values())))


@pytest.mark.parametrize(
    "item",
    [
        ingress(rules=[{"http": {"paths": 1}}]),
        gateway({"name": "x", "port": "80", "protocol": "HTTP"}),
        route(rules=[{"backendRefs": [{"port": 80}]}]),
        written("ReferenceGrant", "g", "shop", apiVersion="gateway.networking.k8s.io/v1beta1", spec={"from": 1}),
        written("VirtualService", "v", "shop", apiVersion="networking.istio.io/v1", spec={"http": 1}),
        written("EndpointSlice", "e", "shop", apiVersion="discovery.k8s.io/v1", endpoints=1),
    ],
    ids=lambda item: item["kind"],
)
def test_what_leads_to_services_and_cannot_be_read_is_a_gap(item: dict[str, Any]) -> None:
    found = estate_of(WEB, service(kind="ClusterIP"), item)
    assert [(gap.reason, gap.facets) for gap in found.gaps] == [("malformed", ("entrances",))]
    assert not found.read("entrances", next(iter(found.interfaces.values())))


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("route.openshift.io/v1", "Route"),
        ("traefik.io/v1alpha1", "IngressRoute"),
        ("projectcontour.io/v1", "HTTPProxy"),
        ("gateway.networking.k8s.io/v1", "ListenerSet"),
        ("elbv2.k8s.aws/v1beta1", "TargetGroupBinding"),
    ],
)
def test_what_other_makers_lead_in_by_is_a_gap(version: str, kind: str) -> None:
    found = estate_of(WEB, written(kind, "x", "shop", apiVersion=version, spec={}))
    assert [(gap.resource, gap.reason) for gap in found.gaps] == [(f"shop/{kind}/x", "unsupported")]
    assert not found.read("entrances", next(iter(found.interfaces.values())))


def test_of_a_cluster_that_is_read_in_full_no_part_is_missing() -> None:
    found = estate_of(WEB, service(), ingress(), gateway(listener()), route())
    place = next(iter(found.interfaces.values()))
    assert found.gaps == ()
    facets = ("entrances", "routes", "gateways", "load-balancers", "public-access-block", "boundary-rules")
    assert all(found.read(facet, place) for facet in facets)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 70000) | st.sampled_from(["", "web", "TCP", "10.0.0.0/33", "http"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["type", "ports", "port", "name", "selector", "rules", "http", "paths", "backend", "service", "listeners",
             "parentRefs", "backendRefs", "hosts", "gateways", "route", "destination", "host", "number", "from", "to",
             "externalIPs", "servers", "allowedRoutes", "namespaces", "matchLabels", "addresses", "endpoints"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip
KINDS = [
    ("v1", "Service"),
    ("v1", "Endpoints"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "IngressClass"),
    ("gateway.networking.k8s.io/v1", "Gateway"),
    ("gateway.networking.k8s.io/v1", "GatewayClass"),
    ("gateway.networking.k8s.io/v1", "HTTPRoute"),
    ("gateway.networking.k8s.io/v1", "UDPRoute"),
    ("gateway.networking.k8s.io/v1beta1", "ReferenceGrant"),
    ("networking.istio.io/v1", "Gateway"),
    ("networking.istio.io/v1", "VirtualService"),
    ("elbv2.k8s.aws/v1beta1", "IngressClassParams"),
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KINDS), values, values, values), max_size=4))
def test_whatever_is_written_is_read_or_a_gap(drawn: list[Any]) -> None:
    objects = [
        written(
            kind, f"x{number % 2}", "shop", apiVersion=version, spec=spec, status=status, metadata={"labels": labels}
        )
        for number, ((version, kind), spec, status, labels) in enumerate(drawn)
    ]
    found = estate_of(WEB, *objects)
    assert {gap.reason for gap in found.gaps} <= {"malformed", "unread", "unsupported"}
