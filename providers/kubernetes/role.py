"""The least role that reads a cluster, from the table of what is read."""

from __future__ import annotations

from typing import Final, NamedTuple

from cloudseg.providers.kubernetes.listed import LISTED
from cloudseg.providers.kubernetes.settings import SETTINGS

__all__ = ["Rule", "cluster_role", "rules"]


class Rule(NamedTuple):
    """One rule of the role.

    Attributes:
        group: the API group.
        resources: its resources.
        verbs: what may be done with them.
        names: the names of the only objects that are meant; none for all.
    """

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()


_OF_CALICO: Final = (
    Rule("projectcalico.org", ("tiers",), ("get",)),
    Rule("projectcalico.org", ("tier.globalnetworkpolicies", "tier.networkpolicies"), ("list",)),
)
"""What Calico's own server asks for besides, before it shows the policies of all tiers. Source:
https://docs.tigera.io/calico/latest/network-policy/policy-tiers/rbac-tiered-policies"""

_HEAD: Final = """\
# Written by docs/generate.py from the table of what is read; edit providers/kubernetes/listed.py.
#
# What `cloudseg audit kubernetes` asks for, and nothing else: to list, no Secrets, and of ConfigMaps the few that
# decide how policies are enforced, by name. Groups that a cluster does not have do no harm. What is served and who is
# asking (`/api`, `/apis`, selfsubjectreviews) every user may see by the roles system:discovery and system:basic-user.
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
    """Return the rules of the role."""
    lists = (Rule(group, plurals, ("list",)) for group, plurals in sorted(LISTED.items()))
    return (*lists, Rule("", ("configmaps",), ("get",), tuple(setting.name for setting in SETTINGS)), *_OF_CALICO)


def cluster_role() -> str:
    """Return the role as a manifest."""
    lines: list[str] = []
    for rule in rules():
        lines += [f'  - apiGroups: ["{rule.group}"]', "    resources:"]
        lines += [f"      - {plural}" for plural in rule.resources]
        lines += ["    resourceNames:"] if rule.names else []
        lines += [f"      - {name}" for name in rule.names]
        lines += [f"    verbs: [{', '.join(rule.verbs)}]"]
    return _HEAD + "\n".join(lines) + "\n"
