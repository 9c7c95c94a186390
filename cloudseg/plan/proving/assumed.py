"""What must be so for a proof to mean anything, and what is not known of the lists that a plan touches, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.model import ANYONE, Addresses, shown_id
from cloudseg.model.edits import (
    AddEndpoint,
    AddRule,
    AddRuleSet,
    Attach,
    CreateGroup,
    Detach,
    RemoveRule,
    RemoveRuleSet,
    SetLabel,
    SetPublicAccess,
)
from cloudseg.plan.proving.claims import Problem
from cloudseg.plan.proving.unknowns import variable_words
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cloudseg.model import Edit, Estate, Rule
    from cloudseg.remediations.demand import Demand

__all__ = ["assumptions_of", "problems_of_services", "unknowns_of"]

_MEMBERSHIP = (AddRule, AddRuleSet, Attach, Detach, SetLabel, CreateGroup)


def assumptions_of(
    before: Estate, changes: Sequence[Sequence[Edit]], demand: Demand, near: Iterable[str]
) -> tuple[str, ...]:
    """Return what a proof assumes, one sentence each.

    Args:
        before: the estate before the plan.
        changes: the edits of each change, in order.
        demand: what must go on passing.
        near: the interfaces at which anything changes.
    """
    edits = [edit for each in changes for edit in each]
    found: dict[str, None] = {}
    if any(isinstance(edit, _MEMBERSHIP) for edit in edits):
        found["Who belongs to which group is as it was read; whoever joins a group later is let through with it."] = (
            None
        )
    for text in (*_scopes(before, near), *_coverage(demand), *_connections(before, edits), *_endpoints(edits)):
        found[text] = None
    return tuple(found)


def _scopes(before: Estate, near: Iterable[str]) -> Iterator[str]:
    scopes = {(before.interfaces[name].provider, before.interfaces[name].scope) for name in near}
    for provider, scope in sorted(scopes):
        gaps = sum(gap.provider == provider and gap.scope == scope for gap in before.gaps)
        if gaps:
            noun = "gap" if gaps == 1 else "gaps"
            yield f"{provider} {scope} was read with {gaps:,} {noun}: what is unread there stays as it is."
    yield "Nobody else changes the estate between its reading and the last change."


def _coverage(demand: Demand) -> Iterator[str]:
    if not demand.given:
        yield "Nothing is known of what is in use: neither conversations nor an intent were given."
        return
    if len(demand):
        yield (
            "What did not talk while the logs were kept, and what they do not record, is not known to be needed: "
            "failover, month end, sampled packets."
        )
    if demand.unplaced:
        count = f"{demand.unplaced:,} accepted conversations"
        yield (
            f"{count} have an end or an initiator that is not known: such an end is judged by its address, and what "
            "deleted interfaces needed and what nobody knows the initiator of is not judged."
        )
    if demand.not_carried.size:
        count = f"{demand.not_carried.size:,} accepted conversations"
        yield f"{count} are not carried by the rules that were read; nothing is opened for them."


def _connections(before: Estate, edits: Sequence[Edit]) -> Iterator[str]:
    """Yield what becomes of open connections when the rule goes that let them in.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html
    """
    removed = [rule for edit in edits for rule in _removed(before, edit)]
    if not removed:
        return
    yield (
        "Connections that are open when their rule goes may live on for days before it shows that nothing lets them in."
    )
    whole = [rule for rule in removed if _names_everyone(rule)]
    if whole:
        yield (
            f"{len(whole):,} of the rules that go admit every address: connections that the provider does not track "
            "because of them break at once."
        )


def _removed(before: Estate, edit: Edit) -> Iterator[Rule]:
    match edit:
        case RemoveRule(name, identifier):
            held = before.rule_sets.get(name)
            yield from (rule for rule in (() if held is None else held.rules) if rule.id == identifier and rule.allows)
        case RemoveRuleSet(name):
            held = before.rule_sets.get(name)
            yield from (rule for rule in (() if held is None else held.rules) if rule.allows)
        case _:
            pass


def _names_everyone(rule: Rule) -> bool:
    if rule.remote == ANYONE:
        return True
    named = NO_ADDRESSES
    for peer in rule.remote:
        named |= peer.addresses if isinstance(peer, Addresses) else NO_ADDRESSES
    return not (ALL_IPV4 - named) or not (ALL_IPV6 - named)


def _endpoints(edits: Iterable[Edit]) -> Iterator[str]:
    for edit in edits:
        match edit:
            case AddEndpoint(endpoint):
                yield (
                    f"The private endpoint {endpoint.label} opens a way from {shown_id(endpoint.network)} to "
                    f"{endpoint.service}; names of the service lead there at once, if it answers for them."
                )
            case SetPublicAccess(service, public):
                if not public:
                    yield f"Nobody needs the public endpoint of {shown_id(service)} who was not seen in the logs."
            case _:
                pass


def problems_of_services(before: Estate, changes: Sequence[Sequence[Edit]]) -> Iterator[Problem]:
    """Yield changes that open the public endpoint of a service further than it is, or may be."""
    services = dict(before.services)
    for place, edits in enumerate(changes):
        for edit in edits:
            if not isinstance(edit, SetPublicAccess) or edit.service not in services:
                continue
            known = services[edit.service]
            if edit.public and known.public is not True:
                reason = f"the public endpoint of {known.label} would be open, and is not surely so today"
                yield Problem(kind="service", reason=reason, blamed=(place,))
            elif edit.public and not edit.sources <= known.sources:
                more = edit.sources - known.sources
                reason = f"the public endpoint of {known.label} would admit {more} besides whom it admits today"
                yield Problem(kind="service", reason=reason, blamed=(place,))


def unknowns_of(states: Sequence[Estate], near: Iterable[str], lists: Iterable[str]) -> tuple[str, ...]:
    """Return what is not known of the lists that a plan touches, in words, in order.

    Args:
        states: the estate before the plan, and further states of it.
        near: the interfaces at which anything changes.
        lists: the lists that change.
    """
    found: set[str] = set()
    seen: set[int] = set()
    for state in states:
        for name in lists:
            held = state.rule_sets.get(name)
            for rule in () if held is None else held.rules:
                # Nearly all rules are the very same in all states.
                if id(rule) in seen:
                    continue
                seen.add(id(rule))
                found.update(words for peer in (*rule.remote, *rule.local) if (words := variable_words(peer, state)))
                if not rule.exact:
                    found.add(f"what rule {rule.id} of {held.label} admits in full" if held is not None else rule.id)
    first = states[0]
    for name in near:
        if first.interfaces[name].attached_unread:
            found.add(f"which groups {first.interfaces[name].shown_id} carries")
    return tuple(sorted(found))
