"""Empty the default group of a network, so that what is made without a choice reaches nothing.

What it changes:
    Where nobody carries the default group, its rules are removed. Where some do, a new group takes its place: with the
    rules that they need, or with the same ones where nobody knows what they need; rules elsewhere that name the default
    group name the new one too. Then each carrier gets the new group, gives the default one up, and the rules go.

What it proves:
    The new group has the same members as the default one and rules that admit no more, so that nobody gains anything.
    Each carrier has both groups until all carry the new one, so that nothing is lost on the way.

What it leaves to people:
    Carriers whose groups a launch template, a function's or a database's own setting decides: the next replacement
    would bring the default group back, so that people change that setting. Without evidence the new group is as flat as
    the old one was; to part its carriers is the next step.

How it is undone:
    The rules of the default group are added again, its carriers get it back, and the new group is detached and deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.checks.rule_lists import counted, shown_labels, traffic_words
from cloudseg.model import GroupRef
from cloudseg.model.edits import AddRule, Attach, Detach, RemoveRule
from cloudseg.remediations.interface import Change, Proposal, Remedy, RemedyExample
from cloudseg.remediations.naming import name_for, named, new_id, rule_name
from cloudseg.remediations.needed import Unknown, by_port, by_source, needed_of
from cloudseg.remediations.new_groups import new_group
from cloudseg.remediations.permissions import expressed
from cloudseg.remediations.replacing import At, Kept, Why, off_limits, removed
from cloudseg.remediations.subjects import advised

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Interface, Peer, Rule, RuleSet
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.interface import Answer

_ID: Final = "empty-default-group"
_NEW_ONES: Final = "what is made without a choice of groups from now on reaches nothing, and nobody reaches it"
_FLAT: Final = (
    "what they need of each other is not known, so that the new group is as open inside as the default one was"
)


def propose(context: RemedyContext, finding: Finding) -> Iterator[Answer]:
    """Yield what empties a default group, or what people have to change first."""
    estate = context.estate
    place = next(iter(context.located(finding)), None)
    if place is None:
        yield advised(_ID, finding, "the group is not in the estate any more", ("read the estate again",))
        return
    rule_set = place.rule_set
    members = estate.governed(rule_set)
    if why := _unclear(estate, rule_set):
        yield advised(_ID, finding, why, ("read all interfaces and their groups, and plan again",))
    elif settings := _settings(context, rule_set, members):
        steps = tuple(f"choose another group in {setting}" for setting in settings)
        yield advised(_ID, finding, f"{rule_set.label} would come back with the next replacement", steps)
    elif not members:
        yield _emptied(finding, rule_set)
    else:
        yield _moved(context, finding, rule_set, members)


def _unclear(estate: Estate, rule_set: RuleSet) -> str:
    """Return why it is not known who carries a group; empty where it is."""
    if not estate.read("interfaces", rule_set):
        return f"not every interface was read that may carry {rule_set.label}"
    unread = [each for each in estate.interfaces_in(rule_set.network or "") if each.attached_unread]
    if unread:
        return f"which groups {shown_labels(unread, 3)} carries was not read in full"
    return ""


def _settings(context: RemedyContext, rule_set: RuleSet, members: Sequence[Interface]) -> tuple[str, ...]:
    """Return the settings that attach a group to whatever they make, in words."""
    estate = context.estate
    named = [f"{each.kind} {each.label}" for _, each in sorted(estate.templates.items()) if rule_set.id in each.groups]
    made = (context.lasting(member) for member in members)
    named += [each.setting for each in made if not each.stays]
    return tuple(dict.fromkeys(named))


def _emptied(finding: Finding, rule_set: RuleSet) -> Answer:
    why = Why("nobody carries the group, and its rules wait for whoever is made without a choice", finding.evidence)
    changes = tuple(removed((At(rule_set, rule),), why) for rule in rule_set.rules)
    if not changes:
        return advised(_ID, finding, f"{rule_set.label} has no rule and no carrier")
    return Proposal(
        remedy=_ID,
        findings=(finding.id,),
        resource=rule_set.id,
        summary=f"remove {counted(len(changes), 'rule')} of {rule_set.label}, which nobody carries",
        changes=changes,
        safety="safe",
        risks=(_NEW_ONES,),
    )


def _moved(context: RemedyContext, finding: Finding, rule_set: RuleSet, members: Sequence[Interface]) -> Answer:
    estate = context.estate
    network = estate.networks.get(rule_set.network or "")
    naming = [At(*found) for found in estate.references_to(rule_set.id) if found[0].id != rule_set.id]
    if network is None:
        return advised(_ID, finding, f"the network of {rule_set.label} was not read")
    if why := off_limits(naming, estate):
        return advised(_ID, finding, f"a rule names {rule_set.label} that a plan cannot change: {why}")
    name = name_for(rule_set.id, "carriers")
    own = new_id(network, name)
    reason = f"it takes the place of {rule_set.label} for {shown_labels(members, 3)}"
    rules, known = _rules(context, rule_set, own)
    changes = [
        *new_group(network, name, rules, reason, finding.evidence),
        *(_also_named(rule_set, own, each) for each in naming),
        *(
            Change(
                edits=(Attach(member.id, own),),
                phase="add",
                reason=f"{member.label} is to have what it needs without {rule_set.label}",
                undo=f"detach the new group from {member.label}",
            )
            for member in members
        ),
        *(
            Change(
                edits=(Detach(member.id, rule_set.id),),
                phase="remove",
                reason=f"{member.label} carries the new group, and needs {rule_set.label} no longer",
                undo=f"attach {rule_set.label} to {member.label} again",
            )
            for member in members
        ),
        *(
            removed((At(rule_set, rule),), Why("nobody carries the default group any more", finding.evidence))
            for rule in rule_set.rules
        ),
        *(
            Change(
                edits=(RemoveRule(each.rule_set.id, each.rule.id),),
                phase="clean",
                reason=f"nobody carries {rule_set.label} any more, and the rule beside it names the new group",
                undo=f"add the rule for {rule_set.label} to {each.rule_set.label} again",
            )
            for each in naming
        ),
    ]
    return Proposal(
        remedy=_ID,
        findings=(finding.id,),
        resource=rule_set.id,
        summary=f"give {counted(len(members), 'interface')} a group of their own and empty {rule_set.label}",
        changes=tuple(changes),
        risks=(_NEW_ONES, *(() if known else (_FLAT,))),
        assumptions=("the members of the new group stay those that carry the default group today",),
    )


def _rules(context: RemedyContext, rule_set: RuleSet, own: str) -> tuple[tuple[Rule, ...], bool]:
    """Return the rules of the new group, which names itself for the default one; and whether all needs are known."""
    found: dict[str, Rule] = {}
    all_known = True
    for rule in rule_set.rules:
        here = At(rule_set, rule)
        needed = needed_of(context, (here,))
        if isinstance(needed, Unknown):
            all_known = False
            kept: tuple[Kept, ...] = (Kept(rule.traffic),)
        elif rule.direction == "ingress" and context.internet.public_sources(rule)[1]:
            kept = by_source(context, (here,), needed)
        else:
            kept = by_port(needed, rule.traffic)
        for each in kept:
            moved = msgspec.structs.replace(
                rule,
                traffic=each.traffic,
                remote=_with_itself(rule_set, own, rule.remote if each.remote is None else each.remote),
                description=f"needed: {traffic_words(each.traffic)}" if each.evidence else f"as in {rule_set.own_id}",
                location=None,
            )
            for new in expressed(rule_set, moved):
                known = msgspec.structs.replace(new, id=rule_name(own, new))
                found.setdefault(known.id, known)
    return tuple(found.values()), all_known


def _with_itself(rule_set: RuleSet, own: str, remote: tuple[Peer, ...]) -> tuple[Peer, ...]:
    """Return the ends of a rule with the new group in the place of the default one."""
    return tuple(GroupRef(own) if isinstance(peer, GroupRef) and peer.group == rule_set.id else peer for peer in remote)


def _also_named(rule_set: RuleSet, own: str, place: At) -> Change:
    """Return the change by which a rule elsewhere names the new group as it names the default one."""
    rule = msgspec.structs.replace(place.rule, remote=(GroupRef(own),), location=None)
    rule = named(place.rule_set, rule, place.rule)
    return Change(
        edits=(AddRule(place.rule_set.id, rule),),
        phase="add",
        reason=f"{place.rule.id} of {place.rule_set.label} names {rule_set.label}, whose carriers change over",
        undo=f"take the rule out of {place.rule_set.label} again",
    )


def _carried(*, template: bool = False) -> Estate:
    b = EstateBuilder()
    rules = (allow("ingress", "all", "sg-default"), allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-default", *rules, name="default", is_default=True)
    tags = {"aws:autoscaling:groupName": "web"} if template else {}
    b.interface("eni-1", "subnet-private", ["sg-default"], "10.0.2.10", tags=tags)
    b.interface("eni-2", "subnet-private", ["sg-default"], "10.0.2.11")
    return b.build()


def _two() -> Estate:
    return _carried()


def _of_a_template() -> Estate:
    return _carried(template=True)


def _untouched() -> Estate:
    b = EstateBuilder()
    b.group("sg-default", allow("ingress", "all", "sg-default"), name="default", is_default=True)
    return b.build()


def _one_port() -> ExampleConversations:
    row = seen("10.0.2.10", "10.0.2.11", 8080, initiator_interface="eni-1", responder_interface="eni-2")
    return ExampleConversations([row], logs_of("eni-1", "eni-2"))


_NEW: Final = name_for(EstateBuilder.id("sg-default"), "carriers")

REMEDY = Remedy(
    id=_ID,
    answers=("default-group-in-use",),
    propose=propose,
    examples=(
        RemedyExample(
            name="nobody carries it, and its rules wait",
            build=_untouched,
            check="default-group-in-use",
            changes=("remove from sg-default: ingress all from sg-default (default)",),
        ),
        RemedyExample(
            name="two instances carry it, and use one port of each other",
            build=_two,
            check="default-group-in-use",
            changes=(
                f"create group {_NEW}",
                f"remove from {_NEW}: default-egress",
                f"add to {_NEW}: ingress tcp/8080 from {_NEW}",
                f"add to {_NEW}: egress tcp/8080 to 0.0.0.0/0",
                f"attach {_NEW} to eni-1",
                f"attach {_NEW} to eni-2",
                "detach sg-default from eni-1",
                "detach sg-default from eni-2",
                "remove from sg-default: ingress all from sg-default (default)",
                "remove from sg-default: egress all to 0.0.0.0/0",
            ),
            flows=_one_port,
        ),
        RemedyExample(
            name="an auto scaling group makes one of the instances",
            build=_of_a_template,
            check="default-group-in-use",
            advice="would come back with the next replacement",
        ),
    ),
    concept={"aws": "the default security group of a VPC, its rules and its carriers"},
    absent={
        "azure": "no NSG is made or attached unasked, so that there is none to empty",
        "gcp": "no rule comes with an identity; the default network and its rules are removed by whoever owns it",
        "kubernetes": "a namespace has no policy unless somebody adds one, so that there is none to empty",
    },
)
