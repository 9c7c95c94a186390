"""Small random clusters with Cilium's policies, and NetworkPolicies beside them."""

from typing import Any

from hypothesis import strategies as st

from tests.kubernetes.cluster import OUTSIDE, pod, policy, space, written
from tests.kubernetes.drawn import KEYS, NAMES, SPACES, VALUES, Drawn, container_ports, label_sets, specs

KINDS = ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy")
NAMESPACE = "io.kubernetes.pod.namespace"
GROUPS = ("lan", "wan")
SERVICES = ("front", "back")

own_keys = st.sampled_from([*KEYS, *(f"k8s:{key}" for key in KEYS), *(f"any:{key}" for key in KEYS)])
space_keys = st.sampled_from(
    [f"io.cilium.k8s.namespace.labels.{key}" for key in KEYS] + ["k8s:io.cilium.k8s.namespace.labels.app"]
)
values: Drawn = st.lists(st.sampled_from(VALUES), min_size=1, unique=True)


def terms(keys: Drawn, given: Drawn) -> Drawn:
    listed: Drawn = st.fixed_dictionaries({"key": keys, "operator": st.sampled_from(("In", "NotIn")), "values": given})
    bare: Drawn = st.fixed_dictionaries({"key": keys, "operator": st.sampled_from(("Exists", "DoesNotExist"))})
    return listed | bare


own_selectors: Drawn = st.fixed_dictionaries(
    {},
    optional={
        "matchLabels": st.dictionaries(own_keys, st.sampled_from(VALUES), max_size=2),
        "matchExpressions": st.lists(terms(own_keys, values), max_size=1),
    },
)
named_spaces: Drawn = st.sampled_from((NAMESPACE, f"k8s:{NAMESPACE}")).flatmap(
    lambda key: terms(st.just(key), st.lists(st.sampled_from(SPACES), min_size=1, unique=True))
)


def with_term(own: dict[str, Any], term: dict[str, Any]) -> dict[str, Any]:
    return {**own, "matchExpressions": [*own.get("matchExpressions", []), term]}


labelled_spaces: Drawn = terms(space_keys, values)
peer_selectors: Drawn = st.one_of(
    own_selectors,
    st.builds(with_term, own_selectors, named_spaces),
    st.builds(with_term, own_selectors, labelled_spaces),
    st.builds(with_term, st.just({}), labelled_spaces),
)
blocks = st.sampled_from(("0.0.0.0/0", "203.0.113.0/24", f"{OUTSIDE}/32", "10.0.0.0/8", "2001:db8::/32", "::/0"))
cidr_rules: Drawn = st.one_of(
    blocks.map(lambda text: {"cidr": text}),
    st.just({"cidr": "203.0.0.0/8", "except": [f"{OUTSIDE}/32"]}),
    st.sampled_from(GROUPS).map(lambda name: {"cidrGroupRef": name}),
    st.sampled_from(VALUES).map(lambda value: {"cidrGroupSelector": {"matchLabels": {"app": value}}}),
)
entities = st.sampled_from(("all", "world", "world-ipv4", "world-ipv6", "cluster", "none", "health"))
services: Drawn = st.one_of(
    st.tuples(st.sampled_from(SERVICES), st.sampled_from(SPACES[:2])).map(
        lambda pair: {"k8sService": {"serviceName": pair[0], "namespace": pair[1]}}
    ),
    st.just({"k8sServiceSelector": {"selector": {"matchLabels": {"tier": "a"}}, "namespace": "shop"}}),
)
protocols: Drawn = st.fixed_dictionaries({}, optional={"protocol": st.sampled_from(("TCP", "UDP", "SCTP", "ANY"))})
fixed_ports: Drawn = st.one_of(
    st.tuples(protocols, st.sampled_from(("80", "81", "53"))).map(lambda pair: {**pair[0], "port": pair[1]}),
    st.tuples(protocols, st.sampled_from((80, 53))).map(
        lambda pair: {**pair[0], "port": str(pair[1]), "endPort": pair[1] + 1}
    ),
    # With ANY, whether protocols without ports are meant is not defined.
    st.sampled_from(("TCP", "UDP")).map(lambda protocol: {"port": "0", "protocol": protocol}),
)
named_ports: Drawn = st.tuples(protocols, st.sampled_from(NAMES)).map(lambda pair: {**pair[0], "port": pair[1]})
icmps: Drawn = st.lists(
    st.sampled_from(
        (
            {"fields": [{"type": 8}]},
            {"fields": [{"type": "EchoRequest", "family": "IPv4"}]},
            {"fields": [{"type": "128", "family": "IPv6"}, {"type": 0, "family": "IPv4"}]},
        )
    ),
    min_size=1,
    max_size=2,
)
proofs: Drawn = st.sampled_from(({"mode": "required"}, {"mode": "disabled"}))


@st.composite
def rules(draw: st.DrawFn, way: str, *, denial: bool, named: bool) -> dict[str, Any]:
    word = "from" if way == "ingress" else "to"
    kinds: dict[str, Drawn] = {
        f"{word}Endpoints": peer_selectors,
        f"{word}CIDR": blocks,
        f"{word}CIDRSet": cidr_rules,
        f"{word}Entities": entities,
    }
    if way == "egress":
        kinds["toServices"] = services
    rule: dict[str, Any] = {}
    kind = draw(st.sampled_from([*kinds, f"{word}Endpoints", ""]))
    if kind:
        rule[kind] = draw(st.lists(kinds[kind], min_size=0 if draw(st.integers(0, 9)) == 0 else 1, max_size=2))
    if kind == "toServices" and not rule[kind]:
        # Only lists of endpoints, addresses and entities are known to choose nobody when they are empty.
        del rule[kind]
    ports = draw(st.sampled_from(("none", "ports", "ports", "icmps")))
    if ports == "ports":
        # On egress, what a named port means differs between versions, and of addresses outside it is not defined.
        names = way == "ingress" or (named and kind in {f"{word}Endpoints", ""})
        each = st.one_of(fixed_ports, named_ports) if names else fixed_ports
        rule["toPorts"] = [
            {"ports": draw(st.lists(each, min_size=1, max_size=2))} for _ in range(draw(st.integers(1, 2)))
        ]
    elif ports == "icmps":
        rule["icmps"] = draw(icmps)
    if not denial and draw(st.integers(0, 9)) == 0:
        rule["authentication"] = draw(proofs)
    return rule


@st.composite
def cilium_specs(draw: st.DrawFn, *, named: bool) -> dict[str, Any]:
    spec: dict[str, Any] = {"endpointSelector": draw(own_selectors)}
    sections = draw(
        st.lists(
            st.sampled_from(("ingress", "egress", "ingressDeny", "egressDeny")), min_size=1, max_size=3, unique=True
        )
    )
    for name in sections:
        denial = name.endswith("Deny")
        way = name.removesuffix("Deny")
        most = 1 if denial else 3
        spec[name] = draw(st.lists(rules(way, denial=denial, named=named), max_size=most))
    if draw(st.integers(0, 3)) == 0:
        # What it means to isolate without a rule is not defined.
        ruled = {name.removesuffix("Deny") for name in sections if spec[name]}
        spec["enableDefaultDeny"] = {way: draw(st.booleans()) and way in ruled for way in ("ingress", "egress")}
    return spec


def cilium(kind: str, name: str, namespace: str | None = None, **fields: Any) -> dict[str, Any]:
    return written(kind, name, namespace, apiVersion="cilium.io/v2", **fields)


def around(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Namespaces, pods, groups of addresses and services."""
    objects = [space(name, **draw(label_sets)) for name in SPACES]
    for number in range(draw(st.integers(2, 4))):
        made = pod(f"p{number}", draw(st.sampled_from(SPACES[:2])), draw(container_ports))
        made["metadata"]["labels"] = draw(label_sets)
        objects.append(made)
    for name in GROUPS:
        group = cilium("CiliumCIDRGroup", name, spec={"externalCIDRs": draw(st.lists(blocks, min_size=1, max_size=2))})
        group["metadata"]["labels"] = draw(label_sets)
        objects.append(group)
    for name in SERVICES:
        for place in SPACES[:2]:
            chosen = draw(st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), min_size=1))
            fields = {"metadata": {"labels": draw(label_sets)}, "spec": {"selector": chosen}}
            objects.append(written("Service", name, place, **fields))
    # One is sure to be chosen by its labels.
    objects.append(
        written("Service", "sure", "shop", metadata={"labels": {"tier": "a"}}, spec={"selector": {"app": "a"}})
    )
    return objects


@st.composite
def clusters(draw: st.DrawFn, *, named: bool = False) -> list[dict[str, Any]]:
    objects = around(draw)
    for number in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(KINDS))
        place = draw(st.sampled_from(SPACES[:2])) if kind == KINDS[0] else None
        first, *rest = draw(st.lists(cilium_specs(named=named), min_size=1, max_size=2))
        fields = {"spec": first} | ({"specs": rest} if rest else {})
        objects.append(cilium(kind, f"c{number}", place, **fields))
    for number, each in enumerate(draw(st.lists(st.tuples(specs, st.sampled_from(SPACES[:2])), max_size=2))):
        objects.append(policy(f"n{number}", *each))
    return objects
