"""Estates and observed conversations for the examples of ``unused-rule``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cloudseg.checks.example_estates import EstateBuilder, acl_entry, allow
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule, rule_id
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_id, nsg_rule, vnet_id
from cloudseg.checks.interface import Example
from cloudseg.findings import Severity

if TYPE_CHECKING:
    from cloudseg.model import Estate, Rule

__all__ = ["EXAMPLES"]


def _database(*rules: Rule) -> Estate:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "tcp/5432", "sg-db"))
    b.group("sg-db", *rules)
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.5")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    return b.build()


def _one_unused() -> Estate:
    return _database(allow("ingress", "tcp/5432", "sg-web"), allow("ingress", "tcp/8080", "sg-web"))


def _both_match() -> Estate:
    return _database(allow("ingress", "tcp/5432", "sg-web"), allow("ingress", "tcp/5432", "10.0.1.0/24"))


def _entries() -> Estate:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "tcp/5432", "sg-db"))
    b.group("sg-db", allow("ingress", "tcp/5432", "sg-web"))
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.5")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    whole = (acl_entry("ingress", 100, "all", "10.0.0.0/16"), acl_entry("egress", 100, "all", "10.0.0.0/16"))
    b.acl("acl-1", ["subnet-public"], whole)
    b.acl(
        "acl-2",
        ["subnet-private"],
        (
            acl_entry("ingress", 100, "tcp/5432", "10.0.1.0/24"),
            acl_entry("ingress", 110, "tcp/22", "10.0.1.0/24"),
            acl_entry("egress", 100, "tcp/1024-65535", "10.0.1.0/24"),
        ),
    )
    return b.build()


def _logged() -> ExampleConversations:
    return ExampleConversations([_logged_row()], logs_of("eni-web", "eni-db"))


def _one_interface_dark() -> ExampleConversations:
    row = seen("10.0.1.5", "10.0.2.9", 5432, initiator_interface="eni-web")
    return ExampleConversations([row], logs_of("eni-web"))


def _unknown_initiator() -> ExampleConversations:
    row = seen(
        "10.0.1.5", "10.0.2.9", 8080, initiator_interface="eni-web", responder_interface="eni-db", evidence="unknown",
        confidence="unknown", initiator_port=5432,
    )  # fmt: skip
    return ExampleConversations([_logged_row(), row], logs_of("eni-web", "eni-db"))


def _nsg() -> Estate:
    b = NsgBuilder()
    b.nsg(
        "nsg-data",
        nsg_rule("ingress", 100, "tcp/1433", "10.1.1.0/24"),
        nsg_rule("ingress", 110, "tcp/22", "10.1.1.0/24"),
        subnet="data",
    )
    b.machine("nic-web", "web", "10.1.1.10")
    b.machine("nic-db", "data", "10.1.2.10")
    b.flow_log("fl-1", b.network)
    return b.build()


def _firewall() -> Estate:
    b = GcpBuilder()
    b.firewall(
        gcp_rule("app", "ingress", "tcp/8080", "tag:web", targets="tag:app"),
        gcp_rule("old", "ingress", "tcp/9090", "tag:web", targets="tag:app"),
    )
    b.machine("web", "web", "10.2.1.10", tags=["web"])
    b.machine("app", "web", "10.2.1.11", tags=["app"])
    for subnet in ("web", "data"):
        b.flow_log(subnet)
    return b.build()


def _beside(provider: str, network: str, *rows: dict[str, Any]) -> ExampleConversations:
    """Return conversations of a cloud whose logs name networks and no interfaces."""
    told = ({"provider": provider, **row} for row in rows)
    return ExampleConversations(told, logs_of("an adapter", provider=provider, network=network))


def _in_azure(*ports: int) -> ExampleConversations:
    return _beside("azure", vnet_id(), *(seen("10.1.1.10", "10.1.2.10", port) for port in ports))


def _azure_one_port() -> ExampleConversations:
    return _in_azure(1433)


def _azure_both_ports() -> ExampleConversations:
    return _in_azure(1433, 22)


def _in_gcp(*ports: int) -> ExampleConversations:
    network = GcpBuilder().network.removeprefix("gcp:")
    return _beside("gcp", network, *(seen("10.2.1.10", "10.2.1.11", port) for port in ports))


def _gcp_one_port() -> ExampleConversations:
    return _in_gcp(8080)


def _gcp_both_ports() -> ExampleConversations:
    return _in_gcp(8080, 9090)


def _logged_row() -> dict[str, Any]:
    return seen("10.0.1.5", "10.0.2.9", 5432, initiator_interface="eni-web", responder_interface="eni-db")


EXAMPLES: Final = (
    Example("a port that nobody asked for in 40 days", _one_unused, ("sg-db",), Severity.LOW, flows=_logged),
    Example("an entry of a network ACL that nobody used", _entries, ("acl-2",), Severity.LOW, flows=_logged),
    Example("a rule of an NSG that nobody used", _nsg, (nsg_id("nsg-data"),), Severity.LOW, flows=_azure_one_port),
    Example("a VPC firewall rule that nobody used", _firewall, (rule_id("old"),), flows=_gcp_one_port),
    Example("every rule of an NSG was used", _nsg, flows=_azure_both_ports),
    Example("every VPC firewall rule was used", _firewall, flows=_gcp_both_ports),
    Example("two rules let the same conversations through, and both count as used", _both_match, flows=_logged),
    Example("the interface that the rules judge was not logged", _one_unused, flows=_one_interface_dark),
    Example(
        "who opened a connection is not known, and the rule may have let it in", _one_unused, flows=_unknown_initiator
    ),
    Example("without observed conversations nothing is called unused", _one_unused),
)
