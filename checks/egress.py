"""What interfaces may send to the internet: everything in effect, to most of a part of it, or less."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.checks.breadth import INTERNET, Part, admitted, is_most, open_addresses, significant
from cloudseg.checks.ways_out import WaysOut
from cloudseg.model import RuleSet, Stage
from cloudseg.reach.leaving import leaves
from cloudseg.reach.packets import Bounds, Box, Passed, replied, split_by_stage
from cloudseg.reach.passage import carries_unread, stage_was_read
from cloudseg.traffic import ALL_TRAFFIC, NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Hashable

    from cloudseg.model import Interface, Network
    from cloudseg.reach.internet import InternetView

__all__ = ["Egress", "Sender"]


class _Open(NamedTuple):
    """The internet addresses to which everything in effect may be sent: for sure, and at most."""

    surely: AddressSet
    at_most: AddressSet


class Sender(NamedTuple):
    """An interface that may send anything to most of the internet.

    Attributes:
        interface: the interface.
        certain: nothing unknown decides.
        ways: the ways out, in words.
        groups: the rule sets that open it by themselves.
    """

    interface: Interface
    certain: bool
    ways: tuple[str, ...]
    groups: tuple[RuleSet, ...]


class _Sent(NamedTuple):
    """What interfaces alike may send: whether for sure, by which ways, and to most of which parts of the internet."""

    certain: bool
    ways: tuple[str, ...]
    parts: tuple[Part, ...]


class _Sender(NamedTuple):
    """What interfaces alike may send, and the rule sets that open it by themselves."""

    sent: _Sent
    opening: tuple[RuleSet, ...]


_Judged = Sequence[tuple[Stage, tuple[RuleSet, ...]]]


class _Judging(NamedTuple):
    """The lists that judge what interfaces send, stage by stage, and those that near ends of their rules narrow."""

    judged: _Judged
    narrowing: tuple[RuleSet, ...]


_ANYWHERE: Final = INTERNET[4] | INTERNET[6] | INTERNET["nat64"]


class Egress:
    """Works out what interfaces may send; answers are kept for lists that admit the same, and for interfaces alike.

    Args:
        view: the internet's view of the estate.
    """

    def __init__(self, view: InternetView) -> None:
        self._estate = estate = view.estate
        self._ways = WaysOut(estate)
        self._by_list: dict[int, int] = {}
        self._contents: dict[tuple[Bounds, ...], int] = {}
        self._significant: dict[tuple[int, Part], Bounds] = {}
        self._passed: dict[tuple[str, object, Part], _Open] = {}
        self._opened: dict[int, frozenset[Part]] = {}
        self._met, self._near_ends = view.met, view.near
        self._judging: dict[tuple[int, str], _Judging] = {}
        self._senders: dict[tuple[object, ...], _Sender | None] = {}
        self._narrowed: dict[tuple[str, Hashable], RuleSet] = {}
        self._sent: dict[tuple[object, ...], _Sent | None] = {}

    def sender(self, interface: Interface, network: Network) -> Sender | None:
        """Return what an interface may send; None where it is less than everything to most of the internet."""
        met = self._met.by(interface).number
        lists = self._judging.get((met, network.pipeline))
        if lists is None:
            lists = self._judging[met, network.pipeline] = self._judging_by(interface, network)
        # Whom the same lists judge of which no near end tells them apart may send the same.
        alike = (
            met,
            network.pipeline,
            tuple([self._near_ends.place(judge, interface) for judge in lists.narrowing]),
            self._groups_known(interface),
            (bool(interface.addresses.v4), bool(interface.addresses.v6)),
            leaves(interface, 4, self._estate),
            leaves(interface, 6, self._estate),
        )
        if alike not in self._senders:
            judged = [
                (stage, tuple([self._near(judge, interface) for judge in judges])) for stage, judges in lists.judged
            ]
            # What lists name apart mostly admits the same.
            same = tuple([self._alike(stage, judges) for stage, judges in judged])
            key = (network.pipeline, interface.subnet, same, *alike[3:])
            if key not in self._sent:
                self._sent[key] = self._work_out(interface, judged)
            sent = self._sent[key]
            self._senders[alike] = None if sent is None else _Sender(sent, self._opening(judged, sent.parts))
        found = self._senders[alike]
        return None if found is None else Sender(interface, found.sent.certain, found.sent.ways, found.opening)

    def _judging_by(self, interface: Interface, network: Network) -> _Judging:
        pipeline = self._estate.pipelines.get(network.pipeline)
        stages = () if pipeline is None else pipeline.egress
        judged = tuple((stage, self._estate.judging(interface, stage.name, "egress")) for stage in stages)
        return _Judging(
            judged, tuple(judge for _, judges in judged for judge in judges if self._near_ends.narrows(judge))
        )

    def _work_out(self, interface: Interface, judged: _Judged) -> _Sent | None:
        found: dict[Part, tuple[bool, tuple[str, ...]]] = {
            part: verdict for part in INTERNET if (verdict := self._to(part, interface, judged)) is not None
        }
        if not found:
            return None
        ways = tuple(dict.fromkeys(text for _, texts in found.values() for text in texts))
        return _Sent(any(sure for sure, _ in found.values()), ways, tuple(found))

    def _to(self, part: Part, interface: Interface, judged: _Judged) -> tuple[bool, tuple[str, ...]] | None:
        """Return whether everything surely gets to most of a part of the internet, and the ways; None if it cannot."""
        # An interface of which no address was read may well have one of IPv4.
        four, six = bool(interface.addresses.v4), bool(interface.addresses.v6)
        if (six and not four) if part == 4 else not six:
            return None
        ways = self._ways.of(interface, part)
        if not ways:
            return None
        surely = at_most = INTERNET[part]
        if _accepts_early(judged):
            surely, at_most = (self._in_turn(interface, judged, part, certain=sure) for sure in (True, False))
            judged = ()
        for stage, judges in judged:
            passed = self._through(stage, judges, part)
            if stage.at == "subnet-boundary":
                passed = passed if judges else passed._replace(surely=NO_ADDRESSES)
            elif not self._groups_known(interface):
                # A group that was not read may open everything.
                passed = _Open(passed.surely if judges else NO_ADDRESSES, INTERNET[part])
            surely, at_most = surely & passed.surely, at_most & passed.at_most
        led = sure_led = NO_ADDRESSES
        for way in ways:
            led |= way.addresses
            sure_led |= way.addresses if way.certain else NO_ADDRESSES
        if not is_most(at_most & led, part):
            return None
        return is_most(surely & sure_led, part), tuple(dict.fromkeys(way.text for way in ways))

    def _in_turn(self, interface: Interface, judged: _Judged, part: Part, *, certain: bool) -> AddressSet:
        """Return to which addresses everything gets through lists of which one may accept for good before others deny.

        A list that was not read may deny, or accept for good, whatever gets to it.
        """
        internet = INTERNET[part]
        boxes: tuple[Box, ...] = (Box(internet, ALL_TRAFFIC),)
        accepted: tuple[Box, ...] = ()
        for stage, judges in judged:
            rules = [rule for judge in judges for rule in judge.rules if rule.direction == "egress"]
            passed = split_by_stage(stage, rules if judges else None, boxes, self._estate, certain=certain)
            unread = not judges and not stage_was_read(stage, interface, self._estate)
            if unread or (stage.at == "interface" and not self._groups_known(interface)):
                passed = Passed((), passed.accepted) if certain else Passed(boxes, boxes)
            boxes, accepted = passed.on, accepted + passed.accepted
        return open_addresses((*boxes, *accepted), internet)

    def _groups_known(self, interface: Interface) -> bool:
        return not carries_unread(interface, self._estate)

    def _near(self, judge: RuleSet, interface: Interface) -> RuleSet:
        """Return a list with the rules of it whose near end is an interface; the same one for interfaces alike."""
        place = self._near_ends.place(judge, interface)
        if place is None:
            return judge
        key = (judge.id, place)
        if key not in self._narrowed:
            rules = tuple(self._near_ends.of(judge, interface))
            self._narrowed[key] = msgspec.structs.replace(judge, rules=rules)
        return self._narrowed[key]

    def _alike(self, stage: Stage, judges: Sequence[RuleSet]) -> object:
        """Return what lists of a stage share that admit the same; ordered lists, and none, are told by themselves."""
        if stage.match == "first" or not judges:
            # Of a list there may be several, each with the rules for one near end.
            return tuple([id(judge) for judge in judges])
        return frozenset([self._content(stage, judge) for judge in judges])

    def _content(self, stage: Stage, judge: RuleSet) -> int:
        """Return a number that lists of allows share which admit the same to the internet, but for a few hosts."""
        known = self._by_list.get(id(judge))
        if known is None:
            bounds = admitted(stage, [judge], "egress", _ANYWHERE, self._estate)
            parts = tuple(_significant(bounds, internet) for internet in INTERNET.values())
            known = self._by_list[id(judge)] = self._contents.setdefault(parts, len(self._contents))
            for part, found in zip(INTERNET, parts, strict=True):
                self._significant[known, part] = found
        return known

    def _through(self, stage: Stage, judges: Sequence[RuleSet], part: Part, *, alone: bool = False) -> _Open:
        """Return what lists open; ``alone`` for what they open themselves, without what they leave to others."""
        alone = alone and stage.match == "first" and stage.miss == "next"
        key = (f"{stage.name}{' alone' if alone else ''}", self._alike(stage, judges), part)
        if key not in self._passed:
            internet = INTERNET[part]
            bounds = self._accepted(stage, judges, part) if alone else self._admitted(stage, judges, part)
            passed = _Open(open_addresses(bounds.lower, internet), open_addresses(bounds.upper, internet))
            if not stage.stateful:
                back = [Box(internet, ALL_TRAFFIC)]
                answered = replied(back, stage, judges, "ingress", self._estate)
                passed = _Open(
                    passed.surely & open_addresses(answered.lower, internet),
                    passed.at_most & open_addresses(answered.upper, internet),
                )
            self._passed[key] = passed
        return self._passed[key]

    def _admitted(self, stage: Stage, judges: Sequence[RuleSet], part: Part) -> Bounds:
        if stage.match == "first" or not judges:
            return admitted(stage, judges, "egress", INTERNET[part], self._estate)
        # Rules for a few hosts make no difference.
        each = [self._significant[self._content(stage, judge), part] for judge in judges]
        return Bounds(
            tuple(box for bounds in each for box in bounds.lower), tuple(box for bounds in each for box in bounds.upper)
        )

    def _accepted(self, stage: Stage, judges: Sequence[RuleSet], part: Part) -> Bounds:
        rules = [rule for judge in judges for rule in judge.rules if rule.direction == "egress"]
        everything = (Box(INTERNET[part], ALL_TRAFFIC),)
        lower, upper = (split_by_stage(stage, rules, everything, self._estate, certain=sure) for sure in (True, False))
        return Bounds(lower.accepted, upper.accepted)

    def _opening(self, judged: _Judged, parts: Sequence[Part]) -> tuple[RuleSet, ...]:
        """Return the rule sets at the interface that open everything to one of the parts by themselves."""
        return tuple(
            [
                judge
                for stage, judges in judged
                if stage.at in {"interface", "subnet"}
                for judge in judges
                if not self._opened_by(stage, judge).isdisjoint(parts)
            ]
        )

    def _opened_by(self, stage: Stage, judge: RuleSet) -> frozenset[Part]:
        """Return the parts of the internet to most of which a rule set opens everything by itself."""
        known = self._opened.get(id(judge))
        if known is None:
            known = self._opened[id(judge)] = frozenset(
                part for part in INTERNET if is_most(self._through(stage, (judge,), part, alone=True).at_most, part)
            )
        return known


def _accepts_early(judged: _Judged) -> bool:
    """Tell whether a list accepts for good what lists behind it might deny."""
    return any(
        rule.verdict == "accept" and rule.direction == "egress"
        for stage, judges in judged
        if stage.match == "first" and stage.miss == "next" and stage.at != "platform"
        for judge in judges
        for rule in judge.rules
    )


def _significant(bounds: Bounds, internet: AddressSet) -> Bounds:
    """Return what makes a difference to a part of the internet."""
    upper = significant(bounds.upper, internet)
    return Bounds(upper if bounds.lower == bounds.upper else significant(bounds.lower, internet), upper)
