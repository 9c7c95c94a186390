"""Admin policies: AdminNetworkPolicy, BaselineAdminNetworkPolicy and ClusterNetworkPolicy.

The tier of administrators decides before NetworkPolicies, the baseline tier for pods that no NetworkPolicy selects in
the direction. In a tier the lowest priority goes first, in a policy the first rule that matches: it accepts or denies
for good, or passes on to the next tier. Sources: https://network-policy-api.sigs.k8s.io/api-overview/ and
https://network-policy-api.sigs.k8s.io/reference/spec/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.providers.kubernetes.translate.policies.admin.kinds import READS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["READS", "add"]


def add(objects: Sequence[Object], draft: Draft) -> None:
    """Add the rule sets of admin policies. One that cannot be read in full leaves the pods open it could select."""
    if any((item.group, item.kind) in READS for item in objects):
        # Hardly a cluster has any: what evaluates them is loaded where they are.
        from cloudseg.providers.kubernetes.translate.policies.admin.reading import add_policies

        add_policies(objects, draft)
