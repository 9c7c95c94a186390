"""Small random clusters with Antrea's policies."""

from typing import Any

from hypothesis import strategies as st

from tests.kubernetes.cluster import pod, policy, space, written
from tests.kubernetes.drawn import (
    SPACES,
    container_ports,
    fixed_ports,
    label_sets,
    named_ports,
    selectors,
    space_selectors,
)
from tests.kubernetes.drawn_admin import own_specs
from tests.kubernetes.oracle_antrea import VERSION

Drawn = st.SearchStrategy[Any]

TIERS = ("emergency", "custom", "application", "baseline")
ACTIONS = ("Drop", "Pass", "Allow", "Reject", "Pass")
RANGES = ("203.0.113.0/24", "10.0.0.0/8")
ACCOUNTS = ("default", "robot")

narrow: Drawn = st.one_of(st.just({}), st.just({}), selectors)
spaces: Drawn = st.one_of(st.just({}), st.just({}), space_selectors)
accounts: Drawn = st.tuples(st.sampled_from(SPACES), st.sampled_from(ACCOUNTS)).map(
    lambda each: {"serviceAccount": {"namespace": each[0], "name": each[1]}}
)
by_pods: Drawn = st.fixed_dictionaries({"podSelector": narrow})
by_spaces: Drawn = st.one_of(
    st.fixed_dictionaries({"namespaceSelector": spaces}),
    st.fixed_dictionaries({"namespaceSelector": spaces, "podSelector": narrow}),
)
groups: Drawn = st.sampled_from(("pods", "both")).map(lambda name: {"group": name})
related: Drawn = st.one_of(
    st.just({"namespaces": {"match": "Self"}}),
    st.sampled_from((["app"], ["app", "tier"])).map(lambda keys: {"namespaces": {"sameLabels": keys}}),
)
applied: dict[bool, Drawn] = {
    True: st.one_of(by_pods, by_spaces, accounts, groups),
    False: st.one_of(by_pods, by_pods, st.just({"group": "pods"})),
}
pod_ends: dict[bool, Drawn] = {
    True: st.one_of(
        by_pods, by_spaces, related, st.tuples(related, by_pods).map(lambda each: each[0] | each[1]), accounts, groups
    ),
    False: st.one_of(by_pods, by_spaces, groups),
}
# A deny of one address family says nothing of the other.
ranges: Drawn = st.one_of(
    st.sampled_from(RANGES).map(lambda cidr: {"ipBlock": {"cidr": cidr}}), st.just({"group": "ranges"})
)
protocols: Drawn = st.sampled_from(({"icmp": {}}, {"icmp": {"icmpType": 8, "icmpCode": 0}}, {"icmp": {"icmpType": 3}}))


@st.composite
def antrea_rules(draw: st.DrawFn, way: str, *, clustered: bool, tier: str) -> dict[str, Any]:
    actions = [each for each in ACTIONS if each != "Pass" or tier != "baseline"]
    rule: dict[str, Any] = {"action": draw(st.sampled_from(actions))}
    by_name = draw(st.integers(0, 6)) == 0
    some = pod_ends[clustered]
    # Of a pod whose address is not known a rule that denies one family of addresses is not certain.
    outer = rule["action"] == "Allow" and not by_name
    if draw(st.integers(0, 3)):
        rule[way] = draw(st.lists(st.one_of(some, some, ranges) if outer else some, min_size=1, max_size=2))
    if by_name:
        rule["ports"] = [draw(named_ports)]
    elif draw(st.booleans()):
        rule["ports"] = draw(st.lists(fixed_ports, max_size=2))
        rule["protocols"] = draw(st.lists(protocols, max_size=1))
    return rule


@st.composite
def antrea_policies(draw: st.DrawFn, name: str) -> dict[str, Any]:
    clustered, tier = draw(st.booleans()), draw(st.sampled_from(TIERS))
    spec: dict[str, Any] = {"priority": draw(st.sampled_from((1, 2.5, 5)))}
    if tier != "application" or draw(st.booleans()):
        spec["tier"] = tier
    for direction, way in (("ingress", "from"), ("egress", "to")):
        found = draw(st.lists(antrea_rules(way, clustered=clustered, tier=tier), max_size=2))
        if found:
            spec[direction] = found
    whole = st.lists(applied[clustered], min_size=1, max_size=2)
    each = [*spec.get("ingress", ()), *spec.get("egress", ())]
    if each and draw(st.booleans()):
        for rule in each:
            rule["appliedTo"] = draw(whole)
    else:
        spec["appliedTo"] = draw(whole)
    kind = "ClusterNetworkPolicy" if clustered else "NetworkPolicy"
    namespace = None if clustered else draw(st.sampled_from(SPACES))
    return written(kind, name, namespace, apiVersion=VERSION, spec=spec)


@st.composite
def antrea_groups(draw: st.DrawFn) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for namespace in (None, *SPACES):
        kind = "ClusterGroup" if namespace is None else "Group"
        specs = {
            "pods": draw(by_pods),
            "more": draw(by_spaces),
            "both": {"childGroups": ["pods", "more"]},
            "ranges": {"ipBlocks": [{"cidr": RANGES[0]}, {"cidr": "fd00::/8"}]},
        }
        found += [written(kind, name, namespace, apiVersion=VERSION, spec=spec) for name, spec in specs.items()]
    return found


@st.composite
def antrea_clusters(draw: st.DrawFn) -> list[dict[str, Any]]:
    objects = [space(name, **draw(label_sets)) for name in SPACES]
    for number in range(draw(st.integers(3, 4))):
        made = pod(f"p{number}", draw(st.sampled_from(SPACES)), draw(container_ports))
        made["metadata"]["labels"] = draw(label_sets)
        if draw(st.booleans()):
            made["spec"]["serviceAccountName"] = draw(st.sampled_from(ACCOUNTS))
        objects.append(made)
    placed = draw(st.lists(st.tuples(own_specs, st.sampled_from(SPACES)), max_size=3))
    objects += [policy(f"n{number}", *each) for number, each in enumerate(placed)]
    objects += draw(antrea_groups())
    objects.append(
        written("Tier", "custom", apiVersion=VERSION, spec={"priority": draw(st.sampled_from((10, 120, 249)))})
    )
    return [*objects, *(draw(antrea_policies(f"a{number}")) for number in range(draw(st.integers(1, 4))))]
