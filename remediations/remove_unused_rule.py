"""Take away a rule that nobody uses, that decides nothing, or that leads nowhere.

What it changes:
    The rule is removed. A rule that is open to the internet although nothing arrives by it keeps what comes from
    private addresses; one that names a group that is gone beside others keeps the others.

What it proves:
    A redundant or shadowed rule decides nothing that other rules do not decide alike, and a reference that leads
    nowhere matches nothing: without it the same passes, whatever was logged. Of an unused rule no observed conversation
    and no allowance of the intent can have used it. Nothing arrives from the internet by a rule that is latent, so that
    its public part can go.

What it leaves to people:
    Whether an unused rule is for failover, disaster recovery or yearly work, which no window shows; whether the verdict
    of a shadowed rule was the one that was meant; a rule that names a group beside one that names addresses, where it
    is the addresses that should go. Rules that a controller or the provider owns are left alone.

How it is undone:
    The rule is added again, with its priority where it had one. Rules of AWS get a new id.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.exposure import PROBES
from cloudseg.checks.rule_lists import counted, traffic_words
from cloudseg.model import Addresses, Everyone, GroupRef, ListRef, Unresolved, is_identity
from cloudseg.reach.packets import outside_addresses
from cloudseg.remediations.interface import Proposal, Remedy
from cloudseg.remediations.needed import behind_balancer, called, unread_lists
from cloudseg.remediations.removal_examples import EXAMPLES
from cloudseg.remediations.replacing import (
    Kept,
    Why,
    behind_words,
    off_limits,
    removed,
    rules_at,
    swapped,
    tracking_risks,
)
from cloudseg.remediations.slots import stage_of
from cloudseg.remediations.subjects import advised
from cloudseg.traffic import ALL_IPV4, ALL_IPV6, NO_ADDRESSES, PRIVATE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Interface, Peer, Rule
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.interface import Answer, Change, Safety
    from cloudseg.remediations.replacing import At
    from cloudseg.traffic import AddressSet

_ID: Final = "remove-unused-rule"
_RARE: Final = (
    "failover, disaster recovery and yearly work may need it and are in no window: ask its owner what it is for"
)
_UNSURE: Final = "the logs may not show all of its use: the evidence says why"
_PROBED: Final = "probes of a load balancer may come by it, and no log shows these"
_LATER: Final = "what is to come may count on it: a launch template, a machine that is switched off, a planned address"
_PUBLIC_WAYS: Final = frozenset(("internet-gateway", "nat-gateway", "egress-only-gateway", "endpoint", "drop"))
"""Where routes lead from which nobody comes by a private way."""
_MEANT: Final = "keep it"
"""How the advice of a finding begins where it is the other rule that should go."""


def propose(context: RemedyContext, finding: Finding) -> Iterator[Answer]:
    """Yield what takes a rule away, or why it stays."""
    places = rules_at(context.located(finding))
    if not places:
        yield advised(_ID, finding, "the rule is not in the estate any more", ("read the estate again",))
    elif why := off_limits(places, context.estate):
        yield advised(_ID, finding, why)
    else:
        match finding.check:
            case "unused-rule":
                yield _unused(context, finding, places)
            case "redundant-rule" | "shadowed-rule":
                yield _idle(finding, places)
            case "stale-group-reference":
                yield _stale(context, finding, places)
            case _:
                yield _latent(context, finding, places)


def _unused(context: RemedyContext, finding: Finding, places: Sequence[At]) -> Answer:
    rule_set, rule = places[0]
    stage = stage_of(rule_set, context.estate)
    if context.matrix is not None and stage is not None and not stage.stateful:
        reason = f"{rule_set.label} keeps no connections, and answers to what the intent allows may come by {rule.id}"
        return advised(_ID, finding, reason)
    if rule_set.provider == "gcp" and _of_probes(context.estate, rule):
        reason = f"health checks come by {rule.id}, which few logs show, and machines that fail them get no traffic"
        return advised(_ID, finding, reason)
    for place in places:
        through = context.through(*place)
        if through.passing or through.unknown or through.unplaced:
            first = through.passing[0] if through.passing else None
            meant = first is not None and first.intended and not first.connections
            if first is None:
                return advised(_ID, finding, f"conversations of which an end is not known may have used {rule.id}")
            reason = f"the intent allows what {rule.id} of {rule_set.label} lets through"
            if not meant:
                reason = f"{rule.id} of {rule_set.label} may have been used after all"
            return advised(_ID, finding, reason, (), f"{called(context.estate, first.other)} {first.traffic}")
    why = Why("nobody was seen to use it, and everything that it judges was logged", finding.evidence)
    probed = (_PROBED,) if any(behind_balancer(context, place) for place in places) else ()
    unsure = (_UNSURE,) if finding.confidence == "low" else ()
    risks = (_RARE, *unsure, *probed, *tracking_risks(places, context.estate), *behind_words(places, context.estate))
    return _proposal(finding, places, (removed(places, why),), "needs review", risks)


def _of_probes(estate: Estate, rule: Rule) -> bool:
    """Tell whether a rule admits health checks of Google Cloud and nobody else."""
    most = outside_addresses(rule.remote, estate)[1]
    return rule.direction == "ingress" and bool(most) and most <= PROBES


def _idle(finding: Finding, places: Sequence[At]) -> Answer:
    rule = places[0].rule
    advice = "" if finding.remedy is None else finding.remedy.summary
    if any(is_identity(peer) for peer in rule.remote) and advice.startswith(_MEANT):
        reason = "rules for addresses admit the same, and it is them that should go: this one names who is meant"
        return advised(_ID, finding, reason)
    why = Why("other rules decide all of it alike, so that nothing changes without it", finding.evidence)
    if finding.check == "shadowed-rule":
        why = Why(
            "rules before it decide all of it, so that it never does and nothing changes without it", finding.evidence
        )
    doubts = (
        ()
        if "narrow" not in advice and "if its verdict" not in advice
        else ("see whether it says what was meant, and the other rule does not",)
    )
    return _proposal(finding, places, (removed(places, why),), "safe", doubts)


def _stale(context: RemedyContext, finding: Finding, places: Sequence[At]) -> Answer:
    gone = _named(finding, places[0])
    kept = tuple(peer for peer in places[0].rule.remote if peer not in gone)
    sure = finding.confidence == "high"
    safety: Safety = "safe" if sure else "needs review"
    risks = () if sure else ("a network or an account that was not read may still know the group",)
    why = Why("it names a group that leads nowhere, and so matches nothing", finding.evidence)
    if not kept:
        return _proposal(finding, places, (removed(places, why),), safety, risks)
    rule = places[0].rule
    changes = swapped(context, places, (Kept(rule.traffic, kept, ("the other ends of the rule are there",)),), why)
    if isinstance(changes, str):
        return advised(_ID, finding, changes)
    return _proposal(finding, places, changes, safety, risks)


def _named(finding: Finding, place: At) -> tuple[Peer, ...]:
    """Return the ends of a rule that a finding calls stale: the only one, or those that its words name."""
    remote = place.rule.remote
    if len(remote) == 1:
        return remote
    return tuple(
        peer
        for peer in remote
        if isinstance(peer, GroupRef) and peer.group.rpartition("/")[2].rpartition(":")[2] in finding.message
    )


def _latent(context: RemedyContext, finding: Finding, places: Sequence[At]) -> Answer:
    rule_set, rule = places[0]
    if finding.reachable is not False:
        return advised(
            _ID, finding, f"whether the internet gets in by {rule.id} of {rule_set.label} is not known for sure"
        )
    if unread := unread_lists(context.estate, rule):
        return advised(_ID, finding, unread)
    read = context.estate.read("interfaces", rule_set) and not any(context.judged(*place) for place in places)
    if not read and any(isinstance(peer, Unresolved) for peer in rule.remote):
        return advised(_ID, finding, f"whom {rule.id} of {rule_set.label} admits was not read in full")
    facts = tuple(each for each in finding.evidence if each.startswith("not reachable"))
    why = Why("it is open to the internet, and nothing from there arrives by it", finding.evidence)
    risks = (_LATER, *tracking_risks(places, context.estate), *behind_words(places, context.estate))
    kept = {() if read else _private_part(context.estate, place) for place in places}
    if kept == {()}:
        return _proposal(finding, places, (removed(places, why),), "needs review", risks)
    if len(kept) > 1:
        return advised(_ID, finding, f"{rule.id} means something else at each of its places", ("narrow it by hand",))
    private = Kept(rule.traffic, next(iter(kept)), (*facts, "what comes from private addresses is kept"))
    changes = swapped(context, places, (private,), why)
    if isinstance(changes, str):
        return advised(_ID, finding, changes)
    return _proposal(finding, places, changes, "needs review", risks)


def _private_part(estate: Estate, place: At) -> tuple[Peer, ...]:
    """Return the ends of a rule without the internet: its groups, and addresses from which packets come privately."""
    groups = tuple(peer for peer in place.rule.remote if isinstance(peer, GroupRef))
    plain = tuple(peer for peer in place.rule.remote if isinstance(peer, Addresses | Everyone | ListRef))
    if not plain:
        return groups
    inside = NO_ADDRESSES
    for interface in estate.governed(place.rule_set):
        inside |= _arriving(estate, interface)
    private = outside_addresses(plain, estate)[1] & inside
    return (*groups, *((Addresses(private),) if private else ()))


def _arriving(estate: Estate, interface: Interface) -> AddressSet:
    """Return the addresses from which packets come to an interface without the internet, or may come.

    Whoever has no route back is heard and never answered, so that the routes of its network tell.
    """
    network = estate.networks.get(interface.network or "")
    families = NO_ADDRESSES
    if interface.addresses.v4 or not interface.addresses:
        families |= ALL_IPV4
    if interface.addresses.v6 or not interface.addresses:
        families |= ALL_IPV6
    own = PROBES if interface.provider == "gcp" else NO_ADDRESSES
    if network is None or not network.addresses or not estate.read("routes", network):
        return (PRIVATE | own | (NO_ADDRESSES if interface.provider == "aws" else estate.served)) & families
    found = network.addresses | own
    for table in estate.route_tables.values():
        for route in table.routes if table.network == network.id else ():
            if route.active and route.kind not in _PUBLIC_WAYS:
                found |= outside_addresses((route.destination,), estate)[1] & (
                    PRIVATE | _not_whole(route.destination, estate)
                )
    return found & families


def _not_whole(destination: Addresses | ListRef, estate: Estate) -> AddressSet:
    """Return where a route leads that is not the default route."""
    addresses = outside_addresses((destination,), estate)[1]
    return NO_ADDRESSES if addresses >= ALL_IPV4 or addresses >= ALL_IPV6 else addresses


def _proposal(
    finding: Finding, places: Sequence[At], changes: tuple[Change, ...], safety: Safety, risks: tuple[str, ...]
) -> Proposal:
    rule_set, rule = places[0]
    does = "remove" if len(changes) == 1 else "narrow"
    at = f", at {counted(len(places), 'place')}" if len(places) > 1 else ""
    return Proposal(
        remedy=_ID,
        findings=(finding.id,),
        resource=rule_set.bearer(rule).id,
        summary=f"{does} {rule.id} of {rule_set.label}{at}: {traffic_words(rule.traffic)}",
        changes=changes,
        safety=safety,
        risks=risks,
    )


REMEDY = Remedy(
    id=_ID,
    answers=("unused-rule", "redundant-rule", "shadowed-rule", "stale-group-reference", "latent-internet-rule"),
    propose=propose,
    examples=EXAMPLES,
    concept={
        "aws": "rules of security groups and entries of network ACLs",
        "azure": "rules of NSGs, wherever the NSG stands",
        "gcp": "VPC firewall rules and rules of firewall policies",
        "kubernetes": "rules of network policies; a policy that isolates stays, without its rule",
    },
)
