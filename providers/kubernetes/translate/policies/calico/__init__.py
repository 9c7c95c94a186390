"""Calico's policies, evaluated: tiers, network policies of namespaces and of the cluster, network sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.providers.kubernetes.translate.policies.calico.kinds import GROUPS, READS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["READS", "add"]


def add(objects: Sequence[Object], draft: Draft) -> None:
    """Add a rule set for each of Calico's policies, and a stage for each tier that has any.

    To be called when the policies of Kubernetes itself are in the draft, since these stand in tiers as well. A policy
    that cannot be read in full leaves the pods open that it could select.
    """
    if any(item.group in GROUPS for item in objects):
        # Hardly a cluster has any: what evaluates them is loaded where they are.
        from cloudseg.providers.kubernetes.translate.policies.calico.policies import add_policies

        add_policies(objects, draft)
