"""Examples of rules that name groups in place of addresses."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.checks.example_clusters import ClusterBuilder, admit
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_rule
from cloudseg.intent import Allowance, Intent
from cloudseg.model import Network, Workload
from cloudseg.remediations.interface import RemedyExample
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import AddressSet, Traffic

if TYPE_CHECKING:
    from cloudseg.model import Estate, Pipeline, RangeMeaning, Rule
    from cloudseg.observed.observations import Observations

__all__ = ["EXAMPLES"]

_CHECK: Final = "address-based-rule"
_NETWORK: Final = "global/networks/vpc"
_ACCOUNTS: Final = f"{_NETWORK}/serviceAccounts"
_GUARD: Final = "global/firewallPolicies/guard"
_FROM: Final = "ingress tcp/5432 from"
_OUT: Final = allow("egress", "all", "0.0.0.0/0", rule_id="out")


def _shop(*rules: Rule) -> EstateBuilder:
    """Return a database with some rules, two application servers in its subnet's neighbourhood, and a batch server."""
    b = EstateBuilder()
    b.group("sg-db", *rules)
    b.group("sg-app", _OUT)
    b.group("sg-batch", _OUT)
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.9")
    b.interface("eni-app1", "subnet-private", ["sg-app"], "10.0.2.10")
    b.interface("eni-app2", "subnet-private", ["sg-app"], "10.0.2.11")
    return b


def _application_subnet() -> Estate:
    b = _shop(allow("ingress", "tcp/5432", "10.0.2.0/24"))
    return b.build()


def _two_groups_one_seen() -> Estate:
    b = _shop(allow("ingress", "tcp/5432-5440", "10.0.2.0/24"))
    b.interface("eni-batch", "subnet-private", ["sg-batch"], "10.0.2.20")
    return b.build()


def _app_asks() -> Observations:
    return ExampleConversations(
        (seen("10.0.2.10", "10.0.1.9", 5432, initiator_network="vpc-1", responder_network="vpc-1"),),
        logs_of("eni-db"),
    )


def _without_group_of_their_own() -> Estate:
    """Return two servers that carry the default group alone, which others carry too."""
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.2.0/24"))
    b.group("default", _OUT, is_default=True)
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.9")
    b.interface("eni-app", "subnet-private", ["default"], "10.0.2.10", workload=b.id("i-app"))
    b.interface("eni-other", "subnet-public", ["default"], "10.0.1.20")
    b.put("workloads", Workload(id=b.id("i-app"), kind="instance", region="eu-west-1", network=b.id("vpc-1")))
    return b.build()


def _made_by_a_template() -> Estate:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.2.0/24"))
    b.group("default", _OUT, is_default=True)
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.9")
    b.interface("eni-app", "subnet-private", ["default"], "10.0.2.10", workload=b.id("i-app"))
    b.interface("eni-other", "subnet-public", ["default"], "10.0.1.20")
    tags = {"aws:autoscaling:groupName": "app"}
    b.put("workloads", Workload(id=b.id("i-app"), kind="instance", region="eu-west-1", tags=tags))
    return b.build()


def _with_ipv6() -> Estate:
    """Return a network of both families in which the rule admits IPv4 alone."""
    b = EstateBuilder()
    b.put(
        "networks",
        Network(
            id=b.id("vpc-1"),
            kind="vpc",
            region="eu-west-1",
            pipeline="aws",
            addresses=AddressSet.parse("10.0.0.0/16, fd00:1::/56"),
        ),
    )
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.2.0/24"))
    b.group("sg-app", _OUT, allow("egress", "all", "::/0", rule_id="out6"))
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9, fd00:1::9")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10, fd00:1::10")
    return b.build()


def _kept_by_a_controller() -> Estate:
    b = EstateBuilder()
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.2.0/24"), managed_by="aws-load-balancer-controller")
    b.group("sg-app", _OUT)
    b.interface("eni-db", "subnet-public", ["sg-db"], "10.0.1.9")
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    return b.build()


def _whole_ten() -> Estate:
    return _shop(allow("ingress", "tcp/5432", "10.0.0.0/8")).build()


def _apps_are_meant() -> Intent:
    segments = tuple(Segment(name=name, choice=Choice(groups=(f"sg-{name}",))) for name in ("app", "db"))
    return Intent(
        segments=segments, allow=(Allowance(sources=("app",), targets=("db",), traffic=Traffic.parse("tcp/5432")),)
    )


def _azure_subnet() -> Estate:
    b = NsgBuilder()
    b.asg("asg-web")
    b.nsg(
        "nsg-data",
        nsg_rule("ingress", 100, "tcp/1433", "10.1.1.0/24"),
        nsg_rule("ingress", 4096, "all", deny=True),
        subnet="data",
    )
    b.machine("nic-web", "web", "10.1.1.10", asgs=["asg-web"])
    b.machine("nic-data", "data", "10.1.2.10")
    return b.build()


def _azure_new_group() -> Estate:
    b = NsgBuilder()
    b.nsg(
        "nsg-data",
        nsg_rule("ingress", 100, "tcp/1433", "10.1.1.0/24"),
        nsg_rule("ingress", 4096, "all", deny=True),
        subnet="data",
    )
    b.machine("nic-web", "web", "10.1.1.10")
    b.machine("nic-data", "data", "10.1.2.10")
    return b.build()


def _azure_written_out() -> Estate:
    b = NsgBuilder()
    b.nsg("nsg-web", nsg_rule("egress", 100, "tcp/1433", "52.236.184.0/25, 52.236.184.128/25"), subnet="web")
    b.machine("nic-web", "web", "10.1.1.10")
    return b.build()


def _gcp(*rules: Rule, policy: tuple[Rule, ...] = ()) -> Estate:
    b = GcpBuilder()
    b.firewall(*rules)
    if policy:
        b.policy("guard", *policy)
    b.machine("web", "web", "10.2.1.10", tags=["web"], account="web", secure=["1"])
    b.machine("db", "data", "10.2.2.10", tags=["db"], account="db")
    return b.build()


def _gcp_account() -> Estate:
    return _gcp(gcp_rule("db", "ingress", "tcp/5432", "10.2.1.0/24", targets="tag:db"))


def _gcp_tag() -> Estate:
    rule = gcp_rule("100", "ingress", "tcp/5432", "10.2.1.0/24", targets="account:db", priority=100, vpc=False)
    return _gcp(policy=(rule,))


def _pods(ranges: RangeMeaning) -> Estate:
    """Return a cluster whose plugin lets ranges mean pods, or not; pods have addresses of 10.42.0.0/16."""
    b = ClusterBuilder("live", live=True)
    b.workload("shop", "web", addresses=AddressSet.parse("10.42.1.5, 10.42.1.6"))
    b.workload("shop", "batch", addresses=AddressSet.parse("10.42.2.7"))
    b.workload("shop", "db", addresses=AddressSet.parse("10.42.3.9"))
    b.policy("shop", "db", {"app": "db"}, ingress=(admit("tcp/5432", "10.42.1.0/24"),))
    estate = b.build()
    networks = {
        name: msgspec.structs.replace(each, addresses=AddressSet.parse("10.42.0.0/16"))
        for name, each in estate.networks.items()
    }
    pipelines = {name: _meaning(each, ranges) for name, each in estate.pipelines.items()}
    return dataclasses.replace(estate, networks=networks, pipelines=pipelines)


def _meaning(pipeline: Pipeline, ranges: RangeMeaning) -> Pipeline:
    stages = tuple(msgspec.structs.replace(stage, ranges=ranges) for stage in pipeline.ingress)
    return msgspec.structs.replace(pipeline, ingress=stages, egress=stages)


def _pods_by_address() -> Estate:
    return _pods("everywhere")


def _pods_of_an_unknown_plugin() -> Estate:
    return _pods("unknown")


EXAMPLES: Final[tuple[RemedyExample, ...]] = (
    RemedyExample(
        name="a database admits the subnet of its application, whose servers carry a group",
        build=_application_subnet,
        check=_CHECK,
        changes=(
            "add to sg-db: ingress tcp/5432 from sg-app",
            "remove from sg-db: ingress tcp/5432 from 10.0.2.0/24",
        ),
    ),
    RemedyExample(
        name="two groups stand in the subnet, and flow logs show that one of them asks, on one port",
        build=_two_groups_one_seen,
        check=_CHECK,
        flows=_app_asks,
        changes=(
            "add to sg-db: ingress tcp/5432 from sg-app",
            "remove from sg-db: ingress tcp/5432-5440 from 10.0.2.0/24",
        ),
    ),
    RemedyExample(
        name="10.0.0.0/8 for one segment of an intent",
        build=_whole_ten,
        check=_CHECK,
        intent=_apps_are_meant,
        changes=(
            "add to sg-db: ingress tcp/5432 from sg-app",
            "remove from sg-db: ingress tcp/5432 from 10.0.0.0/8",
        ),
    ),
    RemedyExample(
        name="a server that carries the default group alone, like others",
        build=_without_group_of_their_own,
        check=_CHECK,
        changes=(
            "create group cloudseg-dc7e962f",
            "remove from cloudseg-dc7e962f: default-egress",
            "attach cloudseg-dc7e962f to eni-app",
            "add to sg-db: ingress tcp/5432 from cloudseg-dc7e962f",
            "remove from sg-db: ingress tcp/5432 from 10.0.2.0/24",
        ),
    ),
    RemedyExample(
        name="an auto scaling group makes the server anew from a launch template",
        build=_made_by_a_template,
        check=_CHECK,
        advice="would not last",
    ),
    RemedyExample(
        name="a group would admit the servers over IPv6 as well",
        build=_with_ipv6,
        check=_CHECK,
        changes=(
            "add to sg-db: ingress tcp/5432 from 10.0.2.10",
            "remove from sg-db: ingress tcp/5432 from 10.0.2.0/24",
        ),
    ),
    RemedyExample(
        name="a controller keeps the group",
        build=_kept_by_a_controller,
        check=_CHECK,
        advice="aws-load-balancer-controller keeps",
    ),
    RemedyExample(
        name="an NSG admits a subnet, whose machine bears an application security group",
        build=_azure_subnet,
        check=_CHECK,
        changes=(
            "add to nsg-data (rg): ingress tcp/1433 from asg-web (rg) at priority 101",
            "remove from nsg-data (rg): ingress tcp/1433 from 10.1.1.0/24 at priority 100",
        ),
    ),
    RemedyExample(
        name="an NSG admits a subnet, whose machine bears no application security group",
        build=_azure_new_group,
        check=_CHECK,
        changes=(
            "create group cloudseg-5f44ac32 (rg)",
            "attach cloudseg-5f44ac32 (rg) to nic-web (rg)",
            "add to nsg-data (rg): ingress tcp/1433 from cloudseg-5f44ac32 (rg) at priority 101",
            "remove from nsg-data (rg): ingress tcp/1433 from 10.1.1.0/24 at priority 100",
        ),
    ),
    RemedyExample(
        name="an NSG writes out the addresses of a service tag",
        build=_azure_written_out,
        check=_CHECK,
        changes=(
            "add to nsg-web (rg): egress tcp/1433 to Sql.WestEurope at priority 101",
            "remove from nsg-web (rg): egress tcp/1433 to 52.236.184.0/24 at priority 100",
        ),
    ),
    RemedyExample(
        name="a VPC firewall rule admits a subnet, whose instance has a service account",
        build=_gcp_account,
        check=_CHECK,
        changes=(
            f"add global/firewalls/cloudseg-0320d129: {_FROM} {_ACCOUNTS}/web to {_ACCOUNTS}/db at priority 1000",
            f"remove global/firewalls/db: {_FROM} 10.2.1.0/24 to {_NETWORK}/tags/db at priority 1000",
        ),
    ),
    RemedyExample(
        name="a rule of a firewall policy admits a subnet, whose instance bears a secure tag",
        build=_gcp_tag,
        check=_CHECK,
        changes=(
            f"add to {_GUARD}: {_FROM} tagValues/1 to {_ACCOUNTS}/db at priority 99",
            f"remove from {_GUARD}: {_FROM} 10.2.1.0/24 to {_ACCOUNTS}/db at priority 100",
        ),
    ),
    RemedyExample(
        name="an ipBlock in which pods stand, where the network plugin lets ranges mean pods",
        build=_pods_by_address,
        check=_CHECK,
        changes=(
            "create group pods app=web in namespace shop",
            "add to shop/NetworkPolicy/db: ingress tcp/5432 from pods app=web in namespace shop",
            "remove from shop/NetworkPolicy/db: ingress tcp/5432 from 10.42.1.0/24",
        ),
    ),
    RemedyExample(
        name="the same where nobody knows whether ranges mean pods",
        build=_pods_of_an_unknown_plugin,
        check=_CHECK,
        advice="depends on the network plugin",
    ),
)
