"""The estates and conversations by which ``restrict-egress`` is shown."""

from __future__ import annotations

from typing import Final

from cloudseg.checks.example_azure_routes import add_machine, add_table, set_default_outbound, with_internet
from cloudseg.checks.example_clusters import ClusterBuilder, Pods, admit
from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.checks.example_gcp import NETWORK, GcpBuilder, gcp_rule
from cloudseg.checks.example_nsgs import NsgBuilder
from cloudseg.intent import Allowance, Intent
from cloudseg.model import AddressList, Estate
from cloudseg.remediations.interface import RemedyExample
from cloudseg.segments import Choice, Segment
from cloudseg.traffic import AddressSet, Traffic

__all__ = ["EXAMPLES"]

_CHECK: Final = "unrestricted-egress"
_PRIVATE: Final = "100.64.0.0/10, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16"


def _open_group() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("egress", "all", "0.0.0.0/0"))
    b.group("sg-db", allow("ingress", "tcp/5432", "10.0.0.0/16"))
    b.interface("eni-app", "subnet-private", ["sg-app"], "10.0.2.10")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.20")
    b.put(
        "address_lists",
        AddressList(
            id=b.id("pl-s3"),
            kind="prefix-list",
            name="com.amazonaws.eu-west-1.s3",
            region="eu-west-1",
            prefixes=("52.218.0.0/17",),
            owner="provider",
            weight=1,
        ),
    )
    return b.build()


def _of_the_app() -> ExampleConversations:
    rows = [
        seen("10.0.2.10", "10.0.2.20", 5432, initiator_interface="eni-app", responder_interface="eni-db"),
        seen("10.0.2.10", "52.218.4.4", 443, initiator_interface="eni-app"),
        seen("10.0.2.10", "198.51.100.7", 8443, initiator_interface="eni-app"),
    ]
    return ExampleConversations(rows, logs_of("eni-app", "eni-db"))


def _open_nsg() -> Estate:
    b = NsgBuilder()
    b.nsg("nsg-web", subnet="web")
    b.machine("vm-web", "web", "10.1.1.4", "20.50.0.4")
    return b.build()


def _of_the_machine() -> Intent:
    return _intent(Segment(name="web", choice=Choice(names=("vm-web",))))


def _intent(web: Segment) -> Intent:
    partner = Segment(name="partner", choice=Choice(addresses=AddressSet.parse("198.51.100.0/28")))
    allowed = Allowance(
        sources=("web",),
        targets=("partner",),
        traffic=Traffic.parse("tcp/8443"),
        owner="payments",
        expires="2027-01-31",
    )
    return Intent(segments=(web, partner), allow=(allowed,))


def _implied() -> Estate:
    b = GcpBuilder()
    b.firewall(gcp_rule("web", "ingress", "tcp/443", "10.2.0.0/16"))
    b.machine("web", "web", "10.2.1.10", tags=["web"], lent="34.1.2.3")
    return b.build()


def _of_the_instance() -> Intent:
    return _intent(Segment(name="web", choice=Choice(groups=(f"{NETWORK}/tags/web",))))


def _namespace() -> Estate:
    b = ClusterBuilder()
    b.workload("shop", "web")
    outside = "0.0.0.0-9.255.255.255, 11.0.0.0-255.255.255.255"
    b.policy("shop", "outside", egress=(admit("all", outside), admit("udp/53, tcp/53", Pods())))
    return b.build()


def _of_the_namespace() -> Intent:
    return _intent(Segment(name="web", choice=Choice(names=("web",))))


def _lent_unasked() -> Estate:
    b = with_internet()
    set_default_outbound(b, "web", told=True)
    add_table(b, "routes-web", "web")
    add_machine(b, "nic-1", "web", "10.1.1.4", unasked=True)
    return b.build()


def _no_firewall() -> Estate:
    return _open_group()


EXAMPLES: Final = (
    RemedyExample(
        name="a group lets everything out, and three destinations were seen",
        build=_open_group,
        check=_CHECK,
        changes=(
            "add to sg-app: egress tcp/5432 to sg-db",
            "add to sg-app: egress tcp/443 to pl-s3 (com.amazonaws.eu-west-1.s3)",
            "add to sg-app: egress tcp/8443 to 198.51.100.7",
            "remove from sg-app: egress all to 0.0.0.0/0",
        ),
        advice="no name is known",
        flows=_of_the_app,
    ),
    RemedyExample(
        name="the default rule of an NSG lets everything out, and one partner is meant",
        build=_open_nsg,
        check=_CHECK,
        changes=(
            "add to nsg-web (rg): egress tcp/8443 to 198.51.100.0/28 at priority 4095",
            "add to nsg-web (rg): deny egress all to Internet at priority 4096",
        ),
        advice="no name is known",
        intent=_of_the_machine,
    ),
    RemedyExample(
        name="the implied rule lets everything out, and one partner is meant",
        build=_implied,
        check=_CHECK,
        changes=(
            f"add global/firewalls/cloudseg-c2c8ea4e: egress all to 10.0.0.0/8, {_PRIVATE} at priority 65533",
            "add global/firewalls/cloudseg-46e751f3: egress tcp/8443 to 198.51.100.0/28 at priority 65533",
            "add global/firewalls/cloudseg-4c78a179: deny egress all to 0.0.0.0/0 at priority 65534",
        ),
        advice="no name is known",
        intent=_of_the_instance,
    ),
    RemedyExample(
        name="a policy lets everything out but to private addresses, and one partner is meant",
        build=_namespace,
        check=_CHECK,
        changes=(
            f"add to shop/NetworkPolicy/outside: egress all to {_PRIVATE}",
            "add to shop/NetworkPolicy/outside: egress tcp/8443 to 198.51.100.0/28",
            "remove from shop/NetworkPolicy/outside: egress all to 0.0.0.0/5, 8.0.0.0/7, 11.0.0.0-255.255.255.255",
        ),
        advice="no name is known",
        intent=_of_the_namespace,
    ),
    RemedyExample(
        name="nothing is known of what leaves",
        build=_open_group,
        check=_CHECK,
        advice="no flow logs and no intent were given",
    ),
    RemedyExample(
        name="no firewall filters the way out by name",
        build=_no_firewall,
        check="unfiltered-internet-route",
        advice="routes, NAT gateways and firewalls are for people to make",
        flows=_of_the_app,
    ),
    RemedyExample(
        name="a subnet lends its machines addresses unasked",
        build=_lent_unasked,
        check="default-outbound-access",
        advice="routes, NAT gateways and firewalls are for people to make",
    ),
)
