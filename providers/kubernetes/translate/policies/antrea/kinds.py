"""The kinds of Antrea's policies, and of what they refer to. What evaluates them is loaded where a cluster has any."""

from __future__ import annotations

from typing import Final

__all__ = ["GROUP", "POLICIES", "READS"]

GROUP: Final = "crd.antrea.io"
POLICIES: Final = {"ClusterNetworkPolicy": "AntreaClusterNetworkPolicy", "NetworkPolicy": "AntreaNetworkPolicy"}
"""The kinds of policies, and the names that tell them from those of other APIs."""

READS: Final = frozenset((GROUP, kind) for kind in (*POLICIES, "Tier", "ClusterGroup", "Group"))
"""The API groups and kinds that are evaluated here."""
