"""NetworkPolicy v1, statement by statement, worked out by hand from its documentation.

https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from typing import Any

import pytest

from cloudseg.model import Estate
from cloudseg.providers.kubernetes.translate import translate
from cloudseg.reach.reachability import Reachability
from tests.kubernetes.cluster import OUTSIDE, Cluster, pod, policy, snapshot, space, written

Json = dict[str, Any]

HTTP: list[Json] = [{"name": "http", "containerPort": 8080}]
SPACES = (space("shop", team="a"), space("bank", team="b"))
WEB: Json = {"podSelector": {"matchLabels": {"app": "web"}}}
DB: Json = {"podSelector": {"matchLabels": {"app": "db"}}}
DENY = policy("deny", {"podSelector": {}, "policyTypes": ["Ingress"]})
DENY_BOTH = policy("deny", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
TCP_80: list[Json] = [{"port": 80}]


def rows(*each: Any) -> list[Any]:
    return list(each)


def ingress(*peers: Any, ports: Any = None, on: Any = DB) -> dict[str, Any]:
    rule = ({"from": list(peers)} if peers else {}) | ({} if ports is None else {"ports": ports})
    return policy("in", {**on, "ingress": [rule]})


def egress(*peers: Any, ports: Any = None, on: Any = WEB) -> dict[str, Any]:
    rule = ({"to": list(peers)} if peers else {}) | ({} if ports is None else {"ports": ports})
    return policy("out", {**on, "policyTypes": ["Egress"], "egress": [rule]})


def shop(*objects: Any) -> Cluster:
    """web, db and api in shop, web in bank."""
    return Cluster(*SPACES, pod("web"), pod("db"), pod("api"), pod("web", "bank"), *objects)


@pytest.mark.semantics(89)
def test_without_policies_everything_passes() -> None:
    cluster = shop()
    assert cluster.passes("web", "db") == "all"
    assert cluster.passes("web", OUTSIDE) == "all"
    assert cluster.passes(OUTSIDE, "web") == "all"


@pytest.mark.semantics(88, 260)
def test_policies_are_a_union_in_any_order() -> None:
    narrow, wide = ingress(WEB, ports=TCP_80), policy("wide", {"podSelector": {}, "ingress": [{}]})
    assert shop(DENY, narrow).passes("web", "db") == "tcp/80"
    assert shop(narrow, DENY).passes("web", "db") == "tcp/80"
    assert shop(DENY, wide, narrow).passes("web", "db") == "all"
    assert shop(DENY, wide).passes(OUTSIDE, "api") == "all"


@pytest.mark.semantics(89, 260)
def test_a_policy_isolates_the_pods_that_it_selects_and_no_others() -> None:
    cluster = shop(ingress(WEB))
    assert cluster.passes("api", "db") == "none"
    assert cluster.passes("db", "api") == "all"


@pytest.mark.semantics(89, 106, 214)
def test_directions_are_isolated_apart() -> None:
    cluster = shop(policy("p", {**DB, "policyTypes": ["Egress"]}))
    assert cluster.passes("db", "web") == "none"
    assert cluster.passes("web", "db") == "all"


@pytest.mark.semantics(106)
def test_both_ends_decide() -> None:
    assert (
        shop(egress(DB, ports=[{"port": 80}, {"port": 81}]), ingress(WEB, ports=TCP_80)).passes("web", "db") == "tcp/80"
    )
    assert shop(egress(DB, ports=[{"port": 81}]), ingress(WEB, ports=TCP_80)).passes("web", "db") == "none"
    assert shop(DENY_BOTH, ingress(WEB)).passes("web", "db") == "none"


@pytest.mark.semantics(90)
@pytest.mark.parametrize(
    ("spec", "into", "out"),
    rows(
        ({}, "none", "all"),
        ({"ingress": [{}]}, "all", "all"),
        ({"egress": []}, "none", "all"),
        ({"egress": None}, "none", "all"),
        ({"egress": [{}]}, "none", "all"),
        ({"egress": [{"ports": TCP_80}]}, "none", "tcp/80"),
        ({"policyTypes": [], "egress": [{"ports": TCP_80}]}, "none", "tcp/80"),
        ({"policyTypes": None}, "none", "all"),
        ({"policyTypes": ["Egress"]}, "all", "none"),
        ({"policyTypes": ["Egress"], "ingress": []}, "all", "none"),
        ({"policyTypes": ["Ingress"], "egress": [{"ports": TCP_80}]}, "none", "all"),
        ({"policyTypes": ["Ingress", "Egress"]}, "none", "none"),
    ),
)
def test_policy_types_that_are_absent_are_ingress_and_egress_where_it_has_rules(
    spec: dict[str, Any], into: str, out: str
) -> None:
    cluster = shop(policy("p", DB | spec))
    assert (cluster.passes("web", "db"), cluster.passes("db", "web")) == (into, out)


def test_rules_of_a_direction_that_the_policy_does_not_name_are_told() -> None:
    cluster = shop(policy("p", {**DB, "policyTypes": ["Ingress"], "egress": [{}]}))
    assert not cluster.estate.rule_sets["kubernetes:c:shop/NetworkPolicy/p"].rules
    assert "shop/NetworkPolicy/p: its egress rules have no effect" in " ".join(cluster.estate.notes)


@pytest.mark.semantics(91, 262)
@pytest.mark.parametrize(
    ("rules", "passing"),
    rows(([], "none"), (None, "none"), ([{}], "all"), ([None], "all"), ([{"from": [], "ports": []}], "all")),
)
def test_no_rules_deny_everything_and_an_empty_rule_admits_everything(rules: Any, passing: str) -> None:
    cluster = shop(policy("p", {**DB, "policyTypes": ["Ingress"], "ingress": rules}))
    assert cluster.passes("web", "db") == passing
    assert cluster.passes(OUTSIDE, "db") == passing


@pytest.mark.semantics(262)
def test_both_types_with_rules_that_admit_everything_are_no_default_deny() -> None:
    both = policy("p", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]})
    assert shop(both).passes("web", "db") == "all"


@pytest.mark.semantics(92)
@pytest.mark.parametrize("peers", [{}, {"from": []}, {"from": None}])
def test_peers_that_are_absent_are_anybody(peers: dict[str, Any]) -> None:
    cluster = shop(policy("p", {**DB, "ingress": [{**peers, "ports": TCP_80}]}))
    assert cluster.passes("bank/web", "db") == "tcp/80"
    assert cluster.passes(OUTSIDE, "db") == "tcp/80"


@pytest.mark.semantics(92)
@pytest.mark.parametrize("ports", [{}, {"ports": []}, {"ports": None}])
def test_ports_that_are_absent_are_all_traffic(ports: dict[str, Any]) -> None:
    assert shop(policy("p", {**DB, "ingress": [{"from": [WEB], **ports}]})).passes("web", "db") == "all"


@pytest.mark.semantics(93, 94)
@pytest.mark.parametrize(
    ("peers", "near", "far", "other"),
    rows(
        ([WEB], "all", "none", "none"),
        ([{"podSelector": {}}], "all", "none", "all"),
        ([{"namespaceSelector": {}}], "all", "all", "all"),
        ([{"namespaceSelector": {"matchLabels": {"team": "b"}}}], "none", "all", "none"),
        ([{"namespaceSelector": {"matchLabels": {"team": "a"}}, **WEB}], "all", "none", "none"),
        ([{"namespaceSelector": {"matchLabels": {"team": "b"}}}, WEB], "all", "all", "none"),
        ([{"namespaceSelector": {}, **WEB}], "all", "all", "none"),
        ([{"namespaceSelector": None, **WEB}], "all", "none", "none"),
        ([{"namespaceSelector": {}, "podSelector": None}], "all", "all", "all"),
        ([{"namespaceSelector": {}, "podSelector": {}}], "all", "all", "all"),
    ),
)
def test_selectors_in_one_item_are_both_meant_and_items_are_a_union(
    peers: list[Any], near: str, far: str, other: str
) -> None:
    cluster = shop(ingress(*peers))
    assert [cluster.passes(end, "db") for end in ("web", "bank/web", "api")] == [near, far, other]
    assert cluster.passes(OUTSIDE, "db") == "none"


@pytest.mark.semantics(94, 261)
def test_an_empty_pod_selector_selects_every_pod_of_its_own_namespace_only() -> None:
    cluster = shop(DENY)
    assert cluster.passes("bank/web", "db") == "none"
    assert cluster.passes("db", "bank/web") == "all"


def test_a_pod_selector_that_is_absent_or_null_is_an_empty_one() -> None:
    assert shop(policy("p", {})).passes("web", "db") == "none"
    assert shop(policy("p", {"podSelector": None})).passes("web", "db") == "none"


@pytest.mark.semantics(95)
@pytest.mark.parametrize(
    ("term", "plain", "gold", "lead"),
    rows(
        ({"operator": "In", "values": ["gold"]}, "none", "all", "none"),
        ({"operator": "NotIn", "values": ["gold"]}, "all", "none", "all"),
        ({"operator": "Exists"}, "none", "all", "all"),
        ({"operator": "DoesNotExist"}, "all", "none", "none"),
    ),
)
def test_expressions_on_labels_that_a_pod_may_not_have(term: dict[str, Any], plain: str, gold: str, lead: str) -> None:
    peer = {"podSelector": {"matchExpressions": [{"key": "tier", **term}]}}
    cluster = shop(pod("g", tier="gold"), pod("l", tier="lead"), ingress(peer))
    assert [cluster.passes(end, "db") for end in ("web", "g", "l")] == [plain, gold, lead]


@pytest.mark.semantics(96)
def test_every_namespace_bears_its_name_as_a_label() -> None:
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "bank"}}}
    for objects in (SPACES, ()):
        cluster = Cluster(*objects, pod("db"), pod("web"), pod("web", "bank"), ingress(peer))
        assert cluster.passes("bank/web", "db") == "all"
        assert cluster.passes("web", "db") == "none"
        assert not cluster.gaps()


@pytest.mark.semantics(264)
def test_a_label_that_no_namespace_bears_selects_nothing() -> None:
    cluster = shop(ingress({"namespaceSelector": {"matchLabels": {"team": "c"}}}))
    assert [cluster.passes(end, "db") for end in ("web", "bank/web", OUTSIDE)] == ["none"] * 3


def test_labels_of_a_namespace_that_was_not_read_may_be_any() -> None:
    peer = {"namespaceSelector": {"matchLabels": {"team": "b"}}, **WEB}
    cluster = Cluster(space("shop"), pod("db"), pod("web"), pod("web", "bank"), pod("api", "bank"), ingress(peer))
    assert cluster.passes("bank/web", "db") == "at most all"
    assert cluster.passes("bank/api", "db") == "none"
    assert cluster.passes("web", "db") == "none"
    assert cluster.gaps() == [("bank/Namespace/bank", "unread")]


def test_pods_of_the_default_namespace_need_not_name_it() -> None:
    loose = written("Pod", "web", metadata={"labels": {"app": "web"}}, spec={"containers": []})
    cluster = Cluster(loose, pod("db", "default"), policy("p", {**DB, "ingress": [{"from": [WEB]}]}, "default"))
    assert cluster.passes("default/web", "default/db") == "all"


@pytest.mark.semantics(97)
def test_an_exception_is_carved_out_of_its_own_item_only() -> None:
    block = {"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.0/28"]}}
    cluster = shop(ingress(block))
    assert cluster.passes(OUTSIDE, "db") == "none"
    assert cluster.passes("203.0.113.99", "db") == "all"
    again = shop(ingress(block, {"ipBlock": {"cidr": "203.0.113.9/32"}}))
    assert again.passes(OUTSIDE, "db") == "all"


@pytest.mark.semantics(98)
def test_whether_a_range_of_addresses_matches_pods_is_not_known() -> None:
    cluster = shop(ingress({"ipBlock": {"cidr": "0.0.0.0/0"}}, {"ipBlock": {"cidr": "::/0"}}))
    assert cluster.passes("web", "db") == "at most all"
    assert cluster.passes(OUTSIDE, "db") == "all"


@pytest.mark.semantics(98)
def test_a_range_that_holds_no_address_of_a_pod_does_not_match_it() -> None:
    near, far = pod("near") | {"status": {"podIP": "10.0.0.1"}}, pod("far") | {"status": {"podIP": "172.16.0.1"}}
    cluster = shop(near, far, ingress({"ipBlock": {"cidr": "10.0.0.0/8"}}))
    assert cluster.passes("near", "db") == "at most all"
    assert cluster.passes("far", "db") == "none"


@pytest.mark.semantics(100)
def test_a_named_port_is_what_each_receiving_pod_calls_so() -> None:
    other = [{"name": "http", "containerPort": 9090}]
    peers: Json = {"namespaceSelector": {}}
    named = [{"port": "http"}]
    objects = (pod("one", ports=HTTP, app="s"), pod("two", ports=other, app="s"), pod("none", app="s"))
    on = {"podSelector": {"matchLabels": {"app": "s"}}}
    for rule in (ingress(peers, ports=named, on=on), egress(peers, ports=named), egress(ports=named)):
        cluster = shop(*objects, rule)
        assert [cluster.passes("web", end) for end in ("one", "two", "none")] == ["tcp/8080", "tcp/9090", "none"]


@pytest.mark.semantics(100)
def test_a_named_port_is_of_its_protocol() -> None:
    dns = [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]
    cluster = shop(pod("dns", ports=dns), egress(ports=[{"port": "dns"}]))
    assert cluster.passes("web", "dns") == "none"
    cluster = shop(pod("dns", ports=dns), egress(ports=[{"port": "dns", "protocol": "UDP"}]))
    assert cluster.passes("web", "dns") == "udp/53"


@pytest.mark.semantics(100)
def test_a_named_port_that_no_pod_has_admits_nothing_and_is_told() -> None:
    cluster = shop(ingress(WEB, ports=[{"port": "http"}]))
    assert cluster.passes("web", "db") == "none"
    assert "no pod of namespace shop has a port http/TCP" in " ".join(cluster.estate.notes)


@pytest.mark.semantics(100)
def test_what_a_named_port_means_of_a_range_of_addresses_is_not_known() -> None:
    rule = egress({"ipBlock": {"cidr": "203.0.113.0/24"}}, ports=[{"port": "http"}])
    assert shop(pod("one", ports=HTTP), rule).passes("web", OUTSIDE) == "at most tcp/8080"


def test_a_named_port_of_a_sidecar_counts_and_one_of_an_init_container_does_not() -> None:
    for policy_of, passing in (("Always", "tcp/8080"), (None, "none")):
        made = pod("one")
        made["spec"]["initContainers"] = [{"ports": HTTP, "restartPolicy": policy_of}]
        assert shop(made, egress(ports=[{"port": "http"}])).passes("web", "one") == passing


@pytest.mark.semantics(101)
def test_end_port_is_part_of_the_range() -> None:
    assert shop(ingress(ports=[{"port": 80, "endPort": 90}])).passes("web", "db") == "tcp/80-90"
    assert shop(ingress(ports=[{"port": 80, "endPort": 80}])).passes("web", "db") == "tcp/80"


@pytest.mark.semantics(101, 102)
@pytest.mark.parametrize(
    "port",
    rows(
        {"port": 90, "endPort": 80},
        {"endPort": 80},
        {"port": "http", "endPort": 80},
        {"port": 0},
        {"port": 65536},
        {"port": 80, "endPort": 65536},
        {"port": "80"},
        {"port": 80.5},
        {"port": True},
        {"protocol": "ICMP"},
        {"protocol": "tcp"},
        {"port": 80, "portt": 1},
    ),
)
def test_a_port_that_is_none_makes_the_policy_a_gap_and_leaves_its_pods_open(port: dict[str, Any]) -> None:
    cluster = shop(DENY, ingress(WEB, ports=[port]))
    assert cluster.gaps() == [("shop/NetworkPolicy/in", "malformed")]
    assert cluster.passes("web", "db") == "at most all"
    assert cluster.passes("web", "api") == "none"


@pytest.mark.semantics(102)
@pytest.mark.parametrize(
    ("ports", "passing"),
    rows(
        ([{"port": 80}], "tcp/80"),
        ([{"port": 80, "protocol": None}], "tcp/80"),
        ([{"port": 80, "protocol": "UDP"}], "udp/80"),
        ([{"port": 80, "protocol": "SCTP"}], "sctp/80"),
        ([{"protocol": "TCP"}], "tcp"),
        ([{}], "tcp"),
        ([None], "tcp"),
        ([{"protocol": "TCP"}, {"protocol": "UDP"}, {"protocol": "SCTP"}], "tcp, udp, sctp"),
    ),
)
def test_protocols(ports: list[Any], passing: str) -> None:
    assert shop(ingress(ports=ports)).passes("web", "db") == passing


def on_host(name: str) -> dict[str, Any]:
    made = pod(name)
    made["spec"]["hostNetwork"] = True
    return made


@pytest.mark.semantics(103, 104)
def test_what_passes_between_pods_and_those_on_the_network_of_a_node_is_known_at_most() -> None:
    cluster = shop(DENY_BOTH, on_host("agent"))
    for ends in (("web", "agent"), ("agent", "web"), ("agent", OUTSIDE), (OUTSIDE, "agent")):
        assert cluster.passes(*ends) == "at most all"
    assert cluster.passes("web", "db") == "none"


@pytest.mark.semantics(103)
def test_a_pod_on_the_network_of_its_node_is_selected_by_nothing() -> None:
    cluster = shop(DENY_BOTH, on_host("agent"))
    (own,) = (each for each in cluster.estate.interfaces.values() if each.role == "host")
    policies = [each for each in cluster.estate.rule_sets.values() if each.kind == "NetworkPolicy"]
    assert all(own not in cluster.estate.governed(each) for each in policies)


@pytest.mark.semantics(105)
def test_a_pod_and_itself_are_no_pair() -> None:
    assert shop(DENY_BOTH).passes("web", "web") == "none"


@pytest.mark.semantics(139)
def test_further_networks_of_a_pod_are_not_filtered_so_that_everything_may_pass() -> None:
    made = pod("multi")
    made["metadata"]["annotations"] = {"k8s.v1.cni.cncf.io/networks": "storage"}
    cluster = shop(DENY_BOTH, made)
    assert ("shop/Pod/multi", "unsupported") in cluster.gaps()
    assert cluster.estate.interfaces[cluster.id_of("multi")].attached_unread


@pytest.mark.semantics(114)
def test_that_policies_are_enforced_is_assumed_and_said() -> None:
    assert any("assumed" in note for note in shop(DENY).estate.notes)
    assert not shop().estate.notes


def test_policies_of_one_cluster_do_not_judge_pods_of_another() -> None:
    one = translate(snapshot(*SPACES, pod("web"), pod("db"), DENY, cluster="one"))
    two = translate(snapshot(*SPACES, pod("web"), pod("db"), cluster="two"))
    reach = Reachability(Estate.merged([one, two]))
    web, db = "shop/web[Pod]", "shop/db[Pod]"
    assert str(reach.between(f"kubernetes:one:{web}", f"kubernetes:one:{db}").upper) == "none"
    assert str(reach.between(f"kubernetes:two:{web}", f"kubernetes:two:{db}").lower) == "all"
