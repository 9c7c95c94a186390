"""The stages that a packet meets in a VPC network."""

from __future__ import annotations

from typing import Final

from cloudseg.model import Pipeline, Stage

__all__ = [
    "GLOBAL_POLICY",
    "IMPLIED",
    "PLATFORM",
    "POLICIES_FIRST",
    "RDMA",
    "REGIONAL_POLICY",
    "RULES_FIRST",
    "VPC_RULES",
    "hierarchical",
    "is_rdma",
    "pipelines",
    "system",
]

RULES_FIRST: Final = "gcp"
POLICIES_FIRST: Final = "gcp-policies-first"
RDMA: Final = "gcp-rdma"
PLATFORM: Final = "gcp-platform"
_SYSTEM: Final = "system-policy"
_RDMA_PROFILES: Final = ("-vpc-roce", "-vpc-roce-metal", "-vpc-falcon")
VPC_RULES: Final = "vpc-firewall-rules"
GLOBAL_POLICY: Final = "global-network-policy"
REGIONAL_POLICY: Final = "regional-network-policy"
IMPLIED: Final = "implied-rules"


def is_rdma(profile: str) -> bool | None:
    """Tell whether a network of a profile carries remote memory access between machines; None for unknown profiles.

    Source: https://cloud.google.com/vpc/docs/rdma-network-profiles

    Args:
        profile: the last name in the profile's link, ``europe-west1-b-vpc-roce``; empty for an ordinary network.
    """
    if not profile:
        return False
    return True if profile.endswith(_RDMA_PROFILES) else None


def system(place: int) -> str:
    """Return the name of the stage of one of the policies that Google keeps, which are asked one after the other."""
    return f"{_SYSTEM}-{place}"


def hierarchical(level: int) -> str:
    """Return the name of the stage of a policy above the project; the organisation's has the level 1."""
    return f"hierarchical-policy-{level}"


def pipelines(levels: int, systems: int) -> dict[str, Pipeline]:
    """Return the pipelines of both orders in which network policies and VPC firewall rules are asked.

    A rule decides for good, or hands on to the next list (``goto_next``); so does a list without a rule that matches.
    What no list decides, the implied rules do. All of it is stateful. A network for remote memory access knows the
    policy of its region alone. Sources:
    https://cloud.google.com/firewall/docs/firewall-policies-rule-eval-order and
    https://cloud.google.com/firewall/docs/firewall-for-roce

    Args:
        levels: how many policies stand above a project at most: the organisation's and those of folders.
        systems: how many policies Google keeps for one region of a network at most.
    """
    above = tuple(_policy(hierarchical(level)) for level in range(1, levels + 1))
    google = tuple(_policy(system(place)) for place in range(1, systems + 1))
    networks = (_policy(GLOBAL_POLICY), _policy(REGIONAL_POLICY))
    rules = Stage(
        name=VPC_RULES, at="interface", stateful=True, match="first", miss="next", facet="groups", lists_of="network"
    )
    platform = Stage(name=PLATFORM, at="platform", stateful=True, match="first", miss="next", told=False)
    implied = Stage(
        name=IMPLIED, at="interface", stateful=True, match="first", miss="deny", facet="networks", lists_of="network"
    )
    found: dict[str, Pipeline] = {}
    for name, own in ((RULES_FIRST, (rules, *networks)), (POLICIES_FIRST, (*networks, rules))):
        stages = (platform, *above, *google, *own, implied)
        found[name] = Pipeline(name=name, ingress=stages, egress=stages)
    bare = (platform, _policy(REGIONAL_POLICY), implied)
    return found | {RDMA: Pipeline(name=RDMA, ingress=bare, egress=bare)}


def _policy(name: str) -> Stage:
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
