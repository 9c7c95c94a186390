"""One pass over an estate's lists: what their rules name, and which lists judge which interfaces.

What is found here decides where traffic and addresses are cut; after that the same items become rows of masks.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.model import Addresses, GroupRef
from cloudseg.reach.packets import Bounds, Box, names_everyone, outside_addresses, pass_stage
from cloudseg.reach.pairs.replies import TRANSLATED, reply_traffic
from cloudseg.reach.passage import carries_unread, stage_was_read
from cloudseg.traffic import ALL_ADDRESSES, ALL_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

    from cloudseg.model import Direction, Estate, Interface, Peer, RangeMeaning, Rule, RuleSet, Stage, Verdict
    from cloudseg.reach.lists_met import ListsMet, Meeting
    from cloudseg.reach.near_ends import NearEnds
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["NO_JUDGEMENTS", "Family", "Item", "Judged", "Judgement", "Remote", "Survey", "Treatment"]

_EVERYTHING = (Box(ALL_ADDRESSES, ALL_TRAFFIC),)
NO_JUDGEMENTS: Final = 0
"""The kind and the edge of what no stage judges."""
_rank = attrgetter("rank")
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


class Judged(NamedTuple):
    """How the stages of one direction judge an interface, without those that let everything through.

    Attributes:
        judgements: how each of them does, in the order in which a packet meets them.
        stateful: those of the stateful stages.
        stateless: those of the others.
        kind: a number that is the same exactly where the stateful ones are.
        edge: a number that is the same exactly where the stateless ones are.
    """

    judgements: tuple[Judgement, ...]
    stateful: tuple[Judgement, ...]
    stateless: tuple[Judgement, ...]
    kind: int
    edge: int


class Treatment(NamedTuple):
    """How lists treat an interface: one value for all that nothing tells apart at which any list may look.

    Attributes:
        number: a number of its own.
        ingress: how what comes to the interface is judged.
        egress: how what it sends is judged.
    """

    number: int
    ingress: Judged
    egress: Judged

    def of(self, direction: Direction) -> Judged:
        """Return how packets of a direction are judged."""
        return self.ingress if direction == "ingress" else self.egress


class Family(NamedTuple):
    """Ordered lists that are one to people: rules for single machines make another one of it for these.

    Attributes:
        number: a number of its own.
        lists: the numbers of the items of each, in the order of evaluation.
    """

    number: int
    lists: list[tuple[int, ...]]


class _Placed(NamedTuple):
    """The item of a rule of an ordered list; those of lower rank come first: by priority, and denials before others."""

    rank: int
    number: int


class _Asked(NamedTuple):
    """An interface of which is asked how lists treat it.

    Attributes:
        interface: the interface.
        near: what the near ends of lists see of it, by the lists whose rules may tell it from its neighbours.
        carries_unread: it carries identities whose rules were not read, or may.
        alike: interfaces of which it is the same differ in what near ends see of them alone.
    """

    interface: Interface
    near: Mapping[str, Hashable]
    carries_unread: bool
    alike: Hashable


class Survey:
    """What the lists of an estate name.

    Args:
        estate: the estate.
        met: which lists judge its interfaces.
        near: which rules of these concern whom.

    Attributes:
        estate: the estate.
        met: which lists judge its interfaces.
        near: which rules of these concern whom.
        remotes: the other ends of all rules.
        items: what rules contribute.
        contents: the items of lists, by number; lists of the same items share one.
        named_traffics: the traffic that items name.
    """

    def __init__(self, estate: Estate, met: ListsMet, near: NearEnds) -> None:
        self.estate = estate
        self.met = met
        self.near = near
        self.remotes: list[Remote] = []
        self.items: list[Item] = []
        self._remote_numbers: dict[tuple[object, _Meaning], int] = {}
        self._item_numbers: dict[tuple[int, int, Verdict, bool], int] = {}
        self.named_traffics: list[Traffic] = []
        self._known_traffics: dict[Traffic, int] = {}
        self._traffic_numbers: dict[int, int] = {}
        self._numbers_by_remote: defaultdict[_Meaning, dict[int, int]] = defaultdict(dict)
        self._boxes: dict[tuple[str, Direction, tuple[str, ...]], Bounds] = {}
        self._by_interface: dict[str, Treatment] = {}
        self._treatments: dict[tuple[object, ...], Treatment] = {}
        self._known_judged: dict[tuple[Judgement, ...], Judged] = {}
        self._kinds: dict[tuple[Judgement, ...], int] = {(): NO_JUDGEMENTS}
        self._edges: dict[tuple[Judgement, ...], int] = {(): NO_JUDGEMENTS}
        self._stateless: dict[tuple[str, Direction, tuple[str, ...], bool], Judgement | None] = {}
        self._by_order: dict[tuple[object, ...], Judgement] = {}
        self._families: dict[tuple[object, ...], Family] = {}
        self._family_of: dict[tuple[int, ...], Family] = {}
        self._judgements: dict[tuple[Hashable, Direction, str], Judgement | None] = {}
        self._placed: defaultdict[_Meaning, dict[int, _Placed]] = defaultdict(dict)
        self.contents: list[frozenset[int]] = []
        self._content_numbers: dict[frozenset[int], int] = {}
        self._of_list: dict[tuple[str, Direction, _Meaning], int] = {}

    def _numbers(self, rules: Sequence[Rule], direction: Direction, meaning: _Meaning) -> list[int]:
        """Return the numbers of rules' items."""
        # A hundred thousand rules come by here, so that equal items are told by numbers and not by what they hold.
        # What a rule holds lives as long as the survey, so that no other object can have its identity.
        found: list[int] = []
        numbers, by_remote, by_traffic = self._item_numbers, self._numbers_by_remote[meaning], self._traffic_numbers
        for rule in rules:
            if rule.direction != direction:
                continue
            certain = rule.exact and rule.source_ports is None
            traffic = by_traffic.get(id(rule.traffic))
            if traffic is None:
                traffic = by_traffic[id(rule.traffic)] = self._traffic_number(rule.traffic)
            remote = by_remote.get(id(rule.remote))
            if remote is None:
                remote = by_remote[id(rule.remote)] = self._remote_number(rule.remote, meaning)
            key = (remote, traffic, rule.verdict, certain)
            number = numbers.get(key)
            if number is None:
                number = numbers[key] = len(self.items)
                self.items.append(Item(remote, self.named_traffics[traffic], rule.verdict, certain))
            found.append(number)
        return found

    def _traffic_number(self, traffic: Traffic) -> int:
        number = self._known_traffics.setdefault(traffic, len(self._known_traffics))
        if number == len(self.named_traffics):
            self.named_traffics.append(traffic)
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
        return self.treatment(interface).of(direction).judgements

    def treatment(self, interface: Interface) -> Treatment:
        """Return how lists treat an interface."""
        # One that only stands for others in a question may bear the id of one of the estate's.
        own = self.estate.interfaces.get(interface.id) is interface
        known = self._by_interface.get(interface.id) if own else None
        if known is None:
            known = self._treatment(interface)
            if own:
                self._by_interface[interface.id] = known
        return known

    def _treatment(self, interface: Interface) -> Treatment:
        met = self.met.by(interface)
        # Interfaces alike differ in what the near ends of rules see of them.
        near = {
            judge.id: self.near.place(judge, interface)
            for meeting in chain(met.ingress, met.egress)
            for judge in meeting.narrowing
            if interface.is_pod or not meeting.stage.pods_only
        }
        # Rules name the groups that it carries at their far ends, too.
        key = (
            interface.provider,
            interface.scope,
            interface.region,
            interface.network,
            interface.subnet,
            interface.attached,
            interface.attached_unread,
            interface.is_pod,
            self.estate.chosen_by_labels.get(interface.id),
            *near.values(),
        )
        known = self._treatments.get(key)
        if known is None:
            unread = carries_unread(interface, self.estate)
            place = (interface.scope, interface.region, interface.is_pod)
            asked = _Asked(interface, near, unread, (met.number, *place, unread))
            each = [self._judged(met.of(direction), direction, asked) for direction in _DIRECTIONS]
            known = self._treatments[key] = Treatment(len(self._treatments), *each)
        return known

    def _judged(self, met: Iterable[Meeting], direction: Direction, asked: _Asked) -> Judged:
        every = [
            self._judgement_at(meeting, direction, asked)
            for meeting in met
            if asked.interface.is_pod or not meeting.stage.pods_only
        ]
        judgements = tuple([judgement for judgement in every if judgement is not None])
        known = self._known_judged.get(judgements)
        if known is None:
            stateful = tuple([judgement for judgement in judgements if judgement.stage.stateful])
            stateless = tuple([judgement for judgement in judgements if not judgement.stage.stateful])
            kind = self._kinds.setdefault(stateful, len(self._kinds))
            edge = self._edges.setdefault(stateless, len(self._edges))
            known = self._known_judged[judgements] = Judged(judgements, stateful, stateless, kind, edge)
        return known

    def _judgement_at(self, meeting: Meeting, direction: Direction, asked: _Asked) -> Judgement | None:
        if meeting.narrowing:
            return self._judgement(meeting.stage, meeting.judges, direction, asked)
        # Where no near end tells interfaces apart, thousands are judged alike.
        key = (asked.alike, direction, meeting.stage.name)
        if key not in self._judgements:
            self._judgements[key] = self._judgement(meeting.stage, meeting.judges, direction, asked)
        return self._judgements[key]

    def _judgement(
        self, stage: Stage, judges: Sequence[RuleSet], direction: Direction, asked: _Asked
    ) -> Judgement | None:
        interface, near = asked.interface, asked.near
        unread = asked.carries_unread and stage.at == "interface"
        unread = unread or not (judges or stage_was_read(stage, interface, self.estate))
        if not judges and not unread:
            return None
        if not stage.stateful:
            return self._by_boxes(stage, direction, judges, unread=unread)
        meaning = _meaning(stage, interface)
        if stage.match == "any":
            contents = {self._content_of(judge, direction, meaning, asked) for judge in judges}
            return Judgement(stage, direction, contents=tuple(sorted(contents)), unread=unread)
        # What an interface carries tells it apart from many that the same rules concern.
        concerned = tuple([(judge.id, near.get(judge.id)) for judge in judges])
        key = (stage.name, direction, concerned, meaning, unread)
        known = self._by_order.get(key)
        if known is None:
            each = [self.near.at(judge, near.get(judge.id), interface, meaning.ranges) for judge in judges]
            items = tuple(self._ordered(chain.from_iterable(each), direction, meaning))
            known = self._by_order[key] = Judgement(stage, direction, items=items, unread=unread)
            alike = (stage.name, direction, tuple([judge.id for judge in judges]), meaning)
            family = self._families.setdefault(alike, Family(len(self._families), []))
            family.lists.append(items)
            self._family_of.setdefault(items, family)
        return known

    def _by_boxes(
        self, stage: Stage, direction: Direction, judges: Sequence[RuleSet], *, unread: bool
    ) -> Judgement | None:
        """Return how a stateless stage judges; None where it lets everything through."""
        key = (stage.name, direction, tuple([judge.id for judge in judges]), unread)
        if key not in self._stateless:
            # Whole subnets stand behind the same list.
            open_ = not unread and self.boxes(stage, direction, judges).lower == _EVERYTHING
            self._stateless[key] = None if open_ else Judgement(stage, direction, lists=key[2], unread=unread)
        return self._stateless[key]

    def family(self, judgement: Judgement) -> Family:
        """Return the ordered lists that mostly hold the same as those of a judgement."""
        return self._family_of[judgement.items]

    def _content_of(self, rule_set: RuleSet, direction: Direction, meaning: _Meaning, asked: _Asked) -> int:
        """Return the number of what a list holds for an interface in a direction."""
        if rule_set.id in asked.near:
            rules = self.near.at(rule_set, asked.near[rule_set.id], asked.interface, meaning.ranges)
            return self._content(self._numbers(rules, direction, meaning))
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

    def _ordered(self, rules: Iterable[Rule], direction: Direction, meaning: _Meaning) -> list[int]:
        """Return the numbers of rules' items, in the order of evaluation."""
        # Thousands of lists choose from the same rules, which live as long as the survey, those worked out included.
        known = self._placed[meaning]
        chosen = [rule for rule in rules if rule.direction == direction]
        missing = [rule for rule in chosen if id(rule) not in known]
        for rule, number in zip(missing, self._numbers(missing, direction, meaning), strict=True):
            known[id(rule)] = _Placed(2 * (rule.priority or 0) + rule.allows, number)
        # Of one rank the one that stands before comes first.
        return [placed.number for placed in sorted([known[id(rule)] for rule in chosen], key=_rank)]

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
        lent = {(each.lent_carries, each.lent_aside) for each in self.estate.interfaces.values()}
        yield from {traffic for pair in lent for traffic in pair}
        if any(judged.stateless for judged in self._known_judged.values()):
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
