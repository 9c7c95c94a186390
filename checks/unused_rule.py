"""A rule that nobody was seen to use.

What it finds:
    Allowing rules of groups, NSGs, firewalls, network ACLs and network policies that no observed conversation can have
    used, in the file that `--flows` names. A rule counts as used by every conversation that it can have let through,
    together with other rules or alone: answers in lists that keep connections do not count, and refused ones make a
    finding less sure, as somebody asked for what the rule allows. Where it is not known who one end was, or who opened
    the connection, every rule that may have let it through counts as used; so does every rule of what no rule of today
    lets through, as ends change groups and addresses, and every rule that a log itself names.
    Nothing is said of a rule unless everything it judges had its accepted traffic logged over the whole window; how
    many rules are left out for that, and why, stands in the status of the check. Windows shorter than a setting are not
    judged at all. Left out are rules that the provider keeps or requires, those of default network ACLs, rules that are
    for nobody, and rules for what no flow log records: names and time that the cloud itself tells, its hosts.

Why it matters:
    A rule that nobody uses opens a way for an intruder and for nobody else. It can go without anybody missing it.

Example:
    ``tcp/8080 from sg-batch`` in the group of a database, while in 35 days of flow logs only ``tcp/5432`` came from
    there.

Remedy:
    Ask who owns the rule what it is for: failover, disaster recovery and yearly work may not have happened in the
    window. Then remove it. Clouds do not all tell when a rule was made: one that is younger than the window had no
    time to be used.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.interface import Check, Parameter
from cloudseg.checks.rule_lists import counted, managed, traffic_words
from cloudseg.checks.unused_examples import EXAMPLES
from cloudseg.checks.unused_verdicts import verdicts
from cloudseg.findings import Remedy, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.checks.unused_verdicts import Place
    from cloudseg.findings import Confidence, Finding
    from cloudseg.observed.observed import Observed

_REMEDY: Final = "ask its owner what it is for, then remove the rule"
_SHOWN: Final = 3
MINIMUM = Parameter(
    "minimum_days", 7, "Windows of fewer days are not judged: what happens once a week would look unused.", minimum=1
)
WANTED = Parameter(
    "wanted_days", 30, "Findings that rest on fewer days have a low confidence: nothing monthly is in them.", minimum=1
)


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every rule that no conversation can have used."""
    if context.observed is None:
        return
    common = _common(context, context.observed)
    for verdict in verdicts(context, context.observed):
        if not verdict.silent:
            yield _finding(context, context.observed, verdict.place, common)


def precondition(context: AuditContext) -> str:
    """Return why no rule can be called unused; empty where some can be."""
    observed = context.observed
    if observed is None:
        return "no observed conversations were given; `cloudseg flows` makes a file of them for --flows"
    days, least = observed.logged.days, context.number(MINIMUM.name)
    if days < least:
        return f"the conversations cover {counted(days, 'day')}, and it asks for {least} (minimum_days)"
    return ""


def limits(context: AuditContext) -> str:
    """Return of how many rules nothing is said, and why; empty where something is said of all."""
    if context.observed is None:
        return ""
    reasons = Counter(verdict.silent for verdict in verdicts(context, context.observed) if verdict.silent)
    if not reasons:
        return ""
    ordered = sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
    more = f", and {counted(len(ordered) - _SHOWN, 'other reason')}" if len(ordered) > _SHOWN else ""
    shown = "; ".join(f"{count:,} where {reason}" for reason, count in ordered[:_SHOWN])
    total = sum(reasons.values())
    return f"the logs do not cover all that {counted(total, 'rule')} without seen use would judge: {shown}{more}"


class _Common(NamedTuple):
    """What every finding says: how sure it is, and what it rests on."""

    doubts: tuple[str, ...]
    facts: tuple[str, ...]


def _common(context: AuditContext, observed: Observed) -> _Common:
    logged, wanted = observed.logged, context.number(WANTED.name)
    doubts = list(logged.doubts)
    if logged.days < wanted:
        doubts.append(f"the window has fewer than {wanted} days")
    if not logged.ends_a_month:
        doubts.append("no end of a month lies in the window")
    unplaced = observed.usage.unplaced
    facts = [f"the logs cover {logged.window}"]
    if unplaced:
        facts.append(
            f"of {counted(observed.usage.accepted, 'accepted conversation')}, {unplaced:,} have an end or an initiator "
            "that is not known; none of them can have used it"
        )
    return _Common(tuple(doubts), tuple(facts))


def _hole(observed: Observed, provider: str) -> str:
    """Return of which days nothing was seen at all: their logs may be missing."""
    from cloudseg.observed.holes import hole

    return observed.once(f"hole of {provider}", lambda: hole(observed.conversations, provider))


def _finding(context: AuditContext, observed: Observed, place: Place, common: _Common) -> Finding:
    rule_set, rule, targets, _, attempts = place
    verb, end = ("admits", "from") if rule.direction == "ingress" else ("lets out", "to")
    own = (observed.logged.sampled(rule_set.provider), _hole(observed, rule_set.provider))
    doubts = (*common.doubts, *(each for each in own if each))
    # Somebody asks for what it allows: perhaps the list that refuses it is what should change.
    were = "was" if attempts == 1 else "were"
    tried = f"{counted(attempts, 'attempt')} that it lets through {were} refused further on, or by another list"
    confidence: Confidence = "low" if doubts or attempts or not rule.exact else "medium"
    judged = f"{counted(len(targets), 'interface')} that it judges {'was' if len(targets) == 1 else 'were'} logged"
    return context.finding(
        rule_set,
        f"{rule_set.bearer(rule).label} {verb} {traffic_words(rule.traffic)} {end} {context.other_end(rule)}, "
        f"{'by which nothing got through' if attempts else 'which nobody used'} in "
        f"{counted(observed.logged.days, 'day')}",
        rule=rule,
        confidence=confidence,
        evidence=(
            *common.facts,
            f"{judged} over all of it",
            *((tried,) if attempts else ()),
            "unknown: when the rule was made; one that is younger had no time to be used",
            "unknown: whether the logs of days in between are missing; the first and the last record of each are known",
            *(f"unknown: whether it was used unseen; {doubt}" for doubt in doubts),
            *managed(rule_set),
        ),
        affected=targets,
        remedy=Remedy("remove-unused-rule", _REMEDY),
    )


CHECK = Check(
    id="unused-rule",
    severity=Severity.LOW,
    run=run,
    examples=EXAMPLES,
    concept={
        "aws": "rules of security groups and entries of network ACLs, by VPC flow logs of the interfaces they judge",
        "azure": "rules of NSGs and of virtual network managers, by flow logs of the networks",
        "gcp": "VPC firewall rules and rules of firewall policies, by VPC flow logs, which are samples",
        "kubernetes": "rules of network policies, by Hubble flows of the cluster",
    },
    needs=("groups", "interfaces"),
    uses=("networks", "subnets", "workloads", "boundary-rules", "address-lists", "flow-logs"),
    compliance={
        "nist-800-53r5": ("AC-4", "CM-7"),
        "pci-dss-4.0": ("1.2.7",),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
    },
    parameters=(MINIMUM, WANTED),
    remedy="remove-unused-rule",
    per_rule=True,
    precondition=precondition,
    limits=limits,
)  # fmt: skip
