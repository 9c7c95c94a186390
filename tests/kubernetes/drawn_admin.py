"""Small random clusters with admin policies."""

from typing import Any

from hypothesis import strategies as st

from tests.kubernetes.cluster import pod, policy, space, written
from tests.kubernetes.drawn import (
    NAMES,
    SPACES,
    container_ports,
    label_sets,
    rules,
    selectors,
    space_selectors,
    types,
)

Drawn = st.SearchStrategy[Any]

GROUP = "policy.networking.k8s.io"
NODES = tuple(
    written(
        "Node",
        f"node-{label}",
        metadata={"labels": {"tier": label}},
        status={"addresses": [{"type": kind, "address": address} for kind, address in given]},
    )
    for label, given in (
        ("a", (("Hostname", "node-a"), ("InternalIP", "198.51.100.1"), ("InternalIP", "2001:db8:1::1"))),
        ("b", (("ExternalIP", "203.0.113.200"), ("InternalIP", "2001:db8:1::2"))),
    )
)
"""Nodes of a cluster with both address families."""

RANGES = (["203.0.113.0/24", "2001:db8::/32"], ["203.0.113.9/32", "10.0.0.0/8", "fd00::/8"])
VERBS = {
    "AdminNetworkPolicy": ("Deny", "Allow", "Pass", "Deny"),
    "BaselineAdminNetworkPolicy": ("Deny", "Allow", "Deny"),
    "ClusterNetworkPolicy": ("Deny", "Accept", "Pass", "Deny"),
}

narrow: Drawn = st.one_of(st.just({}), st.just({}), selectors)
pods: Drawn = st.fixed_dictionaries(
    {"podSelector": narrow, "namespaceSelector": st.one_of(st.just({}), space_selectors)}
)
subjects: Drawn = st.one_of(
    st.fixed_dictionaries({"namespaces": st.one_of(st.just({}), st.just({}), space_selectors)}),
    st.fixed_dictionaries({"pods": pods}),
)
ways: Drawn = st.sampled_from(("TCP", "UDP", "SCTP"))
numbers: Drawn = st.sampled_from((80, 81, 53))
old_ports: Drawn = st.one_of(
    st.fixed_dictionaries({"portNumber": st.fixed_dictionaries({"port": numbers}, optional={"protocol": ways})}),
    st.tuples(numbers, ways).map(
        lambda each: {"portRange": {"start": each[0], "end": each[0] + 1, "protocol": each[1]}}
    ),
)
new_ports: Drawn = st.one_of(
    st.tuples(ways, numbers).map(lambda each: {each[0].lower(): {"destinationPort": {"number": each[1]}}}),
    st.tuples(ways, numbers).map(
        lambda each: {each[0].lower(): {"destinationPort": {"range": {"start": each[1], "end": each[1] + 1}}}}
    ),
)
networks: Drawn = st.sampled_from((["0.0.0.0/0"], *RANGES)).map(lambda each: {"networks": each})
networks_of_both: Drawn = st.sampled_from((["0.0.0.0/0", "::/0"], *RANGES)).map(lambda each: {"networks": each})
nodes: Drawn = st.fixed_dictionaries({"nodes": st.one_of(st.just({}), selectors)})


@st.composite
def admin_rules(draw: st.DrawFn, kind: str, way: str, *, six: bool | None) -> dict[str, Any]:
    new = kind == "ClusterNetworkPolicy"
    key, named = ("protocols", "destinationNamedPort") if new else ("ports", "namedPort")
    by_name = draw(st.integers(0, 5)) == 0
    outer = [] if six is None else [networks_of_both, nodes] if six else [networks]
    ends = st.one_of(subjects, subjects, *outer) if way == "to" and not by_name else subjects
    rule = {"action": draw(st.sampled_from(VERBS[kind])), way: draw(st.lists(ends, min_size=1, max_size=3))}
    all_traffic = not by_name and draw(st.booleans())
    fixed = [] if all_traffic else draw(st.lists(new_ports if new else old_ports, max_size=2))
    listed = [*fixed, {named: draw(st.sampled_from(NAMES))}] if by_name else fixed
    return rule | ({key: listed} if listed else {})


@st.composite
def admin_policies(draw: st.DrawFn, kind: str, name: str, tier: str, *, six: bool | None) -> dict[str, Any]:
    spec: dict[str, Any] = {"subject": draw(subjects)}
    if kind != "BaselineAdminNetworkPolicy":
        spec["priority"] = draw(st.integers(0, 1000 if six is None else 3))
    if kind == "ClusterNetworkPolicy":
        spec["tier"] = tier
    for direction, way in (("ingress", "from"), ("egress", "to")):
        if found := draw(st.lists(admin_rules(kind, way, six=six), min_size=1, max_size=3)):
            spec[direction] = found
    version = "v1alpha2" if kind == "ClusterNetworkPolicy" else "v1alpha1"
    return written(kind, name, apiVersion=f"{GROUP}/{version}", spec=spec)


own_specs: Drawn = st.fixed_dictionaries(
    {"podSelector": selectors, "policyTypes": types},
    optional={"ingress": st.lists(rules("from"), max_size=2), "egress": st.lists(rules("to"), max_size=2)},
)


@st.composite
def admin_clusters(draw: st.DrawFn) -> list[dict[str, Any]]:
    objects = [space(name, **draw(label_sets)) for name in SPACES]
    for number in range(draw(st.integers(3, 4))):
        made = pod(f"p{number}", draw(st.sampled_from(SPACES)), draw(container_ports))
        made["metadata"]["labels"] = draw(label_sets)
        objects.append(made)
    placed = draw(st.lists(st.tuples(own_specs, st.sampled_from(SPACES)), max_size=2))
    objects += [policy(f"n{number}", *each) for number, each in enumerate(placed)]
    # A cluster of one address family, of both, or one whose policies name no addresses and hardly share priorities.
    six = draw(st.sampled_from((False, None, None, True, False)))
    objects += NODES if six else ()
    old = draw(st.booleans())
    admins, baselines = draw(st.integers(1, 3)), draw(st.integers(0, 1 if old else 2))
    if old:
        kinds, names = ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy"), ["default"]
    else:
        kinds, names = ("ClusterNetworkPolicy",) * 2, ["b0", "b1"]
    objects += [draw(admin_policies(kinds[0], f"a{number}", "Admin", six=six)) for number in range(admins)]
    objects += [draw(admin_policies(kinds[1], name, "Baseline", six=six)) for name in names[:baselines]]
    return objects
