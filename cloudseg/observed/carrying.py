"""Which rules carry a connection at one of its ends, surely or at most, by the evaluation that explains paths.

A rule that is not named here carries nothing of it. In doubt a rule is named: where a rule may match, both it and the
rules behind it are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.model import ANYONE
from cloudseg.observed.anywhere import Anywhere
from cloudseg.observed.judging import Carried, Judgement, Met, Place, Setting, Step
from cloudseg.observed.narrowing import Narrowed, RulesByTraffic
from cloudseg.observed.rule_keys import RuleKey
from cloudseg.reach.explaining.answers import answers_to
from cloudseg.reach.explaining.rules import Judged, Lists, Other, judge
from cloudseg.reach.passage import carries_unread, pipeline_of
from cloudseg.traffic import NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from cloudseg.model import Direction, Estate, Interface, Stage
    from cloudseg.observed.judging import Kind
    from cloudseg.observed.narrowing import Across
    from cloudseg.traffic import Traffic

__all__ = ["Carriers"]

_OPPOSITE: Final[dict[Direction, Direction]] = {"ingress": "egress", "egress": "ingress"}


class Carriers:
    """Says which rules carry connections.

    Args:
        estate: the estate.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._narrowed: dict[Hashable, Narrowed] = {}
        self._known: dict[Hashable, dict[Hashable, Judgement]] = {}
        self._by_traffic = RulesByTraffic(estate)
        self._settings: dict[tuple[Hashable, Direction], Setting] = {}
        self._met: dict[Hashable, Met] = {}
        self._anywhere = Anywhere(estate)

    def at(
        self, interface: Interface, direction: Direction, other: Other, traffic: Traffic, alike: tuple[Kind, Hashable]
    ) -> Carried:
        """Return what carries a connection at an interface.

        Args:
            interface: the interface.
            direction: of the request, seen from it.
            other: the other end; with any groups where it is not known who it is.
            traffic: what the connection carries.
            alike: what is equal for traffic that no rule tells apart, and for interfaces that none does.
        """
        return self._through(self.met(interface, direction, traffic, alike), other)

    def across(self, met: Met, across: Across) -> Carried:
        """Return the same for an end of which is known what rules see of it.

        Args:
            met: what packets meet.
            across: the other end.
        """
        key: list[Hashable] = [each.narrowed.sees(across) for each in (*met.requests, *met.answers)]
        key.append(across.subnet == met.subnet)
        asked = tuple(key)
        known = met.known.get(asked)
        if known is None:
            known = met.known[asked] = self._through(met, across.other)
        return known

    def _through(self, met: Met, other: Other) -> Carried:
        rules, replies = list[frozenset[RuleKey]](), list[frozenset[RuleKey]]()
        accepted, part, passes = False, 0, True
        # Something may have been accepted for good, whatever the lists behind it say; what earlier parts let through.
        settled, before = False, True
        beside = other.interface is not None and other.interface.subnet == met.subnet is not None
        for step in met.requests:
            stage = step.lists.stage
            if stage.part > part:
                # What was accepted for good before meets the stages of the next part all the same.
                before = before and (passes or settled)
                accepted, settled, passes, part = False, False, True, stage.part
            if (stage.stateful and accepted) or (stage.at == "subnet-boundary" and beside):
                continue
            found = self._judged(step, other)
            rules.append(found.rules)
            passes = passes and found.passes
            settled = settled or (stage.stateful and passes and found.settles)
            accepted = accepted or (stage.stateful and found.accepted)
        for step in met.answers:
            if not (step.lists.stage.at == "subnet-boundary" and beside):
                replies.append(self._judged(step, other).rules)
        return Carried(_NO_RULES.union(*rules), _NO_RULES.union(*replies), before and (passes or settled))

    def met(self, interface: Interface, direction: Direction, traffic: Traffic, alike: tuple[Kind, Hashable]) -> Met:
        """Return what connections of a kind meet at an interface: their requests, and their answers.

        Args:
            interface: the interface.
            direction: of the request, seen from it.
            traffic: what the connections carry.
            alike: as for :meth:`at`.
        """
        kind, standing = alike
        setting = self._setting(interface, direction, standing)
        known = self._met.get((setting.key, kind))
        if known is None:
            answers = answers_to(traffic) if setting.answers else NO_TRAFFIC
            # Answers go to ports of the client's choice, whatever was asked for.
            back = ("back", kind[0])
            known = self._met[setting.key, kind] = Met(
                tuple([self._step(each, traffic, kind) for each in setting.requests]),
                tuple([self._step(each, answers, back) for each in setting.answers if answers]),
                setting.subnet,
                {},
            )
        return known

    def _setting(self, interface: Interface, direction: Direction, standing: Hashable) -> Setting:
        """Return which lists requests meet at an interface, and their answers where lists keep no state."""
        known = self._settings.get((standing, direction))
        if known is None:
            pipeline = pipeline_of(interface, self._estate)
            back = _OPPOSITE[direction]
            there = () if pipeline is None else pipeline.met_by(interface, direction)
            returning = () if pipeline is None else pipeline.met_by(interface, back)
            requests = [self._place(each, interface, direction, standing) for each in there]
            answers = [self._place(each, interface, back, standing) for each in returning if not each.stateful]
            # Stages without lists stop nothing.
            judged = tuple(tuple([each for each in part if each.judges]) for part in (requests, answers))
            # Where no list stands at the boundary of subnets, it does not matter in which one the other end is.
            bounded = any(each.stage.at == "subnet-boundary" for part in judged for each in part)
            subnet = interface.subnet if bounded else None
            key = (direction, subnet, tuple([tuple([each.key for each in part]) for part in judged]))
            known = self._settings[standing, direction] = Setting(key, judged[0], judged[1], subnet)
        return known

    def _place(self, stage: Stage, interface: Interface, direction: Direction, standing: Hashable) -> Place:
        judges = self._estate.judging(interface, stage.name, direction)
        own = any(rule.local != ANYONE for judge in judges for rule in judge.rules)
        near = standing if own else (interface.is_pod, interface.scope if interface.is_pod else "")
        unread = stage.at == "interface" and carries_unread(interface, self._estate)
        names = tuple([judge.id for judge in judges])
        return Place(
            stage, interface, direction, judges, standing, unread, (names, stage.name, direction, near, unread)
        )

    def _step(self, place: Place, traffic: Traffic, kind: Hashable) -> Step:
        chosen = (*place.key[:3], kind)
        narrowed = self._narrowed.get(chosen)
        if narrowed is None:
            lists = [self._by_traffic.narrowed(each, place.direction, traffic, kind) for each in place.judges]
            narrowed = self._narrowed[chosen] = Narrowed(tuple(lists), self._estate)
        near = narrowed.near(place.interface, place.standing)
        answers = self._known.setdefault((chosen, near, place.unread), {})
        stage = Lists(place.stage, place.direction, narrowed.judges, place.interface)
        return Step(stage, narrowed, traffic, place.unread, answers)

    def anywhere(
        self, place: tuple[str, str], direction: Direction, other: Other, traffic: Traffic, kind: Kind
    ) -> Carried:
        """Return what may carry a connection at somebody of whom not more is known than the network.

        Args:
            place: qualified id of the network, empty where not even that is known, and its provider.
            direction: of the request, seen from the end.
            other: the other end.
            traffic: what the connection carries.
            kind: what is equal for traffic that no rule tells apart.
        """
        rules = self._anywhere.rules(place, direction, other, traffic, kind)
        back = ("back", kind[0])
        return Carried(rules, self._anywhere.rules(place, _OPPOSITE[direction], other, answers_to(traffic), back))

    def admitting(
        self, place: tuple[str, str], direction: Direction, other: Other, traffic: Traffic, kind: Kind
    ) -> frozenset[RuleKey]:
        """Return of the same the rules that let the request through."""
        return self._anywhere.rules(place, direction, other, traffic, kind)

    def _judged(self, step: Step, other: Other) -> Judgement:
        """Return what the lists of a stage do with packets."""
        far = step.narrowed.far(other)
        known = step.answers.get(far)
        if known is None:
            known = self._judge(step.lists, step.narrowed, other, step.traffic)
            if step.unread:
                rules = known.rules | self._perhaps(step, other)
                known = Judgement(rules, passes=True, accepted=False, settles=known.settles)
            step.answers[far] = known
        return known

    def _perhaps(self, step: Step, other: Other) -> frozenset[RuleKey]:
        """Return the rules of a stage that may carry packets, of lists that nobody read to judge the interface."""
        own, stage = step.lists.interface, step.lists.stage.name
        known = judge(step.lists, other, step.traffic, self._estate)
        if step.traffic <= known.lower | known.accepted_lower:
            # Lists that judge it for sure let all of it through, whatever others do.
            return _NO_RULES
        place = (own.network or "", own.provider)
        found = self._anywhere.rules(place, step.lists.direction, other, step.traffic, step.traffic)
        return frozenset(key for key in found if self._estate.rule_sets[key.rule_set].stage == stage)

    def _judge(self, lists: Lists, narrowed: Narrowed, other: Other, traffic: Traffic) -> Judgement:
        if lists.stage.match == "any" and lists.stage.miss == "deny" and not narrowed.may_match(other):
            return Judgement(_NO_RULES, passes=False, accepted=not traffic)
        found: set[RuleKey] = set()
        upper, accepted, settled = NO_TRAFFIC, traffic, NO_TRAFFIC
        for seen in _ways(lists, narrowed, other):
            for judged in _again(lists, seen, traffic, self._estate):
                found |= {RuleKey(hit.rule_set.id, lists.direction, hit.rule.id) for hit in judged.admitting}
                upper |= judged.upper | judged.accepted_upper
                accepted &= judged.accepted_lower
                settled |= judged.accepted_upper
        return Judgement(frozenset(found), passes=bool(upper), accepted=traffic <= accepted, settles=bool(settled))


_NO_RULES: Final[frozenset[RuleKey]] = frozenset()


def _ways(lists: Lists, narrowed: Narrowed, other: Other) -> Iterator[Other]:
    """Yield the other end as rules see it: where the first match decides, both as a member of its groups and not.

    Whether groups hold on the way packets took is not looked at here.
    """
    if not lists.stage.stateful:
        yield other._replace(grouped=False, groups=frozenset())
        return
    named = other._replace(groups=narrowed.named(other)) if other.groups else other
    yield named
    if lists.stage.match == "first" and named.interface is not None and narrowed.groups:
        yield named._replace(grouped=False)


def _again(lists: Lists, other: Other, traffic: Traffic, estate: Estate) -> Iterator[Judged]:
    """Yield what lists do, then what they do without the rules that only may have matched, until all are sure."""
    left = lists
    while True:
        judged = judge(left, other, traffic, estate)
        yield judged
        doubtful = {hit.key for hit in judged.admitting if not hit.sure}
        if not doubtful or left.stage.match == "any":
            return
        judges = tuple(
            msgspec.structs.replace(own, rules=tuple(rule for rule in own.rules if (own.id, rule.id) not in doubtful))
            for own in left.judges
        )
        left = left._replace(judges=judges)
