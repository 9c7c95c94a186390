"""Whether pods may ask the resolver of their cluster, stage by stage, until something decides for good.

Ordered tiers decide before NetworkPolicies and behind them: what one admits or denies, none behind it takes back.
Sources: https://network-policy-api.sigs.k8s.io/api-overview/,
https://docs.tigera.io/calico/latest/network-policy/policy-tiers/tiered-policy,
https://antrea.io/docs/main/docs/antrea-network-policy/ and
https://docs.cilium.io/en/stable/security/policy/language/#deny-policies
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cloudseg.checks.clusters import of_mesh, selector_parts
from cloudseg.checks.earlier_tiers import in_order
from cloudseg.model import Addresses, Everyone, GroupRef, Names, Unresolved, matches, qualified
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Estate, Interface, Peer, RangeMeaning, Rule, RuleSet, Stage
    from cloudseg.traffic import Traffic

__all__ = ["Answer", "Met", "Resolver", "ask", "met_by"]

_PRIVATE: Final = AddressSet.from_cidrs(("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
"""Where pods have their addresses, as far as nothing tells them."""
_ON_NODES: Final = AddressSet.from_cidrs(("169.254.0.0/16", "fe80::/10"))
"""Where a cache on the pod's own node listens. Source:
https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/"""


class Resolver(NamedTuple):
    """The resolver of a cluster, as far as it was read.

    Attributes:
        pods: its pods; nothing where none were read.
        namespaces: where it runs.
        port: where it listens.
    """

    pods: tuple[Interface, ...]
    namespaces: frozenset[str]
    port: int


class Met(NamedTuple):
    """What a pod's own packets meet at a stage.

    Attributes:
        ranges: what ranges of addresses mean for pods there.
        rules: the rules that concern the pod, in order, each with its list and whether it surely concerns it.
        isolates: what no rule admits is denied.
    """

    ranges: RangeMeaning
    rules: tuple[tuple[RuleSet, Rule, bool], ...]
    isolates: bool


class Answer(NamedTuple):
    """Whether a pod may ask, over one protocol.

    Attributes:
        by: what decides: a rule that admits, a rule that denies, policies that isolate and admit nothing, or nothing.
        perhaps: something that is not certain says the contrary.
        denying: the policies that deny it, or may.
        elsewhere: policies that isolate admit the port, to others than the resolver.
        near: policies admit the port to addresses at which a cache on the pod's own node may listen.
    """

    by: Literal["admission", "denial", "isolation", "nothing"]
    perhaps: bool = False
    denying: tuple[RuleSet, ...] = ()
    elsewhere: bool = False
    near: bool = False

    @property
    def lacking(self) -> bool:
        """Whether it may not ask, or perhaps not."""
        return self.by in {"denial", "isolation"} or self.perhaps


class _Walk:
    """What was met on the way that is not certain."""

    def __init__(self) -> None:
        self.admitting = False
        self.near = False
        self.denying: list[RuleSet] = []

    def admitted(self, by: Literal["admission", "nothing"]) -> Answer:
        return Answer(by, bool(self.denying), tuple(self.denying))

    def denied(self, judge: RuleSet) -> Answer:
        return Answer("denial", self.admitting, (*self.denying, judge), near=self.near)


def met_by(estate: Estate, pod: Interface) -> tuple[Met, ...]:
    """Return the stages at which something decides what a pod may send, in their order."""
    network = estate.networks[qualified(pod.provider, pod.scope, "pods")]
    found = (_met(stage, estate, pod) for stage in estate.pipelines[network.pipeline].stages("egress"))
    return tuple(each for each in found if each.rules or each.isolates)


def _met(stage: Stage, estate: Estate, pod: Interface) -> Met:
    if stage.at != "interface" or of_mesh(stage):
        return Met(stage.ranges, (), isolates=False)
    judges = estate.judging(pod, stage.name, "egress")
    isolates = stage.miss == "deny" and any(not judge.managed_by for judge in judges)
    return Met(stage.ranges, tuple(in_order(estate, pod, stage.name, "egress")), isolates=isolates)


def ask(estate: Estate, stages: Sequence[Met], asked: Traffic, resolver: Resolver) -> Answer:
    """Return whether a pod may send something to the resolver, over one port.

    Args:
        estate: the estate.
        stages: the stages that its packets meet.
        asked: what it sends.
        resolver: the resolver.
    """
    walk = _Walk()
    for stage in stages:
        answer = _at(stage, estate, asked, resolver, walk)
        if answer is not None:
            return answer
    return walk.admitted("nothing")


def _at(stage: Met, estate: Estate, asked: Traffic, resolver: Resolver, walk: _Walk) -> Answer | None:
    """Return what a stage decides for good; None where it hands on."""
    placed = [each for each in stage.rules if asked <= each[1].traffic]
    for judge, rule, certain in placed:
        if rule.verdict == "accept":
            leads = _leads(rule.remote, resolver, estate, stage.ranges)
            if leads and certain:
                return walk.admitted("admission")
            walk.admitting |= leads is not False
            walk.near |= leads is False and _near(rule.remote)
            continue
        whole = _concerns(rule.remote, resolver, estate, stage.ranges)
        if whole is False:
            continue
        sure = whole is True and certain
        if rule.verdict == "deny":
            if sure:
                return walk.denied(judge)
            walk.denying.append(judge)
        elif sure:
            return None
    if stage.isolates:
        elsewhere = any(rule.allows for _, rule, _ in placed)
        return Answer("isolation", walk.admitting, elsewhere=elsewhere, near=walk.near)
    return None


def _leads(peers: Sequence[Peer], resolver: Resolver, estate: Estate, ranges: RangeMeaning) -> bool | None:
    """Tell whether peers may be the resolver; None where it is not known who they are."""
    found = [_leads_to(peer, resolver, estate, ranges) for peer in peers]
    return True if True in found else None if None in found else False


def _leads_to(peer: Peer, resolver: Resolver, estate: Estate, ranges: RangeMeaning) -> bool | None:
    """Tell whether a peer may be the resolver.

    Addresses may be those of its service, or of a cache on the node, but where ranges never mean pods they are not
    those of pods that were read; nor are those of DNS names.
    """
    if isinstance(peer, Names):
        return False if ranges == "outside" else None
    if isinstance(peer, GroupRef):
        return _may_hold(peer.group, resolver, estate)
    if isinstance(peer, Addresses):
        return ranges != "outside" or not resolver.pods
    return True if isinstance(peer, Everyone) else None


def _near(peers: Sequence[Peer]) -> bool:
    return any(isinstance(peer, Addresses) and peer.addresses.overlaps(_ON_NODES) for peer in peers)


def _may_hold(group: str, resolver: Resolver, estate: Estate) -> bool:
    known = estate.groups.get(group)
    if known is None:
        return True
    parts = selector_parts(known.selector)
    if resolver.pods:
        return any(matches(parts.namespaces, pod) and matches(parts.pods, pod) for pod in resolver.pods)
    return parts.names is None or bool(parts.names & resolver.namespaces)


def _concerns(peers: Sequence[Peer], resolver: Resolver, estate: Estate, ranges: RangeMeaning) -> bool | None:
    """Tell whether peers are the whole resolver; None where they may be, or are a part of it."""
    found = [_is_resolver(peer, resolver, estate, ranges) for peer in peers]
    return True if True in found else None if None in found else False


def _is_resolver(peer: Peer, resolver: Resolver, estate: Estate, ranges: RangeMeaning) -> bool | None:
    if isinstance(peer, Everyone):
        return True
    if isinstance(peer, GroupRef):
        return _holds(peer.group, resolver, estate)
    if isinstance(peer, Addresses):
        return False if ranges == "outside" else _among(peer.addresses, resolver, sure=ranges == "everywhere")
    return None if isinstance(peer, Unresolved) else False


def _holds(group: str, resolver: Resolver, estate: Estate) -> bool | None:
    known = estate.groups.get(group)
    if known is None:
        return None
    parts = selector_parts(known.selector)
    if not parts.namespaces.parts and not parts.pods.parts:
        return True
    if resolver.pods and all(matches(parts.namespaces, pod) and matches(parts.pods, pod) for pod in resolver.pods):
        return True
    return None if _may_hold(group, resolver, estate) else False


def _among(addresses: AddressSet, resolver: Resolver, *, sure: bool) -> bool | None:
    own = NO_ADDRESSES
    for pod in resolver.pods:
        own |= pod.addresses
    if addresses >= ALL_IPV4 or addresses >= ALL_IPV6 or (own and own <= addresses):
        return True if sure else None
    return None if addresses.overlaps(own or _PRIVATE) else False
