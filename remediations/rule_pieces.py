"""What one rule of each provider can say: traffic and addresses in as many pieces as it takes, and descriptions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cloudseg.model import Addresses
from cloudseg.traffic import NO_ADDRESSES, NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.model import Peer, RuleSet

__all__ = ["coarser", "described", "peers_apart", "ranges_apart", "traffic_apart"]

_MOST_TERMS: Final = 6
"""Into so many ports a rule is taken apart; of more it keeps the ports that it has."""
_LENGTHS: Final = ((30, 122), (28, 112), (26, 96), (24, 80), (22, 64), (20, 56), (16, 48))
_UNFIT: Final = re.compile(r"[^a-zA-Z0-9 ._\-:/()#,@\[\]+=;{}!$*]")
"""What descriptions of AWS cannot hold; those of rules that name groups cannot hold ``&`` either. Source:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UserIdGroupPair.html"""
_LONGEST: Final = {"azure": 140, "aws": 255, "gcp": 2048}
"""Sources: the page above, https://learn.microsoft.com/rest/api/virtualnetwork/security-rules/create-or-update and
https://cloud.google.com/compute/docs/reference/rest/v1/firewalls"""


def traffic_apart(rule_set: RuleSet, traffic: Traffic, whole: Traffic) -> tuple[Traffic, ...]:
    """Return traffic in pieces of which a rule of a list can say one each.

    A rule of AWS holds one protocol and one run of ports, one of Azure one protocol. Sources:
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html and
    https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#security-rules

    Args:
        rule_set: the list.
        traffic: what is needed.
        whole: what the rule that is replaced admits: the answer where what is needed takes too many rules.
    """
    if rule_set.provider in {"gcp", "kubernetes"} or traffic.is_all:
        return (traffic if len(traffic.terms()) <= _MOST_TERMS or not whole else whole,)
    if len(traffic.terms()) > _MOST_TERMS:
        traffic = whole
    if rule_set.provider == "aws":
        return tuple(Traffic.parse(term) for term in traffic.terms())
    found: dict[str, Traffic] = {}
    for term in traffic.terms():
        protocol = term.partition("/")[0]
        found[protocol] = found.get(protocol, NO_TRAFFIC) | Traffic.parse(term)
    return tuple(found.values())


def ranges_apart(rule_set: RuleSet, addresses: AddressSet) -> tuple[AddressSet, ...]:
    """Return addresses in pieces of which a rule of a list can say one each: of AWS a block, else a family.

    Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html and
    https://cloud.google.com/firewall/docs/firewalls#ipv6
    """
    if rule_set.provider in {"aws", "kubernetes"}:
        return tuple(AddressSet.parse(each) for each in addresses.cidrs())
    both = (AddressSet(addresses.v4, NO_ADDRESSES.v6), AddressSet(NO_ADDRESSES.v4, addresses.v6))
    return tuple(each for each in both if each)


def peers_apart(rule_set: RuleSet, peers: Sequence[Peer]) -> tuple[tuple[Peer, ...], ...]:
    """Return peers in pieces of which a rule of a list can name one each; together where they were together before."""
    if rule_set.provider not in {"aws", "kubernetes"}:
        return (tuple(peers),) if peers else ()
    found: list[tuple[Peer, ...]] = []
    for peer in peers:
        if isinstance(peer, Addresses):
            found += [(Addresses(each),) for each in ranges_apart(rule_set, peer.addresses)]
        else:
            found.append((peer,))
    return tuple(found)


def coarser(addresses: AddressSet, within: AddressSet, most: int) -> AddressSet:
    """Return the addresses in at most so many blocks, none of which leaves what is admitted today.

    Args:
        addresses: the addresses.
        within: what is admitted today.
        most: so many blocks at most; where even wide ones are more, all of ``within`` is the answer.
    """
    if len(addresses.cidrs()) <= most:
        return addresses
    for four, six in _LENGTHS:
        wide = NO_ADDRESSES
        for block in addresses.cidrs():
            address, _, length = block.partition("/")
            least = six if ":" in address else four
            wide |= AddressSet.parse(f"{address}/{min(int(length), least)}")
        if len((wide & within).cidrs()) <= most:
            return wide & within
    return within


def described(rule_set: RuleSet, parts: Iterable[str]) -> str:
    """Return a description that every provider takes, as long as it may be."""
    text = _UNFIT.sub(" ", "; ".join(part.strip() for part in parts if part.strip()).replace("&", "and"))
    return " ".join(text.split())[: _LONGEST.get(rule_set.provider, 255)].rstrip()
