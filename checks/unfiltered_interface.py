"""An interface that no list of rules judges.

What it finds:
    Interfaces that carry no group and are chosen by no other rule set, told once for each workload. The provider's own
    plumbing is left out, since nothing can be attached to it: NAT gateways, transit gateways, endpoints of gateway
    load balancers.
    On Azure, subnets without an NSG, told once each: those with an interface that has no NSG of its own either, and, as
    less bad, those that are empty or whose interfaces have one each. Subnets of gateways and firewalls take none. A
    subnet with an NSG is told where private endpoints stand in it that the NSG does not judge, since the subnet's
    network policies for private endpoints are off.

Why it matters:
    Without a group everything passes in both directions. A network load balancer made without groups hands every
    packet for its listeners on to its targets, and cannot be given a group later.

Example:
    A network load balancer without security groups.

Remedy:
    Attach a group with the rules that the workload needs; make the network load balancer anew with a group.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_nsgs import NsgBuilder, subnet_id
from cloudseg.checks.interface import Check, Example
from cloudseg.checks.rule_lists import counted, shown_labels
from cloudseg.checks.subnet_lists import SubnetLists, of_subnet
from cloudseg.findings import Remedy, Severity
from cloudseg.model import Workload
from cloudseg.reach.passage import carries_unread
from cloudseg.reach.plumbing import takes_groups

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.checks.interface import AuditContext
    from cloudseg.findings import Finding
    from cloudseg.model import Estate, Interface, Resource


def run(context: AuditContext) -> Iterator[Finding]:
    """Yield a finding for every workload, or interface without one, that nothing filters."""
    estate = context.estate
    stages = {
        stage.name
        for pipeline in estate.pipelines.values()
        for stage in (*pipeline.ingress, *pipeline.egress)
        if stage.at in {"interface", "subnet"}
    }
    found: defaultdict[str, list[Interface]] = defaultdict(list)
    owners: dict[str, Resource] = {}
    by_subnet = SubnetLists(estate)
    for _, interface in sorted(estate.interfaces.items()):
        # An attached identity that was not read may filter; that is a gap of its own, and no proof of absence.
        if carries_unread(interface, estate) or not takes_groups(interface) or by_subnet.of(interface) is not None:
            continue
        if not any(estate.judging(interface, stage) for stage in stages):
            owner = estate.owner_of(interface) or interface
            owners[owner.id] = owner
            found[owner.id].append(interface)
    for identifier, interfaces in sorted(found.items()):
        yield _finding(context, owners[identifier], interfaces)
    for told in by_subnet.unfiltered():
        yield of_subnet(context, told)


def _finding(context: AuditContext, owner: Resource, interfaces: Sequence[Interface]) -> Finding:
    ways = dict.fromkeys(way.text for interface in interfaces for way in context.internet.ways_in(interface).ways)
    guessed = all(interface.derived for interface in interfaces)
    of = "" if owner is interfaces[0] else f"{counted(len(interfaces), 'interface')} of "
    return context.finding(
        owner,
        f"{of}{owner.label} carry no group, so nothing filters their traffic"
        if len(interfaces) > 1
        else f"{of}{owner.label} carries no group, so nothing filters its traffic",
        confidence="low" if guessed else "high",
        evidence=(
            f"without a group: {shown_labels(interfaces)}",
            *(f"way in from the internet: {text}" for text in ways),
            *(("unknown: the interfaces follow from a setting and were not listed",) if guessed else ()),
        ),
        affected=interfaces,
        remedy=Remedy("add-default-deny", _advice(interfaces)),
    )


def _advice(interfaces: Sequence[Interface]) -> str:
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
    if all(interface.role == "network_load_balancer" for interface in interfaces):
        return (
            "make the load balancer anew with a group: one made without takes none later, and only its targets filter"
        )
    return "attach a group with the rules that the workload needs"


def _balancer_without_groups() -> Estate:
    b = EstateBuilder()
    b.put("workloads", Workload(id=b.id("net/nlb"), kind="load-balancer", region="eu-west-1", internet_facing=True))
    for number in (1, 2):
        b.interface(
            f"eni-{number}", "subnet-public", [], f"10.0.1.{number}", f"203.0.113.{number}",
            role="network_load_balancer", workload=b.id("net/nlb"),
        )  # fmt: skip
    return b.build()


def _plumbing() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("ingress", "tcp/443", "sg-web"))
    b.interface("eni-nat", "subnet-public", [], "10.0.1.4", "203.0.113.4", role="nat_gateway", managed_by="nat_gateway")
    b.interface("eni-tgw", "subnet-private", [], "10.0.2.4", role="transit_gateway")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.5")
    b.interface("eni-shared", "subnet-private", ["aws:999988887777:eu-west-1:sg-theirs"], "10.0.2.6")
    b.interface("eni-unread", "subnet-private", [], "10.0.2.7", attached_unread=True)
    return b.build()


def _azure_bare() -> Estate:
    b = NsgBuilder()
    b.asg("asg-web")
    b.machine("nic-web", "web", "10.1.1.10", asgs=["asg-web"])
    b.nsg("nsg-data", subnet="data")
    return b.build()


def _azure_of_its_own() -> Estate:
    b = NsgBuilder()
    b.machine("nic-web", "web", "10.1.1.10", nsg="nsg-web")
    b.nsg("nsg-web")
    b.nsg("nsg-data", subnet="data")
    return b.build()


def _azure_filtered() -> Estate:
    b = NsgBuilder()
    b.machine("nic-web", "web", "10.1.1.10")
    b.nsg("nsg-web", subnet="web")
    b.nsg("nsg-data", subnet="data")
    return b.build()


CHECK = Check(
    id="unfiltered-interface",
    severity=Severity.MEDIUM,
    run=run,
    examples=(
        Example("a network load balancer was made without groups", _balancer_without_groups, ("net/nlb",)),
        Example("a subnet and a machine in it without an NSG", _azure_bare, (subnet_id("web"),), Severity.MEDIUM),
        Example(
            "a subnet without an NSG, whose machines have one each",
            _azure_of_its_own,
            (subnet_id("web"),),
            Severity.LOW,
        ),
        Example("gateways take no groups, and everything else carries one", _plumbing),
        Example("every subnet has an NSG", _azure_filtered),
    ),
    concept={
        "aws": "network interfaces without security groups",
        "azure": "subnets without an NSG, and what stands in them without one of its own",
    },
    absent={
        "gcp": "the implied rules judge every interface",
        "kubernetes": "missing-default-deny tells the pods that no policy isolates",
    },
    needs=("groups", "interfaces"),
    uses=("workloads", "load-balancers", "subnets"),
    compliance={
        "cis-azure-5.0": ("7.11",),
        "nist-800-53r5": ("AC-4", "SC-7", "SC-7(5)"),
        "pci-dss-4.0": ("1.3.1",),
        "cisa-ztmm-2": ("Networks: Network Segmentation",),
    },
    remedy="add-default-deny",
)
