"""The kinds of Cilium's policies, and of what they refer to. What evaluates them is loaded where a cluster has any."""

from __future__ import annotations

from typing import Final

__all__ = ["CLUSTERWIDE", "GROUP", "NAMESPACED", "POLICIES", "READS", "REDIRECTS"]

GROUP: Final = "cilium.io"
NAMESPACED: Final = "CiliumNetworkPolicy"
CLUSTERWIDE: Final = "CiliumClusterwideNetworkPolicy"
POLICIES: Final = frozenset((NAMESPACED, CLUSTERWIDE))
REDIRECTS: Final = frozenset(("CiliumLocalRedirectPolicy", "CiliumEnvoyConfig", "CiliumClusterwideEnvoyConfig"))
"""The kinds that send packets elsewhere than to where they are addressed."""

READS: Final = frozenset((GROUP, kind) for kind in (*POLICIES, *REDIRECTS, "CiliumCIDRGroup"))
"""The API groups and kinds that are read."""
