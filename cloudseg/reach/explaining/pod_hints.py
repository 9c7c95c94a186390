"""What is missing where policies of a cluster stop traffic, and what was meant to admit it and does not.

These are the mistakes that people make with NetworkPolicies: a label that a namespace does not bear, a policy in
another namespace, a direction that ``policyTypes`` does not name, or names without being meant to. Source:
https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.model import Addresses, GroupRef, Labelled, matches, qualified
from cloudseg.reach.assumed import assumptions
from cloudseg.reach.explaining.pod_outside import address_peers, not_led_to
from cloudseg.reach.explaining.pod_selectors import NAME, NAMESPACE, PORT, flat, is_near, unmet, values_of
from cloudseg.reach.explaining.rules import Lists, Other, judge
from cloudseg.reach.passage import pipeline_of
from cloudseg.traffic import AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Direction, Estate, Interface, Rule, RuleSet, Stage

__all__ = ["pod_hints"]

_OWN: Final = (NAMESPACE, PORT, "pod/")
_OF_MESH: Final = "mesh-"
_SHOWN: Final = 3


class _Side(NamedTuple):
    """One end that is a pod: the pod, the direction of the packets there, and the other end.

    Attributes:
        pod: the pod.
        direction: of the packets, seen from it.
        other: the pod at the other end; None for addresses.
        addresses: those of the other end.
    """

    pod: Interface
    direction: Direction
    other: Interface | None
    addresses: AddressSet

    @property
    def word(self) -> str:
        """How a rule speaks of the other end."""
        return "from" if self.direction == "ingress" else "to"

    @property
    def far(self) -> str:
        """The other end in words."""
        return str(self.addresses) if self.other is None else self.other.own_id


def pod_hints(
    estate: Estate, source: str | AddressSet, target: str | AddressSet, traffic: Traffic, *, blocked: bool
) -> tuple[str, ...]:
    """Return what people need to know about the policies at pods, in words; nothing for ends that are no pods.

    Args:
        estate: the estate.
        source: who opens the connection.
        target: who is to take it.
        traffic: what is asked about.
        blocked: none of it passes.
    """
    found: dict[str, None] = {}
    for side in _sides(estate, source, target):
        found |= dict.fromkeys(_of_side(estate, side, traffic, blocked=blocked))
    return tuple(found)


def _sides(estate: Estate, source: str | AddressSet, target: str | AddressSet) -> Iterator[_Side]:
    ends: tuple[tuple[str | AddressSet, Direction, str | AddressSet], ...] = (
        (source, "egress", target),
        (target, "ingress", source),
    )
    for near, direction, far in ends:
        pod = None if isinstance(near, AddressSet) else estate.interfaces.get(near)
        other = None if isinstance(far, AddressSet) else estate.interfaces.get(far)
        if pod is None or not pod.is_pod:
            continue
        if isinstance(far, AddressSet):
            yield _Side(pod, direction, None, far)
        elif other is not None:
            yield _Side(pod, direction, other, other.addresses)


def _of_side(estate: Estate, side: _Side, traffic: Traffic, *, blocked: bool) -> Iterator[str]:
    pod, direction = side.pod, side.direction
    pipeline = pipeline_of(pod, estate)
    stages = () if pipeline is None else pipeline.stages(direction)
    for stage in stages:
        if stage.miss != "deny" or stage.name.startswith(_OF_MESH):
            continue
        judges = estate.judging(pod, stage.name, direction)
        judges = tuple(each for each in judges if not each.managed_by)
        if blocked and any(direction in each.isolates for each in judges):
            other = Other(side.addresses, side.other)
            told = judge(Lists(stage, direction, judges, pod), other, traffic, estate)
            if not (told.upper | told.accepted_upper) & traffic:
                yield from _missing(estate, side, stage, judges, traffic)
        elif not blocked and not any(direction in each.isolates for each in judges):
            yield from _not_isolated(estate, side, stage)
    if not blocked and direction == "ingress" and side.other is None:
        yield from not_led_to(estate, pod, side.addresses)
    yield from _without_effect(estate, pod, {stage.name for stage in stages})
    own = (stage.name for stage in stages if stage.at == "interface" and not stage.name.startswith(_OF_MESH))
    if any(not each.managed_by for name in own for each in estate.judging(pod, name, direction)):
        yield from assumptions(estate, (pod,))
    yield from _noted(estate, pod)


def _missing(estate: Estate, side: _Side, stage: Stage, judges: Sequence[RuleSet], traffic: Traffic) -> Iterator[str]:
    """Yield what would admit the traffic, and why what is there does not."""
    pod, direction = side.pod, side.direction
    place = pod.labels.get(NAME, "")
    if item := _rule_item(side, traffic):
        yield (
            f"to admit it, a policy of namespace {place} that selects {pod.own_id} needs this {direction} rule: {item}"
        )
    elif side.other is not None:
        yield f"{side.far} shares the network of its node, and no selector chooses it: name the node's addresses"
    misses = sorted(
        (miss for each in judges for rule in each.rules for miss in _near_miss(estate, side, each, rule, traffic)),
        key=lambda miss: miss[0],
    )
    yield from dict.fromkeys(text for _, text in misses[:_SHOWN])
    for each in judges:
        directions = {rule.direction for rule in each.rules}
        if directions and direction not in directions and direction in each.isolates:
            yield (
                f"{each.own_id} has no {direction} rule and isolates for {direction} all the same; where that is not "
                "meant, name the other direction alone in policyTypes (Ingress is meant where there are none)"
            )
    yield from _elsewhere(estate, side, stage, traffic)


def _near_miss(estate: Estate, side: _Side, policy: RuleSet, rule: Rule, traffic: Traffic) -> Iterator[tuple[int, str]]:
    """Yield why a rule that seems to be meant does not admit the traffic, and how far it is off."""
    if rule.direction != side.direction or not rule.allows:
        return
    name = f"{policy.own_id} {rule.id}"
    ports = rule.traffic.overlaps(traffic)
    if missing := _other_port(estate, rule, side.pod):
        yield 1, f"{name} is for pods with {missing}, and {side.pod.own_id} has none like it"
        return
    for peer in rule.remote:
        group = estate.groups.get(peer.group) if isinstance(peer, GroupRef) else None
        if group is not None and side.other is not None:
            lacking = tuple(unmet(group.selector, side.other))
            if not lacking and not ports:
                yield 1, f"{name} admits {rule.traffic} {side.word} {side.far}, and not {traffic}"
            elif lacking and ports and is_near(group.selector, side.other):
                yield len(lacking), f"{name} admits {traffic} {side.word} others: {', and '.join(lacking)}"
        elif isinstance(peer, Addresses):
            if side.other is None and side.addresses.overlaps(peer.addresses) and not ports:
                yield 1, f"{name} admits {rule.traffic} {side.word} {side.far}, and not {traffic}"
            elif side.other is None and ports and not side.addresses.overlaps(peer.addresses):
                yield 2, f"{name} admits {rule.traffic & traffic} {side.word} {peer.addresses}, and not {side.far}"
            elif side.other is not None and ports:
                yield 2, f"{name} names addresses, {peer.addresses}: name {side.far} by its labels instead"


def _other_port(estate: Estate, rule: Rule, pod: Interface) -> str:
    """Return the named port that a rule asks of the pods that it is for and that a pod does not have."""
    for peer in rule.local:
        group = estate.groups.get(peer.group) if isinstance(peer, GroupRef) else None
        if group is None or matches(group.selector, pod):
            return ""
        for part in flat(group.selector):
            if isinstance(part, Labelled) and part.key.startswith(PORT) and not matches(part, pod):
                return f"the named port {part.key.removeprefix(PORT)} = {', '.join(sorted(part.values))}"
    return ""


def _elsewhere(estate: Estate, side: _Side, stage: Stage, traffic: Traffic) -> Iterator[str]:
    """Yield the policies that would select the pod by its labels, stand in another namespace, and select nobody."""
    shown = 0
    for policy in estate.rule_sets_at(stage.name):
        if policy.scope != side.pod.scope or matches(policy.applies, side.pod) or shown >= _SHOWN:
            continue
        parts = list(flat(policy.applies))
        places = [p for p in parts if isinstance(p, Labelled) and p.key.startswith(NAMESPACE)]
        rest = [p for p in parts if p not in places]
        asked = [p for p in rest if not (isinstance(p, Labelled) and p.key.startswith("pod/"))]
        admits = any(r.allows and r.direction == side.direction and r.traffic.overlaps(traffic) for r in policy.rules)
        alike = places and asked and all(matches(part, side.pod) for part in rest)
        if admits and alike and not estate.governed(policy):
            shown += 1
            where = ", ".join(values_of(part) for part in places if part.key == NAME) or "another one"
            yield (
                f"{policy.own_id} would select {side.pod.own_id} by its labels, and holds for namespace {where} alone, "
                "where it selects nobody: a policy says nothing about other namespaces"
            )


def _not_isolated(estate: Estate, side: _Side, stage: Stage) -> Iterator[str]:
    """Yield that policies select a pod and leave a direction of its traffic alone."""
    selecting = estate.judging(side.pod, stage.name)
    names = [each.own_id for each in selecting if not each.managed_by and side.direction not in each.isolates]
    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        verb = "selects" if len(names) == 1 else "select"
        yield (
            f"no policy isolates {side.pod.own_id} for {side.direction}, so that everything passes there: "
            f"{', '.join(names[:_SHOWN])}{more} {verb} it, and policyTypes does not name {side.direction.capitalize()}"
        )


def _without_effect(estate: Estate, pod: Interface, stages: set[str]) -> Iterator[str]:
    """Yield the policies that select a pod and that nobody enforces."""
    network = estate.networks.get(qualified(pod.provider, pod.scope, "pods"))
    plugin = "" if network is None else network.tags.get("network-plugin", "")
    if not plugin:
        return
    idle = [
        rule_set.own_id
        for _, rule_set in sorted(estate.rule_sets.items())
        if rule_set.stage not in stages
        and (rule_set.provider, rule_set.scope) == (pod.provider, pod.scope)
        and matches(rule_set.applies, pod)
    ]
    if idle:
        more = f" and {len(idle) - _SHOWN} more" if len(idle) > _SHOWN else ""
        yield (
            f"{', '.join(idle[:_SHOWN])}{more} would judge {pod.own_id} and {'has' if len(idle) == 1 else 'have'} no "
            f"effect: the network plugin, {plugin}, does not enforce such policies"
        )


def _noted(estate: Estate, pod: Interface) -> Iterator[str]:
    """Yield what was noted when the policies were read that select a pod."""
    if not estate.notes:
        return
    names = [
        f"{each.own_id}:"
        for _, each in sorted(estate.rule_sets.items())
        if (each.provider, each.scope) == (pod.provider, pod.scope) and matches(each.applies, pod)
    ]
    yield from (note for note in estate.notes if any(name in note for name in names))


def _rule_item(side: _Side, traffic: Traffic) -> str:
    """Return the item of ``ingress`` or ``egress`` that admits traffic; empty where no selector names the other end."""
    item: dict[str, object] = {}
    if side.other is None:
        peers = address_peers(side.addresses)
    elif side.other.is_pod and side.other.role != "host":
        own = {key: value for key, value in sorted(side.other.labels.items()) if not key.startswith(_OWN)}
        peer: dict[str, object] = {"podSelector": {"matchLabels": own} if own else {}}
        place = side.other.labels.get(NAME, "")
        if place != side.pod.labels.get(NAME, ""):
            named = {NAME.removeprefix(NAMESPACE): place}
            peer = {"namespaceSelector": {"matchLabels": named}, **peer}
        peers = [peer]
    elif side.other.is_pod or not side.addresses:
        return ""
    else:
        peers = address_peers(side.addresses)
    if not peers:
        return ""
    item[side.word] = peers
    if ports := list(_ports(traffic)):
        item["ports"] = ports
    return json.dumps(item)


def _ports(traffic: Traffic) -> Iterator[dict[str, object]]:
    """Yield the ports of traffic as a policy writes them; none for what has no ports, and for everything."""
    if traffic.is_all:
        return
    for protocol, numbers in (("TCP", traffic.tcp), ("UDP", traffic.udp), ("SCTP", traffic.sctp)):
        for first, last in numbers.intervals:
            end = {} if first == last else {"endPort": last}
            yield {"protocol": protocol, "port": first, **end}
