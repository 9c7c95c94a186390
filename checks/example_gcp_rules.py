"""Rules and stages of Google Cloud for the examples of the checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.model import ANYONE, Addresses, GroupRef, Names, Pipeline, Rule, Stage, qualified
from cloudseg.traffic import ALL_TRAFFIC, AddressSet, Traffic

if TYPE_CHECKING:
    from cloudseg.model import Direction, Facet, Peer, Verdict

__all__ = [
    "GCP_PIPELINE",
    "GLOBAL_POLICY",
    "HIERARCHY",
    "NETWORK",
    "PROJECT",
    "REGION",
    "VPC_RULES",
    "ends",
    "gcp_rule",
    "implied_rules",
    "nic_id",
    "rule_id",
]

PROJECT: Final = "shop"
REGION: Final = "us-central1"
VPC_RULES: Final = "vpc-firewall-rules"
"""The stage of VPC firewall rules."""
NETWORK: Final = "global/networks/vpc"
"""The own id of the network of a new builder."""
HIERARCHY: Final = "hierarchical-policy-1"
"""The stage of an organisation's policy."""
GLOBAL_POLICY: Final = "global-network-policy"
"""The stage of a policy of the network itself."""
_LOWEST: Final = 65535


def _policies(name: str) -> Stage:
    return Stage(
        name=name,
        at="interface",
        stateful=True,
        match="first",
        miss="next",
        told=False,
        facet="boundary-rules",
        lists_of="network",
    )


def _lists(name: str, miss: Verdict, facet: Facet) -> Stage:
    return Stage(
        name=name, at="interface", stateful=True, match="first", miss=miss, facet=facet, lists_of="network"
    )  # fmt: skip


_STAGES: Final = (
    Stage(name="gcp-platform", at="platform", stateful=True, match="first", miss="next", told=False),
    _policies(HIERARCHY),
    _policies("system-policy-1"),
    _lists(VPC_RULES, "next", "groups"),
    _policies(GLOBAL_POLICY),
    _policies("regional-network-policy"),
    _lists("implied-rules", "deny", "networks"),
)
GCP_PIPELINE: Final = Pipeline(name="gcp", ingress=_STAGES, egress=_STAGES)
"""The stages of a network that asks VPC firewall rules before policies of the network.

Source: https://cloud.google.com/firewall/docs/firewall-policies-rule-eval-order
"""


def rule_id(name: str) -> str:
    """Return the own id of a VPC firewall rule."""
    return f"global/firewalls/{name}"


def nic_id(name: str) -> str:
    """Return the own id of the network interface of an instance."""
    return f"zones/{REGION}-a/instances/{name}/nic0"


def ends(text: str) -> tuple[Peer, ...]:
    """Return an end: addresses, ``tag:web``, ``account:web``, ``secure:web``, ``name:example.com``, ``*`` for all."""
    if text == "*":
        return ANYONE
    kind, colon, name = text.partition(":")
    groups = {"tag": "tags", "account": "serviceAccounts"}
    if colon and kind in groups:
        return (GroupRef(qualified("gcp", PROJECT, f"{NETWORK}/{groups[kind]}/{name}")),)
    if colon and kind == "secure":
        return (GroupRef(qualified("gcp", "organization", f"tagValues/{name}")),)
    if colon and kind == "name":
        return (Names((name,)),)
    return (Addresses(AddressSet.parse(text)),)


def gcp_rule(  # noqa: PLR0913 - all but four are optional and go by keyword
    name: str,
    direction: Direction,
    traffic: str,
    far: str = "0.0.0.0/0",
    *,
    targets: str = "*",
    verdict: Verdict = "accept",
    priority: int = 1000,
    description: str = "what it is for",
    vpc: bool = True,
) -> Rule:
    """Return a VPC firewall rule, or a rule of a firewall policy.

    Args:
        name: its name.
        direction: its direction.
        traffic: its traffic.
        far: its other end: addresses, ``tag:web``, ``account:web``, ``secure:web``, ``name:example.com``, ``*``.
        targets: whom it is for, likewise.
        verdict: ``accept``, ``deny``, or ``next`` for goto_next.
        priority: its priority.
        description: what people wrote about it.
        vpc: it is a VPC firewall rule, a resource of its own; else it stands in a policy.
    """
    return Rule(
        id=f"{direction}/{name}",
        direction=direction,
        verdict=verdict,
        traffic=Traffic.parse(traffic),
        remote=ends(far),
        local=ends(targets),
        priority=priority,
        description=description,
        resource=qualified("gcp", PROJECT, rule_id(name)) if vpc else "",
    )


def implied_rules() -> tuple[Rule, ...]:
    """Return the rules that every network has.

    Source: https://cloud.google.com/firewall/docs/firewalls#default_firewall_rules
    """
    plan: tuple[tuple[str, Direction, Verdict], ...] = (
        ("implied-deny", "ingress", "deny"),
        ("implied-allow", "egress", "accept"),
    )
    return tuple(
        Rule(
            id=f"{direction}/{name}",
            direction=direction,
            verdict=verdict,
            traffic=ALL_TRAFFIC,
            remote=ANYONE,
            priority=_LOWEST,
            fixed=True,
        )
        for name, direction, verdict in plan
    )
