"""Admin policies, statement by statement, worked out by hand from their documentation.

https://network-policy-api.sigs.k8s.io/api-overview/
https://network-policy-api.sigs.k8s.io/reference/spec/
https://network-policy-api.sigs.k8s.io/reference/examples/
https://github.com/kubernetes-sigs/network-policy-api/blob/main/apis/v1alpha2/clusternetworkpolicy_types.go
"""

from typing import Any

import pytest

from tests.kubernetes.cluster import OUTSIDE, Cluster, pod, policy, space, written

Json = dict[str, Any]

GROUP = "policy.networking.k8s.io"
HTTP: list[Json] = [{"name": "http", "containerPort": 8080}]
ALL: Json = {"namespaces": {}}
SHOP: Json = {"namespaces": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}
BANK: Json = {"namespaces": {"matchLabels": {"team": "b"}}}
WEB: Json = {"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "web"}}}}
DB: Json = {"pods": {"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "db"}}}}
NOWHERE: Json = {"namespaces": {"matchLabels": {"no": "such"}}}
ISOLATED = policy("np", {"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"]})
OPENED = policy("np", {"podSelector": {"matchLabels": {"app": "db"}}, "ingress": [{}]})
TCP_80: list[Json] = [{"tcp": {"destinationPort": {"number": 80}}}]


def cluster(*objects: Json) -> Cluster:
    """web and db in shop, where db has a port http; web and db in bank."""
    pods = (pod("web"), pod("db", ports=HTTP), pod("web", "bank"), pod("db", "bank"))
    return Cluster(space("shop", team="a"), space("bank", team="b"), *pods, *objects)


def rule(action: str, *ends: Json, **more: Any) -> Json:
    return {"action": action, "ends": list(ends), **more}


def given(rules: Any, way: str) -> list[Json]:
    return [{way: each["ends"], **{key: each[key] for key in each if key != "ends"}} for each in rules]


def cnp(name: str = "p", tier: str = "Admin", priority: int = 10, subject: Any = ALL, **rules: Any) -> Json:
    ways = {"ingress": "from", "egress": "to"}
    spec = {"tier": tier, "priority": priority, "subject": subject}
    spec |= {direction: given(each, ways[direction]) for direction, each in rules.items()}
    return written("ClusterNetworkPolicy", name, apiVersion=f"{GROUP}/v1alpha2", spec=spec)


def anp(name: str = "p", priority: int = 10, subject: Any = ALL, **rules: Any) -> Json:
    made = cnp(name, "", priority, subject, **rules)
    spec = {key: value for key, value in made["spec"].items() if key != "tier"}
    return written("AdminNetworkPolicy", name, apiVersion=f"{GROUP}/v1alpha1", spec=spec)


def banp(subject: Any = ALL, **rules: Any) -> Json:
    made = anp("default", 0, subject, **rules)
    spec = {key: value for key, value in made["spec"].items() if key != "priority"}
    return written("BaselineAdminNetworkPolicy", "default", apiVersion=f"{GROUP}/v1alpha1", spec=spec)


def test_without_a_rule_that_matches_everything_passes() -> None:
    found = cluster(cnp(ingress=[rule("Deny", NOWHERE)]), cnp("b", "Baseline"))
    assert found.passes("web", "db") == "all"
    assert found.passes(OUTSIDE, "db") == "all"
    assert found.passes("db", OUTSIDE) == "all"


@pytest.mark.semantics(109, 111)
@pytest.mark.parametrize(
    ("admin", "namespaced", "passing"),
    [
        ("Accept", ISOLATED, "all"),
        ("Accept", OPENED, "all"),
        ("Deny", OPENED, "none"),
        ("Deny", ISOLATED, "none"),
        ("Pass", OPENED, "all"),
        ("Pass", ISOLATED, "none"),
    ],
)
def test_accept_and_deny_are_final_and_pass_asks_the_next_tier(admin: str, namespaced: Json, passing: str) -> None:
    assert cluster(cnp(ingress=[rule(admin, ALL)]), namespaced).passes("web", "db") == passing
    old = "Allow" if admin == "Accept" else admin
    assert cluster(anp(ingress=[rule(old, ALL)]), namespaced).passes("web", "db") == passing


@pytest.mark.semantics(109)
def test_pass_leaves_the_rest_of_its_tier_out() -> None:
    first = cnp("first", priority=1, ingress=[rule("Pass", WEB)])
    last = cnp("last", priority=2, ingress=[rule("Deny", ALL)])
    found = cluster(first, last)
    assert (found.passes("web", "db"), found.passes("bank/db", "db")) == ("all", "none")


@pytest.mark.semantics(107)
@pytest.mark.parametrize(("allowing", "denying", "passing"), [(1, 2, "all"), (2, 1, "none"), (0, 1000, "all")])
def test_the_lower_priority_goes_first(allowing: int, denying: int, passing: str) -> None:
    for make, verb in ((cnp, "Accept"), (anp, "Allow")):
        one = make("one", priority=denying, ingress=[rule("Deny", ALL)])
        other = make("other", priority=allowing, ingress=[rule(verb, ALL)])
        assert cluster(one, other).passes("web", "db") == passing


@pytest.mark.semantics(108)
def test_the_first_rule_that_matches_decides() -> None:
    narrow, wide = rule("Accept", WEB, protocols=TCP_80), rule("Deny", ALL)
    assert cluster(cnp(ingress=[narrow, wide])).passes("web", "db") == "tcp/80"
    assert cluster(cnp(ingress=[wide, narrow])).passes("web", "db") == "none"


@pytest.mark.semantics(110)
@pytest.mark.parametrize("verb", ["Allow", "Accept"])
def test_the_baseline_is_for_pods_that_no_network_policy_selects_in_the_direction(verb: str) -> None:
    def baseline(**rules: Any) -> Json:
        return banp(**rules) if verb == "Allow" else cnp("b", "Baseline", **rules)

    deny = baseline(ingress=[rule("Deny", ALL)], egress=[rule("Deny", ALL)])
    assert cluster(deny).passes("web", "db") == "none"
    # The policy admits: it alone decides about what comes in, and the baseline about what goes out.
    assert cluster(deny, OPENED).passes("web", "db") == "none"
    into = baseline(ingress=[rule("Deny", ALL)])
    assert cluster(into, OPENED).passes("web", "db") == "all"
    # It selects db and nobody else; where it does not admit, the baseline does not either.
    assert cluster(into, OPENED).passes("db", "web") == "none"
    assert cluster(baseline(ingress=[rule(verb, ALL)]), ISOLATED).passes("web", "db") == "none"


@pytest.mark.semantics(112)
def test_the_baseline_of_cluster_network_policies_has_priorities() -> None:
    low = cnp("low", "Baseline", 1, ingress=[rule("Accept", WEB)])
    high = cnp("high", "Baseline", 2, ingress=[rule("Deny", ALL)])
    found = cluster(low, high)
    assert (found.passes("web", "db"), found.passes("bank/db", "db")) == ("all", "none")


def test_the_admin_tier_goes_before_the_baseline() -> None:
    found = cluster(anp(ingress=[rule("Allow", WEB)]), banp(ingress=[rule("Deny", ALL)]))
    assert (found.passes("web", "db"), found.passes("bank/db", "db")) == ("all", "none")


@pytest.mark.parametrize(
    ("subject", "chosen"),
    [
        (ALL, {"web", "db", "bank/web", "bank/db"}),
        (SHOP, {"web", "db"}),
        (BANK, {"bank/web", "bank/db"}),
        (DB, {"db", "bank/db"}),
        ({"pods": {"namespaceSelector": BANK["namespaces"], "podSelector": {}}}, {"bank/web", "bank/db"}),
        (NOWHERE, set[str]()),
    ],
)
def test_a_subject_is_namespaces_or_pods_in_them(subject: Json, chosen: set[str]) -> None:
    networks = [{"networks": ["0.0.0.0/0", "::/0"]}]
    found = cluster(cnp(subject=subject, egress=[rule("Deny", *networks)]))
    assert {name for name in ("web", "db", "bank/web", "bank/db") if found.passes(name, OUTSIDE) == "none"} == chosen


def test_pods_on_the_network_of_their_node_are_no_subject_and_no_peer() -> None:
    agent = pod("agent")
    agent["spec"]["hostNetwork"] = True
    found = cluster(cnp(ingress=[rule("Accept", ALL)]), ISOLATED, agent)
    assert found.verdict("agent", "db").lower == found.verdict("bank/web", "agent").lower
    assert str(found.verdict("agent", "db").lower) == "none"


def test_peers_inside_the_cluster_are_nobody_outside() -> None:
    found = cluster(cnp(ingress=[rule("Deny", ALL)], egress=[rule("Deny", ALL)]))
    assert (found.passes(OUTSIDE, "db"), found.passes("db", OUTSIDE)) == ("all", "all")


@pytest.mark.parametrize(
    ("ports", "passing"),
    [
        ([{"portNumber": {"port": 80}}], "tcp/80"),
        ([{"portNumber": {"port": 80, "protocol": "TCP"}}, {"portNumber": {"port": 53, "protocol": "UDP"}}], None),
        ([{"portRange": {"start": 80, "end": 90, "protocol": "SCTP"}}], "sctp/80-90"),
        ([{"portRange": {"start": 80, "end": 90}}], "tcp/80-90"),
        ([{"namedPort": "http"}], "tcp/8080"),
        ([{"namedPort": "dns"}], "none"),
        (None, "all"),
    ],
)
def test_ports_of_the_first_version(ports: Any, passing: str | None) -> None:
    more = {} if ports is None else {"ports": ports}
    found = cluster(anp(ingress=[rule("Allow", WEB, **more), rule("Deny", ALL)]))
    assert found.passes("web", "db") == (passing or "tcp/80, udp/53")


@pytest.mark.parametrize(
    ("protocols", "passing"),
    [
        (TCP_80, "tcp/80"),
        ([{"udp": {"destinationPort": {"number": 53}}}], "udp/53"),
        ([{"sctp": {"destinationPort": {"range": {"start": 80, "end": 90}}}}], "sctp/80-90"),
        ([{"destinationNamedPort": "http"}], "tcp/8080"),
        ([{"destinationNamedPort": "http"}, *TCP_80], "tcp/80, tcp/8080"),
    ],
)
@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_ports_of_the_second_version(protocols: Any, passing: str, direction: str) -> None:
    rules: Json = {direction: [rule("Accept", ALL, protocols=protocols), rule("Deny", ALL)]}
    found = cluster(cnp(**rules))
    assert found.passes("web", "db") == passing
    # A named port is what the pod that receives says it is: web has none.
    assert found.passes("db", "web") == passing.replace(", tcp/8080", "").replace("tcp/8080", "none")


@pytest.mark.semantics(98)
def test_ranges_hold_what_is_inside_the_cluster_as_well() -> None:
    every = cluster(cnp(egress=[rule("Deny", {"networks": ["0.0.0.0/0"]})]))
    assert (every.passes("web", "db"), every.passes("web", OUTSIDE)) == ("none", "none")
    assert "0.0.0.0/0 in admin policies holds all of them" in " ".join(every.estate.notes)
    both = cluster(cnp(egress=[rule("Deny", {"networks": ["0.0.0.0/0"]}, {"networks": ["::/0"]})]))
    assert (both.passes("web", "db"), both.estate.notes == every.estate.notes) == ("none", False)
    some = cluster(cnp(egress=[rule("Deny", {"networks": ["203.0.113.0/24", "fd00::/8"]})]))
    assert (some.passes("web", "db"), some.passes("web", OUTSIDE)) == ("at most all", "none")
    assert some.passes("web", "198.51.100.1") == "all"


def test_every_ipv4_address_does_not_hold_pods_that_may_have_others() -> None:
    deny = cnp(egress=[rule("Deny", {"networks": ["0.0.0.0/0"]})])
    service = written("Service", "s", "shop", spec={"ipFamilies": ["IPv4", "IPv6"]})
    assert str(cluster(deny, service).verdict("web", "db").upper) == "all"


def test_pods_that_are_passed_before_a_range_are_left_to_the_next_tier() -> None:
    rules = [rule("Pass", ALL), rule("Deny", {"networks": ["0.0.0.0/0", "::/0"]})]
    found = cluster(cnp(egress=rules), ISOLATED)
    assert (found.passes("web", "bank/db"), found.passes("web", "db")) == ("all", "none")
    assert found.passes("web", OUTSIDE) == "none"


def test_nodes_are_their_addresses_and_the_pods_on_their_network() -> None:
    node = written(
        "Node",
        "n",
        metadata={"labels": {"role": "edge"}},
        status={"addresses": [{"type": "InternalIP", "address": "198.51.100.1"}]},
    )
    found = cluster(cnp(egress=[rule("Deny", {"nodes": {"matchLabels": {"role": "edge"}}})]), node)
    # It may be the pod's own node, which is always reached.
    assert (found.passes("web", "198.51.100.1"), found.passes("web", "198.51.100.2")) == ("at most all", "all")
    other = cluster(cnp(egress=[rule("Deny", {"nodes": {"matchLabels": {"role": "core"}}})]), node)
    assert other.passes("web", "198.51.100.1") == "all"


def test_nodes_that_were_not_read_may_bear_any_address() -> None:
    found = cluster(cnp(egress=[rule("Accept", {"nodes": {}}), rule("Deny", {"networks": ["0.0.0.0/0", "::/0"]})]))
    assert found.passes("web", "198.51.100.1") == "at most all"


def test_domain_names_may_stand_for_any_address() -> None:
    names = {"domainNames": ["*.example.com", "example.org"]}
    found = cluster(cnp(egress=[rule("Accept", names), rule("Deny", {"networks": ["0.0.0.0/0", "::/0"]})]))
    assert found.passes("web", OUTSIDE) == "at most all"


@pytest.mark.semantics(107)
def test_policies_of_the_same_priority_leave_open_what_they_decide_differently() -> None:
    one = cnp("one", ingress=[rule("Accept", WEB, protocols=TCP_80)])
    other = cnp("other", subject=DB, ingress=[rule("Deny", ALL)])
    found = cluster(one, other)
    assert found.passes("web", "db") == "at most tcp/80"
    assert found.passes("db", "web") == "all"
    names = ("ClusterNetworkPolicy/one", "ClusterNetworkPolicy/other")
    assert found.gaps() == [(name, "unsupported") for name in names]
    assert "ClusterNetworkPolicy one and ClusterNetworkPolicy other have the same priority" in " ".join(
        found.estate.notes
    )


@pytest.mark.semantics(107)
def test_policies_of_the_same_priority_that_never_meet_are_certain() -> None:
    one = cnp("one", subject=SHOP, ingress=[rule("Accept", ALL)])
    other = cnp("other", subject=BANK, ingress=[rule("Deny", ALL)])
    found = cluster(one, other)
    assert (found.passes("web", "db"), found.passes("web", "bank/db")) == ("all", "none")
    assert (found.gaps(), found.estate.notes) == ([], cluster(one).estate.notes)


@pytest.mark.semantics(107)
@pytest.mark.parametrize(
    ("one", "other", "passing"),
    [
        ("Accept", "Deny", "at most all"),
        ("Pass", "Accept", "at most all"),
        ("Pass", "Deny", "none"),
        ("Deny", "Deny", "none"),
        ("Pass", "Pass", "none"),
        ("Accept", "Accept", "all"),
    ],
)
def test_what_two_of_the_same_priority_may_decide_is_bounded_before_a_denying_network_policy(
    one: str, other: str, passing: str
) -> None:
    for names in (("a", "b"), ("b", "a")):
        first, second = (cnp(name, ingress=[rule(verb, ALL)]) for name, verb in zip(names, (one, other), strict=True))
        assert cluster(first, second, ISOLATED).passes("web", "db") == passing


@pytest.mark.semantics(107)
def test_a_pass_that_may_not_count_leaves_open_what_comes_after_it() -> None:
    passing = cnp("a", ingress=[rule("Pass", ALL)])
    denying = cnp("b", ingress=[rule("Deny", ALL)])
    admitting = cnp("c", priority=11, ingress=[rule("Accept", WEB)])
    found = cluster(passing, denying, admitting, ISOLATED)
    # Either the next tier is asked, which denies, or the second policy denies.
    assert str(found.verdict("web", "db").lower) == "none"
    ranges = {"networks": ["10.0.0.0/8", "fd00::/8"]}
    unsure = cnp("a", egress=[rule("Pass", ranges), rule("Accept", DB)])
    closed = policy("np", {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"]})
    assert cluster(unsure, closed).passes("web", "db") == "at most all"
    assert cluster(unsure, closed).passes("web", OUTSIDE) == "none"


@pytest.mark.semantics(113)
@pytest.mark.parametrize("end", [{}, {"externalGroups": ["x"]}, {"namespaces": {"sameLabels": ["team"]}}])
@pytest.mark.parametrize(
    ("action", "namespaced", "lower", "upper"),
    [
        ("Accept", ISOLATED, "none", "all"),
        ("Deny", OPENED, "none", "all"),
        ("Pass", OPENED, "none", "all"),
    ],
)
def test_an_end_that_cannot_be_evaluated_accepts_nothing_and_denies_everything_at_the_lower_bound(
    end: Json, action: str, namespaced: Json, lower: str, upper: str
) -> None:
    found = cluster(cnp(ingress=[rule(action, end)]), namespaced)
    verdict = found.verdict("web", "db")
    assert (str(verdict.lower), str(verdict.upper)) == (lower, upper)
    assert ("ClusterNetworkPolicy/p", "unsupported") in found.gaps()


def test_the_first_releases_nested_the_selector_of_namespaces() -> None:
    nested: Json = {"namespaces": {"namespaceSelector": BANK["namespaces"]}}
    pods: Json = {"pods": {"namespaces": {"namespaceSelector": {}}, "podSelector": {"matchLabels": {"app": "web"}}}}
    assert cluster(anp(ingress=[rule("Deny", nested)])).passes("bank/web", "db") == "none"
    found = cluster(anp(ingress=[rule("Deny", pods)]))
    assert (found.passes("web", "db"), found.passes("bank/db", "db")) == ("none", "all")


def test_a_subject_in_a_namespace_whose_labels_were_not_read_is_open() -> None:
    deny = cnp(subject=BANK, ingress=[rule("Deny", ALL)])
    found = Cluster(space("shop"), pod("web"), pod("web", "bank"), deny)
    assert (found.passes("web", "bank/web"), found.passes("bank/web", "web")) == ("at most all", "at most all")
    assert ("bank/Namespace/bank", "unread") in found.gaps()


MALFORMED: list[tuple[Json, str]] = [
    (cnp(priority=1001), "priority is 1001"),
    (cnp(priority=-1), "priority is -1"),
    (cnp(tier="Middle"), "tier is 'Middle'"),
    (cnp(subject={}), "subject sets one of namespaces and pods"),
    (cnp(subject=ALL | WEB), "subject sets one of namespaces and pods"),
    (cnp(ingress=[rule("Allow", ALL)]), "which is none of Accept, Deny, Pass"),
    (cnp(ingress=[rule("Accept")]), "ingress[0] names who it is from"),
    (cnp(ingress=[rule("Accept", ALL | WEB)]), "from[0] sets namespaces and pods"),
    (cnp(egress=[rule("Deny", {"networks": ["10.0.0.0/33"]})]), "10.0.0.0/33"),
    (cnp(egress=[rule("Deny", {"networks": ["10.0.0.1"]})]), "no CIDR block"),
    (cnp(egress=[rule("Deny", {"networks": []})]), "networks has 0 entries"),
    (cnp(egress=[rule("Accept", {"domainNames": ["*"]})]), "'*' is no domain name"),
    (cnp(ingress=[rule("Deny", ALL, protocols=[])]), "empty list of ports"),
    (cnp(ingress=[rule("Deny", ALL, protocols=[{"tcp": {}}])]), "tcp sets no destinationPort"),
    (cnp(ingress=[rule("Deny", ALL, protocols=[{}])]), "sets one field"),
    (cnp(ingress=[rule("Deny", ALL, protocols=[{"tcp": {"destinationPort": {"number": 0}}}])]), "port 0 to 0"),
    (cnp(ingress=[rule("Deny", ALL, protocols=[*TCP_80, {"icmp": {}}])]), "icmp"),
    (cnp(ingress=[rule("Deny", ALL, extra=1)]), "extra"),
    (cnp(ingress=[rule("Deny", ALL)] * 26), "26 items"),
    (cnp(egress=[rule("Deny", {"nodes": {}}, protocols=[{"destinationNamedPort": "http"}])]), "only pods have"),
    (anp(ingress=[rule("Accept", ALL)]), "which is none of Allow, Deny, Pass"),
    (anp(ingress=[rule("Deny", ALL, ports=[{"portRange": {"start": 9, "end": 9}}])]), "its end must lie above"),
    (anp(ingress=[rule("Deny", ALL, ports=[{"portNumber": {"port": 9, "protocol": "ICMP"}}])]), "protocol 'ICMP'"),
    (banp(ingress=[rule("Pass", ALL)]), "which is none of Allow, Deny"),
    (banp() | {"metadata": {"name": "other"}}, "is named 'default'"),
]


@pytest.mark.parametrize(("item", "detail"), MALFORMED, ids=[detail for _, detail in MALFORMED])
def test_a_policy_that_the_api_server_refuses_is_a_gap_and_leaves_its_pods_open(item: Json, detail: str) -> None:
    found = cluster(item)
    (gap,) = found.estate.gaps
    assert (gap.reason, gap.resource.split("/")[0]) == ("malformed", item["kind"])
    assert detail in gap.detail
    assert found.passes("web", "db") == "at most all"


@pytest.mark.parametrize(
    ("subject", "opened"),
    [(DB, {"db", "bank/db"}), (BANK, {"bank/web", "bank/db"}), ({"pods": 1}, {"web", "db", "bank/web", "bank/db"})],
)
def test_a_malformed_policy_leaves_only_those_pods_open_that_it_could_select(subject: Json, opened: set[str]) -> None:
    found = cluster(cnp(priority=5000, subject=subject))
    names = ("web", "db", "bank/web", "bank/db")
    assert {name for name in names if found.passes(OUTSIDE, name) != "all"} == opened


def test_a_policy_of_another_group_of_the_same_kind_is_none_of_these() -> None:
    other = cnp() | {"apiVersion": "example.org/v1"}
    assert cluster(other).gaps() == [("ClusterNetworkPolicy/p", "unsupported")]
