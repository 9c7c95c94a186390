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

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule, rule_id
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_id, nsg_rule, vnet_id
from cloudseg.checks.interface import Check, Example, Parameter
from cloudseg.checks.rule_lists import at_boundaries, counted, managed, traffic_words
from cloudseg.findings import Remedy, Severity
from cloudseg.model import GroupRef
from cloudseg.reach.packets import outside_addresses
from cloudseg.traffic import AddressSet, Traffic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Confidence, Finding
    from cloudseg.model import Estate, Interface, Rule, RuleSet
    from cloudseg.observed.observed import Observed

_REMEDY: Final = "ask its owner what it is for, then remove the rule"
_SHOWN: Final = 3
_HOSTS: Final = AddressSet.parse("169.254.0.0/16, 168.63.129.16, fd00:ec2::/32")
_ASKED_OF_HOSTS: Final = Traffic.parse("udp/53, tcp/53, udp/67-68, udp/123, tcp/1688")
"""DNS, DHCP, time, and activation of Windows. Source:
https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-limitations.html"""
MINIMUM = Parameter(
    "minimum_days", 7, "Windows of fewer days are not judged: what happens once a week would look unused.", minimum=1
)
WANTED = Parameter(
    "wanted_days", 30, "Findings that rest on fewer days have a low confidence: nothing monthly is in them.", minimum=1
)


class _Place(NamedTuple):
    """A rule where its list stands: a list that stands at several places is one for people.

    Attributes:
        rule_set: the list.
        rule: the rule.
        targets: the interfaces that it judges.
        silent: why nothing is said of it; empty where something can be.
        attempts: how many connections it would have let through that were refused at the other end or by another list.
    """

    rule_set: RuleSet
    rule: Rule
    targets: tuple[Interface, ...]
    silent: str
    attempts: int


class _Verdict(NamedTuple):
    """What is said of a rule.

    Attributes:
        place: where it stands.
        silent: why nothing is said of it; empty where something is.
    """

    place: _Place
    silent: str


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every rule that no conversation can have used."""
    if context.observed is None:
        return
    common = _common(context, context.observed)
    for verdict in _verdicts(context, context.observed):
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
    reasons = Counter(verdict.silent for verdict in _verdicts(context, context.observed) if verdict.silent)
    if not reasons:
        return ""
    ordered = sorted(reasons.items(), key=lambda each: (-each[1], each[0]))
    more = f", and {counted(len(ordered) - _SHOWN, 'other reason')}" if len(ordered) > _SHOWN else ""
    shown = "; ".join(f"{count:,} where {reason}" for reason, count in ordered[:_SHOWN])
    total = sum(reasons.values())
    return f"the logs do not cover all that {counted(total, 'rule')} without seen use would judge: {shown}{more}"


def _verdicts(context: AuditContext, observed: Observed) -> list[_Verdict]:
    """Return what is said of every rule that no conversation can have used."""
    return observed.once("unused rules", lambda: list(_all_verdicts(context, observed)))


def _all_verdicts(context: AuditContext, observed: Observed) -> Iterator[_Verdict]:
    usage = observed.usage
    places: defaultdict[tuple[str, ...], list[_Place]] = defaultdict(list)
    used: set[tuple[str, ...]] = set()
    for rule_set, rule in _rules(context):
        key: tuple[str, ...] = (
            rule_set.provider,
            rule_set.scope,
            rule_set.region,
            rule_set.own_id,
            rule.direction,
            rule.id,
        )
        if usage.used(rule_set, rule):
            used.add(key)
        elif key not in used:
            targets = context.judged(rule_set, rule)
            tried = usage.tried(rule_set, rule)
            silent = (
                _silence(observed, rule_set, targets)
                or _unrecorded(context.estate, rule_set, rule)
                or _over_private_endpoints(context.estate, rule, targets)
            )
            if not silent and tried is not None and tried.passes:
                silent = "what was refused would pass today, so that they may be younger than that"
            places[key].append(_Place(rule_set, rule, targets, silent, 0 if tried is None else tried.attempts))
    for key, own in places.items():
        if key not in used and any(each.targets for each in own):
            silent = next((each.silent for each in own if each.silent), "")
            told = next(each for each in own if each.targets)
            yield _Verdict(told._replace(attempts=sum(each.attempts for each in own)), silent)


def _rules(context: AuditContext) -> Iterator[tuple[RuleSet, Rule]]:
    """Yield the allowing rules that people wrote, each with its list."""
    for rule_set, rules in context.allowing.by_list:
        yield from ((rule_set, rule) for rule in rules if not rule.fixed and not rule.required)
    for _, rule_set in at_boundaries(context.estate):
        if not rule_set.is_default:
            yield from ((rule_set, rule) for rule in rule_set.rules if rule.allows and not rule.fixed)


def _silence(observed: Observed, rule_set: RuleSet, targets: tuple[Interface, ...]) -> str:
    """Return why the logs do not show whether a rule was used; empty where they do."""
    for interface in targets:
        if gap := observed.logged.gap(interface, rule_set.provider):
            return gap
    return ""


def _unrecorded(estate: Estate, rule_set: RuleSet, rule: Rule) -> str:
    """Return why logs never show the use of a rule; empty where they may.

    What machines ask of their host (names, time, addresses, metadata) and what it asks of them is in no flow log, and
    how much of a rule for these is used nobody can tell. A cluster's own logs show what its pods ask.
    """
    if rule_set.provider == "kubernetes":
        return ""
    _, most = outside_addresses(rule.remote, estate)
    if rule.direction == "egress" and rule.traffic <= _ASKED_OF_HOSTS:
        return "names and time that the cloud itself tells are not logged"
    if most and most <= _HOSTS and not any(isinstance(peer, GroupRef) for peer in rule.remote):
        return "what the cloud's hosts send and take is not logged"
    return ""


def _over_private_endpoints(estate: Estate, rule: Rule, targets: tuple[Interface, ...]) -> str:
    """Return why logs do not show the use of a rule of a load balancer that others reach over private endpoints.

    Nothing is logged between the network interface of an endpoint and that of a Network Load Balancer. Source:
    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-limitations.html
    """
    shared = {name for service in estate.endpoint_services.values() for name in service.balancers}
    if rule.direction == "ingress" and any(each.workload in shared for each in targets):
        return "what comes to a load balancer over private endpoints is not logged"
    return ""


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


def _finding(context: AuditContext, observed: Observed, place: _Place, common: _Common) -> Finding:
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


def _database(*rules: Rule) -> Estate:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "tcp/5432", "sg-db"))
    b.group("sg-db", *rules)
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.5")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    return b.build()


def _one_unused() -> Estate:
    return _database(allow("ingress", "tcp/5432", "sg-web"), allow("ingress", "tcp/8080", "sg-web"))


def _both_match() -> Estate:
    return _database(allow("ingress", "tcp/5432", "sg-web"), allow("ingress", "tcp/5432", "10.0.1.0/24"))


def _entries() -> Estate:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "tcp/5432", "sg-db"))
    b.group("sg-db", allow("ingress", "tcp/5432", "sg-web"))
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.5")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    whole = (acl_entry("ingress", 100, "all", "10.0.0.0/16"), acl_entry("egress", 100, "all", "10.0.0.0/16"))
    b.acl("acl-1", ["subnet-public"], whole)
    b.acl(
        "acl-2",
        ["subnet-private"],
        (
            acl_entry("ingress", 100, "tcp/5432", "10.0.1.0/24"),
            acl_entry("ingress", 110, "tcp/22", "10.0.1.0/24"),
            acl_entry("egress", 100, "tcp/1024-65535", "10.0.1.0/24"),
        ),
    )
    return b.build()


def _logged() -> ExampleConversations:
    return ExampleConversations([_logged_row()], logs_of("eni-web", "eni-db"))


def _one_interface_dark() -> ExampleConversations:
    row = seen("10.0.1.5", "10.0.2.9", 5432, initiator_interface="eni-web")
    return ExampleConversations([row], logs_of("eni-web"))


def _unknown_initiator() -> ExampleConversations:
    row = seen(
        "10.0.1.5", "10.0.2.9", 8080, initiator_interface="eni-web", responder_interface="eni-db", evidence="unknown",
        confidence="unknown", initiator_port=5432,
    )  # fmt: skip
    return ExampleConversations([_logged_row(), row], logs_of("eni-web", "eni-db"))


def _nsg() -> Estate:
    b = NsgBuilder()
    b.nsg(
        "nsg-data",
        nsg_rule("ingress", 100, "tcp/1433", "10.1.1.0/24"),
        nsg_rule("ingress", 110, "tcp/22", "10.1.1.0/24"),
        subnet="data",
    )
    b.machine("nic-web", "web", "10.1.1.10")
    b.machine("nic-db", "data", "10.1.2.10")
    b.flow_log("fl-1", b.network)
    return b.build()


def _firewall() -> Estate:
    b = GcpBuilder()
    b.firewall(
        gcp_rule("app", "ingress", "tcp/8080", "tag:web", targets="tag:app"),
        gcp_rule("old", "ingress", "tcp/9090", "tag:web", targets="tag:app"),
    )
    b.machine("web", "web", "10.2.1.10", tags=["web"])
    b.machine("app", "web", "10.2.1.11", tags=["app"])
    for subnet in ("web", "data"):
        b.flow_log(subnet)
    return b.build()


def _beside(provider: str, network: str, *rows: dict[str, Any]) -> ExampleConversations:
    """Return conversations of a cloud whose logs name networks and no interfaces."""
    told = ({"provider": provider, **row} for row in rows)
    return ExampleConversations(told, logs_of("an adapter", provider=provider, network=network))


def _in_azure(*ports: int) -> ExampleConversations:
    return _beside("azure", vnet_id(), *(seen("10.1.1.10", "10.1.2.10", port) for port in ports))


def _azure_one_port() -> ExampleConversations:
    return _in_azure(1433)


def _azure_both_ports() -> ExampleConversations:
    return _in_azure(1433, 22)


def _in_gcp(*ports: int) -> ExampleConversations:
    network = GcpBuilder().network.removeprefix("gcp:")
    return _beside("gcp", network, *(seen("10.2.1.10", "10.2.1.11", port) for port in ports))


def _gcp_one_port() -> ExampleConversations:
    return _in_gcp(8080)


def _gcp_both_ports() -> ExampleConversations:
    return _in_gcp(8080, 9090)


def _logged_row() -> dict[str, Any]:
    return seen("10.0.1.5", "10.0.2.9", 5432, initiator_interface="eni-web", responder_interface="eni-db")


CHECK = Check(
    id="unused-rule",
    severity=Severity.LOW,
    run=run,
    examples=(
        Example("a port that nobody asked for in 40 days", _one_unused, ("sg-db",), Severity.LOW, flows=_logged),
        Example("an entry of a network ACL that nobody used", _entries, ("acl-2",), Severity.LOW, flows=_logged),
        Example("a rule of an NSG that nobody used", _nsg, (nsg_id("nsg-data"),), Severity.LOW, flows=_azure_one_port),
        Example("a VPC firewall rule that nobody used", _firewall, (rule_id("old"),), flows=_gcp_one_port),
        Example("every rule of an NSG was used", _nsg, flows=_azure_both_ports),
        Example("every VPC firewall rule was used", _firewall, flows=_gcp_both_ports),
        Example("two rules let the same conversations through, and both count as used", _both_match, flows=_logged),
        Example("the interface that the rules judge was not logged", _one_unused, flows=_one_interface_dark),
        Example("who opened a connection is not known, and the rule may have let it in", _one_unused,
            flows=_unknown_initiator),
        Example("without observed conversations nothing is called unused", _one_unused),
    ),
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
