"""An interface that the internet can address.

What it finds:
    Interfaces with a public IPv4 address or a global IPv6 address whose subnet routes to an internet gateway, one
    finding an interface. It is an inventory: what rules let in by the address is told by other checks. Interfaces of
    load balancers that are declared internet-facing, and of NAT gateways, are left out: a public address is their
    purpose. An address without a route in, or behind a block of public access, is no finding.

Why it matters:
    An interface with a public address is one rule away from the internet, and whoever writes that rule may not know of
    the address.

Example:
    An application server with an elastic IP address in a public subnet, behind a load balancer that would be enough.

Remedy:
    Take the public address away, and let a load balancer, a NAT gateway or a private endpoint stand between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.checks.example_azure import arm
from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.checks.example_gcp import GcpBuilder, nic_id
from cloudseg.checks.example_nsgs import NsgBuilder
from cloudseg.checks.interface import Check, Example
from cloudseg.findings import Severity
from cloudseg.model import Workload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Interface
    from cloudseg.reach.ways import WayIn


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every interface with a public address and a route in."""
    for _, interface in sorted(context.estate.interfaces.items()):
        if not (interface.has_public_address(4) or interface.has_public_address(6)):
            continue
        if _is_meant_to_be_public(interface, context.estate):
            continue
        ways = context.internet.ways_in(interface)
        direct = [way for way in ways.ways if way.direct]
        if direct:
            yield _finding(context, interface, direct, ways.unknown)


def _is_meant_to_be_public(interface: Interface, estate: Estate) -> bool:
    """Tell whether a public address is the purpose of the interface's owner, as far as the owner was read."""
    if interface.role.lower().replace("_", "") in {"natgateway", "azurefirewall"}:
        return True
    owner = None if interface.workload is None else estate.workloads.get(interface.workload)
    return owner is not None and owner.internet_facing is True


def _finding(context: AuditContext, interface: Interface, direct: list[WayIn], unknown: tuple[str, ...]) -> Finding:
    sure = any(way.certain for way in direct)
    owner = context.estate.owner_of(interface)
    whose = "" if owner is None else f" of {owner.label}"
    addresses = str(interface.public) if interface.public else "a public IPv4 address that no answer lists"
    reach = "can be addressed from the internet" if sure else "can perhaps be addressed from the internet"
    managed = interface.managed_by
    return context.finding(
        interface,
        f"{interface.label}{whose} {reach}: {addresses}",
        confidence="high" if sure else "low",
        evidence=(
            *dict.fromkeys(f"way in: {way.text}" for way in direct),
            *(() if sure else (f"unknown: {text}" for text in unknown)),
            *((f"managed by {managed}: change it there",) if managed else ()),
        ),
        affected=(interface,),
    )


def _public_server() -> Estate:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", address="10.0.1.5", public="203.0.113.10")
    return b.build()


def _global_ipv6() -> Estate:
    b = EstateBuilder()
    b.route("rtb-public", "::/0", "internet-gateway", "igw-1")
    b.interface("eni-1", "subnet-public", address="10.0.1.5, 2001:db8::5")
    return b.build()


def _no_route() -> Estate:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-private", address="10.0.2.5", public="203.0.113.10")
    return b.build()


def _internet_facing() -> Estate:
    b = EstateBuilder()
    balancer = b.id("app/web")
    b.put("workloads", Workload(id=balancer, kind="load-balancer", internet_facing=True))
    b.interface("eni-1", "subnet-public", address="10.0.1.5", public="203.0.113.10", workload=balancer)
    b.interface("eni-2", "subnet-public", address="10.0.1.6", public="203.0.113.11", role="nat_gateway")
    return b.build()


def _azure(public: str) -> Estate:
    b = NsgBuilder()
    b.nsg("nsg-web", subnet="web")
    b.machine("nic-1", "web", "10.1.1.10", public)
    return b.build()


def _azure_public() -> Estate:
    return _azure("20.50.0.20")


def _azure_private() -> Estate:
    return _azure("")


def _gcp(public: str) -> Estate:
    b = GcpBuilder()
    b.machine("web", "web", "10.2.1.10", public, lent="" if public else "34.1.2.3")
    return b.build()


def _gcp_external() -> Estate:
    return _gcp("34.1.2.4")


def _gcp_internal() -> Estate:
    return _gcp("")


CHECK = Check(
    id="public-address",
    severity=Severity.INFO,
    run=run,
    examples=(
        Example("a server with an elastic IP address in a public subnet", _public_server, ("eni-1",), Severity.INFO),
        Example("a global IPv6 address is public as it stands", _global_ipv6, ("eni-1",)),
        Example("an elastic IP address in a subnet without a route to an internet gateway", _no_route),
        Example("an internet-facing load balancer and a NAT gateway are meant to be public", _internet_facing),
        Example(
            "a machine of Azure with a public address",
            _azure_public,
            (arm("microsoft.network/networkinterfaces", "nic-1"),),
            Severity.INFO,
        ),
        Example("a machine of Azure without one", _azure_private),
        Example("an instance with an external address", _gcp_external, (nic_id("web"),), Severity.INFO),
        Example("an instance behind Cloud NAT", _gcp_internal),
    ),
    concept={
        "aws": "public IPv4 and global IPv6 addresses of network interfaces, with a route to an internet gateway",
        "azure": "public addresses of network interfaces, with a route to the internet",
        "gcp": "external addresses of network interfaces, with a route to the internet",
    },
    absent={"kubernetes": "pods have addresses of the cluster; internet-exposed-port tells what public ones lead to"},
    needs=("interfaces",),
    uses=("subnets", "routes", "gateways", "load-balancers", "workloads", "public-access-block"),
    compliance={"nist-800-53r5": ("SC-7",), "cisa-ztmm-2": ("Networks: Network Segmentation",)},
)
