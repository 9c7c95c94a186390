"""Antrea's policies, statement by statement, worked out by hand from their documentation.

https://antrea.io/docs/main/docs/antrea-network-policy/
https://antrea.io/docs/main/docs/antrea-l7-network-policy/
"""

from typing import Any

import pytest

from tests.kubernetes.cluster import OUTSIDE, Cluster, pod, policy, space, written

Json = dict[str, Any]

VERSION = "crd.antrea.io/v1beta1"
HTTP: list[Json] = [{"name": "http", "containerPort": 8080}]
ALL: Json = {"namespaceSelector": {}}
WEB: Json = {"podSelector": {"matchLabels": {"app": "web"}}}
DB: Json = {"podSelector": {"matchLabels": {"app": "db"}}}
BANK: Json = {"namespaceSelector": {"matchLabels": {"team": "b"}}}
NODES: Json = {"nodeSelector": {}}
PING: Json = {"icmp": {"icmpType": 8, "icmpCode": 0}}
PINGS: Json = {"icmp": {}}
SELF: Json = {"namespaces": {"match": "Self"}}
TCP_80: Json = {"protocol": "TCP", "port": 80}
ISOLATED = policy("np", {"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"]})
OPENED = policy("np", {"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [{}]})


def cluster(*objects: Json) -> Cluster:
    """web and db in shop, where db has a port http; web and db in bank."""
    pods = (pod("web"), pod("db", ports=HTTP), pod("web", "bank"), pod("db", "bank"))
    return Cluster(space("shop", team="a"), space("bank", team="b"), *pods, *objects)


def rule(action: str, *ends: Json, **more: Any) -> Json:
    return {"action": action, **({"ends": list(ends)} if ends else {}), **more}


def spec_of(priority: float, applied: Any, more: Json) -> Json:
    ways = {"ingress": "from", "egress": "to"}
    found: Json = {"priority": priority} | ({} if applied is None else {"appliedTo": applied})
    for key, value in more.items():
        rules: Any = (
            [{ways[key] if name == "ends" else name: each[name] for name in each} for each in value]
            if (key in ways)
            else value
        )
        found[key] = rules
    return found


def acnp(name: str = "p", priority: float = 5, applied: Any = (ALL,), **more: Any) -> Json:
    spec = spec_of(priority, None if applied is None else list(applied), more)
    return written("ClusterNetworkPolicy", name, apiVersion=VERSION, spec=spec)


def annp(name: str = "p", namespace: str = "shop", applied: Any = ({"podSelector": {}},), **more: Any) -> Json:
    priority = more.pop("priority", 5)
    spec = spec_of(priority, None if applied is None else list(applied), more)
    return written("NetworkPolicy", name, namespace, apiVersion=VERSION, spec=spec)


def group(name: str, spec: Json, namespace: str | None = None) -> Json:
    return written("ClusterGroup" if namespace is None else "Group", name, namespace, apiVersion=VERSION, spec=spec)


def tier(name: str, priority: int) -> Json:
    return written("Tier", name, apiVersion=VERSION, spec={"priority": priority})


def test_being_selected_isolates_nobody() -> None:
    assert cluster(acnp(ingress=[rule("Allow", WEB, ports=[TCP_80])])).passes("web", "db") == "all"


@pytest.mark.parametrize(
    ("action", "namespaced", "passing"),
    [
        ("Allow", ISOLATED, "all"),
        ("Drop", OPENED, "none"),
        ("Reject", OPENED, "none"),
        ("Pass", OPENED, "all"),
        ("Pass", ISOLATED, "none"),
    ],
)
def test_actions_go_before_network_policies(action: str, namespaced: Json, passing: str) -> None:
    assert cluster(acnp(ingress=[rule(action, ALL)]), namespaced).passes("web", "db") == passing


def test_pass_skips_every_tier_but_the_baseline() -> None:
    passing = acnp("pass", tier="emergency", ingress=[rule("Pass", WEB)])
    dropping = acnp("drop", tier="application", ingress=[rule("Drop")])
    assert cluster(passing, dropping).passes("web", "db") == "all"
    assert cluster(passing, dropping).passes("bank/db", "db") == "none"
    last = acnp("last", tier="baseline", ingress=[rule("Drop")])
    assert cluster(passing, dropping, last).passes("web", "db") == "none"


def test_the_baseline_is_for_pods_that_no_network_policy_selects() -> None:
    drop, allow = (acnp(tier="baseline", ingress=[rule(action)]) for action in ("Drop", "Allow"))
    assert cluster(drop).passes("web", "db") == "none"
    assert cluster(drop, OPENED).passes("web", "db") == "all"
    assert cluster(allow, ISOLATED).passes("web", "db") == "none"


@pytest.mark.parametrize(
    ("allowing", "dropping", "passing"),
    [
        (("emergency", 9), ("securityops", 1), "all"),
        (("securityops", 1), ("emergency", 9), "none"),
        ((None, 1), ("platform", 9), "none"),
        ((None, 9), ("application", 1), "none"),
        (("application", 1.5), (None, 1.6), "all"),
        (("mine", 9), ("emergency", 1), "all"),
        (("late", 1), ("platform", 9), "none"),
    ],
)
def test_tiers_go_first_and_then_priorities(allowing: Any, dropping: Any, passing: str) -> None:
    def made(name: str, place: Any, action: str) -> Json:
        more: Json = {} if place[0] is None else {"tier": place[0]}
        return acnp(name, place[1], ingress=[rule(action)], **more)

    objects = (tier("mine", 10), tier("late", 220), made("a", allowing, "Allow"), made("b", dropping, "Drop"))
    assert cluster(*objects).passes("web", "db") == passing


def test_policies_of_both_kinds_share_an_order() -> None:
    allowing = annp(priority=1, ingress=[rule("Allow")])
    assert cluster(allowing, acnp(priority=2, ingress=[rule("Drop")])).passes("bank/web", "db") == "all"
    assert cluster(allowing, acnp(priority=0 + 1, ingress=[rule("Drop")])).passes("bank/web", "db") == "at most all"


def test_the_first_rule_that_matches_decides() -> None:
    narrow, wide = rule("Allow", WEB, ports=[TCP_80]), rule("Drop")
    assert cluster(acnp(ingress=[narrow, wide])).passes("web", "db") == "tcp/80"
    assert cluster(acnp(ingress=[wide, narrow])).passes("web", "db") == "none"


@pytest.mark.parametrize(
    ("applied", "chosen"),
    [
        ([WEB], {"web", "bank/web"}),
        ([BANK], {"bank/web", "bank/db"}),
        ([BANK | WEB], {"bank/web"}),
        ([WEB, BANK], {"web", "bank/web", "bank/db"}),
        ([{"group": "webs"}], {"web", "bank/web"}),
        ([{"group": "ranges"}], set[str]()),
        ([NODES], set[str]()),
    ],
)
@pytest.mark.parametrize("level", ["policy", "rule"])
def test_a_policy_applies_to_pods_of_the_whole_cluster(applied: Any, chosen: set[str], level: str) -> None:
    groups = (group("webs", WEB), group("ranges", {"ipBlocks": [{"cidr": "10.0.0.0/8"}]}))
    drop = rule("Drop") if level == "policy" else rule("Drop", appliedTo=applied)
    found = cluster(acnp(applied=applied if level == "policy" else None, egress=[drop]), *groups)
    names = ("web", "db", "bank/web", "bank/db")
    assert {name for name in names if found.passes(name, OUTSIDE) == "none"} == chosen


def test_a_policy_of_a_namespace_applies_there_and_means_its_pods() -> None:
    found = cluster(annp(applied=[DB], ingress=[rule("Allow", WEB), rule("Drop")]))
    assert (found.passes("web", "db"), found.passes("bank/web", "db")) == ("all", "none")
    assert found.passes("bank/web", "bank/db") == "all"
    wider = cluster(annp(applied=[DB], ingress=[rule("Allow", WEB | BANK), rule("Drop")]))
    assert (wider.passes("web", "db"), wider.passes("bank/web", "db")) == ("none", "all")


def test_each_rule_may_apply_to_others() -> None:
    rules = [rule("Drop", WEB, appliedTo=[DB]), rule("Drop", DB, appliedTo=[WEB | BANK])]
    found = cluster(acnp(applied=None, ingress=rules))
    assert (found.passes("web", "db"), found.passes("web", "bank/web")) == ("none", "all")
    assert (found.passes("db", "web"), found.passes("db", "bank/web")) == ("all", "none")


def test_self_is_the_namespace_of_each_pod_that_the_rule_applies_to() -> None:
    found = cluster(
        acnp(ingress=[rule("Pass", SELF), rule("Drop", ALL)], egress=[rule("Pass", SELF), rule("Drop", ALL)])
    )
    assert (found.passes("web", "db"), found.passes("bank/web", "bank/db")) == ("all", "all")
    assert (found.passes("web", "bank/db"), found.passes("bank/db", "web")) == ("none", "none")
    narrow = cluster(acnp(applied=[DB], ingress=[rule("Drop", SELF | WEB)]))
    assert (narrow.passes("web", "db"), narrow.passes("bank/web", "db")) == ("none", "all")
    assert narrow.passes("bank/web", "bank/db") == "none"


def test_same_labels_are_namespaces_that_share_values_and_have_them_all() -> None:
    spaces = (space("a", team="x"), space("b", team="x"), space("c", team="y"), space("d"))
    pods = tuple(pod("web", name) for name in "abcd")
    alike = {"namespaces": {"sameLabels": ["team"]}}
    found = Cluster(*spaces, *pods, acnp(ingress=[rule("Allow", alike), rule("Drop")]))
    assert (found.passes("a/web", "b/web"), found.passes("a/web", "c/web")) == ("all", "none")
    assert (found.passes("a/web", "d/web"), found.passes("d/web", "d/web")) == ("none", "none")


def test_groups_hold_selectors_ranges_services_and_other_groups() -> None:
    service = written("Service", "s", "bank", spec={"selector": {"app": "db"}})
    groups = (
        group("webs", WEB),
        group("ranges", {"ipBlocks": [{"cidr": "203.0.113.0/24"}]}),
        group("behind", {"serviceReference": {"name": "s", "namespace": "bank"}}),
        group("all", {"childGroups": ["webs", "ranges", "behind"]}),
    )
    found = cluster(acnp(applied=[DB], ingress=[rule("Allow", {"group": "all"}), rule("Drop")]), service, *groups)
    assert (found.passes("web", "db"), found.passes("bank/db", "db")) == ("all", "all")
    assert (found.passes(OUTSIDE, "db"), found.passes("198.51.100.1", "db")) == ("all", "none")
    assert found.passes("db", "bank/db") == "at most all"


def test_a_group_of_a_namespace_is_of_its_own() -> None:
    groups = (group("g", WEB, "shop"), group("g", DB, "bank"), group("g", {"namespaceSelector": {}}))
    found = cluster(annp(applied=[DB], ingress=[rule("Allow", {"group": "g"}), rule("Drop")]), *groups)
    assert (found.passes("web", "db"), found.passes("bank/web", "db")) == ("all", "none")


def test_a_group_that_was_not_read_may_hold_anybody() -> None:
    found = cluster(acnp(applied=[DB], ingress=[rule("Drop", {"group": "gone"})]))
    assert found.passes("web", "db") == "at most all"
    assert found.gaps() == [("ClusterNetworkPolicy/p", "unsupported")]
    applied = cluster(acnp(applied=[{"group": "gone"}], ingress=[rule("Drop")]))
    assert applied.passes("web", "db") == "at most all"


@pytest.mark.parametrize(
    ("more", "passing"),
    [
        (dict[str, Any](), "all"),
        ({"ports": [TCP_80]}, "tcp/80"),
        ({"ports": [{"port": 80, "endPort": 90}]}, "tcp/80-90"),
        ({"ports": [{"protocol": "UDP"}]}, "udp"),
        ({"ports": [{"port": "http"}]}, "tcp/8080"),
        ({"ports": [{"port": "nothing"}]}, "none"),
        ({"ports": [TCP_80 | {"sourcePort": 1024, "sourceEndPort": 2048}]}, "at most tcp/80"),
        ({"protocols": [PING]}, "icmp/8:0, icmpv6/8:0"),
        ({"protocols": [PINGS], "ports": [TCP_80]}, "tcp/80, icmp, icmpv6"),
    ],
)
@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_ports_and_protocols(more: Json, passing: str, direction: str) -> None:
    rules: Json = {direction: [rule("Allow", ALL, **more), rule("Drop")]}
    assert cluster(acnp(**rules)).passes("web", "db") == passing


def test_a_rule_that_asks_for_requests_admits_the_connection_and_says_for_what() -> None:
    asked = [{"http": {"method": "GET", "path": "/api/*"}}]
    found = cluster(acnp(applied=[DB], ingress=[rule("Allow", WEB, name="api", l7Protocols=asked), rule("Allow")]))
    # What is no such request is dropped, and no later rule is asked.
    assert (found.passes("web", "db"), found.passes("bank/db", "db")) == ("tcp", "all")
    rules = found.estate.rule_sets["kubernetes:c:AntreaClusterNetworkPolicy/p"].rules
    assert rules[0].description == "api: only HTTP: GET /api/*"


def test_names_may_stand_for_any_address() -> None:
    found = cluster(acnp(applied=[WEB], egress=[rule("Allow", {"fqdn": "*example.com"}), rule("Drop")]))
    assert found.passes("web", OUTSIDE) == "at most all"


def test_services_are_met_by_their_own_address() -> None:
    service = written("Service", "s", "bank", spec={"selector": {"app": "db"}})
    drop = rule("Drop", toServices=[{"name": "s", "namespace": "bank"}])
    found = cluster(acnp(applied=[WEB], egress=[drop]), service)
    assert found.passes("web", "bank/db") == "at most all"
    assert found.gaps() == [("ClusterNetworkPolicy/p", "unsupported")]


def test_a_policy_on_a_node_port_leaves_pods_open() -> None:
    drop = rule("Drop", {"ipBlock": {"cidr": "1.1.1.0/24"}})
    found = cluster(acnp(applied=[{"service": {"name": "s", "namespace": "shop"}}], ingress=[drop]))
    assert found.passes(OUTSIDE, "db") == "at most all"


def test_a_tier_that_was_not_read_leaves_the_pods_open_that_it_applies_to() -> None:
    found = cluster(acnp(applied=[DB], tier="theirs", ingress=[rule("Drop")]))
    assert found.passes("web", "db") == "at most all"
    assert found.passes("db", "web") == "at most all"
    assert found.passes(OUTSIDE, "web") == "all"
    assert found.gaps() == [("ClusterNetworkPolicy/p", "unread")]


def test_kinds_of_the_same_name_are_told_apart_by_their_group() -> None:
    found = cluster(ISOLATED, annp("np", ingress=[rule("Drop", WEB)]))
    assert {each.kind for each in found.estate.rule_sets.values()} == {"NetworkPolicy", "AntreaNetworkPolicy"}


MALFORMED: list[tuple[Json, str]] = [
    (acnp(priority=0), "priority is 0"),
    (acnp(priority=10001), "priority is 10001"),
    (acnp(applied=None), "appliedTo stands in the policy, or in each of its rules"),
    (acnp(applied=None, ingress=[rule("Drop"), rule("Drop", appliedTo=[DB])]), "appliedTo stands in the policy"),
    (acnp(ingress=[rule("Drop", appliedTo=[DB])]), "appliedTo stands in the policy"),
    (acnp(applied=[{}]), "appliedTo has an empty item"),
    (acnp(applied=[DB | {"group": "g"}]), "appliedTo sets group and podSelector"),
    (annp(applied=[ALL]), "a policy of one namespace"),
    (annp(ingress=[rule("Drop", SELF)]), "a policy of one namespace"),
    (acnp(ingress=[rule("Deny")]), "which is none of Allow, Drop, Reject, Pass"),
    (acnp(tier="baseline", ingress=[rule("Pass")]), "in the tier that comes last"),
    (acnp(ingress=[rule("Drop", {})]), "sets nothing"),
    (acnp(ingress=[rule("Drop", DB | {"ipBlock": {"cidr": "10.0.0.0/8"}})]), "sets ipBlock and podSelector"),
    (acnp(ingress=[rule("Drop", {"fqdn": "example.com"})]), "fqdn"),
    (acnp(ingress=[rule("Drop", {"ipBlock": {"cidr": "10.0.0.0/33"}})]), "10.0.0.0/33"),
    (acnp(ingress=[rule("Drop", {"ipBlock": {"cidr": "10.0.0.0/8", "except": []}})]), "except"),
    (acnp(ingress=[rule("Drop", {"namespaces": {"match": "Other"}})]), "neither match Self nor sameLabels"),
    (acnp(ingress=[rule("Drop", ports=[{"port": 90, "endPort": 80}])]), "endPort 80 is below port 90"),
    (acnp(ingress=[rule("Drop", ports=[{"port": 90, "sourceEndPort": 80}])]), "without sourcePort"),
    (acnp(ingress=[rule("Drop", protocols=[{}])]), "sets one field"),
    (acnp(ingress=[rule("Drop", l7Protocols=[{"http": {}}])]), "which only Allow does"),
    (acnp(ingress=[rule("Drop", to=[DB])]), "ingress[0] names targets"),
    (acnp(egress=[rule("Drop", ports=[TCP_80], toServices=[{"name": "s", "namespace": "n"}])]), "names sources"),
    (acnp(unknown=1), "unknown"),
]


@pytest.mark.parametrize(("item", "detail"), MALFORMED, ids=[detail for _, detail in MALFORMED])
def test_a_policy_that_antrea_refuses_is_a_gap_and_leaves_its_pods_open(item: Json, detail: str) -> None:
    found = cluster(item)
    (gap,) = found.estate.gaps
    assert (gap.reason, detail in gap.detail) == ("malformed", True), gap.detail
    assert found.passes("web", "db") == "at most all"


@pytest.mark.parametrize("spec", [{"priority": 250}, {"priority": 50}, {"priority": "x"}, {}])
def test_a_tier_that_antrea_refuses_is_a_gap(spec: Json) -> None:
    broken = written("Tier", "mine", apiVersion=VERSION, spec=spec)
    found = cluster(broken, acnp(tier="mine", ingress=[rule("Drop")]))
    assert [reason for _, reason in found.gaps()] == ["unread", "malformed"]
    assert found.passes("web", "db") == "at most all"
