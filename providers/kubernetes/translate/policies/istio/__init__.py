"""Istio: mutual TLS, who may connect, and what its sidecars let out.

Source: https://istio.io/latest/docs/concepts/security/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.providers.kubernetes.translate.policies.istio.signs import READS, shows_istio

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["READS", "add"]


def add(objects: Sequence[Object], draft: Draft) -> None:
    """Add the rule sets of Istio's policies. Pods outside of the mesh enforce none."""
    if shows_istio(objects, draft):
        # Hardly a cluster has every mesh: what evaluates this one is loaded where it shows.
        from cloudseg.providers.kubernetes.translate.policies.istio.evaluation import add_policies

        add_policies(objects, draft)
