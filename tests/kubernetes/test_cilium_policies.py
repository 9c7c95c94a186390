"""Cilium's policies, statement by statement, worked out by hand from their documentation.

https://docs.cilium.io/en/stable/security/policy/
"""

from typing import Any

import pytest

from cloudseg.providers.kubernetes.translate import translate
from cloudseg.reach.reachability import Reachability
from cloudseg.snapshot import Part, Snapshot
from tests.kubernetes.cluster import OUTSIDE, pod, policy, snapshot, space, written
from tests.kubernetes.drawn_cilium import cilium
from tests.kubernetes.test_cilium_oracle_agrees import CiliumCluster, outside

Json = dict[str, Any]

SPACES = (space("shop", team="a"), space("bank", team="b"))
HTTP: list[Json] = [{"name": "http", "containerPort": 8080}]
WEB: Json = {"matchLabels": {"app": "web"}}
DB: Json = {"matchLabels": {"app": "db"}}
PODS = "io.kubernetes.pod.namespace"
TEAM = "io.cilium.k8s.namespace.labels.team"
ELSEWHERE = "198.51.100.1"
V6 = "2001:db8::9"
ALL_OUT: Json = {"egress": [{"toEntities": ["all"]}]}


def rows(*each: Any) -> list[Any]:
    return list(each)


def cnp(spec: Any, name: str = "p", namespace: str = "shop") -> Json:
    return cilium("CiliumNetworkPolicy", name, namespace, spec=spec)


def ccnp(spec: Any, name: str = "p") -> Json:
    return cilium("CiliumClusterwideNetworkPolicy", name, spec=spec)


def into(*rules: Any, on: Json = DB, **more: Any) -> Json:
    return cnp({"endpointSelector": on, "ingress": list(rules), **more})


def out(*rules: Any, on: Json = WEB, **more: Any) -> Json:
    return cnp({"endpointSelector": on, "egress": list(rules), **more})


def tcp(*ports: str, **more: Any) -> Json:
    return {"toPorts": [{"ports": [{"port": port, "protocol": "TCP"} for port in ports], **more}]}


def shop(*objects: Any) -> CiliumCluster:
    """web, db and api in shop, web in bank."""
    return CiliumCluster(*SPACES, pod("web"), pod("db", ports=HTTP), pod("api"), pod("web", "bank"), *objects)


def unread(plural: str, *objects: Any) -> CiliumCluster:
    """The same where a list was not read."""
    cluster = shop(*objects)
    read = snapshot(*SPACES, pod("web"), pod("db", ports=HTTP), pod("api"), pod("web", "bank"), *objects)
    parts: dict[Part, object] = {part: read.read(part) for part in read.parts()}
    parts[Part("kubernetes", "c", "global", "unread", plural)] = {"items": 0}
    cluster.estate = outside(translate(Snapshot.of(parts)))
    cluster.reach = Reachability(cluster.estate)
    return cluster


def passing(cluster: CiliumCluster, target: str = "db") -> tuple[str, ...]:
    """What passes to a pod from web, api, bank/web and outside."""
    return tuple(cluster.passes(source, target) for source in ("web", "api", "bank/web", OUTSIDE))


def leaving(cluster: CiliumCluster) -> tuple[str, ...]:
    """What passes from web to db, api, bank/web and outside."""
    return tuple(cluster.passes("web", target) for target in ("db", "api", "bank/web", OUTSIDE))


def test_a_policy_admits_whom_it_names_and_nobody_else() -> None:
    assert passing(shop(into({"fromEndpoints": [WEB]}))) == ("all", "none", "none", "none")
    assert leaving(shop(out({"toEndpoints": [DB]}))) == ("all", "none", "none", "none")


def test_both_ends_decide() -> None:
    assert leaving(shop(out({"toEndpoints": [DB]}), cnp({"endpointSelector": DB, "ingress": [{}]}, "q")))[0] == "none"


def test_an_empty_selector_is_everybody_in_the_namespace_of_the_policy() -> None:
    assert passing(shop(into({"fromEndpoints": [{}]}))) == ("all", "all", "none", "none")
    assert leaving(shop(out({"toEndpoints": [{}]}))) == ("all", "all", "none", "none")


def test_an_empty_selector_of_a_clusterwide_policy_is_every_pod_and_nobody_outside() -> None:
    spec: Json = {"endpointSelector": DB, "ingress": [{"fromEndpoints": [{}]}]}
    assert passing(shop(ccnp(spec))) == ("all", "all", "all", "none")


@pytest.mark.parametrize(
    ("rules", "left"),
    rows(
        ([], ("all",) * 4),
        (None, ("all",) * 4),
        ([{}], ("none",) * 4),
        ([{"toEndpoints": []}], ("none",) * 4),
        ([{"toEndpoints": [], **tcp("80")}], ("none",) * 4),
        ([{"toCIDR": [], **tcp("80")}], ("none",) * 4),
        ([{"toEntities": [], **tcp("80")}], ("none",) * 4),
        ([{"toEntities": ["none"], **tcp("80")}], ("none",) * 4),
        ([{"toEndpoints": None, **tcp("80")}], ("tcp/80",) * 4),
        ([tcp("80")], ("tcp/80",) * 4),
        ([{"toPorts": []}], ("none",) * 4),
        ([{"toEndpoints": [DB], "toPorts": []}], ("all", "none", "none", "none")),
        ([{"toServices": [], **tcp("80")}], ("at most tcp/80",) * 4),
        ([{"toEntities": ["all"]}], ("all",) * 4),
    ),
)
def test_no_rules_say_nothing_an_empty_rule_denies_and_lists_differ_empty_and_absent(
    rules: Any, left: tuple[str, ...]
) -> None:
    assert leaving(shop(cnp({"endpointSelector": WEB, "egress": rules}))) == left


ALLOWED = [
    {"fromEndpoints": [WEB], **tcp("80", rules={"http": [{"path": "/x"}]})},
    tcp("80"),
    tcp("81"),
    {"fromEndpoints": [WEB]},
]


@pytest.mark.parametrize(
    ("allow", "deny", "expected"),
    rows(
        (ALLOWED, [], "all"),
        (ALLOWED, [tcp("80")], "all except tcp/80"),
        (ALLOWED, [{"fromEndpoints": [WEB]}], "none"),
        (ALLOWED, [tcp("80"), {"fromEndpoints": [WEB]}], "none"),
        ([], [tcp("80")], "none"),
    ),
)
def test_denials_go_before_whatever_is_admitted_and_isolate_as_well(allow: Any, deny: Any, expected: str) -> None:
    cluster = shop(cnp({"endpointSelector": DB, "ingress": allow, "ingressDeny": deny}))
    assert cluster.passes("web", "db") == expected


def test_a_denial_goes_before_what_any_other_policy_admits() -> None:
    plain = policy("np", {"podSelector": {}, "ingress": [{}]})
    denial = ccnp({"endpointSelector": {}, "ingressDeny": [{"fromEndpoints": [WEB]}]})
    assert passing(shop(plain, denial)) == ("none", "all", "none", "all")


def test_what_policies_of_all_kinds_admit_is_one_union() -> None:
    plain = policy("np", {"podSelector": DB, "ingress": [{"from": [{"podSelector": WEB}], "ports": [{"port": 80}]}]})
    wide = ccnp({"endpointSelector": DB, "ingress": [{"fromEndpoints": [{"matchLabels": {PODS: "bank"}}]}]})
    assert passing(shop(plain, into({"fromEndpoints": [{"matchLabels": {"app": "api"}}]}), wide)) == (
        "tcp/80",
        "all",
        "all",
        "none",
    )


def test_denying_the_world_clusterwide_leaves_the_cluster_to_itself() -> None:
    spec: Json = {
        "endpointSelector": {},
        "ingressDeny": [{"fromEntities": ["world"]}],
        "ingress": [{"fromEntities": ["all"]}],
    }
    assert passing(shop(ccnp(spec))) == ("all", "all", "all", "none")


def test_a_policy_that_does_not_isolate_adds_to_those_that_do() -> None:
    loose = into({"fromEndpoints": [WEB]}, enableDefaultDeny={"ingress": False})
    assert passing(shop(loose)) == ("all",) * 4
    tight = cnp({"endpointSelector": DB, "ingress": [{}]}, "q")
    assert passing(shop(loose, tight)) == ("all", "none", "none", "none")
    plain = policy("np", {"podSelector": {}})
    assert passing(shop(loose, plain)) == ("all", "none", "none", "none")


def test_a_denial_that_does_not_isolate_denies_all_the_same() -> None:
    loose = {"endpointSelector": DB, "ingressDeny": [{"fromEndpoints": [WEB]}], "enableDefaultDeny": {"ingress": False}}
    assert passing(shop(cnp(loose))) == ("none", "all", "all", "all")


def test_directions_are_isolated_apart() -> None:
    cluster = shop(into({"fromEndpoints": [WEB]}))
    assert cluster.passes("db", "api") == "all"
    assert cluster.passes("db", OUTSIDE) == "all"


def test_whether_a_policy_without_rules_may_isolate_is_not_known() -> None:
    cluster = shop(cnp({"endpointSelector": DB, "enableDefaultDeny": {"ingress": True}}))
    assert passing(cluster) == ("at most all",) * 4
    assert cluster.passes("db", "web") == "all"


def test_every_spec_of_a_policy_counts() -> None:
    two = cilium(
        "CiliumNetworkPolicy",
        "p",
        "shop",
        spec={"endpointSelector": DB, "ingress": [{"fromEndpoints": [WEB]}]},
        specs=[{"endpointSelector": DB, "ingress": [tcp("80")]}, {"endpointSelector": WEB, "ingress": [{}]}],
    )
    cluster = shop(two)
    assert passing(cluster) == ("all", "tcp/80", "tcp/80", "tcp/80")
    assert cluster.passes("db", "web") == "none"


@pytest.mark.parametrize(
    ("selector", "passed"),
    rows(
        ({"matchLabels": {"k8s:app": "web"}}, ("all", "none", "none")),
        ({"matchLabels": {"any:app": "web"}}, ("all", "none", "none")),
        ({"matchLabels": {"app": "web", PODS: "bank"}}, ("none", "none", "all")),
        ({"matchLabels": {f"k8s:{PODS}": "bank"}}, ("none", "none", "all")),
        ({"matchExpressions": [{"key": f"k8s:{PODS}", "operator": "Exists"}]}, ("all", "all", "all")),
        ({"matchExpressions": [{"key": PODS, "operator": "NotIn", "values": ["shop"]}]}, ("none", "none", "all")),
        ({"matchLabels": {f"k8s:{TEAM}": "b"}}, ("none", "none", "all")),
        ({"matchExpressions": [{"key": TEAM, "operator": "In", "values": ["a", "b"]}]}, ("all", "all", "all")),
        ({"matchLabels": {"app": "web", TEAM: "a"}}, ("all", "none", "none")),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, ("none", "all", "none")),
    ),
)
def test_endpoints_are_those_of_the_own_namespace_unless_the_selector_says_otherwise(
    selector: Json, passed: tuple[str, ...]
) -> None:
    assert passing(shop(into({"fromEndpoints": [selector]})))[:3] == passed


def test_a_policy_is_about_its_own_namespace_alone() -> None:
    cluster = shop(cnp({"endpointSelector": {}, "ingress": [{}]}))
    assert cluster.passes("bank/web", "web") == "none"
    assert cluster.passes("web", "bank/web") == "all"
    own = cnp({"endpointSelector": {"matchLabels": {PODS: "shop"}}, "ingress": [{}]})
    assert shop(own).passes("web", "db") == "none"


def test_a_clusterwide_policy_selects_in_every_namespace_or_by_it() -> None:
    cluster = shop(ccnp({"endpointSelector": WEB, "ingress": [{}]}))
    assert [cluster.passes("api", target) for target in ("web", "bank/web", "db")] == ["none", "none", "all"]
    cluster = shop(ccnp({"endpointSelector": {"matchLabels": {PODS: "bank"}}, "ingress": [{}]}))
    assert [cluster.passes("api", target) for target in ("web", "bank/web")] == ["all", "none"]


def test_labels_of_namespaces_that_were_not_read_are_known_at_most() -> None:
    objects = (space("shop"), pod("web"), pod("db"), pod("web", "bank"))
    cluster = CiliumCluster(*objects, into({"fromEndpoints": [{"matchLabels": {TEAM: "b"}}]}))
    assert cluster.passes("bank/web", "db") == "at most all"
    assert cluster.passes("web", "db") == "none"
    assert ("bank/Namespace/bank", "unread") in cluster.gaps()
    wide = ccnp({"endpointSelector": {"matchLabels": {TEAM: "b"}}, "ingress": [{}]})
    cluster = CiliumCluster(*objects, wide)
    assert cluster.passes("web", "bank/web") == "at most all"
    assert cluster.passes("web", "db") == "all"


@pytest.mark.parametrize(
    "key",
    ["kubernetes.io/os", "io.cilium.k8s.policy.cluster", "pod-template-hash", "statefulset.kubernetes.io/pod-name"],
)
def test_labels_that_are_no_part_of_an_identity_choose_at_most(key: str) -> None:
    cluster = shop(into({"fromEndpoints": [{"matchLabels": {"app": "web", key: "x"}}]}))
    assert passing(cluster) == ("at most all", "none", "none", "none")
    cluster = shop(cnp({"endpointSelector": {"matchLabels": {"app": "db", key: "x"}}, "ingress": [{}]}))
    assert passing(cluster) == ("at most all",) * 4
    assert cluster.passes("web", "api") == "all"


def test_pods_are_chosen_by_their_service_account() -> None:
    luke = pod("luke")
    luke["spec"]["serviceAccountName"] = "luke"
    account = {"matchLabels": {"io.cilium.k8s.policy.serviceaccount": "luke"}}
    cluster = shop(luke, into({"fromEndpoints": [account]}))
    assert (cluster.passes("luke", "db"), *passing(cluster)) == ("all", "none", "none", "none", "none")
    cluster = shop(luke, cnp({"endpointSelector": account, "ingress": [{}]}))
    assert (cluster.passes("web", "luke"), cluster.passes("web", "db")) == ("none", "all")


@pytest.mark.parametrize(
    ("rule", "passed"),
    rows(
        ({"toCIDR": ["20.1.1.1/32"]}, ("all", "none", "none", "none")),
        ({"toCIDRSet": [{"cidr": "10.0.0.0/8", "except": ["10.96.0.0/12"]}]}, ("none", "all", "none", "none")),
        ({"toCIDR": ["0.0.0.0/0"]}, ("all", "all", "all", "none")),
        ({"toCIDR": ["::/0"]}, ("none", "none", "none", "all")),
        ({"toEntities": ["world"]}, ("all", "all", "all", "all")),
        ({"toEntities": ["world-ipv4"]}, ("all", "all", "all", "none")),
        ({"toEntities": ["world-ipv6"]}, ("none", "none", "none", "all")),
        ({"toEntities": ["cluster"]}, ("none", "none", "none", "none")),
        ({"toCIDRSet": [{"cidrGroupRef": "lan"}]}, ("none", "all", "all", "none")),
        ({"toCIDRSet": [{"cidrGroupSelector": {"matchLabels": {"role": "vpn"}}}]}, ("none", "all", "all", "none")),
        ({"toCIDRSet": [{"cidrGroupSelector": {"matchLabels": {"role": "x"}}}]}, ("none", "none", "none", "none")),
        (
            {"toCIDRSet": [{"cidrGroupRef": "lan", "except": ["10.96.0.0/12"]}]},
            ("none", "all", "at most all", "none"),
        ),
        ({"toCIDRSet": [{"cidrGroupRef": "gone"}]}, ("at most all",) * 4),
        ({"toFQDNs": [{"matchName": "example.com"}]}, ("at most all",) * 4),
        ({"toFQDNs": [{"matchPattern": "*.example.com"}]}, ("at most all",) * 4),
        ({"toGroups": [{"aws": {"securityGroupsIds": ["sg-1"]}}]}, ("at most all",) * 4),
        ({"toEntities": ["kube-apiserver"]}, ("at most all",) * 4),
        ({"toEntities": ["host"]}, ("at most all",) * 4),
        ({"toNodes": [{"matchLabels": {"role": "x"}}]}, ("at most all",) * 4),
    ),
)
def test_addresses_entities_and_names_are_outside_and_no_pods(rule: Json, passed: tuple[str, ...]) -> None:
    group = cilium(
        "CiliumCIDRGroup", "lan", metadata={"labels": {"role": "vpn"}}, spec={"externalCIDRs": ["10.0.0.0/8"]}
    )
    cluster = shop(out(rule), group)
    assert tuple(cluster.passes("web", end) for end in ("20.1.1.1", "10.1.1.1", "10.96.0.1", V6)) == passed
    assert cluster.passes("web", "db") == ("all" if rule == {"toEntities": ["cluster"]} else "none")


def test_nodes_whose_addresses_were_read_are_known() -> None:
    node = written("Node", "n", status={"addresses": [{"type": "InternalIP", "address": "192.0.2.7"}]})
    both = shop(node, out({"toEntities": ["host", "remote-node"]}))
    assert (both.passes("web", "192.0.2.7"), both.passes("web", "192.0.2.8")) == ("all", "none")
    one = shop(node, out({"toEntities": ["remote-node"]}))
    assert (one.passes("web", "192.0.2.7"), one.passes("web", "192.0.2.8")) == ("at most all", "none")
    # Nodes are no part of the world, and whether ranges mean them is a setting of Cilium's.
    world = shop(node, out({"toEntities": ["world"]}))
    assert (world.passes("web", "192.0.2.7"), world.passes("web", "192.0.2.8")) == ("at most all", "all")
    ranged = shop(node, cnp({"endpointSelector": WEB, "egressDeny": [{"toCIDR": ["192.0.2.0/24"]}]} | ALL_OUT))
    assert (ranged.passes("web", "192.0.2.7"), ranged.passes("web", "192.0.2.8")) == ("at most all", "none")
    everyone = shop(node, out({"toEntities": ["cluster"]}))
    assert (everyone.passes("web", "192.0.2.7"), everyone.passes("web", "db")) == ("all", "all")


@pytest.mark.parametrize(
    ("selector", "passed"),
    rows(
        ({"matchLabels": {"reserved:world": ""}}, ("none", "none", "none", "all")),
        ({"matchLabels": {"reserved.world": ""}}, ("none", "none", "none", "all")),
        ({"matchExpressions": [{"key": "reserved:all", "operator": "Exists"}]}, ("all", "all", "all", "all")),
        ({"matchLabels": {"reserved:health": ""}}, ("none", "none", "none", "none")),
        ({"matchLabels": {"reserved:host": ""}}, ("none", "none", "none", "at most all")),
        (
            {"matchExpressions": [{"key": "reserved:host", "operator": "DoesNotExist"}]},
            ("at most all", "at most all", "at most all", "at most all"),
        ),
    ),
)
def test_reserved_labels_are_entities(selector: Json, passed: tuple[str, ...]) -> None:
    assert passing(shop(into({"fromEndpoints": [selector]}))) == passed


@pytest.mark.parametrize("entity", ["init", "unmanaged"])
def test_pods_that_may_be_nobody_in_particular_are_known_at_most(entity: str) -> None:
    assert passing(shop(into({"fromEntities": [entity]}))) == ("at most all", "at most all", "at most all", "none")


def test_services_are_the_pods_behind_them() -> None:
    front = written("Service", "front", "bank", metadata={"labels": {"env": "x"}}, spec={"selector": {"app": "web"}})
    bare = written("Service", "bare", "bank", spec={})
    by_name = out({"toServices": [{"k8sService": {"serviceName": "front", "namespace": "bank"}}], **tcp("80")})
    assert leaving(shop(front, by_name)) == ("none", "none", "tcp/80", "none")
    assert (
        shop(front, out({"toServices": [{"k8sService": {"serviceName": "front", "namespace": "bank"}}]}, on={})).passes(
            "api", "web"
        )
        == "none"
    )
    chosen = {"k8sServiceSelector": {"selector": {"matchLabels": {"env": "x"}}, "namespace": "bank"}}
    assert leaving(shop(front, out({"toServices": [chosen]}))) == ("none", "none", "all", "none")
    for service in ({"serviceName": "bare", "namespace": "bank"}, {"serviceName": "gone", "namespace": "bank"}):
        cluster = shop(bare, out({"toServices": [{"k8sService": service}]}))
        assert leaving(cluster) == ("none", "none", "none", "at most all")


@pytest.mark.parametrize(
    ("ports", "passed"),
    rows(
        ([{"port": "80", "protocol": "TCP"}], "tcp/80"),
        ([{"port": "80", "endPort": 444, "protocol": "TCP"}], "tcp/80-444"),
        ([{"port": "80", "endPort": 0, "protocol": "TCP"}], "tcp/80"),
        ([{"port": "53"}], "tcp/53, udp/53, sctp/53"),
        ([{"port": "53", "protocol": "ANY"}], "tcp/53, udp/53, sctp/53"),
        ([{"port": "0", "protocol": "UDP"}], "udp"),
        ([{"port": "0"}], "tcp, udp, sctp to all"),
        ([{"port": "0", "endPort": 9, "protocol": "TCP"}], "at most tcp"),
        ([{"port": "", "protocol": "GRE"}], "at most gre"),
        ([{"port": "http", "protocol": "TCP"}], "tcp/8080"),
        ([{"port": "HTTP"}], "tcp/8080"),
        ([{"port": "http", "protocol": "UDP"}], "none"),
        ([{"port": "unknown"}], "none"),
        ([], "at most all"),
    ),
)
def test_ports_are_numbers_ranges_and_names(ports: Any, passed: str) -> None:
    rule = {"toPorts": [{"ports": ports}]}
    assert shop(into(rule)).passes("web", "db") == passed
    assert shop(out(rule)).passes("web", "db") == passed


def test_a_named_port_is_that_of_the_pod_that_receives() -> None:
    other = pod("api", ports=[{"name": "http", "containerPort": 80}])
    objects = (*SPACES, pod("web"), pod("db", ports=HTTP), other)
    rule = {"toPorts": [{"ports": [{"port": "http", "protocol": "TCP"}]}]}
    cluster = CiliumCluster(*objects, cnp({"endpointSelector": {}, "ingress": [rule]}))
    assert (cluster.passes("web", "db"), cluster.passes("web", "api")) == ("tcp/8080", "tcp/80")
    # Where pods give a name to different numbers, versions of Cilium differ on egress.
    cluster = CiliumCluster(*objects, cnp({"endpointSelector": WEB, "egress": [rule]}))
    assert cluster.passes("web", "db") == "at most tcp/80, tcp/8080"


@pytest.mark.parametrize(
    ("fields", "passed"),
    rows(
        ([{"type": 8, "family": "IPv4"}, {"type": "EchoRequest", "family": "IPv6"}], "icmp/8, icmpv6/128"),
        ([{"type": "8"}], "icmp/8"),
        ([{"type": "DestinationUnreachable", "family": "IPv6"}], "icmpv6/1"),
        ([], "at most all"),
    ),
)
def test_messages_of_icmp_are_types_by_number_or_name(fields: Any, passed: str) -> None:
    assert shop(out({"icmps": [{"fields": fields}]})).passes("web", "db") == passed


@pytest.mark.parametrize(
    ("item", "description", "passed"),
    rows(
        ({"rules": {"http": [{"method": "GET", "path": "/public"}]}}, "HTTP: GET /public only", "tcp/80"),
        ({"rules": {"kafka": [{"role": "produce", "topic": "t"}]}}, "Kafka: role produce topic t only", "tcp/80"),
        ({"rules": {"dns": [{"matchPattern": "*.x.io"}]}}, "DNS: *.x.io only", "tcp/80"),
        ({"rules": {"l7proto": "memcache", "l7": [{"opCode": "get"}]}}, "memcache: opCode get only", "tcp/80"),
        ({"rules": {"http": []}}, "HTTP: no request named only", "at most tcp/80"),
        ({"serverNames": ["one.one.one.one"]}, "TLS: names one.one.one.one only", "tcp/80"),
        (
            {"listener": {"envoyConfig": {"name": "c"}, "name": "l"}},
            "handed to an Envoy listener, which may refuse it",
            "at most tcp/80",
        ),
        ({"terminatingTLS": {"secret": {"name": "s"}}, "originatingTLS": {"secret": {"name": "s"}}}, "", "tcp/80"),
        ({"rules": {}}, "", "tcp/80"),
    ),
)
def test_what_requests_have_to_meet_is_told(item: Json, description: str, passed: str) -> None:
    cluster = shop(out({"toEndpoints": [DB], **tcp("80", **item)}))
    assert cluster.passes("web", "db") == passed
    (rule,) = cluster.estate.rule_sets["kubernetes:c:shop/CiliumNetworkPolicy/p"].rules
    assert rule.description == description
    assert rule.id == "egress[0].toEndpoints[0].toPorts[0]"


@pytest.mark.parametrize(
    ("mode", "passed"), rows(("required", "at most all"), ("test-always-fail", "at most all"), ("disabled", "all"))
)
def test_whether_ends_prove_who_they_are_is_not_known(mode: str, passed: str) -> None:
    proved = {"fromEndpoints": [WEB], "authentication": {"mode": mode}}
    assert shop(into(proved)).passes("web", "db") == passed
    # A second rule for the same packets does not make up for a proof that fails.
    assert shop(into(proved, {"fromEndpoints": [{}]})).passes("web", "db") == passed
    assert shop(into(proved, {"fromEndpoints": [{}]})).passes("api", "db") == "all"


def test_requirements_limit_others_and_admit_nobody() -> None:
    required = {"fromRequires": [{"matchLabels": {"app": "web"}}]}
    assert passing(shop(into(required))) == ("none",) * 4
    cluster = shop(into(required, {"fromEndpoints": [{}]}, {"fromEntities": ["world"]}))
    assert passing(cluster) == ("all", "at most all", "none", "at most all")


def test_what_people_wrote_goes_with_every_rule() -> None:
    cluster = shop(into({"fromEndpoints": [WEB], **tcp("80", rules={"http": [{}]})}, description="front only"))
    (rule,) = cluster.estate.rule_sets["kubernetes:c:shop/CiliumNetworkPolicy/p"].rules
    assert rule.description == "front only; HTTP: any only"


def test_policies_for_nodes_and_for_cilium_itself_are_gaps_that_leave_pods_alone() -> None:
    host = ccnp({"nodeSelector": {}, "ingress": [{}]}, "host")
    proxy = ccnp({"endpointSelector": {"matchLabels": {"reserved:ingress": ""}}, "ingress": [{}]}, "proxy")
    cluster = shop(host, proxy)
    assert passing(cluster) == ("all",) * 4
    assert {reason for _, reason in cluster.gaps()} == {"unsupported"}
    assert len(cluster.gaps()) == 2


@pytest.mark.parametrize(
    ("kind", "spec", "gaps"),
    rows(
        ("CiliumLocalRedirectPolicy", {"redirectFrontend": {"addressMatcher": {"ip": "169.254.20.10"}}}, 1),
        ("CiliumLocalRedirectPolicy", {"redirectFrontend": {"serviceMatcher": {"serviceName": "dns"}}}, 0),
        ("CiliumEnvoyConfig", {"services": []}, 1),
        ("CiliumClusterwideEnvoyConfig", {"resources": []}, 1),
        ("CiliumNode", {}, 0),
    ),
)
def test_what_hands_packets_to_others_is_a_gap(kind: str, spec: Json, gaps: int) -> None:
    cluster = shop(cilium(kind, "x", "shop", spec=spec))
    assert len(cluster.gaps()) == gaps
    assert passing(cluster) == ("all",) * 4


EVERY: tuple[Json, ...] = (
    {"ingress": [{"fromEndpoints": [WEB], "fromEntities": ["world"]}]},
    {"egress": [{"toCIDR": ["10.0.0.0/8"], "toCIDRSet": [{"cidr": "10.0.0.0/8"}]}]},
    {"egress": [{"toFQDNs": [{"matchName": "a"}], "toEndpoints": [DB]}]},
    {"ingress": [{"fromEntities": ["planet"]}]},
    {"ingress": [{"fromEndpoints": [None]}]},
    {"ingress": [None]},
    {"ingress": [{"fromEndpoint": [WEB]}]},
    {"ingress": [{"fromCIDR": ["10.0.0.0/33"]}]},
    {"ingress": [{"fromCIDRSet": [{"cidr": "10.0.0.0/8", "except": ["11.0.0.0/9"]}]}]},
    {"ingress": [{"fromCIDRSet": [{"cidr": "10.0.0.0/8", "cidrGroupRef": "x"}]}]},
    {"ingress": [{"fromCIDRSet": [{}]}]},
    {"ingress": [{"fromEndpoints": [{"matchExpressions": [{"key": "a", "operator": "Like"}]}]}]},
    {"ingress": [{"toPorts": [{"ports": [{"port": 80}]}]}]},
    {"ingress": [{"toPorts": [{"ports": [{"port": "70000"}]}]}]},
    {"ingress": [{"toPorts": [{"ports": [{"port": "90", "endPort": 80}]}]}]},
    {"ingress": [{"toPorts": [{"ports": [{"port": "080"}]}]}]},
    {"ingress": [{"toPorts": [{"ports": [{"port": "a--b"}]}]}]},
    {"ingress": [{"toPorts": [{"ports": [{"protocol": "TCP"}]}]}]},
    {"ingress": [{"toPorts": [{"ports": [{"port": "8", "protocol": "ICMP"}]}]}]},
    {"ingress": [{"toPorts": [{"ports": [{"port": "8", "protocol": "GRE"}]}]}]},
    {"ingress": [{"toPorts": [{"ports": [{"port": "80"}] * 41}]}]},
    {"ingress": [{**tcp("80"), "icmps": [{"fields": [{"type": 8}]}]}]},
    {"ingress": [{"icmps": [{"fields": [{"type": 256}]}]}]},
    {"ingress": [{"icmps": [{"fields": [{"type": "PacketTooBig"}]}]}]},
    {"ingress": [{"icmps": [{"fields": [{"type": 8, "family": "IPv5"}]}]}]},
    {"ingress": [tcp("53", rules={"dns": [{"matchName": "a"}]})]},
    {"ingress": [tcp("80", rules={"http": [{}], "kafka": [{}]})]},
    {"ingress": [tcp("0", rules={"http": [{}]})]},
    {"ingress": [{"toPorts": [{"ports": [{"port": "80"}], "rules": {"http": [{}]}}]}]},
    {"ingress": [tcp("80", rules={"l7": [{}]})]},
    {"ingress": [tcp("80", listener={"name": "x"})]},
    {"egress": [tcp("80", listener={"name": "x"}, rules={"http": [{}]})]},
    {"egress": [tcp("80", serverNames=[""])]},
    {"egress": [tcp("80", serverNames=["a"], rules={"http": [{}]})]},
    {"egress": [{"toFQDNs": [{}]}]},
    {"egress": [{"toServices": [{}]}]},
    {"egressDeny": [{"toFQDNs": [{"matchName": "a"}]}]},
    {"ingressDeny": [tcp("80", rules={"http": [{}]})]},
    {"ingress": [{"authentication": {"mode": "maybe"}, "fromEndpoints": [WEB]}]},
    {"nodeSelector": {}, "ingress": [{}]},
    {"endpointSelector": {"matchLabels": {PODS: "bank", "app": "db"}}, "ingress": [{}]},
    {"endpointSelector": None, "ingress": [{}]},
    {"ingressDeny": [{"fromEndpoints": [WEB], "fromRequires": [WEB]}]},
    {"ingres": [{}]},
)


@pytest.mark.parametrize("fields", EVERY)
def test_a_policy_that_cilium_refuses_leaves_open_what_it_could_select(fields: Json) -> None:
    cluster = shop(cnp({"endpointSelector": DB, **fields}))
    assert cluster.gaps() == [("shop/CiliumNetworkPolicy/p", "malformed")]
    assert passing(cluster) == ("at most all",) * 4
    selected_alone = fields.get("endpointSelector", DB) is not None
    assert cluster.passes("web", "api") == ("all" if selected_alone else "at most all")


def test_a_clusterwide_policy_that_cilium_refuses_leaves_pods_of_every_namespace_open() -> None:
    wide = shop(ccnp({"endpointSelector": WEB, "ingress": [{"fromEntities": ["planet"]}]}))
    assert [wide.passes("api", target) for target in ("web", "bank/web", "db")] == ["at most all", "at most all", "all"]
    host = shop(ccnp({"nodeSelector": {}, "ingress": [{"fromEntities": ["planet"]}]}))
    assert [reason for _, reason in host.gaps()] == ["malformed"]
    assert passing(host) == ("all",) * 4


def test_a_policy_without_any_spec_leaves_its_namespace_open() -> None:
    cluster = shop(cilium("CiliumNetworkPolicy", "p", "shop"))
    assert passing(cluster) == ("at most all",) * 4
    assert cluster.passes("web", "bank/web") == "at most all"
    assert cluster.passes("bank/web", OUTSIDE) == "all"


def test_one_spec_that_is_refused_takes_the_others_with_it() -> None:
    specs = [
        {"endpointSelector": DB, "ingress": [{"fromEndpoints": [WEB]}]},
        {"endpointSelector": WEB, "ingress": [{"fromEntities": ["planet"]}]},
    ]
    cluster = shop(cilium("CiliumNetworkPolicy", "p", "shop", specs=specs))
    assert cluster.passes("api", "db") == "at most all"
    assert cluster.passes("api", "bank/web") == "all"
    assert not cluster.estate.rule_sets


def test_a_group_of_addresses_that_cannot_be_read_is_known_at_most() -> None:
    broken = cilium("CiliumCIDRGroup", "lan", spec={"externalCIDRs": ["10.0.0.0/99"]})
    items: tuple[Json, ...] = ({"cidrGroupRef": "lan"}, {"cidrGroupSelector": {}})
    for item in items:
        cluster = shop(broken, out({"toCIDRSet": [item]}))
        assert leaving(cluster) == ("none", "none", "none", "at most all")
        assert [reason for _, reason in cluster.gaps()] == ["malformed"]


def test_a_list_of_services_that_was_not_read_leaves_open_what_policies_choose_from_it() -> None:
    chosen = {"matchLabels": {"role": "vpn"}}
    front = written("Service", "front", "shop", metadata={"labels": {"role": "vpn"}}, spec={"selector": {"app": "db"}})
    by_label = out({"toServices": [{"k8sServiceSelector": {"selector": chosen}}]})
    assert leaving(shop(front, by_label)) == ("all", "none", "none", "none")
    assert leaving(unread("services", front, by_label)) == ("all", "none", "none", "at most all")
