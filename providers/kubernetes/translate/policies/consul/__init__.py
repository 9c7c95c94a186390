"""Consul: mutual TLS between services, and which of them may connect to which.

Sources: https://developer.hashicorp.com/consul/docs/connect/intentions and
https://developer.hashicorp.com/consul/docs/k8s/connect
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudseg.providers.kubernetes.translate.policies.consul.signs import READS, shows_consul

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["READS", "add"]


def add(objects: Sequence[Object], draft: Draft) -> None:
    """Add the rule sets of Consul's intentions, and of what services ask for. Pods outside of the mesh enforce none."""
    if shows_consul(objects, draft):
        # Hardly a cluster has every mesh: what evaluates this one is loaded where it shows.
        from cloudseg.providers.kubernetes.translate.policies.consul.evaluation import add_policies

        add_policies(objects, draft)
