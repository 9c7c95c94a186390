"""How much of the internet, and how much of all traffic, a list of rules admits in effect."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from cloudseg.checks.exposure import is_everything
from cloudseg.reach.packets import Bounds, Box, outside_addresses, pass_stage
from cloudseg.traffic import ALL_IPV4, ALL_TRAFFIC, GLOBAL_UNICAST, NO_ADDRESSES, NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cloudseg.model import Direction, Estate, Family, RuleSet, Stage

__all__ = ["INTERNET", "admitted", "is_most", "mostly_internet", "open_addresses", "share_words", "significant"]

# IPv6 addresses are handed out of 2000::/3 alone, so that is the whole IPv6 internet in effect. Source:
# https://www.iana.org/assignments/ipv6-address-space
INTERNET: Final[Mapping[Family, AddressSet]] = {
    4: GLOBAL_UNICAST & ALL_IPV4,
    6: GLOBAL_UNICAST & AddressSet.parse("2000::/3"),
}
_FAMILIES: Final[tuple[Family, ...]] = (4, 6)


@lru_cache(maxsize=65536)
def is_most(addresses: AddressSet, family: Family) -> bool:
    """Tell whether addresses are most of one family's internet: three quarters, so that half of it never is."""
    internet = INTERNET[family]
    return 4 * (addresses & internet).size >= 3 * internet.size


def mostly_internet(addresses: AddressSet) -> tuple[Family, ...]:
    """Return the families of which addresses are most of the internet."""
    return tuple(family for family in _FAMILIES if is_most(addresses, family))


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
            if rule.exact and rule.source_ports is None:
                lower.append(Box(least & within, rule.traffic))
            upper.append(Box(most & within, rule.traffic))
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
