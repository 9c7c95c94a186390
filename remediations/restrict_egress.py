"""Let out what is needed in the place of everything: groups, the cloud's services, names, and addresses with an owner.

What it changes:
    A rule that lets everything out to the internet becomes rules for what was seen or is meant: groups inside, the
    prefix list or service tag of the cloud's own services, the ports of what goes to names, and ranges for addresses of
    which no name is known, with who answers for them and until when. In NSGs and VPC firewall rules, where a default
    rule that nobody can change lets everything out, the same comes before a denial of the internet.

What it proves:
    What is let out is let out today, so that nobody gains anything; and every observed conversation and every allowance
    of the intent passes before, between and after. Name servers, metadata and clocks of the platform are stopped by
    none of these lists.

What it leaves to people:
    The allow-list of names belongs into the cloud's own firewall, and is written out to be pasted there: AWS Network
    Firewall in alert mode first, an Azure Firewall policy, FQDN objects of Cloud NGFW, Cilium. No list at an interface
    judges by name for sure, so that ports to everywhere stay there. Without flow logs over all that a rule judges, or
    an intent, nothing is narrowed. Routes, NAT gateways and private subnets are for people to make.

How it is undone:
    The rule that let everything out is added again, or the denial taken out, and then the narrow rules go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks import default_outbound_access, unfiltered_internet_route, unrestricted_egress
from cloudseg.checks.rule_lists import counted, shown, shown_labels
from cloudseg.model import Addresses, Network, Subnet
from cloudseg.model.edits import AddRule, AddRuleSet, CreateGroup
from cloudseg.reach.packets import outside_addresses
from cloudseg.remediations.allow_lists import allow_list_steps
from cloudseg.remediations.destinations import Destinations, destinations
from cloudseg.remediations.egress_closing import closing_of_network, closing_of_nsg, vpc_rules
from cloudseg.remediations.egress_examples import EXAMPLES
from cloudseg.remediations.egress_groups import Inside, inside_by_groups, inside_of
from cloudseg.remediations.egress_lists import Opening, openings
from cloudseg.remediations.egress_platform import platform_needs
from cloudseg.remediations.egress_rules import Way, inside_ways, outside_ways, owners_missing, replaced
from cloudseg.remediations.interface import Advice, Proposal, Remedy
from cloudseg.remediations.needed import Unknown, needed_of
from cloudseg.remediations.passing import Passing
from cloudseg.remediations.replacing import At, Why, behind_words, off_limits, removed, tracking_risks
from cloudseg.remediations.subjects import advised, subject_of
from cloudseg.remediations.wants import wants_of
from cloudseg.traffic import NO_ADDRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.findings import Finding
    from cloudseg.model import Interface, RuleSet
    from cloudseg.model.edits import Edit
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.interface import Answer, Change
    from cloudseg.remediations.needed import Needed

_ID: Final = "restrict-egress"
_NAMES: Final = "give logs of DNS or of a firewall with --names, so that destinations are known by name"
_ASKED: Final = (
    "nothing but the intent says what is needed: what it forgets, such as updates, agents and licences, is cut"
)
_NEW: Final = "what is to leave for a new destination is denied until a rule lets it out"
_SHOWN: Final = 5


def propose(context: RemedyContext, finding: Finding) -> Iterator[Answer]:
    """Yield what lets out what is needed alone, and the allow-list of names for a firewall."""
    if finding.check == unrestricted_egress.CHECK.id:
        yield from _unrestricted(context, finding)
    else:
        yield _by_people(context, finding)


def _unrestricted(context: RemedyContext, finding: Finding) -> Iterator[Answer]:
    found = openings(context, finding)
    if not found:
        reason = "what lets everything out is no rule that a plan could narrow"
        yield advised(_ID, finding, reason)
        return
    unsure: dict[str, tuple[Unknown, list[str]]] = {}
    parts: list[Destinations] = []
    for each in found:
        answer = _closed(context, finding, each, parts) if each.closing else _narrowed(context, finding, each, parts)
        if isinstance(answer, Proposal):
            yield answer
        else:
            unsure.setdefault(answer.reason, (answer, []))[1].append(each.label)
    for reason, (unknown, labels) in unsure.items():
        yield advised(_ID, finding, f"{shown(labels, _SHOWN)}: {reason}", unknown.steps, unknown.witness)
    yield from _for_firewall(context, finding, parts)


def _for_firewall(context: RemedyContext, finding: Finding, parts: Sequence[Destinations]) -> Iterator[Answer]:
    """Yield the allow-list of names, or that names are wanted; nothing where nothing leaves."""
    together = _united(parts)
    where = _where(finding)
    others = _unanswered(context, finding)
    if steps := allow_list_steps(finding.provider, together, where, others):
        yield advised(_ID, finding, f"lists at interfaces judge by address: {where} needs a firewall for names", steps)
    elif together.plain or together.anywhere:
        yield advised(_ID, finding, f"of what {where} reaches outside no name is known", (_NAMES,))


def _unanswered(context: RemedyContext, finding: Finding) -> tuple[str, ...]:
    """Return the names that those who stand in a network asked for and of which no log tells an address."""
    if context.names is None:
        return ()
    network, subnet = subject_of(context, finding, Network), subject_of(context, finding, Subnet)
    held = network.addresses if network is not None else NO_ADDRESSES if subnet is None else subnet.addresses
    return context.names.unanswered(finding.provider, held)


def _united(parts: Sequence[Destinations]) -> Destinations:
    return Destinations(
        tuple(each for one in parts for each in one.inside),
        tuple(each for one in parts for each in one.services),
        tuple(each for one in parts for each in one.named),
        tuple(each for one in parts for each in one.anywhere),
        tuple(each for one in parts for each in one.plain),
    )


def _where(finding: Finding) -> str:
    name = finding.resource.name or finding.resource.id
    return f"namespace {name}" if finding.provider == "kubernetes" else name


def _narrowed(
    context: RemedyContext, finding: Finding, opening: Opening, parts: list[Destinations]
) -> Proposal | Unknown:
    """Return narrower rules in the place of those of a list that let everything out, or why there are none."""
    rule_set = opening.lists[0]
    changes: dict[object, Change] = {}
    ends: list[Change] = []
    risks: dict[str, None] = {}
    inside = Inside()
    for places in opening.rules:
        if why := off_limits(places, context.estate):
            return Unknown(why)
        if (unsafe := platform_needs(context, places)) is not None:
            return unsafe
        needed = needed_of(context, places)
        if isinstance(needed, Unknown):
            return needed
        if not needed.passing:
            if context.matrix is not None:
                # The intent names all that is meant, and this is not in it.
                why_gone = Why("nothing that it lets out is intended", (*finding.evidence, *needed.facts))
                ends.append(removed(places, why_gone))
            continue
        own = destinations(context, rule_set, needed.passing)
        parts.append(own)
        grouped = _grouped(context, finding, places, own)
        made = _changes(context, finding, places, needed, own, grouped)
        if isinstance(made, str):
            return Unknown(made)
        for change in (*(() if grouped is None else grouped.changes), *made[:-1]):
            changes.setdefault(_key(change), change)
        ends.append(made[-1])
        words = (*_risks(needed), *tracking_risks(places, context.estate), *behind_words(places, context.estate))
        risks.update(dict.fromkeys((*words, *owners_missing(own.plain))))
        inside = inside if grouped is None else grouped
    if not ends:
        return Unknown("nobody was seen to use it: unused-rule tells it where the logs are enough")
    return Proposal(
        remedy=_ID,
        findings=(finding.id,),
        resource=rule_set.id,
        summary=f"let out of {rule_set.label} what is needed in the place of everything",
        changes=(*changes.values(), *ends),
        risks=(*risks, *(each for each in inside.risks if each not in risks), _NEW),
        considered=inside.considered,
        drops=(f"what else {rule_set.label} lets out", *(f"inside: {each}" for each in inside.drops)),
        assumptions=inside.assumptions,
    )


def _key(change: Change) -> object:
    """Return what tells changes apart: rules and groups that say the same have the same id, however described."""
    return tuple(_said(each) for each in change.edits)


def _said(edit: Edit) -> object:
    match edit:
        case AddRule(rule_set, rule):
            return rule_set, rule.id
        # Groups and lists hold their tags, which have no hash.
        case CreateGroup(group):
            return "group", group.id
        case AddRuleSet(rule_set):
            return "list", rule_set.id
        case _:
            return edit


def _grouped(context: RemedyContext, finding: Finding, places: Sequence[At], own: Destinations) -> Inside | None:
    """Return the groups for the inside; None where ranges have to do."""
    if places[0].rule_set.provider != "aws" or not own.inside:
        return None
    return inside_by_groups(context, finding, places, _ID)


def _changes(
    context: RemedyContext,
    finding: Finding,
    places: Sequence[At],
    needed: Needed,
    own: Destinations,
    grouped: Inside | None,
) -> tuple[Change, ...] | str:
    rule = places[0].rule
    admitted = outside_addresses(rule.remote, context.estate)[1]
    ways = outside_ways(own, rule.traffic, admitted)
    if places[0].rule_set.provider == "kubernetes":
        ways = [*_stays_inside(context, places[0]), *ways]
    elif grouped is None:
        ways = [*inside_ways(context, places, needed, own.inside), *ways]
    why = Why(finding.message, (*finding.evidence, *needed.facts))
    return replaced(context, places, ways, why, 0 if grouped is None else len(grouped.changes))


def _stays_inside(context: RemedyContext, place: At) -> Iterator[Way]:
    """Yield the private part of a policy's range: pods have no addresses that a range could be narrowed to."""
    if inside := inside_of(context, place.rule):
        text = "the inside, as it was"
        reason = "the inside stays as it is: this is about the internet"
        yield Way(place.rule.traffic, (Addresses(inside),), text, reason)


def _closed(
    context: RemedyContext, finding: Finding, opening: Opening, parts: list[Destinations]
) -> Proposal | Unknown:
    """Return a denial of the internet behind what is needed of it, or why there is none."""
    rule_set = opening.lists[0]
    defaults = opening.defaults
    wide = tuple(each for places in opening.rules for each in places)
    if why_not := off_limits(wide, context.estate) or _kept(opening):
        return Unknown(why_not)
    needed = platform_needs(context, (*defaults, *wide)) or needed_of(context, (*defaults, *wide))
    if isinstance(needed, Unknown):
        return needed
    why = Why(finding.message, (*finding.evidence, *needed.facts))
    network = None if opening.network is None else context.estate.networks.get(opening.network)
    target: RuleSet | str = rule_set if network is None else vpc_rules(context, network)
    if isinstance(target, str):
        return Unknown(target)
    own = destinations(context, target, needed.passing)
    parts.append(own)
    made = (
        closing_of_nsg(context, defaults, wide, own, why)
        if network is None
        else closing_of_network(context, target, network, wide, own, why)
    )
    if isinstance(made, str):
        return Unknown(made)
    return Proposal(
        remedy=_ID,
        findings=(finding.id,),
        resource=target.id,
        summary=f"deny in {target.label} what leaves for the internet and is not needed",
        changes=made.changes,
        risks=(*_risks(needed), *owners_missing(own.plain), _NEW),
        drops=(f"what else {rule_set.label} lets out to the internet",),
    )


def _risks(needed: Needed) -> tuple[str, ...]:
    return needed.risks if needed.seen else (*needed.risks, _ASKED)


def _kept(opening: Opening) -> str:
    rule_set = opening.lists[0]
    if rule_set.managed_by and rule_set.managed_by != rule_set.provider:
        return f"it is managed by {rule_set.managed_by}, which would take the rules out"
    return ""


def _by_people(context: RemedyContext, finding: Finding) -> Advice:
    """Return what people can do about a way out, with what leaves by it."""
    subnet = subject_of(context, finding, Subnet)
    network = subject_of(context, finding, Network)
    where = _where(finding)
    if subnet is None and network is None:
        return advised(_ID, finding, "it is not in the estate any more", ("read the estate again",))
    name = network.id if network is not None else "" if subnet is None else subnet.network
    here = context.estate.interfaces_in(name)
    own = tuple(each for each in here if subnet is None or each.subnet == subnet.id)
    first = "routes, NAT gateways and firewalls are for people to make"
    steps = () if finding.remedy is None else (finding.remedy.summary,)
    lists = [each for _, each in sorted(context.estate.rule_sets.items()) if each.provider == finding.provider]
    if not lists or not own:
        return advised(_ID, finding, first, steps)
    wants = wants_of(context, own, "egress", lists[0])
    if isinstance(wants, Unknown):
        return advised(_ID, finding, f"{first}; what leaves is not known: {wants.reason}", (*steps, *wants.steps))
    passing = tuple(
        Passing(each.other, each.traffic, each.connections, each.last_seen, each.intended) for each in wants.wants
    )
    parts = destinations(context, lists[0], passing)
    others = _unanswered(context, finding)
    found = (*steps, *_seen(parts, own), *allow_list_steps(finding.provider, parts, where, others))
    if parts.plain and not (parts.named or others):
        found = (*found, _NAMES)
    return advised(_ID, finding, first, found)


def _seen(parts: Destinations, own: Sequence[Interface]) -> Iterator[str]:
    outside = (*parts.plain, *parts.by_name, *(user for each in parts.services for user in each.users))
    if not outside:
        yield f"nothing of {shown_labels(list(own), 3)} was seen to leave: a private subnet would do"
    for each in parts.services:
        yield f"{each.list.label} is used: an endpoint for it needs no way to the internet"
    if parts.plain:
        ends = shown(sorted({each.other.address for each in parts.plain}), _SHOWN)
        yield f"{counted(len(parts.plain), 'destination')} without a name: {ends}"


REMEDY = Remedy(
    id=_ID,
    answers=(unrestricted_egress.CHECK.id, unfiltered_internet_route.CHECK.id, default_outbound_access.CHECK.id),
    propose=propose,
    examples=EXAMPLES,
    concept={
        "aws": "egress rules of security groups: groups, prefix lists, ports, observed ranges",
        "azure": "outbound rules of NSGs with service tags, and a denial of the internet behind them",
        "gcp": "egress rules of a network's VPC firewall rules, and a denial behind them",
        "kubernetes": "egress rules of network policies that admit the internet",
    },
)
