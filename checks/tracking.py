"""What becomes of open connections when a rule is removed: whether the cloud tracks them decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.reach.packets import outside_addresses
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, AddressSet, Traffic

if TYPE_CHECKING:
    from cloudseg.checks.exposure import RuleExposure
    from cloudseg.model import Estate, Interface

__all__ = ["on_removal"]

_FLOWS = (Traffic.protocol("tcp"), Traffic.protocol("udp"))


def on_removal(found: RuleExposure, estate: Estate) -> str:
    """Return what the removal of an ingress rule does to connections that are open, in words; nothing where unknown.

    A flow of TCP or UDP that everyone may open and whose answers may go anywhere on any port is not tracked: it ends
    with the rule. Every other flow is tracked, ICMP always, and lives on until it times out. Source:
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html
    """
    interfaces = found.maybe or found.judged
    if not interfaces:
        return ""
    admitted = outside_addresses(found.rule.remote, estate)[0]
    untracked = [_untracked(found, admitted, interface, estate) for interface in interfaces]
    if all(untracked):
        return "removing the rule cuts open connections at once: they are not tracked"
    if any(untracked):
        return "removing the rule cuts some open connections at once: those that are not tracked"
    return "open connections outlive the removal of the rule until they time out: they are tracked"


def _untracked(found: RuleExposure, admitted: AddressSet, interface: Interface, estate: Estate) -> bool:
    """Tell whether every flow that the rule lets in to the interface is untracked."""
    traffic = found.rule.traffic
    if not traffic <= _FLOWS[0] | _FLOWS[1]:
        return False
    families = [everyone for everyone in (ALL_IPV4, ALL_IPV6) if everyone <= admitted]
    if not families or admitted != _union(families):
        return False
    needed = [flow for flow in _FLOWS if flow.overlaps(traffic)]
    outward = [
        (outside_addresses(rule.remote, estate)[0], rule.traffic)
        for rule_set in estate.judging(interface, found.rule_set.stage)
        for rule in rule_set.rules
        if rule.direction == "egress" and rule.allows
    ]
    return all(
        any(everyone <= addresses and flow <= allowed for addresses, allowed in outward)
        for everyone in families
        for flow in needed
    )


def _union(families: list[AddressSet]) -> AddressSet:
    total = families[0]
    for family in families[1:]:
        total |= family
    return total
