"""Forwarding rules, the fronts of load balancers, as the model understands them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.errors import ParseError
from cloudseg.providers.gcp.ids import tail_of
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from cloudseg.providers.gcp.translate.balancing_wire import ForwardingRule

__all__ = ["BUNDLES", "FRONT_ENDS", "Front", "is_private_service_connect", "listens_of", "whole"]

BUNDLES: Final = frozenset(("all-apis", "vpc-sc"))
"""What an endpoint for Google's own services leads to. Source:
https://cloud.google.com/vpc/docs/about-accessing-google-apis-endpoints"""
FRONT_ENDS: Final = AddressSet.from_cidrs(
    ("35.191.0.0/16", "130.211.0.0/22", "2600:2d00:1:b029::/64", "2600:2d00:1:1::/64")
)
"""From where Google's front ends come to backends. Source:
https://cloud.google.com/load-balancing/docs/firewall-rules"""
_NUMBERS: Final = {"TCP": 6, "UDP": 17, "ICMP": 1, "ESP": 50, "AH": 51, "SCTP": 132}


class Front(NamedTuple):
    """A forwarding rule as it was read: itself, and what the model says of it."""

    rule: ForwardingRule
    id: str
    address: AddressSet
    listens: Traffic
    region: str
    external: bool
    network: str | None


def is_private_service_connect(rule: ForwardingRule) -> bool:
    """Tell whether a forwarding rule is an endpoint of Private Service Connect."""
    target = tail_of(rule.target or "")
    return "/serviceAttachments/" in target or target in BUNDLES


def whole(traffic: Traffic) -> Traffic | None:
    """Return what a name takes, None for anything."""
    return None if traffic == ALL_TRAFFIC else traffic


def listens_of(rule: ForwardingRule) -> Traffic:
    """Return what a forwarding rule takes, at most where it cannot be understood.

    Source: https://cloud.google.com/load-balancing/docs/forwarding-rule-concepts#protocol-specification
    """
    number = _NUMBERS.get(rule.protocol.upper())
    if number is None:
        # L3_DEFAULT is every protocol that is carried.
        return ALL_TRAFFIC
    texts = [*(rule.ports or ()), *([rule.port_range] if rule.port_range else [])]
    if rule.all_ports or not texts or number not in {6, 17, 132}:
        return Traffic.protocol(number)
    found = NO_TRAFFIC
    try:
        for text in texts:
            first, _, last = text.partition("-")
            found |= Traffic.ports(number, int(first), int(last or first))
    except (ParseError, ValueError):
        return Traffic.protocol(number)
    return found
