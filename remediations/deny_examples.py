"""Examples of denials of all else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.example_clusters import ClusterBuilder
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_rule, vnet_id
from cloudseg.intent import Allowance, Intent
from cloudseg.remediations.interface import RemedyExample
from cloudseg.remediations.naming import name_for
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from cloudseg.model import Estate, Rule

__all__ = ["EXAMPLES"]


def _two_machines(*rules: Rule, subnet: str = "data") -> NsgBuilder:
    b = NsgBuilder()
    b.asg("asg-web")
    if subnet:
        b.nsg("nsg-data", *rules, subnet=subnet)
    b.machine("nic-data", "data", "10.1.2.10")
    b.machine("nic-web", "web", "10.1.1.10", asgs=["asg-web"])
    b.flow_log("fl-1", b.network)
    return b


def _nsg() -> Estate:
    return _two_machines().build()


def _full_nsg() -> Estate:
    return _two_machines(nsg_rule("ingress", 4096, "tcp/22", "10.1.1.0/24")).build()


def _azure_flows() -> ExampleConversations:
    row = seen(
        "10.1.1.10", "10.1.2.10", 1433, provider="azure", initiator_network=vnet_id(), responder_network=vnet_id()
    )
    return ExampleConversations([row], logs_of("an adapter", provider="azure", network=vnet_id()))


def _namespace() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.workload("shop", "db")
    b.policy("shop", "egress", egress=())
    return b.build()


def _web_to_db() -> Intent:
    segments = tuple(Segment(name=name, choice=Choice(tags={"app": (name,)})) for name in ("web", "db"))
    allowed = Allowance(sources=("web",), targets=("db",), traffic=Traffic.parse("tcp/5432"))
    return Intent(segments=segments, allow=(allowed,))


def _without_dns() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    b.policy("shop", "default-deny", egress=())
    return b.build()


def _plain_balancer() -> Estate:
    b = EstateBuilder()
    b.interface("eni-1", "subnet-public", [], "10.0.1.1", role="network_load_balancer")
    return b.build()


def _bare_machine() -> Estate:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "all", "10.0.0.0/16"))
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.5")
    b.interface("eni-db", "subnet-private", [], "10.0.2.9")
    return b.build()


def _aws_flows() -> ExampleConversations:
    row = seen("10.0.1.5", "10.0.2.9", 5432, initiator_interface="eni-web", responder_interface="eni-db")
    return ExampleConversations([row], logs_of("eni-web", "eni-db"))


_BARE: Final = name_for(EstateBuilder.id("vpc-1"), "bare", EstateBuilder.id("eni-db"))

EXAMPLES: Final[tuple[RemedyExample, ...]] = (
    RemedyExample(
        name="an NSG whose default rule lets the virtual network in, and one machine uses one port",
        build=_nsg,
        check="missing-default-deny",
        changes=(
            "add to nsg-data (rg): ingress tcp/1433 from asg-web (rg) at priority 4094",
            "add to nsg-data (rg): ingress all from AzureLoadBalancer at priority 4095",
            "add to nsg-data (rg): deny ingress all from everyone at priority 4096",
        ),
        flows=_azure_flows,
    ),
    RemedyExample(
        name="a namespace without policies for ingress, and an intent",
        build=_namespace,
        check="missing-default-deny",
        changes=(
            "create list shop/NetworkPolicy/cloudseg-a1d572db",
            "create list shop/NetworkPolicy/cloudseg-bd8ca138",
            "create list shop/NetworkPolicy/cloudseg-f7fc84c0",
            "remove list shop/NetworkPolicy/cloudseg-a1d572db",
        ),
        intent=_web_to_db,
    ),
    RemedyExample(
        name="an interface without a group",
        build=_bare_machine,
        check="unfiltered-interface",
        changes=(
            f"create group {_BARE}",
            f"remove from {_BARE}: default-egress",
            f"add to {_BARE}: ingress tcp/5432 from 10.0.1.0/24",
            f"attach {_BARE} to eni-db",
        ),
        flows=_aws_flows,
    ),
    RemedyExample(
        name="nothing is known of what is needed",
        build=_nsg,
        check="missing-default-deny",
        advice="no flow logs and no intent were given",
    ),
    RemedyExample(
        name="the last priority of an NSG is taken",
        build=_full_nsg,
        check="missing-default-deny",
        advice="priorities up to 4096 are free",
        flows=_azure_flows,
    ),
    RemedyExample(
        name="pods that may not ask the resolver",
        build=_without_dns,
        check="missing-dns-egress",
        advice="a plan opens nothing",
    ),
    RemedyExample(
        name="a network load balancer that was made without groups",
        build=_plain_balancer,
        check="unfiltered-interface",
        advice="takes none later",
    ),
)
