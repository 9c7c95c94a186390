"""Whom an intent alone does not shut in: those of whom it says nothing, and those whom a platform runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.checks.rule_lists import shown_labels
from cloudseg.model import Workload
from cloudseg.remediations.deny_nsg import platform_subnet
from cloudseg.remediations.evidence import evidence_of
from cloudseg.remediations.needed import Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.model import Estate, Interface
    from cloudseg.remediations.context import RemedyContext
    from cloudseg.remediations.replacing import At

__all__ = ["platform_needs"]

_NODES: Final = ("aks-managed", "kubernetes.io/cluster/", "eks:", "alpha.eksctl.io/", "goog-gke-")
"""How tags and labels begin that tell nodes of a cluster, which pull images and report to their control plane. Sources:
https://learn.microsoft.com/azure/aks/outbound-rules-control-egress, https://docs.aws.amazon.com/eks/latest/userguide/eks-using-tags.html
and https://cloud.google.com/kubernetes-engine/docs/how-to/creating-managing-labels"""
_AKS_POOL: Final = "/virtualmachinescalesets/aks-"
"""How the pools of AKS are called. Source: https://learn.microsoft.com/azure/aks/concepts-clusters-workloads"""
_SHOWN: Final = 3


def platform_needs(context: RemedyContext, places: Sequence[At]) -> Unknown | None:
    """Return why those whom a rule judges must not be shut in; None where nothing speaks against it.

    Subnets that a platform keeps for its gateways are left to their owner whatever was logged. Who is run by a service,
    or stands in no segment, may be shut in where all that it sends was logged for some days.

    Args:
        context: what all remedies share.
        places: the rule that lets everything out, at every place of its list.
    """
    estate = context.estate
    for place in places:
        judged = context.judged(*place)
        if place.rule_set.provider == "azure":
            subnets = frozenset(each.subnet for each in judged if each.subnet)
            networks = sorted({each.network for each in judged if each.network})
            beside = [each for name in networks for each in estate.interfaces_in(name) if each.subnet in subnets]
            if why := platform_subnet(estate, subnets, (*judged, *beside)):
                return Unknown(
                    f"a denial of the internet is refused there: {why}",
                    ("add it by hand, with the rules that the platform's pages ask for",),
                )
        if evidence_of(judged, place.rule_set, context.observed, None).complete or context.matrix is None:
            continue
        unnamed = frozenset(context.matrix.segmentation.unassigned)
        left = [each for each in judged if each.id in unnamed]
        if left:
            return Unknown(
                f"{shown_labels(left, _SHOWN)} is in no segment, so that the intent does not say what it needs",
                ("put it into a segment of the intent, or log all that it sends for some weeks",),
            )
        run = [each for each in judged if not each.is_pod and _run_by_a_service(each, estate)]
        if run:
            who = shown_labels(run, _SHOWN)
            return Unknown(
                f"{who} is run by a service of the platform, and no intent names what that needs to reach",
                ("log all that it sends for some weeks, or let out what the platform's pages ask for by hand",),
            )
    return None


def _run_by_a_service(interface: Interface, estate: Estate) -> bool:
    owner = estate.owner_of(interface)
    tags = {**interface.tags, **interface.labels, **(owner.tags if isinstance(owner, Workload) else {})}
    if interface.managed_by or interface.role == "host" or _AKS_POOL in interface.id.lower():
        return True
    return any(key.lower().startswith(_NODES) for key in tags)
