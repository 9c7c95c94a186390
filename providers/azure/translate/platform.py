"""What the platform does whatever lists say: the host's own services, and public addresses closed without an NSG."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import ANYONE, Addresses, AddressList, Carries, InNetworks, ListRef, Rule, RuleSet, qualified
from cloudseg.providers.azure.ids import PROVIDER, place_of
from cloudseg.providers.azure.translate.pipeline import PLATFORM, PUBLIC_ADDRESS
from cloudseg.providers.azure.translate.service_tags import PLATFORM_TAGS, SERVED
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, ALL_IPV6, ALL_TRAFFIC, GLOBAL_UNICAST, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Direction, Interface
    from cloudseg.providers.azure.translate.draft import Draft
    from cloudseg.providers.azure.translate.parts import Nsg

__all__ = ["add_platform", "close_public_addresses"]

_LAST: Final = 65536
_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")
_TUNNELS: Final = Traffic.protocol(4) | Traffic.protocol(47)
_CARRIED: Final = reduce(Traffic.__or__, (Traffic.protocol(number) for number in (1, 6, 17, 50, 51, 58)))
_REFUSED: Final = (
    ("tunnels", _TUNNELS, ALL_ADDRESSES, True),
    ("other protocols", ALL_TRAFFIC - _TUNNELS - _CARRIED, ALL_ADDRESSES, False),
    ("ICMP", Traffic.protocol(1), ALL_IPV6, True),
    ("ICMPv6", Traffic.protocol(58), ALL_IPV4, True),
)
"""What no network carries, by the addresses of the other end, and that of which nobody says whether they do. Source:
https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq#what-protocols-can-i-use-in-virtual-networks"""
_SERVICES: Final = {
    "azureplatformdns": Traffic.ports(6, 53, 53) | Traffic.ports(17, 53, 53),
    "azureplatformimds": Traffic.ports(6, 80, 80),
}
"""What the tags stand for of that which the host serves."""
_OUTWARD: Final = (("AH", Traffic.protocol(51), True), ("ICMPv6 outside", Traffic.protocol(58), False))
"""What leaves under no public address, and that of which nobody says whether it does. Source:
https://learn.microsoft.com/azure/load-balancer/load-balancer-outbound-connections#scenarios"""


def add_platform(draft: Draft) -> None:
    """Add the rule that NSGs stop no packets to the host's own services, unless they name these by their tags.

    Source: https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#azure-platform-considerations
    """
    for identifier, network in draft.networks.items():
        tag = draft.virtual_networks[identifier]
        refused = [
            Rule(
                id=f"{name} {direction}",
                direction=direction,
                verdict="deny",
                traffic=traffic,
                remote=ANYONE if ends == ALL_ADDRESSES else (Addresses(ends),),
                priority=0,
                exact=sure,
            )
            for name, traffic, ends, sure in _REFUSED
            for direction in _DIRECTIONS
        ]
        refused.append(
            Rule(
                id="metadata",
                direction="ingress",
                verdict="deny",
                traffic=ALL_TRAFFIC,
                remote=(Addresses(PLATFORM_TAGS["azureplatformimds"]),),
                priority=0,
            )
        )
        refused += [
            Rule(
                id=name,
                direction="egress",
                verdict="deny",
                traffic=traffic,
                remote=(Addresses(GLOBAL_UNICAST - tag.known),),
                priority=0,
                # Where routes may lead elsewhere, packets need no public address.
                exact=sure and not tag.doubt,
            )
            for name, traffic, sure in _OUTWARD
        ]
        served = Rule(
            id="host",
            direction="egress",
            verdict="accept",
            traffic=ALL_TRAFFIC,
            remote=(Addresses(SERVED),),
            priority=_LAST,
            description="names and metadata, which the host serves",
        )
        name = f"{identifier}/platform"
        draft.rule_sets[name] = RuleSet(
            id=name,
            kind="platform",
            name=f"platform of {place_of(identifier)}",
            region=network.region,
            stage=PLATFORM,
            network=identifier,
            applies=InNetworks(frozenset((identifier,))),
            rules=(*refused, served),
            is_default=True,
            managed_by="azure",
        )
    for identifier, rule_set in list(draft.rule_sets.items()):
        nsg = draft.nsgs.get(identifier.partition("@")[0])
        rules = () if nsg is None else tuple(_by_tags(nsg, rule_set))
        if rules:
            name = f"{identifier}#platform"
            draft.rule_sets[name] = msgspec.structs.replace(
                rule_set,
                id=name,
                stage=PLATFORM,
                rules=rules,
                is_default=True,
                isolates=frozenset(("egress",)),
            )


def _by_tags(nsg: Nsg, placed: RuleSet) -> Iterator[Rule]:
    """Yield what the rules of an NSG say about what the host serves: those that name it by its tag.

    A tag stands for one service; whether a rule for it stops other ports of its address as well, nobody says. A rule
    that could not be read may be one of these.
    """
    own = {rule.id: rule for rule in placed.rules}
    for each in nsg.rules:
        if each.rule.direction != "egress":
            continue
        if each.unread:
            yield msgspec.structs.replace(each.rule, remote=(Addresses(SERVED),), verdict="deny")
        for tag in dict.fromkeys(text.lower() for text in each.remote):
            for rule in (own.get(each.rule.id), own.get(each.maybe_id)) if tag in _SERVICES else ():
                if rule is not None:
                    yield from _by_tag(rule, tag)


def _by_tag(rule: Rule, tag: str) -> Iterator[Rule]:
    remote = (Addresses(PLATFORM_TAGS[tag]),)
    if rule.allows:
        yield msgspec.structs.replace(rule, remote=remote, verdict="accept")
        return
    service, others = rule.traffic & _SERVICES[tag], rule.traffic - _SERVICES[tag]
    if service:
        yield msgspec.structs.replace(rule, remote=remote, traffic=service)
    if others:
        doubt = "whether a rule for the tag stops other ports of the address is not told"
        name = f"{rule.id} (other ports)"
        yield msgspec.structs.replace(rule, id=name, remote=remote, traffic=others, exact=False, doubt=doubt)


def close_public_addresses(draft: Draft) -> None:
    """Close interfaces without any NSG to what comes from the internet by a Standard address or load balancer.

    Sources: https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses#sku and
    https://learn.microsoft.com/azure/load-balancer/load-balancer-overview#secure-by-default
    """
    for sure in (True, False):
        closed = qualified(PROVIDER, "azure", "standard-public-addresses" + ("" if sure else "-in-part"))
        members = [
            identifier
            for identifier, interface in draft.interfaces.items()
            if identifier in draft.standard
            and sure == (not _closing_doubt(draft, interface))
            and _unguarded(draft, interface)
        ]
        for identifier in members:
            interface = draft.interfaces[identifier]
            draft.interfaces[identifier] = msgspec.structs.replace(interface, attached=interface.attached | {closed})
        if members:
            doubts = dict.fromkeys(_closing_doubt(draft, draft.interfaces[identifier]) for identifier in members)
            draft.rule_sets[closed] = _closing(draft, closed, "; ".join(filter(None, doubts)))


def _closing_doubt(draft: Draft, interface: Interface) -> str:
    """Return why something may come from public addresses all the same, in words; empty where nothing does."""
    behind = draft.on_premises.get(interface.network or "")
    if interface.id in draft.basic:
        return "some of its public addresses are Basic, which are open without an NSG"
    return f"packets may come by a gateway: {behind.doubt}" if behind is not None and behind.doubt else ""


def _closing(draft: Draft, identifier: str, doubt: str) -> RuleSet:
    inward = Rule(
        id="closed",
        direction="ingress",
        verdict="deny",
        traffic=ALL_TRAFFIC,
        remote=(ListRef(_public_list(draft)),),
        priority=_LAST,
        exact=not doubt,
        doubt=doubt,
        description="a Standard public address admits nothing until an NSG does",
    )
    return RuleSet(
        id=identifier,
        kind="platform",
        name="Standard public addresses",
        stage=PUBLIC_ADDRESS,
        applies=Carries(identifier),
        rules=(inward,),
        is_default=True,
        managed_by="azure",
        isolates=frozenset(("ingress",)),
    )


def _public_list(draft: Draft) -> str:
    """Return the list of public addresses that are no network's own, nor the host's."""
    identifier = qualified(PROVIDER, "azure", "public addresses")
    own = SERVED
    for network in draft.networks.values():
        own |= network.addresses
    for behind in draft.on_premises.values():
        own |= behind.known
    draft.address_lists[identifier] = AddressList(
        id=identifier,
        kind="address-list",
        name="public addresses",
        prefixes=tuple((GLOBAL_UNICAST - own).cidrs()),
        owner="provider",
    )
    return identifier


def _unguarded(draft: Draft, interface: Interface) -> bool:
    """Tell whether no NSG judges an interface, neither its own nor its subnet's, as far as both were read."""
    guard = draft.guards.get(interface.subnet or "")
    return guard is not None and not guard.nsg and interface.id not in draft.nic_nsgs
