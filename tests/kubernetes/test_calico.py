"""Calico's policies, statement by statement, worked out by hand from its documentation.

https://docs.tigera.io/calico/latest/reference/resources/networkpolicy
https://docs.tigera.io/calico/latest/reference/resources/globalnetworkpolicy
https://docs.tigera.io/calico/latest/reference/resources/tier
https://docs.tigera.io/calico/latest/network-policy/policy-tiers/tiered-policy
"""

from typing import Any

import pytest

from tests.kubernetes.cluster import OUTSIDE, Cluster, pod, policy, space, written

Json = dict[str, Any]

GROUP = "projectcalico.org/v3"
STORED = "crd.projectcalico.org/v1"
HTTP: list[Json] = [{"name": "http", "containerPort": 8080}]
SPACES = (space("shop", team="a"), space("bank", team="b"))
ALLOW: Json = {"action": "Allow"}
DENY: Json = {"action": "Deny"}
PASS: Json = {"action": "Pass"}
TCP_80: Json = {"protocol": "TCP", "destination": {"ports": [80]}}


def rows(*each: Any) -> list[Any]:
    return list(each)


def globally(name: str, group: str = GROUP, **spec: Any) -> Json:
    return written("GlobalNetworkPolicy", name, apiVersion=group, spec=spec)


def locally(name: str, namespace: str = "shop", **spec: Any) -> Json:
    return written("NetworkPolicy", name, namespace, apiVersion=GROUP, spec=spec)


def tier(name: str, **spec: Any) -> Json:
    return written("Tier", name, apiVersion=GROUP, spec=spec)


def nets(name: str, *blocks: str, namespace: str | None = None, **labels: str) -> Json:
    kind = "GlobalNetworkSet" if namespace is None else "NetworkSet"
    own = {"apiVersion": GROUP, "metadata": {"labels": labels}, "spec": {"nets": list(blocks)}}
    return written(kind, name, namespace, **own)


def at(made: Json, address: str) -> Json:
    return {**made, "status": {"podIP": address}}


def shop(*objects: Any) -> Cluster:
    """web, db and api in shop, web in bank; their addresses are known."""
    pods = (
        at(pod("web", ports=HTTP), "10.1.0.1"),
        at(pod("db", tier="data"), "10.1.0.2"),
        at(pod("api"), "10.1.0.3"),
        at(pod("web", "bank"), "10.2.0.1"),
    )
    return Cluster(*SPACES, *pods, *objects)


def into_db(*rules: Json, **spec: Any) -> Json:
    return globally("db", selector="app == 'db'", types=["Ingress"], ingress=list(rules), **spec)


# The documentation's own examples, in other names


def test_the_sample_policy_admits_one_port_from_the_front_and_everything_out() -> None:
    rule = {**ALLOW, "protocol": "TCP", "source": {"selector": "app == 'web'"}, "destination": {"ports": [6379]}}
    spec: Json = {"selector": "app == 'db'", "types": ["Ingress", "Egress"], "ingress": [rule], "egress": [ALLOW]}
    for made, other in ((locally("p", **spec), "none"), (globally("p", **spec), "tcp/6379")):
        cluster = shop(made)
        assert cluster.passes("web", "db") == "tcp/6379"
        assert cluster.passes("bank/web", "db") == other
        assert cluster.passes("api", "db") == "none"
        assert cluster.passes("db", "api") == "all"


def test_a_pass_rule_of_a_stage_leaves_the_rest_to_the_tiers_behind() -> None:
    stage = globally(
        "ops.stage",
        tier="ops",
        order=255,
        selector="team == 'x'",
        types=["Ingress"],
        ingress=[{**DENY, "source": {"selector": "team != 'x'"}}, PASS],
    )
    pods = (pod("a", team="x"), pod("b", team="x"), pod("c"))
    cluster = Cluster(space("shop"), *pods, tier("ops", order=300), stage)
    assert cluster.passes("c", "a") == "none"
    assert cluster.passes("b", "a") == "all"
    behind = globally("in", selector="app == 'a'", ingress=[{**ALLOW, **TCP_80}])
    assert Cluster(space("shop"), *pods, tier("ops", order=300), stage, behind).passes("b", "a") == "tcp/80"


def test_namespaces_are_told_by_calicos_own_labels_in_either_selector() -> None:
    source = {"namespaceSelector": "projectcalico.org/name == 'bank'"}
    one = globally(
        "p",
        namespaceSelector="projectcalico.org/name in {'shop', 'none'}",
        selector="app == 'db'",
        ingress=[{**ALLOW, "source": source}],
    )
    other = globally(
        "p",
        selector="projectcalico.org/namespace in {'shop', 'none'} && app == 'db'",
        ingress=[{**ALLOW, "source": {"selector": "projectcalico.org/namespace == 'bank'"}}],
    )
    for made in (one, other):
        cluster = shop(made)
        assert cluster.passes("bank/web", "db") == "all"
        assert cluster.passes("web", "db") == "none"
        assert cluster.passes("web", "api") == "all"


# Tiers and orders


@pytest.mark.parametrize(
    ("first", "second", "passing"),
    rows(
        ({"order": 1}, {"order": 2}, "none"),
        ({"order": 2}, {"order": 1}, "all"),
        ({"order": 2}, {"order": 1.5}, "all"),
        ({}, {"order": 5000}, "all"),
        ({"order": 5000}, {}, "none"),
        ({}, {}, "none"),
        ({"order": 7}, {"order": 7}, "none"),
    ),
)
def test_policies_are_asked_by_their_orders_then_by_their_names(first: Json, second: Json, passing: str) -> None:
    no, yes = globally("a", ingress=[DENY], **first), globally("b", ingress=[ALLOW], **second)
    assert shop(no, yes).passes("web", "db") == passing
    assert shop(yes, no).passes("web", "db") == passing


def test_between_policies_of_one_order_and_of_different_kinds_nothing_that_is_documented_decides() -> None:
    both = shop(globally("b", ingress=[DENY]), locally("a", ingress=[ALLOW]))
    assert both.passes("web", "db") == "at most all"
    assert [gap.resource for gap in both.estate.gaps] == ["GlobalNetworkPolicy/b"]
    assert shop(globally("a", ingress=[DENY]), locally("b", ingress=[ALLOW])).passes("web", "db") == "at most all"
    assert shop(globally("b", ingress=[ALLOW]), locally("a", ingress=[ALLOW])).passes("web", "db") == "all"
    apart = shop(globally("b", ingress=[{**DENY, **TCP_80}]), locally("a", ingress=[{**ALLOW, "protocol": "UDP"}]))
    assert apart.passes("web", "db") == "udp"


@pytest.mark.parametrize(
    ("a", "b", "passing"),
    rows(
        ({"order": 1}, {"order": 2}, "none"),
        ({"order": 2}, {"order": 1}, "all"),
        ({}, {"order": 2}, "all"),
        ({"order": 2}, {}, "none"),
        ({}, {}, "none"),
        ({"order": 3}, {"order": 3}, "none"),
    ),
)
def test_tiers_are_asked_by_their_orders_then_by_their_names(a: Json, b: Json, passing: str) -> None:
    no, yes = globally("a.p", tier="a", ingress=[DENY]), globally("b.p", tier="b", ingress=[ALLOW])
    assert shop(tier("a", **a), tier("b", **b), no, yes).passes("web", "db") == passing


def test_a_tier_without_order_comes_behind_the_default_one() -> None:
    yes, no = globally("p", ingress=[ALLOW]), globally("late.p", tier="late", ingress=[DENY])
    assert shop(tier("late"), yes, no).passes("web", "db") == "all"
    assert shop(tier("late"), globally("p", ingress=[PASS]), no).passes("web", "db") == "none"
    assert shop(tier("late", order=1), yes, no).passes("web", "db") == "none"


def test_what_no_policy_of_a_tier_decides_is_denied_where_one_applies() -> None:
    early = globally("ops.p", tier="ops", selector="app == 'db'", ingress=[{**ALLOW, **TCP_80}])
    cluster = shop(tier("ops", order=1), early)
    assert cluster.passes("web", "db") == "tcp/80"
    assert cluster.passes("web", "api") == "all"
    assert cluster.passes("db", "web") == "all"


def test_a_tier_that_passes_by_default_hands_on_what_it_does_not_decide() -> None:
    early = globally("ops.p", tier="ops", selector="app == 'db'", ingress=[{**DENY, **TCP_80}])
    cluster = shop(tier("ops", order=1, defaultAction="Pass"), early)
    assert cluster.passes("web", "db") == "all except tcp/80"
    assert shop(tier("ops", order=1, defaultAction="Deny"), early).passes("web", "db") == "none"


def test_pass_of_the_last_tier_leads_to_the_profile_which_admits() -> None:
    assert shop(into_db(PASS)).passes("web", "db") == "all"


def test_log_decides_nothing() -> None:
    assert shop(into_db({"action": "Log"}, {**ALLOW, **TCP_80})).passes("web", "db") == "tcp/80"
    assert shop(into_db({"action": "Log"})).passes("web", "db") == "none"


@pytest.mark.parametrize(
    ("order", "passing"), rows((10, "none"), (999, "none"), (1001, "tcp/80"), (None, "tcp/80"), (1000, "at most all"))
)
def test_network_policies_of_kubernetes_are_at_order_1000_of_the_default_tier(
    order: float | None, passing: str
) -> None:
    native = policy("p", {"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [{"ports": [{"port": 80}]}]})
    cluster = shop(native, into_db(DENY, **({} if order is None else {"order": order})))
    assert cluster.passes("web", "db") == passing


def test_network_policies_of_kubernetes_isolate_as_before_and_calicos_add_to_them() -> None:
    native = policy("p", {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]})
    more = into_db({**ALLOW, "protocol": "UDP"})
    assert shop(native, more).passes("web", "db") == "tcp/80, udp"
    assert shop(native, more).passes("web", "api") == "tcp/80"
    assert shop(native, into_db(PASS, order=1)).passes("web", "db") == "all"


def test_ranges_of_network_policies_match_pods_by_their_addresses() -> None:
    native = policy("p", {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.2.0.0/16"}}]}]})
    cluster = shop(native, globally("beside", selector="app == 'nobody'"))
    assert cluster.passes("bank/web", "db") == "all"
    assert cluster.passes("web", "db") == "none"


# Admin policies of Kubernetes: their tiers have order 1,000 and 10,000,000


def admin(name: str, action: str, kind: str = "AdminNetworkPolicy") -> Json:
    who: list[Json] = [{"namespaces": {}}]
    spec: Json = {"subject": {"namespaces": {}}, "ingress": [{"name": "r", "action": action, "from": who}]}
    priority = {"priority": 10} if kind == "AdminNetworkPolicy" else {}
    return written(kind, name, apiVersion="policy.networking.k8s.io/v1alpha1", spec=spec | priority)


@pytest.mark.parametrize(
    ("order", "passing"), rows((999, "none"), (1001, "all"), (5_000_000, "all"), (20_000_000, "all"), (None, "all"))
)
def test_admin_policies_are_asked_before_tiers_of_a_higher_order(order: float | None, passing: str) -> None:
    own = tier("ops", **({} if order is None else {"order": order}))
    cluster = shop(admin("a", "Allow"), own, globally("ops.p", tier="ops", ingress=[DENY]))
    assert cluster.passes("web", "db") == passing


@pytest.mark.parametrize(
    ("order", "passing"), rows((999, "all"), (5_000_000, "all"), (20_000_000, "none"), (None, "none"))
)
def test_the_baseline_is_asked_behind_tiers_of_a_lower_order(order: float | None, passing: str) -> None:
    own = tier("ops", **({} if order is None else {"order": order}))
    baseline = admin("default", "Deny", "BaselineAdminNetworkPolicy")
    cluster = shop(baseline, own, globally("ops.p", tier="ops", ingress=[ALLOW]))
    assert cluster.passes("web", "db") == passing


def test_what_admin_policies_pass_on_comes_to_the_default_tier() -> None:
    early = globally("ops.p", tier="ops", ingress=[PASS])
    late = into_db({**ALLOW, **TCP_80})
    assert shop(admin("a", "Pass"), tier("ops", order=1), early, late).passes("web", "db") == "tcp/80"


def test_a_policy_between_admin_policies_leaves_its_pods_open() -> None:
    between = globally("adminnetworkpolicy.p", tier="adminnetworkpolicy", selector="app == 'db'", ingress=[DENY])
    assert shop(between).passes("web", "db") == "none"
    cluster = shop(admin("a", "Allow"), between)
    assert cluster.passes("web", "db") == "at most all"
    assert cluster.passes("web", "api") == "all"


# Directions


@pytest.mark.parametrize(
    ("spec", "into", "out"),
    rows(
        ({}, "none", "all"),
        ({"ingress": [ALLOW]}, "all", "all"),
        ({"ingress": [], "egress": []}, "none", "all"),
        ({"egress": [ALLOW]}, "all", "all"),
        ({"egress": [DENY]}, "all", "none"),
        ({"ingress": [DENY], "egress": [DENY]}, "none", "none"),
        ({"types": ["Egress"]}, "all", "none"),
        ({"types": ["Ingress"], "egress": [DENY]}, "none", "all"),
        ({"types": ["Ingress", "Egress"], "ingress": [ALLOW]}, "all", "none"),
    ),
)
def test_types_that_are_absent_follow_from_the_rules(spec: Json, into: str, out: str) -> None:
    cluster = shop(globally("p", selector="app == 'db'", **spec))
    assert (cluster.passes("web", "db"), cluster.passes("db", "web")) == (into, out)


def test_rules_of_a_direction_that_types_do_not_name_add_nothing_to_another_policy() -> None:
    idle = globally("a", selector="app == 'db'", types=["Ingress"], ingress=[ALLOW], egress=[ALLOW])
    closed = globally("b", selector="app == 'db'", types=["Egress"])
    assert shop(idle, closed).passes("db", "web") == "none"


# Selectors


@pytest.mark.parametrize(
    ("selector", "chosen"),
    rows(
        ("app == 'web'", "bank/web web"),
        ('app == "web"', "bank/web web"),
        ("app != 'web'", "api db"),
        ("tier != 'data'", "api bank/web web"),
        ("app in {'db', 'api'}", "api db"),
        ("app in {}", ""),
        ("app not in {'db', 'api'}", "bank/web web"),
        ("tier not in {'data'}", "api bank/web web"),
        ("has(tier)", "db"),
        ("!has(tier)", "api bank/web web"),
        ("! has( tier )", "api bank/web web"),
        ("app contains 'e'", "bank/web web"),
        ("app starts with 'a'", "api"),
        ("app starts with ''", "api bank/web db web"),
        ("tier ends with 'ta'", "db"),
        ("!(app ends with 'b')", "api"),
        ("all()", "api bank/web db web"),
        ("", "api bank/web db web"),
        ("!all()", ""),
        ("has(tier) || app == 'api' && app == 'web'", "db"),
        ("(has(tier) || app == 'web') && !has(tier)", "bank/web web"),
        ("!has(tier) && !(app == 'web')", "api"),
        ("!!has(tier)", "db"),
        ("projectcalico.org/orchestrator == 'k8s'", "api bank/web db web"),
        ("projectcalico.org/orchestrator != 'k8s'", ""),
        ("projectcalico.org/namespace == 'bank'", "bank/web"),
        ("projectcalico.org/namespace starts with 'sh'", "api db web"),
        ("pcns.team == 'b'", "bank/web"),
    ),
)
def test_selectors_choose(selector: str, chosen: str) -> None:
    cluster = shop(globally("p", selector=selector))
    assert not cluster.gaps()
    names = ("api", "bank/web", "db", "web")
    closed = [name for name in names if cluster.passes(OUTSIDE, name) == "none"]
    assert " ".join(closed) == chosen


@pytest.mark.parametrize(
    "selector",
    [
        "app = 'web'",
        "app == web",
        "app ==",
        "app",
        "has(app",
        "has()",
        "(app == 'web'",
        "app == 'web' app",
        "app in {'a' 'b'}",
        "app in 'a'",
        "app == 'web' &",
        "&& has(app)",
        "app is 'web'",
        "app == 'web",
        "global()",
        "{{ x }}",
        "(" * 200 + "has(a)" + ")" * 200,
        "!" * 5000 + "has(a)",
    ],
)
def test_a_selector_that_cannot_be_read_leaves_every_pod_open_that_it_could_choose(selector: str) -> None:
    cluster = shop(locally("p", selector=selector, ingress=[ALLOW]))
    assert [reason for _, reason in cluster.gaps()] == ["malformed"]
    assert cluster.passes("web", "db") == "at most all"
    assert cluster.passes(OUTSIDE, "bank/web") == "all"


@pytest.mark.parametrize(
    ("entity", "passing"),
    rows(
        ({}, "api bank/web out web"),
        ({"selector": "all()"}, "api bank/web web"),
        ({"selector": "app == 'web'"}, "bank/web web"),
        ({"selector": "app == 'web'", "namespaceSelector": "team == 'a'"}, "web"),
        ({"namespaceSelector": "team == 'b'"}, "bank/web"),
        ({"namespaceSelector": "all()"}, "api bank/web web"),
        ({"namespaceSelector": "global()"}, ""),
        ({"notSelector": "app == 'web'"}, "api out"),
        ({"selector": "!(app == 'web')"}, "api"),
        ({"selector": "app != 'api'", "notSelector": "projectcalico.org/namespace == 'bank'"}, "web"),
        ({"namespaceSelector": "team == 'a'", "notSelector": "app == 'web'"}, "api"),
        ({"nets": ["10.2.0.0/16"]}, "bank/web"),
        ({"nets": ["203.0.113.9"]}, "out"),
        ({"notNets": ["10.0.0.0/8"]}, "out"),
        ({"nets": ["10.0.0.0/8"], "notNets": ["10.1.0.0/24"]}, "bank/web"),
        ({"nets": ["10.1.0.0/16"], "selector": "app == 'web'"}, "web"),
        ({"nets": ["10.1.0.0/16"], "notSelector": "app == 'web'"}, "api"),
    ),
)
def test_sources_of_a_global_policy(entity: Json, passing: str) -> None:
    cluster = shop(into_db({**ALLOW, "source": entity}))
    ends = {"api": "api", "bank/web": "bank/web", "out": OUTSIDE, "web": "web"}
    assert " ".join(name for name, end in ends.items() if cluster.passes(end, "db") == "all") == passing
    assert all(cluster.passes(end, "db") in {"all", "none"} for end in ends.values())


@pytest.mark.parametrize(
    ("entity", "passing"),
    rows(
        ({}, "api bank/web out web"),
        ({"selector": "all()"}, "api web"),
        ({"selector": "app == 'web'"}, "web"),
        ({"notSelector": "app == 'web'"}, "api"),
        ({"selector": "app == 'web'", "namespaceSelector": "all()"}, "bank/web web"),
        ({"namespaceSelector": "team == 'b'"}, "bank/web"),
        ({"notNets": ["10.1.0.0/16"]}, "bank/web out"),
    ),
)
def test_sources_of_a_namespaces_policy_are_in_its_namespace_unless_it_says_otherwise(
    entity: Json, passing: str
) -> None:
    cluster = shop(locally("db", selector="app == 'db'", ingress=[{**ALLOW, "source": entity}]))
    ends = {"api": "api", "bank/web": "bank/web", "out": OUTSIDE, "web": "web"}
    assert " ".join(name for name, end in ends.items() if cluster.passes(end, "db") == "all") == passing


def test_a_range_matches_pods_of_unread_addresses_at_most() -> None:
    pods = (pod("web"), pod("db"))
    allow = Cluster(space("shop"), *pods, into_db({**ALLOW, "source": {"nets": ["10.0.0.0/8"]}}))
    assert allow.passes("web", "db") == "at most all"
    deny = Cluster(space("shop"), *pods, into_db({**DENY, "source": {"nets": ["10.0.0.0/8"]}}, ALLOW))
    assert deny.passes("web", "db") == "at most all"
    everywhere = Cluster(space("shop"), *pods, into_db({**ALLOW, "source": {"nets": ["0.0.0.0/0", "::/0"]}}))
    assert everywhere.passes("web", "db") == "all"


def test_a_range_that_holds_some_addresses_of_a_pod_matches_it_at_most() -> None:
    both = {**pod("two"), "status": {"podIP": "10.1.0.9", "podIPs": [{"ip": "10.1.0.9"}, {"ip": "10.3.0.9"}]}}
    narrow = shop(both, into_db({**ALLOW, "source": {"nets": ["10.1.0.0/16"]}}))
    assert narrow.passes("two", "db") == "at most all"
    wide = shop(both, into_db({**ALLOW, "source": {"nets": ["10.0.0.0/8"]}}))
    assert wide.passes("two", "db") == "all"


@pytest.mark.parametrize(("behind", "least"), rows((DENY, "none"), (ALLOW, "all")))
def test_what_passes_on_perhaps_leaves_both_open(behind: Json, least: str) -> None:
    early = globally(
        "ops.p", tier="ops", selector="app == 'db'", ingress=[{**PASS, "source": {"nets": ["10.0.0.0/8"]}}]
    )
    late = into_db(behind)
    cluster = Cluster(space("shop"), pod("web"), pod("db"), tier("ops", order=1), early, late)
    assert cluster.passes("web", "db") == "at most all"
    known = shop(tier("ops", order=1), early, late)
    assert known.passes("web", "db") == least
    assert known.passes(OUTSIDE, "db") == "none"


@pytest.mark.parametrize(("rest", "behind"), rows((ALLOW, DENY), (DENY, ALLOW)))
def test_neither_what_follows_nor_the_next_tier_is_certain_behind_what_passes_on_perhaps(
    rest: Json, behind: Json
) -> None:
    rules = [{**PASS, "source": {"nets": ["10.0.0.0/8"]}}, rest]
    early = globally("ops.p", tier="ops", selector="app == 'db'", ingress=rules)
    cluster = Cluster(space("shop"), pod("web"), pod("db"), tier("ops", order=1), early, into_db(behind))
    assert cluster.passes("web", "db") == "at most all"


def test_the_near_end_narrows_a_rule_as_well() -> None:
    cluster = shop(
        globally("p", ingress=[{**ALLOW, "destination": {"selector": "app == 'db'", "nets": ["10.1.0.0/16"]}}])
    )
    assert cluster.passes("web", "db") == "all"
    assert cluster.passes("web", "api") == "none"
    other = shop(globally("p", ingress=[{**ALLOW, "destination": {"notSelector": "app == 'db'"}}]))
    assert other.passes("web", "db") == "none"
    assert other.passes("web", "api") == "all"


# Network sets


@pytest.mark.parametrize(
    ("made", "passing"),
    rows(
        (globally("p", selector="app == 'db'", ingress=[{**ALLOW, "source": {"selector": "role == 'x'"}}]), "all"),
        (locally("p", selector="app == 'db'", ingress=[{**ALLOW, "source": {"selector": "role == 'x'"}}]), "none"),
        (
            locally(
                "p",
                selector="app == 'db'",
                ingress=[{**ALLOW, "source": {"selector": "role == 'x'", "namespaceSelector": "global()"}}],
            ),
            "all",
        ),
        (globally("p", selector="app == 'db'", ingress=[{**ALLOW, "source": {"notSelector": "role == 'x'"}}]), "none"),
        (globally("p", selector="app == 'db'", ingress=[{**ALLOW, "source": {"selector": "role == 'y'"}}]), "none"),
    ),
)
def test_global_network_sets_are_chosen_by_their_labels(made: Json, passing: str) -> None:
    assert shop(made, nets("s", "203.0.113.0/24", role="x")).passes(OUTSIDE, "db") == passing


def test_a_global_network_set_is_in_no_namespace() -> None:
    inside = into_db({**ALLOW, "source": {"selector": "role == 'x'", "namespaceSelector": "all()"}})
    assert shop(inside, nets("s", "203.0.113.0/24", role="x")).passes(OUTSIDE, "db") == "none"


@pytest.mark.parametrize(
    "entity", [{"serviceAccounts": {"selector": "!has(a)"}}, {"namespaceSelector": "!has(a)"}], ids=["account", "space"]
)
def test_a_negated_selector_of_what_network_sets_do_not_have_matches_them_at_most(entity: Json) -> None:
    made = into_db({**ALLOW, "source": {"selector": "role == 'x'", **entity}})
    assert shop(made, nets("s", "203.0.113.0/24", role="x")).passes(OUTSIDE, "db") == "at most all"


def test_a_network_set_of_a_namespace_is_in_it() -> None:
    rule = {**ALLOW, "source": {"selector": "role == 'x'"}}
    made = locally("p", selector="app == 'db'", ingress=[rule])
    assert shop(made, nets("s", "203.0.113.0/24", namespace="shop", role="x")).passes(OUTSIDE, "db") == "all"
    assert shop(made, nets("s", "203.0.113.0/24", namespace="bank", role="x")).passes(OUTSIDE, "db") == "none"


def test_a_stored_network_set_keeps_its_labels_in_an_annotation() -> None:
    made = written(
        "GlobalNetworkSet",
        "s",
        apiVersion=STORED,
        metadata={"annotations": {"projectcalico.org/metadata": '{"labels": {"role": "x"}}'}},
        spec={"nets": ["203.0.113.0/24"]},
    )
    assert shop(made, into_db({**ALLOW, "source": {"selector": "role == 'x'"}})).passes(OUTSIDE, "db") == "all"


def test_a_network_set_that_cannot_be_read_may_hold_anything() -> None:
    cluster = shop(nets("s", "nonsense", role="x"), into_db({**ALLOW, "source": {"selector": "role == 'y'"}}))
    assert [reason for _, reason in cluster.gaps()] == ["malformed"]
    assert cluster.passes(OUTSIDE, "db") == "at most all"
    assert cluster.passes("web", "db") == "at most all"


# Protocols and ports


@pytest.mark.parametrize(
    ("match", "passing"),
    rows(
        ({"protocol": "TCP"}, "tcp"),
        ({"protocol": 6}, "tcp"),
        ({"protocol": "6"}, "tcp"),
        ({"protocol": "UDPLite"}, "udplite"),
        ({"notProtocol": "TCP"}, "all except tcp"),
        ({"protocol": "TCP", "destination": {"ports": [80, "90:92"]}}, "tcp/80, tcp/90-92"),
        ({"protocol": "TCP", "destination": {"ports": ["80"]}}, "tcp/80"),
        ({"protocol": "UDP", "destination": {"ports": [80], "notPorts": [80]}}, "none"),
        ({"protocol": "TCP", "destination": {"notPorts": ["1:65535"]}}, "tcp/0"),
        ({"protocol": "TCP", "destination": {"ports": ["1:100"], "notPorts": ["2:99"]}}, "tcp/1, tcp/100"),
        ({"protocol": "TCP", "destination": {"ports": ["http"]}}, "tcp/8080"),
        ({"protocol": "UDP", "destination": {"ports": ["http"]}}, "none"),
        ({"protocol": "TCP", "destination": {"ports": ["http", 80]}}, "tcp/80, tcp/8080"),
        ({"protocol": "TCP", "destination": {"ports": ["8079:8081"], "notPorts": ["http"]}}, "tcp/8079, tcp/8081"),
        ({"protocol": "ICMP"}, "icmp"),
        ({"protocol": "ICMP", "icmp": {"type": 8}}, "icmp/8"),
        ({"protocol": "ICMP", "icmp": {"type": 3, "code": 4}}, "icmp/3:4"),
        ({"protocol": "ICMPv6", "icmp": {"type": 128}}, "icmpv6/128"),
        ({"protocol": "ICMP", "ipVersion": 4}, "icmp"),
        ({"protocol": "ICMP", "ipVersion": 6}, "none"),
        ({"protocol": "TCP", "ipVersion": 4}, "tcp"),
        ({"protocol": "TCP", "ipVersion": 6}, "none"),
        ({"protocol": "TCP", "http": {"methods": ["GET"]}}, "tcp"),
        ({"http": {"paths": [{"prefix": "/a"}]}}, "tcp"),
        ({"protocol": "TCP", "source": {"ports": [1000]}}, "at most tcp"),
        ({"protocol": "TCP", "source": {"notPorts": [1000]}}, "at most tcp"),
        ({"protocol": "TCP", "source": {"ports": ["http"]}}, "at most tcp"),
    ),
)
def test_protocols_and_ports(match: Json, passing: str) -> None:
    cluster = shop(globally("p", selector="app == 'web'", ingress=[{**ALLOW, **match}]))
    assert not cluster.gaps()
    assert cluster.passes("db", "web") == passing


def test_icmp_messages_that_are_excluded_leave_the_others() -> None:
    rule = {**ALLOW, "protocol": "ICMP", "notICMP": {"type": 8}}
    assert "icmp/8" not in shop(into_db(rule)).passes("web", "db").replace("icmp/8:", "")
    assert "icmp/0" in shop(into_db(rule)).passes("web", "db")


def test_a_named_port_on_the_way_out_is_that_of_the_receiving_pod_and_never_outside() -> None:
    rule = {**ALLOW, "protocol": "TCP", "destination": {"ports": ["http"]}}
    cluster = shop(globally("p", selector="app == 'db'", egress=[rule]))
    assert cluster.passes("db", "web") == "tcp/8080"
    assert cluster.passes("db", "api") == "none"
    assert cluster.passes("db", OUTSIDE) == "none"


def test_a_named_port_that_is_excluded_is_excluded_only_where_pods_have_it() -> None:
    rule = {**ALLOW, "protocol": "TCP", "destination": {"notPorts": ["http"]}}
    cluster = shop(globally("p", selector="app == 'db'", egress=[rule]))
    assert cluster.passes("db", "web") == "tcp/0-8079, tcp/8081-65535"
    assert cluster.passes("db", "api") == "tcp"
    assert cluster.passes("db", OUTSIDE) == "tcp"


def test_what_is_asked_of_requests_is_told_of_the_rule() -> None:
    rule = {**ALLOW, "http": {"methods": ["GET", "PUT"], "paths": [{"exact": "/a"}, {"prefix": "/b"}]}}
    (made,) = shop(into_db(rule)).estate.rule_sets["kubernetes:c:GlobalNetworkPolicy/db"].rules
    assert made.description == "HTTP: GET, PUT /a, /b* only"


# Services and names


FRONT = written(
    "Service",
    "front",
    "shop",
    spec={"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}, {"port": 53, "protocol": "UDP"}]},
)


def out_to(match: Json, *objects: Json) -> Cluster:
    return shop(globally("p", selector="app == 'db'", egress=[{**ALLOW, "destination": {"services": match}}]), *objects)


def test_a_service_stands_for_its_pods_on_the_ports_to_which_it_sends() -> None:
    cluster = out_to({"name": "front", "namespace": "shop"}, FRONT)
    assert cluster.passes("db", "web") == "tcp/8080, udp/53"
    assert cluster.passes("db", "bank/web") == "none"
    assert cluster.passes("db", OUTSIDE) == "none"


def test_a_service_that_was_not_read_may_stand_for_anybody() -> None:
    cluster = out_to({"name": "front", "namespace": "shop"})
    assert cluster.passes("db", "web") == "at most all"
    assert cluster.passes("db", OUTSIDE) == "at most all"


def test_a_service_as_a_source_stands_for_its_pods_on_any_port() -> None:
    cluster = shop(FRONT, into_db({**ALLOW, "source": {"services": {"name": "front", "namespace": "shop"}}}))
    assert cluster.passes("web", "db") == "all"
    assert cluster.passes("api", "db") == "none"


def test_names_stand_for_addresses_that_nobody_knows() -> None:
    rule = {**ALLOW, "protocol": "TCP", "destination": {"domains": ["*.example.com"], "ports": [443]}}
    cluster = shop(globally("p", selector="app == 'db'", egress=[rule]))
    assert cluster.passes("db", OUTSIDE) == "at most tcp/443"


# What is not judged, and what cannot be read


@pytest.mark.parametrize("flag", [{"doNotTrack": True, "applyOnForward": True}, {"preDNAT": True}])
def test_policies_of_host_endpoints_leave_pods_alone_or_open(flag: Json) -> None:
    hosts = shop(globally("p", selector="has(host-endpoint)", ingress=[DENY], **flag))
    assert hosts.passes("web", "db") == "all"
    pods = shop(globally("p", selector="app == 'db'", ingress=[DENY], **flag))
    assert pods.passes("web", "db") == "at most all"
    assert pods.passes("web", "api") == "all"


def test_apply_on_forward_says_nothing_of_pods_themselves() -> None:
    assert shop(into_db(DENY, applyOnForward=True)).passes("web", "db") == "none"


def test_policies_that_host_endpoints_apply_to_what_they_forward_leave_all_open() -> None:
    host = written("HostEndpoint", "h", apiVersion=GROUP, spec={"node": "n", "interfaceName": "*"})
    forwarding = globally("p", selector="has(host-endpoint)", ingress=[DENY], applyOnForward=True)
    assert shop(host, forwarding).passes("web", "api") == "at most all"
    assert shop(host).passes("web", "api") == "all"


def test_staged_policies_have_no_effect() -> None:
    staged = written("StagedGlobalNetworkPolicy", "p", apiVersion=GROUP, spec={"ingress": [DENY]})
    cluster = shop(staged)
    assert cluster.passes("web", "db") == "all"
    assert not cluster.gaps()


def test_a_policy_in_a_tier_that_was_not_read_leaves_its_pods_open() -> None:
    cluster = shop(globally("ops.p", tier="ops", selector="app == 'db'", ingress=[DENY]))
    assert [reason for _, reason in cluster.gaps()] == ["unread"]
    assert cluster.passes("web", "db") == "at most all"
    assert cluster.passes("web", "api") == "all"


def test_a_tier_that_cannot_be_read_leaves_its_policies_pods_open() -> None:
    cluster = shop(tier("ops", defaultAction="Maybe"), globally("ops.p", tier="ops", selector="app == 'db'"))
    assert sorted(reason for _, reason in cluster.gaps()) == ["malformed", "unread"]
    assert cluster.passes("web", "db") == "at most all"


@pytest.mark.parametrize(
    "rule",
    rows(
        {"action": "Perhaps"},
        {},
        {**ALLOW, "destination": {"ports": [80]}},
        {**ALLOW, "protocol": "ICMP", "destination": {"ports": [80]}},
        {**ALLOW, "protocol": "TCP", "destination": {"ports": [70000]}},
        {**ALLOW, "protocol": "TCP", "destination": {"ports": ["90:80"]}},
        {**ALLOW, "protocol": "TCP", "destination": {"ports": ["a b"]}},
        {**ALLOW, "protocol": "TCP", "destination": {"ports": [-1]}},
        {**ALLOW, "protocol": "HTTP"},
        {**ALLOW, "protocol": 300},
        {**ALLOW, "icmp": {"type": 8}},
        {**ALLOW, "protocol": "ICMP", "icmp": {"code": 8}},
        {**ALLOW, "protocol": "ICMP", "icmp": {"type": 300}},
        {**ALLOW, "ipVersion": 5},
        {**ALLOW, "source": {"nets": ["10.0.0.0/40"]}},
        {**ALLOW, "source": {"selector": "nonsense"}},
        {**ALLOW, "source": {"unheardOf": True}},
        {**ALLOW, "unheardOf": True},
        {**DENY, "http": {"methods": ["GET"]}},
        {**DENY, "destination": {"domains": ["example.com"]}},
        {**ALLOW, "http": {"paths": [{}]}},
        {**ALLOW, "destination": {"services": {"name": "front"}}},
        {**ALLOW, "source": {"services": {}}},
        {**ALLOW, "source": {"services": {"name": "a", "namespace": "b"}, "selector": "all()"}},
    ),
)
def test_a_rule_that_cannot_be_read_leaves_the_pods_of_its_policy_open(rule: Json) -> None:
    cluster = shop(into_db(rule))
    assert [reason for _, reason in cluster.gaps()] == ["malformed"]
    assert cluster.passes("web", "db") == "at most all"
    assert cluster.passes("web", "api") == "all"


@pytest.mark.parametrize(
    "spec", [{"types": ["Sideways"]}, {"order": "first"}, {"unheardOf": 1}, {"namespaceSelector": "x"}, {"tier": 5}]
)
def test_a_policy_that_cannot_be_read_leaves_its_pods_open(spec: Json) -> None:
    cluster = shop(globally("p", selector="app == 'db'", **spec))
    assert [reason for _, reason in cluster.gaps()] == ["malformed"]
    assert cluster.passes("web", "db") == "at most all"
    assert cluster.passes("web", "api") == "all"


@pytest.mark.parametrize("other", [into_db(DENY), into_db(ALLOW), into_db(ALLOW, order=1), into_db(PASS)])
@pytest.mark.parametrize("tiers", [(), (tier("ops", order=1),), (tier("ops"),)])
def test_a_policy_that_cannot_be_read_may_admit_what_another_denies_and_the_reverse(tiers: Any, other: Json) -> None:
    unread = globally("ops.p", tier="ops", selector="app == 'db'", unheardOf=1)
    baseline, early = admin("default", "Deny", "BaselineAdminNetworkPolicy"), admin("a", "Allow")
    for beside in ((), (baseline,), (early,)):
        assert shop(*tiers, unread, other, *beside).passes("web", "db") == "at most all"


def test_a_policy_that_is_read_as_shown_and_as_stored_counts_once() -> None:
    spec: Json = {"tier": "default", "selector": "app == 'db'", "ingress": [{**ALLOW, **TCP_80}]}
    cluster = shop(globally("p", **spec), globally("default.p", STORED, **spec))
    assert len(cluster.estate.rule_sets) == 1
    assert cluster.passes("web", "db") == "tcp/80"


def test_a_policy_that_is_written_twice_and_not_alike_leaves_its_pods_open() -> None:
    cluster = shop(globally("p", selector="app == 'db'"), globally("default.p", STORED, selector="app == 'api'"))
    assert {reason for _, reason in cluster.gaps()} == {"malformed"}
    assert cluster.passes("web", "db") == "at most all"


def test_a_network_policy_that_calico_shows_as_its_own_counts_once() -> None:
    native = policy("p", {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]})
    shown = locally("knp.default.p", order=1000, ingress=[{**ALLOW, "protocol": "UDP"}])
    assert shop(native, shown).passes("web", "db") == "tcp/80"
    assert shop(shown).passes("web", "db") == "udp"


def test_policies_of_one_name_in_kubernetes_and_in_calico_are_two() -> None:
    native = policy("p", {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]})
    cluster = shop(native, locally("p", ingress=[{**ALLOW, "protocol": "UDP"}]))
    assert cluster.passes("web", "db") == "tcp/80, udp"


def test_labels_of_namespaces_that_were_not_read_are_known_at_most() -> None:
    made = globally("p", selector="app == 'db'", ingress=[{**ALLOW, "source": {"namespaceSelector": "team == 'a'"}}])
    cluster = Cluster(space("shop", team="a"), pod("db"), pod("web"), pod("web", "bank"), made)
    assert cluster.passes("web", "db") == "all"
    assert cluster.passes("bank/web", "db") == "at most all"
    chosen = Cluster(
        space("shop", team="a"), pod("db"), pod("web", "bank"), globally("p", namespaceSelector="has(team)")
    )
    assert chosen.passes(OUTSIDE, "db") == "none"
    assert chosen.passes(OUTSIDE, "bank/web") == "at most all"


def test_labels_that_controllers_set_are_known_at_most() -> None:
    asked = "pod-template-hash == 'x'"
    source = shop(into_db({**ALLOW, "source": {"selector": asked}}))
    assert source.passes("web", "db") == "at most all"
    assert source.passes(OUTSIDE, "db") == "none"
    assert shop(globally("p", selector=asked)).passes("web", "db") == "at most all"
    for entity in ({"selector": f"!({asked})"}, {"notSelector": asked}):
        assert shop(into_db({**ALLOW, "source": entity})).passes("web", "db") == "at most all"
    chosen = shop(globally("p", selector=f"!({asked}) && app == 'db'"))
    assert chosen.passes("web", "db") == "at most all"
    assert chosen.passes("web", "api") == "all"
