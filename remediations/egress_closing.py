"""A denial of the internet behind what is needed of it, where a default rule that nobody can change lets all out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.model import ANYONE, Addresses, Rule
from cloudseg.model.edits import AddRule
from cloudseg.reach.packets import outside_addresses
from cloudseg.remediations.address_parts import parsed
from cloudseg.remediations.egress_groups import PRIVATE
from cloudseg.remediations.egress_rules import MOST, Way, added, outside_ways
from cloudseg.remediations.interface import Change
from cloudseg.remediations.naming import named
from cloudseg.remediations.needed import told
from cloudseg.remediations.permissions import expressed
from cloudseg.remediations.replacing import At, removed
from cloudseg.remediations.rule_pieces import described
from cloudseg.remediations.slots import behind_own
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, ALL_TRAFFIC, GLOBAL_UNICAST, NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from cloudseg.model import Network, Peer, RuleSet
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.destinations import Destinations
    from cloudseg.remediations.replacing import Why
    from cloudseg.traffic import AddressSet

__all__ = ["Closing", "closing_of_network", "closing_of_nsg", "default_rules", "denied_behind", "vpc_rules"]

_OUT: Final = "outbound/allowinternetoutbound"
_VNET: Final = "outbound/allowvnetoutbound"
_DENIED: Final = "rules of its own deny something behind the one that lets everything out: take that one out by hand"
_ALLOW, _DENY = 65533, 65534
"""The last priorities of VPC firewall rules before the implied ones. Source:
https://cloud.google.com/firewall/docs/firewalls#priority_order_for_firewall_rules"""


class Closing(NamedTuple):
    """The changes that deny the internet, what is needed of it first."""

    changes: tuple[Change, ...]


def default_rules(lists: Sequence[RuleSet]) -> tuple[At, ...]:
    """Return the default rule of an NSG that lets out to the internet, at every place; none where one lacks it.

    Source: https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#default-security-rules
    """
    found = [At(each, rule) for each in lists for rule in each.rules if rule.id.lower() == _OUT and rule.fixed]
    return tuple(found) if len(found) == len(lists) else ()


def closing_of_nsg(
    context: RemedyContext, defaults: Sequence[At], wide: Sequence[At], parts: Destinations, why: Why
) -> Closing | str:
    """Return the changes that deny the internet in an NSG; why there are none, in words.

    The virtual network stays open by its own default rule, and so do the platform's name servers, metadata and
    licences, which only a rule that names their service tags stops. Source:
    https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#azure-platform-considerations

    Args:
        context: what all remedies share.
        defaults: the default rule at every place of the NSG.
        wide: rules of its owner's that let all out, at every place; they go.
        parts: what leaves.
        why: what is told of the denial.
    """
    first = defaults[0]
    gone = {each.rule.id for each in wide}
    if denied_behind(first.rule_set, gone):
        return _DENIED
    internet = outside_addresses(first.rule.remote, context.estate)[1]
    ways = [*_kept_inside(context, parts, _vnet(context, first.rule_set)), *outside_ways(parts, ALL_TRAFFIC, internet)]
    pieces = [
        (each, way) for way in ways for each in expressed(first.rule_set, _rule(first.rule_set, way, first.rule.remote))
    ]
    if len(pieces) > MOST:
        return f"it would take {len(pieces)} rules to keep what is needed, and more than {MOST} nobody reads"
    places = behind_own(first.rule_set, "egress", len(pieces) + 1)
    if places is None:
        return f"no {len(pieces) + 1} priorities up to 4096 are free behind the rules of {first.rule_set.label}"
    changes: list[Change] = []
    for (rule, way), place in zip(pieces, places[:-1], strict=True):
        edits = tuple(
            AddRule(
                at.rule_set.id,
                named(
                    at.rule_set,
                    msgspec.structs.replace(
                        rule, priority=place, remote=at.rule.remote if way.remote is None else rule.remote
                    ),
                ),
            )
            for at in defaults
        )
        changes.append(msgspec.structs.replace(added(defaults, rule, way), edits=edits))
    denial = Rule(
        id="",
        direction="egress",
        verdict="deny",
        traffic=ALL_TRAFFIC,
        remote=(),
        priority=places[-1],
        description=described(first.rule_set, ("what else leaves for the internet",)),
    )
    edits = tuple(
        AddRule(at.rule_set.id, named(at.rule_set, msgspec.structs.replace(denial, remote=at.rule.remote)))
        for at in defaults
    )
    changes.append(_denying(edits, first.rule_set, why))
    return Closing((*changes, *_without(wide, why)))


def _without(wide: Sequence[At], why: Why) -> Iterator[Change]:
    """Yield the changes that take rules away before which the denial would never be reached."""
    by_rule: dict[str, list[At]] = {}
    for each in wide:
        by_rule.setdefault(each.rule.id, []).append(each)
    for _, places in sorted(by_rule.items()):
        yield removed(tuple(places), why)


def _kept_inside(context: RemedyContext, parts: Destinations, held: AddressSet) -> Iterator[Way]:
    """Yield what is needed of the estate's own beyond the addresses that stay open: other networks and sites."""
    for each in parts.inside:
        known = context.estate.interfaces.get(each.other.interface)
        addresses = parsed(each.other.address)
        if known is not None:
            # Who is called over the internet bears another address there.
            addresses = known.addresses | (addresses & GLOBAL_UNICAST)
        if left := addresses - held:
            reason = "it is needed, and lies beyond what stays open"
            yield Way(each.traffic, (Addresses(left),), "beyond the own network", reason, told((each,)))


def _vnet(context: RemedyContext, rule_set: RuleSet) -> AddressSet:
    """Return the addresses of the virtual network, which a default rule keeps open."""
    own = next((rule for rule in rule_set.rules if rule.id.lower() == _VNET), None)
    return NO_ADDRESSES if own is None else outside_addresses(own.remote, context.estate)[0]


def denied_behind(rule_set: RuleSet, gone: Collection[str]) -> bool:
    """Tell whether rules that people made deny something of what leaves, behind some that are to go."""
    first = min((rule.priority or 0 for rule in rule_set.rules if rule.id in gone), default=None)
    return first is not None and any(
        rule.direction == "egress" and not rule.allows and not rule.fixed and (rule.priority or 0) >= first
        for rule in rule_set.rules
    )


def vpc_rules(context: RemedyContext, network: Network) -> RuleSet | str:
    """Return the VPC firewall rules of a network, if nothing behind them judges what leaves; why not, in words."""
    estate = context.estate
    found = next(
        (
            each
            for _, each in sorted(estate.rule_sets.items())
            if each.kind == "vpc-firewall-rules" and each.network == network.id
        ),
        None,
    )
    if found is None or not found.rules or not found.rules[0].resource:
        return "the network has no VPC firewall rules yet, beside which new ones could be named"
    pipeline = estate.pipelines.get(network.pipeline)
    names = [] if pipeline is None else [stage.name for stage in pipeline.egress]
    behind = names[names.index(found.stage) + 1 :] if found.stage in names else []
    for _, each in sorted(estate.rule_sets.items()):
        if (
            each.stage in behind
            and each.network == network.id
            and each.kind != "implied-rules"
            and any(rule.direction == "egress" for rule in each.rules)
        ):
            return f"{each.label} judges behind the VPC firewall rules, and a denial there would go before its rules"
    last = max((rule.priority or 0 for rule in found.rules if rule.direction == "egress"), default=0)
    if last >= _ALLOW:
        return f"a rule with priority {last} stands where the denial would have to"
    return found


def closing_of_network(
    context: RemedyContext, rule_set: RuleSet, network: Network, wide: Sequence[At], parts: Destinations, why: Why
) -> Closing | str:
    """Return the VPC firewall rules that deny the internet; why there are none, in words.

    The inside stays open, and so does the metadata server with its name server and clock, which no rule stops. Source:
    https://cloud.google.com/firewall/docs/firewalls#alwaysallowed

    Args:
        context: what all remedies share.
        rule_set: the VPC firewall rules of the network.
        network: the network.
        wide: VPC firewall rules that let all out; they go.
        parts: what leaves.
        why: what is told of the denial.
    """
    if denied_behind(rule_set, {each.rule.id for each in wide}):
        return _DENIED
    own = PRIVATE | network.addresses
    six = any(each.addresses.v6 for each in context.estate.interfaces_in(network.id))
    ways = [
        Way(
            ALL_TRAFFIC,
            (Addresses(own if six else own & ALL_IPV4),),
            "the inside, as the implied rule let it",
            "the inside stays as it is: this is about the internet",
        ),
        *_kept_inside(context, parts, own),
        *outside_ways(parts, ALL_TRAFFIC, ALL_IPV4 | ALL_IPV6),
    ]
    everywhere = (ALL_IPV4, *([ALL_IPV6] if six else []))
    changes: list[Change] = []
    for way in ways:
        for remote in [way.remote] if way.remote is not None else [(Addresses(each),) for each in everywhere]:
            changes += _one_by_one(rule_set, way, remote)
    if len(changes) > MOST:
        return f"it would take {len(changes)} rules to keep what is needed, and more than {MOST} nobody reads"
    for each in everywhere:
        way = Way(ALL_TRAFFIC, (Addresses(each),), "what else leaves for the internet", "")
        denial = msgspec.structs.replace(_rule(rule_set, way), verdict="deny", priority=_DENY)
        changes.append(_denying((AddRule(rule_set.id, named(rule_set, denial)),), rule_set, why))
    return Closing((*changes, *_without(wide, why)))


def _one_by_one(rule_set: RuleSet, way: Way, remote: tuple[Peer, ...]) -> Iterator[Change]:
    for rule in expressed(rule_set, _rule(rule_set, way._replace(remote=remote))):
        # What VPC firewall rules let through is let through for good.
        new = msgspec.structs.replace(rule, verdict="accept", priority=_ALLOW)
        yield added((At(rule_set, new),), named(rule_set, new), way)


def _rule(rule_set: RuleSet, way: Way, anywhere: tuple[Peer, ...] = ()) -> Rule:
    return Rule(
        id="",
        direction="egress",
        verdict="next",
        traffic=way.traffic,
        remote=anywhere if way.remote is None else way.remote,
        local=ANYONE,
        description=described(rule_set, (way.text,)),
    )


def _denying(edits: Iterable[AddRule], rule_set: RuleSet, why: Why) -> Change:
    return Change(
        edits=tuple(edits),
        phase="remove",
        reason=why.reason,
        evidence=why.evidence,
        undo=f"take the denial out of {rule_set.label} again: everything leaves as before at once",
    )
