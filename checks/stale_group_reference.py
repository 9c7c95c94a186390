"""A rule that names a group which is not there any more, or that it can never match.

What it finds:
    Rules whose other end is a group that the provider calls stale (its peering or the group itself was deleted), that
    is named over a peering that passes nothing any more, that is absent from an account and region whose groups were
    read in full, or that stands in a network with no connection over which groups can be named: not the same network,
    nor one associated with the group, no active peering within the region, no shared transit gateway.

Why it matters:
    The rule matches nothing: traffic that people believe to be allowed is not. It also hides how the estate is meant
    to be, and stands in the way of a review.

Example:
    ``tcp/443 from sg-0a1b`` of a peered account, after the peering was deleted.

Remedy:
    Remove the rule, or name the group that took its place. Where the rule is right and the connection is missing,
    connect the networks.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_id, nsg_rule
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.rule_lists import at_interfaces, managed, shown, traffic_words
from cloudseg.findings import Remedy, Severity, peer_text
from cloudseg.model import GroupRef, provider_of, scope_of, shown_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Confidence, Finding
    from cloudseg.model import Estate, Rule, RuleSet

_DECIDING: Final = ("groups", "peerings", "transit", "routes")


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every rule that names a group which leads nowhere."""
    connections = _Connections(context.estate)
    for rule_set in at_interfaces(context.estate):
        for rule in rule_set.rules:
            for peer in rule.remote:
                if isinstance(peer, GroupRef):
                    verdict = _verdict(context.estate, peer) or connections.verdict(rule_set, peer)
                    if verdict is not None:
                        yield _finding(context, rule_set, rule, peer, *verdict)


class _Connections:
    """Knows which networks are connected so that groups of one can be named in the other.

    Sources: https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html#security-group-referencing,
    https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html and
    https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._peered: defaultdict[str, set[str]] = defaultdict(set)
        for peering in estate.peerings.values():
            # A group of Azure stands for the addresses of its members, which a peering of any two regions passes.
            if peering.active and (len(set(peering.regions)) == 1 or peering.provider == "azure"):
                requester, accepter = peering.networks
                self._peered[requester].add(accepter)
                self._peered[accepter].add(requester)
        self._gateways: defaultdict[str, set[str]] = defaultdict(set)
        for attachment in estate.transit_attachments.values():
            if attachment.active and attachment.network is not None:
                self._gateways[attachment.network].add(attachment.gateway)
        # What a route leads to that nobody worked out may be a wide-area network, which passes group references too.
        self._elsewhere = {
            table.network
            for table in estate.route_tables.values()
            if any(route.active and route.kind == "unknown" for route in table.routes)
        }
        self._known: dict[tuple[str, str], tuple[str, Confidence] | None] = {}

    def verdict(self, rule_set: RuleSet, peer: GroupRef) -> tuple[str, Confidence] | None:
        """Return why a known group can never match; None for one that can, or where that was not read."""
        if peer.via is not None and peer.via not in self._estate.peerings:
            return None
        key = (rule_set.id, peer.group)
        if key not in self._known:
            self._known[key] = self._work_out(rule_set, peer.group)
        return self._known[key]

    def _work_out(self, rule_set: RuleSet, name: str) -> tuple[str, Confidence] | None:
        group, own = self._estate.groups.get(name), self._estate.groups.get(rule_set.id)
        if group is None:
            return None
        here = {*(() if own is None else own.networks), *(() if rule_set.network is None else (rule_set.network,))}
        there = set(group.networks)
        if not here or not there or any(self._connected(one, other) for one in here for other in there):
            return None
        if not all(self._estate.read(facet, side) for facet in _DECIDING for side in (rule_set, group)):
            return None
        far, near = (shown([shown_id(network) for network in sorted(side)]) for side in (there, here))
        ways = "no active peering within the region, no transit gateway and no association"
        return f"{group.label} belongs to {far}, which {ways} connects to {near}", "medium"

    def _connected(self, one: str, other: str) -> bool:
        return (
            one == other
            or other in self._peered.get(one, ())
            or not self._gateways.get(one, set()).isdisjoint(self._gateways.get(other, ()))
            or {one, other} <= self._elsewhere
        )


def _verdict(estate: Estate, peer: GroupRef) -> tuple[str, Confidence] | None:
    """Return why a reference leads nowhere, and how sure that is; None for one that works or cannot be judged."""
    if peer.stale:
        return "the provider calls the reference stale", "high"
    peering = None if peer.via is None else estate.peerings.get(peer.via)
    if peering is not None and not peering.active:
        return f"the peering {peering.label} passes nothing", "high"
    if peer.group not in estate.groups and _groups_were_read(estate, peer.group):
        where = "groups of its subscription" if provider_of(peer.group) == "azure" else "its account and region"
        return f"{where} were read, and have no such group; only the provider's word is certain", "medium"
    return None


def _groups_were_read(estate: Estate, group: str) -> bool:
    provider = provider_of(group)
    # Groups of AWS belong to a region, which their qualified name holds; those of the other clouds are global.
    region = group.split(":", 3)[2] if provider == "aws" else "global"
    return estate.coverage.was_read("groups", provider, scope_of(group), region)


def _finding(
    context: AuditContext, rule_set: RuleSet, rule: Rule, peer: GroupRef, why: str, confidence: Confidence
) -> Finding:
    name = peer_text((peer,), context.estate)
    traffic = traffic_words(rule.traffic)
    does = f"admits {traffic} from" if rule.direction == "ingress" else f"lets {traffic} out to"
    return context.finding(
        rule_set,
        f"{rule_set.bearer(rule).label} {does} {name}, a group that leads nowhere, so this matches nothing",
        rule=rule,
        confidence=confidence,
        evidence=(why, *managed(rule_set)),
        reachable=False if confidence == "high" else None,
        affected=context.judged(rule_set, rule),
        remedy=Remedy("remove-unused-rule", "remove the rule, or name the group that took its place"),
        aspect=peer.group if len(rule.remote) > 1 else "",
    )


def _called_stale() -> Estate:
    b = EstateBuilder()
    theirs = GroupRef("aws:999988887777:eu-west-1:sg-theirs", via=b.id("pcx-1"), stale=True)
    b.group("sg-app", msgspec.structs.replace(allow("ingress", "tcp/443", "sg-x"), remote=(theirs,)))
    return b.build()


def _absent() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("ingress", "tcp/443", "sg-gone"))
    return b.build()


def _unconnected() -> Estate:
    b = EstateBuilder()
    b.network("vpc-2", "10.9.0.0/16")
    b.group("sg-app", allow("ingress", "tcp/443", "sg-far"))
    b.group("sg-far", network="vpc-2")
    return b.build()


def _in_order() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("ingress", "tcp/443", "sg-web"), allow("ingress", "tcp/80", "sg-app"))
    b.group("sg-web")
    return b.build()


def _elsewhere() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("ingress", "tcp/443", "aws:999988887777:eu-west-1:sg-theirs"))
    return b.build()


def _azure_absent() -> Estate:
    b = NsgBuilder()
    b.nsg("nsg-data", nsg_rule("ingress", 100, "tcp/1433", "asg-gone"), subnet="data")
    return b.build()


def _azure_in_order() -> Estate:
    b = NsgBuilder()
    b.nsg("nsg-data", nsg_rule("ingress", 100, "tcp/1433", "asg-web"), subnet="data")
    b.asg("asg-web")
    b.machine("nic-web", "web", "10.1.1.10", asgs=["asg-web"])
    return b.build()


def _gcp(*, stale: bool) -> Estate:
    b = GcpBuilder()
    rule = gcp_rule("100", "ingress", "tcp/443", "secure:1", priority=100, vpc=False)
    peer = GroupRef("gcp:organization:tagValues/1", stale=stale)
    b.policy("guard", msgspec.structs.replace(rule, remote=(peer,)))
    return b.build()


def _gcp_ineffective() -> Estate:
    return _gcp(stale=True)


def _gcp_effective() -> Estate:
    return _gcp(stale=False)


CHECK = Check(
    id="stale-group-reference",
    severity=Severity.LOW,
    run=run,
    examples=(
        Example("the provider calls the reference stale", _called_stale, ("sg-app",), Severity.LOW),
        Example("a group of the same account is not there", _absent, ("sg-app",), Severity.LOW),
        Example("the group's network is not connected", _unconnected, ("sg-app",), Severity.LOW),
        Example("an application security group that is not there", _azure_absent, (nsg_id("nsg-data"),), Severity.LOW),
        Example("the named groups are there", _in_order),
        Example("an application security group of the same network", _azure_in_order),
        Example("a group of an account that was not read may well be there", _elsewhere),
        Example("a secure tag whose value was deleted", _gcp_ineffective, ("global/firewallPolicies/guard",)),
        Example("a secure tag that is in effect", _gcp_effective),
    ),
    concept={
        "aws": "security group rules that name a group",
        "azure": "NSG rules whose other end is an application security group",
        "gcp": "secure tags in rules of firewall policies whose values are gone",
    },
    absent={
        "kubernetes": "policies choose by labels and name no group; dangling-policy tells selectors that choose nobody"
    },
    needs=("groups",),
    uses=("peerings", "transit", "routes"),
    compliance={"nist-800-53r5": ("CM-7",), "pci-dss-4.0": ("1.2.7",)},
    remedy="remove-unused-rule",
    per_rule=True,
)
