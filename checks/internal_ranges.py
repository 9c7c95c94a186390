"""The internal part of a rule's other end: the interfaces that its addresses mean, and the groups that name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.checks.group_cover import GroupCover, GroupIndex, InterfaceIndex
from cloudseg.checks.identity_paths import Ground, IdentityPaths
from cloudseg.checks.provider_interfaces import takes_groups
from cloudseg.model import Addresses, Interface, ListRef
from cloudseg.traffic import GLOBAL_UNICAST, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.model import Estate, Peer, Rule, RuleSet

__all__ = ["InternalRange", "InternalRanges"]


class InternalRange(NamedTuple):
    """The internal part of a rule's other end.

    Attributes:
        written: the addresses as the rule gives them, without the blocks that hold public addresses.
        named: the part of it where a group can stand.
        broken: the part where identity does not hold, with the reasons.
        interfaces: the interfaces in it that can carry a group.
        cover: the groups that name them.
        networks: the networks of the part, by own id.
        certain: every route that decides was read.
        read: every interface of those networks was read.
    """

    written: AddressSet
    named: AddressSet
    broken: tuple[str, ...]
    interfaces: tuple[Interface, ...]
    cover: GroupCover
    networks: tuple[str, ...]
    certain: bool
    read: bool


class InternalRanges:
    """Works out the internal part of rules; answers are kept for rules of the same ground and the same peers."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._paths = IdentityPaths(estate)
        self._index = InterfaceIndex(estate)
        self._groups = GroupIndex(estate)
        self._blocks: dict[tuple[Peer, ...], tuple[AddressSet, ...]] = {}
        self._ranges: dict[tuple[int, tuple[Peer, ...]], InternalRange | None] = {}

    def of(self, rule_set: RuleSet, rule: Rule) -> InternalRange | None:
        """Return the internal part of a rule's other end; None where no group could stand there."""
        if rule.remote not in self._blocks:
            self._blocks[rule.remote] = tuple(self._written(rule.remote))
        if not self._blocks[rule.remote]:
            return None
        ground = self._paths.ground(rule_set, rule.direction)
        # The paths keep every ground that they give out, so its id stays its own.
        key = (id(ground), rule.remote)
        if key not in self._ranges:
            self._ranges[key] = self._work_out(ground, rule.remote)
        return self._ranges[key]

    def _written(self, peers: tuple[Peer, ...]) -> Iterator[AddressSet]:
        """Yield the blocks that people wrote; a list that the provider keeps names services, never workloads."""
        for peer in peers:
            if isinstance(peer, Addresses):
                yield from map(AddressSet.parse, peer.addresses.cidrs())
            elif isinstance(peer, ListRef):
                known = self._estate.address_lists.get(peer.list)
                if known is not None and known.owner == "customer":
                    yield from map(AddressSet.parse, known.prefixes or ())

    def _work_out(self, ground: Ground, peers: tuple[Peer, ...]) -> InternalRange | None:
        everything = ground.inside
        written = NO_ADDRESSES
        for block in self._blocks[peers]:
            # A block with public addresses is what the exposure checks judge; a network's own IPv6 range is internal.
            if not (block & GLOBAL_UNICAST) - everything:
                written |= block
        parts = [(network, written & addresses) for network, addresses in ground.holds]
        parts = [(network, part) for network, part in parts if part]
        if not parts:
            return None
        found = [interface for network, part in parts for interface in self._index.inside(network, part)]
        able = tuple(interface for interface in found if _can_be_named(interface))
        if found and not able:
            return None
        named = NO_ADDRESSES
        for _, part in parts:
            named |= part
        networks = [self._estate.networks[network] for network, _ in parts]
        return InternalRange(
            written=written,
            named=named,
            broken=tuple(dict.fromkeys(why for addresses, why in ground.broken if addresses.overlaps(written))),
            interfaces=able,
            cover=self._groups.cover(interface.id for interface in able),
            networks=tuple(network.own_id for network in networks),
            certain=ground.certain,
            read=all(self._estate.read("interfaces", network) for network in networks),
        )


def _can_be_named(interface: Interface) -> bool:
    """Tell whether a group can name an interface; a network load balancer made without groups takes none later."""
    return takes_groups(interface) and not (interface.role == "network_load_balancer" and not interface.attached)
