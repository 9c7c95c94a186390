"""What is known of the network plugin of a cluster.

The API server keeps policies whether anybody enforces them or not; that is up to the plugin. Source:
https://kubernetes.io/docs/concepts/services-networking/network-policies/#prerequisites
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from cloudseg.model import RangeMeaning
    from cloudseg.providers.kubernetes.translate.objects import Object
    from cloudseg.providers.kubernetes.translate.plugins.reached import Unreached

__all__ = [
    "ADMIN_GROUP",
    "ALL_GROUPS",
    "ANTREA_GROUP",
    "ASSUMED",
    "AWS_GROUP",
    "CALICO_GROUPS",
    "CILIUM_GROUP",
    "OPENSHIFT_GROUP",
    "OVN_GROUP",
    "POLICY_GROUP",
    "UNENFORCED_STAGE",
    "Plugin",
    "is_policy",
]

UNENFORCED_STAGE: Final = "unenforced"
"""The stage of policies that nobody enforces; no pipeline has it."""

ASSUMED: Final = "network-plugin-assumed"
"""The tag of the network of the pods that says, in words, that enforcement is assumed."""

_ENFORCED: Final = "that its network plugin enforces NetworkPolicies is assumed: nothing that was read says so"

POLICY_GROUP: Final = "networking.k8s.io"
ADMIN_GROUP: Final = "policy.networking.k8s.io"
CILIUM_GROUP: Final = "cilium.io"
CALICO_GROUPS: Final = frozenset(("projectcalico.org", "crd.projectcalico.org"))
ANTREA_GROUP: Final = "crd.antrea.io"
AWS_GROUP: Final = "networking.k8s.aws"
OVN_GROUP: Final = "k8s.ovn.org"
OPENSHIFT_GROUP: Final = "network.openshift.io"

_GROUPS: Final = CALICO_GROUPS | {ADMIN_GROUP, CILIUM_GROUP, ANTREA_GROUP, AWS_GROUP, OVN_GROUP, OPENSHIFT_GROUP}

ALL_GROUPS: Final = _GROUPS | {POLICY_GROUP}
"""The API groups whose policies are for a network plugin to enforce."""


class Plugin(NamedTuple):
    """The network plugin of a cluster; several that work together are one.

    Attributes:
        name: its name, for people; empty where none was recognised.
        enforces: whether it enforces NetworkPolicy v1; None where that cannot be told.
        ranges: how rules that name addresses treat pods.
        groups: the API groups of policies that it understands; None where that is not known, so that each may count.
        doubtful: the API groups of which it is not known whether it understands them.
        evidence: what told so, in words, each with its place.
        doubt: what cannot be told of it, in words; empty where everything can.
        assumed: nothing tells which plugin runs, and that it enforces is taken for granted.
        closed: it admits nothing to or from pods that no policy selects.
        windows: it enforces policies on nodes with Windows as well.
        bare: it enforces policies for pods that no controller made as well.
        unreached: the nodes on which it does not run; None where it runs on all, as far as anything tells.
    """

    name: str = ""
    enforces: bool | None = None
    ranges: RangeMeaning = "unknown"
    groups: frozenset[str] | None = None
    doubtful: frozenset[str] = frozenset()
    evidence: tuple[str, ...] = ()
    doubt: str = ""
    assumed: bool = False
    closed: bool = False
    windows: bool = False
    bare: bool = True
    unreached: Unreached | None = None

    @property
    def tags(self) -> dict[str, str]:
        """What of it the network of the pods tells: its name, what told so, and what it does."""
        told = {
            "network-plugin": self.name,
            "network-plugin-evidence": "; ".join(self.evidence),
            "network-plugin-doubt": self.doubt if self.enforces is None else "",
            ASSUMED: "; ".join(filter(None, (_ENFORCED, self.doubt))) if self.assumed else "",
            "network-plugin-enforces": "no" if self.enforces is False else "",
            "network-plugin-unreached": self.unreached.counted if self.unreached else "",
            "network-plugin-reaches": self.unreached.words if self.unreached else "",
        }
        return {key: value for key, value in told.items() if value}

    def understands(self, item: Object) -> bool | None:
        """Tell whether an object counts, as far as this plugin decides; None where that is not known."""
        if not is_policy(item) or self.groups is None or item.group in self.groups:
            return True
        return None if item.group in self.doubtful else False


def is_policy(item: Object) -> bool:
    """Tell whether it is up to the network plugin what an object means."""
    return item.group in _GROUPS or (item.group, item.kind) == (POLICY_GROUP, "NetworkPolicy")
