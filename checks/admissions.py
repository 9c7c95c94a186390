"""What the allowing rules of lists admit, laid out in arrays, so that a hundred thousand rules compare at once.

A rule is cut into *pieces*: one for its addresses, one for each group that it names. A piece is a run of positions and
a mask of traffic. Addresses are positions of a line; each group has a position of its own behind them, for a rule that
names a group and one that names addresses admit the same packets only as far as the group's members have these.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cloudseg.model import ANYONE, GroupRef
from cloudseg.reach.packets import outside_addresses
from cloudseg.reach.pairs.atoms import AddressLine, TrafficAtoms
from cloudseg.reach.plumbing import conduct
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cloudseg.model import Estate, Interface, Peer, Rule, RuleSet
    from cloudseg.reach.pairs.atoms import Runs
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["SIDES", "Admissions", "Extent", "Indexes", "Pieces"]

Indexes = np.ndarray[tuple[int], np.dtype[np.intp]]

SIDES: Final = (("ingress", "next"), ("ingress", "accept"), ("egress", "next"), ("egress", "accept"))
"""Direction and verdict: a rule of one side never stands in for one of another."""

_BY_ID: Final = attrgetter("id")
_BALANCERS: Final = frozenset(("network_load_balancer",))


class Extent(NamedTuple):
    """Who is admitted.

    Attributes:
        runs: runs of positions.
        instead: of a group, the positions of all addresses that a member can have; a rule that admits them all admits
            the group. Nothing for addresses.
    """

    runs: Runs
    instead: Runs = ()


class Pieces(NamedTuple):
    """The pieces of all rules, those of one list and side together.

    Attributes:
        place: for each piece the place of its list and side, as :meth:`Admissions.of` counts them.
        rule: the number of its rule.
        extent: the number of its extent.
        first: its first position.
        last: the position behind its last one.
        mask: its traffic, by word.
    """

    place: Indexes
    rule: Indexes
    extent: Indexes
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    mask: NDArray[np.uint64]


class _End(NamedTuple):
    """The other end of a rule: the numbers of its extents, whether it is known in full, and how much it is."""

    extents: tuple[int, ...]
    exact: bool
    size: tuple[int, int]


class Admissions:
    """What the allowing rules of some lists admit for sure.

    Args:
        rule_sets: the lists, in order of their ids.
        estate: where groups, networks and address lists are looked up.

    Attributes:
        rules: the rules by number, with their lists: by list, in order of their ids.
        extents: who is admitted, by number.
        positions: how many positions there are.
        pieces: the pieces.
        exact: for each rule whether nothing about it is unknown.
        rank: for each rule its place in the order in which rules are given up. Whoever takes another in goes after it,
            of equal rules the one before.
        cut: some rules have several pieces.
    """

    def __init__(self, rule_sets: Sequence[RuleSet], estate: Estate) -> None:
        self._estate = estate
        self._sets: dict[AddressSet, int] = {}
        self._groups: dict[str, int] = {}
        self.rules: list[tuple[RuleSet, Rule]] = []
        self._numbers: dict[tuple[Peer, ...], int] = {}
        self._ends: list[_End] = []
        self._traffics: dict[Traffic, int] = {}
        self._known: dict[int, int] = {}
        place: list[int] = []
        end: list[int] = []
        traffic: list[int] = []
        for number, rule_set in enumerate(rule_sets):
            self._take(rule_set, number * len(SIDES), place, end, traffic)
        self._measure(np.array(end, dtype=np.intp), np.array(traffic, dtype=np.intp))
        self._lay_out()
        self._cut(np.array(place, dtype=np.intp), np.array(end, dtype=np.intp), np.array(traffic, dtype=np.intp))
        bounds = np.arange(len(rule_sets) * len(SIDES) + 1)
        self._bounds: list[int] = np.searchsorted(self.pieces.place, bounds).tolist()

    def _take(self, rule_set: RuleSet, first: int, place: list[int], end: list[int], traffic: list[int]) -> None:
        """Note the rules of a list. What was not read in full admits nothing for sure."""
        # A hundred thousand rules come by here; the same object is the same traffic, whatever it holds.
        numbers, known = self._numbers, self._known
        for rule in sorted(rule_set.rules, key=_BY_ID):
            verdict = rule.verdict
            if verdict == "deny" or not rule.exact or rule.source_ports is not None or rule.local != ANYONE:
                continue
            number = numbers.get(rule.remote)
            if number is None:
                number = numbers[rule.remote] = len(self._ends)
                self._ends.append(self._end(rule.remote))
            carried = known.get(id(rule.traffic))
            if carried is None:
                carried = known[id(rule.traffic)] = self._traffics.setdefault(rule.traffic, len(self._traffics))
            end.append(number)
            traffic.append(carried)
            place.append(first + (rule.direction == "egress") * 2 + (verdict == "accept"))
            self.rules.append((rule_set, rule))

    def _end(self, peers: tuple[Peer, ...]) -> _End:
        least, most = outside_addresses(peers, self._estate)
        groups = sorted({peer.group for peer in peers if isinstance(peer, GroupRef) and not peer.stale})
        # Groups count down from -1 until it is known how many sets of addresses there are.
        extents = [-1 - self._groups.setdefault(group, len(self._groups)) for group in groups]
        if least:
            extents.append(self._sets.setdefault(least, len(self._sets)))
        return _End(tuple(extents), least == most and bool(extents), (most.size, len(groups)))

    def _measure(self, end: Indexes, traffic: Indexes) -> None:
        self.exact = np.array([each.exact for each in self._ends], dtype=bool)[end]
        places = {size: number for number, size in enumerate(sorted({each.size for each in self._ends}))}
        carried = [sum(field.size for field in each.fields) for each in self._traffics]
        amounts = {size: number for number, size in enumerate(sorted(set(carried)))}
        of_end = np.array([places[each.size] for each in self._ends], dtype=np.int64)
        of_traffic = np.array([amounts[size] for size in carried], dtype=np.int64)
        order = np.lexsort((-np.arange(len(end)), of_traffic[traffic], of_end[end]))
        self.rank: Indexes = np.empty(len(end), dtype=np.intp)
        self.rank[order] = np.arange(len(end))

    def _lay_out(self) -> None:
        borne = frozenset(group for each in self._estate.entrances.values() for group in each.groups)
        doubtful = _doubtful(self._estate)
        needed = [
            ALL_ADDRESSES if group in borne else _addresses_of_members(group, doubtful, self._estate)
            for group in self._groups
        ]
        line = AddressLine((*self._sets, *needed))
        here = line.length
        self.extents = [Extent(line.runs(addresses)) for addresses in self._sets]
        for number, addresses in enumerate(needed):
            self.extents.append(Extent(((here + number, here + number + 1),), line.runs(addresses)))
        self.positions = here + len(needed)

    def _cut(self, place: Indexes, end: Indexes, traffic: Indexes) -> None:
        atoms = TrafficAtoms(self._traffics)
        words = [atoms.words(atoms.mask(each)) for each in self._traffics]
        masks = np.array(words, dtype=np.uint64).reshape(-1, atoms.width)
        ends = np.array([(each.runs[0][0], each.runs[-1][1]) for each in self.extents], dtype=np.int64).reshape(-1, 2)
        counts = np.array([len(each.extents) for each in self._ends], dtype=np.intp)
        extents = np.array([extent for each in self._ends for extent in each.extents], dtype=np.intp)
        extents[extents < 0] = len(self._sets) - 1 - extents[extents < 0]
        starts = np.cumsum(counts) - counts
        order: Indexes = np.argsort(place, kind="stable")
        sizes = counts[end[order]]
        rule = np.repeat(order, sizes)
        within = np.arange(len(rule)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        extent = extents[starts[end[rule]] + within]
        self.cut = bool((sizes > 1).any())
        self.pieces = Pieces(place[rule], rule, extent, ends[extent, 0], ends[extent, 1], masks[traffic[rule]])

    def of(self, place: int) -> Indexes:
        """Return the pieces at a place: the number of the list times the sides, plus the place in :data:`SIDES`."""
        return np.arange(self._bounds[place], self._bounds[place + 1], dtype=np.intp)


def _doubtful(estate: Estate) -> frozenset[str]:
    """Return the networks in which an interface may carry groups that were not read, and show others' addresses."""
    return frozenset(
        interface.network
        for interface in estate.interfaces.values()
        if interface.attached_unread and interface.network and _may_show_others(interface, estate)
    )


def _addresses_of_members(group: str, doubtful: frozenset[str], estate: Estate) -> AddressSet:
    """Return the addresses under which rules see members of a group, today's and later ones'; all where nobody knows.

    A member stands in a network in which the group can be used, so it has one of that network's addresses. A load
    balancer that keeps its clients' addresses is seen under these, and a rule that names its group admits them all the
    same. A group that nobody carries today may be meant for one, as far as anyone can tell.
    Sources: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/eice-security-groups.html
    """
    known = estate.groups.get(group)
    members = estate.members(group)
    if known is None or not known.networks or not members or not estate.read("interfaces", known):
        return ALL_ADDRESSES
    if not doubtful.isdisjoint(known.networks) or any(_may_show_others(member, estate) for member in members):
        return ALL_ADDRESSES
    found = NO_ADDRESSES
    for name in known.networks:
        network = estate.networks.get(name)
        if network is None or not network.addresses:
            return ALL_ADDRESSES
        found |= network.addresses
    for member in members:
        found |= member.addresses
    return found


def _may_show_others(interface: Interface, estate: Estate) -> bool:
    """Tell whether connections that an interface opens may bear the addresses of its clients."""
    if interface.keeps_client:
        return True
    forwarder = estate.forwarders.get(interface.workload or "")
    if forwarder is not None:
        return not forwarder.complete or any(each.keeps_client is not False for each in forwarder.forwards)
    if interface.role.lower() in _BALANCERS or conduct(interface) == "unknown":
        return True
    # What an Instance Connect Endpoint keeps stands in its own answer, which names its interfaces.
    return conduct(interface) == "proxy" and interface.workload is None
