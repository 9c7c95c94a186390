"""Rules for what leaves, in the place of one that lets everything out: who is meant, and on which ports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.findings import normal_form
from cloudseg.model import Addresses, ListRef
from cloudseg.model.edits import AddRule
from cloudseg.remediations.address_parts import parsed, united
from cloudseg.remediations.destinations import traffic_of
from cloudseg.remediations.interface import Change
from cloudseg.remediations.needed import by_source, told
from cloudseg.remediations.permissions import expressed, few_ports
from cloudseg.remediations.priorities import free_priorities
from cloudseg.remediations.replacing import removed
from cloudseg.remediations.rule_pieces import coarser, described
from cloudseg.remediations.slots import is_ordered
from cloudseg.traffic import GLOBAL_UNICAST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.model import Peer, Rule
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.demand import Passing
    from cloudseg.remediations.destinations import Destinations
    from cloudseg.remediations.needed import Needed
    from cloudseg.remediations.replacing import At, Why
    from cloudseg.traffic import AddressSet, Traffic

__all__ = ["MOST", "Way", "added", "inside_ways", "outside_ways", "owners_missing", "replaced"]

MOST: Final = 30
"""A rule is not replaced by more rules than that: nobody would read them, and quotas end."""
_RANGES: Final = 6
_BLOCKS: Final = 12
"""Into so many blocks of addresses the outside is taken apart."""


class Way(NamedTuple):
    """What may leave, before it is a rule of a list.

    Attributes:
        traffic: the traffic.
        remote: where to; None for wherever the rule goes that it stands in for.
        text: what it is for, for the rule's description.
        reason: why it is added, in one sentence.
        evidence: the facts that it rests on.
    """

    traffic: Traffic
    remote: tuple[Peer, ...] | None
    text: str
    reason: str
    evidence: tuple[str, ...] = ()


def inside_ways(context: RemedyContext, places: Sequence[At], needed: Needed, inside: Sequence[Passing]) -> list[Way]:
    """Return what may go to the estate's own as ranges: machines by their subnet, since their addresses change."""
    if not inside:
        return []
    kept = by_source(context, places, needed._replace(passing=tuple(inside)))
    text = "inside: ranges, until groups name them"
    return [Way(each.traffic, each.remote, text, "it stays inside, and is needed", each.evidence) for each in kept]


def outside_ways(parts: Destinations, within: Traffic, admitted: AddressSet) -> list[Way]:
    """Return what may leave the estate, by where it goes.

    Args:
        parts: what leaves.
        within: the traffic that may leave today.
        admitted: the addresses that it may leave to today.
    """
    ways: list[Way] = []
    for serving in parts.services:
        name = serving.list.label
        ways.append(
            Way(
                few_ports(traffic_of(serving.users) & within, within, _RANGES),
                (ListRef(serving.list.id),),
                f"service of the cloud: {name}",
                f"{name} is a service of the cloud's own, and its list is kept by the provider",
                told(serving.users),
            )
        )
    if parts.named or parts.anywhere:
        users = (*parts.by_name, *parts.anywhere)
        count = len(parts.names)
        what = f"{count} name{'' if count == 1 else 's'}" if count else "the internet, as the intent says"
        ways.append(
            Way(
                few_ports(traffic_of(users) & within, within, _RANGES),
                None,
                f"to {what}; a firewall has to judge by name" if count else f"to {what}",
                f"it goes to {what}, whose addresses change: the ports are narrowed here, the names by a firewall"
                if count
                else f"it goes to {what}",
                told(users),
            )
        )
    return [each for each in (*ways, *_plain(parts.plain, within, admitted)) if each.traffic]


def _plain(plain: Sequence[Passing], within: Traffic, admitted: AddressSet) -> Iterator[Way]:
    """Yield the addresses of which no name is known: as ranges, with who answers for them and until when."""
    groups: dict[tuple[str, str, str], list[Passing]] = {}
    for each in plain:
        traffic = few_ports(each.traffic & within, within, _RANGES)
        groups.setdefault((str(traffic), each.owner, each.expires), []).append(each)
    for (_, owner, expires), users in sorted(groups.items()):
        addresses = united(parsed(each.other.address) for each in users) & admitted
        held = coarser(addresses, admitted & GLOBAL_UNICAST, _BLOCKS)
        marks = f"owner {owner or 'not named yet'}; expires {expires or 'not decided yet'}"
        yield Way(
            few_ports(traffic_of(users) & within, within, _RANGES),
            (Addresses(held),),
            f"observed addresses without a name; {marks}",
            f"it goes to {held}, and no log says what that is called ({marks.replace(';', ',')})",
            told(users),
        )


def owners_missing(plain: Iterable[Passing]) -> tuple[str, ...]:
    """Return which addresses nobody answers for yet, in words."""
    bare = sorted({each.other.address for each in plain if not (each.owner and each.expires)})
    return tuple(f"nobody answers for {each} yet: give it an owner and an expiry in the intent" for each in bare)


def replaced(
    context: RemedyContext, places: Sequence[At], ways: Sequence[Way], why: Why, beside: int = 0
) -> tuple[Change, ...] | str:
    """Return the changes that put ways in the place of a rule, the removal last; why it cannot be done, in words.

    Args:
        context: what all remedies share.
        places: the rule, at every place of its list.
        ways: what may leave instead; no more than the rule lets out.
        why: what is told of the rule's end.
        beside: how many other rules stand in for it.
    """
    rule_set, rule = places[0]
    wanted = [(each, way) for way in ways for each in _rules(places[0], way)]
    if len(wanted) + beside > MOST:
        return f"it would take {len(wanted) + beside} rules to keep what is needed, and more than {MOST} nobody reads"
    if any(normal_form(each) == normal_form(rule) for each, _ in wanted):
        return f"all that {rule.id} of {rule_set.label} lets out is needed"
    priorities: Sequence[int | None] | None = (None,) * len(wanted)
    if is_ordered(rule_set, context.estate):
        priorities = free_priorities([place.rule_set for place in places], rule, len(wanted))
    if priorities is None:
        return f"no {len(wanted)} priorities are free beside {rule.id} of {rule_set.label}"
    changes: list[Change] = []
    for (each, way), priority in zip(wanted, priorities, strict=True):
        new = msgspec.structs.replace(each, priority=priority)
        if priority is None and any(normal_form(new) == normal_form(known) for known in rule_set.rules):
            continue
        changes.append(added(places, context.named(rule_set, new, rule), way))
    return (*changes, removed(places, why))


def added(places: Sequence[At], rule: Rule, way: Way) -> Change:
    """Return the change that adds a rule to a list wherever it stands."""
    return Change(
        edits=tuple(AddRule(place.rule_set.id, rule) for place in places),
        phase="add",
        reason=way.reason,
        evidence=way.evidence,
        undo=f"take the rule out of {places[0].rule_set.label} again",
    )


def _rules(place: At, way: Way) -> tuple[Rule, ...]:
    whole = msgspec.structs.replace(
        place.rule,
        id="",
        traffic=way.traffic,
        remote=place.rule.remote if way.remote is None else way.remote,
        description=described(place.rule_set, (way.text,)),
        location=None,
    )
    return expressed(place.rule_set, whole)
