"""What one stage does to packets between an interface and one other end, and which rules decide it.

This goes through the rules one by one, where the all-pairs engine paints masks: the two must agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cloudseg.model import (
    ANYONE,
    Addresses,
    Everyone,
    GroupRef,
    ListRef,
    Names,
    Unresolved,
    matches,
    provider_of,
    shown_id,
)
from cloudseg.reach.explaining.words import rule_name
from cloudseg.reach.near_ends import standing
from cloudseg.reach.outside import has_unseen_members, stands_apart
from cloudseg.reach.packets import outside_addresses, range_meaning
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, NO_ADDRESSES, NO_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.model import Direction, Estate, Interface, Peer, Rule, RuleSet, Stage

__all__ = ["Hit", "Judged", "Lists", "Other", "in_turn", "judge", "removals", "removals_in_turn", "would_match"]


class Other(NamedTuple):
    """The other end, as the rules of an interface see it.

    Attributes:
        addresses: one of these addresses; rules treat all of them alike, unless it was not read which one it is.
        interface: the interface that bears it; None outside of the estate.
        grouped: a rule that names a group matches its members on this way.
        groups: it may belong to any of these groups: rules that name one of them may match, whoever it is.
    """

    addresses: AddressSet
    interface: Interface | None = None
    grouped: bool = True
    groups: frozenset[str] = frozenset()


class Lists(NamedTuple):
    """The lists of one stage that judge one interface, in one direction."""

    stage: Stage
    direction: Direction
    judges: tuple[RuleSet, ...]
    interface: Interface


class Hit(NamedTuple):
    """A rule that decides some of the packets.

    Attributes:
        rule_set: its list.
        rule: the rule.
        traffic: what it decides of them.
        sure: it certainly matches it.
    """

    rule_set: RuleSet
    rule: Rule
    traffic: Traffic
    sure: bool

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from other rules of the same direction."""
        return self.rule_set.id, self.rule.id


class Judged(NamedTuple):
    """What a stage does to packets.

    Attributes:
        lower: what certainly goes on to the next stage.
        upper: what goes on at most.
        accepted_lower: what is certainly accepted for good.
        accepted_upper: what is accepted for good at most.
        admitting: the rules that let something through, surely or not.
        denying: the rules that deny something, surely or not.
        doubts: what is not known, in words.
    """

    lower: Traffic
    upper: Traffic
    accepted_lower: Traffic = NO_TRAFFIC
    accepted_upper: Traffic = NO_TRAFFIC
    admitting: tuple[Hit, ...] = ()
    denying: tuple[Hit, ...] = ()
    doubts: tuple[str, ...] = ()


def judge(lists: Lists, other: Other, traffic: Traffic, estate: Estate) -> Judged:
    """Return what lists do to packets between their interface and another end."""
    hits = _hits(lists, other, traffic, estate)
    if lists.stage.match == "first":
        found = _first(lists.stage, hits, traffic)
    elif lists.stage.miss == "deny":
        found = _any(hits)
    else:
        found = Judged(traffic, traffic)
    decisive = (hit for hit in (*found.admitting, *found.denying) if not hit.sure)
    doubts = (doubt for hit in decisive for doubt in _doubts(lists, hit, other, estate))
    return found._replace(doubts=tuple(dict.fromkeys(doubts)))


def _any(hits: Sequence[Hit]) -> Judged:
    bounds = {("next", True): NO_TRAFFIC, ("next", False): NO_TRAFFIC}
    bounds |= {("accept", True): NO_TRAFFIC, ("accept", False): NO_TRAFFIC}
    admitting = tuple(hit for hit in hits if hit.rule.allows)
    for hit in admitting:
        for certain in (True, False):
            if hit.sure or not certain:
                bounds[hit.rule.verdict, certain] |= hit.traffic
    return Judged(
        bounds["next", True], bounds["next", False], bounds["accept", True], bounds["accept", False], admitting
    )


class _Pass(NamedTuple):
    """One bound of what the first match lets through, and what each rule decided of it."""

    passed: Traffic
    accepted: Traffic
    decided: tuple[Hit, ...]


def _first(stage: Stage, hits: Sequence[Hit], traffic: Traffic) -> Judged:
    least, most = (_pass(stage, hits, traffic, certain=certain) for certain in (True, False))
    admitting = {hit.key: hit for hit in most.decided if hit.rule.allows}
    denying = {hit.key: hit for hit in most.decided if not hit.rule.allows}
    # What may deny counts in the lower bound alone.
    maybe = (hit for hit in least.decided if not hit.rule.allows and hit.key not in denying)
    return Judged(
        least.passed, most.passed, least.accepted, most.accepted, tuple(admitting.values()), (*denying.values(), *maybe)
    )


def _pass(stage: Stage, hits: Sequence[Hit], traffic: Traffic, *, certain: bool) -> _Pass:
    """Return one bound: in the lower one an unknown acceptance is nothing and an unknown denial everything."""
    found = _pass_by(stage, hits, traffic, certain=certain, handing=not certain)
    if not _wavers(hits):
        return found
    # What may hand on may as well leave it to rules behind, of which some accept for good.
    other = _pass_by(stage, hits, traffic, certain=certain, handing=certain)
    told = dict.fromkeys((hit.key for hit in (*found.decided, *other.decided)), NO_TRAFFIC)
    for hit in (*found.decided, *other.decided):
        told[hit.key] |= hit.traffic
    decided = tuple(hit._replace(traffic=told[hit.key]) for hit in hits if hit.key in told)
    if certain:
        final = found.accepted & other.accepted
        return _Pass(found.passed | (found.accepted - final), final, decided)
    return _Pass(found.passed | other.passed, found.accepted | other.accepted, decided)


def _wavers(hits: Sequence[Hit]) -> bool:
    """Tell whether rules that accept for good stand behind one that may hand on."""
    doubtful = [place for place, hit in enumerate(hits) if hit.rule.verdict == "next" and not hit.sure]
    return bool(doubtful) and any(hit.rule.verdict == "accept" for hit in hits[doubtful[0] :])


def _pass_by(stage: Stage, hits: Sequence[Hit], traffic: Traffic, *, certain: bool, handing: bool) -> _Pass:
    """Return the same; what may hand on does, or does not."""
    passed = accepted = NO_TRAFFIC
    left = traffic
    decided: list[Hit] = []
    for hit in hits:
        taken_at_most = handing if hit.rule.verdict == "next" else certain != hit.rule.allows
        if not taken_at_most and not hit.sure:
            continue
        taken = hit.traffic & left
        if not taken:
            continue
        left = left - taken
        decided.append(hit._replace(traffic=taken))
        if hit.rule.verdict == "accept":
            accepted |= taken
        elif hit.rule.allows:
            passed |= taken
    return _Pass(passed if stage.miss == "deny" else passed | left, accepted, tuple(decided))


def removals(lists: Lists, other: Other, traffic: Traffic, estate: Estate) -> tuple[Hit, ...] | None:
    """Return every rule that would have to go so that nothing of the traffic passes at all; None if that is no help.

    Where the first match decides, an entry that goes may uncover another one that admits as much.
    """
    if not lists.judges or (lists.stage.miss != "deny" and lists.stage.match == "any"):
        return None
    hits = _hits(lists, other, traffic, estate)
    if lists.stage.match == "any":
        return tuple(hit for hit in hits if hit.rule.allows)
    gone: list[Hit] = []
    while admitting := [h for h in _pass(lists.stage, hits, traffic, certain=False).decided if h.rule.allows]:
        gone.extend(admitting)
        ids = {hit.key for hit in admitting}
        hits = [hit for hit in hits if hit.key not in ids]
    # What no rule decides goes on where a miss does not deny.
    return None if _pass(lists.stage, hits, traffic, certain=False).passed else tuple(gone)


def in_turn(stages: Iterable[tuple[Stage, Traffic, Traffic]], traffic: Traffic) -> Traffic:
    """Return what passes stages one after the other: of each, what it hands on and what it accepts for good."""
    left, accepted, part = traffic, NO_TRAFFIC, 0
    for stage, on, final in stages:
        if stage.part > part:
            left, accepted, part = left | accepted, NO_TRAFFIC, stage.part
        accepted |= left & final
        left &= on
    return left | accepted


def removals_in_turn(
    lists: Sequence[Lists], other: Other, traffic: Traffic, estate: Estate
) -> tuple[tuple[Lists, Hit], ...] | None:
    """Return every rule that would have to go from ordered lists that are asked in turn; None if that is no help.

    Where rules accept for good, what a list no longer takes goes on to the next one.
    """
    hits = [_hits(each, other, traffic, estate) for each in lists]
    gone: list[tuple[Lists, Hit]] = []
    while True:
        left, admitting = traffic, list[tuple[Lists, Hit]]()
        for number, each in enumerate(lists):
            found = _pass(each.stage, hits[number], left, certain=False)
            accepting = [hit for hit in found.decided if hit.rule.verdict == "accept"]
            admitting += [(each, hit) for hit in accepting]
            ids = {hit.key for hit in accepting}
            hits[number] = [hit for hit in hits[number] if hit.key not in ids]
            left = found.passed
        gone += admitting
        if not admitting:
            return None if left or not gone else tuple(gone)


def would_match(lists: Lists, other: Other, traffic: Traffic, estate: Estate) -> tuple[Hit, ...]:
    """Return the allowing rules that name a group of the other end, and would match if groups did on this way."""
    if other.grouped:
        return ()
    there = {hit.key for hit in _hits(lists, other, traffic, estate)}
    with_groups = _hits(lists, other._replace(grouped=True), traffic, estate)
    return tuple(hit for hit in with_groups if hit.rule.allows and hit.key not in there)


def _hits(lists: Lists, other: Other, traffic: Traffic, estate: Estate) -> list[Hit]:
    """Return the rules that may match, in the order of evaluation, with what they may match of the traffic."""
    own = _standing_to(lists.interface, other, estate)
    found: list[Hit] = []
    # Of a list of a thousand rules most name the same few near ends and kinds of traffic.
    shares: dict[Traffic, Traffic] = {}
    concerns: dict[tuple[Peer, ...], bool | None] = {}
    for rule_set in lists.judges:
        for rule in rule_set.rules:
            if rule.direction != lists.direction:
                continue
            shared = shares.get(rule.traffic)
            if shared is None:
                shared = shares[rule.traffic] = rule.traffic & traffic
            if not shared:
                continue
            if rule.local not in concerns:
                concerns[rule.local] = _concerns(rule.local, lists.interface, own, estate)
            here = concerns[rule.local]
            if here is False:
                continue
            sure, maybe = _matches(lists, rule, other, estate)
            if maybe:
                sure = sure and here is True and rule.exact and rule.source_ports is None
                found.append(Hit(rule_set, rule, shared, sure))
    if lists.stage.match == "first":
        found.sort(key=lambda hit: (hit.rule.priority or 0, hit.rule.allows))
    return found


def _matches(lists: Lists, rule: Rule, other: Other, estate: Estate) -> tuple[bool, bool]:
    """Tell whether a rule certainly names the other end, and whether it may."""
    least, most = outside_addresses(rule.remote, estate)
    sure = bool(other.addresses) and other.addresses <= least
    maybe = other.addresses.overlaps(most)
    if maybe and other.interface is not None:
        meaning = range_meaning(rule.remote, lists.stage, lists.interface, other.interface)
        sure = sure and meaning == "everywhere"
        maybe = meaning != "outside"
    if other.grouped and not sure:
        for peer in rule.remote:
            if isinstance(peer, GroupRef) and not peer.stale:
                member, perhaps = _belongs(peer.group, other.interface, estate)
                sure, maybe = sure or member, maybe or perhaps
    if other.groups and not maybe:
        named = (peer.group for peer in rule.remote if isinstance(peer, GroupRef) and not peer.stale)
        maybe = not other.groups.isdisjoint(named)
    return sure, maybe


def _belongs(group: str, interface: Interface | None, estate: Estate) -> tuple[bool, bool]:
    """Tell whether an end certainly belongs to a group, and whether it may."""
    known = estate.groups.get(group)
    if interface is None:
        return False, has_unseen_members(group, estate)
    member = group in interface.attached if known is None else matches(known.selector, interface)
    apart = provider_of(group) != "kubernetes" and stands_apart(interface, estate)
    return member, member or interface.attached_unread or apart


def _standing_to(interface: Interface, other: Other, estate: Estate) -> AddressSet:
    """Return the addresses under which rules may see an interface that are of a family with the other end's."""
    own = standing(interface, estate)
    if other.addresses:
        own &= (ALL_IPV4 if other.addresses.v4 else NO_ADDRESSES) | (ALL_IPV6 if other.addresses.v6 else NO_ADDRESSES)
    return own


def _concerns(local: tuple[Peer, ...], interface: Interface, own: AddressSet, estate: Estate) -> bool | None:
    """Tell whether a near end is the interface; None where it is unknown, or so of some of its own addresses only."""
    if local == ANYONE:
        return True
    maybe = False
    for peer in local:
        if isinstance(peer, Everyone):
            return True
        if isinstance(peer, GroupRef):
            member, perhaps = _belongs(peer.group, interface, estate)
            if member:
                return True
            maybe = maybe or perhaps or peer.group not in estate.groups
            continue
        least, most = outside_addresses((peer,), estate)
        if own and own <= least:
            return True
        maybe = maybe or not own or own.overlaps(most)
    return None if maybe else False


def _doubts(lists: Lists, hit: Hit, other: Other, estate: Estate) -> Iterator[str]:
    """Yield why it is not certain that a rule matches."""
    name = rule_name(lists.stage, hit.rule_set, hit.rule)
    if not hit.rule.exact:
        yield f"{name} matches at most: {hit.rule.doubt}" if hit.rule.doubt else f"{name} was not read in full"
    if hit.rule.source_ports is not None:
        yield f"{name} names some ports of the client only"
    own = _standing_to(lists.interface, other, estate)
    if _concerns(hit.rule.local, lists.interface, own, estate) is None:
        yield f"whether {name} concerns all of {lists.interface.shown_id} is not known"
    if not _matches(lists, hit.rule, other, estate)[0]:
        for peer in hit.rule.remote:
            yield from _doubt(lists, peer, other, estate)


def _doubt(lists: Lists, peer: Peer, other: Other, estate: Estate) -> Iterator[str]:
    match peer:
        case ListRef(name):
            listed = estate.address_lists.get(name)
            if listed is None or listed.addresses is None:
                yield f"the entries of {shown_id(name)} were not read"
        case Names(names):
            yield f"which addresses {', '.join(names)} stands for is not known"
        case Unresolved(_, reason):
            yield reason
        case GroupRef(group) if group in other.groups:
            yield f"whether what comes this way belongs to {shown_id(group)} is not known"
        case GroupRef(group) if other.grouped:
            if other.interface is None and has_unseen_members(group, estate):
                yield f"the members of {shown_id(group)} were not read"
            elif other.interface is not None and other.interface.attached_unread:
                yield f"which groups {other.interface.shown_id} carries was not read in full"
        case Addresses(addresses) if other.interface is not None and other.addresses.overlaps(addresses):
            name = other.interface.shown_id
            veiled = range_meaning((peer,), lists.stage, lists.interface, other.interface) == "unknown"
            plugin = f"whether rules that name addresses match {name} depends on the network plugin"
            yield plugin if veiled else f"which address {name} has was not read"
        case _:
            pass
