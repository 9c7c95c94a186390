"""What becomes of open connections when a rule is removed: whether the cloud tracks them decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.reach.packets import outside_addresses
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, AddressSet, Traffic

if TYPE_CHECKING:
    from cloudseg.checks.exposure import RuleExposure
    from cloudseg.model import Estate, RuleSet

__all__ = ["on_removal"]

_OUTLIVE: Final = "open connections outlive the removal of the rule until they time out: they are tracked"
_FLOWS: Final = (Traffic.protocol("tcp"), Traffic.protocol("udp"))


def on_removal(found: RuleExposure, estate: Estate) -> str:
    """Return what the removal of an ingress rule does to connections that are open, in words; nothing where unknown.

    A flow of TCP or UDP that everyone may open and whose answers may go anywhere on any port is not tracked: it ends
    with the rule. Every other flow is tracked, ICMP always, and lives on until it times out. Source:
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html
    """
    interfaces = found.maybe or found.judged
    if not interfaces:
        return ""
    families = _everyone(found, outside_addresses(found.rule.remote, estate)[0])
    if not families:
        return _OUTLIVE
    # The lists that judge an interface decide, and hundreds of interfaces share the same ones.
    judging = {
        tuple(rule_set.id for rule_set in rule_sets): rule_sets
        for rule_sets in (estate.judging(interface, found.rule_set.stage) for interface in interfaces)
    }
    untracked = [_answers_anywhere(found.rule.traffic, families, each, estate) for each in judging.values()]
    if all(untracked):
        return "removing the rule cuts open connections at once: they are not tracked"
    if any(untracked):
        return "removing the rule cuts some open connections at once: those that are not tracked"
    return _OUTLIVE


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
