"""What an Azure Firewall asks of who opens connections through it, as one ordered list."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from cloudseg.model import ANYONE, Addresses, Rule
from cloudseg.traffic import ALL_ADDRESSES, ALL_IPV4, GLOBAL_UNICAST, NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Peer
    from cloudseg.providers.azure.translate.firewall_parts import FirewallRule

__all__ = ["arriving", "list_of"]

_KINDS: Final = ("nat", "network", "application")
_WEB: Final = Traffic.ports(6, 80, 80) | Traffic.ports(6, 443, 443)
_OWN_NEEDS: Final = Rule(
    id="infrastructure FQDNs",
    direction="egress",
    verdict="next",
    traffic=_WEB,
    remote=(Addresses(GLOBAL_UNICAST & ALL_IPV4),),
    exact=False,
    doubt="it lets out to names that Azure itself needs",
)
"""Source: https://learn.microsoft.com/azure/firewall/infrastructure-fqdns"""


def list_of(rules: Sequence[FirewallRule], unread: str) -> tuple[Rule, ...] | None:
    """Return the rules in the order in which a packet meets them; None where they were not read.

    Network rules come before application rules, whatever their priorities, and both behind DNAT rules, each of which
    brings one that allows the translated packets. The first that matches decides. A name may stand for any address,
    and whether it is asked for only the packets show. Sources:
    https://learn.microsoft.com/azure/firewall/rule-processing and
    https://learn.microsoft.com/azure/firewall/infrastructure-fqdns

    Args:
        rules: the rules, those of one kind in their order.
        unread: what of them was not read, in words; empty where all was.
    """
    if unread:
        return None
    ordered = [rule for kind in _KINDS for rule in rules if rule.kind == kind]
    found: list[Rule] = []
    names = Counter[str]()
    for each in (*(one for rule in ordered for one in _asked(rule)), _OWN_NEEDS):
        names[each.id] += 1
        again = f" ({names[each.id]})" if names[each.id] > 1 else ""
        found.append(_numbered(each, f"{each.id}{again}", len(found) + 1))
    return tuple(found)


def _numbered(rule: Rule, name: str, priority: int) -> Rule:
    return Rule(
        id=name,
        direction=rule.direction,
        verdict=rule.verdict,
        traffic=rule.traffic,
        remote=rule.remote,
        local=rule.local,
        priority=priority,
        exact=rule.exact,
        doubt=rule.doubt,
    )


def _asked(rule: FirewallRule) -> Iterator[Rule]:
    """Yield what one rule asks: by addresses, and by names."""
    if rule.kind == "nat":
        yield _rule(rule, rule.translated or ALL_ADDRESSES, arriving(rule), "it comes with a DNAT rule")
        return
    if rule.kind == "network" and (rule.destinations or rule.destinations_open):
        destinations = ALL_ADDRESSES if rule.destinations_open else rule.destinations
        yield _rule(rule, destinations, rule.traffic, rule.problem)
        if rule.maybe:
            yield _rule(rule, destinations, rule.maybe, "whether packets without ports match is not told")
    if rule.kind == "application" and not rule.allows and "*" in rule.names and not rule.problem:
        yield _rule(rule, ALL_ADDRESSES, rule.traffic, "")
    elif rule.kind == "application" or rule.names:
        by = f"it allows {', '.join(rule.names)}" if rule.allows else f"it denies {', '.join(rule.names)}"
        doubt = by if rule.names else "it is about addresses of web sites"
        yield _rule(rule, ALL_ADDRESSES, rule.traffic, "; ".join(filter(None, (doubt, rule.problem))))


def arriving(rule: FirewallRule) -> Traffic:
    """Return what gets behind a DNAT rule: on the port that it puts in place."""
    if not rule.port:
        return rule.traffic
    found = NO_TRAFFIC
    for number in (6, 17):
        if rule.traffic.ports_of(number):
            found |= Traffic.ports(number, rule.port, rule.port)
    return found


def _rule(rule: FirewallRule, destinations: AddressSet, traffic: Traffic, doubt: str) -> Rule:
    return Rule(
        id=rule.name,
        direction="egress",
        verdict="next" if rule.allows or rule.kind == "nat" else "deny",
        traffic=traffic,
        remote=_peers(destinations),
        local=ANYONE if rule.sources_open else _peers(rule.sources),
        exact=not doubt,
        doubt=doubt,
    )


def _peers(addresses: AddressSet) -> tuple[Peer, ...]:
    if addresses == ALL_ADDRESSES:
        return ANYONE
    return (Addresses(addresses),) if addresses else ()
