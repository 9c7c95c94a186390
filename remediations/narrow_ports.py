"""Narrow a rule to the ports and, where it is open to the internet, to the clients that need it.

What it changes:
    It puts rules with the ports that were used, or that the intent allows, in the place of a rule that opens many. A
    rule that is open to the internet is narrowed to the ranges that used it as well: the subnets of one's own machines,
    single addresses of others. First the narrow rules are added, then the wide one goes. In ordered lists they stand
    where it stood.

What it proves:
    A part of what a rule let through is let through by its parts, so that nobody gains anything; and every observed
    conversation and every allowance of the intent that it may have carried is carried by one of them.

What it leaves to people:
    Without flow logs over all that the rule judges, or an intent, it says what is missing. So it does where it is not
    known who opened a connection, or who somebody was; where so many clients come that listing them would be no
    narrowing; where the service is there for the public. What happens once a year is in no window: owners know.

How it is undone:
    The wide rule is added again, then the narrow ones go. In ordered lists it takes its own priority.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.checks.example_gcp import gcp_rule
from cloudseg.checks.example_gcp_intents import gcp_web_and_app, gcp_web_to_app
from cloudseg.checks.example_intents import web_and_app, web_to_app
from cloudseg.checks.example_nsgs import nsg_rule
from cloudseg.checks.rule_lists import traffic_words
from cloudseg.findings import Severity
from cloudseg.remediations.interface import Proposal, Remedy, RemedyExample
from cloudseg.remediations.needed import Unknown, by_port, by_source, needed_of
from cloudseg.remediations.replacing import Why, behind_words, off_limits, removed, rules_at, swapped, tracking_risks
from cloudseg.remediations.subjects import advised
from cloudseg.traffic import NO_TRAFFIC

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.findings import Finding
    from cloudseg.model import Estate
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.interface import Answer, Change
    from cloudseg.remediations.needed import Needed
    from cloudseg.remediations.replacing import At

_ID: Final = "narrow-ports"
_OPEN: Final = frozenset(("internet-exposed-port", "ipv6-wider-than-ipv4"))
"""Checks of which the other end is what is too wide, and not only the ports."""


def propose(context: RemedyContext, finding: Finding) -> Iterator[Answer]:
    """Yield the narrower rules for a finding, or why there are none."""
    places = rules_at(context.located(finding))
    if not places:
        yield advised(_ID, finding, "it is about no rule of a list that a plan could narrow")
    elif why := off_limits(places, context.estate):
        yield advised(_ID, finding, why)
    elif not all(rule.allows for _, rule in places):
        yield advised(_ID, finding, "it is a denial: to narrow it would open something")
    elif finding.check in _OPEN and finding.severity is Severity.INFO:
        yield advised(_ID, finding, "it is there for the public, and only its owner knows for whom else")
    else:
        needed = needed_of(context, places)
        if isinstance(needed, Unknown):
            yield advised(_ID, finding, needed.reason, needed.steps, needed.witness)
        elif not needed.passing:
            yield _of_no_use(context, finding, places, needed)
        else:
            yield _narrowed(context, finding, places, needed)


def _of_no_use(context: RemedyContext, finding: Finding, places: Sequence[At], needed: Needed) -> Answer:
    rule_set, rule = places[0]
    if needed.seen:
        steps = ("remove the rule when its owner agrees: unused-rule tells it where the logs are enough",)
        return advised(
            _ID, finding, f"nobody was seen to use {rule.id} of {rule_set.label}, so that nothing is kept", steps
        )
    why = Why("the intent allows nothing of what it lets through", (*finding.evidence, *needed.facts))
    summary = f"remove {rule.id} from {rule_set.label}, which lets nothing through that is intended"
    return _proposal(context, finding, places, (removed(places, why),), summary, needed)


def _narrowed(context: RemedyContext, finding: Finding, places: Sequence[At], needed: Needed) -> Answer:
    rule_set, rule = places[0]
    kept = by_source(context, places, needed) if finding.check in _OPEN else by_port(needed, rule.traffic)
    left = NO_TRAFFIC
    for each in kept:
        left |= each.traffic
    if not needed.traffic.overlaps(rule.traffic) or not kept or (finding.check not in _OPEN and left >= rule.traffic):
        return advised(_ID, finding, f"all that {rule.id} of {rule_set.label} lets through is used, or is intended")
    why = Why(finding.message, (*finding.evidence, *needed.facts))
    changes = swapped(context, places, kept, why)
    if isinstance(changes, str):
        return advised(_ID, finding, changes)
    summary = f"narrow {rule.id} of {rule_set.label} from {traffic_words(rule.traffic)} to {traffic_words(left)}"
    return _proposal(context, finding, places, changes, summary, needed)


def _proposal(
    context: RemedyContext,
    finding: Finding,
    places: Sequence[At],
    changes: tuple[Change, ...],
    summary: str,
    needed: Needed,
) -> Proposal:
    rule_set, rule = places[0]
    return Proposal(
        remedy=_ID,
        findings=(finding.id,),
        resource=rule_set.bearer(rule).id,
        summary=summary,
        changes=changes,
        risks=(*needed.risks, *tracking_risks(places, context.estate), *behind_words(places, context.estate)),
        drops=(f"what else {rule.id} of {rule_set.label} lets through of {traffic_words(rule.traffic)}",),
    )


def _database(*, public: bool = False) -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("egress", "tcp/5432", "10.0.0.0/16"))
    source = "0.0.0.0/0" if public else "sg-app"
    b.group("sg-db", allow("ingress", "tcp/5432" if public else "tcp/1-65535", source))
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.9", "203.0.113.9" if public else "")
    return b.build()


def _wide_group() -> Estate:
    return _database()


def _open_database() -> Estate:
    return _database(public=True)


def _one_port() -> ExampleConversations:
    row = seen("10.0.2.10", "10.0.1.9", 5432, initiator_interface="eni-app", responder_interface="eni-db")
    return ExampleConversations([row], logs_of("eni-app", "eni-db"))


def _short() -> ExampleConversations:
    row = seen("10.0.2.10", "10.0.1.9", 5432, initiator_interface="eni-app", responder_interface="eni-db")
    return ExampleConversations([row], logs_of("eni-app"))


def _wide_nsg() -> Estate:
    return web_and_app(nsg_rule("ingress", 100, "tcp/8000-8200", "asg-web"))


def _wide_tag() -> Estate:
    return gcp_web_and_app(gcp_rule("app", "ingress", "tcp/8000-8200", "tag:web", targets="tag:app"))


def _namespace() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.workload("shop", "db")
    b.policy("shop", "same-namespace", ingress=(admit("all", Pods()),))
    return b.build()


_FAR: Final = "from global/networks/vpc/tags/web to global/networks/vpc/tags/app"

REMEDY = Remedy(
    id=_ID,
    answers=("overbroad-ports", "internet-exposed-port", "self-referencing-all-traffic", "ipv6-wider-than-ipv4"),
    propose=propose,
    examples=(
        RemedyExample(
            name="a group admits every port, and one was used",
            build=_wide_group,
            check="overbroad-ports",
            changes=(
                "add to sg-db: ingress tcp/5432 from sg-app",
                "remove from sg-db: ingress tcp/1-65535 from sg-app",
            ),
            flows=_one_port,
        ),
        RemedyExample(
            name="a database is open to the internet, and used from a private subnet",
            build=_open_database,
            check="internet-exposed-port",
            changes=(
                "add to sg-db: ingress tcp/5432 from 10.0.2.0/24",
                "remove from sg-db: ingress tcp/5432 from 0.0.0.0/0",
            ),
            flows=_one_port,
        ),
        RemedyExample(
            name="a rule of an NSG opens more ports than the intent",
            build=_wide_nsg,
            check="overbroad-ports",
            changes=(
                "add to nsg-data (rg): ingress tcp/8080 from asg-web (rg) at priority 101",
                "add to nsg-web (rg): egress tcp/8080 to asg-app (rg) at priority 101",
                "remove from nsg-data (rg): ingress tcp/8000-8200 from asg-web (rg) at priority 100",
                "remove from nsg-web (rg): egress tcp/8000-8100 to asg-app (rg) at priority 100",
            ),
            intent=web_to_app,
        ),
        RemedyExample(
            name="a VPC firewall rule opens more ports than the intent",
            build=_wide_tag,
            check="overbroad-ports",
            changes=(
                "add global/firewalls/cloudseg-d71d58e5: egress tcp/8080 to 10.2.0.0/16 at priority 900",
                f"add global/firewalls/cloudseg-f11be8dd: ingress tcp/8080 {_FAR} at priority 1000",
                "remove global/firewalls/inside: egress all to 10.2.0.0/16 at priority 900",
                f"remove global/firewalls/app: ingress tcp/8000-8200 {_FAR} at priority 1000",
            ),
            intent=gcp_web_to_app,
        ),
        RemedyExample(
            name="nothing is known of what is needed",
            build=_wide_group,
            check="overbroad-ports",
            advice="no flow logs and no intent were given",
        ),
        RemedyExample(
            name="not all that the rule judges was logged",
            build=_wide_group,
            check="overbroad-ports",
            advice="what was not seen may be needed all the same",
            flows=_short,
        ),
        RemedyExample(
            name="a policy opens a namespace to itself, and nobody logged who uses what",
            build=_namespace,
            check="self-referencing-all-traffic",
            advice="no flow logs and no intent were given",
        ),
    ),
    concept={
        "aws": "rules of security groups and entries of network ACLs",
        "azure": "rules of NSGs, at the priority beside the one they replace",
        "gcp": "VPC firewall rules and rules of firewall policies, at the priority of the one they replace",
        "kubernetes": "rules of network policies",
    },
)
