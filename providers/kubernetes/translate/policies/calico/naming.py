"""Names of Calico's policies, and which of them are one and the same.

A policy may be read as Calico shows it and as it stores it; there its name begins with that of its tier. Calico shows
the policies of Kubernetes as its own, too. Source:
https://docs.tigera.io/calico/latest/network-policy/policy-tiers/tiered-policy
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cloudseg.providers.kubernetes.translate.policies.calico.kinds import NETWORK
from cloudseg.providers.kubernetes.translate.policies.calico.tiers import DEFAULT_TIER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudseg.providers.kubernetes.translate.draft import Draft
    from cloudseg.providers.kubernetes.translate.objects import Object

__all__ = ["full_name", "once"]

_SHOWN_NATIVES: Final = {
    "knp.default.": (NETWORK, "networking.k8s.io"),
    "kanp.adminnetworkpolicy.": ("AdminNetworkPolicy", "policy.networking.k8s.io"),
    "kbanp.baselineadminnetworkpolicy.": ("BaselineAdminNetworkPolicy", "policy.networking.k8s.io"),
    "kcnp.kube-admin.": ("ClusterNetworkPolicy", "policy.networking.k8s.io"),
    "kcnp.kube-baseline.": ("ClusterNetworkPolicy", "policy.networking.k8s.io"),
}
"""What the names of Kubernetes' own policies begin with where Calico shows them as its own."""


def once(policies: Sequence[Object], objects: Sequence[Object], draft: Draft) -> Iterator[Object]:
    """Yield each policy once: one may be read as Calico shows it, and as it is stored, with the tier in its name."""
    native = {(item.kind, item.group, item.name, item.place) for item in objects}
    known: dict[tuple[str, str, str], Object] = {}
    for item in policies:
        prefix = next((each for each in _SHOWN_NATIVES if item.name.startswith(each)), None)
        if prefix is not None:
            kind, group = _SHOWN_NATIVES[prefix]
            place = item.place if item.kind == NETWORK else "default"
            if (kind, group, item.name.removeprefix(prefix), place) in native:
                continue
        if not item.name or item.namespace is None:
            yield item
            continue
        key = (item.kind, item.place if item.kind == NETWORK else "", full_name(item))
        other = known.get(key)
        if other is None:
            known[key] = item
        elif other.content.get("spec") != item.content.get("spec"):
            where = f"{other.where.removesuffix(': ') or 'here'} and {item.where.removesuffix(': ') or 'here'}"
            flaw = f"it is written twice, and not alike ({where}): which one counts is not known"
            known[key] = other._replace(flaw=other.flaw or flaw)
            _leave(item, flaw, draft)
    yield from known.values()


def _leave(item: Object, flaw: str, draft: Draft) -> None:
    draft.ledger.gap(item, "malformed", flaw, "groups")
    draft.bound(item.place if item.kind == NETWORK else None)


def _tier_of(item: Object) -> str:
    tier = item.part("spec").get("tier")
    return tier if isinstance(tier, str) and tier else DEFAULT_TIER


def full_name(item: Object) -> str:
    """Return the name of a policy with that of its tier before it, which not every release writes."""
    tier = _tier_of(item)
    return item.name if item.name.startswith((f"{tier}.", "knp.")) else f"{tier}.{item.name}"
