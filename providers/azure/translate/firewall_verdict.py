"""What the rules of an Azure Firewall do: do they stop what they do not allow, and which names do they let out?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from cloudseg.traffic import ALL_IPV4, NO_ADDRESSES, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.providers.azure.translate.firewall_parts import FirewallRule

__all__ = ["FirewallVerdict", "verdict_of"]

_INSIDE: Final = AddressSet.from_cidrs(("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
_HALF: Final = 1 << 31
_MOST_PORTS: Final = 32_768
_WEB: Final = Traffic.ports("tcp", 80, 80) | Traffic.ports("tcp", 443, 443)


class FirewallVerdict(NamedTuple):
    """What a firewall does: does it stop what it does not allow, which names it lets out, and why."""

    filters: bool | None
    names: tuple[str, ...]
    reason: str


class _Outlet(NamedTuple):
    """What a network rule lets out: where to, whether for every client, and how much of the traffic."""

    destinations: AddressSet
    certain: bool
    amount: Literal["most", "web"]


def verdict_of(rules: Sequence[FirewallRule], unread: str) -> FirewallVerdict:
    """Judge the rules of a firewall, in the order in which they are asked.

    Network rules come before application rules, whatever their priorities; the first that matches decides. What no rule
    allows is denied. The mode of threat intelligence only denies or tells, so it is no allow-list. Source:
    https://learn.microsoft.com/azure/firewall/rule-processing

    Args:
        rules: the rules.
        unread: what of them was not read, in words; empty where all was.
    """
    if unread:
        return FirewallVerdict(None, (), unread)
    outlets = list(_outlets(rules))
    if _is_wide(outlets, "most", certain=True):
        return FirewallVerdict(filters=False, names=(), reason="a network rule allows every connection to the internet")
    names = tuple(sorted({name for each in rules if each.kind != "nat" and each.allows for name in each.names} - {"*"}))
    problems = [each.problem for each in rules if each.problem and each.kind == "network" and each.allows]
    if _is_wide(outlets, "most", certain=False):
        why = "a network rule allows every connection to the internet, for some clients or after rules that deny"
        return FirewallVerdict(None, names, why)
    everybody, somebody = _every_name(rules)
    if everybody or _is_wide(outlets, "web", certain=True):
        by = "an application rule allows every name" if everybody else "a network rule allows the web on every address"
        return FirewallVerdict(filters=True, names=(), reason=f"what no rule allows is denied; but {by}")
    if somebody or _is_wide(outlets, "web", certain=False):
        return FirewallVerdict(None, names, "a rule allows the web under every name, for some clients")
    reason = "what no rule allows is denied"
    if any(each.categories and each.allows for each in rules):
        reason += "; categories of web sites allow further names"
    if problems:
        reason += f"; {problems[0]}"
    return FirewallVerdict(filters=True, names=names, reason=reason)


def _every_name(rules: Sequence[FirewallRule]) -> tuple[bool, bool]:
    """Tell whether application rules let out every name, for every client and for some."""
    found = [each for each in rules if each.kind == "application" and each.allows and "*" in each.names]
    denied = any(each.kind == "application" and not each.allows for each in rules)
    return any(each.sources >= _INSIDE for each in found) and not denied, bool(found)


def _outlets(rules: Sequence[FirewallRule]) -> Iterator[_Outlet]:
    """Yield what network rules let out by address."""
    before: list[FirewallRule] = []
    for rule in rules:
        if rule.kind != "network":
            continue
        if not rule.allows:
            before.append(rule)
            continue
        amount = _amount(rule.traffic)
        if amount is None:
            continue
        left, certain = rule.destinations, rule.sources >= _INSIDE
        for denied in before:
            if rule.sources <= denied.sources and rule.traffic <= denied.traffic and not denied.problem:
                left -= denied.destinations
            elif denied.traffic.overlaps(rule.traffic) and (denied.destinations & ALL_IPV4).size >= _HALF:
                certain = False
        yield _Outlet(left, certain, amount)


def _amount(traffic: Traffic) -> Literal["most", "web"] | None:
    if max(traffic.tcp.size, traffic.udp.size) >= _MOST_PORTS:
        return "most"
    return "web" if traffic.overlaps(_WEB) else None


def _is_wide(outlets: Sequence[_Outlet], amount: Literal["most", "web"], *, certain: bool) -> bool:
    """Tell whether outlets of at least an amount lead to at least half of the addresses of IPv4 together."""
    joined = NO_ADDRESSES
    for each in outlets:
        if (each.certain or not certain) and amount in (each.amount, "web"):
            joined |= each.destinations
    return (joined & ALL_IPV4).size >= _HALF
