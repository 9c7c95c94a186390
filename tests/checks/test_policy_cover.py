"""Rules of policies that could go: without them nothing changes, whoever is there, and whoever comes later."""

import dataclasses
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from cloudseg.checks import redundant_rule, shadowed_rule
from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.policy_cover import Covered, implies, redundant_in_clusters, shadowed_in_clusters
from cloudseg.findings import Finding
from cloudseg.model import AllOf, AnyOf, Estate, Labelled
from cloudseg.reach.reachability import Reachability, Verdict
from cloudseg.traffic import AddressSet
from tests.kubernetes.cluster import Cluster, pod, policy, space, written
from tests.kubernetes.drawn import clusters
from tests.kubernetes.drawn_admin import admin_clusters
from tests.kubernetes.drawn_antrea import antrea_clusters
from tests.kubernetes.drawn_calico import clusters as calico_clusters
from tests.kubernetes.drawn_cilium import clusters as cilium_clusters

Findings = Callable[..., list[Finding]]

OUTSIDE = tuple(AddressSet.parse(text) for text in ("203.0.113.9", "10.1.2.3", "198.51.100.1"))
drawn = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def without(estate: Estate, found: list[Covered]) -> Estate:
    gone = {(each.rule_set.id, each.rule.id, each.rule.direction) for each in found}
    rule_sets = {
        key: msgspec.structs.replace(value, rules=tuple(r for r in value.rules if (key, r.id, r.direction) not in gone))
        for key, value in estate.rule_sets.items()
    }
    return dataclasses.replace(estate, rule_sets=rule_sets)


def matrix(estate: Estate) -> dict[tuple[str, str], Verdict]:
    reach = Reachability(estate)
    pods = sorted(estate.interfaces)
    pairs = [(one, other) for one in pods for other in pods if one != other]
    found = {(one, other): reach.between(one, other) for one, other in pairs}
    for each in pods:
        for addresses in OUTSIDE:
            found[each, str(addresses)] = reach.between(each, addresses)
            found[str(addresses), each] = reach.between(addresses, each)
    return found


def changes_nothing(objects: list[dict[str, Any]]) -> None:
    estate = Cluster(*objects).estate
    before = matrix(estate)
    assert matrix(without(estate, list(redundant_in_clusters(estate)))) == before
    assert matrix(without(estate, list(shadowed_in_clusters(estate)))) == before


@drawn
@given(clusters())
def test_network_policies(objects: list[dict[str, Any]]) -> None:
    changes_nothing(objects)


@drawn
@given(admin_clusters())
def test_policies_of_administrators(objects: list[dict[str, Any]]) -> None:
    changes_nothing(objects)


@drawn
@given(calico_clusters())
def test_policies_of_calico(objects: list[dict[str, Any]]) -> None:
    changes_nothing(objects)


@drawn
@given(cilium_clusters())
def test_policies_of_cilium(objects: list[dict[str, Any]]) -> None:
    changes_nothing(objects)


@drawn
@given(antrea_clusters())
def test_policies_of_antrea(objects: list[dict[str, Any]]) -> None:
    changes_nothing(objects)


def asked(key: str, operator: Any = "In", *values: str) -> Labelled:
    return Labelled(key, operator, frozenset(values))


APP_A, APP_AB = asked("app", "In", "a"), asked("app", "In", "a", "b")


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (APP_A, APP_AB, True),
        (APP_AB, APP_A, False),
        (APP_A, asked("app", "Exists"), True),
        (asked("app", "Exists"), APP_A, False),
        (APP_A, asked("app", "NotIn", "b"), True),
        (APP_A, asked("app", "NotIn", "a"), False),
        (asked("app", "NotIn", "a", "b"), asked("app", "NotIn", "a"), True),
        (asked("app", "NotIn", "a"), asked("app", "NotIn", "a", "b"), False),
        (asked("app", "DoesNotExist"), asked("app", "NotIn", "a"), True),
        (asked("app", "DoesNotExist"), asked("app", "Exists"), False),
        (AllOf((APP_A, asked("tier", "In", "x"))), AllOf((APP_AB,)), True),
        (APP_A, AllOf(()), True),
        (AllOf(()), APP_A, False),
        (AnyOf((APP_A,)), AnyOf((APP_A,)), True),
        (APP_A, asked("tier", "Exists"), False),
    ],
)
def test_what_one_selector_chooses_another_chooses_too(one: Any, other: Any, told: bool) -> None:  # noqa: FBT001 - a table
    assert implies(one, other) is told


def test_of_equal_rules_the_later_one_is_told_and_its_policy_must_stay_where_it_alone_isolates(
    findings: Findings,
) -> None:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "a", ingress=(admit("tcp/80", Pods()),))
    b.policy("shop", "b", ingress=(admit("tcp/80", Pods()),), egress=())
    (found,) = findings(redundant_rule.CHECK, b.build())
    assert found.resource.id == "shop/NetworkPolicy/b"
    assert found.evidence[-1] == ("the policy itself isolates for egress whom no other policy isolates: it must stay")


def test_two_rules_together_stand_in_for_a_third(findings: Findings) -> None:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "low", ingress=(admit("tcp/1-100", Pods()),))
    b.policy("shop", "high", ingress=(admit("tcp/101-200", "0.0.0.0/0"), admit("tcp/101-300", Pods({}, {}))))
    b.policy("shop", "middle", {"app": "web"}, ingress=(admit("tcp/90-110", Pods({"app": "web"})),))
    # Pods of the own namespace are not surely those of any: the selectors say that, and not who is there.
    assert [each.resource.id for each in findings(redundant_rule.CHECK, b.build())] == ["shop/NetworkPolicy/middle"]


def test_whether_a_range_holds_pods_is_not_known(findings: Findings) -> None:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "range", ingress=(admit("tcp/80", "0.0.0.0/0"),))
    b.policy("shop", "pods", ingress=(admit("tcp/80", Pods()),))
    assert findings(redundant_rule.CHECK, b.build()) == []


def test_what_was_handed_on_before_a_denial_is_left_to_network_policies(findings: Findings) -> None:
    b = ClusterBuilder()
    b.workload("shop", "web")
    everywhere = Pods(namespaces={})
    b.admin_policy("guard", everywhere, ("next", admit("tcp/80", Pods())), ("deny", admit("all", everywhere)))
    b.policy("shop", "web", ingress=(admit("tcp/80", Pods()), admit("tcp/22", Pods())))
    assert [each.rule and each.rule.id for each in findings(shadowed_rule.CHECK, b.build())] == []


def test_a_rule_that_only_passes_on_does_not_decide_for_network_policies(findings: Findings) -> None:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.admin_policy("hand-on", Pods(namespaces={}), ("next", admit("all", Pods(namespaces={}))))
    b.policy("shop", "web", ingress=(admit("tcp/80", Pods()),))
    assert findings(shadowed_rule.CHECK, b.build()) == []


FROM_WEB = {"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}


def told(*policies: dict[str, Any]) -> list[str]:
    objects = (space("shop"), pod("web"), pod("db", ports=[{"name": "http", "containerPort": 80}]))
    found = redundant_in_clusters(Cluster(*objects, *policies).estate)
    return [f"{each.rule_set.name} {each.rule.id}" for each in found]


def test_a_named_port_is_what_pods_to_come_make_of_it() -> None:
    named = policy("named", {"podSelector": {}, "ingress": [FROM_WEB | {"ports": [{"port": "http"}]}]})
    number = policy("number", {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]})
    every = policy("number", {"podSelector": {}, "ingress": [{"ports": [{"protocol": "TCP"}]}]})
    wider = policy("number", {"podSelector": {}, "ingress": [{"ports": [{"port": "http"}]}]})
    assert told(named, number) == []
    assert told(named, every) == told(named, wider) == ["named ingress[0].from[0].http/TCP=80"]


def test_an_item_is_not_told_for_some_of_its_ports() -> None:
    two = policy("two", {"podSelector": {}, "ingress": [FROM_WEB | {"ports": [{"port": 5432}, {"port": "http"}]}]})
    one = policy("one", {"podSelector": {}, "ingress": [{"ports": [{"port": 5432}]}]})
    both = policy("one", {"podSelector": {}, "ingress": [{"ports": [{"port": 5432}, {"port": "http"}]}]})
    assert told(two, one) == []
    assert sorted(told(two, both)) == ["two ingress[0].from[0]", "two ingress[0].from[0].http/TCP=80"]


def test_what_a_policy_admits_that_does_not_isolate_stands_in_for_no_policy_that_does() -> None:
    """Without its only rule a policy of Cilium isolates nobody."""
    whom: list[dict[str, Any]] = [{"fromEndpoints": [{"matchLabels": {"app": "web"}}]}]
    only = written(
        "CiliumNetworkPolicy",
        "only",
        "shop",
        apiVersion="cilium.io/v2",
        spec={"endpointSelector": {}, "ingress": whom},
    )
    wide: dict[str, Any] = {"endpointSelector": {}, "ingress": [{"fromEndpoints": [{}]}]}
    beside = written("CiliumNetworkPolicy", "wide", "shop", apiVersion="cilium.io/v2", spec=wide)
    assert told(only, beside) == ["only ingress[0].fromEndpoints[0]"]
    adding = {**beside, "spec": {**wide, "enableDefaultDeny": {"ingress": False}}}
    assert told(only, adding) == []
