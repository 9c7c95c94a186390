"""The kinds of admin policies. What evaluates them is loaded where a cluster has any."""

from __future__ import annotations

from typing import Final

__all__ = ["ADMIN", "BASELINE", "CLUSTER", "READS"]

_GROUP: Final = "policy.networking.k8s.io"
ADMIN, BASELINE, CLUSTER = "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"
READS: Final = frozenset(((_GROUP, ADMIN), (_GROUP, BASELINE), (_GROUP, CLUSTER)))
"""The API groups and kinds that are evaluated here."""
