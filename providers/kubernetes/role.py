"""The least role that reads a cluster, from the table of what is read."""

from __future__ import annotations

from typing import Final

from cloudseg.providers.kubernetes.listed import LISTED

__all__ = ["cluster_role", "rules"]

Rule = tuple[str, tuple[str, ...], tuple[str, ...]]

_OF_CALICO: Final[tuple[Rule, ...]] = (
    ("projectcalico.org", ("tiers",), ("get",)),
    ("projectcalico.org", ("tier.globalnetworkpolicies", "tier.networkpolicies"), ("list",)),
)
"""What Calico's own server asks for besides, before it shows the policies of all tiers. Source:
https://docs.tigera.io/calico/latest/network-policy/policy-tiers/rbac-tiered-policies"""

_HEAD: Final = """\
# Written by docs/generate.py from the table of what is read; edit providers/kubernetes/listed.py.
#
# What `cloudseg audit kubernetes` asks for, and nothing else: to list, no Secrets and no ConfigMaps. Groups that a
# cluster does not have do no harm. What is served and who is asking (`/api`, `/apis`, selfsubjectreviews) every
# user may see by the roles system:discovery and system:basic-user.
#
#   kubectl apply -f kubernetes-role.yaml
#   kubectl create clusterrolebinding cloudseg-audit --clusterrole=cloudseg-audit --user=NAME
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: cloudseg-audit
rules:
"""


def rules() -> tuple[Rule, ...]:
    """Return the rules of the role: API group, resources, verbs."""
    return (*((group, plurals, ("list",)) for group, plurals in sorted(LISTED.items())), *_OF_CALICO)


def cluster_role() -> str:
    """Return the role as a manifest."""
    lines: list[str] = []
    for group, plurals, verbs in rules():
        lines += [f'  - apiGroups: ["{group}"]', "    resources:"]
        lines += [f"      - {plural}" for plural in plurals]
        lines += [f"    verbs: [{', '.join(verbs)}]"]
    return _HEAD + "\n".join(lines) + "\n"
