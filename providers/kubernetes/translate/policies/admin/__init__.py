"""Admin policies: AdminNetworkPolicy, BaselineAdminNetworkPolicy and ClusterNetworkPolicy.

The tier of administrators decides before NetworkPolicies, the baseline tier for pods that no NetworkPolicy selects in
the direction. In a tier the lowest priority goes first, in a policy the first rule that matches: it accepts or denies
for good, or passes on to the next tier. Sources: https://network-policy-api.sigs.k8s.io/api-overview/ and
https://network-policy-api.sigs.k8s.io/reference/spec/
"""

from cloudseg.providers.kubernetes.translate.policies.admin.reading import READS, add

__all__ = ["READS", "add"]
