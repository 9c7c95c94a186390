"""One pass over an estate's lists: what their rules name, and which lists judge which interfaces.

What is found here decides where traffic and addresses are cut; after that the same items become rows of masks.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.model import Addresses, GroupRef
from cloudseg.reach.near_ends import NearEnds
from cloudseg.reach.packets import Bounds, Box, names_everyone, outside_addresses, pass_stage
from cloudseg.reach.pairs.replies import TRANSLATED, reply_traffic
from cloudseg.reach.passage import carries_unread, pipeline_of, stage_was_read
from cloudseg.traffic import ALL_ADDRESSES, ALL_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from cloudseg.model import Direction, Estate, Interface, Peer, RangeMeaning, Rule, RuleSet, Stage, Verdict
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["Item", "Judgement", "Remote", "Survey"]

_EVERYTHING = (Box(ALL_ADDRESSES, ALL_TRAFFIC),)
_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")


class Remote(NamedTuple):
    """The other end of rules.

    Attributes:
        least: the addresses that it certainly names.
        most: the addresses that it names at most.
        groups: the groups that it names, which matter only on paths where identity holds.
        meaning: whether the addresses match pods of the cluster that bear them.
        cluster: the cluster, where that matters.
    """

    least: AddressSet
    most: AddressSet
    groups: tuple[str, ...]
    meaning: RangeMeaning = "everywhere"
    cluster: str = ""


class _Meaning(NamedTuple):
    """What ranges mean to pods: whether they match those of one cluster that bear them."""

    ranges: RangeMeaning
    cluster: str


_PLAIN = _Meaning("everywhere", "")


def _meaning(stage: Stage, interface: Interface) -> _Meaning:
    return _PLAIN if stage.ranges == "everywhere" else _Meaning(stage.ranges, interface.scope)


class Item(NamedTuple):
    """What one rule contributes: equal rules of different lists are one item.

    Attributes:
        remote: number of the other end.
        traffic: the traffic.
        verdict: what the rule answers.
        certain: the rule was read in full and admits every port that a client may choose.
    """

    remote: int
    traffic: Traffic
    verdict: Verdict
    certain: bool


class Judgement(NamedTuple):
    """How one stage judges an interface; equal judgements have equal rows.

    Attributes:
        stage: the stage.
        direction: the direction.
        contents: where any match decides, the numbers of what the judging lists hold, sorted.
        items: where the first match decides, the numbers of the items in the order of evaluation.
        lists: for a stateless stage, ids of the judging lists.
        unread: lists may judge here that were not read.
    """

    stage: Stage
    direction: Direction
    contents: tuple[int, ...] = ()
    items: tuple[int, ...] = ()
    lists: tuple[str, ...] = ()
    unread: bool = False


class Survey:
    """What the lists of an estate name.

    Attributes:
        estate: the estate.
        remotes: the other ends of all rules.
        items: what rules contribute.
        contents: the items of lists, by number; lists of the same items share one.
        named_traffics: the traffic that items name.
    """

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.remotes: list[Remote] = []
        self.items: list[Item] = []
        self._remote_numbers: dict[tuple[object, _Meaning], int] = {}
        self._item_numbers: dict[tuple[int, int, Verdict, bool], int] = {}
        self.named_traffics: list[Traffic] = []
        self._known_traffics: dict[Traffic, int] = {}
        self._traffic_numbers: dict[int, int] = {}
        self._numbers_by_remote: defaultdict[_Meaning, dict[int, int]] = defaultdict(dict)
        self._boxes: dict[tuple[str, Direction, tuple[str, ...]], Bounds] = {}
        self._judgements: dict[tuple[object, ...], tuple[Judgement, ...]] = {}
        self._near = NearEnds(estate)
        self._by_order: dict[tuple[object, ...], Judgement] = {}
        self._narrow: dict[tuple[object, ...], tuple[RuleSet, ...]] = {}
        self.contents: list[frozenset[int]] = []
        self._content_numbers: dict[frozenset[int], int] = {}
        self._of_list: dict[tuple[str, Direction, _Meaning], int] = {}

    def _numbers(self, rules: Sequence[Rule], direction: Direction, meaning: _Meaning) -> Iterator[int]:
        """Yield the numbers of rules' items."""
        # A hundred thousand rules come by here, so that equal items are told by numbers and not by what they hold.
        # What a rule holds lives as long as the survey, so that no other object can have its identity.
        numbers, by_remote = self._item_numbers, self._numbers_by_remote[meaning]
        for rule in rules:
            if rule.direction != direction:
                continue
            certain = rule.exact and rule.source_ports is None
            traffic = self._traffic_numbers.get(id(rule.traffic))
            if traffic is None:
                traffic = self._traffic_number(rule.traffic)
            remote = by_remote.get(id(rule.remote))
            if remote is None:
                remote = by_remote[id(rule.remote)] = self._remote_number(rule.remote, meaning)
            key = (remote, traffic, rule.verdict, certain)
            number = numbers.get(key)
            if number is None:
                number = numbers[key] = len(self.items)
                self.items.append(Item(key[0], self.named_traffics[traffic], rule.verdict, certain))
            yield number

    def _traffic_number(self, traffic: Traffic) -> int:
        number = self._known_traffics.setdefault(traffic, len(self._known_traffics))
        if number == len(self.named_traffics):
            self.named_traffics.append(traffic)
        self._traffic_numbers[id(traffic)] = number
        return number

    def _remote_number(self, peers: tuple[Peer, ...], meaning: _Meaning) -> int:
        first = peers[0] if len(peers) == 1 else None
        key: object = peers
        if isinstance(first, Addresses):
            key = first.addresses
        elif isinstance(first, GroupRef) and not first.stale:
            key = first.group
        if names_everyone(peers):
            meaning = _PLAIN
        number = self._remote_numbers.get((key, meaning))
        if number is None:
            number = self._remote_numbers[key, meaning] = len(self.remotes)
            self.remotes.append(self._remote(peers, meaning))
        return number

    def _remote(self, peers: tuple[Peer, ...], meaning: _Meaning) -> Remote:
        groups = tuple(peer.group for peer in peers if isinstance(peer, GroupRef) and not peer.stale)
        return Remote(*outside_addresses(peers, self.estate), groups, *meaning)

    def judgements(self, interface: Interface, direction: Direction) -> tuple[Judgement, ...]:
        """Return how each stage judges an interface, without the stages that let everything through."""
        place = (interface.network, interface.subnet, interface.attached, interface.attached_unread, interface.is_pod)
        own = self.estate.chosen_by_labels.get(interface.id)
        alike = (direction, interface.provider, interface.scope, interface.region, *place, own)
        key = (*alike, *self._near_ends(alike, interface, direction))
        known = self._judgements.get(key)
        if known is None:
            pipeline = pipeline_of(interface, self.estate)
            stages = () if pipeline is None else pipeline.met_by(interface, direction)
            each = (self._judgement(stage, direction, interface) for stage in stages)
            known = self._judgements[key] = tuple(judgement for judgement in each if judgement is not None)
        return known

    def _near_ends(self, alike: tuple[object, ...], interface: Interface, direction: Direction) -> tuple[Hashable, ...]:
        """Return what the near ends of the lists that judge an interface see of it."""
        narrow = self._narrow.get(alike)
        if narrow is None:
            narrow = self._narrow[alike] = tuple(self._narrowing(interface, direction))
        return tuple([self._near.place(rule_set, interface) for rule_set in narrow])

    def near_ends(self, interface: Interface) -> Hashable:
        """Return what near ends see of an interface, in both directions: what differs in it is told apart by rules."""
        if not self._narrowed:
            return None
        place = (interface.network, interface.subnet, interface.attached, interface.attached_unread, interface.is_pod)
        own = self.estate.chosen_by_labels.get(interface.id)
        found: list[Hashable] = []
        for direction in _DIRECTIONS:
            alike = (direction, interface.provider, interface.scope, interface.region, *place, own)
            found += self._near_ends(alike, interface, direction)
        return tuple(found)

    @cached_property
    def _narrowed(self) -> bool:
        return any(self._near.narrows(rule_set) for rule_set in self.estate.rule_sets.values())

    def _narrowing(self, interface: Interface, direction: Direction) -> Iterator[RuleSet]:
        """Yield the lists that judge an interface and have rules whose near end may tell it from its neighbours."""
        pipeline = pipeline_of(interface, self.estate)
        for stage in () if pipeline is None else pipeline.met_by(interface, direction):
            for judge in self.estate.judging(interface, stage.name, direction):
                if self._near.narrows(judge):
                    yield judge

    def _judgement(self, stage: Stage, direction: Direction, interface: Interface) -> Judgement | None:
        judges = self.estate.judging(interface, stage.name, direction)
        missing = stage.at == "interface" and carries_unread(interface, self.estate)
        unread = missing or not (judges or stage_was_read(stage, interface, self.estate))
        if not judges and not unread:
            return None
        if not stage.stateful:
            lists = tuple(judge.id for judge in judges)
            if not unread and self.boxes(stage, direction, judges).lower == _EVERYTHING:
                return None
            return Judgement(stage, direction, lists=lists, unread=unread)
        if stage.match == "any":
            contents = {self._content_of(judge, stage, direction, interface) for judge in judges}
            return Judgement(stage, direction, contents=tuple(sorted(contents)), unread=unread)
        # What an interface carries tells it apart from many that the same rules concern.
        concerned = tuple([(judge.id, self._near.place(judge, interface)) for judge in judges])
        key = (stage.name, direction, concerned, _meaning(stage, interface), unread)
        known = self._by_order.get(key)
        if known is None:
            items = tuple(self._ordered(judges, stage, direction, interface))
            known = self._by_order[key] = Judgement(stage, direction, items=items, unread=unread)
        return known

    def _content_of(self, rule_set: RuleSet, stage: Stage, direction: Direction, interface: Interface) -> int:
        """Return the number of what a list holds for an interface in a direction."""
        meaning = _meaning(stage, interface)
        if self._near.narrows(rule_set):
            return self._content(self._numbers(self._near.of(rule_set, interface), direction, meaning))
        key = (rule_set.id, direction, meaning)
        known = self._of_list.get(key)
        if known is None:
            known = self._of_list[key] = self._content(self._numbers(rule_set.rules, direction, meaning))
        return known

    def _content(self, items: Iterable[int]) -> int:
        held = frozenset(items)
        known = self._content_numbers.get(held)
        if known is None:
            known = self._content_numbers[held] = len(self.contents)
            self.contents.append(held)
        return known

    def _ordered(
        self, judges: Sequence[RuleSet], stage: Stage, direction: Direction, interface: Interface
    ) -> Iterator[int]:
        rules = [rule for judge in judges for rule in self._near.of(judge, interface) if rule.direction == direction]
        rules.sort(key=lambda rule: (rule.priority or 0, rule.allows))
        return self._numbers(rules, direction, _meaning(stage, interface))

    def boxes(self, stage: Stage, direction: Direction, judges: Sequence[RuleSet]) -> Bounds:
        """Return the packets of one direction that a stateless stage lets through, by remote address."""
        key = (stage.name, direction, tuple(judge.id for judge in judges))
        known = self._boxes.get(key)
        if known is None:
            known = pass_stage(stage, judges, direction, _EVERYTHING, self.estate)
            if _is_everything(known.lower):
                known = Bounds(_EVERYTHING, _EVERYTHING)
            self._boxes[key] = known
        return known

    def boxes_of(self, judgement: Judgement) -> Bounds:
        """Return the boxes of a judgement of a stateless stage."""
        return self._boxes.get((judgement.stage.name, judgement.direction, judgement.lists), Bounds((), _EVERYTHING))

    def traffics(self) -> Iterator[Traffic]:
        """Yield every traffic that a list names."""
        yield from self.named_traffics
        yield TRANSLATED
        yield from {interface.lent_carries for interface in self.estate.interfaces.values()}
        if any(not judgement.stage.stateful for judged in self._judgements.values() for judgement in judged):
            yield from reply_traffic()
        for bounds in self._boxes.values():
            yield from {box.traffic for boxes in bounds for box in boxes}

    def addresses(self) -> Iterator[AddressSet]:
        """Yield every set of addresses that a list names."""
        for remote in self.remotes:
            yield remote.least
            yield remote.most
        for bounds in self._boxes.values():
            yield from {box.addresses for boxes in bounds for box in boxes}
        exits = (interface.exit for interface in self.estate.interfaces.values())
        yield from {exit_.within for exit_ in exits if exit_ is not None}

    @cached_property
    def groups(self) -> frozenset[str]:
        """Every group that a rule names."""
        return frozenset(group for remote in self.remotes for group in remote.groups)


def _is_everything(boxes: Sequence[Box]) -> bool:
    left = [Box(ALL_ADDRESSES, ALL_TRAFFIC)]
    for box in boxes:
        rest: list[Box] = []
        for part in left:
            if not part.addresses.overlaps(box.addresses):
                rest.append(part)
                continue
            if outside := part.addresses - box.addresses:
                rest.append(Box(outside, part.traffic))
            if other := part.traffic - box.traffic:
                rest.append(Box(part.addresses & box.addresses, other))
        left = rest
        if len(left) > _MANY:
            return False
    return not left


_MANY = 64
