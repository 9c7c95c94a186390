"""Cilium's own policies, and what they refer to.

What is not judged is said so: host policies (``nodeSelector``), endpoints of Cilium's own, proxies, pods of other
clusters of a mesh. Source: https://docs.cilium.io/en/stable/security/policy/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.providers.kubernetes.translate.policies.cilium.kinds import READS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["READS", "add"]


def add(objects: Sequence[Object], draft: Draft) -> None:
    """Add the rule sets of Cilium's policies. One that cannot be read in full leaves the pods open it could select."""
    if any((item.group, item.kind) in READS for item in objects):
        # Hardly a cluster has any: what evaluates them is loaded where they are.
        from cloudseg.providers.kubernetes.translate.policies.cilium.policies import add_policies

        add_policies(objects, draft)
