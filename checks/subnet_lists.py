"""Clouds that filter at subnets: which subnets have no list of rules, and who stands in them unfiltered."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from cloudseg.checks.rule_lists import counted, shown_labels
from cloudseg.findings import Remedy, Severity
from cloudseg.model import AllOf, InSubnets
from cloudseg.reach.passage import carries_unread
from cloudseg.reach.plumbing import takes_groups

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Interface, Selector, Subnet

__all__ = ["SubnetLists", "Unfiltered", "of_subnet"]

_WITHOUT: Final = frozenset(
    ("azurefirewallsubnet", "azurefirewallmanagementsubnet", "gatewaysubnet", "routeserversubnet")
)
"""The subnets of the provider's own gateways, by name. They take no NSG, or better have none. Sources:
https://learn.microsoft.com/azure/firewall/firewall-faq,
https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-gateway-settings#gwsub and
https://learn.microsoft.com/azure/route-server/route-server-faq"""


class Unfiltered(NamedTuple):
    """A subnet in which somebody is filtered by nothing, or would be.

    Attributes:
        subnet: the subnet.
        listed: it has a list of its own, which does not judge these.
        bare: the interfaces that no list judges.
        others: the other interfaces in it.
    """

    subnet: Subnet
    listed: bool
    bare: tuple[Interface, ...]
    others: tuple[Interface, ...]


class SubnetLists:
    """Looks up the subnets of networks in which lists stand at subnets.

    Args:
        estate: the estate.
    """

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._stages: dict[str, tuple[str, ...]] = {}
        self._at_subnets: set[str] = set()
        for pipeline in estate.pipelines.values():
            stages = (*pipeline.ingress, *pipeline.egress)
            if any(stage.at == "subnet" for stage in stages):
                self._stages[pipeline.name] = tuple(
                    dict.fromkeys(stage.name for stage in stages if stage.at in {"interface", "subnet"})
                )
                self._at_subnets.update(stage.name for stage in stages if stage.at == "subnet")
        self._by_subnet: defaultdict[str, list[Interface]] = defaultdict(list)
        for _, interface in sorted(estate.interfaces.items()):
            if interface.subnet is not None:
                self._by_subnet[interface.subnet].append(interface)

    def of(self, interface: Interface) -> Subnet | None:
        """Return the subnet of an interface; None where no lists stand at subnets, or where it was not read."""
        subnet = None if interface.subnet is None else self._estate.subnets.get(interface.subnet)
        return subnet if subnet is not None and self._stages_at(subnet) else None

    def _stages_at(self, subnet: Subnet) -> tuple[str, ...]:
        network = self._estate.networks.get(subnet.network)
        return () if network is None else self._stages.get(network.pipeline, ())

    def unfiltered(self) -> Iterator[Unfiltered]:
        """Yield the subnets without a list, and those with interfaces that nothing judges, in order of their ids."""
        listed = {
            subnet
            for stage in self._at_subnets
            for rule_set in self._estate.rule_sets_at(stage)
            for subnet in named_subnets(rule_set.applies)
        }
        for identifier, subnet in sorted(self._estate.subnets.items()):
            stages = self._stages_at(subnet)
            if not stages or subnet.name.lower() in _WITHOUT or not self._estate.read("groups", subnet):
                continue
            here = [each for each in self._by_subnet.get(identifier, ()) if takes_groups(each)]
            bare = tuple(each for each in here if self._is_bare(each, stages))
            if bare or identifier not in listed:
                others = tuple(each for each in here if each not in bare)
                yield Unfiltered(subnet, identifier in listed, bare, others)

    def _is_bare(self, interface: Interface, stages: Sequence[str]) -> bool:
        judged = any(self._estate.judging(interface, stage) for stage in stages)
        return not judged and not carries_unread(interface, self._estate)


def named_subnets(selector: Selector) -> frozenset[str]:
    """Return the subnets at which a list stands."""
    if isinstance(selector, InSubnets):
        return selector.subnets
    if isinstance(selector, AllOf):
        return frozenset(name for part in selector.parts for name in named_subnets(part))
    return frozenset()


def of_subnet(context: AuditContext, told: Unfiltered) -> Finding:
    """Return the finding about a subnet without an NSG, or with private endpoints that its NSG does not judge."""
    subnet, bare = told.subnet, told.bare
    open_ones = [each for each in bare if each.role != "private_endpoint"]
    guessed = bool(bare) and all(interface.derived for interface in bare)
    ways = dict.fromkeys(way.text for interface in bare for way in context.internet.ways_in(interface).ways)
    return context.finding(
        subnet,
        _message(told),
        severity=Severity.MEDIUM if open_ones else Severity.LOW,
        confidence="low" if guessed else "high",
        evidence=(
            *((f"without an NSG: {shown_labels(bare)}",) if bare else ()),
            *((f"with an NSG of their own: {shown_labels(told.others)}",) if told.others and not told.listed else ()),
            *(f"way in from the internet: {text}" for text in ways),
            *(("unknown: the interfaces follow from a setting and were not listed",) if guessed else ()),
        ),
        affected=bare,
        remedy=Remedy("add-default-deny", _advice(told)),
    )


def _message(told: Unfiltered) -> str:
    label, count = told.subnet.label, len(told.bare)
    if told.listed:
        do = "do" if count > 1 else "does"
        return (
            f"{counted(count, 'private endpoint')} in {label} {do} not meet its NSG, so that nothing filters what comes"
        )
    if not told.bare:
        rest = "each interface in it has one of its own" if told.others else "what comes to stand in it is unfiltered"
        return f"{label} has no NSG, and {rest}"
    of = f"{count} of {counted(count + len(told.others), 'interface')}" if told.others else counted(count, "interface")
    return f"{label} has no NSG, and nothing filters the traffic of {of} in it"


def _advice(told: Unfiltered) -> str:
    if told.listed:
        return "switch the subnet's network policies for private endpoints on, and admit in its NSG who uses them"
    return (
        "put an NSG at the subnet that admits what its workloads need and denies the rest of VirtualNetwork; keep what "
        "the load balancer's probes and the platform need"
    )
