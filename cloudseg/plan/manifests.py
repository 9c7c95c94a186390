"""Policies of clusters as manifests, from the model: what a plan adds or changes, as it is afterwards.

A NetworkPolicy can be told back exactly: whom it selects, where it isolates, whom it admits on what. What the model
knows of a policy that a manifest cannot say, or says of another kind of policy, is not guessed: then there is no
manifest, and a reason. Source: https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, Union

import yaml

from cloudseg.model import ANYONE, Addresses, AllOf, Everyone, GroupRef, Labelled, own_id, scope_of, shown_id
from cloudseg.plan.digest import short_hash
from cloudseg.text import visible
from cloudseg.traffic import ALL_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cloudseg.model import Direction, Estate, Rule, RuleSet, Selector

__all__ = ["Manifest", "manifest_of", "manifest_path"]

Node: TypeAlias = Union[str, int, "Sequence[Node]", "Mapping[str, Node]"]

_KIND: Final = "NetworkPolicy"
_NAMESPACE: Final = "namespace/"
_NAME: Final = "kubernetes.io/metadata.name"
_CLUSTER: Final = "pod/cluster"
_POD: Final = "pod/"
_ESCAPED: Final = ("pod/namespace/", "pod/port/", "pod/pod/")
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_SAFE: Final = re.compile(r"[^A-Za-z0-9._-]")
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")
_WORDS: Final = frozenset(("true", "false", "yes", "no", "on", "off", "null", "y", "n"))
_PORTS: Final = Traffic.parse("tcp, udp, sctp")
_FEW: Final = 4
_LONGEST: Final = 100
"""Characters of a name in a path; clusters take no longer names than 253, and file systems hardly more."""


class Manifest(NamedTuple):
    """A policy as a manifest, or why there is none.

    Attributes:
        text: YAML; empty where there is none.
        reason: why there is none, in one sentence; empty where there is one.
    """

    text: str
    reason: str


class _UnwritableError(Exception):
    """A manifest cannot say what the model says; the text tells what."""


class _Asked(NamedTuple):
    """What a selector asks of pods.

    Attributes:
        pods: of their own labels.
        namespaces: of the labels of their namespaces.
    """

    pods: tuple[Labelled, ...]
    namespaces: tuple[Labelled, ...]


def manifest_path(rule_set: RuleSet) -> str:
    """Return where the manifest of a policy lies, below the plan's folder."""
    parts = (scope_of(rule_set.id), rule_set.tags.get("namespace", ""), rule_set.name or own_id(rule_set.id))
    safe = [_SAFE.sub("_", part)[:_LONGEST].strip(".") or "_" for part in parts]
    # Names that were changed for the sake of the file system may meet.
    if safe != list(parts):
        safe[-1] = f"{safe[-1]}-{short_hash(rule_set.id, 8)}"
    return f"manifests/{'/'.join(safe)}.yaml"


def manifest_of(rule_set: RuleSet, estate: Estate) -> Manifest:
    """Return the manifest of a policy.

    Args:
        rule_set: the policy, as it is to be.
        estate: the estate to which it belongs, with the groups that its rules name.
    """
    if rule_set.kind != _KIND:
        return Manifest(
            "", f"what is known of a {rule_set.kind} is what it does, not how it is written: change it as the edits say"
        )
    try:
        return Manifest(_HEAD.format(visible(shown_id(rule_set.id))) + _yaml(_policy(rule_set, estate)), "")
    except _UnwritableError as error:
        return Manifest("", f"{error}: change it where it is written, as the edits say")


def _yaml(value: Mapping[str, Node]) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=False, width=120)


class _Dumper(yaml.SafeDumper):
    """Quotes what another reader of YAML could take for something else than a text: ``1e3``, ``yes``, ``0o7``."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature of PyYAML
        return True


def _text(_dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    plain = _PLAIN.fullmatch(value) is not None and value.lower() not in _WORDS
    return yaml.ScalarNode("tag:yaml.org,2002:str", value, style=None if plain else '"')


_Dumper.add_representer(str, _text)

_HEAD: Final = """\
# {} as it is to be after the plan. `kubectl diff -f` shows what changes. `kubectl apply -f` keeps
# annotations, which are not told here.
"""


def _policy(rule_set: RuleSet, estate: Estate) -> dict[str, Node]:
    asked = _asked(rule_set.applies, "it selects pods in a way that no podSelector tells")
    namespace = _one_namespace(asked.namespaces)
    if not namespace or rule_set.tags.get("namespace", namespace) != namespace:
        raise _UnwritableError("it selects pods of other namespaces than its own")
    for name in (rule_set.name, namespace):
        if not _LABEL.fullmatch(name):
            raise _UnwritableError(f"{name!r} is no name that a cluster takes")
    if not rule_set.isolates:
        raise _UnwritableError("it isolates in no direction, which no policyTypes tells")
    labels = {_label(key): value for key, value in sorted(rule_set.tags.items()) if key != "namespace"}
    metadata: dict[str, Node] = {"name": rule_set.name, "namespace": namespace}
    spec: dict[str, Node] = {
        "podSelector": _selector(asked.pods),
        "policyTypes": [each.title() for each in sorted(rule_set.isolates, reverse=True)],
    }
    for direction in sorted({rule.direction for rule in rule_set.rules}, reverse=True):
        if direction not in rule_set.isolates:
            raise _UnwritableError(f"it admits {direction} and does not isolate there")
        rules = [rule for rule in rule_set.rules if rule.direction == direction]
        spec[direction] = _items(rules, direction, namespace, estate)
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": _KIND,
        "metadata": {**metadata, "labels": labels} if labels else metadata,
        "spec": spec,
    }


def _items(rules: Sequence[Rule], direction: Direction, namespace: str, estate: Estate) -> list[Node]:
    """Return the items of ``ingress`` or ``egress``: rules of the same ports stand in one."""
    together: dict[Traffic, list[Rule]] = {}
    for rule in rules:
        _refuse_odd(rule)
        together.setdefault(rule.traffic, []).append(rule)
    items: list[Node] = []
    word = "from" if direction == "ingress" else "to"
    for traffic, each in together.items():
        ports = _ports(traffic)
        tail: dict[str, Node] = {"ports": ports} if ports else {}
        if any(isinstance(peer, Everyone) for rule in each for peer in rule.remote):
            items.append(tail)
        peers: list[Node] = []
        for rule in each:
            for peer in rule.remote:
                for item in _peer(peer, namespace, estate):
                    if item not in peers:
                        peers.append(item)
        if peers:
            items.append({word: peers, **tail})
    return items


def _refuse_odd(rule: Rule) -> None:
    if not rule.exact:
        raise _UnwritableError(f"its rule {rule.id} was not read in full")
    if not rule.allows or rule.priority is not None or rule.source_ports is not None:
        raise _UnwritableError(f"its rule {rule.id} says what no NetworkPolicy can say")
    if rule.local != ANYONE:
        raise _UnwritableError(f"its rule {rule.id} is about a port by its name")
    if not rule.remote:
        raise _UnwritableError(f"its rule {rule.id} admits nobody, which no item of a policy tells")


def _peer(peer: object, namespace: str, estate: Estate) -> list[Node]:
    match peer:
        case Everyone():
            return []
        case Addresses(addresses):
            return [{"ipBlock": block} for block in _blocks(addresses)]
        case GroupRef(name) if name in estate.groups:
            asked = _asked(estate.groups[name].selector, f"{shown_id(name)} is no selector of pods")
            pods = _selector(asked.pods)
            if _one_namespace(asked.namespaces) == namespace:
                return [{"podSelector": pods}]
            spaces = _selector(asked.namespaces, _NAMESPACE)
            return [{"namespaceSelector": spaces, "podSelector": pods} if pods else {"namespaceSelector": spaces}]
        case _:
            raise _UnwritableError("it names an end that no policy can name")


def _blocks(addresses: AddressSet) -> Iterable[Node]:
    """Return blocks of addresses, with exceptions where that is shorter."""
    for family in (AddressSet(v4=addresses.v4), AddressSet(v6=addresses.v6)):
        blocks = family.cidrs()
        if len(blocks) > _FEW:
            whole = _around(family)
            holes = (AddressSet.parse(whole) - family).cidrs()
            if len(holes) < len(blocks):
                yield {"cidr": whole, "except": list(holes)}
                continue
        yield from ({"cidr": block} for block in blocks)


def _around(family: AddressSet) -> str:
    """Return the smallest block around all addresses of one family."""
    numbers, bits, version = (family.v4, 32, 4) if family.v4 else (family.v6, 128, 6)
    first, last = numbers.intervals[0][0], numbers.intervals[-1][1]
    length = bits - (first ^ last).bit_length()
    start = first >> (bits - length) << (bits - length)
    text = str(AddressSet(**{f"v{version}": type(numbers).of(start)}))
    return f"{text}/{length}"


def _ports(traffic: Traffic) -> list[Node]:
    """Return the ports of an item; none for all traffic."""
    if traffic == ALL_TRAFFIC:
        return []
    if not traffic or not traffic <= _PORTS:
        raise _UnwritableError(f"no policy tells {traffic}")
    items: list[Node] = []
    for protocol in ("tcp", "udp", "sctp"):
        name = protocol.upper()
        for first, last in traffic.ports_of(protocol).intervals:
            if (first, last) == (0, 65535):
                items.append({"protocol": name})
            elif first == 0:
                raise _UnwritableError(f"no policy tells port 0 of {name}")
            else:
                items.append({"protocol": name, "port": first, **({"endPort": last} if last > first else {})})
    return items


def _asked(selector: Selector, otherwise: str) -> _Asked:
    """Return what a selector asks of the pods of its cluster.

    Raises:
        _UnwritableError: it asks what no manifest can ask.
    """
    pods: list[Labelled] = []
    namespaces: list[Labelled] = []
    for part in _parts(selector, otherwise):
        if part.key == _CLUSTER:
            continue
        if part.key.startswith(_NAMESPACE):
            namespaces.append(part)
        elif part.key.startswith("port/"):
            raise _UnwritableError("it names a port by its name")
        elif part.key.startswith(_POD) and not part.key.startswith(_ESCAPED):
            raise _UnwritableError(otherwise)
        else:
            pods.append(part)
    return _Asked(tuple(pods), tuple(namespaces))


def _parts(selector: Selector, otherwise: str) -> Iterable[Labelled]:
    if isinstance(selector, Labelled):
        yield selector
    elif isinstance(selector, AllOf):
        for part in selector.parts:
            yield from _parts(part, otherwise)
    else:
        raise _UnwritableError(otherwise)


def _one_namespace(asked: Sequence[Labelled]) -> str:
    """Return the one namespace that is asked for by its name; empty where it is another question."""
    if len(asked) != 1 or asked[0].key != _NAMESPACE + _NAME or asked[0].operator != "In" or len(asked[0].values) != 1:
        return ""
    return next(iter(asked[0].values))


def _selector(asked: Sequence[Labelled], prefix: str = "") -> dict[str, Node]:
    """Return a label selector; an empty one chooses everything."""
    labels: dict[str, Node] = {}
    expressions: list[Node] = []
    for part in asked:
        key = part.key.removeprefix(prefix) if prefix else _label(part.key)
        if part.operator == "In" and len(part.values) == 1 and key not in labels:
            labels[key] = next(iter(part.values))
        else:
            values: dict[str, Node] = {"values": sorted(part.values)} if part.values else {}
            expressions.append({"key": key, "operator": part.operator, **values})
    found: dict[str, Node] = {}
    if labels:
        found["matchLabels"] = labels
    if expressions:
        found["matchExpressions"] = expressions
    return found


def _label(key: str) -> str:
    """Return a label of a pod as it is written: those that begin as the model's own do are told apart there."""
    return key.removeprefix(_POD) if key.startswith(_ESCAPED) else key
