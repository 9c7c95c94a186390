"""Pods that services, ingresses and routes of gateways offer to the internet, as far as policies let packets in.

Sources: https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types,
https://kubernetes.io/docs/concepts/services-networking/ingress/ and https://gateway-api.sigs.k8s.io/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.checks.clusters import of_cluster, pods_in_words
from cloudseg.checks.exposure import classes_of, is_everything, public_words, severity_of
from cloudseg.findings import Remedy, Severity
from cloudseg.model import qualified, shown_id
from cloudseg.reach.packets import addresses_of, traffic_of
from cloudseg.reach.passage import find_passage
from cloudseg.reach.way_in import WayIn, WaysIn
from cloudseg.traffic import (
    ALL_ADDRESSES,
    ALL_IPV4,
    ALL_IPV6,
    GLOBAL_UNICAST,
    NO_ADDRESSES,
    NO_TRAFFIC,
    AddressSet,
    Traffic,
)
from cloudseg.traffic.cidr import address_text
from cloudseg.traffic.telling import first_packet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Entrance, Estate, Interface
    from cloudseg.reach.packets import Box

__all__ = ["published"]

_ANYBODY = AddressSet.parse("198.51.100.7")
"""An address of the internet that nobody uses: https://www.rfc-editor.org/rfc/rfc5737"""
_UNSEEN = "no witness: it arrives whatever address the pods see, and which one they do is not known"
_UNSURE = "no witness: nothing of it certainly arrives"


class _Reached(NamedTuple):
    """What an entrance delivers to the pods of one workload.

    Attributes:
        pod: the workload.
        lower: what certainly arrives.
        upper: what arrives at most.
        senders: the addresses of the internet whose packets arrive, at most.
        packet: one packet of it in words, sender and receiver; empty where none is certain.
        doubt: what makes it uncertain besides what the entrance says of itself, in words.
    """

    pod: Interface
    lower: Traffic
    upper: Traffic
    senders: AddressSet
    packet: str = ""
    doubt: str = ""


def published(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for each way into a cluster by which the internet reaches pods, or may reach them."""
    for _, entrance in sorted(context.estate.entrances.items()):
        if of_cluster(entrance) and entrance.active is not False:
            reached = [each for each in _reached(entrance, context) if each.upper and each.senders]
            if reached:
                yield _finding(entrance, reached, context)


def _finding(entrance: Entrance, reached: Sequence[_Reached], context: AuditContext) -> Finding:
    surely = [each for each in reached if each.lower]
    # What is certain is told of those alone for whom it is; where nothing is, of everybody whom it may reach.
    told = surely or reached
    arrives, senders = NO_TRAFFIC, NO_ADDRESSES
    for each in told:
        arrives |= each.lower if surely else each.upper
        senders |= each.senders
    listens = arrives if entrance.listens is None else entrance.listens
    pods = [each.pod for each in told]
    state = "opens" if surely else "may open"
    kinds = dict.fromkeys((*classes_of(arrives), *classes_of(listens)))
    doubts = [] if surely else list(dict.fromkeys(filter(None, (entrance.doubt, *(each.doubt for each in told)))))
    shown = next((each.packet for each in told if each.packet), "")
    perhaps = [each.pod for each in reached if not each.lower] if surely else []
    return context.finding(
        entrance,
        f"{entrance.own_id} {state} {arrives} of {pods_in_words(pods)} to {public_words(senders)} as {listens}",
        severity=_severity(listens, arrives, senders),
        confidence="high" if surely else "low",
        evidence=(
            *(f"exposes {kind.name}" for kind in kinds),
            f"way in: {entrance.tags.get('way') or entrance.kind}",
            *(f"unknown: {doubt}" for doubt in doubts),
            *((f"may reach {pods_in_words(perhaps)} as well",) if perhaps else ()),
            f"witness: {shown}" if shown else _UNSEEN if surely else _UNSURE,
        ),
        reachable=True if surely else None,
        affected=[*pods, *perhaps],
        remedy=Remedy(
            "narrow-ports",
            "name the clients that need it (loadBalancerSourceRanges, a policy that admits them alone), or make it"
            " internal",
        ),
    )


def _severity(listens: Traffic, arrives: Traffic, senders: AddressSet) -> Severity:
    """Return the severity of what is offered: the web under its own ports is there to be reached, whatever runs it."""
    if classes_of(arrives) or is_everything(arrives):
        return severity_of(arrives, senders)
    return severity_of(listens, senders, public_service=True)


def _reached(entrance: Entrance, context: AuditContext) -> Iterator[_Reached]:
    for target in sorted(entrance.targets):
        for pod in _pods_of(target, context.estate):
            if entrance.through:
                yield _by_proxies(entrance, pod, context)
            else:
                yield _straight(entrance, pod, context)


def _pods_of(name: str, estate: Estate) -> tuple[Interface, ...]:
    """Return the pods of a workload, or the one that is named itself."""
    own = estate.interfaces.get(name)
    return estate.interfaces_of(name) if own is None else (own,)


def _by_proxies(entrance: Entrance, pod: Interface, context: AuditContext) -> _Reached:
    """Return what proxies in the cluster can open to a pod: who gets to them, and policies between pods, decide."""
    lower = upper = NO_TRAFFIC
    senders = NO_ADDRESSES
    packet = ""
    for proxy in (each for owner in sorted(entrance.through) for each in _pods_of(owner, context.estate)):
        if proxy.id == pod.id:
            continue
        before = [_straight(each, proxy, context) for each in _ways_to(proxy, context.estate)]
        coming = NO_ADDRESSES
        for each in before:
            coming |= each.senders if each.upper else NO_ADDRESSES
        verdict = context.reach.between(proxy.id, pod.id)
        let = any(each.lower for each in before) and entrance.active
        sure = verdict.lower & entrance.traffic if let else NO_TRAFFIC
        if sure and not packet:
            packet = f"{proxy.shown_id} → {pod.shown_id} {first_packet(sure)} (the proxy sends it on)"
        lower, upper = lower | sure, upper | (verdict.upper & entrance.traffic)
        senders |= coming if before else GLOBAL_UNICAST
    return _Reached(pod, lower, upper, senders & entrance.senders, packet)


def _ways_to(proxy: Interface, estate: Estate) -> Iterator[Entrance]:
    """Yield the ways in that lead to a proxy itself."""
    found = (each for each in estate.entrances_to(proxy) if of_cluster(each))
    return (each for each in found if not each.through and each.active is not False)


def _straight(entrance: Entrance, pod: Interface, context: AuditContext) -> _Reached:
    """Return what the policies of a pod let in of what comes from outside of the cluster.

    Where packets may be rewritten on the way, only what policies admit from every address is certain. What comes by way
    of nodes may come in whatever policies forbid, since a pod's own node always gets in; what comes by a load balancer
    that puts its own address in place of the client's, as far as they admit one inside. The lists of a cloud's network
    in which a pod stands may admit a load balancer by an address or a group that was not read: they take away from what
    is certain alone. Sources:
    https://kubernetes.io/docs/concepts/services-networking/network-policies/#what-you-can-t-do-with-network-policies-at-least-not-yet
    and https://docs.aws.amazon.com/eks/latest/best-practices/vpc-cni.html
    """
    estate = context.estate
    network = estate.networks.get(qualified(pod.provider, pod.scope, "pods"))
    pipeline = None if network is None else estate.pipelines.get(network.pipeline)
    clients = entrance.senders if entrance.certain_clients else ALL_ADDRESSES
    ways = WaysIn((WayIn(clients, entrance.traffic, certain=True, text=""),))
    packets = find_passage(pod, ways, "", estate, pipeline).packets
    senders = entrance.senders & GLOBAL_UNICAST
    if entrance.groups:
        upper = entrance.traffic
    else:
        upper = traffic_of(packets.upper)
        admitted = addresses_of(packets.upper)
        if entrance.certain_clients or admitted <= GLOBAL_UNICAST:
            senders &= admitted
    if not entrance.active:
        return _Reached(pod, NO_TRAFFIC, upper, senders)
    sure, doubt = _certain(entrance, packets.lower), ""
    if sure and network is not None and pod.network not in {None, network.id}:
        sure = _certain(entrance, find_passage(pod, ways, "", estate).packets.lower)
        doubt = "" if sure else f"whether {shown_id(pod.network or '')} lets what brings it in to the pods"
    return _Reached(pod, traffic_of(sure), upper, senders, _packet(entrance, pod, sure, context), doubt)


def _certain(entrance: Entrance, boxes: Sequence[Box]) -> list[Box]:
    """Return what certainly arrives of what lists let in; of senders that may be hidden, what they let in from all."""
    kept = (box for box in boxes if entrance.certain_clients or _from_anywhere(box.traffic, boxes))
    return [box for box in kept if box.addresses.overlaps(entrance.senders & GLOBAL_UNICAST)]


def _from_anywhere(traffic: Traffic, boxes: Sequence[Box]) -> bool:
    """Tell whether some traffic is let in from every address of a family."""
    addresses = addresses_of(box for box in boxes if traffic <= box.traffic)
    return addresses >= ALL_IPV4 or addresses >= ALL_IPV6


def _packet(entrance: Entrance, pod: Interface, boxes: Sequence[Box], context: AuditContext) -> str:
    """Return one packet that arrives, where it also does when the pod is asked for by its own address."""
    for box in boxes:
        senders = box.addresses & entrance.senders & GLOBAL_UNICAST
        sender = _ANYBODY if senders >= _ANYBODY else _first(senders)
        if sender and (lower := context.reach.between(sender, pod.id).lower & box.traffic):
            return f"{sender} → {pod.shown_id} {first_packet(lower)} (through {entrance.shown_id})"
    return ""


def _first(addresses: AddressSet) -> AddressSet:
    for family, numbers in ((4, addresses.v4), (6, addresses.v6)):
        if numbers:
            return AddressSet.parse(address_text(family, numbers.intervals[0][0]))
    return addresses
