"""A group that nothing carries, nothing names and nothing would attach.

What it finds:
    Groups without a member, that no rule of another group names, and that no launch template, no setting of a service
    and no endpoint would attach. Default groups are left out, since they cannot be deleted. Where interfaces were not
    read nothing is claimed. On Azure, NSGs that stand at no subnet and no network interface, and application security
    groups that no network interface bears, named by rules or not. On Google Cloud, network tags, service accounts and
    secure tags that rules name and no interface bears.

Why it matters:
    Its rules wait for somebody to attach it, usually by its inviting name, and nobody has looked at them since. Every
    review has to read it again.

Example:
    ``sg-old-web`` with ``tcp/80 from 0.0.0.0/0``, carried by nobody.

Remedy:
    Delete the group.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import NETWORK, GcpBuilder, gcp_rule
from cloudseg.checks.example_nsgs import NsgBuilder, asg_id, nsg_id, nsg_rule
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.rule_lists import at_interfaces, counted, managed, shown
from cloudseg.findings import Severity
from cloudseg.model import FACETS, AnyOf, GroupRef, Template, scope_of, shown_id, unplaced

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, RuleSet

NOWHERE: Final = AnyOf(())
"""The choice of a list that stands nowhere."""
_BORNE: Final = frozenset(("azure", "gcp"))
"""Where groups are borne by interfaces and hold no rules."""
_ELSEWHERE: Final = "unknown: whether instances of projects that were not read, or services of Cloud Run, bear it"
_NOWHERE_WORDS: Final = "stands at no subnet and no network interface"

# What may attach a group although no interface carries it today.
_ATTACHERS = (
    "templates",
    "load-balancers",
    "endpoints",
    *(f for f in FACETS if f.startswith("services.") and f not in {"services.s3", "services.ecr-public"}),
)


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every group that is of no use today."""
    estate = context.estate
    kept = _attachable(estate)
    yield from _unattached(context, kept)
    yield from _unborne(context, kept)
    for rule_set in at_interfaces(estate):
        if rule_set.id not in estate.groups or rule_set.is_default or rule_set.id in kept:
            continue
        if estate.governed(rule_set) or not estate.read("interfaces", rule_set):
            continue
        if any(other.id != rule_set.id for other, _ in estate.references_to(rule_set.id)):
            continue
        yield _finding(context, rule_set)


def _unattached(context: AuditContext, kept: frozenset[str]) -> Iterator[Finding]:
    """Yield a finding for every NSG that stands nowhere."""
    estate = context.estate
    for rule_set in at_interfaces(estate):
        # One that stands at subnets says so, whoever is in them.
        if rule_set.provider != "azure" or rule_set.applies != NOWHERE or rule_set.is_default or rule_set.id in kept:
            continue
        if not estate.read("interfaces", rule_set) or not estate.read("subnets", rule_set):
            continue
        written = sum(1 for rule in rule_set.rules if not rule.fixed)
        evidence = (f"it holds {counted(written, 'rule')} of its own", *managed(rule_set))
        yield context.finding(rule_set, f"{rule_set.label} {_NOWHERE_WORDS}", evidence=evidence)


def _unborne(context: AuditContext, kept: frozenset[str]) -> Iterator[Finding]:
    """Yield a finding for every application security group, network tag, account and secure tag that nobody bears."""
    estate = context.estate
    naming: dict[str, set[str]] | None = None
    for _, group in sorted(estate.groups.items()):
        # What stands for a part of a group's members is no group that anybody made.
        if group.provider not in _BORNE or group.id in kept or unplaced(group.id) != group.id:
            continue
        if estate.members(group.id) or not estate.read("interfaces", group):
            continue
        naming = _naming(estate) if naming is None else naming
        named = sorted(naming.get(group.id, ()))
        names = "name" if len(named) > 1 else "names"
        yield context.finding(
            group,
            f"no network interface bears {group.label}" + (f", and {shown(named)} {names} it" if named else ""),
            confidence="medium" if group.provider == "gcp" else "high",
            evidence=(
                *(("a rule that names it matches nobody today",) if named else ()),
                *((_ELSEWHERE,) if group.provider == "gcp" else ()),
            ),
        )


def _naming(estate: Estate) -> dict[str, set[str]]:
    """Return what to call the rules, or their lists, that name a group at either end, by the group's id."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for rule_set in estate.rule_sets.values():
        for rule in rule_set.rules:
            for peer in (*rule.remote, *rule.local):
                if isinstance(peer, GroupRef):
                    found[unplaced(peer.group)].add(rule_set.bearer(rule).label)
    return found


def _attachable(estate: Estate) -> frozenset[str]:
    """Return the groups that some setting would attach."""
    found: set[str] = set()
    for holders in (estate.templates, estate.services, estate.endpoints):
        for holder in holders.values():
            found |= holder.groups
    return frozenset(found)


def _finding(context: AuditContext, rule_set: RuleSet) -> Finding:
    estate = context.estate
    unread = [facet for facet in _ATTACHERS if not estate.read(facet, rule_set)]
    beyond = [*_used_by_others(estate, rule_set), *_peers_not_read(estate, rule_set)]
    return context.finding(
        rule_set,
        f"{rule_set.label} is carried by no interface, named by no other group and attached by no setting read",
        confidence="low" if unread else "medium" if beyond else "high",
        evidence=(
            f"it holds {counted(len(rule_set.rules), 'rule')}",
            *((f"unknown: not read in full: {shown(unread)}",) if unread else ()),
            *beyond,
            *managed(rule_set),
        ),
    )


def _used_by_others(estate: Estate, rule_set: RuleSet) -> Iterator[str]:
    networks = estate.groups[rule_set.id].networks
    if any(scope_of(network) != rule_set.scope for network in networks):
        yield "unknown: it can also be used in networks of other accounts"


def _peers_not_read(estate: Estate, rule_set: RuleSet) -> Iterator[str]:
    for _, peering in sorted(estate.peerings.items()):
        if peering.active and rule_set.network in peering.networks:
            others = [network for network in peering.networks if network not in estate.networks]
            if others:
                yield f"unknown: groups of {shown_id(others[0])}, which was not read, may name it over {peering.label}"


def _nobody() -> Estate:
    b = EstateBuilder()
    b.group("sg-old", allow("ingress", "tcp/80", "0.0.0.0/0"), allow("ingress", "all", "sg-old"))
    return b.build()


def _of_some_use() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("ingress", "tcp/443", "sg-clients"))
    b.group("sg-clients")
    b.group("sg-scaling")
    b.group("sg-default", is_default=True)
    b.put("templates", Template(id=b.id("lt-1"), kind="launch-template", groups=frozenset({b.id("sg-scaling")})))
    b.interface("eni-1", "subnet-private", ["sg-app"])
    return b.build()


def _interfaces_unread() -> Estate:
    b = EstateBuilder(unread=["interfaces"])
    b.group("sg-old")
    return b.build()


def _azure_unused() -> Estate:
    b = NsgBuilder()
    b.nsg("nsg-old", nsg_rule("ingress", 100, "tcp/80"), nowhere=True)
    b.asg("asg-old")
    return b.build()


def _azure_used() -> Estate:
    b = NsgBuilder()
    b.nsg("nsg-data", nsg_rule("ingress", 100, "tcp/1433", "asg-web"), subnet="data")
    b.asg("asg-web")
    b.machine("nic-web", "web", "10.1.1.10", asgs=["asg-web"])
    return b.build()


def _gcp(tag: str) -> Estate:
    b = GcpBuilder()
    b.firewall(gcp_rule("app", "ingress", "tcp/8080", "tag:web", targets="tag:app"))
    b.machine("web", "web", "10.2.1.10", tags=["web"])
    b.machine("app", "web", "10.2.1.11", tags=[tag])
    return b.build()


def _gcp_unborne() -> Estate:
    return _gcp("application")


def _gcp_borne() -> Estate:
    return _gcp("app")


CHECK = Check(
    id="unused-group",
    severity=Severity.INFO,
    run=run,
    examples=(
        Example("nobody carries it, and only it names itself", _nobody, ("sg-old",), Severity.INFO),
        Example("carried, named by another group, or attached by a launch template", _of_some_use),
        Example("without the interfaces nothing can be said", _interfaces_unread),
        Example(
            "an NSG that stands nowhere, and an application security group that nobody bears",
            _azure_unused,
            (asg_id("asg-old"), nsg_id("nsg-old")),
            Severity.INFO,
        ),
        Example("an NSG at a subnet without machines, and a group that a machine bears", _azure_used),
        Example("a rule is for a network tag that nobody bears", _gcp_unborne, (f"{NETWORK}/tags/app",), Severity.INFO),
        Example("instances bear both tags of a rule", _gcp_borne),
    ),
    concept={
        "aws": "security groups",
        "azure": "NSGs that stand nowhere, and application security groups of nobody",
        "gcp": "network tags, service accounts and secure tags that rules name and nobody bears",
    },
    absent={
        "kubernetes": "policies choose by labels and name no group; dangling-policy tells selectors that choose nobody"
    },
    needs=("groups", "interfaces"),
    uses=_ATTACHERS,
    compliance={"nist-800-53r5": ("CM-7",), "pci-dss-4.0": ("1.2.7",)},
)
