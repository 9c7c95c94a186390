"""What the firewall of one interface says of one packet: levels in their order, rules by priority."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.gcp.oracle_routes import is_public

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.azure.oracle_worlds import World
    from tests.gcp.oracle_records import Address, Far, Net, Nic, Policy, Read, Rule

__all__ = ["LEVELS", "Seen", "filtered"]

LEVELS = ("hierarchical", "system", "vpc rules", "global policy", "regional policy", "implied")
_NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "esp": 50, "ah": 51, "sctp": 132, "ipip": 4}
"""https://cloud.google.com/firewall/docs/firewalls#protocols_and_ports: names mean one number each; ICMPv6 is 58."""
_WITH_PORTS = {6, 17, 132}


class Seen(NamedTuple):
    """A packet as a firewall sees it.

    ``sender`` is set where it came by routes of subnets from an interface of the estate; the internet carries no
    identity. ``way`` is how it comes or goes: "internet", "intra" (inside the network), "peer", "hybrid", or "across"
    (between machines, by external addresses).
    """

    source: Address
    sender: Nic | None
    destination: Address
    protocol: int
    port: int
    way: str


def filtered(estate: Read, world: World, nic: Nic, seen: Seen, *, ingress: bool) -> tuple[bool, str]:
    """Whether the packet is let through, and the level that says so.

    https://cloud.google.com/firewall/docs/firewall-policies-rule-eval-order: what allows and what denies is final at
    every level; ``goto_next`` and no match lead to the next one. Of a hierarchy, the organisation comes first.
    """
    net = next(each for each in estate.nets if each.id == nic.network)
    asked = _Asked(estate, world, nic, seen, ingress)
    first: list[tuple[str, Callable[[], str]]] = [
        ("hierarchical", lambda: _above(asked, net)),
        ("system", lambda: _system(asked, net)),
    ]
    classic: list[tuple[str, Callable[[], str]]] = [("vpc rules", lambda: _classic(asked, net.rules))]
    network: list[tuple[str, Callable[[], str]]] = [
        ("global policy", lambda: _policies(asked, _of(estate, net, ""))),
        ("regional policy", lambda: _policies(asked, _of(estate, net, nic.region))),
    ]
    for name, level in first + (network + classic if net.before else classic + network):
        action = level()
        if action in {"allow", "deny"}:
            return action == "allow", name
    # https://cloud.google.com/firewall/docs/firewalls#default_firewall_rules: egress passes, ingress does not.
    return not ingress, "implied"


class _Asked(NamedTuple):
    """What a rule is asked about."""

    estate: Read
    world: World
    nic: Nic
    seen: Seen
    ingress: bool


def _of(estate: Read, net: Net, region: str) -> list[Policy]:
    """Policies do nothing before they are associated with a network; a regional one is for its region alone."""
    return [each for each in estate.policies if each.region == region and net.id in each.networks]


def _above(asked: _Asked, net: Net) -> str:
    if net.hierarchy is None:
        return _unread(asked, f"hierarchy of {net.id}")
    return _policies(asked, net.hierarchy)


def _system(asked: _Asked, net: Net) -> str:
    """Google's own policies of a region, such as those of GKE clusters."""
    found = net.system.get(asked.nic.region)
    if found is None:
        return _unread(asked, f"system policies of {net.id} in {asked.nic.region}")
    return _policies(asked, found)


def _unread(asked: _Asked, what: str) -> str:
    """Policies that nobody read may say anything of a packet."""
    direction = "inbound" if asked.ingress else "outbound"
    if asked.world.holds(f"the {what} says nothing {direction}"):
        return ""
    return "allow" if asked.world.holds(f"the {what} lets {direction} pass") else "deny"


def _policies(asked: _Asked, policies: Sequence[Policy]) -> str:
    """The first rule that matches decides about its policy; ``goto_next`` leaves it for the next one."""
    for policy in policies:
        found = next((rule.action for rule in policy.rules if _matches(asked, rule, classic=False)), "")
        if found in {"allow", "deny"}:
            return found
    return ""


def _classic(asked: _Asked, rules: Sequence[Rule]) -> str:
    """The lowest number decides, and of one number a denial: https://cloud.google.com/firewall/docs/firewalls#priority_order_for_firewall_rules"""
    for rule in sorted(rules, key=lambda each: (each.priority, each.action != "deny")):
        if _matches(asked, rule, classic=True):
            return rule.action
    return ""


def _matches(asked: _Asked, rule: Rule, *, classic: bool) -> bool:
    """Disabled rules do not exist. A rule has an own end, its targets, and a far one, which narrows further."""
    seen = asked.seen
    if not rule.action or rule.ingress != asked.ingress or not _targets(rule, asked.nic):
        return False
    if not any(_layer(name, ports, seen.protocol, seen.port) for name, ports in rule.layers):
        return False
    near, far = (rule.destination, rule.source) if rule.ingress else (rule.source, rule.destination)
    own, other = (seen.destination, seen.source) if rule.ingress else (seen.source, seen.destination)
    if near.given and not _union(asked, near, own, classic=classic):
        return False
    if not far.given:
        # The API fills in 0.0.0.0/0 where nothing is named; what a rule that was stored without means of IPv6 the
        # page does not say: https://cloud.google.com/compute/docs/reference/rest/v1/firewalls
        named = other.version == 4 or bool(far.kind)
        return (named or asked.world.holds("a rule that names nobody means IPv6")) and _kind(asked, far)
    return _union(asked, far, other, classic=classic) and _kind(asked, far)


def _targets(rule: Rule, nic: Nic) -> bool:
    """https://cloud.google.com/firewall/docs/firewalls#rule_assignment and, for policies,
    https://cloud.google.com/firewall/docs/firewall-policies-rule-details#targets: networks narrow the other targets.
    """
    if rule.target_networks and nic.network not in rule.target_networks:
        return False
    if rule.target_tags:
        return any(tag in nic.tags for tag in rule.target_tags)
    if rule.target_accounts:
        return any(account in nic.accounts for account in rule.target_accounts)
    return not rule.tagged or any(tag in nic.secure for tag in rule.target_secure)


def _layer(name: str, ports: list[str], protocol: int, port: int) -> bool:
    if name == "all":
        return True
    number = int(name) if name.isdigit() else _NUMBERS[name]
    if number != protocol or protocol not in _WITH_PORTS or not ports:
        return number == protocol
    return any(_in(text, port) for text in ports)


def _in(text: str, port: int) -> bool:
    first, _, last = text.partition("-")
    return int(first) <= port <= int(last or first)


def _union(asked: _Asked, far: Far, address: Address, *, classic: bool) -> bool:
    """Ranges, groups, tags, accounts and lists are alternatives.

    https://cloud.google.com/firewall/docs/firewall-policies-rule-details#sources. Countries are not asked for private
    addresses, but for public ones in private use: https://cloud.google.com/firewall/docs/geolocation-objects-overview
    """
    known = [*far.ranges, *(each for group in far.groups for each in asked.estate.groups.get(group, []))]
    if any(address.version == each.version and address in each for each in known):
        return True
    if _identity(asked, far, classic=classic):
        return True
    # A name may lead to an internal address; threat lists are of the internet's, as countries are.
    named = [each for each in far.unread if each.startswith("Fqdns") or is_public(address)]
    lists = [*named, *(each for each in far.groups if each not in asked.estate.groups)]
    return any(asked.world.holds(f"{each} has {address}") for each in lists)


def _identity(asked: _Asked, far: Far, *, classic: bool) -> bool:
    """Identities stand for the primary IPv4 address and the IPv6 addresses of an interface.

    https://cloud.google.com/firewall/docs/firewalls#sources: tags and accounts match interfaces of the same network
    only; alias ranges are not meant. Secure tags match across peerings as well:
    https://cloud.google.com/firewall/docs/tags-firewalls-overview#specifications
    """
    sender, source = asked.seen.sender, asked.seen.source
    if not asked.ingress or sender is None:
        return False
    if source != sender.primary and not any(source.version == 6 and source in each for each in sender.six):
        return False
    if any(tag in sender.secure for tag in far.secure):
        return True
    if not classic or sender.network != asked.nic.network:
        return False
    return any(tag in sender.tags for tag in far.tags) or any(each in sender.accounts for each in far.accounts)


def _kind(asked: _Asked, far: Far) -> bool:
    """The network type, or context, of the far end.

    https://cloud.google.com/firewall/docs/understand-network-contexts: INTERNET is what comes to an external address,
    and most of what leaves by the default internet gateway, but not what goes to Google's own services; NON_INTERNET is
    the rest. What machines send one another by external addresses may be either.
    """
    if not far.kind:
        return True
    way, sender = asked.seen.way, asked.seen.sender
    if far.kind in {"INTERNET", "NON_INTERNET"}:
        internet = way == "internet"
        if way == "across" or (internet and not asked.ingress):
            internet = asked.world.holds(f"the internet has {asked.seen.destination} on this way")
        return internet == (far.kind == "INTERNET")
    if far.kind == "INTRA_VPC":
        return way == "intra"
    return sender is not None and sender.network in far.networks
