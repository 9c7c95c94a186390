"""A default-deny for the workloads of a namespace that no policy isolates, behind policies that admit what they need.

The first policy that selects a pod isolates it. So a temporary policy comes first that admits everything to those who
are open today, then what is needed, then the denial; at last the temporary one goes, and only that changes anything.
Source: https://kubernetes.io/docs/concepts/services-networking/network-policies/#the-two-sorts-of-pod-isolation
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.checks.clusters import NAMESPACE_NAME, is_host, namespace_of, policies_in_words, workload_name
from cloudseg.checks.enforcement import doubt_of, enforces_none, plugin_name
from cloudseg.model import ANYONE, Addresses, AllOf, Everyone, Group, GroupRef, Labelled, Rule, RuleSet
from cloudseg.model.edits import AddRuleSet, CreateGroup, RemoveRuleSet
from cloudseg.remediations.interface import Change
from cloudseg.remediations.naming import name_for, new_id, rule_name
from cloudseg.remediations.needed import Unknown, called
from cloudseg.remediations.permissions import few_ports
from cloudseg.remediations.replacing import At, Why, off_limits, removed
from cloudseg.remediations.slots import stage_of
from cloudseg.remediations.wants import wants_of
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cloudseg.checks.clusters import Cluster, Namespace
    from cloudseg.checks.isolation import Open
    from cloudseg.model import Direction, Interface, Peer
    from cloudseg.model.edits import Edit
    from cloudseg.observed.ends import End
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.wants import Want, Wants

__all__ = ["Closing", "closing"]

_STAGE: Final = "network-policies"
_KIND: Final = "NetworkPolicy"
_TELLING: Final = ("app.kubernetes.io/name", "app", "k8s-app", "name")
_OWN: Final = ("namespace/", "port/", "pod/")
_SPOKEN: Final = Traffic.parse("tcp, udp, sctp")
"""What network policies can admit. Source:
https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/"""
_DNS: Final = Traffic.parse("udp/53, tcp/53")
_DNS_OF_OPENSHIFT: Final = Traffic.parse("udp/5353, tcp/5353")
"""Where its resolver listens behind its service. Source:
https://docs.openshift.com/container-platform/latest/networking/networking_operators/dns-operator.html"""
_RANGES: Final = 6
_RESOLVERS: Final = (
    ("kube-system", "k8s-app", "kube-dns", _DNS),
    ("kube-system", "k8s-app", "coredns", _DNS),
    ("openshift-dns", "dns.operator.openshift.io/daemonset-dns", "default", _DNS_OF_OPENSHIFT),
)
_NODE_CACHE: Final = AddressSet.parse("169.254.20.10")
"""NodeLocal DNSCache. Source: https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/"""
_PLANES: Final = {"istio": "istio-system", "linkerd": "linkerd", "consul": "consul"}
"""Where the control planes of meshes run, which proxies ask for certificates and orders, by how their label begins."""
_BACK: Final = "delete the policy"


class Closing(NamedTuple):
    """What closes a namespace in a direction.

    Attributes:
        changes: the changes, in order.
        risks: what nobody's evidence shows.
    """

    changes: tuple[Change, ...]
    risks: tuple[str, ...]


class _Place(NamedTuple):
    """Where policies are made: the cluster, the namespace, the direction."""

    context: RemedyContext
    cluster: Cluster
    namespace: Namespace
    direction: Direction

    def policy(self, purpose: str, chosen: tuple[Labelled, ...], rules: tuple[Rule, ...], name: str = "") -> RuleSet:
        """Return a new policy of the namespace."""
        own = name or name_for(self.cluster.network.scope, self.namespace.name, self.direction, purpose)
        identifier = new_id(self.cluster.network, f"{self.namespace.name}/{_KIND}/{own}")
        return RuleSet(
            id=identifier,
            kind=_KIND,
            name=own,
            tags={"namespace": self.namespace.name},
            stage=_STAGE,
            rules=tuple(msgspec.structs.replace(rule, id=rule_name(identifier, rule)) for rule in rules),
            applies=self.selector(self.namespace.name, chosen),
            network=self.cluster.network.id,
            isolates=frozenset((self.direction,)),
        )

    def selector(self, namespace: str, chosen: tuple[Labelled, ...]) -> AllOf:
        """Return the selector of pods of a namespace of the cluster."""
        return AllOf((_is(NAMESPACE_NAME, namespace), *chosen, _is("pod/cluster", self.cluster.network.scope)))

    def rule(self, traffic: Traffic, remote: tuple[Peer, ...]) -> Rule:
        """Return a rule of the direction."""
        return Rule(id="", direction=self.direction, verdict="accept", traffic=traffic, remote=remote)


def closing(
    context: RemedyContext, cluster: Cluster, namespace: Namespace, direction: Direction, found: Open
) -> Closing | Unknown:
    """Return what closes a namespace in a direction to what its workloads do not need, or why that is not proposed.

    Args:
        context: what all remedies share.
        cluster: the cluster.
        namespace: the namespace.
        direction: the direction.
        found: its workloads that are open today.
    """
    place = _Place(context, cluster, namespace, direction)
    if why := _hindrance(place, found):
        return why
    wide = _wide(place, found)
    if isinstance(wide, Unknown):
        return wide
    pods = {pod.id: pod for pod in (*found.unselected, *found.cancelled)}
    for at in wide:
        pods |= {pod.id: pod for pod in context.estate.governed(at.rule_set)}
    # Pods of one workload that stand in several places of a cloud are several ends.
    for pod in list(pods.values()):
        pods |= {each.id: each for each in context.estate.interfaces_of(pod.workload or "")}
    labels = _labels(place, list(pods.values()))
    if isinstance(labels, Unknown):
        return labels
    deny = place.policy("default-deny", (), ())
    wants = wants_of(context, list(pods.values()), direction, deny)
    if isinstance(wants, Unknown):
        return wants
    if why := _inexpressible(place, wants):
        return why
    return Closing(tuple(_changes(place, found, labels, wants, wide, deny)), _risks(place, wants))


def _hindrance(place: _Place, found: Open) -> Unknown | None:
    cluster = place.cluster
    if place.namespace.name in _PLANES.values():
        return Unknown("the control plane of a mesh runs there, which every proxy and the API server ask")
    if enforces_none(cluster):
        reason = f"{plugin_name(cluster)} does not enforce network policies, so that none would isolate anything"
        return Unknown(reason, ("let a network plugin enforce policies first",))
    if doubt := doubt_of(cluster):
        return Unknown(f"whether policies are enforced is not known: {doubt}")
    if found.doubtful:
        return Unknown(
            "a policy that may select some of its workloads was not read in full", ("read it, and plan again",)
        )
    if found.ranges:
        reason = "policies admit every address, and whether these hold pods depends on the network plugin"
        return Unknown(reason, ("take these rules out by hand, once you know what they are for",))
    stage = stage_of(place.policy("", (), ()), place.context.estate)
    if stage is None or stage.match != "any":
        return Unknown("its network plugin orders network policies, and people keep that order")
    return None


def _wide(place: _Place, found: Open) -> tuple[At, ...] | Unknown:
    """Return the rules of policies that admit everything, and so cancel what isolates beside them."""
    rules = tuple(
        At(policy, rule)
        for _, policy in sorted(found.culprits.items())
        for rule in policy.rules
        if rule.direction == place.direction and rule.allows and Everyone() in rule.remote and rule.traffic.is_all
    )
    if found.culprits.keys() != {at.rule_set.id for at in rules}:
        names = policies_in_words([found.culprits[name] for name in sorted(found.culprits)])
        return Unknown(f"only together admit the rules of {names} everything", ("narrow them by hand",))
    if why := off_limits(rules, place.context.estate):
        return Unknown(why)
    return rules


def _labels(place: _Place, pods: Sequence[Interface]) -> dict[str, tuple[Labelled, ...]] | Unknown:
    """Return by which labels policies choose each workload, and nobody who is isolated today, by its id."""
    allowed = {pod.id for pod in pods} | {pod.workload for pod in pods if pod.workload}
    found: dict[str, tuple[Labelled, ...]] = {}
    for pod in pods:
        labels = _telling(pod, place.namespace.pods)
        if not labels:
            return Unknown(
                f"{workload_name(pod)} bears no label by which a policy could choose it", ("give it a label",)
            )
        chosen = place.context.estate.selected(place.selector(place.namespace.name, labels))
        strangers = [each for each in chosen if each.id not in allowed and each.workload not in allowed]
        if strangers:
            reason = (
                f"{workload_name(pod)} bears the labels of {workload_name(strangers[0])}, which is isolated already"
            )
            return Unknown(reason, ("give them labels that tell them apart",))
        found[pod.id] = labels
    return found


def _telling(pod: Interface, others: Sequence[Interface]) -> tuple[Labelled, ...]:
    """Return labels of a workload: one that no other of its namespace bears, else all of its own."""
    for key in _TELLING:
        value = pod.labels.get(key)
        if value is not None and all(
            each.labels.get(key) != value for each in others if workload_name(each) != workload_name(pod)
        ):
            return (_is(key, value),)
    return tuple(_is(key, value) for key, value in sorted(pod.labels.items()) if not key.startswith(_OWN))


def _inexpressible(place: _Place, wants: Wants) -> Unknown | None:
    for want in wants.wants:
        other = place.context.estate.interfaces.get(want.other.interface)
        words = f"{called(place.context.estate, want.other)} {want.traffic}"
        if not want.traffic <= _SPOKEN:
            reason = "a network policy admits no protocol but TCP, UDP and SCTP, and another one is needed"
            return Unknown(reason, ("name protocols and ports in the intent, where it allows everything",), words)
        if other is not None and is_host(other) and not other.addresses:
            reason = f"{workload_name(other)} shares the network of its node, whose address was not read"
            return Unknown(reason, ("read the nodes as well",), words)
    return None


def _changes(
    place: _Place,
    found: Open,
    labels: Mapping[str, tuple[Labelled, ...]],
    wants: Wants,
    wide: Sequence[At],
    deny: RuleSet,
) -> Iterable[Change]:
    opened = [_opened(place, found, labels)] if found.unselected else []
    temporary = [policy for several in opened for policy in several]
    for policy in temporary:
        yield Change(
            edits=(AddRuleSet(policy),),
            phase="prepare",
            reason="the first policy that selects a pod isolates it: while others are added, this one admits all",
            undo=_BACK,
        )
    by_pod: defaultdict[str, list[Want]] = defaultdict(list)
    for want in wants.wants:
        by_pod[want.own].append(want)
    alike: dict[tuple[Labelled, ...], list[Want]] = {}
    for pod in sorted(labels):
        alike.setdefault(labels[pod], []).extend(by_pod.get(pod, ()))
    for chosen in sorted(alike, key=repr):
        if change := _admission(place, chosen, alike[chosen], wants):
            yield change
    if place.direction == "egress":
        yield from _services(place, labels)
    if found.unselected:
        yield Change(
            edits=(AddRuleSet(deny),),
            phase="add",
            reason=f"it isolates every pod of namespace {place.namespace.name} for {place.direction}",
            evidence=wants.facts,
            undo=_BACK,
        )
    for policy in temporary:
        yield Change(
            edits=(RemoveRuleSet(policy.id),),
            phase="remove",
            reason="what is needed is admitted by other policies, and this one admits the rest",
            evidence=wants.facts,
            undo="apply the temporary policy again, which opens the namespace at once",
        )
    for at in wide:
        yield removed((at,), Why("it admits everything, and other policies admit what is needed of it", wants.facts))


def _opened(place: _Place, found: Open, labels: Mapping[str, tuple[Labelled, ...]]) -> list[RuleSet]:
    """Return the temporary policies that admit everything to those who are open today, and to nobody else."""
    everything = (place.rule(ALL_TRAFFIC, ANYONE),)
    if len(found.unselected) == len(place.namespace.pods):
        return [place.policy("temporary", (), everything)]
    chosen = sorted({labels[pod.id] for pod in found.unselected}, key=repr)
    return [place.policy(f"temporary {each!r}", each, everything) for each in chosen]


def _admission(place: _Place, chosen: tuple[Labelled, ...], wants: Sequence[Want], known: Wants) -> Change | None:
    """Return the policy that admits what workloads with some labels need; None where they need nothing."""
    if not wants:
        return None
    name = name_for(place.cluster.network.scope, place.namespace.name, place.direction, "needed", repr(chosen))
    groups: dict[str, Group] = {}
    by_traffic: defaultdict[Traffic, dict[Peer, None]] = defaultdict(dict)
    for peer, traffic in _by_peer(place, name, wants, groups).items():
        by_traffic[few_ports(traffic, _SPOKEN, _RANGES)][peer] = None
    rules = tuple(
        place.rule(traffic, (peer,))
        for traffic in sorted(by_traffic, key=str)
        for peer in sorted(by_traffic[traffic], key=repr)
    )
    policy = place.policy("", chosen, rules, name)
    seen = sum(want.connections for want in wants)
    evidence = (
        *known.facts,
        *((f"observed: {seen:,} connection{'s' if seen != 1 else ''}",) if seen else ()),
        *(("intended",) if any(want.intended for want in wants) else ()),
    )
    return Change(
        edits=(AddRuleSet(policy), *(CreateGroup(groups[key]) for key in sorted(groups))),
        phase="add",
        reason=f"this is what {_words(chosen)} of namespace {place.namespace.name} need",
        evidence=evidence,
        undo=_BACK,
    )


def _by_peer(place: _Place, policy: str, wants: Sequence[Want], groups: dict[str, Group]) -> dict[Peer, Traffic]:
    found: dict[Peer, Traffic] = {}
    for want in wants:
        traffic = want.traffic & _SPOKEN
        peer = _peer(place, policy, want.other, groups)
        if traffic and peer is not None:
            found[peer] = found.get(peer, NO_TRAFFIC) | traffic
    return found


def _peer(place: _Place, policy: str, end: End, groups: dict[str, Group]) -> Peer | None:
    """Return how a policy names an end: pods of the cluster by labels, everybody else by addresses."""
    interface = place.context.estate.interfaces.get(end.interface)
    if interface is None:
        return Addresses(AddressSet.parse(end.address))
    if not interface.is_pod or interface.scope != place.cluster.network.scope or is_host(interface):
        return Addresses(interface.addresses) if interface.addresses else None
    namespace = namespace_of(interface)
    known = place.cluster.namespaces.get(namespace)
    return _pods(
        place, policy, namespace, _telling(interface, known.pods if known is not None else (interface,)), groups
    )


def _pods(
    place: _Place, policy: str, namespace: str, chosen: tuple[Labelled, ...], groups: dict[str, Group]
) -> GroupRef:
    """Return a reference to pods of a namespace by their labels; the group is made where it is new."""
    selector = place.selector(namespace, chosen)
    own = new_id(place.cluster.network, f"pods {_words(chosen)} in namespace {namespace}, of {policy}")
    groups[own] = Group(id=own, kind="pod-selector", selector=selector, networks=(place.cluster.network.id,))
    return GroupRef(own)


def _services(place: _Place, labels: Mapping[str, tuple[Labelled, ...]]) -> Iterable[Change]:
    """Yield the policies that admit what every pod asks of the cluster: names, and the control plane of its mesh."""
    name = name_for(place.cluster.network.scope, place.namespace.name, place.direction, "services")
    groups: dict[str, Group] = {}
    rules: list[Rule] = []
    spaces = place.cluster.namespaces
    resolvers = [
        (space, key, value, asked)
        for space, key, value, asked in _RESOLVERS
        if space in spaces and any(pod.labels.get(key) == value for pod in spaces[space].pods)
    ]
    for space, key, value, asked in resolvers or _RESOLVERS[:1]:
        rules.append(place.rule(asked, (_pods(place, name, space, (_is(key, value),), groups),)))
    hosts = spaces["kube-system"].hosts if "kube-system" in spaces else ()
    if any(pod.labels.get("k8s-app") == "node-local-dns" for pod in hosts):
        rules.append(place.rule(_DNS, (Addresses(_NODE_CACHE),)))
    meshes = {pod.labels.get("pod/mesh", "") for pod in place.namespace.pods if pod.id in labels}
    for begin, space in sorted(_PLANES.items()):
        if space in spaces and any(mesh.startswith(begin) for mesh in meshes):
            rules.append(place.rule(Traffic.protocol("tcp"), (_pods(place, name, space, (), groups),)))
    policy = place.policy("", (), tuple(rules), name)
    if not all(pod.id in labels for pod in place.namespace.pods):
        # Whoever is isolated already must not gain it.
        for number, chosen in enumerate(sorted({*labels.values()}, key=repr)):
            own = place.policy("", chosen, tuple(rules), f"{name}-{number + 1}")
            edits: tuple[Edit, ...] = (
                AddRuleSet(own),
                *(CreateGroup(groups[key]) for key in sorted(groups) if number == 0),
            )
            yield Change(edits=edits, phase="add", reason=_NAMES, undo=_BACK)
        return
    yield Change(
        edits=(AddRuleSet(policy), *(CreateGroup(groups[key]) for key in sorted(groups))),
        phase="add",
        reason=_NAMES,
        undo=_BACK,
    )


_NAMES: Final = "without the resolver no name resolves, and the proxies of a mesh need its control plane"


def _risks(place: _Place, wants: Wants) -> tuple[str, ...]:
    inward = "webhooks that the control plane calls, and probes that come from other nodes, are often in no log"
    outward = "resolvers of your own, webhooks and the metadata service are often in no log"
    gone = f"{wants.gone:,} conversations had another end that is not there any more, and what these used is not kept"
    rare = "failover, jobs that run seldom and yearly work may not have happened in the window: ask the owners"
    return (inward if place.direction == "ingress" else outward, rare, *((gone,) if wants.gone else ()))


def _is(key: str, value: str) -> Labelled:
    return Labelled(key, "In", frozenset((value,)))


def _words(chosen: Sequence[Labelled]) -> str:
    return ", ".join(f"{each.key}={min(each.values)}" for each in chosen) or "all pods"
