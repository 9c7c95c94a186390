"""Small random clusters with Calico's policies of several tiers, and NetworkPolicies beside them."""

from typing import Any

from hypothesis import strategies as st

from tests.kubernetes.cluster import OUTSIDE, Cluster, pod, policy, space, written
from tests.kubernetes.drawn import KEYS, NAMES, SPACES, VALUES, Drawn, container_ports, label_sets, selectors, specs

GROUP = "projectcalico.org/v3"
TIERS = ("default", "security", "platform")
BLOCKS = ("203.0.113.0/24", f"{OUTSIDE}/32", "10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0")
PODS_AT = ("10.1.0.5", "10.2.0.5", "192.168.7.7", "172.31.255.1")
ACCOUNTS = ("default", "runner")

ACCOUNTED = any("pod/service-account" in each.labels for each in Cluster(pod("web")).estate.interfaces.values())
"""Whether pods show their service accounts."""

keys = st.sampled_from(KEYS)
values = st.sampled_from(VALUES)
terms: Drawn = st.one_of(
    st.builds("{} == '{}'".format, keys, values),
    st.builds('{} != "{}"'.format, keys, values),
    st.builds("{} in {{ '{}', 'c' }}".format, keys, values),
    st.builds("{} not in {{'{}'}}".format, keys, values),
    st.builds("has({})".format, keys),
    st.builds("! has({})".format, keys),
    st.builds("{} contains '{}'".format, keys, values),
    st.builds("{} starts with '{}'".format, keys, values),
    st.builds("{} ends with '{}'".format, keys, values),
    st.just("all()"),
)
pod_terms: Drawn = st.one_of(
    terms,
    st.builds("projectcalico.org/namespace == '{}'".format, st.sampled_from(SPACES)),
    st.just("projectcalico.org/orchestrator == 'k8s'"),
    st.just("has(projectcalico.org/orchestrator)"),
)


def expressions(leaves: Drawn) -> Drawn:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds("{} && {}".format, inner, inner),
            st.builds("{} || {}".format, inner, inner),
            st.builds("!({})".format, inner),
            st.builds("({})".format, inner),
        ),
        max_leaves=3,
    )


pod_selectors: Drawn = expressions(pod_terms)
space_selectors: Drawn = expressions(
    st.one_of(
        terms,
        st.builds("projectcalico.org/name == '{}'".format, st.sampled_from(SPACES)),
        st.builds("kubernetes.io/metadata.name in {{'{}'}}".format, st.sampled_from(SPACES)),
        st.just("global()"),
    )
)
account_selectors: Drawn = expressions(
    st.one_of(terms, st.builds("projectcalico.org/name == '{}'".format, st.sampled_from(ACCOUNTS)))
)
accounts: Drawn = st.one_of(
    st.fixed_dictionaries({"names": st.lists(st.sampled_from(ACCOUNTS), min_size=1, max_size=2)}),
    st.fixed_dictionaries({"selector": account_selectors}),
    st.fixed_dictionaries({"names": st.just(["runner"]), "selector": account_selectors}),
)
blocks: Drawn = st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=2)
plain_entities: Drawn = st.fixed_dictionaries(
    {}, optional={"selector": pod_selectors, "namespaceSelector": space_selectors, "notSelector": pod_selectors}
)
wide_entities: Drawn = st.fixed_dictionaries(
    {}, optional={"nets": blocks, "notNets": blocks, "selector": pod_selectors}
)
account_entities: Drawn = st.fixed_dictionaries({"serviceAccounts": accounts}, optional={"selector": pod_selectors})
by_account = (account_entities,) if ACCOUNTED else ()
entities: Drawn = st.one_of(st.just({}), plain_entities, plain_entities, wide_entities, *by_account)
numbers: Drawn = st.sampled_from((80, 81, 53, "80:81", "53:80"))
ports: Drawn = st.lists(st.one_of(numbers, numbers, st.sampled_from(NAMES)), min_size=1, max_size=2)
actions = st.sampled_from(("Allow", "Allow", "Allow", "Allow", "Deny", "Pass", "Pass", "Log"))


@st.composite
def rules(draw: st.DrawFn, way: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"action": draw(actions)}
    source, target = dict(draw(entities)), dict(draw(entities))
    shape = draw(
        st.sampled_from(("all", "protocol", "ports", "ports", "not-ports", "icmp", "other", "http", "service"))
    )
    if shape == "protocol":
        rule["protocol"] = draw(st.sampled_from(("TCP", "UDP", 17, "ICMP", "SCTP")))
    elif shape in {"ports", "not-ports"}:
        rule["protocol"] = draw(st.sampled_from(("TCP", "UDP")))
        target |= {"ports" if shape == "ports" else "notPorts": draw(ports)}
        if draw(st.integers(0, 5)) == 0:
            target |= {"notPorts": draw(ports)}
        if draw(st.integers(0, 9)) == 0:
            source |= {"ports": [draw(st.sampled_from((40000, "30000:50000", 53)))]}
    elif shape == "icmp":
        kind = draw(st.sampled_from(("icmp", "notICMP")))
        rule |= {"protocol": "ICMP", kind: draw(st.sampled_from(({"type": 8}, {"type": 8, "code": 0}, {"type": 3})))}
    elif shape == "other":
        rule |= draw(st.sampled_from(({"notProtocol": "TCP"}, {"ipVersion": 4}, {"ipVersion": 6})))
    elif shape == "http" and way == "ingress" and rule["action"] == "Allow":
        rule |= {"protocol": "TCP", "http": {"methods": ["GET"]}}
    elif shape == "service" and way == "egress":
        target = {"services": {"name": "front", "namespace": draw(st.sampled_from(SPACES))}}
    return rule | ({"source": source} if source else {}) | ({"destination": target} if target else {})


calico_specs: Drawn = st.fixed_dictionaries(
    {},
    optional={
        "selector": pod_selectors,
        "order": st.sampled_from((1, 10, 999, 1000, 2000.5)),
        "types": st.sampled_from((["Ingress"], ["Egress"], ["Ingress", "Egress"])),
        "ingress": st.lists(rules("ingress"), max_size=3),
        "egress": st.lists(rules("egress"), max_size=3),
    },
)


@st.composite
def calico(draw: st.DrawFn, number: int) -> dict[str, Any]:
    spec = dict(draw(calico_specs))
    tier = draw(st.sampled_from(TIERS))
    if tier != "default" or draw(st.booleans()):
        spec["tier"] = tier
    if ACCOUNTED and draw(st.integers(0, 4)) == 0:
        spec["serviceAccountSelector"] = draw(account_selectors)
    name = f"{tier}.c{number}" if draw(st.booleans()) else f"c{number}"
    if draw(st.booleans()):
        return written("NetworkPolicy", name, draw(st.sampled_from(SPACES)), apiVersion=GROUP, spec=spec)
    if draw(st.booleans()):
        spec["namespaceSelector"] = draw(space_selectors)
    return written("GlobalNetworkPolicy", name, apiVersion="crd.projectcalico.org/v1", spec=spec)


@st.composite
def clusters(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A cluster; in some the addresses of all pods are known, in some of none."""
    objects = [space(name, **draw(label_sets)) for name in SPACES]
    for name in ("security", "platform"):
        fields = {"order": draw(st.sampled_from((1, 500, 1_500_000, None))), "defaultAction": draw(actions_of_tiers)}
        spec = {key: value for key, value in fields.items() if value is not None}
        objects.append(written("Tier", name, apiVersion=GROUP, spec=spec))
    known = draw(st.booleans())
    for number in range(draw(st.integers(2, 4))):
        place = draw(st.sampled_from(SPACES))
        status = {"podIP": f"10.{1 + number % 2}.0.{10 + number}"} if known else {}
        spec = {"containers": [{"name": "main", "ports": draw(container_ports)}]}
        spec |= draw(st.sampled_from(({}, {"serviceAccountName": "runner"})))
        made = written("Pod", f"p{number}", place, metadata={"labels": draw(label_sets)}, spec=spec, status=status)
        objects.append(made)
    for place in SPACES:
        objects += [written("ServiceAccount", name, place, metadata={"labels": draw(label_sets)}) for name in ACCOUNTS]
        front = {"selector": {"app": "a"}, "ports": [{"port": 1, "targetPort": draw(st.sampled_from((80, 53)))}]}
        objects.append(written("Service", "front", place, spec=front))
    for number in range(draw(st.integers(0, 2))):
        own = {"metadata": {"labels": draw(label_sets)}, "spec": {"nets": draw(blocks)}, "apiVersion": GROUP}
        where = draw(st.sampled_from((None, *SPACES)))
        objects.append(written("NetworkSet" if where else "GlobalNetworkSet", f"s{number}", where, **own))
    objects += [draw(calico(number)) for number in range(draw(st.integers(1, 4)))]
    placed = draw(st.lists(st.tuples(specs, st.sampled_from(SPACES)), max_size=2))
    return [*objects, *(policy(f"n{number}", *each) for number, each in enumerate(placed))]


actions_of_tiers = st.sampled_from((None, "Deny", "Pass", "Pass"))
__all__ = ["PODS_AT", "clusters", "selectors"]
