"""Machines that leave for the internet under an address which the provider lends them unasked.

What it finds:
    Subnets that are not private, and in which machines without a public address, a NAT gateway or a load balancer's
    outbound rule have a route straight to the internet: Azure lends them an address (default outbound access). Where
    the answer does not say whether the subnet is private, the confidence is low. One finding a subnet.

Why it matters:
    Nobody decided that these machines reach the internet, nobody owns the address under which they do, and it may
    change at any time, so no far end can admit them by it. New virtual networks have private subnets.

Example:
    A subnet with ``defaultOutboundAccess`` true, without a NAT gateway and without a route table.

Remedy:
    Make the subnet private (``defaultOutboundAccess`` false), and give what needs the internet a NAT gateway, or lead
    its default route to a firewall.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from cloudseg.checks.example_azure import arm
from cloudseg.checks.example_azure_routes import add_machine, add_table, add_wall, set_default_outbound, with_internet
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.rule_lists import counted, shown_labels
from cloudseg.findings import Remedy, Severity
from cloudseg.reach.plumbing import opens_connections
from cloudseg.reach.roads.legs import legs_from
from cloudseg.traffic import ALL_IPV4, GLOBAL_UNICAST

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Interface, Subnet
    from cloudseg.reach.roads.legs import Leg


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every subnet whose machines leave under an address that nobody asked for.

    Source: https://learn.microsoft.com/azure/virtual-network/ip-services/default-outbound-access
    """
    estate = context.estate
    found: defaultdict[str, list[Interface]] = defaultdict(list)
    for _, interface in sorted(estate.interfaces.items()):
        if _is_lent_unasked(interface) and opens_connections(interface):
            found[interface.subnet or ""].append(interface)
    for name, interfaces in sorted(found.items()):
        subnet = estate.subnets.get(name)
        if subnet is None or subnet.default_outbound is False:
            continue
        legs = _outward(subnet, estate)
        if legs:
            yield _finding(context, subnet, interfaces, legs)


def _is_lent_unasked(interface: Interface) -> bool:
    """Tell whether an address that no answer lists may be lent to an interface, which has none of its own."""
    return interface.lent_unlisted is not False and not interface.lent and not interface.has_public_address(4)


def _outward(subnet: Subnet, estate: Estate) -> list[Leg]:
    """Return the ways straight to the internet, for which an interface needs a public address."""
    network = estate.networks.get(subnet.network)
    legs = () if network is None else legs_from(subnet, network, estate)
    internet = ALL_IPV4 & GLOBAL_UNICAST
    return [leg for leg in legs if leg.end == "internet" and leg.needs_public and leg.addresses.overlaps(internet)]


def _finding(context: AuditContext, subnet: Subnet, interfaces: Sequence[Interface], legs: Sequence[Leg]) -> Finding:
    certain = subnet.default_outbound is True and any(leg.certain for leg in legs)
    certain = certain and any(interface.lent_unlisted is True for interface in interfaces)
    leave = ("leaves" if len(interfaces) == 1 else "leave") if certain else "may leave"
    ways = dict.fromkeys(leg.hops[-1].text for leg in legs if leg.hops)
    said = {True: "the subnet is not private", None: "unknown: whether the subnet is private was not told"}
    return context.finding(
        subnet,
        f"{counted(len(interfaces), 'interface')} in {subnet.label} {leave} for the internet under an address that "
        "nobody asked for",
        confidence="high" if certain else "low",
        evidence=(
            f"without a public address or a NAT gateway: {shown_labels(interfaces)}",
            *(f"way out: {text}" for text in ways),
            said.get(subnet.default_outbound, ""),
        ),
        affected=interfaces,
        remedy=Remedy(
            "restrict-egress",
            "make the subnet private, and give what needs the internet a NAT gateway or a route to a firewall",
        ),
    )


def _unasked(*, told: bool | None = True, firewall: bool = False, lent: str = "") -> Estate:
    b = with_internet()
    set_default_outbound(b, "web", told=told)
    if firewall:
        add_wall(b, names=("*.ubuntu.com",))
    add_table(b, "routes-web", "web", firewall=firewall)
    add_machine(b, "nic-1", "web", "10.1.1.4", lent=lent, unasked=told)
    return b.build()


def _lent_unasked() -> Estate:
    return _unasked()


def _not_told() -> Estate:
    return _unasked(told=None)


def _private() -> Estate:
    return _unasked(told=False)


def _by_nat_gateway() -> Estate:
    return _unasked(lent="20.50.0.1")


def _to_the_firewall() -> Estate:
    return _unasked(firewall=True)


_WEB: Final = arm("microsoft.network/virtualnetworks", "vnet-1/subnets/web")

CHECK = Check(
    id="default-outbound-access",
    severity=Severity.LOW,
    run=run,
    examples=(
        Example("a machine without any way out that somebody made", _lent_unasked, (_WEB,), Severity.LOW),
        Example("an old answer does not say whether the subnet is private", _not_told, (_WEB,), Severity.LOW),
        Example("a private subnet", _private),
        Example("a NAT gateway", _by_nat_gateway),
        Example("the default route leads to a firewall", _to_the_firewall),
    ),
    concept={"azure": "default outbound access of subnets that are not private"},
    absent={
        "aws": "packets leave a network by gateways alone that somebody made",
        "kubernetes": "how packets leave is the cloud's affair beneath the cluster",
        "gcp": "packets leave by external addresses and Cloud NAT alone, which somebody made",
    },
    needs=("subnets", "interfaces"),
    uses=("networks", "routes", "gateways", "firewalls", "load-balancers"),
    compliance={
        "nist-800-53r5": ("AC-4", "SC-7", "SC-7(5)"),
        "pci-dss-4.0": ("1.3.2",),
        "cisa-ztmm-2": ("Networks: Network Traffic Management",),
        "nist-800-207": ("2.1",),
    },
    remedy="restrict-egress",
)
