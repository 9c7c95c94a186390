"""Calico's policies, evaluated: tiers, network policies of namespaces and of the cluster, network sets."""

from cloudseg.providers.kubernetes.translate.policies.calico.policies import READS, add

__all__ = ["READS", "add"]
