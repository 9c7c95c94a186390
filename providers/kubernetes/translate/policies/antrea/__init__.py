"""Antrea-native policies: ClusterNetworkPolicy and NetworkPolicy of Antrea, with their tiers and groups.

All tiers but the baseline decide before NetworkPolicies, in the order of tier, policy and rule: the first match allows
or drops for good, or passes on to NetworkPolicies. The baseline tier is for pods that no NetworkPolicy selects.

Sources: https://antrea.io/docs/main/docs/antrea-network-policy/ and
https://antrea.io/docs/main/docs/antrea-l7-network-policy/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.providers.kubernetes.translate.policies.antrea.kinds import GROUP, POLICIES, READS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["READS", "add"]


def add(objects: Sequence[Object], draft: Draft) -> None:
    """Add the rule sets of Antrea's policies. One that is not read in full leaves the pods open it could select."""
    if any(item.group == GROUP and item.kind in POLICIES for item in objects):
        # Hardly a cluster has any: what evaluates them is loaded where they are.
        from cloudseg.providers.kubernetes.translate.policies.antrea.reading import add_policies

        add_policies(objects, draft)
