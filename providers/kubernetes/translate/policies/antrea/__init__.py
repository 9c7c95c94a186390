"""Antrea-native policies: ClusterNetworkPolicy and NetworkPolicy of Antrea, with their tiers and groups.

All tiers but the baseline decide before NetworkPolicies, in the order of tier, policy and rule: the first match allows
or drops for good, or passes on to NetworkPolicies. The baseline tier is for pods that no NetworkPolicy selects.

Sources: https://antrea.io/docs/main/docs/antrea-network-policy/ and
https://antrea.io/docs/main/docs/antrea-l7-network-policy/
"""

from cloudseg.providers.kubernetes.translate.policies.antrea.reading import READS, add

__all__ = ["READS", "add"]
