"""Who uses a rule, or could, as the estate is today: whom its list lets in, and what passes at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cloudseg.model import ANYONE, GroupRef
from cloudseg.reach.near_ends import standing
from cloudseg.reach.packets import outside_addresses
from cloudseg.traffic import NO_ADDRESSES, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cloudseg.model import Interface, Rule, RuleSet
    from cloudseg.reach.reachability import Reachability
    from cloudseg.remediations.context import RemedyContext

__all__ = ["carried_today", "families_of", "let_in", "outside_today", "used_of"]


def carried_today(
    reach: Reachability, rule: Rule, judged: Sequence[Interface], others: Iterable[Interface]
) -> frozenset[str]:
    """Return those of some interfaces from or to which any traffic of a rule passes today, at most.

    Args:
        reach: who reaches whom.
        rule: the rule.
        judged: whom it judges.
        others: who may be the other end.
    """
    own = sorted({reach.number_of(each.id) for each in judged})
    by_class: dict[int, list[str]] = {}
    for each in others:
        by_class.setdefault(reach.number_of(each.id), []).append(each.id)
    far = sorted(by_class)
    if not own or not far:
        return frozenset()
    atoms = reach.ground.atoms
    words = atoms.words(atoms.mask(rule.traffic))[:, None]
    hit = np.zeros(len(far), dtype=np.bool_)
    if rule.direction == "ingress":
        for target in own:
            band = reach.arrivals(target).inside.upper[:, far]
            hit |= ((band & words) != 0).any(axis=0)
    else:
        for place, target in enumerate(far):
            band = reach.arrivals(target).inside.upper[:, own]
            hit[place] = bool(((band & words) != 0).any())
    return frozenset(name for place, number in enumerate(far) if hit[place] for name in by_class[number])


def outside_today(reach: Reachability, rule: Rule, judged: Sequence[Interface], within: AddressSet) -> AddressSet:
    """Return the addresses in no network from or to which any traffic of a rule passes today, at most.

    Args:
        reach: who reaches whom.
        rule: the rule.
        judged: whom it judges.
        within: only these addresses.
    """
    found = NO_ADDRESSES
    for number in sorted({reach.number_of(each.id) for each in judged}):
        band = reach.entering(number) if rule.direction == "ingress" else reach.departures(number)
        for addresses, verdict in reach.ranges(band, within):
            if verdict.upper.overlaps(rule.traffic):
                found |= addresses
    return found


def let_in(rule_set: RuleSet, rule: Rule, context: RemedyContext) -> tuple[AddressSet, tuple[str, ...]]:
    """Return the addresses and groups that a list surely admits for all that a rule admits.

    In an ordered list only the rule itself counts, since what stands in for it stands in its place.

    Args:
        rule_set: the list.
        rule: the rule.
        context: what all remedies share.
    """
    ordered = context.once("ordered stages", lambda: _ordered(context))
    rules = [rule]
    if rule_set.stage not in ordered:
        rules += [
            other
            for other in rule_set.rules
            if other.direction == rule.direction
            and other.allows
            and other.exact
            and other.source_ports is None
            and rule.traffic <= other.traffic
            and other.local in (ANYONE, rule.local)
        ]
    addresses, groups = NO_ADDRESSES, list[str]()
    for each in rules:
        addresses |= outside_addresses(each.remote, context.estate)[0]
        groups += [peer.group for peer in each.remote if isinstance(peer, GroupRef) and not peer.stale]
    return addresses, tuple(dict.fromkeys(groups))


def _ordered(context: RemedyContext) -> frozenset[str]:
    return frozenset(
        stage.name
        for pipeline in context.estate.pipelines.values()
        for stage in (*pipeline.ingress, *pipeline.egress)
        if stage.match == "first"
    )


def families_of(judged: Sequence[Interface], context: RemedyContext) -> tuple[bool, bool]:
    """Return whether some interfaces may speak IPv4, and IPv6; where nobody is judged yet both."""
    if not judged:
        return True, True
    held = [standing(each, context.estate) for each in judged]
    return any(not each or bool(each.v4) for each in held), any(not each or bool(each.v6) for each in held)


def used_of(interface: Interface, families: tuple[bool, bool]) -> AddressSet:
    """Return the addresses of an interface in the families (IPv4, IPv6) that others speak."""
    four, six = families
    own = interface.addresses
    return AddressSet(own.v4 if four else NO_ADDRESSES.v4, own.v6 if six else NO_ADDRESSES.v6)
