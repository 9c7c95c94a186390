"""What every network does whatever lists say: the metadata server, what is never carried, and the implied rules."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Final

from cloudseg.model import ANYONE, Addresses, Rule, RuleSet
from cloudseg.providers.gcp.ids import name_of
from cloudseg.providers.gcp.translate.groups import machines_in
from cloudseg.providers.gcp.translate.pipeline import IMPLIED, PLATFORM, RDMA
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, ALL_TRAFFIC, GLOBAL_UNICAST, NO_ADDRESSES, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Direction, Network, Verdict
    from cloudseg.providers.gcp.translate.draft import Draft

__all__ = ["METADATA", "add_platform"]

METADATA: Final = AddressSet.from_cidrs(("169.254.169.254/32", "fd20:ce::254/128"))
"""The metadata server, which answers on the host: names, time, addresses and what instances are told. Source:
https://cloud.google.com/compute/docs/metadata/querying-metadata"""
_IMPLIED: Final = 65535
_CARRIED: Final = reduce(
    Traffic.__or__, (Traffic.protocol(number) for number in (1, 4, 6, 17, 47, 50, 51, 58, 94, 132))
)
_SMTP: Final = Traffic.ports(6, 25, 25)


def add_platform(draft: Draft) -> None:
    """Add what holds in every network, before all lists and behind them.

    The metadata server is always reached. To and from outside no protocols are carried but TCP, UDP, ICMP, IPIP, AH,
    ESP, SCTP and GRE, and mail to port 25 of public addresses only for some projects. What no list decides is refused
    inward and let out, over IPv4 and IPv6. Sources: https://cloud.google.com/firewall/docs/firewalls#alwaysallowed,
    https://cloud.google.com/firewall/docs/firewalls#blockedtraffic and
    https://cloud.google.com/firewall/docs/firewalls#default_firewall_rules
    """
    used = {each.network for each in draft.interfaces.values() if each.network is not None}
    for identifier in sorted({*draft.networks, *used}):
        network = draft.networks.get(identifier)
        applies = machines_in(identifier)
        inside = draft.spaces.get(identifier, NO_ADDRESSES) if network is None else network.addresses
        outside = (Addresses(GLOBAL_UNICAST - inside),)
        both: tuple[Direction, ...] = ("ingress", "egress")
        blocked = [
            Rule(
                id=f"protocols/{direction}",
                direction=direction,
                verdict="deny",
                traffic=ALL_TRAFFIC - _CARRIED,
                remote=outside,
                priority=0,
                fixed=True,
                description="protocols that are carried to and from no public address",
            )
            for direction in both
        ]
        blocked.append(
            Rule(
                id="mail",
                direction="egress",
                verdict="deny",
                traffic=_SMTP,
                remote=outside,
                priority=0,
                exact=False,
                doubt="whether the project may send mail to port 25 of public addresses is not told",
                fixed=True,
            )
        )
        blocked += [
            Rule(
                id=f"{name}/{direction}",
                direction=direction,
                verdict="deny",
                traffic=Traffic.protocol(number),
                remote=(Addresses(family),),
                priority=0,
                fixed=True,
                description=f"{name} is not of this family of addresses",
            )
            for name, number, family in (("ICMP", 1, ALL_IPV6), ("ICMPv6", 58, ALL_IPV4))
            for direction in both
        ]
        metadata = Rule(
            id="metadata",
            direction="egress",
            verdict="accept",
            traffic=ALL_TRAFFIC,
            remote=(Addresses(METADATA),),
            priority=0,
            fixed=True,
        )
        name = f"{identifier}/platform"
        draft.rule_sets[name] = RuleSet(
            id=name,
            kind="platform",
            name=f"platform of {name_of(identifier) if network is None else network.name}",
            stage=PLATFORM,
            network=identifier,
            applies=applies,
            rules=(metadata, *blocked),
            is_default=True,
            managed_by="gcp",
        )
        if network is None:
            # What decides last there its profile says, which was not read.
            continue
        name = f"{identifier}/implied"
        draft.rule_sets[name] = RuleSet(
            id=name,
            kind="implied-rules",
            name=f"implied rules of {network.name}",
            stage=IMPLIED,
            network=identifier,
            applies=applies,
            rules=tuple(_implied(network, unknown=identifier in draft.unknown_profiles)),
            is_default=True,
            managed_by="gcp",
        )


def _implied(network: Network, *, unknown: bool) -> Iterator[Rule]:
    """Yield the rules that decide last.

    Networks for remote memory access let in what no list decides; what others with a profile do is not known. Source:
    https://cloud.google.com/vpc/docs/rdma-network-profiles#specifications
    """
    if unknown or network.pipeline == RDMA:
        doubt = "what a network of its profile lets in by itself is not known" if unknown else ""
        yield _last("ingress/implied-allow", "ingress", "accept", doubt, _IMPLIED - 1)
    if network.pipeline != RDMA:
        yield _last("ingress/implied-deny", "ingress", "deny")
    yield _last("egress/implied-allow", "egress", "accept")


def _last(name: str, direction: Direction, verdict: Verdict, doubt: str = "", priority: int = _IMPLIED) -> Rule:
    return Rule(
        id=name, direction=direction, verdict=verdict, traffic=ALL_TRAFFIC, remote=ANYONE, priority=priority,
        exact=not doubt, doubt=doubt, fixed=True,
    )  # fmt: skip
