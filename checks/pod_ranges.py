"""Ranges of addresses in the rules of network policies, and the pods that may stand in them.

Whether a range matches pods at all depends on the network plugin. Source:
https://kubernetes.io/docs/concepts/services-networking/network-policies/#behavior-of-to-and-from-selectors
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.clusters import clusters, is_host, namespace_of, of_cluster, pods_in_words
from cloudseg.checks.policy_manifests import dns_admission, peer_items
from cloudseg.checks.rule_lists import counted
from cloudseg.findings import Remedy, Severity
from cloudseg.model import Addresses
from cloudseg.traffic import GLOBAL_UNICAST, NO_ADDRESSES, PRIVATE, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.findings import Confidence
    from cloudseg.model import Estate, Interface, Peer, RangeMeaning, Rule, RuleSet

__all__ = ["PodRange", "PodRanges"]

_WHOLE: Final = tuple(AddressSet.parse(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
"""The private ranges that people write when they mean "inside". Sources: RFC 1918, RFC 4193."""
_DNS: Final = Traffic.parse("udp/53, tcp/53")
_ITEMS: Final = 3
_MEANINGS: Final[dict[RangeMeaning, str]] = {
    "everywhere": "",
    "unknown": "unknown: whether a range matches pods depends on the network plugin",
    "outside": "the network plugin knows pods by their labels, so a range never matches them: this admits none of them",
}


class PodRange(NamedTuple):
    """What is said of the range of a rule.

    Attributes:
        who: who is in it, as the end of a sentence about the rule.
        severity: how bad it is.
        confidence: how certain it is that pods are meant.
        facts: facts, one sentence each.
        remedy: what to name instead.
    """

    who: str
    severity: Severity
    confidence: Confidence
    facts: tuple[str, ...]
    remedy: Remedy


class PodRanges:
    """Looks at the ranges that policies of clusters name.

    Args:
        estate: the estate.
        remedy: the id of the remedy.
    """

    def __init__(self, estate: Estate, remedy: str) -> None:
        self._remedy = remedy
        self._policies = any(of_cluster(rule_set) for rule_set in estate.rule_sets.values())
        self._pods: dict[tuple[str, str], tuple[Interface, ...]] = {}
        self._unread: dict[tuple[str, str], list[AddressSet] | None] = {}
        self._addressed: dict[tuple[str, str], tuple[Interface, ...]] = {}
        self._public: dict[tuple[AddressSet, tuple[str, str]], bool] = {}
        self._meanings: dict[tuple[str, str, str], RangeMeaning] = {}
        for cluster in clusters(estate):
            place = (cluster.network.provider, cluster.network.scope)
            self._pods[place] = tuple(cluster.pods)
            # Pods of one workload may stand in several places of a cloud, each with addresses of its own.
            standing = [each for _, each in sorted(estate.interfaces.items()) if each.is_pod and not is_host(each)]
            own = [each for each in standing if (each.provider, each.scope) == place]
            # Of pods in manifests no addresses are known, and there are many of them.
            self._addressed[place] = tuple(pod for pod in own if pod.addresses)
            subnets = {pod.subnet for pod in own if not pod.addresses}
            known = [estate.subnets.get(subnet or "") for subnet in subnets]
            self._unread[place] = None if None in known else [each.addresses for each in known if each is not None]
            pipeline = estate.pipelines[cluster.network.pipeline]
            for stage in (*pipeline.ingress, *pipeline.egress):
                self._meanings[(*place, stage.name)] = stage.ranges

    def may_name(self, end: tuple[Peer, ...]) -> bool:
        """Tell whether an end of a rule may name pods by their addresses; a first look that costs little."""
        return self._policies and any(isinstance(peer, Addresses) for peer in end)

    def of(self, policy: RuleSet) -> Iterator[tuple[Rule, PodRange]]:
        """Yield the rules of a policy that name ranges in which pods stand, or may stand."""
        place = (policy.provider, policy.scope)
        for rule in policy.rules:
            written = NO_ADDRESSES
            for peer in rule.remote if rule.verdict == "accept" else ():
                # A range of the internet is what the checks of exposure and of egress judge.
                if isinstance(peer, Addresses) and not self._is_public(peer.addresses, place):
                    written |= peer.addresses
            if written and (found := self._judged(policy, rule, written, place)) is not None:
                yield rule, found

    def _is_public(self, addresses: AddressSet, place: tuple[str, str]) -> bool:
        known = self._public.get((addresses, place))
        if known is None:
            public = addresses & GLOBAL_UNICAST
            held = any(public <= pod.addresses for pod in self._addressed.get(place, ()))
            known = self._public[addresses, place] = bool(public) and not held
        return known

    def _judged(self, policy: RuleSet, rule: Rule, written: AddressSet, place: tuple[str, str]) -> PodRange | None:
        pods, addressed = self._pods.get(place, ()), self._addressed.get(place, ())
        inside = tuple(pod for pod in addressed if pod.addresses.overlaps(written))
        places = self._unread.get(place)
        unread = not pods or places is None or any(written.overlaps(each) for each in places)
        if not inside and (not unread or not written & PRIVATE):
            return None
        meaning = _MEANINGS[self._meanings.get((policy.provider, policy.scope, policy.stage), "unknown")]
        return (
            self._with_pods(policy, rule, written, inside, meaning) if inside else self._without(rule, written, meaning)
        )

    def _with_pods(
        self, policy: RuleSet, rule: Rule, written: AddressSet, inside: tuple[Interface, ...], meaning: str
    ) -> PodRange:
        items = peer_items(inside, self._pods[policy.provider, policy.scope], policy.tags.get("namespace", ""))
        shown = ", ".join(json.dumps(item) for item in items[:_ITEMS])
        more = f" and {len(items) - _ITEMS} more" if len(items) > _ITEMS else ""
        word = "from" if rule.direction == "ingress" else "to"
        places: defaultdict[str, int] = defaultdict(int)
        standing = {pod.workload or pod.id: pod for pod in inside}
        for pod in standing.values():
            places[namespace_of(pod)] += 1
        return PodRange(
            who=f"where {counted(len(standing), 'workload')} {'stands' if len(standing) == 1 else 'stand'}: "
            f"{pods_in_words(inside)}",
            severity=Severity.LOW if written.size == 1 else Severity.MEDIUM,
            confidence="high",
            facts=(
                *(f"in namespace {name}: {counted(number, 'workload')}" for name, number in sorted(places.items())),
                "pods get other addresses whenever they start anew",
                *((meaning,) if meaning else ()),
            ),
            remedy=Remedy(
                self._remedy,
                f"name the pods by their labels: under `{word}:` write {shown}{more}; keep addresses only for who "
                "stands outside of the cluster",
            ),
        )

    def _without(self, rule: Rule, written: AddressSet, meaning: str) -> PodRange:
        whole = [str(each) for each in _WHOLE if each <= written]
        resolver = rule.direction == "egress" and rule.traffic <= _DNS
        for_dns = f"; for the resolver of the cluster that is {dns_admission()}" if resolver else ""
        who = (
            f"all of {', '.join(whole)}, in which the pods of most clusters stand"
            if whole
            else "private addresses that pods or services of the cluster may have"
        )
        return PodRange(
            who=who,
            severity=Severity.MEDIUM if whole else Severity.LOW,
            confidence="medium" if whole else "low",
            facts=("unknown: the addresses of the pods were not read", *((meaning,) if meaning else ())),
            remedy=Remedy(
                self._remedy,
                "name the pods that it is meant for by podSelector and namespaceSelector, and keep addresses only for "
                f"who stands outside of the cluster, as narrow as they are{for_dns}",
            ),
        )
