"""What becomes of open connections when a rule is removed: whether the cloud tracks them decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.reach.packets import outside_addresses
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, AddressSet, Traffic

if TYPE_CHECKING:
    from cloudseg.checks.exposure import RuleExposure
    from cloudseg.model import Estate, Interface, RuleSet
    from cloudseg.reach.internet import InternetView
    from cloudseg.reach.ways import WayIn

__all__ = ["on_removal"]

_OUTLIVE: Final = "open connections outlive the removal of the rule until they time out: they are tracked"
_ACCELERATOR: Final = "global-accelerator"
_BALANCER: Final = "network-load-balancer"
_FLOWS: Final = (Traffic.protocol("tcp"), Traffic.protocol("udp"))


def on_removal(found: RuleExposure, estate: Estate, view: InternetView) -> str:
    """Return what the removal of an ingress rule does to connections that are open, in words; nothing where unknown.

    A flow of TCP or UDP that everyone may open and whose answers may go anywhere on any port is not tracked: it ends
    with the rule. Every other flow is tracked, ICMP always, and lives on until it times out. So is all that comes
    through a network load balancer or an accelerator, whatever the rules are. Source:
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html

    Args:
        found: what the rule lets in.
        estate: where lists are looked up.
        view: knows the ways in.
    """
    interfaces = found.maybe or found.judged
    if not interfaces:
        return ""
    if found.rule_set.provider == "azure":
        # https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#security-rules
        return _OUTLIVE
    if found.rule_set.provider == "gcp":
        # All is tracked; what becomes of that without the rule Google Cloud does not say. Source:
        # https://cloud.google.com/firewall/docs/firewalls#specifications
        return ""
    families = _everyone(found, outside_addresses(found.rule.remote, estate)[0])
    if not families:
        return _OUTLIVE
    # The lists that judge an interface decide, and hundreds of interfaces share the same ones. So do the ways in.
    cases: dict[tuple[tuple[str, ...], bool], tuple[RuleSet, ...]] = {}
    for interface in interfaces:
        rule_sets = estate.judging(interface, found.rule_set.stage)
        for tracked in _tracked_ways(interface, found, estate, view):
            cases[tuple(rule_set.id for rule_set in rule_sets), tracked] = rule_sets
    untracked = [
        not tracked and _answers_anywhere(found.rule.traffic, families, rule_sets, estate)
        for (_, tracked), rule_sets in cases.items()
    ]
    if all(untracked):
        return "removing the rule cuts open connections at once: they are not tracked"
    if any(untracked):
        return "removing the rule cuts some open connections at once: those that are not tracked"
    return _OUTLIVE


def _tracked_ways(interface: Interface, found: RuleExposure, estate: Estate, view: InternetView) -> set[bool]:
    """Return for the ways in of a rule's packets whether what comes by them is tracked whatever the rules are."""
    forwarder = estate.forwarders.get(interface.workload or "")
    if forwarder is not None and forwarder.kind == _BALANCER:
        return {True}
    sources = found.exposure.sources
    taken = [
        way
        for way in view.opening(interface).ways
        if way.traffic.overlaps(found.rule.traffic)
        and (way.clients if way.senders is None else way.senders).overlaps(sources)
    ]
    return {_is_tracked(way, estate) for way in taken} or {False}


def _is_tracked(way: WayIn, estate: Estate) -> bool:
    entrance = estate.entrances.get(way.entrance)
    return way.balanced or bool(way.doubt) or (entrance is not None and entrance.kind.startswith(_ACCELERATOR))


def _everyone(found: RuleExposure, admitted: AddressSet) -> tuple[AddressSet, ...]:
    """Return the families of which a rule of TCP and UDP admits everyone; none where it admits others too."""
    families = tuple(everyone for everyone in (ALL_IPV4, ALL_IPV6) if everyone <= admitted)
    whole = families and admitted == _union(families)
    return families if whole and found.rule.traffic <= _FLOWS[0] | _FLOWS[1] else ()


def _answers_anywhere(
    traffic: Traffic, families: tuple[AddressSet, ...], rule_sets: tuple[RuleSet, ...], estate: Estate
) -> bool:
    """Tell whether the answers to the traffic may go to everyone, on any port."""
    needed = [flow for flow in _FLOWS if flow.overlaps(traffic)]
    outward = [
        (outside_addresses(rule.remote, estate)[0], rule.traffic)
        for rule_set in rule_sets
        for rule in rule_set.rules
        if rule.direction == "egress" and rule.allows
    ]
    return all(
        any(everyone <= addresses and flow <= allowed for addresses, allowed in outward)
        for everyone in families
        for flow in needed
    )


def _union(families: tuple[AddressSet, ...]) -> AddressSet:
    total = families[0]
    for family in families[1:]:
        total |= family
    return total
