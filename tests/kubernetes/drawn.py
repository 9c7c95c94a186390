"""Small random clusters."""

from typing import Any

from hypothesis import strategies as st

from tests.kubernetes.cluster import OUTSIDE, pod, policy, space

Drawn = st.SearchStrategy[Any]

SPACES = ("shop", "bank", "default")
KEYS = ("app", "tier")
VALUES = ("a", "b")
NAMES = ("http", "dns")
BLOCKS = ("0.0.0.0/0", "203.0.113.0/24", "203.0.113.9/32", "10.0.0.0/8")

label_sets: Drawn = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES))
terms: Drawn = st.one_of(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from(KEYS),
            "operator": st.sampled_from(("In", "NotIn")),
            "values": st.lists(st.sampled_from(VALUES), min_size=1, unique=True),
        }
    ),
    st.fixed_dictionaries({"key": st.sampled_from(KEYS), "operator": st.sampled_from(("Exists", "DoesNotExist"))}),
)
selectors: Drawn = st.fixed_dictionaries(
    {}, optional={"matchLabels": label_sets, "matchExpressions": st.lists(terms, max_size=2)}
)
space_selectors: Drawn = st.one_of(
    selectors,
    st.sampled_from(SPACES).map(lambda name: {"matchLabels": {"kubernetes.io/metadata.name": name}}),
)
blocks: Drawn = st.one_of(
    st.sampled_from(BLOCKS).map(lambda cidr: {"cidr": cidr}),
    st.just({"cidr": "203.0.0.0/8", "except": [f"{OUTSIDE}/32"]}),
)
pod_peers: Drawn = st.one_of(
    st.fixed_dictionaries({"podSelector": selectors}),
    st.fixed_dictionaries({"namespaceSelector": space_selectors}),
    st.fixed_dictionaries({"podSelector": selectors, "namespaceSelector": space_selectors}),
)
peers: Drawn = st.one_of(pod_peers, st.fixed_dictionaries({"ipBlock": blocks}))
protocols: Drawn = st.fixed_dictionaries({}, optional={"protocol": st.sampled_from(("TCP", "UDP", "SCTP"))})
numbers: Drawn = st.tuples(protocols, st.sampled_from((80, 81, 53))).map(lambda pair: {**pair[0], "port": pair[1]})
ranges: Drawn = numbers.map(lambda item: {**item, "endPort": item["port"] + 1})
fixed_ports: Drawn = st.one_of(protocols, numbers, ranges)
named_ports: Drawn = st.tuples(protocols, st.sampled_from(NAMES)).map(lambda pair: {**pair[0], "port": pair[1]})


def rules(way: str) -> Drawn:
    # What a named port means of a range of addresses outside is not defined.
    plain: Drawn = st.fixed_dictionaries(
        {}, optional={way: st.lists(peers, max_size=2), "ports": st.lists(fixed_ports, max_size=2)}
    )
    named: Drawn = st.fixed_dictionaries(
        {"ports": st.lists(st.one_of(named_ports, fixed_ports), min_size=1, max_size=2)},
        optional={way: st.lists(pod_peers, max_size=2)},
    )
    return st.one_of(plain, named)


types = st.sampled_from(([], ["Ingress"], ["Egress"], ["Ingress", "Egress"]))
specs: Drawn = st.fixed_dictionaries(
    {"podSelector": selectors},
    optional={
        "policyTypes": types,
        "ingress": st.lists(rules("from"), max_size=2),
        "egress": st.lists(rules("to"), max_size=2),
    },
)
container_ports: Drawn = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from((80, 81, 53)), st.sampled_from(("TCP", "UDP"))),
    unique_by=lambda each: each[0],
    max_size=2,
).map(lambda each: [{"name": name, "containerPort": number, "protocol": way} for name, number, way in each])


@st.composite
def clusters(draw: st.DrawFn) -> list[dict[str, Any]]:
    objects = [space(name, **draw(label_sets)) for name in SPACES]
    for number in range(draw(st.integers(2, 4))):
        made = pod(f"p{number}", draw(st.sampled_from(SPACES)), draw(container_ports))
        made["metadata"]["labels"] = draw(label_sets)
        objects.append(made)
    placed = draw(st.lists(st.tuples(specs, st.sampled_from(SPACES)), min_size=1, max_size=4))
    return [*objects, *(policy(f"n{number}", *each) for number, each in enumerate(placed))]
