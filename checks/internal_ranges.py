"""The internal part of a rule's other end: the interfaces that its addresses mean, and the groups that name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.group_cover import GroupCover, GroupIndex, InterfaceIndex, Kinds
from cloudseg.checks.identity_paths import Ground, IdentityPaths
from cloudseg.checks.ordered_lists import OrderedLists
from cloudseg.checks.rule_lists import named_resource
from cloudseg.model import Addresses, Interface, ListRef
from cloudseg.reach.passage import carries_unread
from cloudseg.reach.plumbing import opens_connections, takes_groups, uses_own_address
from cloudseg.traffic import GLOBAL_UNICAST, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudseg.model import Direction, Estate, Network, Peer, Rule, RuleSet

__all__ = ["InternalRange", "InternalRanges", "kinds_of"]


_ACCOUNTS: Final = frozenset(("service-account",))
_SECURE_TAGS: Final = frozenset(("secure-tag",))


class InternalRange(NamedTuple):
    """The internal part of a rule's other end.

    Attributes:
        written: the addresses as the rule gives them, without the blocks that hold public addresses.
        named: the part of it where a group can stand.
        broken: the part where identity does not hold, with the reasons.
        interfaces: the interfaces in it that may be the other end and can carry a group.
        nameless: the interfaces in it that may be the other end, but can carry no group; only addresses name them.
        unplaced: interfaces that may stand in it; their addresses were not read.
        idle: the interfaces in it that are never the other end: the only one that the rule set judges, and for ingress
            those that open no connections.
        cover: the groups that name the interfaces.
        networks: the networks of the part, by own id.
        certain: every route that decides was read.
        read: every interface of those networks was read.
        unread: those of the interfaces of which not every group was read.
    """

    written: AddressSet
    named: AddressSet
    broken: tuple[str, ...]
    interfaces: tuple[Interface, ...]
    nameless: tuple[Interface, ...]
    unplaced: tuple[Interface, ...]
    idle: tuple[Interface, ...]
    cover: GroupCover
    networks: tuple[str, ...]
    certain: bool
    read: bool
    unread: frozenset[str]

    @property
    def elsewhere(self) -> AddressSet:
        """The part where no group can stand: other networks and sites, and ways that take identity away."""
        return self.written - self.named

    @property
    def ungrouped(self) -> tuple[Interface, ...]:
        """The interfaces that none of the groups names, as far as the groups that they carry were read."""
        return self._unnamed(frozenset(self.cover.uncovered) - self.unread)

    @property
    def unclear(self) -> tuple[Interface, ...]:
        """The interfaces that none of the groups read names, but perhaps one that was not read."""
        return self._unnamed(self.unread.intersection(self.cover.uncovered))

    def _unnamed(self, ids: frozenset[str]) -> tuple[Interface, ...]:
        return tuple(interface for interface in self.interfaces if interface.id in ids) if ids else ()


class _Content(NamedTuple):
    """What stands in the addresses of a rule, whatever the rule set and the direction.

    Attributes:
        ground: where the other end can be named by identity.
        written: the addresses as the rule gives them.
        named: the part of it where a group can stand.
        networks: the networks of the part.
        able: the interfaces in it that a group can name.
        unable: the interfaces in it that no group can name.
        ids: the ids of all of them.
        unplaced: interfaces that may stand in it; their addresses were not read.
        unread: ids of those that a group can name, of which not every group was read.
    """

    ground: Ground
    written: AddressSet
    named: AddressSet
    networks: tuple[Network, ...]
    able: tuple[Interface, ...]
    unable: tuple[Interface, ...]
    ids: frozenset[str]
    unplaced: tuple[Interface, ...]
    unread: frozenset[str]


class _Side(NamedTuple):
    """One direction of a rule set.

    Attributes:
        ground: where its other ends can be named by identity.
        contents: what stands in the blocks that rules name, by the id of the blocks; shared by all of this ground.
        carrier: the only interface that the rule set judges, where there is just one.
    """

    ground: Ground
    contents: dict[int, _Content | None]
    carrier: str


class InternalRanges:
    """Works out the internal part of rules; answers are kept for rules of the same ground and the same peers."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._paths = IdentityPaths(estate)
        self._index = InterfaceIndex(estate)
        self._groups = GroupIndex(estate)
        self._ordered = OrderedLists(estate)
        self._blocks: dict[tuple[Peer, ...], tuple[AddressSet, ...]] = {}
        self._inside: dict[int, AddressSet] = {}
        self._contents: dict[int, dict[int, _Content | None]] = {}
        self._ranges: dict[tuple[int, Direction, str, Kinds], InternalRange | None] = {}
        self._addresses = NO_ADDRESSES
        for network in estate.networks.values():
            self._addresses |= network.addresses
        # Wide ranges hold thousands of interfaces, and every ground has them anew.
        interfaces = estate.interfaces.values()
        self._nameable = frozenset([interface.id for interface in interfaces if _can_be_named(interface)])
        self._sending = frozenset([interface.id for interface in interfaces if opens_connections(interface)])

    def may_name(self, end: tuple[Peer, ...]) -> bool:
        """Tell whether an end of a rule names addresses of networks of the estate; a first look that costs little."""
        return any(block.overlaps(self._addresses) for block in self._blocks_of(end))

    def of(self, rule_set: RuleSet, rules: Iterable[Rule]) -> Iterator[tuple[Rule, InternalRange]]:
        """Yield those of some allowing rules of a list whose other end has an internal part where a group could stand.

        Args:
            rule_set: the list.
            rules: the rules in question.
        """
        sides: dict[Direction, _Side] = {}
        for rule in rules:
            blocks = () if rule.fixed or not _names_groups(rule_set, rule) else self._blocks_of(rule.remote)
            if not blocks:
                continue
            side = sides.get(rule.direction)
            if side is None:
                side = sides[rule.direction] = self._side(rule_set, rule.direction)
            # Blocks stay as long as this does, so their ids stay their own.
            place = id(blocks)
            if place not in side.contents:
                side.contents[place] = self._content(side.ground, blocks)
            content = side.contents[place]
            kinds = kinds_of(rule_set)
            found = None if content is None else self._range(content, rule.direction, side.carrier, kinds)
            if found is not None and self._ordered.left(rule_set, rule):
                yield rule, found

    def _blocks_of(self, peers: tuple[Peer, ...]) -> tuple[AddressSet, ...]:
        known = self._blocks.get(peers)
        if known is None:
            known = self._blocks[peers] = tuple(self._written(peers))
        return known

    def _range(self, content: _Content, direction: Direction, carrier: str, kinds: Kinds) -> InternalRange | None:
        alone = carrier if carrier in content.ids else ""
        key = (id(content), direction, alone, kinds)
        if key not in self._ranges:
            self._ranges[key] = self._judge(content, direction, alone, kinds)
        return self._ranges[key]

    def _side(self, rule_set: RuleSet, direction: Direction) -> _Side:
        governed = self._estate.governed(rule_set)
        alone = len(governed) == 1 and self._estate.read("interfaces", rule_set)
        ground = self._paths.ground(rule_set, direction)
        # The paths keep every ground that they give out; equal ones are one object.
        contents = self._contents.setdefault(id(ground), {})
        return _Side(ground, contents, governed[0].id if alone else "")

    def _written(self, peers: tuple[Peer, ...]) -> Iterator[AddressSet]:
        """Yield the blocks that people wrote; a list that the provider keeps names services, never workloads."""
        for peer in peers:
            if isinstance(peer, Addresses):
                yield from map(AddressSet.parse, peer.addresses.cidrs())
            elif isinstance(peer, ListRef):
                known = self._estate.address_lists.get(peer.list)
                if known is not None and known.owner == "customer":
                    yield from map(AddressSet.parse, known.prefixes or ())

    def _content(self, ground: Ground, blocks: tuple[AddressSet, ...]) -> _Content | None:
        if id(ground) not in self._inside:
            self._inside[id(ground)] = ground.inside
        everything = self._inside[id(ground)]
        written = NO_ADDRESSES
        for block in blocks:
            # A block with public addresses is what the exposure checks judge; a network's own IPv6 range is internal.
            if not (block & GLOBAL_UNICAST) - everything:
                written |= block
        if not written:
            return None
        parts = [(network, part) for network, addresses in ground.holds if (part := written & addresses)]
        if not parts:
            return None
        named = NO_ADDRESSES
        inside: list[Interface] = []
        unplaced: list[Interface] = []
        for network, part in parts:
            named |= part
            surely, perhaps = self._index.without_address(network, part)
            inside.extend((*self._index.inside(network, part), *surely))
            unplaced.extend(perhaps)
        able = tuple([interface for interface in inside if interface.id in self._nameable])
        return _Content(
            ground=ground,
            written=written,
            named=named,
            networks=tuple(self._estate.networks[network] for network, _ in parts),
            able=able,
            unable=tuple([interface for interface in inside if interface.id not in self._nameable]),
            ids=frozenset([interface.id for interface in inside]),
            unplaced=tuple(interface for interface in unplaced if takes_groups(interface)),
            unread=frozenset(interface.id for interface in able if carries_unread(interface, self._estate)),
        )

    def _judge(self, content: _Content, direction: Direction, alone: str, kinds: Kinds) -> InternalRange | None:
        """Return the range as a rule of a direction uses it.

        Args:
            content: what stands in the rule's addresses.
            direction: the rule's direction.
            alone: the only interface that the rule judges; empty where there are others.
            kinds: the kinds of groups that the rule can name.
        """
        able: list[Interface] = []
        idle: list[Interface] = []
        for interface in content.able:
            sends = direction == "egress" or interface.id in self._sending
            (able if sends and interface.id != alone else idle).append(interface)
        nameless = tuple(interface for interface in content.unable if uses_own_address(interface, direction))
        if content.ids and not able and (nameless or not idle):
            return None
        names = frozenset([interface.id for interface in able])
        ground = content.ground
        return InternalRange(
            written=content.written,
            named=content.named,
            broken=tuple(dict.fromkeys(why for lost, why in ground.broken if lost.overlaps(content.written))),
            interfaces=tuple(able),
            nameless=nameless,
            unplaced=content.unplaced,
            idle=tuple(idle),
            cover=self._groups.cover(names, frozenset([interface.id for interface in idle]), kinds),
            networks=tuple(named_resource(network) for network in content.networks),
            certain=ground.certain,
            read=all(self._estate.read("interfaces", network) for network in content.networks),
            unread=content.unread & names,
        )


def _names_groups(rule_set: RuleSet, rule: Rule) -> bool:
    """Tell whether rules of a list can name groups at the other end: those of Google Cloud cannot as destinations.

    Source: https://cloud.google.com/firewall/docs/firewalls#sources_or_destinations_for_the_rule
    """
    return rule_set.provider != "gcp" or rule.direction == "ingress"


def kinds_of(rule_set: RuleSet) -> Kinds:
    """Return the kinds of groups that rules of a list can name as sources and that nobody can give to himself.

    Network tags are set by whoever may edit an instance. VPC firewall rules name service accounts, rules of policies
    secure tags. Sources: https://cloud.google.com/firewall/docs/service-accounts,
    https://cloud.google.com/firewall/docs/tags-firewalls-overview and
    https://cloud.google.com/sdk/gcloud/reference/compute/network-firewall-policies/rules/create
    """
    if rule_set.provider != "gcp":
        return None
    return _ACCOUNTS if rule_set.kind == "vpc-firewall-rules" else _SECURE_TAGS


def _can_be_named(interface: Interface) -> bool:
    """Tell whether a group can name an interface.

    What a service made without groups, a network load balancer above all, takes none later. Source:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
    """
    if interface.provider == "gcp":
        # Tags and accounts are those of instances; as sources they stand for no alias ranges. Source:
        # https://cloud.google.com/firewall/docs/firewalls#sources_or_destinations_for_the_rule
        return not (interface.derived or interface.managed_by)
    if interface.provider == "azure":
        # A user gives groups to network interfaces, and to private endpoints; the rest are a service's own. Source:
        # https://learn.microsoft.com/azure/private-link/configure-asg-private-endpoint
        return not interface.derived and (not interface.managed_by or interface.role == "private_endpoint")
    carries = bool(interface.attached) or interface.attached_unread
    return takes_groups(interface) and (carries or not _of_a_service(interface))


def _of_a_service(interface: Interface) -> bool:
    return bool(interface.managed_by) or interface.role == "network_load_balancer"
