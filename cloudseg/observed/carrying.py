"""Which rules carry a connection at one of its ends, surely or at most, by the evaluation that explains paths.

A rule that is not named here carries nothing of it. In doubt a rule is named: where a rule may match, both it and the
rules behind it are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import ANYONE, GroupRef, Stage
from cloudseg.observed.narrowing import Narrowed
from cloudseg.reach.explaining.answers import answers_to
from cloudseg.reach.explaining.rules import Judged, Lists, Other, judge
from cloudseg.reach.passage import carries_unread, pipeline_of
from cloudseg.traffic import NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from cloudseg.model import Direction, Estate, Interface, RuleSet
    from cloudseg.traffic import Traffic

__all__ = ["Carried", "Carriers", "Kind", "RuleKey"]

_OPPOSITE: Final[dict[Direction, Direction]] = {"ingress": "egress", "egress": "ingress"}
_AT_MOST: Final = Stage(name="at-most", at="interface", stateful=True, match="any", miss="deny")


Kind = tuple[int, int | None]
"""Protocol, and what is equal for ports that no rule tells apart."""


class RuleKey(NamedTuple):
    """A rule of a list: ids of rules need not differ between the directions of one."""

    rule_set: str
    direction: Direction
    rule: str


class Carried(NamedTuple):
    """What carries a connection at one end.

    Attributes:
        rules: the rules that let the request through, surely or at most.
        replies: the rules of stateless lists that let its answers through.
        passes: something of it passes, at most.
    """

    rules: frozenset[RuleKey] = frozenset()
    replies: frozenset[RuleKey] = frozenset()
    passes: bool = True

    def with_rules_of(self, other: Carried, *, passes: bool) -> Carried:
        """Return the rules of both, with another verdict."""
        return Carried(self.rules | other.rules, self.replies | other.replies, passes)


class Carriers:
    """Says which rules carry connections.

    Args:
        estate: the estate.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._narrowed: dict[Hashable, Narrowed] = {}
        self._known: dict[Hashable, dict[Hashable, _Judgement]] = {}
        self._met: dict[Hashable, tuple[tuple[_Step, ...], tuple[_Step, ...]]] = {}
        self._anywhere: dict[Hashable, tuple[RuleSet, ...]] = {}

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
        requests, answers = self._steps(interface, direction, traffic, alike)
        rules, replies = list[frozenset[RuleKey]](), list[frozenset[RuleKey]]()
        accepted, part, passes = False, 0, True
        # Something may have been accepted for good, whatever the lists behind it say; what earlier parts let through.
        settled, before = False, True
        beside = other.interface is not None and other.interface.subnet == interface.subnet is not None
        for step in requests:
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
        for step in answers:
            if not (step.lists.stage.at == "subnet-boundary" and beside):
                replies.append(self._judged(step, other).rules)
        return Carried(_NO_RULES.union(*rules), _NO_RULES.union(*replies), before and (passes or settled))

    def _steps(
        self, interface: Interface, direction: Direction, traffic: Traffic, alike: tuple[Kind, Hashable]
    ) -> tuple[tuple[_Step, ...], tuple[_Step, ...]]:
        """Return what requests of a kind meet at an interface, and what their answers do where lists keep no state."""
        (protocol, _), standing = alike
        known = self._met.get((alike, direction))
        if known is None:
            pipeline = pipeline_of(interface, self._estate)
            back = _OPPOSITE[direction]
            there = () if pipeline is None else pipeline.met_by(interface, direction)
            answers = answers_to(traffic)
            returning = () if pipeline is None or not answers else pipeline.met_by(interface, back)
            # Answers go to ports of the client's choice, whatever was asked for.
            known = self._met[alike, direction] = (
                tuple(self._step(_Place(each, interface, direction, standing), traffic, alike[0]) for each in there),
                tuple(
                    self._step(_Place(each, interface, back, standing), answers, ("back", protocol))
                    for each in returning
                    if not each.stateful
                ),
            )
        return known

    def _step(self, place: _Place, traffic: Traffic, kind: Hashable) -> _Step:
        stage, interface, direction, standing = place
        judges = self._estate.judging(interface, stage.name, direction)
        chosen = (tuple([judge.id for judge in judges]), stage.name, direction, kind)
        narrowed = self._narrowed.get(chosen)
        if narrowed is None:
            narrowed = self._narrowed[chosen] = Narrowed(judges, direction, traffic, self._estate)
        unread = stage.at == "interface" and carries_unread(interface, self._estate)
        lists = Lists(stage, direction, narrowed.judges, interface)
        answers = self._known.setdefault((chosen, narrowed.near(interface, standing), unread), {})
        return _Step(lists, narrowed, traffic, unread, answers)

    def anywhere(self, network: str, provider: str, direction: Direction, other: Other, traffic: Traffic) -> Carried:
        """Return what may carry a connection at somebody of whom not more is known than the network.

        Args:
            network: qualified id of the network; empty where not even that is known.
            provider: the provider of it.
            direction: of the request, seen from the end.
            other: the other end.
            traffic: what the connection carries.
        """
        requests = self._of_network(network, provider, direction, traffic)
        replies = self._of_network(network, provider, _OPPOSITE[direction], answers_to(traffic))
        stand_in = other.interface or _nobody(self._estate)
        if stand_in is None:
            return Carried()

        def admitted(lists: tuple[RuleSet, ...], way: Direction, packets: Traffic) -> frozenset[RuleKey]:
            judged = judge(Lists(_AT_MOST, way, lists, stand_in), _with_groups(other, lists), packets, self._estate)
            return frozenset(RuleKey(hit.rule_set.id, way, hit.rule.id) for hit in judged.admitting)

        return Carried(
            admitted(requests, direction, traffic), admitted(replies, _OPPOSITE[direction], answers_to(traffic))
        )

    def _of_network(self, network: str, provider: str, direction: Direction, traffic: Traffic) -> tuple[RuleSet, ...]:
        """Return the lists that may judge anybody of a network, with what of their rules may carry traffic."""
        key = (network, provider, direction, traffic)
        known = self._anywhere.get(key)
        if known is None:
            found: list[RuleSet] = []
            for _, rule_set in sorted(self._estate.rule_sets.items()):
                if network and rule_set.network not in {None, network}:
                    continue
                if not network and rule_set.provider != provider:
                    continue
                rules = tuple(
                    msgspec.structs.replace(rule, local=ANYONE)
                    for rule in rule_set.rules
                    if rule.direction == direction and rule.allows and rule.traffic.overlaps(traffic)
                )
                if rules:
                    found.append(msgspec.structs.replace(rule_set, rules=rules))
            known = self._anywhere[key] = tuple(found)
        return known

    def _judged(self, step: _Step, other: Other) -> _Judgement:
        """Return what the lists of a stage do with packets."""
        if not step.lists.judges:
            return _NOTHING
        far = step.narrowed.far(other)
        known = step.answers.get(far)
        if known is None:
            known = self._judge(step.lists, step.narrowed, other, step.traffic)
            if step.unread:
                known = _Judgement(known.rules, passes=True, accepted=False, settles=known.settles)
            step.answers[far] = known
        return known

    def _judge(self, lists: Lists, narrowed: Narrowed, other: Other, traffic: Traffic) -> _Judgement:
        found: set[RuleKey] = set()
        upper, accepted, settled = NO_TRAFFIC, traffic, NO_TRAFFIC
        for seen in _ways(lists, narrowed, other):
            for judged in _again(lists, seen, traffic, self._estate):
                found |= {RuleKey(hit.rule_set.id, lists.direction, hit.rule.id) for hit in judged.admitting}
                upper |= judged.upper | judged.accepted_upper
                accepted &= judged.accepted_lower
                settled |= judged.accepted_upper
        return _Judgement(frozenset(found), passes=bool(upper), accepted=traffic <= accepted, settles=bool(settled))


class _Place(NamedTuple):
    """Where packets are judged."""

    stage: Stage
    interface: Interface
    direction: Direction
    standing: Hashable


class _Step(NamedTuple):
    """What packets of one kind meet at interfaces that no rule tells apart.

    Attributes:
        lists: the lists of one stage, with the rules alone that have to do with such packets.
        narrowed: the same, with what these rules tell apart.
        traffic: such packets.
        unread: it was not read which further lists judge the interfaces.
        answers: what is known of other ends.
    """

    lists: Lists
    narrowed: Narrowed
    traffic: Traffic
    unread: bool
    answers: dict[Hashable, _Judgement]


class _Judgement(NamedTuple):
    """What the lists of one stage do with packets.

    Attributes:
        rules: the rules that may let them through.
        passes: something passes, at most.
        accepted: all of them are surely accepted for good.
        settles: some of them may be accepted for good.
    """

    rules: frozenset[RuleKey]
    passes: bool
    accepted: bool
    settles: bool = False


_NO_RULES: Final[frozenset[RuleKey]] = frozenset()
_NOTHING: Final = _Judgement(frozenset(), passes=True, accepted=False)


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


def _with_groups(other: Other, lists: Sequence[RuleSet]) -> Other:
    """Return an end that may belong to any group that lists name, where it is not known who it is."""
    return other._replace(groups=_groups(lists)) if other.groups else other


def _groups(lists: Sequence[RuleSet]) -> frozenset[str]:
    return frozenset(
        peer.group for own in lists for rule in own.rules for peer in rule.remote if isinstance(peer, GroupRef)
    )


def _nobody(estate: Estate) -> Interface | None:
    return next(iter(estate.interfaces.values()), None)
