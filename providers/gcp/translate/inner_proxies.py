"""Proxies of load balancers inside networks: interfaces in proxy-only subnets that open connections to backends."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from cloudseg.model import ANY_ZONE, Alias, AliasPort, Forward, Forwarder, ForwardTarget, Interface, Workload
from cloudseg.providers.gcp.ids import name_of
from cloudseg.providers.gcp.translate.balancing_parts import Led
from cloudseg.providers.gcp.translate.groups import PROXY
from cloudseg.providers.gcp.translate.wire import labels_of
from cloudseg.traffic import ALL_IPV4, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloudseg.providers.gcp.translate.answers import Answers
    from cloudseg.providers.gcp.translate.backends import Behind
    from cloudseg.providers.gcp.translate.draft import Draft
    from cloudseg.providers.gcp.translate.fronts import Front
    from cloudseg.traffic import Traffic

__all__ = ["add_inner_proxies", "proxy_ranges", "proxy_subnets"]

_REGIONAL: Final = frozenset(("REGIONAL_MANAGED_PROXY", "INTERNAL_HTTPS_LOAD_BALANCER"))
_GLOBAL: Final = frozenset(("GLOBAL_MANAGED_PROXY",))
_ANY_RANGE: Final = ALL_IPV4 - AddressSet.from_cidrs(("0.0.0.0/8",))
"""Where a subnet's range may lie. Source: https://cloud.google.com/vpc/docs/subnets#prohibited-ipv4-ranges"""


def proxy_subnets(draft: Draft, front: Front) -> list[str]:
    """Return the subnets whose proxies serve a network in a region, or in all.

    Source: https://cloud.google.com/load-balancing/docs/proxy-only-subnets
    """
    everywhere = front.region == "global"
    purposes = _GLOBAL if everywhere else _REGIONAL
    return [
        identifier
        for identifier, subnet in sorted(draft.subnets.items())
        if draft.purposes.get(identifier) in purposes
        and subnet.network == front.network
        and (everywhere or front.region == subnet.region)
    ]


def proxy_ranges(draft: Draft, front: Front) -> AddressSet:
    """Return the addresses from which the proxies of a load balancer come; any where their subnet was not read."""
    found = NO_ADDRESSES
    for subnet in proxy_subnets(draft, front):
        found |= draft.subnets[subnet].addresses
    return found or _ANY_RANGE


def add_inner_proxies(
    answers: Answers, draft: Draft, front: Front, behind: Mapping[str, Behind], *, complete: bool
) -> None:
    """Add the proxies of a load balancer inside a network, and where they send what they take.

    All of them in a subnet are one interface, whose address may be any of it; the load balancer's own address stands
    for them. The lists of machines do not judge them. Source:
    https://cloud.google.com/load-balancing/docs/proxy-only-subnets#proxy-only_subnets_and_firewall_rules

    Args:
        answers: the project's answers.
        draft: takes them.
        front: the forwarding rule.
        behind: who is behind each of its backend services, by the service's qualified id.
        complete: all of them were read.
    """
    rule, region, tags = front.rule, front.region, labels_of(front.rule)
    workload = Workload(
        id=front.id, kind="load-balancer", name=rule.name, region=region, tags=tags, network=front.network,
        internet_facing=False,
    )  # fmt: skip
    draft.put(draft.workloads, workload, answers.scope)
    subnets: list[str | None] = [*proxy_subnets(draft, front)]
    interfaces: set[str] = set()
    for subnet in subnets or [None]:
        known = draft.subnets.get(subnet or "")
        interface = Interface(
            id=f"{front.id}/proxies" if len(subnets) < 2 else f"{front.id}/proxies/{name_of(subnet or '')}",
            kind="network-interface",
            name=rule.name,
            region=region if known is None else known.region,
            tags=tags,
            network=front.network,
            subnet=subnet,
            labels={PROXY: "true"},
            workload=front.id,
            role="proxy",
            derived=True,
            managed_by="gcp",
        )
        draft.put(draft.interfaces, interface, answers.scope)
        interfaces.add(interface.id)
        if region != "global" and not rule.allow_global_access:
            draft.regional[interface.id] = region
    forwarder = Forwarder(
        id=front.id, kind="load-balancer", name=rule.name, region=region, tags=tags, accepts=front.listens,
        forwards=tuple(each for service, found in behind.items() for each in _forwards(front, service, found)),
        complete=complete,
    )  # fmt: skip
    draft.put(draft.forwarders, forwarder, answers.scope)
    led = tuple(ForwardTarget(target=each, zone=ANY_ZONE, healthy=True) for each in sorted(interfaces))
    draft.balancing.fronts[front.id] = Led(led, front.listens, front.network)
    port = AliasPort(listens=front.listens, sends=front.listens, targets=frozenset(interfaces))
    alias = Alias(
        id=f"{front.id}/front", kind="forwarding-rule", name=rule.name, region=region, tags=tags, words=(rule.name,),
        addresses=front.address, ports=(port,), network=front.network or "",
    )  # fmt: skip
    draft.put(draft.aliases, alias, answers.scope)


def _forwards(front: Front, service: str, behind: Behind) -> Iterator[Forward]:
    together: defaultdict[Traffic, list[ForwardTarget]] = defaultdict(list)
    for member in behind.members:
        together[member.traffic].append(member.target)
    for traffic, targets in together.items():
        yield Forward(
            name=name_of(service),
            listens=front.listens,
            traffic=traffic,
            keeps_client=False,
            cross_zone=True,
            targets=tuple(targets),
        )
