"""How much of the internet, and how much of all traffic, a list of rules admits in effect."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

from cloudseg.checks.exposure import is_everything
from cloudseg.model import Family
from cloudseg.reach.packets import Bounds, Box, common_addresses, outside_addresses, pass_stage
from cloudseg.traffic import (
    ALL_IPV4,
    ALL_TRAFFIC,
    GLOBAL_UNICAST,
    NO_ADDRESSES,
    NO_TRAFFIC,
    AddressSet,
    IntervalSet,
    Traffic,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cloudseg.model import Direction, Estate, RuleSet, Stage

__all__ = [
    "INTERNET",
    "Part",
    "admitted",
    "as_nat64",
    "is_most",
    "mostly_internet",
    "open_addresses",
    "share_words",
    "significant",
]

Part = Family | Literal["nat64"]
"""A part of the internet by the addresses that packets to it bear; ``nat64`` is the IPv4 internet as IPv6 hosts see it.
"""

_NAT64_PREFIX: Final = 0x64FF9B << 96


def as_nat64(addresses: AddressSet) -> AddressSet:
    """Return the IPv6 addresses under which NAT64 reaches IPv4 addresses: the last 32 bits of ``64:ff9b::/96``.

    Sources: RFC 6052 section 2.1, and https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-nat64-dns64.html
    """
    intervals = tuple((_NAT64_PREFIX + first, _NAT64_PREFIX + last) for first, last in addresses.v4.intervals)
    return AddressSet(v6=IntervalSet(intervals))


# IPv6 addresses are handed out of 2000::/3 alone, so that is the whole IPv6 internet in effect. Source:
# https://www.iana.org/assignments/ipv6-address-space
INTERNET: Final[Mapping[Part, AddressSet]] = {
    4: GLOBAL_UNICAST & ALL_IPV4,
    6: GLOBAL_UNICAST & AddressSet.parse("2000::/3"),
    "nat64": as_nat64(GLOBAL_UNICAST & ALL_IPV4),
}


@lru_cache(maxsize=65536)
def is_most(addresses: AddressSet, part: Part) -> bool:
    """Tell whether addresses are most of a part of the internet: three quarters, so that half of it never is."""
    internet = INTERNET[part]
    return 4 * (addresses & internet).size >= 3 * internet.size


def mostly_internet(addresses: AddressSet) -> tuple[Part, ...]:
    """Return the parts of the internet of which addresses are most."""
    return tuple(part for part in INTERNET if is_most(addresses, part))


def share_words(addresses: AddressSet, family: Family) -> str:
    """Return addresses as a share of one family's internet, in words."""
    internet = INTERNET[family]
    if internet <= addresses:
        return f"the whole IPv{family} internet"
    share = 100 * (addresses & internet).size / internet.size
    return f"{share:.3g} % of the IPv{family} internet"


def admitted(
    stage: Stage, rule_sets: Sequence[RuleSet], direction: Direction, within: AddressSet, estate: Estate
) -> Bounds:
    """Return the packets that a stage admits between an interface and some addresses; the boxes may overlap."""
    if stage.match == "first" or not rule_sets:
        return pass_stage(stage, rule_sets, direction, [Box(within, ALL_TRAFFIC)], estate)
    lower: list[Box] = []
    upper: list[Box] = []
    for rule_set in rule_sets:
        for rule in rule_set.rules:
            if rule.direction != direction or not rule.allows:
                continue
            least, most = outside_addresses(rule.remote, estate)
            if not most:
                continue
            if rule.exact and rule.source_ports is None:
                lower.append(Box(common_addresses(least, within), rule.traffic))
            upper.append(Box(common_addresses(most, within), rule.traffic))
    return Bounds(tuple(box for box in lower if box.addresses), tuple(box for box in upper if box.addresses))


def open_addresses(
    boxes: Iterable[Box], within: AddressSet, enough: Callable[[Traffic], bool] = is_everything
) -> AddressSet:
    """Return the addresses to or from which the boxes together carry enough traffic.

    Boxes of the same traffic are joined first, so that ranges count however they are split; then traffic is added up
    address by address, so that port ranges count however they are split. The second step leaves out what
    :func:`significant` does.

    Args:
        boxes: packets; they may overlap.
        within: the addresses that matter.
        enough: tells whether traffic is enough; by default, everything in effect.
    """
    found = NO_ADDRESSES
    rest: list[Box] = []
    for box in significant(boxes, within, enough):
        if enough(box.traffic):
            found |= box.addresses
        else:
            rest.append(box)
    parts: list[tuple[AddressSet, Traffic]] = [(within - found, NO_TRAFFIC)]
    for box in rest:
        parts = _added(parts, box.addresses, box.traffic)
    for addresses, traffic in parts:
        if addresses and enough(traffic):
            found |= addresses
    return found


def significant(
    boxes: Iterable[Box], within: AddressSet, enough: Callable[[Traffic], bool] = is_everything
) -> tuple[Box, ...]:
    """Return the boxes, joined by traffic, that can make a difference to what is open.

    Traffic that is not enough by itself, and goes to so few addresses that all of its kind together are less than a
    64th of ``within``, is left out: rules for single hosts never add up to the internet.
    """
    by_traffic: dict[Traffic, AddressSet] = {}
    for box in boxes:
        if part := box.addresses & within:
            by_traffic[box.traffic] = by_traffic.get(box.traffic, NO_ADDRESSES) | part
    least = within.size // (64 * len(by_traffic)) if by_traffic else 0
    return tuple(
        Box(addresses, traffic)
        for traffic, addresses in by_traffic.items()
        if enough(traffic) or addresses.size >= least
    )


def _added(
    parts: list[tuple[AddressSet, Traffic]], addresses: AddressSet, traffic: Traffic
) -> list[tuple[AddressSet, Traffic]]:
    split: list[tuple[AddressSet, Traffic]] = []
    for part, known in parts:
        if inside := part & addresses:
            split.append((inside, known | traffic))
        if outside := part - addresses:
            split.append((outside, known))
    return split
