"""Examples of rules that are taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from cloudseg.checks.example_estates import EstateBuilder, allow
from cloudseg.checks.example_flows import ExampleConversations, logs_of, seen
from cloudseg.checks.example_gcp import GcpBuilder, gcp_rule
from cloudseg.checks.example_nsgs import NsgBuilder, nsg_rule
from cloudseg.model import GroupRef
from cloudseg.remediations.interface import RemedyExample

if TYPE_CHECKING:
    from cloudseg.model import Estate

__all__ = ["EXAMPLES"]


def _database() -> Estate:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "tcp/5432", "sg-db"))
    b.group("sg-db", allow("ingress", "tcp/5432", "sg-web"), allow("ingress", "tcp/8080", "sg-web"))
    b.interface("eni-web", "subnet-public", ["sg-web"], "10.0.1.5")
    b.interface("eni-db", "subnet-private", ["sg-db"], "10.0.2.9")
    return b.build()


def _one_port() -> ExampleConversations:
    row = seen("10.0.1.5", "10.0.2.9", 5432, initiator_interface="eni-web", responder_interface="eni-db")
    return ExampleConversations([row], logs_of("eni-web", "eni-db"))


def _narrow_beside_wide() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("ingress", "tcp/443", "10.0.0.0/16"), allow("ingress", "tcp/443", "10.0.1.0/24"))
    b.interface("eni-1", "subnet-private", ["sg-app"])
    return b.build()


def _group_beside_range() -> Estate:
    b = EstateBuilder()
    b.group("sg-web", allow("egress", "tcp/443", "10.0.0.0/16"))
    b.group("sg-app", allow("ingress", "tcp/443", "10.0.0.0/16"), allow("ingress", "tcp/443", "sg-web"))
    b.interface("eni-1", "subnet-private", ["sg-app"])
    b.interface("eni-2", "subnet-private", ["sg-web"], "10.0.2.11")
    return b.build()


def _shadowed_nsg() -> Estate:
    b = NsgBuilder()
    b.nsg(
        "nsg-web",
        nsg_rule("ingress", 100, "tcp/443", "10.1.0.0/16"),
        nsg_rule("ingress", 200, "tcp/443", "10.1.2.0/24", deny=True),
        subnet="web",
    )
    b.machine("nic-1", "web", "10.1.1.10")
    return b.build()


def _stale_reference() -> Estate:
    b = EstateBuilder()
    gone = GroupRef("aws:999988887777:eu-west-1:sg-theirs", via=b.id("pcx-1"), stale=True)
    rule = msgspec.structs.replace(allow("ingress", "tcp/443", "sg-x", rule_id="sgr-1"), remote=(gone,))
    b.group("sg-app", rule)
    b.interface("eni-1", "subnet-private", ["sg-app"])
    return b.build()


def _latent_machine() -> Estate:
    b = EstateBuilder()
    b.group("sg-app", allow("ingress", "tcp/3389", "0.0.0.0/0"))
    b.interface("eni-1", "subnet-private", ["sg-app"])
    return b.build()


def _latent_tag() -> Estate:
    b = GcpBuilder()
    b.firewall(gcp_rule("rdp", "ingress", "tcp/3389", targets="tag:windows"))
    return b.build()


def _managed() -> Estate:
    b = EstateBuilder()
    rules = (allow("ingress", "tcp/443", "10.0.0.0/16"), allow("ingress", "tcp/443", "10.0.1.0/24"))
    b.group("sg-app", *rules, managed_by="the load balancer controller")
    b.interface("eni-1", "subnet-private", ["sg-app"])
    return b.build()


_TAGS: Final = "global/networks/vpc/tags"

EXAMPLES: Final[tuple[RemedyExample, ...]] = (
    RemedyExample(
        name="nobody used a port in forty days",
        build=_database,
        check="unused-rule",
        changes=("remove from sg-db: ingress tcp/8080 from sg-web",),
        flows=_one_port,
    ),
    RemedyExample(
        name="a narrow range beside a wide one",
        build=_narrow_beside_wide,
        check="redundant-rule",
        changes=("remove from sg-app: ingress tcp/443 from 10.0.1.0/24",),
    ),
    RemedyExample(
        name="a denial behind a rule that allows the same",
        build=_shadowed_nsg,
        check="shadowed-rule",
        changes=("remove from nsg-web (rg): deny ingress tcp/443 from 10.1.2.0/24 at priority 200",),
    ),
    RemedyExample(
        name="a group of a peered account, after the peering was deleted",
        build=_stale_reference,
        check="stale-group-reference",
        changes=("remove from sg-app: ingress tcp/443 from sg-theirs",),
    ),
    RemedyExample(
        name="open to the internet on a private machine: what comes from inside is kept",
        build=_latent_machine,
        check="latent-internet-rule",
        changes=(
            "add to sg-app: ingress tcp/3389 from 10.0.0.0/16",
            "remove from sg-app: ingress tcp/3389 from 0.0.0.0/0",
        ),
    ),
    RemedyExample(
        name="a rule for a tag that nobody carries",
        build=_latent_tag,
        check="latent-internet-rule",
        changes=(f"remove global/firewalls/rdp: ingress tcp/3389 from 0.0.0.0/0 to {_TAGS}/windows at priority 1000",),
    ),
    RemedyExample(
        name="a rule for a group beside one for its addresses",
        build=_group_beside_range,
        check="redundant-rule",
        advice="it is them that should go",
    ),
    RemedyExample(
        name="a controller owns the list",
        build=_managed,
        check="redundant-rule",
        advice="would put the rule back",
    ),
)
