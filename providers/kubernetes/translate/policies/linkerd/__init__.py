"""Linkerd: who may connect to workloads of the mesh, and where these may connect.

A Server stands for a port of some pods; to it nobody gets whom nothing admits. Other ports follow a default policy.
Source: https://linkerd.io/2-edge/features/server-policy/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.providers.kubernetes.translate.policies.linkerd.signs import READS, shows_linkerd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["READS", "add"]


def add(objects: Sequence[Object], draft: Draft) -> None:
    """Add the rule sets of Linkerd's policies. Pods outside of the mesh enforce none."""
    if shows_linkerd(objects, draft):
        # Hardly a cluster has every mesh: what evaluates this one is loaded where it shows.
        from cloudseg.providers.kubernetes.translate.policies.linkerd.evaluation import add_policies

        add_policies(objects, draft)
