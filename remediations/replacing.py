"""Takes rules away, and puts narrower ones in their place: first what is kept, then the rule goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.checks.rule_lists import shown, traffic_words
from cloudseg.findings import normal_form, peer_text
from cloudseg.model.edits import AddRule, RemoveRule
from cloudseg.reach.packets import outside_addresses
from cloudseg.remediations.interface import Change
from cloudseg.remediations.permissions import expressed
from cloudseg.remediations.priorities import free_priorities
from cloudseg.remediations.rule_pieces import described
from cloudseg.remediations.slots import is_ordered, later_allows, stage_of
from cloudseg.traffic import ALL_IPV4, ALL_IPV6

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Estate, Peer, Rule, RuleSet
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.locating import Place
    from cloudseg.traffic import Traffic

__all__ = ["At", "Kept", "Why", "behind_words", "off_limits", "removed", "rules_at", "swapped", "tracking_risks"]

_MOST: Final = 20
"""A rule is not replaced by more rules than that: nobody would read them, and quotas end."""


class At(NamedTuple):
    """A rule at one of the places where its list stands."""

    rule_set: RuleSet
    rule: Rule


class Kept(NamedTuple):
    """What is kept of a rule: traffic with some other ends, which may be called otherwise at each of its places.

    Attributes:
        traffic: the traffic.
        remote: the other ends at each place; None for those of the rule itself.
        evidence: the facts that it rests on.
    """

    traffic: Traffic
    remote: tuple[Peer, ...] | None = None
    evidence: tuple[str, ...] = ()


class Why(NamedTuple):
    """What is told of changes: why they are made, and what they rest on."""

    reason: str
    evidence: tuple[str, ...] = ()


def rules_at(places: Sequence[Place]) -> tuple[At, ...]:
    """Return the places of a rule; none where a finding is about a list alone."""
    return tuple(At(place.rule_set, place.rule) for place in places if place.rule is not None)


def off_limits(places: Sequence[At], estate: Estate) -> str:
    """Return why a rule must not be changed by a plan; empty where it may.

    What a controller owns comes back, what the provider keeps or asks for it does not give up, and what was not read in
    full may say something else.
    """
    for rule_set, rule in places:
        if rule_set.managed_by:
            return f"{rule_set.label} is managed by {rule_set.managed_by}, which would put the rule back"
        if rule.fixed:
            return f"{rule.id} of {rule_set.label} is kept by the provider, and nobody can change it"
        if rule.required:
            return f"{rule.id} of {rule_set.label} lets the provider manage a service, which needs it"
        if not rule.exact:
            return f"{rule.id} of {rule_set.label} was not read in full{': ' + rule.doubt if rule.doubt else ''}"
        stage = stage_of(rule_set, estate)
        if stage is not None and stage.match == "first" and rule_set.provider == "kubernetes":
            return f"{rule_set.label} is one of several ordered policies, whose order people keep"
    return ""


def removed(places: Sequence[At], why: Why) -> Change:
    """Return the change that takes a rule away wherever its list stands."""
    rule_set, rule = places[0]
    return Change(
        edits=tuple(RemoveRule(place.rule_set.id, place.rule.id) for place in places),
        phase="remove",
        reason=why.reason,
        evidence=why.evidence,
        undo=f"add the rule to {rule_set.label} again: {_said(rule)}",
    )


def swapped(context: RemedyContext, places: Sequence[At], kept: Sequence[Kept], why: Why) -> tuple[Change, ...] | str:
    """Return the changes that put narrower rules in the place of a rule, or why that cannot be done, in words.

    Args:
        context: what all remedies share.
        places: the rule, at every place of its list.
        kept: what is kept of it; no more than it admits.
        why: what is told of the changes.
    """
    each_place = [list(_wanted(place, kept)) for place in places]
    count = len(each_place[0])
    if any(len(own) != count for own in each_place):
        return f"{places[0].rule.id} means something else at each of its places"
    if count > _MOST:
        return f"it would take {count} rules to keep what is needed of it, and more than {_MOST} nobody reads"
    forms = {normal_form(place.rule) for place in places}
    if any(normal_form(rule) in forms for own in each_place for rule, _ in own):
        return f"all that {places[0].rule.id} lets through is needed"
    if is_ordered(places[0].rule_set, context.estate):
        fresh = [number for number in range(count) if not _is_there(places[0].rule_set, each_place[0][number][0])]
        priorities = free_priorities([each.rule_set for each in places], places[0].rule, len(fresh))
        if priorities is None:
            return f"no {len(fresh)} priorities are free beside {places[0].rule.id} of {places[0].rule_set.label}"
        order = dict(zip(fresh, priorities, strict=True))
        each_place = [
            [
                (msgspec.structs.replace(rule, priority=order.get(number)), facts)
                for number, (rule, facts) in enumerate(own)
            ]
            for own in each_place
        ]
    changes: list[Change] = []
    for number in range(count):
        if _is_there(places[0].rule_set, each_place[0][number][0]):
            continue
        edits = tuple(
            AddRule(place.rule_set.id, context.named(place.rule_set, own[number][0], place.rule))
            for place, own in zip(places, each_place, strict=True)
        )
        changes.append(
            Change(
                edits=edits,
                phase="add",
                reason=f"this is what is needed of {places[0].rule.id}",
                evidence=each_place[0][number][1],
                undo=f"take the rule out of {places[0].rule_set.label} again",
            )
        )
    return (*changes, removed(places, why))


def behind_words(places: Sequence[At], estate: Estate) -> tuple[str, ...]:
    """Return which rules behind one in an ordered list still let some of it through, in words; nothing for none."""
    rule_set, rule = places[0]
    if not is_ordered(rule_set, estate):
        return ()
    most = outside_addresses(rule.remote, estate)[1]
    names = [
        each.id
        for each in later_allows(rule_set, rule)
        if not most
        or not outside_addresses(each.remote, estate)[1]
        or outside_addresses(each.remote, estate)[1].overlaps(most)
    ]
    if not names:
        return ()
    return (f"rules behind it in {rule_set.label} let some of the same through and go on doing so: {shown(names, 3)}",)


def tracking_risks(places: Sequence[At], estate: Estate) -> tuple[str, ...]:
    """Return what becomes of connections that AWS does not track, in words; nothing where all are tracked.

    A flow by a rule for everyone may be untracked. It ends when that rule goes, and by narrower rules it is tracked.
    Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html
    """
    rule_set, rule = places[0]
    stage = stage_of(rule_set, estate)
    if rule_set.provider != "aws" or stage is None or not stage.stateful:
        return ()
    open_to = outside_addresses(rule.remote, estate)[0]
    if not (open_to >= ALL_IPV4 or open_to >= ALL_IPV6):
        return ()
    return (
        "connections by a rule for everyone may be untracked: they are cut at once when it goes",
        "what passes by narrower rules is tracked, and a busy machine can run out of tracked connections",
    )


def _wanted(place: At, kept: Sequence[Kept]) -> Iterator[tuple[Rule, tuple[str, ...]]]:
    for each in kept:
        whole = msgspec.structs.replace(
            place.rule,
            traffic=each.traffic,
            remote=place.rule.remote if each.remote is None else each.remote,
            description=described(place.rule_set, (place.rule.description or "narrowed to what is needed",)),
            location=None,
        )
        yield from ((rule, each.evidence) for rule in expressed(place.rule_set, whole))


def _is_there(rule_set: RuleSet, rule: Rule) -> bool:
    """Tell whether a list that adds up has the same rule already: the provider would refuse it."""
    form = normal_form(rule)
    return rule.priority is None and any(normal_form(each) == form for each in rule_set.rules)


def _said(rule: Rule) -> str:
    word = "from" if rule.direction == "ingress" else "to"
    at = "" if rule.priority is None else f" at priority {rule.priority}"
    return f"{rule.direction} {traffic_words(rule.traffic)} {word} {peer_text(rule.remote)}{at}"
