"""The kinds of Calico's policies, and of what they refer to. What evaluates them is loaded where a cluster has any."""

from __future__ import annotations

from typing import Final

__all__ = ["GLOBAL", "GROUPS", "NETWORK", "READS"]

GROUPS: Final = ("projectcalico.org", "crd.projectcalico.org")
"""The API group of Calico, and the one under which it stores its resources."""
NETWORK: Final = "NetworkPolicy"
GLOBAL: Final = "GlobalNetworkPolicy"
READS: Final = frozenset(
    (group, kind) for group in GROUPS for kind in (NETWORK, GLOBAL, "Tier", "NetworkSet", "GlobalNetworkSet")
)
"""The API groups and kinds that are evaluated here."""
