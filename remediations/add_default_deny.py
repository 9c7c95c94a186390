"""Deny what nobody needs where everything passes today: in NSGs, in namespaces, at interfaces that nothing filters.

What it changes:
    In an NSG it admits what is needed of what the default rule lets in, and the probes of the load balancer, and then
    denies all else with priority 4096. A subnet without an NSG gets one that does the same. In a namespace it admits
    what each workload needs, with DNS for those that it isolates for egress, and adds a policy that isolates every pod;
    a rule that admits everything is taken out. An interface of AWS without a group gets one.

What it proves:
    Whatever is admitted passes today, so that nobody gains anything, also on the way: a temporary policy keeps a
    namespace open until all that is needed is admitted. Every observed conversation and every allowance of the intent
    passes before, between and after.

What it leaves to people:
    Without flow logs over all that would be isolated, or an intent, nothing is denied. Subnets that the platform
    manages (delegated ones, those of application gateways, bastions and gateways) keep its rules, and are left to their
    owner. A plan opens nothing, so that a policy that lacks DNS is mended by hand. What no log shows, such as webhooks
    and probes from other nodes, is named as a risk.

How it is undone:
    The denial goes first, then the rules that it needed. In a namespace the temporary policy is applied again, which
    opens it at once, and then the others are deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks import missing_default_deny, missing_dns_egress, unfiltered_interface
from cloudseg.checks.clusters import clusters, namespace_resource
from cloudseg.checks.isolation import left_open
from cloudseg.checks.rule_lists import counted, shown_labels
from cloudseg.findings import Severity, fingerprint
from cloudseg.model import Interface, Subnet
from cloudseg.remediations.bare_interfaces import grouped, listed
from cloudseg.remediations.deny_examples import EXAMPLES
from cloudseg.remediations.deny_nsg import PROBES, allows, closing, numbered, platform_subnet
from cloudseg.remediations.deny_pods import closing as isolating
from cloudseg.remediations.interface import Proposal, Remedy
from cloudseg.remediations.needed import Unknown, needed_of
from cloudseg.remediations.replacing import At
from cloudseg.remediations.subjects import advised, subject_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.findings import Finding
    from cloudseg.model import Direction, Estate, Resource, Rule, RuleSet
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.interface import Answer

_ID: Final = "add-default-deny"
_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")
_OPENS: Final = "a plan opens nothing, and this would admit what no policy admits today"
_NEW: Final = "what comes to stand there later is denied until a rule admits it"


def propose(context: RemedyContext, finding: Finding) -> Iterator[Answer]:
    """Yield what denies all else, or what people have to find out first."""
    if finding.check == missing_dns_egress.CHECK.id:
        yield advised(_ID, finding, _OPENS)
    elif finding.check == unfiltered_interface.CHECK.id:
        yield _unfiltered(context, finding)
    elif finding.provider == "kubernetes":
        yield _of_namespace(context, finding)
    else:
        yield _of_nsg(context, finding)


def _of_nsg(context: RemedyContext, finding: Finding) -> Answer:
    estate = context.estate
    lists = tuple(place.rule_set for place in context.located(finding))
    if not lists:
        return advised(_ID, finding, "the NSG is not in the estate any more", ("read the estate again",))
    first = lists[0]
    if first.managed_by:
        return advised(_ID, finding, f"{first.label} is managed by {first.managed_by}, which would take the rules out")
    governed = [each for rule_set in lists for each in estate.governed(rule_set)]
    subnets = {each.subnet for each in governed if each.subnet}
    if why := _of_platform(estate, lists, subnets, governed):
        return advised(_ID, finding, f"a denial of all else is refused there: {why}", _BY_HAND)
    defaults = _defaults(lists)
    if not defaults:
        own = "rules of its own admit everything from inside"
        return advised(_ID, finding, f"the default rule of {first.label} was not read, or {own}: narrow these first")
    if wide := _own_wide(finding, first):
        return advised(_ID, finding, f"{wide} of {first.label} admits everything from inside: narrow that first")
    needed = needed_of(context, defaults)
    if isinstance(needed, Unknown):
        return advised(_ID, finding, needed.reason, needed.steps, needed.witness)
    probes = next((rule for rule in first.rules if rule.id == PROBES), None)
    entries = allows(context, needed.passing, defaults[0].rule.traffic)
    rules = numbered(first, entries, probes)
    if isinstance(rules, str):
        return advised(_ID, finding, rules)
    return Proposal(
        remedy=_ID,
        findings=(finding.id,),
        resource=first.id,
        summary=f"deny in {first.label} what is not needed of the virtual network",
        changes=tuple(closing(lists, rules, (*finding.evidence, *needed.facts))),
        risks=(*needed.risks, _NEW),
        drops=(
            f"what else the default rule of {first.label} lets in from the virtual network and what it is joined to",
        ),
    )


_BY_HAND: Final = ("add it by hand, with the rules that the platform's pages ask for",)


def _of_platform(estate: Estate, lists: Sequence[RuleSet], subnets: set[str], governed: Sequence[Interface]) -> str:
    required = [rule for rule_set in lists for rule in rule_set.rules if rule.required]
    if required:
        return f"{required[0].id} lets the platform manage a service there"
    beside = [each for name in sorted(subnets) for each in _standing_in(estate, name)]
    return platform_subnet(estate, subnets, (*governed, *beside))


def _standing_in(estate: Estate, subnet: str) -> list[Interface]:
    network = estate.subnets[subnet].network if subnet in estate.subnets else ""
    return [each for each in estate.interfaces_in(network) if each.subnet == subnet]


def _defaults(lists: Sequence[RuleSet]) -> tuple[At, ...]:
    """Return the default rule that lets the virtual network in, at every place; none where one lacks it."""
    found: list[At] = []
    for rule_set in lists:
        own = [rule for rule in rule_set.rules if _is_default(rule)]
        if not own:
            return ()
        found += [At(rule_set, rule) for rule in own]
    return tuple(found)


def _is_default(rule: Rule) -> bool:
    return rule.fixed and rule.allows and rule.direction == "ingress" and rule.id != PROBES


def _own_wide(finding: Finding, rule_set: RuleSet) -> str:
    """Return the first rule of the owner's that a finding names as what admits everything; empty for none."""
    own = [rule.id for rule in rule_set.rules if not rule.fixed and rule.allows and rule.direction == "ingress"]
    _, _, said = finding.message.partition("from inside: ")
    return next((name for name in own if said.startswith((f"{name} ", f"{name},"))), "")


def _of_namespace(context: RemedyContext, finding: Finding) -> Answer:
    for cluster in clusters(context.estate):
        if cluster.network.scope != finding.scope or finding.resource.id not in cluster.namespaces:
            continue
        namespace = cluster.namespaces[finding.resource.id]
        resource = namespace_resource(cluster, namespace.name, None)
        direction = _direction_of(finding, resource)
        if direction is None:
            break
        if finding.severity is Severity.INFO:
            return advised(_ID, finding, "the cluster keeps this namespace itself")
        found = left_open(context.estate, namespace, direction)
        closed = isolating(context, cluster, namespace, direction, found)
        if isinstance(closed, Unknown):
            return advised(_ID, finding, closed.reason, closed.steps, closed.witness)
        return Proposal(
            remedy=_ID,
            findings=(finding.id,),
            resource=resource.id,
            summary=f"isolate {counted(len(found.certain), 'workload')} of namespace {namespace.name} for {direction}",
            changes=closed.changes,
            risks=(*closed.risks, _NEW),
            drops=(f"whatever else passes today {'to' if direction == 'ingress' else 'from'} these workloads",),
        )
    return advised(_ID, finding, "the namespace is not in the estate any more", ("read the estate again",))


def _direction_of(finding: Finding, resource: Resource) -> Direction | None:
    """Return the direction of which a finding about a namespace tells: its id follows from that."""
    for direction in _DIRECTIONS:
        if fingerprint(finding.check, resource, aspect=direction) == finding.id:
            return direction
    return None


def _unfiltered(context: RemedyContext, finding: Finding) -> Answer:
    subnet = subject_of(context, finding, Subnet)
    if subnet is not None:
        made = listed(context, subnet)
    else:
        own = set(finding.affected)
        bare = [
            each
            for _, each in sorted(context.estate.interfaces.items())
            if each.own_id in own and each.scope == finding.scope
        ]
        made = grouped(context, bare)
    if isinstance(made, Unknown):
        return advised(_ID, finding, made.reason, made.steps, made.witness)
    where = subnet.label if subnet is not None else shown_labels(made.interfaces, 3)
    return Proposal(
        remedy=_ID,
        findings=(finding.id,),
        resource=made.resource,
        summary=f"filter {where}, which nothing filters",
        changes=made.changes,
        risks=(*made.risks, _NEW),
        drops=(f"whatever else comes to {where} today",),
    )


REMEDY = Remedy(
    id=_ID,
    answers=tuple(each.CHECK.id for each in (missing_default_deny, missing_dns_egress, unfiltered_interface)),
    propose=propose,
    examples=EXAMPLES,
    concept={
        "aws": "a group for interfaces that carry none",
        "azure": "an explicit denial behind the rules of an NSG, and NSGs for subnets without one",
        "kubernetes": "network policies that admit what is needed, and one that isolates a whole namespace",
    },
    absent={
        "gcp": "the implied rules of every network deny all that no rule admits inward; what leaves is the subject of "
        "restrict-egress",
    },
)
