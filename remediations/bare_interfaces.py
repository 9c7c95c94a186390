"""Lists for interfaces that nothing filters: a group of AWS, an NSG at a subnet of Azure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from cloudseg.checks.rule_lists import shown_labels
from cloudseg.model import ANYONE, Addresses, InSubnets, ListRef, Rule, RuleSet, qualified
from cloudseg.model.edits import AddRuleSet, Attach
from cloudseg.reach.plumbing import opens_connections, takes_groups
from cloudseg.remediations.demand import Passing
from cloudseg.remediations.deny_nsg import allows, numbered, platform_subnet
from cloudseg.remediations.interface import Change
from cloudseg.remediations.naming import name_for, named, new_id
from cloudseg.remediations.needed import Unknown
from cloudseg.remediations.new_groups import GROUPS, new_group
from cloudseg.remediations.permissions import expressed, few_ports
from cloudseg.remediations.slots import stage_of
from cloudseg.remediations.wants import wants_of
from cloudseg.traffic import ALL_TRAFFIC, NO_TRAFFIC, AddressSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.model import Direction, Estate, Interface, Network, Subnet
    from cloudseg.observed.ends import End
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.wants import Wants
    from cloudseg.traffic import Traffic

__all__ = ["Made", "grouped", "listed"]

_RANGES: Final = 6
_MOST: Final = 60
_SUBNET_NSG: Final = "subnet-nsg"
_BALANCER: Final = "network_load_balancer"
_NSGS: Final = "/providers/microsoft.network/networksecuritygroups/"
_DIRECTIONS: Final[tuple[Direction, ...]] = ("ingress", "egress")
_HOST: Final = "AzureLoadBalancer"


class Made(NamedTuple):
    """A list that is made for interfaces without one.

    Attributes:
        resource: qualified id of what it is for.
        interfaces: whom it judges.
        changes: the changes, in order.
        risks: what could break, one sentence each.
    """

    resource: str
    interfaces: tuple[Interface, ...]
    changes: tuple[Change, ...]
    risks: tuple[str, ...]


def grouped(context: RemedyContext, bare: Sequence[Interface]) -> Made | Unknown:
    """Return a group for interfaces of AWS that carry none, or why there is none."""
    if not bare:
        return Unknown("the interfaces are not in the estate any more", ("read the estate again",))
    if any(each.role.lower() == _BALANCER for each in bare):
        # https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
        return Unknown(
            "a network load balancer that was made without a group takes none later", ("make it anew with one",)
        )
    if any(each.provider != "aws" for each in bare):
        return Unknown("what filters it is not a group that it could carry", ())
    for each in bare:
        if not (lasting := context.lasting(each)).stays:
            return Unknown(
                f"{each.label} would lose a group with its next replacement", (f"name a group in {lasting.setting}",)
            )
    networks = {each.network for each in bare}
    network = context.estate.networks.get(bare[0].network or "")
    if network is None or len(networks) > 1:
        return Unknown("they stand in several networks, or their network was not read", ())
    name = name_for(network.id, "bare", *(each.id for each in bare))
    own = new_id(network, name)
    shell = RuleSet(id=own, kind="security-group", region=network.region, stage=GROUPS)
    rules: list[Rule] = []
    known: list[Wants] = []
    for direction in _DIRECTIONS:
        wants = wants_of(context, bare, direction, shell)
        if isinstance(wants, Unknown):
            return wants
        known.append(wants)
        rules.extend(_rules(context, shell, direction, wants))
    if len(rules) > _MOST:
        return Unknown(f"it would take {len(rules)} rules to keep what is needed", ("name who needs it by groups",))
    who = shown_labels(bare, 3)
    reason = f"nothing filters {who}"
    attached = (
        Change(
            edits=(Attach(each.id, own),),
            phase="remove",
            reason=f"{each.label} carries no group, so that everything passes",
            evidence=known[0].facts,
            undo=f"detach the group from {each.label}",
        )
        for each in bare
    )
    changes = (*new_group(network, name, rules, reason, known[0].facts), *attached)
    return Made(bare[0].workload or bare[0].id, tuple(bare), changes, _risks(known))


def _rules(context: RemedyContext, shell: RuleSet, direction: Direction, wants: Wants) -> Iterator[Rule]:
    by_traffic: defaultdict[Traffic, AddressSet] = defaultdict(AddressSet)
    by_end: defaultdict[End, Traffic] = defaultdict(lambda: NO_TRAFFIC)
    for want in wants.wants:
        by_end[want.other] |= want.traffic
    for end, traffic in by_end.items():
        by_traffic[few_ports(traffic, ALL_TRAFFIC, _RANGES)] |= _addresses(context, end)
    for traffic in sorted(by_traffic, key=str):
        whole = Rule(
            id="",
            direction=direction,
            verdict="next",
            traffic=traffic,
            remote=(Addresses(by_traffic[traffic]),),
            description="needed: seen, or intended",
        )
        for each in expressed(shell, whole):
            yield named(shell, each)


def _addresses(context: RemedyContext, end: End) -> AddressSet:
    interface = context.estate.interfaces.get(end.interface)
    subnet = None if interface is None else context.estate.subnets.get(interface.subnet or "")
    if interface is None:
        return AddressSet.parse(end.address)
    if subnet is not None and interface.addresses <= subnet.addresses:
        return subnet.addresses
    return interface.addresses


def listed(context: RemedyContext, subnet: Subnet) -> Made | Unknown:
    """Return an NSG for a subnet of Azure without one, or why there is none."""
    estate = context.estate
    network = estate.networks.get(subnet.network)
    here = [each for each in estate.interfaces_in(subnet.network) if each.subnet == subnet.id]
    if network is None or not estate.read("interfaces", subnet):
        return Unknown("not everything was read that stands in it", ("read it, and plan again",))
    if why := platform_subnet(estate, (subnet.id,), here):
        return Unknown(
            f"a denial of all else is refused there: {why}", ("add an NSG by hand, with the rules it asks for",)
        )
    if any(
        isinstance(each.applies, InSubnets) and subnet.id in each.applies.subnets for each in estate.rule_sets.values()
    ):
        return Unknown("it has an NSG already, which does not judge all that stands in it", ())
    if any(each.role == "private_endpoint" for each in here):
        reason = "private endpoints stand in it, and whether an NSG judges them is a setting of the subnet"
        return Unknown(reason, ("switch its network policies for private endpoints on first",))
    judged = [each for each in here if takes_groups(each)]
    shell = _shell(network, subnet)
    if stage_of(shell, estate) is None:
        return Unknown("lists at subnets are not known there", ())
    known = wants_of(context, judged, "ingress", shell) if judged else None
    if isinstance(known, Unknown):
        return known
    probes = _probes(estate, subnet)
    if probes is None:
        return Unknown("the address from which the load balancer asks after machines was not read", ())
    passing = () if known is None else tuple(_passing(context, known))
    rules = numbered(shell, allows(context, passing, ALL_TRAFFIC), probes)
    if isinstance(rules, str):
        return Unknown(rules)
    facts = (f"nothing stands in {subnet.label} yet",) if known is None else known.facts
    made = msgspec.structs.replace(shell, rules=(*(rule for rule, _ in rules), *_outward()))
    change = Change(
        edits=(AddRuleSet(made),),
        phase="remove",
        reason=f"nothing filters what comes to {subnet.label}",
        evidence=(*facts, *(fact for _, several in rules for fact in several)),
        undo=f"take the NSG from {subnet.label}, and delete it",
    )
    who = tuple(each for each in judged if opens_connections(each))
    return Made(subnet.id, who or tuple(judged), (change,), _risks([] if known is None else [known]))


def _shell(network: Network, subnet: Subnet) -> RuleSet:
    """Return an NSG without rules beside a network, at one of its subnets."""
    name = name_for(subnet.id, "nsg")
    above = network.own_id.partition("/providers/")[0]
    return RuleSet(
        id=qualified("azure", network.scope, f"{above}{_NSGS}{name}"),
        kind="network-security-group",
        name=name,
        region=network.region,
        stage=_SUBNET_NSG,
        applies=InSubnets(frozenset((subnet.id,))),
        network=network.id,
    )


def _probes(estate: Estate, subnet: Subnet) -> Rule | None:
    """Return a rule like the default one for probes; None where the service tag was not read."""
    tags = sorted(
        name
        for name, each in estate.address_lists.items()
        if each.provider == "azure" and each.scope == subnet.scope and each.name == _HOST
    )
    if not tags:
        return None
    return Rule(
        id="", direction="ingress", verdict="next", traffic=ALL_TRAFFIC, remote=(ListRef(tags[0]),), priority=65001
    )


def _outward() -> tuple[Rule, ...]:
    """Return the default rules of an NSG for what leaves, which let out whatever has a way.

    Source: https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#default-security-rules
    """
    return (
        Rule(
            id="outbound/AllowVnetAndInternetOutBound",
            direction="egress",
            verdict="next",
            traffic=ALL_TRAFFIC,
            remote=ANYONE,
            priority=65000,
            fixed=True,
        ),
    )


def _passing(context: RemedyContext, wants: Wants) -> Iterator[Passing]:
    """Yield what is needed. A public address without an NSG may be closed, and a rule for what is meant would open it.

    Source: https://learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses#sku
    """
    for want in wants.wants:
        traffic = want.traffic
        if want.intended and want.other.kind == "outside":
            traffic &= context.reach.between(AddressSet.parse(want.other.address), want.own).upper
        if traffic:
            yield Passing(want.other, traffic, want.connections, want.last_seen, want.intended)


def _risks(known: Sequence[Wants]) -> tuple[str, ...]:
    gone = sum(each.gone for each in known)
    rare = "failover, disaster recovery and yearly work may not have happened in the window: ask the owners"
    lost = f"{gone:,} conversations had another end that is not there any more, and what these used is not kept"
    return (*((rare,) if known else ()), *((lost,) if gone else ()))
